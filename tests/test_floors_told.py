"""Floors under what is expected of metrics are told in their own unit beside any other conflict, and lead to a plan."""

from __future__ import annotations

import re
from typing import Any

import pytest

from optimize.allocate import allocate
from scenarios.errors import InfeasiblePlan
from test_optimize_targets import shifted, two_owner_world

FLOORS: dict[str, dict[str, Any]] = {
    "orders": {"target": 9000, "floor": 4000},
    "new_customers": {"target": 900, "floor": 800},
    "gross_margin": {"target": 9e6, "floor": 8e6},
    "average_order_value": {"target": 9e6, "floor": 8e6},
}
SECOND: dict[str, dict[str, Any]] = {
    "nothing": {},
    "chances": {"rules": [{"rule": "min_chance", "chance": 1.0}]},
    "worst off": {"rules": [{"rule": "worst_off", "share": 0.5, "minimum": 0.999}]},
    "hours": {"rules": [{"rule": "training_floor", "hours": 8}], "training": {"budget_hours": 8, "step_hours": 8}},
    "work": {"rules": [{"rule": "workload", "maximum": 1.0, "minimum": 0.98}]},
    "accounts": {"accounts": {"max_moves": 0, "max_accounts_per_rep": 1}},
}


def planned(metrics, allocation):
    targets = [{"metric": metric, **FLOORS[metric]} for metric in metrics]
    return made(targets, allocation)


def made(targets, allocation):
    scenario = two_owner_world(targets, **allocation)
    return allocate(scenario, shifted(scenario, 3, {}))


def follow(metrics, texts):
    """The targets with floors as they are told."""
    targets = {metric: {"metric": metric, **FLOORS[metric]} for metric in metrics}
    for text in texts:
        lowered = re.fullmatch(r"floor of (\w+): at most ([\d,.]+) instead of .*", text)
        gone = re.fullmatch(r"floor of (\w+), .*: remove it", text)
        if lowered:
            figure = lowered[2].replace(",", "")
            # Counts are entered as whole numbers, money with two decimals.
            targets[lowered[1]]["floor"] = float(figure) if "." in figure else int(figure)
        elif gone:
            targets[gone[1]]["floor"] = None
    return list(targets.values())


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("metric", FLOORS)
def test_a_floor_beside_any_other_conflict_is_told_with_a_figure_that_leads_to_a_plan(metric, second):
    with pytest.raises(InfeasiblePlan) as caught:
        planned([metric], SECOND[second])
    error = caught.value
    told = [error.conflict, *error.further]
    assert any(f"expected {metric} of the company" in text for names in told for text in names)
    ways = error.loosening if second == "nothing" else error.together
    assert any(f"floor of {metric}" in text for text in ways), str(error)
    assert "KeyError" not in error.text("zh")
    # The other conflict settled, what is told of the floor is enough.
    hours = SECOND[second] if second == "hours" else {}
    rest = {**hours, "training": {"budget_hours": 16, "step_hours": 8}} if hours else {}
    assert made(follow([metric], ways), rest)


def test_floors_of_two_metrics_give_way_together():
    with pytest.raises(InfeasiblePlan) as caught:
        planned(["orders", "gross_margin"], {})
    assert len(caught.value.together) == 2
    assert made(follow(["orders", "gross_margin"], caught.value.together), {})


def test_no_higher_floor_than_told_can_be_kept():
    with pytest.raises(InfeasiblePlan) as caught:
        planned(["orders"], {})
    (target,) = follow(["orders"], caught.value.loosening)
    assert isinstance(target["floor"], int)
    with pytest.raises(InfeasiblePlan):
        made([target | {"floor": target["floor"] + 1}], {})
