"""The public allocation path on worlds small enough to be checked by brute force, published cases, planted worlds."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.model import build
from optimize.optimum import optimise
from optimize.plans import as_plan
from optimize.problem import Decisions, gains, potentials
from optimize.programme.solve import solve
from optimize.response.estimate import Responses, estimate
from optimize.rules import bounds, box
from optimize.split import attained, split_in_groups
from scenarios.errors import InfeasiblePlan, InputRefused, Unsupported
from scenarios.files import from_document
from scenarios.plan import OwnerRow
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.outcome import Cube, Outcome
from sim.streams import STREAM_VERSION

HOUR = 3_600_000
REP_METRICS = (
    "revenue",
    "new_revenue",
    "account_revenue",
    "leads",
    "busy_ticks",
    "available_ticks",
    "training_ticks",
    "new_customers",
)
MONTHS = tuple(f"2026-{month:02d}" for month in range(1, 13))


def world(reps=3, owned=(), **allocation: Any) -> Scenario:
    """A year, one region, reps R1.. at the reference skill; accounts as dicts over a common tier."""
    data: dict[str, Any] = {
        "name": "split",
        "calendar": {"start": "2026-01-01", "end": "2027-01-01"},
        "regions": [{"id": "N"}],
        "teams": [{"id": "T1", "region": "N"}, {"id": "T2", "region": "N"}],
        "stages": [{"id": "sell", "effort_hours": {"family": "fixed", "value": 1}, "conversion": 0.5}],
        "tiers": [{"id": "A", "orders_per_year": 1, "order_value": {"family": "fixed", "value": 100}}],
        "account_physics": {"order_effort_hours": {"family": "fixed", "value": 1}},
        "goals": {"targets": [{"metric": "revenue", "target": 300}]},
        "allocation": {"rules": [], "rounding_step": 0.01, "accounts": {"max_moves_share": 1.0}, **allocation},
        "reps": [{"id": f"R{i + 1}", "team": "T1" if i < 2 else "T2"} for i in range(reps)],
        "accounts": [{"tier": "A", "region": "N", **account} for account in owned],
    }
    return from_document(data)


def changed(scenario: Scenario, **sections: Any) -> Scenario:
    return from_document({**scenario.document(), **sections})


def outcome_of(scenario: Scenario, sales: Any, hours: float = 1800.0, leads: float = 0.0) -> Outcome:
    """An outcome in which rep r sells ``sales[n, r]`` currency units, evenly over the months."""
    minor = np.round(np.asarray(sales, dtype=float) * 100).astype(np.int64)
    count, reps = minor.shape
    tables = np.zeros((len(REP_METRICS), count, reps, 12), dtype=np.int64)
    tables[:2] = minor[:, :, None] // 12
    tables[:2, :, :, 0] += minor - minor // 12 * 12
    tables[REP_METRICS.index("leads")] = round(leads / 12)
    tables[REP_METRICS.index("new_customers")] = minor[:, :, None] > 0
    tables[REP_METRICS.index("available_ticks")] = round(hours / 12 * HOUR)
    tables[REP_METRICS.index("busy_ticks")] = round(hours / 24 * HOUR)
    rep_cube = Cube("rep", REP_METRICS, tuple(rep.id for rep in scenario.reps), MONTHS, tables)
    names = tuple(account.id for account in scenario.accounts)
    account_cube = Cube("account", ("revenue",), names, ("horizon",), np.zeros((1, count, len(names), 1), np.int64))
    plan = (scenario.plan or today_plan(scenario)).simulation_hash()
    cubes = {"rep": rep_cube, "account": account_cube}
    return Outcome(scenario.fingerprint(), plan, "today", 0, 0, "fake", STREAM_VERSION, cubes)


def responses_of(scenario: Scenario, sales: Any, **arrays: Any) -> Responses:
    """Estimated responses with arrays put in place: opportunity, territory, ramp; account_* and training gains."""
    found = estimate(scenario, outcome_of(scenario, sales))
    of_accounts = {key.removeprefix("account_"): arrays.pop(key) for key in list(arrays) if key.startswith("account_")}
    if of_accounts:
        found = replace(found, accounts=replace(found.accounts, **of_accounts))
    return replace(found, **arrays)


def lognormal(rng, shape, mean=100.0, cv=0.5):
    sigma = np.sqrt(np.log1p(cv**2))
    return np.round(mean * np.exp(sigma * rng.standard_normal(shape) - sigma**2 / 2), 2)


# Published cases


def care_world(responses: list[dict[str, Any]], hours: list[float], budget: float, target: float) -> Scenario:
    accounts = [
        {"id": name, "owner": "R1", "care_hours": now, "care_response": curve}
        for name, now, curve in zip(("north", "south"), hours, responses, strict=True)
    ]
    free = {"accounts": {"max_moves": 0, "care_hours_budget": budget}}
    return changed(world(1, accounts, **free), goals={"targets": [{"metric": "revenue", "target": target}]})


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


# Locks


def test_locked_quotas_hold_and_are_never_rounded_again():
    locks = [{"path": "quota.R1", "value": 137.31, "author": "王", "reason": "agreed"}]
    scenario = world(3, locks=locks, rounding_step=10)
    result = allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(2), (50, 3))))
    quotas = result.plan.quotas()
    assert quotas["R1"] == 13731
    assert sum(quotas.values()) == 300_00
    assert sorted(q % 1000 for q in (quotas["R2"], quotas["R3"]))[0] == 0
    assert result.plan.locks[0].author == "王"


def test_a_lock_breaks_a_rule_with_its_author_named():
    rules = [{"rule": "potential_band", "tolerance": 0.1}]
    locks = [{"path": "quota.R1", "value": 135, "author": "王", "reason": "agreed"}]
    scenario = world(3, rules=rules, locks=locks)
    found = responses_of(
        scenario, lognormal(np.random.default_rng(2), (50, 3)), territory=np.array([100.0, 70.0, 80.0]) * 100
    )
    result = allocate(scenario, found)
    assert result.plan.quotas()["R1"] == 135_00
    broken = [row for row in result.rule_rows if not row.kept]
    assert [(row.rule, row.subject) for row in broken] == [("potential_band", "R1")]
    assert "王" in broken[0].exception
    assert "agreed" in result.exceptions[0]


def test_locks_without_room_are_refused_with_the_missing_amount():
    locks = [{"path": f"quota.R{i}", "value": 90} for i in (1, 2, 3)]
    scenario = world(3, locks=locks)
    with pytest.raises(InputRefused, match=r"30\.00 missing"):
        allocate(scenario, responses_of(scenario, [[1, 2, 3]]))
    scenario = world(3, locks=[{"path": "quota.R1", "value": 301}])
    with pytest.raises(InputRefused, match=r"1\.00 too much.*quota\.R1 locked by somebody"):
        allocate(scenario, responses_of(scenario, [[1, 2, 3]]))


@pytest.mark.parametrize("path", ["training.R1.negotiation", "care.A1"])
def test_locks_on_more_hours_than_there_are_name_themselves(path):
    rows = [{"id": "A0", "owner": "R1"}, {"id": "A1", "owner": "R2"}]
    scenario = world(2, rows, locks=[{"path": path, "value": 8_000, "author": "李"}])
    with pytest.raises(InputRefused, match=rf"{path} = 8000.*hours"):
        allocate(scenario, responses_of(scenario, [[100, 100], [120, 90]]))


def test_locked_owner_training_and_care_hold():
    rows = [{"id": "A0", "owner": "R1"}, {"id": "A1", "owner": "R2"}]
    locks = [
        {"path": "owner.A0", "value": "R2", "author": "李"},
        {"path": "training.R1.negotiation", "value": 7.5},
        {"path": "care.A1", "value": 33},
    ]
    scenario = world(2, rows, locks=locks, accounts={"max_moves": 0})
    result = allocate(scenario, responses_of(scenario, [[100, 100], [120, 90]]))
    assert result.plan.owner_of() == {"A0": "R2", "A1": "R2"}
    assert result.plan.training_hours() == {("R1", "negotiation"): pytest.approx(7.5)}
    assert result.plan.care_hours()["A1"] == 33
    assert any(text.startswith("account_moves") and "李" in text for text in result.exceptions)
    assert any(text.startswith("training_budget") for text in result.exceptions)


@pytest.mark.parametrize(("locked", "others"), [(10.0, 6.0), (20.0, 0.0)])
def test_a_lock_breaks_the_care_budget_no_further_than_it_must(locked, others):
    curve = {"form": "adbudg", "low": 5, "high": 3600, "shape": 1.6, "half": 0.6, "hours_now": 8}
    scenario = care_world([curve, curve], [8.0, 8.0], 16.0, 500)
    lock = {"path": "care.north", "value": locked, "author": "李"}
    scenario = changed(scenario, allocation={**scenario.document()["allocation"], "locks": [lock]})
    result = allocate(scenario, estimate(scenario, outcome_of(scenario, [[39.0]])))
    assert result.plan.care_hours() == {"north": locked, "south": pytest.approx(others, abs=1e-4)}
    assert any("care_budget" in text and "李" in text for text in result.exceptions) == (locked > 16)


def test_a_conflict_about_care_names_the_hours_that_locks_take():
    curve = {"form": "adbudg", "low": 5, "high": 3600, "shape": 1.6, "half": 0.6, "hours_now": 8}
    scenario = care_world([curve, curve], [8.0, 8.0], 16.0, 500)
    lock = {"path": "care.north", "value": 20, "author": "李"}
    rule = {"rule": "min_chance", "chance": 0.9}
    asked = {**scenario.document()["allocation"], "locks": [lock], "rules": [rule]}
    scenario = changed(scenario, allocation=asked)
    with pytest.raises(
        InfeasiblePlan, match=r"16 hours a year, of which locks take 20: care\.north = 20, locked by 李"
    ) as told:
        allocate(scenario, estimate(scenario, outcome_of(scenario, [[39.0]])))
    least = float(told.value.loosening[0].split("loosen by ")[1].split()[0])
    for more, kept in ((least, True), (least - 0.1, False)):
        asked["accounts"]["care_hours_budget"] = 16.0 + more
        again = changed(scenario, allocation=asked)
        found = estimate(again, outcome_of(again, [[39.0]]))
        with nullcontext() if kept else pytest.raises(InfeasiblePlan):
            allocate(again, found)


def test_a_team_total_gives_way_to_locks():
    targets = [{"metric": "revenue", "target": 300}, {"metric": "revenue", "team": "T1", "target": 150}]
    locks = [{"path": "quota.R1", "value": 120}, {"path": "quota.R2", "value": 80}]
    scenario = changed(world(3, locks=locks), goals={"targets": targets})
    result = allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(4), (20, 3))))
    assert result.plan.quotas() == {"R1": 120_00, "R2": 80_00, "R3": 100_00}
    assert any("team_total" in text for text in result.exceptions)


# Requests that cannot be met


def test_infeasible_names_the_conflict_and_the_least_loosening():
    people = [{"id": f"R{i}", "team": "T1", "last_sales": 100} for i in (1, 2, 3)]
    rules = [{"rule": "growth", "floor": 0.0, "cap": 0.05}, {"rule": "min_expected_attainment", "share": 0.1}]
    scenario = changed(world(3, rules=rules), reps=people, goals={"targets": [{"metric": "revenue", "target": 333.30}]})
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(5), (20, 3))))
    error = caught.value
    assert len(error.conflict) == 2
    assert "333.30" in error.conflict[0]
    assert error.conflict[1].startswith("growth cap: 5 %")
    assert "growth cap: loosen by 6.10 percentage points" in error.loosening
    assert any("at most 315.00 instead of 333.30" in text for text in error.loosening)


def test_the_least_loosening_of_a_chance_suffices_and_less_does_not():
    sales = np.arange(1, 101, dtype=float).reshape(-1, 1) * np.ones((1, 2))

    def request(chance):
        rules = [{"rule": "min_chance", "chance": chance}]
        scenario = changed(world(2, rules=rules), goals={"targets": [{"metric": "revenue", "target": 120}]})
        return allocate(scenario, responses_of(scenario, sales))

    with pytest.raises(InfeasiblePlan) as caught:
        request(0.6)
    assert "minimum chance to make quota: loosen by 19.00 percentage points" in caught.value.loosening
    assert request(0.41).plan.quotas() == {"R1": 60_00, "R2": 60_00}
    with pytest.raises(InfeasiblePlan):
        request(0.42)


def test_a_lock_in_the_conflict_is_named_with_its_author():
    people = [{"id": f"R{i}", "team": "T1", "last_sales": 100} for i in (1, 2, 3)]
    locks = [{"path": "quota.R1", "value": 50, "author": "王"}]
    scenario = changed(world(3, rules=[{"rule": "growth", "floor": None, "cap": 0.2}], locks=locks), reps=people)
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, responses_of(scenario, [[100, 100, 100]]))
    assert any("quota.R1 = 50.00" in text and "王" in text for text in caught.value.conflict)
    assert "quota.R1 = 50.00, locked by 王: remove it" in caught.value.loosening


def test_everything_unsupported_is_named_at_once():
    rules = [
        {"rule": "equal_odds"},
        {"rule": "equal_odds", "enabled": False},
        {"rule": "spread", "maximum": 0.1},
    ]
    scenario = world(3, rules=rules, mode="maximin")
    with pytest.raises(Unsupported) as caught:
        allocate(scenario, responses_of(scenario, [[1, 2, 3]]))
    named = "\n".join(str(problem) for problem in caught.value.problems)
    for word in ("equal_odds", "max-min"):
        assert word in named
    assert "spread" not in named
    assert len(caught.value.problems) == 1


def test_zero_potential_is_told_not_divided_by():
    scenario = world(2, rules=[{"rule": "potential_band"}])
    with pytest.raises(InputRefused, match=r"reps\.R2\.potential = 0.*exempt R2"):
        allocate(scenario, responses_of(scenario, [[1, 2]], territory=np.array([100.0, 0.0])))


def test_a_target_too_small_to_be_split_is_refused_in_words():
    goals = {"targets": [{"metric": "revenue", "target": 0.01}]}
    scenario = changed(world(2), goals=goals)
    with pytest.raises(InputRefused, match=r"goals\.targets = 0\.01: is less than a millionth .* 60,000\.00"):
        allocate(scenario, responses_of(scenario, [[20000, 40000]]))


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


# Values


def test_the_reported_value_is_the_sample_average_of_the_returned_plan():
    rng = np.random.default_rng(8)
    sales = lognormal(rng, (70, 4))
    scenario = world(4, rounding_step=7, over_assignment=0.05)
    result = allocate(scenario, responses_of(scenario, sales))
    quotas = np.array([result.plan.quotas()[f"R{i}"] for i in (1, 2, 3, 4)]) / 100
    assert quotas.sum() == pytest.approx(315.0)
    assert result.model_value / 100 == pytest.approx(float(np.minimum(sales, quotas).sum(axis=1).mean()), rel=1e-9)
    assert result.attained_share_model == pytest.approx(result.model_value / 31500)


def finite_difference(problem, decisions, loosened, step):
    gain = gains(problem, decisions)
    values = []
    for request in (problem, loosened):
        limits = box(request, bounds(request, decisions))
        values.append(attained(problem.samples, gain, split_in_groups(request, problem.basis, gain, *limits)))
    return (values[1] - values[0]) / step


@pytest.mark.parametrize("seed", range(5))
def test_values_of_loosening_are_finite_differences(seed):
    rng = np.random.default_rng(40 + seed)
    reps = 5
    people = [{"id": f"R{i}", "team": "T1", "last_sales": float(rng.integers(75, 125))} for i in range(reps)]
    rules = [{"rule": "growth", "floor": -0.4, "cap": 0.5}, {"rule": "potential_band", "tolerance": 0.25}]
    scenario = changed(world(reps, rules=rules), reps=people, goals={"targets": [{"metric": "revenue", "target": 500}]})
    found = responses_of(
        scenario, lognormal(rng, (80, reps)) * rng.uniform(0.5, 1.6, reps), territory=rng.uniform(9500, 10500, reps)
    )
    problem = formulate(scenario, found)
    result = allocate(scenario, found)
    decisions = problem.today_decisions()
    growth, band = problem.rules
    step = 1e-5
    tests = {
        "growth_cap": problem.with_rules((growth.model_copy(update={"cap": growth.cap + step}), band)),
        "growth_floor": problem.with_rules((growth.model_copy(update={"floor": growth.floor - step}), band)),
        "potential_band": problem.with_rules((growth, band.model_copy(update={"tolerance": band.tolerance + step}))),
    }
    bite = 0
    for rule, loosened in tests.items():
        slope = finite_difference(problem, decisions, loosened, step) * 0.01
        assert result.prices[rule].value == pytest.approx(slope, rel=1e-4, abs=1e-4)
        bite += slope > 0
    assert bite >= 1


# Waterfall


def planted(factor: str):
    """Three reps alike but for one factor of the first."""
    base = np.round(np.linspace(60, 140, 41), 2)
    sales = np.column_stack([base, base, base])
    people = [{"id": f"R{i}", "team": "T1", "last_sales": 100} for i in (1, 2, 3)]
    allocation: dict[str, Any] = {"rules": [{"rule": "growth", "floor": -0.9, "cap": 9.0}]}
    accounts: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {"opportunity": np.full(3, 100_00.0), "territory": np.full(3, 100_00.0)}
    if factor == "potential":
        sales = sales * np.array([1.5, 1, 1])
        arrays["opportunity"] = np.array([150_00.0, 100_00, 100_00])
    elif factor == "skill":
        sales = sales * np.array([1.5, 1, 1])
    elif factor == "ramp":
        sales = sales * np.array([0.5, 1, 1])
        arrays["ramp"] = np.array([0.5, 1, 1])
    elif factor == "accounts":
        accounts = [{"id": "A0", "owner": "R2", "sales_last": 0}]
        allocation["locks"] = [{"path": "owner.A0", "value": "R1"}]
        arrays |= {"account_unit": np.array([[0.5, 0.0, 0.0]]), "account_displaced": np.zeros((1, 3))}
        arrays |= {"account_potential": np.zeros(1)}
    elif factor == "training":
        allocation["training"] = {"budget_hours": 4, "skills": ["negotiation"]}
        allocation["locks"] = [{"path": "training.R1.negotiation", "value": 4}]
    elif factor == "steadiness":
        sales[:, 0] = 100 + (sales[:, 0] - 100) / 2
    elif factor == "growth limits":
        people[0]["last_sales"] = 400
        allocation["rules"] = [{"rule": "growth", "floor": -0.5, "cap": 9.0}]
    elif factor == "other rules":
        allocation["rules"] = [{"rule": "potential_band", "tolerance": 0.0}]
        arrays["territory"] = np.array([150_00.0, 100_00, 100_00])
    elif factor == "locked values":
        allocation["locks"] = [{"path": "quota.R1", "value": 150}]
    elif factor == "rounding":
        allocation["rounding_step"] = 70
    # Beyond the means, an even seller can carry more than a lumpy one.
    target = 330 if factor == "steadiness" else 300
    goals = {"targets": [{"metric": "revenue", "target": target}]}
    scenario = changed(world(3, accounts, **allocation), reps=people, goals=goals)
    found = responses_of(scenario, sales, **arrays)
    if factor == "training":
        gain = np.zeros_like(found.training.gain)
        gain[0, 0, 1:] = 50_00
        found = replace(found, training=replace(found.training, gain=gain))
    return scenario, found


FACTORS = (
    "potential",
    "skill",
    "ramp",
    "accounts",
    "training",
    "steadiness",
    "growth limits",
    "other rules",
    "locked values",
    "rounding",
)


@pytest.mark.parametrize("factor", FACTORS)
def test_in_a_world_of_one_factor_only_that_bar_differs_from_zero(factor):
    scenario, found = planted(factor)
    result = allocate(scenario, found)
    quotas = result.plan.quotas()
    for rep, bars in result.waterfall.items():
        assert sum(minor for _, minor in bars) == quotas[rep]
    largest = {
        name: max(abs(dict(bars)[name]) for bars in result.waterfall.values())
        for name, _ in next(iter(result.waterfall.values()))
        if name != "equal share"
    }
    others = {name: size for name, size in largest.items() if name not in (factor, "rounding")}
    assert largest[factor] >= 3_00
    # Cents: splits of 300.00 into whole minor units, and the quantiles' own steps.
    assert max(others.values()) <= 2


def test_without_any_factor_all_bars_are_zero():
    scenario, found = planted("none")
    result = allocate(scenario, found)
    for bars in result.waterfall.values():
        assert dict(bars).pop("equal share") == 100_00
        assert sum(abs(minor) for _, minor in bars[1:]) == 0


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


# Properties of exact optima


@pytest.mark.parametrize("seed", range(3))
def test_value_scales_with_money_and_does_not_depend_on_the_order_of_reps(seed):
    rng = np.random.default_rng(seed)
    sales, territory = lognormal(rng, (30, 4)), rng.uniform(8000, 12000, 4)
    rules = [{"rule": "potential_band", "tolerance": 0.2}]

    def value(factor, order):
        goals = {"targets": [{"metric": "revenue", "target": 420 * factor}]}
        scenario = changed(world(4, rules=rules), goals=goals)
        found = responses_of(scenario, sales[:, order] * factor, territory=territory[order] * factor)
        return allocate(scenario, found).model_value

    base = value(1, np.arange(4))
    assert value(7, np.arange(4)) == pytest.approx(7 * base, rel=1e-5)
    assert value(1, rng.permutation(4)) == pytest.approx(base, rel=1e-5)


def test_looser_rules_and_more_budget_never_lower_the_value():
    rng = np.random.default_rng(21)
    sales, territory = lognormal(rng, (30, 3)), np.array([12000.0, 9000, 9000])
    rows = [{"id": f"A{i}", "owner": f"R{1 + i % 3}"} for i in range(4)]
    unit = rng.uniform(0.1, 0.5, (4, 3))
    values = []
    for tolerance, moves, hours in ((0.05, 0, 0), (0.1, 0, 0), (0.1, 1, 0), (0.1, 2, 0), (0.1, 2, 8), (0.4, 4, 16)):
        scenario = world(
            3,
            rows,
            rules=[{"rule": "potential_band", "tolerance": tolerance}],
            accounts={"max_moves": moves},
            training={"budget_hours": hours, "skills": ["negotiation"]},
        )
        found = responses_of(scenario, sales, territory=territory, account_unit=unit)
        gain = np.broadcast_to(np.sqrt(np.arange(found.training.steps + 1.0)) * 100, found.training.gain.shape)
        found = replace(found, training=replace(found.training, gain=gain.copy()))
        values.append(allocate(scenario, found, gap=1e-9).model_value)
    assert all(later >= earlier - 3 for earlier, later in itertools.pairwise(values))
    assert values[-1] > values[0]


def test_value_of_a_training_hour_is_that_of_one_more_hour():
    rng = np.random.default_rng(22)
    values = {}
    for hours in (8.0, 8.001):
        scenario = world(3, training={"budget_hours": hours, "per_rep_hours": 8, "skills": ["negotiation"]})
        found = responses_of(scenario, lognormal(rng if hours == 8.0 else np.random.default_rng(22), (40, 3)))
        steps = found.training.steps
        gain = np.broadcast_to(np.array([0.0, 400, 700, 900])[: steps + 1], (3, 1, steps + 1)) * np.array(
            [[[1]], [[2]], [[3]]]
        )
        found = replace(found, training=replace(found.training, gain=gain))
        model = build(formulate(scenario, found))
        relaxed = replace(model.programme, integer=np.zeros_like(model.programme.integer))
        values[hours] = solve(relaxed).objective * model.unit
        if hours == 8.0:
            price = allocate(scenario, found).prices["training_budget"].value
    assert price == pytest.approx((values[8.001] - values[8.0]) / 0.001, rel=1e-3)


def test_workload_rule_moves_an_account_away():
    rows = [{"id": f"A{i}", "owner": "R1" if i < 3 else "R2"} for i in range(4)]
    rules = [{"rule": "workload", "maximum": 0.6}]
    scenario = world(2, rows, rules=rules)
    found = responses_of(
        scenario,
        lognormal(np.random.default_rng(3), (20, 2)),
        load=np.array([500.0, 500.0]),
        account_order_hours=np.full((4, 2), 250.0),
        account_unit=np.array([[0.5, 0.4]] * 3 + [[0.4, 0.5]]),
    )
    result = allocate(scenario, found)
    assert len(result.moves) == 1
    assert result.moves[0].source == "R1"
    rows_of = {row.subject: row for row in result.rule_rows if row.rule == "workload_maximum"}
    assert all(row.kept for row in rows_of.values())
    free = allocate(world(2, rows), replace(found, scenario=found.scenario))
    assert not free.moves


def test_no_more_accounts_move_than_allowed_and_protected_ones_stay():
    rows = [{"id": f"A{i}", "owner": "R1", "eligible": ["R2"]} for i in range(5)]
    rows[4]["protected_until"] = "2026-06-01"
    for most in (0, 2, 5):
        scenario = world(2, rows, accounts={"max_moves": most})
        found = responses_of(
            scenario, [[10, 10], [20, 15]], account_unit=np.array([[0.1, 0.5 + i / 10] for i in range(5)])
        )
        result = allocate(scenario, found)
        assert len(result.moves) == min(most, 4)
        assert {move.account for move in result.moves} == {f"A{i}" for i in range(4 - min(most, 4), 4)}
        assert list(result.immovable) == ["A4"]
        assert all(move.gain > 0 for move in result.moves)


def test_a_rule_that_no_whole_step_can_keep_is_listed():
    people = [{"id": f"R{i}", "team": "T1", "last_sales": 100} for i in (1, 2, 3)]
    rules = [{"rule": "growth", "floor": 0.01, "cap": 0.02, "exempt": ["R3"]}]
    scenario = changed(world(3, rules=rules, rounding_step=10), reps=people)
    result = allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(6), (20, 3))))
    assert sum(result.plan.quotas().values()) == 300_00
    assert all(quota % 1000 == 0 for quota in result.plan.quotas().values())
    assert {row.exception for row in result.rule_rows if not row.kept} == {"broken by less than one rounding step"}
    assert any("rounding step" in text for text in result.exceptions)


def test_a_conflict_in_which_nothing_can_give_way_alone_says_so():
    assert "giving way in one of them alone is not enough" in str(InfeasiblePlan(["minimum workload: 90 %"]))
    assert "not enough" not in str(InfeasiblePlan(["a", "b"], ["a: remove it"]))


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
