"""From dates to ticks: reporting periods, working hours of reps, customers' clocks, training sessions.

Tick 0 is midnight of the calendar's first day in the company's time zone; other zones convert through UTC, so a
change to summer time makes a day of 23 or 25 hours of ticks, as it does on the wall.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scenarios.calendar import WEEKDAYS, Calendar, span_minutes
from scenarios.errors import InputRefused, Problem
from scenarios.market import Region
from scenarios.people import Absence, Rep, SupportResource, Team
from scenarios.plan import TrainingRow
from scenarios.ticks import HOUR, NEVER
from sim.fiscal import period_label
from sim.worktime import ALWAYS, Intervals, add_work, clock, from_intervals, intersect, next_open, subtract

RUN_ON_DAYS = 400
"""Working time is laid out beyond the horizon, so that work begun inside it has an end."""


@dataclass(frozen=True)
class Periods:
    """Consecutive periods that cover the horizon: ``bounds`` has one tick more than there are ``labels``."""

    labels: tuple[str, ...]
    firsts: tuple[date, ...]
    bounds: NDArray[np.int64]

    def ends(self, calendar: Calendar) -> tuple[date, ...]:
        """First day after each period."""
        return (*self.firsts[1:], calendar.end)


class Timetable:
    """Dates of one scenario as ticks."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._zero = _zero(calendar)
        self._midnights: dict[tuple[date, str | None], int] = {}
        self.end = self.midnight(calendar.end)

    def midnight(self, day: date, zone: str | None = None) -> int:
        """Tick at which a local day begins."""
        if (day, zone) not in self._midnights:
            self._midnights[day, zone] = self.at(day, 0, zone)
        return self._midnights[day, zone]

    def at(self, day: date, minute: int, zone: str | None = None) -> int:
        """Tick of a local minute of a day; minute 1440 is the next midnight."""
        return _tick(day, minute, ZoneInfo(zone or self.calendar.timezone), self._zero)

    def days(self) -> list[date]:
        """Every day of the horizon."""
        count = (self.calendar.end - self.calendar.start).days
        return [self.calendar.start + timedelta(days=i) for i in range(count)]

    def periods(self, kind: str | None = None) -> Periods:
        """Reporting periods (week, month, quarter) of the fiscal year, the first and last cut to the horizon."""
        kind = kind or self.calendar.reporting
        firsts: list[date] = []
        labels: list[str] = []
        for day in self.days():
            label = period_label(day, kind, self.calendar)
            if not labels or label != labels[-1]:
                firsts.append(day)
                labels.append(label)
        return self._laid_from(firsts, labels)

    def months(self, cuts: Iterable[date] = ()) -> Periods:
        """Calendar months, whatever the fiscal year, cut again at some days; labelled by their first days."""
        also = frozenset(cuts)
        firsts = [day for day in self.days() if day == self.calendar.start or day.day == 1 or day in also]
        return self._laid_from(firsts, [day.isoformat() for day in firsts])

    def _laid_from(self, firsts: Sequence[date], labels: Sequence[str]) -> Periods:
        bounds = [self.midnight(day) for day in firsts] + [self.end]
        return Periods(tuple(labels), tuple(firsts), np.array(bounds, dtype=np.int64))

    def opening_hours(self, region: Region | None = None) -> Intervals:
        """When the region works: workdays less holidays plus working days, in local spans.

        What the region says of a day goes before what the company says, and a working day before a holiday.
        """
        return _laid_out(self.calendar, region)

    def customers_clock(self) -> Intervals:
        """When customers' delay and patience run: always, but for the pauses."""
        until = self.calendar.end + timedelta(days=RUN_ON_DAYS)
        pauses = [
            (self.midnight(first), self.midnight(last + timedelta(days=1)))
            for pause in self.calendar.customer_pauses
            for first, last in pause.spans(self.calendar.start, until)
        ]
        return subtract(ALWAYS, from_intervals(pauses)) if pauses else ALWAYS

    def employment(self, rep: Rep, zone: str | None = None) -> tuple[int, int]:
        """Ticks from which and until which the rep is employed; ``NEVER`` where no leaving day is known."""
        hired = max(0, self.midnight(rep.hired, zone)) if rep.hired and rep.hired > self.calendar.start else 0
        leaves = self.midnight(rep.leaves, zone) if rep.leaves and rep.leaves < self.calendar.end else NEVER
        return hired, leaves

    def rep_hours(self, rep: Rep, region: Region, absences: Iterable[Absence]) -> Intervals:
        """The rep's own working time: the region's, while employed, less leave. Days are the region's."""
        zone = region.timezone
        hired, leaves = self.employment(rep, zone)
        away = [
            (self.midnight(absence.first, zone), self.midnight(absence.last + timedelta(days=1), zone))
            for absence in absences
            if absence.rep == rep.id
        ]
        if not away and (hired, leaves) == (0, NEVER):
            return self.opening_hours(region)
        employed = from_intervals([(hired, max(hired, leaves))])
        return subtract(intersect(self.opening_hours(region), employed), from_intervals(away))

    def support_hours(self, resource: SupportResource, regions: dict[str, Region]) -> Intervals:
        """Working time of a support resource."""
        return self.opening_hours(regions[resource.region] if resource.region else None)

    def full_week_hours(self) -> float:
        """Paid hours of a full week."""
        calendar = self.calendar
        if calendar.full_week_hours is not None:
            return calendar.full_week_hours
        minutes = sum(end - begin for begin, end in (span_minutes(span) for span in calendar.hours))
        return minutes * len(calendar.workdays) / 60


@dataclass(frozen=True)
class Session:
    """One training session: a block of the rep's working time."""

    skill: str
    begin: int
    end: int
    ticks: int


def lay_out_training(
    timetable: Timetable, hours: Intervals, rows: Sequence[TrainingRow], session_hours: float
) -> tuple[list[Session], Intervals]:
    """Sessions of one rep, evenly spread over the working days of each row's period, and the hours that are left.

    Raises:
        InputRefused: a period has not enough working time for its hours.
    """
    sessions: list[Session] = []
    left = hours
    for row in sorted(rows):
        total = round(row.hours * HOUR)
        if total == 0:
            continue
        begin, end = timetable.midnight(row.start), timetable.midnight(row.end)
        days = _working_days(timetable, left, row.start, row.end)
        count = math.ceil(row.hours / session_hours)
        if not days or length_within(left, begin, end) < total:
            where = f"plan.training {row.rep} {row.skill}"
            rule = f"does not fit the rep's working time from {row.start} to {row.end}"
            raise InputRefused(Problem(where, f"{row.hours:g} h", rule, "give fewer hours or a longer period"))
        for number in range(count):
            ticks = total * (number + 1) // count - total * number // count
            day = days[(2 * number + 1) * len(days) // (2 * count)]
            session, rest = _take(left, row.skill, day, ticks)
            if session is None or session.end > end:
                # The even place is taken: the first free time of the period serves.
                session, rest = _take(left, row.skill, begin, ticks)
            if session is None:
                raise InputRefused(Problem(f"plan.training {row.rep}", f"{row.hours:g} h", "finds no working time"))
            left = rest
            sessions.append(session)
    return sorted(sessions, key=lambda session: (session.end, session.skill)), left


def _take(left: Intervals, skill: str, begin: int, ticks: int) -> tuple[Session | None, Intervals]:
    columns = clock(left)
    start = int(next_open(columns.opens, columns.closes, begin))
    end = int(add_work(*columns, start, ticks)) if start < NEVER else NEVER
    if end >= NEVER:
        return None, left
    return Session(skill, start, end, ticks), without(left, start, end)


def without(hours: Intervals, begin: int, end: int) -> Intervals:
    """``subtract`` of one interval, at the cost of those that it touches: a rep's sessions are cut out one by one."""
    first = int(np.searchsorted(hours[:, 1], begin, side="right"))
    last = int(np.searchsorted(hours[:, 0], end, side="left"))
    if first >= last:
        return hours
    ends = [(hours[first, 0], begin), (end, hours[last - 1, 1])]
    kept = [pair for pair in ends if pair[0] < pair[1]]
    return np.concatenate([hours[:first], np.array(kept, dtype=np.int64).reshape(-1, 2), hours[last:]])


def _working_days(timetable: Timetable, hours: Intervals, start: date, end: date) -> list[int]:
    """The first working tick of each day of ``[start, end)`` on which somebody works."""
    days = [start + timedelta(days=i) for i in range((end - start).days + 1)]
    midnights = np.array([timetable.midnight(day) for day in days], dtype=np.int64)
    place = np.searchsorted(hours[:, 1], midnights[:-1], side="right")
    there = place < len(hours)
    opened = np.maximum(hours[place[there], 0], midnights[:-1][there])
    found: list[int] = opened[opened < midnights[1:][there]].tolist()
    return found


def length_within(hours: Intervals, begin: int, end: int) -> int:
    """Ticks of these intervals that lie between two ticks."""
    return int(np.maximum(np.minimum(hours[:, 1], end) - np.maximum(hours[:, 0], begin), 0).sum())


@lru_cache(maxsize=64)
def _laid_out(calendar: Calendar, region: Region | None) -> Intervals:
    """Opening hours, kept from one model to the next: plans and most what-ifs leave them as they are."""
    own_holidays = frozenset(region.holidays if region else ())
    own_working = frozenset(region.working_days if region else ())
    closed = (frozenset(calendar.holidays) - own_working) | own_holidays
    opened = (frozenset(calendar.working_days) - own_holidays) | own_working
    workdays = (region and region.workdays) or calendar.workdays
    spans = [span_minutes(span) for span in ((region and region.hours) or calendar.hours)]
    zone = ZoneInfo((region and region.timezone) or calendar.timezone)
    zero = _zero(calendar)
    last = calendar.end + timedelta(days=RUN_ON_DAYS)
    # One day before: another zone's first local day may begin before the company's.
    day = calendar.start - timedelta(days=1)
    pairs = []
    while day < last:
        if day in opened or (WEEKDAYS[day.weekday()] in workdays and day not in closed):
            pairs += [(_tick(day, begin, zone, zero), _tick(day, end, zone, zero)) for begin, end in spans]
        day += timedelta(days=1)
    # A span inside the hour that summer time skips would end before it begins.
    hours = from_intervals((max(begin, 0), end) for begin, end in pairs if end > max(begin, 0))
    hours.flags.writeable = False
    return hours


def _zero(calendar: Calendar) -> datetime:
    """The moment of tick 0."""
    return _utc(calendar.start, 0, ZoneInfo(calendar.timezone))


@lru_cache(maxsize=2**14)
def _tick(day: date, minute: int, zone: ZoneInfo, zero: datetime) -> int:
    return round((_utc(day, minute, zone) - zero).total_seconds() * 1000)


def _utc(day: date, minute: int, zone: ZoneInfo) -> datetime:
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=minute // 1440)
    hour, rest = divmod(minute % 1440, 60)
    return local.replace(hour=hour, minute=rest).astimezone(UTC)


def team_region(rep: Rep, teams: dict[str, Team]) -> str:
    """The region a rep serves: the rep's own, else the team's."""
    return rep.region or teams[rep.team].region
