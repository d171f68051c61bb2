"""A frontier says the same in its object, table and text; why there is no knee; and bounds that no plan exceeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import quotalab as ql
from allocation_worlds import changed, lognormal, outcome_of
from experiments.figures.draw import frontier_figure
from experiments.frontier import Frontier, frontier
from experiments.money import plain
from experiments.runs import Runs
from optimize.formulate import formulate
from optimize.frontier import ON_WORK, trace
from optimize.frontier_plans import most_capped
from optimize.parameters import PARAMETERS, parameter
from quotalab.frontier_text import frontier_text
from quotalab.trade_text import trade_lines
from test_allocation_oracles import enumerated, tiny_case
from test_baselines import company
from test_frontier import bound

NO_KNEE = {"en": "no knee: ", "zh": "无拐点："}
BY_MODEL = {"en": "the knee is the model's", "zh": "拐点取自模型"}


def traced(rule: str, method: str = "quotas", values: list[float] | None = None, seed: int = 1) -> Frontier:
    scenario, found = company(seed, rules=[{"rule": "growth", "floor": -0.6, "cap": 0.6}], locks=[])
    years = lognormal(np.random.default_rng(seed), (40, 4))
    runs = Runs(40, 0, simulate=lambda *_, **__: outcome_of(scenario, years))
    plan = ql.today_plan(scenario)
    return frontier(scenario, found, runs, rule, plan=plan, values=values, method=method)


def told_alike(found: Frontier) -> None:
    points, table = (*found.points, found.off), found.table()
    assert len(table) == len(points)
    knees = [point.value for point in points if found.knee is not None and point.value == found.knee]
    assert table.loc[table["knee"], "value"].tolist() == knees
    assert (found.no_knee is None) == bool(knees)
    shares = ("capped", "hit_rate", "spread_of_chances", "lowest_chance", "lowest_capped")
    for language in ("en", "zh"):
        text = frontier_text(found, language)
        lines = text.splitlines()[2 : 2 + len(points)]
        for point, row, line in zip(points, table.to_dict("records"), lines, strict=True):
            assert (point.status or None) == (row["status"] if isinstance(row["status"], str) else None)
            assert line.split()[0] == (
                {"en": "off", "zh": "不设"}[language] if point.value is None else f"{point.value:g}"
            )
            if point.judged is None:
                assert np.isnan(row["cost_share"])
                continue
            for name in shares:
                assert row[name] == getattr(point.judged, name).estimate
            cost = point.judged.cost
            assert (row["cost_share"], row["cost_share_low"], row["cost_share_high"]) == (
                cost.estimate,
                cost.low,
                cost.high,
            )
            assert f" {plain(100 * row['cost_share'], 2)} ±" in line
            assert f" {plain(100 * row['hit_rate'], 1)} %" in line
            assert f" {plain(100 * row['spread_of_chances'], 1)} " in line
            assert plain(row["gini_quota_potential"], 3) in line
        assert (NO_KNEE[language] in text) == (found.knee is None)
        assert BY_MODEL[language] not in text or found.knee is not None
        if found.trade is not None:
            assert text.endswith("\n".join(trade_lines(found.trade, language)))
        drawing = frontier_figure(found, language)
        assert drawing.svg().startswith(b"<?xml")
        assert drawing.png().startswith(b"\x89PNG")


@pytest.mark.parametrize("method", ["quotas", "plans"])
@pytest.mark.parametrize("name", [one.name for one in PARAMETERS])
def test_object_table_text_and_figure_agree(name: str, method: str) -> None:
    if name in ON_WORK and method == "quotas":
        with pytest.raises(ql.errors.InputRefused, match="use the method plans"):
            traced(name, method)
        return
    usual = parameter(name).usual
    told_alike(traced(name, method, [*usual[::4], usual[-1]]))


@pytest.mark.parametrize(
    ("rule", "values", "why", "says"),
    [
        ("min_chance", [0.1, 0.05, 0.02, 0.0], "flat", "the same at every value"),
        ("growth_cap", [0.0, 0.01, 0.02], "none", "at any of the values"),
        ("growth_cap", [0.0, 0.01, 0.3], "one", "only one"),
        ("growth_cap", [0.0, 0.3, 0.5], "two", "only two"),
    ],
)
@pytest.mark.parametrize("method", ["quotas", "plans"])
def test_no_knee_is_told_with_its_reason(
    rule: str, values: list[float], why: str, says: str, method: str, recwarn: pytest.WarningsRecorder
) -> None:
    found = traced(rule, method, values)
    assert (found.knee, found.no_knee) == (None, why)
    assert says in frontier_text(found, "en")
    told_alike(found)
    if why == "none":
        assert "no value has a plan" in frontier_figure(found).alt
        assert "各限值均无可行方案" in frontier_figure(found, "zh").alt
    assert not [one for one in recwarn if "egend" in str(one.message)]


def test_a_cost_that_rises_evenly_has_no_knee_and_what_is_left_open_makes_none() -> None:
    found = traced("potential_band", values=[0.0, 0.1, 0.2])
    assert found.no_knee is None
    even = [replace(p, model_capped=c, gap=None) for p, c in zip(found.points, (0.8, 0.81, 0.82), strict=True)]
    assert replace(found, knee=None, points=tuple(even)).no_knee == "even"
    close = [replace(p, model_capped=c, gap=1e-3) for p, c in zip(found.points, (0.8, 0.8006, 0.8007), strict=True)]
    assert replace(found, knee=None, points=tuple(close)).no_knee == "flat"


def test_one_simulated_year_draws_without_intervals() -> None:
    scenario, responses = bound(3)
    runs = Runs(1, 0, simulate=lambda *_, **__: outcome_of(scenario, lognormal(np.random.default_rng(1), (1, 4))))
    asked = {"plan": ql.today_plan(scenario), "values": [0.05, 0.3, 1.0]}
    drawing = frontier_figure(frontier(scenario, responses, runs, "potential_band", **asked))
    assert drawing.svg() == drawing.svg()


def most_by_force(seed: int, basis: str, mode: str) -> int:
    """Points at which what is proven was held to all owners, all training and the best split of quotas."""
    scenario, found = tiny_case(seed)
    scenario = changed(scenario, allocation={**scenario.document()["allocation"], "quota_basis": basis, "mode": mode})
    rng = np.random.default_rng(seed)
    found = replace(found, opportunity=rng.uniform(5000, 15000, found.samples.shape[1]))
    problem = formulate(scenario, found)
    assert basis == "full" or not np.array_equal(problem.basis, problem.samples)
    one, held = parameter("potential_band"), 0
    values = [0.05, 0.2, 0.6]
    for point in trace(problem, one, values, None):
        asked = problem.with_rules(one.set(problem.rules, point.value))
        best = enumerated(asked, point.value)
        if best == -np.inf:
            assert point.quotas is None
            continue
        assert most_capped(asked) >= best - 1e-6 * abs(best)
        assert point.at_most is None or point.at_most >= best - 1e-6 * abs(best)
        if point.model_value is not None:
            assert point.model_value <= best + 1e-6 * abs(best)
        held += 1
    return held


@pytest.mark.parametrize("mode", ["joint", "two_stage"])
@pytest.mark.parametrize("basis", ["full", "blend", "opportunity"])
def test_no_plan_exceeds_what_is_proven_whatever_quotas_follow(basis: str, mode: str) -> None:
    assert sum(most_by_force(seed, basis, mode) for seed in range(8)) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["joint", "two_stage"])
@pytest.mark.parametrize("basis", ["full", "blend", "opportunity"])
def test_no_plan_exceeds_what_is_proven_on_many_worlds(basis: str, mode: str) -> None:
    assert sum(most_by_force(seed, basis, mode) for seed in range(8, 80)) >= 80
