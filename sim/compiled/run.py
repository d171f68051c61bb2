"""Run replications in the compiled engine: its memory, its tables and its logs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from logging import getLogger
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import InputRefused
from sim.compile import CACHE_FOLDER, is_ready, make_ready
from sim.compiled.draft import Table
from sim.compiled.leads import Leads
from sim.compiled.tables import Start, start_of
from sim.kernel.heap import SOONEST
from sim.kernel.lanes import SIDE_BY_SIDE
from sim.kernel.names import (
    ACCOUNT_TALLIES,
    AGAIN,
    COMPANY_TALLIES,
    DONE,
    PRODUCT_TALLIES,
    REP_TALLIES,
    ROOM_FOR_ARRIVALS,
    SEGMENT_TALLIES,
    SOURCE_TALLIES,
    STAGE_TALLIES,
)
from sim.kernel.replication import run
from sim.kernel.way import NEAREST
from sim.kernel.world import RUN_TABLES, TABLES, WORLD
from sim.ledger import too_much_money
from sim.log import Kind, Log, in_order, table_of
from sim.model import Model
from sim.outcome import Cube
from sim.reduce import REP_METRICS, SOURCE_METRICS, STAGE_METRICS
from sim.reduce_sales import (
    ACCOUNT_METRICS,
    CUSTOMER_METRICS,
    PRODUCT_METRICS,
    SEGMENT_METRICS,
)
from sim.streams import replication_key

Ints = NDArray[np.int64]
_CHANGING = ("reps", "desks", "supports", "quotas", "needs", "turns")
"""Tables that each replication begins with as the model gives them."""
_TALLIES = tuple(name for name in TABLES if name.endswith(("_tally", "_activity")))
_COUNTERS = (
    "now", "period", "customers_place", "group", "near_count", "soon_count", "event_count", "far_count", "far_used",
    "bucket", "lane", "lane_open", "lane_lead", "lane_lead_count", "timeless", "begun", "due_count", "item_count",
    "next_arrival", "arrival_count", "customer_count", "staff_known", "row_count", "lead_count", "line_count",
    "buyer_count", "signed", "too_much", "wanted",
)  # fmt: skip
_SPARE = 64
_LINE = 64
"""Bytes."""


class Engine:
    """The memory of one thread: replications of one model, one after the other."""

    def __init__(self, model: Model, start: Start | None = None, *, lanes: bool = True) -> None:
        self.model = model
        self._start = start or start_of(model)
        self._tables: dict[str, Table] = {
            name: kept.copy() if name in RUN_TABLES else kept for name, kept in self._start.tables.items()
        }
        self._world = np.zeros(1, dtype=WORLD)
        for name, value in self._start.values.items():
            self._world[name] = value
        self._laned = int(self._start.values["laned"]) * lanes
        self._world["laned"] = self._laned
        events = sum(int(self._world[f"{name}_count"][0]) for name in ("opening", "block", "tender", "change", "rep"))
        events += 3 * len(model.accounts.ids)
        for name in self._tables:
            self._place(name)
        self._grow("events", 2 * events + 4 * _SPARE)
        self._grow("far", events + 4 * _SPARE)
        self._grow("items", 8 * _SPARE)
        self._grow("arrivals", 2 * _SPARE)
        expected = int(model.expected_leads()) * self._laned
        self._grow("lane_leads", expected + expected // 50 + _SPARE * (4 + len(self._tables["lanes"])))
        self._grow("near", NEAREST)
        self._grow("soon", SOONEST)
        self._grow("customers", len(model.accounts.ids) + 4 * _SPARE)

    def _place(self, name: str) -> None:
        kept = self._tables[name] = _in_lines(np.ascontiguousarray(self._tables[name], dtype=TABLES[name]))
        self._world[name] = kept.ctypes.data
        self._world[f"room_{name}"] = len(kept)

    def _grow(self, name: str, least: int) -> None:
        """Give a table, and those that go with it, room for at least so many rows."""
        kept = self._tables[name]
        grown = _zeros(self._room(name, len(kept), least), TABLES[name])
        grown[: len(kept)] = kept
        self._tables[name] = grown
        self._place(name)
        if name == "arrivals":
            for fresh in ("fresh_draws", "fresh_leads", "fresh_times", "fresh_sources", "fresh_starts"):
                self._grow(fresh, len(grown))
        if name == "lane_leads":
            self._grow("lane_blocks", len(grown) // SIDE_BY_SIDE + 1)
        if name == "items":
            self._grow("keepers", len(grown) * len(self.model.role_identity))

    def _room(self, name: str, had: int, least: int) -> int:
        """Rows that a table which had so many gets: twice as many, a quarter more of the largest."""
        return max(least, had + (had // 4 if name == "lane_leads" else had))

    def simulate(self, seed: int, replication: int, *, logging: bool = False) -> None:
        """One replication; its tallies and rows lie in the tables until the next.

        Raises:
            InputRefused: the sales are together beyond what whole minor units of 64 bits can hold.
        """
        world = self._world
        self._reset(seed, replication, logging)
        while (stopped := run(world.ctypes.data)) != DONE:
            if stopped == AGAIN:
                world["laned"] = 0
                self._reset(seed, replication, logging)
            elif stopped == ROOM_FOR_ARRIVALS:
                self._grow("arrivals", int(world["wanted"][0]))
            else:
                self._make_room()
        world["laned"] = self._laned
        if world["too_much"][0]:
            raise InputRefused(too_much_money())

    def _reset(self, seed: int, replication: int, logging: bool) -> None:
        """Everything as a replication begins."""
        world = self._world
        for name in _CHANGING:
            self._tables[name][:] = self._start.tables[name]
        for name in _TALLIES:
            self._tables[name][:] = 0
        self._tables["buckets"][:] = -1
        for name in _COUNTERS:
            world[name] = 0
        world["free_item"], world["far_free"], world["logging"] = -1, -1, logging
        world["key"] = np.array([replication_key(seed, replication)], dtype=np.uint64).view(np.int64)

    def _make_room(self) -> None:
        world = self._world
        margin = int(world["margin_of_rows"][0])
        events = sum(int(world[f"{name}_count"][0]) for name in ("event", "soon", "far"))
        needed = {"events": events, "far": int(world["far_used"][0])}
        needed["lane_leads"] = int(world["lane_lead_count"][0]) + _SPARE
        needed |= {name: int(world[f"{name[:-1]}_count"][0]) for name in ("items", "customers")}
        if world["logging"][0]:
            needed["rows"] = int(world["row_count"][0]) + margin + int(world["customer_count"][0])
            needed["line_rows"] = int(world["line_count"][0]) + margin
            needed |= {"lead_rows": int(world["lead_count"][0]), "buyers": int(world["buyer_count"][0])}
        for name, least in needed.items():
            if least + _SPARE > len(self._tables[name]):
                self._grow(name, least + 16 * _SPARE)

    # ---- what comes out ------------------------------------------------------------------------------------------

    def tally(self, name: str, metrics: Sequence[str], keys: int, periods: int) -> dict[str, Ints]:
        """The sums of a table by metric, each ``[keys, periods]``."""
        sums = self._tables[name].reshape(keys, periods, len(metrics))
        return {metric: sums[:, :, place] for place, metric in enumerate(metrics)}

    def cubes(self) -> dict[str, dict[str, Ints]]:
        """The tables of the last replication by kind and metric, each ``[keys, periods]``."""
        model = self.model
        periods, stages = len(model.periods.labels), model.stages
        reps = self.tally("rep_tally", REP_TALLIES, len(model.reps.ids), periods)
        reps["training_ticks"] = self._training()
        activities = [f"activity:{name}" for name in stages.activity_names]
        reps |= self.tally("rep_activity", activities, len(model.reps.ids), periods)
        stage = self.tally("stage_tally", STAGE_TALLIES, stages.count, periods)
        closed = stage["advanced"] + stage["lost"] + stage["cold"]
        stage["open"] = np.cumsum(stage["entered"] - closed, axis=1)
        stage |= self.tally("stage_activity", activities, stages.count, periods)
        source = self.tally("source_tally", SOURCE_TALLIES, len(model.sources.ids), periods)
        closed = source["won"] + source["lost"] + source["cold"]
        source["open"] = np.cumsum(source["leads"] + source["opened"] - closed, axis=1)
        source["cost"] = source["leads"] * model.sources.cost[:, None]
        company = self.tally("company_tally", COMPANY_TALLIES, 1, periods)
        product = self.tally("product_tally", PRODUCT_TALLIES, len(model.products.ids), periods)
        product["all_orders"] = np.tile(company["orders"], (len(model.products.ids), 1))
        customers = company["new_customers"].copy()
        customers[0, 0] += len(model.accounts.ids)
        return {
            "rep": reps,
            "stage": stage,
            "source": source,
            "product": product,
            "segment": self.tally("segment_tally", SEGMENT_TALLIES, len(model.scenario.segments), periods),
            "account": self.tally("account_tally", ACCOUNT_TALLIES, len(model.accounts.ids), 1),
            "customer": company | {"customers": customers},
        }

    def _sessions(self) -> list[tuple[int, int, Any]]:
        """Training sessions that ended within the horizon and before who was trained left: rep, number, session."""
        until = self._tables["reps"]["first_left"]
        return [
            (rep, number, session)
            for rep, sessions in enumerate(self.model.reps.sessions)
            for number, session in enumerate(sessions)
            if session.end <= until[rep] and session.end < self.model.end
        ]

    @cached_property
    def _training_rows(self) -> Ints:
        """Rep, end, ticks and period of every training session that ends within the horizon, [4, sessions]."""
        model = self.model
        rows = [
            (rep, session.end, session.ticks)
            for rep, sessions in enumerate(model.reps.sessions)
            for session in sessions
            if session.end < model.end
        ]
        rep, end, ticks = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        return np.array([rep, end, ticks, np.searchsorted(model.periods.bounds, end, side="right") - 1])

    def _training(self) -> Ints:
        rep, end, ticks, period = self._training_rows
        held = end <= self._tables["reps"]["first_left"][rep]
        out = np.zeros((len(self.model.reps.ids), len(self.model.periods.labels)), dtype=np.int64)
        np.add.at(out, (rep[held], period[held]), ticks[held])
        return out

    def logged(self, seed: int, replication: int) -> Log:
        """The log of one replication; see :meth:`simulate`."""
        self.simulate(seed, replication, logging=True)
        return self._log(replication)

    def _log(self, replication: int) -> Log:
        count = int(self._world["row_count"][0])
        skills, identity = self.model.scenario.skills.dimensions, self.model.reps.identity
        trained = [
            (s.end, int(Kind.TRAINED), int(identity[rep]), number, -1, rep, skills.index(s.skill), s.ticks, s.begin)
            for rep, number, s in self._sessions()
        ]
        rows = self._tables["rows"][:count]
        if trained:
            rows = np.concatenate([rows, table_of(trained)])
        buyers = self._tables["buyers"][: int(self._world["buyer_count"][0])]
        return Log(
            replication,
            in_order(rows),
            self._leads(),
            dict(zip(buyers["order"].tolist(), buyers["customer"].tolist(), strict=True)),
        )

    def _leads(self) -> Leads:
        known, lines = int(self._world["lead_count"][0]), int(self._world["line_count"][0])
        return Leads(self._tables["lead_rows"][:known].copy(), self._tables["line_rows"][:lines].copy())


def _zeros(count: int, kind: Any) -> Table:
    """Rows of zeros from the beginning of a line of the processor's cache on; they take memory as they are used."""
    size = count * kind.itemsize
    room = np.zeros(size + _LINE, dtype=np.uint8)
    first = -room.ctypes.data % _LINE
    return room[first : first + size].view(kind)


def _in_lines(rows: Table) -> Table:
    """The rows from the beginning of a line of the processor's cache on."""
    if rows.ctypes.data % _LINE == 0:
        return rows
    moved = _zeros(len(rows), rows.dtype)
    moved[:] = rows
    return moved


_KEPT = f"{run.__module__.rpartition('.')[2]}.{run.__name__}"
"""How numba names the files of the engine's code: by its module and its function."""


def is_compiled() -> bool:
    """Whether the engine's code is at hand, or lies in the cache of this machine and version."""
    return is_ready(run) or any(CACHE_FOLDER.glob(f"*/{_KEPT}-*.nbi"))


_compiling = Lock()


def ensure_compiled() -> None:
    """Compile the engine where that has not been done, which takes about half a minute once, and say so beforehand."""
    with _compiling:
        if not is_compiled():
            getLogger("quotalab").warning("compiling the simulation engine for this machine, once: about half a minute")
        make_ready(run)


def replicate(engine: Engine, seed: int, replications: Sequence[int]) -> dict[str, Cube]:
    """The outcome's tables of some replications."""
    model = engine.model
    activities = tuple(f"activity:{name}" for name in model.stages.activity_names)
    labels = model.periods.labels
    shapes: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
        "rep": ((*REP_METRICS, *activities), model.reps.ids, labels),
        "stage": ((*STAGE_METRICS, *activities), model.stages.ids, labels),
        "source": (SOURCE_METRICS, model.sources.ids, labels),
        "product": (PRODUCT_METRICS, model.products.ids, labels),
        "segment": (SEGMENT_METRICS, tuple(segment.id for segment in model.scenario.segments), labels),
        "account": (ACCOUNT_METRICS, model.accounts.ids, ("horizon",)),
        "customer": (CUSTOMER_METRICS, ("company",), labels),
    }
    values = {
        kind: np.zeros((len(metrics), len(replications), len(keys), len(periods)), dtype=np.int64)
        for kind, (metrics, keys, periods) in shapes.items()
    }
    for place, replication in enumerate(replications):
        engine.simulate(seed, replication)
        for kind, tables in engine.cubes().items():
            for row, metric in enumerate(shapes[kind][0]):
                values[kind][row, place] = tables[metric]
    return {kind: Cube(kind, *shapes[kind], values[kind]) for kind in shapes}
