"""Warm-up by MSER-5: worked by hand, and on a queue that starts empty, against its closed form."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from scenarios import theory_worlds
from sim.log import Kind
from sim.run import simulate_logs
from sim.statistics import mean_interval, mser5
from sim.theory import mmc_metrics


def of_batches(*batches: float) -> np.ndarray:
    """A series whose batches of five have these means, and a rest that no batch takes up."""
    return np.concatenate([np.repeat(np.array(batches, dtype=float), 5), [1e6] * 3])


def test_the_statistic_by_hand() -> None:
    # Sums of squares about the mean, by cut: 29.6 / 10^2, 4 / 9^2, 2 / 8^2, (12/7) / 7^2, 1.5 / 6^2.
    batches = [6, 2, 1, 0, 1, 0, 1, 0, 1, 0]
    scores = []
    for cut in range(5):
        kept = [Fraction(value) for value in batches[cut:]]
        mean = sum(kept) / len(kept)
        scores.append(sum((value - mean) ** 2 for value in kept) / len(kept) ** 2)
    assert scores == [Fraction("0.296"), Fraction(4, 81), Fraction(1, 32), Fraction(12, 343), Fraction(1, 24)]
    assert min(scores) == scores[2]
    assert mser5(of_batches(*batches)).observations == 10


@pytest.mark.parametrize(
    ("batches", "observations", "settled"),
    [
        ([20, *[3] * 11], 5, True),
        ([3] * 12, 0, True),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 30, True),
        ([0] * 8 + [50] * 8, 40, True),
        ([0] * 9 + [50] * 7, 45, False),
    ],
)
def test_cuts_by_hand(batches: list[float], observations: int, settled: bool) -> None:
    found = mser5(of_batches(*batches))
    assert (found.observations, found.settled) == (observations, settled)


def test_order_within_a_batch_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    series = rng.normal(size=400) + 5 * np.exp(-np.arange(400) / 15)
    shuffled = np.concatenate([rng.permutation(batch) for batch in series.reshape(-1, 5)])
    assert mser5(shuffled) == mser5(series)


def waits(arrival_rate: float, customers: int, runs: int, seed: int) -> np.ndarray:
    """Waits of the first customers of an M/M/1 that starts empty, service rate 1, by Lindley's recursion.

    Shape ``[runs, customers]``.
    """
    rng = np.random.default_rng(seed)
    steps = rng.exponential(1.0, (customers, runs)) - rng.exponential(1 / arrival_rate, (customers, runs))
    found = np.zeros((customers, runs))
    for customer in range(1, customers):
        np.maximum(found[customer - 1] + steps[customer], 0, out=found[customer])
    return found.T


def test_a_queue_that_starts_empty_loses_its_bias() -> None:
    """At 90 % load the first thousand waits are too short; what is left after the cut is not, and errs less."""
    studies, runs = 100, 200
    truth = mmc_metrics(0.9, 1.0, 1).mean_wait
    assert truth == pytest.approx(9.0)
    series = waits(0.9, 1000, studies * runs, 5).reshape(studies, runs, -1).mean(axis=1)
    whole = series.mean(axis=1)
    rest = np.array([one[mser5(one).observations :].mean() for one in series])
    before, after = mean_interval(whole - truth, 0.999), mean_interval(rest - truth, 0.999)
    assert before.high < -0.5
    assert after.low > before.estimate / 2
    assert not after.excludes_zero
    assert np.square(rest - truth).mean() < 0.75 * np.square(whole - truth).mean()


def test_too_short_a_run_is_said_not_to_have_settled() -> None:
    """Of 200 customers at 95 % load, averaged over many runs, none has seen the steady state."""
    assert not mser5(waits(0.95, 200, 4000, 6).mean(axis=0)).settled


@pytest.mark.slow
def test_the_engine_warms_up_as_the_queue_does() -> None:
    """The same queue as a theory world: what is left after the cut agrees with the closed form, the whole does not."""
    customers, unit = 1000, 3_600_000
    rows = []
    for log in simulate_logs(theory_worlds.mmc(0.9, 1.0, 1, 60), replications=500, seed=5):
        started = log.of(Kind.START)
        started = started[np.argsort(started["time"] - started["value"], kind="stable")]
        rows.append(started["value"][:customers] / unit)
    assert min(map(len, rows)) == customers
    series = np.array(rows)
    cut = mser5(series.mean(axis=0)).observations
    truth = mmc_metrics(0.9, 1.0, 1).mean_wait
    whole, rest = (mean_interval(part.mean(axis=1), 0.99) for part in (series, series[:, cut:]))
    assert 50 <= cut <= 800
    assert whole.high < truth
    assert not rest.excludes(truth)
