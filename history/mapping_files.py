"""Mapping files on disk: found by path or by the name of a preset, read, and every broken rule told with its line.

Presets are mapping files shipped with the package and nothing more: copy one, change a line, and give its path
instead of its name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from history.mapping import SEPARATOR, Columns, Join, Lifecycle, Mapping, Money, Outcomes, StageWords, Tolerance
from scenarios.documents import Document, read_document
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.messages import shown, told

SCHEMA_VERSION = 1
PRESETS = Path(__file__).parent / "presets"
_SECTIONS: dict[str, type[BaseModel]] = {
    "columns": Columns,
    "joins": Join,
    "lifecycle": Lifecycle,
    "money": Money,
    "outcomes": Outcomes,
    "stages": StageWords,
    "tolerate": Tolerance,
}


def preset_names() -> tuple[str, ...]:
    """Names of the mapping files shipped with the package."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def load_mapping(name_or_path: str | Path) -> Mapping:
    """Read a mapping file, or a preset by its name.

    Raises:
        InputRefused: no such file or preset, not YAML, or rules broken (all of them are listed).
    """
    path = _locate(name_or_path)
    return _parsed(read_document(path), path.name)


def parse_mapping(data: dict[str, Any], where: str = "mapping") -> Mapping:
    """Validate a mapping given as plain data; ``where`` names it in messages.

    Raises:
        InputRefused: with every broken rule.
    """
    return _parsed(Document(data), where)


def _parsed(document: Document, name: str) -> Mapping:
    version = document.data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        rule = f"this version reads schema_version up to {SCHEMA_VERSION}"
        raise InputRefused(Problem(f"{name}: schema_version", str(version), rule, "upgrade quotalab"))
    faults = list(document.faults)
    spots = {fault.where for fault in faults}
    try:
        mapping = Mapping.model_validate(document.data)
    except ValidationError as refused:
        found = [problem for error in refused.errors() for problem in _problems(name, error, document)]
        # What could not be read was told already.
        faults += [problem for problem in found if problem.where.split(":")[0] not in spots]
    refuse_if(faults)
    return mapping


def _problems(name: str, error: Any, document: Document) -> Iterator[Problem]:
    loc = tuple(error["loc"])
    path = ".".join(str(part) for part in loc)
    where = ": ".join(part for part in (document.place(loc) or name, path) if part)
    value = "" if error["type"] == "missing" or isinstance(error["input"], dict) else shown(error["input"])
    if error["type"] == "value_error":
        yield from (Problem(where, value, fault) for fault in str(error["ctx"]["error"]).split(SEPARATOR))
        return
    rule, remedy = told(error)
    if error["type"] == "tuple_type":
        rule, remedy = "must be a text or a list of texts", "put it in quotes"
    if error["type"] == "extra_forbidden":
        rule = "no such setting"
        model = Mapping if len(loc) == 1 else _SECTIONS[str(loc[0])]
        near = difflib.get_close_matches(str(loc[-1]), model.model_fields, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "remove it"
    yield Problem(where, value, rule, remedy)


def _locate(name_or_path: str | Path) -> Path:
    given = Path(name_or_path)
    if given.is_file():
        return given
    if isinstance(name_or_path, str) and given.name == name_or_path and not given.suffix:
        preset = PRESETS / f"{name_or_path}.yaml"
        if preset.is_file():
            return preset
    near = difflib.get_close_matches(str(name_or_path), preset_names(), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise InputRefused(
        Problem(
            "mapping",
            str(name_or_path),
            "must be a mapping file or the name of a preset",
            f"{hint}presets: {', '.join(preset_names())}",
        )
    )
