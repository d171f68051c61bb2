"""Leads on their way to the next stage of the lane that is being worked (:mod:`sim.kernel.lanes`).

The nearest lie sorted, the first at the end, so that it is taken without a look at the others; a rep has few leads with
customers at a time, and they are all near. More of them wait in the heap and the buckets behind
(:mod:`sim.kernel.heap`), from which nobody comes before any of the near ones.
"""

from __future__ import annotations

from typing import Final

from sim.compile import inlined_kernel, kernel
from sim.kernel.heap import drop_first, keep, open_bucket
from sim.kernel.names import AT_READY, OF_ITEM
from sim.kernel.tables import a_lane_lead, a_near, an_event
from sim.kernel.world import World

NEAREST: Final = 64
"""The most that lie sorted: more take longer to keep in order than a heap."""

_FETCHED = 16
_PLACE = 0xFFFFFFF


@inlined_kernel
def set_out(w: World, tick: int, stage: int, lead: int) -> None:
    """A lead will enter a stage at a tick."""
    if w.near_count == NEAREST:
        _send_back(w)
    place = w.near_count
    if w.event_count + w.far_count > 0 and (place == 0 or _is_later(w, tick, lead, 0)):
        if tick < w.end:
            keep(w, tick, AT_READY, a_lane_lead(w, lead).entity, stage, 0, OF_ITEM, lead)
        return
    while place > 0 and _is_later(w, tick, lead, place - 1):
        sooner, here = a_near(w, place - 1), a_near(w, place)
        here.tick, here.what = sooner.tick, sooner.what
        place -= 1
    here = a_near(w, place)
    here.tick, here.what = tick, (stage << 56) | lead
    w.near_count += 1


@inlined_kernel
def _is_later(w: World, tick: int, lead: int, place: int) -> bool:
    """Whether a lead enters after one that is near; of one tick the lower identity comes first."""
    near = a_near(w, place)
    if tick != near.tick:
        return bool(tick > near.tick)
    return bool(a_lane_lead(w, lead).entity > a_lane_lead(w, near.what & _PLACE).entity)


@kernel
def _send_back(w: World) -> None:
    """The last of the near ones goes into the heap."""
    last = a_near(w, 0)
    lead, stage = last.what & _PLACE, last.what >> 56
    keep(w, last.tick, AT_READY, a_lane_lead(w, lead).entity, stage, 0, OF_ITEM, lead)
    w.near_count -= 1
    for place in range(w.near_count):
        here, sooner = a_near(w, place), a_near(w, place + 1)
        here.tick, here.what = sooner.tick, sooner.what


@kernel
def fetch(w: World) -> None:
    """Nobody is near: take the first of those in the heap."""
    open_bucket(w)
    place = min(w.event_count, _FETCHED)
    w.near_count = place
    while place > 0:
        place -= 1
        event, here = an_event(w, 0), a_near(w, place)
        here.tick, here.what = event.when >> 4, ((event.what >> 56) << 56) | (event.what & _PLACE)
        drop_first(w)


@inlined_kernel
def enters_first(w: World, tick: int, lead: int) -> bool:
    """Whether a lead that enters at a tick comes before all who are near, of whom there are some."""
    return not _is_later(w, tick, lead, w.near_count - 1)


@inlined_kernel
def take_nearest(w: World) -> tuple[int, int, int]:
    """Take out the lead that comes first, of some: it, its tick and its stage."""
    w.near_count -= 1
    near = a_near(w, w.near_count)
    return near.what & _PLACE, near.tick, near.what >> 56
