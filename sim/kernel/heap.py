"""The events to come, in the order of time and, within an instant, of content (:mod:`sim.instant`).

An event is three numbers: time and moment, entity, and stage, visit and what it is about. The horizon is cut into
buckets of equal length, so short that few events fall into most. Those of the present bucket lie sorted, the first at
the end, so that it is taken without a look at the others; where they are many, the later ones wait in a heap, four ways
wide since its children lie side by side. Events of later buckets lie in a list each, unsorted, until their bucket
comes. Most of them are patience that is never tried: when their bucket comes, the task has long been worked, and they
are dropped unsorted.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sim.compile import inlined_kernel, kernel
from sim.kernel.names import AT_PATIENCE, FREE, OF_ITEM
from sim.kernel.tables import a_desk, a_far_event, a_soon_event, an_event, an_item, put, whole
from sim.kernel.world import World

SOONEST: Final = 64
"""The most events that lie sorted: more take longer to keep in order than a heap."""

_FETCHED = 16


@kernel
def push(w: World, time: int, moment: int, entity: np.uint64, stage: int, visit: int, about: int, place: int) -> None:
    """Let an event come; one that the horizon does not see is forgotten.

    Args:
        about: what ``place`` is a position of, ``OF_...``; of equal events the lower comes first.
    """
    if time >= w.end:
        return
    if time >> w.bucket_bits <= w.bucket:
        _comes_soon(w, (time << 4) | moment, entity, (((stage << 24) | visit) << 32) | (about << 28) | place)
    else:
        keep(w, time, moment, entity, stage, visit, about, place)


@kernel
def keep(w: World, time: int, moment: int, entity: np.uint64, stage: int, visit: int, about: int, place: int) -> None:
    """Put an event into its bucket, or the heap where that bucket is at hand; arguments as in :func:`push`."""
    when = (time << 4) | moment
    what = (((stage << 24) | visit) << 32) | (about << 28) | place
    bucket = time >> w.bucket_bits
    if bucket <= w.bucket:
        _sift_up(w, when, entity, what)
        return
    node = _far_place(w)
    far = a_far_event(w, node)
    far.when, far.entity, far.what, far.following = when, entity, what, whole(w.buckets, bucket)
    put(w.buckets, bucket, node)
    w.far_count += 1


@kernel
def _far_place(w: World) -> int:
    node = w.far_free
    if node == -1:
        node = w.far_used
        w.far_used += 1
    else:
        w.far_free = a_far_event(w, node).following
    return node


@kernel
def file_away(w: World, d: int, time: int, moment: int, entity: np.uint64, stage: int, place: int) -> None:
    """Keep an event for the lane of another desk."""
    node, desk = _far_place(w), a_desk(w, d)
    far = a_far_event(w, node)
    far.when, far.entity, far.what = (time << 4) | moment, entity, (stage << 56) | (OF_ITEM << 28) | place
    far.following = desk.incoming
    desk.incoming = node


@kernel
def take_in(w: World, d: int) -> None:
    """Put the events that were kept for a desk into their buckets."""
    desk = a_desk(w, d)
    node = desk.incoming
    while node != -1:
        far = a_far_event(w, node)
        following, bucket = far.following, (far.when >> 4) >> w.bucket_bits
        far.following = whole(w.buckets, bucket)
        put(w.buckets, bucket, node)
        w.far_count += 1
        node = following
    desk.incoming = -1


@kernel
def open_bucket(w: World) -> None:
    """The next bucket that holds anything: its events come into the heap."""
    while w.event_count == 0 and w.far_count > 0:
        node = _next_bucket(w)
        while node != -1:
            far = a_far_event(w, node)
            _sift_up(w, far.when, far.entity, far.what)
            node = _let_go(w, node)


@inlined_kernel
def look_ahead(w: World) -> None:
    """Have the first event to come, if there is any, at the end of those that lie sorted."""
    while w.soon_count == 0:
        if w.event_count > 0:
            _fetch(w)
            return
        if w.far_count == 0:
            return
        node = _next_bucket(w)
        while node != -1:
            far = a_far_event(w, node)
            if far.when & 15 != AT_PATIENCE or _tried(w, far.entity, far.what):
                _comes_soon(w, far.when, far.entity, far.what)
            node = _let_go(w, node)


@inlined_kernel
def _next_bucket(w: World) -> int:
    """Go on to the next bucket; its first event, -1 where it is empty."""
    w.bucket += 1
    node = whole(w.buckets, w.bucket)
    put(w.buckets, w.bucket, -1)
    return node


@inlined_kernel
def _let_go(w: World, node: int) -> int:
    """The place of an event of a bucket is free; the one that follows."""
    far = a_far_event(w, node)
    following = far.following
    far.following = w.far_free
    w.far_free = node
    w.far_count -= 1
    return following


@inlined_kernel
def _comes_soon(w: World, when: int, entity: np.uint64, what: int) -> None:
    """Put an event of the present bucket among those that lie sorted, or into the heap behind them."""
    if w.soon_count == SOONEST:
        _send_back(w)
    place = w.soon_count
    if w.event_count > 0 and (place == 0 or _is_later(w, when, entity, what, 0)):
        _sift_up(w, when, entity, what)
        return
    while place > 0 and _is_later(w, when, entity, what, place - 1):
        sooner, here = a_soon_event(w, place - 1), a_soon_event(w, place)
        here.when, here.entity, here.what = sooner.when, sooner.entity, sooner.what
        place -= 1
    here = a_soon_event(w, place)
    here.when, here.entity, here.what = when, entity, what
    w.soon_count += 1


@inlined_kernel
def _is_later(w: World, when: int, entity: np.uint64, what: int, place: int) -> bool:
    """Whether an event comes after one that lies sorted."""
    soon = a_soon_event(w, place)
    if when != soon.when:
        return bool(when > soon.when)
    if entity != soon.entity:
        return bool(entity > soon.entity)
    return bool(what > soon.what)


@kernel
def _send_back(w: World) -> None:
    """The last of those that lie sorted goes into the heap."""
    last = a_soon_event(w, 0)
    _sift_up(w, last.when, last.entity, last.what)
    w.soon_count -= 1
    for place in range(w.soon_count):
        here, sooner = a_soon_event(w, place), a_soon_event(w, place + 1)
        here.when, here.entity, here.what = sooner.when, sooner.entity, sooner.what


@kernel
def _fetch(w: World) -> None:
    """No event lies sorted: take the first ones of the heap."""
    place = min(w.event_count, _FETCHED)
    w.soon_count = place
    while place > 0:
        place -= 1
        event, here = an_event(w, 0), a_soon_event(w, place)
        here.when, here.entity, here.what = event.when, event.entity, event.what
        drop_first(w)


@kernel
def _tried(w: World, entity: np.uint64, what: int) -> bool:
    return still_waits(w, what & 0xFFFFFFF, entity, what >> 56, (what >> 32) & 0xFFFFFF)


@kernel
def still_waits(w: World, slot: int, entity: np.uint64, stage: int, visit: int) -> bool:
    """Whether a place still holds the task that an event was meant for, and that task waits at a desk."""
    item = an_item(w, slot)
    return (
        item.desk != -1 and item.entity == entity and item.visit == visit and item.stage == stage and item.what != FREE
    )


@kernel
def _sift_up(w: World, when: int, entity: np.uint64, what: int) -> None:
    child = w.event_count
    w.event_count += 1
    while child > 0:
        parent = (child - 1) >> 2
        above = an_event(w, parent)
        if above.when < when or (
            above.when == when and (above.entity < entity or (above.entity == entity and above.what <= what))
        ):
            break
        here = an_event(w, child)
        here.when, here.entity, here.what = above.when, above.entity, above.what
        child = parent
    here = an_event(w, child)
    here.when, here.entity, here.what = when, entity, what


@kernel
def drop_first(w: World) -> None:
    """Take the first event out."""
    w.event_count -= 1
    count = w.event_count
    last = an_event(w, count)
    when, entity, what = last.when, last.entity, last.what
    hole = 0
    while True:
        child = 4 * hole + 1
        if child >= count:
            break
        best = an_event(w, child)
        for other in range(child + 1, min(child + 4, count)):
            rival = an_event(w, other)
            if rival.when < best.when or (
                rival.when == best.when
                and (rival.entity < best.entity or (rival.entity == best.entity and rival.what < best.what))
            ):
                best, child = rival, other
        if when < best.when or (
            when == best.when and (entity < best.entity or (entity == best.entity and what <= best.what))
        ):
            break
        here = an_event(w, hole)
        here.when, here.entity, here.what = best.when, best.entity, best.what
        hole = child
    here = an_event(w, hole)
    here.when, here.entity, here.what = when, entity, what


@kernel
def push_due(w: World, rank: int) -> None:
    """A desk or support is to be served at the end of this instant; supports rank before desks."""
    child = w.due_count
    w.due_count += 1
    while child > 0 and whole(w.dues, (child - 1) >> 1) > rank:
        put(w.dues, child, whole(w.dues, (child - 1) >> 1))
        child = (child - 1) >> 1
    put(w.dues, child, rank)


@kernel
def first_due(w: World) -> int:
    """Take out the lowest rank that is due."""
    found = whole(w.dues, 0)
    w.due_count -= 1
    count = w.due_count
    last = whole(w.dues, count)
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= count:
            break
        if child + 1 < count and whole(w.dues, child + 1) < whole(w.dues, child):
            child += 1
        if last <= whole(w.dues, child):
            break
        put(w.dues, hole, whole(w.dues, child))
        hole = child
    put(w.dues, hole, last)
    return found
