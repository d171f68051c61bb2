"""Requests with too many owners to choose among for one programme, and the same with owners as simulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.pairs import Pairs, as_pairs
from optimize.parts.accounts import possible_pairs
from optimize.problem import AllocationProblem

OUT_OF_REACH = 20_000
"""Pairs of account and candidate beyond which no programme with all of them is built: it takes gigabytes and hours."""


def open_pairs(problem: AllocationProblem) -> int:
    """Pairs of account and candidate where there is a choice."""
    candidates = np.diff(possible_pairs(problem).start)
    return int(candidates[candidates > 1].sum())


def beyond_one_programme(problem: AllocationProblem) -> bool:
    """Whether no programme with all owners to choose among is built."""
    return open_pairs(problem) > OUT_OF_REACH


def within_reach(problem: AllocationProblem) -> AllocationProblem:
    """The request, or where that is beyond one programme, the request with owners as simulated or locked.

    Whoever may not own what she owned in the simulation leaves the choice open. A plan of it is one of the request;
    that it has none says nothing of other owners.
    """
    if not beyond_one_programme(problem):
        return problem
    offer = problem.accounts
    pairs = as_pairs(offer.allowed)
    stays = pairs.rep == offer.base[pairs.account]
    settled = np.bincount(pairs.account[stays], minlength=len(offer.ids)) > 0
    if offer.house is not None:
        settled |= offer.house & (offer.base < 0)
    kept = stays | ~settled[pairs.account]
    allowed = Pairs.of(pairs.account[kept], pairs.rep[kept], pairs.shape)
    return replace(problem, accounts=replace(offer, allowed=allowed, barred={}))
