"""Cumulative incidence against hand calculations, the binomial, and worlds with a known truth; daily arrivals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from history.arrivals import daily_arrivals, describe
from history.crm import read_history
from history.survival import (
    LOST,
    OPEN,
    WON,
    conversion,
    delay_quantiles,
    funnel,
    incidence,
    observations,
    stage_incidence,
)
from history.synthetic import write_events, write_opportunities
from scenarios.errors import InputRefused

Z = 4.0


def world(rng: np.random.Generator, n: int, won: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Wins take 20 days on average, losses 60."""
    wins = rng.random(n) < won
    days = np.where(wins, rng.exponential(20, n), rng.exponential(60, n))
    return days, np.where(wins, WON, LOST)


def test_a_worked_example_by_hand() -> None:
    # Per ten: at risk 5, 4, 2; won at 1, censored at 2 (still at risk for the loss at 2), lost at 2, won at 4.
    days, ended = np.array([1, 2, 2, 4, 5.0]), np.array([WON, OPEN, LOST, WON, OPEN])
    found = incidence(np.repeat(days, 10), np.repeat(ended, 10))
    assert found.days.tolist() == [1, 2, 4]
    assert found.at_risk.tolist() == [50, 40, 20]
    assert found.won == pytest.approx([1 / 5, 1 / 5, 1 / 5 + 3 / 5 / 2])
    assert found.lost == pytest.approx([0, 4 / 5 / 4, 4 / 5 / 4])


def test_a_thin_tail_is_not_continued_while_cases_are_open() -> None:
    days = np.concatenate([np.arange(1.0, 31.0), [40.0]])
    ended = np.array([WON] * 30 + [OPEN])
    found = incidence(days, ended)
    assert found.cut
    assert found.days[-1] == 22
    assert found.at_risk[-1] == 10
    result = conversion(found)
    assert result.unresolved == pytest.approx(9 / 31)
    assert result.high == 1.0


def test_without_censoring_it_is_the_plain_share_with_the_binomial_error() -> None:
    days, ended = world(np.random.default_rng(1), 500)
    found = incidence(days, ended)
    share = (ended == WON).mean()
    assert found.won[-1] == pytest.approx(share, abs=1e-12)
    assert found.lost[-1] == pytest.approx(1 - share, abs=1e-12)
    assert found.won_se[-1] == pytest.approx(np.sqrt(share * (1 - share) / 500), rel=1e-9)
    middle = np.searchsorted(found.days, 15.0)
    by_then = ((ended == WON) & (days <= found.days[middle])).mean()
    assert found.won[middle] == pytest.approx(by_then, abs=1e-12)
    assert found.won_se[middle] == pytest.approx(np.sqrt(by_then * (1 - by_then) / 500), rel=1e-9)
    assert not found.cut


def censored(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    days, ended = world(rng, n)
    watched = rng.uniform(0, 250, n)
    return np.minimum(days, watched), np.where(days <= watched, ended, OPEN)


def test_young_cases_bias_the_plain_share_but_not_the_incidence() -> None:
    rng = np.random.default_rng(7)
    worlds, covered, naive, errors = 300, 0, [], []
    for _ in range(worlds):
        days, ended = censored(rng, 400)
        found = incidence(days, ended)
        at = np.searchsorted(found.days, 100.0) - 1
        truth = 0.4 * (1 - np.exp(-100 / 20))
        errors.append((found.won[at] - truth) / found.won_se[at])
        naive.append((ended == WON).sum() / (ended != OPEN).sum())
        result = conversion(found)
        covered += result.low <= 0.4 <= result.high
    assert np.mean(naive) > 0.44
    assert abs(np.mean(errors)) < Z / np.sqrt(worlds)
    assert abs(np.std(errors) - 1) < Z / np.sqrt(2 * worlds)
    assert covered >= 0.95 * worlds - Z * np.sqrt(0.05 * 0.95 * worlds)


def test_left_truncated_cases_count_from_their_entry_only() -> None:
    rng = np.random.default_rng(9)
    errors, ignored = [], []
    for _ in range(200):
        days, ended = world(rng, 800)
        entry = np.where(rng.random(800) < 0.5, 0.0, rng.uniform(0, 60, 800))
        seen = days > entry
        found = incidence(days[seen], ended[seen], entry[seen])
        errors.append((found.won[-1] - 0.4) / found.won_se[-1])
        ignored.append((ended[seen] == WON).mean())
    assert abs(np.mean(errors)) < Z / np.sqrt(200)
    assert np.mean(ignored) < 0.37


def test_cases_seen_from_a_later_age_only_have_no_conversion() -> None:
    result = conversion(incidence(np.array([50.0] * 20), np.array([WON] * 20), np.full(20, 40.0)))
    assert np.isnan(result.rate)
    assert (result.low, result.high) == (0.0, 1.0)


def test_delays_of_wins_and_losses_are_separate_and_corrected_for_censoring() -> None:
    rng = np.random.default_rng(12)
    days, ended = world(rng, 40_000)
    watched = rng.uniform(0, 600, 40_000)
    found = incidence(np.minimum(days, watched), np.where(days <= watched, ended, OPEN))
    levels = np.array([0.5, 0.9])
    for outcome, mean in ((WON, 20), (LOST, 60)):
        exact = -mean * np.log(1 - levels)
        count = (ended == outcome).sum() / 2
        error = mean * np.sqrt(levels / (1 - levels) / count)
        assert (np.abs(delay_quantiles(found, outcome, levels) - exact) < Z * 1.5 * error).all()
    raw = np.median(days[(days <= watched) & (ended == LOST)])
    assert raw < 41.0
    assert np.isnan(delay_quantiles(incidence(days[:5], np.full(5, WON)), LOST, levels)).all()


def test_contradictory_observations_are_refused_together() -> None:
    with pytest.raises(InputRefused) as caught:
        incidence(np.array([1.0, -2.0, 3.0]), np.array([WON, 7, LOST]), np.array([0.0, 0.0, 5.0]))
    assert len(caught.value.problems) == 3


def test_an_early_data_date_does_not_bias_the_funnel(tmp_path: Path) -> None:
    planted = write_events(tmp_path / "events.csv.gz", cases=3000, seed=3)
    table = funnel(read_history(planted.path, "bpic2012", snapshot="2024-03-10")).set_index("stage")
    for stage, truth in (("submitted", 0.56), ("preaccepted", 0.60), ("offer sent", 0.66), ("sent back", 0.70)):
        row = table.loc[stage]
        half = Z / 1.96 * max(row["high"] - row["rate"], row["rate"] - row["low"])
        assert abs(row["rate"] - truth) < half
    # Automatic cancellations come late, so the plain share flatters the offers.
    assert table.loc["offer sent", "naive"] > table.loc["offer sent", "rate"]
    assert table.loc["offer sent", "open"] > 0


def test_an_export_selected_by_closing_date_is_recognised_and_corrected(tmp_path: Path) -> None:
    planted = write_opportunities(tmp_path / "m", rows=6000, days=500, seed=5)
    file = tmp_path / "m" / "sales_pipeline.csv"
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    cut = rows[(rows["close_date"] == "") | (rows["close_date"] >= "2024-05-01")]
    cut.to_csv(file, index=False)
    history = read_history(planted.path, "maven")
    assert str(history.observed_from.date()) == "2024-05-01"
    assert history.found("left_edge") is not None
    result = conversion(stage_incidence(history))
    assert result.low <= 0.55 <= result.high
    assert observations(history)["entry"].max() > 60
    assert daily_arrivals(history).first == pd.Timestamp("2024-05-01")


def counts(rng: np.random.Generator, days: int, dispersion: float) -> pd.Series:
    index = pd.date_range("2024-01-01", periods=days, freq="D")
    week = np.array([1.2, 1.2, 1.2, 1.1, 1.1, 0.7, 0.5])[index.day_of_week]
    mean = 20 * week * np.exp(0.5 * np.arange(days) / 365)
    if dispersion == 1:
        return pd.Series(rng.poisson(mean), index=index)
    return pd.Series(rng.negative_binomial(mean / (dispersion - 1), 1 / dispersion), index=index)


@pytest.mark.parametrize("dispersion", [1.0, 6.0])
def test_dispersion_trend_and_week_are_found(dispersion: float) -> None:
    rng = np.random.default_rng(21)
    worlds = 120
    found = [describe(counts(rng, 365, dispersion)) for _ in range(worlds)]
    means = np.array([result.dispersion for result in found])
    assert abs(means.mean() - dispersion) < Z * means.std() / np.sqrt(worlds)
    covered = sum(result.dispersion_low <= dispersion <= result.dispersion_high for result in found)
    assert covered >= 0.93 * worlds - Z * np.sqrt(0.07 * 0.93 * worlds)
    trend = np.array([result.trend_per_year for result in found])
    assert abs(np.log(trend).mean() - 0.5) < Z * np.log(trend).std() / np.sqrt(worlds)
    week = np.array([result.weekday for result in found])
    expected = np.array([1.2, 1.2, 1.2, 1.1, 1.1, 0.7, 0.5])
    assert (np.abs(week.mean(axis=0) - expected) < Z * week.std(axis=0) / np.sqrt(worlds) + 0.01).all()


def test_a_closed_weekend_and_a_short_series() -> None:
    rng = np.random.default_rng(1)
    series = counts(rng, 140, 1.0)
    series[series.index.day_of_week >= 5] = 0
    found = describe(series)
    assert (found.weekday[5:] == 0).all()
    assert found.dispersion_low < 1.0 < found.dispersion_high
    assert np.isnan(found.month[8])
    with pytest.raises(InputRefused, match="at least 28"):
        describe(series[:20])
