"""New leads to hand out: what a share of a source's leads brings each rep, and the limits on shares.

One share of a source and rep holds for the whole horizon. The sales of a rep's new leads are a concave function of the
hours that her leads ask for: beyond what she can work they bring ever less. Of leads that sell more for an hour than
her mix of the simulated plan does, the difference is added for what the simulated load lets through, so that the value
is exact for one source and right to first order for several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenarios.lead_shares import stretches
from scenarios.plan import Plan, ShareRow

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Shares = Mapping[tuple[int, int], float]
"""By source and rep."""

_NONE = np.zeros((0, 0))
_NOBODY = np.zeros((0, 0), dtype=np.bool_)


@dataclass(frozen=True)
class LeadOffer:
    """New leads to hand out; S sources, R reps, P points of each rep's curve. Money in minor units.

    Attributes:
        sources: whose leads are handed out; none where shares are no decision.
        entry: whether a rep works where a source's leads come in, [S, R].
        may: of these, who may get another share than the simulated one: there for the whole horizon and with a weight
            in the routing, [S, R].
        base: mean share under the simulated plan, [S, R]; today: under today's, [S, R].
        beside: shares of those at the entry who carry no quota, by source.
        region: of each rep, one for all where leads cross regions: shares are handed out within it, [R].
        hours: of the calendar that all leads of a source would ask of each rep, [S, R].
        extra: what all leads of a source would sell beyond the curve, [S, R].
        knots: hours of leads, [R, P]; worth: what these sell, [R, P]. Between them it is linear.
        load: hours that leads ask for under the simulated plan, [R].
        potential: what all leads of a source are of a rep's potential, [S, R].
        measured: shares under which potentials were measured, [S, R].
        least, most, change: limits on shares, the last from today's.
        rows: shares that the simulated plan gives.
        days: first day and first day after the horizon, as ordinals.
    """

    sources: tuple[str, ...]
    entry: Bools
    may: Bools
    base: Floats
    today: Floats
    beside: tuple[Mapping[str, float], ...]
    region: Ints
    hours: Floats
    extra: Floats
    knots: Floats
    worth: Floats
    load: Floats
    potential: Floats
    measured: Floats
    least: float = 0.0
    most: float = 1.0
    change: float = 1.0
    rows: tuple[ShareRow, ...] = ()
    days: tuple[int, int] = field(default=(0, 0))

    def __bool__(self) -> bool:
        return bool(self.sources)

    def at(self, shares: Floats | None) -> Floats:
        """Shares, or the simulated ones where there are none, [S, R]."""
        return self.base if shares is None else shares

    def gain_at(self, shares: Floats | None) -> Floats:
        """Sales of each rep above the simulated plan, [R]; a bare zero where nothing is handed out."""
        if not self or shares is None:
            return np.zeros(1)
        beyond = (self.extra * (shares - self.base)).sum(axis=0)
        return np.asarray(self.sold(self.load + self.hours_at(shares)) - self.sold(self.load) + beyond)

    def hours_at(self, shares: Floats | None) -> Floats:
        """Hours that leads ask of each rep above the simulated plan, [R]; a bare zero where nothing is handed out."""
        if not self or shares is None:
            return np.zeros(1)
        return np.asarray((self.hours * (shares - self.base)).sum(axis=0))

    def potential_at(self, shares: Floats | None) -> Floats:
        """Potential above the one that was measured, [R]; a bare zero where nothing is handed out."""
        if not self:
            return np.zeros(1)
        return np.asarray((self.potential * (self.at(shares) - self.measured)).sum(axis=0))

    def sold(self, hours: Floats) -> Floats:
        """What leads of these hours sell in the simulated mix, [R]."""
        last = self.knots.shape[1] - 2
        piece = np.clip((self.knots <= hours[:, None]).sum(axis=1) - 1, 0, last)
        r = np.arange(len(hours))
        rise = self.worth[r, piece + 1] - self.worth[r, piece]
        width = self.knots[r, piece + 1] - self.knots[r, piece]
        slope = np.divide(rise, width, out=np.zeros_like(rise), where=width > 0)
        return np.asarray(self.worth[r, piece] + slope * (hours - self.knots[r, piece]))

    def free(self, locked: Shares) -> Bools:
        """Whose share is to be decided, [S, R]."""
        out = self.may.copy()
        for cell in locked:
            out[cell] = False
        return out

    def settled(self, locked: Shares) -> Floats:
        """Shares that leave no choice, 0 where there is one, [S, R]."""
        out = np.where(self.free(locked), 0.0, self.base)
        for cell, share in locked.items():
            out[cell] = share
        return out

    def cells(self, shares: Floats | None) -> dict[tuple[int, int], float]:
        """Shares of all who work at the entries, by source and rep."""
        given = self.at(shares)
        return {(s, r): float(given[s, r]) for s, r in np.argwhere(self.entry).tolist()}

    def pools(self) -> Iterator[tuple[int, Ints, float]]:
        """Shares that are handed out together: source, reps at its entry in one region, and what they sum to."""
        for s in range(len(self.sources)):
            for region in np.unique(self.region[self.entry[s]]).tolist():
                members = np.flatnonzero(self.entry[s] & (self.region == region))
                yield s, members, float(self.base[s, members].sum())

    def touched(self, locked: Shares) -> Bools:
        """Whose share may be what no rule allows, since others of the pool are locked, [S, R]."""
        out = np.zeros_like(self.may)
        for s, members, _ in self.pools():
            out[s, members] = any((s, r) in locked for r in members.tolist())
        return out

    def under_locks(self, locked: Shares) -> Floats | None:
        """Today's shares; locked ones as locked, and the others of the pool smaller or larger in proportion."""
        if not self or (not locked and np.allclose(self.today, self.base, rtol=0, atol=1e-9)):
            return None
        out, free = self.today.copy(), self.free(locked)
        for cell, share in locked.items():
            out[cell] = share
        for s, members, total in self.pools():
            mine = members[free[s, members]]
            held = float(out[s, mine].sum())
            left = max(total - float(out[s, members].sum()) + held, 0.0)
            out[s, mine] = out[s, mine] * (left / held) if held > 0 else left / max(len(mine), 1)
        return out

    def read(self, plan: Plan, reps: tuple[str, ...]) -> Floats | None:
        """A plan's mean shares over the horizon, [S, R]; None where they are those of the simulated plan."""
        if not self or plan.shares == self.rows:
            return None
        place = {rep: r for r, rep in enumerate(reps)}
        whole = self.days[1] - self.days[0]
        out = np.zeros_like(self.base)
        for s, source in enumerate(self.sources):
            left = whole
            for first, end, shares in stretches(plan, source):
                left -= (end - first).days
                for rep, share in shares.items():
                    if rep in place:
                        out[s, place[rep]] += (end - first).days * share
            out[s] += left * self.today[s]
        return out / whole


NO_LEADS = LeadOffer(
    sources=(),
    entry=_NOBODY,
    may=_NOBODY,
    base=_NONE,
    today=_NONE,
    beside=(),
    region=np.zeros(0, dtype=np.int64),
    hours=_NONE,
    extra=_NONE,
    knots=_NONE,
    worth=_NONE,
    load=np.zeros(0),
    potential=_NONE,
    measured=_NONE,
)
"""Nothing is handed out."""
