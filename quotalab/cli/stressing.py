"""stress: plans in worlds in which something goes wrong, and the plan to regret least."""

from __future__ import annotations

from typing import Annotated

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal


def stress(
    cases: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]SCENARIO[@PLAN]...",
            help="One scenario under the plans to test; PLAN is a plan folder or a run folder that holds one.",
        ),
    ],
    baselines: Annotated[bool, typer.Option("--baselines", help="Add today's plan and the simple rules.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--stress", metavar="NAME", help="Which stress to test; default all. Repeatable."),
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", min=0, help="Draws of the uncertain parameters as one more world; 0: none.")
    ] = 20,
    sets: options.Sets = None,
    replications: options.Replications = options.YEARS,
    seed: options.Seed = None,
    workers: options.Workers = 1,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Simulate plans in worlds in which something goes wrong, and say which plan one would regret least."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from experiments.regret import stress_test
        from experiments.runs import plan_of
        from quotalab.cases import one_world, open_cases, today_world, with_baselines
        from quotalab.learning import learning_years
        from quotalab.runs import rows, run_folder, run_target

        worlds = open_cases(cases, sets)
        scenario = one_world(worlds)
        spoken = terminal.speak(language, scenario.language)
        target = run_target("stress", scenario, output)
        if baselines:
            with terminal.progress("simulating today's plan for the simple rules") as progress:
                years = learning_years(
                    today_world(worlds), replications=replications, seed=seed, workers=workers, progress=progress
                )
            worlds = with_baselines(worlds, years)
        with terminal.progress("simulating what may go wrong") as progress:
            found = stress_test(
                scenario,
                {name: plan_of(world) for name, world in worlds.items()},
                stresses=only or None,
                draws=draws,
                replications=replications,
                seed=seed,
                workers=workers,
                progress=progress,
            )
        settings = options.settings(
            cases=cases,
            baselines=baselines,
            stress=only,
            draws=draws,
            sets=sets,
            replications=replications,
            seed=scenario.seed if seed is None else seed,
        )
        with run_folder(target, "stress", terminal.watch, settings) as draft:
            draft.world = scenario
            draft.facts["scenario"] = scenario.fingerprint()
            draft.sheet("stress", found.table())
            draft.hashes["stress"] = found.content_hash()
        terminal.show(
            found.summary(spoken),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                "choice": found.choice,
                "as_good": list(found.as_good),
                "rows": rows(found.table()),
            },
        )
        terminal.hint("written", place=target)
