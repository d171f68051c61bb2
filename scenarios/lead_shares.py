"""Shares of new leads that a plan gives to reps: which rows are in force when, and which of them make no sense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


def policy_of(scenario: Scenario, source: str) -> str:
    """How a source's leads are routed."""
    return scenario.routing.by_source.get(source, scenario.routing.policy)


def shareable(scenario: Scenario, source: str) -> bool:
    """Whether the routing of a source's leads can follow shares."""
    return policy_of(scenario, source) in BY_SHARE


def hands_over(scenario: Scenario, source: Source) -> str:
    """The first role other than that at the entry that works a source's leads before they are won; empty if none."""
    first = next(i for i, stage in enumerate(scenario.stages) if stage.id == (source.first_stage or stage.id))
    role = entry_role(scenario, source)
    later = [stage.role for stage in scenario.stages[first:] if not stage.after_win]
    return next((other for other in later if other != role), "")


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
        where = spots.get(rows[0], "plan.shares")
        if not shareable(scenario, name):
            rule = f"leads of {name} are routed by {policy_of(scenario, name)}, which leaves no room for shares"
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
    teams = {team.id: team.region for team in scenario.teams}
    served = {rep.region or teams[rep.team] for rep in scenario.reps if rep.role == role}
    weights = {
        region.id: (source.regions.get(region.id, 0.0) if source.regions else 1.0)
        for region in scenario.regions
        if region.id in served
    }
    total = sum(weights.values())
    return {region: weight / total for region, weight in weights.items()} if total > 0 else dict.fromkeys(weights, 0.0)


def share_factors(scenario: Scenario, plan: Plan) -> dict[str, dict[str, float]]:
    """How many times the share by weights each rep gets of each source that the plan gives shares of, over the horizon.

    Returns:
        By rep, then by source; a rep without weight is in none.
    """
    out: dict[str, dict[str, float]] = {}
    for source in scenario.sources:
        if not any(row.source == source.id for row in plan.shares):
            continue
        given = mean_shares(scenario, plan, source)
        for rep, by_weights in shares_by_weights(scenario, source).items():
            if by_weights > 0:
                out.setdefault(rep, {})[source.id] = given.get(rep, 0.0) / by_weights
    return out


def mean_shares(scenario: Scenario, plan: Plan, source: Source) -> dict[str, float]:
    """Each rep's mean share of a source's leads over the horizon, by weights where the plan gives none; by id."""
    start, end = scenario.calendar.start, scenario.calendar.end
    out: dict[str, float] = {}
    open_days = (end - start).days
    for first, last, shares in stretches(plan, source.id):
        open_days -= (last - first).days
        for rep, share in shares.items():
            out[rep] = out.get(rep, 0.0) + (last - first).days * share
    for rep, share in shares_by_weights(scenario, source).items() if open_days else ():
        out[rep] = out.get(rep, 0.0) + open_days * share
    return {rep: share / (end - start).days for rep, share in out.items()}


@dataclass(frozen=True)
class ShareChange:
    """A rep's mean share of a source's new leads over the horizon under two plans."""

    source: str
    rep: str
    before: float
    after: float


def share_changes(scenario: Scenario, before: Plan, after: Plan) -> list[ShareChange]:
    """Shares that two plans give otherwise, by source, the largest change first."""
    found = []
    for source in scenario.sources:
        if not any(row.source == source.id for row in (*before.shares, *after.shares)):
            continue
        was, will = mean_shares(scenario, before, source), mean_shares(scenario, after, source)
        rows = [ShareChange(source.id, rep, was.get(rep, 0.0), will.get(rep, 0.0)) for rep in {**was, **will}]
        found += sorted(
            (row for row in rows if abs(row.after - row.before) > SUM_OFF),
            key=lambda row: (-abs(row.after - row.before), row.rep),
        )
    return found


def shares_by_weights(scenario: Scenario, source: Source) -> dict[str, float]:
    """Shares of a source's leads without given ones, everybody at its entry there all the time; by id."""
    role, everywhere = entry_role(scenario, source), scenario.routing.across_regions
    mix = {} if everywhere else region_mix(scenario, source)
    teams = {team.id: team.region for team in scenario.teams}
    beside = {rep.id: rep.region or teams[rep.team] for rep in scenario.reps if rep.role == role}
    weights = {rep.id: rep.lead_weight for rep in scenario.reps if rep.id in beside}
    totals: dict[str, float] = {}
    for rep, region in beside.items():
        place = "" if everywhere else region
        totals[place] = totals.get(place, 0.0) + weights[rep]
    out = {}
    for rep, region in beside.items():
        total = totals["" if everywhere else region]
        part = 1.0 if everywhere else mix.get(region, 0.0)
        out[rep] = part * weights[rep] / total if total > 0 else 0.0
    return out
