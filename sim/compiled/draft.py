"""Tables of the compiled engine in the making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernel.world import SHARES, TABLES
from sim.worktime import WorkClock

Table = NDArray[Any]


class Clocks:
    """Working times end to end; equal ones are stored once."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self._kept: list[WorkClock] = []

    def place(self, clock: WorkClock) -> int:
        content = clock.opens.tobytes() + b"|" + clock.closes.tobytes()
        if content not in self._places:
            self._places[content] = len(self._kept)
            self._kept.append(clock)
        return self._places[content]

    def tables(self) -> dict[str, Table]:
        counts = [len(clock.opens) for clock in self._kept]
        rows = table("clocks", len(counts))
        rows["count"] = counts
        rows["first"] = np.cumsum(counts) - counts
        return {
            "clocks": rows,
            "opens": np.concatenate([clock.opens for clock in self._kept]),
            "closes": np.concatenate([clock.closes for clock in self._kept]),
            "worked_before": np.concatenate([clock.cum for clock in self._kept]),
        }


class Offers:
    """Products that may come along, list by list; equal lists are stored once."""

    def __init__(self) -> None:
        self._places: dict[tuple[tuple[int, float], ...], tuple[int, int]] = {}
        self._rows: list[tuple[int, float]] = []

    def place(self, offers: tuple[tuple[int, float], ...]) -> tuple[int, int]:
        if offers not in self._places:
            self._places[offers] = len(self._rows), len(offers)
            self._rows += offers
        return self._places[offers]

    def longest(self) -> int:
        return max((count for _, count in self._places.values()), default=0)

    def tables(self) -> dict[str, Table]:
        rows = table("offers", len(self._rows))
        rows["product"] = [product for product, _ in self._rows]
        rows["chance"] = [chance for _, chance in self._rows]
        return {"offers": rows}


def table(name: str, length: int) -> Table:
    """An empty table of a world."""
    return np.zeros(length, dtype=TABLES[name])


def filled(name: str, length: int, columns: Mapping[str, object]) -> Table:
    """A table of a world from its columns."""
    rows = table(name, length)
    for name_of, column in columns.items():
        rows[name_of] = column
    return rows


@dataclass
class Draft:
    """Tables by name, the world's counts and shares, and the lists that several tables point into."""

    tables: dict[str, Table] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SHARES.split(), 0.0))
    clocks: Clocks = field(default_factory=Clocks)
    offers: Offers = field(default_factory=Offers)
