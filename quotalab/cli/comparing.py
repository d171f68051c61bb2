"""compare and sweep: several worlds on the same random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

if TYPE_CHECKING:
    from experiments.compare import Comparison
    from quotalab.runs import Draft
    from scenarios.scenario import Scenario


def compare(
    cases: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]SCENARIO[@PLAN]...",
            help="Worlds to compare; PLAN is a plan folder or a run folder that holds one.",
        ),
    ],
    reference: Annotated[
        list[str] | None,
        typer.Option("--reference", metavar="NAME", help="What to compare with. Default: the first. Repeatable."),
    ] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Add today's plan and the simple rules for the first scenario.")
    ] = False,
    sets: options.Sets = None,
    replications: options.Replications = options.YEARS,
    seed: options.Seed = None,
    workers: options.Workers = 1,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Compare scenarios and plans on the same random numbers, with intervals that hold together."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from experiments.compare import compare as compared
        from quotalab.cases import open_cases, today_world, with_baselines
        from quotalab.learning import learning_years
        from quotalab.money_columns import money_facts
        from quotalab.runs import rows, run_folder, run_target

        worlds = open_cases(cases, sets)
        first = next(iter(worlds.values()))
        spoken = terminal.speak(language, first.language)
        target = run_target("compare", first, output)
        if baselines:
            with terminal.progress("simulating today's plan for the simple rules") as progress:
                years = learning_years(
                    today_world(worlds), replications=replications, seed=seed, workers=workers, progress=progress
                )
            worlds = with_baselines(worlds, years)
        with terminal.progress("comparing") as progress:
            found = compared(
                worlds,
                replications=replications,
                seed=seed,
                workers=workers,
                progress=progress,
                reference=reference or None,
            )
        settings = options.settings(
            cases=cases, reference=reference, baselines=baselines, sets=sets, replications=replications, seed=found.seed
        )
        with run_folder(target, "compare", terminal.watch, settings) as draft:
            _write(draft, found, worlds)
        terminal.show(
            found.summary(spoken),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                **money_facts(first),
                "references": list(found.references),
                "confidence": found.confidence,
                "cases": rows(found.table().reset_index()),
                "differences": rows(found.differences_table()),
            },
        )
        terminal.hint("written", place=target)


def _write(draft: Draft, found: Comparison, worlds: dict[str, Scenario]) -> None:
    import pandas as pd

    from quotalab.tables import rep_table

    draft.world = next(iter(worlds.values()))
    draft.facts["scenarios"] = {name: world.fingerprint() for name, world in worlds.items()}
    draft.facts["simulation"] = {"seed": found.seed, "replications": found.replications}
    draft.sheet("cases", found.table().reset_index())
    draft.sheet("differences", found.differences_table())
    people = [rep_table(case).assign(case=case.name) for case in found.cases]
    draft.sheet("by_rep", pd.concat(people, ignore_index=True))
    draft.hashes["comparison"] = found.content_hash()


def sweep(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep: a YAML file with factors or points.")],
    workers: options.Workers = 1,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run a batch of scenarios; a stopped sweep, started again, goes on from where it was."""
    with Terminal(as_json=as_json, quiet=quiet) as terminal:
        from experiments.design import read_sweep
        from experiments.sweep import run_sweep
        from quotalab.runs import rows

        design = read_sweep(file)
        target = output or Path("runs") / f"sweep-{file.stem}"
        with terminal.progress("sweeping") as progress:
            found = run_sweep(design, target, workers=workers, progress=progress)
        terminal.show(
            f"{design.name}: {len(design.points)} design points, {design.replications} simulated years each\n"
            f"{found.table.to_string(index=False, columns=_shown(found.table.columns.tolist()))}",
            {"folder": str(target), "result_hash": found.content_hash, "rows": rows(found.table)},
        )
        terminal.hint("written", place=target)


def _shown(columns: list[str]) -> list[str]:
    return [column for column in columns if column not in ("key", "replications")]
