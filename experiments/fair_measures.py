"""How fairly a plan deals with its people, from simulated years: odds, the worst-off, quota against potential.

These figures are formed over all years at once (a chance has no value in a single year), so their intervals come from
leaving out one block of years at a time; differences between plans leave out the same blocks. Differences of the
worst-off allow for not knowing who that is, see :mod:`experiments.worst_off`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from experiments.measures import Floats, widest_gap
from experiments.pairs import same_simulation
from experiments.without_blocks import Years, leave_blocks_out
from experiments.worst_off import least_mean_difference
from scenarios.plan import Plan
from sim.interval import Interval, held_within
from sim.outcome import Outcome

Statistic = Callable[[Floats, Floats], float]
"""From sales, ``[years, reps]``, and quotas, ``[reps]``, to one figure."""


def spread_of_chances(sales: Floats, quotas: Floats) -> float:
    """Standard deviation over reps of the chance to make quota."""
    return float((sales >= quotas).mean(axis=0).std())


def lowest_chance(sales: Floats, quotas: Floats) -> float:
    """The chance to make quota of the rep who has the smallest."""
    return float((sales >= quotas).mean(axis=0).min())


def lowest_capped(sales: Floats, quotas: Floats) -> float:
    """Capped attainment of the rep who has the smallest."""
    return float((np.minimum(sales, quotas).mean(axis=0) / quotas).min())


STATISTICS: dict[str, Statistic] = {
    "spread_of_chances": spread_of_chances,
    "lowest_chance": lowest_chance,
    "lowest_capped": lowest_capped,
}


@dataclass(frozen=True)
class FairMeasures:
    """Fairness of one plan; every figure over the reps with a quota above zero.

    Attributes:
        spread_of_chances: standard deviation over reps of the chance to make quota.
        lowest_chance: of the rep who has the smallest.
        lowest_capped: capped attainment of the worst-off.
        gini: of quota / potential over the reps with a potential; ``None`` without two of them.
        widest_gap: largest distance of a quota / potential from the company's, as a share of the latter.
    """

    spread_of_chances: Interval
    lowest_chance: Interval
    lowest_capped: Interval
    gini: float | None
    widest_gap: float | None


def fair_measures(plan: Plan, outcome: Outcome, potentials: Mapping[str, int]) -> FairMeasures | None:
    """The fairness of a plan over its simulated years; ``None`` where nobody has a quota above zero.

    Args:
        potentials: rep -> minor units under the plan's owners.
    """
    sales, quotas = carried(plan, outcome)
    if not quotas.size:
        return None
    found = {name: level_interval(name, (sales, quotas)) for name in STATISTICS}
    given = plan.quotas()
    return FairMeasures(**found, gini=gini(given, potentials), widest_gap=widest_gap(given, potentials)[0])


def fairness_difference(
    first: tuple[Plan, Outcome], second: tuple[Plan, Outcome], confidence: float = 0.95, comparisons: int = 1
) -> dict[str, Interval]:
    """One plan's figure minus another's over the same years, by name of the statistic; empty without quotas.

    Args:
        comparisons: intervals that hold together (Bonferroni).
    """
    sides = [carried(plan, outcome) for plan, outcome in (first, second)]
    (sales, quotas), (others, other_quotas) = sides
    if not quotas.size or not other_quotas.size:
        return {}
    if np.array_equal(sales, others) and np.array_equal(quotas, other_quotas):
        return dict.fromkeys(STATISTICS, same_simulation(len(sales), confidence))
    hits, other_hits = (sales >= quotas).astype(np.float64), (others >= other_quotas).astype(np.float64)
    capped, other_capped = np.minimum(sales, quotas) / quotas, np.minimum(others, other_quotas) / other_quotas
    return {
        "spread_of_chances": jackknife(spread_of_chances, sides, confidence, comparisons),
        "lowest_chance": least_mean_difference(hits, other_hits, confidence, comparisons),
        "lowest_capped": least_mean_difference(capped, other_capped, confidence, comparisons),
    }


def carried(plan: Plan, outcome: Outcome) -> tuple[Floats, Floats]:
    """Sales, ``[years, reps]``, and quotas, ``[reps]``, of the reps whose quota is above zero; minor units."""
    cube, given = outcome["rep"], plan.quotas()
    columns = [column for column, rep in enumerate(cube.keys) if given.get(rep, 0) > 0]
    quotas = np.array([given[cube.keys[column]] for column in columns], dtype=np.float64)
    return cube.total("revenue")[:, columns].astype(np.float64), quotas


def level_interval(name: str, side: tuple[Floats, Floats]) -> Interval:
    """A statistic of one plan by its name, its interval within what it can be."""
    most = 0.5 if name == "spread_of_chances" else 1.0  # half the people never, half of them always
    return held_within(jackknife(STATISTICS[name], [side]), most=most)


def jackknife(
    statistic: Statistic, sides: list[tuple[Floats, Floats]], confidence: float = 0.95, comparisons: int = 1
) -> Interval:
    """The statistic of the first side minus that of the second, if there is one, over all years."""

    def value(keep: Years) -> float:
        first, *second = (statistic(sales[keep], quotas) for sales, quotas in sides)
        return first - second[0] if second else first

    return leave_blocks_out(value, len(sides[0][0]), confidence, comparisons)


def gini(quotas: Mapping[str, int], potentials: Mapping[str, int]) -> float | None:
    """Gini coefficient of quota / potential over the reps who have both; ``None`` for fewer than two.

    Half the mean absolute difference over all pairs, as a share of the mean (Gini 1912).
    """
    both = sorted(rep for rep in quotas if potentials.get(rep, 0) > 0)
    ratios = np.sort([quotas[rep] / potentials[rep] for rep in both])
    if len(ratios) < 2 or ratios.sum() <= 0:
        return None
    count = len(ratios)
    ranks = np.arange(1, count + 1)
    return float(((2 * ranks - count - 1) * ratios).sum() / (count * ratios.sum()))
