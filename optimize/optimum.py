"""The best decisions of a request: by branch and bound, or by prices where the request is large."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, cast, get_args

import numpy as np

from optimize.bent_curves import fine_knots
from optimize.even_load import evenly_loaded
from optimize.exact_value import attained_value, weighed_sales, with_metrics
from optimize.fairness_measures import tied
from optimize.found import GAP, NoPlanError, NoStepError, Optimum
from optimize.infeasible import explain
from optimize.loosening import question, suffices
from optimize.metrics import Metrics
from optimize.model import Model, build, first_knots, given_way, read_decisions, segments_for
from optimize.nearby import with_exact_quotas
from optimize.parts import lead_shares
from optimize.problem import AllocationProblem, Decisions, Floats, held
from optimize.programme.curves import zoom
from optimize.programme.solve import OutOfTimeError, Solution, SolverError, solve
from optimize.programme.solvers import HIGHS
from optimize.quotas import NoQuotasError
from optimize.reach import beyond_one_programme, open_pairs, within_reach
from scenarios.errors import Problem, Unsupported, refuse_if

LARGE = 5_000
"""Pairs of account and candidate beyond which the method by prices is chosen: branch and bound no longer ends there."""
Method = Literal["auto", "exact", "prices"]
NOT_FOUND = "decided by branch and bound: the method by prices found no owners that leave quotas room under all rules"
BY_SIMULATED_OWNERS = (
    "owners of accounts are as in the plan that was simulated: the method by prices found no others that leave quotas "
    "room under all rules, and so many are out of reach for branch and bound; the gap is to the best plan of any owners"
)
UNBOUNDED = BY_SIMULATED_OWNERS.replace(
    "the gap is to the best plan of any owners", "beside locks no bound is known on plans of other owners"
)
CALM = 1e-8
"""Of the objective: what shares of leads may cost that stay nearer to the simulated ones."""
SOLVED = 0.3
"""Share of the gap that is left to the solver where curves of care are cut finely."""
REFINEMENTS, BENT_REFINEMENTS = 8, 3
FINE_PIECES = 16


def optimise(problem: AllocationProblem, gap: float | None = None, method: Method = "auto") -> Optimum:
    """Solve the programme: jointly, or owners, training and care for sales first (two-stage mode).

    Args:
        gap: relative gap at which to stop; default 1e-4 for branch and bound, 1e-3 for the method by prices.
        method: "exact" is branch and bound, "prices" the method by prices (:mod:`optimize.by_prices.method`), "auto"
            the latter for requests beyond :data:`LARGE` pairs wherever it can decide all that is asked.

    Raises:
        InputRefused: no such method, or a gap that is none.
        Unsupported: asked for prices, and they cannot decide all that is asked; says what.
        InfeasiblePlan: no decisions satisfy the request.
        NoStepError: none within its trust region do; of a large request, none that prices lead to.
    """
    try:
        return decided(problem, gap, method)
    except NoPlanError as none:
        raise explain(problem, lambda changed: _has_decisions(changed, gap, method), proven=none.proven) from None
    except NoQuotasError as left:
        raise explain(problem, lambda changed: _has_decisions(changed, gap, method), left.stuck) from None


def _has_decisions(problem: AllocationProblem, gap: float | None, method: Method) -> bool:
    try:
        decided(within_reach(problem), gap, method)
    except (NoPlanError, NoQuotasError, NoStepError, SolverError, Unsupported):
        return False
    return True


def decided(problem: AllocationProblem, gap: float | None = None, method: Method = "auto") -> Optimum:
    """As :func:`optimise`, without saying what contradicts.

    Raises:
        InputRefused, Unsupported, NoStepError: as :func:`optimise`.
        NoPlanError: no decisions satisfy the request.
        NoQuotasError: those that were found leave floors out of reach where care is to be least.
    """
    check_method(method, gap)
    found = _found(problem, gap, method)
    return _evenly_loaded(problem, found) if problem.even_load else found


def _found(problem: AllocationProblem, gap: float | None, method: Method) -> Optimum:
    if method == "prices" or (method == "auto" and _large(problem)):
        from optimize.by_prices.scope import unsupported

        _refuse_solver(problem, method)

        missing = unsupported(problem)
        if missing and method == "prices":
            rule = "the method by prices does not decide this"
            raise Unsupported([Problem("method", "prices", f"{what}: {rule}", "use exact or auto") for what in missing])
        if not missing:
            return _by_prices(problem, gap)
        note = f"decided by branch and bound, large as it is: the method by prices does not decide {'; '.join(missing)}"
        return replace(_exact(problem, GAP if gap is None else gap), notes=(note,))
    return _exact(problem, GAP if gap is None else gap)


def _refuse_solver(problem: AllocationProblem, method: Method) -> None:
    """No solver but HiGHS makes the small programmes that prices leave, from their last basis."""
    if problem.solver != HIGHS:
        rule = "the method by prices hands no programme to a solver of choice"
        rule = rule if method == "prices" else f"{rule}, and auto takes it for a request as large as this"
        raise Unsupported([Problem("solver", problem.solver, rule, "use method exact, or leave solver out")])


def _evenly_loaded(problem: AllocationProblem, found: Optimum) -> Optimum:
    """The same owners and training with no more care than floors need; no bound is claimed on what is sold."""
    decisions = evenly_loaded(problem, found.decisions)
    model, solution = with_quotas_last(problem, decisions)
    value = attained_value(problem, decisions, model, solution.values)
    return replace(
        found,
        decisions=decisions,
        value=value,
        bound=math.nan,
        bound_type="none",
        asked_gap=math.nan,
        model=model,
        values=solution.values,
    )


def check_method(method: str, gap: float | None) -> Method:
    """The method; one that does not exist, or a gap that is none, is refused before any work is done with them.

    Raises:
        InputRefused: naming each.
    """
    problems, known = [], get_args(Method)
    if method not in known:
        problems.append(Problem("method", str(method), "no such method", f"one of {', '.join(known)}"))
    if gap is not None and not 0.0 < gap < 1.0:
        problems.append(Problem("gap", f"{gap:g}", "must lie between 0 and 1", "write 0.001 for 0.1 %"))
    refuse_if(problems)
    return cast(Method, method)


def by_prices_where_free(problem: AllocationProblem) -> bool:
    """Whether the method "auto" is the one by prices."""
    from optimize.by_prices.scope import unsupported

    return _large(problem) and not unsupported(problem)


def out_of_reach(problem: AllocationProblem) -> bool:
    """Whether branch and bound is the only way and the request too large for it to end within reason."""
    from optimize.by_prices.scope import unsupported

    return _large(problem) and bool(unsupported(problem))


def _large(problem: AllocationProblem) -> bool:
    return open_pairs(problem) > LARGE


def _by_prices(problem: AllocationProblem, gap: float | None) -> Optimum:
    """The plan by prices; values of loosening are read off the programme with its owners."""
    from optimize.by_prices import method

    asked = method.GAP if gap is None else gap
    priced = method.priced_or_bound(replace(problem, metrics=Metrics()), asked)
    if isinstance(priced, float):
        if problem.trust is not None and _large(problem):
            raise NoStepError
        if beyond_one_programme(problem):
            return _with_owners_as_simulated(problem, asked, priced)
        # Whether the request contradicts itself is for the programme to say; prices only failed to find owners.
        return replace(_exact(problem, asked), notes=(NOT_FOUND,))
    decisions, kind, steady = priced.plan.decisions, priced.bound_type, priced.reproducible
    found, bound = with_metrics(problem, decisions, priced.plan.value, priced.bound)
    if problem.two_stage or problem.accounts.care_budget is not None:
        model, solution = with_quotas_last(problem, decisions)
        return Optimum(decisions, found, bound, steady, model, solution.values, kind, asked_gap=asked)
    owned = held(problem, decisions, care=False)
    owned = replace(owned, locks=replace(owned.locks, training=problem.locks.training, owner=problem.locks.owner))
    model = build(owned, segments=segments_for(problem))
    solution = solve(replace(model.programme, integer=np.zeros_like(model.programme.integer)))
    return Optimum(decisions, found, bound, steady, model, solution.values, kind, asked_gap=asked)


def _with_owners_as_simulated(problem: AllocationProblem, gap: float, bound: float) -> Optimum:
    """The best plan with the owners that were simulated, where prices led to none and there are too many to branch on.

    Args:
        bound: by prices, on plans with any owners; minus infinity where these prove that there are none, infinite
            where they prove nothing: beside locks, for rules may give way to these.

    Raises:
        NoPlanError: there is none with these owners; proven where prices prove that no others have one.
    """
    owned = within_reach(problem)
    if bound == -math.inf or not suffices(question(owned)):
        raise NoPlanError(proven=bound == -math.inf)
    try:
        found = _exact(owned, gap)
    except NoPlanError:
        raise NoPlanError(proven=False) from None
    if bound == math.inf:
        return replace(found, bound=math.nan, bound_type="none", notes=(UNBOUNDED,))
    _, bound = with_metrics(problem, found.decisions, 0.0, bound)
    return replace(found, bound=max(bound, found.value), bound_type="linear", notes=(BY_SIMULATED_OWNERS,))


def _exact(problem: AllocationProblem, gap: float) -> Optimum:
    """Curves of care cut coarsely, by their envelopes; finely and as they are where that leaves more than the gap."""
    found = _by_branching(problem, gap, first_knots(problem))
    knots = fine_knots(problem) if found.gap > gap else ()
    if not knots:
        return found
    try:
        # The rest of the gap is for what cuts leave.
        other = _by_branching(problem, SOLVED * gap, knots, bends=True)
    except SolverError as ended:
        return replace(found, reproducible=found.reproducible and not isinstance(ended, OutOfTimeError))
    best, bound = max(found, other, key=lambda one: one.value), min(found.bound, other.bound)
    steady = found.reproducible and other.reproducible
    return replace(best, bound=max(bound, best.value), reproducible=steady, asked_gap=gap)


def _by_branching(problem: AllocationProblem, gap: float, knots: tuple[Floats, ...], *, bends: bool = False) -> Optimum:
    quotas = not problem.two_stage
    first, solution = _solved(problem, gap, knots, quotas, bends=bends, above=bends)
    model = first
    decisions = read_decisions(problem, model, solution.values)
    bound = solution.bound * model.unit + model.error
    if problem.accounts.care_budget is not None:
        model, solution, decisions = _refined(problem, model, solution, decisions, quotas)
        free = not bool(first.programme.integer.any())
        # Without whole columns the finest cuts are a bound, too.
        bound = min(bound, solution.objective * model.unit + model.error) if free else bound
    solution, decisions = _calmed(model, solution, decisions)
    steady = solution.reproducible
    broken = given_way(model, solution.values)
    if problem.two_stage:
        model, solution = with_quotas_last(problem, decisions)
        if solution.status == "infeasible":
            # The best owners and training for sales leave no quotas within the rules: the best of those that do.
            first, solution = _solved(problem, gap, knots, True, sales=True, bends=bends)
            steady = solution.reproducible
            decisions = read_decisions(problem, first, solution.values)
            bound = solution.bound * first.unit + first.error
            solution, decisions = _calmed(first, solution, decisions)
            broken = given_way(first, solution.values)
            decisions = _with_exact_quotas(problem, first, solution, decisions, sales=True)
            model, solution = with_quotas_last(problem, decisions)
    else:
        settled = _with_exact_quotas(problem, model, solution, decisions, sales=False)
        if settled is not decisions:
            decisions = settled
            model, solution = with_quotas_last(problem, decisions)
    value, bound = attained_value(problem, decisions, model, solution.values), bound + broken
    if problem.two_stage:
        bound += weighed_sales(problem)
    return Optimum(decisions, value, max(bound, value), steady, model, solution.values, asked_gap=gap)


def _with_exact_quotas(
    problem: AllocationProblem, model: Model, solution: Solution, decisions: Decisions, *, sales: bool
) -> Decisions:
    """The same decisions, or such beside them that rules which tie people together leave exact quotas.

    The same where none are found: whether their quotas keep the rules in whole steps shows when they are rounded.
    """
    if not tied(problem):
        return decisions
    found = with_exact_quotas(problem, model, solution.values, decisions)
    if found is None and problem.accounts.care_budget is not None:
        model, solution, finer = _refined(problem, model, solution, decisions, True, sales=sales)
        found = with_exact_quotas(problem, model, solution.values, finer)
    return decisions if found is None else found


def _calmed(model: Model, solution: Solution, decisions: Decisions) -> tuple[Solution, Decisions]:
    """The solution with shares of leads as near to the simulated ones as the same objective allows."""
    problem, programme = model.problem, model.programme
    if not programme.has(lead_shares.SHARE):
        return solution, decisions
    size = abs(programme.objective @ solution.values)
    nearer = lead_shares.calmest(problem, programme, solution.values, CALM * float(size))
    calm = solve(nearer, solver=problem.solver)
    if calm.status != "optimal":
        return solution, decisions
    values = calm.values[: programme.size]
    found = read_decisions(problem, model, values)
    objective = float(programme.objective @ values) + programme.constant
    return replace(solution, values=values, objective=objective), replace(
        decisions, care=found.care, shares=found.shares
    )


def _solved(
    problem: AllocationProblem,
    gap: float,
    knots: tuple[Floats, ...],
    quotas: bool,
    *,
    sales: bool = False,
    bends: bool = False,
    above: bool = False,
) -> tuple[Model, Solution]:
    told = segments_for(problem)
    model = build(problem, segments=told, knots=knots, quotas=quotas, sales=sales, bends=bends, above=above)
    solution = solve(model.programme, gap, solver=problem.solver)
    if solution.status == "infeasible":
        raise NoPlanError if problem.trust is None else NoStepError
    return model, solution


def _refined(
    problem: AllocationProblem,
    model: Model,
    solution: Solution,
    decisions: Decisions,
    quotas: bool,
    *,
    sales: bool = False,
) -> tuple[Model, Solution, Decisions]:
    """Cut the care curves finer and finer around the solution, owners and training held, shares of leads not.

    Each pass is five times as fine; the objective of the last is within rounding of that of the curves themselves.
    """
    knots, bends = model.knots if model.bends else first_knots(problem), model.bends
    fixed = held(problem, decisions, care=False)
    fixed = replace(fixed, locks=replace(fixed.locks, shares=problem.locks.shares))
    for _ in range(BENT_REFINEMENTS if bends else REFINEMENTS):
        knots = tuple(zoom(k, float(hours), FINE_PIECES) for k, hours in zip(knots, decisions.care, strict=True))
        model, solution = _solved(fixed, GAP / 100 if bends else GAP, knots, quotas, sales=sales, bends=bends)
        found = read_decisions(fixed, model, solution.values)
        decisions = replace(decisions, care=found.care, shares=found.shares)
    return model, solution, decisions


def with_quotas_last(problem: AllocationProblem, decisions: Decisions) -> tuple[Model, Solution]:
    """Quotas last; infeasible where the decisions leave none."""
    fixed = held(problem, decisions, care=True)
    model = build(fixed, segments=segments_for(fixed), knots=first_knots(fixed))
    return model, solve(model.programme, GAP, solver=problem.solver)
