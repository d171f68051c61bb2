"""Cuts of care curves that lie the closer the more a curve bends, and which requests are cut as finely as that."""

from __future__ import annotations

import numpy as np

from optimize.model import first_knots
from optimize.parts.accounts import possible_pairs
from optimize.problem import AllocationProblem, Floats
from optimize.programme.curves import CareCurve, as_it_is

SAMPLED = 4_000
"""Points at which a curve's second derivative is taken."""
LEAST_PIECE = 1e-4
"""Width of the narrowest piece, as a share of all hours; solvers take narrower ones for nothing."""
PIECES = 200
MOST_COLUMNS = 30_000
"""Pieces of all pairs of account and candidate beyond which curves are not cut finely."""
MOST_BENT = 60
"""Pairs of account and candidate up to which S-shaped curves are told as they are, with whole columns."""


def fine_knots(problem: AllocationProblem) -> tuple[Floats, ...]:
    """Fine cuts of the care curves of a request; empty where care is not decided, or pairs are too many for it."""
    budget, pairs = problem.accounts.care_budget, len(possible_pairs(problem).rep)
    if budget is None or pairs * PIECES > MOST_COLUMNS:
        return ()
    curves = problem.accounts.curves
    knots = tuple(evenly_bent(curve, max(min(budget, curve.useful), 1e-9), PIECES) for curve in curves)
    bent = any(as_it_is(c.sales, k).full.any() for c, k in zip(curves, first_knots(problem), strict=True))
    return () if bent and pairs > MOST_BENT else knots


def evenly_bent(curve: CareCurve, top: float, pieces: int) -> Floats:
    """Cuts of a curve up to ``top`` hours that lie the closer the more it bends.

    Chords miss ``s'' w^2 / 8``: with widths as ``1 / sqrt(s'')`` the same everywhere.
    """
    share = np.linspace(0.0, 1.0, SAMPLED + 1) ** 3
    sales = np.array([curve.sales(float(hours)) for hours in top * share])
    slope = np.diff(sales) / np.diff(share)
    middle = 0.5 * (share[1:] + share[:-1])
    bend = np.abs(np.diff(slope)) / np.diff(middle)
    spread = np.concatenate([[0.0], np.cumsum(np.sqrt(bend) * np.diff(middle))])
    # A tenth of the cuts are spread evenly, so that straight stretches have ends, too.
    weight = 0.9 * spread / max(spread[-1], 1e-300) + 0.1 * (middle - middle[0]) / (middle[-1] - middle[0])
    cuts = top * np.interp(np.linspace(0.0, weight[-1], pieces - 1), weight, middle)
    apart = [0.0]
    for cut in cuts[(cuts > LEAST_PIECE * top) & (cuts < (1.0 - LEAST_PIECE) * top)].tolist():
        if cut - apart[-1] > LEAST_PIECE * top:
            apart.append(cut)
    return np.array([*apart, top])
