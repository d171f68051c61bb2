"""Locks and the audit trail of a plan in lines for a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from experiments.money import Language
from experiments.words import known, word
from quotalab.told_words import basis
from scenarios.scenario import Scenario
from scenarios.trail import Change, Entry, Trail

SHOWN_CHANGES = 8
_ORDER = ("lock", "quota", "floor", "stretch", "owner", "training", "care", "share")
"""What is shown first."""


def locked_text(path: str, value: str, found: Trail, folder: str, language: Language) -> str:
    """That a figure was fixed, with what was fixed there before, and by whom if by somebody else."""
    change = next((one for one in found.entries[-1].changes if one.path == f"lock {path}"), None)
    before = change.before if change is not None else None
    known = replace(found, entries=found.entries[:-1]).own_locks().get(path)
    theirs = known.author if known is not None and known.author != found.entries[-1].author else ""
    key = "did_lock" if not before else "did_lock_theirs" if theirs else "did_lock_anew"
    done = word(f"trail.{key}", language, path=path, value=value, before=before, author=theirs)
    return _recorded(done, found, folder, language)


def unlocked_text(path: str, found: Trail, folder: str, language: Language) -> str:
    """That a figure is free again."""
    return _recorded(word("trail.did_unlock", language, path=path), found, folder, language)


def trail_text(found: Trail, broken: Sequence[str], world: Scenario, language: Language) -> str:
    """Every entry with the first of its changes, and whether the trail holds."""
    lines = [word("trail.units", language, currency=world.currency, basis=basis(world, language))]
    lines += [line for entry in found.entries for line in _entry(entry, language)]
    lines.append(word("trail.broken" if broken else "trail.holds", language, head=found.head))
    return "\n".join([*lines, *(f"  {known('trail', text, language)}" for text in broken)])


def _recorded(done: str, found: Trail, folder: str, language: Language) -> str:
    last = found.entries[-1]
    fields = {"author": last.author, "reason": last.reason, "number": last.number, "hash": last.hash}
    return word("trail.recorded", language, done=done, folder=folder, **fields)


def _entry(entry: Entry, language: Language) -> Iterator[str]:
    news = entry.news
    said = word("trail.because", language, reason=entry.reason) if entry.reason else ""
    changed = word("trail.one" if len(news) == 1 else "trail.several", language, count=len(news))
    did = word(f"trail.{entry.action}", language)
    fields = {"number": entry.number, "time": entry.time, "author": entry.author}
    yield word("trail.entry", language, did=did, said=said, changed=changed, **fields)
    for change in sorted(news, key=_place)[:SHOWN_CHANGES]:
        yield f"     {change.path}: {change.before or '-'} -> {change.after or '-'}"
    if len(news) > SHOWN_CHANGES:
        yield "     " + word("trail.more", language, count=len(news) - SHOWN_CHANGES)


def _place(change: Change) -> int:
    return _ORDER.index(change.path.replace(" ", ".").split(".")[0])
