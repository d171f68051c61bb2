"""Cases of a comparison: named on the command line, or made by simple rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from quotalab.worlds import open_world
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.files import library
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.outcome import Outcome


def open_cases(texts: Sequence[str], changes: Sequence[str] | None = None) -> dict[str, Scenario]:
    """Cases from ``[NAME=]SCENARIO[@PLAN]`` texts, in the order given.

    Without a name a case is called after its plan if it names one, else after its scenario.

    Raises:
        InputRefused: all problems of all cases together, among them two cases of one name.
    """
    found: dict[str, Scenario] = {}
    problems: list[Problem] = []
    for text in texts:
        name, source, plan = _parts(text)
        if not source:
            problems.append(Problem(text, "", "names no scenario", "write NAME=SCENARIO or NAME=SCENARIO@PLAN"))
            continue
        if name in found:
            problems.append(Problem(text, name, "two cases of this name", "write NAME=SCENARIO"))
            continue
        try:
            found[name] = open_world(source, changes, plan)
        except InputRefused as refused:
            # Files of two cases may have one name.
            told = f"{name}: " if len(texts) > 1 else ""
            problems += [replace(problem, where=f"{told}{problem.where}") for problem in refused.problems]
    refuse_if(problems)
    return found


def with_baselines(cases: Mapping[str, Scenario], years: Outcome) -> dict[str, Scenario]:
    """Today's plan and the plans of the simple rules for the first world, and the cases, which win where names meet.

    Args:
        years: the first world under today's plan, from which the rules read what each rep can sell.
    """
    from optimize.baselines.plans import baselines
    from optimize.response.estimate import estimate

    today = today_world(cases)
    rules = baselines(today, estimate(today, years))
    return {"today": today} | {name: today.with_plan(plan) for name, plan in rules.items()} | dict(cases)


def today_world(cases: Mapping[str, Scenario]) -> Scenario:
    """The first world under today's plan."""
    first = next(iter(cases.values()))
    return first.with_plan(today_plan(first))


def one_world(cases: Mapping[str, Scenario]) -> Scenario:
    """The world of all cases, which may differ in their plans alone.

    Raises:
        InputRefused: naming every case that is of another world than the first.
    """
    name, first = next(iter(cases.items()))
    rule = f"is another world than {name}; only plans may differ"
    refuse_if(
        Problem(other, world.name, rule, "compare them with `quotalab compare`")
        for other, world in cases.items()
        if world.fingerprint() != first.fingerprint()
    )
    return first


def what_if_name(world: Scenario, changed: Scenario) -> str:
    """What a what-if asks, without the company's name before it."""
    return changed.name.removeprefix(world.name).strip(" ·:-") or changed.name


def _parts(text: str) -> tuple[str, str, Path | None]:
    """Name, scenario and plan folder; an existing path or a shipped name is taken whole."""
    if _exists(text):
        return _name_of(text), text, None
    name, equals, rest = text.partition("=")
    if not equals:
        name, rest = "", text
    source, plan = rest, None
    if not _exists(rest) and "@" in rest:
        source, _, folder = rest.rpartition("@")
        plan = Path(folder)
    return name or _name_of(str(plan or source)), source, plan


def _exists(text: str) -> bool:
    return text in library() or Path(text).exists()


def _name_of(path: str) -> str:
    return Path(path).stem or path
