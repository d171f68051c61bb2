"""Fair timing on a busy machine: CPU time, rivals interleaved, medians of several rounds."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process for one call; the garbage of earlier work is collected before."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def interleaved(rivals: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each rival in each round; the rivals take turns, and the first turn rotates."""
    names = list(rivals)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for position in range(len(names)):
            name = names[(turn + position) % len(names)]
            found[name].append(cpu_seconds(rivals[name]))
    return found


def rates(rivals: Mapping[str, Callable[[], int]], rounds: int) -> dict[str, list[float]]:
    """What each rival gets done in a CPU second, in each round; a rival returns how much it did, never nothing."""
    done: dict[str, list[int]] = {name: [] for name in rivals}

    def counted(name: str) -> Callable[[], None]:
        return lambda: done[name].append(rivals[name]())

    times = interleaved({name: counted(name) for name in rivals}, rounds)
    return {
        name: [amount / seconds for amount, seconds in zip(done[name], times[name], strict=True)] for name in rivals
    }


def median_ratio(above: list[float], below: list[float]) -> float:
    """Median over the rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))
