"""Run a sweep: pure workers, one writer, points kept as they finish, a result that no schedule can change.

The folder of a sweep::

    points/KEY.json    rows of one finished design point; written to a temporary name, synced, renamed
    result.parquet     tidy table, one row a point and measure
    result.csv         the same for spreadsheets (UTF-8 with a byte order mark)
    sweep.json         design, seed and the hash of the result

A point is known by its content, so a stopped sweep, started again, runs only what is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.design import Point, Sweep
from experiments.measures import plan_measures
from experiments.runs import Progress, Simulate, default_simulate, plan_of
from experiments.sweep_measures import MONEY, SWEEP_MEASURES
from scenarios.errors import InputRefused, Problem, RunInterrupted

Row = dict[str, Any]
FIXED_COLUMNS = ("measure", "unit", "estimate", "low", "high", "replications")


@dataclass(frozen=True)
class SweepResult:
    """A finished sweep.

    Attributes:
        table: one row a point and measure, in the order of the design: ``point``, ``key``, a column a factor,
            ``measure``, ``unit``, ``estimate``, ``low``, ``high``, ``replications``. Money is in currency units; an
            empty end means that the sample is too small for one, an empty estimate that the figure is undefined.
        content_hash: of the table; the same for any number of workers and any order of finishing.
        folder: where it was written; ``None`` if nowhere.
    """

    table: pd.DataFrame = field(repr=False)
    content_hash: str
    folder: Path | None


def run_sweep(
    sweep: Sweep,
    folder: str | Path | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    simulate: Simulate | None = None,
) -> SweepResult:
    """Simulate every design point once and write the tidy table.

    Args:
        sweep: from :func:`experiments.design.read_sweep`.
        folder: where points and result are kept; points of an earlier, stopped run are reused. ``None`` keeps nothing.
        workers: processes, one design point each at a time; the result does not depend on them.
        progress: called with (points done, points in all).
        simulate: the simulator; default :func:`sim.run.simulate`. It must be importable in the workers.

    Raises:
        InputRefused: the folder holds something else, or the simulator refuses a point.
        RunInterrupted: stopped by the user or by the loss of a worker; finished points are kept.
    """
    _check_workers(workers)
    store = None if folder is None else _opened(Path(folder))
    distinct = {point.key: point for point in sweep.points}
    rows = {key: kept for key in distinct if store and (kept := _kept(store, key)) is not None}
    missing = [point for key, point in distinct.items() if key not in rows]
    if progress is not None:
        progress(len(rows), len(distinct))
    try:
        for key, found in _run(missing, sweep, workers, simulate):
            if store is not None:
                _write_whole(store / f"{key}.json", _dumped({"key": key, "rows": found}))
            rows[key] = found
            if progress is not None:
                progress(len(rows), len(distinct))
    except KeyboardInterrupt:
        raise RunInterrupted(_interrupted("stopped", rows, distinct, folder)) from None
    except _worker_lost() as error:
        raise RunInterrupted(_interrupted(f"a worker process was lost ({error})", rows, distinct, folder)) from None
    table = _table(sweep, rows)
    result = SweepResult(table, _hash(table), None if folder is None else Path(folder))
    if result.folder is not None:
        _write_result(result.folder, sweep, result)
    return result


def _check_workers(workers: int) -> None:
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputRefused(Problem("workers", str(workers), "must be a whole number of at least 1"))


def point_rows(point: Point, replications: int, seed: int, measures: Sequence[str], simulate: Simulate) -> list[Row]:
    """The rows of one design point; a pure function of its arguments, run in a worker.

    Money in currency units, ends that are infinite as ``None``.
    """
    plan = plan_of(point.scenario)
    outcome = simulate(point.scenario.with_plan(plan), replications=replications, seed=seed, workers=1)
    measured = plan_measures(point.scenario, plan, outcome)
    rows = []
    for name in measures:
        measure = SWEEP_MEASURES[name]
        interval = measure.of(measured, outcome)
        divisor = 100.0 if measure.unit == MONEY else 1.0
        ends = (None,) * 3 if interval is None else (interval.estimate, interval.low, interval.high)
        estimate, low, high = (
            None if value is None or not isfinite(value) else float(value) / divisor for value in ends
        )
        unit = point.scenario.currency if measure.unit == MONEY else measure.unit
        rows.append(
            {
                "measure": name,
                "unit": unit,
                "estimate": estimate,
                "low": low,
                "high": high,
                "replications": replications,
            }
        )
    return rows


def _run(
    points: Sequence[Point], sweep: Sweep, workers: int, simulate: Simulate | None
) -> Iterator[tuple[str, list[Row]]]:
    """Rows by key, in the order in which points finish."""
    if not points:
        return
    from joblib import Parallel, delayed

    from sim.run import shielded

    if simulate is None:
        from sim.compiled.run import ensure_compiled

        ensure_compiled()  # here, once and told, not in each worker
    task = delayed(_keyed_rows)
    engine = simulate or default_simulate()
    run = Parallel(n_jobs=min(workers, len(points)), backend="loky", return_as="generator_unordered")
    with shielded():
        found = run(task(point, sweep.replications, sweep.seed, sweep.measures, engine) for point in points)
    yield from found


def _keyed_rows(
    point: Point, replications: int, seed: int, measures: Sequence[str], simulate: Simulate
) -> tuple[str, list[Row]]:
    return point.key, point_rows(point, replications, seed, measures, simulate)


def _worker_lost() -> type[BaseException]:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    lost: type[BaseException] = TerminatedWorkerError
    return lost


def _interrupted(why: str, rows: Mapping[str, Any], distinct: Mapping[str, Any], folder: str | Path | None) -> str:
    if folder is None:
        return f"{why} after {len(rows)} of {len(distinct)} design points; nothing is kept without a folder"
    return (
        f"{why}; {len(rows)} of {len(distinct)} design points are kept in {folder}: the same command goes on from there"
    )


def _opened(folder: Path) -> Path:
    """The folder of finished points, ready to be written.

    Raises:
        InputRefused: the folder is not empty and holds no sweep, or cannot be written.
    """
    store = folder / "points"
    if folder.exists() and not folder.is_dir():
        raise InputRefused(Problem(str(folder), "", "is a file", "name a folder"))
    if folder.is_dir() and any(folder.iterdir()) and not store.is_dir():
        raise InputRefused(Problem(str(folder), "", "exists and holds no sweep", "name another folder"))
    try:
        store.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputRefused(Problem(str(folder), "", f"cannot be written: {error.strerror}", "check the path")) from None
    return store


def _kept(store: Path, key: str) -> list[Row] | None:
    """Rows of a finished point; ``None`` if it is not there or not readable as what was written."""
    try:
        content = json.loads((store / f"{key}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("key") != key:
        return None
    rows: list[Row] = content["rows"]
    return rows


def _table(sweep: Sweep, rows: Mapping[str, list[Row]]) -> pd.DataFrame:
    flat = [
        {"point": point.number, "key": point.key}
        | {column: point.settings.get(column) for column in sweep.columns}
        | row
        for point in sweep.points
        for row in rows[point.key]
    ]
    table = pd.DataFrame(flat, columns=["point", "key", *sweep.columns, *FIXED_COLUMNS])
    for column in sweep.columns:
        levels = [point.settings.get(column) for point in sweep.points for _ in rows[point.key]]
        table[column] = _typed(levels)
    for column in ("estimate", "low", "high"):
        table[column] = table[column].astype("float64")
    return table


def _typed(levels: Sequence[Any]) -> pd.Series[Any]:
    """Numbers where all levels are numbers, else texts; empty where a point keeps the scenario's own value."""
    given = [level for level in levels if level is not None]
    if all(isinstance(level, int | float) and not isinstance(level, bool) for level in given):
        return pd.Series([None if level is None else float(level) for level in levels], dtype="float64")
    return pd.Series([None if level is None else str(level) for level in levels], dtype="str")


def _hash(table: pd.DataFrame) -> str:
    return hashlib.sha256(table.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def _write_result(folder: Path, sweep: Sweep, result: SweepResult) -> None:
    _write_with(folder / "result.parquet", lambda path: result.table.to_parquet(path, index=False))
    _write_with(
        folder / "result.csv",
        lambda path: result.table.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n"),
    )
    header = {
        "name": sweep.name,
        "design": sweep.key,
        "points": len(sweep.points),
        "replications": sweep.replications,
        "seed": sweep.seed,
        "measures": list(sweep.measures),
        "result": result.content_hash,
    }
    _write_whole(folder / "sweep.json", json.dumps(header, ensure_ascii=False, indent=1) + "\n")


def _write_whole(path: Path, text: str) -> None:
    def write(draft: Path) -> None:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)

    _write_with(path, write)


def _write_with(path: Path, write: Callable[[Path], None]) -> None:
    """Write to a temporary name in the same folder, sync and rename: the file is there whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        write(draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _dumped(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)
