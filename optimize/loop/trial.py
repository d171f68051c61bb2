"""A plan as the closed loop simulated it, and its objective in each horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from optimize.parts.metrics import objective_factor
from optimize.plans import quotas_of
from optimize.problem import AllocationProblem, Decisions, Floats, Ints
from optimize.response.estimate import Responses
from scenarios.plan import Plan


@dataclass(frozen=True)
class Trial:
    """A plan as simulated.

    Attributes:
        plan: with quotas fitted to its own simulated sales.
        problem: the request around it.
        account_sales: of each account with an owner in each horizon, minor units, [N, A].
        years: its objective in each horizon that all trials share, [N].
        over: what its quotas sum to above the target.
        broken: rules that do not hold, by rule and subject; what gives way to a lock is none.
    """

    plan: Plan
    decisions: Decisions
    quotas: Ints
    problem: AllocationProblem
    responses: Responses
    account_sales: Floats
    years: Floats
    over: float
    broken: tuple[str, ...]

    @property
    def value(self) -> float:
        """The objective."""
        return float(self.years.mean())

    def value_of(self, plan: Plan) -> float:
        """The objective of a plan that sells the same, under its own quotas; NaN where that cannot be said."""
        if self.problem.two_stage:
            return self.value
        quotas = quotas_of(self.problem, plan)
        if self.problem.metrics.weighted or not quotas.sum() > 0:
            return float("nan")
        capped = np.minimum(self.problem.samples, quotas).sum(axis=1).mean()
        return float(capped / quotas.sum())

    def gain_over(self, other: Trial) -> tuple[float, float]:
        """Paired difference of the objective and its t (0 where the two never differ)."""
        apart = self.years - other.years
        spread = float(apart.std(ddof=1)) if len(apart) > 1 else 0.0
        mean = float(apart.mean())
        return mean, mean / (spread / len(apart) ** 0.5) if spread > 0 else 0.0

    def better_than(self, best: Trial, gain: float) -> tuple[bool, str]:
        """Whether the loop takes this plan for the best so far, and why: fewer broken rules first, then the objective.

        No rule is broken anew in exchange for another, so that what has been reached is kept.

        Args:
            gain: of the simulated objective over the best so far.
        """
        if len(self.broken) < len(best.broken):
            return True, "comes nearer to the rules"
        anew = [rule for rule in self.broken if rule not in best.broken]
        if anew:
            return False, f"breaks {anew[0]} as simulated"
        return (True, "the simulated objective rises") if gain > 0 else (False, "the simulated objective does not rise")


def objective_years(problem: AllocationProblem, quotas: Mapping[str, Floats]) -> Floats:
    """The objective of the simulated plan in each horizon; [N].

    Attained shares, weighed; in two-stage mode sales, minor units.

    Args:
        quotas: by metric, [R]; revenue among them.
    """
    if problem.two_stage:
        return np.asarray(problem.samples.sum(axis=1))
    years = problem.metrics.revenue_weight * np.minimum(problem.samples, quotas["revenue"]).sum(axis=1)
    for metric in problem.metrics.weighted:
        capped = np.minimum(metric.samples, quotas[metric.name]).sum(axis=1)
        years = years + objective_factor(problem, metric) * capped
    return np.asarray(years / problem.total)
