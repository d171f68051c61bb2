"""The public API: what a notebook meets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import quotalab as ql
from history.crm import read_history
from history.diagnosis.diagnose import diagnose as diagnose_history
from history.diagnosis.diagnose import diagnose_scenario
from history.synthetic import write_events, write_opportunities
from quotalab import api
from quotalab.job import Sizes
from quotalab.learning import learning_years
from quotalab.tables import cube_table, kpi_table, metric_unit
from scenarios.scenario import Scenario
from scenarios.today import company_target
from sim.outcome import Outcome

SMALL = Sizes(learn=16, judge=16, draws=0)


@pytest.fixture(scope="module")
def years(tiny: Scenario) -> Outcome:
    return learning_years(tiny, replications=24)


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


# ---- diagnose: an export with a mapping, else a scenario ------------------------------------------------------------


def test_a_scenario_is_diagnosed_by_name_file_and_value(tiny: Scenario, tiny_file: Path, tmp_path: Path) -> None:
    by_value = ql.diagnose(tiny, replications=12)
    by_file = ql.diagnose(tiny_file, replications=12, workers=2)
    by_folder = ql.diagnose(ql.save(tiny, tmp_path / "world"), replications=12)
    assert by_value.content_hash() == by_file.content_hash() == by_folder.content_hash()
    assert list(by_value.findings) == diagnose_scenario(tiny, ql.simulate(tiny, replications=12))
    assert list(by_value.tables["stages"]["stage"]) == ["talk", "close"]
    table = by_value.tables["findings"]
    assert list(table["kind"]) == [finding.kind for finding in by_value.findings]
    assert "talk is the slowest stage" in by_value.text("en")
    assert "“初步接触”阶段最慢" in by_value.text("zh")
    assert "12 simulated years" in by_value.text("en")
    assert not by_value.remarks


def test_an_export_is_diagnosed_with_its_mapping(tmp_path: Path) -> None:
    path = write_opportunities(tmp_path / "crm", rows=600, reps=4).path
    found = ql.diagnose(path, "maven")
    history = read_history(path, "maven")
    assert found.content_hash() == ql.diagnose(history).content_hash()
    whole = diagnose_history(history)
    assert found.findings == whole.findings
    units = {f"by_{attribute}" for attribute in whole.units}
    rest = {"overall", "periods", "cohorts", "leaks", "activities", "capability", "data", "findings"}
    assert set(found.tables) == units | rest
    with pytest.raises(ql.errors.InputRefused, match="--preset"):
        ql.diagnose(path)


# ---- calibrate: from an export to a plan --------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["maven", "bpic2012"])
def test_an_export_becomes_a_scenario_that_simulates_and_allocates(tmp_path: Path, preset: str) -> None:
    if preset == "maven":
        export = write_opportunities(tmp_path / "crm", rows=1500, reps=5).path
    else:
        export = write_events(tmp_path / "events.csv.gz", cases=1200, reps=5).path
    world = ql.calibrate(export, preset, name="续", horizon="quarter", language="zh", growth=0.2, seed=5)
    assert (world.name, world.language, world.seed) == ("续", "zh", 5)
    assert (world.calendar.end - world.calendar.start).days in range(89, 93)
    assert world.goals.history_growth == 0.2
    plain = ql.calibrate(export, preset, horizon="quarter")
    step = world.allocation.rounding_step
    before, after = (company_target(one) for one in (plain, world))
    # A target of expected sales does not follow the last period, and so not its growth either.
    last = "last period" in next(row.source for row in world.provenance if row.path == "goals.targets.revenue")
    assert after == pytest.approx(before * (1.2 / 1.05 if last else 1.0), abs=2 * step)
    again = ql.load(ql.save(world, tmp_path / "world"))
    assert again.fingerprint() == world.fingerprint()
    # A fifth more than in the last period is more than the rules let these few carry; the default is not.
    plan = ql.allocate(plain, replications=40).plan
    assert abs(sum(plan.quotas().values()) - before * (1 + plain.allocation.over_assignment)) <= step
    for growth in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ql.errors.InputRefused, match="growth"):
            ql.calibrate(export, preset, growth=growth)


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
        money = any(
            part in metric for part in ("revenue", "value", "cash", "cost", "margin", "recognised", "written", "loss")
        )
        assert (unit == "minor units of CNY") == money, metric
        assert (unit == "ms") == metric.endswith("_ticks"), metric


def test_kpi_tables_count_in_currency_units(tiny: Scenario, years: Outcome) -> None:
    table = kpi_table(years, tiny).set_index(["level", "key", "kpi"])
    revenue = table.loc[("company", "company", "revenue")]
    assert revenue["estimate"] == pytest.approx(years["rep"].company("revenue").mean() / 100, rel=1e-12)
    assert revenue["unit"] == "CNY"
    levels = ["company", "region", "team", "rep", "stage", "source", "product"]
    assert list(dict.fromkeys(table.index.get_level_values("level"))) == levels


def test_kpi_tables_by_period_add_up(tiny: Scenario, years: Outcome) -> None:
    table = kpi_table(years, tiny, by_period=True)
    assert set(table["level"]) == {"company", "region", "team", "stage", "source", "product"}
    revenue = table[(table["level"] == "company") & (table["kpi"] == "revenue")].set_index("period")["estimate"]
    assert list(revenue.index) == list(years["rep"].periods)
    assert revenue.sum() == pytest.approx(years["rep"].company("revenue").mean() / 100, rel=1e-12)
