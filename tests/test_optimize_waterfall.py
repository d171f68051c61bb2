"""The waterfall of a quota: in a world in which one factor differs, that bar alone is not zero."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allocation_worlds import changed, responses_of, world
from optimize.allocate import allocate


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
