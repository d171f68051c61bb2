"""A model as the tables of the compiled engine: what every replication starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from scenarios.market import Motivation
from scenarios.ticks import DAY, NEVER
from sim.compiled.draft import Draft, Table, filled, table
from sim.compiled.lanes import lanes_of
from sim.compiled.market import customers, market, opening, sales, tenders
from sim.kernel import names
from sim.kernel.world import TABLES
from sim.model import Model
from sim.streams import pair_identity, room_for


@dataclass(frozen=True)
class Start:
    """What a run starts from: tables by name (:data:`sim.kernel.world.TABLES`) and the world's counts and shares."""

    tables: Mapping[str, Table]
    values: Mapping[str, float]


def start_of(model: Model) -> Start:
    """The tables of a model; those that only change during a run are empty or hold how they begin."""
    draft = Draft()
    for fill in (funnel, people, desks, market, sales, customers, tenders, opening):
        fill(model, draft)
    tables = draft.tables | draft.clocks.tables() | draft.offers.tables() | _tallies(model)
    parts = ("recognition_months", "most_lines", "instalment_count", "instalment_count", "credit_count")
    draft.values["end"] = model.end
    draft.values["margin_of_rows"] = 64 + sum(int(draft.values[name]) for name in parts)
    kinds = (model.reps.ids, model.region_identity, model.segment_identity, model.products.ids)
    tables["draws"] = room_for(max(len(kind) for kind in kinds))
    draft.values |= lanes_of(model, tables)
    # Each lane goes through all buckets, so lanes want fewer; short buckets make for short heaps.
    wanted = int(model.expected_leads()).bit_length() - (4 if draft.values["laned"] else 2)
    bits = (model.end // (1 << min(max(wanted, 8), 18))).bit_length()
    draft.values["bucket_bits"] = bits
    tables["buckets"] = table("buckets", (model.end >> bits) + 1)
    empty = {name: np.zeros(0, dtype=TABLES[name]) for name in TABLES if name not in tables}
    return Start(tables | empty, draft.values)


def funnel(model: Model, draft: Draft) -> None:
    """Stages, samplers and reporting periods."""
    stages, count = model.stages, model.stages.count
    rows = table("stages", count + 2)
    rows["effort"] = stages.effort
    for name in ("patience", "delay", "loss_delay", "role", "support", "support_effort", "recycle_rest"):
        rows[name][:count] = getattr(stages, name)
    for name in ("recycle_max", "after_win", "to_pool", "base_logit", "recycle_chance"):
        rows[name][:count] = getattr(stages, name)
    rows["support"][count:] = -1
    draft.tables["stages"] = rows
    draft.tables["sampler_head"] = model.tables.head.reshape(-1)
    draft.tables["sampler_rows"] = model.tables.rows.reshape(-1)
    draft.tables["activities"] = stages.activities.reshape(-1)
    draft.tables["bounds"] = model.periods.bounds
    draft.values |= {
        "stage_count": count,
        "activity_count": len(stages.activity_names),
        "period_count": len(model.periods.labels),
        "queue": names.QUEUES.index(model.scenario.queue),
        "customers_clock": draft.clocks.place(model.customers),
    }


def people(model: Model, draft: Draft) -> None:
    """Reps, their quotas and how leads are routed to them."""
    reps, routing = model.reps, model.scenario.routing
    count = len(reps.ids)
    order = np.argsort(reps.identity)
    ranks = np.argsort(order)
    region_count = len(model.region_identity)
    places = np.zeros(count, dtype=np.int64) if routing.across_regions else reps.region
    draft.tables["reps"] = filled(
        "reps",
        count,
        {name: getattr(reps, name) for name in ("identity", "region", "role", "hired", "successor", "weight")}
        | {name: getattr(reps, name) for name in ("attrition", "replaced_after", "newcomer_first", "leaves")}
        | {
            "rank": ranks,
            "clock": [draft.clocks.place(clock) for clock in reps.clocks],
            "seat_clock": [draft.clocks.place(clock) for clock in reps.seat_clocks],
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
    draft.tables["reps"]["clock_now"] = draft.tables["reps"]["clock"]
    draft.tables["in_order"] = order.astype(np.int64)
    draft.tables["rep_identities"], draft.tables["rep_weights"] = reps.identity, reps.weight
    given = model.lead_shares
    draft.tables["share_starts"], draft.tables["share_rows"] = given.starts, given.rows
    draft.tables["share_weights"] = given.weights.reshape(-1)
    draft.tables["epoch_starts"], draft.tables["tenure"] = reps.epoch_start, reps.tenure
    draft.tables["shifts"], draft.tables["factors"] = reps.shift.reshape(-1), reps.factor.reshape(-1)
    draft.tables["epoch_owners"], draft.tables["epoch_skills"] = reps.owner, reps.skill.reshape(-1)
    roles = len(model.role_identity)
    draft.tables["staff"] = table("staff", 4 * count)
    draft.tables["staff_first"] = table("staff_first", (roles + 1) * (region_count + 1) + 1)
    draft.tables["turns"] = table("turns", roles * region_count)
    draft.tables["skilled"] = table("skilled", count)
    quotas = model.quotas
    columns = {"start": quotas.start, "end": quotas.end, "value": quotas.value}
    draft.tables["quotas"] = filled("quotas", len(quotas.value), columns)
    motivation = model.scenario.motivation
    rule = motivation or Motivation()
    rules = "give_up_below stretch_above coast_above pace_change period_end_push push_share judged_after"
    draft.values |= {name: getattr(rule, name) for name in rules.split()}
    after = routing.return_to_pool_days
    draft.values |= {
        "rep_count": count,
        "role_count": roles,
        "share_count": len(given.starts),
        "region_count": region_count,
        "tenure_count": len(reps.tenure),
        "reference": model.scenario.skills.reference,
        "motivated": motivation is not None,
        "policy": names.POLICIES.index(routing.policy),
        "same_rep": routing.same_rep,
        "all_willing": bool((reps.weight > 0).all()),
        "across": routing.across_regions,
        "return_after": -1 if after is None else round(after * DAY),
    }


def desks(model: Model, draft: Draft) -> None:
    """Own desks by the position of the rep, then one pool for each role and region."""
    reps, roles, regions = draft.tables["reps"], model.role_identity, model.region_identity
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
    desks["first"] = desks["last"] = desks["woken"] = desks["incoming"] = -1
    desks["watched"] = NEVER
    order = draft.tables["in_order"]
    members = [order[reps["pool"][order] == count + place] for place in range(len(pools))]
    desks["rep_count"] = [1] * count + [len(people) for people in members]
    desks["rep_first"] = np.cumsum(desks["rep_count"]) - desks["rep_count"]
    draft.tables["desks"] = desks
    draft.tables["desk_reps"] = np.concatenate([np.arange(count), *members]).astype(np.int64)
    support_order = np.argsort(model.support_identity)
    draft.tables["supports"] = filled(
        "supports",
        supports,
        {
            "rank": np.argsort(support_order),
            "clock": [draft.clocks.place(clock) for clock in model.support_clocks],
            "people": model.support_people,
            "free": model.support_people,
            "pace": model.support_pace,
            "woken": -1,
        },
    )
    draft.tables["desk_of"] = np.concatenate([support_order, np.argsort(desks["rank"])]).astype(np.int64)
    draft.tables["lane_free"] = table("lane_free", len(draft.tables["desk_reps"]))
    draft.tables["dues"] = table("dues", len(desks) + supports)
    for name in ("needs", "waiting", "waiting_at"):
        draft.tables[name] = table(name, len(desks) * supports)
    draft.values |= {"desk_count": len(desks), "support_count": supports}


def _tallies(model: Model) -> dict[str, Table]:
    """Tables of sums, all zero."""
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
