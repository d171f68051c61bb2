"""What people do over time, as compiled scalar functions: when they leave, how hard they work, what they get."""

from __future__ import annotations

from typing import Final

import numpy as np

from scenarios import physics
from scenarios.ticks import NEVER
from sim.compile import scalar
from sim.rules import years_until
from sim.samplers import ticks
from sim.streams import Purpose, draw

_ATTRITION: Final = int(Purpose.ATTRITION)
_DAY_TICKS: Final = 86_400_000

motivated_pace = scalar(physics.motivated_pace)
part_of = scalar(physics.part_of)


@scalar
def credit_upto(sofar: float, total: float) -> int:
    """Millionths of a sale that go to those with the shares ``sofar`` out of ``total``."""
    return int(np.rint(1_000_000 * sofar / total))


@scalar
def attrition_time(key: np.uint64, rep: np.uint64, since: int, number: int, yearly: float) -> int:
    """When a person gives notice, with this yearly chance at a constant hazard; ``NEVER`` at chance 0.

    Args:
        rep: identity of the seat.
        since: tick of joining, 0 for whoever was there at the start.
        number: how many have left the seat before; each person has a draw of their own.
    """
    if yearly <= 0.0:
        return NEVER
    years = years_until(draw(key, rep, 0, number, _ATTRITION), yearly)
    return since + min(ticks(years * 365.0, _DAY_TICKS), NEVER - since)
