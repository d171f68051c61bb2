"""Moments of one outcome table over replications: exact sums, from which means and spreads are read rounded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import inf, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import InputRefused, Problem
from sim import exact
from sim.exact import Exact, Integers
from sim.interval import Interval, student_interval
from sim.kpis import (
    ACCOUNT_KPIS,
    CUSTOMER_KPIS,
    LEAD_COST_KPIS,
    PRODUCT_KPIS,
    REP_KPIS,
    SEGMENT_KPIS,
    SOURCE_KPIS,
    STAGE_KPIS,
    Kpi,
)
from sim.outcome import Cube

Floats = NDArray[np.float64]
Pairs = tuple[tuple[str, str], ...]

STOCKS: Final = frozenset({"open"})
"""Metrics that stand at a moment: their figure of the horizon is that of its last period, not a sum."""

TOO_FEW = "too few replications"
_WORKING_CELLS = 2**20
"""Cells taken at once: bounds the memory of the intermediate products, never a result."""


def _joint(*figures: Kpi) -> Pairs:
    """Of each figure the metrics whose ratio or difference it is."""
    ratios = {(kpi.numerator, kpi.denominator) for kpi in figures if kpi.denominator is not None}
    differences = {pair for kpi in figures for pair in combinations((kpi.numerator, *kpi.less), 2)}
    return tuple(sorted(ratios | differences))


PAIRS: Final[Mapping[str, Pairs]] = {
    "rep": _joint(*REP_KPIS),
    "stage": _joint(*STAGE_KPIS),
    "source": _joint(*SOURCE_KPIS, *LEAD_COST_KPIS),
    "product": _joint(*PRODUCT_KPIS),
    "segment": _joint(*SEGMENT_KPIS),
    "account": _joint(*ACCOUNT_KPIS),
    "customer": _joint(*CUSTOMER_KPIS),
}
"""By table: the metrics whose covariance is kept, because a published figure is their ratio or difference."""


@dataclass(frozen=True, eq=False)
class CubeMoments:
    """Sums over replications of one table; money in minor units, durations in ticks, as in :class:`Cube`.

    Attributes:
        kind: what the keys are.
        metrics: names, by position.
        keys: ids, by position.
        periods: labels of the reporting periods.
        pairs: metrics whose products are summed.
        count: replications.
        sums: of horizon totals, limbs of :mod:`sim.exact`, shape ``[2, metric, key]``.
        squares: of horizon totals, shape ``[4, metric, key]``.
        crossed: products of the pairs, shape ``[4, pair, key]``.
        least: smallest horizon total, shape ``[metric, key]``.
        most: largest horizon total.
        by_period: sums period by period, shape ``[2, metric, key, period]``.
    """

    kind: str
    metrics: tuple[str, ...]
    keys: tuple[str, ...]
    periods: tuple[str, ...]
    pairs: Pairs
    count: int
    sums: Integers = field(repr=False)
    squares: Integers = field(repr=False)
    crossed: Integers = field(repr=False)
    least: Integers = field(repr=False)
    most: Integers = field(repr=False)
    by_period: Integers = field(repr=False)

    def mean(self, metric: str) -> Floats:
        """Mean of the horizon, shape ``[key]``."""
        return exact.divided(self._sum(metric), self.count)

    def mean_by_period(self, metric: str) -> Floats:
        """Means of the periods, shape ``[key, period]``."""
        return exact.divided(exact.whole(self.by_period[:, self._at(metric)]), self.count)

    def variance(self, metric: str) -> Floats:
        """Of the horizon over replications, with n - 1; NaN for a single replication. Shape ``[key]``."""
        return self._second(self._spread(self._at(metric)))

    def covariance(self, a: str, b: str) -> Floats:
        """Of a pair's horizons over replications, with n - 1; NaN for a single replication. Shape ``[key]``.

        Raises:
            InputRefused: products of these two are not kept.
        """
        return self._second(self._joint(a, b))

    def range(self, metric: str) -> tuple[Integers, Integers]:
        """Smallest and largest horizon, shape ``[key]`` each."""
        return self.least[self._at(metric)], self.most[self._at(metric)]

    def interval(self, metric: str, key: str, confidence: float = 0.95) -> Interval:
        """Student's interval of the mean horizon of one key; that of :func:`sim.statistics.mean_interval`."""
        place = self._key(key)
        mean = float(self.mean(metric)[place])
        if self.count < 2:
            return student_interval(mean, inf, self.count, confidence, f"Student, {TOO_FEW}")
        error = sqrt(float(self.variance(metric)[place]) / self.count)
        return student_interval(mean, error, self.count, confidence, "Student")

    def ratio_interval(self, above: str, below: str, key: str, confidence: float = 0.95) -> Interval:
        """Interval of the ratio of the means of a pair, by linearisation (Cochran 1977, section 6.3).

        The variance of the ratio R is that of ``above - R below`` over n times the squared mean of ``below``. The
        jackknife of :func:`sim.statistics.ratio_of_means_interval` needs each replication; the two agree to the
        first order of 1 / n.

        Raises:
            InputRefused: products of the pair are not kept, or ``below`` is zero or negative in the mean.
        """
        place = self._key(key)
        top, bottom = int(self._sum(above)[place]), int(self._sum(below)[place])
        if bottom <= 0:
            raise InputRefused(
                Problem(
                    f"{self.kind} table, {key}",
                    f"{below} adds up to {bottom}",
                    "the denominator of a ratio must be positive",
                    "show the two means apart, each with its own interval",
                )
            )
        ratio, count = top / bottom, self.count
        if count < 2:
            return student_interval(ratio, inf, count, confidence, f"linearised ratio, {TOO_FEW}")
        above_spread, below_spread = (int(self._spread(self._at(name))[place]) for name in (above, below))
        joint = int(self._joint(above, below)[place])
        residual = above_spread * bottom**2 - 2 * top * bottom * joint + top**2 * below_spread
        error = sqrt(residual / ((count - 1) * bottom**4))
        return student_interval(ratio, error, count, confidence, "linearised ratio")

    def merged(self, other: CubeMoments) -> CubeMoments:
        """Both sets of replications together.

        Raises:
            ValueError: the labels differ.
        """
        if self.labels() != other.labels():
            raise ValueError(f"moments of different {self.kind} and {other.kind} tables cannot be merged")
        return CubeMoments(
            *self.labels(),
            count=self.count + other.count,
            sums=exact.added(self.sums, other.sums),
            squares=exact.added(self.squares, other.squares),
            crossed=exact.added(self.crossed, other.crossed),
            least=np.minimum(self.least, other.least),
            most=np.maximum(self.most, other.most),
            by_period=exact.added(self.by_period, other.by_period),
        )

    def in_key_order(self) -> CubeMoments:
        """The same moments with their keys sorted."""
        order = sorted(range(len(self.keys)), key=self.keys.__getitem__)
        return replace(
            self,
            keys=tuple(self.keys[i] for i in order),
            sums=self.sums[:, :, order],
            squares=self.squares[:, :, order],
            crossed=self.crossed[:, :, order],
            least=self.least[:, order],
            most=self.most[:, order],
            by_period=self.by_period[:, :, order],
        )

    def labels(self) -> tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], Pairs]:
        """What the numbers are of."""
        return self.kind, self.metrics, self.keys, self.periods, self.pairs

    def arrays(self) -> tuple[Integers, ...]:
        """Every number, in a fixed order."""
        return self.sums, self.squares, self.crossed, self.least, self.most, self.by_period

    def _at(self, metric: str) -> int:
        return _position(self.metrics, metric, f"{self.kind} table", "metric")

    def _key(self, key: str) -> int:
        return _position(self.keys, key, f"{self.kind} table", "key")

    def _sum(self, metric: str) -> Exact:
        return exact.whole(self.sums[:, self._at(metric)])

    def _spread(self, at: int) -> Exact:
        """n times the sum of squares less the square of the sum: n (n - 1) times the variance."""
        total = exact.whole(self.sums[:, at])
        return np.asarray(self.count * exact.whole(self.squares[:, at]) - total * total, dtype=object)

    def _joint(self, a: str, b: str) -> Exact:
        if a == b:
            return self._spread(self._at(a))
        pair = (a, b) if (a, b) in self.pairs else (b, a)
        if pair not in self.pairs:
            known = ", ".join(f"{first} with {second}" for first, second in self.pairs)
            raise InputRefused(
                Problem(f"{self.kind} table", f"{a} with {b}", "products of these are not kept", f"known: {known}")
            )
        crossed = exact.whole(self.crossed[:, self.pairs.index(pair)])
        return np.asarray(self.count * crossed - self._sum(a) * self._sum(b), dtype=object)

    def _second(self, spread: Exact) -> Floats:
        if self.count < 2:
            return np.full(len(self.keys), np.nan)
        return exact.divided(spread, self.count * (self.count - 1))


def cube_moments(cube: Cube, pairs: Pairs | None = None) -> CubeMoments:
    """Moments of one table.

    Args:
        cube: at least one replication.
        pairs: metrics whose products to sum; default those of :data:`PAIRS` that the table has.
    """
    if pairs is None:
        pairs = tuple(pair for pair in PAIRS.get(cube.kind, ()) if set(pair) <= set(cube.metrics))
    metrics, count, keys, _ = cube.values.shape
    step = max(1, _WORKING_CELLS // max(1, cube.values[0].size))
    parts = [_sums(cube, slice(start, min(start + step, metrics))) for start in range(0, metrics, step)]
    sums, squares, by_period = (np.concatenate([part[at] for part in parts], axis=1) for at in range(3))
    least, most = (np.concatenate([part[at] for part in parts]) for at in (3, 4))
    paired = {name: horizons(cube, _one(cube, name))[0] for pair in pairs for name in pair}
    crossed = [exact.products(paired[above], paired[below], axis=0) for above, below in pairs]
    return CubeMoments(
        kind=cube.kind,
        metrics=cube.metrics,
        keys=cube.keys,
        periods=cube.periods,
        pairs=pairs,
        count=count,
        sums=sums,
        squares=squares,
        crossed=np.stack(crossed, axis=1) if crossed else exact.zeros((0, keys), exact.PRODUCT_LIMBS),
        least=least,
        most=most,
        by_period=by_period,
    )


def _sums(cube: Cube, which: slice) -> tuple[Integers, Integers, Integers, Integers, Integers]:
    horizon = horizons(cube, which)
    return (
        exact.sums(horizon, axis=1),
        exact.products(horizon, horizon, axis=1),
        exact.sums(cube.values[which], axis=1),
        horizon.min(axis=1),
        horizon.max(axis=1),
    )


def horizons(cube: Cube, which: slice = slice(None)) -> Integers:
    """Figures of the whole horizon, shape ``[metric, replication, key]``: sums, or where a stock ends.

    Args:
        which: of the metrics.
    """
    chosen = cube.values[which]
    total: Integers = chosen.sum(axis=3)
    for place, metric in enumerate(cube.metrics[which]):
        if metric in STOCKS:
            total[place] = chosen[place, :, :, -1]
    return total


def _one(cube: Cube, metric: str) -> slice:
    place = cube.metrics.index(metric)
    return slice(place, place + 1)


def _position(names: tuple[str, ...], name: str, where: str, what: str) -> int:
    return names.index(named(names, name, where, what))


def named(names: tuple[str, ...], name: str, where: str, what: str) -> str:
    """The name, if it is one of those known."""
    if name not in names:
        raise InputRefused(Problem(where, name, f"no such {what}", f"known: {', '.join(names)}"))
    return name
