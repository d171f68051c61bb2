"""What becomes of accounts whose owner leaves within the horizon: part of their orders is somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class HandedOn:
    """Accounts that one rep hands on to another, -1 for one who carries no quota, and the part of each, [n]."""

    account: Ints
    giver: int
    taker: int
    part: Floats


@dataclass(frozen=True)
class Succession:
    """Who has the accounts of leavers after them, and for how much of the horizon's orders.

    Attributes:
        parts: by leaver and taker, the share of each account's orders in the horizon that the taker gets, [A].
        there: share of the horizon's days in which each rep is employed, [R].
    """

    parts: Mapping[int, Mapping[int, Floats]] = field(default_factory=dict)
    there: Floats = field(default_factory=lambda: np.ones(0))

    def of(self, account: Ints, owner: Ints) -> Iterator[HandedOn]:
        """What is handed on of accounts with these owners at the start."""
        for giver, takers in self.parts.items():
            mine = account[owner == giver]
            if len(mine):
                for taker, part in takers.items():
                    yield HandedOn(mine, giver, taker, part[mine])

    def moved(self, account: Ints, owner: Ints, amount: Floats, reps: int) -> Floats:
        """What handing on adds to each rep of a figure that is the same whoever owns the account, [R].

        Args:
            amount: of every account over the horizon, [A].
        """
        out = np.zeros(reps)
        for one in self.of(account, owner):
            passed = float(one.part @ amount[one.account])
            out[one.giver] -= passed
            if one.taker >= 0:
                out[one.taker] += passed
        return out
