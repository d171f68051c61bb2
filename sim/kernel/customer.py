"""Customers in the compiled engine: orders, care visits, churn and changes of owner, as in :mod:`sim.accounts`.

Of each customer at most one order or review, one care visit and the leaving lie in the heap at a time.
"""

from __future__ import annotations

import numpy as np

from scenarios.ticks import NEVER
from sim.compile import kernel
from sim.kernel.deal import value_deal
from sim.kernel.heap import push
from sim.kernel.items import drop_item, new_item, queue_up
from sim.kernel.names import (
    ACCOUNT_CARE,
    ACCOUNT_CARE_PLANNED,
    ACCOUNT_CHURNED,
    ACCOUNT_HANDOVERS,
    ACCOUNT_LOSS,
    AT_CREATE,
    AT_REVIEW,
    CARE,
    CHURNED,
    COMPANY_CHURNED,
    HANDOVER_LOSS,
    OF_CARE,
    OF_CHURN,
    OF_CUSTOMER,
    OF_ORDER,
    ORDER,
    ROW_ASSIGN,
    ROW_CARE,
    ROW_CHURN,
    ROW_MISSED,
    ROW_ORDER,
)
from sim.kernel.people import epoch_of
from sim.kernel.routing import holder_of, owner_desk
from sim.kernel.rows import row, tally_account, tally_company, tally_rep
from sim.kernel.sale import book
from sim.kernel.tables import a_change, a_customer, a_desk, a_rep, a_stage, an_account, an_item, real, whole
from sim.kernel.view import view
from sim.kernel.world import IDENTITY, MANY, REAL, World, key_of, samplers
from sim.log import ACCOUNT_ORDER, NEW_CUSTOMER_ORDER
from sim.rules import care_sales, churn_time, order_gap, visit_draws
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
from sim.streams import Purpose, order_identity, pair_identity

_ORDER_PRODUCT = int(Purpose.ORDER_PRODUCT)


# ---- who is a customer ----------------------------------------------------------------------------------------------


@kernel
def add_account(w: World, place: int) -> None:
    """An account of the scenario as it stands at the start; it takes the same place among the customers."""
    known, customer = an_account(w, place), a_customer(w, place)
    customer.identity, customer.position = known.identity, place
    customer.region, customer.segment, customer.since = known.region, known.segment, 0
    customer.gone = churn_time(key_of(w), known.identity, 0, known.churn)
    customer.value, customer.mean_value, customer.tier = known.value, known.mean_value, known.tier
    customer.offer_first, customer.offer_count, customer.mix = known.offer_first, known.offer_count, known.mix
    customer.care, customer.owed, customer.visits = known.care, known.owed, known.visits
    customer.owner, customer.handed_over = known.owner, known.handover
    w.customer_count = max(w.customer_count, place + 1)


@kernel
def becomes_customer(w: World, slot: int, owner: int, winner: int) -> int:
    """The customer that a won lead becomes; its place."""
    item, place = an_item(w, slot), w.customer_count
    w.customer_count += 1
    customer = a_customer(w, place)
    customer.identity, customer.position = item.entity, -1
    customer.region, customer.segment, customer.since = item.region, item.segment, w.now
    customer.gone = churn_time(key_of(w), item.entity, w.now, w.new_churn)
    customer.value, customer.mean_value, customer.tier = w.new_value, w.new_mean_value, w.new_tier
    customer.offer_first, customer.offer_count, customer.mix = w.new_offer_first, w.new_offer_count, w.new_mix
    customer.care, customer.owed, customer.visits = w.new_care, w.new_care, w.new_visits
    customer.owner, customer.handed_over = owner, -1
    if owner != winner:
        row(w, w.now, ROW_ASSIGN, item.entity, 0, -1, owner, -1, 0, 0)
    return place


@kernel
def begin_life(w: World, place: int) -> None:
    """From now on a customer buys, is looked after and may leave."""
    customer = a_customer(w, place)
    customer.visit, customer.due, customer.made, customer.orders = 0, 0, 0, 0
    customer.bought, customer.bought_in, customer.expected = 0, -1, 0.0
    customer.due_tick = NEVER
    if customer.gone < w.end:
        push(w, customer.gone, AT_CREATE, customer.identity, 0, 0, OF_CHURN, place)
    if customer.visits > 0:
        customer.due_tick = care_due(key_of(w), customer.identity, 0, customer.visits, customer.since)
        customer.visit_tick = customer.due_tick
        await_care(w, place)
    customer.threshold = order_gap(key_of(w), customer.identity, 0)
    stretch = 0
    while stretch < w.stretch_count and whole(w.stretches, stretch + 1) <= customer.since:
        stretch += 1
    customer.stretch = stretch
    if stretch == w.stretch_count:
        return
    if customer.since == 0 and w.now == 0:
        push(w, 0, AT_REVIEW, customer.identity, 0, 0, OF_CUSTOMER, place)
    else:
        review(w, place)


# ---- orders ---------------------------------------------------------------------------------------------------------


@kernel
def review(w: World, place: int) -> None:
    """A stretch begins, a month or less: how many orders are expected in it."""
    customer = a_customer(w, place)
    customer.begin = w.now
    if customer.begin >= customer.gone:
        return
    customer.end = whole(w.stretches, customer.stretch + 1)
    customer.growth = _expected_orders(w, place)
    await_order(w, place)


@kernel
def await_order(w: World, place: int) -> None:
    """Let the next order of the stretch come, or the next stretch."""
    customer = a_customer(w, place)
    while customer.expected + customer.growth >= customer.threshold:
        tick = order_tick(customer.expected, customer.growth, customer.threshold, customer.begin, customer.end)
        if tick >= customer.gone:
            return
        if tick > w.now:
            entity = order_identity(customer.identity, customer.orders)
            push(w, tick, AT_CREATE, entity, 0, 0, OF_ORDER, place)
            return
        order_arises(w, place)
    customer.expected += customer.growth
    customer.stretch += 1
    if customer.stretch < w.stretch_count:
        push(w, customer.end, AT_REVIEW, customer.identity, 0, 0, OF_CUSTOMER, place)


@kernel
def _expected_orders(w: World, place: int) -> float:
    """Orders expected from now to the end of the stretch under its owner and the care given so far."""
    customer = a_customer(w, place)
    begin, end = customer.begin, customer.end
    kept = kept_after_handover(begin, customer.handed_over, w.handover_loss)
    season = real(w.season, customer.stretch)
    before = orders_expected(_cared_rate(w, place), season, begin, end, owner_factor(w, customer.owner))
    if kept < 1.0:
        missed = missed_value(before, kept, begin, end, customer.gone, customer.mean_value)
        row(w, begin, ROW_MISSED, customer.identity, 0, -1, customer.owner, customer.position, missed, 0)
        tally_rep(w, HANDOVER_LOSS, customer.owner, w.period, missed)
        tally_account(w, ACCOUNT_LOSS, customer.position, missed)
    return before * kept


@kernel
def _cared_rate(w: World, place: int) -> float:
    """Orders a year of a customer at the reference owner, under the care given so far."""
    customer = a_customer(w, place)
    if customer.position == -1:
        return w.new_rate * care_of(w, place)
    known = an_account(w, customer.position)
    if known.form > 0:
        given = care_given(customer.care, customer.made, visits_due(w, place))
        return (
            care_sales(known.form, given, known.first, known.second, known.third, known.fourth, known.fifth)
            / customer.mean_value
        )
    return known.rate * care_of(w, place)


@kernel
def visits_due(w: World, place: int) -> int:
    """Care visits that are due and no longer merely late."""
    customer = a_customer(w, place)
    limit = w.now - CARE_GRACE_TICKS
    while customer.due_tick < limit and customer.due_tick < customer.gone:
        customer.due += 1
        customer.due_tick = care_due(key_of(w), customer.identity, customer.due, customer.visits, customer.since)
    return customer.due


@kernel
def care_of(w: World, place: int) -> float:
    """What the care given so far makes of a customer's orders."""
    customer = a_customer(w, place)
    return cared(customer.care, customer.made, visits_due(w, place), customer.owed, w.care_elasticity, w.care_cap)


@kernel
def owner_factor(w: World, owner: int) -> float:
    """What an owner makes of a customer's orders."""
    return 1.0 if owner == -1 else real(w.epoch_owners, epoch_of(w, owner))


@kernel
def order_arises(w: World, place: int) -> None:
    """An order arises and queues with the owner."""
    customer = a_customer(w, place)
    entity = order_identity(customer.identity, customer.orders)
    customer.orders += 1
    customer.threshold += order_gap(key_of(w), customer.identity, customer.orders)
    slot = new_item(w, ORDER, entity)
    item = an_item(w, slot)
    item.customer, item.account = place, customer.position
    item.origin = NEW_CUSTOMER_ORDER if customer.position == -1 else ACCOUNT_ORDER
    item.region, item.segment, item.stage, item.created = customer.region, customer.segment, w.stage_count, w.now
    if customer.mix >= 0:
        kinds = view(w.product_identities, w.product_count, IDENTITY)
        weights = view(w.mixes + 8 * customer.mix, w.product_count, REAL)
        item.product = chosen_one(key_of(w), entity, kinds, weights, _ORDER_PRODUCT, view(w.draws, MANY, REAL))
    if customer.offer_count > 0:
        item.owner_factor, item.care_factor = owner_factor(w, customer.owner), care_of(w, place)
    value_deal(w, slot)
    d = owner_desk(w, customer.owner, entity, customer.region)
    row(w, w.now, ROW_ORDER, entity, 0, -1, a_desk(w, d).rep, customer.position, item.value, 0)
    effort = a_stage(w, w.stage_count).effort
    _, item.hours, _, _ = visit_draws(samplers(w), -1, effort, key_of(w), entity, w.stage_count, 0)
    queue_up(w, slot, d, item.value, customer.tier, NEVER)


@kernel
def order_due(w: World, place: int) -> None:
    """The order that was waited for arises; then the next is waited for."""
    order_arises(w, place)
    await_order(w, place)


@kernel
def order_worked(w: World, slot: int) -> None:
    """The work on an order is done: it is booked."""
    book(w, slot, an_item(w, slot).rep)
    drop_item(w, slot)


# ---- care -----------------------------------------------------------------------------------------------------------


@kernel
def await_care(w: World, place: int) -> None:
    """Let the next care visit come; visits that fall on the same tick are all let come."""
    customer = a_customer(w, place)
    due = customer.visit_tick
    while due < customer.gone and due < w.end:
        entity = pair_identity(customer.identity, np.uint64(customer.visit))
        visit = customer.visit
        customer.visit += 1
        customer.visit_tick = care_due(key_of(w), customer.identity, customer.visit, customer.visits, customer.since)
        # The visit says whether this one is to let the next come.
        last = 1 if customer.visit_tick > due else 0
        push(w, due, AT_CREATE, entity, 0, 2 * visit + last, OF_CARE, place)
        if last == 1:
            return


@kernel
def care_falls_due(w: World, place: int, entity: np.uint64, marked: int) -> None:
    """A care visit is worked by whoever owns the account then; nobody visits for nobody."""
    if marked & 1 == 1:
        await_care(w, place)
    customer, visit = a_customer(w, place), marked >> 1
    if customer.owner == -1:
        return
    hours = customer.care / customer.visits
    slot = new_item(w, CARE, entity)
    item = an_item(w, slot)
    item.customer, item.account, item.origin = place, customer.position, ACCOUNT_ORDER
    item.region, item.stage, item.visit, item.hours = customer.region, w.stage_count + 1, visit, hours
    d = owner_desk(w, customer.owner, entity, customer.region)
    planned = care_ticks(hours)
    row(w, w.now, ROW_CARE, entity, visit, -1, a_desk(w, d).rep, customer.position, planned, 0)
    tally_account(w, ACCOUNT_CARE_PLANNED, customer.position, planned)
    queue_up(w, slot, d, 0, customer.tier, NEVER)


@kernel
def care_worked(w: World, slot: int) -> None:
    """A care visit has been made."""
    item = an_item(w, slot)
    a_customer(w, item.customer).made += 1
    tally_account(w, ACCOUNT_CARE, item.account, care_ticks(item.hours))
    drop_item(w, slot)


# ---- owners come and go ---------------------------------------------------------------------------------------------


@kernel
def churn(w: World, place: int) -> None:
    """A customer leaves."""
    customer = a_customer(w, place)
    row(w, w.now, ROW_CHURN, customer.identity, 0, -1, customer.owner, customer.position, 0, 0)
    tally_rep(w, CHURNED, customer.owner, w.period, 1)
    tally_company(w, COMPANY_CHURNED, 1)
    tally_account(w, ACCOUNT_CHURNED, customer.position, 1)


@kernel
def hand_over(w: World, place: int, rep: int) -> None:
    """A customer gets another owner; one whom nobody owned has nobody to miss."""
    customer = a_customer(w, place)
    if customer.owner != -1:
        customer.handed_over = w.now
    customer.owner = rep
    row(w, w.now, ROW_ASSIGN, customer.identity, 0, -1, rep, customer.position, 0, 0)
    tally_account(w, ACCOUNT_HANDOVERS, customer.position, 1)


@kernel
def change_owner(w: World, number: int) -> None:
    """The plan gives an account another owner, or the heir of one who has left by then."""
    change = a_change(w, number)
    customer, rep = a_customer(w, change.account), change.rep
    if a_rep(w, rep).departed == 1:
        heir = holder_of(w, rep, customer.identity)
        rep = -1 if heir == rep else heir
    if customer.owner != rep:
        hand_over(w, change.account, rep)
