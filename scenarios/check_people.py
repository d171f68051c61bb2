"""Checks of people: skills, reps, employment, leave, transfers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.errors import Problem
from scenarios.paths import join_path, some_of
from scenarios.references import World, all_known, unknown


def check_skills(world: World) -> Iterator[Problem]:
    """Skill names are among the dimensions."""
    scenario = world.scenario
    skills = scenario.skills
    for level in skills.levels:
        yield from all_known(join_path("skills", "levels", level.id, "skills"), level.skills, "skills", world)
    yield from unknown("skills.training.learning_skill", skills.training.learning_skill, "skills", world)
    for stage in scenario.stages:
        where = join_path("stages", stage.id, "skill_weights")
        yield from all_known(where, stage.skill_weights, "skills", world)
        if stage.skill_weights and sum(stage.skill_weights.values()) <= 0:
            yield Problem(where, "0", "needs a positive sum", "leave it empty for equal weights")
    physics = scenario.account_physics
    if physics is not None:
        yield from unknown("account_physics.relationship_skill", physics.relationship_skill, "skills", world)
        yield from unknown("account_physics.owner_role", physics.owner_role, "roles", world)
        if (
            physics.owner_role in world.known["roles"]
            and "reps" not in world.unsure
            and all(rep.role != physics.owner_role for rep in scenario.reps)
        ):
            rule = "no rep has this role"
            yield Problem("account_physics.owner_role", str(physics.owner_role), rule, "add a rep or leave it empty")


def check_reps(world: World) -> Iterator[Problem]:
    """Teams and reps belong to things that exist."""
    for team in world.scenario.teams:
        yield from unknown(join_path("teams", team.id, "region"), team.region, "regions", world)
    for rep in world.scenario.reps:
        where = join_path("reps", rep.id)
        yield from unknown(f"{where}.team", rep.team, "teams", world)
        yield from unknown(f"{where}.region", rep.region, "regions", world)
        yield from unknown(f"{where}.role", rep.role, "roles", world)
        yield from unknown(f"{where}.level", rep.level, "levels", world)
        yield from unknown(f"{where}.successor", rep.successor, "reps", world)
        yield from all_known(f"{where}.skills", rep.skills, "skills", world)
        yield from all_known(f"{where}.conversion_logit", rep.conversion_logit, "stages", world)
        if rep.attrition_per_year >= 1:
            rule = "must be below 1: who is certain to leave never begins"
            yield Problem(f"{where}.attrition_per_year", f"{rep.attrition_per_year:g}", rule, "give a leaving date")
        if rep.successor == rep.id:
            rule = "a rep cannot succeed themselves"
            yield Problem(f"{where}.successor", rep.id, rule, "name somebody else or leave it empty")
        if rep.hours_per_week is not None and rep.hours_per_week > 100:
            hours = f"{rep.hours_per_week:g}"
            yield Problem(f"{where}.hours_per_week", hours, "must be <= 100", "is it hours a month?")


def check_employment(world: World) -> Iterator[Problem]:
    """Reps are hired before they leave and are employed on some day of the horizon."""
    for rep in world.scenario.reps:
        where = join_path("reps", rep.id)
        if rep.hired and rep.leaves and rep.leaves <= rep.hired:
            rule = f"must be after hired={rep.hired}"
            yield Problem(f"{where}.leaves", str(rep.leaves), rule, "correct one of the dates")
        if world.horizon is None:
            continue
        start, end = world.horizon
        if rep.hired and rep.hired >= end:
            rule = f"must be before the end of the horizon, {end}"
            yield Problem(f"{where}.hired", str(rep.hired), rule, "remove the rep")
        if rep.leaves and rep.leaves <= start:
            yield Problem(f"{where}.leaves", str(rep.leaves), f"must be after the start, {start}", "remove the rep")


def check_potentials(world: World) -> Iterator[Problem]:
    """Potentials are given for all who sell or for nobody: given and computed ones are measured differently."""
    scenario = world.scenario
    if world.unsure & {"reps", "accounts", "stages", "roles"}:
        return
    owners = {account.owner for account in scenario.accounts}
    winning = [stage.role for stage in scenario.stages if not stage.after_win][-1:]
    roles = set(winning) if scenario.credit is None else {role for role, part in scenario.credit.shares.items() if part}
    selling = [rep for rep in scenario.reps if rep.id in owners or (rep.role in roles and rep.lead_weight > 0)]
    given = [rep.id for rep in scenario.reps if rep.potential is not None]
    lacking = [rep.id for rep in selling if rep.potential is None]
    if given and lacking:
        yield potential_of_some(given, lacking)


def potential_of_some(given: Sequence[str], lacking: Sequence[str]) -> Problem:
    """What is wrong where some who carry quotas have a potential of their own and others do not."""
    rule = f"a potential is given for {some_of(given)} but not for {some_of(lacking)}, who sell too"
    remedy = "give one for everybody who sells, or for nobody: then all are computed"
    return Problem(join_path("reps", lacking[0], "potential"), "", rule, remedy)


def check_absences(world: World) -> Iterator[Problem]:
    """Leave is of a known rep and ends after it begins."""
    for position, absence in enumerate(world.scenario.absences):
        where = join_path("absences", position)
        yield from unknown(f"{where}.rep", absence.rep, "reps", world)
        if absence.last < absence.first:
            rule = f"must not be before first={absence.first}"
            yield Problem(f"{where}.last", str(absence.last), rule, "correct one of the dates")


def check_transfers(world: World) -> Iterator[Problem]:
    """Transfers move known reps between known teams within the horizon."""
    for position, transfer in enumerate(world.scenario.transfers):
        where = join_path("transfers", position)
        yield from unknown(f"{where}.rep", transfer.rep, "reps", world)
        yield from unknown(f"{where}.team", transfer.team, "teams", world)
        if world.horizon is not None and not world.horizon[0] <= transfer.first_day < world.horizon[1]:
            rule = f"must lie inside the horizon {world.horizon[0]} to {world.horizon[1]}"
            yield Problem(f"{where}.first_day", str(transfer.first_day), rule, "correct the date")
