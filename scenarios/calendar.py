"""The calendar section of a scenario: horizon, reporting periods, working time."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from scenarios.base import Day, Frozen, Positive

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class Pause(Frozen):
    """Days on which customers' clocks stand still; both dates are inside."""

    first: Day
    last: Day
    reason: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Pause:
        if self.last < self.first:
            raise ValueError(f"first <= last must hold, but got first={self.first}, last={self.last}")
        return self


class Calendar(Frozen):
    """Horizon and working time; ``end`` is the first day outside."""

    start: Day
    end: Day
    reporting: Literal["week", "month", "quarter"] = "month"
    fiscal: Literal["calendar", "4-4-5"] = "calendar"
    fiscal_year_start_month: int = Field(default=1, ge=1, le=12)
    timezone: str = "UTC"
    hours: tuple[str, ...] = ("09:00-12:00", "13:00-18:00")
    """Local spans of a working day, HH:MM-HH:MM."""
    workdays: tuple[Weekday, ...] = WEEKDAYS[:5]
    holidays: tuple[Day, ...] = ()
    working_days: tuple[Day, ...] = ()
    """Days worked although weekend or holiday (调休)."""
    customer_pauses: tuple[Pause, ...] = ()
    selling_share: float = Field(default=1.0, gt=0, le=1)
    """Share of paid hours that is selling time: an hour of effort takes 1/this hours on the clock."""
    full_week_hours: Positive | None = None
    """Paid hours of a full week; empty means what hours x workdays give."""

    @field_validator("hours")
    @classmethod
    def _spans(cls, spans: tuple[str, ...]) -> tuple[str, ...]:
        return spans_in_order(spans)

    @model_validator(mode="after")
    def _horizon(self) -> Calendar:
        if self.end <= self.start:
            raise ValueError(f"start < end must hold, but got start={self.start}, end={self.end}")
        if (self.end - self.start).days > 3660:
            raise ValueError(f"the horizon must be at most ten years, got {self.start} to {self.end}")
        both = sorted(set(self.holidays) & set(self.working_days))
        if both:
            raise ValueError(f"a day is either a holiday or a working day, but {both[0]} is given as both")
        return self


def spans_in_order(spans: tuple[str, ...]) -> tuple[str, ...]:
    """The same spans.

    Raises:
        ValueError: none, one that is no span, or not in order and apart.
    """
    last = -1
    for begin, end in (span_minutes(span) for span in spans):
        if begin < last:
            raise ValueError(f"spans must be in order and not overlap, got {', '.join(spans)}")
        last = end
    if last < 0:
        raise ValueError("a working day needs at least one span HH:MM-HH:MM")
    return spans


def span_minutes(span: str) -> tuple[int, int]:
    """``"09:00-12:00"`` to minutes of the day ``(540, 720)``.

    Raises:
        ValueError: not HH:MM-HH:MM, or not begin < end <= 24:00.
    """
    match = _SPAN.fullmatch(span)
    if match is None:
        raise ValueError(f"a span must read HH:MM-HH:MM, got {span!r}")
    h1, m1, h2, m2 = (int(part) for part in match.groups())
    begin, end = h1 * 60 + m1, h2 * 60 + m2
    if not begin < end <= 1440:
        raise ValueError(f"begin < end <= 24:00 must hold in a span, got {span!r}")
    return begin, end
