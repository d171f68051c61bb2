"""Read a CRM export into a :class:`History`, the one form in which the rest of the package sees the past.

A folder or file (CSV, CSV.gz, Excel, Parquet) is read with a mapping file. Every problem of the export is
reported at once; whatever is repaired or dropped is counted in ``History.quality``.
"""

from __future__ import annotations

import datetime as dt
import difflib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from history.cells import labels
from history.deals import read_deals
from history.edges import left_edge, remark_gaps
from history.events import read_log
from history.joins import fill, fixed, missing_columns, side_table
from history.mapping import Columns, Join, Mapping
from history.mapping_files import load_mapping
from history.quality import Ledger, Remark
from history.record import Log
from history.tables import SourceFile, Table, find_tables, main_file, read_table, sheet_names
from scenarios.errors import InputRefused, Problem, refuse_if


@dataclass(frozen=True, eq=False)
class History:
    """What really happened, as far as it was known on the data date.

    Attributes:
        kind: ``opportunities`` (states only) or ``events`` (the way through the stages is known).
        opportunities: one row each, in the order of (created, id). Columns: ``id``, ``rep``, ``team``, ``region``,
            ``account``, ``segment``, ``product``, ``source``, ``account_owner`` (all ``string``, ``<NA>`` where
            the export has none); ``created``, ``closed`` (``datetime64[ms, time_zone]``, closed is ``NaT`` while
            open); ``stage`` (where it is, or where it was lost; the last stage for a win; ``<NA>`` where a state
            list tells only the result); ``outcome`` (``won``, ``lost``, ``open``); ``value_minor`` (``Int64``,
            signed value in 1/100 of ``currency``, or the amount asked or expected where it is not won).
        visits: one row per case and stage reached, in the order of (entered, id); empty for state lists. Columns:
            ``id``, ``stage``, ``rep`` (the first person who worked the visit, else the one who decided it),
            ``decided_by`` (the person who recorded its end), ``workers`` (different people seen working),
            ``entered``, ``work_started``, ``work_ended``, ``left``, ``outcome`` (``advanced``, ``lost``,
            ``open``; from the last stage ``advanced`` is a win), ``hands_on_ms`` (``Int64``, ``<NA>`` where no
            work was logged).
        work: one row per piece of work: ``id``, ``stage``, ``activity``, ``rep``, ``started``, ``ended``,
            ``hands_on_ms`` (``Int64``; ``<NA>`` where an end is missing or the piece is too long to be work).
        reps, accounts, products: side tables, one row per ``id``, with the columns that the mapping joins
            (``team``, ``region``, ``segment``, ``family``, ``list_price_minor``, ...); reps and accounts of
            the opportunities are always present.
        stages: in the order of the funnel.
        snapshot: the data date; nothing later is known.
        observed_from: if not None, deals that ended before it are missing from the export although deals created
            before it are present; durations of those are left-truncated there.
        currency: ISO code of all amounts.
        time_zone: of all times.
        source_files: what was read.
        quality: remarks on the data.
    """

    kind: str
    opportunities: pd.DataFrame
    visits: pd.DataFrame
    work: pd.DataFrame
    reps: pd.DataFrame
    accounts: pd.DataFrame
    products: pd.DataFrame
    stages: tuple[str, ...]
    snapshot: pd.Timestamp
    observed_from: pd.Timestamp | None
    currency: str
    time_zone: str
    source_files: tuple[SourceFile, ...]
    quality: tuple[Remark, ...]

    def found(self, kind: str) -> Remark | None:
        """The finding of this kind, if there is one."""
        return next((finding for finding in self.quality if finding.kind == kind), None)


def read_history(
    path: str | Path,
    mapping: Mapping | str | Path,
    snapshot: str | dt.date | None = None,
) -> History:
    """Read an export.

    Args:
        path: a file, or a folder with one table per file.
        mapping: a mapping, the path of a mapping file, or the name of a preset.
        snapshot: the data date. A plain date includes that day. What happened later is taken out, and cases that
            ended later are open again. Default: the latest date seen.

    Returns:
        The history, with ``quality`` listing what was repaired, dropped or needs care.

    Raises:
        InputRefused: all problems of the mapping or the export together.
    """
    rules = mapping if isinstance(mapping, Mapping) else load_mapping(mapping)
    data_date = None if snapshot is None else _data_date(snapshot, rules.time_zone)
    ledger = Ledger()
    place = Path(path)
    file = main_file(place, rules.table, ledger)
    if file is None:
        raise InputRefused(ledger.problems)
    tables = _Tables(file, rules, ledger)
    main = tables.main()
    found = _columns(main, rules, ledger) if main is not None else {}
    sides: dict[str, pd.DataFrame] = {}
    for join in rules.joins:
        sides[join.to] = side_table(join, tables.side(join), rules, ledger)
    if main is None or ledger.problems:
        raise InputRefused(ledger.problems)
    fields = _fields(main, found, rules, ledger)
    read = read_log if rules.kind == "events" else read_deals
    log = read(fields, main.lines, main.name, rules, data_date, ledger)
    refuse_if(ledger.problems)
    return _assemble(log, sides, tables, rules, ledger)


class _Tables:
    """The tables of one export: the main one, and side tables from its folder or workbook."""

    def __init__(self, file: Path, rules: Mapping, ledger: Ledger) -> None:
        self.file, self.rules, self.ledger = file, rules, ledger
        self.sheets = sheet_names(file)
        self.sources: list[SourceFile] = []

    def main(self) -> Table | None:
        sheet = self.rules.table if self.rules.table in self.sheets else None
        return self._read(self.file, sheet)

    def side(self, join: Join) -> Table | None:
        if join.table in self.sheets:
            return self._read(self.file, join.table)
        files = find_tables(self.file)
        if join.table in files:
            return self._read(files[join.table], None)
        if join.optional:
            what = f"side table {join.table!r} of {join.to} is absent"
            self.ledger.note("absent_table", 1, 1, what, f"no {', '.join(join.columns)} by {join.to}")
            return None
        near = difflib.get_close_matches(join.table, [*files, *self.sheets], n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "put it beside the main table"
        remedy = f"{hint} Or set `optional: true` for this join in the mapping file"
        self.ledger.refuse(self.file.name, join.table, f"the side table of {join.to} must exist", remedy)
        return None

    def _read(self, file: Path, sheet: str | None) -> Table | None:
        table = read_table(file, self.rules.encoding, self.rules.delimiter, self.ledger, sheet)
        if table is not None:
            self.sources.append(table.source)
        return table


def _data_date(given: str | dt.date, time_zone: str) -> pd.Timestamp:
    problem = Problem("snapshot", str(given), "must be a date or time", "write it as 2025-12-31")
    try:
        moment = pd.Timestamp(given)
    except ValueError:
        raise InputRefused(problem) from None
    if pd.isna(moment):
        raise InputRefused(problem)
    plain = len(given.strip()) <= 10 if isinstance(given, str) else not isinstance(given, dt.datetime)
    if moment.tzinfo is None:
        moment = moment.tz_localize(time_zone)
    whole_day = pd.Timedelta(days=1) - pd.Timedelta(milliseconds=1) if plain else pd.Timedelta(0)
    return (moment + whole_day).tz_convert(time_zone).as_unit("ms")


_REQUIRED = {
    "opportunities": ("id", "rep", "stage", "created", "closed", "value"),
    "events": ("id", "activity", "time"),
}


def _columns(main: Table, rules: Mapping, ledger: Ledger) -> dict[str, str]:
    """Field -> column of the file; lacking columns are noted as problems or findings."""
    header = main.cells.columns
    found: dict[str, str] = {}
    lacking: list[str] = []
    for field in Columns.model_fields:
        names = getattr(rules.columns, field)
        present = [name for name in names if name in header]
        if present:
            found[field] = present[0]
        elif names and (len(names) == 1 or field in _REQUIRED[rules.kind]):
            missing_columns(header, list(names[:1]), main.name, ledger)
        elif names:
            lacking.append(field)
    consequence = f"nothing can be compared by {', '.join(lacking)}"
    ledger.note("absent_field", len(lacking), len(Columns.model_fields), f"{main.name} lacks fields", consequence)
    return found


_AS_WRITTEN = {"created", "closed", "time", "value"}


def _fields(main: Table, found: dict[str, str], rules: Mapping, ledger: Ledger) -> pd.DataFrame:
    columns = {}
    for field, column in found.items():
        cells = main.cells[column]
        if field in _AS_WRITTEN:
            columns[field] = cells
            continue
        names = labels(cells, field in rules.integers)
        columns[field] = fixed(names, field, main.name, rules, ledger)
    return pd.DataFrame(columns)


def _assemble(log: Log, sides: dict[str, pd.DataFrame], tables: _Tables, rules: Mapping, ledger: Ledger) -> History:
    opportunities = log.opportunities
    complete = {}
    for to in ("rep", "account", "product"):
        side = sides.get(to, pd.DataFrame({"id": pd.Series(dtype="string")}))
        opportunities, complete[to] = fill(opportunities, to, side, ledger)
    remark_gaps(opportunities, ledger)
    return History(
        kind=rules.kind,
        opportunities=opportunities,
        visits=log.visits,
        work=log.work,
        reps=complete["rep"],
        accounts=complete["account"],
        products=complete["product"],
        stages=rules.stage_names,
        snapshot=log.snapshot,
        observed_from=left_edge(opportunities, ledger),
        currency=log.currency,
        time_zone=rules.time_zone,
        source_files=tuple(tables.sources),
        quality=tuple(ledger.remarks),
    )
