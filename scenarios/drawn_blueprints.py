"""Blueprints of larger invented companies, drawn from a seed; they sell what the starter company sells."""

from __future__ import annotations

import math
from dataclasses import replace

from scenarios.blueprint import Blueprint, RegionRow, RepRow, TeamRow
from scenarios.drawing import Stream
from scenarios.invented_names import GIVEN_NAMES, SURNAMES
from scenarios.starter_tables import LEVELS, SOURCES, TIERS

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
_PACE = {level: factor for level, _, _, factor, _ in LEVELS}
_HOURS = 1_185.0
"""Selling hours a year that leads and accounts should fill, of about 1,300 that a rep has."""
_HOURS_PER_LEAD = 5.6
_ORDER_HOURS = 6.0
_FEWEST_LEADS = 12.0
"""Leads a year that also a rep whose accounts fill the year gets."""
_SALES_PER_LEAD = 6.2
"""Thousands of CNY that a lead brings a rep at the reference skill."""
_QUOTA_GROWTH = 1.08


_INVENTED = "invented for a demo"
PROVENANCE = tuple(
    {"path": path, "value": value, "source": source, "grade": grade, "trust": trust}
    for path, value, source, grade, trust in (
        ("account_physics.handover_loss", "0.15", "Shi et al. 2017: .132 to .176 of a year's sales", "prior", "high"),
        ("account_physics.care_elasticity", "0.3", "Albers, Mantrala and Sridhar 2010: mean .34", "prior", "high"),
        ("sources", "variance/mean 5", "daily counts of real companies: 5 to 14", "prior", "medium"),
        ("stages", "4.5 % lead to won", "published: 1 to 5 %, secondary pages", "prior", "low"),
        ("reps", "30/50/20 % junior, mid, senior", _INVENTED, "assumed", "low"),
        ("accounts", "tiers, orders, care and churn of the starter company", _INVENTED, "assumed", "low"),
        ("cash", "30/60/10 %, 45 days late, 1 % lost", _INVENTED, "assumed", "low"),
    )
)
"""What the drawn companies rest on; every row is to be replaced by one's own data."""


def drawn_blueprint(name: str, seed: int, reps: int, accounts: int, presales: int) -> Blueprint:
    """A company of this size whose reps are about as busy as those of the starter company.

    What is assumed, all of it invented and of low trust, to be replaced by one's own data:

    - grades: 30 % junior, 50 % mid, 20 % senior, with skills around 47, 60 and 71 and the pace of the starter's grades;
    - accounts: tiers, orders, care and churn are the starter's; the abler a rep, the larger the accounts in hand;
    - leads: each rep gets what fills the hours that the accounts leave, so workloads lie around .8 (.6 to .95);
    - conversion: the starter's stages, about 4.5 % from lead to won (published: 1 to 5 %, low trust);
    - sources, season and prices: the starter's; daily counts vary five times as much as Poisson (measured at real
      companies: 5 to 14);
    - handover loss 15 % (Shi et al. 2017: 13 to 18 %, high trust); care elasticity .3 (Albers et al. 2010: .34);
    - last year's sales: expected ones less 6 % on average, varying by 10 %; quotas 8 % above them.

    Args:
        reps: number of reps, in whole teams of ten, at least one team a region.
        accounts: number of accounts; the more a rep has, the smaller they are.
        presales: people of the presales desk.
    """
    teams = _teams(Stream(seed, "teams"), reps // _TEAM_SIZE)
    shares = _tier_shares(accounts / reps)
    rows, leads = _rep_rows(Stream(seed, "reps"), teams, accounts, shares)
    scale = sum(leads.values()) / sum(source.leads for source in SOURCES)
    return Blueprint(
        name=name,
        description=f"An invented company of {len(rows)} reps and {accounts} accounts, drawn from seed {seed}.",
        seed=seed,
        regions=tuple(replace(region, share=_share(region.id, teams, rows, leads)) for region in _REGIONS),
        teams=teams,
        reps=rows,
        sources=tuple(replace(source, leads=round(source.leads * scale)) for source in SOURCES),
        presales=presales,
        target=round(sum(row.quota or 0 for row in rows) / 1.05 / 100) * 100,
        training_hours=24 * len(rows),
        max_moves=accounts // 10,
        provenance=PROVENANCE,
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


def _share(region: str, teams: tuple[TeamRow, ...], rows: tuple[RepRow, ...], leads: dict[str, float]) -> float:
    """A region's share of the leads: that of its reps."""
    here = {team.id for team in teams if team.region == region}
    return round(sum(leads[row.id] for row in rows if row.team in here) / sum(leads.values()), 6)


def _tier_shares(accounts_per_rep: float) -> tuple[float, float, float]:
    return (0.15, 0.30, 0.55) if accounts_per_rep <= 12 else (0.04, 0.16, 0.80)


def _leads_for(level: str, skill: float, owned: tuple[int, int, int]) -> float:
    """Leads a year that fill the hours which the accounts leave a rep of this pace.

    The leads of an able rep get further and so take more hours.
    """
    hours = sum(count * (tier.care + tier.orders * _ORDER_HOURS) for count, tier in zip(owned, TIERS, strict=True))
    return max(_FEWEST_LEADS, (_HOURS / _PACE[level] - hours) / (_HOURS_PER_LEAD * math.exp(0.012 * (skill - 60))))


def _rep_rows(
    stream: Stream, teams: tuple[TeamRow, ...], accounts: int, shares: tuple[float, float, float]
) -> tuple[tuple[RepRow, ...], dict[str, float]]:
    """Reps with their accounts, and the leads a year that each should get."""
    number = len(teams) * _TEAM_SIZE
    grades = [stream.pick(_GRADES, [grade[3] for grade in _GRADES]) for _ in range(number)]
    skills = [round(stream.normal(mean, sd), 1) for _, mean, sd, _ in grades]
    large, middle = (round(accounts * share) for share in shares[:2])
    # The abler a rep, the larger the accounts in hand.
    owned = zip(
        _dealt(stream, large, [math.exp((skill - 60) / 12) for skill in skills]),
        _dealt(stream, middle, [math.exp((skill - 60) / 25) for skill in skills]),
        _dealt(stream, accounts - large - middle, [math.exp((60 - skill) / 40) for skill in skills]),
        strict=True,
    )
    width = len(str(number))
    names = [f"R{at:0{width}}" for at in range(1, number + 1)]
    hands = list(zip(names, grades, skills, owned, strict=True))
    leads = {name: _leads_for(grade[0], skill, mine) for name, grade, skill, mine in hands}
    usual = sum(leads.values()) / number
    rows = tuple(
        _rep_row(stream, name, teams[at // _TEAM_SIZE], grade[0], skill, mine, leads[name], usual)
        for at, (name, grade, skill, mine) in enumerate(hands)
    )
    return rows, leads


def _rep_row(
    stream: Stream,
    name: str,
    team: TeamRow,
    level: str,
    skill: float,
    owned: tuple[int, int, int],
    leads: float,
    usual: float,
) -> RepRow:
    # Those who leave within the year order half of it.
    worth = [tier.orders * tier.value / 1000 * (1 - tier.churn / 2) for tier in TIERS]
    orders = sum(count * each for count, each in zip(owned, worth, strict=True))
    expected = orders + leads * _SALES_PER_LEAD * math.exp(0.02 * (skill - 60))
    last = round(expected * math.exp(stream.normal(-0.06, 0.1)))
    quota = round(last * _QUOTA_GROWTH / 10) * 10
    return RepRow(name, _person(stream), team.id, level, skill, owned, last, quota, lead_weight=round(leads / usual, 3))


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
