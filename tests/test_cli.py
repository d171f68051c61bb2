"""The command line as a user meets it: exit codes, stdout for results only, run folders whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import quotalab
from history.synthetic import write_opportunities
from quotalab.cli.main import run
from quotalab.cli.progress import lines
from quotalab.cli.terminal import Terminal, json_text
from quotalab.runs import Draft, check_target, plan_folder, read_manifest, run_folder
from quotalab.stopwatch import Stopwatch
from scenarios.errors import InfeasiblePlan, InputRefused, RunInterrupted
from scenarios.files import load, save
from scenarios.plan_files import read_plan
from scenarios.scenario import Scenario
from sim.compiled.run import ensure_compiled

Run = Callable[..., tuple[int, str, str]]
VERBS = (
    "demo",
    "init",
    "schema",
    "validate",
    "diagnose",
    "calibrate",
    "simulate",
    "allocate",
    "explain",
    "audit",
    "lock",
    "unlock",
    "trail",
    "baselines",
    "frontier",
    "compare",
    "stress",
    "sweep",
    "report",
)


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs one command in an empty folder; gives exit code, stdout and stderr as they leave the process."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        seen = capfd.readouterr()
        return code, seen.out, seen.err

    return call


def only_json(text: str) -> Any:
    document, end = json.JSONDecoder().raw_decode(text)
    assert text[end:].strip() == ""
    return document


# ---- help, usage, refusals -------------------------------------------------------------------------------------------


def test_help_names_every_verb(command: Run) -> None:
    code, out, err = command("--help")
    assert (code, err) == (0, "")
    for verb in VERBS:
        assert f"\n  {verb} " in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-verb",),
        ("simulate",),
        ("simulate", "x", "--replications", "many"),
        ("simulate", "x", "--replications", "1"),
        ("simulate", "x", "--seed", "-1"),
        ("simulate", "x", "--workers", "0"),
        ("simulate", "x", "--no-such-option"),
    ],
)
def test_wrong_usage_is_2_and_says_so_on_stderr(command: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = command(*arguments)
    assert code == 2
    assert out == ""
    assert "Usage:" in err


def test_refused_input_is_1_with_all_problems_and_no_traceback(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    bad = tiny_file.read_text(encoding="utf-8").replace("conversion: 0.5", "conversion: 1.5")
    path = tmp_path / "bad.yaml"
    path.write_text(bad.replace("owner: E3", "owner: 没有"), encoding="utf-8")
    for verb in (("validate",), ("simulate", "-n", "2"), ("allocate", "-n", "2"), ("compare", "-n", "2")):
        code, out, err = command(verb[0], path, *verb[1:])
        assert (code, out) == (1, "")
        assert "conversion" in err
        assert "1.5" in err
        assert "没有" in err
        assert "Traceback" not in err
        assert not (tmp_path / "runs").exists()


def test_a_scenario_that_does_not_exist_is_refused_by_name(command: Run) -> None:
    code, out, err = command("validate", "不存在")
    assert (code, out) == (1, "")
    assert "不存在" in err


@pytest.mark.parametrize("text", ["reps.E1.quota", "reps.E9.quota=1", "reps.E1.quota=much", "=3"])
def test_a_bad_set_is_refused(command: Run, tiny_file: Path, text: str) -> None:
    code, out, err = command("validate", tiny_file, "--set", text)
    assert (code, out) == (1, "")
    assert "Traceback" not in err


def test_set_reaches_the_scenario(command: Run, tiny_file: Path) -> None:
    before = only_json(command("validate", tiny_file, "--json")[1])
    after = only_json(command("validate", tiny_file, "--json", "--set", "reps.E1.quota*=1.1", "--set", "seed=9")[1])
    assert before["fingerprint"] != after["fingerprint"]
    assert (before["seed"], after["seed"]) == (7, 9)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InfeasiblePlan(["growth cap", "company total"], ["growth cap +3 points"]), 3),
        (RunInterrupted("stopped; 3 of 9 design points are kept"), 130),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 1),
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), 1),
    ],
)
def test_errors_become_exit_codes(
    command: Run, tiny_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException, code: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("sim.run.simulate", fails)
    got, out, err = command("simulate", tiny_file, "-n", "2")
    assert (got, out) == (code, "")
    assert err.strip()
    assert "Traceback" not in err
    assert not list(tmp_path.glob("runs/*"))


def test_a_fault_of_ours_is_told_as_such(
    command: Run, tiny_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr("sim.run.simulate", fails)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code, out, err = command("simulate", tiny_file, "-n", "2")
    assert (code, out) == (70, "")
    assert "Traceback" not in err
    written = Path(err.split()[-1])
    assert "ZeroDivisionError: deep inside" in written.read_text(encoding="utf-8")
    monkeypatch.setenv("QUOTALAB_DEBUG", "1")
    assert "Traceback" in command("simulate", tiny_file, "-n", "2")[2]


def test_a_reader_who_leaves_early_is_no_error() -> None:
    code = "import sys; from quotalab.cli.main import run; sys.exit(run(['schema']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    told = process.stderr.read().decode()
    process.wait(timeout=60)
    assert "Traceback" not in told
    assert "Exception ignored" not in told


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["simulate", "-h"], 0), (["--version"], 0), (["simulat"], 141), ([], 141)]
)
def test_help_for_nobody_is_no_error_and_wrong_usage_is_one(arguments: list[str], code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "quotalab", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == code


def test_warnings_come_without_the_place_in_the_code() -> None:
    code = (
        "import importlib, warnings\n"
        "home = importlib.import_module('quotalab.cli.main')\n"
        "home.run = lambda _: warnings.warn('no font has the characters 交付') or 0\n"
        "home.main([])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stderr == "note: no font has the characters 交付\n"


def test_work_is_done_to_its_end_when_nobody_listens(tiny_file: Path, tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "quotalab", "init", str(tmp_path / "mine"), "--from", str(tiny_file)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "mine" / "scenario.yaml").is_file()


def test_ctrl_c_leaves_nothing_half_written(tiny_file: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "quotalab", "simulate", str(tiny_file), "-n", "100000", "-o", str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    time.sleep(4)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == b""
    assert b"nothing was written" in err
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []


# ---- results --------------------------------------------------------------------------------------------------------


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


def test_who_it_is_is_asked_before_the_work(command: Run, tiny_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quotalab.api.allocate", lambda *_, **__: pytest.fail("the work began"))
    code, _, err = command("allocate", str(tiny_file), "-n", "2", "--author", " ")
    assert code == 1
    assert "--author" in err


@pytest.mark.parametrize("quiet", [True, False])
def test_quiet_leaves_out_notes(quiet: bool) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with Terminal(quiet=quiet):
            warnings.warn("no font", UserWarning, stacklevel=1)
    assert len(told) == (not quiet)


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


@pytest.fixture(scope="module")
def allocated(tiny_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("allocated") / "run"
    assert run(["allocate", str(tiny_file), "-n", "24", "--quiet", "-o", str(folder)]) == 0
    return folder


def test_an_allocation_writes_quotas_by_period_and_level_with_their_chances(allocated: Path) -> None:
    by_period = pd.read_csv(allocated / "quotas_by_period.csv")
    assert by_period["quota"].sum() == 1_500_000
    assert set(by_period["level"]) == {"target"}
    assert by_period["chance"].between(0, 1).all()
    assert (by_period["chance_low"] <= by_period["chance_high"]).all()
    levels = pd.read_csv(allocated / "levels.csv").set_index("subject")
    assert levels.loc["company", "quota"] == 1_500_000
    smart = pd.read_csv(allocated / "smart.csv")
    assert len(smart) == levels["scope"].eq("rep").sum()
    assert set(smart["reach"]) <= {"attainable", "open", "out_of_reach"}
    assert smart[["measurable_zh", "attainable_zh", "stretch_zh", "dated_zh"]].notna().all().all()
    assert pd.read_csv(allocated / "targets.csv").loc[0, "target"] == 1_500_000
    trade = pd.read_csv(allocated / "trade.csv")
    assert trade["hit_rate"].is_monotonic_decreasing
    assert len(pd.read_csv(allocated / "gaps.csv")) == 0


def test_an_allocated_plan_can_be_read_back_simulated_and_compared(
    command: Run, tiny_file: Path, allocated: Path
) -> None:
    quotas = pd.read_csv(allocated / "quotas.csv")
    assert quotas["quota"].sum() == 1_500_000
    bars = quotas.filter(like="because_of_").sum(axis=1)
    assert ((bars - quotas["quota"]).abs() < 0.005).all()
    plan = read_plan(allocated / "plan", load(tiny_file))
    assert sum(plan.quotas().values()) == 1_500_000_00
    found = only_json(command("simulate", tiny_file, "--plan", allocated, "-n", "4", "--json", "--quiet")[1])
    assert found["summary"][0]["quota_sum"] == 1_500_000
    code, out, _ = command("compare", f"today={tiny_file}", f"new={tiny_file}@{allocated}", "-n", "4", "--json")
    assert code == 0
    assert [row["quota_sum"] for row in only_json(out)["cases"]] == [1_570_000, 1_500_000]


def test_compare_with_baselines_names_them_all(command: Run, tiny_file: Path, allocated: Path) -> None:
    code, out, _ = command("compare", f"mine={tiny_file}@{allocated}", "--baselines", "-n", "6", "--json")
    cases = [row["case"] for row in only_json(out)["cases"]]
    assert code == 0
    assert cases[0] == "today"
    assert cases[-1] == "mine"
    assert {"equal", "history", "potential", "strong"} <= set(cases)


def test_baselines_write_a_plan_each_and_say_what_each_breaks(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    asked = ("baselines", tiny_file, "-n", "8", "-o", "b", "--name", "equal", "--name", "strong", "--json")
    code, out, _ = command(*asked)
    assert code == 0
    found = only_json(out)
    assert [row["name"] for row in found["baselines"]] == ["equal", "strong"]
    assert "growth_floor (E1)" in found["baselines"][0]["breaks"]
    plan = read_plan(tmp_path / "b" / "plans" / "strong", load(tiny_file))
    assert sum(plan.quotas().values()) == 1_500_000_00
    assert sum(row["strong"] for row in found["quotas"]) == 1_500_000
    assert only_json(command(*asked)[1])["result_hash"] == found["result_hash"]
    code, out, err = command("baselines", tiny_file, "-n", "8", "--set", "goals.targets[0].target=9000000")
    assert code == 0
    assert "no quotas keep the rules" in out
    assert "two_stage is left out" in err
    assert command("baselines", tiny_file, "--name", "best")[0] == 1


def test_frontier_writes_tables_and_figures(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    asked = ("frontier", tiny_file, "--alone", "--values", "0,0.1,0.4", "-n", "10", "-o", "f", "--language", "en")
    code, out, _ = command(*asked)
    assert code == 0
    assert "cost of potential_band" in out
    found = only_json(command(*asked, "--json", "--quiet")[1])
    assert [row["value"] for row in found["frontier"]] == [0.0, 0.1, 0.4, None]
    assert len(found["trade"]) == 4
    assert {path.name for path in (tmp_path / "f" / "figures").iterdir()} == {
        f"{name}.{ending}" for name in ("frontier-potential_band", "trade") for ending in ("svg", "png")
    }
    assert "is no number" in command("frontier", tiny_file, "--values", "0,x")[2]
    assert command("frontier", tiny_file, "--rule", "niceness")[0] == 1


def test_explain_answers_for_the_last_allocated_plan(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    assert command("explain", tiny_file, "-n", "8")[0] == 1
    assert command("allocate", tiny_file, "-n", "8", "-q")[0] == 0
    code, out, _ = command("explain", tiny_file, "-n", "8", "--rep", "E1", "-q")
    assert code == 0
    assert "E1: quota" in out
    assert "5 %: " in out
    found = only_json(command("explain", tiny_file, "-n", "8", "--share", "0.1", "--json", "-q")[1])
    assert {row["rep"] for row in found["levers"]} == {"E1", "E2", "E3"}
    assert {abs(row["to_move_by"]) for row in found["levers"]} == {0.1}
    for row in found["waterfall"]:
        assert sum(value for name, value in row.items() if name not in ("rep", "quota")) == pytest.approx(row["quota"])
    assert command("explain", tiny_file, "--rep", "E9", "-n", "8")[0] == 1
    assert command("explain", tiny_file, "--share", "0", "-n", "8")[0] == 1


def test_allocate_tells_method_and_bound_and_refuses_what_is_none(command: Run, tiny_file: Path) -> None:
    asked = ("allocate", tiny_file, "-n", "8", "--json", "-q")
    code, out, _ = command(*asked, "--method", "exact", "--gap", "0.01")
    assert code == 0
    told = only_json(out)
    assert told["bound_type"] == "programme"
    assert told["gap"] <= 0.01
    assert told["bound"] >= told["model_value"] * (1 - 1e-9)
    code, out, err = command(*asked, "--method", "exakt", "--gap", "0")
    assert (code, out) == (1, "")
    assert "auto, exact, prices" in err
    assert "must lie between 0 and 1" in err
    code, out, err = command(*asked, "--loop", "--method", "exact")
    assert (code, out) == (1, "")
    assert "--method = exact: is a setting of a plan made in one pass" in err


def test_audit_reads_any_plan_and_names_what_is_unequal(
    command: Run, tiny_file: Path, allocated: Path, tmp_path: Path
) -> None:
    asked = ("audit", tiny_file, "-n", "8", "-o", "a", "--plan", allocated)
    code, out, _ = command(*asked, "--language", "en")
    assert code == 0
    assert "quota / potential against the size of the territory" in out
    assert "tested from 30 people on only" in out
    found = only_json(command(*asked, "--json", "-q")[1])
    assert {row["rep"] for row in found["people"]} == {"E1", "E2", "E3"}
    assert sum(row["quota"] for row in found["people"]) == 1_500_000
    assert all(row["kept"] for row in found["rules"] if row["rule"] == "company_total")
    assert {row["against"] for row in found["checks"]} >= {"territory", "growth", "team", "level"}
    assert (tmp_path / "a" / "people.csv").is_file()
    world = load(tiny_file)
    same = quotalab.fairness_audit(world, allocated, replications=8)
    assert [row.quota / 100 for row in same.people] == [row["quota"] for row in found["people"]]
    assert only_json(command(*asked, "--json", "-q")[1])["result_hash"] == found["result_hash"]
    today = only_json(command("audit", tiny_file, "-n", "8", "--json", "-q")[1])
    assert today["plan"] == "today"
    assert any(not row["kept"] for row in today["rules"] if row["rule"] == "company_total")
    assert command("audit", tiny_file, "--plan", "nowhere")[0] == 1


def test_rules_that_cannot_hold_together_are_3_and_told(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    far = ("--set", "goals.targets[0].target=9000000")
    code, out, err = command("allocate", tiny_file, "-n", "8", *far)
    assert (code, out) == (3, "")
    assert "no feasible plan" in err
    assert "the company's total of quotas is 9,000,000" in err
    assert "公司指标合计为 9,000,000" in command("allocate", tiny_file, "-n", "8", "--language", "zh", *far)[2]
    assert not (tmp_path / "runs").exists()


def test_report_writes_pages_in_both_languages(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    what_if = tmp_path / "more.yaml"
    what_if.write_text(
        f"extends: {tiny_file}\nchanges:\n  - {{scale: sources.线上.leads_per_year, by: 1.2}}\n", encoding="utf-8"
    )
    asked = ("report", tiny_file, "-n", "12", "--draws", "0", "--what-if", f"更多线索={what_if}", "-o", "r")
    code, out, _ = command(*asked, "--language", "en")
    assert code == 0
    told = out.splitlines()
    first, second = (
        next(i for i, line in enumerate(told) if text in line) for text in ("vs best simple rule", "What-ifs")
    )
    assert first < second
    for line in told:
        if "vs today" in line:
            assert line.index("vs best simple rule") < line.index("vs today")
    assert told[-1] == "r/report.html"
    assert 'lang="en"' in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert 'lang="zh-CN"' in (tmp_path / "r" / "report.zh.html").read_text(encoding="utf-8")
    found = only_json(command(*asked, "--json", "--quiet")[1])
    assert found["best_rule"] in {"equal", "history", "potential", "fair_share", "strong"}
    assert found["what_ifs"][0]["name"] == "更多线索"
    manifest = read_manifest(tmp_path / "r")
    assert manifest is not None
    assert manifest["result_hash"] == found["result_hash"]
    assert set(manifest["hashes"]) == {"comparison", "plan", "tables"}


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


@pytest.mark.slow
def test_the_demo_keeps_its_promises(command: Run, tmp_path: Path) -> None:
    ensure_compiled()
    before = os.times()
    code, out, _ = command("demo", "--json", "-o", "demo", "--workers", "1", "--quiet")
    spent = os.times()
    found = only_json(out)
    assert code == 0
    assert sum(spent[:4]) - sum(before[:4]) < 30  # of this process and its children, user and system
    assert found["sizes"] == {"learn": 200, "judge": 200, "draws": 20, "each": 2, "stress": 0}
    assert len(found["what_ifs"]) == 2
    assert {"today", "equal", "history", "potential", "strong", "plan"} <= {row["case"] for row in found["cases"]}
    assert (tmp_path / "demo" / "report.html").stat().st_size > 20_000
    told = " ".join(row["english"] for row in found["findings"])
    for planted in (
        r"The quota of E1 \S+ is too high",
        r"The quota of E3 \S+ is too high",
        r"The quota of E5 \S+ is too low",
        r"C accounts of E4",
        r"proposal is the slow",
    ):
        assert re.search(planted, told), planted


def test_a_bad_edition_or_language_is_refused_before_any_work(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    for option in (("--people", "everybody"), ("--language", "fr"), ("--draws", "3")):
        began = time.monotonic()
        code, out, _ = command("report", tiny_file, "-n", "100000", *option)
        assert (code, out) == (1, ""), option
        assert time.monotonic() - began < 10
    assert not (tmp_path / "runs").exists()


# ---- real input -----------------------------------------------------------------------------------------------------


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


# ---- run folders ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["file", "folder", "other verb", "below a file"])
def test_what_is_not_ours_is_not_overwritten(command: Run, tiny_file: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    if kind == "file":
        target.write_text("mine", encoding="utf-8")
    elif kind == "below a file":
        target.write_text("mine", encoding="utf-8")
        target = target / "run"
    else:
        target.mkdir()
        (target / "mine.txt").write_text("mine", encoding="utf-8")
    if kind == "other verb":
        (target / "manifest.json").write_text('{"verb": "calibrate"}', encoding="utf-8")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    code, out, err = command("simulate", tiny_file, "-n", "2", "-o", target)
    assert (code, out) == (1, "")
    assert str(tmp_path / "target") in err
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_an_earlier_run_of_the_same_verb_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with run_folder(target, "simulate", Stopwatch(), {}) as draft:
        draft.text("old.txt", "old")
    with run_folder(target, "simulate", Stopwatch(), {}) as draft:
        draft.text("new.txt", "new")
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "new.txt"]


def test_a_failing_run_leaves_the_earlier_one_untouched(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with run_folder(target, "simulate", Stopwatch(), {}) as draft:
        draft.text("old.txt", "old")
    before = (target / "manifest.json").read_bytes()

    def fill(draft: Draft) -> None:
        draft.text("new.txt", "new")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"), run_folder(target, "simulate", Stopwatch(), {}) as draft:
        fill(draft)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (target / "manifest.json").read_bytes() == before
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "old.txt"]


def test_result_hash_knows_results_and_nothing_else(tmp_path: Path) -> None:
    def hash_of(name: str, result: str, seconds: float) -> str:
        with run_folder(tmp_path / name, "simulate", Stopwatch(), {"output": name}) as draft:
            draft.hashes["years"] = result
            draft.facts["spent"] = seconds
        manifest = read_manifest(tmp_path / name)
        assert manifest is not None
        return str(manifest["result_hash"])

    assert hash_of("a", "1", 1.0) == hash_of("b", "1", 2.0)
    assert hash_of("a", "1", 1.0) != hash_of("c", "2", 1.0)


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    check_target(tmp_path / "empty", "simulate")


def test_a_plan_is_found_in_its_run_folder(tmp_path: Path) -> None:
    (tmp_path / "run" / "plan").mkdir(parents=True)
    with pytest.raises(InputRefused, match="holds no plan"):
        plan_folder(tmp_path / "run")
    with pytest.raises(InputRefused, match="does not exist -> give the folder"):
        plan_folder(tmp_path / "ran")
    (tmp_path / "run" / "plan" / "plan.yaml").write_text("name: x\n", encoding="utf-8")
    assert plan_folder(tmp_path / "run") == tmp_path / "run" / "plan"


# ---- the terminal ---------------------------------------------------------------------------------------------------


def test_what_libraries_print_stays_out_of_the_results(capfd: pytest.CaptureFixture[str]) -> None:
    with Terminal(as_json=True) as terminal:
        os.write(1, b"a solver greets\n")
        sys.stdout.write("so does Python\n")
        terminal.show("", {"answer": "四十二"})
    seen = capfd.readouterr()
    assert only_json(seen.out) == {"answer": "四十二"}
    assert "a solver greets" in seen.err
    assert "so does Python" in seen.err
    sys.stdout.write("afterwards\n")
    assert capfd.readouterr().out == "afterwards\n"


def test_json_has_no_nan() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_text({"x": float("nan")})


@pytest.fixture
def ticking() -> Iterator[Callable[[], float]]:
    now = iter([0.0, 60.0, 61.0, 72.0, 73.0, 83.0, 100.0])
    return lambda: next(now)


def test_plain_progress_speaks_now_and_then(capfd: pytest.CaptureFixture[str], ticking: Callable[[], float]) -> None:
    report = lines("simulating", ticking)
    for done in (1, 2, 3, 4, 5, 6):
        report(done, 6)
    told = capfd.readouterr().err.splitlines()
    # The first minute went into compiling: it says nothing of what is left.
    assert told == [
        "simulating: 1 of 6",
        "simulating: 3 of 6, about 18 s left",
        "simulating: 5 of 6, about 6 s left",
    ]


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, monkeypatch) -> None:
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputRefused, match="a link that leads nowhere"):
        check_target(dangling, "simulate")
    with pytest.raises(InputRefused, match="cannot be written: File name too long"):
        check_target(tmp_path / ("长" * 90), "simulate")

    def refuse(**_: object) -> str:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(InputRefused, match="cannot be written: Read-only file system"):
        check_target(tmp_path / "deep" / "new", "simulate")
    assert [path.name for path in tmp_path.iterdir()] == ["dangling"]


def test_init_and_save_refuse_places_where_nothing_can_be_made(command: Run, tiny: Scenario, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    code, _, err = command("init", tmp_path / "file" / "new")
    assert code == 1
    assert "is a file, no folder can be made in it" in err
    for place in (tmp_path / "file" / "new", tmp_path / ("长" * 90)):
        with pytest.raises(InputRefused):
            save(tiny, place)
    with pytest.raises(InputRefused, match="neither a file, a folder nor a shipped scenario"):
        load("长" * 90)


def test_closed_standard_streams_are_no_fault(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m quotalab validate starter'
    assert subprocess.run(["sh", "-c", f"{command} >&- 2>&- <&-"], cwd=tmp_path, check=False).returncode == 0
