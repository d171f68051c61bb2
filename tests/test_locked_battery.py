"""Random requests of targets, levels, parts, locks and rules: what a plan promises of totals and locks always holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimize.allocate import AllocationResult, allocate
from scenarios.errors import InfeasiblePlan, InputRefused
from scenarios.lock_paths import locked_quota
from target_worlds import responses_of, world

REPS = ("R1", "R2", "R3", "R4")
TEAMS = {"T1": ("R1", "R2"), "T2": ("R3", "R4")}
YEAR = {"revenue": 1000.0, "orders": 35.0, "key_product_revenue": 350.0}
OF_LEVEL = {"quota": 1.0, "floor": 0.75, "stretch": 1.3}
UNIT = {"revenue": 100, "key_product_revenue": 100, "orders": 1}


def targets_of(rng: np.random.Generator) -> list[dict[str, Any]]:
    def levels(floor: float, stretch: float) -> dict[str, float]:
        given = {"floor": floor, "stretch": stretch}
        return {name: value for name, value in given.items() if rng.random() < 0.5}

    rows: list[dict[str, Any]] = [{"metric": "revenue", "target": 4000, **levels(3200, 5000)}]
    if rng.random() < 0.5:
        rows.append({"metric": "orders", "target": 140, **levels(90, 200)})
        if rng.random() < 0.3:
            rows[-1]["weight"] = 0.5
        if rng.random() < 0.3:
            rows.append({"metric": "orders", "team": "T2", "target": int(rng.integers(50, 90))})
    if rng.random() < 0.4:
        rows.append({"metric": "revenue", "team": "T1", "target": int(rng.integers(1600, 2300))})
    if rng.random() < 0.4:
        rows.append({"metric": "revenue", "target": int(rng.integers(800, 1300)), "end": "2026-04-01"})
    if rng.random() < 0.3:
        dates = {"first_day": "2026-04-01", "end": "2026-07-01"}
        rows.append({"metric": "revenue", "team": "T2", "target": int(rng.integers(300, 700)), **dates})
    if rng.random() < 0.3:
        rows.append({"metric": "key_product_share", "target": 0.35})
    return rows


def locks_of(rng: np.random.Generator, targets: list[dict[str, Any]]) -> dict[str, float]:
    company = {row["metric"]: row for row in reversed(targets) if "team" not in row and "end" not in row}
    metrics = ["revenue", *(["orders"] if "orders" in company else [])]
    metrics += ["key_product_revenue"] if "key_product_share" in company else []
    out: dict[str, float] = {}
    for _ in range(int(rng.integers(1, 6))):
        metric, rep = str(rng.choice(metrics)), str(rng.choice(REPS))
        kinds = ["quota", "quota", *(level for level in ("floor", "stretch") if level in company.get(metric, {}))]
        kind = str(rng.choice(kinds))
        value = YEAR[metric] * OF_LEVEL[kind] * rng.uniform(0.6, 1.3)
        path = f"{kind}.{rep}" + ("" if metric == "revenue" else f".{metric}")
        if rng.random() < 0.6:
            path += f".2026-{int(rng.integers(1, 13)):02d}-01"
            value *= rng.uniform(0.3, 2) / 12
        out[path] = int(value) if metric == "orders" else round(float(value), 2)
    return out


def rules_of(rng: np.random.Generator) -> list[dict[str, Any]]:
    rules = [
        {"rule": "potential_band", "tolerance": float(rng.uniform(0.1, 0.5))},
        {"rule": "spread", "maximum": float(rng.uniform(0.2, 0.8))},
        {"rule": "min_chance", "chance": float(rng.uniform(0.1, 0.5))},
        {"rule": "group_parity", "tolerance": 0.2},
    ]
    return [rule for rule in rules if rng.random() < 0.3]


def account_rules_of(rng: np.random.Generator) -> list[dict[str, Any]]:
    rules = [
        {"rule": "tier_count", "tier": "A", "most": int(rng.integers(1, 4))},
        {"rule": "keeps_team"},
        {"rule": "team_moves", "most_in": int(rng.integers(0, 2))},
    ]
    return [rule for rule in rules if rng.random() < 0.4]


def cells(result: AllocationResult, metric: str, level: str) -> Iterator[tuple[str, Any, int]]:
    rows = result.plan.targets if level == "target" else [row for row in result.plan.levels if row.level == level]
    return ((row.rep, row.start, row.value) for row in rows if row.metric == metric)


def faults(result: AllocationResult, targets: list[dict[str, Any]], locks: dict[str, float]) -> Iterator[str]:
    """What a plan promises and does not keep."""
    for path, value in locks.items():
        quota = locked_quota(path, REPS)
        found = [
            amount
            for rep, start, amount in cells(result, quota.metric, quota.level)
            if rep == quota.rep and quota.start in (None, start)
        ]
        if sum(found) != round(value * UNIT[quota.metric]):
            yield f"{path} = {value} came to {sum(found)}"
    for row in targets:
        if row["metric"] not in UNIT:
            continue
        members = TEAMS.get(row.get("team", ""), REPS)
        first, end = row.get("first_day", "2026-01-01"), row.get("end", "2027-01-01")
        for level in ("floor", "target", "stretch"):
            if level not in row:
                continue
            found = [
                amount
                for rep, start, amount in cells(result, row["metric"], level)
                if rep in members and first <= start.isoformat() < end
            ]
            gave_way = "team" in row and any(row["team"] in text for text in result.exceptions)
            if sum(found) != row[level] * UNIT[row["metric"]] and not gave_way:
                yield f"{level} of {row} came to {sum(found)}"
    for metric in UNIT:
        by_level = {
            level: {(rep, start): amount for rep, start, amount in cells(result, metric, level)}
            for level in ("floor", "target", "stretch")
        }
        for cell, amount in by_level["target"].items():
            if not by_level["floor"].get(cell, amount) <= amount <= by_level["stretch"].get(cell, amount):
                yield f"levels of {metric} cross in {cell}"
        for level in ("floor", "stretch"):
            yield from (
                f"{level} of {metric} without a quota in {cell}"
                for cell in by_level[level].keys() - by_level["target"].keys()
            )
    yield from (f"{row.rule} of {row.subject}" for row in result.rule_rows if not row.kept and not row.exception)


def kept(seed: int) -> bool:
    """Whether a random request has a plan; then everything that it promises holds."""
    rng = np.random.default_rng(seed)
    targets = targets_of(rng)
    locks, owned = locks_of(rng, targets), [{"id": f"A{i}", "owner": str(rng.choice(REPS))} for i in range(4)]
    allocation = {
        "locks": [{"path": path, "value": value, "author": "王"} for path, value in locks.items()],
        "rules": rules_of(rng),
        "mode": str(rng.choice(["joint", "two_stage", "maximin", "alpha", "equal_odds"], p=[0.4, 0.3, 0.1, 0.1, 0.1])),
        "rounding_step": float(rng.choice([0.01, 1, 10, 50])),
        "accounts": {"max_moves": 3, "rules": account_rules_of(rng)},
    }
    scenario = world([], owned=owned, goals={"targets": targets}, allocation=allocation)
    found = responses_of(scenario, seed)
    found = replace(found, territory=found.samples.mean(axis=0) * rng.uniform(0.7, 1.3, 4))
    try:
        result = allocate(scenario, found)
    except (InfeasiblePlan, InputRefused):
        return False
    assert list(faults(result, targets, locks)) == [], f"seed {seed}"
    return True


def test_locks_and_totals_hold_in_random_requests():
    assert sum(kept(seed) for seed in range(30)) >= 18


@pytest.mark.slow
def test_locks_and_totals_hold_in_hundreds_of_random_requests():
    assert sum(kept(seed) for seed in range(30, 330)) >= 200
