"""Scenarios on disk: a folder or one file in, a folder out; ``extends`` chains; the shipped library."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from scenarios import changes as changing
from scenarios.changes import Change
from scenarios.documents import Document, read_document, read_yaml
from scenarios.errors import InputRefused, Problem
from scenarios.folders import check_place, is_there, whole_folder
from scenarios.market import Account, Opportunity
from scenarios.people import Absence, Rep
from scenarios.plan_files import read_plan, write_plan
from scenarios.scenario import SCHEMA_VERSION, Provenance, Scenario, require_world
from scenarios.schema import json_schema
from scenarios.tables import TABLE_FILES, misnamed, other_tables, read_table, write_table
from scenarios.validation import validate

__all__ = [
    "TABLES",
    "changed",
    "from_document",
    "json_schema",
    "library",
    "library_whatifs",
    "load",
    "save",
    "validate",
]

TABLES: dict[str, type[BaseModel]] = {
    "reps": Rep,
    "accounts": Account,
    "pipeline": Opportunity,
    "absences": Absence,
    "provenance": Provenance,
}
MAIN_FILE = "scenario.yaml"
_WHAT_IF_KEYS = {"extends", "changes", "name", "description", "seed", "language", "schema_version"}
_LIBRARY = Path(str(resources.files("scenarios") / "library"))


GENERATED = ("enterprise", "national")
"""Scenarios of the library that are drawn anew from their seed whenever they are loaded: too large to ship as files."""


def library() -> tuple[str, ...]:
    """Names of the shipped scenarios, those that are generated among them."""
    return tuple(sorted([*GENERATED, *(entry.parent.name for entry in _LIBRARY.glob(f"*/{MAIN_FILE}"))]))


def library_whatifs(name: str) -> dict[str, Path]:
    """The shipped what-ifs of a shipped scenario: name and file, to be given to :func:`load`.

    Raises:
        InputRefused: no shipped scenario has this name.
    """
    if name not in library():
        shipped = ", ".join(library())
        raise InputRefused(Problem("scenario", name, "is no shipped scenario", f"shipped: {shipped}"))
    files = sorted(_LIBRARY.glob("whatifs/*.yaml"))
    return {file.stem: file for file in files if read_yaml(file).data.get("extends") == name}


def load(source: str | Path, changes: Sequence[Change | str] = ()) -> Scenario:
    """A validated scenario from a library name, a folder or a single YAML file.

    A subfolder ``plan/`` becomes the scenario's plan, and that of every what-if that extends it. Changes (``--set``
    texts or typed) are applied last.

    Raises:
        InputRefused: listing every problem with file, line or path, value and remedy.
    """
    typed = changing.typed(changes)
    document, plan_folder = _read(_resolve(source), ())
    scenario = validate(_changed(document, typed))
    return scenario if plan_folder is None else scenario.with_plan(read_plan(plan_folder, scenario))


def from_document(data: Mapping[str, Any]) -> Scenario:
    """A validated scenario from plain data (what :meth:`Scenario.document` gives).

    Raises:
        InputRefused: listing every problem.
    """
    return validate(Document(dict(data)))


def changed(scenario: Scenario, changes: Sequence[Change | str]) -> Scenario:
    """The scenario with changes applied and validated again; its plan is kept.

    Raises:
        InputRefused: a path leads nowhere, or the result breaks a rule.
    """
    require_world(scenario)
    document = changing.apply_to(Document(scenario.document()), changing.typed(changes))
    return validate(document).with_plan(scenario.plan)


def save(scenario: Scenario, folder: str | Path) -> Path:
    """Write the scenario as a folder, whole or not at all; an existing scenario folder is replaced.

    Raises:
        InputRefused: the target exists and is not a scenario folder, or cannot be written.
    """
    target = Path(folder)
    check_place(target)
    is_empty_folder = target.is_dir() and not any(target.iterdir())
    if target.exists() and not is_empty_folder and not (target / MAIN_FILE).is_file():
        raise InputRefused(Problem(str(target), "", "exists and is not a scenario folder", "name another folder"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_folder(target) as draft:
        write_into(draft, scenario)
    return target


def write_into(folder: Path, scenario: Scenario) -> None:
    """Write the files of a scenario into an existing folder: the YAML file, the tables, and the plan if it has one."""
    data = {"schema_version": SCHEMA_VERSION, **scenario.brief_document()}
    tables = {name: data.pop(name, []) for name in TABLES}
    # Without a flow style of its own, the dumper writes the innermost lists and mappings on one line, as people do.
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110, default_flow_style=None)
    (folder / MAIN_FILE).write_text(text, encoding="utf-8", newline="")
    for name, rows in tables.items():
        if rows:
            write_table(folder / f"{name}.csv", rows)
    if scenario.plan is not None:
        write_plan(scenario.plan, folder / "plan", scenario.currency)


def _resolve(source: str | Path, base: Path | None = None) -> Path:
    """The file or folder meant: relative to ``base`` (default: the working folder), else in the shipped library."""
    path = (base or Path()) / source
    if is_there(path):
        return path
    if str(source) in library():
        return _LIBRARY / str(source)
    shipped = f"shipped: {', '.join(library())}"
    raise InputRefused(Problem(str(source), "", "is neither a file, a folder nor a shipped scenario", shipped))


def _changed(document: Document, changes: Sequence[Change]) -> Document:
    """The document with changes; where it is sound, they see every field with its default filled in."""
    if not changes:
        return document
    base = document
    with suppress(InputRefused):
        base = Document(validate(document).document(), document.places)
    return changing.apply_to(base, changes)


def _read(path: Path, chain: tuple[Path, ...]) -> tuple[Document, Path | None]:
    """A document with all that it extends, and the folder of its plan if there is one."""
    if path.parent == _LIBRARY and path.name in GENERATED:
        from scenarios.generate import generated_document

        return Document(generated_document(path.name)), None
    if path.suffix.lower() in TABLE_FILES and path.is_file():
        raise InputRefused(Problem(str(path), "", "is a table, not a scenario", f"give its folder, {path.parent}"))
    main = path / MAIN_FILE if path.is_dir() else path
    if not main.is_file():
        raise InputRefused(Problem(str(path), "", f"the folder holds no {MAIN_FILE}", "see `quotalab init`"))
    chain = (*chain, main.resolve())
    document = _read_whole(main, path)
    plan_folder = path / "plan" if path.is_dir() and (path / "plan").is_dir() else None
    if "extends" not in document.data and "changes" not in document.data:
        return document, plan_folder
    place = document.place(("extends",)) or main.name
    changes = _changes_of(document, main.name)
    parent_name = document.data.pop("extends", None)
    if parent_name is None:
        return _changed(document, changes), plan_folder
    extra = sorted(set(document.data) - _WHAT_IF_KEYS)
    rule = "a file that extends another holds changes, not sections"
    document.faults += [
        Problem(document.place((key,)) or f"{key}.csv", key, rule, "write it under changes") for key in extra
    ]
    try:
        parent_path = _resolve(str(parent_name), main.parent)
        if (parent_path / MAIN_FILE if parent_path.is_dir() else parent_path).resolve() in chain:
            names = " -> ".join(
                step.parent.name if step.name == MAIN_FILE else step.name for step in (*chain, chain[0])
            )
            raise InputRefused(
                Problem(place, str(parent_name), f"the chain of extends is a circle: {names}", "break it")
            )
        parent, parent_plan = _read(parent_path, chain)
    except InputRefused as refused:
        raise InputRefused([*document.faults, *refused.problems]) from None
    return _on_top(_changed(parent, changes), document), plan_folder or parent_plan


def _read_whole(main: Path, path: Path) -> Document:
    """The main file and, for a folder, the tables beside it; problems of all files come together."""
    try:
        document = read_document(main)
    except InputRefused as refused:
        unread = Document({}, faults=list(refused.problems))
        _join_tables(unread, path)
        raise InputRefused(unread.faults) from None
    _join_tables(document, path)
    return document


def _missing_tables(document: Document, path: Path) -> Iterator[tuple[str, Problem]]:
    """Tables that a scenario cannot do without, and that are nowhere."""
    if "extends" in document.data or not path.is_dir():
        return
    for section in TABLES:
        if Scenario.model_fields[section].is_required() and not {section} & (document.data.keys() | document.partial):
            rule = f"is not there, and {MAIN_FILE} has no {section} either"
            yield section, Problem(f"{section}.csv", "", rule, f"put the table beside {MAIN_FILE}")


class UnreadTable(UserWarning):
    """A file in a scenario's folder looks like a table and is none that is read."""


def _tell_unread(path: Path, names: Sequence[str]) -> None:
    """Tell of tables of other names: somebody's own notes, or what the scenario was to be made of."""
    if names:
        said = f"not read in {path}: {', '.join(names)}; tables of a scenario are called {', '.join(TABLES)}"
        warnings.warn(said, UnreadTable, stacklevel=2)


def _changes_of(document: Document, name: str) -> list[Change]:
    """Take the list of changes out of a document; entries of another form are among its faults."""
    listed = document.data.get("changes") or []
    if not isinstance(listed, list):
        document.faults.append(Problem(document.place(("changes",)), str(listed)[:80], "changes must be a list"))
        listed = []
    changes = []
    for position, item in enumerate(listed):
        try:
            changes += changing.parse_changes([item], name, [document.place(("changes", position))])
        except InputRefused as refused:
            document.faults += refused.problems
    document.data.pop("changes", None)
    return changes


def _on_top(parent: Document, child: Document) -> Document:
    """The parent's document under the child's own header fields."""
    header = {key: value for key, value in child.data.items() if key in _WHAT_IF_KEYS}
    places = {steps: spot for steps, spot in parent.places.items() if steps[:1] not in {(key,) for key in header}}
    places |= {steps: spot for steps, spot in child.places.items() if steps[:1] in {(key,) for key in header}}
    return Document(parent.data | header, places, [*child.faults, *parent.faults], parent.partial)


def _join_tables(document: Document, path: Path) -> None:
    if not path.is_dir():
        return
    others = other_tables(path, TABLES)
    document.faults += misnamed(others)
    document.partial |= {table for table in others.values() if table is not None}
    _tell_unread(path, [name for name, table in others.items() if table is None])
    for section, model in TABLES.items():
        file = path / f"{section}.csv"
        if not file.exists():
            continue
        if section in document.data:
            rule = f"{section} are given here and in {MAIN_FILE}"
            document.faults.append(Problem(file.name, section, rule, "keep one of them"))
            continue
        try:
            table = read_table(file, model, section, needed=Scenario.model_fields[section].is_required())
        except InputRefused as refused:
            document.faults += refused.problems
            document.partial.add(section)
            continue
        document.data |= table.data
        document.places |= table.places
        document.faults += table.faults
        document.partial |= table.partial
    for section, problem in list(_missing_tables(document, path)):
        document.faults.append(problem)
        document.partial.add(section)
