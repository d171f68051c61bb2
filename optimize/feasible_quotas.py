"""Other quotas that the rules would have allowed: random ones, spread evenly over all that are feasible.

Hit-and-run on pairs (Smith 1984): a random amount goes from one rep to another of the same total, drawn evenly between
the ends that the bounds of both leave; a draw that breaks a rule which ties people together is pulled back towards
where it came from (shrinking as in slice sampling, Neal 2003), which keeps the spread even since such rules are convex.
"""

from __future__ import annotations

import numpy as np

from optimize.fairness_measures import Together, standings, tied
from optimize.problem import AllocationProblem, Decisions, Floats, Ints
from optimize.quotas import best_quotas
from optimize.rules import bounds, box
from optimize.split import groups
from scenarios.goals import EqualOdds, FairnessRule

CHAINS = 20
WARM_UP, BETWEEN = 20, 4
"""Moves for each rep before the first sample, and between two samples."""
MOST_TIED = 60
"""People up to whom rules that tie people together are held; beyond, single bounds and totals alone."""
SHRINKS = 30


def feasible_quotas(
    problem: AllocationProblem, decisions: Decisions, samples: int, random: np.random.Generator
) -> Floats | None:
    """Quotas that keep totals, locks and rules, minor units, [samples, R]; None where there are none.

    Equal odds are not held: their quotas lie in several pieces, between which small steps do not lead. Where the bounds
    of one rep contradict each other, that quota may lie anywhere between them.
    """
    ends = box(problem, bounds(problem, decisions))
    low, high = np.minimum(*ends), np.maximum(*ends)
    convex = problem.with_rules(tuple(rule for rule in problem.rules if not isinstance(rule, EqualOdds)))
    rules = tied(convex) if len(problem.reps) <= MOST_TIED else ()
    start = best_quotas(convex if rules else convex.with_rules(_alone(convex)), decisions)
    inside = start is not None and (start >= low - 1.0).all() and (start <= high + 1.0).all()
    if start is None or not inside or abs(float(start.sum()) - problem.total) > 1.0:
        return None
    movable = [members for _, members, _ in groups(problem) if len(members) > 1]
    chains = np.repeat(np.clip(start, low, high)[None], CHAINS, axis=0)
    if not movable:
        return np.repeat(chains[:1], samples, axis=0)
    out = []
    people = sum(len(members) for members in movable)
    for round_ in range(-(-samples // CHAINS)):
        for _ in range((BETWEEN if round_ else WARM_UP) * people):
            _move(convex, decisions, rules, chains, (low, high), movable, random)
        out.append(chains.copy())
    return np.concatenate(out)[:samples]


def _alone(problem: AllocationProblem) -> tuple[FairnessRule, ...]:
    return tuple(rule for rule in problem.rules if not isinstance(rule, Together))


def _move(
    problem: AllocationProblem,
    decisions: Decisions,
    rules: tuple[Together, ...],
    chains: Floats,
    limits: tuple[Floats, Floats],
    movable: list[Ints],
    random: np.random.Generator,
) -> None:
    """One move of every chain between the same two reps."""
    low, high = limits
    sizes = np.array([len(members) for members in movable], dtype=float)
    members = movable[random.choice(len(movable), p=sizes / sizes.sum())]
    taker, giver = random.choice(members, 2, replace=False)
    least = np.maximum(low[taker] - chains[:, taker], chains[:, giver] - high[giver])
    most = np.minimum(high[taker] - chains[:, taker], chains[:, giver] - low[giver])
    amount = np.where(most > least, random.uniform(np.minimum(least, most), most), 0.0)
    if rules:
        for c in range(len(chains)):
            amount[c] = _pulled_back(problem, decisions, rules, chains[c], (taker, giver), (least[c], most[c]), random)
    chains[:, taker] += amount
    chains[:, giver] -= amount


def _pulled_back(
    problem: AllocationProblem,
    decisions: Decisions,
    rules: tuple[Together, ...],
    quotas: Floats,
    pair: tuple[int, int],
    ends: tuple[float, float],
    random: np.random.Generator,
) -> float:
    least, most = ends
    for _ in range(SHRINKS):
        if most <= least:
            break
        amount = float(random.uniform(least, most))
        tried = quotas.copy()
        tried[pair[0]] += amount
        tried[pair[1]] -= amount
        if all(row.kept for rule in rules for row in standings(problem, decisions, tried, rule)):
            return amount
        least, most = (amount, most) if amount < 0 else (least, amount)
    return 0.0
