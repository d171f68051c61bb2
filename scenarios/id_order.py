"""Rows in the order of their ids: a table says the same whatever the order of its rows, and so does its plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

BY_ID = (
    "regions",
    "teams",
    "roles",
    "sources",
    "segments",
    "products",
    "bundles",
    "tiers",
    "support",
    "reps",
    "accounts",
    "pipeline",
    "tenders",
    "absences",
    "transfers",
    "provenance",
)
"""Sections of a scenario whose rows stand side by side. Stages are none of them: their order is the funnel."""
INSIDE = {"goals": ("targets",), "allocation": ("rules", "locks", "accounts.rules")}
"""The same within other sections."""


_NAMES = ("id", "path", "rule", "metric")


def rank(row: Any) -> tuple[str, str]:
    """What a row is ordered by: its id, else the path, rule or metric that it is of, and all that it says."""
    plain = row if isinstance(row, Mapping) else row.__dict__
    name = next((plain[key] for key in _NAMES if isinstance(plain.get(key), str)), "")
    if "id" in plain:
        return name, ""
    full = row.model_dump(mode="json") if isinstance(row, BaseModel) else row
    return name, json.dumps(full, sort_keys=True, ensure_ascii=False)


def ordered(document: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario's plain data with the rows of its tables in the order of their ids."""
    out = dict(document)
    for section in BY_ID:
        if section in out:
            out[section] = sorted(out[section], key=rank)
    for section, paths in INSIDE.items():
        for path in paths:
            out = _sorted_at(out, (section, *path.split(".")))
    return out


def _sorted_at(data: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    head, rest = path[0], path[1:]
    if not data.get(head):
        return data
    return {**data, head: _sorted_at(dict(data[head]), rest) if rest else sorted(data[head], key=rank)}
