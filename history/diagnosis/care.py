"""Care that accounts get in the simulated years against the care that their tier is owed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from history.diagnosis.finding import Finding
from scenarios.market import Account
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import care_planned
from sim.outcome import Outcome

LITTLE_CARE = 0.8
"""Of the care that is owed: accounts that get less are called neglected."""
_VERY_LITTLE = 0.6


@dataclass(frozen=True)
class Care:
    """Accounts of one owner and tier.

    Attributes:
        accounts: how many there are.
        given, owed: hours a year of all of them together.
    """

    owner: str
    tier: str
    accounts: int
    given: float
    owed: float

    @property
    def share(self) -> float:
        """Of the care owed that is given."""
        return self.given / self.owed


def care_by_owner(scenario: Scenario, plan: Plan, outcome: Outcome) -> tuple[Care, ...]:
    """Every owner and tier whose accounts are owed care, in order of owner and tier.

    Given is what the plan grants times the share of it that the owner finds time for in the simulated years; where
    nothing fell due, what is granted counts as given. Owed is what the tier promises.

    Args:
        outcome: simulated years of this plan.
    """
    cube = outcome["account"]
    done, asked = (cube.total(metric).sum(axis=0) for metric in ("care_ticks", "care_planned_ticks"))
    kept = dict(zip(cube.keys, np.divide(done, asked, out=np.ones(len(done)), where=asked > 0).tolist(), strict=True))
    granted = care_planned(scenario) | plan.care_hours()
    promised = {tier.id: tier.care_hours_per_year for tier in scenario.tiers}
    owners = plan.owner_of()
    groups: dict[tuple[str, str], list[Account]] = {}
    for account in scenario.accounts:
        if account.id in owners and promised[account.tier] > 0:
            groups.setdefault((owners[account.id], account.tier), []).append(account)
    return tuple(
        Care(
            owner=owner,
            tier=tier,
            accounts=len(group),
            given=sum(granted[account.id] * kept.get(account.id, 1.0) for account in group),
            owed=promised[tier] * len(group),
        )
        for (owner, tier), group in sorted(groups.items())
    )


def care_findings(rows: tuple[Care, ...], label: Callable[[str], str]) -> Iterator[Finding]:
    """Accounts that get much less care than they are owed, the worst first.

    Args:
        label: what a sentence calls a rep, by id.
    """
    for row in sorted(rows, key=lambda row: row.share):
        if row.share >= LITTLE_CARE:
            return
        count, share = row.accounts, 100 * row.share
        yield Finding(
            "under_served",
            f"{row.owner}/{row.tier}",
            f"{count} {row.tier} accounts of {label(row.owner)} get {row.given:.0f} of {row.owed:.0f} care hours a "
            f"year ({share:.0f} %).",
            f"{label(row.owner)}名下{count}家{row.tier}类客户每年得到{row.given:.0f}小时服务，"
            f"应得{row.owed:.0f}小时（{share:.0f}%）。",
            "strong" if row.share < _VERY_LITTLE else "moderate",
            {"given_hours": row.given, "owed_hours": row.owed, "ratio": row.share, "accounts": float(count)},
        )
