"""From a document to a scenario: the vocabulary and what must hold between the parts, all problems together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from scenarios import checks
from scenarios.documents import Document, known_version
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.messages import problems_of
from scenarios.paths import Steps, join_path, names_of, split_path, steps_of
from scenarios.scenario import SCHEMA_VERSION, Scenario
from scenarios.sound import Cut, parsed, sound_part

_TOO_DEEP = Problem("the scenario", "", "is nested too deeply", "a scenario needs few levels")


def validate(document: Document) -> Scenario:
    """Check a document against the vocabulary and between its parts.

    Raises:
        InputRefused: all problems together, each with its place.
    """
    given = document.data.get("schema_version", SCHEMA_VERSION)
    spot = document.place(("schema_version",))
    known_version(given, SCHEMA_VERSION, f"{spot}: schema_version" if spot else "schema_version", "the file")
    try:
        scenario = parsed(document.data)
    except UnicodeEncodeError:
        raise InputRefused(_no_text(document.data, ())) from None
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors(include_url=False)):
            raise InputRefused(_TOO_DEEP) from None
        found = [*document.faults, *problems_of(error, document)]
        raise InputRefused([*found, *_cross_problems(*sound_part(document), document)]) from None
    except (RecursionError, ValueError):
        # What pydantic found is dealt with above; left are data that hold themselves or nest without end.
        raise InputRefused(_TOO_DEEP) from None
    except TypeError:
        rule = "names of fields must be texts, also inside sections"
        raise InputRefused(Problem("the scenario", "", rule, "correct the keys")) from None
    refuse_if([*document.faults, *_cross_problems(scenario, Cut(unsure=set(document.partial)), document)])
    return scenario


def _as_named(where: str, document: Document) -> str:
    """A path as problems of the vocabulary name it, so that one entry has one name in all messages."""
    parts: list[str | int] = [*split_path(where)]
    node: Any = document.data
    for at, step in enumerate(steps_of(where, document.data)):
        if isinstance(step, int) and parts[at] == str(step):
            parts[at] = names_of(node)[step]
        node = node[step]
    return join_path(*parts)


def _no_text(node: Any, path: Steps) -> Iterator[Problem]:
    """Strings that no file could hold, which only a program can pass."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _no_text(str(key), path)
            yield from _no_text(value, (*path, str(key)))
    elif isinstance(node, list | tuple):
        for at, value in enumerate(node):
            yield from _no_text(value, (*path, at))
    elif isinstance(node, str) and any("\ud800" <= sign <= "\udfff" for sign in node):
        shown = node.encode(errors="replace").decode()
        yield Problem(join_path(*path), shown, "holds half a character (a lone surrogate)", "correct the text")


def _cross_problems(scenario: Scenario, cut: Cut, document: Document) -> list[Problem]:
    """What does not hold between the parts, without what only follows from a value that was taken out."""
    found = []
    for problem in checks.problems(scenario, cut.known(), cut.doubtful()):
        where = _as_named(cut.as_given(problem.where), document)
        if not cut.explains(where):
            spot = document.place(steps_of(where, document.data))
            found.append(Problem(f"{spot}: {where}" if spot else where, problem.value, problem.rule, problem.remedy))
    return found
