"""The figures of a sales organisation, each defined once: as a sum or as a ratio of sums.

A simulated year and a real one are measured by the same definitions; over replications each figure carries an
interval, of a mean for sums and of a ratio of sums for ratios.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from scenarios.errors import InputRefused, Problem
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.kpi_rows import Kpi, Row, customer_rows, quota_rows, rows_of
from sim.outcome import Cube, Outcome
from sim.timetable import team_region

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Kpi", "at_level", "kpis"]

Level = Literal["company", "team", "region", "rep", "stage", "source", "product", "segment", "account"]

DAY_TICKS: Final = 86_400_000
HOUR_TICKS: Final = 3_600_000

REP_KPIS: Final = (
    Kpi("revenue", "minor", "revenue"),
    Kpi("new_revenue", "minor", "new_revenue"),
    Kpi("account_revenue", "minor", "account_revenue"),
    Kpi("gross_margin", "minor", "gross_margin"),
    Kpi("recognised", "minor", "recognised"),
    Kpi("cash_collected", "minor", "cash_collected"),
    Kpi("orders", "count", "orders"),
    Kpi("new_customers", "count", "new_customers"),
    Kpi("leads", "count", "leads"),
    Kpi("average_order_value", "minor per order", "revenue", "orders"),
    Kpi("key_product_share", "share", "key_product_revenue", "revenue"),
    Kpi("collection_rate", "share", "cash_collected", "cash_due"),
    Kpi("lead_to_won", "share", "new_customers", "leads"),
    Kpi("repeat_order_share", "share", "repeat_orders", "orders"),
    Kpi("cycle_time", "days", "cycle_ticks", "new_customers", DAY_TICKS),
    Kpi("workload", "share", "busy_ticks", "available_ticks"),
    Kpi("care_hours", "hours", "care_ticks", None, HOUR_TICKS),
    Kpi("training_hours", "hours", "training_ticks", None, HOUR_TICKS),
    Kpi("gross_margin_rate", "share", "gross_margin", "revenue"),
    Kpi("tender_revenue", "minor", "tender_revenue"),
    Kpi("customers_lost", "count", "churned"),
    Kpi("handover_loss", "minor", "handover_loss"),
    Kpi("written_off", "minor", "written_off"),
    Kpi("receivables", "minor", "cash_due", less=("cash_collected", "written_off")),
    Kpi("wait", "days", "wait_ticks", "started", DAY_TICKS),
)
STAGE_KPIS: Final = (
    Kpi("entered", "count", "entered"),
    Kpi("conversion", "share", "advanced", "entered"),
    Kpi("cold_share", "share", "cold", "entered"),
    Kpi("wait", "days", "wait_ticks", "started", DAY_TICKS),
    Kpi("effort", "hours", "busy_ticks", "started", HOUR_TICKS),
    Kpi("customer_delay", "days", "delay_ticks", "started", DAY_TICKS),
    Kpi("lost_value", "minor", "lost_value"),
    Kpi("open", "count", "open"),
)
CASH_KPIS: Final = (
    Kpi("key_product_share", "share", "key_product_revenue", "revenue"),
    Kpi("cash_collected", "minor", "cash_collected"),
    Kpi("collection_rate", "share", "cash_collected", "cash_due"),
    Kpi("cycle_time", "days", "cycle_ticks", "won", DAY_TICKS),
)
SOURCE_KPIS: Final = (
    Kpi("leads", "count", "leads"),
    Kpi("won", "count", "won"),
    Kpi("lead_to_won", "share", "won", "leads"),
    Kpi("lost", "count", "lost"),
    Kpi("cold", "count", "cold"),
    Kpi("open", "count", "open"),
    Kpi("revenue", "minor", "revenue"),
    Kpi("cost", "minor", "cost"),
    Kpi("cost_per_won", "minor per order", "cost", "won"),
    Kpi("average_order_value", "minor per order", "revenue", "won"),
    *CASH_KPIS,
)
SALE_KPIS: Final = (
    Kpi("orders", "count", "orders"),
    Kpi("revenue", "minor", "revenue"),
    Kpi("average_order_value", "minor per order", "revenue", "orders"),
)
PRODUCT_KPIS: Final = (
    *SALE_KPIS,
    Kpi("share_of_orders", "share", "orders", "all_orders"),
    Kpi("attach_rate", "share", "attached", "all_orders"),
    Kpi("gross_margin", "minor", "gross_margin"),
    Kpi("gross_margin_rate", "share", "gross_margin", "revenue"),
)
SEGMENT_KPIS: Final = (
    *SALE_KPIS,
    Kpi("leads", "count", "leads"),
    Kpi("won", "count", "won"),
    Kpi("lead_to_won", "share", "won", "leads"),
    Kpi("lost", "count", "lost"),
    Kpi("cold", "count", "cold"),
    Kpi("new_customers", "count", "new_customers"),
    Kpi("repeat_order_share", "share", "repeat_orders", "orders"),
    *CASH_KPIS,
)
ACCOUNT_KPIS: Final = (
    *SALE_KPIS,
    Kpi("care_hours", "hours", "care_ticks", None, HOUR_TICKS),
    Kpi("care_given", "share", "care_ticks", "care_planned_ticks"),
    Kpi("handover_loss", "minor", "handover_loss"),
    Kpi("churned", "share", "churned"),
)
CUSTOMER_KPIS: Final = (
    Kpi("repurchase_rate", "share", "repeat_customers", "customers"),
    Kpi("churn_rate", "share", "churned", "customers"),
)
LEAD_COST_KPIS: Final = (
    Kpi("lead_cost", "minor", "cost"),
    Kpi("cost_per_won", "minor per order", "cost", "won"),
)

_TABLE_OF: Final[dict[str, tuple[str, tuple[Kpi, ...]]]] = {
    "company": ("rep", REP_KPIS),
    "team": ("rep", REP_KPIS),
    "region": ("rep", REP_KPIS),
    "rep": ("rep", REP_KPIS),
    "stage": ("stage", STAGE_KPIS),
    "source": ("source", SOURCE_KPIS),
    "product": ("product", PRODUCT_KPIS),
    "segment": ("segment", SEGMENT_KPIS),
    "account": ("account", ACCOUNT_KPIS),
}
_OF_REPS: Final = ("company", "team", "region", "rep")


def kpis(outcome: Outcome, scenario: Scenario, level: Level = "company", *, by_period: bool = False) -> pd.DataFrame:
    """Figures of a level with 95 % intervals over replications.

    Levels of reps have sales against the plan's revenue quotas, and the activities that the stages name, as
    ``activity:`` and the name. The company has more: customers, their repurchase, churn and growth, and what leads
    cost for each deal won. Accounts are kept for the whole horizon only.

    Returns:
        Columns ``key, period, kpi, estimate, low, high, unit, replications``; ``period`` is ``horizon`` unless
        ``by_period``. A ratio whose denominator is 0 in every replication has no estimate and is left out.

    Raises:
        InputRefused: no such level.
    """
    import pandas as pd

    cube, definitions = at_level(outcome, scenario, level)
    # Levels of reps keep no margin where it is not known of every sale; a product has its own or none.
    unknown = {product.id for product in scenario.products if product.gross_margin is None}
    hidden = unknown if level == "product" else set()
    of_keys = [
        (place, row)
        for kpi in definitions
        for place, row in rows_of(cube, kpi, by_period)
        if kpi.numerator != "gross_margin" or row[0] not in hidden
    ]
    # Key by key, and within a key in the order of the definitions.
    rows: list[Row] = [row for _, row in sorted(of_keys, key=lambda placed: placed[0])]
    if level in _OF_REPS:
        plan = scenario.plan or today_plan(scenario)
        rows += quota_rows(outcome, scenario, plan, _groups(scenario, level, outcome["rep"].keys), by_period)
    if level == "company":
        sources = outcome["source"]
        sources = sources.grouped("company", ["company"] * len(sources.keys))
        for kpi in LEAD_COST_KPIS if scenario.sources else ():
            rows += [row for _, row in rows_of(sources, kpi, by_period)]
        rows += customer_rows(outcome, scenario, by_period)
    columns = ["key", "period", "kpi", "estimate", "low", "high", "unit", "replications"]
    return pd.DataFrame(rows, columns=columns)


def at_level(outcome: Outcome, scenario: Scenario, level: Level) -> tuple[Cube, tuple[Kpi, ...]]:
    """The table of a level and the figures defined on it."""
    if level not in _TABLE_OF:
        raise InputRefused(Problem("level", level, "no such level", f"known: {', '.join(_TABLE_OF)}"))
    kind, definitions = _TABLE_OF[level]
    cube = outcome[kind]
    if kind == "rep" and not _margins_known(scenario):
        definitions = tuple(kpi for kpi in definitions if kpi.numerator != "gross_margin")
    if level == "company":
        # Customers whom nobody owned leave too: the company's own table counts them.
        definitions = tuple(kpi for kpi in definitions if kpi.name != "customers_lost")
    definitions += tuple(
        Kpi(metric, "count", metric, None, 1000) for metric in cube.metrics if metric.startswith("activity:")
    )
    if level in ("company", "team", "region"):
        cube = cube.grouped(level, _groups(scenario, level, cube.keys))
    return cube, definitions


def _groups(scenario: Scenario, level: Level, reps: Sequence[str]) -> list[str]:
    """What each of some reps counts for at a level; a table may hold them in another order than the scenario."""
    if level == "company":
        return ["company"] * len(reps)
    people, teams = {rep.id: rep for rep in scenario.reps}, {team.id: team for team in scenario.teams}
    if level == "team":
        return [people[rep].team for rep in reps]
    if level == "region":
        return [team_region(people[rep], teams) for rep in reps]
    return list(reps)


def _margins_known(scenario: Scenario) -> bool:
    """Whether every sale has a margin; a margin of part of the sales would look like that of all."""
    physics = scenario.account_physics
    used = {account.tier for account in scenario.accounts}
    tiers = [tier for tier in scenario.tiers if tier.id in used]
    if physics is not None and physics.new_customer is not None:
        tiers.append(physics.new_customer)
    only_products = all(tier.products for tier in tiers) and not scenario.tenders
    return only_products and all(product.gross_margin is not None for product in scenario.products)
