"""The clock: time is counted in whole ticks of one millisecond, held as 64-bit integers.

Sums of integers are exact, so the order in which durations are added cannot matter and two events
fall on the same instant by definition, never by accident of rounding (rule R1).
"""

from __future__ import annotations

from typing import Final

MS_PER_SECOND: Final = 1_000
SECOND: Final = MS_PER_SECOND
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

NEVER: Final = (2**63 - 1) // 4
"""A time that no simulation reaches (73 million years); two of them still add without overflow."""


def hours(amount: float) -> int:
    """Ticks in ``amount`` hours, rounded half to even; not finite: ValueError or OverflowError."""
    return round(amount * HOUR)


def days(amount: float) -> int:
    """Ticks in ``amount`` days of 24 hours, rounded half to even; not finite: ValueError or OverflowError."""
    return round(amount * DAY)
