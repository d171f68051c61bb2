"""The Lagrangian dual of an allocation: every rule priced, so that accounts and reps decide alone (Geoffrion 1974).

With u = q - g, expected attainment is ``q - u + f(u)``, and at prices the dual separates: each account picks its best
owner, each rep's training steps decide one by one, quotas sit at a bound or anywhere, and u is a sample quantile. All
samples count, nothing is cut into segments. **Any** prices give an upper bound on every plan; good ones are found on a
smoothed dual by L-BFGS, then the dual itself is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.descent import descend, inner
from optimize.by_prices.kernels import NEVER, choose
from optimize.by_prices.request import Request

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SMOOTHNESS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""Temperatures of the smoothed dual, one solve each from where the last ended."""
STEPS = 80
TOLERANCE = 1e-7
MEMORY = 20
IMPOSSIBLE = -100.0
"""A bound of so many times less than the total of the quotas: no plan keeps the rules that have prices."""
STEEP = 20.0
"""Slope, in quotas a unit of price, with which the smoothed dual goes on beyond the least and the largest sample."""


@dataclass(frozen=True)
class Response:
    """What accounts and reps do at prices.

    Attributes:
        value: of the dual; gradient: in the prices.
        lam: worth of a unit of sales of each rep, [R]; mu: price of an hour of hers, [R].
        quota_price: on a unit of quota from the rows over quotas, [R]; weight: of expected attainment, [R].
        sold, hours: value and hours of each arc, at the best care where that is decided, [P].
        extra: worth of each arc beside sales and hours, [P]; rest: of having no owner, [F].
        parts: how far each arc is chosen, [P].
        steps: training steps, [R, S]; step_price: of a step, before the hours that it takes; apart_price: of a step
            away from the simulated plan.
        separable: the part of the value that neither accounts, hours nor training have.
    """

    value: float
    gradient: Floats
    lam: Floats
    mu: Floats
    quota_price: Floats
    weight: Floats
    sold: Floats
    hours: Floats
    extra: Floats
    rest: Floats
    parts: Floats
    steps: Floats
    step_price: float
    apart_price: float
    separable: float


class Relaxation:
    """Prices of a request, laid out in one vector: ``c`` first, the worth of a unit of quota that no rule takes.

    ``c`` stands for the worth of sales, lam = weight - quota prices - c: at the optimum it is zero for everybody whose
    quota is at no bound, which makes the problem all but diagonal.
    """

    def __init__(self, request: Request, minded: Bools | None = None) -> None:
        """Lay the prices out.

        Args:
            minded: reps whose quotas have prices, [R]; None for all. A bound without the others holds as well.
        """
        self.request = request
        self.minded = np.ones(request.reps, dtype=np.bool_) if minded is None else minded
        arcs, reps = request.arcs, request.reps
        # Where capped sales do not count, a floor under them would have nothing to be weighed against.
        self.share = request.share if request.counts > 0.0 else np.zeros(reps)
        bounded = np.isfinite(request.room) | np.isfinite(request.floor)
        sizes = {
            "c": reps,
            "mu": reps if bounded.any() else 0,
            "rows": len(request.row_low),
            "beta": 1,
            "kappa": reps if (self.share > 0).any() else 0,
            "over": reps if np.isfinite(request.band[0]).any() else 0,
            "under": reps if np.isfinite(request.band[1]).any() else 0,
            "grown": reps if np.isfinite(request.growth[0]).any() else 0,
            "shrunk": reps if np.isfinite(request.growth[1]).any() else 0,
            "count": reps if np.isfinite(request.most_accounts).any() else 0,
            "moves": len(arcs.moves.most),
            "apart": 1 if np.isfinite(request.training.apart) else 0,
            "care": 0 if arcs.care is None else 1,
            "care_apart": 0 if arcs.care is None or np.isinf(arcs.care.change) else 1,
        }
        ends = np.cumsum(list(sizes.values()))
        self.at = {
            name: slice(int(end - size), int(end)) for (name, size), end in zip(sizes.items(), ends, strict=True)
        }
        self.size = int(ends[-1])
        self._limits()
        gains = arcs.over_rep(np.maximum(arcs.highest, 0.0))
        trained = request.training.gain.sum(axis=1)
        self.least_shift = request.low - request.sales - gains - np.maximum(trained, 0.0)
        losses = arcs.over_rep(np.minimum(arcs.lowest, 0.0))
        top = request.high - request.sales - losses - np.minimum(trained, 0.0)
        self.most_shift = np.maximum(np.minimum(top, request.most_shift), self.least_shift)
        self._table()

    def _limits(self) -> None:
        """Prices of inequalities have a sign; prices that nothing asks for stay zero."""
        request = self.request
        self.lower, self.upper = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        for name in (
            "beta",
            "kappa",
            "over",
            "under",
            "grown",
            "shrunk",
            "count",
            "moves",
            "apart",
            "care",
            "care_apart",
        ):
            self.lower[self.at[name]] = 0.0
        if self.at["mu"].stop > self.at["mu"].start:
            self.lower[self.at["mu"]] = np.where(np.isfinite(request.floor), -np.inf, 0.0)
            self.upper[self.at["mu"]] = np.where(np.isfinite(request.room), np.inf, 0.0)
        asked = {
            "kappa": self.share > 0,
            "over": np.isfinite(request.band[0]),
            "under": np.isfinite(request.band[1]),
            "grown": np.isfinite(request.growth[0]),
            "shrunk": np.isfinite(request.growth[1]),
            "count": np.isfinite(request.most_accounts),
        }
        for name, mask in asked.items():
            if self.at[name].stop > self.at[name].start:
                wanted = mask if name == "count" else mask & self.minded
                self.upper[self.at[name]] = np.where(wanted, np.inf, 0.0)
        if not self.minded.all():
            self.lower[self.at["c"]] = np.where(self.minded, -np.inf, 0.0)
            self.upper[self.at["c"]] = np.where(self.minded, np.inf, 0.0)
            self.lower[self.at["rows"]] = self.upper[self.at["rows"]] = 0.0

    def _table(self) -> None:
        """Quantiles inside the range of u, and the integral of the quantile function up to each."""
        self.count = self.request.ordered.shape[1]
        held = np.clip(self.request.ordered, self.least_shift[:, None], self.most_shift[:, None])
        area = 0.5 * (held[:, 1:] + held[:, :-1]) / self.count
        self.quantiles = held
        self.areas = np.concatenate([np.zeros((len(held), 1)), np.cumsum(area, axis=1)], axis=1)
        self.every = np.arange(len(held))

    def prices(self, z: Floats, name: str) -> Floats:
        """The prices of a kind by rep, zero where none are asked."""
        part = z[self.at[name]]
        return part if len(part) else np.zeros(self.request.reps)

    def start(self) -> Floats:
        """Prices to begin with: everybody's sales are worth a half, hours what they sell on average."""
        z = np.zeros(self.size)
        density = self._density()
        mu = self.at["mu"]
        z[mu] = np.clip(np.full(mu.stop - mu.start, density), self.lower[mu], self.upper[mu])
        z[self.at["rows"].start] = 0.5
        gain = self.request.training.gain
        z[self.at["beta"]] = max(0.5 * float(np.median(gain)), 0.0) if gain.size else 0.0
        z[self.at["care"]] = 0.5 * self._worth_of_care()
        return z

    def _worth_of_care(self) -> float:
        """What an hour of care sells on average, up to where more is of no use."""
        care = self.request.arcs.care
        if care is None or not care.top.sum():
            return 1.0
        more = (self.request.arcs.highest - self.request.arcs.lowest) / np.maximum(
            care.top[self.request.arcs.account], 1e-9
        )
        return max(float(more.mean()), 1e-9)

    def _density(self) -> float:
        arcs = self.request.arcs
        return 0.5 * max(float(arcs.value.sum()), 0.0) / max(float(arcs.hours.sum()), 1e-9) if len(arcs.rep) else 0.0

    def evaluate(self, z: Floats, smooth: float = 0.0) -> Response:
        """What everybody does at these prices, and the value of the dual, smoothed where asked."""
        request, arcs, reps = self.request, self.request.arcs, self.request.reps
        c, kappa = z[self.at["c"]], self.prices(z, "kappa")
        mu, beta = self.prices(z, "mu"), float(z[self.at["beta"]][0])
        rows = z[self.at["rows"]]
        quota_price = np.asarray(request.rows.T @ rows)
        weight = request.counts + kappa
        of_quota = weight - kappa * self.share - quota_price - c
        measured = {"band": np.zeros(reps), "growth": np.zeros(reps)}
        for name, sign, factor, measure in self._factors():
            price = sign * self.prices(z, name)
            of_quota = of_quota - price
            measured[measure] = measured[measure] + price * factor
        psi, chi = measured["band"], measured["growth"]
        gradient = np.zeros_like(z)
        nu, omega = self.prices(z, "count"), z[self.at["moves"]]
        lam = request.sells + of_quota
        care, value, hours, extra, resting_care = self._cared(z, lam, mu)
        extra = extra + psi[arcs.rep] * arcs.potential[arcs.account] + chi[arcs.rep] * arcs.history[arcs.account]
        extra = extra - nu[arcs.rep] - (omega[:, None] * arcs.moves.arc).sum(axis=0)
        rest = np.where(arcs.rests, -(omega[:, None] * arcs.moves.rest).sum(axis=0) - resting_care, -NEVER)
        gained, loads, parts = np.zeros(reps), np.zeros(reps), np.empty(len(arcs.rep))
        width = (smooth or 1.0) * arcs.largest
        chosen = choose(
            arcs.start, arcs.rep, value, hours, extra, rest, lam, mu, width, smooth > 0, gained, loads, parts
        )
        owners = float(chosen[0] if smooth else chosen[1])
        quota_value, quota = self._quotas(c, smooth)
        shift_value, shift, slack = self._shifts(of_quota, weight, smooth)
        eta = float(z[self.at["apart"]].sum())
        step_value, steps = self._steps(lam, mu, beta, eta, smooth)
        hour_value, used = self._hours(mu, smooth)
        row_value, totals = self._rows(rows, smooth)
        potential = request.potential + np.bincount(arcs.rep, parts * arcs.potential[arcs.account], reps)
        history = request.history + np.bincount(arcs.rep, parts * arcs.history[arcs.account], reps)
        settled = inner(lam, request.sales) + inner(psi, request.potential) + inner(chi, request.history)
        limits = beta * request.training.budget + inner(omega, arcs.moves.most)
        limits += eta * request.training.apart if eta > 0.0 else 0.0
        limits += inner(nu, np.asarray(np.nan_to_num(request.most_accounts, posinf=0.0), dtype=np.float64))
        if arcs.care is not None:
            theta = float(z[self.at["care_apart"]].sum())
            limits += float(z[self.at["care"]][0]) * arcs.care.budget
            limits += theta * arcs.care.change if theta > 0.0 else 0.0
        separable = quota_value + shift_value + row_value + settled + limits
        sold = shift + request.sales + gained + (request.training.gain * steps).sum(axis=1)
        gradient[self.at["c"]] = quota - sold
        gradient[self.at["rows"]] = totals - request.rows @ sold
        gradient[self.at["beta"]] = request.training.budget - steps.sum()
        self._fill(gradient, "mu", used - loads - self._rate(mu) * steps.sum(axis=1))
        self._fill(gradient, "kappa", slack + (1.0 - self.share) * sold)
        for name, sign, factor, measure in self._factors():
            self._fill(gradient, name, sign * (factor * (potential if measure == "band" else history) - sold))
        held = np.bincount(arcs.rep, parts, reps)
        self._fill(gradient, "count", np.where(np.isfinite(request.most_accounts), request.most_accounts, held) - held)
        resting = np.asarray(1.0 - np.bincount(arcs.account, parts, len(arcs.free)), dtype=np.float64)
        moving = (parts * arcs.moves.arc).sum(axis=1) + (resting * arcs.moves.rest).sum(axis=1)
        gradient[self.at["moves"]] = arcs.moves.most - moving
        self._fill(gradient, "apart", request.training.apart - np.array([(steps * request.training.away).sum()]))
        if arcs.care is not None:
            gradient[self.at["care"]] = arcs.care.budget - inner(parts, care)
            apart = parts * arcs.care.counted[arcs.account] * np.abs(care - arcs.care.base[arcs.account])
            left = float(apart.sum()) + inner(resting, arcs.care.counted * arcs.care.base)
            self._fill(gradient, "care_apart", np.array([arcs.care.change - left]))
        return Response(
            value=separable + owners + step_value + hour_value,
            gradient=gradient,
            lam=lam,
            mu=mu,
            quota_price=quota_price,
            weight=weight,
            sold=value,
            hours=hours,
            extra=extra,
            rest=rest,
            parts=parts,
            steps=steps,
            step_price=beta,
            apart_price=eta,
            separable=separable,
        )

    def _cared(self, z: Floats, lam: Floats, mu: Floats) -> tuple[Floats, ...]:
        """Care, value, hours and worth of the care of each arc, [P]; price of what accounts without owner lose, [F]."""
        arcs = self.request.arcs
        if arcs.care is None:
            return np.zeros(0), arcs.value, arcs.hours, np.zeros(len(arcs.rep)), np.zeros(len(arcs.free))
        gamma, theta = float(z[self.at["care"]][0]), float(z[self.at["care_apart"]].sum())
        care, value, hours, price = arcs.care.at(arcs.account, arcs.rep, lam, mu, gamma, theta)
        return care, value, hours, -price, theta * arcs.care.counted * arcs.care.base

    def _fill(self, gradient: Floats, name: str, values: Floats) -> None:
        if self.at[name].stop > self.at[name].start:
            gradient[self.at[name]] = values

    def _factors(self) -> list[tuple[str, float, Floats, str]]:
        """Bounds that move with accounts: sign of their price on quotas, factor, and what they are measured by."""
        band, growth = np.nan_to_num(self.request.band), np.nan_to_num(self.request.growth)
        return [
            ("over", 1.0, band[0], "band"),
            ("under", -1.0, band[1], "band"),
            ("grown", 1.0, growth[0], "growth"),
            ("shrunk", -1.0, growth[1], "growth"),
        ]

    def _quotas(self, c: Floats, smooth: float) -> tuple[float, Floats]:
        low, high = self.request.low, self.request.high
        if not smooth:
            q = np.where(c > 0, high, low)
            return inner(c, q), q
        middle, bend = 0.5 * (low + high), smooth / np.maximum(high, 1e-6)
        q = np.clip(middle + c / bend, low, high)
        return inner(c, q) - 0.5 * inner(bend, (q - middle) ** 2), q

    def _shifts(self, lam: Floats, weight: Floats, smooth: float) -> tuple[float, Floats, Floats]:
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

    def _rate(self, mu: Floats) -> Floats:
        """Hours that a training step takes from the limit that is priced."""
        request = self.request
        return request.training.hours * np.where(mu > 0, request.room_rate, request.floor_rate)

    def _steps(self, lam: Floats, mu: Floats, beta: float, eta: float, smooth: float) -> tuple[float, Floats]:
        training = self.request.training
        worth = lam[:, None] * training.gain - (beta + mu * self._rate(mu))[:, None] - eta * training.away
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

    def _hours(self, mu: Floats, smooth: float) -> tuple[float, Floats]:
        room, floor = self.request.room, self.request.floor
        top = np.where(np.isfinite(room), room, np.where(np.isfinite(floor), floor, 0.0))
        bottom = np.where(np.isfinite(floor), floor, top)
        if not smooth:
            used = np.where(mu > 0, top, bottom)
            return inner(mu, used), used
        bend = smooth * max(self._density(), 1e-9) / np.maximum(np.abs(top), 1e-6)
        used = np.clip(top + mu / bend, bottom, top)
        return inner(mu, used) - 0.5 * inner(bend, (used - top) ** 2), used

    def _rows(self, rows: Floats, smooth: float) -> tuple[float, Floats]:
        low, high = self.request.row_low, self.request.row_high
        if not smooth:
            totals = np.where(rows > 0, high, low)
            return inner(rows, totals), totals
        middle, bend = 0.5 * (low + high), smooth / np.maximum(np.abs(high), 1e-6)
        totals = np.clip(middle + rows / bend, low, high)
        return inner(rows, totals) - 0.5 * inner(bend, (totals - middle) ** 2), totals

    def _scale(self, smooth: float) -> Floats:
        """One over the square root of the curvature of the smoothed dual along each price, roughly."""
        request, arcs = self.request, self.request.arcs
        quota = np.maximum(np.minimum(request.high, float(np.median(request.high))), 1e-6)
        each, sold = len(arcs.free) / request.reps, float(np.abs(arcs.value).mean()) if len(arcs.rep) else 0.0
        asked = float(arcs.hours.mean()) if len(arcs.rep) else 0.0
        out = np.ones(self.size)
        by_rep = 1.0 / np.sqrt(quota / smooth + 0.8 * quota + 0.5 * each * sold / smooth)
        for name in ("c", "kappa", "over", "under", "grown", "shrunk"):
            self._fill(out, name, by_rep)
        hours = max(0.5 * each * asked * asked / (max(sold, 1e-9) * smooth), 1e-9)
        self._fill(out, "mu", np.full(request.reps, 1.0 / np.sqrt(hours)))
        self._fill(
            out, "count", np.full(request.reps, 1.0 / np.sqrt(max(0.5 * each / (max(sold, 1e-9) * smooth), 1e-9)))
        )
        totals = np.maximum(np.abs(request.row_high), 1e-6)
        out[self.at["rows"]] = 1.0 / np.sqrt(totals / smooth)
        out[self.at["rows"].start] = 1.0 / np.sqrt(totals[0])
        gain = request.training.gain
        middle = max(float(np.median(gain)), 1e-6) if gain.size else 1.0
        out[self.at["beta"]] = 1.0 / np.sqrt(max(request.reps / (0.5 * smooth * middle), 1e-9))
        out[self.at["moves"]] = 1.0 / np.sqrt(max(0.5 * len(arcs.free) / (max(sold, 1e-9) * smooth), 1e-9))
        out[self.at["apart"]] = out[self.at["beta"]]
        if arcs.care is not None:
            hour = 1.0 / np.sqrt(max(arcs.care.budget, 1.0) / self._worth_of_care())
            out[self.at["care"]] = out[self.at["care_apart"]] = hour
        return out

    def solve(
        self, begin: Floats | None = None, temperatures: tuple[float, ...] = SMOOTHNESS, tolerance: float = TOLERANCE
    ) -> tuple[Floats, Response]:
        """Prices with a low dual value, and the response there without smoothing.

        Args:
            tolerance: decrease of a step, relative to the total of the quotas, below which a descent ends.
        """
        z = np.clip(self.start() if begin is None else begin, self.lower, self.upper)
        size = max(float(np.abs(self.request.row_high[0])), 1e-6)
        best, found = z, self.evaluate(z)
        for smooth in temperatures:
            scale = self._scale(smooth)

            def smoothed(y: Floats, scale: Floats = scale, smooth: float = smooth) -> tuple[float, Floats]:
                at = self.evaluate(y * scale, smooth)
                return at.value / size, at.gradient * scale / size

            low, high = self.lower / scale, self.upper / scale
            y = descend(
                smoothed, z / scale, low, high,
                steps=STEPS, memory=MEMORY, tolerance=tolerance, flatness=size, floor=IMPOSSIBLE,
            )  # fmt: skip
            z = np.clip(y * scale, self.lower, self.upper)
            at = self.evaluate(z)
            if at.value < found.value:
                best, found = z, at
            if at.value < IMPOSSIBLE * size:
                break
        return best, found
