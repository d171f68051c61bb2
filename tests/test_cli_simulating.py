"""Verbs of the command line that simulate: results, repeatability, engines, comparisons and sweeps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from command_line import Run, only_json
from quotalab.runs import read_manifest
from scenarios.files import load


def test_init_makes_a_folder_that_validates(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    assert command("init", "我的公司", "--from", tiny_file)[0] == 0
    assert (tmp_path / "我的公司" / "scenario.yaml").read_text(encoding="utf-8").startswith("# yaml-language-server")
    found = only_json(command("validate", "我的公司", "--json")[1])
    assert found["fingerprint"] == load(tiny_file).fingerprint()
    schema = json.loads((tmp_path / "我的公司" / "scenario.schema.json").read_text(encoding="utf-8"))
    assert "reps" in schema["properties"]
    code, out, err = command("init", "我的公司", "--from", tiny_file)
    assert (code, out) == (1, "")
    assert "exists already" in err


def test_schema_is_one_json_document(command: Run) -> None:
    code, out, err = command("schema")
    assert (code, err) == (0, "")
    assert "calendar" in only_json(out)["properties"]


def test_simulate_writes_a_whole_run_and_repeats_to_the_hash(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    code, out, err = command("simulate", tiny_file, "-n", "6", "--json", "-o", "a")
    assert (code, err.count("\n")) == (0, 1)
    found = only_json(out)
    manifest = read_manifest(tmp_path / "a")
    assert manifest is not None
    assert manifest["verb"] == "simulate"
    assert manifest["scenario"]["fingerprint"] == load(tiny_file).fingerprint()
    assert manifest["simulation"] == manifest["simulation"] | {"seed": 7, "replications": 6}
    assert manifest["result_hash"] == found["result_hash"]
    assert str(tmp_path) not in json.dumps(manifest["versions"])
    again = only_json(command("simulate", tiny_file, "-n", "6", "--json", "-o", "b", "--workers", "2", "--quiet")[1])
    assert again["result_hash"] == found["result_hash"]
    assert again["summary"] == found["summary"]
    other = only_json(command("simulate", tiny_file, "-n", "6", "--json", "-o", "c", "--seed", "8")[1])
    assert other["result_hash"] != found["result_hash"]


def test_tables_of_a_run_agree_with_the_result(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    found = only_json(command("simulate", tiny_file, "-n", "5", "--json", "-o", "a")[1])
    years = pd.read_parquet(tmp_path / "a" / "years_rep.parquet")
    assert years["revenue"].dtype == "int64"
    assert sorted(years["replication"].unique()) == [0, 1, 2, 3, 4]
    mean = years.groupby("replication")["revenue"].sum().mean() / 100
    assert found["summary"][0]["expected_sales"] == pytest.approx(mean, rel=1e-12)
    raw = (tmp_path / "a" / "by_rep.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert "陈立" in raw.decode("utf-8-sig")
    assert [row["rep"] for row in found["by_rep"]] == ["E1", "E2", "E3"]
    assert sum(row["expected_sales"] for row in found["by_rep"]) == pytest.approx(mean, rel=1e-12)
    assert {path.suffix for path in (tmp_path / "a" / "figures").iterdir()} == {".svg", ".png"}


def test_simulate_goes_on_until_figures_are_precise(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    asked = ("--until", "revenue=8%", "--until", "team:T1:lead_to_won=0.05", "-n", "30", "--at-most", "90")
    found = only_json(command("simulate", tiny_file, *asked, "--json", "--quiet", "-o", "a")[1])
    revenue, won = found["precision"]
    assert revenue["met"]
    assert revenue["half_width_reached"] <= revenue["half_width_wanted"] == pytest.approx(0.08 * revenue["estimate"])
    assert (won["figure"], won["half_width_wanted"]) == ("team:T1:lead_to_won", 0.05)
    years = str(revenue["replications"])
    manifest = read_manifest(tmp_path / "a")
    assert manifest is not None
    assert manifest["simulation"]["replications"] == int(years)
    assert manifest["settings"] | {"until": list(asked[1:4:2]), "at_most": 90} == manifest["settings"]
    assert (tmp_path / "a" / "precision.csv").is_file()
    fixed = only_json(command("simulate", tiny_file, "-n", years, "--json", "--quiet", "-o", "b")[1])
    assert fixed["result_hash"] == found["result_hash"]
    assert "precision" not in fixed


def test_simulate_says_what_was_not_reached(command: Run, tiny_file: Path) -> None:
    asked = ("simulate", tiny_file, "--until", "revenue=1", "-n", "30", "--at-most", "33", "--quiet")
    assert "(wanted ± 1.0), NOT as precise as wanted" in command(*asked)[1]
    assert "未达到精度要求" in command(*asked, "--language", "zh")[1]
    for wrong, message in (
        (("--until", "revenue"), "a half-width is missing"),
        (("--at-most", "50"), "stops nothing without --until"),
        (("--until", "revenue=1%", "--until", "revenue=2%"), "once only"),
        (("--until", "revenu=1%"), "is no figure of this level"),
        (("--until", "revenue=1%", "-n", "10"), "at least 30"),
    ):
        code, out, err = command("simulate", tiny_file, *wrong)
        assert (code, out) == (1, "")
        assert message in err


def test_results_go_to_stdout_and_everything_else_to_stderr(command: Run, tiny_file: Path) -> None:
    _, out, err = command("simulate", tiny_file, "-n", "2")
    assert "expected sales" in out
    assert "written to" not in out
    assert "written to runs/simulate-小公司" in err
    _, out, err = command("simulate", tiny_file, "-n", "2", "--quiet", "--language", "zh")
    assert "预期签约额" in out
    assert err == ""
    assert command("simulate", tiny_file, "-n", "2", "--language", "fr")[0] == 1


def test_compare_pairs_cases_on_the_same_numbers(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    what_if = tmp_path / "more.yaml"
    what_if.write_text(
        f"extends: {tiny_file}\nchanges:\n  - {{scale: sources.线上.leads_per_year, by: 1.5}}\n", encoding="utf-8"
    )
    code, out, _ = command("compare", f"today={tiny_file}", f"more={what_if}", "-n", "8", "--json", "-o", "cmp")
    found = only_json(out)
    assert code == 0
    assert [row["case"] for row in found["cases"]] == ["today", "more"]
    assert found["references"] == ["today"]
    sales = {row["case"]: row["expected_sales"] for row in found["cases"]}
    gain = next(row for row in found["differences"] if (row["case"], row["measure"]) == ("more", "sales"))
    assert gain["difference"] == pytest.approx(sales["more"] - sales["today"], rel=1e-9)
    assert (tmp_path / "cmp" / "differences.csv").is_file()


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        (("{0}", "{0}"), "two cases"),
        (("a={0}", "b=nowhere", "c=没有"), "c: 没有"),
        (("a=", "b={0}"), "a=: names no scenario -> write NAME=SCENARIO"),
    ],
)
def test_compare_refuses_all_bad_cases_at_once(
    command: Run, tiny_file: Path, cases: tuple[str, ...], told: str
) -> None:
    code, out, err = command("compare", *(case.format(tiny_file) for case in cases), "-n", "2")
    assert (code, out) == (1, "")
    assert told in err


def test_stress_tells_what_goes_wrong_and_the_plan_to_regret_least(command: Run, tiny_file: Path) -> None:
    asked = ("stress", f"today={tiny_file}", "--stress", "demand_down", "--draws", "0", "-n", "12")
    code, out, _ = command(*asked, "--json")
    found = only_json(out)
    assert code == 0
    assert found["choice"] == "today"
    assert [row["world"] for row in found["rows"]] == ["as_given", "demand_down"]
    assert found["rows"][1]["expected_sales"] < found["rows"][0]["expected_sales"]
    assert only_json(command(*asked, "--json", "--workers", "2")[1])["result_hash"] == found["result_hash"]
    assert "Least to regret" in command(*asked, "--language", "en")[1]
    code, _, err = command("stress", tiny_file, "--stress", "flood", "-n", "8", "--draws", "0")
    assert (code, "flood" in err, "demand_down" in err) == (1, True, True)


def test_stress_is_of_one_world(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(
        f"extends: {tiny_file}\nchanges:\n  - {{scale: sources.线上.leads_per_year, by: 1.5}}\n", encoding="utf-8"
    )
    code, _, err = command("stress", f"a={tiny_file}", f"b={other}", "-n", "8")
    assert code == 1
    assert "another world" in err


def test_sweep_runs_and_goes_on(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "扫.yaml"
    file.write_text(
        f"name: leads\nscenario: {tiny_file}\nreplications: 2\nmeasures: [expected_sales, leads]\n"
        "factors:\n  - {path: sources.线上.leads_per_year, scale: [0.5, 1.0]}\n",
        encoding="utf-8",
    )
    code, out, _ = command("sweep", file, "--json")
    found = only_json(out)
    assert code == 0
    assert len(found["rows"]) == 4
    again = only_json(command("sweep", file, "--json", "--workers", "2")[1])
    assert again["result_hash"] == found["result_hash"]
    assert "leads: 2 design points" in command("sweep", file)[1]


def test_engines_give_one_result(command: Run, tiny_file: Path) -> None:
    hashes = set()
    for engine in ("auto", "simpy"):
        code, out, _ = command("simulate", tiny_file, "-n", "6", "--engine", engine, "--json", "-o", engine)
        assert code == 0
        hashes.add(only_json(out)["result_hash"])
        manifest = read_manifest(Path(engine))
        assert manifest is not None
        assert manifest["simulation"]["engine"] == {"auto": "compiled", "simpy": "simpy"}[engine]
    assert len(hashes) == 1
    code, out, err = command("simulate", tiny_file, "-n", "6", "--engine", "numba", "-o", "none")
    assert (code, out) == (1, "")
    assert "known: auto, compiled, simpy" in err
    assert not Path("none").exists()


def test_compiling_is_told_once_and_beside_the_result(
    command: Run, tiny_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.compiled.run.is_compiled", lambda: False)
    code, out, err = command("simulate", tiny_file, "-n", "20", "--workers", "2", "--json", "--quiet")
    assert code == 0
    assert only_json(out)["folder"]
    assert err.count("compiling the simulation engine") == 1


@pytest.mark.slow
def test_an_empty_cache_is_filled_once_by_the_parent_of_all_workers(tiny_file: Path, tmp_path: Path) -> None:
    design = tmp_path / "two.yaml"
    factor = "{path: sources.线上.leads_per_year, scale: [0.9, 1.0, 1.1, 1.2]}"
    text = f"name: two\nscenario: {tiny_file}\nreplications: 4\nfactors: [{factor}]\n"
    design.write_text(text, encoding="utf-8")
    told = []
    for target in ("first", "second"):
        done = subprocess.run(
            [sys.executable, "-m", "quotalab", "sweep", design, "-w", "2", "--json", "-o", tmp_path / target],
            env=os.environ | {"QUOTALAB_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
        told.append(done.stderr.count("compiling the simulation engine"))
    assert told == [1, 0]
    assert len(list(tmp_path.glob("cache/quotalab/*/*/replication.run-*.nbc"))) == 1
