"""Responses measured by differences: the designs, the shrinkage, and agreement with the formula where that is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loop_worlds import company
from optimize.loop.differences import measured, measured_in_total
from optimize.loop.improve import improve
from optimize.loop.responses import FULL, LoopResponses
from optimize.loop.trial import Trial
from optimize.loop.trials import Trials
from optimize.pairs import as_table
from optimize.problem import TrustRegion
from optimize.response.design import (
    leads_are_shared,
    matchings,
    screening,
    training_model,
    training_rounds,
    transfer_model,
    transfers,
)
from optimize.response.fit import Correction, Effects, shrunk


def trials_of(scenario, replications: int = 100) -> tuple[Trials, Trial]:
    trials = Trials(scenario, replications=replications)
    return trials, trials.today()


@pytest.fixture(scope="module")
def idle() -> tuple[Trials, Trial]:
    """A company with time to spare: the formula of the funnel holds there."""
    return trials_of(company(6, 18, leads=40), 200)


def test_differences_agree_with_the_formula_where_nobody_is_short_of_time(idle):
    trials, today = idle
    found = measured(trials, today, rounds=4, packs=8, years=200, method="differences")
    assert found.measured >= 40
    assert found.error < 0.15
    assert found.left <= found.error + 1e-9
    assert np.abs(found.training - 1).max() < 0.25
    assert np.abs(found.worth - 1).max() < 0.05


def test_a_correction_comes_nearer_to_fresh_differences_where_time_is_short():
    trials, today = trials_of(company(6, 18, leads=260), 100)
    problem = today.problem
    found = measured(trials, today, rounds=4, packs=8, years=50, method="differences")
    fresh = Trials(company(6, 18, leads=260), replications=200, first=5_000)
    base = fresh.today()
    # Other moves, on years that the correction has not seen.
    packs = list(matchings(transfers(problem), 10))[8:]
    right = found.applied(problem)
    truth, formula, corrected = 0.0, 0.0, 0.0
    for pack in packs:
        decisions = problem.base_decisions()
        owner = decisions.owner.copy()
        for move in pack:
            owner[move.account] = move.taker
        sales, _, _ = fresh.part(replace(decisions, owner=owner), base, 200)
        truth += float((sales - base.problem.samples).mean(axis=0).sum())
        formula += sum(transfer_model(problem, move) for move in pack)
        corrected += sum(transfer_model(right, move) for move in pack)
    assert sum(len(pack) for pack in packs) >= 4
    assert abs(corrected - truth) < 0.6 * abs(formula - truth)


def test_each_rep_is_touched_by_one_move_a_run(idle):
    _, today = idle
    packs = list(matchings(transfers(today.problem), 6))
    assert len(packs) == 6
    seen = set()
    for pack in packs:
        touched = [rep for move in pack for rep in (move.giver, move.taker)]
        assert len(touched) == len(set(touched))
        pairs = {(move.account, move.taker) for move in pack}
        assert not pairs & seen
        seen |= pairs


def test_a_round_of_training_gives_every_rep_the_next_best_skill(idle):
    _, today = idle
    rounds = training_rounds(today.problem, 16.0, 4)
    assert [len(changes) for changes in rounds] == [6] * 4
    cells = [(change.rep, change.skill) for changes in rounds for change in changes]
    assert len(set(cells)) == len(cells)
    worth = np.array([[training_model(today.problem, change) for change in changes] for changes in rounds])
    assert (np.diff(worth, axis=0) <= 1e-6).all()


@pytest.mark.parametrize("factors", [1, 3, 4, 15, 31])
def test_screening_designs_are_balanced_and_orthogonal(factors):
    signs = screening(factors)
    assert signs.shape[0] <= 32
    assert np.array_equal(signs.T @ signs, signs.shape[0] * np.eye(factors, dtype=np.int64))
    assert (signs.sum(axis=0) == 0).all()


def test_clear_differences_take_the_place_of_the_formula_and_noisy_ones_do_not():
    rng = np.random.default_rng(3)
    model = rng.uniform(50, 150, 40)
    truth = 0.5 * model + rng.normal(0, 10, 40)
    clear = shrunk(Effects(model, truth + rng.normal(0, 0.5, 40), np.full(40, 0.5)))
    assert clear.scale == pytest.approx(0.5, abs=0.05)
    assert np.abs(clear.scale * model + clear.beyond - truth).max() < 5
    noisy = shrunk(Effects(model, truth + rng.normal(0, 2_000, 40), np.full(40, 2_000.0)))
    assert noisy.scale == pytest.approx(1.0, abs=0.5)
    assert np.abs(noisy.beyond).max() < 0.5 * np.abs(noisy.scale * model).max()
    assert shrunk(Effects.of([])).scale == 1.0


def test_the_error_of_the_formula_is_told_without_the_noise():
    rng = np.random.default_rng(5)
    truth = rng.uniform(50, 150, 400)
    effects = Effects(1.3 * truth, truth + rng.normal(0, 40, 400), np.full(400, 40.0))
    assert effects.relative_error == pytest.approx(0.3, abs=0.06)
    assert np.isnan(Effects(truth[:5], np.zeros(5), np.full(5, 40.0)).relative_error)


def test_a_correction_leaves_the_simulated_plan_where_it_is(idle):
    trials, today = idle
    found = measured(trials, today, rounds=1, packs=1, years=25, method="audit")
    right = found.applied(today.problem)
    assert np.allclose(right.training.gain_at(right.training.base), 0.0)
    neutral = Correction.none(today.problem).applied(today.problem)
    assert np.array_equal(neutral.training.gain, today.problem.training.gain)
    assert np.array_equal(np.asarray(neutral.accounts.unit), np.asarray(today.problem.accounts.unit))


def test_reps_who_share_a_pool_are_measured_by_the_total_at_the_stated_cost():
    world = company(6, 18, leads=160, policy="pool")
    assert leads_are_shared(world)
    assert not leads_are_shared(company())
    found = improve(world, replications=30, rounds=1)
    methods = {row.responses for row in found.trace if row.number}
    assert methods <= {"differences of the company's total"}
    assert 0 < found.cost.response_runs <= 64
    assert found.cost.runs <= 15
    assert found.cost.shared


def test_the_total_of_a_pool_shows_what_own_sales_hide():
    world = company(4, 0, leads=200, policy="pool")
    trials, today = trials_of(world, 200)
    found = measured_in_total(trials, today, years=200)
    hours = training_rounds(today.problem, 16.0, 1)[0]
    right = found.applied(today.problem)
    promised = sum(training_model(right, change) for change in hours)
    decisions = today.problem.base_decisions()
    training = decisions.training.copy()
    for change in hours:
        training[change.rep, change.skill] += change.hours
    sales, _, _ = trials.part(replace(decisions, training=training), today, 200)
    total = sales.sum(axis=1) - today.problem.samples.sum(axis=1)
    error = total.std(ddof=1) / len(total) ** 0.5
    assert abs(promised - total.mean()) < max(4 * error, 0.5 * abs(total.mean()))


def test_an_audit_tells_the_error_and_changes_no_gain():
    trials, today = trials_of(company(6, 18), 40)
    responses = LoopResponses(trials, "auto")
    responses.begin(today)
    assert responses.correction.method == "chain, audited"
    assert responses.correction.error is not None
    assert responses.correction.measured > 0
    right, plain = responses.correction.applied(today.problem), today.problem
    assert np.array_equal(right.training.gain, plain.training.gain)
    assert np.array_equal(as_table(right.accounts.unit), as_table(plain.accounts.unit))
    assert np.array_equal(as_table(right.accounts.displaced), as_table(plain.accounts.displaced))


def test_more_is_measured_once_promises_fail_twice_and_then_the_formula_stands_again():
    trials, today = trials_of(company(6, 18), 40)
    responses = LoopResponses(trials, "auto")
    responses.begin(today)
    assert responses.correction.method == "chain, audited"
    responses.judge(0.4)
    assert not responses.failing(stopped=False)
    responses.judge(0.9)
    assert not responses.failing(stopped=True)
    responses.judge(0.1)
    assert responses.failing(stopped=False)
    assert responses.ask_more(today)
    assert responses.correction.method == "differences"
    assert responses.correction.measured > FULL[1]
    assert not responses.failing(stopped=True), "the next method begins with a clean slate"
    assert responses.ask_more(today)
    assert (responses.correction.method, responses.correction.measured) == ("chain", 0)
    assert not responses.ask_more(today)


def test_the_region_counts_every_hour_and_move(idle):
    from optimize.optimum import optimise

    _, today = idle
    problem = today.problem
    for region in (TrustRegion(16.0, 2), TrustRegion(8.0, 0), TrustRegion(0.0, 1)):
        found = optimise(replace(problem, trust=region)).decisions
        assert np.abs(found.training - problem.training.base).sum() <= region.hours + 1e-6
        assert (found.owner != problem.accounts.base).sum() <= region.moves
    free = optimise(problem).decisions
    wide = optimise(replace(problem, trust=TrustRegion(1e6, 18))).decisions
    assert np.array_equal(free.owner, wide.owner)
    assert np.array_equal(free.training, wide.training)
