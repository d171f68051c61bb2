"""The rows of tables, rules and locks may stand in any order: figures, hashes and plans are the same, byte for byte."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import quotalab as ql
from scenarios.errors import QuotalabError
from scenarios.files import from_document, save
from scenarios.id_order import BY_ID, INSIDE
from scenarios.plan_files import write_plan
from scenarios.scenario import Scenario
from sim.kpis import kpis
from sim.moments import moments
from sim.outcome import Outcome

YEARS = 6
WAYS = ("exact", "prices")
SKILLS = ("product_knowledge", "negotiation", "relationship_management", "market_insight", "learning_ability")


CARE = {"care_hours_per_year": 30}


def distribution(mean: float) -> dict[str, Any]:
    return {"family": "lognormal", "mean": mean, "cv": 0.6}


def company(seed: int, mode: str, rules: list[dict[str, Any]], method: str = "exact") -> dict[str, Any]:
    """Four people in two teams with accounts, training, locks and targets of several metrics; many are alike."""
    rng = random.Random(seed)
    alike = rng.random() < 0.5
    leads = {
        "decide": (mode, method) == ("joint", "exact") and not any(rule["rule"] in ("spread", "gini") for rule in rules)
    }
    accounts = {"max_moves": 3, "rules": [{"rule": "team_moves", "most_in": 2}, {"rule": "keeps_team", "tiers": ["B"]}]}
    if mode == "even_load":
        accounts["care_hours_budget"] = 150
    # Prices decide no floors of other metrics, and what has a target has one; even_load needs them.
    orders = [{"metric": "orders", "target": 20, "floor": 1}, {"metric": "orders", "team": "T1", "target": 10}]
    reps = [
        {
            "id": name,
            "team": team,
            "skills": dict.fromkeys(SKILLS, 60.0 if alike else float(rng.randint(45, 75))),
            "last_sales": 90_000 if alike else rng.randint(70, 110) * 1000,
        }
        for name, team in zip(("R9", "R10", "Ab", "王"), ("T1", "T2", "T1", "T2"), strict=True)
    ]
    return {
        "name": "rows",
        "seed": seed,
        "calendar": {"start": "2026-01-01", "end": "2027-01-01", "reporting": "quarter"},
        "regions": [{"id": "N"}, {"id": "S"}],
        "teams": [{"id": "T1", "region": "N"}, {"id": "T2", "region": "S"}],
        "stages": [
            {"id": "talk", "effort_hours": {"family": "fixed", "value": 4}, "conversion": 0.5},
            {"id": "close", "effort_hours": distribution(8), "conversion": 0.4, "skill_weights": {"negotiation": 1.0}},
        ],
        "sources": [
            {"id": "web", "leads_per_year": 90, "regions": {"N": 1, "S": 2}},
            {"id": "fair", "leads_per_year": 90, "regions": {"S": 1, "N": 1}},
        ],
        "products": [{"id": "p", "value": distribution(8000)}, {"id": "k", "key": True, "value": distribution(6000)}],
        "tiers": [
            {
                "id": tier,
                "orders_per_year": 4,
                "order_value": {"family": "fixed", "value": 4000},
                "potential": 20000,
                **CARE,
            }
            for tier in "BA"
        ],
        "account_physics": {"order_effort_hours": {"family": "fixed", "value": 6}},
        "goals": {
            "targets": [
                {"metric": "revenue", "target": rng.choice([100_000, 380_000]), "floor": 1000},
                {"metric": "revenue", "first_day": "2026-07-01", "end": "2026-10-01", "target": 25_000},
                {"metric": "revenue", "first_day": "2026-01-01", "end": "2026-04-01", "target": 25_000},
                *(orders if method == "exact" else ()),
            ]
        },
        "allocation": {
            "mode": mode,
            "rules": rules,
            "rounding_step": 1.0,
            "training": {"budget_hours": 16, "step_hours": 8, "per_rep_hours": 8, "skills": ["negotiation"]},
            "accounts": accounts,
            "leads": leads,
            "locks": [
                {"path": "quota.R9", "value": 26_000, "author": "Li"},
                {"path": "owner.a1", "value": "R9", "author": "Wang"},
                {"path": "quota.R10.2026-01-01", "value": 5_000, "author": "Li"},
            ][: rng.randint(0, 3)],
        },
        "reps": reps,
        "accounts": [
            {
                "id": f"a{i}",
                "tier": "AB"[i % 2],
                "region": "NS"[i % 2],
                "owner": reps[i % 4]["id"],
                "eligible": [reps[i % 4]["id"], reps[(i + 2) % 4]["id"]],
            }
            for i in range(6)
        ],
        "absences": [
            {"rep": "R9", "first": "2026-03-02", "last": "2026-03-06"},
            {"rep": "R10", "first": "2026-03-02", "last": "2026-03-06"},
        ],
    }


def shuffled(document: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same rows, every list of them in another order."""
    chance, out = random.Random(seed), dict(document)

    def mixed(rows: list[Any]) -> list[Any]:
        other = chance.sample(rows, len(rows))
        return other if other != rows else rows[::-1]

    for section in BY_ID:
        if section in out:
            out[section] = mixed(out[section])
    out["goals"] = {**out["goals"], "targets": mixed(out["goals"]["targets"])}
    allocation = dict(out["allocation"])
    allocation |= {name: mixed(allocation[name]) for name in ("rules", "locks") if name in allocation}
    if "rules" in allocation.get("accounts", {}):
        allocation["accounts"] = {**allocation["accounts"], "rules": mixed(allocation["accounts"]["rules"])}
    return {**out, "allocation": allocation}


def everything(scenario: Scenario, method: str, folder: Path) -> Any:
    """All that an allocation says, and the bytes of its plan; the words where there is none."""
    years = ql.simulate(scenario, replications=YEARS)
    try:
        found = ql.allocate(scenario, outcome=years, method=method)
    except QuotalabError as refused:
        return type(refused), str(refused)
    folder.mkdir()
    write_plan(found.plan, folder, scenario.currency)
    files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
    figures = (found.model_value, found.bound, found.waterfall, found.rule_rows, found.prices, found.moves)
    return repr((figures, found.exceptions, found.notes, found.quotas, found.levels)), files


TIED = [{"rule": "spread", "maximum": 0.4}, {"rule": "worst_off", "share": 0.5, "minimum": 0.4}]
PLAIN = [{"rule": "potential_band", "tolerance": 0.6}, {"rule": "min_expected_attainment", "share": 0.4}]
GROUPS = [{"rule": "group_parity", "by": "team", "tolerance": 0.5}, {"rule": "gini", "maximum": 0.3}]


@pytest.mark.parametrize(
    ("mode", "method"),
    [(mode, method) for mode in ("joint", "two_stage", "maximin", "alpha", "equal_odds") for method in WAYS]
    + [("even_load", "exact")],
)
def test_plans_are_the_same_bytes_whatever_the_order_of_rows(mode, method, tmp_path):
    made = 0
    for number, rules in enumerate((PLAIN, TIED, GROUPS) if mode in ("joint", "two_stage") else (TIED,)):
        document = company(number, mode, rules, method)
        here = everything(from_document(document), method, tmp_path / f"{number}")
        there = everything(from_document(shuffled(document, number)), method, tmp_path / f"{number}shuffled")
        assert here == there
        made += isinstance(here[1], dict)
    assert made, "there is a plan to compare"


def test_figures_and_hashes_are_the_same_whatever_the_order_of_rows(tmp_path):
    document = company(1, "joint", PLAIN)
    one, two = from_document(document), from_document(shuffled(document, 1))
    assert [rep.id for rep in one.reps] != [rep.id for rep in two.reps], "the scenario keeps its own order"
    assert one.fingerprint() == two.fingerprint()
    assert one.simulated() == two.simulated()
    here, there = (ql.simulate(world, replications=YEARS) for world in (one, two))
    assert here["rep"].keys != there["rep"].keys
    assert here.content_hash() == there.content_hash()
    assert moments(here).content_hash() == moments(there).content_hash()
    assert ql.today_plan(one) == ql.today_plan(two)
    for table in save(one, tmp_path / "one").glob("*.csv"):
        head, *rows = table.read_text(encoding="utf-8-sig").splitlines()
        table.write_text("\n".join([head, *rows[::-1]]) + "\n", encoding="utf-8")
    assert ql.load(tmp_path / "one").fingerprint() == one.fingerprint()


def test_one_figure_more_changes_the_hashes():
    document = company(1, "joint", PLAIN)
    one = from_document(document)
    swapped = [{**rep, "last_sales": 1} for rep in document["reps"][:1]] + document["reps"][1:]
    assert from_document({**document, "reps": swapped}).fingerprint() != one.fingerprint()
    stages = document["stages"][::-1]
    assert from_document({**document, "stages": stages}).fingerprint() != one.fingerprint(), "stages are a funnel"
    here = ql.simulate(one, replications=YEARS)
    cube = here["rep"]
    names = {"R9": "R10", "R10": "R9"}
    renamed = {**here.cubes, "rep": type(cube)(cube.kind, cube.metrics, tuple(names.get(k, k) for k in cube.keys),
                                               cube.periods, cube.values)}  # fmt: skip
    other = Outcome(**{**vars(here), "cubes": renamed})
    assert other.content_hash() != here.content_hash(), "keys are no decoration"


@pytest.mark.parametrize("level", ["company", "team", "region", "rep", "source"])
def test_years_serve_the_same_world_with_its_rows_in_another_order(level):
    document = company(2, "joint", PLAIN)
    one, two = from_document(document), from_document(shuffled(document, 2))
    years = ql.simulate(one, replications=YEARS)
    order = ["key", "period", "kpi"]
    here, there = (kpis(years, world, level).sort_values(order, ignore_index=True) for world in (one, two))
    assert here.equals(there)
    if level == "rep":
        assert ql.allocate(one, outcome=years).plan == ql.allocate(two, outcome=years).plan


def test_every_table_with_ids_is_ordered():
    """A new section is either a table whose rows stand side by side, or its order has a meaning that is told here."""
    lists = {name for name, field in Scenario.model_fields.items() if str(field.annotation).startswith("tuple[")}
    assert lists == {*BY_ID, "stages"}
    assert set(INSIDE) == {"goals", "allocation"}
