"""Bad values of each feature: refused with the place, the value and the rule; nothing is simulated."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.errors import InputRefused
from small_worlds import deals, fixed, stage, world

TIER = {"id": "A", "orders_per_year": 3, "order_value": fixed(1)}
PHYSICS = {"order_effort_hours": fixed(1)}
ACCOUNT = {"id": "a", "tier": "A", "region": "r", "owner": "ann"}
SHARE = "must be <= 1"


def rep(**over: Any) -> dict[str, Any]:
    return {"reps": [{"id": "ann", "team": "t"} | over]}


def tier(**over: Any) -> dict[str, Any]:
    return {"tiers": [TIER | over], "account_physics": PHYSICS, "accounts": [ACCOUNT]}


def physics(**over: Any) -> dict[str, Any]:
    return tier() | {"account_physics": PHYSICS | over}


def source(**over: Any) -> dict[str, Any]:
    return {"sources": [{"id": "web", "leads_per_year": 100} | over]}


def product(**over: Any) -> dict[str, Any]:
    return {"products": [{"id": "p", "value": fixed(1)} | over]}


def cold(**over: Any) -> dict[str, Any]:
    recycle = {"probability": 0.5, "rest_days": fixed(1)} | over
    return {"stages": [stage(patience_days=fixed(1), recycle=recycle)]}


def expert(**over: Any) -> dict[str, Any]:
    return {"support": [{"id": "expert", "people": 1} | over]}


def calendar(**over: Any) -> dict[str, Any]:
    return {"calendar": over}


ROLES = [
    ({"stages": [stage(role="x")]}, "stages.sell.role = x: names nothing in roles"),
    ({"roles": [{"id": "rep"}, {"id": "closer"}], "stages": [stage(role="rep"), stage(id="c", role="closer")]}
     | rep(role="rep"), "stages.c.role = closer: no rep has this role"),
    ({"credit": {"shares": {"x": 1.0}}}, "credit.shares = x: names nothing in roles"),
    (physics(owner_role="x"), "account_physics.owner_role = x: names nothing in roles"),
]  # fmt: skip
SUPPORT = [
    ({"stages": [stage(support={"resource": "x", "effort_hours": fixed(1)})]}, "support.resource = x: names nothing"),
    (expert(people=0), "support.expert.people = 0: must be >= 1"),
    (expert(people=1.5), "support.expert.people = 1.5: must be a whole number"),
    (expert(selling_share=0), "support.expert.selling_share = 0: must be > 0"),
]  # fmt: skip
ROUTING = [
    ({"routing": {"policy": "random"}}, "routing.policy = 'random': must be one of 'even'"),
    ({"routing": {"by_source": {"x": "pool"}}}, "routing.by_source = x: names nothing in sources"),
    ({"routing": {"return_to_pool_days": 0}}, "routing.return_to_pool_days = 0: must be > 0"),
    (rep(lead_weight=-1), "reps.ann.lead_weight = -1: must be >= 0"),
    ({"regions": [{"id": "r"}, {"id": "far"}]} | source(regions={"far": 1}), "no rep of role rep serves this region"),
    ({"queue": "lifo"}, "queue = 'lifo': must be one of 'fifo', 'late_stage_first', 'value_first' or 'tier_first'"),
    (cold(probability=1.5), f"sell.recycle.probability = 1.5: {SHARE}"),
    (cold(max_times=-1), "sell.recycle.max_times = -1: must be >= 1"),
    ({"stages": [stage(recycle={"probability": 0.5, "rest_days": fixed(1)})]}, "is needed for a lead to go cold"),
    ({"stages": [stage(when_cold="x")]}, "sell.when_cold = 'x': must be one of 'lost' or 'pool'"),
]
PEOPLE = [
    (rep(hired="2026-05-01", leaves="2026-04-01"), "reps.ann.leaves = 2026-04-01: must be after hired=2026-05-01"),
    (rep(attrition_per_year=1.0), "reps.ann.attrition_per_year = 1: must be below 1"),
    (rep(attrition_per_year=-0.1), "reps.ann.attrition_per_year = -0.1: must be >= 0"),
    (rep(replacement_delay_days=-1), "reps.ann.replacement_delay_days = -1: must be >= 0"),
    (rep(hours_per_week=0), "reps.ann.hours_per_week = 0: must be > 0"),
    (rep(hours_per_week=400), "reps.ann.hours_per_week = 400: must be <= 100"),
    (rep(successor="x"), "reps.ann.successor = x: names nothing in reps"),
    (rep(successor="ann"), "reps.ann.successor = ann: a rep cannot succeed themselves"),
    (rep(level="x"), "reps.ann.level = x: names nothing in levels"),
    (rep(skills={"negotiation": 120}), "reps.ann.skills.negotiation = 120: must be <= 100"),
    (rep(skills={"juggling": 20}), "reps.ann.skills = juggling: names nothing in skills"),
    ({"absences": [{"rep": "x", "first": "2026-01-01", "last": "2026-01-03"}]}, "absences.0.rep = x: names nothing"),
    (
        {"absences": [{"rep": "ann", "first": "2026-01-05", "last": "2026-01-03"}]},
        "must not be before first=2026-01-05",
    ),
    ({"skills": {"ramp": {"pace_by_month": [-0.1, 0.5]}}}, "skills.ramp.pace_by_month.0 = -0.1: must be >= 0"),
    ({"skills": {"ramp": {"pace_by_month": [0.5, 0]}}}, "skills.ramp.pace_by_month"),
    ({"skills": {"training": {"decay_per_month": 1.2}}}, f"skills.training.decay_per_month = 1.2: {SHARE}"),
    ({"motivation": {"push_share": 2}}, f"motivation.push_share = 2: {SHARE}"),
]
ACCOUNTS = [
    (tier(orders_per_year=-1), "tiers.A.orders_per_year = -1: must be >= 0"),
    (tier(churn_per_year=1.0), "tiers.A.churn_per_year = 1: must be below 1"),
    (physics(new_customer=TIER | {"churn_per_year": 1.0}), "new_customer.churn_per_year = 1: must be below 1"),
    (tier(care_hours_per_year=-1), "tiers.A.care_hours_per_year = -1: must be >= 0"),
    (tier(rank=-1), "tiers.A.rank = -1: must be >= 0"),
    (tier(cross_sell=[{"product": "x", "probability": 0.5}]), "tiers.A.cross_sell = x: names nothing in products"),
    (physics(handover_loss=1.5), f"account_physics.handover_loss = 1.5: {SHARE}"),
    (physics(care_elasticity=-1), "account_physics.care_elasticity = -1: must be >= 0"),
    (tier() | {"accounts": [ACCOUNT | {"owner": "x"}]}, "accounts.a.owner = x: names nothing in reps"),
    ({"account_physics": PHYSICS, "accounts": [ACCOUNT]}, "accounts.a.tier = A: names nothing in tiers"),
    ({"tiers": [TIER], "accounts": [ACCOUNT]}, "account_physics: is needed where there are accounts"),
]
MARKET = [
    (product(attach=[{"product": "q", "probability": 0.5}]), "products.p.attach = q: names nothing in products"),
    (product(attach=[{"product": "p", "probability": 0.5}]), "a product cannot be attached to itself"),
    (product(value=fixed(-1)), "products.p.value.value = -1: must be >= 0"),
    (product(gross_margin=1.5), f"products.p.gross_margin = 1.5: {SHARE}"),
    (source(dispersion=0.5), "sources.web.dispersion = 0.5: must be >= 1"),
    (source(season=[1, 2]), "sources.web.season = [1, 2]: must have at least 12 entries"),
    (source(season=[-1] + [1] * 11), "sources.web.season.0 = -1: must be >= 0"),
    (source(season=[0] * 12), "season and weekday_factors need at least one positive factor"),
    (source(leads_per_year=-5), "sources.web.leads_per_year = -5: must be >= 0"),
    (source(cost_per_lead=-1), "sources.web.cost_per_lead = -1: an amount of money must not be negative"),
    (source(first_day="2026-05-01", last_day="2026-04-01"), "must not be before first_day=2026-05-01"),
    (source(arrival_hours=[5, 4]), "0 <= first hour < last hour <= 24 must hold"),
    (source(first_stage="x"), "sources.web.first_stage = x: names nothing in stages"),
]
CALENDAR = [
    (calendar(timezone="Mars/X"), "calendar.timezone = Mars/X: is no time zone of the IANA list"),
    (calendar(hours=["18:00-09:00"]), "begin < end <= 24:00 must hold"),
    (calendar(hours=["09:00-12:00", "11:00-13:00"]), "spans must be in order and not overlap"),
    (calendar(workdays=["funday"]), "calendar.workdays.0 = 'funday': must be one of 'mon'"),
    (calendar(end="2025-01-01"), "start < end must hold"),
    (calendar(holidays=["2026-02-30"]), "calendar.holidays.0 = '2026-02-30': must be a date of the calendar"),
    (calendar(fiscal="5-5-3"), "calendar.fiscal = '5-5-3': must be one of 'calendar' or '4-4-5'"),
    (calendar(fiscal_year_start_month=13), "calendar.fiscal_year_start_month = 13: must be <= 12"),
    (calendar(customer_pauses=[{"first": "2026-02-03", "last": "2026-02-01"}]), "first <= last must hold"),
    (calendar(selling_share=0), "calendar.selling_share = 0: must be > 0"),
    ({"regions": [{"id": "r", "timezone": "X"}]}, "regions.r.timezone = X: is no time zone"),
    ({"regions": [{"id": "r", "hours": ["09:00"]}]}, "a span must read HH:MM-HH:MM"),
]
PIPELINE_AND_CASH = [
    ({"pipeline": deals(1, created="2026-02-01")}, "pipeline.d00.created = 2026-02-01: must not be after the start"),
    ({"pipeline": deals(1, stage="x")}, "pipeline.d00.stage = x: names nothing in stages"),
    ({"pipeline": deals(1, created="2025-12-10", entered_stage="2025-12-01")}, "must not be before created=2025-12-10"),
    ({"pipeline": deals(1, owner="x")}, "pipeline.d00.owner = x: names nothing in reps"),
    ({"pipeline": deals(1, value=-1)}, "pipeline.d00.value = -1: an amount of money must not be negative"),
    ({"cash": {"instalments": [{"share": 0.5, "due_days": 0}]}}, "shares of the instalments must sum to 1"),
    ({"cash": {"instalments": [{"share": 1, "due_days": -1}]}}, "cash.instalments.0.due_days = -1: must be >= 0"),
    ({"cash": {"collection_probability": 1.1}}, f"cash.collection_probability = 1.1: {SHARE}"),
    ({"cash": {"recognition": "x"}}, "cash.recognition = 'x': must be one of 'at_signing' or 'straight_line'"),
    ({"cash": {"recognition_months": 0}}, "cash.recognition_months = 0: must be >= 1"),
    ({"cash": {"vat_rate": -0.1}}, "cash.vat_rate = -0.1: must be >= 0"),
]
STAGES = [
    ({"stages": [stage(activities={"visits": -1})]}, "stages.sell.activities.visits = -1: must be >= 0"),
    ({"stages": [stage(activities={"visits": float("nan")})]}, "stages.sell.activities.visits = NaN: must be a finite"),
    ({"stages": [stage(conversion=1.2)]}, f"stages.sell.conversion = 1.2: {SHARE}"),
    ({"stages": [stage(conversion=None)]}, "conversion must be given for a stage that decides"),
    ({"stages": [stage(after_win=True, conversion=None), stage(id="z")]}, "cannot follow one after the win"),
    (
        {"stages": [stage(skill_weights={"juggling": 1})]},
        "stages.sell.skill_weights = juggling: names nothing in skills",
    ),
    ({"stages": [stage(effort_hours=fixed(-1))]}, "stages.sell.effort_hours.value = -1: must be >= 0"),
]


@pytest.mark.parametrize(
    ("over", "said"),
    [*ROLES, *SUPPORT, *ROUTING, *PEOPLE, *ACCOUNTS, *MARKET, *CALENDAR, *PIPELINE_AND_CASH, *STAGES],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_value_is_refused_with_its_place_and_rule(over, said):
    with pytest.raises(InputRefused) as refused:
        world(**over)
    assert said in str(refused.value)


def test_bad_values_of_several_features_are_told_together():
    together = source(dispersion=0.5) | expert(people=0) | rep(lead_weight=-1) | {"queue": "lifo"}
    with pytest.raises(InputRefused) as refused:
        world(**together)
    assert len(refused.value.problems) == 4
