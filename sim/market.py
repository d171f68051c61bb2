"""Sources, products and accounts as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from scenarios.distributions import Distribution
from scenarios.errors import InputRefused, Problem
from scenarios.lunar import quiet_weeks, season_month
from scenarios.market import Account, Attachment, Tier
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import care_planned
from sim.rules import NO_DISTRIBUTION
from sim.streams import identities, identity
from sim.timetable import Periods, Timetable

Floats = NDArray[np.float64]
Ticks = NDArray[np.int64]


class Samplers:
    """Collects distributions and gives each an index."""

    def __init__(self) -> None:
        self.distributions: list[Distribution] = []
        self._known: dict[Distribution, int] = {}

    def index(self, distribution: Distribution | None) -> int:
        """Position of the distribution; ``NO_DISTRIBUTION`` for none."""
        if distribution is None:
            return NO_DISTRIBUTION
        if distribution not in self._known:
            self._known[distribution] = len(self.distributions)
            self.distributions.append(distribution)
        return self._known[distribution]


@dataclass(frozen=True)
class Sources:
    """Lead sources; A sources, D days.

    Attributes:
        rates: expected leads by source and day, [A, D].
        opens, closes: ticks of the day between which leads arrive, [A, D].
        regions, segments, products: weights by position, [A, ...]; one column where the scenario has none.
        first_stage: position, [A].
    """

    ids: tuple[str, ...]
    identity: NDArray[np.uint64]
    rates: Floats
    opens: Ticks
    closes: Ticks
    dispersion: Floats
    regions: Floats
    segments: Floats
    products: Floats
    quality: Floats
    value_factor: Floats
    first_stage: Ticks
    policy: tuple[str, ...]
    cost: Ticks


@dataclass(frozen=True)
class Accounts:
    """Existing accounts; A accounts, M months.

    Attributes:
        segment: -1 where not given, [A].
        rate: orders a year at the reference owner with the care owed, [A].
        value: index of the order's value distribution, [A]; ``mean_value`` its mean in currency units.
        owner: rep at the start, -1 if nobody, [A].
        handover: tick since which the present owner is new, -1 where the owner has not changed, [A].
        changes: later changes of owner as (tick, account, rep), sorted.
        care, owed: care hours a year planned and owed, [A].
        response: form and five parameters of an explicit care response; form 0 is the elasticity, [A, 6].
        churn: yearly probability to leave, [A].
        tier_rank: [A].
        visits: care visits in 365 days, [A].
        cross_sell: what orders also bring, as (product, chance), one tuple an account.
        products: weights of the products that orders are of, [products]; None where not known; one an account.
    """

    ids: tuple[str, ...]
    identity: NDArray[np.uint64]
    region: Ticks
    segment: Ticks
    rate: Floats
    value: Ticks
    mean_value: Floats
    owner: Ticks
    handover: Ticks
    changes: tuple[tuple[int, int, int], ...]
    care: Floats
    owed: Floats
    response: Floats
    churn: Floats
    tier_rank: Ticks
    visits: Ticks
    cross_sell: tuple[tuple[tuple[int, float], ...], ...]
    products: tuple[Floats | None, ...]


def build_sources(scenario: Scenario, timetable: Timetable) -> Sources:
    """Compile the lead sources."""
    regions = [region.id for region in scenario.regions]
    segments = [segment.id for segment in scenario.segments]
    products = [product.id for product in scenario.products]
    stages = {stage.id: position for position, stage in enumerate(scenario.stages)}
    days = timetable.days()
    rates = np.zeros((len(scenario.sources), len(days)))
    opens, closes = np.zeros(rates.shape, dtype=np.int64), np.zeros(rates.shape, dtype=np.int64)
    for position, source in enumerate(scenario.sources):
        season = np.array(source.season) / np.mean(source.season)
        month_of = season_month if source.season_follows == "lunar_new_year" else _calendar_month
        week = np.array(source.weekday_factors) / np.mean(source.weekday_factors)
        for number, day in enumerate(days):
            live = (source.first_day is None or day >= source.first_day) and (
                source.last_day is None or day <= source.last_day
            )
            if live:
                factor = season[month_of(day)] * week[day.weekday()]
                rates[position, number] = source.leads_per_year / 365.0 * factor
        first_minute, last_minute = (round(hour * 60) for hour in source.arrival_hours)
        opens[position] = [timetable.at(day, first_minute) for day in days]
        # Minutes that summer time skips leave no time to arrive in, but never a negative one.
        closes[position] = np.maximum([timetable.at(day, last_minute) for day in days], opens[position] + 1)
    routing = scenario.routing
    return Sources(
        ids=tuple(source.id for source in scenario.sources),
        identity=identities([source.id for source in scenario.sources], "sources"),
        rates=rates,
        opens=opens,
        closes=closes,
        dispersion=np.array([source.dispersion for source in scenario.sources]),
        regions=_weights([source.regions for source in scenario.sources], regions),
        segments=_weights([source.segments for source in scenario.sources], segments),
        products=_weights([source.products for source in scenario.sources], products),
        quality=np.array([source.quality_logit for source in scenario.sources]),
        value_factor=np.array([source.value_factor for source in scenario.sources]),
        first_stage=np.array(
            [stages[source.first_stage] if source.first_stage else 0 for source in scenario.sources], dtype=np.int64
        ),
        policy=tuple(routing.by_source.get(source.id, routing.policy) for source in scenario.sources),
        cost=np.array([source.cost_per_lead for source in scenario.sources], dtype=np.int64),
    )


def build_accounts(scenario: Scenario, plan: Plan, samplers: Samplers, timetable: Timetable) -> Accounts:
    """Compile the accounts under a plan's owners and care hours.

    Raises:
        InputRefused: an account has an explicit care response in a tier whose orders have no value.
    """
    tiers = {tier.id: tier for tier in scenario.tiers}
    reps = {rep.id: position for position, rep in enumerate(scenario.reps)}
    regions = {region.id: position for position, region in enumerate(scenario.regions)}
    segments = {segment.id: position for position, segment in enumerate(scenario.segments)}
    planned = care_planned(scenario) | plan.care_hours()
    owner, handover, changes = _owners(scenario, plan, reps, timetable)
    rows = scenario.accounts
    of_tier = [tiers[account.tier] for account in rows]
    physics = scenario.account_physics
    visit_hours = physics.care_visit_hours if physics else 1.0
    care = np.array([planned[account.id] for account in rows])
    cross_sell = {tier.id: attachments(scenario, tier.cross_sell) for tier in scenario.tiers}
    mixes = {tier.id: order_mix(scenario, tier) for tier in scenario.tiers}
    return Accounts(
        ids=tuple(account.id for account in rows),
        identity=identities([account.id for account in rows], "accounts"),
        region=np.array([regions[account.region] for account in rows], dtype=np.int64),
        segment=np.array([segments[a.segment] if a.segment else -1 for a in rows], dtype=np.int64),
        rate=np.array([_rate(account, tier) for account, tier in zip(rows, of_tier, strict=True)]),
        value=np.array([samplers.index(tier.order_value) for tier in of_tier], dtype=np.int64),
        mean_value=np.array([tier.order_value.mean_value() for tier in of_tier]),
        owner=owner,
        handover=handover,
        changes=changes,
        care=care,
        owed=np.array([tier.care_hours_per_year for tier in of_tier]),
        response=np.array([_response(account) for account in rows]).reshape(len(rows), 6),
        churn=np.array([tier.churn_per_year for tier in of_tier]),
        tier_rank=np.array([tier.rank for tier in of_tier], dtype=np.int64),
        visits=np.array([visits_a_year(hours, visit_hours) for hours in care.tolist()], dtype=np.int64),
        cross_sell=tuple(cross_sell[account.tier] for account in rows),
        products=tuple(mixes[account.tier] for account in rows),
    )


def attachments(scenario: Scenario, given: Sequence[Attachment]) -> tuple[tuple[int, float], ...]:
    """Attached products as (position, chance), in order of their ids' identities and so of no file."""
    positions = {product.id: position for position, product in enumerate(scenario.products)}
    ordered = sorted(given, key=lambda item: int(identity(item.product)))
    return tuple((positions[item.product], item.probability) for item in ordered)


def order_mix(scenario: Scenario, tier: Tier) -> Floats | None:
    """Weights of the products that a tier's orders are of; None where they are not known."""
    if not tier.products:
        return None
    return np.array([tier.products.get(product.id, 0.0) for product in scenario.products])


def visits_a_year(care_hours: float, visit_hours: float) -> int:
    """Care visits in 365 days."""
    return math.ceil(round(care_hours / visit_hours, 9))


def build_stretches(scenario: Scenario, timetable: Timetable) -> tuple[Periods, Floats]:
    """Stretches of at most a calendar month in which account orders have one seasonal factor, and the factors.

    The twelve factors have mean 1.
    """
    physics = scenario.account_physics
    season = np.array(physics.season if physics else (1.0,) * 12)
    season = season / season.mean()
    if physics is None or physics.season_follows == "calendar":
        months = timetable.months()
        return months, season[[_calendar_month(first) for first in months.firsts]]
    calendar = scenario.calendar
    years = range(calendar.start.year, (calendar.end - timedelta(days=1)).year + 1)
    stretches = timetable.months(day for year in years for day in quiet_weeks(year))
    return stretches, season[[season_month(first) for first in stretches.firsts]]


def _calendar_month(day: date) -> int:
    return day.month - 1


def _owners(
    scenario: Scenario, plan: Plan, reps: Mapping[str, int], timetable: Timetable
) -> tuple[Ticks, Ticks, tuple[tuple[int, int, int], ...]]:
    """Owner at the start, since when a new one is, and the changes to come."""
    positions = {account.id: position for position, account in enumerate(scenario.accounts)}
    owner = np.array([reps[a.owner] if a.owner else -1 for a in scenario.accounts], dtype=np.int64)
    handover = np.full(len(owner), -1, dtype=np.int64)
    changes = []
    for row in sorted(plan.owners, key=lambda row: (row.start, row.account)):
        account, rep = positions[row.account], reps[row.rep]
        tick = timetable.midnight(row.start)
        if tick > 0:
            changes.append((tick, account, rep))
        elif owner[account] != rep:
            # An account that nobody owned has nobody to lose.
            handover[account] = tick if owner[account] >= 0 else -1
            owner[account] = rep
    return owner, handover, tuple(sorted(changes))


def _rate(account: Account, tier: Tier) -> float:
    return tier.orders_per_year if account.orders_per_year is None else account.orders_per_year


def _response(account: Account) -> list[float]:
    curve = account.care_response
    if curve is None:
        return [0.0] * 6
    if curve.form == "exponential":
        return [1.0, curve.ceiling / 100, curve.rate_per_hour, 0.0, 0.0, 0.0]
    return [2.0, curve.low / 100, curve.high / 100, curve.shape, curve.half, curve.hours_now]


def _weights(mixes: Sequence[Mapping[str, float]], ids: list[str]) -> Floats:
    """Weight of each id in each mix; all alike where the mix is empty."""
    rows = [[mix.get(name, 0.0) if mix else 1.0 for name in ids] or [1.0] for mix in mixes]
    return np.array(rows).reshape(len(mixes), max(len(ids), 1))


def require_order_values(accounts: Accounts) -> None:
    """An explicit care response gives sales; orders need a mean value to become a rate.

    Raises:
        InputRefused: naming each account whose orders are worth nothing.
    """
    faulty = np.flatnonzero((accounts.response[:, 0] > 0) & (accounts.mean_value <= 0))
    if len(faulty):
        rule = "has a care response, but its tier's orders have no value"
        raise InputRefused(Problem(f"accounts.{accounts.ids[i]}", "order_value 0", rule) for i in faulty)
