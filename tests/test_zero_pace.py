"""New hires who do no work in their first months: as on leave, in both engines and in what allocations count with."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import quotalab as ql
from both_engines import compared, differ
from optimize.allocate import allocate
from optimize.response.estimate import estimate
from random_worlds import CASES, in_many_worlds, told, worlds
from scenarios.errors import InputRefused
from scenarios.files import from_document
from sim.model import build
from sim.run import simulate

HIRED = ["calendar.end=2026-07-01", "goals.targets.0.target=11000000"]


def hired(paces, *more):
    """The starter over half a year, in which S4 comes on the second of March."""
    return ql.load("starter", [*HIRED, f"skills.ramp.pace_by_month={paces}", *more])


def engines_agree(paces, scenario):
    document = scenario.document()
    document.setdefault("skills", {})["ramp"] = {"pace_by_month": list(paces)}
    changed = from_document(document)
    _, problem = compared(build(changed))
    assert not problem, f"the engines differ: {problem}\nin this world:\n{told(changed)}"


@pytest.mark.parametrize(("number", "paces"), [(0, (0.0, 0.5)), (3, (0.0, 0.0))])
def test_both_engines_agree_where_new_hires_do_no_work_at_first(number, paces):
    in_many_worlds(worlds(*CASES[number]), 8, number, partial(engines_agree, paces))


def test_a_month_without_work_is_leave():
    idle = simulate(hired("[0,0.5]"), replications=4)
    document = hired("[0.3,0.5]").document()
    document["absences"] = [*document.get("absences", []), {"rep": "S4", "first": "2026-03-02", "last": "2026-04-01"}]
    away = simulate(from_document(document), replications=4)
    assert differ(idle.cubes, away.cubes) == ""
    assert differ(idle.cubes, simulate(hired("[0.3,0.5]"), replications=4).cubes)
    cube = idle["rep"]
    place, march = cube.keys.index("S4"), cube.periods.index("2026-03")
    for metric in ("revenue", "busy_ticks", "available_ticks"):
        assert cube.by_period(metric)[:, place, march].sum() == 0
    assert cube.by_period("busy_ticks")[:, place, march + 1].sum() > 0


def test_whoever_fills_a_seat_comes_to_it_as_the_months_without_work_are_over():
    def seats(paces, delay):
        document = ql.load("starter", ["calendar.end=2026-07-01"]).document()
        document["skills"]["ramp"] = {"pace_by_month": paces}
        for rep in document["reps"]:
            rep |= {"attrition_per_year": 0.6, "replacement_delay_days": delay, "hired": None}
        return from_document(document)

    idle = seats([0.0, 0.5], 10)
    outcomes = [simulate(one, replications=6).cubes for one in (idle, seats([0.5], 10 + 365 / 12), seats([0.5], 10))]
    assert differ(outcomes[0], outcomes[1]) == ""
    assert differ(outcomes[0], outcomes[2])
    assert not compared(build(idle))[1]


def test_an_allocation_asks_nothing_of_a_month_without_work():
    world = hired("[0,0.5]", "allocation.rules.min_chance.enabled=false", "allocation.rules.growth.enabled=false")
    found = estimate(world, simulate(world, replications=20))
    place = found.reps.index("S4")
    assert found.ramp[place] == pytest.approx((30.4 * 0.5 + 60.2) / 90.6, abs=0.01)
    assert found.presence[place].tolist()[:3] == pytest.approx([0.0, 0.0, 0.0], abs=0.02)
    plan = allocate(world, found).plan
    mine = {row.start.month: row.value for row in plan.targets if row.rep == "S4" and row.metric == "revenue"}
    assert mine.get(3, 0) == 0
    assert (found.season[place][3:] > 0).all(), "periods with work are periods with a quota"
    assert [month for month, value in mine.items() if value > 0] == [6], "won 76 days after April's work begins"
    assert sum(plan.quotas().values()) == round(11_000_000_00 * (1 + world.allocation.over_assignment))


def test_whoever_does_no_work_in_the_whole_horizon_divides_by_nothing():
    world = hired("[0,0,0,0,0]", "allocation.rules=[]")
    found = estimate(world, simulate(world, replications=5))
    place = found.reps.index("S4") if "S4" in found.reps else None
    assert np.isfinite(found.ramp).all()
    plan = allocate(world, found).plan
    assert place is None or plan.quotas()["S4"] == 0


def test_a_pace_of_nothing_after_the_first_months_is_refused():
    with pytest.raises(InputRefused, match="0 is for the first months only"):
        hired("[0.5,0]")
