"""Floors under what is expected of metrics are told in their own unit beside any other conflict, and lead to a plan."""

from __future__ import annotations

import re
from typing import Any

import pytest

import quotalab as ql
from scenarios.errors import InfeasiblePlan

FLOORS: list[dict[str, Any]] = [
    {"metric": "orders", "target": 9000, "floor": 4000},
    {"metric": "new_customers", "target": 900, "floor": 800},
    {"metric": "average_order_value", "target": 9000000, "floor": 8000000},
    {"metric": "key_revenue_share", "target": 0.99, "floor": 0.98},
]
SECOND: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a range beside growth": {
        "rules": [{"rule": "potential_band", "tolerance": 0.01}, {"rule": "growth", "floor": 0.0, "cap": 9.0}]
    },
    "hours": {"rules": [{"rule": "training_floor", "hours": 8}], "training": {"budget_hours": 8, "step_hours": 8}},
    "chances": {"rules": [{"rule": "min_chance", "chance": 1.0}, {"rule": "growth", "floor": 3.0, "cap": 9.0}]},
    "least work": {"rules": [{"rule": "workload", "maximum": 1.0, "minimum": 0.98}]},
    "accounts": {"accounts": {"max_moves": 0, "max_accounts_per_rep": 1}},
}
