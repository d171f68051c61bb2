"""Figures: readable text in both languages, the same bytes each time, clear words where something is missing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from experiments.compare import Comparison, compare_outcomes
from experiments.figures import draw as figures
from experiments.figures import style as figures_style
from experiments.figures.draw import Drawing, RangeRow
from experiments.measures import plan_measures
from experiments.money import Language
from experiments.trade import trade_table
from scenarios.errors import InputRefused
from scenarios.files import from_document
from scenarios.plan import OwnerRow, Plan
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.outcome import Cube, Outcome

MEAN_ONE = {"family": "exponential", "mean": 1}
WORLD: dict[str, Any] = {
    "name": "figures",
    "calendar": {"start": "2026-01-01", "end": "2027-01-01"},
    "regions": [{"id": "east"}],
    "teams": [{"id": "T", "region": "east"}],
    "stages": [
        {"id": "talk", "name": "初步接触", "effort_hours": MEAN_ONE, "conversion": 0.5},
        {"id": "close", "effort_hours": MEAN_ONE, "conversion": 0.5},
    ],
    "tiers": [{"id": "A", "orders_per_year": 2, "order_value": MEAN_ONE}],
    "account_physics": {"order_effort_hours": MEAN_ONE},
    "goals": {"targets": [{"metric": "revenue", "target": 2_000_000}]},
    "reps": [
        {"id": "E1", "name": "陈立", "team": "T", "quota": 1_000_000, "potential": 3_000_000},
        {"id": "E2", "name": "Ann <$x$> & Co", "team": "T", "quota": 1_000_000, "potential": 2_000_000},
    ],
    "accounts": [{"id": "K1", "tier": "A", "region": "east", "owner": "E1"}],
}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return from_document(WORLD)


def outcome(scenario: Scenario, plan: Plan, gain: float = 0.0) -> Outcome:
    random = np.random.default_rng(5)
    sales = np.rint(100 * (1_000_000 + 200_000 * random.standard_normal((50, 2)) + gain)).astype(np.int64)
    hours = np.full((50, 2), 90)
    reps = np.stack([sales, hours, np.full((50, 2), 100)])[..., None]
    stage = np.stack([np.tile([100, 40], (50, 1)), np.tile([40, 20], (50, 1)), np.tile([50, 20], (50, 1))])
    stages = np.concatenate([stage, np.zeros((1, 50, 2))]).astype(np.int64)[..., None]
    cubes = {
        "rep": Cube("rep", ("revenue", "busy_ticks", "available_ticks"), ("E1", "E2"), ("year",), reps),
        "stage": Cube("stage", ("entered", "advanced", "lost", "cold"), ("talk", "close"), ("year",), stages),
    }
    return Outcome(scenario.fingerprint(), plan.simulation_hash(), plan.name, 1, 0, "fake", 1, cubes)


def comparison(scenario: Scenario) -> Comparison:
    today = today_plan(scenario)
    plan = today.with_rows(name="B", owners=[OwnerRow("K1", "E2", scenario.calendar.start)])
    cases = {"today": scenario.with_plan(today), "方案B": scenario.with_plan(plan)}
    return compare_outcomes(cases, {"today": outcome(scenario, today), "方案B": outcome(scenario, plan, 1000)})


DRAWN: dict[str, Callable[[Scenario, Language], Drawing]] = {
    "funnel": lambda world, language: figures.funnel(world, outcome(world, today_plan(world)), language),
    "attainment": lambda world, language: figures.attainment_figure(
        world, today_plan(world), outcome(world, today_plan(world)), language
    ),
    "differences-sales": lambda world, language: figures.plan_differences(comparison(world), language),
    "year-ranges": lambda _, language: figures.year_ranges(
        [RangeRow("运气", 1.9e8, 2.2e8, 2.0e8), RangeRow("B", 1.8e8, 2.3e8)], "CNY", language, target=2 * 10**8
    ),
    "trade": lambda world, language: figures.trade_figure(
        trade_table(world, today_plan(world), outcome(world, today_plan(world))), language
    ),
    "quota-potential": lambda world, language: figures.quota_potential(measured(world), language, tolerance=0.1),
    "workload": lambda world, language: figures.workload(measured(world), language, limit=0.85),
}


def measured(scenario: Scenario) -> Any:
    plan = today_plan(scenario)
    return plan_measures(scenario, plan, outcome(scenario, plan))


def texts(drawing: Drawing) -> str:
    root = ElementTree.fromstring(drawing.svg())
    return "\n".join("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text"))


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_in_both_languages(scenario: Scenario, name: str) -> None:
    english, chinese = DRAWN[name](scenario, "en"), DRAWN[name](scenario, "zh")
    assert english.name == name
    for drawing in (english, chinese):
        assert drawing.alt
        assert drawing.png().startswith(b"\x89PNG")
        assert drawing.inline_svg().startswith("<svg")
    for number, drawing in enumerate((english, chinese)):
        used = {both[number] for both in figures.LABELS.values() if both[0] != both[1]}
        other = {both[1 - number] for both in figures.LABELS.values() if both[0] != both[1]} - used
        lines = set(texts(drawing).splitlines())
        assert not lines & other, "no word of the other language"
    assert texts(english) != texts(chinese)


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_figure_gives_the_same_bytes(scenario: Scenario, name: str) -> None:
    first, second = DRAWN[name](scenario, "zh"), DRAWN[name](scenario, "zh")
    assert first.svg() == second.svg() == first.svg()
    assert first.png() == second.png()
    assert b"dc:date" not in first.svg()
    assert b"Matplotlib" not in first.png()


def test_names_stand_as_text_and_stay_what_they_are(scenario: Scenario) -> None:
    found = texts(DRAWN["workload"](scenario, "zh"))
    assert "陈立" in found
    assert "Ann <$x$> & Co" in found
    assert "初步接触" in texts(DRAWN["funnel"](scenario, "en"))
    hidden = figures.workload(measured(scenario), names={"E1": "Rep 1", "E2": "Rep 2"})
    assert "陈立" not in texts(hidden) + hidden.alt


def test_figures_say_what_the_measures_say(scenario: Scenario) -> None:
    found = measured(scenario)
    alt = DRAWN["workload"](scenario, "en").alt
    assert alt == "Workload: 陈立: 90 %; Ann <$x$> & Co: 90 %"
    assert "100 → 44 %" in DRAWN["funnel"](scenario, "en").alt
    shown = DRAWN["attainment"](scenario, "en").alt
    assert f"陈立: chance {100 * found.reps[0].chance.estimate:.0f} %" in shown
    assert "陈立: 83 %; Ann <$x$> & Co: 125 %" in DRAWN["quota-potential"](scenario, "en").alt
    assert "方案B: +2 (proven)" in DRAWN["differences-sales"](scenario, "en").alt


def test_missing_glyphs_are_told_once(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures_style, "_warned", set())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        english = figures.year_ranges([RangeRow("luck", 1e8, 2e8)], "CNY")
        assert english.svg()
    monkeypatch.setattr(figures_style, "CJK_FONTS", ())
    figures_style.usable_fonts.cache_clear()
    figures_style._drawable.cache_clear()
    try:
        drawing = DRAWN["funnel"](scenario, "zh")
        with pytest.warns(figures.MissingGlyphs, match="no installed font") as told:
            drawing.png()
        assert len(told) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert drawing.png(), "told once is enough"
        assert "初步接触" in texts(drawing), "browsers have fonts of their own"
    finally:
        figures_style.usable_fonts.cache_clear()
        figures_style._drawable.cache_clear()


def test_what_cannot_be_drawn_is_refused(scenario: Scenario, tmp_path: Path) -> None:
    bare = from_document(WORLD | {"reps": [{"id": name, "team": "T"} for name in ("E1", "E2")]})
    plan = today_plan(bare)
    years = outcome(bare, plan)
    with pytest.raises(InputRefused, match="nobody has a quota"):
        figures.attainment_figure(bare, plan, years)
    with pytest.raises(InputRefused, match="both a quota and a potential"):
        figures.quota_potential(plan_measures(bare, plan, years))
    with pytest.raises(InputRefused, match="was not compared"):
        figures.plan_differences(comparison(scenario), against="方案B")
    with pytest.raises(InputRefused, match="at least one range"):
        figures.year_ranges([], "CNY")
    drawing = DRAWN["workload"](scenario, "en")
    assert drawing.save(tmp_path / "w.svg").read_bytes() == drawing.svg()
    with pytest.raises(ValueError, match=r"\.svg or \.png"):
        drawing.save(tmp_path / "w.gif")
