"""diagnose and calibrate: what an export or a plan says, and the scenario that goes on where an export ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

if TYPE_CHECKING:
    from quotalab.diagnosis import Diagnosed
    from scenarios.scenario import Scenario

Export = Annotated[Path, typer.Argument(metavar="EXPORT", help="A file, or a folder with one table a file.")]
_PRESET = typer.Option(
    "--preset", "--mapping", "-p", metavar="NAME|FILE", help="How to read an export: a shipped mapping, or a file."
)
DataDate = Annotated[
    str | None, typer.Option("--data-date", metavar="YYYY-MM-DD", help="What happened later is not looked at.")
]


def diagnose(
    source: Annotated[
        str, typer.Argument(metavar="EXPORT|SCENARIO", help="An export, read as --preset says; else a scenario.")
    ],
    preset: Annotated[str | None, _PRESET] = None,
    data_date: DataDate = None,
    sets: options.Sets = None,
    plan: options.PlanFolder = None,
    replications: Annotated[int | None, options.REPLICATIONS] = None,
    seed: options.Seed = None,
    workers: options.Workers = 1,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Say what an export or a simulated plan shows: where it leaks, who carries too much, what is only chance."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from quotalab.runs import check_target, rows, run_folder, run_target
        from quotalab.worlds import open_world, require_scenario

        of_scenario = {"--set": sets, "--plan": plan, "--replications": replications, "--seed": seed}
        _refuse_strays({"--data-date": data_date} if preset is None else of_scenario, exported=preset is not None)
        settings = options.settings(source=source, preset=preset, data_date=data_date, sets=sets, plan=plan)
        if preset is None:
            require_scenario(source)
            world = open_world(source, sets, plan)
            spoken = terminal.speak(language, world.language)
            target = run_target("diagnose", world, output)
            found = _simulated(terminal, world, replications or options.YEARS, seed, workers)
        else:
            world = None
            spoken = terminal.speak(language, "en")
            target = output or Path("runs") / f"diagnose-{Path(source).resolve().name}"
            check_target(target, "diagnose")
            found = _read(terminal, source, preset, data_date)
        with run_folder(target, "diagnose", terminal.watch, settings) as draft:
            if world is not None:
                draft.about(world)
            draft.facts.update(found.facts)
            for name, table in found.tables.items():
                draft.sheet(name, table)
            draft.hashes["diagnosis"] = found.content_hash()
        terminal.show(
            found.text(spoken),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                **{name: rows(table) for name, table in found.tables.items()},
            },
        )
        terminal.hint("written", place=target)


def _simulated(terminal: Terminal, world: Scenario, replications: int, seed: int | None, workers: int) -> Diagnosed:
    from quotalab.api import diagnose as diagnosed

    with terminal.progress("simulating") as progress:
        return diagnosed(world, replications=replications, seed=seed, workers=workers, progress=progress)


def _read(terminal: Terminal, source: str, preset: str, data_date: str | None) -> Diagnosed:
    from quotalab.api import diagnose as diagnosed

    terminal.hint("reading", source=source)
    return diagnosed(source, preset, data_date=data_date)


def _refuse_strays(given: dict[str, Any], *, exported: bool) -> None:
    """Refuse options that the other kind of source would need, rather than ignore them."""
    from scenarios.errors import Problem, refuse_if

    rule, remedy = "is for a scenario, not for an export", "leave it out, or leave out --preset"
    if not exported:
        rule, remedy = "is for an export, not for a scenario", "leave it out, or give --preset"
    refuse_if(Problem(name, str(value), rule, remedy) for name, value in given.items() if value is not None)


def calibrate(
    export: Export,
    preset: Annotated[str, _PRESET],
    data_date: DataDate = None,
    horizon: Annotated[
        str | None, typer.Option("--horizon", metavar="month|quarter|half|year", help="Default: as the data allow.")
    ] = None,
    growth: Annotated[
        float | None, typer.Option("--growth", help="Of the assumed target over the last period's sales; 0.05 is 5 %.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the scenario. Default: the export's.")] = None,
    seed: options.Seed = None,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Make a scenario from a CRM export, every parameter with its source, rows, interval and grade."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from history.calibration.calibrate import GROWTH
        from history.calibration.calibrate import calibrate as calibrated
        from history.crm import read_history
        from quotalab.runs import check_target, run_folder
        from quotalab.worlds import horizon_of, overview, overview_text
        from scenarios.files import write_into

        spoken, wanted = terminal.speak(language, "en"), horizon_of(horizon)
        called = name or export.resolve().name
        target = output or Path("runs") / f"calibrate-{called}"
        check_target(target, "calibrate")
        terminal.hint("reading", source=export)
        history = read_history(export, preset, data_date)
        grown = GROWTH if growth is None else growth
        world = calibrated(history, horizon=wanted, name=called, language=spoken, growth=grown, seed=seed or 0)
        settings = options.settings(
            export=export,
            preset=preset,
            data_date=data_date,
            horizon=horizon,
            growth=grown,
            name=called,
            language=spoken,
            seed=seed or 0,
        )
        with run_folder(target, "calibrate", terminal.watch, settings) as draft:
            draft.about(world)
            draft.facts["source"] = [vars(file) for file in history.source_files]
            draft.hashes["scenario"] = world.fingerprint()
            write_into(draft.folder, world)
        found = overview(world)
        terminal.show(
            overview_text(found, spoken), {"folder": str(target), "result_hash": draft.result_hash(), **found}
        )
        terminal.hint("next", place=target)
