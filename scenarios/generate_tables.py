"""The long tables of an invented company: accounts, open pipeline, leave."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import Any

from scenarios.blueprint import Blueprint, RegionRow, RepRow, TierRow
from scenarios.drawing import Stream
from scenarios.invented_names import BRANDS, INDUSTRIES, LEGAL_FORMS
from scenarios.starter_tables import CALENDAR, DEAL_MEAN, PRODUCT_MIX, SOURCES, STAGES, TIERS

_START = date.fromisoformat(str(CALENDAR["start"]))
_LEAVE_WEEKS = (5, 27, 31, 35, 42)
"""Weeks in which people like to be away (weeks of the year's Mondays)."""


def account_rows(blueprint: Blueprint) -> Iterator[dict[str, Any]]:
    """Accounts with their owners, in the order of tiers."""
    stream = Stream(blueprint.seed, "accounts")
    regions = {region.id: region for region in blueprint.regions}
    region_of = {team.id: regions[team.region] for team in blueprint.teams}
    stand_in, under_served = dict(blueprint.stand_in), dict(blueprint.under_served)
    serial = count()
    for at, tier in enumerate(TIERS):
        number = count(1)
        width = max(2, len(str(sum(rep.accounts[at] for rep in blueprint.reps))))
        for rep in blueprint.reps:
            for _ in range(rep.accounts[at]):
                care = under_served.get(rep.id) if tier is TIERS[-1] else None
                name = f"{tier.id}{next(number):0{width}}"
                account = _account(stream, name, tier, region_of[rep.team], next(serial), care)
                yield account | {"owner": stand_in.get(rep.id, rep.id)}


def _account(
    stream: Stream, name: str, tier: TierRow, region: RegionRow, serial: int, care: float | None
) -> dict[str, Any]:
    city, (industry, word) = stream.pick(region.cities), stream.pick(INDUSTRIES)
    # A full turn through the brands before one comes again, in an order that does not look sorted.
    brand = BRANDS[serial * 101 % len(BRANDS)]
    expected = tier.orders * tier.value * (1.0 if care is None else (care / tier.care) ** 0.3)
    sales_last = _rounded(expected * math.exp(stream.normal(-0.03, 0.25)), 1_000)
    potential = tier.potential * math.exp(stream.normal(-0.02, 0.2))
    row: dict[str, Any] = {
        "id": name,
        "name": f"{city}{brand}{word}{LEGAL_FORMS[tier.id]}",
        "tier": tier.id,
        "region": region.id,
        "city": city,
        "industry": industry,
        "potential": _rounded(max(potential, 1.1 * sales_last), 10_000),
        "sales_last": sales_last,
        "sales_before": _rounded(expected * math.exp(stream.normal(-0.09, 0.25)), 1_000),
    }
    return row if care is None else row | {"care_hours": care}


def pipeline_rows(blueprint: Blueprint) -> Iterator[dict[str, Any]]:
    """Open opportunities at the start: stage counts grow with the leads a year."""
    stream = Stream(blueprint.seed, "pipeline")
    present = [rep for rep in blueprint.reps if rep.hired is None or date.fromisoformat(rep.hired) <= _START]
    region_of = {team.id: team.region for team in blueprint.teams}
    owners = stream.urn(present, _lead_shares(blueprint, present, region_of))
    products = stream.urn(tuple(PRODUCT_MIX), tuple(PRODUCT_MIX.values()))
    sources = stream.urn(blueprint.sources, [source.leads for source in blueprint.sources])
    number = count(1)
    size = sum(source.leads for source in blueprint.sources) / sum(source.leads for source in SOURCES)
    for at, stage in enumerate(STAGES):
        rows, values = [], []
        for _ in range(round(stage.open * size)):
            owner, product = owners(), products()
            # Earlier stages took about their mean time; the present one began an exponential time ago.
            before = sum(float(earlier.delay or 0) * (0.7 + 0.9 * stream.uniform()) for earlier in STAGES[:at])
            entered = _START - timedelta(days=1 + round(-float(stage.delay or 1) * math.log(1 - stream.uniform())))
            values.append((230_000 if product == "key" else 105_000) * math.exp(stream.normal(-0.13, 0.51)))
            rows.append(
                {
                    "id": f"O{next(number):03}",
                    "stage": stage.id,
                    "owner": owner.id,
                    "source": sources().id,
                    "region": region_of[owner.team],
                    "product": product,
                    "created": (entered - timedelta(days=round(before))).isoformat(),
                    "entered_stage": entered.isoformat(),
                }
            )
        # Seven deals about to close would tilt the whole year by the luck of their draw.
        fair = DEAL_MEAN * len(values) / math.fsum(values) if values else 1.0
        yield from (row | {"value": _rounded(value * fair, 1_000)} for row, value in zip(rows, values, strict=True))


def _lead_shares(blueprint: Blueprint, present: list[RepRow], region_of: dict[str, str]) -> list[float]:
    share = {region.id: region.share for region in blueprint.regions}
    total: dict[str, float] = {}
    for rep in present:
        region = region_of[rep.team]
        total[region] = total.get(region, 0.0) + rep.lead_weight
    return [share[region_of[rep.team]] * rep.lead_weight / total[region_of[rep.team]] for rep in present]


def leave_rows(blueprint: Blueprint) -> Iterator[dict[str, Any]]:
    """About thirteen working days of leave a rep: two whole weeks and three days."""
    stream = Stream(blueprint.seed, "leave")
    monday = _START + timedelta(days=-_START.weekday() % 7)
    for rep in blueprint.reps:
        weeks = list(_LEAVE_WEEKS)
        for length in (5, 5, 3):
            week = stream.pick(weeks)
            weeks.remove(week)
            first = monday + timedelta(weeks=week - 1 + 2 * (stream.uniform() < 0.5))
            last = first + timedelta(days=length - 1)
            if rep.hired is None or date.fromisoformat(rep.hired) <= first:
                yield {"rep": rep.id, "first": first.isoformat(), "last": last.isoformat()}


def _rounded(value: float, step: int) -> int:
    return round(value / step) * step
