"""The life of a lead in the compiled engine: a function for each transition of :mod:`sim.reference`."""

from __future__ import annotations

import numpy as np

from sim.compile import kernel
from sim.kernel.chance import chance
from sim.kernel.customer import becomes_customer, begin_life
from sim.kernel.deal import bundle_of, value_deal
from sim.kernel.desk import leave
from sim.kernel.heap import push
from sim.kernel.items import (
    LEAD_TIER,
    customers_later,
    drop_item,
    new_item,
    queue_up,
)
from sim.kernel.names import (
    AT_READY,
    LEAD,
    LOST,
    OF_ITEM,
    ROW_ARRIVE,
    ROW_COLD,
    ROW_NO,
    ROW_REST,
    ROW_RETURN,
    ROW_WON,
    ROW_YES,
    SEGMENT_COLD,
    SEGMENT_LEADS,
    SEGMENT_LOST,
    SEGMENT_WON,
    SOURCE_COLD,
    SOURCE_LEADS,
    SOURCE_LOST,
    SOURCE_WON,
    STAGE_ADVANCED,
    STAGE_COLD,
    STAGE_DELAY,
    STAGE_LOST,
    STAGE_LOST_VALUE,
    WENT_COLD,
)
from sim.kernel.routing import customer_owner, desk_for, holder_of, pool_of
from sim.kernel.rows import row, tally_rep, tally_segment, tally_source, tally_stage
from sim.kernel.sale import book
from sim.kernel.tables import a_desk, a_rep, a_segment, a_source, a_stage, an_item, put, real
from sim.kernel.view import view
from sim.kernel.world import IDENTITY, MANY, REAL, World, key_of, samplers
from sim.log import NEW_LEAD
from sim.rules import (
    comes_back,
    conversion,
    days_drawn,
    visit_draws,
)
from sim.rules_arrivals import chosen_one
from sim.streams import Purpose

_REGION = int(Purpose.REGION)
_SEGMENT = int(Purpose.SEGMENT)
_PRODUCT = int(Purpose.PRODUCT)
_DAY_TICKS = 86_400_000


@kernel
def pick_of(w: World, entity: np.uint64, kinds: int, weights: int, row_of: int, count: int, purpose: int) -> int:
    """Which of ``count`` kinds an entity is, by a row of a table of weights."""
    if count == 1:
        return 0
    identities, draws = view(kinds, count, IDENTITY), view(w.draws, MANY, REAL)
    chances = view(weights + 8 * row_of * count, count, REAL)
    return chosen_one(key_of(w), entity, identities, chances, purpose, draws)


@kernel
def arrive(w: World, entity: np.uint64, source: int) -> None:
    """A new lead comes."""
    slot = new_item(w, LEAD, entity)
    describe_lead(w, slot, source)
    note_arrival(w, slot)
    enter_stage(w, slot, a_source(w, source).first_stage)


@kernel
def describe_lead(w: World, slot: int, source: int) -> None:
    """What a new lead is, by draws of its own."""
    item, entity = an_item(w, slot), an_item(w, slot).entity
    item.origin, item.source, item.created = NEW_LEAD, source, w.now
    item.region = pick_of(w, entity, w.region_identities, w.region_weights, source, w.region_count, _REGION)
    segments = max(w.segment_count, 1)
    segment = pick_of(w, entity, w.segment_identities, w.segment_weights, source, segments, _SEGMENT)
    item.segment = segment if w.segment_count > 0 else -1
    item.bundle = bundle_of(w, entity)
    item.product = -1
    if item.bundle == -1 and w.product_count > 0:
        count = w.product_count
        item.product = pick_of(w, entity, w.product_identities, w.product_weights, source, count, _PRODUCT)
    set_market(w, slot)


@kernel
def set_market(w: World, slot: int) -> None:
    """What a new lead's source and segment make of its quality and value."""
    item = an_item(w, slot)
    source, segment = a_source(w, item.source), a_segment(w, max(item.segment, 0))
    item.quality = source.quality + segment.quality
    item.factor = source.value_factor * segment.value_factor


@kernel
def note_arrival(w: World, slot: int) -> None:
    """A new lead has come: its value, row and tallies."""
    item = an_item(w, slot)
    value_deal(w, slot)
    row(w, w.now, ROW_ARRIVE, item.entity, 0, -1, -1, item.source, item.value, item.region)
    tally_source(w, SOURCE_LEADS, item.source, w.period, 1)
    tally_segment(w, SEGMENT_LEADS, item.segment, w.period, 1)


# ---- through the stages ---------------------------------------------------------------------------------------------


@kernel
def enter_stage(w: World, slot: int, stage: int) -> None:
    """A lead comes to a stage; behind the last its life is over."""
    if stage >= w.stage_count:
        drop_item(w, slot)
        return
    item = an_item(w, slot)
    item.stage, item.visit, item.rests, item.pooled = stage, 0, 0, 0
    visit_stage(w, slot)


@kernel
def visit_stage(w: World, slot: int) -> None:
    """Queue for the work of a stage: with whoever routing says, or at the pool."""
    item = an_item(w, slot)
    stage = a_stage(w, item.stage)
    tables = samplers(w)
    patience, hours, u_outcome, u_delay = visit_draws(
        tables, stage.patience, stage.effort, key_of(w), item.entity, item.stage, item.visit
    )
    item.hours, item.u_outcome, item.u_delay = hours, u_outcome, u_delay
    item.support = stage.support
    if stage.support != -1:
        # A stage position of its own for the support's effort: 128 + stage is beyond any stage of the funnel.
        _, item.support_hours, _, _ = visit_draws(
            tables, -1, stage.support_effort, key_of(w), item.entity, 128 + item.stage, item.visit
        )
    if item.pooled == 1:
        d = pool_of(w, stage.role, item.region)
    else:
        d = desk_for(w, slot, item.stage, stage.role)
    queue_up(w, slot, d, item.value, LEAD_TIER, patience)


@kernel
def lead_worked(w: World, slot: int) -> None:
    """The work of a stage is done: the customer takes time and answers, or it was work after the win."""
    item = an_item(w, slot)
    stage = a_stage(w, item.stage)
    put(w.keepers, slot * w.role_count + a_rep(w, item.rep).role, item.rep)
    if stage.after_win == 1:
        tally_stage(w, STAGE_ADVANCED, item.stage, 1)
        enter_stage(w, slot, item.stage + 1)
        return
    if item.origin == NEW_LEAD:
        agrees = item.u_outcome < chance(w, item.source, item.segment, item.epoch, item.stage)
    else:
        shift = real(w.shifts, item.epoch * w.stage_count + item.stage)
        agrees = item.u_outcome < conversion(stage.base_logit, shift + item.quality)
    item.agrees = 1 if agrees else 0
    await_answer(w, slot, days_drawn(samplers(w), stage.delay if agrees else stage.loss_delay, item.u_delay))


@kernel
def await_answer(w: World, slot: int, delay: int) -> None:
    """The customer takes time to answer."""
    item = an_item(w, slot)
    item.delay = delay
    if delay == 0:
        answer(w, slot)
        return
    push_back(w, slot, customers_later(w, delay))


@kernel
def push_back(w: World, slot: int, tick: int) -> None:
    """A lead is heard of again at a tick; beyond the horizon its place is free."""
    item = an_item(w, slot)
    if tick >= w.end:
        drop_item(w, slot)
    else:
        push(w, tick, AT_READY, item.entity, item.stage, item.visit, OF_ITEM, slot)


@kernel
def answer(w: World, slot: int) -> None:
    """The customer answers; a yes at the last deciding stage is a win."""
    item = an_item(w, slot)
    rep = holder_of(w, item.rep, item.entity)
    note_answer(w, slot, rep)
    if item.agrees == 0:
        drop_item(w, slot)
        return
    newcomer = -1
    if w.renews == 1 and item.account == -1 and is_win(w, item.stage):
        newcomer = becomes_customer(w, slot, customer_owner(w, slot, rep), rep)
    enter_stage(w, slot, item.stage + 1)
    if newcomer != -1:
        begin_life(w, newcomer)


@kernel
def is_win(w: World, stage: int) -> bool:
    """Whether a yes at a stage is the win: what follows, if anything, is work after it."""
    return stage + 1 == w.stage_count or a_stage(w, stage + 1).after_win == 1


@kernel
def note_answer(w: World, slot: int, rep: int) -> None:
    """Row and tallies of an answer; a win is booked."""
    item, now, period = an_item(w, slot), w.now, w.period
    stage, visit = item.stage, item.visit
    tally_stage(w, STAGE_DELAY, stage, item.delay)
    if item.agrees == 0:
        row(w, now, ROW_NO, item.entity, visit, stage, rep, item.source, item.value, item.delay)
        tally_rep(w, LOST, rep, period, 1)
        tally_stage(w, STAGE_LOST, stage, 1)
        tally_stage(w, STAGE_LOST_VALUE, stage, item.value)
        tally_source(w, SOURCE_LOST, item.source, period, 1)
        tally_segment(w, SEGMENT_LOST, item.segment, period, 1)
        return
    tally_stage(w, STAGE_ADVANCED, stage, 1)
    if is_win(w, stage):
        row(w, now, ROW_WON, item.entity, visit, stage, rep, item.source, item.value, item.delay)
        tally_source(w, SOURCE_WON, item.source, period, 1)
        tally_segment(w, SEGMENT_WON, item.segment, period, 1)
        book(w, slot, rep)
    else:
        row(w, now, ROW_YES, item.entity, visit, stage, rep, item.source, item.value, item.delay)


# ---- into the cold --------------------------------------------------------------------------------------------------


@kernel
def lead_goes_cold(w: World, slot: int) -> None:
    """Nobody worked a lead in time: it may rest and come back, go to the pool, or it is lost."""
    item, now = an_item(w, slot), w.now
    holder = a_desk(w, item.desk).rep
    leave(w, slot)
    stage, rest = a_stage(w, item.stage), -1
    if item.rests < stage.recycle_max:
        rest = comes_back(
            samplers(w), stage.recycle_rest, stage.recycle_chance, key_of(w), item.entity, item.stage, item.visit
        )
    if rest >= 0:
        row(w, now, ROW_REST, item.entity, item.visit, item.stage, holder, item.source, item.value, rest)
        item.rests += 1
        item.visit += 1
        push_rested(w, slot, customers_later(w, rest))
    elif stage.to_pool == 1 and item.pooled == 0:
        row(w, now, ROW_RETURN, item.entity, item.visit, item.stage, holder, -1, 0, now - item.entered)
        item.pooled = 1
        item.visit += 1
        visit_stage(w, slot)
    else:
        note_cold(w, slot, holder)
        drop_item(w, slot)


@kernel
def note_cold(w: World, slot: int, holder: int) -> None:
    """Row and tallies of a lead that is lost because nobody worked it in time."""
    item = an_item(w, slot)
    waited = w.now - item.entered
    row(w, w.now, ROW_COLD, item.entity, item.visit, item.stage, holder, item.source, item.value, waited)
    tally_rep(w, WENT_COLD, holder, w.period, 1)
    tally_stage(w, STAGE_COLD, item.stage, 1)
    tally_stage(w, STAGE_LOST_VALUE, item.stage, item.value)
    tally_source(w, SOURCE_COLD, item.source, w.period, 1)
    tally_segment(w, SEGMENT_COLD, item.segment, w.period, 1)


@kernel
def push_rested(w: World, slot: int, tick: int) -> None:
    """A lead gone cold comes back after its rest, with no answer in its hands."""
    an_item(w, slot).agrees = -1
    push_back(w, slot, tick)


@kernel
def lead_ready(w: World, slot: int) -> None:
    """A lead is heard of again: the customer answers, or a cold lead has rested."""
    if an_item(w, slot).agrees == -1:
        visit_stage(w, slot)
    else:
        answer(w, slot)
