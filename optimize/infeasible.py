"""A request that contradicts itself, told in words: which rules conflict, and the least loosening of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from optimize.decision_locks import DecisionLock, standing_locks
from optimize.fairness_measures import tied
from optimize.giving_way import GivenWay, together
from optimize.loosening import TOTAL, conflicting, culprits, precedence, question, suffices
from optimize.parts.fairness_together import PRODUCT
from optimize.problem import AllocationProblem, with_owners
from optimize.programme.blocks import Programme
from optimize.programme.solve import feasible, settled
from optimize.reach import beyond_one_programme, within_reach
from optimize.rule_words import named, said, size_of
from optimize.rules import rule_name
from optimize.sums_told import sum_named
from optimize.ways_out import Possible, WaysOut
from scenarios.errors import InfeasiblePlan, Said
from scenarios.goals import GiniBound, Spread, TrainingFloor

MOST_FURTHER = 8
"""Conflicts beside the first that are told."""
MOST_BARRED = 20_000
"""Pairs of account and rep up to which rules on who may take an account over are asked whether they stand in the way.
"""
AS_SIMULATED = Said("owners of accounts as in the plan that was simulated", "客户归属保持模拟方案中的安排")
SMALL_WHOLE, SMALL_SAMPLES = 60, 2_000
"""Whole decisions and samples of people up to which amounts are searched by plans where questions leave them open."""
OWNERS_AS_SIMULATED = Said(
    "owners of accounts as in the plan that was simulated: too many others are possible to ask about all",
    "客户归属保持模拟方案中的安排：可选的归属过多，无法逐一检验",
)
WHO = Said("who may take an account over", "可接手客户的人员")
BY_TOTAL = ("potential_band", "group_parity_")
"""Begins the names of rules whose limits are measured against the company's quota over its potential."""


def explain(
    problem: AllocationProblem, possible: Possible, stuck: AllocationProblem | None = None, *, proven: bool = True
) -> InfeasiblePlan:
    """The error for a request without a plan: what conflicts, and the least loosening of each rule in it.

    Where no rule, lock or total of a team can give way alone, those that have to give way together are told, each with
    its amount, and every conflict apart, with what would settle it by itself. The company's total comes first in
    precedence: beside rules that give way, the nearest total that leaves a plan is told wherever there is one.

    Rules on single ratios of quota to potential are left out wherever the others conflict without them. Else they are
    told with the simulated plan's owners, if these conflict as well: dozens of questions about owners and ratios at
    once would take hours. Any rules are told with these owners where there are too many others for one programme:
    amounts suffice with them, and less may with others. The answer says so; of a small request plans tell the least.

    Args:
        possible: whether a changed request has a plan; every way out is put to it before it is told.
        stuck: the request with the decisions held for which no quotas were found, although the programme has some.
        proven: whether it is proven that there is no plan.
    """
    # Steps that the limits on training forbid are possible where these give way.
    floor = max((rule.hours for rule in problem.rules if isinstance(rule, TrainingFloor)), default=0.0)
    problem = replace(problem, training=problem.training.up_to(floor))
    asked, as_simulated = problem, []
    if beyond_one_programme(problem):
        as_simulated.append(OWNERS_AS_SIMULATED)
        problem = within_reach(problem)
    if sum(len(pairs.rep) for pairs in problem.accounts.barred.values()) > MOST_BARRED:
        rules = [said(name) for name in problem.accounts.barred]
        as_simulated.append(_joined(WHO, rules))
        problem = replace(problem, accounts=replace(problem.accounts, barred={}))
    problem = replace(problem, firm=False)
    if stuck is not None:
        return _undecided(asked, replace(within_reach(stuck), firm=False), possible)
    problem, programme, held = _about(problem)
    as_simulated += held
    if not programme.has(PRODUCT) and suffices(programme):
        # Not the rules but the search for exact quotas ended without a plan.
        return _undecided(asked, problem, possible, as_simulated)
    owned = any(text in (AS_SIMULATED, OWNERS_AS_SIMULATED) for text in as_simulated)
    ways = WaysOut(asked, problem, possible, owned, _small(asked))
    conflict = conflicting(programme)
    locks, in_words = standing_locks(problem, conflict)
    loosening = [text for name in conflict if name != TOTAL and (text := ways.alone(programme, name))]
    loosening += [text for lock in locks if (text := ways.unlocked(lock))]
    given = () if loosening else together(problem, programme, size_of)
    by_total = any(name.startswith(BY_TOTAL) for name in conflict)
    total = ways.total() if TOTAL in conflict or by_total or not loosening else None
    implied = TOTAL if total is not None and TOTAL not in conflict else None
    if total is not None:
        loosening = [total, *loosening]
    if total is not None or TOTAL in conflict:
        conflict = [TOTAL, *(name for name in conflict if name != TOTAL)]
    further = list(_further(programme, conflict, [one.rule for one in given]))
    jointly = ways.together(given) if given else []
    if not loosening and not jointly:
        loosening, jointly = ways.last_resorts(conflict)
    others = [standing_locks(problem, names) for names in further]
    several = [(conflict, locks), *((names, more) for names, (more, _) in zip(further, others, strict=True))]
    return InfeasiblePlan(
        [*_names(problem, programme, conflict, implied), *_locked(locks), *in_words, *as_simulated],
        loosening,
        jointly,
        [
            [*_names(problem, programme, names), *_locked(more), *said_too]
            for names, (more, said_too) in zip(further, others, strict=True)
        ],
        [_alone(ways, programme, names, given, more) for names, more in several] if further else (),
        proven=proven,
    )


def _about(problem: AllocationProblem) -> tuple[AllocationProblem, Programme, list[Said]]:
    """The request that questions are put about, its programme, and in which words that is less than all of it."""
    programme = question(problem)
    if not programme.has(PRODUCT):
        return problem, programme, []
    others = problem.with_rules(tuple(rule for rule in problem.rules if not isinstance(rule, Spread | GiniBound)))
    without = question(others)
    if settled(without) is False:
        return others, without, []
    still = with_owners(problem, problem.base_decisions())
    kept = question(still)
    return (problem, programme, []) if feasible(kept) else (still, kept, [AS_SIMULATED])


def _small(problem: AllocationProblem) -> bool:
    """Whether a plan is made in no time, so that many can be tried."""
    return problem.samples.size <= SMALL_SAMPLES and int(question(problem).integer.sum()) <= SMALL_WHOLE


def _locked(locks: Sequence[DecisionLock]) -> list[Said]:
    return [lock.named for lock in locks]


def _undecided(
    asked: AllocationProblem, problem: AllocationProblem, possible: Possible, as_simulated: Sequence[Said] = ()
) -> InfeasiblePlan:
    """The search for exact quotas ended without any: the rules that it ended on, and what leads to a plan.

    Args:
        problem: with the decisions held that the search ended with, where they leave no quotas at all.
    """
    ways, programme = WaysOut(asked, problem, possible), question(problem)
    if suffices(programme):
        conflict = list(dict.fromkeys(name for rule in tied(problem) for name in rule_name(rule)))
        found = [ways.checked(name, 0.0) for name in conflict if size_of(name) is not None]
    else:
        conflict = conflicting(programme)
        found = [ways.alone(programme, name) for name in conflict if name != TOTAL]
    loosening = [text for text in found if text is not None]
    jointly: list[Said] = []
    if not loosening:
        loosening, jointly = ways.last_resorts(conflict)
    return InfeasiblePlan([*_names(problem, programme, conflict), *as_simulated], loosening, jointly, proven=False)


def _alone(
    ways: WaysOut,
    programme: Programme,
    conflict: Sequence[str],
    given: Sequence[GivenWay],
    locks: Sequence[DecisionLock],
) -> list[Said]:
    """What would settle one of several conflicts: the rest of what gives way is left out meanwhile.

    Args:
        locks: on decisions, each of which the conflict takes.
    """
    apart = programme.without([one.rule for one in given if one.rule not in conflict])
    found = [text for name in conflict if name != TOTAL and (text := ways.within(apart, name)) is not None]
    return [*found, *(lock.removed.said for lock in locks)]


def _further(programme: Programme, conflict: Sequence[str], out: Sequence[str]) -> Iterator[list[str]]:
    """Conflicts that are left when those of the first that give way are left out, one after the other.

    Args:
        out: blocks without which a plan is possible.
    """
    gone = [name for name in out if name in conflict]
    for _ in range(MOST_FURTHER):
        if not gone or len(gone) == len(out):
            return
        found = conflicting(programme.without(gone))
        more = [name for name in out if name in found]
        if not more:
            return
        yield found
        gone += more


def _names(
    problem: AllocationProblem, programme: Programme, conflict: Sequence[str], apart: str | None = None
) -> list[Said]:
    """The rules of a conflict in words, with those first who stand in the way.

    Args:
        apart: what is told with them without being one of those that cannot hold together.
    """
    first = culprits(programme, [name for name in conflict if name != apart])
    return [
        sum_named(problem, name) if precedence(name) else named(problem, programme, name, first.get(name, ()))
        for name in conflict
    ]


def _joined(what: Said, of: Sequence[Said]) -> Said:
    english, chinese = ", ".join(one.english for one in of), "、".join(one.chinese for one in of)
    return Said(f"{what.english}: {english}", f"{what.chinese}：{chinese}")
