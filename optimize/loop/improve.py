"""The closed loop: solve, simulate the plan on the same random numbers, keep it only where the simulation agrees.

A plan's gains are estimated around a plan that was simulated, so they hold near it. Each round solves the programme
inside a trust region around the best plan so far, simulates what comes out on the same random numbers, and accepts it
only if the *simulated* objective rises; the paired difference and its t are reported. A good promise widens the region,
a bad one shrinks it; after a rejection it is half of the step just taken, so that no step is solved for twice. Every
simple rule within the rules is a candidate start.

The loop ends when the programme promises less than a thousandth of the objective, when the region holds no step any
more, or at the limits on rounds and runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from optimize.loop.responses import MOST_RUNS, LoopResponses, Responses
from optimize.loop.run import MOST_ROUNDS, LoopRun, OnRound
from optimize.loop.trace import LoopResult
from optimize.loop.trials import FIRST_LEARNING_YEAR, Progress, Trials
from scenarios.errors import Problem, refuse_if
from scenarios.scenario import Scenario, require_world

__all__ = ["MOST_ROUNDS", "MOST_RUNS", "Responses", "improve"]


def improve(
    scenario: Scenario,
    *,
    replications: int = 200,
    seed: int | None = None,
    workers: int = 1,
    responses: Responses = "auto",
    rounds: int = MOST_ROUNDS,
    first: int = FIRST_LEARNING_YEAR,
    worlds: Sequence[Scenario] = (),
    progress: Progress | None = None,
    on_round: OnRound | None = None,
) -> LoopResult:
    """Improve a plan by simulating, solving, simulating again and correcting.

    Args:
        replications: simulated horizons of each plan; all plans meet the same ones.
        seed: default the scenario's.
        workers: threads; they never change a figure.
        responses: how it is found out what training and accounts bring: ``chain``, the formula; ``differences``,
            the formula set right by simulated differences; ``auto``, the formula audited by a few differences, and
            by more of them where promises fail or reps share leads.
        rounds: most programmes solved.
        first: number of the first horizon; those below are left to the proof.
        worlds: the scenario under other parameters (robust mode): the objective is the mean over them.
        progress: called with horizons simulated and a bound on how many may be needed.
        on_round: called after each round with it and the best plan so far.

    Raises:
        InputRefused: the scenario lacks what an allocation needs, or there is a bad number.
        InfeasiblePlan: no plan satisfies the rules; says which conflict.
    """
    require_world(scenario)
    refuse_if(_bad_numbers(replications, rounds, responses))
    trials = Trials(
        scenario,
        replications=replications,
        first=first,
        seed=seed,
        workers=workers,
        worlds=worlds,
        most_years=MOST_RUNS * replications,
        progress=progress,
    )
    loop = LoopRun(trials, rounds, LoopResponses(trials, responses), on_round)
    loop.run()
    if progress is not None:
        progress(trials.most_years, trials.most_years)
    return loop.result()


def _bad_numbers(replications: int, rounds: int, responses: str) -> list[Problem]:
    found = []
    if replications < 2:
        found.append(Problem("replications", str(replications), "a paired difference needs at least 2 horizons"))
    if not 0 <= rounds <= MOST_ROUNDS:
        found.append(Problem("rounds", str(rounds), f"must be from 0 to {MOST_ROUNDS}"))
    if responses not in get_args(Responses):
        known = ", ".join(get_args(Responses))
        found.append(Problem("responses", responses, "no such way to estimate responses", f"known: {known}"))
    return found
