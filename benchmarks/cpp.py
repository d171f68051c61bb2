"""The peer in C++: compiled on the spot, given a world as plain arrays, and asked for the same random numbers."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.ours import Totals
from scenarios.scenario import Scenario
from scenarios.ticks import NEVER
from sim.log import LOG_DTYPE, Kind, LogRows
from sim.model import Model, build
from sim.rules import conversion
from sim.samplers import FIXED, SMOOTH
from sim.streams import pair_identity, replication_key
from sim.worktime import WorkClock

SOURCE: Final = Path(__file__).with_name("global_heap.cpp")
KINDS: Final = tuple(
    int(kind)
    for kind in (
        *(Kind.ARRIVE, Kind.ENTER, Kind.START, Kind.END),
        *(Kind.ANSWER_YES, Kind.ANSWER_NO, Kind.WON, Kind.COLD),
    )
)
"""Kinds of rows that it writes."""
FLAGS: Final = ("-O3", "-march=native", "-ffp-contract=off", "-std=c++17", "-shared", "-fPIC")

_FIELDS: Final[tuple[tuple[str, Any], ...]] = (
    *((name, ctypes.c_int64) for name in ("end", "days", "regions", "stages", "desks", "reps")),
    ("source", ctypes.c_uint64),
    ("dispersion", ctypes.c_double),
    *(
        (name, ctypes.c_void_p)
        for name in (
            *("rates", "opens", "closes", "region_identity", "region_weight"),
            *("patience", "effort", "delay", "refusal", "heads", "rows"),
            *("desk_first", "desk_rep", "rep_position", "factor", "chance", "shared"),
        )
    ),
)


class _World(ctypes.Structure):
    _fields_ = _FIELDS


class _Totals(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int64) for name in Totals._fields)


def compiler() -> str | None:
    """The C++ compiler, where there is one."""
    return shutil.which("g++")


class Program:
    """The compiled peer with one world loaded."""

    def __init__(self, scenario: Scenario) -> None:
        arrays, numbers = _world(build(scenario))
        self._library = _library()
        self._kept = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self._world = _World(**numbers, **{name: array.ctypes.data for name, array in self._kept.items()})

    def run(self, seed: int, replication: int = 0, *, logs: bool = False) -> Totals:
        """One replication.

        Args:
            logs: whether to keep the log, for :meth:`log`.
        """
        found = _Totals()
        key = ctypes.c_uint64(int(replication_key(seed, replication)))
        self._library.simulate(ctypes.byref(self._world), key, int(logs), ctypes.byref(found))
        return Totals(**{name: getattr(found, name) for name in Totals._fields})

    def log(self) -> LogRows:
        """The rows of the last run: a lead's arrival, entries, starts, ends, answers and its going cold."""
        at = ctypes.c_void_p()
        count = self._library.log_rows(ctypes.byref(at))
        return np.frombuffer(ctypes.string_at(at, count * LOG_DTYPE.itemsize), dtype=LOG_DTYPE)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "global_heap.so"
        subprocess.run([compiler() or "g++", *FLAGS, str(SOURCE), "-o", str(binary)], check=True, capture_output=True)
        library = ctypes.CDLL(str(binary))
    library.log_rows.restype = ctypes.c_int64
    return library


def _world(model: Model) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and numbers of a world that the peer can say.

    Raises:
        ValueError: it cannot say this world.
    """
    _require_sayable(model)
    stages, sources, count = model.stages, model.sources, model.stages.count
    order = np.argsort(model.reps.identity)
    pooled = model.scenario.routing.policy == "pool"
    desks, shared = _shared_desks(model, order) if pooled else ([[rep] for rep in order.tolist()], None)
    reps = np.array([rep for desk in desks for rep in desk], dtype=np.int64)
    epoch = model.reps.epoch_first[:-1][reps]
    quality = float(sources.quality[0] + model.segment_quality[0])
    arrays: dict[str, NDArray[Any]] = {
        "rates": sources.rates[0],
        "opens": sources.opens[0],
        "closes": sources.closes[0],
        "region_identity": model.region_identity,
        "region_weight": sources.regions[0].astype(np.float64),
        "patience": stages.patience,
        "effort": stages.effort,
        "delay": stages.delay,
        "refusal": stages.loss_delay,
        "heads": model.tables.head,
        "rows": model.tables.rows,
        "desk_first": np.cumsum([0, *(len(desk) for desk in desks)], dtype=np.int64),
        "desk_rep": np.full(len(desks), -1, dtype=np.int64) if pooled else reps,
        "rep_position": reps,
        "factor": model.reps.factor[epoch, :count],
        "chance": np.array(
            [[conversion(stages.base_logit[s], model.reps.shift[e, s] + quality) for s in range(count)] for e in epoch]
        ),
    }
    if shared is not None:
        arrays["shared"] = shared
    numbers = {
        "end": model.end,
        "days": len(sources.rates[0]),
        "regions": len(model.region_identity),
        "stages": count,
        "desks": len(desks),
        "reps": len(reps),
        "source": int(sources.identity[0]),
        "dispersion": float(sources.dispersion[0]),
    }
    return arrays, numbers


def _shared_desks(model: Model, order: NDArray[np.int64]) -> tuple[list[list[int]], NDArray[np.int64]]:
    """Reps of each pool, pools in their order within an instant; and the pool of each stage and region."""
    roles, regions = model.role_identity, model.region_identity
    places = [(role, region) for role in range(len(roles)) for region in range(len(regions))]
    places.sort(key=lambda place: int(pair_identity(roles[place[0]], regions[place[1]])))
    number = {place: rank for rank, place in enumerate(places)}
    desks: list[list[int]] = [[] for _ in places]
    for rep in order.tolist():
        desks[number[int(model.reps.role[rep]), int(model.reps.region[rep])]].append(rep)
    shared = [[number[role, region] for region in range(len(regions))] for role in model.stages.role.tolist()]
    return desks, np.array(shared, dtype=np.int64)


def _require_sayable(model: Model) -> None:
    scenario = model.scenario
    clocks: Sequence[WorkClock] = (*model.reps.clocks, model.customers)
    one_team = len(model.region_identity) == 1 and len(model.role_identity) == 1
    held = {
        "one source": len(model.sources.ids) == 1,
        "always open": all(len(clock.opens) == 1 and clock.opens[0] <= 0 for clock in clocks),
        "first come first served": scenario.queue == "fifo",
        "shared desks, or leads in turn to reps who keep them": (
            (scenario.routing.policy == "pool" and not scenario.routing.same_rep)
            or (scenario.routing.policy == "round_robin" and scenario.routing.same_rep and one_team)
        ),
        "reps who stay as they are": bool(
            np.all(np.diff(model.reps.epoch_first) == 1) and np.all(model.reps.leaves >= NEVER)
        ),
        "known samplers": set(model.tables.head[:, 0].tolist()) <= {FIXED, SMOOTH},
        "leads only": not (model.accounts.ids or model.products.ids or model.pipeline or model.tenders),
        "no going back": scenario.routing.return_to_pool_days is None
        and not model.stages.to_pool.any()
        and not model.stages.recycle_max.any(),
    }
    missing = [what for what, holds in held.items() if not holds]
    if missing:
        raise ValueError(f"the peer in C++ needs: {', '.join(missing)}")
