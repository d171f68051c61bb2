"""What a method found: the best decisions of a request with what is proven of them, or why there are none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from optimize.model import Model
from optimize.problem import Decisions, Floats

GAP = 1e-4
"""Relative gap at which branch and bound stops, where no other is asked."""


class NoPlanError(Exception):
    """No plan; what contradicts is for :func:`optimize.infeasible.explain` to say.

    Attributes:
        proven: whether it is proven that there is none; else none was found.
    """

    def __init__(self, *, proven: bool = True) -> None:
        super().__init__("no plan")
        self.proven = proven


class NoStepError(Exception):
    """No decisions within the trust region satisfy the request."""


@dataclass(frozen=True)
class Optimum:
    """Decisions of the programme.

    Attributes:
        value, bound: what these decisions attain of what is maximised, evaluated without segments, cuts or envelopes,
            and a proven bound on what plans attain that break rules for locks by no more, minor units: of capped
            sales, in two stages of expected sales. The bound is NaN where none is known.
        model: the programme at the last cut of the care curves.
        values: of its columns.
        asked_gap: relative gap at which to stop.
        bound_type: what proved the bound; see :class:`optimize.allocate.AllocationResult`.
        notes: where another method than expected found the plan, in words.
    """

    decisions: Decisions
    value: float
    bound: float
    reproducible: bool
    model: Model
    values: Floats
    bound_type: str = "programme"
    notes: tuple[str, ...] = ()
    asked_gap: float = GAP

    @property
    def gap(self) -> float:
        """Proven relative distance of the value to the bound."""
        return max(self.bound - self.value, 0.0) / max(abs(self.value), 1e-9)  # NaN stays NaN

    @property
    def status(self) -> Literal["optimal", "stopped", "levelled"]:
        """Whether the proven gap is within the asked one, which no bound never is; "levelled" where none is asked."""
        if math.isnan(self.asked_gap):
            return "levelled"
        return "optimal" if self.gap <= self.asked_gap else "stopped"
