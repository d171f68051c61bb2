"""How busy people are: the share of their hours that what is asked of them takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from optimize.problem import AllocationProblem, Decisions, Floats


def workloads(problem: AllocationProblem, decisions: Decisions) -> Floats:
    """Workload: share of the working hours left after training that is busy, [R].

    Hours asked for over hours left, cut by the clearing function fitted to the simulated hours: the same measure as the
    busy share that a simulation of the plan shows, so it stays below 1 however much is asked.
    """
    asked = problem.load + problem.leads.hours_at(decisions.shares)
    a = np.flatnonzero(decisions.owner >= 0)
    rep, offer = decisions.owner[a], problem.accounts
    np.add.at(asked, rep, offer.order_hours[a, rep] + offer.care_load[rep] * decisions.care[a])
    left = np.maximum(problem.hours - decisions.training.sum(axis=1), 1e-9)
    return busy_share(asked / left, problem.sharpness)


def busy_share(load: Floats, sharpness: float) -> Floats:
    """Busy share of the hours where this load is asked for: ``load * (1 + load**n) ** (-1/n)``."""
    positive = np.maximum(load, 0.0)
    return np.asarray(positive * (1.0 + positive**sharpness) ** (-1.0 / sharpness))


def load_at(share: float, sharpness: float) -> float:
    """The load at which this share of the hours is busy; infinite from 1 on."""
    if share >= 1.0:
        return float("inf")
    return float(share * (1.0 - share**sharpness) ** (-1.0 / sharpness))


def load_per_share(share: float, sharpness: float) -> float:
    """How much more load a little more of the busy share takes, by one of it: the derivative of :func:`load_at`."""
    return float((1.0 - share**sharpness) ** (-1.0 / sharpness - 1.0))


def load_given_way(limit: float, sign: float, sharpness: float) -> Callable[[float], float]:
    """By how much the load may go further where a limit on the busy share gives way by an amount, over the slope there.

    The busy share rises ever slower with the load, so that this is the amount itself only in the smallest.

    Args:
        limit: below 1.
        sign: 1 for a maximum, -1 for a minimum.
    """
    return partial(_given_way, limit, sign, sharpness)


def _given_way(limit: float, sign: float, sharpness: float, amount: float) -> float:
    to = load_at(max(limit + sign * amount, 0.0), sharpness)
    return math.inf if math.isinf(to) else sign * (to - load_at(limit, sharpness)) / load_per_share(limit, sharpness)
