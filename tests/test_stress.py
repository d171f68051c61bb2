"""Plans under stress: what each stress changes, what it costs, and the plan that one would regret least."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from experiments.regret import AS_GIVEN, PARAMETERS, StressTest, stress_test
from experiments.regret_text import regret_text
from experiments.stress import stresses
from hand_made_sales import FakeSimulate, trained, world
from scenarios.errors import InputRefused
from scenarios.files import from_document, load
from scenarios.scenario import Scenario
from scenarios.today import today_plan


@pytest.fixture(scope="module")
def starter() -> Scenario:
    return load("starter")


def test_each_stress_changes_what_it_says_and_nothing_else(starter: Scenario) -> None:
    found = stresses(starter)
    assert set(found) == {
        "demand_down",
        "best_rep_leaves",
        "season_late",
        "slow_customers",
        "prices_down",
        "key_account_lost",
    }
    down = found["demand_down"].applied(starter)
    for before, after in zip(starter.sources, down.sources, strict=True):
        assert after.leads_per_year == pytest.approx(0.8 * before.leads_per_year)
    assert [tier.orders_per_year for tier in down.tiers] == pytest.approx(
        [0.8 * tier.orders_per_year for tier in starter.tiers]
    )
    gone = found["best_rep_leaves"].applied(starter)
    left = [rep for rep, before in zip(gone.reps, starter.reps, strict=True) if rep.leaves != before.leaves]
    assert [rep.id for rep in left] == ["E1"], "E1 sold most last year"
    assert str(left[0].leaves) == "2026-07-02"
    late = found["season_late"].applied(starter)
    assert late.sources[0].season[3:] == starter.sources[0].season[:9]
    assert sum(late.sources[0].season) == pytest.approx(sum(starter.sources[0].season))
    lost = found["key_account_lost"].applied(starter)
    most = max(starter.accounts, key=lambda account: account.sales_last or 0)
    assert [account.id for account in lost.accounts if account.orders_per_year == 0] == [most.id]
    cheap = found["prices_down"].applied(starter)
    assert [product.value.mean for product in cheap.products] == pytest.approx(  # type: ignore[union-attr]
        [0.9 * product.value.mean for product in starter.products]  # type: ignore[union-attr]
    )
    for name in found:
        assert found[name].applied(starter).calendar == starter.calendar


def test_a_stress_with_nothing_to_hit_is_left_out(tiny_document: dict[str, Any]) -> None:
    tiny_document["accounts"], tiny_document["reps"] = [], tiny_document["reps"][:1]
    found = stresses(from_document(tiny_document))
    assert {"key_account_lost", "best_rep_leaves", "season_late"}.isdisjoint(found)
    assert "demand_down" in found


def by_hand(sales: list[list[float]], moves: list[int], noise: float = 0.0) -> StressTest:
    """Worlds x plans of expected sales, the same luck for all plus a little noise of each."""
    random = np.random.default_rng(4)
    shape = (len(sales), len(sales[0]), 200)
    years = np.array(sales)[:, :, None] + random.normal(0, 5, (1, 1, 200)) + random.normal(0, noise, shape)
    plans = tuple("abc"[: shape[1]])
    return StressTest(
        (AS_GIVEN, "demand_down", "prices_down")[: shape[0]],
        plans,
        years,
        {},
        {},
        dict(zip(plans, moves, strict=True)),
        "CNY",
    )


def test_the_choice_is_the_plan_of_least_largest_regret() -> None:
    found = by_hand([[100.0, 91.0, 95.0], [50.0, 80.0, 70.0]], [0, 2, 1])
    assert [found.largest_regret(plan).estimate for plan in found.plans] == pytest.approx([30, 9, 10])
    assert found.regret("demand_down", "a") == pytest.approx(30)
    assert found.least_regret == "b"
    assert found.cost("demand_down", "a").estimate == pytest.approx(-50)
    assert found.gain("demand_down", "b", "a").estimate == pytest.approx(30)


def test_of_plans_that_are_not_proven_worse_the_one_with_fewest_moves_is_taken() -> None:
    close = by_hand([[100.0, 100.3], [80.0, 80.3]], [0, 9], noise=5.0)
    assert close.as_good == ("a", "b")
    assert close.choice == "a"
    assert "Not proven worse, but moving more accounts: b." in regret_text(close)
    still = by_hand([[100.0, 100.3], [80.0, 80.3]], [0, 0], noise=5.0)
    assert "Not proven worse: a." in regret_text(still)
    apart = by_hand([[100.0, 110.0], [80.0, 90.0]], [0, 9], noise=5.0)
    assert apart.as_good == ("b",)
    assert apart.choice == "b"


def test_all_plans_meet_the_same_years_in_every_world() -> None:
    scenario, fake = world(), FakeSimulate(per_hour=500.0)
    today = today_plan(scenario)
    found = stress_test(
        scenario, {"today": today, "mine": trained(today)}, stresses=["prices_down"], replications=40, simulate=fake
    )
    assert found.worlds == (AS_GIVEN, "prices_down")
    assert len(fake.calls) == len(set(fake.calls)) == 4
    assert found.choice == "mine"
    assert found.sales.shape == (2, 2, 40)
    # Sales by hand know no prices: what is left of the difference is nothing.
    assert found.cost("prices_down", "mine").estimate == 0
    again = stress_test(
        scenario, {"today": today, "mine": trained(today)}, stresses=["prices_down"], replications=40, simulate=fake
    )
    assert again.content_hash() == found.content_hash()
    assert all(word in found.summary("zh") for word in ("压力测试", "价格下降", "最小遗憾方案"))


def test_parameters_in_error_are_one_more_world_and_each_year_has_one_draw() -> None:
    scenario, fake = world(), FakeSimulate()
    found = stress_test(scenario, {"today": today_plan(scenario)}, stresses=[], draws=5, replications=20, simulate=fake)
    assert found.worlds == (AS_GIVEN, PARAMETERS)
    assert len(fake.calls) == 1 + 5
    assert len({fingerprint for fingerprint, _ in fake.calls}) == 6
    assert found.sales.shape == (2, 1, 20)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"plans": {}}, "at least one plan"),
        ({"stresses": ["flood"]}, "flood"),
        ({"draws": 10, "replications": 20}, "20 years allow 5"),
        ({"draws": 1, "replications": 20}, "at least 2"),
        ({"replications": 1}, "at least 2"),
        ({"stresses": ["flood"], "draws": 10, "replications": 20}, r"(?s)flood.*20 years allow 5"),
    ],
)
def test_what_cannot_be_tested_is_refused(given: dict[str, Any], told: str) -> None:
    scenario = world()
    plans = given.pop("plans", {"today": today_plan(scenario)})
    with pytest.raises(InputRefused, match=told):
        stress_test(scenario, plans, simulate=FakeSimulate(), **given)


def test_every_stress_can_be_simulated(tiny: Scenario) -> None:
    found = stress_test(tiny, {"today": today_plan(tiny)}, replications=40, draws=2)
    assert found.cost("demand_down", "today").high < 0
    assert found.cost("key_account_lost", "today").high < 0
    assert found.cost("best_rep_leaves", "today").high < 0
    assert found.choice == "today"
