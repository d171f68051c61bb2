"""baselines and frontier: what simple rules make of the same request, and what a fairness rule costs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

if TYPE_CHECKING:
    import pandas as pd

    from experiments.frontier import Frontier, FrontierPoint
    from experiments.money import Language
    from optimize.response.estimate import Responses
    from quotalab.tables import Judged
    from scenarios.scenario import Scenario

Names = Annotated[
    list[str] | None, typer.Option("--name", metavar="NAME", help="One simple rule. Default: all. Repeatable.")
]


_ABSOLUTE = (
    "absolute fairness among {people} people with no rule in force, measured (and at worst): max-min {maximin}, "
    "proportional {proportional} of what all could sell within their quotas, each against his or her most",
    "不设其他规则时，{people} 人之间绝对公平的代价，实测（最坏情形）：最小者最大化 {maximin}，"
    "比例公平 {proportional}；以各人指标内销售占其最大可能的比例之和计",
)


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
        from optimize.baselines.plans import SIMPLE_RULES, known_rules
        from optimize.response.estimate import estimate
        from quotalab.learning import learning_years
        from quotalab.runs import rows, run_folder, run_target
        from quotalab.tables import baseline_quota_table, baseline_table
        from quotalab.worlds import open_world

        wanted = known_rules(name or SIMPLE_RULES)
        world = open_world(scenario, sets, plan)
        terminal.language = world.language
        target = run_target("baselines", world, output)
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
    from optimize.baselines.plans import judged_baselines
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
    with Terminal(as_json=as_json, quiet=quiet) as terminal:
        from experiments.figures.draw import frontier_figure, trade_figure
        from experiments.words import check_language
        from quotalab.api import frontier as traced
        from quotalab.runs import given_plan, rows, run_folder, run_target
        from quotalab.worlds import open_world

        world = open_world(scenario, sets)
        terminal.language = spoken = check_language(language or world.language)
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
            _frontier_text(found, spoken),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                "rule": found.rule,
                "method": found.method,
                "alone": found.alone,
                "present": found.present,
                "knee": found.knee,
                "price_of_fairness": [asdict(one) for one in found.absolute],
                **{name: rows(table) for name, table in tables.items()},
            },
        )
        terminal.hint(f"written to {target}")


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


def _undecided(point: FrontierPoint) -> str:
    """What is known where the search ended with no plan; empty where it ended otherwise."""
    if not point.undecided:
        return ""
    most = "" if point.at_most is None else f"; the model attains at most {100 * point.at_most:.2f} %"
    return f"no plan found within the search's limit, nor proof that there is none{most}"


def _frontier_text(found: Frontier, language: Language) -> str:
    head = f"{'value':>8} {'cost':>16} {'hit rate':>9} {'chances differ':>15} {'lowest':>7} {'Gini q/p':>9}"
    lines = [f"cost of {found.rule} in points of capped attainment, against the rule switched off", head]
    for point in (*found.points, found.off):
        name = "off" if point.value is None else f"{point.value:g}"
        if point.judged is None:
            held = "no quotas keep the rules with this plan's owners" if found.method == "quotas" else None
            lines.append(f"{name:>8} {_undecided(point) or held or 'no plan keeps the rules'}")
            continue
        one = point.judged
        cost = f"{100 * one.cost.estimate:.2f} +-{100 * one.cost.half_width:.2f}"
        gini = "-" if one.gini is None else f"{one.gini:.3f}"
        mark = "  <- knee" if found.knee is not None and point.value == found.knee else ""
        if point.status == "stopped":
            ends = f"at least {100 * (point.model_capped or 0.0):.2f} %, at most {100 * (point.at_most or 1.0):.2f} %"
            mark += f"  not proven best: the model attains {ends}"
        lines.append(
            f"{name:>8} {cost:>16} {100 * one.hit_rate.estimate:>7.1f} % {100 * one.spread_of_chances.estimate:>13.1f} "
            f"{100 * one.lowest_chance.estimate:>6.0f} % {gini:>9}{mark}"
        )
    costs = [point.judged.cost for point in found.points if point.judged is not None]
    if costs and all(cost.low <= 0 <= cost.high for cost in costs):
        lines.append("no cost can be told from nothing on so many years; the knee is the model's")
    if found.absolute:
        told = {one.scheme: f"{100 * one.measured:.1f} % ({100 * one.worst:.1f} %)" for one in found.absolute}
        lines.append(_ABSOLUTE[language == "zh"].format(people=found.absolute[0].people, **told))
    if found.trade is not None:
        lines.append("quota sum / target: hit rate, chance that the company makes its target")
        for row in found.trade.rows:
            lines.append(
                f"{100 * row.share:>7g} %: {100 * row.hit_rate.estimate:.1f} %, "
                f"{100 * row.chance_of_target.estimate:.1f} %"
            )
    return "\n".join(lines)
