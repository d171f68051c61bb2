"""Rules that have to give way together: which, and the least of each, where none of them suffices alone.

Which: all rules are left out, then totals of teams, then locks, until a plan is possible; then each is put back that
can be, what comes first in precedence (rule of precedence: company total, locks, team totals, rules) before the rest.
What stays out is needed: a plan needs every one of these to give way as long as the others that were put back hold.

How much: an elastic programme over all of them at once (Chinneck and Dravnieks 1991), in which giving way by what a
rule would need if the others were no rules at all costs the same for each, so that hours and percentage points compare.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimize.least_loosening import least_amount
from optimize.loosening import (
    LEVELLED,
    TOTAL,
    answered,
    family_of,
    precedence,
    question,
    straight,
    suffices,
)
from optimize.nearest_sums import is_sum, nearest_sum, with_sum
from optimize.problem import AllocationProblem
from optimize.programme.blocks import Programme

CENTS = 0.01
"""In how many parts of its unit an amount is told."""


@dataclass(frozen=True)
class GivenWay:
    """One rule that gives way together with others.

    Attributes:
        amount: in the rule's own number; of a sum of quotas its new value in the programme's unit; None where it has
            to be left out.
    """

    rule: str
    amount: float | None


def together(
    problem: AllocationProblem, programme: Programme, size: Callable[[str], float | None]
) -> tuple[GivenWay, ...]:
    """Rules that together make a plan possible, each with what it takes; empty where none of them stands in the way.

    Args:
        size: how much of a rule's number one unit of it is; None for blocks that have no number.
    """
    out = standing_in_the_way(programme)
    amounts = _amounts(problem, programme, out, size)
    return tuple(GivenWay(name, amounts.get(name)) for name in out)


def standing_in_the_way(programme: Programme) -> list[str]:
    """A smallest set of blocks without which a plan is possible; empty where none is known."""
    names = list(dict.fromkeys(rows.rule for rows in programme.rows if not rows.kept))
    out: list[str] = []
    ranks = sorted({precedence(name) for name in names})
    for rank in ranks:
        if suffices(programme.without(out)):
            break
        out += [name for name in names if precedence(name) == rank]
    if not suffices(programme.without(out)):
        return []  # what whole accounts allow is left open
    for rank in reversed(ranks):
        back = [name for name in out if precedence(name) == rank]
        if len(back) > 1 and suffices(programme.without([name for name in out if name not in back])):
            out = [name for name in out if name not in back]
            continue
        for name in reversed(back):
            rest = [other for other in out if other != name]
            if suffices(programme.without(rest)):
                out = rest
    return out


def _amounts(
    problem: AllocationProblem, programme: Programme, out: Sequence[str], size: Callable[[str], float | None]
) -> dict[str, float]:
    """What each gives way by; blocks that can only be left out have none."""
    steps = {name: step for name in out if (step := size(name)) is not None}
    # Rows on chances are made anew at every amount, so these come first.
    curved = sorted((name for name in steps if not straight(programme, name)), key=lambda name: name not in LEVELLED)
    plain = [name for name in out if name not in curved and (name in steps or is_sum(name)) and name != TOTAL]
    gone = [name for name in out if name not in curved and name not in plain]
    found: dict[str, float] = {}
    for name in curved:
        rest = [other for other in out if other not in found and other != name]
        amount = _in_turn(problem, programme, found, name, rest, steps[name])
        if amount is None:
            gone.append(name)
        else:
            found[name] = amount
    _, base = loosened_by(problem, programme.without(gone), found, gone)
    weighed = _weighed(base, plain, steps)
    if weighed is not None and suffices(_with(base, weighed)):
        return found | weighed
    # Whole accounts ask for more than shared ones: one after the other, the rest out.
    for name in plain:
        rest = [*gone, *(other for other in plain if other not in found and other != name)]
        if is_sum(name):
            value = nearest_sum(loosened_by(problem, programme, found, rest)[1], name)
            if value is not None:
                found[name] = value
            continue
        amount = _in_turn(problem, programme, found, name, rest, steps[name])
        if amount is None:
            gone.append(name)
        else:
            found[name] = amount
    return found


def _in_turn(
    problem: AllocationProblem,
    programme: Programme,
    found: dict[str, float],
    name: str,
    rest: Sequence[str],
    step: float,
) -> float | None:
    """The least of one rule, the rest left out; rounded up as it is told."""
    base_problem, base = loosened_by(problem, programme, found, [])
    family = family_of(base_problem, base.without(rest), name, list(rest))
    amount = None if family is None else least_amount(family, name, None, step)
    return None if amount is None else _told(amount, step)


def _weighed(base: Programme, names: Sequence[str], steps: dict[str, float]) -> dict[str, float] | None:
    """The least weighted sum of amounts of all these blocks in one programme."""
    alone = []
    for name in names:
        # What it would need if the others were no rules: the measure in which it gives way.
        solution = answered(base.without([other for other in names if other != name]).elastic(name))
        if solution is None:
            return None
        alone.append(max(-solution.objective, steps.get(name, 1.0) * CENTS))
    programme, start = base, base.size
    for name in names:
        programme = programme.elastic(name)
    costs = np.zeros(programme.size)
    costs[start:] = -np.repeat(1.0 / np.array(alone), 2)
    solution = answered(replace(programme, objective=costs))
    if solution is None:
        return None
    found = {}
    for place, name in enumerate(names):
        if is_sum(name):
            block = next(rows for rows in base.rows if rows.rule == name)
            found[name] = float(block.expression.at(solution.values[:start])[0])
        else:
            found[name] = _told(float(solution.values[start + 2 * place]), steps[name])
    return found


def loosened_by(
    problem: AllocationProblem, programme: Programme, amounts: dict[str, float], out: Sequence[str]
) -> tuple[AllocationProblem, Programme]:
    """Request and programme with these blocks given way by these amounts, and others left out."""
    for name, amount in amounts.items():
        if name in LEVELLED:
            problem = LEVELLED[name](problem, amount)
    if any(name in LEVELLED for name in amounts):
        programme = question(problem)
    return problem, _with(programme.without(out), amounts)


def _with(programme: Programme, amounts: dict[str, float]) -> Programme:
    for name, amount in amounts.items():
        if is_sum(name):
            programme = with_sum(programme, name, amount)
        elif name not in LEVELLED:
            programme = programme.loosened(name, amount)
    return programme


def _told(amount: float, step: float) -> float:
    """Rounded up to what is told of it, so that the others are asked against that."""
    return math.ceil(amount / step / CENTS - 0.02) * CENTS * step
