"""Streaming: the same moments and the same file bytes for every block size, number of workers and engine."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from scenarios.errors import InputRefused
from scenarios.scenario import Scenario
from sim import run, spool, streaming
from sim.interval import student_quantile
from sim.kpis import Level, at_level, kpis
from sim.moments import cube_moments, moments
from sim.outcome import Cube
from sim.run import simulate
from sim.spool import Spool, samples
from sim.streaming import simulate_moments


def test_any_block_and_any_workers_give_the_same_bytes(tiny: Scenario, tmp_path: Path) -> None:
    found = {}
    for name, how in {
        "one": {"block": 1},
        "three": {"block": 3},
        "all": {"block": 100},
        "default": {},
        "two threads": {"block": 2, "workers": 2},
        "the other engine": {"engine": "simpy"},
        "two processes of it": {"engine": "simpy", "block": 2, "workers": 2},
    }.items():
        file = tmp_path / f"{name}.parquet"
        result = simulate_moments(tiny, replications=10, first=5, spool=file, **how)  # type: ignore[arg-type]
        found[name] = result.content_hash(), file.read_bytes()
    assert len(set(found.values())) == 1


def test_streamed_moments_are_those_of_the_outcome(tiny: Scenario) -> None:
    streamed, kept = simulate_moments(tiny, replications=9), moments(simulate(tiny, replications=9))
    for kind, cube in kept.cubes.items():
        again = streamed[kind]
        assert again.labels() == cube.labels()
        assert [a.tobytes() for a in again.arrays()] == [a.tobytes() for a in cube.arrays()]
    assert (streamed.scenario, streamed.plan, streamed.ranges) == (kept.scenario, kept.plan, kept.ranges)


def test_sums_over_people_have_moments_of_their_own(tiny: Scenario) -> None:
    years, streamed = simulate(tiny, replications=9), simulate_moments(tiny, replications=9)
    company = years["rep"].company("revenue")
    assert streamed["company rep"].mean("revenue")[0] == pytest.approx(company.mean())
    assert streamed["company rep"].variance("revenue")[0] == pytest.approx(company.var(ddof=1))
    team = years["rep"].total("revenue")[:, :2].sum(axis=1)
    place = streamed["team"].keys.index("T1")
    assert streamed["team"].variance("revenue")[place] == pytest.approx(team.var(ddof=1))
    assert streamed["region"].keys == ("华东",)
    workload = streamed["company rep"].ratio_interval("busy_ticks", "available_ticks", "company")
    assert 0 < workload.low < workload.high < 1


LEVELS: dict[Level, str] = {
    "company": "company rep",
    "team": "team",
    "region": "region",
    "rep": "rep",
    "stage": "stage",
    "source": "source",
    "product": "product",
    "account": "account",
}


@pytest.mark.parametrize("level", LEVELS)
def test_published_figures_follow_from_moments(tiny: Scenario, level: Level) -> None:
    """Whatever figure is added to a table, its metrics and their pairs must be kept."""
    years = simulate(tiny, replications=12)
    table = kpis(years, tiny, level).set_index(["key", "kpi"])
    streamed = simulate_moments(tiny, replications=12)[LEVELS[level]]
    _, figures = at_level(years, tiny, level)
    told = [(key, kpi) for key in streamed.keys for kpi in figures if (key, kpi.name) in table.index]
    assert told
    for key, kpi in told:
        shown = table.loc[(key, kpi.name)]
        estimate, half_width = shown["estimate"], (shown["high"] - shown["low"]) / 2
        if kpi.denominator is not None:
            found = streamed.ratio_interval(kpi.numerator, kpi.denominator, key)
            assert found.estimate / kpi.scale == pytest.approx(estimate, rel=1e-12)
            if found.n >= 12 and np.isfinite(half_width):
                assert found.half_width / kpi.scale == pytest.approx(half_width, rel=0.25, abs=1e-12)
        elif kpi.less:
            names = (kpi.numerator, *kpi.less)
            place, signs = streamed.keys.index(key), [1, *[-1] * len(kpi.less)]
            mean = sum(sign * streamed.mean(name)[place] for sign, name in zip(signs, names, strict=True))
            assert mean / kpi.scale == pytest.approx(estimate, rel=1e-9, abs=1e-6)
            variance = sum(
                a * b * streamed.covariance(first, second)[place]
                for a, first in zip(signs, names, strict=True)
                for b, second in zip(signs, names, strict=True)
            )
            reach = student_quantile(0.95, 11) * np.sqrt(max(variance, 0.0) / 12)
            assert reach / kpi.scale == pytest.approx(half_width, rel=1e-6, abs=1e-3)
        else:
            found = streamed.interval(kpi.numerator, key)
            assert found.estimate / kpi.scale == pytest.approx(estimate, rel=1e-12)
            assert found.half_width / kpi.scale == pytest.approx(half_width, rel=1e-9, abs=1e-12)


def test_spooled_samples_are_the_outcome(tiny: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    years = simulate(tiny, replications=11, first=3)["rep"]
    monkeypatch.setattr(spool, "GROUP_CELLS", 4 * years.values[:, 0, :, 0].size)
    simulate_moments(tiny, replications=11, first=3, spool=tmp_path / "years.parquet", block=3)
    for metric in ("revenue", "busy_ticks"):
        numbers, reps, totals = samples(tmp_path / "years.parquet", metric)
        assert numbers.tolist() == list(range(3, 14))
        assert reps == years.keys
        assert np.array_equal(totals, years.total(metric))
    file = pyarrow.parquet.ParquetFile(tmp_path / "years.parquet")
    assert [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)] == [12, 12, 9]
    assert [path.name for path in tmp_path.iterdir()] == ["years.parquet"]
    with pytest.raises(InputRefused, match="no such metric -> known: revenue"):
        samples(tmp_path / "years.parquet", "rep")
    with pytest.raises(InputRefused, match="no such file"):
        samples(tmp_path / "none.parquet", "revenue")


def test_a_run_that_breaks_leaves_the_old_file(tiny: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "years.parquet"
    simulate_moments(tiny, replications=2, spool=target)
    before = target.read_bytes()
    monkeypatch.setattr(spool, "GROUP_CELLS", 1)
    real = streaming.run_blocks

    def breaks(*work, **how):  # type: ignore[no-untyped-def]
        yield next(real(*work, **how))
        raise KeyboardInterrupt

    monkeypatch.setattr(streaming, "run_blocks", breaks)
    with pytest.raises(KeyboardInterrupt):
        simulate_moments(tiny, replications=20, spool=target, block=6)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["years.parquet"]


def test_a_spool_takes_replications_in_order_only(tmp_path: Path) -> None:
    table = Cube("rep", ("revenue",), ("E1",), ("p",), np.ones((1, 2, 1, 1), dtype=np.int64))

    def disordered() -> None:
        with Spool.maybe(tmp_path / "x.parquet") as file:
            assert file is not None
            file.add(table, 0)
            file.add(table, 3)

    with pytest.raises(ValueError, match="replication 3 does not follow"):
        disordered()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_memory_stays_where_it_was(tiny: Scenario, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """The peak of 2,000 replications is that of 100; a run that kept its blocks would hold 95 more.

    How many blocks threads hold ready, and how much garbage waits, is a matter of timing: both are few blocks.
    """
    table = {"rep": simulate(tiny, replications=20)["rep"]}
    monkeypatch.setattr(run, "replicate", lambda *_: table)
    peaks = []
    simulate_moments(tiny, replications=40, block=20, workers=workers)
    for replications in (100, 2000):
        tracemalloc.start()
        simulate_moments(tiny, replications=replications, block=20, workers=workers)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    block = [cube_moments(cube) for _, cube in streaming.levels(table, streaming.groups_of(tiny))]
    kept = 95 * len(pickle.dumps(block))
    assert peaks[1] - peaks[0] < kept / 4


def test_blocks_are_run_no_further_ahead_than_workers_need() -> None:
    begun = []

    def blocks() -> Iterator[int]:
        for number in range(20):
            begun.append(number)
            yield number

    results = run.in_order(lambda number: number * number, blocks(), 2)
    for number in range(20):
        assert next(results) == number * number
        assert len(begun) <= number + 4
    assert next(results, None) is None


def test_an_error_in_a_thread_ends_the_work() -> None:
    done = []

    def work(number: int) -> int:
        if number == 1:
            raise ValueError("one")
        done.append(number)
        return number

    with pytest.raises(ValueError, match="one"):
        list(run.in_order(work, range(1000), 2))
    assert len(done) < 10


def test_each_thread_keeps_one_engine(tiny: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counted(run.CompiledEngine):
        def __init__(self, *model: Any) -> None:
            made.append(model)
            super().__init__(*model)

    monkeypatch.setattr(run, "CompiledEngine", Counted)
    simulate_moments(tiny, replications=40, block=2, workers=2)
    assert 1 <= len(made) <= 2


def test_small_worlds_come_in_long_blocks_and_large_ones_one_by_one(
    tiny: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = streaming.build(tiny)
    assert streaming.block_size(model) == streaming.MOST_IN_BLOCK
    cells = sum(cube.values.size for cube in simulate(tiny, replications=1).cubes.values())
    monkeypatch.setattr(streaming, "BLOCK_CELLS", 10 * cells)
    assert 5 <= streaming.block_size(model) <= 20
    monkeypatch.setattr(streaming, "BLOCK_CELLS", 1)
    assert streaming.block_size(model) == 1


@pytest.mark.parametrize(
    "wrong", [{"replications": 0}, {"first": -1}, {"workers": 0}, {"block": 0}, {"block": True}, {"seed": -1}]
)
def test_bad_numbers_are_refused(tiny: Scenario, wrong: dict[str, int]) -> None:
    with pytest.raises(InputRefused, match=next(iter(wrong))):
        simulate_moments(tiny, **wrong)  # type: ignore[arg-type]


def test_a_spool_needs_a_folder(tiny: Scenario, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="cannot be written"):
        simulate_moments(tiny, replications=1, spool=tmp_path / "nowhere" / "x.parquet")
