"""Measures of a plan and the trade table, against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.measures import attainment_by_rep, moved_accounts, plan_measures, widest_gap
from experiments.trade import scaled_quotas, trade_table
from scenarios.errors import InputRefused, Unsupported
from scenarios.files import from_document
from scenarios.plan import OwnerRow, Plan, QuotaRow, TrainingRow
from scenarios.scenario import Scenario
from scenarios.today import last_sales_under, today_plan
from sim.outcome import Cube, Outcome

FIXED = {"family": "fixed", "value": 1}
WORLD: dict[str, Any] = {
    "name": "hand-made",
    "calendar": {"start": "2026-01-01", "end": "2027-01-01"},
    "regions": [{"id": "east"}],
    "teams": [{"id": "T", "region": "east"}],
    "stages": [{"id": "close", "effort_hours": FIXED, "conversion": 0.5}],
    "tiers": [{"id": "A", "orders_per_year": 2, "order_value": FIXED}],
    "account_physics": {"order_effort_hours": FIXED, "handover_loss": 0.15},
    "goals": {"targets": [{"metric": "revenue", "target": 30}]},
    "reps": [
        {"id": "E1", "name": "陈立", "team": "T", "quota": 10, "last_sales": 8, "potential": 20},
        {"id": "E2", "team": "T", "quota": 20, "potential": 20},
        {"id": "E3", "team": "T", "potential": 20},
    ],
    "accounts": [{"id": name, "tier": "A", "region": "east", "owner": "E1"} for name in ("K1", "K2")],
}
SALES = [[5, 20, 5], [10, 10, 5], [20, 30, 5], [9, 19, 5]]
"""Currency units by year and rep; the company sells 30, 25, 55 and 33."""


def world(**sections: Any) -> Scenario:
    return from_document(WORLD | sections)


def outcome(scenario: Scenario, plan: Plan, sales: Any, accounts: Any = None) -> Outcome:
    """Years with these sales by rep (and account), in currency units; every rep uses 3 of 4 hours."""
    revenue = np.asarray(sales, dtype=np.int64) * 100
    shape = revenue.shape
    values = np.stack([revenue, np.full(shape, 3), np.full(shape, 4)])[..., None]
    reps = Cube("rep", ("revenue", "busy_ticks", "available_ticks"), keys(scenario.reps), ("year",), values)
    cubes = {"rep": reps}
    if accounts is not None:
        bought = np.asarray(accounts, dtype=np.int64)[None, :, :, None] * 100
        cubes["account"] = Cube("account", ("revenue",), keys(scenario.accounts), ("horizon",), bought)
    return Outcome(scenario.fingerprint(), plan.simulation_hash(), plan.name, 1, 0, "fake", 1, cubes)


def keys(things: Sequence[Any]) -> tuple[str, ...]:
    return tuple(thing.id for thing in things)


def test_company_figures() -> None:
    scenario = world()
    plan = today_plan(scenario)
    found = plan_measures(scenario, plan, outcome(scenario, plan, SALES))
    assert found.years.sales.tolist() == [3000, 2500, 5500, 3300]
    assert found.expected_sales.estimate == 3575
    assert found.years.attainment is not None
    assert found.years.attainment.tolist() == pytest.approx([0.75, 0.75, 1.75, 0.925], rel=1e-15)
    assert found.years.capped is not None
    assert found.years.capped.tolist() == pytest.approx([25 / 30, 20 / 30, 1, 28 / 30], rel=1e-15)
    assert found.years.hit_rate is not None
    assert found.years.hit_rate.tolist() == [0.5, 0.5, 1.0, 0.0]
    assert found.years.made_target is not None
    assert found.years.made_target.tolist() == [1, 0, 1, 1], "reaching the target exactly is making it"
    assert (found.quota_sum, found.target, found.workload) == (3000, 3000, 0.75)
    low, high = found.year_range
    assert low.estimate == pytest.approx(np.quantile([3000, 2500, 5500, 3300], 0.1))
    assert high.estimate == pytest.approx(np.quantile([3000, 2500, 5500, 3300], 0.9))


def test_rep_figures() -> None:
    scenario = world()
    plan = today_plan(scenario)
    first, second, third = plan_measures(scenario, plan, outcome(scenario, plan, SALES)).reps
    assert (first.name, first.quota, first.expected_sales) == ("陈立", 1000, 1100)
    assert first.attainment == pytest.approx(1.1)
    assert first.capped == pytest.approx(0.85)
    assert first.chance is not None
    assert (first.chance.estimate, first.chance.method) == (0.5, "Wilson")
    assert first.growth == pytest.approx(0.25)
    assert first.accounts == 2
    assert first.quota_over_potential == 0.5
    assert second.growth is None, "no last sales, no growth"
    assert (third.quota, third.attainment, third.chance, third.growth) == (None, None, None, None)


def test_no_quota_is_not_a_quota_of_zero() -> None:
    reps = [{"id": "E1", "team": "T", "quota": 0}, {"id": "E2", "team": "T", "quota": 20}, {"id": "E3", "team": "T"}]
    scenario = world(reps=reps)
    plan = today_plan(scenario)
    found = plan_measures(scenario, plan, outcome(scenario, plan, SALES))
    assert found.years.hit_rate is not None
    assert found.years.hit_rate.tolist() == [1.0, 0.5, 1.0, 0.5], "zero is made every year, nothing is left out"
    assert found.years.attainment is not None
    assert found.years.attainment.tolist() == [1.0, 0.5, 1.5, 0.95], "sales over zero are undefined"
    zero = found.reps[0]
    assert zero.chance is not None
    assert (zero.quota, zero.attainment, zero.chance.estimate) == (0, None, 1.0)
    bare = world(reps=[{"id": name, "team": "T"} for name in ("E1", "E2", "E3")], goals={})
    nobody = plan_measures(bare, today_plan(bare), outcome(bare, today_plan(bare), SALES))
    assert (nobody.hit_rate, nobody.attainment, nobody.capped_attainment, nobody.chance_of_target) == (None,) * 4
    assert nobody.quota_sum is None


def test_moves_and_sales_at_risk() -> None:
    scenario = world()
    today = today_plan(scenario)
    start = scenario.calendar.start
    plan = today.with_rows(owners=[OwnerRow("K1", "E2", start), OwnerRow("K2", "E1", start)])
    assert moved_accounts(scenario, plan) == {"K1": ("E1", "E2")}
    before = outcome(scenario, today, SALES, accounts=[[10, 99], [20, 99], [0, 99], [10, 99]])
    found = plan_measures(scenario, plan, outcome(scenario, plan, SALES), before=before)
    assert found.sales_at_risk == pytest.approx(0.15 * 1000)
    assert [(rep.accounts, rep.gained, rep.lost) for rep in found.reps] == [(1, 0, 1), (1, 1, 0), (0, 0, 0)]
    assert plan_measures(scenario, plan, before).sales_at_risk is None, "nothing simulated to measure it by"
    assert plan_measures(scenario, today, before).sales_at_risk == 0
    trained = today.with_rows(training=[TrainingRow("E2", "negotiation", start, scenario.calendar.end, 12.0)])
    assert [rep.training_hours for rep in plan_measures(scenario, trained, before).reps] == [0, 12, 0]


def test_widest_gap() -> None:
    assert widest_gap({"a": 100, "b": 100}, {"a": 200, "b": 200}) == (0.0, "a")
    gap, whose = widest_gap({"a": 100, "b": 300, "c": 5}, {"a": 200, "b": 200, "c": 0})
    assert (gap, whose) == (0.5, "a"), "c has no potential"
    assert widest_gap({"a": 100}, {"a": 200}) == (None, None)
    scenario = world()
    plan = today_plan(scenario)
    measured = plan_measures(scenario, plan, outcome(scenario, plan, SALES), potentials={"E1": 1000, "E2": 1000})
    assert measured.widest_gap == pytest.approx(1 / 3)


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 10**9), min_size=1, max_size=8),
    st.integers(0, 10**12),
)
def test_scaled_quotas_sum_exactly(quotas: dict[str, int], total: int) -> None:
    if sum(quotas.values()) == 0:
        return
    scaled = scaled_quotas(quotas, total)
    assert sum(scaled.values()) == total
    whole = sum(quotas.values())
    assert all(abs(scaled[rep] * whole - quotas[rep] * total) < whole for rep in quotas), "less than one unit away"


@pytest.mark.parametrize(("cv", "wanted"), [(0.2, 0.461), (0.4, 0.424), (0.6, 0.391)])
def test_hit_rate_arithmetic_of_skewed_sales(cv: float, wanted: float) -> None:
    """With quota = expected sales fewer than half make it: P(S >= E) = Phi(-sd/2) for a lognormal."""
    years, spread = 20_000, np.sqrt(np.log1p(cv**2))
    draws = np.exp(spread * np.random.default_rng(5).standard_normal((years, 3)) - spread**2 / 2)
    scenario = world(
        reps=[{"id": name, "team": "T", "quota": 1_000_000} for name in ("E1", "E2", "E3")],
        goals={"targets": [{"metric": "revenue", "target": 3_000_000}]},
    )
    plan = today_plan(scenario)
    table = trade_table(scenario, plan, outcome(scenario, plan, np.rint(draws * 1e6)))
    row = table.rows[0]
    assert abs(row.hit_rate.estimate - wanted) < 4 * np.sqrt(0.25 / (3 * years)) + 0.0005
    rates = [step.hit_rate.estimate for step in table.rows]
    assert rates == sorted(rates, reverse=True)
    assert len({step.chance_of_target for step in table.rows}) == 1, "labels do not move sales"


def test_trade_table_by_hand() -> None:
    scenario = world()
    plan = today_plan(scenario)
    table = trade_table(scenario, plan, outcome(scenario, plan, SALES), shares=(1.0, 1.1))
    assert [row.quota_sum for row in table.rows] == [3000, 3300]
    assert [row.hit_rate.estimate for row in table.rows] == [0.5, 0.25]
    assert [row.chance_of_quota_sum.estimate for row in table.rows] == [0.75, 0.5]
    assert [row.chance_of_target.estimate for row in table.rows] == [0.75, 0.75]
    # S/q: E1 .5 1 2 .9, E2 1 .5 1.5 .95; 5 of 8 (at least 60 %) reach .95
    assert table.share_for_most == pytest.approx(0.95)
    assert table.table()["quota_sum"].tolist() == [30.0, 33.0]


def test_trade_table_refuses_what_it_cannot_tell() -> None:
    scenario = world()
    plan = today_plan(scenario)
    years = outcome(scenario, plan, SALES)
    with pytest.raises(InputRefused, match="must be a positive number"):
        trade_table(scenario, plan, years, shares=(1.0, -1.0))
    with pytest.raises(InputRefused, match="no quotas to scale"):
        trade_table(scenario, replace(plan, targets=()), years)
    with pytest.raises(Unsupported, match="respond to quotas"):
        trade_table(world(motivation={}), plan, years)
    with pytest.raises(InputRefused, match="no company target"):
        trade_table(world(goals={}), plan, years)


def test_attainment_by_rep_leaves_out_who_has_no_quota() -> None:
    scenario = world()
    year = QuotaRow("E2", "revenue", scenario.calendar.start, scenario.calendar.end, 2000)
    plan = Plan("one", targets=(year,))
    found = attainment_by_rep(plan, outcome(scenario, plan, SALES))
    assert list(found) == ["E2"]
    assert found["E2"].tolist() == [1.0, 0.5, 1.5, 0.95]


def test_a_year_is_not_compared_with_a_part_of_one():
    def last(**dates):
        reps = [{"id": "E1", "team": "T", "last_sales": 8, **dates}]
        return last_sales_under(world(reps=reps), today_plan(world()))["E1"]

    assert last() == last(hired="2025-01-01") == last(leaves="2027-01-01") == 800
    assert last(hired="2025-01-02") is last(leaves="2026-12-31") is None
