"""Figures fixed by people: read from the scenario, and what they override."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from optimize.locked_quotas import LockedQuotas
from optimize.problem import AllocationProblem, Locks
from optimize.response.estimate import Responses
from scenarios.base import Minor
from scenarios.errors import Problem, refuse_if
from scenarios.goals import Level, Lock, Target
from scenarios.lock_paths import LockedQuota, locked_quota
from scenarios.plan import is_money
from scenarios.scenario import Scenario


def read_locks(scenario: Scenario, problem: AllocationProblem, responses: Responses) -> Locks:
    """The scenario's locks by position.

    Raises:
        InputRefused: a lock speaks of somebody who carries no quota, of an account without an owner, of a metric or
            level that no target asks for or of a day on which no period begins; a quota that is no amount of its
            metric; locks that contradict each other.
    """
    reader = _Reader(scenario, problem, responses)
    found: list[Problem] = []
    values: dict[str, str] = {}
    for position, lock in enumerate(scenario.allocation.locks):
        where = f"allocation.locks[{position}]"
        shown = str(lock.value)
        if values.setdefault(lock.path, shown) != shown:
            rule = f"{lock.path} is locked at {values[lock.path]} and at {shown}"
            found.append(Problem(where, shown, rule, "keep one of them"))
            continue
        said = f" ({lock.reason})" if lock.reason else ""
        author = f"locked by {lock.author or 'somebody'}{said}"
        fault = reader.place(lock, author)
        if fault:
            found.append(Problem(where, f"{lock.path} = {shown}", fault, "change or remove the lock"))
            continue
        reader.locks.author[lock.path] = author
    refuse_if([*found, *reader.contradictions()])
    return reader.locks


class _Reader:
    """Puts locks into their tables, one by one."""

    def __init__(self, scenario: Scenario, problem: AllocationProblem, responses: Responses) -> None:
        self.problem, self.responses = problem, responses
        self.locks = Locks({}, {}, {}, {}, {}, {}, frozenset(), {})
        self.asked = {(target.metric, level) for target in scenario.goals.targets for level in _levels(target)}

    def place(self, lock: Lock, author: str) -> str:
        """Put one lock into its table; returns what is wrong with it, empty if nothing."""
        kind, _, subject = lock.path.partition(".")
        try:
            quota = locked_quota(lock.path, self.problem.reps)
            if quota is not None:
                return self._quota(quota, lock, author)
        except ValueError as error:
            return str(error)
        if kind == "training":
            rep, _, skill = subject.rpartition(".")
            return self._training(rep, skill, float(lock.value))
        if subject not in self.problem.accounts.ids:
            return f"account {subject} has no owner today; ownership and care are allocated for owned accounts only"
        account = self.problem.accounts.ids.index(subject)
        return self._care(account, float(lock.value)) if kind == "care" else self._owner(account, str(lock.value))

    def contradictions(self) -> list[Problem]:
        """Locked periods against locked quotas; fills in what locked periods of revenue mean for the year."""
        problems: list[Problem] = []
        others = {metric.name: metric.carried for metric in self.problem.metrics.others}
        for (_, metric), locked in self.locks.quotas.items():
            carried = np.asarray(self.responses.season > 0) if metric == "revenue" else others[metric]
            problems += locked.settled(carried)[1]
        revenue = self.locks.of("revenue").settled(np.asarray(self.responses.season > 0))[0]
        least = revenue.least(len(self.problem.reps))
        self.locks.quota.update({r: float(value) for r, value in revenue.whole.items()})
        self.locks.least.update({r: float(least[r]) for r in np.flatnonzero(least).tolist()})
        return problems

    def _quota(self, quota: LockedQuota, lock: Lock, author: str) -> str:
        problem, metric = self.problem, quota.metric
        if quota.rep not in problem.reps:
            return f"{quota.rep} carries no quota"
        if metric != "revenue" and metric not in [other.name for other in problem.metrics.others]:
            return f"no target asks for {metric}"
        if quota.level != "target" and (metric, quota.level) not in self.asked:
            return f"no target of {metric} has a {quota.level}"
        value = Minor.of(lock.value) if is_money(metric) else _count(metric, lock.value)
        rep, period = problem.reps.index(quota.rep), None
        if quota.start is not None:
            firsts = [one.first for one in self.responses.periods]
            if quota.start not in firsts:
                near = min(firsts, key=lambda day: abs((day - (quota.start or day)).days))
                return f"no reporting period begins on {quota.start}; the nearest begins on {near}"
            period = firsts.index(quota.start)
        key = quota.level, metric
        known = self.locks.quotas.get(key, LockedQuotas(metric))
        told = {**known.told, rep: (*known.told.get(rep, ()), f"{lock.path} {author}")}
        if period is None:
            self.locks.quotas[key] = replace(known, whole={**known.whole, rep: int(value)}, told=told)
        else:
            self.locks.quotas[key] = replace(known, cells={**known.cells, (rep, period): int(value)}, told=told)
        return ""

    def _training(self, rep: str, skill: str, hours: float) -> str:
        if rep not in self.problem.reps:
            return f"{rep} carries no quota"
        r = self.problem.reps.index(rep)
        if hours > self.problem.hours[r]:
            return f"{rep} has {self.problem.hours[r]:,.0f} working hours over the horizon"
        self.locks.training[r, self.problem.training.skills.index(skill)] = hours
        return ""

    def _care(self, account: int, hours: float) -> str:
        if (self.problem.accounts.care_load * hours > self.problem.hours).all():
            return f"nobody has so many hours; {self.problem.hours.max():,.0f} over the horizon is the most"
        self.locks.care[account] = hours
        return ""

    def _owner(self, account: int, rep: str) -> str:
        if rep not in self.problem.reps:
            return f"{rep} carries no quota"
        self.locks.owner[account] = self.problem.reps.index(rep)
        return ""


def _levels(target: Target) -> Iterator[Level]:
    """Levels that a target has figures for."""
    yield "target"
    if target.floor is not None:
        yield "floor"
    if target.stretch is not None:
        yield "stretch"


def _count(metric: str, value: float | str) -> int:
    if float(value) != int(float(value)):
        raise ValueError(f"{metric} is a count: give a whole number")
    return int(float(value))


def excuse(problem: AllocationProblem, rep: int | None) -> str:
    """Who locked a figure that a rule on this rep may have to give way to; empty where nobody did."""
    locks, authors = problem.locks, problem.locks.author
    if rep is None:
        return "; ".join(dict.fromkeys(authors.values()))
    mine = []
    said = list(locks.of("revenue").told.get(rep, ()))
    mine += [f"owner.{problem.accounts.ids[a]}" for a, owner in locks.owner.items() if owner == rep]
    mine += [f"care.{problem.accounts.ids[a]}" for a in locks.care if problem.accounts.today[a] == rep]
    mine += [f"training.{problem.reps[r]}.{problem.training.skills[k]}" for r, k in locks.training if r == rep]
    return "; ".join([*said, *(f"{path} {authors[path]}" for path in mine if path in authors)])
