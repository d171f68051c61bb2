"""A replication's log cut into kinds and periods, and the sums that its tables are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.log import Kind, Log, LogRows
from sim.model import Model
from sim.worktime import WorkClock

Ints = NDArray[np.int64]


class Frame:
    """Rows of one replication by kind; R reps, S stages, P reporting periods.

    Attributes:
        rows: of each kind, in canonical order.
        busy: ticks worked, ``[R, S + 2, P]``: by stage, then account orders, then care.
    """

    def __init__(self, model: Model, log: Log) -> None:
        self.model = model
        self.log = log
        self.bounds: Ints = model.periods.bounds
        self.periods = len(model.periods.labels)
        self.rows = {kind: log.rows[log.rows["kind"] == int(kind)] for kind in Kind}
        self.busy = self._busy()

    def add(self, shape: tuple[int, ...], rows: LogRows, keys: Ints, amounts: Ints | int = 1) -> Ints:
        """Sums by (key, period) of each row's time; keys of -1 are left out."""
        out = np.zeros(shape, dtype=np.int64)
        known = keys >= 0
        values = np.broadcast_to(np.asarray(amounts, dtype=np.int64), keys.shape)
        period = np.searchsorted(self.bounds, rows["time"], side="right") - 1
        np.add.at(out, (keys[known], period[known]), values[known])
        return out

    def available(self) -> Ints:
        """Working ticks of each rep, leave and training taken out, ``[R, P]``."""
        clocks = self.model.reps.clocks
        out = np.zeros((len(clocks), self.periods), dtype=np.int64)
        for rep, clock in enumerate(clocks):
            out[rep] = np.diff(work_before(clock, self.bounds))
        return out

    def first_rows(self, rows: LogRows) -> LogRows:
        """The first row of each (entity, stage), given rows in order of time."""
        order = np.lexsort((rows["stage"], rows["entity"]))
        entity, stage = rows["entity"][order], rows["stage"][order]
        new = np.ones(len(rows), dtype=np.bool_)
        new[1:] = (entity[1:] != entity[:-1]) | (stage[1:] != stage[:-1])
        return rows[np.sort(order[new])]

    def _busy(self) -> Ints:
        """A service that a period's end cuts in two counts in each with what was worked there."""
        model = self.model
        out = np.zeros((len(model.reps.ids), model.stages.count + 2, self.periods), dtype=np.int64)
        services = self.rows[Kind.START]
        services = services[np.argsort(services["rep"], kind="stable")]
        reps, firsts = np.unique(services["rep"], return_index=True)
        for rep, rows in zip(reps.tolist(), np.split(services, firsts[1:]), strict=False):
            cuts = np.clip(self.bounds[None, :], rows["time"][:, None], rows["extra"][:, None])
            np.add.at(out[rep], rows["stage"], np.diff(work_before(model.reps.clocks[rep], cuts), axis=1))
        return out


def work_before(clock: WorkClock, ticks: Ints) -> Ints:
    """Ticks of work before each of some ticks, any shape."""
    if not len(clock.closes):
        return np.zeros(ticks.shape, dtype=np.int64)
    place = np.searchsorted(clock.closes, ticks, side="right")
    inside = np.minimum(place, len(clock.closes) - 1)
    done = np.minimum(np.maximum(ticks - clock.opens[inside], 0), clock.closes[inside] - clock.opens[inside])
    out: Ints = clock.cum[inside] + done
    return out


def joined(entities: NDArray[np.uint64], known: NDArray[np.uint64], values: NDArray[np.signedinteger]) -> Ints:
    """The value of each entity in a table of distinct entities that holds them all."""
    order = np.argsort(known)
    return values[order[np.searchsorted(known[order], entities)]].astype(np.int64)
