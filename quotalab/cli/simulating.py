"""simulate: many possible years of one scenario under one plan."""

from __future__ import annotations

from quotalab.cli import options
from quotalab.cli.terminal import Terminal


def simulate(
    scenario: options.World,
    sets: options.Sets = None,
    plan: options.PlanFolder = None,
    replications: options.Replications = options.YEARS,
    seed: options.Seed = None,
    workers: options.Workers = 1,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Simulate a plan over many possible years and say what to expect of it."""
    with Terminal(as_json=as_json, quiet=quiet) as terminal:
        from experiments.compare import compare_outcomes
        from experiments.runs import plan_of
        from experiments.words import check_language
        from quotalab.drawings import drawings
        from quotalab.runs import check_target, default_target, rows, run_folder
        from quotalab.tables import kpi_table, rep_table
        from quotalab.worlds import open_world
        from sim.run import simulate as simulated_years

        world = open_world(scenario, sets, plan)
        spoken = check_language(language or world.language)
        target = output or default_target("simulate", world)
        check_target(target, "simulate")
        with terminal.progress("simulating") as progress:
            outcome = simulated_years(world, replications=replications, seed=seed, workers=workers, progress=progress)
        name = plan_of(world).name
        found = compare_outcomes({name: world}, {name: outcome})
        people, figures = rep_table(found[name]), kpi_table(outcome, world)
        settings = options.settings(
            scenario=scenario, sets=sets, plan=plan, replications=replications, seed=outcome.seed
        )
        with run_folder(target, "simulate", terminal.watch, settings) as draft:
            draft.about(world)
            draft.outcome(outcome, world.currency)
            draft.sheet("summary", found.table().reset_index())
            draft.sheet("by_rep", people)
            draft.sheet("kpis", figures)
            draft.sheet("kpis_by_period", kpi_table(outcome, world, by_period=True))
            for drawing in drawings(world, outcome, found[name], spoken):
                draft.drawing(drawing)
        terminal.show(
            found.summary(spoken),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                "summary": rows(found.table().reset_index()),
                "kpis": rows(figures),
                "by_rep": rows(people),
            },
        )
        terminal.hint(f"written to {target}")
