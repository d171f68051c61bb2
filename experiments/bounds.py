"""How far a plan can be from the best one: a bound on its quotas, and one within the programme fitted around it.

With the owners, the training and the care of a plan held, the best quotas for a finite sample of years are known
exactly. Over several independent batches of years the plan's shortfall against each batch's own best quotas estimates
its distance to the best quotas there are from above, since a batch's own best is too good on average (Mak, Morton and
Wood 1999, Operations Research Letters 24, 47-56). Nothing is said about other owners or other training.

The second bound is on all decisions, but of the *fitted programme*: gains of training and accounts as the formula and
its corrections say. Each batch's programme is solved, and its solver's bound taken for the batch's best. Where owners
and training are chosen for sales, samples enter by their mean alone and drop out of the difference, so that one solve
says it without sampling error. The formula's errors are in it: it does not bound the simulated best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimize.formulate import formulate
from optimize.optimum import optimise, out_of_reach
from optimize.plans import decisions_of, quotas_of
from optimize.problem import AllocationProblem, Floats, gains
from optimize.response.estimate import estimate
from optimize.rules import bounds, box
from optimize.split import attained, split_in_groups
from scenarios.errors import QuotalabError
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from sim.interval import Interval
from sim.outcome import Outcome
from sim.statistics import mean_interval

Fitted = Callable[[AllocationProblem], AllocationProblem]

BATCHES = 10
FEWEST_YEARS = 20
"""Of a batch: with fewer, a batch's own best quotas fit its luck and bound nothing."""


@dataclass(frozen=True)
class QuotaBound:
    """A plan's quotas against the best quotas under the same rules, owners, training and care held.

    Attributes:
        shortfall: share of the quota total that the plan's attained sales lack to the batches' own best, and its
            two-sided interval over batches.
        upper: the true shortfall is below this with 95 % confidence (one-sided Student over batches).
        batches, years: how many batches of how many years.
    """

    shortfall: Interval
    upper: float
    batches: int
    years: int


@dataclass(frozen=True)
class ProgrammeBound:
    """A plan against the best that the programme fitted around it holds.

    Attributes:
        sales: whether the share is of expected sales; else of the quota total.
        upper: no plan of the programme is better by more than this share; with 95 % confidence (one-sided Student over
            batches), or for sure where nothing is sampled.
        batches, years: how many batches of how many years; 1 batch where nothing is sampled.
    """

    sales: bool
    upper: float
    batches: int
    years: int


@dataclass(frozen=True)
class Bounds:
    """What can be said of how far a plan is from the best.

    Attributes:
        quotas: of its quotas, owners and training held; ``None`` where it cannot be said.
        programme: of all its decisions, within the fitted programme; ``None`` likewise.
        no_quotas, no_programme: why not: a key of the section ``proof`` of the words of pages, or what the allocator
            said; empty where it can.
    """

    quotas: QuotaBound | None = None
    programme: ProgrammeBound | None = None
    no_quotas: str = ""
    no_programme: str = ""

    @classmethod
    def none(cls, why: str) -> Bounds:
        """Nothing can be said, for one reason."""
        return cls(no_quotas=why, no_programme=why)


def quota_bound(problem: AllocationProblem, plan: Plan, sales: Floats, batches: int = BATCHES) -> QuotaBound | None:
    """The bound from fresh years of the plan; ``None`` for too few of them, or quotas of another sum than asked.

    Args:
        problem: the request at this plan: its responses were estimated on other years of the plan itself, or on these
            where no rule reads the samples.
        sales: simulated sales of the plan in the order of the problem's reps, ``[years, R]``, minor units.
    """
    decisions = decisions_of(problem, plan)
    quotas = quotas_of(problem, plan)
    if abs(float(quotas.sum()) - problem.total) > problem.rounding_step:
        return None
    low, high = box(problem, bounds(problem, decisions))
    # The plan itself must be among the quotas that a batch may choose: rounding may have left it a step outside.
    low, high = np.minimum(low, quotas), np.maximum(high, quotas)
    years = len(sales) // batches
    if years < FEWEST_YEARS or quotas.sum() <= 0:
        return None
    nothing = np.zeros(len(problem.reps))
    lacking = []
    for batch in np.split(sales[: batches * years], batches):
        best = split_in_groups(problem, batch, nothing, low, high)
        lacking.append((attained(batch, nothing, best) - attained(batch, nothing, quotas)) / float(quotas.sum()))
    shortfall = mean_interval(lacking)
    return QuotaBound(shortfall, max(mean_interval(lacking, 0.90).high, 0.0), batches, years)


def programme_bound(problem: AllocationProblem, plan: Plan, batches: int = BATCHES) -> ProgrammeBound | None:
    """The bound within the programme; ``None`` as for quotas, or where other metrics count in the objective.

    Args:
        problem: the request at this plan, its samples fresh years of the plan itself.

    Raises:
        InfeasiblePlan: the rules of the request cannot hold together.
        SolverError: the programme was given up.
    """
    quotas, samples = quotas_of(problem, plan), problem.samples
    if problem.metrics.weighted or not problem.metrics.revenue_weight > 0:
        return None
    nothing = np.zeros(len(problem.reps))
    weight = problem.metrics.revenue_weight
    if problem.two_stage:
        found, sold = optimise(problem), float(samples.sum(axis=1).mean())
        # The programme counts from the simulated plan, or from nothing: what its decisions gain is the same.
        better = float(gains(problem, found.decisions).sum()) + max(found.bound - found.value, 0.0) / weight
        return ProgrammeBound(True, max(better / sold, 0.0), 1, len(samples)) if sold > 0 else None
    years = len(samples) // batches
    if years < FEWEST_YEARS or abs(float(quotas.sum()) - problem.total) > problem.rounding_step or not quotas.sum() > 0:
        return None
    lacking = []
    for batch in np.split(np.arange(batches * years), batches):
        part = replace(problem, samples=samples[batch], basis=problem.basis[batch])
        own = attained(part.samples, nothing, quotas)
        lacking.append((optimise(part).bound / weight - own) / float(quotas.sum()))
    return ProgrammeBound(False, max(mean_interval(lacking, 0.90).high, 0.0), batches, years)


def bounds_of(
    scenario: Scenario,
    plan: Plan,
    outcome: Outcome,
    *,
    carriers: Sequence[str] | None = None,
    fitted: Fitted | None = None,
) -> Bounds:
    """The bounds for a plan from its own fresh years.

    Args:
        carriers: reps who carry a quota; default as :func:`optimize.response.estimate.estimate`.
        fitted: turns the formula's request into that of the loop, gains set right by differences.
    """
    if scenario.motivation is not None:
        return Bounds.none("quotas_move_sales")
    world = scenario.with_plan(plan)
    try:
        request = formulate(world, estimate(world, outcome, carriers=carriers), single_pass=False)
    except QuotalabError as refused:
        return Bounds.none(str(refused))
    quotas = quota_bound(request, plan, request.samples)
    programme, why = None, "nothing_to_bound"
    if out_of_reach(request):
        why = "programme_too_large"
    else:
        try:
            programme = programme_bound(request if fitted is None else fitted(request), plan)
        except QuotalabError as given_up:
            why = str(given_up)
    return Bounds(quotas, programme, "" if quotas else "nothing_to_bound", "" if programme else why)
