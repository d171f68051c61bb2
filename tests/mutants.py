"""Engines that are wrong in one rule or one order each: the equality tests must notice every one of them.

Each mutant changes the SimPy engine, so that what it writes is held to what the compiled engine writes.
"""

# ruff: noqa: ARG005 - what takes the place of a function takes its arguments, needed or not
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum
from typing import Any

import numpy as np
import pytest

import sim.accounts
import sim.components
import sim.ledger
import sim.reference
import sim.routing
import sim.tenders
from scenarios.ticks import NEVER
from sim import rules, rules_accounts
from sim.components import NO_ONE, Desk, RepState, Support
from sim.instant import Moment, content_key
from sim.ledger import Ledger
from sim.motivation import Drive
from sim.reference import World
from sim.routing import Router

Mutant = Callable[[pytest.MonkeyPatch], None]
MUTANTS: dict[str, Mutant] = {}
ENGINE = (sim.components, sim.reference, sim.routing, sim.accounts, sim.tenders)


def mutant(name: str) -> Callable[[Mutant], Mutant]:
    def register(change: Mutant) -> Mutant:
        MUTANTS[name] = change
        return change

    return register


def everywhere(patch: pytest.MonkeyPatch, name: str, thing: Any) -> None:
    """Replace what the modules of the engine have imported under a name."""
    for module in ENGINE:
        if hasattr(module, name):
            patch.setattr(module, name, thing)


# ---- the order of one instant --------------------------------------------------------------------------------------


def swapped(patch: pytest.MonkeyPatch, first: str, second: str) -> None:
    """Two kinds of events in each other's place."""
    places = {moment.name: moment.value for moment in Moment}
    places[first], places[second] = places[second], places[first]
    everywhere(patch, "Moment", IntEnum("Moment", places))


SWAPS = [
    ("END", "WAKE"), ("END", "LEAVE"), ("END", "JOIN"), ("END", "READY"), ("END", "ARRIVE"), ("END", "PATIENCE"),
    ("END", "DISPATCH"), ("WAKE", "DISPATCH"), ("LEAVE", "JOIN"), ("LEAVE", "READY"), ("LEAVE", "DISPATCH"),
    ("JOIN", "READY"), ("READY", "REVIEW"), ("READY", "CREATE"), ("READY", "ARRIVE"), ("READY", "PATIENCE"),
    ("READY", "RETURN_TO_POOL"), ("READY", "DISPATCH"), ("REVIEW", "CREATE"), ("CREATE", "ARRIVE"),
    ("ARRIVE", "PATIENCE"), ("ARRIVE", "DISPATCH"), ("PATIENCE", "RETURN_TO_POOL"), ("PATIENCE", "DISPATCH"),
    ("RETURN_TO_POOL", "DISPATCH"), ("DISPATCH_SUPPORT", "DISPATCH"),
]  # fmt: skip
for _first, _second in SWAPS:
    MUTANTS[f"{_first} in the place of {_second}"] = lambda patch, pair=(_first, _second): swapped(patch, *pair)


@mutant("events of a kind in the order in which they were planned")
def _(patch: pytest.MonkeyPatch) -> None:
    everywhere(patch, "content_key", lambda kind, *_: kind << 96)


@mutant("events of a kind by entity, the highest first")
def _(patch: pytest.MonkeyPatch) -> None:
    def key(kind: Moment, entity: int = 0, stage: int = 0, visit: int = 0) -> int:
        return content_key(kind, 2**64 - 1 - entity, stage, visit)

    everywhere(patch, "content_key", key)


@mutant("reps and pools in the order of their tables")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.routing, "sorted", lambda rows, key: list(rows), raising=False)


@mutant("of equal tasks the higher entity first")
def _(patch: pytest.MonkeyPatch) -> None:
    original = Desk.join

    def join(self: Desk, task: Any) -> None:
        if task.desk is None and task.sort[-3] == task.entity:
            task.sort = (*task.sort[:-3], 2**64 - 1 - task.entity, *task.sort[-2:])
        original(self, task)

    patch.setattr(Desk, "join", join)


# ---- queues and work -----------------------------------------------------------------------------------------------


@mutant("the first idle rep, not the one idle longest")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        Desk, "idle_rep", lambda self, now: next((r for r in self.reps if r.free and r.opens(now) == now), None)
    )


@mutant("of reps idle equally long the last")
def _(patch: pytest.MonkeyPatch) -> None:
    def idle_rep(self: Desk, now: int) -> RepState | None:
        there = [rep for rep in self.reps if rep.free and rep.opens(now) == now]
        return min(reversed(there), key=lambda rep: rep.idle_since, default=None)

    patch.setattr(Desk, "idle_rep", idle_rep)


@mutant("whoever waits for support keeps the others waiting")
def _(patch: pytest.MonkeyPatch) -> None:
    def first_workable(self: Desk, now: int) -> Any:
        task = self.items[0][1] if self.items else None
        there = task is None or task.support == NO_ONE or self.world.support[task.support].available(now)
        return task if there else None

    patch.setattr(Desk, "first_workable", first_workable)


@mutant("support people are held for the rep's effort")
def _(patch: pytest.MonkeyPatch) -> None:
    original = Support.take

    def take(self: Support, now: int, task: Any) -> None:
        task.support_hours = task.hours
        original(self, now, task)

    patch.setattr(Support, "take", take)


@mutant("support is taken only when the rep has begun")
def _(patch: pytest.MonkeyPatch) -> None:
    """One tick late: others of the same instant still find it free."""
    original = Support.take

    def take(self: Support, now: int, task: Any) -> None:
        event = sim.components.at(self.world.env, 1, content_key(Moment.END, task.entity))
        event.callbacks.append(lambda _: original(self, now + 1, task))

    patch.setattr(Support, "take", take)


@mutant("the support's effort is drawn as the stage's")
def _(patch: pytest.MonkeyPatch) -> None:
    def hours(self: World, entity: np.uint64, stage: int, visit: int) -> float:
        effort = self.lists.support_effort[stage]
        return rules.visit_draws(self.model.tables, -1, effort, self.key, entity, stage, visit)[1]

    patch.setattr(World, "_support_hours", hours)


@mutant("customers' clocks never stand still")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.reference, "later", lambda opens, closes, cum, now, ticks: now + ticks)


@mutant("patience runs from the first day of waiting")
def _(patch: pytest.MonkeyPatch) -> None:
    original = World.work

    def work(self: World, task: Any, desk: Desk, value: int, tier: int, patience: int) -> Any:
        day = 86_400_000
        less = patience - self.now() % day if patience < NEVER else patience
        return original(self, task, desk, value, tier, max(less, 0))

    patch.setattr(World, "work", work)


@mutant("a lead that comes back draws what it drew before")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.reference, "visit_draws", lambda *args: rules.visit_draws(*args[:-1], 0))


@mutant("whether a cold lead comes back is drawn once")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.reference, "comes_back", lambda *args: rules.comes_back(*args[:-1], 0))


# ---- routing -------------------------------------------------------------------------------------------------------


@mutant("turns are taken by role, whatever the region")
def _(patch: pytest.MonkeyPatch) -> None:
    original = Router._next_in_turn
    patch.setattr(Router, "_next_in_turn", lambda self, candidates, role, region: original(self, candidates, role, 0))


@mutant("the load of a rep is what waits")
def _(patch: pytest.MonkeyPatch) -> None:
    def least_loaded(self: Router, candidates: Any) -> int:
        return min(self._willing(candidates), key=lambda rep: len(self.desks[rep].items), default=NO_ONE)

    patch.setattr(Router, "_least_loaded", least_loaded)


@mutant("territories are dealt anew in every replication")
def _(patch: pytest.MonkeyPatch) -> None:
    original = Router._pick

    def pick(self: Router, entity: Any, candidates: Any, weights: Any = None, key: Any = None) -> int:
        return original(self, entity, candidates, weights)

    patch.setattr(Router, "_pick", pick)


@mutant("skill never weighs in routing")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.routing, "skilled_weight", lambda weight, points, reference: weight)


@mutant("whoever left is still credited")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Router, "holder", lambda self, rep, entity: rep)


@mutant("the pool is that of the rep's region")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Router, "pool", lambda self, lead, stage: self._pool(self._stage_role[stage], 0))


@mutant("shares of leads are those of the first stretch of time")
def _(patch: pytest.MonkeyPatch) -> None:
    original = sim.routing.share_row
    patch.setattr(sim.routing, "share_row", lambda starts, rows, source, now: original(starts, rows, source, 0))


@mutant("shares of leads hold for every role")
def _(patch: pytest.MonkeyPatch) -> None:
    original = Router._given

    def given(self: Router, source: int, role: int) -> Any:
        first = 0 if source < 0 else int(self.world.model.sources.first_stage[source])
        return original(self, source, self._stage_role[first])

    patch.setattr(Router, "_given", given)


@mutant("unworked leads return a tick later")
def _(patch: pytest.MonkeyPatch) -> None:
    original = Router.__init__

    def begin(self: Router, world: World) -> None:
        original(self, world)
        if self._return_after is not None:
            self._return_after += 1

    patch.setattr(Router, "__init__", begin)


# ---- people, customers and money -----------------------------------------------------------------------------------


@mutant("nobody reacts to a quota")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Drive, "pace", lambda self, rep, now: 1.0)


@mutant("a replacement begins at full pace")
def _(patch: pytest.MonkeyPatch) -> None:
    original = RepState.epoch

    def epoch(self: RepState, now: int) -> int:
        return original(self, now + 400 * 86_400_000 if self.left and self.employed else now)

    patch.setattr(RepState, "epoch", epoch)


@mutant("the second on a seat gives notice when the first did")
def _(patch: pytest.MonkeyPatch) -> None:
    original = sim.reference.attrition_time
    patch.setattr(
        sim.reference, "attrition_time", lambda key, rep, since, left, yearly: original(key, rep, since, 0, yearly)
    )


@mutant("credit is divided from the last role on")
def _(patch: pytest.MonkeyPatch) -> None:
    original = sim.reference.divided
    patch.setattr(sim.reference, "divided", lambda shares, workers: original(shares[::-1], workers))


@mutant("care counts as missed on the day it is due")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.accounts, "CARE_GRACE_TICKS", 0)


@mutant("a handover costs nothing")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.accounts, "kept_after_handover", lambda begin, handed_over, loss: 1.0)


@mutant("the orders expected are off by a billionth")
def _(patch: pytest.MonkeyPatch) -> None:
    original = rules_accounts.orders_expected
    patch.setattr(sim.accounts, "orders_expected", lambda *args: original(*args) * (1 + 1e-9))


@mutant("instalments are rounded down")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.ledger, "paid_upto", lambda gross, share: int(gross * share))


@mutant("tax is rounded down")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.ledger, "with_vat", lambda value, vat: value + value * vat[0] // 1_000_000)


@mutant("the quality of leads is off by its last bit")
def _(patch: pytest.MonkeyPatch) -> None:
    original = Ledger.lead
    patch.setattr(
        Ledger, "lead", lambda self, lead: original(self, replace(lead, quality=float(np.nextafter(lead.quality, 9.0))))
    )


@mutant("orders are laid at another customer's door")
def _(patch: pytest.MonkeyPatch) -> None:
    original = World.run

    def run(self: World) -> Any:
        log = original(self)
        return replace(log, buyers={order: buyer ^ 1 for order, buyer in log.buyers.items()})

    patch.setattr(World, "run", run)
