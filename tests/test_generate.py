"""The invented companies: the shipped files are the generator's own, and say what they are meant to say."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

import quotalab as ql
from scenarios.base import MINOR_PER_MAJOR
from scenarios.drawn_blueprints import drawn_blueprint
from scenarios.files import from_document, library, load
from scenarios.generate import company, national, starter, write_library
from scenarios.scenario import Scenario
from scenarios.starter_tables import DEAL_MEAN, REPS, STAGES, STARTER
from sim.outcome import Outcome
from sim.run import simulate
from sim.statistics import Interval, mean_interval

SHIPPED = Path(__file__).parents[1] / "scenarios" / "library" / "starter"


@pytest.fixture(scope="module")
def world() -> Scenario:
    return starter()


@pytest.fixture(scope="module")
def years(world: Scenario) -> Outcome:
    return simulate(world, replications=2000, workers=2)


def surely_inside(interval: Interval, low: float, high: float) -> bool:
    return low < interval.low and interval.high < high


def test_the_shipped_files_are_the_generators_own_byte_for_byte(tmp_path: Path) -> None:
    write_library(tmp_path)
    for name in ("starter", "motivation"):
        written = {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        assert written == {path.name: path.read_bytes() for path in (SHIPPED.parent / name).iterdir()}


def test_the_people_of_the_table(world: Scenario) -> None:
    assert len(world.reps) == 12
    assert [rep.id for rep in world.reps if rep.team == "East"] == ["E1", "E2", "E3", "E4", "E5"]
    assert world.reps[0].name == "陈立"
    assert sum(rep.quota or 0 for rep in world.reps) == 28_400_000 * MINOR_PER_MAJOR
    assert sum(rep.last_sales or 0 for rep in world.reps) == 25_400_000 * MINOR_PER_MAJOR
    for row, rep in zip(REPS, world.reps, strict=True):
        selling = [level for skill, level in rep.skills.items() if skill != "learning_ability"]
        assert sum(selling) / 4 == pytest.approx(row.skill, abs=0.05)


def test_the_accounts_of_the_table(world: Scenario) -> None:
    assert Counter(account.tier for account in world.accounts) == {"A": 9, "B": 18, "C": 33}
    owned = Counter((account.owner, account.tier) for account in world.accounts)
    for row in REPS:
        counts = tuple(owned[row.id, tier] for tier in "ABC")
        # S4 joins in March; the two C accounts meant for S4 are with S1 until then.
        assert counts == {"S1": (2, 2, 4), "S4": (0, 0, 0)}.get(row.id, row.accounts)
    assert len({account.name for account in world.accounts}) == 60
    assert all(account.city and account.city in account.name and account.industry for account in world.accounts)
    regions = {team.id: team.region for team in world.teams}
    teams = {rep.id: rep.team for rep in world.reps}
    assert all(regions[teams[account.owner or ""]] == account.region for account in world.accounts)
    assert all((account.potential or 0) >= (account.sales_last or 0) for account in world.accounts)


def test_the_planted_faults(world: Scenario) -> None:
    owed = {tier.id: tier.care_hours_per_year for tier in world.tiers}
    short = {a.owner for a in world.accounts if a.care_hours is not None and a.care_hours < owed[a.tier]}
    assert short == {"E4"}
    assert {a.tier for a in world.accounts if a.care_hours is not None} == {"C"}
    hours = {stage.id: stage.effort_hours.mean_value() for stage in world.stages if not stage.after_win}
    delays = {stage.id: stage.delay_days.mean_value() for stage in world.stages if stage.delay_days}
    assert max(hours, key=lambda stage: hours[stage]) == max(delays, key=lambda stage: delays[stage]) == "proposal"
    growth = {rep.id: rep.quota / rep.last_sales - 1 for rep in world.reps if rep.quota and rep.last_sales}
    assert all(0.05 < rise < 0.12 for rise in growth.values())


def test_a_year_of_today_lies_in_the_plausible_bands(world: Scenario, years: Outcome) -> None:
    """Outside them the company is mis-tuned: rescale lead counts, never conversions or quotas."""
    rep = years["rep"]
    sales, wins = rep.total("revenue"), rep.company("new_customers")
    hits = (sales >= np.array([rep.quota for rep in world.reps])).mean(axis=1)
    workload = rep.total("busy_ticks") / rep.total("available_ticks")
    assert surely_inside(mean_interval(sales.sum(axis=1) / (1e6 * MINOR_PER_MAJOR)), 26, 29)
    assert surely_inside(mean_interval(hits), 0.40, 0.50)
    assert surely_inside(mean_interval(wins), 85, 105)
    assert surely_inside(mean_interval(wins / rep.company("leads")), 0.04, 0.05)
    assert all(surely_inside(mean_interval(load), 0.68, 0.95) for load in workload.T)


@pytest.mark.slow
def test_the_gain_over_the_best_simple_rule_is_plausible(world: Scenario) -> None:
    plans = {"strong": ql.baselines(world)["strong"], "plan": ql.allocate(world).plan}
    found = ql.compare({name: world.with_plan(plan) for name, plan in plans.items()}, replications=600)
    gain = found.difference("plan", "sales", against="strong").interval
    company = 26e6 * MINOR_PER_MAJOR
    assert 0 < gain.low < gain.high < 0.04 * company


def test_the_opening_pipeline(world: Scenario) -> None:
    at = Counter(item.stage for item in world.pipeline)
    assert [at[stage.id] for stage in STAGES if stage.open] == [27, 20, 25, 22, 9, 7]
    assert all(item.created <= (item.entered_stage or item.created) < world.calendar.start for item in world.pipeline)
    assert "S4" not in {item.owner for item in world.pipeline}
    for stage in STAGES:
        values = [item.value.major for item in world.pipeline if item.stage == stage.id and item.value]
        assert not values or abs(sum(values) / len(values) - DEAL_MEAN) < 500


def test_the_year_has_the_working_days_of_china_2026(world: Scenario) -> None:
    calendar = world.calendar
    days = [calendar.start + timedelta(days=at) for at in range((calendar.end - calendar.start).days)]
    worked = [day in calendar.working_days or (day.weekday() < 5 and day not in calendar.holidays) for day in days]
    assert sum(worked) == 248
    assert all(day.weekday() >= 5 for day in calendar.working_days)
    leave: Counter[str] = Counter()
    for absence in world.absences:
        span = (absence.last - absence.first).days + 1
        leave[absence.rep] += sum(worked[days.index(absence.first + timedelta(days=at))] for at in range(span))
    assert all(8 <= leave[rep.id] <= 15 for rep in world.reps if rep.hired is None)
    assert min(absence.first for absence in world.absences if absence.rep == "S4") >= date(2026, 3, 2)


def test_the_mean_deal(world: Scenario) -> None:
    """Standard and key product in their mix, each with the service at 35 %: 140,000 CNY."""
    value = {product.id: product.value.mean_value() for product in world.products}
    mix = world.sources[0].products
    main = sum(value[product] * share for product, share in mix.items()) / sum(mix.values())
    assert main + 0.35 * value["service"] == pytest.approx(140_000, rel=0.01)


def test_a_blueprint_fixes_every_byte() -> None:
    assert company(STARTER).fingerprint() == starter().fingerprint()
    one, again = (national(seed).fingerprint() for seed in (3, 3))
    assert one == again != national(4).fingerprint()


def test_a_national_company() -> None:
    world = national()
    assert (len(world.reps), len(world.accounts)) == (200, 5_000)
    assert from_document(world.document()) == world
    assert {team.region for team in world.teams} == {region.id for region in world.regions}
    assert {rep.id for rep in world.reps} == {account.owner for account in world.accounts}
    quotas = sum(rep.quota or 0 for rep in world.reps) / MINOR_PER_MAJOR
    assert quotas == pytest.approx(1.05 * (world.goals.targets[0].target or 0), rel=0.001)


@pytest.mark.parametrize(("reps", "accounts"), [(80, 200), (130, 1_001), (400, 10_000)])
def test_sizes_are_exact(reps: int, accounts: int) -> None:
    blueprint = drawn_blueprint("any", 5, reps, accounts, presales=0)
    assert len(blueprint.reps) == reps
    assert sum(sum(row.accounts) for row in blueprint.reps) == accounts
    assert min(min(row.accounts) for row in blueprint.reps) >= 0
    assert sum(region.share for region in blueprint.regions) == pytest.approx(1, abs=1e-5)


def test_the_starter_loads_quickly_by_its_name(world: Scenario) -> None:
    assert load("starter") == world


def test_the_large_companies_are_in_the_library(tmp_path: Path) -> None:
    assert {"national", "enterprise", "starter"} <= set(library())
    found = load("national", ["seed=5"])
    assert (found.seed, len(found.accounts)) == (5, 5_000)
    assert load("national") == national()
    child = tmp_path / "mine.yaml"
    child.write_text("extends: national\nname: mine\nchanges: [{set: goals.history_growth, to: 0.02}]\n", "utf-8")
    assert load(child).goals.history_growth == 0.02
    told = {row.path: row.grade for row in found.provenance}
    assert told["account_physics.handover_loss"] == "prior"
    assert told["reps"] == "assumed"


@pytest.mark.slow
def test_a_national_year_is_plausible() -> None:
    rep = simulate(national(), replications=1)["rep"]
    workload = rep.total("busy_ticks")[0] / rep.total("available_ticks")[0]
    assert 0.6 < workload.min() < workload.max() < 0.95
    assert 0.75 < workload.mean() < 0.82
    assert 0.03 < rep.company("new_customers")[0] / rep.company("leads")[0] < 0.06


@pytest.mark.slow
def test_an_enterprise_builds_and_runs() -> None:
    """A fortnight from the first day: everybody has work, and nobody more than there is time."""
    world = load("enterprise", ["calendar.end=2026-01-15", "absences=[]"])
    assert (len(world.reps), len(world.accounts)) == (5_000, 50_000)
    rep = simulate(world, replications=1)["rep"]
    busy, there = rep.total("busy_ticks")[0], rep.total("available_ticks")[0]
    assert (busy <= there).all()
    assert (busy > 0).mean() > 0.99
    assert rep.company("orders")[0] > 0
