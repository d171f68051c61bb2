"""Refusals in Chinese: the frame always, the texts of whatever reads files, tables and plans."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from command_line import Run
from conftest import TINY
from experiments.words import phrase, word
from quotalab.refusal_text import refusal_text
from scenarios import messages
from scenarios.errors import InputRefused, Problem, Unsupported
from test_words import source, texts

SPOKEN = (
    *("scenarios.quota_sheet", "scenarios.sheet_amounts", "scenarios.sheet_totals", "scenarios.documents"),
    *("scenarios.folders", "scenarios.trail", "quotalab.runs", "quotalab.locking", "quotalab.cli.looping"),
)
"""Modules all of whose refusals have Chinese texts."""


def refusals(module: str) -> set[str]:
    """Rules and ways out that a module's source holds as texts."""
    tree = source(module)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
            found |= {text for part in node.args[2:] for text in texts(part) if not isinstance(part, ast.Call)}
        targets = [part for one in getattr(node, "targets", ()) for part in ast.walk(one)]
        named = {part.id for part in targets if isinstance(part, ast.Name)}
        if named & {"rule", "remedy", "horizon", "needed", "PLAIN_NUMBER", "NOTHING"}:
            found |= texts(node.value)
    return {text for text in found if re.search("[a-z]{2} [a-z]", text)}


@pytest.mark.parametrize("module", SPOKEN)
def test_what_refuses_files_and_plans_has_chinese_words(module: str) -> None:
    found = refusals(module)
    assert found
    # A field at the end may be empty.
    lacking = {text for text in found if {phrase("fault", one)[0] for one in (text, text.removesuffix("X"))} == {None}}
    assert lacking == set()


def test_rules_of_fields_have_chinese_words() -> None:
    told = [*messages._RULES.values(), *messages._REMEDIES.values(), *messages._BOUND_REMEDIES.values()]
    assert {text for text in told if phrase("fault", text)[0] is None} == set()


def test_the_frame_is_chinese_and_what_has_no_words_stays_whole() -> None:
    problems = [
        Problem("quotas.csv line 3, column quota", "8%", "is a percentage, not an amount", "write the amount of money"),
        Problem("goals.targets", "", "some rule that nobody has put into words", "leave it"),
        Problem("a.yaml line 7: reps.E1.level", "'x'", "must be > 0"),
    ]
    for kind in (InputRefused, Unsupported):
        error = kind(problems)
        assert refusal_text(error) == str(error)
        error.language = "zh"
        head, *lines = refusal_text(error).splitlines()
        assert head == word("refused.here" if kind is Unsupported else "refused.heading", "zh", count=3)
        assert lines == [
            "  quotas.csv 第 3 行，quota 列；值：8%；规则：是百分比，不是金额；解决办法：请写金额",
            "  goals.targets；规则：some rule that nobody has put into words；解决办法：leave it",
            "  a.yaml 第 7 行：reps.E1.level；值：'x'；规则：须大于 0",
        ]


def test_the_command_line_refuses_in_the_language_asked_for(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "外部.csv"
    path.write_text("姓名,指标\n陈立,8%\n张三,5\n", encoding="utf-8")
    asked = ("audit", tiny_file, "--plan", path)
    code, out, err = command(*asked, "--language", "zh")
    assert (code, out) == (1, "")
    assert "未接受：共 2 处问题" in err
    assert "外部.csv 第 3 行；值：张三；规则：情景中没有此工号或姓名的人员；解决办法：可用：E1" in err
    assert "refused: 2 problems" in command(*asked)[2]
    damaged = tmp_path / "damaged.yaml"
    damaged.write_text(yaml.safe_dump(TINY | {"seed": "x", "colour": 1}, allow_unicode=True), encoding="utf-8")
    told = command("validate", damaged, "--language", "zh")[2]
    assert "规则：须为整数；解决办法：请写不带引号的整数" in told
    assert "规则：没有此字段" in told


def test_a_scenario_in_chinese_is_refused_in_chinese_once_it_is_read(command: Run, tmp_path: Path) -> None:
    path = tmp_path / "世界.yaml"
    path.write_text(yaml.safe_dump(TINY | {"language": "zh"}, allow_unicode=True, sort_keys=False), encoding="utf-8")
    code, _, err = command("lock", path, "quota.E1", "5", "--reason", "已商定", "--plan", tmp_path / "nowhere")
    assert code == 1
    assert "规则：不存在；解决办法：请指定 quotalab allocate 写出的文件夹" in err
