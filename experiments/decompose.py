"""Where a plan's gain comes from: its parts switched on one after the other, each step paired with the last.

The order is documented and fixed: quotas, training, accounts (owners and care hours), lead shares. The steps sum
exactly to the whole difference. What two parts bring only together is counted with the later one.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.compare import Comparison, compare_outcomes
from experiments.money import Language, headline_scale
from experiments.pairs import Difference, same_simulation
from experiments.runs import Runs, plan_of
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
}


@dataclass(frozen=True)
class Step:
    """One part of the plan switched on, on top of those before it.

    Attributes:
        part: a key of :data:`PARTS`, or ``total``.
        sales: change of sales, minor units.
        hit_rate: change of the hit rate; ``None`` without quotas on both sides.
        attainment: change of average attainment; ``None`` without quotas on both sides.
    """

    part: str
    sales: Difference
    hit_rate: Difference | None
    attainment: Difference | None


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
            f"{LABELS[step.part][language == 'zh']}: {scale.text(value, signed=True)}"
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
    worlds: dict[str, Scenario] = {"start": scenario.with_plan(before)}
    worlds |= {part: scenario.with_plan(plan) for part, plan in path.items()}
    for world in worlds.values():
        runs.expect(world, plan_of(world))
    outcomes = {name: runs.outcome(world) for name, world in worlds.items()}
    names = ["start", *path]
    pairs = {part: (part, names[at]) for at, part in enumerate(path)}
    pairs["total"] = (names[-1], "start")
    wanted = tuple(dict.fromkeys(pairs.values()))
    found = compare_outcomes(worlds, outcomes, pairs=wanted, confidence=confidence)
    *steps, total = (_step(part, found, case, against) for part, (case, against) in pairs.items())
    return Decomposition(before.name, after.name, tuple(steps), total, scenario.currency)


def _step(part: str, found: Comparison, case: str, against: str) -> Step:
    rows = {row.measure: row for row in found.differences if (row.case, row.against) == (case, against)}
    years = found.replications
    nothing = Difference(case, against, "sales", same_simulation(years, found.confidence), "equal")
    return Step(part, rows.get("sales", nothing), rows.get("hit_rate"), rows.get("attainment"))
