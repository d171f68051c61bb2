"""Blueprints of larger invented companies, drawn from a seed; they sell what the starter company sells."""

from __future__ import annotations

import math
from dataclasses import replace

from scenarios.blueprint import Blueprint, RegionRow, RepRow, TeamRow
from scenarios.drawing import Stream
from scenarios.invented_names import GIVEN_NAMES, SURNAMES
from scenarios.starter_tables import SOURCES, TIERS

_REGIONS = (
    RegionRow("east", "华东", 0.22, ("上海", "苏州", "杭州", "南京", "宁波", "无锡", "合肥")),
    RegionRow("south", "华南", 0.18, ("深圳", "广州", "东莞", "佛山", "厦门", "珠海")),
    RegionRow("north", "华北", 0.15, ("北京", "天津", "石家庄", "太原", "唐山")),
    RegionRow("central", "华中", 0.12, ("武汉", "长沙", "郑州", "南昌", "洛阳")),
    RegionRow("southwest", "西南", 0.11, ("成都", "重庆", "昆明", "贵阳", "绵阳")),
    RegionRow("shandong", "山东", 0.10, ("青岛", "济南", "烟台", "潍坊")),
    RegionRow("northeast", "东北", 0.07, ("沈阳", "大连", "长春", "哈尔滨")),
    RegionRow("northwest", "西北", 0.05, ("西安", "兰州", "银川", "乌鲁木齐")),
)
_TEAM_SIZE = 10
_GRADES = (("junior", 47.0, 4.0, 0.3), ("mid", 60.0, 3.5, 0.5), ("senior", 71.0, 3.0, 0.2))
"""Grade, mean and standard deviation of skill, share of the reps."""
_HOURS = 1_150.0
"""Selling hours a year that leads and accounts should fill."""
_HOURS_PER_LEAD = 5.6
_ORDER_HOURS = 6.0
_SALES_PER_LEAD = 6.2
"""Thousands of CNY that a lead brings a rep at the reference skill."""
_QUOTA_GROWTH = 1.08


def drawn_blueprint(name: str, seed: int, reps: int, accounts: int, presales: int) -> Blueprint:
    """A company of this size whose reps are about as busy as those of the starter company.

    Args:
        reps: number of reps, in whole teams of ten, at least one team a region.
        accounts: number of accounts; the more a rep has, the smaller they are.
        presales: people of the presales desk.
    """
    teams = _teams(Stream(seed, "teams"), reps // _TEAM_SIZE)
    shares = _tier_shares(accounts / reps)
    leads = _leads_per_rep(accounts / reps, shares)
    rows = _rep_rows(Stream(seed, "reps"), teams, accounts, shares, leads)
    scale = leads * len(rows) / sum(source.leads for source in SOURCES)
    return Blueprint(
        name=name,
        description=f"An invented company of {len(rows)} reps and {accounts} accounts, drawn from seed {seed}.",
        seed=seed,
        regions=tuple(replace(region, share=_share(region.id, teams)) for region in _REGIONS),
        teams=teams,
        reps=rows,
        sources=tuple(replace(source, leads=round(source.leads * scale)) for source in SOURCES),
        presales=presales,
        target=round(sum(row.quota or 0 for row in rows) / 1.05 / 100) * 100,
        training_hours=24 * len(rows),
        max_moves=accounts // 10,
    )


def _teams(stream: Stream, number: int) -> tuple[TeamRow, ...]:
    """Teams by region: each region gets its share, by largest remainders."""
    exact = [region.share * number for region in _REGIONS]
    counts = [max(1, math.floor(count)) for count in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: counts[at] - exact[at])
    for at in by_remainder[: number - sum(counts)]:
        counts[at] += 1
    width = len(str(number))
    places = [region for region, count in zip(_REGIONS, counts, strict=True) for _ in range(count)]
    return tuple(
        TeamRow(f"T{at:0{width}}", f"{region.name}销售{at}部", region.id, _person(stream))
        for at, region in enumerate(places, start=1)
    )


def _share(region: str, teams: tuple[TeamRow, ...]) -> float:
    """A region's share of the leads: that of its teams."""
    return round(sum(team.region == region for team in teams) / len(teams), 6)


def _tier_shares(accounts_per_rep: float) -> tuple[float, float, float]:
    return (0.15, 0.30, 0.55) if accounts_per_rep <= 12 else (0.04, 0.16, 0.80)


def _leads_per_rep(accounts_per_rep: float, shares: tuple[float, float, float]) -> int:
    """Leads a year that fill the hours which accounts leave."""
    hours = sum(share * (tier.care + tier.orders * _ORDER_HOURS) for share, tier in zip(shares, TIERS, strict=True))
    return round((_HOURS - accounts_per_rep * hours) / _HOURS_PER_LEAD)


def _rep_rows(
    stream: Stream, teams: tuple[TeamRow, ...], accounts: int, shares: tuple[float, float, float], leads: int
) -> tuple[RepRow, ...]:
    number = len(teams) * _TEAM_SIZE
    grades = [stream.pick(_GRADES, [grade[3] for grade in _GRADES]) for _ in range(number)]
    skills = [round(stream.normal(mean, sd), 1) for _, mean, sd, _ in grades]
    large, middle = (round(accounts * share) for share in shares[:2])
    # The abler a rep, the larger the accounts in hand.
    owned = zip(
        _dealt(stream, large, [math.exp((skill - 60) / 8) for skill in skills]),
        _dealt(stream, middle, [math.exp((skill - 60) / 15) for skill in skills]),
        _dealt(stream, accounts - large - middle, [math.exp((60 - skill) / 30) for skill in skills]),
        strict=True,
    )
    width = len(str(number))
    return tuple(
        _rep_row(stream, f"R{at:0{width}}", teams[(at - 1) // _TEAM_SIZE], grade[0], skill, mine, leads)
        for at, (grade, skill, mine) in enumerate(zip(grades, skills, owned, strict=True), start=1)
    )


def _rep_row(
    stream: Stream, name: str, team: TeamRow, level: str, skill: float, owned: tuple[int, int, int], leads: int
) -> RepRow:
    orders = sum(count * tier.orders * tier.value / 1000 for count, tier in zip(owned, TIERS, strict=True))
    expected = orders + leads * _SALES_PER_LEAD * math.exp(0.02 * (skill - 60))
    last = round(expected * math.exp(stream.normal(-0.06, 0.1)))
    quota = round(last * _QUOTA_GROWTH / 10) * 10
    return RepRow(name, _person(stream), team.id, level, skill, owned, last, quota)


def _dealt(stream: Stream, total: int, weights: list[float]) -> list[int]:
    """``total`` things dealt out by weight: each number is the expected one, rounded up or down."""
    start, scale, before = stream.uniform(), total / math.fsum(weights), 0.0
    marks = []
    for weight in weights:
        before += weight * scale
        marks.append(math.floor(before + start))
    marks[-1] = total
    return [mark - earlier for mark, earlier in zip(marks, [0, *marks[:-1]], strict=True)]


def _person(stream: Stream) -> str:
    return stream.pick(SURNAMES) + stream.pick(GIVEN_NAMES)
