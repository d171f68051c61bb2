"""Lanes: queues that nothing outside looks at, worked one after the other without a common clock.

Where nobody comes or goes, leads are all there is, and who works a lead is known as it arrives (or it queues for a pool
whose reps keep the same hours), a queue and the reps who serve it run on their own: a lane. First come, first
served then needs no queue, only the next lead to enter and the tick at which the next rep is free; and whether a lead
goes cold is known when it would be served. Leads pass from lane to lane only in the order of roles, so a lane is done
before the next begins. The results are those of the loop over all events, bit for bit (:mod:`sim.kernel`); whether a
model runs in lanes is decided by :mod:`sim.compiled_lanes`.
"""

from __future__ import annotations

from scenarios.ticks import NEVER
from sim.compiled import kernel
from sim.kernel_arrivals import new_day
from sim.kernel_deal import set_worth
from sim.kernel_desk import record_start
from sim.kernel_heap import drop_first, drop_first_arrival, file_away, open_bucket, push, take_in
from sim.kernel_items import customers_later, new_item
from sim.kernel_lead import describe_lead, note_answer, note_arrival, note_cold, set_market
from sim.kernel_names import (
    AT_READY,
    DONE,
    LEAD,
    LEADS,
    OF_ITEM,
    ROOM,
    ROOM_FOR_ARRIVALS,
    ROW_END,
    ROW_ENTER,
    STAGE_ADVANCED,
    STAGE_ENTERED,
)
from sim.kernel_people import epoch_of
from sim.kernel_room import short_of_room
from sim.kernel_routing import pool_of, routed
from sim.kernel_rows import period_at, row, tally_activities, tally_rep, tally_stage
from sim.kernel_tables import (
    a_desk,
    a_lane_lead,
    a_rep,
    a_source,
    a_stage,
    an_arrival,
    an_event,
    an_item,
    put,
    real,
    whole,
)
from sim.kernel_world import MANY, World, clock_columns, key_of, samplers
from sim.log import NEW_LEAD
from sim.rules import conversion, days_drawn, effort_ticks
from sim.samplers import quantile, ticks
from sim.streams import stage_uniforms
from sim.worktime import add_work, interval_at, next_open

_DAY_TICKS = 86_400_000
_AT_HAND = 0
"""The place of the one item that lanes need: the lead that is just being worked."""


# ---- who enters which lane ------------------------------------------------------------------------------------------


@kernel
def line_up(w: World) -> int:
    """Draw all leads of the horizon, in the order in which they arrive, and line each up for its first lane."""
    if w.item_count == 0:
        new_item(w, LEAD, key_of(w))
    while True:
        while w.arrival_count > 0:
            if short_of_room(w):
                return ROOM
            first = an_arrival(w, 0)
            item, source = an_item(w, _AT_HAND), first.source
            w.now, item.entity = first.time, first.entity
            drop_first_arrival(w)
            while w.now >= whole(w.bounds, w.period + 1):
                w.period += 1
            describe_lead(w, _AT_HAND, source)
            note_arrival(w, _AT_HAND)
            stage = a_source(w, source).first_stage
            role = a_stage(w, stage).role
            if w.own_lanes == 1:
                d = routed(w, _AT_HAND, stage, role)
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
    item, place = an_item(w, _AT_HAND), w.lane_lead_count
    lead, desk = a_lane_lead(w, place), a_desk(w, d)
    w.lane_lead_count += 1
    lead.time, lead.entity, lead.following = w.now, item.entity, -1
    lead.source, lead.region, lead.segment = item.source, item.region, item.segment
    lead.product, lead.bundle = item.product, item.bundle
    if desk.last == -1:
        desk.first = place
    else:
        a_lane_lead(w, desk.last).following = place
    desk.last = place


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


@kernel
def _work_lane(w: World, d: int) -> bool:
    """Serve whoever enters next until nobody does; False where room runs short."""
    while not short_of_room(w):
        open_bucket(w)
        lead = w.lane_lead
        entered = NEVER if lead == -1 else a_lane_lead(w, lead).time
        if w.event_count > 0:
            event = an_event(w, 0)
            tick = event.when >> 4
            if tick < entered or (tick == entered and event.entity < a_lane_lead(w, lead).entity):
                stage, lead = event.what >> 56, event.what & 0xFFFFFFF
                drop_first(w)
                _serve(w, d, lead, tick, stage)
                continue
        if lead == -1:
            return True
        known = a_lane_lead(w, lead)
        w.lane_lead = known.following
        _serve(w, d, lead, entered, a_source(w, known.source).first_stage)
    return False


@kernel
def _serve(w: World, d: int, lead: int, entered: int, stage: int) -> None:
    """A lead enters a stage: it goes cold, is worked and answered, or waits at the end of the horizon."""
    while entered >= whole(w.bounds, w.period + 1):
        w.period += 1
    period = w.period
    _take_up(w, lead, entered, stage)
    tick = _work(w, d, stage)
    w.period = period
    if tick < w.end and stage + 1 < w.stage_count:
        item = an_item(w, _AT_HAND)
        following = d if w.own_lanes == 1 else pool_of(w, a_stage(w, stage + 1).role, item.region)
        if following == d:
            push(w, tick, AT_READY, item.entity, stage + 1, 0, OF_ITEM, lead)
        else:
            file_away(w, following, tick, AT_READY, item.entity, stage + 1, lead)


@kernel
def _take_up(w: World, lead: int, entered: int, stage: int) -> None:
    """Put a lead at hand."""
    known, item = a_lane_lead(w, lead), an_item(w, _AT_HAND)
    item.what, item.origin, item.entity = LEAD, NEW_LEAD, known.entity
    item.source, item.region, item.segment = known.source, known.region, known.segment
    item.product, item.bundle = known.product, known.bundle
    item.created, item.entered, item.stage, item.visit = known.time, entered, stage, 0
    # A lead counts with the rep in whose own lane it lines up, or who takes it from the pool at its first stage.
    item.counted_at = -1
    item.counted = 1 if w.own_lanes == 1 or stage != a_source(w, known.source).first_stage else 0
    set_market(w, _AT_HAND)


@kernel
def _work(w: World, d: int, stage: int) -> int:
    """The way of the lead at hand through a stage; when it goes on to the next, ``NEVER`` if it does not."""
    desk, item, known = a_desk(w, d), an_item(w, _AT_HAND), a_stage(w, stage)
    entered, tables = item.entered, samplers(w)
    tally_stage(w, STAGE_ENTERED, stage, 1)
    u_patience, u_effort, u_outcome, u_delay = stage_uniforms(key_of(w), item.entity, stage, 0)
    server, start = _next_free(w, d, entered)
    deadline = NEVER
    # Patience is of no account where the lead is worked at once, unless there is none.
    if known.patience >= 0 and (start > entered or u_patience <= known.at_once or w.logging == 1):
        patience = ticks(quantile(tables, known.patience, u_patience), _DAY_TICKS)
        w.now = entered
        deadline = NEVER if patience >= NEVER else customers_later(w, patience)
    row(w, entered, ROW_ENTER, item.entity, 0, stage, desk.rep, -1, deadline, 0)
    if deadline <= start and deadline < w.end:
        _come_to(w, deadline)
        if w.product_count > 0:
            set_worth(w, _AT_HAND)
        note_cold(w, _AT_HAND, desk.rep)
        return NEVER
    if start >= w.end:
        return NEVER
    _come_to(w, start)
    r = whole(w.desk_reps, server)
    item.hours = 0.0 if known.effort < 0 else quantile(tables, known.effort, u_effort)
    end = _begin(w, r, stage)
    put(w.lane_free, server, end)
    if end >= w.end:
        return NEVER
    _come_to(w, end)
    row(w, end, ROW_END, item.entity, 0, stage, r, -1, start, item.worked)
    tally_activities(w, r, stage)
    if known.after_win == 1:
        tally_stage(w, STAGE_ADVANCED, stage, 1)
        return end
    shift = real(w.shifts, item.epoch * w.stage_count + stage)
    agrees = u_outcome < conversion(known.base_logit, shift + item.quality)
    item.agrees = 1 if agrees else 0
    item.delay = days_drawn(tables, known.delay if agrees else known.loss_delay, u_delay)
    tick = customers_later(w, item.delay)
    if tick >= w.end:
        return NEVER
    _come_to(w, tick)
    if w.product_count > 0:
        set_worth(w, _AT_HAND)
    put(w.keepers, a_rep(w, r).role, r)
    note_answer(w, _AT_HAND, r)
    return tick if agrees else NEVER


@kernel
def _come_to(w: World, tick: int) -> None:
    w.period = period_at(w, tick)
    w.now = tick


@kernel
def _next_free(w: World, d: int, entered: int) -> tuple[int, int]:
    """Which rep (place in the list of desks' reps) takes a lead, the longest idle one, and when."""
    desk = a_desk(w, d)
    server, free = desk.rep_first, NEVER
    for place in range(desk.rep_first, desk.rep_first + desk.rep_count):
        if whole(w.lane_free, place) < free:
            server, free = place, whole(w.lane_free, place)
    if free >= NEVER:
        return server, NEVER
    rep = a_rep(w, whole(w.desk_reps, server))
    opens, closes, _ = clock_columns(w, rep.clock_now)
    start = max(entered, free)
    rep.place = interval_at(closes, start, rep.place)
    return server, next_open(opens, closes, start, rep.place)


@kernel
def _begin(w: World, r: int, stage: int) -> int:
    """A rep begins the lead at hand; when the work ends."""
    rep, item = a_rep(w, r), an_item(w, _AT_HAND)
    item.rep, item.begun, item.epoch = r, w.now, epoch_of(w, r)
    item.worked = effort_ticks(item.hours, real(w.factors, item.epoch * (w.stage_count + 2) + stage))
    opens, closes, cum = clock_columns(w, rep.clock_now)
    end = add_work(opens, closes, cum, w.now, item.worked, rep.place)
    record_start(w, r, _AT_HAND, end)
    return end
