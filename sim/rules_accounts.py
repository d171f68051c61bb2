"""What customers do, as compiled scalar functions: when orders and visits fall, what care and owners make of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from scenarios.ticks import DAY
from sim.compile import scalar
from sim.rules import care_factor, handover_factor
from sim.streams import Purpose, draw

_CARE: Final = int(Purpose.CARE)
_DAY_TICKS: Final = int(DAY)
_YEAR_TICKS: Final = 365 * _DAY_TICKS
CARE_GRACE_TICKS: Final = 30 * _DAY_TICKS
"""A care visit counts as missed only when it is this late: 30 days."""
_HOUR_TICKS: Final = 3_600_000


@scalar
def care_due(key: np.uint64, customer: np.uint64, visit: int, count: int, since: int) -> int:
    """Tick at which a care visit (from 0) of a customer falls due: one in each of ``count`` equal parts of 365 days.

    Ticks ascend with the visit.
    """
    place = visit + draw(key, customer, 0, visit, _CARE)
    return since + int(place / count * 365 * _DAY_TICKS)


@scalar
def care_given(care: float, done: int, due: int) -> float:
    """Hours of care a year that a customer gets: those planned, times the share of visits due that were made."""
    return care * min(1.0, done / due) if due > 0 else care


@scalar
def care_ticks(hours: float) -> int:
    """Effort planned for a visit in ticks."""
    return int(np.rint(hours * _HOUR_TICKS))


@scalar
def cared(care: float, done: int, due: int, owed: float, elasticity: float, cap: float) -> float:
    """What the care given so far makes of a customer's orders; see :func:`scenarios.physics.care_factor`."""
    return care_factor(care_given(care, done, due), owed, elasticity, cap)


@scalar
def kept_after_handover(begin: int, handed_over: int, loss: float) -> float:
    """Share of its orders that a customer gives a new owner; 1 where the owner has not changed (-1)."""
    return 1.0 if handed_over == -1 else handover_factor((begin - handed_over) / _DAY_TICKS, loss)


@scalar
def orders_expected(rate: float, season: float, begin: int, end: int, owner: float) -> float:
    """Orders expected within a stretch: the yearly rate under care, times season, length and what the owner adds."""
    return rate * (season * (end - begin) / _YEAR_TICKS) * owner


@scalar
def order_tick(expected: float, growth: float, threshold: float, begin: int, end: int) -> int:
    """When within a stretch the orders expected so far reach the threshold of the next one."""
    share = (threshold - expected) / growth
    return begin + min(int(share * (end - begin)), end - begin - 1)


@scalar
def missed_value(before: float, kept: float, begin: int, end: int, gone: int, mean_value: float) -> int:
    """Minor units that a customer who is there until ``gone`` is expected not to order from a new owner."""
    there = (min(end, gone) - begin) / (end - begin)
    return int(np.rint(before * (1.0 - kept) * there * mean_value * 100))
