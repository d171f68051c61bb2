"""The prices of a request, laid out in one vector: what each is asked for, and between which bounds it may lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.request import Request

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Layout:
    """Where each kind of price stands.

    Attributes:
        at: by kind; ``c`` first, the worth of a unit of quota that no rule takes.
        size: of the vector.
        lower, upper: bounds of each price, [size].
    """

    def __init__(self, request: Request, share: Floats, minded: Bools) -> None:
        """Lay the prices out.

        Args:
            share: least expected attainment that is priced, [R]; minded: reps whose quotas have prices, [R].
        """
        self.request, self.share, self.minded = request, share, minded
        arcs, reps = request.arcs, request.reps
        bounded = np.isfinite(request.room) | np.isfinite(request.floor)
        sizes = {
            "c": reps,
            "mu": reps if bounded.any() else 0,
            "rows": len(request.row_low),
            "beta": 1,
            "kappa": reps if (self.share > 0).any() else 0,
            "over": reps if np.isfinite(request.band[0]).any() else 0,
            "under": reps if np.isfinite(request.band[1]).any() else 0,
            "grown": reps if np.isfinite(request.growth[0]).any() else 0,
            "shrunk": reps if np.isfinite(request.growth[1]).any() else 0,
            "count": reps if np.isfinite(request.most_accounts).any() else 0,
            "moves": len(arcs.moves.most),
            "counted": len(arcs.counted.most),
            "apart": 1 if np.isfinite(request.training.apart) else 0,
            "care": 0 if arcs.care is None else 1,
            "care_apart": 0 if arcs.care is None or np.isinf(arcs.care.change) else 1,
        }
        ends = np.cumsum(list(sizes.values()))
        self.at = {
            name: slice(int(end - size), int(end)) for (name, size), end in zip(sizes.items(), ends, strict=True)
        }
        self.size = int(ends[-1])
        self._limits()

    def _limits(self) -> None:
        """Prices of inequalities have a sign; prices that nothing asks for stay zero."""
        request = self.request
        self.lower, self.upper = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        for name in (
            "beta",
            "kappa",
            "over",
            "under",
            "grown",
            "shrunk",
            "count",
            "moves",
            "counted",
            "apart",
            "care",
            "care_apart",
        ):
            self.lower[self.at[name]] = 0.0
        if self.at["mu"].stop > self.at["mu"].start:
            self.lower[self.at["mu"]] = np.where(np.isfinite(request.floor), -np.inf, 0.0)
            self.upper[self.at["mu"]] = np.where(np.isfinite(request.room), np.inf, 0.0)
        asked = {
            "kappa": self.share > 0,
            "over": np.isfinite(request.band[0]),
            "under": np.isfinite(request.band[1]),
            "grown": np.isfinite(request.growth[0]),
            "shrunk": np.isfinite(request.growth[1]),
            "count": np.isfinite(request.most_accounts),
        }
        for name, mask in asked.items():
            if self.at[name].stop > self.at[name].start:
                wanted = mask if name == "count" else mask & self.minded
                self.upper[self.at[name]] = np.where(wanted, np.inf, 0.0)
        self.upper[self.at["counted"]] = np.where(request.arcs.counted.binds, np.inf, 0.0)
        if not self.minded.all():
            self.lower[self.at["c"]] = np.where(self.minded, -np.inf, 0.0)
            self.upper[self.at["c"]] = np.where(self.minded, np.inf, 0.0)
            self.lower[self.at["rows"]] = self.upper[self.at["rows"]] = 0.0

    def of(self, z: Floats, name: str) -> Floats:
        """The prices of a kind by rep, zero where none are asked."""
        part = z[self.at[name]]
        return part if len(part) else np.zeros(self.request.reps)

    def fill(self, gradient: Floats, name: str, values: Floats) -> None:
        """Write the part of a kind, where it has prices."""
        if self.at[name].stop > self.at[name].start:
            gradient[self.at[name]] = values
