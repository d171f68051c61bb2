"""The worlds on which the closed loop must hold: fixed, complete, and different in what they say they differ in."""

from __future__ import annotations

from itertools import product
from statistics import pstdev

import pytest

from scenarios.acceptance_worlds import WORLDS, acceptance_world, still_world
from scenarios.scenario import Scenario


@pytest.fixture(scope="module")
def companies() -> dict[int, Scenario]:
    return {row.number: acceptance_world(row) for row in WORLDS}


def test_the_table_holds_every_combination_and_at_least_twenty_worlds() -> None:
    combinations = {(row.congestion, row.pool, row.accounts, row.skill) for row in WORLDS}
    assert combinations == set(product(("light", "heavy"), ("own", "shared"), ("few", "many"), ("narrow", "wide")))
    assert len({row.seed for row in WORLDS}) == len({row.number for row in WORLDS}) == len(WORLDS) >= 20


def test_each_factor_sets_what_it_says(companies: dict[int, Scenario]) -> None:
    for row in WORLDS:
        company = companies[row.number]
        assert (company.routing.policy == "pool") == (row.pool == "shared")
        assert len(company.accounts) == {"few": 12, "many": 30}[row.accounts]
        levels = [sum(rep.skills.values()) / len(rep.skills) for rep in company.reps]
        assert (pstdev(levels) > 5) == (row.skill == "wide")
    for accounts in ("few", "many"):
        leads = {
            congestion: [
                companies[row.number].sources[0].leads_per_year
                for row in WORLDS
                if (row.congestion, row.accounts) == (congestion, accounts)
            ]
            for congestion in ("light", "heavy")
        }
        assert max(leads["light"]) < min(leads["heavy"])


def test_a_world_is_the_same_each_time_and_differs_from_all_others(companies: dict[int, Scenario]) -> None:
    again = {row.number: acceptance_world(row).fingerprint() for row in WORLDS}
    assert again == {number: company.fingerprint() for number, company in companies.items()}
    assert len(set(again.values())) == len(WORLDS)


def test_in_a_still_world_all_reps_and_accounts_are_alike() -> None:
    company = still_world(1, reps=5)
    assert len(company.reps) == 5
    assert len({str(rep.model_dump(exclude={"id"})) for rep in company.reps}) == 1
    assert len({str(account.model_dump(exclude={"id", "owner"})) for account in company.accounts}) == 1
    owned = [account.owner for account in company.accounts]
    assert {owned.count(rep.id) for rep in company.reps} == {2}
