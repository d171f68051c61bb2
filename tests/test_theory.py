"""Closed forms: published numbers to their printed digits, limits, identities and exact sums."""

from __future__ import annotations

from fractions import Fraction
from math import factorial, isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from scenarios.errors import InputRefused
from sim.theory import (
    QueueMetrics,
    absorbing_chain,
    erlang_a,
    erlang_b,
    erlang_c,
    funnel_conversion,
    jackson,
    little,
    mg1,
    mmc_metrics,
    nonpreemptive_priority_mm1,
)

GROUPS = (0.5, 0.3, 0.2)
ADVANCE = (0.70, 0.78, 0.85)
CREWS = (8, 5, 3)
STAGES = 6
CONVERSION = float(sum(Fraction(str(p)) * Fraction(str(a)) ** STAGES for p, a in zip(GROUPS, ADVANCE, strict=True)))


def assert_printed(value: float, printed: str) -> None:
    """The value rounds to the digits as printed."""
    decimals = len(printed.partition(".")[2])
    assert f"{value:.{decimals}f}" == printed


def assert_same(left: QueueMetrics, right: QueueMetrics, rel: float) -> None:
    for name in ("p_wait", "mean_wait", "mean_queue", "utilisation", "mean_in_system", "mean_time"):
        assert getattr(left, name) == pytest.approx(getattr(right, name), rel=rel), name


# Published numbers


def test_erlang_c_of_a_call_centre():
    queue = mmc_metrics(0.2, 1 / 240, 55)
    assert_printed(queue.p_wait, "0.238701")
    assert_printed(queue.mean_wait, "8.18403")
    assert_printed(queue.p_wait_within(15), "0.845883")


def test_mm1():
    assert_printed(mmc_metrics(5, 8, 1).mean_wait, "0.208333")
    queue = mmc_metrics(2, 4, 1)
    assert (queue.mean_in_system, queue.mean_time, queue.mean_wait) == (1.0, 0.5, 0.25)
    assert (queue.p_wait, queue.utilisation) == (0.5, 0.5)


def test_erlang_a_of_garnett_mandelbaum_reiman():
    queue = erlang_a(arrival_rate=48, service_rate=1, servers=50, patience_rate=1 / 2)
    assert_printed(queue.p_abandon, "0.030912")
    assert_printed(queue.mean_wait * 60, "3.709")
    assert_printed(queue.p_wait, "0.46777")
    assert_printed(queue.mean_queue, "2.968")
    assert_printed(queue.utilisation, "0.9303")
    assert_printed(mmc_metrics(48, 1, 50).mean_wait * 60, "20.834")


def test_priority_waits_of_cobham():
    urgent, patient = nonpreemptive_priority_mm1([0.3, 0.4], 1)
    assert_printed(urgent.mean_wait, "1.0")
    assert_printed(patient.mean_wait, "3.33333")


def oracle_network():
    """6 stages x 3 skill groups; station = 3 x stage + group; service rates give the first stage a load of .85."""
    count = STAGES * len(GROUPS)
    external, routing, rates = np.zeros(count), np.zeros((count, count)), np.zeros(count)
    external[:3] = 10 * np.array(GROUPS)
    for station in range(count):
        group = station % 3
        rates[station] = 10 * GROUPS[group] / (0.85 * CREWS[group])
        if station + 3 < count:
            routing[station, station + 3] = ADVANCE[group]
    return external, routing, rates, np.tile(CREWS, STAGES)


def test_jackson_network_of_six_stages_and_three_groups():
    external, routing, rates, servers = oracle_network()
    network = jackson(external, routing, rates, servers)
    for station, found in enumerate(network.stations):
        stage, group = divmod(station, 3)
        thinned = 10 * GROUPS[group] * ADVANCE[group] ** stage
        assert network.arrival_rates[station] == pytest.approx(thinned, rel=1e-13)
        assert_same(found, mmc_metrics(thinned, float(rates[station]), CREWS[group]), rel=1e-10)
    assert [found.utilisation for found in network.stations[:3]] == pytest.approx([0.85] * 3, rel=1e-13)
    last = network.arrival_rates[-3:] @ np.array(ADVANCE)
    assert last / 10 == pytest.approx(CONVERSION, rel=1e-13)
    assert_printed(network.arrival_rates.sum() / 10, "3.3575983")


def test_funnel_conversion_of_the_same_network():
    funnel = funnel_conversion(GROUPS, np.repeat(np.array(ADVANCE)[:, None], STAGES, axis=1))
    assert funnel.conversion == pytest.approx(CONVERSION, rel=1e-14)
    assert_printed(funnel.conversion, "0.20181428334")
    assert_printed(funnel.services_per_lead, "3.3575983")
    external, routing, rates, servers = oracle_network()
    reached = jackson(external, routing, rates, servers).arrival_rates.reshape(STAGES, 3).sum(axis=1) / 10
    assert funnel.reach == pytest.approx(reached, rel=1e-13)


# Erlang B and C


def exact_erlang_b(servers: int, offered: Fraction) -> Fraction:
    terms = [offered**k / factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


@pytest.mark.parametrize("servers", [0, 1, 2, 7, 40])
@pytest.mark.parametrize("offered", [Fraction(0), Fraction(1, 3), Fraction(5), Fraction(39)])
def test_erlang_b_and_c_against_exact_sums(servers, offered):
    blocked = exact_erlang_b(servers, offered)
    assert erlang_b(servers, float(offered)) == pytest.approx(float(blocked), rel=1e-12)
    if offered < servers:
        waiting = servers * blocked / (servers - offered * (1 - blocked))
        assert erlang_c(servers, float(offered)) == pytest.approx(float(waiting), rel=1e-12)


def test_erlang_is_stable_for_thousands_of_servers():
    assert 0 < erlang_b(5000, 5000.0) < erlang_c(5000, 4999.0) < 1
    assert erlang_b(5000, 1.0) == 0.0
    # Halfin and Whitt 1981: with c = a + b sqrt(a), P(wait) tends to 1 / (1 + b Phi(b) / phi(b)).
    offered, spare = 1e6, 0.5
    limit = 1 / (1 + spare * stats.norm.cdf(spare) / stats.norm.pdf(spare))
    assert erlang_c(int(offered + spare * 1000), offered) == pytest.approx(limit, abs=1e-3)


def test_no_arrivals_no_wait():
    for queue in (mmc_metrics(0, 2, 3), erlang_a(0, 2, 3, 1)):
        assert (queue.p_wait, queue.mean_wait, queue.mean_in_system, queue.mean_time) == (0, 0, 0, 0.5)


def test_wait_distribution_integrates_to_the_mean_wait():
    queue = mmc_metrics(3.0, 1.0, 4)
    times = np.linspace(0, 40, 4001)
    tail = np.array([1 - queue.p_wait_within(t) for t in times])
    assert np.trapezoid(tail, times) == pytest.approx(queue.mean_wait, rel=1e-5)
    assert queue.p_wait_within(0) == 1 - queue.p_wait
    with pytest.raises(InputRefused, match="time"):
        queue.p_wait_within(-1)


# Erlang A

loads = st.floats(0.05, 0.98)
crews = st.integers(1, 300)


@settings(max_examples=60, deadline=None)
@given(load=loads, servers=crews, service=st.floats(0.01, 100))
def test_erlang_a_tends_to_erlang_c_as_patience_grows(load, servers, service):
    arrival = load * servers * service
    endless = mmc_metrics(arrival, service, servers)
    patient = erlang_a(arrival, service, servers, service * 1e-10)
    assert_same(patient, endless, rel=1e-5)
    assert patient.p_abandon <= 1e-5


@settings(max_examples=60, deadline=None)
@given(load=st.floats(0.05, 3), servers=crews)
def test_erlang_a_with_patience_like_service_is_mm_infinity(load, servers):
    offered = load * servers
    queue = erlang_a(offered, 1.0, servers, 1.0)
    crowd = stats.poisson(offered)
    assert queue.mean_in_system == pytest.approx(offered, rel=1e-10)
    assert queue.p_wait == pytest.approx(crowd.sf(servers - 1), rel=1e-8, abs=1e-300)


@pytest.mark.parametrize(
    ("arrival", "servers", "patience"), [(3, 2, Fraction(1, 2)), (1, 4, Fraction(3)), (9, 5, Fraction(1, 5))]
)
def test_erlang_a_against_an_exact_birth_and_death_chain(arrival, servers, patience):
    weights = [Fraction(1)]
    for state in range(1, 260):
        weights.append(weights[-1] * arrival / (min(state, servers) + max(state - servers, 0) * patience))
    total = sum(weights)
    queue = erlang_a(arrival, 1, servers, float(patience))
    waiting = sum(weight * (state - servers) for state, weight in enumerate(weights) if state > servers) / total
    assert queue.p_wait == pytest.approx(float(sum(weights[servers:]) / total), rel=1e-12)
    assert queue.mean_queue == pytest.approx(float(waiting), rel=1e-12)


@pytest.mark.parametrize("patience", [5.0, 0.1, 1e-3, 5e-5])
@pytest.mark.parametrize("arrival", [1.0, 1.99, 2.02])
def test_erlang_a_against_kummers_function(arrival, patience):
    # 1 + y / (x + 1) + y^2 / ((x + 1)(x + 2)) + ... is 1F1(1; x + 1; y).
    tail = special.hyp1f1(1, 2 / patience + 1, arrival / patience)
    blocked = erlang_b(2, arrival)
    waiting = blocked * tail / (1 - blocked + blocked * tail)
    queue = erlang_a(arrival, 1, 2, patience)
    assert queue.p_wait == pytest.approx(waiting, rel=1e-10)
    # The flow up from each waiting state equals the flow down from the next; summed over them all.
    assert queue.mean_queue == pytest.approx(waiting * (arrival - 2 + 2 / tail) / patience, rel=1e-9)


def test_erlang_a_in_overload_is_a_fluid():
    queue = erlang_a(100, 1, 50, 1e-4)
    assert queue.p_abandon == pytest.approx(0.5, rel=1e-9)
    assert queue.mean_queue == pytest.approx(50 / 1e-4, rel=1e-9)
    assert queue.utilisation == pytest.approx(1.0, rel=1e-9)
    assert queue.utilisation <= 1
    with pytest.raises(InputRefused, match="shorten the patience"):
        erlang_a(100, 1, 50, 1e-8)


def test_erlang_a_with_hundreds_of_servers_and_hardly_any_patience_is_erlang_b():
    queue = erlang_a(480, 1, 500, 1e9)
    assert queue.p_abandon == pytest.approx(erlang_b(500, 480), rel=1e-5)
    assert all(isfinite(value) for value in vars(erlang_a(0.001, 1, 800, 0.5)).values())


# One server


@pytest.mark.parametrize("load", [0.0, 0.1, 0.8, 0.99])
def test_mg1_with_exponential_service_is_mm1(load):
    assert_same(mg1(load * 4, 0.25, 1.0), mmc_metrics(load * 4, 4, 1), rel=1e-12)


def test_mg1_by_the_second_moment_of_a_two_point_service():
    short, long, share = 0.1, 0.7, 0.2
    mean, square = share * long + (1 - share) * short, share * long**2 + (1 - share) * short**2
    expected = 3 * square / (2 * (1 - 3 * mean))
    assert mg1(3, mean, square / mean**2 - 1).mean_wait == pytest.approx(expected, rel=1e-13)


def test_constant_service_halves_the_wait():
    assert mg1(3, 0.2, 0).mean_wait == pytest.approx(mg1(3, 0.2, 1).mean_wait / 2, rel=1e-15)


@settings(max_examples=60, deadline=None)
@given(
    shares=st.lists(st.floats(0.01, 1), min_size=1, max_size=6),
    load=st.floats(0.05, 0.95),
    speeds=st.lists(st.floats(0.2, 5), min_size=6, max_size=6),
)
def test_priorities_move_waits_but_conserve_work(shares, load, speeds):
    rates = np.array(speeds[: len(shares)])
    loads_of = load * np.array(shares) / sum(shares)
    classes = nonpreemptive_priority_mm1(loads_of * rates, rates)
    waits = np.array([each.mean_wait for each in classes])
    residual = (loads_of / rates).sum()
    assert loads_of @ waits == pytest.approx(load * residual / (1 - load), rel=1e-9)
    assert np.all(np.diff(waits) > 0)


def test_one_class_is_no_priority():
    assert_same(nonpreemptive_priority_mm1([3], [4])[0], mmc_metrics(3, 4, 1), rel=1e-13)


# Little


def all_queues():
    yield 5.0, mmc_metrics(5, 8, 1)
    yield 48.0, mmc_metrics(48, 1, 50)
    yield 48.0, erlang_a(48, 1, 50, 0.5)
    yield 90.0, erlang_a(90, 1, 50, 0.2)
    yield 3.0, mg1(3, 0.25, 4.0)
    yield from zip((0.3, 0.4), nonpreemptive_priority_mm1([0.3, 0.4], [1, 2]), strict=True)


def test_little_holds_in_every_queue():
    for rate, queue in all_queues():
        assert little(rate=rate, time=queue.mean_wait) == pytest.approx(queue.mean_queue, rel=1e-12)
        assert little(rate=rate, number=queue.mean_in_system) == pytest.approx(queue.mean_time, rel=1e-12)
        assert little(number=queue.mean_in_system, time=queue.mean_time) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize(
    "given_two",
    [
        {},
        {"rate": 1.0},
        {"rate": 1.0, "number": 1.0, "time": 1.0},
        {"rate": -1.0, "time": 1.0},
        {"rate": 0.0, "number": 1.0},
    ],
)
def test_little_needs_two_sound_values(given_two):
    with pytest.raises(InputRefused):
        little(**given_two)


# Networks and chains


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 6))
def test_jackson_flow_balances(seed, count):
    rng = np.random.default_rng(seed)
    routing = rng.dirichlet(np.ones(count + 1), size=count)[:, :count]
    external = rng.uniform(0.1, 2, count)
    flow = np.linalg.inv(np.eye(count) - routing.T) @ external
    servers = rng.integers(1, 9, count)
    rates = flow / servers / rng.uniform(0.2, 0.9, count)
    network = jackson(external, routing, rates, servers)
    leaving = network.arrival_rates * (1 - routing.sum(axis=1))
    assert leaving.sum() == pytest.approx(external.sum(), rel=1e-9)
    assert network.arrival_rates == pytest.approx(external + network.arrival_rates @ routing, rel=1e-9)
    assert network.mean_time * external.sum() == pytest.approx(network.mean_in_network, rel=1e-12)
    visits = network.arrival_rates / external.sum()
    times = [station.mean_time for station in network.stations]
    assert network.mean_time == pytest.approx(visits @ times, rel=1e-9)


def test_jackson_refuses_all_overloaded_stations_at_once():
    with pytest.raises(InputRefused) as refused:
        jackson([4, 0, 0], [[0, 1, 0], [0, 0, 1], [0, 0, 0]], [1, 5, 1], [3, 1, 2])
    assert [problem.where for problem in refused.value.problems] == ["station 0: utilisation", "station 2: utilisation"]
    assert "5 servers are the fewest" in str(refused.value)


def test_jackson_refuses_routes_without_end():
    with pytest.raises(InputRefused, match="state 1: must have a way out"):
        jackson([1, 0, 0], [[0, 0.5, 0], [0, 0, 1], [0, 1, 0]], [9, 9, 9], [1, 1, 1])
    with pytest.raises(InputRefused, match="add up to more than 1"):
        jackson([1, 1], [[0.6, 0.6], [0, 0]], [9, 9], [1, 1])
    with pytest.raises(InputRefused, match="external_rates"):
        jackson([0, 0], np.zeros((2, 2)), [9, 9], [1, 1])
    with pytest.raises(InputRefused, match="n stations"):
        jackson([1, 1], np.zeros((2, 2)), [9], [1, 1])


def test_absorbing_chain_is_the_gamblers_ruin():
    size, up = 9, 0.45
    moves, ends = np.zeros((size, size)), np.zeros((size, 2))
    for state in range(size):
        for step, chance in ((1, up), (-1, 1 - up)):
            if 0 <= state + step < size:
                moves[state, state + step] = chance
            else:
                ends[state, int(step > 0)] = chance
    chain = absorbing_chain(moves, ends)
    odds, goal, stake = (1 - up) / up, size + 1, np.arange(1, size + 1)
    won = (1 - odds**stake) / (1 - odds**goal)
    assert chain.absorption[:, 1] == pytest.approx(won, rel=1e-12)
    assert chain.absorption.sum(axis=1) == pytest.approx(np.ones(size), rel=1e-12)
    assert chain.steps == pytest.approx((stake - goal * won) / (1 - 2 * up), rel=1e-12)


def test_absorbing_chain_agrees_with_the_funnel_and_with_jackson():
    external, routing, rates, servers = oracle_network()
    count = len(external)
    won = np.zeros(count)
    won[-3:] = ADVANCE
    chain = absorbing_chain(routing, np.column_stack([won, 1 - won - routing.sum(axis=1)]))
    start = external / external.sum()
    assert (start @ chain.absorption)[0] == pytest.approx(CONVERSION, rel=1e-13)
    assert_printed(start @ chain.steps, "3.3575983")
    network = jackson(external, routing, rates, servers)
    per_visit = [station.mean_time for station in network.stations]
    assert start @ chain.time_in(per_visit).sum(axis=1) == pytest.approx(network.mean_time, rel=1e-12)


def test_a_stage_that_is_repeated_counts_each_visit():
    chain = absorbing_chain([[0.5]], [[0.2, 0.3]])
    assert chain.visits.tolist() == [[2.0]]
    assert chain.absorption[0] == pytest.approx([0.4, 0.6])
    assert chain.time_in([3.0]).tolist() == [[6.0]]
    with pytest.raises(InputRefused, match="time_per_visit"):
        chain.time_in([1.0, 2.0])


@pytest.mark.parametrize(
    ("transient", "ends", "rule"),
    [
        ([[0.5]], [[0.4]], "add up to 1"),
        ([[0, 1], [1, 0]], [[0], [0]], "way out"),
        ([[1.5]], [[-0.5]], "between 0 and 1"),
        ([[0.5, 0.5]], [[0.0]], "must be"),
        ([[float("nan")]], [[1.0]], "finite"),
    ],
)
def test_absorbing_chain_refuses(transient, ends, rule):
    with pytest.raises(InputRefused, match=rule):
        absorbing_chain(transient, ends)


@pytest.mark.parametrize(
    ("shares", "advance"), [([0.5, 0.4], [[0.1], [0.2]]), ([1.0], [[1.2]]), ([1.0], [[0.1], [0.2]]), ([1.0], [[]])]
)
def test_funnel_conversion_refuses(shares, advance):
    with pytest.raises(InputRefused):
        funnel_conversion(shares, advance)


# What queues refuse


def test_an_unstable_queue_is_refused_with_its_load_and_the_way_out():
    for overloaded in (lambda: mmc_metrics(10, 1, 8), lambda: erlang_c(8, 10.0)):
        with pytest.raises(InputRefused) as refused:
            overloaded()
        assert "utilisation = 1.25 (offered load 10, servers 8)" in str(refused.value)
        assert "11 servers are the fewest" in str(refused.value)
    for critical in (
        lambda: mmc_metrics(8, 1, 8),
        lambda: mg1(2, 0.5, 1),
        lambda: nonpreemptive_priority_mm1([0.6, 0.4], 1),
    ):
        with pytest.raises(InputRefused, match="grows without end"):
            critical()


@pytest.mark.parametrize(
    "call",
    [
        lambda: erlang_b(-1, 1.0),
        lambda: erlang_b(2.5, 1.0),
        lambda: erlang_b(2, -1.0),
        lambda: erlang_c(0, 0.0),
        lambda: mmc_metrics(1, 0, 3),
        lambda: mmc_metrics(float("nan"), 1, 3),
        lambda: mmc_metrics(1, 1, float("inf")),
        lambda: erlang_a(1, 1, 2, 0),
        lambda: mg1(1, 0.5, -1),
        lambda: nonpreemptive_priority_mm1([], 1),
        lambda: nonpreemptive_priority_mm1([0.1, 0.1], [1]),
        lambda: nonpreemptive_priority_mm1([0.1, -0.1], 1),
    ],
)
def test_arguments_out_of_range_are_refused(call):
    with pytest.raises(InputRefused):
        call()


def test_all_faults_come_together():
    with pytest.raises(InputRefused) as refused:
        erlang_a(-1, 0, 0, 1)
    assert len(refused.value.problems) == 3
