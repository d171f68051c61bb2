"""Items in the compiled engine: making and freeing them, and their way through a queue to work or into the cold.

What :meth:`sim.reference.World.work` does for leads, orders, care visits and blocks of preparing alike.
"""

from __future__ import annotations

import numpy as np

from scenarios.ticks import NEVER
from sim.compile import inlined_kernel, kernel
from sim.kernel.desk import join
from sim.kernel.heap import push
from sim.kernel.names import (
    AT_PATIENCE,
    AT_RETURN,
    FREE,
    LATE_STAGE_FIRST,
    LEAD,
    OF_DESK,
    OF_ITEM,
    ROW_ENTER,
    STAGE_ENTERED,
    TIER_FIRST,
    VALUE_FIRST,
)
from sim.kernel.rows import row, tally_stage
from sim.kernel.tables import a_desk, an_item, put
from sim.kernel.tally import tally_first_rep
from sim.kernel.world import World, clock_columns
from sim.rules import later
from sim.worktime import interval_at

LEAD_TIER = 1 << 20


@kernel
def new_item(w: World, what: int, entity: np.uint64) -> int:
    """A free place for something on its way."""
    slot = w.free_item
    if slot == -1:
        slot = w.item_count
        w.item_count += 1
    else:
        w.free_item = an_item(w, slot).after
    item = an_item(w, slot)
    item.what, item.entity = what, entity
    item.source, item.region, item.segment, item.product, item.bundle = -1, 0, -1, -1, -1
    item.account, item.customer, item.origin, item.given = -1, -1, -1, -1
    item.created, item.value, item.key_value, item.stage, item.visit = 0, 0, 0, 0, 0
    item.rests, item.pooled, item.support, item.desk, item.rep = 0, 0, -1, -1, -1
    item.counted_by, item.counted_stage = -1, -1
    item.quality, item.factor, item.hours, item.support_hours = 0.0, 1.0, 0.0, 0.0
    for role in range(w.role_count):
        put(w.keepers, slot * w.role_count + role, -1)
    return slot


@kernel
def drop_item(w: World, slot: int) -> None:
    """Nothing more will happen to an item."""
    item = an_item(w, slot)
    item.what, item.desk = FREE, -1
    item.after = w.free_item
    w.free_item = slot


@inlined_kernel
def customers_later(w: World, duration: int) -> int:
    """When a duration ends that runs on the customers' clock from now on."""
    opens, closes, cum = clock_columns(w, w.customers_clock)
    place = interval_at(closes, w.now, w.customers_place)
    w.customers_place = place
    # What fits into the hours in which it begins ends without a look at those that follow.
    if place < len(closes) and opens[place] <= w.now and duration <= closes[place] - w.now:
        return w.now + duration
    return later(opens, closes, cum, w.now, duration)


@kernel
def queue_up(w: World, slot: int, d: int, value: int, tier: int, patience: int) -> None:
    """Join a desk's queue now; wait there until worked, cold or gone back to the pool."""
    item, now = an_item(w, slot), w.now
    item.entered = now
    if w.queue == LATE_STAGE_FIRST:
        item.sort = -item.stage
    elif w.queue == VALUE_FIRST:
        item.sort = -value
    elif w.queue == TIER_FIRST:
        item.sort = tier
    else:
        item.sort = 0
    deadline = NEVER if patience >= NEVER else customers_later(w, patience)
    rep = a_desk(w, d).rep
    row(w, now, ROW_ENTER, item.entity, item.visit, item.stage, rep, -1, deadline, 0)
    if item.what == LEAD:
        if item.visit == 0 and item.stage != item.counted_stage:
            tally_stage(w, STAGE_ENTERED, item.stage, 1)
        tally_first_rep(w, slot, rep, 0)
    item.deadline = deadline
    if rep != -1 and returns_at(w, slot) < deadline:
        watch_return(w, d, slot)
    else:
        await_cold(w, slot)
    join(w, d, slot)


# ---- the end of waiting: one of these two is to come for each task that waits ---------------------------------------


@kernel
def await_cold(w: World, slot: int) -> None:
    """Let the moment come at which a task that still waits goes cold."""
    item = an_item(w, slot)
    push(w, item.deadline, AT_PATIENCE, item.entity, item.stage, item.visit, OF_ITEM, slot)


@kernel
def returns_at(w: World, slot: int) -> int:
    """When a waiting task would go back to the pool; ``NEVER`` for what is no lead."""
    item = an_item(w, slot)
    return item.entered + w.return_after if item.what == LEAD and w.return_after >= 0 else NEVER


@kernel
def watch_return(w: World, d: int, slot: int) -> None:
    """Let a desk be looked through when a lead's time there is up; only the next such moment of a desk comes."""
    desk, item, tick = a_desk(w, d), an_item(w, slot), returns_at(w, slot)
    if tick < desk.watched:
        desk.watched = tick
        push(w, tick, AT_RETURN, item.entity, item.stage, item.visit, OF_DESK, d)
