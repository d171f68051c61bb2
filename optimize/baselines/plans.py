"""Simple rules to beat, each a complete plan: locks, company total and team totals are kept, broken rules are named.

====================  ================================================================================================
``equal``             the same quota for everybody at full pace
``history``           last sales x one factor; who has none is placed by potential
``potential``         in proportion to the potential of the territory
``fair_share``        half by history, half by potential
``waterfall``         filled by priority: who is expected to sell most takes as much as the rules allow, then the next
``mean_clipped``      in proportion to expected sales, clipped to the rules
``greedy_owners``     owners moved one best move at a time; quotas as ``mean_clipped``
``uniform_training``  hours shared evenly, each rep's in the skill that sells most; quotas as ``mean_clipped``
``chain_training``    one step of training after the other where the funnel's chain formula gains most; quotas likewise
``strong``            ``greedy_owners`` and ``uniform_training`` together
``two_stage``         owners and training chosen for sales, then the exact split of quotas under the rules
``utilitarian``       the programme without fairness rules
====================  ================================================================================================

The first six leave owners, care and training as today. ``strong`` takes most of what there is to gain, so it is the
one that an allocated plan has to beat. The last two are solved; all others are formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from optimize.audit import audit, broken
from optimize.baselines.decisions import chained_training, even_training, greedy_owners
from optimize.baselines.quotas import by_mean, by_priority, fair_share_weights, history_weights, in_proportion
from optimize.formulate import formulate
from optimize.levels import level_quotas, level_tables
from optimize.planned import planned
from optimize.plans import as_plan, level_plan_rows
from optimize.problem import AllocationProblem, Decisions, Floats, Ints, gains, potentials
from optimize.quota_tables import Tables, quota_tables
from optimize.quotas import possible_quotas
from optimize.response.estimate import Responses
from optimize.split import attained
from scenarios.errors import InfeasiblePlan, InputRefused, Problem, refuse_if
from scenarios.plan import LevelQuotaRow, Plan
from scenarios.scenario import Scenario

Made = tuple[Decisions, Ints]


@dataclass(frozen=True)
class SimpleRule:
    """How a baseline is made.

    Attributes:
        origin: the rule in words.
        make: decisions, and quotas in whole minor units, [R].
    """

    origin: str
    make: Callable[[AllocationProblem], Made]


@dataclass(frozen=True)
class Baseline:
    """A plan by a simple rule and what the model says of it; money in minor units.

    Attributes:
        model_value: exact sample average of ``sum min(S + g, q)``.
        best_split_value: the same with the same owners and training, but the exact split of quotas under the rules;
            ``None`` where no quotas keep the rules with them.
        model_sales: sample average of sales, gains added.
        breaks: subjects by the rule that they break.
    """

    plan: Plan
    model_value: float
    best_split_value: float | None
    model_sales: float
    breaks: dict[str, tuple[str, ...]]


def strong(problem: AllocationProblem) -> Made:
    """The strong simple rule: decisions, and quotas in whole minor units."""
    return _by_mean(problem, greedy_owners(problem, even_training(problem)))


def _today(weights: Callable[[AllocationProblem, Decisions], Floats]) -> Callable[[AllocationProblem], Made]:
    """Today's decisions, and quotas in proportion to weights."""

    def make(problem: AllocationProblem) -> Made:
        today = problem.today_decisions()
        return today, in_proportion(problem, weights(problem, today))

    return make


def _by_mean(problem: AllocationProblem, decisions: Decisions) -> Made:
    return decisions, by_mean(problem, decisions)


def _waterfall(problem: AllocationProblem) -> Made:
    today = problem.today_decisions()
    return today, by_priority(problem, today)


def _solved(problem: AllocationProblem) -> Made:
    """The programme's decisions with the exact split under the request's own rules."""
    made = planned(problem)
    return made.best.decisions, made.quotas


SIMPLE_RULES: dict[str, SimpleRule] = {
    "equal": SimpleRule("the same quota for everybody at full pace", _today(lambda problem, _: problem.ramp)),
    "history": SimpleRule("last sales x one factor", _today(lambda problem, _: history_weights(problem))),
    "potential": SimpleRule(
        "in proportion to potential", _today(lambda p, today: potentials(p, today.owner, today.shares))
    ),
    "fair_share": SimpleRule("half by last sales, half by potential", _today(fair_share_weights)),
    "waterfall": SimpleRule("filled by priority, largest expected sales first", _waterfall),
    "mean_clipped": SimpleRule(
        "by simulated mean clipped to the rules", lambda problem: _by_mean(problem, problem.today_decisions())
    ),
    "greedy_owners": SimpleRule(
        "greedy owners, quotas by simulated mean clipped to the rules",
        lambda problem: _by_mean(problem, greedy_owners(problem, problem.today_decisions())),
    ),
    "uniform_training": SimpleRule(
        "even training, quotas by simulated mean clipped to the rules",
        lambda problem: _by_mean(problem, even_training(problem)),
    ),
    "chain_training": SimpleRule(
        "training step by step where it gains most, quotas by simulated mean clipped to the rules",
        lambda problem: _by_mean(problem, chained_training(problem)),
    ),
    "strong": SimpleRule("quotas by simulated mean clipped to the rules, greedy owners, even training", strong),
    "two_stage": SimpleRule(
        "owners and training for sales, then quotas", lambda problem: _solved(replace(problem, two_stage=True))
    ),
    "utilitarian": SimpleRule("the programme without fairness rules", lambda problem: _solved(problem.with_rules(()))),
}
PARTS = "targets of parts of the horizon"
"""What a simple rule breaks whose quotas over the horizon leave no way to keep them."""
LEVELED = "floors and stretches"
"""What a simple rule breaks whose quotas leave those of the company, of teams or of locks no room."""
SOLVED = ("two_stage", "utilitarian")
"""The rules that take a solver."""
COMPARED = ("equal", "history", "potential", "fair_share", "strong")
"""What a plan is compared with where nothing else is asked for."""


def baselines(
    scenario: Scenario, responses: Responses, names: Iterable[str] = COMPARED, *, single_pass: bool = True
) -> dict[str, Plan]:
    """Plans by simple rules, by name; a plan's notes say which fairness rules it breaks.

    Args:
        names: of :data:`SIMPLE_RULES`.
        single_pass: see :func:`optimize.formulate.formulate`.

    Raises:
        InputRefused: a name that is no simple rule, or as :func:`optimize.formulate.formulate`.
        Unsupported: as :func:`optimize.formulate.formulate`.
        InfeasiblePlan: of ``two_stage`` alone: the request's own rules cannot hold together.
    """
    judged = judged_baselines(scenario, responses, names, single_pass=single_pass)
    return {name: found.plan for name, found in judged.items()}


def judged_baselines(
    scenario: Scenario,
    responses: Responses,
    names: Iterable[str] = tuple(SIMPLE_RULES),
    *,
    single_pass: bool = True,
) -> dict[str, Baseline]:
    """The same with the model's value of each, and that of its owners and training under the exact split.

    Raises:
        InputRefused, Unsupported, InfeasiblePlan: as :func:`baselines`.
    """
    wanted = known_rules(names)
    problem = formulate(scenario, responses, single_pass=single_pass)
    return {name: _judged(scenario, responses, problem, name) for name in wanted}


def known_rules(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once.

    Raises:
        InputRefused: one that is no simple rule.
    """
    wanted = (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))
    remedy = f"known: {', '.join(SIMPLE_RULES)}"
    refuse_if(
        Problem("baselines", str(name), "no such simple rule", remedy) for name in wanted if name not in SIMPLE_RULES
    )
    return wanted


def _judged(scenario: Scenario, responses: Responses, problem: AllocationProblem, name: str) -> Baseline:
    rule = SIMPLE_RULES[name]
    decisions, quotas = rule.make(problem)
    rows = broken(audit(problem, decisions, quotas.astype(np.float64)))
    breaks = {one: tuple(row.subject for row in rows if row.rule == one) for one in sorted({row.rule for row in rows})}
    tables, parted = _phased(responses, problem, decisions, quotas, solved=name in SOLVED)
    breaks |= {} if parted else {PARTS: ("company",)}
    levels = _levels(scenario, problem, responses, decisions, tables)
    breaks |= {LEVELED: ("company",)} if levels is None else {}
    notes = tuple(f"breaks {one} for {', '.join(subjects)}" for one, subjects in breaks.items())
    gain = gains(problem, decisions)
    plan = as_plan(
        scenario, responses, problem, decisions, quotas, name=name, origin=rule.origin, notes=notes, tables=tables
    )
    return Baseline(
        plan.with_rows(levels=levels or ()),
        attained(problem.samples, gain, quotas.astype(np.float64)),
        best_split_value(problem, decisions),
        float((problem.samples + gain).sum(axis=1).mean()),
        breaks,
    )


def _levels(
    scenario: Scenario, problem: AllocationProblem, responses: Responses, decisions: Decisions, tables: Tables
) -> tuple[LevelQuotaRow, ...] | None:
    """Floors and stretches around a rule's quotas as an allocated plan has them; None where these leave no room."""
    try:
        leveled = level_tables(scenario, problem, responses, decisions, tables)
    except (InfeasiblePlan, InputRefused):
        return None
    return tuple(level_plan_rows(level_quotas(problem, responses, leveled)))


def _phased(
    responses: Responses, problem: AllocationProblem, decisions: Decisions, quotas: Ints, *, solved: bool
) -> tuple[Tables, bool]:
    """Quotas by period, and whether they keep targets of parts of the horizon: a formula does not look at these."""
    try:
        return quota_tables(problem, responses, decisions, quotas), True
    except InfeasiblePlan:
        metrics = problem.metrics
        if solved or not metrics.revenue_windows:
            raise
        whole = replace(problem, metrics=replace(metrics, revenue_windows=()))
        return quota_tables(whole, responses, decisions, quotas), False


def best_split_value(problem: AllocationProblem, decisions: Decisions) -> float | None:
    """What the best quotas under the rules attain with these owners and training, before rounding; minor units.

    ``None`` where the rules leave these owners and training no quotas that sum to the totals.
    """
    exact = possible_quotas(problem, decisions)
    return None if exact is None else attained(problem.samples, gains(problem, decisions), exact)
