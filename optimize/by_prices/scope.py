"""What the method by prices decides, and what it leaves to branch and bound."""

from __future__ import annotations

import numpy as np

from optimize.metrics import Metric
from optimize.parts.accounts import may_rest, possible_pairs
from optimize.problem import AllocationProblem


def unsupported(problem: AllocationProblem) -> tuple[str, ...]:
    """What the method cannot decide, in words; empty where it can do all that is asked.

    A weight of revenue is a scale, and a metric that no decision moves has quotas of its own: with both, the best
    decisions are those for revenue alone.
    """
    metrics = problem.metrics
    moved = [metric.name for metric in metrics.weighted if _moves(problem, metric)]
    floors = [metric.name for metric in metrics.others if metric.floor is not None]
    floors += ["revenue"] if metrics.revenue_floor is not None else []
    floors += [ratio.name for ratio in metrics.ratios if ratio.floor is not None]
    asked = {
        f"other metrics in the objective that owners, care or training move ({', '.join(moved)})": bool(moved),
        f"floors of other metrics ({', '.join(floors)})": bool(floors),
        "shares of new leads": bool(problem.leads),
        "an objective without revenue": metrics.revenue_weight <= 0.0,
        "trainers' hours where people can be trained at different times": _trained_apart(problem),
    }
    return tuple(words for words, wanted in asked.items() if wanted)


def _moves(problem: AllocationProblem, metric: Metric) -> bool:
    """Whether what is expected of a metric depends on decisions."""
    offer, training = problem.accounts, problem.training
    choices = np.diff(possible_pairs(problem).start) + may_rest(problem)
    owners = bool((choices > 1).any()) or offer.care_budget is not None
    trained = bool((training.gain != 0.0).any()) and training.most > 0.0
    # Hours of accounts displace leads, so that owners and care move what leads bring, too.
    return (bool(np.any(metric.rates.account)) and owners) or (
        bool((metric.rates.lead != 0.0).any()) and (owners or trained)
    )


def _trained_apart(problem: AllocationProblem) -> bool:
    """Whether trainers' hours by period ask more than their sum does."""
    offer = problem.training
    if offer.capacity is None:
        return False
    return len(set(offer.slots)) > 1 or bool((offer.most_time(whole=True) < offer.cap).any())
