"""Quotas of every metric by rep and period: each metric split by its own samples, ratios as pairs, all totals tied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimize.cells_between import between_levels
from optimize.controlled import controlled
from optimize.level_cells import floored, stretched
from optimize.locked_quotas import LockedQuotas
from optimize.metrics import Bools, Floats, Ints, Metric, Ratio, Window
from optimize.phasing import period_step
from optimize.problem import AllocationProblem, Decisions, gains
from optimize.response.estimate import Responses
from optimize.whole_split import Split, split_whole
from scenarios.errors import InfeasiblePlan, InputRefused, Problem, refuse_if
from scenarios.goals import Level

SHARES = frozenset({"key_product_share", "collection_rate"})
"""Ratios that cannot exceed 1: a rep's numerator stays within the denominator."""


@dataclass(frozen=True)
class QuotaTable:
    """Quotas of one metric at one level, minor units or counts.

    Attributes:
        quotas: over the horizon, [R]; 0 for who carries none.
        cells: by period, [R, P]; each row sums to the quota.
        kept: where there is a quota at all, [R, P]: no quota is not a quota of zero.
        overruled: totals of teams that gave way to locks, in words.
    """

    metric: str
    quotas: Ints
    cells: Ints
    kept: Bools
    overruled: tuple[str, ...] = ()

    @property
    def carried(self) -> Bools:
        """Who has a quota, [R]."""
        return np.asarray(self.kept.any(axis=1))

    def period_step(self, step: int) -> int:
        """The step of its cells, where quotas over the horizon are multiples of ``step``."""
        cells = int((self.kept & (self.quotas > 0)[:, None]).sum())
        return period_step(int(self.quotas.sum()), cells, step)


Tables = Mapping[str, QuotaTable]


def quota_tables(problem: AllocationProblem, responses: Responses, decisions: Decisions, quotas: Ints) -> Tables:
    """Tables of all metrics under these decisions, revenue first.

    Args:
        quotas: of revenue, in whole minor units, [R].

    Raises:
        InputRefused: locked quotas that leave no room.
        InfeasiblePlan: targets of teams, ratios or parts of the horizon that no split keeps.
    """
    out = {"revenue": revenue_table(problem, responses, quotas)}
    for metric in problem.metrics.others:
        out[metric.name] = _table(problem, decisions, metric, out)
    return out


def revenue_table(problem: AllocationProblem, responses: Responses, quotas: Ints) -> QuotaTable:
    """Revenue quotas over the periods by each territory's season."""
    season = responses.season
    windows = problem.metrics.revenue_windows
    locked = problem.locks.of("revenue")
    cells, overruled = _targets(problem, quotas, season, problem.rounding_step, windows, locked)
    kept = (season > 0) | (cells > 0) | locked.mask(cells.shape)
    return QuotaTable("revenue", quotas.astype(np.int64), cells, np.asarray(kept), overruled)


def _targets(
    problem: AllocationProblem,
    quotas: Ints,
    season: Floats,
    step: int,
    windows: tuple[Window, ...],
    locked: LockedQuotas,
) -> tuple[Ints, tuple[str, ...]]:
    """Quotas over the periods as by :func:`phased`, between the floors and stretches that are locked.

    Periods whose quota would lie beyond are held where it may lie, and the rest is phased around them. Where that
    leaves no room, the quota stays beyond, and the level is refused with its own words.
    """
    out = phased(quotas, season, step, problem.teams, windows, locked)
    carried = np.asarray((season > 0) | locked.mask(season.shape))
    held = {**problem.locks.settled(locked.metric, carried), "target": locked}
    for _ in range(len(quotas)):
        more = between_levels(out[0], quotas, carried, held)
        if not more:
            break
        cells = {(r, p): int(row[p]) for r, row in more.items() for p in np.flatnonzero(row >= 0).tolist()}
        around = replace(locked, cells={**cells, **held["target"].cells}, told=_all_told(held))
        try:
            out = phased(quotas, season, step, problem.teams, windows, around)
        except (InfeasiblePlan, InputRefused):
            break
        held["target"] = around
    return out


def _all_told(held: Mapping[Level, LockedQuotas]) -> dict[int, tuple[str, ...]]:
    """Locks of all levels in words, by position of the rep."""
    reps = sorted({r for locked in held.values() for r in locked.told})
    return {r: tuple(dict.fromkeys(t for one in held.values() for t in one.told.get(r, ()))) for r in reps}


def phased(
    quotas: Ints,
    season: Floats,
    step: int,
    teams: tuple[str, ...],
    windows: tuple[Window, ...] = (),
    locked: LockedQuotas | None = None,
    level: Level = "target",
    targets: Ints | None = None,
) -> tuple[Ints, tuple[str, ...]]:
    """Quotas over the periods in whole steps, all totals tied, [R, P]; and what of teams gave way to locks, in words.

    Args:
        season: share of each period in a rep's quota, [R, P].
        step: rounding step of the quotas.
        locked: cells that stay as they are; what is left of a rep and of a part of the horizon is tied around them.
        level: floors lie at or below ``targets`` in every cell, stretches at or above them, [R, P].

    Raises:
        InputRefused: locked cells leave no room.
        InfeasiblePlan: no table keeps the windows.
    """
    whole = quotas.astype(np.int64)
    cells = int(((season > 0) & (quotas > 0)[:, None]).sum())
    fine = period_step(int(quotas.sum()), cells, step)
    beside = np.zeros(season.shape, dtype=np.int64) if targets is None else targets
    if locked is None or not locked.cells:
        return _cut(level, beside, season * quotas[:, None], whole, fine, teams, windows), ()
    carried = np.asarray(season > 0)
    fixed, free = locked.fixed(season.shape), np.where(locked.mask(season.shape), 0.0, season)
    roomy, beaten, problems = locked.windows(windows, teams, carried)
    rest = whole - fixed.sum(axis=1)
    for r in np.flatnonzero((rest < 0) | ((rest > 0) & ~(free > 0).any(axis=1))).tolist():
        word = "too much" if rest[r] < 0 else "missing"
        rule = f"locked periods sum to {locked.shown(int(fixed[r].sum()))}, the quota is {locked.shown(int(whole[r]))}"
        problems.append(locked.refusal(abs(int(rest[r])), word, rule, [r]))
    problems += locked.beyond(level, beside, rest)
    refuse_if(problems)
    inside = [window.mask(teams, season.shape[1]) for window in roomy]
    left = [replace(w, total=w.total - int(fixed[mask].sum())) for w, mask in zip(roomy, inside, strict=True)]
    under = np.where(locked.mask(season.shape), 0, beside)
    found = _cut(level, under, free * rest[:, None], rest, fine, teams, left) + fixed
    return found, tuple(_gave_way(window, locked, teams) for window in beaten)


def _gave_way(window: Window, locked: LockedQuotas, teams: tuple[str, ...]) -> str:
    part = f"{locked.metric} of team {window.team} in periods {window.periods[0] + 1} to {window.periods[-1] + 1}"
    touched = sorted({r for r, p in locked.cells if p in window.periods and teams[r] == window.team})
    told = [text for r in touched or sorted(locked.told) for text in locked.told.get(r, ())]
    return f"{part}: gives way to locked periods: {'; '.join(told)}"


def _cut(
    level: Level, targets: Ints, exact: Floats, rows: Ints, step: int, teams: Sequence[str], windows: Sequence[Window]
) -> Ints:
    """A table in whole steps, on its side of the quotas."""
    if level == "target":
        return controlled(exact, rows, step, teams, windows)
    return (floored if level == "floor" else stretched)(exact, rows, targets, step, teams, windows)


def _table(problem: AllocationProblem, decisions: Decisions, metric: Metric, before: Tables) -> QuotaTable:
    """Quotas of a metric beside revenue; where a ratio gives its totals, from the table of the other one."""
    ratio = problem.metrics.ratio_of(metric.name)
    known = before[ratio.known] if ratio is not None else None
    windows = metric.windows
    totals, total = dict(metric.team_totals), metric.total
    most = np.full(len(problem.reps), np.inf)
    carriers = metric.carriers & metric.periods.any(axis=1)
    if ratio is not None and known is not None:
        carriers &= known.carried
        windows = (*windows, *_ratio_windows(problem, metric, ratio, known))
        totals |= _ratio_teams(problem, metric, ratio, known, windows)
        outer = [window for window in windows if window.team is None]
        if total is None and outer:
            total = sum(window.total for window in _outermost(outer))
        if ratio.name in SHARES and ratio.derived == ratio.numerator:
            most = known.quotas.astype(np.float64)
    if total is None:
        carriers &= np.array([team in totals for team in problem.teams])
    gain = gains(problem, decisions, metric.rates) * _share_of_horizon(metric)
    locked, _ = problem.locks.of(metric.name).settled(metric.carried)
    beside = problem.locks.between(metric.name, len(most))
    carriers = carriers_with(carriers, beside.locked, metric.periods)
    none = np.zeros(len(most))
    request = Split(
        metric.name,
        metric.samples,
        gain,
        carriers,
        total,
        totals,
        metric.step,
        none,
        most,
        locked=locked,
        beside=beside,
    )
    quotas, beaten = split_whole(problem, request)
    season = np.where(metric.periods & carriers[:, None], metric.season, 0.0)
    season = seasoned(season, quotas, metric.periods)
    cells, overruled = _targets(problem, quotas, season, metric.step, windows, locked)
    kept = (season > 0) | (cells > 0) | locked.mask(cells.shape)
    return QuotaTable(metric.name, quotas, cells, kept, (*beaten, *overruled))


def carriers_with(carriers: Bools, locked: LockedQuotas, periods: Bools) -> Bools:
    """Who carries a quota, those among them whom a lock gives one, [R].

    Raises:
        InputRefused: a lock on the quota of somebody of whom nothing is asked in any period.
    """
    out, problems = carriers.copy(), []
    for r in sorted(locked.told):
        out[r] = True
        if not periods[r].any():
            told = "; ".join(locked.told.get(r, ()))
            rule = f"no target of {locked.metric} speaks of this team"
            problems.append(Problem("allocation.locks", told, rule, "remove the lock, or give the team a target"))
    refuse_if(problems)
    return out


def seasoned(season: Floats, quotas: Ints, periods: Bools) -> Floats:
    """Shares of periods; even ones for who has a quota by a lock alone and never reached any of it, [R, P]."""
    bare = (season.sum(axis=1) <= 0) & (quotas > 0)
    even = periods / np.maximum(periods.sum(axis=1, keepdims=True), 1)
    return np.asarray(np.where(bare[:, None], even, season))


def _ratio_teams(
    problem: AllocationProblem, metric: Metric, ratio: Ratio, known: QuotaTable, windows: tuple[Window, ...]
) -> dict[str, int]:
    """Totals of teams by the ratio asked of them: the team's ratio is that of its sums."""
    out = {}
    for team, value in ratio.teams.items():
        members = problem.members(team)
        out[team] = ratio.of_known(value, int(known.quotas[members].sum()))
    for team in dict.fromkeys(window.team for window in windows if window.team is not None):
        members = problem.members(team)
        if team in out or team in metric.team_totals or not len(members):
            continue
        mine = _outermost([window for window in windows if window.team == team])
        covered = {p for window in mine for p in window.periods}
        if all(set(np.flatnonzero(metric.periods[r]).tolist()) == covered for r in members):
            out[team] = sum(window.total for window in mine)
    return out


def _ratio_windows(problem: AllocationProblem, metric: Metric, ratio: Ratio, known: QuotaTable) -> Iterator[Window]:
    """What the derived metric sums to within parts of the horizon, to the step."""
    for window in ratio.windows:
        members = np.arange(len(problem.reps)) if window.team is None else problem.members(window.team)
        of_known = int(known.cells[np.ix_(members, np.array(window.periods))].sum())
        total = ratio.of_known(window.value, of_known)
        yield Window(window.team, window.periods, round(total / metric.step) * metric.step, metric.name)


def _outermost(windows: list[Window]) -> list[Window]:
    return [one for one in windows if not any(set(one.periods) < set(other.periods) for other in windows)]


def _share_of_horizon(metric: Metric) -> Floats:
    """Share of the periods that a metric's targets speak of, by rep: gains are of the whole horizon, [R]."""
    return np.asarray(metric.periods.mean(axis=1))
