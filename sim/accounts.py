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

from scenarios.ticks import DAY, NEVER
from sim.arrivals import attached_lines, key_value
from sim.components import NO_ONE, Task
from sim.instant import Moment
from sim.log import Kind, Lead
from sim.model import ACCOUNT_ORDER, NEW_CUSTOMER_ORDER, Model
from sim.rules import care_factor, care_sales, churn_time, handover_factor, money_drawn, order_gap, visit_draws
from sim.streams import Purpose, draw, order_identity, pair_identity

if TYPE_CHECKING:
    from sim.reference import World

Process = Generator[Any, Any, Any]
_CARE = int(Purpose.CARE)
CARE_GRACE_DAYS = 30
"""A care visit counts as missed only when it is this late."""


@dataclass
class Customer:
    """A buying customer: an account of the scenario, or a won lead.

    Attributes:
        position: of the account; -1 for a won lead.
        since, gone: ticks between which the customer buys.
        owner: the rep at present, -1 if nobody.
        handed_over: tick since which the present owner is new, -1 where the owner has not changed.
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
    tier: int
    cross_sell: tuple[tuple[int, float], ...]
    owner: int
    handed_over: int
    care_due: list[int]
    care_done: int = 0
    expected: float = 0.0
    orders: int = 0


def account(model: Model, key: np.uint64, position: int) -> Customer:
    """An account of the scenario as it stands at the start."""
    accounts = model.accounts
    identity = accounts.identity[position]
    gone = int(churn_time(key, identity, 0, float(accounts.churn[position])))
    return Customer(
        identity=identity,
        position=position,
        region=int(accounts.region[position]),
        segment=int(accounts.segment[position]),
        since=0,
        gone=gone,
        value=int(accounts.value[position]),
        tier=int(accounts.tier_rank[position]),
        cross_sell=accounts.cross_sell[position],
        owner=int(accounts.owner[position]),
        handed_over=int(accounts.handover[position]),
        care_due=[due for due in care_calendar(model, key, position) if due < gone],
    )


def newcomer(model: Model, key: np.uint64, lead: Lead, rep: int, now: int) -> Customer:
    """The customer that a won lead becomes, owned by the rep who won it."""
    tier = model.new_customer
    assert tier is not None
    identity = np.uint64(lead.entity)
    return Customer(
        identity=identity,
        position=NO_ONE,
        region=lead.region,
        segment=lead.segment,
        since=now,
        gone=int(churn_time(key, identity, now, tier.churn)),
        value=tier.value,
        tier=tier.tier_rank,
        cross_sell=tier.cross_sell,
        owner=rep,
        handed_over=-1,
        care_due=[],
    )


def care_calendar(model: Model, key: np.uint64, position: int) -> list[int]:
    """Ticks at which the care visits of an account fall due: one in each equal part of 365 days."""
    count = int(model.accounts.visits[position])
    due = []
    for visit in range(count * (model.end // (365 * DAY) + 1)):
        place = visit + draw(key, model.accounts.identity[position], 0, visit, _CARE)
        due.append(int(place / count * 365 * DAY))
    return [tick for tick in due if tick < model.end]


def customer_life(world: World, customer: Customer) -> Process:
    """Month by month: how many orders are expected, when they arise, until the customer leaves."""
    model = world.model
    if customer.gone < model.end:
        world.env.process(_churn(world, customer))
    for visit, due in enumerate(customer.care_due):
        world.env.process(_care_visit(world, customer, visit, due))
    bounds = model.months.bounds.tolist()
    threshold = float(order_gap(world.key, customer.identity, 0))
    for month, (begin, end) in enumerate(pairwise(bounds)):
        if end <= customer.since:
            continue
        begin = max(begin, customer.since)
        if begin > world.now() or begin == 0:
            yield world.wait_until(begin, Moment.REVIEW, int(customer.identity))
        if begin >= customer.gone:
            return
        growth = _expected_orders(world, customer, month, begin, end)
        while customer.expected + growth >= threshold:
            share = (threshold - customer.expected) / growth
            tick = begin + min(int(share * (end - begin)), end - begin - 1)
            if tick >= customer.gone:
                return
            world.env.process(_order(world, customer, customer.orders, tick))
            customer.orders += 1
            threshold += float(order_gap(world.key, customer.identity, customer.orders))
        customer.expected += growth


def change_owners(world: World, tick: int, position: int, rep: int) -> Process:
    """The plan gives an account another owner on a later day."""
    customer = world.customers[position]
    yield world.wait_until(tick, Moment.LEAVE, int(customer.identity))
    if customer.owner != rep:
        world.hand_over(customer, rep)


def _expected_orders(world: World, customer: Customer, month: int, begin: int, end: int) -> float:
    """Orders expected from ``begin`` to the end of the month under its owner and the care given so far."""
    model = world.model
    physics = model.scenario.account_physics
    assert physics is not None
    first = model.months.firsts[month]
    share = model.season[first.month - 1] * (end - begin) / (365 * DAY)
    changed = customer.handed_over
    kept = 1.0 if changed == -1 else handover_factor((begin - changed) / DAY, physics.handover_loss)
    if customer.position == NO_ONE:
        assert model.new_customer is not None
        rate = model.new_customer.rate
    else:
        rate = _cared_rate(world, customer, begin)
    return float(rate * share * _owner_factor(world, customer.owner) * kept)


def _cared_rate(world: World, customer: Customer, begin: int) -> float:
    """Orders a year of an account at the reference owner, under the care given up to a tick."""
    model, position = world.model, customer.position
    accounts = model.accounts
    due = bisect_left(customer.care_due, begin - CARE_GRACE_DAYS * DAY)
    given = float(accounts.care[position]) * (min(1.0, customer.care_done / due) if due else 1.0)
    form = accounts.response[position]
    if form[0] > 0:
        sales = care_sales(int(form[0]), given, *(float(value) for value in form[1:]))
        return float(sales / accounts.mean_value[position])
    physics = model.scenario.account_physics
    assert physics is not None
    factor = care_factor(given, float(accounts.owed[position]), physics.care_elasticity, physics.care_ratio_cap)
    return float(accounts.rate[position] * factor)


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
    world.ledger.book(world.now(), order, rep)


def _order_lead(world: World, customer: Customer, entity: np.uint64) -> Lead:
    """What an order is: its value, and the products that come with it."""
    model = world.model
    base = int(money_drawn(model.tables, customer.value, 1.0, world.key, entity, 0))
    lines = ((-1, base), *attached_lines(model, world.key, entity, customer.cross_sell, 1.0))
    return Lead(
        entity=int(entity),
        origin=NEW_CUSTOMER_ORDER if customer.position == NO_ONE else ACCOUNT_ORDER,
        source=-1,
        region=customer.region,
        segment=customer.segment,
        product=-1,
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
    hours = float(model.accounts.care[position] / model.accounts.visits[position])
    desk = world.router.owner_desk(customer.owner, int(entity), customer.region)
    planned = round(hours * 3_600_000)
    world.ledger.row(world.now(), Kind.CARE, int(entity), visit, -1, desk.rep, position, planned, 0)
    task = Task(world.env, int(entity), model.stages.care, visit, hours)
    yield from world.work(task, desk, 0, customer.tier, NEVER)
    customer.care_done += 1


def _churn(world: World, customer: Customer) -> Process:
    yield world.wait_until(customer.gone, Moment.CREATE, int(customer.identity))
    world.ledger.row(world.now(), Kind.CHURN, int(customer.identity), 0, -1, customer.owner, customer.position, 0, 0)
