"""The least by which a rule must give way so that a programme has a plan: how far a search goes, and what it asks.

Where accounts can be shared, amounts are found by bisection between linear programmes, each from the basis of the last.
Whole accounts ask for more: a rule that gives way by a column is minimised in one search, any other is asked about in
turn. All searches end at a limit on nodes, and what they leave open counts as not possible: an amount suffices always.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from optimize.loosening import (
    Family,
    answered,
    family_of,
    fine_question,
    question,
    relaxed,
    straight,
    suffices,
    told_in_pieces,
)
from optimize.problem import AllocationProblem
from optimize.programme.blocks import Programme
from optimize.programme.solve import Warm, searched, settled
from optimize.rule_steps import steps_of

SEARCH_STEPS = 40
MARGIN = 1e-6
"""How close an amount is found, in the rule's own number."""
MANY = 20_000
"""Columns beyond which it is found to half of what is told of it: then a question takes a second."""
WIDENINGS = 16
LEAST_STEP = 0.01
"""Of its unit, to which an amount is told."""
ELASTIC_NODES = 200
"""After which a search for the least amount ends with what it has."""
FEW_WHOLE, REFINEMENTS = 1_000, 3
"""Up to so many whole decisions an amount is found to half a hundredth of its unit, beyond in so many halvings."""
MOST = 1e13
"""An amount beyond which a rule is said not to help by degrees."""


def least_loosening(problem: AllocationProblem, programme: Programme, rule: str, size: float) -> float | None:
    """The least amount, in the rule's own number, by which it must give way; None where it cannot help alone.

    All other rules held. Where a search with whole accounts ends at its limit, the amount is one that suffices.

    Args:
        size: how much of the rule's number one unit of it is.
    """
    if not suffices(programme.without([rule])):
        return None
    family = family_of(problem, programme, rule)
    amount = None if family is None else least_amount(family, rule, _first(programme, rule), size)
    if amount is None or int(programme.integer.sum()) > FEW_WHOLE or not told_in_pieces(problem):
        return amount
    gone = {rows.rule for rows in question(problem).rows} - {rows.rule for rows in programme.rows}
    family = family_of(problem, fine_question(problem).without([*gone]), rule, ask=fine_question)
    return amount if family is None else _with_more_pieces(family, rule, amount, size)


def _with_more_pieces(family: Family, rule: str, enough: float, size: float) -> float:
    """The least amount with as many pieces as a plan is made with, where one is known that suffices with few.

    Questions with many pieces are dear, and most of them only say that a little less is not enough: that comes first.
    """
    now = family(0.0)
    if straight(now, rule):
        return min(enough, _elastic(now, rule, size, enough))
    steps, low = steps_of(now, rule), _bisected(_shared(family))
    below = enough - size * LEAST_STEP if steps is None else steps.below(enough)
    if low is None or below <= low or settled(family(below)) is not True:
        return enough
    if suffices(family(_rounded(low, size))):
        return low
    return _narrowed(family, rule, _rounded(low, size), below, size)


def _first(programme: Programme, rule: str) -> float | None:
    """The least amount with shared accounts, by one elastic solve where the rule gives way by a column."""
    if not straight(programme, rule):
        return None
    found = answered(programme.elastic(rule))
    return None if found is None else max(0.0, -found.objective)


def least_amount(family: Family, rule: str, start: float | None, size: float) -> float | None:
    """The least amount that makes a family's programme possible, rounded upwards; None where none does.

    Where a rule gives way by a column, one search finds it. Else, where a rule adds up whole steps, it is the first
    step that is enough; others are found to half a hundredth of a unit, with more than :data:`FEW_WHOLE` whole
    decisions in :data:`REFINEMENTS` halvings. A search that is left open counts as not possible, so that the amount
    suffices but may then be more than the least.
    """
    now = family(0.0)
    near = MARGIN if now.size <= MANY else size * LEAST_STEP / 2
    low = _bisected(_shared(family), margin=near) if start is None else start
    if low is None or not now.integer.any():
        return low
    if straight(now, rule) and int(now.integer.sum()) <= FEW_WHOLE:
        amount = _elastic(now, rule, size, math.inf)
        if math.isfinite(amount):
            return amount
    short = _rounded(low, size)
    if suffices(family(short)):
        return low
    step, enough = size / 4, None
    for _ in range(WIDENINGS):
        if suffices(family(short + step)):
            enough = short + step
            break
        short, step = short + step, step * 2
    return None if enough is None else _narrowed(family, rule, short, enough, size)


def _rounded(amount: float, size: float) -> float:
    """An amount as it is told: upwards to :data:`LEAST_STEP` of its unit."""
    return math.ceil(amount / size / LEAST_STEP - 0.02) * LEAST_STEP * size


def _elastic(programme: Programme, rule: str, size: float, otherwise: float) -> float:
    """By how much a rule gives way at least that does so by a column: one search in place of many questions.

    Args:
        otherwise: the amount where the search ends at its limit on nodes before it finds any.
    """
    found = searched(programme.elastic(rule), size * LEAST_STEP / 4, ELASTIC_NODES)
    if found.values is None:
        return otherwise
    return max(0.0, float(found.values[-2:].sum()))


def _narrowed(family: Family, rule: str, short: float, enough: float, size: float) -> float:
    """The least amount that suffices between one that is not known to and one that does."""
    now = family(0.0)
    steps, few = steps_of(now, rule), int(now.integer.sum()) <= FEW_WHOLE
    if steps is not None and steps.up_to(enough) > short:
        enough = steps.up_to(enough)
    for _ in range(SEARCH_STEPS if few else REFINEMENTS):
        middle = (short + enough) / 2
        if steps is not None:
            last = steps.below(enough)
            if last <= short:
                break
            middle = steps.up_to(middle) if steps.up_to(middle) > short else last
        elif enough - short <= size / 200:
            break
        answer = settled(family(middle))
        if answer is None and not few:
            break
        short, enough = (short, middle) if answer else (middle, enough)
    return enough


def _shared(family: Family) -> Callable[[float], bool]:
    """Whether an amount is enough where accounts can be shared, each answer from where the last one ended.

    With many columns, presolve before a new start is sooner done.
    """
    now = relaxed(family(0.0)).relaxed_objective()
    if now.size > MANY:
        return lambda amount: answered(family(amount).relaxed_objective()) is not None
    warm = Warm(now)
    return lambda amount: answered(family(amount).relaxed_objective(), warm) is not None


def _bisected(possible: Callable[[float], bool], most: float = MOST, margin: float = MARGIN) -> float | None:
    """The least amount at which something is possible, to a margin, upwards; None beyond :data:`MOST`."""
    high = 1.0
    while not possible(high):
        high *= 64.0
        if high > most:
            return None
    low = 0.0
    for _ in range(SEARCH_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if possible(middle) else (middle, high)
        if high - low <= margin:
            break
    return high
