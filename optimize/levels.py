"""Three levels of every quota, floor, target and stretch, from the company down to each rep and period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from optimize.asked import Asked, asked, figure, quota_total, ratio_figure
from optimize.metrics import Bools, Floats, Ints, Window
from optimize.phasing import Period
from optimize.problem import AllocationProblem, Decisions, gains
from optimize.quota_tables import QuotaTable, Tables, carriers_with, phased
from optimize.ratio_levels import capped_shares, numerators
from optimize.read_targets import window_of
from optimize.response.estimate import Responses
from optimize.whole_split import Split, split_whole
from scenarios.goals import LEVELS, RATIO_METRICS, Level
from scenarios.scenario import Scenario

LevelTables = Mapping[tuple[str, Level], QuotaTable]


@dataclass(frozen=True)
class LevelRow:
    """One level of one metric for the company, a team or a rep; minor units, counts or ratios.

    Attributes:
        asked: what the scenario's target says, over-assignment left out; None where it says nothing of this subject.
        quota: what quotas come to from the top down; of a ratio, the ratio of sums.
    """

    metric: str
    level: Level
    scope: str
    subject: str
    asked: float | None
    quota: float


@dataclass(frozen=True)
class LevelQuota:
    """A rep's quota of one metric at one level within ``[start, end)``, minor units or a count."""

    rep: str
    metric: str
    level: Level
    start: date
    end: date
    value: int


def level_quotas(problem: AllocationProblem, responses: Responses, tables: LevelTables) -> Iterator[LevelQuota]:
    """All quotas by rep, metric, level and period; where there is none, there is no row."""
    for (name, level), table in tables.items():
        for r, p in zip(*np.nonzero(table.kept), strict=True):
            period = responses.periods[p]
            yield LevelQuota(problem.reps[r], name, level, period.first, period.end, int(table.cells[r, p]))


def level_tables(
    scenario: Scenario, problem: AllocationProblem, responses: Responses, decisions: Decisions, tables: Tables
) -> LevelTables:
    """Tables of all levels of additive metrics that the scenario gives, targets among them.

    Floors lie below each rep's quota and below it in every period, stretches above them, everybody's as far from it in
    odds (:func:`optimize.level_split.levels_in_groups`). Both carry the over-assignment.

    Raises:
        InfeasiblePlan: floors or stretches of company and teams, or of parts of the horizon, that do not fit each other
            or the targets.
        InputRefused: locked ones that do not fit the quotas.
    """
    found = asked(scenario, responses.periods)
    out: dict[tuple[str, Level], QuotaTable] = {(name, "target"): table for name, table in tables.items()}
    for name, table in tables.items():
        for level in ("floor", "stretch"):
            made = _level(scenario, problem, responses, decisions, found, table, level)
            if made is not None:
                out[name, level] = made
    return out


def _level(
    scenario: Scenario,
    problem: AllocationProblem,
    responses: Responses,
    decisions: Decisions,
    found: Mapping[tuple[str, str | None], Asked],
    table: QuotaTable,
    level: Level,
) -> QuotaTable | None:
    name = table.metric
    company = _figure(scenario, found.get((name, None)), name, level)
    teams = {
        team: value
        for (metric, team), entry in found.items()
        if metric == name and team is not None and (value := _figure(scenario, entry, name, level)) is not None
    }
    if company is None and not teams:
        return None
    carriers = table.carried
    if company is None:
        carriers = carriers & np.array([team in teams for team in problem.teams])
    of = next((metric for metric in problem.metrics.others if metric.name == name), None)
    samples = problem.basis if of is None else of.samples
    gain = gains(problem, decisions, None if of is None else of.rates)
    step = problem.rounding_step if of is None else of.step
    season = _shape(responses, problem, table)
    locked, _ = problem.locks.of(name, level).settled(table.kept & carriers[:, None])
    # What is locked in some periods is no room for the others, or room that they need not fill.
    beside = np.where(locked.mask(table.cells.shape), locked.fixed(table.cells.shape), table.cells).sum(axis=1)
    none, open_end = np.zeros(len(beside)), np.full(len(beside), np.inf)
    low, high = (none, beside) if level == "floor" else (beside, open_end)
    carriers = carriers_with(carriers, locked, table.kept)
    request = Split(
        name,
        samples,
        gain,
        carriers,
        company,
        teams,
        step,
        low,
        high,
        strict=True,
        level=level,
        around=table.quotas,
        locked=locked,
    )
    split, beaten = split_whole(problem, request)
    windows = tuple(_windows(scenario, found, name, level, responses.periods))
    cells, overruled = phased(split, season, step, problem.teams, windows, locked, level, table.cells)
    kept = (table.kept & carriers[:, None]) | (cells > 0) | locked.mask(cells.shape)
    return QuotaTable(name, split, cells, kept, (*beaten, *overruled))


def _figure(scenario: Scenario, entry: Asked | None, metric: str, level: Level) -> int | None:
    value = None if entry is None else entry.level(level)
    return None if value is None else quota_total(scenario, figure(metric, value))


def _windows(
    scenario: Scenario,
    found: Mapping[tuple[str, str | None], Asked],
    metric: str,
    level: Level,
    every: Sequence[Period],
) -> Iterator[Window]:
    for (name, _), entry in found.items():
        for target, periods in entry.parts if name == metric else ():
            value = getattr(target, level)
            if value is not None:
                yield window_of(scenario, every, target, periods, quota_total(scenario, figure(metric, value)), level)


def _shape(responses: Responses, problem: AllocationProblem, table: QuotaTable) -> Floats:
    """Share of each period: the season, or what parts of the horizon have made of it, [R, P]."""
    metrics = problem.metrics
    of = next((metric for metric in metrics.others if metric.name == table.metric), None)
    windows = metrics.revenue_windows if of is None else of.windows
    season = np.where(table.kept, responses.season if of is None else of.season, 0.0)
    if windows or metrics.ratio_of(table.metric) is not None:
        cut = table.cells / np.maximum(table.quotas, 1)[:, None]
        return np.where((table.quotas > 0)[:, None], cut, season)
    return season


def level_rows(
    scenario: Scenario, problem: AllocationProblem, responses: Responses, tables: LevelTables
) -> list[LevelRow]:
    """Every level of every metric with a target for the company, each team and each rep, ratios among them."""
    found = asked(scenario, responses.periods)
    rows: list[LevelRow] = []
    for (name, level), table in tables.items():
        rows += _rows(problem, found, name, level, table.quotas.astype(np.float64), None, table.carried)
    for ratio in problem.metrics.ratios:
        above, below = tables[ratio.numerator, "target"], tables[ratio.denominator, "target"]
        for level in LEVELS:
            values = numerators(problem, found, ratio, level, above.quotas, below.quotas)
            some = above.carried & ~np.isnan(values)
            if some.any():
                values, under = np.where(some, values, 0.0), np.where(some, below.quotas, 0)
                rows += _rows(problem, found, ratio.name, level, values, under, some)
    return rows


def levels_told(
    scenario: Scenario, problem: AllocationProblem, responses: Responses, tables: LevelTables
) -> Iterator[str]:
    """What a planner has to know of levels and periods beside the figures."""
    yield from capped_shares(problem, asked(scenario, responses.periods), tables)
    steps = {metric.name: metric.step for metric in problem.metrics.others}
    for name in dict.fromkeys(name for name, _ in tables):
        step = steps.get(name, problem.rounding_step)
        fine = min(table.period_step(step) for (metric, _), table in tables.items() if metric == name)
        if fine != step:
            used, asked_for = f"{fine / 100:,.10g}", f"{step / 100:,.10g}"
            yield f"{name} by period is in steps of {used}: of {asked_for}, periods of a rep hold less than ten"


def _rows(
    problem: AllocationProblem,
    found: Mapping[tuple[str, str | None], Asked],
    name: str,
    level: Level,
    values: Floats,
    below: Ints | None,
    carriers: Bools,
) -> Iterator[LevelRow]:
    carried = np.flatnonzero(carriers)
    groups: list[tuple[str, str, Ints]] = [("company", "company", carried)]
    teams = dict.fromkeys(problem.teams[r] for r in carried)
    groups += [("team", team, np.array([r for r in carried if problem.teams[r] == team])) for team in teams]
    groups += [("rep", problem.reps[r], np.array([r])) for r in carried]
    for scope, subject, members in groups:
        value = float(values[members].sum())
        if below is not None:
            under = float(below[members].sum())
            if under <= 0:
                continue
            value /= under
        entry = found.get((name, None if scope == "company" else subject)) if scope != "rep" else None
        said = None if entry is None else entry.level(level)
        if said is not None:
            said = ratio_figure(name, said) if name in RATIO_METRICS else float(figure(name, said))
        yield LevelRow(name, level, scope, subject, said, value)
