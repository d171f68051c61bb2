"""Simulated years from which plans are made, apart from those on which they are judged."""

from __future__ import annotations

from experiments.runs import Progress, plan_of
from optimize.loop.trials import FIRST_LEARNING_YEAR
from scenarios.scenario import Scenario
from sim.outcome import Outcome
from sim.run import simulate

__all__ = ["DEFAULT_YEARS", "FIRST_LEARNING_YEAR", "learning_years"]

DEFAULT_YEARS = 200


def learning_years(
    scenario: Scenario,
    *,
    replications: int = DEFAULT_YEARS,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Outcome:
    """Simulated years of the present plan, from which plans are made; no comparison uses the same years.

    Raises:
        InputRefused: the simulator refuses the scenario.
    """
    return simulate(
        scenario.with_plan(plan_of(scenario)),
        replications=replications,
        first=FIRST_LEARNING_YEAR,
        seed=seed,
        workers=workers,
        progress=progress,
    )
