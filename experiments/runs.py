"""Simulated years, each distinct world simulated once.

Plans that differ in quotas alone are the same world to the simulator (unless people respond to quotas), so they
share one simulation. All worlds of one set of runs share seed and replications: common random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.outcome import Outcome

Progress = Callable[[int, int], None]
WorldKey = tuple[str, str]


class Simulate(Protocol):
    """What :func:`sim.run.simulate` offers; tests and other engines may stand in for it."""

    def __call__(
        self,
        scenario: Scenario,
        *,
        replications: int,
        first: int = 0,
        seed: int | None = None,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> Outcome: ...


def default_simulate() -> Simulate:
    """The simulator; imported late because compiled code takes its time to load."""
    from sim.run import simulate

    return simulate


def plan_of(scenario: Scenario) -> Plan:
    """The plan that a simulation of this scenario runs: its own, else today's."""
    return today_plan(scenario) if scenario.plan is None else scenario.plan


def world_key(scenario: Scenario, plan: Plan) -> WorldKey:
    """What decides a simulated year, beside seed and replication: the world and the decisions that move sales."""
    return scenario.fingerprint(), scenario.simulation_hash(plan)


class Runs:
    """Simulations with common random numbers, each distinct world run once.

    Args:
        replications: simulated years of each world.
        seed: of all draws; every world uses it.
        workers: how many threads; they never change a figure.
        progress: called with (years done, years known to be needed so far).
        simulate: the simulator; default :func:`sim.run.simulate`.
    """

    def __init__(
        self,
        replications: int,
        seed: int,
        *,
        first: int = 0,
        workers: int = 1,
        progress: Progress | None = None,
        simulate: Simulate | None = None,
    ) -> None:
        self.replications = replications
        self.seed = seed
        self.first = first
        self._workers = workers
        self._progress = progress
        self._simulate = simulate
        self._outcomes: dict[WorldKey, Outcome] = {}
        self._expected: set[WorldKey] = set()

    @property
    def worlds(self) -> int:
        """Distinct worlds simulated so far."""
        return len(self._outcomes)

    def expect(self, scenario: Scenario, plan: Plan) -> None:
        """Announce a world, so that progress knows the whole amount of work before the first run."""
        self._expected.add(world_key(scenario, plan))

    def outcome(self, scenario: Scenario, plan: Plan | None = None) -> Outcome:
        """The simulated years of the scenario under a plan (default: its own, else today's).

        Raises:
            InputRefused: the simulator cannot honour the scenario.
        """
        chosen = plan_of(scenario) if plan is None else plan
        key = world_key(scenario, chosen)
        self._expected.add(key)
        if key not in self._outcomes:
            simulate = self._simulate or default_simulate()
            self._outcomes[key] = simulate(
                scenario.with_plan(chosen),
                replications=self.replications,
                first=self.first,
                seed=self.seed,
                workers=self._workers,
                progress=self._shifted(),
            )
        return self._outcomes[key]

    def _shifted(self) -> Progress | None:
        if self._progress is None:
            return None
        report, done, total = self._progress, len(self._outcomes) * self.replications, len(self._expected)

        def progress(finished: int, _: int) -> None:
            report(done + finished, total * self.replications)

        return progress
