"""Worlds on which the closed loop must hold: a table fixed beforehand, and companies drawn from its rows.

Four factors, each at two levels, in every combination, and four combinations again with other seeds:

==========  ==============  ==================================================================================
factor      levels          what it sets
==========  ==============  ==================================================================================
congestion  light, heavy    hours that leads and accounts ask for: .70 or 1.05 of those there are
pool        own, shared     leads are dealt out, or wait in one pool from which idle reps pull
accounts    few, many       accounts bring about a fifth or about a half of the sales
skill       narrow, wide    standard deviation of a rep's skills: 4 or 14 points
==========  ==============  ==================================================================================

In all of them accounts lie with whom chance gave them, care today is what chance left, and training is on offer. A
*still* world is one in which nothing can be gained: all reps are alike, skill has no effect, all accounts are alike and
dealt out evenly, and ask for no care.

All of it is invented; the size of what a plan can gain in these worlds says nothing about a real company.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from scenarios.drawing import Stream
from scenarios.files import from_document
from scenarios.people import DEFAULT_SKILLS
from scenarios.scenario import Scenario
from scenarios.starter_tables import CALENDAR

REPS = 12
_HOURS = 1_316.0
"""Selling hours a year of a rep."""
_LEAD_HOURS = 6.4
_LEAD_SALES = 12_600.0
"""Of a lead at the reference skill: hours it takes, CNY it brings."""
_ORDER_HOURS = 4.0
_TIERS = {"A": (6.0, 300_000, 2_500_000, 100), "B": (4.0, 170_000, 950_000, 50), "C": (2.0, 100_000, 300_000, 20)}
"""Orders a year, CNY an order, potential, hours of care owed a year."""
_COUNTS = {"few": {"A": 2, "B": 4, "C": 6}, "many": {"A": 8, "B": 10, "C": 12}}
_LOAD = {"light": 0.70, "heavy": 1.05}
_CLEARED = {"light": 0.90, "heavy": 0.86}
"""Roughly what is sold within the year of what is asked for: no opportunity is open at the start."""
_SPREAD = {"narrow": 4.0, "wide": 14.0}


@dataclass(frozen=True)
class AcceptanceWorld:
    """One row of the table; see the module for the factors."""

    number: int
    seed: int
    congestion: Literal["light", "heavy"]
    pool: Literal["own", "shared"]
    accounts: Literal["few", "many"]
    skill: Literal["narrow", "wide"]

    @property
    def name(self) -> str:
        """``07 heavy shared few wide``."""
        return f"{self.number:02} {self.congestion} {self.pool} {self.accounts} {self.skill}"


WORLDS: tuple[AcceptanceWorld, ...] = (
    AcceptanceWorld(1, 4101, "light", "own", "few", "narrow"),
    AcceptanceWorld(2, 4102, "light", "own", "few", "wide"),
    AcceptanceWorld(3, 4103, "light", "own", "many", "narrow"),
    AcceptanceWorld(4, 4104, "light", "own", "many", "wide"),
    AcceptanceWorld(5, 4105, "light", "shared", "few", "narrow"),
    AcceptanceWorld(6, 4106, "light", "shared", "few", "wide"),
    AcceptanceWorld(7, 4107, "light", "shared", "many", "narrow"),
    AcceptanceWorld(8, 4108, "light", "shared", "many", "wide"),
    AcceptanceWorld(9, 4109, "heavy", "own", "few", "narrow"),
    AcceptanceWorld(10, 4110, "heavy", "own", "few", "wide"),
    AcceptanceWorld(11, 4111, "heavy", "own", "many", "narrow"),
    AcceptanceWorld(12, 4112, "heavy", "own", "many", "wide"),
    AcceptanceWorld(13, 4113, "heavy", "shared", "few", "narrow"),
    AcceptanceWorld(14, 4114, "heavy", "shared", "few", "wide"),
    AcceptanceWorld(15, 4115, "heavy", "shared", "many", "narrow"),
    AcceptanceWorld(16, 4116, "heavy", "shared", "many", "wide"),
    AcceptanceWorld(17, 4117, "light", "own", "many", "wide"),
    AcceptanceWorld(18, 4118, "heavy", "own", "many", "wide"),
    AcceptanceWorld(19, 4119, "heavy", "own", "few", "wide"),
    AcceptanceWorld(20, 4120, "light", "shared", "many", "narrow"),
)


def acceptance_world(row: AcceptanceWorld) -> Scenario:
    """The company of a row."""
    stream = Stream(row.seed, "reps")
    skills = [_skills(stream, _SPREAD[row.skill]) for _ in range(REPS)]
    accounts = _accounts(Stream(row.seed, "accounts"), _COUNTS[row.accounts])
    document = _company(row.name, row.seed, skills, accounts, load=_LOAD[row.congestion], max_moves=len(accounts) // 5)
    if row.pool == "shared":
        document["routing"] = {"policy": "pool"}
    last = _last_sales(Stream(row.seed, "history"), document, _CLEARED[row.congestion])
    return from_document(_with_quotas(document, last, 1.05))


def still_world(seed: int, reps: int = 6) -> Scenario:
    """A company in which nothing can be gained, over one quarter.

    Args:
        reps: at least 2.
    """
    skills = [dict.fromkeys(DEFAULT_SKILLS, 60.0)] * reps
    accounts = [
        {"id": f"B{rep:02}.{place}", "tier": "B", "owner": f"R{rep:02}", "care_hours": 0, "sales_last": 600_000}
        for rep in range(1, reps + 1)
        for place in (1, 2)
    ]
    document = _company(f"still {seed}", seed, skills, accounts, load=0.8, max_moves=4)
    document["calendar"] = {**CALENDAR, "end": "2026-04-01"}
    document["skills"] |= {"conversion_logit_per_point": 0.0, "effort_log_per_point": 0.0}
    document["account_physics"] |= {"rate_per_relationship_point": 0.0, "care_elasticity": 0.0, "handover_loss": 0.0}
    # Care that brings nothing would be a gain to whoever left it out.
    # Many small orders, too: what there is to split must not hang on the luck of a few.
    still = {
        "orders_per_year": 24.0,
        "order_value": {"family": "lognormal", "mean": 25_000, "cv": 0.3},
        "care_hours_per_year": 0.0,
    }
    document["tiers"] = [tier | still for tier in document["tiers"]]
    document["allocation"]["accounts"] = {"max_moves": 4}
    return from_document(_with_quotas(document, [450_000.0] * reps, 1.0))


def _skills(stream: Stream, spread: float) -> dict[str, float]:
    """Skills around a rep's own level: half of the variance is the rep's, half each skill's."""
    level = stream.normal(60.0, spread * math.sqrt(0.5))
    own = [stream.normal(level, spread * math.sqrt(0.5)) for _ in DEFAULT_SKILLS]
    return {skill: round(min(max(score, 5.0), 95.0), 1) for skill, score in zip(DEFAULT_SKILLS, own, strict=True)}


def _accounts(stream: Stream, counts: dict[str, int]) -> list[dict[str, Any]]:
    """Accounts with the owner, the care and last year's sales that chance gave them."""
    rows = []
    for tier, count in counts.items():
        orders, value, potential, care = _TIERS[tier]
        for place in range(1, count + 1):
            sales = orders * value * math.exp(stream.normal(-0.02, 0.2))
            rows.append(
                {
                    "id": f"{tier}{place:02}",
                    "tier": tier,
                    "owner": f"R{1 + int(stream.uniform() * REPS):02}",
                    "care_hours": round(care * (0.3 + stream.uniform())),
                    "orders_per_year": round(orders * math.exp(stream.normal(-0.045, 0.3)), 2),
                    "potential": round(potential * math.exp(stream.normal(-0.02, 0.2)), -4),
                    "sales_last": round(sales, -3),
                }
            )
    return rows


def _company(
    name: str,
    seed: int,
    skills: list[dict[str, float]],
    accounts: list[dict[str, Any]],
    *,
    load: float,
    max_moves: int,
) -> dict[str, Any]:
    """The document without sales of last year, quotas and target."""
    reps = len(skills)
    busy = sum(_TIERS[row["tier"]][0] * _ORDER_HOURS + _care(row) for row in accounts)
    leads = round(max(load * _HOURS * reps - busy, 0.1 * _HOURS * reps) / _LEAD_HOURS)
    return {
        "name": name,
        "invented": True,
        "currency": "CNY",
        "seed": seed,
        "calendar": CALENDAR,
        "regions": [{"id": "here"}],
        "teams": [{"id": "T", "region": "here"}],
        "skills": {"training": {"cost_per_hour": 400}},
        "stages": [
            _stage("qualify", 0.7, 1.5, 7.0, {"market_insight": 0.5, "relationship_management": 0.5}),
            _stage("propose", 0.6, 4.0, 21.0, {"product_knowledge": 0.7, "market_insight": 0.3}),
            _stage("close", 0.6, 5.0, 10.0, {"negotiation": 0.7, "relationship_management": 0.3}),
        ],
        "sources": [{"id": "leads", "leads_per_year": leads, "dispersion": 1.5, "regions": {"here": 1.0}}],
        "products": [{"id": "product", "value": {"family": "lognormal", "mean": 50_000, "cv": 0.5}}],
        "tiers": [_tier(tier) for tier in _TIERS],
        "account_physics": {
            "rate_per_relationship_point": 0.008,
            "handover_loss": 0.15,
            "care_elasticity": 0.3,
            "order_effort_hours": {"family": "gamma", "mean": _ORDER_HOURS, "cv": 0.4},
        },
        "allocation": {
            "mode": "two_stage",
            "rounding_step": 10_000,
            "rules": [{"rule": "potential_band", "tolerance": 0.25}],
            "training": {"budget_hours": 24 * reps, "per_rep_hours": 60},
            "accounts": {"max_moves": max_moves, "care_hours_budget": sum(map(_care, accounts))},
        },
        "reps": [
            {"id": f"R{place:02}", "team": "T", "skills": profile} for place, profile in enumerate(skills, start=1)
        ],
        "accounts": [row | {"region": "here"} for row in accounts],
    }


def _care(account: dict[str, Any]) -> float:
    return float(account.get("care_hours", _TIERS[account["tier"]][3]))


def _stage(name: str, conversion: float, hours: float, delay: float, weights: dict[str, float]) -> dict[str, Any]:
    return {
        "id": name,
        "conversion": conversion,
        "effort_hours": {"family": "gamma", "mean": hours, "cv": 0.5},
        "delay_days": {"family": "lognormal", "mean": delay, "cv": 0.8},
        "patience_days": {"family": "gamma", "mean": 40, "cv": 0.5},
        "skill_weights": weights,
    }


def _tier(name: str) -> dict[str, Any]:
    orders, value, potential, care = _TIERS[name]
    return {
        "id": name,
        "orders_per_year": orders,
        "order_value": {"family": "lognormal", "mean": value, "cv": 0.5},
        "potential": potential,
        "care_hours_per_year": care,
    }


def _last_sales(stream: Stream, document: dict[str, Any], cleared: float) -> list[float]:
    """Last year's sales of each rep: roughly expected ones with the noise of a year."""
    leads = document["sources"][0]["leads_per_year"] / len(document["reps"])
    found = []
    for rep in document["reps"]:
        level = sum(rep["skills"].values()) / len(rep["skills"])
        own = sum(row["sales_last"] for row in document["accounts"] if row["owner"] == rep["id"])
        expected = own + leads * _LEAD_SALES * math.exp(0.02 * (level - 60))
        found.append(cleared * expected * math.exp(stream.normal(-0.02, 0.2)))
    return found


def _with_quotas(document: dict[str, Any], last: list[float], growth: float) -> dict[str, Any]:
    """The document with last year's sales, quotas in proportion to them, and the target that they sum to."""
    quotas = [round(growth * sales, -4) for sales in last]
    reps = [
        rep | {"last_sales": round(sales, -3), "quota": quota}
        for rep, sales, quota in zip(document["reps"], last, quotas, strict=True)
    ]
    goals = {"targets": [{"metric": "revenue", "target": sum(quotas)}]}
    return document | {"reps": reps, "goals": goals}
