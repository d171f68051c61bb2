"""Checks of goals and of what the allocator is asked: targets, commitments, rules, locks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from scenarios.errors import Problem
from scenarios.goals import RATIO_METRICS
from scenarios.paths import join_path
from scenarios.references import World, all_known, unknown

_SHARES = frozenset(RATIO_METRICS) - {"average_order_value"}
_LOCKED = {"quota": "reps", "training": "reps", "owner": "accounts", "care": "accounts"}


def check_targets(world: World) -> Iterator[Problem]:
    """Targets speak of teams and periods that exist, once each."""
    targets = world.scenario.goals.targets
    for position, target in enumerate(targets):
        where = join_path("goals", "targets", position)
        yield from unknown(f"{where}.team", target.team, "teams", world)
        if target.metric in _SHARES and (target.target or 0) > 1:
            rule = f"{target.metric} is a share and must be <= 1"
            yield Problem(f"{where}.target", f"{target.target:g}", rule, "a share is written 0.45, not 45 or 45 %")
        if world.horizon is None:
            continue
        start, end = world.horizon
        first, last = target.first_day or start, target.end or end
        if not start <= first < last <= end:
            rule = f"must be a period inside the horizon {start} to {end}"
            yield Problem(where, f"{first} to {last}", rule, "correct first_day or end")
    for key, count in Counter((t.metric, t.team, t.first_day, t.end) for t in targets).items():
        if count > 1:
            metric, team = key[:2]
            yield Problem(
                "goals.targets", metric, f"{count} targets of {team or 'the company'} for one period", "keep one"
            )


def check_commitments(world: World) -> Iterator[Problem]:
    """Commitments are of reps or teams that exist."""
    for position, commitment in enumerate(world.scenario.goals.commitments):
        where = join_path("goals", "commitments", position)
        yield from unknown(f"{where}.rep", commitment.rep, "reps", world)
        yield from unknown(f"{where}.team", commitment.team, "teams", world)


def check_allocation(world: World) -> Iterator[Problem]:
    """Rules, training and account decisions speak of things that exist."""
    allocation = world.scenario.allocation
    for position, rule in enumerate(allocation.rules):
        yield from all_known(join_path("allocation", "rules", position, "exempt"), rule.exempt, "reps", world)
    yield from all_known("allocation.training.skills", allocation.training.skills, "skills", world)
    decisions = allocation.accounts
    yield from all_known("allocation.accounts.movable_tiers", decisions.movable_tiers, "tiers", world)
    yield from all_known("allocation.accounts.protect_stages", decisions.protect_stages, "stages", world)


def check_locks(world: World) -> Iterator[Problem]:
    """Locks hold figures that exist, once each."""
    locks = world.scenario.allocation.locks
    for position, lock in enumerate(locks):
        yield from _lock_problems(join_path("allocation", "locks", position), lock.path, lock.value, world)
    for path, count in Counter(lock.path for lock in locks).items():
        if count > 1:
            yield Problem("allocation.locks", path, f"is locked {count} times", "keep one")


def _lock_problems(where: str, path: str, value: float | str, world: World) -> Iterator[Problem]:
    kind, _, subject = path.partition(".")
    skill = ""
    if kind == "training":
        subject, _, skill = subject.rpartition(".")
    if kind not in _LOCKED or not subject:
        rule = "a lock's path reads quota.REP, training.REP.SKILL, owner.ACCOUNT or care.ACCOUNT"
        yield Problem(f"{where}.path", path, rule, "for example quota.E1")
        return
    yield from unknown(f"{where}.path", subject, _LOCKED[kind], world)
    if kind == "training":
        yield from unknown(f"{where}.path", skill, "skills", world)
    if kind == "owner":
        yield from unknown(f"{where}.value", str(value), "reps", world)
    elif isinstance(value, str) or value < 0:
        rule = f"the value of a {kind} lock must be a number, not negative"
        yield Problem(f"{where}.value", str(value), rule, "write it without quotes and unit")
