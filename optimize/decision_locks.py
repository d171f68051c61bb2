"""Locks on owners, training, care and shares of leads as parts of a contradiction: which stand in the way, in words.

The programme has no rows for them, since what they fix is no decision there. So each is taken off in the request, and
the question put anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from optimize.easing import Change, Way
from optimize.loosening import question
from optimize.problem import AllocationProblem
from optimize.programme.solve import settled
from optimize.reach import beyond_one_programme
from scenarios.errors import Said

MOST = 400
"""Locks up to which it is asked which of them a contradiction takes."""
LOCKS = Said("locks on owners, training, care or shares of leads", "客户归属、培训、服务工时或线索份额的锁定值")


@dataclass(frozen=True)
class DecisionLock:
    """One lock on a decision.

    Attributes:
        path: as in the scenario; ``value``: as it is told; ``author``: who locked it.
        change: of a request, in which the lock is taken off.
    """

    path: str
    value: str
    author: str
    change: Change

    @property
    def named(self) -> Said:
        """The lock with its value and its author."""
        told = self.author.replace("locked by ", "锁定人：", 1)
        return Said(f"{self.path} = {self.value}, {self.author}", f"{self.path} = {self.value}，{told}")

    @property
    def removed(self) -> Way:
        """The way out that takes it off."""
        return Way(Said(f"the lock {self.path}: remove it", f"锁定值 {self.path}：取消"), self.change)


def decision_locks(problem: AllocationProblem) -> Iterator[DecisionLock]:
    """Each lock on an owner, training, care or a share of leads that somebody put on."""
    locks, offer, reps = problem.locks, problem.accounts, problem.reps
    every: list[tuple[str, Any, str, str]] = [
        ("owner", a, f"owner.{offer.ids[a]}", reps[rep]) for a, rep in locks.owner.items()
    ]
    for (r, k), hours in locks.training.items():
        every.append(("training", (r, k), f"training.{reps[r]}.{problem.training.skills[k]}", f"{hours:g}"))
    every += [("care", a, f"care.{offer.ids[a]}", f"{hours:g}") for a, hours in locks.care.items()]
    for (s, r), share in locks.shares.items():
        every.append(("shares", (s, r), f"share.{problem.leads.sources[s]}.{reps[r]}", f"{share:g}"))
    for kind, key, path, value in every:
        if path in locks.author:
            yield DecisionLock(path, value, locks.author[path], _without(kind, key))


def _without(kind: str, key: object) -> Change:
    def change(problem: AllocationProblem) -> AllocationProblem:
        left: Any = {at: value for at, value in getattr(problem.locks, kind).items() if at != key}
        return replace(problem, locks=replace(problem.locks, **{kind: left}))

    return change


def standing_locks(problem: AllocationProblem, conflict: Collection[str]) -> tuple[list[DecisionLock], list[Said]]:
    """A smallest set of locks on decisions without which the rules of a conflict would hold together.

    A deletion filter over groups of locks that are halved: a group that the contradiction does without is left out.

    Args:
        conflict: names of row blocks that cannot hold together with all of these locks.

    Returns:
        The locks, and what else is to be said: that some of them are in the way, where there are too many to ask.
    """
    every = list(decision_locks(problem))
    if not every:
        return [], []
    out: list[DecisionLock] = []
    if _still(problem, every, conflict):
        return [], []
    if len(every) > MOST:
        return [], [LOCKS]
    kept: list[DecisionLock] = []
    groups = [every]
    while groups:
        group = groups.pop()
        if _still(problem, [*out, *group], conflict):
            out += group
        elif len(group) == 1:
            kept += group
        else:
            middle = len(group) // 2
            groups += [group[middle:], group[:middle]]
    return kept, []


def _still(problem: AllocationProblem, without: Sequence[DecisionLock], conflict: Collection[str]) -> bool:
    """Whether these rules are proven to conflict without some locks."""
    asked = reduce(lambda request, lock: lock.change(request), without, problem)
    if beyond_one_programme(asked):
        return False
    programme = question(asked)
    names = {rows.rule for rows in programme.rows if not rows.kept}
    return settled(programme.without([name for name in names if name not in conflict])) is False
