"""The reference engine against plain SimPy on one workload: 18 stations of several servers, every service logged."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Generator, Iterator
from typing import Any

import simpy

from benchmarks.registry import Figure, benchmark
from benchmarks.timing import interleaved, median_ratio
from scenarios.scenario import Scenario
from scenarios.theory_worlds import FUNNEL18_ARRIVALS, FUNNEL18_STAGES, UNIT_HOURS, funnel18, funnel18_groups
from sim.log import Kind
from sim.run import simulate, simulate_logs

DAYS, QUICK_DAYS = 40, 4
ROUNDS, QUICK_ROUNDS = 7, 1
SEED = 20260101
# Both sides draw their own numbers, so their services differ by chance; a wider gap is another workload. The standard
# deviation of the services of one run is about sqrt(leads) * 2.7.
CHANCE_GAP = 6 * math.sqrt(2) * 2.7


def plain_simpy(horizon: float, seed: int, *, logs: bool) -> int:
    """The same funnel as one writes it with SimPy: a process a lead, a resource a station, Python's own random.

    Args:
        horizon: in units of time.
        logs: whether to keep a row for each finished service: station, arrival, start, end.

    Returns:
        The number of finished services.
    """
    draw = random.Random(seed)
    env = simpy.Environment()
    groups = funnel18_groups()
    stations = [[simpy.Resource(env, capacity=group.servers) for _ in range(FUNNEL18_STAGES)] for group in groups]
    shares = [group.share for group in groups]
    rows: list[tuple[int, float, float, float]] = []
    services = 0

    def lead(place: int) -> Generator[Any, Any, None]:
        nonlocal services
        group = groups[place]
        for stage, station in enumerate(stations[place]):
            arrived = env.now
            with station.request() as turn:
                yield turn
                started = env.now
                yield env.timeout(draw.expovariate(group.service_rate))
            services += 1
            if logs:
                rows.append((place * FUNNEL18_STAGES + stage, arrived, started, env.now))
            if draw.random() >= group.advance:
                return

    def leads() -> Generator[Any, Any, None]:
        while True:
            yield env.timeout(draw.expovariate(FUNNEL18_ARRIVALS))
            env.process(lead(draw.choices(range(len(groups)), shares)[0]))

    env.process(leads())
    env.run(until=horizon)
    return services


def own_with_log(world: Scenario, seed: int) -> int:
    """One horizon of the reference engine with its canonical log; the number of finished services."""
    return len(simulate_logs(world, seed=seed)[0].of(Kind.END))


@benchmark("engine")
def engine(quick: bool) -> Iterator[Figure]:
    """CPU seconds of plain SimPy over those of our engine as released, for equally many finished services."""
    days = QUICK_DAYS if quick else DAYS
    world, horizon = funnel18(days), days * 24 / UNIT_HOURS
    own, plain = own_with_log(world, SEED), plain_simpy(horizon, SEED, logs=True)
    if abs(own - plain) > CHANCE_GAP * math.sqrt(FUNNEL18_ARRIVALS * horizon):
        raise AssertionError(f"not the same workload: {own} and {plain} services")
    rivals = {
        "own": lambda: simulate(world, replications=1, seed=SEED),
        "plain": lambda: plain_simpy(horizon, SEED, logs=False),
        "own_log": lambda: own_with_log(world, SEED),
        "plain_log": lambda: plain_simpy(horizon, SEED, logs=True),
    }
    times = interleaved(rivals, QUICK_ROUNDS if quick else ROUNDS)
    note = f"18 stations, {days} days, {own} services; our side builds its model and sums its outcome tables"
    yield Figure("engine", "vs_plain_simpy", median_ratio(times["plain"], times["own"]) * own / plain, "ratio", note)
    ratio = median_ratio(times["plain_log"], times["own_log"]) * own / plain
    yield Figure("engine", "vs_plain_simpy_log", ratio, "ratio", "every service logged on both sides")
    yield Figure("engine", "services_per_cpu_s", own / statistics.median(times["own"]), "1/s", "our side, as released")
