"""The funnel: conversion, delays and effort of each stage, and the differences between reps that are no chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from history.calibration.evidence import Basis, Evidence, clean_ids
from history.calibration.people import HOURS_PER_WEEK, SELLING_SHARE, lead_counts
from history.calibration.values import Clocks, observed
from history.crm import History
from history.skill import Spread, rep_spreads
from history.survival import OPEN, Incidence, incidence, observations
from scenarios.errors import InputRefused, Problem
from scenarios.physics import expit, logit

_BUSIEST = 0.6
"""Where effort is unknown, the busiest rep is taken to be loaded this much, so that queues decide little."""
_CERTAIN = 1e-4


@dataclass(frozen=True, eq=False)
class Funnel:
    """Stages of the scenario, and what reps add to them.

    Attributes:
        stages: section of the scenario's document; conversions not yet set off against the reps' effects.
        ids: name of the stage in the history -> id; an opportunity list has the one name ``None``.
        effects: shift of logit(conversion) by stage id, for each rep (by name) of a stage with a real spread.
        same_rep: whether a case usually stays with its rep from stage to stage.
    """

    stages: list[dict[str, Any]]
    ids: dict[str | None, str]
    effects: dict[str, dict[str, float]]
    same_rep: bool


def funnel_of(basis: Basis, evidence: Evidence, language: str) -> Funnel:
    """Every stage of a log with visits, or the one deciding step of an opportunity list.

    Raises:
        InputRefused: stages in which nothing was decided yet.
    """
    history = basis.history
    seen = set(history.visits["stage"])
    names: list[str | None] = [stage for stage in history.stages if stage in seen] or [None]
    ids = _stage_ids(names, language)
    stages, problems = [], []
    for name in names:
        clocks = _clocks(history, name)
        if clocks is None:
            rule = "no case was observed to an end"
            problems.append(Problem("stages", str(name or "opportunity"), rule, "use a longer export"))
            continue
        stages.append(_stage(history, name, ids[name], clocks, evidence))
    if problems:
        raise InputRefused(problems)
    _add_effort(basis, names, stages, evidence)
    effects = rep_effects(rep_spreads(history), ids, _worked(history, names), evidence)
    return Funnel(stages, ids, effects, _stays(history, evidence))


def _stage_ids(names: list[str | None], language: str) -> dict[str | None, str]:
    if names == [None]:
        return {None: "商机" if language == "zh" else "opportunity"}
    ids = clean_ids(name for name in names if name is not None)
    return {name: ids[name] for name in names if name is not None}


def _curve(history: History, stage: str | None) -> tuple[Incidence, pd.DataFrame]:
    rows = observations(history, stage)
    return incidence(rows["days"].to_numpy(), rows["ended"].to_numpy(), rows["entry"].to_numpy()), rows


def _clocks(history: History, stage: str | None) -> Clocks | None:
    found, rows = _curve(history, stage)
    if not len(found.days) or found.from_age > 0:
        return None
    return Clocks(found, rows.loc[rows["ended"] == OPEN, "days"].to_numpy())


def _stage(history: History, name: str | None, stage_id: str, clocks: Clocks, evidence: Evidence) -> dict[str, Any]:
    rows = len(observations(history, name))
    where = f"stages.{stage_id}"
    stage: dict[str, Any] = {"id": stage_id, "conversion": round(min(max(clocks.rate, _CERTAIN), 1 - _CERTAIN), 6)}
    note = f"ultimate share, young cases not counted as lost (of those decided: {clocks.naive:.3f})"
    if clocks.never:
        note += (
            f"; {100 * clocks.unresolved:.1f} % never end: none did beyond {clocks.oldest:.0f} days, "
            "although many were older"
        )
    elif clocks.unresolved > 0.005:
        note += f"; {100 * clocks.unresolved:.1f} % not resolved at {clocks.oldest:.0f} days end like the others"
    evidence.measured(f"{where}.conversion", clocks.rate, rows, (clocks.low, clocks.high), grade="fitted", note=note)
    for field, delay, what in (
        ("delay_days", clocks.delay, "advancing"),
        ("loss_delay_days", clocks.loss_delay, "being lost"),
    ):
        if delay is not None:
            stage[field] = delay
            note = f"from entry to {what}, corrected for cases still open; contains the time a case lay untouched"
            evidence.measured(f"{where}.{field}", "observed quantiles", rows, note=note)
    if name is None and len(history.stages) > 1:
        note = "the export tells only the present stage, so the way through the stages cannot be told apart"
        evidence.measured("stages", "one deciding stage", rows, trust="medium", note=note)
    return stage


def _add_effort(basis: Basis, names: list[str | None], stages: list[dict[str, Any]], evidence: Evidence) -> None:
    """Hands-on hours where a log of work tells them; else an assumption under which queues do not dominate."""
    work = basis.history.visits
    hours = work["hands_on_ms"].astype("Float64") / 3_600_000
    if hours.notna().any():
        for name, stage in zip(names, stages, strict=True):
            rows = work["stage"] == name
            known = hours[rows].dropna().to_numpy(dtype=float)
            idle = int((rows & (work["workers"].fillna(0) == 0)).sum())
            values = np.concatenate([known, np.zeros(idle)])
            stage["effort_hours"] = observed(values) if len(values) else {"family": "fixed", "value": 0.0}
            mean = float(values.mean()) if len(values) else 0.0
            note = f"hands-on time a visit; {idle} of {int(rows.sum())} visits show no work"
            evidence.measured(f"stages.{stage['id']}.effort_hours", mean, len(known), note=note)
        return
    counts, _ = lead_counts(basis)
    days = max(1.0, (basis.arrivals.last - basis.arrivals.first) / pd.Timedelta(days=1) + 1)
    busiest = float(counts.max()) * 365 / min(days, 365.0)
    mean = round(_BUSIEST * HOURS_PER_WEEK * SELLING_SHARE * 365 / 7 / busiest / len(stages), 3)
    for stage in stages:
        stage["effort_hours"] = {"family": "gamma", "mean": mean, "cv": 0.5}
        source = f"set so that the busiest rep is {100 * _BUSIEST:.0f} % loaded"
        evidence.assumed(f"stages.{stage['id']}.effort_hours", mean, source, "the export holds no working time")


def _worked(history: History, names: list[str | None]) -> dict[str | None, float]:
    """Share of each stage's cases that a person worked; a rep's effect touches only those."""
    by_stage = history.visits.groupby("stage")["rep"].agg(lambda reps: reps.notna().mean())
    share = {str(stage): float(worked) for stage, worked in by_stage.items()}
    return {name: share.get(name or "", 1.0) for name in names}


def rep_effects(
    spreads: tuple[Spread, ...], ids: dict[str | None, str], worked: dict[str | None, float], evidence: Evidence
) -> dict[str, dict[str, float]]:
    """Shrunken effects on the logit scale, only for stages whose spread exceeds chance.

    Args:
        worked: by stage, the share of cases that a rep touches at all; effects are thinned out by it.
    """
    effects: dict[str, dict[str, float]] = {}
    for found in spreads:
        stage = found.what.partition(": ")[2]
        name = stage if stage in ids else None
        stage_id = ids[name]
        where = f"reps.*.conversion_logit.{stage_id}"
        interval = (100 * found.sd_low, 100 * found.sd_high)
        if not found.reported:
            note = f"the reps' spread is within chance (p = {found.p_adjusted:.2f}), so no rep effect is written"
            note += f"; a true spread up to {100 * found.sd_upper:.1f} points cannot be excluded"
            evidence.measured(where, 0.0, found.decided, (0.0, interval[1]), grade="fitted", note=note)
            continue
        note = f"true standard deviation in points, p = {found.p_adjusted:.4f}; each rep's effect is shrunken"
        note += ", reps with few cases have none"
        if worked[name] < 0.95:
            note += f", and thinned out because a person worked {100 * worked[name]:.0f} % of the cases only"
        if found.roles_suspected:
            note += "; part of it may be division of labour, not skill"
        trust: Any = "low" if found.roles_suspected else "high"
        evidence.measured(where, 100 * found.sd, found.decided, interval, grade="fitted", trust=trust, note=note)
        for rep, shift in shifts(found).items():
            effects.setdefault(rep, {})[stage_id] = round(shift * worked[name], 4)
    return effects


def shifts(found: Spread) -> dict[str, float]:
    """Shrunken effect of each unit as a shift of logit(conversion)."""
    centre = logit(_inside(found.mean))
    rates = zip(found.effects["unit"].astype(str), found.effects["effect"].to_numpy(dtype=float), strict=True)
    return {unit: round(logit(_inside(found.mean + effect)) - centre, 4) for unit, effect in rates}


def _inside(rate: float) -> float:
    return min(max(rate, _CERTAIN), 1 - _CERTAIN)


def balance(stages: list[dict[str, Any]], reps: list[dict[str, Any]]) -> None:
    """Set each base conversion so that the reps together, by their share of the leads, reach the measured one."""
    weights = np.array([rep["lead_weight"] for rep in reps])
    for stage in stages:
        shifts = np.array([rep.get("conversion_logit", {}).get(stage["id"], 0.0) for rep in reps])
        wanted = stage["conversion"]
        if not shifts.any() or weights.sum() == 0:
            continue

        def gap(base: float, shifts: np.ndarray = shifts, wanted: float = wanted) -> float:
            return (
                float(sum(w * expit(base + s) for w, s in zip(weights, shifts, strict=True)) / weights.sum()) - wanted
            )

        stage["conversion"] = round(expit(float(optimize.brentq(gap, -20.0, 20.0))), 6)


def _stays(history: History, evidence: Evidence) -> bool:
    if not len(history.visits):
        return True
    visits = history.visits.sort_values(["id", "entered"], kind="stable")
    after = visits.groupby("id", sort=False)["rep"].shift(-1)
    both = visits["rep"].notna() & after.notna()
    if not both.any():
        return True
    share = float((visits["rep"][both] == after[both]).mean())
    note = "share of stage changes after which the same rep goes on"
    evidence.measured("routing.same_rep", share, int(both.sum()), note=note)
    return share >= 0.5
