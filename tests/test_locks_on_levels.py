"""Floor <= quota <= stretch in every cell, whatever is locked on which level, for the horizon or in single periods."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import numpy as np
import pytest

import quotalab as ql
from optimize.allocate import allocate
from optimize.baselines.plans import LEVELED, SIMPLE_RULES, judged_baselines
from optimize.cells_between import between_levels
from optimize.formulate import formulate
from optimize.locked_quotas import LockedQuotas
from optimize.locked_range import locked_range
from optimize.problem import gains
from optimize.quotas import best_quotas
from optimize.split import split
from scenarios.errors import InfeasiblePlan
from target_worlds import responses_of, world
from test_locked_battery import faults
from test_optimize_responses import small

LEVELS = ("floor", "target", "stretch")
MODES = ("joint", "two_stage", "maximin", "alpha", "equal_odds")
MOST = 9


def rows_between(held, carried):
    """All quotas of one rep by period, up to a size, that some floor below and some stretch above go with."""
    every = np.array(list(product(range(MOST + 1), repeat=len(carried))))
    cells = {level: held[level].row(0, len(carried)) for level in LEVELS}
    out = []
    for row in every[~(every[:, ~carried] > 0).any(axis=1)]:
        known = cells["target"]
        if (row != np.where(np.isnan(known), row, known)).any() or row.sum() != held["target"].whole.get(0, row.sum()):
            continue
        if all(_level_fits(row, held[level], cells[level], way) for level, way in (("floor", -1), ("stretch", 1))):
            out.append(tuple(row.tolist()))
    return out


def _level_fits(row, locked, cells, way):
    """Whether a level with these locked cells, and its locked sum, lies on its side of a row of quotas."""
    known = ~np.isnan(cells)
    if ((cells[known] - row[known]) * way < 0).any():
        return False
    if 0 not in locked.whole:
        return True
    rest = locked.whole[0] - cells[known].sum()
    return rest >= row[~known].sum() if way > 0 else 0 <= rest <= row[~known].sum()


def random_locks(rng, count):
    """Locks of all levels on one rep's periods and horizon, often in contradiction."""
    held = {}
    for level in LEVELS:
        cells = {(0, p): int(rng.integers(0, 4)) for p in range(count) if rng.random() < 0.3}
        whole = {0: int(rng.integers(0, 8))} if rng.random() < 0.35 else {}
        held[level] = LockedQuotas("orders", whole, cells, {0: (level,)} if whole or cells else {})
    return held


@pytest.mark.parametrize("seed", range(150))
def test_the_range_of_a_quota_is_that_of_all_rows_between_its_levels(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 4))
    carried = np.ones((1, count), dtype=np.bool_)
    settled = {level: locked.settled(carried) for level, locked in random_locks(rng, count).items()}
    if any(problems for _, problems in settled.values()):
        return
    held = {level: locked for level, (locked, _) in settled.items()}
    found, refused = locked_range(held, carried)
    rows = rows_between(held, carried[0])
    assert bool(rows) == (not refused)
    sums = {sum(row) for row in rows}
    if rows:
        assert found.low[0] == min(sums)
        assert found.high[0] == max(sums) or (found.high[0] == np.inf and max(sums) >= MOST)


@pytest.mark.parametrize("seed", range(150))
def test_periods_are_moved_between_their_levels_wherever_they_fit(seed):
    rng = np.random.default_rng(1_000 + seed)
    count = int(rng.integers(1, 4))
    carried = np.ones((1, count), dtype=np.bool_)
    settled = {level: locked.settled(carried) for level, locked in random_locks(rng, count).items()}
    held = {level: locked for level, (locked, _) in settled.items()}
    rows = rows_between(held, carried[0])
    if not rows or any(problems for _, problems in settled.values()):
        return  # nothing to find
    quota = sum(rows[int(rng.integers(len(rows)))])
    fixed = held["target"].row(0, count)
    cells = np.where(np.isnan(fixed), rng.multinomial(quota, np.full(count, 1 / count)), fixed).astype(np.int64)
    moved = between_levels(cells[None], np.array([quota]), carried, held)
    if not moved:
        assert tuple(cells.tolist()) in rows or cells.sum() != quota or cells.max() > MOST
        return
    held_at = moved[0]
    assert any(sum(row) == quota and all(held_at[p] in (-1, row[p]) for p in range(count)) for row in rows)


def around_a_table(rng):
    """Targets and locks on all levels that some table keeps: read off three tables, one between the others."""
    targets = [
        {"metric": "revenue", "target": 4000, "floor": 3000, "stretch": 5600},
        {"metric": "orders", "target": 140, "floor": 80, "stretch": 230},
    ]
    locks = {}
    for metric, total in (("revenue", 4000_00), ("orders", 140)):
        shares = rng.dirichlet(np.full(4, 4.0))[:, None] * rng.dirichlet(np.full(12, 3.0), 4)
        quotas = np.floor(shares * total).astype(np.int64)
        quotas[0, 0] += total - quotas.sum()
        below = np.floor(quotas * rng.uniform(0.6, 1.0, quotas.shape)).astype(np.int64)
        above = np.ceil(quotas * rng.uniform(1.0, 1.4, quotas.shape)).astype(np.int64)
        tables = {"quota": quotas, "floor": below, "stretch": above}
        for _ in range(int(rng.integers(0, 5))):
            kind, r = str(rng.choice(["floor", "floor", "stretch", "stretch", "quota"])), int(rng.integers(4))
            path, value = f"{kind}.R{r + 1}" + ("" if metric == "revenue" else f".{metric}"), tables[kind][r].sum()
            if rng.random() < 0.5:
                p = int(rng.integers(12))
                path, value = f"{path}.2026-{p + 1:02d}-01", tables[kind][r, p]
            locks[path] = int(value) / 100 if metric == "revenue" else int(value)
    return targets, locks


def held_around(seed, mode):
    rng = np.random.default_rng(seed)
    targets, locks = around_a_table(rng)
    allocation = {
        "locks": [{"path": path, "value": value, "author": "王"} for path, value in locks.items()],
        "mode": mode,
        "rounding_step": float(rng.choice([0.01, 1, 10, 50])),
    }
    scenario = world([], goals={"targets": targets}, allocation=allocation)
    found = responses_of(scenario, seed)
    result = allocate(scenario, replace(found, territory=found.samples.mean(axis=0)))
    assert list(faults(result, targets, locks)) == [], (seed, mode)


@pytest.mark.parametrize("seed", range(20))
def test_locks_that_some_table_keeps_are_solved_around_in_every_mode(seed):
    held_around(seed, MODES[seed % len(MODES)])


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_locks_that_some_table_keeps_are_solved_around_in_hundreds_of_requests(mode):
    for seed in range(100, 200):
        held_around(seed, mode)


def capped(metric="revenue", method="auto", **allocation):
    """Four people of whom the second may stretch to less than the model would ask, as target."""
    targets = [{"metric": "revenue", "target": 4000, "floor": 3200, "stretch": 5000}]
    if metric == "orders":
        targets.append({"metric": "orders", "target": 140, "floor": 90, "stretch": 200, "weight": 0.5})
    path, value = ("stretch.R2", 600) if metric == "revenue" else ("stretch.R2.orders", 20)
    held = {"locks": [{"path": path, "value": value, "author": "王"}], **allocation}
    owned = [{"id": f"A{i}", "owner": f"R{i % 4 + 1}"} for i in range(8)]
    scenario = world([], owned=owned, goals={"targets": targets}, allocation=held)
    return scenario, allocate(scenario, responses_of(scenario), method=method)


@pytest.mark.parametrize("method", ["exact", "prices"])
@pytest.mark.parametrize("mode", ["joint", "two_stage"])
def test_a_locked_stretch_keeps_the_quota_from_above_by_both_methods(method, mode):
    _, result = capped(method=method, mode=mode)
    quotas = result.plan.quotas()
    assert sum(quotas.values()) == 4000_00
    assert quotas["R2"] <= 600_00
    free = world([], goals={"targets": [{"metric": "revenue", "target": 4000}]})
    assert allocate(free, responses_of(free)).plan.quotas()["R2"] > 600_00
    assert result.plan.level_quotas("stretch")["R2"] == 600_00


def test_a_locked_stretch_far_above_its_quota_raises_it_where_the_others_need_room():
    """Of 5,000 that may be stretched to, 2,500 are one's: the others' quotas have at most 2,500, hers has 1,500."""
    targets = [{"metric": "revenue", "target": 4000, "floor": 3200, "stretch": 5000}]
    for path, value, least, most in (("stretch.R2", 2500, 1500_00, 2500_00), ("floor.R2", 10, 10_00, 810_00)):
        allocation = {"locks": [{"path": path, "value": value, "author": "王"}]}
        scenario = world([], goals={"targets": targets}, allocation=allocation)
        found = responses_of(scenario)
        free = allocate(world([], goals={"targets": targets[:1]}), found).plan.quotas()["R2"]
        result = allocate(scenario, found)
        assert list(faults(result, targets, {path: value})) == []
        assert not least <= free <= most
        assert result.plan.quotas()["R2"] == (least if path.startswith("stretch") else most)


def test_a_locked_stretch_of_a_weighted_metric_bounds_it_in_the_programme():
    _, result = capped("orders")
    assert result.plan.quotas("orders")["R2"] <= 20
    assert sum(result.plan.quotas("orders").values()) == 140
    assert result.gap <= 1e-3


def test_simple_rules_keep_quotas_between_locked_levels():
    scenario, _ = capped(rounding_step=100)
    for name, made in judged_baselines(scenario, responses_of(scenario), SIMPLE_RULES).items():
        assert made.plan.quotas()["R2"] <= 600_00, name
        assert sum(made.plan.quotas().values()) == 4000_00, name
        assert LEVELED not in made.breaks, name


def test_a_rule_that_asks_for_more_than_a_locked_stretch_gives_way_with_its_author():
    targets = [{"metric": "revenue", "target": 4000, "stretch": 5000}]
    held = {
        "locks": [{"path": "stretch.R1", "value": 600, "author": "王"}],
        "rules": [{"rule": "growth", "floor": -0.3}],
    }
    scenario = world([], goals={"targets": targets}, allocation=held, reps=4)
    scenario = scenario.model_copy(
        update={"reps": tuple(rep.model_copy(update={"last_sales": 100_000}) for rep in scenario.reps)}
    )
    result = allocate(scenario, responses_of(scenario))
    assert result.plan.quotas()["R1"] <= 600_00
    broken = [row for row in result.rule_rows if not row.kept]
    assert {(row.rule, row.subject) for row in broken} == {("growth_floor", "R1")}
    assert "stretch.R1 locked by 王" in broken[0].exception


def test_a_locked_stretch_in_a_conflict_is_told_as_one():
    targets = [{"metric": "revenue", "target": 4000, "stretch": 5000}]
    held = {
        "locks": [{"path": "stretch.R1", "value": 100, "author": "王"}],
        "rules": [{"rule": "potential_band", "tolerance": 0.05}],
    }
    scenario = world([], goals={"targets": targets}, allocation=held)
    found = responses_of(scenario)
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, replace(found, territory=found.samples.mean(axis=0)))
    assert any(
        text.startswith("the locked stretch of R1 is 100.00: stretch.R1 locked by 王") for text in caught.value.conflict
    )


@pytest.mark.parametrize("metric", ["revenue", "orders"])
def test_a_team_s_total_gives_way_to_locks_on_another_level(metric):
    """A locked floor above the team's quotas, a locked stretch below them, and their own totals of floors."""
    size = 1.0 if metric == "revenue" else 0.04
    company = {"metric": metric, "target": int(4000 * size), "floor": int(3000 * size), "stretch": int(5600 * size)}
    team = {"metric": metric, "team": "T1", "target": int(2000 * size), "floor": int(1500 * size)}
    path = "{}.R1" if metric == "revenue" else "{}.R1.orders"
    scenario_targets = [{"metric": "revenue", "target": 4000}, team] if metric == "orders" else [team]
    for level, value in (("floor", int(2100 * size)), ("stretch", int(300 * size))):
        lock = {"path": path.format(level), "value": value, "author": "王"}
        others = [{**lock, "path": lock["path"].replace("R1", "R2")}] if level == "stretch" else []
        allocation = {"locks": [lock, *others], "rounding_step": 1}
        scenario = world([], goals={"targets": [company, *scenario_targets]}, allocation=allocation)
        result = allocate(scenario, responses_of(scenario))
        quotas = result.plan.quotas() if metric == "revenue" else result.plan.quotas("orders")
        unit = 100 if metric == "revenue" else 1
        assert sum(quotas.values()) == round(4000 * size * unit)
        assert (quotas["R1"] >= value * unit) if level == "floor" else (quotas["R1"] <= value * unit)
        told = [text for text in result.exceptions if "T1" in text]
        assert told
        assert all(f"{path.format(level)} locked by 王" in text for text in told)
        sums = {"floor": 3000, "stretch": 5600}
        for one, total in sums.items():
            assert sum(result.plan.level_quotas(one, metric).values()) == round(total * size * unit)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["joint", "two_stage"])
def test_locked_levels_hold_through_the_loop(mode):
    locks = {"stretch.E1": 500_000.55, "floor.E2": 900_000.25, "stretch.E3.2026-02-01": 100_000.0}
    scenario = small(
        reps=[{"id": f"E{i}", "team": "T1", "level": "mid"} for i in range(4)],
        goals={"targets": [{"metric": "revenue", "target": 3_200_000, "floor": 2_500_000, "stretch": 4_200_000}]},
        allocation={
            "mode": mode,
            "rounding_step": 1000,
            "rules": [],
            "locks": [{"path": path, "value": value, "author": "王"} for path, value in locks.items()],
        },
    )
    plan = ql.improve(scenario, replications=20).plan
    quotas = {(row.rep, row.start): row.value for row in plan.targets}
    levels = {level: {(r.rep, r.start): r.value for r in plan.levels if r.level == level} for level in LEVELS}
    assert sum(quotas.values()) == 3_200_000_00
    assert all(levels["floor"].get(cell, 0) <= quotas[cell] <= levels["stretch"][cell] for cell in quotas)
    assert plan.level_quotas("stretch")["E1"] == 500_000_55
    assert plan.level_quotas("floor")["E2"] == 900_000_25
    assert levels["stretch"]["E3", date(2026, 2, 1)] == 100_000_00


def test_exact_quotas_are_the_best_split_below_a_locked_stretch():
    scenario, _ = capped()
    problem = formulate(scenario, responses_of(scenario))
    decisions = problem.base_decisions()
    quotas = best_quotas(problem, decisions)
    low, high = np.zeros(4), np.array([np.inf, 600_00, np.inf, np.inf])
    assert quotas == pytest.approx(split(problem.basis, gains(problem, decisions), low, high, 4000_00), abs=1)
    assert quotas[1] == 600_00


def test_no_whole_step_between_locked_levels_leaves_the_quota_to_the_cent():
    targets = [{"metric": "revenue", "target": 4000, "floor": 3000, "stretch": 5600}]
    locks = {"floor.R2": 610.10, "stretch.R2": 633.30}
    held = [{"path": path, "value": value, "author": "王"} for path, value in locks.items()]
    for mode in MODES:
        scenario = world([], goals={"targets": targets}, allocation={"locks": held, "rounding_step": 50, "mode": mode})
        result = allocate(scenario, responses_of(scenario))
        assert list(faults(result, targets, locks)) == [], mode
        assert 610_10 <= result.plan.quotas()["R2"] <= 633_30, mode
        assert sum(value % 50_00 != 0 for value in result.plan.quotas().values()) <= 2, mode
