"""Desks and support people in the compiled engine: who waits where, and who is matched with whom at an instant's end.

The queues of :class:`sim.components.Desk` and :class:`sim.components.Support` as lists linked through their items.
"""

from __future__ import annotations

from scenarios.ticks import NEVER
from sim.compile import kernel
from sim.kernel.heap import push, push_due
from sim.kernel.names import (
    AT_END,
    AT_WAKE,
    BUSY,
    CARE_WORK,
    LEAD,
    OF_DESK,
    OF_ITEM,
    OF_SUPPORT,
    ORDER_WORK,
    ROW_START,
    STAGE_BUSY,
    STAGE_STARTED,
    STAGE_WAITED,
    STARTED,
    WAITED,
)
from sim.kernel.people import finish_time, note_free, opens_at
from sim.kernel.rows import row, tally_rep, tally_stage, tally_work
from sim.kernel.tables import a_desk, a_rep, a_support, an_item, put, whole
from sim.kernel.tally import tally_first_rep
from sim.kernel.world import World, clock_columns
from sim.rules import effort_ticks
from sim.worktime import add_work, interval_at, next_open


@kernel
def goes_before(w: World, one: int, other: int) -> bool:
    """Whether a task is served before another: by the discipline, then by content."""
    a, b = an_item(w, one), an_item(w, other)
    if a.sort != b.sort:
        return a.sort < b.sort
    if a.entered != b.entered:
        return a.entered < b.entered
    if a.entity != b.entity:
        return a.entity < b.entity
    if a.stage != b.stage:
        return a.stage < b.stage
    return a.visit < b.visit


@kernel
def join(w: World, d: int, slot: int) -> None:
    """A task queues up at a desk; who comes last mostly stands last, so its place is looked for from the end."""
    desk, item = a_desk(w, d), an_item(w, slot)
    item.desk = d
    behind, ahead = -1, desk.last
    while ahead != -1 and goes_before(w, slot, ahead):
        behind, ahead = ahead, an_item(w, ahead).before
    item.before, item.after = ahead, behind
    if ahead == -1:
        desk.first = slot
    else:
        an_item(w, ahead).after = slot
    if behind == -1:
        desk.last = slot
    else:
        an_item(w, behind).before = slot
    desk.count += 1
    if item.support != -1:
        _needs_support(w, d, item.support)
    touch(w, d)


@kernel
def leave(w: World, slot: int) -> None:
    """A task goes from its desk, to be worked or not."""
    item = an_item(w, slot)
    d = item.desk
    desk = a_desk(w, d)
    if item.before == -1:
        desk.first = item.after
    else:
        an_item(w, item.before).after = item.after
    if item.after == -1:
        desk.last = item.before
    else:
        an_item(w, item.after).before = item.before
    desk.count -= 1
    item.desk = -1
    if item.support != -1:
        _needs_support_no_more(w, d, item.support)


@kernel
def _needs_support(w: World, d: int, s: int) -> None:
    place = d * w.support_count + s
    put(w.needs, place, whole(w.needs, place) + 1)
    if whole(w.needs, place) == 1:
        support = a_support(w, s)
        put(w.waiting, s * w.desk_count + support.waiting, d)
        put(w.waiting_at, place, support.waiting)
        support.waiting += 1


@kernel
def _needs_support_no_more(w: World, d: int, s: int) -> None:
    place = d * w.support_count + s
    put(w.needs, place, whole(w.needs, place) - 1)
    if whole(w.needs, place) == 0:
        support = a_support(w, s)
        support.waiting -= 1
        last, hole = whole(w.waiting, s * w.desk_count + support.waiting), whole(w.waiting_at, place)
        put(w.waiting, s * w.desk_count + hole, last)
        put(w.waiting_at, last * w.support_count + s, hole)


@kernel
def touch(w: World, d: int) -> None:
    """Something changed: match tasks and reps at the end of this instant, if there may be a match."""
    desk = a_desk(w, d)
    if desk.count == 0 or desk.free == 0:
        return
    for s in range(w.support_count):
        if whole(w.needs, d * w.support_count + s) > 0:
            support = a_support(w, s)
            if support.pending == 0:
                support.pending = 1
                push_due(w, support.rank)
    if desk.pending == 0:
        desk.pending = 1
        push_due(w, w.support_count + desk.rank)


@kernel
def wake_desks(w: World, r: int) -> None:
    """There is somebody to work again."""
    touch(w, r)
    touch(w, a_rep(w, r).pool)


@kernel
def idle_rep(w: World, d: int) -> int:
    """The rep who has been idle longest and is at work; the first in order of several; -1 for nobody."""
    desk = a_desk(w, d)
    found, since = -1, NEVER
    if desk.free > 0:
        for place in range(desk.rep_first, desk.rep_first + desk.rep_count):
            r = whole(w.desk_reps, place)
            rep = a_rep(w, r)
            if rep.free == 1 and rep.idle_since < since and opens_at(w, r) == w.now:
                found, since = r, rep.idle_since
    return found


@kernel
def support_opens(w: World, s: int) -> int:
    """The first tick from now on at which a support works."""
    support = a_support(w, s)
    opens, closes, _ = clock_columns(w, support.clock)
    support.place = interval_at(closes, w.now, support.place)
    return next_open(opens, closes, w.now, support.place)


@kernel
def available(w: World, s: int) -> bool:
    """Whether somebody of a support is free and at work."""
    return a_support(w, s).free > 0 and support_opens(w, s) == w.now


@kernel
def first_workable(w: World, d: int) -> int:
    """The first task in order whose support, if it needs any, is there; -1 for none."""
    slot = a_desk(w, d).first
    while slot != -1:
        item = an_item(w, slot)
        if item.support == -1 or available(w, item.support):
            return slot
        slot = item.after
    return -1


@kernel
def start(w: World, r: int, slot: int) -> None:
    """Begin a task now; a rep who would leave before it is done takes no more work."""
    end = finish_time(w, r, slot)
    rep = a_rep(w, r)
    if end >= NEVER and rep.leaves < NEVER:
        rep.winding_up = 1
        note_free(w, r)
        return
    leave(w, slot)
    rep.busy = 1
    note_free(w, r)
    item = an_item(w, slot)
    item.rep, item.begun = r, w.now
    if item.support != -1:
        _take_support(w, item.support, slot)
    record_start(w, r, slot, end)
    push(w, end, AT_END, item.entity, item.stage, item.visit, OF_ITEM, slot)


@kernel
def record_start(w: World, r: int, slot: int, end: int) -> None:
    """Row and tallies of work that begins now."""
    item, rep = an_item(w, slot), a_rep(w, r)
    waited = w.now - item.entered
    row(w, w.now, ROW_START, item.entity, item.visit, item.stage, r, -1, waited, end)
    if item.what == LEAD:
        tally_first_rep(w, slot, r, 1)
        tally_stage(w, STAGE_STARTED, item.stage, 1)
        tally_stage(w, STAGE_WAITED, item.stage, waited)
        tally_rep(w, STARTED, r, w.period, 1)
        tally_rep(w, WAITED, r, w.period, waited)
        other, stage = -1, item.stage
    else:
        other, stage = ORDER_WORK if item.stage == w.stage_count else CARE_WORK, -1
    if end <= whole(w.bounds, w.period + 1):
        tally_rep(w, BUSY, r, w.period, item.worked)
        if other >= 0:
            tally_rep(w, other, r, w.period, item.worked)
        else:
            tally_stage(w, STAGE_BUSY, item.stage, item.worked)
    else:
        tally_work(w, BUSY, other, stage, r, rep.clock_now, w.now, end)


@kernel
def _take_support(w: World, s: int, slot: int) -> None:
    """One person is held for the support work of a task."""
    support, item = a_support(w, s), an_item(w, slot)
    support.free -= 1
    opens, closes, cum = clock_columns(w, support.clock)
    end = add_work(opens, closes, cum, w.now, effort_ticks(item.support_hours, 1.0 / support.pace), support.place)
    push(w, end, AT_END, item.entity, item.stage, item.visit, OF_SUPPORT, s)


@kernel
def give_back(w: World, s: int) -> None:
    """A person of a support is free again."""
    a_support(w, s).free += 1
    touch_waiting(w, s)


@kernel
def touch_waiting(w: World, s: int) -> None:
    """Look again at all desks that wait for a support."""
    for place in range(a_support(w, s).waiting):
        touch(w, whole(w.waiting, s * w.desk_count + place))


@kernel
def dispatch_support(w: World, s: int) -> None:
    """Serve the desks whose next task needs this support, the task that is first by the discipline first."""
    support = a_support(w, s)
    support.pending = 0
    while available(w, s):
        best, who = -1, -1
        for place in range(support.waiting):
            d = whole(w.waiting, s * w.desk_count + place)
            r = idle_rep(w, d)
            slot = first_workable(w, d) if r != -1 else -1
            if slot == -1 or an_item(w, slot).support != s:
                continue
            if best == -1 or goes_before(w, slot, best):
                best, who = slot, r
        if best == -1:
            return
        start(w, who, best)


@kernel
def dispatch(w: World, d: int) -> None:
    """Match the tasks of a desk with its reps."""
    desk = a_desk(w, d)
    desk.pending = 0
    while desk.count > 0:
        r = idle_rep(w, d)
        if r == -1:
            _wake_later(w, d)
            return
        slot = first_workable(w, d)
        if slot == -1:
            for s in range(w.support_count):
                if whole(w.needs, d * w.support_count + s) > 0:
                    _wake_support_later(w, s)
            return
        start(w, r, slot)


@kernel
def _wake_later(w: World, d: int) -> None:
    """Nobody is at work: look again when the first idle rep's working time opens."""
    desk = a_desk(w, d)
    opening = NEVER
    if desk.free > 0:
        for place in range(desk.rep_first, desk.rep_first + desk.rep_count):
            r = whole(w.desk_reps, place)
            if a_rep(w, r).free == 1:
                opening = min(opening, opens_at(w, r))
    if w.now < opening < NEVER and desk.woken != opening:
        desk.woken = opening
        push(w, opening, AT_WAKE, desk.rank, 0, 0, OF_DESK, d)


@kernel
def _wake_support_later(w: World, s: int) -> None:
    support = a_support(w, s)
    if support.free > 0:
        opening = support_opens(w, s)
        if w.now < opening < NEVER and support.woken != opening:
            support.woken = opening
            push(w, opening, AT_WAKE, support.rank, 0, 0, OF_SUPPORT, s)
