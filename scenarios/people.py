"""Who sells: skills, levels, training, ramp, teams, roles, reps and support resources."""

from __future__ import annotations

from itertools import dropwhile
from typing import Annotated, Literal

from pydantic import Field, field_validator

from scenarios.base import Day, Frozen, Id, Money, NonNegative, Positive, Probability, Score

DEFAULT_SKILLS = (
    "product_knowledge",
    "negotiation",
    "relationship_management",
    "market_insight",
    "learning_ability",
)


class Level(Frozen):
    """A named skill profile (grade) with its yearly cost."""

    id: Id
    name: str = ""
    skills: dict[Id, Score]
    cost_per_year: Money = 0
    effort_factor: Positive = 1.0
    """Multiplies the effort of every task, beside what skill already changes."""


class Training(Frozen):
    """How training hours raise a skill: a saturating curve, scaled by the rep's learning ability."""

    max_gain_points: NonNegative = 12.0
    hours_scale: Positive = 83.0
    """Hours after which 63 % of the possible gain is reached."""
    learning_skill: Id = "learning_ability"
    session_hours: Annotated[float, Field(ge=0.1)] = 4.0
    """Length of one session; the hours of a period are laid out in sessions spread over its working days."""
    cost_per_hour: Money = 0
    decay_per_month: Probability = 0.0
    """Share of each skill's gain that is forgotten at the beginning of each month."""


class Ramp(Frozen):
    """A new hire's pace by month of tenure, as a share of full pace; full afterwards."""

    pace_by_month: tuple[NonNegative, ...] = (0.25, 0.5, 0.75)

    @field_validator("pace_by_month")
    @classmethod
    def _no_work_at_first_only(cls, paces: tuple[float, ...]) -> tuple[float, ...]:
        begun = list(dropwhile(lambda pace: pace == 0, paces))
        if not all(begun):
            raise ValueError("0 is for the first months only: later months need a pace above 0, or leave in absences")
        return paces


class SkillPhysics(Frozen):
    """How skill acts: logit(conversion) shifts and effort shrinks with the weighted skill above the reference."""

    dimensions: tuple[Id, ...] = DEFAULT_SKILLS
    reference: Score = 60.0
    conversion_logit_per_point: float = 0.010
    effort_log_per_point: float = 0.012
    """Each point above the reference divides effort by exp(this)."""
    levels: tuple[Level, ...] = ()
    training: Training = Training()
    ramp: Ramp = Ramp()


class Role(Frozen):
    """A kind of rep; a stage names the role that works it."""

    id: Id
    name: str = ""
    overlay: bool = False
    """Credited beside the owner of a deal (product specialists, alliance managers)."""


class Team(Frozen):
    """Reps under one manager, in one region."""

    id: Id
    name: str = ""
    region: Id
    manager: str = ""


class Absence(Frozen):
    """Personal leave: both dates are inside it."""

    rep: Id
    first: Day
    last: Day


class Transfer(Frozen):
    """A rep changes team; targets and credit are split by the days before and after."""

    rep: Id
    team: Id
    first_day: Day


class Accelerator(Frozen):
    """Above this attainment each unit of sales earns the factor times the base rate."""

    above_attainment: NonNegative
    factor: Positive


class Pay(Frozen):
    """The variable part of pay, for the cost of sales."""

    share_at_target: Probability = 0.0
    """Variable pay at exactly the quota, as a share of the yearly cost."""
    accelerators: tuple[Accelerator, ...] = ()


class Rep(Frozen):
    """One sales rep. Dates are local; an empty ``hired`` means before the start."""

    id: Id
    name: str = ""
    team: Id
    region: Id | None = None
    """Defaults to the team's region."""
    role: Id = "rep"
    level: Id | None = None
    skills: dict[Id, Score] = Field(default_factory=dict)
    """Own values, over those of the level."""
    effort_factor: Positive = 1.0
    conversion_logit: dict[Id, float] = Field(default_factory=dict)
    """Measured effect per stage id on the logit scale, beside skill; calibration writes it, shrunken."""
    hours_per_week: Positive | None = None
    """Paid hours; empty means the calendar's full week."""
    hired: Day | None = None
    leaves: Day | None = None
    """First day no longer employed."""
    successor: Id | None = None
    """Who takes over open work and accounts; empty means routed anew within the team."""
    lead_weight: NonNegative = 1.0
    """Share of new leads against the colleagues' weights under even routing."""
    cost_per_year: Money | None = None
    """Empty means the level's cost."""
    potential: Money | None = None
    """Territory potential of the horizon; empty means computed from leads and accounts."""
    last_sales: Money | None = None
    last_quota: Money | None = None
    quota: Money | None = None
    """Today's revenue quota for the whole horizon; empty is "not given", zero is zero."""
    attrition_per_year: Probability = 0.0
    """Chance to leave within a year, at a constant hazard, beside a known date; the earlier leaving counts."""
    replacement_delay_days: NonNegative | None = None
    """Days after which a new hire of the rep's level fills the seat of whoever left; empty means never."""
    quota_credit: Probability = 1.0


class SupportResource(Frozen):
    """People that a stage needs jointly with the rep (presales, legal, ...)."""

    id: Id
    name: str = ""
    people: int = Field(ge=1)
    region: Id | None = None
    selling_share: float = Field(default=1.0, gt=0, le=1)
    kind: Literal["joint"] = "joint"
