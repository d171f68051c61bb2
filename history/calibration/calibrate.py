"""From a CRM export to a scenario that can be simulated, with the origin of every parameter written beside it.

What the export tells is measured or fitted and carries its rows and interval; what it does not tell (paid hours,
skills, potentials, effort in a bare list, targets) is written as ``assumed`` or ``prior``, never silently.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from history.calibration.accounts import Ownership, owned_accounts, without_owned
from history.calibration.evidence import Basis, Evidence, Horizon, basis_of
from history.calibration.funnel import balance, funnel_of
from history.calibration.goals import goals_of
from history.calibration.market import market_of
from history.calibration.people import People, calendar_of, people_of
from history.calibration.pipeline import pipeline_of
from history.crm import History
from scenarios.errors import InputRefused, Problem
from scenarios.files import from_document
from scenarios.scenario import Scenario

GROWTH = 0.05
"""Growth of the assumed target over the last period's sales."""


def calibrate(
    history: History,
    *,
    horizon: Horizon | None = None,
    name: str = "calibrated",
    language: Literal["en", "zh"] = "en",
    growth: float = GROWTH,
    seed: int = 0,
) -> Scenario:
    """A scenario that goes on where the export ends.

    The horizon begins on the day after the last day that shows all creations, with every opportunity open then.
    Conversions are ultimate shares, so that young cases are not lost; wins and losses have delays of their own;
    reps differ only in stages where they do so beyond chance; accounts are owned only where one rep predominates.

    Args:
        horizon: ``month``, ``quarter``, ``half`` or ``year``; empty means a year after half a year of arrivals or
            more, else a quarter.
        name: of the scenario.
        language: of names that the export does not give.
        growth: the assumed target is the last period's sales, scaled to the horizon, times 1 + this; above -1.
        seed: of the scenario.

    Returns:
        A valid scenario; ``provenance`` says for each parameter its source, date, rows, interval and grade.

    Raises:
        InputRefused: too little was decided, won or seen arriving to calibrate anything; or no such growth.
    """
    if not growth > -1 or not math.isfinite(growth):
        raise InputRefused(Problem("growth", str(growth), "must be a finite number above -1", "write .05 for 5 %"))
    whole = basis_of(history, horizon)
    evidence = Evidence(whole)
    owned = owned_accounts(whole, evidence)
    basis = without_owned(whole, owned, horizon)
    funnel = funnel_of(basis, evidence, language)
    owners = set() if owned is None else set(owned.table["owner"])
    people = people_of(whole, basis, owners, funnel.effects, evidence)
    through = math.prod(stage["conversion"] for stage in funnel.stages)
    balance(funnel.stages, people.reps)
    market = market_of(basis, people, evidence, language)
    accounts = _accounts(owned, funnel.stages, people, evidence)
    expected = basis.arrivals.level * basis.days * through * market.order_value * 100
    if owned is not None:
        expected += float(owned.table["sales_minor"].sum()) * basis.days / owned.days
    document: dict[str, Any] = {
        "name": name,
        "description": _described(whole),
        "language": language,
        "currency": history.currency,
        "seed": seed,
        "data_date": str(whole.known.date()),
        "calendar": calendar_of(whole, evidence),
        "regions": people.regions,
        "teams": people.teams,
        "stages": funnel.stages,
        "routing": {"same_rep": funnel.same_rep},
        "sources": market.sources,
        "segments": market.segments,
        "products": market.products,
        "reps": people.reps,
        "pipeline": pipeline_of(basis, funnel, people, market, evidence),
        **accounts,
        **goals_of(whole, people, expected, growth, evidence),
    }
    return from_document(document | {"provenance": evidence.rows})


def _described(basis: Basis) -> str:
    files = ", ".join(file.name for file in basis.history.source_files)
    deals = len(basis.history.opportunities)
    return f"Calibrated from {files}: {deals} opportunities, data date {basis.history.snapshot.date()}."


def _accounts(
    owned: Ownership | None, stages: list[dict[str, Any]], people: People, evidence: Evidence
) -> dict[str, Any]:
    return {} if owned is None else owned.sections(stages, people.ids, people.region_of, evidence)
