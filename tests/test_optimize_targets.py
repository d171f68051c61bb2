"""Targets in every metric through the public allocation path: ties, ratios as pairs, weights, floors, parts."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.problem import Decisions, gains
from optimize.response.estimate import estimate
from optimize.split import split
from scenarios.errors import InfeasiblePlan, InputRefused
from scenarios.files import from_document
from scenarios.plan import Plan
from scenarios.today import company_target
from target_worlds import drawn, outcome_of, responses_of, world

Q1 = {"first_day": "2026-01-01", "end": "2026-04-01"}
H1 = {"first_day": "2026-01-01", "end": "2026-07-01"}
H2 = {"first_day": "2026-07-01", "end": "2027-01-01"}
ADDITIVE = {
    "key_product_revenue": 1500,
    "gross_margin": 1700,
    "cash_collected": 3000,
    "orders": 150,
    "new_customers": 41,
}


def made(targets: list[dict[str, Any]], **options: Any):
    scenario = world(targets, **options)
    return scenario, allocate(scenario, responses_of(scenario))


def summed(plan: Plan, metric: str, reps=None, first: date = date(2026, 1, 1), end: date = date(2027, 1, 1)) -> int:
    rows = [row for row in plan.targets if row.metric == metric and (reps is None or row.rep in reps)]
    return sum(row.value for row in rows if first <= row.start and row.end <= end)


T1, T2 = ("R1", "R2"), ("R3", "R4")


# Ties


@pytest.mark.parametrize("step", [0.01, 1, 50])
def test_every_metric_ties_by_company_team_rep_and_period(step):
    targets = [{"metric": metric, "target": value} for metric, value in ADDITIVE.items()]
    targets += [
        {"metric": "new_customers", "team": "T1", "target": 25},
        {"metric": "gross_margin", "team": "T2", "target": 800},
    ]
    _, result = made(targets, allocation={"rounding_step": step, "over_assignment": 0.04})
    plan = result.plan
    for metric, value in ADDITIVE.items():
        minor = value * 100 if metric not in ("orders", "new_customers") else value
        assert summed(plan, metric) == round(Fraction(minor) * Fraction("1.04")), metric
    assert summed(plan, "revenue") == 4160_00
    assert summed(plan, "new_customers", T1) == 26
    assert summed(plan, "gross_margin", T2) == 832_00
    for metric in ("revenue", *ADDITIVE):
        whole = int(step * 100) if metric not in ("orders", "new_customers") else 1
        odd = [rep for rep, quota in plan.quotas(metric).items() if quota % whole]
        assert len(odd) <= 2, "one odd rest a group"


def test_each_metric_is_split_by_its_own_samples():
    scenario, result = made([{"metric": "new_customers", "target": 40}, {"metric": "gross_margin", "target": 1700}])
    figures = drawn(1, scenario)
    for metric, total in (("gross_margin", 1700_00.0), ("new_customers", 40.0)):
        samples = figures[metric].sum(axis=2).astype(float)
        exact = split(samples, np.zeros(4), np.zeros(4), np.full(4, np.inf), total)
        quotas = np.array([result.plan.quotas(metric)[f"R{i}"] for i in (1, 2, 3, 4)])
        assert np.abs(quotas - exact).max() <= 1.0


def test_each_metric_is_phased_by_its_own_season():
    scenario = world([{"metric": "new_customers", "target": 1200}])
    figures = drawn(1, scenario)
    figures["new_customers"] = np.zeros_like(figures["revenue"])
    figures["new_customers"][:, :, 6] = 30
    result = allocate(scenario, estimate(scenario, outcome_of(scenario, figures)))
    rows = [row for row in result.plan.targets if row.metric == "new_customers"]
    assert {row.start for row in rows} == {date(2026, 7, 1)}, "months without any have no quota, not one of zero"


def test_who_never_reaches_a_metric_has_no_quota_of_it():
    scenario = world([{"metric": "new_customers", "target": 30}])
    figures = drawn(1, scenario)
    figures["new_customers"][:, 2] = 0
    result = allocate(scenario, estimate(scenario, outcome_of(scenario, figures)))
    assert set(result.plan.quotas("new_customers")) == {"R1", "R2", "R4"}
    assert summed(result.plan, "new_customers") == 30


def test_a_metric_that_nobody_reaches_is_refused():
    scenario = world([{"metric": "gross_margin", "target": 30}])
    figures = drawn(1, scenario) | {"gross_margin": np.zeros((40, 4, 12), dtype=np.int64)}
    with pytest.raises(InputRefused, match="nobody reaches any of it"):
        allocate(scenario, estimate(scenario, outcome_of(scenario, figures)))


def test_teams_alone_may_have_a_target():
    _, result = made([{"metric": "orders", "team": "T2", "target": 60}])
    assert set(result.plan.quotas("orders")) == set(T2)
    assert summed(result.plan, "orders") == 60


def test_totals_of_teams_that_contradict_the_company_are_refused():
    targets = [{"metric": "orders", "target": 150}] + [
        {"metric": "orders", "team": team, "target": 70} for team in ("T1", "T2")
    ]
    with pytest.raises(InputRefused, match=r"orders = 150: the totals of teams sum to 140"):
        made(targets)


# Ratios


def test_a_ratio_is_a_pair_and_holds_for_the_sums():
    targets = [
        {"metric": "key_product_share", "target": 0.4},
        {"metric": "average_order_value", "target": 30},
        {"metric": "collection_rate", "target": 0.9},
    ]
    _, result = made(targets)
    plan = result.plan
    assert summed(plan, "key_product_revenue") == 0.4 * 4000_00
    assert summed(plan, "orders") == round(4000_00 / 30_00)
    assert summed(plan, "cash_collected") == pytest.approx(0.9 * summed(plan, "cash_due"), abs=0.5)
    keyed, all_of_it = plan.quotas("key_product_revenue"), plan.quotas()
    assert all(keyed[rep] <= all_of_it[rep] for rep in keyed), "a share cannot exceed 1"
    ratio = {value.metric: value.quota for value in result.metrics}
    assert ratio["key_product_share"] == pytest.approx(0.4)
    assert ratio["average_order_value"] == pytest.approx(30_00, rel=5e-3)


def test_a_teams_ratio_is_the_ratio_of_its_sums():
    targets = [
        {"metric": "key_product_share", "target": 0.4},
        {"metric": "key_product_share", "team": "T1", "target": 0.3},
    ]
    _, result = made(targets)
    plan = result.plan
    assert summed(plan, "key_product_revenue", T1) == pytest.approx(0.3 * summed(plan, "revenue", T1), abs=0.5)
    assert summed(plan, "key_product_revenue") == 0.4 * 4000_00


def test_the_denominator_follows_where_only_the_numerator_has_a_target():
    _, result = made([{"metric": "cash_collected", "target": 2700}, {"metric": "collection_rate", "target": 0.9}])
    assert summed(result.plan, "cash_collected") == 2700_00
    assert summed(result.plan, "cash_due") == 3000_00


def test_three_targets_on_a_pair_must_agree():
    agreeing = [{"metric": "orders", "target": 160}, {"metric": "average_order_value", "target": 25}]
    assert summed(made(agreeing)[1].plan, "orders") == 160
    with pytest.raises(InputRefused, match=r"orders = 150: with average_order_value 25 it would have to be 160"):
        made([{"metric": "orders", "target": 150}, {"metric": "average_order_value", "target": 25}])


def test_ratios_of_teams_that_leave_the_company_no_room_are_told():
    targets = [{"metric": "key_product_share", "team": team, "target": 0.5} for team in ("T1", "T2")]
    with pytest.raises(InfeasiblePlan, match="total of key_product_revenue is 1,600") as caught:
        made([{"metric": "key_product_share", "target": 0.4}, *targets])
    assert "公司 key_product_revenue 的合计为 1,600" in caught.value.text("zh")


# Weights and floors


def two_owner_world(targets, **allocation):
    owned = [{"id": f"A{i}", "owner": "R1", "eligible": ["R1", "R2"]} for i in range(3)]
    return world(targets, reps=2, owned=owned, allocation=allocation)


def shifted(scenario, seed, per_account):
    """Responses in which accounts sell differently under each owner, and new customers cost nothing but attention."""
    found = responses_of(scenario, seed)
    rng = np.random.default_rng(seed)
    shape = len(scenario.accounts), len(scenario.reps)
    offer = replace(found.accounts, unit=rng.uniform(0.2, 1.5, shape), displaced=rng.uniform(0, 6_000, shape))
    rates = {name: replace(one, account=per_account.get(name, one.account)) for name, one in found.rates.items()}
    return replace(found, accounts=offer, rates=rates)


@pytest.mark.parametrize("seed", range(6))
def test_weighted_metrics_are_traded_off_as_brute_force_does(seed):
    targets = [
        {"metric": "new_customers", "target": 24, "weight": 0.8},
        {"metric": "gross_margin", "target": 900, "weight": 0.3},
    ]
    scenario = two_owner_world(targets)
    found = shifted(scenario, seed, {"gross_margin": 0.9})
    problem = formulate(scenario, found)
    free = np.zeros(2), np.full(2, np.inf)

    def value(owner):
        decisions = Decisions(np.array(owner), problem.training.base, problem.accounts.care_base)
        total = 0.0
        for samples, rates, size, weight in [
            (problem.samples, None, 2000_00.0, 1.0),
            *((m.samples, m.rates, float(m.total), m.weight) for m in problem.metrics.others),
        ]:
            gain = gains(problem, decisions, rates)
            quotas = split(samples, gain, *free, size)
            total += weight * float(np.minimum(samples + gain, quotas).sum(axis=1).mean()) / size
        return total

    best = max(value(owner) for owner in itertools.product((0, 1), repeat=3))
    result = allocate(scenario, found)
    owners = result.plan.owner_of()
    assert value([["R1", "R2"].index(owners[f"A{i}"]) for i in range(3)]) == pytest.approx(best, rel=2e-4)
    shares = {value.metric: value for value in result.metrics}
    told = sum(one.weight * one.attained_share for one in shares.values() if one.weight)
    assert told == pytest.approx(best, rel=5e-3), "counts are whole"
    assert result.gap < 5e-3


def test_a_weight_changes_decisions():
    """Accounts sell more with R2, who would lose new customers by them."""
    plain = two_owner_world([{"metric": "new_customers", "target": 24, "floor": 0}])
    weighted = two_owner_world([{"metric": "new_customers", "target": 24, "weight": 50}])
    moves = []
    for scenario in (plain, weighted):
        found = shifted(scenario, 3, {})
        unit = np.array([[0.5, 2.5]] * 3)
        displaced = np.array([[0.0, 9_000.0]] * 3)
        found = replace(found, accounts=replace(found.accounts, unit=unit, displaced=displaced))
        moves.append(len(allocate(scenario, found).moves))
    assert moves == [3, 0]


def test_an_unweighted_metric_is_not_given_up_for_revenue():
    """Without a floor of its own, a target is a floor at what the present plan brings, as far as rules allow."""
    scenario = two_owner_world([{"metric": "new_customers", "target": 500}])
    found = shifted(scenario, 3, {})
    offer = replace(found.accounts, unit=np.array([[0.5, 2.5]] * 3), displaced=np.array([[0.0, 9_000.0]] * 3))
    result = allocate(scenario, replace(found, accounts=offer))
    assert not result.moves
    forced = two_owner_world([{"metric": "new_customers", "target": 500}], locks=[{"path": "owner.A0", "value": "R2"}])
    found = shifted(forced, 3, {})
    offer = replace(found.accounts, unit=np.array([[0.5, 2.5]] * 3), displaced=np.array([[0.0, 9_000.0]] * 3))
    result = allocate(forced, replace(found, accounts=offer))
    assert [move.account for move in result.moves] == ["A0"]
    assert any("expected new_customers falls" in note for note in result.notes)


@pytest.mark.parametrize("seed", range(3))
def test_moves_stop_where_an_unweighted_metric_would_fall_too_far(seed):
    owned = [{"id": f"A{i}", "owner": "R1", "eligible": ["R1", "R2", "R3", "R4"]} for i in range(12)]
    scenario = world([{"metric": "new_customers", "target": 500}], owned=owned)
    rng = np.random.default_rng(seed)
    unit = np.tile([[0.5, 2.5, 2.0, 1.5]], (12, 1)) * rng.uniform(0.5, 1.5, (12, 4))
    displaced = np.tile([[0.0, 900.0, 700.0, 500.0]], (12, 1)) * rng.uniform(0.5, 1.5, (12, 4))
    found = responses_of(scenario, seed)
    found = replace(found, accounts=replace(found.accounts, unit=unit, displaced=displaced))
    result = allocate(scenario, found)
    [metric] = formulate(scenario, found).metrics.others
    assert metric.floor == pytest.approx(0.99 * metric.expected)
    assert metric.floor * (1 - 1e-6) <= result.metrics[1].expected < metric.expected
    assert 0 < len(result.moves) < 12
    assert not any("falls" in note for note in result.notes)


def test_a_floor_that_cannot_be_kept_is_told_with_the_least_loosening():
    scenario = two_owner_world([{"metric": "new_customers", "target": 500, "floor": 400}])
    found = shifted(scenario, 3, {})
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, found)
    assert caught.value.conflict == ("expected new_customers of the company is at least 400",)
    told = re.fullmatch(r"floor of new_customers: at most (\d+) instead of 400", caught.value.loosening[0])
    # Customers are counted: what is told can be entered, and no more can.
    for floor, works in ((int(told[1]), True), (int(told[1]) + 1, False)):
        asked = two_owner_world([{"metric": "new_customers", "target": 500, "floor": float(floor)}])
        found = shifted(asked, 3, {})
        if works:
            assert allocate(asked, found).metrics[1].floor_kept
        else:
            with pytest.raises(InfeasiblePlan):
                allocate(asked, found)


def test_a_floor_of_a_ratio_holds_for_expected_sums():
    with pytest.raises(InfeasiblePlan, match=r"expected collection_rate of the company is at least 0\.95"):
        made([{"metric": "collection_rate", "target": 0.97, "floor": 0.95}])
    _, result = made([{"metric": "collection_rate", "target": 0.97, "floor": 0.5}])
    assert [value.floor_kept for value in result.metrics if value.metric == "collection_rate"] == [True]


def test_an_objective_without_revenue():
    scenario = world([{"metric": "new_customers", "target": 40, "weight": 1}])
    document = scenario.document()
    document["goals"]["targets"][0]["weight"] = 0
    scenario = from_document(document)
    result = allocate(scenario, responses_of(scenario))
    assert [value.weight for value in result.metrics] == [0.0, 1.0]
    assert summed(result.plan, "revenue") == 4000_00


def test_weights_that_cannot_be_are_refused_together():
    targets = [
        {"metric": "orders", "team": "T1", "target": 5, "weight": 1},
        {"metric": "orders", "target": 5, "weight": 1, **Q1},
    ]
    with pytest.raises(InputRefused) as caught:
        made(targets)
    assert [problem.where for problem in caught.value.problems] == [
        "goals.targets[1].weight",
        "goals.targets[2].weight",
    ]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"metric": "new_customers", "target": 7.5}, "new_customers is a count -> give a whole number"),
        ({"metric": "orders", "target": 7, "stretch": 9.5}, r"stretch = 9\.5: orders is a count"),
        ({"metric": "collection_rate", "target": 0.9, "stretch": 95}, r"stretch = 95: collection_rate is a share"),
        ({"metric": "average_order_value", "target": 0}, "must be above zero"),
        ({"metric": "revenue", "team": "T1", "formula": {"growth": 0.1}, **Q1}, "a target for the whole horizon"),
    ],
)
def test_figures_that_a_metric_cannot_have_are_refused(target, told):
    with pytest.raises(InputRefused, match=told):
        world([target])


def test_commitments_are_of_the_metrics_kind_and_said_once_a_round():
    said = [{"round": 1, "rep": "R1", "metric": "orders", "value": 2.5}, {"round": 1, "rep": "R2", "value": 5}] * 2
    with pytest.raises(InputRefused) as caught:
        world([], goals={"targets": [{"metric": "revenue", "target": 5}], "commitments": said})
    told = str(caught.value)
    assert "orders is a count" in told
    assert "2 commitments of R2 on the target in round 1" in told


# Parts of the horizon


def test_parts_of_the_year_tie_for_company_and_teams():
    targets = [
        {"metric": "revenue", "target": 1100, **Q1},
        {"metric": "revenue", "target": 500, "team": "T1", **Q1},
        {"metric": "revenue", "target": 2100, **H2},
        {"metric": "new_customers", "target": 40},
        {"metric": "new_customers", "target": 30, **H1},
    ]
    _, result = made(targets, allocation={"over_assignment": 0.1, "rounding_step": 1})
    plan, spring = result.plan, date(2026, 4, 1)
    assert summed(plan, "revenue") == 4400_00
    assert summed(plan, "revenue", end=spring) == 1210_00
    assert summed(plan, "revenue", T1, end=spring) == 550_00
    assert summed(plan, "revenue", first=date(2026, 7, 1)) == 2310_00
    assert summed(plan, "new_customers") == 44
    assert summed(plan, "new_customers", end=date(2026, 7, 1)) == 33


def test_parts_that_cover_the_year_are_the_companys_target():
    scenario = world(
        [],
        goals={"targets": [{"metric": "revenue", "target": 1800, **H1}, {"metric": "revenue", "target": 2200, **H2}]},
    )
    assert company_target(scenario) == 4000_00
    plan = allocate(scenario, responses_of(scenario)).plan
    assert summed(plan, "revenue", end=date(2026, 7, 1)) == 1800_00
    assert summed(plan, "revenue") == 4000_00


def test_a_metric_asked_for_in_a_part_only_has_quotas_there_only():
    scenario, result = made([{"metric": "orders", "target": 50, **Q1}])
    rows = [row for row in result.plan.targets if row.metric == "orders"]
    assert sum(row.value for row in rows) == 50
    assert max(row.end for row in rows) == date(2026, 4, 1)
    samples = drawn(1, scenario)["orders"][:, :, :3].sum(axis=2).astype(float)
    exact = split(samples, np.zeros(4), np.zeros(4), np.full(4, np.inf), 50.0)
    assert np.abs(exact - [result.plan.quotas("orders")[f"R{i}"] for i in (1, 2, 3, 4)]).max() <= 1.0


def test_a_ratio_of_a_part_of_the_year_holds_for_the_sums_there():
    _, result = made(
        [{"metric": "key_product_share", "target": 0.4}, {"metric": "key_product_share", "target": 0.5, **Q1}]
    )
    plan, spring = result.plan, date(2026, 4, 1)
    assert summed(plan, "key_product_revenue", end=spring) == pytest.approx(
        0.5 * summed(plan, "revenue", end=spring), abs=1
    )
    assert summed(plan, "key_product_revenue") == 0.4 * 4000_00
    _, result = made([{"metric": "key_product_share", "target": 0.5, **Q1}])
    rows = [row for row in result.plan.targets if row.metric == "key_product_revenue"]
    assert max(row.end for row in rows) == spring
    assert sum(row.value for row in rows) == pytest.approx(0.5 * summed(result.plan, "revenue", end=spring), abs=1)


def test_dates_off_the_reporting_periods_are_refused_with_the_nearest():
    with pytest.raises(InputRefused, match=r"2026-02-10: is no boundary .* the nearest is 2026-02-01"):
        made([{"metric": "orders", "target": 50, "first_day": "2026-02-10", "end": "2026-04-01"}])


def test_periods_that_cross_are_refused_by_the_scenario():
    with pytest.raises(InputRefused, match="overlaps the target from 2026-01-01 to 2026-07-01 in part"):
        world(
            [
                {"metric": "orders", "target": 50, **H1},
                {"metric": "orders", "target": 5, "first_day": "2026-04-01", "end": "2026-10-01"},
            ]
        )


def test_locked_quotas_are_left_as_they_are_in_every_period_sum():
    locks = [{"path": "quota.R2", "value": 1234.56, "author": "Li", "reason": "agreed"}]
    targets = [{"metric": "revenue", "target": 1100, **Q1}]
    _, result = made(targets, allocation={"rounding_step": 10, "locks": locks})
    assert result.plan.quotas()["R2"] == 1234_56
    assert summed(result.plan, "revenue", end=date(2026, 4, 1)) == 1100_00
    assert summed(result.plan, "revenue") == 4000_00
