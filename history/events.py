"""Event logs: cases rebuilt as visits to stages, with the work done in each and who did it.

A case enters a stage at the first event whose activity stands for the stage, leaves it when it enters a later
one, and ends with the first won or lost activity. Hands-on time is the time from the start to the completion of
a piece of work. A case without an end is open: it is censored at the data date, never counted as lost.
"""

from __future__ import annotations

import pandas as pd

from history.cells import instants
from history.effort import credited, pieces_of_work
from history.mapping import Mapping, word
from history.money import values
from history.quality import Fault, Ledger, pile_up
from history.record import (
    ATTRIBUTES,
    OPPORTUNITY_COLUMNS,
    VISIT_COLUMNS,
    WORK_COLUMNS,
    Log,
    day_count,
    empty,
    typed,
)


def read_log(
    fields: pd.DataFrame,
    lines: pd.Series,
    name: str,
    rules: Mapping,
    data_date: pd.Timestamp | None,
    ledger: Ledger,
) -> Log:
    """Rows of an event log as cases, visits and work on the data date.

    Args:
        fields: one column per field that the log has; text, times and amounts still as written.
        lines: line number of each row.
        name: table name for messages.
        data_date: None for the latest event.
    """
    events, currency = _sound_events(fields, lines, name, rules, ledger)
    events = _until(events, data_date, name, ledger)
    if ledger.problems:
        return _nothing(rules, currency)
    now = data_date or events["time"].max()
    milestones = _milestones(events, name, rules, ledger)
    if milestones.empty:
        ledger.refuse(name, "", "no event is a stage of the mapping file", "correct the stage words")
        return _nothing(rules, currency)
    ends = _ends(events, milestones, name, rules, ledger)
    visits = _visits(milestones, ends)
    work = pieces_of_work(events, name, rules, ledger)
    visits = credited(visits, work, name, ledger)
    opportunities = _cases(events, visits, ends)
    _remark(opportunities, visits, now, name, ledger)
    zone = rules.time_zone
    return Log(
        typed(opportunities.sort_values(["created", "id"], kind="stable"), OPPORTUNITY_COLUMNS, zone),
        typed(visits.sort_values(["entered", "id", "order"], kind="stable"), VISIT_COLUMNS, zone),
        typed(work.sort_values(["ended", "id"], kind="stable"), WORK_COLUMNS, zone),
        now,
        currency,
    )


def _nothing(rules: Mapping, currency: str) -> Log:
    zone = rules.time_zone
    tables = [empty(columns, zone) for columns in (OPPORTUNITY_COLUMNS, VISIT_COLUMNS, WORK_COLUMNS)]
    return Log(tables[0], tables[1], tables[2], pd.Timestamp(0, tz=zone), currency)


def _sound_events(
    fields: pd.DataFrame, lines: pd.Series, name: str, rules: Mapping, ledger: Ledger
) -> tuple[pd.DataFrame, str]:
    policy, ids = rules.tolerate, fields["id"]
    fault = Fault("missing_id", "every event needs a case id", "fill them in", policy.missing_id)
    keep = ledger.judge(fault, ids.isna(), ids.fillna(""), lines, f"{name}: id")
    cells = fields["time"]
    times, bad, shifted = instants(cells, rules.dates, rules.time_zone)
    what = f"{name}: local times doubled or skipped by a clock change"
    ledger.note("clock_change", shifted, len(cells), what, "standard time or the later clock was taken")
    remedy = f"correct them, or add their format to dates (tried: {', '.join(rules.dates)})"
    fault = Fault("bad_date", "must be a date and time", remedy, policy.bad_date)
    keep &= ledger.judge(fault, bad, cells, lines, f"{name}: time")
    fault = Fault("missing_date", "every event needs a time", "fill them in", policy.missing_date)
    keep &= ledger.judge(fault, cells.str.strip() == "", cells, lines, f"{name}: time")
    minor, currency = pd.Series(pd.NA, index=fields.index, dtype="Int64"), rules.money.currency
    if "value" in fields:
        where = f"{name}: value"
        minor, priced, currency = values(fields["value"], fields.get("currency"), lines, where, rules, ledger)
        keep &= priced
    reps = fields["rep"] if "rep" in fields else pd.Series(pd.NA, index=fields.index, dtype="string")
    events = fields.assign(time=times, value_minor=minor, rep=_people(reps, name, rules, ledger))[keep]
    return events.sort_values(["id", "time"], kind="stable"), currency


def _people(reps: pd.Series, name: str, rules: Mapping, ledger: Ledger) -> pd.Series:
    machine = reps.isin(list(rules.automatic))
    what = f"{name}: events recorded by the automatic resource {', '.join(rules.automatic)}"
    ledger.note("automatic", int(machine.sum()), len(reps), what, "a machine is nobody's rep")
    ledger.note(
        "missing_rep",
        int(reps.isna().sum()),
        len(reps),
        f"{name}: events without a resource",
        "their worker is taken from the other events of the same work, or unknown",
    )
    return reps.mask(machine)


def _until(events: pd.DataFrame, now: pd.Timestamp | None, name: str, ledger: Ledger) -> pd.DataFrame:
    if now is None:
        return events
    later = events["time"] > now
    what = f"{name}: events after the data date {now.date()}"
    ledger.note("after_snapshot", int(later.sum()), len(events), what, "taken out: not known then")
    if later.all():
        rule = "the data date must not lie before the first event"
        ledger.refuse(name, str(now.date()), rule, "give a later data date")
    return events[~later]


def _is(events: pd.DataFrame, known: dict[str, str], rules: Mapping) -> pd.Series:
    meaning = events["activity"].map(lambda text: known.get(word(text)) if isinstance(text, str) else None)
    meaning = meaning.astype("string")
    if "lifecycle" in events:
        meaning = meaning.where(events["lifecycle"].isin(list(rules.lifecycle.ended)))
    return meaning


def _milestones(events: pd.DataFrame, name: str, rules: Mapping, ledger: Ledger) -> pd.DataFrame:
    """First entry of each case into each stage: id, stage, order, entered, by (who recorded it)."""
    stage = _is(events, rules.stage_of(), rules)
    found = events.assign(stage=stage)[stage.notna()]
    repeated = found.duplicated(["id", "stage"])
    what = f"{name}: stages entered more than once by a case"
    ledger.note("repeated_stage", int(repeated.sum()), len(found), what, "the first entry counts")
    order = {stage_name: place for place, stage_name in enumerate(rules.stage_names)}
    first = found[~repeated].assign(order=lambda rows: rows["stage"].map(order).astype("int64"))
    first = first.rename(columns={"time": "entered"}).sort_values(["id", "order"], kind="stable")
    reached = first.groupby("id", sort=False)["entered"].cummax()
    backward = first["entered"] < reached
    what = f"{name}: stages entered before an earlier stage of the funnel"
    ledger.note("backward", int(backward.sum()), len(first), what, "entered at the time of the earlier stage")
    skipped = first["order"] - first.groupby("id", sort=False)["order"].shift(fill_value=-1) > 1
    what = f"{name}: stages reached without the stage before"
    ledger.note("skipped_stage", int(skipped.sum()), len(first), what, "no visit to the skipped stage is made up")
    return first.assign(entered=reached)[["id", "stage", "order", "entered", "rep"]]


def _ends(events: pd.DataFrame, milestones: pd.DataFrame, name: str, rules: Mapping, ledger: Ledger) -> pd.DataFrame:
    """First won or lost event of each case: index id; outcome, closed, decided_by."""
    outcome = _is(events, {w: o for w, o in rules.outcome_of().items() if o != "open"}, rules)
    found = events.assign(outcome=outcome)[outcome.notna()]
    both = found.groupby("id")["outcome"].nunique() > 1
    what = f"{name}: cases both won and lost"
    ledger.note("contradiction", int(both.sum()), len(both), what, "the earlier one counts")
    first = found.drop_duplicates("id").set_index("id")
    ends = pd.DataFrame({"outcome": first["outcome"], "closed": first["time"]})
    ends["decided_by"] = first["rep"]
    last = milestones.groupby("id")["entered"].max()
    late = last.reindex(ends.index) > ends["closed"]
    what = f"{name}: cases that entered a stage after their end"
    ledger.note("after_end", int(late.sum()), len(ends), what, "ended at the entry of that stage")
    ends["closed"] = ends["closed"].mask(late, last.reindex(ends.index))
    strangers = ~ends.index.isin(milestones["id"])
    what = f"{name}: ended cases that never entered a stage"
    ledger.note("no_stage", int(strangers.sum()), len(ends), what, "left out: their course is not in the log")
    return ends[~strangers]


def _visits(milestones: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    following = milestones.groupby("id", sort=False)["entered"].shift(-1)
    end = ends.reindex(milestones["id"]).set_axis(milestones.index)
    last = following.isna()
    outcome = pd.Series("advanced", index=milestones.index, dtype="string")
    outcome = outcome.mask(last, end["outcome"].map({"won": "advanced", "lost": "lost"}).fillna("open"))
    left = following.mask(last, end["closed"])
    by = milestones.groupby("id", sort=False)["rep"].shift(-1).mask(last, end["decided_by"])
    visits = milestones.drop(columns="rep")
    return visits.assign(left=left, outcome=outcome, decided_by=by).reset_index(drop=True)


def _cases(events: pd.DataFrame, visits: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    """One opportunity per case; its rep is the one of the latest visit that anybody worked."""
    first = events.drop_duplicates("id").set_index("id")
    reached = visits.sort_values(["id", "order"], kind="stable")
    by_case = reached.groupby("id", sort=True)
    cases = pd.DataFrame({"created": by_case["entered"].first(), "stage": by_case["stage"].last()})
    cases["rep"] = reached[reached["rep"].notna()].groupby("id")["rep"].last()
    cases["outcome"] = ends["outcome"].reindex(cases.index).fillna("open")
    cases["closed"] = ends["closed"].reindex(cases.index)
    for column in ("value_minor", *ATTRIBUTES[1:]):
        if column in first:
            cases[column] = first[column].reindex(cases.index)
    return cases.reset_index()


def _remark(cases: pd.DataFrame, visits: pd.DataFrame, now: pd.Timestamp, name: str, ledger: Ledger) -> None:
    lost = visits[visits["outcome"] == "lost"]
    peak = pile_up(day_count(lost["left"], lost["entered"]).to_numpy(dtype=float))
    if peak is not None:
        day, count = peak
        what = f"{name}: cases lost between {day} and {day + 1} days after entering their last stage"
        consequence = "looks like an automatic closing after a fixed time: a limit of patience, not a decision"
        ledger.note("pile_up", count, len(lost), what, consequence)
    gap = int((now - cases["created"].max()) / pd.Timedelta(days=1))
    if gap > 7:
        what = f"{name}: days without a new case before the data date {now.date()}"
        days = int((now - cases["created"].min()) / pd.Timedelta(days=1))
        consequence = "the log seems cut by the start of its cases; arrivals are counted up to the last new case"
        ledger.note("cut_by_start", gap, days, what, consequence)
