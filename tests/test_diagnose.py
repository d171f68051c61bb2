"""The diagnosis finds what was planted, in the past and in a simulated plan, and says nothing where nothing is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from history.crm import History, read_history
from history.diagnosis.activities import activity_table
from history.diagnosis.care import care_by_owner
from history.diagnosis.diagnose import Finding, diagnose, diagnose_scenario, stage_table
from history.diagnosis.funnel import activity_findings
from history.synthetic import write_events, write_opportunities
from scenarios.errors import InputRefused
from scenarios.files import changed, from_document, load
from scenarios.plan import CareRow, QuotaRow
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.outcome import Outcome
from sim.run import simulate

FUNNEL = {"submitted": 0.56, "preaccepted": 0.60, "accepted": 0.97, "offer sent": 0.66, "sent back": 0.70}


def found(findings: list[Finding] | tuple[Finding, ...], kind: str) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings if finding.kind == kind}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> History:
    planted = write_events(tmp_path_factory.mktemp("log") / "events.csv.gz", 3000, rep_spread_points=15.0, seed=5)
    return read_history(planted.path, "bpic2012")


@pytest.fixture(scope="module")
def starter() -> Scenario:
    return load("starter")


@pytest.fixture(scope="module")
def years(starter: Scenario) -> Outcome:
    return simulate(starter, replications=300, workers=2)


@pytest.fixture(scope="module")
def played(tiny: Scenario) -> Outcome:
    return simulate(tiny, replications=6)


# ---- the past ---------------------------------------------------------------------------------------------------


def test_leaks_of_an_event_log_add_up(log: History) -> None:
    table = diagnose(log).leaks.set_index("stage")
    deals = log.opportunities
    assert set(table.index) == set(FUNNEL)
    assert int(table["lost"].sum()) == int((deals["outcome"] == "lost").sum())
    lost_value = int(deals["value_minor"][deals["outcome"] == "lost"].sum())
    assert int(table["lost_value_minor"].sum()) == lost_value
    onward = np.prod([table.loc[stage, "conversion"] for stage in ("accepted", "offer sent", "sent back")])
    row = table.loc["preaccepted"]
    assert row["forgone_minor"] == pytest.approx(row["lost_value_minor"] * onward, rel=1e-6)
    won = int(deals["value_minor"][deals["outcome"] == "won"].sum())
    assert row["gain_per_point_minor"] == pytest.approx(won * 0.01 / row["conversion"], rel=1e-6)
    hours = log.work["hands_on_ms"].sum() / 3_600_000
    assert table["hands_on_hours"].sum() == pytest.approx(hours, rel=1e-3)


def test_findings_of_an_event_log_name_the_stage(log: History) -> None:
    result = diagnose(log)
    assert list(found(result.findings, "slowest_stage")) == ["offer sent"]
    top = result.leaks["stage"].iloc[0]
    assert list(found(result.findings, "leak")) == [top]
    order = ["strong", "moderate", "weak", "none"]
    ranks = [order.index(finding.strength) for finding in result.findings]
    assert ranks == sorted(ranks)
    for finding in result.findings:
        assert finding.text("zh") != finding.text("en")
        assert any("一" <= sign <= "鿿" for sign in finding.chinese)
    activity = [finding for finding in result.findings if finding.kind == "activity"]
    assert activity
    assert all("correlation: " in finding.english and "只是相关性" in finding.chinese for finding in activity)


def stage_of_reps(minutes: list[float], conversion: list[float]) -> pd.DataFrame:
    """Activities of twelve reps at one stage."""
    reps = [f"R{number:02d}" for number in range(len(minutes))]
    return pd.DataFrame(
        {"stage": "talk", "rep": reps, "cases": 50, "hands_on_minutes": minutes, "conversion": conversion}
    )


def test_work_that_goes_with_conversion_is_told_and_chance_is_not() -> None:
    rates = [0.30 + 0.02 * number for number in range(12)]
    (together,) = activity_findings(stage_of_reps([float(number) for number in range(12)], rates))
    assert "go together (rank correlation +1.00)" in together.english
    assert together.strength == "weak", "however clear, it is correlation"
    (against,) = activity_findings(stage_of_reps([float(12 - number) for number in range(12)], rates))
    assert "go against each other" in against.english
    (chance,) = activity_findings(stage_of_reps([float(number * 5 % 12) for number in range(12)], rates))
    assert "no clear relation" in chance.english
    assert chance.strength == "none"
    few = stage_of_reps([float(number) for number in range(7)], rates[:7])
    assert not activity_findings(few), "seven reps are too few to say anything"


def test_capability_is_shrunken_and_only_where_reps_differ(log: History) -> None:
    table = diagnose(log).capability
    effects = table.groupby("stage")["effect"].agg(lambda column: float(column.abs().max()))
    assert effects["preaccepted"] > 0.1
    assert all(effects[stage] == 0 for stage in FUNNEL if stage != "preaccepted")
    rows = table[table["stage"] == "preaccepted"]
    mean = np.average(rows["rate"], weights=rows["decided"])
    assert (rows["effect"].abs() <= (rows["rate"] - mean).abs() + 1e-9).all()


def test_an_opportunity_list_has_one_leak_and_no_rep_to_blame(tmp_path: Path) -> None:
    planted = write_opportunities(tmp_path, 2500, seed=2)
    result = diagnose(read_history(planted.path, "maven"))
    assert list(result.leaks["stage"]) == ["all"]
    deals = result.overall.iloc[0]
    # Lost deals of this export have no value: the mean order value stands in.
    assert result.leaks["lost_value_minor"].iloc[0] == pytest.approx(
        deals["lost"] * deals["order_value_minor"], rel=1e-6
    )
    assert not found(result.findings, "leak")
    assert found(result.findings, "rep_spread")["rep"].strength == "none"
    assert set(result.units) == {"rep", "team", "region", "account", "segment", "product"}
    assert not result.capability["reported"].any()


# ---- a simulated plan ---------------------------------------------------------------------------------------------


def test_the_faults_planted_in_the_starter_world_are_found(starter: Scenario, years: Outcome) -> None:
    findings = diagnose_scenario(starter, years)
    assert next(iter(found(findings, "overloaded"))) == "E1"
    over, under = found(findings, "over_quota"), found(findings, "under_quota")
    assert {"E1", "E3", "S3"} <= set(over)
    assert all(over[rep].evidence["chance"] < 0.35 for rep in ("E1", "E3", "S3"))
    assert "E5" in under
    care = found(findings, "under_served")
    assert "E4/C" in care
    assert care["E4/C"].evidence["ratio"] < 0.8
    assert list(found(findings, "slowest_stage")) == ["proposal"]
    assert list(found(findings, "ramping")) == ["S4"]
    assert found(findings, "season")["company"].evidence["share"] < 0.125


def with_sales(outcome: Outcome, sales: np.ndarray) -> Outcome:
    """The outcome with these sales [replication, rep] in its first period and none later."""
    cube = outcome["rep"]
    values = cube.values.copy()
    values[cube.metrics.index("revenue")] = 0
    values[cube.metrics.index("revenue"), :, :, 0] = sales
    return replace(outcome, cubes={**outcome.cubes, "rep": replace(cube, values=values)})


def test_quotas_are_judged_against_the_company_and_the_noise(tiny: Scenario, played: Outcome) -> None:
    plan = today_plan(tiny)
    quotas = np.array([plan.quotas()[rep.id] for rep in tiny.reps], dtype=float)
    wobble = np.linspace(0.98, 1.02, 6)[:, None]
    fair = with_sales(played, (quotas * wobble).astype(np.int64))
    assert not [f for f in diagnose_scenario(tiny, fair) if f.kind.endswith("quota")]
    skewed = quotas * np.array([0.8, 1.0, 1.3])
    sure = with_sales(played, (skewed * wobble).astype(np.int64))
    findings = diagnose_scenario(tiny, sure)
    company = quotas.sum() / skewed.sum()
    over, under = found(findings, "over_quota"), found(findings, "under_quota")
    assert set(over) == {"E1"}
    assert set(under) == {"E3"}
    assert over["E1"].evidence["ratio_to_company"] == pytest.approx(1 / 0.8 / company, rel=1e-5)
    assert over["E1"].strength == "strong"
    assert over["E1"].evidence["chance"] == 0
    noisy = np.array([0.1, 2.0, 0.3, 1.9, 0.2, 1.5])[:, None]
    unsure = with_sales(played, (skewed * noisy).astype(np.int64))
    assert not [f for f in diagnose_scenario(tiny, unsure) if f.kind.endswith("quota")]


def test_care_workload_and_ramp_follow_the_plan(tiny: Scenario, played: Outcome) -> None:
    assert not found(diagnose_scenario(tiny, played), "under_served")
    plan = today_plan(tiny)
    care = [CareRow(row.account, 6.0 if row.account in ("A2", "A3") else row.hours) for row in plan.care]
    scenario = tiny.with_plan(plan.with_rows(care=care))
    findings = diagnose_scenario(scenario, simulate(scenario, replications=2))
    assert set(found(findings, "under_served")) == {"E2/A"}
    assert found(findings, "under_served")["E2/A"].evidence["owed_hours"] == 40
    busy = changed(tiny, ["sources.线上.leads_per_year*=4", "reps.E3.hired=2025-11-20"])
    findings = diagnose_scenario(busy, simulate(busy, replications=2))
    assert found(findings, "overloaded")
    assert list(found(findings, "ramping")) == ["E3"]
    assert not found(diagnose_scenario(tiny, played), "ramping")


def told(scenario: Scenario, replications: int = 40) -> list[str]:
    return [finding.english for finding in diagnose_scenario(scenario, simulate(scenario, replications=replications))]


def test_a_planted_quota_is_found_and_a_fair_one_is_not(tiny_document: dict[str, Any]) -> None:
    fair = from_document(tiny_document)
    sales = simulate(fair, replications=40)["rep"].total("revenue").mean(axis=0) / 100
    for rep, expected in zip(tiny_document["reps"], sales, strict=True):
        rep["quota"] = round(float(expected), -3)
    assert not [text for text in told(from_document(tiny_document)) if "quota" in text]
    tiny_document["reps"][0]["quota"] *= 1.3
    heavy = [text for text in told(from_document(tiny_document)) if "too high" in text]
    assert len(heavy) == 1
    assert "E1 陈立" in heavy[0]


def test_overload_and_neglect_are_found(tiny_document: dict[str, Any]) -> None:
    assert not [text for text in told(from_document(tiny_document)) if "loaded" in text or "care" in text]
    tiny_document["calendar"]["selling_share"] = 0.18
    tiny_document["accounts"][4]["care_hours"] = 5
    tiny_document["accounts"][5]["care_hours"] = 5
    found = told(from_document(tiny_document))
    assert any(re.search(r"E1 陈立 is \d+ % loaded", text) for text in found)
    assert any("2 A accounts of E3" in text for text in found)


def test_care_is_judged_by_what_is_given_not_by_what_is_planned(tiny: Scenario, played: Outcome) -> None:
    plan = today_plan(tiny)
    cube = played["account"]
    values = cube.values.copy()
    # E2's accounts get half of what is planned; nothing falls due at E3's.
    at = {account: place for place, account in enumerate(cube.keys)}
    care, asked = cube.metrics.index("care_ticks"), cube.metrics.index("care_planned_ticks")
    values[care] = values[asked] = 1000
    values[care][:, [at["A2"], at["A3"]]] = 500
    for metric in (care, asked):
        values[metric][:, [at["A4"], at["A5"]]] = 0
    half = replace(played, cubes={**played.cubes, "account": replace(cube, values=values)})
    shares = {row.owner: row.share for row in care_by_owner(tiny, plan, half)}
    assert shares == {"E1": 1.0, "E2": 0.5, "E3": 1.0}
    neglected = found(diagnose_scenario(tiny, half), "under_served")
    assert list(neglected) == ["E2/A"]
    assert neglected["E2/A"].evidence == {"given_hours": 20.0, "owed_hours": 40.0, "ratio": 0.5, "accounts": 2.0}


def test_the_company_s_own_limits_are_the_measure(tiny: Scenario, played: Outcome) -> None:
    def limit(scenario: Scenario) -> float:
        heavy = simulate(scenario, replications=2)
        return next(iter(found(diagnose_scenario(scenario, heavy), "overloaded").values())).evidence["limit"]

    busy = changed(tiny, ["sources.线上.leads_per_year*=4"])
    assert limit(busy) == 0.95
    assert limit(changed(busy, ["allocation.rules.workload.maximum=0.9"])) == 0.9
    off = changed(busy, ["allocation.rules.workload.maximum=0.9", "allocation.rules.workload.enabled=false"])
    assert limit(off) == 0.95


def test_the_slow_stage_is_found(tiny_document: dict[str, Any]) -> None:
    assert any("talk is the slowest stage" in text for text in told(from_document(tiny_document)))
    tiny_document["stages"][1]["delay_days"] = {"family": "exponential", "mean": 25}
    assert any("close is the slowest stage" in text for text in told(from_document(tiny_document)))


def test_the_stage_table_is_the_funnel(tiny: Scenario, played: Outcome) -> None:
    table = stage_table(played).set_index("stage")
    stages = played["stage"]
    row = table.loc["talk"]
    decided = row["advanced"] + row["lost"] + row["cold"]
    assert row["conversion"] == pytest.approx(row["advanced"] / decided)
    assert row["forgone_minor"] == pytest.approx(row["lost_value_minor"] * table.loc["close", "conversion"])
    assert table["effort_hours"].sum() == pytest.approx(stages.total("busy_ticks").mean(axis=0).sum() / 3_600_000)
    assert row["delay_days"] == pytest.approx(4, rel=0.25)
    assert table.loc["close", "delay_days"] == 0


def test_activities_stand_beside_what_came_of_them(tiny: Scenario, played: Outcome) -> None:
    """Only `talk` names an activity: one visit each time it is worked."""
    table = activity_table(tiny, played).set_index("rep")
    rep, stages = played["rep"], played["stage"]
    assert list(table.index) == list(rep.keys)
    assert set(table["activity"]) == {"visits"}
    # A talk that the horizon cuts off has begun and not ended.
    talks = stages.total("started").mean(axis=0)[0]
    assert talks - len(tiny.reps) <= table["count"].sum() <= talks
    assert table.loc["E2", "count"] == rep.total("activity:visits").mean(axis=0)[1] / 1000
    assert table.loc["E2", "sales_minor"] == rep.total("new_revenue").mean(axis=0)[1]
    won = rep.total("new_customers").mean(axis=0)[1]
    assert table.loc["E2", "per_customer"] == pytest.approx(table.loc["E2", "count"] / won)
    assert table["hours"].sum() == pytest.approx(rep.company("busy_ticks").mean() / 3_600_000)


def test_an_outcome_of_another_plan_is_refused(tiny: Scenario, played: Outcome) -> None:
    plan = today_plan(tiny)
    other = tiny.with_plan(plan.with_rows(care=[CareRow(row.account, 0.0) for row in plan.care]))
    with pytest.raises(InputRefused, match="simulate the scenario again"):
        diagnose_scenario(other, played)
    quotas = [QuotaRow(row.rep, row.metric, row.start, row.end, row.value * 2) for row in plan.targets]
    relabelled = tiny.with_plan(plan.with_rows(targets=quotas))
    assert diagnose_scenario(relabelled, played)
