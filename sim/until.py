"""Run until figures are known as precisely as wanted.

The rule: simulate a first look, then plan from its spread how many replications reach every target, simulate the
rest, look again, and so on until all targets are met or the stated maximum is reached (Law 2015, section 9.4.1, the
sequential procedure, with planned looks instead of one a replication). Replications are numbered, so the result is
that of one run of the final size, to the byte.

What it costs: a run stops when its spread *looks* small enough, so the interval is a little too narrow. With the least
first look allowed, a nominal 95 % covered 93 to 95 % of the time for nearly symmetric figures, such as sums over many
deals, and 91 to 94 % for one as skewed as a single exponential time; a longer first look mends both. Whoever needs
the nominal level to the letter plans with this and then runs that number under another seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, inf, isfinite, sqrt
from typing import Final, get_args

import numpy as np

from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.goals import Metric
from scenarios.scenario import Scenario, require_world
from scenarios.today import company_target
from sim.interval import Interval, student_quantile
from sim.kpis import Level, kpis
from sim.outcome import Outcome, joined
from sim.run import Engine, Progress, simulate
from sim.statistics import wilson

FIRST_LOOK: Final = 30
"""Fewest replications of the first look: the spread from fewer is known so badly that runs stop by luck."""
MOST: Final = 10_000
CHANCE: Final = "chance_of_target"
"""The share of simulated horizons in which the company makes its revenue target."""
MOST_NAMES: Final = 20
"""Of keys in a message."""
_LEAST_STEP = 0.1
_REVENUE: Final[Metric] = "revenue"


@dataclass(frozen=True)
class Goal:
    """A half-width wanted for one figure.

    Attributes:
        name: as it was given, ``KPI`` of the company or ``LEVEL:KEY:KPI``.
        level: ``company``, ``team``, ``rep``, ``stage``, ...
        key: whose figure it is.
        kpi: a figure of :mod:`sim.kpis`, or ``chance_of_target`` of the company.
        half_width: a share of the estimate if relative, else in the figure's unit (money in currency units).
    """

    name: str
    level: Level
    key: str
    kpi: str
    half_width: float
    relative: bool

    def wanted(self, estimate: float) -> float:
        """The half-width wanted at this estimate."""
        return self.half_width * abs(estimate) if self.relative else self.half_width


@dataclass(frozen=True)
class Reached:
    """One goal after the last look; money in currency units.

    Attributes:
        wanted: half-width wanted.
        half_width: half-width reached; infinite where there is no interval.
    """

    goal: Goal
    estimate: float
    wanted: float
    half_width: float

    @property
    def met(self) -> bool:
        """Whether the figure is known as precisely as wanted."""
        return self.half_width <= self.wanted


@dataclass(frozen=True)
class Until:
    """A run whose length followed from its own spread.

    Attributes:
        outcome: all replications, equal to one run of that many.
        reached: one row a goal.
        looks: replications at each look, the last one included.
    """

    outcome: Outcome = field(repr=False)
    reached: tuple[Reached, ...]
    looks: tuple[int, ...]

    @property
    def met(self) -> bool:
        """Whether every goal was met; otherwise the run ended at its maximum."""
        return all(row.met for row in self.reached)


def simulate_until(
    scenario: Scenario,
    goals: Mapping[str, str | float],
    *,
    at_least: int = FIRST_LOOK,
    at_most: int = MOST,
    first: int = 0,
    seed: int | None = None,
    engine: Engine = "auto",
    workers: int = 1,
    progress: Progress | None = None,
) -> Until:
    """Simulate until the 95 % intervals of the figures named are as narrow as wanted; see the module for the rule.

    Args:
        goals: ``KPI`` of the company or ``LEVEL:KEY:KPI`` -> half-width: ``"1%"`` of the estimate, or an absolute one
            in the figure's unit, money in currency units.
        at_least: replications of the first look, 30 or more.
        at_most: where to stop whether the goals are met or not.
        first: number of the first replication.
        seed, engine, workers, progress: as for :func:`sim.run.simulate`; the total that progress is told rises from
            look to look.

    Raises:
        InputRefused: a goal that names no figure or no width, sizes out of order, or what simulating refuses.
    """
    require_world(scenario)
    asked = tuple(read_goal(name, width) for name, width in goals.items())
    _check(scenario, asked, at_least, at_most)
    _check_names(scenario, asked, simulate(scenario, replications=1, first=first, seed=seed, engine=engine))
    parts: list[Outcome] = []
    looks: list[int] = []
    total: int | None = at_least
    while total is not None:
        done = looks[-1] if looks else 0
        parts.append(
            simulate(
                scenario,
                replications=total - done,
                first=first + done,
                seed=seed,
                engine=engine,
                workers=workers,
                progress=_shifted(progress, done, total),
            )
        )
        looks.append(total)
        outcome = joined(parts)
        parts = [outcome]
        reached = tuple(reach(goal, outcome, scenario) for goal in asked)
        total = next_look(total, at_most, [(row.half_width, row.wanted) for row in reached])
    return Until(outcome, reached, tuple(looks))


def next_look(done: int, at_most: int, widths: list[tuple[float, float]]) -> int | None:
    """Replications in all at the next look; ``None`` when it is time to stop.

    Student's half-width at n is t(n - 1) s / sqrt(n). The next look is the least n at which it meets every target if
    the spread s stays what it was, at least a tenth more than now, and never above the maximum.

    Args:
        done: replications of this look, 2 or more.
        at_most: the maximum.
        widths: half-width reached and wanted, one pair a goal.
    """
    if done >= at_most or all(reached <= wanted for reached, wanted in widths):
        return None

    def enough(total: int) -> bool:
        shrink = student_quantile(0.95, total - 1) / student_quantile(0.95, done - 1) * sqrt(done / total)
        return all(reached * shrink <= wanted for reached, wanted in widths)

    low, high = done + ceil(_LEAST_STEP * done) - 1, at_most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def reach(goal: Goal, outcome: Outcome, scenario: Scenario) -> Reached:
    """How precisely an outcome knows a figure.

    Raises:
        InputRefused: a ratio whose denominator is zero in every replication.
    """
    interval = _chance(outcome, scenario) if goal.kpi == CHANCE else _kpi(goal, outcome, scenario)
    half_width = interval.half_width if isfinite(interval.half_width) else inf
    return Reached(goal, interval.estimate, goal.wanted(interval.estimate), half_width)


def read_goal(name: str, width: str | float) -> Goal:
    """A goal from its name and its width.

    Raises:
        InputRefused: no such level, or a width that is not positive and finite.
    """
    parts = name.split(":")
    level, key, kpi = (parts[0], ":".join(parts[1:-1]), parts[-1]) if len(parts) > 2 else ("company", "company", name)
    relative = isinstance(width, str) and width.strip().endswith("%")
    try:
        size = float(width.strip().removesuffix("%")) if isinstance(width, str) else float(width)
    except ValueError:
        size = 0.0
    problems = []
    if level not in get_args(Level):
        known = ", ".join(get_args(Level))
        problems.append(Problem("until", name, "no such level", f"write KPI or LEVEL:KEY:KPI; levels: {known}"))
    if not 0 < size < inf:
        rule = "a half-width must be positive"
        problems.append(Problem(f"until {name}", str(width), rule, "write 1% of the estimate, or 0.01 in its unit"))
    refuse_if(problems)
    checked: Level = next(known for known in get_args(Level) if known == level)
    return Goal(name, checked, key, kpi, size / 100 if relative else size, relative)


def _chance(outcome: Outcome, scenario: Scenario) -> Interval:
    made = outcome["rep"].company(_REVENUE) >= company_target(scenario)
    return wilson(int(np.count_nonzero(made)), len(made))


def _kpi(goal: Goal, outcome: Outcome, scenario: Scenario) -> Interval:
    """The interval that tables show, money in currency units."""
    table = kpis(outcome, scenario, goal.level)
    rows = table[(table["key"] == goal.key) & (table["kpi"] == goal.kpi)]
    if rows.empty:
        rule = f"has no estimate in {outcome.replications} replications"
        raise InputRefused(Problem("until", goal.name, rule, "choose a figure that happens more often"))
    row = rows.iloc[0]
    unit = 100.0 if str(row["unit"]).startswith("minor") else 1.0
    estimate, low, high = (float(row[column]) / unit for column in ("estimate", "low", "high"))
    return Interval(estimate, low, high, 0.95, outcome.replications, "as in the table of figures")


def _check(scenario: Scenario, goals: tuple[Goal, ...], at_least: int, at_most: int) -> None:
    problems = [] if goals else [Problem("until", "", "needs at least one figure", "write revenue=1%")]
    for name, value, least, why in (
        ("at_least", at_least, FIRST_LOOK, "a smaller first look does not know the spread"),
        ("at_most", at_most, at_least, "the maximum cannot be below the first look"),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            problems.append(Problem(name, str(value), f"must be a whole number of at least {least}", why))
    for goal in goals:
        if goal.kpi == CHANCE and goal.level != "company":
            problems.append(Problem("until", goal.name, "only the company has this chance", f"write {CHANCE}"))
    refuse_if(problems)
    if any(goal.kpi == CHANCE for goal in goals):
        company_target(scenario)


def _check_names(scenario: Scenario, goals: tuple[Goal, ...], one: Outcome) -> None:
    """Refuse what names no figure before much is simulated, not after the first look."""
    # Where everything happened once, every ratio has its denominator, so the table holds every figure there is.
    cubes = {kind: replace(cube, values=np.ones_like(cube.values)) for kind, cube in one.cubes.items()}
    problems = []
    for goal in goals:
        if goal.kpi == CHANCE:
            continue
        table = kpis(replace(one, cubes=cubes), scenario, goal.level)
        keys, names = (list(dict.fromkeys(table[column])) for column in ("key", "kpi"))
        if goal.key not in keys or goal.kpi not in names:
            shown = ", ".join(keys[:MOST_NAMES]) + (", ..." if len(keys) > MOST_NAMES else "")
            remedy = f"keys of this level: {shown}; figures: {', '.join(names)}"
            problems.append(Problem("until", goal.name, "is no figure of this level", remedy))
    refuse_if(problems)


def _shifted(progress: Progress | None, before: int, total: int) -> Progress | None:
    return None if progress is None else lambda done, _: progress(before + done, total)
