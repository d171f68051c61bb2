"""Owners and training by simple rules: the best single move, even hours, the best hour again and again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.pairs import owners_of
from optimize.problem import AllocationProblem, Decisions, Ints, moved
from optimize.workload import workloads
from scenarios.goals import Workload


def even_training(problem: AllocationProblem) -> Decisions:
    """Today's owners, and the budget shared evenly in whole steps, each rep's in the skill with the largest gain."""
    offer, today = problem.training, problem.today_decisions()
    training = today.training.copy()
    if not offer.skills or offer.steps == 0:
        return today
    free = [r for r in range(len(problem.reps)) if not any(rep == r for rep, _ in problem.locks.training)]
    budget = offer.most - float(training.sum())
    each = min(budget / len(free), offer.cap) if free else 0.0
    steps = min(int(each / offer.step + 1e-9), offer.steps)
    if steps <= 0:
        return today
    time = offer.most_time(whole=True)
    for r in free:
        mine = int(min(steps * offer.step, time[r]) / offer.step + 1e-9)
        training[r, int(np.argmax(offer.gain[r, :, mine]))] = mine * offer.step
    return replace(today, training=training)


def greedy_owners(problem: AllocationProblem, decisions: Decisions) -> Decisions:
    """The best single move again and again while it adds expected sales and keeps limits and workload."""
    offer = problem.accounts
    owner = decisions.owner.copy()
    care = decisions.care
    while len(moved(problem, owner)) < offer.max_moves:
        candidates = []
        for a in range(len(offer.ids)):
            if a in problem.locks.owner or owner[a] != offer.today[a]:
                continue
            now = offer.value(a, int(owner[a]), float(care[a]))
            for r in owners_of(offer.allowed, a):
                gain = offer.value(a, int(r), float(care[a])) - now
                if r != owner[a] and gain > 0:
                    candidates.append((-gain, a, int(r)))
        taken = next((entry for entry in sorted(candidates) if _fits(problem, decisions, owner, entry)), None)
        if taken is None:
            break
        owner[taken[1]] = taken[2]
    return replace(decisions, owner=owner)


def _fits(problem: AllocationProblem, decisions: Decisions, owner: Ints, entry: tuple[float, int, int]) -> bool:
    _, account, rep = entry
    after = owner.copy()
    after[account] = rep
    most = problem.accounts.max_per_rep
    if most is not None and int((after == rep).sum()) > most:
        return False
    for limit in problem.accounts.limits:
        beyond = limit.beyond(after)
        if ((beyond > 0) & (beyond > limit.beyond(owner))).any():
            return False
    before = workloads(problem, replace(decisions, owner=owner))
    load = workloads(problem, replace(decisions, owner=after))
    for rule in problem.rules:
        if not isinstance(rule, Workload):
            continue
        concerned = problem.concerned(rule)
        giver = int(owner[account])
        if concerned[rep] and load[rep] > rule.maximum + 1e-9 and load[rep] > before[rep]:
            return False
        if giver >= 0 and concerned[giver] and load[giver] < rule.minimum - 1e-9:
            return False
    return True


def chained_training(problem: AllocationProblem) -> Decisions:
    """Today's owners, and one step of training after the other to whom and in what it adds most to expected sales.

    Gains are those of the funnel's chain formula; a step that adds nothing is not given.
    """
    offer, today = problem.training, problem.today_decisions()
    training = today.training.copy()
    free = np.ones_like(training, dtype=np.bool_)
    for cell in problem.locks.training:
        free[cell] = False
    most = np.minimum(offer.cap, offer.most_time(whole=True))
    left = int((offer.most - float(training.sum())) / offer.step + 1e-9)
    for _ in range(max(left, 0)):
        steps = np.floor(training / offer.step + 1e-9).astype(np.int64)
        room = free & (steps < offer.steps)
        room &= (training.sum(axis=1) + offer.step <= most + 1e-9)[:, None]
        if not room.any():
            break
        r, k = np.indices(steps.shape)
        more = offer.gain[r, k, np.minimum(steps + 1, offer.steps)] - offer.gain[r, k, np.minimum(steps, offer.steps)]
        best = np.unravel_index(int(np.argmax(np.where(room, more, -np.inf))), more.shape)
        if more[best] <= 0:
            break
        training[best] += offer.step
    return replace(today, training=training)
