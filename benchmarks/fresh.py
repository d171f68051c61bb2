"""What only a fresh process shows: the processor's time of a start, and the peak of memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import ours
from benchmarks.registry import Figure

_START: Final = """
import sys
from scenarios.distributions import Exponential
from scenarios.theory_worlds import erlang_a, mg1
from sim.run import simulate
for world in (mg1(0.5, Exponential(mean=1.0), 2), erlang_a(1.0, 1.0, 2, 2.0, 2)):
    simulate(world, replications=1, engine=sys.argv[1])
"""
# The peak is read from the process's own memory map: what getrusage tells counts the parent's before the start.
_PEAK: Final = """
import re, sys
from pathlib import Path
from scenarios.speed_worlds import separable
from sim.run import simulate, simulate_logs
engine, leads, logged = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "log"
found = (simulate_logs if logged else simulate)(separable(leads), replications=1, engine=engine)
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""
_ROOT: Final = Path(__file__).resolve().parents[1]
_STARTS: Final = 3
_KIB: Final = 1024


def starts(*, quick: bool) -> Iterator[Figure]:
    """CPU seconds from the start of Python to the end of a first tiny world, without and with compiled code kept.

    Python's own bytecode is kept in either case from the first start on, as an installed package has it.
    """
    with tempfile.TemporaryDirectory() as folder:
        cold = None if quick else _started(folder)
        warm = statistics.median(_started(None if quick else folder) for _ in range(1 if quick else _STARTS))
    note = "not in a quick run" if quick else "import, compilation of all that two tiny worlds need, and their runs"
    yield Figure("engine", "compile_cpu_s", cold, "s", note)
    yield Figure("engine", "cached_start_cpu_s", warm, "s", "import and the same runs, compiled code kept on disk")


def memory(sizes: tuple[int, int], log_sizes: tuple[int, int], *, quick: bool) -> Iterator[Figure]:
    """Bytes a lead, from the peaks of a small and a large separable world.

    Args:
        sizes, log_sizes: leads of the two worlds, without and with the log.
    """
    for name, leads, logged in (("bytes_per_lead", sizes, False), ("bytes_per_lead_log", log_sizes, True)):
        note = "not in a quick run"
        value = None
        if not quick and not Path("/proc/self/status").exists():
            note = "this system does not tell the peak of one process"
        elif not quick:
            _peak(leads[0], logged=logged)  # so that neither peak is that of a compiler
            small, large = (_peak(size, logged=logged) for size in leads)
            value = (large - small) / (leads[1] - leads[0])
            note = f"peak of {leads[1]} leads less peak of {leads[0]}, separable world, one replication"
        yield Figure("engine", name, value, "bytes", note)


def _started(cache: str | None) -> float:
    """CPU seconds of one fresh process.

    Args:
        cache: folder for compiled code and for bytecode; ``None`` is the user's.
    """
    before = os.times()
    _python(_START, ours.ENGINE, cache=cache)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _peak(leads: int, *, logged: bool) -> int:
    return int(_python(_PEAK, ours.ENGINE, str(leads), "log" if logged else "tables")) * _KIB


def _python(code: str, *arguments: str, cache: str | None = None) -> str:
    environment = dict(os.environ)
    if cache is not None:
        environment |= {"QUOTALAB_CACHE_DIR": cache, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=_ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout
