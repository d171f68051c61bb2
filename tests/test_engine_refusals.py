"""What no engine runs, and what makes no sense, is refused by name and all together."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from scenarios.errors import InputRefused, Unsupported
from scenarios.plan import CareRow, OwnerRow, Plan, TrainingRow
from sim.capabilities import require_sound_plan
from sim.run import simulate
from small_worlds import fixed, stage, the_log, world


def test_what_no_engine_runs_is_refused_all_together():
    scenario = world(
        sources=[{"id": "web", "leads_per_year": 10}],
        roles=[{"id": "rep", "overlay": True}],
        reps=[{"id": "ann", "team": "t", "quota_credit": 0.5}],
        transfers=[{"rep": "ann", "team": "t", "first_day": "2026-05-01"}],
    )
    with pytest.raises(Unsupported) as refused:
        simulate(scenario, replications=1)
    named = {problem.where for problem in refused.value.problems}
    assert named == {
        "roles.rep.overlay",
        "reps.ann.quota_credit", "transfers.ann",
    }  # fmt: skip


def test_a_funnel_of_too_many_stages_is_refused():
    with pytest.raises(Unsupported, match="101 stages"):
        simulate(world(stages=[stage(id=f"s{i}") for i in range(101)]), replications=1)


def test_a_plan_that_speaks_of_nobody_is_refused():
    plan = Plan(
        "bad",
        training=(TrainingRow("eve", "juggling", date(2026, 1, 1), date(2026, 1, 1), -1.0),),
        care=(CareRow("nowhere", math.nan),),
    )
    with pytest.raises(InputRefused) as refused:
        simulate(world(plan), replications=1)
    assert len(refused.value.problems) == 6


def test_bad_arguments_of_a_run_are_refused_together():
    with pytest.raises(InputRefused) as refused:
        simulate(world(), replications=0, first=-1, workers=0, seed=-5, engine="abacus")
    assert len(refused.value.problems) == 5


@pytest.mark.parametrize("name", ["replications", "first", "seed", "workers"])
def test_whole_numbers_of_numpy_are_refused_with_the_way_out(name):
    told = rf"{name} = .*: is of type int64 and must be a plain int -> write int\({name}\)"
    with pytest.raises(InputRefused, match=told):
        simulate(world(), **{"replications": 1, name: np.int64(1)})


def test_care_beyond_the_hours_of_a_year_and_owners_beyond_the_horizon_are_refused():
    accounts = [{"id": "a0", "tier": "A", "region": "r", "owner": "ann"}]
    tiers = [{"id": "A", "orders_per_year": 1, "order_value": fixed(5)}]
    physics, end = {"order_effort_hours": fixed(0.5)}, world().calendar.end
    plan = Plan("bad", care=(CareRow("a0", 8_785.0),), owners=(OwnerRow("a0", "ann", end),))
    with pytest.raises(InputRefused) as refused:
        require_sound_plan(world(accounts=accounts, tiers=tiers, account_physics=physics), plan)
    assert [str(problem) for problem in refused.value.problems] == [
        "plan.care a0 = 8785 h: must be 0 to 8784 hours a year",
        f"plan.owners a0 = ann from {end}: must start before the horizon ends on {end} -> remove the row",
    ]


@pytest.mark.parametrize("value", [1e15, 2e14])
def test_sales_beyond_64_bits_are_refused_rather_than_wrapped(value):
    scenario = world(products=[{"id": "p", "value": fixed(value)}], sources=[{"id": "web", "leads_per_year": 5000}])
    with pytest.raises(InputRefused, match="must stay below"):
        the_log(scenario)
