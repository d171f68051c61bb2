"""Rows of totals in a table of quotas: of everybody, of a team, or of the rows above; checked, never read as quotas."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from scenarios.base import major_units
from scenarios.errors import Problem
from scenarios.scenario import Scenario

TOTALS = ("total", "grand total", "sum", "合计", "总计", "总和")
SUBTOTALS = ("subtotal", "sub total", "小计")
_OF_TEAM = re.compile(r"(.+?) ?(?:total|subtotal|合计|总计|小计)")


@dataclass(frozen=True)
class TotalRow:
    """A row that holds a sum.

    Attributes:
        reps: whose quotas it sums; ``None`` for those of the rows above, up to the total before.
    """

    line: int
    reps: frozenset[str] | None


def plain_title(text: str) -> str:
    """A title without case, width, and the signs that stand for spaces."""
    return re.sub(r"[\s_\-.]+", " ", unicodedata.normalize("NFKC", text)).strip(" :").casefold()


def total_rows(names: Mapping[int, str], scenario: Scenario) -> list[TotalRow]:
    """The rows that are totals.

    Args:
        names: what stands in the column of people, by line.
    """
    everybody = frozenset(rep.id for rep in scenario.reps)
    own = {plain_title(name) for rep in scenario.reps for name in (rep.id, rep.name) if name}
    teams: dict[str, frozenset[str]] = {}
    for team in scenario.teams:
        members = frozenset(rep.id for rep in scenario.reps if rep.team == team.id)
        teams |= {plain_title(name): members for name in (team.id, team.name) if name}
    found = []
    for line, name in names.items():
        said = plain_title(name)
        of_team = _OF_TEAM.fullmatch(said)
        if said in own:
            continue
        if said in TOTALS or said in SUBTOTALS:
            found.append(TotalRow(line, None if said in SUBTOTALS else everybody))
        elif of_team is not None and of_team[1] in teams:
            found.append(TotalRow(line, teams[of_team[1]]))
    return found


def wrong_totals(
    spot: str,
    rows: Collection[TotalRow],
    people: Mapping[int, str],
    minor: Mapping[int, int],
    rounded: Collection[int],
) -> Iterator[Problem]:
    """Totals that are not the sum of the quotas that they are of.

    Args:
        people: whom each row of a quota is about.
        minor: what was read, by line, rows of totals among them.
        rounded: lines whose amounts were rounded: each may be half a cent off.
    """
    before = 0
    for row in sorted(rows, key=lambda one: one.line):
        if row.reps is None:
            lines = [line for line in people if before < line < row.line and line in minor]
        else:
            lines = [line for line, rep in people.items() if rep in row.reps and line in minor]
        before = row.line
        if row.line not in minor:
            continue
        total = sum(minor[line] for line in lines)
        off = len({row.line, *lines} & {*rounded})
        if abs(minor[row.line] - total) > (off + 1) // 2:
            rule = f"a total must be the sum of the quotas, {major_units(total)}"
            value = str(major_units(minor[row.line]))
            yield Problem(spot.format(row.line), value, rule, "correct it or take the row away")
