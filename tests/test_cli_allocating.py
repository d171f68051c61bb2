"""Verbs of the command line that allocate, and those that go on from an allocated plan."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pandas as pd
import pytest

import quotalab
from command_line import Run, only_json
from quotalab.cli.main import run
from quotalab.runs import read_manifest
from scenarios.files import load
from scenarios.plan_files import read_plan
from sim.compiled.run import ensure_compiled


def test_who_it_is_is_asked_before_the_work(command: Run, tiny_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quotalab.api.allocate", lambda *_, **__: pytest.fail("the work began"))
    code, _, err = command("allocate", str(tiny_file), "-n", "2", "--author", " ")
    assert code == 1
    assert "--author" in err


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
    assert "cost of the quota-to-potential range (potential_band)" in out
    found = only_json(command(*asked, "--json", "--quiet")[1])
    assert [row["value"] for row in found["frontier"]] == [0.0, 0.1, 0.4, None]
    assert len(found["trade"]) == 4
    assert {path.name for path in (tmp_path / "f" / "figures").iterdir()} == {
        f"{name}.{ending}" for name in ("frontier-potential_band", "trade") for ending in ("svg", "png")
    }
    for name in ("frontier", "trade"):
        sheet = pd.read_csv(tmp_path / "f" / f"{name}.csv", encoding="utf-8-sig")
        rows = pd.DataFrame(found[name])
        for column in rows.select_dtypes("number").columns:
            assert sheet[column].to_numpy(float) == pytest.approx(
                rows[column].to_numpy(float), abs=1e-9, nan_ok=True
            ), column
    none = ("frontier", tiny_file, "--rule", "growth_cap", "--values", "-1,-0.9", "-n", "6", "-o", "none")
    code, out, err = command(*none, "--alone", "--language", "en")
    assert code == 0, err
    assert "no knee: no plan keeps the rules at any of the values" in out
    told = only_json(command(*none, "--alone", "--json", "--quiet")[1])
    assert (told["knee"], told["no_knee"]) == (None, "none")
    assert (tmp_path / "none" / "figures" / "frontier-growth_cap.svg").is_file()
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
    assert today["result_hash"] != found["result_hash"]
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
