"""Which rep owns which account, and how many hours of care it gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from optimize.metrics import Metric, Rates
from optimize.pairs import PairLabels, Pairs, as_pairs
from optimize.parts import account_rows
from optimize.parts.account_rows import OwnerPairs
from optimize.problem import AllocationProblem, Bools, Floats, Ints, raised
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.curves import Stretch, as_it_is, enveloped

OWNER = "account owner"
CARE = "care hours"
REACHED = "care beyond a bend"
GATE = "care needs its owner"
"""Rows that let pieces of care be filled only by the owner, or only after the last piece before."""


@dataclass(frozen=True)
class Ownership:
    """Linear expressions per rep: gain, potential and last sales (units of money), and hours asked for.

    Attributes:
        away: accounts of choice that leave the owner of the simulated plan, one expression.
        care_change: care hours of each account whose care is decided, less those of the simulated plan.
        others: gains in other metrics by rep, each in its own unit.
    """

    gain: Linear
    potential: Linear
    history: Linear
    load: Linear
    away: Linear
    care_change: Linear
    potential_by_owner: Linear
    others: tuple[Linear, ...] = ()

    def with_leads(self, load: Linear, potential: Linear) -> Ownership:
        """The same with the hours and the potential of leads that are handed out."""
        by_owner = self.potential_by_owner + potential
        return replace(self, load=self.load + load, potential=self.potential + potential, potential_by_owner=by_owner)


def possible_pairs(problem: AllocationProblem) -> Pairs:
    """Each account with the reps who may own it, locks respected.

    Where rules may be dropped in turn, those whom a rule bars are among them: rows say then what the rule says.
    """
    offer, locked = problem.accounts, problem.locks.owner
    pairs = as_pairs(offer.allowed)
    if not problem.firm and offer.barred:
        every = [pairs, *offer.barred.values()]
        account, rep = (np.concatenate([getattr(one, side) for one in every]) for side in ("account", "rep"))
        pairs = Pairs.of(account, rep, pairs.shape)
    if not locked:
        return pairs
    fixed = np.zeros(len(offer.ids), dtype=np.bool_)
    fixed[list(locked)] = True
    free = ~fixed[pairs.account]
    account = np.concatenate([pairs.account[free], np.array(list(locked), dtype=np.int64)])
    rep = np.concatenate([pairs.rep[free], np.array(list(locked.values()), dtype=np.int64)])
    return Pairs.of(account, rep, pairs.shape)


def settled(problem: AllocationProblem) -> tuple[Ints, Ints]:
    """Accounts that leave no choice of owner, and their owners; those of leavers are among them."""
    pairs = possible_pairs(problem)
    one = np.repeat(np.diff(pairs.start) + may_rest(problem) == 1, np.diff(pairs.start))
    return pairs.account[one], pairs.rep[one]


def may_rest(problem: AllocationProblem) -> Bools:
    """Accounts that may be left to the house, locks respected, [A]."""
    house = problem.accounts.house
    out = np.zeros(len(problem.accounts.ids), dtype=np.bool_) if house is None else house.copy()
    out[list(problem.locks.owner)] = False
    return np.asarray(out)


def add(
    blocks: Blocks,
    problem: AllocationProblem,
    unit: float,
    knots: tuple[Floats, ...],
    metrics: Sequence[Metric] = (),
    *,
    bends: bool = False,
    above: bool = False,
) -> Ownership:
    """Add owners and care.

    Args:
        knots: care hours at which each account's curve is cut, where care is a decision.
        metrics: those whose gains are wanted as well.
        bends: whether curves that are not concave are told as they are, by whole columns, or by their envelopes.
        above: whether pieces that tell them as they are lie nowhere below them.
    """
    offer = problem.accounts
    pairs = _pairs(blocks, problem)
    hours, cut = _care(blocks, problem, pairs, knots, partial(as_it_is, above=above) if bends else enveloped)
    gain = _gain(blocks, problem, pairs, cut, unit)
    load = _by_rep(blocks, "account hours", problem, pairs, hours, problem.load) + cut.load
    own = offer.potential[pairs.account] / unit
    base = (problem.potential + offer.potentials_handed_on(*settled(problem))) / unit
    potential = _by_rep(blocks, "account potential", problem, pairs, own, base)
    account_rows.add(blocks, problem, pairs, may_rest(problem))
    last = offer.history[pairs.account] / unit
    history = _by_rep(blocks, "account history", problem, pairs, last, _history_without(problem) / unit)
    by_owner = _on_owners(problem, pairs, own, base)
    others = tuple(_gain(blocks, problem, pairs, cut, metric.unit, metric).times(metric.unit) for metric in metrics)
    return Ownership(gain, potential, history, load, _away(problem, pairs), cut.change, by_owner, others)


def _gain(
    blocks: Blocks, problem: AllocationProblem, pairs: OwnerPairs, cut: _Cut, unit: float, metric: Metric | None = None
) -> Linear:
    """What accounts and care bring each rep above the simulated plan: sales, or another metric."""
    offer = problem.accounts
    rates = None if metric is None else metric.rates
    steady = np.zeros(len(problem.reps))
    known = np.flatnonzero(offer.base >= 0)
    owner = offer.base[known]
    np.add.at(steady, owner, -offer.values(known, owner, offer.care_base, offer.base_sales, rates))
    steady += offer.sales_handed_on(*settled(problem), rates) - offer.sales_handed_on(known, owner, rates)
    worth = offer.values(pairs.account, pairs.rep, cut.start, cut.sales, rates)
    name = "account sales" if metric is None else f"account sales as {metric.name}"
    owned = _by_rep(blocks, name, problem, pairs, worth / unit, steady / unit)
    care = cut.sold - cut.displaced
    if rates is not None:
        care = cut.sold_as(rates) - cut.displaced.times(rates.lead)
    return owned + care.times(1 / unit)


def _away(problem: AllocationProblem, pairs: OwnerPairs) -> Linear:
    """How many accounts leave the owner of the simulated plan who could stay."""
    stays = (pairs.col >= 0) & (pairs.rep == problem.accounts.base[pairs.account])
    return Linear.constants(np.array([float(stays.sum())])) - Linear.total(pairs.col[stays])


def _history_without(problem: AllocationProblem) -> Floats:
    """Last sales less those of today's accounts, with what leavers hand on, [R]; none where no full last period."""
    out, offer = np.nan_to_num(problem.last_sales), problem.accounts
    known = offer.today >= 0
    np.add.at(out, offer.today[known], -offer.history[known])
    return np.asarray(out + offer.histories_handed_on(*settled(problem)))


def _pairs(blocks: Blocks, problem: AllocationProblem) -> OwnerPairs:
    pairs = possible_pairs(problem)
    choices = np.diff(pairs.start) + may_rest(problem)
    free = np.flatnonzero(np.repeat(choices > 1, np.diff(pairs.start)))
    col = np.full(len(pairs.rep), -1, dtype=np.int64)
    if len(free):
        labels = PairLabels(problem.accounts.ids, problem.reps, pairs.account[free], pairs.rep[free])
        col[free] = blocks.columns(OWNER, labels, 0.0, 1.0, integer=True)
    return OwnerPairs(pairs.account, pairs.rep, col)


def _by_rep(
    blocks: Blocks, name: str, problem: AllocationProblem, pairs: OwnerPairs, coef: Floats, constant: Floats
) -> Linear:
    """Sum of coef over the pairs of each rep that hold: a column of its own where owners are chosen.

    So a rule on it costs one entry a rep, not one a pair.
    """
    whole = _on_owners(problem, pairs, coef, constant)
    if not len(whole.col):
        return whole
    column = blocks.columns(name, problem.reps, -np.inf, np.inf)
    base = Linear.constants(whole.constant)
    blocks.rows(name, problem.reps, whole + (Linear.columns(column, -1.0) - base), 0.0, 0.0, kept=True)
    return Linear.columns(column) + base


def _on_owners(problem: AllocationProblem, pairs: OwnerPairs, coef: Floats, constant: Floats) -> Linear:
    """The same sum, written on the columns of the owners."""
    count = len(problem.reps)
    fixed = np.flatnonzero(pairs.col < 0)
    base = constant + np.bincount(pairs.rep[fixed], weights=coef[fixed], minlength=count)
    counting = coef != 0.0
    counting[fixed] = False
    if counting.all():
        return Linear.of(count, pairs.rep, pairs.col, coef, base)
    counts = np.flatnonzero(counting)
    return Linear.of(count, pairs.rep[counts], pairs.col[counts], coef[counts], base)


@dataclass(frozen=True)
class _Cut:
    """Care beyond the start of each account's curve.

    Attributes:
        start: care hours where the curves start, [A]; ``sales``: in a year there, on the concave envelope, [A].
        sold: sales of accounts by rep; ``displaced``: sales of leads that the hours displace; ``load``: hours.
        change: care hours of each account whose care is decided, less those of the simulated plan.
        account: whose each entry of ``sold`` is, by position.
    """

    start: Floats
    sales: Floats
    sold: Linear
    displaced: Linear
    load: Linear
    change: Linear
    account: Ints

    def sold_as(self, rates: Rates) -> Linear:
        """What those sales are worth in another metric."""
        return replace(self.sold, coef=self.sold.coef * rates.of_accounts(self.account))


def _gates(blocks: Blocks, cut: Stretch, cols: Ints, names: list[tuple[str, str]], owner: int) -> Ints:
    """The column that opens each piece: the owner's, or that of the last piece before it that must be full; else -1."""
    full = np.flatnonzero(cut.full[:-1])
    gate = np.full(len(cols), owner, dtype=np.int64)
    if len(full):
        done = blocks.columns(REACHED, [names[n] for n in full], 0.0, 1.0, integer=True)
        place = np.searchsorted(full, np.arange(len(cols)))
        gate[place > 0] = done[place[place > 0] - 1]
        filled = Linear.columns(cols[full]) + Linear.columns(done, -cut.pieces.width[full])
        blocks.rows("care in order", [str(names[n]) for n in full], filled, lower=0.0, kept=True)
    return gate


def _care(
    blocks: Blocks,
    problem: AllocationProblem,
    pairs: OwnerPairs,
    knots: tuple[Floats, ...],
    cut_by: Callable[[Callable[[float], float], Floats], Stretch],
) -> tuple[Floats, _Cut]:
    """Hours of each pair at the start of its care curve, and the columns of care beyond it."""
    offer, locked = problem.accounts, problem.locks.care
    count = len(problem.reps)
    start = np.zeros(len(offer.ids)) if offer.care_budget is not None else offer.care_base.copy()
    start[list(locked)] = list(locked.values())
    sales = offer.base_sales if np.array_equal(start, offer.care_base) else offer.sales(start)
    hours = offer.order_hours[pairs.account, pairs.rep] + offer.care_load[pairs.rep] * start[pairs.account]
    none, nobody = Linear.constants(np.zeros(count)), Linear.constants(np.zeros(0))
    no_entries = np.zeros(0, dtype=np.int64)
    if offer.care_budget is None:
        return hours, _Cut(start, sales, none, none, none, nobody, no_entries)
    columns: list[Ints] = []
    of_rep: list[Ints] = []
    of_account: list[Ints] = []
    slope: list[Floats] = []
    price: list[Floats] = []
    load: list[Floats] = []
    cuts: dict[int, Stretch] = {}
    sales = sales.copy()
    for i, (a, r) in enumerate(zip(pairs.account.tolist(), pairs.rep.tolist(), strict=True)):
        if a in locked:
            continue
        if a not in cuts:
            cuts[a] = cut_by(offer.curves[a].sales, knots[a])
            sales[a] = cuts[a].pieces.level
        pieces = cuts[a].pieces
        names = [(offer.ids[a], problem.reps[r])] * len(pieces.width)
        cols = blocks.columns(CARE, names, 0.0, pieces.width)
        columns.append(cols)
        of_rep.append(np.full(len(cols), r))
        of_account.append(np.full(len(cols), len(cuts) - 1))
        slope.append(offer.unit[a, r] * pieces.slope)
        price.append(np.full(len(cols), offer.hour_price[r] * offer.care_load[r]))
        load.append(np.full(len(cols), offer.care_load[r]))
        gate = _gates(blocks, cuts[a], cols, names, int(pairs.col[i]))
        behind = np.flatnonzero(gate >= 0)
        if len(behind):
            # Piece by piece rather than by their sum: nobody owns half an account for its best hours alone, so that
            # the relaxation is all but whole.
            opened = Linear.of(len(behind), np.arange(len(behind)), gate[behind], -pieces.width[behind])
            link = Linear.columns(cols[behind]) + opened
            blocks.rows(GATE, [str(names[n]) for n in behind], link, upper=0.0, kept=True)
    if not columns:
        return hours, _Cut(start, sales, none, none, none, nobody, no_entries)
    cols, reps, place = np.concatenate(columns), np.concatenate(of_rep), np.concatenate(of_account)
    spent = Linear.total(cols) + Linear.constants(np.array([sum(locked.values())]))
    # Locks may go beyond the budget; then nobody else is cared for, and it is broken no further.
    most = raised(offer.care_budget, locked)
    blocks.rows("care_budget", ["company"], spent, upper=most, loosen=Linear.constants(np.ones(1)))
    now = -offer.care_base[list(cuts)]
    cut = _Cut(
        start,
        sales,
        Linear.of(count, reps, cols, np.concatenate(slope)),
        Linear.of(count, reps, cols, np.concatenate(price)),
        Linear.of(count, reps, cols, np.concatenate(load)),
        Linear.of(len(cuts), place, cols, 1.0, now),
        np.array(list(cuts), dtype=np.int64)[place],
    )
    return hours, cut
