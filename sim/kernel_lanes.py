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
from sim.kernel_lead import describe_lead, is_win, note_answer, note_arrival, note_cold, set_market
from sim.kernel_names import (
    AT_READY,
    BUSY,
    DONE,
    LEAD,
    LEADS,
    LOST,
    OF_ITEM,
    ROOM,
    ROOM_FOR_ARRIVALS,
    ROW_END,
    ROW_ENTER,
    SEGMENT_COLD,
    SEGMENT_LOST,
    SOURCE_COLD,
    SOURCE_LOST,
    STAGE_ADVANCED,
    STAGE_BUSY,
    STAGE_COLD,
    STAGE_DELAY,
    STAGE_ENTERED,
    STAGE_LOST,
    STAGE_STARTED,
    STAGE_WAITED,
    STARTED,
    WAITED,
    WENT_COLD,
)
from sim.kernel_people import epoch_of
from sim.kernel_room import SPARE, short_of_room
from sim.kernel_routing import pool_of, routed
from sim.kernel_rows import period_at, row, tally_activities, tally_rep, tally_segment, tally_source, tally_stage
from sim.kernel_tables import (
    a_clock,
    a_desk,
    a_lane_lead,
    a_rep,
    a_segment,
    a_source,
    a_stage,
    an_arrival,
    an_event,
    an_item,
    put,
    put_real,
    real,
    whole,
)
from sim.kernel_view import view
from sim.kernel_world import MANY, WHOLE, World, key_of, samplers
from sim.log import NEW_LEAD
from sim.rules import conversion, days_drawn, effort_ticks
from sim.samplers import quantile, ticks
from sim.streams import stage_uniforms
from sim.worktime import add_work, interval_at

_DAY_TICKS = 86_400_000
_SIDE_BY_SIDE = 64
"""Leads of one lane lie together by so many, as they will be read."""
_AT_HAND = 0
"""The place of the one item that lanes need: the lead that is just being worked."""


# ---- who enters which lane ------------------------------------------------------------------------------------------


@kernel
def line_up(w: World) -> int:
    """Draw all leads of the horizon, in the order in which they arrive, and line each up for its first lane."""
    if w.item_count == 0:
        new_item(w, LEAD, key_of(w))
        _reckon_chances(w)
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
def _reckon_chances(w: World) -> None:
    """The table of :func:`_chance`."""
    segments = max(w.segment_count, 1)
    for place in range(w.room_chances):
        stage, epoch = place % w.stage_count, place // w.stage_count % w.epoch_count
        kind = place // (w.stage_count * w.epoch_count)
        quality = a_source(w, kind // segments).quality + a_segment(w, kind % segments).quality
        shift = real(w.shifts, epoch * w.stage_count + stage)
        put_real(w.chances, place, conversion(a_stage(w, stage).base_logit, shift + quality))


@kernel
def _append(w: World, d: int) -> None:
    item, desk = an_item(w, _AT_HAND), a_desk(w, d)
    place = desk.last + 1
    if place % _SIDE_BY_SIDE == 0:
        place = w.lane_lead_count
        w.lane_lead_count += _SIDE_BY_SIDE
    lead = a_lane_lead(w, place)
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
        if w.event_count == 0:
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
def _short_of_room(w: World) -> bool:
    """As :func:`short_of_room`, of what a lane needs."""
    if w.logging == 1:
        return short_of_room(w)
    return w.event_count + w.far_count + SPARE > w.room_events or w.far_used + SPARE > w.room_far


@kernel
def _serve(w: World, d: int, lead: int, entered: int, stage: int) -> None:
    """A lead enters a stage: it goes cold, is worked and answered, or waits at the end of the horizon."""
    while entered >= whole(w.bounds, w.period + 1):
        w.period += 1
    period = w.period
    deadline, server, start, end, tick = _foresee(w, lead, entered, stage)
    item, last = an_item(w, _AT_HAND), deadline if server == -1 else tick
    goes_on = server != -1 and tick < w.end and item.agrees == 1
    if (
        last < whole(w.bounds, period + 1)
        and w.logging + w.product_count + w.activity_count == 0
        and not (goes_on and is_win(w, stage))
    ):
        _count(w, d, lead, stage, server)
    else:
        _keep_books(w, d, lead, stage, deadline, server, start, end, tick)
        w.period = period
    if goes_on and stage + 1 < w.stage_count:
        following = d
        if w.own_lanes == 0:
            following = pool_of(w, a_stage(w, stage + 1).role, a_lane_lead(w, lead).region)
        if following == d:
            push(w, tick, AT_READY, item.entity, stage + 1, 0, OF_ITEM, lead)
        else:
            file_away(w, following, tick, AT_READY, item.entity, stage + 1, lead)


@kernel
def _foresee(w: World, lead: int, entered: int, stage: int) -> tuple[int, int, int, int, int]:
    """What will become of a lead at a stage.

    Returns:
        deadline of its patience, ``NEVER`` where it does not matter; place in the list of desks' reps of who takes
        it, -1 for nobody in time; when work begins and ends and the customer answers, ``NEVER`` for never.
    """
    known, item, lives = a_stage(w, stage), an_item(w, _AT_HAND), a_lane_lead(w, lead)
    tables, deadline = samplers(w), NEVER
    item.entity, item.entered = lives.entity, entered
    u_patience, u_effort, u_outcome, u_delay = stage_uniforms(key_of(w), lives.entity, stage, 0)
    server, start = _next_free(w, entered)
    # Patience is of no account where the lead is worked at once, unless there is none.
    if known.patience >= 0 and (start > entered or u_patience <= known.at_once or w.logging == 1):
        patience = ticks(quantile(tables, known.patience, u_patience), _DAY_TICKS)
        w.now = entered
        deadline = NEVER if patience >= NEVER else customers_later(w, patience)
    if (deadline <= start and deadline < w.end) or start >= w.end:
        return deadline, -1, start, NEVER, NEVER
    r = whole(w.desk_reps, server)
    w.now = start
    rep = a_rep(w, r)
    item.epoch = rep.epoch_first if rep.epoch_count == 1 else epoch_of(w, r)
    hours = 0.0 if known.effort < 0 else quantile(tables, known.effort, u_effort)
    item.worked = effort_ticks(hours, real(w.factors, item.epoch * (w.stage_count + 2) + stage))
    # Work that fits into the hours in which it begins ends without a look at those that follow.
    end = start + item.worked
    if end > whole(w.lane_closes, w.lane_place):
        opens, closes = view(w.lane_opens, w.lane_hours, WHOLE), view(w.lane_closes, w.lane_hours, WHOLE)
        cum = view(w.lane_worked_before, w.lane_hours, WHOLE)
        end = add_work(opens, closes, cum, start, item.worked, w.lane_place)
    put(w.lane_free, server, end)
    item.begun, item.rep, item.agrees, item.delay = start, r, 1, 0
    if end >= w.end or known.after_win == 1:
        return deadline, server, start, end, end
    agrees = u_outcome < _chance(w, lives.source, lives.segment, item.epoch, stage)
    item.agrees = 1 if agrees else 0
    item.delay = days_drawn(tables, known.delay if agrees else known.loss_delay, u_delay)
    w.now = end
    return deadline, server, start, end, customers_later(w, item.delay)


@kernel
def _next_free(w: World, entered: int) -> tuple[int, int]:
    """Which rep (place in the list of desks' reps) takes a lead, the longest idle one, and when."""
    server, free = w.lane_first, NEVER
    for place in range(w.lane_first, w.lane_first + w.lane_reps):
        if whole(w.lane_free, place) < free:
            server, free = place, whole(w.lane_free, place)
    if free >= NEVER:
        return server, NEVER
    start, place = max(entered, free), w.lane_place
    if whole(w.lane_closes, place) <= start or start < whole(w.lane_opens, place):
        place = interval_at(view(w.lane_closes, w.lane_hours, WHOLE), start, place)
        if place == w.lane_hours:
            return server, NEVER
        w.lane_place = place
        start = max(start, whole(w.lane_opens, place))
    return server, start


@kernel
def _chance(w: World, source: int, segment: int, epoch: int, stage: int) -> float:
    """Chance of a yes: of each source, segment, epoch and stage reckoned once, as long as that is not too many."""
    place = ((source * max(w.segment_count, 1) + max(segment, 0)) * w.epoch_count + epoch) * w.stage_count + stage
    if place < w.room_chances:
        return real(w.chances, place)
    quality = a_source(w, source).quality + a_segment(w, max(segment, 0)).quality
    return conversion(a_stage(w, stage).base_logit, real(w.shifts, epoch * w.stage_count + stage) + quality)


# ---- what is counted ------------------------------------------------------------------------------------------------


@kernel
def _count(w: World, d: int, lead: int, stage: int, server: int) -> None:
    """Tallies of a visit that begins and ends within the present period, of a lead that is worth nothing."""
    item, known, own, period = an_item(w, _AT_HAND), a_lane_lead(w, lead), a_desk(w, d).rep, w.period
    tally_stage(w, STAGE_ENTERED, stage, 1)
    if server == -1:
        tally_stage(w, STAGE_COLD, stage, 1)
        tally_rep(w, WENT_COLD, own, period, 1)
        tally_source(w, SOURCE_COLD, known.source, period, 1)
        tally_segment(w, SEGMENT_COLD, known.segment, period, 1)
        return
    r, waited = item.rep, item.begun - item.entered
    tally_stage(w, STAGE_STARTED, stage, 1)
    tally_stage(w, STAGE_WAITED, stage, waited)
    tally_stage(w, STAGE_BUSY, stage, item.worked)
    tally_stage(w, STAGE_DELAY, stage, item.delay)
    tally_rep(w, STARTED, r, period, 1)
    tally_rep(w, WAITED, r, period, waited)
    tally_rep(w, BUSY, r, period, item.worked)
    if own == -1 and stage == a_source(w, known.source).first_stage:
        tally_rep(w, LEADS, r, period, 1)
    if item.agrees == 1:
        tally_stage(w, STAGE_ADVANCED, stage, 1)
        return
    tally_stage(w, STAGE_LOST, stage, 1)
    tally_rep(w, LOST, r, period, 1)
    tally_source(w, SOURCE_LOST, known.source, period, 1)
    tally_segment(w, SEGMENT_LOST, known.segment, period, 1)


@kernel
def _keep_books(
    w: World, d: int, lead: int, stage: int, deadline: int, server: int, start: int, end: int, tick: int
) -> None:
    """Rows and tallies of any visit, each in its own period."""
    item, own = an_item(w, _AT_HAND), a_desk(w, d).rep
    _describe(w, lead, stage)
    tally_stage(w, STAGE_ENTERED, stage, 1)
    row(w, item.entered, ROW_ENTER, item.entity, 0, stage, own, -1, deadline, 0)
    if server == -1:
        if deadline <= start and deadline < w.end:
            _come_to(w, deadline)
            note_cold(w, _AT_HAND, own)
        return
    _come_to(w, start)
    record_start(w, item.rep, _AT_HAND, end)
    if end >= w.end:
        return
    _come_to(w, end)
    row(w, end, ROW_END, item.entity, 0, stage, item.rep, -1, start, item.worked)
    tally_activities(w, item.rep, stage)
    if a_stage(w, stage).after_win == 1:
        tally_stage(w, STAGE_ADVANCED, stage, 1)
    elif tick < w.end:
        _come_to(w, tick)
        put(w.keepers, a_rep(w, item.rep).role, item.rep)
        note_answer(w, _AT_HAND, item.rep)


@kernel
def _describe(w: World, lead: int, stage: int) -> None:
    """All that is known of the lead at hand."""
    known, item = a_lane_lead(w, lead), an_item(w, _AT_HAND)
    item.what, item.origin, item.created, item.stage, item.visit = LEAD, NEW_LEAD, known.time, stage, 0
    item.source, item.region, item.segment = known.source, known.region, known.segment
    item.product, item.bundle = known.product, known.bundle
    # A lead counts with the rep in whose own lane it lines up, or who takes it from the pool at its first stage.
    item.counted_at = -1
    item.counted = 1 if w.own_lanes == 1 or stage != a_source(w, known.source).first_stage else 0
    if w.product_count > 0:
        set_market(w, _AT_HAND)
        set_worth(w, _AT_HAND)


@kernel
def _come_to(w: World, tick: int) -> None:
    w.period = period_at(w, tick)
    w.now = tick
