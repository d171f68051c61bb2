"""Lanes: queues that nothing outside looks at, worked one after the other without a common clock.

Where nobody comes or goes, leads are all there is, and who works a lead is known as it arrives (or it queues for a pool
whose reps keep the same hours), a queue and the reps who serve it run on their own: a lane. First come, first
served then needs no queue, only the next lead to enter and the tick at which the next rep is free; and whether a lead
goes cold is known when it would be served. Leads pass from lane to lane only in the order of roles, so a lane is done
before the next begins. The results are those of the loop over all events (:mod:`sim.kernel.replication`), bit for bit;
whether a model runs in lanes is decided by :mod:`sim.compiled.lanes`.
"""

from __future__ import annotations

from typing import Final

from scenarios.ticks import NEVER
from sim.compile import inlined_kernel, kernel
from sim.kernel.arrivals import new_day
from sim.kernel.heap import file_away, take_in
from sim.kernel.items import new_item
from sim.kernel.lead import describe_lead, is_win, note_arrival
from sim.kernel.names import (
    AGAIN,
    AT_READY,
    DONE,
    LEAD,
    LEADS,
    ROOM,
    ROOM_FOR_ARRIVALS,
)
from sim.kernel.room import SPARE, short_of_room
from sim.kernel.routing import pool_of, routed
from sim.kernel.rows import tally_rep
from sim.kernel.tables import (
    a_clock,
    a_desk,
    a_lane_lead,
    a_rep,
    a_source,
    a_stage,
    an_arrival,
    an_item,
    put,
    whole,
)
from sim.kernel.visits import AT_HAND, count, foresee, keep_books
from sim.kernel.way import enters_first, fetch, set_out, take_nearest
from sim.kernel.world import MANY, World, key_of

_DAY_TICKS = 86_400_000
SIDE_BY_SIDE: Final = 64
"""Leads of one lane lie together by so many, as they will be read; only the last of them needs a pointer."""


# ---- who enters which lane ------------------------------------------------------------------------------------------


@kernel
def line_up(w: World) -> int:
    """Draw all leads of the horizon, in the order in which they arrive, and line each up for its first lane."""
    if w.item_count == 0:
        new_item(w, LEAD, key_of(w))
    while True:
        while w.next_arrival < w.arrival_count:
            if short_of_room(w):
                return ROOM
            first = an_arrival(w, w.next_arrival)
            item, source = an_item(w, AT_HAND), first.source
            w.now, item.entity = first.time, first.entity
            w.next_arrival += 1
            while w.now >= whole(w.bounds, w.period + 1):
                w.period += 1
            describe_lead(w, AT_HAND, source)
            note_arrival(w, AT_HAND)
            stage = a_source(w, source).first_stage
            role = a_stage(w, stage).role
            if w.own_lanes == 1:
                d = routed(w, AT_HAND, stage, role)
                tally_rep(w, LEADS, d, w.period, 1)
            else:
                d = pool_of(w, role, item.region)
            _append(w, d)
        if w.group == w.group_count:
            return DONE
        if not new_day(w):
            return ROOM_FOR_ARRIVALS


@kernel
def _append(w: World, d: int) -> None:
    item, desk = an_item(w, AT_HAND), a_desk(w, d)
    place = desk.last + 1
    if place % SIDE_BY_SIDE == 0:
        place = w.lane_lead_count
        w.lane_lead_count += SIDE_BY_SIDE
        if desk.last == -1:
            desk.first = place
        else:
            put(w.lane_blocks, desk.last // SIDE_BY_SIDE, place)
    lead = a_lane_lead(w, place)
    lead.time, lead.entity, lead.source, lead.region = w.now, item.entity, item.source, item.region
    lead.segment, lead.product = item.segment, item.product if item.bundle == -1 else -2 - item.bundle
    desk.last = place


@inlined_kernel
def _following(w: World, d: int, lead: int) -> int:
    """Who lines up behind a lead; -1 for nobody."""
    if lead == a_desk(w, d).last:
        return -1
    return lead + 1 if (lead + 1) % SIDE_BY_SIDE != 0 else whole(w.lane_blocks, lead // SIDE_BY_SIDE)


# ---- lane by lane ---------------------------------------------------------------------------------------------------


@kernel
def work_lanes(w: World) -> int:
    """Work one lane after the other to the end of the horizon."""
    while w.lane < w.lane_count:
        d = whole(w.lanes, w.lane)
        if w.lane_open == 0:
            _open_lane(w, d)
        if not _work_lane(w, d):
            return ROOM
        if w.timeless == 1:
            return AGAIN
        w.lane += 1
        w.lane_open = 0
    return DONE


@kernel
def _open_lane(w: World, d: int) -> None:
    desk = a_desk(w, d)
    w.lane_open, w.lane_lead, w.period = 1, desk.first, 0
    # Few leads of one rep are on their way at a time: a heap alone is best. A pool's come unsorted from other lanes.
    w.bucket = MANY if w.own_lanes == 1 else -1
    take_in(w, d)
    for place in range(desk.rep_first, desk.rep_first + desk.rep_count):
        put(w.lane_free, place, 0)
    w.lane_first, w.lane_reps, w.lane_hours, w.lane_place = desk.rep_first, desk.rep_count, 0, 0
    if desk.rep_count > 0:
        # All of them keep the same hours.
        clock = a_clock(w, a_rep(w, whole(w.desk_reps, desk.rep_first)).clock_now)
        w.lane_hours, w.lane_opens = clock.count, w.opens + 8 * clock.first
        w.lane_closes, w.lane_worked_before = w.closes + 8 * clock.first, w.worked_before + 8 * clock.first


@kernel
def _work_lane(w: World, d: int) -> bool:
    """Serve whoever enters next until nobody does; False where room runs short."""
    while not _short_of_room(w):
        lead, entered, stage = _next_to_enter(w, d)
        if lead == -1:
            return True
        _serve(w, d, lead, entered, stage)
    return False


@inlined_kernel
def _next_to_enter(w: World, d: int) -> tuple[int, int, int]:
    """Take the first of the leads that line up and those on their way: it, when and which stage; -1 for nobody."""
    if w.near_count == 0 and w.event_count + w.far_count > 0:
        fetch(w)
    lead = w.lane_lead
    entered = NEVER if lead == -1 else a_lane_lead(w, lead).time
    if w.near_count > 0 and not (lead != -1 and enters_first(w, entered, lead)):
        return take_nearest(w)
    if lead == -1:
        return -1, NEVER, 0
    w.lane_lead = _following(w, d, lead)
    return lead, entered, a_source(w, a_lane_lead(w, lead).source).first_stage


@kernel
def _short_of_room(w: World) -> bool:
    """As :func:`short_of_room`, of what a lane needs."""
    if w.logging == 1:
        return short_of_room(w)
    return w.event_count + w.far_count + SPARE > w.room_events or w.far_used + SPARE > w.room_far


@inlined_kernel
def _serve(w: World, d: int, lead: int, entered: int, stage: int) -> None:
    """A lead enters a stage: it goes cold, is worked and answered, or waits at the end of the horizon."""
    while entered >= whole(w.bounds, w.period + 1):
        w.period += 1
    period = w.period
    deadline, server, start, end, tick = foresee(w, lead, entered, stage)
    item, last = an_item(w, AT_HAND), deadline if server == -1 else tick
    goes_on = server != -1 and tick < w.end and item.agrees == 1
    if (
        last < whole(w.bounds, period + 1)
        and w.logging + w.product_count + w.activity_count == 0
        and not (goes_on and is_win(w, stage))
    ):
        count(w, d, lead, stage, server)
    else:
        keep_books(w, d, lead, stage, deadline, server, start, end, tick)
        w.period = period
    if goes_on and stage + 1 < w.stage_count:
        following = d
        if w.own_lanes == 0:
            following = pool_of(w, a_stage(w, stage + 1).role, a_lane_lead(w, lead).region)
        if following == d:
            set_out(w, tick, stage + 1, lead)
        else:
            file_away(w, following, tick, AT_READY, item.entity, stage + 1, lead)
