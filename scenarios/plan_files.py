"""Plans on disk: one CSV per table with units, and a small header file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from scenarios.base import Minor, major_units
from scenarios.documents import Document, known_version, read_document
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.paths import near
from scenarios.plan import (
    FIRST_TABLES,
    PLAN_SCHEMA_VERSION,
    QUOTA_TABLES,
    TABLES,
    Plan,
    is_money,
    row_columns,
)
from scenarios.plan_checks import plan_problems
from scenarios.scenario import Scenario
from scenarios.tables import (
    DAY_NUMBER,
    FORMAT_DAYS,
    PLAIN_NUMBER,
    header_of,
    misnamed,
    other_tables,
    read_rows,
    write_table,
)

HEADER = "plan.yaml"
_HEADER_KEYS = ("schema_version", "name", "origin", "currency", "tables", "notes")
_TEXTS = {"author", "reason", "time", "value"}


def write_plan(plan: Plan, folder: Path, currency: str) -> Path:
    """Write a plan as a folder of CSV tables; money stands in currency units, the unit column says so."""
    folder.mkdir(parents=True, exist_ok=True)
    header = {
        "schema_version": PLAN_SCHEMA_VERSION,
        "name": plan.name,
        "origin": plan.origin,
        "currency": currency,
        "tables": [table for table in TABLES if getattr(plan, table)],
        "notes": list(plan.notes),
    }
    (folder / HEADER).write_text(
        yaml.safe_dump(header, allow_unicode=True, sort_keys=False), encoding="utf-8", newline=""
    )
    for table in TABLES:
        rows = getattr(plan, table)
        path = folder / f"{table}.csv"
        if rows:
            write_table(path, [_written(table, row, currency) for row in rows])
        elif path.exists():
            path.unlink()
    return folder


def read_plan(folder: Path, scenario: Scenario) -> Plan:
    """Read a plan back and check it against its scenario; one of an older version is migrated.

    Raises:
        InputRefused: all problems together: unknown names, bad numbers or dates, another currency, a newer file.
    """
    path = folder / HEADER
    if not path.is_file():
        raise InputRefused(Problem(str(folder), "", f"holds no {HEADER}", "write plans with `quotalab allocate`"))
    document = read_document(path)
    header = document.data
    version = known_version(header.get("schema_version"), PLAN_SCHEMA_VERSION, f"{path}: schema_version", "the plan")
    known = TABLES_OF[version]
    others = other_tables(folder, TABLES)
    faults = [
        *document.faults,
        *_header_problems(document, scenario),
        *misnamed(others),
        *_later_tables(folder, version),
        *_lost_tables(document, folder, version, others.values()),
    ]
    spots: dict[Any, str] = {}
    tables = {}
    partial: set[str] = set()
    for table in known:
        before = len(faults)
        tables[table] = tuple(_read_rows(folder / f"{table}.csv", table, scenario.currency, faults, spots))
        partial |= {table} if len(faults) > before else set()
        if not tables[table] and table not in partial and version >= LISTED_FROM and (folder / f"{table}.csv").exists():
            rule = "has no rows: decisions of the plan are missing"
            faults.append(Problem(f"{table}.csv", "", rule, "put them back, or take the table off the list"))
            partial.add(table)
    given = header.get("notes")
    notes = tuple(str(note) for note in given) if isinstance(given, list) else ()
    plan = Plan(str(header.get("name", folder.name)), str(header.get("origin", "given")), notes=notes, **tables)
    refuse_if([*faults, *plan_problems(plan, scenario, spots, partial)])
    return plan


TABLES_OF: dict[int, tuple[str, ...]] = {1: FIRST_TABLES, 2: tuple(TABLES), 3: tuple(TABLES)}
"""Tables by version. What an older version had no table for, its plans have no rows of."""


def _later_tables(folder: Path, version: int) -> Iterator[Problem]:
    """Tables that a plan of this version cannot have: read, they would change it; unread, they would be lost."""
    for table in TABLES:
        if table not in TABLES_OF[version] and (folder / f"{table}.csv").exists():
            first = min(number for number, tables in TABLES_OF.items() if table in tables)
            rule = f"is a table of schema_version {first} and later, the plan says {version}"
            yield Problem(f"{table}.csv", "", rule, f"correct schema_version in {HEADER}, or move the table away")


def _lost_tables(document: Document, folder: Path, version: int, misnamed: Collection[str | None]) -> Iterator[Problem]:
    """Tables that the header lists and that are not there; one beside the list is read, since nothing is lost by it.

    Args:
        misnamed: tables that are there by another name.
    """
    listed = document.data.get("tables")
    where = document.place(("tables",)) or HEADER
    if version < LISTED_FROM:
        return
    if not isinstance(listed, list):
        shown = "" if listed is None else str(listed)[:80]
        present = ", ".join(table for table in TABLES if (folder / f"{table}.csv").exists())
        yield Problem(where, shown, "tables must list the plan's tables", f"write tables: [{present}]")
        return
    for position, name in enumerate(listed):
        spot = document.place(("tables", position)) or where
        if name not in TABLES:
            yield Problem(spot, str(name)[:80], "is no table of a plan", near(str(name), tuple(TABLES)))
        elif not (folder / f"{name}.csv").exists() and name not in misnamed:
            rule = f"is listed, but {name}.csv is not there: decisions of the plan are missing"
            yield Problem(spot, str(name), rule, "put the file back, or take it off the list if it is to go")


LISTED_FROM = 3
"""Version from which the header lists the tables."""


def _header_problems(document: Document, scenario: Scenario) -> Iterator[Problem]:
    for key in document.data:
        if key not in _HEADER_KEYS:
            yield Problem(document.place((key,)), key, "no such field", near(key, _HEADER_KEYS))
    for key in ("name", "origin"):
        text = document.data.get(key, "given")
        if not isinstance(text, str) or not text:
            yield Problem(document.place((key,)), str(text), "must be a text", "put it in quotes")
    notes = document.data.get("notes")
    if notes is not None and not isinstance(notes, list):
        yield Problem(document.place(("notes",)), str(notes), "must be a list")
    currency = document.data.get("currency", scenario.currency)
    if currency != scenario.currency:
        rule = f"the scenario is in {scenario.currency}"
        yield Problem(document.place(("currency",)), str(currency), rule, "convert the plan")


def _written(table: str, row: Any, currency: str) -> dict[str, Any]:
    out = {column: getattr(row, column) for column in row_columns(table)}
    if table in QUOTA_TABLES:
        money = is_money(row.metric)
        out |= {"value": major_units(row.value) if money else row.value, "unit": currency if money else "count"}
    return out


def _read_rows(path: Path, table: str, currency: str, faults: list[Problem], spots: dict[Any, str]) -> Iterator[Any]:
    """The rows of one table, each with its spot noted; what cannot be read is added to the faults."""
    if not path.exists():
        return
    try:
        lines = list(read_rows(path, faults))
        header = header_of(path, lines)
    except InputRefused as refused:
        faults += refused.problems
        return
    needed = [*row_columns(table), *(["unit"] if table in QUOTA_TABLES else [])]
    if sorted(header) != sorted(needed):
        told = [f"{column} is missing" for column in needed if column not in header]
        told += [f"{column} is unknown" for column in header if column not in needed]
        rule = "; ".join(told) or "a column is given twice"
        faults.append(Problem(f"{path.name} line 1", "", rule, f"columns: {', '.join(needed)}"))
        return
    for line, row in lines[1:]:
        found = len(faults)
        cells = dict(zip(header, row, strict=True))
        spot = f"{path.name} line {line}"
        if table in QUOTA_TABLES:
            faults += _unit_problems(cells, currency, spot)
        values = {column: _cell(cells, column, table, spot, faults) for column in row_columns(table)}
        if len(faults) == found:
            read = TABLES[table](**values)
            spots[read] = spot
            yield read


def _unit_problems(cells: dict[str, str], currency: str, spot: str) -> Iterator[Problem]:
    unit = currency if is_money(cells["metric"].strip()) else "count"
    if cells["unit"].strip() != unit:
        yield Problem(f"{spot}, column unit", cells["unit"], f"must be {unit} for this metric", "convert the value")


def _day(text: str) -> date:
    # Python reads 20260101 and 2026-W01-1 as well; a table that holds them was more likely damaged.
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_READERS: dict[str, Callable[[str], Any]] = {"date": _day, "float": float, "str": str}
_REMEDIES = {"date": "write YYYY-MM-DD", "float": PLAIN_NUMBER, "int": PLAIN_NUMBER}


def _cell(cells: dict[str, str], column: str, table: str, spot: str, faults: list[Problem]) -> Any:
    kind = str(TABLES[table].__annotations__[column])
    text = cells[column] if column in _TEXTS and kind == "str" else cells[column].strip()
    try:
        return _amount(text, cells) if kind == "int" else _READERS[kind](text)
    except ValueError as error:
        rule = str(error) if kind == "int" else f"is no {'date' if kind == 'date' else 'number'}"
        remedy = _REMEDIES[kind]
        if kind == "int" and not is_money(cells["metric"].strip()):
            remedy = "write a whole number"
        elif kind == "date" and DAY_NUMBER.fullmatch(text):
            remedy = FORMAT_DAYS
        faults.append(Problem(f"{spot}, column {column}", text, rule, remedy))
        return None


def _amount(text: str, cells: dict[str, str]) -> int:
    if is_money(cells["metric"].strip()):
        return int(Minor.of(text))
    if not text.isdecimal():
        raise ValueError("a count must be a whole number, not negative")
    return int(text)
