"""A request as the method by prices sees it: arcs of accounts, a few figures for each rep, a few rows over quotas.

Money in units of the programme (a mean quota is 100), hours over the horizon, training in whole steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from optimize.by_prices.arcs import Arcs, Settled, arcs_of, planned_care
from optimize.by_prices.quota_bounds import QuotaBounds
from optimize.by_prices.steps import Training, locked_hours, training_of
from optimize.model import money_unit
from optimize.pairs import Floats, Ints
from optimize.parts.accounts import settled as no_choice
from optimize.problem import AllocationProblem
from optimize.split import groups
from optimize.workload import load_at
from scenarios.goals import Workload


@dataclass(frozen=True)
class Request:
    """The parts of a request that prices can decompose; R reps, N samples, K rows over quotas.

    What a rule forbids beyond these is left to the programme that makes the plan: a bound without it still holds.

    Attributes:
        settled: what leaves no choice.
        counts: weight of capped sales in the objective; sells: of sales themselves (two-stage mode).
        ordered: samples that quotas follow, rising, [R, N]; sums: their running sums from 0, [R, N + 1].
        sales, potential, history, count: of what is settled already, [R].
        room, floor: hours for accounts and training, at most and at least; infinite where no rule says, [R].
        room_rate, floor_rate: how much of them an hour of training takes.
        low, high: bounds of quotas, [R]; most_shift: of quota less gain, [R].
        share: least expected attainment, 0 where none is asked, [R].
        band, growth: factors of potential and history that bound quotas from above and below, where accounts move
            them; NaN elsewhere, [2, R].
        rows, row_low, row_high: sums over quotas, [K, R] and [K].
        group, sums_to: which of the quotas with a sum of their own a rep's belongs to, [R], and that sum, [G].
    """

    unit: float
    counts: float
    sells: float
    settled: Settled
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
    rows: csr_array
    row_low: Floats
    row_high: Floats
    group: Ints
    sums_to: Floats

    @property
    def reps(self) -> int:
        """How many reps."""
        return len(self.sales)

    @property
    def rooms(self) -> tuple[Floats, ...]:
        """What :func:`optimize.by_prices.quota_room.room_of` wants to know."""
        bounds = (self.low, self.high, self.band, self.growth, self.most_shift, self.share)
        return (self.ordered, self.sums, *bounds)

    @property
    def guarded(self) -> bool:
        """Whether accounts move the bounds of quotas, or quotas do not count, so that a search must look after them."""
        return self.counts <= 0.0 or bool(np.isfinite(self.band).any() or np.isfinite(self.growth).any())


def request_of(problem: AllocationProblem) -> Request:
    """What prices can decompose of a request."""
    unit = money_unit(problem)
    offer, count = problem.accounts, len(problem.reps)
    arcs, settled = arcs_of(problem, unit)
    account, rep = settled.account, settled.rep
    care = planned_care(problem)
    sold = offer.sales(care)
    sales = problem.training.gain_at(locked_hours(problem)) / unit
    known = np.flatnonzero(offer.base >= 0)
    np.add.at(
        sales, offer.base[known], -offer.values(known, offer.base[known], offer.care_base, offer.base_sales) / unit
    )
    np.add.at(sales, rep, offer.values(account, rep, care, sold) / unit)
    sales += (offer.sales_handed_on(*no_choice(problem)) - offer.sales_handed_on(known, offer.base[known])) / unit
    load = problem.load.copy()
    np.add.at(load, rep, offer.order_hours[account, rep] + offer.care_load[rep] * care[account])
    potential = (problem.potential + offer.potentials_handed_on(*no_choice(problem))) / unit
    potential += np.bincount(rep, offer.potential[account] / unit, count)
    history = (problem.last_sales + offer.histories_handed_on(*no_choice(problem))) / unit
    today = np.flatnonzero(offer.today >= 0)
    np.add.at(history, offer.today[today], -offer.history[today] / unit)
    np.add.at(history, rep, offer.history[account] / unit)
    room, floor, rates = _hours(problem, load, arcs.over_rep(arcs.hours))
    quota = QuotaBounds(problem, unit, arcs, potential, history)
    ordered = np.sort(problem.basis / unit, axis=0).T.copy()
    most = np.inf if offer.max_per_rep is None else float(offer.max_per_rep)
    rows, low, high = _rows(problem, unit)
    group, sums_to = _groups(problem, unit)
    return Request(
        unit=unit,
        counts=0.0 if problem.two_stage else 1.0,
        sells=1.0 if problem.two_stage else 0.0,
        settled=settled,
        arcs=arcs,
        training=training_of(problem, unit),
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
        most_accounts=np.maximum(most - np.bincount(rep, minlength=count), 0.0),
        rows=rows,
        row_low=low,
        row_high=high,
        group=group,
        sums_to=sums_to,
    )


def _hours(problem: AllocationProblem, load: Floats, most: Floats) -> tuple[Floats, Floats, tuple[float, float]]:
    """Hours for accounts and training at most and at least, and how much an hour of training takes of each.

    Args:
        load: hours that are settled; most: that all free accounts ask at the planned care, [R].
    """
    count = len(problem.reps)
    room, floor = np.full(count, np.inf), np.full(count, -np.inf)
    rates = [0.0, 0.0]
    left = problem.hours - locked_hours(problem).sum(axis=1)
    touched = set(problem.locks.owner.values()) | {r for r, _ in problem.locks.training}
    touched |= {int(problem.accounts.today[a]) for a in problem.locks.care}
    soft = np.array([r in touched for r in range(count)])
    for rule in problem.rules:
        if not isinstance(rule, Workload):
            continue
        held = problem.concerned(rule) & (problem.hours > 0)
        high, low = load_at(rule.maximum, problem.sharpness), load_at(rule.minimum, problem.sharpness)
        if np.isfinite(high):
            room = np.where(held, np.minimum(room, high * left - load), room)
            rates[0] = high if rates[0] == 0.0 else min(rates[0], high)
        if np.isfinite(low) and rule.minimum > 0.0:
            floor = np.where(held, np.maximum(floor, low * left - load), floor)
            rates[1] = max(rates[1], low)
    # Locks may take more than there is, or leave too little: the rule gives way to them, and to nothing else.
    room = np.where(soft, np.maximum(room, 0.0), room)
    floor = np.where(soft & ((floor > room) | (floor > most)), -np.inf, floor)
    return room, floor, (rates[0], rates[1])


def _rows(problem: AllocationProblem, unit: float) -> tuple[csr_array, Floats, Floats]:
    """The company's and the teams' totals."""
    count = len(problem.reps)
    sums = [(np.arange(count), problem.total / unit)]
    sums += [(problem.members(team), total / unit) for team, total in problem.team_totals.items()]
    row = np.repeat(np.arange(len(sums)), [len(members) for members, _ in sums])
    col = np.concatenate([members for members, _ in sums])
    side = np.array([total for _, total in sums])
    return csr_array((np.ones(len(row)), (row, col)), shape=(len(sums), count)), side, side.copy()


def _groups(problem: AllocationProblem, unit: float) -> tuple[Ints, Floats]:
    """Which quotas sum to what."""
    group, sums_to = np.zeros(len(problem.reps), dtype=np.int64), []
    for number, (_, members, total) in enumerate(groups(problem)):
        group[members] = number
        sums_to.append(total / unit)
    return group, np.array(sums_to)
