"""What training costs and brings, rep by rep: hours, money, selling time, and sales by the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimize.problem import AllocationProblem, Decisions
from scenarios.goals import TrainingFloor


@dataclass(frozen=True)
class TrainingValue:
    """Training of one rep; money in minor units.

    Attributes:
        cost: money for the hours.
        share_of_hours: selling hours that it takes, as a share of the rep's working hours in the horizon.
        gain: expected sales above the simulated plan by the model, what the hours displace taken off.
    """

    rep: str
    hours: float
    cost: int
    share_of_hours: float | None
    gain: int


def training_values(problem: AllocationProblem, decisions: Decisions) -> Iterator[TrainingValue]:
    """Everybody who is trained."""
    hours, gain = decisions.training.sum(axis=1), problem.training.gain_at(decisions.training)
    for r in np.flatnonzero(hours > 0).tolist():
        there = float(problem.hours[r])
        share = float(hours[r]) / there if there > 0 else None
        cost = round(float(hours[r]) * problem.training.price)
        yield TrainingValue(problem.reps[r], float(hours[r]), cost, share, round(float(gain[r])))


def without_time(problem: AllocationProblem) -> Iterator[str]:
    """Says whom a floor on training hours asks nothing of: they are not there for so long, or on leave."""
    most = problem.training.most_time(whole=True)
    for rule in problem.rules:
        if isinstance(rule, TrainingFloor):
            short = [r for r in np.flatnonzero(~problem.concerned(rule)).tolist() if problem.reps[r] not in rule.exempt]
            said = ", ".join(f"{problem.reps[r]} ({most[r]:g} h)" for r in short)
            if said:
                yield f"training_floor asks nothing of whose working time takes less than {rule.hours:g} h: {said}"
