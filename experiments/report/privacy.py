"""Editions of a report that show persons under pseudonyms, or not at all.

Works councils and privacy law may ask for either. A pseudonym replaces the id and the name of a rep wherever they
occur: in rows, in lists, and inside texts that data or people wrote. Reps are renumbered in an order that tells
nothing about the old one. In an aggregate edition nothing below a group of persons is shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from experiments.fairness_audit import FairnessAudit
from experiments.report.details import AuditRow, Move, WhatIf
from experiments.report.input import People, ReportInput, RepRow
from experiments.report.loop import LoopPage
from experiments.report.table import LEAST_GROUP
from experiments.report.wording import rep_label
from experiments.words import word
from history.diagnosis.finding import Finding
from scenarios.errors import InputRefused, Problem

EDITIONS: tuple[People, ...] = ("named", "pseudonym", "aggregate")


def edition(given: ReportInput, people: str, language: str) -> ReportInput:
    """The figures as this edition may show them.

    Raises:
        InputRefused: no such edition.
    """
    if people not in EDITIONS:
        raise InputRefused(Problem("people", people, "no such edition", f"give {', '.join(EDITIONS)}"))
    if people == "named":
        return given
    masked = _pseudonymous(given, language)
    return _without_persons(masked) if people == "aggregate" else masked


def pseudonyms(reps: tuple[RepRow, ...], salt: str, language: str) -> dict[str, str]:
    """Id -> pseudonym, numbered in the order of a salted hash of the ids."""
    digits = len(str(len(reps)))
    order = sorted((rep.id for rep in reps), key=lambda rep: hashlib.sha256(f"{salt}\0{rep}".encode()).digest())
    return {
        rep: word("who.pseudonym", language, number=str(number).zfill(max(2, digits)))
        for number, rep in enumerate(order, start=1)
    }


def _pseudonymous(given: ReportInput, language: str) -> ReportInput:
    names = pseudonyms(given.reps, given.strip.plan_version, language)
    replaced = _replaced(given, _masker(given.reps, names), names)
    reps = sorted(replaced.reps, key=lambda rep: rep.id)
    order = {team: at for at, team in enumerate(dict.fromkeys(rep.team for rep in given.reps))}
    masked_teams = dict(zip((rep.team for rep in given.reps), (rep.team for rep in replaced.reps), strict=True))
    place = {masked_teams[team]: at for team, at in order.items()}
    audit = tuple(replace(row, exception=_withheld(row, language)) for row in replaced.audit)
    result: ReportInput = replace(replaced, reps=tuple(sorted(reps, key=lambda rep: place[rep.team])), audit=audit)
    return result


def _withheld(row: AuditRow, language: str) -> str:
    # An exception names its author, who is a person of the company too.
    return word("audit.exception_withheld", language) if row.exception else ""


def _without_persons(given: ReportInput) -> ReportInput:
    team_of = {rep.id: rep.team for rep in given.reps}
    named = _mentions(given.reps)
    return replace(
        given,
        findings=tuple(row for row in given.findings if not named(row.english + row.chinese)),
        assumptions=tuple(row for row in given.assumptions if not named(row.path + row.note)),
        notes=tuple(text for text in given.notes if not named(text)),
        moves=tuple(_between_teams(move, team_of) for move in given.moves),
        handed=(),
        audit=tuple(row for row in given.audit if row.subject not in team_of),
        fairness=given.fairness and _without_people(given.fairness, named),
        what_ifs=tuple(_without_names(case) for case in given.what_ifs),
        loop=given.loop and _hidden_in(given.loop, given.reps),
    )


def _hidden_in(page: LoopPage, reps: tuple[RepRow, ...]) -> LoopPage:
    """A stress hits a person without saying whom."""
    longest_first = sorted((rep.id for rep in reps), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    english, chinese = (tuple(pattern.sub("…", line) for line in lines) for lines in page.stress)
    return replace(page, stress=(english, chinese))


def _without_people(audit: FairnessAudit, named: Callable[[str], bool]) -> FairnessAudit:
    """Groups and quarters stay only where nobody can be picked out."""
    return replace(
        audit,
        people=(),
        groups=tuple(row for row in audit.groups if row.people >= LEAST_GROUP),
        quarters=tuple(row for row in audit.quarters if row.people >= LEAST_GROUP),
        notes=tuple(text for text in audit.notes if not named(text)),
    )


def _mentions(reps: tuple[RepRow, ...]) -> Callable[[str], bool]:
    """Whether a text names one of these (already pseudonymous) reps."""
    return lambda text: any(rep.id in text for rep in reps)


def _between_teams(move: Move, team_of: dict[str, str]) -> Move:
    giver, taker = team_of.get(move.giver, move.giver), team_of.get(move.taker, move.taker)
    return replace(move, giver=giver, taker=taker, reason="")


def _without_names(case: WhatIf) -> WhatIf:
    return replace(case, whose=())


def _masker(reps: tuple[RepRow, ...], names: dict[str, str]) -> Callable[[str], str]:
    """A function that replaces every id and name in a text, longest first."""
    secrets = {rep.id: names[rep.id] for rep in reps}
    for rep in reps:
        if rep.name:
            secrets.setdefault(rep.name, names[rep.id])
            secrets.setdefault(rep_label(rep), names[rep.id])
    longest_first = sorted(secrets, key=lambda secret: (-len(secret), secret))
    pattern = re.compile("|".join(_as_token(secret) for secret in longest_first), re.IGNORECASE)
    folded = {secret.casefold(): alias for secret, alias in secrets.items()}
    return lambda text: pattern.sub(lambda found: folded[found.group().casefold()], text)


def _as_token(secret: str) -> str:
    """Latin ids match as whole tokens, so that E1 is not found in E10; Chinese is written without spaces."""
    before = r"(?<![A-Za-z0-9_])" if re.match(r"[A-Za-z0-9_]", secret) else ""
    after = r"(?![A-Za-z0-9_])" if re.search(r"[A-Za-z0-9_]\Z", secret) else ""
    return before + re.escape(secret) + after


def _replaced(value: Any, mask: Callable[[str], str], names: dict[str, str]) -> Any:
    """The same value with every text masked, except keys of the word table."""
    if isinstance(value, str):
        return names.get(value) or mask(value)
    if isinstance(value, Finding):
        subject, english, chinese = (
            _replaced(text, mask, names) for text in (value.subject, value.english, value.chinese)
        )
        return replace(value, subject=subject, english=english, chinese=chinese)
    if isinstance(value, RepRow):
        value = replace(value, name=value.id)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: _replaced(getattr(value, field.name), mask, names)
            for field in fields(value)
            if not field.metadata.get("key") and field.init
        }
        return replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(_replaced(item, mask, names) for item in value)
    return value
