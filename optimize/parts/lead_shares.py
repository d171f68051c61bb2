"""Shares of new leads: which rep gets how many of each source's, what they bring, and the hours that they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from optimize.pairs import PairLabels
from optimize.problem import AllocationProblem, Decisions, Floats, Ints
from optimize.programme.blocks import Blocks, Columns, Linear, Programme, Rows

SHARE = "lead share"
LEAST, MOST, CHANGE = "lead_share_least", "lead_share_most", "lead_share_change"
OFF = 1e-6
"""By how much of a source's leads a share may miss a limit and still keep it."""
NEAR = 1e-5
"""How near to a limit a share counts as at it: a thousandth of a point."""


@dataclass(frozen=True)
class Shared:
    """Linear expressions per rep above the simulated plan: gain and potential (units of money), and hours.

    Attributes:
        change: shares that are decided, less the simulated ones.
    """

    gain: Linear
    load: Linear
    potential: Linear
    change: Linear


def add(blocks: Blocks, problem: AllocationProblem, unit: float) -> Shared:
    """Add the columns of shares, one for each source and rep with a choice, and the pieces of the reps' curves.

    A column counts even shares, so that its size does not depend on how many people there are.
    """
    offer, locked, count = problem.leads, problem.locks.shares, len(problem.reps)
    settled = offer.settled(locked) if offer else None
    load, potential = offer.hours_at(settled), offer.potential_at(settled) / unit
    known = _constants(count, offer.gain_at(settled) / unit)
    s, r = np.nonzero(offer.free(locked))
    if settled is None or not len(s):
        none = Linear.constants(np.zeros(0))
        return Shared(known, _constants(count, load), _constants(count, potential), none)
    size = even_share(problem)[s]
    cols = blocks.columns(SHARE, PairLabels(offer.sources, problem.reps, s, r), 0.0, 1.0 / size)
    shares = Linear.columns(cols, size)
    _pools(blocks, problem, s, r, shares)
    _limits(blocks, problem, s, r, shares)
    hours = Linear.of(count, r, cols, offer.hours[s, r] * size, load)
    worth = Linear.of(count, r, cols, offer.potential[s, r] * size / unit, potential)
    # Of whoever has a choice the curve tells what all leads sell, and the rest counts from the settled shares on.
    chosen = np.isin(np.arange(count), r)
    beyond = (offer.extra * (settled - offer.base)).sum(axis=0) / unit
    extra = Linear.of(count, r, cols, offer.extra[s, r] * size / unit, np.where(chosen, beyond, known.constant))
    gain = extra + _curves(blocks, problem, np.flatnonzero(chosen), hours, unit)
    return Shared(gain, hours, worth, shares + Linear.constants(-offer.base[s, r]))


def _constants(count: int, values: Floats) -> Linear:
    return Linear.constants(np.broadcast_to(values, count))


def even_share(problem: AllocationProblem) -> Floats:
    """Mean of the simulated shares of those who may get others, at least a millionth, [S]."""
    offer = problem.leads
    people = np.maximum(offer.may.sum(axis=1), 1)
    return np.asarray(np.maximum((offer.base * offer.may).sum(axis=1) / people, 1e-6))


def _pools(blocks: Blocks, problem: AllocationProblem, s: Ints, r: Ints, shares: Linear) -> None:
    """Shares of a source within a region sum to what they sum to today: nobody's leads are left over."""
    offer = problem.leads
    settled = offer.settled(problem.locks.shares)
    for source, members, total in offer.pools():
        mine = np.flatnonzero((s == source) & np.isin(r, members))
        if len(mine):
            left = total - float(settled[source, members].sum())
            name = [offer.sources[source]]
            blocks.rows("lead shares handed out", name, shares.pick(mine).summed(), left, left, kept=True)


def _limits(blocks: Blocks, problem: AllocationProblem, s: Ints, r: Ints, shares: Linear) -> None:
    """At least, at most, and how far from today; they give way where others of the pool are locked."""
    offer = problem.leads
    names = [offer.sources[one] for one in s.tolist()]
    today = offer.today[s, r]
    one, soft = Linear.constants(np.ones(len(s))), offer.touched(problem.locks.shares)[s, r]
    if offer.least > 0:
        blocks.rows(LEAST, names, shares, lower=offer.least, loosen=one, giving_way=soft)
    if offer.most < 1:
        blocks.rows(MOST, names, shares, upper=offer.most, loosen=one, giving_way=soft)
    if offer.change < 1:
        blocks.rows(CHANGE, names, shares, upper=today + offer.change, loosen=one, giving_way=soft)
        blocks.rows(CHANGE, names, shares, lower=today - offer.change, loosen=one, giving_way=soft)


def _curves(blocks: Blocks, problem: AllocationProblem, reps: Ints, load: Linear, unit: float) -> Linear:
    """What leads of so many hours sell above the simulated plan, for these reps; 0 for all others, [R]."""
    offer, count = problem.leads, len(problem.reps)
    width, rise = np.diff(offer.knots[reps], axis=1), np.diff(offer.worth[reps], axis=1)
    slope = np.divide(rise, width, out=np.zeros_like(rise), where=width > 0)
    row, piece = np.nonzero(width > 0)
    names = [problem.reps[r] for r in reps.tolist()]
    cols = blocks.columns("lead hours", [names[i] for i in row.tolist()], 0.0, width[row, piece])
    base = Linear.constants(offer.load[reps] - offer.knots[reps, 0])
    hours = load.pick(reps) + base + Linear.of(len(reps), row, cols, -1.0)
    blocks.rows("lead hours", names, hours, 0.0, 0.0, kept=True)
    start = np.zeros(count)
    start[reps] = (offer.worth[reps, 0] - offer.sold(offer.load)[reps]) / unit
    return Linear.of(count, reps[row], cols, slope[row, piece] / unit, start)


def read(problem: AllocationProblem, programme: Programme, values: Floats) -> Floats | None:
    """Shares of a solution, [S, R], settled ones as they are; None where nothing is handed out."""
    offer = problem.leads
    if not offer:
        return None
    out = offer.settled(problem.locks.shares)
    if programme.has(SHARE):
        block = programme.block(SHARE)
        labels = block.labels
        if not isinstance(labels, PairLabels):
            raise TypeError("the labels of shares are pairs")
        size = even_share(problem)[labels.first]
        out[labels.first, labels.second] = np.clip(values[block.index] * size, 0.0, 1.0)
    return out


def calmest(problem: AllocationProblem, programme: Programme, values: Floats, loss: float) -> Programme:
    """The programme that asks for shares as near to the simulated ones as the same objective allows.

    Leads of one source may be as good as those of another for everybody: without this, plans would trade them for
    nothing.

    Args:
        values: of a solution, whose whole decisions are held.
        loss: how far the objective may fall below that of the solution.
    """
    held = programme.fixed(np.flatnonzero(programme.integer), values[programme.integer])
    block = programme.block(SHARE)
    labels, count, first = block.labels, len(block.index), programme.size
    if not isinstance(labels, PairLabels):
        raise TypeError("the labels of shares are pairs")
    size = even_share(problem)[labels.first]
    away = problem.leads.base[labels.first, labels.second] / size
    more, less = first + np.arange(count), first + count + np.arange(count)
    apart = Linear.columns(block.index) - Linear.columns(more) + Linear.columns(less)
    worth = np.flatnonzero(programme.objective)
    kept = Linear.of(1, np.zeros(len(worth), dtype=np.int64), worth, programme.objective[worth])
    least = float(programme.objective @ values) - loss
    names = [f"{source} {rep}" for source, rep in labels]
    rows = (
        Rows("lead shares apart", tuple(names), apart, away, away, None, True),
        Rows("objective", ("company",), kept, np.array([least]), np.array([np.inf]), None, True),
    )
    return replace(
        held,
        columns=(*held.columns, Columns("shares apart", tuple(names) * 2, np.concatenate([more, less]))),
        lower=np.append(held.lower, np.zeros(2 * count)),
        upper=np.append(held.upper, np.full(2 * count, np.inf)),
        objective=np.append(np.zeros(first), -np.tile(size, 2)),
        integer=np.append(held.integer, np.zeros(2 * count, dtype=np.bool_)),
        rows=(*held.rows, *rows),
        constant=0.0,
    )


@dataclass(frozen=True)
class ShareRow:
    """How far a limit on shares of a source is used.

    Attributes:
        actual: the share, or the change of a share, that is nearest to the limit.
        beyond: reps whose share goes beyond it.
    """

    rule: str
    source: int
    limit: float
    actual: float
    room: float
    beyond: Ints


def standing(problem: AllocationProblem, decisions: Decisions) -> Iterator[ShareRow]:
    """Every limit on the shares of every source."""
    offer = problem.leads
    given = offer.at(decisions.shares)
    apart = np.abs(given - offer.today)
    sides = ((LEAST, offer.least, given, -1.0), (MOST, offer.most, given, 1.0), (CHANGE, offer.change, apart, 1.0))
    for s in range(len(offer.sources)):
        mine = np.flatnonzero(offer.may[s])
        for rule, limit, figures, sign in sides:
            if len(mine) and limit != (0.0 if rule == LEAST else 1.0):
                room = sign * (limit - figures[s, mine])
                at = int(np.argmin(room))
                beyond = mine[room < -OFF]
                yield ShareRow(rule, s, limit, float(figures[s, mine[at]]), float(room[at]), beyond)
