"""The compiled engine gives the same bytes whatever the threads, the blocks, the order and the room it begins with."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import sim.compiled.run
import sim.run
from both_engines import SEED, differ, differs
from random_worlds import in_many_worlds, worlds
from sim.compiled.run import Engine, ensure_compiled, replicate
from sim.kernel.world import TABLES
from sim.log import Log
from sim.model import Model, build
from sim.outcome import joined
from sim.run import simulate, simulate_logs

SPARE = 64
"""Free rows that the compiled loop wants before each event."""


@cache
def some_worlds() -> tuple[Any, ...]:
    ensure_compiled()
    found: list[Any] = []
    in_many_worlds(worlds(at_midnight=True), 6, 4, found.append)
    in_many_worlds(worlds(), 18, 5, found.append)
    return tuple(found)


def eventful() -> tuple[Any, ...]:
    """Those in which much happens."""
    return tuple(scenario for scenario in some_worlds() if len(simulate_logs(scenario, seed=SEED)[0].rows) > 1000)


def busiest() -> Any:
    return max(some_worlds(), key=lambda scenario: len(simulate_logs(scenario, seed=SEED)[0].rows))


# ---- threads and blocks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [2, 3])
def test_the_number_of_threads_never_changes_a_byte(workers):
    for scenario in eventful()[:4]:
        alone = simulate(scenario, replications=11, seed=SEED)
        assert simulate(scenario, replications=11, seed=SEED, workers=workers).content_hash() == alone.content_hash()
        assert len(set(alone["rep"].company("busy_ticks").tolist())) > 5, "replications differ"


def test_blocks_never_change_a_byte():
    for scenario in eventful()[:4]:
        whole = simulate(scenario, replications=11, seed=SEED)
        for cuts in ((0, 3, 4, 11), (0, 1, 2, 11), (0, 10, 11)):
            parts = [
                simulate(scenario, replications=end - first, first=first, seed=SEED, workers=2)
                for first, end in pairwise(cuts)
            ]
            assert joined(parts).content_hash() == whole.content_hash()


def test_blocks_that_come_back_in_another_order_are_noticed(monkeypatch):
    scenario = eventful()[0]
    whole = simulate(scenario, replications=11, seed=SEED, workers=2).content_hash()
    original = sim.run.in_order
    monkeypatch.setattr(sim.run, "in_order", lambda *args: reversed(list(original(*args))))
    assert simulate(scenario, replications=11, seed=SEED, workers=2).content_hash() != whole


def test_replications_that_are_counted_from_the_block_are_noticed(monkeypatch):
    scenario = eventful()[0]
    whole = simulate(scenario, replications=11, seed=SEED).content_hash()
    original = sim.run.replicate
    monkeypatch.setattr(sim.run, "replicate", lambda engine, seed, block: original(engine, seed, range(len(block))))
    assert simulate(scenario, replications=11, seed=SEED).content_hash() != whole


# ---- memory that is used again ---------------------------------------------------------------------------------------


def by_itself(model: Model, replication: int) -> Log:
    return Engine(model).logged(SEED, replication)


def used_again(model: Model) -> str:
    """In what replications of one engine differ from the same by themselves, whatever ran before, log on or off."""
    engine = Engine(model)
    expected = {replication: by_itself(model, replication) for replication in (3, 5)}
    tables = {replication: replicate(Engine(model), SEED, [replication]) for replication in (3, 5)}
    for replication, logging in ((3, True), (5, True), (5, False), (3, False), (5, True), (3, True)):
        if logging:
            problem = differs(expected[replication], engine.logged(SEED, replication))
        else:
            problem = differ(tables[replication], replicate(engine, SEED, [replication]))
        if problem:
            return f"replication {replication}: {problem}"
    return ""


def test_what_ran_before_never_matters():
    for scenario in some_worlds():
        assert used_again(build(scenario)) == ""


@pytest.mark.parametrize("table", ["quotas", "turns"])
def test_a_table_that_is_not_begun_anew_is_noticed(monkeypatch, table):
    rest = tuple(name for name in sim.compiled.run._CHANGING if name != table)
    models = [build(scenario) for scenario in some_worlds()]
    monkeypatch.setattr(sim.compiled.run, "_CHANGING", rest)
    assert sum(bool(used_again(model)) for model in models) > 1


def test_tallies_that_are_not_begun_anew_are_noticed(monkeypatch):
    model = build(busiest())
    monkeypatch.setattr(sim.compiled.run, "_TALLIES", ())
    assert "rep." in used_again(model)


# ---- memory that grows -----------------------------------------------------------------------------------------------


STEPWISE = ("events", "far", "lane_leads", "items", "customers", "rows", "lead_rows", "line_rows", "buyers")
"""Tables that grow by what one step needs and a little more."""


class Tight(Engine):
    """Its tables begin as small as can be and grow by one row or so at a time."""

    lost: str = ""
    """A table that loses something whenever it grows."""

    def __init__(self, model: Model) -> None:
        self.growths: Counter[str] = Counter()
        self.started = False
        super().__init__(model)
        self.started = True

    def _room(self, name: str, had: int, least: int) -> int:
        if self.started:
            least -= 15 * SPARE if name in STEPWISE else 0
        elif name in ("items", "arrivals", "lane_leads"):
            least = 1
        elif name in ("events", "far"):
            least -= 4 * SPARE
        elif name == "customers":
            least = len(self.model.accounts.ids)
        return max(least, had)

    def _grow(self, name: str, least: int) -> None:
        had = len(self._tables[name])
        super()._grow(name, least)
        grown = self._tables[name]
        if name == self.lost and had:
            grown[-1 if name == "arrivals" else 0] = np.zeros(1, dtype=TABLES[name])[0]
            grown[had // 2 : had] = np.zeros(1, dtype=TABLES[name])[0]
        self.growths[name] += self.started


def test_tables_that_grow_row_by_row_lose_nothing():
    grown: Counter[str] = Counter()
    for scenario in some_worlds():
        model = build(scenario)
        engine = Tight(model)
        assert differs(by_itself(model, 2), engine.logged(SEED, 2)) == ""
        grown += engine.growths
        assert differ(replicate(Engine(model), SEED, [2]), replicate(Tight(model), SEED, [2])) == ""
    for table in ("events", "items", "keepers", "customers", "rows", "lead_rows", "line_rows", "buyers"):
        assert grown[table] > 100, f"{table} has not grown"
    assert grown["arrivals"] > 10


@pytest.mark.parametrize("table", ["rows", "lead_rows", "line_rows", "buyers"])
def test_a_table_that_loses_rows_as_it_grows_is_noticed(monkeypatch, table):
    model = build(busiest())
    monkeypatch.setattr(Tight, "lost", table)
    assert differs(by_itself(model, 2), Tight(model).logged(SEED, 2))
