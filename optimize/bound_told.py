"""What a bound and its gap are about, in words: rarely the model value that stands beside them."""

from __future__ import annotations

from collections.abc import Iterator

from optimize.problem import AllocationProblem
from scenarios.scenario import Scenario

ABOVE = 1e-9
"""Relative excess over a bound that floating point explains."""


def objective_of(scenario: Scenario, problem: AllocationProblem) -> str:
    """What the bound is on: "capped sales" where that is the model value itself, else how it differs from it."""
    weighed = ", metrics by their weights" if problem.metrics.weighted or problem.metrics.revenue_weight != 1.0 else ""
    if problem.two_stage:
        return f"expected sales{weighed}"
    basis = scenario.allocation.quota_basis
    return "capped sales" + ("" if basis == "full" else f" on the quota basis {basis}") + weighed


def bound_notes(scenario: Scenario, problem: AllocationProblem, worth: float, bound: float) -> Iterator[str]:
    """Says where the model value is not what the bound is on, and where rounding leads beyond it.

    Args:
        worth: what the rounded plan attains of what the bound is on, minor units; the bound is NaN where there is none.
    """
    basis = scenario.allocation.quota_basis
    if basis != "full" and not problem.two_stage and bound == bound:
        yield (
            f"bound and gap are of capped sales on the quota basis {basis}, which the plan is best for; "
            "the model value counts what people are expected to sell, and may lie beyond the bound"
        )
    if worth > bound * (1.0 + ABOVE):
        yield (
            f"rounded quotas attain {100 * (worth / bound - 1):.2g} % more than the bound: it holds for plans that "
            "keep all rules exactly, and in whole steps some are broken by less than a step"
        )
