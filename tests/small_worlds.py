"""Small worlds for the tests of the engine: one rep who always works, one stage of an hour, no leads."""

from __future__ import annotations

from typing import Any

import numpy as np

from both_engines import by_simpy, differs
from scenarios.files import from_document
from scenarios.plan import Plan
from sim.log import Kind, Log
from sim.model import build
from sim.run import simulate_logs
from sim.statistics import mean_interval

HOUR, DAY = 3_600_000, 86_400_000
SURE = 0.9999


def fixed(value: float) -> dict[str, Any]:
    return {"family": "fixed", "value": value}


def exponential(mean: float) -> dict[str, Any]:
    return {"family": "exponential", "mean": mean}


def stage(**over: Any) -> dict[str, Any]:
    return {"id": "sell", "effort_hours": fixed(1), "conversion": 1.0} | over


def world(plan: Plan | None = None, **over: Any):
    """One rep who always works, one stage of an hour, no leads."""
    calendar = {
        "start": "2026-01-01",
        "end": "2027-01-01",
        "hours": ["00:00-24:00"],
        "workdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    } | over.pop("calendar", {})
    document = {
        "name": "small",
        "calendar": calendar,
        "regions": [{"id": "r"}],
        "teams": [{"id": "t", "region": "r"}],
        "stages": [stage()],
        "reps": [{"id": "ann", "team": "t"}],
    } | over
    return from_document(document).with_plan(plan)


def deals(count: int, created: str = "2026-01-01", **over: Any) -> list[dict[str, Any]]:
    """Open opportunities that begin on the first day."""
    return [{"id": f"d{i:02d}", "stage": "sell", "region": "r", "created": created} | over for i in range(count)]


def the_log(scenario, replication: int = 0) -> Log:
    return logs(scenario, 1, replication)[0]


def logs(scenario, replications: int, first: int = 0) -> list[Log]:
    """Logs of the compiled engine, of which SimPy writes the first ten as well: what holds in one holds in both."""
    written = simulate_logs(scenario, replications=replications, first=first, seed=3)
    for log in written[:10]:
        twin = by_simpy(build(scenario), log.replication, seed=3)
        assert differs(twin, log) == "", "the engines differ"
    return written


def started(log: Log, stage: int = 0) -> np.ndarray:
    rows = log.of(Kind.START)
    return rows[rows["stage"] == stage]


def holds(sample, expected: float) -> None:
    interval = mean_interval(np.asarray(sample, dtype=float), SURE)
    assert not interval.excludes(expected), f"{interval} misses {expected:g}"


THREE = [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t"}, {"id": "cyd", "team": "t"}]
SMALL_ACCOUNTS = {
    "tiers": [{"id": "A", "orders_per_year": 6, "order_value": fixed(100), "care_hours_per_year": 24}],
    "account_physics": {"order_effort_hours": fixed(0.5), "care_visit_hours": 2},
    "accounts": [{"id": "acme", "tier": "A", "region": "r", "owner": "ann"}],
}
