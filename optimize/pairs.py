"""Accounts with those who may own them as a list of pairs: what a company of thousands of reps needs instead of tables.

A table of 50,000 accounts by 5,000 reps holds 250 million figures; with ten candidates each there are half a million
pairs. Both forms read alike, ``table[account, rep]``, for single positions and for arrays of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """Pairs of account and rep, accounts rising, and reps rising within an account.

    Attributes:
        shape: accounts A and reps R.
        start: where the pairs of each account begin, [A + 1].
        rep: of each pair, [P].
    """

    shape: tuple[int, int]
    start: Ints
    rep: Ints

    @classmethod
    def of(cls, account: Ints, rep: Ints, shape: tuple[int, int]) -> Pairs:
        """From pairs in any order, repeated or not."""
        key = np.unique(account * shape[1] + rep)
        start = np.searchsorted(key, np.arange(shape[0] + 1) * shape[1])
        return cls(shape, start.astype(np.int64), (key % shape[1]).astype(np.int64))

    @cached_property
    def account(self) -> Ints:
        """Of each pair, [P]."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.start))

    @cached_property
    def _key(self) -> Ints:
        return np.asarray(self.account * self.shape[1] + self.rep)

    def find(self, account: Ints | int, rep: Ints | int) -> Ints:
        """Positions of pairs.

        Raises:
            KeyError: naming the first that is no pair.
        """
        if account is self.account and rep is self.rep:
            return np.arange(len(self.rep))
        wanted = np.asarray(account) * self.shape[1] + np.asarray(rep)
        at = np.minimum(np.searchsorted(self._key, wanted), len(self._key) - 1)
        stray = np.flatnonzero(self._key[at] != wanted) if len(self._key) else np.zeros(np.size(wanted), dtype=np.int64)
        if len(stray):
            first = divmod(int(np.atleast_1d(wanted)[stray[0]]), self.shape[1])
            raise KeyError(f"account {first[0]} and rep {first[1]} are not among the pairs")
        return np.asarray(at)


@dataclass(frozen=True)
class ByPair:
    """Figures of pairs that read like a table [A, R]; values [P]."""

    pairs: Pairs
    values: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Accounts and reps."""
        return self.pairs.shape

    @overload
    def __getitem__(self, at: tuple[int, int]) -> float: ...
    @overload
    def __getitem__(self, at: tuple[Ints, Ints]) -> Floats: ...
    def __getitem__(self, at: tuple[Any, Any]) -> Any:
        found = self.pairs.find(*at)
        return float(self.values[found]) if np.ndim(found) == 0 else self.values[found]


Table = Floats | ByPair
"""Figures by account and rep, [A, R]."""
Candidates = Bools | Pairs
"""Who may own each account, [A, R]."""


def owners_of(allowed: Candidates, account: int) -> Ints:
    """Positions of the reps who may own an account, rising."""
    if isinstance(allowed, Pairs):
        return allowed.rep[allowed.start[account] : allowed.start[account + 1]]
    return np.flatnonzero(allowed[account])


def as_pairs(allowed: Candidates) -> Pairs:
    """The pairs of account and possible owner."""
    if isinstance(allowed, Pairs):
        return allowed
    account, rep = np.nonzero(allowed)
    shape = (allowed.shape[0], allowed.shape[1])
    start = np.concatenate([[0], np.cumsum(np.bincount(account, minlength=shape[0]))]).astype(np.int64)
    return Pairs(shape, start, rep.astype(np.int64))


def largest(table: Table, allowed: Candidates) -> Floats:
    """The largest figure of each account among its possible owners, 0 where there is none, [A]."""
    pairs = as_pairs(allowed)
    out = np.zeros(pairs.shape[0])
    np.maximum.at(out, pairs.account, table[pairs.account, pairs.rep])
    return out


def as_table(table: Table) -> Floats:
    """The figures as a table, NaN where there is no pair, [A, R]."""
    if not isinstance(table, ByPair):
        return table
    out = np.full(table.shape, np.nan)
    out[table.pairs.account, table.pairs.rep] = table.values
    return out


def named(names: tuple[str, ...], at: Ints) -> Sequence[str]:
    """The names at these rising positions."""
    return names if len(at) == len(names) else [names[i] for i in at.tolist()]


class PairLabels(Sequence[tuple[str, str]]):
    """Labels (first, second) that are put into words only where somebody reads them."""

    def __init__(self, firsts: Sequence[str], seconds: Sequence[str], first: Ints, second: Ints) -> None:
        self.firsts, self.seconds, self.first, self.second = firsts, seconds, first, second

    def __len__(self) -> int:
        return len(self.first)

    @overload
    def __getitem__(self, at: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, at: slice) -> PairLabels: ...
    def __getitem__(self, at: int | slice) -> tuple[str, str] | PairLabels:
        if isinstance(at, slice):
            return PairLabels(self.firsts, self.seconds, self.first[at], self.second[at])
        return self.firsts[self.first[at]], self.seconds[self.second[at]]
