"""Choices by rendezvous: against their formula, with draws taken one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.rules import rendezvous
from sim.rules_arrivals import chosen_one
from sim.streams import SIDE_BY_SIDE, Purpose, draw, mix64, pair_draws, pair_identity, room_for

REGION, ROUTE = int(Purpose.REGION), int(Purpose.ROUTE)


def some_identities(count: int) -> np.ndarray:
    return np.array([mix64(np.uint64(number)) for number in range(count)], dtype=np.uint64)


def score(key: np.uint64, entity: np.uint64, part: np.uint64, weight: float, purpose: int) -> float:
    return -math.log(draw(key, np.uint64(pair_identity(entity, part)), 0, 0, purpose)) / weight


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 16, 21])
def test_draws_side_by_side_are_those_taken_one_by_one(count):
    key, entity, parts = np.uint64(2**63 + 5), np.uint64(2**64 - 3), some_identities(count)
    room = room_for(count)
    assert len(room) % SIDE_BY_SIDE == 0
    room.view(np.uint64)[:count] = parts
    pair_draws(key, entity, count, REGION, room)
    single = [draw(key, np.uint64(pair_identity(entity, part)), 0, 0, REGION) for part in parts]
    assert room[:count].tolist() == single


weights = st.lists(st.sampled_from([0.0, 0.3, 1.0, 1.0, 1.0, 2.5]), min_size=1, max_size=20)


@settings(max_examples=300, deadline=None)
@given(weights=weights, number=st.integers(0, 10**6))
def test_the_lowest_score_wins(weights, number):
    key, entity, parts = np.uint64(number), mix64(np.uint64(number)), some_identities(len(weights))
    entity = np.uint64(entity)
    willing = [place for place, weight in enumerate(weights) if weight > 0]

    def best(purpose: int) -> int:
        return min(willing, key=lambda place: score(key, entity, parts[place], weights[place], purpose), default=-1)

    table = np.array(weights)
    reps = np.arange(len(weights))
    room = room_for(len(weights))
    assert rendezvous(key, entity, reps, parts, table, room) == best(ROUTE)
    if willing:
        expected = 0 if len(weights) == 1 else best(REGION)
        assert chosen_one(key, entity, parts, table, REGION, room) == expected
    # Who is no candidate is not asked, and the order of candidates never matters.
    some = reps[::-2].copy()
    chosen = rendezvous(key, entity, some, parts, table, room)
    among = [place for place in some.tolist() if weights[place] > 0]
    assert chosen == min(among, key=lambda place: score(key, entity, parts[place], weights[place], ROUTE), default=-1)
