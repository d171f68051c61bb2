"""Simple rules to beat, each a complete plan: locks, company total and team totals are kept, broken rules are named.

==================  ================================================================================================
``equal``           the same quota for everybody at full pace
``history``         last sales x one factor; who has none is placed by potential
``potential``       in proportion to the potential of the territory
``fair_share``      half by history, half by potential
``strong``          quotas by expected sales, clipped to the rules, owners moved one best move at a time, training hours
                    shared evenly, each rep's in the skill that sells most
==================  ================================================================================================

The first four leave owners, care and training as today. The strong one takes most of what there is to gain, so it is
the one that an allocated plan has to beat.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.audit import audit, broken
from optimize.formulate import formulate
from optimize.plans import as_plan
from optimize.problem import AllocationProblem, Decisions, Floats, Ints, gains, moved, potentials, workloads
from optimize.responses import Responses
from optimize.rounding import rounded_quotas
from optimize.rules import bounds, box
from optimize.split import proportional_in_groups
from scenarios.goals import Workload
from scenarios.plan import Plan
from scenarios.scenario import Scenario


def baselines(scenario: Scenario, responses: Responses) -> dict[str, Plan]:
    """Plans by simple rules, by name; a plan's notes say which fairness rules it breaks.

    Raises:
        Unsupported, InputRefused: as :func:`optimize.formulate.formulate`.
    """
    problem = formulate(scenario, responses)
    today = problem.today_decisions()
    plain = {
        "equal": (problem.ramp, "the same quota for everybody at full pace"),
        "history": (history_weights(problem), "last sales x one factor"),
        "potential": (potentials(problem, today.owner), "in proportion to potential"),
        "fair_share": (fair_share_weights(problem, today), "half by last sales, half by potential"),
    }
    plans = {}
    for name, (weights, origin) in plain.items():
        low, high = box(problem, [])
        exact = proportional_in_groups(problem, weights, low, high)
        quotas = rounded_quotas(problem, exact, low, high)
        plans[name] = _plan(scenario, responses, problem, today, quotas, name, origin)
    decisions, quotas = strong(problem)
    origin = "quotas by simulated mean clipped to the rules, greedy owners, even training"
    plans["strong"] = _plan(scenario, responses, problem, decisions, quotas, "strong", origin)
    return plans


def history_weights(problem: AllocationProblem) -> Floats:
    """Last sales; who has no full last period is placed by potential at the company's ratio of the two, [R]."""
    potential = potentials(problem, problem.today_decisions().owner)
    known = ~np.isnan(problem.last_sales)
    if not known.any() or np.nansum(problem.last_sales) <= 0:
        return potential
    measure = float(potential[known].sum())
    ratio = float(problem.last_sales[known].sum()) / measure if measure > 0 else 0.0
    return np.where(known, np.nan_to_num(problem.last_sales), ratio * potential)


def fair_share_weights(problem: AllocationProblem, decisions: Decisions) -> Floats:
    """Half by last sales, half by potential, each as shares, [R]."""
    history, potential = history_weights(problem), potentials(problem, decisions.owner)
    shares = [w / w.sum() if w.sum() > 0 else np.full(len(w), 1 / len(w)) for w in (history, potential)]
    return np.asarray(shares[0] + shares[1])


def strong(problem: AllocationProblem) -> tuple[Decisions, Ints]:
    """The strong simple rule: decisions, and quotas in whole minor units."""
    decisions = greedy_owners(problem, even_training(problem))
    low, high = box(problem, bounds(problem, decisions))
    expected = np.maximum(problem.basis.mean(axis=0) + gains(problem, decisions), 0.0)
    if not _roomy(problem, low, high):
        low, high = box(problem, [])
    exact = proportional_in_groups(problem, expected, low, high)
    return decisions, rounded_quotas(problem, exact, low, high)


def even_training(problem: AllocationProblem) -> Decisions:
    """Today's owners, and the budget shared evenly in whole steps, each rep's in the skill with the largest gain."""
    offer, today = problem.training, problem.today_decisions()
    training = today.training.copy()
    if not offer.skills or offer.steps == 0:
        return today
    free = [r for r in range(len(problem.reps)) if not any(rep == r for rep, _ in problem.locks.training)]
    budget = offer.budget - float(training.sum())
    each = min(budget / len(free), offer.cap) if free else 0.0
    steps = min(int(each / offer.step + 1e-9), offer.steps)
    if steps <= 0:
        return today
    for r in free:
        training[r, int(np.argmax(offer.gain[r, :, steps]))] = steps * offer.step
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
            for r in np.flatnonzero(offer.allowed[a]):
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


def _roomy(problem: AllocationProblem, low: Floats, high: Floats) -> bool:
    """Whether the bounds leave room for the total at all."""
    return bool((low <= high + 0.5).all() and low.sum() <= problem.total + 0.5 and high.sum() >= problem.total - 0.5)


def _plan(
    scenario: Scenario,
    responses: Responses,
    problem: AllocationProblem,
    decisions: Decisions,
    quotas: Ints,
    name: str,
    origin: str,
) -> Plan:
    rows = broken(audit(problem, decisions, quotas.astype(np.float64)))
    names = sorted({row.rule for row in rows})
    notes = tuple(f"breaks {rule} for {', '.join(row.subject for row in rows if row.rule == rule)}" for rule in names)
    return as_plan(scenario, responses, problem, decisions, quotas, name=name, origin=origin, notes=notes)
