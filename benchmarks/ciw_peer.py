"""The 18 shared queues of ``funnel18`` in Ciw, a library for networks of queues (Palmer et al. 2019)."""

from __future__ import annotations

from scenarios.theory_worlds import FUNNEL18_ARRIVALS, FUNNEL18_STAGES, funnel18_groups


def pooled(horizon: float, seed: int) -> int:
    """One run; Ciw always keeps a record of each service.

    Args:
        horizon: in units of time.

    Returns:
        The number of services finished.

    Raises:
        ImportError: Ciw is not installed.
    """
    import ciw

    groups, last = funnel18_groups(), FUNNEL18_STAGES - 1
    stations = [(group, stage) for group in groups for stage in range(FUNNEL18_STAGES)]
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[
            ciw.dists.Exponential(FUNNEL18_ARRIVALS * group.share) if stage == 0 else None for group, stage in stations
        ],
        service_distributions=[ciw.dists.Exponential(group.service_rate) for group, _ in stations],
        number_of_servers=[group.servers for group, _ in stations],
        routing=[
            [group.advance if stage < last and there == here + 1 else 0.0 for there in range(len(stations))]
            for here, (group, stage) in enumerate(stations)
        ],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(horizon)
    return len(simulation.get_all_records())
