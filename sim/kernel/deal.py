"""What a deal of the compiled engine consists of and is worth: the lines of :mod:`sim.arrivals` and of orders."""

from __future__ import annotations

import numpy as np

from sim.compile import kernel
from sim.kernel.names import LEAD, ORDER
from sim.kernel.tables import (
    a_bundle,
    a_buyer,
    a_customer,
    a_lead_row,
    a_line,
    a_line_row,
    a_product,
    an_item,
    an_offer,
    identity_at,
    whole,
)
from sim.kernel.world import World, key_of, samplers
from sim.rules import cross_sell_chance, money_drawn
from sim.streams import Purpose, draw, pair_identity

_BUNDLE = int(Purpose.BUNDLE)
MOST_MONEY = 2**60
"""Minor units of all deals of a horizon together; sums of a few such still fit into 64 bits."""


@kernel
def bundle_of(w: World, entity: np.uint64) -> int:
    """The bundle that a deal is, -1 if it is none: by one draw of the deal."""
    if w.bundle_count == 0:
        return -1
    u = draw(key_of(w), entity, 0, 0, _BUNDLE)
    for place in range(w.bundle_count):
        if u < a_bundle(w, place).upto:
            return place
    return -1


@kernel
def _line(w: World, count: int, product: int, value: int) -> int:
    line = a_line(w, count)
    line.product, line.value = product, value
    return count + 1


@kernel
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


@kernel
def set_worth(w: World, slot: int) -> int:
    """Set what a deal is worth; how many lines it has."""
    item = an_item(w, slot)
    if w.product_count == 0 and item.given < 0 and item.what == LEAD:
        item.value, item.key_value = 0, 0
        return 0
    count = list_lines(w, slot)
    value, key_value = 0, 0
    for place in range(count):
        line = a_line(w, place)
        value += line.value
        if line.product >= 0 and a_product(w, line.product).key == 1:
            key_value += line.value
    item.value, item.key_value = value, key_value
    return count


@kernel
def value_deal(w: World, slot: int) -> None:
    """A deal arises: set what it is worth, and remember it for the log."""
    count = set_worth(w, slot)
    value = an_item(w, slot).value
    # A value beyond the range wraps round to a negative one when it becomes a whole number.
    if value < 0 or value >= MOST_MONEY - w.signed:
        w.too_much = 1
    else:
        w.signed += value
    if w.logging == 1:
        _remember(w, slot, count)


@kernel
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
