"""Sales in the compiled engine: what a deal consists of, and what it turns into when it is signed.

The deals of :mod:`sim.arrivals` and the bookings of :class:`sim.ledger.Ledger`.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import scalar
from sim.kernel_names import (
    ACCOUNT_ORDERS,
    ACCOUNT_REVENUE,
    ACCOUNT_SALES,
    COLLECTED,
    COMPANY_BUYING,
    COMPANY_NEW,
    COMPANY_ORDERS,
    COMPANY_REPEAT,
    CYCLE,
    DUE,
    KEY_REVENUE,
    LEAD,
    MARGIN,
    NEW_CUSTOMERS,
    NEW_REVENUE,
    ORDER,
    ORDERS,
    PRODUCT_ATTACHED,
    PRODUCT_MARGIN,
    PRODUCT_ORDERS,
    PRODUCT_REVENUE,
    RECOGNISED,
    REPEAT_ORDERS,
    REVENUE,
    ROW_BOOK,
    ROW_CASH,
    ROW_CREDIT,
    ROW_DUE,
    ROW_LINE,
    ROW_RECOGNISE,
    ROW_WRITE_OFF,
    SEGMENT_COLLECTED,
    SEGMENT_CYCLE,
    SEGMENT_DUE,
    SEGMENT_KEY_REVENUE,
    SEGMENT_NEW,
    SEGMENT_ORDERS,
    SEGMENT_REPEAT,
    SEGMENT_REVENUE,
    SOURCE_COLLECTED,
    SOURCE_CYCLE,
    SOURCE_DUE,
    SOURCE_KEY_REVENUE,
    SOURCE_REVENUE,
    TENDER_REVENUE,
    TENDERS_WON,
    WRITTEN_OFF,
)
from sim.kernel_people import quota_in_force
from sim.kernel_routing import holder_of, keeper_in
from sim.kernel_rows import (
    period_at,
    row,
    tally_account,
    tally_company,
    tally_product,
    tally_rep,
    tally_segment,
    tally_source,
)
from sim.kernel_tables import (
    a_bundle,
    a_buyer,
    a_credit,
    a_customer,
    a_lead_row,
    a_line,
    a_line_row,
    a_part,
    a_product,
    a_quota,
    a_rep,
    an_instalment,
    an_item,
    an_offer,
    identity_at,
    whole,
)
from sim.kernel_world import World, key_of, samplers
from sim.log import ACCOUNT_OPPORTUNITY, ACCOUNT_ORDER, NEW_LEAD, OPENING_PIPELINE, TENDER
from sim.rules import (
    cross_sell_chance,
    margin_of,
    money_drawn,
    paid_upto,
    payment,
    recognised_upto,
    with_vat,
    without_vat,
)
from sim.rules_people import credit_upto, part_of
from sim.streams import Purpose, draw, pair_identity

_BUNDLE = int(Purpose.BUNDLE)
_DAY_TICKS = 86_400_000
MOST_MONEY = 2**60
"""Minor units of all deals of a horizon together; sums of a few such still fit into 64 bits."""


# ---- what a deal consists of ----------------------------------------------------------------------------------------


@scalar
def bundle_of(w: World, entity: np.uint64) -> int:
    """The bundle that a deal is, -1 if it is none: by one draw of the deal."""
    if w.bundle_count == 0:
        return -1
    u = draw(key_of(w), entity, 0, 0, _BUNDLE)
    for place in range(w.bundle_count):
        if u < a_bundle(w, place).upto:
            return place
    return -1


@scalar
def _line(w: World, count: int, product: int, value: int) -> int:
    line = a_line(w, count)
    line.product, line.value = product, value
    return count + 1


@scalar
def list_lines(w: World, slot: int) -> int:
    """Put the products of a deal with their values into the table of lines; how many they are.

    A pure function of the deal: it gives the same lines when the deal arises and when it is signed.
    """
    item, key = an_item(w, slot), key_of(w)
    tables = samplers(w)
    if item.given >= 0:
        return _line(w, 0, item.product, item.given)
    if item.bundle >= 0:
        bundle, count = a_bundle(w, item.bundle), 0
        for place in range(bundle.first, bundle.first + bundle.count):
            product = whole(w.bundle_products, place)
            pair = pair_identity(item.entity, identity_at(w.product_identities, product))
            value = money_drawn(tables, a_product(w, product).value, item.factor * bundle.factor, key, pair, 0)
            count = _line(w, count, product, value)
        return count
    if item.what == ORDER:
        customer = a_customer(w, item.customer)
        count = _line(w, 0, item.product, money_drawn(tables, customer.value, 1.0, key, item.entity, 0))
        first, offers = customer.offer_first, customer.offer_count
    elif w.product_count > 0:
        product = a_product(w, item.product)
        count = _line(w, 0, item.product, money_drawn(tables, product.value, item.factor, key, item.entity, 0))
        first, offers = product.offer_first, product.offer_count
    else:
        return 0
    for place in range(first, first + offers):
        offer = an_offer(w, place)
        chance = offer.chance
        if item.what == ORDER:
            chance = cross_sell_chance(chance, item.owner_factor, item.care_factor)
        pair = pair_identity(item.entity, identity_at(w.product_identities, offer.product))
        if draw(key, pair, 0, 0, _BUNDLE) < chance:
            value = money_drawn(tables, a_product(w, offer.product).value, item.factor, key, pair, 0)
            count = _line(w, count, offer.product, value)
    return count


@scalar
def value_deal(w: World, slot: int) -> None:
    """Set what a deal that arises is worth, and remember it for the log."""
    item = an_item(w, slot)
    count = list_lines(w, slot)
    value, key_value = 0, 0
    for place in range(count):
        line = a_line(w, place)
        value += line.value
        if line.product >= 0 and a_product(w, line.product).key == 1:
            key_value += line.value
    item.value, item.key_value = value, key_value
    # A value beyond the range wraps round to a negative one when it becomes a whole number.
    if value < 0 or value >= MOST_MONEY - w.signed:
        w.too_much = 1
    else:
        w.signed += value
    if w.logging == 1:
        _remember(w, slot, count)


@scalar
def _remember(w: World, slot: int, count: int) -> None:
    item, known = an_item(w, slot), a_lead_row(w, w.lead_count)
    w.lead_count += 1
    known.entity, known.origin, known.source, known.region = item.entity, item.origin, item.source, item.region
    known.segment, known.product, known.quality = item.segment, item.product, item.quality
    known.value, known.key_value, known.account = item.value, item.key_value, item.account
    known.line_first, known.line_count = w.line_count, count
    for place in range(count):
        line, kept = a_line(w, place), a_line_row(w, w.line_count)
        kept.product, kept.value = line.product, line.value
        w.line_count += 1
    if item.what == ORDER:
        buyer = a_buyer(w, w.buyer_count)
        buyer.order, buyer.customer = item.entity, a_customer(w, item.customer).identity
        w.buyer_count += 1


# ---- what a signed deal turns into ----------------------------------------------------------------------------------


@scalar
def list_parts(w: World, slot: int) -> int:
    """Put who is credited with a deal into the table of parts; none where nobody's role has a share."""
    total, last = 0.0, -1
    for place in range(w.credit_count):
        share = a_credit(w, place)
        if keeper_in(w, slot, share.role) != -1:
            total += share.share
            last = place
    sofar, count = 0.0, 0
    for place in range(last + 1):
        share = a_credit(w, place)
        keeper = keeper_in(w, slot, share.role)
        if keeper != -1:
            sofar += share.share
            part = a_part(w, count)
            part.rep = holder_of(w, keeper, an_item(w, slot).entity)
            part.upto = 1_000_000 if place == last else credit_upto(sofar, total)
            count += 1
    return count


@scalar
def _credit(w: World, what: int, parts: int, rep: int, period: int, amount: int) -> None:
    """Count an amount for whoever is credited with it."""
    if parts == 0:
        tally_rep(w, what, rep, period, amount)
    given = 0
    for place in range(parts):
        part = a_part(w, place)
        upto = part_of(amount, part.upto)
        tally_rep(w, what, part.rep, period, upto - given)
        given = upto


@scalar
def book(w: World, slot: int, rep: int) -> None:
    """A sale is signed: rows and tallies of its value, product lines, revenue, instalments and credit."""
    item, now = an_item(w, slot), w.now
    lines, parts = list_lines(w, slot), list_parts(w, slot)
    row(w, now, ROW_BOOK, item.entity, item.segment, -1, rep, item.origin, item.value, item.key_value)
    _tally_sale(w, slot, rep, parts)
    for place in range(lines):
        line = a_line(w, place)
        row(w, now, ROW_LINE, item.entity, place, -1, rep, line.product, line.value, 0)
        _tally_line(w, place, rep, parts)
    _recognise(w, slot, rep, parts)
    _collect(w, slot, rep, parts)
    if parts == 0:
        _count_for_quota(w, rep, item.value)
    given = 0
    for place in range(parts):
        part = a_part(w, place)
        upto = part_of(item.value, part.upto)
        row(w, now, ROW_CREDIT, item.entity, place, -1, part.rep, a_rep(w, part.rep).role, upto - given, part.upto)
        _count_for_quota(w, part.rep, upto - given)
        given = upto


@scalar
def _count_for_quota(w: World, rep: int, amount: int) -> None:
    place = quota_in_force(w, rep)
    if place >= 0:
        a_quota(w, place).sold += amount


@scalar
def _tally_sale(w: World, slot: int, rep: int, parts: int) -> None:
    item, period = an_item(w, slot), w.period
    first = item.origin == NEW_LEAD or item.origin == OPENING_PIPELINE
    _credit(w, REVENUE, parts, rep, period, item.value)
    _credit(w, KEY_REVENUE, parts, rep, period, item.key_value)
    tally_rep(w, ORDERS, rep, period, 1)
    tally_company(w, COMPANY_ORDERS, 1)
    tally_segment(w, SEGMENT_ORDERS, item.segment, period, 1)
    tally_segment(w, SEGMENT_REVENUE, item.segment, period, item.value)
    tally_segment(w, SEGMENT_KEY_REVENUE, item.segment, period, item.key_value)
    if first or item.origin == ACCOUNT_OPPORTUNITY:
        _credit(w, NEW_REVENUE, parts, rep, period, item.value)
        cycle = w.now - item.created
        tally_source(w, SOURCE_REVENUE, item.source, period, item.value)
        tally_source(w, SOURCE_KEY_REVENUE, item.source, period, item.key_value)
        tally_source(w, SOURCE_CYCLE, item.source, period, cycle)
        tally_segment(w, SEGMENT_CYCLE, item.segment, period, cycle)
    elif item.origin == TENDER:
        _credit(w, TENDER_REVENUE, parts, rep, period, item.value)
        tally_rep(w, TENDERS_WON, rep, period, 1)
    else:
        _credit(w, ACCOUNT_REVENUE, parts, rep, period, item.value)
        tally_rep(w, REPEAT_ORDERS, rep, period, 1)
        tally_segment(w, SEGMENT_REPEAT, item.segment, period, 1)
    if first:
        tally_rep(w, NEW_CUSTOMERS, rep, period, 1)
        tally_rep(w, CYCLE, rep, period, w.now - item.created)
        tally_segment(w, SEGMENT_NEW, item.segment, period, 1)
        tally_company(w, COMPANY_NEW, 1)
    if item.origin == ACCOUNT_ORDER:
        tally_account(w, ACCOUNT_ORDERS, item.account, 1)
        tally_account(w, ACCOUNT_SALES, item.account, item.value)
    if item.what == ORDER:
        _tally_buyer(w, item.customer)


@scalar
def _tally_buyer(w: World, place: int) -> None:
    customer = a_customer(w, place)
    if customer.bought == 0:
        tally_company(w, COMPANY_REPEAT, 1)
    if customer.bought == 0 or customer.bought_in != w.period:
        tally_company(w, COMPANY_BUYING, 1)
    customer.bought, customer.bought_in = 1, w.period


@scalar
def _tally_line(w: World, place: int, rep: int, parts: int) -> None:
    line = a_line(w, place)
    if line.product < 0:
        return
    tally_product(w, PRODUCT_ORDERS, line.product, 1)
    tally_product(w, PRODUCT_REVENUE, line.product, line.value)
    if place > 0:
        tally_product(w, PRODUCT_ATTACHED, line.product, 1)
    share = a_product(w, line.product).margin
    if share >= 0:
        margin = margin_of(line.value, share, w.vat_within)
        tally_product(w, PRODUCT_MARGIN, line.product, margin)
        _credit(w, MARGIN, parts, rep, w.period, margin)


@scalar
def _recognise(w: World, slot: int, rep: int, parts: int) -> None:
    item = an_item(w, slot)
    net, months = without_vat(item.value, (w.vat_on_top, w.vat_within)), w.recognition_months
    for month in range(months):
        amount = recognised_upto(net, month + 1, months) - recognised_upto(net, month, months)
        # A twelfth of 365 days each: contracts begin on any day, months of the calendar do not fit.
        due = w.now + month * 365 * _DAY_TICKS // 12
        if due < w.end:
            row(w, due, ROW_RECOGNISE, item.entity, month, -1, rep, -1, amount, 0)
            _credit(w, RECOGNISED, parts, rep, period_at(w, due), amount)


@scalar
def _collect(w: World, slot: int, rep: int, parts: int) -> None:
    item, given = an_item(w, slot), 0
    gross = with_vat(item.value, (w.vat_on_top, w.vat_within))
    source = item.source if item.what == LEAD else -1
    for number in range(w.instalment_count):
        instalment = an_instalment(w, number)
        upto = gross if instalment.last == 1 else paid_upto(gross, instalment.upto)
        amount, given = upto - given, upto
        due = w.now + instalment.due
        late, paid = payment(samplers(w), w.payment_delay, w.collection, key_of(w), item.entity, number)
        if due < w.end:
            row(w, due, ROW_DUE, item.entity, number, -1, rep, -1, amount, 0)
            period = period_at(w, due)
            _credit(w, DUE, parts, rep, period, amount)
            tally_source(w, SOURCE_DUE, source, period, amount)
            tally_segment(w, SEGMENT_DUE, item.segment, period, amount)
        if due + late < w.end:
            row(w, due + late, ROW_CASH if paid else ROW_WRITE_OFF, item.entity, number, -1, rep, -1, amount, 0)
            period = period_at(w, due + late)
            _credit(w, COLLECTED if paid else WRITTEN_OFF, parts, rep, period, amount)
            if paid:
                tally_source(w, SOURCE_COLLECTED, source, period, amount)
                tally_segment(w, SEGMENT_COLLECTED, item.segment, period, amount)
