"""What the generator of invented companies needs to know, as small tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RegionRow:
    """A region, its share of all leads and its cities."""

    id: str
    name: str
    share: float
    cities: tuple[str, ...]


@dataclass(frozen=True)
class TeamRow:
    """A team, its region and its manager."""

    id: str
    name: str
    region: str
    manager: str


@dataclass(frozen=True)
class RepRow:
    """A rep: overall skill, accounts owned by tier (A, B, C), last sales and quota in thousands of CNY."""

    id: str
    name: str
    team: str
    level: str
    skill: float
    accounts: tuple[int, int, int]
    last_sales: int | None
    quota: int | None
    lead_weight: float = 1.0
    hired: str | None = None


@dataclass(frozen=True)
class SourceRow:
    """A lead source: leads a year, logit shift, CNY a lead, season by month."""

    id: str
    name: str
    leads: float
    quality: float
    cost: float
    season: tuple[float, ...]
    weekdays: tuple[float, ...]


@dataclass(frozen=True)
class StageRow:
    """A stage: chance to advance, hours of work, days of the customer's delay and patience, skill weights."""

    id: str
    name: str
    conversion: float | None
    hours: float
    delay: float | None
    patience: float | None
    weights: tuple[float, float, float, float, float]
    activities: dict[str, float]
    open: int = 0
    """Open opportunities at the start, for a company of twelve reps."""


@dataclass(frozen=True)
class TierRow:
    """A class of accounts: orders a year, CNY an order, potential, hours of care a year, churn a year."""

    id: str
    name: str
    orders: float
    value: float
    potential: float
    care: float
    churn: float


@dataclass(frozen=True)
class Blueprint:
    """An invented company: its people and its size; stages, tiers and products are those of ``starter_tables``.

    Attributes:
        presales: people of the presales desk; 0 leaves the desk out.
        under_served: care hours a year that a rep gives each C account, where it is less than owed.
        stand_in: who looks after the accounts of a rep that is not hired at the start.
        provenance: where its parameters come from, rows of that table.
        target: the company's revenue target in thousands of CNY.
        training_hours: budget of training hours.
        max_moves: how many accounts may change owner.
    """

    name: str
    description: str
    seed: int
    regions: tuple[RegionRow, ...]
    teams: tuple[TeamRow, ...]
    reps: tuple[RepRow, ...]
    sources: tuple[SourceRow, ...]
    presales: int
    target: int
    training_hours: float
    max_moves: int
    under_served: tuple[tuple[str, float], ...] = ()
    stand_in: tuple[tuple[str, str], ...] = ()
    provenance: tuple[dict[str, str], ...] = ()
