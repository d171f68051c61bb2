"""What a closed loop did, round by round, and what it came to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from optimize.allocate import AllocationResult
from optimize.problem import TrustRegion
from optimize.response.estimate import Responses
from optimize.response.fit import Correction
from scenarios.plan import Plan


@dataclass(frozen=True)
class Cost:
    """What was simulated; a run is ``replications`` horizons of the whole company.

    Attributes:
        runs: plans simulated in full, the starts among them.
        response_years: horizons simulated for differences alone, on parts of the sample.
        shared: whether reps share leads, so that differences take runs of their own allowance.
        replications: horizons of a run.
    """

    runs: int
    response_years: int
    replications: int
    shared: bool = False

    @property
    def runs_in_all(self) -> float:
        """Runs that count against the loop's limit."""
        return self.runs + (0.0 if self.shared else self.response_runs)

    @property
    def response_runs(self) -> float:
        """Simulation for differences in runs."""
        return self.response_years / self.replications


@dataclass(frozen=True)
class Round:
    """One step that was proposed, and what the simulation said about it.

    Attributes:
        number: of the round, from 1; 0 for a start.
        step: "start NAME", or what moves: "2 accounts, 16 h training".
        accounts, hours, leads: accounts that change owner, training hours that change, and percentage points of a
            source's leads that go to somebody else in this step.
        region: how far the step was allowed to go; None where it was free.
        responses: method behind the promise.
        response_error: relative error of its coefficients where an audit measured it.
        promise: objective that the programme promised; None for a start.
        simulated: objective on the same random numbers; None where no new simulation was needed.
        gain: simulated less that of the plan before, on the same years.
        t: of that paired difference.
        broken: fairness rules that the plan breaks as simulated.
        accepted: whether the plan became the best so far.
        reason: why, or why not.
        runs: simulated in full so far.
        seconds: since the loop began; no part of any hash.
    """

    number: int
    step: str
    region: TrustRegion | None
    responses: str
    response_error: float | None
    promise: float | None
    simulated: float | None
    gain: float | None
    t: float | None
    broken: tuple[str, ...]
    accepted: bool
    reason: str
    runs: int
    accounts: int = 0
    hours: float = 0.0
    leads: float = 0.0
    seconds: float = field(default=0.0, compare=False)


def trace_notes(trace: Sequence[Round], sales: bool, cost: Cost, quota_years: int) -> tuple[str, ...]:
    """The trace as phrases that pages can put into their language.

    Args:
        sales: whether the objective is money, in minor units; else a share.
        quota_years: to which the final plan's quotas are fitted.
    """

    def shown(value: float | None) -> str:
        if value is None:
            return "-"
        return f"{value / 100:,.0f}" if sales else f"{100 * value:.2f} %"

    rounds = max((row.number for row in trace), default=0)
    plans = cost.runs - (quota_years // cost.replications - 1)
    notes = [f"closed loop: {rounds} rounds, {plans} plans simulated over {cost.replications} years each"]
    if quota_years > cost.replications:
        notes.append(f"closed loop: the final plan's quotas are fitted to {quota_years} simulated years")
    for row in trace:
        if row.promise is not None:
            leads = f", {row.leads:.3g} points of leads" if row.leads else ""
            moved = f"{row.accounts} accounts{leads} and {row.hours:g} h of training moved"
            notes.append(
                f"closed loop, round {row.number}: {moved}; "
                f"promised {shown(row.promise)}, simulated {shown(row.simulated)}, t {row.t or 0.0:.1f}: "
                + ("kept" if row.accepted else "not kept")
            )
    return tuple(notes)


@dataclass(frozen=True)
class LoopResult:
    """Where a closed loop ended; the objective is the attained share (joint mode) or sales in minor units (two-stage).

    Attributes:
        plan: the best plan found.
        candidates: plans that a proof should judge, by name; the baselines are among them.
        baselines: simple rules, by name.
        trace: every round, in order.
        objective: "attained share", or "sales" in two-stage mode and where people respond to their quotas.
        over_assignment: what the plan's quotas sum to above the target; a decision where people respond to them.
        quota_years: simulated years to which the plan's quotas were fitted in the end.
        promise: objective of the plan on the simulated years that all plans of the loop share.
        promises: the same of today's plan and of those candidates that were simulated, by name; of the one-shot plan
            what the programme promises, since nobody simulated it.
        stopped: why the loop ended.
        interrupted: whether the user ended it.
        allocation: the plan explained: rules, values of loosening, waterfalls, moves.
        responses: read from today's plan: potentials and all other yardsticks of fairness.
        correction: of the formula's gains, as the last programme had it; None where none was solved.
    """

    plan: Plan
    candidates: Mapping[str, Plan]
    baselines: Mapping[str, Plan]
    trace: tuple[Round, ...]
    objective: str
    over_assignment: float
    quota_years: int
    promise: float
    promises: Mapping[str, float]
    cost: Cost
    stopped: str
    interrupted: bool
    allocation: AllocationResult = field(repr=False)
    responses: Responses = field(repr=False)
    correction: Correction | None = field(repr=False, default=None)
    notes: tuple[str, ...] = ()

    @property
    def rounds(self) -> int:
        """Programmes that were solved."""
        return max((row.number for row in self.trace), default=0)

    def content_hash(self) -> str:
        """Hash of every figure; seconds are no part of it."""
        document: dict[str, Any] = {
            "plans": {name: plan.decisions_hash() for name, plan in sorted(self.candidates.items())},
            "plan": self.plan.decisions_hash(),
            "trace": [repr(replace(row, seconds=0.0)) for row in self.trace],
            "figures": repr(
                (self.objective, self.over_assignment, self.quota_years, self.promise, self.cost, self.stopped)
            ),
            "promises": sorted(self.promises.items()),
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
