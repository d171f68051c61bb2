"""What the method by prices decides, and what it leaves to branch and bound."""

from __future__ import annotations

from optimize.problem import AllocationProblem


def unsupported(problem: AllocationProblem) -> tuple[str, ...]:
    """What the method cannot decide, in words; empty where it can do all that is asked."""
    asked = {
        "other metrics in the objective or with floors": bool(problem.metrics.weighted)
        or any(metric.floor is not None for metric in problem.metrics.others)
        or any(ratio.floor is not None for ratio in problem.metrics.ratios),
        "a weight of revenue other than one": problem.metrics.revenue_weight != 1.0,
        "limits on accounts of a tier or on moves of a team": bool(problem.accounts.limits),
        "trainers' hours where people can be trained at different times": _trained_apart(problem),
    }
    return tuple(words for words, wanted in asked.items() if wanted)


def _trained_apart(problem: AllocationProblem) -> bool:
    """Whether trainers' hours by period ask more than their sum does."""
    return problem.training.capacity is not None and len(set(problem.training.slots)) > 1
