"""baselines: what simple rules make of the same request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

if TYPE_CHECKING:
    import pandas as pd

    from optimize.responses import Responses
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
) -> None:
    """Make plans by simple rules, each with the fairness rules that it breaks.

    Figures are the model's; what a plan really brings is for `quotalab compare` to say.
    """
    with Terminal(as_json=as_json, quiet=quiet) as terminal:
        from optimize.baselines import SIMPLE_RULES, known_rules
        from optimize.responses import estimate
        from quotalab.learning import learning_years
        from quotalab.runs import check_target, default_target, rows, run_folder
        from quotalab.tables import baseline_quota_table, baseline_table
        from quotalab.worlds import open_world

        wanted = known_rules(name or SIMPLE_RULES)
        world = open_world(scenario, sets, plan)
        target = output or default_target("baselines", world)
        check_target(target, "baselines")
        with terminal.progress("simulating the present plan") as progress:
            years = learning_years(world, replications=replications, seed=seed, workers=workers, progress=progress)
        found, told = _made(world, estimate(world, years), wanted, asked=bool(name))
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
                draft.sheet(sheet, table)
        terminal.show(
            _text(tables["baselines"], world.currency),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                "currency": world.currency,
                "left_out": told,
                **{sheet: rows(table) for sheet, table in tables.items()},
            },
        )
        if told:
            terminal.hint(told)
        first = next(iter(found))
        terminal.hint(f"written to {target}; judge one with: quotalab compare {scenario}@{target}/plans/{first}")


def _made(world: Scenario, responses: Responses, wanted: tuple[str, ...], *, asked: bool) -> tuple[Judged, str]:
    """The plans, and what was left out because the request's own rules cannot hold together."""
    from optimize.baselines import judged_baselines
    from scenarios.errors import InfeasiblePlan

    try:
        return judged_baselines(world, responses, wanted), ""
    except InfeasiblePlan:
        # Only this one has to keep all rules. Who names it is told why it cannot be; who asks for all gets the others.
        if asked:
            raise
        others = tuple(name for name in wanted if name != "two_stage")
        return judged_baselines(world, responses, others), "two_stage is left out: no plan keeps all rules"


def _text(table: pd.DataFrame, currency: str) -> str:
    from experiments.money import table_scale

    scale = table_scale(int(100 * table["model_value"].max()), "en", currency)
    lines = [f"capped sales in the model, {scale.name}: as made (with the exact split under the rules)"]
    for row in table.to_dict("records"):
        best = row["best_split_value"]
        split = "no quotas keep the rules" if best is None or best != best else scale.number(100 * best)
        breaks = f"  breaks {row['breaks']}" if row["breaks"] else ""
        lines.append(f"  {row['name']:<17} {scale.number(100 * row['model_value']):>9} ({split}){breaks}")
    return "\n".join(lines)
