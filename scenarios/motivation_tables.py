"""The shipped company whose reps react to their quotas: one team of the starter company, short of time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from scenarios.blueprint import Blueprint
from scenarios.starter_tables import REGIONS, REPS, SOURCES, STARTER, TEAMS

_TEAM: Final = "North"
_LEADS: Final = 0.39
"""A quarter of the starter's reps get this share of its leads: they are busy nine hours in ten, so that pace counts."""

MOTIVATION: Final[Blueprint] = replace(
    STARTER,
    name="启航北方",
    description=(
        "An invented company of three reps with more leads than time, who react to their quotas: they coast once a "
        "quota is met, give up far below it and push at the end. Sales are highest under quotas near today's; much "
        "lower or higher ones sell less. How strongly reps react is assumed."
    ),
    regions=tuple(region for region in REGIONS if region.id == "north"),
    teams=tuple(team for team in TEAMS if team.id == _TEAM),
    reps=tuple(rep for rep in REPS if rep.team == _TEAM),
    sources=tuple(replace(source, leads=round(_LEADS * source.leads)) for source in SOURCES),
    presales=0,
    target=6_500,
    training_hours=72,
    max_moves=2,
    under_served=(),
    stand_in=(),
)

REACTION: Final[dict[str, Any]] = {"pace_change": 0.15, "period_end_push": 0.1}
"""The world's ``motivation`` section beside its defaults."""
