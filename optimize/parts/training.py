"""Training hours per rep and skill, in whole steps, with concave gains, a budget and a cap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimize.pairs import PairLabels, named
from optimize.problem import AllocationProblem, Floats, Ints, raised
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.curves import envelope

HOURS = "training hours"


@dataclass(frozen=True)
class Trained:
    """Gain (units of money) and hours of each rep; ``change``: by skill, hours that are decided, less the base."""

    gain: Linear
    hours: Linear
    change: tuple[Linear, ...]


def add(blocks: Blocks, problem: AllocationProblem, unit: float) -> Trained:
    """Add the training columns.

    A gain that is not concave enters by its concave envelope; the plan is judged by the gain itself.
    """
    offer, locks = problem.training, problem.locks.training
    count = len(problem.reps)
    hours = Linear.constants(np.zeros(count))
    start = offer.gain_at(np.zeros_like(offer.base)) / unit
    gain = Linear.constants(start)
    change: list[Linear] = []
    for k, skill in enumerate(offer.skills):
        open_to = np.full(count, offer.steps > 0)
        open_to[[r for r, skill_position in locks if skill_position == k]] = False
        free = np.flatnonzero(open_to)
        for (r, skill_position), locked in locks.items():
            if skill_position == k:
                at = np.zeros_like(offer.base)
                at[r, k] = locked
                gain = gain + Linear.constants(offer.gain_at(at) / unit - start)
                hours = hours + Linear.constants(np.where(np.arange(count) == r, locked, 0.0))
        if not len(free):
            continue
        labels = PairLabels(problem.reps, (skill,), free, np.zeros_like(free))
        steps = blocks.columns(f"{HOURS} {skill}", labels, 0.0, offer.steps, integer=True)
        hours = hours + Linear.of(count, free, steps, offer.step)
        change.append(Linear.columns(steps, offer.step) + Linear.constants(-offer.base[free, k]))
        taken = Linear.columns(steps)
        place, width, slope = concave_steps(offer.gain[free, k])
        pieces = PairLabels(problem.reps, (skill,), free[place], np.zeros_like(place))
        cut = blocks.columns(f"training pieces {skill}", pieces, 0.0, width)
        gain = gain + Linear.of(count, free[place], cut, slope / unit)
        taken = taken + Linear.of(len(free), place, cut, -1.0)
        blocks.rows("training pieces", named(problem.reps, free), taken, 0.0, 0.0, kept=True)
    _limits(blocks, problem, hours)
    _trainers(blocks, problem, hours)
    return Trained(gain, hours, tuple(change))


def concave_steps(gain: Floats) -> tuple[Ints, Floats, Floats]:
    """Concave pieces of gains by step [n, M + 1]: which row each piece belongs to, its width in steps, its slope."""
    slope = np.diff(gain, axis=1)
    concave = np.asarray((np.diff(slope, axis=1) <= 0.0).all(axis=1))
    rows, steps = np.nonzero(np.broadcast_to(concave[:, None], slope.shape))
    of, width, rise = [rows], [np.ones(len(rows))], [slope[rows, steps]]
    for row in np.flatnonzero(~concave).tolist():
        pieces = envelope(np.arange(gain.shape[1], dtype=np.float64), gain[row])
        of.append(np.full(len(pieces.width), row))
        width.append(pieces.width)
        rise.append(pieces.slope)
    return np.concatenate(of), np.concatenate(width), np.concatenate(rise)


def _limits(blocks: Blocks, problem: AllocationProblem, hours: Linear) -> None:
    offer, locks = problem.training, problem.locks.training
    if not len(hours.col) and not locks:
        return
    one = Linear.constants(np.ones(1))
    whole = hours.summed()
    blocks.rows("training_budget", ["company"], whole, upper=raised(offer.budget, locks), loosen=one)
    if offer.money is not None and offer.price > 0:
        cost = whole.times(offer.price / 100)
        most = raised(offer.money, locks, offer.price)
        blocks.rows("training_money", ["company"], cost, upper=most / 100, loosen=one)
    _time(blocks, problem, hours)
    blocks.rows(
        "training_cap",
        problem.reps,
        hours,
        upper=np.maximum(offer.cap, _locked_by_rep(problem)),
        loosen=Linear.constants(np.ones(len(problem.reps))),
    )


def _time(blocks: Blocks, problem: AllocationProblem, hours: Linear) -> None:
    """Nobody is trained beyond the working time of their periods; a row only for people who could be."""
    offer = problem.training
    most = np.maximum(offer.most_time(whole=True), _locked_by_rep(problem))
    short = np.flatnonzero(most < offer.steps * offer.step * len(offer.skills))
    if len(short):
        subjects = [problem.reps[r] for r in short.tolist()]
        blocks.rows("working time", subjects, hours.pick(short), upper=most[short], kept=True)


def _locked_by_rep(problem: AllocationProblem) -> Floats:
    """Training hours that locks give each rep, [R]."""
    out = np.zeros(len(problem.reps))
    for (r, _), hours in problem.locks.training.items():
        out[r] += hours
    return out


def _trainers(blocks: Blocks, problem: AllocationProblem, hours: Linear) -> None:
    """Hours of each rep by period, so that trainers are never asked for more than they can give in one."""
    offer, locks = problem.training, problem.locks.training
    if offer.capacity is None or (not len(hours.col) and not locks):
        return
    reps = np.array([r for r, mine in enumerate(offer.slots) for _ in mine], dtype=np.int64)
    when = np.array([p for mine in offer.slots for p in mine], dtype=np.int64)
    labels = [(problem.reps[r], offer.periods[p]) for r, p in zip(reps.tolist(), when.tolist(), strict=True)]
    locked, whole = _locked_by_rep(problem), np.floor(offer.working / offer.step + 1e-9) * offer.step
    time = np.where(locked[:, None] > 0, offer.working, whole)[reps, when]
    cols = blocks.columns("training in a period", labels, 0.0, time)
    spread = hours - Linear.of(len(problem.reps), reps, cols, 1.0)
    blocks.rows("training by period", problem.reps, spread, 0.0, 0.0, kept=True)
    used = np.unique(when)
    given = Linear.of(len(offer.periods), when, cols, 1.0).pick(used)
    blocks.rows(
        "trainer_capacity",
        [offer.periods[p] for p in used.tolist()],
        given,
        upper=offer.capacity,
        loosen=Linear.constants(np.ones(len(used))),
        giving_way=np.full(len(used), bool(locks)),
    )


def read(problem: AllocationProblem, hours_by_skill: dict[str, dict[str, float]]) -> Floats:
    """Hours [R, K] from steps by skill and rep, locked cells as locked."""
    offer = problem.training
    out = np.zeros((len(problem.reps), len(offer.skills)))
    for k, skill in enumerate(offer.skills):
        for r, rep in enumerate(problem.reps):
            out[r, k] = round(hours_by_skill.get(skill, {}).get(rep, 0.0)) * offer.step
    for cell, locked in problem.locks.training.items():
        out[cell] = locked
    return out
