"""Which small changes of a plan are simulated to measure what training and accounts bring.

Where reps do not share their leads, one run measures many changes at once: each rep is touched by one change, and each
change shows in the sales of the reps that it touches. Where they do, a change shows in everybody's sales; then changes
are switched on and off together by the columns of a Hadamard matrix and read from the company's total (Plackett and
Burman 1946), so that each effect is measured by all runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import hadamard

from optimize.pairs import owners_of
from optimize.problem import AllocationProblem, Floats, Ints
from scenarios.scenario import Scenario

SHARING = frozenset({"pool", "least_loaded", "round_robin", "skill_based"})
"""Routing under which what one rep does moves the leads of others."""
OWNERS_TRIED = 3
"""Possible owners of an account among whom candidates for a move are looked for, best first."""


def leads_are_shared(scenario: Scenario) -> bool:
    """Whether a change of one rep's work moves the leads of others."""
    routing = scenario.routing
    used = {routing.by_source.get(source.id, routing.policy) for source in scenario.sources} or {routing.policy}
    return bool(used & SHARING) or routing.return_to_pool_days is not None


@dataclass(frozen=True)
class Training:
    """More hours (fewer, where negative) of one rep in one skill."""

    rep: int
    skill: int
    hours: float


@dataclass(frozen=True)
class Transfer:
    """An account that goes from one rep (-1: who carries no quota) to another."""

    account: int
    giver: int
    taker: int


def training_rounds(problem: AllocationProblem, hours: float, rounds: int) -> list[list[Training]]:
    """In each round every rep gets ``hours`` in one skill: the one that promises most first, then the next.

    Fewer where there is no time for so many; who has time for none is left out.
    """
    offer = problem.training
    if not offer.skills or not offer.steps:
        return []
    found = []
    worth = np.stack([_slopes(problem, r, hours) for r in range(len(problem.reps))])
    order = np.argsort(-worth, axis=1, kind="stable")
    for place in range(min(rounds, len(offer.skills))):
        changes = [_change(problem, r, int(order[r, place]), hours) for r in range(len(problem.reps))]
        found.append([one for one in changes if one.hours])
    return found


def _slopes(problem: AllocationProblem, rep: int, hours: float) -> Floats:
    """Modelled gain of each skill's change, [K]."""
    offer = problem.training
    return np.array([training_model(problem, _change(problem, rep, k, hours)) for k in range(len(offer.skills))])


def _change(problem: AllocationProblem, rep: int, skill: int, hours: float) -> Training:
    """More hours where the gain table and the working time reach so far, else fewer."""
    offer = problem.training
    now, taken = float(offer.base[rep, skill]), float(offer.base[rep].sum())
    time = float(offer.most_time(whole=True)[rep])
    most = offer.steps * offer.step
    step = min(hours, most, time)
    fits = now + step <= most + 1e-9 and taken + step <= time + 1e-9
    return Training(rep, skill, step if fits else -min(step, now))


def training_model(problem: AllocationProblem, change: Training) -> float:
    """What the request says that it adds to the sales of the rep, minor units."""
    hours = problem.training.base.copy()
    hours[change.rep, change.skill] += change.hours
    return float(problem.training.gain_at(hours)[change.rep])


def transfers(problem: AllocationProblem) -> list[Transfer]:
    """Moves worth measuring: of each account that may move, to the owners who promise most; best first."""
    offer = problem.accounts
    care, sales = offer.care_base, offer.base_sales
    found: list[tuple[float, int, int]] = []
    for a in range(len(offer.ids)):
        takers = owners_of(offer.allowed, a)
        if a in problem.locks.owner or len(takers) < 2:
            continue
        worth = offer.values(np.full(len(takers), a), takers, care, sales)
        base = int(offer.base[a])
        now = offer.value(a, base, float(care[a]))
        ranked = [(float(now - w), a, int(r)) for w, r in zip(worth, takers, strict=True) if r != base]
        found += sorted(ranked)[:OWNERS_TRIED]
    return [Transfer(a, int(offer.base[a]), r) for _, a, r in sorted(found)]


def matchings(candidates: list[Transfer], runs: int) -> Iterator[list[Transfer]]:
    """Moves packed into runs so that each rep is touched by one move a run; whoever was measured least comes first."""
    used: set[tuple[int, int]] = set()
    seen: dict[int, int] = {}
    for _ in range(runs):
        touched: set[int] = set()
        taken: set[int] = set()
        run = []
        order = sorted(range(len(candidates)), key=lambda i: (seen.get(candidates[i].taker, 0), i))
        for one in (candidates[i] for i in order):
            pair = (one.account, one.taker)
            free = {one.giver, one.taker} - {-1}
            if pair in used or one.account in taken or free & touched:
                continue
            run.append(one)
            used.add(pair)
            taken.add(one.account)
            touched |= free
            seen[one.taker] = seen.get(one.taker, 0) + 1
        if not run:
            return
        yield run


def transfer_model(problem: AllocationProblem, move: Transfer) -> float:
    """What the request says that a move adds to the sales of both reps together, minor units."""
    offer, care = problem.accounts, float(problem.accounts.care_base[move.account])
    return offer.value(move.account, move.taker, care) - offer.value(move.account, move.giver, care)


def groups_of_factors(count: int, most: int) -> list[Ints]:
    """Positions in at most ``most`` groups of nearly equal size, each alone where there are few."""
    return [np.asarray(part, dtype=np.int64) for part in np.array_split(np.arange(count), min(count, most))]


def screening(factors: int) -> Ints:
    """Whether each factor is switched on in each run, as signs, [runs, factors]: balanced and orthogonal."""
    runs = 4
    while runs - 1 < factors:
        runs *= 2
    return np.asarray(hadamard(runs)[:, 1 : factors + 1], dtype=np.int64)
