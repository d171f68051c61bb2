"""Independence of draws along every coordinate, quickly; weak generators go through the same tests and are refused."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from random_draws import (
    FAMILY,
    KEY,
    ROUTE,
    SEED,
    WALKS,
    Place,
    Verdicts,
    biased,
    chi_square,
    coordinates,
    no_purpose,
    no_stage,
    no_visit,
    normal,
    refused,
    repeated_word,
    rounds,
    short_entity,
    short_key,
    two_sided,
    uniforms,
    unmixed,
    words,
)
from sim.streams import Purpose, _block, draw, philox4x32, replication_key, stage_uniforms

N = 1 << 17


def sequence_verdicts(u: np.ndarray) -> Verdicts:
    """Uniformity, and independence of what is drawn one after another."""
    n = len(u)
    centred = u - u.mean()
    lags = np.arange(1, 33)
    r = np.array([centred[:-lag] @ centred[lag:] for lag in lags]) / (centred @ centred)
    box = n * (n + 2) * (r**2 / (n - lags)).sum()
    steps = np.sign(np.diff(u))
    runs = 1 + np.count_nonzero(steps[1:] != steps[:-1])
    return {
        "Kolmogorov-Smirnov": two_sided(float(stats.kstest(u, "uniform").pvalue)),
        "even in 1024 parts": chi_square(np.bincount((u * 1024).astype(int), minlength=1024)),
        "correlation at lags 1 to 32": two_sided(float(stats.chi2.sf(box, len(lags)))),
        "serial pairs": chi_square(squares(u[0::2], u[1::2], 32)),
        "overlapping next but one": chi_square(squares(u[0 : n // 4], u[n // 4 * 2 : n // 4 * 3], 32)),
        "runs up and down": normal((runs - (2 * n - 1) / 3) / math.sqrt((16 * n - 29) / 90)),
    }


def squares(a: np.ndarray, b: np.ndarray, parts: int) -> np.ndarray:
    size = min(len(a), len(b))
    cell = (a[:size] * parts).astype(int) * parts + (b[:size] * parts).astype(int)
    return np.bincount(cell, minlength=parts * parts)


def pair_verdicts(a: np.ndarray, b: np.ndarray) -> Verdicts:
    """Independence of two streams that are drawn side by side."""
    n = len(a)
    apart = (a * 2.0**52).astype(np.uint64) ^ (b * 2.0**52).astype(np.uint64)
    bits = np.array([np.count_nonzero(apart >> np.uint64(place) & np.uint64(1)) for place in range(32, 52)])
    return {
        "correlation": normal(float(np.corrcoef(a, b)[0, 1]) * math.sqrt(n)),
        "pairs": chi_square(squares(a, b, 32)),
        "differing bits": two_sided(float(stats.chi2.sf((4 * (bits - n / 2) ** 2 / n).sum(), len(bits)))),
    }


def beside(what: str, n: int) -> tuple[Place, Place]:
    """Coordinates of the same leads twice, differing in one thing."""
    here = coordinates("leads", n)
    keys, entities, stages, visits, purposes = here
    other = {
        "purpose": lambda: (keys, entities, stages, visits, purposes + 1),
        "stage": lambda: (keys, entities, stages + 1, visits, purposes),
        "visit": lambda: (keys, entities, stages, visits + 1, purposes),
        "replication": lambda: (np.full(n, replication_key(SEED, 4)), *here[1:]),
        "seed": lambda: (np.full(n, replication_key(SEED + 1, 3)), *here[1:]),
        "next lead": lambda: coordinates("leads", n, 1),
        "next day": lambda: coordinates("leads", n, 1000),
        "entity by a low bit": lambda: (keys, entities ^ np.uint64(1), *here[2:]),
        "entity by the top bit": lambda: (keys, entities ^ np.uint64(1 << 63), *here[2:]),
        "key and entity swapped": lambda: (entities, keys, *here[2:]),
    }
    return here, other[what]()


BESIDE = (
    "purpose",
    "stage",
    "visit",
    "replication",
    "seed",
    "next lead",
    "next day",
    "entity by a low bit",
    "entity by the top bit",
    "key and entity swapped",
)


def quick(block: Any, walks: Iterable[str] = WALKS, pairs: Iterable[str] = BESIDE) -> Verdicts:
    found: Verdicts = {}
    for name in walks:
        verdicts = sequence_verdicts(uniforms(block, coordinates(name, N)))
        found |= {f"along {name}: {test}": p for test, p in verdicts.items()}
    for name in pairs:
        verdicts = pair_verdicts(*(uniforms(block, place) for place in beside(name, N)))
        found |= {f"{name}: {test}": p for test, p in verdicts.items()}
    return found


@pytest.fixture(scope="module")
def verdicts() -> Verdicts:
    return quick(_block)


def test_draws_are_independent_along_and_across_every_coordinate(verdicts: Verdicts) -> None:
    assert len(verdicts) == 6 * len(WALKS) + 3 * len(BESIDE)
    assert refused(verdicts) == []


def test_the_verdicts_themselves_are_spread_evenly(verdicts: Verdicts) -> None:
    """Ninety p-values of an ideal generator are uniform; tests that always pass would not be."""
    assert stats.kstest(list(verdicts.values()), "uniform").pvalue > FAMILY


def test_what_is_tested_is_what_the_engines_draw() -> None:
    for name in WALKS:
        place = coordinates(name, 64, 12345)
        if place[4][0] == int(Purpose.STAGE):
            drawn = [u for at in zip(*place[:4], strict=True) for u in stage_uniforms(*at)]
        else:
            drawn = [draw(*at) for at in zip(*place, strict=True)]
        assert uniforms(_block, place).tolist() == drawn
    place = coordinates("pairs", 1000)
    assert np.array_equal(words(rounds(10), place), words(_block, place))
    key, entity = int(KEY), int(place[1][0])
    counter = entity & 0xFFFFFFFF, entity >> 32, 0, ROUTE
    assert words(_block, place)[:4].tolist() == list(philox4x32(*counter, key & 0xFFFFFFFF, key >> 32))


@pytest.mark.parametrize(
    ("slip", "walks", "pairs"),
    [
        (rounds(2), ["days"], []),
        (rounds(2), ["visits"], []),
        (rounds(3), ["days"], []),
        (unmixed, ["days"], []),
        (unmixed, [], ["purpose"]),
        (no_visit, ["days"], []),
        (no_visit, ["visits"], []),
        (no_visit, [], ["visit"]),
        (no_stage, [], ["stage"]),
        (no_purpose, [], ["purpose"]),
        (short_key, ["replications"], []),
        (short_key, ["seeds"], []),
        (short_entity, ["leads"], []),
        (repeated_word, ["stages"], []),
        (biased, ["leads"], []),
    ],
)
def test_slips_are_caught(slip: Any, walks: list[str], pairs: list[str]) -> None:
    """Even at the level of the whole family, of which each sees a small part only."""
    found = quick(slip, walks, pairs)
    assert min(found.values()) < FAMILY / (6 * len(WALKS) + 3 * len(BESIDE))
