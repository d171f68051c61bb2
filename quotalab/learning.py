"""Simulated years from which plans are made, apart from those on which they are judged."""

from __future__ import annotations

from experiments.runs import Progress, plan_of
from optimize.loop.trials import FIRST_LEARNING_YEAR
from scenarios.errors import InputRefused, Problem
from scenarios.scenario import Scenario
from sim.outcome import Outcome
from sim.run import simulate

__all__ = ["DEFAULT_YEARS", "FIRST_LEARNING_YEAR", "learning_years"]

DEFAULT_YEARS = 200
FEWEST_YEARS = 2
"""One simulated year shows no spread of sales, and chances are what quotas are split by."""


def learning_years(
    scenario: Scenario,
    outcome: Outcome | None = None,
    *,
    replications: int = DEFAULT_YEARS,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Outcome:
    """Simulated years of the present plan, from which plans are made; no comparison uses the same years.

    Args:
        outcome: years at hand; then nothing is simulated.

    Raises:
        InputRefused: fewer than two years, or the simulator refuses the scenario.
    """
    count = replications if outcome is None else outcome.replications
    if isinstance(count, int) and count < FEWEST_YEARS:
        rule, remedy = f"must be at least {FEWEST_YEARS}: one year shows no chances", f"the default is {DEFAULT_YEARS}"
        raise InputRefused(Problem("replications", str(count), rule, remedy))
    if outcome is not None:
        return outcome
    return simulate(
        scenario.with_plan(plan_of(scenario)),
        replications=replications,
        first=FIRST_LEARNING_YEAR,
        seed=seed,
        workers=workers,
        progress=progress,
    )
