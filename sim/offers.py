"""Bundles and tenders compiled to plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scenarios.scenario import Scenario
from sim.streams import identities, identity
from sim.timetable import Timetable

BLOCK_HOURS: Final = 4.0
"""Longest piece of preparing a tender that is worked without a break."""


@dataclass(frozen=True)
class Bundle:
    """Products sold together.

    Attributes:
        upto: the deal's draw below which, and above that of the bundle before, a deal is this bundle.
        products: positions; factor: on the sum of their prices.
    """

    upto: float
    products: tuple[int, ...]
    factor: float


@dataclass(frozen=True)
class OpenTender:
    """A single large deal; positions of owner and account are -1 where not given.

    Attributes:
        begins: first tick of preparing; decided: tick of the decision, midnight of its day.
        value: minor units; chance: to win it; hours: of preparing in all.
    """

    entity: np.uint64
    owner: int
    region: int
    segment: int
    account: int
    begins: int
    decided: int
    value: int
    chance: float
    hours: float


def build_bundles(scenario: Scenario) -> tuple[Bundle, ...]:
    """The bundles in the order of their identities, and so of no file."""
    position = {product.id: place for place, product in enumerate(scenario.products)}
    identities([bundle.id for bundle in scenario.bundles], "bundles")
    found, before = [], 0.0
    for bundle in sorted(scenario.bundles, key=lambda bundle: int(identity(bundle.id))):
        before += bundle.share
        found.append(Bundle(before, tuple(position[product] for product in bundle.products), bundle.price_factor))
    return tuple(found)


def build_tenders(scenario: Scenario, timetable: Timetable) -> tuple[OpenTender, ...]:
    """The tenders; days are those of the region, owner and segment those of the account where it is given."""
    reps = {rep.id: place for place, rep in enumerate(scenario.reps)}
    regions = {region.id: place for place, region in enumerate(scenario.regions)}
    segments = {segment.id: place for place, segment in enumerate(scenario.segments)}
    accounts = {account.id: place for place, account in enumerate(scenario.accounts)}
    names = identities([f"tender {tender.id}" for tender in scenario.tenders], "tenders")
    found = []
    for tender, entity in zip(scenario.tenders, names, strict=True):
        zone = scenario.regions[regions[tender.region]].timezone
        place = accounts[tender.account] if tender.account else -1
        segment = scenario.accounts[place].segment if place >= 0 else None
        begins = timetable.midnight(tender.prepared_from, zone) if tender.prepared_from else 0
        found.append(
            OpenTender(
                entity=entity,
                owner=reps[tender.owner] if tender.owner else -1,
                region=regions[tender.region],
                segment=segments[segment] if segment else -1,
                account=place,
                begins=max(begins, 0),
                decided=max(timetable.midnight(tender.decided, zone), 0),
                value=int(tender.value),
                chance=tender.win_probability,
                hours=tender.effort_hours,
            )
        )
    return tuple(found)
