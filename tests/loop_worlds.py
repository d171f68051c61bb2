"""Small companies for tests of the closed loop: a quarter, a few reps of different skill, accounts that may move."""

from __future__ import annotations

from typing import Any

from scenarios.files import from_document
from scenarios.people import DEFAULT_SKILLS
from scenarios.scenario import Scenario

SKILLS = (78, 70, 60, 52, 44, 66, 57, 49)


def company(
    reps: int = 4,
    accounts: int = 12,
    leads: float = 90.0,
    *,
    policy: str = "even",
    skill_matters: bool = True,
    target: float | None = None,
    motivation: dict[str, Any] | None = None,
    **allocation: Any,
) -> Scenario:
    """A company whose best reps own no more than the others.

    Args:
        leads: a year and rep; a rep has about 500 working hours in the quarter, a lead asks up to 9 of them.
        policy: of routing; ``pool`` is shared by all.
        skill_matters: False makes all reps alike in what they do.
        target: of the company; default about what it sells.
    """
    slope = 1.0 if skill_matters else 0.0
    return from_document(
        {
            "name": f"small-{policy}",
            "seed": 11,
            "calendar": {"start": "2026-01-01", "end": "2026-04-01"},
            "regions": [{"id": "N"}],
            "teams": [{"id": "T", "region": "N"}],
            "products": [{"id": "P", "value": {"family": "lognormal", "mean": 20_000, "cv": 0.6}}],
            "stages": [
                {
                    "id": "meet",
                    "effort_hours": {"family": "lognormal", "mean": 4, "cv": 0.5},
                    "conversion": 0.4,
                },
                {
                    "id": "close",
                    "effort_hours": {"family": "lognormal", "mean": 10, "cv": 0.5},
                    "conversion": 0.5,
                },
            ],
            "sources": [{"id": "web", "leads_per_year": leads * reps}],
            "routing": {"policy": policy},
            "skills": {
                "conversion_logit_per_point": 0.02 * slope,
                "effort_log_per_point": 0.004 * slope,
                **({} if skill_matters else {"training": {"max_gain_points": 0}}),
            },
            "tiers": [
                {
                    "id": "A",
                    "orders_per_year": 8,
                    "order_value": {"family": "lognormal", "mean": 15_000, "cv": 0.5},
                    "care_hours_per_year": 30,
                }
            ],
            "account_physics": {
                "order_effort_hours": {"family": "fixed", "value": 4},
                "rate_per_relationship_point": 0.015 * slope,
                "handover_loss": 0.02,
            },
            "reps": [
                {
                    "id": f"R{i + 1}",
                    "team": "T",
                    "skills": dict.fromkeys(DEFAULT_SKILLS, SKILLS[i % len(SKILLS)] if skill_matters else 60),
                    "last_sales": 400_000,
                    "quota": 400_000,
                }
                for i in range(reps)
            ],
            "accounts": [
                {"id": f"A{i + 1:02}", "tier": "A", "region": "N", "owner": f"R{i % reps + 1}"} for i in range(accounts)
            ],
            **({} if motivation is None else {"motivation": motivation}),
            "goals": {"targets": [{"metric": "revenue", "target": 230_000 * reps if target is None else target}]},
            "allocation": {
                "rules": [],
                "rounding_step": 100,
                "training": {"budget_hours": 16.0 * reps, "per_rep_hours": 32, "step_hours": 8},
                "accounts": {"max_moves_share": 0.5},
                **allocation,
            },
        }
    )
