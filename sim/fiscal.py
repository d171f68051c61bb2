"""Reporting periods as the company counts them: weeks, calendar months and quarters, fiscal years and 4-4-5.

A fiscal year is named for the calendar year in which it ends. In the 4-4-5 calendar it begins on the Monday nearest
to the first of its start month and has twelve periods of 4, 4 and 5 weeks; a 53rd week belongs to the last of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

from scenarios.calendar import Calendar

_WEEKS: Final = (4, 4, 5) * 4
_STARTS: Final = tuple(sum(_WEEKS[:number]) for number in range(12))


@dataclass(frozen=True)
class FiscalDay:
    """The fiscal year (its name), period (1 to 12) and quarter (1 to 4) of a day."""

    year: int
    period: int

    @property
    def quarter(self) -> int:
        """Three periods make a quarter."""
        return (self.period + 2) // 3


def period_label(day: date, kind: str, calendar: Calendar) -> str:
    """Label of the reporting period that a day lies in; days of one period, and only they, share it.

    Args:
        kind: ``week`` (ISO, whatever the fiscal year), ``month`` or ``quarter``.
    """
    if kind == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    if calendar.fiscal == "calendar" and calendar.fiscal_year_start_month == 1:
        return f"{day.year}-{day.month:02d}" if kind == "month" else f"{day.year}-Q{(day.month + 2) // 3}"
    at = fiscal_day(day, calendar)
    return f"FY{at.year}-P{at.period:02d}" if kind == "month" else f"FY{at.year}-Q{at.quarter}"


def fiscal_day(day: date, calendar: Calendar) -> FiscalDay:
    """Where a day lies in the fiscal year."""
    month = calendar.fiscal_year_start_month
    if calendar.fiscal == "calendar":
        return FiscalDay(day.year + (1 < month <= day.month), (day.month - month) % 12 + 1)
    year = day.year + 1
    while day < first_of_445(year, month):
        year -= 1
    week = (day - first_of_445(year, month)).days // 7
    return FiscalDay(year + (month > 1), sum(week >= start for start in _STARTS))


@cache
def first_of_445(year: int, month: int) -> date:
    """The Monday nearest to the first of a month, on which the 4-4-5 year begins that starts around it."""
    first = date(year, month, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 - 3)
