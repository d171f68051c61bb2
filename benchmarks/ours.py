"""Our side of every benchmark of the engine: the one place that names the engine that is measured."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from scenarios.errors import QuotalabError
from scenarios.scenario import Scenario
from scenarios.theory_worlds import mmc
from sim.log import Log
from sim.outcome import Outcome
from sim.run import simulate, simulate_logs

ENGINE: Final[Any] = "compiled"
REFERENCE: Final[Any] = "simpy"


class Totals(NamedTuple):
    """What one replication came to: counts, and sums of ticks.

    Attributes:
        services: begun within the horizon.
        wait: of services begun within the horizon.
        busy: worked within the horizon.
    """

    leads: int
    services: int
    wins: int
    losses: int
    colds: int
    wait: int
    busy: int


def refused() -> str:
    """Why the engine cannot be measured; empty where it can."""
    try:
        outcome(mmc(1.0, 1.0, 2, 1), seed=1)
    except QuotalabError as error:
        return f"no engine {ENGINE!r}: {error}"
    return ""


def outcome(
    world: Scenario, *, seed: int, first: int = 0, replications: int = 1, workers: int = 1, engine: Any = None
) -> Outcome:
    """Replications as released: build the model, simulate, sum the outcome tables.

    Args:
        engine: another one than :data:`ENGINE`.
    """
    return simulate(world, seed=seed, first=first, replications=replications, workers=workers, engine=engine or ENGINE)


def log(world: Scenario, *, seed: int) -> Log:
    """One replication with its canonical log."""
    chosen: dict[str, Any] = {"engine": ENGINE}
    return simulate_logs(world, seed=seed, **chosen)[0]


def services(found: Outcome) -> int:
    """Services begun, all replications together."""
    return int(found["stage"].company("started").sum())


def totals(found: Outcome) -> Totals:
    """Sums of the first replication."""
    sums = [("source", "leads"), ("stage", "started"), ("source", "won"), ("stage", "lost"), ("stage", "cold")]
    sums += [("stage", "wait_ticks"), ("stage", "busy_ticks")]
    return Totals(*(int(found[kind].company(metric)[0]) for kind, metric in sums))
