"""Typed changes to a scenario: one mechanism for what-if files, ``--set``, sweeps and the diff."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from scenarios.documents import Document, read_value
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.paths import Steps, join_path, names_of, near, position_of, split_path

Operation = Literal["set", "scale", "add", "remove"]
_ASSIGNMENT = re.compile(r"^\s*(?P<path>[^=]+?)\s*(?P<scale>\*?)=(?P<value>.*)$", re.DOTALL)
_FORMS: dict[str, tuple[Operation, str | None]] = {
    "set": ("set", "to"),
    "scale": ("scale", "by"),
    "add": ("add", "item"),
    "remove": ("remove", None),
}


@dataclass(frozen=True)
class Change:
    """One change: set a value, scale a number, add an item to a section, remove an item or a value.

    Attributes:
        where: the file and line, or the option, that asks for it.
    """

    operation: Operation
    path: str
    value: Any = None
    where: str = field(default="", compare=False)

    def __str__(self) -> str:
        match self.operation:
            case "set":
                return f"{self.path} = {self.value}"
            case "scale":
                return f"{self.path} x {self.value:g}"
            case "add":
                name = self.value.get("id", "") if isinstance(self.value, Mapping) else self.value
                return f"{self.path} + {name}"
            case "remove":
                return f"{self.path} removed"


@dataclass(frozen=True)
class Difference:
    """One leaf that differs between two documents; ``None`` stands for absent."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.path} = {self.after}"
        if self.after is None:
            return f"- {self.path} (was {self.before})"
        return f"  {self.path}: {self.before} -> {self.after}"


def parse_assignment(text: str) -> Change:
    """``path=value`` sets, ``path*=factor`` scales; the value is read as YAML.

    Raises:
        InputRefused: not of that form, or the factor is no number.
    """
    # Bytes of the command line that are not UTF-8 must not break the message that refuses them.
    text = text.encode(errors="replace").decode()
    match = _ASSIGNMENT.match(text)
    if match is None:
        raise InputRefused(
            Problem("--set", text, "must read path=value or path*=factor", "for example reps.E1.hours_per_week=32")
        )
    where = f"--set {text.strip()}"
    value = read_value(match["value"], where)
    split_path(match["path"])
    if match["scale"]:
        return Change("scale", match["path"], _factor(value, where), where)
    return Change("set", match["path"], value, where)


def typed(changes: Iterable[Change | str] | str) -> list[Change]:
    """Changes, of which some may be assignments in text; a single text is one assignment.

    Raises:
        InputRefused: naming every text that is no assignment.
    """
    found: list[Change] = []
    problems: list[Problem] = []
    for change in [changes] if isinstance(changes, str) else changes:
        try:
            found.append(parse_assignment(change) if isinstance(change, str) else change)
        except InputRefused as refused:
            problems += refused.problems
    refuse_if(problems)
    return found


def parse_changes(items: Sequence[Any], where: str, places: Sequence[str] = ()) -> list[Change]:
    """Changes of a what-if file.

    Each is one of ``{set: path, to: value}``, ``{scale: path, by: factor}``, ``{add: section, item: {...}}`` and
    ``{remove: path}``.

    Args:
        places: file and line of each entry; without them an entry is named by ``where`` and its position.

    Raises:
        InputRefused: naming every entry that has another form.
    """
    changes: list[Change] = []
    problems: list[Problem] = []
    for position, item in enumerate(items):
        try:
            changes.append(_parsed(item, places[position] if places else f"{where}[{position}]"))
        except InputRefused as refused:
            problems += refused.problems
    refuse_if(problems)
    return changes


def _parsed(item: Any, spot: str) -> Change:
    verbs = [verb for verb in _FORMS if isinstance(item, Mapping) and verb in item]
    if len(verbs) != 1:
        rule = "a change must hold exactly one of set, scale, add, remove"
        raise InputRefused(Problem(spot, str(item), rule, "for example {set: calendar.selling_share, to: 0.75}"))
    operation, argument = _FORMS[verbs[0]]
    expected = {verbs[0]} | ({argument} if argument else set())
    if set(item) != expected:
        rule = f"a change of this kind holds the keys {' and '.join(sorted(expected))}, nothing else"
        raise InputRefused(Problem(spot, ", ".join(map(str, item)), rule))
    path, value = str(item[verbs[0]]), item[argument] if argument else None
    split_path(path)
    return Change(operation, path, _factor(value, spot) if operation == "scale" else value, spot)


def _factor(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputRefused(Problem(where, str(value), "a factor must be a number"))
    return float(value)


def apply(document: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """A changed copy of a document; the result still has to be validated.

    Raises:
        InputRefused: naming every change whose path leads nowhere.
    """
    changed = apply_to(Document(dict(document)), changes)
    refuse_if(changed.faults)
    return changed.data


def apply_to(document: Document, changes: Iterable[Change]) -> Document:
    """A changed copy of a document, in which changed values stand where the change was asked for.

    A change whose path leads nowhere is added to the faults.
    """
    out = Document(copy.deepcopy(document.data), dict(document.places), list(document.faults), set(document.partial))
    for change in changes:
        try:
            _EDITS[change.operation](out, change)
        except InputRefused as refused:
            prefix = f"{change.where}: " if change.where else ""
            out.faults += [
                Problem(f"{prefix}{problem.where}", problem.value, problem.rule, problem.remedy)
                for problem in refused.problems
            ]
    return out


def look_up(document: Mapping[str, Any], path: str) -> Any:
    """The value at a path.

    Raises:
        InputRefused: the path leads nowhere; near matches are named.
    """
    return _walk(document, split_path(path), path)[1]


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Every leaf that differs, by path; items with ids are matched by id, so order does not count."""
    old, new = dict(_leaves(before, ())), dict(_leaves(after, ()))
    paths = list(dict.fromkeys([*old, *new]))
    return [Difference(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def _set(document: Document, change: Change) -> None:
    *above, last = split_path(change.path)
    steps, parent = _walk(document.data, above, change.path, create=True)
    if isinstance(parent, list):
        _put(document, (*steps, *_walk(parent, [last], change.path)[0]), parent, change)
    elif isinstance(parent, dict):
        _put(document, (*steps, last), parent, change)
    else:
        raise InputRefused(Problem(change.path, str(parent), f"{'.'.join(above)} is a value and has no fields"))


def _put(document: Document, steps: Steps, parent: Any, change: Change) -> None:
    parent[steps[-1]] = copy.deepcopy(change.value)
    _moved(document, steps, change.where)


def _scale(document: Document, change: Change) -> None:
    parts = split_path(change.path)
    steps, old = _walk(document.data, parts, change.path)
    if isinstance(old, bool) or not isinstance(old, int | float):
        raise InputRefused(Problem(change.path, str(old)[:80], "only a number can be scaled"))
    value = old * change.value
    if isinstance(old, int) and float(value).is_integer():
        value = int(value)
    _, parent = _walk(document.data, parts[:-1], change.path)
    parent[steps[-1]] = value
    _moved(document, steps, change.where)


def _add(document: Document, change: Change) -> None:
    *above, last = split_path(change.path)
    steps, parent = _walk(document.data, above, change.path, create=True)
    items = parent.setdefault(last, []) if isinstance(parent, dict) else _walk(parent, [last], change.path)[1]
    if not isinstance(items, list):
        raise InputRefused(Problem(change.path, str(items)[:80], "is not a list that something could be added to"))
    name = change.value.get("id") if isinstance(change.value, Mapping) else None
    if name is not None and any(isinstance(item, Mapping) and item.get("id") == name for item in items):
        raise InputRefused(Problem(change.path, str(name), "an item of this id exists", "set its fields instead"))
    items.append(copy.deepcopy(change.value))
    _moved(document, (*steps, last, len(items) - 1), change.where)


def _remove(document: Document, change: Change) -> None:
    parts = split_path(change.path)
    steps, _ = _walk(document.data, parts, change.path)
    _, parent = _walk(document.data, parts[:-1], change.path)
    parent.pop(steps[-1])
    _moved(document, steps, "", closes_up=isinstance(parent, list))


_EDITS = {"set": _set, "scale": _scale, "add": _add, "remove": _remove}


def _moved(document: Document, steps: Steps, where: str, closes_up: bool = False) -> None:
    """Keep the places true after the value at ``steps`` was replaced, or removed from a list."""
    depth = len(steps) - 1
    kept: dict[Steps, str] = {}
    for old, spot in document.places.items():
        same_list = len(old) > depth and old[:depth] == steps[:depth]
        if same_list and old[depth] == steps[depth]:
            continue
        key = old
        if same_list and closes_up and isinstance(old[depth], int) and old[depth] > steps[depth]:  # type: ignore[operator]
            key = (*old[:depth], int(old[depth]) - 1, *old[depth + 1 :])
        kept[key] = spot
    if where:
        kept[steps] = where
    document.places = kept


def _walk(node: Any, parts: Sequence[str], path: str, create: bool = False) -> tuple[Steps, Any]:
    """Follow parts from a node: the steps taken and the value reached."""
    steps: list[str | int] = []
    for part in parts:
        at: str | int | None = part if isinstance(node, Mapping) and part in node else None
        if isinstance(node, list):
            at = _only_one(node, part, path)
        if at is None and create and isinstance(node, dict):
            node[part], at = {}, part
        if at is None:
            known = names_of(node) if isinstance(node, list) else list(node) if isinstance(node, Mapping) else []
            place = join_path(*parts[: len(steps)]) if steps else "the scenario"
            raise InputRefused(Problem(path, part, f"no such entry in {place}", near(part, map(str, known))))
        steps.append(at)
        node = node[at]
    return tuple(steps), node


def _only_one(node: list[Any], part: str, path: str) -> int | None:
    """The position of an entry by its name; refused where two are called so: one would be changed blindly."""
    named = [at for at, item in enumerate(node) if isinstance(item, Mapping) and str(item.get("rule")) == part]
    if len(named) > 1 and not any("id" in node[at] for at in named):
        rule = f"{len(named)} entries are called so"
        raise InputRefused(Problem(path, part, rule, f"write the position: {', '.join(map(str, named))}"))
    return position_of(node, part)


def _leaves(node: Any, parts: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, (*parts, str(key)))
    elif isinstance(node, list) and all(isinstance(item, Mapping) for item in node):
        for name, item in zip(names_of(node), node, strict=True):
            yield from _leaves(item, (*parts, name))
    else:
        yield join_path(*parts), node
