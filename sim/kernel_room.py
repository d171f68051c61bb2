"""Whether the tables that grow have room for one more step."""

from __future__ import annotations

from typing import Final

from sim.compiled import kernel
from sim.kernel_world import World

SPARE: Final = 64
"""Places of each table that one step may need; rows of the log may be more, see ``margin_of_rows``."""


@kernel
def short_of_room(w: World) -> bool:
    """Whether room is short, so that the caller must make more before the next step."""
    return (
        w.event_count + w.soon_count + w.far_count + SPARE > w.room_events
        or w.far_used + SPARE > w.room_far
        or w.lane_lead_count + 2 * SPARE > w.room_lane_leads
        or w.item_count + SPARE > w.room_items
        or w.customer_count + SPARE > w.room_customers
        or (
            w.logging == 1
            and (
                w.row_count + w.margin_of_rows + w.customer_count > w.room_rows
                or w.lead_count + SPARE > w.room_lead_rows
                or w.line_count + w.margin_of_rows > w.room_line_rows
                or w.buyer_count + SPARE > w.room_buyers
            )
        )
    )
