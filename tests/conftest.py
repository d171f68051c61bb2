"""Worlds small enough to be simulated in a moment, shared by tests of every floor."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

import sim.run
from command_line import Run
from quotalab.cli.main import run
from scenarios.files import from_document
from scenarios.scenario import Scenario

SKILLS = ("product_knowledge", "negotiation", "relationship_management", "market_insight", "learning_ability")

TINY: dict[str, Any] = {
    "name": "小公司",
    "invented": True,
    "seed": 7,
    "calendar": {"start": "2026-01-01", "end": "2026-04-01", "timezone": "Asia/Shanghai"},
    "regions": [{"id": "华东"}],
    "teams": [{"id": "T1", "name": "一组", "region": "华东"}, {"id": "T2", "name": "二组", "region": "华东"}],
    "skills": {
        "levels": [
            {"id": "mid", "skills": dict.fromkeys(SKILLS, 60), "cost_per_year": 280000},
            {"id": "senior", "skills": dict.fromkeys(SKILLS, 72), "cost_per_year": 420000},
        ],
        "training": {"cost_per_hour": 400},
    },
    "stages": [
        {
            "id": "talk",
            "name": "初步接触",
            "effort_hours": {"family": "gamma", "mean": 2, "cv": 0.6},
            "delay_days": {"family": "exponential", "mean": 4},
            "conversion": 0.5,
            "patience_days": {"family": "exponential", "mean": 30},
            "activities": {"visits": 1},
        },
        {"id": "close", "name": "成交", "effort_hours": {"family": "gamma", "mean": 4, "cv": 0.6}, "conversion": 0.6},
    ],
    "sources": [{"id": "线上", "leads_per_year": 400, "cost_per_lead": 350, "dispersion": 2.0}],
    "products": [{"id": "p", "value": {"family": "lognormal", "mean": 50000, "cv": 0.7}, "gross_margin": 0.5}],
    "tiers": [
        {
            "id": "A",
            "orders_per_year": 8,
            "order_value": {"family": "lognormal", "mean": 40000, "cv": 0.5},
            "potential": 400000,
            "care_hours_per_year": 20,
        }
    ],
    "account_physics": {"order_effort_hours": {"family": "gamma", "mean": 3, "cv": 0.5}},
    "goals": {"targets": [{"metric": "revenue", "target": 1500000}]},
    "allocation": {"training": {"budget_hours": 24, "per_rep_hours": 16}, "rounding_step": 1000},
    "reps": [
        {"id": "E1", "name": "陈立", "team": "T1", "level": "senior", "quota": 620000, "last_sales": 600000},
        {"id": "E2", "name": "王芳", "team": "T1", "level": "mid", "quota": 500000, "last_sales": 470000},
        {"id": "E3", "name": "李雷", "team": "T2", "level": "mid", "quota": 450000, "last_sales": 430000},
    ],
    "accounts": [
        {"id": f"A{number}", "tier": "A", "region": "华东", "owner": f"E{min(number // 2 + 1, 3)}"}
        for number in range(6)
    ],
}


@pytest.fixture(params=["compiled", "simpy"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each engine in turn: what a module's tests simulate, they simulate with it."""
    for function in (sim.run.simulate, sim.run.simulate_logs):
        if hasattr(request.module, function.__name__):
            monkeypatch.setattr(request.module, function.__name__, partial(function, engine=request.param))
    return request.param


@pytest.fixture
def tiny_document() -> dict[str, Any]:
    """The document of a company of three reps and six accounts over a quarter; a copy to be changed."""
    return copy.deepcopy(TINY)


@pytest.fixture(scope="session")
def tiny() -> Scenario:
    """The same as a scenario."""
    return from_document(TINY)


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a single YAML file, in a folder whose name is not ASCII; to be read only."""
    path = tmp_path_factory.mktemp("世界") / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs one command in an empty folder; gives exit code, stdout and stderr as they leave the process."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        seen = capfd.readouterr()
        return code, seen.out, seen.err

    return call
