"""What is sold and to whom: regions, segments, products, accounts, open opportunities, cash."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from scenarios.base import HOURS_OF_A_YEAR, Day, Fraction, Frozen, Id, Mix, Money, NonNegative, Positive, Probability
from scenarios.calendar import Weekday, spans_in_order
from scenarios.distributions import Distribution
from scenarios.funnel import Season, SeasonFollows


class Region(Frozen):
    """A sales region; empty calendar fields take the company's."""

    id: Id
    name: str = ""
    timezone: str | None = None
    hours: tuple[str, ...] | None = None
    workdays: tuple[Weekday, ...] | None = None
    holidays: tuple[Day, ...] = ()
    """Beside the company's."""
    working_days: tuple[Day, ...] = ()

    @field_validator("hours")
    @classmethod
    def _spans(cls, spans: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if spans is None else spans_in_order(spans)


class Segment(Frozen):
    """A kind of customer."""

    id: Id
    name: str = ""
    quality_logit: float = 0.0
    value_factor: Positive = 1.0


class Attachment(Frozen):
    """A cross-sell: this product goes along with the main one, with a probability."""

    product: Id
    probability: Probability


class Product(Frozen):
    """Something to sell; its value is drawn per deal, in currency units."""

    id: Id
    name: str = ""
    value: Distribution
    key: bool = False
    gross_margin: Probability | None = None
    attach: tuple[Attachment, ...] = ()


class Bundle(Frozen):
    """Products sold together at a discount."""

    id: Id
    name: str = ""
    products: tuple[Id, ...]
    price_factor: Positive = 1.0
    share: Probability = 0.0
    """Share of deals that are this bundle instead of a single product with what goes along."""

    @field_validator("products")
    @classmethod
    def _each_once(cls, products: tuple[str, ...]) -> tuple[str, ...]:
        if not products or len(set(products)) < len(products):
            raise ValueError("a bundle needs products, each named once")
        return products


class ExponentialCare(Frozen):
    """Sales a year = ceiling * (1 - exp(-rate * care hours)): concave."""

    form: Literal["exponential"] = "exponential"
    ceiling: Money
    rate_per_hour: Positive


class AdbudgCare(Frozen):
    """Sales a year = low + (high - low) * x**shape / (half + x**shape), x = care hours over today's (Little 1970)."""

    form: Literal["adbudg"] = "adbudg"
    low: Money
    high: Money
    shape: Positive
    half: Positive
    hours_now: Positive


CareResponse = Annotated[ExponentialCare | AdbudgCare, Field(discriminator="form")]


OrdersAYear = Annotated[float, Field(ge=0, le=100_000)]
CareHours = Annotated[float, Field(ge=0, le=HOURS_OF_A_YEAR)]


class Tier(Frozen):
    """A class of accounts: how often they order, how much, and what service they are owed."""

    id: Id
    name: str = ""
    rank: int = Field(default=0, ge=0)
    """0 is the most valuable."""
    orders_per_year: OrdersAYear
    order_value: Distribution
    potential: Money = 0
    care_hours_per_year: CareHours = 0.0
    churn_per_year: Probability = 0.0
    cross_sell: tuple[Attachment, ...] = ()
    """Products that an order of this tier also brings: its probability for the reference owner with the care owed."""
    products: Mix = Field(default_factory=dict)
    """What the orders are of, as weights; the value stays that of ``order_value``. Empty means not known."""


class AccountPhysics(Frozen):
    """How owner and care change an account's orders."""

    relationship_skill: Id = "relationship_management"
    rate_per_relationship_point: float = 0.004
    """Orders a year x (1 + this x (skill - reference))."""
    handover_loss: Probability = 0.15
    """Share of a year's orders lost in the first year after the owner changes (Shi et al. 2017: .13 to .18)."""
    care_elasticity: Probability = 0.3
    """Orders react to care given over care owed, to this power (Albers et al. 2010: mean .34)."""
    care_ratio_cap: float = Field(default=1.5, ge=1)
    season: Season = (1.0,) * 12
    season_follows: SeasonFollows = "calendar"
    order_effort_hours: Distribution
    care_visit_hours: Annotated[float, Field(ge=0.1)] = 2.0
    """Length of one care visit; the year's hours are split into visits of about this length."""
    owner_role: Id | None = None
    """Role that owns a won customer; empty means the rep who won it."""
    new_customer: Tier | None = None
    """What a won lead becomes; empty means it buys once."""


class Account(Frozen):
    """One existing customer."""

    id: Id
    name: str = ""
    tier: Id
    segment: Id | None = None
    region: Id
    city: str = ""
    industry: str = ""
    parent: Id | None = None
    owner: Id | None = None
    potential: Money | None = None
    """Empty means the tier's; zero is "no potential"."""
    orders_per_year: OrdersAYear | None = None
    care_hours: CareHours | None = None
    """Care planned today in hours a year; empty means what the tier is owed."""
    care_response: CareResponse | None = None
    """Sales as an explicit curve of care hours, instead of the elasticity."""
    sales_last: Money | None = None
    sales_before: Money | None = None
    protected_until: Day | None = None
    """No owner change before this day."""
    eligible: tuple[Id, ...] = ()
    """Reps who may own it; empty means every rep of its region whose role owns accounts."""


class Opportunity(Frozen):
    """One open opportunity at the start."""

    id: Id
    stage: Id
    owner: Id | None = None
    source: Id | None = None
    region: Id
    segment: Id | None = None
    product: Id | None = None
    account: Id | None = None
    created: Day
    entered_stage: Day | None = None
    """When the present stage began; empty means at creation."""
    value: Money | None = None
    """Empty means drawn from the product."""


class Tender(Frozen):
    """A single large deal that is won or lost on one known day."""

    id: Id
    name: str = ""
    owner: Id | None = None
    region: Id
    account: Id | None = None
    decided: Day
    value: Money
    win_probability: Probability
    effort_hours: NonNegative = 0.0
    """Hours of preparing, in blocks spread evenly over the days before the decision."""
    prepared_from: Day | None = None
    """First day of preparing; empty means the start of the horizon."""


class Instalment(Frozen):
    """A share of the signed value, due some days after signing."""

    share: Probability
    due_days: NonNegative


class Cash(Frozen):
    """When signed value becomes revenue and cash."""

    instalments: tuple[Instalment, ...] = (Instalment(share=1.0, due_days=0.0),)
    delay_days: Distribution | None = None
    """Customer's delay beyond the due date."""
    collection_probability: Probability = 1.0
    recognition: Literal["at_signing", "straight_line"] = "at_signing"
    recognition_months: int = Field(default=12, ge=1)
    vat_rate: Probability = 0.0
    """Customers pay value added tax on top of values without it: instalments and cash hold it, revenue never does."""

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Cash:
        total = sum(part.share for part in self.instalments)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"shares of the instalments must sum to 1, but sum to {total:g}")
        return self


class Motivation(Frozen):
    """How effort reacts to the distance from quota; off unless given.

    That reps coast once the quota is met is found by Misra and Nair (2011), that they give up far below it by Chung,
    Steenburgh and Sudhir (2014), that they push at the end of a period by Oyer (1998) and Larkin (2014). How much
    faster or slower they work, and from which point on, is assumed.
    """

    give_up_below: Probability = 0.4
    """Attainment over the share of the quota's period gone by, below which a rep gives up."""
    stretch_above: Probability = 0.7
    """The same, from which on a rep stretches."""
    coast_above: Positive = 1.0
    """Attainment of the whole quota from which on a rep coasts."""
    pace_change: float = Field(default=0.15, ge=0, le=0.9)
    """Giving up and coasting take this share off the pace, stretching adds it."""
    period_end_push: NonNegative = 0.0
    """Added to the pace in the last part of a quota's period by whoever neither gave up nor coasts."""
    push_share: Fraction = 0.1
    """How long that last part is, as a share of the period."""
    judged_after: Probability = 0.1
    """Share of a quota's period in which nobody gives up or stretches yet, since a single deal would decide it."""

    @model_validator(mode="after")
    def _points_in_order(self) -> Motivation:
        if not self.give_up_below <= self.stretch_above <= self.coast_above:
            points = f"{self.give_up_below:g}, {self.stretch_above:g}, {self.coast_above:g}"
            raise ValueError(f"give_up_below <= stretch_above <= coast_above must hold, but they are {points}")
        return self
