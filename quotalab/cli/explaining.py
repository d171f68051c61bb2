"""explain: why a plan's quotas are what they are, and what would change them."""

from __future__ import annotations

from typing import Annotated

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

MOST_REPS = 40
"""Beyond so many, whose quotas could change is worked out only for the reps who are named."""
MOST_TOLD = 6
"""Beyond so many, what would change a quota is told only of the reps who are named; the files hold all of it."""


def explain(
    scenario: options.World,
    rep: Annotated[
        list[str] | None, typer.Option("--rep", metavar="REP", help="Whose quota. Default: all. Repeatable.")
    ] = None,
    share: Annotated[float, typer.Option("--share", help="By what share the quota is to change.")] = 0.05,
    plan: options.PlanFolder = None,
    sets: options.Sets = None,
    replications: options.Replications = options.YEARS,
    seed: options.Seed = None,
    workers: options.Workers = 1,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Explain the quotas of a plan: bars that sum to each, rules that bind, and what would change it by 5 %.

    The plan is the one given by --plan, else that of the scenario's last allocation in runs/. Give the same
    --replications and --seed as to `quotalab allocate`, so that the same simulated years answer.
    """
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from optimize.explanation import check_share, explain_plan
        from optimize.response.estimate import estimate
        from quotalab.explanation_tables import explanation_tables
        from quotalab.explanation_text import explanation_text
        from quotalab.learning import learning_years
        from quotalab.locking import place_of
        from quotalab.money_columns import money_facts
        from quotalab.runs import rows, run_folder, run_target
        from quotalab.worlds import open_world
        from scenarios.locks import with_locks
        from scenarios.plan_files import read_plan
        from scenarios.trail import read_trail

        check_share(share)
        world = open_world(scenario, sets)
        spoken = terminal.speak(language, world.language)
        folder = place_of(world, plan)
        target = run_target("explain", world, output)
        given = read_plan(folder, world)
        world = with_locks(world, read_trail(folder).own_locks().values(), "the plan")
        with terminal.progress("simulating the present plan") as progress:
            years = learning_years(world, replications=replications, seed=seed, workers=workers, progress=progress)
        responses = estimate(world, years)
        few = len(responses.reps) <= MOST_REPS
        found = explain_plan(world, responses, given, reps=rep or (None if few else []), share=share)
        tables = explanation_tables(found, world.currency)
        settings = options.settings(
            scenario=scenario,
            rep=rep,
            share=share,
            plan=plan,
            sets=sets,
            replications=replications,
            seed=world.seed if seed is None else seed,
        )
        with run_folder(target, "explain", terminal.watch, settings) as draft:
            draft.about(world)
            for name, table in tables.items():
                draft.sheet(name, table)
            draft.hashes["plan"] = given.decisions_hash()
        shown = rep or (list(responses.reps) if few else [])
        terminal.show(
            explanation_text(found, shown, world, spoken, levers=bool(rep) or len(shown) <= MOST_TOLD),
            {
                "folder": str(target),
                "plan": str(folder),
                **money_facts(world),
                **{name: rows(table) for name, table in tables.items()},
            },
        )
        if not few and not rep:
            terminal.hint("name_reps")
        elif not rep and len(shown) > MOST_TOLD:
            terminal.hint("levers", place=target)
        terminal.hint("written", place=target)
