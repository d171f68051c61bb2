"""When people can close deals: their time and pace in each reporting period, later by the lag of the sales cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from optimize.phasing import Period
from optimize.response.people import presence
from optimize.response.presence import working_hours
from optimize.seasons import FAINT
from scenarios.people import Rep
from scenarios.scenario import Scenario

Floats = NDArray[np.float64]


def closing_power(scenario: Scenario, reps: Sequence[Rep], periods: Sequence[Period]) -> Floats:
    """Share of full power from which what each rep closes in each period comes, [R, P].

    A new hire closes deals that began after the first day, so that the ramp counts as it was all the customers' answers
    of a cycle earlier. Who is on leave closes what waits for the last answer alone, so that leave counts as it was that
    answer earlier. Both by mean delays. Employed people count at :data:`optimize.seasons.FAINT` at least, others at 0.
    """
    delays = [
        0.0 if stage.delay_days is None else stage.delay_days.mean_value()
        for stage in scenario.stages
        if not stage.after_win
    ]
    cycle, answer = round(sum(delays)), round(delays[-1] if delays else 0.0)
    employed = np.array([presence(scenario, rep, periods) > 0 for rep in reps])
    pace = np.array([presence(scenario, rep, periods, cycle) for rep in reps])
    return np.asarray(pace * _not_on_leave(scenario, reps, periods, answer) + FAINT * employed)


def _not_on_leave(scenario: Scenario, reps: Sequence[Rep], periods: Sequence[Period], lag: int) -> Floats:
    """Share of working time that leave leaves in each period, so many days before, [R, P]; 1 before the horizon."""
    out = np.ones((len(reps), len(periods)))
    away = {absence.rep for absence in scenario.absences}
    at = [r for r, rep in enumerate(reps) if rep.id in away]
    days = timedelta(days=lag)
    earlier = [replace(period, first=period.first - days, end=period.end - days) for period in periods]
    mine = [reps[r] for r in at]
    whole = working_hours(scenario, mine, earlier, absences=())
    left = working_hours(scenario, mine, earlier, absences=scenario.absences)
    out[at] = np.divide(left, whole, out=np.ones_like(whole), where=whole > 0)
    return out
