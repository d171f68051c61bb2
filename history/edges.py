"""Where the data end: a cut-off beginning, and attributes known for some outcomes only."""

from __future__ import annotations

import pandas as pd

from history.quality import Ledger
from history.record import ATTRIBUTES, day_count

_CREATED_BEFORE = 30
"""Deals that must have been created before the first ending to speak of a cut beginning."""


def left_edge(opportunities: pd.DataFrame, ledger: Ledger) -> pd.Timestamp | None:
    """The moment before which endings are missing from the export, or None.

    Exports are often selected by closing date. Then deals created earlier are present only if they were still
    open at that date, and their durations are left-truncated. The sign: many deals were created long before the
    first ending, although deals created later end much sooner.
    """
    first = opportunities["closed"].min()
    if pd.isna(first):
        return None
    early = opportunities["created"] < first
    later = opportunities[~early & opportunities["closed"].notna()]
    if int(early.sum()) < _CREATED_BEFORE or len(later) < _CREATED_BEFORE:
        return None
    usual = float(day_count(later["closed"], later["created"]).quantile(0.25))
    lead = float(day_count(first, opportunities.loc[early, "created"]).quantile(0.75))
    if lead <= usual:
        return None
    what = f"deals were created before {first.date()}, but none of them ended before that day"
    consequence = "the export seems selected by closing date: durations are treated as left-truncated there"
    ledger.note("left_edge", int(early.sum()), len(opportunities), what, consequence)
    return pd.Timestamp(first)


def remark_gaps(opportunities: pd.DataFrame, ledger: Ledger) -> None:
    """Note attributes that are missing in part, and whether only open rows lack them."""
    still_open = opportunities["outcome"] == "open"
    for field in ATTRIBUTES:
        missing = opportunities[field].isna()
        if not missing.any() or missing.all():
            continue
        if not missing[~still_open].any():
            consequence = "only open rows lack it: it is known after the fact, so never use it to foretell a result"
        else:
            consequence = f"comparisons by {field} leave these rows out"
        what = f"opportunities without {field}"
        ledger.note(f"missing_{field}", int(missing.sum()), len(opportunities), what, consequence)
