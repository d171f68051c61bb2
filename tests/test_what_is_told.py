"""What is said beside a plan's figures: what its bound is on, quotas of nothing, too few years; in both languages."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import quotalab as ql
from allocation_worlds import changed
from experiments.words import known
from optimize.allocate import AllocationResult
from optimize.bound_told import bound_notes
from optimize.formulate import formulate
from optimize.response.estimate import estimate
from quotalab.learning import learning_years
from scenarios.errors import InputRefused
from sim.outcome import Outcome

HALF = [
    "calendar.end=2026-07-01",
    "goals.targets=[{metric: revenue, target: 11500000}]",
    "allocation.mode=joint",
    "allocation.training.budget_hours=0",
    "allocation.accounts={max_moves: 0}",
]
"""Half a year in which nothing but quotas is to be decided."""
ABOVE = "rounded quotas attain"


@pytest.fixture(scope="module")
def years() -> Outcome:
    return learning_years(ql.load("starter", HALF), replications=40)


def plan(years: Outcome, *changes: str) -> AllocationResult:
    return ql.allocate(ql.load("starter", [*HALF, *changes]), outcome=years)


def note(found: AllocationResult, begins: str) -> str | None:
    return next((text for text in found.notes if text.startswith(begins)), None)


def told_in_chinese(text: str) -> str:
    """The note in Chinese, which must be another text than the note itself."""
    chinese = known("note", text, "zh")
    assert chinese != text
    assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese)
    return chinese


def test_a_quota_of_nothing_is_told_with_the_rules_that_would_prevent_it(years: Outcome) -> None:
    found = plan(years, "allocation.rules=[{rule: min_expected_attainment, share: 0.85}]")
    assert found.plan.quotas()["S4"] == 0
    text = note(found, "no quota for S4")
    assert text is not None
    assert text.endswith(": no rule keeps it up; potential_band would")  # of last sales there are none
    assert "S4" in told_in_chinese(text)
    kept = plan(years, "allocation.rules=[{rule: potential_band, tolerance: 0.05}]")
    assert kept.plan.quotas()["S4"] > 0
    assert note(kept, "no quota") is None


def test_nothing_is_attained_of_no_quota(years: Outcome) -> None:
    """A share of 1 beside a limit of .85 would read as if the rule had room."""
    found = plan(years, "allocation.rules=[{rule: min_expected_attainment, share: 0.85}]")
    rows = {row.subject: row for row in found.rule_rows if row.rule == "min_expected_attainment"}
    assert math.isnan(rows["S4"].actual)
    assert rows["S4"].binding
    assert all(row.actual >= 0.85 - 1e-9 for who, row in rows.items() if who != "S4")


def test_a_quota_far_below_todays_share_is_told(years: Outcome) -> None:
    found = plan(years, "allocation.rules=[{rule: potential_band, tolerance: 0.9}]")
    text = note(found, "less than half of today's share")
    assert text is not None
    assert "S4 (2.8 % → " in text
    assert text.endswith("within the rules that keep it up")
    told_in_chinese(text)


def test_where_rounding_leads_beyond_the_bound_it_is_said(years: Outcome) -> None:
    """Never in silence: a plan is below its bound, or a note says that it is not, and by how much."""
    band = "allocation.rules=[{rule: potential_band, tolerance: 0.02}]"
    for step in (1, 120_000):
        found = plan(years, f"allocation.rounding_step={step}", band)
        beyond = found.objective > found.bound * (1 + 1e-9)
        assert (note(found, ABOVE) is not None) == beyond
    world = ql.load("starter", HALF)
    problem = formulate(world, estimate(world, years))
    (text,) = bound_notes(world, problem, 100_491.0, 100_000.0)
    assert text.startswith(f"{ABOVE} 0.49 % more than the bound")
    assert "0.49%" in told_in_chinese(text)
    assert not list(bound_notes(world, problem, 100_000.0, 100_000.0))
    assert not list(bound_notes(world, problem, 100_000.0, math.nan))


@pytest.mark.parametrize("basis", ["opportunity", "blend"])
def test_a_bound_on_another_basis_is_named_and_above_what_it_is_on(years: Outcome, basis: str) -> None:
    rules = "allocation.rules=[{rule: equal_odds, width: 0.4}]"
    found = plan(years, f"allocation.quota_basis={basis}", rules)
    assert found.objective_of == f"capped sales on the quota basis {basis}"
    assert found.objective != pytest.approx(found.model_value, rel=1e-4)
    assert note(found, ABOVE) or found.bound >= found.objective * (1 - 1e-9)
    assert found.gap == pytest.approx(max(found.bound - found.objective, 0) / found.objective, abs=1e-12)
    text = note(found, f"bound and gap are of capped sales on the quota basis {basis}")
    assert text is not None
    assert basis in told_in_chinese(text)


def test_a_bound_on_the_model_value_needs_no_words(years: Outcome) -> None:
    found = plan(years, "allocation.rules=[{rule: potential_band, tolerance: 0.3}]", "allocation.rounding_step=1")
    assert found.objective_of == "capped sales"
    assert found.objective == pytest.approx(found.model_value, rel=1e-12)
    assert note(found, "bound") is None


def test_one_year_is_refused_from_python_too() -> None:
    world = ql.load("starter", HALF)
    for asked in ({"replications": 1}, {"outcome": ql.simulate(world, replications=1)}):
        with pytest.raises(InputRefused, match="replications = 1: must be at least 2: one year shows no chances"):
            ql.allocate(world, **asked)
    with pytest.raises(InputRefused, match="must be at least 2"):
        ql.baselines(world, replications=1)


def test_floors_of_revenue_out_of_reach_are_told_by_the_model_and_by_simulated_years(years: Outcome) -> None:
    """Levels of quotas: no plan is held to them, and none hides that they are out of reach."""
    floors = [(None, 14_500_000, 14_400_000), ("East", 8_000_000, 7_900_000), ("North", 1_500_000, 1_500_000)]
    targets = [{"metric": "revenue", "target": target, "floor": floor} for _, target, floor in floors]
    named = [{**target, **({"team": team} if team else {})} for target, (team, *_) in zip(targets, floors, strict=True)]
    world = changed(ql.load("starter", [*HALF, "allocation.rules=[]"]), goals={"targets": named})
    found = ql.allocate(world, outcome=years)
    east = sum(found.expected_sales[rep.id] for rep in world.reps if rep.team == "East")
    for of, sold, floor in (("", found.model_sales, "14,400,000.00"), (" of team East", east, "7,900,000.00")):
        assert sold / 100 < float(floor.replace(",", ""))
        text = note(found, f"expected revenue{of} is {sold / 100:,.0f}"[:-1])
        assert text is not None
        assert f"below the floor of {floor}:" in text
        assert floor in told_in_chinese(text)
    assert note(found, "expected revenue of team North") is None
    judged = ql.judged_plan(world, found, replications=8)
    assert [one.floor_kept for one in judged.targets] == ["missed", "missed", "kept"]
    table = judged.tables()["targets"]
    for one, row in zip(judged.targets, table.to_dict("records"), strict=True):
        assert one.mean is not None
        assert (row["floor"], row["floor_kept"]) == (one.floor / 100, one.floor_kept)
        assert row["expected_low"] < row["expected"] < row["expected_high"]
    assert judged.text().count("missed in the simulation") == 2
    assert judged.text().count("it is a level of quotas, and no plan is held to it") == 2
    assert judged.text("zh").count("模拟中未达到") == judged.text("zh").count("并不约束方案") == 2


def test_a_floor_that_limits_plans_says_so_where_the_simulation_misses_it(years: Outcome) -> None:
    world = changed(
        ql.load("starter", [*HALF, "allocation.rules=[]"]),
        goals={
            "targets": [
                {"metric": "revenue", "target": 11_500_000},
                {"metric": "orders", "target": 400, "floor": 1},
                {"metric": "key_product_share", "target": 0.4, "floor": 0.01},
            ]
        },
    )
    judged = ql.judged_plan(world, ql.allocate(world, outcome=years), replications=8)
    assert [one.floor_kept for one in judged.targets] == [None, "kept", "kept"]
    far = [replace(one, floor=None if one.floor is None else 1e9) for one in judged.targets]
    told = replace(judged, targets=tuple(far)).text()
    assert told.count("raise the floor by what the model is off, or simulate more years") == 2
