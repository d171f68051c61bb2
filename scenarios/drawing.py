"""Raw uniforms for generated companies, one stream a purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Stream:
    """A stream of uniforms named by a seed and a purpose; other purposes' draws do not move it.

    Only the doubles of PCG64 are used, whose values numpy keeps from version to version.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        digest = hashlib.blake2b(f"{seed} {purpose}".encode(), digest_size=16).digest()
        self._generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))

    def uniform(self) -> float:
        """A number in [0, 1)."""
        return float(self._generator.random())

    def uniforms(self, count: int) -> list[float]:
        """``count`` numbers in [0, 1)."""
        return [self.uniform() for _ in range(count)]

    def pick(self, items: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of the items, by weight."""
        return self.urn(items, weights)()

    def urn(self, items: Sequence[T], weights: Sequence[float] | None = None) -> Callable[[], T]:
        """What draws one of the items by weight, with the weights summed up once."""
        upto = np.cumsum(np.ones(len(items)) if weights is None else np.asarray(weights, dtype=float))

        def draw() -> T:
            return items[min(int(np.searchsorted(upto, self.uniform() * upto[-1], side="right")), len(items) - 1)]

        return draw

    def normal(self, mean: float, sd: float) -> float:
        """A normal value."""
        return NormalDist(mean, sd).inv_cdf(min(max(self.uniform(), 1e-12), 1 - 1e-12))
