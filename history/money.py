"""The value column: exact minor units in one currency, or a refusal."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pandas as pd

from history.cells import amounts
from history.mapping import Mapping
from history.quality import Fault, Ledger


def one_currency(codes: pd.Series | None, rules: Mapping, where: str, ledger: Ledger) -> str:
    """The currency of the result; mixed currencies without rates are noted as a problem.

    Args:
        codes: currency per row (``<NA>``: the currency of the mapping), or None without such a column.
    """
    own = rules.money.currency
    if codes is None:
        return own
    counts = codes.fillna(own).value_counts()
    if len(counts) == 1:
        return str(counts.index[0])
    lacking = [code for code in counts.index if code != own and code not in rules.money.rates]
    if lacking:
        shown = ", ".join(f"{code} {count} rows" for code, count in counts.items())
        rule = "amounts must be in one currency, or each needs a rate"
        remedy = f"give money.rates for {', '.join(lacking)} (units of {own} for one)"
        ledger.refuse(where, shown, rule, remedy)
    return own


def values(
    cells: pd.Series, codes: pd.Series | None, lines: pd.Series, where: str, rules: Mapping, ledger: Ledger
) -> tuple[pd.Series, pd.Series, str]:
    """Amounts as minor units of one currency, judged by the rules for bad and negative amounts.

    Returns:
        ``(value_minor, keep, currency)``: ``Int64``, True where the row stays, ISO code.
    """
    currency = one_currency(codes, rules, where, ledger)
    minor, bad, rounded = amounts(cells, rules.money)
    what = f"{where}: amounts with a fraction of a minor unit"
    ledger.note("rounded_value", rounded, len(cells), what, "they were rounded half to even")
    remedy = "correct them, or set money.decimal, money.thousands and money.unit in the mapping file"
    policy = rules.tolerate
    fault = Fault("bad_value", "must be an amount of money", remedy, policy.bad_value)
    keep = ledger.judge(fault, bad, cells, lines, where)
    negative = (minor < 0).fillna(False).astype(bool)
    fault = Fault("negative_value", "must not be negative", "correct them", policy.negative_value)
    keep &= ledger.judge(fault, negative, cells, lines, where)
    if policy.negative_value == "blank":
        minor = minor.mask(negative)
    if codes is not None and codes.fillna(currency).nunique() > 1:
        minor = _converted(minor, codes.fillna(rules.money.currency), rules, ledger, where)
    return minor, keep, currency


def _converted(minor: pd.Series, codes: pd.Series, rules: Mapping, ledger: Ledger, where: str) -> pd.Series:
    result = minor.copy()
    for code, rate in rules.money.rates.items():
        rows = (codes == code) & minor.notna()
        exact = [(int(amount) * rate).quantize(Decimal(1), ROUND_HALF_EVEN) for amount in minor[rows]]
        result[rows] = [int(amount) for amount in exact]
        what = f"{where}: amounts in {code}"
        ledger.note("converted", int(rows.sum()), len(minor), what, f"converted at {rate} {rules.money.currency}")
    return result
