"""YAML files as plain documents that remember where each value stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.paths import Steps

DEEPEST = 50
"""Levels of sections and lists that a file may nest; a scenario needs fewer than ten."""

_IN_DISGUISE = re.compile(r"[+-]?0[0-9xob_]|.*[_:]")
"""Numbers of YAML 1.1 that a planner may have meant otherwise: 010 is 8, 1:30 is 90, 0x1F is 31, 1_000 is 1000."""


@dataclass
class Document:
    """Plain data, and where each value stands.

    Attributes:
        data: what the files say, as a mapping of sections.
        places: file and line of a value, by its keys and positions (``("reps", 3, "team")``).
        faults: what could not be read; reported together with everything else that is wrong.
        partial: sections that were not read in full, so that nothing can be said to be missing from them, and fields
            (``reps.team``) that no row of a table could hold, since it lacks the column.
    """

    data: dict[str, Any]
    places: dict[Steps, str] = field(default_factory=dict)
    faults: list[Problem] = field(default_factory=list)
    partial: set[str] = field(default_factory=set)

    def steps(self, path: Steps) -> Steps:
        """The steps of a path that exist in the data; others, such as a family's name, are left out."""
        node: Any = self.data
        found: list[str | int] = []
        for part in path:
            inside = isinstance(node, list) and isinstance(part, int) and part < len(node)
            if inside or (isinstance(node, Mapping) and part in node):
                found.append(part)
                node = node[part]
        return tuple(found)

    def place(self, path: Steps) -> str:
        """File and line of the longest known part of a path; empty if none is known."""
        steps = self.steps(path)
        for length in range(len(steps), 0, -1):
            if steps[:length] in self.places:
                return self.places[steps[:length]]
        return ""


def read_text(path: Path) -> str:
    """A UTF-8 file, with or without a byte order mark.

    Raises:
        InputRefused: unreadable, or not UTF-8; the line of the first bad byte is named.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputRefused(Problem(str(path), "", f"cannot be read: {error.strerror}", "check the path")) from None
    remedy = "save it as UTF-8 (in Excel: CSV UTF-8)"
    if b"\0" in raw:
        raise InputRefused(Problem(path.name, "", "the file is not UTF-8, it looks like UTF-16", remedy))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        rule = f"the file is not UTF-8{_guess(raw)}"
        raise InputRefused(
            Problem(f"{path.name} line {line}", f"byte 0x{raw[error.start]:02x}", rule, remedy)
        ) from None


def _guess(raw: bytes) -> str:
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return ", it looks like GBK"


def read_yaml(path: Path) -> Document:
    """A YAML mapping with the line of each value.

    Raises:
        InputRefused: unreadable, not valid YAML, not a mapping, or faulty inside (all faults are listed).
    """
    document = read_document(path)
    refuse_if(document.faults)
    return document


def read_document(path: Path) -> Document:
    """The same, with what is faulty inside (a key given twice, a value that is none) among the document's faults.

    Raises:
        InputRefused: unreadable, not valid YAML, or not a mapping.
    """
    node = _composed(read_text(path), path.name)
    if not isinstance(node, yaml.MappingNode):
        raise InputRefused(
            Problem(path.name, "", "must be a table of settings", "write a line for each, such as name: ...")
        )
    reader = _Reader(path.name)
    data = reader.plain(node, ())
    return Document(data, reader.places, reader.faults)


def read_value(text: str, where: str) -> Any:
    """One value written as YAML, as plain data; dates stay text.

    Raises:
        InputRefused: not valid YAML.
    """
    node = _composed(text, where)
    reader = _Reader(where)
    value = None if node is None else reader.plain(node, ())
    refuse_if(reader.faults)
    return value


def known_version(given: Any, newest: int, where: str, what: str) -> int:
    """The version of a file's schema.

    Args:
        newest: the one that this program writes; it reads all from 1 on.
        what: is of this version, in words.

    Raises:
        InputRefused: no version at all, or a newer one than this program reads.
    """
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= newest:
        return given
    versions = ", ".join(str(number) for number in range(1, newest + 1))
    if isinstance(given, int) and not isinstance(given, bool) and given > newest:
        rule = f"is newer than this program reads; known: {versions}"
        raise InputRefused(Problem(where, str(given), rule, "update quotalab"))
    rule = f"must be the whole number of a schema version; known: {versions}"
    remedy = f"write the one that {what} was written in; it is {newest} if this program wrote it"
    raise InputRefused(Problem(where, "" if given is None else str(given)[:80], rule, remedy))


def _composed(text: str, name: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name} line {mark.line + 1}" if mark is not None else name
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "not readable"
        raise InputRefused(
            Problem(where, "", f"not valid YAML: {why}", "check indentation, colons and quotes")
        ) from None
    except RecursionError:
        raise InputRefused(Problem(name, "", "is nested too deeply", "a scenario needs few levels")) from None


class _Reader:
    """Turns YAML nodes into plain data and keeps the line of each."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[Steps, str] = {}
        self.faults: list[Problem] = []
        self._constructor = yaml.SafeLoader("")
        self._met: set[int] = set()

    def plain(self, node: yaml.Node, steps: Steps) -> Any:
        spot = f"{self.name} line {node.start_mark.line + 1}"
        self.places[steps] = spot
        if id(node) in self._met:
            self.faults.append(Problem(spot, "", "an alias (*name) repeats another value", "write the value out"))
            return None
        self._met.add(id(node))
        if len(steps) > DEEPEST:
            self.faults.append(Problem(spot, "", "is nested too deeply", "a scenario needs few levels"))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, steps)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*steps, position)) for position, item in enumerate(node.value)]
        return self._scalar(node, spot)

    def _mapping(self, node: yaml.MappingNode, steps: Steps) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            spot = f"{self.name} line {key_node.start_mark.line + 1}"
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.append(Problem(spot, "", "a key must be a plain word", "check the brackets"))
                continue
            key = str(key_node.value)
            if key in out:
                first = self.places[*steps, key]
                self.faults.append(Problem(spot, key, f"key given twice, first on {first}", "keep one"))
                continue
            out[key] = self.plain(value_node, (*steps, key))
            self.places[*steps, key] = spot
        return out

    def _scalar(self, node: yaml.Node, spot: str) -> Any:
        try:
            value = self._constructor.construct_object(node)
            if isinstance(value, str):
                value.encode()
        except (yaml.YAMLError, ValueError) as error:
            told = getattr(error, "problem", None) or str(error)
            self.faults.append(
                Problem(spot, str(node.value)[:80].encode(errors="replace").decode(), f"no value: {told}")
            )
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and _IN_DISGUISE.match(str(node.value)):
            rule = f"YAML takes this for the number {value}"
            remedy = "write numbers with digits, sign and decimal point only, and texts in quotes"
            self.faults.append(Problem(spot, str(node.value)[:80], rule, remedy))
            return None
        if isinstance(value, str | bool | int | float) or value is None:
            return value
        return value.isoformat() if isinstance(value, date) else str(node.value)
