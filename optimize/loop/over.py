"""How far above the target quotas should sum, where people respond to their quotas.

Little to do makes people coast, too much makes them give up, so sales are highest somewhere between. The search needs
no model of that: it goes up (or down) in steps while simulated sales rise, then tries half a step on either side.
"""

from __future__ import annotations

from collections.abc import Callable

from optimize.loop.trial import Trial
from optimize.loop.trials import Trials
from optimize.plans import as_plan
from optimize.whole_quotas import whole_quotas

STEPS = (0.1, 0.05)
MOST = 0.6
"""Largest over-assignment that is tried."""


def search_over(trials: Trials, best: Trial, offer: Callable[[Trial, str], bool], room: Callable[[], bool]) -> None:
    """Try other sums of quotas for the decisions of the best plan.

    Args:
        offer: takes a simulated plan where it is better, and tells whether it was.
        room: whether another run may be spent.
    """
    tried = {best.over}
    for step in STEPS:
        for way in (step, -step):
            rose = False
            while room():
                over = round(best.over + way, 6)
                if not 0 <= over <= MOST or over in tried:
                    break
                tried.add(over)
                trial = _at(trials, best, over)
                if not offer(trial, f"quotas at the target {over:+.0%}"):
                    break
                best, rose = trial, True
            if rose:
                break
    trials.assign(best.over)


def _at(trials: Trials, best: Trial, over: float) -> Trial:
    """The same decisions with quotas that sum to target x (1 + over)."""
    trials.assign(over)
    problem = trials.request(best.responses, over)
    decisions = problem.base_decisions()
    _, quotas = whole_quotas(problem, decisions, nearest=True)
    plan = as_plan(trials.scenario, best.responses, problem, decisions, quotas, name="loop", origin="loop")
    return trials.trial(plan)
