"""baselines and frontier: what simple rules make of the same request, and what a fairness rule costs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

if TYPE_CHECKING:
    from optimize.response.estimate import Responses
    from quotalab.tables import Judged
    from scenarios.scenario import Scenario

Names = Annotated[
    list[str] | None, typer.Option("--name", metavar="NAME", help="One simple rule. Default: all. Repeatable.")
]


def baselines(
    scenario: options.World,
    name: Names = None,
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
    """Make plans by simple rules, each with the fairness rules that it breaks.

    Figures are the model's; what a plan really brings is for `quotalab compare` to say.
    """
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from optimize.baselines.plans import SIMPLE_RULES, known_rules
        from optimize.response.estimate import estimate
        from quotalab.baselines_text import baselines_text
        from quotalab.learning import learning_years
        from quotalab.money_columns import money_facts
        from quotalab.runs import rows, run_folder, run_target
        from quotalab.tables import baseline_quota_table, baseline_table
        from quotalab.worlds import open_world

        wanted = known_rules(name or SIMPLE_RULES)
        world = open_world(scenario, sets, plan)
        spoken = terminal.speak(language, world.language)
        target = run_target("baselines", world, output)
        with terminal.progress("simulating the present plan") as progress:
            years = learning_years(world, replications=replications, seed=seed, workers=workers, progress=progress)
        found, left_out = _made(world, estimate(world, years), wanted, asked=bool(name))
        tables = {"baselines": baseline_table(found), "quotas": baseline_quota_table(found)}
        settings = options.settings(
            scenario=scenario,
            name=name,
            sets=sets,
            plan=plan,
            replications=replications,
            seed=world.seed if seed is None else seed,
        )
        with run_folder(target, "baselines", terminal.watch, settings) as draft:
            draft.about(world)
            for rule, one in found.items():
                draft.plan(one.plan, world, f"plans/{rule}")
            for sheet, table in tables.items():
                draft.sheet(sheet, table, sales=sheet == "quotas")
        terminal.show(
            baselines_text(found, world, spoken),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                **money_facts(world),
                "left_out": left_out,
                **{sheet: rows(table) for sheet, table in tables.items()},
            },
        )
        if left_out:
            terminal.hint("left_out", name=", ".join(left_out))
        terminal.hint("judge_one", place=target, scenario=scenario, first=next(iter(found)))


def _made(world: Scenario, responses: Responses, wanted: tuple[str, ...], *, asked: bool) -> tuple[Judged, list[str]]:
    """The plans, and those left out because the request's own rules cannot hold together."""
    from optimize.baselines.plans import judged_baselines
    from scenarios.errors import InfeasiblePlan

    try:
        return judged_baselines(world, responses, wanted), []
    except InfeasiblePlan:
        # Only this one has to keep all rules. Who names it is told why it cannot be; who asks for all gets the others.
        if asked:
            raise
        others = tuple(name for name in wanted if name != "two_stage")
        return judged_baselines(world, responses, others), ["two_stage"]


def frontier(
    scenario: options.World,
    rule: Annotated[
        str, typer.Option("--rule", metavar="RULE", help="The rule's number, such as potential_band or growth_cap.")
    ] = "potential_band",
    values: Annotated[
        str | None, typer.Option("--values", metavar="X,X,...", help="Its values. Default: twelve, strict to loose.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="quotas|plans",
            help="Split quotas anew for one plan, or solve whole plans at each value.",
        ),
    ] = "quotas",
    alone: Annotated[bool, typer.Option("--alone", help="Leave out all other rules on quotas.")] = False,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FOLDER", help="Whose owners and training are held. Default: allocated now."),
    ] = None,
    sets: options.Sets = None,
    replications: options.Replications = options.YEARS,
    seed: options.Seed = None,
    workers: options.Workers = 1,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Trace the cost of a fairness rule, judged on simulated years that the plans were not made from."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from experiments.figures.draw import frontier_figure, trade_figure
        from quotalab.api import frontier as traced
        from quotalab.frontier_text import frontier_text
        from quotalab.money_columns import money_facts
        from quotalab.runs import given_plan, rows, run_folder, run_target
        from quotalab.worlds import open_world

        world = open_world(scenario, sets)
        spoken = terminal.speak(language, world.language)
        held = None if plan is None else given_plan(plan, world)
        target = run_target("frontier", world, output)
        with terminal.progress("simulating today's plan, to learn from, and every plan, to judge by") as progress:
            found = traced(
                world,
                rule,
                values=_numbers(values),
                method=method,
                alone=alone,
                plan=held,
                replications=replications,
                seed=seed,
                workers=workers,
                progress=progress,
            )
        tables = {"frontier": found.table()} | ({} if found.trade is None else {"trade": found.trade.table()})
        settings = options.settings(
            scenario=scenario,
            rule=rule,
            values=values,
            method=method,
            alone=alone,
            plan=plan,
            sets=sets,
            replications=replications,
            seed=world.seed if seed is None else seed,
        )
        with run_folder(target, "frontier", terminal.watch, settings) as draft:
            draft.about(world)
            for name, table in tables.items():
                draft.sheet(name, table)
                draft.hashes[name] = found.content_hash(name)
            draft.drawing(frontier_figure(found, spoken))
            if found.trade is not None:
                draft.drawing(trade_figure(found.trade, spoken))
        terminal.show(
            frontier_text(found, spoken),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                **money_facts(world),
                "rule": found.rule,
                "method": found.method,
                "alone": found.alone,
                "present": found.present,
                "knee": found.knee,
                "no_knee": found.no_knee,
                "price_of_fairness": [asdict(one) for one in found.absolute],
                **{name: rows(table) for name, table in tables.items()},
            },
        )
        terminal.hint("written", place=target)


def _numbers(text: str | None) -> list[float] | None:
    """Numbers between commas.

    Raises:
        InputRefused: naming each that is none.
    """
    from scenarios.errors import Problem, refuse_if

    if text is None:
        return None
    found, problems = [], []
    for part in text.split(","):
        try:
            found.append(float(part))
        except ValueError:
            problems.append(Problem("--values", part.strip(), "is no number", "write 0,0.05,0.1"))
    refuse_if(problems)
    return found
