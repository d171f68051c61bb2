"""Leads that their rep leaves unworked go back to the public pool: a function for each transition."""

from __future__ import annotations

from scenarios.ticks import NEVER
from sim.compile import kernel
from sim.kernel.desk import join, leave
from sim.kernel.items import await_cold, returns_at, watch_return
from sim.kernel.names import FIFO, ROW_RETURN
from sim.kernel.routing import pool_of
from sim.kernel.rows import row
from sim.kernel.tables import a_desk, a_stage, an_item
from sim.kernel.world import World


@kernel
def _home(w: World, slot: int) -> int:
    """The pool to which a lead goes back, where it stays."""
    item = an_item(w, slot)
    return pool_of(w, a_stage(w, item.stage).role, item.region)


@kernel
def goes_over(w: World, d: int, slot: int) -> None:
    """A task comes unworked to another desk; how long it may wait there counts from where it queued up."""
    join(w, d, slot)
    if returns_at(w, slot) >= an_item(w, slot).deadline:
        return
    if d == _home(w, slot):
        await_cold(w, slot)
    else:
        watch_return(w, d, slot)


@kernel
def returns(w: World, d: int) -> None:
    """Leads that a rep left unworked too long go to the public pool, and the next ones are watched."""
    desk = a_desk(w, d)
    if desk.watched != w.now:
        return
    desk.watched = NEVER
    slot = desk.first
    while slot != -1:
        item = an_item(w, slot)
        tick, following = returns_at(w, slot), item.after
        if tick < item.deadline and d != _home(w, slot):
            if tick <= w.now:
                returns_to_pool(w, slot)
            else:
                watch_return(w, d, slot)
                if w.queue == FIFO:
                    return
        slot = following


@kernel
def returns_to_pool(w: World, slot: int) -> None:
    """A lead that its rep left unworked too long goes to the public pool."""
    item, pool = an_item(w, slot), _home(w, slot)
    holder = a_desk(w, item.desk).rep
    await_cold(w, slot)
    leave(w, slot)
    row(w, w.now, ROW_RETURN, item.entity, item.visit, item.stage, holder, -1, 0, w.now - item.entered)
    join(w, pool, slot)
