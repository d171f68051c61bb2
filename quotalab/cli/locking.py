"""lock, unlock and trail: figures fixed by people on an allocated plan, and who did what to it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quotalab.cli import options
from quotalab.cli.terminal import Terminal

if TYPE_CHECKING:
    from scenarios.trail import Entry, Trail

Locked = Annotated[
    str,
    typer.Argument(
        metavar="PATH",
        help="quota.REP[.METRIC][.FIRST_DAY] (or floor, stretch), owner.ACCOUNT, training.REP.SKILL, care.ACCOUNT "
        "or share.SOURCE.REP.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]


def lock(
    scenario: options.World,
    path: Locked,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="A rep for an owner; else currency units, a count, hours or a share.")
    ],
    reason: Reason,
    author: options.Author = None,
    plan: options.PlanFolder = None,
    sets: options.Sets = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Fix a figure of an allocated plan; the next `quotalab allocate` solves around it.

    The plan is the one given by --plan, else that of the scenario's last allocation in runs/.
    """
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from quotalab.locking import place_of, put_lock, who_is
        from quotalab.trail_text import locked_text
        from quotalab.worlds import open_world

        world = open_world(scenario, sets)
        spoken = terminal.speak(language, world.language)
        folder = place_of(world, plan)
        found = put_lock(world, folder, path, value, author=who_is(author), reason=reason)
        _tell(terminal, found, folder, locked_text(path, value, found, str(folder), spoken))
        terminal.hint("solve_around", command=_allocation(scenario, plan, sets))


def unlock(
    scenario: options.World,
    path: Locked,
    reason: Reason,
    author: options.Author = None,
    plan: options.PlanFolder = None,
    sets: options.Sets = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Take a lock off a plan again."""
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from quotalab.locking import place_of, take_lock, who_is
        from quotalab.trail_text import unlocked_text
        from quotalab.worlds import open_world

        world = open_world(scenario, sets)
        spoken = terminal.speak(language, world.language)
        folder = place_of(world, plan)
        found = take_lock(world, folder, path, author=who_is(author), reason=reason)
        _tell(terminal, found, folder, unlocked_text(path, found, str(folder), spoken))


def trail(
    scenario: options.World,
    plan: options.PlanFolder = None,
    noted: Annotated[
        str, typer.Option("--noted", metavar="HASH", help="A hash noted earlier, which must still be in the trail.")
    ] = "",
    sets: options.Sets = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Show who did what to a plan, when and why, and check that nobody changed it otherwise.

    Ends with exit code 1 where the trail does not hold or the plan was changed without an entry.
    """
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from quotalab.locking import place_of
        from quotalab.trail_text import trail_text
        from quotalab.worlds import open_world
        from scenarios.errors import InputRefused, Problem
        from scenarios.plan_files import read_plan
        from scenarios.trail import read_trail

        world = open_world(scenario, sets)
        spoken = terminal.speak(language, world.language)
        folder = place_of(world, plan)
        found = read_trail(folder)
        if not found.entries and not found.faults:
            raise InputRefused(Problem(str(folder), "", "has no audit trail", "allocate the plan anew"))
        broken = found.broken(read_plan(folder, world), noted)
        document = {
            "folder": str(folder),
            "holds": not broken,
            "broken": broken,
            "head": found.head,
            "locks": [vars(row) for row in found.own_locks().values()],
            "entries": [_document(entry) for entry in found.entries],
        }
        terminal.show(trail_text(found, broken, world, spoken), document)
    if broken:
        raise typer.Exit(1)


def _allocation(scenario: str, plan: Path | None, sets: list[str] | None) -> str:
    """The command that solves the same world anew, as a shell takes it."""
    changes = [word for text in sets or [] for word in ("--set", text)]
    start = [] if plan is None else ["--plan", str(plan)]
    return shlex.join(["quotalab", "allocate", scenario, *changes, *start])


def _tell(terminal: Terminal, found: Trail, folder: Path, text: str) -> None:
    terminal.show(text, {"folder": str(folder), "head": found.head, "entry": _document(found.entries[-1])})


def _document(entry: Entry) -> dict[str, Any]:
    return vars(entry) | {"changes": [vars(change) for change in entry.changes]}
