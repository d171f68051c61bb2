"""The compiled engine: one simulated horizon as a loop over events, each kind with a function of its own.

It does what :mod:`sim.reference` does, in the same order of one instant and with the same draws and rules, on a record
of plain numbers (:mod:`sim.kernel.world`). The loop can stop at any event where room runs short and go on when the
caller has made more, since nothing of its state lies outside the world.
"""

from __future__ import annotations

import numpy as np

from scenarios.ticks import NEVER
from sim.compile import kernel, scalar
from sim.kernel.arrivals import new_day
from sim.kernel.chance import reckon_chances
from sim.kernel.customer import (
    add_account,
    begin_life,
    care_falls_due,
    care_worked,
    change_owner,
    churn,
    hand_over,
    order_due,
    order_worked,
    review,
)
from sim.kernel.desk import dispatch, dispatch_support, give_back, leave, touch, touch_waiting, wake_desks
from sim.kernel.heap import first_due, look_ahead, push, still_waits
from sim.kernel.items import drop_item
from sim.kernel.lanes import line_up, work_lanes
from sim.kernel.lead import arrive, lead_goes_cold, lead_ready, lead_worked
from sim.kernel.names import (
    AT_ARRIVE,
    AT_CREATE,
    AT_END,
    AT_JOIN,
    AT_LEAVE,
    AT_PATIENCE,
    AT_READY,
    AT_RETURN,
    AT_REVIEW,
    AT_WAKE,
    CARE,
    DONE,
    LEAD,
    OF_BLOCK,
    OF_CARE,
    OF_CHANGE,
    OF_CHURN,
    OF_DESK,
    OF_ITEM,
    OF_OPENING,
    OF_ORDER,
    OF_REP,
    OF_SUPPORT,
    OF_TENDER,
    ORDER,
    ROOM,
    ROOM_FOR_ARRIVALS,
    ROW_END,
)
from sim.kernel.opening import open_lead
from sim.kernel.people import (
    await_leaving,
    await_replacement,
    give_notice,
    leaves_now,
    note_free,
    sits_down,
    stands_up,
)
from sim.kernel.returning import goes_over, returns
from sim.kernel.room import steps_of_room
from sim.kernel.routing import holder_of, pool_of
from sim.kernel.rows import row, tally_activities, tally_presence
from sim.kernel.tables import (
    a_block,
    a_change,
    a_customer,
    a_desk,
    a_rep,
    a_soon_event,
    a_tender,
    an_arrival,
    an_item,
    an_opening,
    whole,
)
from sim.kernel.tender import decide, prepare
from sim.kernel.view import view
from sim.kernel.world import WORLD, World


@kernel
def _begin(w: World) -> None:
    """Everything that is known at the start comes into the heap."""
    for place in range(w.account_count):
        add_account(w, place)
    for place in range(w.opening_count):
        opening = an_opening(w, place)
        push(w, 0, AT_READY, opening.entity, opening.stage, 0, OF_OPENING, place)
    for place in range(w.account_count):
        begin_life(w, place)
    for place in range(w.block_count):
        block = a_block(w, place)
        push(w, block.due, AT_CREATE, a_tender(w, block.tender).entity, 0, block.number, OF_BLOCK, place)
    for place in range(w.tender_count):
        tender = a_tender(w, place)
        if tender.awaited == 1:
            push(w, tender.decided, AT_READY, tender.entity, 0, 0, OF_TENDER, place)
    for place in range(w.change_count):
        change = a_change(w, place)
        push(w, change.tick, AT_LEAVE, a_customer(w, change.account).identity, 1, 0, OF_CHANGE, place)
    for r in range(w.rep_count):
        note_free(w, r)
        rep = a_rep(w, r)
        if rep.employed == 1:
            await_leaving(w, r)
        else:
            push(w, rep.joined, AT_JOIN, rep.identity, 0, 0, OF_REP, r)


@scalar("int64(int64)")
def run(address: int) -> int:
    """Go on until the horizon ends or room runs short; which of them.

    Args:
        address: where the record of the world lies; its owner keeps it.
    """
    w = view(address, 1, WORLD)[0]
    if w.chances_known == 0:
        reckon_chances(w)
    if w.begun == 0:
        w.begun = 1
        if w.laned == 0:
            _begin(w)
    if w.laned == 1:
        stopped = line_up(w)
        if stopped == DONE:
            stopped = work_lanes(w)
    else:
        stopped = _go_on(w)
    if stopped != DONE:
        return stopped
    for r in range(w.rep_count):
        rep = a_rep(w, r)
        if rep.seated == 1:
            tally_presence(w, r, rep.clock_now, rep.seat_begin, NEVER)
    return DONE


@kernel
def _go_on(w: World) -> int:
    """One event after the other."""
    steps = 0
    while True:
        if steps == 0:
            steps = steps_of_room(w)
            if steps == 0:
                return ROOM
        steps -= 1
        while w.next_arrival == w.arrival_count and w.group < w.group_count:
            if not new_day(w):
                return ROOM_FOR_ARRIVALS
        look_ahead(w)
        at_event = a_soon_event(w, w.soon_count - 1).when if w.soon_count > 0 else NEVER
        at_arrival = (
            ((an_arrival(w, w.next_arrival).time << 4) | AT_ARRIVE) if w.next_arrival < w.arrival_count else NEVER
        )
        time = min(at_event, at_arrival) >> 4
        if w.due_count > 0 and time > w.now:
            _serve(w, first_due(w))
            continue
        if time >= w.end:
            return DONE
        w.now = time
        while time >= whole(w.bounds, w.period + 1):
            w.period += 1
        if at_arrival < at_event:
            first = an_arrival(w, w.next_arrival)
            w.next_arrival += 1
            arrive(w, first.entity, first.source)
        else:
            w.soon_count -= 1
            event = a_soon_event(w, w.soon_count)
            entity, what, moment = event.entity, event.what, event.when & 15
            _happen(w, moment, entity, what)


@kernel
def _serve(w: World, rank: int) -> None:
    """The last of an instant: match who waits with who is free."""
    if rank < w.support_count:
        dispatch_support(w, whole(w.desk_of, rank))
    else:
        dispatch(w, whole(w.desk_of, rank))


@kernel
def _happen(w: World, moment: int, entity: np.uint64, what: int) -> None:
    """One event, by its moment and what it is about."""
    place, about = what & 0xFFFFFFF, (what >> 28) & 15
    stage, visit = what >> 56, (what >> 32) & 0xFFFFFF
    if moment == AT_END:
        if about == OF_SUPPORT:
            give_back(w, place)
        else:
            _worked(w, place)
    elif moment == AT_READY:
        if about == OF_ITEM:
            lead_ready(w, place)
        elif about == OF_OPENING:
            open_lead(w, place)
        else:
            decide(w, place)
    elif moment == AT_PATIENCE:
        if still_waits(w, place, entity, stage, visit):
            _goes_cold(w, place)
    elif moment == AT_RETURN:
        returns(w, place)
    elif moment == AT_REVIEW:
        review(w, place)
    elif moment == AT_CREATE:
        if about == OF_ORDER:
            order_due(w, place)
        elif about == OF_CARE:
            care_falls_due(w, place, entity, visit)
        elif about == OF_CHURN:
            churn(w, place)
        else:
            prepare(w, place, visit)
    elif moment == AT_WAKE:
        if about == OF_DESK:
            touch(w, place)
        else:
            touch_waiting(w, place)
    elif moment == AT_JOIN:
        sits_down(w, place)
        wake_desks(w, place)
        await_leaving(w, place)
    elif about == OF_CHANGE:
        change_owner(w, place)
    else:
        _leaves(w, place, about)


@kernel
def _worked(w: World, slot: int) -> None:
    """Work ends: the rep looks for the next task, and what was worked goes its way."""
    item = an_item(w, slot)
    r = item.rep
    rep = a_rep(w, r)
    row(w, w.now, ROW_END, item.entity, item.visit, item.stage, r, -1, item.begun, item.worked)
    if item.what == LEAD:
        tally_activities(w, r, item.stage)
    rep.busy = 0
    rep.idle_since = w.now
    note_free(w, r)
    if rep.notice == 1:
        leaves_now(w, r)
    else:
        wake_desks(w, r)
    if item.what == LEAD:
        lead_worked(w, slot)
    elif item.what == ORDER:
        order_worked(w, slot)
    elif item.what == CARE:
        care_worked(w, slot)
    else:
        drop_item(w, slot)


@kernel
def _goes_cold(w: World, slot: int) -> None:
    if an_item(w, slot).what == LEAD:
        lead_goes_cold(w, slot)
    else:
        leave(w, slot)
        drop_item(w, slot)


@kernel
def _leaves(w: World, r: int, about: int) -> None:
    """A rep leaves, once the running task is done; nobody knew beforehand who would give notice."""
    if about == OF_REP and a_rep(w, r).busy == 1:
        give_notice(w, r)
        return
    stands_up(w, r)
    _reassign(w, r)
    await_replacement(w, r)


@kernel
def _reassign(w: World, r: int) -> None:
    """Waiting tasks and customers of a rep who has left go to the successor, else to colleagues by rendezvous."""
    rep = a_rep(w, r)
    while a_desk(w, r).first != -1:
        slot = a_desk(w, r).first
        leave(w, slot)
        target = holder_of(w, r, an_item(w, slot).entity)
        goes_over(w, target if target != r else pool_of(w, rep.role, rep.region), slot)
    for place in range(w.customer_count):
        customer = a_customer(w, place)
        if customer.owner == r and customer.gone > w.now:
            target = holder_of(w, r, customer.identity)
            hand_over(w, place, -1 if target == r else target)
