"""The lunar new year (春节), and the season of January and February that moves with it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

_DAYS: Final = (
    "2015-02-19 2016-02-08 2017-01-28 2018-02-16 2019-02-05 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 "
    "2025-01-29 2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03 2031-01-23 2032-02-11 2033-01-31 2034-02-19 "
    "2035-02-08 2036-01-28 2037-02-15 2038-02-04 2039-01-24 2040-02-12"
)
NEW_YEAR: Final = {day.year: day for day in map(date.fromisoformat, _DAYS.split())}
"""First day of the Chinese year that begins in each calendar year."""

FIRST_YEAR: Final = min(NEW_YEAR)
LAST_YEAR: Final = max(NEW_YEAR)

QUIET_BEFORE: Final = 18
QUIET_DAYS: Final = 28
"""The quiet four weeks: from 18 days before the new year to 9 days after it.

For every new year of the table they lie within January and February, so the two months together are the same in
every year, and only together can they be compared from one year to the next.
"""


def unknown_years(first: date, end: date) -> list[int]:
    """Years of the days ``[first, end)`` whose new year is not in the table."""
    last = end - timedelta(days=1)
    return [year for year in range(first.year, last.year + 1) if year not in NEW_YEAR]


def quiet_weeks(year: int) -> tuple[date, date]:
    """First day of the quiet four weeks of a year, and the first day after them."""
    first = NEW_YEAR[year] - timedelta(days=QUIET_BEFORE)
    return first, first + timedelta(days=QUIET_DAYS)


def season_month(day: date) -> int:
    """Whose month's factor (0 is January) a day has in a season that follows the lunar new year.

    The quiet four weeks have the factor of February, the other days of January and February that of January. From
    March on the season follows the calendar.
    """
    if day.month > 2:
        return day.month - 1
    first, end = quiet_weeks(day.year)
    return 1 if first <= day < end else 0
