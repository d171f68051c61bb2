"""When training takes place: within each rep's periods and what trainers can give in each of them."""

from __future__ import annotations

import numpy as np

from optimize.phasing import laid_out
from optimize.problem import Floats, Ints
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.solve import solve
from optimize.training_offer import TrainingOffer

EVEN_LOAD = 10.0
"""Price of the n-th step in one period, times n: the company's load is spread first, then each rep's own."""
PART_OF_A_STEP = 1e4
"""Price of a part of a step, where working time leaves no more: whole steps come first."""
EXCESS = 1e6
"""Price of a step beyond what trainers can give: only where a plan's hours leave no other way."""


def laid_training(offer: TrainingOffer, hours: Floats) -> Floats:
    """Training hours [R, K] over the periods, [R, K, P], the company's load as even as it goes.

    Trainers give at most ``offer.capacity`` hours in a period; where the hours do not fit at all, more than that, which
    the audit names.
    """
    count = len(offer.periods)
    if offer.capacity is None or not hours.any():
        return laid_out(hours, offer.step, offer.working, offer.slots)
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
    everywhere = tuple(range(len(offer.periods)))
    beyond = offer.most_time()
    pairs = [(r, p) for r in np.flatnonzero(hours > 0).tolist() for p in offer.slots[r] or everywhere]
    rep: list[int] = []
    period: list[int] = []
    price: list[float] = []
    most: list[float] = []
    for r, p in pairs:
        room = float(offer.working[r, p]) if hours[r] <= beyond[r] else np.inf
        for n in range(int(np.ceil(hours[r] / step - 1e-9))):
            rep.append(r)
            period.append(p)
            # Ties go to earlier periods; parts of a step come last, and working time is not exceeded.
            part = float(np.clip(room - n * step, 0.0, step))
            most.append(part)
            price.append(-(n + 1.0) - 1e-6 * p - (PART_OF_A_STEP if part < step else 0.0))
    cells = blocks.columns("hours", list(range(len(rep))), 0.0, np.array(most), np.array(price))
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
