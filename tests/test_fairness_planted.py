"""The whole audit on companies drawn at random: what was planted is found, fair plans are flagged as seldom as said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from experiments.fairness_audit import FairnessAudit, audit_plan
from experiments.fairness_checks import LEVEL
from scenarios.plan import Plan, QuotaRow
from sim.statistics import wilson

HIRED = ("2025-09-01", "2024-01-01", "2015-01-01")
PLANTED = ("team", "region", "tenure", "level", "territory")


def company(rng: np.random.Generator, people: int):
    """People dealt to teams, grades and tenures; territories, skills and luck know nothing of each other.

    Returns the scenario, its responses, and for each kind the people who can be given too much.
    """
    teams, grades, tenures = (rng.permutation(np.arange(people) % count) for count in (4, 2, 3))
    scenario = changed(
        world(3),
        teams=[{"id": f"T{i}", "region": "N" if i < 2 else "S"} for i in range(4)],
        regions=[{"id": "N"}, {"id": "S"}],
        skills={"levels": [{"id": "a", "skills": {}}, {"id": "b", "skills": {}}]},
        reps=[
            {"id": f"R{i:02d}", "team": f"T{teams[i]}", "level": "ab"[grades[i]], "hired": HIRED[tenures[i]]}
            for i in range(people)
        ],
        goals={"targets": [{"metric": "revenue", "target": 100 * people}]},
    )
    potential = 100 * np.exp(rng.uniform(0.2, 0.6) * rng.standard_normal(people))
    skill = np.exp(0.1 * rng.standard_normal(people))
    sales = lognormal(rng, (60, people), cv=float(rng.uniform(0.2, 0.6))) * (potential * skill / 100)
    found = replace(responses_of(scenario, sales, territory=potential * 100), opportunity=potential * 100)
    chosen = {"team": teams == 1, "region": teams < 2, "tenure": tenures == 0, "level": grades == 0}
    return scenario, found, potential, chosen


def audited(seed: int, people: int, planted: str = "", by: float = 0.2) -> FairnessAudit:
    rng = np.random.default_rng(31_000 + seed)
    scenario, found, potential, chosen = company(rng, people)
    quotas = potential * np.exp(0.05 * rng.standard_normal(people))
    if planted == "territory":
        quotas *= (potential / 100) ** -by
    elif planted:
        quotas *= np.where(chosen[planted], 1 + by, 1.0)
    quotas *= 100 * people / quotas.sum()
    start, end = scenario.calendar.start, scenario.calendar.end
    rows = [
        QuotaRow(rep, "revenue", start, end, round(100 * quota))
        for rep, quota in zip(found.reps, quotas.tolist(), strict=True)
    ]
    return audit_plan(scenario, Plan(name="theirs", targets=tuple(rows)), found, seed=seed)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", PLANTED)
def test_each_planted_kind_is_found_by_its_name(kind, seed):
    found = audited(seed, 48, kind)
    assert found.check("quota_over_potential", kind).flagged
    assert found.flagged
    # Teams are parts of regions, so that what is planted in one shows in the other.
    related = {"team", "region"} if kind in ("team", "region") else {kind}
    others = [c for c in found.checks if c.measure == "quota_over_potential" and c.against not in {*related, "growth"}]
    worst = min(c.p_adjusted for c in others if c.p_adjusted is not None)
    assert found.check("quota_over_potential", kind).p_adjusted <= worst


@pytest.mark.slow
def test_fair_companies_are_flagged_no_more_often_than_stated():
    """Whole audits, outliers among feasible plans included, of companies of 30 to 60 people; nothing is planted."""
    count = 160
    sizes = np.random.default_rng(5).integers(30, 61, count)
    flagged = sum(audited(seed, int(people)).flagged for seed, people in enumerate(sizes))
    assert wilson(flagged, count).low <= LEVEL


@pytest.mark.slow
@pytest.mark.parametrize("kind", PLANTED)
def test_planted_kinds_are_found_nearly_always(kind):
    assert wilson(sum(audited(100 + seed, 48, kind).flagged for seed in range(20)), 20).high >= 0.95
