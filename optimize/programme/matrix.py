"""The canonical matrix of a programme: what every emitter must hand to its solver, whatever the order of entries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimize.programme.blocks import Floats, Programme

Index = NDArray[np.int32]


@dataclass(frozen=True)
class Matrix:
    """``lower <= A x <= upper`` by columns: duplicates summed, zeros left out, constants moved to the sides.

    Attributes:
        start: of each column's entries, [columns + 1].
        row, value: of the entries, rows rising within a column.
        lower, upper: sides of all rows, block after block.
    """

    start: Index
    row: Index
    value: Floats
    lower: Floats
    upper: Floats

    def same_pattern(self, other: Matrix) -> bool:
        """Whether the entries stand in the same places."""
        return np.array_equal(self.start, other.start) and np.array_equal(self.row, other.row)


def matrix(programme: Programme) -> Matrix:
    """The canonical matrix of a programme."""
    counts = [rows.expression.count for rows in programme.rows]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    nothing = np.zeros(0, dtype=np.int32)
    parts = [rows.expression for rows in programme.rows]
    placed = [part.row + offset for part, offset in zip(parts, offsets, strict=False)]
    row = np.concatenate([nothing, *placed], dtype=np.int32, casting="same_kind")
    col = np.concatenate([nothing, *(part.col for part in parts)], dtype=np.int32, casting="same_kind")
    value = np.concatenate([np.zeros(0), *(part.coef for part in parts)])
    constant = np.concatenate([np.zeros(0), *(part.constant for part in parts)])
    lower = np.concatenate([np.zeros(0), *(rows.lower for rows in programme.rows)]) - constant
    upper = np.concatenate([np.zeros(0), *(rows.upper for rows in programme.rows)]) - constant
    return Matrix(*_by_column(programme.size, int(offsets[-1]), row, col, value), lower, upper)


def _by_column(size: int, rows: int, row: Index, col: Index, value: Floats) -> tuple[Index, Index, Floats]:
    from scipy.sparse import coo_array

    # Rising rows within a column and summed duplicates: the form does not depend on who added an entry first.
    made = coo_array((value, (row, col)), shape=(rows, size)).tocsc()
    made.sum_duplicates()
    if not made.data.all():
        made.eliminate_zeros()
    start, index = (at.astype(np.int32, copy=False) for at in (made.indptr, made.indices))
    return start, index, np.asarray(made.data, dtype=np.float64)
