"""The JSON Schema of a scenario file, for editors that complete and check it while it is written."""

from __future__ import annotations

import ast
from inspect import cleandoc, getsource
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from scenarios.base import Minor, major_units
from scenarios.scenario import Scenario

_IN_TABLES = {"reps"}
"""Required sections that usually stand in a CSV table beside the file."""


class _InFileUnits(GenerateJsonSchema):
    """Shows a default amount of money as a file would hold it, and describes fields by the texts below them."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        shown = super().model_schema(schema)
        for name, text in _field_texts(schema["cls"]).items():
            if name in shown.get("properties", {}):
                shown["properties"][name].setdefault("description", text)
        return shown

    def encode_default(self, dft: Any) -> Any:
        return major_units(dft) if isinstance(dft, Minor) else super().encode_default(dft)


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of scenario files and of what-ifs, which hold ``extends`` instead of sections."""
    schema = Scenario.model_json_schema(schema_generator=_InFileUnits)
    required = [section for section in schema.pop("required") if section not in _IN_TABLES]
    schema["properties"] |= {
        "extends": {"type": "string", "description": "parent scenario: a path or the name of a shipped one"},
        "changes": {"type": "array", "items": {"anyOf": [_change(*form) for form in _FORMS]}},
    }
    return schema | {"if": {"not": {"required": ["extends"]}}, "then": {"required": required}}


def _field_texts(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field that has one, read here so that no start pays for it."""
    texts: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if owner is BaseModel or not issubclass(owner, BaseModel):
            continue
        body = ast.parse(dedent(getsource(owner))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in pairwise(body.body):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    texts[name] = cleandoc(text)
    return texts


_FORMS: tuple[tuple[str, str | None, dict[str, Any]], ...] = (
    ("set", "to", {}),
    ("scale", "by", {"type": "number"}),
    ("add", "item", {}),
    ("remove", None, {}),
)


def _change(verb: str, argument: str | None, kind: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {verb: {"type": "string"}} | ({argument: kind} if argument else {})
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
