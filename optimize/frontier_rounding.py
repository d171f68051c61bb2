"""Whole owners from a relaxation, by searches that are small beside the programme's own.

Most columns of a programme with care are pieces of hours, one set for each account and candidate. Where the hours that
each candidate would give an account are settled, what is left to search are owners and training, in a hundredth of the
columns; the hours are decided again once owners are whole.
"""

from __future__ import annotations

import numpy as np

from optimize.model import Model, read_decisions
from optimize.pairs import PairLabels
from optimize.parts.accounts import GATE, OWNER
from optimize.parts.fairness_together import PRODUCT
from optimize.problem import Floats, Ints
from optimize.programme.blocks import Columns, Programme
from optimize.programme.following import following
from optimize.programme.solve import Solution, searched, solve

NODES, ROUNDS = 60, 20
"""Where the search of owners under settled hours ends."""
SEEN = 1e-6
"""Part of an account below which the relaxation does not tell the hours that go with it."""


def by_largest_part(model: Model, relaxed: Solution, gap: float) -> Floats | None:
    """Columns of a plan with each account at the owner who has the largest part of it; None where that leaves none."""
    if not model.programme.has(OWNER):
        return _completed(model.programme, gap)
    block, labels = _owners(model.programme)
    owner = read_decisions(model.problem, model, relaxed.values).owner
    part = (owner[labels.first] == labels.second).astype(np.float64)
    return _completed(model.programme.fixed(block.index, part), gap)


def by_settled_hours(model: Model, relaxed: Solution, asked: float, gap: float) -> Floats | None:
    """Columns of a plan with the best whole owners where candidates give the hours that the relaxation calls for.

    None where care is no decision, where none were found, or where quota over potential is told by products with
    owners: these leave such a search as hard as the programme's own.

    Args:
        asked: how far below the search's own bound owners are good enough, in units of the programme.
        gap: relative gap of what is decided once owners are.
    """
    programme = model.programme
    care, owner = _gates(programme)
    if not len(care) or programme.has(PRODUCT):
        return None
    hours = _hours(programme, relaxed, care, owner)
    found = searched(following(programme, care, owner, hours), asked, NODES, rounds=ROUNDS)
    if found.values is None:
        return None
    block, _ = _owners(programme)
    return _completed(programme.fixed(block.index, np.round(found.values[block.index])), gap)


def _completed(programme: Programme, gap: float) -> Floats | None:
    """All other decisions of a programme in which owners are settled."""
    solution = solve(programme, gap)
    return None if solution.status == "infeasible" else solution.values


def _owners(programme: Programme) -> tuple[Columns, PairLabels]:
    block = programme.block(OWNER)
    if not isinstance(block.labels, PairLabels):
        raise TypeError("the labels of owners are pairs")
    return block, block.labels


def _gates(programme: Programme) -> tuple[Ints, Ints]:
    """Columns of care that need an owner who is still to be chosen, and the column of that owner."""
    care, owner = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for rows in programme.rows:
        if rows.rule == GATE:
            e = rows.expression
            opens = e.coef < 0
            by_row = np.full(e.count, -1, dtype=np.int64)
            by_row[e.row[opens]] = e.col[opens]
            care.append(e.col[~opens])
            owner.append(by_row[e.row[~opens]])
    return np.concatenate(care), np.concatenate(owner)


def _hours(programme: Programme, relaxed: Solution, care: Ints, owner: Ints) -> Floats:
    """Hours of each piece of care if its owner had the whole account, by piece.

    As in the relaxation where the owner has a part of the account, else by its prices.
    """
    part, width = relaxed.values[owner], programme.upper[care]
    as_relaxed = relaxed.values[care] / np.maximum(part, SEEN)
    by_prices = np.where(worth_at_prices(programme, relaxed)[care] > 0.0, width, 0.0)
    return np.clip(np.where(part > SEEN, as_relaxed, by_prices), 0.0, width)


def worth_at_prices(programme: Programme, relaxed: Solution) -> Floats:
    """What a unit of each column is worth beyond what it costs at the relaxation's prices, gates of care left out."""
    worth = programme.objective.copy()
    for rows, prices in zip(programme.rows, relaxed.duals, strict=True):
        if rows.rule != GATE:
            e = rows.expression
            worth -= np.bincount(e.col, weights=prices[e.row] * e.coef, minlength=programme.size)
    return worth
