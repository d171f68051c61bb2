"""Prices in two-stage mode: sales alone count, so that a quota has a price only where accounts leave it no room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.quota_room import missed, rooms_of
from optimize.by_prices.relaxation import IMPOSSIBLE, Relaxation, Response
from optimize.by_prices.request import Request

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ROUNDS = 4
TEMPERATURES = (0.03, 0.003, 0.001)
SOFT = 0.003
"""Temperature at which accounts are shared among owners, to see what quotas would have for room."""
NEAR = 1e-6
FAR = 0.01
"""Of the total of quotas: where the sums of their bounds miss it by more, all quotas have prices at once."""
TOLERANCE = 1e-9
"""Of the descent: what owners and training gain is small against all sales."""


def prices_of_sales(request: Request) -> tuple[Floats, Response]:
    """Prices, and what everybody does, where the fewest quotas have prices that leave all of them room, or nearly so.

    Prices of quotas that bind nothing would only be noise in the bound.
    """
    minded = np.zeros(request.reps, dtype=np.bool_)
    relaxation = Relaxation(request, minded)
    z, found = relaxation.solve(None, TEMPERATURES, TOLERANCE)
    for _ in range(ROUNDS):
        tight, off = _without_room(request, relaxation.evaluate(z, SOFT))
        more = bool((tight & ~minded).any())
        if minded.all() or (not more and off <= NEAR) or found.value < IMPOSSIBLE * request.row_high[0]:
            break
        every = not more or off > FAR * request.row_high[0]
        minded = np.ones_like(minded) if every else minded | tight
        relaxation = Relaxation(request, minded)
        z, found = relaxation.solve(z, TEMPERATURES, TOLERANCE)
    return z, found


def _without_room(request: Request, response: Response) -> tuple[Bools, float]:
    """Reps whose accounts leave their quotas no room, [R], and by how much the sums of bounds miss the totals."""
    arcs, parts = request.arcs, response.parts
    potential = request.potential + arcs.over_rep(parts * arcs.potential[arcs.account])
    history = request.history + arcs.over_rep(parts * arcs.history[arcs.account])
    sold = request.sales + arcs.over_rep(parts * response.sold) + (response.steps * request.training.gain).sum(axis=1)
    bottom, top = rooms_of(potential, history, sold, *request.rooms)
    sums = np.zeros((2, len(request.sums_to)))
    crossed = np.maximum(bottom - top, 0.0)
    off = missed(request.group, request.sums_to, bottom, top, sums[0], sums[1]) - float(crossed.sum())
    return crossed > NEAR, off
