"""Three levels from the top down, commitments from the bottom up, the gap between the two, and equal odds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.response.estimate import estimate
from scenarios.errors import InfeasiblePlan, InputRefused, Unsupported
from target_worlds import drawn, outcome_of, responses_of, world

THREE = {"metric": "new_customers", "target": 40, "floor": 30, "stretch": 55}


def made(targets: list[dict[str, Any]], **options: Any):
    scenario = world(targets, **options)
    return allocate(scenario, responses_of(scenario))


def revenue(**levels: Any) -> dict[str, Any]:
    return {"goals": {"targets": [{"metric": "revenue", "target": 4000, **levels}, THREE]}}


def sums(result, metric, level, team=None):
    teams = {"T1": ("R1", "R2"), "T2": ("R3", "R4"), None: ("R1", "R2", "R3", "R4")}
    rows = [row for row in result.quotas if (row.metric, row.level) == (metric, level) and row.rep in teams[team]]
    return sum(row.value for row in rows)


# Levels


def test_floor_and_stretch_tie_and_keep_the_order_for_everybody():
    allocation = {"over_assignment": 0.05, "rounding_step": 10}
    result = made([], allocation=allocation, **revenue(floor=3500, stretch=4600))
    for metric, unit, levels in (("revenue", 100, (3500, 4000, 4600)), ("new_customers", 1, (30, 40, 55))):
        for level, value in zip(("floor", "target", "stretch"), levels, strict=True):
            assert sums(result, metric, level) == round(value * 1.05 * unit)
        by_rep = {
            level: {
                row.subject: row.quota
                for row in result.levels
                if (row.metric, row.level, row.scope) == (metric, level, "rep")
            }
            for level in ("floor", "target", "stretch")
        }
        for rep, target in by_rep["target"].items():
            assert by_rep["floor"][rep] <= target <= by_rep["stretch"][rep]
    assert sums(result, "revenue", "target") == sum(result.plan.quotas().values())


def test_levels_of_teams_are_kept_and_the_rest_goes_to_the_others():
    options = revenue(floor=3000, stretch=4600)
    options["goals"]["targets"].append({"metric": "revenue", "team": "T1", "target": 2000, "floor": 1800})
    result = made([], **options)
    assert sums(result, "revenue", "floor", "T1") == 1800_00
    assert sums(result, "revenue", "floor", "T2") == 1200_00
    row = next(row for row in result.levels if (row.metric, row.level, row.subject) == ("revenue", "floor", "T1"))
    assert (row.asked, row.quota) == (1800_00, 1800_00)


def test_levels_that_cannot_fit_are_told():
    options = revenue(floor=3900)
    options["goals"]["targets"].append({"metric": "revenue", "team": "T1", "target": 2000, "floor": 100})
    with pytest.raises(InfeasiblePlan, match=r"floor of revenue leaves 3,800\.00 to the rest of the company") as caught:
        made([], **options)
    assert "revenue 的保底值合计留给公司其余人员 3,800.00" in caught.value.text("zh")


def test_levels_of_a_ratio_hold_for_the_sums():
    result = made([{"metric": "key_product_share", "target": 0.4, "floor": 0.3, "stretch": 0.5}])
    for scope, subject in (("company", "company"), ("team", "T1"), ("rep", "R3")):
        rows = {
            row.level: row.quota
            for row in result.levels
            if (row.metric, row.scope, row.subject) == ("key_product_share", scope, subject)
        }
        assert rows["floor"] == pytest.approx(0.75 * rows["target"])
        assert rows["stretch"] == pytest.approx(1.25 * rows["target"])
    assert rows
    assert result.levels[0].level == "target"


def test_without_levels_there_are_none():
    assert {row.level for row in made([]).levels} == {"target"}


# Bottom up


def commitments(*rows: tuple[Any, ...]) -> dict[str, Any]:
    """Rows of (round, who, value, level, metric)."""
    out = []
    for number, who, value, *rest in rows:
        level, metric = [*rest, *("target", "revenue")[len(rest) :]]
        out.append(
            {
                "round": number,
                "team" if who.startswith("T") else "rep": who,
                "value": value,
                "level": level,
                "metric": metric,
            }
        )
    return {"goals": {"targets": [{"metric": "revenue", "target": 4000, "floor": 3500}, THREE], "commitments": out}}


def gap(result, number, subject, level="target", metric="revenue"):
    return next(
        row
        for row in result.gaps
        if (row.metric, row.level, row.round, row.subject) == (metric, level, number, subject)
    )


def test_a_team_is_the_sum_of_its_reps_and_the_company_that_of_its_teams():
    said = [(1, f"R{i}", value) for i, value in enumerate((900, 800, 1000, 700), 1)]
    result = made([], **commitments(*said))
    quotas = result.plan.quotas()
    assert gap(result, 1, "T1").bottom_up == 1700_00
    assert gap(result, 1, "T1").gap == 1700_00 - quotas["R1"] - quotas["R2"]
    company = gap(result, 1, "company")
    assert (company.bottom_up, company.top_down, company.gap) == (3400_00, 4000_00, -600_00)
    rep = gap(result, 1, "R2")
    assert (rep.bottom_up, rep.gap) == (800_00, 800_00 - quotas["R2"])


def test_nothing_said_is_not_zero_and_a_team_may_speak_for_its_reps():
    said = [(1, "R1", 900), (1, "R3", 1000), (1, "R4", 700), (2, "T1", 1650), (3, "R2", 800), (3, "R1", 950)]
    result = made([], **commitments(*said))
    first, second, third = (gap(result, number, "T1") for number in (1, 2, 3))
    assert (first.bottom_up, first.missing, first.gap) == (None, 1, None)
    assert gap(result, 1, "company").bottom_up is None
    assert gap(result, 1, "R2").bottom_up is None
    assert (second.bottom_up, second.said) == (1650_00, "team")
    assert gap(result, 2, "company").bottom_up == 3350_00
    assert (third.bottom_up, third.said) == (1750_00, "reps")


def test_levels_have_views_of_their_own():
    said = [(1, f"R{i}", 700, "floor") for i in (1, 2, 3, 4)] + [(1, "R1", 900)]
    result = made([], **commitments(*said))
    assert gap(result, 1, "company", "floor").bottom_up == 2800_00
    assert gap(result, 1, "company", "floor").top_down == 3500_00
    assert gap(result, 1, "company").bottom_up is None


def test_ratios_from_the_bottom_up_are_weighed_with_their_denominator():
    said = [(1, f"R{i}", value, "target", "key_product_share") for i, value in enumerate((0.3, 0.5, 0.4, 0.2), 1)]
    options = commitments(*said)
    options["goals"]["targets"].append({"metric": "key_product_share", "target": 0.4})
    result = made([], **options)
    q = result.plan.quotas()
    wanted = (0.3 * q["R1"] + 0.5 * q["R2"]) / (q["R1"] + q["R2"])
    assert gap(result, 1, "T1", metric="key_product_share").bottom_up == pytest.approx(wanted)
    whole = (0.3 * q["R1"] + 0.5 * q["R2"] + 0.4 * q["R3"] + 0.2 * q["R4"]) / sum(q.values())
    assert gap(result, 1, "company", metric="key_product_share").bottom_up == pytest.approx(whole)


def test_what_somebody_says_must_be_in_order():
    with pytest.raises(InputRefused, match=r"floor <= target <= stretch must hold for what R1 says"):
        made([], **commitments((1, "R1", 900, "floor"), (1, "R1", 800)))


# Equal odds


@pytest.mark.parametrize("seed", range(4))
def test_equal_odds_give_everybody_the_same_chance_however_skewed(seed):
    rng = np.random.default_rng(seed)
    rules = [{"rule": "min_expected_attainment", "share": 0.9}, {"rule": "min_chance", "chance": 0.6}]
    goals = {"targets": [{"metric": "revenue", "target": 6500}]}
    scenario = world([], goals=goals, allocation={"mode": "equal_odds", "rules": rules})
    figures = drawn(seed, scenario, years=200)
    cv = np.array([0.1, 0.4, 0.9, 1.6]).reshape(1, 4, 1)
    figures["revenue"] = np.round(9_000 * rng.lognormal(0, cv, (200, 4, 12))).astype(np.int64)
    found = estimate(scenario, outcome_of(scenario, figures))
    result = allocate(scenario, found)
    quotas = np.array([result.plan.quotas()[f"R{i}"] for i in (1, 2, 3, 4)])
    chances = (found.samples >= quotas).mean(axis=0)
    assert np.ptp(chances) <= 2 / 200
    assert quotas.sum() == 6500_00
    assert 0.1 < chances.mean() < 0.9
    assert any("set aside" in text for text in result.exceptions), "the rules that give way are named"
    assert {row.rule for row in result.rule_rows} >= {"min_expected_attainment", "min_chance"}
    assert not any(row.binding for row in result.rule_rows if row.rule.startswith("min_")), (
        "what is set aside binds nobody"
    )


def test_a_rule_that_cannot_be_measured_is_refused_even_where_it_is_set_aside():
    with pytest.raises(InputRefused, match="potential, which is zero here"):
        made([], allocation={"mode": "equal_odds", "rules": [{"rule": "potential_band"}]})


def test_equal_odds_keep_team_totals_and_locks():
    targets = [{"metric": "revenue", "team": "T1", "target": 2500}]
    locks = [{"path": "quota.R3", "value": 400}]
    scenario = world(targets, allocation={"mode": "equal_odds", "locks": locks})
    found = responses_of(scenario, years=200)
    quotas = allocate(scenario, found).plan.quotas()
    assert quotas["R1"] + quotas["R2"] == 2500_00
    assert quotas["R3"] == 400_00
    chances = (found.samples >= [quotas[f"R{i}"] for i in (1, 2, 3, 4)]).mean(axis=0)
    assert abs(chances[0] - chances[1]) <= 2 / 200


def test_equal_odds_are_those_of_the_person():
    with pytest.raises(Unsupported, match=r"quota_basis = opportunity: equal odds are those of the simulated person"):
        made([], allocation={"mode": "equal_odds", "quota_basis": "opportunity"})
