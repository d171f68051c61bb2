"""Moments of any number of simulated horizons in the memory of one: exact, mergeable, the same in any order.

Outcome tables hold whole numbers, so sums of them, of their squares and of their products are whole numbers too
(:mod:`sim.exact`). Nothing is rounded before a mean or a variance is read, and then once; therefore neither
the size of a block, nor the order of blocks, nor the number of workers can show in a single bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce as folded

import numpy as np

from sim.moments_cube import CubeMoments, cube_moments, named
from sim.outcome import Outcome

__all__ = ["CubeMoments", "Moments", "cube_moments", "moments", "united"]

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of all tables of one world under one plan.

    Attributes:
        scenario: fingerprint of the scenario.
        plan: simulation hash of the plan.
        seed: the seed of all draws.
        stream_version: version of the table of draws and samplers.
        ranges: which replications are in it, as half-open ranges that neither overlap nor touch.
        cubes: by table.
    """

    scenario: str
    plan: str
    seed: int
    stream_version: int
    ranges: Ranges
    cubes: Mapping[str, CubeMoments] = field(repr=False)

    @property
    def replications(self) -> int:
        """How many simulated horizons."""
        return sum(end - start for start, end in self.ranges)

    def __getitem__(self, kind: str) -> CubeMoments:
        return self.cubes[named(tuple(self.cubes), kind, "moments", "table")]

    def merged(self, other: Moments) -> Moments:
        """Both sets of replications together; the result does not depend on who is merged with whom first.

        Raises:
            ValueError: another world, plan, seed or version, or replications that are in both.
        """
        if self._world() != other._world():
            raise ValueError("moments of different worlds, plans, seeds or versions cannot be merged")
        cubes = {kind: cube.merged(other.cubes[kind]) for kind, cube in self.cubes.items()}
        return Moments(*self._world(), ranges=united(self.ranges, other.ranges), cubes=cubes)

    def content_hash(self) -> str:
        """Hash of every figure with its labels: equal for the same replications, however they were cut and joined.

        Keys are taken in their own order, as by :meth:`sim.outcome.Outcome.content_hash`.
        """
        digest = hashlib.sha256(repr((*self._world(), self.ranges)).encode())
        for kind in sorted(self.cubes):
            cube = self.cubes[kind].in_key_order()
            digest.update(repr((kind, cube.labels(), cube.count)).encode())
            for array in cube.arrays():
                digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
        return digest.hexdigest()

    def _world(self) -> tuple[str, str, int, int]:
        return self.scenario, self.plan, self.seed, self.stream_version


def moments(outcome: Outcome) -> Moments:
    """Moments of an outcome at hand."""
    return Moments(
        scenario=outcome.scenario,
        plan=outcome.plan,
        seed=outcome.seed,
        stream_version=outcome.stream_version,
        ranges=((outcome.first, outcome.first + outcome.replications),),
        cubes={kind: cube_moments(cube) for kind, cube in outcome.cubes.items()},
    )


def united(*several: Ranges) -> Ranges:
    """Half-open ranges as one ascending list in which neighbours that touch are one.

    Raises:
        ValueError: a replication is in two of them.
    """

    def extended(done: Ranges, new: tuple[int, int]) -> Ranges:
        if done and new[0] < done[-1][1]:
            raise ValueError(f"replication {new[0]} is counted twice")
        return (*done[:-1], (done[-1][0], new[1])) if done and new[0] == done[-1][1] else (*done, new)

    return folded(extended, sorted(each for ranges in several for each in ranges), ())
