"""Which rules conflict, and how each gives way: searches over a programme's named rule blocks.

Questions are put to the programme without whole accounts and steps first, which answers at once. Only where that is
possible is it asked with them, and such a search ends at a limit on nodes: what it leaves open counts as *not possible*
when an amount is to suffice, and as *possible* when a rule is to be blamed, so that nothing is claimed that was not
proven.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from optimize.model import Model, build, first_knots, segments_for
from optimize.problem import AllocationProblem, Floats
from optimize.programme.blocks import Programme, Rows
from optimize.programme.solve import Solution, SolverError, Warm, feasible, refuted, settled, solve
from scenarios.goals import EqualOdds, FairnessRule, MinimumAttainment, MinimumChance, WorstOff

PIECES = 8
MOST_SUBJECTS = 40
"""People, teams and periods of a conflict up to whom it is asked which of them it takes."""
TOTAL = "company_total"

COARSE = 6
"""Of how many cuts of a care curve one is kept: a plan that is possible with few is possible with all."""

Family = Callable[[float], Programme]
"""A programme by how far a rule gives way."""


Question = Callable[[AllocationProblem], Programme]
"""The programme of a request that is asked whether there is a plan."""


def question(problem: AllocationProblem, quotas: bool = True, unit: float | None = None) -> Programme:
    """The programme that is asked whether there is a plan: few pieces, so that many questions can be put."""
    return question_model(problem, quotas, unit).programme


def question_model(problem: AllocationProblem, quotas: bool = True, unit: float | None = None) -> Model:
    """The same with what its columns stand for."""
    few = tuple(np.unique(np.append(knots[::COARSE], knots[-1])) for knots in first_knots(problem))
    if few:
        few = tuple(map(_onwards, few, first_knots(problem, within_budget=False)))
    return build(problem, segments=PIECES, knots=few, quotas=quotas, unit=unit)


def fine_question(problem: AllocationProblem) -> Programme:
    """The same with as many pieces as a plan is made with, so that an amount is no more than it has to be."""
    return build(problem, segments=segments_for(problem), knots=first_knots(problem, within_budget=False)).programme


def told_in_pieces(problem: AllocationProblem) -> bool:
    """Whether few pieces make a difference, in a company small enough for many."""
    of_pieces = any(isinstance(rule, MinimumAttainment | WorstOff) for rule in problem.rules)
    return (of_pieces or problem.accounts.care_budget is not None) and segments_for(problem) is None


def _onwards(cuts: Floats, further: Floats) -> Floats:
    """Cuts of a care curve with the few beyond the budget: hours do nothing there unless the budget gives way."""
    beyond = further[further > cuts[-1] + 1e-6]
    return cuts if not len(beyond) else np.unique(np.concatenate([cuts, beyond[:: -2 * COARSE]]))


def conflicting(programme: Programme) -> list[str]:
    """Names of a smallest set of rule blocks that cannot hold together (no proper subset of it is proven to conflict).

    A deletion filter: each block in turn is left out for good if what remains still cannot hold (Chinneck and Dravnieks
    1991). Rules are tried before totals and locks, so that what comes first in precedence is blamed last. A proof in
    rows answers for every block that it does without, so that this needs no solve of its own.
    """
    shared = relaxed(programme)
    proof = refuted(shared)
    if proof is not None or not feasible(shared):
        programme = shared
    names = list(dict.fromkeys(rows.rule for rows in programme.rows if not rows.kept))
    dropped: list[str] = []
    for name in sorted(names, key=precedence):
        if proof is not None and name not in proof:
            dropped.append(name)
            continue
        rest = programme.without([*dropped, name])
        found = None if programme.integer.any() else refuted(rest)
        if found is not None or settled(rest) is False:
            proof = proof if found is None else found
            dropped.append(name)
    return [name for name in names if name not in dropped]


def culprits(programme: Programme, conflict: Sequence[str]) -> dict[str, frozenset[str]]:
    """Of the rules of a conflict, the subjects that cannot have it together: no smaller set of them is proven to.

    Empty where accounts that are shared would settle it, so that only whole ones conflict; and beyond
    :data:`MOST_SUBJECTS` of them, where all in one proof are taken.
    """
    names = {rows.rule for rows in programme.rows if not rows.kept}
    alone = relaxed(programme).without([name for name in names if name not in conflict])
    proof = refuted(alone)
    if proof is None:
        return {}
    found = {name: proof.get(name, frozenset()) for name in conflict}
    if sum(map(len, found.values())) > MOST_SUBJECTS:
        return found
    for name in conflict:
        for subject in sorted(found[name]):
            if subject not in found[name] or len(found[name]) == 1:
                continue
            fewer = refuted(_about(alone, found | {name: found[name] - {subject}}))
            if fewer is not None:
                found = {one: fewer.get(one, frozenset()) for one in conflict}
    return found


def _about(programme: Programme, subjects: Mapping[str, frozenset[str]]) -> Programme:
    """The programme with these rules' rows for these subjects alone; rows of other rules stay as they are."""
    rows = []
    for block in programme.rows:
        if block.rule not in subjects or block.kept:
            rows.append(block)
            continue
        keep = np.flatnonzero([who in subjects[block.rule] for who in block.subjects])
        if len(keep):
            names = tuple(block.subjects[i] for i in keep.tolist())
            expression, lower, upper = block.expression.pick(keep), block.lower[keep], block.upper[keep]
            rows.append(Rows(block.rule, names, expression, lower, upper, None, block.kept))
    return replace(programme, rows=tuple(rows))


def precedence(name: str) -> int:
    """Rank of a block: the company's total, then locks, then team totals, then rules (rule R17)."""
    if name == TOTAL:
        return 3
    if name.startswith("locked "):
        return 2
    return 1 if name.startswith("team_total") else 0


def relaxed(programme: Programme) -> Programme:
    """The programme in which accounts can be shared and steps cut."""
    return replace(programme, integer=np.zeros_like(programme.integer))


def answered(programme: Programme, warm: Warm | None = None) -> Solution | None:
    """The best of a programme without its integers; None where there is none, or figures too far apart for an answer.

    Args:
        warm: what to begin from.
    """
    asked = relaxed(programme)
    try:
        solution = solve(asked) if warm is None else warm.again(asked)
    except SolverError:
        return None
    return None if solution.status == "infeasible" else solution


def suffices(programme: Programme) -> bool:
    """Whether it is proven that some values satisfy the programme."""
    possible = answered(programme.relaxed_objective()) is not None
    return possible and (not programme.integer.any() or settled(programme) is True)


def family_of(
    problem: AllocationProblem,
    programme: Programme,
    rule: str,
    without: list[str] | None = None,
    ask: Question = question,
) -> Family | None:
    """The programme by how far a rule gives way; None where it cannot by degrees.

    Args:
        without: blocks that the programme leaves out already, so that rows made anew leave them out as well.
        ask: how rows are made anew.
    """
    if rule in LEVELLED:
        # Their room is a quantile of samples, so that the rows are made anew; those of the other rules stay.
        change = LEVELLED[rule]
        gone = {rows.rule for rows in ask(problem).rows} - {r.rule for r in programme.rows}

        def levelled(amount: float) -> Programme:
            made = ask(change(problem, amount))
            return made.without([*(without or []), *gone])

        return levelled
    if not any(rows.rule == rule and rows.loosen is not None for rows in programme.rows):
        return None
    return partial(programme.loosened, rule)


def straight(programme: Programme, rule: str) -> bool:
    """Whether a rule's room depends on nothing that is decided and grows in proportion: giving way is a column."""
    rooms = [(rows.loosen, rows.bend) for rows in programme.rows if rows.rule == rule]
    return rule not in LEVELLED and all(room is not None and not len(room.col) and bend is None for room, bend in rooms)


def chance_lowered(problem: AllocationProblem, amount: float) -> AllocationProblem:
    """The request with the minimum chance to make quota lower by this much."""
    return _changed(problem, MinimumChance, "chance", -amount)


def odds_widened(problem: AllocationProblem, amount: float) -> AllocationProblem:
    """The request with a range of chances wider by this much."""
    return _changed(problem, EqualOdds, "width", amount)


def _changed(problem: AllocationProblem, kind: type[FairnessRule], field: str, by: float) -> AllocationProblem:
    def moved(rule: FairnessRule) -> FairnessRule:
        if not isinstance(rule, kind):
            return rule
        return rule.model_copy(update={field: min(max(getattr(rule, field) + by, 0.0), 1.0)})

    return problem.with_rules(tuple(moved(rule) for rule in problem.rules))


LEVELLED: dict[str, Callable[[AllocationProblem, float], AllocationProblem]] = {
    "min_chance": chance_lowered,
    "equal_odds": odds_widened,
}
"""Rules on chances, with how they are loosened."""
