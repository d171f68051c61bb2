"""The tables of the starter company, 启航工业软件: invented, but plausible for industrial software."""

from __future__ import annotations

from datetime import date, timedelta

from scenarios.blueprint import Blueprint, RegionRow, RepRow, SourceRow, StageRow, TeamRow, TierRow

LEAD_SEASON = (0.85, 0.55, 1.20, 1.10, 1.00, 1.10, 0.95, 0.95, 1.15, 0.95, 1.15, 1.05)
ORDER_SEASON = (0.80, 0.50, 1.10, 0.95, 0.95, 1.15, 0.90, 0.90, 1.10, 0.85, 1.20, 1.60)
_FAIR_SEASON = (0.2, 0.1, 0.6, 3.0, 1.2, 0.6, 0.4, 0.4, 0.8, 2.2, 2.0, 0.5)
_WEEK = (1.1, 1.05, 1.0, 1.0, 0.95, 0.45, 0.35)
_OFFICE_DAYS = (1.05, 1.05, 1.0, 1.0, 0.9, 0.0, 0.0)

SOURCES = (
    SourceRow("online", "线上获客", 1120, -0.04, 350, LEAD_SEASON, _WEEK),
    SourceRow("trade_fair", "行业展会", 430, 0.06, 700, _FAIR_SEASON, (1.0, 1.0, 1.0, 1.0, 1.0, 0.6, 0.3)),
    SourceRow("referral", "老客户转介绍", 270, 0.50, 150, LEAD_SEASON, _OFFICE_DAYS),
    SourceRow("outbound", "主动开发", 535, 0.01, 200, LEAD_SEASON, _OFFICE_DAYS),
)
DISPERSION = 5.0

# Weights: product knowledge, negotiation, relationship management, market insight, learning ability.
STAGES = (
    StageRow("prospecting", "潜在客户挖掘", 0.45, 0.7, 3, 20, (0.15, 0.0, 0.2, 0.5, 0.15), {"calls": 1.5}, 27),
    StageRow(
        "first_contact",
        "初步接触",
        0.60,
        1.6,
        6,
        25,
        (0.2, 0.1, 0.45, 0.25, 0.0),
        {"calls": 1, "visits": 0.3, "talk_hours": 0.8},
        20,
    ),
    StageRow(
        "needs_analysis",
        "需求分析",
        0.60,
        4.4,
        14,
        40,
        (0.35, 0.0, 0.2, 0.35, 0.1),
        {"visits": 1, "talk_hours": 2},
        25,
    ),
    StageRow(
        "proposal",
        "方案呈现",
        0.60,
        7.0,
        21,
        45,
        (0.55, 0.15, 0.1, 0.2, 0.0),
        {"proposals": 1, "visits": 0.5, "talk_hours": 1},
        22,
    ),
    StageRow(
        "objection_handling",
        "异议处理",
        0.65,
        3.6,
        14,
        45,
        (0.3, 0.45, 0.25, 0.0, 0.0),
        {"visits": 0.7, "talk_hours": 1.5},
        9,
    ),
    StageRow(
        "closing",
        "成交",
        0.70,
        4.5,
        18,
        60,
        (0.1, 0.6, 0.3, 0.0, 0.0),
        {"visits": 0.8, "talk_hours": 1.5},
        7,
    ),
    StageRow(
        "after_sales", "售后跟进", None, 6.0, None, None, (0.3, 0.0, 0.6, 0.0, 0.1), {"visits": 1, "talk_hours": 1}
    ),
)
PRESALES_HOURS = 3.0

TIERS = (
    TierRow("A", "A类客户", 5.0, 130_000, 1_100_000, 60, 0.04),
    TierRow("B", "B类客户", 2.6, 95_000, 450_000, 28, 0.08),
    TierRow("C", "C类客户", 1.2, 65_000, 150_000, 10, 0.15),
)
NEW_CUSTOMER = TierRow("new", "新客户", 0.18, 60_000, 150_000, 0, 0.15)

LEVELS = (
    ("junior", "初级", 47, 1.20, 180_000),
    ("mid", "中级", 60, 1.00, 280_000),
    ("senior", "高级", 71, 0.88, 420_000),
)
"""Grade, name, skill in all dimensions, effort factor, full cost in CNY a year."""

# Standard and key product in these shares, with the attached service, give a mean deal of 140,000 CNY and a CV of .7.
PRODUCT_MIX = {"standard": 71, "key": 29}
DEAL_MEAN = 140_000

REGIONS = (
    RegionRow("east", "华东", 0.42, ("上海", "苏州", "杭州", "南京", "宁波", "无锡", "合肥")),
    RegionRow("south", "华南", 0.33, ("深圳", "广州", "东莞", "佛山", "厦门", "珠海")),
    RegionRow("north", "华北", 0.25, ("北京", "天津", "青岛", "济南", "石家庄", "大连")),
)
TEAMS = (
    TeamRow("East", "华东销售部", "east", "沈国平"),
    TeamRow("South", "华南销售部", "south", "许文静"),
    TeamRow("North", "华北销售部", "north", "马立新"),
)
REPS = (
    RepRow("E1", "陈立", "East", "senior", 73, (3, 2, 0), 4250, 4600, lead_weight=1.2),
    RepRow("E2", "林晓雯", "East", "mid", 63, (1, 3, 2), 2700, 2950),
    RepRow("E3", "周建华", "East", "mid", 58, (0, 3, 4), 2200, 2400, lead_weight=0.9),
    RepRow("E4", "吴倩", "East", "mid", 60, (0, 1, 5), 1800, 1950, lead_weight=1.2),
    RepRow("E5", "孙浩", "East", "junior", 47, (0, 0, 5), 950, 1050),
    RepRow("S1", "黄志强", "South", "senior", 71, (2, 2, 2), 3450, 3750),
    RepRow("S2", "梁嘉怡", "South", "mid", 61, (1, 2, 2), 2350, 2550),
    RepRow("S3", "何俊杰", "South", "mid", 57, (0, 1, 4), 1750, 1900, lead_weight=0.9),
    # Joins in March; the weight gives the full-year share of leads that the planner expects, 153 against 191.
    RepRow("S4", "罗思琪", "South", "junior", 45, (0, 0, 2), None, 800, lead_weight=0.94, hired="2026-03-02"),
    RepRow("N1", "刘振东", "North", "senior", 70, (2, 2, 1), 3150, 3400),
    RepRow("N2", "张晓燕", "North", "mid", 60, (0, 2, 3), 1750, 1900),
    RepRow("N3", "赵磊", "North", "junior", 49, (0, 0, 3), 1050, 1150),
)

STARTER = Blueprint(
    name="启航工业软件",
    description=(
        "An invented company: industrial software and service, sold to factories by twelve reps in three teams. "
        "Calendar 2026, values in CNY without VAT. S4 joins on 2 March 2026; until then S1 looks after S4's two C "
        "accounts. The allocation leaves them there, since it moves accounts among those who are there from the first "
        "day; a plan's table owners can hand them over in March."
    ),
    seed=20260101,
    regions=REGIONS,
    teams=TEAMS,
    reps=REPS,
    sources=SOURCES,
    presales=2,
    target=27_000,
    training_hours=288,
    max_moves=6,
    under_served=(("E4", 4.0),),
    stand_in=(("S4", "S1"),),
)


def days(first: str, last: str) -> list[str]:
    """All days from the first to the last, both inside, as ISO dates."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(start + timedelta(days=step)).isoformat() for step in range((end - start).days + 1)]


# Public holidays and working weekend days of 2026 as announced by the State Council.
HOLIDAYS = [
    *days("2026-01-01", "2026-01-03"),
    *days("2026-02-15", "2026-02-23"),
    *days("2026-04-04", "2026-04-06"),
    *days("2026-05-01", "2026-05-05"),
    *days("2026-06-19", "2026-06-21"),
    *days("2026-09-25", "2026-09-27"),
    *days("2026-10-01", "2026-10-07"),
]
WORKING_DAYS = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]
CALENDAR = {
    "start": "2026-01-01",
    "end": "2027-01-01",
    "timezone": "Asia/Shanghai",
    "holidays": HOLIDAYS,
    "working_days": WORKING_DAYS,
    "customer_pauses": [{"first": "2026-02-07", "last": "2026-02-24", "reason": "春节 (17 February 2026)"}],
    "selling_share": 0.70,
}
