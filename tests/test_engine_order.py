"""What happens within one instant: nothing depends on the order of a file, and the order that rules is felt."""

from __future__ import annotations

import random
from enum import IntEnum
from typing import Any

import numpy as np
import pytest

import sim.components
import sim.reference
import sim.routing
from scenarios.files import from_document
from sim.instant import Moment, content_key
from sim.log import Kind, Log
from sim.run import simulate_logs


def grid(*values: float) -> dict[str, Any]:
    """Durations on a coarse grid, so that many things fall on one tick."""
    return {"family": "empirical", "values": list(values)}


def world(policy: str = "even", queue: str = "fifo", same_rep: bool = True) -> dict[str, Any]:
    """Everything that meets at one instant: arrivals of one hour, answers, patience, joint support, orders."""
    return {
        "name": "ties",
        "calendar": {"start": "2026-01-01", "end": "2026-01-26", "hours": ["08:00-18:00"]},
        "regions": [{"id": "all"}],
        "teams": [{"id": "all", "region": "all"}],
        "roles": [{"id": "opener"}, {"id": "closer"}],
        "stages": [
            {
                "id": "open",
                "role": "opener",
                "effort_hours": grid(1, 2),
                "conversion": 0.8,
                "delay_days": grid(0, 1),
                "patience_days": grid(0, 0.5, 1),
                "when_cold": "pool",
            },
            {
                "id": "show",
                "role": "closer",
                "effort_hours": grid(1, 2),
                "conversion": 0.8,
                "delay_days": grid(1, 2),
                "support": {"resource": "expert", "effort_hours": grid(1, 2, 3)},
            },
            {"id": "close", "role": "closer", "effort_hours": grid(1, 2), "conversion": 0.5, "delay_days": grid(1)},
        ],
        "support": [{"id": "expert", "people": 1}, {"id": "lawyer", "people": 1}],
        "sources": [
            {"id": "web", "leads_per_year": 1500},
            {"id": "fair", "leads_per_year": 700, "first_stage": "show"},
        ],
        "tiers": [
            {"id": "A", "rank": 0, "orders_per_year": 40, "order_value": grid(10), "care_hours_per_year": 90},
            {"id": "B", "rank": 1, "orders_per_year": 40, "order_value": grid(5), "care_hours_per_year": 90},
        ],
        "account_physics": {"order_effort_hours": grid(1, 2)},
        "routing": {"policy": policy, "return_to_pool_days": 2, "same_rep": same_rep},
        "queue": queue,
        "reps": [{"id": f"o{i}", "team": "all", "role": "opener"} for i in range(3)]
        + [{"id": f"c{i}", "team": "all", "role": "closer"} for i in range(3)],
        "accounts": [
            {"id": f"a{i}", "tier": "AB"[i % 2], "region": "all", "owner": f"{'oc'[i % 2]}{i % 3}"} for i in range(6)
        ],
        "pipeline": [{"id": f"p{i}", "stage": "open", "region": "all", "created": "2026-01-01"} for i in range(9)],
    }


TABLES = ("reps", "accounts", "sources", "support", "tiers", "pipeline", "roles")


def shuffled(document: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same world with the rows of every table in another order."""
    chance = random.Random(seed)
    out = dict(document)
    for table in TABLES:
        rows = list(document[table])
        chance.shuffle(rows)
        out[table] = rows
    return out


def named(scenario, log: Log) -> list[tuple[Any, ...]]:
    """The canonical log with names in place of positions."""
    reps = [rep.id for rep in scenario.reps]
    rows = []
    for time, kind, entity, visit, stage, rep, item, value, extra in log.rows.tolist():
        who = reps[rep] if rep >= 0 else ""
        if kind in (Kind.ORDER, Kind.CARE, Kind.ASSIGN):
            item = scenario.accounts[item].id
        elif kind == Kind.ARRIVE:
            item = scenario.sources[item].id
        elif kind not in (Kind.BOOK, Kind.LINE):
            item = scenario.sources[item].id if item >= 0 else ""
        rows.append((time, kind, entity, visit, stage, who, item, value, extra))
    return rows


def run(document: dict[str, Any], replication: int = 0) -> list[tuple[Any, ...]]:
    scenario = from_document(document)
    return named(scenario, simulate_logs(scenario, first=replication, seed=2, engine="simpy")[0])


def on_the_hour(monkeypatch) -> None:
    """Leads arrive on the hour: the one thing that a scenario cannot put on a grid."""
    from sim.reference import new_leads

    def rounded(model, key):
        found = new_leads(model, key)
        times = found.time // 3_600_000 * 3_600_000
        order = np.lexsort((found.entity, times))
        columns = {name: getattr(found, name)[order] for name in found.__dataclass_fields__}
        return type(found)(**(columns | {"time": times[order]}))

    monkeypatch.setattr(sim.reference, "new_leads", rounded)


@pytest.fixture(autouse=True)
def _ties(monkeypatch):
    on_the_hour(monkeypatch)


def test_there_are_ties():
    rows = run(world())
    moments = [row[0] for row in rows if row[1] in (Kind.END, Kind.ANSWER_YES, Kind.ARRIVE, Kind.START, Kind.RETURN)]
    assert len(set(moments)) < 0.5 * len(moments)
    kinds = [row[1] for row in rows]
    for kind in (Kind.RETURN, Kind.COLD, Kind.CARE, Kind.ORDER, Kind.WON):
        assert kinds.count(kind) > 5, Kind(kind).name


KINDS = [
    ("even", "fifo", True),
    ("even", "tier_first", False),
    ("round_robin", "late_stage_first", False),
    ("least_loaded", "value_first", False),
    ("least_loaded", "fifo", True),
    ("skill_based", "tier_first", True),
    ("territory", "late_stage_first", True),
    ("owner", "value_first", True),
    ("pool", "fifo", True),
    ("pool", "tier_first", False),
]


@pytest.mark.parametrize(("policy", "queue", "same_rep"), KINDS)
def test_the_order_of_tables_never_matters(policy, queue, same_rep):
    document = world(policy, queue, same_rep)
    straight = run(document)
    for seed in (1, 2):
        assert run(shuffled(document, seed)) == straight


def test_the_order_in_which_processes_are_made_never_matters(monkeypatch):
    """SimPy numbers events as they are scheduled; content keys leave that number nothing to decide."""
    straight = run(world("least_loaded"))
    keys = set()
    doubled = []
    original = sim.components.fall_due

    def watched(event, delay, key, value):
        place = (event.env.now + delay, key)
        if place in keys:
            doubled.append(place)
        keys.add(place)
        original(event, delay, key, value)

    monkeypatch.setattr(sim.components, "fall_due", watched)
    assert run(world("least_loaded")) == straight
    # The end of the joint work of a rep and of support people is the one pair that shares a key; they commute.
    assert all(key - 2 >> 96 == Moment.END or (key >> 96) == Moment.END for _, key in doubled)


def mutated(monkeypatch, first: str, second: str) -> None:
    """Swap two kinds in the order of an instant."""
    places = {moment.name: moment.value for moment in Moment}
    places[first], places[second] = places[second], places[first]
    other = IntEnum("Moment", places)
    for module in (sim.components, sim.reference, sim.routing, sim.accounts):
        if hasattr(module, "Moment"):
            monkeypatch.setattr(module, "Moment", other)


@pytest.mark.parametrize(
    ("first", "second"),
    [("PATIENCE", "DISPATCH"), ("RETURN_TO_POOL", "DISPATCH"), ("READY", "DISPATCH"), ("END", "DISPATCH"),
     ("DISPATCH_SUPPORT", "DISPATCH"), ("READY", "ARRIVE"), ("END", "ARRIVE")],
)  # fmt: skip
def test_another_order_gives_another_world(monkeypatch, first, second):
    worlds = [("least_loaded", "fifo", False), ("round_robin", "fifo", False), ("pool", "tier_first", True)]
    straight = [run(world(*kind), replication) for kind in worlds for replication in range(2)]
    mutated(monkeypatch, first, second)
    swapped = [run(world(*kind), replication) for kind in worlds for replication in range(2)]
    assert swapped != straight


def test_content_keys_sort_by_kind_then_entity_then_stage_then_visit():
    top = 2**64 - 1
    keys = [
        content_key(Moment.END, 0, 0, 1),
        content_key(Moment.END, 0, 1, 0),
        content_key(Moment.END, 1, 0, 0),
        content_key(Moment.END, top, 255, 2**24 - 1),
        content_key(Moment.WAKE, 0, 0, 0),
        content_key(Moment.DISPATCH, top, 0, 0),
    ]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_dispatch_is_the_last_of_the_instant():
    assert max(Moment) is Moment.DISPATCH
    assert Moment.END is min(Moment)
    assert Moment.PATIENCE < Moment.RETURN_TO_POOL < Moment.DISPATCH_SUPPORT < Moment.DISPATCH
