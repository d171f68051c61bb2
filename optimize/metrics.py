"""Targets beside the company's revenue, as numbers: other metrics, ratios as pairs, parts of the horizon.

Additive metrics have samples, totals and ties of their own. A ratio is a pair of additive ones; of a pair, the one
without a target of its own takes its total from the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from scenarios.goals import Level

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Rates:
    """What a metric gains with a minor unit of revenue: an approximation by the simulated proportions.

    Attributes:
        lead: with revenue from leads, by rep, [R].
        account: with revenue from accounts: of each, [A], or one figure for all.
    """

    lead: Floats
    account: Floats | float

    def of_accounts(self, account: Ints) -> Floats:
        """Of these accounts, by position."""
        if isinstance(self.account, np.ndarray):
            return np.asarray(self.account[account])
        return np.full(len(account), float(self.account))


@dataclass(frozen=True)
class Window:
    """What quotas sum to within a part of the horizon: of a team, or of the company.

    Attributes:
        periods: positions of its reporting periods, in order and without gaps.
        total: minor units or a count, over-assignment in it.
        metric, level, first, end, over_assignment: how it is told: of which quotas, between which days, half-open, and
            by which share the total is more than its target; None where it is no target of its own.
    """

    team: str | None
    periods: tuple[int, ...]
    total: int
    metric: str = "revenue"
    level: Level = "target"
    first: date | None = None
    end: date | None = None
    over_assignment: float = 0.0

    def mask(self, teams: Sequence[str], periods: int) -> Bools:
        """Its cells in a table of reps by periods, [R, P].

        Args:
            teams: of each rep; ``periods``: how many there are.
        """
        mine = np.array([self.team is None or team == self.team for team in teams])
        when = np.isin(np.arange(periods), self.periods)
        return np.asarray(mine[:, None] & when[None, :])


@dataclass(frozen=True)
class Metric:
    """An additive metric beside revenue.

    Attributes:
        samples: what each rep reaches of it in the periods that its targets speak of, [N, R].
        periods: in which each rep has a quota of it, [R, P].
        season: share of each period in what a rep reaches of it, [R, P].
        total: what quotas sum to; None where only teams have targets, or where a ratio gives it.
        team_totals: what the quotas of a team sum to.
        windows: what quotas sum to within parts of the horizon.
        weight: of its attained share in the objective.
        floor: least expected value of the company; kept strictly where ``firm``, else as far as it goes.
        step: quotas are multiples of it.
    """

    name: str
    samples: Floats
    periods: Bools
    season: Floats
    rates: Rates
    total: int | None
    team_totals: dict[str, int]
    windows: tuple[Window, ...]
    weight: float
    floor: float | None
    firm: bool
    step: int

    @property
    def carriers(self) -> Bools:
        """Who ever reaches any of it and so carries a quota: no quota is not a quota of zero, [R]."""
        some = np.asarray((self.samples > 0).any(axis=0))
        return some if some.any() else np.ones_like(some)

    @property
    def carried(self) -> Bools:
        """Periods in which a rep carries a quota of it, [R, P]."""
        return np.asarray(self.periods & self.carriers[:, None] & (self.season > 0))

    @property
    def unit(self) -> float:
        """Amount of it that is one unit of a programme: what a rep reaches on average is 100 units."""
        return float(max(self.expected / self.samples.shape[1] / 100.0, 1e-6))

    @property
    def expected(self) -> float:
        """Mean of the company under the simulated plan."""
        return float(self.samples.mean(axis=0).sum())


@dataclass(frozen=True)
class RatioWindow:
    """A ratio asked for within a part of the horizon."""

    team: str | None
    periods: tuple[int, ...]
    value: float


@dataclass(frozen=True)
class Ratio:
    """A ratio metric: of the quotas' sums, of the company and of teams.

    Attributes:
        derived: the metric of the pair that takes its totals from the other one.
        value: of the company; None where only teams or parts of the horizon have targets.
        floor: least ratio of expected sums of the company.
    """

    name: str
    numerator: str
    denominator: str
    derived: str
    value: float | None
    teams: dict[str, float]
    windows: tuple[RatioWindow, ...]
    floor: float | None
    firm: bool

    @property
    def known(self) -> str:
        """The metric of the pair whose quotas come first."""
        return self.denominator if self.derived == self.numerator else self.numerator

    def of_known(self, value: float, known: int) -> int:
        """Total of the derived metric where the ratio is ``value`` and the other metric sums to ``known``."""
        return round(known * value) if self.derived == self.numerator else round(known / value)


@dataclass(frozen=True)
class Metrics:
    """All that targets ask for beside the company's revenue over the horizon.

    Attributes:
        others: in the order in which they can be split: a metric comes after the one it takes its totals from.
        revenue_weight: of the attained share of revenue.
        revenue_windows: what revenue quotas sum to within parts of the horizon.
        revenue_floor: least expected sales of the company, minor units; None where only quotas follow the floor.
    """

    others: tuple[Metric, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    revenue_weight: float = 1.0
    revenue_windows: tuple[Window, ...] = ()
    revenue_floor: float | None = None
    notes: tuple[str, ...] = field(default=())

    def ratio_of(self, metric: str) -> Ratio | None:
        """The ratio that gives a metric its totals, if one does."""
        return next((ratio for ratio in self.ratios if ratio.derived == metric), None)

    @property
    def weighted(self) -> tuple[Metric, ...]:
        """Metrics beside revenue that count in the objective and have a total."""
        return tuple(metric for metric in self.others if metric.weight > 0 and metric.total)
