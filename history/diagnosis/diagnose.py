"""The diagnosis of what really happened; that of a simulated plan is :mod:`history.diagnosis.scenario`."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from history.compare import DIMENSIONS, by_cohort, by_period, by_unit, overall
from history.crm import History
from history.diagnosis.finding import Finding, strongest_first
from history.diagnosis.funnel import activities, activity_findings, capability, leak_findings, leaks
from history.diagnosis.scenario import diagnose_scenario
from history.diagnosis.stages import stage_table
from history.quality import Remark
from history.skill import rep_spreads
from history.statements import statements

__all__ = ["Diagnosis", "Finding", "diagnose", "diagnose_scenario", "stage_table"]


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Tables and findings of a history. Amounts are signed value in minor units.

    Attributes:
        overall: one row of key figures (:func:`history.compare.overall`).
        periods, cohorts: by calendar quarter of closing and of creation.
        units: key figures by rep, team, region, product, ..., for each attribute that the export tells.
        leaks: what each stage loses (:func:`history.diagnosis.funnel.leaks`).
        activities: what reps do against what comes of it.
        capability: each rep's shrunken conversion by stage.
        findings: in words, the strongest first.
        data: remarks on the quality of the export.
    """

    overall: pd.DataFrame
    periods: pd.DataFrame
    cohorts: pd.DataFrame
    units: dict[str, pd.DataFrame]
    leaks: pd.DataFrame
    activities: pd.DataFrame
    capability: pd.DataFrame
    findings: tuple[Finding, ...]
    data: tuple[Remark, ...]


def diagnose(history: History) -> Diagnosis:
    """Key figures, comparisons in time and between units, leaks of the funnel, and what all this says in words."""
    lost, done = leaks(history), activities(history)
    found = [*statements(history), *leak_findings(lost, history.currency), *activity_findings(done)]
    told = [field for field in DIMENSIONS if history.opportunities[field].notna().any()]
    return Diagnosis(
        overall=overall(history),
        periods=by_period(history, "quarter"),
        cohorts=by_cohort(history, "quarter"),
        units={field: by_unit(history, field) for field in told},
        leaks=lost,
        activities=done,
        capability=capability(rep_spreads(history)),
        findings=tuple(strongest_first(found)),
        data=history.quality,
    )
