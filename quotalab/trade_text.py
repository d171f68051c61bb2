"""What the sum of quotas buys, in lines for a terminal."""

from __future__ import annotations

from experiments.money import Language, plain
from experiments.trade import TradeTable
from experiments.words import word
from quotalab.columns import aligned

COLUMNS = ("sum", "hit", "company", "reached")


def trade_lines(trade: TradeTable, language: Language) -> list[str]:
    """A row a sum of quotas: its share of the target, hit rate, chance of the target, chance to reach the sum."""
    rows = [[word(f"told.trade_{column}", language) for column in COLUMNS]]
    for row in trade.rows:
        chances = (row.hit_rate, row.chance_of_target, row.chance_of_quota_sum)
        rows.append([f"{100 * row.share:g} %", *(f"{plain(100 * one.estimate, 0)} %" for one in chances)])
    return [word("told.trade", language), *(f"  {line}" for line in aligned(rows))]
