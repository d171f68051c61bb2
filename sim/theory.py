"""Closed forms against which the engines are held: networks, chains and Little's law.

Single queues (Erlang B, C and A, M/G/1, priorities) come from :mod:`sim.theory_queues` and are exported here
too, so that ``from sim import theory`` gives them all. Rates are per unit of time and means in that same
unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenarios.errors import InputRefused, Problem, refuse_if
from sim.theory_queues import (
    ErlangAMetrics,
    MMcMetrics,
    QueueMetrics,
    erlang_a,
    erlang_b,
    erlang_c,
    mg1,
    mmc_metrics,
    nonpreemptive_priority_mm1,
)

__all__ = [
    "AbsorbingChain",
    "ErlangAMetrics",
    "FunnelConversion",
    "JacksonNetwork",
    "MMcMetrics",
    "QueueMetrics",
    "absorbing_chain",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "funnel_conversion",
    "jackson",
    "little",
    "mg1",
    "mmc_metrics",
    "nonpreemptive_priority_mm1",
]

Floats = NDArray[np.float64]
# Probabilities written with a dozen digits add up to 1 within this.
SUM_TOLERANCE = 1e-9


def little(*, rate: float | None = None, number: float | None = None, time: float | None = None) -> float:
    """The one of Little's three that was left out: number = rate x time (Little 1961).

    Args:
        rate: arrivals per unit of time.
        number: mean number inside.
        time: mean time inside.

    Raises:
        InputRefused: not exactly two given, negative ones, or a division by zero.
    """
    given = {name: value for name, value in (("rate", rate), ("number", number), ("time", time)) if value is not None}
    faults = [
        Problem(name, f"{value:g}", "must be finite and not negative")
        for name, value in given.items()
        if not (np.isfinite(value) and value >= 0)
    ]
    if len(given) != 2:
        faults.append(Problem("little", ", ".join(given), "needs exactly two of rate, number and time"))
    refuse_if(faults)
    if number is None:
        return given["rate"] * given["time"]
    divisor = "rate" if time is None else "time"
    if given[divisor] == 0:
        raise InputRefused(Problem(divisor, "0", "must be positive to divide by it"))
    return number / given[divisor]


@dataclass(frozen=True, eq=False)
class JacksonNetwork:
    """An open Jackson network in steady state.

    Attributes:
        arrival_rates: per station, from outside and from other stations together, shape [n].
        stations: each station as the M/M/c that it is on its own.
        mean_in_network: mean number of jobs inside.
        mean_time: mean time of a job from its arrival to its leaving the network.
    """

    arrival_rates: Floats
    stations: tuple[MMcMetrics, ...]
    mean_in_network: float
    mean_time: float


def jackson(
    external_rates: ArrayLike, routing: ArrayLike, service_rates: ArrayLike, servers: ArrayLike
) -> JacksonNetwork:
    """Open network of M/M/c stations with Markov routing (Jackson 1957).

    Solves the traffic equations l = external + l P; by Jackson's theorem each station then behaves as M/M/c
    with its own l.

    Args:
        external_rates: Poisson arrivals from outside, shape [n].
        routing: P[i, j] is the chance that a job goes from i to j; the rest of a row leaves. Shape [n, n].
        service_rates: per server, shape [n].
        servers: shape [n].

    Raises:
        InputRefused: shapes that differ, rows above 1, jobs that can never leave, no arrivals at all, or a
            station whose queue grows without end.
    """
    outside, moves = _array("external_rates", external_rates, 1), _array("routing", routing, 2)
    speeds, crews = _array("service_rates", service_rates, 1), _array("servers", servers, 1)
    count = len(outside)
    if not (moves.shape == (count, count) and len(speeds) == len(crews) == count):
        shapes = [part.shape for part in (outside, moves, speeds, crews)]
        raise InputRefused(Problem("jackson", str(shapes), "must be [n], [n, n], [n] and [n] for n stations"))
    leaving = 1 - moves.sum(axis=1)
    faults = [*_probabilities("routing", moves), *_stuck("routing", moves, leaving > SUM_TOLERANCE)]
    faults += [
        Problem("routing", f"row {i}", "must not add up to more than 1")
        for i in np.flatnonzero(leaving < -SUM_TOLERANCE)
    ]
    if not (np.all(outside >= 0) and outside.sum() > 0):
        faults.append(Problem("external_rates", str(outside.tolist()), "must not be negative, nor all zero"))
    refuse_if(faults)
    # Rounding can leave a station that nobody visits at -0 or -1e-17.
    flow = np.maximum(np.linalg.solve(np.eye(count) - moves.T, outside), 0.0)
    stations = _stations(flow, speeds, crews)
    inside = sum(station.mean_in_system for station in stations)
    return JacksonNetwork(flow, stations, inside, inside / float(outside.sum()))


def _stations(flow: Floats, speeds: Floats, crews: Floats) -> tuple[MMcMetrics, ...]:
    """All stations, or all their problems at once."""
    faults, found = [], []
    for index, (rate, speed, crew) in enumerate(zip(flow.tolist(), speeds.tolist(), crews.tolist(), strict=True)):
        try:
            found.append(mmc_metrics(rate, speed, crew))
        except InputRefused as refused:
            faults += [
                Problem(f"station {index}: {fault.where}", fault.value, fault.rule, fault.remedy)
                for fault in refused.problems
            ]
    refuse_if(faults)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class AbsorbingChain:
    """What an absorbing Markov chain does before it ends, from each of its t transient states.

    Attributes:
        visits: fundamental matrix; [i, j] is the expected number of visits to j from a start in i (the start
            counts as one), shape [t, t].
        absorption: [i, k] is the probability to end in k, shape [t, a].
    """

    visits: Floats
    absorption: Floats

    @property
    def steps(self) -> Floats:
        """Expected number of visits before the end from each start, shape [t]."""
        return np.asarray(self.visits.sum(axis=1))

    def time_in(self, time_per_visit: ArrayLike) -> Floats:
        """Expected time in state j before the end, from a start in i, shape [t, t]; a row's sum is the total.

        Args:
            time_per_visit: mean time of one visit to each state, shape [t].

        Raises:
            InputRefused: another shape.
        """
        times = _array("time_per_visit", time_per_visit, 1)
        if len(times) != len(self.visits):
            raise InputRefused(Problem("time_per_visit", str(len(times)), f"must have {len(self.visits)} entries"))
        return np.asarray(self.visits * times)


def absorbing_chain(transient: ArrayLike, ends: ArrayLike) -> AbsorbingChain:
    """Absorbing Markov chain by its fundamental matrix (Kemeny and Snell 1960, chapter 3).

    Args:
        transient: chance to move from one transient state to another in one step, shape [t, t].
        ends: chance to end in each absorbing state, shape [t, a].

    Raises:
        InputRefused: shapes that differ, rows that do not add up to 1, a state from which no end can be
            reached.
    """
    moves, exits = _array("transient", transient, 2), _array("ends", ends, 2)
    count = len(moves)
    if count == 0 or moves.shape != (count, count) or len(exits) != count:
        raise InputRefused(Problem("absorbing_chain", f"{moves.shape} and {exits.shape}", "must be [t, t] and [t, a]"))
    totals = moves.sum(axis=1) + exits.sum(axis=1)
    faults = [*_probabilities("transient", moves), *_probabilities("ends", exits)]
    faults += [
        Problem(f"row {i}", f"{totals[i]:g}", "transient and ends together must add up to 1")
        for i in np.flatnonzero(abs(totals - 1) > SUM_TOLERANCE)
    ]
    faults += _stuck("transient", moves, exits.sum(axis=1) > 0)
    refuse_if(faults)
    visits = np.asarray(np.linalg.solve(np.eye(count) - moves, np.eye(count)), np.float64)
    return AbsorbingChain(visits, np.asarray(visits @ exits, np.float64))


@dataclass(frozen=True, eq=False)
class FunnelConversion:
    """Conversion of a funnel of groups.

    Attributes:
        conversion: share of leads that pass every stage.
        services_per_lead: mean number of stage visits a lead causes, won or lost.
        reach: share of leads that reach each stage, shape [stages].
    """

    conversion: float
    services_per_lead: float
    reach: Floats


def funnel_conversion(shares: ArrayLike, advance: ArrayLike) -> FunnelConversion:
    """Funnel whose leads fall into groups, each with its own chance to advance at each stage.

    conversion = sum over g of share[g] times the product of advance[g, :]; a stage is visited by those who
    passed all before it. Where a group is better at every stage, the product of the *averaged* chances is too
    low: the leads that are left are the better ones.

    Args:
        shares: of the leads, shape [g], adding up to 1.
        advance: shape [g, stages].

    Raises:
        InputRefused: shapes that differ, values outside [0, 1], shares that do not add up to 1.
    """
    parts, chances = _array("shares", shares, 1), _array("advance", advance, 2)
    faults = [*_probabilities("shares", parts), *_probabilities("advance", chances)]
    if abs(parts.sum() - 1) > SUM_TOLERANCE:
        faults.append(Problem("shares", f"{parts.sum():g}", "must add up to 1"))
    if len(parts) != len(chances) or chances.shape[1] == 0:
        faults.append(Problem("advance", f"shape {chances.shape}", f"must be [{len(parts)}, stages]"))
    refuse_if(faults)
    passed = parts @ np.cumprod(chances, axis=1)
    reach = np.concatenate([[1.0], passed[:-1]])
    return FunnelConversion(float(passed[-1]), float(reach.sum()), reach)


def _array(where: str, values: ArrayLike, dimensions: int) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != dimensions or not np.isfinite(array).all():
        raise InputRefused(
            Problem(where, f"shape {array.shape}", f"must have {dimensions} dimension(s) and finite values only")
        )
    return array


def _probabilities(where: str, values: Floats) -> list[Problem]:
    wrong = values[(values < 0) | (values > 1)]
    return [Problem(where, f"{value:g}", "must lie between 0 and 1") for value in wrong]


def _stuck(where: str, moves: Floats, can_end: NDArray[np.bool_]) -> list[Problem]:
    """Problems for the states from which no exit can be reached."""
    free = can_end.copy()
    for _ in range(len(free)):
        free |= (moves > 0) @ free
    return [Problem(where, f"state {i}", "must have a way out") for i in np.flatnonzero(~free)]
