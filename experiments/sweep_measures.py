"""What a sweep can report of a design point, each figure with the interval that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from experiments.measures import PlanMeasures
from sim.outcome import Outcome
from sim.statistics import Interval, mean_interval, ratio_of_means_interval

MONEY = "money"
SHARE = "share"
COUNT = "count"


@dataclass(frozen=True)
class SweepMeasure:
    """A figure of a design point.

    Attributes:
        unit: ``money`` (minor units inside, currency units in files), ``share`` or ``count``.
        of: from the plan's measures and the simulated years; ``None`` where the scenario lacks what it needs.
    """

    unit: str
    of: Callable[[PlanMeasures, Outcome], Interval | None]


def _company(metric: str) -> Callable[[PlanMeasures, Outcome], Interval | None]:
    def of(_: PlanMeasures, outcome: Outcome) -> Interval | None:
        cube = outcome["rep"]
        return mean_interval(cube.company(metric)) if metric in cube.metrics else None

    return of


def _workload(_: PlanMeasures, outcome: Outcome) -> Interval | None:
    busy, available = (outcome["rep"].company(metric) for metric in ("busy_ticks", "available_ticks"))
    return ratio_of_means_interval(busy, available) if available.any() else None


SWEEP_MEASURES: dict[str, SweepMeasure] = {
    "expected_sales": SweepMeasure(MONEY, lambda plan, _: plan.expected_sales),
    "sales_p10": SweepMeasure(MONEY, lambda plan, _: plan.year_range[0]),
    "sales_p90": SweepMeasure(MONEY, lambda plan, _: plan.year_range[1]),
    "attainment": SweepMeasure(SHARE, lambda plan, _: plan.attainment),
    "capped_attainment": SweepMeasure(SHARE, lambda plan, _: plan.capped_attainment),
    "hit_rate": SweepMeasure(SHARE, lambda plan, _: plan.hit_rate),
    "chance_of_target": SweepMeasure(SHARE, lambda plan, _: plan.chance_of_target),
    "workload": SweepMeasure(SHARE, _workload),
    "leads": SweepMeasure(COUNT, _company("leads")),
    "orders": SweepMeasure(COUNT, _company("orders")),
    "new_customers": SweepMeasure(COUNT, _company("new_customers")),
    "cash_collected": SweepMeasure(MONEY, _company("cash_collected")),
    "gross_margin": SweepMeasure(MONEY, _company("gross_margin")),
}
"""By the name that a sweep file uses."""

DEFAULT_MEASURES = ("expected_sales", "sales_p10", "sales_p90", "attainment", "hit_rate", "chance_of_target")
