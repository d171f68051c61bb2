"""Money in tables for spreadsheets: currency units, with the currency and what sales are counted by beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quotalab.told_words import basis
from scenarios.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

SALES = frozenset(
    (
        *("quota", "quota_today", "quota_sum", "potential", "opportunity", "target", "expected", "last_sales"),
        *("quota_if_opportunity", "quota_if_blend", "quota_if_full", "skill_part", "sales_at_risk", "gain"),
        *("gain_model", "expected_sales", "sales_p10", "sales_p90", "sales", "sales_difference", "regret"),
        *("model_value", "best_split_value", "model_sales", "value_of_loosening", "against_as_given"),
    )
)
"""Columns of quotas, potentials and sales, where no column ``unit`` says otherwise."""
COSTS = frozenset({"cost", "training_cost"})
"""Columns of what is paid, not sold."""


def sales_basis(world: Scenario) -> str:
    """What an amount of sales is counted by: ``signed contract value, without VAT``."""
    return basis(world, "en")


def money_facts(world: Scenario) -> dict[str, str]:
    """What documents for machines say of the amounts in them, which are in currency units."""
    return {"currency": world.currency, "sales_basis": sales_basis(world)}


def with_money_named(table: pd.DataFrame, world: Scenario, *, sales: bool = False) -> pd.DataFrame:
    """A table with its currency and the basis of its sales in columns of their own, where it holds money.

    A table with a column ``unit`` says which of its rows are money: these alone get a basis.

    Args:
        sales: the columns have other names than those known, and are sales.
    """
    columns = {str(column) for column in table.columns}
    sold = sales or bool(columns & SALES)
    if "unit" in columns:
        if not table["unit"].astype(str).str.startswith(world.currency).any():
            return table
        money = table["unit"].astype(str).str.startswith(world.currency)
        return table.assign(sales_basis=money.map({True: sales_basis(world), False: None}))
    if not sold and not columns & COSTS:
        return table
    named = {} if "currency" in columns else {"currency": world.currency}
    return table.assign(**named, **({"sales_basis": sales_basis(world)} if sold else {}))
