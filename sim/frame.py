"""A replication's log cut into kinds and periods, and the sums that its tables are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from scenarios import physics
from scenarios.ticks import NEVER
from sim.log import Kind, Log, LogRows
from sim.model import Model
from sim.worktime import WorkClock

Ints = NDArray[np.int64]
_part_of = cast(Callable[[Ints, Ints], Ints], physics.part_of)
"""The same rule on arrays: whole numbers divide alike there."""


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
        self._seats = self._people()
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
        for rep in range(len(clocks)):
            for begin, end, clock in self.on_seat(rep):
                out[rep] += np.diff(work_before(clock, np.clip(self.bounds, begin, end)))
        return out

    def credited(self, rows: LogRows, amounts: Ints) -> tuple[LogRows, Ints, Ints]:
        """Amounts on sales by the reps who are credited with them: rows, reps and parts, which add up to the amounts.

        A row whose sale is divided appears once for each of them.
        """
        credit = self.rows[Kind.CREDIT]
        credit = credit[np.lexsort((credit["visit"], credit["entity"]))]
        first = np.searchsorted(credit["entity"], rows["entity"], side="left")
        count = np.searchsorted(credit["entity"], rows["entity"], side="right") - first
        times = np.maximum(count, 1)
        place = np.repeat(np.arange(len(rows)), times)
        ordinal = np.arange(len(place)) - np.repeat(np.cumsum(times) - times, times)
        reps, parts = rows["rep"][place].astype(np.int64), amounts[place].astype(np.int64)
        shared = count[place] > 0
        of = (first[place] + ordinal)[shared]
        whole = parts[shared]
        below = np.where(ordinal[shared] > 0, credit["extra"][of - 1], 0)
        reps[shared] = credit["rep"][of]
        parts[shared] = _part_of(whole, credit["extra"][of]) - _part_of(whole, below)
        return rows[place], reps, parts

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
            for begin, end, clock in self.on_seat(rep):
                mine = rows[(rows["time"] >= begin) & (rows["time"] < end)]
                cuts = np.clip(self.bounds[None, :], mine["time"][:, None], mine["extra"][:, None])
                np.add.at(out[rep], mine["stage"], np.diff(work_before(clock, cuts), axis=1))
        return out

    def on_seat(self, rep: int) -> list[tuple[int, int, WorkClock]]:
        """Begin, end and working time of each person who sat on a rep's seat."""
        return self._seats.get(rep) or [(-NEVER, NEVER, self.model.reps.clocks[rep])]

    def _people(self) -> dict[int, list[tuple[int, int, WorkClock]]]:
        """Begin, end and clock of each person on the seats that somebody left."""
        reps = self.model.reps
        seats = {}
        for rep in np.unique(self.rows[Kind.LEAVE]["rep"]).tolist():
            leaves, joins = (
                rows["time"][rows["rep"] == rep].tolist() for rows in (self.rows[Kind.LEAVE], self.rows[Kind.JOIN])
            )
            people = [(-NEVER, leaves[0], reps.clocks[rep])]
            later = joins[1:] if reps.hired[rep] > 0 else joins
            for number, joined in enumerate(later, start=1):
                left = leaves[number] if number < len(leaves) else NEVER
                people.append((joined, left, reps.seat_clocks[rep]))
            seats[rep] = people
        return seats


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
