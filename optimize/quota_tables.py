"""Quotas of every metric by rep and period: each metric split by its own samples, ratios as pairs, all totals tied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from optimize.controlled import controlled
from optimize.metrics import Bools, Floats, Ints, Metric, Ratio, Window
from optimize.phasing import period_step
from optimize.problem import AllocationProblem, Decisions, Locks, gains
from optimize.responses import Responses
from optimize.rounding import rounded_quotas
from optimize.split import groups, split_in_groups
from scenarios.errors import InfeasiblePlan
from scenarios.plan import is_money

SHARES = frozenset({"key_product_share", "collection_rate"})
"""Ratios that cannot exceed 1: a rep's numerator stays within the denominator."""


@dataclass(frozen=True)
class QuotaTable:
    """Quotas of one metric at one level, minor units or counts.

    Attributes:
        quotas: over the horizon, [R]; 0 for who carries none.
        cells: by period, [R, P]; each row sums to the quota.
        kept: where there is a quota at all, [R, P]: no quota is not a quota of zero.
    """

    metric: str
    quotas: Ints
    cells: Ints
    kept: Bools

    @property
    def carried(self) -> Bools:
        """Who has a quota, [R]."""
        return np.asarray(self.kept.any(axis=1))


Tables = Mapping[str, QuotaTable]


@dataclass(frozen=True)
class Split:
    """What is to be split, in minor units or counts.

    Attributes:
        samples: [N, R]; ``gain``: on top of them, [R].
        carriers: who carries any of it, [R].
        total: None where only the teams that have totals carry quotas.
        low, high: of each quota, [R]; unless ``strict``, the upper ones are left out where they leave no room.
        level: which of the three levels this is.
    """

    metric: str
    samples: Floats
    gain: Floats
    carriers: Bools
    total: int | None
    team_totals: Mapping[str, int]
    step: int
    low: Floats
    high: Floats
    strict: bool = False
    level: str = "target"

    @property
    def told(self) -> str:
        """What it is, in words."""
        return f"total of {self.metric}" if self.level == "target" else f"{self.level} of {self.metric}"


def quota_tables(problem: AllocationProblem, responses: Responses, decisions: Decisions, quotas: Ints) -> Tables:
    """Tables of all metrics under these decisions, revenue first.

    Args:
        quotas: of revenue, in whole minor units, [R].

    Raises:
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
    cells = phased(quotas, season, problem.rounding_step, problem.teams, windows)
    return QuotaTable("revenue", quotas.astype(np.int64), cells, np.asarray((season > 0) | (cells > 0)))


def phased(quotas: Ints, season: Floats, step: int, teams: tuple[str, ...], windows: tuple[Window, ...] = ()) -> Ints:
    """Quotas over the periods in whole steps, all totals tied, [R, P].

    Args:
        season: share of each period in a rep's quota, [R, P].
        step: rounding step of the quotas.
    """
    cells = int(((season > 0) & (quotas > 0)[:, None]).sum())
    fine = period_step(int(quotas.sum()), cells, step)
    return controlled(season * quotas[:, None], quotas.astype(np.int64), fine, teams, windows)


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
    request = Split(metric.name, metric.samples, gain, carriers, total, totals, metric.step, np.zeros(len(most)), most)
    quotas = split_whole(problem, request)
    season = np.where(metric.periods & carriers[:, None], metric.season, 0.0)
    cells = phased(quotas, season, metric.step, problem.teams, windows)
    kept = (season > 0) | (cells > 0)
    return QuotaTable(metric.name, quotas, cells, kept)


def split_whole(problem: AllocationProblem, request: Split) -> Ints:
    """The exact split of a metric's own samples in whole steps: everybody the same chance within a group, [R].

    Raises:
        InfeasiblePlan: totals of teams that the company's total has no room for, or bounds that leave no room.
    """
    out = np.zeros(len(problem.reps), dtype=np.int64)
    at = np.flatnonzero(request.carriers)
    if not len(at):
        return out
    teams = tuple(problem.teams[r] for r in at)
    totals = {team: float(value) for team, value in request.team_totals.items() if team in teams}
    whole = sum(totals.values()) if request.total is None else request.total
    _check_room(request, whole, totals, all(team in totals for team in teams))
    bare = replace(
        problem,
        reps=tuple(problem.reps[r] for r in at),
        teams=teams,
        total=float(whole),
        team_totals=totals,
        locks=Locks(),
        rounding_step=request.step,
    )
    low, high = request.low[at], request.high[at]
    if request.strict:
        _check_bounds(bare, request, low, high)
    else:
        high = _roomy(bare, high)
    exact = split_in_groups(bare, request.samples[:, at], request.gain[at], low, high)
    out[at] = rounded_quotas(bare, exact, low, high)
    return out


def _check_bounds(problem: AllocationProblem, request: Split, low: Floats, high: Floats) -> None:
    """Refuse a level whose totals do not fit between the bounds of a group."""
    for name, members, total in groups(problem):
        least, most = float(low[members].sum()), float(high[members].sum())
        if least - 0.5 <= total <= most + 0.5:
            continue
        unit = 100 if is_money(request.metric) else 1
        side, bound = ("at most", most) if total > most else ("at least", least)
        whom = "the rest of the company" if name == "company" else f"team {name}"
        conflict = [
            f"the {request.told} leaves {total / unit:,.2f} to {whom}",
            f"their quotas allow {side} {bound / unit:,.2f}",
        ]
        raise InfeasiblePlan(conflict, [f"change {request.told} of the company or of a team"])


def _roomy(problem: AllocationProblem, high: Floats) -> Floats:
    """Upper bounds that leave room for the totals, opened where they do not, [R]."""
    out = high.copy()
    for team, total in [*problem.team_totals.items(), ("", problem.total)]:
        mine = problem.members(team) if team else np.arange(len(high))
        if out[mine].sum() < total:
            out[mine] = np.inf
    return out


def _check_room(request: Split, total: float, team_totals: Mapping[str, float], everybody: bool) -> None:
    of_teams = sum(team_totals.values())
    if of_teams <= total + 0.5 and not (everybody and abs(of_teams - total) > 0.5):
        return
    unit = 100 if is_money(request.metric) else 1
    conflict = [
        f"the company's {request.told} is {total / unit:,.2f}",
        f"the totals of {', '.join(team_totals)} sum to {of_teams / unit:,.2f}",
    ]
    raise InfeasiblePlan(conflict, ["leave the target of one team open, or that of the company"])


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
        yield Window(window.team, window.periods, round(total / metric.step) * metric.step)


def _outermost(windows: list[Window]) -> list[Window]:
    return [one for one in windows if not any(set(one.periods) < set(other.periods) for other in windows)]


def _share_of_horizon(metric: Metric) -> Floats:
    """Share of the periods that a metric's targets speak of, by rep: gains are of the whole horizon, [R]."""
    return np.asarray(metric.periods.mean(axis=1))
