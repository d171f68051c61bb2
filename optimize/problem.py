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

from optimize.account_offer import AccountOffer
from optimize.lead_offer import NO_LEADS, LeadOffer
from optimize.locked_quotas import LockedQuotas
from optimize.locked_range import LockedRange
from optimize.metrics import Metrics, Rates
from optimize.pairs import Pairs
from optimize.training_offer import TrainingOffer
from scenarios.goals import LEVELS, FairnessRule, Level, TrainingFloor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Locks:
    """Figures fixed by people, by position; ``author`` names who fixed each path.

    Attributes:
        quota: revenue quotas over the horizon; ``least``, ``most``: what others are at least and at most by locked
            periods, floors and stretches; ``beyond``: of these whom rules on the quota leave less or ask for more.
        quotas: locked quotas of every metric and level, over the horizon and in periods, revenue among them.
        ranges: between what these hold the quotas of each metric over the horizon.
        shares: locked shares of new leads, by source and rep.
        against: rules on who may take accounts over that locked owners go against, with the accounts; where somebody
            else's plan is judged, those that its owners do.
    """

    quota: dict[int, float] = field(default_factory=dict)
    owner: dict[int, int] = field(default_factory=dict)
    training: dict[tuple[int, int], float] = field(default_factory=dict)
    care: dict[int, float] = field(default_factory=dict)
    author: dict[str, str] = field(default_factory=dict)
    least: dict[int, float] = field(default_factory=dict)
    most: dict[int, float] = field(default_factory=dict)
    beyond: frozenset[int] = frozenset()
    quotas: dict[tuple[Level, str], LockedQuotas] = field(default_factory=dict)
    ranges: dict[str, LockedRange] = field(default_factory=dict)
    shares: dict[tuple[int, int], float] = field(default_factory=dict)
    against: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        decisions = self.owner or self.training or self.care or self.shares
        return bool(self.quota or decisions or any(self.quotas.values()))

    def of(self, metric: str, level: Level = "target") -> LockedQuotas:
        """Locked quotas of one metric at one level."""
        return self.quotas.get((level, metric), LockedQuotas(metric))

    def settled(self, metric: str, carried: Bools) -> dict[Level, LockedQuotas]:
        """Locked quotas of all levels, where whoever has all periods locked is locked over the horizon.

        Args:
            carried: periods in which each rep carries a quota, [R, P].
        """
        return {level: self.of(metric, level).settled(carried)[0] for level in LEVELS}

    def between(self, metric: str, count: int) -> LockedRange:
        """What locks of all levels leave of a metric's quotas over the horizon, of so many reps."""
        return self.ranges.get(metric) or LockedRange(np.zeros(count), np.full(count, np.inf), LockedQuotas(metric))

    def within(self, ranges: Mapping[str, LockedRange]) -> Locks:
        """The same locks where quotas lie in narrower ranges."""
        found = {**self.ranges, **ranges}
        revenue = found.get("revenue")
        if revenue is None:
            return replace(self, ranges=found)
        return replace(self, ranges=found, quota=revenue.quota, least=revenue.least, most=revenue.most)

    @property
    def first(self) -> frozenset[int]:
        """Reps whose revenue quota is locked against what rules on it may say: these give way."""
        return frozenset(self.quota) | self.beyond

    @property
    def bound(self) -> frozenset[int]:
        """Reps whose revenue quota a lock fixes or bounds: rules that tie people together give way."""
        return frozenset(self.quota) | frozenset(self.least) | frozenset(self.most)


@dataclass(frozen=True)
class Decisions:
    """Who owns which account, [A]; training hours, [R, K]; care hours a year, [A].

    Attributes:
        shares: of new leads, [S, R]; None where they are as simulated.
    """

    owner: Ints
    training: Floats
    care: Floats
    shares: Floats | None = None


@dataclass(frozen=True)
class TrustRegion:
    """How far decisions may be from those that were simulated, all reps and accounts together.

    Attributes:
        hours: training hours that change, by rep and skill, summed.
        moves: accounts whose owner changes.
        care: care hours a year that change, by account, summed.
        leads: shares of new leads that change, by source and rep, summed.
    """

    hours: float
    moves: int
    care: float = float("inf")
    leads: float = float("inf")

    @property
    def points(self) -> float:
        """Percentage points of leads that may go to somebody else: each is lost once and won once."""
        return 50.0 * self.leads


@dataclass(frozen=True)
class AllocationProblem:
    """One allocation request.

    Attributes:
        samples: simulated sales of each rep under the base plan, [N, R].
        basis: the samples that quotas follow: the same, or shifted towards the territory, [N, R].
        total: what the quotas sum to.
        over_assignment: the share by which that, and what teams sum to, is more than the targets.
        team_totals: what the quotas of a team sum to, where that is asked.
        teams_overruled: totals of teams whose locked quotas leave them no room.
        potential: of each rep, ramped, without the accounts, [R].
        opportunity: expected sales of a reference rep at full pace in the same territory, today's accounts in it, [R].
        ramp: share of full pace over the rep's time in the horizon, [R].
        last_sales: with today's accounts; NaN without a full last period or a full horizon, [R].
        hours: working hours over the horizon before training, [R].
        load: hours that leads ask for, and accounts that their owners hand on as they leave, [R].
        sharpness: of the clearing function that turns hours asked for into workload.
        leads: new leads to hand out; none where their shares are no decision.
        rules: enabled fairness rules that hold while solving.
        set_aside: enabled rules that the mode of equal odds does without.
        metrics: targets beside the company's revenue over the horizon.
        trust: how far from the simulated plan the decisions may be; None where that does not matter.
        two_stage: owners, training and care for sales first, then quotas.
        alpha: of alpha fairness; 0 is the sum of expected capped sales.
        maximin: whether quotas are lexicographically best for the worst-off.
        even_load: whether care is no more than floors need, and workloads lexicographically least.
        firm: whether rules hold for sure, so that they may bound columns; False where rules are dropped in turn.
        groups: group of each rep, by what the groups are made (team, region, tenure, level).
        solver: of its programmes, by a name that :func:`optimize.programme.solvers.known_solver` takes.
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
    even_load: bool = False
    firm: bool = True
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    teams_overruled: dict[str, float] = field(default_factory=dict)
    locks: Locks = Locks()
    leads: LeadOffer = NO_LEADS
    sharpness: float = 6.0
    over_assignment: float = 0.0
    trust: TrustRegion | None = None
    set_aside: tuple[FairnessRule, ...] = ()
    metrics: Metrics = field(default_factory=Metrics)
    solver: str = "highs"

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
        """Reps whom a rule does not exempt; of a floor on training hours, those who have so much working time."""
        exempt = frozenset(rule.exempt)
        keep = np.array([rep not in exempt for rep in self.reps])
        if isinstance(rule, TrainingFloor):
            keep &= self.training.most_time(whole=True) >= rule.hours - 1e-9
        return keep

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
        """Today's owners and shares of leads, no training, care as simulated; locked cells as locked."""
        owner, care = self.accounts.today.copy(), self.accounts.care_base.copy()
        training = np.zeros_like(self.training.base)
        for account, rep in self.locks.owner.items():
            owner[account] = rep
        for cell, hours in self.locks.training.items():
            training[cell] = hours
        for account, hours in self.locks.care.items():
            care[account] = hours
        return Decisions(owner, training, care, self.leads.under_locks(self.locks.shares))


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
    """The request with owners, training and shares of leads fixed at decisions, and care as well where asked."""
    training = {(r, k): float(h) for (r, k), h in np.ndenumerate(decisions.training)}
    fixed = with_owners(problem, decisions)
    locks = replace(fixed.locks, training=training, shares=problem.leads.cells(decisions.shares))
    if care and fixed.accounts.care_budget is not None:
        locks = replace(locks, care=locks.care | {a: float(h) for a, h in enumerate(decisions.care)})
    return replace(fixed, locks=locks)


def gains(problem: AllocationProblem, decisions: Decisions, rates: Rates | None = None) -> Floats:
    """Expected sales of each rep above the simulated plan, minor units, [R]; additive, by the mean (rule R15).

    Args:
        rates: of another metric, whose gain is then given in its own unit.
    """
    offer = problem.accounts
    out = problem.training.gain_at(decisions.training) + problem.leads.gain_at(decisions.shares)
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
        out += sign * offer.sales_handed_on(a, owner[a], rates)
    return out


def potentials(problem: AllocationProblem, owner: Ints, shares: Floats | None = None) -> Floats:
    """Potential of each rep after accounts have moved and leads were handed out, minor units, [R].

    Args:
        shares: of new leads, [S, R]; None where they are as simulated.
    """
    out = problem.potential + problem.leads.potential_at(shares)
    a = np.flatnonzero(owner >= 0)
    np.add.at(out, owner[a], problem.accounts.potential[a])
    return np.asarray(out + problem.accounts.potentials_handed_on(a, owner[a]))


def company_ratio(problem: AllocationProblem) -> float:
    """The company's quota over its potential; account moves leave it as it is.

    Accounts that go to somebody without a quota when their owner leaves count for the time before.
    """
    offer = problem.accounts
    lost = offer.potentials_handed_on(np.arange(len(offer.ids)), offer.today)
    return problem.total / float(problem.potential.sum() + offer.potential.sum() + lost.sum())


def histories(problem: AllocationProblem, owner: Ints) -> Floats:
    """Last sales of each rep's territory as it will be, [R]; NaN stays NaN.

    History follows the accounts that move, and with those of a leaver the part of it that comes after.
    """
    out, offer = problem.last_sales.copy(), problem.accounts
    moves = moved(problem, owner)
    for side, sign in ((offer.today, -1.0), (owner, 1.0)):
        a = moves[side[moves] >= 0]
        np.add.at(out, side[a], sign * offer.history[a])
    known = np.flatnonzero(owner >= 0)
    return np.asarray(np.maximum(out + offer.histories_handed_on(known, owner[known]), 0.0))


def moved(problem: AllocationProblem, owner: Ints) -> Ints:
    """Accounts whose owner differs from today's."""
    return np.flatnonzero(owner != problem.accounts.today)
