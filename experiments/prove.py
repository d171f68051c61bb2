"""Proof of a plan on years that nobody has seen: against today's plan and every simple rule.

The years are fresh: neither the allocator nor the loop nor any rule was made from them, and they are looked at once.
All plans meet the same years, and all intervals of the comparison hold together. The gain that counts is the one over
the *best* simple rule within the same fairness rules, chosen with hindsight on these very years, which favours the
rules. Where no simple rule is within them, the gain over today's plan decides alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from experiments.bounds import Fitted, bounds_of
from experiments.compare import PROVEN_MEASURES, compare_outcomes, figure
from experiments.decompose import decompose, decompose_along
from experiments.fair_measures import STATISTICS, fair_measures, fairness_difference
from experiments.optimism import Promise, optimism
from experiments.proof import OBJECTIVES, TODAY, Proof
from experiments.runs import Progress, Runs, Simulate
from experiments.uncertainty import YEARS_A_DRAW, GainRange, YearRange, gain_range
from optimize.formulate import formulate
from optimize.plans import decisions_of, rules_broken
from optimize.problem import AllocationProblem, potentials
from optimize.response.estimate import Responses
from scenarios.errors import Problem, refuse_if
from scenarios.plan import Plan
from scenarios.plan_checks import plan_problems
from scenarios.scenario import Scenario, require_world
from scenarios.today import today_plan
from sim.outcome import Outcome

DEFAULT_YEARS = 1000


def prove(
    scenario: Scenario,
    plans: Mapping[str, Plan],
    *,
    baselines: Mapping[str, Plan],
    plan: str | None = None,
    steps: Sequence[str] = (),
    promise: Promise | None = None,
    responses: Responses | None = None,
    fitted: Fitted | None = None,
    replications: int = DEFAULT_YEARS,
    first: int = 0,
    seed: int | None = None,
    draws: int = 0,
    each: int = YEARS_A_DRAW,
    workers: int = 1,
    progress: Progress | None = None,
    confidence: float = 0.95,
    simulate: Simulate | None = None,
    runs: Runs | None = None,
) -> Proof:
    """Judge a plan on fresh years.

    Args:
        plans: the plan and, if wanted, others that led to it, by name; the baselines may be among them.
        baselines: the simple rules to beat, by name.
        plan: which of the plans is judged; default the last of them.
        steps: names of plans in the order in which they came about, ending at the plan, for the decomposition of the
            gain; default the plan's own tables, one after the other.
        promise: what was said of the plans beforehand.
        responses: of today's plan on the years from which the plans were made, to tell which rules of thumb break a
            fairness rule; without them every rule competes.
        fitted: sets the gains of a request right as the loop did, for the bound within the programme; default as the
            formula has them.
        replications: fresh years of each distinct world.
        first: number of the first fresh year; must not reach those from which the plans were made.
        seed: default the scenario's.
        draws: of the uncertain parameters, ``each`` years a draw; 0 leaves them unassessed.
        workers: threads; they never change a figure.
        progress: called with (years done, years known to be needed so far).
        runs: simulations of fresh years at hand; then replications, first, seed and workers are theirs.

    Raises:
        InputRefused: a name that is not among the plans, two plans of one name, no baseline, a plan that does not fit
            the scenario, or the simulator refuses one.
    """
    require_world(scenario)
    everything = {TODAY: today_plan(scenario), **plans, **baselines}
    judged = list(plans)[-1] if plan is None and plans else plan or ""
    _check(scenario, plans, baselines, judged, steps)
    pool = runs or Runs(
        replications,
        scenario.seed if seed is None else seed,
        first=first,
        workers=workers,
        progress=progress,
        simulate=simulate,
    )
    for one in everything.values():
        pool.expect(scenario, one)
    outcomes = {name: pool.outcome(scenario, one) for name, one in everything.items()}
    request = None if responses is None else formulate(scenario, responses, single_pass=False)
    broken = {} if request is None else breaches(request, everything)
    rules = competing(baselines, broken)
    best = {measure: best_rule(measure, {name: baselines[name] for name in rules}, outcomes) for measure in OBJECTIVES}
    rivals = [rival for rival in (TODAY, *baselines) if rival != judged]
    pairs = [(judged, rival) for rival in rivals]
    pairs += [(name, rival) for name in dict.fromkeys(best.values()) for rival in (TODAY, *rules) if rival != name]
    comparison = compare_outcomes(
        {name: scenario.with_plan(one) for name, one in everything.items()},
        outcomes,
        reference=tuple(dict.fromkeys((best["sales"], TODAY))),
        pairs=pairs,
        confidence=confidence,
        measures=PROVEN_MEASURES,
        beside=len(STATISTICS) * len(rivals),
    )
    territory = {name: potentials_under(request, one) for name, one in everything.items()}
    fairness = {
        name: found
        for name, one in everything.items()
        if (found := fair_measures(one, outcomes[name], territory[name])) is not None
    }
    fairer = {
        rival: apart
        for rival in rivals
        if (
            apart := fairness_difference(
                (everything[judged], outcomes[judged]),
                (everything[rival], outcomes[rival]),
                confidence,
                comparison.comparisons,
            )
        )
    }
    years = {
        case.name: sample
        for case in comparison.cases
        if promise is not None and (sample := figure(case, promise.objective)) is not None
    }
    today = everything[TODAY]
    path = {name: everything[name] for name in steps}
    return Proof(
        plan=judged,
        comparison=comparison,
        rules=rules,
        best_rules=best,
        rule_breakers=frozenset(broken),
        fairness=fairness,
        fairer=fairer,
        optimism=optimism(promise, years) if promise is not None else {},
        steps=decompose_along(scenario, today, path, pool, confidence=confidence)
        if path
        else decompose(scenario, today, everything[judged], pool, confidence=confidence),
        bounds=bounds_of(
            scenario,
            everything[judged],
            outcomes[judged],
            carriers=None if responses is None else responses.reps,
            fitted=fitted,
        ),
        uncertainty=over_errors(
            scenario,
            everything[judged],
            everything[best["sales"]],
            pool,
            draws=draws,
            each=each,
            workers=workers,
            simulate=simulate,
        ),
        worlds=pool.worlds,
    )


def _check(
    scenario: Scenario, plans: Mapping[str, Plan], baselines: Mapping[str, Plan], judged: str, steps: Sequence[str]
) -> None:
    known = ", ".join(plans) or "none"
    found = []
    if judged not in plans:
        found.append(Problem("plan", judged, "is not among the plans", f"known: {known}"))
    if not baselines:
        found.append(Problem("baselines", "", "a plan is proved against simple rules", "give optimize.baselines.plans"))
    found += [
        Problem("steps", name, "is not among the plans", f"known: {known}") for name in steps if name not in plans
    ]
    if steps and steps[-1] != judged:
        found.append(Problem("steps", steps[-1], f"the last step must be the plan itself, {judged}"))
    for name, one in {**plans, **baselines}.items():
        both = name in plans and name in baselines
        if both and plans[name].decisions_hash() != baselines[name].decisions_hash():
            found.append(Problem("plans", name, "is a plan and another baseline of the same name", "rename one"))
        if name == TODAY and one.decisions_hash() != today_plan(scenario).decisions_hash():
            found.append(Problem("plans", name, "is kept for today's plan", "rename it"))
        found += [
            Problem(f"{name}: {fault.where}", fault.value, fault.rule, fault.remedy)
            for fault in plan_problems(one, scenario)
        ]
    refuse_if(found)


def breaches(request: AllocationProblem, plans: Mapping[str, Plan]) -> dict[str, int]:
    """How many rules of the request each plan breaks; those that break none are left out."""
    counted = {name: rules_broken(request, one) for name, one in plans.items()}
    return {name: count for name, count in counted.items() if count}


def competing(rules: Iterable[str], broken: Mapping[str, int]) -> tuple[str, ...]:
    """The simple rules within the fairness rules; where none is, those that break the fewest.

    The latter are told apart as outside and decide nothing.
    """
    names = tuple(rules)
    fewest = min(broken.get(name, 0) for name in names)
    return tuple(name for name in names if broken.get(name, 0) == fewest)


def best_rule(measure: str, rules: Mapping[str, Plan], outcomes: Mapping[str, Outcome]) -> str:
    """The rule with the largest expected sales or capped attainment; ties by the other of the two, then by name.

    It is chosen on the years on which it is compared, which favours it, not the plan.
    """

    def worth(name: str) -> tuple[float, float, str]:
        sales, capped = expected(rules[name], outcomes[name])
        return (sales, capped, name) if measure == "sales" else (capped, sales, name)

    return max(rules, key=worth)


def expected(plan: Plan, outcome: Outcome) -> tuple[float, float]:
    """Expected sales, minor units, and capped attainment of the company (0 without quotas)."""
    cube, given = outcome["rep"], plan.quotas()
    quotas = np.array([given.get(rep, 0) for rep in cube.keys])
    sales = cube.total("revenue")
    capped = np.minimum(sales, quotas).sum(axis=1).mean() / quotas.sum() if quotas.sum() > 0 else 0.0
    return float(sales.sum(axis=1).mean()), float(capped)


def potentials_under(request: AllocationProblem | None, plan: Plan) -> dict[str, int]:
    """Potential of each rep with the accounts and leads that the plan gives them; empty where no request is known."""
    if request is None:
        return {}
    decisions = decisions_of(request, plan)
    whole = potentials(request, decisions.owner, decisions.shares)
    return {rep: round(value) for rep, value in zip(request.reps, whole.tolist(), strict=True)}


def over_errors(
    scenario: Scenario,
    plan: Plan,
    rule: Plan,
    pool: Runs,
    *,
    draws: int,
    each: int,
    workers: int,
    progress: Progress | None = None,
    simulate: Simulate | None = None,
) -> tuple[GainRange, YearRange] | None:
    """A plan's gain over a simple rule and its year range when parameters may be wrong; None without draws."""
    if not draws:
        return None
    return gain_range(
        scenario,
        plan,
        rule,
        draws=draws,
        each=each,
        seed=pool.seed,
        workers=workers,
        progress=progress,
        simulate=simulate,
        runs=pool,
    )
