"""How the loop finds out what training and accounts bring: which method, when more is measured, and at what cost.

``chain`` takes the formula of the funnel with its clearing function, read anew from every plan that is simulated.
``differences`` sets it right by simulated differences around the best start. ``auto`` audits the formula by a few
differences, which tell its error but are too few to set it right: a programme would go for their luck. Where promises
fail, where less than half of the promised rise came true twice, or at the last step where no other is left, it measures
enough of them, and where those fail as well, it goes back to the formula. Where reps share leads, the formula does not
know what one rep takes from another, so ``auto`` measures the company's total from the beginning.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from optimize.loop.differences import measured, measured_in_total, needed_years
from optimize.loop.trial import Trial
from optimize.loop.trials import Trials
from optimize.response.design import leads_are_shared
from optimize.response.fit import Correction

Responses = Literal["auto", "chain", "differences"]

MOST_RUNS = 15
"""Runs of a loop, differences included unless reps share leads."""
PART = 4
"""Differences are measured on this part of the horizons: they need fewer than levels do."""
FEWEST_YEARS = 25
AUDIT = (2, 2)
FULL = (5, 8)
"""Skills trained and packs of moves: of an audit, and of a full measurement."""
LEFT_FOR_ROUNDS = 2
"""Runs that a measurement must leave."""
FAILED = 0.5
"""Share of the promised rise below which a promise has failed."""
FAILURES = 2


class LoopResponses:
    """The correction of the formula that is in force, and when the next one is measured."""

    def __init__(self, trials: Trials, wanted: Responses) -> None:
        self._trials = trials
        self._wanted = wanted
        self._correction: Correction | None = None
        self._failures = 0
        self._failed = False
        self._rest: list[str] = []

    @property
    def correction(self) -> Correction:
        """In force; neutral until something is measured."""
        if self._correction is None:
            raise RuntimeError("nothing was begun")
        return self._correction

    @property
    def last(self) -> Correction | None:
        """The same; None before anything was begun."""
        return self._correction

    def begin(self, trial: Trial) -> None:
        """Measure around the best start what the method asks for."""
        self._correction = Correction.none(trial.problem)
        if self._wanted == "chain" or not _anything_to_move(trial):
            return
        if leads_are_shared(self._trials.scenario):
            self._correction = measured_in_total(self._trials, trial, years=self._years)
            self._rest = ["chain"] if self._wanted == "auto" else []
        elif self._wanted == "differences":
            self._measure(trial, FULL, "differences")
        elif (audit := self._measured(trial, AUDIT, "chain, audited")) is not None:
            neutral = self._correction
            self._correction = replace(neutral, method=audit.method, error=audit.error, measured=audit.measured)
            self._rest = ["differences", "chain"]

    def judge(self, kept: float) -> None:
        """Take note of how much of a promised rise came true."""
        self._failed = kept < FAILED
        self._failures += self._failed

    def ask_more(self, trial: Trial) -> bool:
        """Change to the next method, where one is left that can be paid for; tells whether that was done."""
        while self._rest:
            method = self._rest.pop(0)
            if method == "chain":
                self._correction = Correction.none(trial.problem)
            elif not self._measure(trial, FULL, method):
                continue
            self._failures, self._failed = 0, False
            return True
        return False

    def failing(self, stopped: bool) -> bool:
        """Whether promises fail so that another method is due: twice, or at the last step where no other is left."""
        return self._failures >= FAILURES or (stopped and self._failed)

    def _measure(self, trial: Trial, size: tuple[int, int], method: str) -> bool:
        found = self._measured(trial, size, method)
        self._correction = self._correction if found is None else found
        return found is not None

    def _measured(self, trial: Trial, size: tuple[int, int], method: str) -> Correction | None:
        """Gains set right by so many differences; None where they cannot be paid for."""
        cost, (rounds, packs) = self._trials.cost, size
        needed = needed_years(trial.problem, rounds, packs, self._years) / cost.replications
        if cost.runs_in_all + needed > MOST_RUNS - LEFT_FOR_ROUNDS:
            return None
        return measured(self._trials, trial, rounds=rounds, packs=packs, years=self._years, method=method)

    @property
    def _years(self) -> int:
        replications = self._trials.replications
        return min(max(replications // PART, FEWEST_YEARS), replications)


def _anything_to_move(trial: Trial) -> bool:
    problem = trial.problem
    trainable = problem.training.steps > 0 and problem.training.budget > 0
    return trainable or (problem.accounts.max_moves > 0 and len(problem.accounts.ids) > 0)
