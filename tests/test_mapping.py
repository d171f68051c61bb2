"""Mapping files: presets are data, faults are reported together, words are compared the way people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from history import mapping_files
from history.mapping import word
from history.mapping_files import PRESETS, load_mapping, parse_mapping, preset_names
from scenarios.errors import InputRefused

BASE = {
    "schema_version": 1,
    "kind": "opportunities",
    "money": {"currency": "CNY"},
    "columns": {
        "id": "id",
        "rep": "rep",
        "stage": "stage",
        "created": "created",
        "closed": "closed",
        "value": "value",
    },
    "stages": ["接触", {"name": "proposal", "words": ["方案呈现", "Proposal"]}],
    "outcomes": {"won": ["赢单"], "lost": ["输单"]},
}


def refused(data: dict[str, object]) -> str:
    with pytest.raises(InputRefused) as caught:
        parse_mapping(data)
    return str(caught.value)


@pytest.mark.parametrize("name", ["maven", "bpic2012", "opportunities"])
def test_each_preset_loads_and_stays_equal_under_another_name(name: str, tmp_path: Path) -> None:
    assert name in preset_names()
    copy = tmp_path / "anything.yaml"
    copy.write_bytes((PRESETS / f"{name}.yaml").read_bytes())
    assert load_mapping(copy) == load_mapping(name)


def test_no_code_depends_on_the_name_of_a_preset() -> None:
    package = Path(mapping_files.__file__).parent
    for module in package.glob("*.py"):
        code = "\n".join(line.split("#")[0] for line in module.read_text(encoding="utf-8").splitlines())
        for name in ("maven", "bpic2012"):
            assert f'"{name}"' not in code
            assert f"'{name}'" not in code


def test_words_are_compared_without_case_width_and_blanks() -> None:
    rules = parse_mapping(BASE)
    assert rules.stage_of()[word("ＰＲＯＰＯＳＡＬ ")] == "proposal"
    assert rules.outcome_of()[word(" 赢单")] == "won"
    assert rules.stage_names == ("接触", "proposal")


def test_unknown_settings_are_refused_with_the_nearest_name() -> None:
    message = refused({**BASE, "delimeter": ";"})
    assert "delimeter" in message
    assert "did you mean 'delimiter'?" in message


def test_all_faults_are_reported_together() -> None:
    places = {**BASE, "time_zone": "Mars/Olympus", "encoding": "utf-99", "outcomes": {"won": True}}
    message = refused(places)
    for part in ("Mars/Olympus", "utf-99", "won = true: must be a text", "outcomes.lost"):
        assert part in message
    broken = {
        **BASE,
        "work": {"call": "nowhere"},
        "stages": ["a", "a", {"name": "b", "words": ["赢单"]}],
        "fixes": {"colour": {"red": "blue"}},
        "columns": {"id": "id", "rep": "rep", "activity": "act"},
    }
    message = refused(broken)
    for part in (
        "'nowhere'",
        "'a' is listed twice",
        "word '赢单' stands for 'b' and for 'won'",
        "'colour' is not a field",
        "columns.stage is needed",
        "columns.value is needed",
        "columns.activity does not belong",
    ):
        assert part in message


def test_newer_files_are_refused_and_the_version_is_required() -> None:
    assert "upgrade" in refused({**BASE, "schema_version": 2})
    assert "schema_version" in refused({key: value for key, value in BASE.items() if key != "schema_version"})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: [1", "not valid YAML"),
        (b"- 1\n- 2\n", "table of settings"),
        ("kind: 商机".encode("gb18030"), "UTF-8"),
    ],
)
def test_files_that_are_no_mapping_are_refused(content: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_bytes(content)
    with pytest.raises(InputRefused, match=says):
        load_mapping(file)


def test_a_misspelt_preset_names_the_nearest() -> None:
    with pytest.raises(InputRefused, match="did you mean 'maven'"):
        load_mapping("mavn")
    with pytest.raises(InputRefused, match="presets: bpic2012, maven, opportunities"):
        load_mapping("no/such/file.yaml")


def test_a_mapping_written_as_yaml_reads_back_the_same(tmp_path: Path) -> None:
    file = tmp_path / "自己的.yaml"
    file.write_text(yaml.safe_dump(BASE, allow_unicode=True), encoding="utf-8")
    assert load_mapping(file) == parse_mapping(BASE)


@pytest.mark.parametrize("form", ["%Q", "%%%", "yyyy-mm-dd", ""])
def test_date_formats_that_are_none_are_refused(form: str) -> None:
    assert "is neither iso nor a date format" in refused({**BASE, "dates": [form]})
    assert parse_mapping({**BASE, "dates": ["iso", "%d.%m.%Y %H:%M"]}).dates == ("iso", "%d.%m.%Y %H:%M")


@pytest.mark.parametrize("delimiter", ['"', "\n"])
def test_delimiters_that_csv_needs_for_itself_are_refused(delimiter: str) -> None:
    assert "ends fields or rows" in refused({**BASE, "delimiter": delimiter})


def test_each_fault_of_a_file_is_one_problem_with_its_line(tmp_path: Path) -> None:
    lines = ["schema_version: 1", "kind: opportunities", "kind: events", "money: {currency: yuan, unit: -1}"]
    file = tmp_path / "m.yaml"
    file.write_text("\n".join([*lines, *yaml.safe_dump(BASE).splitlines()[:7], "colour: red"]), encoding="utf-8")
    with pytest.raises(InputRefused) as caught:
        load_mapping(file)
    told = {problem.where for problem in caught.value.problems}
    assert told >= {"m.yaml line 3", "m.yaml line 4: money.currency", "m.yaml line 4: money.unit"}
    both = refused({**BASE, "stages": ["a", "a"], "integers": ["colour"]}).splitlines()
    assert [line.split(": ")[1].split(" ")[0] for line in both[1:]] == ["stage", "integers"]
