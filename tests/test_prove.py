"""Proof on fresh years: the verdict, the bound on quotas, fairness, promises, and where the gain comes from."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from experiments.bounds import quota_bound
from experiments.compare import compare
from experiments.decompose import decompose_along
from experiments.fair_measures import gini, jackknife, lowest_capped, lowest_chance, spread_of_chances
from experiments.optimism import Promise, optimism
from experiments.proof import TODAY, Proof
from experiments.prove import competing, prove
from experiments.runs import Runs
from experiments.worst_off import least_mean_difference, may_be_least
from hand_made_sales import FakeSimulate, halved, trained, world
from optimize.formulate import formulate
from optimize.plans import as_plan
from optimize.problem import AllocationProblem
from optimize.response.estimate import Responses, estimate
from scenarios.errors import InputRefused
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.statistics import mean_interval, wilson


def proved(per_hour: float, plan_hours: float, rule_hours: float, **given: Any) -> Proof:
    """A plan and a rule that differ in training hours alone, each hour worth what the test says."""
    scenario = world()
    today = today_plan(scenario)
    return prove(
        scenario,
        {"mine": trained(today, plan_hours)},
        baselines={"strong": trained(today, rule_hours), "equal": today.with_rows(name="equal")},
        replications=given.pop("replications", 200),
        simulate=given.pop("simulate", FakeSimulate(per_hour=per_hour)),
        **given,
    )


@pytest.mark.parametrize(
    ("per_hour", "plan_hours", "rule_hours", "verdict", "recommended"),
    [
        (500.0, 8.0, 4.0, "proven gain", "mine"),
        (500.0, 4.0, 8.0, "worse", "strong"),
        (500.0, 8.0, 8.0, "no proven gain", "strong"),
        (-500.0, 8.0, 8.0, "worse", "today"),
        (0.0, 8.0, 4.0, "no proven gain", "today"),
        (500.0, 0.0, 8.0, "worse", "strong"),
    ],
)
def test_the_verdict_follows_the_intervals_and_no_proof_recommends_the_simpler_plan(
    per_hour: float, plan_hours: float, rule_hours: float, verdict: str, recommended: str
) -> None:
    found = proved(per_hour, plan_hours, rule_hours)
    assert (found.verdict, found.recommended) == (verdict, recommended)
    english, chinese = found.summary(), found.summary("zh")
    assert {"proven gain": "Proven gain", "worse": "is worse than", "no proven gain": "No proven gain"}[
        verdict
    ] in english.splitlines()[0]
    assert ("the simpler plan" in english) == (recommended != "mine")
    assert ("更简单" in chinese) == (recommended != "mine")


def test_the_best_rule_is_chosen_with_hindsight_among_those_that_keep_the_rules() -> None:
    found = proved(500.0, 8.0, 4.0)
    assert found.best_rules == {"sales": "strong", "capped": "strong"}
    assert proved(-500.0, 8.0, 4.0).best_rule == "equal"


@pytest.mark.parametrize(
    ("per_hour", "plan_hours", "verdict", "recommended"),
    [
        (500.0, 4.0, "proven gain", "mine"),
        (500.0, 0.0, "no proven gain", "today"),
        (-500.0, 4.0, "worse", "today"),
        (0.0, 4.0, "no proven gain", "today"),
    ],
)
def test_rules_outside_the_fairness_rules_decide_nothing(
    per_hour: float, plan_hours: float, verdict: str, recommended: str
) -> None:
    """The rule trains 8 hours: where they pay it sells more than the plan, and where they do not, equal quotas do."""
    found = replace(proved(per_hour, plan_hours, 8.0), rule_breakers=frozenset({"strong", "equal"}))
    assert found.outside
    assert (found.verdict, found.recommended) == (verdict, recommended)
    english, chinese = found.summary(), found.summary("zh")
    assert "no simple rule is within the fairness rules" in english.splitlines()[0]
    assert "没有简单规则符合公平规则" in chinese.splitlines()[0]
    assert "best simple rule" not in english
    assert "最佳简单规则" not in chinese
    within = replace(found, rule_breakers=frozenset())
    assert not within.outside
    assert "the best simple rule (" in within.summary()


def test_rules_within_the_fairness_rules_compete_else_those_that_break_the_fewest() -> None:
    names = ("equal", "history", "strong")
    assert competing(names, {}) == names
    assert competing(names, {"strong": 1, "today": 4}) == ("equal", "history")
    assert competing(names, {"equal": 3, "history": 2, "strong": 2}) == ("history", "strong")


def test_of_rules_that_do_as_well_the_simplest_is_recommended() -> None:
    scenario = world()
    today = today_plan(scenario)
    moved = today.with_rows(name="moved", owners=[replace(row, rep="E2") for row in today.owners])
    rules = {"costly": trained(moved), "cheap": moved}
    for per_hour, chosen in ((0.0, "cheap"), (500.0, "costly")):
        fake = FakeSimulate(per_hour=per_hour, per_account=2_000.0)
        found = prove(scenario, {"mine": today}, baselines=rules, replications=200, simulate=fake)
        assert (found.verdict, found.recommended) == ("worse", chosen)


def test_what_the_plan_is_proven_better_than_is_not_recommended_and_ties_go_to_the_better() -> None:
    found = proved(500.0, 8.0, 8.0)
    rows = tuple(row for row in found.comparison.differences if row.case != "strong")
    seen = replace(found, comparison=replace(found.comparison, differences=rows))
    assert (seen.verdict, seen.recommended) == ("no proven gain", "strong"), "the plan is proven better than today's"
    scenario = world()
    today = today_plan(scenario)
    rules = {"as now": today.with_rows(name="as now"), "easier": halved(today)}
    tied = prove(scenario, {"mine": trained(today)}, baselines=rules, replications=30, simulate=FakeSimulate())
    tied = replace(tied, comparison=replace(tied.comparison, differences=()), rule_breakers=frozenset())
    assert tied.recommended == "easier"


def test_a_gain_that_is_too_good_says_so() -> None:
    little, much = proved(60.0, 8.0, 4.0), proved(900.0, 8.0, 4.0)
    assert 0 < little.relative_gain < 0.08 < much.relative_gain
    assert (little.too_good, much.too_good) == (False, True)
    assert "check the inputs" in much.summary()
    assert "check the inputs" not in little.summary()
    assert "请核对输入" in much.summary("zh")


def test_every_rule_and_today_is_compared_and_each_world_simulated_once() -> None:
    fake = FakeSimulate(per_hour=500.0)
    found = proved(500.0, 8.0, 4.0, simulate=fake)
    rivals = {row.against for row in found.comparison.differences if row.case == "mine"}
    assert rivals == {"today", "strong", "equal"}
    assert found.worlds == len(fake.calls) == 3
    measures = {row.measure for row in found.comparison.differences}
    assert measures == {"sales", "capped", "attainment", "hit_rate", "chance_of_target"}


def test_all_intervals_of_a_proof_hold_together_fairness_among_them() -> None:
    found = proved(500.0, 8.0, 4.0)
    assert set(found.fairer) == {"today", "strong", "equal"}
    family = {row.interval.comparisons for row in found.comparison.differences if row.word != "equal"}
    family |= {interval.comparisons for figures in found.fairer.values() for interval in figures.values()}
    assert family == {found.comparison.comparisons}
    own = [row for row in found.comparison.differences if row.word != "equal"]
    assert found.comparison.comparisons <= len(own) + 3 * 3


def test_one_rule_is_called_the_best_and_every_other_is_told_in_a_line() -> None:
    text = proved(500.0, 8.0, 4.0).summary()
    assert text.count("the best simple rule (within") == 1
    others = text.split("mine against every other simple rule")[1].splitlines()
    assert others[1].strip().startswith("equal quotas: expected sales: +")


@pytest.mark.parametrize(("wins", "recommended"), [(0.7, "strong"), (0.9, "mine")])
def test_a_gain_that_parameter_errors_undo_is_not_recommended(wins: float, recommended: str) -> None:
    drawn = proved(500.0, 8.0, 4.0, draws=10)
    assert drawn.uncertainty is not None
    gain, years = drawn.uncertainty
    found = replace(drawn, uncertainty=(replace(gain, chance_ahead=wins), years))
    assert (found.verdict, found.recommended) == ("proven gain", recommended)
    assert ("only in about 70 of 100 plausible worlds" in found.summary()) == found.fragile == (wins < 0.8)
    same = replace(proved(500.0, 8.0, 8.0, draws=10), uncertainty=found.uncertainty)
    assert not same.fragile, "no sales are gained that could be lost"


def test_proof_is_the_same_however_often_it_is_made() -> None:
    first, again = proved(60.0, 8.0, 4.0), proved(60.0, 8.0, 4.0)
    assert first.comparison.content_hash() == again.comparison.content_hash()
    assert str(first) == str(again)


def test_what_does_not_fit_is_refused_all_together() -> None:
    scenario = world()
    today = today_plan(scenario)
    with pytest.raises(InputRefused) as refused:
        prove(scenario, {"mine": today}, baselines={}, plan="other", steps=["nowhere"], simulate=FakeSimulate())
    told = str(refused.value)
    assert all(text in told for text in ("other", "baselines", "nowhere"))
    with pytest.raises(InputRefused, match="kept for today's plan"):
        prove(scenario, {"today": trained(today)}, baselines={"strong": today}, simulate=FakeSimulate())
    with pytest.raises(InputRefused, match="same name"):
        prove(scenario, {"strong": trained(today)}, baselines={"strong": today}, simulate=FakeSimulate())


def test_sales_that_several_plans_share_count_once() -> None:
    scenario = world()
    today = today_plan(scenario)
    cases = {"today": scenario, "a": scenario.with_plan(trained(today))}
    alone = compare(cases, replications=30, simulate=FakeSimulate())
    cases["b"] = scenario.with_plan(halved(trained(today)))
    both = compare(cases, replications=30, simulate=FakeSimulate())
    assert both.comparisons == alone.comparisons + 2, "attainment and hit rate differ, sales and the target do not"


# ---- promises -------------------------------------------------------------------------------------------------------


def test_optimism_is_promise_over_fresh_years_and_the_luck_of_the_control_is_taken_out() -> None:
    random = np.random.default_rng(1)
    luck = random.normal(0, 10, 400)
    today, mine = 100 + luck, 110 + luck + random.normal(0, 1, 400)
    # The years from which the plan was made were lucky by 5; the plan was promised 3 too much on top.
    promise = Promise("sales", {"mine": 110 + 5 + 3, "control": 100 + 5}, "control")
    found = optimism(promise, {"mine": mine, "control": today})["mine"]
    level = mine.mean()
    assert found.gap.estimate == pytest.approx((118 - level) / level)
    assert found.without_luck is not None
    assert found.without_luck.estimate == pytest.approx((13 - (mine - today).mean()) / level)
    assert found.without_luck.half_width < found.gap.half_width / 5
    assert not found.without_luck.excludes(3 / level)


def test_a_promise_without_years_is_left_out() -> None:
    years = np.array([1.0, 2.0])
    assert set(optimism(Promise("sales", {"a": 1.0, "b": 1.0}), {"a": years, "c": years})) == {"a"}
    assert optimism(Promise("sales", {"a": 1.0}), {"a": years * 0}) == {}


# ---- fairness -------------------------------------------------------------------------------------------------------


def test_gini_is_half_the_mean_difference_over_the_mean() -> None:
    quotas = {"a": 10, "b": 40, "c": 25, "d": 7}
    potentials = {"a": 20, "b": 30, "c": 50, "d": 0}
    ratios = [quotas[rep] / potentials[rep] for rep in ("a", "b", "c")]
    mean = sum(ratios) / 3
    by_pairs = 2 * sum(abs(x - y) for x, y in combinations(ratios, 2)) / 9 / (2 * mean)
    assert gini(quotas, potentials) == pytest.approx(by_pairs)
    assert gini(quotas, dict.fromkeys(quotas, 0)) is None
    assert gini({"a": 10, "b": 20}, {"a": 1, "b": 2}) == 0


def test_fairness_figures_on_hand_counted_years() -> None:
    sales = np.array([[10.0, 0.0], [10.0, 5.0], [0.0, 5.0], [10.0, 5.0]])
    quotas = np.array([10.0, 10.0])
    assert spread_of_chances(sales, quotas) == pytest.approx(0.375)
    assert lowest_chance(sales, quotas) == 0
    assert lowest_capped(sales, quotas) == pytest.approx(3.75 / 10)


def test_the_worst_off_is_covered_where_the_sample_decides_who_it_is() -> None:
    """Two people fare almost alike; which of them the sample calls the worst-off decides the sign of the difference."""
    random = np.random.default_rng(5)
    covered, settled, samples, years = 0, 0, 300, 120
    truth = 0.500 - 0.496
    for _ in range(samples):
        luck, own = random.normal(0, 0.1, (years, 3)), random.normal(0, 0.004, (years, 3))
        first = np.clip(np.array([0.500, 0.503, 0.8]) + luck, 0, 1)
        second = np.clip(np.array([0.496, 0.505, 0.8]) + luck + own, 0, 1)
        found = least_mean_difference(first, second)
        assert found.low <= found.estimate <= found.high
        covered += found.low <= truth <= found.high
        # Taking whom the sample shows for the worst-off, as leaving out blocks of years does, covers too seldom.
        as_seen = mean_interval(first[:, first.mean(axis=0).argmin()] - second[:, second.mean(axis=0).argmin()])
        settled += as_seen.low <= truth <= as_seen.high
    assert wilson(covered, samples).high >= 0.95
    assert wilson(settled, samples).high < 0.95
    assert list(may_be_least(first, 0.95, 1)) == [0, 1]
    assert list(may_be_least(first[:, [2, 0]], 0.95, 1)) == [1]
    clear = least_mean_difference(first[:, [0, 2]], second[:, [0, 2]])
    assert clear.half_width < 0.002, "where it is clear who it is, the interval is that of one pair"


def test_the_jackknife_of_a_mean_is_the_students_interval_of_block_means() -> None:
    sales = np.random.default_rng(3).normal(50, 9, (200, 1))
    found = jackknife(lambda values, _: float(values.mean()), [(sales, np.ones(1))])
    blocks = sales.reshape(20, 10).mean(axis=1)
    theirs = mean_interval(blocks)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    nothing = jackknife(spread_of_chances, [(sales, np.ones(1)), (sales, np.ones(1))])
    assert (nothing.low, nothing.high) == (0, 0), "the same blocks are left out of both sides"


# ---- where the gain comes from --------------------------------------------------------------------------------------


def test_steps_along_given_plans_sum_to_the_whole() -> None:
    scenario = world()
    today = today_plan(scenario)
    path = {"quotas only": halved(today), "+ training": trained(today, 4.0), "loop": trained(today, 12.0)}
    found = decompose_along(scenario, today, path, Runs(50, 7, simulate=FakeSimulate(per_hour=200.0)))
    assert [step.part for step in found.steps] == list(path)
    parts = [step.sales.interval.estimate for step in found.steps]
    assert parts[0] == 0
    assert sum(parts) == pytest.approx(found.total.sales.interval.estimate)
    assert all(step.capped is not None for step in found.steps)
    assert "loop correction" in found.summary()
    assert "闭环修正" in found.summary("zh")
    with pytest.raises(InputRefused, match="at least one plan"):
        decompose_along(scenario, today, {}, Runs(5, 7, simulate=FakeSimulate()))


# ---- the bound on quotas --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def learned(tiny: Scenario) -> tuple[Scenario, Responses, AllocationProblem]:
    """The tiny company without fairness rules, so that only the total binds."""
    free = tiny.model_copy(update={"allocation": tiny.allocation.model_copy(update={"rules": ()})})
    scenario = free.with_plan(today_plan(free))
    responses = estimate(scenario, Runs(20, 7, first=900_000).outcome(scenario))
    return scenario, responses, formulate(scenario, responses)


def split_like(
    shares: list[float], learned: tuple[Scenario, Responses, AllocationProblem]
) -> tuple[AllocationProblem, Plan]:
    scenario, responses, problem = learned
    quotas = np.round(np.array(shares) * problem.total).astype(np.int64)
    quotas[-1] += round(problem.total) - quotas.sum()
    plan = as_plan(scenario, responses, problem, problem.base_decisions(), quotas, name="split", origin="by hand")
    return problem, plan


def test_the_bound_covers_the_true_shortfall_of_a_bad_split(
    learned: tuple[Scenario, Responses, AllocationProblem],
) -> None:
    problem, plan = split_like([0.6, 0.3, 0.1], learned)
    random = np.random.default_rng(5)
    level = problem.total / 3
    covered, widths = 0, []
    # Three alike: the best split is even, and its attained sales are known from a large sample.
    large = random.gamma(9, level / 9, (200_000, 3))
    quotas = np.array([0.6, 0.3, 0.1]) * problem.total
    even = np.full(3, problem.total / 3)
    true = (np.minimum(large, even).sum(axis=1) - np.minimum(large, quotas).sum(axis=1)).mean() / problem.total
    for _ in range(40):
        found = quota_bound(problem, plan, random.gamma(9, level / 9, (300, 3)))
        assert found is not None
        covered += found.upper >= true
        widths.append(found.upper - true)
    assert covered >= 36
    assert np.mean(widths) < 0.02, "a bound that says nothing is no bound"


def test_the_bound_of_the_best_split_is_near_zero_and_shrinks_with_years(
    learned: tuple[Scenario, Responses, AllocationProblem],
) -> None:
    problem, plan = split_like([1 / 3, 1 / 3, 1 / 3], learned)
    sales = np.random.default_rng(6).gamma(9, problem.total / 27, (4000, 3))
    few, many = quota_bound(problem, plan, sales[:200]), quota_bound(problem, plan, sales)
    assert few is not None
    assert many is not None
    assert 0 <= many.upper < few.upper < 0.03
    assert many.shortfall.estimate >= 0, "a batch's own best cannot be worse"
    assert many.upper < 0.002


def test_no_bound_for_too_few_years_or_another_total(
    learned: tuple[Scenario, Responses, AllocationProblem],
) -> None:
    problem, plan = split_like([0.4, 0.3, 0.3], learned)
    sales = np.random.default_rng(6).gamma(9, 1e7, (400, 3))
    assert quota_bound(problem, plan, sales[:199]) is None
    cheap = plan.with_rows(targets=[replace(row, value=row.value // 2) for row in plan.targets])
    assert quota_bound(problem, cheap, sales) is None


def test_a_proof_by_the_simulator_has_everything(tiny: Scenario) -> None:
    scenario = tiny.with_plan(today_plan(tiny))
    today = today_plan(tiny)
    responses = estimate(scenario, Runs(20, 7, first=900_000).outcome(scenario))
    rules = {"equal": today.with_rows(name="equal")}
    promise = Promise("sales", {"mine": 1e9, TODAY: 1e9}, TODAY)
    found = prove(
        scenario,
        {"mine": trained_for_real(today)},
        baselines=rules,
        promise=promise,
        responses=responses,
        replications=200,
        draws=10,
        each=2,
    )
    assert found.bounds.quotas is not None or found.bounds.no_quotas
    assert found.bounds.programme is not None or found.bounds.no_programme
    assert found.uncertainty is not None
    assert found.fairness["mine"].gini is not None
    assert set(found.optimism) == {"mine", TODAY}
    assert found.ceiling == "unknown"
    assert all(
        text in str(found) for text in ("Optimism gap", "If the parameters err (", "Best possible plan: unknown")
    )


def trained_for_real(plan: Plan) -> Plan:
    return trained(plan).with_rows(training=[replace(row, hours=2.0) for row in trained(plan).training])
