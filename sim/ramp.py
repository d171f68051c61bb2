"""The ramp of new hires over time: when their pace changes, and the days on which they do no work yet.

A month of no pace is leave: nothing is worked on then, and no working time is counted. Only the first months can be
such; whoever fills a seat later comes to it as they are over.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import takewhile

from scenarios.people import Absence, Rep
from scenarios.scenario import Scenario
from scenarios.ticks import DAY
from sim.timetable import Timetable


def idle_months(scenario: Scenario) -> int:
    """In how many of the first months new hires do no work."""
    return sum(1 for _ in takewhile(lambda pace: pace == 0, scenario.skills.ramp.pace_by_month))


def month_of_tenure(hired: date, month: int) -> date:
    """First day of a month of tenure, counted from 0; on the 28th where the month of joining is longer."""
    total = hired.month - 1 + month
    return hired.replace(year=hired.year + total // 12, month=total % 12 + 1, day=min(hired.day, 28))


def time_off(scenario: Scenario) -> tuple[Absence, ...]:
    """Leave of all reps, and the months of those hired on a date in which they do no work yet."""
    months, start = idle_months(scenario), scenario.calendar.start
    learning = []
    for rep in scenario.reps if months else ():
        if rep.hired is not None and (begins := month_of_tenure(rep.hired, months)) > max(rep.hired, start):
            last = begins - timedelta(days=1)
            learning.append(Absence(rep=rep.id, first=max(rep.hired, start), last=last))
    return (*scenario.absences, *learning)


def ramp_steps(scenario: Scenario, rep: Rep, timetable: Timetable) -> list[tuple[int, float]]:
    """Ticks at which the pace of a new hire changes; a rep hired before the start may still be ramping.

    Months without work have the pace of the first with some: nothing is begun in them.
    """
    if rep.hired is None:
        return []
    paces = (*scenario.skills.ramp.pace_by_month, 1.0)
    first = paces[idle_months(scenario)]
    steps = [
        (max(0, timetable.midnight(month_of_tenure(rep.hired, month))), pace or first)
        for month, pace in enumerate(paces)
    ]
    # Of several steps before the start, the last is in force.
    return [step for place, step in enumerate(steps) if place + 1 == len(steps) or steps[place + 1][0] > step[0]]


def tenure(scenario: Scenario) -> list[tuple[int, float]]:
    """Ticks since joining and the pace from then on of a replacement; a month is a twelfth of 365 days."""
    paces, idle = (*scenario.skills.ramp.pace_by_month, 1.0), idle_months(scenario)
    return [(month_ticks(month), pace) for month, pace in enumerate(paces[idle:])]


def month_ticks(months: int) -> int:
    """Ticks of so many months, each a twelfth of 365 days."""
    return months * 365 * DAY // 12
