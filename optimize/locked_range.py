"""What locks on floors, quotas and stretches leave of one metric's quotas over the horizon: the least and the most.

In every period a floor lies at or below its quota and a quota at or below its stretch, and so do their sums. A locked
floor thus keeps the quota from below and a locked stretch from above, for the horizon or in the periods that are
locked; what a lock on the horizon leaves beside locked periods does the same for the other periods together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from optimize.locked_quotas import HALF, LockedQuotas
from optimize.metrics import Bools, Floats, Ints
from optimize.phasing import Period
from scenarios.errors import Problem
from scenarios.goals import LEVELS, Level

NAMED = {"floor": "floor", "target": "quota", "stretch": "stretch"}


@dataclass(frozen=True)
class LockedRange:
    """Between what locks hold the quotas of R reps, minor units or counts.

    Attributes:
        low, high: of each quota over the horizon, [R]; equal where it is locked, 0 and infinite where nothing is.
        locked: locks that these come from, with their authors; of all levels.
    """

    low: Floats
    high: Floats
    locked: LockedQuotas

    def __bool__(self) -> bool:
        return bool((self.low > 0).any() or np.isfinite(self.high).any())

    @property
    def quota(self) -> dict[int, float]:
        """Quotas that can only be what they are, by position of the rep."""
        return {r: float(self.low[r]) for r in np.flatnonzero(self.low == self.high).tolist()}

    @property
    def least(self) -> dict[int, float]:
        """What other quotas are at least."""
        return {r: float(self.low[r]) for r in np.flatnonzero((self.low > 0) & (self.low < self.high)).tolist()}

    @property
    def most(self) -> dict[int, float]:
        """What other quotas are at most."""
        return {r: float(self.high[r]) for r in np.flatnonzero(np.isfinite(self.high)).tolist() if r not in self.quota}

    def between(self, low: Floats, high: Floats) -> LockedRange:
        """The same with other ends, [R]."""
        return replace(self, low=low, high=high)

    def company_room(self, total: float, carriers: Bools, told: str) -> Iterator[Problem]:
        """Locks never break the company's total (rule R17).

        Args:
            carriers: who carries a quota, [R].
        """
        least, most = float(self.low[carriers].sum()), float(self.high[carriers].sum())
        if least - HALF <= total <= most + HALF:
            return
        held, word, end = (least, "too much", "at least") if total < least else (most, "missing", "at most")
        sums = "sum to" if least == most else f"ask for {end}"
        rule = f"locked quotas {sums} {self.locked.shown(held)}, but {told} must sum to {self.locked.shown(total)}"
        mine = sorted(r for r in self.locked.told if carriers[r])
        yield self.locked.refusal(abs(total - held), word, rule, mine)

    def team_totals(
        self, totals: Mapping[str, float], teams: Sequence[str], carriers: Bools, company: float | None
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Totals of teams that locks leave room for, and those that have to give way to them (rule R17).

        Args:
            company: the company's total, where there is one: what locks elsewhere leave of it is the teams'.
        """
        kept: dict[str, float] = {}
        overruled: dict[str, float] = {}
        for team, total in totals.items():
            roomy = self.fits(total, [r for r, name in enumerate(teams) if name == team and carriers[r]])
            (kept if roomy else overruled)[team] = total
        while kept and self and company is not None and not self._rest_fits(kept, teams, carriers, company):
            team, total = kept.popitem()
            overruled[team] = total
        return kept, overruled

    def fits(self, total: float, members: Sequence[int] | Ints) -> bool:
        """Whether quotas of these people may sum to a total."""
        at = np.asarray(members, dtype=np.int64)
        return bool(self.low[at].sum() - HALF <= total <= self.high[at].sum() + HALF)

    def _rest_fits(self, kept: Mapping[str, float], teams: Sequence[str], carriers: Bools, company: float) -> bool:
        """Whether the company's total leaves those without a team total what their locks ask for, and no more."""
        rest = [r for r, team in enumerate(teams) if carriers[r] and team not in kept]
        if not any(self.low[r] > 0 or np.isfinite(self.high[r]) for r in rest):
            return True
        return self.fits(company - sum(kept.values()), rest)


def locked_range(held: Mapping[Level, LockedQuotas], carried: Bools) -> tuple[LockedRange, list[Problem]]:
    """The range that locks of all levels leave, and locks that leave none.

    Args:
        held: locks of each level, whoever has all periods locked being locked over the horizon.
        carried: periods in which each rep carries a quota, [R, P].
    """
    count = len(carried)
    low, high, problems = np.zeros(count), np.full(count, np.inf), []
    target = held["target"]
    told: dict[int, tuple[str, ...]] = {}
    for level in LEVELS:
        for r in held[level].reps:
            told[r] = (*told.get(r, ()), *held[level].told.get(r, ()))
    everything = replace(target, told=told)
    for r in sorted(told):
        low[r], high[r], off = _range_of(held, carried, r)
        if off > HALF:
            rule = "locked floors and periods ask for more of the quota than locked stretches and periods leave"
            problems.append(everything.refusal(off, "too much", rule, [r]))
    return LockedRange(low, high, everything), problems


def _range_of(held: Mapping[Level, LockedQuotas], carried: Bools, r: int) -> tuple[float, float, float]:
    """The least and the most of one quota, and by how much locks contradict each other.

    Cells lie between bottom and top. A locked floor of the horizon asks for a least sum of the periods whose floor is
    not locked, a locked stretch for a largest sum of those whose stretch is not.
    """
    target, floor, stretch = (held[level] for level in ("target", "floor", "stretch"))
    count = carried.shape[1]
    floors, stretches = (level.row(r, count) for level in (floor, stretch))
    under, over = ~np.isnan(floors), ~np.isnan(stretches)
    # A locked floor gives a period a quota that would have none.
    bottom, top = np.zeros(count), np.where(carried[r] | (floors > 0), np.inf, 0.0)
    bottom[under], top[over] = floors[under], stretches[over]
    for p, value in enumerate(target.row(r, count).tolist()):
        if not np.isnan(value):
            bottom[p], top[p] = max(bottom[p], value), min(top[p] if over[p] else value, value)
    asked = max(floor.whole[r] - floors[under].sum() if r in floor.whole else 0.0, float(bottom[~under].sum()))
    left = min(stretch.whole[r] - stretches[over].sum() if r in stretch.whole else np.inf, float(top[~over].sum()))
    # Most that periods without a locked floor can take beside the least of those with a locked floor alone.
    free = min(float(top[~under & ~over].sum()), left - float(bottom[under & ~over].sum()))
    low, high = float(bottom[under].sum()) + asked, float(top[over].sum()) + left
    off = max(
        float((bottom - top).max()),
        float(bottom[~over].sum()) - left,
        asked - free - float(top[over & ~under].sum()),
        low - high,
    )
    if r in target.whole:
        value = float(target.whole[r])
        return value, value, max(off, low - value, value - high)
    return low, high, off


def levels_crossed(held: Mapping[Level, LockedQuotas], reps: int, periods: Sequence[Period]) -> Iterator[Problem]:
    """Locks on two levels of one quota that are in the wrong order, both named."""
    for lower, upper in combinations(LEVELS, 2):
        below, above = held[lower], held[upper]
        least = below.held(reps)
        for r in sorted(below.reps & above.reps):
            floor = float(least[r])
            if r in above.whole and floor > above.whole[r]:
                yield _crossing(below, above, lower, upper, r, floor, float(above.whole[r]), "the horizon")
        for r, p in sorted(below.cells.keys() & above.cells.keys()):
            floor, most = float(below.cells[r, p]), float(above.cells[r, p])
            if floor > most:
                yield _crossing(below, above, lower, upper, r, floor, most, str(periods[p].label))


def _crossing(
    below: LockedQuotas, above: LockedQuotas, lower: Level, upper: Level, r: int, least: float, most: float, when: str
) -> Problem:
    rule = f"over {when} the {NAMED[lower]} is locked at {below.shown(least)}, above the {NAMED[upper]}, locked at "
    both = replace(below, told={r: (*below.told.get(r, ()), *above.told.get(r, ()))})
    return both.refusal(least - most, "too much", rule + above.shown(most), [r])
