"""The power of the equality test: whichever rule or order one engine gets wrong, some world shows it."""

from __future__ import annotations

import sys
from functools import cache

import pytest

from both_engines import SEED, by_simpy, differs
from mutants import MUTANTS
from random_worlds import in_many_worlds, worlds
from sim.compiled.run import Engine, ensure_compiled
from sim.log import Log
from sim.model import Model, build

WORLDS = 120
ENOUGH = 10
"""Worlds that notice a mutant, after which no more are tried."""

EQUIVALENT = {
    "END in the place of WAKE": "both only mark desks for DISPATCH, the last of the instant, and each marks what it "
    "frees or opens itself",
    "READY in the place of REVIEW": "a review reads owners, skill and care made so far, and no answer changes those; "
    "a review brings an order within the same instant only where it falls on the month's first tick, one in 1e9",
    "REVIEW in the place of CREATE": "an order, visit or block that arises reads what a review reads and changes "
    "nothing of it, with the same exception",
}
"""Mutants that no world can tell from the engine, and why."""

RARE = {
    "END in the place of LEAVE",
    "END in the place of JOIN",
    "LEAVE in the place of JOIN",
    "JOIN in the place of READY",
    "READY in the place of CREATE",
    "CREATE in the place of ARRIVE",
    "turns are taken by role, whatever the region",
}
"""Mutants that few worlds notice, so many must be tried."""


@cache
def compiled_logs() -> tuple[tuple[Model, Log], ...]:
    """Worlds, and what the compiled engine writes of them."""
    ensure_compiled()
    found: list[tuple[Model, Log]] = []

    def keep(scenario) -> None:
        model = build(scenario)
        found.append((model, Engine(model).logged(SEED, 0)))

    in_many_worlds(worlds(at_midnight=True), WORLDS // 2, 2, keep)
    in_many_worlds(worlds(), WORLDS // 2, 3, keep)
    return tuple(found)


def noticed(name: str, enough: int = WORLDS) -> tuple[int, int]:
    """In how many worlds the equality test notices a mutant, of how many tried until that is enough."""
    count = tried = 0
    with pytest.MonkeyPatch.context() as patch:
        MUTANTS[name](patch)
        for model, log in compiled_logs():
            tried += 1
            count += bool(differs(by_simpy(model), log))
            if count >= enough:
                break
    return count, tried


@pytest.mark.parametrize("name", [name for name in MUTANTS if name not in EQUIVALENT and name not in RARE])
def test_a_mutant_is_noticed(name):
    count, tried = noticed(name, enough=1)
    assert count == 1, f"{name}: no difference in {tried} worlds"


@pytest.mark.slow
def test_how_many_worlds_notice_each_mutant(capsys):
    counts = {name: noticed(name, ENOUGH) for name in MUTANTS}
    with capsys.disabled():
        sys.stdout.write("\nworlds that notice, of those tried:\n")
        for name, (count, tried) in sorted(counts.items(), key=lambda item: item[1][0] / item[1][1]):
            sys.stdout.write(f"{count:4d} of {tried:3d}  {name}{'  (equivalent)' if name in EQUIVALENT else ''}\n")
    assert {name for name, (count, _) in counts.items() if count == 0} == set(EQUIVALENT)


def test_without_a_mutant_nothing_is_noticed():
    assert not any(differs(by_simpy(model), log) for model, log in compiled_logs()[:20])
