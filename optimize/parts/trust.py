"""How far one step may go from the plan that was simulated: beyond it the linear gains are not to be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimize.parts.accounts import Ownership
from optimize.parts.lead_shares import Shared
from optimize.parts.training import Trained
from optimize.problem import TrustRegion
from optimize.programme.blocks import Blocks, Linear

NAME = "trust region"


def add(blocks: Blocks, region: TrustRegion | None, trained: Trained, owned: Ownership, shared: Shared) -> None:
    """Add the region's rows, where there is one: hours, accounts and shares of leads that change, each summed."""
    if region is None:
        return
    _within(blocks, "training hours", trained.change, region.hours)
    _within(blocks, "care hours", (owned.care_change,), region.care)
    _within(blocks, "lead shares", (shared.change,), region.leads)
    if len(owned.away.col):
        blocks.rows(NAME, ["accounts"], owned.away, upper=float(region.moves), kept=True)


def _within(blocks: Blocks, name: str, changes: Sequence[Linear], most: float) -> None:
    """The sum of absolute changes stays below ``most``."""
    total = Linear.constants(np.zeros(1))
    if not np.isfinite(most):
        return
    for number, change in enumerate(changes):
        subjects = [f"{name} {number} {i}" for i in range(change.count)]
        more = blocks.columns(f"more {name}", subjects, 0.0, np.inf)
        less = blocks.columns(f"less {name}", subjects, 0.0, np.inf)
        apart = change - Linear.columns(more) + Linear.columns(less)
        blocks.rows(f"{NAME} {name}", subjects, apart, 0.0, 0.0, kept=True)
        total = total + Linear.total(more) + Linear.total(less)
    if len(total.col):
        blocks.rows(NAME, [name], total, upper=most, kept=True)
