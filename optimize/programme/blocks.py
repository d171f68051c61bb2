"""A linear programme as labelled arrays: parts add columns and rows, an emitter hands them to a solver once.

Every column and row keeps the name of the part or rule that made it and the labels of its subjects, so that values
and duals come back under the same labels. The sense is always *maximise*.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

BROKEN = "broken "
"""Begins the names of columns by which a rule gives way to a lock."""
PENALTY = 1_000.0
"""Price of breaking a unit of a row that gives way to a lock; far above any slope of the objective."""


@dataclass(frozen=True)
class Linear:
    """``count`` linear expressions: expression ``row[i]`` holds ``coef[i]`` times column ``col[i]``, plus constants."""

    row: Ints
    col: Ints
    coef: Floats
    constant: Floats

    @property
    def count(self) -> int:
        """How many expressions."""
        return len(self.constant)

    @classmethod
    def of(cls, count: int, row: Ints, col: Ints, coef: Floats | float, constant: Floats | float = 0.0) -> Linear:
        """Expressions from entries; scalars are repeated."""
        row, col = np.asarray(row, dtype=np.int64), np.asarray(col, dtype=np.int64)
        return cls(row, col, _each(coef, len(row)), _each(constant, count))

    @classmethod
    def columns(cls, cols: Ints, coef: Floats | float = 1.0) -> Linear:
        """One expression per column."""
        return cls.of(len(cols), np.arange(len(cols)), cols, coef)

    @classmethod
    def total(cls, cols: Ints, coef: Floats | float = 1.0) -> Linear:
        """One expression: the weighted sum of the columns."""
        return cls.of(1, np.zeros(len(cols), dtype=np.int64), cols, coef)

    @classmethod
    def constants(cls, values: Floats) -> Linear:
        """Expressions without columns."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, np.zeros(0), np.asarray(values, dtype=np.float64))

    def __add__(self, other: Linear) -> Linear:
        constant = self.constant + other.constant
        if not len(self.row) or not len(other.row):
            entries = self if len(self.row) else other
            return Linear(entries.row, entries.col, entries.coef, constant)
        return Linear(
            np.concatenate([self.row, other.row]),
            np.concatenate([self.col, other.col]),
            np.concatenate([self.coef, other.coef]),
            constant,
        )

    def __sub__(self, other: Linear) -> Linear:
        return self + other.times(-1.0)

    def times(self, factor: Floats | float) -> Linear:
        """Each expression times its factor."""
        by_row = np.broadcast_to(np.asarray(factor, dtype=np.float64), (self.count,))
        return Linear(self.row, self.col, self.coef * by_row[self.row], self.constant * by_row)

    def pick(self, keep: Ints) -> Linear:
        """The expressions at these positions, in this order."""
        if np.array_equal(keep, np.arange(self.count)):
            return self
        place = np.full(self.count, -1, dtype=np.int64)
        place[keep] = np.arange(len(keep))
        inside = place[self.row] >= 0
        return Linear(place[self.row[inside]], self.col[inside], self.coef[inside], self.constant[keep])

    def summed(self) -> Linear:
        """One expression: the sum of all."""
        return Linear(np.zeros_like(self.row), self.col, self.coef, np.array([self.constant.sum()]))

    def at(self, values: Floats) -> Floats:
        """Values of the expressions where the columns have these values."""
        out = self.constant.copy()
        return out + np.bincount(self.row, weights=self.coef * values[self.col], minlength=self.count)


def _each(figures: Floats | float, count: int) -> Floats:
    """One figure each; a scalar is repeated."""
    if np.ndim(figures) == 0:
        return np.full(count, figures, dtype=np.float64)
    return np.asarray(np.broadcast_to(np.asarray(figures, dtype=np.float64), (count,)))


@dataclass(frozen=True)
class Rows:
    """Rows of one rule: ``lower <= expression <= upper``.

    Attributes:
        rule: name of the rule, total or part.
        subjects: whom each row is about.
        loosen: how much room one unit of loosening of the rule gives each row, at its limit; None where that has no
            meaning.
        kept: whether the rows always hold (structure), so that they are never named in a conflict.
        bend: how many times ``loosen`` the room is by amount of loosening, infinite where the rule then limits nothing;
            None where it is as many times as the amount says.
    """

    rule: str
    subjects: tuple[str, ...]
    expression: Linear
    lower: Floats
    upper: Floats
    loosen: Linear | None
    kept: bool
    bend: Callable[[float], float] | None = None

    def loosened(self, amount: float) -> Rows:
        """The rows with room for an amount of loosening, in the rule's own number."""
        if self.loosen is None:
            return self
        times = amount if self.bend is None else self.bend(amount)
        if math.isinf(times):
            return replace(self, lower=np.full_like(self.lower, -np.inf), upper=np.full_like(self.upper, np.inf))
        # Only one side of a rule's row is finite; the room goes to the other side of the inequality.
        sign = np.where(np.isfinite(self.upper), -1.0, 1.0)
        return replace(self, expression=self.expression + self.loosen.times(times).times(sign))


@dataclass(frozen=True)
class Columns:
    """Columns of one part, with labels."""

    name: str
    labels: Sequence[object]
    index: Ints


@dataclass(frozen=True)
class OrderedLimit:
    """The sum over pairs of differences of ``ratios`` is at most ``most`` times their number times their sum.

    Attributes:
        size: units of money in one unit of the sum over pairs.
        slack: column by which the rule gives way to a lock; -1 without.
    """

    rule: str
    ratios: Linear
    most: float
    size: float
    slack: int = -1


@dataclass(frozen=True)
class Programme:
    """Maximise ``objective @ x + constant`` subject to bounds, integrality and rows.

    Attributes:
        ordered: limits of which rows hold only some orders; see :mod:`optimize.programme.ordered`.
    """

    columns: tuple[Columns, ...]
    lower: Floats
    upper: Floats
    objective: Floats
    integer: Bools
    rows: tuple[Rows, ...]
    constant: float
    ordered: tuple[OrderedLimit, ...] = ()

    @property
    def size(self) -> int:
        """How many columns."""
        return len(self.lower)

    def block(self, name: str) -> Columns:
        """The columns of a part."""
        return next(block for block in self.columns if block.name == name)

    def has(self, name: str) -> bool:
        """Whether a part made columns under this name."""
        return any(block.name == name for block in self.columns)

    def without(self, rules: Sequence[str]) -> Programme:
        """The programme without the rows of these rules."""
        return replace(self, rows=tuple(rows for rows in self.rows if rows.rule not in rules or rows.kept))

    def fixed(self, columns: Ints, values: Floats) -> Programme:
        """The programme with columns fixed at values; fixed columns are no longer integer."""
        lower, upper, integer = self.lower.copy(), self.upper.copy(), self.integer.copy()
        lower[columns] = upper[columns] = values
        integer[columns] = False
        return replace(self, lower=lower, upper=upper, integer=integer)

    def loosened(self, rule: str, amount: float) -> Programme:
        """The programme with one rule loosened by an amount in the rule's unit."""
        return replace(self, rows=tuple(rows.loosened(amount) if rows.rule == rule else rows for rows in self.rows))

    def elastic(self, rule: str) -> Programme:
        """Minimise by how much one rule gives way, in its own number; the objective is minus that amount.

        Rules whose rows are equations give way in both directions, others on both sides by the same amount. The rule's
        room must not depend on other columns, and grow in proportion.
        """
        column = self.size
        blocks = [block for block in self.rows if block.rule == rule]
        equal = any((np.isfinite(block.lower) & np.isfinite(block.upper)).any() for block in blocks)
        down, up = column, column + 1 if equal else column
        rows = []
        for block in self.rows:
            if block.rule != rule:
                rows.append(block)
                continue
            count = len(block.subjects)
            room = block.loosen.constant if block.loosen is not None else np.ones(count)
            every = np.arange(count)
            less = Linear.of(count, every, np.full(count, down), -room)
            more = Linear.of(count, every, np.full(count, up), room)
            expression = block.expression
            expression = expression + less if np.isfinite(block.upper).any() else expression
            expression = expression + more if np.isfinite(block.lower).any() else expression
            rows.append(replace(block, expression=expression))
        return Programme(
            (*self.columns, Columns("gives way", ("down", "up"), np.array([column, column + 1]))),
            np.append(self.lower, [0.0, 0.0]),
            np.append(self.upper, [np.inf, np.inf]),
            np.append(np.zeros(self.size), [-1.0, -1.0]),
            np.append(self.integer, [False, False]),
            tuple(rows),
            0.0,
        )

    def relaxed_objective(self) -> Programme:
        """The same rows without an objective: a question of feasibility."""
        return replace(self, objective=np.zeros_like(self.objective), constant=0.0)

    def violation(self, values: Floats) -> float:
        """Largest violation of any bound or row at these values."""
        worst = max(float(np.max(self.lower - values, initial=0)), float(np.max(values - self.upper, initial=0)))
        for rows in self.rows:
            at = rows.expression.at(values)
            worst = max(worst, float(np.max(rows.lower - at, initial=0)), float(np.max(at - rows.upper, initial=0)))
        return worst


class Blocks:
    """Collects columns and rows from the parts."""

    def __init__(self) -> None:
        self._columns: list[Columns] = []
        self._rows: list[Rows] = []
        self._figures: list[tuple[Ints, Floats | float, Floats | float, Floats | float, bool]] = []
        self._rewards: list[tuple[Ints, Floats]] = []
        self._size = 0
        self._constant = 0.0
        self._ordered: list[OrderedLimit] = []

    def columns(
        self,
        name: str,
        labels: Sequence[object],
        lower: Floats | float,
        upper: Floats | float,
        objective: Floats | float = 0.0,
        integer: bool = False,
    ) -> Ints:
        """Add columns, one per label; returns their positions."""
        count = len(labels)
        index = np.arange(self._size, self._size + count)
        # Lists may change later; labels in words of their own are made only where somebody reads them.
        held = tuple(labels) if isinstance(labels, list) else labels
        self._columns.append(Columns(name, held, index))
        self._figures.append((index, lower, upper, objective, integer))
        self._size += count
        return index

    def rows(
        self,
        rule: str,
        subjects: Sequence[str],
        expression: Linear,
        lower: Floats | float = -np.inf,
        upper: Floats | float = np.inf,
        *,
        loosen: Linear | None = None,
        bend: Callable[[float], float] | None = None,
        kept: bool = False,
        giving_way: Bools | None = None,
    ) -> None:
        """Add rows ``lower <= expression <= upper``, one per subject.

        Args:
            giving_way: rows that may be broken at a high price, since a lock comes before them.
        """
        count = len(subjects)
        if count == 0:
            return
        low = np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)).copy()
        high = np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)).copy()
        soft = np.flatnonzero(giving_way) if giving_way is not None else np.zeros(0, dtype=np.int64)
        if len(soft):
            labels = [subjects[i] for i in soft.tolist()]
            for sign, side in ((1.0, low), (-1.0, high)):
                if np.isfinite(side[soft]).any():
                    slack = self.columns(f"{BROKEN}{rule}", labels, 0.0, np.inf, -PENALTY)
                    expression = expression + Linear.of(count, soft, slack, sign)
        self._rows.append(Rows(rule, tuple(subjects), expression, low, high, loosen, kept, bend))

    def ordered(self, rule: str, ratios: Linear, most: float, size: float, *, giving_way: bool) -> None:
        """Add a limit on the sum over pairs of differences, to be held by cuts."""
        slack = self.columns(f"{BROKEN}{rule}", ["company"], 0.0, np.inf, -PENALTY)[0] if giving_way else -1
        self._ordered.append(OrderedLimit(rule, ratios, most, size, int(slack)))

    def add_constant(self, value: float) -> None:
        """Add to the objective."""
        self._constant += value

    def reward(self, expression: Linear, factor: float = 1.0) -> None:
        """Add the sum of expressions to the objective."""
        self._rewards.append((expression.col, factor * expression.coef))
        self._constant += factor * float(expression.constant.sum())

    def programme(self) -> Programme:
        """What was collected."""
        lower, upper, objective = (np.zeros(self._size) for _ in range(3))
        whole = np.zeros(self._size, dtype=np.bool_)
        for index, least, most, worth, integer in self._figures:
            at = slice(int(index[0]), int(index[-1]) + 1) if len(index) else slice(0)
            lower[at], upper[at], objective[at], whole[at] = least, most, worth, integer
        for col, coef in self._rewards:
            np.add.at(objective, col, coef)
        columns, rows, ordered = tuple(self._columns), tuple(self._rows), tuple(self._ordered)
        return Programme(columns, lower, upper, objective, whole, rows, self._constant, ordered)
