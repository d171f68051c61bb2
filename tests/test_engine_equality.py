"""Both engines write the same log and the same tables, bit for bit, in worlds of the whole vocabulary."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from both_engines import SEED, compared, differ, differs
from market_features import SITUATIONS
from random_worlds import CASES, in_many_worlds, told, worlds
from scenarios.files import library, load
from sim.compiled.run import Engine, replicate
from sim.log import Kind
from sim.model import build
from sim.run import simulate, simulate_logs
from small_worlds import THREE
from small_worlds import world as small_world
from world_features import FEATURES, Seen

AT_LEAST = 20
"""Worlds in which both of any two features must have an effect."""

QUEUES = [f"queue: {name}" for name in ("fifo", "late_stage_first", "value_first", "tier_first")]
IMPOSSIBLE = {frozenset(pair): "a world has one discipline of its queues" for pair in combinations(QUEUES, 2)} | {
    frozenset(("same rep keeps a lead", "each stage routed anew")): "it is one switch of the routing",
    frozenset(("VAT on top", "VAT within")): "values are with or without tax",
    frozenset(("weeks", "4-4-5")): "reports are by weeks or by months, and only months are of four or five weeks",
}
"""Pairs of which no world can have both."""


class Coverage:
    """In how many worlds each pair of features had an effect."""

    def __init__(self) -> None:
        self.worlds: list[list[bool]] = []
        self.situations: Counter[str] = Counter()
        self.kinds: set[int] = set()

    def add(self, seen: Seen) -> None:
        self.worlds.append([bool(effect(seen)) for effect in FEATURES.values()])
        self.situations.update(name for name, holds in SITUATIONS.items() if holds(seen))
        self.kinds |= set(seen.log.rows["kind"].tolist())

    def pairs(self) -> dict[frozenset[str], int]:
        had = np.array(self.worlds, dtype=np.int64)
        together = had.T @ had
        return {
            frozenset((one, other)): int(together[i, j])
            for (i, one), (j, other) in combinations(enumerate(FEATURES), 2)
        }

    def table(self) -> str:
        """Each feature with the worlds in which it had an effect, and its rarest partner."""
        pairs = {pair: count for pair, count in self.pairs().items() if pair not in IMPOSSIBLE}
        alone = np.array(self.worlds).sum(axis=0).tolist()
        lines = [f"{len(self.worlds)} worlds, {len(FEATURES)} features, {len(pairs)} pairs, each in at least "
                 f"{min(pairs.values())} worlds"]  # fmt: skip
        for name, count in sorted(zip(FEATURES, alone, strict=True), key=lambda item: item[1]):
            rarest = min((pair for pair in pairs if name in pair), key=pairs.__getitem__)
            (partner,) = rarest - {name}
            lines.append(f"{count:5d}  {name:32s} at least {pairs[rarest]:3d} with any other ({partner})")
        lines += [f"{count:5d}  {name} (not in pairs)" for name, count in self.situations.items()]
        return "\n".join(lines)


def check(scenario, coverage: Coverage) -> None:
    model = build(scenario)
    log, problem = compared(model)
    assert not problem, f"the engines differ: {problem}\nin this world:\n{told(scenario)}"
    coverage.add(Seen(model, log))


@pytest.mark.parametrize(("policy", "queue"), CASES)
def test_engines_are_equal(policy, queue):
    coverage = Coverage()
    number = 10 + CASES.index((policy, queue))
    in_many_worlds(worlds(policy, queue), 18, number, lambda scenario: check(scenario, coverage))
    assert len(coverage.worlds) == 18


@pytest.mark.slow
def test_engines_are_equal_in_a_thousand_worlds_with_every_pair_of_features(capsys):
    coverage = Coverage()
    in_many_worlds(worlds(), 1000, 1, lambda scenario: check(scenario, coverage))
    in_many_worlds(worlds(at_midnight=True), 100, 2, lambda scenario: check(scenario, coverage))
    with capsys.disabled():
        sys.stdout.write(f"\n{coverage.table()}\n")
    pairs = coverage.pairs()
    assert len(coverage.worlds) == 1100
    assert {tuple(sorted(pair)): pairs[pair] for pair in IMPOSSIBLE if pairs[pair]} == {}
    rare = {tuple(sorted(pair)): count for pair, count in pairs.items() if count < AT_LEAST and pair not in IMPOSSIBLE}
    assert rare == {}
    assert {name for name in SITUATIONS if coverage.situations[name] < AT_LEAST} == set()
    assert {kind.name for kind in Kind if kind not in coverage.kinds} == set()


def lane_by_lane(examples: int, number: int) -> None:
    """Worlds that the compiled engine works rep by rep or pool by pool: as SimPy, and as by one common clock."""
    laned = []

    def check_lanes(scenario) -> None:
        model = build(scenario)
        engine = Engine(model)
        log, problem = compared(model)
        problem = problem or differs(log, Engine(model, lanes=False).logged(SEED, 0))
        problem = problem or differ(
            replicate(engine, SEED, [1, 0]), replicate(Engine(model, lanes=False), SEED, [1, 0])
        )
        assert not problem, f"lanes differ: {problem}\nin this world:\n{told(scenario)}"
        laned.append(bool(engine._world["laned"][0]) and len(log.rows) > 200)

    in_many_worlds(worlds(alone=True), examples, number, check_lanes)
    assert sum(laned) > 0.6 * len(laned)


def test_lane_by_lane_is_equal():
    lane_by_lane(60, 3)


def test_work_that_takes_no_time_goes_round_the_reps_of_a_pool():
    """Both are taken before either is free again, so the third task is the first one's, the fourth the second's."""
    nobody_yet = {"id": "web", "leads_per_year": 3000, "arrival_hours": [0.0, 0.005]}
    stage = {"id": "call", "effort_hours": {"family": "fixed", "value": 0.0}, "conversion": 0.7}
    scenario = small_world(
        calendar={"end": "2026-01-11", "hours": ["09:00-17:00"]},
        stages=[stage], sources=[nobody_yet], reps=THREE, routing={"policy": "pool", "same_rep": False},
    )  # fmt: skip
    _, problem = compared(build(scenario))
    assert not problem


@pytest.mark.slow
def test_lane_by_lane_is_equal_400():
    lane_by_lane(400, 4)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("starter", ()),
        ("motivation", ()),
        pytest.param("national", (), marks=pytest.mark.slow),
        pytest.param("enterprise", ("calendar.end=2026-01-12",), marks=pytest.mark.slow),
    ],
)
def test_engines_are_equal_on_shipped_worlds(name, changes):
    log, problem = compared(build(load(name, changes)))
    assert not problem
    assert len(log.of(Kind.BOOK)) > 50


def test_every_shipped_world_is_compared():
    assert library() == ("enterprise", "motivation", "national", "starter")


def test_outcomes_are_equal_byte_by_byte(tiny):
    one, other = (simulate(tiny, replications=5, seed=4, engine=engine) for engine in ("simpy", "compiled"))
    assert one.content_hash() == other.content_hash()
    assert (one.engine, other.engine) == ("simpy", "compiled")
    pairs = zip(*(simulate_logs(tiny, replications=3, seed=4, engine=e) for e in ("simpy", "compiled")), strict=True)
    assert [differs(*pair) for pair in pairs] == [""] * 3
