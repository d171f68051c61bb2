"""The public API refuses what is no scenario, no fitting plan and no place for a page, in words and before any work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import quotalab as ql
from scenarios.plan import OwnerRow, QuotaRow


def test_a_name_in_the_place_of_a_scenario_is_refused(tiny: ql.Scenario) -> None:
    calls: list[Callable[[], object]] = [
        lambda: ql.allocate("starter"),  # type: ignore[arg-type]
        lambda: ql.baselines("starter"),  # type: ignore[arg-type]
        lambda: ql.study("starter"),  # type: ignore[arg-type]
        lambda: ql.report("starter", "report.html"),  # type: ignore[arg-type]
        lambda: ql.compare({"a": tiny, "b": "starter"}),  # type: ignore[dict-item]
        lambda: ql.simulate("starter"),  # type: ignore[arg-type]
        lambda: ql.simulate_moments("starter"),  # type: ignore[arg-type]
        lambda: ql.simulate_until("starter", {"revenue": "1%"}),  # type: ignore[arg-type]
        lambda: ql.today_plan("starter"),  # type: ignore[arg-type]
        lambda: ql.changed("starter", "seed=9"),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(ql.errors.InputRefused, match=r"= 'starter': must be a scenario, as ql\.load gives it"):
            call()
    with pytest.raises(ql.errors.InputRefused, match="must be a mapping of names to scenarios"):
        ql.compare([tiny])  # type: ignore[arg-type]


def test_a_text_in_the_place_of_a_plan_is_refused(tiny: ql.Scenario) -> None:
    with pytest.raises(ql.errors.InputRefused, match=r"plan = 'best': must be a plan, as ql\.allocate"):
        tiny.with_plan("best")  # type: ignore[arg-type]
    assert tiny.with_plan(None).plan is None


def test_a_plan_that_does_not_fit_its_world_is_not_compared(tiny: ql.Scenario) -> None:
    start, end = tiny.calendar.start, tiny.calendar.end
    rows = (QuotaRow("E9", "revenue", start, end, 5), QuotaRow("E1", "revenue", start, end, -5))
    owners = (OwnerRow("A0", "E1", end.replace(year=2030)),)
    plan = ql.Plan("b", "given", targets=rows, owners=owners)
    with pytest.raises(ql.errors.InputRefused) as refused:
        ql.compare({"a": tiny, "b": tiny.with_plan(plan)}, replications=2)
    assert [problem.where for problem in refused.value.problems] == ["b: plan.targets"] * 2 + ["b: plan.owners"]


def test_a_single_change_may_be_a_text(tiny: ql.Scenario) -> None:
    assert ql.changed(tiny, "seed=9").seed == 9


def test_a_report_is_refused_before_the_work_where_no_page_can_be(tiny: ql.Scenario, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for place, told in ((tmp_path, "is a folder"), (tmp_path / "file" / "report.html", "no folder can be made in it")):
        with pytest.raises(ql.errors.InputRefused, match=told):
            ql.report(tiny, place)


@pytest.mark.parametrize("workers", [0, -1, "two"])
def test_workers_are_whole_numbers(workers: object) -> None:
    design = {"name": "x", "scenario": "starter", "factors": [{"path": "seed", "values": [1]}]}
    with pytest.raises(ql.errors.InputRefused, match="workers"):
        ql.sweep(design, workers=workers)  # type: ignore[arg-type]
