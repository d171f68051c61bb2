"""What is to be decided, as plain labelled arrays: the allocator's parts know numbers, not simulators.

Money is in minor units as float64, time in hours of open calendar over the horizon. R reps who carry a quota,
N simulated horizons, K skills on offer, M training steps, A accounts that have an owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimize.account_limits import AccountLimit
from optimize.locked_quotas import LockedQuotas
from optimize.metrics import Metrics, Rates
from optimize.pairs import Candidates, Pairs, Table
from optimize.programme.curves import CareCurve
from optimize.training_offer import TrainingOffer
from scenarios.goals import FairnessRule, Level

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class AccountOffer:
    """Accounts and who may own them; -1 in ``base`` or ``today`` is a rep who carries no quota.

    An account a owned by r and cared for by h hours a year adds ``unit[a, r] * curve_a(h)`` to the sales of r, less
    the lead sales that its hours displace: ``displaced[a, r]`` at the planned care, and ``hour_price[r]`` per hour of
    care beyond it.

    Attributes:
        today: owner at the start of the horizon, before any plan, [A].
        base: owner in the plan that was simulated, [A].
        allowed: who may own it, [A, R].
        order_hours: hours that its orders ask of each owner, [A, R].
        care_load: hours of the calendar that one hour of care a year asks of each rep over the horizon, [R].
        kept: share of orders that a change of owner leaves, 1 for today's owner, [A, R].
        potential: what it adds to the potential of its owner, [A].
        history: what it adds to the last sales of its owner: history follows the account, [A].
        care_base: hours of care a year in the plan that was simulated, [A].
        care_budget: hours of care a year to hand out; None where care is not a decision.
        house: accounts that may also be left to the house, an owner who carries no quota, [A]; None where none may.
        limits: at most and at least how many accounts, by rep or team.
        barred: pairs that rules on who may take an account over leave out of ``allowed``, by rule.

    Figures by account and rep are tables or, in large companies, lists of pairs; see :mod:`optimize.pairs`.
    """

    ids: tuple[str, ...]
    today: Ints
    base: Ints
    allowed: Candidates
    unit: Table
    displaced: Table
    order_hours: Table
    care_load: Floats
    hour_price: Floats
    kept: Table
    potential: Floats
    history: Floats
    care_base: Floats
    curves: tuple[CareCurve, ...]
    care_budget: float | None
    max_moves: int
    max_per_rep: int | None
    house: Bools | None = None
    limits: tuple[AccountLimit, ...] = ()
    barred: Mapping[str, Pairs] = field(default_factory=dict)

    @cached_property
    def base_sales(self) -> Floats:
        """Sales in a year at the simulated plan's care and the reference owner, minor units, [A]."""
        return self.sales(self.care_base)

    def sales(self, care: Floats) -> Floats:
        """Sales in a year at these care hours and the reference owner, minor units, [A]."""
        return np.array([c.sales(hours) for c, hours in zip(self.curves, care.tolist(), strict=True)], dtype=np.float64)

    def values(self, account: Ints, rep: Ints, care: Floats, sales: Floats, rates: Rates | None = None) -> Floats:
        """As :meth:`value`, for pairs; care and sales by account, [A].

        Args:
            rates: of another metric, which is then what is added to.
        """
        extra = self.hour_price[rep] * self.care_load[rep] * (care - self.care_base)[account]
        worth, cost = self.unit[account, rep] * sales[account], self.displaced[account, rep]
        if rates is not None:
            return np.asarray(rates.account * worth - rates.lead[rep] * (cost + extra))
        return np.asarray(worth - cost - extra)

    def value(self, account: int, rep: int, care: float) -> float:
        """What the account adds to the sales of this owner at this care, minor units over the horizon."""
        if rep < 0:
            return 0.0
        extra = self.hour_price[rep] * self.care_load[rep] * (care - self.care_base[account])
        worth = self.unit[account, rep] * self.curves[account].sales(care)
        return float(worth - self.displaced[account, rep] - extra)

    def hours(self, account: int, rep: int, care: float) -> float:
        """Hours of the calendar that the account asks of this owner over the horizon."""
        if rep < 0:
            return 0.0
        return float(self.order_hours[account, rep] + self.care_load[rep] * care)


@dataclass(frozen=True)
class Locks:
    """Figures fixed by people, by position; ``author`` names who fixed each path.

    Attributes:
        quota: revenue quotas over the horizon; ``least``: what they are at least, where periods of them are locked;
            ``beyond``: of the latter those whose locked periods are more than rules on their quota allow.
        quotas: locked quotas of every metric and level, over the horizon and in periods, revenue among them.
    """

    quota: dict[int, float] = field(default_factory=dict)
    owner: dict[int, int] = field(default_factory=dict)
    training: dict[tuple[int, int], float] = field(default_factory=dict)
    care: dict[int, float] = field(default_factory=dict)
    author: dict[str, str] = field(default_factory=dict)
    least: dict[int, float] = field(default_factory=dict)
    beyond: frozenset[int] = frozenset()
    quotas: dict[tuple[Level, str], LockedQuotas] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.quota or self.owner or self.training or self.care or any(self.quotas.values()))

    def of(self, metric: str, level: Level = "target") -> LockedQuotas:
        """Locked quotas of one metric at one level."""
        return self.quotas.get((level, metric), LockedQuotas(metric))

    @property
    def first(self) -> frozenset[int]:
        """Reps whose revenue quota is locked against what rules on it may say: these give way."""
        return frozenset(self.quota) | self.beyond

    @property
    def bound(self) -> frozenset[int]:
        """Reps whose revenue quota a lock fixes or keeps from below: rules that tie people together give way."""
        return frozenset(self.quota) | frozenset(self.least)


@dataclass(frozen=True)
class Decisions:
    """Who owns which account, [A]; training hours, [R, K]; care hours a year, [A]."""

    owner: Ints
    training: Floats
    care: Floats


@dataclass(frozen=True)
class TrustRegion:
    """How far decisions may be from those that were simulated, all reps and accounts together.

    Attributes:
        hours: training hours that change, by rep and skill, summed.
        moves: accounts whose owner changes.
        care: care hours a year that change, by account, summed.
    """

    hours: float
    moves: int
    care: float = float("inf")


@dataclass(frozen=True)
class AllocationProblem:
    """One allocation request.

    Attributes:
        samples: simulated sales of each rep under the base plan, [N, R].
        basis: the samples that quotas follow: the same, or shifted towards the territory, [N, R].
        total: what the quotas sum to.
        team_totals: what the quotas of a team sum to, where that is asked.
        teams_overruled: totals of teams whose locked quotas leave them no room.
        potential: of each rep, ramped, without the accounts, [R].
        opportunity: expected sales of a reference rep at full pace in the same territory, today's accounts in it, [R].
        ramp: share of full pace over the rep's time in the horizon, [R].
        last_sales: with today's accounts; NaN where there is no full last period, [R].
        hours: working hours over the horizon before training, [R].
        load: hours that leads ask for, [R].
        sharpness: of the clearing function that turns hours asked for into workload.
        rules: enabled fairness rules that hold while solving.
        set_aside: enabled rules that the mode of equal odds does without.
        metrics: targets beside the company's revenue over the horizon.
        trust: how far from the simulated plan the decisions may be; None where that does not matter.
        two_stage: owners, training and care for sales first, then quotas.
        alpha: of alpha fairness; 0 is the sum of expected capped sales.
        maximin: whether quotas are lexicographically best for the worst-off.
        firm: whether rules hold for sure, so that they may bound columns; False where rules are dropped in turn.
        groups: group of each rep, by what the groups are made (team, region, tenure, level).
    """

    reps: tuple[str, ...]
    teams: tuple[str, ...]
    samples: Floats
    basis: Floats
    total: float
    team_totals: dict[str, float]
    potential: Floats
    opportunity: Floats
    ramp: Floats
    last_sales: Floats
    hours: Floats
    load: Floats
    training: TrainingOffer
    accounts: AccountOffer
    rules: tuple[FairnessRule, ...]
    rounding_step: int
    two_stage: bool = False
    alpha: float = 0.0
    maximin: bool = False
    firm: bool = True
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    teams_overruled: dict[str, float] = field(default_factory=dict)
    locks: Locks = Locks()
    sharpness: float = 6.0
    trust: TrustRegion | None = None
    set_aside: tuple[FairnessRule, ...] = ()
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def ramping(self) -> Bools:
        """Reps who do not work at full pace from the first day."""
        return np.asarray(self.ramp < 1.0)

    def members(self, team: str) -> Ints:
        """Positions of a team's reps."""
        return self._members.get(team, np.zeros(0, dtype=np.int64))

    @cached_property
    def _members(self) -> dict[str, Ints]:
        found: dict[str, list[int]] = {}
        for r, name in enumerate(self.teams):
            found.setdefault(name, []).append(r)
        return {name: np.array(members, dtype=np.int64) for name, members in found.items()}

    def concerned(self, rule: FairnessRule) -> Bools:
        """Reps whom a rule does not exempt."""
        exempt = frozenset(rule.exempt)
        return np.array([rep not in exempt for rep in self.reps])

    def members_by(self, by: str, keep: Bools) -> dict[str, Ints]:
        """Positions of the reps in ``keep`` by group (team, region, tenure, level), groups in order of their names."""
        labels = np.array(self.groups[by], dtype=object)
        names = sorted(set(labels[keep].tolist()))
        return {name: np.flatnonzero((labels == name) & keep) for name in names}

    def with_rules(self, rules: tuple[FairnessRule, ...]) -> AllocationProblem:
        """The same request under other rules."""
        return replace(self, rules=rules)

    def base_decisions(self) -> Decisions:
        """The decisions that were simulated."""
        return Decisions(self.accounts.base.copy(), self.training.base.copy(), self.accounts.care_base.copy())

    def today_decisions(self) -> Decisions:
        """Today's owners, no training, care as simulated; locked cells as locked."""
        owner, care = self.accounts.today.copy(), self.accounts.care_base.copy()
        training = np.zeros_like(self.training.base)
        for account, rep in self.locks.owner.items():
            owner[account] = rep
        for cell, hours in self.locks.training.items():
            training[cell] = hours
        for account, hours in self.locks.care.items():
            care[account] = hours
        return Decisions(owner, training, care)


def raised(limit: float, locked: Mapping[int, float] | Mapping[tuple[int, int], float], each: float = 1.0) -> float:
    """A limit, or what locked hours take of it where that is more: they come before it and break it no further."""
    return max(limit, each * sum(locked.values()))


def with_owners(problem: AllocationProblem, decisions: Decisions) -> AllocationProblem:
    """The request with owners fixed at decisions."""
    offer = problem.accounts
    known = np.flatnonzero(decisions.owner >= 0)
    allowed = Pairs.of(known, decisions.owner[known], (len(offer.ids), len(problem.reps)))
    fixed = replace(offer, allowed=allowed, house=None, barred={})
    return replace(problem, accounts=fixed)


def held(problem: AllocationProblem, decisions: Decisions, *, care: bool) -> AllocationProblem:
    """The request with owners and training fixed at decisions, and care as well where asked."""
    training = {(r, k): float(h) for (r, k), h in np.ndenumerate(decisions.training)}
    fixed = with_owners(problem, decisions)
    locks = replace(fixed.locks, training=training)
    if care and fixed.accounts.care_budget is not None:
        locks = replace(locks, care=locks.care | {a: float(h) for a, h in enumerate(decisions.care)})
    return replace(fixed, locks=locks)


def gains(problem: AllocationProblem, decisions: Decisions, rates: Rates | None = None) -> Floats:
    """Expected sales of each rep above the simulated plan, minor units, [R]; additive, by the mean (rule R15).

    Args:
        rates: of another metric, whose gain is then given in its own unit.
    """
    offer = problem.accounts
    out = problem.training.gain_at(decisions.training)
    if rates is not None:
        out = out * rates.lead
    same = np.array_equal(decisions.care, offer.care_base)
    sales = offer.base_sales if same else offer.sales(decisions.care)
    for owner, care, sold, sign in (
        (decisions.owner, decisions.care, sales, 1.0),
        (offer.base, offer.care_base, offer.base_sales, -1.0),
    ):
        a = np.flatnonzero(owner >= 0)
        np.add.at(out, owner[a], sign * offer.values(a, owner[a], care, sold, rates))
    return out


def potentials(problem: AllocationProblem, owner: Ints) -> Floats:
    """Potential of each rep after accounts have moved, minor units, [R]."""
    out = problem.potential.copy()
    np.add.at(out, owner[owner >= 0], problem.accounts.potential[owner >= 0])
    return out


def company_ratio(problem: AllocationProblem) -> float:
    """The company's quota over its potential; account moves leave it as it is."""
    return problem.total / float(problem.potential.sum() + problem.accounts.potential.sum())


def histories(problem: AllocationProblem, owner: Ints) -> Floats:
    """Last sales of each rep's territory as it will be: history follows the accounts that move, [R]; NaN stays NaN."""
    out, offer = problem.last_sales.copy(), problem.accounts
    moves = moved(problem, owner)
    for side, sign in ((offer.today, -1.0), (owner, 1.0)):
        a = moves[side[moves] >= 0]
        np.add.at(out, side[a], sign * offer.history[a])
    return np.asarray(np.maximum(out, 0.0))


def moved(problem: AllocationProblem, owner: Ints) -> Ints:
    """Accounts whose owner differs from today's."""
    return np.flatnonzero(owner != problem.accounts.today)
