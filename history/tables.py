"""Raw tables of an export: every cell as text, with its line number, and the file's fingerprint.

Dates, amounts and words are understood later (:mod:`history.cells`), so that a fault can be shown as the user
wrote it. CSV (also gzipped), Excel and Parquet are read; a folder holds one table per file.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from history.quality import SHOWN, Ledger

SUFFIXES = (".csv.gz", ".csv", ".xlsx", ".parquet")


@dataclass(frozen=True)
class SourceFile:
    """A file that was read: name (no folder), table in it, data rows, SHA-256 of its bytes."""

    name: str
    table: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Table:
    """One raw table.

    Attributes:
        name: file name for messages (with the sheet, for a workbook).
        cells: one column per header, every cell ``str``; an empty cell is ``""``.
        lines: line (CSV) or row (Excel, Parquet) number of each record, int64; the header is number 1.
        source: fingerprint of the file.
    """

    name: str
    cells: pd.DataFrame
    lines: pd.Series
    source: SourceFile


def find_tables(path: Path) -> dict[str, Path]:
    """Table stem -> file, for a folder, or for the folder around a file."""
    folder = path if path.is_dir() else path.parent
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        stem = stem_of(file)
        if file.is_file() and stem is not None:
            found.setdefault(stem, file)
    return found


def stem_of(file: Path) -> str | None:
    """Table name of a file, or None where its kind is not read."""
    for suffix in SUFFIXES:
        if file.name.lower().endswith(suffix):
            return file.name[: -len(suffix)]
    return None


def main_file(path: Path, table: str | None, ledger: Ledger) -> Path | None:
    """The file of the main table; a problem is noted and None returned where there is no such file."""
    where = path.name or str(path)
    if not path.exists():
        ledger.refuse(where, "", "must exist: a file, or a folder of tables", "correct the path")
        return None
    if path.is_file():
        if stem_of(path) is None:
            ledger.refuse(where, path.suffix, f"must be one of {', '.join(SUFFIXES)}", "export as CSV")
            return None
        return path
    files = find_tables(path)
    if table is None and len(files) == 1:
        return next(iter(files.values()))
    if table is None:
        named = ", ".join(files) or "no table"
        remedy = "give the file itself, or name it as `table` in the mapping file"
        ledger.refuse(where, named, "must hold exactly one table", remedy)
        return None
    if table not in files:
        near = difflib.get_close_matches(table, files, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"found: {', '.join(files) or 'no table'}"
        ledger.refuse(where, table, "the folder must hold this table", hint)
        return None
    return files[table]


def read_table(file: Path, encoding: str, delimiter: str, ledger: Ledger, sheet: str | None = None) -> Table | None:
    """Read one table; a problem is noted and None returned where it cannot be read or is empty."""
    name = f"{file.name}[{sheet}]" if sheet else file.name
    try:
        raw = file.read_bytes()
    except OSError as broken:
        ledger.refuse(name, "", f"cannot be read: {broken.strerror}", "check the file's rights")
        return None
    digest = hashlib.sha256(raw).hexdigest()
    lower = file.name.lower()
    if lower.endswith(".parquet"):
        header, rows, lines = _parquet(raw, name, ledger)
    elif lower.endswith(".xlsx"):
        header, rows, lines = _excel(raw, name, sheet, ledger)
    else:
        header, rows, lines = _csv(raw, lower.endswith(".gz"), name, encoding, delimiter, ledger)
    if header is None:
        return None
    doubled = sorted({column for column in header if header.count(column) > 1})
    if doubled:
        ledger.refuse(name, ", ".join(doubled), "column names must differ", "rename the repeated columns")
        return None
    if not rows:
        ledger.refuse(name, "", "must hold at least one row below its header", "check the export's filter")
        return None
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    cells = pd.DataFrame(columns, dtype="str")
    source = SourceFile(file.name, sheet or (stem_of(file) or file.name), len(rows), digest)
    return Table(name, cells, pd.Series(np.asarray(lines, dtype=np.int64)), source)


def sheet_names(file: Path) -> tuple[str, ...]:
    """Sheets of a workbook; empty for other kinds of file or a broken workbook."""
    if not file.name.lower().endswith(".xlsx"):
        return ()
    import openpyxl

    try:
        book = openpyxl.load_workbook(file, read_only=True)
    except Exception:  # as below; the faults of the workbook are told when it is read
        return ()
    names = tuple(book.sheetnames)
    book.close()
    return names


Raw = tuple[list[str] | None, list[list[str]], list[int]]
_NOTHING: Raw = (None, [], [])


def _csv(raw: bytes, zipped: bool, name: str, encoding: str, delimiter: str, ledger: Ledger) -> Raw:
    if zipped:
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as broken:
            ledger.refuse(name, "", f"must be a whole gzip file: {broken}", "copy the file again")
            return _NOTHING
    text = _decoded(raw, name, encoding, ledger)
    if text is None:
        return _NOTHING
    if not text.strip():
        ledger.refuse(name, "", "must not be empty", "check the export")
        return _NOTHING
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header: list[str] = []
    rows, lines, ragged = [], [], []
    try:
        header = [column.strip() for column in next(reader)]
        before = reader.line_num
        for row in reader:
            line, before = before + 1, reader.line_num
            if not row:
                continue
            if len(row) != len(header):
                ragged.append((line, len(row)))
                continue
            rows.append(row)
            lines.append(line)
    except csv.Error as broken:
        ledger.refuse(f"{name}, line {reader.line_num}", "", f"must be CSV: {broken}", "export the table again")
        return _NOTHING
    other = next((sign for sign in ";\t|," if sign in header[0]), None) if len(header) == 1 else None
    if other is not None:
        rule = f"{delimiter!r} must stand between the columns, but {other!r} does"
        ledger.refuse(f"{name}, line 1", "", rule, f"set `delimiter: {other!r}` in the mapping file")
        return _NOTHING
    if ragged:
        shown = ", ".join(f"line {line} has {count}" for line, count in ragged[:SHOWN])
        rule = f"every row must have the {len(header)} fields of the header"
        remedy = "quote fields that hold the delimiter, or set `delimiter` in the mapping file"
        ledger.refuse(name, f"{shown} ({len(ragged)} rows)", rule, remedy)
        return _NOTHING
    return header, rows, lines


def _decoded(raw: bytes, name: str, encoding: str, ledger: Ledger) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as broken:
        line = raw[: broken.start].count(b"\n") + 1
        found = raw[broken.start : broken.start + 4].hex(" ")
        remedy = "save it as UTF-8, or set `encoding` in the mapping file (gb18030 for Chinese Windows, cp1252)"
        where = f"{name}, line {line}, byte {broken.start}"
        ledger.refuse(where, found, f"must be {encoding} text: {broken.reason}", remedy)
        return None


def _excel(raw: bytes, name: str, sheet: str | None, ledger: Ledger) -> Raw:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        if not book.worksheets:
            ledger.refuse(name, "", "must be an Excel workbook with a sheet of cells", "export the table again")
            return _NOTHING
        page = book[sheet] if sheet else book.worksheets[0]
        # Writers of workbooks often state a size that is too small, and rows beyond it would be lost unseen.
        page.reset_dimensions()
        return _records(page.iter_rows(values_only=True))
    except Exception as broken:  # the parsers of the archive and of its pages raise whatever they stumble over
        rule = f"must be an Excel workbook: {_first_line(broken)}"
        ledger.refuse(name, "", rule, "open it in Excel and save it as .xlsx")
        return _NOTHING


def _records(rows: Iterable[Sequence[Any]]) -> Raw:
    iterator = iter(rows)
    header = [_text(cell).strip() for cell in next(iterator, ())]
    while header and not header[-1]:
        header.pop()
    records, lines = [], []
    for number, row in enumerate(iterator, start=2):
        cells = [_text(cell) for cell in row[: len(header)]]
        cells += [""] * (len(header) - len(cells))
        if any(cells):
            records.append(cells)
            lines.append(number)
    return header, records, lines


def _parquet(raw: bytes, name: str, ledger: Ledger) -> Raw:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(raw))
        columns = [[_text(cell) for cell in column.to_pylist()] for column in table.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as broken:
        ledger.refuse(name, "", f"must be a Parquet file: {_first_line(broken)}", "write the file again")
        return _NOTHING
    rows = [list(row) for row in zip(*columns, strict=True)]
    return list(table.column_names), rows, list(range(2, len(rows) + 2))


def _first_line(broken: Exception) -> str:
    return next(iter(str(broken).splitlines()), type(broken).__name__)


def _text(cell: Any) -> str:
    # A typed fraction is written with an exponent, the one form that no decimal or thousands sign can distort.
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return ""
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, float | Decimal):
        return f"{Decimal(repr(cell) if isinstance(cell, float) else cell):f}e0"
    return str(cell)
