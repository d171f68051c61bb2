"""Two threads against one, on a machine that first proves to have two idle cores."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from benchmarks import ours
from benchmarks.registry import Figure
from scenarios.scenario import Scenario

PROBE_LEAST: Final = 1.9
"""What two processes that only spin must gain for a parallel figure to count."""
TRIES: Final = 3
"""Rounds for each that is wanted: neighbours come and go."""
_SPIN: Final = "for _ in range({}): pass"


class Round(NamedTuple):
    """One round: what two spinning processes gained, what two threads gained, and their CPU time over one's."""

    probe: float
    gain: float
    inflation: float


def two_threads(world: Scenario, *, seed: int, replications: int, rounds: int, spins: int) -> Iterator[Figure]:
    """Time on the clock of one thread over that of two, median of the rounds in which both cores were idle.

    Args:
        rounds: that are wanted on idle cores; so many times :data:`TRIES` are tried for them.
        spins: steps of a spinning process.
    """
    found: list[Round] = []
    idle: list[Round] = []
    while len(idle) < rounds and len(found) < TRIES * rounds:
        found.append(_round(world, seed, replications, spins))
        idle = [one for one in found if one.probe >= PROBE_LEAST]
    best = max(one.probe for one in found)
    inflation = statistics.median(one.inflation for one in idle or found)
    told = f"{replications} replications, spin probe {best:.3g}, CPU inflation {inflation:.3g}"
    if not idle:
        yield Figure("engine", "threads_2", None, "ratio", f"no two idle cores (probe below {PROBE_LEAST}): {told}")
        return
    gain = statistics.median(one.gain for one in idle)
    yield Figure("engine", "threads_2", gain, "ratio", f"{told}, {len(idle)} of {len(found)} rounds on idle cores")


def _round(world: Scenario, seed: int, replications: int, spins: int) -> Round:
    before = spin_gain(spins)
    one, two = (
        _timed(partial(ours.outcome, world, seed=seed, replications=replications, workers=workers))
        for workers in (1, 2)
    )
    after = spin_gain(spins)
    return Round(min(before, after), one[0] / two[0], two[1] / one[1])


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of CPU, all threads of this process together."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def spin_gain(spins: int) -> float:
    """Time on the clock of two spinning processes one after the other over that of both at once."""
    alone = _spin(1, spins) + _spin(1, spins)
    return alone / _spin(2, spins)


def _spin(processes: int, spins: int) -> float:
    began = time.perf_counter()
    running = [subprocess.Popen([sys.executable, "-S", "-c", _SPIN.format(spins)]) for _ in range(processes)]
    for process in running:
        process.wait()
    return time.perf_counter() - began
