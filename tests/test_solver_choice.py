"""Which solver makes a plan: chosen by name, told in the result and the manifest, refused where it cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import quotalab as ql
from optimize.allocate import AllocationResult
from quotalab.cli.main import run
from quotalab.learning import learning_years
from scenarios.errors import InputRefused, Unsupported

SOLVERS = {"highs": "highs", "cbc": "pulp:PULP_CBC_CMD", "HiGHS": "pulp:HiGHS"}


@pytest.fixture(scope="module")
def plans() -> dict[str, AllocationResult]:
    """The shipped starter solved by each, to a gap below what is compared."""
    world = ql.load("starter")
    years = learning_years(world, replications=8)
    return {name: ql.allocate(world, outcome=years, gap=1e-7, solver=name) for name in SOLVERS}


@pytest.mark.parametrize("name", ["cbc", "HiGHS"])
def test_every_solver_makes_a_plan_of_the_same_worth(plans: dict[str, AllocationResult], name: str) -> None:
    highs, other = plans["highs"], plans[name]
    assert other.model_value == pytest.approx(highs.model_value, rel=1e-6)
    assert other.bound == pytest.approx(highs.bound, rel=1e-6)
    assert other.status == highs.status


@pytest.mark.parametrize("name", ["cbc", "HiGHS"])
def test_values_of_loosening_are_the_same_with_every_solver(plans: dict[str, AllocationResult], name: str) -> None:
    """Duals come with the sign of what was solved: turned the wrong way they would be negative or nothing."""
    highs, other = plans["highs"].prices, plans[name].prices
    assert set(other) == set(highs)
    assert max(price.value for price in highs.values()) > 1_000
    for rule, price in highs.items():
        assert other[rule].value == pytest.approx(price.value, rel=1e-3, abs=10.0)


def test_a_result_says_which_solver_made_it(plans: dict[str, AllocationResult]) -> None:
    assert {name: found.solver for name, found in plans.items()} == SOLVERS


def test_unknown_solvers_and_absent_ones_are_refused_with_those_there_are() -> None:
    world = ql.load("starter")
    with pytest.raises(InputRefused, match="solver = gurobi: no such solver -> one of highs, cbc, PULP_CBC_CMD"):
        ql.allocate(world, replications=2, solver="gurobi")
    with pytest.raises(InputRefused, match="solver = SCIP_CMD: is not installed here"):
        ql.allocate(world, replications=2, solver="SCIP_CMD")


def test_the_method_by_prices_takes_no_solver_of_choice() -> None:
    with pytest.raises(Unsupported, match="hands no programme to a solver of choice"):
        ql.allocate(ql.load("starter"), replications=2, method="prices", solver="cbc")


def test_the_command_writes_its_solver_down(tiny_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    asked = ["allocate", str(tiny_file), "-n", "8", "--quiet", "--solver", "cbc"]
    assert run([*asked, "-o", str(folder)]) == 0
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["settings"]["solver"] == "cbc"
    assert manifest["allocation"]["solver"] == "pulp:PULP_CBC_CMD"


def test_the_loop_refuses_a_solver(tiny_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["allocate", str(tiny_file), "--loop", "--solver", "cbc", "-o", str(tmp_path / "plan")]) != 0
    assert "--solver = cbc: is a setting of a plan made in one pass" in capsys.readouterr().err
