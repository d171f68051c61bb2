"""The public API: what a notebook meets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import quotalab as ql
from quotalab import api
from quotalab.findings import findings
from quotalab.job import Sizes
from quotalab.tables import cube_table, kpi_table, metric_unit
from scenarios.scenario import Scenario
from sim.outcome import Outcome

SMALL = Sizes(learn=16, judge=16, draws=0)


@pytest.fixture(scope="module")
def years(tiny: Scenario) -> Outcome:
    return api.learning_years(tiny, replications=24)


def test_the_five_line_example_holds(tiny_file: Path) -> None:
    today = ql.load(tiny_file)
    plan = ql.allocate(today, replications=16).plan
    found = ql.compare({"today": today, "plan": today.with_plan(plan)}, replications=8)
    assert [case.name for case in found.cases] == ["today", "plan"]
    assert "plan against today" in str(found)


def test_plans_are_judged_on_years_they_were_not_made_from(tiny: Scenario, years: Outcome) -> None:
    judged = ql.simulate(tiny, replications=24)
    made_from = range(years.first, years.first + years.replications)
    assert not set(made_from) & set(range(judged.first, judged.first + judged.replications))
    assert (years["rep"].company("revenue") != judged["rep"].company("revenue")).any()
    assert years.seed == judged.seed


def test_allocate_takes_years_at_hand(tiny: Scenario, years: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("simulated although years were given")

    whole = ql.allocate(tiny, replications=24)
    monkeypatch.setattr(api, "simulate", never)
    given = ql.allocate(tiny, outcome=years)
    assert given.plan.decisions_hash() == whole.plan.decisions_hash()
    assert ql.baselines(tiny, years)["strong"].quotas() != ql.baselines(tiny, years)["equal"].quotas()


def test_allocate_honours_the_total_and_the_locks(tiny_document: dict[str, Any]) -> None:
    tiny_document["allocation"]["locks"] = [
        {"path": "quota.E2", "value": 480000, "author": "李经理", "reason": "agreed"}
    ]
    tiny_document["allocation"]["over_assignment"] = 0.04
    from scenarios.files import from_document

    quotas = ql.allocate(from_document(tiny_document), replications=16).plan.quotas()
    assert quotas["E2"] == 480_000_00
    assert sum(quotas.values()) == 1_560_000_00


def test_simulation_is_the_same_for_any_number_of_workers(tiny: Scenario) -> None:
    one = ql.simulate(tiny, replications=8)
    two = ql.simulate(tiny, replications=8, workers=2)
    assert one.content_hash() == two.content_hash()


def test_a_study_ties_with_its_parts(tiny: Scenario) -> None:
    more = ql.changed(tiny, ["sources.线上.leads_per_year*=1.3"])
    found = ql.study(tiny, SMALL, what_ifs={"more leads": more})
    evidence = found.evidence
    assert found.figures.quota_sum == sum(found.plan.quotas().values()) == 1_500_000_00
    assert evidence.comparison.replications == 16
    assert evidence.comparison.references[0] == evidence.best_rule
    simulated = ql.simulate(tiny.with_plan(found.plan), replications=16)["rep"].company("revenue").mean()
    assert evidence.comparison["plan"].expected_sales.estimate == pytest.approx(float(simulated), rel=1e-12)
    (answer,) = evidence.what_ifs
    gain = ql.compare({"today": tiny, "more": more}, replications=16).difference("more", "sales").interval.estimate
    assert answer.sales.estimate == pytest.approx(gain, rel=1e-12)
    again = ql.study(tiny, SMALL, what_ifs={"more leads": more})
    assert again.report("zh") == found.report("zh")


@pytest.mark.parametrize(
    "sizes", [Sizes(learn=1), Sizes(judge=0), Sizes(draws=9), Sizes(each=1)], ids=lambda sizes: str(vars(sizes))
)
def test_sizes_too_small_are_refused_at_once(tiny: Scenario, sizes: Sizes) -> None:
    with pytest.raises(ql.errors.InputRefused, match="must be at least"):
        ql.study(tiny, sizes)


def test_report_writes_one_file(tiny: Scenario, tmp_path: Path) -> None:
    page = ql.report(tiny, tmp_path / "报告" / "r.html", language="en", people="aggregate", sizes=SMALL)
    assert [path.name for path in page.parent.iterdir()] == ["r.html"]
    assert "陈立" not in page.read_text(encoding="utf-8")
    for wrong in ({"language": "fr"}, {"people": "everybody"}):
        with pytest.raises(ql.errors.InputRefused):
            ql.report(tiny, tmp_path / "never.html", **wrong)
    assert not (tmp_path / "never.html").exists()


def test_sweep_takes_a_mapping(tiny: Scenario) -> None:
    design = {
        "name": "leads",
        "scenario": "given",
        "replications": 2,
        "measures": ["leads"],
        "factors": [{"path": "sources.线上.leads_per_year", "scale": [0.5, 2.0]}],
    }
    found = ql.sweep(design, base=tiny)
    few, many = found.table["estimate"]
    assert few < many


# ---- findings: a fault planted in data is found, and none is found where none is -------------------------------------


def test_a_planted_quota_is_found_and_a_fair_one_is_not(tiny_document: dict[str, Any]) -> None:
    from scenarios.files import from_document

    fair = from_document(tiny_document)
    sales = ql.simulate(fair, replications=40)["rep"].total("revenue").mean(axis=0) / 100
    for rep, expected in zip(tiny_document["reps"], sales, strict=True):
        rep["quota"] = round(float(expected), -3)
    assert not [text for text in told(from_document(tiny_document)) if "quota" in text]
    tiny_document["reps"][0]["quota"] *= 1.3
    found = [text for text in told(from_document(tiny_document)) if "too high" in text]
    assert len(found) == 1
    assert "陈立 (E1)" in found[0]


def test_overload_and_neglect_are_found(tiny_document: dict[str, Any]) -> None:
    from scenarios.files import from_document

    assert not [text for text in told(from_document(tiny_document)) if "loaded" in text or "care" in text]
    tiny_document["calendar"]["selling_share"] = 0.18
    tiny_document["accounts"][4]["care_hours"] = 5
    tiny_document["accounts"][5]["care_hours"] = 5
    found = told(from_document(tiny_document))
    assert any(re.search(r"E1\) is \d+ % loaded", text) for text in found)
    assert any("2 A accounts of E3" in text for text in found)


def test_the_slow_stage_is_found(tiny_document: dict[str, Any]) -> None:
    from scenarios.files import from_document

    assert any("talk is the slowest stage" in text for text in told(from_document(tiny_document)))
    tiny_document["stages"][1]["delay_days"] = {"family": "exponential", "mean": 25}
    assert any("close is the slowest stage" in text for text in told(from_document(tiny_document)))


def told(world: Scenario) -> list[str]:
    return [finding.english for finding in findings(world, ql.simulate(world, replications=40))]


# ---- tables ---------------------------------------------------------------------------------------------------------


def test_cube_tables_keep_every_count(years: Outcome) -> None:
    for cube in years.cubes.values():
        table = cube_table(cube, years.first)
        assert len(table) == cube.values[0].size
        for metric in cube.metrics:
            assert table[metric].sum() == cube.values[cube.metrics.index(metric)].sum()
    rep = cube_table(years["rep"], years.first)
    one = rep[(rep["rep"] == "E2") & (rep["replication"] == years.first + 3)]
    assert list(one["revenue"]) == list(years["rep"].by_period("revenue")[3, 1])


def test_every_metric_has_its_unit(years: Outcome) -> None:
    units = {metric: metric_unit(metric, "CNY") for cube in years.cubes.values() for metric in cube.metrics}
    for metric, unit in units.items():
        money = any(part in metric for part in ("revenue", "value", "cash", "cost", "margin", "recognised", "written"))
        assert (unit == "minor units of CNY") == money, metric
        assert (unit == "ms") == metric.endswith("_ticks"), metric


def test_kpi_tables_count_in_currency_units(tiny: Scenario, years: Outcome) -> None:
    table = kpi_table(years, tiny).set_index(["level", "key", "kpi"])
    revenue = table.loc[("company", "company", "revenue")]
    assert revenue["estimate"] == pytest.approx(years["rep"].company("revenue").mean() / 100, rel=1e-12)
    assert revenue["unit"] == "CNY"
    assert {"company", "team", "rep", "stage", "source", "product"} <= set(table.index.get_level_values("level"))
