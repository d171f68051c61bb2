"""allocate: who carries which target, is trained in what and owns which account."""

from __future__ import annotations

from contextlib import ExitStack
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quotalab.cli import options
from quotalab.cli.looping import (
    drop_so_far,
    loop_facts,
    loop_hashes,
    loop_tables,
    looped,
    refuse_with_loop,
    refuse_without_loop,
    tell_interruption,
)
from quotalab.cli.terminal import Terminal

if TYPE_CHECKING:
    from optimize.allocate import AllocationResult
    from scenarios.scenario import Scenario


def allocate(
    scenario: options.World,
    sets: options.Sets = None,
    plan: options.PlanFolder = None,
    loop: Annotated[
        bool, typer.Option("--loop", help="Simulate, correct and prove the plan before it is shown.")
    ] = False,
    robust: Annotated[
        bool,
        typer.Option("--robust", help="With --loop: the best plan on average over plausible errors of the parameters."),
    ] = False,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="exact|prices|auto",
            help="Branch and bound, the method by prices for large companies, or by size. Default: auto.",
        ),
    ] = None,
    gap: Annotated[
        float | None,
        typer.Option("--gap", help="Proven gap at which to stop. Default: 0.0001, by prices 0.001."),
    ] = None,
    solver: Annotated[
        str | None,
        typer.Option(
            "--solver",
            metavar="highs|cbc|NAME",
            help="Of branch and bound: HiGHS, or through PuLP CBC or any other by PuLP's name. Default: highs.",
        ),
    ] = None,
    judge: Annotated[
        int | None,
        typer.Option(
            "--judge",
            min=0,
            max=options.MOST_REPLICATIONS,
            help="With --loop: fresh years for the proof, default 1000; 0 leaves it out.",
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            "--draws", min=0, help="With --loop: draws of the uncertain parameters in the proof, default 40; 0: none."
        ),
    ] = None,
    stress_years: Annotated[
        int | None,
        typer.Option(
            "--stress-years",
            min=0,
            max=options.MOST_REPLICATIONS,
            help="With --loop: years of each plan in each stressed world, default 100; 0: no stress test.",
        ),
    ] = None,
    replications: options.Replications = options.YEARS,
    seed: options.Seed = None,
    workers: options.Workers = 1,
    author: options.Author = None,
    reason: options.Reason = "",
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Allocate quotas, training hours, accounts and shares of new leads under the fairness rules.

    Simulates the present plan first and reads from it what each rep can sell; then simulates the new plan on other
    years, for the chances of quotas and targets. What it brings against today's is for `quotalab compare` to say. With
    --loop every step is simulated before it is kept, and the plan is proved on fresh years; Ctrl-C keeps the best plan
    so far. Locks that `quotalab lock` put on the plan that this one starts from, or takes the place of, stay in force,
    and its audit trail goes on.
    """
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from optimize.optimum import check_method
        from optimize.programme.solvers import HIGHS, known_solver
        from quotalab.allocation_text import allocation_text
        from quotalab.api import allocate as allocated
        from quotalab.judging import judged_plan
        from quotalab.learning import learning_years
        from quotalab.locking import allocated_trail, earlier_trail, require_unchanged, who_is
        from quotalab.money_columns import money_facts
        from quotalab.runs import rows, run_folder, run_target
        from quotalab.tables import move_table, quota_table, rule_table, share_table, training_table
        from quotalab.worlds import open_world
        from scenarios.folders import alone
        from scenarios.locks import with_locks
        from scenarios.scenario import require_world
        from scenarios.today import today_plan

        if loop:
            refuse_with_loop(method, gap, solver)
        else:
            refuse_without_loop(robust, judge, draws, stress_years)
        chosen, by = check_method(method or "auto", gap), who_is(author)
        solved_by = known_solver(solver or HIGHS)
        world = open_world(scenario, sets, plan)
        spoken = terminal.speak(language, world.language)
        target = run_target("allocate", world, output)
        trail = earlier_trail(world, target, plan)
        world = with_locks(world, trail.own_locks().values(), "the plan")
        improved = None
        if loop:
            years = {"replications": replications, "seed": seed, "workers": workers}
            sizes = {"judge": judge, "draws": draws, "stress": stress_years}
            improved = looped(terminal, world, target, sizes, robust=robust, **years)
            result = improved.loop.allocation
        else:
            require_world(world)
            with terminal.progress("simulating the present plan") as progress:
                outcome = learning_years(
                    world, replications=replications, seed=seed, workers=workers, progress=progress
                )
            terminal.hint("searching")
            result = allocated(world, outcome=outcome, gap=gap, method=chosen, solver=solved_by)
        with terminal.progress("simulating the new plan") as progress:
            judged = judged_plan(
                world, result, replications=replications, seed=seed, workers=workers, progress=progress
            )
        tables = {
            "quotas": quota_table(today_plan(world), result.plan, result),
            "training": training_table(result.plan),
            "moves": move_table(result),
            "rules": rule_table(result, world.currency),
            **({"shares": share_table(world, today_plan(world), result.plan)} if world.allocation.leads.decide else {}),
            **judged.tables(),
        }
        if improved is not None:
            tables |= loop_tables(improved)
        settings = options.settings(
            scenario=scenario,
            sets=sets,
            plan=plan,
            replications=replications,
            seed=world.seed if seed is None else seed,
            loop=loop or None,
            robust=robust or None,
            judge=judge,
            draws=draws,
            stress_years=stress_years,
            method=method,
            gap=gap,
            solver=solver,
        )
        with ExitStack() as held, run_folder(target, "allocate", terminal.watch, settings) as draft:
            draft.about(world)
            draft.plan(result.plan, world)
            draft.trail(allocated_trail(trail, world, result.plan, by=by, reason=reason))
            for name, table in tables.items():
                draft.sheet(name, table)
            draft.facts["allocation"] = _facts(result, world)
            if improved is not None:
                draft.hashes |= loop_hashes(improved)
                draft.facts["loop"] = loop_facts(improved)
            held.enter_context(alone(target.absolute()))
            require_unchanged(target / "plan", trail)
        parts = [allocation_text(result, world, spoken), judged.text(spoken)]
        terminal.show(
            "\n".join(parts if improved is None else [*parts, improved.summary(spoken)]),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                **_facts(result, world),
                **money_facts(world),
                **({} if improved is None else {"loop": loop_facts(improved)}),
                **{name: rows(table) for name, table in tables.items() if name != "quotas_by_period"},
            },
        )
        if improved is not None:
            drop_so_far(target)
            tell_interruption(improved, target)
        terminal.hint("judge", place=target, scenario=scenario)


def _facts(result: AllocationResult, world: Scenario) -> dict[str, Any]:
    return {
        "status": result.status,
        "gap": None if isnan(result.gap) else result.gap,
        "asked_gap": None if isnan(result.asked_gap) else result.asked_gap,
        "bound": None if isnan(result.bound) else result.bound / 100,
        "bound_type": result.bound_type,
        "objective": None if isnan(result.objective) else result.objective / 100,
        "objective_of": result.objective_of,
        "solver": result.solver,
        "reproducible": result.reproducible,
        "model_value": result.model_value / 100,
        "model_attained_share": result.attained_share_model,
        "quota_sum": sum(result.plan.quotas().values()) / 100,
        "currency": world.currency,
        "exceptions": list(result.exceptions),
        "notes": list(result.notes),
    }
