"""Rows of the rules that tie people together; each is exact in the programme, none a bound on one quota.

Quota over potential is linear while potentials are settled. Where accounts may move, it is a column ``y`` with
``q = y * potential(owners)``, its products with the binary owners written out after McCormick (1976): exact wherever
owners are whole.
"""

from __future__ import annotations

import math

import numpy as np

from optimize.parts.accounts import Ownership
from optimize.parts.targets import Quotas
from optimize.problem import AllocationProblem, Bools, Floats, Ints, company_ratio
from optimize.programme.blocks import Blocks, Linear
from scenarios.goals import EqualOdds, GiniBound, GroupParity, PotentialBand, Spread, WorstOff

PAIRS_UP_TO = 100
"""Reps up to whom the Gini index is written by pairs; beyond, by cuts where potentials are settled, else by a sorting
network, which needs far fewer rows."""
LEVEL = "level of equal odds"
PRODUCT = "quota over potential by owner"
LEEWAY = 0.02
"""How far beyond a rule the columns of quota over potential still reach, so that a rule may be loosened by a hair."""


def measurable(potential: Linear) -> Bools:
    """Reps whose potential is not sure to be zero."""
    out = potential.constant > 0
    out[potential.row[potential.coef > 0]] = True
    return np.asarray(out)


def ratios(
    blocks: Blocks, problem: AllocationProblem, unit: float, quotas: Quotas, owned: Ownership, keep: Bools
) -> Linear:
    """Quota over potential of the reps in ``keep``, in their order."""
    at, potential = np.flatnonzero(keep), owned.potential_by_owner
    moving = np.zeros(len(keep), dtype=np.bool_)
    moving[potential.row] = True
    settled = at[~moving[at]]
    share = Linear.of(len(keep), settled, quotas.columns[settled], 1.0 / potential.constant[settled])
    free = at[moving[at]]
    if not len(free):
        return share.pick(at)
    reps = [problem.reps[r] for r in free]
    bottom, top = (ends[free] for ends in _ratio_ends(problem, unit, potential))
    y = blocks.columns("quota over potential", reps, bottom, top)
    place = {int(r): i for i, r in enumerate(free)}
    entries = [i for i, r in enumerate(potential.row.tolist()) if r in place]
    of = np.array([place[int(potential.row[i])] for i in entries], dtype=np.int64)
    owner = potential.col[entries]
    labels = [(reps[i], int(c)) for i, c in zip(of, owner, strict=True)]
    product = blocks.columns(PRODUCT, labels, 0.0, top[of])
    names, low, high = [reps[i] for i in of], bottom[of], top[of]
    w, x, of_y = Linear.columns(product), Linear.columns(owner), Linear.columns(y[of])
    blocks.rows("ratio product", names, w - x.times(high), upper=0.0, kept=True)
    blocks.rows("ratio product", names, w - x.times(low), lower=0.0, kept=True)
    blocks.rows("ratio product", names, w - of_y - x.times(low), upper=-low, kept=True)
    blocks.rows("ratio product", names, of_y - w + x.times(high), upper=high, kept=True)
    made = Linear.columns(y, potential.constant[free]) + Linear.of(len(free), of, product, potential.coef[entries])
    blocks.rows("ratio", reps, Linear.columns(quotas.columns[free]) - made, 0.0, 0.0, kept=True)
    return (share + Linear.of(len(keep), free, y, 1.0)).pick(at)


def _ratio_ends(problem: AllocationProblem, unit: float, potential: Linear) -> tuple[Floats, Floats]:
    """Bounds on each rep's quota over potential, [R] both: by rules that hold for sure, else by the total.

    The closer they are, the less a product with a fractional owner may stray.
    """
    least = potential.constant.copy()
    for r in np.flatnonzero(least <= 0):
        mine = potential.coef[potential.row == r]
        least[r] = mine[mine > 0].min(initial=np.inf)
    high = problem.total / unit / np.maximum(least, 1e-9)
    low, ratio = np.zeros_like(high), company_ratio(problem)
    for rule in problem.rules:
        concerned = problem.concerned(rule)
        if problem.locks.bound or not problem.firm:
            break
        if isinstance(rule, PotentialBand):
            low[concerned] = np.maximum(low[concerned], (1 - rule.tolerance - LEEWAY) * ratio)
            high[concerned] = np.minimum(high[concerned], (1 + rule.tolerance + LEEWAY) * ratio)
        elif isinstance(rule, Spread) and concerned.all() and problem.accounts.house is None:
            # Somebody is at most at the company's ratio and somebody at least, so that nobody is further away.
            far = rule.maximum + LEEWAY * ratio
            low, high = np.maximum(low, ratio - far), np.minimum(high, ratio + far)
        elif isinstance(rule, GiniBound) and _all_measured(problem, rule, potential):
            far = (widest(rule.maximum, len(low)) + LEEWAY) * ratio
            low, high = np.maximum(low, ratio - far), np.minimum(high, ratio + far)
    return low, np.maximum(low, high)


def _all_measured(problem: AllocationProblem, rule: GiniBound, potential: Linear) -> bool:
    """Whether the company's ratio is a weighted mean of the ratios that the rule ties."""
    return bool((problem.concerned(rule) & measurable(potential)).all() and problem.accounts.house is None)


def widest(index: float, count: int) -> float:
    """How far values of this Gini index can lie from any weighted mean of theirs, as a share of it.

    Between the largest and the smallest each other value adds their difference once more to the sum over pairs, so that
    ``(n - 1) (x_max - x_min) <= index n^2 mean``, and the mean is at most the weighted one and that difference.
    """
    apart = index * count**2 / max(count - 1, 1)
    return apart / (1 - apart) if apart < 1 else np.inf


def spread(blocks: Blocks, problem: AllocationProblem, unit: float, rule: Spread, keep: Bools, ratio: Linear) -> None:
    """Two scalars above and below all ratios; the row is in units of money, so that a lock's price means something."""
    names = [problem.reps[r] for r in np.flatnonzero(keep)]
    if not names:
        return
    top, bottom = blocks.columns("ends of the spread", ["top", "bottom"], 0.0, np.inf)
    every = np.zeros(len(names), dtype=np.int64)
    blocks.rows("spread of ratios", names, ratio - Linear.columns(every + top), upper=0.0, kept=True)
    blocks.rows("spread of ratios", names, ratio - Linear.columns(every + bottom), lower=0.0, kept=True)
    size = problem.total / company_ratio(problem) / unit
    wide = Linear.total(np.array([top, bottom]), np.array([size, -size]))
    one = Linear.constants(np.array([size]))
    blocks.rows("spread", ["company"], wide, upper=size * rule.maximum, loosen=one, giving_way=_locked(problem, keep))


def gini(
    blocks: Blocks,
    problem: AllocationProblem,
    unit: float,
    rule: GiniBound,
    keep: Bools,
    ratio: Linear,
    *,
    settled: bool,
) -> None:
    """The sum over pairs of absolute differences is at most ``maximum`` times n times the sum of ratios.

    Args:
        settled: whether potentials are, so that ratios are those of quotas alone.
    """
    names = [problem.reps[r] for r in np.flatnonzero(keep)]
    if len(names) < 2:
        return
    size = problem.total / unit / (len(names) ** 2 * company_ratio(problem))
    if len(names) > PAIRS_UP_TO and settled:
        blocks.ordered("gini", ratio, rule.maximum, size, giving_way=bool(_locked(problem, keep)[0]))
        return
    wires = blocks.columns("ratios", names, 0.0, np.inf)
    blocks.rows("ratios", names, Linear.columns(wires) - ratio, 0.0, 0.0, kept=True)
    uneven = _by_pairs(blocks, wires) if len(names) <= PAIRS_UP_TO else _by_sorting(blocks, wires)
    room = ratio.summed().times(len(names) * size)
    row = uneven.times(size) - room.times(rule.maximum)
    blocks.rows("gini", ["company"], row, upper=0.0, loosen=room, giving_way=_locked(problem, keep))


def _by_pairs(blocks: Blocks, values: Ints) -> Linear:
    first, second = np.triu_indices(len(values), 1)
    apart = blocks.columns("apart", list(zip(first.tolist(), second.tolist(), strict=True)), 0.0, np.inf)
    names = [""] * len(first)
    difference = Linear.columns(values[first]) - Linear.columns(values[second])
    blocks.rows("apart", names, difference - Linear.columns(apart), upper=0.0, kept=True)
    blocks.rows("apart", names, difference + Linear.columns(apart), lower=0.0, kept=True)
    return Linear.total(apart)


def _by_sorting(blocks: Blocks, values: Ints) -> Linear:
    """The same sum by Batcher's odd-even merge sort: exact, since a relaxed network only ever spreads values wider.

    Each comparator gives a high end above both inputs and the low end that keeps their sum (Goemans 2015).
    """
    wires = values.copy()
    for layer in comparators(len(values)):
        low, high = wires[layer[:, 0]], wires[layer[:, 1]]
        names = [""] * len(layer)
        less = blocks.columns("sorted ratios", names, 0.0, np.inf)
        more = blocks.columns("sorted ratios", names, 0.0, np.inf)
        for side in (low, high):
            blocks.rows("comparator", names, Linear.columns(more) - Linear.columns(side), lower=0.0, kept=True)
        kept = Linear.columns(less) + Linear.columns(more) - Linear.columns(low) - Linear.columns(high)
        blocks.rows("comparator", names, kept, 0.0, 0.0, kept=True)
        wires[layer[:, 0]], wires[layer[:, 1]] = less, more
    return Linear.total(wires, np.arange(1.0 - len(values), len(values), 2.0, dtype=np.float64))


def comparators(count: int) -> list[Ints]:
    """Layers of pairs (lower place, higher place) that sort any ``count`` values upwards; no place twice in a layer."""
    layers: list[Ints] = []
    outer = 1
    while outer < count:
        inner = outer
        while inner >= 1:
            pairs = [
                (i + j, i + j + inner)
                for j in range(inner % outer, count - inner, 2 * inner)
                for i in range(min(inner, count - j - inner))
                if (i + j) // (2 * outer) == (i + j + inner) // (2 * outer)
            ]
            layers.append(np.array(pairs, dtype=np.int64).reshape(-1, 2))
            inner //= 2
        outer *= 2
    return [layer for layer in layers if len(layer)]


def worst_off(blocks: Blocks, problem: AllocationProblem, rule: WorstOff, keep: Bools, quotas: Quotas) -> None:
    """The sum of the k smallest of ``e - minimum * q`` is not negative (Rockafellar and Uryasev 2000)."""
    at = np.flatnonzero(keep)
    if not len(at):
        return
    names, count = [problem.reps[r] for r in at], len(at)
    heads = max(rule.share * count, 1e-9)
    level = blocks.columns("level of the worst-off", ["company"], -np.inf, np.inf)
    short = blocks.columns("below the level of the worst-off", names, 0.0, np.inf)
    q = Linear.columns(quotas.columns[at])
    below = Linear.columns(np.repeat(level, count)) - Linear.columns(short) - quotas.expected.pick(at)
    soft = _locked(problem, keep)
    blocks.rows("worst_off", names, below + q.times(rule.minimum), upper=0.0, loosen=q)
    nothing = Linear.constants(np.zeros(1))
    total = Linear.total(level, heads) - Linear.total(short)
    blocks.rows("worst_off", ["company"], total, lower=0.0, loosen=nothing, giving_way=soft)


def equal_odds(
    blocks: Blocks, problem: AllocationProblem, unit: float, rule: EqualOdds, keep: Bools, q: Linear, gain: Linear
) -> None:
    """One level of the chance is chosen; every quota lies between two of its own quantiles, shifted by the gain."""
    at = np.flatnonzero(keep)
    if not len(at):
        return
    low, high = odds_bounds(problem, rule)
    names, levels = [problem.reps[r] for r in at], len(low)
    choice = blocks.columns(LEVEL, list(range(levels)), 0.0, 1.0, integer=True)
    blocks.rows("one level of equal odds", ["company"], Linear.total(choice), 1.0, 1.0, kept=True)
    soft = np.array([r in problem.locks.bound for r in at])
    rows, cols = np.repeat(np.arange(len(at)), levels), np.tile(choice, len(at))
    for bound, sign in ((high, 1.0), (low, -1.0)):
        limit = Linear.of(len(at), rows, cols, bound[:, at].T.ravel() / unit)
        row = ((q - gain).pick(at) - limit).times(sign)
        blocks.rows("equal_odds", names, row, upper=0.0, giving_way=soft)


def odds_bounds(problem: AllocationProblem, rule: EqualOdds) -> tuple[Floats, Floats]:
    """Least and largest quota less gain at each level of the chance, each [levels, R], minor units.

    At level k, at least k and at most k + width * N of the N simulated horizons make the quota.
    """
    ordered = np.sort(problem.samples, axis=0)[::-1]
    count = len(ordered)
    wide = math.floor(rule.width * count + 1e-9)
    far = float(np.abs(ordered).max()) + 2 * problem.total
    open_ends = np.vstack([np.full_like(ordered[:1], far), ordered])
    beyond = np.vstack([ordered + 1.0, np.full_like(ordered[:1], -far)])
    levels = np.arange(count - wide + 1)
    return beyond[levels + wide], open_ends[levels]


def group_parity(
    blocks: Blocks,
    problem: AllocationProblem,
    rule: GroupParity,
    keep: Bools,
    q: Linear,
    potential: Linear,
) -> None:
    """The quotas of a group against its potential at the company's ratio, on both sides."""
    name, ratio = parity_name(rule), company_ratio(problem)
    soft = _locked(problem, keep)
    for group, members in problem.members_by(rule.by, keep).items():
        carried, whole = q.pick(members).summed(), potential.pick(members).summed().times(ratio)
        high, low = carried - whole.times(1 + rule.tolerance), carried - whole.times(1 - rule.tolerance)
        blocks.rows(name, [group], high, upper=0.0, loosen=whole, giving_way=soft)
        blocks.rows(name, [group], low, lower=0.0, loosen=whole, giving_way=soft)


def parity_name(rule: GroupParity) -> str:
    """Each way to group people has rows of its own."""
    return f"group_parity_{rule.by}"


def _locked(problem: AllocationProblem, keep: Bools) -> Bools:
    return np.array([any(keep[r] for r in problem.locks.bound)])
