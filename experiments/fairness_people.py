"""Each person in a fairness audit: what is asked, what is likely, and whose place would be better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimize.fairness_measures import chances
from optimize.problem import AllocationProblem, Bools, Floats, Ints

ENVY = 0.05
"""Chances that differ by less are the same to a person."""


@dataclass(frozen=True)
class PersonRow:
    """One person; money in minor units.

    Attributes:
        quota_over_potential: relative to the company's.
        attainment: expected sales over quota, uncapped; capped: ``E[min(S, q)] / q``.
        chance: to make quota.
        growth: quota over last sales, less 1; None without a full last period or a full horizon.
        quarter: of the territory by potential, 1 the smallest.
        rather_be: whose territory and quota would give the best chance, where that is at least five points better;
            empty otherwise.
        chance_there: in that place, else the own.
    """

    rep: str
    team: str
    region: str
    tenure: str
    level: str
    quota: int
    potential: int
    quota_over_potential: float
    expected: int
    attainment: float
    capped: float
    chance: float
    growth: float | None
    quarter: int
    rather_be: str
    chance_there: float


@dataclass(frozen=True)
class Quarter:
    """A quarter of the territories by potential: means over its people."""

    quarter: int
    people: int
    potential: int
    quota_over_potential: float
    attainment: float
    chance: float


def person_rows(problem: AllocationProblem, quotas: Floats, potential: Floats, keep: Bools) -> tuple[PersonRow, ...]:
    """A row for each person in ``keep``."""
    company = quotas[keep].sum() / potential[keep].sum()
    expected = problem.samples.mean(axis=0)
    capped = np.minimum(problem.samples, quotas).mean(axis=0)
    chance = chances(problem.samples, quotas)
    quarter = np.zeros(len(keep), dtype=np.int64)
    order = np.flatnonzero(keep)[np.argsort(potential[keep], kind="stable")]
    quarter[order] = 1 + 4 * np.arange(len(order)) // len(order)
    place, there = rather(problem, quotas, keep)
    rows = []
    for r in np.flatnonzero(keep):
        last = float(problem.last_sales[r])
        better = there[r] - chance[r] >= ENVY - 1e-9
        rows.append(
            PersonRow(
                rep=problem.reps[r],
                team=problem.groups["team"][r],
                region=problem.groups["region"][r],
                tenure=problem.groups["tenure"][r],
                level=problem.groups["level"][r],
                quota=round(float(quotas[r])),
                potential=round(float(potential[r])),
                quota_over_potential=float(quotas[r] / potential[r] / company),
                expected=round(float(expected[r])),
                attainment=float(expected[r] / quotas[r]),
                capped=float(capped[r] / quotas[r]),
                chance=float(chance[r]),
                growth=float(quotas[r] / last - 1) if last > 0 else None,
                quarter=int(quarter[r]),
                rather_be=problem.reps[place[r]] if better else "",
                chance_there=float(there[r] if better else chance[r]),
            )
        )
    return tuple(rows)


def rather(problem: AllocationProblem, quotas: Floats, keep: Bools) -> tuple[Ints, Floats]:
    """Whose place would give each person the best chance, and that chance, [R] both.

    In another's place a person sells what the other sells there, times the ratio of their pace and skill (expected
    sales over what somebody at the reference would sell in the own territory).
    """
    base = problem.opportunity * problem.ramp
    skill = np.divide(problem.samples.mean(axis=0), base, out=np.ones_like(base), where=base > 0)
    best = chances(problem.samples, quotas)
    place = np.arange(len(keep))
    count = len(problem.samples)
    for s in np.flatnonzero(keep & (skill > 0)):
        needed = (quotas[s] - 0.5) * skill[s] / np.maximum(skill, 1e-12)
        chance = 1 - np.searchsorted(np.sort(problem.samples[:, s]), needed, side="left") / count
        better = keep & (chance > best + 1e-12) & (place != s)
        best[better], place[better] = chance[better], s
    return place, best


def quarters(people: tuple[PersonRow, ...]) -> tuple[Quarter, ...]:
    """The quarters that have people, the smallest territories first."""
    out = []
    for number in (1, 2, 3, 4):
        rows = [row for row in people if row.quarter == number]
        if rows:
            out.append(
                Quarter(
                    number,
                    len(rows),
                    sum(row.potential for row in rows),
                    float(np.mean([row.quota_over_potential for row in rows])),
                    float(np.mean([row.attainment for row in rows])),
                    float(np.mean([row.chance for row in rows])),
                )
            )
    return tuple(out)
