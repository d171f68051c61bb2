"""Who may own which account, and which accounts may change owner at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenarios.market import Account
from scenarios.scenario import Scenario

Bools = NDArray[np.bool_]


def owned_accounts(scenario: Scenario) -> tuple[Account, ...]:
    """Accounts with an owner today; ownership is not allocated where nobody owns (rule R13)."""
    return tuple(account for account in scenario.accounts if account.owner is not None)


def allowed_owners(scenario: Scenario, reps: tuple[str, ...]) -> Bools:
    """Who may own each account with an owner, [A, R].

    An account that may not move has its owner only. Else those whom it names, or every rep of its region who owns
    accounts today; a new owner must be employed over the whole horizon.
    """
    accounts = owned_accounts(scenario)
    teams = {team.id: team.region for team in scenario.teams}
    people = {rep.id: rep for rep in scenario.reps}
    owners_today = {account.owner for account in accounts}
    calendar = scenario.calendar
    out = np.zeros((len(accounts), len(reps)), dtype=np.bool_)
    steady = {
        name: (rep.hired is None or rep.hired <= calendar.start) and (rep.leaves is None or rep.leaves >= calendar.end)
        for name, rep in people.items()
    }
    reasons = immovable(scenario)
    for a, account in enumerate(accounts):
        for r, name in enumerate(reps):
            if name == account.owner:
                out[a, r] = True
            elif account.id not in reasons and steady[name]:
                rep = people[name]
                region = rep.region or teams[rep.team]
                named = account.eligible or ()
                out[a, r] = name in named if named else region == account.region and name in owners_today
    return out


def immovable(scenario: Scenario) -> dict[str, str]:
    """Accounts that must stay with their owner, each with the reason."""
    decisions = scenario.allocation.accounts
    start = scenario.calendar.start
    late = {item.account for item in scenario.pipeline if item.stage in decisions.protect_stages}
    out: dict[str, str] = {}
    for account in owned_accounts(scenario):
        if decisions.movable_tiers and account.tier not in decisions.movable_tiers:
            out[account.id] = f"tier {account.tier} does not move"
        elif account.protected_until is not None and account.protected_until > start:
            out[account.id] = f"protected until {account.protected_until}"
        elif account.id in late:
            out[account.id] = "an open opportunity stands in a protected stage"
    return out


def most_moves(scenario: Scenario) -> int:
    """How many accounts may change owner."""
    decisions = scenario.allocation.accounts
    if decisions.max_moves is not None:
        return decisions.max_moves
    return int(decisions.max_moves_share * len(owned_accounts(scenario)) + 1e-9)
