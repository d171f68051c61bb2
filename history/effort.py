"""Work inside an event log: pieces from start to completion, hands-on time, and who gets the credit."""

from __future__ import annotations

import pandas as pd

from history.mapping import Mapping, word
from history.quality import Ledger


def pieces_of_work(events: pd.DataFrame, name: str, rules: Mapping, ledger: Ledger) -> pd.DataFrame:
    """Each completed or begun piece of work of the activities that the mapping calls work.

    A completion belongs to the start directly before it in the same case and activity. A start without
    completion, or the reverse, is work of unknown duration.

    Args:
        events: sorted by (id, time); columns id, time, activity, lifecycle (optional), rep.

    Returns:
        ``id``, ``stage``, ``activity``, ``rep`` (who completed it, else who began it), ``started``, ``ended``,
        ``hands_on_ms`` (``Int64``, ``<NA>`` where unknown or longer than the mapping's limit).
    """
    stage_of = {word(activity): stage for activity, stage in rules.work.items()}
    stage = events["activity"].map(lambda text: stage_of.get(word(text)) if isinstance(text, str) else None)
    columns = ["id", "stage", "activity", "rep", "started", "ended", "hands_on_ms"]
    if "lifecycle" not in events or stage.isna().all():
        return pd.DataFrame(columns=columns)
    marks = events["lifecycle"].map(
        {**dict.fromkeys(rules.lifecycle.started, "start"), **dict.fromkeys(rules.lifecycle.ended, "end")}
    )
    steps = events.assign(stage=stage, mark=marks)[stage.notna() & marks.notna()]
    steps = steps.sort_values(["id", "activity"], kind="stable")
    before = steps.groupby(["id", "activity"], sort=False)[["mark", "time", "rep"]].shift(1)
    after = steps.groupby(["id", "activity"], sort=False)["mark"].shift(-1)
    ends = steps["mark"] == "end"
    whole = ends & (before["mark"] == "start")
    dangling = ~ends & (after != "end").fillna(True)
    pieces = steps[["id", "stage", "activity"]].copy()
    pieces["rep"] = steps["rep"].where(~whole, steps["rep"].fillna(before["rep"]))
    pieces["started"] = before["time"].where(whole, steps["time"].where(dangling))
    pieces["ended"] = steps["time"].where(ends)
    pieces = pieces[ends | dangling]
    _count_halves(pieces, name, ledger)
    duration = (pieces["ended"] - pieces["started"]).dt.total_seconds() * 1000
    limit = rules.longest_work_hours
    if limit is not None:
        too_long = duration > limit * 3_600_000
        what = f"{name}: pieces of work longer than {limit:g} hours"
        consequence = "left open, not worked on: their hands-on time is not counted"
        ledger.note("too_long", int(too_long.sum()), len(pieces), what, consequence)
        duration = duration.mask(too_long)
    return pieces.assign(hands_on_ms=duration.round().astype("Int64"))[columns].reset_index(drop=True)


def _count_halves(pieces: pd.DataFrame, name: str, ledger: Ledger) -> None:
    consequence = "hands-on time unknown, not counted"
    for column, kind, what in (
        ("started", "no_start", "completions of work without a start"),
        ("ended", "no_completion", "starts of work without a completion"),
    ):
        ledger.note(kind, int(pieces[column].isna().sum()), len(pieces), f"{name}: {what}", consequence)


def credited(visits: pd.DataFrame, work: pd.DataFrame, name: str, ledger: Ledger) -> pd.DataFrame:
    """Visits with their work: rep, workers, work_started, work_ended, hands_on_ms.

    The credit goes to the first person who worked the visit, because who comes first does not depend on how the
    visit ended; crediting the last one would give each win to whoever happened to record it. Where no work is
    on record it goes to the person who recorded the end.
    """
    keys = ["id", "stage"]
    known = work.assign(begun=work["started"].fillna(work["ended"])).sort_values("begun", kind="stable")
    groups = known.groupby(keys, sort=False)
    effort = pd.DataFrame(
        {
            "rep": known[known["rep"].notna()].groupby(keys, sort=False)["rep"].first(),
            "workers": groups["rep"].nunique(),
            "work_started": groups["started"].min(),
            "work_ended": groups["ended"].max(),
            "hands_on_ms": groups["hands_on_ms"].sum(min_count=1),
        }
    )
    result = visits.join(effort, on=keys)
    stray = effort.index.difference(pd.MultiIndex.from_frame(visits[keys]))
    what = f"{name}: work on a stage that its case never entered"
    ledger.note("stray_work", len(stray), len(effort), what, "kept in the work table, credited to no visit")
    unworked = result["rep"].isna()
    result["rep"] = result["rep"].fillna(result["decided_by"])
    count = int((unworked & result["rep"].notna()).sum())
    what = f"{name}: visits without a known worker"
    consequence = "credited to whoever recorded their end, which leans towards those who record wins"
    ledger.note("credit_by_end", count, len(result), what, consequence)
    shared = int((result["workers"].fillna(0) > 1).sum())
    consequence = "credited to the first; differences between reps are partly differences of hand-over"
    ledger.note("shared", shared, len(result), f"{name}: visits worked by several people", consequence)
    return result
