"""Stage outcomes from data that end before all cases do: cumulative incidence with competing outcomes.

A case ends by advancing (or being won) or by being lost; a young case has not ended yet and is censored, not
lost. An export selected by closing date shows early cases only if they lasted long enough; they are
left-truncated. The Aalen-Johansen estimator (Aalen and Johansen 1978) handles both. Wins and losses run on clocks
of their own, so each outcome has its own distribution of delays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from history.crm import History
from history.record import day_count
from scenarios.errors import InputRefused, Problem

OPEN, WON, LOST = 0, 1, 2
"""Codes of how an observation ended: censored, advanced (won), lost."""
_FEW = 10
"""With fewer cases at risk than this the curve is not continued."""


@dataclass(frozen=True, eq=False)
class Incidence:
    """Cumulative incidence of advancing and of being lost, by age in days.

    Attributes:
        days: ages at which something ended, ascending, shape (m,).
        won, lost: probability of having advanced / been lost by then, shape (m,).
        won_se, lost_se: their standard errors.
        at_risk: cases at risk just before each age.
        from_age: youngest age under observation; above 0, the curves describe only cases that reached it.
        cases, won_cases, lost_cases, open_cases: how many observations entered, and how they ended.
        cut: True if the curve ends early because, with some cases still open, fewer than 10 were left at risk.
    """

    days: np.ndarray
    won: np.ndarray
    lost: np.ndarray
    won_se: np.ndarray
    lost_se: np.ndarray
    at_risk: np.ndarray
    from_age: float
    cases: int
    won_cases: int
    lost_cases: int
    open_cases: int
    cut: bool


@dataclass(frozen=True)
class Conversion:
    """Ultimate share of cases that advance.

    Attributes:
        rate: won / (won + lost) at the end of the observed ages.
        low, high: 95 % interval. Cases beyond the observed ages count as lost in ``low`` and as won in ``high``.
        unresolved: probability of being still open at the last age observed.
        naive: won / decided, as a plain report would say.
        horizon_days: the last age observed.
    """

    rate: float
    low: float
    high: float
    unresolved: float
    naive: float
    horizon_days: float


def incidence(days: np.ndarray, ended: np.ndarray, entry: np.ndarray | None = None) -> Incidence:
    """Aalen-Johansen estimate of both outcomes.

    Args:
        days: age in days at the end of each observation, shape (n,), finite and not negative.
        ended: ``WON``, ``LOST`` or ``OPEN`` (censored), shape (n,).
        entry: age at which each case came under observation (left truncation); None for 0. Observations that
            end before or at their entry age (above 0) cannot be seen and are refused.

    Ages equal to the millisecond are one instant; censored cases are at risk at their own age.

    Raises:
        InputRefused: no observations, or values that contradict these rules.
    """
    age = np.asarray(days, dtype=float)
    code = np.asarray(ended)
    begin = np.zeros_like(age) if entry is None else np.asarray(entry, dtype=float)
    _check(age, code, begin)
    times = np.unique(age[code != OPEN])
    at_risk = len(age) - np.searchsorted(np.sort(age), times, side="left") - _not_yet(begin, times)
    won = _ended_at(age[code == WON], times)
    lost = _ended_at(age[code == LOST], times)
    enough = (at_risk >= min(_FEW, len(age))) | bool((code != OPEN).all())
    stop = len(times) if enough.all() else _first_thin_tail(enough)
    times, at_risk, won, lost = times[:stop], at_risk[:stop], won[:stop], lost[:stop]
    survival = np.cumprod(1 - (won + lost) / at_risk)
    before = np.concatenate([[1.0], survival[:-1]]) if len(times) else survival
    won_curve, lost_curve = np.cumsum(before * won / at_risk), np.cumsum(before * lost / at_risk)
    return Incidence(
        days=times,
        won=won_curve,
        lost=lost_curve,
        won_se=_standard_error(won_curve, won, won + lost, at_risk, before),
        lost_se=_standard_error(lost_curve, lost, won + lost, at_risk, before),
        at_risk=at_risk,
        from_age=float(begin.min()),
        cases=len(age),
        won_cases=int((code == WON).sum()),
        lost_cases=int((code == LOST).sum()),
        open_cases=int((code == OPEN).sum()),
        cut=not enough.all(),
    )


def _check(age: np.ndarray, code: np.ndarray, begin: np.ndarray) -> None:
    problems = []
    if not len(age):
        problems.append(Problem("incidence", "", "needs at least one case"))
    wrong = ~np.isfinite(age) | (age < 0)
    if wrong.any():
        problems.append(Problem("incidence: days", str(age[wrong][0]), "ages must be finite and not negative"))
    if not np.isin(code, (OPEN, WON, LOST)).all():
        problems.append(Problem("incidence: ended", "", "must be OPEN, WON or LOST"))
    unseen = (begin > 0) & (age < begin)
    if unseen.any():
        rule = "a case cannot end before it came under observation"
        problems.append(Problem("incidence: entry", f"{int(unseen.sum())} cases", rule))
    if problems:
        raise InputRefused(problems)


def _not_yet(begin: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Cases that come under observation later; one that enters at an age above 0 is at risk from that age on."""
    return np.asarray(len(begin) - np.searchsorted(np.sort(begin), times, side="right"))


def _ended_at(ages: np.ndarray, times: np.ndarray) -> np.ndarray:
    ordered = np.sort(ages)
    return np.searchsorted(ordered, times, "right") - np.searchsorted(ordered, times, "left")


def _first_thin_tail(enough: np.ndarray) -> int:
    """Where the last unbroken thin stretch begins; thin early ages (left truncation) stay in."""
    thick = np.flatnonzero(enough)
    return int(thick[-1]) + 1 if len(thick) else 0


def _standard_error(
    curve: np.ndarray, own: np.ndarray, ended: np.ndarray, at_risk: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """Delta-method variance of a cumulative incidence (Marubini and Valsecchi 1995), expanded into cumulative sums."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(at_risk > ended, ended / (at_risk * (at_risk - ended.astype(float))), 0.0)
    own_variance = before**2 * own * (at_risk - own) / at_risk.astype(float) ** 3
    cross = before * own / at_risk.astype(float) ** 2
    first = curve**2 * np.cumsum(hazard) - 2 * curve * np.cumsum(curve * hazard) + np.cumsum(curve**2 * hazard)
    third = curve * np.cumsum(cross) - np.cumsum(curve * cross)
    return np.asarray(np.sqrt(np.maximum(first + np.cumsum(own_variance) - 2 * third, 0.0)))


def conversion(found: Incidence) -> Conversion:
    """Ultimate conversion with a 95 % interval that includes what has not been decided yet.

    Where no case was observed from age 0 on, or none was decided, the rate is NaN with the interval (0, 1).
    """
    decided = found.won_cases + found.lost_cases
    naive = found.won_cases / decided if decided else float("nan")
    if not len(found.days) or found.from_age > 0:
        return Conversion(float("nan"), 0.0, 1.0, 1.0, naive, 0.0)
    won, lost = float(found.won[-1]), float(found.lost[-1])
    left = max(0.0, 1.0 - won - lost)
    low, _ = _logit_interval(won, float(found.won_se[-1]), found.cases)
    lost_low, _ = _logit_interval(lost, float(found.lost_se[-1]), found.cases)
    rate = won / (won + lost)
    high = 1.0 - lost_low
    return Conversion(rate, low, high, left, naive, float(found.days[-1]))


def _logit_interval(p: float, se: float, cases: int) -> tuple[float, float]:
    z = float(stats.norm.ppf(0.975))
    if se == 0.0 or not 0.0 < p < 1.0:
        margin = z * z / (cases + z * z)
        return max(0.0, p - margin), min(1.0, p + margin)
    centre, half = np.log(p / (1 - p)), z * se / (p * (1 - p))
    return float(1 / (1 + np.exp(half - centre))), float(1 / (1 + np.exp(-half - centre)))


def delay_quantiles(found: Incidence, outcome: int, levels: np.ndarray) -> np.ndarray:
    """Delays in days of the cases that end in one outcome (``WON`` or ``LOST``), corrected for censoring.

    Args:
        levels: probabilities in (0, 1], shape (q,).

    Returns:
        Quantiles, shape (q,); NaN where no case ended so.
    """
    curve = found.won if outcome == WON else found.lost
    if not len(curve) or curve[-1] == 0:
        return np.full(len(levels), np.nan)
    place = np.searchsorted(curve / curve[-1], np.asarray(levels) - 1e-12, side="left")
    return np.asarray(found.days[np.minimum(place, len(curve) - 1)])


def observations(history: History, stage: str | None = None) -> pd.DataFrame:
    """Ages and endings of cases, ready for :func:`incidence`.

    Args:
        stage: a stage of an event log, or None for whole opportunities.

    Returns:
        One row per case: ``id``, ``began``, ``days``, ``ended`` (``WON``, ``LOST``, ``OPEN``), ``entry`` (0, or
        the age at which the export began to show endings), and for comparisons ``rep``.
    """
    if stage is None:
        rows = history.opportunities[["id", "rep", "created", "closed", "outcome"]].copy()
    else:
        visits = history.visits[history.visits["stage"] == stage]
        rows = visits[["id", "rep", "entered", "left", "outcome"]].copy()
    rows.columns = pd.Index(["id", "rep", "began", "until", "outcome"])
    until = rows["until"].fillna(history.snapshot)
    rows["days"] = day_count(until, rows["began"])
    codes = {"won": WON, "advanced": WON, "lost": LOST, "open": OPEN}
    rows["ended"] = rows["outcome"].map(codes).astype("int64")
    rows["entry"] = 0.0
    if history.observed_from is not None and stage is None:
        rows["entry"] = np.maximum(day_count(history.observed_from, rows["began"]).to_numpy(), 0.0)
    return rows[["id", "rep", "began", "days", "ended", "entry"]]


def stage_incidence(history: History, stage: str | None = None) -> Incidence:
    """Cumulative incidence of one stage (or of whole opportunities) of a history."""
    rows = observations(history, stage)
    return incidence(rows["days"].to_numpy(), rows["ended"].to_numpy(), rows["entry"].to_numpy())


def funnel(history: History) -> pd.DataFrame:
    """Conversion of every stage with visits (``stage`` is ``all`` for opportunities as a whole), one row each.

    Columns: ``stage``, ``cases``, ``won``, ``lost``, ``open``, ``rate``, ``low``, ``high``, ``unresolved``, ``naive``,
    and median and 90 % delays in days: ``won_median``, ``won_p90``, ``lost_median``, ``lost_p90``.
    """
    seen = set(history.visits["stage"])
    rows = []
    for stage in [None, *(name for name in history.stages if name in seen)]:
        found = stage_incidence(history, stage)
        rate = conversion(found)
        won = delay_quantiles(found, WON, np.array([0.5, 0.9]))
        lost = delay_quantiles(found, LOST, np.array([0.5, 0.9]))
        rows.append(
            {
                "stage": stage or "all",
                "cases": found.cases,
                "won": found.won_cases,
                "lost": found.lost_cases,
                "open": found.open_cases,
                "rate": rate.rate,
                "low": rate.low,
                "high": rate.high,
                "unresolved": rate.unresolved,
                "naive": rate.naive,
                "won_median": won[0],
                "won_p90": won[1],
                "lost_median": lost[0],
                "lost_p90": lost[1],
            }
        )
    return pd.DataFrame(rows)
