"""Run replications: with either engine, on any number of threads or processes, to the same bytes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final, Literal

from scenarios.errors import Problem, refuse_if
from scenarios.scenario import Scenario
from sim.compiled_run import Engine as CompiledEngine
from sim.compiled_run import ensure_compiled, replicate
from sim.compiled_tables import start_of
from sim.log import Log
from sim.model import Model, build
from sim.outcome import Cube, Outcome
from sim.reduce import reduce, stack
from sim.reference import World
from sim.streams import STREAM_VERSION

Engine = Literal["auto", "compiled", "simpy"]
"""``compiled`` for everything; ``simpy`` is the readable reference. ``auto`` is the compiled one."""

ENGINES: Final = ("auto", "compiled", "simpy")
Progress = Callable[[int, int], None]
"""Called with (replications done, replications in all)."""

BLOCK = 4
"""Replications of one task: short enough to show progress, long enough to outweigh sending it."""


def simulate(
    scenario: Scenario,
    *,
    replications: int = 100,
    first: int = 0,
    seed: int | None = None,
    engine: Engine = "auto",
    workers: int = 1,
    progress: Progress | None = None,
) -> Outcome:
    """Simulate the horizon of a scenario under its plan (today's where it has none).

    Args:
        replications: how many simulated horizons.
        first: number of the first; replication i is the same whatever else is run.
        seed: empty means the scenario's.
        engine: which of the two runs; they give the same bytes.
        workers: threads of the compiled engine, processes of the other; the result does not depend on it.
        progress: called as replications are done.

    Raises:
        Unsupported: the scenario asks for what no engine runs.
        InputRefused: a bad number of replications, seed or workers, or training that does not fit.
    """
    _check(replications, first, seed, engine, workers)
    model = build(scenario)
    used = scenario.seed if seed is None else seed
    tables = stack(list(_tables(model, used, range(first, first + replications), engine, workers, progress)))
    return Outcome(
        scenario=scenario.fingerprint(),
        plan=scenario.simulation_hash(model.plan),
        plan_name=model.plan.name,
        seed=used,
        first=first,
        engine="simpy" if engine == "simpy" else "compiled",
        stream_version=STREAM_VERSION,
        cubes=tables,
    )


def simulate_logs(
    scenario: Scenario,
    *,
    replications: int = 1,
    first: int = 0,
    seed: int | None = None,
    engine: Engine = "auto",
) -> list[Log]:
    """Logs of a few replications, one after the other; see :func:`simulate`."""
    _check(replications, first, seed, engine, 1)
    model = build(scenario)
    used = scenario.seed if seed is None else seed
    wanted = range(first, first + replications)
    if engine == "simpy":
        return [World(model, used, replication).run() for replication in wanted]
    ensure_compiled()
    compiled = CompiledEngine(model)
    return [compiled.logged(used, replication) for replication in wanted]


def _tables(
    model: Model, seed: int, replications: range, engine: Engine, workers: int, progress: Progress | None
) -> Iterator[Mapping[str, Cube]]:
    blocks = [replications[at : at + BLOCK] for at in range(0, len(replications), BLOCK)]
    done = 0
    computed = _by_processes if engine == "simpy" else _by_threads
    for block, tables in zip(blocks, computed(model, seed, blocks, workers), strict=True):
        yield tables
        done += len(block)
        if progress is not None:
            progress(done, len(replications))


def _by_threads(model: Model, seed: int, blocks: Sequence[range], workers: int) -> Iterator[Mapping[str, Cube]]:
    """Blocks in the compiled engine, which lets go of Python's lock; each thread has a memory of its own."""
    ensure_compiled()
    start = start_of(model)
    if workers == 1 or len(blocks) == 1:
        compiled = CompiledEngine(model, start)
        yield from (replicate(compiled, seed, block) for block in blocks)
        return
    import joblib

    idle: SimpleQueue[CompiledEngine] = SimpleQueue()
    for _ in range(min(workers, len(blocks))):
        idle.put(CompiledEngine(model, start))
    calls = (joblib.delayed(_in_thread)(idle, seed, block) for block in blocks)
    yield from joblib.Parallel(n_jobs=workers, backend="threading", return_as="generator")(calls)


def _in_thread(idle: SimpleQueue[CompiledEngine], seed: int, block: range) -> dict[str, Cube]:
    compiled = idle.get()
    try:
        return replicate(compiled, seed, block)
    finally:
        idle.put(compiled)


def _by_processes(model: Model, seed: int, blocks: Sequence[range], workers: int) -> Iterator[Mapping[str, Cube]]:
    if workers == 1 or len(blocks) == 1:
        yield from (block_tables(model, seed, block, "simpy") for block in blocks)
        return
    import joblib

    calls = (joblib.delayed(block_tables)(model, seed, block, "simpy") for block in blocks)
    with shielded():
        results = joblib.Parallel(n_jobs=workers, return_as="generator")(calls)
    yield from results


@contextmanager
def shielded() -> Iterator[None]:
    """Hold back Ctrl-C, for good from processes started meanwhile: this one sees it afterwards and ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def block_tables(model: Model, seed: int, replications: Sequence[int], engine: Engine = "auto") -> dict[str, Cube]:
    """Tables of some replications; pure, so it may run anywhere."""
    if engine == "simpy":
        return stack([reduce(model, World(model, seed, replication).run()) for replication in replications])
    ensure_compiled()
    return replicate(CompiledEngine(model), seed, replications)


def _check(replications: int, first: int, seed: int | None, engine: str, workers: int) -> None:
    problems = []
    for name, value, least in (("replications", replications, 1), ("first", first, 0), ("workers", workers, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            problems.append(Problem(name, str(value), f"must be a whole number of at least {least}"))
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63):
        problems.append(Problem("seed", str(seed), "must be a whole number from 0 to 2**63 - 1"))
    if engine not in ENGINES:
        problems.append(Problem("engine", engine, "no such engine", f"known: {', '.join(ENGINES)}"))
    refuse_if(problems)
