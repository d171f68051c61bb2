"""Told loosenings against bisection with the pass that makes plans: each suffices, and a little less does not."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimize.formulate import formulate
from optimize.loosening import relaxed
from optimize.model import build, segments_for
from optimize.optimum import NoPlanError, decided
from optimize.planned import planned
from optimize.prices import prices, with_owners_held
from optimize.problem import AllocationProblem
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.solve import solve
from optimize.quotas import NoQuotasError
from optimize.rule_steps import steps_of
from optimize.rule_words import UNITS, WORDS
from optimize.ways_out import WaysOut
from optimize.whole_quotas import kept_quotas
from optimize.workload import busy_share, load_at, load_given_way, workloads
from scenarios.errors import InfeasiblePlan, InputRefused
from test_optimize_allocate import changed, lognormal, responses_of, world

Request = dict[str, Any]
BUDGETS = {
    "training_budget": ("training", "budget_hours"),
    "training_cap": ("training", "per_rep_hours"),
    "account_moves": ("accounts", "max_moves"),
    "accounts_per_rep": ("accounts", "max_accounts_per_rep"),
}
FIELDS = {
    "potential_band": ("potential_band", "tolerance", 1),
    "growth_cap": ("growth", "cap", 1),
    "growth_floor": ("growth", "floor", -1),
    "min_expected_attainment": ("min_expected_attainment", "share", -1),
    "min_chance": ("min_chance", "chance", -1),
    "workload_maximum": ("workload", "maximum", 1),
    "workload_minimum": ("workload", "minimum", -1),
    "training_floor": ("training_floor", "hours", -1),
    "equal_odds": ("equal_odds", "width", 1),
    "spread": ("spread", "maximum", 1),
    "worst_off": ("worst_off", "minimum", -1),
    "gini": ("gini", "maximum", 1),
    "group_parity_team": ("group_parity", "tolerance", 1),
}
LESS = 0.02
"""Of a told amount's unit, so much less is not enough."""


def asked(seed: int, rules: list[dict[str, Any]], target: float = 400.0, **offer: Any) -> Request:
    return {"seed": seed, "rules": rules, "target": target, "offer": offer}


def formulated(request: Request) -> AllocationProblem:
    rng = np.random.default_rng([request["seed"], 5])
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 100} for i in (1, 2, 3, 4)]
    others = {1: ["R2", "R3"], 2: ["R1", "R4"], 3: ["R4"], 4: ["R1"]}
    owned = [
        {"id": f"A{i}", "owner": f"R{r}", "eligible": others[r], "sales_last": 0}
        for i, r in enumerate(rng.integers(1, 5, 6))
    ]
    scenario = world(4, owned, rules=request["rules"], **request["offer"])
    scenario = changed(scenario, reps=people, goals={"targets": [{"metric": "revenue", "target": request["target"]}]})
    sales = lognormal(rng, (30, 4)) * np.array([1.3, 1.1, 0.9, 0.7])
    arrays: dict[str, Any] = {
        "territory": rng.uniform(8000, 12000, 4),
        "hours": rng.uniform(90, 110, 4),
        "load": rng.uniform(40, 80, 4),
        "sharpness": float(rng.uniform(2, 12)),
        "account_order_hours": rng.uniform(3, 12, (6, 4)),
    }
    return formulate(scenario, responses_of(scenario, sales, **arrays))


def possible(request: Request) -> bool:
    problem = formulated(request)
    try:
        kept_quotas(problem, decided(problem).decisions)
    except (NoPlanError, NoQuotasError):
        return False
    return True


def eased(request: Request, name: str, amount: float) -> Request:
    """The request with a rule looser by an amount of its units, as a planner would write it."""
    request, by = deepcopy(request), amount * UNITS[name][1]
    if name in BUDGETS:
        part, field = BUDGETS[name]
        request["offer"][part][field] += round(by) if part == "accounts" else by
        return request
    kind, field, sign = FIELDS[name]
    for rule in request["rules"]:
        if rule["rule"] == kind:
            rule[field] = max(rule[field] + sign * by, -1.0 if field == "floor" else 0.0)
            if field == "width":
                rule[field] = min(rule[field], 1.0)
    return request


def ways(error: InfeasiblePlan) -> dict[str, float]:
    """Single ways out by amounts: unit of the rule by name."""
    names = {words: name for name, words in WORDS.items()}
    found = [re.match(r"(.+): loosen by ([\d.]+) ", text) for text in error.loosening]
    return {names[one[1]]: float(one[2]) for one in found if one}


def least(request: Request) -> dict[str, float]:
    """Told ways out, each held to be enough and the least."""
    with pytest.raises(InfeasiblePlan) as caught:
        planned(formulated(request))
    told = ways(caught.value)
    for name, amount in told.items():
        assert possible(eased(request, name, amount)), (name, amount, str(caught.value))
        less = 1.0 if BUDGETS.get(name, ("",))[0] == "accounts" else LESS
        assert not possible(eased(request, name, amount - less)), (name, amount, str(caught.value))
    return told


TRAINING = {"skills": ["negotiation", "product_knowledge"], "step_hours": 3, "budget_hours": 7, "per_rep_hours": 12}


def drawn(seed: int) -> dict[str, Request]:
    """A request of each kind in a world of its own, most of them without a plan."""
    rng = np.random.default_rng([seed, 23])

    def u(low: float, high: float) -> float:
        return round(float(rng.uniform(low, high)), 3)

    floor = {"rule": "growth", "floor": u(0.0, 0.2), "cap": None}
    both = {"rule": "growth", "floor": u(-0.1, 0.0), "cap": u(0.05, 0.1)}
    tight = {"maximum": u(0.0, 0.003)}
    moves, still = {"accounts": {"max_moves": 3}}, {"accounts": {"max_moves": 0}}
    return {
        "busy": asked(seed, [{"rule": "workload", "maximum": u(0.1, 0.5)}], **moves),
        "idle": asked(seed, [{"rule": "workload", "maximum": 1.0, "minimum": u(0.85, 0.99)}], **moves),
        "busy, training": asked(
            seed,
            [{"rule": "workload", "maximum": u(0.3, 0.6)}, {"rule": "training_floor", "hours": 4}],
            training={**TRAINING, "budget_hours": 40},
        ),
        "hours": asked(seed, [{"rule": "training_floor", "hours": u(1, 12)}], training=TRAINING),
        "hours of a rep": asked(
            seed,
            [{"rule": "training_floor", "hours": u(4, 12)}],
            training={**TRAINING, "budget_hours": 60, "per_rep_hours": 3},
        ),
        "attainment": asked(
            seed, [{"rule": "min_expected_attainment", "share": u(0.9, 1.0)}], round(u(400, 500), 1), **moves
        ),
        "worst-off": asked(
            seed, [{"rule": "worst_off", "share": 0.5, "minimum": u(0.9, 1.0)}], round(u(400, 500), 1), **still
        ),
        "chance": asked(seed, [{"rule": "min_chance", "chance": u(0.7, 0.9)}, floor], 480),
        "growth and band": asked(seed, [floor, {"rule": "potential_band", "tolerance": u(0.0, 0.05)}], 440),
        "spread": asked(seed, [both, {"rule": "spread", **tight}], 410, **still),
        "Gini": asked(seed, [both, {"rule": "gini", **tight}], 410, **still),
        "parity": asked(seed, [both, {"rule": "group_parity", "by": "team", "tolerance": u(0.0, 0.01)}], 410, **still),
        "odds": asked(seed, [both, {"rule": "equal_odds", "width": u(0.0, 0.1)}], 410, **still),
        "accounts": asked(seed, [], accounts={"max_moves": 2, "max_accounts_per_rep": 1}),
    }


def battery(seeds: range) -> dict[str, int]:
    """How often each rule was told an amount that is enough and the least."""
    found: dict[str, int] = {}
    for seed in seeds:
        for request in drawn(seed).values():
            try:
                if possible(request):
                    continue
            except InputRefused:
                continue
            for name in least(request):
                found[name] = found.get(name, 0) + 1
    return found


def test_told_amounts_are_enough_and_the_least():
    assert len(battery(range(1))) >= 9


@pytest.mark.slow
def test_told_amounts_are_enough_and_the_least_in_many_worlds():
    found = battery(range(1, 20))
    assert set(found) >= {*FIELDS, *BUDGETS} - {"account_moves"}, found


@pytest.mark.parametrize(("floor", "budget"), [(2, 7), (2.1, 7), (2.7, 8.4)])
def test_training_gives_way_in_whole_steps_and_no_further_than_to_nothing(floor, budget):
    """Four people need a step of 3 hours each for a floor below that: 12 hours in all, or no floor."""
    offer = {**TRAINING, "skills": ["negotiation"], "budget_hours": budget}
    told = least(asked(1, [{"rule": "training_floor", "hours": floor}], training=offer))
    assert told == {"training_budget": round(12.0 - budget, 2), "training_floor": float(floor)}


def test_no_more_is_told_than_switches_a_rule_off():
    rules = [
        {"rule": "training_floor", "hours": 2},
        {"rule": "workload", "maximum": 0.9, "minimum": 0.3},
        {"rule": "equal_odds", "width": 0.4},
        {"rule": "growth", "floor": -0.25, "cap": None},
    ]
    problem = formulated(asked(1, rules, training=TRAINING))
    ways_out = WaysOut(problem, problem, possible=lambda _: True)
    most = {"training_floor": 2.0, "workload_minimum": 30.0, "workload_maximum": 10.0, "equal_odds": 60.0}
    for name, told in {**most, "growth_floor": 75.0}.items():
        assert ways_out.told(name, 1e3) == pytest.approx(told)
        assert ways_out.told(name, UNITS[name][1]) == pytest.approx(1.0)
    assert ways_out.told("training_budget", 1e3) == 1e3


def test_a_budget_is_a_way_out_though_it_allows_fewer_steps_than_the_floor_needs():
    offer = {**TRAINING, "skills": ["negotiation"], "budget_hours": 4}
    told = least(asked(1, [{"rule": "training_floor", "hours": 10}], training=offer))
    assert told == {"training_budget": 44.0, "training_floor": 10.0}


def test_limits_on_workload_that_exclude_each_other_are_told_together():
    request = asked(2, [{"rule": "workload", "maximum": 0.2, "minimum": 0.97}], accounts={"max_moves": 0})
    with pytest.raises(InfeasiblePlan) as caught:
        planned(formulated(request))
    amounts = [float(re.search(r"by ([\d.]+)", text)[1]) for text in caught.value.together]
    names = [text.partition(":")[0] for text in caught.value.together]
    assert names == [WORDS["workload_maximum"], WORDS["workload_minimum"]]
    out = eased(eased(request, "workload_maximum", amounts[0]), "workload_minimum", amounts[1])
    assert possible(out)
    for name in ("workload_maximum", "workload_minimum"):
        assert not possible(eased(out, name, -0.02))


def test_a_workload_of_all_hours_is_refused():
    with pytest.raises(InputRefused, match="a busy share stays below 1"):
        formulated(asked(1, [{"rule": "workload", "maximum": 2.0, "minimum": 1.0}]))


def test_the_company_is_not_counted_among_the_worst_off():
    request = asked(1, [{"rule": "worst_off", "share": 0.5, "minimum": 1.0}], 900, accounts={"max_moves": 0})
    with pytest.raises(InfeasiblePlan) as caught:
        planned(formulated(request))
    (text,) = (text for text in caught.value.conflict if text.startswith(WORDS["worst_off"]))
    assert text.endswith("(R1, R2, R3, R4)"), text


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_load_gives_way_as_far_as_the_busy_share_says(sign):
    for sharpness in (1.0, 3.0, 11.0):
        for limit in (0.0, 0.4, 0.9) if sign > 0 else (0.4, 0.9):
            room = load_given_way(limit, sign, sharpness)
            slope = (load_at(limit + 1e-7, sharpness) - load_at(max(limit - 1e-7, 0), sharpness)) / (
                2e-7 if limit else 1e-7
            )
            for amount in (1e-3, 0.05, 0.09):
                if 0 <= limit + sign * amount < 1:
                    to = load_at(limit, sharpness) + sign * slope * room(amount)
                    assert busy_share(np.array([to]), sharpness)[0] == pytest.approx(limit + sign * amount, abs=1e-6)
            assert np.isinf(room(1.0)) == (sign > 0)


def test_the_value_of_a_looser_workload_is_its_derivative():
    """Against rows made anew at limits a hair apart: hours of training that a busy person can spare."""
    request = asked(3, [{"rule": "workload", "maximum": 0.6}], 600, training={**TRAINING, "budget_hours": 40})
    problem = formulated(request)
    steps = np.arange(problem.training.steps + 1)
    gain = np.sqrt(steps) * np.array([900.0, 700, 800, 600])[:, None, None] * np.array([1.0, 0.8])[None, :, None]
    problem = replace(problem, training=replace(problem.training, gain=gain))
    limit = float(workloads(problem, problem.base_decisions()).max()) + 0.02

    def at(maximum: float) -> AllocationProblem:
        return problem.with_rules((problem.rules[0].model_copy(update={"maximum": maximum}),))

    model, values = with_owners_held(at(limit), decided(at(limit)).decisions)
    told = prices(model, values)["workload_maximum"].value
    owners = model.problem

    def worth(maximum: float) -> float:
        rules = (owners.rules[0].model_copy(update={"maximum": maximum}),)
        made = build(owners.with_rules(rules), segments=segments_for(owners), knots=model.knots)
        return solve(relaxed(made.programme)).objective * made.unit

    assert told > 1.0
    assert (worth(limit + 2e-5) - worth(limit + 1e-5)) / 1e-5 / 100 == pytest.approx(told, rel=2e-3)


def test_steps_are_where_more_is_taken_in():
    """Against every amount on a fine grid: the same sums fit up to the next step, and more from there on."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        upper, count = bool(rng.random() < 0.5), int(rng.integers(1, 4))
        step, limit = float(rng.choice([0.5, 3.0, 4.0])), float(rng.uniform(1, 9).__round__(1))
        start = rng.integers(0, 6, count).astype(float)
        blocks = Blocks()
        whole = blocks.columns("steps", list(range(count)), 0.0, 5.0, integer=True)
        sums = Linear.columns(whole, step) + Linear.constants(start)
        side = {"upper": limit} if upper else {"lower": limit}
        blocks.rows("rule", [str(i) for i in range(count)], sums, **side, loosen=Linear.constants(np.ones(count)))
        steps = steps_of(blocks.programme(), "rule")
        every = start[:, None] + step * np.arange(6)

        def fit(amount: float, every=every, upper=upper, limit=limit) -> tuple[int, ...]:
            inside = every <= limit + amount + 1e-9 if upper else every >= limit - amount - 1e-9
            return tuple(inside.sum(axis=1).tolist())

        for amount in np.arange(0.0, 12.0, 0.1):
            reached = steps.up_to(float(amount))
            assert reached <= amount + 1e-9
            assert fit(reached) == fit(amount)
            if reached > 0:
                assert fit(reached - 0.05) != fit(reached)
                assert steps.below(reached) < reached
