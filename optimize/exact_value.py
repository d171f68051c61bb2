"""What decisions attain of what is maximised, evaluated on every sample: no segments, no cuts, no envelopes.

A programme may promise more than its plan gives, where an S-shaped response enters by its concave envelope, or less,
where curves enter by chords. What is told of a plan is this value; what the programme has on top of it is part of the
proven gap.
"""

from __future__ import annotations

import numpy as np

from optimize.model import Model
from optimize.parts import metrics as metric_parts
from optimize.parts.metrics import objective_factor
from optimize.parts.targets import QUOTA
from optimize.problem import AllocationProblem, Decisions, Floats, gains
from optimize.programme.solve import solve
from optimize.quotas import possible_quotas
from optimize.split import attained


def attained_value(problem: AllocationProblem, decisions: Decisions, model: Model, values: Floats) -> float:
    """Attained shares, weighed, in minor units of the company's total; in two stages weighed expected sales.

    Args:
        model, values: a programme with these decisions and its solution, for quotas of other metrics, and for those of
            revenue where the rules leave none without segments.
    """
    metrics, gain = problem.metrics, gains(problem, decisions)
    if problem.two_stage:
        more = metrics.revenue_weight * float(gain.sum())
        for one in metrics.weighted:
            more += objective_factor(problem, one) * float(gains(problem, decisions, one.rates).sum())
        return weighed_sales(problem) + more
    quotas = possible_quotas(problem, decisions)
    if quotas is None:
        quotas = _quotas(problem, model, values, QUOTA, problem.total)
    value = metrics.revenue_weight * attained(problem.basis, gain, quotas)
    for one in metrics.weighted:
        found = _quotas(problem, model, values, f"{QUOTA} of {one.name}", float(one.total or 0))
        value += objective_factor(problem, one) * attained(one.samples, gains(problem, decisions, one.rates), found)
    return float(value)


def weighed_sales(problem: AllocationProblem) -> float:
    """Expected sales of the simulated plan, with other metrics by their weights, minor units."""
    metrics = problem.metrics
    value = metrics.revenue_weight * float(problem.samples.mean(axis=0).sum())
    for one in metrics.weighted:
        value += objective_factor(problem, one) * float(one.samples.mean(axis=0).sum())
    return value


def _quotas(problem: AllocationProblem, model: Model, values: Floats, name: str, total: float) -> Floats:
    """Quotas of a solution in the metric's own unit, [R]; a mean quota has 100 units in the programme."""
    size = max(total / len(problem.reps) / 100.0, 1e-6)
    return np.asarray(values[model.programme.block(name).index] * size)


def with_metrics(problem: AllocationProblem, decisions: Decisions, value: float, bound: float) -> tuple[float, float]:
    """Value and bound that prices count, with what weighted metrics add that no decision moves, and simulated sales."""
    scale, (apart, hidden) = problem.metrics.revenue_weight, _other_metrics(problem, decisions)
    told = apart + (weighed_sales(problem) if problem.two_stage else 0.0)
    return scale * value + told, scale * bound + told + hidden


def _other_metrics(problem: AllocationProblem, decisions: Decisions) -> tuple[float, float]:
    """What weighted metrics that no decision moves add to the objective, and what segments may hide of it."""
    weighted = problem.metrics.weighted
    if not weighted or problem.two_stage:
        return 0.0, 0.0  # in two stages only gains count, and they have none
    programme, error = metric_parts.alone(problem, {one.name: gains(problem, decisions, one.rates) for one in weighted})
    return solve(programme).objective, error
