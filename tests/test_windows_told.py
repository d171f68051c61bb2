"""Targets of parts of the horizon that no table keeps are told in their unit, with their days and the nearest sum."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from optimize.allocate import allocate
from optimize.controlled import controlled
from optimize.level_cells import floored
from optimize.metrics import Window
from scenarios.errors import InfeasiblePlan


def planned(first_quarter, over=0.0, **more):
    targets = [
        {"metric": "revenue", "target": 300},
        {"metric": "revenue", "first_day": "2026-01-01", "end": "2026-04-01", "target": first_quarter, **more},
    ]
    scenario = changed(world(3, over_assignment=over), goals={"targets": targets})
    return allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(1), (12, 3))))


@pytest.mark.parametrize("over", [0.0, 0.07])
def test_a_part_beyond_the_whole_is_told_with_what_can_be_entered(over):
    with pytest.raises(InfeasiblePlan) as caught:
        planned(350, over)
    told = f"{350 * (1 + over):.2f}"
    days = "quotas of the company from 2026-01-01 to before 2026-04-01"
    assert caught.value.conflict[0] == f"{days} sum to {told}"
    (way,) = caught.value.loosening
    assert way.startswith(f"{days}: at most {300 * (1 + over):.2f} instead of {told}")
    assert ("公司 2026-01-01 起至 2026-04-01 前的指标合计为 " + told) in caught.value.text("zh")
    assert ("enter" in way) == bool(over)
    entered = float(re.search(r"enter at most ([\d.]+)", way)[1]) if over else 300.0
    assert planned(entered, over).plan.quotas()


def test_each_part_that_can_give_way_alone_is_told():
    rows, exact = np.array([1_000, 2_000]), np.array([[500.0, 500.0], [1_000.0, 1_000.0]])
    days = {"first": date(2026, 1, 1), "end": date(2026, 7, 1)}
    both = [Window(None, (0,), 500, **days), Window("T1", (0,), 900, metric="orders", **days)]
    with pytest.raises(InfeasiblePlan) as caught:
        controlled(exact, rows, 100, ["T1", "T2"], both)
    assert caught.value.loosening == (
        "quotas of the company from 2026-01-01 to before 2026-07-01: at least 9.00 instead of 5.00",
        "quotas of orders of team T1 from 2026-01-01 to before 2026-07-01: at most 500 instead of 900",
    )
    for first, second in ((900, 900), (500, 500)):
        kept = [Window(None, (0,), first), Window("T1", (0,), second)]
        table = controlled(exact, rows, 100, ["T1", "T2"], kept)
        assert (table[:, 0].sum(), table[0, 0]) == (first, second)


def test_floors_of_a_part_are_at_most_its_quotas():
    quotas, season = np.array([[500, 500]]), np.array([[0.5, 0.5]])
    asked = Window(None, (0,), 600, level="floor", first=date(2026, 1, 1), end=date(2026, 7, 1))
    with pytest.raises(InfeasiblePlan, match=r"floors of the company .* at most 5\.00 instead of 6\.00"):
        floored(800 * season, np.array([800]), quotas, 1, ["T1"], [asked])
