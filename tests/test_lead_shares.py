"""Shares of new leads: both engines honour them, to whom and when, and what makes no sense is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

import quotalab as ql
from experiments.words import phrase
from optimize.allocate import allocate
from optimize.baselines.plans import baselines
from optimize.chain import lead_mixes
from optimize.response.estimate import estimate
from scenarios.errors import InputRefused
from scenarios.lead_shares import region_mix, region_of, share_factors, stretches
from scenarios.plan import Plan, ShareRow
from scenarios.plan_checks import plan_problems
from scenarios.plan_files import read_plan, write_plan
from scenarios.today import today_plan
from scenarios.trail import figures
from sim.log import Kind
from sim.run import simulate
from small_worlds import THREE, fixed, holds, stage, the_log, world

START, JULY, END = date(2026, 1, 1), date(2026, 7, 1), date(2027, 1, 1)
WEB = [{"id": "web", "leads_per_year": 400}]


def shares(start=START, end=END, source="web", **by_rep):
    return tuple(ShareRow(source, rep, start, end, share) for rep, share in by_rep.items())


def planned(*rows, **over):
    return world(Plan("shares", shares=tuple(row for part in rows for row in part)), **{"sources": WEB, **over})


def takers(scenario, replication=0, stage_number=0):
    """Who got each lead at a stage, with its tick; "" is the pool."""
    log = the_log(scenario, replication)
    names = [*(rep.id for rep in scenario.reps), ""]
    rows = log.of(Kind.ENTER)
    rows = rows[(rows["stage"] == stage_number) & (rows["visit"] == 0)]
    return {int(row["entity"]): (int(row["time"]), names[int(row["rep"])]) for row in rows}


def test_leads_come_by_the_shares_given():
    scenario = planned(shares(ann=0.6, bob=0.3, cyd=0.1), reps=THREE)
    found = [[rep for _, rep in takers(scenario, replication).values()] for replication in range(20)]
    for name, share in (("ann", 0.6), ("bob", 0.3), ("cyd", 0.1)):
        holds([names.count(name) / len(names) for names in found], share)


def test_shares_change_on_the_day_and_end_where_none_are_given():
    scenario = planned(shares(end=date(2026, 4, 1), ann=1.0), shares(date(2026, 4, 1), JULY, bob=1.0), reps=THREE)
    bounds = [(tick - START.toordinal()) * 86_400_000 for tick in (date(2026, 4, 1).toordinal(), JULY.toordinal())]
    late = set()
    for tick, rep in takers(scenario).values():
        if tick < bounds[0]:
            assert rep == "ann"
        elif tick < bounds[1]:
            assert rep == "bob"
        else:
            late.add(rep)
    assert late == {"ann", "bob", "cyd"}


def test_moving_a_share_from_one_to_another_moves_nobody_elses_leads():
    before = takers(planned(shares(ann=0.5, bob=0.3, cyd=0.2), reps=THREE))
    after = takers(planned(shares(ann=0.5, bob=0.1, cyd=0.4), reps=THREE))
    assert before.keys() == after.keys()
    changed = {(before[lead][1], after[lead][1]) for lead in before if before[lead] != after[lead]}
    assert ("bob", "cyd") in changed
    assert not [pair for pair in changed if pair[1] == "bob"]  # whose share falls gains nothing
    kept = [lead for lead in before if before[lead][1] == after[lead][1] == "ann"]
    assert len(kept) > 0.8 * sum(rep == "ann" for _, rep in before.values())


def test_whoever_is_not_there_leaves_the_share_to_the_others():
    reps = [THREE[0], THREE[1] | {"leaves": "2026-07-01"}, THREE[2]]
    found = takers(planned(shares(ann=0.2, bob=0.6, cyd=0.2), reps=reps))
    half = (JULY.toordinal() - START.toordinal()) * 86_400_000
    late = [rep for tick, rep in found.values() if tick >= half]
    assert "bob" not in late
    assert abs(late.count("ann") / len(late) - 0.5) < 0.12


def test_only_the_role_at_the_entry_is_shared_out():
    people = [{"id": name, "team": "t", "role": role} for name, role in
              (("ann", "opener"), ("bob", "opener"), ("cyd", "closer"), ("dan", "closer"))]  # fmt: skip
    scenario = planned(
        shares(ann=1.0),
        reps=people,
        roles=[{"id": "opener"}, {"id": "closer"}],
        stages=[stage(id="open", role="opener"), stage(id="close", role="closer")],
    )
    assert {rep for _, rep in takers(scenario).values()} == {"ann"}
    assert {rep for _, rep in takers(scenario, stage_number=1).values()} == {"cyd", "dan"}


def test_regions_are_kept_unless_leads_cross_them():
    over = {
        "regions": [{"id": "N"}, {"id": "S"}],
        "teams": [{"id": "north", "region": "N"}, {"id": "south", "region": "S"}],
        "reps": [{"id": "ann", "team": "north"}, {"id": "bob", "team": "south"}],
        "sources": [{"id": "web", "leads_per_year": 400, "regions": {"N": 3, "S": 1}}],
    }
    assert {rep for _, rep in takers(planned(shares(ann=0.75, bob=0.25), **over)).values()} == {"ann", "bob"}
    with pytest.raises(InputRefused, match=r"reps of region N hold 0.5 of web .*but 0.75 of its leads come from there"):
        simulate(planned(shares(ann=0.5, bob=0.5), **over), replications=1)
    free = planned(shares(ann=0.0, bob=1.0), **over, routing={"across_regions": True})
    assert {rep for _, rep in takers(free).values()} == {"bob"}


@pytest.mark.parametrize(
    ("rows", "over", "message"),
    [
        (shares(ann=0.6, bob=0.3), {}, r"0\.9: shares of web from 2026-01-01 to 2027-01-01 must sum to 1"),
        (shares(end=JULY, ann=1.0) + shares(start=date(2026, 6, 1), bob=1.0), {}, r"2: shares of web from 2026-06-01"),
        (shares(ann=1.2, bob=-0.2), {}, r"1\.2: share must be 0 to 1"),
        (shares(ann=1.0), {"routing": {"policy": "pool"}}, "routed by pool, which leaves no room for shares"),
        (
            shares(ann=1.0),
            {"routing": {"by_source": {"web": "least_loaded"}}},
            "least_loaded.*by_source.web to even",
        ),
        (shares(ann=1.0), {"routing": {"policy": "territory"}}, "routed by territory"),
        (shares(eve=1.0), {}, "eve: is not in the scenario"),
        (shares(source="fair", ann=1.0), {}, "fair: is not in the scenario"),
    ],
)
def test_shares_that_make_no_sense_are_refused_with_the_way_out(rows, over, message):
    with pytest.raises(InputRefused, match=message):
        simulate(planned(rows, reps=THREE, **over), replications=1)


def test_a_share_of_another_role_is_refused():
    people = [{"id": "ann", "team": "t", "role": "opener"}, {"id": "cyd", "team": "t", "role": "closer"}]
    over = {"reps": people, "roles": [{"id": "opener"}, {"id": "closer"}]}
    scenario = planned(shares(ann=0.5, cyd=0.5), **over, stages=[stage(role="opener")])
    with pytest.raises(InputRefused, match="come in at a stage of the role opener; cyd is closer"):
        simulate(scenario, replications=1)


def test_a_lead_that_is_worked_lane_by_lane_has_the_same_taker():
    """Without shares for a region's only rep its leads go to the pool; the engines agree (see the_log)."""
    scenario = planned(shares(ann=1.0), reps=THREE, stages=[stage(effort_hours=fixed(3), conversion=0.4)])
    assert {rep for _, rep in takers(scenario).values()} == {"ann"}
    by_rep = simulate(scenario, replications=3)["rep"].total("leads")
    assert (by_rep[:, 0] > 0).all()
    assert (by_rep[:, 1:] == 0).all()


# Plans


@pytest.fixture(scope="module")
def shared():
    """The starter company: one of each region gets two fifths of its online leads, all others the rest evenly."""
    starter = ql.load("starter")
    start, end = starter.calendar.start, starter.calendar.end
    mix = region_mix(starter, next(source for source in starter.sources if source.id == "online"))
    by_region: dict[str, list[str]] = {}
    for rep in starter.reps:
        by_region.setdefault(region_of(starter, rep.id), []).append(rep.id)
    given = {}
    for region, reps in by_region.items():
        given |= {rep: mix[region] * 0.6 / (len(reps) - 1) for rep in reps[1:]} | {reps[0]: mix[region] * 0.4}
    rows = shares(start, end, "online", **given)
    plan = today_plan(starter).with_rows(shares=rows)
    assert not list(plan_problems(plan, starter))
    return starter.with_plan(plan)


def firsts(scenario) -> list[str]:
    """The first rep of each region."""
    found: dict[str, str] = {}
    for rep in scenario.reps:
        found.setdefault(region_of(scenario, rep.id), rep.id)
    return list(found.values())


def test_plans_that_start_from_shares_keep_them(shared, tmp_path: Path):
    found = estimate(shared, simulate(shared, replications=20))
    result = allocate(shared, found)
    assert result.plan.shares == shared.plan.shares
    for made in baselines(shared, found, ["equal", "greedy_owners"]).values():
        assert made.shares == shared.plan.shares
    assert read_plan(write_plan(result.plan, tmp_path / "plan", "CNY"), shared) == result.plan
    # Who gets which leads makes potentials, so that whoever compares with today is told.
    (note,) = [note for note in result.notes if note.startswith("potentials are estimated")]
    key, fields = phrase("note", note)
    assert key is not None
    assert fields == {"plan": shared.plan.name}
    row = result.plan.shares[0]
    assert figures(result.plan)[f"share.online.{row.rep}.{row.start}"] == f"{row.share:g}"


def test_more_leads_for_one_are_sales_that_another_lacks(shared):
    with_shares = simulate(shared, replications=20)
    without = simulate(shared.with_plan(today_plan(shared)), replications=20)
    chosen = firsts(shared)
    cubes = [one["rep"] for one in (with_shares, without)]
    leads = [dict(zip(cube.keys, cube.total("leads").mean(axis=0), strict=True)) for cube in cubes]
    assert all(leads[0][rep] > leads[1][rep] for rep in chosen)
    assert sum(leads[0][rep] for rep in chosen) > 1.1 * sum(leads[1][rep] for rep in chosen)
    assert np.array_equal(cubes[0].total("leads").sum(axis=1), cubes[1].total("leads").sum(axis=1))


def test_the_mix_of_sources_follows_the_shares(shared):
    chosen = firsts(shared)[0]
    region = region_of(shared, chosen)
    beside = [rep.id for rep in shared.reps if region_of(shared, rep.id) == region]
    weights = {rep.id: rep.lead_weight for rep in shared.reps}
    factor = share_factors(shared, shared.plan)[chosen]["online"]
    assert factor == pytest.approx(0.4 * sum(weights[rep] for rep in beside) / weights[chosen])
    other = share_factors(shared, shared.plan)[beside[1]]["online"]
    assert other == pytest.approx(0.6 / (len(beside) - 1) * sum(weights[rep] for rep in beside) / weights[beside[1]])
    assert share_factors(shared, today_plan(shared)) == {}
    even, more = lead_mixes(shared, region), lead_mixes(shared, region, {"online": factor})
    assert sum(mix.weight for mix in more) == pytest.approx(1.0)
    assert max(mix.weight for mix in more) > max(mix.weight for mix in even)


def test_half_a_year_of_shares_counts_half(shared):
    start, end = shared.calendar.start, shared.calendar.end
    middle = start + (end - start) / 2
    rows = [ShareRow(row.source, row.rep, start, middle, row.share) for row in shared.plan.shares]
    plan = shared.plan.with_rows(shares=rows)
    whole = share_factors(shared, shared.plan)[rows[0].rep]["online"]
    assert abs(whole - 1) > 0.05
    days = (middle - start).days / (end - start).days
    assert share_factors(shared, plan)[rows[0].rep]["online"] == pytest.approx(days * whole + 1 - days)
    assert len(list(stretches(plan, "online"))) == 1
