"""Shares of new leads that a plan gives to reps: which rows are in force when, and which of them make no sense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from scenarios.errors import Problem
from scenarios.funnel import Source
from scenarios.plan import Plan
from scenarios.scenario import Scenario

BY_SHARE = ("even", "owner")
"""Policies that draw a rep by weights: shares take their place. An owner's leads are those of existing accounts."""
SUM_OFF, REGION_OFF = 1e-6, 1e-3
"""How far shares may be off what they must sum to; of regions, since mixes are often given to three digits."""

Stretch = tuple[date, date, dict[str, float]]


def stretches(plan: Plan, source: str) -> Iterator[Stretch]:
    """Stretches of time in which the same rows of a source are in force: first day, first day after, share by rep."""
    rows = [row for row in plan.shares if row.source == source]
    cuts = sorted({day for row in rows for day in (row.start, row.end)})
    for start, end in pairwise(cuts):
        found: dict[str, float] = {}
        for row in rows:
            if row.start <= start and end <= row.end:
                found[row.rep] = found.get(row.rep, 0.0) + row.share
        if found:
            yield start, end, found


def entry_role(scenario: Scenario, source: Source) -> str:
    """The role that works the stage at which leads of a source come in."""
    first = source.first_stage or scenario.stages[0].id
    return next(stage.role for stage in scenario.stages if stage.id == first)


def share_problems(plan: Plan, scenario: Scenario, spots: Mapping[Any, str]) -> Iterator[Problem]:
    """Shares that cannot be honoured: of a policy that draws by nothing, of nobody at the entry, that do not sum up.

    Names that the scenario does not know are left to the checks of names.

    Args:
        spots: file and line of each row, where they are known.
    """
    sources = {source.id: source for source in scenario.sources}
    reps = {rep.id: rep for rep in scenario.reps}
    for name in dict.fromkeys(row.source for row in plan.shares):
        if name not in sources:
            continue
        rows = [row for row in plan.shares if row.source == name]
        unsound = [row for row in rows if not 0 <= row.share <= 1]
        for row in unsound:
            rule = f"share must be 0 to 1, this is that of {row.rep} in {name}"
            yield Problem(spots.get(row, "plan.shares"), f"{row.share:g}", rule, "a share is written 0.45, not 45")
        policy = scenario.routing.by_source.get(name, scenario.routing.policy)
        where = spots.get(rows[0], "plan.shares")
        if policy not in BY_SHARE:
            rule = f"leads of {name} are routed by {policy}, which leaves no room for shares"
            remedy = f"set routing.by_source.{name} to even, or remove the shares"
            yield Problem(where, name, rule, remedy)
            continue
        role = entry_role(scenario, sources[name])
        for row in rows:
            if row.rep in reps and reps[row.rep].role != role and row.share > 0:
                rule = f"leads of {name} come in at a stage of the role {role}; {row.rep} is {reps[row.rep].role}"
                yield Problem(spots.get(row, "plan.shares"), row.rep, rule, "give the share to a rep of that role")
        # What a share that is none sums to says nothing.
        if not unsound and all(row.rep in reps for row in rows):
            yield from _sum_problems(plan, scenario, sources[name], where)


def _sum_problems(plan: Plan, scenario: Scenario, source: Source, where: str) -> Iterator[Problem]:
    """Shares of a source sum to 1 at any time, and within each region to what comes from there."""
    wanted = region_mix(scenario, source)
    for start, end, shares in stretches(plan, source.id):
        when = f"{source.id} from {start} to {end}"
        total = sum(shares.values())
        if abs(total - 1) > SUM_OFF:
            yield Problem(where, f"{total:g}", f"shares of {when} must sum to 1", "correct them, zeros may be left out")
            continue
        if scenario.routing.across_regions:
            continue
        held = dict.fromkeys(wanted, 0.0)
        for rep, share in shares.items():
            region = region_of(scenario, rep)
            held[region] = held.get(region, 0.0) + share
        for region, share in held.items():
            if abs(share - wanted.get(region, 0.0)) > REGION_OFF:
                rule = (
                    f"reps of region {region} hold {share:.4g} of {when}, "
                    f"but {wanted.get(region, 0.0):.4g} of its leads come from there"
                )
                yield Problem(where, f"{share:.4g}", rule, "correct them, or set routing.across_regions")


def region_of(scenario: Scenario, rep: str) -> str:
    """Region of a rep: its own, else the team's."""
    person = next(one for one in scenario.reps if one.id == rep)
    return person.region or next(team.region for team in scenario.teams if team.id == person.team)


def region_mix(scenario: Scenario, source: Source) -> dict[str, float]:
    """Share of each region in a source's leads, among regions with a rep at its entry; the rest is the pool's."""
    role = entry_role(scenario, source)
    served = {region_of(scenario, rep.id) for rep in scenario.reps if rep.role == role}
    weights = {
        region.id: (source.regions.get(region.id, 0.0) if source.regions else 1.0)
        for region in scenario.regions
        if region.id in served
    }
    total = sum(weights.values())
    return {region: weight / total for region, weight in weights.items()} if total > 0 else dict.fromkeys(weights, 0.0)


def share_factors(scenario: Scenario, plan: Plan, rep: str) -> dict[str, float]:
    """How many times the share by weights a rep gets of each source that the plan gives shares of, over the horizon."""
    start, end = scenario.calendar.start, scenario.calendar.end
    out: dict[str, float] = {}
    for source in scenario.sources:
        found = list(stretches(plan, source.id))
        if not found:
            continue
        by_weights = _share_by_weights(scenario, source, rep)
        given = sum((last - first).days * shares.get(rep, 0.0) for first, last, shares in found)
        open_days = (end - start).days - sum((last - first).days for first, last, _ in found)
        if by_weights > 0:
            out[source.id] = (given / by_weights + open_days) / (end - start).days
    return out


def _share_by_weights(scenario: Scenario, source: Source, rep: str) -> float:
    """A rep's share of a source's leads without given shares, everybody there all the time."""
    person = next(one for one in scenario.reps if one.id == rep)
    if person.role != entry_role(scenario, source):
        return 0.0
    mine = region_of(scenario, rep)
    everywhere = scenario.routing.across_regions
    beside = [
        one for one in scenario.reps if one.role == person.role and (everywhere or region_of(scenario, one.id) == mine)
    ]
    total = sum(one.lead_weight for one in beside)
    part = 1.0 if everywhere else region_mix(scenario, source).get(mine, 0.0)
    return part * person.lead_weight / total if total > 0 else 0.0
