"""Side tables: attributes of reps, accounts and products, joined by name."""

from __future__ import annotations

import difflib

import pandas as pd

from history.cells import amounts, labels
from history.mapping import Join, Mapping
from history.quality import SHOWN, Ledger, examples
from history.tables import Table

_FILLS = {"rep": ("team", "region"), "account": ("segment", "account_owner", "region"), "product": ()}
"""Fields of an opportunity that a side table may tell; an account's region is a fallback for the rep's."""


def missing_columns(header: pd.Index, wanted: list[str], name: str, ledger: Ledger) -> None:
    """Note each wanted column that the table lacks, with the nearest name it has."""
    for column in wanted:
        if column in header:
            continue
        near = difflib.get_close_matches(column, list(header), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(str, header))}."
        ledger.refuse(name, column, "the table must have this column", f"{hint} Set it in the mapping file")


def side_table(join: Join, table: Table | None, rules: Mapping, ledger: Ledger) -> pd.DataFrame:
    """One row per key: ``id`` and the joined columns (``string``; money as ``<field>_minor``, ``Int64``).

    Repeated keys and missing columns are noted as problems; an absent table gives an empty frame.
    """
    nothing = pd.DataFrame({"id": pd.Series(dtype="string")})
    if table is None:
        return nothing
    cells = table.cells
    wanted = [join.key, *(column.column for column in join.columns.values())]
    before = len(ledger.problems)
    missing_columns(cells.columns, wanted, table.name, ledger)
    if len(ledger.problems) > before:
        return nothing
    ids = fixed(labels(cells[join.key], join.to in rules.integers), join.to, table.name, rules, ledger)
    result = pd.DataFrame({"id": ids})
    for field, column in join.columns.items():
        text = cells[column.column]
        if column.unit is None:
            result[field] = fixed(labels(text, field in rules.integers), field, table.name, rules, ledger)
            continue
        minor, bad, _ = amounts(text, rules.money.model_copy(update={"unit": column.unit}))
        if bad.any():
            shown = examples(text[bad], table.lines[bad])
            ledger.refuse(f"{table.name}: {column.column}", shown, "must be an amount of money", "correct it")
        result[f"{field}_minor"] = minor
    doubled = ids[ids.duplicated() & ids.notna()].unique()
    if len(doubled):
        shown = ", ".join(map(str, doubled[:SHOWN]))
        ledger.refuse(f"{table.name}: {join.key}", shown, "keys must be unique", "keep one row per key")
    empty_keys = int(ids.isna().sum())
    ledger.note("missing_key", empty_keys, len(ids), f"{table.name}: rows without a key", "not used")
    return result[ids.notna()].reset_index(drop=True)


def fixed(names: pd.Series, field: str, where: str, rules: Mapping, ledger: Ledger) -> pd.Series:
    """Apply the mapping's value fixes of one field, counting each."""
    result = names
    for wrong, right in rules.fixes.get(field, {}).items():
        rows = names == wrong
        count = int(rows.sum())
        ledger.note("renamed", count, len(names), f"{where}: {field} {wrong!r}", f"read as {right!r}")
        result = result.mask(rows.fillna(False), right)
    return result


def fill(opportunities: pd.DataFrame, to: str, side: pd.DataFrame, ledger: Ledger) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join one side table to the opportunities, and complete it with the names that only they know.

    Returns:
        ``(opportunities, side)``; what the export itself says about an opportunity is never overwritten.
    """
    used = pd.Series(sorted(opportunities[to].dropna().unique()), dtype="string", name="id")
    unknown = used[~used.isin(side["id"])]
    if len(side):
        rows = int(opportunities[to].isin(unknown).sum())
        names = ", ".join(map(repr, unknown.head(SHOWN)))
        what = f"{to}: opportunities of {names}, not in the side table"
        ledger.note("unmatched", rows, len(opportunities), what, "their joined attributes are missing")
        idle = int((~side["id"].isin(used)).sum())
        what = f"{to}: listed in the side table without any opportunity"
        ledger.note("idle", idle, len(side), what, "kept in the side table; nothing can be learned about them")
    result = opportunities.copy()
    for field in _FILLS[to]:
        if field in side:
            told = result[to].map(side.set_index("id")[field])
            result[field] = result[field].fillna(told.astype("string"))
    complete = pd.concat([side, unknown.to_frame()], ignore_index=True) if len(unknown) else side
    complete = complete.assign(id=complete["id"].astype("string"))
    return result, complete.sort_values("id", kind="stable").reset_index(drop=True)
