"""Sweeps: designs resolved before anything runs, points known by content, results that no schedule changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.design import read_sweep
from experiments.sweep import run_sweep
from scenarios.errors import InputRefused, RunInterrupted
from scenarios.files import from_document
from scenarios.scenario import Scenario
from sim.outcome import Cube, Outcome

MEAN_ONE = {"family": "exponential", "mean": 1}
WORLD: dict[str, Any] = {
    "name": "one rep",
    "seed": 7,
    "calendar": {"start": "2026-01-01", "end": "2026-03-01"},
    "regions": [{"id": "east"}],
    "teams": [{"id": "T", "region": "east"}],
    "stages": [{"id": "close", "effort_hours": MEAN_ONE, "conversion": 0.5}],
    "sources": [{"id": "网络", "leads_per_year": 200}, {"id": "fair", "leads_per_year": 50}],
    "products": [{"id": "p", "value": MEAN_ONE | {"mean": 1000}}],
    "goals": {"targets": [{"metric": "revenue", "target": 15_000}]},
    "reps": [{"id": "E1", "team": "T", "quota": 15_000}],
}
GRID: dict[str, Any] = {
    "name": "grid",
    "scenario": "not read",
    "replications": 6,
    "factors": [
        {"path": "sources.网络.leads_per_year", "scale": [0.5, 1.0]},
        {"path": "routing.policy", "values": ["even", "least_loaded"]},
    ],
}


class FakeSimulate:
    """Sales follow the leads; stops like Ctrl-C at the call named."""

    def __init__(self, stop_at: int = 0) -> None:
        self.calls, self.stop_at = 0, stop_at

    def __call__(
        self,
        scenario: Scenario,
        *,
        replications: int,
        first: int = 0,
        seed: int | None = None,
        **_: Any,
    ) -> Outcome:
        self.calls += 1
        if self.calls == self.stop_at:
            raise KeyboardInterrupt
        leads = sum(source.leads_per_year for source in scenario.sources)
        luck = np.random.default_rng(seed).standard_normal((replications, 1, 1))
        revenue = np.rint(100 * (leads + luck)).astype(np.int64)
        hour = np.ones_like(revenue)
        metrics = ("revenue", "busy_ticks", "available_ticks")
        cube = Cube("rep", metrics, ("E1",), ("all",), np.stack([revenue, hour, 2 * hour]))
        return Outcome(scenario.fingerprint(), "", "", seed or 0, first, "fake", 1, {"rep": cube})


@pytest.fixture(scope="module")
def base() -> Scenario:
    return from_document(WORLD)


def test_a_grid_crosses_its_factors_in_order(base: Scenario) -> None:
    sweep = read_sweep(GRID, base)
    assert sweep.columns == ("sources.网络.leads_per_year*", "routing.policy")
    assert [tuple(point.settings.values()) for point in sweep.points] == [
        (0.5, "even"),
        (0.5, "least_loaded"),
        (1.0, "even"),
        (1.0, "least_loaded"),
    ]
    assert sweep.points[1].scenario.routing.policy == "least_loaded"
    assert sweep.points[1].scenario.sources[0].leads_per_year == 100
    assert sweep.seed == 7


def test_points_are_known_by_their_content(base: Scenario) -> None:
    def keys(**changed: Any) -> list[str]:
        return [point.key for point in read_sweep(GRID | changed, base).points]

    assert len(set(keys())) == 4
    same = [{"sources.网络.leads_per_year": 100, "routing.policy": "even"}, {"sources.网络.leads_per_year*": 0.5}]
    listed = read_sweep({"name": "list", "scenario": "-", "replications": 6, "points": same}, base)
    assert [point.key for point in listed.points] == [keys()[0]] * 2, "however it is written"
    assert not set(keys()) & set(keys(seed=8))
    assert not set(keys()) & set(keys(replications=7))
    assert not set(keys()) & set(keys(measures=["hit_rate"]))


def test_a_list_keeps_what_a_point_does_not_name(base: Scenario) -> None:
    points = [{"sources.fair.leads_per_year": 80}, {"routing.policy": "least_loaded"}]
    sweep = read_sweep({"name": "list", "scenario": "-", "points": points}, base)
    found = run_sweep(sweep, simulate=FakeSimulate()).table
    first = found.drop_duplicates("point")
    assert first["sources.fair.leads_per_year"].isna().tolist() == [False, True]
    assert first["routing.policy"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        (
            {"replications": 0, "colour": 1, "seed": -1, "measures": ["wins"]},
            ["replications = 0: must be >= 1", "colour", "seed = -1: must be >= 0", "got wins"],
        ),
        ({"replications": 10**9}, ["replications = 1000000000: must be <= 1000000"]),
        ({"points": [{"a": 1}]}, ["exactly one of factors"]),
        ({"factors": []}, ["exactly one of factors"]),
        ({"measures": ["hit_rate", "colour"]}, ["measures must be among"]),
        ({"factors": [{"path": "a"}]}, ["exactly one of values and scale"]),
        ({"factors": [{"path": "a", "values": [1, 1]}]}, ["given twice"]),
        ({"factors": [{"path": "a", "values": []}]}, ["at least one level"]),
        ({"factors": [{"path": "a", "values": [1]}, {"path": "a", "scale": [1]}]}, ["varied by two factors: a"]),
        (
            {"factors": [{"path": "sources.web.leads_per_year", "values": [1]}, {"path": "nothing", "values": [2]}]},
            ["no such entry", "web"],
        ),
        ({"factors": [{"path": "sources.fair.leads_per_year", "values": [-1, -2, 3]}]}, ["-1", "-2"]),
        ({"factors": [{"path": f"a{n}", "values": list(range(100))} for n in range(3)]}, ["at most 100,000 points"]),
    ],
)
def test_bad_sweeps_are_refused_with_all_problems(base: Scenario, changed: dict[str, Any], wanted: list[str]) -> None:
    with pytest.raises(InputRefused) as refused:
        read_sweep(GRID | changed, base)
    for text in wanted:
        assert text in str(refused.value)


def test_a_file_is_refused_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text("name: x\nscenario: starter\nreplications: many\nfactors:\n  - path: a\n", encoding="utf-8")
    with pytest.raises(InputRefused) as refused:
        read_sweep(path)
    text = str(refused.value)
    assert "sweep.yaml line 3" in text
    assert "sweep.yaml line 5" in text
    path.write_text("name: x\nscenario: nowhere\npoints: [{a: 1}]\n", encoding="utf-8")
    with pytest.raises(InputRefused, match="nowhere"):
        read_sweep(path)


def test_the_result_is_tidy_and_exact(base: Scenario, tmp_path: Path) -> None:
    sweep = read_sweep(GRID | {"measures": ["expected_sales", "hit_rate", "chance_of_target", "workload"]}, base)
    done: list[tuple[int, int]] = []
    result = run_sweep(sweep, tmp_path / "out", simulate=FakeSimulate(), progress=lambda *state: done.append(state))
    assert done == [(count, 4) for count in range(5)]
    table = result.table
    assert len(table) == 4 * 4
    sales = table[table["measure"] == "expected_sales"]
    assert sales["estimate"].round(-1).tolist() == [150, 150, 250, 250]
    assert (sales["low"] < sales["estimate"]).all()
    assert set(sales["unit"]) == {"CNY"}
    assert table.loc[table["measure"] == "workload", "estimate"].tolist() == [0.5] * 4
    parquet = pd.read_parquet(tmp_path / "out" / "result.parquet")
    pd.testing.assert_frame_equal(parquet, table)
    raw = (tmp_path / "out" / "result.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "spreadsheets need the mark"
    assert "网络" in raw.decode("utf-8-sig")
    header = json.loads((tmp_path / "out" / "sweep.json").read_text(encoding="utf-8"))
    assert header["result"] == result.content_hash
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "points",
        "result.csv",
        "result.parquet",
        "sweep.json",
    ]


def test_a_stopped_sweep_goes_on_where_it_was(base: Scenario, tmp_path: Path) -> None:
    sweep = read_sweep(GRID, base)
    whole = run_sweep(sweep, tmp_path / "whole", simulate=FakeSimulate())
    out = tmp_path / "stopped"
    with pytest.raises(RunInterrupted, match=r"2 of 4 design points are kept"):
        run_sweep(sweep, out, simulate=FakeSimulate(stop_at=3))
    assert not (out / "result.csv").exists()
    kept = sorted((out / "points").iterdir())
    assert len(kept) == 2
    kept[0].write_text(kept[0].read_text(encoding="utf-8")[:40], encoding="utf-8")
    rest = FakeSimulate()
    resumed = run_sweep(sweep, out, simulate=rest)
    assert rest.calls == 3, "two missing and one torn"
    torn, other = (out / "points" / f"{point.key}.json" for point in sweep.points[:2])
    torn.write_bytes(other.read_bytes())
    again = FakeSimulate()
    resumed = run_sweep(sweep, out, simulate=again)
    assert again.calls == 1, "a file that is of another point is not believed"
    assert resumed.content_hash == whole.content_hash
    for name in ("result.csv", "result.parquet", "sweep.json"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    nothing = FakeSimulate()
    run_sweep(sweep, out, simulate=nothing)
    assert nothing.calls == 0


def test_points_of_the_same_content_run_once(base: Scenario) -> None:
    points = [{"sources.fair.leads_per_year": 50}, {"sources.fair.leads_per_year*": 1.0}]
    fake = FakeSimulate()
    table = run_sweep(read_sweep({"name": "x", "scenario": "-", "points": points}, base), simulate=fake).table
    assert fake.calls == 1
    assert table["point"].nunique() == 2


def test_a_folder_of_something_else_is_left_alone(base: Scenario, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    for target in (tmp_path, tmp_path / "letter.txt"):
        with pytest.raises(InputRefused):
            run_sweep(read_sweep(GRID, base), target, simulate=FakeSimulate())
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_result_does_not_depend_on_workers(base: Scenario, tmp_path: Path) -> None:
    """With the simulator itself."""
    sweep = read_sweep(GRID | {"measures": ["expected_sales", "orders", "leads", "workload"]}, base)
    one = run_sweep(sweep, tmp_path / "one")
    two = run_sweep(sweep, tmp_path / "two", workers=2)
    assert one.content_hash == two.content_hash
    for name in ("result.csv", "result.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    leads = one.table.loc[one.table["measure"] == "leads", "estimate"].tolist()
    assert leads[0] < leads[2], "half the leads of one source"
