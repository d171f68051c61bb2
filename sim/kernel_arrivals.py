"""New leads of the compiled engine, drawn day by day: how many come and when, as in :mod:`sim.arrivals`."""

from __future__ import annotations

from sim.compiled import kernel
from sim.counts import negbin_quantile
from sim.kernel_heap import push_arrival
from sim.kernel_tables import a_source, real, whole
from sim.kernel_view import view
from sim.kernel_world import IDENTITY, REAL, WHOLE, World, key_of
from sim.rules_arrivals import lead_times
from sim.streams import Purpose, draw

_COUNT = int(Purpose.ARRIVAL_COUNT)


@kernel
def new_day(w: World) -> bool:
    """Draw the new leads of the next day, or of days whose hours overlap; False where there is no room for them."""
    first, last = whole(w.day_groups, w.group), whole(w.day_groups, w.group + 1)
    count = 0
    for turn in (0, 1):
        for source in range(w.source_count):
            known = a_source(w, source)
            for day in range(first, last):
                place = source * w.day_count + day
                rate = real(w.rates, place)
                if rate <= 0.0:
                    continue
                leads = negbin_quantile(rate, known.dispersion, draw(key_of(w), known.identity, 0, day, _COUNT))
                if turn == 0:
                    count += leads
                    continue
                opens = whole(w.day_opens, place)
                length = whole(w.day_closes, place) - opens
                entities, times = view(w.fresh_leads, leads, IDENTITY), view(w.fresh_times, leads, WHOLE)
                draws = view(w.fresh_draws, leads, REAL)
                lead_times(key_of(w), known.identity, day, opens, length, entities, times, draws)
                for k in range(leads):
                    if times[k] < w.end:
                        push_arrival(w, times[k], entities[k], source)
        if turn == 0 and count > w.room_arrivals:
            w.wanted = count
            return False
    w.group += 1
    return True
