"""Tallies that look at what an item has been through."""

from __future__ import annotations

from sim.compile import kernel
from sim.kernel.names import LEADS
from sim.kernel.rows import tally_rep
from sim.kernel.tables import an_item
from sim.kernel.world import World
from sim.log import NEW_LEAD


@kernel
def tally_first_rep(w: World, slot: int, r: int, begun: int) -> None:
    """Count a new lead with the rep who got it first: at whose desk it joined, or who took it from the pool.

    Of several within one instant, joining comes before taking, then the lower visit and stage.
    """
    item = an_item(w, slot)
    if r < 0 or item.origin != NEW_LEAD:
        return
    order = (begun << 40) | (item.visit << 8) | item.stage
    if item.counted_by == -1:
        item.counted_at, item.counted_as, item.counted_by = w.now, order, r
        tally_rep(w, LEADS, r, w.period, 1)
    elif item.counted_at == w.now and order < item.counted_as:
        tally_rep(w, LEADS, item.counted_by, w.period, -1)
        tally_rep(w, LEADS, r, w.period, 1)
        item.counted_as, item.counted_by = order, r
