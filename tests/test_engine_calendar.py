"""Working hours, holidays, time zones and pauses, in worlds whose timetable is known by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from sim.log import Kind
from small_worlds import DAY, HOUR, deals, fixed, logs, stage, started, the_log, world


def test_work_is_done_in_working_hours_and_ends_exactly_at_closing():
    scenario = world(
        calendar={"hours": ["09:00-12:00", "13:00-18:00"], "workdays": ["mon", "tue", "wed", "thu", "fri"]},
        stages=[stage(effort_hours=fixed(4))],
        pipeline=deals(5, owner="ann"),
    )
    rows = started(the_log(scenario))
    # Thursday, Friday, then Monday: two a day, each with the lunch break or none in it.
    hours = [(int(row["time"]) / HOUR, int(row["extra"]) / HOUR) for row in rows]
    assert hours == [(9, 14), (14, 18), (33, 38), (38, 42), (24 * 4 + 9, 24 * 4 + 14)]


def test_holidays_are_closed_and_working_saturdays_open():
    calendar = {
        "hours": ["09:00-17:00"],
        "workdays": ["mon", "tue", "wed", "thu", "fri"],
        "holidays": ["2026-01-01", "2026-01-02"],
        "working_days": ["2026-01-03"],
    }
    rows = started(
        the_log(world(calendar=calendar, stages=[stage(effort_hours=fixed(8))], pipeline=deals(3, owner="ann")))
    )
    assert [int(row["time"]) // DAY for row in rows] == [2, 4, 5]  # Saturday, then Monday and Tuesday


def test_a_region_has_hours_days_and_zone_of_its_own():
    regions = [
        {"id": "r"},
        {
            "id": "ny",
            "timezone": "America/New_York",
            "hours": ["08:00-10:00"],
            "workdays": ["sun"],
            "holidays": ["2026-03-01"],
        },
    ]
    scenario = world(
        regions=regions,
        teams=[{"id": "t", "region": "r"}, {"id": "n", "region": "ny"}],
        reps=[{"id": "ann", "team": "t"}, {"id": "bob", "team": "n"}],
        stages=[stage(effort_hours=fixed(2))],
        pipeline=deals(12, region="ny", owner="bob"),
    )
    rows = started(the_log(scenario))
    zone = ZoneInfo("America/New_York")
    begun = [datetime.fromtimestamp(1767225600 + int(row["time"]) // 1000, zone) for row in rows]
    sundays = [date(2026, 1, 4) + timedelta(weeks=week) for week in range(14)]
    sundays.remove(date(2026, 3, 1))
    assert [moment.date() for moment in begun] == sundays[:12]
    assert {moment.hour for moment in begun} == {8}
    # On 8 March the clocks are already forward when work begins.
    assert {int(row["time"]) % DAY // HOUR for row in rows} == {12, 13}


def test_nobody_starts_outside_hours_through_a_whole_year_with_summer_time():
    scenario = world(
        calendar={
            "hours": ["09:00-12:30", "13:30-17:00"],
            "workdays": ["mon", "tue", "wed", "thu", "fri"],
            "timezone": "Europe/Berlin",
            "holidays": ["2026-05-01"],
        },
        stages=[stage(effort_hours={"family": "lognormal", "mean": 3, "cv": 1})],
        sources=[{"id": "web", "leads_per_year": 500}],
    )
    zone, zero = ZoneInfo("Europe/Berlin"), datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    rows = started(the_log(scenario))
    assert len(rows) > 400
    for tick in rows["time"].tolist():
        moment = datetime.fromtimestamp(zero + tick / 1000, zone)
        minute = moment.hour * 60 + moment.minute
        assert moment.weekday() < 5
        assert moment.date() != date(2026, 5, 1)
        assert 540 <= minute < 750 or 810 <= minute < 1020


def test_leads_arrive_in_local_hours_of_the_day_also_when_clocks_change():
    source = {"id": "web", "leads_per_year": 365 * 40, "arrival_hours": [1.0, 4.0]}
    calendar = {"start": "2026-03-29", "end": "2026-03-30", "timezone": "Europe/Berlin"}
    hours = np.concatenate(
        [log.of(Kind.ARRIVE)["time"] / HOUR for log in logs(world(calendar=calendar, sources=[source]), 5)]
    )
    # Clocks go from 2 to 3: the window from 1 to 4 lasts two hours.
    assert hours.min() >= 1
    assert hours.max() < 3
    assert hours.max() > 2.5


def test_customers_clocks_stand_still_in_a_pause():
    pause = [{"first": "2026-01-03", "last": "2026-01-10"}]
    scenario = world(
        calendar={"customer_pauses": pause},
        stages=[stage(delay_days=fixed(4), patience_days=fixed(5))],
        reps=[{"id": "ann", "team": "t", "hired": "2026-12-01"}],
        pipeline=deals(1, owner="ann"),
    )
    cold = the_log(scenario).of(Kind.COLD)
    assert cold["time"].tolist() == [13 * DAY], "two days before the pause and three after"
    answered = the_log(
        world(calendar={"customer_pauses": pause}, stages=[stage(delay_days=fixed(4))], pipeline=deals(1))
    )
    assert answered.of(Kind.WON)["time"].tolist() == [12 * DAY + HOUR]
