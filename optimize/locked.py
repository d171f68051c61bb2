"""Figures fixed by people: read from the scenario, and what they override."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from optimize.lead_offer import LeadOffer
from optimize.lockable import Lockable, of_plan, totals
from optimize.locked_quotas import LockedQuotas
from optimize.locked_range import LockedRange, levels_crossed, locked_range
from optimize.problem import AllocationProblem, Locks
from optimize.rounding import NEAR, SHARE_DIGITS
from scenarios.base import Minor
from scenarios.errors import Problem, refuse_if
from scenarios.goals import Lock
from scenarios.lock_paths import LockedQuota, locked_quota, locked_share, said
from scenarios.plan import Plan, is_money
from scenarios.scenario import Scenario

OFF = 1e-9
"""Of a source's leads: what floating point may be off."""


def require_room(scenario: Scenario, plan: Plan) -> None:
    """Refuse locks that the next allocation would refuse, as far as a plan at hand tells.

    Raises:
        InputRefused: as :func:`read_locks`, and locks that leave no room to the company's totals (rule R17).
    """
    about = of_plan(scenario, plan)
    locks = read_locks(scenario, about)
    refuse_if(
        problem
        for metric, total in totals(scenario, about.periods)
        for problem in range_of(locks, about, metric)[0].company_room(
            total,
            np.asarray(about.carried[metric].any(axis=1)),
            "all quotas" if metric == "revenue" else f"the total of {metric}",
        )
    )


def range_of(locks: Locks, about: Lockable, metric: str) -> tuple[LockedRange, list[Problem]]:
    """What locks leave of a metric's quotas over the horizon, and those that leave nothing."""
    return locked_range(locks.settled(metric, about.carried[metric]), about.carried[metric])


def read_locks(scenario: Scenario, about: Lockable) -> Locks:
    """The scenario's locks by position.

    Raises:
        InputRefused: a lock speaks of somebody who carries no quota, of an account without an owner, of a metric or
            level that no target asks for or of a day on which no period begins; a quota that is no amount of its
            metric; locks that contradict each other.
    """
    reader = _Reader(about)
    found: list[Problem] = []
    values: dict[str, str] = {}
    for lock in scenario.allocation.locks:
        where = f"lock {lock.path}"
        shown = said(lock.value)
        if values.setdefault(lock.path, shown) != shown:
            rule = f"is locked at {values[lock.path]} and at {shown}"
            found.append(Problem(where, shown, rule, "keep one of them"))
            continue
        reason = f" ({lock.reason})" if lock.reason else ""
        author = f"locked by {lock.author or 'somebody'}{reason}"
        fault = reader.place(lock, author)
        if fault:
            found.append(Problem(where, shown, fault, f"change or remove the lock, {author}"))
            continue
        reader.locks.author[lock.path] = author
    refuse_if([*found, *reader.contradictions()])
    return reader.locks


class _Reader:
    """Puts locks into their tables, one by one."""

    def __init__(self, about: Lockable) -> None:
        self.about = about
        self.locks = Locks()

    def place(self, lock: Lock, author: str) -> str:
        """Put one lock into its table; returns what is wrong with it, empty if nothing."""
        kind, _, subject = lock.path.partition(".")
        try:
            quota = locked_quota(lock.path, self.about.reps)
            if quota is not None:
                return self._quota(quota, lock, author)
        except ValueError as error:
            return str(error)
        share = locked_share(lock.path, self.about.leads.sources)
        if share is not None:
            return self._share(*share, float(lock.value))
        if kind == "share":
            return "leads of this source are not handed out"
        if kind == "training":
            rep, _, skill = subject.rpartition(".")
            return self._training(rep, skill, float(lock.value))
        if subject not in self.about.accounts:
            return f"account {subject} has no owner today; ownership and care are allocated for owned accounts only"
        account = self.about.accounts.index(subject)
        return self._care(account, float(lock.value)) if kind == "care" else self._owner(account, str(lock.value))

    def contradictions(self) -> list[Problem]:
        """Locked periods against locked quotas, and locked shares of leads against all that there are.

        Fills in what locks on all levels and periods of revenue mean for its quotas over the horizon.
        """
        problems = [*self._hours_beyond(), *self._shares_beyond()]
        for (_, metric), locked in self.locks.quotas.items():
            problems += locked.settled(self.about.carried[metric])[1]
        for metric in dict.fromkeys(metric for _, metric in self.locks.quotas) if not problems else ():
            held = self.locks.settled(metric, self.about.carried[metric])
            crossed = list(levels_crossed(held, len(self.about.reps), self.about.periods))
            between, off = range_of(self.locks, self.about, metric)
            problems += crossed or off
            self.locks = self.locks.within({metric: between})
        return problems

    def _quota(self, quota: LockedQuota, lock: Lock, author: str) -> str:
        about, metric = self.about, quota.metric
        if quota.rep not in about.reps:
            return f"{quota.rep} carries no quota"
        if metric not in about.carried:
            return f"no target asks for {metric}"
        if quota.level != "target" and (metric, quota.level) not in about.levels:
            return f"no target of {metric} has a {quota.level}"
        value = Minor.of(lock.value) if is_money(metric) else _count(metric, lock.value)
        rep, period = about.reps.index(quota.rep), None
        if quota.start is not None:
            firsts = [one.first for one in about.periods]
            if quota.start not in firsts:
                near = min(firsts, key=lambda day: abs((day - (quota.start or day)).days))
                return f"no reporting period begins on {quota.start}; the nearest begins on {near}"
            period = firsts.index(quota.start)
            if value and not about.present[rep, period]:
                return f"{quota.rep} is not employed on any day of {about.periods[period].label}"
        key = quota.level, metric
        known = self.locks.quotas.get(key, LockedQuotas(metric))
        told = {**known.told, rep: (*known.told.get(rep, ()), f"{lock.path} {author}")}
        if period is None:
            self.locks.quotas[key] = replace(known, whole={**known.whole, rep: int(value)}, told=told)
        else:
            self.locks.quotas[key] = replace(known, cells={**known.cells, (rep, period): int(value)}, told=told)
        return ""

    def _training(self, rep: str, skill: str, hours: float) -> str:
        if rep not in self.about.reps:
            return f"{rep} carries no quota"
        r = self.about.reps.index(rep)
        if hours > self.about.hours[r]:
            return f"{rep} has {self.about.hours[r]:,.0f} working hours over the horizon"
        self.locks.training[r, self.about.skills.index(skill)] = hours
        return ""

    def _hours_beyond(self) -> Iterator[Problem]:
        """Locked hours of training that fit one by one, but not together."""
        about = self.about
        for r in dict.fromkeys(r for r, _ in self.locks.training):
            mine = {about.skills[k]: hours for (rep, k), hours in self.locks.training.items() if rep == r}
            if sum(mine.values()) > about.hours[r]:
                paths = ", ".join(f"training.{about.reps[r]}.{skill} = {hours:g}" for skill, hours in mine.items())
                rule = f"{sum(mine.values()):g} hours: {about.reps[r]} has {about.hours[r]:,.0f} over the horizon"
                yield Problem("allocation.locks", paths, rule, "lower or remove a lock")

    def _care(self, account: int, hours: float) -> str:
        load, room = self.about.care_load, self.about.hours
        most = float(np.divide(room, load, out=np.full(len(load), np.inf), where=load > 0).max())
        if hours > most:
            # Rounded down, so that what is told is accepted.
            return f"nobody has so many hours; {math.floor(most):,} hours a year is the most"
        self.locks.care[account] = hours
        return ""

    def _share(self, source: str, rep: str, share: float) -> str:
        offer, reps = self.about.leads, self.about.reps
        if rep not in reps:
            return f"{rep} carries no quota"
        cell = offer.sources.index(source), reps.index(rep)
        if not offer.entry[cell]:
            return f"{rep} does not work the stage at which leads of {source} come in"
        if abs(share * 10**SHARE_DIGITS - round(share * 10**SHARE_DIGITS)) > NEAR:
            return f"a share has at most {SHARE_DIGITS} decimals"
        self.locks.shares[cell] = share
        return ""

    def _shares_beyond(self) -> Iterator[Problem]:
        """Locked shares of a source that leave others less than nothing, or leads over that nobody else may take."""
        offer, locked = self.about.leads, self.locks.shares
        for s, members, total in offer.pools() if locked else ():
            mine = [(s, int(r)) for r in members if (s, int(r)) in locked]
            if not mine:
                continue
            given = float(offer.settled(locked)[s, members].sum())
            paths = ", ".join(f"{share_path(offer, self.about.reps, cell)} = {locked[cell]:g}" for cell in mine)
            there = f"{total:.6g} of the leads of {offer.sources[s]} go to these people"
            if given > total + OFF:
                rule = f"{there}, with those whose shares stay: {given - total:.6g} too much is locked"
                yield Problem("allocation.locks", paths, rule, "lower or remove a lock")
            elif given < total - OFF and not offer.free(locked)[s, members].any():
                rule = f"{there}: {total - given:.6g} is left to nobody"
                yield Problem("allocation.locks", paths, rule, "raise or remove a lock")

    def _owner(self, account: int, rep: str) -> str:
        if rep not in self.about.reps:
            return f"{rep} carries no quota"
        self.locks.owner[account] = self.about.reps.index(rep)
        return ""


def _count(metric: str, value: float | str) -> int:
    if float(value) != int(float(value)):
        raise ValueError(f"{metric} is a count: give a whole number")
    return int(float(value))


_OF_COMPANY = {
    "team_total": "quota.",
    "training_budget": "training.",
    "training_money": "training.",
    "trainer_capacity": "training.",
    "account_moves": "owner.",
    "care_budget": "care.",
}
"""Limits of the whole company, with the locks that they may have to give way to."""


def excuse(problem: AllocationProblem, rep: int | None, rule: str = "") -> str:
    """Who locked a figure that a rule on this rep may have to give way to; empty where nobody did.

    Args:
        rule: of the company, where the rule is on no rep.
    """
    locks, authors = problem.locks, problem.locks.author
    if rep is None:
        kind = _OF_COMPANY.get(rule, "")
        return "; ".join(f"{path} {author}" for path, author in authors.items() if path.startswith(kind))
    mine = []
    said = list(locks.of("revenue").told.get(rep, ()))
    between = rep in locks.quota and not said
    said += locks.of("revenue", "floor").told.get(rep, ()) if rep in locks.least or between else ()
    said += locks.of("revenue", "stretch").told.get(rep, ()) if rep in locks.most or between else ()
    mine += [f"owner.{problem.accounts.ids[a]}" for a, owner in locks.owner.items() if owner == rep]
    mine += [f"care.{problem.accounts.ids[a]}" for a in locks.care if problem.accounts.today[a] == rep]
    mine += [f"training.{problem.reps[r]}.{problem.training.skills[k]}" for r, k in locks.training if r == rep]
    if locks.shares:
        touched = problem.leads.touched(locks.shares)
        mine += [share_path(problem.leads, problem.reps, cell) for cell in locks.shares if touched[cell[0], rep]]
    return "; ".join([*said, *(f"{path} {authors[path]}" for path in mine if path in authors)])


def share_path(offer: LeadOffer, reps: tuple[str, ...], cell: tuple[int, int]) -> str:
    """How a locked share of leads is written."""
    return f"share.{offer.sources[cell[0]]}.{reps[cell[1]]}"


def share_locks(problem: AllocationProblem, source: int) -> str:
    """Who locked shares of a source's leads, in words."""
    paths = [share_path(problem.leads, problem.reps, cell) for cell in problem.locks.shares if cell[0] == source]
    return "; ".join(f"{path} {problem.locks.author[path]}" for path in paths if path in problem.locks.author)
