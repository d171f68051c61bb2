"""What-ifs with their price: what a change of the world brings, what it costs, and whose hours it takes.

Costs are read off the two worlds, never guessed: people by the days they are employed, leads by the leads that came,
training by the hours planned. Sales are signed value, paired year by year on common random numbers. A payback needs the
gross margin of what is sold; where the products do not give it, no payback is stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import accumulate

import numpy as np

from experiments.pairs import Word, difference
from experiments.runs import Runs, plan_of
from scenarios.people import Rep
from scenarios.scenario import Scenario
from scenarios.ticks import HOUR
from sim.outcome import Outcome
from sim.statistics import Interval, mean_interval

MONTHS_A_YEAR = 12
LONGEST_PAYBACK_MONTHS = 120


@dataclass(frozen=True)
class CostItem:
    """One cost of the change over the horizon.

    Attributes:
        what: ``people``, ``leads`` or ``training``.
        minor: minor units; negative where the change saves.
        basis: how it was counted, in words.
    """

    what: str
    minor: int
    basis: str


@dataclass(frozen=True)
class WhatIf:
    """One answered question.

    Attributes:
        sales: extra sales over the horizon, minor units, paired.
        word: how sure the extra sales are.
        margin: extra gross margin over the horizon, minor units; ``None`` where products give no margin.
        costs: what the change costs over the horizon, item by item.
        cost_per_year: of a full year, minor units: the horizon's cost except that added people count whole years.
        start: first day of the first added rep; ``None`` without one, or when it is there from the beginning.
        ramp: pace by month of the added rep.
        sales_next_year: extra sales of a settled year (the new rep at full pace all year), minor units.
        hours_by_stage: extra working hours a year, by stage (all reps together).
        hours_by_rep: extra working hours a year, by rep; reps that exist on one side only count whole.
        payback_months: months from the start of the cost until the extra gross margin has paid it; ``None`` where it
            does not within ten years, or margins are unknown.
    """

    name: str
    sales: Interval
    word: Word
    margin: Interval | None
    costs: tuple[CostItem, ...]
    cost_per_year: int
    start: date | None
    ramp: tuple[float, ...]
    sales_next_year: Interval | None
    hours_by_stage: Mapping[str, float]
    hours_by_rep: Mapping[str, float]
    payback_months: float | None

    @property
    def full_cost(self) -> int:
        """All costs over the horizon, minor units."""
        return sum(item.minor for item in self.costs)

    @property
    def hours(self) -> float:
        """Extra working hours over the horizon, all reps together."""
        return sum(self.hours_by_rep.values())

    @property
    def whose(self) -> tuple[str, ...]:
        """Reps who work more, most first; those with less than an hour more are left out."""
        more = {rep: hours for rep, hours in self.hours_by_rep.items() if hours >= 1}
        return tuple(sorted(more, key=lambda rep: (-more[rep], rep)))


def what_if(
    name: str,
    before: Scenario,
    after: Scenario,
    runs: Runs,
    *,
    settled: Scenario | None = None,
) -> WhatIf:
    """Simulate both worlds on the same random numbers and price the change.

    Args:
        settled: the world after the change with nobody ramping (see :func:`settled_world`), for next year's sales;
            default made from ``after`` where it adds a rep.

    Raises:
        InputRefused: the simulator refuses one of the worlds.
    """
    added = added_reps(before, after)
    steady = settled_world(after, added) if settled is None and added else settled
    worlds = [before, after, *([steady] if steady is not None else [])]
    for world in worlds:
        runs.expect(world, plan_of(world))
    results = [runs.outcome(world) for world in worlds]
    return what_if_of(name, before, after, results[0], results[1], results[2] if steady is not None else None)


def what_if_of(
    name: str,
    before: Scenario,
    after: Scenario,
    old: Outcome,
    new: Outcome,
    steady: Outcome | None = None,
) -> WhatIf:
    """Price a change that was already simulated; the outcomes share seed and replications.

    Raises:
        InputRefused: the outcomes have different numbers of replications.
    """
    sales, word = difference(_company(new, "revenue"), _company(old, "revenue"), "amount", 0.95, 1)
    added = added_reps(before, after)
    starts = sorted(rep.hired for rep in added if rep.hired is not None and rep.hired > after.calendar.start)
    costs = _costs(before, after, old, new)
    margin = _margin(before, after, old, new)
    settled = None
    if steady is not None:
        settled = mean_interval(_company(steady, "revenue") - _company(old, "revenue"))
    yearly = cost_per_year(before, after, costs)
    return WhatIf(
        name=name,
        sales=sales,
        word=word,
        margin=margin,
        costs=costs,
        cost_per_year=yearly,
        start=starts[0] if starts else None,
        ramp=after.skills.ramp.pace_by_month if added else (),
        sales_next_year=settled,
        hours_by_stage=_extra_hours(old, new, "stage"),
        hours_by_rep=_extra_hours(old, new, "rep"),
        payback_months=None if margin is None else _payback(after, old, new, steady, costs, yearly, starts),
    )


def added_reps(before: Scenario, after: Scenario) -> tuple[Rep, ...]:
    """Reps of the second world that the first does not know."""
    known = {rep.id for rep in before.reps}
    return tuple(rep for rep in after.reps if rep.id not in known)


def settled_world(after: Scenario, added: Sequence[Rep]) -> Scenario:
    """The same world with the added reps employed since long before the start, so that nobody of them ramps."""
    new = {rep.id for rep in added}
    reps = tuple(rep.model_copy(update={"hired": None}) if rep.id in new else rep for rep in after.reps)
    return after.model_copy(update={"reps": reps})


def cost_of_people(scenario: Scenario, rep: Rep) -> int:
    """What one rep costs over the horizon: cost a year x days employed / 365, rounded to the minor unit."""
    calendar = scenario.calendar
    first = max(rep.hired or calendar.start, calendar.start)
    end = min(rep.leaves or calendar.end, calendar.end)
    return round(Fraction(_yearly_cost(scenario, rep) * max((end - first).days, 0), 365))


def cost_per_year(before: Scenario, after: Scenario, costs: Sequence[CostItem]) -> int:
    """The costs of a full year: people whole years, everything else scaled from the horizon to 365 days."""
    days = (after.calendar.end - after.calendar.start).days
    people = sum(_yearly_cost(after, rep) for rep in after.reps) - sum(_yearly_cost(before, rep) for rep in before.reps)
    rest = sum(item.minor for item in costs if item.what != "people")
    return people + round(Fraction(rest * 365, days))


def _costs(before: Scenario, after: Scenario, old: Outcome, new: Outcome) -> tuple[CostItem, ...]:
    people = sum(cost_of_people(after, rep) for rep in after.reps)
    people -= sum(cost_of_people(before, rep) for rep in before.reps)
    leads = round(float(_cost_of_leads(after, new) - _cost_of_leads(before, old)))
    training = _cost_of_training(after) - _cost_of_training(before)
    items = (
        CostItem("people", people, "full cost a year x days employed"),
        CostItem("leads", leads, "simulated leads x cost a lead"),
        CostItem("training", training, "planned hours x cost an hour"),
    )
    return tuple(item for item in items if item.minor != 0)


def _cost_of_leads(scenario: Scenario, outcome: Outcome) -> float:
    cube = outcome["source"]
    came = dict(zip(cube.keys, cube.total("leads").mean(axis=0), strict=True))
    return float(sum(came.get(source.id, 0.0) * source.cost_per_lead for source in scenario.sources))


def _cost_of_training(scenario: Scenario) -> int:
    hours = sum(Fraction(str(row.hours)) for row in plan_of(scenario).training)
    return round(hours * scenario.skills.training.cost_per_hour)


def _yearly_cost(scenario: Scenario, rep: Rep) -> int:
    if rep.cost_per_year is not None:
        return int(rep.cost_per_year)
    return next((int(level.cost_per_year) for level in scenario.skills.levels if level.id == rep.level), 0)


def _margin(before: Scenario, after: Scenario, old: Outcome, new: Outcome) -> Interval | None:
    """Paired extra gross margin; ``None`` unless every product of both worlds states its margin."""
    products = (*before.products, *after.products)
    if not products or any(product.gross_margin is None for product in products):
        return None
    interval, _ = difference(_company(new, "gross_margin"), _company(old, "gross_margin"), "amount", 0.95, 1)
    return interval


def _extra_hours(old: Outcome, new: Outcome, kind: str) -> dict[str, float]:
    hours: dict[str, float] = {}
    for outcome, sign in ((old, -1), (new, 1)):
        cube = outcome[kind]
        for key, ticks in zip(cube.keys, cube.total("busy_ticks").mean(axis=0), strict=True):
            hours[key] = hours.get(key, 0.0) + sign * float(ticks) / HOUR
    return hours


def _payback(
    after: Scenario,
    old: Outcome,
    new: Outcome,
    steady: Outcome | None,
    costs: Sequence[CostItem],
    yearly: int,
    starts: Sequence[date],
) -> float | None:
    """Months from the first cost until the running sum of extra margin covers the running sum of cost.

    Within the horizon at the first end of a reporting period at which it does (periods taken as equally long, the cost
    as spread evenly from its start); beyond it at the pace of the settled year (where there is none, of the horizon).
    """
    calendar = after.calendar
    days = (calendar.end - calendar.start).days
    start = starts[0] if starts else calendar.start
    idle = (start - calendar.start).days
    months = (days - idle) * MONTHS_A_YEAR / 365
    total = float(sum(item.minor for item in costs))
    if total <= 0 or months <= 0:
        return None
    gained = _by_period(new, "gross_margin") - _by_period(old, "gross_margin")
    edges = np.linspace(0, days, len(gained) + 1)[1:]
    active = np.clip((edges - idle) / (days - idle), 0, 1)
    running = list(accumulate(gained.tolist()))
    for share, sum_of_margin in zip(active.tolist(), running, strict=True):
        if share > 0 and sum_of_margin >= total * share:
            return float(share * months)
    steady_margin = _company(steady or new, "gross_margin").mean() - _company(old, "gross_margin").mean()
    monthly = (steady_margin * 365 / days - yearly) / MONTHS_A_YEAR
    if monthly <= 0:
        return None
    further = months + (total - running[-1]) / monthly
    return float(further) if further <= LONGEST_PAYBACK_MONTHS else None


def _by_period(outcome: Outcome, metric: str) -> np.ndarray:
    mean: np.ndarray = outcome["rep"].by_period(metric).sum(axis=1).mean(axis=0)
    return mean


def _company(outcome: Outcome, metric: str) -> np.ndarray:
    out: np.ndarray = outcome["rep"].company(metric).astype(np.float64)
    return out
