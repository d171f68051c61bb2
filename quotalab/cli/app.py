"""All verbs in the order in which a planner meets them."""

from __future__ import annotations

from typing import Annotated

import typer

from quotalab.cli.allocating import allocate
from quotalab.cli.alternatives import baselines, frontier
from quotalab.cli.auditing import audit
from quotalab.cli.comparing import compare, sweep
from quotalab.cli.explaining import explain
from quotalab.cli.locking import lock, trail, unlock
from quotalab.cli.numbers import WithNumbers
from quotalab.cli.reading import calibrate, diagnose
from quotalab.cli.reporting import demo, report
from quotalab.cli.simulating import simulate
from quotalab.cli.stressing import stress
from quotalab.cli.worlds import init, schema, validate

app = typer.Typer(
    name="quotalab",
    help="Simulate a sales funnel, allocate fair quotas, and prove every plan.",
    epilog="Exit codes: 0 done, 1 refused input, 2 wrong usage, 3 infeasible plan, 70 a fault of quotalab, "
    "130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    # Plain help: loading the pretty one takes longer than everything else together.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        import quotalab

        typer.echo(f"quotalab {quotalab.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Simulate a sales funnel, allocate fair quotas, and prove every plan."""


VERBS = (
    demo,
    init,
    schema,
    validate,
    diagnose,
    calibrate,
    simulate,
    allocate,
    explain,
    audit,
    lock,
    unlock,
    trail,
    baselines,
    frontier,
    compare,
    stress,
    sweep,
    report,
)
TAKES_NUMBERS = (lock,)
"""Verbs that take a number as an argument, which may be written with a minus sign."""
for verb in VERBS:
    app.command(cls=WithNumbers if verb in TAKES_NUMBERS else None)(verb)
