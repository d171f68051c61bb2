"""All figures in one place; each returns a :class:`Drawing` that writes SVG and PNG."""

from __future__ import annotations

from experiments.figures.frontier import frontier_figure
from experiments.figures.people import attainment_figure, funnel, quota_potential, workload
from experiments.figures.plans import RangeRow, plan_differences, trade_figure, year_ranges
from experiments.figures.style import LABELS, Drawing, MissingGlyphs

__all__ = [
    "LABELS",
    "Drawing",
    "MissingGlyphs",
    "RangeRow",
    "attainment_figure",
    "frontier_figure",
    "funnel",
    "plan_differences",
    "quota_potential",
    "trade_figure",
    "workload",
    "year_ranges",
]
