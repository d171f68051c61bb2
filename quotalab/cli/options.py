"""Options that several verbs share, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scenarios.errors import Problem, refuse_if

YEARS, MOST_REPLICATIONS = 200, 1_000_000

World = Annotated[str, typer.Argument(metavar="SCENARIO", help="A shipped scenario's name, a folder or a YAML file.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value; PATH*=FACTOR scales it. Repeatable."),
]
PlanFolder = Annotated[
    Path | None,
    typer.Option("--plan", metavar="FOLDER", help="A plan folder, or a run folder that holds one. Default: today's."),
]
AnyPlan = Annotated[
    Path | None,
    typer.Option(
        "--plan", metavar="PATH", help="A plan or run folder, or a CSV of people and quotas. Default: today's."
    ),
]
Author = Annotated[
    str | None,
    typer.Option("--author", metavar="NAME", help="Who does this. Default: QUOTALAB_AUTHOR, else the login."),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever reads the audit trail.")]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of all draws. Default: the scenario's.")
]
REPLICATIONS = typer.Option("--replications", "-n", min=2, max=MOST_REPLICATIONS, help="Simulated years.")
Replications = Annotated[int, REPLICATIONS]
Until = Annotated[
    list[str] | None,
    typer.Option(
        "--until",
        metavar="FIGURE=WIDTH",
        help="Go on until a 95 % interval is this narrow: plus or minus 1% of the figure, or 0.01 in its unit. "
        "FIGURE is a key figure of the company or LEVEL:KEY:FIGURE. Repeatable.",
    ),
]
AtMost = Annotated[
    int | None,
    typer.Option("--at-most", min=2, max=MOST_REPLICATIONS, help="With --until: where to stop; default 10000."),
]
Workers = Annotated[
    int, typer.Option("--workers", "-w", min=1, max=1024, help="How many at once; never changes a result.")
]
Engine = Annotated[
    str,
    typer.Option("--engine", metavar="auto|compiled|simpy", help="Which engine simulates; it never changes a result."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FOLDER", help="Where the run is written. Default: runs/VERB-SCENARIO."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no hints.")]
Language = Annotated[
    str | None, typer.Option("--language", metavar="en|zh", help="Of all that is read. Default: the scenario's.")
]


def goals(given: list[str] | None, at_most: int | None) -> dict[str, str]:
    """What ``--until`` was given: figure -> half-width.

    Raises:
        InputRefused: no width, a figure that is given twice, or a maximum of nothing.
    """
    found: dict[str, str] = {}
    problems = []
    if at_most is not None and not given:
        rule = "stops nothing without --until"
        problems.append(Problem("--at-most", str(at_most), rule, "write --replications for a fixed number"))
    for text in given or []:
        figure, equals, width = text.rpartition("=")
        if not equals or figure in found:
            rule = "a figure can be given once only" if equals else "a half-width is missing"
            problems.append(Problem("--until", text, rule, "write FIGURE=1% or FIGURE=0.01"))
        found[figure] = width
    refuse_if(problems)
    return found


def settings(**given: Any) -> dict[str, Any]:
    """What was asked for, as the manifest holds it: paths as text, empty lists left out."""
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in given.items() if value is not None
    }
