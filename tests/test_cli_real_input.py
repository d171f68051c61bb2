"""Verbs of the command line that read what really happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import Run, only_json
from history.synthetic import write_opportunities
from quotalab.runs import read_manifest
from scenarios.files import load


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_opportunities(tmp_path_factory.mktemp("导出") / "crm", rows=1500, reps=6).path


def test_diagnose_says_what_is_chance(command: Run, export: Path, tmp_path: Path) -> None:
    code, out, err = command("diagnose", export, "-p", "maven", "-o", "d")
    assert code == 0
    assert "Reps' win rates do not differ more than chance" in out
    assert "written to d" in err
    assert "没有超出偶然范围" in command("diagnose", export, "-p", "maven", "--language", "zh")[1]
    found = only_json(command("diagnose", export, "-p", "maven", "--json")[1])
    assert found["overall"][0]["opportunities"] == 1500
    assert (tmp_path / "d" / "by_rep.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_diagnose_simulates_a_scenario(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    code, out, err = command("diagnose", tiny_file, "-n", "6", "-o", "d", "--language", "en")
    assert code == 0
    assert "6 simulated years" in out
    marks = [line.partition("]")[0].lstrip("[") for line in out.splitlines()[1:]]
    assert marks == sorted(marks, key=("strong", "moderate", "weak", "no difference shown").index)
    assert "written to d" in err
    found = only_json(command("diagnose", tiny_file, "-n", "6", "-o", "d", "--json", "--set", "seed=7")[1])
    assert [row["kind"] for row in found["findings"]].count("slowest_stage") == 1
    assert {row["stage"] for row in found["stages"]} == {"talk", "close"}
    manifest = read_manifest(tmp_path / "d")
    assert manifest is not None
    assert manifest["result_hash"] == found["result_hash"]
    assert manifest["simulation"] == {"seed": 7, "replications": 6, "plan": "today"}
    assert "talk" in (tmp_path / "d" / "findings.csv").read_text(encoding="utf-8-sig")
    assert "阶段最慢" in command("diagnose", tiny_file, "-n", "2", "--language", "zh")[1]


def test_diagnose_refuses_what_belongs_to_the_other_kind(command: Run, tiny_file: Path, export: Path) -> None:
    for given, where in (
        ((export,), "--preset"),
        ((export, "-p", "maven", "-n", "5", "--set", "seed=3"), "--replications"),
        ((tiny_file, "--data-date", "2024-01-01"), "--data-date"),
        (("没有",), "没有"),
    ):
        code, out, err = command("diagnose", *given)
        assert (code, out) == (1, ""), given
        assert where in err
        assert "Traceback" not in err


def test_calibrate_writes_a_scenario_that_runs(command: Run, export: Path, tmp_path: Path) -> None:
    given = ("--horizon", "quarter", "--growth", "0.1", "--language", "zh", "--seed", "3")
    code, out, _ = command("calibrate", export, "--mapping", "maven", "-o", "world", "--json", *given)
    found = only_json(out)
    assert code == 0
    assert found["assumed"]
    world = load(tmp_path / "world")
    assert (world.language, world.seed, world.goals.history_growth) == ("zh", 3, 0.1)
    assert (world.calendar.end - world.calendar.start).days in range(89, 93)
    assert load(tmp_path / "world").fingerprint() == found["fingerprint"]
    assert command("simulate", "world", "-n", "2", "-o", "years", "--quiet")[0] == 0
    # The calibrated world lies in a run folder of its own; another verb must not sweep it away.
    assert command("simulate", "world", "-n", "2", "-o", "world", "--quiet")[0] == 1
    assert load(tmp_path / "world").fingerprint() == found["fingerprint"]


@pytest.mark.parametrize("verb", ["diagnose", "calibrate"])
def test_a_broken_export_is_refused_in_words(command: Run, export: Path, tmp_path: Path, verb: str) -> None:
    for given in (
        ("nowhere", "-p", "maven"),
        (export, "-p", "bpic2012"),
        (export, "-p", "没有"),
        (export, "-p", "maven", "--data-date", "soon"),
    ):
        code, out, err = command(verb, *given)
        assert (code, out) == (1, ""), given
        assert "refused" in err
        assert "Traceback" not in err
    assert not (tmp_path / "runs").exists()
