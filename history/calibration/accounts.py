"""Accounts that have an owner in the data: they become accounts that order, and leave the stream of leads.

Where no rep predominates, ownership is not allocated: the account's buying stays among the leads, which are dealt
out to all reps as they were.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from history.calibration.evidence import Basis, Evidence, Horizon, basis_of, clean_ids
from history.calibration.values import amounts
from scenarios.base import major_units

_FEWEST_DEALS = 4
_PREDOMINANT = 0.75
_FEWEST_LEADS = 100
"""Fewer opportunities than this outside owned accounts could not be described as a stream of leads."""
_FEWEST_DAYS = 90
_TIERS = (("A", 0.2), ("B", 0.5), ("C", 1.0))
"""Share of the accounts, largest first, down to which a tier reaches."""
HANDOVER_LOSS = 0.15


@dataclass(frozen=True, eq=False)
class Ownership:
    """Accounts with a predominant owner.

    Attributes:
        table: one row per account, largest sales first: ``account``, ``owner``, ``segment``, ``wins`` and
            ``sales_minor`` in the time in which all closings are known.
        values: values of all their wins, currency units, with the account: columns ``account``, ``value``.
        days: length of that time.
    """

    table: pd.DataFrame
    values: pd.DataFrame
    days: float

    def sections(
        self, stages: list[dict[str, Any]], ids: dict[str, str], region_of: dict[str, str], evidence: Evidence
    ) -> dict[str, Any]:
        """Tiers, accounts and their physics for the scenario's document."""
        account_ids = clean_ids(self.table["account"])
        count = len(self.table)
        bounds = [int(np.ceil(share * count)) for _, share in _TIERS]
        tier_of = [int(np.searchsorted(bounds, place, side="right")) for place in range(count)]
        pooled = self.values["value"].to_numpy()
        tiers = []
        for rank, (tier, _) in enumerate(_TIERS):
            rows = self.table[[place == rank for place in tier_of]]
            if rows.empty:
                continue
            own = self.values.loc[self.values["account"].isin(rows["account"]), "value"].to_numpy()
            value, _ = amounts(own, pooled)
            a_year = float(rows["wins"].mean()) * 365 / self.days
            potential = round(float(rows["sales_minor"].mean()) * 365 / self.days)
            tiers.append(
                {
                    "id": tier,
                    "rank": rank,
                    "orders_per_year": round(a_year, 4),
                    "order_value": value,
                    "potential": major_units(potential),
                }
            )
            evidence.measured(f"tiers.{tier}.orders_per_year", a_year, int(rows["wins"].sum()))
        accounts = [
            self._account(row, account_ids, _TIERS[rank][0], tiers, ids, region_of)
            for row, rank in zip(self.table.itertuples(), tier_of, strict=True)
        ]
        source = "prior of the literature (.13 to .18 of a year's sales)"
        evidence.assumed("account_physics.handover_loss", HANDOVER_LOSS, source, grade="prior")
        evidence.assumed("tiers.*.potential", "present sales", "the export holds no potentials")
        evidence.assumed("tiers.*.care_hours_per_year", 0, "unknown", "the export holds no service hours")
        evidence.assumed("account_physics.order_effort_hours", "as a lead's", "unknown")
        physics = {"handover_loss": HANDOVER_LOSS, "order_effort_hours": stages[0]["effort_hours"]}
        return {"tiers": tiers, "accounts": accounts, "account_physics": physics}

    def _account(
        self,
        row: Any,
        account_ids: dict[str, str],
        tier: str,
        tiers: list[dict[str, Any]],
        ids: dict[str, str],
        region_of: dict[str, str],
    ) -> dict[str, Any]:
        usual = next(entry["orders_per_year"] for entry in tiers if entry["id"] == tier)
        # A gamma prior worth one order keeps an account with a lucky year from being carried on for ever.
        years = self.days / 365
        rate = (row.wins + 1) / (years + 1 / usual) if usual > 0 else 0.0
        account: dict[str, Any] = {
            "id": account_ids[row.account],
            "name": row.account,
            "tier": tier,
            "region": region_of.get(row.owner, next(iter(region_of.values()))),
            "orders_per_year": round(rate, 4),
            "sales_last": major_units(round(row.sales_minor * 365 / self.days)),
        }
        if row.owner in ids:
            account["owner"] = ids[row.owner]
        return account


def owned_accounts(basis: Basis, evidence: Evidence) -> Ownership | None:
    """Accounts of which one rep has three quarters of at least four opportunities (or that the export gives one)."""
    deals = basis.history.opportunities
    known = deals[deals["account"].notna() & (deals["created"] <= basis.known)]
    if known.empty or basis.sales_days < _FEWEST_DAYS:
        _not_allocated(evidence, 0, int(known["account"].nunique()))
        return None
    owners = {}
    for account, rows in known.groupby("account", sort=True):
        credit = rows["account_owner"] if rows["account_owner"].notna().any() else rows["rep"]
        shares = credit.value_counts(normalize=True)
        if len(rows) >= _FEWEST_DEALS and len(shares) and shares.iloc[0] >= _PREDOMINANT:
            owners[str(account)] = str(shares.index[0])
    rest = len(deals) - int(deals["account"].isin(owners).sum())
    if not owners or rest < _FEWEST_LEADS:
        _not_allocated(evidence, len(owners), int(known["account"].nunique()))
        return None
    won = known[(known["outcome"] == "won") & known["account"].isin(owners)]
    won = won[(won["closed"] > basis.sales_begin) & (won["closed"] <= basis.sales_end)]
    by_account = won.groupby("account")["value_minor"]
    table = pd.DataFrame({"owner": pd.Series(owners)})
    table["wins"] = by_account.size().reindex(table.index, fill_value=0)
    table["sales_minor"] = by_account.sum().reindex(table.index, fill_value=0).astype("int64")
    table = table.rename_axis("account").reset_index()
    table = table.sort_values(["sales_minor", "account"], ascending=[False, True], kind="stable")
    values = won.loc[won["value_minor"].fillna(0) > 0, ["account", "value_minor"]]
    values = values.assign(value=values["value_minor"].astype(float) / 100)[["account", "value"]]
    note = f"three quarters of at least {_FEWEST_DEALS} opportunities with one rep; their deals are orders, not leads"
    evidence.measured("accounts.*.owner", f"{len(table)} accounts", len(known), note=note)
    return Ownership(table.reset_index(drop=True), values, basis.sales_days)


def _not_allocated(evidence: Evidence, owned: int, accounts: int) -> None:
    note = "the export names no accounts"
    if accounts:
        note = f"{owned} of {accounts} accounts have a predominant owner; repeated buying is part of the leads"
    evidence.measured("accounts", "ownership is not allocated", accounts, note=note)


def without_owned(basis: Basis, owned: Ownership | None, horizon: Horizon | None) -> Basis:
    """The basis less the opportunities of owned accounts; the horizon stays.

    Raises:
        InputRefused: too little is left to calibrate leads from.
    """
    if owned is None:
        return basis
    deals = basis.history.opportunities
    rest = deals[~deals["account"].isin(owned.table["account"])].reset_index(drop=True)
    smaller = basis_of(replace(basis.history, opportunities=rest), horizon)
    return replace(smaller, known=basis.known, start=basis.start, end=basis.end)
