"""Whether the tables that grow have room for one more step."""

from __future__ import annotations

from typing import Final

from sim.compile import kernel
from sim.kernel.world import World

SPARE: Final = 64
"""Places of each table that one step may need; rows of the log may be more, see ``margin_of_rows``."""


@kernel
def short_of_room(w: World) -> bool:
    """Whether room is short, so that the caller must make more before the next step."""
    return steps_of_room(w) == 0


@kernel
def steps_of_room(w: World) -> int:
    """How many more steps there is room for; with a log, no more than the next."""
    left = w.room_events - w.event_count - w.soon_count - w.far_count
    left = min(left, w.room_far - w.far_used, w.room_items - w.item_count)
    left = min(left, w.room_customers - w.customer_count, w.room_lane_leads - w.lane_lead_count - SPARE)
    if w.logging == 0 or left < SPARE:
        return max(left // SPARE, 0)
    return (
        w.row_count + w.margin_of_rows + w.customer_count <= w.room_rows
        and w.lead_count + SPARE <= w.room_lead_rows
        and w.line_count + w.margin_of_rows <= w.room_line_rows
        and w.buyer_count + SPARE <= w.room_buyers
    )
