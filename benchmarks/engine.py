"""Our engine against plain SimPy, a C++ program, Ciw and our own reference engine, in services per CPU second."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from benchmarks import ciw_peer, cpp, fresh, ours, plain_simpy
from benchmarks.registry import Figure, benchmark
from benchmarks.threads import two_threads
from benchmarks.timing import median_ratio, rates
from scenarios.generate import national, starter
from scenarios.scenario import Scenario
from scenarios.speed_worlds import days_of, least_loaded, return_to_pool, separable
from scenarios.theory_worlds import FUNNEL18_ARRIVALS, UNIT_HOURS, funnel18
from sim.log import LogRows

SEED = 20260101
# Both sides draw their own numbers, so their services differ by chance; a wider gap is another workload. The standard
# deviation of the services of one run is about sqrt(leads) * 2.7.
CHANCE_GAP = 6 * math.sqrt(2) * 2.7
FIGURES = {
    "vs_plain_simpy": "ratio",
    "vs_plain_simpy_log": "ratio",
    "vs_cpp": "ratio",
    "vs_cpp_log": "ratio",
    "services_per_cpu_s": "1/s",
    "vs_plain_simpy_pooled": "ratio",
    "vs_plain_simpy_pooled_log": "ratio",
    "vs_cpp_pooled": "ratio",
    "vs_cpp_pooled_log": "ratio",
    "vs_ciw": "ratio",
    "vs_plain_simpy_coupled": "ratio",
    "vs_own_simpy_national": "ratio",
    "threads_2": "ratio",
    "compile_cpu_s": "s",
    "cached_start_cpu_s": "s",
    "bytes_per_lead": "bytes",
    "bytes_per_lead_log": "bytes",
}
"""All figures with their units, in the order in which they come."""


@dataclass(frozen=True)
class Size:
    """How much is simulated.

    Attributes:
        leads, days: of our side and the C++ program in the separable and the pooled world.
        plain_leads: of plain SimPy in the separable and the coupled worlds.
        ciw_days: of Ciw in the pooled world.
        replications: of our side in one call, which builds the model once.
        rounds, few_rounds: of the separable world, and of all others.
        spins: steps of a process that probes for idle cores.
    """

    leads: int
    plain_leads: int
    days: int
    ciw_days: int
    replications: int
    rounds: int
    few_rounds: int
    spins: int


FULL = Size(200_000, 20_000, 250, 20, 10, 7, 3, 20_000_000)
QUICK = Size(1_000, 1_000, 4, 2, 1, 1, 1, 1_000_000)
MEMORY, MEMORY_LOG = (100_000, 800_000), (20_000, 200_000)


class Plain(Protocol):
    """A world in plain SimPy; see :mod:`benchmarks.plain_simpy`."""

    def __call__(self, horizon: float, seed: int, *, logs: bool) -> plain_simpy.Tally: ...


@dataclass(frozen=True)
class Workload:
    """One world at our size and at that of plain SimPy.

    Attributes:
        suffix: of its figures' names.
        days: horizon of the small one.
    """

    suffix: str
    large: Scenario
    small: Scenario
    days: int
    plain: Plain

    def plainly(self, *, logs: bool) -> int:
        """The small world in plain SimPy; services."""
        return self.plain(self.days * 24 / UNIT_HOURS, SEED, logs=logs).services


@benchmark("engine")
def engine(quick: bool) -> Iterator[Figure]:
    """All figures of the engine; ``None`` where there is no such engine."""
    if reason := ours.refused():
        yield from (Figure("engine", name, None, unit, reason) for name, unit in FIGURES.items())
        return
    size = QUICK if quick else FULL
    days = days_of(size.plain_leads)
    large, small = separable(size.leads), separable(size.plain_leads)
    yield from _uncoupled(Workload("", large, small, days, plain_simpy.separable), size, size.rounds)
    shared = funnel18(size.days)
    pooled = Workload("_pooled", shared, shared, size.days, plain_simpy.pooled)
    yield from _uncoupled(pooled, size, size.few_rounds)
    yield _ciw(shared, size)
    yield _coupled(
        [
            Workload(
                " least loaded",
                least_loaded(size.leads),
                least_loaded(size.plain_leads),
                days,
                plain_simpy.least_loaded,
            ),
            Workload(
                " return to pool",
                return_to_pool(size.leads),
                return_to_pool(size.plain_leads),
                days,
                plain_simpy.return_to_pool,
            ),
        ],
        size,
    )
    yield _own_simpy(*(("starter", starter()) if quick else ("national", national())), size)
    yield from two_threads(
        large, seed=SEED, replications=2 * size.replications, rounds=size.few_rounds, spins=size.spins
    )
    yield from fresh.starts(quick=quick)
    yield from fresh.memory(MEMORY, MEMORY_LOG, quick=quick)


def _uncoupled(load: Workload, size: Size, rounds: int) -> Iterator[Figure]:
    """Ratios to plain SimPy and to C++, without and with the log."""
    totals = ours.totals(ours.outcome(load.large, seed=SEED))
    program = _program(load, totals)
    few = _require_same_workload(load)
    rivals: dict[str, Callable[[], int]] = {
        "own": _own(load.large, size.replications),
        "own_log": lambda: _logged(load.large, totals.services),
        "plain": lambda: load.plainly(logs=False),
        "plain_log": lambda: load.plainly(logs=True),
    }
    if program is not None:
        rivals["cpp"] = lambda: program.run(SEED).services
        rivals["cpp_log"] = lambda: program.run(SEED, logs=True).services
    found = rates(rivals, rounds)
    for log, told in (("", "no log"), ("_log", "log on both sides")):
        mine, plain = found[f"own{log}"], found[f"plain{log}"]
        note = f"{totals.leads} leads ours, {few.leads} plain; {told}; {_speed('plain SimPy', plain)}"
        yield Figure("engine", f"vs_plain_simpy{load.suffix}{log}", median_ratio(mine, plain), "ratio", note)
        ratio, note = None, "no g++ here"
        if program is not None:
            rival = found[f"cpp{log}"]
            ratio = median_ratio(mine, rival)
            note = f"{totals.leads} leads on both sides, the same draws and sums; {told}; {_speed('C++', rival)}"
        yield Figure("engine", f"vs_cpp{load.suffix}{log}", ratio, "ratio", note)
    if not load.suffix:
        note = f"our side as released, {size.replications} replications of {totals.leads} leads"
        yield Figure("engine", "services_per_cpu_s", statistics.median(found["own"]), "1/s", note)


def _program(load: Workload, totals: ours.Totals) -> cpp.Program | None:
    """The C++ program with the large world, which comes to the same as our engine; ``None`` without a compiler."""
    if cpp.compiler() is None:
        return None
    small = cpp.Program(load.small)
    small.run(SEED, logs=True)
    own = ours.log(load.small, seed=SEED).rows
    if not np.array_equal(comparable(own), small.log()):
        raise AssertionError("the C++ program writes another log than our engine")
    program = cpp.Program(load.large)
    if (found := program.run(SEED)) != totals:
        raise AssertionError(f"the C++ program comes to {found}, our engine to {totals}")
    return program


def comparable(rows: LogRows) -> LogRows:
    """Those rows of a canonical log that the C++ program writes too: all but the books."""
    return rows[np.isin(rows["kind"], cpp.KINDS)]


def _require_same_workload(load: Workload) -> ours.Totals:
    """Our totals of the small world, to which those of plain SimPy are near."""
    own = ours.totals(ours.outcome(load.small, seed=SEED))
    plain = load.plainly(logs=False)
    if abs(own.services - plain) > CHANCE_GAP * math.sqrt(own.leads):
        raise AssertionError(f"not the same workload: {own.services} and {plain} services")
    return own


def _own(world: Scenario, replications: int) -> Callable[[], int]:
    return lambda: ours.services(ours.outcome(world, seed=SEED, replications=replications))


def _logged(world: Scenario, services: int) -> int:
    ours.log(world, seed=SEED)
    return services


def _ciw(world: Scenario, size: Size) -> Figure:
    """Ratio to Ciw, which cannot go without its records."""
    horizon = size.ciw_days * 24 / UNIT_HOURS
    try:
        services = ciw_peer.pooled(horizon, SEED)
    except ImportError:
        return Figure("engine", "vs_ciw", None, "ratio", "Ciw is not installed")
    own = ours.totals(ours.outcome(funnel18(size.ciw_days), seed=SEED))
    if abs(own.services - services) > CHANCE_GAP * math.sqrt(FUNNEL18_ARRIVALS * horizon):
        raise AssertionError(f"not the same workload: {own.services} and {services} services")
    rivals = {"own": _own(world, size.replications), "ciw": lambda: ciw_peer.pooled(horizon, SEED)}
    found = rates(rivals, size.few_rounds)
    note = f"pooled world, {own.leads} leads in Ciw; {_speed('Ciw', found['ciw'])}"
    return Figure("engine", "vs_ciw", median_ratio(found["own"], found["ciw"]), "ratio", note)


def _coupled(loads: list[Workload], size: Size) -> Figure:
    """The worse of the ratios to plain SimPy in the worlds whose queues depend on each other."""
    ratios, notes, leads = [], [], 0
    for load in loads:
        leads = _require_same_workload(load).leads
        rivals: dict[str, Callable[[], int]] = {
            "own": _own(load.large, size.replications),
            "plain": partial(load.plainly, logs=False),
        }
        found = rates(rivals, size.few_rounds)
        ratios.append(median_ratio(found["own"], found["plain"]))
        notes.append(f"{load.suffix.strip()} {ratios[-1]:.4g} ({_speed('plain SimPy', found['plain'])})")
    note = f"the worse of {', '.join(notes)}; about {size.leads} leads ours, {leads} plain"
    return Figure("engine", "vs_plain_simpy_coupled", min(ratios), "ratio", note)


def _own_simpy(name: str, world: Scenario, size: Size) -> Figure:
    """Ratio to our reference engine on a company with all features, which comes to the same tables."""
    reference = ours.outcome(world, seed=SEED, engine=ours.REFERENCE)
    if reference.content_hash() != ours.outcome(world, seed=SEED).content_hash():
        raise AssertionError("the engines come to different tables")
    rivals = {
        "own": _own(world, 2 * size.replications),
        "reference": lambda: ours.services(ours.outcome(world, seed=SEED, engine=ours.REFERENCE)),
    }
    found = rates(rivals, size.few_rounds)
    note = f"{name}, {ours.services(reference)} services; {_speed('reference', found['reference'])}"
    ratio = median_ratio(found["own"], found["reference"])
    return Figure("engine", "vs_own_simpy_national", ratio, "ratio", note)


def _speed(rival: str, found: list[float]) -> str:
    return f"{rival} {statistics.median(found):,.0f} services per CPU second"
