"""Fairness rules as rows, each a named block that can be switched off."""

from __future__ import annotations

import math

import numpy as np

from optimize.pairs import named
from optimize.parts import fairness_together as together
from optimize.parts.accounts import Ownership
from optimize.parts.targets import Quotas
from optimize.problem import AllocationProblem, Bools, Floats, company_ratio
from optimize.programme.blocks import Blocks, Linear
from optimize.workload import load_at, load_given_way, load_per_share
from scenarios.goals import (
    EqualOdds,
    FairnessRule,
    GiniBound,
    GroupParity,
    GrowthLimits,
    MinimumAttainment,
    MinimumChance,
    PotentialBand,
    Spread,
    TrainingFloor,
    Workload,
    WorstOff,
)

POINT = 0.01
"""One percentage point."""


def chance_quantile(samples: Floats, chance: float) -> Floats:
    """The largest u with P(S >= u) >= chance on the samples, by rep; samples [N, R]."""
    count = samples.shape[0]
    rank = min(max(math.ceil(chance * count - 1e-9), 1), count)
    return np.asarray(np.sort(samples, axis=0)[count - rank])


def add(
    blocks: Blocks,
    problem: AllocationProblem,
    unit: float,
    quotas: Quotas | None,
    owned: Ownership,
    gain: Linear,
    hours: Linear,
) -> None:
    """Add the rows of every rule; without quotas only the rules on workload and training.

    Rules of a rep with a locked figure give way to the lock at a high price (rule R17).
    """
    for rule in problem.rules:
        if isinstance(rule, Workload):
            _workload(blocks, problem, rule, owned.load, hours)
        elif isinstance(rule, TrainingFloor):
            _training_floor(blocks, problem, rule, hours)
        elif quotas is not None:
            _quota_rule(blocks, problem, unit, rule, quotas, owned, gain)


def _quota_rule(
    blocks: Blocks,
    problem: AllocationProblem,
    unit: float,
    rule: FairnessRule,
    quotas: Quotas,
    owned: Ownership,
    gain: Linear,
) -> None:
    q = Linear.columns(quotas.columns)
    match rule:
        case PotentialBand():
            ratio = company_ratio(problem)
            whole = owned.potential.times(ratio)
            keep = problem.concerned(rule)
            high, low = q - whole.times(1 + rule.tolerance), q - whole.times(1 - rule.tolerance)
            _rows(blocks, problem, "potential_band", high, keep, upper=0.0, loosen=whole)
            _rows(blocks, problem, "potential_band", low, keep, lower=0.0, loosen=whole)
        case GrowthLimits():
            keep = problem.concerned(rule) & ~np.isnan(problem.last_sales)
            last = owned.history
            if rule.cap is not None:
                _rows(blocks, problem, "growth_cap", q - last.times(1 + rule.cap), keep, upper=0.0, loosen=last)
            if rule.floor is not None:
                _rows(blocks, problem, "growth_floor", q - last.times(1 + rule.floor), keep, lower=0.0, loosen=last)
        case MinimumAttainment():
            short = quotas.expected - q.times(rule.share)
            keep = problem.concerned(rule)
            _rows(blocks, problem, "min_expected_attainment", short, keep, lower=0.0, loosen=q)
        case MinimumChance():
            keep = problem.concerned(rule) & ~problem.ramping
            at = chance_quantile(problem.samples, rule.chance) / unit
            wider = chance_quantile(problem.samples, max(rule.chance - POINT, 0.0)) / unit
            room = Linear.constants((wider - at) / POINT)
            _rows(blocks, problem, "min_chance", q - gain, keep, upper=at, loosen=room)
        case _:
            _tying_rule(blocks, problem, unit, rule, quotas, owned, gain)


def _tying_rule(
    blocks: Blocks,
    problem: AllocationProblem,
    unit: float,
    rule: FairnessRule,
    quotas: Quotas,
    owned: Ownership,
    gain: Linear,
) -> None:
    keep, q = problem.concerned(rule), Linear.columns(quotas.columns)
    match rule:
        case Spread() | GiniBound():
            measured, none = together.measurable(owned.potential_by_owner), Linear.constants(np.zeros(len(keep)))
            _rows(blocks, problem, rule.rule, q, keep & ~measured, upper=0.0, loosen=none)
            keep &= measured
            ratio = together.ratios(blocks, problem, unit, quotas, owned, keep)
            if isinstance(rule, Spread):
                together.spread(blocks, problem, unit, rule, keep, ratio)
            else:
                settled = not np.isin(np.flatnonzero(keep), owned.potential_by_owner.row).any()
                together.gini(blocks, problem, unit, rule, keep, ratio, settled=settled)
        case WorstOff():
            together.worst_off(blocks, problem, rule, keep, quotas)
        case EqualOdds():
            together.equal_odds(blocks, problem, unit, rule, keep, q, gain)
        case GroupParity():
            together.group_parity(blocks, problem, rule, keep, q, owned.potential)


def _rows(
    blocks: Blocks,
    problem: AllocationProblem,
    name: str,
    expression: Linear,
    keep: Bools,
    *,
    lower: Floats | float = -np.inf,
    upper: Floats | float = np.inf,
    loosen: Linear,
) -> None:
    at = np.flatnonzero(keep)
    count = len(problem.reps)
    low, high = (np.broadcast_to(np.asarray(side, dtype=np.float64), (count,))[at] for side in (lower, upper))
    locked = np.isin(at, list(problem.locks.first))
    subjects = named(problem.reps, at)
    blocks.rows(name, subjects, expression.pick(at), low, high, loosen=loosen.pick(at), giving_way=locked)


def _workload(blocks: Blocks, problem: AllocationProblem, rule: Workload, load: Linear, hours: Linear) -> None:
    at = np.flatnonzero(problem.concerned(rule) & (problem.hours > 0))
    left = Linear.constants(problem.hours) - hours
    subjects = named(problem.reps, at)
    touched = set(problem.locks.owner.values()) | {r for r, _ in problem.locks.training}
    if problem.locks.care:
        touched |= {int(problem.accounts.today[a]) for a in problem.locks.care}
    handed = problem.leads.touched(problem.locks.shares).any(axis=0)
    touched |= set(np.flatnonzero(handed).tolist())
    soft = np.isin(at, list(touched))
    sides = (("workload_maximum", rule.maximum, 1.0), ("workload_minimum", rule.minimum, -1.0))
    for name, limit, sign in sides:
        bound = load_at(limit, problem.sharpness)
        if not math.isfinite(bound) or (sign < 0 and limit == 0.0):
            continue
        expression = (load - left.times(bound)).pick(at)
        low, high = (-np.inf, 0.0) if sign > 0 else (0.0, np.inf)
        room = left.times(load_per_share(limit, problem.sharpness)).pick(at)
        bend = load_given_way(limit, sign, problem.sharpness)
        blocks.rows(name, subjects, expression, low, high, loosen=room, bend=bend, giving_way=soft)


def _training_floor(blocks: Blocks, problem: AllocationProblem, rule: TrainingFloor, hours: Linear) -> None:
    at = np.flatnonzero(problem.concerned(rule))
    locked = {r for r, _ in problem.locks.training}
    blocks.rows(
        "training_floor",
        [problem.reps[r] for r in at],
        hours.pick(at),
        lower=rule.hours,
        loosen=Linear.constants(np.ones(len(at))),
        giving_way=np.array([int(r) in locked for r in at]),
    )
