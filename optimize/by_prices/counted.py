"""Limits on how many accounts of a tier a rep owns and how many a team gains or loses, as arcs count towards them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optimize.account_limits import AccountLimit
from optimize.pairs import Bools, Floats, Ints
from optimize.problem import AllocationProblem


@dataclass(frozen=True)
class Counted:
    """Rows ``sign * count <= most``: L kinds of limits on S subjects in all, P arcs. Nothing counts without an owner.

    Attributes:
        row: of the subject that an arc counts for, -1 for nobody, [L, P].
        sign: 1 where a row says how many at most, -1 where it says how many at least, [S].
        most: what accounts that leave a choice may come to, signed; infinite where locks come before the row, [S].
    """

    row: Ints
    sign: Floats
    most: Floats

    @cached_property
    def binds(self) -> Bools:
        """Rows that may hold an account back, [S]."""
        return np.isfinite(self.most)

    def priced(self, prices: Floats) -> Floats:
        """What each arc pays at these prices of rows, [P]."""
        signed = np.append(self.sign * prices, 0.0)
        return np.asarray(signed[self.row].sum(axis=0))

    def sums(self, parts: Floats) -> Floats:
        """Signed counts where arcs are chosen so far, [S]."""
        out = np.zeros(len(self.sign) + 1)
        for row in self.row:
            out += np.bincount(row + 1, parts, len(out))
        return self.sign * out[1:]

    def of(self, arc: int) -> Ints:
        """Rows that an arc counts for; none without an owner, which is -1."""
        rows = self.row[:, arc] if arc >= 0 else self.row[:0, 0]
        return rows[rows >= 0]


def counted_of(problem: AllocationProblem, account: Ints, rep: Ints, settled: Ints, owner: Ints) -> Counted:
    """The limits of a request.

    Args:
        account, rep: of each arc; settled, owner: accounts that leave no choice.
    """
    rows, signs, most, begin = [], [], [], 0
    for limit in problem.accounts.limits:
        whose = limit.subject(account, rep)
        rows.append(np.where(whose >= 0, begin + whose, -1))
        sign = 1.0 if limit.upper else -1.0
        left = sign * (limit.limit - _held(limit, settled, owner))
        # A limit gives way to locks and to nothing else; whom they leave too few, nobody can say beforehand.
        given_way = np.maximum(left, 0.0) if limit.upper else np.full(len(left), np.inf)
        most.append(np.where(limit.touched(problem.locks.owner), given_way, left))
        signs.append(np.full(len(limit.subjects), sign))
        begin += len(limit.subjects)
    none = np.zeros(0)
    table = np.array(rows, dtype=np.int64).reshape(len(rows), len(account))
    return Counted(table, np.concatenate([none, *signs]), np.concatenate([none, *most]))


def _held(limit: AccountLimit, account: Ints, rep: Ints) -> Floats:
    whose = limit.subject(account, rep)
    return np.bincount(whose[whose >= 0], minlength=len(limit.subjects)).astype(np.float64)
