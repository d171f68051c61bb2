"""explain: why a plan's quotas are what they are, and what would change them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

if TYPE_CHECKING:
    from experiments.money import Scale
    from optimize.explanation import Explanation
    from optimize.levers import Lever

STILL = 1e-5
"""Share of a quota below which a lever is said not to move it."""
MOST_REPS = 40
"""Beyond so many, whose quotas could change is worked out only for the reps who are named."""


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
) -> None:
    """Explain the quotas of a plan: bars that sum to each, rules that bind, and what would change it by 5 %.

    The plan is the one given by --plan, else that of the scenario's last allocation in runs/. Give the same
    --replications and --seed as to `quotalab allocate`, so that the same simulated years answer.
    """
    with Terminal(as_json=as_json, quiet=quiet) as terminal:
        from optimize.explanation import check_share, explain_plan
        from optimize.response.estimate import estimate
        from quotalab.explanation_tables import explanation_tables
        from quotalab.learning import learning_years
        from quotalab.locking import place_of
        from quotalab.runs import rows, run_folder, run_target
        from quotalab.worlds import open_world
        from scenarios.locks import with_locks
        from scenarios.plan_files import read_plan
        from scenarios.trail import read_trail

        check_share(share)
        world = open_world(scenario, sets)
        folder = place_of(world, plan)
        target = run_target("explain", world, output)
        given = read_plan(folder, world)
        world = with_locks(world, read_trail(folder).own_locks().values(), "the plan")
        with terminal.progress("simulating the present plan") as progress:
            years = learning_years(world, replications=replications, seed=seed, workers=workers, progress=progress)
        responses = estimate(world, years)
        few = len(responses.reps) <= MOST_REPS
        found = explain_plan(world, responses, given, reps=rep or (None if few else []), share=share)
        tables = explanation_tables(found)
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
            "\n".join(_text(found, shown, world.currency)),
            {
                "folder": str(target),
                "plan": str(folder),
                "currency": world.currency,
                **{name: rows(table) for name, table in tables.items()},
            },
        )
        if not few and not rep:
            terminal.hint("what would change a quota is worked out for the reps that --rep names")
        terminal.hint(f"written to {target}")


def _text(found: Explanation, reps: list[str], currency: str) -> Iterator[str]:
    from experiments.money import amount, table_scale

    scale = table_scale(sum(found.plan.quotas().values()), "en", currency)
    bases = {row.rep: row for row in found.bases}
    yield f"amounts in {scale.name}"
    for rep in reps:
        bars = [(factor, minor) for factor, minor in found.waterfall.get(rep, ()) if minor]
        yield f"{rep}: quota {scale.number(found.plan.quotas().get(rep, 0))}"
        yield "  = " + ", ".join(f"{factor} {scale.number(minor)}" for factor, minor in bars)
        locked = any(lever.rep == rep and lever.factor == "lock" for lever in found.levers)
        if rep in bases and not locked:
            row = bases[rep]
            yield (
                f"  by territory alone {scale.number(row.opportunity)}, half and half {scale.number(row.blend)}, "
                f"by the person {scale.number(row.full)}"
            )
        biting = [row.rule for row in found.rules if row.subject == rep and row.binding]
        if biting:
            yield f"  rules that bind: {', '.join(biting)}"
        for lever in found.levers:
            if lever.rep == rep:
                yield f"  {_lever(lever, scale)}"
    for price in sorted(found.prices.values(), key=lambda one: -one.value):
        if round(price.value) > 0:
            worth = amount(price.value, "en", currency)
            how = "" if price.rule == "equal_odds" else ", as the rate at its limit"
            yield f"loosening {price.rule} by 1 ({price.unit}) is worth {worth} of capped sales{how}"


def _lever(lever: Lever, scale: Scale) -> str:
    if lever.factor == "lock":
        return f"locked: {lever.told}"
    way = f"{100 * lever.share:+.3g} %"
    what = lever.subject if lever.factor == "rule" else lever.factor
    if lever.factor == "account":
        return f"{way}: {lever.told} ({100 * lever.moves:+.3g} %)"
    if lever.needed is None or lever.now is None:
        if abs(lever.moves) < STILL:
            return f"{way}: {what} alone does not move it"
        return f"{way}: {what} alone moves it by {100 * lever.moves:+.3g} % at most"
    number = scale.number if lever.unit == "currency" else _plain if lever.unit == "hours" else _per_cent
    return f"{way}: {what} {number(lever.needed)} instead of {number(lever.now)}"


def _plain(value: float) -> str:
    return f"{value:.4g} h"


def _per_cent(value: float) -> str:
    return f"{100 * value:.4g} %"
