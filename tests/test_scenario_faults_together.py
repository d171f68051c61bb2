"""Several faults of one document come together, and none causes a complaint that is not its own."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from faulty_worlds import edited, problems_of, world
from scenarios.errors import InputRefused
from scenarios.files import from_document


def test_a_faulty_item_causes_no_complaint_about_references_to_it() -> None:
    found = edited(lambda w: w["reps"][0].update(hours_per_week="x"))
    assert [p.where for p in found] == ["reps.E1.hours_per_week"]


def test_faulty_items_leave_positions_of_later_items_as_written() -> None:
    targets = [
        {"metric": "revnue", "target": 1},
        {"metric": "revenue", "target": 1, "team": "nobody"},
        {"metric": "orders", "target": -1, "team": "ghosts"},
    ]
    found = problems_of(world(goals={"targets": targets}))
    assert {p.where for p in found} == {
        "goals.targets.0.metric",
        "goals.targets.1.team",
        "goals.targets.2.target",
        "goals.targets.2.team",
    }


def test_no_list_is_called_short_because_its_items_are_faulty() -> None:
    found = edited(lambda w: [rep.update(team=3) for rep in w["reps"]])
    assert [(p.where, p.rule) for p in found] == [
        ("reps.E1.team", "must be a text"),
        ("reps.E2.team", "must be a text"),
    ]


SPOILS: list[Any] = [
    *(None, True, -1, 0, 1.5, 10**400, float("nan"), float("-inf"), "", "x", "E1", "2026-02-30", "\0", "\ud800"),
    *([], {}, [1], [[]], [None], {"id": "E1"}, {"family": "gamma"}, {"a": {"b": 1}}),
]


def spoiled(rng: random.Random) -> dict[str, Any]:
    """The little world with up to five values replaced, removed or added anywhere."""
    document = world(
        products=[
            {"id": "p", "value": {"family": "fixed", "value": 1}, "attach": [{"product": "p", "probability": 1}]}
        ],
        goals={"targets": [{"metric": "revenue", "target": 5}]},
        allocation={"rules": [{"rule": "growth"}, {"rule": "gini"}], "locks": [{"path": "quota.E1", "value": 1}]},
        absences=[{"rep": "E1", "first": "2026-02-01", "last": "2026-02-02"}],
    )
    for _ in range(rng.randint(1, 5)):
        node: Any = document
        while True:
            key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
            if not isinstance(node[key], dict | list) or not node[key] or rng.random() < 0.3:
                break
            node = node[key]
        match rng.randrange(4):
            case 0:
                node.pop(key)
            case 1 if isinstance(node, list):
                node.append(copy.deepcopy(rng.choice(node)))
            case 1:
                node["zz"] = 1
            case _:
                node[key] = copy.deepcopy(rng.choice(SPOILS))
        if not document:
            break
    return document


def test_nothing_that_a_document_may_hold_gives_anything_but_a_refusal() -> None:
    rng = random.Random(8)
    outcomes = []
    for _ in range(400):
        try:
            from_document(spoiled(rng))
            outcomes.append(0)
        except InputRefused as refused:
            str(refused).encode()
            outcomes.append(len(refused.problems))
    assert outcomes.count(0) < 100
    assert max(outcomes) >= 5


def test_data_that_no_file_could_hold_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(400):
        deep = [deep]
    ring: list[Any] = []
    ring.append(ring)
    for odd in (deep, ring):
        assert "nested too deeply" in str(problems_of(world(sources=odd))[0])
    assert "must be texts" in str(problems_of(world(cash={(1, 2): 3}))[0])


@pytest.mark.parametrize("amount", ["1e999999", "1e400", "-1e999999"])
def test_amounts_beyond_all_bounds_are_refused(amount: str) -> None:
    (found,) = edited(lambda w: w["reps"][0].update(quota=amount))
    assert found.where == "reps.E1.quota"
    assert "below 4.6e16" in found.rule


def test_what_would_run_over_the_clock_or_the_memory_is_refused() -> None:
    def edit(w: dict[str, Any]) -> None:
        w["calendar"]["customer_pauses"] = [{"first": "0001-01-01", "last": "9999-12-31"}]
        w["sources"][0] |= {"leads_per_year": 3_650_001, "dispersion": 1e7}
        w["allocation"] = {"rounding_step": 0, "training": {"per_rep_hours": 1e9}}
        w["tiers"][0] |= {"orders_per_year": 1e8, "care_hours_per_year": 1e7}
        w["accounts"][0] |= {"orders_per_year": 1e8, "care_hours": 1e7}
        w["account_physics"]["care_visit_hours"] = 1e-9
        w["skills"] = {"training": {"session_hours": 1e-9}}

    places = {problem.where for problem in edited(edit)}
    assert places >= {
        "calendar.customer_pauses.0.first",
        "calendar.customer_pauses.0.last",
        "sources.web.leads_per_year",
        "sources.web.dispersion",
        "allocation.rounding_step",
        "allocation.training",
        "tiers.A.orders_per_year",
        "tiers.A.care_hours_per_year",
        "accounts.K1.orders_per_year",
        "accounts.K1.care_hours",
        "account_physics.care_visit_hours",
        "skills.training.session_hours",
    }
