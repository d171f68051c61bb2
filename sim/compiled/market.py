"""The market of a model as tables of the compiled engine: sources, products, customers, tenders, open pipeline."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from scenarios.ticks import DAY
from sim.compiled.draft import Draft, Offers, Table, filled, table
from sim.kernel.names import POLICIES
from sim.market import Sources
from sim.model import Model
from sim.offers import BLOCK_HOURS


def market(model: Model, draft: Draft) -> None:
    """Sources, regions and segments."""
    sources = model.sources
    draft.tables["sources"] = filled(
        "sources",
        len(sources.ids),
        {name: getattr(sources, name) for name in ("identity", "first_stage", "quality", "value_factor", "dispersion")}
        | {"policy": [POLICIES.index(policy) for policy in sources.policy]},
    )
    draft.tables["rates"] = sources.rates.reshape(-1)
    draft.tables["day_opens"], draft.tables["day_closes"] = sources.opens.reshape(-1), sources.closes.reshape(-1)
    draft.tables["day_groups"] = _day_groups(sources)
    draft.tables["region_weights"] = sources.regions.reshape(-1)
    draft.tables["segment_weights"] = sources.segments.reshape(-1)
    draft.tables["product_weights"] = sources.products.reshape(-1)
    draft.tables["even_products"] = np.ones(max(len(model.products.ids), 1))
    draft.tables["region_identities"], draft.tables["segment_identities"] = (
        model.region_identity,
        model.segment_identity,
    )
    draft.tables["segments"] = filled(
        "segments",
        len(model.segment_identity),
        {"quality": model.segment_quality, "value_factor": model.segment_value},
    )
    draft.values |= {
        "source_count": len(sources.ids),
        "segment_count": len(model.scenario.segments),
        "day_count": sources.rates.shape[1],
        "group_count": len(draft.tables["day_groups"]) - 1,
    }


def _day_groups(sources: Sources) -> Table:
    """First day of each group of days that no time of arrival crosses: each day, as long as hours do not overlap."""
    days = sources.rates.shape[1]
    if not len(sources.ids):
        return np.array([0, days], dtype=np.int64)
    latest = np.maximum.accumulate(sources.closes.max(axis=0))
    apart = sources.opens.min(axis=0)[1:] >= latest[:-1]
    return np.array([0, *(np.flatnonzero(apart) + 1), days], dtype=np.int64)


def sales(model: Model, draft: Draft) -> None:
    """Products, bundles, cash and credit."""
    products, cash = model.products, model.scenario.cash
    rows = table("products", len(products.ids))
    rows["identity"], rows["value"], rows["key"], rows["margin"] = (
        products.identity,
        products.value,
        products.key,
        products.margin,
    )
    _set_offers(rows, products.attach, draft.offers)
    draft.tables["products"], draft.tables["product_identities"] = rows, products.identity
    bundles = model.bundles
    sizes = [len(bundle.products) for bundle in bundles]
    draft.tables["bundles"] = filled(
        "bundles",
        len(bundles),
        {
            "first": np.cumsum(sizes) - sizes if sizes else [],
            "count": sizes,
            "upto": [bundle.upto for bundle in bundles],
            "factor": [bundle.factor for bundle in bundles],
        },
    )
    draft.tables["bundle_products"] = np.array(
        [place for bundle in bundles for place in bundle.products], dtype=np.int64
    )
    shares, upto = [], 0.0
    for part in model.instalments:
        upto += part.share
        shares.append(upto)
    rows = table("instalments", len(shares))
    rows["due"], rows["upto"] = [round(part.due_days * DAY) for part in model.instalments], shares
    rows["last"][-1:] = 1
    draft.tables["instalments"] = rows
    columns = {"role": [role for role, _ in model.credit], "share": [share for _, share in model.credit]}
    draft.tables["credit"] = filled("credit", len(model.credit), columns)
    draft.tables["parts"] = table("parts", max(len(model.credit), 1))
    draft.values |= {
        "product_count": len(products.ids),
        "bundle_count": len(bundles),
        "instalment_count": len(shares),
        "credit_count": len(model.credit),
        "recognition_months": 1 if cash.recognition == "at_signing" else cash.recognition_months,
        "payment_delay": model.payment_delay,
        "collection": cash.collection_probability,
        "vat_on_top": model.vat[0],
        "vat_within": model.vat[1],
    }


def _set_offers(rows: Table, given: Sequence[tuple[tuple[int, float], ...]], offers: Offers) -> None:
    for place, one in enumerate(given):
        rows["offer_first"][place], rows["offer_count"][place] = offers.place(one)


def customers(model: Model, draft: Draft) -> None:
    """Accounts, changes of owner and what a won lead becomes."""
    accounts, newcomer, physics = model.accounts, model.new_customer, model.scenario.account_physics
    count = len(accounts.ids)
    mixes: dict[bytes, int] = {}
    kept: list[Table] = []

    def mix(weights: Table | None) -> int:
        if weights is None:
            return -1
        if weights.tobytes() not in mixes:
            mixes[weights.tobytes()] = len(kept) * len(weights)
            kept.append(weights)
        return mixes[weights.tobytes()]

    names = ("identity", "region", "segment", "value", "owner", "handover", "visits", "rate", "mean_value")
    columns = {name: getattr(accounts, name) for name in (*names, "care", "owed", "churn")}
    columns |= {"tier": accounts.tier_rank, "mix": [mix(weights) for weights in accounts.products]}
    for place, name in enumerate(("form", "first", "second", "third", "fourth", "fifth")):
        columns[name] = accounts.response[:, place]
    rows = filled("accounts", count, columns)
    _set_offers(rows, accounts.cross_sell, draft.offers)
    draft.tables["accounts"] = rows
    draft.tables["stretches"], draft.tables["season"] = model.stretches.bounds, model.season
    changes = accounts.changes
    named = zip(("tick", "account", "rep"), zip(*changes, strict=True), strict=False) if changes else ()
    draft.tables["changes"] = filled("changes", len(changes), dict(named))
    draft.values |= {
        "account_count": count,
        "change_count": len(changes),
        "stretch_count": len(model.stretches.labels),
        "owner_role": model.owner_role,
        "renews": newcomer is not None,
        "handover_loss": physics.handover_loss if physics else 0.0,
        "care_elasticity": physics.care_elasticity if physics else 0.0,
        "care_cap": physics.care_ratio_cap if physics else 1.0,
    }
    if newcomer is not None:
        first, offered = draft.offers.place(newcomer.cross_sell)
        draft.values |= {
            "new_rate": newcomer.rate,
            "new_value": newcomer.value,
            "new_mean_value": newcomer.mean_value,
            "new_churn": newcomer.churn,
            "new_tier": newcomer.tier_rank,
            "new_care": newcomer.care,
            "new_visits": newcomer.visits,
            "new_mix": mix(newcomer.products),
            "new_offer_first": first,
            "new_offer_count": offered,
        }
    draft.tables["mixes"] = np.concatenate(kept) if kept else np.zeros(0)
    longest = max([draft.offers.longest(), *(len(bundle.products) for bundle in model.bundles)])
    draft.values["most_lines"] = 1 + longest
    draft.tables["lines"] = table("lines", 1 + longest)


def tenders(model: Model, draft: Draft) -> None:
    """Tenders and their blocks of preparing; one whose preparing outlasts the horizon is not decided in it."""
    tenders = model.tenders
    blocks: list[tuple[int, int, int, float]] = []
    awaited = []
    for place, tender in enumerate(tenders):
        count = math.ceil(round(tender.hours / BLOCK_HOURS, 9))
        dues = [tender.begins + (tender.decided - tender.begins) * number // count for number in range(count)]
        awaited.append(all(due < model.end for due in dues))
        blocks += [
            (place, number, due, tender.hours / count)
            for number, due in enumerate(dues)
            if all(earlier < model.end for earlier in dues[: number + 1])
        ]
    names = ("entity", "owner", "region", "segment", "account", "decided", "value", "chance")
    columns = {name: np.array([getattr(tender, name) for tender in tenders]) for name in names} if tenders else {}
    draft.tables["tenders"] = filled("tenders", len(tenders), columns | {"awaited": awaited})
    rows = table("blocks", len(blocks))
    for field, column in zip(("tender", "number", "due", "hours"), zip(*blocks, strict=True), strict=False):
        rows[field] = column
    draft.tables["blocks"] = rows
    draft.values |= {"tender_count": len(tenders), "block_count": len(blocks)}


def opening(model: Model, draft: Draft) -> None:
    """The open pipeline."""
    rows = table("openings", len(model.pipeline))
    for name in rows.dtype.names or ():
        rows[name] = np.array([getattr(opening, name) for opening in model.pipeline], dtype=rows.dtype[name])
    draft.tables["openings"] = rows
    draft.values["opening_count"] = len(rows)
