"""Small worlds with targets, and outcomes put together by hand, for tests of quotas in every metric."""

from __future__ import annotations

from typing import Any

import numpy as np

from allocation_worlds import made_up
from optimize.response.estimate import Responses, estimate
from scenarios.files import from_document
from scenarios.scenario import Scenario
from sim.outcome import Cube, Outcome

HOUR = 3_600_000
MONEY = (
    "revenue",
    "new_revenue",
    "account_revenue",
    "key_product_revenue",
    "gross_margin",
    "cash_collected",
    "cash_due",
)
METRICS = (*MONEY, "orders", "new_customers", "leads", "busy_ticks", "available_ticks", "training_ticks")
MONTHS = tuple(f"2026-{month:02d}" for month in range(1, 13))


def world(targets: list[dict[str, Any]], reps: int = 4, owned: list[dict[str, Any]] = (), **sections: Any) -> Scenario:
    """A year; reps R1.. of which the first half is team T1, the rest T2; no rules; quotas in cents."""
    allocation = {"rules": [], "rounding_step": 0.01, "accounts": {"max_moves_share": 1.0}}
    goals = {"targets": [{"metric": "revenue", "target": 1000 * reps}, *targets]}
    data: dict[str, Any] = {
        "name": "targets",
        "calendar": {"start": "2026-01-01", "end": "2027-01-01", **sections.pop("calendar", {})},
        "regions": [{"id": "N"}],
        "teams": [{"id": "T1", "region": "N"}, {"id": "T2", "region": "N"}],
        "stages": [{"id": "sell", "effort_hours": {"family": "fixed", "value": 1}, "conversion": 0.5}],
        "tiers": [{"id": "A", "orders_per_year": 1, "order_value": {"family": "fixed", "value": 100}}],
        "account_physics": {"order_effort_hours": {"family": "fixed", "value": 1}},
        "reps": [{"id": f"R{i + 1}", "team": "T1" if 2 * i < reps else "T2"} for i in range(reps)],
        "accounts": [{"tier": "A", "region": "N", **account} for account in owned],
        "goals": goals | sections.pop("goals", {}),
        "allocation": allocation | sections.pop("allocation", {}),
        **sections,
    }
    return from_document(data)


def drawn(seed: int, scenario: Scenario, years: int = 40) -> dict[str, Any]:
    """Figures by metric, [N, R, 12], of people who differ in all of them; money in minor units."""
    rng = np.random.default_rng(seed)
    shape = years, len(scenario.reps), 12
    level = rng.uniform(0.6, 1.6, (1, shape[1], 1))
    season = rng.uniform(0.4, 1.6, (1, 1, 12)) * rng.uniform(0.8, 1.2, (1, shape[1], 12))
    revenue = np.round(level * season * 8_300 * rng.lognormal(0, 0.5, shape)).astype(np.int64)
    share = rng.uniform(0.2, 0.5, (1, shape[1], 1)) * rng.uniform(0.7, 1.3, shape)
    due = np.round(revenue * 0.9).astype(np.int64)
    return {
        "revenue": revenue,
        "new_revenue": revenue,
        "key_product_revenue": np.round(revenue * share).astype(np.int64),
        "gross_margin": np.round(revenue * 0.4 * rng.uniform(0.8, 1.2, shape)).astype(np.int64),
        "cash_due": due,
        "cash_collected": np.round(due * rng.uniform(0.7, 1.0, shape)).astype(np.int64),
        "orders": rng.poisson(3 * level * season, shape),
        "new_customers": rng.poisson(0.8 * level * season, shape),
    }


def outcome_of(scenario: Scenario, figures: dict[str, Any]) -> Outcome:
    """An outcome with these figures by metric, each [N, R, 12], and nothing beside."""
    count, reps, periods = figures["revenue"].shape
    tables = np.zeros((len(METRICS), count, reps, periods), dtype=np.int64)
    for metric, values in figures.items():
        tables[METRICS.index(metric)] = values
    tables[METRICS.index("available_ticks")] = 150 * HOUR
    tables[METRICS.index("busy_ticks")] = 75 * HOUR
    labels = MONTHS if periods == 12 else tuple(str(p) for p in range(periods))
    return made_up(scenario, Cube("rep", METRICS, tuple(rep.id for rep in scenario.reps), labels, tables))


def responses_of(scenario: Scenario, seed: int = 1, years: int = 40) -> Responses:
    """Responses of drawn figures."""
    return estimate(scenario, outcome_of(scenario, drawn(seed, scenario, years)))
