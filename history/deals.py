"""Opportunity lists: one row per opportunity with its present state, judged rule by rule."""

from __future__ import annotations

import pandas as pd

from history.cells import instants
from history.mapping import Mapping, word
from history.money import values
from history.quality import Fault, Ledger
from history.record import (
    OPPORTUNITY_COLUMNS,
    VISIT_COLUMNS,
    WORK_COLUMNS,
    Log,
    empty,
    typed,
)


def read_deals(
    fields: pd.DataFrame,
    lines: pd.Series,
    name: str,
    rules: Mapping,
    data_date: pd.Timestamp | None,
    ledger: Ledger,
) -> Log:
    """Rows of an opportunity list as opportunities on the data date.

    Args:
        fields: one column per field that the export has; text, dates and amounts still as written.
        lines: line number of each row.
        name: table name for messages.
        data_date: None for the latest date seen among creations and closings.
    """
    keep = _identity(fields, lines, name, rules, ledger)
    states, known = _states(fields, lines, name, rules, ledger)
    times, sound = _times(fields, states["outcome"], lines, name, rules, ledger)
    minor, priced, currency = values(fields["value"], fields.get("currency"), lines, f"{name}: value", rules, ledger)
    keep &= known & sound & priced
    keep &= _won_has_value(minor, states["outcome"], fields["value"], lines, name, rules, ledger)
    frame = fields.drop(columns=["created", "closed", "stage", "outcome"], errors="ignore")
    frame = frame.assign(**states, **times, value_minor=minor)[keep & ~pd.Series(bool(ledger.problems), keep.index)]
    if frame.empty:
        if not ledger.problems:
            ledger.refuse(name, "", "no row is left after the tolerated faults were dropped", "see tolerate")
        now = data_date or pd.Timestamp(0, tz=rules.time_zone)
        opportunities = empty(OPPORTUNITY_COLUMNS, rules.time_zone)
    else:
        latest = max(frame["created"].max(), frame["closed"].max()) if frame["closed"].notna().any() else None
        now = data_date or latest or frame["created"].max()
        frame = known_at(frame, now, name, ledger)
        frame = frame.sort_values(["created", "id"], kind="stable")
        opportunities = typed(frame, OPPORTUNITY_COLUMNS, rules.time_zone)
    visits = empty(VISIT_COLUMNS, rules.time_zone)
    return Log(opportunities, visits, empty(WORK_COLUMNS, rules.time_zone), now, currency)


def known_at(frame: pd.DataFrame, now: pd.Timestamp, name: str, ledger: Ledger) -> pd.DataFrame:
    """The list as it stood on the data date: later ones taken out, later endings open again."""
    later = frame["created"] > now
    what = f"{name}: created after the data date {now.date()}"
    ledger.note("after_snapshot", int(later.sum()), len(frame), what, "taken out: not known then")
    frame = frame[~later].copy()
    if frame.empty:
        rule = "the data date must not lie before the first creation"
        ledger.refuse(name, str(now.date()), rule, "give a later data date")
        return frame
    reopened = frame["closed"] > now
    what = f"{name}: closed after the data date {now.date()}"
    consequence = "open on that date; result, stage and value of these rows are hidden"
    ledger.note("reopened", int(reopened.sum()), len(frame), what, consequence)
    for column in ("closed", "stage", "value_minor"):
        frame[column] = frame[column].mask(reopened)
    frame["outcome"] = frame["outcome"].mask(reopened, "open")
    return frame


def _identity(fields: pd.DataFrame, lines: pd.Series, name: str, rules: Mapping, ledger: Ledger) -> pd.Series:
    ids, where = fields["id"], f"{name}: id"
    fault = Fault("missing_id", "every opportunity needs an id", "fill them in", rules.tolerate.missing_id)
    keep = ledger.judge(fault, ids.isna(), ids.fillna(""), lines, where)
    repeated = ids.duplicated() & ids.notna()
    fault = Fault("duplicate_id", "ids must be unique", "export one row per opportunity", rules.tolerate.duplicate_id)
    return keep & ledger.judge(fault, repeated, ids, lines, where)


def _states(
    fields: pd.DataFrame, lines: pd.Series, name: str, rules: Mapping, ledger: Ledger
) -> tuple[dict[str, pd.Series], pd.Series]:
    stage_words = fields["stage"].fillna("").map(word)
    stage = stage_words.map(rules.stage_of())
    by_stage = stage_words.map(rules.outcome_of())
    told = fields["outcome"].fillna("").map(word) if "outcome" in fields else pd.Series("", index=fields.index)
    outcome = told.map(rules.outcome_of()).fillna(by_stage)
    outcome = outcome.mask(outcome.isna() & stage.notna(), "open")
    unknown = (stage.isna() & by_stage.isna()) | outcome.isna()
    unknown |= (told != "") & ~told.isin(rules.outcome_of()) & ~told.isin(rules.stage_of())
    shown = fields["stage"].fillna("")
    if "outcome" in fields:
        shown = shown + " / " + fields["outcome"].fillna("")
    words = sorted(set(shown[unknown]))
    remedy = f"add the words {', '.join(map(repr, words[:8]))} to stages or outcomes in the mapping file"
    rule = "must be a stage, won, lost or open word of the mapping file"
    fault = Fault("unknown_stage", rule, remedy, rules.tolerate.unknown_stage)
    keep = ledger.judge(fault, unknown, shown, lines, f"{name}: stage")
    stages = stage.astype("string").mask((outcome == "won") & stage.isna())
    return {"stage": stages, "outcome": outcome.astype("string")}, keep


def _times(
    fields: pd.DataFrame, outcome: pd.Series, lines: pd.Series, name: str, rules: Mapping, ledger: Ledger
) -> tuple[dict[str, pd.Series], pd.Series]:
    times: dict[str, pd.Series] = {}
    keep = pd.Series(True, index=fields.index)
    decided = outcome.isin(["won", "lost"])
    for field, needed in (("created", pd.Series(True, index=fields.index)), ("closed", decided)):
        where, cells = f"{name}: {field}", fields[field]
        times[field], bad, shifted = instants(cells, rules.dates, rules.time_zone)
        what = f"{where}: local times doubled or skipped by a clock change"
        ledger.note("clock_change", shifted, len(cells), what, "standard time or the later clock was taken")
        remedy = f"correct them, or add their format to dates (tried: {', '.join(rules.dates)})"
        fault = Fault("bad_date", "must be a date", remedy, rules.tolerate.bad_date)
        keep &= ledger.judge(fault, bad, cells, lines, where)
        missing = needed & (cells.str.strip() == "")
        rule = "every opportunity needs a creation date" if field == "created" else "won or lost needs a closing date"
        fault = Fault("missing_date", rule, "fill them in", rules.tolerate.missing_date)
        keep &= ledger.judge(fault, missing, cells, lines, where)
    planned = ~decided & times["closed"].notna()
    what = f"{name}: open rows carry a closing date"
    ledger.note("planned_close", int(planned.sum()), len(planned), what, "read as planned dates and not used")
    times["closed"] = times["closed"].mask(~decided)
    keep &= _order(times, fields, lines, name, rules, ledger)
    return times, keep


def _order(
    times: dict[str, pd.Series], fields: pd.DataFrame, lines: pd.Series, name: str, rules: Mapping, ledger: Ledger
) -> pd.Series:
    early = (times["closed"] < times["created"]).fillna(False)
    # A closing without time of day on the day of creation is no contradiction.
    dated = ~fields["closed"].str.contains(":", regex=False)
    same_day = early & dated & (times["closed"].dt.normalize() == times["created"].dt.normalize())
    times["closed"] = times["closed"].mask(same_day, times["created"])
    what = f"{name}: closed on the day of creation, without time of day"
    ledger.note("same_day", int(same_day.sum()), len(early), what, "closed at the moment of creation")
    shown = fields["created"] + " -> " + fields["closed"]
    rule = "must not be closed before it was created"
    fault = Fault("closed_before_created", rule, "correct the dates", rules.tolerate.closed_before_created)
    return ledger.judge(fault, early & ~same_day, shown, lines, f"{name}: created -> closed")


def _won_has_value(
    minor: pd.Series,
    outcome: pd.Series,
    cells: pd.Series,
    lines: pd.Series,
    name: str,
    rules: Mapping,
    ledger: Ledger,
) -> pd.Series:
    missing = (outcome == "won") & (cells.str.strip() == "")
    fault = Fault("missing_value", "a win needs its value", "fill it in", rules.tolerate.missing_value)
    return ledger.judge(fault, missing & minor.isna(), cells, lines, f"{name}: value")
