"""What would change a quota, by how much of it is territory and person, and what rules cost: against solving anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from optimize.allocate import allocate
from optimize.explanation import CHOSEN, explain_plan
from optimize.formulate import formulate
from optimize.levers import levers
from optimize.parameters import PARAMETERS, parameter
from optimize.plans import decisions_of
from optimize.prices import with_owners_held
from optimize.programme.solve import solve
from scenarios.errors import InputRefused
from scenarios.goals import DEFAULT_RULES, PotentialBand
from test_baselines import company

RULES = [
    {"rule": "potential_band", "tolerance": 0.12},
    {"rule": "growth", "floor": -0.15, "cap": 0.25},
    {"rule": "min_chance", "chance": 0.3},
]


def split_world(seed=3, **allocation):
    """Five reps whose quotas are bound by several rules, one team with a total, two accounts that may move."""
    rng = np.random.default_rng(seed)
    people = [
        {"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": float(rng.integers(85, 115))}
        for i in (1, 2, 3, 4, 5)
    ]
    targets = [{"metric": "revenue", "target": 470}, {"metric": "revenue", "team": "T1", "target": 190}]
    rows = [{"id": f"A{i}", "owner": f"R{3 + i}", "eligible": ["R5"], "sales_last": 0} for i in range(2)]
    settings = {"rules": RULES, "accounts": {"max_moves": 0}, **allocation}
    scenario = changed(world(5, rows, **settings), reps=people, goals={"targets": targets})
    arrays = {
        "sales": lognormal(rng, (60, 5)),
        "territory": rng.uniform(9000, 11000, 5),
        "account_unit": np.array([[0.0, 0.0, 0.3, 0.2, 0.35], [0.0, 0.0, 0.1, 0.15, 0.6]]),
        "account_potential": np.array([800.0, 900.0]),
    }
    return scenario, arrays


def found(scenario, arrays):
    more = dict(arrays)
    return responses_of(scenario, more.pop("sales"), **more)


def solved_anew(scenario, arrays, row):
    """The rep's quota when the lever's change is made in the request itself and the plan is allocated anew."""
    place, document = int(row.rep[1:]) - 1, scenario.document()
    factor = None if row.needed is None else row.needed / row.now
    arrays = {name: np.array(values, dtype=float) for name, values in arrays.items()}
    match row.factor:
        case "company target":
            targets = [dict(target) for target in document["goals"]["targets"]]
            targets[0]["target"] = round(targets[0]["target"] * factor, 2)
            scenario = changed(scenario, goals={"targets": targets})
        case "team target":
            targets = [dict(target) for target in document["goals"]["targets"]]
            targets[1]["target"] = round(targets[1]["target"] * factor, 2)
            scenario = changed(scenario, goals={"targets": targets})
        case "expected sales":
            arrays["sales"][:, place] *= factor
        case "last sales":
            people = [dict(rep) for rep in document["reps"]]
            people[place]["last_sales"] = round(people[place]["last_sales"] * factor, 2)
            scenario = changed(scenario, reps=people)
        case "potential":
            own = sum(arrays["account_potential"][a] for rep, a in {"R3": 0, "R4": 1}.items() if rep == row.rep)
            whole = arrays["territory"][place] + own
            arrays["territory"][place] = whole * factor - own
        case "rule":
            one = parameter(row.subject)
            rules = [dict(rule) for rule in document["allocation"]["rules"]]
            rules = [{**rule, one.field: row.needed} if rule["rule"] == one.rule else rule for rule in rules]
            scenario = changed(scenario, allocation={**document["allocation"], "rules": rules})
        case "account":
            lock = {"path": f"owner.{row.subject}", "value": row.told.rpartition(" ")[2]}
            scenario = changed(scenario, allocation={**document["allocation"], "locks": [lock]})
    return allocate(scenario, found(scenario, arrays)).plan.quotas()[row.rep]


def test_each_lever_moves_the_quota_by_what_it_says_when_the_plan_is_solved_anew():
    scenario, arrays = split_world()
    responses = found(scenario, arrays)
    plan = allocate(scenario, responses).plan
    rows = explain_plan(scenario, responses, plan).levers
    quotas, seen = plan.quotas(), set()
    for row in rows:
        if row.needed is None and row.factor != "account":
            continue
        expected = quotas[row.rep] * (1 + row.moves)
        # Quotas of months and people are whole cents, and the needed number is found to a millionth.
        assert solved_anew(scenario, arrays, row) == pytest.approx(expected, rel=2e-5, abs=3), row
        if row.factor != "account":
            assert row.reached
            assert row.moves == pytest.approx(row.share, rel=1e-3)
        seen.add((row.factor, row.share > 0))
    for factor in ("company target", "team target", "expected sales", "last sales", "potential", "rule", "account"):
        assert {(factor, True), (factor, False)} & seen, factor
    assert {(f, True) for f in ("expected sales", "potential")} <= seen


def test_the_number_is_the_nearest_that_does_it():
    """A lever a little shorter than said moves the quota by less than asked for."""
    scenario, arrays = split_world()
    responses = found(scenario, arrays)
    plan = allocate(scenario, responses).plan
    for row in explain_plan(scenario, responses, plan, reps=["R2", "R4"]).levers:
        if row.needed is not None and row.factor in ("expected sales", "potential", "last sales"):
            short = replace(row, needed=row.now + 0.98 * (row.needed - row.now))
            moved = solved_anew(scenario, arrays, short) / plan.quotas()[row.rep] - 1
            assert abs(moved) < abs(row.share), row


def test_a_lever_that_cannot_do_it_says_how_far_it_goes():
    scenario, arrays = split_world()
    responses = found(scenario, arrays)
    rows = explain_plan(scenario, responses, allocate(scenario, responses).plan, share=0.5).levers
    short = [row for row in rows if not row.reached]
    assert short
    for row in short:
        assert row.needed is None
        assert 0 < abs(row.moves) < 0.5
        assert row.moves * row.share > 0


def test_a_locked_quota_names_its_lock_and_nothing_else():
    scenario, arrays = split_world(locks=[{"path": "quota.R3", "value": 95, "author": "王", "reason": "agreed"}])
    responses = found(scenario, arrays)
    rows = explain_plan(scenario, responses, allocate(scenario, responses).plan, reps=["R3"]).levers
    assert [(row.factor, row.told) for row in rows] == [("lock", "quota.R3 locked by 王 (agreed)")]


def test_territory_moves_quotas_that_follow_it_and_the_person_does_not():
    scenario, arrays = split_world(quota_basis="opportunity", rules=[])
    arrays["opportunity"] = np.array([100.0, 90, 110, 95, 105]) * 100
    responses = found(scenario, arrays)
    plan = allocate(scenario, responses).plan
    rows = explain_plan(scenario, responses, plan, reps=["R4"]).levers
    up = {row.factor: row for row in rows if row.share > 0}
    assert "expected sales" not in up
    assert up["territory"].reached
    arrays["opportunity"][3] *= up["territory"].needed / up["territory"].now
    more = allocate(scenario, found(scenario, arrays)).plan.quotas()
    assert more["R4"] == pytest.approx(plan.quotas()["R4"] * 1.05, rel=2e-5, abs=3)


@pytest.mark.parametrize("basis", ["full", "blend", "opportunity"])
def test_bases_are_the_quotas_that_the_switch_would_give(basis):
    scenario, arrays = split_world(quota_basis=basis)
    arrays["opportunity"] = np.array([100.0, 90, 110, 95, 105]) * 100
    responses = found(scenario, arrays)
    explained = explain_plan(scenario, responses, allocate(scenario, responses).plan, reps=[])
    assert explained.levers == ()
    for other in ("full", "blend", "opportunity"):
        switched, _ = split_world(quota_basis=other)
        quotas = allocate(switched, replace(responses, scenario=switched.fingerprint())).plan.quotas()
        for row in explained.bases:
            assert getattr(row, other) == pytest.approx(quotas[row.rep], abs=3)
    assert sum(row.skill for row in explained.bases) == pytest.approx(0.0, abs=1.0)
    if basis == "full":
        for row in explained.bases:
            assert row.full == pytest.approx(row.quota, abs=3)


def test_a_plan_of_somebody_else_has_a_bar_for_what_was_chosen():
    scenario, arrays = split_world()
    responses = found(scenario, arrays)
    theirs = allocate(scenario, responses).plan
    rows = [replace(row, value=row.value + (1000_00 if row.rep == "R1" else 0)) for row in theirs.targets[:12]]
    theirs = theirs.with_rows(name="theirs", targets=[*rows, *theirs.targets[12:]])
    explained = explain_plan(scenario, responses, theirs, reps=[])
    for rep, bars in explained.waterfall.items():
        assert sum(minor for _, minor in bars) == theirs.quotas()[rep]
        assert bars[-1][0] == CHOSEN
    assert dict(explained.waterfall["R1"])[CHOSEN] >= 11_900_00
    assert any(not row.kept for row in explained.rules)


def test_requests_to_explain_what_is_not_there_are_refused():
    scenario, arrays = split_world()
    responses = found(scenario, arrays)
    plan = allocate(scenario, responses).plan
    with pytest.raises(InputRefused, match="R9"):
        explain_plan(scenario, responses, plan, reps=["R9"])
    for share in (0.0, -0.05, 1.0, float("nan")):
        with pytest.raises(InputRefused, match="above 0 and below 1"):
            explain_plan(scenario, responses, plan, share=share)


# Values of loosening where care and training are decisions


@pytest.mark.parametrize("mode", ["joint", "two_stage"])
def test_value_of_an_hour_is_that_of_one_more_hour_where_care_is_a_decision(mode):
    scenario, responses = company(seed=5, mode=mode, locks=[], accounts={"max_moves": 1, "care_hours_budget": 120.0})
    curves = tuple(
        replace(curve, form="exponential", parameters=(2000.0 + 300 * a, 0.05), useful=float("inf"))
        for a, curve in enumerate(responses.accounts.curves)
    )
    offer = replace(responses.accounts, curves=curves, unit=np.full((6, 4), 1.0) + np.arange(4) / 10)
    responses = replace(responses, accounts=offer)
    problem = formulate(scenario, responses)
    result = allocate(scenario, responses)
    decisions = decisions_of(problem, result.plan)

    def value(care=0.0, hours=0.0):
        changed_offer = replace(problem.accounts, care_budget=problem.accounts.care_budget + care)
        training = replace(problem.training, budget=problem.training.budget + hours)
        more = replace(problem, accounts=changed_offer, training=training)
        model, _ = with_owners_held(more, decisions)
        relaxed = replace(model.programme, integer=np.zeros_like(model.programme.integer))
        return solve(relaxed).objective * model.unit

    step = 1e-3
    care, hours = (value(care=step) - value()) / step, (value(hours=step) - value()) / step
    assert care > 1
    assert result.prices["care_budget"].value == pytest.approx(care, rel=0.01)
    assert result.prices["training_budget"].value == pytest.approx(hours, rel=0.01, abs=1e-3)


# The numbers of rules


def test_every_rule_with_a_number_can_be_set_whatever_stood_before():
    for one in PARAMETERS:
        value = one.usual[3]
        for rules in ((), DEFAULT_RULES):
            made = one.set(rules, value)
            assert [one.of(rule) for rule in made if rule.rule == one.rule] == [value]
            assert all(rule.enabled for rule in made if rule.rule == one.rule)
            assert len(made) == len(rules) + all(rule.rule != one.rule for rule in rules)
        steps = np.diff(np.array(one.usual)) * one.looser
        assert (steps > 0).all(), one.name
        assert all(one.check(number) is None for number in one.usual)
        assert one.check(float("nan")) is not None
        assert one.check(one.least - 1) is not None
    with pytest.raises(InputRefused, match="potential_band"):
        parameter("potential_bnad")


def test_a_rep_without_a_quota_is_not_explained_as_one_of_zero():
    scenario = world(2, [{"id": "A0", "owner": "R1"}])
    found = responses_of(scenario, [[100, 100], [120, 90]])
    plan = allocate(scenario, found).plan
    bare = plan.with_rows(targets=[row for row in plan.targets if row.rep != "R1"])
    with pytest.raises(InputRefused, match="R1: has no quota in this plan, so there is none to explain"):
        explain_plan(scenario, found, bare)
    assert explain_plan(scenario, found, bare, reps=["R2"]).waterfall["R2"]


def test_levers_of_nobody_are_none_where_the_rules_leave_no_quotas():
    scenario, arrays = split_world()
    problem = formulate(scenario, found(scenario, arrays))
    [band] = (rule for rule in problem.rules if isinstance(rule, PotentialBand))
    tight = problem.with_rules((band.model_copy(update={"tolerance": 0.0}),))
    assert levers(replace(tight, locks=problem.locks), problem.today_decisions()) == []
