"""Told ways out are true and useful: each leads to a plan, each conflict has its own, and there always is one."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

import quotalab as ql
from allocation_worlds import changed, lognormal, responses_of, world
from optimize.decision_locks import decision_locks
from optimize.easing import FIELDS, eased, switched_off
from optimize.formulate import formulate
from optimize.infeasible import explain
from optimize.loosening import conflicting, culprits, question
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.solve import feasible, refuted
from optimize.rule_words import CHINESE, UNITS, UNITS_CHINESE, WORDS
from optimize.rules import rule_name
from optimize.ways_out import WaysOut
from scenarios.errors import InfeasiblePlan, Said
from test_giving_way import BAND, GROWTH, HOURS, TRAINING, applied, asked, leads_out, refused, ways

ODDS = {"rule": "equal_odds", "width": 0.1}


@pytest.mark.parametrize(
    "rules",
    [
        [{**BAND, "tolerance": 0.02}, ODDS],
        [{**GROWTH, "floor": 0.0, "cap": 0.1}, {"rule": "spread", "maximum": 0.001}],
        [{**GROWTH, "floor": 0.0, "cap": 0.1}, {"rule": "gini", "maximum": 0.002}],
        [{**GROWTH, "floor": 0.0, "cap": 0.1}, {"rule": "group_parity", "by": "team", "tolerance": 0.0}],
        [{"rule": "worst_off", "share": 0.5, "minimum": 0.99}, BAND],
    ],
)
def test_who_follows_a_way_out_of_rules_that_tie_people_has_a_plan(rules):
    error = leads_out(asked(rules, 410, horizons=40))
    assert all("not proven" not in text for texts in ways(error) for text in texts)


def test_an_amount_that_does_not_suffice_is_widened_until_it_does_and_no_further():
    problem = formulated([BAND])

    def possible(changed):
        return changed.rules[0].tolerance >= 0.1 + 0.0537

    ways_out = WaysOut(problem, problem, possible)
    told = ways_out.checked("potential_band", 0.02)
    amount = float(re.search(r"by ([\d.]+)", told.english)[1])
    assert 5.37 <= amount <= 5.37 * 1.2
    assert ways_out.checked("potential_band", 0.0537).english.endswith("loosen by 5.37 percentage points")
    never = WaysOut(problem, problem, lambda changed: not changed.rules)
    assert never.checked("potential_band", 0.02).english == "quota-to-potential range: ± 10 %: switch it off"
    assert WaysOut(problem, problem, lambda _: False).checked("potential_band", 0.02) is None


def formulated(rules, target=400, **allocation):
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 100} for i in (1, 2, 3, 4)]
    goals = {"targets": [{"metric": "revenue", "target": target}]}
    scenario = changed(world(4, (), rules=rules, **allocation), reps=people, goals=goals)
    sales = lognormal(np.random.default_rng(4), (40, 4)) * np.array([1.3, 1.1, 0.9, 0.7])
    return formulate(scenario, responses_of(scenario, sales, territory=np.full(4, 10000.0)))


def test_a_search_that_ended_without_quotas_does_not_call_the_rules_a_contradiction():
    """Decisions that leave no quotas say nothing of others; what is told then is what leads to a plan."""
    problem = formulated([{**BAND, "tolerance": 0.01}, ODDS])
    odds, band = problem.rules
    stuck = problem.with_rules((odds.model_copy(update={"width": 0.0}), band.model_copy(update={"tolerance": 0.0})))

    def possible(changed):
        return changed.rules[0].width > 0.3 or changed.rules[1].tolerance > 0.2

    error = explain(problem, possible, stuck)
    assert not error.proven
    assert "no proof that there is none" in str(error)
    assert error.loosening
    assert "any one of these would make it feasible" in str(error)


def test_each_conflict_is_told_with_its_own_way_out():
    request = asked([GROWTH, HOURS], teams={"T1": 10, "T2": 390}, training=TRAINING)
    error = leads_out(request)
    told = [error.conflict, *error.further]
    assert len(told) == len(error.alone) == 3
    for names, settle in zip(told, error.alone, strict=True):
        assert settle, names
        for text in settle:
            # It settles this conflict: what is left names none of its rules.
            left = refused(applied(request, [text]))
            rest = [left.conflict, *left.further]
            assert names not in rest
            assert all(other in rest for other in told if other != names)
    assert str(error).count("by itself it would be settled") == 3


def test_the_company_total_comes_first_where_limits_move_with_it():
    error = leads_out(asked([BAND, {"rule": "min_chance", "chance": 0.5}], 1e6, horizons=40))
    assert error.conflict[0] == "the company's total of quotas is 1,000,000.00"
    assert error.loosening[0].startswith("the company's total of quotas: at most ")
    assert not any("range: loosen" in text for text in error.loosening)


def test_who_stands_in_the_way_is_named_first_and_the_others_counted():
    accounts = [
        {"id": f"A{i}", "owner": f"R{i % 3 + 1}", "tier": "A", "eligible": ["R1", "R2", "R3"]} for i in range(9)
    ]
    rule = {"rule": "tier_count", "tier": "A", "least": 1}
    error = refused(asked(accounts=accounts, offer={"accounts": {"max_moves": 9, "rules": [rule]}}))
    assert "least accounts of tier A of a rep: 1 (R4 and 3 more)" in error.conflict


@pytest.mark.parametrize("many", [0, 10_000])
def test_culprits_conflict_and_each_is_needed(many, monkeypatch):
    """By rays, and by rows that may be broken at a cost, as with many columns."""
    monkeypatch.setattr("optimize.programme.solve.MANY_COLUMNS", many)
    rng = np.random.default_rng(3)
    for _ in range(30):
        blocks = Blocks()
        people = [f"P{i}" for i in range(8)]
        q = blocks.columns("quota", people, 0.0, 100.0)
        least, most = rng.uniform(0, 60, 8).round(), rng.uniform(40, 100, 8).round()
        blocks.rows("least", people, Linear.columns(q), least, np.inf)
        blocks.rows("most", people, Linear.columns(q), -np.inf, most)
        blocks.rows("company_total", ["company"], Linear.total(q), total := float(rng.uniform(100, 700)), total)
        programme = blocks.programme()
        if feasible(programme):
            assert refuted(programme) is None
            continue
        conflict = conflicting(programme)
        found = culprits(programme, conflict)
        assert set(found) == set(conflict)
        low = np.array([least[i] if p in found.get("least", ()) else 0.0 for i, p in enumerate(people)])
        high = np.array([most[i] if p in found.get("most", ()) else 100.0 for i, p in enumerate(people)])

        summed = "company_total" in conflict
        assert not holds(low, high, summed, total)
        for i in range(8):
            for side, name, open_end in ((low, "least", 0.0), (high, "most", 100.0)):
                if people[i] in found.get(name, ()):
                    wider = side.copy()
                    wider[i] = open_end
                    sides = (wider, high) if side is low else (low, wider)
                    assert holds(*sides, summed, total), (name, people[i])


def holds(low, high, summed, total):
    return bool((low <= high).all()) and (not summed or low.sum() <= total <= high.sum())


def test_a_proof_in_rows_answers_as_the_deletion_filter_does_without():
    conflicts = 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 5])
        blocks = Blocks()
        q = blocks.columns("quota", list("ABC"), 0.0, 100.0)
        names = [f"rule {i}" for i in range(9)] + ["company_total"]
        for name in names:
            who, least = rng.choice(3, rng.integers(1, 3), replace=False), float(rng.uniform(20, 80))
            sides = (least, np.inf) if rng.random() < 0.5 else (-np.inf, least)
            blocks.rows(name, ["company"], Linear.total(q[who]), *sides)
        programme = blocks.programme()
        if feasible(programme):
            continue
        conflicts += 1
        dropped = []
        for name in sorted(names, key=lambda one: one == "company_total"):
            if not feasible(programme.without([*dropped, name])):
                dropped.append(name)
        assert conflicting(programme) == [name for name in names if name not in dropped]
    assert conflicts >= 20


def test_there_is_a_way_out_where_nothing_can_give_way_by_degrees():
    problem = formulated([BAND, GROWTH])
    by_removal = WaysOut(problem, problem, lambda changed: len(changed.rules) < 2)
    single, several = by_removal.last_resorts(["potential_band"])
    assert [said.english for said in single] == ["quota-to-potential range: ± 10 %: switch it off"]
    assert not several
    all_of_them = WaysOut(problem, problem, lambda changed: not changed.rules[1:] and changed.rules[0].cap is None)
    _, several = all_of_them.last_resorts(["potential_band"])
    # The growth floor is not needed, so that it is left on.
    assert {said.english.partition(":")[0] for said in several} == {"quota-to-potential range", "growth cap"}
    _, nothing = WaysOut(problem, problem, lambda _: False).last_resorts(["potential_band"])
    assert len(nothing) == 1
    assert "proven to help" in nothing[0].english


def test_locks_on_decisions_are_ways_out():
    training = {"budget_hours": 40, "skills": ["negotiation"]}
    locks = [{"path": "training.R1.negotiation", "value": 20}]
    problem = formulated([BAND], training=training, locks=locks)
    (lock,) = decision_locks(problem)
    way = lock.removed
    assert way.said.english == "the lock training.R1.negotiation: remove it"
    assert not way.change(problem).locks.training
    assert problem.locks.training


def test_a_rule_is_eased_by_its_own_number_and_switched_off_alone():
    problem = formulated([BAND, GROWTH, ODDS, {"rule": "group_parity", "by": "team", "tolerance": 0.1}])
    for rule in problem.rules:
        for name in rule_name(rule):
            field, sign = FIELDS[name]
            after = eased(name, 0.05)(problem)
            for one, other in zip(problem.rules, after.rules, strict=True):
                expected = {field: getattr(one, field) + sign * 0.05} if one is rule else {}
                assert other == one.model_copy(update=expected)
            off = switched_off(name)(problem)
            every = {other for one in problem.rules for other in rule_name(one)}
            assert {rows.rule for rows in question(replace(off, firm=False)).rows} & every == every - {name}


def test_of_two_rules_of_a_kind_the_one_that_asks_more_is_told():
    growth = [{**GROWTH, "floor": -0.9, "cap": 9.0}, {**GROWTH, "floor": 0.5, "cap": None}]
    error = refused(asked(growth))
    assert any(text.startswith("growth floor: 50 %") for text in error.conflict)


def test_every_message_stands_in_chinese_too():
    assert set(CHINESE) == set(WORDS)
    assert {unit for unit, _ in UNITS.values()} == set(UNITS_CHINESE)
    error = leads_out(asked([GROWTH, HOURS], teams={"T1": 10, "T2": 390}, training=TRAINING, locks={"R1": 5}))
    chinese = error.text("zh")
    assert chinese.splitlines()[0] == "无可行方案：以下规则不能同时成立"
    assert len(chinese.splitlines()) == len(str(error).splitlines())
    # Names and paths of the scenario stay as they are.
    assert set(re.findall(r"[A-Za-z]{2,}\d?", chinese)) <= {"quota", "somebody"}, chinese
    assert str(error) == error.text("en")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.text("zh"), again.alone) == (str(error), chinese, error.alone)
    mixed = InfeasiblePlan(["told in English"], [Said("loosen", "放宽")], proven=False)
    assert mixed.text("zh").splitlines()[1:] == ["  - told in English", "下列任一调整即可得到可行方案：", "  - 放宽"]


def starter_plan(rules):
    """The plan of the shipped company under these rules; None and the error where there is none."""
    # As --set has it: YAML in one line.
    text = ", ".join("{" + ", ".join(f"{key}: {value}" for key, value in rule.items()) + "}" for rule in rules)
    try:
        return ql.allocate(ql.changed(ql.load("starter"), [f"allocation.rules=[{text}]"]), replications=100).plan, None
    except InfeasiblePlan as error:
        return None, error


@pytest.mark.slow
@pytest.mark.parametrize(
    "tying",
    [
        {"rule": "equal_odds", "width": 0.05},
        {"rule": "spread", "maximum": 0.02},
        {"rule": "worst_off", "share": 0.2, "minimum": 0.97},
    ],
)
def test_the_shipped_company_is_told_ways_out_that_lead_to_a_plan(tying):
    narrow = {"rule": "potential_band", "tolerance": 0.17}
    rules = [narrow, {"rule": "growth", "floor": -0.1}, {"rule": "min_chance"}, {"rule": "workload"}, tying]
    plan, error = starter_plan(rules)
    if plan is not None:
        return
    found = [texts for texts in ways(error) if all(": loosen by " in text for text in texts)]
    assert found, str(error)
    for texts in found:
        followed = rules
        for told in texts:
            name = next(one for one in FIELDS if told.startswith(f"{WORDS[one]}: loosen by"))
            field, sign = FIELDS[name]
            amount = sign * float(re.search(r"by ([\d.]+)", told)[1]) * UNITS[name][1]
            defaults = {"growth_cap": 0.25, "min_chance": 0.35}
            followed = [
                {**one, field: one.get(field, defaults.get(name)) + amount} if name.startswith(one["rule"]) else one
                for one in followed
            ]
        plan, left = starter_plan(followed)
        assert plan is not None, (texts, str(left))
        assert sum(plan.quotas().values()) == 27_000_000_00
