"""Tenders: prepared in blocks of the owner's time, decided on a known day by one draw."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from scenarios.ticks import NEVER
from sim.components import NO_ONE, Task
from sim.instant import Moment
from sim.log import TENDER, Kind, Lead
from sim.offers import BLOCK_HOURS, OpenTender
from sim.streams import Purpose, draw

if TYPE_CHECKING:
    from sim.reference import World

Process = Generator[Any, Any, Any]
_TENDER = int(Purpose.TENDER)


def tender_life(world: World, tender: OpenTender) -> Process:
    """Blocks of preparing fall due on the way to the day of the decision; the decision asks nobody's skill."""
    blocks = math.ceil(round(tender.hours / BLOCK_HOURS, 9))
    for number in range(blocks):
        due = tender.begins + (tender.decided - tender.begins) * number // blocks
        if due >= world.model.end:
            return
        world.env.process(_prepare(world, tender, number, due, tender.hours / blocks))
    if tender.decided >= world.model.end:
        return
    yield world.wait_until(tender.decided, Moment.READY, int(tender.entity))
    won = draw(world.key, tender.entity, 0, 0, _TENDER) < tender.chance
    rep = world.router.responsible(_owner(world, tender), int(tender.entity), tender.region)
    now, value = world.now(), tender.value
    world.ledger.row(now, Kind.TENDER, int(tender.entity), 0, -1, rep, tender.account, value, int(won))
    if won:
        world.book(_deal(tender), rep, {world.lists.rep_role[rep]: rep})


def _prepare(world: World, tender: OpenTender, number: int, due: int, hours: float) -> Process:
    """One block: it waits for the owner like any work, and is dropped where the decision comes first."""
    entity = int(tender.entity)
    yield world.wait_until(due, Moment.CREATE, entity, 0, number)
    task = Task(world.env, entity, world.model.stages.order, number, hours)
    if tender.decided < world.model.end:
        out = world.wait_until(tender.decided, Moment.PATIENCE, entity, task.stage, number)
        out.callbacks.append(lambda _: world.goes_cold(task))
    desk = world.router.owner_desk(_owner(world, tender), entity, tender.region)
    yield from world.work(task, desk, tender.value, 0, NEVER)


def _owner(world: World, tender: OpenTender) -> int:
    if tender.owner == NO_ONE and tender.account != NO_ONE:
        return world.customers[tender.account].owner
    return tender.owner


def _deal(tender: OpenTender) -> Lead:
    return Lead(
        entity=int(tender.entity),
        origin=TENDER,
        source=NO_ONE,
        region=tender.region,
        segment=tender.segment,
        product=NO_ONE,
        quality=0.0,
        value=tender.value,
        key_value=0,
        lines=((NO_ONE, tender.value),),
        account=tender.account,
    )
