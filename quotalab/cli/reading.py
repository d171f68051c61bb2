"""diagnose and calibrate: what a CRM export says, and the scenario that goes on where it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

Export = Annotated[Path, typer.Argument(metavar="EXPORT", help="A file, or a folder with one table a file.")]
Mapping = Annotated[
    str, typer.Option("--preset", "-p", metavar="NAME|FILE", help="A shipped mapping's name, or a mapping file.")
]
DataDate = Annotated[
    str | None, typer.Option("--data-date", metavar="YYYY-MM-DD", help="What happened later is not looked at.")
]


def diagnose(
    export: Export,
    preset: Mapping,
    data_date: DataDate = None,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Say what a CRM export shows: key figures, where the funnel leaks, what is chance and what is not."""
    with Terminal(as_json=as_json, quiet=quiet) as terminal:
        from experiments.words import check_language
        from history.crm import read_history
        from quotalab.diagnosis import diagnosis
        from quotalab.runs import check_target, rows, run_folder

        spoken = check_language(language or "en")
        target = output or Path("runs") / f"diagnose-{export.resolve().name}"
        check_target(target, "diagnose")
        terminal.hint(f"reading {export}")
        found = diagnosis(read_history(export, preset, data_date))
        settings = options.settings(export=export, preset=preset, data_date=data_date)
        with run_folder(target, "diagnose", terminal.watch, settings) as draft:
            draft.facts["source"] = found.source
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
        terminal.hint(f"written to {target}")


def calibrate(
    export: Export,
    preset: Mapping,
    data_date: DataDate = None,
    horizon: Annotated[
        str | None, typer.Option("--horizon", metavar="month|quarter|half|year", help="Default: as the data allow.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the scenario. Default: the export's.")] = None,
    seed: options.Seed = None,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Make a scenario from a CRM export, every parameter with its source, rows, interval and grade."""
    with Terminal(as_json=as_json, quiet=quiet) as terminal:
        from experiments.words import check_language
        from history.calibrate import calibrate as calibrated
        from history.crm import read_history
        from quotalab.runs import check_target, run_folder
        from quotalab.worlds import horizon_of, overview, overview_text
        from scenarios.files import write_into

        spoken, wanted = check_language(language or "en"), horizon_of(horizon)
        called = name or export.resolve().name
        target = output or Path("runs") / f"calibrate-{called}"
        check_target(target, "calibrate")
        terminal.hint(f"reading {export}")
        history = read_history(export, preset, data_date)
        world = calibrated(history, horizon=wanted, name=called, language=spoken, seed=seed or 0)
        settings = options.settings(
            export=export, preset=preset, data_date=data_date, horizon=horizon, name=called, seed=seed or 0
        )
        with run_folder(target, "calibrate", terminal.watch, settings) as draft:
            draft.about(world)
            draft.facts["source"] = [vars(file) for file in history.source_files]
            draft.hashes["scenario"] = world.fingerprint()
            write_into(draft.folder, world)
        found = overview(world)
        terminal.show(overview_text(found), {"folder": str(target), "result_hash": draft.result_hash(), **found})
        terminal.hint(f"written to {target}; next: quotalab simulate {target}")
