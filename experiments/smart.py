"""Is every quota specific, measurable, attainable, ambitious and dated? Checked on simulated years of the plan itself.

Chances come from simulation: of an additive metric, how many years reach the quota; of a ratio, how many years' pairs
of sums reach the ratio of the two quotas, among the years in which there is anything to divide by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from experiments.words import word
from scenarios.goals import RATIO_METRICS, MinimumChance
from scenarios.plan import Plan, QuotaRow, is_money
from scenarios.scenario import Scenario
from scenarios.today import last_sales_under
from sim.outcome import Counts, Outcome
from sim.statistics import Interval, wilson
from sim.timetable import Timetable

DEFAULT_CHANCE = MinimumChance().chance
NEAR = 1e-12
PER_ORDER = "/order"
REACHES = ("attainable", "open", "out_of_reach", "unknown")
"""What :attr:`Smart.reach` can say, in the order in which it is told."""


@dataclass(frozen=True)
class Smart:
    """One quota of one rep over all its periods.

    Attributes:
        unit: a currency, ``count``, ``share`` or ``CNY/order``.
        first, end: the period, half-open.
        value: minor units, a count, or a ratio (average order value in minor units).
        chance: to reach it, with its Wilson interval; None where no year has anything to measure.
        last: what the rep's territory as the plan cuts it brought in the period before, where the scenario knows it.
        least_chance: at which a quota counts as attainable: that of the scenario's rule, else 35 %.
    """

    rep: str
    name: str
    team: str
    metric: str
    unit: str
    first: date
    end: date
    value: float
    chance: Interval | None
    last: int | None
    least_chance: float

    @property
    def growth(self) -> float | None:
        """Quota over the territory's last period, less 1: what limits on growth are measured by, too."""
        return self.value / self.last - 1 if self.last else None

    @property
    def reach(self) -> str:
        """``attainable`` or ``out_of_reach`` by the interval, ``open`` between; ``unknown`` without a chance."""
        if self.chance is None:
            return "unknown"
        if self.chance.low >= self.least_chance:
            return "attainable"
        return "out_of_reach" if self.chance.high < self.least_chance else "open"

    @property
    def stretch(self) -> str:
        """The quota against the rep's own history."""
        growth = self.growth
        if growth is None:
            return "no_history"
        return "at_history" if growth == 0 else "above_history" if growth > 0 else "below_history"

    def told(self, language: str) -> dict[str, str]:
        """The checks in words, by letter: specific and measurable, attainable, relevant to history, time-bound."""
        unit = self.unit
        if unit in ("count", "share"):
            unit = word(f"smart.{unit}", language)
        elif unit.endswith(PER_ORDER):
            unit = word("smart.per_order", language, currency=unit.removesuffix(PER_ORDER))
        last = (self.end - timedelta(days=1)).isoformat()
        fields: dict[str, object] = {"limit": _percent(self.least_chance)}
        if self.chance is not None:
            fields |= {"chance": _percent(self.chance.estimate), "years": self.chance.n}
            fields |= {"low": _percent(self.chance.low), "high": _percent(self.chance.high)}
        metric = word(f"metric.{self.metric}", language)
        growth = _percent(abs(self.growth or 0.0))
        return {
            "measurable": word("smart.measurable", language, metric=metric, unit=unit),
            "attainable": word(f"smart.{self.reach}", language, **fields),
            "stretch": word(f"smart.{self.stretch}", language, growth=growth),
            "dated": word("smart.dated", language, first=self.first.isoformat(), last=last),
        }


def smart_quotas(scenario: Scenario, plan: Plan, outcome: Outcome) -> tuple[Smart, ...]:
    """Every quota of the plan, metric by metric, and every ratio that has a target.

    Args:
        outcome: simulated years of this plan, which it was not made from.
    """
    reader = _Reader(scenario, plan, outcome)
    asked = {target.metric for target in scenario.goals.targets}
    ratios = [ratio for ratio in RATIO_METRICS if ratio in asked]
    return (*reader.additive(), *(row for ratio in ratios for row in reader.of_ratio(ratio)))


def phase_chances(scenario: Scenario, plan: Plan, outcome: Outcome) -> dict[QuotaRow, Interval]:
    """Chance to reach each row of the plan within its own period, where the period is one of the outcome's."""
    reader = _Reader(scenario, plan, outcome)
    found = {}
    for row in plan.targets:
        chance = reader.chance(row.metric, row.rep, row.start, row.end, row.value)
        if chance is not None:
            found[row] = chance
    return found


class _Reader:
    """A plan's quotas beside the simulated years."""

    def __init__(self, scenario: Scenario, plan: Plan, outcome: Outcome) -> None:
        self._scenario, self._cube = scenario, outcome["rep"]
        self._people = {rep.id: rep for rep in scenario.reps}
        self._last = last_sales_under(scenario, plan)
        self._columns = {rep: column for column, rep in enumerate(self._cube.keys)}
        laid = Timetable(scenario.calendar).periods()
        self._firsts, self._ends = list(laid.firsts), list(laid.ends(scenario.calendar))
        self._rows: dict[tuple[str, str], list[QuotaRow]] = {}
        for row in plan.targets:
            self._rows.setdefault((row.metric, row.rep), []).append(row)

    def additive(self) -> Iterator[Smart]:
        """All quotas of additive metrics."""
        for metric, rep in sorted(self._rows):
            first, end = self._span(metric, rep)
            value = self._within(metric, rep, first, end)
            unit = self._scenario.currency if is_money(metric) else "count"
            yield self._smart(rep, metric, unit, first, end, value, self.chance(metric, rep, first, end, value))

    def of_ratio(self, ratio: str) -> Iterator[Smart]:
        """The ratio of two quotas of each rep who has both."""
        numerator, denominator = RATIO_METRICS[ratio]
        unit = "share" if is_money(denominator) else f"{self._scenario.currency}{PER_ORDER}"
        for metric, rep in sorted(self._rows):
            if metric != numerator or (denominator, rep) not in self._rows:
                continue
            (a, b), (c, d) = self._span(numerator, rep), self._span(denominator, rep)
            first, end = max(a, c), min(b, d)
            below = self._within(denominator, rep, first, end)
            if below > 0:
                value = self._within(numerator, rep, first, end) / below
                pair = [self._samples(name, rep, first, end) for name in (numerator, denominator)]
                yield self._smart(rep, ratio, unit, first, end, value, _pair_chance(pair[0], pair[1], value))

    def chance(self, metric: str, rep: str, first: date, end: date, value: float) -> Interval | None:
        """Share of the years in which a rep reaches a value in a period; None where the years do not tell."""
        samples = self._samples(metric, rep, first, end)
        return None if samples is None else wilson(int((samples >= value).sum()), len(samples))

    def _smart(
        self, rep: str, metric: str, unit: str, first: date, end: date, value: float, chance: Interval | None
    ) -> Smart:
        who, calendar = self._people[rep], self._scenario.calendar
        whole = metric == "revenue" and (first, end) == (calendar.start, calendar.end)
        last = self._last[rep] if whole else None
        rule = self._scenario.allocation.enabled(MinimumChance)
        least = DEFAULT_CHANCE if rule is None else rule.chance
        return Smart(rep, who.name or rep, who.team, metric, unit, first, end, value, chance, last, least)

    def _span(self, metric: str, rep: str) -> tuple[date, date]:
        rows = self._rows[metric, rep]
        return min(row.start for row in rows), max(row.end for row in rows)

    def _within(self, metric: str, rep: str, first: date, end: date) -> int:
        return sum(row.value for row in self._rows[metric, rep] if first <= row.start and row.end <= end)

    def _samples(self, metric: str, rep: str, first: date, end: date) -> Counts | None:
        """What a rep reached of a metric by simulated year; None where a period is cut, or nothing is known of it."""
        if metric not in self._cube.metrics or rep not in self._columns:
            return None
        if len(self._cube.periods) != len(self._firsts):
            whole = (first, end) == (self._firsts[0], self._ends[-1])
            span = slice(None) if whole else None
        else:
            known = first in self._firsts and end in self._ends
            span = slice(self._firsts.index(first), self._ends.index(end) + 1) if known else None
        if span is None:
            return None
        found: Counts = self._cube.by_period(metric)[:, self._columns[rep], span].sum(axis=1)
        return found


def _pair_chance(above: Counts | None, below: Counts | None, value: float) -> Interval | None:
    """Share of the years with a denominator in which the pair of sums reaches the ratio."""
    if above is None or below is None or not (below > 0).any():
        return None
    some = below > 0
    hit = above[some] / below[some] >= value * (1 - NEAR)
    return wilson(int(hit.sum()), int(some.sum()))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
