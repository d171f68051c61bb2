"""A request as the method by prices sees it: arcs of accounts, a few figures for each rep, a few rows over quotas.

Money in units of the programme (a mean quota is 100), hours over the horizon, training in whole steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from optimize.model import money_unit
from optimize.pairs import Bools, Floats, Ints
from optimize.parts.accounts import may_rest, possible_pairs
from optimize.parts.fairness import chance_quantile
from optimize.parts.training import concave_steps
from optimize.problem import AllocationProblem, company_ratio
from optimize.workload import load_at
from scenarios.goals import (
    GrowthLimits,
    MinimumAttainment,
    MinimumChance,
    PotentialBand,
    TrainingFloor,
    Workload,
)


@dataclass(frozen=True)
class Arcs:
    """Free accounts F with the reps who may own them, P arcs; see :mod:`optimize.by_prices.kernels`.

    Attributes:
        free: position of each free account in the request, [F].
        rests: accounts that need no owner, [F].
        away: 1 where the arc moves the account from today's owner; rest_away: 1 where having none does, [F].
    """

    free: Ints
    start: Ints
    account: Ints
    rep: Ints
    value: Floats
    hours: Floats
    potential: Floats
    history: Floats
    rests: Bools
    away: Floats
    rest_away: Floats
    reps: int

    @cached_property
    def of_rep(self) -> Ints:
        """Arcs by rep, [P]."""
        return np.argsort(self.rep, kind="stable")

    @cached_property
    def first(self) -> Ints:
        """Where the arcs of each rep begin in ``of_rep``, [R + 1]."""
        counts = np.bincount(self.rep, minlength=self.reps)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @cached_property
    def largest(self) -> Floats:
        """The largest sales that an account may bring, at least a hair, [F]."""
        out = np.full(len(self.free), 1e-6)
        np.maximum.at(out, self.account, np.abs(self.value))
        return out


@dataclass(frozen=True)
class Training:
    """Steps of each rep by falling gain, [R, S]; in a concave gain, earlier steps of a skill come first.

    Attributes:
        gain: units of money of each step; skill: which it belongs to.
        hours: of a step; budget: steps that all take together at most.
        most, least: steps of each rep, [R].
    """

    gain: Floats
    skill: Ints
    hours: float
    budget: float
    most: Ints
    least: Ints


@dataclass(frozen=True)
class Request:
    """The parts of a request that prices can decompose; R reps, N samples, K rows over quotas.

    What a rule forbids beyond these is left to the programme that makes the plan: a bound without it still holds.

    Attributes:
        ordered: samples that quotas follow, rising, [R, N]; sums: their running sums from 0, [R, N + 1].
        sales, potential, history, count: of what is settled already, [R].
        room, floor: hours for accounts and training, at most and at least; infinite where no rule says, [R].
        room_rate, floor_rate: how much of them an hour of training takes.
        low, high: bounds of quotas, [R]; most_shift: of quota less gain, [R].
        share: least expected attainment, 0 where none is asked, [R].
        band, growth: factors of potential and history that bound quotas from above and below, where accounts move
            them; NaN elsewhere, [2, R].
        rows, row_low, row_high: sums over quotas, [K, R] and [K].
    """

    unit: float
    arcs: Arcs
    training: Training
    ordered: Floats
    sums: Floats
    sales: Floats
    potential: Floats
    history: Floats
    room: Floats
    floor: Floats
    room_rate: float
    floor_rate: float
    low: Floats
    high: Floats
    most_shift: Floats
    share: Floats
    band: Floats
    growth: Floats
    most_accounts: Floats
    most_moves: float
    rows: csr_array
    row_low: Floats
    row_high: Floats

    @property
    def reps(self) -> int:
        """How many reps."""
        return len(self.sales)


def arcs_of(problem: AllocationProblem, unit: float) -> tuple[Arcs, Ints, Ints]:
    """The arcs of a request, and the settled accounts with their owners."""
    offer = problem.accounts
    pairs, rests = possible_pairs(problem), may_rest(problem)
    choices = np.diff(pairs.start) + rests
    mine = choices[pairs.account] > 1
    free = np.flatnonzero(choices > 1)
    account, rep = pairs.account[mine], pairs.rep[mine]
    local = np.searchsorted(free, account)
    care = offer.care_base.copy()
    care[list(problem.locks.care)] = list(problem.locks.care.values())
    sales = offer.sales(care) if problem.locks.care else offer.base_sales
    arcs = Arcs(
        free=free,
        start=np.searchsorted(local, np.arange(len(free) + 1)).astype(np.int64),
        account=local,
        rep=rep,
        value=offer.values(account, rep, care, sales) / unit,
        hours=offer.order_hours[account, rep] + offer.care_load[rep] * care[account],
        potential=offer.potential[free] / unit,
        history=offer.history[free] / unit,
        rests=rests[free],
        away=(rep != offer.today[account]).astype(np.float64),
        rest_away=(offer.today[free] >= 0).astype(np.float64),
        reps=len(problem.reps),
    )
    return arcs, pairs.account[~mine], pairs.rep[~mine]


def request_of(problem: AllocationProblem) -> Request:
    """What prices can decompose of a request."""
    unit = money_unit(problem)
    offer, locks, count = problem.accounts, problem.locks, len(problem.reps)
    arcs, account, rep = arcs_of(problem, unit)
    care = offer.care_base.copy()
    care[list(locks.care)] = list(locks.care.values())
    sold = offer.sales(care)
    sales = problem.training.gain_at(_locked_hours(problem)) / unit
    known = np.flatnonzero(offer.base >= 0)
    np.add.at(
        sales, offer.base[known], -offer.values(known, offer.base[known], offer.care_base, offer.base_sales) / unit
    )
    np.add.at(sales, rep, offer.values(account, rep, care, sold) / unit)
    load = problem.load.copy()
    np.add.at(load, rep, offer.order_hours[account, rep] + offer.care_load[rep] * care[account])
    potential = problem.potential / unit + np.bincount(rep, offer.potential[account] / unit, count)
    history = problem.last_sales / unit
    today = np.flatnonzero(offer.today >= 0)
    np.add.at(history, offer.today[today], -offer.history[today] / unit)
    np.add.at(history, rep, offer.history[account] / unit)
    room, floor, rates = _hours(problem, load)
    quota = _Quotas(problem, unit, arcs, potential, history)
    ordered = np.sort(problem.basis / unit, axis=0).T.copy()
    most = np.inf if offer.max_per_rep is None else float(offer.max_per_rep)
    settled = np.bincount(rep, minlength=count)
    forced = int((rep != offer.today[account]).sum())
    rows, low, high = _rows(problem, unit)
    return Request(
        unit=unit,
        arcs=arcs,
        training=_training(problem, unit),
        ordered=ordered,
        sums=np.concatenate([np.zeros((count, 1)), np.cumsum(ordered, axis=1)], axis=1),
        sales=sales,
        potential=potential,
        history=np.nan_to_num(history),
        room=room,
        floor=floor,
        room_rate=rates[0],
        floor_rate=rates[1],
        low=quota.low,
        high=quota.high,
        most_shift=quota.shift,
        share=quota.share,
        band=quota.band,
        growth=quota.growth,
        most_accounts=np.maximum(most - settled, 0.0),
        most_moves=float(max(offer.max_moves - forced, 0)),
        rows=rows,
        row_low=low,
        row_high=high,
    )


def _locked_hours(problem: AllocationProblem) -> Floats:
    hours = np.zeros_like(problem.training.base)
    for cell, value in problem.locks.training.items():
        hours[cell] = value
    return hours


def _training(problem: AllocationProblem, unit: float) -> Training:
    offer, count = problem.training, len(problem.reps)
    skills, most = len(offer.skills), offer.steps
    gain = np.full((count, skills * most), -np.inf)
    skill = np.tile(np.repeat(np.arange(skills), most), (count, 1))
    for k in range(skills):
        of, width, slope = concave_steps(offer.gain[:, k])
        whole = np.round(width).astype(np.int64)
        by_rep = np.argsort(np.repeat(of, whole), kind="stable")
        gain[:, k * most : (k + 1) * most] = np.repeat(slope / unit, whole)[by_rep].reshape(count, most)
    locked = _locked_hours(problem)
    for r, k in problem.locks.training:
        gain[r, k * most : (k + 1) * most] = -np.inf
    order = np.argsort(-gain, axis=1, kind="stable")
    gain, skill = np.take_along_axis(gain, order, 1), np.take_along_axis(skill, order, 1)
    taken = locked.sum(axis=1)
    step = offer.step if offer.step > 0 else 1.0
    able = np.isfinite(gain).sum(axis=1)
    room = np.floor((offer.cap - taken) / step + 1e-9)
    top = np.clip(room, 0, able).astype(np.int64)
    floor = np.zeros(count)
    touched = {r for r, _ in problem.locks.training}
    soft = np.array([r in touched for r in range(count)])
    for rule in problem.rules:
        if isinstance(rule, TrainingFloor):
            floor = np.where(problem.concerned(rule) & ~soft, np.maximum(floor, rule.hours), floor)
    least = np.clip(np.ceil((floor - taken) / step - 1e-9), 0, top).astype(np.int64)
    longest = int(top.max(initial=0))
    budget = max((offer.most - float(taken.sum())) / step, 0.0)
    safe = np.where(np.isfinite(gain[:, :longest]), gain[:, :longest], 0.0)
    return Training(safe, skill[:, :longest], step, budget, top, least)


def _hours(problem: AllocationProblem, load: Floats) -> tuple[Floats, Floats, tuple[float, float]]:
    """Hours for accounts and training at most and at least, and how much an hour of training takes of each."""
    count = len(problem.reps)
    room, floor = np.full(count, np.inf), np.full(count, -np.inf)
    rates = [0.0, 0.0]
    left = problem.hours - _locked_hours(problem).sum(axis=1)
    touched = set(problem.locks.owner.values()) | {r for r, _ in problem.locks.training}
    touched |= {int(problem.accounts.today[a]) for a in problem.locks.care}
    firm = np.array([r not in touched for r in range(count)])
    for rule in problem.rules:
        if not isinstance(rule, Workload):
            continue
        held = problem.concerned(rule) & (problem.hours > 0) & firm
        high, low = load_at(rule.maximum, problem.sharpness), load_at(rule.minimum, problem.sharpness)
        if np.isfinite(high):
            room = np.where(held, np.minimum(room, high * left - load), room)
            rates[0] = high if rates[0] == 0.0 else min(rates[0], high)
        if np.isfinite(low) and rule.minimum > 0.0:
            floor = np.where(held, np.maximum(floor, low * left - load), floor)
            rates[1] = max(rates[1], low)
    return room, floor, (rates[0], rates[1])


class _Quotas:
    """Bounds on quotas by the rules that prices know; rules give way to a locked quota (its bounds are the lock)."""

    def __init__(self, problem: AllocationProblem, unit: float, arcs: Arcs, potential: Floats, history: Floats) -> None:
        count = len(problem.reps)
        self.low, self.high = np.zeros(count), np.full(count, problem.total / unit)
        self.shift, self.share = np.full(count, np.inf), np.zeros(count)
        self.band, self.growth = np.full((2, count), np.nan), np.full((2, count), np.nan)
        firm = np.array([r not in problem.locks.first for r in range(count)])
        for rule in problem.rules:
            keep = firm & problem.concerned(rule)
            if isinstance(rule, PotentialBand):
                ratio = company_ratio(problem)
                band = (ratio * (1 + rule.tolerance), ratio * (1 - rule.tolerance))
                self._between(arcs, arcs.potential, potential, self.band, band, keep)
            elif isinstance(rule, GrowthLimits):
                known = keep & ~np.isnan(problem.last_sales)
                ends = (None if rule.cap is None else 1 + rule.cap, None if rule.floor is None else 1 + rule.floor)
                self._between(arcs, arcs.history, np.nan_to_num(history), self.growth, ends, known)
            elif isinstance(rule, MinimumChance):
                at = chance_quantile(problem.samples, rule.chance) / unit
                self.shift = np.where(keep & ~problem.ramping, np.minimum(self.shift, at), self.shift)
            elif isinstance(rule, MinimumAttainment) and problem.basis is problem.samples:
                self.share = np.where(keep, np.maximum(self.share, rule.share), self.share)
        for r, value in problem.locks.quota.items():
            self.low[r] = self.high[r] = value / unit
        for r, value in problem.locks.least.items():
            self.low[r] = max(self.low[r], value / unit)
        self.low = np.minimum(self.low, self.high)

    def _between(
        self,
        arcs: Arcs,
        each: Floats,
        settled: Floats,
        factors: Floats,
        ends: tuple[float | None, float | None],
        keep: Bools,
    ) -> None:
        """Quotas between two factors of a measure that accounts may carry with them."""
        moving = bool((each != 0.0).any())
        carried = np.maximum(each, 0.0)[arcs.account]
        reach = np.bincount(arcs.rep, carried, arcs.reps) if moving else np.zeros(arcs.reps)
        top, bottom = ends
        if top is not None:
            self.high = np.where(keep, np.minimum(self.high, top * (settled + reach)), self.high)
            factors[0] = np.where(keep & moving, np.fmin(factors[0], top), factors[0])
        if bottom is not None:
            self.low = np.where(keep, np.maximum(self.low, bottom * settled), self.low)
            factors[1] = np.where(keep & moving, np.fmax(factors[1], bottom), factors[1])


def _rows(problem: AllocationProblem, unit: float) -> tuple[csr_array, Floats, Floats]:
    """The company's and the teams' totals."""
    count = len(problem.reps)
    sums = [(np.arange(count), problem.total / unit)]
    sums += [(problem.members(team), total / unit) for team, total in problem.team_totals.items()]
    row = np.repeat(np.arange(len(sums)), [len(members) for members, _ in sums])
    col = np.concatenate([members for members, _ in sums])
    side = np.array([total for _, total in sums])
    return csr_array((np.ones(len(row)), (row, col)), shape=(len(sums), count)), side, side.copy()
