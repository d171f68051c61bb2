"""Sales in the compiled engine: what a deal turns into when it is signed, as in :class:`sim.ledger.Ledger`."""

from __future__ import annotations

from sim.compile import kernel
from sim.kernel.deal import list_lines
from sim.kernel.names import (
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
from sim.kernel.people import quota_in_force
from sim.kernel.routing import holder_of, keeper_in
from sim.kernel.rows import (
    period_at,
    row,
    tally_account,
    tally_company,
    tally_product,
    tally_rep,
    tally_segment,
    tally_source,
)
from sim.kernel.tables import (
    a_credit,
    a_customer,
    a_line,
    a_part,
    a_product,
    a_quota,
    a_rep,
    an_instalment,
    an_item,
)
from sim.kernel.world import World, key_of, samplers
from sim.log import ACCOUNT_OPPORTUNITY, ACCOUNT_ORDER, NEW_LEAD, OPENING_PIPELINE, TENDER
from sim.rules import (
    margin_of,
    paid_upto,
    payment,
    recognised_upto,
    with_vat,
    without_vat,
)
from sim.rules_people import credit_upto, part_of

_DAY_TICKS = 86_400_000


@kernel
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


@kernel
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


@kernel
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


@kernel
def _count_for_quota(w: World, rep: int, amount: int) -> None:
    place = quota_in_force(w, rep)
    if place >= 0:
        a_quota(w, place).sold += amount


@kernel
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


@kernel
def _tally_buyer(w: World, place: int) -> None:
    customer = a_customer(w, place)
    if customer.bought == 0:
        tally_company(w, COMPANY_REPEAT, 1)
    if customer.bought == 0 or customer.bought_in != w.period:
        tally_company(w, COMPANY_BUYING, 1)
    customer.bought, customer.bought_in = 1, w.period


@kernel
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


@kernel
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


@kernel
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
