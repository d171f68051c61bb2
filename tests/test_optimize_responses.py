"""Responses estimated from simulated outcomes, and the simple rules, on the small shared world."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.audit import audit, broken
from optimize.baselines.plans import baselines, strong
from optimize.chain import Mix, Person, clearing, expected, expected_by, fit_clearing, lead_mixes
from optimize.eligibility import allowed_owners, immovable, most_moves
from optimize.formulate import formulate
from optimize.phasing import Period
from optimize.plans import decisions_of, quotas_of
from optimize.response.estimate import estimate
from optimize.response.people import mean_ramp, presence
from optimize.workload import busy_share, load_at, workloads
from scenarios import physics
from scenarios.errors import InputRefused
from scenarios.files import from_document
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.people import weighted_skill
from sim.run import simulate
from sim.statistics import mean_interval

SKILLS = ("product_knowledge", "negotiation", "relationship_management", "market_insight", "learning_ability")


def small(**sections) -> Scenario:
    """A quarter, four reps in one region, two stages, six accounts."""
    data = {
        "name": "小公司",
        "seed": 7,
        "calendar": {"start": "2026-01-01", "end": "2026-04-01"},
        "regions": [{"id": "华东"}],
        "teams": [{"id": "T1", "region": "华东"}],
        "skills": {
            "levels": [
                {"id": "mid", "skills": dict.fromkeys(SKILLS, 60)},
                {"id": "senior", "skills": dict.fromkeys(SKILLS, 75)},
            ]
        },
        "stages": [
            {"id": "talk", "effort_hours": {"family": "gamma", "mean": 2, "cv": 0.6}, "conversion": 0.5},
            {"id": "close", "effort_hours": {"family": "gamma", "mean": 4, "cv": 0.6}, "conversion": 0.6},
        ],
        "sources": [{"id": "web", "leads_per_year": 600, "last_day": "2026-03-15", "quality_logit": 0.2}],
        "products": [{"id": "p", "value": {"family": "lognormal", "mean": 5000, "cv": 0.7}}],
        "tiers": [
            {
                "id": "A",
                "orders_per_year": 8,
                "order_value": {"family": "lognormal", "mean": 4000, "cv": 0.5},
                "care_hours_per_year": 20,
            }
        ],
        "account_physics": {"order_effort_hours": {"family": "gamma", "mean": 3, "cv": 0.5}},
        "goals": {"targets": [{"metric": "revenue", "target": 250000}]},
        "allocation": {"training": {"budget_hours": 24, "per_rep_hours": 16}, "rounding_step": 1000, "rules": []},
        "reps": [
            {"id": "E1", "team": "T1", "level": "senior", "last_sales": 70000, "quota": 70000},
            {"id": "E2", "team": "T1", "level": "mid", "last_sales": 60000, "quota": 60000},
            {"id": "E3", "team": "T1", "level": "mid", "quota": 60000},
            {"id": "E4", "team": "T1", "level": "mid", "hired": "2025-12-01", "quota": 30000},
        ],
        "accounts": [{"id": f"A{i}", "tier": "A", "region": "华东", "owner": f"E{1 + i % 3}"} for i in range(6)],
    }
    return from_document({**data, **sections})


@pytest.fixture(scope="module")
def scenario():
    return small()


@pytest.fixture(scope="module")
def outcome(scenario):
    return simulate(scenario, replications=60)


@pytest.fixture(scope="module")
def found(scenario, outcome):
    return estimate(scenario, outcome)


# The chain formula


def test_chain_of_one_mix_by_hand():
    world = small()
    person = Person.reference(world, "rep")
    sales, hours = expected(world, person, [Mix(0, 0.0, 10.0, 700.0)])
    assert sales == pytest.approx(10 * 0.5 * 0.6 * 700)
    assert hours == pytest.approx(10 * (2 + 0.5 * 4))
    later, short = expected(world, person, [Mix(1, 0.0, 1.0, 700.0)])
    assert (later, short) == (pytest.approx(0.6 * 700), pytest.approx(4))
    better = Person("rep", dict.fromkeys(SKILLS, 70.0), {"close": 0.3}, 1.0)
    chance = physics.conversion(physics.logit(0.5), 0.1) * physics.conversion(physics.logit(0.6), 0.1 + 0.3)
    assert expected(world, better, [Mix(0, 0.0, 1.0, 1.0)])[0] == pytest.approx(chance)


def test_many_profiles_at_once_are_what_each_is_alone():
    world = small()
    mixes = [Mix(0, 0.3, 7.0, 900.0), Mix(1, -0.2, 2.0, 700.0), Mix(0, 0.3, 1.5, 50.0)]
    person = Person("rep", {}, {"close": 0.3}, 1.1)
    levels = {skill: np.linspace(30.0 + i, 90.0, 7) for i, skill in enumerate(SKILLS)}
    sales, hours = expected_by(world, person, levels, mixes)
    for i in range(7):
        profile = {skill: float(values[i]) for skill, values in levels.items()}
        assert (sales[i], hours[i]) == one_by_one(world, replace(person, profile=profile), mixes)
    none = expected_by(world, person, levels, [])
    assert not np.any(none)


def one_by_one(world, person, mixes):
    """The formula in scalars, lead by lead and stage by stage: the same bytes."""
    skills, sales, hours = world.skills, 0.0, 0.0
    for mix in mixes:
        alive = mix.weight
        for stage in world.stages[mix.first :]:
            own = stage.role == person.role
            skill = weighted_skill(skills, stage.skill_weights, person.profile) if own else skills.reference
            shift = physics.skill_shift(skill, skills.reference, skills.conversion_logit_per_point)
            shift += person.effects.get(stage.id, 0.0) if own else 0.0
            factor = physics.effort_factor(skill, skills.reference, skills.effort_log_per_point) * person.effort
            hours += alive * (stage.effort_hours.mean_value() * factor if own else 0.0)
            if not stage.after_win:
                alive *= physics.conversion(physics.logit(stage.conversion), shift + mix.quality)
        sales += alive * mix.value
    return sales, hours


def test_leads_of_a_region_weigh_sources_and_segments():
    world = small(
        segments=[{"id": "big", "quality_logit": 0.4, "value_factor": 2}, {"id": "little"}],
        sources=[{"id": "web", "leads_per_year": 100, "segments": {"big": 1, "little": 3}, "value_factor": 1.5}],
    )
    mixes = lead_mixes(world, "华东")
    assert [mix.weight for mix in mixes] == pytest.approx([0.25, 0.75])
    assert [mix.quality for mix in mixes] == pytest.approx([0.4, 0.0])
    assert [mix.value for mix in mixes] == pytest.approx([1.5 * 2 * 5000_00, 1.5 * 5000_00])


def test_chain_agrees_with_the_simulation_where_nobody_is_short_of_time():
    """Leads stop two weeks before the end and nothing waits long, so that all are worked: chain = simulated mean."""
    world = small(accounts=[], sources=[{"id": "web", "leads_per_year": 160, "last_day": "2026-03-10"}])
    outcome = simulate(world, replications=120)
    cube = outcome["rep"]
    for position, rep in enumerate(world.reps[:3]):
        skills = dict.fromkeys(SKILLS, 75.0 if rep.id == "E1" else 60.0)
        person = Person.of(world, rep, skills)
        each, _ = expected(world, person, lead_mixes(world, "华东"))
        leads = cube.total("leads")[:, position]
        interval = mean_interval(cube.total("new_revenue")[:, position] - each * leads, 0.9999)
        assert interval.low <= 0 <= interval.high


def test_clearing_is_fitted_to_its_own_hours():
    leads, other = np.array([200.0, 500, 800, 1200, 1500]), np.array([50.0, 0, 100, 0, 200])
    available = np.full(5, 1000.0)
    load = (0.8 * leads + other) / available
    fit = fit_clearing(leads, other, available, available * load * clearing(load, 8.0))
    assert (fit.level, fit.sharpness) == (pytest.approx(0.8), pytest.approx(8.0))


def test_load_and_busy_share_are_inverse():
    for share in (0.1, 0.5, 0.9, 0.99):
        assert float(busy_share(np.array([load_at(share, 5.0)]), 5.0)[0]) == pytest.approx(share)
    assert load_at(1.0, 5.0) == np.inf


# Responses of the small world


def test_samples_are_the_simulated_sales(found, outcome):
    assert (found.samples == outcome["rep"].total("revenue")).all()
    assert found.reps == ("E1", "E2", "E3", "E4")
    assert found.season.sum(axis=1) == pytest.approx(np.ones(4))


def test_accounts_follow_the_physics_of_owner_and_handover(found, scenario):
    sales = found.account_sales()
    own, other = sales[1, 1], sales[1, 2]
    assert other / own == pytest.approx(1 - scenario.account_physics.handover_loss)
    factor = physics.owner_factor(75.0, 60.0, scenario.account_physics.rate_per_relationship_point)
    assert sales[1, 0] / other == pytest.approx(factor)
    # E4 owns nothing today, but is of a role that owns accounts: whoever takes one sells alike.
    assert sales[1, 3] == pytest.approx(other)


def test_account_sales_sum_to_the_simulated_ones(found, outcome):
    today = sum(found.account_sales()[a, r] for a, r in enumerate(found.accounts.today))
    assert today == pytest.approx(outcome["account"].total("revenue").mean(axis=0).sum())


def test_training_gains_are_concave_and_relationship_lifts_account_owners_only(found):
    gain = found.training.gain
    assert found.training.skills == SKILLS[:4]
    assert (gain[:, :, 0] == 0).all()
    assert (np.diff(gain, n=2, axis=2) <= 1e-6 * gain.max()).all()
    k = SKILLS.index("relationship_management")
    other = SKILLS.index("market_insight")
    assert gain[1, k, -1] > gain[1, other, -1]
    assert gain[3, k, -1] == pytest.approx(gain[3, other, -1])


def test_opportunity_leaves_skill_out(found):
    assert found.skill[0] > found.skill[1:3].max()
    # Equal leads in expectation: the reps' opportunities differ by simulated leads and accounts only.
    assert found.opportunity[0] == pytest.approx(found.opportunity[1], rel=0.15)


def test_presence_is_the_ramp_by_month_and_nothing_before():
    people = [{"id": "E1", "team": "T1", "hired": "2026-03-01", "leaves": "2026-11-01"}]
    year = {"start": "2026-01-01", "end": "2027-01-01"}
    scenario = small(calendar=year, reps=people, accounts=[])
    months = [Period(f"{m}", date(2026, m, 1), date(2026 + m // 12, m % 12 + 1, 1)) for m in range(1, 13)]
    found = presence(scenario, scenario.reps[0], months)
    steps = scenario.skills.ramp.pace_by_month
    assert found[:2].tolist() == [0, 0]
    assert found[2] == pytest.approx(steps[0], abs=0.05)
    assert found[3] == pytest.approx(steps[1], abs=0.05)
    assert found[9] == pytest.approx(1.0, abs=0.05)
    assert found[10:].tolist() == [0, 0]


def test_ramp_is_the_mean_pace(scenario, found):
    assert found.ramp[:3] == pytest.approx(np.ones(3))
    assert 0.5 < found.ramp[3] < 0.8
    assert mean_ramp(scenario, scenario.reps[3]) == found.ramp[3]


def test_the_modelled_workload_is_the_simulated_busy_share(found, scenario, outcome):
    problem = formulate(scenario, found)
    cube = outcome["rep"]
    busy = cube.total("busy_ticks").mean(axis=0) / cube.total("available_ticks").mean(axis=0)
    assert workloads(problem, problem.today_decisions()) == pytest.approx(busy, abs=0.08)


def test_care_below_what_is_owed_sells_less(found):
    offer = found.accounts
    values = [offer.value(0, 0, hours) for hours in (0.0, 10.0, 20.0, 30.0, 60.0)]
    assert values[0] < values[1] < values[2] < values[3]
    assert offer.curves[0].sales(30.0) == offer.curves[0].sales(60.0)


# Who may own what


def test_accounts_that_may_not_move():
    rows = [
        {"id": "free", "tier": "A", "region": "华东", "owner": "E1"},
        {"id": "held", "tier": "A", "region": "华东", "owner": "E2", "protected_until": "2026-02-01"},
        {"id": "late", "tier": "A", "region": "华东", "owner": "E2"},
        {"id": "named", "tier": "A", "region": "华东", "owner": "E1", "eligible": ["E3"]},
        {"id": "nobody", "tier": "A", "region": "华东"},
    ]
    deal = {"id": "o1", "stage": "close", "account": "late", "region": "华东", "created": "2025-12-01"}
    world = small(accounts=rows, pipeline=[deal])
    world = small(
        accounts=rows,
        pipeline=[deal],
        allocation={
            **world.document()["allocation"],
            "accounts": {"protect_stages": ["close"], "max_moves_share": 0.5},
        },
    )
    allowed = allowed_owners(world, ("E1", "E2", "E3", "E4"))
    assert allowed.tolist() == [
        [True, True, True, True],
        [False, True, False, False],
        [False, True, False, False],
        [True, False, True, False],
    ]
    assert set(immovable(world)) == {"held", "late"}
    assert most_moves(world) == 2


# Simple rules


def test_baselines_tie_respect_locks_and_name_what_they_break(scenario, outcome):
    rules = [{"rule": "growth", "floor": 0.0, "cap": 0.1}]
    locks = [{"path": "quota.E3", "value": 55555.55, "author": "王"}, {"path": "owner.A0", "value": "E2"}]
    settings = {**scenario.document()["allocation"], "rules": rules, "locks": locks}
    world = small(allocation=settings)
    found = estimate(world, replace(outcome, scenario=world.fingerprint()))
    plans = baselines(world, found)
    assert set(plans) == {"equal", "history", "potential", "fair_share", "strong"}
    for plan in plans.values():
        quotas = plan.quotas()
        assert sum(quotas.values()) == 250000_00
        assert quotas["E3"] == 55555_55
        assert plan.owner_of()["A0"] == "E2"
    assert any("growth_cap" in note for note in plans["equal"].notes)
    assert plans["equal"].training == ()
    assert sum(plans["strong"].training_hours().values()) == 16.0


def test_equal_and_history_have_their_proportions(scenario, found):
    plans = baselines(scenario, found)
    equal = plans["equal"].quotas()
    assert abs(equal["E1"] - equal["E2"]) <= 1000_00
    assert equal["E4"] / equal["E1"] == pytest.approx(found.ramp[3], abs=0.02)
    history = plans["history"].quotas()
    assert history["E1"] / history["E2"] == pytest.approx(7 / 6, abs=0.03)


def test_the_strong_rule_moves_only_what_sells_more(scenario, found):
    offer = found.accounts
    unit = offer.unit.copy()
    unit[1, 0] *= 2.0
    better = replace(found, accounts=replace(offer, unit=unit, max_moves=1))
    decisions, _ = strong(formulate(scenario, better))
    assert decisions.owner.tolist() == [0, 0, 2, 0, 1, 2]


def test_an_allocated_plan_is_worth_at_least_the_strong_rule_in_the_model(scenario, found):
    problem = formulate(scenario, found)
    result = allocate(scenario, found)
    decisions, quotas = strong(problem)
    from optimize.problem import gains
    from optimize.split import attained

    value = attained(problem.samples, gains(problem, decisions), quotas.astype(float))
    assert result.model_value >= value * (1 - 1e-4)


def test_a_plan_reads_back_as_its_decisions(scenario, found):
    problem = formulate(scenario, found)
    result = allocate(scenario, found)
    decisions = decisions_of(problem, result.plan)
    assert decisions.training.sum() <= 24 + 1e-9
    rows = audit(problem, decisions, quotas_of(problem, result.plan))
    assert not broken(rows)
    plan = result.plan
    assert sum(plan.quotas().values()) == 250000_00
    simulate(scenario.with_plan(plan), replications=2)


def test_responses_around_another_plan_count_gains_from_there(scenario, found):
    """Simulated under the allocated plan, the same plan has gain zero."""
    plan = allocate(scenario, found).plan
    world = scenario.with_plan(plan)
    around = estimate(world, simulate(world, replications=20))
    problem = formulate(world, around)
    from optimize.problem import gains

    assert gains(problem, decisions_of(problem, plan)) == pytest.approx(np.zeros(4), abs=1e-6)
    assert around.plan == plan.simulation_hash()


def test_the_outcome_must_be_of_the_plan(scenario, outcome):
    other = scenario.with_plan(today_plan(scenario).with_rows(owners=()))
    with pytest.raises(InputRefused, match="another plan"):
        estimate(other, outcome)


def test_hours_have_a_price_where_reps_are_busy():
    """A skill that no stage uses brings nothing and takes selling hours; an account's hours displace lead sales."""
    used = {"negotiation": 1.0}
    stages = [
        {**stage, "effort_hours": {"family": "fixed", "value": 12}, "skill_weights": used, "patience_days": patience}
        for stage, patience in zip(
            small().document()["stages"], [{"family": "exponential", "mean": 20}] * 2, strict=True
        )
    ]
    world = small(stages=stages)
    busy = estimate(world, simulate(world, replications=20))
    problem = formulate(world, busy)
    assert workloads(problem, problem.today_decisions())[:3].min() > 0.75
    gain = busy.training.gain[:, busy.training.skills.index("market_insight"), -1]
    assert (gain[:3] < 0).all()
    displaced, today = busy.accounts.displaced, busy.accounts.today
    assert (displaced[:, :3] > 0).all()
    own = displaced[np.arange(6), today]
    assert (own < busy.account_sales()[np.arange(6), today]).all()
    assert (busy.accounts.hour_price[:3] > 0).all()


def test_potentials_are_given_for_all_or_none(scenario, outcome):
    document = scenario.document()
    for rep in document["reps"][:3]:
        rep["potential"] = 9_000_000
    document["reps"][3]["lead_weight"] = 0
    some = from_document(document)
    with pytest.raises(InputRefused, match="given for E1 but not for E4, who sell too") as refused:
        estimate(some, simulate(some, replications=2), carriers=["E1", "E4"])
    assert "or for nobody" in str(refused.value)
