"""Reps in the compiled engine: what they can take, how long it lasts, and how people come and go.

The seats of :class:`sim.components.RepState` and :meth:`sim.reference.World._seat`, a function for each transition.
"""

from __future__ import annotations

import numpy as np

from scenarios.ticks import NEVER
from sim.compile import kernel
from sim.kernel.heap import push
from sim.kernel.names import AT_JOIN, AT_LEAVE, OF_NOTICE, OF_REP, ROW_JOIN, ROW_LEAVE
from sim.kernel.rows import row, tally_presence
from sim.kernel.tables import a_desk, a_quota, a_rep, an_item, real, whole
from sim.kernel.world import World, clock_columns, key_of
from sim.rules import effort_ticks
from sim.rules_people import attrition_time, motivated_pace
from sim.worktime import add_work, interval_at, next_open


@kernel
def note_free(w: World, r: int) -> None:
    """Keep the desks' counts of free reps: a rep who could take a task once at work."""
    rep = a_rep(w, r)
    free = 1 if rep.busy == 0 and rep.employed == 1 and rep.winding_up == 0 else 0
    if free != rep.free:
        a_desk(w, r).free += free - rep.free
        a_desk(w, rep.pool).free += free - rep.free
        rep.free = free


@kernel
def opens_at(w: World, r: int) -> int:
    """The first tick from now on at which a rep works."""
    rep = a_rep(w, r)
    opens, closes, _ = clock_columns(w, rep.clock_now)
    place = np.uint64(rep.place)
    if place < len(closes) and opens[place] <= w.now < closes[place]:
        return w.now
    rep.place = interval_at(closes, w.now, rep.place)
    return next_open(opens, closes, w.now, rep.place)


@kernel
def epoch_of(w: World, r: int) -> int:
    """The stretch of constant skill and ramp of a rep that holds now."""
    rep = a_rep(w, r)
    if rep.epoch_count == 1 and rep.left == 0:
        return rep.epoch_first
    if rep.left > 0 and rep.employed == 1:
        return rep.newcomer_first + _steps(w.tenure, 0, w.tenure_count, w.now - rep.joined) - 1
    return rep.epoch_first + _steps(w.epoch_starts, rep.epoch_first, rep.epoch_count, w.now) - 1


@kernel
def _steps(address: int, first: int, count: int, tick: int) -> int:
    """How many of some ascending ticks have come."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if whole(address, first + middle) <= tick:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def quota_in_force(w: World, r: int) -> int:
    """The quota that a rep reacts to now, -1 for none."""
    if w.motivated == 0:
        return -1
    rep = a_rep(w, r)
    for place in range(rep.quota_first, rep.quota_last):
        quota = a_quota(w, place)
        if quota.start <= w.now < quota.end:
            return place
    return -1


@kernel
def pace(w: World, r: int) -> float:
    """A rep's pace at the start of a task, as a multiple of the usual."""
    place = quota_in_force(w, r)
    if place < 0:
        return 1.0
    quota = a_quota(w, place)
    elapsed = (w.now - quota.start) / (quota.end - quota.start)
    return motivated_pace(
        quota.sold / quota.value,
        elapsed,
        w.give_up_below,
        w.stretch_above,
        w.coast_above,
        w.pace_change,
        w.period_end_push,
        w.push_share,
        w.judged_after,
    )


@kernel
def finish_time(w: World, r: int, slot: int) -> int:
    """When a task would be done if begun now; ``NEVER`` where the rep leaves before. Sets the task's epoch and work."""
    rep, item = a_rep(w, r), an_item(w, slot)
    item.epoch = epoch_of(w, r)
    factor = real(w.factors, item.epoch * (w.stage_count + 2) + item.stage)
    if w.motivated == 1:
        factor /= pace(w, r)
    worked = effort_ticks(item.hours, factor)
    item.worked = worked
    opens, closes, cum = clock_columns(w, rep.clock_now)
    place = np.uint64(rep.place)
    # Work that fits into the hours in which it begins ends without a look at those that follow.
    if place < len(closes) and opens[place] <= w.now and worked <= closes[place] - w.now:
        return w.now + worked
    return add_work(opens, closes, cum, w.now, worked, rep.place)


@kernel
def await_leaving(w: World, r: int) -> None:
    """Let the day come on which whoever sits on a seat leaves, by date or by giving notice."""
    rep = a_rep(w, r)
    notice = attrition_time(key_of(w), rep.identity, rep.joined, rep.left, rep.attrition)
    push(w, min(rep.leaves, notice), AT_LEAVE, rep.identity, 0, 0, OF_REP, r)


@kernel
def sits_down(w: World, r: int) -> None:
    """A new rep begins, or a new hire takes the seat of one who left, with working time and pace of their own."""
    rep = a_rep(w, r)
    rep.employed, rep.departed, rep.winding_up = 1, 0, 0
    rep.idle_since = w.now
    rep.joined = w.now
    if rep.left > 0:
        rep.clock_now, rep.leaves, rep.place = rep.seat_clock, NEVER, 0
        rep.seat_begin = w.now
    rep.seated = 1
    w.staff_known = 0
    note_free(w, r)
    row(w, w.now, ROW_JOIN, rep.identity, 0, -1, r, -1, 0, 0)


@kernel
def stands_up(w: World, r: int) -> None:
    """Whoever sits on a seat goes."""
    rep = a_rep(w, r)
    rep.employed, rep.departed, rep.notice = 0, 1, 0
    rep.left += 1
    rep.first_left = min(rep.first_left, w.now)
    rep.seated = 0
    w.staff_known = 0
    note_free(w, r)
    tally_presence(w, r, rep.clock_now, rep.seat_begin, w.now)
    row(w, w.now, ROW_LEAVE, rep.identity, 0, -1, r, -1, 0, 0)


@kernel
def await_replacement(w: World, r: int) -> None:
    """Let the new hire come, if there is to be one."""
    rep = a_rep(w, r)
    if rep.replaced_after >= 0:
        push(w, w.now + rep.replaced_after, AT_JOIN, rep.identity, 0, 0, OF_REP, r)


@kernel
def give_notice(w: World, r: int) -> None:
    """The running task is finished first."""
    a_rep(w, r).notice = 1


@kernel
def leaves_now(w: World, r: int) -> None:
    """The last task of a rep who gave notice is done: leave within this instant."""
    rep = a_rep(w, r)
    rep.winding_up = 1
    note_free(w, r)
    push(w, w.now, AT_LEAVE, rep.identity, 0, 0, OF_NOTICE, r)
