"""Generators of words, the one in use and such with one plausible slip each, along every coordinate of a draw.

Each verdict is a two-sided p-value, so too regular is as wrong as too wild. A family of K verdicts is refused where
the smallest falls below 1e-6 / K: once in a million families of an ideal generator, under any dependence. Seeds are
fixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from scipy import stats

from sim.streams import (
    Purpose,
    _block,
    _replication_key,
    identity,
    lead_identity,
    order_identity,
    pair_identity,
    replication_key,
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


# ---- generators with slips -----------------------------------------------------------------------


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
