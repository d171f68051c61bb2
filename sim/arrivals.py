"""Leads of one replication: new ones by source, and the open pipeline, with what they are and are worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.log import ACCOUNT_OPPORTUNITY, NEW_LEAD, OPENING_PIPELINE, Lead, Lines
from sim.model import Model, Opening
from sim.offers import Bundle
from sim.rules import money_drawn
from sim.rules_arrivals import arrivals_of, chosen, chosen_one, daily_counts, deal_values
from sim.streams import Purpose, draw, pair_identity, room_for

_BUNDLE = int(Purpose.BUNDLE)
_REGION = int(Purpose.REGION)
_SEGMENT = int(Purpose.SEGMENT)
_PRODUCT = int(Purpose.PRODUCT)

NO_PRODUCT: Final = -1
"""A bundle is no single product, nor is a deal of a company that names none."""


@dataclass(frozen=True)
class Arrivals:
    """New leads sorted by (time, entity), all arrays of length n; positions of source, region, segment, product.

    ``value`` is that of the main product in minor units, ``factor`` multiplies the value of every product.
    """

    time: NDArray[np.int64]
    entity: NDArray[np.uint64]
    source: NDArray[np.int64]
    region: NDArray[np.int64]
    segment: NDArray[np.int64]
    product: NDArray[np.int64]
    factor: NDArray[np.float64]
    value: NDArray[np.int64]


def new_leads(model: Model, key: np.uint64) -> Arrivals:
    """All leads that arrive within the horizon of one replication."""
    sources = model.sources
    columns: list[tuple[NDArray[np.int64], NDArray[np.uint64], int]] = []
    for position in range(len(sources.ids)):
        identity = sources.identity[position]
        counts = daily_counts(key, identity, sources.rates[position], sources.dispersion[position])
        times = np.zeros(counts.sum(), dtype=np.int64)
        entities = np.zeros(len(times), dtype=np.uint64)
        arrivals_of(key, identity, counts, sources.opens[position], sources.closes[position], times, entities)
        columns.append((times, entities, position))
    if not columns:
        empty = np.zeros(0, dtype=np.int64)
        return Arrivals(empty, empty.astype(np.uint64), empty, empty, empty, empty, empty.astype(np.float64), empty)
    products = model.products.identity if model.products.ids else np.zeros(1, dtype=np.uint64)
    picks = [
        np.column_stack(
            [
                chosen(key, entities, model.region_identity, sources.regions[position], _REGION),
                chosen(key, entities, model.segment_identity, sources.segments[position], _SEGMENT),
                chosen(key, entities, products, sources.products[position], _PRODUCT),
            ]
        )
        for _, entities, position in columns
    ]
    time = np.concatenate([times for times, _, _ in columns])
    entity = np.concatenate([entities for _, entities, _ in columns])
    source = np.concatenate([np.full(len(times), position, dtype=np.int64) for times, _, position in columns])
    kind = np.concatenate(picks)
    order = np.lexsort((entity, time))
    order = order[time[order] < model.end]
    time, entity, source = time[order], entity[order], source[order]
    region, segment, product = (np.ascontiguousarray(kind[order, column]) for column in range(3))
    factor = sources.value_factor[source] * model.segment_value[segment]
    value = np.zeros(len(time), dtype=np.int64)
    if model.products.ids:
        value = deal_values(model.tables, key, entity, model.products.value[product], factor)
    return Arrivals(time, entity, source, region, segment, product, factor, value)


def each_lead(model: Model, key: np.uint64, arrivals: Arrivals) -> Iterator[tuple[int, Lead]]:
    """Time and lead of every arrival, one after the other."""
    sources, products, scenario = model.sources, model.products, model.scenario
    quality = sources.quality[arrivals.source] + model.segment_quality[arrivals.segment]
    names = ("time", "entity", "source", "region", "segment", "product", "factor", "value")
    columns = [getattr(arrivals, name).tolist() for name in names]
    for time, entity, source, region, segment, product, factor, value, good in zip(
        *columns, quality.tolist(), strict=True
    ):
        lines: Lines = ()
        bundle = bundle_of(model, key, np.uint64(entity))
        if bundle is not None:
            lines = bundle_lines(model, key, np.uint64(entity), bundle, factor)
            product = NO_PRODUCT
        elif products.ids:
            extra = attached_lines(model, key, np.uint64(entity), products.attach[product], factor)
            lines = ((product, value), *extra)
        yield (
            time,
            Lead(
                entity=entity,
                origin=NEW_LEAD,
                source=source,
                region=region,
                segment=segment if scenario.segments else -1,
                product=product if products.ids else NO_PRODUCT,
                quality=good,
                value=sum(value for _, value in lines),
                key_value=key_value(model, lines),
                lines=lines,
            ),
        )


def opening_lead(model: Model, key: np.uint64, opening: Opening) -> Lead:
    """An open opportunity with its quality, and its value where the file gives none."""
    sources = model.sources
    known = opening.source >= 0
    quality = float(sources.quality[opening.source]) if known else 0.0
    factor = float(sources.value_factor[opening.source]) if known else 1.0
    if opening.segment >= 0:
        quality += float(model.segment_quality[opening.segment])
        factor *= float(model.segment_value[opening.segment])
    product = opening.product
    bundle = bundle_of(model, key, opening.entity) if product < 0 and opening.value < 0 else None
    if product < 0 and bundle is None and model.products.ids:
        weights = sources.products[opening.source] if known else np.ones(len(model.products.ids))
        kinds = model.products.identity
        product = int(chosen_one(key, opening.entity, kinds, weights, _PRODUCT, room_for(len(kinds))))
    if opening.value >= 0:
        lines: Lines = ((product, opening.value),)
    elif bundle is not None:
        lines = bundle_lines(model, key, opening.entity, bundle, factor)
    else:
        lines = deal_lines(model, key, opening.entity, product, factor)
    return Lead(
        entity=int(opening.entity),
        origin=OPENING_PIPELINE if opening.account < 0 else ACCOUNT_OPPORTUNITY,
        source=opening.source,
        region=opening.region,
        segment=opening.segment,
        product=product,
        quality=quality,
        value=sum(value for _, value in lines),
        key_value=key_value(model, lines),
        lines=lines,
        account=opening.account,
    )


def bundle_of(model: Model, key: np.uint64, entity: np.uint64) -> Bundle | None:
    """The bundle that a deal is, if it is one: by one draw of the deal."""
    if not model.bundles:
        return None
    u = draw(key, entity, 0, 0, _BUNDLE)
    return next((bundle for bundle in model.bundles if u < bundle.upto), None)


def bundle_lines(model: Model, key: np.uint64, entity: np.uint64, bundle: Bundle, factor: float) -> Lines:
    """All products of a bundle at its price factor, in minor units; each has a draw of its own."""
    products, lines = model.products, []
    for product in bundle.products:
        pair = np.uint64(pair_identity(entity, products.identity[product]))
        price = factor * bundle.factor
        lines.append((product, int(money_drawn(model.tables, products.value[product], price, key, pair, 0))))
    return tuple(lines)


def deal_lines(model: Model, key: np.uint64, entity: np.uint64, product: int, factor: float) -> Lines:
    """Products of a deal with their values in minor units: the main one, then what goes along with it."""
    products = model.products
    if not products.ids:
        return ()
    value = int(money_drawn(model.tables, products.value[product], factor, key, entity, 0))
    return ((product, value), *attached_lines(model, key, entity, products.attach[product], factor))


def attached_lines(
    model: Model, key: np.uint64, entity: np.uint64, offers: tuple[tuple[int, float], ...], factor: float
) -> Lines:
    """What a deal or order brings along; each offer has draws of its own, whatever else is offered.

    Args:
        offers: (product, chance).
    """
    products = model.products
    lines = []
    for product, chance in offers:
        pair = np.uint64(pair_identity(entity, products.identity[product]))
        if draw(key, pair, 0, 0, _BUNDLE) < chance:
            lines.append((product, int(money_drawn(model.tables, products.value[product], factor, key, pair, 0))))
    return tuple(lines)


def key_value(model: Model, lines: Lines) -> int:
    """Value of the key products among the lines."""
    return sum(value for product, value in lines if product >= 0 and model.products.key[product])
