"""Worlds on which engines are timed: one funnel of six stages that a lead passes with one rep, routed in three ways.

A hundred reps work ten leads an hour, day and night. Effort is log-normal, the customer takes time before going on,
a "no" and the last answer come at once, and a lead that waits too long goes cold. Deals are worth nothing: what is
timed is queues, not bookkeeping. What each routing couples is named with its world; the shared queues of
:func:`scenarios.theory_worlds.funnel18` are the fourth.
"""

from __future__ import annotations

from typing import Any

from scenarios.scenario import Scenario
from scenarios.theory_worlds import UNIT_HOURS, always_open, steady_source

REPS = 100
TEAM = 10
STAGES = 6
ADVANCE = 0.75
LEADS_PER_HOUR = 10.0
LOAD = 0.9
EFFORT_HOURS = LOAD * REPS / (LEADS_PER_HOUR * sum(ADVANCE**stage for stage in range(STAGES)))
"""Mean effort at which the reps would be busy for a share ``LOAD`` of the time if no lead went cold."""
EFFORT_CV = 1.0
DELAY_HOURS = 40.0
PATIENCE_HOURS = 100.0
RETURN_HOURS = 8.0


def days_of(leads: int) -> int:
    """Days within which about this many leads arrive, at least 1."""
    return max(round(leads / (24 * LEADS_PER_HOUR)), 1)


def separable(leads: int) -> Scenario:
    """Round robin over all reps: no rep's queue depends on any other's.

    Args:
        leads: about how many arrive within the horizon.
    """
    return _funnel(leads, REPS, {"policy": "round_robin"})


def least_loaded(leads: int) -> Scenario:
    """Each new lead goes to the rep of its team of ten with the fewest tasks: a choice that reads all their queues."""
    return _funnel(leads, TEAM, {"policy": "least_loaded"})


def return_to_pool(leads: int) -> Scenario:
    """Leads unworked for eight hours go to a pool that the ten reps of their team share; who takes one keeps it."""
    return _funnel(leads, TEAM, {"policy": "even", "return_to_pool_days": RETURN_HOURS / 24})


def _funnel(leads: int, team: int, routing: dict[str, Any]) -> Scenario:
    """The funnel with reps in teams of this size, each with a region and an equal share of the leads."""
    teams = [f"t{position}" for position in range(1, REPS // team + 1)]
    source = steady_source("leads", LEADS_PER_HOUR * UNIT_HOURS)
    source["regions"] = dict.fromkeys(teams, 1.0)
    return always_open(
        days_of(leads),
        regions=[{"id": name} for name in teams],
        teams=[{"id": name, "region": name} for name in teams],
        stages=[_stage(position) for position in range(1, STAGES + 1)],
        sources=[source],
        routing={"same_rep": True, **routing},
        reps=[{"id": f"{name}.{place}", "team": name} for name in teams for place in range(1, team + 1)],
    )


def _stage(position: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": f"s{position}",
        "effort_hours": {"family": "lognormal", "mean": EFFORT_HOURS, "cv": EFFORT_CV},
        "conversion": ADVANCE,
        "patience_days": {"family": "exponential", "mean": PATIENCE_HOURS / 24},
    }
    if position < STAGES:
        found["delay_days"] = {"family": "exponential", "mean": DELAY_HOURS / 24}
        found["loss_delay_days"] = {"family": "fixed", "value": 0.0}
    return found
