"""The vocabulary page lists every field of every part of a scenario, and nothing else."""

from __future__ import annotations

import re
import typing
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from scenarios.scenario import Scenario

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "vocabulary.md"
SHARED = {"enabled", "exempt"}


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in models_in(part)]


def all_models(model: type[BaseModel], seen: dict[str, type[BaseModel]]) -> dict[str, type[BaseModel]]:
    if model.__name__ not in seen:
        seen[model.__name__] = model
        for field in model.model_fields.values():
            for inner in models_in(field.annotation):
                all_models(inner, seen)
    return seen


MODELS = all_models(Scenario, {})


def told() -> dict[str, list[str]]:
    """Fields by the model that a heading names."""
    sections = re.split(r"^###? ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {}
    for section in sections:
        heading, _, body = section.partition("\n")
        if ": " in heading:
            found[heading.rpartition(": ")[2]] = re.findall(r"^\| `(\w+)` \|", body, flags=re.MULTILINE)
    return found


def test_every_part_has_its_section() -> None:
    assert set(told()) == set(MODELS)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_field_is_told_once(model: str) -> None:
    fields = [
        name for name in MODELS[model].model_fields if name not in SHARED or "rule" not in MODELS[model].model_fields
    ]
    listed = [name for name in told()[model] if name not in SHARED or "rule" not in MODELS[model].model_fields]
    assert sorted(listed) == sorted(fields)
