"""The exact split of one metric's total at one level in whole steps: teams, bounds and locks kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from optimize.level_split import levels_in_groups
from optimize.locked_quotas import LockedQuotas
from optimize.locked_range import LockedRange
from optimize.metrics import Bools, Floats, Ints
from optimize.problem import AllocationProblem, Locks
from optimize.rounding import rounded_quotas, within_bounds
from optimize.split import groups, split_in_groups
from scenarios.errors import InfeasiblePlan, Problem, Said, refuse_if
from scenarios.goals import LEVELS, Level
from scenarios.plan import is_money


@dataclass(frozen=True)
class Split:
    """What is to be split, in minor units or counts.

    Attributes:
        samples: [N, R]; ``gain``: on top of them, [R].
        carriers: who carries any of it, [R].
        total: None where only the teams that have totals carry quotas.
        low, high: of each quota, [R]; unless ``strict``, the upper ones are left out where they leave no room.
        level: which of the three levels this is.
        around: of a floor or stretch, the quotas that it goes with, [R].
        locked: figures of this level fixed by people; they come before bounds and totals of teams.
        beside: of quotas, between what locks of all levels hold them; None of floors and stretches.
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
    level: Level = "target"
    around: Ints | None = None
    locked: LockedQuotas = field(default_factory=lambda: LockedQuotas(""))
    beside: LockedRange | None = None

    @property
    def held(self) -> LockedRange:
        """Between what locks hold what is split."""
        if self.beside is not None:
            return self.beside
        low, high = self.locked.held(len(self.low)), np.full(len(self.low), np.inf)
        high[list(self.locked.whole)] = list(self.locked.whole.values())
        return LockedRange(low, high, self.locked)

    @property
    def told(self) -> str:
        """What it is, in words."""
        return f"total of {self.metric}" if self.level == "target" else f"{self.level} of {self.metric}"

    @property
    def both(self) -> Said:
        """The same in both languages."""
        return Said(self.told, f"{self.metric} 的{_LEVELS[self.level]}")


_LEVELS: Mapping[Level, str] = {"floor": "保底值合计", "target": "合计", "stretch": "挑战值合计"}


def split_whole(problem: AllocationProblem, request: Split) -> tuple[Ints, tuple[str, ...]]:
    """The exact split of a metric's own samples in whole steps: everybody the same chance within a group, [R].

    Levels beside quotas are as far from them in odds (:func:`optimize.level_split.levels_in_groups`).

    Returns:
        The quotas, and totals of teams that gave way to locks, in words.

    Raises:
        InputRefused: locked quotas that leave no room.
        InfeasiblePlan: totals of teams that the company's total has no room for, or bounds that leave no room.
    """
    out = np.zeros(len(problem.reps), dtype=np.int64)
    at = np.flatnonzero(request.carriers)
    if not len(at):
        return out, ()
    teams, held = tuple(problem.teams[r] for r in at), request.held
    if request.total is not None:
        refuse_if(held.company_room(request.total, request.carriers, f"the {request.told}"))
    low, high = _with_locks(request)
    totals, beaten = _team_totals(problem, request, held.between(low, high) if request.strict else held)
    if request.total is None:
        # Only teams have totals here: what gives way comes as near as locks let it.
        totals |= {team: _nearest(problem, held, team, total) for team, total in beaten.items()}
    whole = sum(totals.values()) if request.total is None else request.total
    _check_room(request, whole, totals, all(team in totals for team in teams))
    bare = replace(
        problem,
        reps=tuple(problem.reps[r] for r in at),
        teams=teams,
        total=float(whole),
        team_totals=totals,
        locks=_locks_at(held, at),
        rounding_step=request.step,
    )
    low, high = low[at], high[at]
    if request.strict:
        _check_bounds(bare, request, low, high)
    else:
        high = np.minimum(_roomy(bare, high), held.high[at])
    samples, gain = request.samples[:, at], request.gain[at]
    if request.around is None:
        exact = split_in_groups(bare, samples, gain, low, high)
    else:
        exact = levels_in_groups(bare, samples, gain, request.level, request.around[at], low, high)
    whole_quotas = rounded_quotas(bare, exact, low, high)
    out[at] = within_bounds(bare, whole_quotas, low, high) if request.strict else whole_quotas
    if held and abs(int(out.sum()) - whole) > 0.5:
        what, figure, locks = request.both, held.locked.shown(whole), "; ".join(sum(held.locked.told.values(), ()))
        told: list[str | Said] = [
            Said(f"the {what.english} is {figure}", f"{what.chinese}为 {figure}"),
            locks,
            Said(f"totals of {', '.join(totals)}", f"{'、'.join(totals)} 的合计"),
        ]
        way = Said("change one of the locks or totals of teams", "修改其中一个锁定值或团队合计")
        raise InfeasiblePlan(told, [way])
    return out, tuple(f"{request.told} of team {team}: {_excuse(problem, request, team)}" for team in beaten)


def _locks_at(held: LockedRange, at: Ints) -> Locks:
    """Quotas between locks of some reps, by their position among these."""
    place = {r: i for i, r in enumerate(at.tolist())}
    return Locks(
        quota={place[r]: value for r, value in held.quota.items() if r in place},
        least={place[r]: value for r, value in held.least.items() if r in place},
        most={place[r]: value for r, value in held.most.items() if r in place},
    )


def _team_totals(
    problem: AllocationProblem, request: Split, room: LockedRange
) -> tuple[dict[str, float], dict[str, float]]:
    """Totals of teams that hold, and those that give way to locks on this level or on one beside it.

    Args:
        room: what there is for each; floors and stretches are beside quotas that may be locked themselves.
    """
    carried = {problem.teams[r] for r in np.flatnonzero(request.carriers).tolist()}
    asked = {team: float(value) for team, value in request.team_totals.items() if team in carried}
    if not any(problem.locks.of(request.metric, level).reps for level in LEVELS):
        return asked, {}
    kept, beaten = room.team_totals(asked, problem.teams, request.carriers, request.total)
    # Where nobody of a team is locked, its total contradicts its other levels, whatever is locked elsewhere.
    own = [team for team in beaten if not _told(problem, request.metric, problem.members(team).tolist())]
    alone = [team for team in own if not room.fits(asked[team], problem.members(team))]
    return kept | {team: beaten[team] for team in alone}, {t: v for t, v in beaten.items() if t not in alone}


def _told(problem: AllocationProblem, metric: str, reps: Sequence[int]) -> tuple[str, ...]:
    """Locks of all levels on quotas of these reps, in words."""
    return tuple(text for level in LEVELS for r in reps for text in problem.locks.of(metric, level).told.get(r, ()))


def _excuse(problem: AllocationProblem, request: Split, team: str) -> str:
    """To which locks a team's total gives way: those of its people, else all."""
    mine = _told(problem, request.metric, problem.members(team).tolist())
    told = mine or _told(problem, request.metric, range(len(problem.reps)))
    return f"gives way to locked quotas: {'; '.join(told)}"


def _nearest(problem: AllocationProblem, held: LockedRange, team: str, total: float) -> float:
    members = problem.members(team)
    return float(np.clip(total, held.low[members].sum(), held.high[members].sum()))


def _with_locks(request: Split) -> tuple[Floats, Floats]:
    """Bounds of quotas, those of locked quotas their values; bounds give way to locks, except those of a level, [R].

    Raises:
        InputRefused: a locked floor above the quota, or a locked stretch below it.
    """
    if not request.strict:
        held = request.held
        # Whole steps above what is locked must be open, or rounding would end below it.
        room = np.minimum(np.ceil(held.low / request.step) * request.step, held.high)
        return held.low, np.minimum(np.maximum(request.high, room), held.high)
    locked, least = request.locked, request.locked.least(len(request.low))
    low, high = np.maximum(request.low, least), np.maximum(request.high, least)
    problems: list[Problem] = []
    for r in sorted(locked.reps):
        value = float(locked.whole.get(r, least[r]))
        off = value - request.high[r] if value > request.high[r] else request.low[r] - value
        beyond = value > request.high[r] + 0.5 or (r in locked.whole and value < request.low[r] - 0.5)
        if beyond:
            word = "too much" if value > request.high[r] else "missing"
            limit = request.high[r] if value > request.high[r] else request.low[r]
            rule = f"the {request.level} is locked at {locked.shown(value)}, the quota is {locked.shown(limit)}"
            problems.append(locked.refusal(off, word, rule, [r]))
        if r in locked.whole:
            low[r] = high[r] = value
    refuse_if(problems)
    return low, high


def _check_bounds(problem: AllocationProblem, request: Split, low: Floats, high: Floats) -> None:
    """Refuse a level whose totals do not fit between the bounds of a group."""
    for name, members, total in groups(problem):
        least, most = float(low[members].sum()), float(high[members].sum())
        if least - 0.5 <= total <= most + 0.5:
            continue
        unit = 100 if is_money(request.metric) else 1
        what, left = request.both, f"{total / unit:,.2f}"
        side, bound = (Said("at most", "不超过"), most) if total > most else (Said("at least", "不低于"), least)
        whom = Said("the rest of the company", "公司其余人员")
        if name != "company":
            whom = Said(f"team {name}", f"团队 {name}")
        allowed = f"{bound / unit:,.2f}"
        conflict = [
            Said(f"the {what.english} leaves {left} to {whom.english}", f"{what.chinese}留给{whom.chinese} {left}"),
            Said(f"their quotas allow {side.english} {allowed}", f"其指标允许{side.chinese} {allowed}"),
        ]
        change = Said(f"change {what.english} of the company or of a team", f"修改公司或某团队的 {what.chinese}")
        raise InfeasiblePlan(conflict, [change])


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
    what, whole, summed = request.both, f"{total / unit:,.2f}", f"{of_teams / unit:,.2f}"
    conflict = [
        Said(f"the company's {what.english} is {whole}", f"公司 {what.chinese}为 {whole}"),
        Said(f"the totals of {', '.join(team_totals)} sum to {summed}", f"{'、'.join(team_totals)} 的合计共 {summed}"),
    ]
    way = Said("leave the target of one team open, or that of the company", "不设其中一个团队的目标，或不设公司目标")
    raise InfeasiblePlan(conflict, [way])
