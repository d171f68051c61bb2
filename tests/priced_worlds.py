"""Small random requests for the method by prices: care to decide, two stages, steps near a simulated plan, locks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.allocation_instances import Shape, instance
from optimize.account_limits import AccountLimit
from optimize.problem import AllocationProblem, Locks, TrustRegion
from optimize.programme.curves import CareCurve
from scenarios.goals import (
    EqualOdds,
    GiniBound,
    GroupParity,
    GrowthLimits,
    MinimumAttainment,
    MinimumChance,
    PotentialBand,
    Spread,
    TrainingFloor,
    Workload,
    WorstOff,
)


def owned(problem: AllocationProblem, seed: int = 0, moves: int = 8, most: int = 8) -> AllocationProblem:
    """The same request for a company whose accounts all have owners today, and carry potential and history along."""
    rng = np.random.default_rng(seed)
    offer = problem.accounts
    pairs = offer.allowed
    today = np.array([rng.choice(pairs.rep[pairs.start[a] : pairs.start[a + 1]]) for a in range(len(offer.ids))])
    size = np.array([offer.unit.values[pairs.start[a] : pairs.start[a + 1]].mean() for a in range(len(offer.ids))])
    potential = problem.potential - np.bincount(today, size, len(problem.reps)) * 0.5
    samples = problem.samples + np.bincount(today, offer.unit[np.arange(len(today)), today], len(problem.reps))
    moved = replace(
        offer,
        today=today,
        base=today,
        house=None,
        potential=size * 0.5,
        history=size * 0.7,
        max_moves=moves,
        max_per_rep=most,
    )
    rules = (
        PotentialBand(tolerance=0.3),
        GrowthLimits(floor=-0.3, cap=0.9),
        MinimumAttainment(share=0.6),
        MinimumChance(chance=0.1),
        Workload(maximum=0.985),
        TrainingFloor(hours=20.0),
    )
    return replace(problem, accounts=moved, potential=potential, samples=samples, basis=samples, rules=rules)


def caring(problem: AllocationProblem, seed: int, share: float = 0.9) -> AllocationProblem:
    """The same request with care to be decided, on curves of all forms, S-shaped ones among them.

    Args:
        share: budget over the planned hours.
    """
    rng = np.random.default_rng([seed, 7])
    offer, reps = problem.accounts, len(problem.reps)
    planned = rng.choice([10.0, 28.0, 60.0], len(offer.ids))
    order = replace(offer.order_hours, values=np.maximum(offer.order_hours.values - 30.0, 5.0))
    cared = replace(
        offer,
        curves=tuple(_curve(rng, hours) for hours in planned.tolist()),
        care_base=planned,
        care_budget=float(planned.sum() * share),
        care_load=rng.uniform(0.3, 0.8, reps),
        hour_price=np.full(reps, float(problem.samples.mean() / problem.hours.mean() * 0.3)),
        order_hours=order,
    )
    return replace(problem, accounts=cared)


def _curve(rng: np.random.Generator, hours: float) -> CareCurve:
    """A curve that is 1 at these hours."""
    kind = rng.integers(3)
    if kind == 0:
        return CareCurve("elasticity", (1.0, hours, float(rng.choice([0.2, 0.3, 0.6])), 1.5), 1.5 * hours)
    if kind == 1:
        rate = float(rng.uniform(1, 3)) / hours
        return CareCurve("exponential", (1.0 / (1.0 - np.exp(-rate * hours)), rate))
    shape, half = float(rng.uniform(0.7, 2.5)), float(rng.uniform(0.3, 1.5))
    return CareCurve("adbudg", (0.2, 0.2 + 0.8 * (1.0 + half), shape, half, hours))


def drawn(seed: int) -> AllocationProblem:
    """A request of 3 to 6 reps with features drawn by the seed; it need not have a plan."""
    rng = np.random.default_rng(seed)
    shape = Shape(
        int(rng.integers(3, 7)),
        int(rng.integers(8, 16)),
        samples=20,
        eligible=3,
        room=float(rng.choice([0.5, 1.0, 1.5, 2.5, 2.5])),
        value=float(rng.choice([1.0, 1.0, 2.5, 7.0])),
        effort=float(rng.choice([1.0, 1.5])),
    )
    problem = instance(shape, seed)
    has_owners = rng.random() < 0.7
    if has_owners:
        problem = owned(problem, seed, moves=int(rng.integers(2, 8)), most=9)
        problem = replace(problem, rules=tuple(rule for rule in problem.rules if rng.random() < 0.6))
    has_care = rng.random() < 0.6
    if has_care:
        problem = caring(problem, seed, float(rng.choice([0.6, 0.9, 1.1])))
    if rng.random() < 0.6:
        problem = replace(problem, two_stage=True)
    if has_owners and rng.random() < 0.5:
        base = problem.training.base.copy()
        if rng.random() < 0.5:
            base[rng.integers(0, len(problem.reps), 3), rng.integers(0, 4, 3)] = 20.0
        hours, care = float(rng.choice([20.0, 60.0, 200.0])), float(rng.choice([0.0, 30.0, np.inf]))
        region = TrustRegion(hours, int(rng.integers(0, 5)), care)
        problem = replace(problem, training=replace(problem.training, base=base), trust=region)
    if rng.random() < 0.3:
        pairs = problem.accounts.allowed
        account = int(rng.integers(len(problem.accounts.ids)))
        care = {1: float(problem.accounts.care_base[1])} if has_care else {}
        owner = {account: int(pairs.rep[pairs.start[account]])}
        problem = replace(problem, locks=Locks(owner=owner, training={(0, 1): 20.0}, care=care))
    return problem


def tight(seed: int) -> AllocationProblem:
    """A request of 2 to 5 reps whose hours and counts are all but full, under any mix of rules; it may have no plan."""
    rng = np.random.default_rng([seed, 11])
    reps, accounts = int(rng.integers(2, 6)), int(rng.integers(4, 15))
    shape = Shape(
        reps,
        accounts,
        samples=20,
        eligible=int(rng.integers(2, 4)),
        room=float(rng.choice([0.5, 1.0, 1.3])),
        value=float(rng.choice([1.0, 2.5, 7.0])),
        effort=float(rng.choice([1.0, 2.0])),
    )
    problem = instance(shape, seed)
    limits = problem.rules
    if rng.random() < 0.6:
        full = -(-accounts // reps) + int(rng.integers(0, 2))
        problem = owned(problem, seed, moves=int(rng.integers(1, 5)), most=full)
        limits = (*problem.rules, Workload(maximum=0.99))
    together = (
        WorstOff(share=float(rng.choice([0.2, 0.5])), minimum=float(rng.uniform(0.4, 0.75))),
        Spread(maximum=float(rng.uniform(0.3, 0.8))),
        GiniBound(maximum=float(rng.uniform(0.1, 0.3))),
        GroupParity(by="team", tolerance=float(rng.uniform(0.05, 0.3))),
        EqualOdds(width=float(rng.uniform(0.3, 0.8))),
    )
    rules = [rule for rule in limits if rng.random() < 0.55] + [rule for rule in together if rng.random() < 0.25]
    problem = replace(problem, rules=tuple(rules), groups={"team": problem.teams}, two_stage=bool(rng.random() < 0.3))
    return caring(problem, seed, 0.9) if rng.random() < 0.15 else problem


def numbered(problem: AllocationProblem, seed: int, most: int = 3, crossing: int = 3) -> AllocationProblem:
    """The same request with limits on accounts of a tier by rep, and on accounts that a team gains and loses.

    Args:
        most: accounts of the upper tier that a rep may own; crossing: that may enter or leave a team.
    """
    rng = np.random.default_rng([seed, 13])
    offer, reps = problem.accounts, len(problem.reps)
    everybody = np.arange(reps)
    upper = np.repeat((rng.random(len(offer.ids)) < 0.4)[:, None], reps, axis=1)
    names = sorted(set(problem.teams))
    team = np.array([names.index(name) for name in problem.teams])
    home = np.where(offer.today >= 0, team[np.maximum(offer.today, 0)], -1)
    crosses = home[:, None] != team[None, :]
    few = np.full(len(names), float(crossing))
    limits = (
        AccountLimit("tier_most A", problem.reps, np.full(reps, float(most)), True, upper, of_rep=everybody),
        AccountLimit("tier_least B", problem.reps, np.ones(reps), False, ~upper, of_rep=everybody),
        AccountLimit("moves_in", tuple(names), few, True, crosses, of_rep=team),
        AccountLimit("moves_out", tuple(names), few, True, crosses, of_account=home),
    )
    if not (offer.today >= 0).any():
        limits = limits[:2]
    return replace(problem, accounts=replace(offer, limits=limits))
