"""Differences between reps: none is invented, a planted one is found, and the interval says how sure that is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from history.chance import (
    chance_probability,
    detectable_spread,
    holm,
    nested_probability,
    power,
)
from history.crm import read_history
from history.skill import Spread, decided_cases, rep_spreads, spread, tally
from history.synthetic import write_events, write_opportunities
from scenarios.errors import InputRefused
from sim.binomial import wilson_bounds

Z = 4.0


def tallies(n: np.ndarray, k: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"unit": [f"r{i:03d}" for i in range(len(n))], "decided": n, "converted": k})


def drawn(rng: np.random.Generator, n: np.ndarray, mean: float, sd: float) -> np.ndarray:
    if sd == 0:
        return rng.binomial(n, mean)
    size = mean * (1 - mean) / sd**2 - 1
    return rng.binomial(n, rng.beta(mean * size, (1 - mean) * size, len(n)))


def test_the_test_against_chance_is_exact_for_two_units() -> None:
    # Two units with 8 and 12 cases, 7 conversions: enumerate the conditional distribution.
    n, k = np.array([8, 12]), np.array([6, 1])
    support = np.arange(0, 8)
    weight = stats.hypergeom(20, 8, 7).pmf(support)
    exact = weight[np.abs(support - 7 * 8 / 20) >= abs(6 - 7 * 8 / 20) - 1e-9].sum()
    found = chance_probability(n, k)
    assert abs(found - exact) < Z * np.sqrt(exact * (1 - exact) / 9_999) + 1e-4


def test_no_spread_is_reported_at_the_stated_rate_and_upper_bounds_hold() -> None:
    rng = np.random.default_rng(5)
    n = rng.integers(40, 300, 25)
    worlds, rejected, too_low = 300, 0, 0
    for _ in range(worlds):
        k = drawn(rng, n, 0.6, 0.0)
        rejected += spread_of(n, k).reported
    for _ in range(worlds):
        too_low += spread_of(n, drawn(rng, n, 0.6, 0.05)).sd_upper < 0.05
    limit = 0.05 * worlds + Z * np.sqrt(0.05 * 0.95 * worlds)
    assert rejected <= limit
    assert rejected > 0
    assert too_low <= limit


def spread_of(n: np.ndarray, k: np.ndarray) -> Spread:
    return spread(tallies(n, k), draws=199)


@pytest.mark.parametrize("sd", [0.04, 0.10])
def test_the_interval_of_the_spread_covers_the_truth(sd: float) -> None:
    rng = np.random.default_rng(11)
    n = rng.integers(60, 400, 30)
    worlds = 300
    inside, variance = 0, []
    for _ in range(worlds):
        found = spread_of(n, drawn(rng, n, 0.55, sd))
        variance.append(found.sd**2)
        inside += found.sd_low <= sd <= found.sd_high
    assert inside >= 0.95 * worlds - Z * np.sqrt(0.05 * 0.95 * worlds)
    assert abs(np.mean(variance) - sd**2) < Z * np.std(variance) / np.sqrt(worlds)
    assert inside <= min(worlds, 0.95 * worlds + Z * np.sqrt(0.05 * 0.95 * worlds))


@pytest.mark.parametrize("sd", [0.02, 0.03, 0.05])
def test_power_agrees_with_simulated_tests(sd: float) -> None:
    rng = np.random.default_rng(3)
    n = np.full(30, 220)
    worlds = 2_000
    k = np.array([drawn(rng, n, 0.63, sd) for _ in range(worlds)])
    rate = k.sum(axis=1, keepdims=True) / n.sum()
    statistic = ((k - rate * n) ** 2 / (n * rate * (1 - rate))).sum(axis=1)
    seen = (statistic > stats.chi2.ppf(0.95, 29)).mean()
    assert abs(seen - power(sd, n, 0.63)) < Z * np.sqrt(seen * (1 - seen) / worlds) + 0.01
    detectable = detectable_spread(n, 0.63)
    assert power(detectable, n, 0.63) == pytest.approx(0.8, abs=1e-4)
    assert np.isnan(detectable_spread(np.array([2, 2]), 0.5))


def test_shrunken_rates_are_closer_to_the_truth_than_raw_ones() -> None:
    rng = np.random.default_rng(2)
    n = rng.integers(30, 120, 60)
    true = rng.beta(0.5 * 49, 0.5 * 49, 60)
    found = spread_of(n, rng.binomial(n, true))
    assert found.reported
    effects = found.effects
    shrunken = ((found.mean + effects["effect"] - true) ** 2).mean()
    raw = ((effects["rate"] - true) ** 2).mean()
    assert shrunken < raw
    truth = true - found.mean
    inside = ((effects["effect_low"] <= truth) & (truth <= effects["effect_high"])).sum()
    assert inside >= 0.95 * 60 - Z * np.sqrt(0.05 * 0.95 * 60)


def test_a_spread_within_chance_has_no_effects_but_says_what_it_cannot_exclude() -> None:
    n = np.full(10, 100)
    found = spread_of(n, np.array([50, 51, 49, 50, 52, 48, 50, 50, 49, 51]))
    assert not found.reported
    assert (found.effects["effect"] == 0).all()
    assert not found.effects["distinct"].any()
    # Units that agree too well do not make the bound tighter than the median by chance would.
    assert found.sd == 0
    assert found.sd_upper > 0.02
    same = spread_of(n, np.full(10, 50))
    assert same.sd_upper == pytest.approx(found.sd_upper, abs=1e-3)


def test_holm_and_wilson_give_their_textbook_values() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    _, low, high = wilson_bounds([10], [20])
    assert (low[0], high[0]) == pytest.approx((0.29930, 0.70070), abs=1e-5)


def test_planted_spread_is_found_in_an_opportunity_list_and_none_in_the_other(tmp_path: Path) -> None:
    planted = write_opportunities(tmp_path / "m15", rep_spread_points=15, seed=4)
    (found,) = rep_spreads(read_history(planted.path, "maven"))
    assert found.reported
    assert found.sd_low <= planted.spread_points / 100 <= found.sd_high
    assert found.persistence > 0.5
    rates = found.effects.set_index("unit")["rate"]
    assert np.corrcoef(rates, planted.rates[rates.index])[0, 1] > 0.9
    plain = write_opportunities(tmp_path / "m0", seed=4)
    (none,) = rep_spreads(read_history(plain.path, "maven"))
    assert not none.reported
    assert none.sd_low == 0


def test_planted_spread_is_found_in_its_stage_of_an_event_log_only(tmp_path: Path) -> None:
    planted = write_events(tmp_path / "events.csv.gz", cases=3000, rep_spread_points=15, seed=6)
    found = {result.what: result for result in rep_spreads(read_history(planted.path, "bpic2012"))}
    hit = found["rep: preaccepted"]
    assert hit.sd_low <= planted.spread_points / 100 <= hit.sd_high
    assert [name for name, result in found.items() if result.reported] == ["rep: preaccepted"]
    assert not hit.roles_suspected


def test_teams_that_differ_only_through_their_reps_are_no_effect(tmp_path: Path) -> None:
    planted = write_opportunities(tmp_path / "m", rep_spread_points=15, seed=8)
    cases = decided_cases(read_history(planted.path, "maven"))
    assert nested_probability(cases, "rep", "team") > 0.01
    # Now sort the reps into teams by their true rates: the team explains what they do.
    order = planted.rates.rank(method="first")
    sorted_teams = cases.assign(team=cases["rep"].map(lambda rep: f"T{int(order[rep] - 1) // 6}"))
    assert nested_probability(sorted_teams, "rep", "team") < 0.01


def test_the_test_of_nested_groups_keeps_its_level() -> None:
    rng = np.random.default_rng(17)
    worlds, rejected = 150, 0
    for _ in range(worlds):
        rates = rng.beta(8, 8, 24)
        rep = rng.integers(0, 24, 1500)
        cases = pd.DataFrame({"rep": rep, "team": rep % 4, "converted": rng.random(1500) < rates[rep]})
        rejected += nested_probability(cases, "rep", "team", draws=199) < 0.05
    assert rejected <= 0.05 * worlds + Z * np.sqrt(0.05 * 0.95 * worlds)
    assert rejected > 0


def test_contradictions_and_thin_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="at least two units"):
        spread_of(np.array([500, 10]), np.array([50, 5]))
    with pytest.raises(InputRefused, match="between 0 and decided"):
        spread_of(np.array([50, 50]), np.array([51, 5]))
    plain = write_opportunities(tmp_path / "m", rows=200)
    with pytest.raises(InputRefused, match="no stage history"):
        decided_cases(read_history(plain.path, "maven"), "Engaging")


def test_tallies_leave_out_cases_without_the_attribute() -> None:
    cases = pd.DataFrame({"rep": ["a", "a", None, "b"], "converted": [True, False, True, True]})
    assert tally(cases).to_dict("list") == {"unit": ["a", "b"], "decided": [2, 1], "converted": [1, 1]}
