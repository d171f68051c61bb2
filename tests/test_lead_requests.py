"""Locks on shares of new leads, what is written, shown and refused, and the loop."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from experiments.words import phrase
from lead_worlds import FREE, asked_of, pool, share_of, simulated, three_reps, two_reps
from loop_worlds import company
from optimize.allocate import allocate
from optimize.explanation import explain_plan
from optimize.formulate import formulate
from optimize.locked import require_room
from optimize.loop.improve import improve
from optimize.optimum import optimise
from optimize.plans import decisions_of
from optimize.problem import TrustRegion, gains
from optimize.response.estimate import Responses, estimate
from scenarios.errors import InputRefused, Unsupported
from scenarios.files import from_document
from scenarios.lead_shares import mean_shares
from scenarios.locks import lock
from scenarios.plan import ShareRow
from scenarios.plan_files import read_plan, write_plan
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from scenarios.trail import figures
from sim.outcome import Outcome
from sim.run import simulate


@pytest.fixture(scope="module")
def two() -> tuple[Scenario, Responses, Outcome]:
    return two_reps()


@pytest.fixture(scope="module")
def three() -> tuple[Scenario, Responses, Outcome]:
    return three_reps()


# Locks


def test_a_locked_share_holds_in_every_mode_and_simple_rule_with_its_author(three) -> None:
    from optimize.baselines.plans import baselines

    scenario, found, _ = three
    row = {"path": "share.web.R1", "value": 0.1, "author": "李", "reason": "part time"}
    for mode in ("joint", "two_stage", "maximin", "alpha", "equal_odds"):
        leads = {"decide": True, "least_share": 0.2, "most_change": 0.05}
        asked, responses = asked_of(scenario, found, mode=mode, locks=[row], leads=leads)
        result = allocate(asked, responses)
        assert share_of(result.plan, "R1") == 0.1
        assert sum(Decimal(repr(row.share)) for row in result.plan.shares) == 1
        (least,) = [one for one in result.rule_rows if one.rule == "lead_share_least"]
        assert "share.web.R1 locked by 李 (part time)" in least.exception
        assert result.plan.locks[0].path == "share.web.R1"
    for made in baselines(asked, responses, ["equal", "greedy_owners", "two_stage"]).values():
        assert share_of(made, "R1") == 0.1
    shown = figures(result.plan)
    assert shown["lock share.web.R1"] == "0.1"
    assert shown["share.web.R1.2026-01-01"] == "0.1"


@pytest.mark.parametrize(
    ("locks", "message"),
    [
        (
            {"R1": 0.7, "R2": 0.5},
            r"share\.web\.R1 = 0\.7, share\.web\.R2 = 0\.5: 1 of the leads.*0\.2 too much is locked",
        ),
        ({"R1": 0.3, "R2": 0.5, "R3": 0.1}, r"0\.1 is left to nobody"),
        ({"R1": 0.12345678912345}, "at most 9 decimals"),
        ({"R1": 1.5}, "a share must be 0 to 1 -> a share is written 0.45, not 45"),
        ({"R9": 0.5}, "R9: names nothing in reps"),
        ({"": 0.5}, "a share's path reads share.SOURCE.REP"),
    ],
)
def test_locks_that_cannot_hold_are_refused_in_words(three, locks, message) -> None:
    scenario, found, _ = three
    rows = [{"path": f"share.web.{rep}".rstrip("."), "value": share} for rep, share in locks.items()]
    with pytest.raises(InputRefused, match=f"(?s){message}"):
        allocate(*asked_of(scenario, found, locks=rows))


def test_a_lock_put_on_a_plan_is_checked_before_the_next_solve(two) -> None:
    scenario, _, _ = two
    plan = today_plan(scenario)
    require_room(lock(scenario, "share.web.R1", 0.7, author="李"), plan)
    both = lock(lock(scenario, "share.web.R1", 0.7, author="李"), "share.web.R2", 0.5, author="王")
    with pytest.raises(InputRefused, match=r"0\.2 too much is locked"):
        require_room(both, plan)


# What is written, shown and refused


def test_the_plan_is_read_back_explained_and_told(two, tmp_path: Path) -> None:
    scenario, found, _ = two
    result = allocate(scenario, found, name="handed")
    assert read_plan(write_plan(result.plan, tmp_path / "plan", "CNY"), scenario) == result.plan
    problem = formulate(scenario, found)
    again = decisions_of(problem, result.plan)
    assert again.shares is not None
    given = mean_shares(scenario, result.plan, scenario.sources[0])
    assert again.shares[0].tolist() == pytest.approx([given["R1"], given["R2"]])
    assert decisions_of(problem, today_plan(scenario)).shares is None
    bars = dict(explain_plan(scenario, found, result.plan).waterfall["R1"])
    assert bars["new leads"] > 0
    assert sum(bars.values()) == result.plan.quotas()["R1"]
    assert dict(result.waterfall["R1"])["new leads"] == bars["new leads"]
    assert all(phrase("note", note)[0] for note in result.notes)
    undecided = from_document({**scenario.document(), "allocation": {"rules": []}})
    plain = allocate(undecided, replace(found, leads=estimate(*_of(undecided)).leads))
    assert not plain.plan.shares
    assert "new leads" not in dict(plain.waterfall["R1"])


def _of(scenario: Scenario) -> tuple[Scenario, Outcome]:
    return scenario, simulate(scenario, replications=2)


def test_a_plan_that_gave_shares_is_where_the_next_begins(two) -> None:
    scenario, _, _ = two
    start, end = scenario.calendar.start, scenario.calendar.end
    rows = (ShareRow("web", "R1", start, end, 0.6), ShareRow("web", "R2", start, end, 0.4))
    given = scenario.with_plan(today_plan(scenario).with_rows(shares=rows))
    found, _ = simulated(given, 40)
    assert found.leads.base.tolist() == [[0.6, 0.4]]
    assert found.leads.today.tolist() == [[0.5, 0.5]]
    problem = formulate(given, found)
    assert decisions_of(problem, given.plan).shares is None
    back = problem.today_decisions()
    assert back.shares is not None
    assert back.shares.tolist() == [[0.5, 0.5]]
    today = decisions_of(problem, today_plan(scenario)).shares
    assert today is not None
    assert today.tolist() == [[0.5, 0.5]]
    assert gains(problem, back)[0] < 0 < gains(problem, back)[1]
    near = optimise(replace(problem, trust=TrustRegion(0.0, 0, 0.0, leads=0.1)))
    assert near.decisions.shares is not None
    assert np.abs(near.decisions.shares - found.leads.base).sum() <= 0.1 + 1e-9


def test_the_method_by_prices_refuses_it_by_name_and_auto_says_that_it_stepped_back(three, monkeypatch) -> None:
    scenario, found, _ = three
    with pytest.raises(Unsupported, match="shares of new leads: the method by prices does not decide this"):
        allocate(scenario, found, method="prices")
    assert not optimise(formulate(scenario, found)).notes
    monkeypatch.setattr("optimize.optimum.LARGE", 1)
    result = allocate(scenario, found)
    assert any("does not decide shares of new leads" in note for note in result.notes)
    assert all(phrase("note", note)[0] for note in result.notes)


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"leads": {"decide": True, "sources": ["fair"]}}, "fair: names nothing in sources"),
        ({"leads": {"decide": True, "least_share": 0.6, "most_share": 0.4}}, "least_share <= most_share must hold"),
        ({"leads": FREE, "rules": [{"rule": "spread"}]}, "spread: compares ratios of quota to potential"),
        ({"leads": FREE, "rules": [{"rule": "gini"}]}, "gini: compares ratios of quota to potential"),
    ],
)
def test_demands_that_make_no_sense_are_refused_with_the_way_out(two, over, message) -> None:
    scenario, found, _ = two
    with pytest.raises((InputRefused, Unsupported), match=message):
        allocate(*asked_of(scenario, found, **over))


def test_leads_that_no_share_can_move_are_refused_by_name() -> None:
    with pytest.raises(InputRefused, match=r"leads of web are routed by pool.*set routing\.by_source\.web to even"):
        pool(1.0, 1.0, sections={"routing": {"policy": "pool"}})
    stages = company(2).document()["stages"]
    apart = {
        "roles": [{"id": "opener"}, {"id": "closer"}],
        "stages": [stages[0] | {"role": "opener"}, stages[1] | {"role": "closer"}],
    }
    people = {0: {"role": "opener"}, 1: {"role": "closer"}}
    with pytest.raises(Unsupported, match="nobody who works its first stage carries a quota"):
        simulated(pool(1.0, 1.0, people=people, sections=apart), 2)


# The loop


@pytest.mark.parametrize("mode", ["joint", "two_stage"])
def test_the_loop_hands_out_leads_and_keeps_what_the_simulation_confirms(mode) -> None:
    scenario = pool(0.6, 1.5, leads={"decide": True, "most_change": 0.3}, mode=mode)
    found = improve(scenario, replications=30)
    assert share_of(found.plan, "R1") > 0.6
    assert sum(Decimal(repr(row.share)) for row in found.plan.shares) == 1
    first = found.trace[0].simulated
    assert first is not None
    assert found.promise > first
    after, before = (
        simulate(scenario.with_plan(plan), replications=60) for plan in (found.plan, found.candidates["today"])
    )
    apart = (after["rep"].total("revenue") - before["rep"].total("revenue")).sum(axis=1)
    assert apart.mean() > 5 * apart.std(ddof=1) / 60**0.5
    assert all(phrase("note", note)[0] for note in found.allocation.notes)


def test_a_step_moves_no_more_leads_than_its_region_allows(two) -> None:
    from optimize.loop.steps import Size, holds_no_step, next_region

    scenario, found, _ = two
    problem = formulate(scenario, found)
    region = TrustRegion(0.0, 0, 0.0, leads=0.2)
    step = optimise(replace(problem, trust=region)).decisions
    size = Size.of(problem, step)
    assert size.leads == pytest.approx(0.2, abs=1e-6)
    assert str(size) == "10 points of leads"
    told = "closed loop, round 1: 0 accounts, 10 points of leads and 0 h of training moved; "
    for kept in ("kept", "not kept"):
        key, fields = phrase("note", f"{told}promised 87.26 %, simulated 86.00 %, t -2.1: {kept}")
        assert key is not None
        assert fields["leads"] == "10"
    after = next_region(region, size, 0.0, False)
    assert after.leads == pytest.approx(0.1, abs=1e-6)
    assert not holds_no_step(after, problem)
    assert holds_no_step(TrustRegion(0.0, 0, 0.0, leads=0.01), problem)
