"""Training on offer: what hours in a skill add to the sales of a rep, and the limits on them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingOffer:
    """Training on offer.

    Attributes:
        gain: what m steps in skill k add to the sales of rep r, [R, K, M + 1].
        step: hours of one step.
        budget: hours in all.
        cap: hours of one rep.
        base: hours in the plan that was simulated, [R, K].
        price: of an hour, minor units; ``money``: what all hours may cost, None where that does not matter.
        periods: labels of the reporting periods; ``slots``: positions of those in which each rep can be trained.
        capacity: hours that trainers can give in a period; None where that does not matter.
        room: working hours of each rep by period, [R, P]; None where time is never short.
    """

    skills: tuple[str, ...]
    step: float
    gain: Floats
    budget: float
    cap: float
    base: Floats
    price: float = 0.0
    money: float | None = None
    periods: tuple[str, ...] = ()
    slots: tuple[tuple[int, ...], ...] = ()
    capacity: float | None = None
    room: Floats | None = None

    @property
    def working(self) -> Floats:
        """Working hours of each rep by period, infinite where time is never short, [R, P]."""
        if self.room is None:
            return np.full((len(self.base), len(self.periods)), np.inf)
        return self.room

    def most_time(self, *, whole: bool = False) -> Floats:
        """Hours that the working time in each rep's periods of training takes, in whole steps where asked, [R]."""
        if self.room is None:
            return np.full(len(self.base), np.inf)
        room = np.floor(self.room / self.step + 1e-9) * self.step if whole else self.room
        return np.array([float(room[r, list(mine)].sum()) for r, mine in enumerate(self.slots)])

    @property
    def most(self) -> float:
        """Hours in all that every limit leaves: budget, money, and trainers in the periods that anybody has."""
        limits = [self.budget]
        if self.money is not None and self.price > 0:
            limits.append(self.money / self.price)
        if self.capacity is not None:
            limits.append(self.capacity * len({p for mine in self.slots for p in mine}))
        return min(limits)

    @property
    def steps(self) -> int:
        """Most steps of one rep in one skill, M."""
        return int(self.gain.shape[2]) - 1

    def up_to(self, hours: float) -> TrainingOffer:
        """The offer with steps up to so many hours of a rep; those beyond its own bring nothing more."""
        more = max(math.ceil(hours / self.step - 1e-9) - self.steps, 0)
        return replace(self, gain=np.pad(self.gain, ((0, 0), (0, 0), (0, more)), mode="edge"))

    def gain_at(self, hours: Floats) -> Floats:
        """Gain of each rep over the simulated plan, linear between steps; hours [R, K] -> [R]."""
        return self._worth(hours) - self._worth(self.base)

    def _worth(self, hours: Floats) -> Floats:
        if not self.gain.shape[1]:
            return np.zeros(self.gain.shape[0])
        at = np.clip(hours / self.step, 0.0, self.steps)
        low = np.minimum(at.astype(np.int64), max(self.steps - 1, 0))
        high = np.minimum(low + 1, self.steps)
        r, k = np.indices(low.shape)
        values = self.gain[r, k, low] + (at - low) * (self.gain[r, k, high] - self.gain[r, k, low])
        return np.asarray(values.sum(axis=1))
