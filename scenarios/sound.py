"""The sound part of a faulty document, so that its other problems are found in the same pass."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from scenarios.documents import Document
from scenarios.messages import is_cascade, named_path
from scenarios.paths import Steps, join_path, split_path
from scenarios.scenario import Scenario

_SECTIONS: dict[str, Any] = {
    "name": "?",
    "calendar": {"start": "2000-01-01", "end": "2000-01-02"},
    "regions": [{"id": "?"}],
    "teams": [{"id": "?", "region": "?"}],
    "stages": [{"id": "?", "effort_hours": {"family": "fixed", "value": 1}, "conversion": 0.5}],
    "reps": [{"id": "?", "team": "?"}],
}
"""What stands in for a required section that is faulty throughout."""

_FIELDS: dict[str, Any] = {
    "team": "?",
    "region": "?",
    "tier": "?",
    "stage": "?",
    "rep": "?",
    "leads_per_year": 0,
    "orders_per_year": 0,
    "order_value": {"family": "fixed", "value": 1},
    "effort_hours": {"family": "fixed", "value": 1},
    "order_effort_hours": {"family": "fixed", "value": 1},
    "mean": 1,
    "cv": 1,
    "conversion": 0.5,
    "target": 0,
    "created": "1900-01-01",
    "first": "1900-01-01",
    "last": "2199-12-31",
}
"""What stands in for a required field, so that the other fields of its item can be checked."""


@dataclass
class Cut:
    """What was taken out of a document so that the rest can be checked.

    Attributes:
        left_out: paths of the faulty values, by name.
        dropped: ids of faulty items, by section; they exist, so references to them are no fault.
        closed_up: positions taken out of lists whose items have no id, by the list's path.
        unsure: sections that are not there in full.
    """

    left_out: set[str] = field(default_factory=set)
    dropped: dict[str, set[str]] = field(default_factory=dict)
    closed_up: dict[str, list[int]] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)

    def known(self) -> dict[str, frozenset[str]]:
        """Ids of the dropped items by section."""
        return {section: frozenset(names) for section, names in self.dropped.items()}

    def doubtful(self) -> frozenset[str]:
        """Sections that are not there in full, and "service" where anything was taken out that may bear on it."""
        return frozenset(self.unsure | ({"service"} if self.left_out or self.dropped else set()))

    def explains(self, where: str) -> bool:
        """Whether a problem at this path only follows from a faulty value that is reported itself."""
        return any(where == path or where.startswith((f"{path}.", f"{path}[")) for path in self.left_out)

    def as_given(self, where: str) -> str:
        """A path in which positions count the items that were taken out."""
        parts: list[str | int] = []
        for part in split_path(where):
            gone = self.closed_up.get(join_path(*parts), [])
            parts.append(_before(int(part), gone) if gone and part.isdecimal() else part)
        return join_path(*parts)


def _before(position: int, gone: list[int]) -> int:
    """The position that an item had before those at ``gone`` were taken out."""
    for other in sorted(gone):
        position += other <= position
    return position


def parsed(data: Mapping[str, Any]) -> Scenario:
    """A scenario from plain data, by the vocabulary alone: texts are no numbers and numbers no texts.

    Raises:
        ValidationError: pydantic's, with all faults.
        UnicodeEncodeError: a text is none.
    """
    return Scenario.model_validate_json(json.dumps(data, ensure_ascii=False, default=str).encode(), strict=True)


def sound_part(document: Document) -> tuple[Scenario, Cut]:
    """The document less its faulty values, each taken out with as little around it as possible."""
    rest = Document(copy.deepcopy(document.data))
    cut = Cut(unsure=set(document.partial))
    stood_in: set[str] = set()
    # Each round takes out what the one before made faulty: a field takes its item along, an item its list.
    while True:
        try:
            scenario = parsed(rest.data)
            break
        except ValidationError as error:
            faults = [fault for fault in error.errors(include_url=False) if not is_cascade(fault, rest)]
        targets = {_target(tuple(fault["loc"]), fault["type"] == "missing", rest, cut) for fault in faults}
        for steps in sorted(targets - {()}, key=_order, reverse=True):
            _take_out(steps, rest, cut)
        for section in set(_SECTIONS) - set(rest.data):
            rest.data[section] = copy.deepcopy(_SECTIONS[section])
            stood_in.add(section)
    cut.unsure |= stood_in
    emptied = [section for section in stood_in if isinstance(_SECTIONS[section], list)]
    return scenario.model_copy(update=dict.fromkeys(emptied, ())), cut


def _target(path: Steps, is_missing: bool, rest: Document, cut: Cut) -> Steps:
    """What to take out for a fault: the value itself, or the item around it where nothing can stand in."""
    steps = rest.steps(path)
    if is_missing and path[-1] in _FIELDS and len(path) > 1:
        steps = (*steps, path[-1])
    replaceable = bool(steps) and steps[-1] in _FIELDS and len(steps) > 1
    tried_before = replaceable and named_path(steps[:-1], rest) + f".{steps[-1]}" in cut.left_out
    return steps[:-1] if tried_before else steps


def _order(steps: Steps) -> list[tuple[int, str]]:
    return [(step, "") if isinstance(step, int) else (0, step) for step in steps]


def _take_out(steps: Steps, rest: Document, cut: Cut) -> None:
    *above, last = steps
    list_path = named_path(tuple(above), rest)
    parent: Any = rest.data
    for step in above:
        parent = parent[step]
    section = "levels" if steps[:2] == ("skills", "levels") else str(steps[0])
    if isinstance(last, str) and last in _FIELDS and above:
        parent[last] = copy.deepcopy(_FIELDS[last])
        cut.left_out.add(f"{list_path}.{last}")
        return
    name = named_path(steps, rest)
    removed = parent.pop(last)
    if isinstance(last, int) and isinstance(removed, Mapping) and "id" in removed:
        cut.dropped.setdefault(section, set()).add(str(removed["id"]))
        return
    if isinstance(last, int):
        gone = cut.closed_up.setdefault(list_path, [])
        gone.append(_before(last, gone))
    cut.left_out.add(name)
    if steps[0] == "skills":
        cut.unsure |= {"skills", "levels"}
    elif len(steps) <= 2:
        cut.unsure.add(section)
