"""Validation errors of the models, told as problems: place, value, rule, way out."""

from __future__ import annotations

import json
import re
import typing
from typing import Any

from pydantic import BaseModel, ValidationError

from scenarios.documents import Document
from scenarios.errors import Problem
from scenarios.paths import Steps, closest, join_path, names_of, near
from scenarios.scenario import Scenario
from scenarios.tables import DAY_NUMBER, FORMAT_DAYS, PLAIN_NUMBER

_RULES = {
    "missing": "is required but missing",
    "greater_than": "must be > {gt}",
    "greater_than_equal": "must be >= {ge}",
    "less_than": "must be < {lt}",
    "less_than_equal": "must be <= {le}",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of at most 18 digits",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "literal_error": "must be one of {expected}",
    "too_short": "must have at least {min_length} entries, but has {actual_length}",
    "too_long": "must have at most {max_length} entries, but has {actual_length}",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
    "date_type": "must be a date",
    "date_parsing": "must be a date of the calendar",
    "date_from_datetime_parsing": "must be a date of the calendar",
    "date_from_datetime_inexact": "must be a date without a time",
    "union_tag_not_found": "needs the field {discriminator}",
}
_REMEDIES = {
    "missing": "add it",
    "float_type": "write a plain number without quotes, unit or thousands separator; the field's name holds the unit",
    "int_type": "write a whole number without quotes",
    "int_from_float": "write a whole number",
    "finite_number": "NaN and infinity are no values; leave the field out if it is unknown",
    "bool_type": "write true or false without quotes",
    "string_type": "put it in quotes",
    "string_pattern_mismatch": "a currency is written CNY, EUR or USD",
    "date_type": "write YYYY-MM-DD",
    "date_parsing": "write YYYY-MM-DD",
    "date_from_datetime_parsing": "write YYYY-MM-DD",
    "date_from_datetime_inexact": "write YYYY-MM-DD",
}
_BOUND_REMEDIES = {
    "le=1": "a share is written 0.45, not 45 or 45 %",
    "le=8784": "a year has no more hours",
    "le=100": "scores run from 0 to 100",
}


def problems_of(error: ValidationError, document: Document) -> list[Problem]:
    """One problem per fault, with the line it stands on."""
    found = []
    for fault in error.errors(include_url=False):
        if is_cascade(fault, document):
            continue
        path, kind = tuple(fault["loc"]), fault["type"]
        rule, remedy = told(fault)
        value = "" if kind == "missing" else shown(fault.get("input"))
        if kind == "extra_forbidden":
            value, rule = str(path[-1]), "no such field"
            remedy = near(str(path[-1]), _fields_at(path[:-1]), "remove it")
        spot, named = document.place(path), named_path(path, document, is_missing=kind == "missing")
        found.append(Problem(f"{spot}: {named}" if spot else named, value, rule, remedy))
    return _joined(found)


def is_cascade(fault: Any, document: Document) -> bool:
    """Whether a list is called too short only since its items are faulty, or what was not read is called missing."""
    path = fault["loc"]
    if fault["type"] == "missing" and len(path) in (1, 3):
        return ".".join(str(part) for part in path if isinstance(part, str)) in document.partial
    if fault["type"] != "too_short":
        return False
    return len(fault["input"]) >= fault["ctx"]["min_length"] or path[0] in document.partial


def told(fault: Any) -> tuple[str, str]:
    """Rule and remedy of a fault of any model."""
    kind, context = str(fault["type"]), dict(fault.get("ctx") or {})
    if kind == "union_tag_invalid":
        field, known = str(context["discriminator"]).strip("'"), str(context["expected_tags"]).replace("'", "")
        return f"unknown {field} {context['tag']!r}; known: {known}", closest(str(context["tag"]), known.split(", "))
    bounds = {name: value for name, value in context.items() if name in ("gt", "ge", "lt", "le")}
    plain = {name: int(value) if float(value).is_integer() else value for name, value in bounds.items()}
    remedy = "".join(_BOUND_REMEDIES.get(f"{name}={value}", "") for name, value in plain.items())
    if kind == "literal_error":
        remedy = closest(str(fault["input"]), re.findall(r"'([^']*)'", str(context["expected"])))
    rule = _RULES.get(kind)
    if rule is None:
        said = str(fault["msg"]).removeprefix("Value error, ")
        return said, remedy or (PLAIN_NUMBER if "must be a number" in said else "")
    if kind.startswith("date") and DAY_NUMBER.fullmatch(str(fault["input"])):
        remedy = FORMAT_DAYS
    return rule.format(**{**context, **plain}), remedy or _REMEDIES.get(kind, "")


def _joined(found: list[Problem]) -> list[Problem]:
    """A value that none of several kinds of value accepts is one problem, not one per kind."""
    merged: list[Problem] = []
    for problem in found:
        last = merged[-1] if merged else None
        if last is None or (last.where, last.value) != (problem.where, problem.value):
            merged.append(problem)
        elif problem.rule != last.rule:
            rule = f"{last.rule} or {problem.rule.removeprefix('must be ')}"
            merged[-1] = Problem(last.where, last.value, rule)
    return merged


def named_path(path: Steps, document: Document, is_missing: bool = False) -> str:
    """``("reps", 3, "team")`` as ``reps.E4.team``; the last step may be a field that is missing."""
    node: Any = document.data
    parts: list[str | int] = []
    for step in document.steps(path):
        parts.append(names_of(node)[step] if isinstance(step, int) else step)
        node = node[step]
    return join_path(*parts, path[-1]) if is_missing else join_path(*parts)


def shown(value: Any) -> str:
    """A value as the user would write it, cut where it is long."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _fields_at(path: Steps) -> list[str]:
    """Field names of the model that governs this path."""
    models: list[type[BaseModel]] = [Scenario]
    for part in path:
        if isinstance(part, int):
            continue
        tagged = [model for model in models if part in _tags(model)]
        if tagged:
            models = tagged
            continue
        annotations = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        models = [inner for annotation in annotations for inner in _models_in(annotation)]
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def _tags(model: type[BaseModel]) -> set[str]:
    names = [name for name in ("family", "rule", "form") if name in model.model_fields]
    return {str(model.model_fields[name].default) for name in names}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models_in(part)]
