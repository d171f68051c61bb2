"""Options that several verbs share, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

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
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of all draws. Default: the scenario's.")
]
REPLICATIONS = typer.Option("--replications", "-n", min=2, max=MOST_REPLICATIONS, help="Simulated years.")
Replications = Annotated[int, REPLICATIONS]
Workers = Annotated[
    int, typer.Option("--workers", "-w", min=1, max=1024, help="Processes; they never change a result.")
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FOLDER", help="Where the run is written. Default: runs/VERB-SCENARIO."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no hints.")]
Language = Annotated[
    str | None, typer.Option("--language", metavar="en|zh", help="Of texts and pages. Default: the scenario's.")
]


def settings(**given: Any) -> dict[str, Any]:
    """What was asked for, as the manifest holds it: paths as text, empty lists left out."""
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in given.items() if value is not None
    }
