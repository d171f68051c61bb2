"""The audit trail of a plan: who made or changed what, when and why, what it was before and after.

A plan folder holds ``trail.jsonl``, one entry a line, which only grows. Each entry carries the content hash of the plan
that it left behind, and a hash over itself and the entry before it. So an entry that was changed, removed, put in or
moved shows, and so does a plan that was changed without an entry. Whoever rewrites the whole file is found out by a
hash that somebody noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from scenarios.base import major_units
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.goals import LEVELS, Level
from scenarios.lock_paths import LockedQuota
from scenarios.plan import LockRow, Plan, is_money

TRAIL = "trail.jsonl"
START = "0" * 64
"""What the first entry names as the hash before it."""
LOCK = "lock "
"""What a changed path begins with where it is the lock that changed, not the figure."""

Action = Literal["began", "allocated", "locked", "unlocked"]
_DAY = re.compile(r"\.\d{4}-\d{2}-\d{2}$")
_FIELDS = ("number", "time", "author", "action", "reason", "scenario", "plan", "changes", "previous", "hash")


@dataclass(frozen=True)
class Change:
    """One figure before and after, as a person writes it; ``None`` where there was or is none.

    Paths read as those of locks: ``quota.E1`` (revenue over the horizon, currency units), ``quota.E1.new_customers``,
    ``floor.E1`` and ``stretch.E1``, ``quota.E1.2026-03-01`` for a period while it is locked, ``owner.A03``,
    ``training.E1.negotiation``, ``care.A03``, and ``lock quota.E1`` for the lock itself.
    """

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Entry:
    """One step in the life of a plan.

    Attributes:
        time: ISO 8601.
        scenario: fingerprint of the scenario.
        plan: content hash of the plan after this step.
        previous: hash of the entry before.
        hash: over all other fields.
    """

    number: int
    time: str
    author: str
    action: Action
    reason: str
    scenario: str
    plan: str
    changes: tuple[Change, ...]
    previous: str
    hash: str = ""

    def sealed(self) -> Entry:
        """The entry with its hash."""
        return replace(self, hash=self.expected_hash())

    @property
    def news(self) -> tuple[Change, ...]:
        """The changes that tell something: a period's quota that comes into view or goes with its lock is none."""
        paths = {change.path for change in self.changes}
        watched = [
            change.path
            for change in self.changes
            if f"{LOCK}{change.path}" in paths and None in (change.before, change.after) and _DAY.search(change.path)
        ]
        return tuple(change for change in self.changes if change.path not in watched)

    def expected_hash(self) -> str:
        """Hash over all other fields."""
        content = {name: value for name, value in asdict(self).items() if name != "hash"}
        return hashlib.sha256(_json(content).encode()).hexdigest()


@dataclass(frozen=True)
class Trail:
    """The entries of a plan, oldest first.

    Attributes:
        faults: lines of the file that are no entries, in words.
    """

    entries: tuple[Entry, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """Hash of the last entry: noted elsewhere, it proves that all before was not rewritten since."""
        return self.entries[-1].hash if self.entries else START

    def followed_by(
        self,
        plan: Plan,
        *,
        action: Action,
        author: str,
        time: str,
        scenario: str,
        reason: str = "",
    ) -> Trail:
        """The trail with one more entry.

        Args:
            plan: as it is after the step.
            scenario: fingerprint.
        """
        entry = Entry(
            number=len(self.entries) + 1,
            time=time,
            author=author,
            action=action,
            reason=reason,
            scenario=scenario,
            plan=plan.decisions_hash(),
            changes=tuple(changes_between(self.figures(), figures(plan))),
            previous=self.head,
        )
        return replace(self, entries=(*self.entries, entry.sealed()))

    def figures(self) -> dict[str, str]:
        """Every figure as the entries left it."""
        out: dict[str, str] = {}
        for entry in self.entries:
            for change in entry.changes:
                if change.after is None:
                    out.pop(change.path, None)
                else:
                    out[change.path] = change.after
        return out

    def own_locks(self) -> dict[str, LockRow]:
        """Locks that people put on the plan itself and have not taken off, by path; not those of the scenario."""
        out: dict[str, LockRow] = {}
        for entry in self.entries:
            for change in entry.changes:
                path = change.path.removeprefix(LOCK)
                if entry.action == "unlocked" and change.path.startswith(LOCK):
                    out.pop(path, None)
                if entry.action == "locked" and change.path.startswith(LOCK) and change.after is not None:
                    out[path] = LockRow(path, change.after, entry.author, entry.reason, entry.time)
        return out

    def broken(self, plan: Plan | None = None, noted: str = "") -> list[str]:
        """What does not hold, in words; empty for a trail that was only ever added to.

        Args:
            plan: as it is now; it must be the one that the last entry left.
            noted: a hash noted earlier, that must be among the entries'.
        """
        return list(self._broken(plan, noted))

    def _broken(self, plan: Plan | None, noted: str) -> Iterator[str]:
        yield from self.faults
        before = START
        for position, entry in enumerate(self.entries, start=1):
            if entry.hash != entry.expected_hash():
                yield f"entry {position} ({entry.time}, {entry.author}): its content was changed"
            if entry.previous != before or entry.number != position:
                yield f"entry {position}: it does not follow the one before; one was removed, put in or moved"
            before = entry.hash
        if plan is not None and self.entries and self.entries[-1].plan != plan.decisions_hash():
            yield f"the plan is not the one that entry {len(self.entries)} left: it was changed without an entry"
        if plan is not None and self.entries and self.figures() != figures(plan):
            yield "the figures of the plan are not those that the entries add up to"
        if noted and noted not in (entry.hash for entry in self.entries):
            yield f"no entry has the hash {noted}: what came before it was rewritten or cut off"


def figures(plan: Plan) -> dict[str, str]:
    """Every figure of a plan by its path, as a person writes it."""
    out: dict[str, str] = {}
    for metric in sorted({row.metric for row in plan.targets} | {row.metric for row in plan.levels}):
        for level in LEVELS:
            quotas = plan.quotas(metric) if level == "target" else plan.level_quotas(level, metric)
            for rep, value in quotas.items():
                out[LockedQuota(rep, metric, level).path] = _figure(metric, value)
    out |= _locked_periods(plan)
    out |= {f"training.{rep}.{skill}": f"{hours:g}" for (rep, skill), hours in plan.training_hours().items()}
    out |= {f"share.{row.source}.{row.rep}.{row.start}": f"{row.share:g}" for row in plan.shares}
    out |= {f"owner.{account}": rep for account, rep in plan.owner_of().items()}
    out |= {f"care.{account}": f"{hours:g}" for account, hours in plan.care_hours().items()}
    out |= {f"{LOCK}{row.path}": row.value for row in plan.locks}
    return out


def _locked_periods(plan: Plan) -> dict[str, str]:
    """Quotas of single periods, of those that are locked: all of them would be a dozen times as many."""
    locked = {row.path for row in plan.locks}
    cells: dict[str, list[tuple[date, str, int]]] = {}
    for row in plan.targets:
        cells.setdefault(LockedQuota(row.rep, row.metric).path, []).append((row.start, row.metric, row.value))
    for one in plan.levels:
        level: Level = "floor" if one.level == "floor" else "stretch"
        path = LockedQuota(one.rep, one.metric, level).path
        cells.setdefault(path, []).append((one.start, one.metric, one.value))
    # A single row is a quota over the horizon, which has a path of its own.
    parted = {path: rows for path, rows in cells.items() if len(rows) > 1}
    out = {f"{path}.{start}": _figure(metric, value) for path, rows in parted.items() for start, metric, value in rows}
    return {path: value for path, value in out.items() if path in locked}


def _figure(metric: str, value: int) -> str:
    return str(major_units(value)) if is_money(metric) else str(value)


def changes_between(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    """The figures that differ, in order of their paths."""
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            yield Change(path, before.get(path), after.get(path))


def read_trail(folder: Path) -> Trail:
    """The trail of a plan folder; empty where there is none. What is no entry is among its faults."""
    path = folder / TRAIL
    if not path.is_file():
        return Trail()
    entries, faults = [], []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line:
            continue
        try:
            entries.append(_entry(json.loads(line.decode("utf-8"))))
        except (ValueError, TypeError, KeyError):
            faults.append(f"line {number} of {TRAIL} is no entry: it was changed or cut off")
    return Trail(tuple(entries), tuple(faults))


def write_trail(trail: Trail, folder: Path) -> None:
    """Write the trail into a plan folder."""
    text = "".join(f"{_json(asdict(entry))}\n" for entry in trail.entries)
    (folder / TRAIL).write_text(text, encoding="utf-8", newline="")


def require_whole(trail: Trail, where: Path, plan: Plan | None = None) -> None:
    """Refuse to go on from a trail that does not hold.

    Raises:
        InputRefused: naming everything that does not.
    """
    remedy = f"look at it with `quotalab trail`; to begin anew move {TRAIL} away, or name another folder"
    refuse_if(Problem(str(where / TRAIL), "", text, remedy) for text in trail.broken(plan))


def require_said(**texts: str) -> None:
    """Refuse an author or a reason that says nothing.

    Raises:
        InputRefused: naming each.
    """
    refuse_if(
        Problem(f"--{name}", text, "must say something", "whoever reads the trail will ask")
        for name, text in texts.items()
        if not text.strip()
    )


def _entry(data: Any) -> Entry:
    if sorted(data) != sorted(_FIELDS):
        raise ValueError("other fields than an entry's")
    changes = tuple(Change(**change) for change in data["changes"])
    return Entry(**{**data, "changes": changes})


def _json(content: Any) -> str:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def continued(trails: Iterable[tuple[Path, Trail]]) -> Trail:
    """The one trail that all given ones are beginnings of.

    Raises:
        InputRefused: two of them part ways, so that going on from one would lose what the other says.
    """
    longest: tuple[Path, Trail] | None = None
    for place, trail in trails:
        if not trail.entries:
            continue
        if longest is None:
            longest = place, trail
            continue
        shorter, longer = sorted([longest, (place, trail)], key=lambda one: len(one[1].entries))
        if longer[1].entries[: len(shorter[1].entries)] != shorter[1].entries:
            rule = f"has a history of its own, which going on from {longer[0]} would lose"
            raise InputRefused(Problem(str(shorter[0]), "", rule, "name another folder with --output"))
        longest = longer
    return Trail() if longest is None else longest[1]
