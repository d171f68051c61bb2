"""Who is credited with a deal: the roles' shares, divided among the reps who worked it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scenarios.scenario import Scenario
from sim.rules_people import credit_upto
from sim.streams import identity

WHOLE = 1_000_000
"""Shares of credit are counted in millionths."""

Shares = tuple[tuple[int, float], ...]
"""(position of the role, share), in order of the roles' identities."""


def build_shares(scenario: Scenario) -> Shares:
    """Shares by role; none where a deal is credited to the rep who won it."""
    if scenario.credit is None:
        return ()
    roles = {role.id: position for position, role in enumerate(scenario.roles)}
    named = sorted(scenario.credit.shares.items(), key=lambda item: int(identity(item[0])))
    return tuple((roles[role], share) for role, share in named if share > 0)


def divided(shares: Shares, workers: Mapping[int, int]) -> Sequence[tuple[int, int]]:
    """Reps with the millionths of the deal up to and including their part; none where nobody's role has a share.

    The share of a role that did not work the deal goes to the others in proportion.

    Args:
        workers: the rep by role who worked the deal.
    """
    there = [(workers[role], share) for role, share in shares if role in workers]
    parts, sofar, total = [], 0.0, 0.0
    for _, share in there:
        total += share
    for number, (rep, share) in enumerate(there):
        sofar += share
        parts.append((rep, WHOLE if number + 1 == len(there) else int(credit_upto(sofar, total))))
    return parts
