"""What quotas, sales, training and hours do at prices, each part of the dual alone: its value and where it lies.

``smooth`` is a temperature; without one the value is that of the dual itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.descent import inner
from optimize.by_prices.request import Request

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEEP = 20.0
"""Slope, in quotas a unit of price, with which the smoothed dual goes on beyond the least and the largest sample."""


class Separable:
    """The parts of a request that decide without each other once every rule has its price."""

    def __init__(self, request: Request) -> None:
        self.request, arcs = request, request.arcs
        gains = arcs.over_rep(np.maximum(arcs.highest, 0.0))
        trained = request.training.gain.sum(axis=1)
        self.least_shift = request.low - request.sales - gains - np.maximum(trained, 0.0)
        losses = arcs.over_rep(np.minimum(arcs.lowest, 0.0))
        top = request.high - request.sales - losses - np.minimum(trained, 0.0)
        self.most_shift = np.maximum(np.minimum(top, request.most_shift), self.least_shift)
        self._table()

    def _table(self) -> None:
        """Quantiles inside the range of u, and the integral of the quantile function up to each."""
        self.count = self.request.ordered.shape[1]
        held = np.clip(self.request.ordered, self.least_shift[:, None], self.most_shift[:, None])
        area = 0.5 * (held[:, 1:] + held[:, :-1]) / self.count
        self.quantiles = held
        self.areas = np.concatenate([np.zeros((len(held), 1)), np.cumsum(area, axis=1)], axis=1)
        self.every = np.arange(len(held))

    def density(self) -> float:
        """Half of what an hour of accounts sells on average."""
        arcs = self.request.arcs
        return 0.5 * max(float(arcs.value.sum()), 0.0) / max(float(arcs.hours.sum()), 1e-9) if len(arcs.rep) else 0.0

    def quotas(self, c: Floats, smooth: float) -> tuple[float, Floats]:
        """``max of c q`` between the bounds of quotas, and q, [R]."""
        low, high = self.request.low, self.request.high
        if not smooth:
            q = np.where(c > 0, high, low)
            return inner(c, q), q
        middle, bend = 0.5 * (low + high), smooth / np.maximum(high, 1e-6)
        q = np.clip(middle + c / bend, low, high)
        return inner(c, q) - 0.5 * inner(bend, (q - middle) ** 2), q

    def shifts(self, lam: Floats, weight: Floats, smooth: float) -> tuple[float, Floats, Floats]:
        """``max over u of w f(u) - (w - lam) u``: its value, u, and f(u) - u.

        Args:
            lam: worth of a unit of sales for the quota; weight: w, zero where capped sales do not count.
        """
        if not weight.any():
            return self._free_shifts(lam, smooth)
        slope = 1.0 - lam / weight
        count, every = self.count, self.every
        if not smooth:
            rank = np.clip(np.floor((1.0 - slope) * count).astype(np.int64), 0, count - 1)
            u = np.where(
                slope > 1, self.least_shift, np.where(slope < 0, self.most_shift, self.request.ordered[every, rank])
            )
            u = np.clip(u, self.least_shift, self.most_shift)
            below = (self.request.ordered <= u[:, None]).sum(axis=1)
            f = (self.request.sums[every, below] + (count - below) * u) / count
            return float((weight * (f - slope * u)).sum()), u, f - u
        wanted = (1.0 - slope) * count - 0.5
        at = np.clip(wanted, 0.0, count - 1.0)
        k = np.minimum(at.astype(np.int64), count - 2)
        part = at - k
        a, b = self.quantiles[every, k], self.quantiles[every, k + 1]
        u = a + part * (b - a)
        beyond = (wanted - at) / count
        area = self.areas[every, k] + (a * part + 0.5 * part * part * (b - a)) / count
        steep = STEEP * np.maximum(self.request.high, 1e-6)
        area = area + u * beyond + 0.5 * steep * beyond * beyond
        u = u + steep * beyond
        first = self.quantiles[:, 0]
        value = first - first * (1.0 - 0.5 / count) + area
        return float((weight * value).sum()), u, value + slope * u - u

    def _free_shifts(self, lam: Floats, smooth: float) -> tuple[float, Floats, Floats]:
        """The same where capped sales do not count: ``max over u of lam u``."""
        low, high = self.least_shift, self.most_shift
        if not smooth:
            u = np.where(lam > 0, high, low)
            return inner(lam, u), u, np.zeros_like(u)
        middle, bend = 0.5 * (low + high), smooth / np.maximum(high - low, 1e-6)
        u = np.clip(middle + lam / bend, low, high)
        return inner(lam, u) - 0.5 * inner(bend, (u - middle) ** 2), u, np.zeros_like(u)

    def rate(self, mu: Floats) -> Floats:
        """Hours that a training step takes from the limit that is priced."""
        request = self.request
        return request.training.hours * np.where(mu > 0, request.room_rate, request.floor_rate)

    def steps(self, lam: Floats, mu: Floats, beta: float, eta: float, smooth: float) -> tuple[float, Floats]:
        """Training steps worth more than they cost: their value, and how far each is taken, [R, S]."""
        training = self.request.training
        worth = lam[:, None] * training.gain - (beta + mu * self.rate(mu))[:, None] - eta * training.away
        order: Ints | None = None
        if eta > 0.0 or (lam < 0.0).any():
            # Steps come by falling gain: here their worth may fall in another order.
            able = np.arange(worth.shape[1])[None, :] < training.able[:, None]
            order = np.argsort(-np.where(able, worth, -np.inf), axis=1, kind="stable")
            worth = np.take_along_axis(worth, order, 1)
        place = np.arange(worth.shape[1])[None, :]
        able, forced = place < training.most[:, None], place < training.least[:, None]
        if not smooth:
            steps = np.where(able & ((worth > 0) | forced), 1.0, 0.0)
            value = float((worth * steps).sum())
        else:
            bend = 0.5 * smooth * max(float(np.median(training.gain)), 1e-6) if training.gain.size else 1.0
            steps = np.where(forced, 1.0, np.where(able, np.clip(0.5 + worth / bend, 0.0, 1.0), 0.0))
            bent = np.where(forced | ~able, 0.0, 0.5 * bend * (steps - 0.5) ** 2)
            value = float((worth * steps - bent).sum())
        if order is not None:
            taken = np.zeros_like(steps)
            np.put_along_axis(taken, order, steps, 1)
            steps = taken
        return value, steps

    def hours(self, mu: Floats, smooth: float) -> tuple[float, Floats]:
        """``max of mu h`` between least and most hours, and h, [R]."""
        room, floor = self.request.room, self.request.floor
        top = np.where(np.isfinite(room), room, np.where(np.isfinite(floor), floor, 0.0))
        bottom = np.where(np.isfinite(floor), floor, top)
        if not smooth:
            used = np.where(mu > 0, top, bottom)
            return inner(mu, used), used
        bend = smooth * max(self.density(), 1e-9) / np.maximum(np.abs(top), 1e-6)
        used = np.clip(top + mu / bend, bottom, top)
        return inner(mu, used) - 0.5 * inner(bend, (used - top) ** 2), used

    def rows(self, rows: Floats, smooth: float) -> tuple[float, Floats]:
        """``max of rows t`` between the bounds of sums over quotas, and t, [K]."""
        low, high = self.request.row_low, self.request.row_high
        if not smooth:
            totals = np.where(rows > 0, high, low)
            return inner(rows, totals), totals
        middle, bend = 0.5 * (low + high), smooth / np.maximum(np.abs(high), 1e-6)
        totals = np.clip(middle + rows / bend, low, high)
        return inner(rows, totals) - 0.5 * inner(bend, (totals - middle) ** 2), totals
