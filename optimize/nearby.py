"""Decisions beside those of a programme whose own leave no exact quotas, though its quotas keep the rules.

Care enters a programme by pieces of its curves. Where a rule is better served by lower gains, the programme may fill
flat pieces before steep ones: then the same hours really bring more than it counted, and exact quotas miss the totals.
The hours that bring what it counted are fewer, so that they stay within every budget.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.audit import audit
from optimize.model import Model, label_pairs
from optimize.parts.accounts import CARE
from optimize.problem import AllocationProblem, Decisions, Floats
from optimize.programme.curves import as_it_is, enveloped
from optimize.quotas import possible_quotas
from optimize.whole_quotas import kept_quotas

BACK = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Parts of the care hours that are given back in turn, until exact quotas keep the rules."""


def with_exact_quotas(
    problem: AllocationProblem, model: Model, values: Floats, decisions: Decisions, *, whole: bool = False
) -> Decisions | None:
    """Decisions with the hours of care that a solution counted, or a few less; None where none leaves quotas.

    Args:
        whole: whether the quotas must be there in whole steps.
    """
    leaves = leaves_whole_quotas if whole else leaves_quotas
    if leaves(problem, decisions):
        return decisions
    if problem.accounts.care_budget is None:
        return None
    hours = _counted(problem, model, values, decisions)
    locked = problem.locks.care
    for part in BACK:
        care = hours * (1.0 - part)
        care[list(locked)] = list(locked.values())
        tried = replace(decisions, care=care)
        if leaves(problem, tried):
            return tried
    return None


def leaves_quotas(problem: AllocationProblem, decisions: Decisions) -> bool:
    """Whether there are exact quotas under which decisions keep every rule, but for locks."""
    quotas = possible_quotas(problem, decisions)
    return quotas is not None and all(row.kept or row.exception for row in audit(problem, decisions, quotas))


def leaves_whole_quotas(problem: AllocationProblem, decisions: Decisions) -> bool:
    """The same in whole steps."""
    return leaves_quotas(problem, decisions) and kept_quotas(problem, decisions).kept


def _counted(problem: AllocationProblem, model: Model, values: Floats, decisions: Decisions) -> Floats:
    """The fewest hours of care on each account that bring its owner what the solution counted, [A]."""
    offer, out = problem.accounts, decisions.care.copy()
    at = {account: a for a, account in enumerate(offer.ids)}
    rep_at = {rep: r for r, rep in enumerate(problem.reps)}
    filled: dict[tuple[int, int], list[float]] = {}
    for block in model.programme.columns:
        if block.name == CARE:
            for (account, rep), value in zip(label_pairs(block), values[block.index].tolist(), strict=True):
                filled.setdefault((at[account], rep_at[rep]), []).append(value)
    cut = as_it_is if model.bends else enveloped
    for (a, r), hours in filled.items():
        if r != decisions.owner[a]:
            continue
        pieces = cut(offer.curves[a].sales, model.knots[a]).pieces
        net = offer.unit[a, r] * pieces.slope - offer.hour_price[r] * offer.care_load[r]
        reached = np.concatenate([[0.0], np.cumsum(net * pieces.width)])
        spent = np.concatenate([[0.0], np.cumsum(pieces.width)])
        best = int(np.argmax(reached))
        if best:
            out[a] = min(out[a], float(np.interp(net @ np.array(hours), reached[: best + 1], spent[: best + 1])))
    return out
