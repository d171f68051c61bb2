"""Who sells: reps with their share of the leads, their sales of the last period, teams, regions, opening hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from history.calibration.evidence import Basis, Evidence, clean_ids, open_then
from history.crm import History
from scenarios.base import major_units
from scenarios.calendar import WEEKDAYS

HOURS_PER_WEEK = 40.0
SELLING_SHARE = 0.7
_YEAR = pd.Timedelta(days=365)
_IDLE = 0.25
"""Reps without a lead in this last part of the time observed are taken to get no new ones."""
_SMALL = 0.1
"""Reps with less than this part of an average rep's leads are left out: nothing can be planned for them."""
_FEWEST_SALES_DAYS = 28
_OPEN_DAY = 0.2
_OPEN_HOUR = 0.01


@dataclass(frozen=True, eq=False)
class People:
    """Reps and where they belong.

    Attributes:
        ids: name in the history -> id, for the reps that the scenario has.
        weights: share of new leads against the average rep's, by name.
        region_of: region id of every rep.
        region_mix: share of new leads by region id.
        reps, teams, regions: sections of the scenario's document.
        sales_minor: the company's sales in the time in which all closings are known, scaled to the horizon.
    """

    ids: dict[str, str]
    weights: dict[str, float]
    region_of: dict[str, str]
    region_mix: dict[str, float]
    reps: list[dict[str, Any]]
    teams: list[dict[str, Any]]
    regions: list[dict[str, Any]]
    sales_minor: int | None

    def home_of(self, rep: str | None) -> str:
        """Region of a rep; of somebody unknown, the region with most leads."""
        busiest = max(self.region_mix, key=lambda region: self.region_mix[region])
        return busiest if rep is None else self.region_of.get(rep, busiest)


def people_of(
    basis: Basis, leads: Basis, owners: set[str], effects: dict[str, dict[str, float]], evidence: Evidence
) -> People:
    """Reps, teams and regions of a history.

    Args:
        leads: the basis less the opportunities of owned accounts.
        owners: who own accounts.
        effects: shift of logit(conversion) by stage id for each rep whose stage shows a spread beyond chance.
    """
    history = basis.history
    counts, idle = lead_counts(leads)
    weights = _weights(counts, idle, owners, leads, evidence)
    ids = clean_ids(weights)
    team_of, region_of = _belongs(history, "team"), _belongs(history, "region")
    team_ids = clean_ids([team_of.get(rep, "team") for rep in weights])
    region_ids = clean_ids([region_of.get(rep, "all") for rep in weights])
    home = {rep: region_ids[region_of.get(rep, "all")] for rep in weights}
    mix: dict[str, float] = {}
    for rep, weight in weights.items():
        mix[home[rep]] = mix.get(home[rep], 0.0) + weight
    total = sum(mix.values())
    mix = {region: round(share / total, 6) for region, share in mix.items()}
    evidence.measured(
        "regions", f"{len(mix)} regions", int(counts.sum()), note="a lead counts where its rep is at home"
    )
    sales, company = _last_sales(basis, evidence)
    teams, team_region = _teams(weights, team_of, team_ids, home)
    reps = []
    for rep, weight in weights.items():
        team = team_ids[team_of.get(rep, "team")]
        row: dict[str, Any] = {"id": ids[rep], "name": rep, "team": team, "lead_weight": round(weight, 4)}
        if home[rep] != team_region[team]:
            row["region"] = home[rep]
        if rep in effects:
            row["conversion_logit"] = effects[rep]
        row["hours_per_week"] = HOURS_PER_WEEK
        if rep in sales:
            row["last_sales"] = major_units(sales[rep])
        reps.append(row)
    evidence.assumed(
        "reps.*.hours_per_week", HOURS_PER_WEEK, "customary full time", "the export does not hold paid hours"
    )
    evidence.assumed("reps.*.potential", "empty", "computed from leads and accounts", "the export holds no potentials")
    evidence.assumed("skills", "all at the reference", "the export measures results, not skills")
    regions = [{"id": region} for region in mix]
    return People(ids, weights, home, mix, reps, teams, regions, company)


def lead_counts(basis: Basis) -> tuple[pd.Series, set[str]]:
    """New leads (visits, where the way through the stages is known) per rep in the last year at most, and idle reps."""
    history = basis.history
    if len(history.visits):
        rows = history.visits[["rep", "entered"]].rename(columns={"entered": "began"})
    else:
        rows = history.opportunities[["rep", "created"]].rename(columns={"created": "began"})
    begin = max(basis.arrivals.first.tz_localize(history.time_zone), basis.known - _YEAR)
    rows = rows[rows["rep"].notna() & (rows["began"] >= begin) & (rows["began"] <= basis.known)]
    counts: pd.Series = rows["rep"].value_counts().sort_index()
    span = basis.known - begin
    late = set(rows.loc[rows["began"] > basis.known - _IDLE * span, "rep"])
    idle = set(counts.index) - late if span >= pd.Timedelta(days=90) else set()
    return counts, idle


def _weights(counts: pd.Series, idle: set[str], owners: set[str], basis: Basis, evidence: Evidence) -> dict[str, float]:
    """Lead weight by rep, 1 for the average of those who get leads; others stay while they own deals or accounts."""
    waiting = set(basis.history.opportunities["rep"][open_then(basis)].dropna())
    active = counts[[rep for rep in counts.index if rep not in idle]]
    kept = active[active >= _SMALL * active.mean()]
    small = len(active) - len(kept)
    weights = {str(rep): float(count / kept.mean()) for rep, count in kept.items()}
    weights |= dict.fromkeys(sorted(((idle & waiting) | owners) - set(weights)), 0.0)
    note = "share of new leads" if not len(basis.history.visits) else "share of the stage visits worked"
    if small:
        left = 1 - kept.sum() / active.sum()
        note += f"; {small} reps with {100 * left:.1f} % of them are left out as too small to plan for"
    if idle:
        note += f"; {len(idle)} reps without any in the last quarter of the time get no new ones"
    evidence.measured("reps.*.lead_weight", f"{len(weights)} reps", int(counts.sum()), note=note)
    return dict(sorted(weights.items()))


def _belongs(history: History, field: str) -> dict[str, str]:
    """The team or region in which a rep's opportunities mostly lie, else that of the table of reps."""
    deals = history.opportunities
    known = deals[deals["rep"].notna() & deals[field].notna()]
    counts = known.groupby(["rep", field]).size().unstack(fill_value=0)
    mostly: pd.Series = counts.idxmax(axis=1) if len(counts) else pd.Series(dtype="string")
    told: dict[str, str] = {}
    if field in history.reps:
        listed = history.reps[history.reps[field].notna()]
        told = dict(zip(listed["id"].astype(str), listed[field].astype(str), strict=True))
    return told | {str(rep): str(name) for rep, name in mostly.items()}


def _teams(
    weights: dict[str, float], team_of: dict[str, str], team_ids: dict[str, str], home: dict[str, str]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Team rows, and the region of each team: where most of its reps are at home."""
    regions: dict[str, list[str]] = {}
    for rep in weights:
        regions.setdefault(team_ids[team_of.get(rep, "team")], []).append(home[rep])
    region_of = {team: max(sorted(set(homes)), key=homes.count) for team, homes in regions.items()}
    return [{"id": team, "region": region} for team, region in sorted(region_of.items())], region_of


def _last_sales(basis: Basis, evidence: Evidence) -> tuple[dict[str, int], int | None]:
    """Sales by rep and of the company in the last period, scaled to the horizon's length; none where too short."""
    days = basis.sales_days
    if days < _FEWEST_SALES_DAYS:
        note = f"closings are known for {days:.0f} days only"
        evidence.assumed("reps.*.last_sales", "empty", "no comparable period in the export", note)
        return {}, None
    won = credited_wins(basis.history)
    won = won[(won["closed"] > basis.sales_begin) & (won["closed"] <= basis.sales_end)]
    factor = basis.days / days
    by_rep = won.groupby("rep")["value_minor"].sum()
    sales = {str(rep): round(float(value) * factor) for rep, value in by_rep.items() if value > 0}
    company = round(float(won["value_minor"].sum()) * factor)
    note = f"{basis.sales_begin.date()} to {basis.sales_end.date()}, times {factor:.3g} for {basis.days} days"
    if len(basis.history.visits):
        note += "; each won case is credited in equal parts to the reps of its visits"
    trust: Any = "high" if factor < 1.1 else "medium" if factor < 2.5 else "low"
    evidence.measured("reps.*.last_sales", company / 100, len(won), trust=trust, note=note)
    return sales, company


def credited_wins(history: History) -> pd.DataFrame:
    """Won deals with the rep credited: columns ``rep``, ``closed``, ``value_minor`` (float).

    Where the way through the stages is known, a case's value is shared equally between its visits' reps, because
    whoever records the win is often not who earned it.
    """
    deals = history.opportunities
    won = deals.loc[deals["outcome"] == "won", ["id", "rep", "closed", "value_minor"]].copy()
    won["value_minor"] = won["value_minor"].fillna(0).astype(float)
    if not len(history.visits):
        return won.drop(columns="id")
    hands = history.visits.loc[history.visits["rep"].notna(), ["id", "rep"]]
    shared = won.drop(columns="rep").merge(hands, on="id", how="left")
    shared["value_minor"] /= shared.groupby("id")["closed"].transform("size")
    return shared.drop(columns="id")


def calendar_of(basis: Basis, evidence: Evidence) -> dict[str, Any]:
    """Horizon and opening hours: days (and hours, from a log of work) on which something usually happens."""
    history = basis.history
    if len(history.work):
        moments = history.work["started"].dropna()
    else:
        moments = pd.concat([history.opportunities["created"], history.opportunities["closed"].dropna()])
    share = moments.dt.day_of_week.value_counts(normalize=True).reindex(range(7), fill_value=0.0)
    days = [WEEKDAYS[day] for day in range(7) if share[day] >= _OPEN_DAY * share.mean()]
    evidence.measured(
        "calendar.workdays", " ".join(days), len(moments), note="weekdays with a fifth of the usual activity"
    )
    calendar: dict[str, Any] = {
        "start": str(basis.start),
        "end": str(basis.end),
        "timezone": history.time_zone,
        "workdays": days,
        "selling_share": SELLING_SHARE,
    }
    if len(history.work):
        by_hour = moments.dt.hour.value_counts(normalize=True)
        hours = [int(hour) for hour in by_hour.index[by_hour >= _OPEN_HOUR]]
        calendar["hours"] = [f"{min(hours):02d}:00-{max(hours) + 1:02d}:00"]
        evidence.measured("calendar.hours", calendar["hours"][0], len(moments), note="hours with 1 % of the work begun")
    else:
        evidence.assumed("calendar.hours", "09:00-12:00, 13:00-18:00", "customary office hours")
    evidence.assumed(
        "calendar.selling_share", SELLING_SHARE, "customary in field sales", "share of paid hours spent selling"
    )
    return calendar
