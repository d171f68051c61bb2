"""Run replications: with either engine, on any number of threads or processes, to the same bytes."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from numbers import Integral
from threading import local
from typing import Final, Literal, TypeVar

from scenarios.errors import Problem, refuse_if
from scenarios.scenario import Scenario
from sim.compiled.run import Engine as CompiledEngine
from sim.compiled.run import ensure_compiled, replicate
from sim.compiled.tables import start_of
from sim.log import Log
from sim.model import Model, build
from sim.outcome import Cube, Outcome, stack
from sim.streams import STREAM_VERSION

Engine = Literal["auto", "compiled", "simpy"]
"""``compiled`` for everything; ``simpy`` is the readable reference. ``auto`` is the compiled one."""

ENGINES: Final = ("auto", "compiled", "simpy")
Task = TypeVar("Task")
Folded = TypeVar("Folded")
Progress = Callable[[int, int], None]
"""Called with (replications done, replications in all)."""

BLOCK = 4
"""The most replications of one task: short enough to show progress, long enough to outweigh sending it."""


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
    check(first, seed, engine, replications=replications, workers=workers)
    model = build(scenario)
    used = scenario.seed if seed is None else seed
    blocks = list(cut(range(first, first + replications), BLOCK, workers))
    tables: list[dict[str, Cube]] = []
    done = 0
    for block in run_blocks(model, used, blocks, _whole, engine=engine, workers=min(workers, len(blocks))):
        done += len(blocks[len(tables)])
        tables.append(block)
        if progress is not None:
            progress(done, replications)
    return Outcome(
        scenario=scenario.fingerprint(),
        plan=scenario.simulation_hash(model.plan),
        plan_name=model.plan.name,
        seed=used,
        first=first,
        engine="simpy" if engine == "simpy" else "compiled",
        stream_version=STREAM_VERSION,
        cubes=stack(tables),
        world=scenario.simulated(),
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
    check(first, seed, engine, replications=replications)
    model = build(scenario)
    used = scenario.seed if seed is None else seed
    wanted = range(first, first + replications)
    if engine == "simpy":
        from sim.reference import World

        return [World(model, used, replication).run() for replication in wanted]
    ensure_compiled()
    compiled = CompiledEngine(model)
    return [compiled.logged(used, replication) for replication in wanted]


def _whole(tables: dict[str, Cube]) -> dict[str, Cube]:
    return tables


def cut(wanted: range, most: int, workers: int) -> Iterator[range]:
    """Replications in blocks: shorter towards the end where several workers share them, so that all end together.

    Each block is at most half of what is left to each worker, as in guided self-scheduling (Polychronopoulos and Kuck
    1987).

    Args:
        most: replications of a block.
    """
    while wanted:
        size = most if workers == 1 else max(1, min(most, len(wanted) // (2 * workers)))
        yield wanted[:size]
        wanted = wanted[size:]


def run_blocks(
    model: Model,
    seed: int,
    blocks: Iterable[range],
    fold: Callable[[dict[str, Cube]], Folded],
    *,
    engine: Engine = "auto",
    workers: int = 1,
) -> Iterator[Folded]:
    """What becomes of the tables of each block of replications, block by block, in their order.

    Lazy: no more blocks are at work or waiting to be taken than there are workers, twice over.

    Args:
        blocks: replications of each block.
        fold: what is made of the tables of a block, where they were computed; pure, and for processes importable.
        engine, workers: as for :func:`simulate`.
    """
    if engine == "simpy":
        yield from _by_processes(model, seed, blocks, fold, workers)
        return
    ensure_compiled()
    start, mine = start_of(model), local()

    def run(block: range) -> Folded:
        # An engine is the memory of one thread, kept from block to block.
        if not hasattr(mine, "engine"):
            mine.engine = CompiledEngine(model, start)
        return fold(replicate(mine.engine, seed, block))

    yield from in_order(run, blocks, workers)


def in_order(work: Callable[[Task], Folded], tasks: Iterable[Task], workers: int) -> Iterator[Folded]:
    """Results of the tasks in their order, from this thread where there is one worker, else from as many others."""
    if workers == 1:
        yield from map(work, tasks)
        return
    waiting: deque[Future[Folded]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(work, task))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _by_processes(
    model: Model, seed: int, blocks: Iterable[range], fold: Callable[[dict[str, Cube]], Folded], workers: int
) -> Iterator[Folded]:
    if workers == 1:
        yield from (_simpy_block(model, seed, block, fold) for block in blocks)
        return
    import joblib

    calls = (joblib.delayed(_simpy_block)(model, seed, block, fold) for block in blocks)
    with shielded():
        results = joblib.Parallel(n_jobs=workers, return_as="generator")(calls)
    yield from results


def _simpy_block(model: Model, seed: int, block: range, fold: Callable[[dict[str, Cube]], Folded]) -> Folded:
    from sim.reduce import reduce
    from sim.reference import World

    return fold(stack([reduce(model, World(model, seed, replication).run()) for replication in block]))


@contextmanager
def shielded() -> Iterator[None]:
    """Hold back Ctrl-C, for good from processes started meanwhile: this one sees it afterwards and ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # Python starts its tracker together with the first worker and lets Ctrl-C through again for that, for good.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def check(first: int, seed: int | None, engine: str, **counts: int) -> None:
    """Refuse a bad request before anything is built.

    Args:
        counts: numbers of at least one, by name.

    Raises:
        InputRefused: all problems together.
    """
    given = {**counts, "first": first, "seed": seed}
    problems = [
        Problem(name, repr(value), f"is of type {type(value).__name__} and must be a plain int", f"write int({name})")
        for name, value in given.items()
        if isinstance(value, Integral) and not isinstance(value, int)
    ]
    refuse_if(problems)
    for name, value, least in (*((name, value, 1) for name, value in counts.items()), ("first", first, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            problems.append(Problem(name, str(value), f"must be a whole number of at least {least}"))
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63):
        problems.append(Problem("seed", str(seed), "must be a whole number from 0 to 2**63 - 1"))
    if engine not in ENGINES:
        problems.append(Problem("engine", engine, "no such engine", f"known: {', '.join(ENGINES)}"))
    refuse_if(problems)
