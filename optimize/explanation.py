"""Why a plan's quotas are what they are: bars, binding rules, territory and person, and what would change them.

For any plan of the request, ours or theirs. What cannot be derived from the request (somebody chose otherwise) stands
as a bar of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimize.audit import RuleRow, audit
from optimize.bases import BasisRow, quota_bases
from optimize.formulate import formulate
from optimize.levers import SHARE, Lever, levers
from optimize.loosening_worth import with_values, worth_of_loosening
from optimize.plans import decisions_of, quotas_of, with_owners_judged
from optimize.prices import Price
from optimize.quotas import possible_quotas
from optimize.response.estimate import Responses
from optimize.waterfall import waterfall
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.paths import near
from scenarios.plan import Plan
from scenarios.scenario import Scenario

MOST_STEPS = 2
"""Rounding steps beyond which a quota is not the exact one in whole steps but chosen otherwise."""
CHOSEN = "chosen otherwise"
"""The bar of a plan's quotas that are not the best split under the rules."""
_WEIGHTS = {"full": 0.0, "blend": 0.5, "opportunity": 1.0}


@dataclass(frozen=True)
class Explanation:
    """What is known of why quotas are what they are; money in minor units.

    Attributes:
        waterfall: bars of each rep, summing to the quota.
        bases: each rep's quota by how much of the person it follows; empty where the rules leave no quotas.
        rules: every rule on every subject, with the value of loosening those that bind.
        prices: value of loosening by rule, owners, training and care held.
        levers: what would move each quota by ``share``, one thing at a time.
    """

    plan: Plan
    share: float
    waterfall: Mapping[str, list[tuple[str, int]]]
    bases: tuple[BasisRow, ...]
    rules: tuple[RuleRow, ...]
    prices: Mapping[str, Price]
    levers: tuple[Lever, ...]


def explain_plan(
    scenario: Scenario,
    responses: Responses,
    plan: Plan,
    *,
    reps: Sequence[str] | None = None,
    share: float = SHARE,
) -> Explanation:
    """Explain a plan's quotas.

    Args:
        reps: whose quotas are asked what would change them; default all.
        share: by how much quotas are to change, above 0 and below 1.

    Raises:
        InputRefused: a rep who carries no quota, a share outside, or as :func:`optimize.formulate.formulate`.
    """
    _check(responses, plan, reps, share)
    problem = formulate(scenario, responses)
    decisions, quotas = decisions_of(problem, plan), quotas_of(problem, plan)
    judged = with_owners_judged(scenario, problem, decisions)
    exact = possible_quotas(problem, decisions)
    exactly, whole = quotas if exact is None else exact, np.round(quotas).astype(np.int64)
    rounded = bool(np.abs(whole - exactly).max() <= MOST_STEPS * max(problem.rounding_step, 1))
    bars = waterfall(problem, decisions, exactly, whole, rounded=rounded)
    weight, over = _WEIGHTS[scenario.allocation.quota_basis], scenario.allocation.over_assignment
    found = worth_of_loosening(problem, decisions) if exact is not None else {}
    return Explanation(
        plan=plan,
        share=share,
        waterfall=bars if rounded else _chosen(bars),
        bases=tuple(quota_bases(problem, responses, decisions, quotas)),
        rules=tuple(with_values(audit(judged, decisions, quotas), found)),
        prices=found,
        levers=tuple(levers(problem, decisions, reps=reps, share=share, territory_weight=weight, over_assignment=over)),
    )


def check_share(share: float) -> None:
    """Refuse a share by which no quota can be asked to change.

    Raises:
        InputRefused: not above 0 and below 1.
    """
    if not 0 < share < 1:
        raise InputRefused(Problem("share", f"{share:g}", "must be above 0 and below 1", "for example 0.05"))


def _check(responses: Responses, plan: Plan, reps: Sequence[str] | None, share: float) -> None:
    check_share(share)
    quotas = plan.quotas()
    missing = [rep for rep in (reps or responses.reps) if rep in responses.reps and rep not in quotas]
    rule, remedy = "has no quota in this plan, so there is none to explain", "give one, or ask for other people"
    refuse_if(Problem(f"plan {plan.name}", rep, rule, remedy) for rep in missing)
    refuse_if(
        Problem("rep", rep, "carries no quota", near(rep, responses.reps))
        for rep in reps or ()
        if rep not in responses.reps
    )


def _chosen(bars: Mapping[str, list[tuple[str, int]]]) -> dict[str, list[tuple[str, int]]]:
    """The last bar is no rounding."""
    return {rep: [*steps[:-1], (CHOSEN, steps[-1][1])] for rep, steps in bars.items()}
