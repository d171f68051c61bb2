"""Fairness rules and modes against brute force over quotas, their definitions, and what holds of any rule."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from benchmarks.allocation_instances import Shape, instance
from optimize import quotas
from optimize.allocate import allocate
from optimize.audit import audit, broken
from optimize.fairness_measures import chances, gini, standings, worst_off
from optimize.formulate import formulate, people_groups
from optimize.model import build, money_unit
from optimize.parts import fairness_together
from optimize.parts.fairness_together import comparators
from optimize.prices import prices
from optimize.problem import Decisions, Locks, gains
from optimize.programme.solve import solve
from optimize.quotas import best_quotas, exact_quotas, quota_model
from optimize.rule_words import WORDS
from optimize.split import attained
from scenarios.errors import InfeasiblePlan
from scenarios.goals import GiniBound, GrowthLimits, PotentialBand

PEOPLE = [
    {"id": "R1", "team": "T1", "level": "a", "hired": "2025-06-01"},
    {"id": "R2", "team": "T1", "level": "b", "hired": "2023-06-01"},
    {"id": "R3", "team": "T2", "level": "b"},
]
LEVELS = {"levels": [{"id": "a", "skills": {}}, {"id": "b", "skills": {}}]}


def request(rules: list[dict[str, Any]], seed: int = 0, samples: int = 40, **allocation: Any):
    """Three reps whose sales, evenness and potentials disagree, in currency units of about 100 each."""
    rng = np.random.default_rng(seed)
    scenario = changed(world(3, rules=rules, **allocation), reps=PEOPLE, skills=LEVELS)
    sales = np.column_stack([lognormal(rng, samples, mean, cv) for mean, cv in ((150, 0.9), (100, 0.5), (60, 0.25))])
    return scenario, responses_of(scenario, sales, territory=np.array([11000.0, 9000, 12000]))


# Definitions, written once more and without the code under test


def mean_gap(y):
    return sum(abs(a - b) for a, b in itertools.combinations(y, 2)) / (len(y) * sum(y))


def worst_group(expected, quotas, heads):
    """Of all groups of this whole number of heads the lowest share of quotas."""
    groups = itertools.combinations(range(len(quotas)), heads)
    return min(sum(expected[list(g)]) / sum(quotas[list(g)]) for g in groups)


def keeps(rule, quotas, sales, potential, teams):
    """Whether currency-unit quotas [G, R] keep a rule, one truth each."""
    ratio = quotas / potential
    kind = rule["rule"]
    if kind == "spread":
        return np.ptp(ratio, axis=1) <= rule["maximum"] + 1e-9
    if kind == "gini":
        pairs = sum(np.abs(ratio[:, i] - ratio[:, j]) for i, j in ((0, 1), (0, 2), (1, 2)))
        return pairs <= rule["maximum"] * 3 * ratio.sum(axis=1) + 1e-9
    expected = np.stack([np.minimum(sales, q).mean(axis=0) for q in quotas])
    if kind == "worst_off":
        excess = np.sort(expected - rule["minimum"] * quotas, axis=1)
        return excess[:, : round(rule["share"] * 3)].sum(axis=1) >= -1e-3
    if kind == "equal_odds":
        chance = (sales[None] >= quotas[:, None, :] - 0.005).mean(axis=1)
        return np.ptp(chance, axis=1) <= rule["width"] + 1e-9
    whole = quotas.sum(axis=1) / potential.sum()
    kept = np.ones(len(quotas), dtype=bool)
    for team in set(teams):
        inside = np.array([name == team for name in teams])
        relative = quotas[:, inside].sum(axis=1) / (whole * potential[inside].sum())
        kept &= np.abs(relative - 1) <= rule["tolerance"] + 1e-9
    return kept


ACCOUNT = {"id": "A0", "owner": "R1", "eligible": ["R3"], "tier": "A", "region": "N"}
TYING = [
    {"rule": "spread", "maximum": 0.4},
    {"rule": "gini", "maximum": 0.1},
    {"rule": "worst_off", "share": 1 / 3, "minimum": 0.785},
    {"rule": "worst_off", "share": 2 / 3, "minimum": 0.788},
    {"rule": "equal_odds", "width": 0.25},
    {"rule": "group_parity", "by": "team", "tolerance": 0.1},
    {"rule": "group_parity", "by": "level", "tolerance": 0.05},
    {"rule": "group_parity", "by": "tenure", "tolerance": 0.2},
]


@pytest.mark.parametrize("rule", TYING, ids=str)
@pytest.mark.parametrize("seed", [1, 2])
def test_each_rule_gives_the_best_quotas_of_a_grid(rule, seed):
    band = {"rule": "potential_band", "tolerance": 0.4}
    rules = [band, rule] if rule["rule"] == "equal_odds" else [rule]
    scenario, found = request(rules, seed)
    sales, potential = found.samples / 100, found.territory / 100
    first, second = np.meshgrid(np.arange(20.0, 240), np.arange(20.0, 240), indexing="ij")
    grid = np.stack([first.ravel(), second.ravel(), 300 - first.ravel() - second.ravel()], axis=1)
    grid = grid[grid[:, 2] >= 5]
    if rules[0] is band:
        middle = 300 / potential.sum() * potential
        grid = grid[((grid >= 0.6 * middle) & (grid <= 1.4 * middle)).all(axis=1)]
    groups = people_groups(scenario, found.reps)
    teams = groups[rule.get("by", "team")]
    grid = grid[keeps(rule, grid, sales, potential, teams)]
    values = np.minimum(sales[None], grid[:, None, :]).mean(axis=1).sum(axis=1)
    best = float(values.max())
    result = allocate(scenario, found)
    planned = np.array([[result.plan.quotas()[rep] / 100 for rep in found.reps]])
    assert keeps(rule, planned, sales, potential, teams).all()
    assert not broken(list(result.rule_rows))
    assert result.model_value / 100 >= best - 1e-2
    # The grid's own coarseness: one unit in two of three quotas, at slopes of at most 1.
    assert result.model_value / 100 <= best + 1.0
    if rule["rule"] == "equal_odds":
        return
    free, loose = request(rules[:-1], seed)
    assert allocate(free, loose).model_value / 100 > result.model_value / 100 + 0.05, "the rule never bit"


@pytest.mark.parametrize("rule", TYING, ids=str)
def test_the_rows_of_each_rule_hold_where_its_measure_holds(rule):
    """Random quotas, held in the programme: rows and audit agree which of them keep the rule."""
    if rule["rule"] == "worst_off":
        rule = {**rule, "minimum": 0.77}
    scenario, found = request([rule], seed=2)
    problem = formulate(scenario, found)
    decisions = problem.base_decisions()
    model = build(problem)
    columns = model.programme.block("quota").index
    best = exact_quotas(problem, decisions)
    rng, seen = np.random.default_rng(6), set()
    for middle, spread in itertools.product((found.territory, best), (0.005, 0.02, 0.1, 0.5) * 6):
        weights = middle * np.exp(spread * rng.standard_normal(3))
        quotas = np.round(problem.total * weights / weights.sum())
        quotas[0] += problem.total - quotas.sum()
        room = min(row.room for row in standings(problem, decisions, quotas, problem.rules[0]))
        rows = audit(problem, decisions, quotas)
        assert (not broken(rows)) == all(row.kept for row in standings(problem, decisions, quotas, problem.rules[0]))
        assert not broken(rows) or room < -1e-6
        assert broken(rows) or room > -1e-4
        if abs(room) < 1e-4 and rule["rule"] != "equal_odds":
            continue
        status = solve(model.programme.fixed(columns, quotas / model.unit)).status
        assert (status == "optimal") == (room >= -1e-9), (room, status)
        seen.add(status)
    assert seen == {"optimal", "infeasible"}


@pytest.mark.parametrize("rule", TYING, ids=str)
def test_a_looser_rule_never_lowers_the_value_and_the_order_of_people_does_not_matter(rule):
    field, way = {"worst_off": ("minimum", -1), "equal_odds": ("width", 1), "group_parity": ("tolerance", 1)}.get(
        rule["rule"], ("maximum", 1)
    )
    values = []
    for more in (0.0, 0.03, 0.1, 0.3):
        scenario, found = request([{**rule, field: rule[field] + way * more}], seed=2)
        values.append(allocate(scenario, found).model_value)
    assert all(later >= earlier - 3 for earlier, later in itertools.pairwise(values))
    scenario, found = request([rule], seed=2)
    order = [2, 0, 1]
    turned = changed(scenario, reps=[{**PEOPLE[i], "id": f"R{place + 1}"} for place, i in enumerate(order)])
    again = responses_of(turned, found.samples[:, order] / 100, territory=found.territory[order])
    assert allocate(turned, again).model_value == pytest.approx(values[0], abs=3)


@pytest.mark.parametrize("seed", range(4))
def test_equal_odds_by_levels_are_those_of_the_programme(seed):
    """The best of the splits at all levels against one programme that chooses its level."""
    rng = np.random.default_rng(seed)
    # Quotas that follow the territory give the people unequal chances, until the rule bites.
    scenario = world(5, rules=[{"rule": "equal_odds", "width": 0.15}], quota_basis="opportunity")
    scenario = changed(scenario, goals={"targets": [{"metric": "revenue", "target": 500}]})
    sales = lognormal(rng, (30, 5)) * np.array([1.3, 1.1, 0.9, 1.0, 0.8])
    problem = formulate(scenario, responses_of(scenario, sales, opportunity=np.full(5, 10000.0)))
    decisions = problem.base_decisions()
    by_levels = exact_quotas(problem, decisions)
    by_programme = quotas._by_programme(problem, decisions)
    gain = gains(problem, decisions)
    values = [attained(problem.basis, gain, q) for q in (by_levels, by_programme)]
    assert values[0] == pytest.approx(values[1], rel=1e-6)
    assert np.ptp(chances(problem.samples, by_levels)) <= 0.15 + 1e-9
    free = exact_quotas(problem.with_rules(()), decisions)
    assert np.ptp(chances(problem.samples, free)) > 0.15
    assert attained(problem.basis, gain, free) > values[0]


@pytest.mark.parametrize("rule", [r for r in TYING if r.get("by") != "tenure"], ids=str)
def test_owners_and_quotas_together_are_those_of_brute_force(rule, monkeypatch):
    """Every assignment of accounts, each with its exact quotas, against one programme with products of both."""
    rng = np.random.default_rng(11)
    rows = [{"id": f"A{i}", "owner": f"R{1 + i % 3}"} for i in range(4)]
    scenario, _ = request([rule])
    scenario = changed(scenario, accounts=[{"tier": "A", "region": "N", **row} for row in rows])
    sales = np.column_stack([lognormal(rng, 12, mean, cv) for mean, cv in ((150, 0.9), (100, 0.5), (60, 0.25))])
    found = responses_of(
        scenario,
        sales,
        territory=np.array([9000.0, 7000, 8000]),
        account_unit=rng.uniform(0.05, 0.3, (4, 3)),
        account_displaced=rng.uniform(0, 200, (4, 3)),
        account_potential=rng.uniform(1000, 3000, 4),
    )
    problem = formulate(scenario, found)
    offer, best = problem.accounts, -np.inf
    for owner in itertools.product(range(3), repeat=4):
        decisions = Decisions(np.array(owner), problem.training.base, offer.care_base)
        gain = gains(problem, decisions)
        possible = best_quotas(problem, decisions)
        if possible is not None:
            best = max(best, attained(problem.samples, gain, possible))
    result = allocate(scenario, found, gap=1e-9)
    assert result.model_value == pytest.approx(best, abs=4.0)
    assert not broken(list(result.rule_rows))
    assert (result.status == "optimal") == (result.gap <= 1e-9), "whole cents may lie further from the bound than asked"
    assert result.gap <= 1e-4
    if rule["rule"] == "gini":
        monkeypatch.setattr(fairness_together, "PAIRS_UP_TO", 0)
        assert allocate(scenario, found, gap=1e-9).model_value == pytest.approx(best, abs=4.0), "by a sorting network"


def test_ratios_that_cannot_hold_are_told_with_the_owners_at_hand():
    rules = [{"rule": "spread", "maximum": 0.02}, {"rule": "growth", "floor": 0.4, "cap": None, "exempt": ["R1", "R3"]}]
    people = [{**person, "last_sales": 100} for person in PEOPLE]
    scenario, found = request(rules, seed=2)
    scenario = changed(scenario, reps=people, accounts=[{**ACCOUNT, "sales_last": 0}])
    found = responses_of(
        scenario, found.samples / 100, territory=np.array([9000.0, 9000, 9000]), account_potential=np.array([900.0])
    )
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, found)
    assert caught.value.conflict[-1] == "owners of accounts as in the plan that was simulated"
    assert any(text.startswith(WORDS["spread"]) for text in caught.value.loosening)


def test_gini_by_pairs_and_by_sorting_equals_its_definition(monkeypatch):
    rng = np.random.default_rng(3)
    values = rng.uniform(0.2, 2.0, 9)
    assert gini(values) == pytest.approx(mean_gap(values.tolist()), rel=1e-12)
    assert gini(np.zeros(3)) == 0.0
    for count in range(1, 40):
        mixed = rng.permutation(count)
        for layer in comparators(count):
            assert len(set(layer.ravel().tolist())) == layer.size
            low, high = mixed[layer[:, 0]], mixed[layer[:, 1]]
            mixed[layer[:, 0]], mixed[layer[:, 1]] = np.minimum(low, high), np.maximum(low, high)
        assert mixed.tolist() == list(range(count))
    scenario = changed(world(9, rules=[{"rule": "gini", "maximum": 0.05}]), goals=REVENUE_900)
    found = responses_of(scenario, lognormal(rng, (25, 9)) * values, territory=rng.uniform(8e3, 12e3, 9))
    first = allocate(scenario, found)
    monkeypatch.setattr(fairness_together, "PAIRS_UP_TO", 0)
    second = allocate(scenario, found)
    assert first.model_value == pytest.approx(second.model_value, rel=1e-6)
    row = next(row for row in second.rule_rows if row.rule == "gini")
    quotas = np.array(list(second.plan.quotas().values()))
    assert row.actual == pytest.approx(mean_gap((quotas / found.territory).tolist()), rel=1e-9)
    assert row.actual == pytest.approx(0.05, abs=1e-5)
    assert row.binding


@pytest.mark.parametrize("locked", [False, True])
def test_gini_by_cuts_is_that_by_pairs_and_the_plan_keeps_it(monkeypatch, locked):
    """Cuts hold the index to a hair; the plan keeps it to the last digit, and its value is the best to 1e-5."""
    problem = instance(Shape(60, 120, samples=40), 5, (PotentialBand(tolerance=0.5), GiniBound(maximum=0.015)))
    if locked:
        problem = replace(problem, locks=Locks(quota={3: float(problem.potential[3]) * 1.1}))
    decisions, values = problem.base_decisions(), []
    for most in (100, 0):
        monkeypatch.setattr(fairness_together, "PAIRS_UP_TO", most)
        quotas = best_quotas(problem, decisions)
        assert quotas is not None
        assert gini(quotas / problem.potential) == pytest.approx(0.015, abs=1e-7)
        values.append(attained(problem.basis, np.zeros(60), quotas))
        bound = solve(quota_model(problem, decisions).programme).objective * money_unit(problem)
        assert bound >= values[-1] * (1 - 1e-9)
    assert values[1] <= values[0] * (1 + 1e-9)
    assert values[1] == pytest.approx(values[0], rel=1e-5)


def test_what_loosening_gini_brings_by_cuts_is_what_it_brings_by_pairs(monkeypatch):
    """One-sided, owners held: that of the pairs' duals, and what quotas split again gain."""
    problem = instance(Shape(60, 120, samples=40), 5, (PotentialBand(tolerance=0.5), GiniBound(maximum=0.015)))
    decisions = problem.base_decisions()
    told = {}
    for most in (100, 0):
        monkeypatch.setattr(fairness_together, "PAIRS_UP_TO", most)
        model = quota_model(problem, decisions)
        told[most] = prices(model, solve(model.programme).values)["gini"].value
    looser = problem.with_rules((PotentialBand(tolerance=0.5), GiniBound(maximum=0.016)))
    worth = [attained(p.basis, np.zeros(60), best_quotas(p, decisions)) for p in (problem, looser)]
    assert told[0] == pytest.approx(10 * (worth[1] - worth[0]), rel=0.01)
    assert 0.97 * told[100] <= told[0] <= told[100] * (1 + 1e-3)


def test_no_value_lies_further_from_the_mean_than_the_index_allows():
    rng = np.random.default_rng(6)
    for _ in range(2000):
        count = int(rng.integers(2, 9))
        values = 1 + rng.uniform(0, 0.2) * rng.standard_normal(count) * rng.integers(0, 2, count)
        if values.min() <= 0:
            continue
        middle = float(rng.dirichlet(np.full(count, 0.3)) @ values)
        far = float(np.abs(values - middle).max()) / middle
        assert far <= fairness_together.widest(gini(values), count) * (1 + 1e-9) + 1e-12


def test_a_gini_index_that_nobody_can_keep_is_told_by_cuts_as_well(monkeypatch):
    monkeypatch.setattr(fairness_together, "PAIRS_UP_TO", 0)
    problem = instance(Shape(12, 24, samples=10), 5, (GrowthLimits(floor=0.2, cap=0.5), GiniBound(maximum=0.0)))
    assert best_quotas(problem, problem.base_decisions()) is None


REVENUE_900 = {"targets": [{"metric": "revenue", "target": 900}]}


def test_the_worst_off_are_the_worst_of_all_groups_of_their_size():
    rng = np.random.default_rng(4)
    for _ in range(50):
        quotas = rng.uniform(20, 200, 7)
        expected = quotas * rng.uniform(0.4, 1.0, 7)
        for heads in (1, 3, 7):
            level, carried = worst_off(expected, quotas, heads / 7)
            assert level == pytest.approx(worst_group(expected, quotas, heads), rel=1e-9)
            assert 0 < carried <= quotas.sum() + 1e-9
        assert worst_off(expected, quotas, 1 / 7)[0] == pytest.approx((expected / quotas).min())
        assert worst_off(expected, quotas, 0.0)[0] == pytest.approx((expected / quotas).min())
        between = worst_off(expected, quotas, 3.5 / 7)[0]
        assert worst_group(expected, quotas, 3) - 1e-9 <= between <= worst_group(expected, quotas, 4) + 1e-9


STEPS = {
    "worst_off": ("minimum", -1),
    "group_parity": ("tolerance", 1),
    "spread": ("maximum", 1),
    "gini": ("maximum", 1),
}


@pytest.mark.parametrize("rule", [r for r in TYING if r["rule"] != "equal_odds"], ids=str)
def test_values_of_loosening_are_finite_differences(rule):
    scenario, found = request([rule], seed=2)
    result = allocate(scenario, found)
    problem, step = formulate(scenario, found), 1e-5
    decisions = problem.base_decisions()
    field, way = STEPS[rule["rule"]]
    looser = problem.with_rules((problem.rules[0].model_copy(update={field: rule[field] + way * step}),))
    worth = [attained(r.samples, gains(r, decisions), exact_quotas(r, decisions)) for r in (problem, looser)]
    name = f"group_parity_{rule['by']}" if "by" in rule else rule["rule"]
    price = result.prices[name]
    assert price.value == pytest.approx((worth[1] - worth[0]) / step * 0.01, rel=2e-3, abs=0.02)
    assert price.value > 0
    assert sum(row.value_of_loosening or 0 for row in result.rule_rows if row.rule == name) == pytest.approx(
        price.value
    )


@pytest.mark.parametrize(
    ("rule", "field", "way"),
    [
        ({"rule": "spread", "maximum": 0.05}, "maximum", 1),
        ({"rule": "gini", "maximum": 0.02}, "maximum", 1),
        ({"rule": "worst_off", "share": 0.34, "minimum": 0.9}, "minimum", -1),
        ({"rule": "group_parity", "by": "team", "tolerance": 0.01}, "tolerance", 1),
        ({"rule": "equal_odds", "width": 0.01}, "width", 1),
    ],
    ids=str,
)
def test_the_least_loosening_suffices_and_less_does_not(rule, field, way):
    locked = {"rule": "potential_band", "tolerance": 0.02, "exempt": ["R2", "R3"]}
    strict = {"rule": "growth", "floor": 0.3, "cap": None, "exempt": ["R1", "R2"]}
    people = [{**person, "last_sales": 100} for person in PEOPLE]
    scenario, found = request([locked, strict, rule], seed=2)
    scenario = changed(scenario, reps=people)
    found = responses_of(scenario, found.samples / 100, territory=found.territory)
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, found)
    words = WORDS["group_parity_team" if "by" in rule else rule["rule"]]
    text = next(text for text in caught.value.loosening if text.startswith(words))
    amount = float(text.rsplit("loosen by ", 1)[1].split()[0]) / 100
    for share, possible in ((1.001, True), (0.97, False)):
        changed_rule = {**rule, field: rule[field] + way * amount * share}
        again = changed(
            scenario, allocation={**scenario.document()["allocation"], "rules": [locked, strict, changed_rule]}
        )
        others = responses_of(again, found.samples / 100, territory=found.territory)
        if possible:
            assert allocate(again, others).status == "optimal"
        else:
            with pytest.raises(InfeasiblePlan):
                allocate(again, others)


def test_whole_steps_keep_a_rule_that_ties_people_together():
    rng = np.random.default_rng(7)
    people = [{"id": f"R{i}", "team": "T1" if i < 5 else "T2"} for i in range(10)]
    means = rng.uniform(60, 140, 10)
    for rule in ({"rule": "spread", "maximum": 0.3}, {"rule": "gini", "maximum": 0.04}):
        scenario = changed(world(10, rules=[rule], rounding_step=2), reps=people, goals=REVENUE_900)
        found = responses_of(scenario, lognormal(rng, (30, 10)) * means / 100, territory=np.full(10, 9000.0))
        result = allocate(scenario, found)
        assert all(quota % 200 == 0 for quota in result.plan.quotas().values())
        assert not broken(list(result.rule_rows))
        assert not result.exceptions


def test_a_lock_breaks_a_rule_that_ties_people_together_and_is_named():
    rules = [{"rule": "spread", "maximum": 0.2}, {"rule": "gini", "maximum": 0.05}, {"rule": "group_parity"}]
    locks = [{"path": "quota.R1", "value": 200, "author": "王", "reason": "agreed"}]
    scenario, found = request(rules, seed=1, locks=locks)
    result = allocate(scenario, found)
    assert result.plan.quotas()["R1"] == 200_00
    kinds = {row.rule for row in result.rule_rows if not row.kept}
    assert kinds == {"spread", "gini", "group_parity_team"}
    assert all("王" in row.exception for row in result.rule_rows if not row.kept)
    for bars in result.waterfall.values():
        assert dict(bars)["locked values"] != 0


def test_two_stages_keep_the_rules_as_well():
    for rule in TYING[:-1]:
        scenario, found = request([rule], seed=2, mode="two_stage")
        joint, again = request([rule], seed=2)
        result = allocate(scenario, found)
        assert not broken(list(result.rule_rows))
        assert result.model_value == pytest.approx(allocate(joint, again).model_value, abs=3)


def test_tenure_counts_from_the_start_of_the_horizon():
    scenario, found = request([])
    assert people_groups(scenario, found.reps) == {
        "team": ("T1", "T1", "T2"),
        "region": ("N", "N", "N"),
        "tenure": ("under 1 year", "1 to 3 years", "over 3 years"),
        "level": ("a", "b", "b"),
    }


def test_every_rule_goes_through_both_emitters():
    """All rules that tie people together in one programme, with owners to choose, through PuLP and as arrays."""
    rows = [{"id": f"A{i}", "owner": f"R{1 + i % 3}", "tier": "A", "region": "N"} for i in range(3)]
    rules = [
        {"rule": "spread", "maximum": 0.9},
        {"rule": "gini", "maximum": 0.16},
        {"rule": "worst_off", "share": 0.34, "minimum": 0.6},
        {"rule": "equal_odds", "width": 0.3},
        {"rule": "group_parity", "by": "level", "tolerance": 0.2},
    ]
    scenario = changed(request(rules)[0], accounts=rows)
    sales = request(rules, seed=2, samples=12)[1].samples / 100
    found = responses_of(scenario, sales, territory=np.array([11000.0, 9000, 12000]), account_potential=np.full(3, 1e3))
    programme = build(formulate(scenario, found)).programme
    straight, through = (solve(programme, 1e-9, solver=solver) for solver in ("highs", "pulp:HiGHS"))
    assert straight.status == through.status == "optimal"
    assert straight.objective == pytest.approx(through.objective, rel=1e-7)
    assert programme.violation(straight.values) < 1e-6
    assert programme.violation(through.values) < 1e-6
