"""Levels of ratios: nobody's share above one, ratios of sums kept, and what is told of them and of steps by period."""

from __future__ import annotations

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.phasing import period_step
from optimize.response.estimate import estimate
from quotalab.told_words import noted
from target_worlds import drawn, outcome_of, world


def uneven(targets, shares, seed=3, **options):
    """A plan of people of whom each collects a share of what is due, years alike."""
    scenario = world(targets, **options)
    figures = drawn(seed, scenario)
    part = np.array(shares).reshape(1, 4, 1)
    figures["cash_collected"] = np.round(figures["cash_due"] * part).astype(np.int64)
    return allocate(scenario, estimate(scenario, outcome_of(scenario, figures)))


def rates(result, scope="rep"):
    return {
        (row.subject, row.level): row.quota
        for row in result.levels
        if row.metric == "collection_rate" and row.scope == scope
    }


def test_nobodys_stretch_of_a_share_is_above_one_and_that_of_the_company_is_kept():
    asked = {"metric": "collection_rate", "target": 0.84, "floor": 0.8, "stretch": 0.88}
    result = uneven([asked], (0.98, 0.8, 0.7, 0.85))
    found, company = rates(result), rates(result, "company")
    for level in ("floor", "target", "stretch"):
        assert company["company", level] == pytest.approx(asked[level], abs=1e-5)
    assert found["R1", "target"] * 0.88 / 0.84 > 1, "what the same proportion for all would come to"
    assert found["R1", "stretch"] == pytest.approx(1)
    for rep in ("R1", "R2", "R3", "R4"):
        assert found[rep, "floor"] < found[rep, "target"] < found[rep, "stretch"] <= 1 + 1e-9
    others = [found[rep, "stretch"] / found[rep, "target"] for rep in ("R2", "R3", "R4")]
    assert others == pytest.approx([others[0]] * 3), "the others make up for it in proportion"
    assert not [note for note in result.notes if "collection_rate" in note]


def test_a_stretch_that_would_take_more_than_all_is_told():
    asked = [
        {"metric": "collection_rate", "target": 0.75, "stretch": 0.9},
        {"metric": "collection_rate", "team": "T1", "target": 0.55, "stretch": 0.6},
    ]
    result = uneven(asked, (0.6, 0.6, 0.95, 0.95))
    found, team = rates(result), rates(result, "team")
    assert team["T1", "stretch"] == pytest.approx(0.6, abs=1e-4)
    assert [found[rep, "stretch"] for rep in ("R3", "R4")] == pytest.approx([1, 1])
    told = [note for note in result.notes if "collection_rate" in note]
    assert told == ["stretch of collection_rate of T2 is all there is: what is asked for is above one"]
    assert noted(told[0], "zh").endswith("挑战值按 100% 计：所要求的水平会超过 100%。")
    assert "T2" in noted(told[0], "zh")


def test_averages_are_no_shares():
    result = uneven([{"metric": "average_order_value", "target": 300, "stretch": 400}], (0.9, 0.9, 0.9, 0.9))
    rows = {(row.subject, row.level): row.quota for row in result.levels if row.metric == "average_order_value"}
    for rep in ("R1", "R2", "R3", "R4"):
        assert rows[rep, "stretch"] == pytest.approx(4 / 3 * rows[rep, "target"])


@pytest.mark.parametrize(
    ("total", "step", "fine"),
    [
        (120_000_00, 100_00, 100_00),
        (12_000_00, 100_00, 100_00),
        (11_999_00, 100_00, 10_00),
        (119_00, 100_00, 1_00),
        (1_000_00, 25_00, 1_00),
        (1_000_00, 50, 50),
        (5, 1, 1),
    ],
)
def test_steps_by_period_are_tenths_until_periods_hold_ten_of_them(total, step, fine):
    assert period_step(total, 12, step) == fine


def test_steps_by_period_that_are_finer_are_told():
    targets = [{"metric": "gross_margin", "target": 1600}]
    result = uneven(targets, (0.9, 0.9, 0.9, 0.9), allocation={"rounding_step": 8})
    told = [note for note in result.notes if "by period" in note]
    assert told == ["gross_margin by period is in steps of 1: of 8, periods of a rep hold less than ten"]
    assert "按 8 取整" in noted(told[0], "zh")
    assert "毛利" in noted(told[0], "zh")
    cells = [row.value for row in result.quotas if row.metric == "gross_margin"]
    assert any(value % 800 for value in cells)
    plain = uneven(targets, (0.9, 0.9, 0.9, 0.9), allocation={"rounding_step": 1})
    assert not [note for note in plain.notes if "by period" in note]
