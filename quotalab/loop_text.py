"""The trace of a closed loop as lines for a terminal and as a table for files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from scenarios.base import MINOR_PER_MAJOR

if TYPE_CHECKING:
    import pandas as pd

    from optimize.loop.trace import LoopResult, Round


def trace_table(found: LoopResult) -> pd.DataFrame:
    """One row a round; sales in currency units, shares as shares, leads that may move in points of a source's."""
    return round_table(found.trace, found.objective == "sales")


def round_table(rounds: Sequence[Round], sales: bool) -> pd.DataFrame:
    """The same of rounds alone.

    Args:
        sales: whether their objective is money, in minor units.
    """
    import pandas as pd

    unit = float(MINOR_PER_MAJOR) if sales else 1.0
    return pd.DataFrame([_row(row, unit) for row in rounds])


def trace_text(found: LoopResult) -> str:
    """The trace, what it cost and why it ended, in lines."""
    return "\n".join(_lines(found))


def _lines(found: LoopResult) -> Iterator[str]:
    sales = found.objective == "sales"
    unit, form = (1_000.0 * MINOR_PER_MAJOR, ",.1f") if sales else (0.01, ".2f")
    told = "sales in thousands" if sales else "attained share in per cent"
    yield f"closed loop, {told}: promised -> simulated (change on the same years, t)"
    for row in found.trace:
        promised = "" if row.promise is None else f"{row.promise / unit:{form}} -> "
        simulated = "-" if row.simulated is None else f"{row.simulated / unit:{form}}"
        change = "" if row.gain is None else f" ({row.gain / unit:+{form}}, t {row.t or 0.0:.1f})"
        taken = "kept" if row.accepted else "not kept"
        yield f"  {row.number:>2} {row.step}: {promised}{simulated}{change}; {taken}: {row.reason}"
    cost = found.cost
    more = f" and {cost.response_runs:.2g} runs' worth of differences" if cost.response_years else ""
    yield f"  {found.rounds} rounds, {cost.runs} runs of {cost.replications} years{more}; ended: {found.stopped}"
    if found.quota_years > cost.replications:
        yield f"  quotas of the final plan fitted to {found.quota_years} years"
    worst = [row.response_error for row in found.trace if row.response_error is not None]
    if worst:
        yield f"  error of the responses against simulated differences: {100 * worst[-1]:.0f} % of their size"


def _row(row: Round, unit: float) -> dict[str, Any]:
    def scaled(value: float | None) -> float | None:
        return None if value is None else value / unit

    region = row.region
    return {
        "round": row.number,
        "step": row.step,
        "promised": scaled(row.promise),
        "simulated": scaled(row.simulated),
        "change": scaled(row.gain),
        "t": row.t,
        "accepted": row.accepted,
        "reason": row.reason,
        "most_hours": None if region is None or region.hours == float("inf") else region.hours,
        "most_moves": None if region is None else region.moves,
        "most_care": None if region is None or region.care == float("inf") else region.care,
        "most_leads": None if region is None or region.leads == float("inf") else region.points,
        "responses": row.responses,
        "response_error": row.response_error,
        "broken": "; ".join(row.broken),
        "runs": row.runs,
        "seconds": round(row.seconds, 3),
    }
