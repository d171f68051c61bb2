"""Paths into a scenario: how a what-if, an error and a diff name one and the same value.

A path reads ``sources.online.leads_per_year``. An item of a list is named by its id, a fairness rule by its rule, and
anything else in a list by its position from 0. A name that holds a dot stands in brackets: ``accounts[A.1].tier``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scenarios.errors import InputRefused, Problem

Steps = tuple[str | int, ...]
"""A path by keys and list positions, as it is walked in plain data."""

_PART = re.compile(r"(?:^|\.)([^.\[\]]+)|\[([^\[\]]+)\]")


def split_path(path: str) -> list[str]:
    """The parts of a path.

    Raises:
        InputRefused: empty, or dots and brackets do not match up.
    """
    parts: list[str] = []
    position = 0
    while match := _PART.match(path, position):
        parts.append((match[1] or match[2]).strip())
        position = match.end()
    if position < len(path) or not parts:
        raise InputRefused(
            Problem("path", path, "must read section.id.field", "for example sources.online.leads_per_year")
        )
    return parts


def join_path(*parts: str | int) -> str:
    """The path made of these parts; the inverse of :func:`split_path`."""
    text = ""
    for part in map(str, parts):
        bracketed = any(sign in part for sign in ".[]")
        text += f"[{part}]" if bracketed else f".{part}" if text else part
    return text


def names_of(items: Sequence[Any]) -> list[str]:
    """How the items of a list are called in a path, in their order."""
    keys = [_own_name(item) for item in items]
    return [str(at) if key is None or keys.count(key) > 1 else key for at, key in enumerate(keys)]


def position_of(items: Sequence[Any], name: str) -> int | None:
    """The position of the item called so; of several with one name, the first."""
    keys = [_own_name(item) for item in items]
    if name in keys:
        return keys.index(name)
    has_ids = any(isinstance(item, Mapping) and "id" in item for item in items)
    return int(name) if not has_ids and name.isdecimal() and int(name) < len(items) else None


def _own_name(item: Any) -> str | None:
    if not isinstance(item, Mapping):
        return None
    name = item.get("id", item.get("rule"))
    return None if name is None else str(name)


def steps_of(path: str, data: Any) -> Steps:
    """A path as keys and positions, as far as it leads in the data."""
    steps: list[str | int] = []
    for part in split_path(path):
        at: str | int | None = part if isinstance(data, Mapping) and part in data else None
        if isinstance(data, list):
            at = position_of(data, part)
        if at is None:
            break
        steps.append(at)
        data = data[at]
    return tuple(steps)


def closest(name: str, known: Iterable[str]) -> str:
    """A remedy that asks for the nearest known names; empty if none is near."""
    close = difflib.get_close_matches(name, list(known), n=3)
    return f"did you mean {', '.join(close)}?" if close else ""


def near(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A remedy for a name that is not known: the nearest ones, else what is known."""
    names = list(known)
    listed = f"known: {', '.join(names[:14])}{', ...' if len(names) > 14 else ''}" if names else otherwise
    return closest(name, names) or listed


def some_of(names: Sequence[str], most: int = 6) -> str:
    """The first names, and how many there are beside them."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
