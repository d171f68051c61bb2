"""All that must be simulated before a report can be written about an allocated plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from experiments.compare import Comparison, compare_outcomes
from experiments.decompose import Decomposition, decompose
from experiments.fairness_audit import FairnessAudit, audit_plan
from experiments.prove import best_rule, breaches, competing, over_errors, potentials_under
from experiments.report.input import BackCast
from experiments.report.loop import LoopEvidence
from experiments.runs import Progress, Runs
from experiments.trade import TradeTable, trade_table
from experiments.uncertainty import YEARS_A_DRAW, GainRange, YearRange
from experiments.whatif import WhatIf
from history.diagnosis.finding import Finding
from optimize.allocate import AllocationResult
from optimize.bases import BasisRow, quota_bases
from optimize.formulate import formulate
from optimize.plans import decisions_of, quotas_of
from optimize.problem import AllocationProblem
from optimize.response.estimate import Responses, estimate
from scenarios.errors import InputRefused, Problem
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import company_target, has_company_target, today_plan
from sim.outcome import Outcome

TODAY, PLAN = "today", "plan"
"""Names of today's plan and of the allocated one among the plans of the evidence."""


@dataclass(frozen=True)
class Evidence:
    """Everything simulated and solved that a report rests on.

    Attributes:
        allocation: the allocated plan as the model sees it.
        plans: ``today``, the simple rules and ``plan``, by name.
        outcomes: the simulated years of each plan, on common random numbers.
        comparison: all plans; ``plan`` against every other, and the best rule against ``today``.
        potentials: plan -> rep -> potential under that plan's owners, minor units.
        best_rule: the simple rule that the plan has to beat: the one that sells most, among those within the fairness
            rules; where none is, the nearest, which breaks the fewest, is shown as outside and decides nothing.
        rule_breakers: plans that break a fairness rule; a rule of thumb among them is listed, not compared with.
        over_rule, over_today: where the plan's sales come from.
        bases: rep -> the quota by the territory alone and by the person; empty where a basis leaves no quotas.
        fairness: of the plan on its own years; None where there are not two people to compare.
        trade: None where no company target is set or quotas move sales.
        uncertainty: gain over the best rule and year range when parameters may be wrong; None if not assessed.
        label: how pages call the plan.
        loop: where the plan was made by the closed loop; its proof then says which rule is the best, which plans break
            a rule, what errors of the parameters cost, and how sure the whole gain is.
    """

    scenario: Scenario
    allocation: AllocationResult
    plans: Mapping[str, Plan]
    outcomes: Mapping[str, Outcome] = field(repr=False)
    comparison: Comparison = field(repr=False)
    potentials: Mapping[str, Mapping[str, int]] = field(repr=False)
    best_rule: str
    rule_breakers: frozenset[str]
    over_rule: Decomposition
    over_today: Decomposition
    trade: TradeTable | None
    uncertainty: tuple[GainRange, YearRange] | None
    bases: Mapping[str, BasisRow] = field(default_factory=dict)
    fairness: FairnessAudit | None = None
    label: str = "B"
    back_cast: BackCast | None = None
    what_ifs: Sequence[WhatIf] = ()
    findings: Sequence[Finding] = ()
    manifest: Mapping[str, str] = field(default_factory=dict)
    loop: LoopEvidence | None = None


def gather(
    scenario: Scenario,
    allocation: AllocationResult,
    responses: Responses,
    rules: Mapping[str, Plan],
    runs: Runs,
    *,
    draws: int = 0,
    each: int = YEARS_A_DRAW,
    workers: int = 1,
    progress: Progress | None = None,
    label: str = "B",
    back_cast: BackCast | None = None,
    what_ifs: Sequence[WhatIf] = (),
    findings: Sequence[Finding] = (),
    manifest: Mapping[str, str] | None = None,
    loop: LoopEvidence | None = None,
) -> Evidence:
    """Simulate today's plan, the allocated plan and the simple rules, and take the gain apart.

    Args:
        allocation: the plan with its explanation; ``responses`` is what it was solved on.
        rules: simple rules by name, see :func:`optimize.baselines.plans.baselines`.
        runs: years that neither the allocator nor the rules have seen.
        draws: of the uncertain parameters, ``each`` years a draw; 0 leaves them unassessed, which the page says.
        progress: of the parameter draws; ``runs`` reports its own.

    Raises:
        InputRefused: no simple rule to compare with, or the simulator refuses a plan.
    """
    if not rules:
        raise InputRefused(Problem("rules", "", "a plan is shown only beside simple rules", "give the baselines"))
    plans = {TODAY: today_plan(scenario), **rules, PLAN: allocation.plan}
    for plan in plans.values():
        runs.expect(scenario, plan)
    outcomes = {name: runs.outcome(scenario, plan) for name, plan in plans.items()}
    problem = formulate(scenario, responses, single_pass=loop is None)
    if loop is None:
        broken = breaches(problem, plans)
        breakers = frozenset(broken)
        best = best_rule("sales", {name: rules[name] for name in competing(rules, broken)}, outcomes)
    else:
        breakers, best = loop.proof.rule_breakers, loop.proof.best_rule
    known = {name: potentials_under(problem, plan) for name, plan in plans.items()}
    return Evidence(
        scenario=scenario,
        allocation=allocation,
        plans=plans,
        outcomes=outcomes,
        comparison=_compared(scenario, plans, outcomes, best, known[PLAN]),
        potentials=known,
        best_rule=best,
        rule_breakers=breakers,
        over_rule=_proven(decompose(scenario, plans[best], plans[PLAN], runs), best, loop),
        over_today=_proven(decompose(scenario, plans[TODAY], plans[PLAN], runs), TODAY, loop),
        trade=_trade(scenario, plans[PLAN], outcomes[PLAN]),
        uncertainty=over_errors(
            scenario, plans[PLAN], plans[best], runs, draws=draws, each=each, workers=workers, progress=progress
        )
        if loop is None
        else loop.proof.uncertainty,
        bases={row.rep: row for row in _bases(problem, responses, allocation.plan)},
        fairness=_fairness(scenario, plans[PLAN], outcomes[PLAN], runs.seed),
        label=label,
        back_cast=back_cast,
        what_ifs=what_ifs,
        findings=findings,
        manifest=manifest or {},
        loop=loop,
    )


def _bases(problem: AllocationProblem, responses: Responses, plan: Plan) -> list[BasisRow]:
    return quota_bases(problem, responses, decisions_of(problem, plan), quotas_of(problem, plan))


def _proven(parts: Decomposition, against: str, loop: LoopEvidence | None) -> Decomposition:
    """The steps with the total as the proof has it, so that one difference has one interval on all pages."""
    if loop is None:
        return parts
    return replace(parts, total=replace(parts.total, sales=loop.proof.gain("sales", against)))


def _compared(
    scenario: Scenario, plans: Mapping[str, Plan], outcomes: Mapping[str, Outcome], best: str, known: Mapping[str, int]
) -> Comparison:
    others = [best, TODAY, *(name for name in plans if name not in (best, TODAY, PLAN))]
    pairs = [(PLAN, other) for other in others] + [(best, TODAY)]
    cases = {name: scenario.with_plan(plan) for name, plan in plans.items()}
    return compare_outcomes(cases, outcomes, reference=(best, TODAY), pairs=pairs, potentials=known)


def _fairness(scenario: Scenario, plan: Plan, outcome: Outcome, seed: int) -> FairnessAudit | None:
    """The audit on the years that judge the plan; its rules stand in a table of their own."""
    world = scenario.with_plan(plan)
    try:
        return replace(audit_plan(world, plan, estimate(world, outcome), seed=seed), rules=())
    except InputRefused:
        return None


def _trade(scenario: Scenario, plan: Plan, outcome: Outcome) -> TradeTable | None:
    if not has_company_target(scenario) or scenario.motivation is not None:
        return None
    if company_target(scenario) <= 0 or sum(plan.quotas("revenue").values()) <= 0:
        return None
    return trade_table(scenario, plan, outcome)
