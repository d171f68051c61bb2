"""The engine against closed forms, each judged by an interval over replications that is narrow enough to tell.

Every replication starts empty; what enters before the warm-up ends is not measured, nor what enters so late that the
horizon may cut it off.
"""

from __future__ import annotations

import numpy as np
import pytest

from scenarios import theory_worlds
from scenarios.distributions import Exponential, Fixed, Gamma, Lognormal
from sim import theory, theory_queues
from sim.log import Kind
from sim.model import build
from sim.outcome import stack
from sim.reduce import reduce
from sim.run import simulate, simulate_logs
from sim.statistics import mean_interval, ratio_of_means_interval

pytestmark = pytest.mark.usefixtures("engine")
"""The contract of both engines."""

UNIT = 3_600_000
"""Ticks in a unit of time of the theory worlds."""

SURE = 0.9999
"""Level of one interval: about one wrong alarm in ten thousand; seeds are fixed, so an alarm stays one."""


def holds(sample, expected: float, within: float) -> None:
    """The mean of a sample is ``expected``, and known to this share of it."""
    interval = mean_interval(np.asarray(sample), SURE)
    assert not interval.excludes(expected), f"{interval} misses {expected:g}"
    assert interval.half_width < within * expected, f"{interval} is too wide to tell"


def waits(log, stage: int, first: float, last: float) -> tuple[np.ndarray, np.ndarray]:
    """Waits in units of time of the tasks that entered within [first, last), and which of them went cold."""
    ended = log.of(Kind.START, Kind.COLD)
    ended = ended[ended["stage"] == stage]
    cold = ended["kind"] == Kind.COLD
    waited = np.where(cold, ended["extra"], ended["value"])
    entered = ended["time"] - waited
    inside = (entered >= first * UNIT) & (entered < last * UNIT)
    return waited[inside] / UNIT, cold[inside]


def measured(scenario, hours: float, replications: int, seed: int, warm: float, rest: float, stage: int = 0):
    """By replication: waits at one station and who went cold, between the warm-up and the rest of the horizon."""
    logs = simulate_logs(scenario, replications=replications, seed=seed)
    return [waits(log, stage, warm, hours - rest) for log in logs]


def workload(scenario, replications: int, seed: int) -> np.ndarray:
    """Share of time that reps are busy, by replication."""
    reps = simulate(scenario, replications=replications, seed=seed)["rep"]
    return reps.company("busy_ticks") / reps.company("available_ticks")


def test_erlang_c_of_a_call_centre_with_55_servers():
    days = 150
    expected = theory_queues.mmc_metrics(0.2, 1 / 240, 55)
    assert expected.p_wait == pytest.approx(0.238701, abs=1e-6)
    # The queue forgets in some hundred hours.
    found = measured(theory_worlds.mmc(0.2, 1 / 240, 55, days), 24 * days, 60, 3, warm=24 * 40, rest=24 * 10)
    holds([np.mean(waited > 0) for waited, _ in found], 0.238701, 0.5)
    holds([np.mean(waited) for waited, _ in found], 8.18403, 1.0)
    holds([np.mean(waited <= 15) for waited, _ in found], 0.845883, 0.15)


@pytest.mark.parametrize(
    ("arrivals", "services", "in_queue", "time"), [(5.0, 8.0, 0.208333, 0.333333), (2.0, 4.0, 0.25, 0.5)]
)
def test_one_server(arrivals, services, in_queue, time):
    days = round(48 / arrivals)
    scenario = theory_worlds.mmc(arrivals, services, 1, days)
    found = measured(scenario, 24 * days, 40, 7, warm=24, rest=12)
    holds([np.mean(waited) for waited, _ in found], in_queue, 0.2)
    outcome = simulate(scenario, replications=40, seed=7)
    # Little: the mean time in the system is that in the queue and that in service.
    served = outcome["stage"].company("busy_ticks") / outcome["stage"].company("started") / UNIT
    holds(served, time - in_queue, 0.04)
    reps = outcome["rep"]
    holds(reps.company("busy_ticks") / reps.company("available_ticks"), arrivals / services, 0.05)


def erlang_a(days: int, replications: int, within: float) -> None:
    scenario = theory_worlds.erlang_a(48.0, 1.0, 50, 2.0, days)
    found = measured(scenario, 24 * days, replications, 5, warm=12, rest=6)
    holds([np.mean(cold) for _, cold in found], 0.030912, within)
    holds([np.mean(waited) for waited, _ in found], 3.709 / 60, within)
    holds([np.mean(waited > 0) for waited, _ in found], 0.46777, within / 2)
    # By Little's law, the number in the queue is the rate times the mean wait.
    holds([waited.sum() / (24 * days - 18) for waited, _ in found], 2.968, within)


def test_erlang_a_of_a_call_centre_whose_callers_hang_up():
    erlang_a(days=2, replications=24, within=0.6)
    holds(workload(theory_worlds.erlang_a(48.0, 1.0, 50, 2.0, 2), 8, 5), 0.9303, 0.05)


@pytest.mark.slow
def test_erlang_a_long():
    erlang_a(days=10, replications=30, within=0.2)


@pytest.mark.slow
def test_without_patience_the_same_callers_wait_six_times_as_long():
    days = 40
    scenario = theory_worlds.mmc(48.0, 1.0, 50, days)
    found = measured(scenario, 24 * days, 20, 5, warm=24 * 8, rest=24 * 2)
    holds([np.mean(waited) for waited, _ in found], 20.834 / 60, 0.6)


def test_the_first_class_of_a_priority_queue_waits_a_third_as_long():
    days = 50
    scenario = theory_worlds.priority(0.3, 0.4, 1.0, days)
    first, second = theory_queues.nonpreemptive_priority_mm1([0.3, 0.4], 1.0)
    assert (first.mean_wait, second.mean_wait) == pytest.approx((1.0, 10 / 3))
    logs = simulate_logs(scenario, replications=60, seed=9)
    holds([np.mean(waits(log, 1, 100, 24 * days - 100)[0]) for log in logs], 1.0, 0.1)
    holds([np.mean(waits(log, 0, 100, 24 * days - 100)[0]) for log in logs], 10 / 3, 0.2)


@pytest.mark.parametrize(
    "service", [Fixed(value=0.7), Lognormal(mean=0.7, cv=1.5), Gamma(mean=0.7, cv=0.5), Exponential(mean=0.7)]
)
def test_pollaczek_khinchine(service):
    days = 40
    expected = theory_queues.mg1(1.0, 0.7, (service.sd() / 0.7) ** 2).mean_wait
    found = measured(theory_worlds.mg1(1.0, service, days), 24 * days, 40, 17, warm=120, rest=100)
    holds([np.mean(waited) for waited, _ in found], expected, 0.35)


def jackson(days: int, replications: int, warm: int, within: float, least_wait: float) -> None:
    """The funnel of 18 stations: conversion by stage, and the wait at each station where it is at least this long."""
    groups = theory_worlds.funnel18_groups()
    scenario = theory_worlds.funnel18(days)
    model = build(scenario)
    logs = simulate_logs(scenario, replications=replications, seed=11)
    stage = stack([reduce(model, log) for log in logs])["stage"]
    shares, advances = [group.share for group in groups], [group.advance for group in groups]
    funnel = theory.funnel_conversion(shares, [[advance] * 6 for advance in advances])
    assert funnel.conversion == pytest.approx(0.2018142834)
    assert funnel.services_per_lead == pytest.approx(3.3575983)
    # Whoever a stage has decided on counts, so the end of the horizon cuts nobody off who counts.
    decided, gone_on = stage.total("advanced") + stage.total("lost"), stage.total("advanced")
    reach = [*funnel.reach, funnel.conversion]
    for position in range(6):
        chance = ratio_of_means_interval(gone_on[:, position], decided[:, position], SURE)
        assert not chance.excludes(reach[position + 1] / reach[position]), (position, chance)
        assert chance.half_width < 0.04
    for number, group in enumerate(groups):
        station = [region_of(log) == number for log in logs]
        for position in range(6):
            rate = 10.0 * group.share * group.advance**position
            expected = theory_queues.mmc_metrics(rate, group.service_rate, group.servers).mean_wait
            if expected < least_wait:
                continue
            found = [
                mean_wait(log.of(Kind.START)[here], position, 24 * warm, 24 * (days - 1))
                for log, here in zip(logs, station, strict=True)
            ]
            interval = mean_interval(np.array(found), SURE)
            assert not interval.excludes(expected), (number, position, interval, expected)
            assert interval.half_width < within * expected, (number, position, interval, expected)


def region_of(log) -> np.ndarray:
    """The region of the lead of each start."""
    return np.array([log.leads[entity].region for entity in log.of(Kind.START)["entity"].tolist()])


def mean_wait(rows, stage: int, first: float, last: float) -> float:
    entered = (rows["time"] - rows["value"]) / UNIT
    inside = (rows["stage"] == stage) & (entered >= first) & (entered < last)
    return float(rows["value"][inside].mean() / UNIT)


def test_jackson_network_of_eighteen_stations():
    jackson(days=8, replications=24, warm=3, within=1.4, least_wait=0.1)


@pytest.mark.slow
def test_jackson_network_of_eighteen_stations_long():
    jackson(days=80, replications=24, warm=8, within=0.5, least_wait=0.004)


def test_absorbing_chain():
    advance, service, delay, days = (0.6, 0.4, 0.75), 0.5, 6.0, 21
    scenario = theory_worlds.absorbing_chain(4.0, advance, service, delay, reps=20, days=days)
    chain = theory.absorbing_chain(
        [[0, advance[0], 0], [0, 0, advance[1]], [0, 0, 0]],
        [[0, 1 - advance[0]], [0, 1 - advance[1]], [advance[2], 1 - advance[2]]],
    )
    logs = simulate_logs(scenario, replications=16, seed=13)
    cut = (days - 8) * 24 * UNIT  # eight days are fifteen mean lives: who came before has ended
    won, stages, times = [], [], [[], [], []]
    for log in logs:
        arrived = log.of(Kind.ARRIVE)
        early = arrived["entity"][arrived["time"] < cut]
        starts = log.of(Kind.START)
        starts = starts[np.isin(starts["entity"], early)]
        assert not starts["value"].any(), "nobody waits"
        wins = log.of(Kind.WON)
        won.append(np.isin(wins["entity"], early).sum() / len(early))
        stages.append(len(starts) / len(early))
        answers = log.of(Kind.ANSWER_YES, Kind.ANSWER_NO, Kind.WON)
        answers = answers[np.isin(answers["entity"], early)]
        for stage in range(3):
            here, asked = starts[starts["stage"] == stage], answers[answers["stage"] == stage]
            assert len(here) == len(asked)
            spent = (here["extra"] - here["time"]).sum() + asked["extra"].sum()
            times[stage].append(spent / UNIT / len(early))
    holds(won, chain.absorption[0, 0], 0.1)
    holds(stages, chain.steps[0], 0.03)
    for stage in range(3):
        holds(times[stage], chain.time_in([service + delay] * 3)[0, stage], 0.12)


def test_little_law_is_an_identity_on_the_log():
    """The integral of the number waiting is the sum of the waits, to the tick."""
    log = simulate_logs(theory_worlds.erlang_a(20.0, 1.0, 19, 0.5, 10), seed=1)[0]
    end = 10 * 24 * UNIT
    into, out = log.of(Kind.ENTER), log.of(Kind.START, Kind.COLD)
    assert (out["kind"] == Kind.COLD).sum() > 100
    times = np.concatenate([into["time"], out["time"]])
    steps = np.concatenate([np.ones(len(into), dtype=np.int64), -np.ones(len(out), dtype=np.int64)])
    order = np.lexsort((-steps, times))
    number = np.cumsum(steps[order])
    integral = int((number * np.diff(np.append(times[order], end))).sum())
    waited = np.where(out["kind"] == Kind.COLD, out["extra"], out["value"]).sum()
    entered_at = dict(zip(into["entity"].tolist(), into["time"].tolist(), strict=True))
    still = set(into["entity"].tolist()) - set(out["entity"].tolist())
    assert number.min() >= 0
    assert integral == waited + sum(end - entered_at[entity] for entity in still)
