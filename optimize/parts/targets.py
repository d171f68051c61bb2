"""Quotas: expected attainment by quantile segments, the company's total, the teams' totals, locked quotas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimize.pairs import PairLabels
from optimize.problem import AllocationProblem, Floats, Ints
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.curves import attainment_table
from scenarios.goals import MinimumAttainment, WorstOff

QUOTA = "quota"
LEAST, MOST = "locked periods of quota.", "locked stretch of quota."
"""Begin the names of rows by which locked periods or floors keep a quota from below, and stretches from above."""


@dataclass(frozen=True)
class Quotas:
    """Quotas in the programme, units of money.

    Attributes:
        columns: of the quotas.
        expected: capped sales of each rep as simulated.
        counted: the same on the samples that quotas follow; what the objective sums.
        error: what the segments may hide.
    """

    columns: Ints
    expected: Linear
    counted: Linear
    error: float


def add(
    blocks: Blocks, problem: AllocationProblem, unit: float, gain: Linear, segments: int | None, *, counts: bool = True
) -> Quotas:
    """Add quotas q and expected attainment ``E[min(S + g, q)] = g + f(q - g)``.

    With u = q - g, the function f is cut into quantile segments of slope P(S > u): one column each, so that no row
    per sample is needed. Exact for a deterministic shift g (rule R15).

    Args:
        segments: pieces of f per rep; None gives the exact sample average.
        counts: whether expected attainment is what the objective sums; else quotas must only keep the rules.
    """
    q = blocks.columns(QUOTA, problem.reps, 0.0, np.inf)
    expected, error = expected_capped(blocks, problem.basis / unit, problem.reps, q, gain, segments)
    if counts:
        blocks.reward(expected, problem.metrics.revenue_weight)
    _totals(blocks, problem, unit, q)
    truly = expected
    if problem.basis is not problem.samples and any(
        isinstance(rule, MinimumAttainment | WorstOff) for rule in problem.rules
    ):
        truly, _ = expected_capped(blocks, problem.samples / unit, problem.reps, q, gain, segments)
    return Quotas(q, truly, expected, error)


def expected_capped(
    blocks: Blocks,
    samples: Floats,
    reps: tuple[str, ...],
    q: Ints,
    gain: Linear,
    segments: int | None,
    of: str = "",
) -> tuple[Linear, float]:
    """Columns and rows that cut f into pieces; expected capped sales of each rep, and what the pieces may hide.

    Args:
        of: another metric than revenue, of which all names then speak.
    """
    of = f" of {of}" if of else ""
    count = len(reps)
    below = blocks.columns(f"below the least sample{of}", reps, 0.0, np.inf)
    above = blocks.columns(f"above the largest sample{of}", reps, 0.0, np.inf)
    shift = Linear.columns(q) - gain + Linear.columns(below) - Linear.columns(above)
    expected = gain - Linear.columns(below)
    pieces = attainment_table(samples, segments)
    labels = PairLabels(reps, ("",), pieces.of, np.zeros_like(pieces.of))
    cut = blocks.columns(f"attainment pieces{of}", labels, 0.0, pieces.width)
    shift = shift + Linear.of(count, pieces.of, cut, -1.0)
    expected = expected + Linear.of(count, pieces.of, cut, pieces.slope, pieces.level)
    blocks.rows(f"attainment{of}", reps, shift, pieces.start, pieces.start, kept=True)
    return expected, float(pieces.error.sum())


def _totals(blocks: Blocks, problem: AllocationProblem, unit: float, q: Ints) -> None:
    company = problem.total / unit
    one = Linear.constants(np.ones(1))
    blocks.rows("company_total", ["company"], Linear.total(q), company, company)
    for team, total in problem.team_totals.items():
        members = problem.members(team)
        blocks.rows(f"team_total {team}", [team], Linear.total(q[members]), total / unit, total / unit, loosen=one)
    for r, value in problem.locks.quota.items():
        rep = problem.reps[r]
        blocks.rows(f"locked quota.{rep}", [rep], Linear.total(q[r : r + 1]), value / unit, value / unit)
    for r, value in problem.locks.least.items():
        rep = problem.reps[r]
        blocks.rows(f"{LEAST}{rep}", [rep], Linear.total(q[r : r + 1]), lower=value / unit)
    for r, value in problem.locks.most.items():
        rep = problem.reps[r]
        blocks.rows(f"{MOST}{rep}", [rep], Linear.total(q[r : r + 1]), upper=value / unit)
