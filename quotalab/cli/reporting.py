"""report and demo: the main job from a scenario to one page that can be decided on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quotalab.cli import options
from quotalab.cli.looping import KeptSoFar, drop_so_far, refuse_without_loop
from quotalab.cli.terminal import Terminal

if TYPE_CHECKING:
    from quotalab.job import Sizes, Study
    from quotalab.runs import Draft
    from scenarios.scenario import Scenario

LEARN_YEARS, JUDGE_YEARS, DRAWS = 200, 200, 40
# The demo is to take at most half a minute of CPU, about 1,700 years of the starter: 200 to learn from, 200 of each of
# seven worlds to judge by, four a draw of the parameters. The intervals on the page say what these sizes are worth.
DEMO_LEARN_YEARS, DEMO_JUDGE_YEARS, DEMO_DRAWS, DEMO_YEARS_A_DRAW = 200, 200, 20, 2
DEMO_SCENARIO = "starter"
DEMO_WORKERS = min(4, os.cpu_count() or 1)

Loop = Annotated[bool, typer.Option("--loop", help="Make the plan by the closed loop instead of in one pass.")]
Robust = Annotated[
    bool,
    typer.Option("--robust", help="With --loop: the best plan on average over plausible errors of the parameters."),
]
Judge = Annotated[
    int | None,
    typer.Option(
        "--judge",
        min=2,
        max=options.MOST_REPLICATIONS,
        help="Years on which each plan is judged; default as -n, with --loop 1000.",
    ),
]
WhatIfs = Annotated[
    list[str] | None,
    typer.Option("--what-if", metavar="[NAME=]FILE", help="A changed scenario to be priced. Repeatable."),
]
Draws = Annotated[
    int, typer.Option("--draws", min=0, help="Draws of the uncertain parameters, at least 10; 0 leaves them out.")
]
People = Annotated[
    str, typer.Option("--people", metavar="named|pseudonym|aggregate", help="How persons appear in the report.")
]


def report(
    scenario: options.World,
    sets: options.Sets = None,
    what_if: WhatIfs = None,
    loop: Loop = False,
    robust: Robust = False,
    judge: Judge = None,
    replications: options.Replications = JUDGE_YEARS,
    draws: Draws = DRAWS,
    people: People = "named",
    seed: options.Seed = None,
    workers: options.Workers = 1,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Allocate a plan, judge it against today's and the simple rules, and write the report."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from quotalab.cases import open_cases
        from quotalab.improving import PROOF_YEARS, STRESS_YEARS
        from quotalab.job import Sizes, check_edition
        from quotalab.runs import run_target
        from quotalab.worlds import open_world

        if not loop:
            refuse_without_loop(robust)
        check_edition(people)
        world = open_world(scenario, sets)
        changed = open_cases(what_if, sets) if what_if else {}
        target = run_target("report", world, output)
        judged = judge or (PROOF_YEARS if loop else replications)
        stress = STRESS_YEARS if loop else 0
        sizes = Sizes(learn=replications, judge=judged, draws=draws, stress=stress)
        settings = options.settings(
            scenario=scenario, sets=sets, what_if=what_if, replications=replications, draws=draws, people=people
        )
        settings |= options.settings(loop=loop or None, robust=robust or None, judge=judge)
        _run("report", terminal, world, changed, sizes, target, settings, seed, workers, language, people, loop, robust)


def demo(
    seed: options.Seed = None,
    workers: options.Workers = DEMO_WORKERS,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Run the main job on an invented company: plan, evidence, what-ifs and report, in half a minute."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from quotalab.cases import what_if_name
        from quotalab.job import Sizes
        from quotalab.runs import check_target
        from scenarios.files import library_whatifs, load

        world = load(DEMO_SCENARIO)
        changed = {what_if_name(world, found): found for found in map(load, library_whatifs(DEMO_SCENARIO).values())}
        target = output or Path("runs") / "demo"
        check_target(target, "demo")
        sizes = Sizes(DEMO_LEARN_YEARS, DEMO_JUDGE_YEARS, DEMO_DRAWS, DEMO_YEARS_A_DRAW)
        _run("demo", terminal, world, changed, sizes, target, {}, seed, workers, language, "named")


def _run(
    verb: str,
    terminal: Terminal,
    world: Scenario,
    what_ifs: dict[str, Scenario],
    sizes: Sizes,
    target: Path,
    settings: dict[str, Any],
    seed: int | None,
    workers: int,
    language: str | None,
    people: str,
    loop: bool = False,
    robust: bool = False,
) -> None:
    from experiments.words import LANGUAGES
    from quotalab.job import study
    from quotalab.job_files import document, write_study
    from quotalab.runs import run_folder
    from quotalab.summary import summary

    spoken = terminal.speak(language, world.language)
    kept = KeptSoFar(target, world) if loop else None
    try:
        found: Study = study(
            world,
            sizes,
            seed=seed,
            workers=workers,
            what_ifs=what_ifs,
            loop=loop,
            robust=robust,
            show=terminal.progress,
            on_round=kept,
        )
    except KeyboardInterrupt:
        if kept is not None:
            kept.tell_interruption()
        raise
    settings = settings | {"seed": world.seed if seed is None else seed, "sizes": vars(sizes)}
    with run_folder(target, verb, terminal.watch, settings) as draft:
        write_study(draft, found, spoken)
        _write_reports(draft, found, spoken, people, LANGUAGES)
    drop_so_far(target)
    page = target / "report.html"
    terminal.show(
        f"{summary(found.figures, spoken)}\n\n{page}",
        {"folder": str(target), "report": str(page), "result_hash": draft.result_hash(), "sizes": vars(sizes)}
        | document(found, spoken),
    )


def _write_reports(draft: Draft, found: Study, spoken: str, people: str, languages: tuple[str, ...]) -> None:
    """``report.html`` in the language asked for, and one file beside it for each other language."""
    for language in languages:
        name = "report.html" if language == spoken else f"report.{language}.html"
        draft.text(name, found.report(language, people))
