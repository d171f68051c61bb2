"""Random numbers as pure functions of (seed, replication, entity, stage, visit, purpose): no state, no order.

Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) turns a
128-bit counter and a 64-bit key into 128 random bits. The counter says what is drawn, the key in which
replication, so adding a rep or a lead changes nothing in anybody else's luck (rules R2 and R3)::

    key      64-bit mix of (seed, replication)
    word 0   entity, low 32 bits          word 2   stage (8 bits) | visit (24 bits)
    word 1   entity, high 32 bits         word 3   purpose

The four draws of one visit of a stage are the four words of the one block of ``Purpose.STAGE``; every other
purpose uses 52 bits of a block of its own. Where a purpose needs several draws of one entity (days, orders,
instalments), their ordinal takes the place of the visit (0 to 2**24 - 1).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import Problem, refuse_if
from sim.compile import inlined, scalar

STREAM_VERSION: Final = 1
"""Rises with any change of this file's arithmetic, of :class:`Purpose` or of a sampler; every result stores it."""


class Purpose(IntEnum):
    """What a number is drawn for. Append only: a number once given is never reused or moved.

    One purpose serves one kind of entity: a rep and an account may share an id, and so an identity, but never
    a draw.
    """

    STAGE = 0  # four 32-bit words: patience, effort, outcome, delay
    ARRIVAL_COUNT = 1
    ARRIVAL_TIME = 2
    REGION = 3
    SEGMENT = 4
    PRODUCT = 5
    BUNDLE = 6
    VALUE = 7
    ROUTE = 8
    CASH = 9
    COLLECTION = 10
    RECYCLE = 11
    SKILLED_ROUTE = 12
    ORDER_GAP = 13
    ORDER_VALUE = 14
    ORDER_PRODUCT = 15
    CHURN = 16
    NEW_ACCOUNT = 17
    CARE = 18
    ATTRITION = 19
    HIRING = 20
    PIPELINE = 21
    CREDIT = 22
    ACTIVITY = 23
    PARAMETER = 24
    DESIGN = 25
    BOOTSTRAP = 26
    TIE = 27
    TENDER = 28


PATIENCE_WORD: Final = 0
EFFORT_WORD: Final = 1
OUTCOME_WORD: Final = 2
DELAY_WORD: Final = 3

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)

# Fractional digits of pi set the kinds of derived identities apart: a lead, an order and a pair built from
# the same numbers must differ.
_LEADS = np.uint64(0x243F6A8885A308D3)
_ORDERS = np.uint64(0x13198A2E03707344)
_PAIRS = np.uint64(0xA4093822299F31D0)
_REPLICATIONS = np.uint64(0x082EFA98EC4E6C89)


@inlined("UniTuple(uint64, 4)(uint64, uint64, uint64, uint64, uint64, uint64)")
def philox4x32(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Ten rounds of Philox; counter, key and result are 32-bit words held in 64 bits."""
    for _ in range(10):
        p0 = _MULTIPLIER_0 * c0
        p1 = _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
        k0 = (k0 + _WEYL_0) & _LOW
        k1 = (k1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@inlined("uint64(uint64)")
def mix64(x: np.uint64) -> np.uint64:
    """A bijection of 64 bits in which each input bit moves each output bit.

    The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014), after one step of its Weyl sequence, so that zero does not map to zero.
    """
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@inlined("uint64(uint64, uint64, uint64)")
def _derived(kind: np.uint64, whole: np.uint64, part: np.uint64) -> np.uint64:
    """Identity of a part of a whole; parts of one whole never collide, since both mixes are bijections."""
    return mix64(mix64(whole ^ kind) ^ part)


@inlined("uint64(uint64, int64, int64)")
def lead_identity(source: np.uint64, day: int, k: int) -> np.uint64:
    """Identity of the k-th lead (from 0, below 2**32) of a source's day; distinct within the source."""
    return _derived(_LEADS, source, (np.uint64(day) << _32) ^ np.uint64(k))


@scalar("uint64(uint64, int64)")
def order_identity(account: np.uint64, n: int) -> np.uint64:
    """Identity of the n-th order of an account; distinct within the account."""
    return _derived(_ORDERS, account, np.uint64(n))


@inlined("uint64(uint64, uint64)")
def pair_identity(a: np.uint64, b: np.uint64) -> np.uint64:
    """Identity of the ordered pair (a, b), as of a lead and a rep who might work it."""
    return _derived(_PAIRS, a, b)


@scalar("uint64(uint64, uint64)")
def _replication_key(seed: np.uint64, replication: np.uint64) -> np.uint64:
    return _derived(_REPLICATIONS, seed, replication)


@inlined("UniTuple(uint64, 4)(uint64, uint64, int64, int64, int64)")
def _block(
    key: np.uint64, entity: np.uint64, stage: int, visit: int, purpose: int
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    if stage < 0 or stage > 0xFF or visit < 0 or visit > 0xFFFFFF or purpose < 0 or purpose > 0xFFFFFFFF:
        raise ValueError("0 <= stage < 2**8, 0 <= visit < 2**24 and 0 <= purpose < 2**32 must hold")
    place = np.uint64((stage << 24) | visit)
    return philox4x32(entity & _LOW, entity >> _32, place, np.uint64(purpose), key & _LOW, key >> _32)


@inlined("UniTuple(uint64, 4)(uint64, uint64, int64, int64)")
def stage_block(
    key: np.uint64, entity: np.uint64, stage: int, visit: int
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """The four 32-bit words of a visit of a stage: patience, effort, outcome, delay.

    Raises:
        ValueError: stage outside 0..255 or visit outside 0..2**24 - 1.
    """
    return _block(key, entity, stage, visit, 0)


@inlined("float64(uint64)")
def uniform32(word: np.uint64) -> float:
    """A 32-bit word as a number inside (0, 1): ``(word + .5) * 2**-32``."""
    return (np.float64(np.int64(word)) + 0.5) * 2.0**-32


@inlined("UniTuple(float64, 4)(uint64, uint64, int64, int64)")
def stage_uniforms(key: np.uint64, entity: np.uint64, stage: int, visit: int) -> tuple[float, float, float, float]:
    """:func:`stage_block` as numbers in (0, 1), in one call: crossing from Python costs most of the time."""
    patience, effort, outcome, delay = stage_block(key, entity, stage, visit)
    return uniform32(patience), uniform32(effort), uniform32(outcome), uniform32(delay)


@inlined("float64(uint64, uint64, int64, int64, int64)")
def draw(key: np.uint64, entity: np.uint64, stage: int, visit: int, purpose: int) -> float:
    """A number inside (0, 1) for every purpose but ``STAGE``: ``((x >> 12) + .5) * 2**-52`` of 64 bits x.

    Args:
        key: of the replication, by :func:`replication_key`.
        entity: identity of the lead, order, account, rep or source.
        stage: 0..255; 0 where the purpose knows no stage.
        visit: 0..2**24 - 1; the ordinal (day, instalment, period) where the purpose knows no visit.
        purpose: a :class:`Purpose` other than ``STAGE``, whose block already serves four draws. From Python
            pass its ``value``: recognising the enumeration takes numba a hundred times as long as the draw.

    Raises:
        ValueError: an argument is outside its range.
    """
    if purpose == 0:
        raise ValueError("purpose STAGE belongs to stage_block")
    high, low, _, _ = _block(key, entity, stage, visit, purpose)
    x = ((high << _32) | low) >> np.uint64(12)
    return (np.float64(np.int64(x)) + 0.5) * 2.0**-52


SIDE_BY_SIDE: Final = 8
"""Draws of one entity with several parts are taken by so many at a time, which costs little more than one draw."""


def room_for(parts: int) -> NDArray[np.float64]:
    """Room for :func:`pair_draws` of so many parts."""
    return np.empty(-(-parts // SIDE_BY_SIDE) * SIDE_BY_SIDE)


@scalar
def pair_draws(key: np.uint64, entity: np.uint64, count: int, purpose: int, room: NDArray[np.float64]) -> None:
    """:func:`draw` of the pairs of an entity with each of some parts, in their place.

    Args:
        room: begins with the ``count`` identities of the parts, as bits of numbers, and holds the draws afterwards;
            as long as :func:`room_for` makes it.
    """
    upto = (count + SIDE_BY_SIDE - 1) // SIDE_BY_SIDE * SIDE_BY_SIDE
    for place in range(count, upto):
        room[place] = 0.0
    for place in range(upto):
        part = np.float64(room[place]).view(np.uint64)
        room[place] = draw(key, pair_identity(entity, part), 0, 0, purpose)


def replication_key(seed: int, replication: int) -> np.uint64:
    """The key of one replication; replications of one seed never share it.

    Raises:
        InputRefused: seed or replication is not an integer from 0 to 2**64 - 1.
    """
    refuse_if(
        Problem(name, repr(value), "an integer from 0 to 2**64 - 1 must be given")
        for name, value in (("seed", seed), ("replication", replication))
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < 2**64
    )
    return np.uint64(_replication_key(np.uint64(seed), np.uint64(replication)))


def normalised(text: str) -> str:
    """The text in Unicode's composed form (NFC), in which looking alike mostly means being alike."""
    return unicodedata.normalize("NFC", text)


def identity(text: str) -> np.uint64:
    """The 64-bit identity of an id: BLAKE2b over its composed UTF-8 form, never its row number."""
    digest = hashlib.blake2b(normalised(text).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def identities(ids: Sequence[str], where: str = "ids") -> NDArray[np.uint64]:
    """Identities of a table's ids, in its order.

    Args:
        ids: the id strings.
        where: name of the table, for the message.

    Raises:
        InputRefused: two rows have the same id, or two ids the same identity.
    """
    found = [identity(text) for text in ids]
    first: dict[int, int] = {}
    problems = []
    for row, number in enumerate(found):
        earlier = first.setdefault(int(number), row)
        if earlier != row:
            problems.append(_clash(where, ids, earlier, row))
    refuse_if(problems)
    return np.array(found, dtype=np.uint64)


def _clash(where: str, ids: Sequence[str], earlier: int, row: int) -> Problem:
    value = f"{ids[row]!r}, already in row {earlier + 1} as {ids[earlier]!r}"
    if normalised(ids[row]) == normalised(ids[earlier]):
        return Problem(f"{where}[{row + 1}]", value, "an id must name one row only", "remove or rename one of the two")
    return Problem(f"{where}[{row + 1}]", value, "these two ids have the same 64-bit identity", "rename one of the two")
