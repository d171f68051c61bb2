"""How many accounts somebody may own or a team may gain and lose: each limit counts pairs of account and owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.account_rules import TeamMoves, TierCount
from scenarios.market import Account
from scenarios.scenario import Scenario

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NOBODY = -1


@dataclass(frozen=True)
class AccountLimit:
    """At most, or at least, so many accounts for each subject.

    Attributes:
        rule: name of the row block: ``tier_most A``, ``tier_least A``, ``moves_in`` or ``moves_out``.
        subjects: reps or teams.
        limit: of each subject, [S].
        upper: whether it is the most; else the least.
        counts: pairs of account and owner that count, [A, R].
        of_account, of_rep: whose count such a pair adds to, one of the two given, :data:`NOBODY` where nobody's is.
    """

    rule: str
    subjects: tuple[str, ...]
    limit: Floats
    upper: bool
    counts: Bools
    of_account: Ints | None = None
    of_rep: Ints | None = None

    def subject(self, account: Ints, rep: Ints) -> Ints:
        """Whose count each pair adds to; :data:`NOBODY` where nobody's is."""
        whose = self.of_rep[rep] if self.of_rep is not None else self._by_account[account]
        return np.where(self.counts[account, rep], whose, NOBODY)

    @property
    def _by_account(self) -> Ints:
        if self.of_account is None:
            raise ValueError(f"{self.rule} counts neither by rep nor by account")
        return self.of_account

    def held(self, owner: Ints) -> Floats:
        """The count of each subject under these owners, -1 for one who carries no quota; [S]."""
        known = np.flatnonzero(owner >= 0)
        whose = self.subject(known, owner[known])
        return np.bincount(whose[whose >= 0], minlength=len(self.subjects)).astype(np.float64)

    def beyond(self, owner: Ints) -> Floats:
        """By how many accounts each subject is beyond the limit, negative inside, [S]."""
        return (self.held(owner) - self.limit) * (1.0 if self.upper else -1.0)

    def crowded(self, owner: Ints) -> Ints:
        """Accounts of those who own more than the limit, or with whom others who own too few could be helped out."""
        known = np.flatnonzero(owner >= 0)
        whose = self.subject(known, owner[known])
        beyond = self.beyond(owner)
        if not self.upper:
            return known[whose >= 0] if (beyond > 0).any() else known[:0]
        return known[(whose >= 0) & (beyond[whose] > 0)]

    def touched(self, locked: Mapping[int, int]) -> Bools:
        """Subjects whose limit locked owners may break: a lock comes before rules, [S].

        Args:
            locked: owner of each account whose owner is locked.
        """
        out = np.zeros(len(self.subjects), dtype=np.bool_)
        account, rep = np.array(list(locked), dtype=np.int64), np.array(list(locked.values()), dtype=np.int64)
        whose = self.subject(account, rep)
        if self.upper:
            out[whose[whose >= 0]] = True
        elif self.of_rep is not None:
            # An account locked to one rep is missing from all others of whom the rule asks for some.
            for a, r in zip(account.tolist(), whose.tolist(), strict=True):
                others = self.of_rep[self.counts[a]]
                out[others[(others >= 0) & (others != r)]] = True
        return out


def account_limits(
    scenario: Scenario, accounts: tuple[Account, ...], reps: tuple[str, ...]
) -> tuple[AccountLimit, ...]:
    """The limits that a scenario's account rules set.

    Args:
        accounts: those that have an owner, in the order of the request; ``reps``: who carry a quota, likewise.
    """
    found: list[AccountLimit] = []
    for rule in scenario.allocation.accounts.rules:
        if isinstance(rule, TierCount) and rule.enabled:
            found += _of_tier(scenario, accounts, reps, rule)
    return (*found, *_of_teams(scenario, accounts, reps))


def _of_tier(
    scenario: Scenario, accounts: tuple[Account, ...], reps: tuple[str, ...], rule: TierCount
) -> Iterator[AccountLimit]:
    people = {rep.id: rep for rep in scenario.reps}
    chosen = [
        name for name in reps if name not in rule.exempt and (not rule.levels or people[name].level in rule.levels)
    ]
    if not chosen:
        return
    place = {name: s for s, name in enumerate(chosen)}
    of_rep = np.array([place.get(name, NOBODY) for name in reps], dtype=np.int64)
    of_tier = np.array([account.tier == rule.tier for account in accounts], dtype=np.bool_)
    counts = np.repeat(of_tier[:, None], len(reps), axis=1)
    for side, figure in (("most", rule.most), ("least", rule.least)):
        if figure is not None:
            limit = np.full(len(chosen), float(figure))
            name = f"tier_{side} {rule.ending}"
            yield AccountLimit(name, tuple(chosen), limit, side == "most", counts, of_rep=of_rep)


def _of_teams(scenario: Scenario, accounts: tuple[Account, ...], reps: tuple[str, ...]) -> Iterator[AccountLimit]:
    """Accounts that cross the border of a team, in and out."""
    team_of = {rep.id: rep.team for rep in scenario.reps}
    home = np.array([team_of.get(account.owner or "", "") for account in accounts], dtype=object)
    team = np.array([team_of[name] for name in reps], dtype=object)
    crosses = np.asarray(home[:, None] != team[None, :], dtype=np.bool_)
    rules = [rule for rule in scenario.allocation.accounts.rules if isinstance(rule, TeamMoves) and rule.enabled]
    for side in ("in", "out"):
        most: dict[str, int] = {}
        for rule in rules:
            figure = rule.most_in if side == "in" else rule.most_out
            if figure is not None:
                most |= dict.fromkeys(rule.teams or [one.id for one in scenario.teams], figure)
        if not most:
            continue
        place = {name: s for s, name in enumerate(most)}
        limit = np.array(list(most.values()), dtype=np.float64)
        whose = {
            f"of_{'rep' if side == 'in' else 'account'}": np.array(
                [place.get(name, NOBODY) for name in (team if side == "in" else home)], dtype=np.int64
            )
        }
        yield AccountLimit(f"moves_{side}", tuple(most), limit, True, crosses, **whose)
