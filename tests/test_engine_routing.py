"""Who gets a lead: each policy of routing and each hand-off in a world known by hand."""

from __future__ import annotations

import math

import numpy as np

from sim.log import Kind
from sim.run import simulate
from small_worlds import (
    HOUR,
    SMALL_ACCOUNTS,
    THREE,
    deals,
    exponential,
    fixed,
    holds,
    logs,
    stage,
    started,
    the_log,
    world,
)


def first_desks(scenario, replication: int = 0) -> list[str]:
    """Reps whom leads went to, in order of arrival; "" is the pool."""
    log = the_log(scenario, replication)
    names = [*(rep.id for rep in scenario.reps), ""]
    rows = log.of(Kind.ENTER)
    return [names[rep] for rep in rows[(rows["stage"] == 0) & (rows["visit"] == 0)]["rep"]]


def test_even_routing_shares_by_weight_and_hours():
    reps = [
        {"id": "ann", "team": "t"},
        {"id": "bob", "team": "t", "lead_weight": 2.0},
        {"id": "cyd", "team": "t", "lead_weight": 2.0, "hours_per_week": 84},
        {"id": "dan", "team": "t", "lead_weight": 0.0},
    ]
    scenario = world(reps=reps, sources=[{"id": "web", "leads_per_year": 400}])
    desks = [first_desks(scenario, replication) for replication in range(20)]
    for name, share in (("ann", 0.25), ("bob", 0.5), ("cyd", 0.25), ("dan", 0.0)):
        assert name != "dan" or not any("dan" in desk for desk in desks)
        if share:
            holds([desk.count(name) / len(desk) for desk in desks], share)


def test_round_robin_takes_turns():
    scenario = world(reps=THREE, sources=[{"id": "web", "leads_per_year": 300}], routing={"policy": "round_robin"})
    desks = first_desks(scenario)
    assert set(desks[:3]) == {"ann", "bob", "cyd"}
    assert all(desks[i] == desks[i - 3] for i in range(3, len(desks)))


def test_least_loaded_evens_out_what_waits():
    scenario = world(
        reps=THREE,
        stages=[stage(effort_hours=fixed(2000))],
        sources=[{"id": "web", "leads_per_year": 300}],
        routing={"policy": "least_loaded"},
        calendar={"end": "2026-03-01"},
    )
    desks = first_desks(scenario)
    for upto in range(1, len(desks)):
        counts = [desks[:upto].count(name) for name in ("ann", "bob", "cyd")]
        assert max(counts) - min(counts) <= 1


def test_skill_based_routing_prefers_by_a_known_factor():
    skills = dict.fromkeys(
        ["product_knowledge", "negotiation", "relationship_management", "market_insight", "learning_ability"], 80
    )
    reps = [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t", "skills": skills}]
    scenario = world(reps=reps, sources=[{"id": "web", "leads_per_year": 400}], routing={"policy": "skill_based"})
    share = math.e / (1 + math.e)  # exp(0.05 x 20 points)
    desks = [first_desks(scenario, replication) for replication in range(20)]
    holds([desk.count("bob") / len(desk) for desk in desks], share)


def test_a_territory_has_one_rep_in_every_replication():
    scenario = world(
        reps=THREE,
        segments=[{"id": f"s{i}"} for i in range(6)],
        sources=[{"id": "web", "leads_per_year": 300}],
        routing={"policy": "territory"},
    )
    served: dict[int, set[int]] = {}
    for log in logs(scenario, 4):
        rows = log.of(Kind.ENTER)
        for entity, rep in zip(rows["entity"].tolist(), rows["rep"].tolist(), strict=True):
            served.setdefault(log.leads[entity].segment, set()).add(rep)
    assert len(served) == 6
    assert all(len(reps) == 1 for reps in served.values())
    assert len(set.union(*served.values())) > 1


def test_owner_routing_sends_an_account_s_opportunity_to_its_owner():
    physics_ = {
        **SMALL_ACCOUNTS["account_physics"],
        "new_customer": SMALL_ACCOUNTS["tiers"][0] | {"id": "new", "care_hours_per_year": 0},
    }
    for owner in ("ann", "bob", "cyd"):
        scenario = world(
            reps=THREE,
            **SMALL_ACCOUNTS
            | {"accounts": [{"id": "acme", "tier": "A", "region": "r", "owner": owner}], "account_physics": physics_},
            pipeline=deals(3, account="acme", value=1000),
            routing={"policy": "owner"},
        )
        assert first_desks(scenario) == [owner] * 3
        outcome = simulate(scenario, seed=3, replications=1)
        # A customer already: the win is new revenue, but no new customer.
        assert outcome["rep"].company("new_revenue")[0] == 3 * 1000_00
        assert outcome["rep"].company("new_customers")[0] == 0
        assert outcome["customer"].company("customers")[0] == 1


def test_idle_reps_pull_from_the_pool_the_longest_idle_first():
    scenario = world(reps=THREE, stages=[stage(effort_hours=fixed(3))], pipeline=deals(9), routing={"policy": "pool"})
    log = the_log(scenario)
    assert (log.of(Kind.ENTER)["rep"] == -1).all()
    rows = started(log)
    assert rows["time"].tolist() == [0] * 3 + [3 * HOUR] * 3 + [6 * HOUR] * 3
    assert all(sorted(rows["rep"][i : i + 3].tolist()) == [0, 1, 2] for i in (0, 3, 6))
    assert simulate(scenario, replications=1, seed=3)["rep"].company("leads")[0] == 0, "opportunities are no new leads"


def test_the_rep_who_has_been_idle_longest_pulls_first():
    scenario = world(
        reps=THREE,
        stages=[stage(effort_hours=exponential(5))],
        sources=[{"id": "web", "leads_per_year": 365 * 6}],
        routing={"policy": "pool"},
        calendar={"end": "2026-03-01"},
    )
    idle_since = dict.fromkeys(range(3), 0)
    chosen = 0
    for row in started(the_log(scenario)):
        idle = {rep: since for rep, since in idle_since.items() if since <= row["time"]}
        if row["value"] == 0 and len(set(idle.values())) > 1:
            assert idle_since[int(row["rep"])] == min(idle.values())
            chosen += 1
        idle_since[int(row["rep"])] = int(row["extra"])
    assert chosen > 50


def test_sources_may_be_routed_by_policies_of_their_own():
    scenario = world(
        reps=THREE,
        sources=[{"id": "web", "leads_per_year": 300}, {"id": "desk", "leads_per_year": 300}],
        routing={"policy": "even", "by_source": {"desk": "pool"}},
    )
    log = the_log(scenario)
    rows = log.of(Kind.ENTER)
    pooled = np.array([log.leads[entity].source == 1 for entity in rows["entity"].tolist()])
    assert ((rows["rep"] == -1) == pooled).all()
    outcome = simulate(scenario, replications=1, seed=3)
    assert outcome["rep"].company("leads")[0] == outcome["source"].company("leads")[0], "pulled leads count as well"


def test_a_lead_stays_with_its_rep_or_is_routed_anew():
    two = [stage(), stage(id="close")]
    kept = the_log(world(reps=THREE, stages=two, sources=[{"id": "web", "leads_per_year": 300}]))
    by_lead = dict(zip(started(kept)["entity"].tolist(), started(kept)["rep"].tolist(), strict=True))
    assert all(by_lead[row["entity"]] == row["rep"] for row in started(kept, 1))
    anew = world(
        reps=THREE, stages=two, sources=[{"id": "web", "leads_per_year": 300}],
        routing={"policy": "round_robin", "same_rep": False},
    )  # fmt: skip
    log = the_log(anew)
    by_lead = dict(zip(started(log)["entity"].tolist(), started(log)["rep"].tolist(), strict=True))
    assert any(by_lead[row["entity"]] != row["rep"] for row in started(log, 1))


def test_roles_hand_over():
    scenario = world(
        roles=[{"id": "opener"}, {"id": "closer"}],
        stages=[stage(role="opener"), stage(id="close", role="closer")],
        reps=[{"id": "ann", "team": "t", "role": "opener"}, {"id": "bob", "team": "t", "role": "closer"}],
        pipeline=deals(3),
    )
    log = the_log(scenario)
    assert set(started(log, 0)["rep"].tolist()) == {0}
    assert set(started(log, 1)["rep"].tolist()) == {1}
    assert set(log.of(Kind.BOOK)["rep"].tolist()) == {1}


def test_reps_serve_other_regions_only_where_they_may():
    parts = {
        "regions": [{"id": "r"}, {"id": "far"}],
        "teams": [{"id": "t", "region": "r"}],
        "pipeline": deals(2, region="far"),
    }
    assert len(started(the_log(world(**parts)))) == 0
    assert len(started(the_log(world(**parts, routing={"across_regions": True})))) == 2
