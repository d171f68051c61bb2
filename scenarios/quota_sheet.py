"""Quotas from elsewhere: a table with a column of people and a column of quotas, read as a plan."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.base import major_units
from scenarios.documents import read_text
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.paths import near, some_of
from scenarios.plan import Plan, QuotaRow
from scenarios.scenario import Scenario
from scenarios.sheet_amounts import amounts, unit_of
from scenarios.tables import read_separated

PEOPLE = (
    *("rep", "id", "rep id", "sales rep", "name", "rep name", "salesperson", "seller", "employee", "employee id"),
    *("owner", "person", "姓名", "工号", "员工", "员工号", "销售", "销售员", "销售代表", "业务员", "代表", "人员"),
)
QUOTAS = (
    *("quota", "quotas", "target", "sales target", "sales quota", "revenue target", "annual quota", "annual target"),
    *(
        "指标",
        "目标",
        "配额",
        "任务",
        "销售指标",
        "销售目标",
        "销售任务",
        "年度指标",
        "年度目标",
        "业绩目标",
        "业绩指标",
    ),
)
PERIODS = (
    *("start", "end", "period", "from", "to", "date", "day", "week", "month", "quarter", "half", "half year"),
    *("开始", "结束", "期间", "周期", "日期", "周", "月", "月份", "季度", "半年"),
)
TOTALS = ("total", "grand total", "sum", "合计", "总计", "总和", "小计")
_SEPARATORS = (",", ";", "\t", "|", "，")
_UNIT = re.compile(r"(.+?)\s*[(\[](.+)[)\]]")


@dataclass(frozen=True)
class _Sheet:
    """What stands where: columns by number, scale of the quotas, columns that are not read."""

    person: tuple[int, ...]
    quota: int
    unit: int | None
    scale: int
    unread: tuple[str, ...]


def read_quota_sheet(path: Path, scenario: Scenario) -> Plan:
    """Quotas for the whole horizon from a CSV of people and amounts, as a plan; nothing else is decided by it.

    People are named by id or by a name that one person only has. Commas, semicolons, tabs, bars or full-width commas
    stand between the columns; amounts may be written as spreadsheets do. An empty cell is no quota, 0 is one of
    nothing. A last row of totals is checked and left out.

    Raises:
        InputRefused: all problems together: columns that are missing or not clear, unknown people, a person twice,
            amounts that are none, negative, in another currency or to be read in two ways.
    """
    if path.suffix.lower() in (".xlsx", ".xls", ".xlsm", ".ods", ".numbers"):
        raise InputRefused(Problem(str(path), "", "is a workbook, not a CSV", "save the sheet as CSV UTF-8"))
    text = read_text(path)
    separator = _separator(text)
    faults: list[Problem] = []
    lines = list(
        read_separated(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), path, faults)
    )
    if len(lines) < 2:
        raise InputRefused([*faults, Problem(path.name, "", "holds no quota", "write a header and a row a person")])
    header = [cell.strip() for cell in lines[0][1]]
    sheet = _columns(f"{path.name} line 1", header, scenario, faults)
    if sheet is None:
        raise InputRefused(faults)
    rows = dict(lines[1:])
    spot = f"{path.name} line {{}}, column {header[sheet.quota]}"
    if sheet.unit is not None:
        faults += _units(rows, sheet.unit, scenario, f"{path.name} line {{}}, column {header[sheet.unit]}")
    cells = {line: row[sheet.quota].strip() for line, row in rows.items() if row[sheet.quota].strip()}
    read = amounts(cells, spot, scenario.currency, separator, sheet.scale, faults)
    totals = [line for line, row in rows.items() if _plain(row[sheet.person[0]]) in TOTALS]
    people = _people(
        path.name, {line: row for line, row in rows.items() if line not in totals}, sheet, scenario, faults
    )
    asked = {line: read.minor[line] for line in people if line in read.minor}
    faults += _totals(spot, totals, read.minor, sum(asked.values()), rounded=len(read.rounded))
    if not asked and not faults:
        faults.append(Problem(path.name, "", "holds no quota", "fill the column of quotas"))
    refuse_if(faults)
    start, end = scenario.calendar.start, scenario.calendar.end
    notes = []
    if sheet.unread:
        notes.append(f"columns of {path.name} that are not read: {', '.join(sheet.unread)}")
    if read.rounded:
        notes.append(f"quotas of {path.name} rounded to two decimals: {len(read.rounded)}")
    quotas = tuple(QuotaRow(people[line], "revenue", start, end, value) for line, value in asked.items())
    return Plan(name=path.stem, origin="given", targets=quotas, notes=tuple(notes))


def _separator(text: str) -> str:
    """The sign between the columns: the one most often in the header, quoted cells aside."""
    first = re.sub(r'"[^"]*"', "", next((line for line in text.splitlines() if line.strip()), ""))
    return max(_SEPARATORS, key=first.count)


def _plain(title: str) -> str:
    """A title without case, width, and the signs that stand for spaces."""
    return re.sub(r"[\s_\-.]+", " ", unicodedata.normalize("NFKC", title)).strip().casefold()


def _columns(spot: str, header: Sequence[str], scenario: Scenario, faults: list[Problem]) -> _Sheet | None:
    titles, units = [], []
    for title in header:
        match = _UNIT.fullmatch(_plain(title))
        titles.append(match[1] if match else _plain(title))
        units.append(match[2] if match else "")
    people = tuple(i for i, title in enumerate(titles) if title in PEOPLE)
    quotas = [i for i, title in enumerate(titles) if title in QUOTAS]
    unit = next((i for i, title in enumerate(titles) if title in ("unit", "currency", "单位", "币种")), None)
    before = len(faults)
    if {"metric", "value"} <= {*titles}:
        faults.append(Problem(spot, "", "is a table of a plan", "give the folder that holds it and its plan.yaml"))
        return None
    for found, what, known in ((people, "people", PEOPLE), (quotas, "quotas", QUOTAS)):
        if not found:
            names = ", ".join(title for title in header if title)[:80]
            faults.append(Problem(spot, names, f"no column of {what}", f"name one of: {', '.join(known)}"))
    if len(quotas) > 1:
        shown = ", ".join(header[i] for i in quotas)
        faults.append(Problem(spot, shown, "more than one column may be the quotas", "keep one"))
    horizon = f"quotas must be of the whole horizon, {scenario.calendar.start} to {scenario.calendar.end}"
    for i, title in enumerate(titles):
        if title in PERIODS:
            faults.append(Problem(spot, header[i], horizon, "sum them up for each person and take the column away"))
    scale = 1
    for i in quotas[:1]:
        meant = unit_of(units[i])
        if meant is None:
            faults.append(Problem(spot, header[i], "the unit of the quotas is not known", f"write {scenario.currency}"))
        elif meant[0] not in ("", scenario.currency):
            faults.append(Problem(spot, header[i], _other_currency(meant[0], scenario), "convert the quotas"))
        else:
            scale = meant[1]
    if len(faults) > before:
        return None
    unread = tuple(title for i, title in enumerate(header) if i not in (*people, *quotas, unit) and title)
    return _Sheet(people, quotas[0], unit, scale, unread)


def _other_currency(named: str, scenario: Scenario) -> str:
    return f"is in {named}, the scenario is in {scenario.currency}"


def _units(rows: Mapping[int, Sequence[str]], column: int, scenario: Scenario, spot: str) -> Iterator[Problem]:
    for line, row in rows.items():
        cell = row[column].strip()
        meant = unit_of(cell)
        if meant is None or meant[1] != 1:
            yield Problem(spot.format(line), cell, f"must be {scenario.currency}", "convert the quota")
        elif meant[0] not in ("", scenario.currency):
            yield Problem(spot.format(line), cell, _other_currency(meant[0], scenario), "convert the quota")


def _people(
    file: str, rows: Mapping[int, Sequence[str]], sheet: _Sheet, scenario: Scenario, faults: list[Problem]
) -> dict[int, str]:
    """Whom each line is about, by every column that names people."""
    ids = {rep.id for rep in scenario.reps}
    named = defaultdict(list)
    for rep in scenario.reps:
        named[_plain(rep.name or rep.id)].append(rep.id)
    found: dict[int, str] = {}
    first: dict[str, int] = {}
    for line, row in rows.items():
        cells = [row[i].strip() for i in sheet.person if row[i].strip()]
        where, shown = f"{file} line {line}", ", ".join(cells)
        meant = [{cell} if cell in ids else {*named.get(_plain(cell), ())} for cell in cells]
        if not cells:
            faults.append(Problem(where, "", "a quota without a person", "say whose it is"))
            continue
        unknown = next((cell for cell, who in zip(cells, meant, strict=True) if not who), None)
        if unknown is not None:
            known = [*sorted(ids), *(rep.name for rep in scenario.reps if rep.name)]
            faults.append(Problem(where, unknown, "no rep of this id or name in the scenario", near(unknown, known)))
            continue
        who = set.intersection(*meant)
        if len(who) != 1:
            of = some_of(sorted(set.union(*meant)))
            faults.append(Problem(where, shown, f"must mean one person, means {of}", "name people by id"))
            continue
        (rep,) = who
        if rep in first:
            faults.append(Problem(where, shown, f"{rep} has a quota in line {first[rep]} already", "keep one"))
            continue
        first[rep] = line
        found[line] = rep
    return found


def _totals(spot: str, lines: Sequence[int], read: Mapping[int, int], total: int, *, rounded: int) -> Iterator[Problem]:
    for line in lines:
        # Each rounded amount is at most half a cent off, the total as well.
        if line in read and abs(read[line] - total) > (rounded + 1) // 2:
            rule = f"a total must be the sum of the quotas, {major_units(total)}"
            yield Problem(spot.format(line), str(major_units(read[line])), rule, "correct it or take the row away")
