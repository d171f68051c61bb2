"""What owners must keep: one each, so many moves, so many accounts by rep and team, nobody whom a rule bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimize.pairs import named
from optimize.problem import AllocationProblem, Bools, Ints
from optimize.programme.blocks import Blocks, Linear


@dataclass(frozen=True)
class OwnerPairs:
    """Every account with every rep who may own it; ``col`` is -1 where there is no choice."""

    account: Ints
    rep: Ints
    col: Ints


def add(blocks: Blocks, problem: AllocationProblem, pairs: OwnerPairs, rests: Bools) -> None:
    """Add the rows.

    Args:
        rests: accounts that may be left to the house, [A].
    """
    if (pairs.col >= 0).any():
        _assignment_rows(blocks, problem, pairs, rests)
    if len(pairs.col) and problem.accounts.max_per_rep is not None:
        _count_rows(blocks, problem, pairs)
    _limit_rows(blocks, problem, pairs)
    _barred_rows(blocks, problem, pairs)


def _assignment_rows(blocks: Blocks, problem: AllocationProblem, pairs: OwnerPairs, rests: Bools) -> None:
    offer = problem.accounts
    chosen = np.flatnonzero(pairs.col >= 0)
    account = pairs.account[chosen]
    # Accounts rise from pair to pair.
    first = np.concatenate([[True], account[1:] != account[:-1]])
    accounts, rows = account[first], np.cumsum(first) - 1
    one_owner = Linear.of(len(accounts), rows, pairs.col[chosen], 1.0)
    least = np.where(rests[accounts], 0.0, 1.0)
    blocks.rows("one owner", named(offer.ids, accounts), one_owner, least, 1.0, kept=True)
    _move_rows(blocks, problem, pairs, accounts, rests)


def _move_rows(blocks: Blocks, problem: AllocationProblem, pairs: OwnerPairs, accounts: Ints, rests: Bools) -> None:
    """Accounts that leave today's owner: for another rep, for the house, or from the house to a rep."""
    offer = problem.accounts
    forced = sum(1 for a, rep in problem.locks.owner.items() if rep != offer.today[a])
    allowed = max(0, offer.max_moves - forced)
    if allowed >= len(accounts):
        return  # no more than all can move
    chosen = np.flatnonzero(pairs.col >= 0)
    at_house = offer.today < 0
    stays = chosen[pairs.rep[chosen] == offer.today[pairs.account[chosen]]]
    comes = chosen[(at_house & rests)[pairs.account[chosen]]]
    leaving = float((~(at_house & rests)[accounts]).sum())
    away = Linear.constants(np.array([leaving])) - Linear.total(pairs.col[stays]) + Linear.total(pairs.col[comes])
    blocks.rows("account_moves", ["company"], away, upper=float(allowed), loosen=Linear.constants(np.ones(1)))


def _count_rows(blocks: Blocks, problem: AllocationProblem, pairs: OwnerPairs) -> None:
    count = len(problem.reps)
    fixed, chosen = pairs.col < 0, pairs.col >= 0
    sure = np.bincount(pairs.rep[fixed], minlength=count).astype(np.float64)
    locked = set(problem.locks.owner.values())
    blocks.rows(
        "accounts_per_rep",
        problem.reps,
        Linear.of(count, pairs.rep[chosen], pairs.col[chosen], 1.0, sure),
        upper=float(problem.accounts.max_per_rep or 0),
        loosen=Linear.constants(np.ones(count)),
        giving_way=np.array([r in locked for r in range(count)]),
    )


def _limit_rows(blocks: Blocks, problem: AllocationProblem, pairs: OwnerPairs) -> None:
    """At most and at least so many accounts, by rep or by team."""
    for limit in problem.accounts.limits:
        count = len(limit.subjects)
        whose = limit.subject(pairs.account, pairs.rep)
        free = np.flatnonzero((whose >= 0) & (pairs.col >= 0))
        sure = whose[(whose >= 0) & (pairs.col < 0)]
        settled = np.bincount(sure, minlength=count).astype(np.float64)
        held = Linear.of(count, whose[free], pairs.col[free], 1.0, settled)
        none = np.full(count, np.inf)
        blocks.rows(
            limit.rule,
            limit.subjects,
            held,
            -none if limit.upper else limit.limit,
            limit.limit if limit.upper else none,
            loosen=Linear.constants(np.ones(count)),
            giving_way=limit.touched(problem.locks.owner),
        )


def _barred_rows(blocks: Blocks, problem: AllocationProblem, pairs: OwnerPairs) -> None:
    """No account goes to whom a rule bars; only where rules may be dropped, else such pairs have no column."""
    if problem.firm:
        return
    free = np.array([a not in problem.locks.owner for a in range(len(problem.accounts.ids))], dtype=np.bool_)
    size = len(problem.reps)
    for rule, barred in problem.accounts.barred.items():
        taken = np.isin(pairs.account * size + pairs.rep, barred.account * size + barred.rep) & free[pairs.account]
        chosen = taken & (pairs.col >= 0)
        sure = Linear.constants(np.array([float((taken & (pairs.col < 0)).sum())]))
        one = Linear.constants(np.ones(1))
        blocks.rows(rule, ["company"], Linear.total(pairs.col[chosen]) + sure, upper=0.0, loosen=one)
