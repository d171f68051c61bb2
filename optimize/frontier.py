"""What the number of a fairness rule costs: the best plan at each value of it, all other rules as they are.

Two ways. ``quotas``: owners, training and care of one plan are held and only quotas are split again, exactly and in
milliseconds. A rule on quotas moves labels, so this is most of its price: where whole plans were made anew at each
value, simulated attained sales differed by less than .2 % of them. ``plans``: whole plans at each value, each from
where the last ended (:mod:`optimize.frontier_plans`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from optimize.frontier_plans import POINT_GAP, Open, Point, Sweep, better, most_capped, split_again
from optimize.parameters import Parameter, parameter
from optimize.problem import AllocationProblem, Decisions, Floats, gains
from optimize.quotas import possible_quotas
from optimize.split import attained
from scenarios.errors import Problem, refuse_if
from scenarios.goals import FairnessRule

Method = Literal["quotas", "plans"]
ON_WORK = ("workload_maximum", "workload_minimum", "training_floor")
"""Rules that quotas alone cannot keep or break."""


@dataclass(frozen=True)
class Traced:
    """The best plan at one value of the rule's number.

    Attributes:
        value: of the number; ``None`` where the rule is off.
        quotas: before rounding, minor units, [R]; ``None`` where no plan keeps the rules.
        model_value: sample average of ``sum min(S + g, q)``, minor units.
        gap: proven, of whole plans: how far the best plan at this value may be above; ``None`` where none is claimed.
        undecided: whether the search ended at its limit with no plan and no proof that there is none.
        at_most: of whole plans: what no plan at this value attains more than, minor units; ``None`` where something
            else was bounded and the plan proven best.
        solved: whether the point took a solve of its own.
    """

    value: float | None
    decisions: Decisions
    quotas: Floats | None
    model_value: float | None
    gap: float | None = None
    solved: bool = False
    undecided: bool = False
    at_most: float | None = None


def trace(
    problem: AllocationProblem, one: Parameter, values: Iterable[float | None], decisions: Decisions | None
) -> list[Traced]:
    """The best plan at each value.

    Args:
        values: of the parameter, strict to loose; ``None``, last, is the rule switched off.
        decisions: owners, training and care to hold; ``None`` makes whole plans.
    """
    asked = [(value, _at(problem, one, value)) for value in values]
    if decisions is None:
        return _plans(asked)
    out = []
    for value, changed in asked:
        quotas = possible_quotas(changed, decisions)
        out.append(Traced(value, decisions, quotas, None if quotas is None else _value(problem, decisions, quotas)))
    return out


def _at(problem: AllocationProblem, one: Parameter, value: float | None) -> AllocationProblem:
    return problem.with_rules(_without(problem, one) if value is None else one.set(problem.rules, value))


def _value(problem: AllocationProblem, decisions: Decisions, quotas: Floats) -> float:
    return attained(problem.samples, gains(problem, decisions), quotas)


def _plans(asked: list[tuple[float | None, AllocationProblem]]) -> list[Traced]:
    """Whole plans, from loose to strict; then what a stricter point found is tried at the next looser one."""
    sweep = Sweep()
    found: list[Point | Open | None] = []
    for _, problem in reversed(asked):
        # Whoever cannot keep a rule cannot keep a stricter one.
        none_left = bool(found) and found[-1] is None
        found.append(None if none_left else sweep.point(problem))
    points = found[::-1]
    for place in range(1, len(points)):
        stricter, here = points[place - 1], points[place]
        # A plan of a stricter point keeps the looser rule, too; it may be the better one by what a gap leaves open.
        if not isinstance(stricter, Point) or here is None or asked[place][1].locks:
            continue
        if isinstance(here, Open) or stricter.value > here.value:
            again = split_again(asked[place][1], stricter.decisions, here.bound)
            known = here if isinstance(here, Point) else None
            solved = known is None or known.solved
            points[place] = better(known, again and replace(again, solved=solved)) or here
    return [_traced(value, problem, point) for (value, problem), point in zip(asked, points, strict=True)]


def _traced(value: float | None, problem: AllocationProblem, point: Point | Open | None) -> Traced:
    if point is None:
        return Traced(value, problem.today_decisions(), None, None)
    if isinstance(point, Open):
        most = _at_most(problem, point)
        return Traced(value, problem.today_decisions(), None, None, solved=True, undecided=True, at_most=most)
    gap = point.gap if math.isfinite(point.gap) else None
    worth = _value(problem, point.decisions, point.quotas)
    most = None if gap is None else _at_most(problem, point)
    return Traced(value, point.decisions, point.quotas, worth, gap, point.solved, at_most=most)


def _at_most(problem: AllocationProblem, point: Point | Open) -> float | None:
    if not problem.two_stage and np.array_equal(problem.basis, problem.samples):
        return point.bound if isinstance(point, Open) else max(point.bound, point.value)
    # In two stages sales are bounded, and on another basis other sales than those that points are told in.
    settled = isinstance(point, Point) and point.gap <= POINT_GAP
    return None if settled else most_capped(problem)


def _without(problem: AllocationProblem, one: Parameter) -> tuple[FairnessRule, ...]:
    """The rules without this number: of a rule with two, the other stays."""
    out: list[FairnessRule] = []
    for rule in problem.rules:
        if rule.rule != one.rule:
            out.append(rule)
        elif one.rule == "growth":
            out.append(rule.model_copy(update={one.field: None}))
        elif one.rule == "workload":
            out.append(rule.model_copy(update={one.field: 1.0 if one.field == "maximum" else 0.0}))
    return tuple(out)


def only_on_work(rules: Iterable[FairnessRule], one: Parameter) -> tuple[FairnessRule, ...]:
    """The rules without those on quotas but the one that is traced."""
    kept = {one.rule, *(parameter(name).rule for name in ON_WORK)}
    others = {name: None for name in ("cap", "floor") if one.rule == "growth" and name != one.field}
    return tuple(
        rule.model_copy(update=others) if rule.rule == one.rule else rule for rule in rules if rule.rule in kept
    )


def traced_values(rule: str, values: Iterable[float] | None, method: str) -> tuple[Parameter, tuple[float, ...]]:
    """The parameter and its values, strict to loose.

    Raises:
        InputRefused: no such rule, value or method, or a rule that quotas alone cannot keep or break.
    """
    one = parameter(rule)
    problems = []
    if method not in get_args(Method):
        problems.append(Problem("method", str(method), "no such method", f"known: {', '.join(get_args(Method))}"))
    if one.name in ON_WORK and method == "quotas":
        text = "is no rule on quotas, so that splitting them anew changes nothing"
        problems.append(Problem("rule", one.name, text, "use the method plans"))
    given = one.usual if values is None else tuple(float(value) for value in values)
    problems += [found for value in given if (found := one.check(value))]
    chosen = tuple(sorted(set(given), key=lambda value: value * one.looser))
    if len(chosen) < 2:
        told = ", ".join(f"{value:g}" for value in given)
        problems.append(Problem("values", told or "none", "at least two different values are needed"))
    refuse_if(problems)
    return one, chosen


def knee(xs: Iterable[float], ys: Iterable[float]) -> int | None:
    """Position of the point that lies farthest above the chord between the first and the last; ``None`` without one.

    Both axes are scaled to their range first (Satopää et al. 2011, the offline case). Beyond the knee, more of x buys
    little more of y.
    """
    x, y = list(xs), list(ys)
    if len(x) < 3 or x[-1] == x[0]:
        return None
    low, high = min(y), max(y)
    if high <= low:
        return None
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    heights = [(b - y[0] - slope * (a - x[0])) / (high - low) for a, b in zip(x, y, strict=True)]
    best = max(range(len(x)), key=lambda i: heights[i])
    return best if heights[best] > 0.01 else None
