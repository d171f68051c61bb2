"""The parts composed into one programme, and decisions read back from its solution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optimize.pairs import PairLabels, largest
from optimize.parts import accounts, fairness, lead_shares, metrics, targets, training, trust
from optimize.problem import AllocationProblem, Decisions, Floats, Ints
from optimize.programme.blocks import BROKEN, Blocks, Columns, Linear, Programme
from optimize.programme.curves import as_it_is, chord_error
from optimize.programme.ordered import with_cuts

EXACT_COLUMNS = 20_000
SEGMENTS = 32
"""Pieces of equal mass where the exact sample average would need too many columns."""
CARE_PIECES = 24


@dataclass(frozen=True)
class Model:
    """A programme with what is needed to read it.

    Attributes:
        unit: minor units of money in one unit of the programme.
        segment_error: how far segments may understate the exact value, minor units.
        knots: where the care curves are cut.
        quotas: expressions of the quotas; None where they are left out.
        bends: whether care curves are told as they are; above: by pieces that lie nowhere below them.
        load, left: hours asked of each rep, and working hours that training leaves.
    """

    programme: Programme
    unit: float
    segment_error: float
    problem: AllocationProblem
    knots: tuple[Floats, ...]
    quotas: targets.Quotas | None = None
    bends: bool = False
    above: bool = False
    load: Linear | None = None
    left: Linear | None = None

    @cached_property
    def error(self) -> float:
        """How far segments and cuts may understate the exact value, minor units; not cheap."""
        missed = 0.0 if self.above else care_error(self.problem, self.knots, bends=self.bends)
        return self.segment_error + missed


def money_unit(problem: AllocationProblem) -> float:
    """Minor units per unit of the programme: a mean quota is 100 units, so that tolerances fit."""
    return max(problem.total / len(problem.reps) / 100.0, 1e-6)


def segments_for(problem: AllocationProblem) -> int | None:
    """None (exact) while reps x samples stays moderate, else :data:`SEGMENTS`."""
    return None if problem.basis.size <= EXACT_COLUMNS else SEGMENTS


def first_knots(problem: AllocationProblem, *, within_budget: bool = True) -> tuple[Floats, ...]:
    """Where the care curves are cut at first; empty where care is not a decision.

    Args:
        within_budget: whether curves end at the budget, or go on for as long as hours are of use.
    """
    budget = problem.accounts.care_budget
    if budget is None:
        return ()
    even = np.linspace(0.0, 1.0, CARE_PIECES + 1)
    # An elasticity is steep at zero: there the cuts lie closer.
    share = np.unique(np.concatenate([even, even**3]))
    ends = [min(budget, curve.useful) for curve in problem.accounts.curves]
    if not within_budget:
        ends = [curve.useful if np.isfinite(curve.useful) else budget for curve in problem.accounts.curves]
    return tuple(max(end, 1e-9) * share for end in ends)


def care_error(problem: AllocationProblem, knots: tuple[Floats, ...], *, bends: bool = False) -> float:
    """How far the cuts of the care curves may understate what the best owner makes of them, minor units."""
    if problem.accounts.care_budget is None or not knots:
        return 0.0
    best = largest(problem.accounts.unit, problem.accounts.allowed)
    cut = zip(problem.accounts.curves, knots, strict=True)
    errors = [as_it_is(c.sales, k).pieces.error if bends else chord_error(c.sales, k) for c, k in cut]
    worth, every = np.full(len(best), problem.metrics.revenue_weight), np.arange(len(best))
    for one in problem.metrics.weighted:
        worth += metrics.objective_factor(problem, one) * one.rates.of_accounts(every)
    return float((worth * best) @ np.array(errors))


def build(
    problem: AllocationProblem,
    *,
    segments: int | None = None,
    knots: tuple[Floats, ...] | None = None,
    quotas: bool = True,
    sales: bool = False,
    bends: bool = False,
    above: bool = False,
    unit: float | None = None,
) -> Model:
    """Compose the programme.

    Args:
        segments: pieces per rep; None is the exact sample average.
        knots: cuts of the care curves; None takes :func:`first_knots`.
        quotas: False leaves quotas out and maximises expected sales (first stage of the two-stage mode).
        sales: maximise expected sales with the quotas in, so that these can keep the rules.
        bends: tell care curves that are not concave as they are rather than by their envelopes, by whole columns.
        above: by pieces that lie nowhere below them, so that the programme's bound is one on the curves themselves.
        unit: minor units per unit of the programme; None takes :func:`money_unit`.
    """
    blocks = Blocks()
    unit = money_unit(problem) if unit is None else unit
    trained = training.add(blocks, problem, unit)
    cuts = first_knots(problem) if knots is None else knots
    owned = accounts.add(blocks, problem, unit, cuts, problem.metrics.others, bends=bends, above=above)
    shared = lead_shares.add(blocks, problem, unit)
    owned = owned.with_leads(shared.load, shared.potential)
    leads = trained.gain + shared.gain
    gain = leads + owned.gain
    made = None
    if quotas:
        made = targets.add(blocks, problem, unit, gain, segments, counts=not sales)
    else:
        blocks.columns("nothing", ["nothing"], 0.0, 0.0)
    if sales or not quotas:
        blocks.reward(gain, problem.metrics.revenue_weight)
    other = metrics.gains_of(problem, leads, owned, unit)
    hidden = metrics.add(blocks, problem, unit, other, gain, quotas)
    fairness.add(blocks, problem, unit, made, owned, gain, trained.hours)
    trust.add(blocks, problem.trust, trained, owned, shared)
    hidden += problem.metrics.revenue_weight * (made.error if made else 0.0)
    left = Linear.constants(problem.hours) - trained.hours
    return Model(
        with_cuts(blocks.programme()), unit, hidden * unit, problem, cuts, made, bends, above, owned.load, left
    )


def given_way(model: Model, values: Floats) -> float:
    """What rows that gave way to locks cost in the objective of a solution, minor units.

    A solution's objective with this added is what it attains, and a bound with it added bounds all plans that break
    rules by no more.
    """
    programme = model.programme
    broken = [block.index for block in programme.columns if block.name.startswith(BROKEN)]
    at = np.concatenate([np.zeros(0, dtype=np.int64), *broken])
    return -float(programme.objective[at] @ values[at]) * model.unit


def read_decisions(problem: AllocationProblem, model: Model, values: Floats) -> Decisions:
    """Owners, training hours and care hours of a solution; integers are rounded to what they stand for."""
    programme = model.programme
    steps: dict[str, dict[str, float]] = {}
    care: dict[str, float] = {}
    owner = _owners(problem, model.programme, values)
    for block in programme.columns:
        if not block.name.startswith((training.HOURS, accounts.CARE)):
            continue
        for (first, second), value in zip(label_pairs(block), values[block.index].tolist(), strict=True):
            if block.name == accounts.CARE:
                care[first] = care.get(first, 0.0) + value
            else:
                steps.setdefault(second, {})[first] = value
    hours = problem.accounts.care_base.copy()
    if care or problem.locks.care:
        for a, account in enumerate(problem.accounts.ids):
            hours[a] = problem.locks.care.get(a, care.get(account, hours[a]))
    return Decisions(owner, training.read(problem, steps), hours, lead_shares.read(problem, programme, values))


def _owners(problem: AllocationProblem, programme: Programme, values: Floats) -> Ints:
    """Owner of each account in a solution: the only one who may, else the candidate with the largest part."""
    owner = problem.accounts.today.copy()
    pairs = accounts.possible_pairs(problem)
    rests = accounts.may_rest(problem)
    only = np.flatnonzero((np.diff(pairs.start) == 1) & ~rests)
    owner[only] = pairs.rep[pairs.start[only]]
    if not programme.has(accounts.OWNER):
        return owner
    block = programme.block(accounts.OWNER)
    labels, part = block.labels, values[block.index]
    if not isinstance(labels, PairLabels):
        raise TypeError("the labels of owners are pairs")
    # Of equal parts the first candidate takes the account: sorted by account, part falling, position.
    order = np.lexsort((np.arange(len(part)), -part, labels.first))
    first = order[np.unique(labels.first[order], return_index=True)[1]]
    taken = part[first] > 0.5 * rests[labels.first[first]]
    owner[labels.first[first]] = np.where(taken, labels.second[first], -1)
    return owner


def label_pairs(block: Columns) -> list[tuple[str, str]]:
    """The labels of columns that belong to two things, such as an account and a rep."""
    return [(str(label[0]), str(label[1])) for label in block.labels if isinstance(label, tuple)]
