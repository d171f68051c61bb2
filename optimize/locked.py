"""Figures fixed by people: read from the scenario, and what they override."""

from __future__ import annotations

from optimize.problem import AllocationProblem, Locks
from scenarios.base import Minor
from scenarios.errors import Problem, refuse_if
from scenarios.goals import Lock
from scenarios.scenario import Scenario


def read_locks(scenario: Scenario, problem: AllocationProblem) -> Locks:
    """The scenario's locks by position.

    Raises:
        InputRefused: a lock speaks of somebody who carries no quota or of an account without an owner, a quota that is
            no amount of money, or two locks that contradict each other.
    """
    found: list[Problem] = []
    locks = Locks({}, {}, {}, {}, {})
    values: dict[str, str] = {}
    for position, lock in enumerate(scenario.allocation.locks):
        where = f"allocation.locks[{position}]"
        shown = str(lock.value)
        if values.setdefault(lock.path, shown) != shown:
            rule = f"{lock.path} is locked at {values[lock.path]} and at {shown}"
            found.append(Problem(where, shown, rule, "keep one of them"))
            continue
        fault = _place(lock, problem, locks)
        if fault:
            found.append(Problem(where, f"{lock.path} = {shown}", fault, "change or remove the lock"))
            continue
        said = f" ({lock.reason})" if lock.reason else ""
        locks.author[lock.path] = f"locked by {lock.author or 'somebody'}{said}"
    refuse_if(found)
    return locks


def _place(lock: Lock, problem: AllocationProblem, locks: Locks) -> str:
    """Put one lock into its table; returns what is wrong with it, empty if nothing."""
    kind, _, subject = lock.path.partition(".")
    skill = ""
    if kind == "training":
        subject, _, skill = subject.rpartition(".")
    if kind in ("quota", "training"):
        if subject not in problem.reps:
            return f"{subject} carries no quota"
        rep = problem.reps.index(subject)
        if kind == "training":
            if float(lock.value) > problem.hours[rep]:
                return f"{subject} has {problem.hours[rep]:,.0f} working hours over the horizon"
            locks.training[rep, problem.training.skills.index(skill)] = float(lock.value)
            return ""
        try:
            locks.quota[rep] = float(Minor.of(lock.value))
        except ValueError as error:
            return str(error)
        return ""
    if subject not in problem.accounts.ids:
        return f"account {subject} has no owner today; ownership and care are allocated for owned accounts only"
    account = problem.accounts.ids.index(subject)
    if kind == "care":
        if (problem.accounts.care_load * float(lock.value) > problem.hours).all():
            return f"nobody has so many hours; {problem.hours.max():,.0f} over the horizon is the most"
        locks.care[account] = float(lock.value)
        return ""
    if str(lock.value) not in problem.reps:
        return f"{lock.value} carries no quota"
    locks.owner[account] = problem.reps.index(str(lock.value))
    return ""


def excuse(problem: AllocationProblem, rep: int | None) -> str:
    """Who locked a figure that a rule on this rep may have to give way to; empty where nobody did."""
    locks, authors = problem.locks, problem.locks.author
    if rep is None:
        return "; ".join(dict.fromkeys(authors.values()))
    mine = []
    if rep in locks.quota:
        mine.append(f"quota.{problem.reps[rep]}")
    mine += [f"owner.{problem.accounts.ids[a]}" for a, owner in locks.owner.items() if owner == rep]
    mine += [f"care.{problem.accounts.ids[a]}" for a in locks.care if problem.accounts.today[a] == rep]
    mine += [f"training.{problem.reps[r]}.{problem.training.skills[k]}" for r, k in locks.training if r == rep]
    return "; ".join(f"{path} {authors[path]}" for path in mine if path in authors)
