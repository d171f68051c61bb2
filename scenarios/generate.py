"""The seeded generator of invented companies: the starter company, and larger ones of the same kind.

Everything drawn comes from raw uniforms of PCG64 streams, one stream a table, turned into values by formulas of this
module: the bytes of a generated company depend on its blueprint alone. ``python -m scenarios.generate`` writes the
shipped files anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scenarios.blueprint import Blueprint, RepRow, StageRow, TierRow
from scenarios.drawing import Stream
from scenarios.drawn_blueprints import drawn_blueprint
from scenarios.files import from_document, save
from scenarios.generate_tables import account_rows, leave_rows, pipeline_rows
from scenarios.motivation_tables import MOTIVATION, REACTION
from scenarios.people import DEFAULT_SKILLS
from scenarios.scenario import Scenario
from scenarios.starter_tables import (
    CALENDAR,
    DISPERSION,
    LEVELS,
    NEW_CUSTOMER,
    ORDER_SEASON,
    PRESALES_HOURS,
    PRODUCT_MIX,
    STAGES,
    STARTER,
    TIERS,
)

_LIBRARY = Path(__file__).parent / "library"


def starter() -> Scenario:
    """The shipped starter company; its files are what this writes."""
    return company(STARTER)


def motivation() -> Scenario:
    """The shipped company whose reps react to their quotas."""
    document = company(MOTIVATION).document() | {"motivation": REACTION}
    for rule in document["allocation"]["rules"]:
        if rule["rule"] == "growth":
            # A junior grows from a low base; the cap would leave no room for more than the target in the whole team.
            rule["exempt"] = ["N3"]
        if rule["rule"] == "workload":
            # Short of time by design, so that pace counts: the usual limit would lie within the luck of a few years.
            rule["maximum"] = 0.98
    return from_document(document)


def national(seed: int = 1) -> Scenario:
    """A company of 200 reps in 8 regions with 5,000 accounts."""
    return company(_national(seed))


def enterprise(seed: int = 1) -> Scenario:
    """A company of 5,000 reps in 8 regions with 50,000 accounts; it has no presales desk that all would share."""
    return company(_enterprise(seed))


def generated_document(name: str) -> dict[str, Any]:
    """The document of a generated scenario of the library at its seed, which is 1.

    Raises:
        KeyError: no such scenario.
    """
    return company_document({"national": _national, "enterprise": _enterprise}[name](1))


def _national(seed: int) -> Blueprint:
    return drawn_blueprint("National demo company", seed, reps=200, accounts=5_000, presales=30)


def _enterprise(seed: int) -> Blueprint:
    return drawn_blueprint("Enterprise demo company", seed, reps=5_000, accounts=50_000, presales=0)


def company(blueprint: Blueprint) -> Scenario:
    """An invented company.

    Raises:
        InputRefused: the blueprint contradicts itself.
    """
    return from_document(company_document(blueprint))


def company_document(blueprint: Blueprint) -> dict[str, Any]:
    """The same as plain data, not validated."""
    return {
        "name": blueprint.name,
        "description": blueprint.description,
        "invented": True,
        "currency": "CNY",
        "seed": blueprint.seed,
        "data_date": "2025-12-31",
        "calendar": CALENDAR,
        "regions": [{"id": region.id, "name": region.name} for region in blueprint.regions],
        "teams": [
            {"id": team.id, "name": team.name, "region": team.region, "manager": team.manager}
            for team in blueprint.teams
        ],
        "skills": _skills(),
        "stages": [_stage(row, blueprint.presales > 0) for row in STAGES],
        "sources": list(_sources(blueprint)),
        "products": _products(),
        "tiers": [_tier(row, rank) for rank, row in enumerate(TIERS)],
        "account_physics": _account_physics(),
        "support": _support(blueprint),
        "cash": _cash(),
        "goals": _goals(blueprint),
        "allocation": _allocation(blueprint),
        "reps": list(_reps(blueprint)),
        "accounts": list(account_rows(blueprint)),
        "pipeline": list(pipeline_rows(blueprint)),
        "absences": list(leave_rows(blueprint)),
        "provenance": [dict(row) for row in blueprint.provenance],
    }


def write_library(folder: Path = _LIBRARY) -> None:
    """Write the generated scenarios of the shipped library anew."""
    save(starter(), folder / "starter")
    save(motivation(), folder / "motivation")


def _care_owed(blueprint: Blueprint) -> float:
    """Care hours a year that the tiers of all accounts are owed together."""
    tiers = {tier.id: tier for tier in TIERS}
    return float(sum(tiers[row["tier"]].care for row in account_rows(blueprint)))


def _skills() -> dict[str, Any]:
    levels = [
        {
            "id": level,
            "name": name,
            "skills": dict.fromkeys(DEFAULT_SKILLS, skill),
            "cost_per_year": cost,
            "effort_factor": effort,
        }
        for level, name, skill, effort, cost in LEVELS
    ]
    # The grade says how fast somebody works, so skill itself moves conversion only.
    return {"levels": levels, "effort_log_per_point": 0.0, "training": {"cost_per_hour": 400}}


def _stage(row: StageRow, with_presales: bool) -> dict[str, Any]:
    stage: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "effort_hours": _gamma(row.hours, 0.5),
        "skill_weights": {skill: weight for skill, weight in zip(DEFAULT_SKILLS, row.weights, strict=True) if weight},
        "activities": row.activities,
    }
    if row.conversion is None:
        return stage | {"after_win": True}
    stage |= {
        "conversion": row.conversion,
        "delay_days": {"family": "lognormal", "mean": row.delay, "cv": 0.8},
        "patience_days": _gamma(float(row.patience or 0), 0.5),
    }
    if row.id == "proposal" and with_presales:
        stage["support"] = {"resource": "presales", "effort_hours": _gamma(PRESALES_HOURS, 0.4)}
    return stage


def _sources(blueprint: Blueprint) -> Iterator[dict[str, Any]]:
    for row in blueprint.sources:
        yield {
            "id": row.id,
            "name": row.name,
            "leads_per_year": row.leads,
            "season": list(row.season),
            "weekday_factors": list(row.weekdays),
            "dispersion": DISPERSION,
            "regions": {region.id: region.share for region in blueprint.regions},
            "products": PRODUCT_MIX,
            "quality_logit": row.quality,
            "cost_per_lead": row.cost,
        }


def _products() -> list[dict[str, Any]]:
    service = [{"product": "service", "probability": 0.35}]
    return [
        {
            "id": "standard",
            "name": "标准版",
            "value": _lognormal(95_000, 0.55),
            "gross_margin": 0.72,
            "attach": service,
        },
        {
            "id": "key",
            "name": "智能工厂套件",
            "value": _lognormal(220_000, 0.55),
            "key": True,
            "gross_margin": 0.66,
            "attach": service,
        },
        {"id": "service", "name": "实施服务", "value": _lognormal(25_000, 0.4), "gross_margin": 0.35},
    ]


def _tier(row: TierRow, rank: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "rank": rank,
        "orders_per_year": row.orders,
        "order_value": _lognormal(row.value, 0.6),
        "potential": row.potential,
        "care_hours_per_year": row.care,
        "churn_per_year": row.churn,
    }


def _account_physics() -> dict[str, Any]:
    return {
        "season": list(ORDER_SEASON),
        "order_effort_hours": _gamma(6.0, 0.4),
        "new_customer": _tier(NEW_CUSTOMER, len(TIERS)),
    }


def _support(blueprint: Blueprint) -> list[dict[str, Any]]:
    desk = {"id": "presales", "name": "售前支持", "people": blueprint.presales, "selling_share": 0.7}
    return [desk] if blueprint.presales else []


def _cash() -> dict[str, Any]:
    return {
        "instalments": [
            {"share": 0.3, "due_days": 0},
            {"share": 0.6, "due_days": 30},
            {"share": 0.1, "due_days": 90},
        ],
        "delay_days": _gamma(45, 0.6),
        "collection_probability": 0.99,
    }


def _goals(blueprint: Blueprint) -> dict[str, Any]:
    return {"targets": [{"metric": "revenue", "target": blueprint.target * 1000}], "history_growth": 0.06}


def _allocation(blueprint: Blueprint) -> dict[str, Any]:
    return {
        # Owners, care and training for sales first, then a fair split: in one step, accounts may move against their
        # sales only to escape a rule on quotas.
        "mode": "two_stage",
        "over_assignment": 0.0,
        "rounding_step": 10_000,
        # Two territories carried more than they hold, so a quota may fall a little below last year's sales.
        "rules": [
            {"rule": "potential_band", "tolerance": 0.25},
            {"rule": "growth", "floor": -0.1, "cap": 0.25},
            {"rule": "min_chance", "chance": 0.35},
            {"rule": "workload", "maximum": 0.95},
        ],
        "training": {"budget_hours": blueprint.training_hours, "per_rep_hours": 60},
        "accounts": {
            "max_moves": blueprint.max_moves,
            "protect_stages": ["closing"],
            "care_hours_budget": _care_owed(blueprint),
        },
    }


def _reps(blueprint: Blueprint) -> Iterator[dict[str, Any]]:
    stream = Stream(blueprint.seed, "skills")
    for row in blueprint.reps:
        yield _rep(row, stream)


def _rep(row: RepRow, stream: Stream) -> dict[str, Any]:
    """A rep whose selling skills average to the row's skill; how fast somebody learns is another matter."""
    *selling, learning = stream.uniforms(len(DEFAULT_SKILLS))
    mean = sum(selling) / len(selling)
    levels = [round(min(max(row.skill + 14 * (u - mean), 0), 100), 1) for u in selling]
    levels.append(round(60 + 20 * (learning - 0.5), 1))
    rep: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "team": row.team,
        "level": row.level,
        "skills": dict(zip(DEFAULT_SKILLS, levels, strict=True)),
        "hired": row.hired,
        "lead_weight": row.lead_weight,
        "last_sales": None if row.last_sales is None else row.last_sales * 1000,
        "quota": None if row.quota is None else row.quota * 1000,
    }
    return {field: value for field, value in rep.items() if value is not None}


def _gamma(mean: float, cv: float) -> dict[str, Any]:
    return {"family": "gamma", "mean": mean, "cv": cv}


def _lognormal(mean: float, cv: float) -> dict[str, Any]:
    return {"family": "lognormal", "mean": mean, "cv": cv}


if __name__ == "__main__":
    write_library()
