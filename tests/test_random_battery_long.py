"""Half a billion words bit by bit, and every input bit; weak generators go through the same tests and are refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy import stats

from random_draws import (
    FAMILY,
    SEED,
    WALKS,
    Verdicts,
    biased,
    chi_square,
    coordinates,
    no_purpose,
    no_stage,
    no_visit,
    normal,
    rounds,
    short_entity,
    short_key,
    two_sided,
    unmixed,
    words,
)
from sim.streams import _block, replication_key

CHUNK = 1 << 18  # draws, four words each
GAP_ENDS, LONGEST_GAP = np.uint32(1 << 28), 96
BIRTHDAYS = 4096


@njit
def popcount(word):  # type: ignore[no-untyped-def]
    pairs = word - ((word >> np.uint32(1)) & np.uint32(0x55555555))
    fours = (pairs & np.uint32(0x33333333)) + ((pairs >> np.uint32(2)) & np.uint32(0x33333333))
    bytes_ = (fours + (fours >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
    return np.int64(((bytes_ * np.uint32(0x01010101)) & np.uint32(0xFFFFFFFF)) >> np.uint32(24))


@njit
def count_bits(words, ones, byte_pairs, triples, low_triples):  # type: ignore[no-untyped-def]
    """Ones by place, pairs of bytes, triples of the top and of the low five bits; returns how often the bit changes."""
    changes = 0
    last = words[0] >> np.uint32(31)
    for i in range(len(words)):
        word = words[i]
        for place in range(32):
            ones[place] += (word >> np.uint32(31 - place)) & np.uint32(1)
        changes += popcount(word ^ (word >> np.uint32(1) | last << np.uint32(31)))
        last = word & np.uint32(1)
        byte_pairs[word >> np.uint32(16)] += 1
        byte_pairs[word & np.uint32(0xFFFF)] += 1
    for i in range(0, len(words) - 2, 3):
        a, b, c = words[i], words[i + 1], words[i + 2]
        triples[(a >> np.uint32(27)) << np.uint32(10) | (b >> np.uint32(27)) << np.uint32(5) | c >> np.uint32(27)] += 1
        low = np.uint32(31)
        low_triples[(a & low) << np.uint32(10) | (b & low) << np.uint32(5) | (c & low)] += 1
    return changes


@njit
def count_gaps(words, since, gaps):  # type: ignore[no-untyped-def]
    """Lengths of the stretches between words in the lowest sixteenth (Knuth 1997, 3.3.2 D); returns the open one."""
    for i in range(len(words)):
        if words[i] < GAP_ENDS:
            gaps[min(since, LONGEST_GAP)] += 1
            since = 0
        else:
            since += 1
    return since


@njit
def count_repeated_spacings(words):  # type: ignore[no-untyped-def]
    """Birthday spacings (Marsaglia 1985): how many of the gaps between sorted words come more than once."""
    repeated = 0
    for start in range(0, len(words) - BIRTHDAYS + 1, BIRTHDAYS):
        days = np.sort(words[start : start + BIRTHDAYS])
        spacings = np.empty(BIRTHDAYS, dtype=np.uint32)
        spacings[0] = days[0] - days[-1]  # round the year
        for i in range(1, BIRTHDAYS):
            spacings[i] = days[i] - days[i - 1]
        spacings.sort()
        for i in range(1, BIRTHDAYS):
            repeated += spacings[i] == spacings[i - 1]
    return repeated


@njit
def count_ranks(words, ranks):  # type: ignore[no-untyped-def]
    """Ranks over two elements of matrices whose rows are 32 successive words."""
    rows = np.empty(32, dtype=np.uint32)
    for start in range(0, len(words) - 31, 32):
        rows[:] = words[start : start + 32]
        rank = 0
        for place in range(32):
            mask = np.uint32(1) << np.uint32(place)
            pivot = rank
            while pivot < 32 and rows[pivot] & mask == 0:
                pivot += 1
            if pivot < 32:
                rows[rank], rows[pivot] = rows[pivot], rows[rank]
                for other in range(rank + 1, 32):
                    if rows[other] & mask:
                        rows[other] ^= rows[rank]
                rank += 1
        ranks[rank] += 1


@njit
def weights(words, product):  # type: ignore[no-untyped-def]
    """Adds to the products of successive excesses of ones over zeros, at lags 1 to 8."""
    excess = np.empty(len(words), dtype=np.int64)
    for i in range(len(words)):
        excess[i] = 2 * popcount(words[i]) - 32
    for lag in range(1, 9):
        for i in range(lag, len(words)):
            product[lag - 1] += excess[i] * excess[i - lag]


def rank_chances() -> np.ndarray:
    """Of a 32 x 32 matrix of fair bits to have rank 0 to 32 (Marsaglia and Tsay 1985)."""
    chances = []
    for rank in range(33):
        log2 = rank * (64.0 - rank) - 1024
        share = [(1 - 2.0 ** (i - 32)) ** 2 / (1 - 2.0 ** (i - rank)) for i in range(rank)]
        chances.append(2.0**log2 * math.prod(share))
    return np.array(chances)


def long_verdicts(block: Any, name: str, chunks: int) -> Verdicts:
    """Bit-level tests of ``chunks * 2**20`` words drawn along one coordinate."""
    ones, ranks, product = np.zeros(32, np.int64), np.zeros(33, np.int64), np.zeros(8, np.int64)
    byte_pairs, gaps = np.zeros(1 << 16, np.int64), np.zeros(LONGEST_GAP + 1, np.int64)
    triples, low_triples = np.zeros(1 << 15, np.int64), np.zeros(1 << 15, np.int64)
    changes = repeated = since = 0
    for chunk in range(chunks):
        drawn = words(block, coordinates(name, CHUNK, chunk * CHUNK))
        changes += count_bits(drawn, ones, byte_pairs, triples, low_triples)
        since = count_gaps(drawn, since, gaps)
        repeated += count_repeated_spacings(drawn)
        count_ranks(drawn, ranks)
        weights(drawn, product)
    n = 4 * CHUNK * chunks
    by_place = 4 * (ones - n / 2) ** 2 / n
    pairs = chunks * (4 * CHUNK - np.arange(1, 9))
    hit = 2.0**-4
    gap_chances = np.append(hit * (1 - hit) ** np.arange(LONGEST_GAP), (1 - hit) ** LONGEST_GAP)
    chances = rank_chances()
    expected = n // BIRTHDAYS * BIRTHDAYS**3 / 2.0**34
    poisson = stats.poisson(expected)
    return {
        "monobit": normal((2 * ones.sum() - 32 * n) / math.sqrt(32 * n)),
        "ones by place": two_sided(float(stats.chi2.sf(by_place.sum(), 32))),
        "bit runs": normal((2 * changes - (32 * n - chunks)) / math.sqrt(32 * n - chunks)),
        "bytes": chi_square(byte_pairs.reshape(256, 256).sum(axis=0) + byte_pairs.reshape(256, 256).sum(axis=1)),
        "pairs of bytes": chi_square(byte_pairs),
        "triples": chi_square(triples),
        "triples of low bits": chi_square(low_triples),
        "gaps": chi_square(gaps, gap_chances),
        "birthday spacings": min(1.0, 2 * min(float(poisson.cdf(repeated)), float(poisson.sf(repeated - 1)))),
        "matrix ranks": chi_square(
            np.array([ranks[:31].sum(), *ranks[31:]]), np.array([chances[:31].sum(), *chances[31:]])
        ),
        "weights": two_sided(float(stats.chi2.sf((product**2 / (pairs * 32.0**2)).sum(), 8))),
    }


def avalanche(block: Any, samples: int) -> Verdicts:
    """Each bit of key, entity, stage, visit and purpose turns each bit of the words with chance one half."""
    key, entity = (np.array([replication_key(SEED, i) for i in range(start, start + samples)]) for start in (0, 10**6))
    stage, visit, purpose = (np.arange(samples) * step % size for step, size in ((7, 256), (97, 1 << 24), (1, 1 << 32)))
    here = words(block, (key, entity, stage, visit, purpose)).reshape(samples, 4)
    found: Verdicts = {}
    for what, wide in (("key", 64), ("entity", 64), ("stage", 8), ("visit", 24), ("purpose", 32)):
        place = {"key": key, "entity": entity, "stage": stage, "visit": visit, "purpose": purpose}
        statistic = 0.0
        for bit in range(wide):
            turned = place | {what: place[what] ^ place[what].dtype.type(1 << bit)}
            apart = here ^ words(block, tuple(turned.values())).reshape(samples, 4)
            flips = np.array([np.count_nonzero(apart >> np.uint32(at) & np.uint32(1), axis=0) for at in range(32)])
            statistic += float((4 * (flips - samples / 2) ** 2 / samples).sum())
        found[f"avalanche of {what}"] = two_sided(float(stats.chi2.sf(statistic, 128 * wide)))
    return found


LONG_WALKS = tuple(WALKS)
LONG_FAMILY = 11 * len(LONG_WALKS) + 5
CHUNKS = 48  # 2**20 words each: 500 million words in all walks together


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG_WALKS)
def test_long_battery(name: str) -> None:
    found = long_verdicts(_block, name, CHUNKS)
    assert min(found.values()) >= FAMILY / LONG_FAMILY, found


@pytest.mark.slow
def test_every_input_bit_moves_every_output_bit() -> None:
    found = avalanche(_block, 20_000)
    assert min(found.values()) >= FAMILY / LONG_FAMILY, found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slip", "name"),
    [
        (rounds(2), "visits"),
        (rounds(3), "days"),
        (rounds(4), "days"),
        (rounds(5), "days"),
        (unmixed, "days"),
        (biased, "leads"),
    ],
)
def test_long_battery_catches_slips(slip: Any, name: str) -> None:
    found = long_verdicts(slip, name, 8)
    assert min(found.values()) < FAMILY / LONG_FAMILY, found


@pytest.mark.slow
@pytest.mark.parametrize("slip", [*map(rounds, range(2, 7)), no_visit, no_stage, no_purpose, short_key, short_entity])
def test_avalanche_catches_slips(slip: Any) -> None:
    found = avalanche(slip, 20_000)
    assert min(found.values()) < FAMILY / LONG_FAMILY, found
