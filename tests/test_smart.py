"""Checks of every quota on simulated years, chances of targets, and published figures of hit rates and of the hedge."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.stats import norm

from experiments.smart import phase_chances, smart_quotas
from experiments.target_chances import target_chances
from experiments.trade import trade_table
from optimize.allocate import allocate
from optimize.response.estimate import estimate
from scenarios.errors import InfeasiblePlan
from scenarios.files import from_document
from scenarios.goals import MinimumChance
from scenarios.plan import QuotaRow
from sim.statistics import wilson
from target_worlds import drawn, outcome_of, responses_of, world

YEAR = date(2026, 1, 1), date(2027, 1, 1)


def plan_of(scenario, *rows):
    from scenarios.today import today_plan

    return today_plan(scenario).with_rows(targets=[QuotaRow(rep, metric, *YEAR, value) for rep, metric, value in rows])


def test_the_chance_of_a_quota_is_counted_on_the_years():
    scenario = world([])
    figures = drawn(5, scenario)
    found = smart_quotas(scenario, plan_of(scenario, ("R1", "revenue", 900_00)), outcome_of(scenario, figures))
    hits = (figures["revenue"][:, 0].sum(axis=1) >= 900_00).sum()
    assert found[0].chance == wilson(int(hits), 40)
    assert (found[0].metric, found[0].unit, found[0].first, found[0].end) == ("revenue", "CNY", *YEAR)


def test_the_chance_of_a_ratio_comes_from_pairs():
    """A rep whose two parts swing together reaches the ratio in other years than parts drawn apart would say."""
    scenario = world([{"metric": "collection_rate", "target": 0.9}])
    figures = drawn(5, scenario)
    figures["cash_due"][:20, 0] = 0
    figures["cash_collected"][:20, 0] = 0
    plan = plan_of(scenario, ("R1", "cash_due", 700_00), ("R1", "cash_collected", 600_00), ("R2", "cash_due", 5))
    found = smart_quotas(scenario, plan, outcome_of(scenario, figures))
    [row] = [one for one in found if one.metric == "collection_rate"]
    above, below = (figures[name][20:, 0].sum(axis=1) for name in ("cash_collected", "cash_due"))
    assert row.value == pytest.approx(6 / 7)
    assert row.chance == wilson(int((above / below >= 6 / 7).sum()), 20), "years without a denominator do not count"


def test_reach_and_stretch_in_words_of_both_languages():
    scenario = world([])
    document = scenario.document()
    document["reps"][0]["last_sales"] = 500
    document["reps"][1]["last_sales"] = 1000
    scenario = from_document(document)
    rows = [("R1", "revenue", 600_00), ("R2", "revenue", 900_00), ("R3", "revenue", 99_000_00), ("R4", "orders", 1)]
    one, two, three, four = sorted(
        smart_quotas(scenario, plan_of(scenario, *rows), outcome_of(scenario, drawn(5, scenario))),
        key=lambda row: row.rep,
    )
    assert (one.stretch, two.stretch, three.stretch, four.stretch) == (
        "above_history",
        "below_history",
        "no_history",
        "no_history",
    )
    assert one.growth == pytest.approx(0.2)
    assert (one.reach, three.reach) == ("attainable", "out_of_reach")
    assert one.told("en")["stretch"] == "20 % above the last period"
    assert one.told("zh")["stretch"] == "比上期高20 %"
    assert three.told("en")["attainable"].startswith("out of reach: only 0 % of 40 simulated years")
    assert four.told("en")["measurable"] == "measured as orders in number"
    assert one.told("zh")["measurable"] == "以签约额计量，单位：CNY"
    assert one.told("en")["dated"] == "from 2026-01-01 to 2026-12-31"
    assert all(three.told("zh").values())


def test_attainable_follows_the_rule_of_the_scenario():
    scenario = world([], allocation={"rules": [{"rule": "min_chance", "chance": 0.99}]})
    figures = drawn(5, scenario)
    quota = int(np.median(figures["revenue"][:, 0].sum(axis=1)))
    [row] = smart_quotas(scenario, plan_of(scenario, ("R1", "revenue", quota)), outcome_of(scenario, figures))
    assert (row.reach, row.least_chance) == ("out_of_reach", 0.99)


def test_every_phase_has_a_chance_of_its_own():
    scenario = world([{"metric": "new_customers", "target": 40}])
    figures = drawn(1, scenario)
    result = allocate(scenario, responses_of(scenario))
    chances = phase_chances(scenario, result.plan, outcome_of(scenario, figures))
    assert set(chances) == set(result.plan.targets)
    row = next(
        row for row in result.plan.targets if (row.rep, row.metric) == ("R2", "revenue") and row.start.month == 3
    )
    hits = (figures["revenue"][:, 1, 2] >= row.value).sum()
    assert chances[row] == wilson(int(hits), 40)


def test_chances_of_targets_of_company_teams_parts_and_ratios():
    targets = [
        {"metric": "new_customers", "team": "T2", "target": 20},
        {"metric": "revenue", "target": 900, "first_day": "2026-01-01", "end": "2026-04-01"},
        {"metric": "average_order_value", "target": 26},
    ]
    scenario = world(targets)
    figures = drawn(3, scenario)
    found = target_chances(scenario, outcome_of(scenario, figures))
    sums = {name: values.sum(axis=(1, 2)) for name, values in figures.items()}
    wanted = [
        (sums["revenue"] >= 4000_00).sum(),
        (figures["new_customers"][:, 2:].sum(axis=(1, 2)) >= 20).sum(),
        (figures["revenue"][:, :, :3].sum(axis=(1, 2)) >= 900_00).sum(),
        (sums["revenue"] / sums["orders"] >= 2600).sum(),
    ]
    assert [one.chance for one in found] == [wilson(int(hits), 40) for hits in wanted]
    assert found[3].expected == pytest.approx(sums["revenue"].mean() / sums["orders"].mean())


# Published arithmetic, through the allocator and the trade table


def lognormal_years(scenario, cv: float, years: int, mean: float = 1000.0):
    """Independent lognormal sales by quantiles in shuffled order: each rep's distribution is exact."""
    rng = np.random.default_rng(7)
    sigma = np.sqrt(np.log1p(cv**2))
    quantiles = norm.ppf((np.arange(years) + 0.5) / years)
    table = np.array([rng.permutation(quantiles) for _ in scenario.reps]).T
    revenue = np.zeros((years, len(scenario.reps), 12), dtype=np.int64)
    revenue[:, :, 0] = np.round(100 * mean * np.exp(sigma * table - sigma**2 / 2))
    return outcome_of(scenario, {"revenue": revenue, "new_revenue": revenue})


@pytest.mark.parametrize(
    ("cv", "hit", "ratio"), [(0.2, 46.1, 0.933), (0.4, 42.4, 0.842), (0.5, 40.7, 0.794), (0.6, 39.1, 0.745)]
)
def test_hit_rate_when_quotas_sum_to_the_mean_and_quotas_that_most_reach(cv, hit, ratio):
    scenario = world([], reps=6)
    years = lognormal_years(scenario, cv, 4000)
    plan = allocate(scenario, estimate(scenario, years)).plan
    trade = trade_table(scenario, plan, years, (1.0,))
    assert trade.rows[0].hit_rate.estimate == pytest.approx(hit / 100, abs=6e-4)
    assert trade.share_for_most == pytest.approx(ratio, abs=6e-4), "the largest quota sum at which 60 % hit"


@pytest.mark.parametrize(("reps", "printed"), [(10, (0.466, 0.701, 0.862)), (50, (0.485, 0.906, 0.995))])
def test_chance_of_the_company_under_over_assignment(reps, printed):
    """Independent reps whose quotas are their means: a hedge h means that the plan is the quota sum / (1 + h)."""
    years = 20_000
    for hedge, chance in zip((0.0, 0.1, 0.2), printed, strict=True):
        base = world(
            [], reps=reps, goals={"targets": [{"metric": "revenue", "target": round(1000 * reps / (1 + hedge), 2)}]}
        )
        outcome = lognormal_years(base, 0.5, years)
        scenario = base.model_copy(update={"allocation": base.allocation.model_copy(update={"over_assignment": hedge})})
        outcome = replace(outcome, scenario=scenario.fingerprint())
        plan = plan_of(scenario, *((rep.id, "revenue", 1000_00) for rep in scenario.reps))
        trade = trade_table(scenario, plan, outcome, (1 + hedge,))
        row = trade.rows[0]
        assert row.quota_sum == pytest.approx(1000_00 * reps, rel=1e-6)
        assert row.chance_of_target.low - 0.002 <= chance <= row.chance_of_target.high + 0.002
        [found] = target_chances(scenario, outcome)
        assert found.chance == row.chance_of_target


@pytest.mark.parametrize("cv", [0.1, 0.3, 0.7, 1.2])
def test_hit_rates_of_other_spreads_are_those_of_the_lognormal_distribution(cv):
    """P(S >= E S) = Phi(-sigma / 2), and quota / E S is exp(-.2533 sigma - sigma^2 / 2) where 60 % reach it."""
    sigma = np.sqrt(np.log1p(cv**2))
    scenario = world([], reps=4)
    years = lognormal_years(scenario, cv, 4000)
    trade = trade_table(scenario, allocate(scenario, estimate(scenario, years)).plan, years, (1.0,))
    assert trade.rows[0].hit_rate.estimate == pytest.approx(norm.cdf(-sigma / 2), abs=6e-4)
    assert trade.share_for_most == pytest.approx(np.exp(norm.ppf(0.4) * sigma - sigma**2 / 2), abs=1e-3)


@pytest.mark.parametrize("cv", [0.2, 0.5, 0.6, 1.0])
def test_quotas_that_most_must_reach_end_where_the_distribution_says(cv):
    """Under a least chance of 60 % a little less than that quota sum has a plan, and a little more has none."""
    sigma = np.sqrt(np.log1p(cv**2))
    most = 5 * 1000 * np.exp(norm.ppf(0.4) * sigma - sigma**2 / 2)
    base = world([], reps=5)
    rules = base.allocation.model_copy(update={"rules": (MinimumChance(chance=0.6),)})
    for share in (0.998, 1.002):
        goals = base.document() | {"goals": {"targets": [{"metric": "revenue", "target": round(share * most, 2)}]}}
        scenario = from_document(goals).model_copy(update={"allocation": rules})
        found = estimate(scenario, lognormal_years(scenario, cv, 4000))
        if share < 1:
            assert sum(allocate(scenario, found).plan.quotas().values()) == round(100 * share * most)
        else:
            with pytest.raises(InfeasiblePlan):
                allocate(scenario, found)


@pytest.mark.parametrize(("reps", "cv", "hedge"), [(4, 0.8, 0.15), (25, 0.3, 0.05), (16, 0.5, -0.05), (80, 1.0, 0.1)])
def test_chances_of_the_company_at_other_sizes_are_those_of_independent_draws(reps, cv, hedge):
    years, sigma = 8_000, np.sqrt(np.log1p(cv**2))
    rng, runs = np.random.default_rng(99), 100_000
    sold = sum(np.exp(sigma * rng.standard_normal(runs) - sigma**2 / 2) for _ in range(reps))
    chance = float((sold >= reps / (1 + hedge)).mean())
    target = round(1000 * reps / (1 + hedge), 2)
    scenario = world([], reps=reps, goals={"targets": [{"metric": "revenue", "target": target}]})
    plan = plan_of(scenario, *((rep.id, "revenue", 1000_00) for rep in scenario.reps))
    row = trade_table(scenario, plan, lognormal_years(scenario, cv, years), (1 + hedge,)).rows[0]
    error = np.sqrt(chance * (1 - chance) / runs)
    assert row.chance_of_target.low - 3 * error <= chance <= row.chance_of_target.high + 3 * error
