"""Coverage on simulated worlds: of more than a thousand repeated experiments, 95 % of the intervals hold the truth.

A region of the world below is a desk of its own: leads come by a Poisson process that is split at random, so regions
are independent and alike, and one simulated day of one region is one observation. An experiment takes 20 of them. What
is true is taken from all experiments together, which know it 32 times as well as one of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from scenarios.theory_worlds import SkillGroup, funnel
from sim.kpis import at_level
from sim.outcome import Cube
from sim.run import simulate
from sim.statistics import (
    Interval,
    mean_interval,
    paired_difference,
    ratio_of_means_interval,
    variance_ratio,
    wilson,
)

REGIONS, DAYS, SIZE = 25, 840, 20
EXPERIMENTS = REGIONS * DAYS // SIZE
SEED = 11


def observed(advance: float, service_rate: float) -> Cube:
    """Days of the regions, one desk each, a lead an hour."""
    desk = SkillGroup(share=1 / REGIONS, servers=1, advance=advance, service_rate=service_rate)
    world = funnel(float(REGIONS), [desk] * REGIONS, stages=1, days=1)
    outcome = simulate(world, replications=DAYS, seed=SEED, engine="auto")
    return at_level(outcome, world, "region")[0]


@pytest.fixture(scope="module")
def today() -> Cube:
    return observed(0.5, 1.25)


@pytest.fixture(scope="module")
def better() -> Cube:
    """The same luck, a higher conversion and faster work."""
    return observed(0.55, 1.4)


def experiments(cube: Cube, metric: str) -> np.ndarray:
    """Shape ``[experiment, observation]``."""
    return cube.total(metric).reshape(EXPERIMENTS, SIZE).astype(float)


def coverage(intervals: list[Interval], truth: float) -> float:
    return float(np.mean([not interval.excludes(truth) for interval in intervals]))


def of_mean(cube: Cube, metric: str, form: Callable[[np.ndarray], Interval] = mean_interval) -> float:
    samples = experiments(cube, metric)
    return coverage([form(sample) for sample in samples], samples.mean())


def of_ratio(cube: Cube, above: str, below: str) -> float:
    tops, bottoms = experiments(cube, above), experiments(cube, below)
    found = [ratio_of_means_interval(top, bottom) for top, bottom in zip(tops, bottoms, strict=True)]
    return coverage(found, tops.sum() / bottoms.sum())


@pytest.mark.slow
def test_observations_are_independent(today: Cube) -> None:
    """Else the number of experiments would be smaller than it looks."""
    assert EXPERIMENTS >= 1000
    for metric in ("leads", "busy_ticks"):
        days = today.total(metric)
        correlations = np.corrcoef(days, rowvar=False)[np.triu_indices(REGIONS, 1)]
        assert np.abs(correlations).max() < 5 / np.sqrt(DAYS)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["leads", "new_customers", "busy_ticks"])
def test_coverage_of_means(today: Cube, metric: str) -> None:
    assert 0.93 <= of_mean(today, metric) <= 0.97
    assert of_mean(today, metric, lambda sample: mean_interval(sample, 0.9)) < 0.93, "the count has no power"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("above", "below"), [("new_customers", "leads"), ("busy_ticks", "available_ticks"), ("busy_ticks", "leads")]
)
def test_coverage_of_ratios(today: Cube, above: str, below: str) -> None:
    assert 0.93 <= of_ratio(today, above, below) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["new_customers", "busy_ticks"])
def test_coverage_of_paired_differences(today: Cube, better: Cube, metric: str) -> None:
    plans, todays = experiments(better, metric), experiments(today, metric)
    found = [paired_difference(plan, now) for plan, now in zip(plans, todays, strict=True)]
    assert 0.93 <= coverage(found, (plans - todays).mean()) <= 0.97
    # Pairing is worth its while: independent days would have to be many times as many.
    assert variance_ratio(plans.ravel(), todays.ravel()) > 8


@pytest.mark.slow
def test_coverage_of_shares(today: Cube) -> None:
    """Averaged over shares of one to nine tenths: counts are whole, so Wilson's coverage swings about its level."""
    busy = experiments(today, "busy_ticks")
    rates = []
    for share in np.arange(0.1, 0.95, 0.1):
        made = busy >= np.quantile(busy, share)
        rates.append(coverage([wilson(int(each.sum()), SIZE) for each in made], made.mean()))
    assert 0.93 <= np.mean(rates) <= 0.97
    assert min(rates) >= 0.92


@pytest.mark.slow
def test_a_skewed_figure_needs_more_than_twenty_observations(today: Cube) -> None:
    """The wait at one busy desk (skewness 1.8): told on the page about statistics."""
    assert 0.91 <= of_mean(today, "wait_ticks") <= 0.97
    waits = experiments(today, "wait_ticks").reshape(-1, 5 * SIZE)
    assert 0.92 <= coverage([mean_interval(sample) for sample in waits], waits.mean()) <= 0.98
