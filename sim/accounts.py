"""Customers who buy again: orders, care visits, churn, and what a change of owner costs.

A customer's orders are a counting process on a scale of expected orders: the n-th order arises when the expected
orders so far reach the sum of n keyed unit exponentials. A better owner or more care moves orders forward or back
in time and never redraws them, so two plans are compared on the same luck.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scenarios.ticks import DAY, NEVER
from sim.arrivals import attached_lines, key_value
from sim.components import NO_ONE, Task
from sim.instant import Moment
from sim.log import ACCOUNT_ORDER, NEW_CUSTOMER_ORDER, Kind, Lead
from sim.model import Model
from sim.rules import care_sales, churn_time, cross_sell_chance, money_drawn, order_gap, visit_draws
from sim.rules_accounts import (
    CARE_GRACE_TICKS,
    care_due,
    care_given,
    care_ticks,
    cared,
    kept_after_handover,
    missed_value,
    order_tick,
    orders_expected,
)
from sim.rules_arrivals import chosen_one
from sim.streams import Purpose, order_identity, pair_identity, room_for

if TYPE_CHECKING:
    from sim.reference import World

Process = Generator[Any, Any, Any]
_ORDER_PRODUCT = int(Purpose.ORDER_PRODUCT)


@dataclass
class Customer:
    """A buying customer: an account of the scenario, or a won lead.

    Attributes:
        position: of the account; -1 for a won lead.
        since, gone: ticks between which the customer buys.
        owner: the rep at present, -1 if nobody.
        handed_over: tick since which the present owner is new, -1 where the owner has not changed.
        mean_value: of an order in currency units.
        products: weights of the products that orders are of; None where not known.
        care, owed: hours of care a year planned and owed; ``visits`` a year make them up.
        care_due: ticks at which care visits fall due, ascending; ``care_done`` counts those made.
        expected: orders expected so far; ``orders`` counts those that arose.
    """

    identity: np.uint64
    position: int
    region: int
    segment: int
    since: int
    gone: int
    value: int
    mean_value: float
    tier: int
    cross_sell: tuple[tuple[int, float], ...]
    products: NDArray[np.float64] | None
    owner: int
    handed_over: int
    care: float
    owed: float
    visits: int
    care_due: list[int]
    care_done: int = 0
    expected: float = 0.0
    orders: int = 0


def account(model: Model, key: np.uint64, position: int) -> Customer:
    """An account of the scenario as it stands at the start."""
    accounts = model.accounts
    identity = accounts.identity[position]
    gone = int(churn_time(key, identity, 0, float(accounts.churn[position])))
    visits = int(accounts.visits[position])
    return Customer(
        identity=identity,
        position=position,
        region=int(accounts.region[position]),
        segment=int(accounts.segment[position]),
        since=0,
        gone=gone,
        value=int(accounts.value[position]),
        mean_value=float(accounts.mean_value[position]),
        tier=int(accounts.tier_rank[position]),
        cross_sell=accounts.cross_sell[position],
        products=accounts.products[position],
        owner=int(accounts.owner[position]),
        handed_over=int(accounts.handover[position]),
        care=float(accounts.care[position]),
        owed=float(accounts.owed[position]),
        visits=visits,
        care_due=[due for due in care_calendar(model, key, identity, visits, 0) if due < gone],
    )


def newcomer(model: Model, key: np.uint64, lead: Lead, rep: int, now: int) -> Customer:
    """The customer that a won lead becomes, owned by a rep."""
    tier = model.new_customer
    assert tier is not None
    identity = np.uint64(lead.entity)
    gone = int(churn_time(key, identity, now, tier.churn))
    return Customer(
        identity=identity,
        position=NO_ONE,
        region=lead.region,
        segment=lead.segment,
        since=now,
        gone=gone,
        value=tier.value,
        mean_value=tier.mean_value,
        tier=tier.tier_rank,
        cross_sell=tier.cross_sell,
        products=tier.products,
        owner=rep,
        handed_over=-1,
        care=tier.care,
        owed=tier.care,
        visits=tier.visits,
        care_due=[due for due in care_calendar(model, key, identity, tier.visits, now) if due < gone],
    )


def care_calendar(model: Model, key: np.uint64, identity: np.uint64, count: int, since: int) -> list[int]:
    """Ticks at which the care visits of a customer fall due: one in each of ``count`` equal parts of 365 days."""
    visits = range(count * ((model.end - since) // (365 * DAY) + 1))
    due = [int(care_due(key, identity, visit, count, since)) for visit in visits]
    return [tick for tick in due if tick < model.end]


def customer_life(world: World, customer: Customer) -> Process:
    """Stretch by stretch (a month, or less where the season turns): how many orders are expected, when they arise,
    until the customer leaves."""
    model = world.model
    if customer.gone < model.end:
        world.env.process(_churn(world, customer))
    for visit, due in enumerate(customer.care_due):
        world.env.process(_care_visit(world, customer, visit, due))
    bounds = model.stretches.bounds.tolist()
    threshold = float(order_gap(world.key, customer.identity, 0))
    for stretch, (begin, end) in enumerate(pairwise(bounds)):
        if end <= customer.since:
            continue
        begin = max(begin, customer.since)
        if begin > world.now() or begin == 0:
            yield world.wait_until(begin, Moment.REVIEW, int(customer.identity))
        if begin >= customer.gone:
            return
        growth = _expected_orders(world, customer, stretch, begin, end)
        while customer.expected + growth >= threshold:
            tick = int(order_tick(customer.expected, growth, threshold, begin, end))
            if tick >= customer.gone:
                return
            world.env.process(_order(world, customer, customer.orders, tick))
            customer.orders += 1
            threshold += float(order_gap(world.key, customer.identity, customer.orders))
        customer.expected += growth


def change_owners(world: World, tick: int, position: int, rep: int) -> Process:
    """The plan gives an account another owner on a later day, or the heir of one who has left by then."""
    customer = world.customers[position]
    # The stage sets it apart from the leaving of a rep who shares the account's id, and so its identity.
    yield world.wait_until(tick, Moment.LEAVE, int(customer.identity), 1)
    if world.reps[rep].departed:
        heir = world.router.holder(rep, int(customer.identity))
        rep = NO_ONE if heir == rep else heir
    if customer.owner != rep:
        world.hand_over(customer, rep)


def _expected_orders(world: World, customer: Customer, stretch: int, begin: int, end: int) -> float:
    """Orders expected from ``begin`` to the end of the stretch under its owner and the care given so far."""
    model = world.model
    physics = model.scenario.account_physics
    assert physics is not None
    kept = float(kept_after_handover(begin, customer.handed_over, physics.handover_loss))
    rate, owner = _cared_rate(world, customer, begin), _owner_factor(world, customer.owner)
    before = float(orders_expected(rate, float(model.season[stretch]), begin, end, owner))
    if kept < 1.0:
        missed = int(missed_value(before, kept, begin, end, customer.gone, customer.mean_value))
        world.ledger.row(
            begin, Kind.MISSED, int(customer.identity), 0, -1, customer.owner, customer.position, missed, 0
        )
    return before * kept


def _cared_rate(world: World, customer: Customer, begin: int) -> float:
    """Orders a year of a customer at the reference owner, under the care given up to a tick."""
    model, position = world.model, customer.position
    if position == NO_ONE:
        assert model.new_customer is not None
        return model.new_customer.rate * _care_factor(world, customer, begin)
    accounts = model.accounts
    form = accounts.response[position]
    if form[0] > 0:
        given = _care_given(customer, begin)
        return float(care_sales(int(form[0]), given, *(float(value) for value in form[1:])) / customer.mean_value)
    return float(accounts.rate[position]) * _care_factor(world, customer, begin)


def _care_given(customer: Customer, now: int) -> float:
    return float(care_given(customer.care, customer.care_done, _visits_due(customer, now)))


def _visits_due(customer: Customer, now: int) -> int:
    """Visits that are due and no longer merely late."""
    return bisect_left(customer.care_due, now - CARE_GRACE_TICKS)


def _care_factor(world: World, customer: Customer, now: int) -> float:
    physics = world.model.scenario.account_physics
    assert physics is not None
    made, due = customer.care_done, _visits_due(customer, now)
    return float(cared(customer.care, made, due, customer.owed, physics.care_elasticity, physics.care_ratio_cap))


def _owner_factor(world: World, rep: int) -> float:
    return 1.0 if rep == NO_ONE else float(world.model.reps.owner[world.reps[rep].epoch(world.now())])


def _order(world: World, customer: Customer, number: int, tick: int) -> Process:
    """An order arises, is worked by the owner and booked."""
    model = world.model
    entity = np.uint64(order_identity(customer.identity, number))
    if tick > world.now():
        yield world.wait_until(tick, Moment.CREATE, int(entity))
    order = _order_lead(world, customer, entity)
    world.ledger.lead(order)
    world.ledger.buyers[order.entity] = int(customer.identity)
    desk = world.router.owner_desk(customer.owner, order.entity, customer.region)
    world.ledger.row(world.now(), Kind.ORDER, order.entity, 0, -1, desk.rep, customer.position, order.value, 0)
    stage = model.stages.order
    _, hours, _, _ = visit_draws(model.tables, -1, int(model.stages.effort[stage]), world.key, entity, stage, 0)
    task = Task(world.env, order.entity, stage, 0, hours)
    rep, _ = yield from world.work(task, desk, order.value, customer.tier, NEVER)
    world.book(order, rep, {})


def _order_lead(world: World, customer: Customer, entity: np.uint64) -> Lead:
    """What an order is: its value, and the products that come with it if the customer is well looked after."""
    model, now = world.model, world.now()
    base = int(money_drawn(model.tables, customer.value, 1.0, world.key, entity, 0))
    product = NO_ONE
    if customer.products is not None:
        kinds = model.products.identity
        product = int(chosen_one(world.key, entity, kinds, customer.products, _ORDER_PRODUCT, room_for(len(kinds))))
    offers: tuple[tuple[int, float], ...] = ()
    if customer.cross_sell:
        owner, care = _owner_factor(world, customer.owner), _care_factor(world, customer, now)
        offers = tuple((other, float(cross_sell_chance(chance, owner, care))) for other, chance in customer.cross_sell)
    lines = ((product, base), *attached_lines(model, world.key, entity, offers, 1.0))
    return Lead(
        entity=int(entity),
        origin=NEW_CUSTOMER_ORDER if customer.position == NO_ONE else ACCOUNT_ORDER,
        source=-1,
        region=customer.region,
        segment=customer.segment,
        product=product,
        quality=0.0,
        value=sum(value for _, value in lines),
        key_value=key_value(model, lines),
        lines=lines,
        account=customer.position,
    )


def _care_visit(world: World, customer: Customer, visit: int, due: int) -> Process:
    """A care visit falls due and is worked by whoever owns the account then; nobody visits for nobody."""
    model, position = world.model, customer.position
    entity = np.uint64(pair_identity(customer.identity, np.uint64(visit)))
    yield world.wait_until(due, Moment.CREATE, int(entity))
    if customer.owner == NO_ONE:
        return
    hours = customer.care / customer.visits
    desk = world.router.owner_desk(customer.owner, int(entity), customer.region)
    planned = int(care_ticks(hours))
    world.ledger.row(world.now(), Kind.CARE, int(entity), visit, -1, desk.rep, position, planned, 0)
    task = Task(world.env, int(entity), model.stages.care, visit, hours)
    yield from world.work(task, desk, 0, customer.tier, NEVER)
    customer.care_done += 1


def _churn(world: World, customer: Customer) -> Process:
    yield world.wait_until(customer.gone, Moment.CREATE, int(customer.identity))
    world.ledger.row(world.now(), Kind.CHURN, int(customer.identity), 0, -1, customer.owner, customer.position, 0, 0)
