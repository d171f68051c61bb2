"""When training takes place: within each rep's periods and what trainers can give in each of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimize.phasing import Period, laid_out, training_periods
from optimize.problem import Floats, Ints
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.solve import solve
from optimize.training_offer import TrainingOffer

EVEN_LOAD = 10.0
"""Price of the n-th step in one period, times n: the company's load is spread first, then each rep's own."""
EXCESS = 1e6
"""Price of a step beyond what trainers can give: only where a plan's hours leave no other way."""


def training_slots(periods: Sequence[Period], employed: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Positions of the periods in which each rep can be trained: early ones in which the rep is employed throughout.

    Who is in none of the early periods is trained in any in which the rep is employed.
    """
    early = training_periods(periods)
    out = []
    for mine in employed:
        inside = [p for p in early if p in mine]
        out.append(tuple(inside or mine or range(len(periods))))
    return tuple(out)


def laid_training(offer: TrainingOffer, hours: Floats) -> Floats:
    """Training hours [R, K] over the periods, [R, K, P], the company's load as even as it goes.

    Trainers give at most ``offer.capacity`` hours in a period; where the hours do not fit at all, more than that, which
    the audit names.
    """
    count = len(offer.periods)
    if offer.capacity is None or not hours.any():
        return laid_out(hours, offer.step, count, offer.slots)
    by_period = _fitted(offer, hours.sum(axis=1))
    out = np.zeros((*hours.shape, count))
    for r in np.flatnonzero(hours.sum(axis=1) > 0):
        left = hours[r].copy()
        for p in np.flatnonzero(by_period[r] > 1e-9):
            room = by_period[r, p]
            for k in np.flatnonzero(left > 1e-9):
                part = min(room, left[k])
                out[r, k, p] += part
                left[k] -= part
                room -= part
    return out


def _fitted(offer: TrainingOffer, hours: Floats) -> Floats:
    """Hours of each rep by period within the trainers' capacity, [R, P]: a flow of least cost, in whole steps."""
    step, capacity = offer.step, float(offer.capacity or 0.0)
    blocks = Blocks()
    pairs = [(r, p) for r in np.flatnonzero(hours > 0).tolist() for p in offer.slots[r]]
    rep, period, price = [], [], []
    for r, p in pairs:
        for n in range(int(np.ceil(hours[r] / step - 1e-9))):
            rep.append(r)
            period.append(p)
            # Ties go to earlier periods.
            price.append(-(n + 1.0) - 1e-6 * p)
    cells = blocks.columns("hours", list(range(len(rep))), 0.0, step, np.array(price))
    steps = int(capacity / step + 1e-9)
    loads = np.repeat(np.arange(len(offer.periods)), steps)
    order = np.tile(np.arange(1.0, steps + 1.0), len(offer.periods))
    load = blocks.columns("load", loads.tolist(), 0.0, step, -EVEN_LOAD * order)
    excess = blocks.columns("excess", offer.periods, 0.0, np.inf, -EXCESS)
    count, total = len(offer.periods), len(hours)
    of_rep: Ints = np.array(rep, dtype=np.int64)
    blocks.rows("rep", [str(r) for r in range(total)], Linear.of(total, of_rep, cells, 1.0), hours, hours)
    used = Linear.of(count, np.array(period, dtype=np.int64), cells, 1.0)
    given = Linear.of(count, loads, load, 1.0) + Linear.columns(excess)
    blocks.rows("period", list(offer.periods), used - given, 0.0, 0.0)
    values = solve(blocks.programme()).values
    out = np.zeros((total, count))
    np.add.at(out, (of_rep, np.array(period, dtype=np.int64)), values[cells])
    return out
