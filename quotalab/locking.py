"""Locks on a plan that was allocated, and the audit trail that goes with it from solve to solve."""

from __future__ import annotations

import getpass
import os
import shutil
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from optimize.locked import require_room
from quotalab.runs import default_target, plan_folder
from scenarios.errors import InputRefused, Problem
from scenarios.folders import alone, whole_folder
from scenarios.locks import lock, lock_rows, require_locked, with_locks
from scenarios.plan import LockRow, Plan
from scenarios.plan_files import HEADER, read_plan, write_plan
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from scenarios.trail import TRAIL, Action, Trail, continued, read_trail, require_said, require_whole, write_trail

AUTHOR = "QUOTALAB_AUTHOR"


def who_is(author: str | None) -> str:
    """Who does something: as said, else as the environment says, else the login."""
    if author is not None:
        require_said(author=author)
        return author
    try:
        return os.environ.get(AUTHOR) or getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise InputRefused(
            Problem("--author", "", "nobody is logged in by a name", f"say who: --author NAME, or set {AUTHOR}")
        ) from None


def now() -> str:
    """This moment, to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def place_of(scenario: Scenario, plan: Path | None) -> Path:
    """The folder of a plan: as given, else that of the scenario's last allocation.

    Raises:
        InputRefused: no plan is there.
    """
    return plan_folder(plan or default_target("allocate", scenario))


def put_lock(scenario: Scenario, folder: Path, path: str, value: str, *, author: str, reason: str) -> Trail:
    """Fix a figure of a plan; the next allocation keeps it.

    Raises:
        InputRefused: the path names nothing, the value is none for it, the figure is locked so already or by the
            scenario itself, the next allocation would refuse it beside the other locks, nobody or no reason is given,
            or the plan's trail does not hold.
    """
    require_said(author=author, reason=reason)
    if any(row.path == path for row in lock_rows(scenario)):
        rule = "is locked in the scenario itself"
        raise InputRefused(Problem("lock", path, rule, "change it there, under allocation.locks"))
    time = now()
    locked = lock(scenario, path, value, author=author, reason=reason, time=time)
    row = next(row for row in lock_rows(locked) if row.path == path)
    others = [one for one in read_trail(folder).own_locks().values() if one.path != path]
    require_room(with_locks(locked, others, "the plan"), read_plan(folder, scenario))
    return _recorded(scenario, folder, "locked", path, row, author=author, reason=reason, time=time)


def take_lock(scenario: Scenario, folder: Path, path: str, *, author: str, reason: str) -> Trail:
    """Take off a lock that was put on a plan.

    Raises:
        InputRefused: nothing is locked there, the lock is the scenario's own, nobody or no reason is given, or the
            plan's trail does not hold.
    """
    require_said(author=author, reason=reason)
    own = read_trail(folder).own_locks()
    if path not in own and any(row.path == path for row in lock_rows(scenario)):
        rule = "is locked in the scenario itself"
        raise InputRefused(Problem("lock", path, rule, "remove it there, under allocation.locks"))
    require_locked(path, own)
    return _recorded(scenario, folder, "unlocked", path, None, author=author, reason=reason, time=now())


def _recorded(
    scenario: Scenario,
    folder: Path,
    action: Action,
    path: str,
    row: LockRow | None,
    *,
    author: str,
    reason: str,
    time: str,
) -> Trail:
    """The plan with one lock more or less, written with the entry that says so, both or neither."""
    plan, trail = read_plan(folder, scenario), read_trail(folder)
    require_whole(trail, folder, plan)
    rows = [one for one in plan.locks if one.path != path]
    after = plan.with_rows(locks=[*rows, row] if row else rows)
    longer = trail.followed_by(
        after, action=action, author=author, time=time, reason=reason, scenario=scenario.fingerprint()
    )
    known = trail.own_locks().get(path)
    if row and known and not longer.entries[-1].changes:
        rule = f"is locked so already, by {known.author} ({known.reason})"
        raise InputRefused(Problem(f"lock {path}", str(known.value), rule, "to take it over, unlock it first"))
    with ExitStack() as held, whole_folder(folder) as draft:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
        write_plan(after, draft, scenario.currency)
        write_trail(longer, draft)
        # Until the draft has taken the plan's place nobody else looks whether it is unchanged.
        held.enter_context(alone(folder.absolute().parent))
        require_unchanged(folder, trail)
    return longer


def require_unchanged(folder: Path, known: Trail) -> None:
    """Refuse to take the place of a plan that somebody else has gone on with meanwhile.

    Args:
        known: the trail that is gone on from.

    Raises:
        InputRefused: the plan's trail has entries that it does not hold, which would be lost.
    """
    hashes = {entry.hash for entry in known.entries}
    added = [entry for entry in read_trail(folder).entries if entry.hash not in hashes]
    if added:
        told = "; ".join(f"{entry.author} {entry.action} ({entry.reason or entry.time})" for entry in added)
        rule = f"has got {len(added)} more entries meanwhile, which would be lost: {told}"
        raise InputRefused(Problem(str(folder / TRAIL), "", rule, "run the command again, which goes on from them"))


def earlier_trail(scenario: Scenario, target: Path, plan: Path | None) -> Trail:
    """What an allocation goes on from: the trail of the plan it starts from, and of the one that it takes the place of.

    Raises:
        InputRefused: a trail does not hold, a plan was changed without an entry, or the two part ways.
    """
    places = [plan_folder(plan)] if plan is not None else []
    if (target / "plan" / HEADER).is_file():
        places.append(target / "plan")
    found = []
    for place in places:
        trail = read_trail(place)
        require_whole(trail, place, _readable(place, scenario) if trail.entries else None)
        found.append((place, trail))
    return continued(found)


def _readable(place: Path, scenario: Scenario) -> Plan | None:
    """The plan in a folder; ``None`` where the scenario has changed so that it does not fit any more."""
    try:
        return read_plan(place, scenario)
    except InputRefused:
        return None


def allocated_trail(trail: Trail, scenario: Scenario, plan: Plan, *, by: str, reason: str) -> Trail:
    """The trail after an allocation; a new one begins with every figure of today's plan."""
    world, time = scenario.fingerprint(), now()
    if not trail.entries:
        trail = trail.followed_by(today_plan(scenario), action="began", author=by, time=time, scenario=world)
    return trail.followed_by(plan, action="allocated", author=by, time=time, scenario=world, reason=reason)
