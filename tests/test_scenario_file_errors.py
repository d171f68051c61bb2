"""Faults of scenario files are told with file and line: tables, YAML, encodings, what-ifs."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.errors import InputRefused
from scenarios.files import load

YAML = """name: little world
calendar: {start: 2026-01-01, end: 2027-01-01}
regions: [{id: north}]
teams: [{id: T, region: north}]
stages:
  - id: talk
    effort_hours: {family: fixed, value: 1}
    conversion: 0.5
"""


def folder(path: Path, yaml: str = YAML, **tables: str | bytes) -> Path:
    path.mkdir(exist_ok=True)
    (path / "scenario.yaml").write_text(yaml, encoding="utf-8")
    tables = {"reps": "id,team\nE1,T\n"} | tables
    for name, text in tables.items():
        (path / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused_files(path: Path) -> list[str]:
    with pytest.raises(InputRefused) as refused:
        load(path)
    return [str(problem) for problem in refused.value.problems]


def test_faults_of_several_files_come_together_with_their_lines(tmp_path: Path) -> None:
    yaml = YAML.replace("conversion: 0.5", "conversion: 1.5\n    colour: red")
    reps = "id,team,hours_per_week,nick\nE1,T,forty,a\nE2,X,40,b\nE3,T\n"
    absences = "rep,first,last\nE1,2026-01-05,2026-01-09\nE7,2026-01-05,soon\n"
    assert refused_files(folder(tmp_path / "w", yaml, reps=reps, absences=absences)) == [
        "reps.csv line 1 = nick: no such column -> known: id, name, team, region, role, level, skills, effort_factor, "
        "conversion_logit, hours_per_week, hired, leaves, successor, lead_weight, ...",
        "reps.csv line 4: the row has 2 cells, the header has 4 -> quote cells that hold commas",
        "scenario.yaml line 8: stages.talk.conversion = 1.5: must be <= 1 -> a share is written 0.45, not 45 or 45 %",
        "scenario.yaml line 9: stages.talk.colour = colour: no such field -> known: id, name, role, effort_hours, "
        "delay_days, loss_delay_days, conversion, after_win, skill_weights, patience_days, when_cold, recycle, "
        "activities, support",
        "reps.csv line 2: reps.E1.hours_per_week = 'forty': must be a number -> write a plain number without quotes, "
        "unit or thousands separator; the field's name holds the unit",
        "absences.csv line 3: absences.1.last = 'soon': must be a date of the calendar -> write YYYY-MM-DD",
        "reps.csv line 3: reps.E2.team = X: names nothing in teams -> known: T",
    ]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            "id,team,name\nE1,T,a\nE2,T,陈立\n".encode("gbk"),
            "reps.csv line 3 = byte 0xb3: the file is not UTF-8, it looks like GBK",
        ),
        ("id,team\nE1,T\n".encode("utf-16"), "reps.csv: the file is not UTF-8, it looks like UTF-16"),
        (b"id,team\nE1,T\xff\n", "reps.csv line 2 = byte 0xff: the file is not UTF-8"),
    ],
)
def test_other_encodings_are_refused_in_their_place(tmp_path: Path, raw: bytes, told: str) -> None:
    assert refused_files(folder(tmp_path / "w", reps=raw)) == [f"{told} -> save it as UTF-8 (in Excel: CSV UTF-8)"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("", "reps.csv: the file is empty -> write a header line and at least one row"),
        ("id,team\n", "reps.csv: has a header and no row below it -> write at least one row"),
        ("id,team\nE1,T,x\n", "reps.csv line 2: the row has 3 cells, the header has 2 -> quote cells that hold commas"),
        ('id,team\n"E1,T\n', "reps.csv line 2: not valid CSV: unexpected end of data -> check the quotes"),
        (
            "id;team\nE1;T\nE2;T\n",
            "reps.csv line 1 = semicolons: commas must stand between the columns -> save it as CSV UTF-8 with commas",
        ),
        ("id,teem\nE1,T\nE2,T\n", "reps.csv line 1 = teem: no such column -> did you mean team?"),
        (
            "E1,T\nE2,T\n",
            "reps.csv line 1 = E1, T: the first line names no known column: it has to be the header "
            "-> put a header above the rows: id, team, ...",
        ),
        (
            "id|team\nE1|T\n",
            "reps.csv line 1 = vertical bars: commas must stand between the columns "
            "-> save it as CSV UTF-8 with commas",
        ),
        ("id,,team\nE1,x,T\n", "reps.csv line 1: a column has cells and no name -> name it, or empty its cells"),
        (
            "id,team,hired\nE1,T,45200\n",
            "reps.csv line 2: reps.E1.hired = '45200': must be a date of the calendar -> it reads like a spreadsheet's "
            "number of a day: format the column as YYYY-MM-DD and save it again",
        ),
        (
            'id,team,quota\nE1,T,"1.234,56"\n',
            "reps.csv line 2: reps.E1.quota = '1.234,56': an amount of money must be a number, got '1.234,56' -> write "
            "a plain number such as 1234.56: no thousands separator, no decimal comma, no unit",
        ),
        ("id,name\nE1,x\nE2,y\n", "reps.csv line 1 = team: this column is required but missing -> add it"),
        ("id,team,team\nE1,T,T\n", "reps.csv line 1 = team: column given twice -> keep one"),
        (
            "id,team,skills\nE1,T,3\n",
            "reps.csv line 1 = skills: this field takes one column per key -> for example skills.NAME",
        ),
    ],
)
def test_broken_tables(tmp_path: Path, table: str, told: str) -> None:
    assert refused_files(folder(tmp_path / "w", reps=table)) == [told]


def test_columns_and_rows_that_hold_nothing_are_none(tmp_path: Path) -> None:
    spaced = "id,team,,\nE1,T,,\n,,,\nE2,T,,,,\n\n"
    assert [rep.id for rep in load(folder(tmp_path / "w", reps=spaced)).reps] == ["E1", "E2"]


def test_a_needed_table_that_is_not_there_is_named_as_a_file(tmp_path: Path) -> None:
    place = folder(tmp_path / "w")
    (place / "reps.csv").rename(place / "people.csv")
    with pytest.warns(
        UserWarning, match=r"not read in .*: people\.csv; tables of a scenario are called reps, accounts"
    ):
        told = refused_files(place)
    assert told == [
        "reps.csv: is not there, and scenario.yaml has no reps either -> put the table beside scenario.yaml"
    ]


def test_a_table_is_no_scenario(tmp_path: Path) -> None:
    place = folder(tmp_path / "w")
    with pytest.raises(InputRefused, match=rf"is a table, not a scenario -> give its folder, {place}"):
        load(place / "reps.csv")


def test_a_table_without_rows_may_go_where_nothing_needs_it(tmp_path: Path) -> None:
    assert refused_files(folder(tmp_path / "w", accounts="id,tier,region\n")) == [
        "accounts.csv: has a header and no row below it -> write at least one row, or remove the file if there is "
        "nothing for accounts to list"
    ]


def test_a_folder_in_the_place_of_a_table_is_not_passed_over(tmp_path: Path) -> None:
    path = folder(tmp_path / "w", reps="id,team\nE1,T\n")
    (path / "accounts.csv").mkdir()
    (told,) = refused_files(path)
    assert told.endswith("accounts.csv: cannot be read: Is a directory -> check the path")


def test_sections_of_tables_beside_extends_are_named_by_their_file(tmp_path: Path) -> None:
    folder(tmp_path / "base", reps="id,team\nE1,T\n")
    path = folder(tmp_path / "w", "extends: ../base\n", reps="id,team\nE1,T\n")
    rule = "a file that extends another holds changes, not sections -> write it under changes"
    assert refused_files(path) == [f"reps.csv = reps: {rule}"]


def test_cells_that_are_no_numbers(tmp_path: Path) -> None:
    reps = 'id,team,lead_weight,quota\nE1,T,nan,"1,000"\nE2,T,inf,1_000\nE3,T,1e999,45 %\n'
    found = refused_files(folder(tmp_path / "w", reps=reps))
    assert [line.split(":")[0] for line in found] == [f"reps.csv line {n}" for n in (2, 2, 3, 3, 4, 4)]


@pytest.mark.parametrize(
    ("yaml", "told"),
    [
        (
            YAML + "name: again\n",
            "scenario.yaml line 9 = name: key given twice, first on scenario.yaml line 1 -> keep one",
        ),
        (
            YAML.replace("[{id: north}]", "[{id: north}"),
            "scenario.yaml line 4: not valid YAML: expected ',' or ']', but got '<scalar>' -> check indentation, "
            "colons and quotes",
        ),
        ("- a\n- b\n", "scenario.yaml: must be a table of settings -> write a line for each, such as name: ..."),
        ("", "scenario.yaml: must be a table of settings -> write a line for each, such as name: ..."),
        ("a: " + "[" * 3000 + "]" * 3000, "scenario.yaml: is nested too deeply -> a scenario needs few levels"),
        (
            YAML.replace("{start: 2026-01-01", "&c {start: 2026-02-31"),
            "scenario.yaml line 2 = 2026-02-31: no value: day is out of range for month",
        ),
        (
            YAML + "products: &p [*p]\n",
            "scenario.yaml line 9: an alias (*name) repeats another value -> write the value out",
        ),
    ],
)
def test_broken_yaml(tmp_path: Path, yaml: str, told: str) -> None:
    assert told in refused_files(folder(tmp_path / "w", yaml))


def test_a_broken_main_file_does_not_hide_a_broken_table(tmp_path: Path) -> None:
    found = refused_files(folder(tmp_path / "w", "name: [", reps=b"id,team\n\xff\n"))
    assert [line.split(" ")[0] for line in found] == ["scenario.yaml", "reps.csv"]


def test_a_table_that_cannot_be_read_is_not_called_missing_or_short(tmp_path: Path) -> None:
    accounts = "id,tier,region,owner\nK1,A,north,E1\n"
    found = refused_files(folder(tmp_path / "w", reps=b"\xff", accounts=accounts))
    assert [line.split(":")[0] for line in found] == [
        "reps.csv line 1 = byte 0xff",
        "account_physics",
        "accounts.csv line 2",
    ]


def test_a_table_beside_its_section(tmp_path: Path) -> None:
    found = refused_files(folder(tmp_path / "w", YAML + "reps: [{id: E1, team: T}]\n"))
    assert found == ["reps.csv = reps: reps are given here and in scenario.yaml -> keep one of them"]


def test_extends_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    found = refused_files(tmp_path / "a.yaml")
    assert found == ["b.yaml line 1 = a.yaml: the chain of extends is a circle: a.yaml -> b.yaml -> a.yaml -> break it"]


def test_extends_of_nothing_and_sections_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: nowhere\nreps: []\nchanges: {set: a}\n")
    found = refused_files(tmp_path / "a.yaml")
    assert [line.split(" = ")[0] for line in found] == [
        "a.yaml line 3",
        "a.yaml line 2",
        "nowhere: is neither a file, a folder nor a shipped scenario -> shipped: enterprise, motivation, national, starter",  # noqa: E501
    ]


def test_a_what_if_says_which_of_its_lines_is_wrong(tmp_path: Path) -> None:
    folder(tmp_path / "w", reps="id,team\nE1,T\nE2,T\nE3,T\n")
    (tmp_path / "if.yaml").write_text(
        "extends: w\n"
        "changes:\n"
        "  - {remove: reps.E1}\n"
        "  - {set: reps.E9.team, to: T}\n"
        "  - {scale: stages.talk.conversion, by: ten}\n"
        "  - {set: stages.talk.conversion}\n"
        "  - {set: stages.talk.conversion, to: 2}\n"
        "  - {set: reps.E3.team, to: X}\n"
    )
    assert refused_files(tmp_path / "if.yaml") == [
        "if.yaml line 5 = ten: a factor must be a number",
        "if.yaml line 6 = set: a change of this kind holds the keys set and to, nothing else",
        "if.yaml line 4: reps.E9.team = E9: no such entry in reps -> known: E2, E3",
        "if.yaml line 7: stages.talk.conversion = 2: must be <= 1 -> a share is written 0.45, not 45 or 45 %",
        "if.yaml line 8: reps.E3.team = X: names nothing in teams -> known: T",
    ]


def test_places_follow_the_rows_when_one_is_removed(tmp_path: Path) -> None:
    folder(tmp_path / "w", reps="id,team,successor\nE1,T,\nE2,T,\nE3,T,E1\n")
    (tmp_path / "if.yaml").write_text("extends: w\nchanges:\n  - {remove: reps.E1}\n")
    assert refused_files(tmp_path / "if.yaml") == [
        "reps.csv line 4: reps.E3.successor = E1: names nothing in reps -> known: E2, E3"
    ]


def test_a_missing_file_names_what_is_shipped(tmp_path: Path) -> None:
    assert refused_files(tmp_path / "nothing") == [
        f"{tmp_path / 'nothing'}: is neither a file, a folder nor a shipped scenario -> shipped: enterprise, motivation, national, starter"  # noqa: E501
    ]
    (tmp_path / "empty").mkdir()
    assert refused_files(tmp_path / "empty") == [
        f"{tmp_path / 'empty'}: the folder holds no scenario.yaml -> see `quotalab init`"
    ]


@pytest.mark.parametrize("number", ["010000", "10:30", "0xFF", "1_000", "0b101", "1_0.5"])
def test_numbers_that_yaml_reads_otherwise_than_people_are_refused(tmp_path: Path, number: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(YAML.replace("name: ", f"seed: {number}\nname: ", 1), encoding="utf-8")
    assert any("YAML takes this for the number" in line for line in refused_files(path))


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_deep_nesting_is_refused_at_once(tmp_path: Path, opening: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(f"{YAML}a: {opening * 250}1{('}' if 'a' in opening else ']') * 250}\n", encoding="utf-8")
    assert any("is nested too deeply" in line for line in refused_files(path))


@pytest.mark.filterwarnings("ignore:not read in")
@pytest.mark.parametrize("name", ["Account.csv", "accounts.CSV", "accounts.xlsx", "account.tsv"])
def test_a_misnamed_table_is_not_passed_over(tmp_path: Path, name: str) -> None:
    path = folder(tmp_path / "w", reps="id,team\nE1,T\n")
    (path / "notes.csv").write_text("anything", encoding="utf-8")
    with pytest.warns(UserWarning, match="notes.csv"):
        load(path)
    (path / name).write_text("id\nK1\n", encoding="utf-8")
    assert refused_files(path) == [f"{name}: is no table that is read -> save it as accounts.csv, or move it away"]
