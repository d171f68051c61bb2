"""What the parts of a scenario may refer to, for the checks between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from scenarios.errors import Problem
from scenarios.paths import near
from scenarios.scenario import Scenario, ids

SECTIONS = (
    "regions",
    "teams",
    "roles",
    "stages",
    "sources",
    "segments",
    "products",
    "bundles",
    "tiers",
    "support",
    "reps",
    "accounts",
    "pipeline",
    "tenders",
)


@dataclass(frozen=True)
class World:
    """A scenario under check.

    Attributes:
        known: ids by section, with those of items that are faulty themselves.
        unsure: sections that are not there in full; nothing is said to be missing from them.
    """

    scenario: Scenario
    known: Mapping[str, frozenset[str]]
    unsure: frozenset[str]

    @property
    def horizon(self) -> tuple[date, date] | None:
        """First day and first day after, unless the calendar is faulty itself."""
        calendar = self.scenario.calendar
        return None if "calendar" in self.unsure else (calendar.start, calendar.end)


def world_of(scenario: Scenario, also_known: Mapping[str, frozenset[str]], unsure: frozenset[str]) -> World:
    """A scenario with its ids by section, ready for checks."""
    none: frozenset[str] = frozenset()
    known = {
        section: frozenset(ids(getattr(scenario, section))) | also_known.get(section, none) for section in SECTIONS
    }
    known["levels"] = frozenset(ids(scenario.skills.levels)) | also_known.get("levels", none)
    known["skills"] = frozenset(scenario.skills.dimensions)
    return World(scenario, known, unsure)


def unknown(where: str, value: str | None, section: str, world: World) -> Iterator[Problem]:
    """A problem if ``value`` is given and names nothing in ``section``."""
    if value is None or value in world.known[section] or section in world.unsure:
        return
    names = sorted(world.known[section])
    yield Problem(where, value, f"names nothing in {section}", near(value, names, f"{section} is empty"))


def all_known(where: str, values: Iterable[str], section: str, world: World) -> Iterator[Problem]:
    """A problem for each value that names nothing in ``section``."""
    for value in values:
        yield from unknown(where, value, section, world)
