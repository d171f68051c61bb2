"""The public allocation path on worlds small enough to be checked by brute force, and published cases."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.optimize import linprog

from allocation_worlds import care_world, changed, lognormal, outcome_of, responses_of, world
from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.model import build
from optimize.optimum import optimise
from optimize.plans import as_plan
from optimize.problem import Decisions, gains, potentials
from optimize.programme.solve import solve
from optimize.response.estimate import estimate
from optimize.rules import bounds, box
from optimize.split import attained, split_in_groups
from scenarios.errors import InputRefused
from scenarios.plan import OwnerRow
from scenarios.today import today_plan


def test_concave_response_of_mantrala_sinha_and_zoltners():
    curves = [
        {"form": "exponential", "ceiling": 100, "rate_per_hour": 0.3},
        {"form": "exponential", "ceiling": 60, "rate_per_hour": 0.2},
    ]
    now = 100 * (1 - np.exp(-1.5)) + 60 * (1 - np.exp(-1.0))
    assert f"{now:.4f}" == "115.6142"
    scenario = care_world(curves, [5.0, 5.0], 10.0, 500)
    result = allocate(scenario, estimate(scenario, outcome_of(scenario, [[now]])))
    care = result.plan.care_hours()
    assert care["north"] == pytest.approx(5.83258, abs=2e-4)
    assert care["south"] == pytest.approx(4.16742, abs=2e-4)
    assert result.model_sales / 100 == pytest.approx(116.5467, abs=6e-3)
    # The samples are whole minor units; the gain itself is exact.
    gain = result.model_sales / 100 - round(now, 2)
    assert gain == pytest.approx(116.5467 - 115.6142, abs=1e-4)
    proportional = 100 * (1 - np.exp(-0.3 * 6.25)) + 60 * (1 - np.exp(-0.2 * 3.75))
    assert f"{proportional:.4f}" == "116.3225"


def test_s_shaped_response_of_callplan():
    """Calls of 2 hours; margins of .4 and .3 are folded into the curves, so that sales are profit."""
    north = {"form": "adbudg", "low": 4.8, "high": 36, "shape": 2.6119, "half": 0.625, "hours_now": 8}
    south = {"form": "adbudg", "low": 4.5, "high": 21, "shape": 1.63025, "half": 0.57143, "hours_now": 8}
    scenario = care_world([north, south], [8.0, 8.0], 16.0, 500)
    result = allocate(scenario, estimate(scenario, outcome_of(scenario, [[39.0]])))
    care = result.plan.care_hours()
    assert care["north"] / 2 == pytest.approx(5.4163, abs=5e-4)
    assert care["south"] / 2 == pytest.approx(2.5837, abs=5e-4)
    assert result.model_sales / 100 == pytest.approx(41.2353, abs=1e-4)


def test_care_in_a_plan_never_sums_to_more_than_its_budget():
    curve = {"form": "exponential", "ceiling": 100, "rate_per_hour": 0.3}
    scenario = care_world([curve, curve], [5.0, 5.0], 10.000001, 500)
    responses = estimate(scenario, outcome_of(scenario, [[100.0]]))
    problem = formulate(scenario, responses)
    decisions = replace(problem.today_decisions(), care=np.array([5.0000006, 5.0000004]))
    plan = as_plan(scenario, responses, problem, decisions, np.array([500_00]), name="care", origin="by hand")
    assert sorted(plan.care_hours().values()) == [5.0, 5.000001]
    decisions = replace(decisions, care=np.array([5.0000006, 5.0000006]))
    plan = as_plan(scenario, responses, problem, decisions, np.array([500_00]), name="care", origin="by hand")
    assert sorted(plan.care_hours().values()) == [5.0, 5.000001], "a millionth less where both would be rounded up"


def test_target_by_formula():
    scenario = world(2)
    reps = [{"id": "R1", "team": "T1", "last_sales": 600}, {"id": "R2", "team": "T1", "last_sales": 400}]
    formula = {"growth": 0.10, "growth_min": 0.05, "growth_max": 0.25, "attrition_relief": 0.02}
    goals = {"targets": [{"metric": "revenue", "formula": formula}]}
    scenario = changed(scenario, reps=reps, goals=goals)
    result = allocate(scenario, estimate(scenario, outcome_of(scenario, [[500, 500]])))
    assert sum(result.plan.quotas().values()) == 1080_00


# Brute force


def brute_force(problem) -> float:
    """Best value over all owners and all training, quotas by a programme with one row a sample, in another solver."""
    offer, best = problem.accounts, -np.inf
    count, reps = problem.samples.shape
    choices = [np.flatnonzero(row).tolist() for row in offer.allowed]
    steps = range(problem.training.steps + 1)
    cells = list(itertools.product(steps, repeat=reps * len(problem.training.skills)))
    for owner in itertools.product(*choices):
        held = np.array(owner, dtype=np.int64)
        if (held != offer.today).sum() > offer.max_moves:
            continue
        for cell in cells:
            hours = np.array(cell, dtype=float).reshape(reps, -1) * problem.training.step
            if hours.sum() > problem.training.budget + 1e-9 or (hours.sum(axis=1) > problem.training.cap + 1e-9).any():
                continue
            decisions = Decisions(held, hours.reshape(problem.training.base.shape), offer.care_base)
            gain = gains(problem, decisions)
            ratio = problem.total / (problem.potential.sum() + offer.potential.sum())
            middle = ratio * potentials(problem, held)
            cost = np.concatenate([np.zeros(reps), -np.ones(count * reps) / count])
            rows = np.hstack([-np.tile(np.eye(reps), (count, 1)), np.eye(count * reps)])
            limits = [(0.75 * m, 1.25 * m) for m in middle]
            limits += [(None, value) for value in (problem.samples + gain).ravel()]
            one = np.concatenate([np.ones(reps), np.zeros(count * reps)])[None, :]
            found = linprog(cost, rows, np.zeros(count * reps), one, [problem.total], limits)
            if found.status == 0:
                best = max(best, -found.fun)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_joint_optimum_is_that_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    reps, accounts = (3, 4) if seed % 2 else (2, 5)
    rows = [{"id": f"A{i}", "owner": f"R{1 + i % reps}"} for i in range(accounts)]
    training = {"budget_hours": 8, "per_rep_hours": 8, "step_hours": 4, "skills": ["negotiation"]}
    scenario = world(
        reps,
        rows,
        rules=[{"rule": "potential_band", "tolerance": 0.25}],
        training=training,
        accounts={"max_moves": int(rng.integers(1, accounts + 1))},
    )
    scenario = changed(scenario, goals={"targets": [{"metric": "revenue", "target": 105 * reps}]})
    found = responses_of(
        scenario,
        lognormal(rng, (5, reps)),
        account_unit=rng.uniform(0.02, 0.4, (accounts, reps)),
        account_displaced=rng.uniform(0, 300, (accounts, reps)),
        account_potential=rng.uniform(500, 2500, accounts),
        territory=rng.uniform(3000, 9000, reps),
    )
    gain = np.cumsum(np.sort(rng.uniform(0, 400, (reps, 1, 2)))[:, :, ::-1], axis=2)
    offer = replace(found.training, gain=np.concatenate([np.zeros((reps, 1, 1)), gain], axis=2))
    found = replace(found, training=offer)
    problem = formulate(scenario, found)
    expected = brute_force(problem)
    result = allocate(scenario, found, gap=1e-9)
    assert result.model_value == pytest.approx(expected, abs=2.0)
    assert result.gap <= 1e-4
    assert result.status == "optimal"


# The programme against the exact split


@pytest.mark.parametrize("seed", range(8))
def test_programme_equals_the_exact_split(seed):
    rng = np.random.default_rng(100 + seed)
    reps = 5
    rules = [
        {"rule": "potential_band", "tolerance": 0.3},
        {"rule": "growth", "floor": -0.4, "cap": 0.5},
        {"rule": "min_chance", "chance": 0.25},
        {"rule": "min_expected_attainment", "share": 0.7},
    ]
    people = [
        {"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": float(rng.integers(70, 130))}
        for i in range(reps)
    ]
    targets = [{"metric": "revenue", "target": 480}, {"metric": "revenue", "team": "T1", "target": 290}]
    scenario = changed(world(reps, rules=rules), reps=people, goals={"targets": targets})
    found = responses_of(scenario, lognormal(rng, (60, reps)), territory=rng.uniform(9000, 11000, reps))
    problem = formulate(scenario, found)
    best = optimise(problem)
    limits = box(problem, bounds(problem, best.decisions))
    gain = gains(problem, best.decisions)
    exact = split_in_groups(problem, problem.basis, gain, *limits)
    assert exact.sum() == pytest.approx(problem.total, rel=1e-12)
    assert exact[:3].sum() == pytest.approx(290_00, rel=1e-12)
    assert attained(problem.samples, gain, exact) == pytest.approx(best.value, rel=1e-5)
    # The rows hold at the split and the split holds at the rows: the two writings of the rules agree.
    model = build(problem)
    columns = model.programme.block("quota").index
    at_split = solve(model.programme.fixed(columns, exact / model.unit))
    assert at_split.status == "optimal"
    assert at_split.objective * model.unit == pytest.approx(best.value, rel=1e-5)
    quotas = best.values[best.model.programme.block("quota").index] * best.model.unit
    assert (quotas >= limits[0] - 1e-3).all()
    assert (quotas <= limits[1] + 1e-3).all()


def test_quotas_follow_the_territory_where_asked():
    scenario = world(2, quota_basis="opportunity")
    sales = lognormal(np.random.default_rng(1), (200, 2)) * np.array([2.0, 1.0])
    found = responses_of(scenario, sales, opportunity=np.array([10000.0, 10000.0]))
    shapes = sales / sales.mean(axis=0)
    result = allocate(scenario, found)
    quotas = result.plan.quotas()
    assert quotas["R1"] / quotas["R2"] == pytest.approx(1.0, abs=0.1)
    chances = (shapes * 100 >= np.array([quotas["R1"], quotas["R2"]]) / 100).mean(axis=0)
    assert np.ptp(chances) <= 1 / 200 + 1e-9
    full = allocate(world(2), responses_of(world(2), sales)).plan.quotas()
    assert full["R1"] / full["R2"] == pytest.approx(2.0, abs=0.2)


def test_two_stages_move_accounts_for_sales_even_where_the_target_is_met():
    rows = [{"id": "A0", "owner": "R1", "eligible": ["R2"]}]
    better = np.array([[0.5, 1.0]])
    arrays = {"account_unit": better, "account_displaced": np.zeros((1, 2))}
    for mode, taker in (("joint", "R1"), ("two_stage", "R2")):
        scenario = world(2, rows, mode=mode)
        scenario = changed(scenario, goals={"targets": [{"metric": "revenue", "target": 20}]})
        result = allocate(scenario, responses_of(scenario, [[100, 100], [110, 90]], **arrays))
        assert result.model_value == pytest.approx(2000)
        if mode == "two_stage":
            assert result.plan.owner_of()["A0"] == taker
            assert [move.account for move in result.moves] == ["A0"]


def test_thousands_of_ties_are_split_evenly():
    """Everybody alike in every year: any split is best, and the one that is given shares the total."""
    scenario = world(3, [{"id": f"A{i}", "owner": "R1"} for i in range(3)])
    result = allocate(scenario, responses_of(scenario, np.full((2000, 3), 90.0)))
    assert sum(result.plan.quotas().values()) == 300_00
    assert max(result.plan.quotas().values()) - min(result.plan.quotas().values()) <= 1
    assert result.model_value == pytest.approx(270_00)


def test_one_rep_carries_everything():
    scenario = world(1)
    result = allocate(scenario, responses_of(scenario, [[250], [350]]))
    assert result.plan.quotas() == {"R1": 300_00}
    assert result.model_value == pytest.approx(275_00)


# The plan


def test_the_plan_ties_by_rep_period_and_company():
    scenario = world(3, rounding_step=1)
    found = responses_of(scenario, lognormal(np.random.default_rng(9), (30, 3)))
    plan = allocate(scenario, found).plan
    assert sum(row.value for row in plan.targets) == 300_00
    assert {row.rep for row in plan.targets} == {"R1", "R2", "R3"}
    ends = sorted({(row.start, row.end) for row in plan.targets})
    assert ends[0][0] == scenario.calendar.start
    assert ends[-1][1] == scenario.calendar.end
    assert len(ends) == 12


def test_another_additive_metric_is_split_by_its_own_samples():
    targets = [{"metric": "revenue", "target": 300}, {"metric": "new_customers", "target": 7}]
    scenario = changed(world(3), goals={"targets": targets})
    result = allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(9), (30, 3))))
    assert sum(result.plan.quotas("new_customers").values()) == 7


def test_who_books_nothing_carries_no_quota():
    scenario = world(3)
    found = responses_of(scenario, [[150, 170, 0], [160, 120, 0]])
    assert found.reps == ("R1", "R2")
    assert "R3" not in allocate(scenario, found).plan.quotas()
    assert any("R3" in note for note in found.notes)


def test_responses_of_another_world_are_refused():
    scenario = world(2)
    other = outcome_of(world(3), [[1, 2, 3]])
    with pytest.raises(InputRefused, match="another scenario"):
        estimate(scenario, other)


def test_same_inputs_give_the_same_plan():
    rng = np.random.default_rng(12)
    scenario = world(4, [{"id": f"A{i}", "owner": f"R{1 + i % 4}"} for i in range(6)])
    found = responses_of(scenario, lognormal(rng, (40, 4)), account_unit=rng.uniform(0.1, 0.5, (6, 4)))
    first, second = allocate(scenario, found), allocate(scenario, found)
    assert first.plan.decisions_hash() == second.plan.decisions_hash()
    assert first.model_value == second.model_value


def test_a_rule_that_no_whole_step_can_keep_is_listed():
    people = [{"id": f"R{i}", "team": "T1", "last_sales": 100} for i in (1, 2, 3)]
    rules = [{"rule": "growth", "floor": 0.01, "cap": 0.02, "exempt": ["R3"]}]
    scenario = changed(world(3, rules=rules, rounding_step=10), reps=people)
    result = allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(6), (20, 3))))
    assert sum(result.plan.quotas().values()) == 300_00
    assert all(quota % 1000 == 0 for quota in result.plan.quotas().values())
    assert {row.exception for row in result.rule_rows if not row.kept} == {"broken by less than one rounding step"}
    assert any("rounding step" in text for text in result.exceptions)


def test_potentials_of_a_given_plan_are_told_to_be_its_own():
    rows = [{"id": "A0", "owner": "R1"}, {"id": "A1", "owner": "R2"}]
    sales = [[100, 100], [120, 90]]
    bare = world(2, rows)
    today = bare.with_plan(today_plan(bare))
    moved = today_plan(bare).with_rows(name="B", owners=[OwnerRow("A0", "R2", date(2026, 1, 1))])
    given = changed(bare, reps=[{"id": f"R{i}", "team": "T1", "potential": 100} for i in (1, 2)]).with_plan(moved)

    def notes(scenario):
        found = allocate(scenario, responses_of(scenario, sales)).notes
        return [note for note in found if note.startswith("potentials are estimated under the plan")]

    assert notes(bare) == notes(today) == notes(given) == []
    assert len(notes(bare.with_plan(moved))) == 1
