"""Dates to ticks: zones, periods, employment, and training sessions laid into working time."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.calendar import Calendar
from scenarios.errors import InputRefused
from scenarios.market import Region
from scenarios.people import Absence, Rep
from scenarios.plan import TrainingRow
from scenarios.ticks import DAY, HOUR, MINUTE, NEVER
from sim.timetable import Timetable, lay_out_training, without
from sim.worktime import from_intervals, intersect, subtract

YEAR = {"start": date(2026, 1, 1), "end": date(2027, 1, 1)}


def timetable(**over) -> Timetable:
    return Timetable(Calendar(**YEAR | over))


def length(intervals) -> int:
    return int((intervals[:, 1] - intervals[:, 0]).sum())


def within(hours, first: int, last: int):
    return intersect(hours, from_intervals([(first, last)]))


def test_midnights_count_days_and_summer_time_shortens_one():
    times = timetable(timezone="Europe/Berlin")
    assert times.midnight(date(2026, 1, 1)) == 0
    assert times.midnight(date(2026, 1, 2)) == DAY
    assert times.midnight(date(2026, 3, 30)) - times.midnight(date(2026, 3, 29)) == 23 * HOUR
    assert times.midnight(date(2026, 10, 26)) - times.midnight(date(2026, 10, 25)) == 25 * HOUR
    assert times.end == 365 * DAY
    assert times.at(date(2026, 3, 29), 1440) == times.midnight(date(2026, 3, 30))


def test_another_zone_s_midnight():
    times = timetable(timezone="Asia/Shanghai")
    assert times.midnight(date(2026, 1, 2), "UTC") == DAY + 8 * HOUR
    assert times.midnight(date(2026, 1, 1), "Asia/Tokyo") == -HOUR


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("month", ["2026-01", "2026-02", "2026-03"]), ("quarter", ["2026-Q1"]), ("week", ["2026-W03", "2026-W04"])],
)
def test_periods_are_cut_to_the_horizon(kind, labels):
    end = date(2026, 1, 22) if kind == "week" else date(2026, 3, 20)
    times = Timetable(Calendar(start=date(2026, 1, 15), end=end))
    periods = times.periods(kind)
    assert list(periods.labels) == labels
    assert periods.bounds[0] == 0
    assert periods.bounds[-1] == times.end
    assert len(periods.bounds) == len(labels) + 1
    assert (np.diff(periods.bounds) > 0).all()
    assert periods.ends(times.calendar)[-1] == end


@pytest.mark.parametrize(
    ("month", "kind", "labels"),
    [
        (4, "month", ["FY2026-P10", "FY2026-P11", "FY2026-P12", "FY2027-P01"]),
        (4, "quarter", ["FY2026-Q4", "FY2027-Q1"]),
        (2, "quarter", ["FY2026-Q4", "FY2027-Q1"]),
        (4, "week", ["2026-W01", "2026-W02"]),
    ],
)
def test_fiscal_years_are_named_for_the_year_in_which_they_end(month, kind, labels):
    found = timetable(fiscal_year_start_month=month).periods(kind)
    assert list(found.labels)[: len(labels)] == labels
    if month == 2 and kind == "quarter":
        assert found.firsts[1] == date(2026, 2, 1)
        assert [first.month for first in found.firsts] == [1, 2, 5, 8, 11]


@pytest.mark.parametrize("month", [1, 2, 7, 10])
def test_445_years_are_whole_weeks_from_the_nearest_monday(month):
    calendar = Calendar(start=date(2015, 1, 1), end=date(2025, 1, 1), fiscal="4-4-5", fiscal_year_start_month=month)
    times = Timetable(calendar)
    periods = times.periods("month")
    whole = list(zip(periods.labels, periods.firsts, periods.ends(calendar), strict=True))[1:-1]
    weeks = [((end - first).days / 7, label[-3:]) for label, first, end in whole]
    assert all(first.weekday() == 0 for _, first, _ in whole)
    assert all(length == 5 for length, label in weeks if label in ("P03", "P06", "P09"))
    assert all(length in (5, 6) for length, label in weeks if label == "P12")
    assert all(length == 4 for length, label in weeks if label not in ("P03", "P06", "P09", "P12"))
    assert {length for length, label in weeks if label == "P12"} == {5, 6}, "ten years hold a year of 53 weeks"
    for label, first, _ in whole:
        if label.endswith("P01"):
            start = int(label[2:6]) - (month > 1)
            assert abs((first - date(start, month, 1)).days) <= 3
    quarters = times.periods("quarter")
    assert set(quarters.firsts) <= set(periods.firsts)
    assert len(set(periods.labels)) == len(periods.labels)


def test_445_from_january_is_the_iso_year():
    calendar = Calendar(start=date(2026, 1, 1), end=date(2027, 1, 1), fiscal="4-4-5")
    periods = Timetable(calendar).periods()
    assert periods.labels == tuple(f"FY2026-P{number:02d}" for number in range(1, 13))
    assert periods.firsts[1:4] == (date(2026, 1, 26), date(2026, 2, 23), date(2026, 3, 30))


def test_months_are_those_of_the_calendar_whatever_the_fiscal_year():
    months = timetable(fiscal="4-4-5", fiscal_year_start_month=7).months([date(2026, 2, 10), date(2020, 1, 1)])
    assert [(first.month, first.day) for first in months.firsts[:4]] == [(1, 1), (2, 1), (2, 10), (3, 1)]


def test_opening_hours_of_a_week():
    hours = timetable(hours=("09:00-12:00", "13:00-18:00")).opening_hours()
    # 1 January 2026 is a Thursday.
    days = within(hours, 0, 7 * DAY)
    assert length(days) == 5 * 8 * HOUR
    assert days[0].tolist() == [9 * HOUR, 12 * HOUR]
    assert not len(within(hours, 2 * DAY, 4 * DAY))


def test_a_shop_that_never_closes_has_one_interval():
    hours = timetable(
        hours=("00:00-24:00",), workdays=("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    ).opening_hours()
    assert len(hours) == 1
    assert hours[0, 0] == 0


def test_the_region_s_word_goes_before_the_company_s():
    monday, tuesday, saturday = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 10)
    times = timetable(holidays=(monday,), working_days=(saturday,), hours=("09:00-17:00",))
    region = Region(id="r", working_days=(monday,), holidays=(tuesday, saturday))

    def works(day: date, place: Region | None) -> bool:
        begin = times.midnight(day)
        return len(within(times.opening_hours(place), begin, begin + DAY)) > 0

    assert [works(day, None) for day in (monday, tuesday, saturday)] == [False, True, True]
    assert [works(day, region) for day in (monday, tuesday, saturday)] == [True, False, False]


def test_a_region_has_workdays_of_its_own():
    times = timetable(hours=("09:00-17:00",))
    region = Region(id="r", workdays=("sun", "mon"))
    hours = times.opening_hours(region)
    opened = {
        (date(2026, 1, 1) + timedelta(days=int(tick) // DAY)).weekday() for tick in within(hours, 0, 365 * DAY)[:, 0]
    }
    assert opened == {6, 0}


def test_a_span_in_the_hour_that_summer_time_skips_opens_nothing():
    times = timetable(timezone="Europe/Berlin", hours=("02:15-02:45",), workdays=("sat", "sun", "mon"))
    hours = times.opening_hours()
    sunday = times.midnight(date(2026, 3, 29))
    assert length(within(hours, sunday, sunday + 23 * HOUR)) == 30 * MINUTE
    late = timetable(timezone="Europe/Berlin", hours=("02:15-03:05",), workdays=("sun",)).opening_hours()
    assert not len(within(late, sunday, sunday + 23 * HOUR)), "it would end before it begins"


def test_employment_and_leave_cut_a_rep_s_hours():
    times = timetable(hours=("09:00-17:00",))
    region = Region(id="r")
    rep = Rep(id="ann", team="t", hired=date(2026, 2, 2), leaves=date(2026, 2, 14))
    away = Absence(rep="ann", first=date(2026, 2, 4), last=date(2026, 2, 5))
    assert length(times.rep_hours(rep, region, [away])) == 8 * 8 * HOUR
    other = Absence(rep="bob", first=date(2026, 2, 4), last=date(2026, 2, 5))
    assert length(times.rep_hours(rep, region, [other])) == 10 * 8 * HOUR
    assert times.employment(Rep(id="ann", team="t", hired=date(2020, 1, 1), leaves=date(2030, 1, 1))) == (0, NEVER)


def test_days_of_employment_are_the_region_s():
    times = timetable(timezone="Asia/Shanghai", hours=("09:00-17:00",))
    region = Region(id="ny", timezone="America/New_York")
    rep = Rep(id="ann", team="t", hired=date(2026, 3, 3))
    hours = times.rep_hours(rep, region, [])
    # Nine in the morning of the 3rd in New York is thirteen hours later in Shanghai.
    assert hours[0, 0] == times.midnight(date(2026, 3, 3)) + 22 * HOUR


def test_a_full_week():
    assert timetable(hours=("09:00-12:00", "13:00-18:00")).full_week_hours() == 40
    assert timetable(full_week_hours=37.5).full_week_hours() == 37.5


# ---- training -----------------------------------------------------------------------------------------------------

OFFICE = {"hours": ("09:00-12:00", "13:00-18:00")}


def row(
    hours: float, skill: str = "negotiation", first: date = date(2026, 1, 1), end: date = date(2026, 4, 1)
) -> TrainingRow:
    return TrainingRow("ann", skill, first, end, hours)


def test_sessions_are_spread_over_their_period():
    times = timetable(**OFFICE)
    hours = times.opening_hours()
    sessions, left = lay_out_training(times, hours, [row(12)], 4.0)
    assert [session.ticks for session in sessions] == [4 * HOUR] * 3
    assert length(hours) - length(left) == 12 * HOUR
    days = [session.begin / DAY for session in sessions]
    assert 10 < days[0] < 20 < 40 < days[1] < 50 < 70 < days[2] < 80
    # A session that begins at nine has its lunch break inside.
    assert all(session.end - session.begin == 5 * HOUR for session in sessions)


def test_sessions_are_spread_where_the_doors_never_close():
    times = timetable(hours=("00:00-24:00",), workdays=("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    sessions, _ = lay_out_training(times, times.opening_hours(), [row(40)], 4.0)
    assert np.diff([session.begin for session in sessions]).max() <= 9 * DAY
    assert sessions[-1].begin > 80 * DAY


def test_two_skills_never_share_an_hour():
    times = timetable(**OFFICE)
    hours = times.opening_hours()
    rows = [row(30), row(30, "market_insight"), row(30, "product_knowledge")]
    sessions, left = lay_out_training(times, hours, rows, 4.0)
    assert length(hours) - length(left) == 90 * HOUR == sum(session.ticks for session in sessions)
    assert sessions == sorted(sessions, key=lambda session: (session.end, session.skill))


def test_a_full_period_is_filled_to_the_last_minute_and_no_further():
    times = timetable(**OFFICE)
    hours = times.opening_hours()
    week = {"first": date(2026, 1, 5), "end": date(2026, 1, 12)}
    sessions, left = lay_out_training(times, hours, [row(25, **week), row(15, "market_insight", **week)], 4.0)
    inside = within(left, times.midnight(week["first"]), times.midnight(week["end"]))
    assert length(inside) == 0
    assert length(hours) - length(left) == 40 * HOUR == sum(session.ticks for session in sessions)
    assert max(session.end for session in sessions) <= times.midnight(week["end"])
    with pytest.raises(InputRefused, match=r"41 h.*does not fit"):
        lay_out_training(times, hours, [row(41, **week)], 4.0)


@given(
    wanted=st.lists(st.floats(0.5, 9.0).map(lambda hours: round(hours, 2)), min_size=1, max_size=4),
    session=st.sampled_from([1.0, 2.5, 4.0, 8.0]),
    first=st.integers(0, 40),
    days=st.integers(7, 60),
)
@settings(max_examples=60, deadline=None)
def test_hours_lost_are_hours_planned(wanted, session, first, days):
    times = timetable(**OFFICE)
    hours = times.opening_hours()
    begin = date(2026, 1, 1) + timedelta(days=first)
    rows = [row(amount, f"s{i}", begin, begin + timedelta(days=days)) for i, amount in enumerate(wanted)]
    try:
        sessions, left = lay_out_training(times, hours, rows, session)
    except InputRefused:
        assert sum(wanted) > 8 * 5 * (days // 7) - 8
        return
    planned = sum(round(amount * HOUR) for amount in wanted)
    assert length(hours) - length(left) == planned == sum(item.ticks for item in sessions)
    assert not len(intersect(left, from_intervals([(0, 1)])))
    for item in sessions:
        assert times.midnight(begin) <= item.begin < item.end <= times.midnight(begin + timedelta(days=days))
        assert length(within(hours, item.begin, item.end)) >= item.ticks


@given(st.lists(st.integers(0, 40), min_size=2, max_size=12), st.integers(-2, 42), st.integers(1, 12))
def test_cutting_out_one_interval_is_subtracting_it(edges: list[int], begin: int, length_cut: int) -> None:
    ticks = sorted(edges[: len(edges) // 2 * 2])
    hours = from_intervals(zip(ticks[::2], ticks[1::2], strict=True))
    block = from_intervals([(begin, begin + length_cut)])
    assert without(hours, begin, begin + length_cut).tolist() == subtract(hours, block).tolist()


def test_opening_hours_are_shared_and_cannot_be_written() -> None:
    """They are laid out once for all models of a calendar, so nobody may change them."""
    hours = timetable().opening_hours()
    assert timetable().opening_hours() is hours
    assert timetable(holidays=[date(2026, 5, 1)]).opening_hours().tolist() != hours.tolist()
    with pytest.raises(ValueError, match="read-only"):
        hours[0, 0] = 0
