"""The opening pipeline: every opportunity that was open on the data date, as it was known then."""

from __future__ import annotations

from typing import Any

import pandas as pd

from history.calibration.evidence import Basis, Evidence, clean_ids, open_then
from history.calibration.funnel import Funnel
from history.calibration.market import Market
from history.calibration.people import People
from scenarios.base import major_units


def pipeline_of(
    basis: Basis, funnel: Funnel, people: People, market: Market, evidence: Evidence
) -> list[dict[str, Any]]:
    """Open opportunities with stage, dates, owner and, where it was known then, value."""
    history = basis.history
    then = open_then(basis)
    deals = history.opportunities[then].join(market.groups[then].add_suffix("_id"))
    # What closed later shows its final value, which nobody knew then.
    hidden = deals["closed"].notna() & (history.kind == "opportunities")
    deals["known_value"] = deals["value_minor"].mask(hidden | (deals["value_minor"] <= 0))
    deals = deals.join(_visited(basis), on="id")
    ids = clean_ids(deals["id"].astype(str))
    rows = [_row(deal, ids, funnel, people) for deal in deals.to_dict("records")]
    valued = sum("value" in row for row in rows)
    note = f"every opportunity open at the end of {basis.known.date()}; {valued} have a value, the others draw one"
    evidence.measured("pipeline", f"{len(rows)} open opportunities", len(rows), note=note)
    return rows


def _visited(basis: Basis) -> pd.DataFrame:
    """By case of a log: ``at``, ``since`` and ``hand``, the stage reached by then, its entry and its rep."""
    visits = basis.history.visits
    latest = visits[visits["entered"] <= basis.known].groupby("id", sort=False).tail(1).set_index("id")
    return latest[["stage", "entered", "rep"]].set_axis(["at", "since", "hand"], axis="columns")


def _row(deal: dict[Any, Any], ids: dict[str, str], funnel: Funnel, people: People) -> dict[str, Any]:
    in_log = None not in funnel.ids
    owner = deal["hand"] if in_log else deal["rep"]
    owner = None if pd.isna(owner) else str(owner)
    created = deal["created"].date()
    row: dict[str, Any] = {
        "id": ids[str(deal["id"])],
        "stage": funnel.ids[deal["at"] if in_log else None],
        "region": people.home_of(owner),
        "created": str(created),
    }
    if in_log and deal["since"].date() > created:
        row["entered_stage"] = str(deal["since"].date())
    if owner in people.ids:
        row["owner"] = people.ids[str(owner)]
    for field in ("product", "segment", "source"):
        if not pd.isna(deal[f"{field}_id"]):
            row[field] = deal[f"{field}_id"]
    if not pd.isna(deal["known_value"]):
        row["value"] = major_units(int(deal["known_value"]))
    return row
