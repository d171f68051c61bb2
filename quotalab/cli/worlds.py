"""Verbs about scenarios: init, schema, validate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

SCHEMA_FILE = "scenario.schema.json"
_EDITOR_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to put the new scenario; must not exist.")],
    start_from: Annotated[str, typer.Option("--from", metavar="SCENARIO", help="What to start from.")] = "starter",
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Put a scenario into a folder, ready to be edited."""
    with Terminal(as_json=as_json, quiet=quiet) as terminal:
        from quotalab.cli.terminal import json_text
        from scenarios.errors import InputRefused, Problem
        from scenarios.files import MAIN_FILE, json_schema, load, write_into
        from scenarios.folders import check_place, whole_folder

        check_place(folder)
        if folder.exists():
            raise InputRefused(Problem(str(folder), "", "exists already", "name a new folder"))
        scenario = load(start_from)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(folder) as draft:
            write_into(draft, scenario)
            main = draft / MAIN_FILE
            main.write_text(_EDITOR_LINE + main.read_text(encoding="utf-8"), encoding="utf-8", newline="")
            (draft / SCHEMA_FILE).write_text(json_text(json_schema()), encoding="utf-8", newline="")
        terminal.show(
            f"{folder}: {scenario.name}, {len(scenario.reps)} reps, {len(scenario.accounts)} accounts",
            {"folder": str(folder), "scenario": scenario.name, "fingerprint": scenario.fingerprint()},
        )
        terminal.hint("edit", file=folder / MAIN_FILE, folder=folder)


def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    with Terminal(as_json=True) as terminal:
        from scenarios.files import json_schema

        terminal.show("", json_schema())


def validate(
    scenario: options.World,
    sets: options.Sets = None,
    plan: options.PlanFolder = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Check a scenario and say what is in it; all problems are reported together."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from quotalab.worlds import open_world, overview, overview_text
        from sim.capabilities import require_supported

        world = open_world(scenario, sets, plan)
        spoken = terminal.speak(language, world.language)
        require_supported(world)
        found = overview(world)
        terminal.show(overview_text(found, spoken), found)
