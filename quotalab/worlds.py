"""From what a user names (a scenario, changes, a plan folder) to one scenario value, and what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from experiments.money import Language
from experiments.words import listed, word
from history.mapping_files import preset_names
from quotalab.runs import given_plan
from scenarios.errors import InputRefused, Problem
from scenarios.files import MAIN_FILE, library, load
from scenarios.scenario import Scenario

Horizon = Literal["month", "quarter", "half", "year"]
HORIZONS: tuple[Horizon, ...] = ("month", "quarter", "half", "year")
SHOWN_ASSUMPTIONS = 5


def open_world(source: str | Path, changes: Sequence[str] | None = None, plan: Path | None = None) -> Scenario:
    """A scenario with changes applied, under a plan.

    Args:
        source: a shipped scenario's name, a folder or a YAML file.
        changes: ``path=value`` and ``path*=factor`` texts.
        plan: a plan folder, a run folder that holds one, or a CSV of quotas; ``None`` keeps the scenario's own, else
            today's.

    Raises:
        InputRefused: listing every problem.
    """
    scenario = load(source, changes or ())
    return scenario if plan is None else scenario.with_plan(given_plan(plan, scenario))


def require_scenario(source: str | Path) -> None:
    """Refuse a file or folder that exists and is no scenario: most likely it is an export.

    Raises:
        InputRefused: it is a folder without ``scenario.yaml``, or a file that is not YAML.
    """
    path = Path(source)
    if str(source) in library() or not path.exists():
        return
    if (path / MAIN_FILE).is_file() if path.is_dir() else path.suffix.lower() in (".yaml", ".yml"):
        return
    rule = "is no scenario, and nothing says how to read it as an export"
    remedy = f"for an export give --preset, a mapping file or one of {', '.join(preset_names())}"
    raise InputRefused(Problem(str(source), "", rule, remedy))


def horizon_of(text: str | None) -> Horizon | None:
    """A horizon by its name.

    Raises:
        InputRefused: no such horizon.
    """
    for known in HORIZONS:
        if text == known:
            return known
    if text is None:
        return None
    raise InputRefused(Problem("--horizon", text, "no such horizon", f"known: {', '.join(HORIZONS)}"))


def overview(world: Scenario) -> dict[str, Any]:
    """What is in a scenario, JSON-ready: sizes, dates, and how its parameters are known."""
    graded = [row.grade for row in world.provenance]
    return {
        "name": world.name,
        "fingerprint": world.fingerprint(),
        "invented": world.invented,
        "start": world.calendar.start.isoformat(),
        "end": world.calendar.end.isoformat(),
        "currency": world.currency,
        "seed": world.seed,
        "reps": len(world.reps),
        "teams": len(world.teams),
        "stages": len(world.stages),
        "sources": len(world.sources),
        "accounts": len(world.accounts),
        "open_opportunities": len(world.pipeline),
        "plan": "today" if world.plan is None else world.plan.name,
        "provenance": {grade: graded.count(grade) for grade in sorted(set(graded))},
        "assumed": [row.path for row in world.provenance if row.grade == "assumed"],
    }


def overview_text(found: dict[str, Any], language: Language = "en") -> str:
    """An overview for a terminal."""
    lines = [word("overview.valid_invented" if found["invented"] else "overview.valid", language, name=found["name"])]
    lines += [f"  {word(f'overview.{line}', language, **found)}" for line in ("period", "people", "accounts")]
    if found["provenance"]:
        grades = ", ".join(f"{count} {grade}" for grade, count in found["provenance"].items())
        lines.append("  " + word("overview.parameters", language, grades=grades))
    if found["assumed"]:
        names = listed(found["assumed"], language, SHOWN_ASSUMPTIONS)
        lines.append("  " + word("overview.assumed", language, names=names))
    return "\n".join(lines)
