"""Quotas in whole steps that keep the rules under settled decisions, where rounding the exact ones breaks some.

Equal odds alone are a choice of levels, at each of which quotas lie between bounds of their own: whole steps inside
them either sum to the totals or do not, so that the answer is exact. Any other mix of rules is the programme of quotas
with whole steps for columns, solved by branch and bound up to a limit on nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from optimize.fairness_measures import tied
from optimize.model import money_unit
from optimize.parts.fairness_together import odds_bounds
from optimize.parts.targets import QUOTA
from optimize.problem import AllocationProblem, Decisions, Floats, Ints, gains
from optimize.programme.blocks import BROKEN, Columns, Linear, Programme, Rows
from optimize.programme.solve import searched
from optimize.quotas import quota_model
from optimize.rounding import in_steps
from optimize.rules import bounds, box
from optimize.split import attained, groups, split_in_groups
from scenarios.goals import EqualOdds, WorstOff

OFF = 0.49
"""Minor units by which a quota may miss a bound: just below the half that still counts as none."""
EFFORT, MOST_NODES, LEAST_NODES = 2e7, 400, 20
"""Nodes, times the power 1.5 of columns, after which branch and bound stops, and the ends between which it does."""
GAP = 0.02
"""Of the distance to the exact quotas, within which whole steps are near enough."""
FAR = 2**40
STEPS, ODD, APART = "whole steps of quotas", "carries the odd rest", "apart from exact quotas"


@dataclass(frozen=True)
class InSteps:
    """Where a search for quotas in whole steps came to.

    Attributes:
        quotas: minor units, [R]; None where it found none.
        proven: without quotas, whether it is proven that these decisions leave none.
    """

    quotas: Ints | None
    proven: bool = False


def in_whole_steps(problem: AllocationProblem, decisions: Decisions, near: Floats) -> InSteps:
    """Quotas in whole steps that keep all rules on quotas, totals and locks under these decisions.

    Args:
        near: exact quotas that are to be kept to, minor units, [R].
    """
    low, high = box(problem, bounds(problem, decisions))
    if (low > high + 2 * OFF).any():
        return InSteps(None)  # a lock contradicts a rule: which of them gives way is not for rounding to say
    rules = tied(problem)
    if len(rules) == 1 and isinstance(rules[0], EqualOdds) and not problem.locks.bound:
        found = _at_equal_odds(problem, rules[0], gains(problem, decisions), low, high, near)
        return InSteps(found, proven=found is None)
    return _by_search(problem, decisions, low, high, near)


def _at_equal_odds(
    problem: AllocationProblem, rule: EqualOdds, gain: Floats, low: Floats, high: Floats, near: Floats
) -> Ints | None:
    """The best whole steps at any level of the chance, or the nearest where no sum is maximised."""
    concerned = problem.concerned(rule)
    by_sum = not problem.alpha and not problem.maximin
    best, worth = None, -np.inf
    for bottom, top in zip(*(side + gain for side in odds_bounds(problem, rule)), strict=True):
        lower, upper = (
            np.where(concerned, np.maximum(low, bottom), low),
            np.where(concerned, np.minimum(high, top), high),
        )
        steps = Lattice.between(problem, lower, upper, near)
        if steps is None:
            continue
        low_ends, high_ends = steps.quotas(steps.low), steps.quotas(steps.high)
        aim = split_in_groups(problem, problem.basis, gain, low_ends, high_ends) if by_sum else near
        quotas = steps.nearest(problem, aim)
        value = (
            attained(problem.basis, gain, quotas.astype(np.float64)) if by_sum else -float(np.abs(quotas - near).sum())
        )
        if value > worth:
            best, worth = quotas, value
    return best


@dataclass(frozen=True)
class Lattice:
    """Whole steps between bounds that leave room for every total.

    Attributes:
        low, high: steps of each rep, [R]; odd: minor units on top of them, [R]: of one rep in each group whose total
            is no multiple of the step, and all that is locked.
        step: minor units.
    """

    low: Ints
    high: Ints
    odd: Ints
    step: int

    @classmethod
    def between(cls, problem: AllocationProblem, low: Floats, high: Floats, near: Floats) -> Lattice | None:
        """None where no whole steps between the bounds sum to the totals.

        Args:
            near: of those who may carry an odd rest, whoever is highest here does, [R].
        """
        step = max(problem.rounding_step, 1)
        bottom, top, odd = *_ends(low, high, step), np.zeros(len(low), dtype=np.int64)
        for r, value in problem.locks.quota.items():
            bottom[r], top[r], odd[r] = 0, 0, round(value)
        for _, members, total in groups(problem):
            free = np.array([r for r in members if r not in problem.locks.quota], dtype=np.int64)
            rest = round(total) - int(odd[members].sum())
            if rest % step:
                carrier = _carrier(free, (low, high, near), (bottom, top), rest, step)
                if carrier is None:
                    return None
                one = np.array([carrier])
                odd[carrier] = rest % step
                bottom[one], top[one] = _ends(low[one] - odd[one], high[one] - odd[one], step)
            if (bottom[free] > top[free]).any() or not bottom[free].sum() <= rest // step <= top[free].sum():
                return None
        return cls(bottom, top, odd, step)

    def quotas(self, steps: Ints) -> Floats:
        """Minor units, [R]."""
        return np.asarray(steps * self.step + self.odd, dtype=np.float64)

    def nearest(self, problem: AllocationProblem, aim: Floats) -> Ints:
        """Quotas beside these, inside the bounds, with every sum, [R]."""
        out = self.odd.copy()
        inside = np.clip(aim - self.odd, self.low * self.step, self.high * self.step)
        for _, members, total in groups(problem):
            free = np.array([r for r in members if r not in problem.locks.quota], dtype=np.int64)
            rest = round(total) - int(self.odd[members].sum())
            low, high = ((side[free] * self.step).astype(np.float64) for side in (self.low, self.high))
            out[free] += in_steps(inside[free], low, high, rest, self.step)
        return out


def _ends(low: Floats, high: Floats, step: int) -> tuple[Ints, Ints]:
    bottom = np.ceil(np.maximum(low - OFF, 0.0) / step).astype(np.int64)
    return bottom, np.floor(np.minimum(high + OFF, float(FAR) * step) / step).astype(np.int64)


def _carrier(
    free: Ints, quotas: tuple[Floats, Floats, Floats], ends: tuple[Ints, Ints], rest: int, step: int
) -> int | None:
    """Who carries the odd rest of a group, such that its total can be met; None where nobody can."""
    (low, high, near), (bottom, top) = quotas, ends
    lower, upper = _ends(low[free] - rest % step, high[free] - rest % step, step)
    least, most = bottom[free].sum() - bottom[free] + lower, top[free].sum() - top[free] + upper
    closed = bottom[free] > top[free]
    open_ = (lower <= upper) & (least <= rest // step) & (most >= rest // step) & (closed.sum() - closed == 0)
    possible = free[open_]
    return int(possible[np.argmax(near[possible])]) if len(possible) else None


def _by_search(problem: AllocationProblem, decisions: Decisions, low: Floats, high: Floats, near: Floats) -> InSteps:
    """Whole steps near the exact quotas by branch and bound over the programme of quotas."""
    rules = tied(problem)
    counts = any(isinstance(rule, WorstOff) for rule in rules)
    model = quota_model(problem.with_rules(rules), decisions, None if counts else 1)
    made = with_steps(_nearest(model.programme, low / model.unit, high / model.unit, near / model.unit), problem, near)
    nodes = int(np.clip(EFFORT / made.size**1.5, LEAST_NODES, MOST_NODES))
    found = searched(made, 0.0, nodes, gap=GAP)
    if found.values is not None:
        return InSteps(steps_of(made, problem, near, found.values))
    # Pieces understate what the worst-off attain, so that without them there might be room.
    return InSteps(None, proven=found.bound == -np.inf and not (counts and model.segment_error))


def with_steps(programme: Programme, problem: AllocationProblem, near: Floats) -> Programme:
    """A programme with quotas, in which these are whole steps, and one of each group carries an odd rest.

    Args:
        near: where steps are counted from, minor units, [R].
    """
    unit, step, free = money_unit(problem), max(problem.rounding_step, 1), _free(problem)
    names, base = [problem.reps[r] for r in free.tolist()], _base(problem, near)[free] * step / unit
    far = np.full(len(free), float(FAR))
    made, n = _with_columns(programme, STEPS, names, -far, far, integer=True)
    whole = Linear.columns(programme.block(QUOTA).index[free]) - Linear.columns(n, step / unit)
    rows = []
    for members, odd in _odd_rests(problem):
        none, one = np.zeros(len(members)), np.ones(1)
        carriers = [problem.reps[r] for r in members.tolist()]
        made, z = _with_columns(made, _odd_name(members), carriers, none, none + 1.0, integer=True)
        whole = whole - Linear.of(len(free), np.searchsorted(free, members), z, odd / unit)
        rows.append(Rows(ODD, ("group",), Linear.total(z), one, one, None, True))
    rows.append(Rows(STEPS, tuple(names), whole, base, base, None, True))
    return replace(made, rows=(*made.rows, *rows))


def steps_of(programme: Programme, problem: AllocationProblem, near: Floats, values: Floats) -> Ints:
    """Quotas of a solution in whole steps, minor units, [R]; ``near`` as in :func:`with_steps`."""
    free, step = _free(problem), max(problem.rounding_step, 1)
    quotas = np.zeros(len(near), dtype=np.int64)
    quotas[free] = (np.round(values[programme.block(STEPS).index]).astype(np.int64) + _base(problem, near)[free]) * step
    for r, value in problem.locks.quota.items():
        quotas[r] = round(value)
    for members, odd in _odd_rests(problem):
        quotas[members[int(np.argmax(values[programme.block(_odd_name(members)).index]))]] += odd
    return quotas


def _base(problem: AllocationProblem, near: Floats) -> Ints:
    return np.floor(near / max(problem.rounding_step, 1)).astype(np.int64)


def _odd_name(members: Ints) -> str:
    return f"{ODD} of the group of {members[0]}"


def _free(problem: AllocationProblem) -> Ints:
    return np.array([r for r in range(len(problem.reps)) if r not in problem.locks.quota], dtype=np.int64)


def _odd_rests(problem: AllocationProblem) -> Iterator[tuple[Ints, int]]:
    """Reps without a lock of each group whose rest is no multiple of the step, and what it is beyond one."""
    for _, members, total in groups(problem):
        free = np.array([r for r in members if r not in problem.locks.quota], dtype=np.int64)
        locked = sum(round(problem.locks.quota[r]) for r in members.tolist() if r in problem.locks.quota)
        odd = (round(total) - locked) % max(problem.rounding_step, 1)
        if odd and len(free):
            yield free, odd


def _nearest(programme: Programme, low: Floats, high: Floats, near: Floats) -> Programme:
    """The programme whose quotas lie within bounds and as near as can be to given ones; units of the programme, [R]."""
    q, names = programme.block(QUOTA).index, [""] * len(near)
    none, endless = np.zeros(len(near)), np.full(len(near), np.inf)
    objective = np.zeros(programme.size)
    for block in programme.columns:
        if block.name.startswith(BROKEN):
            objective[block.index] = programme.objective[block.index]
    lower, upper = programme.lower.copy(), programme.upper.copy()
    lower[q], upper[q] = np.maximum(lower[q], low), np.minimum(upper[q], np.maximum(low, high))
    bare = replace(programme, objective=objective, constant=0.0, lower=lower, upper=upper)
    made, more = _with_columns(bare, APART, names, none, endless, none - 1.0)
    made, less = _with_columns(made, f"{APART}, less", names, none, endless, none - 1.0)
    apart = Linear.columns(q) - Linear.columns(more) + Linear.columns(less)
    return replace(made, rows=(*made.rows, Rows(APART, tuple(names), apart, near, near, None, True)))


def _with_columns(
    programme: Programme,
    name: str,
    labels: list[str],
    lower: Floats,
    upper: Floats,
    objective: Floats | float = 0.0,
    *,
    integer: bool = False,
) -> tuple[Programme, Ints]:
    """The programme with more columns, which are in no row yet, and their positions."""
    count, index = len(labels), np.arange(programme.size, programme.size + len(labels))
    made = replace(
        programme,
        columns=(*programme.columns, Columns(name, tuple(labels), index)),
        lower=np.concatenate([programme.lower, lower]),
        upper=np.concatenate([programme.upper, upper]),
        objective=np.concatenate([programme.objective, np.broadcast_to(objective, (count,))]),
        integer=np.concatenate([programme.integer, np.full(count, integer)]),
    )
    return made, index
