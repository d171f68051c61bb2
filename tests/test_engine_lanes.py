"""Where much comes together, in lanes and without: more than lie sorted, and days that begin with a rush."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sim.compiled.lanes
import sim.compiled.tables
from both_engines import compared
from sim.compiled.run import Engine
from sim.kernel.way import NEAREST
from sim.log import Kind, Log
from sim.model import build
from small_worlds import DAY, stage, world


def grid(*values: float) -> dict[str, Any]:
    return {"family": "empirical", "values": list(values)}


def patient(routing: dict[str, Any], reps: int, leads: float):
    """Work of quarters of hours and customers who take whole days: most answers fall on a tick with others."""
    delay = grid(1, 2, 10, 11, 12)
    steps = [
        stage(id=name, effort_hours=grid(0.25, 0.5), conversion=0.95, delay_days=delay, patience_days=late)
        for name, late in (("call", grid(2, 30)), ("meet", grid(3, 40)), ("sign", grid(20)))
    ]
    return world(
        calendar={"end": "2026-02-15", "hours": ["08:00-18:00"]},
        stages=steps,
        sources=[{"id": "web", "leads_per_year": leads, "arrival_hours": [0.0, 24.0]}],
        routing=routing,
        reps=[{"id": f"r{place}", "team": "t"} for place in range(reps)],
    )


def on_their_way(log: Log) -> int:
    """The most leads that are with their customers at a time and then go on."""
    answered = log.of(Kind.ANSWER_YES)
    worked = answered["time"] - answered["extra"]
    ticks = np.concatenate([worked, answered["time"]])
    change = np.concatenate([np.ones(len(worked)), -np.ones(len(worked))])
    return int(np.cumsum(change[np.lexsort([change, ticks])]).max())


def most_at_once(log: Log) -> int:
    """The most leads that enter a later stage at one tick."""
    entered = log.of(Kind.ENTER)
    _, counts = np.unique(entered["time"][entered["stage"] > 0], return_counts=True)
    return int(counts.max())


def laned(scenario) -> Engine:
    engine = Engine(build(scenario))
    assert engine._world["laned"][0] == 1
    return engine


@pytest.mark.parametrize("leads", [5000, 12000])
def test_more_leads_with_customers_than_lie_sorted(leads):
    """Of one rep; and so many in line at first that the later answers come while those of the first are dealt with."""
    scenario = patient({"policy": "round_robin", "same_rep": True}, 1, leads)
    engine = laned(scenario)
    log, problem = compared(engine.model)
    assert not problem
    assert engine._world["own_lanes"][0] == 1
    assert on_their_way(log) > 1.5 * NEAREST
    assert most_at_once(log) >= 3


def test_many_of_a_pool_come_back_at_one_tick():
    scenario = patient({"policy": "pool", "same_rep": False}, 30, 15000)
    engine = laned(scenario)
    log, problem = compared(engine.model)
    assert not problem
    assert engine._world["own_lanes"][0] == 0
    assert most_at_once(log) > 16


def test_lanes_of_queues_that_are_no_lanes_are_noticed(monkeypatch):
    """First come, first served is what a lane does, whatever was asked for."""
    scenario = patient({"policy": "round_robin", "same_rep": True}, 2, 12000)
    late = scenario.model_copy(update={"queue": "late_stage_first"})
    assert compared(build(late))[1] == ""
    monkeypatch.setattr(sim.compiled.lanes, "_leads_alone", lambda model: True)  # noqa: ARG005
    assert compared(laned(scenario).model)[1] == ""
    assert "differs" in compared(laned(late).model)[1]


def test_lanes_in_another_order_are_noticed(monkeypatch):
    """Who hands leads over must have been worked before."""
    scenario = world(
        roles=[{"id": "opener"}, {"id": "closer"}],
        stages=[stage(id="call", role="opener"), stage(id="meet", role="closer")],
        sources=[{"id": "web", "leads_per_year": 2000}],
        routing={"policy": "pool", "same_rep": False},
        reps=[{"id": "ann", "team": "t", "role": "opener"}, {"id": "bob", "team": "t", "role": "closer"}],
    )
    assert compared(laned(scenario).model)[1] == ""
    original = sim.compiled.tables.lanes_of

    def backwards(model, tables):
        counts = original(model, tables)
        tables["lanes"] = tables["lanes"][::-1].copy()
        return counts

    monkeypatch.setattr(sim.compiled.tables, "lanes_of", backwards)
    assert compared(laned(scenario).model)[1]


def test_more_events_of_a_bucket_than_lie_sorted():
    """Where no lanes are, and thirty reps are done at quarters of an hour."""
    engine = Engine(build(patient({"policy": "least_loaded", "same_rep": True}, 30, 15000)))
    log, problem = compared(engine.model)
    assert not problem
    assert most_at_once(log) > 16
    engine.simulate(1, 0)
    assert engine._world["laned"][0] == 0
    assert engine._tables["events"]["when"].any(), "nothing came into the heap"


@pytest.mark.parametrize("routing", [{"policy": "even"}, {"policy": "least_loaded"}])
def test_days_that_begin_with_a_rush(routing):
    """Most leads of a day come within a second of it, some at one tick, the others at any time."""
    rush = {"id": "rush", "leads_per_year": 365 * 900, "arrival_hours": [12.0, 12.0003]}
    even = {"id": "even", "leads_per_year": 365 * 40, "arrival_hours": [0.0, 24.0]}
    scenario = world(
        calendar={"end": "2026-01-04"},
        stages=[stage(effort_hours=grid(0.01), conversion=0.5)],
        sources=[rush, even],
        routing=routing | {"same_rep": True},
        reps=[{"id": f"r{place}", "team": "t"} for place in range(3)],
    )
    log, problem = compared(build(scenario))
    assert not problem
    arrived = log.of(Kind.ARRIVE)
    _, counts = np.unique(arrived["time"] // DAY, return_counts=True)
    assert counts.min() > 600
    assert len(np.unique(arrived["time"])) < 0.8 * len(arrived)
