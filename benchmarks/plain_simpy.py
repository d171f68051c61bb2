"""The benchmark's worlds as one writes them with SimPy: a process a lead, a resource a rep, Python's own random."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import simpy

from scenarios import speed_worlds as world
from scenarios.theory_worlds import FUNNEL18_ARRIVALS, FUNNEL18_STAGES, funnel18_groups

Life = Generator[Any, Any, None]
Choice = Callable[[list[simpy.Resource]], simpy.Resource]
"""Who of all reps gets a new lead."""

_SPREAD = math.sqrt(math.log1p(world.EFFORT_CV**2))
_CENTRE = math.log(world.EFFORT_HOURS) - _SPREAD**2 / 2


@dataclass
class Tally:
    """What one run came to.

    Attributes:
        services: begun within the horizon.
        rows: (station, arrival, start, end) of each finished service, where they are kept.
    """

    logs: bool
    services: int = 0
    cold: int = 0
    rows: list[tuple[int, float, float, float]] = field(default_factory=list)


def pooled(horizon: float, seed: int, *, logs: bool) -> Tally:
    """The 18 shared queues of :func:`scenarios.theory_worlds.funnel18`.

    Args:
        horizon: in units of time, which are hours.
        logs: whether to keep a row for each finished service.
    """
    draw, env, tally = random.Random(seed), simpy.Environment(), Tally(logs)
    groups = funnel18_groups()
    stations = [[simpy.Resource(env, capacity=group.servers) for _ in range(FUNNEL18_STAGES)] for group in groups]
    shares = [group.share for group in groups]

    def lead(place: int) -> Life:
        group = groups[place]
        for stage, station in enumerate(stations[place]):
            arrived = env.now
            with station.request() as turn:
                yield turn
                started = env.now
                tally.services += 1
                yield env.timeout(draw.expovariate(group.service_rate))
            if logs:
                tally.rows.append((place * FUNNEL18_STAGES + stage, arrived, started, env.now))
            if draw.random() >= group.advance:
                return

    def leads() -> Life:
        while True:
            yield env.timeout(draw.expovariate(FUNNEL18_ARRIVALS))
            env.process(lead(draw.choices(range(len(groups)), shares)[0]))

    env.process(leads())
    env.run(until=horizon)
    return tally


def separable(horizon: float, seed: int, *, logs: bool) -> Tally:
    """:func:`scenarios.speed_worlds.separable`; arguments as in :func:`pooled`."""
    turns = cycle(range(world.REPS))
    return _kept(horizon, seed, lambda reps: reps[next(turns)], logs=logs)


def least_loaded(horizon: float, seed: int, *, logs: bool) -> Tally:
    """:func:`scenarios.speed_worlds.least_loaded`; arguments as in :func:`pooled`."""
    draw = random.Random(seed + 1)

    def choose(reps: list[simpy.Resource]) -> simpy.Resource:
        first = draw.randrange(0, world.REPS, world.TEAM)
        return min(reps[first : first + world.TEAM], key=lambda rep: len(rep.queue) + rep.count)

    return _kept(horizon, seed, choose, logs=logs)


def _kept(horizon: float, seed: int, choose: Choice, *, logs: bool) -> Tally:
    """A lead is given to a rep, who keeps it through all stages."""
    draw, env, tally = random.Random(seed), simpy.Environment(), Tally(logs)
    reps = [simpy.Resource(env) for _ in range(world.REPS)]
    number = {rep: position for position, rep in enumerate(reps)}

    def lead(rep: simpy.Resource) -> Life:
        for stage in range(world.STAGES):
            arrived = env.now
            with rep.request() as turn:
                yield turn | env.timeout(draw.expovariate(1 / world.PATIENCE_HOURS))
                if not turn.triggered:
                    tally.cold += 1
                    return
                started = env.now
                tally.services += 1
                yield env.timeout(draw.lognormvariate(_CENTRE, _SPREAD))
            if logs:
                tally.rows.append((number[rep] * world.STAGES + stage, arrived, started, env.now))
            if draw.random() >= world.ADVANCE:
                return
            if stage + 1 < world.STAGES:
                yield env.timeout(draw.expovariate(1 / world.DELAY_HOURS))

    def leads() -> Life:
        while True:
            yield env.timeout(draw.expovariate(world.LEADS_PER_HOUR))
            env.process(lead(choose(reps)))

    env.process(leads())
    env.run(until=horizon)
    return tally


class _Team:
    """Reps with a queue each and a pool that all of them share, which no resource of SimPy's is: hence by hand.

    A waiting lead is the event that it is taken, with the rep who takes it.
    """

    def __init__(self, env: simpy.Environment, reps: range) -> None:
        self.env = env
        self.reps = reps
        self.own: dict[int, deque[simpy.Event]] = {rep: deque() for rep in reps}
        self.pool: deque[simpy.Event] = deque()
        self.idle = deque(reps)
        """The one who has been idle longest first."""

    def joins(self, turn: simpy.Event, rep: int) -> None:
        """A lead comes to a rep's queue."""
        if rep in self.idle:
            self.idle.remove(rep)
            turn.succeed(rep)
        else:
            self.own[rep].append(turn)

    def returns(self, turn: simpy.Event, rep: int) -> None:
        """A lead goes from a rep's queue to the pool."""
        self.own[rep].remove(turn)
        if self.idle:
            turn.succeed(self.idle.popleft())
        else:
            self.pool.append(turn)

    def free(self, rep: int) -> None:
        """A rep is done and takes the next lead: an own one before one of the pool."""
        waiting = self.own[rep] or self.pool
        if waiting:
            waiting.popleft().succeed(rep)
        else:
            self.idle.append(rep)


def return_to_pool(horizon: float, seed: int, *, logs: bool) -> Tally:
    """:func:`scenarios.speed_worlds.return_to_pool`; arguments as in :func:`pooled`."""
    draw, env, tally = random.Random(seed), simpy.Environment(), Tally(logs)
    teams = [_Team(env, range(first, first + world.TEAM)) for first in range(0, world.REPS, world.TEAM)]

    def lead(team: _Team) -> Life:
        rep = draw.choice(team.reps)
        for stage in range(world.STAGES):
            arrived, patience = env.now, draw.expovariate(1 / world.PATIENCE_HOURS)
            turn: Any = env.event()
            queue = team.own[rep]
            team.joins(turn, rep)
            yield turn | env.timeout(min(patience, world.RETURN_HOURS))
            if not turn.triggered and patience > world.RETURN_HOURS:
                team.returns(turn, rep)
                queue = team.pool
                yield turn | env.timeout(patience - world.RETURN_HOURS)
            if not turn.triggered:
                queue.remove(turn)
                tally.cold += 1
                return
            rep, started = turn.value, env.now
            tally.services += 1
            yield env.timeout(draw.lognormvariate(_CENTRE, _SPREAD))
            team.free(rep)
            if logs:
                tally.rows.append((rep * world.STAGES + stage, arrived, started, env.now))
            if draw.random() >= world.ADVANCE:
                return
            if stage + 1 < world.STAGES:
                yield env.timeout(draw.expovariate(1 / world.DELAY_HOURS))

    def leads() -> Life:
        while True:
            yield env.timeout(draw.expovariate(world.LEADS_PER_HOUR))
            env.process(lead(draw.choice(teams)))

    env.process(leads())
    env.run(until=horizon)
    return tally
