"""Figures fixed by people: put on a scenario, taken off, and carried from a plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from scenarios.errors import InputRefused, Problem
from scenarios.files import from_document
from scenarios.lock_paths import number, said
from scenarios.paths import near
from scenarios.plan import LockRow
from scenarios.scenario import Scenario, require_world


def lock(
    scenario: Scenario, path: str, value: float | str, *, author: str, reason: str = "", time: str = ""
) -> Scenario:
    """The scenario with one figure fixed; a lock on the same path is replaced.

    Args:
        path: ``quota.REP`` (revenue over the horizon, currency units), ``quota.REP.METRIC``, either with
            ``.FIRST_DAY`` of a period, the same with ``floor`` and ``stretch``; ``owner.ACCOUNT``,
            ``training.REP.SKILL`` (hours), ``care.ACCOUNT`` (hours a year) or ``share.SOURCE.REP`` (of a source's new
            leads, where these are handed out).
        value: a rep for an owner, else a number.
        time: when it was fixed, as a person writes it.

    Raises:
        InputRefused: the path names nothing, or the value is none for it.
    """
    require_world(scenario)
    given = number(value) if isinstance(value, str) and not path.startswith("owner.") else value
    row = LockRow(path, said(given), author, reason, time)
    others = [one for one in lock_rows(scenario) if one.path != path]
    try:
        return _with(scenario, [*others, row])
    except InputRefused as refused:
        raise InputRefused(_of_lock(problem, len(others), path, str(value)) for problem in refused.problems) from None


def _of_lock(problem: Problem, position: int, path: str, value: str) -> Problem:
    """A problem of the lock that is being put on, which no file holds yet."""
    where = problem.where.removeprefix(f"allocation.locks.{position}.")
    if where == "path":
        return replace(problem, where="lock", value=path if problem.value == path else f"{path} ({problem.value})")
    return replace(problem, where=f"lock {path}", value=value) if where == "value" else problem


def unlock(scenario: Scenario, path: str) -> Scenario:
    """The scenario with one lock taken off.

    Raises:
        InputRefused: nothing is locked there.
    """
    require_world(scenario)
    rows = lock_rows(scenario)
    require_locked(path, [row.path for row in rows])
    return _with(scenario, [row for row in rows if row.path != path])


def require_locked(path: str, locked: Iterable[str]) -> None:
    """Refuse to unlock what is not locked.

    Raises:
        InputRefused: saying what is.
    """
    known = list(locked)
    if path not in known:
        remedy = near(path, known) if known else "no figure is locked"
        raise InputRefused(Problem("lock", path, "nothing is locked there", remedy))


def with_locks(scenario: Scenario, rows: Iterable[LockRow], origin: str) -> Scenario:
    """The scenario with the locks of a plan beside its own.

    Args:
        origin: where these locks come from, for the message.

    Raises:
        InputRefused: a figure is locked at two values, or a lock does not fit the scenario.
    """
    own = {row.path: row for row in lock_rows(scenario)}
    added, problems = [], []
    for row in rows:
        if row.path not in own:
            added.append(row)
        elif own[row.path].value != said(number(row.value)):
            rule = f"is locked at {own[row.path].value} in the scenario and at {row.value} in {origin}"
            remedy = f"remove one; from the plan with `quotalab unlock SCENARIO {row.path}`"
            problems.append(Problem("allocation.locks", row.path, rule, remedy))
    if problems:
        raise InputRefused(problems)
    return _with(scenario, [*own.values(), *added]) if added else scenario


def lock_rows(scenario: Scenario) -> tuple[LockRow, ...]:
    """The locks of a scenario as rows of a plan."""
    return tuple(
        LockRow(one.path, said(one.value), one.author, one.reason, one.time) for one in scenario.allocation.locks
    )


def _with(scenario: Scenario, rows: Iterable[LockRow]) -> Scenario:
    """The scenario validated with these locks; its plan is kept."""
    document = scenario.document()
    allocation = document.get("allocation", {})
    locks = [
        {
            "path": row.path,
            "value": row.value if row.path.startswith("owner.") else number(row.value),
            "author": row.author,
            "reason": row.reason,
            "time": row.time,
        }
        for row in rows
    ]
    return from_document({**document, "allocation": {**allocation, "locks": locks}}).with_plan(scenario.plan)
