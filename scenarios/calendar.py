"""The calendar section of a scenario: horizon, reporting periods, working time."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Literal

from pydantic import Field, field_validator, model_validator

from scenarios.base import Day, Frozen, Positive
from scenarios.lunar import FIRST_YEAR, LAST_YEAR, NEW_YEAR, unknown_years

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class LunarSpan(Frozen):
    """Days around the lunar new year of every year; the new year itself is inside."""

    days_before: int = Field(ge=0, le=60)
    days_after: int = Field(ge=0, le=60)


class Pause(Frozen):
    """Days on which customers' clocks stand still: from ``first`` to ``last``, both inside, or around a new year."""

    first: Day | None = None
    last: Day | None = None
    lunar_new_year: LunarSpan | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Pause:
        dates = (self.first is not None) + (self.last is not None)
        if dates != (2 if self.lunar_new_year is None else 0):
            raise ValueError("a pause needs either both first and last, or lunar_new_year")
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError(f"first <= last must hold, but got first={self.first}, last={self.last}")
        return self

    def spans(self, start: date, end: date) -> tuple[tuple[date, date], ...]:
        """First and last days of the pauses that may touch ``[start, end)``."""
        if self.first is not None and self.last is not None:
            return ((self.first, self.last),)
        around = self.lunar_new_year
        assert around is not None
        years = (year for year in range(start.year, end.year + 1) if year in NEW_YEAR)
        before, after = timedelta(days=around.days_before), timedelta(days=around.days_after)
        return tuple((NEW_YEAR[year] - before, NEW_YEAR[year] + after) for year in years)


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

    @model_validator(mode="after")
    def _known_new_years(self) -> Calendar:
        if any(pause.lunar_new_year for pause in self.customer_pauses):
            require_new_years(self.start, self.end, "customer_pauses with lunar_new_year")
        return self


def require_new_years(start: date, end: date, what: str) -> None:
    """Nothing, where the lunar new year of every year of the horizon is known.

    Raises:
        ValueError: some year lies outside the table.
    """
    missing = unknown_years(start, end)
    if missing:
        raise ValueError(f"{what} needs years from {FIRST_YEAR} to {LAST_YEAR}, but the horizon has {missing[0]}")


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
