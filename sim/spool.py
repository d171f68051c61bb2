"""Horizon totals of each replication and rep in a Parquet file, for quantiles and for analyses of one's own.

One row a replication and rep, in that order: ``replication``, ``rep`` and one int64 column a metric, money in minor
units and durations in ticks. Rows are collected into row groups whose size follows from the number of reps and metrics
alone, so the bytes of the file depend neither on the size of a block nor on the number of workers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scenarios.errors import InputRefused, Problem
from sim.exact import Integers
from sim.moments_cube import horizons
from sim.outcome import Cube

if TYPE_CHECKING:
    import pyarrow

GROUP_CELLS: Final = 2**20
"""Most figures of one row group, one replication at least: what waits in memory for being written."""


class Spool:
    """A Parquet file being written; made by :meth:`maybe`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None
        self._keys: tuple[str, ...] = ()
        self._metrics: tuple[str, ...] = ()
        self._first: int | None = None
        self._waiting: list[Integers] = []

    @classmethod
    @contextmanager
    def maybe(cls, path: str | Path | None) -> Iterator[Spool | None]:
        """A spool that becomes ``path`` when the block ends well and leaves no trace when it does not; or none.

        Raises:
            InputRefused: the folder does not exist or cannot be written to.
        """
        if path is None:
            yield None
            return
        target = Path(path)
        draft = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            draft.touch()
        except OSError as error:
            raise InputRefused(
                Problem("spool", str(path), f"cannot be written ({error.strerror})", "name a file in a folder of yours")
            ) from None
        spool = cls(draft)
        try:
            yield spool
            spool.close()
            draft.replace(target)
        finally:
            spool.abandon()
            draft.unlink(missing_ok=True)

    def add(self, reps: Cube, first: int) -> None:
        """The next replications.

        Args:
            reps: their table by rep.
            first: number of the first; consecutive from call to call.

        Raises:
            ValueError: replications are missing or come twice.
        """
        rows = np.moveaxis(horizons(reps), 0, 2)  # [replication, rep, metric]
        if self._first is None:
            self._first, self._keys, self._metrics = first, reps.keys, reps.metrics
        if first != self._first + sum(map(len, self._waiting)):
            raise ValueError(f"replication {first} does not follow")
        self._waiting.append(rows)
        size = max(1, GROUP_CELLS // max(1, rows[0].size))
        while sum(map(len, self._waiting)) >= size:
            self._write(size)

    def close(self) -> None:
        """Write what is left."""
        if rest := sum(map(len, self._waiting)):
            self._write(rest)
        self.abandon()

    def abandon(self) -> None:
        """Let go of the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, count: int) -> None:
        import pyarrow.parquet

        rows = np.concatenate(self._waiting)
        self._waiting = [rows[count:]] if len(rows) > count else []
        assert self._first is not None
        table = self._table(rows[:count], self._first)
        self._first += count
        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))

    def _table(self, rows: Integers, first: int) -> pyarrow.Table:
        import pyarrow

        count, reps, _ = rows.shape
        labels = pyarrow.array(np.tile(np.arange(reps, dtype=np.int32), count))
        columns = {
            "replication": np.repeat(np.arange(first, first + count, dtype=np.int64), reps),
            "rep": pyarrow.DictionaryArray.from_arrays(labels, pyarrow.array(self._keys, pyarrow.string())),
        }
        columns |= {metric: rows[:, :, place].ravel() for place, metric in enumerate(self._metrics)}
        return pyarrow.table(columns)


def samples(path: str | Path, metric: str) -> tuple[Integers, tuple[str, ...], Integers]:
    """One metric of a spooled file.

    Returns:
        The numbers of the replications, shape ``[n]``; the reps; the horizon totals, shape ``[n, rep]``.

    Raises:
        InputRefused: no such file, or no such metric in it.
    """
    import pyarrow.parquet

    if not Path(path).is_file():
        raise InputRefused(Problem("spool", str(path), "no such file"))
    names = pyarrow.parquet.read_schema(path).names
    if metric not in names[2:]:
        raise InputRefused(Problem(str(path), metric, "no such metric", f"known: {', '.join(names[2:])}"))
    table = pyarrow.parquet.read_table(path, columns=["replication", "rep", metric])
    reps = tuple(table["rep"].chunk(0).dictionary.to_pylist())
    numbers = table["replication"].to_numpy()[:: len(reps)]
    return numbers, reps, table[metric].to_numpy().reshape(-1, len(reps))
