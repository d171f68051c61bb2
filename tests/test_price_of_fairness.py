"""What absolute fairness costs: published worst cases, brute force over splits, and no price above the worst."""

from __future__ import annotations

import numpy as np
import pytest

import quotalab as ql
from optimize.price_of_fairness import prices_of_fairness, worst_case_price
from scenarios.errors import InputRefused


@pytest.mark.parametrize(
    ("people", "proportional", "maximin"),
    [
        (2, 8.6, 11.1),
        (3, 17.9, 25.0),
        (5, 30.6, 44.4),
        (10, 46.8, 66.9),
        (20, 60.3, 81.9),
        (50, 73.7, 92.3),
        (100, 81.0, 96.1),
    ],
)
def test_worst_case_prices_are_the_published_ones(people, proportional, maximin):
    assert f"{100 * worst_case_price(people, 'proportional'):.1f}" == f"{proportional:.1f}"
    assert f"{100 * worst_case_price(people, 'maximin'):.1f}" == f"{maximin:.1f}"
    assert worst_case_price(1, "maximin") == pytest.approx(0.0)
    for nobody in (0, -3, 2.5, float("nan"), True):
        with pytest.raises(InputRefused, match="people"):
            worst_case_price(nobody, "maximin")
    with pytest.raises(InputRefused, match="proportional, maximin"):
        worst_case_price(3, "max-min")
    assert ql.worst_case_price is worst_case_price


def test_measured_prices_are_those_of_brute_force():
    """All splits of 300 among three in steps of two: prices to what a step can change."""
    rng = np.random.default_rng(1)
    grid = np.array([(a, b, 300 - a - b) for a in range(0, 301, 2) for b in range(0, 301 - a, 2)], dtype=float)
    for _ in range(8):
        sales = np.round(np.exp(rng.normal(0, 0.8, (12, 3))) * np.array([50, 100, 200]))
        shares = np.minimum(sales, grid[:, None]).mean(axis=1) / np.minimum(sales, 300.0).mean(axis=0)
        most = shares.sum(axis=1).max()
        fairest = shares[shares.min(axis=1).argmax()].sum()
        product = shares[np.prod(shares, axis=1).argmax()].sum()
        found = {one.scheme: one.measured for one in prices_of_fairness(sales, 300.0)}
        assert found["maximin"] == pytest.approx(1 - fairest / most, abs=0.015)
        assert found["proportional"] == pytest.approx(1 - product / most, abs=0.005)


def test_no_price_is_above_the_worst_case_and_fairness_is_free_among_equals():
    rng = np.random.default_rng(2)
    for _ in range(30):
        count, people = int(rng.integers(1, 60)), int(rng.integers(1, 8))
        sales = np.round(np.exp(rng.normal(0, rng.uniform(0.1, 1.5), (count, people))) * rng.uniform(1, 300, people))
        for one in prices_of_fairness(sales, float(rng.uniform(0.05, 2) * sales.sum() / count)):
            assert 0 <= one.measured <= one.worst + 1e-6
            assert one.worst == worst_case_price(one.people, one.scheme)
    alike = np.tile(rng.uniform(50, 150, (40, 1)), (1, 5))
    assert all(one.measured == pytest.approx(0, abs=1e-9) for one in prices_of_fairness(alike, 400.0))
    assert prices_of_fairness(np.zeros((3, 2)), 100.0) == ()
