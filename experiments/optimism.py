"""What was promised for a plan against what fresh years show.

A promise is the objective on the years from which the plan was made. It is off for two reasons: those years had luck,
and the plan was fitted to them. Only the second is optimism. Where the promise of a plan that was *not* fitted is
known from the same years, the luck can be taken out: what is then compared is the promised gain over that plan with
the gain over it on fresh years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from experiments.measures import Floats
from sim.interval import Interval
from sim.statistics import mean_interval

Objective = Literal["sales", "capped"]


@dataclass(frozen=True)
class Promise:
    """What was said of plans before fresh years were looked at.

    Attributes:
        objective: ``sales`` (minor units) or ``capped`` (capped attainment of the whole company, a share).
        of: plan -> promised value.
        control: the plan among them that was not fitted to the years, to take the luck out; empty if none is known.
    """

    objective: Objective = "sales"
    of: Mapping[str, float] = field(default_factory=dict)
    control: str = ""


@dataclass(frozen=True)
class Optimism:
    """A promise against fresh years.

    Attributes:
        promised: as :class:`Promise` gives it.
        simulated: the same figure on fresh years.
        gap: promised / simulated - 1; its interval holds the luck of the fresh years, not that of the years from which
            the plan was made.
        without_luck: the same without the luck that the control shared; ``None`` without a control.
    """

    objective: Objective
    promised: float
    simulated: Interval
    gap: Interval
    without_luck: Interval | None


def optimism(promise: Promise, years: Mapping[str, Floats]) -> dict[str, Optimism]:
    """Every promise against the fresh years of its plan.

    Args:
        years: plan -> the objective in each fresh year, all on the same random numbers; promises of other plans, and
            of plans whose objective is zero, are left out.
    """
    control = years.get(promise.control) if promise.control in promise.of else None
    found = {}
    for name, promised in promise.of.items():
        fresh = years.get(name)
        if fresh is None or not fresh.mean() > 0:
            continue
        simulated, level = mean_interval(fresh), float(fresh.mean())
        apart = None
        if control is not None and name != promise.control:
            apart = _relative(mean_interval(fresh - control), promised - promise.of[promise.control], level)
        found[name] = Optimism(promise.objective, promised, simulated, _relative(simulated, promised, level), apart)
    return found


def _relative(simulated: Interval, promised: float, level: float) -> Interval:
    """(promised - simulated) / level with the ends of ``simulated``."""
    low, middle, high = ((promised - end) / level for end in (simulated.high, simulated.estimate, simulated.low))
    return Interval(middle, low, high, simulated.confidence, simulated.n, f"promise less {simulated.method}")
