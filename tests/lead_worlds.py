"""Companies whose leads may be handed out, simulated once, for tests of shares as a decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from loop_worlds import company
from optimize.response.estimate import Responses, estimate
from scenarios.files import from_document
from scenarios.scenario import Scenario
from sim.outcome import Outcome
from sim.run import simulate

FREE: dict[str, Any] = {"decide": True, "most_change": 1.0}


def pool(
    *efforts: float,
    leads: dict[str, Any] = FREE,
    people: dict[int, dict[str, Any]] | None = None,
    sections: dict[str, Any] | None = None,
    accounts: int = 0,
    each: float = 260.0,
    **allocation: Any,
) -> Scenario:
    """Reps alike but for the effort that a lead costs them; they share the leads of one source."""
    count = len(efforts)
    document = company(count, accounts, each, skill_matters=False, target=150_000.0 * count).document()
    asked = {"rules": [], "training": {"budget_hours": 0}, "leads": leads, **allocation}
    document["allocation"] = {**document["allocation"], **asked}
    for number, (rep, effort) in enumerate(zip(document["reps"], efforts, strict=True)):
        rep |= {"effort_factor": effort, **(people or {}).get(number, {})}
    return from_document({**document, **(sections or {})})


def simulated(scenario: Scenario, years: int = 40) -> tuple[Responses, Outcome]:
    outcome = simulate(scenario, replications=years)
    return estimate(scenario, outcome), outcome


def asked_of(scenario: Scenario, found: Responses, **allocation: Any) -> tuple[Scenario, Responses]:
    """The same world under other demands; shares and their limits are read from the scenario anew."""
    document = scenario.document()
    other = from_document({**document, "allocation": {**document["allocation"], **allocation}})
    wanted = other.allocation.leads
    limits = {"least": wanted.least_share, "most": wanted.most_share, "change": wanted.most_change}
    return other, replace(found, leads=replace(found.leads, **limits))


def two_reps() -> tuple[Scenario, Responses, Outcome]:
    scenario = pool(0.6, 1.5)
    return scenario, *simulated(scenario, 100)


def three_reps() -> tuple[Scenario, Responses, Outcome]:
    scenario = pool(0.6, 1.0, 1.7, accounts=4)
    return scenario, *simulated(scenario)


def share_of(plan: Any, rep: str, source: str = "web") -> float:
    return float(sum(row.share for row in plan.shares if (row.source, row.rep) == (source, rep)))
