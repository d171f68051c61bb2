"""Where a plan's gain comes from: its parts switched on one after the other, each step paired with the last.

The order is documented and fixed: quotas, training, accounts (owners and care hours), lead shares. The steps sum
exactly to the whole difference. What two parts bring only together is counted with the later one.

A plan that came about in steps of its own (quotas only, then training, then accounts, then what the closed loop put
right) is taken apart along these instead, see :func:`decompose_along`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.compare import MEASURES, PROVEN_MEASURES, Comparison, compare_outcomes
from experiments.money import Language, headline_scale
from experiments.pairs import Difference, Kind, same_simulation
from experiments.runs import Runs, plan_of
from scenarios.errors import InputRefused, Problem
from scenarios.plan import Plan
from scenarios.scenario import Scenario

PARTS: dict[str, tuple[str, ...]] = {
    "quotas": ("targets",),
    "training": ("training",),
    "accounts": ("owners", "care"),
    "leads": ("shares",),
}
"""Part -> tables of the plan, in the order in which they are switched on."""

LABELS: dict[str, tuple[str, str]] = {
    "quotas": ("quotas", "指标调整"),
    "training": ("training", "培训"),
    "accounts": ("accounts", "客户归属"),
    "leads": ("lead shares", "线索分配"),
    "total": ("total", "合计"),
    "quotas only": ("quotas only", "仅调整指标"),
    "+ training": ("+ training", "+ 培训"),
    "+ accounts": ("+ accounts", "+ 客户归属"),
    "+ leads": ("+ lead shares", "+ 线索分配"),
    "one-shot": ("one pass of the programme", "单次求解"),
    "loop": ("loop correction", "闭环修正"),
}

_START = "start"


@dataclass(frozen=True)
class Step:
    """One part of the plan switched on, on top of those before it.

    Attributes:
        part: a key of :data:`PARTS`, the name of a plan on the way, or ``total``.
        sales: change of sales, minor units.
        hit_rate: change of the hit rate; ``None`` without quotas on both sides.
        attainment: change of average attainment; ``None`` without quotas on both sides.
        capped: change of capped attainment; ``None`` without quotas on both sides.
    """

    part: str
    sales: Difference
    hit_rate: Difference | None
    attainment: Difference | None
    capped: Difference | None = None


@dataclass(frozen=True)
class Decomposition:
    """The steps from one plan to another, and their total.

    Attributes:
        before: name of the plan that the path starts from.
        after: name of the plan that it ends at.
        steps: the parts that differ, in the order of :data:`PARTS`.
        total: from the first plan to the last at once; its estimate is the sum of the steps'.
    """

    before: str
    after: str
    steps: tuple[Step, ...]
    total: Step
    currency: str

    def summary(self, language: Language = "en") -> str:
        """``quotas: 0; training: +310k; accounts: +480k; total: +790k CNY``."""
        sales = [step.sales.interval.estimate for step in (*self.steps, self.total)]
        scale = headline_scale(int(max(abs(value) for value in sales)), language, self.currency)
        told = [
            f"{part_label(step.part, language)}: {scale.text(value, signed=True)}"
            for step, value in zip((*self.steps, self.total), sales, strict=True)
        ]
        unit = "" if language == "zh" else f" {self.currency}"
        return "; ".join(told) + unit

    def __str__(self) -> str:
        return self.summary()


def path_of_plans(before: Plan, after: Plan) -> dict[str, Plan]:
    """The plans on the way: part -> ``before`` with that part and all earlier ones taken from ``after``.

    Parts that do not differ are left out.
    """
    path: dict[str, Plan] = {}
    current = before
    for part, tables in PARTS.items():
        rows = {table: getattr(after, table) for table in tables}
        if any(getattr(current, table) != wanted for table, wanted in rows.items()):
            current = current.with_rows(name=part, origin="on the way", **rows)
            path[part] = current
    return path


def decompose(scenario: Scenario, before: Plan, after: Plan, runs: Runs, *, confidence: float = 0.95) -> Decomposition:
    """Simulate the path from one plan to another and pair each step with the one before.

    The steps and the total are one family: their intervals hold together.

    Args:
        runs: worlds already simulated in it are not run again.

    Raises:
        InputRefused: the simulator refuses one of the plans.
    """
    path = path_of_plans(before, after)
    return _along(scenario, before, path, runs, confidence, after.name, MEASURES)


def decompose_along(
    scenario: Scenario, before: Plan, path: Mapping[str, Plan], runs: Runs, *, confidence: float = 0.95
) -> Decomposition:
    """The same along given plans: each is paired with the one before it, the first with ``before``.

    Args:
        path: part -> plan, ending at the plan to be explained; not empty.

    Raises:
        InputRefused: an empty path, or the simulator refuses one of the plans.
    """
    if not path:
        rule = "at least one plan is needed on the way"
        raise InputRefused(Problem("path", "", rule, "give the plan itself"))
    return _along(scenario, before, path, runs, confidence, list(path.values())[-1].name, PROVEN_MEASURES)


def part_label(part: str, language: Language) -> str:
    """How pages call a part; a plan on the way that has no label of its own is called by its name."""
    return LABELS[part][language == "zh"] if part in LABELS else part


def _along(
    scenario: Scenario,
    before: Plan,
    path: Mapping[str, Plan],
    runs: Runs,
    confidence: float,
    after: str,
    measures: Mapping[str, Kind],
) -> Decomposition:
    worlds: dict[str, Scenario] = {_START: scenario.with_plan(before)}
    worlds |= {part: scenario.with_plan(plan) for part, plan in path.items()}
    for world in worlds.values():
        runs.expect(world, plan_of(world))
    outcomes = {name: runs.outcome(world) for name, world in worlds.items()}
    names = [_START, *path]
    pairs = {part: (part, names[at]) for at, part in enumerate(path)}
    pairs["total"] = (names[-1], _START)
    wanted = tuple(dict.fromkeys(pairs.values()))
    found = compare_outcomes(worlds, outcomes, pairs=wanted, confidence=confidence, measures=measures)
    *steps, total = (_step(part, found, case, against) for part, (case, against) in pairs.items())
    return Decomposition(before.name, after, tuple(steps), total, scenario.currency)


def _step(part: str, found: Comparison, case: str, against: str) -> Step:
    rows = {row.measure: row for row in found.differences if (row.case, row.against) == (case, against)}
    years = found.replications
    nothing = Difference(case, against, "sales", same_simulation(years, found.confidence), "equal")
    return Step(part, rows.get("sales", nothing), rows.get("hit_rate"), rows.get("attainment"), rows.get("capped"))
