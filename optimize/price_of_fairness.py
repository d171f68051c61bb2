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

    Args:
        people: among whom utilities are to be fair.
        scheme: ``proportional`` (the largest product of utilities) or ``maximin`` (the smallest as large as can be).

    ``1 - (2 sqrt(n) - 1) / n`` for proportional fairness and ``1 - 4 n / (n + 1)**2`` for max-min fairness, for any
    compact convex set of utilities whose maxima are equal (Operations Research 59, 17-31, theorems 1 and 2). Where
    maxima differ, more can be lost.

    Raises:
        InputRefused: nobody, no whole number of people, or no such scheme.
    """
    if isinstance(people, bool) or not isinstance(people, (int, np.integer)) or people < 1:
        raise InputRefused(Problem("people", str(people), "must be a whole number, at least 1"))
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
    """Splits of a sum of quotas by three aims; each is one level found by halving, quotas at it in closed form.

    Between two samples the sales within a quota are linear in it: with ``k`` of ``N`` samples below a quota ``q``, and
    these summing to ``c``, they are ``(c + (N - k) q) / N``, and another unit is worth ``(N - k) / N``.
    """

    def __init__(self, ordered: Floats, total: float) -> None:
        self._ordered, self._total, self._count = ordered, total, len(ordered)
        self._most = np.minimum(ordered, total).mean(axis=0)
        self._every = np.arange(ordered.shape[1])
        self._left = self._count - np.arange(self._count)[:, None]
        self._from = np.vstack([np.zeros(len(self._every)), ordered[:-1]])
        self._below = np.cumsum(self._from, axis=0)

    def shares(self, quotas: Floats) -> Floats:
        """Sales within the quotas over the most of each, [R]."""
        return np.asarray(np.minimum(self._ordered, quotas).mean(axis=0) / self._most)

    def largest_sum(self) -> Floats:
        """Everybody's next unit of quota is worth the same, in shares of his or her most."""

        def until(level: float) -> Floats:
            more = np.floor(-level * self._most * self._count).astype(np.int64) + 1
            at = np.clip(self._count - more, 0, self._count - 1)
            return np.asarray(np.where(more <= self._count, self._ordered[at, self._every], 0.0))

        return self._at_level(until, -2.0 / float(self._most.min()), 0.0)

    def proportional(self) -> Floats:
        """Everybody's next unit is worth the same, in shares of what he or she has."""
        beyond = self._below / self._left
        begins = self._from + beyond

        def until(level: float) -> Floats:
            at = np.maximum((begins < level).sum(axis=0) - 1, 0)
            most = np.maximum(level - beyond[at, self._every], 0.0)
            return np.asarray(np.minimum(self._ordered[at, self._every], most))

        return self._at_level(until, 0.0, float(self._most.max()) * self._count)

    def maximin(self) -> Floats:
        """Everybody at the same share."""
        begins = (self._below + self._left * self._from) / self._count

        def until(level: float) -> Floats:
            at = np.maximum((begins < level * self._most).sum(axis=0) - 1, 0)
            missing = level * self._most - begins[at, self._every]
            return np.asarray(self._from[at, self._every] + missing * self._count / self._left[at, 0])

        return self._at_level(until, 0.0, 1.0)

    def _at_level(self, until: Callable[[float], Floats], low: float, high: float) -> Floats:
        """Quotas at one level, as far as they sum to the total.

        Args:
            until: quotas up to which everybody stays below a level, [R]; they rise with it.
            low, high: ends of the levels that matter.
        """
        few, many = (np.minimum(until(level), self._total) for level in (low, high))
        for _ in range(STEPS):
            middle = (low + high) / 2
            quotas = np.minimum(until(middle), self._total)
            if quotas.sum() > self._total:
                high, many = middle, quotas
            else:
                low, few = middle, quotas
        room = float((many - few).sum())
        left = max(self._total - float(few.sum()), 0.0)
        # What is left after all is of use to nobody.
        return few + (many - few) * (left / room) if room > left else many + (left - room) / len(few)
