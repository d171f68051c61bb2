"""What the later pages of a report show: moves, what-ifs, the audit, all plans, what was assumed.

The conventions are those of :mod:`experiments.report.input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from experiments.bounds import Bounds
from sim.interval import Interval

KEY: Mapping[str, Any] = {"key": True}
"""Marks a field that holds a key of the word table instead of a text."""


@dataclass(frozen=True)
class Move:
    """An account that changes hands, seen from the customer's side."""

    account: str
    name: str
    tier: str
    giver: str
    taker: str
    open_deals: int
    sales_at_risk: int
    protected_until: date | None
    reason: str


@dataclass(frozen=True)
class Handed:
    """A rep's share of a source's new leads, today and under the plan."""

    source: str
    rep: str
    before: float
    after: float


@dataclass(frozen=True)
class WhatIf:
    """A question with its cost.

    Attributes:
        sales: paired difference in sales over the period, minor units.
        full_cost: over the period, minor units, by what it is spent on (``people``, ``leads``, ``training``).
        cost_per_year: of a full year, minor units.
        start: when it begins; None means with the period.
        ramp: pace of a new hire by month.
        sales_next_year: extra sales of a settled year; None where it was not computed.
        payback_months: until the extra gross margin has paid the cost; None where it never does or is unknown.
        margin_known: whether the gross margin of what is sold is known at all.
        hours: extra working hours over the period, all reps together.
        whose: reps who work more, most first, with their hours.
    """

    name: str
    sales: Interval
    costs: tuple[tuple[str, int], ...] = field(metadata=KEY)
    cost_per_year: int
    start: date | None = None
    ramp: tuple[float, ...] = ()
    sales_next_year: Interval | None = None
    payback_months: float | None = None
    margin_known: bool = True
    hours: float = 0.0
    whose: tuple[tuple[str, float], ...] = ()

    @property
    def full_cost(self) -> int:
        """All costs over the period."""
        return sum(minor for _, minor in self.costs)


@dataclass(frozen=True)
class AuditRow:
    """A fairness rule as it came out.

    Attributes:
        subject: id of a rep, name of a team, or ``company``.
        unit: ``share``, ``ratio``, ``hours``, ``count`` or ``money`` (minor units); of limit and actual.
        kept: the rule holds.
        loosening: how much the objective grows as the limit begins to give way, for one point (one hour, one unit),
            minor units; a whole one usually brings less.
        exception: why the rule is broken here (a lock with its author), or empty.
    """

    rule: str = field(metadata=KEY)
    subject: str
    limit: float
    actual: float
    unit: str = field(metadata=KEY)
    binding: bool
    kept: bool = True
    loosening: float | None = None
    exception: str = ""


@dataclass(frozen=True)
class PlanRow:
    """A plan of the comparison; ``gain`` is what the plan of this report sells more than it, paired."""

    kind: str = field(metadata=KEY)
    """``today``, ``plan``, or the name of a baseline."""
    name: str
    expected: Interval
    hit_rate: float | None
    target_chance: float | None
    capped_attainment: float | None
    widest_gap: float | None
    gain: Interval | None
    within_rules: bool = True


@dataclass(frozen=True)
class Promise:
    """Model value against simulated value of the objective, capped sales in minor units.

    Attributes:
        bounds: how far the plan can be from the best, its quotas and within the fitted programme.
    """

    model: float
    simulated: Interval
    solver_gap: float
    solver_status: str
    bounds: Bounds = field(default_factory=lambda: Bounds.none("nothing_to_bound"))

    @property
    def gap(self) -> float:
        """What was promised too much, as a share of what the simulation gave."""
        return self._over(self.simulated.estimate)

    @property
    def gap_ends(self) -> tuple[float, float]:
        """The same at the ends of the simulated value's interval."""
        return self._over(self.simulated.high), self._over(self.simulated.low)

    def _over(self, simulated: float) -> float:
        return self.model / simulated - 1 if simulated else 0.0


@dataclass(frozen=True)
class Assumption:
    """A parameter that no data stand behind."""

    path: str
    value: str
    source: str
    trust: str = field(metadata=KEY)
    note: str = ""
