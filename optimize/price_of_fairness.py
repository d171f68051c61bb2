"""What absolute fairness costs and could cost: the price of fairness (Bertsimas, Farias and Trichakis 2011).

How well a quota treats a person is measured as the sales within it, ``E[min(S, q)]``, over the most that the person
could book if the whole sum of quotas were his or hers. So everybody can reach the same most, 1, and what all can reach
together is a compact convex set: the hypotheses under which the worst case is known. Two kinds of fairness are set
against the largest sum: max-min (the worst-off as well off as can be) and proportional fairness (the largest product).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optimize.problem import Floats
from scenarios.errors import InputRefused, Problem

Scheme = Literal["maximin", "proportional"]
STEPS = 60


@dataclass(frozen=True)
class PriceOfFairness:
    """Shares of the largest sum that a kind of fairness takes.

    Attributes:
        people: among whom quotas are split.
        measured: by the samples at hand; ``worst``: in the worst case of so many people.
    """

    scheme: Scheme
    people: int
    measured: float
    worst: float


def worst_case_price(people: int, scheme: Scheme) -> float:
    """The largest share of the total that fairness can cost where all can reach the same most.

    ``1 - (2 sqrt(n) - 1) / n`` for proportional fairness and ``1 - 4 n / (n + 1)**2`` for max-min fairness, for any
    compact convex set of utilities whose maxima are equal (Operations Research 59, 17-31, theorems 1 and 2).

    Raises:
        InputRefused: nobody, or no such scheme.
    """
    if people < 1:
        raise InputRefused(Problem("people", str(people), "must be at least 1"))
    if scheme == "proportional":
        return 1.0 - (2.0 * math.sqrt(people) - 1.0) / people
    if scheme == "maximin":
        return 1.0 - 4.0 * people / (people + 1.0) ** 2
    raise InputRefused(Problem("scheme", str(scheme), "no such scheme", "known: proportional, maximin"))


def prices_of_fairness(sales: Floats, total: float) -> tuple[PriceOfFairness, ...]:
    """Both prices for the free split of a sum of quotas, no rule in force.

    Args:
        sales: of each person by simulated horizon, minor units, [N, R]; who never sells anything is left out.
        total: what the quotas sum to.
    """
    kept = np.minimum(np.maximum(sales, 0.0), total).mean(axis=0) > 0
    split = _Split(np.sort(np.maximum(sales[:, kept], 0.0), axis=0), total)
    people = int(kept.sum())
    if people < 1:
        return ()
    most = split.shares(split.largest_sum()).sum()
    found: list[tuple[Scheme, Floats]] = [("maximin", split.maximin()), ("proportional", split.proportional())]
    return tuple(
        PriceOfFairness(
            scheme, people, max(0.0, 1.0 - float(split.shares(quotas).sum() / most)), worst_case_price(people, scheme)
        )
        for scheme, quotas in found
    )


class _Split:
    """Splits of a sum of quotas by three aims; each is one level found by bisection."""

    def __init__(self, ordered: Floats, total: float) -> None:
        self._ordered, self._total = ordered, total
        self._most = np.minimum(ordered, total).mean(axis=0)

    def shares(self, quotas: Floats) -> Floats:
        """Sales within the quotas over the most of each, [R]."""
        return np.asarray(np.minimum(self._ordered, quotas).mean(axis=0) / self._most)

    def largest_sum(self) -> Floats:
        """Everybody's next unit of quota is worth the same, in shares of his or her most."""
        return self._at_level(lambda q: self._slopes(q) / self._most, 0.0, 1.0 / float(self._most.min()))

    def proportional(self) -> Floats:
        """Everybody's next unit is worth the same, in shares of what he or she has."""

        def falling(quotas: Floats) -> Floats:
            slope = self._slopes(quotas)
            booked = self.shares(quotas) * self._most
            return np.asarray(-np.divide(booked, slope, out=np.full(len(slope), np.inf), where=slope > 0))

        return self._at_level(falling, -float(self._most.max()) * len(self._ordered), 0.0)

    def maximin(self) -> Floats:
        """Everybody at the same share."""
        return self._at_level(lambda q: -self.shares(q), -1.0, 0.0)

    def _slopes(self, quotas: Floats) -> Floats:
        return np.asarray((self._ordered > quotas).mean(axis=0))

    def _at_level(self, falling: Callable[[Floats], Floats], low: float, high: float) -> Floats:
        """Quotas at which a falling function of each is the same, as far as they sum to the total.

        Args:
            falling: of quotas, [R]; in each quota alone it does not rise.
            low, high: ends of the values that matter.
        """
        few, many = self._above(falling, high), self._above(falling, low)
        for _ in range(STEPS):
            middle = (low + high) / 2
            quotas = self._above(falling, middle)
            if quotas.sum() > self._total:
                low, many = middle, quotas
            else:
                high, few = middle, quotas
        room = float((many - few).sum())
        left = self._total - float(few.sum())
        # What is left after all is of use to nobody.
        return few + (many - few) * (left / room) if room > left else many + max(left - room, 0.0) / len(few)

    def _above(self, falling: Callable[[Floats], Floats], level: float) -> Floats:
        """The largest quotas, none above the total, at which the function still exceeds a level, [R]."""
        low = np.zeros(self._ordered.shape[1])
        high = low + self._total
        for _ in range(STEPS):
            middle = (low + high) / 2
            above = falling(middle) > level
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return low
