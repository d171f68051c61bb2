"""Who may own which account, and which accounts may change owner at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimize.pairs import Pairs, as_pairs
from scenarios.account_rules import KeepsTeam, Reserved, SameRegion, WhoTakes
from scenarios.market import Account
from scenarios.people import Rep
from scenarios.scenario import Scenario

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Eligibility:
    """Who may own each account with an owner.

    Attributes:
        allowed: under all rules, [A, R].
        barred: pairs that each listed rule takes away, by its name.
    """

    allowed: Bools
    barred: dict[str, Pairs]


def owned_accounts(scenario: Scenario) -> tuple[Account, ...]:
    """Accounts with an owner today; ownership is not allocated where nobody owns (rule R13)."""
    return tuple(account for account in scenario.accounts if account.owner is not None)


def allowed_owners(scenario: Scenario, reps: tuple[str, ...]) -> Bools:
    """Who may own each account with an owner, [A, R]; see :func:`eligibility`."""
    return eligibility(scenario, reps).allowed


def eligibility(scenario: Scenario, reps: tuple[str, ...], *, roles: frozenset[str] | None = None) -> Eligibility:
    """Who may own each account with an owner, and whom the listed rules keep from it.

    An account that may not move has its owner only. Else those whom it names, or every rep of its region whose role
    owns accounts (:func:`owning_roles`), also who has none yet; a new owner must be employed over the whole horizon.
    Rules bind who takes an account over: today's owner may keep it.

    Args:
        roles: that own accounts; default :func:`owning_roles`.
    """
    accounts = owned_accounts(scenario)
    rules = [rule for rule in scenario.allocation.accounts.rules if isinstance(rule, WhoTakes)]
    anywhere = any(isinstance(rule, SameRegion) for rule in rules)
    owning = owning_roles(scenario) if roles is None else roles
    possible = _possible(scenario, accounts, reps, owning, anywhere)
    allowed, barred = possible.copy(), {}
    for rule in rules:
        if rule.enabled:
            taken = possible & _barred(scenario, accounts, reps, rule)
            barred[rule_block(rule)] = as_pairs(taken)
            allowed &= ~taken
    return Eligibility(allowed, barred)


def owning_roles(scenario: Scenario) -> frozenset[str]:
    """Roles whose reps own accounts: that which owns won customers, and those of today's owners."""
    owners = {account.owner for account in scenario.accounts}
    roles = {rep.role for rep in scenario.reps if rep.id in owners}
    physics = scenario.account_physics
    if physics is not None and physics.owner_role is not None:
        roles.add(physics.owner_role)
    return frozenset(roles)


def rule_block(rule: WhoTakes) -> str:
    """Name of the row block of a rule on who may take an account over."""
    return f"reserved {rule.name}" if isinstance(rule, Reserved) else rule.rule


def _possible(
    scenario: Scenario, accounts: tuple[Account, ...], reps: tuple[str, ...], owning: frozenset[str], anywhere: bool
) -> Bools:
    """Who may own each account as far as no listed rule says otherwise, [A, R].

    Args:
        owning: roles that own accounts.
        anywhere: whether reps of other regions are among them, too.
    """
    people = {rep.id: rep for rep in scenario.reps}
    steady = {name: _steady(rep, scenario) for name, rep in people.items()}
    regions = _regions(scenario)
    taking = np.array([steady[name] and people[name].role in owning for name in reps], dtype=np.bool_)
    near = {
        region: taking & np.array([anywhere or regions[name] == region for name in reps], dtype=np.bool_)
        for region in {account.region for account in accounts}
    }
    places = {name: r for r, name in enumerate(reps)}
    reasons = immovable(scenario)
    out = np.zeros((len(accounts), len(reps)), dtype=np.bool_)
    for a, account in enumerate(accounts):
        if account.id not in reasons:
            if account.eligible:
                out[a, [places[name] for name in account.eligible if name in places and steady[name]]] = True
            else:
                out[a] = near[account.region]
        if account.owner in places:
            out[a, places[account.owner]] = True
    return out


def rules_against(scenario: Scenario, reps: tuple[str, ...], owner: Mapping[int, int]) -> dict[str, tuple[int, ...]]:
    """Rules on who may take an account over that owners go against, listed or tacit, by name, with the accounts.

    Args:
        owner: position of a rep by that of an account with an owner today.
    """
    accounts, stay = owned_accounts(scenario), immovable(scenario)
    taken = {a: r for a, r in owner.items() if accounts[a].owner != reps[r]}
    rules = [rule for rule in scenario.allocation.accounts.rules if isinstance(rule, WhoTakes)]
    anywhere = any(isinstance(rule, SameRegion) for rule in rules)
    people, regions = {rep.id: rep for rep in scenario.reps}, _regions(scenario)
    owning = owning_roles(scenario)
    found: dict[str, list[int]] = {}
    for rule in rules if taken else ():
        if rule.enabled:
            against = _barred(scenario, accounts, reps, rule)
            found[rule_block(rule)] = [a for a, r in taken.items() if against[a, r]]
    for a, r in taken.items():
        account, rep = accounts[a], reps[r]
        if account.id in stay:
            found.setdefault("accounts_that_stay", []).append(a)
        if not _steady(people[rep], scenario):
            found.setdefault("whole_horizon", []).append(a)
        if account.eligible and rep not in account.eligible:
            found.setdefault("eligible_owners", []).append(a)
        if not account.eligible and people[rep].role not in owning:
            found.setdefault("owning_roles", []).append(a)
        if not account.eligible and not anywhere and regions[rep] != account.region:
            found.setdefault("same_region", []).append(a)
    return {rule: tuple(sorted(where)) for rule, where in found.items() if where}


def _steady(rep: Rep, scenario: Scenario) -> bool:
    """Whether a rep is employed over the whole horizon."""
    calendar = scenario.calendar
    return (rep.hired is None or rep.hired <= calendar.start) and (rep.leaves is None or rep.leaves >= calendar.end)


def _barred(scenario: Scenario, accounts: tuple[Account, ...], reps: tuple[str, ...], rule: WhoTakes) -> Bools:
    """Pairs that a rule does not allow, [A, R]."""
    people = {rep.id: rep for rep in scenario.reps}
    concerned = [account for account in accounts if not rule.tiers or account.tier in rule.tiers]
    taking = np.array([name not in rule.exempt for name in reps], dtype=np.bool_)
    match rule:
        case SameRegion():
            concerned = [account for account in concerned if not account.eligible]
            regions = _regions(scenario)
            home = np.array([account.region for account in accounts], dtype=object)
            here = np.array([regions[name] for name in reps], dtype=object)
            apart = np.asarray(home[:, None] != here[None, :], dtype=np.bool_)
        case KeepsTeam():
            home = np.array([people[account.owner or ""].team for account in accounts], dtype=object)
            team = np.array([people[name].team for name in reps], dtype=object)
            apart = np.asarray(home[:, None] != team[None, :], dtype=np.bool_)
        case Reserved():
            concerned = [account for account in concerned if _of_kind(account, rule)]
            apart = np.repeat(np.array([[not _reserved_for(people[name], rule) for name in reps]]), len(accounts), 0)
    ids = {account.id for account in concerned}
    mine = np.array([account.id in ids for account in accounts], dtype=np.bool_)
    owner = np.array([account.owner for account in accounts], dtype=object)
    today = np.asarray(owner[:, None] == np.array(reps, dtype=object)[None, :], dtype=np.bool_)
    return np.asarray(apart & mine[:, None] & taking[None, :] & ~today)


def _regions(scenario: Scenario) -> dict[str, str]:
    """Region of each rep: its own, else the team's."""
    teams = {team.id: team.region for team in scenario.teams}
    return {rep.id: rep.region or teams[rep.team] for rep in scenario.reps}


def _of_kind(account: Account, rule: Reserved) -> bool:
    return (
        (not rule.regions or account.region in rule.regions)
        and (not rule.segments or account.segment in rule.segments)
        and (not rule.industries or account.industry in rule.industries)
    )


def _reserved_for(rep: Rep, rule: Reserved) -> bool:
    return (
        (not rule.teams or rep.team in rule.teams)
        and (not rule.levels or rep.level in rule.levels)
        and (not rule.reps or rep.id in rule.reps)
    )


def immovable(scenario: Scenario) -> dict[str, str]:
    """Accounts that must stay with their owner, each with the reason.

    Those of who leaves within the horizon stay until then, when the successor has them: so they change hands once.
    """
    decisions = scenario.allocation.accounts
    start = scenario.calendar.start
    late = {item.account for item in scenario.pipeline if item.stage in decisions.protect_stages}
    end = scenario.calendar.end
    leaving = {rep.id: rep.leaves for rep in scenario.reps if rep.leaves is not None and rep.leaves < end}
    out: dict[str, str] = {}
    for account in owned_accounts(scenario):
        if account.owner in leaving:
            out[account.id] = f"{account.owner} leaves on {leaving[account.owner]}, when it is handed on"
        elif decisions.movable_tiers and account.tier not in decisions.movable_tiers:
            out[account.id] = f"tier {account.tier} does not move"
        elif account.protected_until is not None and account.protected_until > start:
            out[account.id] = f"protected until {account.protected_until}"
        elif account.id in late:
            out[account.id] = "an open opportunity stands in a protected stage"
    return out


def held_by_role(scenario: Scenario, reps: tuple[str, ...], alone: Collection[int]) -> dict[str, str]:
    """Accounts that nobody else may take since all others are of roles that own no accounts, each with the reason.

    Args:
        alone: positions of accounts that have one possible owner at most; only these are looked at.
    """
    roles, owning = {rep.id: rep.role for rep in scenario.reps}, owning_roles(scenario)
    if not alone or owning.issuperset(roles.values()):
        return {}
    owned = owned_accounts(scenario)
    few = scenario.model_copy(update={"accounts": tuple(owned[a] for a in alone)})
    now = eligibility(few, reps, roles=owning).allowed
    wider = eligibility(few, reps, roles=frozenset(roles.values())).allowed
    out: dict[str, str] = {}
    for account, mine, others in zip(few.accounts, now, wider & ~now, strict=True):
        if mine.sum() <= 1 and others.any():
            kept_out = ", ".join(sorted({roles[reps[r]] for r in np.flatnonzero(others)}))
            out[account.id] = f"all others have a role that owns no accounts ({kept_out}), and it names nobody eligible"
    return out


def most_moves(scenario: Scenario) -> int:
    """How many accounts may change owner."""
    decisions = scenario.allocation.accounts
    if decisions.max_moves is not None:
        return decisions.max_moves
    return int(decisions.max_moves_share * len(owned_accounts(scenario)) + 1e-9)
