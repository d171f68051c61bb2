"""Text cells into instants, amounts and words, exactly and without guessing.

Every parser returns its values together with a mask of the cells it could not understand; deciding what to do
about them is the business of the caller.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pandas as pd

from history.mapping import Money
from scenarios.base import MINOR_PER_MAJOR

_OFFSET = re.compile(r"[T ].*(?:Z|[+-]\d\d:?\d\d)$")


def instants(cells: pd.Series, formats: tuple[str, ...], time_zone: str) -> tuple[pd.Series, pd.Series, int]:
    """Dates and times as instants in ``time_zone`` with millisecond resolution.

    Args:
        cells: text; an empty cell is a missing date, not a bad one.
        formats: ``iso`` or strptime formats, tried in order; the first that fits a cell is used.
        time_zone: zone of cells that name none.

    Returns:
        ``(times, bad, shifted)``: times of dtype ``datetime64[ms, time_zone]``, the mask of non-empty cells
        that fit no format, and the number of local times that do not exist or exist twice because a clock
        was changed (the later clock, or the standard time, was taken).
    """
    text = cells.str.strip()
    given = text != ""
    result = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[ms, UTC]")
    shifted = 0
    offset = text.str.contains(_OFFSET)
    for fmt in formats:
        layout = "ISO8601" if fmt == "iso" else fmt
        for aware in (True, False):
            left = given & result.isna() & (offset == aware)
            if not left.any():
                continue
            parsed = pd.to_datetime(text[left], format=layout, errors="coerce", utc=True)
            if not aware:
                parsed, moved = _localised(parsed, time_zone)
                shifted += moved
            # Years beyond these are slips of the pen, and finer clocks cannot hold them.
            result[left] = parsed.dt.as_unit("ms").where(parsed.dt.year.between(1900, 2199))
    return result.dt.tz_convert(time_zone), given & result.isna(), shifted


def _localised(parsed: pd.Series, time_zone: str) -> tuple[pd.Series, int]:
    wall = parsed.dt.tz_localize(None)
    strict = wall.dt.tz_localize(time_zone, ambiguous="NaT", nonexistent="NaT")
    moved = int((strict.isna() & wall.notna()).sum())
    if moved:
        second = np.zeros(len(wall), dtype=bool)
        strict = wall.dt.tz_localize(time_zone, ambiguous=second, nonexistent="shift_forward")
    return strict.dt.tz_convert("UTC"), moved


def amounts(cells: pd.Series, money: Money) -> tuple[pd.Series, pd.Series, int]:
    """Amounts of money in minor units.

    Args:
        cells: text; currency signs and the thousands separator are removed; an empty cell is missing.
        money: how amounts are written.

    Returns:
        ``(minor, bad, rounded)``: minor units (dtype ``Int64``, half-even), the mask of cells that are not a
        finite amount below 9e16 minor units, and the number of amounts with a fraction of a minor unit.
    """
    factor = money.unit * MINOR_PER_MAJOR
    known: dict[str, int | None] = {}
    inexact: set[str] = set()
    for text in pd.unique(cells):
        exact = _decimal(text, money)
        if exact is None:
            known[text] = None
            continue
        whole = (exact * factor).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
        known[text] = int(whole)
        if whole != exact * factor:
            inexact.add(text)
    minor = cells.map(known).astype("Int64")
    bad = minor.isna() & (cells.str.strip() != "")
    return minor, bad, int(cells.isin(inexact).sum())


_SIGNS = re.compile(r"[$€£¥￥]|元|CNY|RMB|USD|EUR|GBP")
_TYPED = re.compile(r"-?\d+(\.\d+)?e0")


def _decimal(text: str, money: Money) -> Decimal | None:
    bare = _SIGNS.sub("", text).strip().replace("\u00a0", " ")
    if bare.startswith("(") and bare.endswith(")"):
        bare = "-" + bare[1:-1]
    if not _TYPED.fullmatch(bare):
        # Groups of three are demanded, or a file written with the other convention would be misread unseen.
        group = rf"\d{{1,3}}(?:{re.escape(money.thousands)}\d{{3}})+|" if money.thousands else ""
        if not re.fullmatch(rf"[+-]?(?:{group}\d+)(?:{re.escape(money.decimal)}\d+)?", bare):
            return None
        if money.thousands:
            bare = bare.replace(money.thousands, "")
        bare = bare.replace(money.decimal, ".")
    value = Decimal(bare)
    return value if abs(value * money.unit) <= Decimal("9e14") else None


_FLOAT_ID = re.compile(r"^(-?\d+)\.0+$")


def labels(cells: pd.Series, whole_numbers: bool) -> pd.Series:
    """Names and ids as text without outer blanks; empty is missing (``<NA>`` of dtype ``string``)."""
    text = cells.str.strip()
    if whole_numbers:
        text = text.str.replace(_FLOAT_ID, r"\1", regex=True)
    return text.astype("string").mask(text == "")
