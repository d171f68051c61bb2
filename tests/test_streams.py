"""Random streams: published known answers, golden draws, independence, identities."""

from __future__ import annotations

import itertools
import math
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from scenarios.errors import InputRefused
from sim import streams
from sim.streams import (
    Purpose,
    draw,
    identities,
    identity,
    lead_identity,
    mix64,
    order_identity,
    pair_identity,
    philox4x32,
    replication_key,
    stage_block,
    stage_uniforms,
    uniform32,
)

Z = 4.5
WORD = 0xFFFFFFFF
KEY = replication_key(20260101, 3)
SOMEBODY = identity("华北-王芳")


def python_philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 in plain integers, as the paper states it."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c[0], 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c[2], 2**32)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([WORD] * 4, [WORD] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_published_answers(counter: list[int], key: list[int], words: str) -> None:
    wanted = [int(word, 16) for word in words.split()]
    assert list(philox4x32(*counter, *key)) == wanted
    assert python_philox(counter, key) == wanted


@settings(deadline=None)  # the first call may compile or import
@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 255),
    st.integers(0, 2**24 - 1),
    st.sampled_from(list(Purpose)[1:]),
)
def test_the_counter_is_laid_out_as_documented(key: int, entity: int, stage: int, visit: int, purpose: Purpose) -> None:
    halves = [key & WORD, key >> 32]
    place = [entity & WORD, entity >> 32, stage << 24 | visit]
    block = stage_block(np.uint64(key), np.uint64(entity), stage, visit)
    assert list(block) == python_philox([*place, 0], halves)
    high, low, _, _ = python_philox([*place, int(purpose)], halves)
    exact = (((high << 32 | low) >> 12) + 0.5) * 2.0**-52
    assert draw(np.uint64(key), np.uint64(entity), stage, visit, purpose.value) == exact
    assert stage_uniforms(np.uint64(key), np.uint64(entity), stage, visit) == tuple(
        (word + 0.5) * 2.0**-32 for word in block
    )


def test_golden_draws() -> None:
    """Frozen: a change here changes every published result and must raise STREAM_VERSION."""
    assert streams.STREAM_VERSION == 1
    assert int(replication_key(0, 0)) == GOLDEN["key00"]
    assert int(KEY) == GOLDEN["key"]
    assert int(SOMEBODY) == GOLDEN["somebody"]
    assert int(identity("")) == GOLDEN["nobody"]
    assert int(mix64(0)) == 0xE220A8397B1DCDAF  # first output of SplitMix64 from state 0
    assert int(lead_identity(SOMEBODY, 17, 4)) == GOLDEN["lead"]
    assert int(order_identity(SOMEBODY, 4)) == GOLDEN["order"]
    assert int(pair_identity(SOMEBODY, identity("E1"))) == GOLDEN["pair"]
    assert stage_uniforms(KEY, SOMEBODY, 6, 2) == GOLDEN["stage"]
    assert draw(KEY, SOMEBODY, 0, 365, Purpose.CASH) == GOLDEN["cash"]


def test_purposes_are_frozen() -> None:
    assert {purpose.name: purpose.value for purpose in Purpose} == dict(zip(PURPOSES.split(), range(29), strict=True))


def test_keys_survive_the_way_through_python() -> None:
    """numba hands unsigned integers back as Python's: every way to pass one must mean the same 64 bits."""

    @njit
    def inside(key: np.uint64, entity: np.uint64) -> float:
        return draw(key, entity, 1, 2, 7)

    for number in (5, 2**63 - 1, 2**63, 2**64 - 1, int(KEY)):
        wrapped = np.uint64(number)
        expected = draw(wrapped, wrapped, 1, 2, 7)
        assert draw(number, number, 1, 2, 7) == expected
        assert inside(wrapped, wrapped) == expected
        assert lead_identity(number, 3, 4) == lead_identity(wrapped, 3, 4)
        assert pair_identity(number, wrapped) == pair_identity(wrapped, wrapped)
        signed = np.uint64(number).astype(np.int64)
        assert inside(signed, signed) == expected
    with pytest.raises(OverflowError):  # rather than another number's luck
        draw(-5, SOMEBODY, 1, 2, 7)
    assert isinstance(replication_key(1, 2), np.uint64)
    assert isinstance(identity("a"), np.uint64)


def test_uniforms_lie_inside_the_open_interval() -> None:
    assert uniform32(0) == 2.0**-33
    assert uniform32(WORD) == 1 - 2.0**-33
    x = np.array([0, 2**52 - 1], dtype=np.int64)  # the arithmetic of draw at its ends
    assert ((x + 0.5) * 2.0**-52).tolist() == [2.0**-53, 1 - 2.0**-53]


@pytest.mark.parametrize(
    ("stage", "visit", "purpose"),
    [(256, 0, 7), (-1, 0, 7), (0, 2**24, 7), (0, -1, 7), (0, 0, 2**32), (0, 0, -1)],
)
def test_what_does_not_fit_the_counter_is_refused(stage: int, visit: int, purpose: int) -> None:
    with pytest.raises(ValueError, match="must hold"):
        draw(KEY, SOMEBODY, stage, visit, purpose)
    if purpose == 7:
        with pytest.raises(ValueError, match="must hold"):
            stage_block(KEY, SOMEBODY, stage, visit)


def test_the_stage_block_is_not_drawn_from_twice() -> None:
    with pytest.raises(ValueError, match="belongs to stage_block"):
        draw(KEY, SOMEBODY, 0, 0, Purpose.STAGE.value)


@njit
def _draws(keys, entities, stages, visits, purposes):  # type: ignore[no-untyped-def]
    out = np.empty(len(keys))
    for i in range(len(keys)):
        out[i] = draw(keys[i], entities[i], stages[i], visits[i], purposes[i])
    return out


@njit
def _blocks(keys, entities, stages, visits):  # type: ignore[no-untyped-def]
    out = np.empty((len(keys), 4))
    for i in range(len(keys)):
        out[i] = stage_uniforms(keys[i], entities[i], stages[i], visits[i])
    return out


N = 400_000


def axis(name: str) -> np.ndarray:
    """Draws along one coordinate of the counter, every other one held."""
    n = {"stage": 256, "purpose": 27}.get(name, N)
    repeats = -(-N // n)
    ramp = np.tile(np.arange(n), repeats)[:N]
    lap = np.repeat(np.arange(repeats), n)[:N].astype(np.uint64)
    fixed = {
        "key": np.full(N, KEY),
        "entity": np.full(N, SOMEBODY) + lap,
        "stage": np.full(N, 3),
        "visit": np.full(N, 1),
        "purpose": np.full(N, int(Purpose.VALUE)),
    }
    moved = {
        "key": ramp.astype(np.uint64),
        "entity": ramp.astype(np.uint64),
        "high entity": ramp.astype(np.uint64) << np.uint64(32),
        "stage": ramp,
        "visit": ramp,
        "purpose": ramp + 1,
    }[name]
    fixed[name.split()[-1]] = moved
    return _draws(*fixed.values())


@pytest.mark.parametrize("name", ["key", "entity", "high entity", "stage", "visit", "purpose"])
def test_draws_look_independent_along_every_coordinate(name: str) -> None:
    u = axis(name)
    assert abs((u.mean() - 0.5) * math.sqrt(12 * N)) < Z
    assert stats.kstest(u, "uniform").pvalue > 2 * stats.norm.sf(Z)
    for lag in (1, 2, 27, 256):
        correlation = np.corrcoef(u[:-lag], u[lag:])[0, 1]
        assert abs(correlation * math.sqrt(N)) < Z
    pairs = np.histogram2d(u[:-1:2], u[1::2], bins=16, range=[[0, 1], [0, 1]])[0]
    chi = stats.chisquare(pairs.ravel()).statistic
    assert abs((chi - 255) / math.sqrt(2 * 255)) < Z


def test_the_four_words_and_their_neighbours_look_independent() -> None:
    entities = np.arange(N, dtype=np.uint64)
    keys, stages, visits = np.full(N, KEY), np.full(N, 2), np.full(N, 1)
    here = _blocks(keys, entities, stages, visits)
    columns = np.column_stack(
        [
            here,
            _blocks(keys, entities, stages + 1, visits),
            _blocks(keys, entities, stages, visits + 1),
            _blocks(np.full(N, replication_key(20260101, 4)), entities, stages, visits),
            _draws(keys, entities, stages, visits, np.full(N, int(Purpose.ROUTE))),
        ]
    )
    correlations = np.corrcoef(columns, rowvar=False)
    upper = correlations[np.triu_indices(columns.shape[1], 1)]
    assert np.abs(upper * math.sqrt(N)).max() < Z
    for column in columns.T:
        assert stats.kstest(column, "uniform").pvalue > 2 * stats.norm.sf(Z)


def test_replications_and_seeds_have_their_own_keys() -> None:
    keys = {int(replication_key(seed, r)) for seed, r in itertools.product(range(100), range(300))}
    assert len(keys) == 30_000
    assert replication_key(np.int64(3), 4) == replication_key(3, 4)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "7", True])
def test_a_seed_is_a_64_bit_integer(seed: object) -> None:
    with pytest.raises(InputRefused, match=r"seed = .*an integer from 0 to 2\*\*64 - 1"):
        replication_key(seed, 0)  # type: ignore[arg-type]


def test_derived_identities_are_distinct() -> None:
    sources = [identity(name) for name in ("online", "fair", "推荐")]
    leads = {int(lead_identity(s, day, k)) for s in sources for day in range(200) for k in range(100)}
    orders = {int(order_identity(s, n)) for s in sources for n in range(20_000)}
    pairs = {int(pair_identity(a, b)) for a in sources for b in sources}
    assert (len(leads), len(orders), len(pairs)) == (60_000, 60_000, 9)
    assert len(leads | orders | pairs) == 120_009


def test_identities_do_not_depend_on_rows() -> None:
    whole = identities(["E1", "E2", "王芳", "E3"])
    assert whole.dtype == np.uint64
    assert identities(["E3", "E1"]).tolist() == [whole[3], whole[0]]
    composed, split = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    assert composed != split
    assert identity(composed) == identity(split)


def test_equal_ids_are_refused_all_at_once() -> None:
    with pytest.raises(InputRefused) as refusal:
        identities(["E1", "é", "E1", unicodedata.normalize("NFD", "é")], "reps")
    assert len(refusal.value.problems) == 2
    assert "reps[3] = 'E1', already in row 1 as 'E1': an id must name one row only" in str(refusal.value)


def test_colliding_ids_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "identity", lambda text: np.uint64(len(text)))
    with pytest.raises(InputRefused, match="same 64-bit identity -> rename one of the two"):
        identities(["E1", "E2"])


PURPOSES = """STAGE ARRIVAL_COUNT ARRIVAL_TIME REGION SEGMENT PRODUCT BUNDLE VALUE ROUTE CASH COLLECTION RECYCLE
SKILLED_ROUTE ORDER_GAP ORDER_VALUE ORDER_PRODUCT CHURN NEW_ACCOUNT CARE ATTRITION HIRING PIPELINE CREDIT
ACTIVITY PARAMETER DESIGN BOOTSTRAP TIE TENDER"""

GOLDEN = {
    "key00": 7160420670793405204,
    "key": 15920935859244840902,
    "somebody": 9834454552896523463,
    "nobody": 13020603013274838756,
    "lead": 9825026889529269020,
    "order": 975537888518708094,
    "pair": 15601192331613753223,
    "stage": (0.7257335080066696, 0.453544179094024, 0.5636713613057509, 0.18515076849143952),
    "cash": 0.8318707589074027,
}
