"""Quotas from elsewhere: a table with a column of people and a column of quotas, read as a plan."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.documents import read_text
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.paths import near, some_of
from scenarios.plan import Plan, QuotaRow
from scenarios.scenario import Scenario
from scenarios.sheet_amounts import amounts, unit_of
from scenarios.sheet_totals import plain_title, total_rows, wrong_totals
from scenarios.tables import read_separated

PEOPLE = (
    *("rep", "id", "rep id", "sales rep", "name", "rep name", "salesperson", "seller", "employee", "employee id"),
    *("owner", "person", "姓名", "工号", "员工", "员工号", "销售", "销售员", "销售代表", "业务员", "代表", "人员"),
)
QUOTAS = (
    *("quota", "quotas", "target", "sales target", "sales quota", "revenue target", "annual quota", "annual target"),
    *("value", "amount", "金额", "数额"),
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
METRICS = ("metric", "kpi", "measure", "考核维度", "考核项", "指标类型", "指标名称")
SALES = ("revenue", "sales", "signed value", "bookings", "销售额", "签约额", "销售", "业绩")
"""What a column of metrics may say of quotas that are read here."""
_SEPARATORS = (",", ";", "\t", "|", "，")
HEADER_WITHIN = 20
"""Lines among which a header is looked for."""
_UNIT = re.compile(r"(.+?)\s*[(\[](.+)[)\]]")


@dataclass(frozen=True)
class _Sheet:
    """What stands where: columns by number, scale of the quotas, columns that are not read."""

    person: tuple[int, ...]
    quota: int
    unit: int | None
    metric: int | None
    scale: int
    unread: tuple[str, ...]


def read_quota_sheet(path: Path, scenario: Scenario) -> Plan:
    """Quotas for the whole horizon from a CSV of people and amounts, as a plan; nothing else is decided by it.

    People are named by id or by a name that one person only has. Commas, semicolons, tabs, bars or full-width commas
    stand between the columns; amounts may be written as spreadsheets do. An empty cell is no quota, 0 is one of
    nothing. Rows of totals, of everybody, of a team or of the rows above, are checked and left out.

    Raises:
        InputRefused: all problems together: columns that are missing or not clear, lines above the header, unknown
            people, a person twice, another metric than sales, totals that do not add up, amounts that are none,
            negative, in another currency or unit, or to be read in two ways.
    """
    _require_text(path)
    text = read_text(path)
    separator = _separator(text)
    faults: list[Problem] = []
    text = _from_header_on(path.name, text, separator, faults)
    lines = list(
        read_separated(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), path, faults)
    )
    if lines and _holds_data(lines[0][1], scenario):
        shown = ", ".join(cell.strip() for cell in lines[0][1])[:80]
        rule = "the first line is a person's row: it has to be the header"
        faults.append(Problem(f"{path.name} line {lines[0][0]}", shown, rule, "put a line such as rep,quota above it"))
        raise InputRefused(faults)
    if len(lines) < 2:
        raise InputRefused([*faults, Problem(path.name, "", "holds no quota", "write a header and a row a person")])
    header = [cell.strip() for cell in lines[0][1]]
    sheet = _columns(f"{path.name} line {lines[0][0]}", header, scenario, faults)
    if sheet is None:
        raise InputRefused(faults)
    rows = dict(lines[1:])
    spot = f"{path.name} line {{}}, column {header[sheet.quota]}"
    if sheet.unit is not None:
        faults += _units(rows, sheet.unit, scenario, f"{path.name} line {{}}, column {header[sheet.unit]}")
    if sheet.metric is not None:
        faults += _metrics(rows, sheet.metric, f"{path.name} line {{}}, column {header[sheet.metric]}")
    cells = {line: row[sheet.quota].strip() for line, row in rows.items() if row[sheet.quota].strip()}
    read = amounts(cells, spot, scenario.currency, separator, sheet.scale, faults)
    totals = total_rows({line: row[sheet.person[0]] for line, row in rows.items()}, scenario)
    summed = {row.line for row in totals}
    of_people = {line: row for line, row in rows.items() if line not in summed}
    people = _people(path.name, of_people, sheet, scenario, faults)
    asked = {line: read.minor[line] for line in people if line in read.minor}
    faults += wrong_totals(spot, totals, people, read.minor, read.rounded)
    if not asked and not faults:
        faults.append(Problem(path.name, "", "holds no quota", "fill the column of quotas"))
    refuse_if(sorted(faults, key=_line_of))
    start, end = scenario.calendar.start, scenario.calendar.end
    notes = []
    if sheet.unread:
        notes.append(f"columns of {path.name} that are not read: {', '.join(sheet.unread)}")
    if read.rounded:
        notes.append(f"quotas of {path.name} rounded to two decimals: {len(read.rounded)}")
    without = [rep.id for rep in scenario.reps if rep.id not in {people[line] for line in asked}]
    if without:
        notes.append(f"people without a quota in {path.name}: {some_of(without)}")
    quotas = tuple(QuotaRow(people[line], "revenue", start, end, value) for line, value in asked.items())
    return Plan(name=path.stem, origin="given", targets=quotas, notes=tuple(notes))


def _separator(text: str) -> str:
    """The sign between the columns: the one most often in the first line that has any, quoted cells aside."""
    lines = [re.sub(r'"[^"]*"', "", line) for line in text.splitlines()[:HEADER_WITHIN]]
    first = next((line for line in lines if any(sign in line for sign in _SEPARATORS)), "")
    return max(_SEPARATORS, key=first.count)


def _line_of(problem: Problem) -> int:
    """Where a problem stands, so that a file is mended from top to bottom."""
    match = re.search(r" line (\d+)", problem.where)
    return int(match[1]) if match else 0


_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of spreadsheet programs begin, whatever they are called."""


def _require_text(path: Path) -> None:
    """Refuse workbooks and web pages, by their names or by how they begin."""
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError:
        return  # Told where the text is read.
    suffixes = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
    if path.suffix.lower() in suffixes or start.startswith(_WORKBOOKS):
        raise InputRefused(Problem(str(path), "", "is a workbook, not a CSV", "save the sheet as CSV UTF-8"))
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        rule = "is a web page or XML, not a CSV"
        raise InputRefused(Problem(str(path), "", rule, "open it in a spreadsheet and save the sheet as CSV UTF-8"))


def _from_header_on(file: str, text: str, separator: str, faults: list[Problem]) -> str:
    """The text with what stands above its header blanked out and told; as it is where no header is to be found."""
    lines = text.splitlines()
    for at, line in enumerate(lines[:HEADER_WITHIN]):
        titles = {_title(cell)[0] for cell in line.split(separator)}
        if titles & {*PEOPLE} and titles & {*QUOTAS}:
            above = [number for number, one in enumerate(lines[:at], start=1) if one.strip(f"{separator} ")]
            for number in above:
                shown = lines[number - 1].strip(f"{separator} ")[:80]
                rule = f"stands above the header, which is line {at + 1}"
                faults.append(Problem(f"{file} line {number}", shown, rule, "take the line away"))
            return "\n" * at + "\n".join(lines[at:]) if above else text
    return text


def _holds_data(row: Sequence[str], scenario: Scenario) -> bool:
    """Whether a row that should be the header names a person and an amount."""
    names = {plain_title(name) for rep in scenario.reps for name in (rep.id, rep.name) if name}
    titles = [plain_title(cell) for cell in row]
    return any(title in names for title in titles) and any(title[:1].isdigit() for title in titles)


def _title(cell: str) -> tuple[str, str]:
    """What a column is called, and the unit behind it in brackets."""
    plain = plain_title(cell.strip('"'))
    match = _UNIT.fullmatch(plain)
    return (match[1], match[2]) if match else (plain, "")


def _columns(spot: str, header: Sequence[str], scenario: Scenario, faults: list[Problem]) -> _Sheet | None:
    titles, units = zip(*map(_title, header), strict=True)
    people = tuple(i for i, title in enumerate(titles) if title in PEOPLE)
    quotas = [i for i, title in enumerate(titles) if title in QUOTAS]
    unit = next((i for i, title in enumerate(titles) if title in ("unit", "currency", "单位", "币种")), None)
    before = len(faults)
    metric = next((i for i, title in enumerate(titles) if title in METRICS), None)
    if {"metric", "value", "start", "end"} <= {*titles}:
        faults.append(Problem(spot, "", "is a table of a plan", "give the folder that holds it and its plan.yaml"))
        return None
    needed = {
        "no column of people": (people, "rep, id, name, 姓名, 工号"),
        "no column of quotas": (quotas, "quota, target, 指标, 目标"),
    }
    for rule, (found, known) in needed.items():
        if not found:
            names = ", ".join(title for title in header if title)[:80]
            faults.append(Problem(spot, names, rule, f"name it as one of: {known}"))
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
    unread = tuple(title for i, title in enumerate(header) if i not in (*people, *quotas, unit, metric) and title)
    return _Sheet(people, quotas[0], unit, metric, scale, unread)


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


def _metrics(rows: Mapping[int, Sequence[str]], column: int, spot: str) -> Iterator[Problem]:
    for line, row in rows.items():
        cell = row[column].strip()
        if cell and plain_title(cell) not in SALES:
            rule = "is another metric: a table of quotas is read for sales alone"
            yield Problem(spot.format(line), cell, rule, "take the row away, or set this target in the scenario")


def _people(
    file: str, rows: Mapping[int, Sequence[str]], sheet: _Sheet, scenario: Scenario, faults: list[Problem]
) -> dict[int, str]:
    """Whom each line is about, by every column that names people."""
    ids = {rep.id for rep in scenario.reps}
    named = defaultdict(list)
    for rep in scenario.reps:
        named[plain_title(rep.name or rep.id)].append(rep.id)
    found: dict[int, str] = {}
    first: dict[str, int] = {}
    for line, row in rows.items():
        cells = [row[i].strip() for i in sheet.person if row[i].strip()]
        where, shown = f"{file} line {line}", ", ".join(cells)
        meant = [{cell} if cell in ids else {*named.get(plain_title(cell), ())} for cell in cells]
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
