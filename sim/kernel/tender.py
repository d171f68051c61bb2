"""Tenders in the compiled engine: blocks of preparing and the decision, as in :mod:`sim.tenders`."""

from __future__ import annotations

from scenarios.ticks import NEVER
from sim.compile import kernel
from sim.kernel.heap import push
from sim.kernel.items import drop_item, new_item, queue_up
from sim.kernel.names import AT_PATIENCE, BLOCK, FREE, OF_ITEM, ROW_TENDER
from sim.kernel.routing import owner_desk, responsible
from sim.kernel.rows import row
from sim.kernel.sale import book
from sim.kernel.tables import a_block, a_customer, a_rep, a_tender, an_item, put
from sim.kernel.world import World, key_of
from sim.log import TENDER
from sim.streams import Purpose, draw

_TENDER = int(Purpose.TENDER)


@kernel
def _owner_of(w: World, place: int) -> int:
    tender = a_tender(w, place)
    if tender.owner == -1 and tender.account != -1:
        return a_customer(w, tender.account).owner
    return tender.owner


@kernel
def prepare(w: World, number: int, visit: int) -> None:
    """One block of preparing: it waits for the owner like any work, and is dropped where the decision comes first."""
    block = a_block(w, number)
    tender = a_tender(w, block.tender)
    slot = new_item(w, BLOCK, tender.entity)
    item = an_item(w, slot)
    item.origin, item.region, item.stage, item.visit = TENDER, tender.region, w.stage_count, visit
    item.hours = block.hours
    push(w, tender.decided, AT_PATIENCE, tender.entity, item.stage, visit, OF_ITEM, slot)
    d = owner_desk(w, _owner_of(w, block.tender), tender.entity, tender.region)
    queue_up(w, slot, d, tender.value, 0, NEVER)


@kernel
def decide(w: World, place: int) -> None:
    """The day of the decision; it asks nobody's skill."""
    tender = a_tender(w, place)
    won = draw(key_of(w), tender.entity, 0, 0, _TENDER) < tender.chance
    rep = responsible(w, _owner_of(w, place), tender.entity, tender.region)
    decided = 1 if won else 0
    row(w, w.now, ROW_TENDER, tender.entity, 0, -1, rep, tender.account, tender.value, decided)
    if not won:
        return
    slot = new_item(w, FREE, tender.entity)
    item = an_item(w, slot)
    item.origin, item.region, item.segment = TENDER, tender.region, tender.segment
    item.account, item.value, item.given = tender.account, tender.value, tender.value
    put(w.keepers, slot * w.role_count + a_rep(w, rep).role, rep)
    book(w, slot, rep)
    drop_item(w, slot)
