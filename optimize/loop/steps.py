"""One step of the closed loop: what the programme proposes around a simulated plan, and how far it may go."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimize.loop.trial import Trial
from optimize.metric_values import objective
from optimize.optimum import optimise
from optimize.plans import as_plan
from optimize.problem import AllocationProblem, Decisions, Ints, TrustRegion, gains
from optimize.quota_tables import quota_tables
from optimize.response.fit import Correction
from optimize.split import attained
from optimize.whole_quotas import whole_quotas
from scenarios.plan import Plan
from scenarios.scenario import Scenario

SHARE_OF_ACCOUNTS = 0.15
"""Accounts that the first step may move."""
LEAST_LEADS = 0.02
"""Change of shares, summed, that is still a step: a point of one source's leads that goes to somebody else."""
GOOD, POOR = 0.75, 0.25
"""Share of a promise kept from which the region widens, and below which it shrinks (Conn, Gould and Toint 2000)."""


@dataclass(frozen=True)
class Step:
    """What the programme proposes around a simulated plan, and the objective that it promises."""

    decisions: Decisions
    quotas: Ints
    promise: float
    plan: Plan


def propose(
    trial: Trial,
    scenario: Scenario,
    region: TrustRegion | None,
    name: str,
    correction: Correction | None = None,
    gap: float | None = None,
) -> Step:
    """Solve the programme around a simulated plan.

    Args:
        correction: of the gains; None takes the formula as it is.

    Raises:
        NoStepError: nothing within the region satisfies the rules.
        InfeasiblePlan: nothing does at all.
    """
    problem = replace(trial.problem, trust=region)
    problem = problem if correction is None else correction.applied(problem)
    decisions = optimise(problem, gap).decisions
    gain = gains(problem, decisions)
    _, quotas = whole_quotas(problem, decisions, nearest=True)
    tables = quota_tables(problem, trial.responses, decisions, quotas)
    plan = as_plan(scenario, trial.responses, problem, decisions, quotas, name=name, origin="allocated", tables=tables)
    if problem.two_stage:
        promise = float((problem.samples + gain).sum(axis=1).mean())
    else:
        revenue = attained(problem.samples, gain, quotas.astype(np.float64))
        promise = objective(problem, decisions, tables, revenue) / problem.total
    return Step(decisions, quotas, promise, plan)


@dataclass(frozen=True)
class Size:
    """How large a step is: training hours, accounts, care hours and shares of leads that change."""

    hours: float
    moves: int
    care: float
    leads: float = 0.0

    @classmethod
    def of(cls, problem: AllocationProblem, decisions: Decisions) -> Size:
        """The distance of decisions from the simulated plan."""
        base = problem.base_decisions()
        return cls(
            float(np.abs(decisions.training - base.training).sum()),
            int((decisions.owner != base.owner).sum()),
            float(np.abs(decisions.care - base.care).sum()),
            float(np.abs(problem.leads.at(decisions.shares) - problem.leads.base).sum()),
        )

    @property
    def nothing(self) -> bool:
        """Whether nothing moves."""
        return self.hours == 0 and self.moves == 0 and self.care < 1e-6 and self.leads < 1e-6

    @property
    def handed(self) -> float:
        """Percentage points of leads that go to somebody else, all sources together: each is lost once and won once."""
        return 50.0 * self.leads

    def __str__(self) -> str:
        parts = [
            f"{self.moves} account{'s' if self.moves != 1 else ''}" if self.moves else "",
            f"{self.hours:g} h training" if self.hours else "",
            f"{self.care:.3g} h care" if self.care >= 1e-6 else "",
            f"{self.handed:.3g} points of leads" if self.leads >= 1e-6 else "",
        ]
        return ", ".join(part for part in parts if part) or "nothing"


def first_region(problem: AllocationProblem) -> TrustRegion:
    """All training hours that there are, and a part of the accounts; care and shares of leads as they come."""
    moves = max(1, round(SHARE_OF_ACCOUNTS * len(problem.accounts.ids)))
    return TrustRegion(max(problem.training.most, problem.training.step), moves)


def next_region(region: TrustRegion, size: Size, kept: float, accepted: bool) -> TrustRegion:
    """The region of the next round: after a rejection half of the step just taken, so that it is not taken again.

    Args:
        kept: share of the promised rise that the simulation showed.
    """
    if not accepted:
        return TrustRegion(size.hours / 2, size.moves // 2, size.care / 2, size.leads / 2)
    if kept > GOOD:
        return TrustRegion(region.hours * 2, region.moves * 2, region.care * 2, region.leads * 2)
    if kept < POOR:
        # Where no bound was set on leads, half of what was just moved is one.
        leads = min(region.leads, size.leads) / 2
        return TrustRegion(region.hours / 2, region.moves // 2, region.care / 2, leads)
    return region


def holds_no_step(region: TrustRegion, problem: AllocationProblem) -> bool:
    """Whether a region holds nothing: no step of training, no account, no hour of care, no point of leads."""
    still = problem.accounts.care_budget is None or region.care < 1.0
    still = still and (not problem.leads or region.leads < LEAST_LEADS)
    return region.moves < 1 and region.hours < problem.training.step and still
