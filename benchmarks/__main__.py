"""``python -m benchmarks [NAME] [--json] [--quick]``: one figure a line."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks import allocate, engine, loop
from benchmarks.registry import Figure, chosen
from scenarios.errors import QuotalabError

PARTS = (engine, loop, allocate)
"""Modules that enter benchmarks into the registry."""


def main(arguments: list[str] | None = None) -> int:
    """Run benchmarks and print their figures.

    Returns:
        The exit code: 0 done, 1 refused.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios against peers and limits.")
    parser.add_argument("name", nargs="?", help="which benchmark; default all")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="a smoke run: the figures mean little")
    asked = parser.parse_args(arguments)
    try:
        parts = chosen(asked.name)
    except QuotalabError as error:
        print(error, file=sys.stderr)
        return 1
    for part in parts.values():
        for figure in part(asked.quick):
            print(json.dumps(figure.document(), ensure_ascii=False) if asked.json else _line(figure), flush=True)
    return 0


def _line(figure: Figure) -> str:
    value = "not measured" if figure.value is None else f"{figure.value:.4g} {figure.unit}"
    return f"{figure.benchmark}.{figure.figure}: {value}" + (f"  ({figure.note})" if figure.note else "")


if __name__ == "__main__":
    sys.exit(main())
