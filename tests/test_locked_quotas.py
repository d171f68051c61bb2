"""Locks on any quota: metrics, levels and single periods hold to the cent, and everything else is tied around them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quotalab as ql
from optimize.allocate import AllocationResult, allocate
from optimize.baselines.plans import SIMPLE_RULES, judged_baselines
from optimize.formulate import formulate
from optimize.levels import level_tables
from optimize.optimum import optimise
from optimize.plans import decisions_of
from optimize.quota_tables import quota_tables
from optimize.whole_quotas import whole_quotas
from quotalab.cli.main import run
from scenarios.errors import InfeasiblePlan, InputRefused
from scenarios.files import from_document
from scenarios.lock_paths import LockedQuota, locked_quota
from scenarios.locks import lock
from scenarios.plan import LockRow
from scenarios.plan_files import read_plan, write_plan
from scenarios.trail import Trail, figures, write_trail
from target_worlds import responses_of, world

MARCH, JULY = "2026-03-01", "2026-07-01"
ORDERS = {"metric": "orders", "target": 140, "floor": 90, "stretch": 200}
THREE = {"metric": "revenue", "target": 4000, "floor": 3200, "stretch": 5000}


def locks(*pairs):
    return [{"path": path, "value": value, "author": "王", "reason": "agreed"} for path, value in pairs]


def cells(result: AllocationResult, rep: str, metric: str = "revenue", level: str = "target") -> dict[date, int]:
    rows = result.plan.targets if level == "target" else [row for row in result.plan.levels if row.level == level]
    return {row.start: row.value for row in rows if (row.rep, row.metric) == (rep, metric)}


def planned(targets, pairs, *, seed=1, goals=None, **allocation) -> AllocationResult:
    sections = {"goals": {"targets": goals}} if goals else {}
    scenario = world(targets, allocation={"locks": locks(*pairs), **allocation}, **sections)
    return allocate(scenario, responses_of(scenario, seed))


def test_a_quota_of_another_metric_stays_and_the_rest_is_split_around_it():
    result = planned([ORDERS], [("quota.R2.orders", 47)])
    assert result.plan.quotas("orders")["R2"] == 47
    assert sum(result.plan.quotas("orders").values()) == 140
    assert sum(cells(result, "R2", "orders").values()) == 47
    free = planned([ORDERS], [])
    assert result.plan.quotas() == free.plan.quotas()
    assert result.plan.quotas("orders") != free.plan.quotas("orders")


def test_a_locked_period_stays_to_the_cent_and_the_year_is_tied_around_it():
    result = planned([], [(f"quota.R1.{MARCH}", 123.45)], rounding_step=10)
    months = cells(result, "R1")
    assert months[date(2026, 3, 1)] == 123_45
    assert sum(months.values()) == result.plan.quotas()["R1"]
    assert sum(result.plan.quotas().values()) == 4000_00
    # All others in whole units but for the one cell that carries the odd rest.
    assert sum(value % 100 != 0 for value in months.values()) == 2


def test_locked_periods_keep_the_quota_from_below_and_come_before_rules():
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 1000} for i in (1, 2, 3, 4)]
    rules = [{"rule": "growth", "floor": -0.5, "cap": 0.25}]
    pairs = locks((f"quota.R1.{MARCH}", 900), (f"quota.R1.{JULY}", 800))
    scenario = world([], reps=4, allocation={"locks": pairs, "rules": rules})
    scenario = from_document({**scenario.document(), "reps": people})
    result = allocate(scenario, responses_of(scenario))
    assert result.plan.quotas()["R1"] >= 1700_00
    months = cells(result, "R1")
    assert (months[date(2026, 3, 1)], months[date(2026, 7, 1)]) == (900_00, 800_00)
    broken = [row for row in result.rule_rows if not row.kept]
    assert {(row.rule, row.subject) for row in broken} == {("growth_cap", "R1")}
    assert "王" in broken[0].exception
    for name, made in judged_baselines(scenario, responses_of(scenario), SIMPLE_RULES).items():
        assert made.plan.quotas()["R1"] >= 1700_00, name
        assert {row.start: row.value for row in made.plan.targets if row.rep == "R1"}[date(2026, 3, 1)] == 900_00, name


@pytest.mark.parametrize(
    "pairs", [[("floor.R1", 1700)], [(f"floor.R1.{MARCH}", 900), (f"floor.R1.{JULY}", 800)]], ids=["year", "months"]
)
def test_a_locked_floor_keeps_the_quota_from_below_and_comes_before_rules(pairs):
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 1000} for i in (1, 2, 3, 4)]
    rules = [{"rule": "growth", "floor": -0.5, "cap": 0.25}]
    held = {"locks": locks(*pairs), "rules": rules}
    scenario = world([], reps=4, allocation=held, goals={"targets": [THREE]})
    scenario = from_document({**scenario.document(), "reps": people})
    result = allocate(scenario, responses_of(scenario))
    floors, quotas = cells(result, "R1", level="floor"), result.plan.quotas()
    assert sum(floors.values()) >= 1700_00
    assert quotas["R1"] >= sum(floors.values())
    assert sum(quotas.values()) == 4000_00
    assert sum(result.plan.level_quotas("floor").values()) == 3200_00
    broken = [row for row in result.rule_rows if not row.kept]
    assert {(row.rule, row.subject) for row in broken} == {("growth_cap", "R1")}
    assert "floor.R1" in broken[0].exception
    assert "王" in broken[0].exception


def test_a_locked_floor_beyond_the_total_is_told_as_a_floor():
    with pytest.raises(InputRefused, match=r"revenue: 100\.00 too much: locked quotas ask .* 4,100\.00.*floor\.R1"):
        planned([], [("floor.R1", 4100)], goals=[THREE])


def test_a_few_locked_months_are_no_reason_to_break_a_rule_for_the_year():
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 1000} for i in (1, 2, 3, 4)]
    rules = [{"rule": "growth", "floor": None, "cap": 0.05}]
    held = {"locks": locks((f"quota.R1.{MARCH}", 90)), "rules": rules}
    scenario = world([{"metric": "revenue", "team": "T1", "target": 2300}], allocation=held)
    scenario = from_document({**scenario.document(), "reps": people})
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, responses_of(scenario))
    assert "growth cap: loosen by 10.00 percentage points" in caught.value.loosening


def test_whoever_has_all_periods_locked_is_locked_for_the_year():
    months = [(f"quota.R1.2026-{month:02d}-01", 50 + month) for month in range(1, 13)]
    result = planned([], months)
    assert result.plan.quotas()["R1"] == sum(50 + month for month in range(1, 13)) * 100
    assert sum(result.plan.quotas().values()) == 4000_00


@pytest.mark.parametrize("seed", range(4))
def test_locks_hold_at_three_levels_with_windows_and_teams(seed):
    rng = np.random.default_rng(seed)
    targets = [
        {"metric": "revenue", "target": 1100, "floor": 900, "stretch": 1300, "end": "2026-04-01"},
        {"metric": "revenue", "team": "T1", "target": 1900, "floor": 1500, "stretch": 2400},
        {**ORDERS},
        {"metric": "orders", "team": "T2", "target": 70, "floor": 45, "stretch": 95},
    ]
    month = f"2026-{int(rng.integers(1, 13)):02d}-01"
    free = planned(targets, [], seed=seed, goals=[THREE, *targets]).plan
    pairs = [
        (f"quota.R1.{month}", float(rng.integers(20, 120))),
        (f"floor.R2.{MARCH}", float(rng.integers(10, 60))),
        ("stretch.R3", free.quotas()["R3"] / 100 + 50),
        ("stretch.R3.orders", free.quotas("orders")["R3"] + 10),
        (f"quota.R4.orders.{JULY}", int(rng.integers(0, 9))),
        ("floor.R4.orders", free.quotas("orders")["R4"] - 5),
    ]
    result = planned(targets, pairs, seed=seed, goals=[THREE, *targets])
    scenario_total = {("revenue", "floor"): 3200_00, ("revenue", "target"): 4000_00, ("revenue", "stretch"): 5000_00}
    scenario_total |= {("orders", "floor"): 90, ("orders", "target"): 140, ("orders", "stretch"): 200}
    for (metric, level), total in scenario_total.items():
        rows = {rep: cells(result, rep, metric, level) for rep in ("R1", "R2", "R3", "R4")}
        assert sum(sum(row.values()) for row in rows.values()) == total, (metric, level)
        if metric == "orders":
            of_team = {"floor": 45, "target": 70, "stretch": 95}[level]
            assert sum(sum(rows[rep].values()) for rep in ("R3", "R4")) == of_team
        else:
            quarter = {"floor": 900_00, "target": 1100_00, "stretch": 1300_00}[level]
            assert sum(row[day] for row in rows.values() for day in row if day.month <= 3) == quarter
            of_team = {"floor": 1500_00, "target": 1900_00, "stretch": 2400_00}[level]
            assert sum(sum(rows[rep].values()) for rep in ("R1", "R2")) == of_team
    held = dict(pairs)
    unit = {"revenue": 100, "orders": 1}
    for path, value in held.items():
        quota = locked_quota(path, ("R1", "R2", "R3", "R4"))
        row = cells(result, quota.rep, quota.metric, quota.level)
        found = sum(row.values()) if quota.start is None else row[quota.start]
        assert found == round(value * unit[quota.metric]), path
    assert not result.exceptions


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(f"quota.R1.{MARCH}", 4001)], r"revenue: 1\.00 too much.*locked quotas ask for at least 4,001\.00"),
        ([("quota.R1", 500), (f"quota.R1.{MARCH}", 501)], r"1\.00 too much: locked periods sum to 501\.00"),
        ([(f"quota.R1.2026-{m:02d}-01", 10) for m in range(1, 13)] + [("quota.R1", 121)], r"1\.00 missing"),
        ([(f"quota.R{i}.orders", 30) for i in range(1, 5)], r"orders: 20 missing.*quota\.R1\.orders locked by 王"),
        ([("quota.R1.orders", 141)], r"orders: 1 too much"),
        ([("floor.R1.orders", 91)], r"orders: 1 too much: locked quotas ask for at least 91, but the floor of orders"),
        ([("stretch.R1.orders", 10), ("floor.R1.orders.2026-03-01", 11)], "orders: 1 too much: over the horizon"),
        ([("stretch.R1.orders", 10), (f"quota.R1.orders.{JULY}", 11)], r"1 too much.*quota is locked at 11, above"),
        ([(f"quota.R{i}.{MARCH}", 300) for i in (1, 2)], r"revenue: 100\.00 too much.*periods 1 to 3 of the company"),
        ([("quota.R1.orders", 1.5)], "orders is a count"),
        ([("quota.R1", 1.555)], "two decimals"),
        ([("quota.R1.2026-03-02", 5)], r"no reporting period begins on 2026-03-02; the nearest begins on 2026-03-01"),
        ([("quota.R1.cash_due", 5)], "no target asks for cash_due"),
        ([("stretch.R1", 5000)], "no target of revenue has a stretch"),
    ],
)
def test_locks_without_room_are_refused_with_what_is_missing(pairs, message):
    quarter = {"metric": "revenue", "target": 500, "end": "2026-04-01"}
    with pytest.raises(InputRefused, match=f"(?s){message}"):
        planned([ORDERS, quarter], pairs)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("quota.R1.revenue", "revenue goes without saying: write quota.R1"),
        (f"quota.R1.revenue.{MARCH}", f"write quota.R1.{MARCH}"),
        ("quota.R1.collection_rate", "is a ratio: lock cash_collected and cash_due instead"),
        ("quota.R1.profit", "profit is no metric and no first day"),
        ("quota.R1.2026-02-30", "no date of the calendar"),
        ("quota.R1.2027-01-01", "must be a day of the horizon"),
        ("quota.R9.orders", "names nothing in reps"),
        ("bonus.R1", "a lock's path reads quota.REP"),
        ("share.web.R1", "is given by a plan, not decided by the allocation -> write it into the plan's table shares"),
    ],
)
def test_paths_that_name_no_quota_are_refused_in_words(path, message):
    with pytest.raises(InputRefused, match=message):
        lock(world([ORDERS]), path, 5, author="王")


@settings(max_examples=60, deadline=None)
@given(
    rep=st.sampled_from(["E1", "a.b", "E1.orders", "x.2026-01-01"]),
    metric=st.sampled_from(["revenue", "orders", "cash_due"]),
    level=st.sampled_from(["floor", "target", "stretch"]),
    start=st.none() | st.dates(),
)
def test_paths_of_quotas_read_back_even_where_names_hold_dots(rep, metric, level, start):
    quota = LockedQuota(rep, metric, level, start)
    assert locked_quota(quota.path, ("E1", rep)) in (quota, locked_quota(quota.path, ("E1", rep)))
    assert locked_quota(quota.path, (rep,)) == quota


def test_a_team_gives_way_to_locks_and_is_listed():
    teams = [
        {"metric": "orders", "team": "T1", "target": 60},
        {"metric": "revenue", "team": "T1", "target": 300, "end": "2026-04-01"},
        {"metric": "revenue", "team": "T1", "target": 1700, "first_day": "2026-04-01"},
    ]
    pairs = [("quota.R1.orders", 80), (f"quota.R1.{MARCH}", 350)]
    result = planned([ORDERS, *teams], pairs)
    assert result.plan.quotas("orders")["R1"] == 80
    assert cells(result, "R1")[date(2026, 3, 1)] == 350_00
    assert any("orders of team T1: gives way" in text for text in result.exceptions)
    for part in ("1 to 3", "4 to 12"):
        assert any(f"revenue of team T1 in periods {part}" in text for text in result.exceptions)
    assert sum(result.plan.quotas("orders").values()) == 140


def test_a_team_gives_way_to_locks_on_everybody_else():
    """The company's total comes first, then locks: what these leave is the team's, whatever its own total says."""
    team = {"metric": "revenue", "team": "T1", "target": 1800}
    result = planned([team], [("quota.R3", 700), ("quota.R4", 750)])
    quotas = result.plan.quotas()
    assert (quotas["R3"], quotas["R4"]) == (700_00, 750_00)
    assert sum(quotas.values()) == 4000_00
    assert any(text.startswith("team_total of T1") for text in result.exceptions)
    orders = [ORDERS, {"metric": "orders", "team": "T1", "target": 60}]
    result = planned(orders, [("quota.R3.orders", 30), ("quota.R4.orders", 40)])
    assert sum(result.plan.quotas("orders").values()) == 140
    assert any("orders of team T1: gives way" in text for text in result.exceptions)
    kept = planned([team], [("quota.R3", 700)])
    assert kept.plan.quotas()["R1"] + kept.plan.quotas()["R2"] == 1800_00


def test_a_weighted_metric_is_decided_around_its_lock():
    weighted = {**ORDERS, "weight": 0.5}
    result = planned([weighted], [("quota.R1.orders", 20)])
    assert result.plan.quotas("orders")["R1"] == 20
    assert result.gap <= 1e-3
    scenario = world([weighted], allocation={"locks": locks(("quota.R1.orders", 20))})
    best = optimise(formulate(scenario, responses_of(scenario)))
    columns = best.model.programme.block("quota of orders").index
    size = 140 / 4 / 100
    assert best.values[columns][0] * size == pytest.approx(20, abs=1e-6)
    team = planned([weighted, {"metric": "orders", "team": "T1", "target": 60}], [("quota.R1.orders", 80)])
    assert team.plan.quotas("orders")["R1"] == 80
    assert any("orders of team T1: gives way" in text for text in team.exceptions)


def test_locked_periods_beyond_a_share_of_revenue_leave_room_for_whole_steps():
    """The numerator of a share stays within its denominator, unless a lock says more."""
    pairs = [(f"quota.R1.key_product_revenue.{MARCH}", 1500.55)]
    result = planned([{"metric": "key_product_share", "target": 0.5}], pairs, rounding_step=10)
    months = cells(result, "R1", "key_product_revenue")
    assert months[date(2026, 3, 1)] == 1500_55
    assert sum(months.values()) == result.plan.quotas("key_product_revenue")["R1"] >= 1500_55
    assert sum(result.plan.quotas("key_product_revenue").values()) == 2000_00


def test_what_is_locked_and_what_ties_is_the_same_through_the_tables():
    """The tables of an arbitrary plan's decisions keep the same locks."""
    scenario = world(
        [ORDERS], goals={"targets": [THREE, ORDERS]}, allocation={"locks": locks((f"floor.R1.{MARCH}", 33))}
    )
    found = responses_of(scenario)
    problem = formulate(scenario, found)
    decisions = decisions_of(problem, ql.today_plan(scenario))
    _, quotas = whole_quotas(problem, decisions)
    tables = quota_tables(problem, found, decisions, quotas)
    leveled = level_tables(scenario, problem, found, decisions, tables)
    assert leveled["revenue", "floor"].cells[0, 2] == 33_00
    assert leveled["revenue", "floor"].cells.sum() == 3200_00


def test_rules_in_conflict_with_locked_periods_name_them():
    pairs = [(f"quota.R1.{MARCH}", 1000), (f"quota.R2.{MARCH}", 1500)]
    targets = [{"metric": "revenue", "team": "T1", "target": 2000}]
    result = planned(targets, pairs)  # the team gives way
    assert result.plan.quotas()["R1"] + result.plan.quotas()["R2"] >= 2500_00
    assert any(text.startswith("team_total of T1") for text in result.exceptions)
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 1000} for i in (1, 2, 3, 4)]
    growth = [{"rule": "growth", "floor": -0.05, "cap": None, "exempt": ["R3", "R4"]}]
    held = {"locks": locks(*pairs[:1]), "rules": growth}
    scenario = world([{"metric": "revenue", "team": "T1", "target": 1900}], allocation=held)
    scenario = from_document({**scenario.document(), "reps": people})
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, responses_of(scenario))
    assert any("locked periods of R1 sum to 1,000.00" in text and "王" in text for text in caught.value.conflict)


def test_the_trail_follows_a_locked_period(tmp_path: Path):
    scenario = world([ORDERS], goals={"targets": [THREE, ORDERS]})
    found = responses_of(scenario)
    before = allocate(scenario, found).plan
    row = LockRow(f"quota.R1.{MARCH}", "99", "王", "agreed", "t")
    locked = before.with_rows(locks=[row])
    trail = Trail().followed_by(before, action="allocated", author="a", time="t", scenario="s")
    trail = trail.followed_by(locked, action="locked", author="王", time="t", scenario="s")
    agreed = lock(scenario, row.path, 99, author="王", reason="agreed", time="t")
    after = allocate(agreed, responses_of(agreed)).plan
    trail = trail.followed_by(after, action="allocated", author="a", time="t", scenario="s")
    steps = [(c.before, c.after) for entry in trail.entries for c in entry.changes if c.path == row.path]
    assert steps[0][0] is None
    assert steps[1] == (steps[0][1], "99")
    assert figures(before)["floor.R1"] == str(before.level_quotas("floor")["R1"] / 100).removesuffix(".0")
    assert trail.broken(after) == []
    assert read_plan(write_plan(after, tmp_path / "plan", "CNY"), agreed) == after


def test_the_command_refuses_a_negative_figure_in_words(tiny, tmp_path, capsys):
    write_plan(ql.today_plan(tiny), tmp_path / "plan", tiny.currency)
    ql.save(tiny, tmp_path / "world")
    rep = tiny.reps[0].id
    command = ["lock", str(tmp_path / "world"), f"quota.{rep}", "-5", "--reason", "x", "--author", "y"]
    assert run([*command, "--plan", str(tmp_path / "plan")]) == 1
    assert "must be a number, not negative" in capsys.readouterr().err
    assert run(["lock", str(tmp_path / "world"), f"quota.{rep}", "5", "--reasom", "x"]) == 2


def test_a_lock_on_a_day_within_a_period_is_refused_when_it_is_put_on(tmp_path, capfd):
    scenario = world([ORDERS], goals={"targets": [THREE, ORDERS]})
    ql.save(scenario, tmp_path / "world")
    plan = allocate(scenario, responses_of(scenario)).plan
    write_plan(plan, tmp_path / "plan", scenario.currency)
    trail = Trail().followed_by(plan, action="allocated", author="a", time="t", scenario=scenario.fingerprint())
    write_trail(trail, tmp_path / "plan")

    def command(verb, *words):
        author = ["--author", "y", "--reason", "x"] if verb == "lock" else []
        return run([verb, str(tmp_path / "world"), *words, *author, "--plan", str(tmp_path / "plan")])

    assert command("lock", "quota.R1.2026-03-02", "5") == 1
    assert "the nearest begins on 2026-03-01" in capfd.readouterr().err
    assert command("lock", f"quota.R1.orders.{MARCH}", "5") == 0
    assert command("lock", "stretch.R1", "1500") == 0
    assert command("trail") == 0
    told = capfd.readouterr().out
    assert f"lock quota.R1.orders.{MARCH}: - -> 5" in told
    assert "lock stretch.R1: - -> 1500" in told


def test_a_simple_rule_that_leaves_no_room_for_a_part_of_the_horizon_says_so():
    """Filled by priority, a team may get less over the year than its target of a quarter."""
    part = {"metric": "revenue", "team": "T2", "target": 900, "first_day": "2026-04-01", "end": "2026-07-01"}
    scenario = world([part], allocation={"locks": locks(("quota.R3", 100))})
    found = responses_of(scenario)
    found = replace(found, samples=found.samples * np.array([30, 20, 1, 1]))
    made = judged_baselines(scenario, found, ["waterfall", "equal"])
    assert made["waterfall"].breaks["targets of parts of the horizon"] == ("company",)
    assert "breaks targets of parts of the horizon for company" in made["waterfall"].plan.notes
    assert made["waterfall"].plan.quotas()["R3"] == 100_00
    assert "targets of parts of the horizon" not in made["equal"].breaks


def test_what_gave_way_to_a_lock_binds_nobody_and_what_is_set_aside_is_said_to_be():
    rules = [{"rule": "min_chance", "chance": 0.5}]
    scenario = world([], reps=4, allocation={"rules": rules, "rounding_step": 500})
    found = responses_of(scenario)
    free = float(np.median(found.samples[:, 0])) / 100
    near = lock(scenario, "quota.R1", float(round(free + 100)), author="王")
    row = next(r for r in allocate(near, responses_of(near)).rule_rows if (r.rule, r.subject) == ("min_chance", "R1"))
    assert not row.kept
    assert "王" in row.exception
    assert not row.binding
    odds = lock(
        world([], reps=4, allocation={"rules": rules, "rounding_step": 500, "mode": "equal_odds"}),
        "quota.R1",
        float(round(free + 100)),
        author="王",
    )
    rows = [r for r in allocate(odds, responses_of(odds)).rule_rows if r.rule == "min_chance" and not r.kept]
    assert rows
    assert all(r.exception.startswith("set aside") for r in rows)
