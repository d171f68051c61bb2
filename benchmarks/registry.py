"""The registry: a benchmark is a function that yields its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from scenarios.errors import InputRefused, Problem


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        figure: its name within the benchmark; others read it by this name.
        value: ``None`` where this machine cannot measure it, which ``note`` explains.
        unit: ``ratio`` unless it says otherwise.
    """

    benchmark: str
    figure: str
    value: float | None
    unit: str
    note: str = ""

    def document(self) -> dict[str, Any]:
        """The fields as JSON-ready data."""
        return asdict(self)


Benchmark = Callable[[bool], Iterator[Figure]]
"""Called with whether a quick smoke run is enough."""

BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str) -> Callable[[Benchmark], Benchmark]:
    """Enter a function into the registry."""

    def register(function: Benchmark) -> Benchmark:
        if name in BENCHMARKS:
            raise ValueError(f"two benchmarks are called {name!r}")
        BENCHMARKS[name] = function
        return function

    return register


def chosen(name: str | None) -> dict[str, Benchmark]:
    """One benchmark, or all of them.

    Raises:
        InputRefused: no benchmark has this name.
    """
    if name is None:
        return dict(BENCHMARKS)
    if name not in BENCHMARKS:
        raise InputRefused(Problem("benchmark", name, "no such benchmark", f"known: {', '.join(BENCHMARKS)}"))
    return {name: BENCHMARKS[name]}
