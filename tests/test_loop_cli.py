"""allocate --loop as a user meets it: the trace, the proof, what is kept when it is stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import quotalab as ql
from loop_worlds import company
from quotalab.cli import looping
from quotalab.cli.main import run
from scenarios.errors import InputRefused
from scenarios.files import load, save
from scenarios.plan_files import read_plan


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "world"
    save(company(), folder)
    return folder


def test_the_loop_writes_trace_proof_and_plan(world, tmp_path, capfd):
    target = tmp_path / "run"
    assert run(["allocate", str(world), "--loop", "-n", "40", "--judge", "60", "--json", "-q", "-o", str(target)]) == 0
    shown = json.loads(capfd.readouterr().out)
    trace = pd.read_csv(target / "trace.csv", encoding="utf-8-sig")
    assert trace["runs"].max() + shown["loop"]["quota_years"] // 40 - 1 == shown["loop"]["runs"] <= 15
    assert shown["loop"]["verdict"] in ("proven gain", "no proven gain", "worse")
    accepted = trace.loc[trace["accepted"], "simulated"]
    assert accepted.is_monotonic_increasing
    # The last accepted step with its quotas fitted to more years.
    assert shown["loop"]["promise"] == pytest.approx(accepted.iloc[-1], rel=0.01)
    scenario = load(world)
    plan = read_plan(target / "plan", scenario)
    assert sum(plan.quotas().values()) == 920_000_00
    assert {"expected sales", "sales"} & set(pd.read_csv(target / "proof.csv", encoding="utf-8-sig")["measure"])
    assert json.loads((target / "manifest.json").read_text())["settings"]["loop"] is True
    assert not list(tmp_path.glob("*so-far*"))


def test_a_stopped_run_leaves_its_best_plan_and_says_so(world, tmp_path, capfd, monkeypatch):
    target = tmp_path / "run"
    whole = looping.KeptSoFar.__call__

    def stop_at_a_start(self, row, plan):
        whole(self, row, plan)
        assert read_plan(looping.so_far(target) / "plan", load(world)).decisions_hash() == plan.decisions_hash()
        if row.step == "start strong":
            raise KeyboardInterrupt

    monkeypatch.setattr(looping.KeptSoFar, "__call__", stop_at_a_start)
    assert run(["allocate", str(world), "--loop", "-n", "40", "-q", "-o", str(target)]) == 130
    seen = capfd.readouterr()
    assert "the best plan so far is in" in seen.err
    assert "interrupted; the best plan so far is kept" in seen.out
    assert read_plan(target / "plan", load(world)).quotas()
    assert json.loads((target / "manifest.json").read_text())["loop"]["interrupted"] is True


def test_settings_of_the_loop_are_refused_without_it(world, capfd):
    assert run(["allocate", str(world), "--robust", "--judge", "5"]) == 1
    said = capfd.readouterr().err
    assert "--robust" in said
    assert "--judge" in said
    assert "write --loop as well" in said


def test_the_library_joins_loop_and_proof():
    found = ql.improve(company(), replications=40, judge=60)
    assert found.plan is found.loop.plan
    assert found.recommended == found.loop.candidates[found.proof.recommended]
    assert [step.part for step in found.proof.steps.steps][-1] == "loop"
    assert "closed loop, attained share" in str(found)
    assert "one-shot" in found.proof.optimism


def test_bad_numbers_are_refused_before_any_work():
    with pytest.raises(InputRefused) as refused:
        ql.improve(company(), replications=20, judge=1, robust=True)
    assert {problem.where for problem in refused.value.problems} == {"judge", "replications"}


def test_the_report_shows_the_rounds_in_both_languages(tmp_path):
    # One pass leaves the formula to itself here, so the loop has something to put right.
    world = company(6, 18, leads=160)
    found = ql.study(world, ql.Sizes(learn=60, judge=40, draws=0), loop=True)
    assert found.plan.name == "loop"
    english, chinese = found.report("en"), found.report("zh")
    assert "The plan was found by the closed loop" in english
    assert "Round 1:" in english
    assert "no optimality is claimed" in english
    assert "第 1 轮" in chinese
    assert "closed loop" not in chinese
    assert "nan" not in english.lower().split("<body")[1].replace("finance", "")
