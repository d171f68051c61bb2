"""Tables that a planner opens in a spreadsheet: currency units throughout, each amount with currency and basis."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
import yaml

from conftest import TINY
from optimize.baselines.plans import SIMPLE_RULES
from optimize.waterfall import FACTORS
from quotalab.cli.main import run
from quotalab.money_columns import COSTS, SALES

BASIS = "signed contract value, without VAT"
WITH_UNIT = {
    *("quota", "target", "expected", "asked", "expected_model", "floor", "last", "top_down", "bottom_up", "gap"),
    *("model", "simulated", "simulated_low", "simulated_high", "difference", "low", "high", "limit", "actual"),
    *("now", "needed", "value_of_loosening"),
}
"""Columns of figures that a column ``unit`` is about."""
PLAIN = {
    *("chance", "chance_there", "chance_of_target", "chance_of_quota_sum", "hit_rate", "lowest_chance", "capped"),
    *(
        "attainment",
        "capped_attainment",
        "lowest_capped",
        "attained_share_model",
        "model_capped_attainment",
        "workload",
    ),
    *(
        "model_capped_at_most",
        "quota_over_potential",
        "widest_gap",
        "gini_quota_potential",
        "quota_sum_share",
        "growth",
    ),
    *("correlation", "gap", "p_value", "p_adjusted", "value", "low", "middle", "high", "worse", "weight", "proven_gap"),
    *("hours", "training_hours", "share_of_hours", "skill_share", "to_move_by", "moves_by", "model_beyond", "tenure"),
    *("quarter", "people", "round", "missing", "moves", "accounts", "accounts_gained", "accounts_lost"),
    *("variance_ratio", "spread_of_chances", "workload", "growth", "cost_share"),
}
"""Shares, counts, hours and truths: figures that are no money anywhere, whatever their table."""
INTERVALS = ("_low", "_high", "_from", "_to", "_gain", "_variance_ratio", "_chance", "_chances")
"""Ends of intervals and figures of comparisons are in the unit of what they are of."""


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sheets")
    world = folder / "world.yaml"
    document = TINY | {"goals": {"targets": [*TINY["goals"]["targets"], {"metric": "orders", "target": 40}]}}
    world.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    plan = folder / "allocate"
    verbs = {
        "allocate": (),
        "explain": ("--plan", plan),
        "audit": ("--plan", plan),
        "baselines": (),
        "frontier": ("--values", "0.1,0.4"),
        "compare": (f"new={world}@{plan}",),
        "stress": ("--stress", "demand_down", "--draws", "0"),
    }
    for verb, options in verbs.items():
        asked = [verb, world, *options, "-n", "8", "-q", "-o", folder / verb]
        assert run([str(part) for part in asked]) == 0, verb
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(folder.glob("*/*.csv"))}


def test_every_sheet_opens_in_a_spreadsheet(sheets: dict[str, Path]) -> None:
    assert len(sheets) > 25
    for name, path in sheets.items():
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf"), name
        assert raw.count(b"\n") == raw.count(b"\r\n"), name
        rows = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
        assert len({len(row) for row in rows}) == 1, name
        assert "minor" not in raw.decode("utf-8-sig"), name


def test_every_figure_says_what_it_is(sheets: dict[str, Path]) -> None:
    known = SALES | COSTS | PLAIN | WITH_UNIT | {*FACTORS} | {f"because_of_{factor}" for factor in FACTORS}
    for name, path in sheets.items():
        table = pd.read_csv(path, encoding="utf-8-sig")
        figures = {*table.select_dtypes("number").dropna(axis=1, how="all").columns}
        others = {figure for figure in figures - known if not figure.endswith(INTERVALS)}
        assert others - ({*SIMPLE_RULES} if name == "baselines/quotas" else set()) == set(), name


def test_money_has_its_currency_and_basis(sheets: dict[str, Path]) -> None:
    with_money = 0
    for name, path in sheets.items():
        table = pd.read_csv(path, encoding="utf-8-sig")
        if table.empty:
            continue
        if "unit" in table:
            money = table["unit"].astype(str).str.startswith("CNY")
            assert (table.loc[money, "sales_basis"] == BASIS).all() if money.any() else "sales_basis" not in table, name
            assert money.all() or table.loc[~money].get("sales_basis", pd.Series(dtype=str)).isna().all()
        elif SALES & {*table.columns} or name == "baselines/quotas":
            assert (table["currency"] == "CNY").all(), name
            assert (table["sales_basis"] == BASIS).all(), name
            with_money += 1
        elif COSTS & {*table.columns}:
            assert (table["currency"] == "CNY").all(), name
    assert with_money > 8


def test_sums_of_one_plan_are_the_same_in_all_sheets(sheets: dict[str, Path]) -> None:
    def of(name: str) -> pd.DataFrame:
        return pd.read_csv(sheets[name], encoding="utf-8-sig")

    total = of("allocate/quotas")["quota"].sum()
    assert total == 1_500_000
    for name in ("allocate/rules", "explain/rules", "audit/rules"):
        rules = of(name)
        (row,) = rules[rules["rule"] == "company_total"].to_dict("records")
        assert (row["limit"], row["actual"], row["unit"]) == (total, total, "CNY"), name
    levels = of("allocate/levels")
    assert levels[(levels["metric"] == "revenue") & (levels["scope"] == "company")]["quota"].tolist() == [total]
    assert of("audit/people")["quota"].sum() == total
    loosened = of("allocate/rules").dropna(subset=["value_of_loosening"])
    assert loosened["loosened_by"].notna().all()
