"""The tables in which every reading of an export ends, with their columns and types."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

ATTRIBUTES = ("rep", "team", "region", "account", "segment", "product", "source", "account_owner")
"""What may be known about an opportunity besides its course."""

OPPORTUNITY_COLUMNS = ("id", *ATTRIBUTES, "created", "closed", "stage", "outcome", "value_minor")
VISIT_COLUMNS = (
    "id",
    "stage",
    "rep",
    "decided_by",
    "workers",
    "entered",
    "work_started",
    "work_ended",
    "left",
    "outcome",
    "hands_on_ms",
)
WORK_COLUMNS = ("id", "stage", "activity", "rep", "started", "ended", "hands_on_ms")

_TIMES = ("created", "closed", "entered", "work_started", "work_ended", "left", "started", "ended")
_WHOLE = ("value_minor", "hands_on_ms", "workers")


@dataclass(frozen=True, eq=False)
class Log:
    """An export after reading and before side tables are joined."""

    opportunities: pd.DataFrame
    visits: pd.DataFrame
    work: pd.DataFrame
    snapshot: pd.Timestamp
    currency: str


def typed(frame: pd.DataFrame, columns: tuple[str, ...], time_zone: str) -> pd.DataFrame:
    """Exactly these columns in this order, with their documented types; absent ones are filled with missing."""
    result = {}
    for column in columns:
        given = frame[column] if column in frame else pd.Series(pd.NA, index=frame.index, dtype="object")
        if column in _TIMES:
            times = pd.to_datetime(given, utc=True) if given.dtype == object else given
            result[column] = times.dt.tz_convert(time_zone).dt.as_unit("ms")
        else:
            result[column] = given.astype("Int64" if column in _WHOLE else "string")
    return pd.DataFrame(result, columns=list(columns)).reset_index(drop=True)


def empty(columns: tuple[str, ...], time_zone: str) -> pd.DataFrame:
    """A table without rows, with the right types."""
    return typed(pd.DataFrame(index=pd.RangeIndex(0)), columns, time_zone)


def day_count(later: pd.Series | pd.Timestamp, earlier: pd.Series) -> pd.Series:
    """Time between in days, float (NaN where a time is missing)."""
    days: pd.Series = pd.Series(later - earlier).dt.total_seconds() / 86_400
    return days
