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
from optimize.by_prices.price_layout import Layout
from optimize.by_prices.request import Request
from optimize.by_prices.separable import Separable

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
        # Where capped sales do not count, a floor under them would have nothing to be weighed against.
        self.share = request.share if request.counts > 0.0 else np.zeros(request.reps)
        self.layout = Layout(request, self.share, self.minded)
        self.at, self.size = self.layout.at, self.layout.size
        self.lower, self.upper = self.layout.lower, self.layout.upper
        self.separable = Separable(request)

    def start(self) -> Floats:
        """Prices to begin with: everybody's sales are worth a half, hours what they sell on average."""
        z = np.zeros(self.size)
        density = self.separable.density()
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

    def evaluate(self, z: Floats, smooth: float = 0.0) -> Response:
        """What everybody does at these prices, and the value of the dual, smoothed where asked."""
        request, arcs, reps = self.request, self.request.arcs, self.request.reps
        c, kappa = z[self.at["c"]], self.layout.of(z, "kappa")
        mu, beta = self.layout.of(z, "mu"), float(z[self.at["beta"]][0])
        rows = z[self.at["rows"]]
        quota_price = np.asarray(request.rows.T @ rows)
        weight = request.counts + kappa
        of_quota = weight - kappa * self.share - quota_price - c
        measured = {"band": np.zeros(reps), "growth": np.zeros(reps)}
        for name, sign, factor, measure in self._factors():
            price = sign * self.layout.of(z, name)
            of_quota = of_quota - price
            measured[measure] = measured[measure] + price * factor
        psi, chi = measured["band"], measured["growth"]
        gradient = np.zeros_like(z)
        nu, omega, tally = self.layout.of(z, "count"), z[self.at["moves"]], z[self.at["counted"]]
        lam = request.sells + of_quota
        care, value, hours, extra, resting_care = self._cared(z, lam, mu)
        extra = extra + psi[arcs.rep] * arcs.potential[arcs.account] + chi[arcs.rep] * arcs.history[arcs.account]
        extra = extra - nu[arcs.rep] - (omega[:, None] * arcs.moves.arc).sum(axis=0) - arcs.counted.priced(tally)
        rest = np.where(arcs.rests, -(omega[:, None] * arcs.moves.rest).sum(axis=0) - resting_care, -NEVER)
        gained, loads, parts = np.zeros(reps), np.zeros(reps), np.empty(len(arcs.rep))
        width = (smooth or 1.0) * arcs.largest
        chosen = choose(
            arcs.start, arcs.rep, value, hours, extra, rest, lam, mu, width, smooth > 0, gained, loads, parts
        )
        owners = float(chosen[0] if smooth else chosen[1])
        quota_value, quota = self.separable.quotas(c, smooth)
        shift_value, shift, slack = self.separable.shifts(of_quota, weight, smooth)
        eta = float(z[self.at["apart"]].sum())
        step_value, steps = self.separable.steps(lam, mu, beta, eta, smooth)
        hour_value, used = self.separable.hours(mu, smooth)
        row_value, totals = self.separable.rows(rows, smooth)
        potential = request.potential + np.bincount(arcs.rep, parts * arcs.potential[arcs.account], reps)
        history = request.history + np.bincount(arcs.rep, parts * arcs.history[arcs.account], reps)
        settled = inner(lam, request.sales) + inner(psi, request.potential) + inner(chi, request.history)
        limits = beta * request.training.budget + inner(omega, arcs.moves.most)
        limits += inner(tally, np.where(arcs.counted.binds, arcs.counted.most, 0.0))
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
        self.layout.fill(gradient, "mu", used - loads - self.separable.rate(mu) * steps.sum(axis=1))
        self.layout.fill(gradient, "kappa", slack + (1.0 - self.share) * sold)
        for name, sign, factor, measure in self._factors():
            self.layout.fill(gradient, name, sign * (factor * (potential if measure == "band" else history) - sold))
        held = np.bincount(arcs.rep, parts, reps)
        most = np.where(np.isfinite(request.most_accounts), request.most_accounts, held)
        self.layout.fill(gradient, "count", most - held)
        resting = np.asarray(1.0 - np.bincount(arcs.account, parts, len(arcs.free)), dtype=np.float64)
        moving = (parts * arcs.moves.arc).sum(axis=1) + (resting * arcs.moves.rest).sum(axis=1)
        gradient[self.at["moves"]] = arcs.moves.most - moving
        gradient[self.at["counted"]] = np.where(arcs.counted.binds, arcs.counted.most - arcs.counted.sums(parts), 0.0)
        self.layout.fill(gradient, "apart", request.training.apart - np.array([(steps * request.training.away).sum()]))
        if arcs.care is not None:
            gradient[self.at["care"]] = arcs.care.budget - inner(parts, care)
            apart = parts * arcs.care.counted[arcs.account] * np.abs(care - arcs.care.base[arcs.account])
            left = float(apart.sum()) + inner(resting, arcs.care.counted * arcs.care.base)
            self.layout.fill(gradient, "care_apart", np.array([arcs.care.change - left]))
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

    def _factors(self) -> list[tuple[str, float, Floats, str]]:
        """Bounds that move with accounts: sign of their price on quotas, factor, and what they are measured by."""
        band, growth = np.nan_to_num(self.request.band), np.nan_to_num(self.request.growth)
        return [
            ("over", 1.0, band[0], "band"),
            ("under", -1.0, band[1], "band"),
            ("grown", 1.0, growth[0], "growth"),
            ("shrunk", -1.0, growth[1], "growth"),
        ]

    def _scale(self, smooth: float) -> Floats:
        """One over the square root of the curvature of the smoothed dual along each price, roughly."""
        request, arcs = self.request, self.request.arcs
        quota = np.maximum(np.minimum(request.high, float(np.median(request.high))), 1e-6)
        each, sold = len(arcs.free) / request.reps, float(np.abs(arcs.value).mean()) if len(arcs.rep) else 0.0
        asked = float(arcs.hours.mean()) if len(arcs.rep) else 0.0
        out = np.ones(self.size)
        by_rep = 1.0 / np.sqrt(quota / smooth + 0.8 * quota + 0.5 * each * sold / smooth)
        for name in ("c", "kappa", "over", "under", "grown", "shrunk"):
            self.layout.fill(out, name, by_rep)
        hours = max(0.5 * each * asked * asked / (max(sold, 1e-9) * smooth), 1e-9)
        self.layout.fill(out, "mu", np.full(request.reps, 1.0 / np.sqrt(hours)))
        self.layout.fill(
            out, "count", np.full(request.reps, 1.0 / np.sqrt(max(0.5 * each / (max(sold, 1e-9) * smooth), 1e-9)))
        )
        totals = np.maximum(np.abs(request.row_high), 1e-6)
        out[self.at["rows"]] = 1.0 / np.sqrt(totals / smooth)
        out[self.at["rows"].start] = 1.0 / np.sqrt(totals[0])
        gain = request.training.gain
        middle = max(float(np.median(gain)), 1e-6) if gain.size else 1.0
        out[self.at["beta"]] = 1.0 / np.sqrt(max(request.reps / (0.5 * smooth * middle), 1e-9))
        out[self.at["moves"]] = 1.0 / np.sqrt(max(0.5 * len(arcs.free) / (max(sold, 1e-9) * smooth), 1e-9))
        out[self.at["counted"]] = 1.0 / np.sqrt(max(0.5 * each / (max(sold, 1e-9) * smooth), 1e-9))
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
