"""What a plan comes to in planners' terms: sales, attainment, hit rate, chances, workload, fairness.

Everything is counted from simulated years; nothing here comes from the allocator's model. The words:

=====================  ==================================================================================
average attainment     mean over the reps with a quota above zero of sales / quota, uncapped
capped attainment      sum of min(sales, quota) / sum of quotas, over the reps with a quota above zero
hit rate               share of the reps with a quota whose sales reach it, averaged over simulated years
chance to make quota   share of the simulated years in which one rep's sales reach the quota
year range             P10 to P90 of a simulated year; it does not shrink with replications
=====================  ==================================================================================

A rep without a quota row is left out of all of them: no quota is not a quota of zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.base import Minor
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import company_target, has_company_target, last_sales_under
from sim.outcome import Counts, Outcome
from sim.statistics import Interval, mean_interval, quantile_interval, wilson

Floats = NDArray[np.float64]
LOW_QUANTILE, HIGH_QUANTILE = 0.1, 0.9


@dataclass(frozen=True)
class Years:
    """One figure a simulated year, each of shape ``[replications]``; ``None`` where it is undefined.

    Attributes:
        sales: signed value of the company, minor units.
        attainment: average attainment.
        capped: capped attainment.
        hit_rate: share of the reps with a quota who make it.
        made_target: 1 where the company made its target, else 0.
    """

    sales: Floats
    attainment: Floats | None
    capped: Floats | None
    hit_rate: Floats | None
    made_target: Floats | None


@dataclass(frozen=True)
class RepMeasures:
    """One rep under one plan; money in minor units, ``None`` where a figure is undefined or unknown.

    Attributes:
        expected_sales: mean over the simulated years.
        low: P10 of a year's sales.
        high: P90 of a year's sales.
        attainment: mean of sales / quota.
        capped: E[min(sales, quota)] / quota.
        chance: to make quota, with its Wilson interval.
        workload: working hours used over working hours available.
        last_sales: of the territory as the plan cuts it: an account's history follows it.
        growth: quota / last sales - 1.
        gained: accounts that the plan brings, against today's owners.
        lost: accounts that the plan takes away.
    """

    rep: str
    name: str
    team: str
    quota: int | None
    expected_sales: float
    low: float
    high: float
    attainment: float | None
    capped: float | None
    chance: Interval | None
    workload: float | None
    last_sales: int | None
    growth: float | None
    potential: int | None
    accounts: int
    gained: int
    lost: int
    training_hours: float

    @property
    def quota_over_potential(self) -> float | None:
        """Quota / potential; ``None`` without a quota or a positive potential."""
        return self.quota / self.potential if self.quota is not None and self.potential else None


@dataclass(frozen=True)
class PlanMeasures:
    """One plan in one world over all simulated years.

    Attributes:
        name: how pages call the case.
        scenario: fingerprint of the world.
        origin: where the plan came from.
        quota_sum: minor units; ``None`` if nobody has a quota.
        target: the company's revenue target, minor units; ``None`` if none is set.
        years: one figure a simulated year.
        reps: in the order of the scenario.
        moves: accounts whose owner differs from today's.
        sales_at_risk: minor units a year, see :func:`sales_at_risk`; ``None`` if it cannot be known.
        workload: hours used over hours available, all reps together.
        widest_gap: largest distance of a rep's quota / potential from the company's, as a share of the latter.
        widest_gap_rep: whose it is.
    """

    name: str
    scenario: str
    origin: str
    currency: str
    quota_sum: int | None
    target: int | None
    years: Years = field(repr=False)
    reps: tuple[RepMeasures, ...] = field(repr=False)
    moves: int
    sales_at_risk: float | None
    workload: float | None
    widest_gap: float | None
    widest_gap_rep: str | None

    @property
    def replications(self) -> int:
        """How many simulated years."""
        return len(self.years.sales)

    @property
    def expected_sales(self) -> Interval:
        """Mean sales of a year, minor units, with the interval of the mean."""
        return mean_interval(self.years.sales)

    @property
    def year_range(self) -> tuple[Interval, Interval]:
        """P10 and P90 of a year's sales, minor units."""
        low, high = (quantile_interval(self.years.sales, p) for p in (LOW_QUANTILE, HIGH_QUANTILE))
        return low, high

    @property
    def attainment(self) -> Interval | None:
        """Average attainment."""
        return None if self.years.attainment is None else mean_interval(self.years.attainment)

    @property
    def capped_attainment(self) -> Interval | None:
        """Capped attainment, the allocator's objective as simulated."""
        return None if self.years.capped is None else mean_interval(self.years.capped)

    @property
    def hit_rate(self) -> Interval | None:
        """Average share of the reps with a quota who make it."""
        return None if self.years.hit_rate is None else mean_interval(self.years.hit_rate)

    @property
    def chance_of_target(self) -> Interval | None:
        """Chance that the company makes its target, with its Wilson interval."""
        made = self.years.made_target
        return None if made is None else wilson(int(made.sum()), len(made))


def plan_measures(
    scenario: Scenario,
    plan: Plan,
    outcome: Outcome,
    *,
    name: str | None = None,
    potentials: Mapping[str, int] | None = None,
    before: Outcome | None = None,
) -> PlanMeasures:
    """Everything a page says about one plan.

    Args:
        plan: the plan that ``outcome`` simulated, perhaps with other quotas.
        potentials: rep -> minor units; empty means what the reps' own ``potential`` says.
        before: the same world simulated with today's owners, for the sales at risk from moves.
    """
    sales = outcome["rep"].total("revenue")
    reps = outcome["rep"].keys
    quotas = plan.quotas("revenue")
    target = _target(scenario)
    known = {rep.id: rep.potential for rep in scenario.reps if rep.potential is not None}
    territory = {rep: int(value) for rep, value in (known if potentials is None else potentials).items()}
    moved = moved_accounts(scenario, plan)
    gap, gap_rep = widest_gap(quotas, territory)
    busy, available = outcome["rep"].total("busy_ticks"), outcome["rep"].total("available_ticks")
    return PlanMeasures(
        name=name or plan.name,
        scenario=scenario.fingerprint(),
        origin=plan.origin,
        currency=scenario.currency,
        quota_sum=sum(quotas.values()) if quotas else None,
        target=target,
        years=_years(sales, reps, quotas, target),
        reps=_rep_measures(scenario, plan, outcome, territory),
        moves=len(moved),
        sales_at_risk=sales_at_risk(scenario, plan, before),
        workload=_ratio(busy.sum(), available.sum()),
        widest_gap=gap,
        widest_gap_rep=gap_rep,
    )


def moved_accounts(scenario: Scenario, plan: Plan) -> dict[str, tuple[str, str]]:
    """Accounts whose owner under the plan differs from today's: account -> (from, to)."""
    planned = plan.owner_of()
    today = {account.id: account.owner for account in scenario.accounts if account.owner is not None}
    return {
        account: (owner, planned[account])
        for account, owner in today.items()
        if account in planned and planned[account] != owner
    }


def sales_at_risk(scenario: Scenario, plan: Plan, before: Outcome | None) -> float | None:
    """What handovers put at risk in the first year: handover loss x sales of the moved accounts with today's owners.

    Args:
        before: the world simulated with today's owners.

    Returns:
        Minor units a year; 0 without moves, ``None`` where there are moves but nothing simulated to measure them by.
    """
    moved = moved_accounts(scenario, plan)
    if not moved:
        return 0.0
    if before is None or scenario.account_physics is None or "account" not in before.cubes:
        return None
    accounts = before["account"]
    columns = [position for position, account in enumerate(accounts.keys) if account in moved]
    expected = accounts.total("revenue")[:, columns].sum(axis=1).mean()
    return float(scenario.account_physics.handover_loss * expected)


def widest_gap(quotas: Mapping[str, int], potentials: Mapping[str, int]) -> tuple[float | None, str | None]:
    """Largest distance of quota / potential from the company's, as a share of the company's, and whose it is.

    Over the reps who have a quota and a positive potential; ``(None, None)`` where fewer than two do. Ties go to the
    first id.
    """
    both = sorted(rep for rep in quotas if potentials.get(rep, 0) > 0)
    total = sum(quotas[rep] for rep in both)
    if len(both) < 2 or total <= 0:
        return None, None
    company = total / sum(potentials[rep] for rep in both)
    gaps = {rep: abs(quotas[rep] / potentials[rep] / company - 1) for rep in both}
    widest = max(both, key=lambda rep: gaps[rep])
    return gaps[widest], widest


def attainment_by_rep(plan: Plan, outcome: Outcome) -> dict[str, Floats]:
    """Sales / quota of each simulated year, shape ``[replications]``, for the reps with a quota above zero."""
    sales, reps = outcome["rep"].total("revenue"), outcome["rep"].keys
    quotas = plan.quotas("revenue")
    return {rep: sales[:, column] / quotas[rep] for column, rep in enumerate(reps) if quotas.get(rep, 0) > 0}


def hits(sales: Counts, quotas: Mapping[str, int], reps: tuple[str, ...]) -> Floats:
    """Share of the reps with a quota who make it, shape ``[replications]``; sales of shape ``[replications, rep]``."""
    columns = [column for column, rep in enumerate(reps) if rep in quotas]
    wanted = np.array([quotas[reps[column]] for column in columns], dtype=np.int64)
    share: Floats = (sales[:, columns] >= wanted).mean(axis=1)
    return share


def _years(sales: Counts, reps: tuple[str, ...], quotas: Mapping[str, int], target: int | None) -> Years:
    company = sales.sum(axis=1)
    positive = [column for column, rep in enumerate(reps) if quotas.get(rep, 0) > 0]
    wanted = np.array([quotas[reps[column]] for column in positive], dtype=np.int64)
    own = sales[:, positive]
    return Years(
        sales=company.astype(np.float64),
        attainment=(own / wanted).mean(axis=1) if positive else None,
        capped=np.minimum(own, wanted).sum(axis=1) / wanted.sum() if positive else None,
        hit_rate=hits(sales, quotas, reps) if any(rep in quotas for rep in reps) else None,
        made_target=None if target is None else (company >= target).astype(np.float64),
    )


def _rep_measures(
    scenario: Scenario, plan: Plan, outcome: Outcome, potentials: Mapping[str, int]
) -> tuple[RepMeasures, ...]:
    cube = outcome["rep"]
    sales, busy, available = (cube.total(metric) for metric in ("revenue", "busy_ticks", "available_ticks"))
    low, high = np.quantile(sales, (LOW_QUANTILE, HIGH_QUANTILE), axis=0)
    quotas, owners = plan.quotas("revenue"), plan.owner_of()
    moved = list(moved_accounts(scenario, plan).values())
    training: dict[str, float] = {}
    for (rep_id, _), amount in plan.training_hours().items():
        training[rep_id] = training.get(rep_id, 0.0) + amount
    person, last = {rep.id: rep for rep in scenario.reps}, last_sales_under(scenario, plan)
    rows = []
    for column, rep in enumerate(cube.keys):
        own, who = sales[:, column], person[rep]
        rows.append(
            RepMeasures(
                rep=rep,
                name=who.name or rep,
                team=who.team,
                expected_sales=float(own.mean()),
                low=float(low[column]),
                high=float(high[column]),
                workload=_ratio(busy[:, column].sum(), available[:, column].sum()),
                last_sales=last[rep],
                potential=potentials.get(rep),
                accounts=sum(owner == rep for owner in owners.values()),
                gained=sum(to == rep for _, to in moved),
                lost=sum(origin == rep for origin, _ in moved),
                training_hours=training.get(rep, 0.0),
                **_against_quota(own, quotas.get(rep), last[rep]),
            )
        )
    return tuple(rows)


def _against_quota(own: Counts, quota: int | None, last_sales: int | None) -> dict[str, Any]:
    if quota is None:
        return {"quota": None, "attainment": None, "capped": None, "chance": None, "growth": None}
    return {
        "quota": quota,
        "attainment": float((own / quota).mean()) if quota > 0 else None,
        "capped": float(np.minimum(own, quota).mean() / quota) if quota > 0 else None,
        "chance": wilson(int((own >= quota).sum()), len(own)),
        "growth": quota / last_sales - 1 if last_sales else None,
    }


def _target(scenario: Scenario) -> Minor | None:
    return company_target(scenario) if has_company_target(scenario) else None


def _ratio(above: Any, below: Any) -> float | None:
    return float(above) / float(below) if below > 0 else None
