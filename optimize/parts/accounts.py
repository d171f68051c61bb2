"""Which rep owns which account, and how many hours of care it gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimize.blocks import Blocks, Linear
from optimize.curves import Pieces, care_pieces
from optimize.problem import AllocationProblem, Floats, Ints

OWNER = "account owner"
CARE = "care hours"


@dataclass(frozen=True)
class Ownership:
    """Linear expressions per rep: gain, potential and last sales (units of money), and hours asked for."""

    gain: Linear
    potential: Linear
    history: Linear
    load: Linear


@dataclass(frozen=True)
class _Pairs:
    """Every account with every rep who may own it; ``col`` is -1 where there is no choice."""

    account: Ints
    rep: Ints
    col: Ints


def owners_allowed(problem: AllocationProblem) -> list[list[int]]:
    """Positions of the reps who may own each account, locks respected."""
    offer = problem.accounts
    return [
        [problem.locks.owner[a]] if a in problem.locks.owner else np.flatnonzero(offer.allowed[a]).tolist()
        for a in range(len(offer.ids))
    ]


def add(blocks: Blocks, problem: AllocationProblem, unit: float, knots: tuple[Floats, ...]) -> Ownership:
    """Add owners and care.

    Args:
        knots: care hours at which each account's curve is cut, where care is a decision.
    """
    offer = problem.accounts
    count = len(problem.reps)
    pairs = _pairs(blocks, problem)
    chosen = pairs.col >= 0
    sure = ~chosen
    steady = np.zeros(count)
    for a, base in enumerate(offer.base):
        if base >= 0:
            steady[base] -= offer.value(a, int(base), float(offer.care_base[a]))
    worth, hours, cut = _care(blocks, problem, pairs, knots)
    gain = _by_rep(count, pairs, worth / unit, steady / unit) + cut.gain.times(1 / unit)
    load = _by_rep(count, pairs, hours, problem.load) + cut.load
    potential = _by_rep(count, pairs, offer.potential[pairs.account] / unit, problem.potential / unit)
    if chosen.any():
        _assignment_rows(blocks, problem, pairs, count)
    elif sure.any() and offer.max_per_rep is not None:
        _count_rows(blocks, problem, pairs, count)
    history = _by_rep(count, pairs, offer.history[pairs.account] / unit, _history_without(problem) / unit)
    return Ownership(gain, potential, history, load)


def _history_without(problem: AllocationProblem) -> Floats:
    """Last sales less those of today's accounts, [R]; 0 where there is no full last period."""
    out, offer = np.nan_to_num(problem.last_sales), problem.accounts
    known = offer.today >= 0
    np.add.at(out, offer.today[known], -offer.history[known])
    return np.asarray(out)


def _pairs(blocks: Blocks, problem: AllocationProblem) -> _Pairs:
    ids, reps = problem.accounts.ids, problem.reps
    account: list[int] = []
    rep: list[int] = []
    choice: list[bool] = []
    for a, allowed in enumerate(owners_allowed(problem)):
        account += [a] * len(allowed)
        rep += allowed
        choice += [len(allowed) > 1] * len(allowed)
    free = np.flatnonzero(np.array(choice, dtype=np.bool_))
    labels = [(ids[account[i]], reps[rep[i]]) for i in free]
    col = np.full(len(account), -1, dtype=np.int64)
    if labels:
        col[free] = blocks.columns(OWNER, labels, 0.0, 1.0, integer=True)
    return _Pairs(np.array(account, dtype=np.int64), np.array(rep, dtype=np.int64), col)


def _by_rep(count: int, pairs: _Pairs, coef: Floats, constant: Floats) -> Linear:
    """Sum of coef over the pairs of each rep that hold."""
    fixed, chosen = pairs.col < 0, pairs.col >= 0
    base = constant.copy()
    np.add.at(base, pairs.rep[fixed], coef[fixed])
    return Linear.of(count, pairs.rep[chosen], pairs.col[chosen], coef[chosen], base)


@dataclass(frozen=True)
class _Cut:
    gain: Linear
    load: Linear


def _care(
    blocks: Blocks, problem: AllocationProblem, pairs: _Pairs, knots: tuple[Floats, ...]
) -> tuple[Floats, Floats, _Cut]:
    """Worth and hours of each pair at the start of its care curve, and the columns of care beyond it."""
    offer, locked = problem.accounts, problem.locks.care
    count = len(problem.reps)
    worth, hours = np.zeros(len(pairs.account)), np.zeros(len(pairs.account))
    columns: list[Ints] = []
    of_rep: list[Ints] = []
    slope: list[Floats] = []
    load: list[Floats] = []
    cuts: dict[int, Pieces] = {}
    for i, (a, r) in enumerate(zip(pairs.account.tolist(), pairs.rep.tolist(), strict=True)):
        decided = offer.care_budget is not None and a not in locked
        start = 0.0 if decided else locked.get(a, float(offer.care_base[a]))
        worth[i], hours[i] = offer.value(a, r, start), offer.hours(a, r, start)
        if not decided:
            continue
        if a not in cuts:
            cuts[a] = care_pieces(offer.curves[a].sales, knots[a])
        pieces = cuts[a]
        worth[i] += offer.unit[a, r] * (pieces.level - offer.curves[a].sales(start))
        names = [(offer.ids[a], problem.reps[r])] * len(pieces.width)
        cols = blocks.columns(CARE, names, 0.0, pieces.width)
        columns.append(cols)
        of_rep.append(np.full(len(cols), r))
        slope.append(offer.unit[a, r] * pieces.slope - offer.hour_price[r] * offer.care_load[r])
        load.append(np.full(len(cols), offer.care_load[r]))
        if pairs.col[i] >= 0:
            most = float(pieces.width.sum())
            link = Linear.total(cols) + Linear.total(pairs.col[i : i + 1], -most)
            blocks.rows("care needs its owner", [str(names[0])], link, upper=0.0, kept=True)
    if not columns:
        none = Linear.constants(np.zeros(count))
        return worth, hours, _Cut(none, none)
    cols, reps = np.concatenate(columns), np.concatenate(of_rep)
    spent = Linear.total(cols) + Linear.constants(np.array([sum(locked.values())]))
    soft = np.array([bool(locked)])
    one = Linear.constants(np.ones(1))
    blocks.rows("care_budget", ["company"], spent, upper=offer.care_budget or 0.0, loosen=one, giving_way=soft)
    cut = _Cut(Linear.of(count, reps, cols, np.concatenate(slope)), Linear.of(count, reps, cols, np.concatenate(load)))
    return worth, hours, cut


def _assignment_rows(blocks: Blocks, problem: AllocationProblem, pairs: _Pairs, count: int) -> None:
    offer = problem.accounts
    chosen = np.flatnonzero(pairs.col >= 0)
    accounts = np.unique(pairs.account[chosen])
    place = {int(a): i for i, a in enumerate(accounts)}
    rows = np.array([place[int(a)] for a in pairs.account[chosen]])
    one_owner = Linear.of(len(accounts), rows, pairs.col[chosen], 1.0)
    blocks.rows("one owner", [offer.ids[a] for a in accounts], one_owner, 1.0, 1.0, kept=True)
    stays = [i for i in chosen if pairs.rep[i] == offer.today[pairs.account[i]]]
    forced = sum(1 for a, rep in problem.locks.owner.items() if rep != offer.today[a])
    away = Linear.constants(np.array([float(len(accounts))])) - Linear.total(pairs.col[stays])
    allowed = max(0, offer.max_moves - forced)
    blocks.rows("account_moves", ["company"], away, upper=float(allowed), loosen=Linear.constants(np.ones(1)))
    if offer.max_per_rep is not None:
        _count_rows(blocks, problem, pairs, count)


def _count_rows(blocks: Blocks, problem: AllocationProblem, pairs: _Pairs, count: int) -> None:
    held = _by_rep(count, pairs, np.ones(len(pairs.account)), np.zeros(count))
    locked = set(problem.locks.owner.values())
    blocks.rows(
        "accounts_per_rep",
        problem.reps,
        held,
        upper=float(problem.accounts.max_per_rep or 0),
        loosen=Linear.constants(np.ones(count)),
        giving_way=np.array([r in locked for r in range(count)]),
    )
