"""The state of a run as the compiled engine sees it: records of plain numbers, and the world that holds them all.

The same things as in :mod:`sim.components` and :mod:`sim.accounts`, without objects. Positions of -1 mean nobody or
nothing. The fields below the line in each record change during a run, those above do not.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sim.compile import kernel
from sim.kernel.view import view, view_rows
from sim.log import LOG_DTYPE
from sim.samplers import SamplerTables

World = Any
"""A record of :data:`WORLD`; mypy does not know records."""


_LINE = 64
"""Bytes of a line of the processor's cache."""


def _record(whole: str, floats: str = "", identities: str = "") -> Any:
    """Fields of 64 bits."""
    return _lines(f"u8 {identities}", f"f8 {floats}", f"i8 {whole}", size=8)


def _lines(*groups: str, size: int = _LINE) -> Any:
    """Fields in this order, each group with its type: of rows that are touched often, by lines of the cache.

    Positions and counts there have 32 bits, and what is asked of every row lies together.

    Args:
        size: rows are as long as a multiple of so many bytes.
    """
    fields = [(name, kind) for kind, *names in map(str.split, groups) for name in names]
    packed = np.dtype(fields, align=True)
    columns: Any = {
        "names": list(packed.names or ()),
        "formats": [kind for _, kind in fields],
        "offsets": [packed.fields[name][1] for name, _ in fields] if packed.fields else [],
        "itemsize": -(-packed.itemsize // size) * size,
    }
    return np.dtype(columns, align=True)


STAGE: Final = _record(
    "patience effort delay loss_delay role support support_effort recycle_rest recycle_max after_win to_pool",
    floats="base_logit recycle_chance at_once",
)
REP: Final = _lines(
    "u8 identity",
    "i4 rank region role epoch_first epoch_count pool",
    # ---
    "i4 clock_now busy free employed departed winding_up notice place",
    "i8 leaves joined first_left idle_since seat_begin",
    "i4 left seated",
    # ---
    "i4 successor clock seat_clock newcomer_first quota_first quota_last",
    "i8 hired replaced_after",
    "f8 weight attrition",
)
DESK: Final = _lines(
    "i4 rank rep rep_first rep_count",
    # ---
    "i4 first last count free pending incoming",
    "i8 woken watched",
)
SUPPORT: Final = _record(
    "rank clock people "
    # ---
    "free woken pending waiting place",
    floats="pace",
)
ITEM: Final = _lines(
    "u8 entity",
    "i4 what desk stage visit before after rep epoch support agrees source region segment pooled",
    "i8 entered deadline begun worked",
    "f8 hours u_outcome u_delay quality",
    "i8 sort delay value created counted_at counted_as",
    "i4 counted_by counted_stage origin account",
    "f8 factor support_hours owner_factor care_factor",
    "i8 key_value given",
    "i4 product bundle customer rests",
)
EVENT: Final = np.dtype([("when", "i8"), ("entity", "u8"), ("what", "i8")], align=True)
FAR: Final = np.dtype([("when", "i8"), ("entity", "u8"), ("what", "i8"), ("following", "i8")], align=True)
ARRIVAL: Final = np.dtype([("time", "i8"), ("entity", "u8"), ("source", "i8")], align=True)
NEAR: Final = np.dtype([("tick", "i8"), ("what", "i8")], align=True)
# A product below -1 is a bundle, counted down from -2.
LANE_LEAD: Final = np.dtype(
    [("time", "i8"), ("entity", "u8")] + [(name, "i2") for name in ("source", "region", "segment", "product")],
    align=True,
)
CUSTOMER: Final = _record(
    "position region segment since gone value tier offer_first offer_count mix visits "
    # ---
    "owner handed_over visit visit_tick due due_tick made orders stretch begin end bought bought_in",
    floats="mean_value care owed expected growth threshold",
    identities="identity",
)
ACCOUNT: Final = _record(
    "region segment value owner handover tier visits offer_first offer_count mix form",
    floats="rate mean_value care owed churn first second third fourth fifth",
    identities="identity",
)
SOURCE: Final = _record("first_stage policy", floats="quality value_factor dispersion", identities="identity")
PRODUCT: Final = _record("value key margin offer_first offer_count", identities="identity")
SEGMENT: Final = _record("", floats="quality value_factor", identities="identity")
OFFER: Final = _record("product", floats="chance")
BUNDLE: Final = _record("first count", floats="upto factor")
OPENING: Final = _record("stage owner source region segment product account created entered value", identities="entity")
TENDER: Final = _record("owner region segment account decided value awaited", floats="chance", identities="entity")
BLOCK: Final = _record("tender number due", floats="hours")
CHANGE: Final = _record("tick account rep")
QUOTA: Final = _record("start end value sold")
INSTALMENT: Final = _record("due last", floats="upto")
CREDIT: Final = _record("role", floats="share")
PART: Final = _record("rep upto")
LINE: Final = _record("product value")
LEAD_ROW: Final = _record(
    "origin source region segment product value key_value account line_first line_count",
    floats="quality",
    identities="entity",
)
BUYER: Final = _record("", identities="order customer")
CLOCK: Final = _record("first count")
WHOLE: Final = np.dtype("i8")
REAL: Final = np.dtype("f8")
IDENTITY: Final = np.dtype("u8")

MODEL_TABLES: Final = {
    "stages": STAGE,
    "clocks": CLOCK,
    "opens": WHOLE,
    "closes": WHOLE,
    "worked_before": WHOLE,
    "sampler_head": WHOLE,
    "sampler_rows": REAL,
    "epoch_starts": WHOLE,
    "shifts": REAL,
    "factors": REAL,
    "epoch_owners": REAL,
    "epoch_skills": REAL,
    "tenure": WHOLE,
    "in_order": WHOLE,
    "sources": SOURCE,
    "rates": REAL,
    "day_opens": WHOLE,
    "day_closes": WHOLE,
    "day_groups": WHOLE,
    "region_weights": REAL,
    "segment_weights": REAL,
    "product_weights": REAL,
    "even_products": REAL,
    "region_identities": IDENTITY,
    "segment_identities": IDENTITY,
    "product_identities": IDENTITY,
    "segments": SEGMENT,
    "products": PRODUCT,
    "offers": OFFER,
    "bundles": BUNDLE,
    "bundle_products": WHOLE,
    "accounts": ACCOUNT,
    "mixes": REAL,
    "changes": CHANGE,
    "tenders": TENDER,
    "blocks": BLOCK,
    "openings": OPENING,
    "stretches": WHOLE,
    "season": REAL,
    "bounds": WHOLE,
    "instalments": INSTALMENT,
    "credit": CREDIT,
    "activities": WHOLE,
    "desk_reps": WHOLE,
    "desk_of": WHOLE,
    "lanes": WHOLE,
    "rep_identities": IDENTITY,
    "rep_weights": REAL,
    "share_starts": WHOLE,
    "share_rows": WHOLE,
    "share_weights": REAL,
}
"""What the model says, by the name of the table: the same for all replications and threads."""

RUN_TABLES: Final = {
    "reps": REP,
    "desks": DESK,
    "supports": SUPPORT,
    "quotas": QUOTA,
    "events": EVENT,
    "soon": EVENT,
    "far": FAR,
    "buckets": WHOLE,
    "dues": WHOLE,
    "items": ITEM,
    "keepers": WHOLE,
    "arrivals": ARRIVAL,
    "lane_leads": LANE_LEAD,
    "lane_blocks": WHOLE,
    "near": NEAR,
    "lane_free": WHOLE,
    "chances": REAL,
    "customers": CUSTOMER,
    "needs": WHOLE,
    "waiting": WHOLE,
    "waiting_at": WHOLE,
    "staff": WHOLE,
    "staff_first": WHOLE,
    "turns": WHOLE,
    "skilled": REAL,
    "draws": REAL,
    "fresh_draws": REAL,
    "fresh_leads": IDENTITY,
    "fresh_times": WHOLE,
    "fresh_sources": WHOLE,
    "fresh_starts": WHOLE,
    "lines": LINE,
    "parts": PART,
    "rep_tally": WHOLE,
    "stage_tally": WHOLE,
    "source_tally": WHOLE,
    "product_tally": WHOLE,
    "segment_tally": WHOLE,
    "account_tally": WHOLE,
    "company_tally": WHOLE,
    "rep_activity": WHOLE,
    "stage_activity": WHOLE,
    "rows": LOG_DTYPE,
    "lead_rows": LEAD_ROW,
    "line_rows": LINE,
    "buyers": BUYER,
}
"""What changes in a run and what comes out of it."""

TABLES: Final = MODEL_TABLES | RUN_TABLES

COUNTS: Final = (
    "end stage_count rep_count desk_count support_count role_count region_count segment_count product_count "
    "source_count account_count day_count group_count period_count bundle_count activity_count tenure_count "
    "instalment_count credit_count opening_count block_count tender_count change_count policy queue same_rep "
    "across all_willing return_after motivated owner_role vat_on_top vat_within recognition_months "
    "payment_delay renews new_value new_tier new_visits new_offer_first new_offer_count new_mix bucket_bits "
    "laned own_lanes lane_count epoch_count stretch_count customers_clock chances_known most_lines margin_of_rows "
    "share_count "
    # ---
    "now period key customers_place group near_count soon_count event_count far_count far_used far_free bucket lane "
    "lane_open lane_lead lane_lead_count lane_first lane_reps lane_opens lane_closes lane_worked_before lane_hours "
    "lane_place timeless begun due_count item_count free_item next_arrival arrival_count customer_count "
    "staff_known logging row_count lead_count line_count buyer_count signed too_much wanted"
)
SHARES: Final = (
    "reference handover_loss care_elasticity care_cap collection new_rate new_mean_value new_churn new_care "
    "give_up_below stretch_above coast_above pace_change period_end_push push_share judged_after"
)

WORLD: Final = np.dtype(
    [(name, "i8") for name in (*COUNTS.split(), *TABLES)]
    + [(f"room_{name}", "i8") for name in TABLES]
    + [(name, "f8") for name in SHARES.split()],
    align=True,
)
"""Counts, rules and the address and room of every table."""

MANY: Final = 1 << 40
"""The length of a view whose ends nobody asks for."""


@kernel
def key_of(w: World) -> np.uint64:
    """The key of the replication."""
    return np.uint64(w.key)


@kernel
def samplers(w: World) -> SamplerTables:
    """The tables of the samplers."""
    return SamplerTables(view_rows(w.sampler_head, MANY, 3, WHOLE), view_rows(w.sampler_rows, MANY, 6, REAL))


@kernel
def clock_columns(w: World, clock: int) -> tuple[Any, Any, Any]:
    """Openings, closings and work before each opening of a working time."""
    c = view(w.clocks, MANY, CLOCK)[np.uint64(clock)]
    first, count = 8 * c.first, c.count
    return (
        view(w.opens + first, count, WHOLE),
        view(w.closes + first, count, WHOLE),
        view(w.worked_before + first, count, WHOLE),
    )
