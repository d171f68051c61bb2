"""One pass of the allocator: the request, its programme, the exact split, whole steps, and the explanation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from optimize.audit import RuleRow, audit
from optimize.bottom_up import GapRow, gap_rows
from optimize.bound_told import bound_notes, objective_of
from optimize.eligibility import held_by_role, immovable
from optimize.formulate import formulate
from optimize.levels import LevelQuota, LevelRow, level_quotas, level_rows, level_tables, levels_told
from optimize.loosening_worth import with_values, worth_of_loosening
from optimize.metric_values import MetricValue, metric_values, objective, sacrificed
from optimize.model import Model
from optimize.optimum import Method
from optimize.pairs import owners_of
from optimize.planned import Planned, planned
from optimize.plans import as_plan, level_plan_rows
from optimize.prices import Price
from optimize.problem import AllocationProblem, Decisions, Floats, Ints, gains, moved, potentials
from optimize.programme.solvers import HIGHS, known_solver
from optimize.quota_tables import Tables, quota_tables
from optimize.quotas_told import floors_out_of_reach, low_quotas
from optimize.response.estimate import Responses
from optimize.rules import rule_name
from optimize.split import attained
from optimize.training_values import TrainingValue, training_values, without_time
from optimize.waterfall import waterfall
from optimize.whole_quotas import told
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import today_plan


@dataclass(frozen=True)
class Move:
    """An account that changes owner.

    Attributes:
        sales_at_risk: expected sales over the horizon that the handover costs, minor units.
        gain: change of the model's expected sales of both reps together, minor units.
    """

    account: str
    source: str
    taker: str
    sales_at_risk: int
    gain: int
    reason: str


@dataclass(frozen=True)
class AllocationResult:
    """A plan with what is known about it; money in minor units. Values here are the *model's* (rule R15).

    Attributes:
        model_value: exact sample average of ``sum min(S + g, q)`` for the returned plan.
        attained_share_model: the same over the sum of quotas.
        model_sales: sample average of sales, gains added.
        gap: proven relative distance of the returned plan's value to the best plan of the programme.
        bound: proven upper bound on the objective of every plan, minor units (of capped sales, in two stages of
            expected sales); NaN where none is claimed.
        bound_type: what proved it: "programme" (branch and bound), "linear" (prices alone), "knapsack" (prices of
            accounts and whole accounts at each rep), "total" (nobody attains more than the quotas), "closed" (branch
            and bound over the owners that prices leave open), or "none".
        asked_gap: gap at which the search was to stop; NaN where none is claimed.
        status: "optimal" where ``gap`` is within ``asked_gap``, "stopped" where it is not, whatever the search ended
            by (a limit, care curves told by pieces, whole steps of quotas), "simulated" (found by the closed loop) or
            "levelled" (hours of care are lexicographically least for these owners); no gap is claimed of the last
            two, so ``gap`` is NaN.
        reproducible: False where a wall-clock limit ended the solve.
        rule_rows: every rule on every subject.
        prices: value of loosening by rule.
        waterfall: bars of each rep, summing to the quota.
        potentials: after moves, ramped; opportunity: of a reference rep at full pace with today's accounts.
        expected_sales: model expectation of each rep under the plan; capped_sales: of what is within the quota.
        moves: accounts that change owner; immovable: accounts that could not, with the reason.
        exceptions: rules that give way to a lock, in words.
        metrics: what the plan comes to in every metric that has a target, revenue first.
        quotas: of every metric and level by rep and period.
        levels: company, teams and reps at every level; gaps: the same against what people commit to.
        training: what it costs and brings, by rep.
        solver: that made it: "highs", or "pulp:" and PuLP's name of it.
        objective: what the plan attains of what ``bound`` is on and ``gap`` is measured by, minor units, and
            ``objective_of`` what that is: "capped sales" where it is the model value itself. It may lie above the bound
            by what rounding breaks of a rule, which a note then says.
    """

    plan: Plan
    model_value: float
    attained_share_model: float
    model_sales: float
    gap: float
    status: str
    reproducible: bool
    rule_rows: tuple[RuleRow, ...]
    prices: Mapping[str, Price]
    waterfall: Mapping[str, list[tuple[str, int]]]
    potentials: Mapping[str, int]
    opportunity: Mapping[str, int]
    expected_sales: Mapping[str, int]
    moves: tuple[Move, ...]
    immovable: Mapping[str, str]
    exceptions: tuple[str, ...]
    notes: tuple[str, ...]
    metrics: tuple[MetricValue, ...] = ()
    quotas: tuple[LevelQuota, ...] = ()
    levels: tuple[LevelRow, ...] = ()
    training: tuple[TrainingValue, ...] = ()
    gaps: tuple[GapRow, ...] = ()
    bound: float = float("nan")
    bound_type: str = "none"
    asked_gap: float = float("nan")
    capped_sales: Mapping[str, int] = field(default_factory=dict)
    solver: str = HIGHS
    objective: float = float("nan")
    objective_of: str = ""


def allocate(
    scenario: Scenario,
    responses: Responses,
    *,
    name: str = "plan",
    gap: float | None = None,
    method: Method = "auto",
    solver: str = HIGHS,
) -> AllocationResult:
    """The plan with the largest expected attainment under the scenario's rules and locks.

    Args:
        gap: relative gap of the assignment at which the solver may stop; see :func:`optimise`.
        method: see :func:`optimise`.
        solver: of branch and bound and of the values of loosening; see
            :func:`optimize.programme.solvers.known_solver`. What is solved again from the last basis (levels of
            fairness, which rules conflict) is HiGHS' in any case.

    Raises:
        Unsupported: the request asks for what the allocator, or the asked method, does not do.
        InputRefused: the request contradicts itself before any solving.
        InfeasiblePlan: no plan satisfies it; says which rules conflict and the least loosening.
    """
    problem = replace(formulate(scenario, responses), solver=known_solver(solver))
    scenario = scenario.in_id_order()
    made = planned(problem, gap, method)
    best, exact, quotas = made.best, made.exact, made.quotas
    decisions = best.decisions
    gain = gains(problem, decisions)
    value = attained(problem.basis, gain, quotas.astype(np.float64))
    tables = quota_tables(problem, responses, decisions, quotas)
    value = objective(problem, decisions, tables, value)
    plan = as_plan(scenario, responses, problem, decisions, quotas, name=name, origin="allocated", tables=tables)
    # The value of the plan as it is returned, in whole steps, is what the bound is compared with.
    returned = replace(best, value=best.value if problem.two_stage else value)
    found = described(scenario, responses, problem, decisions, exact, quotas, tables, best.model, best.values, plan)
    return replace(
        found,
        notes=(*found.notes, *best.notes, *_told(scenario, problem, made, returned.value)),
        gap=returned.gap,
        asked_gap=best.asked_gap,
        status=returned.status,
        reproducible=best.reproducible,
        bound=best.bound,
        bound_type=best.bound_type,
        solver=problem.solver,
        objective=returned.value,
        objective_of=objective_of(scenario, problem),
    )


def _told(scenario: Scenario, problem: AllocationProblem, made: Planned, value: float) -> Iterator[str]:
    """What a planner has to know beside the figures.

    Args:
        value: of the returned plan, of what the bound is on.
    """
    decisions = made.best.decisions
    yield from told(problem, decisions, made.held)
    yield from bound_notes(scenario, problem, value, made.best.bound)
    yield from low_quotas(scenario, problem, decisions, made.quotas)
    yield from floors_out_of_reach(scenario, problem, decisions)
    yield from _measured_under(scenario)


def _measured_under(scenario: Scenario) -> Iterator[str]:
    """Says that potentials are estimated under a given plan, where that is not what they are under today's."""
    if scenario.plan is None or all(rep.potential is not None for rep in scenario.reps):
        return
    today = today_plan(scenario.with_plan(None))
    if scenario.simulation_hash(scenario.plan) != scenario.simulation_hash(today):
        yield (
            f"potentials are estimated under the plan {scenario.plan.name} that was given: "
            "under today's plan they differ, and so do ratios of quota to potential"
        )


def described(
    scenario: Scenario,
    responses: Responses,
    problem: AllocationProblem,
    decisions: Decisions,
    exact: Floats,
    quotas: Ints,
    tables: Tables,
    model: Model | None,
    solution: Floats,
    plan: Plan,
) -> AllocationResult:
    """What is known of decisions and quotas, however they were found.

    Args:
        exact: quotas before rounding, [R].
        plan: of these decisions; its floors and stretches are put in.
        tables: quotas of all metrics by rep and period.
        model, solution: a programme and values of its columns with the same owners, for the values of loosening;
            None where :func:`solved_apart`.
    """
    gain = gains(problem, decisions)
    values = metric_values(problem, decisions, tables)
    leveled = level_tables(scenario, problem, responses, decisions, tables)
    levels = level_rows(scenario, problem, responses, leveled)
    about_levels = levels_told(scenario, problem, responses, leveled)
    quotas_of_levels = tuple(level_quotas(problem, responses, leveled))
    rows, found = _explained(problem, decisions, quotas, model, solution)
    exceptions = [f"{row.rule} of {row.subject}: {row.exception}" for row in rows if row.exception]
    exceptions += [text for table in leveled.values() for text in table.overruled]
    shares = problem.samples + gain
    model_value = attained(problem.samples, gain, quotas.astype(np.float64))
    return AllocationResult(
        plan=plan.with_rows(levels=level_plan_rows(quotas_of_levels)),
        model_value=model_value,
        attained_share_model=model_value / float(quotas.sum()),
        model_sales=float(shares.sum(axis=1).mean()),
        gap=float("nan"),
        status="simulated",
        reproducible=True,
        rule_rows=tuple(rows),
        prices=found,
        waterfall=waterfall(problem, decisions, exact, quotas),
        potentials=_by_rep(problem, potentials(problem, decisions.owner, decisions.shares)),
        opportunity=_by_rep(problem, problem.opportunity),
        expected_sales=_by_rep(problem, shares.mean(axis=0)),
        moves=tuple(_moves(problem, decisions)),
        immovable={**immovable(scenario), **held_by_role(scenario, problem.reps, _alone(problem))},
        exceptions=tuple(exceptions),
        notes=(*responses.notes, *sacrificed(problem, values), *without_time(problem), *about_levels),
        metrics=values,
        quotas=quotas_of_levels,
        levels=tuple(levels),
        gaps=gap_rows(scenario, levels),
        training=tuple(training_values(problem, decisions)),
        capped_sales=_by_rep(problem, np.minimum(shares, quotas).mean(axis=0)),
    )


def _explained(
    problem: AllocationProblem, decisions: Decisions, quotas: Ints, model: Model | None, values: Floats
) -> tuple[list[RuleRow], dict[str, Price]]:
    """The audit with values of loosening on binding rows; none in modes that do not maximise the sum."""
    found = worth_of_loosening(problem, decisions, model, values)
    rows = []
    aside = {name for rule in problem.set_aside for name in rule_name(rule)}
    asked = problem.with_rules((*problem.rules, *problem.set_aside))
    for row in audit(asked, decisions, quotas.astype(np.float64)):
        if row.rule in aside:
            said = "" if row.kept else "set aside: everybody gets the same chance to make quota"
            row = replace(row, binding=False, exception=said)
        rows.append(row)
    return with_values(rows, found), found


def _alone(problem: AllocationProblem) -> list[int]:
    """Accounts that have one possible owner at most."""
    offer = problem.accounts
    return [a for a in range(len(offer.ids)) if len(owners_of(offer.allowed, a)) <= 1]


def _moves(problem: AllocationProblem, decisions: Decisions) -> list[Move]:
    offer = problem.accounts
    rows = []
    crowded = {a for limit in offer.limits for a in limit.crowded(offer.today).tolist()}
    for a in moved(problem, decisions.owner):
        source, to = int(offer.today[a]), int(decisions.owner[a])
        care = float(decisions.care[a])
        before = offer.value(a, source, float(offer.care_base[a]))
        gain = offer.value(a, to, care) - before
        sales = offer.unit[a, to] * offer.curves[a].sales(care)
        kept = float(offer.kept[a, to])
        at_risk = sales / kept - sales if kept > 0 else sales
        path = f"owner.{offer.ids[a]}"
        if a in problem.locks.owner:
            reason = problem.locks.author.get(path, "locked")
        elif offer.displaced[a, source] - offer.displaced[a, to] > abs(gain) / 2:
            reason = "relieves the present owner's workload"
        elif gain > 0:
            reason = "sells more with the new owner"
        elif a in crowded:
            reason = "keeps within the limits on accounts"
        else:
            reason = "makes room for the fairness rules"
        name = problem.reps[source] if source >= 0 else ""
        rows.append(Move(offer.ids[a], name, problem.reps[to], round(at_risk), round(gain), reason))
    return rows


def _by_rep(problem: AllocationProblem, values: Floats) -> dict[str, int]:
    return {rep: round(float(value)) for rep, value in zip(problem.reps, values, strict=True)}
