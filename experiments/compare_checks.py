"""What can be compared: scenarios whose plans fit, in one currency, simulated on the same random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from experiments.runs import plan_of
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.plan_checks import plan_problems
from scenarios.scenario import Scenario
from sim.outcome import Outcome


def check_worlds(cases: object) -> None:
    """Refuse what is no mapping of scenarios, and plans that do not fit theirs.

    Raises:
        InputRefused: naming all of them.
    """
    if not isinstance(cases, Mapping):
        rule = "must be a mapping of names to scenarios"
        raise InputRefused(Problem("cases", repr(cases)[:80], rule, "write {'today': scenario}"))
    found = []
    for name, world in cases.items():
        if not isinstance(world, Scenario):
            rule = "must be a scenario, as ql.load gives it"
            found.append(Problem(f"cases: {name}", repr(world)[:80], rule, "for example ql.load('starter')"))
        elif world.plan is not None:
            found += [replace(fault, where=f"{name}: {fault.where}") for fault in plan_problems(world.plan, world)]
    refuse_if(found)


def check_cases(cases: Mapping[str, Scenario], references: Sequence[str]) -> None:
    """Refuse no cases at all, unknown references, and amounts of different currencies.

    Raises:
        InputRefused: naming all of them.
    """
    known = ", ".join(cases)
    found = []
    if not cases:
        found.append(Problem("cases", "", "at least one case is needed"))
    found += [
        Problem("reference", name, "is none of the cases", f"known: {known}")
        for name in references
        if name not in cases
    ]
    currencies = {scenario.currency for scenario in cases.values()}
    if len(currencies) > 1:
        rule = "amounts of different currencies cannot be compared"
        found.append(Problem("cases", ", ".join(sorted(currencies)), rule, "convert one scenario"))
    refuse_if(found)


def check_pairs(cases: Mapping[str, Scenario], outcomes: Mapping[str, Outcome]) -> None:
    """Refuse outcomes that are missing, of another world or plan, or on other random numbers.

    Raises:
        InputRefused: naming all of them.
    """
    found = [Problem("outcomes", name, "the case was not simulated") for name in cases if name not in outcomes]
    refuse_if(found)
    shapes: dict[Any, str] = {}
    for name in cases:
        out = outcomes[name]
        shapes.setdefault((out.seed, out.first, out.replications, out.stream_version), name)
    if len(shapes) > 1:
        told = "; ".join(
            f"{name}: seed {key[0]}, years {key[1]} to {key[1] + key[2] - 1}" for key, name in shapes.items()
        )
        raise InputRefused(
            Problem("outcomes", told, "differences need the same random numbers", "simulate all with one seed and size")
        )
    for name, scenario in cases.items():
        if outcomes[name].scenario != scenario.fingerprint():
            found.append(Problem("outcomes", name, "the outcome is of another scenario", "simulate this case again"))
        elif outcomes[name].plan != scenario.simulation_hash(plan_of(scenario)):
            found.append(Problem("outcomes", name, "the outcome is of another plan", "simulate this case again"))
    refuse_if(found)
