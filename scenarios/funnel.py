"""How leads come and what happens to them: sources, stages, routing, queues."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from scenarios.base import Day, Frozen, Id, Mix, Money, NonNegative, Positive, Probability
from scenarios.distributions import Distribution

Season = Annotated[tuple[NonNegative, ...], Field(min_length=12, max_length=12)]
"""Twelve monthly factors, January first; only their ratios count."""


SeasonFollows = Literal["calendar", "lunar_new_year"]
"""Whether January's and February's factors stand by the calendar or move with the new year (scenarios.lunar)."""


class SupportNeed(Frozen):
    """A support resource held from the start of the work, for its own effort."""

    resource: Id
    effort_hours: Distribution


class Recycle(Frozen):
    """A cold lead comes back to the same stage after a rest."""

    probability: Probability
    rest_days: Distribution
    max_times: int = Field(default=1, ge=1, le=100)


class Stage(Frozen):
    """One step of the funnel, worked by one role.

    A lead waits in its rep's queue (``patience_days``), is worked (``effort_hours``, the rep's working time), then
    the customer takes ``delay_days``; the answer then is *advance* with the converted probability, else *lost*.
    """

    id: Id
    name: str = ""
    role: Id = "rep"
    effort_hours: Distribution
    delay_days: Distribution | None = None
    """Customer's time from the end of work to the answer; empty means at once."""
    loss_delay_days: Distribution | None = None
    """Customer's time to a "no" where it runs on another clock; empty means the same clock."""
    conversion: Probability | None = None
    """Chance to advance for a rep at the reference skill and a lead of quality 0; empty only after the win."""
    after_win: bool = False
    """Work owed after the sale: it takes hours and decides nothing."""
    skill_weights: dict[Id, NonNegative] = Field(default_factory=dict)
    """Weights of the skills in this stage; empty means all alike."""
    patience_days: Distribution | None = None
    """A lead waiting longer than this goes cold; empty means it waits for ever."""
    when_cold: Literal["lost", "pool"] = "lost"
    recycle: Recycle | None = None
    activities: dict[Id, NonNegative] = Field(default_factory=dict)
    """Activities logged for each service: visits, talk_hours, proposals, ..."""
    support: SupportNeed | None = None

    @model_validator(mode="after")
    def _conversion_where_it_decides(self) -> Stage:
        if self.after_win and self.conversion is not None:
            raise ValueError("a stage after the win decides nothing: leave conversion empty or set after_win: false")
        if not self.after_win and self.conversion is None:
            raise ValueError("conversion must be given for a stage that decides; set after_win: true if it does not")
        return self


class Source(Frozen):
    """Where leads come from."""

    id: Id
    name: str = ""
    leads_per_year: Annotated[float, Field(ge=0, le=3_650_000)]
    """Expected leads in 365 days at the average season."""
    season: Season = (1.0,) * 12
    season_follows: SeasonFollows = "calendar"
    weekday_factors: Annotated[tuple[NonNegative, ...], Field(min_length=7, max_length=7)] = (1.0,) * 7
    """Monday first; only the ratios count."""
    dispersion: float = Field(default=1.0, ge=1, le=1e6)
    """Variance over mean of the daily count: 1 is Poisson, real sources show 5 to 14."""
    arrival_hours: tuple[NonNegative, NonNegative] = (8.0, 20.0)
    """Local hours of the day within which leads arrive, evenly."""
    first_day: Day | None = None
    last_day: Day | None = None
    regions: Mix = Field(default_factory=dict)
    """Weights by region; empty means all alike."""
    segments: Mix = Field(default_factory=dict)
    products: Mix = Field(default_factory=dict)
    """Product interest; empty means all alike."""
    quality_logit: float = 0.0
    """Added to the logit of every stage's conversion for these leads."""
    value_factor: Positive = 1.0
    cost_per_lead: Money = 0
    first_stage: Id | None = None
    """Where these leads enter the funnel; empty means the first stage."""

    @model_validator(mode="after")
    def _hours_make_a_window(self) -> Source:
        low, high = self.arrival_hours
        if not low < high <= 24:
            raise ValueError(f"0 <= first hour < last hour <= 24 must hold, but got arrival_hours=({low}, {high})")
        if sum(self.season) <= 0 or sum(self.weekday_factors) <= 0:
            raise ValueError("season and weekday_factors need at least one positive factor")
        return self


RoutingPolicy = Literal["even", "round_robin", "least_loaded", "territory", "skill_based", "owner", "pool"]


class Routing(Frozen):
    """Who gets a lead, among reps of the stage's role who serve its region."""

    policy: RoutingPolicy = "even"
    by_source: dict[Id, RoutingPolicy] = Field(default_factory=dict)
    same_rep: bool = True
    """The rep of the last stage of the same role keeps the lead; else each stage is routed anew."""
    across_regions: bool = False
    """Whether reps may serve leads of other regions."""
    return_to_pool_days: Positive | None = None
    """A lead unworked this long goes back to the public pool."""


QueueDiscipline = Literal["fifo", "late_stage_first", "value_first", "tier_first"]


class CreditSplit(Frozen):
    """How a deal's credit is divided between the roles that worked it; shares sum to 1."""

    shares: dict[Id, Probability]
