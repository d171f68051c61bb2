"""Distributions from observations: order values, hours of work, and delays with what was never observed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from history.survival import LOST, WON, Incidence, conversion, delay_quantiles
from scenarios.distributions import Empirical

Floats = NDArray[np.floating[Any]]

STEPS = 40
"""Points that stand for an observed distribution."""
_ENOUGH = 30
_USUAL_CV = 0.7
FAR_DAYS = 3650.0
"""A delay beyond every horizon: the customer never answers."""
_TRACE = 1e-9
_SILENT = 1e-4
"""Share of customers who never say no, at least, so that a deal older than any on record does not end at once."""
_SURE = 3.0
"""With no ending where this many were expected, none is 95 % sure to be more than chance (rule of three)."""


def observed(values: Floats) -> dict[str, Any]:
    """Observed amounts as a distribution with their mean: the values themselves, or means of equal groups of them.

    Args:
        values: at least one, not negative, shape (n,).
    """
    ordered = np.sort(values)
    groups = np.array_split(ordered, min(STEPS, len(ordered)))
    points = np.array([group.mean() for group in groups])
    if points[0] == points[-1]:
        return {"family": "fixed", "value": _short(float(points[0]))}
    drawn = Empirical(values=tuple(points.tolist()), linear=True).mean_value()
    scaled = points * (ordered.mean() / drawn)
    return {"family": "empirical", "values": [_short(float(x)) for x in scaled], "linear": True}


def amounts(values: Floats, pooled: Floats) -> tuple[dict[str, Any], str]:
    """Order values of one product, and how they were found.

    From 30 wins on the observed values; from 5 on a lognormal with their mean and spread; below, the lognormal of
    all products' wins, which is a prior and no measurement.

    Args:
        values: positive values of this product's wins, shape (n,).
        pooled: those of all wins.
    """
    if len(values) >= _ENOUGH:
        return observed(values), "measured"
    few = len(values) < 5
    used = pooled if few else values
    cv = float(used.std(ddof=1) / used.mean()) if len(used) > 1 else _USUAL_CV
    fitted = {"family": "lognormal", "mean": _short(float(used.mean())), "cv": round(min(max(cv, 0.05), 5.0), 4)}
    return fitted, "prior" if few else "fitted"


class Clocks:
    """Conversion and both delays of one stage, with the deals that never ended taken into account.

    Attributes:
        rate, low, high: chance that a case advances, with its 95 % interval.
        naive: what a plain report would say: advanced of decided.
        unresolved: share of the cases that had not ended at the oldest age observed.
        never: True where those are taken to stay open for ever, because many more endings should have been seen
            beyond that age if endings went on as before; else they end like the others, up to twice that age.
        delay, loss_delay: distributions in days of advancing and of being lost; ``None`` where there was none.
    """

    def __init__(self, found: Incidence, ages_open: Floats) -> None:
        result = conversion(found)
        self.naive, self.unresolved = result.naive, result.unresolved
        self.oldest = float(found.days[-1]) if len(found.days) else 0.0
        self.never = self.unresolved > _SILENT and _ended_for_good(found, ages_open)
        won = float(found.won[-1]) if len(found.won) else 0.0
        self.rate = won if self.never else result.rate
        self.low = result.low
        self.high = min(1.0, won + 1.96 * float(found.won_se[-1])) if self.never else result.high
        lost = 1.0 - self.rate
        answered = float(found.lost[-1]) if len(found.lost) else 0.0
        silent = (lost - answered) / lost if self.never and lost > 0 else 0.0
        late = 0.0 if self.never else self.unresolved
        self.delay = _delay(delay_quantiles(found, WON, _LEVELS), late, self.oldest, 0.0)
        self.loss_delay = _delay(delay_quantiles(found, LOST, _LEVELS), late, self.oldest, max(silent, _SILENT))


_LEVELS = (np.arange(STEPS) + 0.5) / STEPS


def _ended_for_good(found: Incidence, ages_open: Floats) -> bool:
    """Whether cases beyond the oldest ending would have ended by now, had endings gone on at their late pace."""
    oldest = float(found.days[-1])
    late = max(1, len(found.days) // 4)
    since = float(found.days[-late - 1]) if late < len(found.days) else 0.0
    ended = np.diff(np.concatenate([[0.0], found.won + found.lost]))[-late:].sum()
    alive = 1.0 - float(found.won[-1] + found.lost[-1])
    pace = ended / ((alive + ended / 2) * max(oldest - since, 1e-9))
    exposure = float(np.maximum(ages_open - oldest, 0.0).sum())
    return bool(pace * exposure >= _SURE)


def _delay(days: Floats, late: float, oldest: float, silent: float) -> dict[str, Any] | None:
    """Observed delays, then ``late`` of the mass up to twice the oldest age, then ``silent`` of it beyond all."""
    known = not np.isnan(days).any()
    values: list[float] = list(days) if known else []
    weights: list[float] = [(1 - late) * (1 - silent) / len(days)] * len(values)
    if late > 1e-6:
        values += [oldest * (1 + share) for share in (0.125, 0.375, 0.625, 0.875)]
        weights += [late * (1 - silent) / 4] * 4
    if silent > 0:
        # Two points of no weight keep the line between the last answer and "never" from being drawn through.
        guard = [values[-1], FAR_DAYS] if values else []
        values += [*guard, FAR_DAYS]
        weights += [_TRACE] * len(guard) + [silent]
    if not values:
        return None
    rounded = [round(float(value), 5) for value in values]
    return {
        "family": "empirical",
        "values": rounded,
        "weights": [float(f"{weight:.6g}") for weight in weights],
        "linear": True,
    }


def _short(value: float) -> float:
    return float(f"{value:.8g}")
