"""Floors and stretches of ratios: those of sums in the proportion of the levels, nobody's share above one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from optimize.asked import Asked
from optimize.metrics import Floats, Ints, Ratio
from optimize.problem import AllocationProblem
from optimize.quota_tables import SHARES, QuotaTable
from optimize.split import proportional
from scenarios.goals import Level

Found = Mapping[tuple[str, str | None], Asked]
NEAR = 0.5
"""Half a minor unit or count: what floating point may be off."""


def numerators(
    problem: AllocationProblem, found: Found, ratio: Ratio, level: Level, above: Ints, below: Ints
) -> Floats:
    """What a level of a ratio comes to over the denominators' quotas, by rep: NaN where there is none, [R].

    Ratios of reps move in the proportion of their team's levels, else of the company's, and so do those of sums. Of
    shares nobody's is above one: the others of the team, or of all teams without levels of their own, make up for it
    in proportion.

    Args:
        above, below: quotas of numerator and denominator, [R].
    """
    if level == "target":
        return above.astype(np.float64)
    out = np.full(len(above), np.nan)
    for members, factor in _groups(problem, found, ratio, level):
        mine = above[members].astype(np.float64)
        out[members] = factor * mine
        if ratio.name in SHARES and factor > 1:
            out[members] = proportional(mine, mine, np.maximum(mine, below[members]), factor * float(mine.sum()))
    return out


def capped_shares(
    problem: AllocationProblem, found: Found, tables: Mapping[tuple[str, Level], QuotaTable]
) -> Iterator[str]:
    """Says of whom stretches of shares would take more than all of what they are shares of."""
    for ratio in problem.metrics.ratios:
        if ratio.name not in SHARES:
            continue
        above, below = (tables[name, "target"].quotas for name in (ratio.numerator, ratio.denominator))
        for members, factor in _groups(problem, found, ratio, "stretch"):
            if factor * above[members].sum() > np.maximum(above, below)[members].sum() + NEAR:
                teams = ", ".join(dict.fromkeys(problem.teams[r] for r in members.tolist()))
                yield f"stretch of {ratio.name} of {teams} is all there is: what is asked for is above one"


def _groups(problem: AllocationProblem, found: Found, ratio: Ratio, level: Level) -> Iterator[tuple[Ints, float]]:
    """Who moves together, and a level of the ratio over its target: teams with levels of their own, then the others."""
    rest = np.ones(len(problem.teams), dtype=np.bool_)
    for team in (*dict.fromkeys(problem.teams), None):
        entry = found.get((ratio.name, team))
        value = None if entry is None else entry.whole
        at = None if value is None else getattr(value, level)
        members = np.flatnonzero(rest) if team is None else problem.members(team)
        if value is not None and at is not None and value.target and len(members):
            rest[members] = False
            yield members, float(at / value.target)
