"""Training as the method by prices sees it: whole steps of each rep in one order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimize.pairs import Floats, Ints
from optimize.parts.training import concave_steps
from optimize.problem import AllocationProblem
from scenarios.goals import TrainingFloor


@dataclass(frozen=True)
class Training:
    """Steps of each rep by falling gain, [R, S]; in a concave gain, earlier steps of a skill come first.

    Attributes:
        gain: units of money of each step; skill: which it belongs to.
        away: by how much each step takes hours further from the simulated plan, in steps: 1, or -1 up to there.
        hours: of a step; budget: steps that all take together at most.
        able: steps that there are, [R]; most, least: that a rep may and must take, [R].
        apart: what all away may sum to, infinite where the simulated plan does not matter.
    """

    gain: Floats
    skill: Ints
    away: Floats
    hours: float
    budget: float
    able: Ints
    most: Ints
    least: Ints
    apart: float

    def reordered(self, lam: Floats, price: float) -> Training:
        """The same with steps by falling worth where a price is on those away from the simulated plan.

        Args:
            lam: worth of a unit of sales, [R].
        """
        if price <= 0.0 or not self.gain.shape[1]:
            return self
        worth = np.maximum(lam, 1e-9)[:, None] * self.gain - price * self.away
        worth = np.where(self.taken(self.able) > 0, worth, -np.inf)
        order = np.argsort(-worth, axis=1, kind="stable")
        gain, away = (np.take_along_axis(table, order, 1) for table in (self.gain, self.away))
        return replace(self, gain=gain, skill=np.take_along_axis(self.skill, order, 1), away=away)

    def taken(self, steps: Ints) -> Floats:
        """1 for the first so many steps of each rep, [R, S]."""
        return (np.arange(self.gain.shape[1])[None, :] < steps[:, None]).astype(np.float64)

    def sold(self, steps: Ints) -> Floats:
        """What the first so many steps of each rep sell, [R]."""
        return np.asarray(np.where(self.taken(steps) > 0, self.gain, 0.0).sum(axis=1))

    def further(self, steps: Ints) -> float:
        """How far the first so many steps are away, as ``apart`` limits it."""
        return float((self.taken(steps) * self.away).sum())


def locked_hours(problem: AllocationProblem) -> Floats:
    """Training hours that are locked, 0 elsewhere, [R, K]."""
    hours = np.zeros_like(problem.training.base)
    for cell, value in problem.locks.training.items():
        hours[cell] = value
    return hours


def training_of(problem: AllocationProblem, unit: float) -> Training:
    """The training of a request."""
    offer, count = problem.training, len(problem.reps)
    skills, most = len(offer.skills), offer.steps
    step = offer.step if offer.step > 0 else 1.0
    gain = np.full((count, skills * most), -np.inf)
    skill = np.tile(np.repeat(np.arange(skills), most), (count, 1))
    away = np.ones((count, skills * most))
    place = np.arange(most + 1) * step
    for k in range(skills):
        of, width, slope = concave_steps(offer.gain[:, k])
        whole = np.round(width).astype(np.int64)
        by_rep = np.argsort(np.repeat(of, whole), kind="stable")
        gain[:, k * most : (k + 1) * most] = np.repeat(slope / unit, whole)[by_rep].reshape(count, most)
        away[:, k * most : (k + 1) * most] = np.diff(np.abs(place[None, :] - offer.base[:, k, None]), axis=1) / step
    locked = locked_hours(problem)
    free = np.ones_like(locked)
    for r, k in problem.locks.training:
        gain[r, k * most : (k + 1) * most] = -np.inf
        free[r, k] = 0.0
    order = np.argsort(-gain, axis=1, kind="stable")
    gain, skill, away = (np.take_along_axis(table, order, 1) for table in (gain, skill, away))
    taken = locked.sum(axis=1)
    able = np.isfinite(gain).sum(axis=1)
    room = np.floor((np.minimum(offer.cap, offer.most_time(whole=True)) - taken) / step + 1e-9)
    top = np.clip(room, 0, able).astype(np.int64)
    floor = np.zeros(count)
    for rule in problem.rules:
        if isinstance(rule, TrainingFloor):
            floor = np.where(problem.concerned(rule), np.maximum(floor, rule.hours), floor)
    least = np.clip(np.ceil((floor - taken) / step - 1e-9), 0, top).astype(np.int64)
    budget = max((offer.most - float(taken.sum())) / step, 0.0)
    apart = np.inf
    if problem.trust is not None:
        # Hours of the simulated plan that are not taken again count as well.
        simulated = float((offer.base * free).sum()) / step
        if problem.trust.hours / step < simulated + budget:
            apart = problem.trust.hours / step - simulated
    # With a price on change, the best steps need not be those of the largest gain: all of them stay.
    able = able if np.isfinite(apart) else top
    longest = int(able.max(initial=0))
    safe = np.where(np.isfinite(gain[:, :longest]), gain[:, :longest], 0.0)
    return Training(safe, skill[:, :longest], away[:, :longest], step, budget, able, top, least, apart)
