"""The trace of a closed loop as lines for a terminal and as a table for files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from experiments.loop_words import loop_phrase, loop_step
from experiments.money import Language, plain, table_scale
from experiments.words import word
from quotalab.columns import aligned
from scenarios.base import MINOR_PER_MAJOR

if TYPE_CHECKING:
    import pandas as pd

    from optimize.loop.trace import LoopResult, Round

COLUMNS = ("round", "step", "promised", "simulated", "change", "t", "verdict")
BEGINNING = "where the loop begins"
"""The reason of the first start, which is compared with nothing."""


def trace_table(found: LoopResult, currency: str) -> pd.DataFrame:
    """One row a round; sales in currency units, shares as shares, leads that may move in points of a source's."""
    return round_table(found.trace, found.objective == "sales", currency)


def round_table(rounds: Sequence[Round], sales: bool, currency: str) -> pd.DataFrame:
    """The same of rounds alone.

    Args:
        sales: whether their objective is money, in minor units.
    """
    import pandas as pd

    unit = float(MINOR_PER_MAJOR) if sales else 1.0
    return pd.DataFrame([_row(row, unit) | {"unit": currency if sales else "share"} for row in rounds])


def trace_text(found: LoopResult, currency: str, language: Language) -> str:
    """The trace, what it cost and why it ended, in lines."""
    return "\n".join(_lines(found, currency, language))


def _lines(found: LoopResult, currency: str, language: Language) -> Iterator[str]:
    shown, unit = _form(found, currency, language)
    yield word("loop.trace_sales" if unit else "loop.trace_share", language, unit=unit)
    rows = [[word(f"loop.trace_{column}", language) for column in COLUMNS]]
    rows += [_cells(row, shown, language) for row in found.trace]
    yield from (f"  {line}" for line in aligned(rows, texts=(1, len(COLUMNS) - 1)))
    cost = found.cost
    worth = f"{cost.response_runs:.2g}"
    more = word("loop.trace_more", language, runs=worth) if cost.response_years else ""
    spent = {"rounds": found.rounds, "runs": cost.runs, "years": cost.replications, "more": more}
    yield "  " + word("loop.trace_cost", language, **spent)
    yield "  " + word("loop.stopped", language, why=loop_phrase(found.stopped, language))
    if found.quota_years > cost.replications:
        yield "  " + word("loop.trace_fitted", language, years=found.quota_years)
    worst = [row.response_error for row in found.trace if row.response_error is not None]
    if worst:
        yield "  " + word("loop.trace_error", language, error=f"{100 * worst[-1]:.0f} %")


def _form(found: LoopResult, currency: str, language: Language) -> tuple[Callable[..., str], str]:
    """How the objective is written, and its unit where it is money."""
    if found.objective != "sales":
        return lambda value, signed=False: plain(100 * value, 2, signed=signed), ""
    most = max((abs(row.simulated) for row in found.trace if row.simulated is not None), default=0.0)
    scale = table_scale(round(most), language, currency)
    finer = replace(scale, decimals=scale.decimals + 1)
    return finer.number, scale.name


def _cells(row: Round, shown: Callable[..., str], language: Language) -> list[str]:
    verdict = word("loop.yes" if row.accepted else "loop.no", language)
    return [
        str(row.number) if row.number else word("loop.start", language),
        loop_step(row.step, language),
        "" if row.promise is None else shown(row.promise),
        "-" if row.simulated is None else shown(row.simulated),
        "" if row.gain is None or row.reason == BEGINNING else shown(row.gain, signed=True),
        "" if row.t is None or row.reason == BEGINNING else plain(row.t, 1, signed=True),
        verdict + word("page.comma", language) + loop_phrase(row.reason, language),
    ]


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
