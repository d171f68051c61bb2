"""Locked figures, and requests that cannot be met: what gives way, and what is told."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from allocation_worlds import care_world, changed, lognormal, outcome_of, responses_of, world
from optimize.allocate import allocate
from optimize.response.estimate import estimate
from scenarios.errors import InfeasiblePlan, InputRefused, Unsupported

# Locks


def test_locked_quotas_hold_and_are_never_rounded_again():
    locks = [{"path": "quota.R1", "value": 137.31, "author": "王", "reason": "agreed"}]
    scenario = world(3, locks=locks, rounding_step=10)
    result = allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(2), (50, 3))))
    quotas = result.plan.quotas()
    assert quotas["R1"] == 13731
    assert sum(quotas.values()) == 300_00
    assert sorted(q % 1000 for q in (quotas["R2"], quotas["R3"]))[0] == 0
    assert result.plan.locks[0].author == "王"


def test_a_lock_breaks_a_rule_with_its_author_named():
    rules = [{"rule": "potential_band", "tolerance": 0.1}]
    locks = [{"path": "quota.R1", "value": 135, "author": "王", "reason": "agreed"}]
    scenario = world(3, rules=rules, locks=locks)
    found = responses_of(
        scenario, lognormal(np.random.default_rng(2), (50, 3)), territory=np.array([100.0, 70.0, 80.0]) * 100
    )
    result = allocate(scenario, found)
    assert result.plan.quotas()["R1"] == 135_00
    broken = [row for row in result.rule_rows if not row.kept]
    assert [(row.rule, row.subject) for row in broken] == [("potential_band", "R1")]
    assert "王" in broken[0].exception
    assert "agreed" in result.exceptions[0]


def test_locks_without_room_are_refused_with_the_missing_amount():
    locks = [{"path": f"quota.R{i}", "value": 90} for i in (1, 2, 3)]
    scenario = world(3, locks=locks)
    with pytest.raises(InputRefused, match=r"30\.00 missing"):
        allocate(scenario, responses_of(scenario, [[1, 2, 3]]))
    scenario = world(3, locks=[{"path": "quota.R1", "value": 301}])
    with pytest.raises(InputRefused, match=r"1\.00 too much.*quota\.R1 locked by somebody"):
        allocate(scenario, responses_of(scenario, [[1, 2, 3]]))


@pytest.mark.parametrize("path", ["training.R1.negotiation", "care.A1"])
def test_locks_on_more_hours_than_there_are_name_themselves(path):
    rows = [{"id": "A0", "owner": "R1"}, {"id": "A1", "owner": "R2"}]
    scenario = world(2, rows, locks=[{"path": path, "value": 8_000, "author": "李"}])
    with pytest.raises(InputRefused, match=rf"{path} = 8000.*hours"):
        allocate(scenario, responses_of(scenario, [[100, 100], [120, 90]]))


def test_locked_owner_training_and_care_hold():
    rows = [{"id": "A0", "owner": "R1"}, {"id": "A1", "owner": "R2"}]
    locks = [
        {"path": "owner.A0", "value": "R2", "author": "李"},
        {"path": "training.R1.negotiation", "value": 7.5},
        {"path": "care.A1", "value": 33},
    ]
    scenario = world(2, rows, locks=locks, accounts={"max_moves": 0})
    result = allocate(scenario, responses_of(scenario, [[100, 100], [120, 90]]))
    assert result.plan.owner_of() == {"A0": "R2", "A1": "R2"}
    assert result.plan.training_hours() == {("R1", "negotiation"): pytest.approx(7.5)}
    assert result.plan.care_hours()["A1"] == 33
    assert any(text.startswith("account_moves") and "李" in text for text in result.exceptions)
    assert any(text.startswith("training_budget") for text in result.exceptions)


@pytest.mark.parametrize(("locked", "others"), [(10.0, 6.0), (20.0, 0.0)])
def test_a_lock_breaks_the_care_budget_no_further_than_it_must(locked, others):
    curve = {"form": "adbudg", "low": 5, "high": 3600, "shape": 1.6, "half": 0.6, "hours_now": 8}
    scenario = care_world([curve, curve], [8.0, 8.0], 16.0, 500)
    lock = {"path": "care.north", "value": locked, "author": "李"}
    scenario = changed(scenario, allocation={**scenario.document()["allocation"], "locks": [lock]})
    result = allocate(scenario, estimate(scenario, outcome_of(scenario, [[39.0]])))
    assert result.plan.care_hours() == {"north": locked, "south": pytest.approx(others, abs=1e-4)}
    assert any("care_budget" in text and "李" in text for text in result.exceptions) == (locked > 16)


def test_a_conflict_about_care_names_the_hours_that_locks_take():
    curve = {"form": "adbudg", "low": 5, "high": 3600, "shape": 1.6, "half": 0.6, "hours_now": 8}
    scenario = care_world([curve, curve], [8.0, 8.0], 16.0, 500)
    lock = {"path": "care.north", "value": 20, "author": "李"}
    rule = {"rule": "min_chance", "chance": 0.9}
    asked = {**scenario.document()["allocation"], "locks": [lock], "rules": [rule]}
    scenario = changed(scenario, allocation=asked)
    with pytest.raises(
        InfeasiblePlan, match=r"16 hours a year, of which locks take 20: care\.north = 20, locked by 李"
    ) as told:
        allocate(scenario, estimate(scenario, outcome_of(scenario, [[39.0]])))
    least = float(told.value.loosening[0].split("loosen by ")[1].split()[0])
    for more, kept in ((least, True), (least - 0.1, False)):
        asked["accounts"]["care_hours_budget"] = 16.0 + more
        again = changed(scenario, allocation=asked)
        found = estimate(again, outcome_of(again, [[39.0]]))
        with nullcontext() if kept else pytest.raises(InfeasiblePlan):
            allocate(again, found)


def test_a_team_total_gives_way_to_locks():
    targets = [{"metric": "revenue", "target": 300}, {"metric": "revenue", "team": "T1", "target": 150}]
    locks = [{"path": "quota.R1", "value": 120}, {"path": "quota.R2", "value": 80}]
    scenario = changed(world(3, locks=locks), goals={"targets": targets})
    result = allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(4), (20, 3))))
    assert result.plan.quotas() == {"R1": 120_00, "R2": 80_00, "R3": 100_00}
    assert any("team_total" in text for text in result.exceptions)


# Requests that cannot be met


def test_infeasible_names_the_conflict_and_the_least_loosening():
    people = [{"id": f"R{i}", "team": "T1", "last_sales": 100} for i in (1, 2, 3)]
    rules = [{"rule": "growth", "floor": 0.0, "cap": 0.05}, {"rule": "min_expected_attainment", "share": 0.1}]
    scenario = changed(world(3, rules=rules), reps=people, goals={"targets": [{"metric": "revenue", "target": 333.30}]})
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, responses_of(scenario, lognormal(np.random.default_rng(5), (20, 3))))
    error = caught.value
    assert len(error.conflict) == 2
    assert "333.30" in error.conflict[0]
    assert error.conflict[1].startswith("growth cap: 5 %")
    assert "growth cap: loosen by 6.10 percentage points" in error.loosening
    assert any("at most 315.00 instead of 333.30" in text for text in error.loosening)


def test_the_least_loosening_of_a_chance_suffices_and_less_does_not():
    sales = np.arange(1, 101, dtype=float).reshape(-1, 1) * np.ones((1, 2))

    def request(chance):
        rules = [{"rule": "min_chance", "chance": chance}]
        scenario = changed(world(2, rules=rules), goals={"targets": [{"metric": "revenue", "target": 120}]})
        return allocate(scenario, responses_of(scenario, sales))

    with pytest.raises(InfeasiblePlan) as caught:
        request(0.6)
    assert "minimum chance to make quota: loosen by 19.00 percentage points" in caught.value.loosening
    assert request(0.41).plan.quotas() == {"R1": 60_00, "R2": 60_00}
    with pytest.raises(InfeasiblePlan):
        request(0.42)


def test_a_lock_in_the_conflict_is_named_with_its_author():
    people = [{"id": f"R{i}", "team": "T1", "last_sales": 100} for i in (1, 2, 3)]
    locks = [{"path": "quota.R1", "value": 50, "author": "王"}]
    scenario = changed(world(3, rules=[{"rule": "growth", "floor": None, "cap": 0.2}], locks=locks), reps=people)
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, responses_of(scenario, [[100, 100, 100]]))
    assert any("quota.R1 = 50.00" in text and "王" in text for text in caught.value.conflict)
    assert "quota.R1 = 50.00, locked by 王: remove it" in caught.value.loosening


def test_everything_unsupported_is_named_at_once():
    rules = [
        {"rule": "equal_odds"},
        {"rule": "equal_odds", "enabled": False},
        {"rule": "spread", "maximum": 0.1},
    ]
    scenario = world(3, rules=rules, mode="maximin")
    with pytest.raises(Unsupported) as caught:
        allocate(scenario, responses_of(scenario, [[1, 2, 3]]))
    named = "\n".join(str(problem) for problem in caught.value.problems)
    for word in ("equal_odds", "max-min"):
        assert word in named
    assert "spread" not in named
    assert len(caught.value.problems) == 1


def test_zero_potential_is_told_not_divided_by():
    scenario = world(2, rules=[{"rule": "potential_band"}])
    with pytest.raises(InputRefused, match=r"reps\.R2\.potential = 0.*exempt R2"):
        allocate(scenario, responses_of(scenario, [[1, 2]], territory=np.array([100.0, 0.0])))


def test_a_target_too_small_to_be_split_is_refused_in_words():
    goals = {"targets": [{"metric": "revenue", "target": 0.01}]}
    scenario = changed(world(2), goals=goals)
    with pytest.raises(InputRefused, match=r"goals\.targets = 0\.01: is less than a millionth .* 60,000\.00"):
        allocate(scenario, responses_of(scenario, [[20000, 40000]]))


def test_a_conflict_in_which_nothing_can_give_way_alone_says_so():
    assert "giving way in one of them alone is not enough" in str(InfeasiblePlan(["minimum workload: 90 %"]))
    assert "not enough" not in str(InfeasiblePlan(["a", "b"], ["a: remove it"]))
