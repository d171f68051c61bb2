"""The pass that makes plans of a request: the best decisions, their exact quotas, whole steps; or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from optimize.infeasible import explain
from optimize.loosening import question, suffices
from optimize.optimum import Method, NoPlanError, NoStepError, Optimum, decided
from optimize.problem import AllocationProblem, Floats, Ints
from optimize.programme.solve import SolverError
from optimize.quotas import NoQuotasError, plain, stepped_quotas
from scenarios.errors import Unsupported


@dataclass(frozen=True)
class Planned:
    """Decisions with their quotas.

    Attributes:
        exact: quotas before rounding, minor units, [R].
        quotas: in whole steps, minor units, [R].
    """

    best: Optimum
    exact: Floats
    quotas: Ints


def planned(problem: AllocationProblem, gap: float | None = None, method: Method = "auto") -> Planned:
    """The plan with the largest objective.

    Args:
        gap, method: see :func:`optimize.optimum.optimise`.

    Raises:
        InputRefused, Unsupported, NoStepError: as :func:`optimize.optimum.optimise`.
        InfeasiblePlan: no plan satisfies the request, or none was found; says what conflicts and what leads to a plan.
    """

    def possible(changed: AllocationProblem) -> bool:
        # Bounds on single quotas and sums leave quotas wherever the programme has a solution with few pieces.
        if plain(changed) and not changed.even_load and suffices(question(changed)):
            return True
        try:
            _passed(changed, gap, method)
        except (NoPlanError, NoQuotasError, NoStepError, SolverError, Unsupported):
            return False
        return True

    try:
        return _passed(problem, gap, method)
    except NoPlanError:
        raise explain(problem, possible) from None
    except NoQuotasError as left:
        raise explain(problem, possible, left.stuck) from None


def _passed(problem: AllocationProblem, gap: float | None, method: Method) -> Planned:
    best = decided(problem, gap, method)
    return Planned(best, *stepped_quotas(problem, best.decisions))
