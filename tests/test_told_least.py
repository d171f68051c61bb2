"""What is told of small requests with rules on ratios is the least, owners free, and hides no other conflict."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest

import quotalab as ql
from optimize.infeasible import AS_SIMULATED
from optimize.ways_out import NEARER, OR_LESS
from scenarios.errors import InfeasiblePlan
from scenarios.files import from_document

GINI = {"rule": "gini", "maximum": 0.05}


def base(target=300_000.0, **allocation):
    return {
        "name": "told",
        "calendar": {"start": "2026-01-01", "end": "2027-01-01", "reporting": "quarter"},
        "regions": [{"id": "N"}],
        "teams": [{"id": "T1", "region": "N"}, {"id": "T2", "region": "N"}],
        "stages": [
            {
                "id": "close",
                "effort_hours": {"family": "fixed", "value": 6},
                "conversion": 0.2,
                "skill_weights": {"negotiation": 1},
            }
        ],
        "sources": [{"id": "web", "leads_per_year": 180}],
        "products": [{"id": "p", "value": {"family": "lognormal", "mean": 8000, "cv": 0.6}}],
        "tiers": [
            {
                "id": "A",
                "orders_per_year": 4,
                "order_value": {"family": "fixed", "value": 4000},
                "potential": 20000,
                "care_hours_per_year": 30,
            }
        ],
        "account_physics": {"order_effort_hours": {"family": "fixed", "value": 6}},
        "goals": {"targets": [{"metric": "revenue", "target": target}]},
        "allocation": {
            "rules": [],
            "rounding_step": 1.0,
            "training": {"budget_hours": 0.0},
            "accounts": {"max_moves": 3},
            **allocation,
        },
        "reps": [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 90000.0} for i in range(1, 4)],
        "accounts": [{"id": f"A{i}", "tier": "A", "region": "N", "owner": f"R{(i - 1) % 3 + 1}"} for i in range(1, 7)],
    }


@pytest.fixture(scope="module")
def outcome():
    return ql.simulate(from_document(base()), replications=8)


def told(document, outcome):
    with pytest.raises(InfeasiblePlan) as caught:
        ql.allocate(from_document(document), outcome=outcome)
    return caught.value


def possible(document, outcome):
    try:
        ql.allocate(from_document(document), outcome=outcome)
    except InfeasiblePlan:
        return False
    return True


def test_a_floor_on_training_is_not_hidden_behind_rules_on_ratios(outcome):
    training = {"budget_hours": 16.0, "step_hours": 8.0, "per_rep_hours": 8.0, "skills": ["negotiation"]}
    rules = [GINI, {"rule": "worst_off", "share": 1.0, "minimum": 0.9}, {"rule": "training_floor", "hours": 8.0}]
    document = base(500_000.0, training=training, rules=rules)
    error = told(document, outcome)
    assert any("training budget: 16 hours" in text for names in (error.conflict, *error.further) for text in names)
    assert "not proven" not in str(error)
    amounts = {text.partition(":")[0]: float(re.search(r"by ([\d.]+)", text)[1]) for text in error.together}
    mended = deepcopy(document)
    mended["allocation"]["training"]["budget_hours"] += amounts["training budget"]
    mended["allocation"]["rules"][1]["minimum"] -= amounts["capped attainment of the worst-off"] / 100
    assert possible(mended, outcome)


@pytest.mark.parametrize("rules", [[], [{"rule": "gini", "maximum": 0.9}], [{"rule": "gini", "maximum": 0.03}]])
def test_accounts_a_rep_are_told_with_owners_free(outcome, rules):
    document = base(rules=rules, accounts={"max_moves": 1, "max_accounts_per_rep": 2})
    for i, account in enumerate(document["accounts"]):
        account["owner"] = "R2" if i < 5 else "R1"
    years = ql.simulate(from_document(document), replications=8)
    error = told(document, years)
    (more,) = [text for text in error.loosening if text.startswith("most accounts of a rep")]
    enough = 2 + int(re.search(r"by (\d+)", more)[1])
    for most in (enough - 1, enough):
        document["allocation"]["accounts"]["max_accounts_per_rep"] = most
        assert possible(document, years) == (most == enough)


def uneven():
    """Sales of last year tell apart what a Gini index wants alike."""
    rules = [{"rule": "gini", "maximum": 0.01}, {"rule": "growth", "floor": -0.5, "cap": 0.03}]
    document = base(273_000.0, rules=rules, accounts={"max_moves": 1})
    for rep, sales in zip(document["reps"], (70_000.0, 80_000.0, 120_000.0), strict=True):
        rep["last_sales"] = sales
    return document


@pytest.fixture(scope="module")
def uneven_years():
    return ql.simulate(from_document(uneven()), replications=8)


def test_amounts_beside_a_gini_index_are_the_least(uneven_years):
    document = uneven()
    error = told(document, uneven_years)
    for name, rule, field in (("growth cap", 1, "cap"), ("Gini index of quota / potential", 0, "maximum")):
        (way,) = [text for text in error.loosening if text.startswith(name)]
        assert OR_LESS.english not in way
        hundredths = float(re.search(r"by ([\d.]+)", way)[1])
        for amount, works in ((hundredths, True), (hundredths - 0.02, False)):
            changed = deepcopy(document)
            changed["allocation"]["rules"][rule][field] += amount / 100
            assert possible(changed, uneven_years) == works, (way, amount)


def test_the_nearest_total_is_told_to_the_rounding_step(outcome):
    rules = [{"rule": "potential_band", "tolerance": 0.5}, {"rule": "min_expected_attainment", "share": 0.85}]
    document = base(500_000.0, rules=rules)
    (total,) = [text for text in told(document, outcome).loosening if text.startswith("the company's total")]
    assert NEARER.english not in total
    most = float(re.search(r"at most ([\d,.]+\d)", total)[1].replace(",", ""))
    for target, works in ((most, True), (most + 2.0, False)):
        document["goals"]["targets"][0]["target"] = target
        assert possible(document, outcome) == works


def test_of_a_large_request_it_is_said_that_other_owners_may_need_less(uneven_years, monkeypatch):
    monkeypatch.setattr("optimize.infeasible.SMALL_WHOLE", 0)
    error = told(uneven(), uneven_years)
    assert AS_SIMULATED.english in error.conflict
    amounts = [text for text in error.loosening if "loosen by" in text]
    assert amounts
    assert all(text.endswith(OR_LESS.english) for text in amounts)
