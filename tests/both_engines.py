"""One replication in both engines, and where two logs or two sets of tables differ first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.compiled.run import Engine, replicate
from sim.log import FIELDS, Kind, Log
from sim.model import Model
from sim.outcome import Cube
from sim.reduce import reduce
from sim.reference import World

SEED = 1
NAMES = {int(kind): kind.name for kind in Kind}


def by_simpy(model: Model, replication: int = 0, seed: int = SEED) -> Log:
    return World(model, seed, replication).run()


def differs(one: Log, other: Log) -> str:
    """The first thing in which two logs differ; nothing where they are equal bit for bit."""
    for number, (left, right) in enumerate(zip(one.rows, other.rows, strict=False)):
        if left != right:
            names = [name for name in FIELDS if left[name] != right[name]]
            kinds = " / ".join(NAMES.get(int(row["kind"]), "no kind") for row in (left, right))
            return f"row {number} ({kinds}) differs in {', '.join(names)}:\n  {left}\n  {right}"
    if len(one.rows) != len(other.rows):
        return f"{len(one.rows)} rows against {len(other.rows)}"
    if one.rows.dtype != other.rows.dtype or one.rows.tobytes() != other.rows.tobytes():
        return "the rows are equal, but not their bytes"
    if list(one.leads) != list(other.leads):
        return f"leads: {set(one.leads) ^ set(other.leads) or 'in another order'}"
    for entity, lead in one.leads.items():
        twin = other.leads[entity]
        if lead != twin or lead.quality.hex() != twin.quality.hex():
            return f"lead {entity}:\n  {lead}\n  {twin}"
    if list(one.buyers.items()) != list(other.buyers.items()):
        return f"buyers: {set(one.buyers.items()) ^ set(other.buyers.items()) or 'in another order'}"
    return "" if one.replication == other.replication else "the number of the replication"


def differ(one: Mapping[str, Cube], other: Mapping[str, Cube]) -> str:
    """The first table and metric in which two outcomes differ; nothing where they are equal."""
    if list(one) != list(other):
        return f"tables {list(one)} against {list(other)}"
    for kind, cube in one.items():
        twin = other[kind]
        if (cube.metrics, cube.keys, cube.periods) != (twin.metrics, twin.keys, twin.periods):
            return f"the names of table {kind}"
        for metric, left, right in zip(cube.metrics, cube.values, twin.values, strict=True):
            if not np.array_equal(left, right):
                place = tuple(np.argwhere(left != right)[0])
                return f"{kind}.{metric} at {place}: {left[place]} against {right[place]}"
        if cube.values.dtype != twin.values.dtype:
            return f"the types of table {kind}"
    return ""


def compared(model: Model, replication: int = 0, seed: int = SEED) -> tuple[Log, str]:
    """The compiled engine's log, and in what it differs from SimPy's or its own tables from those of its log."""
    engine = Engine(model)
    log = engine.logged(seed, replication)
    kept = {kind: {name: table.copy() for name, table in tables.items()} for kind, tables in engine.cubes().items()}
    problem = differs(by_simpy(model, replication, seed), log)
    if problem:
        return log, problem
    reduced, without = reduce(model, log), replicate(engine, seed, [replication])
    problem = differ(reduced, without)
    if problem:
        return log, f"tables of the log against those of a run without: {problem}"
    for kind, cube in without.items():
        for metric, values in zip(cube.metrics, cube.values, strict=True):
            if not np.array_equal(values[0], kept[kind][metric]):
                return log, f"{kind}.{metric} of a run with the log against one without"
    return log, ""
