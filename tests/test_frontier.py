"""The cost of a rule: exact where it can be said, paired where it is simulated, and the knee where one stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import quotalab as ql
from allocation_worlds import changed, lognormal, outcome_of, responses_of, world
from experiments.figures.draw import frontier_figure
from experiments.frontier import FrontierPoint, frontier
from experiments.runs import Runs
from optimize import frontier_plans
from optimize.allocate import allocate
from optimize.by_prices.feasibility import worst_breach
from optimize.formulate import formulate
from optimize.frontier import knee, only_on_work, trace, traced_values
from optimize.frontier_plans import POINT_GAP
from optimize.model import money_unit
from optimize.optimum import optimise
from optimize.parameters import PARAMETERS, parameter
from optimize.problem import gains
from optimize.quotas import exact_quotas
from optimize.response.estimate import estimate
from optimize.split import attained
from quotalab.frontier_text import frontier_text
from scenarios.errors import InfeasiblePlan, InputRefused
from scenarios.scenario import Scenario
from test_baselines import company


def bound(number):
    """Four reps who differ, under the rule's default with nothing else."""
    rng = np.random.default_rng(number)
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 100} for i in (1, 2, 3, 4)]
    scenario = changed(world(4), reps=people, goals={"targets": [{"metric": "revenue", "target": 400}]})
    sales = lognormal(rng, (80, 4)) * np.array([1.4, 1.0, 0.9, 0.7])
    return scenario, responses_of(scenario, sales, territory=np.full(4, 10000.0))


ON_QUOTAS = [one.name for one in PARAMETERS if one.rule not in ("workload", "training_floor")]


@pytest.mark.parametrize("name", ON_QUOTAS)
def test_a_looser_rule_never_costs_more_and_the_loosest_costs_nothing(name):
    scenario, found = bound(1)
    problem = formulate(scenario, found)
    one, values = traced_values(name, None, "quotas")
    points = trace(problem, one, [*values, None], problem.today_decisions())
    worth = [point.model_value for point in points]
    there = [value for value in worth if value is not None]
    first = next(i for i, value in enumerate(worth) if value is not None)
    assert all(value is None for value in worth[:first])
    assert all(value is not None for value in worth[first:])
    assert (np.diff(there) >= -1e-4 * there[-1]).all()
    assert there[-2] == pytest.approx(there[-1], rel=1e-6)
    # The best split gives everybody the same chance, so a rule on chances alone costs nothing.
    assert (there[0] < there[-1]) == (name not in ("min_chance", "equal_odds"))


@pytest.mark.parametrize("name", ["potential_band", "growth_cap", "min_chance"])
def test_quotas_split_anew_are_the_plans_that_solving_gives(name):
    """Without accounts and training the two methods are one."""
    scenario, found = bound(2)
    problem = formulate(scenario, found)
    one, values = traced_values(name, None, "quotas")
    chosen = values[3::4]
    split = trace(problem, one, chosen, problem.today_decisions())
    solved = trace(problem, one, chosen, None)
    for a, b in zip(split, solved, strict=True):
        assert (a.quotas is None) == (b.quotas is None)
        if a.quotas is not None:
            assert a.model_value == pytest.approx(b.model_value, rel=1e-9)
            rules = [rule.model_dump() for rule in one.set((), a.value)]
            alone = changed(scenario, allocation={**scenario.document()["allocation"], "rules": rules})
            again = responses_of(alone, found.samples / 100, territory=np.full(4, 10000.0))
            assert allocate(alone, again).model_value == pytest.approx(a.model_value, rel=1e-5)


def test_the_held_plan_s_owners_and_training_are_held():
    scenario, found = company()
    problem = formulate(scenario, found)
    plan = allocate(scenario, found).plan
    from optimize.plans import decisions_of

    held = decisions_of(problem, plan)
    one, values = traced_values("potential_band", [0.2, 0.4], "quotas")
    for point in trace(problem, one, values, held):
        assert point.decisions is held
        assert attained(problem.samples, gains(problem, held), point.quotas) == point.model_value
    free = trace(problem, one, values, None)
    assert all(point.model_value is not None for point in free)


@pytest.mark.parametrize("mode", ["joint", "two_stage"])
@pytest.mark.parametrize("name", [one.name for one in PARAMETERS])
def test_every_rule_can_be_traced_by_whole_plans(name, mode):
    """Each point within its proven gap of the plan that a solve of its own finds, and none where that finds none."""
    scenario, found = company(rules=[{"rule": "growth", "floor": -0.5, "cap": 0.6}], locks=[])
    allocation = {**scenario.document()["allocation"], "mode": mode}
    scenario = changed(scenario, allocation=allocation)
    problem = formulate(scenario, found)
    one, values = traced_values(name, None, "plans")
    points = trace(problem, one, [*values[::5], values[-1], None], None)
    there = [point.quotas is not None for point in points]
    assert there == sorted(there)
    assert there[-1]
    assert points[-1].solved
    if mode == "joint":
        # Looser rules never ask for less, neither of the plan nor of what is proven.
        found_at = [point for point in points if point.quotas is not None]
        assert (np.diff([point.model_value for point in found_at]) >= -1e-6).all()
        assert (np.diff([point.at_most for point in found_at]) >= -1e-6).all()
        assert all(point.at_most >= point.model_value for point in found_at)
    for point in points[:-1]:
        asked = problem.with_rules(one.set(problem.rules, point.value))
        if point.quotas is None:
            with pytest.raises(InfeasiblePlan):
                optimise(asked)
            continue
        assert point.gap is not None
        assert point.gap <= POINT_GAP
        gain = gains(problem, point.decisions)
        best = optimise(asked).decisions
        if mode == "two_stage":
            sold = problem.samples.mean(axis=0).sum()
            assert sold + gain.sum() >= (sold + gains(problem, best).sum()) * (1 - POINT_GAP - 1e-6)
        else:
            value = attained(problem.basis, gains(problem, best), exact_quotas(asked, best))
            assert attained(problem.basis, gain, point.quotas) >= value * (1 - POINT_GAP - 1e-6)
        assert worst_breach(asked, point.decisions, point.quotas, money_unit(problem)) <= 1e-4


def test_costs_are_paired_differences_of_the_same_years():
    scenario, found = bound(3)
    years = lognormal(np.random.default_rng(30), (50, 4)) * np.array([1.4, 1.0, 0.9, 0.7])
    runs = Runs(50, 0, simulate=lambda *_, **__: outcome_of(scenario, years))
    plan = allocate(scenario, found).plan
    got = frontier(scenario, found, runs, "potential_band", plan=plan, values=[0.05, 0.3, 1.0])
    problem = formulate(scenario, found)
    one, values = traced_values("potential_band", [0.05, 0.3, 1.0], "quotas")
    strict, *_, off = trace(problem, one, [*values, None], problem.today_decisions())
    by_year = [np.minimum(np.round(years * 100), quotas).sum(axis=1) / 400_00 for quotas in (off.quotas, strict.quotas)]
    cost = got.points[0].judged.cost
    assert cost.estimate == pytest.approx(float((by_year[0] - by_year[1]).mean()))
    assert cost.estimate > 0
    assert got.off.judged.cost.estimate == 0.0
    assert all(point.judged.sales_difference.estimate == 0.0 for point in got.points)
    strict_q, off_q = got.points[0].judged, got.off.judged
    assert strict_q.gini < off_q.gini
    assert strict_q.spread_of_chances.estimate > off_q.spread_of_chances.estimate
    table = got.table()
    assert len(table) == 4
    assert table["value"].isna().sum() == 1
    assert got.present is None
    drawing = frontier_figure(got)
    assert drawing.svg() == frontier_figure(got).svg()


@pytest.mark.parametrize("mode", ["joint", "two_stage"])
def test_a_search_that_ends_at_its_limit_says_what_is_proven(monkeypatch, mode):
    """Neither optimal nor impossible: at most what the relaxation allows, which the best plan does not exceed."""
    scenario, found = company(rules=[], locks=[])
    scenario = changed(scenario, allocation={**scenario.document()["allocation"], "mode": mode})
    problem = formulate(scenario, found)
    one, values = traced_values("gini", [0.02, 1.0], "plans")
    strict, loose, _ = trace(problem, one, [*values, None], None)
    assert strict.model_value is not None
    ended = frontier_plans.Searched(None, np.inf)
    monkeypatch.setattr(frontier_plans, "searched", lambda *_, **__: ended)
    monkeypatch.setattr(frontier_plans, "by_largest_part", lambda *_: None)
    monkeypatch.setattr(frontier_plans, "by_settled_hours", lambda *_: None)
    monkeypatch.setattr(frontier_plans, "split_again", lambda *_: None)
    left = trace(problem, one, [*values, None], None)
    assert [point.undecided for point in left] == [True, True, True]
    assert [point.quotas is None for point in left] == [True, True, True]
    for point, best in zip(left, (strict, loose), strict=False):
        assert best.model_value <= point.at_most <= problem.total


def _about_nothing(judged):
    return replace(judged, cost=replace(judged.cost, low=-0.1, high=0.1))


def test_points_left_open_are_told_in_text_table_and_figure():
    scenario, found = bound(3)
    years = lognormal(np.random.default_rng(30), (50, 4)) * np.array([1.4, 1.0, 0.9, 0.7])
    runs = Runs(50, 0, simulate=lambda *_, **__: outcome_of(scenario, years))
    got = frontier(scenario, found, runs, "gini", plan=allocate(scenario, found).plan, values=[0.01, 0.05, 0.2])
    assert [point.status for point in (*got.points, got.off)] == [None] * 4
    first, second, third = got.points
    far = replace(second, gap=0.002, at_most=0.91)
    near = replace(third, gap=0.0009, at_most=0.93)
    points = (FrontierPoint(first.value, None, None, undecided=True, at_most=0.9), far, near)
    left = replace(got, method="plans", points=points)
    assert left.table()["status"].tolist()[:3] == ["undecided", "stopped", "optimal"]
    assert left.table()["model_capped_at_most"].tolist()[:3] == [0.9, 0.91, 0.93]
    _, _, *lines = frontier_text(left, "en").splitlines()
    assert "no plan found within the search's limit" in lines[0]
    assert "at most 90.00 %" in lines[0]
    assert f"at least {100 * far.model_capped:.2f} %, at most 91.00 %" in lines[1]
    assert "at most" not in lines[2]
    worst = "36.0 %", "25.0 %"
    for language, word in (("en", "max-min"), ("zh", "最小者最大化")):
        told = next(line for line in frontier_text(left, language).splitlines() if word in line)
        assert all(share in told for share in worst), "four people: 1 - 16 / 25 and 1 - 3 / 4"
    nothing = tuple(replace(one, judged=_about_nothing(one.judged)) for one in got.points)
    for place, english, chinese in ((None, False, False), (0.05, True, True)):
        flat = replace(got, points=nothing, knee=place)
        assert "no cost can be told from nothing" in frontier_text(flat, "en")
        assert "the knee is the model's" in frontier_text(flat, "en") or not english
        assert ("the knee" in frontier_text(flat, "en"), "；拐点" in frontier_text(flat, "zh")) == (english, chinese)
        assert ("no knee" in frontier_text(flat, "en"), "无拐点" in frontier_text(flat, "zh")) != (english, chinese)
    assert "0.01: undecided" in frontier_figure(left).alt
    assert "0.01: 未定" in frontier_figure(left, "zh").alt


def test_infeasible_values_are_told_and_a_request_without_a_plan_has_no_price():
    scenario, found = company(rules=[{"rule": "growth", "floor": -0.3, "cap": 0.3}], locks=[])
    runs = Runs(40, 0, simulate=lambda *_, **__: outcome_of(scenario, found.samples / 100))
    plan = allocate(scenario, found).plan
    got = frontier(scenario, found, runs, "growth_cap", plan=plan, values=[0.0, 0.02, 0.2, 0.5])
    assert [point.judged is None for point in got.points] == [True, True, False, False]
    assert got.present == 0.3
    lonely, again = company(rules=[{"rule": "growth", "floor": 0.5, "cap": None}], locks=[])
    with pytest.raises(InputRefused, match="no price"):
        frontier(lonely, again, runs, "potential_band", plan=ql.today_plan(lonely), values=[0.1, 0.2])


def test_alone_leaves_rules_on_work():
    scenario, _ = company(
        rules=[
            {"rule": "growth", "floor": -0.3, "cap": 0.3},
            {"rule": "potential_band", "tolerance": 0.2},
            {"rule": "workload", "maximum": 0.9},
        ]
    )
    rules = scenario.allocation.rules
    assert [rule.rule for rule in only_on_work(rules, parameter("potential_band"))] == ["potential_band", "workload"]
    caps = only_on_work(rules, parameter("growth_cap"))
    assert [rule.rule for rule in caps] == ["growth", "workload"]
    assert (caps[0].cap, caps[0].floor) == (0.3, None)


@pytest.mark.parametrize(
    ("rule", "values", "method", "word"),
    [
        ("potential_bnd", None, "quotas", "potential_band"),
        ("workload_maximum", None, "quotas", "use the method plans"),
        ("min_chance", [0.1, 1.2], "quotas", "at most 1"),
        ("min_chance", [0.1, float("nan")], "quotas", "at least 0"),
        ("min_chance", [0.1, 0.1], "quotas", "values = 0.1, 0.1: at least two different"),
        ("min_chance", [], "quotas", "values = none: at least two different"),
        ("min_chance", None, "both", "quotas, plans"),
    ],
)
def test_requests_that_mean_nothing_are_refused(rule, values, method, word):
    with pytest.raises(InputRefused, match=word):
        traced_values(rule, values, method)


def test_values_go_from_strict_to_loose_whichever_way_that_is():
    assert traced_values("potential_band", [0.3, 0.1, 0.2], "quotas")[1] == (0.1, 0.2, 0.3)
    assert traced_values("min_chance", [0.3, 0.1, 0.2], "quotas")[1] == (0.3, 0.2, 0.1)


def test_knee_is_the_corner():
    assert knee([0, 1, 2, 3, 4], [0, 4, 8, 9, 10]) == 2
    assert knee([0, 1, 2, 3], [0, 1, 2, 3]) is None
    assert knee([0, 1, 2, 3], [5, 5, 5, 5]) is None
    assert knee([0, 1], [0, 1]) is None
    # Scale of either axis does not matter.
    assert knee([0, 10, 20, 30, 40], [1e9, 1e9 + 4, 1e9 + 8, 1e9 + 9, 1e9 + 10]) == 2


def test_the_public_path_gives_the_same_for_the_same_inputs(tiny: Scenario) -> None:
    asked = {"values": [0.1, 0.3, 0.6], "alone": True, "replications": 12}
    one, two = ql.frontier(tiny, "potential_band", **asked), ql.frontier(tiny, "potential_band", workers=2, **asked)
    assert one.content_hash() == two.content_hash()
    assert one.content_hash("trade") == two.content_hash("trade")
    assert one.trade is not None
    assert [price.scheme for price in one.absolute] == ["maximin", "proportional"]
    assert all(0 <= price.measured < price.worst and price.people == 3 for price in one.absolute)
    plans = ql.frontier(tiny, "workload_maximum", values=[0.9, 1.0], method="plans", replications=12)
    assert plans.trade is None
    assert 1 <= plans.solves <= 3
    assert plans.table()["proven_gap"].max() <= POINT_GAP
    # The same years of the learning plan at hand give the same responses.
    assert estimate(tiny.with_plan(ql.today_plan(tiny)), ql.simulate(tiny, replications=2)).reps == ("E1", "E2", "E3")
