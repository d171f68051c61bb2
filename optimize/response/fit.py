"""Gains of the chain formula set right by simulated differences, as far as these are surer than the formula.

Measured effects y with standard errors s are held against modelled effects c by ``y = scale * c + d + noise``: one
scale for all, and what is left over, d, has a variance that is estimated from the spread beyond the noise. Each effect
is then shrunk: ``scale * c + k * (y - scale * c)`` with ``k = var(d) / (var(d) + s^2)``, the empirical Bayes estimate
(Efron and Morris 1975; the variance by moments as in DerSimonian and Laird 1986). A noisy difference changes little, a
clear one takes the formula's place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimize.pairs import ByPair, Table
from optimize.problem import AllocationProblem, Floats

LARGEST_SCALE = 4.0
"""Beyond this a formula is not scaled: effects so far off are left to the differences themselves."""
LEAST_ERROR = 0.05
SURE_OF_FORMULA = 0.5
"""Standard deviation of the scale about 1 before anything is measured: formulas of this kind are off by up to a factor
of two. Where differences say little, the formula stands."""


@dataclass(frozen=True)
class Effects:
    """Effects of one kind, in the same order: modelled, measured, and the standard error of the measured; [J]."""

    model: Floats
    measured: Floats
    error: Floats

    @classmethod
    def of(cls, rows: Sequence[tuple[float, float, float]]) -> Effects:
        """From (modelled, measured, error)."""
        table = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
        return cls(table[:, 0], table[:, 1], table[:, 2])

    @property
    def count(self) -> int:
        """J."""
        return len(self.model)

    @property
    def relative_error(self) -> float:
        """Root mean square distance of the model from the true effects, over that of the effects themselves.

        The noise of the measured is taken out of both; NaN where the noise hides all effects.
        """
        noise = float(np.square(self.error).sum())
        size = float(np.square(self.measured).sum()) - noise
        off = float(np.square(self.measured - self.model).sum()) - noise
        return float(np.sqrt(max(off, 0.0) / size)) if size > 0 else float("nan")


@dataclass(frozen=True)
class Shrunk:
    """Effects after shrinkage: the common scale, what each is beyond it, and the error that is left; [J]."""

    scale: float
    beyond: Floats
    left: Floats


def shrunk(effects: Effects) -> Shrunk:
    """Effects set right; the scale is 1 where nothing is known."""
    c, y = effects.model, effects.measured
    # Luck that two runs share to the last draw leaves no spread to be seen; no difference is surer than a part of it.
    least = LEAST_ERROR * float(np.sqrt(np.square(y).mean())) if effects.count else 0.0
    s = np.maximum(effects.error, max(least, 1e-9))
    if not effects.count:
        return Shrunk(1.0, np.zeros(effects.count), s)
    between = 0.0
    for _ in range(2):
        weight = 1.0 / (np.square(s) + between)
        known = (weight * c * y).sum() + 1.0 / SURE_OF_FORMULA**2
        scale = float(np.clip(known / ((weight * c * c).sum() + 1.0 / SURE_OF_FORMULA**2), 0.0, LARGEST_SCALE))
        fixed = 1.0 / np.square(s)
        excess = float((fixed * np.square(y - scale * c)).sum()) - (effects.count - 1)
        between = max(excess / float(fixed.sum()), 0.0)
    keep = between / (between + np.square(s))
    return Shrunk(scale, keep * (y - scale * c), np.sqrt(keep) * s)


@dataclass(frozen=True)
class Correction:
    """What simulated differences change in the gains of a request; neutral by default.

    Attributes:
        method: how the gains are found, in words.
        training: scale of training gains, [R, K].
        beyond: of training gains beyond the scale, minor units at ``at`` more hours, [R, K].
        at: hours of the difference, [R, K].
        bend: hours scale of the learning curve.
        worth: scale of what accounts sell, [R].
        displaced: scale of the lead sales that their hours displace, [R].
        error: relative error of the formula's effects against the differences; None where nothing was measured.
        left: the same after the correction.
        measured: how many effects.
    """

    method: str
    training: Floats
    beyond: Floats
    at: Floats
    bend: float
    worth: Floats
    displaced: Floats
    error: float | None = None
    left: float | None = None
    measured: int = 0

    @classmethod
    def none(cls, problem: AllocationProblem) -> Correction:
        """The formula as it is."""
        reps, skills = problem.training.base.shape
        return cls(
            "chain",
            np.ones((reps, skills)),
            np.zeros((reps, skills)),
            np.ones((reps, skills)),
            1.0,
            np.ones(reps),
            np.ones(reps),
        )

    def applied(self, problem: AllocationProblem) -> AllocationProblem:
        """The request with gains set right."""
        offer, accounts = problem.training, problem.accounts
        hours = np.arange(offer.steps + 1) * offer.step
        curve = 1.0 - np.exp(-hours / self.bend)
        before = 1.0 - np.exp(-offer.base / self.bend)
        after = 1.0 - np.exp(-(offer.base + self.at) / self.bend)
        rise = np.divide(self.beyond, after - before, out=np.zeros_like(self.beyond), where=self.beyond != 0)
        gain = offer.gain * self.training[:, :, None] + rise[:, :, None] * curve
        return replace(
            problem,
            training=replace(offer, gain=gain),
            accounts=replace(
                accounts,
                unit=_scaled(accounts.unit, self.worth),
                displaced=_scaled(accounts.displaced, self.displaced),
                hour_price=accounts.hour_price * self.displaced,
            ),
        )


def _scaled(table: Table, by_rep: Floats) -> Table:
    if isinstance(table, ByPair):
        return replace(table, values=table.values * by_rep[table.pairs.rep])
    return np.asarray(table * by_rep)
