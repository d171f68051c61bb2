"""Worlds whose answers are known in closed form: queues and funnels that never close and have no season.

Stations are (role, region) pairs: a stage is worked by its own role, a skill group is a region, and all reps of a
station share one public pool, so each station is a queue with several servers. One unit of the textbook's time is
:data:`UNIT_HOURS` hours of the calendar, which keeps the shortest mean far above a thousand ticks (rule R1).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from math import log
from typing import Any

from scenarios.base import Frozen
from scenarios.distributions import Distribution
from scenarios.files import from_document
from scenarios.scenario import Scenario

UNIT_HOURS = 1.0
_START = date(2026, 1, 1)
_HOURS_A_YEAR = 365 * 24


class SkillGroup(Frozen):
    """A part of the market with reps of its own.

    Attributes:
        share: of the leads.
        servers: reps at each stage.
        advance: chance to go on, at every stage.
        service_rate: services of one rep per unit of time.
    """

    share: float
    servers: int
    advance: float
    service_rate: float


def funnel(
    arrival_rate: float, groups: Sequence[SkillGroup], stages: int, days: int, *, patience: float | None = None
) -> Scenario:
    """An open network of ``stages`` x ``len(groups)`` stations without feedback (Jackson 1957).

    Exponential services, Poisson arrivals, first come first served, no delay between stages.

    Args:
        arrival_rate: leads per unit of time, all groups together.
        days: length of the horizon.
        patience: mean exponential patience in units of time; ``None`` means that nobody gives up.

    Raises:
        InputRefused: rates or shares that are no rates or shares.
    """
    base = groups[0]
    ids = [f"g{position}" for position in range(1, len(groups) + 1)]
    leads = steady_source("leads", arrival_rate)
    leads["regions"] = {name: group.share for name, group in zip(ids, groups, strict=True)}
    return always_open(
        days,
        regions=[{"id": name} for name in ids],
        teams=[{"id": name, "region": name} for name in ids],
        roles=[{"id": f"role{stage}"} for stage in range(1, stages + 1)],
        stages=[_stage(stage, base, patience) for stage in range(1, stages + 1)],
        sources=[leads],
        routing={"policy": "pool", "same_rep": False},
        reps=[
            _rep(name, group, base, stage, server, stages)
            for name, group in zip(ids, groups, strict=True)
            for stage in range(1, stages + 1)
            for server in range(1, group.servers + 1)
        ],
    )


def mmc(arrival_rate: float, service_rate: float, servers: int, days: int) -> Scenario:
    """One station with several servers (Erlang C); rates per unit of time."""
    group = SkillGroup(share=1.0, servers=servers, advance=0.5, service_rate=service_rate)
    return funnel(arrival_rate, [group], 1, days)


def erlang_a(arrival_rate: float, service_rate: float, servers: int, patience: float, days: int) -> Scenario:
    """One station whose leads give up after an exponential patience of this mean (Palm's M/M/c+M)."""
    group = SkillGroup(share=1.0, servers=servers, advance=0.5, service_rate=service_rate)
    return funnel(arrival_rate, [group], 1, days, patience=patience)


def mg1(arrival_rate: float, service: Distribution, days: int) -> Scenario:
    """One rep and any distribution of the service, given in units of time (Pollaczek 1930, Khinchine 1932)."""
    effort = service.scaled(UNIT_HOURS).model_dump(mode="json")
    return always_open(
        days,
        stages=[{"id": "s1", "effort_hours": effort, "conversion": 0.5}],
        sources=[steady_source("leads", arrival_rate)],
        reps=[{"id": "rep", "team": "all"}],
    )


def priority(first_rate: float, second_rate: float, service_rate: float, days: int) -> Scenario:
    """One rep whose first class of leads goes before the second, without interrupting work (Cobham 1954).

    A class is a source that enters the funnel at a stage of its own, and late stages go first: ``urgent`` enters at
    ``s2``, ``other`` at ``s1``, from which nobody goes on.
    """
    effort = {"family": "exponential", "mean": UNIT_HOURS / service_rate}
    return always_open(
        days,
        stages=[
            {"id": "s1", "effort_hours": effort, "conversion": 0.0},
            {"id": "s2", "effort_hours": effort, "conversion": 0.5},
        ],
        sources=[
            {**steady_source("urgent", first_rate), "first_stage": "s2"},
            {**steady_source("other", second_rate), "first_stage": "s1"},
        ],
        queue="late_stage_first",
        reps=[{"id": "rep", "team": "all"}],
    )


def absorbing_chain(
    arrival_rate: float, advance: Sequence[float], service: float, delay: float, reps: int, days: int
) -> Scenario:
    """A funnel whose stages go on with chances of their own: an absorbing Markov chain (Kemeny and Snell 1960).

    Args:
        advance: chance to go on, by stage.
        service, delay: exponential means of each stage in units of time: the rep's work, then the customer's answer.
        reps: enough of them, and nobody waits.
    """
    return always_open(
        days,
        stages=[
            {
                "id": f"s{stage}",
                "effort_hours": {"family": "exponential", "mean": service * UNIT_HOURS},
                "delay_days": {"family": "exponential", "mean": delay * UNIT_HOURS / 24},
                "conversion": chance,
            }
            for stage, chance in enumerate(advance, start=1)
        ],
        sources=[steady_source("leads", arrival_rate)],
        routing={"policy": "pool", "same_rep": False},
        reps=[{"id": f"rep{position}", "team": "all"} for position in range(1, reps + 1)],
    )


FUNNEL18_ARRIVALS = 10.0
FUNNEL18_STAGES = 6
FUNNEL18_LOAD = 0.85


def funnel18_groups() -> tuple[SkillGroup, ...]:
    """Three skill groups, each with a utilisation of .85 at the first stage."""
    plan = ((0.5, 8, 0.70), (0.3, 5, 0.78), (0.2, 3, 0.85))
    return tuple(
        SkillGroup(
            share=share,
            servers=servers,
            advance=advance,
            service_rate=FUNNEL18_ARRIVALS * share / (servers * FUNNEL18_LOAD),
        )
        for share, servers, advance in plan
    )


def funnel18(days: int = 60) -> Scenario:
    """18 stations: 6 stages x 3 skill groups of 8, 5 and 3 reps, 10 leads per unit of time.

    A share sum(p_g a_g**6) = .2018142834 of the leads is won after 3.3575983 services a lead.
    """
    return funnel(FUNNEL18_ARRIVALS, funnel18_groups(), FUNNEL18_STAGES, days)


def always_open(days: int, **parts: Any) -> Scenario:
    """A world of one region and team, unless the parts say otherwise, that is always open.

    Args:
        days: length of the horizon.
        parts: sections of the scenario.

    Raises:
        InputRefused: the parts are no scenario.
    """
    document: dict[str, Any] = {
        "name": "theory world",
        "invented": True,
        "calendar": {
            "start": _START.isoformat(),
            "end": (_START + timedelta(days=days)).isoformat(),
            "hours": ["00:00-24:00"],
            "workdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        },
        "regions": [{"id": "all"}],
        "teams": [{"id": "all", "region": "all"}],
    }
    return from_document(document | parts)


def steady_source(name: str, arrival_rate: float) -> dict[str, Any]:
    """A Poisson source of this many leads per unit of time, day and night."""
    return {
        "id": name,
        "leads_per_year": arrival_rate / UNIT_HOURS * _HOURS_A_YEAR,
        "arrival_hours": [0.0, 24.0],
    }


def _stage(stage: int, base: SkillGroup, patience: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": f"s{stage}",
        "role": f"role{stage}",
        "effort_hours": {"family": "exponential", "mean": UNIT_HOURS / base.service_rate},
        "conversion": base.advance,
    }
    if patience is not None:
        found["patience_days"] = {"family": "exponential", "mean": patience * UNIT_HOURS / 24}
    return found


def _rep(name: str, group: SkillGroup, base: SkillGroup, stage: int, server: int, stages: int) -> dict[str, Any]:
    shift = _logit(group.advance) - _logit(base.advance)
    return {
        "id": f"{name}.{stage}.{server}" if stages > 1 else f"{name}.{server}",
        "team": name,
        "role": f"role{stage}",
        "effort_factor": base.service_rate / group.service_rate,
        "conversion_logit": {f"s{stage}": shift} if shift else {},
    }


def _logit(chance: float) -> float:
    return log(chance / (1 - chance))
