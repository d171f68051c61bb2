"""Independence of draws along every coordinate: a quick family of tests, a long battery, and proof that both can fail.

Each verdict is a two-sided p-value, so too regular is as wrong as too wild. A family of K verdicts is refused where
the smallest falls below 1e-6 / K: once in a million families of an ideal generator, under any dependence. Seeds are
fixed. Weak generators, each with one plausible slip, go through the same tests and must be refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy import stats

from sim.streams import (
    Purpose,
    _block,
    _replication_key,
    draw,
    identity,
    lead_identity,
    order_identity,
    pair_identity,
    philox4x32,
    replication_key,
    stage_uniforms,
)

FAMILY = 1e-6
SEED = 20260101
SOURCE = identity("展会")
SOMEBODY = identity("华北-王芳")
KEY = replication_key(SEED, 3)
LOW, HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)
VALUE, ROUTE, LAST = int(Purpose.VALUE), int(Purpose.ROUTE), int(max(Purpose))
Verdicts = dict[str, float]


def refused(verdicts: Mapping[str, float]) -> list[str]:
    """The verdicts that an ideal generator gives once in a million families."""
    return sorted(name for name, p in verdicts.items() if not p >= FAMILY / len(verdicts))


def two_sided(p: float) -> float:
    return float(min(1.0, 2 * min(p, 1 - p)))


def normal(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))


def chi_square(counts: np.ndarray, chances: np.ndarray | None = None) -> float:
    expected = None if chances is None else chances / chances.sum() * counts.sum()
    statistic, upper = stats.chisquare(counts, expected)
    return two_sided(float(upper)) if statistic > 0 else 0.0


# ---- generators: the one in use, and slips -----------------------------------------------------------------------


@njit
def few_rounds(rounds, key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
    c0, c1, c2, c3 = entity & LOW, entity >> HIGH, np.uint64((stage << 24) | visit), np.uint64(purpose)
    k0, k1 = key & LOW, key >> HIGH
    for _ in range(rounds):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (p1 >> HIGH) ^ c1 ^ k0, p1 & LOW, (p0 >> HIGH) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & LOW, (k1 + np.uint64(0xBB67AE85)) & LOW
    return c0, c1, c2, c3


@cache
def rounds(count: int) -> Any:
    """The same generator with fewer rounds; the paper's own tests pass from seven on."""

    @njit
    def block(key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
        return few_rounds(count, key, entity, stage, visit, purpose)

    return block


@njit
def unmixed(key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
    """A Weyl sequence of the counter: evenly spread, and nothing more."""
    x = (entity + np.uint64(stage * 257 + visit * 65537 + purpose) + key) * np.uint64(0x9E3779B97F4A7C15)
    return x >> HIGH, x & LOW, (x * np.uint64(3)) >> HIGH, (x * np.uint64(5)) >> HIGH


@njit
def no_visit(key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
    return _block(key, entity, stage, 0, purpose)


@njit
def no_stage(key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
    return _block(key, entity, 0, visit, purpose)


@njit
def no_purpose(key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
    return _block(key, entity, stage, visit, 1)


@njit
def short_key(key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
    return _block(key & np.uint64(0xFF), entity, stage, visit, purpose)


@njit
def short_entity(key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
    return _block(key, entity & np.uint64(0xFFFF), stage, visit, purpose)


@njit
def repeated_word(key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
    a, b, c, _ = _block(key, entity, stage, visit, purpose)
    return a, b, c, a


@njit
def biased(key, entity, stage, visit, purpose):  # type: ignore[no-untyped-def]
    """In one draw out of forty the top bit is always set."""
    a, b, c, d = _block(key, entity, stage, visit, purpose)
    if c % np.uint64(40) == 0:
        a = a | np.uint64(0x80000000)
    return a, b, c, d


# ---- coordinates: along what the draws are taken -----------------------------------------------------------------


@njit
def along_leads(i):  # type: ignore[no-untyped-def]
    """Successive leads of one day of a source, a thousand a day."""
    return KEY, lead_identity(SOURCE, i // 1000, i % 1000), 0, 0, VALUE


@njit
def along_first_leads_of_days(i):  # type: ignore[no-untyped-def]
    return KEY, lead_identity(SOURCE, i, 0), 0, 0, VALUE


@njit
def along_orders(i):  # type: ignore[no-untyped-def]
    return KEY, order_identity(SOMEBODY, i), 0, 0, VALUE


@njit
def along_pairs(i):  # type: ignore[no-untyped-def]
    """One lead and its possible reps after another."""
    return KEY, pair_identity(np.uint64(i // 50), np.uint64(i % 50)), 0, 0, ROUTE


@njit
def along_days(i):  # type: ignore[no-untyped-def]
    """Successive ordinals of one entity."""
    return KEY, SOURCE + np.uint64(i >> 24), 0, i & 0xFFFFFF, 1


@njit
def along_visits(i):  # type: ignore[no-untyped-def]
    """Visits of a stage, eight a lead."""
    return KEY, lead_identity(SOURCE, 5, i >> 3), 2, i & 7, 0


@njit
def along_stages(i):  # type: ignore[no-untyped-def]
    """Stages of a lead, eight a lead."""
    return KEY, lead_identity(SOURCE, 5, i >> 3), i & 7, 1, 0


@njit
def along_purposes(i):  # type: ignore[no-untyped-def]
    return KEY, lead_identity(SOURCE, 5, i // LAST), 0, 0, 1 + i % LAST


@njit
def along_replications(i):  # type: ignore[no-untyped-def]
    return _replication_key(np.uint64(SEED), np.uint64(i)), SOMEBODY, 0, 0, VALUE


@njit
def along_seeds(i):  # type: ignore[no-untyped-def]
    return _replication_key(np.uint64(i), np.uint64(0)), SOMEBODY, 0, 0, VALUE


WALKS = {
    walk.__name__.removeprefix("along_"): walk
    for walk in (
        along_leads,
        along_first_leads_of_days,
        along_orders,
        along_pairs,
        along_days,
        along_visits,
        along_stages,
        along_purposes,
        along_replications,
        along_seeds,
    )
}


@cache
def compiled_walk(walk: Any) -> Any:
    """Coordinates of draws start, start + 1, ... as arrays."""

    @njit
    def places(start, keys, entities, stages, visits, purposes):  # type: ignore[no-untyped-def]
        for i in range(len(keys)):
            keys[i], entities[i], stages[i], visits[i], purposes[i] = walk(start + i)

    return places


@cache
def compiled_generator(block: Any) -> Any:
    """The four words of each draw, one after another."""

    @njit
    def fill(keys, entities, stages, visits, purposes, words):  # type: ignore[no-untyped-def]
        for i in range(len(keys)):
            words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3] = block(
                keys[i], entities[i], stages[i], visits[i], purposes[i]
            )

    return fill


Place = tuple[np.ndarray, ...]


def coordinates(name: str, n: int, start: int = 0) -> Place:
    wide, narrow = np.empty((2, n), dtype=np.uint64), np.empty((3, n), dtype=np.int64)
    compiled_walk(WALKS[name])(start, *wide, *narrow)
    return (*wide, *narrow)


def words(block: Any, place: Place) -> np.ndarray:
    found = np.empty(4 * len(place[0]), dtype=np.uint32)
    compiled_generator(block)(*place, found)
    return found


def uniforms(block: Any, place: Place) -> np.ndarray:
    """As the engines see them: one number of 52 bits a draw, or the four of 32 bits of a stage."""
    found = words(block, place)
    if place[4][0] == int(Purpose.STAGE):
        return (found + 0.5) * 2.0**-32
    long = found[0::4].astype(np.uint64) << HIGH | found[1::4]
    return ((long >> np.uint64(12)) + 0.5) * 2.0**-52


# ---- the quick family --------------------------------------------------------------------------------------------

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


# ---- the long battery --------------------------------------------------------------------------------------------

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
