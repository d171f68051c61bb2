"""What the method by prices comes to: a plan with a proven bound, and where the next search may begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.refit import Refit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BoundType = Literal["linear", "knapsack", "total", "closed", "given"]
"""Prices alone, prices of accounts and whole accounts at each rep, the sum of the quotas, branch and bound over what
prices leave open, or what was known before."""


@dataclass(frozen=True)
class Start:
    """Where a search ended, for a request that differs in little to begin with.

    Attributes:
        prices: of the relaxation; accounts: price of each free account, [F].
        held: arc of each free account, [F]; steps: of training, [R].
    """

    prices: Floats
    accounts: Floats
    held: Ints
    steps: Ints


@dataclass(frozen=True)
class Priced:
    """The best plan found, and a proven upper bound on every plan.

    Attributes:
        bound: minor units; bound_type: what proved it.
        simulated: what the simulated plan attains of what is maximised and the value leaves out: its sales in two-stage
            mode, nothing else.
        gap: bound less value, over value and what is simulated together.
        history: stage, value and bound after each stage, minor units.
        end: where the next search may begin.
        reproducible: False where the safety net of time ended branch and bound.
    """

    plan: Refit
    bound: float
    bound_type: BoundType
    history: tuple[tuple[str, float, float], ...]
    end: Start
    simulated: float = 0.0
    reproducible: bool = True

    @property
    def gap(self) -> float:
        """Proven relative distance to the bound."""
        return max(0.0, self.bound - self.plan.value) / max(abs(self.plan.value + self.simulated), 1e-9)
