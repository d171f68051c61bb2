"""New leads of the compiled engine, drawn day by day: how many come and when, as in :mod:`sim.arrivals`."""

from __future__ import annotations

import numpy as np

from scenarios.ticks import NEVER
from sim.compile import kernel
from sim.counts import negbin_quantile
from sim.kernel.tables import a_source, an_arrival, real, whole
from sim.kernel.view import view
from sim.kernel.world import IDENTITY, REAL, WHOLE, World, key_of
from sim.rules_arrivals import lead_times
from sim.streams import Purpose, draw

_COUNT = int(Purpose.ARRIVAL_COUNT)


@kernel
def new_day(w: World) -> bool:
    """Draw the new leads of the next day, or of days whose hours overlap; False where there is no room for them."""
    first, last = whole(w.day_groups, w.group), whole(w.day_groups, w.group + 1)
    count = 0
    for source in range(w.source_count):
        known = a_source(w, source)
        for day in range(first, last):
            place = source * w.day_count + day
            rate = real(w.rates, place)
            if rate <= 0.0:
                continue
            leads = negbin_quantile(rate, known.dispersion, draw(key_of(w), known.identity, 0, day, _COUNT))
            begin, count = count, count + leads
            if count > w.room_arrivals:
                continue
            opens = whole(w.day_opens, place)
            length = whole(w.day_closes, place) - opens
            entities = view(w.fresh_leads + 8 * begin, leads, IDENTITY)
            times = view(w.fresh_times + 8 * begin, leads, WHOLE)
            lead_times(key_of(w), known.identity, day, opens, length, entities, times, view(w.fresh_draws, leads, REAL))
            sources = view(w.fresh_sources + 8 * begin, leads, WHOLE)
            for k in range(leads):
                sources[k] = source
    if count > w.room_arrivals:
        w.wanted = count
        return False
    w.group += 1
    w.next_arrival, w.arrival_count = 0, count
    if count > 0:
        _put_in_order(w, count)
    while w.arrival_count > 0 and an_arrival(w, w.arrival_count - 1).time >= w.end:
        w.arrival_count -= 1
    return True


@kernel
def _put_in_order(w: World, count: int) -> None:
    """Sort the new leads by time, then identity.

    They come evenly over the day, so as many equal stretches of time as leads leave little to sort: Shell's sort, from
    a gap on that no lead need cross.
    """
    times, starts = view(w.fresh_times, count, WHOLE), view(w.fresh_starts, count, WHOLE)
    first, last = NEVER, 0
    for k in range(count):
        first, last = min(first, times[k]), max(last, times[k])
        starts[k] = 0
    scale = (count - 1) / max(last - first, 1)
    for k in range(count):
        starts[np.uint64((times[k] - first) * scale)] += 1
    begin, most = 0, 0
    for k in range(count):
        most = max(most, starts[k])
        starts[k], begin = begin, begin + starts[k]
    entities, sources = view(w.fresh_leads, count, IDENTITY), view(w.fresh_sources, count, WHOLE)
    for k in range(count):
        stretch = np.uint64((times[k] - first) * scale)
        here = an_arrival(w, starts[stretch])
        starts[stretch] += 1
        here.time, here.entity, here.source = times[k], entities[k], sources[k]
    gap = 1
    while 3 * gap + 1 < most:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, count):
            _move_forward(w, k, gap)
        gap //= 3


@kernel
def _move_forward(w: World, k: int, gap: int) -> None:
    """Let a lead pass those before it, by steps of a gap, that come later."""
    known = an_arrival(w, k)
    time, entity, source = known.time, known.entity, known.source
    while k >= gap:
        before = an_arrival(w, k - gap)
        if before.time < time or (before.time == time and before.entity < entity):
            break
        here = an_arrival(w, k)
        here.time, here.entity, here.source = before.time, before.entity, before.source
        k -= gap
    here = an_arrival(w, k)
    here.time, here.entity, here.source = time, entity, source
