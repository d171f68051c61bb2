"""What would change a quota, against asking at many values: the nearest that does it, and how far one thing goes."""

from __future__ import annotations

from dataclasses import replace
from math import isclose, sin

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.crossings import CLOSE, Line, nearest
from optimize.explanation import explain_plan
from optimize.formulate import formulate
from optimize.levers import levers
from optimize.parameters import parameter
from optimize.plans import decisions_of
from optimize.quotas import possible_quotas
from scenarios.errors import InfeasiblePlan
from test_explanation import RULES, found, solved_anew, split_world

WAYS = ([1.01, 1.1, 1.5, 2.0, 3.0], [0.99, 0.9, 0.5, 0.1])

# The search itself, on lines that are known


def told(moved, share=0.05, ways=WAYS):
    return nearest(Line(moved), share, 1.0, ways)


def test_what_ceases_between_two_places_is_followed_to_its_end():
    value, moves, reached = told(lambda x: None if x > 1.37 else (x - 1) / 10)
    assert (value, moves, reached) == (pytest.approx(1.37, rel=2e-6), pytest.approx(0.037, rel=1e-4), False)
    assert value <= 1.37


def test_what_is_reached_before_the_end_between_two_places_is_told():
    value, moves, reached = told(lambda x: None if x > 1.37 else (x - 1) / 6)
    assert (value, moves, reached) == (pytest.approx(1.3, rel=2e-6), pytest.approx(0.05, rel=1e-4), True)


def test_what_begins_again_further_out_counts_from_its_beginning():
    """Nothing between 1.2 and 1.7: the first value beyond is enough already, or the crossing lies beyond it."""
    gap = (1.2, 1.7)
    value, moves, reached = told(lambda x: None if gap[0] < x < gap[1] else (x - 1) / 10)
    assert (value, reached) == (pytest.approx(1.7, rel=2e-6), True)
    assert value >= gap[1]
    assert moves == pytest.approx(0.07, rel=1e-4)
    value, moves, reached = told(lambda x: None if gap[0] < x < gap[1] else (x - 1) / 16)
    assert (value, moves, reached) == (pytest.approx(1.8, rel=2e-6), pytest.approx(0.05, rel=1e-4), True)


def test_a_turn_is_found_where_it_lies_in_a_piece_that_ends_or_between_two():
    for top in (1.3, 1.6, 2.9):
        for height, share in ((0.04, 0.05), (0.06, 0.05), (0.06, -0.05)):
            sign = 1 if share > 0 else -1
            value, moves, reached = told(lambda x, t=top, h=height, s=sign: s * (h - abs(x - t) * h / (t - 1)), share)
            where = top if height < abs(share) else 1 + (top - 1) * 0.05 / 0.06
            assert (value, reached) == (pytest.approx(where, rel=1e-5), height > abs(share))
            assert moves == pytest.approx(sign * min(height, 0.05), rel=1e-3)


def test_the_nearer_of_two_ways_is_taken_and_nothing_is_told_where_nothing_moves():
    value, _, _ = told(lambda x: (x - 1) / 10 if x > 1 else (1 - x) / 4)
    assert value == pytest.approx(0.8, rel=1e-5)
    assert told(lambda _: 0.0) is None
    assert told(lambda x: None if x != 1.0 else 0.0) is None
    assert told(lambda x: min(0.0, 1 - x)) is None


def test_each_value_is_asked_for_once_and_their_number_is_bounded():
    asked = []

    def moved(x):
        asked.append(x)
        return None if x > 2.7 else 0.04 * sin(3 * (x - 1))

    line = Line(moved)
    for share in (0.05, -0.05, 0.03, -0.03):
        nearest(line, share, 1.0, WAYS)
    assert len(asked) == len(set(asked))
    assert len(asked) < 8 * 40


# Levers of small companies, each number tried at many values

GRID = 240
TYING = {
    "none": [],
    "spread": [{"rule": "spread", "maximum": 0.25}],
    "gini": [{"rule": "gini", "maximum": 0.05}],
    "parity": [{"rule": "group_parity", "by": "team", "tolerance": 0.05}],
    "attainment": [{"rule": "min_expected_attainment", "share": 0.7}],
    "odds": [{"rule": "equal_odds", "width": 0.1}],
}


def changes(problem, decisions, row):
    """The request with a lever's number at a value, made here apart."""
    r = problem.reps.index(row.rep)

    def total(value):
        return replace(problem, total=value), decisions

    def team(value):
        return replace(problem, team_totals=problem.team_totals | {row.subject: value}), decisions

    def sales(value):
        samples = problem.samples.copy()
        samples[:, r] *= value / row.now
        return replace(problem, samples=samples, basis=samples), decisions

    def potential(value):
        more = problem.potential.copy()
        more[r] += value - row.now
        return replace(problem, potential=more), decisions

    def last(value):
        before = problem.last_sales.copy()
        before[r] = value
        return replace(problem, last_sales=before), decisions

    def rule(value):
        one = parameter(row.subject)
        rules = [
            given.model_copy(update={one.field: value}) if given.rule == one.rule else given for given in problem.rules
        ]
        return problem.with_rules(tuple(rules)), decisions

    return {
        "company target": total,
        "team target": team,
        "expected sales": sales,
        "potential": potential,
        "last sales": last,
        "rule": rule,
    }[row.factor]


def tried(row, count):
    """Values on both sides of the present one, close together where levers usually lie."""
    if row.factor == "rule":
        one = parameter(row.subject)
        around = row.now + np.concatenate([np.linspace(-0.5, 0.5, count), np.linspace(-10, 10, count // 8)])
        return around[(around >= one.least) & (around <= one.most)]
    return row.now * np.concatenate([np.linspace(0.3, 1.7, count), np.geomspace(1e-3, 1e3, count // 4)])


def held_to_many_values(problem, decisions, reps, count=GRID, kinds=None):
    """Hold every row to what many values give; how many rows said that one thing alone cannot do it."""
    base, short = possible_quotas(problem, decisions), 0
    for row in levers(problem, decisions, reps=reps):
        if row.factor in ("account", "lock") or (kinds is not None and row.factor not in kinds):
            continue
        r, sign = problem.reps.index(row.rep), 1 if row.share > 0 else -1
        change = changes(problem, decisions, row)
        far, near = 0.0, np.inf
        for value in tried(row, count):
            quotas = possible_quotas(*change(float(value)))
            if quotas is not None:
                moves = float(quotas[r] / base[r] - 1) * sign
                far = max(far, moves)
                if moves >= abs(row.share) + 1e-7:
                    near = min(near, abs(value - row.now))
        if row.reached:
            assert abs(row.needed - row.now) <= near + 2 * CLOSE * max(abs(row.needed), 1e-3), row
            exactly = possible_quotas(*change(row.needed))
            assert isclose(float(exactly[r] / base[r] - 1), row.moves, abs_tol=1e-9), row
        else:
            short += 1
            assert far <= abs(row.moves) + 2e-5, (row, far)
    return short


def one_company(seed, tying):
    scenario, arrays = split_world(seed, rules=[*RULES, *TYING[tying]])
    responses = found(scenario, arrays)
    problem = formulate(scenario, responses)
    return problem, decisions_of(problem, allocate(scenario, responses).plan)


def test_levers_are_the_nearest_values_and_true_limits_among_many_values():
    assert sum(held_to_many_values(*one_company(seed, "none"), [f"R{seed + 1}"]) for seed in (0, 3)) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("tying", list(TYING))
def test_levers_hold_among_many_values_under_rules_that_tie_people_together(tying):
    """What ties people together may leave several best splits: quotas jump between them, here by whole steps only."""
    held = 0
    for seed in range(3):
        try:
            company = one_company(seed, tying)
        except InfeasiblePlan:
            continue
        held += 1
        held_to_many_values(*company, [f"R{seed + 1}"], count=60)
    assert held


def test_targets_are_told_as_they_are_entered():
    """Sums of quotas lie above targets by the over-assignment; what is entered is the target."""
    scenario, arrays = split_world(3, over_assignment=0.03)
    responses = found(scenario, arrays)
    plan = allocate(scenario, responses).plan
    rows = [row for row in explain_plan(scenario, responses, plan, reps=["R2"]).levers if row.unit == "currency"]
    now = {row.factor: row.now for row in rows}
    assert now["company target"] == pytest.approx(470_00)
    assert now["team target"] == pytest.approx(190_00)
    pulled = [row for row in rows if row.factor in ("company target", "team target") and row.reached]
    assert pulled
    for row in pulled:
        assert solved_anew(scenario, arrays, row) == pytest.approx(plan.quotas()["R2"] * (1 + row.moves), rel=2e-4), row
