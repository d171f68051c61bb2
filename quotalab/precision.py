"""What a run until a precision came to, as a table and in words."""

from __future__ import annotations

from math import isfinite

import pandas as pd

from experiments.money import Language, plain
from sim.until import Reached, Until

LABELS: dict[str, tuple[str, str]] = {
    "years": ("simulated years at each look", "各次检查时的模拟年数"),
    "met": ("as precise as wanted", "已达到精度要求"),
    "missed": ("NOT as precise as wanted: the maximum was reached first", "未达到精度要求: 已到最大年数"),
    "wanted": ("wanted", "要求"),
}
"""Words of this page: key -> (English, 中文)."""


def precision_table(run: Until) -> pd.DataFrame:
    """One row a goal: estimate, half-width wanted and reached (95 %), money in currency units; empty if infinite."""
    return pd.DataFrame(
        [
            {
                "figure": row.goal.name,
                "estimate": row.estimate,
                "half_width_wanted": row.wanted,
                "half_width_reached": row.half_width if isfinite(row.half_width) else None,
                "met": row.met,
                "replications": run.looks[-1],
            }
            for row in run.reached
        ]
    )


def precision_text(run: Until, language: Language) -> str:
    """``revenue: 1,871,200 ± 72,487 (wanted ± 74,848), as precise as wanted``, a line a goal."""
    chinese = language == "zh"
    lines = [f"{LABELS['years'][chinese]}: {', '.join(map(str, run.looks))}"]
    for row in run.reached:
        shown = [_number(value, row) for value in (row.estimate, row.half_width, row.wanted)]
        word = LABELS["met" if row.met else "missed"][chinese]
        lines.append(f"  {row.goal.name}: {shown[0]} ± {shown[1]} ({LABELS['wanted'][chinese]} ± {shown[2]}), {word}")
    return "\n".join(lines)


def _number(value: float, row: Reached) -> str:
    """With as many decimals as show the half-width wanted to two or three digits."""
    if not isfinite(value):
        return "∞"
    size = abs(row.wanted)
    decimals = next((places for places in range(7) if size * 10**places >= 10), 7)
    return plain(value, decimals)
