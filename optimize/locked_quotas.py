"""Quotas fixed by people, over the horizon or in single periods, and the room that they leave to totals and parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from optimize.metrics import Window
from scenarios.errors import Problem
from scenarios.goals import Level
from scenarios.plan import is_money

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HALF = 0.5
"""Half a minor unit or count: what floating point may be off."""


@dataclass(frozen=True)
class LockedQuotas:
    """Locks on one metric at one level, minor units or counts.

    Attributes:
        whole: quota over the horizon, by position of the rep.
        cells: quota in a period, by positions of rep and period.
        told: each of them in words with its author, by position of the rep.
    """

    metric: str
    whole: Mapping[int, int] = field(default_factory=dict)
    cells: Mapping[tuple[int, int], int] = field(default_factory=dict)
    told: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.whole or self.cells)

    @property
    def reps(self) -> frozenset[int]:
        """Whose quota is locked, in whole or in part."""
        return frozenset(self.whole) | {r for r, _ in self.cells}

    def fixed(self, shape: tuple[int, int]) -> Ints:
        """Locked cells, 0 elsewhere, [R, P]."""
        out = np.zeros(shape, dtype=np.int64)
        for cell, value in self.cells.items():
            out[cell] = value
        return out

    def mask(self, shape: tuple[int, int]) -> Bools:
        """Which cells are locked, [R, P]."""
        out = np.zeros(shape, dtype=np.bool_)
        for cell in self.cells:
            out[cell] = True
        return out

    def row(self, r: int, count: int) -> Floats:
        """Locked periods of one rep, NaN where none is locked, [count]."""
        return np.array([self.cells.get((r, p), np.nan) for p in range(count)], dtype=np.float64)

    def least(self, count: int) -> Floats:
        """What locked periods alone come to for whoever is not locked over the horizon, [R]."""
        out = np.zeros(count)
        for (r, _), value in self.cells.items():
            out[r] += 0.0 if r in self.whole else value
        return out

    def held(self, count: int) -> Floats:
        """What locks alone come to over the horizon, [R]."""
        out = self.least(count)
        for r, value in self.whole.items():
            out[r] = value
        return out

    def settled(self, carried: Bools) -> tuple[LockedQuotas, list[Problem]]:
        """The same, where whoever has all periods locked is locked over the horizon; and locks that leave no room.

        Args:
            carried: periods in which each rep carries a quota, [R, P].
        """
        fixed, mask = self.fixed(carried.shape), self.mask(carried.shape)
        whole, problems = dict(self.whole), []
        for r in sorted({r for r, _ in self.cells}):
            held, every = int(fixed[r].sum()), not (carried[r] & ~mask[r]).any()
            if r not in whole and every:
                whole[r] = held
            off = held - whole.get(r, held)
            if off > 0 or (every and off != 0):
                word = "too much" if off > 0 else "missing"
                rule = f"locked periods sum to {self.shown(held)}, the horizon is locked at {self.shown(whole[r])}"
                problems.append(self.refusal(abs(off), word, rule, [r]))
        return replace(self, whole=whole), problems

    def shown(self, value: float) -> str:
        """A figure as a person writes it."""
        return f"{value / 100:,.2f}" if is_money(self.metric) else f"{value:,.0f}"

    def refusal(self, amount: float, word: str, rule: str, reps: Sequence[int]) -> Problem:
        """Locks that leave no room, with the missing amount and who put them on."""
        held = "; ".join(text for r in reps for text in self.told.get(r, ()))
        value = f"{self.metric}: {self.shown(amount)} {word}"
        return Problem("allocation.locks", value, rule, f"change or remove one of: {held}")

    def beyond(self, level: Level, targets: Ints, rest: Ints) -> Iterator[Problem]:
        """Locked periods of a floor or stretch that do not fit the quotas there, or leave other periods no room.

        Args:
            targets: quotas by rep and period, [R, P].
            rest: of each rep's floor or stretch, what locked periods leave to the others, [R].
        """
        way = {"floor": -1, "target": 0, "stretch": 1}[level]
        for (r, p), value in self.cells.items():
            if (value - int(targets[r, p])) * way < 0:
                rule = f"the {level} is locked at {self.shown(value)} in period {p + 1}, the quota there is "
                rule += f"{self.shown(int(targets[r, p]))}"
                word = "too much" if way < 0 else "missing"
                yield self.refusal(abs(value - int(targets[r, p])), word, rule, [r])
        open_targets = np.where(self.mask(targets.shape), 0, targets).sum(axis=1)
        for r in sorted({r for r, _ in self.cells}):
            if (int(rest[r]) - int(open_targets[r])) * way < 0:
                rule = (
                    f"locked periods leave {self.shown(int(rest[r]))} of the {level} to this person's other periods, "
                )
                rule += f"whose quotas sum to {self.shown(int(open_targets[r]))}"
                word = "missing" if way < 0 else "too much"
                yield self.refusal(abs(int(rest[r]) - int(open_targets[r])), word, rule, [r])

    def windows(
        self, windows: Sequence[Window], teams: Sequence[str], carried: Bools
    ) -> tuple[list[Window], list[Window], list[Problem]]:
        """Parts of the horizon that locked periods leave room for, those of teams that give way, and refusals.

        Where one part of a team has no room, all of its parts give way: kept, they would fix the one that cannot be.

        Args:
            carried: periods in which each rep carries a quota, [R, P].
        """
        fixed, mask = self.fixed(carried.shape), self.mask(carried.shape)
        kept, overruled, problems = [], [], []
        for window in windows:
            mine = window.mask(teams, carried.shape[1])
            held = int(fixed[mine].sum())
            full = mask[mine].any() and not (carried & ~mask)[mine].any()
            missing = window.total - held
            if missing >= 0 and not (full and missing):
                kept.append(window)
            elif window.team is not None:
                overruled.append(window)
            else:
                word = "too much" if missing < 0 else "missing"
                first, last = window.periods[0] + 1, window.periods[-1] + 1
                rule = f"locked periods sum to {self.shown(held)}, but periods {first} to {last} of the company must "
                rule += f"sum to {self.shown(window.total)}"
                problems.append(self.refusal(abs(missing), word, rule, sorted({r for r, _ in self.cells})))
        beaten = {window.team for window in overruled}
        overruled += [window for window in kept if window.team in beaten]
        return [window for window in kept if window.team not in beaten], overruled, problems
