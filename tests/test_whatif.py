"""What-ifs: sales paired, costs read off the two worlds, hours and whose they are, payback."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from experiments.runs import Runs
from experiments.whatif import added_reps, cost_of_people, settled_world, what_if, what_if_of
from scenarios.changes import Change
from scenarios.files import changed, from_document
from scenarios.plan import TrainingRow
from scenarios.scenario import Scenario
from scenarios.ticks import HOUR
from scenarios.today import today_plan
from sim.outcome import Cube, Outcome

MEAN_ONE = {"family": "exponential", "mean": 1}
WORLD: dict[str, Any] = {
    "name": "what if",
    "seed": 7,
    "calendar": {"start": "2026-01-01", "end": "2027-01-01", "reporting": "quarter"},
    "regions": [{"id": "east"}],
    "teams": [{"id": "T", "region": "east"}],
    "skills": {
        "levels": [{"id": "mid", "skills": {"negotiation": 60, "learning_ability": 60}, "cost_per_year": 365_000}],
        "dimensions": ["negotiation", "learning_ability"],
        "training": {"cost_per_hour": 400},
    },
    "stages": [{"id": "close", "effort_hours": MEAN_ONE, "conversion": 0.5}],
    "sources": [{"id": "web", "leads_per_year": 200, "cost_per_lead": 350}],
    "products": [{"id": "p", "value": MEAN_ONE | {"mean": 1000}, "gross_margin": 0.5}],
    "reps": [{"id": "E1", "team": "T", "level": "mid"}],
}
HIRE = Change("add", "reps", {"id": "E2", "team": "T", "level": "mid", "hired": "2026-07-01"})


@pytest.fixture(scope="module")
def before() -> Scenario:
    return from_document(WORLD)


def outcome(scenario: Scenario, quarters: list[float], hours: list[int], leads: int = 100) -> Outcome:
    """Three alike years: company sales by quarter in currency units (margin half), hours of work by rep."""
    reps = tuple(rep.id for rep in scenario.reps)
    values = np.zeros((3, 3, len(reps), 4), dtype=np.int64)
    values[0, :, 0, :] = np.rint(100 * np.array(quarters))
    values[1, :, 0, :] = np.rint(50 * np.array(quarters))
    values[2, :, :, 0] = np.array(hours) * HOUR
    cubes = {
        "rep": Cube("rep", ("revenue", "gross_margin", "busy_ticks"), reps, ("1", "2", "3", "4"), values),
        "stage": Cube("stage", ("busy_ticks",), ("close",), ("1",), np.full((1, 3, 1, 1), sum(hours) * HOUR)),
        "source": Cube("source", ("leads",), ("web",), ("1",), np.full((1, 3, 1, 1), leads)),
    }
    return Outcome(scenario.fingerprint(), "", "", 7, 0, "fake", 1, cubes)


def test_a_hire_costs_from_the_first_day(before: Scenario) -> None:
    after = changed(before, [HIRE])
    assert cost_of_people(after, after.reps[1]) == 184 * 1000 * 100
    leaver = changed(after, ["reps.E2.leaves=2026-07-11"])
    assert cost_of_people(leaver, leaver.reps[1]) == 10 * 1000 * 100
    own = changed(after, ["reps.E2.cost_per_year=730000"])
    assert cost_of_people(own, own.reps[1]) == 184 * 2000 * 100
    assert [rep.id for rep in added_reps(before, after)] == ["E2"]
    assert settled_world(after, added_reps(before, after)).reps[1].hired is None


def test_a_hire_with_its_price(before: Scenario) -> None:
    after = changed(before, [HIRE])
    old = outcome(before, [100_000] * 4, [1000])
    new = outcome(after, [100_000, 100_000, 150_000, 250_000], [900, 400], leads=110)
    steady = outcome(after, [400_000] * 4, [900, 800])
    found = what_if_of("one hire", before, after, old, new, steady)
    assert found.sales.estimate == 200_000 * 100
    assert found.word == "not proven", "three years alike are no proof"
    assert {item.what: item.minor for item in found.costs} == {"people": 184_000_00, "leads": 10 * 350_00}
    assert found.full_cost == 187_500_00
    assert found.cost_per_year == (365_000 + 3_500) * 100
    assert (found.start, found.ramp) == (date(2026, 7, 1), (0.25, 0.5, 0.75))
    assert found.sales_next_year is not None
    assert found.sales_next_year.estimate == 1_200_000 * 100
    assert found.hours_by_rep == {"E1": -100, "E2": 400}
    assert found.hours_by_stage == {"close": 300}
    assert (found.hours, found.whose) == (300, ("E2",))
    # Margin 100,000 against a cost of 187,500 in 184 days; then (600,000 - 368,500) a year.
    months = 184 * 12 / 365
    assert found.payback_months == pytest.approx(months + 87_500 / (231_500 / 12), rel=1e-12)


def test_payback_within_the_horizon_and_never(before: Scenario) -> None:
    after = changed(before, [HIRE])
    old = outcome(before, [100_000] * 4, [1000])
    soon = outcome(after, [100_000, 100_000, 500_000, 500_000], [900, 400])
    found = what_if_of("soon", before, after, old, soon, soon)
    assert found.payback_months is not None
    assert 2.5 < found.payback_months < 3.5, "the first quarter of the hire covers its cost"
    poor = outcome(after, [100_000] * 4, [900, 400])
    assert what_if_of("never", before, after, old, poor, poor).payback_months is None
    unknown = changed(before, [Change("remove", "products.p.gross_margin")])
    blind = what_if_of("blind", unknown, changed(unknown, [HIRE]), old, soon, soon)
    assert (blind.margin, blind.payback_months) == (None, None), "no margin, no payback"


def test_a_change_without_people_costs_hours_and_leads(before: Scenario) -> None:
    start, end = before.calendar.start, before.calendar.end
    plan = today_plan(before).with_rows(training=[TrainingRow("E1", "negotiation", start, end, 12.5)])
    after = changed(before, ["stages.close.conversion=0.6"]).with_plan(plan)
    old = outcome(before, [100_000] * 4, [1000])
    found = what_if_of("qualify", before, after, old, outcome(after, [100_000] * 4, [1200], leads=90))
    assert {item.what: item.minor for item in found.costs} == {"leads": -3_500_00, "training": 5_000_00}
    assert (found.start, found.ramp, found.sales_next_year) == (None, (), None)
    assert found.whose == ("E1",)
    assert found.cost_per_year == found.full_cost


def test_through_the_simulator(before: Scenario) -> None:
    runs = Runs(6, 7)
    found = what_if("hire", before, changed(before, [HIRE]), runs)
    assert found.hours_by_rep["E2"] > 0
    assert found.sales_next_year is not None
    assert found == what_if("hire", before, changed(before, [HIRE]), Runs(6, 7, workers=2))
