"""What a calibration rests on: the stretch of time it may use, and a record of where each parameter comes from."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd

from history.arrivals import Arrivals, daily_arrivals
from history.compare import coverage
from history.crm import History
from scenarios.errors import Problem, refuse_if

Grade = Literal["measured", "fitted", "prior", "assumed"]
Trust = Literal["high", "medium", "low"]
Horizon = Literal["month", "quarter", "half", "year"]

MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_LONG_DAYS = 180
"""Histories that show at least this many days of arrivals are carried a whole year ahead by default."""
_GAP_DAYS = 7
"""An export without a new case for longer than this before its data date was cut by the cases' beginning."""
_FEWEST_DECIDED = 30
_FEWEST_WINS = 5


@dataclass(frozen=True, eq=False)
class Basis:
    """The stretch of time that a calibration rests on.

    Attributes:
        history: what is calibrated.
        arrivals: daily arrivals of the whole company.
        known: the moment as of which the opening pipeline is taken: the end of the last day that shows all
            creations. Rates may use what is known later.
        start, end: first day of the simulated horizon, and first day after it.
        sales_begin, sales_end: the moments between which the export shows all closings, at most one horizon long.
    """

    history: History
    arrivals: Arrivals
    known: pd.Timestamp
    start: date
    end: date
    sales_begin: pd.Timestamp
    sales_end: pd.Timestamp

    @property
    def days(self) -> int:
        """Days of the horizon."""
        return (self.end - self.start).days

    @property
    def sales_days(self) -> float:
        """Days in which all closings are known, at most the horizon's."""
        return (self.sales_end - self.sales_begin) / pd.Timedelta(days=1)


def basis_of(history: History, horizon: Horizon | None) -> Basis:
    """The time that a history covers, and the horizon that follows on it.

    Args:
        horizon: empty means a year after half a year of arrivals or more, else a quarter.

    Raises:
        InputRefused: too few deals to calibrate anything, or an unknown horizon.
    """
    refuse_if(_too_thin(history, horizon))
    arrivals = daily_arrivals(history)
    last = history.opportunities["created"].max()
    cut = history.snapshot - last > pd.Timedelta(days=_GAP_DAYS)
    last_day = arrivals.last if cut else history.snapshot.tz_localize(None).normalize()
    start = last_day + pd.Timedelta(days=1)
    if horizon is None:
        horizon = "year" if arrivals.days >= _LONG_DAYS else "quarter"
    end = start + pd.DateOffset(months=MONTHS[horizon])
    known = start.tz_localize(history.time_zone) - pd.Timedelta(milliseconds=1)
    _, (closed_from, _) = coverage(history)
    begin = max(closed_from, start - (end - start)).tz_localize(history.time_zone)
    return Basis(history, arrivals, known, start.date(), end.date(), min(begin, known), known)


def _too_thin(history: History, horizon: str | None) -> Iterator[Problem]:
    if horizon is not None and horizon not in MONTHS:
        yield Problem("horizon", str(horizon), f"must be one of {', '.join(MONTHS)}")
    deals = history.opportunities
    decided = int((deals["outcome"] != "open").sum())
    if decided < _FEWEST_DECIDED:
        rule = f"at least {_FEWEST_DECIDED} won or lost deals are needed to calibrate anything"
        yield Problem("history", f"{decided} decided deals", rule, "use a longer export")
    priced = int(((deals["outcome"] == "won") & (deals["value_minor"].fillna(0) > 0)).sum())
    if priced < _FEWEST_WINS:
        rule = f"at least {_FEWEST_WINS} won deals with a value are needed"
        yield Problem("history", f"{priced} won deals with a value", rule, "map the column that holds the signed value")
    if deals["rep"].isna().all():
        yield Problem("history", "", "at least one opportunity needs a rep", "map the column that names the rep")


def open_then(basis: Basis) -> pd.Series:
    """Which opportunities had begun and not ended at the moment of the opening pipeline."""
    deals = basis.history.opportunities
    return (deals["created"] <= basis.known) & ~(deals["closed"] <= basis.known)


class Evidence:
    """Collects one provenance row per parameter."""

    def __init__(self, basis: Basis) -> None:
        history = basis.history
        self.rows: list[dict[str, Any]] = []
        self._source = ", ".join(f"{file.name} ({file.sha256[:8]})" for file in history.source_files) or "history"
        self._date = str(history.snapshot.date())

    def measured(
        self,
        path: str,
        value: object,
        rows: int,
        interval: tuple[float, float] | None = None,
        *,
        grade: Grade = "measured",
        trust: Trust = "high",
        note: str = "",
    ) -> None:
        """A parameter read or fitted from ``rows`` rows of the export; ``interval`` is its 95 % interval."""
        low, high = interval if interval is not None else (None, None)
        self._add(path, value, self._source, grade, trust, note, rows, low, high)

    def assumed(self, path: str, value: object, source: str, note: str = "", *, grade: Grade = "assumed") -> None:
        """A parameter that the export does not hold."""
        self._add(path, value, source, grade, "low", note, None, None, None)

    def _add(
        self,
        path: str,
        value: object,
        source: str,
        grade: Grade,
        trust: Trust,
        note: str,
        rows: int | None,
        low: float | None,
        high: float | None,
    ) -> None:
        row = {
            "path": path,
            "value": f"{value:.6g}" if isinstance(value, float) else str(value),
            "low": None if low is None else float(f"{low:.6g}"),
            "high": None if high is None else float(f"{high:.6g}"),
            "source": source,
            "date": self._date,
            "rows": rows,
            "grade": grade,
            "trust": trust,
            "note": note,
        }
        self.rows.append({key: cell for key, cell in row.items() if cell is not None and cell != ""})


def clean_ids(names: Iterable[str]) -> dict[str, str]:
    """An id for each name: signs that no id may hold become ``_``; names that would become alike get a number."""
    taken: set[str] = set()
    ids: dict[str, str] = {}
    for name in names:
        if name in ids:
            continue
        text = unicodedata.normalize("NFC", name)
        text = "".join("_" if sign in "[]=*;" or unicodedata.category(sign)[0] == "C" else sign for sign in text)
        stem = text.strip()[:110].strip() or "unnamed"
        candidate, number = stem, 2
        while candidate in taken:
            candidate, number = f"{stem} ({number})", number + 1
        taken.add(candidate)
        ids[name] = candidate
    return ids
