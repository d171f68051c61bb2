"""The programme of a benchmark instance written by hand as one matrix: the least that handing it to HiGHS can cost."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from scipy.sparse import coo_array

from optimize.pairs import ByPair
from optimize.problem import AllocationProblem
from optimize.workload import load_at
from scenarios.goals import GrowthLimits, MinimumAttainment, PotentialBand, Workload


def handed_over(problem: AllocationProblem, segments: int) -> Any:
    """An instance inside HiGHS: columns q, training pieces, owners, sales of accounts and segments of attainment."""
    band, growth, share, work = problem.rules
    if not (
        isinstance(band, PotentialBand)
        and isinstance(growth, GrowthLimits)
        and growth.cap is not None
        and isinstance(share, MinimumAttainment)
        and isinstance(work, Workload)
    ):
        raise ValueError("written for the rules of a benchmark instance")
    offer, schooling = problem.accounts, problem.training
    if not (isinstance(offer.unit, ByPair) and isinstance(offer.order_hours, ByPair)):
        raise TypeError("written for pairs")
    unit = problem.total / len(problem.reps) / 100.0
    reps, skills, steps = schooling.gain.shape[0], schooling.gain.shape[1], schooling.gain.shape[2] - 1
    pairs, count = offer.unit.pairs, len(offer.unit.values)
    ordered = np.sort(problem.samples / unit, axis=0)
    samples = len(ordered)
    at = np.unique(np.round(np.linspace(0, samples - 1, segments + 1)).astype(np.int64))
    cumulated = np.concatenate([np.zeros((1, reps)), np.cumsum(ordered, axis=0)])
    knots = ordered[at]
    heights = (cumulated[at] + (samples - at)[:, None] * knots) / samples
    width = np.diff(knots, axis=0).T.ravel()
    slope = np.diff(heights, axis=0).T.ravel() / width
    pieces, of_piece = len(width), np.repeat(np.arange(reps), len(at) - 1)
    gain = np.diff(schooling.gain, axis=2).ravel() / unit
    of_step = np.repeat(np.arange(reps), skills * steps)
    q, t = 0, reps
    x = t + reps * skills * steps
    sold = x + count
    below, above = sold + reps, sold + 2 * reps
    d = above + reps
    size, r = d + pieces, np.arange(reps)
    cost = np.zeros(size)
    cost[t:x], cost[sold:below], cost[below:above], cost[d:] = gain, 1.0, -1.0, slope
    lower, upper = np.zeros(size), np.full(size, np.inf)
    lower[sold:below] = -np.inf
    upper[t:x], upper[x:sold], upper[d:] = 1.0, 1.0, width
    ratio = problem.total / problem.potential.sum()
    potential = problem.potential / unit * ratio
    lower[:reps] = (1 - band.tolerance) * potential
    upper[:reps] = np.minimum((1 + band.tolerance) * potential, (1 + growth.cap) * problem.last_sales / unit)
    top, least = load_at(work.maximum, problem.sharpness), load_at(work.minimum, problem.sharpness)
    step_columns, own = t + np.arange(reps * skills * steps), x + np.arange(count)
    hours, piece_columns = offer.order_hours.values, d + np.arange(pieces)
    # Rows: attainment, sales of accounts, least share, most and least hours, steps of a rep, one owner, budget, total.
    one_owner = 6 * reps
    blocks = [
        (r, q + r, 1.0), (of_step, step_columns, -gain), (r, sold + r, -1.0), (r, below + r, 1.0),
        (r, above + r, -1.0), (of_piece, piece_columns, -1.0),
        (reps + pairs.rep, own, offer.unit.values / unit), (reps + r, sold + r, -1.0),
        (2 * reps + of_step, step_columns, gain), (2 * reps + r, sold + r, 1.0), (2 * reps + r, below + r, -1.0),
        (2 * reps + of_piece, piece_columns, slope), (2 * reps + r, q + r, -share.share),
        (3 * reps + pairs.rep, own, hours), (3 * reps + of_step, step_columns, top * schooling.step),
        (4 * reps + pairs.rep, own, hours), (4 * reps + of_step, step_columns, least * schooling.step),
        (5 * reps + of_step, step_columns, schooling.step),
        (one_owner + pairs.account, own, 1.0),
        (np.full(len(step_columns), one_owner + len(offer.ids)), step_columns, schooling.step),
        (np.full(reps, one_owner + len(offer.ids) + 1), q + r, 1.0),
    ]  # fmt: skip
    row = np.concatenate([rows for rows, _, _ in blocks]).astype(np.int32)
    col = np.concatenate([cols for _, cols, _ in blocks]).astype(np.int32)
    value = np.concatenate([np.broadcast_to(np.asarray(v, dtype=np.float64), c.shape) for _, c, v in blocks])
    rows = one_owner + len(offer.ids) + 2
    free = np.full(reps, -np.inf)
    ends = [
        (knots[0], knots[0]), (np.zeros(reps), np.zeros(reps)), (-heights[0], -free),
        (free, top * problem.hours - problem.load), (least * problem.hours - problem.load, -free),
        (free, np.full(reps, schooling.cap)), (np.full(len(offer.ids), -np.inf), np.ones(len(offer.ids))),
        (np.array([-np.inf]), np.array([schooling.budget])),
        (np.array([problem.total / unit]), np.array([problem.total / unit])),
    ]  # fmt: skip
    matrix = coo_array((value, (row, col)), shape=(rows, size)).tocsc()
    whole = np.zeros(size, dtype=np.int32)
    whole[t:sold] = 1
    made: Any = highspy.Highs
    highs = made()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    status = highs.passModel(
        size, rows, matrix.nnz, int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMaximize),
        float(heights[0].sum()), cost, lower, upper,
        np.concatenate([low for low, _ in ends]), np.concatenate([high for _, high in ends]),
        matrix.indptr, matrix.indices, matrix.data, whole,
    )  # fmt: skip
    if status == highspy.HighsStatus.kError:
        raise ValueError("HiGHS refused the matrix")
    return highs
