"""Permutation tests of fairness: whether a measure knows what it should not know of people.

The same figures are dealt to the same people in random order (Pitman 1937), and p-values are corrected for all tests
made (Holm 1979). A check is flagged where it is both unlikely to be chance and large enough to matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from history.chance import holm
from optimize.fairness_measures import group_ratio
from optimize.problem import AllocationProblem, Bools, Floats, Ints

LEVEL = 0.05
"""A fair plan is flagged by the tests in at most this share of cases, all tests taken together."""
DEALS = 1999
MATTERS = 0.03
"""Differences below this share are not flagged, however sure."""
FEWEST_FOR_GROUPS = 30
"""People below whom groups are shown, but not tested: a team of four is no sample."""
FEWEST_FOR_SIZE = 6
GROUPS = ("team", "region", "tenure", "level")


@dataclass(frozen=True)
class Check:
    """One measure against one thing that it should not know.

    Attributes:
        measure: ``quota_over_potential`` or ``attainment``.
        against: ``territory`` (its potential), ``growth`` (quota over last sales), ``team``, ``region``, ``tenure`` or
            ``level``.
        correlation: by ranks (Spearman); None for groups.
        gap: territory and growth: the highest quarter over the lowest, less 1; groups: the highest group less the
            lowest, over the company's.
        p_value, p_adjusted: None where it is described only.
        flagged: unlikely to be chance and large enough to matter.
        note: why it is not tested, or empty.
    """

    measure: str = field(metadata={"key": True})
    against: str = field(metadata={"key": True})
    correlation: float | None
    gap: float
    p_value: float | None = None
    p_adjusted: float | None = None
    flagged: bool = False
    note: str = ""


def measures_of(problem: AllocationProblem, quotas: Floats, potential: Floats, keep: Bools) -> dict[str, Floats]:
    ratio = quotas[keep] / potential[keep]
    company = quotas[keep].sum() / potential[keep].sum()
    return {
        "quota_over_potential": ratio / company,
        "attainment": problem.samples.mean(axis=0)[keep] / quotas[keep],
    }


def checks_of(
    problem: AllocationProblem,
    measures: Mapping[str, Floats],
    quotas: Floats,
    potential: Floats,
    keep: Bools,
    random: np.random.Generator,
) -> list[Check]:
    people = int(keep.sum())
    deals = random.permuted(np.repeat(np.arange(people)[None], DEALS, axis=0), axis=1)
    out = []
    for name, values in measures.items():
        size = potential[keep]
        found = Check(name, "territory", rank_correlation(values, size), _quarter_gap(values, size))
        few = people < FEWEST_FOR_SIZE
        p_value = None if few else _p_of_correlation(values, size, deals)
        out.append(replace(found, p_value=p_value, note=f"fewer than {FEWEST_FOR_SIZE} people" if few else ""))
    growth = np.full(len(keep), np.nan)
    np.divide(quotas, problem.last_sales, out=growth, where=problem.last_sales > 0)
    known = ~np.isnan(growth[keep])
    if known.sum() > 1:
        asked, reached = growth[keep][known], measures["attainment"][known]
        # Both hold the quota, so that a correlation is no surprise even where the plan is fair.
        note = "described only: the quota is in both"
        correlation, gap = rank_correlation(reached, asked), _quarter_gap(reached, asked)
        out.append(Check("attainment", "growth", correlation, gap, note=note))
    for by in GROUPS:
        labels = np.array(problem.groups[by], dtype=object)[keep]
        if len(set(labels.tolist())) < 2:
            continue
        for name, values in measures.items():
            weight = (potential if name == "quota_over_potential" else quotas)[keep]
            ratios = [group_ratio(values, weight, labels == group) for group in sorted(set(labels.tolist()))]
            few = people < FEWEST_FOR_GROUPS
            p_value = None if few else _p_of_groups(values, labels, deals)
            note = f"fewer than {FEWEST_FOR_GROUPS} people" if few else ""
            gap = (max(ratios) - min(ratios)) / float(values @ weight / weight.sum())
            out.append(Check(name, by, None, gap, p_value, note=note))
    return out


def flagged(tests: list[Check]) -> tuple[Check, ...]:
    tested = [test for test in tests if test.p_value is not None]
    adjusted = iter(holm([test.p_value for test in tested if test.p_value is not None]))
    out = []
    for test in tests:
        if test.p_value is None:
            out.append(test)
            continue
        p_adjusted = next(adjusted)
        sure = p_adjusted <= LEVEL and abs(test.gap) >= MATTERS
        out.append(replace(test, p_adjusted=p_adjusted, flagged=sure))
    return tuple(out)


def _ranks(values: Floats) -> Floats:
    """Ranks with ties shared, centred on zero; differences below a billionth are ties."""
    rounded = np.round(values / max(float(np.abs(values).max()), 1e-300), 9)
    _, place, counts = np.unique(rounded, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[place]
    return np.asarray(ranks - ranks.mean())


def rank_correlation(values: Floats, against: Floats) -> float:
    first, second = _ranks(values), _ranks(against)
    length = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / length if length > 0 else 0.0


def _p_of_correlation(values: Floats, against: Floats, deals: Ints) -> float:
    first, second = _ranks(values), _ranks(against)
    dealt = np.abs(first[deals] @ second)
    return _p_value(dealt, abs(float(first @ second)))


def _p_of_groups(values: Floats, labels: Floats, deals: Ints) -> float:
    """By the spread of the groups' mean logarithms: a quota twice as high is as far off as one half as high."""
    logs = np.log(np.maximum(values, 1e-12))
    logs = logs - logs.mean()
    spread = np.zeros(len(deals))
    seen = 0.0
    for group in sorted(set(labels.tolist())):
        inside = np.flatnonzero(labels == group)
        seen += float(logs[inside].sum()) ** 2 / len(inside)
        spread += logs[deals[:, inside]].sum(axis=1) ** 2 / len(inside)
    return _p_value(spread, seen)


def _p_value(dealt: Floats, seen: float) -> float:
    """Share of deals at least as far out, the plan itself among them; what is equal but for rounding counts."""
    return (1 + int((dealt >= seen * (1 - 1e-9) - 1e-12).sum())) / (1 + len(dealt))


def _quarter_gap(values: Floats, against: Floats) -> float:
    """Mean of the people with the highest quarter of another figure over that of the lowest, less 1."""
    order = np.argsort(against, kind="stable")
    size = max(len(order) // 4, 1)
    lowest = float(values[order[:size]].mean())
    return float(values[order[-size:]].mean()) / lowest - 1 if lowest > 0 else 0.0
