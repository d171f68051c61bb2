"""Honest differences between reps: how far conversion rates differ beyond what chance alone would show.

The model: rep r converts ``k_r`` of ``n_r`` decided cases, ``k_r ~ Binomial(n_r, p_r)``, and the true rates ``p_r``
scatter round the mean ``m`` with standard deviation ``s``. Whatever the shape of that scatter,

    Var(k_r / n_r) = s^2 + (m (1 - m) - s^2) / n_r.

``s`` is the value for which the weighted sum of squares equals its expectation (Paule and Mandel 1982), its interval
comes from the same sum of squares against the chi-square distribution (Viechtbauer 2007), and the test against
chance is Pearson's statistic with its exact conditional distribution, sampled. Individual rates are posterior
means of the beta-binomial model with these moments. Where the spread does not exceed chance, no rep effect is
reported: every effect is 0 and its interval says how much the data cannot exclude.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import optimize, stats

from history.chance import chance_probability, detectable_spread, holm
from history.crm import History
from scenarios.errors import InputRefused, Problem
from sim.binomial import wilson_bounds

TALLY_COLUMNS = ("unit", "decided", "converted")
_SHARED = 0.25
"""Share of cases with several workers above which a spread is no longer read as skill."""


@dataclass(frozen=True, eq=False)
class Spread:
    """The spread of conversion rates between units (reps, teams, products, ...). Rates are fractions, 0..1.

    Attributes:
        what: what was compared, e.g. ``rep: preaccepted``.
        units, decided: how many units and decided cases entered; ``left_out`` units had fewer than ``minimum`` cases.
        mean: overall conversion rate of the units compared.
        p_value: chance of a spread this large if all units were alike (smallest possible 1 / (draws + 1)).
        p_adjusted: the same after correction for the comparisons made beside it (Holm 1979).
        sd: estimated true standard deviation between units.
        sd_low, sd_high: its 95 % interval.
        sd_upper: its one-sided 95 % upper bound.
        detectable: smallest true sd that this test (5 %) would detect with probability 80 %; NaN if none would.
        persistence: correlation between the units' rates in the first and second half of their cases (NaN if not
            asked for), and ``persistence_expected``, what the estimated sd and the sample sizes would give.
        reported: True only where the spread exceeds chance (adjusted p < .05).
        shared: share of the cases on which several people worked; NaN without a log of work.
        other_roles: units whose main work in the stage is not the stage's main work.
        effects: one row per unit, sorted by unit: ``unit``, ``decided``, ``converted``, ``rate``, ``rate_low``,
            ``rate_high`` (Wilson 95 %), ``effect``, ``effect_low``, ``effect_high`` (shrunken difference to the
            mean with 95 % interval), ``distinct`` (the interval excludes 0; always False when not reported).
    """

    what: str
    units: int
    left_out: int
    decided: int
    mean: float
    p_value: float
    p_adjusted: float
    sd: float
    sd_low: float
    sd_high: float
    sd_upper: float
    detectable: float
    persistence: float
    persistence_expected: float
    reported: bool
    effects: pd.DataFrame
    shared: float = float("nan")
    other_roles: int = 0

    @property
    def roles_suspected(self) -> bool:
        """True where the spread may show division of labour, and must not be read as skill.

        That is where more than a quarter of the cases passed through several hands, or units do different work.
        """
        return self.shared > _SHARED or self.other_roles > 0


def spread(
    tallies: pd.DataFrame,
    what: str = "rep",
    minimum: int = 30,
    seed: int = 1,
    halves: pd.DataFrame | None = None,
    p_adjusted: float | None = None,
    draws: int = 9_999,
) -> Spread:
    """Estimate how far units differ.

    Args:
        tallies: columns ``unit``, ``decided``, ``converted`` (whole numbers), one row per unit.
        what: name of the comparison for reports.
        minimum: units with fewer decided cases are left out (and counted).
        seed, draws: of the sampled reference distribution of the test.
        p_adjusted: the p-value corrected for other comparisons made beside this one; None if there are none.
        halves: optional; columns ``unit``, ``first`` and ``second``: conversion rates in either half of the cases.

    Raises:
        InputRefused: fewer than two units with ``minimum`` cases, or counts that contradict themselves.
    """
    used = tallies[tallies["decided"] >= minimum].sort_values("unit", kind="stable").reset_index(drop=True)
    n = used["decided"].to_numpy(dtype=np.int64)
    k = used["converted"].to_numpy(dtype=np.int64)
    _check(tallies, n, what, minimum)
    mean = float(k.sum() / n.sum())
    p_value = chance_probability(n, k, seed, draws)
    sd, low, high, upper = _spread_estimates(n, k / n, mean)
    adjusted = p_value if p_adjusted is None else p_adjusted
    reported = adjusted < 0.05
    first, expected = _persistence(halves, used, sd, mean)
    return Spread(
        what=what,
        units=len(n),
        left_out=int(len(tallies) - len(used)),
        decided=int(n.sum()),
        mean=mean,
        p_value=p_value,
        p_adjusted=adjusted,
        sd=sd,
        sd_low=low,
        sd_high=high,
        sd_upper=upper,
        detectable=detectable_spread(n, mean),
        persistence=first,
        persistence_expected=expected,
        reported=reported,
        effects=_effects(used, mean, sd if reported else 0.0, upper),
    )


def _check(tallies: pd.DataFrame, n: np.ndarray, what: str, minimum: int) -> None:
    if len(n) < 2:
        rule = f"at least two units with {minimum} decided cases are needed to compare them"
        raise InputRefused(Problem(what, f"{len(n)} units", rule, "compare larger groups or a longer time"))
    wrong = (tallies["converted"] < 0) | (tallies["converted"] > tallies["decided"])
    if wrong.any():
        unit = str(tallies.loc[wrong, "unit"].iloc[0])
        raise InputRefused(Problem(f"{what}: {unit}", "", "converted must lie between 0 and decided"))


def _sum_of_squares(s2: float, n: np.ndarray, rate: np.ndarray, mean: float) -> float:
    weight = 1.0 / (s2 + (mean * (1 - mean) - s2) / n)
    centre = (weight * rate).sum() / weight.sum()
    return float((weight * (rate - centre) ** 2).sum())


def _spread_estimates(n: np.ndarray, rate: np.ndarray, mean: float) -> tuple[float, float, float, float]:
    """(sd, low, high, one-sided upper) by solving the sum of squares for its expectation and quantiles.

    Units that agree by luck better than chance would make the upper limits absurdly small, so these are never
    tighter than for units that agree as well as the median by chance (power-constrained limits, Cowan et al. 2011).
    """
    if mean in (0.0, 1.0):
        return 0.0, 0.0, 0.0, 0.0
    ceiling = mean * (1 - mean)
    freedom = len(n) - 1

    def solve(level: float, scale: float = 1.0) -> float:
        def gap(s2: float) -> float:
            return scale * _sum_of_squares(s2, n, rate, mean) - level

        top = ceiling * (1 - 1e-9)
        if gap(0.0) <= 0:
            return 0.0
        if gap(top) >= 0:
            return float(np.sqrt(top))
        return float(np.sqrt(optimize.brentq(gap, 0.0, top, xtol=1e-14)))

    low, high, upper, median = stats.chi2.ppf([0.975, 0.025, 0.05, 0.5], freedom)
    observed = _sum_of_squares(0.0, n, rate, mean)
    if observed == 0.0:
        rate, observed = _median_rates(n, mean, median)
    lift = max(1.0, median / observed)
    return solve(float(freedom)) if lift == 1.0 else 0.0, solve(low), solve(high, lift), solve(upper, lift)


def _median_rates(n: np.ndarray, mean: float, median: float) -> tuple[np.ndarray, float]:
    """Rates whose sum of squares is the median by chance, in place of units that agree exactly."""
    sign = np.where(np.arange(len(n)) % 2 == 0, 1.0, -1.0) / np.sqrt(n)
    size = _sum_of_squares(0.0, n, mean + sign, mean)
    return mean + sign * np.sqrt(median / size), median


def _persistence(halves: pd.DataFrame | None, used: pd.DataFrame, sd: float, mean: float) -> tuple[float, float]:
    if halves is None:
        return float("nan"), float("nan")
    both = halves[halves["unit"].isin(used["unit"])].dropna()
    if len(both) < 3:
        return float("nan"), float("nan")
    n = used.set_index("unit").loc[both["unit"], "decided"].to_numpy(dtype=float) / 2
    noise = float(((mean * (1 - mean) - sd**2) / n).mean())
    first, second = both["first"].to_numpy(dtype=float), both["second"].to_numpy(dtype=float)
    # Halves in which all reps are alike have no correlation, not one of zero.
    observed = np.corrcoef(first, second)[0, 1] if first.std() > 0 and second.std() > 0 else float("nan")
    return float(observed), sd**2 / (sd**2 + noise) if noise > 0 else float("nan")


def _effects(used: pd.DataFrame, mean: float, sd: float, upper: float) -> pd.DataFrame:
    n = used["decided"].to_numpy(dtype=float)
    k = used["converted"].to_numpy(dtype=float)
    rate, low, high = wilson_bounds(k, n)
    table = used[list(TALLY_COLUMNS)].assign(rate=rate, rate_low=low, rate_high=high)
    if sd == 0.0:
        return table.assign(effect=0.0, effect_low=-1.96 * upper, effect_high=1.96 * upper, distinct=False)
    prior = mean * (1 - mean) / sd**2 - 1
    alpha, beta = mean * prior + k, (1 - mean) * prior + n - k
    table = table.assign(effect=alpha / (alpha + beta) - mean)
    table["effect_low"] = stats.beta.ppf(0.025, alpha, beta) - mean
    table["effect_high"] = stats.beta.ppf(0.975, alpha, beta) - mean
    return table.assign(distinct=(table["effect_low"] > 0) | (table["effect_high"] < 0))


def decided_cases(history: History, stage: str | None = None) -> pd.DataFrame:
    """Cases with a decision, and the attributes by which they can be compared.

    Args:
        stage: a stage of an event log (decided visits to it; converted is advanced), or None for whole
            opportunities (won against lost).

    Returns:
        ``rep``, ``team``, ``region``, ``account``, ``segment``, ``product``, ``source`` (and ``decided_by`` for
        visits), ``began``, ``converted`` (bool); undecided ones are left out.
    """
    deals = history.opportunities
    if stage is None:
        rows = deals[deals["outcome"] != "open"]
        return rows.assign(began=rows["created"], converted=(rows["outcome"] == "won").astype(bool))
    if stage not in set(history.visits["stage"]):
        shown = ", ".join(history.stages) if len(history.visits) else "none: this export has no stage history"
        raise InputRefused(Problem("stage", stage, f"must be a stage with visits ({shown})"))
    visits = history.visits[(history.visits["stage"] == stage) & (history.visits["outcome"] != "open")]
    about = deals.drop(columns=["rep", "stage", "outcome"])
    rows = visits.merge(about, on="id", how="left")
    return rows.assign(began=rows["entered"], converted=(rows["outcome"] == "advanced").astype(bool))


def tally(cases: pd.DataFrame, by: str = "rep") -> pd.DataFrame:
    """Counts per unit: ``unit``, ``decided``, ``converted``; rows without the attribute are left out."""
    groups = cases[cases[by].notna()].groupby(by, sort=True)["converted"]
    return pd.DataFrame({"decided": groups.size(), "converted": groups.sum()}).rename_axis("unit").reset_index()


def rate_halves(cases: pd.DataFrame, by: str = "rep") -> pd.DataFrame:
    """Conversion rate of each unit in the first and second half of all cases by time of beginning."""
    known = cases[cases[by].notna()]
    early = known["began"].rank(method="first") <= len(known) / 2
    rates = known.assign(half=early.map({True: "first", False: "second"}))
    table = rates.groupby([by, "half"])["converted"].mean().unstack()
    return table.reindex(columns=["first", "second"]).rename_axis("unit").reset_index()


def rep_spreads(history: History, by: str = "rep", minimum: int = 30, seed: int = 1) -> tuple[Spread, ...]:
    """The spread between units: per stage for an event log, of whole opportunities for an opportunity list.

    In a log the reps of whole cases are not compared: who works a case late has been chosen by its success so far.
    The p-values are corrected for the number of stages (Holm 1979). Comparisons with fewer than two units of
    ``minimum`` decided cases are left out. For visits, ``by`` may be
    ``decided_by`` to credit whoever recorded the end, which favours those who record wins.
    """
    stages = set(history.visits["stage"])
    levels: list[str | None] = [stage for stage in history.stages if stage in stages] or [None]
    sets = [(stage, decided_cases(history, stage)) for stage in levels]
    sets = [(stage, cases) for stage, cases in sets if (tally(cases, by)["decided"] >= minimum).sum() >= 2]
    raw = [spread(tally(cases, by), minimum=minimum, seed=seed).p_value for _, cases in sets]
    results = []
    for (stage, cases), adjusted in zip(sets, holm(raw), strict=True):
        what = f"{by}: {stage or 'won or lost'}"
        found = spread(tally(cases, by), what, minimum, seed, rate_halves(cases, by), adjusted)
        if "workers" in cases:
            shared = float((cases["workers"].fillna(0) > 1).mean())
            found = replace(found, shared=shared, other_roles=_other_roles(history, stage, found.effects["unit"]))
        results.append(found)
    return tuple(results)


def _other_roles(history: History, stage: str | None, units: pd.Series) -> int:
    work = history.work[(history.work["stage"] == stage) & history.work["rep"].isin(units)]
    if work.empty:
        return 0
    counts = work.groupby(["rep", "activity"]).size().unstack(fill_value=0)
    return int((counts.idxmax(axis=1) != counts.sum().idxmax()).sum())
