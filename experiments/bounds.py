"""How far a plan's quotas can be from the best ones: a bound with owners and training held.

With the owners, the training and the care of a plan held, the best quotas for a finite sample of years are known
exactly. Over several independent batches of years the plan's shortfall against each batch's own best quotas estimates
its distance to the best quotas there are from above, since a batch's own best is too good on average (Mak, Morton and
Wood 1999, Operations Research Letters 24, 47-56). Nothing is said about other owners or other training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimize.formulate import formulate
from optimize.plans import decisions_of, quotas_of
from optimize.problem import AllocationProblem, Floats
from optimize.responses import estimate
from optimize.rules import bounds, box
from optimize.split import attained, split_in_groups
from scenarios.errors import QuotalabError
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from sim.interval import Interval
from sim.outcome import Outcome
from sim.statistics import mean_interval

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


def bound_of(scenario: Scenario, plan: Plan, outcome: Outcome) -> tuple[QuotaBound | None, str]:
    """The bound for a plan from its own fresh years, or why there is none.

    Returns:
        The reason is a key of the section ``proof`` of the words of pages, or what the allocator said.
    """
    if scenario.motivation is not None:
        return None, "quotas_move_sales"
    world = scenario.with_plan(plan)
    try:
        request = formulate(world, estimate(world, outcome), single_pass=False)
    except QuotalabError as refused:
        return None, str(refused)
    columns = [outcome["rep"].keys.index(rep) for rep in request.reps]
    found = quota_bound(request, plan, outcome["rep"].total("revenue")[:, columns].astype(np.float64))
    return found, "" if found else "nothing_to_bound"
