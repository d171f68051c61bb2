"""A little world to be spoiled, and what is then refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from scenarios.errors import InputRefused, Problem
from scenarios.files import from_document

WORLD: dict[str, Any] = {
    "name": "little world",
    "calendar": {"start": "2026-01-01", "end": "2027-01-01"},
    "regions": [{"id": "north"}],
    "teams": [{"id": "T", "region": "north"}],
    "stages": [
        {"id": "talk", "effort_hours": {"family": "fixed", "value": 1}, "conversion": 0.5},
        {"id": "close", "effort_hours": {"family": "gamma", "mean": 2, "cv": 0.5}, "conversion": 0.4},
    ],
    "sources": [{"id": "web", "leads_per_year": 100}],
    "tiers": [
        {"id": "A", "orders_per_year": 4, "order_value": {"family": "lognormal", "mean": 50000, "cv": 0.6}},
    ],
    "account_physics": {"order_effort_hours": {"family": "fixed", "value": 2}},
    "reps": [{"id": "E1", "team": "T"}, {"id": "E2", "team": "T"}],
    "accounts": [{"id": "K1", "tier": "A", "region": "north", "owner": "E1"}],
}


def world(**parts: Any) -> dict[str, Any]:
    return copy.deepcopy(WORLD) | parts


def problems_of(document: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(InputRefused) as refused:
        from_document(document)
    return refused.value.problems


def edited(edit: Callable[[dict[str, Any]], Any]) -> tuple[Problem, ...]:
    document = world()
    edit(document)
    return problems_of(document)
