"""Tests against chance: is a spread more than luck, how sure is a share, and what could the data have shown?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, stats

_BUDGET = 20_000_000
"""Upper limit of draws times units, so that companies of thousands of reps stay fast."""


def chance_probability(n: np.ndarray, k: np.ndarray, seed: int = 1, draws: int = 9_999) -> float:
    """Probability of at least this much spread if all units had the same rate.

    The reference distribution of Pearson's statistic is conditional on both margins (multivariate hypergeometric),
    so the p-value is valid for small units too. ``n``, ``k``: int64 arrays, shape (units,). Fewer than ``draws``
    samples are taken where there are thousands of units.
    """
    total, won = int(n.sum()), int(k.sum())
    if won in (0, total):
        return 1.0
    draws = min(draws, max(199, _BUDGET // len(n)))
    rng = np.random.Generator(np.random.Philox(seed))
    sampled = rng.multivariate_hypergeometric(n, won, size=draws, method="marginals")
    observed = ((k - won * n / total) ** 2 / n).sum()
    as_large = ((sampled - won * n / total) ** 2 / n).sum(axis=1) >= observed * (1 - 1e-12)
    return float((1 + as_large.sum()) / (1 + draws))


def nested_probability(cases: pd.DataFrame, inner: str, outer: str, seed: int = 1, draws: int = 1_999) -> float:
    """Probability that the outer groups differ as much as they do if their members were dealt out at random.

    Teams differ whenever their reps differ; this asks whether they differ more than that. Each inner unit belongs
    to the outer group in which it has most cases; whole units are permuted between the groups.

    Args:
        cases: columns ``inner``, ``outer`` and ``converted``, e.g. of :func:`history.skill.decided_cases`.
    """
    known = cases[cases[inner].notna() & cases[outer].notna()]
    sizes = known.groupby([inner, outer])["converted"].size().unstack(fill_value=0)
    group = pd.factorize(sizes.idxmax(axis=1), sort=True)[0]
    by_unit = known.groupby(inner)["converted"]
    n, k = by_unit.size().to_numpy(dtype=float), by_unit.sum().to_numpy(dtype=float)
    surplus = k - n * k.sum() / n.sum()

    def statistic(membership: np.ndarray) -> float:
        weight = np.bincount(membership, weights=n)
        return float((np.bincount(membership, weights=surplus) ** 2 / weight).sum())

    rng = np.random.Generator(np.random.Philox(seed))
    draws = min(draws, max(199, _BUDGET // len(n)))
    observed = statistic(group) * (1 - 1e-12)
    as_large = sum(statistic(rng.permutation(group)) >= observed for _ in range(draws))
    return (1 + as_large) / (1 + draws)


def power(sd: float, n: np.ndarray, mean: float, level: float = 0.05) -> float:
    """Probability that the test at ``level`` detects a true spread ``sd``.

    Pearson's statistic under a true spread is a quadratic form; its distribution is matched in mean and variance by
    a scaled chi-square (Satterthwaite 1946).
    """
    size = np.asarray(n, dtype=float)
    total = size.sum()
    variance = (sd**2 + (mean * (1 - mean) - sd**2) / size) / (mean * (1 - mean))
    expectation = (size * (1 - size / total) * variance).sum()
    own = size**2 * variance**2
    spread2 = 2 * ((own * (1 - 2 * size / total)).sum() + (size**2 * variance).sum() ** 2 / total**2)
    scale, freedom = spread2 / (2 * expectation), 2 * expectation**2 / spread2
    limit = stats.chi2.ppf(1 - level, len(size) - 1)
    return float(stats.chi2.sf(limit / scale, freedom))


def detectable_spread(n: np.ndarray, mean: float, wanted: float = 0.8) -> float:
    """Smallest true sd detected with probability ``wanted``; NaN where no possible spread would be."""
    top = float(np.sqrt(mean * (1 - mean))) * 0.999
    if top == 0.0 or power(top, n, mean) < wanted:
        return float("nan")
    return float(optimize.brentq(lambda sd: power(sd, n, mean) - wanted, 0.0, top, xtol=1e-6))


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down correction: adjusted p-values in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted = [1.0] * len(p_values)
    running = 0.0
    for place, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = running
    return adjusted
