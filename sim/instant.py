"""The order of one instant, part of the specification: what comes first when several things fall on one tick.

Within a kind the order is by entity, then stage, then visit. DISPATCH is an event of its own and the last of the
instant: queues and idle reps are complete before anyone is matched, so nothing depends on the order of insertion.
"""

from __future__ import annotations

from enum import IntEnum


class Moment(IntEnum):
    """Kinds of events in the order in which they happen within one instant (rule R5)."""

    END = 0  # work ends, a support person is free again
    WAKE = 1  # somebody's working time opens while work waits
    LEAVE = 2
    JOIN = 3
    READY = 4  # the customer has answered, a rested lead comes back
    REVIEW = 5  # an account's month begins
    CREATE = 6  # an order or a care visit arises, money falls due
    ARRIVE = 7
    PATIENCE = 8
    RETURN_TO_POOL = 9
    DISPATCH_SUPPORT = 10
    DISPATCH = 11


def content_key(kind: Moment, entity: int = 0, stage: int = 0, visit: int = 0) -> int:
    """Sort key of an event within its instant.

    Args:
        entity: 64-bit identity, or the rank of a queue.
        stage: 0..255.
        visit: 0..2**24 - 1.
    """
    return (kind << 96) | (entity << 32) | (stage << 24) | visit
