"""Who takes over the accounts of people who leave within the horizon, as the simulation hands them on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
from numpy.typing import NDArray

from optimize.response.people import People
from optimize.succession import Succession
from scenarios.lead_shares import region_of
from scenarios.people import Rep
from scenarios.scenario import Scenario

Floats = NDArray[np.float64]


def succession(people: People, tiers: tuple[str, ...], by_day: Mapping[str, Floats]) -> Succession:
    """Parts of the horizon's orders that others have after a leaver.

    Args:
        tiers: of each account, [A].
        by_day: expected orders of each tier on each day of the horizon, on any scale.
    """
    parts: dict[int, dict[int, Floats]] = {}
    start = people.scenario.calendar.start
    for r in np.flatnonzero(people.time.leaving).tolist() if tiers else ():
        taken: dict[int, Floats] = {}
        for heir, first, last, weight in heirs(people.scenario, people.reps[r]):
            days = slice((first - start).days, (last - start).days)
            share = {tier: weight * float(orders[days].sum() / orders.sum()) for tier, orders in by_day.items()}
            place = people.places.get(heir or "", -1)
            taken[place] = taken.get(place, np.zeros(len(tiers))) + [share[tier] for tier in tiers]
        parts[r] = taken
    return Succession(parts, people.time.share)


def heirs(scenario: Scenario, leaver: Rep) -> Iterator[tuple[str | None, date, date, float]]:
    """Who has the accounts of a leaver after them: from which day, until which, and what share of them.

    The first successor down the line who has not left, if employed that day; else each colleague of the role and
    region alike, since the simulation draws one for each account; else nobody. An heir who leaves hands on as well.
    """
    end = scenario.calendar.end
    if leaver.leaves is None or leaver.leaves >= end:
        return
    first = max(leaver.leaves, scenario.calendar.start)
    found = _heirs_on(scenario, leaver, first)
    if not found:
        yield None, first, end, 1.0
    for heir in found:
        last = min(heir.leaves or end, end)
        yield heir.id, first, last, 1.0 / len(found)
        for name, begin, until, share in heirs(scenario, heir):
            yield name, begin, until, share / len(found)


def succession_told(scenario: Scenario) -> tuple[str, ...]:
    """Whose accounts go on to whom, who is passed over, and what counts as if nobody left by chance, in words."""
    owners = {account.owner for account in scenario.accounts}
    end = scenario.calendar.end
    leavers = {rep.id: rep for rep in scenario.reps if rep.leaves is not None and rep.leaves < end}
    after = {
        name: ", ".join(dict.fromkeys(heir or "nobody" for heir, *_ in heirs(scenario, rep)))
        for name, rep in leavers.items()
    }
    notes = [
        f"accounts of {name}, who leaves on {rep.leaves}, stay until then and go on to {after[name]}: sales, hours and "
        "potential are split by the orders of the horizon before and after"
        for name, rep in leavers.items()
        if name in owners
    ]
    notes += [told for rep in leavers.values() for told in _passed_over(scenario, rep, after[rep.id])]
    notes += _by_chance(scenario)
    for lock in scenario.allocation.locks:
        rep = leavers.get(str(lock.value))
        if lock.path.startswith("owner.") and rep is not None:
            notes.append(
                f"{lock.path} is locked to {rep.id}, who leaves on {rep.leaves}: from then on it counts for "
                f"{after[rep.id]}"
            )
    return tuple(notes)


def _passed_over(scenario: Scenario, leaver: Rep, after: str) -> Iterator[str]:
    """Says that a named successor does not take over, why, and who does instead."""
    people, day = {rep.id: rep for rep in scenario.reps}, max(leaver.leaves or date.max, scenario.calendar.start)
    named = people.get(leaver.successor or "")
    if named is None or _employed(named, day):
        return
    begin = f"{named.id}, the successor of {leaver.id}, who leaves on {leaver.leaves}, is not there that day"
    why = f"has left on {named.leaves}" if _left(named, day) else f"is hired on {named.hired}"
    yield f"{begin} ({why}): work and accounts go on to {after} instead"


def _by_chance(scenario: Scenario) -> Iterator[str]:
    """Says what of the figures does not know of leavings that are drawn, and how much that may be."""
    exposed = [rep for rep in scenario.reps if 0 < rep.attrition_per_year < 1]
    if not exposed:
        return
    most = max(exposed, key=lambda rep: rep.attrition_per_year)
    years = (scenario.calendar.end - scenario.calendar.start).days / 365.0
    hazard = -math.log1p(-most.attrition_per_year) * years
    after = 1 + math.expm1(-hazard) / hazard
    yield (
        f"people who may leave by chance ({len(exposed)}): simulated sales hold it, gains of training, care and "
        f"accounts count as if they stayed; of {most.id}, on average {100 * after:.2g} % of the horizon comes after"
    )


def _heirs_on(scenario: Scenario, leaver: Rep, day: date) -> tuple[Rep, ...]:
    people, passed = {rep.id: rep for rep in scenario.reps}, {leaver.id}
    heir = people.get(leaver.successor or "")
    while heir is not None and _left(heir, day) and heir.id not in passed:
        passed.add(heir.id)
        heir = people.get(heir.successor or "")
    if heir is not None and _employed(heir, day):
        return (heir,)
    anywhere, home = scenario.routing.across_regions, region_of(scenario, leaver.id)
    near = (rep for rep in scenario.reps if rep.role == leaver.role and _employed(rep, day))
    return tuple(rep for rep in near if anywhere or region_of(scenario, rep.id) == home)


def _left(rep: Rep, day: date) -> bool:
    return rep.leaves is not None and rep.leaves <= day


def _employed(rep: Rep, day: date) -> bool:
    return not _left(rep, day) and (rep.hired is None or rep.hired <= day)
