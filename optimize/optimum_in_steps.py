"""Other decisions where those of the best plan leave no quotas in whole steps that keep the rules.

First the programme itself with quotas in whole steps, owners, training and care decided along with them; where that
search ends without a plan, or the request is too large for it, the request under rules tighter by what rounding broke.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from optimize.exact_value import attained_value, weighed_sales
from optimize.found import GAP, NoPlanError, NoStepError
from optimize.model import Model, build, first_knots, read_decisions, segments_for
from optimize.nearby import with_exact_quotas
from optimize.optimum import (
    FINE_PIECES,
    REFINEMENTS,
    Method,
    by_prices_where_free,
    decided,
    with_quotas_last,
)
from optimize.problem import AllocationProblem, Decisions, Floats, held
from optimize.programme.curves import zoom
from optimize.programme.solve import OutOfTimeError, Searched, searched
from optimize.quotas import NoQuotasError
from optimize.whole_quotas import WholeQuotas, kept_quotas, tightened
from optimize.whole_steps import with_steps

NODES = 400
"""Of branch and bound with quotas in whole steps."""
REFINING_NODES = 50
TIGHTENINGS = 3
"""How often rules are tightened by what rounding broke, and the request is solved again."""


@dataclass(frozen=True)
class Kept:
    """A plan in whole steps.

    Attributes:
        value: as of :class:`optimize.found.Optimum`.
        bound: proven on what plans in whole steps attain; infinite where only the bound on all plans is known.
        reproducible: False where a wall-clock limit ended a solve.
    """

    decisions: Decisions
    quotas: WholeQuotas
    value: float
    bound: float = math.inf
    reproducible: bool = True


def kept_in_steps(
    problem: AllocationProblem, own: WholeQuotas, gap: float | None = None, method: Method = "auto"
) -> Kept | None:
    """The best other plan that was found whose quotas in whole steps keep the rules.

    None where the plan's own whole steps keep them, or no other plan was found. By prices, decisions that leave a quota
    no whole step between its bounds were avoided already (:mod:`optimize.by_prices.refit`).

    Args:
        own: quotas of the best decisions.
        gap, method: as of :func:`optimize.optimum.optimise`.
    """
    if own.kept:
        return None
    by_prices = method == "prices" or (method == "auto" and by_prices_where_free(problem))
    # Where care is to be least, the search, which is for sales, would give more of it.
    searches = not by_prices and not problem.even_load
    found = _by_steps(problem, own.exact, GAP if gap is None else gap) if searches else None
    return found or (_by_tightening(problem, own, gap, method) if own.broken else None)


def _by_steps(problem: AllocationProblem, near: Floats, gap: float) -> Kept | None:
    """The best decisions with quotas in whole steps."""
    found = _searched(problem, near, first_knots(problem), gap, NODES)
    if found is None:
        return None
    model, search = found
    values, bound = _of(model, search), search.bound * model.unit + model.error
    decisions = read_decisions(problem, model, values)
    if problem.accounts.care_budget is not None:
        model, values, decisions = _refined(problem, near, model, values, decisions)
    settled = with_exact_quotas(problem, model, values, decisions, whole=True)
    if settled is None:
        return None
    return _kept(problem, settled, kept_quotas(problem, settled), bound, steady=search.reproducible)


def _searched(
    problem: AllocationProblem, near: Floats, knots: tuple[Floats, ...], gap: float, nodes: int
) -> tuple[Model, Searched] | None:
    """The programme, and its solution with quotas in whole steps; None without a plan within the nodes."""
    model = build(problem, segments=segments_for(problem), knots=knots, sales=problem.two_stage)
    found = searched(with_steps(model.programme, problem, near), 0.0, nodes, gap=gap)
    return None if found.values is None else (model, found)


def _of(model: Model, found: Searched) -> Floats:
    """Values of the programme's own columns."""
    return np.zeros(0) if found.values is None else found.values[: model.programme.size]


def _refined(
    problem: AllocationProblem, near: Floats, model: Model, values: Floats, decisions: Decisions
) -> tuple[Model, Floats, Decisions]:
    """Care cut finer and finer around the solution, owners and training held."""
    knots, fixed = model.knots, held(problem, decisions, care=False)
    fixed = replace(fixed, locks=replace(fixed.locks, shares=problem.locks.shares))
    for _ in range(REFINEMENTS):
        knots = tuple(zoom(k, float(hours), FINE_PIECES) for k, hours in zip(knots, decisions.care, strict=True))
        found = _searched(fixed, near, knots, GAP, REFINING_NODES)
        if found is None:
            break
        model, values = found[0], _of(*found)
        finer = read_decisions(fixed, model, values)
        decisions = replace(decisions, care=finer.care, shares=finer.shares)
    return model, values, decisions


def _by_tightening(problem: AllocationProblem, own: WholeQuotas, gap: float | None, method: Method) -> Kept | None:
    """The best decisions under rules tighter by what rounding broke, until whole steps keep the rules themselves."""
    tighter, broken = problem, own.broken
    for _ in range(TIGHTENINGS):
        tighter = tightened(tighter, broken)
        try:
            found = decided(tighter, gap, method)
            quotas = kept_quotas(problem, found.decisions)
        except (NoPlanError, NoQuotasError, NoStepError, OutOfTimeError):
            return None
        if quotas.kept:
            return _kept(problem, found.decisions, quotas, steady=found.reproducible)
        broken = quotas.broken or broken
    return None


def _kept(
    problem: AllocationProblem, decisions: Decisions, quotas: WholeQuotas, bound: float = math.inf, *, steady: bool
) -> Kept:
    model, solution = with_quotas_last(problem, decisions)
    value = attained_value(problem, decisions, model, solution.values)
    if problem.two_stage:
        bound += weighed_sales(problem)
    return Kept(decisions, quotas, value, bound, steady)
