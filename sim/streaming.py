"""Simulate any number of replications in the memory of a few: blocks are run, folded into moments and dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from scenarios.scenario import Scenario
from sim.model import Model, build
from sim.moments import CubeMoments, Moments, cube_moments
from sim.outcome import Cube
from sim.reduce import REP_METRICS
from sim.run import Engine, Progress, check, cut, run_blocks
from sim.spool import Spool
from sim.streams import STREAM_VERSION
from sim.timetable import team_region

Groups = Mapping[str, tuple[str, Sequence[str]]]
"""Name of a level -> the table it is made from, and the group of each of its keys."""

COMPANY: Final = "company"
"""Prefix of the tables in which all keys are one: ``company rep``, ``company stage``, ..."""

BLOCK_CELLS: Final = 2**21
"""Cells of the tables of a block, eight bytes each."""
MOST_IN_BLOCK: Final = 64
"""So that progress is shown now and then."""
ACCOUNT_CELLS: Final = 8
"""Cells of an account, which has no periods."""

_Folded = tuple[dict[str, CubeMoments], Cube | None]


def simulate_moments(
    scenario: Scenario,
    *,
    replications: int = 100,
    first: int = 0,
    seed: int | None = None,
    engine: Engine = "auto",
    workers: int = 1,
    block: int | None = None,
    spool: str | Path | None = None,
    progress: Progress | None = None,
) -> Moments:
    """Moments of simulated horizons under the scenario's plan (today's where it has none).

    The tables are those of :func:`sim.run.simulate`, and beside them ``team``, ``region`` and one with all keys as one
    for each (``company rep``, ``company stage``, ...), since the spread of a sum does not follow from those of its
    terms.

    Args:
        replications: how many simulated horizons; memory does not grow with it.
        first: number of the first.
        seed: empty means the scenario's.
        engine, workers: as for :func:`sim.run.simulate`; the result depends on neither.
        block: the most replications of one task; empty means as many as are held in some tens of megabytes. The
            result does not depend on it.
        spool: a Parquet file for the horizon totals of each replication and rep, written whole or not at all; see
            :mod:`sim.spool`. For quantiles, which no moments give.
        progress: called as replications are done.

    Raises:
        Unsupported: the scenario asks for what no engine runs.
        InputRefused: a bad number of replications, seed, workers or block, or training that does not fit.
    """
    check(first, seed, engine, replications=replications, workers=workers, block=1 if block is None else block)
    model = build(scenario)
    size = block_size(model) if block is None else block
    used = scenario.seed if seed is None else seed
    last = first + replications
    fold = partial(_fold, groups_of(scenario), spool is not None)
    cubes: dict[str, CubeMoments] = {}
    with Spool.maybe(spool) as samples:
        done = 0
        blocks = cut(range(first, last), size, workers)
        for part, rows in run_blocks(model, used, blocks, fold, engine=engine, workers=workers):
            cubes = {kind: cubes[kind].merged(cube) for kind, cube in part.items()} if cubes else part
            if samples is not None and rows is not None:
                samples.add(rows, first + done)
            done += part["rep"].count
            if progress is not None:
                progress(done, replications)
    return Moments(
        scenario=scenario.fingerprint(),
        plan=scenario.simulation_hash(model.plan),
        seed=used,
        stream_version=STREAM_VERSION,
        ranges=((first, last),),
        cubes=cubes,
    )


def block_size(model: Model) -> int:
    """Replications whose tables take about :data:`BLOCK_CELLS` cells, from 1 to :data:`MOST_IN_BLOCK`.

    Small worlds come in long blocks, which outweigh what each block costs; large ones one by one.
    """
    keys = len(model.reps.ids) + len(model.sources.ids) + model.stages.count
    cells = len(REP_METRICS) * keys * len(model.periods.labels) + ACCOUNT_CELLS * len(model.accounts.ids)
    return max(1, min(MOST_IN_BLOCK, BLOCK_CELLS // max(1, cells)))


def groups_of(scenario: Scenario) -> Groups:
    """The levels above a rep: team and region."""
    teams = {team.id: team for team in scenario.teams}
    return {
        "team": ("rep", [rep.team for rep in scenario.reps]),
        "region": ("rep", [team_region(rep, teams) for rep in scenario.reps]),
    }


def levels(tables: Mapping[str, Cube], groups: Groups) -> Iterator[tuple[str, Cube]]:
    """Every table with those made from it: of groups, and of all keys as one."""
    yield from tables.items()
    for name, (kind, group_of) in groups.items():
        grouped = tables[kind].grouped(name, group_of)
        # The kind says which metrics are ratios of which, and these are still the figures of reps.
        yield name, Cube(kind, grouped.metrics, grouped.keys, grouped.periods, grouped.values)
    for kind, cube in tables.items():
        whole = cube.values.sum(axis=2, keepdims=True)
        yield f"{COMPANY} {kind}", Cube(kind, cube.metrics, (COMPANY,), cube.periods, whole)


def _fold(groups: Groups, keep: bool, tables: dict[str, Cube]) -> _Folded:
    """Moments of a block's tables, and their reps' table where it is kept; pure, so it may run anywhere."""
    folded = {name: cube_moments(cube) for name, cube in levels(tables, groups)}
    return folded, tables["rep"] if keep else None
