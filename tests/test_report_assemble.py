"""From simulated years to the figures of a report, on a company of three reps."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import get_args

import numpy as np
import pytest

from experiments.measures import plan_measures
from experiments.money import Language
from experiments.prove import best_rule
from experiments.report.assemble import UNITS
from experiments.report.evidence import PLAN, TODAY, Evidence, gather
from experiments.report.pages import audit as audit_page
from experiments.report.render import assemble, render
from experiments.report.wording import wording
from experiments.runs import Runs
from experiments.smart import smart_quotas
from experiments.uncertainty import gain_range
from experiments.whatif import what_if
from experiments.words import table
from history.diagnosis.stages import early_share
from optimize import waterfall as bars
from optimize.allocate import allocate
from optimize.audit import RuleRow, audit
from optimize.baselines.plans import baselines
from optimize.explanation import explain_plan
from optimize.fairness_measures import Unit
from optimize.formulate import formulate
from optimize.plans import decisions_of, quotas_of
from optimize.response.estimate import estimate
from optimize.rules import rule_name
from scenarios.base import Minor
from scenarios.errors import InputRefused
from scenarios.goals import (
    DEFAULT_RULES,
    EqualOdds,
    GiniBound,
    GroupParity,
    GrowthLimits,
    MinimumAttainment,
    PotentialBand,
    Spread,
    TrainingFloor,
    WorstOff,
)
from scenarios.plan import OwnerRow
from scenarios.scenario import Provenance, Scenario
from scenarios.today import today_plan

YEARS = 16


@pytest.fixture(scope="module")
def loose(tiny: Scenario) -> Scenario:
    """The tiny company under rules that leave room, with one parameter that nobody measured."""
    allocation = tiny.allocation.model_copy(
        update={"rules": (PotentialBand(tolerance=0.8), GrowthLimits(floor=-0.9, cap=3))}
    )
    assumed = Provenance(path="reps.E1.skills", value="72", source="guess", grade="assumed", trust="low")
    measured = Provenance(path="stages.talk", source="export", grade="measured", trust="high")
    return tiny.model_copy(update={"allocation": allocation, "provenance": (assumed, measured)})


@pytest.fixture(scope="module")
def found(loose: Scenario) -> Evidence:
    world = loose.with_plan(today_plan(loose))
    learning = Runs(YEARS, 7, first=1_000)
    responses = estimate(world, learning.outcome(world))
    result = allocate(world, responses)
    # A move is put in by hand, so that handovers are always in the report.
    owners = tuple(
        OwnerRow(row.account, "E3" if row.account == "A0" else row.rep, row.start) for row in result.plan.owners
    )
    result = replace(result, plan=result.plan.with_rows(owners=owners))
    runs = Runs(YEARS, 7)
    more_leads = loose.model_copy(
        update={"sources": tuple(source.model_copy(update={"leads_per_year": 500.0}) for source in loose.sources)}
    )
    answer = what_if("more leads", world, more_leads, runs)
    rules = baselines(world, responses)
    return gather(loose, result, responses, rules, runs, what_ifs=[answer], manifest={"quotalab": "0"})


def test_quotas_potentials_and_sales_are_those_of_the_plan(found: Evidence) -> None:
    given = assemble(found)
    sales = found.outcomes[PLAN]["rep"].total("revenue")
    assert given.quota_sum == sum(found.allocation.plan.quotas("revenue").values())
    assert {rep.id: rep.quota for rep in given.reps} == found.allocation.plan.quotas("revenue")
    assert [rep.expected for rep in given.reps] == sales.mean(axis=0).tolist()
    assert given.plan.expected.estimate == sales.sum(axis=1).mean()
    hits = [rep.chance.estimate for rep in given.reps if rep.chance is not None]
    assert given.plan.hit_rate is not None
    assert given.plan.hit_rate.estimate == pytest.approx(sum(hits) / len(hits), abs=1e-12)
    assert given.today.sales_at_risk == 0.0


def test_growth_is_one_figure_in_the_rules_and_in_the_checks_of_quotas(loose: Scenario, found: Evidence) -> None:
    """An account's history follows it, so that a limit on growth and the growth beside it are one figure."""
    accounts = tuple(account.model_copy(update={"sales_last": Minor(9_000_000)}) for account in loose.accounts)
    world = loose.model_copy(update={"accounts": accounts})
    world, plan, runs = world.with_plan(found.plans[TODAY]), found.plans[PLAN], Runs(4, 7)
    problem, outcome = formulate(world, estimate(world, runs.outcome(world))), runs.outcome(world, plan)
    rows = audit(problem, decisions_of(problem, plan), quotas_of(problem, plan))
    by_rule = {row.subject: row.actual for row in rows if row.rule in ("growth_cap", "growth_floor")}
    checked = {one.rep: one.growth for one in smart_quotas(world, plan, outcome) if one.metric == "revenue"}
    measured = {rep.rep: rep.growth for rep in plan_measures(world, plan, outcome).reps}
    assert {"E1", "E3"} & set(by_rule), "somebody whose accounts change"
    for rep, growth in by_rule.items():
        for told in (checked, measured):
            assert told[rep] == pytest.approx(growth, abs=1e-9)


def test_sales_at_risk_of_the_moves_tie_with_the_tile(found: Evidence) -> None:
    given = assemble(found)
    before = found.outcomes[TODAY]["account"]
    mean = before.total("revenue").mean(axis=0)[before.keys.index("A0")]
    assert [(move.account, move.giver, move.taker) for move in given.moves if move.account == "A0"] == [
        ("A0", "E1", "E3")
    ]
    assert next(move for move in given.moves if move.account == "A0").sales_at_risk == round(0.15 * mean)
    assert given.plan.sales_at_risk == sum(move.sales_at_risk for move in given.moves)
    gained = {rep.id: rep.gains for rep in given.reps}
    assert "A0" in gained["E3"]


def test_gain_parts_are_paired_and_sum_to_the_difference_of_the_means(found: Evidence) -> None:
    given = assemble(found)
    sales = {name: outcome["rep"].company("revenue").mean() for name, outcome in found.outcomes.items()}
    for column, reference in ((given.gain.against_rule, found.best_rule), (given.gain.against_today, TODAY)):
        assert column.total.estimate == pytest.approx(sales[PLAN] - sales[reference], abs=0.5)
        assert "quotas" not in dict(column.parts)
    assert given.gain.rule_over_today.estimate == pytest.approx(sales[found.best_rule] - sales[TODAY], abs=0.5)


def test_the_first_page_says_what_parameter_errors_cost(found: Evidence, loose: Scenario) -> None:
    assert assemble(found).how_sure.error_cost is None, "not assessed"
    gain, years = gain_range(loose, found.plans[PLAN], found.plans[TODAY], draws=10, each=2, seed=7)
    cost = assemble(replace(found, uncertainty=(gain, years))).how_sure.error_cost
    assert cost is not None
    assert cost.estimate == pytest.approx(years.shift.estimate / years.mean.estimate)
    assert cost.low < cost.estimate < cost.high


def test_best_rule_is_chosen_inside_the_fairness_rules(found: Evidence) -> None:
    rules = {name: plan for name, plan in found.plans.items() if name not in (TODAY, PLAN)}
    within = {name: plan for name, plan in rules.items() if name not in found.rule_breakers} or rules
    assert found.best_rule == best_rule("sales", within, found.outcomes)
    free = best_rule("sales", rules, found.outcomes)
    assert found.outcomes[free]["rep"].company("revenue").mean() == max(
        found.outcomes[name]["rep"].company("revenue").mean() for name in rules
    )


def test_every_plan_is_listed_with_what_this_plan_sells_more(found: Evidence) -> None:
    given = assemble(found)
    assert [row.kind for row in given.plans] == list(found.plans)
    assert {row.kind for row in given.plans if not row.within_rules} == set(found.rule_breakers)
    assert [row.kind for row in given.plans if row.gain is None] == [PLAN]


def test_a_difference_has_one_interval_wherever_the_report_shows_it(found: Evidence) -> None:
    given = assemble(found)
    gain = {row.kind: row.gain for row in given.plans}
    assert gain[found.best_rule] == given.gain.against_rule.total
    assert gain[TODAY] == given.gain.against_today.total
    same_world = [name for name in found.plans if found.outcomes[name] is found.outcomes[TODAY]]
    assert len(same_world) > 1
    assert {gain[name] for name in same_world} == {gain[TODAY]}


def test_accounts_that_get_other_care_are_counted(found: Evidence) -> None:
    before = {row.account: row.hours for row in found.plans[TODAY].care}
    care = found.plans[PLAN].care
    told = sum(abs(row.hours - before[row.account]) >= 1 for row in care)
    assert assemble(found).care_changes == told
    changed = found.plans[PLAN].with_rows(
        care=[replace(care[0], hours=before[care[0].account] + 1), *found.plans[TODAY].care[1:]]
    )
    assert assemble(replace(found, plans={**found.plans, PLAN: changed})).care_changes == 1


def test_the_plans_own_quota_sum_is_a_row_of_the_trade_table(found: Evidence) -> None:
    assert [trade.is_plan for trade in assemble(found).trades] == [True, False, False, False]
    plan = found.allocation.plan
    more = tuple(replace(row, value=row.value + 12_345) for row in plan.targets)
    odd = replace(found, plans={**found.plans, PLAN: plan.with_rows(targets=more)})
    own = [trade for trade in assemble(odd).trades if trade.is_plan]
    assert [trade.quota_sum for trade in own] == [sum(row.value for row in more)]


def test_model_value_and_simulated_value_are_kept_apart(found: Evidence) -> None:
    promise = assemble(found).promise
    quotas = found.allocation.plan.quotas("revenue")
    cube = found.outcomes[PLAN]["rep"]
    capped = np.minimum(cube.total("revenue"), np.array([quotas[rep] for rep in cube.keys])).sum(axis=1)
    assert promise.simulated.estimate == pytest.approx(capped.mean(), rel=1e-12)
    assert promise.model == found.allocation.model_value


def test_care_given_is_what_the_owner_finds_time_for(found: Evidence) -> None:
    rows = {(row.owner, row.tier): row for row in assemble(found).care}
    cube = found.outcomes[PLAN]["account"]
    done, asked = (cube.total(metric).sum(axis=0) for metric in ("care_ticks", "care_planned_ticks"))
    owners = found.allocation.plan.owner_of()
    for (rep, _), row in rows.items():
        columns = [at for at, account in enumerate(cube.keys) if owners[account] == rep]
        assert row.owed == 20.0 * len(columns)
        assert row.given == pytest.approx(sum(20.0 * done[at] / asked[at] for at in columns))


def test_only_assumed_parameters_are_counted(found: Evidence) -> None:
    assert [item.path for item in assemble(found).assumptions] == ["reps.E1.skills"]
    assert "Parameters assumed, not measured: 1 (reps.E1.skills)" in render(assemble(found), pages=("front",))


def test_early_share_needs_a_calendar_year_of_months(found: Evidence) -> None:
    assert early_share(found.outcomes[PLAN]) is None
    outcome = found.outcomes[PLAN]
    cube = outcome["rep"]
    labels = tuple(f"2026-{month:02}" for month in range(1, 13))
    values = np.ones((*cube.values.shape[:3], 12), dtype=np.int64)
    year = replace(outcome, cubes={**outcome.cubes, "rep": replace(cube, periods=labels, values=values)})
    assert early_share(year) == pytest.approx(2 / 12)


def test_what_ifs_say_whose_hours_they_take(found: Evidence) -> None:
    case = assemble(found).what_ifs[0]
    priced = found.what_ifs[0]
    assert case.hours == pytest.approx(sum(priced.hours_by_rep.values()))
    assert dict(case.costs) == {"leads": priced.full_cost}
    assert {rep for rep, _ in case.whose} <= {"E1", "E2", "E3"}


@pytest.mark.parametrize(("language", "people"), list(product(("en", "zh"), ("named", "pseudonym", "aggregate"))))
def test_real_evidence_renders_in_every_edition(found: Evidence, language: str, people: str) -> None:
    html = render(assemble(found), language, people=people)
    assert "None" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    assert ("陈立" in html) == (people == "named")


def test_the_same_evidence_makes_the_same_bytes(found: Evidence) -> None:
    assert render(assemble(found)) == render(assemble(found))


def test_a_plan_without_simple_rules_beside_it_is_refused(found: Evidence, loose: Scenario) -> None:
    with pytest.raises(InputRefused, match="beside simple rules"):
        gather(loose, found.allocation, None, {}, Runs(4, 7))  # type: ignore[arg-type]


def test_every_phrase_of_the_allocator_has_words() -> None:
    keys = table()
    every_rule = (
        *DEFAULT_RULES,
        EqualOdds(),
        GiniBound(),
        GroupParity(),
        MinimumAttainment(),
        Spread(maximum=1),
        TrainingFloor(hours=1),
        WorstOff(),
    )
    for rule in every_rule:
        for name in rule_name(rule):
            assert f"rule.{name}" in keys
    assert {f"factor.{factor}" for factor in bars.FACTORS} <= set(keys)


def test_every_row_of_the_audit_has_words_and_a_known_unit(found: Evidence) -> None:
    rows = found.allocation.rule_rows
    assert set(UNITS) == set(get_args(Unit))
    assert {row.unit for row in rows} <= set(UNITS)
    assert {f"rule.{row.rule}" for row in rows} <= set(table())
    assert {f"plan.{name}" for name in found.plans} <= set(table())
    assert {f"note.{text}" for text in found.allocation.notes} <= set(table())


def test_cards_tell_the_person_s_part_that_an_explanation_tells(found: Evidence, loose: Scenario) -> None:
    world = loose.with_plan(today_plan(loose))
    responses = estimate(world, Runs(YEARS, 7, first=1_000).outcome(world))
    told = {row.rep: row for row in explain_plan(loose, responses, found.allocation.plan, reps=[]).bases}
    assert told
    assert {rep.id: rep.basis for rep in assemble(found).reps} == told
    assert sum(row.skill for row in told.values()) == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_row_of_every_unit_is_shown(found: Evidence, language: Language) -> None:
    """Whatever a rule is told in, a report has words for it; money is money in either unit."""
    rows = [RuleRow("training_money", f"R{i}", 0.25, 0.2, unit, True) for i, unit in enumerate(get_args(Unit))]
    rows.append(RuleRow("training_money", "company", 100_000.0, 99_000.0, "currency", True))
    rows.append(RuleRow("training_money", "company", 10_000_000.0, 9_900_000.0, "minor", True))
    given = assemble(replace(found, allocation=replace(found.allocation, rule_rows=tuple(rows))))
    shown = audit_page(given, wording(given, language))["rows"]
    assert len(shown) == len(rows)
    assert all(row["limit"] and row["actual"] for row in shown)
    assert [shown[-1][name] for name in ("limit", "actual")] == [shown[-2][name] for name in ("limit", "actual")]
