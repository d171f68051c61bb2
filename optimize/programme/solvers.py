"""Solvers by name: HiGHS, which takes the arrays as they are, and whatever PuLP finds installed."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pulp

from scenarios.errors import InputRefused, Problem

HIGHS = "highs"
"""The solver that takes the arrays as they are."""
THROUGH_PULP = "pulp:"
"""Before the name of a solver that a programme goes to through PuLP."""
SHORT = {"cbc": ("PULP_CBC_CMD", "COIN_CMD")}
"""What people call a solver, and PuLP's names of it, the first that is installed."""


def known_solver(name: str) -> str:
    """The solver's full name: :data:`HIGHS`, or that of PuLP after :data:`THROUGH_PULP`.

    Args:
        name: "highs", "cbc", or PuLP's name of an installed solver ("HiGHS", "SCIP_CMD"), with or without "pulp:".

    Raises:
        InputRefused: no such solver, or it is not installed; names those that are.
    """
    if name == HIGHS:
        return HIGHS
    with quiet():
        installed = list(dict.fromkeys(pulp.listSolvers(onlyAvailable=True)))
        known = list(dict.fromkeys(pulp.listSolvers()))
    short = {alias: next((one for one in names if one in installed), None) for alias, names in SHORT.items()}
    wanted = short.get(name.lower()) or str(name).removeprefix(THROUGH_PULP)
    if wanted in installed:
        return f"{THROUGH_PULP}{wanted}"
    rule = "is not installed here" if wanted in known or name.lower() in SHORT else "no such solver"
    choices = ", ".join([HIGHS, *(alias for alias, one in short.items() if one), *installed])
    raise InputRefused(Problem("solver", name, rule, f"one of {choices}"))


def pulp_solver(solver: str, gap: float, time_limit: float) -> Any:
    """A solver of PuLP by any name that :func:`known_solver` takes, set as HiGHS is where it can be set so.

    Raises:
        InputRefused: see :func:`known_solver`; HiGHS without PuLP is none of PuLP's.
    """
    name = known_solver(solver).removeprefix(THROUGH_PULP)
    if name == "HiGHS":
        exact = {"threads": 1, "random_seed": 0, "primal_feasibility_tolerance": 1e-9}
        return pulp.HiGHS(msg=False, gapRel=gap, gapAbs=1e-9, timeLimit=time_limit, **exact)
    wanted = {"gapRel": gap, "gapAbs": 1e-9, "threads": 1, "timeLimit": time_limit}
    takes = inspect.signature(type(pulp.getSolver(name, msg=False)).__init__).parameters
    return pulp.getSolver(name, msg=False, **{key: value for key, value in wanted.items() if key in takes})


@contextmanager
def quiet() -> Iterator[None]:
    """The solver's library writes a banner to file descriptor 1 whatever it is told; keep it off standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
