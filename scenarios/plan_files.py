"""Plans on disk: one CSV per table with units, and a small header file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import yaml

from scenarios.base import HOURS_OF_A_YEAR, Minor, major_units
from scenarios.documents import Document, known_version, read_document
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.goals import RATIO_METRICS, Metric
from scenarios.lead_shares import share_problems
from scenarios.paths import near
from scenarios.plan import (
    FIRST_TABLES,
    PLAN_SCHEMA_VERSION,
    QUOTA_TABLES,
    TABLES,
    CareRow,
    LevelQuotaRow,
    Plan,
    is_money,
    row_columns,
)
from scenarios.scenario import Scenario, ids
from scenarios.tables import header_of, misnamed, other_tables, read_rows, write_table

HEADER = "plan.yaml"
_HEADER_KEYS = ("schema_version", "name", "origin", "currency", "tables", "notes")
_TEXTS = {"author", "reason", "time", "value"}
_AMOUNTS = ("hours", "value")
"""Columns of amounts that must not be negative; shares have a check of their own."""


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


def plan_problems(
    plan: Plan, scenario: Scenario, spots: Mapping[Any, str] | None = None, partial: Collection[str] = ()
) -> Iterator[Problem]:
    """What of a plan does not fit its scenario.

    Args:
        spots: file and line of each row, where they are known.
        partial: tables that could not be read in full; nothing is said to be missing from them.
    """
    places = spots or {}
    known = {
        "rep": ids(scenario.reps),
        "account": ids(scenario.accounts),
        "skill": scenario.skills.dimensions,
        "source": ids(scenario.sources),
        "metric": get_args(Metric),
    }
    names = {field: frozenset(values) for field, values in known.items()}
    faulty = set(partial)
    for table in TABLES:
        found = []
        for row in getattr(plan, table):
            where = places.get(row, f"plan.{table}")
            for field, values in known.items():
                value = getattr(row, field, None)
                if value is not None and value not in names[field]:
                    found.append(Problem(where, value, f"no {field} of this name in the scenario", near(value, values)))
            found += _row_problems(where, row, scenario)
        found += _overlaps(places, table, plan)
        faulty |= {table} if found else set()
        yield from found
    if not faulty & {*QUOTA_TABLES}:
        yield from _level_problems(plan, places)
    yield from share_problems(plan, scenario, places)


def _row_problems(where: str, row: Any, scenario: Scenario) -> Iterator[Problem]:
    first, end = scenario.calendar.start, scenario.calendar.end
    start = getattr(row, "start", None)
    if start is not None:
        until = getattr(row, "end", end)
        if not first <= start < until <= end:
            rule = f"must be a period inside {first} to {end}"
            yield Problem(where, f"{start} to {until}", rule, "correct start or end")
    for field in _AMOUNTS:
        amount = getattr(row, field, None)
        if isinstance(amount, int | float) and not 0 <= amount < float("inf"):
            shown = major_units(int(amount)) if is_money(getattr(row, "metric", "")) else amount
            yield Problem(where, str(shown), f"{field} must be a finite number, not negative", "correct it")
    if isinstance(row, CareRow) and row.hours > HOURS_OF_A_YEAR:
        yield Problem(where, str(row.hours), f"hours must be <= {HOURS_OF_A_YEAR}", "a year has no more hours")
    if isinstance(row, LevelQuotaRow) and row.level not in ("floor", "stretch"):
        yield Problem(where, row.level, "level must be floor or stretch", "quotas themselves stand in targets")
    if getattr(row, "metric", None) in RATIO_METRICS:
        pair = " and ".join(RATIO_METRICS[row.metric])
        yield Problem(where, row.metric, "is a ratio and cannot be summed over periods", f"give {pair}")


def _level_problems(plan: Plan, places: Mapping[Any, str]) -> Iterator[Problem]:
    """Over the horizon a floor lies at or below the quota and a stretch at or above it, and there is a quota."""
    for metric in dict.fromkeys(row.metric for row in plan.levels):
        quotas = plan.quotas(metric)
        for level, sign in (("floor", 1), ("stretch", -1)):
            for rep, value in plan.level_quotas(level, metric).items():
                row = next(row for row in plan.levels if (row.rep, row.metric, row.level) == (rep, metric, level))
                where, subject = places.get(row, "plan.levels"), f"{level} of {rep} in {metric}"
                if rep not in quotas:
                    yield Problem(where, subject, "there is no quota beside it", "give one in targets, or remove it")
                elif sign * (value - quotas[rep]) > 0:
                    side = "above" if sign > 0 else "below"
                    rule = (
                        f"{_figure(metric, value)} over the horizon is {side} the quota, {_figure(metric, quotas[rep])}"
                    )
                    yield Problem(where, subject, rule, "floor <= quota <= stretch must hold")


def _figure(metric: str, value: int) -> str:
    return str(major_units(value) if is_money(metric) else value)


def _overlaps(places: Mapping[Any, str], table: str, plan: Plan) -> Iterator[Problem]:
    """Two rows that say something about the same thing at the same time."""
    subjects = [column for column in row_columns(table) if column not in (*_AMOUNTS, "share", "start", "end")]
    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in getattr(plan, table) if table != "locks" else ():
        groups.setdefault(tuple(getattr(row, column) for column in subjects), []).append(row)
    for subject, rows in groups.items():
        for one, other in pairwise(sorted(rows, key=lambda row: getattr(row, "start", date.min))):
            if not hasattr(one, "end"):
                clash = getattr(one, "start", None) == getattr(other, "start", None)
            else:
                clash = other.start < one.end
            if clash:
                where = places.get(other, f"plan.{table}")
                yield Problem(where, " ".join(subject), "two rows for the same thing at the same time", "keep one")


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


_READERS: dict[str, Callable[[str], Any]] = {"date": date.fromisoformat, "float": float, "str": str}
_REMEDIES = {"date": "write YYYY-MM-DD", "float": "write a plain number", "int": "write a plain number"}


def _cell(cells: dict[str, str], column: str, table: str, spot: str, faults: list[Problem]) -> Any:
    kind = str(TABLES[table].__annotations__[column])
    text = cells[column] if column in _TEXTS and kind == "str" else cells[column].strip()
    try:
        return _amount(text, cells) if kind == "int" else _READERS[kind](text)
    except ValueError as error:
        rule = str(error) if kind == "int" else f"is no {'date' if kind == 'date' else 'number'}"
        faults.append(Problem(f"{spot}, column {column}", text, rule, _REMEDIES[kind]))
        return None


def _amount(text: str, cells: dict[str, str]) -> int:
    if is_money(cells["metric"].strip()):
        return int(Minor.of(text))
    if not text.isdecimal():
        raise ValueError("a count must be a whole number, not negative")
    return int(text)
