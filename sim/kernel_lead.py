"""The life of a lead in the compiled engine: a function for each transition of :mod:`sim.reference`."""

from __future__ import annotations

import numpy as np

from sim.compiled import kernel
from sim.kernel_customer import becomes_customer, begin_life
from sim.kernel_deal import bundle_of, value_deal
from sim.kernel_desk import join, leave
from sim.kernel_heap import push
from sim.kernel_items import LEAD_TIER, customers_later, drop_item, new_item, queue_up
from sim.kernel_names import (
    AT_READY,
    LEAD,
    LOST,
    OF_ITEM,
    ROW_ARRIVE,
    ROW_COLD,
    ROW_NO,
    ROW_OPEN,
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
    SOURCE_OPENED,
    SOURCE_WON,
    STAGE_ADVANCED,
    STAGE_COLD,
    STAGE_DELAY,
    STAGE_ENTERED,
    STAGE_LOST,
    STAGE_LOST_VALUE,
    WENT_COLD,
)
from sim.kernel_people import epoch_of
from sim.kernel_routing import anyone, customer_owner, desk_for, holder_of, pool_of, routed
from sim.kernel_rows import row, tally_rep, tally_segment, tally_source, tally_stage
from sim.kernel_sale import book
from sim.kernel_tables import a_desk, a_rep, a_segment, a_source, a_stage, an_item, an_opening, put, real
from sim.kernel_view import view
from sim.kernel_world import IDENTITY, REAL, World, clock_columns, key_of, samplers
from sim.log import ACCOUNT_OPPORTUNITY, NEW_LEAD, OPENING_PIPELINE
from sim.rules import (
    chance_given_silence,
    comes_back,
    conversion,
    days_drawn,
    days_left,
    visit_draws,
)
from sim.rules_arrivals import chosen_one
from sim.streams import Purpose
from sim.worktime import work_between

_REGION = int(Purpose.REGION)
_SEGMENT = int(Purpose.SEGMENT)
_PRODUCT = int(Purpose.PRODUCT)
_DAY_TICKS = 86_400_000


# ---- where leads come from ------------------------------------------------------------------------------------------


@kernel
def _pick_of(w: World, entity: np.uint64, kinds: int, weights: int, row_of: int, count: int, purpose: int) -> int:
    """Which of ``count`` kinds an entity is, by a row of a table of weights."""
    if count == 1:
        return 0
    identities = view(kinds, count, IDENTITY)
    return chosen_one(key_of(w), entity, identities, view(weights + 8 * row_of * count, count, REAL), purpose)


@kernel
def arrive(w: World, entity: np.uint64, source: int) -> None:
    """A new lead comes."""
    slot = new_item(w, LEAD, entity)
    item, known = an_item(w, slot), a_source(w, source)
    item.origin, item.source, item.created = NEW_LEAD, source, w.now
    item.region = _pick_of(w, entity, w.region_identities, w.region_weights, source, w.region_count, _REGION)
    segments = max(w.segment_count, 1)
    segment = _pick_of(w, entity, w.segment_identities, w.segment_weights, source, segments, _SEGMENT)
    item.segment = segment if w.segment_count > 0 else -1
    item.quality = known.quality + a_segment(w, segment).quality
    item.factor = known.value_factor * a_segment(w, segment).value_factor
    item.bundle = bundle_of(w, entity)
    if item.bundle == -1 and w.product_count > 0:
        item.product = _pick_of(w, entity, w.product_identities, w.product_weights, source, w.product_count, _PRODUCT)
    value_deal(w, slot)
    row(w, w.now, ROW_ARRIVE, entity, 0, -1, -1, source, item.value, item.region)
    tally_source(w, SOURCE_LEADS, source, w.period, 1)
    tally_segment(w, SEGMENT_LEADS, item.segment, w.period, 1)
    enter_stage(w, slot, known.first_stage)


@kernel
def open_lead(w: World, place: int) -> None:
    """An opportunity that was open at the start: at work's door if it is new in its stage, else the work of the stage
    is done and the customer, silent so far, is deciding."""
    opening = an_opening(w, place)
    slot = new_item(w, LEAD, opening.entity)
    item = an_item(w, slot)
    _describe_opening(w, slot, place)
    value_deal(w, slot)
    stage, owner = opening.stage, opening.owner
    row(w, w.now, ROW_OPEN, item.entity, 0, stage, owner, item.source, item.value, opening.created)
    tally_source(w, SOURCE_OPENED, item.source, w.period, 1)
    tally_stage(w, STAGE_ENTERED, stage, 1)
    item.counted_stage = stage
    if owner != -1:
        put(w.keepers, slot * w.role_count + a_rep(w, owner).role, owner)
    known = a_stage(w, stage)
    opens, closes, cum = clock_columns(w, w.customers_clock)
    silent = work_between(opens, closes, cum, opening.entered, 0)
    # A customer who answers at once is never found deciding: the work itself must be open.
    if silent == 0 or (known.delay < 0 and known.loss_delay < 0):
        enter_stage(w, slot, stage)
        return
    item.stage = stage
    if owner == -1:
        owner = _keeper_of(w, slot, stage)
        put(w.keepers, slot * w.role_count + a_rep(w, owner).role, owner)
    _decide_opening(w, slot, owner, silent / _DAY_TICKS)


@kernel
def _describe_opening(w: World, slot: int, place: int) -> None:
    opening, item = an_opening(w, place), an_item(w, slot)
    item.origin = OPENING_PIPELINE if opening.account < 0 else ACCOUNT_OPPORTUNITY
    item.source, item.region, item.segment = opening.source, opening.region, opening.segment
    item.product, item.account, item.created, item.given = (
        opening.product,
        opening.account,
        opening.created,
        opening.value,
    )
    if opening.source >= 0:
        item.quality, item.factor = a_source(w, opening.source).quality, a_source(w, opening.source).value_factor
    if opening.segment >= 0:
        item.quality += a_segment(w, opening.segment).quality
        item.factor *= a_segment(w, opening.segment).value_factor
    if opening.product < 0 and opening.value < 0:
        item.bundle = bundle_of(w, item.entity)
    if opening.product < 0 and item.bundle < 0 and w.product_count > 0:
        count = w.product_count
        weights, place_of = (w.product_weights, opening.source) if opening.source >= 0 else (w.even_products, 0)
        item.product = _pick_of(w, item.entity, w.product_identities, weights, place_of, count, _PRODUCT)


@kernel
def _keeper_of(w: World, slot: int, stage: int) -> int:
    """Who answers for an opportunity that was found with nobody: one of the role, of the region, or anyone."""
    item, role = an_item(w, slot), a_stage(w, stage).role
    rep = a_desk(w, routed(w, slot, stage, role)).rep
    return anyone(w, item.entity, role, item.region, True) if rep == -1 else rep


@kernel
def _decide_opening(w: World, slot: int, owner: int, days: float) -> None:
    item = an_item(w, slot)
    stage = a_stage(w, item.stage)
    shift = real(w.shifts, epoch_of(w, owner) * w.stage_count + item.stage)
    chance = conversion(stage.base_logit, shift + item.quality)
    yes, no = stage.delay, stage.loss_delay
    chance, below_yes, below_no = chance_given_silence(samplers(w), yes, no, chance, days)
    _, _, u_outcome, u_delay = visit_draws(samplers(w), -1, -1, key_of(w), item.entity, item.stage, 0)
    item.agrees = 1 if u_outcome < chance else 0
    item.rep = owner
    if item.agrees == 1:
        rest = days_left(samplers(w), yes, below_yes, days, u_delay)
    else:
        rest = days_left(samplers(w), no, below_no, days, u_delay)
    await_answer(w, slot, rest)


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
    item, now, period = an_item(w, slot), w.now, w.period
    rep = holder_of(w, item.rep, item.entity)
    stage, visit = item.stage, item.visit
    tally_stage(w, STAGE_DELAY, stage, item.delay)
    if item.agrees == 0:
        row(w, now, ROW_NO, item.entity, visit, stage, rep, item.source, item.value, item.delay)
        tally_rep(w, LOST, rep, period, 1)
        tally_stage(w, STAGE_LOST, stage, 1)
        tally_stage(w, STAGE_LOST_VALUE, stage, item.value)
        tally_source(w, SOURCE_LOST, item.source, period, 1)
        tally_segment(w, SEGMENT_LOST, item.segment, period, 1)
        drop_item(w, slot)
        return
    tally_stage(w, STAGE_ADVANCED, stage, 1)
    if stage + 1 == w.stage_count or a_stage(w, stage + 1).after_win == 1:
        row(w, now, ROW_WON, item.entity, visit, stage, rep, item.source, item.value, item.delay)
        tally_source(w, SOURCE_WON, item.source, period, 1)
        tally_segment(w, SEGMENT_WON, item.segment, period, 1)
        book(w, slot, rep)
        newcomer = -1
        if w.renews == 1 and item.account == -1:
            newcomer = becomes_customer(w, slot, customer_owner(w, slot, rep), rep)
        enter_stage(w, slot, stage + 1)
        if newcomer != -1:
            begin_life(w, newcomer)
    else:
        row(w, now, ROW_YES, item.entity, visit, stage, rep, item.source, item.value, item.delay)
        enter_stage(w, slot, stage + 1)


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
        waited = now - item.entered
        row(w, now, ROW_COLD, item.entity, item.visit, item.stage, holder, item.source, item.value, waited)
        tally_rep(w, WENT_COLD, holder, w.period, 1)
        tally_stage(w, STAGE_COLD, item.stage, 1)
        tally_stage(w, STAGE_LOST_VALUE, item.stage, item.value)
        tally_source(w, SOURCE_COLD, item.source, w.period, 1)
        tally_segment(w, SEGMENT_COLD, item.segment, w.period, 1)
        drop_item(w, slot)


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


@kernel
def returns_to_pool(w: World, slot: int) -> None:
    """A lead that its rep left unworked too long goes to the public pool."""
    item = an_item(w, slot)
    holder, pool = a_desk(w, item.desk).rep, pool_of(w, a_stage(w, item.stage).role, item.region)
    if item.desk == pool:
        return
    leave(w, slot)
    row(w, w.now, ROW_RETURN, item.entity, item.visit, item.stage, holder, -1, 0, w.now - item.entered)
    join(w, pool, slot)
