"""The open pipeline in the compiled engine: opportunities that were there at the start, as in :mod:`sim.reference`."""

from __future__ import annotations

from sim.compile import kernel
from sim.kernel.deal import bundle_of, value_deal
from sim.kernel.items import new_item
from sim.kernel.lead import await_answer, enter_stage, pick_of
from sim.kernel.names import LEAD, ROW_OPEN, SOURCE_OPENED, STAGE_ENTERED
from sim.kernel.people import epoch_of
from sim.kernel.routing import anyone, routed
from sim.kernel.rows import row, tally_source, tally_stage
from sim.kernel.tables import a_desk, a_rep, a_segment, a_source, a_stage, an_item, an_opening, put, real
from sim.kernel.world import World, clock_columns, key_of, samplers
from sim.log import ACCOUNT_OPPORTUNITY, OPENING_PIPELINE
from sim.rules import chance_given_silence, conversion, days_left, visit_draws
from sim.streams import Purpose
from sim.worktime import work_between

_PRODUCT = int(Purpose.PRODUCT)
_DAY_TICKS = 86_400_000


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
        item.product = pick_of(w, item.entity, w.product_identities, weights, place_of, count, _PRODUCT)


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
