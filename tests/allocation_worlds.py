"""Small worlds to be allocated, and outcomes put together by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from optimize.response.estimate import Responses, estimate
from scenarios.files import from_document
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
    return made_up(scenario, Cube("rep", REP_METRICS, tuple(rep.id for rep in scenario.reps), MONTHS, tables))


def made_up(scenario: Scenario, rep_cube: Cube) -> Outcome:
    """An outcome with these figures of reps, in which no account buys anything."""
    count = rep_cube.values.shape[1]
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


def care_world(responses: list[dict[str, Any]], hours: list[float], budget: float, target: float) -> Scenario:
    accounts = [
        {"id": name, "owner": "R1", "care_hours": now, "care_response": curve}
        for name, now, curve in zip(("north", "south"), hours, responses, strict=True)
    ]
    free = {"accounts": {"max_moves": 0, "care_hours_budget": budget}}
    return changed(world(1, accounts, **free), goals={"targets": [{"metric": "revenue", "target": target}]})
