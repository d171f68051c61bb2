"""A lead's visit of a stage in a lane (:mod:`sim.kernel.lanes`): foreseen to its end, then counted."""

from __future__ import annotations

from scenarios.ticks import NEVER
from sim.compile import inlined_kernel, kernel
from sim.kernel.chance import chance
from sim.kernel.deal import set_worth
from sim.kernel.desk import record_start
from sim.kernel.items import customers_later
from sim.kernel.lead import note_answer, note_cold, set_market
from sim.kernel.names import (
    BUSY,
    LEAD,
    LEADS,
    LOST,
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
from sim.kernel.people import epoch_of
from sim.kernel.rows import (
    period_at,
    rep_sums,
    row,
    stage_sums,
    tally_activities,
    tally_rep,
    tally_segment,
    tally_source,
    tally_stage,
)
from sim.kernel.tables import (
    a_desk,
    a_lane_lead,
    a_rep,
    a_source,
    a_stage,
    add,
    an_item,
    put,
    real,
    whole,
)
from sim.kernel.view import view
from sim.kernel.world import WHOLE, World, key_of, samplers
from sim.log import NEW_LEAD
from sim.rules import days_drawn, effort_ticks
from sim.samplers import quantile, ticks
from sim.streams import stage_uniforms
from sim.worktime import add_work, interval_at

_DAY_TICKS = 86_400_000
AT_HAND = 0
"""The place of the one item that lanes need: the lead that is just being worked."""


@inlined_kernel
def foresee(w: World, lead: int, entered: int, stage: int) -> tuple[int, int, int, int, int]:
    """What will become of a lead at a stage.

    Returns:
        deadline of its patience, ``NEVER`` where it does not matter; place in the list of desks' reps of who takes
        it, -1 for nobody in time; when work begins and ends and the customer answers, ``NEVER`` for never.
    """
    known, item, lives = a_stage(w, stage), an_item(w, AT_HAND), a_lane_lead(w, lead)
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
    if item.worked == 0 and w.lane_reps > 1:
        # Who shares a pool and is done at once has no turn before the others: that asks for a common clock.
        w.timeless = 1
    item.begun, item.rep, item.agrees, item.delay = start, r, 1, 0
    if end >= w.end or known.after_win == 1:
        return deadline, server, start, end, end
    agrees = u_outcome < chance(w, lives.source, lives.segment, item.epoch, stage)
    item.agrees = 1 if agrees else 0
    item.delay = days_drawn(tables, known.delay if agrees else known.loss_delay, u_delay)
    w.now = end
    return deadline, server, start, end, customers_later(w, item.delay)


@inlined_kernel
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


# ---- what is counted ------------------------------------------------------------------------------------------------


@inlined_kernel
def count(w: World, d: int, lead: int, stage: int, server: int) -> None:
    """Tallies of a visit that begins and ends within the present period, of a lead that is worth nothing."""
    item, known, own, period = an_item(w, AT_HAND), a_lane_lead(w, lead), a_desk(w, d).rep, w.period
    of_stage = stage_sums(w, stage, period)
    add(of_stage, STAGE_ENTERED, 1)
    if server == -1:
        add(of_stage, STAGE_COLD, 1)
        tally_rep(w, WENT_COLD, own, period, 1)
        tally_source(w, SOURCE_COLD, known.source, period, 1)
        tally_segment(w, SEGMENT_COLD, known.segment, period, 1)
        return
    # Read before anything is added: the compiler cannot know that the item is no tally.
    waited, worked, delay, agrees = item.begun - item.entered, item.worked, item.delay, item.agrees
    from_pool = own == -1 and stage == a_source(w, known.source).first_stage
    of_rep = rep_sums(w, item.rep, period)
    add(of_stage, STAGE_STARTED, 1)
    add(of_stage, STAGE_WAITED, waited)
    add(of_stage, STAGE_BUSY, worked)
    add(of_stage, STAGE_DELAY, delay)
    add(of_rep, STARTED, 1)
    add(of_rep, WAITED, waited)
    add(of_rep, BUSY, worked)
    if from_pool:
        add(of_rep, LEADS, 1)
    if agrees == 1:
        add(of_stage, STAGE_ADVANCED, 1)
        return
    add(of_stage, STAGE_LOST, 1)
    add(of_rep, LOST, 1)
    tally_source(w, SOURCE_LOST, known.source, period, 1)
    tally_segment(w, SEGMENT_LOST, known.segment, period, 1)


@kernel
def keep_books(
    w: World, d: int, lead: int, stage: int, deadline: int, server: int, start: int, end: int, tick: int
) -> None:
    """Rows and tallies of any visit, each in its own period."""
    item, own = an_item(w, AT_HAND), a_desk(w, d).rep
    _describe(w, lead, stage)
    tally_stage(w, STAGE_ENTERED, stage, 1)
    row(w, item.entered, ROW_ENTER, item.entity, 0, stage, own, -1, deadline, 0)
    if server == -1:
        if deadline <= start and deadline < w.end:
            _come_to(w, deadline)
            note_cold(w, AT_HAND, own)
        return
    _come_to(w, start)
    record_start(w, item.rep, AT_HAND, end)
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
        note_answer(w, AT_HAND, item.rep)


@kernel
def _describe(w: World, lead: int, stage: int) -> None:
    """All that is known of the lead at hand."""
    known, item = a_lane_lead(w, lead), an_item(w, AT_HAND)
    item.what, item.origin, item.created, item.stage, item.visit = LEAD, NEW_LEAD, known.time, stage, 0
    item.source, item.region, item.segment = known.source, known.region, known.segment
    item.product, item.bundle = max(known.product, -1), max(-2 - known.product, -1)
    # A lead counts with the rep in whose own lane it lines up, or who takes it from the pool at its first stage.
    counts = w.own_lanes == 0 and stage == a_source(w, known.source).first_stage
    item.counted_at, item.counted_by = -1, -1 if counts else 0
    if w.product_count > 0:
        set_market(w, AT_HAND)
        set_worth(w, AT_HAND)


@kernel
def _come_to(w: World, tick: int) -> None:
    w.period = period_at(w, tick)
    w.now = tick
