"""Who may own which account, and what that brings and asks: the arcs between free accounts and reps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optimize.by_prices.care import Care, care_of
from optimize.by_prices.counted import Counted, counted_of
from optimize.pairs import Bools, Floats, Ints, Pairs
from optimize.parts.accounts import may_rest, possible_pairs
from optimize.problem import AllocationProblem


@dataclass(frozen=True)
class Moves:
    """Limits on accounts that move: away from today's owner, and from that of the simulated plan.

    Attributes:
        arc: 1 where an arc moves its account, [K, P]; rest: where having no owner does, [K, F]; most: of each, [K].
    """

    arc: Floats
    rest: Floats
    most: Floats


@dataclass(frozen=True)
class Arcs:
    """Free accounts F with the reps who may own them, P arcs; see :mod:`optimize.by_prices.kernels`.

    An account whose care is decided is free even where only one rep may own it.

    Attributes:
        free: position of each free account in the request, [F].
        value, hours: of each arc, at the planned care or where prices put it, [P].
        lowest, highest: value of each arc at any care, [P].
        rests: accounts that need no owner, [F].
        care: how value and hours move with care; None where care is not decided.
    """

    free: Ints
    start: Ints
    account: Ints
    rep: Ints
    value: Floats
    hours: Floats
    lowest: Floats
    highest: Floats
    potential: Floats
    history: Floats
    rests: Bools
    moves: Moves
    counted: Counted
    reps: int
    care: Care | None = None

    @cached_property
    def of_rep(self) -> Ints:
        """Arcs by rep, [P]."""
        return np.argsort(self.rep, kind="stable")

    @cached_property
    def first(self) -> Ints:
        """Where the arcs of each rep begin in ``of_rep``, [R + 1]."""
        counts = np.bincount(self.rep, minlength=self.reps)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @cached_property
    def largest(self) -> Floats:
        """The largest sales that an account may bring, at least a hair, [F]."""
        out = np.full(len(self.free), 1e-6)
        np.maximum.at(out, self.account, np.abs(self.value))
        return out

    def over_rep(self, weights: Floats | None = None) -> Floats:
        """Sum of weights of arcs by rep, [R]."""
        return np.bincount(self.rep, weights, self.reps).astype(np.float64)


@dataclass(frozen=True)
class Settled:
    """Accounts that leave no choice.

    Attributes:
        account, rep: those with an owner; owner: of every account, today's where it is still to be chosen, [A].
    """

    account: Ints
    rep: Ints
    owner: Ints


def planned_care(problem: AllocationProblem) -> Floats:
    """Care hours a year of every account as simulated, locked ones as locked, [A]."""
    care = problem.accounts.care_base.copy()
    care[list(problem.locks.care)] = list(problem.locks.care.values())
    return care


def cares(problem: AllocationProblem) -> bool:
    """Whether care hours are to be decided: there is a budget for them, and a step may change some."""
    still = problem.trust is not None and problem.trust.care <= 0.0
    return problem.accounts.care_budget is not None and not still


def arcs_of(problem: AllocationProblem, unit: float) -> tuple[Arcs, Settled]:
    """The arcs of a request, and what is settled already."""
    offer = problem.accounts
    pairs, rests = _pairs_in_reach(problem)
    choices = np.diff(pairs.start) + rests
    open_ = choices > 1
    if cares(problem):
        locked = np.zeros(len(offer.ids), dtype=np.bool_)
        locked[list(problem.locks.care)] = True
        open_ |= (choices > 0) & ~locked
    mine = open_[pairs.account]
    free = np.flatnonzero(open_)
    account, rep = pairs.account[mine], pairs.rep[mine]
    local = np.searchsorted(free, account)
    care = planned_care(problem)
    sales = offer.sales(care) if problem.locks.care else offer.base_sales
    value = offer.values(account, rep, care, sales) / unit
    decided = care_of(problem, unit, free, account, rep) if cares(problem) else None
    arcs = Arcs(
        free=free,
        start=np.searchsorted(local, np.arange(len(free) + 1)).astype(np.int64),
        account=local,
        rep=rep,
        value=value,
        hours=offer.order_hours[account, rep] + offer.care_load[rep] * care[account],
        lowest=value if decided is None else decided.lowest(local),
        highest=value if decided is None else decided.highest(local),
        potential=offer.potential[free] / unit,
        history=offer.history[free] / unit,
        rests=rests[free],
        moves=_moves(problem, free, local, rep, pairs.account[~mine], pairs.rep[~mine]),
        counted=counted_of(problem, account, rep, pairs.account[~mine], pairs.rep[~mine]),
        reps=len(problem.reps),
        care=decided,
    )
    owner = offer.today.copy()
    owner[pairs.account[~mine]] = pairs.rep[~mine]
    return arcs, Settled(pairs.account[~mine], pairs.rep[~mine], owner)


def _pairs_in_reach(problem: AllocationProblem) -> tuple[Pairs, Bools]:
    """Who may own which account, and which may be left to the house, where a step of no moves settles the rest."""
    pairs, rests, base = possible_pairs(problem), may_rest(problem), problem.accounts.base
    if problem.trust is None or problem.trust.moves >= 1:
        return pairs, rests
    stays = pairs.rep == base[pairs.account]
    could = np.zeros(len(base), dtype=np.bool_)
    could[pairs.account[stays]] = True
    keep = stays | ~could[pairs.account]
    return Pairs.of(pairs.account[keep], pairs.rep[keep], pairs.shape), rests & ~could


def _moves(problem: AllocationProblem, free: Ints, account: Ints, rep: Ints, settled: Ints, owner: Ints) -> Moves:
    """Limits that may hold an account back: by the rule on today's owners, and by the step from simulated ones.

    Args:
        account, rep: of each arc, accounts by place among the free; settled, owner: accounts of no choice.
    """
    offer = problem.accounts
    arc, rest, most = [], [], []
    forced = int((owner != offer.today[settled]).sum())
    allowed = float(max(offer.max_moves - forced, 0))
    if allowed < len(free):
        arc.append(rep != offer.today[free][account])
        rest.append(offer.today[free] >= 0)
        most.append(allowed)
    if problem.trust is not None:
        base = offer.base[free]
        could = np.zeros(len(free), dtype=np.bool_)
        could[account[rep == base[account]]] = True
        leaves = could[account] & (rep != base[account])
        if problem.trust.moves < could.sum():
            same = bool(arc) and np.array_equal(arc[0], leaves) and np.array_equal(rest[0], could)
            if same:
                most[0] = min(most[0], float(problem.trust.moves))
            else:
                arc.append(leaves)
                rest.append(could)
                most.append(float(problem.trust.moves))
    return Moves(
        np.array(arc, dtype=np.float64).reshape(len(most), len(rep)),
        np.array(rest, dtype=np.float64).reshape(len(most), len(free)),
        np.array(most, dtype=np.float64),
    )
