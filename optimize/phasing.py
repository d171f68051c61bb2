"""When: quotas cut over the reporting periods by each rep's season, training laid into the early periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from scenarios import physics

Floats = NDArray[np.float64]
WHOLE_UNIT = 100
"""Minor units of one unit of currency."""


@dataclass(frozen=True)
class Period:
    """A reporting period, half-open."""

    label: str
    first: date
    end: date

    @property
    def days(self) -> int:
        """Its length."""
        return (self.end - self.first).days


def period_step(total: int, cells: int, step: int) -> int:
    """The step of quotas by period: the rounding step, or whole units of currency where cells hold less than ten steps.

    Args:
        total: what all cells sum to; ``cells``: how many there are.
        step: rounding step of quotas, in minor units.
    """
    return step if total >= 10 * step * cells else min(step, WHOLE_UNIT)


def seasons(by_period: Floats, presence: Floats | None = None) -> Floats:
    """Shares by period from simulated means [R, P]: each rep's own, half-way shrunken to the company's; [R, P].

    A single rep's month is a handful of deals, so its own season is noisy; the company's is not. Sales are simulated in
    the period in which they close, so that the lag of the sales cycle is in both.

    Args:
        presence: share of full pace at which each rep works in each period, [R, P]: the company's season is that of
            people at full pace, so that a new hire's is cut by it.
    """
    positive = np.maximum(by_period, 0.0)
    company = positive.sum(axis=0)
    company = company / company.sum() if company.sum() > 0 else np.full(by_period.shape[1], 1 / by_period.shape[1])
    totals = positive.sum(axis=1, keepdims=True)
    there = np.broadcast_to(company, positive.shape).copy()
    if presence is not None:
        paced = there * presence
        some = paced.sum(axis=1) > 0
        there[some] = paced[some] / paced[some].sum(axis=1, keepdims=True)
    own = np.divide(positive, totals, out=there.copy(), where=totals > 0)
    # Who is away in a period (hired later, gone earlier) has no share in it; without presence, who sells nothing there.
    here = own > 0 if presence is None else (own > 0) | (presence > 0)
    mixed = np.where(here, (own + there) / 2, 0.0)
    return np.asarray(mixed / mixed.sum(axis=1, keepdims=True))


def training_periods(periods: Sequence[Period]) -> list[int]:
    """Positions of the periods that take training: those whose middle lies in the first half of the horizon.

    Training pays back over the time that is left, so it comes early; spread, so that no month loses its selling hours.
    """
    start, end = periods[0].first, periods[-1].end
    half = (end - start).days / 2
    early = [p for p, period in enumerate(periods) if (period.first - start).days + period.days / 2 < half]
    return early or [0]


def training_effect(periods: Sequence[Period]) -> float:
    """Share of the horizon in which training spread as by :func:`training_periods` is in force, on average."""
    start, end = periods[0].first, periods[-1].end
    days = (end - start).days
    centres = [(periods[p].first - start).days + periods[p].days / 2 for p in training_periods(periods)]
    return 1.0 - float(np.mean(centres)) / days


def training_kept(periods: Sequence[Period], decay: float) -> float:
    """Share of a gain that is left on average over the horizon's rest, where ``decay`` is forgotten each month."""
    start, end = periods[0].first, periods[-1].end
    left = max(1, round(training_effect(periods) * (end - start).days / (365 / 12)))
    return float(np.mean([physics.gain_kept(1.0, decay, month) for month in range(left)]))


def laid_out(hours: Floats, step: float, periods: int, free: Sequence[Sequence[int]]) -> Floats:
    """Training hours [R, K] in whole steps over the periods, the company's load as even as it goes; [R, K, P].

    Args:
        periods: how many there are.
        free: for each rep, the positions of the periods in which they can be trained.
    """
    out = np.zeros((*hours.shape, periods))
    load = np.zeros(periods)
    for r, k in zip(*np.nonzero(hours > 0), strict=True):
        left = float(hours[r, k])
        while left > 1e-9:
            part = min(step, left)
            own = out[r].sum(axis=0)
            p = min(free[r], key=lambda p: (own[p], load[p], p))
            out[r, k, p] += part
            load[p] += part
            left -= part
    return out
