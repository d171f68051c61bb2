"""Quotas from elsewhere: what is clear is read, what is not is refused in words, all of it together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import quotalab
from command_line import Run, only_json
from scenarios.errors import InputRefused
from scenarios.quota_sheet import read_quota_sheet
from scenarios.scenario import Scenario

ASKED = {"E1": 620000_00, "E2": 512345_50, "E3": 450000_00}


def sheet(folder: Path, text: str, encoding: str = "utf-8", name: str = "quotas.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


CLEAR = {
    "plain": "rep,quota\nE1,620000\nE2,512345.50\nE3,450000\n",
    "names and a title in other case": "Sales Rep,Annual_Quota\n陈立,620000\n王芳,512345.5\n李雷,450000.00\n",
    "Windows line ends and blank lines": "rep,quota\r\n\r\nE1,620000\r\nE2,512345.50\r\nE3,450000\r\n,\r\n",
    "semicolons and decimal commas": "rep;quota\nE1;620.000,00\nE2;512.345,50\nE3;450.000\n",
    "thousands in quotes": 'rep,quota\nE1,"620,000"\nE2,"512,345.50"\nE3," 450,000 "\n',
    "spaces and apostrophes": "rep\tquota\nE1\t620 000\nE2\t512'345.50\nE3\t450\u00a0000\n",
    "signs of the currency": 'rep,quota\nE1,"¥620,000"\nE2,"CNY 512,345.50"\nE3,450000元\n',
    "Chinese, full width": "工号，姓名，目标（元）\nE1，陈立，６２００００\nE2，王芳，512345.50\nE3，李雷，450000\n",
    "tens of thousands": "姓名,指标（万元）\n陈立,62\n王芳,51.23455\n李雷,45\n",
    "tens of thousands in cells": "姓名,指标\n陈立,62万\n王芳,512345.50\n李雷,45 万元\n",
    "a metric that says sales": "rep,metric,value\nE1,revenue,620000\nE2,Sales,512345.5\nE3,,450000\n",
    "a unit in cells and in the title": "姓名,指标（万元）\n陈立,62万元\n王芳,51.23455\n李雷,¥45\n",
    "subtotals and totals of teams": (
        "rep,quota\nE1,620000\nE2,512345.5\nSubtotal,1132345.5\nE3,450000\n二组小计,450000\n"
        "T1 Total,1132345.5\n合计：,1582345.5\n"
    ),
    "a row of totals and a unit": "rep,unit,quota\nE1,CNY,620000\nE2,CNY,512345.5\nE3,CNY,450000\n合计,CNY,1582345.5\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("name", CLEAR)
def test_what_is_clear_is_read(tiny: Scenario, tmp_path: Path, name: str, encoding: str) -> None:
    plan = read_quota_sheet(sheet(tmp_path, CLEAR[name], encoding), tiny)
    assert plan.quotas() == ASKED
    assert plan.notes == ()
    assert {(row.start, row.end) for row in plan.targets} == {(tiny.calendar.start, tiny.calendar.end)}


def test_what_is_left_out_and_rounded_is_told(tiny: Scenario, tmp_path: Path) -> None:
    text = "rep,Comment,quota\nE1,new,333333.333333\nE2,,\nE3,,0\nTotal,,333333.33\n"
    plan = read_quota_sheet(sheet(tmp_path, text), tiny)
    assert plan.quotas() == {"E1": 333333_33, "E3": 0}
    assert plan.notes == (
        "columns of quotas.csv that are not read: Comment",
        "quotas of quotas.csv rounded to two decimals: 1",
        "people without a quota in quotas.csv: E2",
    )


FAULTY = {
    "no column of people": ("who,quota\nE1,1\n", ["who, quota: no column of people", "name it as one of: rep, id"]),
    "neither column": ("a,b\nE1,1\n", ["no column of people", "no column of quotas"]),
    "two columns of quotas": ("rep,quota,目标\nE1,1,2\n", ["quota, 目标: more than one column may be the quotas"]),
    "quotas of quarters": ("rep,quarter,quota\nE1,1,5\nE1,2,5\n", ["quarter: quotas must be of the whole horizon"]),
    "an unknown unit": ("rep,quota (k)\nE1,5\n", ["the unit of the quotas is not known"]),
    "another currency in the title": ("rep,quota (EUR)\nE1,5\n", ["is in EUR, the scenario is in CNY"]),
    "another currency beside": ("rep,quota,currency\nE1,5,USD\n", ["line 2, column currency = USD: is in USD"]),
    "another currency in cells": ("rep,quota\nE1,$5\nE2,5 €\n", ["$5: is in USD", "5 €: is in EUR"]),
    "a table of a plan": ("rep,metric,start,end,value,unit\n", ["holds no quota"]),
    "a table of a plan with rows": (
        "rep,metric,start,end,value,unit\nE1,revenue,2026-01-01,2026-04-01,5,CNY\n",
        ["is a table of a plan"],
    ),
    "nothing": ("", ["holds no quota"]),
    "no rows": ("rep,quota\n", ["holds no quota"]),
    "empty cells only": ("rep,quota\nE1,\n", ["holds no quota"]),
    "two ways": ("rep\tquota\nE1\t1,234\n", ["1,234: may be read in two ways"]),
    "two ways, decimals of a spreadsheet": ("rep,quota\nE1,100.125\n", ["100.125: may be read in two ways"]),
    "signs of two programs": (
        'rep,quota\nE1,"1,234.5"\nE2,"1.234,5"\n',
        ["line 2, 3, column quota = 1,234.5 and 1.234,5: decimals are written with a point in line 2, with a comma in"],
    ),
    "signs of two programs in many lines": (
        "rep;quota\n" + "E1;1,234.56\n" * 9 + "E2;1.234,56\n",
        ["with a point in line 2, 3, 4, 5, 6, 7 and 3 more, with a comma in line 11"],
    ),
    "semicolons and no header": (
        "E1;620000\nE2;512345\n",
        ["line 1 = E1, 620000: the first line is a person's row", "put a line such as rep,quota above it"],
    ),
    "names and no header": ("陈立,62\n王芳,50\n", ["line 1 = 陈立, 62: the first line is a person's row"]),
    "a title above the header": (
        "Quotas of 2026\n\nrep;quota\nE1;5\nE9;6\n",
        ["line 1 = Quotas of 2026: stands above the header, which is line 3", "line 5 = E9: no rep of this id"],
    ),
    "another metric": (
        "rep,metric,quota\nE1,revenue,5\nE2,orders,7\nE3,毛利,8\n",
        ["line 3, column metric = orders: is another metric", "line 4, column metric = 毛利: is another metric"],
    ),
    "percentages": (
        "rep,quota\nE1,8%\nE2,５％\n",
        ["line 2, column quota = 8%: is a percentage", "line 3, column quota = ５％: is a percentage"],
    ),
    "yuan in a column of ten thousands": (
        "姓名,指标（万元）\n陈立,62\n王芳,500000元\n",
        ["line 3, column 指标（万元） = 500000元: names another unit than the title of its column"],
    ),
    "no amounts": (
        "rep,quota\nE1,tbd\nE2,-\n",
        ["line 2, column quota = tbd: is no number", "line 3, column quota = -: is no number", "leave the cell empty"],
    ),
    "a wrong subtotal": (
        "rep,quota\nE1,5\n小计,6\nE2,7\n合计,12\n",
        ["line 3, column quota = 6: a total must be the sum of the quotas, 5"],
    ),
    "a wrong total of a team": (
        "rep,quota\nE1,5\nE3,7\n一组合计,12\n",
        ["line 4, column quota = 12: a total must be the sum of the quotas, 5"],
    ),
    "a web page": (
        "<html><table><tr><td>E1</td></tr></table>",
        ["is a web page or XML", "save the sheet as CSV UTF-8"],
    ),
    "a wrong total": ("rep,quota\nE1,5\nE2,6\n总计,12\n", ["12: a total must be the sum of the quotas, 11"]),
    "a name and another's id": ("工号,姓名,指标\nE1,王芳,5\n", ["E1, 王芳: must mean one person, means E1, E2"]),
    "a row too long": ("rep,quota\nE1,1,234\n", ["the row has 3 cells, the header has 2"]),
    "an open quote": ('rep,quota\nE1,"5\n', ["not valid CSV"]),
    "far too much": ("rep,quota\nE1,99999999999999999999\n", ["must stay below 4.6e16"]),
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_is_not_clear_is_refused_in_words(tiny: Scenario, tmp_path: Path, name: str) -> None:
    text, told = FAULTY[name]
    with pytest.raises(InputRefused) as refused:
        read_quota_sheet(sheet(tmp_path, text), tiny)
    for words in told:
        assert words in str(refused.value), str(refused.value)


def test_all_problems_of_a_sheet_are_told_together(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    text = "rep,quota\nE1,-5\nE11,7\nE2,abc\nE2,(3)\nE3,1.2E+05\n,9\nE1,8%\n"
    code, out, err = command("audit", tiny_file, "-n", "2", "--plan", sheet(tmp_path, text))
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    for words in (
        "quotas.csv line 2, column quota = -5: a quota must not be negative",
        "quotas.csv line 3 = E11: no rep of this id or name",
        "quotas.csv line 4, column quota = abc: is no number",
        "quotas.csv line 5, column quota = (3): a quota must not be negative",
        "quotas.csv line 5 = E2: E2 has a quota in line 4 already",
        "quotas.csv line 6, column quota = 1.2E+05: is no number",
        "quotas.csv line 7: a quota without a person",
        "quotas.csv line 8, column quota = 8%: is a percentage, not an amount",
    ):
        assert words in err, err
    lines = [int(found) for found in re.findall(r"quotas.csv line (\d+)", err)]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("name", "encoding", "told"),
    [
        ("quotas.xlsx", "utf-8", "save the sheet as CSV UTF-8"),
        ("quotas.csv", "gb18030", "it looks like GBK"),
        ("quotas.csv", "utf-16", "it looks like UTF-16"),
        ("quotas.csv", "utf-16-le", "it looks like UTF-16"),
        ("quotas.ods", "utf-8", "is a workbook, not a CSV"),
    ],
)
def test_other_files_are_refused_with_a_way_out(
    command: Run, tiny_file: Path, tmp_path: Path, name: str, encoding: str, told: str
) -> None:
    path = sheet(tmp_path, "姓名,指标\n陈立,5\n", encoding, name)
    code, _, err = command("audit", tiny_file, "-n", "2", "--plan", path)
    assert code == 1
    assert told in err


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_workbook_is_known_by_how_it_begins(tiny: Scenario, tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "quotas.csv"
    path.write_bytes(start + b"\0" * 100)
    with pytest.raises(InputRefused, match="is a workbook, not a CSV"):
        read_quota_sheet(path, tiny)


def test_quotas_from_elsewhere_are_audited_and_simulated(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    text = "姓名;指标（万元）;备注\n陈立;62,5;\n王芳;50;新\n李雷;;\n合计;112,5;\n"
    path = sheet(tmp_path, text, "utf-8-sig", "外部.csv")
    asked = ("audit", tiny_file, "-n", "8", "-o", "a", "--plan", path)
    code, out, _ = command(*asked, "--language", "zh")
    assert code == 0
    assert "未计入（无指标或无市场潜力）：E3" in out
    assert "外部.csv 中未读取的列：备注" in out
    found = only_json(command(*asked, "--json", "-q")[1])
    assert {row["rep"]: row["quota"] for row in found["people"]} == {"E1": 625_000, "E2": 500_000}
    same = quotalab.fairness_audit(quotalab.load(tiny_file), path, replications=8)
    assert [row.quota for row in same.people] == [625_000_00, 500_000_00]
    code, out, err = command("simulate", tiny_file, "-n", "2", "--plan", path)
    assert code == 0, err
