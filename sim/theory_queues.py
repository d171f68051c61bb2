"""Closed forms for one queue, against which the engines are held: Erlang B, C and A, M/G/1, priorities.

Rates are per unit of time and means in that same unit, whatever it is (hours, seconds). Servers are identical and
work one customer at a time, in order of arrival unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, isfinite, log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenarios.errors import InputRefused, Problem, refuse_if

# Terms of the Erlang A series smaller than exp(-NEGLIGIBLE) times the largest do not change a double.
NEGLIGIBLE = 45.0
MOST_STATES = 5_000_000


@dataclass(frozen=True)
class QueueMetrics:
    """Steady state of one queue.

    Attributes:
        p_wait: share of arrivals that find every server busy.
        mean_wait: mean time in the queue over all arrivals, those who need not wait included.
        mean_queue: mean number waiting.
        utilisation: mean share of servers that are busy.
        mean_in_system: mean number waiting or in service.
        mean_time: mean time from arrival to departure.
    """

    p_wait: float
    mean_wait: float
    mean_queue: float
    utilisation: float
    mean_in_system: float
    mean_time: float


@dataclass(frozen=True)
class MMcMetrics(QueueMetrics):
    """M/M/c in steady state; ``spare_rate`` is what the servers could do beyond what arrives."""

    spare_rate: float

    def p_wait_within(self, time: float) -> float:
        """Share of arrivals that wait no longer than ``time``, given in the unit of the rates.

        Raises:
            InputRefused: a negative time.
        """
        if not time >= 0:
            raise InputRefused(Problem("time", f"{time:g}", "must not be negative"))
        return 1 - self.p_wait * exp(-self.spare_rate * time)


@dataclass(frozen=True)
class ErlangAMetrics(QueueMetrics):
    """M/M/c+M in steady state; ``p_abandon`` is the share of arrivals that give up waiting."""

    p_abandon: float


def erlang_b(servers: int, offered: float) -> float:
    """Share of arrivals blocked by ``servers`` servers without a queue (M/M/c/c; Erlang 1917).

    Args:
        servers: whole number, 0 or more.
        offered: arrival rate times mean service, in Erlang, 0 or more.

    Uses the recursion B(c) = a B(c-1) / (c + a B(c-1)), which neither overflows nor cancels.

    Raises:
        InputRefused: arguments out of range.
    """
    refuse_if([*_count("servers", servers, 0), *_rate("offered", offered, zero=True)])
    blocked = 1.0
    for busy in range(1, int(servers) + 1):
        blocked = offered * blocked / (busy + offered * blocked)
    return blocked


def erlang_c(servers: int, offered: float) -> float:
    """Share of arrivals who wait in M/M/c (Erlang 1917), stable for thousands of servers.

    Args:
        servers: whole number, 1 or more.
        offered: arrival rate times mean service, in Erlang, below ``servers``.

    Raises:
        InputRefused: arguments out of range, or a queue that grows without end.
    """
    refuse_if([*_count("servers", servers, 1), *_rate("offered", offered, zero=True)])
    _check_stable(offered, servers)
    blocked = erlang_b(servers, offered)
    return blocked / (1 - offered / servers * (1 - blocked))


def mmc_metrics(arrival_rate: float, service_rate: float, servers: int) -> MMcMetrics:
    """M/M/c: Poisson arrivals, exponential service at ``service_rate`` a server, one queue.

    Raises:
        InputRefused: arguments out of range, or a queue that grows without end.
    """
    _check_queue(arrival_rate, service_rate, servers)
    offered = arrival_rate / service_rate
    p_wait = erlang_c(servers, offered)
    spare = servers * service_rate - arrival_rate
    mean_wait = p_wait / spare
    return MMcMetrics(
        p_wait=p_wait,
        mean_wait=mean_wait,
        mean_queue=arrival_rate * mean_wait,
        utilisation=offered / servers,
        mean_in_system=arrival_rate * mean_wait + offered,
        mean_time=mean_wait + 1 / service_rate,
        spare_rate=spare,
    )


def erlang_a(arrival_rate: float, service_rate: float, servers: int, patience_rate: float) -> ErlangAMetrics:
    """M/M/c+M (Erlang A): as M/M/c, but who waits gives up after an exponential patience.

    Stable at any load. The states above ``servers`` are summed as logarithms, those below enter through
    Erlang B (Garnett, Mandelbaum and Reiman 2002; Palm 1957). ``mean_wait`` and ``mean_time`` count those who
    give up, too.

    Args:
        patience_rate: 1 / mean patience, above 0.

    Raises:
        InputRefused: arguments out of range, or an overload so patient that the queue holds millions.
    """
    _check_queue(arrival_rate, service_rate, servers, stable=False)
    refuse_if(_rate("patience_rate", patience_rate, remedy="without abandonment use mmc_metrics"))
    offered = arrival_rate / service_rate
    capacity = servers * service_rate
    if arrival_rate == 0:
        return ErlangAMetrics(0.0, 0.0, 0.0, 0.0, 0.0, 1 / service_rate, p_abandon=0.0)
    logs = _log_weights(arrival_rate, capacity, patience_rate)
    peak = float(logs.max())
    weights = np.exp(logs - peak)  # of the states with 0, 1, 2, ... waiting, relative to the likeliest
    blocked = erlang_b(servers, offered)
    all_busy = blocked * float(weights.sum())
    p_wait = all_busy / ((1 - blocked) * exp(-peak) + all_busy)
    mean_queue = p_wait * float(np.average(np.arange(len(weights)), weights=weights))
    abandoning = patience_rate * mean_queue
    busy = (arrival_rate - abandoning) / service_rate
    return ErlangAMetrics(
        p_wait=p_wait,
        mean_wait=mean_queue / arrival_rate,
        mean_queue=mean_queue,
        utilisation=min(busy / servers, 1.0),
        mean_in_system=mean_queue + busy,
        mean_time=(mean_queue + busy) / arrival_rate,
        p_abandon=abandoning / arrival_rate,
    )


def mg1(arrival_rate: float, mean_service: float, scv: float) -> QueueMetrics:
    """M/G/1: one server, service of any distribution (Pollaczek 1930, Khinchine 1932).

    Args:
        scv: squared coefficient of variation of the service time: 0 constant, 1 exponential.

    Raises:
        InputRefused: arguments out of range, or a queue that grows without end.
    """
    refuse_if(
        [
            *_rate("arrival_rate", arrival_rate, zero=True),
            *_rate("mean_service", mean_service),
            *_rate("scv", scv, zero=True),
        ]
    )
    load = arrival_rate * mean_service
    _check_stable(load, 1)
    wait = load * mean_service * (1 + scv) / (2 * (1 - load))
    queue = arrival_rate * wait
    return QueueMetrics(
        p_wait=load,
        mean_wait=wait,
        mean_queue=queue,
        utilisation=load,
        mean_in_system=queue + load,
        mean_time=wait + mean_service,
    )


def nonpreemptive_priority_mm1(arrival_rates: ArrayLike, service_rates: ArrayLike) -> tuple[QueueMetrics, ...]:
    """One server, exponential service, classes in order of priority, nobody interrupted (Cobham 1954).

    Args:
        arrival_rates: one a class, the most urgent class first.
        service_rates: one for all classes, or one a class.

    Returns:
        one entry a class; its ``utilisation`` is the share of time that the server spends on that class, its
        ``p_wait`` the share of time that the server is busy at all.

    Raises:
        InputRefused: arguments out of range, lengths that differ, or a queue that grows without end.
    """
    arrivals = np.asarray(arrival_rates, np.float64).tolist()
    speeds = np.asarray(service_rates, np.float64).tolist()
    speeds = speeds if isinstance(speeds, list) else [speeds] * len(arrivals)
    faults = [fault for k, rate in enumerate(arrivals) for fault in _rate(f"arrival_rates[{k}]", rate, zero=True)]
    faults += [fault for k, rate in enumerate(speeds) for fault in _rate(f"service_rates[{k}]", rate)]
    if not 0 < len(arrivals) == len(speeds):
        given = f"{len(speeds)} for {len(arrivals)} classes"
        faults.append(Problem("service_rates", given, "must be one for all, or one a class"))
    refuse_if(faults)
    loads = [arrival / rate for arrival, rate in zip(arrivals, speeds, strict=True)]
    _check_stable(sum(loads), 1)
    residual = sum(load / rate for load, rate in zip(loads, speeds, strict=True))
    found, urgent = [], 0.0
    for arrival, rate, load in zip(arrivals, speeds, loads, strict=True):
        wait = residual / ((1 - urgent) * (1 - urgent - load))
        queue = arrival * wait
        found.append(QueueMetrics(sum(loads), wait, queue, load, queue + load, wait + 1 / rate))
        urgent += load
    return tuple(found)


def _log_weights(arrival_rate: float, capacity: float, patience_rate: float) -> NDArray[np.float64]:
    """Logarithms of P(j waiting) / P(0 waiting) for j = 0, 1, ... until the rest is negligible."""
    count = 1024
    while count <= MOST_STATES:
        departures = capacity + patience_rate * np.arange(1, count)
        logs = np.concatenate([[0.0], np.cumsum(np.log(arrival_rate / departures))])
        growth = arrival_rate / float(departures[-1])
        # Beyond the last state the weights fall at least geometrically, at its rate.
        if growth < 1 and logs[-1] - log(1 - growth) < logs.max() - NEGLIGIBLE:
            return logs
        count *= 2
    raise InputRefused(
        Problem(
            "patience_rate",
            f"{patience_rate:g} at a utilisation of {arrival_rate / capacity:.3f}",
            f"the queue must settle below {MOST_STATES:,} waiting",
            "shorten the patience or lower the load",
        )
    )


def _check_queue(arrival_rate: float, service_rate: float, servers: int, stable: bool = True) -> None:
    refuse_if(
        [
            *_rate("arrival_rate", arrival_rate, zero=True),
            *_rate("service_rate", service_rate),
            *_count("servers", servers, 1),
        ]
    )
    if stable:
        _check_stable(arrival_rate / service_rate, servers)


def _check_stable(offered: float, servers: int) -> None:
    if offered < servers:
        return
    enough = f"{floor(offered) + 1} servers are the fewest" if isfinite(offered) else "slow down the arrivals"
    raise InputRefused(
        Problem(
            "utilisation",
            f"{offered / servers:.4g} (offered load {offered:g}, servers {servers:g})",
            "must be below 1, or the queue grows without end",
            f"{enough}; or fewer arrivals, shorter service, customers who give up (erlang_a)",
        )
    )


def _rate(where: str, value: float, zero: bool = False, remedy: str = "") -> list[Problem]:
    if isfinite(value) and (value > 0 or (zero and value == 0)):
        return []
    return [Problem(where, f"{value:g}", f"must be finite and {'not negative' if zero else 'positive'}", remedy)]


def _count(where: str, value: int, least: int) -> list[Problem]:
    if float(value).is_integer() and value >= least:
        return []
    return [Problem(where, f"{value:g}", f"must be a whole number of at least {least}")]
