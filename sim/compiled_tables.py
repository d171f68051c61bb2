"""A model as the tables of the compiled engine: what every replication starts from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.market import Motivation
from scenarios.ticks import DAY, NEVER
from sim.kernel_names import POLICIES, QUEUES
from sim.kernel_world import SHARES, TABLES
from sim.market import Sources
from sim.model import Model
from sim.streams import pair_identity
from sim.tenders import BLOCK_HOURS
from sim.worktime import WorkClock

Table = NDArray[Any]
GROWN = ("events", "items", "keepers", "arrivals", "customers", "rows", "lead_rows", "line_rows", "buyers")
"""Tables that grow with what happens; all others have their size from the model."""


@dataclass(frozen=True)
class Start:
    """What a run starts from: tables by name (:data:`sim.kernel_world.TABLES`) and the world's counts and shares."""

    tables: Mapping[str, Table]
    values: Mapping[str, float]


def start_of(model: Model) -> Start:
    """The tables of a model; those that only change during a run are empty or hold how they begin."""
    clocks = _Clocks()
    offers = _Offers()
    tables: dict[str, Table] = {}
    values: dict[str, float] = dict.fromkeys(SHARES.split(), 0.0)
    for fill in (_funnel, _people, _desks, _market, _sales, _customers, _tenders, _opening):
        fill(model, tables, values, clocks, offers)
    tables |= clocks.tables() | offers.tables() | _tallies(model)
    values["end"] = model.end
    values["margin_of_rows"] = (
        64
        + sum(int(values[name]) for name in ("recognition_months", "most_lines", "instalment_count", "credit_count"))
        + int(values["instalment_count"])
    )
    empty = {name: np.zeros(0, dtype=TABLES[name]) for name in TABLES if name not in tables}
    return Start(tables | empty, values)


class _Clocks:
    """Working times end to end; equal ones are stored once."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self._kept: list[WorkClock] = []

    def place(self, clock: WorkClock) -> int:
        content = clock.opens.tobytes() + b"|" + clock.closes.tobytes()
        if content not in self._places:
            self._places[content] = len(self._kept)
            self._kept.append(clock)
        return self._places[content]

    def tables(self) -> dict[str, Table]:
        counts = [len(clock.opens) for clock in self._kept]
        rows = table("clocks", len(counts))
        rows["count"] = counts
        rows["first"] = np.cumsum(counts) - counts
        return {
            "clocks": rows,
            "opens": np.concatenate([clock.opens for clock in self._kept]),
            "closes": np.concatenate([clock.closes for clock in self._kept]),
            "worked_before": np.concatenate([clock.cum for clock in self._kept]),
        }


class _Offers:
    """Products that may come along, list by list; equal lists are stored once."""

    def __init__(self) -> None:
        self._places: dict[tuple[tuple[int, float], ...], tuple[int, int]] = {}
        self._rows: list[tuple[int, float]] = []

    def place(self, offers: tuple[tuple[int, float], ...]) -> tuple[int, int]:
        if offers not in self._places:
            self._places[offers] = len(self._rows), len(offers)
            self._rows += offers
        return self._places[offers]

    def longest(self) -> int:
        return max((count for _, count in self._places.values()), default=0)

    def tables(self) -> dict[str, Table]:
        rows = table("offers", len(self._rows))
        rows["product"] = [product for product, _ in self._rows]
        rows["chance"] = [chance for _, chance in self._rows]
        return {"offers": rows}


Parts = tuple[Model, dict[str, Table], dict[str, float], _Clocks, _Offers]


def table(name: str, length: int) -> Table:
    """An empty table of a world."""
    return np.zeros(length, dtype=TABLES[name])


def filled(name: str, length: int, columns: Mapping[str, object]) -> Table:
    """A table of a world from its columns."""
    rows = table(name, length)
    for field, column in columns.items():
        rows[field] = column
    return rows


def _funnel(model: Model, tables: dict[str, Table], values: dict[str, float], clocks: _Clocks, _: _Offers) -> None:
    stages, count = model.stages, model.stages.count
    rows = table("stages", count + 2)
    rows["effort"] = stages.effort
    for name in ("patience", "delay", "loss_delay", "role", "support", "support_effort", "recycle_rest"):
        rows[name][:count] = getattr(stages, name)
    for name in ("recycle_max", "after_win", "to_pool", "base_logit", "recycle_chance"):
        rows[name][:count] = getattr(stages, name)
    rows["support"][count:] = -1
    tables["stages"] = rows
    tables["sampler_head"] = model.tables.head.reshape(-1)
    tables["sampler_rows"] = model.tables.rows.reshape(-1)
    tables["activities"] = stages.activities.reshape(-1)
    tables["bounds"] = model.periods.bounds
    values |= {
        "stage_count": count,
        "activity_count": len(stages.activity_names),
        "period_count": len(model.periods.labels),
        "queue": QUEUES.index(model.scenario.queue),
        "customers_clock": clocks.place(model.customers),
    }


def _people(model: Model, tables: dict[str, Table], values: dict[str, float], clocks: _Clocks, _: _Offers) -> None:
    reps, routing = model.reps, model.scenario.routing
    count = len(reps.ids)
    order = np.argsort(reps.identity)
    ranks = np.argsort(order)
    region_count = len(model.region_identity)
    places = np.zeros(count, dtype=np.int64) if routing.across_regions else reps.region
    tables["reps"] = filled(
        "reps",
        count,
        {name: getattr(reps, name) for name in ("identity", "region", "role", "hired", "successor", "weight")}
        | {name: getattr(reps, name) for name in ("attrition", "replaced_after", "newcomer_first", "leaves")}
        | {
            "rank": ranks,
            "clock": [clocks.place(clock) for clock in reps.clocks],
            "seat_clock": [clocks.place(clock) for clock in reps.seat_clocks],
            "epoch_first": reps.epoch_first[:-1],
            "epoch_count": np.diff(reps.epoch_first),
            "pool": count + reps.role * region_count + places,
            "quota_first": model.quotas.first[:-1],
            "quota_last": model.quotas.first[1:],
            "employed": reps.hired == 0,
            "joined": reps.hired,
            "first_left": NEVER,
            "seat_begin": -NEVER,
            "seated": 1,
        },
    )
    tables["reps"]["clock_now"] = tables["reps"]["clock"]
    tables["in_order"] = order.astype(np.int64)
    tables["rep_identities"], tables["rep_weights"] = reps.identity, reps.weight
    tables["epoch_starts"], tables["tenure"] = reps.epoch_start, reps.tenure
    tables["shifts"], tables["factors"] = reps.shift.reshape(-1), reps.factor.reshape(-1)
    tables["epoch_owners"], tables["epoch_skills"] = reps.owner, reps.skill.reshape(-1)
    roles = len(model.role_identity)
    tables["staff"] = table("staff", 4 * count)
    tables["staff_first"] = table("staff_first", (roles + 1) * (region_count + 1) + 1)
    tables["turns"] = table("turns", roles * region_count)
    tables["skilled"] = table("skilled", count)
    quotas = model.quotas
    columns = {"start": quotas.start, "end": quotas.end, "value": quotas.value}
    tables["quotas"] = filled("quotas", len(quotas.value), columns)
    motivation = model.scenario.motivation
    rule = motivation or Motivation()
    names = "give_up_below stretch_above coast_above pace_change period_end_push push_share judged_after"
    values |= {name: getattr(rule, name) for name in names.split()}
    after = routing.return_to_pool_days
    values |= {
        "rep_count": count,
        "role_count": roles,
        "region_count": region_count,
        "tenure_count": len(reps.tenure),
        "reference": model.scenario.skills.reference,
        "motivated": motivation is not None,
        "policy": POLICIES.index(routing.policy),
        "same_rep": routing.same_rep,
        "across": routing.across_regions,
        "return_after": -1 if after is None else round(after * DAY),
    }


def _desks(model: Model, tables: dict[str, Table], values: dict[str, float], clocks: _Clocks, _: _Offers) -> None:
    """Own desks by the position of the rep, then one pool for each role and region."""
    reps, roles, regions = tables["reps"], model.role_identity, model.region_identity
    count, supports = len(reps), len(model.support_people)
    pools = sorted(
        product(range(len(roles)), range(len(regions))),
        key=lambda place: int(pair_identity(roles[place[0]], regions[place[1]])),
    )
    ranked = [role * len(regions) + region for role, region in pools]
    desks = table("desks", count + len(pools))
    desks["rank"][:count] = reps["rank"]
    desks["rank"][count:] = count + np.argsort(ranked)
    desks["rep"] = np.where(np.arange(len(desks)) < count, np.arange(len(desks)), -1)
    desks["first"] = desks["last"] = desks["woken"] = -1
    order = tables["in_order"]
    members = [order[reps["pool"][order] == count + place] for place in range(len(pools))]
    desks["rep_count"] = [1] * count + [len(people) for people in members]
    desks["rep_first"] = np.cumsum(desks["rep_count"]) - desks["rep_count"]
    tables["desks"] = desks
    tables["desk_reps"] = np.concatenate([np.arange(count), *members]).astype(np.int64)
    support_order = np.argsort(model.support_identity)
    tables["supports"] = filled(
        "supports",
        supports,
        {
            "rank": np.argsort(support_order),
            "clock": [clocks.place(clock) for clock in model.support_clocks],
            "people": model.support_people,
            "free": model.support_people,
            "pace": model.support_pace,
            "woken": -1,
        },
    )
    tables["desk_of"] = np.concatenate([support_order, np.argsort(desks["rank"])]).astype(np.int64)
    tables["dues"] = table("dues", len(desks) + supports)
    for name in ("needs", "waiting", "waiting_at"):
        tables[name] = table(name, len(desks) * supports)
    values |= {"desk_count": len(desks), "support_count": supports}


def _market(model: Model, tables: dict[str, Table], values: dict[str, float], _: _Clocks, __: _Offers) -> None:
    sources = model.sources
    tables["sources"] = filled(
        "sources",
        len(sources.ids),
        {name: getattr(sources, name) for name in ("identity", "first_stage", "quality", "value_factor", "dispersion")}
        | {"policy": [POLICIES.index(policy) for policy in sources.policy]},
    )
    tables["rates"] = sources.rates.reshape(-1)
    tables["day_opens"], tables["day_closes"] = sources.opens.reshape(-1), sources.closes.reshape(-1)
    tables["day_groups"] = _day_groups(sources)
    tables["region_weights"] = sources.regions.reshape(-1)
    tables["segment_weights"] = sources.segments.reshape(-1)
    tables["product_weights"] = sources.products.reshape(-1)
    tables["even_products"] = np.ones(max(len(model.products.ids), 1))
    tables["region_identities"], tables["segment_identities"] = model.region_identity, model.segment_identity
    tables["segments"] = filled(
        "segments",
        len(model.segment_identity),
        {"quality": model.segment_quality, "value_factor": model.segment_value},
    )
    values |= {
        "source_count": len(sources.ids),
        "segment_count": len(model.scenario.segments),
        "day_count": sources.rates.shape[1],
        "group_count": len(tables["day_groups"]) - 1,
    }


def _day_groups(sources: Sources) -> Table:
    """First day of each group of days that no time of arrival crosses: each day, as long as hours do not overlap."""
    days = sources.rates.shape[1]
    if not len(sources.ids):
        return np.array([0, days], dtype=np.int64)
    latest = np.maximum.accumulate(sources.closes.max(axis=0))
    apart = sources.opens.min(axis=0)[1:] >= latest[:-1]
    return np.array([0, *(np.flatnonzero(apart) + 1), days], dtype=np.int64)


def _sales(model: Model, tables: dict[str, Table], values: dict[str, float], _: _Clocks, offers: _Offers) -> None:
    products, cash = model.products, model.scenario.cash
    rows = table("products", len(products.ids))
    rows["identity"], rows["value"], rows["key"], rows["margin"] = (
        products.identity,
        products.value,
        products.key,
        products.margin,
    )
    _set_offers(rows, products.attach, offers)
    tables["products"], tables["product_identities"] = rows, products.identity
    bundles = model.bundles
    sizes = [len(bundle.products) for bundle in bundles]
    tables["bundles"] = filled(
        "bundles",
        len(bundles),
        {
            "first": np.cumsum(sizes) - sizes if sizes else [],
            "count": sizes,
            "upto": [bundle.upto for bundle in bundles],
            "factor": [bundle.factor for bundle in bundles],
        },
    )
    tables["bundle_products"] = np.array([place for bundle in bundles for place in bundle.products], dtype=np.int64)
    shares, upto = [], 0.0
    for part in model.instalments:
        upto += part.share
        shares.append(upto)
    rows = table("instalments", len(shares))
    rows["due"], rows["upto"] = [round(part.due_days * DAY) for part in model.instalments], shares
    rows["last"][-1:] = 1
    tables["instalments"] = rows
    columns = {"role": [role for role, _ in model.credit], "share": [share for _, share in model.credit]}
    tables["credit"] = filled("credit", len(model.credit), columns)
    tables["parts"] = table("parts", max(len(model.credit), 1))
    values |= {
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


def _set_offers(rows: Table, given: Sequence[tuple[tuple[int, float], ...]], offers: _Offers) -> None:
    for place, one in enumerate(given):
        rows["offer_first"][place], rows["offer_count"][place] = offers.place(one)


def _customers(model: Model, tables: dict[str, Table], values: dict[str, float], _: _Clocks, offers: _Offers) -> None:
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
    _set_offers(rows, accounts.cross_sell, offers)
    tables["accounts"] = rows
    tables["stretches"], tables["season"] = model.stretches.bounds, model.season
    changes = accounts.changes
    named = zip(("tick", "account", "rep"), zip(*changes, strict=True), strict=False) if changes else ()
    tables["changes"] = filled("changes", len(changes), dict(named))
    values |= {
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
        first, offered = offers.place(newcomer.cross_sell)
        values |= {
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
    tables["mixes"] = np.concatenate(kept) if kept else np.zeros(0)
    longest = max([offers.longest(), *(len(bundle.products) for bundle in model.bundles)])
    values["most_lines"] = 1 + longest
    tables["lines"] = table("lines", 1 + longest)


def _tenders(model: Model, tables: dict[str, Table], values: dict[str, float], _: _Clocks, __: _Offers) -> None:
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
    tables["tenders"] = filled("tenders", len(tenders), columns | {"awaited": awaited})
    rows = table("blocks", len(blocks))
    for field, column in zip(("tender", "number", "due", "hours"), zip(*blocks, strict=True), strict=False):
        rows[field] = column
    tables["blocks"] = rows
    values |= {"tender_count": len(tenders), "block_count": len(blocks)}


def _opening(model: Model, tables: dict[str, Table], values: dict[str, float], _: _Clocks, __: _Offers) -> None:
    rows = table("openings", len(model.pipeline))
    for name in rows.dtype.names or ():
        rows[name] = np.array([getattr(opening, name) for opening in model.pipeline], dtype=rows.dtype[name])
    tables["openings"] = rows
    values["opening_count"] = len(rows)


def _tallies(model: Model) -> dict[str, Table]:
    """Tables of sums, all zero."""
    from sim import kernel_names as names

    periods, activities = len(model.periods.labels), len(model.stages.activity_names)
    reps, stages = len(model.reps.ids), model.stages.count
    sizes = {
        "rep_tally": len(names.REP_TALLIES) * reps * periods,
        "stage_tally": len(names.STAGE_TALLIES) * stages * periods,
        "source_tally": len(names.SOURCE_TALLIES) * len(model.sources.ids) * periods,
        "product_tally": len(names.PRODUCT_TALLIES) * len(model.products.ids) * periods,
        "segment_tally": len(names.SEGMENT_TALLIES) * len(model.scenario.segments) * periods,
        "account_tally": len(names.ACCOUNT_TALLIES) * len(model.accounts.ids),
        "company_tally": len(names.COMPANY_TALLIES) * periods,
        "rep_activity": activities * reps * periods,
        "stage_activity": activities * stages * periods,
    }
    return {name: table(name, size) for name, size in sizes.items()}
