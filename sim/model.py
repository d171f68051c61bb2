"""Scenario and plan compiled to plain arrays: all that an engine reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios import physics
from scenarios.market import Instalment
from scenarios.plan import Plan
from scenarios.scenario import Scenario, require_world
from scenarios.today import today_plan
from sim.capabilities import require_sound_plan, require_supported
from sim.credit import Shares, build_shares
from sim.lead_shares import LeadShares, build_lead_shares
from sim.market import (
    Accounts,
    Samplers,
    Sources,
    attachments,
    build_accounts,
    build_sources,
    build_stretches,
    order_mix,
    require_order_values,
    visits_a_year,
)
from sim.motivation import Quotas, build_quotas
from sim.offers import Bundle, OpenTender, build_bundles, build_tenders
from sim.people import Reps, build_reps
from sim.rules import NO_DISTRIBUTION
from sim.samplers import SamplerTables, compile_distributions
from sim.streams import identities, identity
from sim.timetable import Periods, Timetable
from sim.worktime import WorkClock, clock

Floats = NDArray[np.float64]
Ticks = NDArray[np.int64]


@dataclass(frozen=True)
class Stages:
    """The funnel; S stages, then two kinds of work that are no stage: account orders (S) and care (S + 1).

    Attributes:
        effort: distribution in hours, [S + 2]; patience, delay, loss_delay: in days, [S]; -1 where none is given.
        base_logit: logit of the conversion, [S].
        support, support_effort: joint resource and its effort in hours, [S]; -1 where none is needed.
        recycle: chance, rest distribution, most times, [S].
        activities: thousandths of each activity per service, [S, activities].
    """

    ids: tuple[str, ...]
    effort: Ticks
    patience: Ticks
    delay: Ticks
    loss_delay: Ticks
    base_logit: Floats
    after_win: NDArray[np.bool_]
    to_pool: NDArray[np.bool_]
    role: Ticks
    support: Ticks
    support_effort: Ticks
    recycle_chance: Floats
    recycle_rest: Ticks
    recycle_max: Ticks
    activity_names: tuple[str, ...]
    activities: Ticks

    @property
    def count(self) -> int:
        """How many stages."""
        return len(self.ids)

    @property
    def order(self) -> int:
        """Position that stands for the work on an account's order."""
        return len(self.ids)

    @property
    def care(self) -> int:
        """Position that stands for a care visit."""
        return len(self.ids) + 1


@dataclass(frozen=True)
class Products:
    """Products: value distribution, key flag, margin in millionths (-1 unknown), attachments as (product, chance)."""

    ids: tuple[str, ...]
    identity: NDArray[np.uint64]
    value: Ticks
    key: NDArray[np.bool_]
    margin: Ticks
    attach: tuple[tuple[tuple[int, float], ...], ...]


@dataclass(frozen=True)
class Opening:
    """One open opportunity at the start; positions of stage, owner, source, ... are -1 where not given."""

    entity: np.uint64
    stage: int
    owner: int
    source: int
    region: int
    segment: int
    product: int
    account: int
    created: int
    entered: int
    value: int


@dataclass(frozen=True)
class NewCustomer:
    """What a won lead becomes."""

    rate: float
    value: int
    mean_value: float
    churn: float
    tier_rank: int
    cross_sell: tuple[tuple[int, float], ...]
    products: Floats | None
    care: float
    visits: int


@dataclass(frozen=True)
class Model:
    """Everything an engine needs, free of names and models."""

    scenario: Scenario
    plan: Plan
    timetable: Timetable
    periods: Periods
    stretches: Periods
    end: int
    tables: SamplerTables
    customers: WorkClock
    stages: Stages
    role_identity: NDArray[np.uint64]
    region_identity: NDArray[np.uint64]
    segment_identity: NDArray[np.uint64]
    support_identity: NDArray[np.uint64]
    reps: Reps
    sources: Sources
    products: Products
    accounts: Accounts
    pipeline: tuple[Opening, ...]
    season: Floats
    bundles: tuple[Bundle, ...]
    tenders: tuple[OpenTender, ...]
    segment_quality: Floats
    segment_value: Floats
    support_people: Ticks
    support_clocks: tuple[WorkClock, ...]
    support_pace: Floats
    new_customer: NewCustomer | None
    instalments: tuple[Instalment, ...]
    payment_delay: int
    vat: tuple[int, int]
    quotas: Quotas
    credit: Shares
    lead_shares: LeadShares
    owner_role: int

    def expected_leads(self) -> float:
        """Leads that a horizon brings on average."""
        return float(self.sources.rates.sum())


def build(scenario: Scenario) -> Model:
    """Compile a scenario under its plan (today's where it has none).

    Raises:
        Unsupported: the scenario asks for what no engine runs.
        InputRefused: it is no scenario, or the plan speaks of what is not there, or its training does not fit.
    """
    require_world(scenario)
    plan = scenario.plan or today_plan(scenario)
    require_supported(scenario)
    require_sound_plan(scenario, plan)
    timetable = Timetable(scenario.calendar)
    samplers = Samplers()
    stages = _stages(scenario, samplers)
    products = _products(scenario, samplers)
    accounts = build_accounts(scenario, plan, samplers, timetable)
    require_order_values(accounts)
    tier = scenario.account_physics.new_customer if scenario.account_physics else None
    newcomer = None
    if tier is not None:
        value = samplers.index(tier.order_value)
        assert scenario.account_physics is not None
        newcomer = NewCustomer(
            rate=tier.orders_per_year,
            value=value,
            mean_value=tier.order_value.mean_value(),
            churn=tier.churn_per_year,
            tier_rank=tier.rank,
            cross_sell=attachments(scenario, tier.cross_sell),
            products=order_mix(scenario, tier),
            care=tier.care_hours_per_year,
            visits=visits_a_year(tier.care_hours_per_year, scenario.account_physics.care_visit_hours),
        )
    stretches, season = build_stretches(scenario, timetable)
    payment_delay = samplers.index(scenario.cash.delay_days)
    regions = {region.id: region for region in scenario.regions}
    return Model(
        scenario=scenario,
        plan=plan,
        timetable=timetable,
        periods=timetable.periods(),
        stretches=stretches,
        end=timetable.end,
        customers=clock(timetable.customers_clock()),
        stages=stages,
        role_identity=identities([role.id for role in scenario.roles], "roles"),
        region_identity=identities(tuple(regions), "regions"),
        # One nameless segment stands for a market that is not divided.
        segment_identity=identities([segment.id for segment in scenario.segments] or [""], "segments"),
        support_identity=identities([resource.id for resource in scenario.support], "support"),
        reps=build_reps(scenario, plan, timetable),
        sources=build_sources(scenario, timetable),
        products=products,
        accounts=accounts,
        pipeline=_pipeline(scenario, timetable),
        season=season,
        bundles=build_bundles(scenario),
        tenders=build_tenders(scenario, timetable),
        segment_quality=np.array([segment.quality_logit for segment in scenario.segments] or [0.0]),
        segment_value=np.array([segment.value_factor for segment in scenario.segments] or [1.0]),
        support_people=np.array([resource.people for resource in scenario.support], dtype=np.int64),
        support_clocks=tuple(clock(timetable.support_hours(item, regions)) for item in scenario.support),
        support_pace=np.array([resource.selling_share for resource in scenario.support]),
        new_customer=newcomer,
        instalments=scenario.cash.instalments,
        payment_delay=payment_delay,
        vat=_vat(scenario),
        quotas=build_quotas(scenario, plan, timetable),
        credit=build_shares(scenario),
        lead_shares=build_lead_shares(scenario, plan, timetable),
        owner_role=_owner_role(scenario),
        tables=compile_distributions(samplers.distributions),
    )


def _vat(scenario: Scenario) -> tuple[int, int]:
    """The rate in millionths on top of signed values, and as held in them."""
    rate = round(scenario.cash.vat_rate * 1_000_000)
    return (0, rate) if scenario.vat_included else (rate, 0)


def _owner_role(scenario: Scenario) -> int:
    """The role that owns won customers, -1 where the winner does."""
    rule = scenario.account_physics
    if rule is None or rule.owner_role is None:
        return -1
    return [role.id for role in scenario.roles].index(rule.owner_role)


def _stages(scenario: Scenario, samplers: Samplers) -> Stages:
    roles = {role.id: position for position, role in enumerate(scenario.roles)}
    resources = {resource.id: position for position, resource in enumerate(scenario.support)}
    rows = scenario.stages
    account = scenario.account_physics
    names = tuple(dict.fromkeys(name for stage in rows for name in stage.activities))
    effort = [samplers.index(stage.effort_hours) for stage in rows]
    effort += [samplers.index(account.order_effort_hours) if account else NO_DISTRIBUTION, NO_DISTRIBUTION]
    needs = [stage.support for stage in rows]
    return Stages(
        ids=tuple(stage.id for stage in rows),
        effort=np.array(effort, dtype=np.int64),
        patience=np.array([samplers.index(stage.patience_days) for stage in rows], dtype=np.int64),
        delay=np.array([samplers.index(stage.delay_days) for stage in rows], dtype=np.int64),
        loss_delay=np.array(
            [samplers.index(stage.loss_delay_days or stage.delay_days) for stage in rows], dtype=np.int64
        ),
        base_logit=np.array([physics.logit(1.0 if s.conversion is None else s.conversion) for s in rows]),
        after_win=np.array([stage.after_win for stage in rows]),
        to_pool=np.array([stage.when_cold == "pool" for stage in rows]),
        role=np.array([roles[stage.role] for stage in rows], dtype=np.int64),
        support=np.array([resources[need.resource] if need else -1 for need in needs], dtype=np.int64),
        support_effort=np.array(
            [samplers.index(need.effort_hours if need else None) for need in needs], dtype=np.int64
        ),
        recycle_chance=np.array([s.recycle.probability if s.recycle else 0.0 for s in rows]),
        recycle_rest=np.array(
            [samplers.index(s.recycle.rest_days if s.recycle else None) for s in rows], dtype=np.int64
        ),
        recycle_max=np.array([s.recycle.max_times if s.recycle else 0 for s in rows], dtype=np.int64),
        activity_names=names,
        activities=np.array(
            [[round(1000 * stage.activities.get(name, 0.0)) for name in names] for stage in rows], dtype=np.int64
        ).reshape(len(rows), len(names)),
    )


def _products(scenario: Scenario, samplers: Samplers) -> Products:
    positions = {product.id: position for position, product in enumerate(scenario.products)}
    rows = scenario.products
    return Products(
        ids=tuple(positions),
        identity=identities(tuple(positions), "products"),
        value=np.array([samplers.index(product.value) for product in rows], dtype=np.int64),
        key=np.array([product.key for product in rows], dtype=np.bool_),
        margin=np.array(
            [-1 if product.gross_margin is None else round(product.gross_margin * 1e6) for product in rows],
            dtype=np.int64,
        ),
        attach=tuple(attachments(scenario, product.attach) for product in rows),
    )


def _pipeline(scenario: Scenario, timetable: Timetable) -> tuple[Opening, ...]:
    stages = {stage.id: position for position, stage in enumerate(scenario.stages)}
    sections = {
        name: {item.id: position for position, item in enumerate(getattr(scenario, name))}
        for name in ("reps", "sources", "regions", "segments", "products", "accounts")
    }

    def place(section: str, name: str | None) -> int:
        return -1 if name is None else sections[section][name]

    return tuple(
        Opening(
            entity=identity(f"pipeline {item.id}"),
            stage=stages[item.stage],
            owner=place("reps", item.owner),
            source=place("sources", item.source),
            region=place("regions", item.region),
            segment=place("segments", item.segment),
            product=place("products", item.product),
            account=place("accounts", item.account),
            created=timetable.midnight(item.created),
            entered=timetable.midnight(item.entered_stage or item.created),
            value=-1 if item.value is None else int(item.value),
        )
        for item in scenario.pipeline
    )
