"""Requests without a plan always have a told way out, and it leads to one: applied as it is told, and no less does."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from optimize.allocate import allocate
from scenarios.errors import InfeasiblePlan, InputRefused

Request = dict[str, Any]
MONEY = {"training budget", "training hours each rep gets at least"}
FIELDS = {
    "quota-to-potential range": ("potential_band", "tolerance", 0.01),
    "growth cap": ("growth", "cap", 0.01),
    "growth floor": ("growth", "floor", -0.01),
    "minimum chance to make quota": ("min_chance", "chance", -0.01),
    "minimum capped attainment": ("min_expected_attainment", "share", -0.01),
    "largest difference in quota / potential": ("spread", "maximum", 0.01),
    "Gini index of quota / potential": ("gini", "maximum", 0.01),
    "range of the chances to make quota": ("equal_odds", "width", 0.01),
    "capped attainment of the worst-off": ("worst_off", "minimum", -0.01),
    "training hours each rep gets at least": ("training_floor", "hours", -1.0),
    "quota / potential of teams against the company's": ("group_parity", "tolerance", 0.01),
}
BAND, GROWTH = {"rule": "potential_band", "tolerance": 0.1}, {"rule": "growth", "floor": -0.2, "cap": 0.3}
HOURS = {"rule": "training_floor", "hours": 4}
TRAINING = {"budget_hours": 4, "skills": ["negotiation"]}


def asked(rules=(), target=400.0, teams=None, locks=None, training=None, seed=4, horizons=8, **more) -> Request:
    return {
        "rules": deepcopy(list(rules)),
        "target": target,
        "teams": dict(teams or {}),
        "locks": dict(locks or {}),
        "training": dict(training or {}),
        "seed": seed,
        "horizons": horizons,
        "accounts": [],
        "offer": {},
        **more,
    }


def planned(request: Request):
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 100} for i in (1, 2, 3, 4)]
    targets = [{"metric": "revenue", "target": request["target"]}]
    targets += [{"metric": "revenue", "team": team, "target": value} for team, value in request["teams"].items()]
    allocation: dict[str, Any] = {"rules": request["rules"], **request["offer"]}
    allocation["locks"] = [{"path": f"quota.{rep}", "value": value} for rep, value in request["locks"].items()]
    if request["training"]:
        allocation["training"] = request["training"]
    scenario = changed(world(4, request["accounts"], **allocation), reps=people, goals={"targets": targets})
    rng = np.random.default_rng(request["seed"])
    sales = lognormal(rng, (request["horizons"], 4)) * np.array([1.3, 1.1, 0.9, 0.7])
    return allocate(scenario, responses_of(scenario, sales, territory=np.array([9000.0, 10000, 11000, 10000])))


def possible(request: Request) -> bool:
    try:
        planned(request)
    except InfeasiblePlan:
        return False
    return True


def number(text: str) -> float:
    return float(text.replace(",", ""))


def applied(request: Request, texts: Sequence[str], short: dict[str, float] | None = None) -> Request:
    """The request as a planner would change it who follows what was told.

    Args:
        short: by how much less than told, in the told unit, by text.
    """
    request = deepcopy(request)
    for text in texts:
        less = (short or {}).get(text, 0.0)
        words, _, what = text.rpartition(": ")
        value = re.search(r"at (most|least) ([\d.,]+\d)", what)
        if value is not None:
            moved = number(value[2]) + (less if value[1] == "most" else -less)
            lock = re.match(r"quota\.(\w+), ", words)
            if lock:
                request["locks"][lock[1]] = round(moved, 2)
            elif words.startswith("the company"):
                request["target"] = round(moved, 2)
            else:
                request["teams"][words.removeprefix("the quotas of team ")] = round(moved, 2)
        elif what == "remove it":
            lock = re.match(r"quota\.(\w+) = ", words)
            team = re.match(r"the quotas of team (\w+) ", words)
            del request["locks" if lock else "teams"][(lock or team)[1]]
        elif what == "switch it off":
            name = next(rule for told, (rule, _, _) in FIELDS.items() if words.startswith(told))
            request["rules"] = [rule for rule in request["rules"] if rule["rule"] != name]
        else:
            amount = float(re.match(r"loosen by ([\d.]+)", what)[1]) - less
            if words == "training budget":
                request["training"]["budget_hours"] += amount
            elif words == "most accounts of a rep":
                request["offer"]["accounts"]["max_accounts_per_rep"] += round(amount)
            elif words == "most account moves":
                request["offer"]["accounts"]["max_moves"] += round(amount)
            else:
                name, field, size = FIELDS[words]
                for rule in request["rules"]:
                    if rule["rule"] == name:
                        rule[field] = max(rule[field] + amount * size, -1.0 if field == "floor" else 0.0)
    return request


def ways(error: InfeasiblePlan) -> Iterator[tuple[str, ...]]:
    """Each way out: one of the single ones, or all that give way together."""
    yield from ((text,) for text in error.loosening)
    if error.together:
        yield error.together


def refused(request: Request) -> InfeasiblePlan:
    with pytest.raises(InfeasiblePlan) as caught:
        planned(request)
    return caught.value


def leads_out(request: Request) -> InfeasiblePlan:
    error = refused(request)
    found = list(ways(error))
    assert found, str(error)
    for texts in found:
        try:
            planned(applied(request, texts))
        except InfeasiblePlan as left:
            pytest.fail(f"{texts} is not enough\n{error}\n{left}")
    return error


CASES: dict[str, Request] = {
    "teams above": asked(teams={"T1": 300, "T2": 200}),
    "teams below": asked(teams={"T1": 100, "T2": 200}),
    "one team above": asked(teams={"T1": 500}),
    "teams above and rules": asked([BAND, GROWTH], teams={"T1": 300, "T2": 200}),
    "a target far too high": asked([BAND, GROWTH], 1e12),
    "a target far too high and a lock": asked([BAND, GROWTH], 1e12, locks={"R1": 100}),
    "a target far too high and a team": asked([BAND, GROWTH], 1e10, teams={"T1": 1e9}),
    "a target far too high and chances": asked([GROWTH, {"rule": "min_chance", "chance": 0.5}], 1e12),
    "a target below floors": asked([BAND, GROWTH], 1),
    "floors without hours, a target below floors": asked([BAND, GROWTH, HOURS], 1, training=TRAINING),
    "floors without hours, a target above caps": asked([GROWTH, HOURS], 1000, training=TRAINING),
    "hours and targets in two stages": asked([HOURS, GROWTH], 1e9, training=TRAINING, offer={"mode": "two_stage"}),
    "range of chances": asked([{"rule": "equal_odds", "width": 0.1}, {**BAND, "tolerance": 0.01}], horizons=40),
    "Gini index and growth": asked([{"rule": "gini", "maximum": 0.001}, {**GROWTH, "floor": 0.0, "cap": 0.1}], 430),
    "a locked quota of nothing": asked([GROWTH], 580, teams={"T2": 130}, locks={"R1": 0}),
    "a chance above every horizon": asked([{"rule": "min_chance", "chance": 0.0}], 1e6),
    "growth floor and range": asked([{**GROWTH, "floor": 0.1, "cap": None}, {**BAND, "tolerance": 0.02}], 420),
    "chance and growth floor": asked([{**GROWTH, "floor": 0.3, "cap": None}, {"rule": "min_chance", "chance": 0.7}]),
    "two teams, each for its own reason": asked([GROWTH], teams={"T1": 10, "T2": 390}),
    "lock and team and cap": asked([GROWTH], 440, teams={"T2": 280}, locks={"R3": 90}),
    "everything": asked(
        [
            BAND,
            GROWTH,
            HOURS,
            {"rule": "min_chance", "chance": 0.9},
            {"rule": "min_expected_attainment", "share": 0.95},
        ],
        900,
        teams={"T1": 100, "T2": 200},
        training=TRAINING,
    ),
    "too few accounts a rep": asked(
        accounts=[{"id": f"A{i}", "owner": "R1", "eligible": ["R2"], "sales_last": 0} for i in range(4)],
        offer={"accounts": {"max_accounts_per_rep": 1, "max_moves": 0}},
    ),
    "too few accounts a rep, and hours": asked(
        [HOURS, GROWTH],
        900,
        training=TRAINING,
        accounts=[{"id": f"A{i}", "owner": "R1", "eligible": ["R2"], "sales_last": 0} for i in range(4)],
        offer={"accounts": {"max_accounts_per_rep": 1, "max_moves": 0}},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_way_out_is_told_and_leads_to_a_plan(name):
    leads_out(CASES[name])


def test_totals_are_told_in_money():
    teams = leads_out(CASES["teams above"])
    assert teams.loosening == (
        "the company's total of quotas: at least 500.00 instead of 400.00",
        "the quotas of team T1: at most 200.00 instead of 300.00",
        "the quotas of team T2: at most 100.00 instead of 200.00",
    )
    high = leads_out(CASES["a target far too high and a lock"])
    assert high.loosening == ("the company's total of quotas: at most 490.00 instead of 1,000,000,000,000.00",)
    assert "or all of these together would make it feasible" in str(high)
    low = leads_out(CASES["a target below floors"])
    # R1 keeps a growth floor of 80 only where its range, up to 1.1 of 9/40 of the total, reaches that far.
    assert f"{80 / (1.1 * 9 / 40):.2f}" == "323.23"
    assert "the company's total of quotas: at least 323.24 instead of 1.00" in low.loosening


def test_each_reason_is_told():
    error = leads_out(CASES["two teams, each for its own reason"])
    told = [error.conflict, *error.further]
    assert len(told) == 2
    for team, rule in (("T1", "growth floor"), ("T2", "growth cap")):
        assert any(rule in " ".join(names) for names in told), (team, rule)
    assert "for a reason of their own" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.further) == (str(error), error.further)


def test_locks_of_all_that_do_not_sum_to_the_total_are_refused_with_what_is_missing():
    with pytest.raises(InputRefused, match=r"40\.00 missing: locked quotas sum to 360\.00"):
        planned(asked(locks=dict.fromkeys(("R1", "R2", "R3", "R4"), 90)))


def drawn(seed: int) -> Request:
    """A request of hard rules, targets of teams and locks, many of them without a plan."""
    rng = np.random.default_rng([seed, 17])
    every: list[dict[str, Any]] = [
        {"rule": "potential_band", "tolerance": round(float(rng.uniform(0.0, 0.2)), 3)},
        {
            "rule": "growth",
            "floor": round(float(rng.uniform(-0.3, 0.3)), 2),
            "cap": round(float(rng.uniform(0.3, 0.5)), 2),
        },
        {"rule": "min_chance", "chance": round(float(rng.uniform(0.4, 0.9)), 2)},
        {"rule": "min_expected_attainment", "share": round(float(rng.uniform(0.7, 0.97)), 2)},
        {"rule": "spread", "maximum": round(float(rng.uniform(0.0, 0.005)), 4)},
        {"rule": "training_floor", "hours": int(rng.integers(1, 6))},
        {"rule": "group_parity", "by": "team", "tolerance": round(float(rng.uniform(0.0, 0.1)), 3)},
        {"rule": "worst_off", "share": 0.5, "minimum": round(float(rng.uniform(0.7, 0.95)), 2)},
    ]
    rules = [rule for rule in every if rng.random() < 0.4]
    target = round(float(rng.uniform(200, 800)), 2)
    teams = {team: round(target * float(rng.uniform(0.2, 0.8)), 2) for team in ("T1", "T2") if rng.random() < 0.5}
    locks = {rep: round(target / 4 * float(rng.uniform(0.5, 1.5)), 2) for rep in ("R1", "R3") if rng.random() < 0.3}
    training = {**TRAINING, "budget_hours": int(rng.integers(2, 12))}
    return asked(rules, target, teams, locks, training, seed=seed)


def nothing_less(request: Request, error: InfeasiblePlan) -> int:
    """Of all that give way together, none can give way by less or not at all; how many were tried."""
    for text in error.together:
        rest = [other for other in error.together if other != text]
        assert not possible(applied(request, rest)), f"{text} is not needed\n{error}"
        if "loosen by" in text or "instead of" in text:
            assert not possible(applied(request, error.together, {text: 0.05})), f"less than {text} is enough\n{error}"
    return len(error.together)


def battery(seeds: Sequence[int]) -> tuple[int, int]:
    found = tried = 0
    for seed in seeds:
        request = drawn(seed)
        try:
            planned(request)
        except InputRefused:
            continue
        except InfeasiblePlan:
            found += 1
            tried += nothing_less(request, leads_out(request))
    return found, tried


def test_ways_out_of_drawn_requests_lead_to_a_plan_and_nothing_less_does():
    found, tried = battery(range(10))
    assert found >= 6
    assert tried >= 6


@pytest.mark.slow
def test_ways_out_of_many_drawn_requests_lead_to_a_plan_and_nothing_less_does():
    found, tried = battery(range(10, 110))
    assert found >= 50
    assert tried >= 60
