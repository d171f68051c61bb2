"""The fairness audit: planted unfairness is found, fair plans are seldom flagged, figures are those by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from experiments.fairness_audit import audit_plan
from experiments.fairness_checks import LEVEL, checks_of, flagged, measures_of, rank_correlation
from experiments.fairness_people import rather
from optimize.fairness_measures import standings, tied
from optimize.feasible_quotas import feasible_quotas
from optimize.formulate import formulate
from optimize.rules import bounds, box
from quotalab.fairness import audit_text
from scenarios.errors import InputRefused
from scenarios.plan import LockRow, Plan, QuotaRow

PEOPLE, YEARS = 40, 80
TEAMS = [{"id": f"T{i}", "region": "N" if i < 3 else "S"} for i in range(1, 5)]


def company(seed: int = 0, people: int = PEOPLE, **allocation: Any):
    """People in four teams and two regions, with territories and skills that know nothing of each other."""
    rng = np.random.default_rng(seed)
    reps = [{"id": f"R{i:02d}", "team": f"T{1 + i % 4}", "last_sales": 100} for i in range(people)]
    scenario = changed(
        world(3, **allocation),
        reps=reps,
        teams=TEAMS,
        regions=[{"id": "N"}, {"id": "S"}],
        goals={"targets": [{"metric": "revenue", "target": 100 * people}]},
    )
    potential = 100 * np.exp(0.4 * rng.standard_normal(people))
    skill = np.exp(0.1 * rng.standard_normal(people))
    found = responses_of(
        scenario, lognormal(rng, (YEARS, people)) * (potential * skill / 100), territory=potential * 100
    )
    return scenario, replace(found, opportunity=potential * 100), potential, rng


def plan_of(scenario, reps, quotas) -> Plan:
    start, end = scenario.calendar.start, scenario.calendar.end
    rows = tuple(
        QuotaRow(rep, "revenue", start, end, round(100 * float(q)))
        for rep, q in zip(reps, quotas, strict=True)
        if q > 0
    )
    return Plan(name="theirs", origin="given", targets=rows)


def audited(weights, seed=0, **world_of):
    scenario, found, potential, rng = company(seed, **world_of)
    quotas = weights(potential, rng)
    quotas = quotas * 100 * len(potential) / quotas.sum()
    return audit_plan(scenario, plan_of(scenario, found.reps, quotas), found)


def test_a_plan_by_potential_is_not_flagged():
    found = audited(lambda potential, rng: potential * np.exp(0.03 * rng.standard_normal(len(potential))))
    assert not any(check.flagged for check in found.checks)
    assert abs(found.check("quota_over_potential", "territory").correlation) < 0.4
    assert len(found.people) == PEOPLE
    assert found.gini_quota < 0.03


def test_a_team_with_fifteen_percent_more_than_its_potential_is_found():
    def weights(potential, rng):
        more = np.where(np.arange(len(potential)) % 4 == 1, 1.15, 1.0)
        return potential * more * np.exp(0.03 * rng.standard_normal(len(potential)))

    found = audited(weights)
    check = found.check("quota_over_potential", "team")
    assert check.flagged
    assert check.p_adjusted <= 0.02
    assert check.gap == pytest.approx(0.145, abs=0.03)
    row = next(row for row in found.groups if (row.by, row.group) == ("team", "T2"))
    assert row.quota_over_potential == pytest.approx(1.15 / 1.0375, abs=0.03)
    assert not found.check("quota_over_potential", "territory").flagged
    assert found.flagged


def test_small_territories_that_carry_too_much_are_found():
    found = audited(lambda potential, rng: potential**0.7 * np.exp(0.03 * rng.standard_normal(len(potential))))
    check = found.check("quota_over_potential", "territory")
    assert check.flagged
    assert check.correlation < -0.8
    assert check.gap < -0.1
    # The same seen from the people: small territories make less of their quotas, beside what skill does.
    assert found.check("attainment", "territory").correlation > 0.3
    assert not found.check("quota_over_potential", "team").flagged
    first, last = found.quarters[0], found.quarters[-1]
    assert first.attainment < last.attainment
    assert first.potential < last.potential
    assert sum(row.people for row in found.quarters) == PEOPLE


def test_fair_plans_are_flagged_no_more_often_than_stated():
    """Quotas by potential, with differences that know of nobody: over many such plans the tests keep their level."""
    scenario, found, potential, rng = company()
    problem = formulate(scenario, found)
    keep, times, count = np.ones(PEOPLE, dtype=bool), 0, 150
    for number in range(count):
        quotas = potential * 100 * np.exp(0.12 * rng.standard_normal(PEOPLE))
        means = quotas * np.exp(0.12 * rng.standard_normal(PEOPLE))
        told = replace(problem, samples=means[None], basis=means[None])
        measures = measures_of(told, quotas, quotas / np.exp(0.12 * rng.standard_normal(PEOPLE)), keep)
        size = rng.permutation(potential)
        checks = checks_of(told, measures, quotas, size, keep, np.random.default_rng(number))
        times += any(check.flagged for check in flagged(checks))
    # Three standard errors above the stated level.
    assert times / count <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / count)
    assert times > 0


def test_p_values_of_fair_plans_are_spread_evenly():
    """Every test on its own: where nothing is unfair, one p-value in twenty is below .05, one in five below .2."""
    scenario, found, potential, rng = company()
    problem = formulate(scenario, found)
    keep, seen, count = np.ones(PEOPLE, dtype=bool), {}, 400
    for number in range(count):
        quotas = potential * 100 * np.exp(0.12 * rng.standard_normal(PEOPLE))
        means = quotas * np.exp(0.12 * rng.standard_normal(PEOPLE))
        told = replace(problem, samples=means[None], basis=means[None])
        measures = measures_of(told, quotas, quotas / np.exp(0.12 * rng.standard_normal(PEOPLE)), keep)
        checks = checks_of(told, measures, quotas, rng.permutation(potential), keep, np.random.default_rng(number))
        for check in checks:
            if check.p_value is not None:
                seen.setdefault((check.measure, check.against), []).append(check.p_value)
    assert len(seen) >= 6
    for name, found_values in seen.items():
        assert len(found_values) == count
        for level in (0.05, 0.2, 0.5):
            share = float((np.array(found_values) <= level).mean())
            # Three and a half standard errors: eighteen shares are looked at.
            assert abs(share - level) <= 3.5 * np.sqrt(level * (1 - level) / count), (name, level)


def test_the_same_plan_and_seed_give_the_same_audit():
    scenario, found, potential, _ = company(people=9)
    plan = plan_of(scenario, found.reps, potential)
    first, other = audit_plan(scenario, plan, found), audit_plan(scenario, plan, found, seed=99)
    assert audit_plan(scenario, plan, found) == first
    assert other.people == first.people
    assert other.feasible != first.feasible


def test_groups_of_a_small_company_are_shown_but_not_tested():
    found = audited(lambda potential, _: potential * np.where(np.arange(12) % 4 == 1, 1.5, 1.0), people=12)
    check = found.check("quota_over_potential", "team")
    assert check.p_value is None
    assert not check.flagged
    assert "30" in check.note
    assert check.gap > 0.3
    assert any("30" in note for note in found.notes)
    assert found.check("quota_over_potential", "territory").p_value is not None
    assert found.check("attainment", "growth").p_value is None


def test_rank_correlation_is_spearmans_and_ties_are_shared():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 6, 30) / 7.0, rng.standard_normal(30)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert rank_correlation(np.ones(5), np.arange(5.0)) == 0.0


def test_whose_place_would_be_better():
    """Two territories alike, one with half the quota; a third so large that nobody there makes it."""
    sales = np.linspace(50, 150, 101)[:, None] * np.ones((1, 3))
    scenario = changed(world(3), goals={"targets": [{"metric": "revenue", "target": 350}]})
    found = responses_of(scenario, sales, territory=np.full(3, 10000.0))
    found = replace(found, opportunity=np.full(3, 10000.0))
    problem = formulate(scenario, found)
    quotas = np.array([10000.0, 5000.0, 20000.0])
    place, there = rather(problem, quotas, np.ones(3, dtype=bool))
    assert place.tolist() == [1, 1, 1]
    assert there.tolist() == [1.0, 1.0, 1.0]
    # Whoever sells twice what the reference would, does so in another's place as well.
    strong = replace(problem, samples=problem.samples * np.array([2.0, 1.0, 1.0]))
    _, there = rather(strong, np.array([30000.0, 15000.0, 20000.0]), np.ones(3, dtype=bool))
    assert there[0] == pytest.approx((2 * sales[:, 0] >= 150 - 0.005).mean())
    plan = plan_of(scenario, found.reps, quotas / 100)
    rows = {row.rep: row for row in audit_plan(scenario, plan, found).people}
    assert (rows["R1"].rather_be, rows["R2"].rather_be) == ("R2", "")
    assert rows["R1"].attainment == pytest.approx(1.0)
    assert rows["R3"].chance == 0.0


@pytest.mark.parametrize("rule", [None, {"rule": "spread", "maximum": 0.3}, {"rule": "gini", "maximum": 0.05}])
def test_random_plans_keep_the_rules_and_are_spread(rule):
    band = {"rule": "potential_band", "tolerance": 0.2}
    scenario, found, _, rng = company(3, people=5, rules=[band, rule] if rule else [band])
    problem = formulate(scenario, found)
    decisions = problem.base_decisions()
    plans = feasible_quotas(problem, decisions, 100, rng)
    low, high = box(problem, bounds(problem, decisions))
    assert plans.shape == (100, 5)
    assert (plans >= low - 1e-6).all()
    assert (plans <= high + 1e-6).all()
    assert plans.sum(axis=1) == pytest.approx(np.full(100, problem.total))
    for plan in plans[::10]:
        assert all(row.kept for one in tied(problem) for row in standings(problem, decisions, plan, one))
    assert (plans.std(axis=0) > 0.01 * (high - low)).all()


def test_random_plans_of_two_people_are_even_between_their_ends():
    scenario = changed(world(2), goals={"targets": [{"metric": "revenue", "target": 100}]})
    problem = formulate(scenario, responses_of(scenario, [[50, 50], [60, 40]]))
    plans = feasible_quotas(problem, problem.base_decisions(), 4000, np.random.default_rng(2))
    share = np.sort(plans[:, 0] / problem.total)
    # Kolmogorov and Smirnov at 0.1 %, draws of one chain taken as a fifth of independent ones.
    distance = np.abs(share - (np.arange(4000) + 0.5) / 4000).max()
    assert distance < 1.95 / np.sqrt(4000 / 5)


def test_a_plan_unlike_all_that_the_rules_allow_is_an_outlier():
    rules = [{"rule": "potential_band", "tolerance": 0.1}]
    found = audited(lambda potential, rng: potential ** rng.uniform(0.2, 2.0, len(potential)), rules=rules)
    row = next(row for row in found.feasible if row.figure == "gini_of_quota_over_potential")
    assert row.outlier
    assert row.value > row.high
    assert any(not row.kept for row in found.rules if row.rule == "potential_band")
    fair = audited(lambda potential, _: potential, rules=rules)
    assert not any(row.outlier for row in fair.feasible)
    assert fair.feasible[0].value < fair.feasible[0].low


def test_who_has_no_quota_is_left_out_and_one_alone_is_refused():
    scenario, found, potential, _ = company(people=8)
    quotas = potential.copy()
    quotas[3] = 0
    result = audit_plan(scenario, plan_of(scenario, found.reps, quotas), found)
    assert len(result.people) == 7
    assert any("R03" in note for note in result.notes)
    with pytest.raises(InputRefused, match="at least two"):
        audit_plan(scenario, plan_of(scenario, found.reps, np.where(np.arange(8) == 0, 100, 0)), found)


def test_a_plan_without_a_company_target_is_audited_against_its_own_sum():
    scenario, found, potential, _ = company(people=8)
    bare = changed(scenario, goals={"targets": []})
    result = audit_plan(bare, plan_of(scenario, found.reps, potential), found)
    assert result.rules[0].kept


def test_a_rule_that_gives_way_to_the_plans_lock_is_told_with_its_author():
    scenario, found, potential, _ = company(people=8, rules=[{"rule": "potential_band", "tolerance": 0.1}])
    quotas = potential * np.where(np.arange(8) == 2, 1.5, 1.0)
    quotas *= 800 / quotas.sum()
    plan = plan_of(scenario, found.reps, quotas)
    assert "potential" in audit_text(audit_plan(scenario, plan, found), "en").partition("does not keep")[2]
    locks = [LockRow("quota.R02", f"{quotas[2]:.2f}", "M. Chen", "agreed; in March")]
    result = audit_plan(scenario, plan.with_rows(locks=locks), found)
    row = next(row for row in result.rules if not row.kept and row.subject == "R02")
    assert row.exception == "quota.R02 locked by M. Chen (agreed; in March)"
    told = "(R02), an exception: quota.R02, locked by M. Chen (agreed; in March)"
    assert told in audit_text(result, "en")
    assert "（R02），例外：quota.R02 由 M. Chen 锁定（agreed; in March）" in audit_text(result, "zh")
