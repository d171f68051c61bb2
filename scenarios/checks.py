"""What must hold between the parts of a scenario; each check is small, all problems are reported together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scenarios.check_decisions import check_allocation, check_commitments, check_leads, check_locks, check_targets
from scenarios.check_market import (
    check_accounts,
    check_parents,
    check_pipeline,
    check_products,
    check_seasons,
    check_tenders,
    check_tiers,
)
from scenarios.check_people import (
    check_absences,
    check_employment,
    check_potentials,
    check_reps,
    check_skills,
    check_transfers,
)
from scenarios.errors import Problem
from scenarios.paths import join_path
from scenarios.references import SECTIONS, World, all_known, unknown, world_of
from scenarios.scenario import Scenario, ids

Check = Callable[[World], Iterator[Problem]]
_NOTHING: Mapping[str, frozenset[str]] = {}


def problems(
    scenario: Scenario,
    also_known: Mapping[str, frozenset[str]] = _NOTHING,
    unsure: frozenset[str] = frozenset(),
) -> list[Problem]:
    """All problems between the parts.

    Args:
        also_known: ids by section that exist but are faulty themselves; references to them are not complained of.
        unsure: sections that could not be read in full.
    """
    world = world_of(scenario, also_known, unsure)
    return [problem for check in CHECKS for problem in check(world)]


def check_ids(world: World) -> Iterator[Problem]:
    """Ids are unique within their section."""
    scenario = world.scenario
    groups: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        ((section,), ids(getattr(scenario, section))) for section in SECTIONS
    ]
    groups.append((("skills", "levels"), ids(scenario.skills.levels)))
    for section, found in groups:
        for name, count in Counter(found).items():
            if count > 1:
                rule = f"is the id of {count} items; ids must be unique"
                yield Problem(join_path(*section, name), name, rule, "rename or remove one")


def check_calendar(world: World) -> Iterator[Problem]:
    """Time zones exist."""
    scenario = world.scenario
    zones = [("calendar.timezone", scenario.calendar.timezone)]
    zones += [(join_path("regions", region.id, "timezone"), region.timezone or "UTC") for region in scenario.regions]
    for where, zone in zones:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield Problem(where, zone, "is no time zone of the IANA list", "for example Asia/Shanghai or Europe/Berlin")


def check_stages(world: World) -> Iterator[Problem]:
    """Stages are in a workable order and somebody works them."""
    scenario = world.scenario
    staffed = {rep.role for rep in scenario.reps}
    after_win = False
    for stage in scenario.stages:
        where = join_path("stages", stage.id)
        yield from unknown(f"{where}.role", stage.role, "roles", world)
        if stage.role in world.known["roles"] and stage.role not in staffed and not world.unsure & {"reps", "service"}:
            yield Problem(f"{where}.role", stage.role, "no rep has this role", "add a rep or change the role")
        if stage.support is not None:
            yield from unknown(f"{where}.support.resource", stage.support.resource, "support", world)
        if after_win and not stage.after_win:
            yield Problem(where, stage.id, "a stage that decides cannot follow one after the win", "reorder the stages")
        after_win = after_win or stage.after_win
        if stage.patience_days is None and (stage.recycle is not None or stage.when_cold == "pool"):
            yield Problem(f"{where}.patience_days", "", "is needed for a lead to go cold", "give patience_days")
    if scenario.stages and scenario.stages[0].after_win and "stages" not in world.unsure:
        where = join_path("stages", scenario.stages[0].id, "after_win")
        yield Problem(where, "true", "the first stage must decide something", "reorder the stages")


def check_support_and_credit(world: World) -> Iterator[Problem]:
    """Support belongs to a region that exists; credit is divided in full between roles that exist."""
    for resource in world.scenario.support:
        yield from unknown(join_path("support", resource.id, "region"), resource.region, "regions", world)
    if world.scenario.credit is not None:
        shares = world.scenario.credit.shares
        yield from all_known("credit.shares", shares, "roles", world)
        if abs(sum(shares.values()) - 1) > 1e-9:
            yield Problem("credit.shares", f"{sum(shares.values()):g}", "must sum to 1", "correct the shares")


def check_sources(world: World) -> Iterator[Problem]:
    """Mixes name things that exist and have weight."""
    after_win = {stage.id for stage in world.scenario.stages if stage.after_win}
    for source in world.scenario.sources:
        where = join_path("sources", source.id)
        for section in ("regions", "segments", "products"):
            mix = getattr(source, section)
            yield from all_known(f"{where}.{section}", mix, section, world)
            if mix and sum(mix.values()) <= 0:
                yield Problem(f"{where}.{section}", "0", "needs a positive sum", "leave it empty for equal shares")
        yield from unknown(f"{where}.first_stage", source.first_stage, "stages", world)
        if source.first_stage in after_win:
            yield Problem(f"{where}.first_stage", str(source.first_stage), "must be a stage before the win")
        if source.first_day and source.last_day and source.last_day < source.first_day:
            rule = f"must not be before first_day={source.first_day}"
            yield Problem(f"{where}.last_day", str(source.last_day), rule, "correct one of the dates")
    yield from all_known("routing.by_source", world.scenario.routing.by_source, "sources", world)


def check_service(world: World) -> Iterator[Problem]:
    """Each region that gets leads has somebody to work them."""
    scenario = world.scenario
    if scenario.routing.across_regions or world.unsure & {"service", "reps", "teams", "regions", "sources", "stages"}:
        return
    region_of = {team.id: team.region for team in scenario.teams}
    served = {(rep.role, rep.region or region_of.get(rep.team)) for rep in scenario.reps}
    roles = {stage.role for stage in scenario.stages}
    for source in scenario.sources:
        wanted = [region for region, weight in source.regions.items() if weight > 0] or list(ids(scenario.regions))
        for region in wanted if source.leads_per_year > 0 else ():
            for role in sorted(roles):
                if (role, region) not in served and region in world.known["regions"]:
                    where = join_path("sources", source.id, "regions")
                    rule = f"no rep of role {role} serves this region"
                    yield Problem(where, region, rule, "add a rep there, or set routing.across_regions: true")


CHECKS: tuple[Check, ...] = (
    check_ids,
    check_calendar,
    check_skills,
    check_reps,
    check_employment,
    check_potentials,
    check_absences,
    check_transfers,
    check_stages,
    check_support_and_credit,
    check_sources,
    check_service,
    check_products,
    check_tiers,
    check_accounts,
    check_parents,
    check_pipeline,
    check_seasons,
    check_tenders,
    check_targets,
    check_commitments,
    check_allocation,
    check_leads,
    check_locks,
)
