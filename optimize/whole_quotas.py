"""Quotas of settled decisions in whole steps that keep the rules, and what is told where none do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from optimize.fairness_measures import KEPT_WITHIN, Together, standings
from optimize.problem import AllocationProblem, Decisions, Floats, Ints, gains
from optimize.quotas import NoQuotasError, best_quotas, contradicted, quota_model
from optimize.rounding import TOLERANCE, rounded_quotas
from optimize.rules import bounds, box
from optimize.split import split_in_groups
from optimize.whole_steps import in_whole_steps
from scenarios.goals import EqualOdds, GroupParity, WorstOff

TIGHTENINGS = 4
"""How often a rule that rounding breaks is tightened by what it was broken."""


@dataclass(frozen=True)
class WholeQuotas:
    """Quotas before and after rounding, minor units, [R].

    Attributes:
        broken: by how much whole steps break each rule that ties people together, by its place among the rules.
        outside: minor units by which they miss bounds on single quotas.
        proven: whether it is proven that no whole steps under these decisions do better; else none were found.
    """

    exact: Floats
    quotas: Ints
    broken: dict[int, float]
    outside: float = 0.0
    proven: bool = False

    @property
    def kept(self) -> bool:
        """Whether whole steps break nothing that the exact quotas keep."""
        return not self.broken and not self.outside


def whole_quotas(problem: AllocationProblem, decisions: Decisions, *, nearest: bool = False) -> tuple[Floats, Ints]:
    """Quotas before and after rounding, minor units, [R]; arguments as of :func:`kept_quotas`.

    Raises:
        InfeasiblePlan: rules that tie people together leave no quotas; says which.
    """
    try:
        found = kept_quotas(problem, decisions, nearest=nearest)
    except NoQuotasError:
        raise contradicted(problem, decisions) from None
    return found.exact, found.quotas


def kept_quotas(problem: AllocationProblem, decisions: Decisions, *, nearest: bool = False) -> WholeQuotas:
    """The exact quotas in whole steps that keep the rules, or break them least.

    Where rounding breaks a rule, the exact quotas are made anew with the rule tightened by the breach, as long as there
    is room; where that does not mend it, whole steps that keep all rules are searched (:mod:`optimize.whole_steps`).

    Args:
        nearest: for decisions that were not made under the rules: where rules that tie people together leave no
            quotas, the exact split by the bounds alone.

    Raises:
        NoQuotasError: rules that tie people together leave no quotas.
    """
    low, high = box(problem, bounds(problem, decisions))
    found = best_quotas(problem, decisions)
    if found is None and not nearest:
        raise NoQuotasError(quota_model(problem, decisions).problem)
    exact = split_in_groups(problem, problem.basis, gains(problem, decisions), low, high) if found is None else found
    best = _rounded(problem, decisions, exact)
    if best.kept or found is None or all(r in problem.locks.quota for r in range(len(problem.reps))):
        return best
    tighter, held = problem, best
    for _ in range(TIGHTENINGS):
        if best.kept or not held.broken:
            break
        tighter = tightened(tighter, held.broken)
        found = best_quotas(tighter, decisions)
        if found is None:
            break
        held = _rounded(problem, decisions, found)
        best = min(best, held, key=_breach)
    proven, tighter = False, problem
    for turn in range(0 if best.kept else TIGHTENINGS):
        # Limits on the Gini index are held by cuts that leave a hair: what is found may still break them.
        searched = in_whole_steps(tighter, decisions, exact)
        proven |= turn == 0 and searched.proven
        if searched.quotas is None:
            break
        held = _measured(problem, decisions, exact, searched.quotas)
        best = min(best, held, key=_breach)
        if held.kept:
            break
        tighter = tightened(tighter, held.broken)
    return replace(best, proven=proven and not best.kept)


def _breach(found: WholeQuotas) -> tuple[float, float]:
    return sum(found.broken.values()), found.outside


def _rounded(problem: AllocationProblem, decisions: Decisions, exact: Floats) -> WholeQuotas:
    low, high = box(problem, bounds(problem, decisions))
    return _measured(problem, decisions, exact, rounded_quotas(problem, exact, low, high))


def _measured(problem: AllocationProblem, decisions: Decisions, exact: Floats, quotas: Ints) -> WholeQuotas:
    """Quotas with what they break by rounding alone: what a lock breaks no other whole steps can mend."""
    broken: dict[int, float] = {}
    for place, rule in enumerate(problem.rules):
        if isinstance(rule, Together):
            found = standings(problem, decisions, quotas.astype(np.float64), rule)
            locked = any(problem.concerned(rule)[r] for r in problem.locks.bound)
            worst = max((-s.room for s in found if not (locked and -s.room > s.step)), default=0.0)
            if worst > KEPT_WITHIN:
                broken[place] = worst
    low, high = box(problem, bounds(problem, decisions))
    off = np.maximum(low - quotas, quotas - high)
    rounded = (off > TOLERANCE) & (np.maximum(low - exact, exact - high) <= TOLERANCE)
    return WholeQuotas(exact, quotas, broken, float(off[rounded].max(initial=0.0)))


def told(problem: AllocationProblem, decisions: Decisions, found: WholeQuotas) -> Iterator[str]:
    """What whole steps break, by how much and what would mend it, in words; nothing where they break nothing."""
    why = (
        "no whole steps keep it under these owners, training and care, and no others were found that leave any"
        if found.proven
        else "no plan in whole steps that keeps it was found"
    )
    step = f"{problem.rounding_step / 100:,.10g}"
    yield from _bounds_missed(problem, decisions, found, step)
    for place in found.broken:
        for one in standings(problem, decisions, found.quotas.astype(np.float64), problem.rules[place]):
            if not one.kept:
                actual, limit = told_apart(one.actual, one.limit)
                yield (
                    f"in whole steps of {step} {one.rule} of {one.subject} is {actual} where {limit} is asked: {why}; "
                    f"a smaller rounding step may keep it, and a limit of {actual} does"
                )


def told_apart(actual: float, limit: float) -> tuple[str, str]:
    """A figure beyond its limit, and the limit, in digits that tell them apart: two of their difference, at least four.

    The figure is rounded away from the limit, so that it suffices as one.
    """
    apart, largest = abs(actual - limit), max(abs(actual), abs(limit))
    if not apart:
        return f"{actual:.4g}", f"{limit:.4g}"
    place = math.floor(math.log10(largest))
    digits = max(4, place - math.floor(math.log10(apart)) + 2)
    step = 10.0 ** (place - digits + 1)
    outward = math.ceil if actual > limit else math.floor
    return f"{outward(actual / step) * step:.{digits}g}", f"{limit:.{digits}g}"


def _bounds_missed(problem: AllocationProblem, decisions: Decisions, found: WholeQuotas, step: str) -> Iterator[str]:
    """Rules on single quotas that whole steps miss where the exact quotas do not."""
    missed: dict[str, list[str]] = {}
    for bound in bounds(problem, decisions) if found.outside else ():
        sign = 1.0 if bound.side == "upper" else -1.0
        off, exact = ((q[bound.rep] - bound.value) * sign for q in (found.quotas, found.exact))
        if off > TOLERANCE >= exact:
            missed.setdefault(bound.rule, []).append(problem.reps[bound.rep])
    for rule, reps in missed.items():
        yield (
            f"in whole steps of {step} {rule} misses its limit by less than a step for {', '.join(reps)}: no whole "
            "steps between all limits that sum to the totals were found; a smaller rounding step may keep it"
        )


def tightened(problem: AllocationProblem, excess: dict[int, float]) -> AllocationProblem:
    """The request with rules, by their place, tighter by so much in their own numbers."""
    rules = list(problem.rules)
    for place, amount in excess.items():
        rule, more = rules[place], amount * 1.01 + 1e-9
        if isinstance(rule, WorstOff):
            rules[place] = rule.model_copy(update={"minimum": min(rule.minimum + more, 1.0)})
        elif isinstance(rule, EqualOdds):
            rules[place] = rule.model_copy(update={"width": max(rule.width - more, 0.0)})
        elif isinstance(rule, GroupParity):
            rules[place] = rule.model_copy(update={"tolerance": max(rule.tolerance - more, 0.0)})
        elif isinstance(rule, Together):
            rules[place] = rule.model_copy(update={"maximum": max(rule.maximum - more, 0.0)})
    return replace(problem, rules=tuple(rules))
