"""Who may take an account over where nobody is named: whoever has a role that owns accounts, also who has none yet."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from allocation_worlds import lognormal, responses_of, world
from optimize.allocate import allocate
from optimize.baselines.plans import judged_baselines
from optimize.eligibility import allowed_owners, held_by_role, owning_roles
from optimize.formulate import formulate
from optimize.problem import gains
from optimize.quotas import possible_quotas
from optimize.split import attained
from scenarios.errors import InfeasiblePlan
from scenarios.files import from_document

REPS = ("R1", "R2", "R3")


def company(*, role="rep", owned=2, physics=None, **allocation):
    """R1 owns all; R2 owns nothing and has a role; R3 of another team and the same role as R2."""
    rows = [{"id": f"A{i}", "owner": "R1"} for i in range(owned)]
    document = world(3, rows, **{"accounts": {"max_moves": 3}, **allocation}).document()
    document["roles"] = [{"id": "rep"}, {"id": "scout"}]
    for rep in document["reps"][1:]:
        rep["role"] = role
    document["account_physics"] |= physics or {}
    return from_document(document)


def answers(scenario, seed=1):
    rng = np.random.default_rng(seed)
    count = len(scenario.accounts)
    return responses_of(
        scenario,
        lognormal(rng, (20, 3)),
        account_unit=rng.uniform(0.1, 0.5, (count, 3)),
        account_displaced=rng.uniform(0, 300, (count, 3)),
        account_potential=np.full(count, 500.0),
    )


@pytest.mark.parametrize("method", ["exact", "prices"])
def test_who_has_no_account_yet_takes_one_where_one_is_the_most(method):
    scenario = company(accounts={"max_moves": 3, "max_accounts_per_rep": 1})
    owner = allocate(scenario, answers(scenario), method=method).plan.owner_of()
    assert len(set(owner.values())) == 2


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_is_the_best_of_all_owners_whom_roles_allow(seed):
    scenario = company(owned=3, accounts={"max_moves": 2, "max_accounts_per_rep": 2})
    found = answers(scenario, seed)
    problem = formulate(scenario, found)
    assert np.asarray(allowed_owners(scenario, REPS)).all()
    best = -np.inf
    for owner in product(range(3), repeat=3):
        taken = np.array(owner)
        if (taken != problem.accounts.today).sum() <= 2 and np.bincount(taken, minlength=3).max() <= 2:
            decisions = replace(problem.today_decisions(), owner=taken)
            quotas = possible_quotas(problem, decisions)
            best = max(best, attained(problem.samples, gains(problem, decisions), quotas))
    assert allocate(scenario, found, gap=1e-9).model_value == pytest.approx(best, rel=1e-4)
    named = company(owned=3, accounts={"max_moves": 2, "max_accounts_per_rep": 2})
    document = named.document()
    for account in document["accounts"]:
        account["eligible"] = list(REPS)
    named = from_document(document)
    assert (
        allocate(named, answers(named, seed), gap=1e-9).plan.owners == allocate(scenario, found, gap=1e-9).plan.owners
    )


def test_a_role_that_owns_no_accounts_takes_none_and_is_told():
    scenario = company(role="scout", accounts={"max_moves": 3})
    assert owning_roles(scenario) == {"rep"}
    assert allowed_owners(scenario, REPS).tolist() == [[True, False, False]] * 2
    found = answers(scenario)
    result = allocate(scenario, found)
    assert set(result.immovable) == {"A0", "A1"}
    assert "a role that owns no accounts (scout)" in result.immovable["A0"]
    assert set(judged_baselines(scenario, found, ["greedy_owners"])["greedy_owners"].plan.owner_of().values()) == {"R1"}
    capped = company(role="scout", accounts={"max_moves": 3, "max_accounts_per_rep": 1})
    with pytest.raises(InfeasiblePlan, match="most accounts of a rep: 1"):
        allocate(capped, answers(capped))


def test_an_account_that_names_somebody_and_the_role_of_won_customers_open_the_way():
    scouts = company(role="scout", physics={"owner_role": "scout"})
    assert owning_roles(scouts) == {"rep", "scout"}
    assert allowed_owners(scouts, REPS).all()
    document = company(role="scout").document()
    document["accounts"][1]["eligible"] = ["R2"]
    named = from_document(document)
    assert allowed_owners(named, REPS).tolist() == [[True, False, False], [True, True, False]]
    assert set(held_by_role(named, REPS, [0, 1])) == {"A0"}


def test_a_locked_owner_of_another_role_is_an_exception():
    locks = [{"path": "owner.A1", "value": "R2", "author": "\u738b"}]
    scenario = company(role="scout", locks=locks)
    result = allocate(scenario, answers(scenario))
    assert result.plan.owner_of() == {"A0": "R1", "A1": "R2"}
    (row,) = [row for row in result.rule_rows if not row.kept]
    assert (row.rule, row.exception) == ("owning_roles", "owner.A1 locked by \u738b")
