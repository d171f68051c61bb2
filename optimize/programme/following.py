"""Columns that follow others in proportion: a restriction of a programme that a search gets through far sooner."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.programme.blocks import Floats, Ints, Linear, Programme


def following(programme: Programme, columns: Ints, leaders: Ints, ratio: Floats) -> Programme:
    """The programme where each of ``columns`` is ``ratio`` times its leader.

    The columns stay in their places, at zero and without entries; what they would be is written on the leaders. Any
    solution is one of the programme itself as soon as the columns are given their multiples of the leaders, where
    these lie within the columns' own bounds.
    """
    lead, times = np.arange(programme.size), np.ones(programme.size)
    lead[columns], times[columns] = leaders, ratio
    objective = np.zeros(programme.size)
    np.add.at(objective, lead, programme.objective * times)
    lower, upper = programme.lower.copy(), programme.upper.copy()
    lower[columns] = upper[columns] = 0.0
    rows = []
    for block in programme.rows:
        e = block.expression
        rows.append(replace(block, expression=Linear(e.row, lead[e.col], e.coef * times[e.col], e.constant)))
    return replace(programme, objective=objective, lower=lower, upper=upper, rows=tuple(rows))
