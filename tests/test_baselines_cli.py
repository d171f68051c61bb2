"""Simple rules are plans like any other: written, read back, audited, explained, simulated, in totals that tie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from command_line import Run, only_json
from optimize.baselines.plans import SIMPLE_RULES
from quotalab.cli.main import run
from scenarios.files import load
from scenarios.plan_files import read_plan

LOCKED, TOTAL, TEAM, STEP = 505_500, 1_500_000, 1_060_000, 1_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, tiny_file: Path) -> Path:
    document: dict[str, Any] = yaml.safe_load(tiny_file.read_text(encoding="utf-8"))
    document["goals"]["targets"][0]["target"] = TOTAL
    document["goals"]["targets"].append({"metric": "revenue", "team": "T1", "target": TEAM})
    lock = {"path": "quota.E2", "value": LOCKED, "author": "王", "reason": "agreed"}
    owned = {"path": "owner.A4", "value": "E3", "author": "王", "reason": "their own"}
    rules = [{"rule": "potential_band", "tolerance": 0.5}, {"rule": "growth", "floor": -0.3, "cap": 0.4}]
    document["allocation"] |= {"locks": [lock, owned], "rules": rules}
    path = tmp_path_factory.mktemp("locked") / "locked.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simple") / "rules"
    assert run(["baselines", str(world), "-n", "12", "--quiet", "-o", str(folder)]) == 0
    return folder


def test_all_rules_write_a_plan(made: Path) -> None:
    assert {place.name for place in (made / "plans").iterdir()} == set(SIMPLE_RULES)
    assert len(SIMPLE_RULES) == 12


@pytest.mark.parametrize("rule", SIMPLE_RULES)
def test_totals_tie_by_company_team_and_period_and_locks_are_kept(made: Path, world: Path, rule: str) -> None:
    scenario = load(world)
    plan = read_plan(made / "plans" / rule, scenario)
    quotas = plan.quotas()
    assert sum(quotas.values()) == TOTAL * 100
    assert quotas["E1"] + quotas["E2"] == TEAM * 100
    assert quotas["E2"] == LOCKED * 100
    assert plan.owner_of().get("A4", "E3") == "E3"
    # The lock is no whole step, so that its colleague takes what is left of the team's total.
    assert quotas["E3"] % (STEP * 100) == 0
    rows = pd.DataFrame([(row.rep, row.start, row.value) for row in plan.targets], columns=["rep", "start", "value"])
    assert rows["start"].nunique() > 1
    assert (rows["value"] >= 0).all()
    assert rows.groupby("rep")["value"].sum().to_dict() == quotas


@pytest.mark.parametrize(
    "rule",
    [pytest.param(name, marks=[] if name in ("waterfall", "strong") else pytest.mark.slow) for name in SIMPLE_RULES],
)
def test_each_is_audited_explained_and_simulated(command: Run, made: Path, world: Path, rule: str) -> None:
    place = made / "plans" / rule
    code, out, err = command("audit", world, "--plan", place, "-n", "4", "--json", "-q")
    assert code == 0, err
    found = only_json(out)
    assert sum(row["quota"] for row in found["people"]) == TOTAL
    kept = {(row["rule"], row["subject"]): row["kept"] for row in found["rules"]}
    assert kept["company_total", "company"]
    code, _, err = command("simulate", world, "--plan", place, "-n", "2", "-q")
    assert code == 0, err
    code, _, err = command("explain", world, "--plan", place, "-n", "4", "-q")
    assert code == 0, err
