"""A plan of the closed loop explained like a plan of one pass: rules, values of loosening, waterfalls, moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.allocate import AllocationResult, described
from optimize.loop.trial import Trial
from optimize.loosening_worth import solved_apart
from optimize.model import Model, build, first_knots, segments_for
from optimize.parts.accounts import OWNER
from optimize.problem import Decisions, Floats
from optimize.quota_tables import quota_tables
from optimize.whole_quotas import whole_quotas
from scenarios.plan import Plan
from scenarios.scenario import Scenario


def explained(scenario: Scenario, trial: Trial, plan: Plan) -> AllocationResult:
    """What is known of a simulated plan; its model values are those simulated, since nothing is extrapolated.

    Args:
        plan: the trial's, under the name that it shall have.
    """
    problem = replace(trial.problem, trust=None)
    exact = trial.quotas.astype(np.float64)
    if scenario.motivation is None:
        exact, _ = whole_quotas(problem, trial.decisions, nearest=True)
    model: Model | None = None
    values = np.zeros(0)
    if not solved_apart(problem):
        model = build(problem, segments=segments_for(problem), knots=first_knots(problem))
        values = _with_owners(model, trial.decisions)
    tables = quota_tables(problem, trial.responses, trial.decisions, trial.quotas)
    return described(
        scenario, trial.responses, problem, trial.decisions, exact, trial.quotas, tables, model, values, plan
    )


def _with_owners(model: Model, decisions: Decisions) -> Floats:
    """Values of the columns in which only the owners are right: the rest is solved for again."""
    values = np.zeros(model.programme.size)
    if model.programme.has(OWNER):
        block, problem = model.programme.block(OWNER), model.problem
        accounts = {account: a for a, account in enumerate(problem.accounts.ids)}
        reps = {rep: r for r, rep in enumerate(problem.reps)}
        pairs = [label for label in block.labels if isinstance(label, tuple)]
        values[block.index] = [float(decisions.owner[accounts[a]] == reps[r]) for a, r in pairs]
    return values
