"""The tables of a world row by row: each function gives the record or number at a position, ready to be read or set.

Positions go in unsigned: of a signed one, numba would ask at each access whether it counts from the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.compile import kernel
from sim.kernel.view import view
from sim.kernel.world import (
    ACCOUNT,
    ARRIVAL,
    BLOCK,
    BUNDLE,
    BUYER,
    CHANGE,
    CLOCK,
    CREDIT,
    CUSTOMER,
    DESK,
    EVENT,
    FAR,
    IDENTITY,
    INSTALMENT,
    ITEM,
    LANE_LEAD,
    LEAD_ROW,
    LINE,
    MANY,
    NEAR,
    OFFER,
    OPENING,
    PART,
    PRODUCT,
    QUOTA,
    REAL,
    REP,
    SEGMENT,
    SOURCE,
    STAGE,
    SUPPORT,
    TENDER,
    WHOLE,
    World,
)
from sim.log import LOG_DTYPE

Record = Any
"""A row of a table; setting a field sets it in the table."""


@kernel
def whole(address: int, position: int) -> int:
    """A whole number of a table."""
    return view(address, MANY, WHOLE)[np.uint64(position)]


@kernel
def put(address: int, position: int, value: int) -> None:
    """Set a whole number of a table."""
    view(address, MANY, WHOLE)[np.uint64(position)] = value


@kernel
def put_real(address: int, position: int, value: float) -> None:
    """Set a real number of a table."""
    view(address, MANY, REAL)[np.uint64(position)] = value


@kernel
def add(address: int, position: int, amount: int) -> None:
    """Add to a whole number of a table."""
    view(address, MANY, WHOLE)[np.uint64(position)] += amount


@kernel
def real(address: int, position: int) -> float:
    """A real number of a table."""
    return view(address, MANY, REAL)[np.uint64(position)]


@kernel
def identity_at(address: int, position: int) -> np.uint64:
    """An identity of a table."""
    return view(address, MANY, IDENTITY)[np.uint64(position)]


@kernel
def a_stage(w: World, position: int) -> Record:
    """A stage of the funnel; the last two are the work on orders and on care."""
    return view(w.stages, MANY, STAGE)[np.uint64(position)]


@kernel
def a_clock(w: World, position: int) -> Record:
    """Where the intervals of a working time lie."""
    return view(w.clocks, MANY, CLOCK)[np.uint64(position)]


@kernel
def a_rep(w: World, position: int) -> Record:
    """A seat and who sits on it."""
    return view(w.reps, MANY, REP)[np.uint64(position)]


@kernel
def a_desk(w: World, position: int) -> Record:
    """A queue: a rep's own, or a pool."""
    return view(w.desks, MANY, DESK)[np.uint64(position)]


@kernel
def a_support(w: World, position: int) -> Record:
    """People whom a task needs jointly with its rep."""
    return view(w.supports, MANY, SUPPORT)[np.uint64(position)]


@kernel
def an_item(w: World, position: int) -> Record:
    """Something on its way: a lead, an order, a care visit or a block of preparing."""
    return view(w.items, MANY, ITEM)[np.uint64(position)]


@kernel
def an_event(w: World, position: int) -> Record:
    """A place of the heap of events."""
    return view(w.events, MANY, EVENT)[np.uint64(position)]


@kernel
def a_soon_event(w: World, position: int) -> Record:
    """An event of those that come first, which lie sorted, the first at the end."""
    return view(w.soon, MANY, EVENT)[np.uint64(position)]


@kernel
def a_far_event(w: World, position: int) -> Record:
    """An event of a later bucket."""
    return view(w.far, MANY, FAR)[np.uint64(position)]


@kernel
def a_near(w: World, position: int) -> Record:
    """A lead on its way to the next stage of a lane, of those who come first."""
    return view(w.near, MANY, NEAR)[np.uint64(position)]


@kernel
def a_lane_lead(w: World, position: int) -> Record:
    """A lead that lines up for a lane."""
    return view(w.lane_leads, MANY, LANE_LEAD)[np.uint64(position)]


@kernel
def an_arrival(w: World, position: int) -> Record:
    """A place of the heap of the day's new leads."""
    return view(w.arrivals, MANY, ARRIVAL)[np.uint64(position)]


@kernel
def a_customer(w: World, position: int) -> Record:
    """A buying customer: the accounts first, then the customers won."""
    return view(w.customers, MANY, CUSTOMER)[np.uint64(position)]


@kernel
def an_account(w: World, position: int) -> Record:
    """An account as it stands at the start."""
    return view(w.accounts, MANY, ACCOUNT)[np.uint64(position)]


@kernel
def a_source(w: World, position: int) -> Record:
    """A source of leads."""
    return view(w.sources, MANY, SOURCE)[np.uint64(position)]


@kernel
def a_product(w: World, position: int) -> Record:
    """A product."""
    return view(w.products, MANY, PRODUCT)[np.uint64(position)]


@kernel
def a_segment(w: World, position: int) -> Record:
    """A segment; one nameless where the market is not divided."""
    return view(w.segments, MANY, SEGMENT)[np.uint64(position)]


@kernel
def an_offer(w: World, position: int) -> Record:
    """A product that may come along."""
    return view(w.offers, MANY, OFFER)[np.uint64(position)]


@kernel
def a_bundle(w: World, position: int) -> Record:
    """Products sold together."""
    return view(w.bundles, MANY, BUNDLE)[np.uint64(position)]


@kernel
def an_opening(w: World, position: int) -> Record:
    """An opportunity that is open at the start."""
    return view(w.openings, MANY, OPENING)[np.uint64(position)]


@kernel
def a_tender(w: World, position: int) -> Record:
    """A single large deal."""
    return view(w.tenders, MANY, TENDER)[np.uint64(position)]


@kernel
def a_block(w: World, position: int) -> Record:
    """A piece of preparing a tender."""
    return view(w.blocks, MANY, BLOCK)[np.uint64(position)]


@kernel
def a_change(w: World, position: int) -> Record:
    """A change of owner that the plan asks for."""
    return view(w.changes, MANY, CHANGE)[np.uint64(position)]


@kernel
def a_quota(w: World, position: int) -> Record:
    """A quota and what has been sold of it."""
    return view(w.quotas, MANY, QUOTA)[np.uint64(position)]


@kernel
def an_instalment(w: World, position: int) -> Record:
    """A part of each invoice."""
    return view(w.instalments, MANY, INSTALMENT)[np.uint64(position)]


@kernel
def a_credit(w: World, position: int) -> Record:
    """The share of a role in the credit of a deal."""
    return view(w.credit, MANY, CREDIT)[np.uint64(position)]


@kernel
def a_part(w: World, position: int) -> Record:
    """Who is credited with the deal at hand, up to which millionth."""
    return view(w.parts, MANY, PART)[np.uint64(position)]


@kernel
def a_line(w: World, position: int) -> Record:
    """A product of the deal at hand with its value."""
    return view(w.lines, MANY, LINE)[np.uint64(position)]


@kernel
def a_row(w: World, position: int) -> Record:
    """A row of the log."""
    return view(w.rows, MANY, LOG_DTYPE)[np.uint64(position)]


@kernel
def a_lead_row(w: World, position: int) -> Record:
    """What is known of a lead or order, for the log."""
    return view(w.lead_rows, MANY, LEAD_ROW)[np.uint64(position)]


@kernel
def a_line_row(w: World, position: int) -> Record:
    """A product of a lead or order, for the log."""
    return view(w.line_rows, MANY, LINE)[np.uint64(position)]


@kernel
def a_buyer(w: World, position: int) -> Record:
    """Who gave an order, for the log."""
    return view(w.buyers, MANY, BUYER)[np.uint64(position)]
