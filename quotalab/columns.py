"""Columns of a terminal, in which a Chinese sign is as wide as two others."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence


def width(text: str) -> int:
    """How many columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def left(text: str, wide: int) -> str:
    """The text, filled up behind it."""
    return text + " " * (wide - width(text))


def right(text: str, wide: int) -> str:
    """The text, filled up before it."""
    return " " * (wide - width(text)) + text


def aligned(rows: Sequence[Sequence[str]], *, texts: Collection[int] = ()) -> list[str]:
    """Rows of cells as lines: each column as wide as its widest cell, figures to the right.

    In a row of fewer cells the last one is a remark in the place of all that it lacks, and widens no column.

    Args:
        texts: columns that are no figures, which begin at the left.
    """
    most = max((len(row) for row in rows), default=0)
    whole = [row for row in rows if len(row) == most]
    wide = [max(width(row[place]) for row in whole) for place in range(most)]
    lines = []
    for row in rows:
        own = len(row) if len(row) == most else len(row) - 1
        cells = [(left if place in texts else right)(row[place], wide[place]) for place in range(own)]
        lines.append("  ".join([*cells, *row[own:]]).rstrip())
    return lines
