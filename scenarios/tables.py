"""CSV tables that a spreadsheet opens and that read back as they were."""

from __future__ import annotations

import csv
import difflib
import io
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from scenarios.documents import Document, read_text
from scenarios.errors import InputRefused, Problem
from scenarios.paths import near


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as cells: mapping fields become ``field.key`` columns, lists become cells separated by semicolons."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            out |= {f"{name}.{key}": inner for key, inner in value.items()}
        elif isinstance(value, list | tuple):
            out[name] = ";".join(str(part) for part in value)
        else:
            out[name] = value
    return out


def write_table(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows with the union of their columns; absent values are empty cells. UTF-8 with a byte order mark."""
    flat_rows = [flat(row) for row in rows]
    columns = list(dict.fromkeys(column for row in flat_rows for column in row))
    lines = [columns, *([_cell(row.get(column)) for column in columns] for row in flat_rows)]
    # Spreadsheets take a CSV for UTF-8 only when it begins with a byte order mark.
    path.write_text("".join(map(_line, lines)), encoding="utf-8-sig", newline="")


def _line(cells: list[Any]) -> str:
    # The writer quotes a carriage return inside a cell only when its own line ends hold one.
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n") + "\n"


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def read_rows(path: Path, faults: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file, header first, with the line each ends on; blank rows are left out.

    A row with more or fewer cells than the header is added to ``faults`` and left out.

    Raises:
        InputRefused: not readable as text or as CSV.
    """
    # Strict, or a quote that is never closed would swallow the rest of the file.
    yield from read_separated(csv.reader(io.StringIO(read_text(path), newline=""), strict=True), path, faults)


def read_separated(reader: Any, path: Path, faults: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a ``csv.reader`` over a file's text, as :func:`read_rows` tells them.

    Raises:
        InputRefused: not readable as CSV.
    """
    width = None
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            # Spreadsheets write columns that were once used: without a name and a cell they hold nothing.
            while len(row) > (width or 1) and not row[-1].strip():
                row.pop()
            width = len(row) if width is None else width
            if len(row) == width:
                yield reader.line_num, row
                continue
            rule = f"the row has {len(row)} cells, the header has {width}"
            faults.append(Problem(f"{path.name} line {reader.line_num}", "", rule, "quote cells that hold commas"))
    except csv.Error as error:
        rule = f"not valid CSV: {error}"
        raise InputRefused(Problem(f"{path.name} line {reader.line_num}", "", rule, "check the quotes")) from None


_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars", "，": "full-width commas"}
"""Signs that other programs put between columns."""


def header_of(path: Path, rows: list[tuple[int, list[str]]]) -> list[str]:
    """The names of the columns; none where there is no row.

    Raises:
        InputRefused: another sign than the comma stands between them.
    """
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    if len(header) == 1 and (sign := next((sign for sign in _SEPARATORS if sign in header[0]), "")):
        found = _SEPARATORS[sign]
        remedy = "save it as CSV UTF-8 with commas"
        raise InputRefused(Problem(f"{path.name} line 1", found, "commas must stand between the columns", remedy))
    return header


PLAIN_NUMBER = "write a plain number such as 1234.56: no thousands separator, no decimal comma, no unit"
DAY_NUMBER = re.compile(r"\d{5}(\.0+)?")
"""How a spreadsheet writes a date whose column is formatted as a number: days since 1900."""
FORMAT_DAYS = "it reads like a spreadsheet's number of a day: format the column as YYYY-MM-DD and save it again"
TABLE_FILES = (".csv", ".xlsx", ".xls", ".tsv")
"""How names of tables end in spreadsheet programs."""


def other_tables(folder: Path, tables: Iterable[str]) -> dict[str, str | None]:
    """Files that pass unread: name, and the missing table that it is surely meant as, such as ``Account.csv``."""
    known = {f"{table}.csv": table for table in tables}
    files = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in TABLE_FILES)
    missing = [table for name, table in known.items() if name not in files]
    return {name: _meant(Path(name).stem.casefold(), missing) for name in files if name not in known}


def misnamed(found: Mapping[str, str | None]) -> Iterator[Problem]:
    """Those of :func:`other_tables` that are surely meant as tables."""
    for name, table in found.items():
        if table is not None:
            yield Problem(name, "", "is no table that is read", f"save it as {table}.csv, or move it away")


def _meant(name: str, missing: Sequence[str]) -> str | None:
    """The missing table that a file of another name surely is: ``Account``, ``reps (1)``, ``reps - Copy``."""
    first = re.match(r"[^\W\d_]*", name)
    tried = [name, first[0]] if first else [name]
    return next((t for one in tried for t in difflib.get_close_matches(one, missing, n=1, cutoff=0.85)), None)


def read_table(path: Path, model: type[BaseModel], section: str, *, needed: bool = False) -> Document:
    """A CSV table as a list of rows for a model to check; empty cells are absent values.

    A column ``skills.negotiation`` fills a mapping field; cells of list fields are separated by semicolons. What is
    wrong with the header or with the number of cells is among the document's faults.

    Args:
        needed: whether a scenario cannot do without the section.

    Raises:
        InputRefused: not readable as text or as CSV, without a row, or with another sign between its columns.
    """
    document = Document({section: []})
    rows = list(read_rows(path, document.faults))
    if len(rows) + len(document.faults) < 2:
        raise InputRefused(_empty(path.name, section, has_header=bool(rows), needed=needed))
    header = header_of(path, rows)
    if not any(column.partition(".")[0] in model.model_fields for column in header):
        document.partial.add(section)
        document.faults[:] = [_no_header(path.name, header, model)]
        return document
    unfit = dict(_unfit_columns(header, model))
    twice = {column: ("column given twice", "keep one") for column in header if header.count(column) > 1}
    lacking = [name for name, field in model.model_fields.items() if field.is_required() and name not in header]
    named = " ".join(remedy for _, remedy in unfit.values() if remedy.startswith("did you mean"))
    document.partial |= {f"{section}.{column}" for column in lacking}
    # A column that a misspelt one was surely meant for is not called missing as well.
    absent = {
        column: ("this column is required but missing", "add it")
        for column in lacking
        if not re.search(rf"\b{column}\b", named)
    }
    spot = f"{path.name} line 1"
    document.faults[:0] = [Problem(spot, column, *why) for column, why in (twice | unfit | absent).items()]
    if document.faults:
        document.partial.add(section)
    for line, row in rows[1:]:
        item: dict[str, Any] = {}
        steps = (section, len(document.data[section]))
        for column, cell in zip(header, row, strict=True):
            if column not in unfit and cell.strip():
                _put(item, column, cell.strip(), model)
        document.places[steps] = f"{path.name} line {line}"
        document.data[section].append(item)
    return document


def _no_header(name: str, header: Sequence[str], model: type[BaseModel]) -> Problem:
    """The first line names no column at all: the header was cut off, or is in other words."""
    needed = [name for name, field in model.model_fields.items() if field.is_required()]
    rule = "the first line names no known column: it has to be the header"
    return Problem(
        f"{name} line 1", ", ".join(header)[:80], rule, f"put a header above the rows: {', '.join(needed)}, ..."
    )


def _empty(name: str, section: str, *, has_header: bool, needed: bool) -> Problem:
    """A table without rows may be what is left of a damaged one; who has nothing to list leaves the file out."""
    rule = "has a header and no row below it" if has_header else "the file is empty"
    missing = "at least one row" if has_header else "a header line and at least one row"
    way_out = "" if needed else f", or remove the file if there is nothing for {section} to list"
    return Problem(name, "", rule, f"write {missing}{way_out}")


def _unfit_columns(header: list[str], model: type[BaseModel]) -> Iterator[tuple[str, tuple[str, str]]]:
    known = model.model_fields
    for column in header:
        first, _, rest = column.partition(".")
        if not column:
            yield column, ("a column has cells and no name", "name it, or empty its cells")
        elif first not in known or (rest and not _is_mapping(known[first].annotation)):
            yield column, ("no such column", near(column, known))
        elif not rest and _is_mapping(known[first].annotation):
            yield column, ("this field takes one column per key", f"for example {column}.NAME")


def _put(item: dict[str, Any], column: str, text: str, model: type[BaseModel]) -> None:
    first, _, rest = column.partition(".")
    kinds = set(_kinds(model.model_fields[first].annotation))
    if rest:
        item.setdefault(first, {})[rest] = _number(text)
    elif tuple in kinds:
        item[first] = [part.strip() for part in text.split(";") if part.strip()]
    elif bool in kinds:
        item[first] = {"true": True, "false": False}.get(text.lower(), text)
    elif kinds & {str, date}:
        item[first] = text
    else:
        item[first] = _number(text)


def _number(text: str) -> int | float | str:
    """The number that a cell holds; other text stays text, for the model to refuse in its place."""
    try:
        exact = Decimal(text) if len(text) <= 40 and "_" not in text else Decimal("nan")
    except InvalidOperation:
        return text
    if not exact.is_finite() or abs(exact.adjusted()) > 300:
        return text
    return int(exact) if exact == exact.to_integral_value() and not set(".eE") & set(text) else float(exact)


def _kinds(annotation: Any) -> Iterator[Any]:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from _kinds(part)
    elif origin is typing.Annotated:
        yield from _kinds(typing.get_args(annotation)[0])
    elif origin is typing.Literal:
        yield str
    else:
        yield origin or annotation


def _is_mapping(annotation: Any) -> bool:
    kinds = set(_kinds(annotation))
    return dict in kinds or any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)
