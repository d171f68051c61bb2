"""Simulated years serve every scenario whose simulation would read the same; others are refused by what differs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import quotalab as ql
from quotalab.learning import learning_years
from scenarios.errors import InputRefused
from scenarios.scenario import NOT_SIMULATED, Scenario
from sim.outcome import Outcome

SHORT = ["calendar.end=2026-05-01", "goals.targets.0.target=8000000"]
NO_MATTER = {
    "rules": ["allocation.rules.potential_band.tolerance=0.4", "allocation.mode=joint", "allocation.rounding_step=1"],
    "training": ["allocation.training.budget_hours=12", "allocation.training.per_rep_hours=12"],
    "owners": ["allocation.accounts.max_moves=0"],
    "goals": ["goals.targets.0.target=7000000", "goals.history_growth=0.2"],
    "words": ["name=Other", "description=Other", "language=en", "invented=true", "data_date=2025-12-30"],
    "seed": ["seed=99"],
}
"""Changes that no simulated figure depends on."""


@pytest.fixture(scope="module")
def years() -> Outcome:
    return learning_years(ql.load("starter", SHORT), replications=6, seed=5)


def other(changes: list[str]) -> Scenario:
    return ql.load("starter", [*SHORT, *changes])


@pytest.mark.parametrize("kind", NO_MATTER)
def test_what_no_year_depends_on_really_changes_no_figure(years: Outcome, kind: str) -> None:
    world = other(NO_MATTER[kind])
    assert world.fingerprint() != years.scenario
    again = learning_years(world, replications=6, seed=5)
    assert again.world == years.world
    for table in again.cubes:
        np.testing.assert_array_equal(again[table].values, years[table].values)


def test_every_section_left_out_is_tried() -> None:
    tried = {change.split(".")[0].split("=")[0] for changes in NO_MATTER.values() for change in changes}
    assert tried | {"provenance"} == NOT_SIMULATED


def test_a_plan_from_years_at_hand_is_the_plan_from_new_ones(tiny_file: Path) -> None:
    years = learning_years(ql.load(tiny_file), replications=8, seed=5)
    world = ql.load(tiny_file, ["allocation.rounding_step=700", "allocation.rules=[{rule: spread, maximum: 0.5}]"])
    assert world.fingerprint() != years.scenario
    reused = ql.allocate(world, outcome=years)
    anew = ql.allocate(world, replications=8, seed=5)
    assert reused.plan.decisions_hash() == anew.plan.decisions_hash()
    assert reused.model_value == anew.model_value


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (["sources.online.leads_per_year=500"], "sources"),
        (["reps.S4.hired=2026-03-20"], "reps"),
        (["calendar.end=2026-06-01", "routing.policy=round_robin"], "calendar, routing"),
    ],
)
def test_years_of_another_world_are_refused_by_what_differs(years: Outcome, change: list[str], differs: str) -> None:
    with pytest.raises(InputRefused, match=f"is of another scenario, which differs in {differs} -> simulate this one"):
        ql.allocate(other(change), outcome=years)
