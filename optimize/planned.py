"""The pass that makes plans of a request: the best decisions, their exact quotas, whole steps; or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from optimize.found import NoPlanError, NoStepError, Optimum
from optimize.infeasible import explain
from optimize.loosening import question, question_model, suffices
from optimize.metrics import Metrics
from optimize.model import read_decisions
from optimize.optimum import Method, decided
from optimize.optimum_in_steps import kept_in_steps
from optimize.prices import with_owners_held
from optimize.problem import AllocationProblem, Floats, Ints
from optimize.programme.solve import MOST_NODES, SolverError, searched
from optimize.quotas import NoQuotasError, plain
from optimize.reach import beyond_one_programme, within_reach
from optimize.whole_quotas import WholeQuotas, kept_quotas
from scenarios.errors import Unsupported

ANY = 0.5
"""A gap at which the first plan that keeps the rules is enough."""


@dataclass(frozen=True)
class Planned:
    """Decisions with their quotas.

    Attributes:
        held: quotas before rounding and in whole steps, with what these break.
    """

    best: Optimum
    held: WholeQuotas

    @property
    def exact(self) -> Floats:
        """Quotas before rounding, minor units, [R]."""
        return self.held.exact

    @property
    def quotas(self) -> Ints:
        """In whole steps, minor units, [R]."""
        return self.held.quotas


def planned(problem: AllocationProblem, gap: float | None = None, method: Method = "auto") -> Planned:
    """The plan with the largest objective.

    Args:
        gap, method: see :func:`optimize.optimum.optimise`.

    Raises:
        InputRefused, Unsupported, NoStepError: as :func:`optimize.optimum.optimise`.
        InfeasiblePlan: no plan satisfies the request, or none was found; says what conflicts and what leads to a plan.
    """

    from optimize.by_prices.scope import unsupported

    def possible(changed: AllocationProblem) -> bool:
        far, changed = beyond_one_programme(changed), within_reach(changed)
        # Bounds on single quotas and sums leave quotas wherever the programme has a solution with few pieces.
        if plain(changed) and not changed.even_load and suffices(question(changed)):
            return True
        if far and not unsupported(changed):
            return _leaves_quotas(changed)
        try:
            _passed(changed, gap, method)
        except (NoPlanError, NoQuotasError, NoStepError, SolverError, Unsupported):
            return False
        return True

    try:
        return _in_steps(problem, _passed(problem, gap, method), gap, method)
    except NoPlanError as none:
        raise explain(problem, possible, proven=none.proven) from None
    except NoQuotasError as left:
        raise explain(problem, possible, left.stuck) from None


def _leaves_quotas(problem: AllocationProblem) -> bool:
    """Whether any plan is found, however far from the best: the pass of a company beyond one programme.

    Care and training are those of a programme with few pieces; prices are asked where its search is left open.
    """
    from optimize.by_prices.method import by_prices

    model = question_model(problem)
    found = searched(model.programme.relaxed_objective(), 0.0, MOST_NODES)
    if found.values is not None:
        decisions = read_decisions(problem, model, found.values)
    elif found.bound == -math.inf:
        return False
    else:
        priced = by_prices(replace(problem, metrics=Metrics()), ANY, closing=False)
        if priced is None:
            return False
        decisions = priced.plan.decisions
    try:
        return bool(kept_quotas(problem, decisions).quotas.size)
    except NoQuotasError:
        return False


def _passed(problem: AllocationProblem, gap: float | None, method: Method) -> Planned:
    best = decided(problem, gap, method)
    return Planned(best, kept_quotas(problem, best.decisions))


def _in_steps(problem: AllocationProblem, made: Planned, gap: float | None, method: Method) -> Planned:
    """The plan, or another where its decisions leave no quotas in whole steps that keep the rules."""
    other = kept_in_steps(problem, made.held, gap, method)
    if other is None:
        return made
    bound = made.best.bound if math.isnan(made.best.bound) else min(made.best.bound, other.bound)
    model, values = with_owners_held(problem, other.decisions)
    best = replace(
        made.best,
        decisions=other.decisions,
        value=other.value,
        bound=max(bound, other.value),
        reproducible=made.best.reproducible and other.reproducible,
        model=model,
        values=values,
    )
    return Planned(best, other.quotas)
