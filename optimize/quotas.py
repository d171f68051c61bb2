"""The exact quotas of settled decisions under every rule and mode.

Bounds on single quotas need no programme (:mod:`optimize.split`). Where a rule ties people together, quotas are the
only decisions left of the same programme, so that its rows are written once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.fairness_measures import tied
from optimize.infeasible import explain
from optimize.leximin import leximin
from optimize.metrics import Metrics
from optimize.model import Model, build, first_knots
from optimize.parts.fairness_together import odds_bounds
from optimize.parts.targets import QUOTA
from optimize.problem import AllocationProblem, Decisions, Floats, Ints, gains, held
from optimize.programme.blocks import BROKEN, PENALTY, Linear, Programme
from optimize.programme.ordered import within_limits
from optimize.programme.solve import solve
from optimize.rules import attainable, bounds, box
from optimize.split import attained, groups, split_in_groups
from optimize.welfare import welfare_quotas
from scenarios.errors import InfeasiblePlan
from scenarios.goals import EqualOdds, TrainingFloor, Workload

EXACT_PIECES = 60_000
"""Reps x samples up to which the programme of quotas is the exact sample average."""
PIECES = 128
LEXIMIN_REPS = 40
"""Reps up to whom lexicographic max-min is one programme after the other, whatever the rules."""
LEVEL_STEPS = 50


def plain(problem: AllocationProblem) -> bool:
    """Whether quotas are an exact split between bounds: the sum is maximised and no rule ties people together."""
    return not tied(problem) and not problem.alpha and not problem.maximin


class NoQuotasError(Exception):
    """Rules that tie people together, or floors, leave decisions no quotas.

    Attributes:
        stuck: the request with these decisions held.
    """

    def __init__(self, stuck: AllocationProblem) -> None:
        super().__init__("no quotas under these decisions")
        self.stuck = stuck


def exact_quotas(problem: AllocationProblem, decisions: Decisions) -> Floats:
    """The best quotas under these decisions before rounding, minor units, [R].

    Raises:
        InfeasiblePlan: rules that tie people together leave no quotas.
    """
    found = best_quotas(problem, decisions)
    if found is None:
        raise contradicted(problem, decisions)
    return found


def contradicted(problem: AllocationProblem, decisions: Decisions) -> InfeasiblePlan:
    """Why these decisions leave no quotas."""
    stuck = quota_model(problem, decisions).problem
    return explain(stuck, lambda changed: possible_quotas(changed, decisions) is not None)


def best_quotas(problem: AllocationProblem, decisions: Decisions) -> Floats | None:
    """The same; None where rules that tie people together leave no quotas."""
    low, high = box(problem, bounds(problem, decisions))
    gain, ties = gains(problem, decisions), tied(problem)
    if plain(problem):
        return split_in_groups(problem, problem.basis, gain, low, high)
    if problem.maximin and not ties and len(problem.reps) > LEXIMIN_REPS:
        return _at_one_attainment(problem, gain, low, high)
    if len(ties) == 1 and isinstance(ties[0], EqualOdds) and not problem.alpha:
        found = _at_equal_odds(problem, ties[0], gain, low, high)
        if found is not None:
            return found
    return _by_programme(problem, decisions)


def possible_quotas(problem: AllocationProblem, decisions: Decisions) -> Floats | None:
    """The best quotas under these decisions; None where the rules leave none that sum to the totals."""
    if plain(problem) and not _roomy(problem, *box(problem, bounds(problem, decisions))):
        return None
    found = best_quotas(problem, decisions)
    # Totals of all teams need not add up to the company's.
    return found if found is not None and abs(float(found.sum()) - problem.total) <= 0.5 else None


def quota_model(problem: AllocationProblem, decisions: Decisions, pieces: int | None = None) -> Model:
    """The programme in which quotas are the only decisions.

    Args:
        pieces: of expected attainment by rep; None is the sample average, or :data:`PIECES` of a large company.
    """
    fixed = held(problem, decisions, care=True)
    rules = tuple(rule for rule in fixed.rules if not isinstance(rule, Workload | TrainingFloor))
    offer = replace(fixed.accounts, limits=(), max_per_rep=None)
    fixed = replace(fixed, rules=rules, trust=None, metrics=Metrics(), accounts=offer)
    if pieces is None and problem.basis.size > EXACT_PIECES:
        pieces = PIECES
    return build(fixed, segments=pieces, knots=first_knots(fixed))


def _by_programme(problem: AllocationProblem, decisions: Decisions) -> Floats | None:
    """The largest sum, or what the request's mode asks for, of the programme of quotas."""
    model = quota_model(problem, decisions)
    solution, columns = solve(model.programme, solver=problem.solver), model.programme.block(QUOTA).index
    if solution.status == "infeasible":
        return None
    programme = giving_way_no_further(model.programme, solution.values)
    if problem.alpha:
        return welfare_quotas(problem, model, programme, gains(problem, decisions))
    if problem.maximin and model.quotas is not None:
        # Whoever may carry no quota attains nothing of nothing, and is no level to be raised.
        carry = np.flatnonzero(box(problem, bounds(problem, decisions))[1] > 0)
        found = leximin(programme, model.quotas.counted.pick(carry), Linear.columns(columns[carry]), highest=1.0)
        return None if found is None else np.asarray(found.values[columns] * model.unit)
    return np.asarray(within_limits(programme, solution.values)[columns] * model.unit)


def giving_way_no_further(programme: Programme, values: Floats) -> Programme:
    """Rows that give way to locks give way no further than for the largest sum, whatever is maximised next."""
    upper = programme.upper.copy()
    for block in programme.columns:
        if block.name.startswith(BROKEN):
            upper[block.index] = values[block.index] + 1e-9
    return replace(programme, upper=upper)


def _at_one_attainment(problem: AllocationProblem, gain: Floats, low: Floats, high: Floats) -> Floats:
    """Lexicographic max-min between bounds on single quotas: everybody at one capped attainment, clipped.

    Attainment falls as a quota rises, so that whoever is better off than the level is at the upper bound and whoever is
    worse off at the lower: neither can be raised.
    """
    out = np.zeros(len(low))
    for _, members, total in groups(problem):
        samples = problem.basis[:, members]

        def quotas(level: float, members: Ints = members, samples: Floats = samples) -> Floats:
            return np.asarray(np.clip(attainable(samples, gain[members], level), low[members], high[members]))

        bottom, top = 0.0, 1.0
        for _ in range(LEVEL_STEPS):
            middle = (bottom + top) / 2
            bottom, top = (middle, top) if quotas(middle).sum() >= total else (bottom, middle)
        many, few = quotas(bottom), quotas(top)
        most = np.where(np.isfinite(many), many, few + total)
        room = float((most - few).sum())
        out[members] = few + (most - few) * ((total - few.sum()) / room if room > 0 else 0.0)
    return out


def _at_equal_odds(
    problem: AllocationProblem, rule: EqualOdds, gain: Floats, low: Floats, high: Floats
) -> Floats | None:
    """The best of the splits at every level of the chance; None where no level leaves room for the totals.

    A locked quota outside a level's bounds costs what breaking a row costs in the programme.
    """
    least, most = odds_bounds(problem, rule)
    free = problem.concerned(rule)
    locked = np.array(sorted(r for r in problem.locks.quota if free[r]), dtype=np.int64)
    free[locked] = False
    best, value = None, -np.inf
    for lower, upper in zip(least + gain, most + gain, strict=True):
        inside = np.where(free, np.maximum(low, lower), low), np.where(free, np.minimum(high, upper), high)
        if not _roomy(problem, *inside):
            continue
        quotas = split_in_groups(problem, problem.basis, gain, *inside)
        off = np.maximum(lower[locked] - quotas[locked], 0.0) + np.maximum(quotas[locked] - upper[locked], 0.0)
        worth = attained(problem.basis, gain, quotas) - PENALTY * float(off.sum())
        if worth > value:
            best, value = quotas, worth
    return best


def _roomy(problem: AllocationProblem, low: Floats, high: Floats) -> bool:
    """Whether the bounds leave room for every sum, to half a minor unit."""
    return bool((low <= high + 0.5).all()) and all(
        low[members].sum() <= total + 0.5 and high[members].sum() >= total - 0.5
        for _, members, total in groups(problem)
    )
