"""When leads come, how their counts scatter, and what a source says of them."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from sim.log import Kind
from sim.run import simulate
from small_worlds import DAY, fixed, holds, logs, stage, the_log, world


def test_season_and_weekdays_shape_arrivals():
    season = [0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    week = [1, 1, 1, 1, 1, 2, 0]
    source = {"id": "web", "leads_per_year": 3650, "season": season, "weekday_factors": week}
    months, days = [], []
    for log in logs(world(sources=[source], stages=[stage(conversion=0.0)]), 12):
        moments = [date(2026, 1, 1) + timedelta(days=int(tick) // DAY) for tick in log.of(Kind.ARRIVE)["time"]]
        months.append(np.bincount([moment.month for moment in moments], minlength=13)[1:])
        days.append(np.bincount([moment.weekday() for moment in moments], minlength=7))
    assert np.sum(months, axis=0)[0] == 0
    assert np.sum(days, axis=0)[6] == 0
    # February has four of each weekday, so its mean is exactly 28 days of ten leads, doubled by the season.
    holds(np.array(months)[:, 1], 28 * 10 * 2)
    holds(np.array(days)[:, 5] - 2 * np.array(days)[:, 1] * 52 / 52, 0)


@pytest.mark.parametrize("dispersion", [1.0, 5.0, 14.0])
def test_daily_counts_scatter_as_asked(dispersion):
    source = {"id": "web", "leads_per_year": 365 * 6, "dispersion": dispersion}
    means, ratios = [], []
    for log in logs(world(sources=[source], stages=[stage(conversion=0.0)]), 14):
        daily = np.bincount(log.of(Kind.ARRIVE)["time"] // DAY, minlength=365)
        means.append(daily.mean())
        ratios.append(daily.var(ddof=1) / 6)
    holds(means, 6)
    holds(ratios, dispersion)


def test_a_source_has_first_and_last_days_a_first_stage_quality_value_and_cost():
    source = {
        "id": "fair",
        "leads_per_year": 3650,
        "first_day": "2026-03-02",
        "last_day": "2026-03-04",
        "first_stage": "close",
        "quality_logit": 1.0,
        "value_factor": 1.5,
        "cost_per_lead": 12.5,
    }
    scenario = world(
        sources=[source],
        stages=[stage(), stage(id="close", conversion=0.5)],
        products=[{"id": "box", "value": fixed(100)}],
        calendar={"end": "2026-04-01"},
    )
    outcome = simulate(scenario, replications=60, seed=3)
    log = the_log(scenario)
    assert set(log.of(Kind.ARRIVE)["time"] // DAY) <= {60, 61, 62}
    assert outcome["stage"].company("entered").sum() == outcome["stage"].total("entered")[:, 1].sum()
    won, leads = outcome["source"].company("won"), outcome["source"].company("leads")
    chance = 1 / (1 + math.exp(-1.0))
    holds(won - chance * leads, 0)
    assert (outcome["source"].company("revenue") == won * 150_00).all()
    assert (outcome["source"].company("cost") == leads * 12_50).all()
