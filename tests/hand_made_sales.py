"""A company of two reps whose sales are made by hand, so that tests of comparisons know what must come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from scenarios.files import from_document
from scenarios.plan import Plan, TrainingRow
from scenarios.scenario import Scenario
from sim.outcome import Cube, Outcome

MEAN_ONE = {"family": "exponential", "mean": 1}
SKILLS = ("product_knowledge", "negotiation", "relationship_management", "market_insight", "learning_ability")
WORLD: dict[str, Any] = {
    "name": "two reps",
    "seed": 7,
    "calendar": {"start": "2026-01-01", "end": "2026-04-01"},
    "regions": [{"id": "east"}],
    "teams": [{"id": "T", "region": "east"}],
    "skills": {"levels": [{"id": "mid", "skills": dict.fromkeys(SKILLS, 60)}]},
    "stages": [{"id": "close", "effort_hours": MEAN_ONE, "conversion": 0.5}],
    "sources": [{"id": "web", "leads_per_year": 200}],
    "products": [{"id": "p", "value": {"family": "lognormal", "mean": 1000, "cv": 0.7}}],
    "tiers": [{"id": "A", "orders_per_year": 12, "order_value": {"family": "fixed", "value": 900}}],
    "account_physics": {"order_effort_hours": MEAN_ONE},
    "goals": {"targets": [{"metric": "revenue", "target": 30_000}]},
    "reps": [
        {"id": "E1", "team": "T", "level": "mid", "quota": 15_000},
        {"id": "E2", "team": "T", "level": "mid", "quota": 16_000},
    ],
    "accounts": [{"id": name, "tier": "A", "region": "east", "owner": "E1"} for name in ("K1", "K2")],
}


def world(**sections: Any) -> Scenario:
    return from_document(WORLD | sections)


def halved(plan: Plan) -> Plan:
    return plan.with_rows(name="halved", targets=[replace(row, value=row.value // 2) for row in plan.targets])


def trained(plan: Plan, hours: float = 8.0) -> Plan:
    rows = [replace(row) for row in plan.training]
    start, end = plan.targets[0].start, plan.targets[0].end
    return plan.with_rows(name="trained", training=[*rows, TrainingRow("E1", "negotiation", start, end, hours)])


class FakeSimulate:
    """Sales by hand: luck of the replication, plus what the plan's training hours and E2's accounts bring."""

    def __init__(self, per_hour: float = 10.0, per_account: float = 0.0, luck: float = 3000.0) -> None:
        self.calls: list[tuple[str, str]] = []
        self.per_hour, self.per_account, self.luck = per_hour, per_account, luck

    def __call__(
        self,
        scenario: Scenario,
        *,
        replications: int,
        first: int = 0,
        seed: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        **_: Any,
    ) -> Outcome:
        plan = scenario.plan
        assert plan is not None
        self.calls.append((scenario.fingerprint(), scenario.simulation_hash(plan)))
        random = np.random.default_rng([seed or 0, first])
        luck = random.standard_normal((replications, len(scenario.reps))) * self.luck
        own = random.standard_normal((replications, 1)) * 0.2
        hours = sum(plan.training_hours().values())
        accounts = sum(owner == "E2" for owner in plan.owner_of().values())
        sales = 15_000 + luck + hours * self.per_hour * (1 + own) + accounts * self.per_account
        revenue = np.rint(100 * sales).astype(np.int64)[..., None]
        hour = np.full_like(revenue, 1)
        reps = tuple(rep.id for rep in scenario.reps)
        cube = Cube(
            "rep", ("revenue", "busy_ticks", "available_ticks"), reps, ("all",), np.stack([revenue, hour, hour])
        )
        if progress is not None:
            progress(replications, replications)
        return Outcome(
            scenario.fingerprint(),
            scenario.simulation_hash(plan),
            plan.name,
            seed or 0,
            first,
            "fake",
            1,
            {"rep": cube},
        )
