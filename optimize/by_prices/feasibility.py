"""How far a plan breaks the rules, from its figures alone: whatever made it, it counts only where this is nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from optimize.pairs import as_pairs
from optimize.parts.fairness import chance_quantile
from optimize.problem import (
    AllocationProblem,
    Decisions,
    company_ratio,
    gains,
    histories,
    moved,
    potentials,
    raised,
)
from optimize.workload import load_at
from scenarios.goals import (
    GrowthLimits,
    MinimumAttainment,
    MinimumChance,
    PotentialBand,
    TrainingFloor,
    Workload,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def worst_breach(problem: AllocationProblem, decisions: Decisions, quotas: Floats, unit: float) -> float:
    """By how much the worst rule, limit or total is broken: money in units, hours and counts as they are; 0 for none.

    Rules that give way to a lock of the rep are not counted, nor are kinds of rules that bind several quotas at once;
    those are rows of the programme that made the quotas.
    """
    found = [
        *_quotas(problem, decisions, quotas, unit),
        *_hours(problem, decisions),
        *_owners(problem, decisions),
        *_care(problem, decisions),
        *_reach(problem, decisions),
    ]
    return max((float(np.max(np.nan_to_num(breach), initial=0.0)) for breach in found), default=0.0)


def _quotas(problem: AllocationProblem, decisions: Decisions, quotas: Floats, unit: float) -> Iterator[Floats]:
    q = quotas / unit
    firm = np.array([r not in problem.locks.first for r in range(len(q))])
    gain = gains(problem, decisions) / unit
    last = histories(problem, decisions.owner) / unit
    yield -q
    # A sum over thousands of reps is held to the same share of itself as a quota.
    size = problem.total / unit / 100.0
    yield np.abs([q.sum() - problem.total / unit]) / max(size, 1.0)
    for team, total in problem.team_totals.items():
        yield np.abs([q[problem.members(team)].sum() - total / unit]) / max(size, 1.0)
    for r, value in problem.locks.quota.items():
        yield np.abs([q[r] - value / unit])
    for r, value in problem.locks.least.items():
        yield np.array([value / unit - q[r]])
    for r, value in problem.locks.most.items():
        yield np.array([q[r] - value / unit])
    for rule in problem.rules:
        keep = firm & problem.concerned(rule)
        match rule:
            case PotentialBand():
                ratio = company_ratio(problem) * potentials(problem, decisions.owner) / unit
                yield (q - (1 + rule.tolerance) * ratio)[keep]
                yield ((1 - rule.tolerance) * ratio - q)[keep]
            case GrowthLimits():
                if rule.cap is not None:
                    yield (q - (1 + rule.cap) * last)[keep]
                if rule.floor is not None:
                    yield ((1 + rule.floor) * last - q)[keep]
            case MinimumAttainment():
                expected = np.minimum(problem.samples / unit + gain, q).mean(axis=0)
                yield (rule.share * q - expected)[keep]
            case MinimumChance():
                yield (q - gain - chance_quantile(problem.samples, rule.chance) / unit)[keep & ~problem.ramping]
            case _:
                pass


def _hours(problem: AllocationProblem, decisions: Decisions) -> Iterator[Floats]:
    offer, locks, trained = problem.training, problem.locks, decisions.training.sum(axis=1)
    touched = {r for r, _ in locks.training}
    schooled = np.array([r in touched for r in range(len(trained))])
    yield np.array([trained.sum() - raised(offer.most, locks.training)])
    yield (trained - np.minimum(offer.cap, offer.most_time(whole=True)))[~schooled]
    asked = problem.load.copy()
    a = np.flatnonzero(decisions.owner >= 0)
    rep = decisions.owner[a]
    accounts = problem.accounts
    np.add.at(asked, rep, accounts.order_hours[a, rep] + accounts.care_load[rep] * decisions.care[a])
    touched |= set(locks.owner.values()) | {int(accounts.today[account]) for account in locks.care}
    firm = np.array([r not in touched for r in range(len(trained))]) & (problem.hours > 0)
    for rule in problem.rules:
        keep = problem.concerned(rule)
        match rule:
            case TrainingFloor():
                yield (rule.hours - trained)[keep & ~schooled]
            case Workload():
                left = problem.hours - trained
                high, low = load_at(rule.maximum, problem.sharpness), load_at(rule.minimum, problem.sharpness)
                if np.isfinite(high):
                    yield (asked - high * left)[keep & firm]
                if rule.minimum > 0.0:
                    yield (low * left - asked)[keep & firm]
            case _:
                pass


def _owners(problem: AllocationProblem, decisions: Decisions) -> Iterator[Floats]:
    offer, owner = problem.accounts, decisions.owner
    pairs = as_pairs(offer.allowed)
    mine = owner[pairs.account] == pairs.rep
    eligible = np.bincount(pairs.account[mine], minlength=len(owner)) > 0
    house = np.zeros(len(owner), dtype=np.bool_) if offer.house is None else offer.house
    choosable = np.diff(pairs.start) > 0
    lost = choosable & ~eligible & ~((owner < 0) & house)
    for a, r in problem.locks.owner.items():
        lost[a] = owner[a] != r
    yield lost.astype(np.float64)
    forced = sum(1 for a, rep in problem.locks.owner.items() if rep != offer.today[a])
    yield np.array([float(len(moved(problem, owner)) - max(offer.max_moves, forced))])
    if offer.max_per_rep is not None:
        counts = np.bincount(owner[owner >= 0], minlength=len(problem.reps)).astype(np.float64)
        firm = np.array([r not in set(problem.locks.owner.values()) for r in range(len(counts))])
        yield (counts - offer.max_per_rep)[firm]
    for limit in offer.limits:
        yield limit.beyond(owner)[~limit.touched(problem.locks.owner)]


def _care(problem: AllocationProblem, decisions: Decisions) -> Iterator[Floats]:
    offer, locks, care = problem.accounts, problem.locks.care, decisions.care
    yield -care
    yield np.array([abs(care[a] - hours) for a, hours in locks.items()])
    if offer.care_budget is not None:
        yield np.array([care[_cared_for(problem)].sum() - raised(offer.care_budget, locks)])


def _cared_for(problem: AllocationProblem) -> Bools:
    """Accounts that somebody may own."""
    pairs = as_pairs(problem.accounts.allowed)
    out = np.diff(pairs.start) > 0
    out[list(problem.locks.owner)] = True
    return np.asarray(out)


def _reach(problem: AllocationProblem, decisions: Decisions) -> Iterator[Floats]:
    """How far a step goes beyond its region."""
    region, base = problem.trust, problem.base_decisions()
    if region is None:
        return
    free = np.ones_like(base.training)
    for cell in problem.locks.training:
        free[cell] = 0.0
    yield np.array([(np.abs(decisions.training - base.training) * free).sum() - region.hours])
    offer = problem.accounts
    pairs = as_pairs(offer.allowed)
    stays = np.zeros(len(base.owner), dtype=np.bool_)
    stays[pairs.account[pairs.rep == base.owner[pairs.account]]] = True
    stays[list(problem.locks.owner)] = False
    yield np.array([float((stays & (decisions.owner != base.owner)).sum()) - region.moves])
    decided = _cared_for(problem)
    decided[list(problem.locks.care)] = False
    yield np.array([np.abs(decisions.care - base.care)[decided].sum() - region.care])
