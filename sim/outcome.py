"""What a set of simulated years came to: exact integer tables by rep, stage, source, product, segment and account."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import InputRefused, Problem

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Cube:
    """Sums of several metrics over one kind of thing.

    Attributes:
        kind: what the keys are: ``rep``, ``stage``, ``source``, ``product``, ``segment``, ``account``.
        metrics: names; money is in minor units, durations in ticks (ms), activities in thousandths.
        keys: ids, in the order of the scenario.
        periods: labels of the reporting periods; a single ``horizon`` where periods are not kept.
        values: int64, shape ``[metric, replication, key, period]``.
    """

    kind: str
    metrics: tuple[str, ...]
    keys: tuple[str, ...]
    periods: tuple[str, ...]
    values: Counts

    def by_period(self, metric: str) -> Counts:
        """One metric, shape ``[replication, key, period]``.

        Raises:
            InputRefused: the metric is not kept for this kind.
        """
        if metric not in self.metrics:
            known = ", ".join(self.metrics)
            raise InputRefused(Problem(f"{self.kind} table", metric, "no such metric", f"known: {known}"))
        out: Counts = self.values[self.metrics.index(metric)]
        return out

    def total(self, metric: str) -> Counts:
        """One metric summed over the periods, shape ``[replication, key]``."""
        out: Counts = self.by_period(metric).sum(axis=2)
        return out

    def company(self, metric: str) -> Counts:
        """One metric summed over keys and periods, shape ``[replication]``."""
        out: Counts = self.total(metric).sum(axis=1)
        return out

    def in_key_order(self) -> Cube:
        """The same table with its keys sorted."""
        order = sorted(range(len(self.keys)), key=self.keys.__getitem__)
        if order == list(range(len(order))):
            return self
        return replace(self, keys=tuple(self.keys[i] for i in order), values=self.values[:, :, order])

    def grouped(self, kind: str, group_of: Sequence[str]) -> Cube:
        """The same metrics summed over groups of keys (teams, regions).

        Args:
            group_of: the group of each key, in the order of ``keys``.
        """
        groups = tuple(dict.fromkeys(group_of))
        values = np.zeros((*self.values.shape[:2], len(groups), len(self.periods)), dtype=np.int64)
        for position, group in enumerate(group_of):
            values[:, :, groups.index(group), :] += self.values[:, :, position, :]
        return Cube(kind, self.metrics, groups, self.periods, values)


@dataclass(frozen=True)
class Outcome:
    """Results of ``replications`` simulated horizons of one scenario under one plan.

    Attributes:
        scenario: fingerprint of the scenario.
        plan: simulation hash of the plan.
        plan_name: how pages call it.
        seed: the seed of all draws.
        first: number of the first replication; replication ``i`` is the same world whatever the others are.
        engine: which engine ran ("simpy", "compiled"); it never changes a figure.
        stream_version: version of the table of draws and samplers.
        cubes: tables by kind.
        world: hash of each section of the scenario that the simulation reads; empty where that is not known.
    """

    scenario: str
    plan: str
    plan_name: str
    seed: int
    first: int
    engine: str
    stream_version: int
    cubes: Mapping[str, Cube] = field(repr=False)
    world: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def replications(self) -> int:
        """How many simulated horizons."""
        return int(self.cubes["rep"].values.shape[1])

    def __getitem__(self, kind: str) -> Cube:
        try:
            return self.cubes[kind]
        except KeyError:
            known = ", ".join(self.cubes)
            raise InputRefused(Problem("outcome", kind, "no such table", f"known: {known}")) from None

    def content_hash(self) -> str:
        """Hash of every figure with its labels: equal results have equal hashes, whoever computed them.

        Keys are taken in their own order, so that the rows of a scenario's tables may stand in any.
        """
        digest = hashlib.sha256()
        digest.update(f"{self.scenario} {self.plan} {self.seed} {self.first} {self.stream_version}".encode())
        for kind in sorted(self.cubes):
            cube = self.cubes[kind].in_key_order()
            digest.update(repr((kind, cube.metrics, cube.keys, cube.periods, cube.values.shape)).encode())
            digest.update(np.ascontiguousarray(cube.values, dtype="<i8").tobytes())
        return digest.hexdigest()


def stack(parts: Sequence[Mapping[str, Cube]]) -> dict[str, Cube]:
    """Tables of replications, one set after the other, as one set."""
    head = parts[0]
    return {
        kind: Cube(
            cube.kind,
            cube.metrics,
            cube.keys,
            cube.periods,
            np.concatenate([part[kind].values for part in parts], axis=1),
        )
        for kind, cube in head.items()
    }


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Consecutive blocks of replications of the same world as one outcome.

    Raises:
        ValueError: the blocks are of different worlds or not consecutive.
    """
    ordered = sorted(parts, key=lambda part: part.first)
    head = ordered[0]
    expected = head.first
    for part in ordered:
        same = (part.scenario, part.plan, part.seed, part.stream_version) == (
            head.scenario,
            head.plan,
            head.seed,
            head.stream_version,
        )
        if not same or part.first != expected:
            raise ValueError(f"block at replication {part.first} does not follow on {expected - 1} of the same world")
        expected += part.replications
    cubes = stack([part.cubes for part in ordered])
    return replace(head, cubes=cubes)
