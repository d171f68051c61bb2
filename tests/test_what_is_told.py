"""What is said beside a plan's figures: what its bound is on, quotas of nothing, too few years; in both languages."""

from __future__ import annotations

import math

import pytest

import quotalab as ql
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
