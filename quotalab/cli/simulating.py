"""simulate: many possible years of one scenario under one plan."""

from __future__ import annotations

from typing import Any

from quotalab.cli import options
from quotalab.cli.terminal import Terminal


def simulate(
    scenario: options.World,
    sets: options.Sets = None,
    plan: options.AnyPlan = None,
    replications: options.Replications = options.YEARS,
    until: options.Until = None,
    at_most: options.AtMost = None,
    seed: options.Seed = None,
    workers: options.Workers = 1,
    engine: options.Engine = "auto",
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Simulate a plan over many possible years and say what to expect of it."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from experiments.compare import compare_outcomes
        from experiments.runs import plan_of
        from quotalab.drawings import drawings
        from quotalab.precision import precision_table, precision_text
        from quotalab.runs import rows, run_folder, run_target
        from quotalab.tables import kpi_table, rep_table
        from quotalab.worlds import open_world
        from sim.run import simulate as simulated_years
        from sim.until import MOST, simulate_until

        world = open_world(scenario, sets, plan)
        spoken = terminal.speak(language, world.language)
        goals = options.goals(until, at_most)
        target = run_target("simulate", world, output)
        with terminal.progress("simulating") as progress:
            shared: dict[str, Any] = {"seed": seed, "workers": workers, "engine": engine, "progress": progress}
            run = None
            if goals:
                run = simulate_until(world, goals, at_least=replications, at_most=at_most or MOST, **shared)
            outcome = run.outcome if run else simulated_years(world, replications=replications, **shared)
        name = plan_of(world).name
        found = compare_outcomes({name: world}, {name: outcome})
        people, figures = rep_table(found[name]), kpi_table(outcome, world)
        settings = options.settings(
            scenario=scenario,
            sets=sets,
            plan=plan,
            replications=replications,
            until=until,
            at_most=at_most,
            seed=outcome.seed,
        )
        with run_folder(target, "simulate", terminal.watch, settings) as draft:
            draft.about(world)
            draft.outcome(outcome, world.currency)
            draft.sheet("summary", found.table().reset_index())
            draft.sheet("by_rep", people)
            draft.sheet("kpis", figures)
            draft.sheet("kpis_by_period", kpi_table(outcome, world, by_period=True))
            if run:
                draft.sheet("precision", precision_table(run))
            for drawing in drawings(world, outcome, found[name], spoken):
                draft.drawing(drawing)
        terminal.show(
            "\n\n".join([found.summary(spoken), *([precision_text(run, spoken)] if run else [])]),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                "summary": rows(found.table().reset_index()),
                "kpis": rows(figures),
                "by_rep": rows(people),
                **({"precision": rows(precision_table(run))} if run else {}),
            },
        )
        terminal.hint("written", place=target)
