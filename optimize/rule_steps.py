"""Where it makes a difference by how much a rule gives way whose rows add up whole steps."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from optimize.problem import Floats
from optimize.programme.blocks import BROKEN, Linear, Programme, Rows

CLOSE = 1e-9
"""Share of a step by which a sum may miss a whole number of them."""


@dataclass(frozen=True)
class Steps:
    """Amounts of loosening at which a row takes in one more whole step: between two of them nothing changes.

    Attributes:
        first: one of them for each row; apart: how far the next one lies, infinite where there is no other.
        least, most: the amounts below which nothing fits a row, and from which on it says nothing more.
    """

    first: Floats
    apart: Floats
    least: Floats
    most: Floats

    def up_to(self, amount: float) -> float:
        """The largest of them that an amount reaches, which does the same; zero where it reaches none."""
        whole = np.floor((amount - self.first) / self.apart + CLOSE)
        reached = self.first + whole * np.where(np.isfinite(self.apart), self.apart, 0.0)
        reached = np.minimum(reached, self.most)
        close = CLOSE * (1.0 + abs(amount))
        taken = (reached <= amount + close) & (reached >= self.least - close)
        return float(np.max(reached[taken], initial=0.0))

    def below(self, amount: float) -> float:
        """The largest of them that is less than an amount."""
        return self.up_to(amount - 1e-6 * float(np.min(self.apart, initial=1.0)))


def steps_of(programme: Programme, rule: str) -> Steps | None:
    """The steps of a rule's rows, without those that give way to a lock; None where they sum more than whole steps."""
    found = [_steps(programme, rows) for rows in programme.rows if rows.rule == rule]
    told = [steps for steps in found if steps is not None]
    if not told or len(told) < len(found):
        return None
    return Steps(*(np.concatenate([getattr(one, field.name) for one in told]) for field in fields(Steps)))


def _steps(programme: Programme, rows: Rows) -> Steps | None:
    if rows.loosen is None or rows.bend is not None or len(rows.loosen.col) or not (rows.loosen.constant > 0).all():
        return None
    slack = np.zeros(programme.size, dtype=np.bool_)
    for block in programme.columns:
        slack[block.index] = block.name.startswith(BROKEN)
    soft = np.zeros(len(rows.subjects), dtype=np.bool_)
    soft[rows.expression.row[slack[rows.expression.col]]] = True
    hard = np.flatnonzero(~soft)
    sums = rows.expression.pick(hard)
    if not programme.integer[sums.col].all():
        return None
    step = np.full(len(hard), np.inf)
    np.minimum.at(step, sums.row, np.abs(sums.coef))
    times = np.abs(sums.coef) / step[sums.row]
    if (np.abs(times - np.round(times)) > CLOSE).any():
        return None
    room, upper, lower = rows.loosen.constant[hard], rows.upper[hard], rows.lower[hard]
    above = np.isfinite(upper)
    first = np.where(above, sums.constant - upper, lower - sums.constant)
    smallest, largest = _ends(programme, sums)
    least, most = np.where(above, [smallest - upper, largest - upper], [lower - largest, lower - smallest])
    return Steps(first / room, step / room, least / room, most / room)


def _ends(programme: Programme, sums: Linear) -> tuple[Floats, Floats]:
    """The least and the largest that sums can be by the bounds of their columns."""
    ends = sums.coef * programme.lower[sums.col], sums.coef * programme.upper[sums.col]
    low, high = sums.constant.copy(), sums.constant.copy()
    np.add.at(low, sums.row, np.minimum(*ends))
    np.add.at(high, sums.row, np.maximum(*ends))
    return low, high
