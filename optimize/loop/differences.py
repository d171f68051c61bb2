"""What training and accounts bring, measured by simulating small changes of a plan on the same random numbers.

Where every rep works leads of their own, changes are packed: all reps are trained at once, and each shows its own
effect; moves of accounts are packed so that no rep is touched by two. Where reps share leads, a change shows in the
sales of all, so the company's total is measured under groups of changes. Effects are then used to set the formula's
gains right, see :mod:`optimize.response.fit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimize.loop.trial import Trial
from optimize.loop.trials import Trials
from optimize.problem import AllocationProblem, Decisions, Floats
from optimize.response.design import (
    Training,
    Transfer,
    groups_of_factors,
    matchings,
    screening,
    training_model,
    training_rounds,
    transfer_model,
    transfers,
)
from optimize.response.fit import Correction, Effects, shrunk
from scenarios.scenario import Scenario

MOST_FACTORS = 31
"""So that a screening design has at most 32 runs."""

Row = tuple[float, float, float]


def needed_years(problem: AllocationProblem, rounds: int, packs: int, years: int) -> int:
    """Horizons that :func:`measured` takes at most."""
    trained = min(rounds, len(problem.training.skills)) if problem.training.steps else 0
    return (trained + packs) * years


def measured(trials: Trials, trial: Trial, *, rounds: int, packs: int, years: int, method: str) -> Correction:
    """Gains around a trial set right by differences of each rep's own sales.

    Args:
        rounds: skills in which every rep is trained, one a run.
        packs: runs of packed moves.
        years: horizons of each run.
        method: how the result is called.
    """
    problem = trial.problem
    cells: dict[tuple[int, int], tuple[Training, Row]] = {}
    for changes in training_rounds(problem, _hours(problem), rounds):
        for change, row in _trained(trials, trial, changes, years):
            cells[change.rep, change.skill] = change, row
    moves: list[tuple[Transfer, _Moved]] = []
    for pack in matchings(transfers(problem), packs):
        moves += _transferred(trials, trial, pack, years)
    return _corrected(trials.scenario, problem, cells, moves, method)


def measured_in_total(trials: Trials, trial: Trial, *, years: int) -> Correction:
    """Gains around a trial set right by differences of the company's total, where reps share leads."""
    problem = trial.problem
    changes = (training_rounds(problem, _hours(problem), 1) or [[]])[0]
    found = Correction.none(problem)
    training, beyond, at = found.training.copy(), found.beyond.copy(), found.at.copy()
    before: list[Row] = []
    after: list[Row] = []
    groups = groups_of_factors(len(changes), MOST_FACTORS) if changes else []
    rows = _screened(trials, trial, [[changes[i] for i in group] for group in groups], years) if groups else []
    model = [sum(training_model(problem, changes[i]) for i in group) for group in groups]
    effects = Effects.of([(c, y, s) for c, (y, s) in zip(model, rows, strict=True)])
    fit = shrunk(effects)
    for group, c, rest in zip(groups, model, fit.beyond.tolist(), strict=True):
        for i in group:
            change = changes[i]
            training[change.rep] = fit.scale
            beyond[change.rep, change.skill] = rest / len(group)
            at[change.rep, change.skill] = change.hours
        after.append((fit.scale * c + rest, 0.0, 0.0))
    before += [(c, y, s) for c, (y, s) in zip(model, rows, strict=True)]
    moves = _one_an_account(transfers(problem))[:MOST_FACTORS]
    displaced = found.displaced
    if moves:
        totals = _screened(trials, trial, [[move] for move in moves], years)
        net = [_displaced_more(problem, move) for move in moves]
        worth = [transfer_model(problem, move) + d for move, d in zip(moves, net, strict=True)]
        hours = Effects.of([(d, w - y, s) for d, w, (y, s) in zip(net, worth, totals, strict=True)])
        scale = shrunk(hours).scale
        displaced = np.full(len(problem.reps), scale)
        before += [(w - d, y, s) for w, d, (y, s) in zip(worth, net, totals, strict=True)]
        after += [(w - scale * d, 0.0, 0.0) for w, d in zip(worth, net, strict=True)]
    found = replace(
        found,
        method="differences of the company's total",
        training=training,
        beyond=beyond,
        at=at,
        bend=trials.scenario.skills.training.hours_scale,
        displaced=displaced,
    )
    return _with_errors(found, before, [a[0] for a in after])


def _hours(problem: AllocationProblem) -> float:
    """Hours of a difference: half of what one rep may get, in whole steps."""
    offer = problem.training
    return max(round(offer.cap / 2 / offer.step), 1) * offer.step


def _row(model: float, apart: Floats) -> Row:
    """A modelled effect with the paired difference that measures it, by horizon."""
    error = float(apart.std(ddof=1)) / len(apart) ** 0.5 if len(apart) > 1 else float("inf")
    return model, float(apart.mean()), error


def _trained(trials: Trials, trial: Trial, changes: Sequence[Training], years: int) -> list[tuple[Training, Row]]:
    decisions = _with(trial, changes)
    sales, _, places = trials.part(decisions, trial, years)
    apart = sales - trial.problem.samples[places]
    return [(one, _row(training_model(trial.problem, one), apart[:, one.rep])) for one in changes]


_Moved = tuple[Row, Row, Row, Row]
"""Of a move: what the account sells with the taker, lead sales displaced at the taker, those set free at the giver, and
the change of both reps together."""


def _transferred(trials: Trials, trial: Trial, pack: Sequence[Transfer], years: int) -> list[tuple[Transfer, _Moved]]:
    problem = trial.problem
    sales, accounts, places = trials.part(_with(trial, pack), trial, years)
    was, was_accounts = problem.samples[places], trial.account_sales[places]
    offer = problem.accounts
    found = []
    for move in pack:
        a, r, g = move.account, move.taker, move.giver
        taken = sales[:, r] - was[:, r]
        given = sales[:, g] - was[:, g] if g >= 0 else np.zeros(len(places))
        worth = _row(offer.unit[a, r] * float(offer.base_sales[a]), accounts[:, a])
        lost = _row(offer.displaced[a, r], accounts[:, a] - taken)
        freed = _row(offer.displaced[a, g] if g >= 0 else 0.0, given + was_accounts[:, a] * (g >= 0))
        found.append((move, (worth, lost, freed, _row(transfer_model(problem, move), taken + given))))
    return found


def _with(trial: Trial, changes: Sequence[Training | Transfer]) -> Decisions:
    base = trial.problem.base_decisions()
    training, owner = base.training.copy(), base.owner.copy()
    for one in changes:
        if isinstance(one, Training):
            training[one.rep, one.skill] += one.hours
        else:
            owner[one.account] = one.taker
    return Decisions(owner, training, base.care)


def _screened(
    trials: Trials, trial: Trial, factors: Sequence[Sequence[Training | Transfer]], years: int
) -> list[tuple[float, float]]:
    """Effect of each factor on the company's total sales, and its standard error."""
    signs = screening(len(factors))
    totals = []
    for run in signs:
        changes = [change for factor, sign in zip(factors, run, strict=True) if sign > 0 for change in factor]
        sales, _, _ = trials.part(_with(trial, changes), trial, years)
        totals.append(sales.sum(axis=1))
    contrasts = 2.0 / len(signs) * (signs.T.astype(np.float64) @ np.array(totals))
    return [_row(0.0, contrast)[1:] for contrast in contrasts]


def _displaced_more(problem: AllocationProblem, move: Transfer) -> float:
    """Lead sales that a move displaces at the taker less those it sets free at the giver, by the formula."""
    table, giver = problem.accounts.displaced, move.giver
    return float(table[move.account, move.taker] - (table[move.account, giver] if giver >= 0 else 0.0))


def _one_an_account(moves: Sequence[Transfer]) -> list[Transfer]:
    """The best move of each account, best first."""
    best: dict[int, Transfer] = {}
    for move in moves:
        best.setdefault(move.account, move)
    return list(best.values())


def _corrected(
    scenario: Scenario,
    problem: AllocationProblem,
    cells: dict[tuple[int, int], tuple[Training, Row]],
    moves: Sequence[tuple[Transfer, _Moved]],
    method: str,
) -> Correction:
    found = Correction.none(problem)
    training, beyond, at = found.training.copy(), found.beyond.copy(), found.at.copy()
    fit = shrunk(Effects.of([row for _, row in cells.values()]))
    if cells:
        training[:] = fit.scale
    for (cell, (change, _)), rest in zip(cells.items(), fit.beyond.tolist(), strict=True):
        beyond[cell], at[cell] = rest, change.hours
    count = len(problem.reps)
    worth = _by_rep(count, [(move.taker, parts[0]) for move, parts in moves])
    taken = [(move.taker, parts[1]) for move, parts in moves]
    displaced = _by_rep(count, taken + [(move.giver, parts[2]) for move, parts in moves if move.giver >= 0])
    found = replace(
        found,
        method=method,
        training=training,
        beyond=beyond,
        at=at,
        bend=scenario.skills.training.hours_scale,
        worth=worth,
        displaced=displaced,
    )
    rows = [row for _, row in cells.values()] + [parts[3] for _, parts in moves]
    right = found.applied(problem)
    after = [training_model(right, change) for change, _ in cells.values()]
    return _with_errors(found, rows, after + [transfer_model(right, move) for move, _ in moves])


def _by_rep(count: int, rows: Sequence[tuple[int, Row]]) -> Floats:
    """Scale of each rep's figures, the common one for who was not measured, [R]."""
    model, seen, square = np.zeros(count), np.zeros(count), np.zeros(count)
    for rep, (c, y, s) in rows:
        model[rep] += c
        seen[rep] += y
        square[rep] += s * s
    known = np.flatnonzero(model > 0)
    fit = shrunk(Effects(model[known], seen[known], np.sqrt(square[known])))
    out = np.full(count, fit.scale)
    out[known] = np.maximum(fit.scale + fit.beyond / model[known], 0.0)
    return out


def _with_errors(found: Correction, rows: Sequence[Row], after: Sequence[float]) -> Correction:
    if not rows:
        return found
    effects = Effects.of(rows)
    error = effects.relative_error
    left = replace(effects, model=np.array(after)).relative_error
    told = (None, None) if np.isnan(error) else (error, left)
    return replace(found, error=told[0], left=told[1], measured=len(rows))
