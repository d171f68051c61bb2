"""Shares of reporting periods in each rep's quota: her own simulated ones, as far as the simulated years can tell them.

A rep's period is a handful of deals. Her own shares are shrunken to what the company's season comes to over the time in
which she can close, and the more so the less her simulated years tell them apart from it (James and Stein 1961, with
the noise estimated from these years).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Samples = NDArray[np.float64] | NDArray[np.int64]

FAINT = 1e-6
"""Of full power, at which whoever is employed in a period counts at least: a quota of next to nothing is still one."""
MOSTLY = 0.5
"""Of full power, from which a period tells of the company's season."""
ROUNDS = 200
SETTLED = 1e-12


def seasons(samples: Samples, presence: Floats | None = None) -> Floats:
    """Shares by period from simulated years; [R, P].

    With few years the shares are those of the company's season at the rep's presence; with many they are her own.

    Args:
        samples: what each rep reaches in each period of each year, [N, R, P]. Sales count where they close.
        presence: share of full power from which what each rep closes in each period comes, [R, P], 0 where she is not
            employed; without it, everybody is there where anything is reached.
    """
    values = np.maximum(np.asarray(samples, dtype=np.float64), 0.0)
    mean = values.mean(axis=0)
    there = np.ones(mean.shape) if presence is None else presence
    prior = _paced(_company(mean, there), there)
    totals = mean.sum(axis=1, keepdims=True)
    own = np.divide(mean, totals, out=prior.copy(), where=totals > 0)
    weight = np.array([_weight(values[:, r], own[r], prior[r]) for r in range(len(own))]).reshape(-1, 1)
    # Who is away in a period (hired later, gone earlier) has no share in it; without presence, who sells nothing there.
    here = own > 0 if presence is None else (own > 0) | (presence > 0)
    mixed = np.where(here, weight * own + (1.0 - weight) * prior, 0.0)
    return np.asarray(mixed / mixed.sum(axis=1, keepdims=True))


def _company(mean: Floats, presence: Floats) -> Floats:
    """The company's season were everybody there throughout, [P].

    Means are a rep's level times the season times presence; level and season are fitted in turns until both sums over
    what is mostly there agree. With everybody there, it is the share of each period in the company's sum.
    """
    seen = presence >= MOSTLY
    seen[:, ~seen.any(axis=0)] = True
    means, power = np.where(seen, mean, 0.0), np.where(seen, presence, 0.0)
    sums = means.sum(axis=0)
    if sums.sum() <= 0:
        return np.full(mean.shape[1], 1 / mean.shape[1])
    season = sums / sums.sum()
    for _ in range(ROUNDS):
        expected = power @ season
        level = np.divide(means.sum(axis=1), expected, out=np.zeros(len(mean)), where=expected > 0)
        reached = level @ power
        fitted = np.divide(sums, reached, out=np.zeros(len(sums)), where=reached > 0)
        fitted /= fitted.sum()
        before, season = season, fitted
        if np.abs(season - before).max() <= SETTLED:
            break
    return np.asarray(season)


def _paced(season: Floats, presence: Floats) -> Floats:
    """The season at each rep's presence, [R, P]; without the presence where that leaves nothing."""
    out = np.broadcast_to(season, presence.shape).copy()
    paced = season * presence
    some = paced.sum(axis=1) > 0
    out[some] = paced[some] / paced[some].sum(axis=1, keepdims=True)
    return out


def _weight(values: Floats, own: Floats, prior: Floats) -> float:
    """Of a rep's own shares beside the prior ones: the part of their squared distance that is no noise.

    Args:
        values: of each year and period, [N, P]; ``own``, ``prior``: shares, [P].
    """
    distance = float(((own - prior) ** 2).sum())
    count, total = len(values), float(values.sum(axis=1).mean())
    if count < 2 or distance <= 0 or total <= 0:
        return 0.0
    # Own shares are ratios of means, so that their errors are those of what is off these shares (Cochran 1977).
    off = values - own * values.sum(axis=1, keepdims=True)
    noise = float((off**2).sum()) / (count * (count - 1) * total**2)
    return float(np.clip(1.0 - noise / distance, 0.0, 1.0 - FAINT))
