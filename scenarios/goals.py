"""What the company wants and what a fair plan must respect."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from scenarios.account_rules import AccountRule
from scenarios.base import Day, Frozen, Id, Minor, Money, NonNegative, Probability
from scenarios.lead_decisions import LeadDecisions

MoneyMetric = Literal["revenue", "key_product_revenue", "cash_collected", "cash_due", "gross_margin"]
CountMetric = Literal["new_customers", "orders"]
RatioMetric = Literal["key_product_share", "average_order_value", "collection_rate"]
Metric = Literal[MoneyMetric, CountMetric, RatioMetric]
Level = Literal["floor", "target", "stretch"]
LEVELS: tuple[Level, ...] = ("floor", "target", "stretch")

MOST_TRAINING_STEPS = 500
"""Amounts of training among which a plan may choose for one rep and skill."""

MONEY_METRICS: frozenset[str] = frozenset(
    {"revenue", "key_product_revenue", "cash_collected", "cash_due", "gross_margin"}
)
RATIO_METRICS: dict[str, tuple[str, str]] = {
    "key_product_share": ("key_product_revenue", "revenue"),
    "average_order_value": ("revenue", "orders"),
    "collection_rate": ("cash_collected", "cash_due"),
}
"""Each ratio metric as numerator and denominator; a team's ratio is the ratio of sums."""


class TargetFormula(Frozen):
    """Target = base x (1 + growth - attrition relief), growth and relief held inside their bounds."""

    base: Literal["last_sales", "last_quota"] = "last_sales"
    growth: float
    growth_min: float = 0.0
    growth_max: float = 0.25
    attrition_relief: NonNegative = 0.0
    attrition_relief_max: NonNegative = 0.05

    @model_validator(mode="after")
    def _bounds_in_order(self) -> TargetFormula:
        if self.growth_min > self.growth_max:
            raise ValueError(f"growth_min <= growth_max must hold, but got {self.growth_min:g} and {self.growth_max:g}")
        return self

    def factor(self) -> float:
        """What the base is multiplied by."""
        growth = min(max(self.growth, self.growth_min), self.growth_max)
        return 1.0 + growth - min(self.attrition_relief, self.attrition_relief_max)


class Target(Frozen):
    """A company or team target for one metric over one period (default: the horizon)."""

    metric: Metric
    team: Id | None = None
    first_day: Day | None = None
    end: Day | None = None
    """First day after the period."""
    target: NonNegative | None = None
    """Currency units, a count, or a ratio, as the metric asks."""
    formula: TargetFormula | None = None
    floor: NonNegative | None = None
    stretch: NonNegative | None = None
    weight: NonNegative | None = None
    """Weight of the metric's attained share in the objective; empty means 1 for revenue and 0 for the others."""

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Target:
        if (self.target is None) == (self.formula is None):
            raise ValueError("exactly one of target and formula must be given")
        if self.formula is not None and self.metric != "revenue":
            raise ValueError(f"a formula is only for the metric revenue, got {self.metric}")
        levels = [level for level in (self.floor, self.target, self.stretch) if level is not None]
        if levels != sorted(levels):
            raise ValueError(f"floor <= target <= stretch must hold, but got {levels}")
        return self

    @property
    def minor(self) -> Minor:
        """A given money target in minor units."""
        if self.target is None:
            raise ValueError("the target is given by a formula")
        return Minor.of(self.target)


class _Rule(Frozen):
    enabled: bool = True
    exempt: tuple[Id, ...] = ()
    """Reps whom this rule leaves out."""


_Kind = TypeVar("_Kind", bound=_Rule)


class PotentialBand(_Rule):
    """Quota over potential stays within this share of the company's quota over potential."""

    rule: Literal["potential_band"] = "potential_band"
    tolerance: NonNegative = 0.25


class GrowthLimits(_Rule):
    """Quota against the rep's last sales; reps without a full last period, or who leave on the way, are left out."""

    rule: Literal["growth"] = "growth"
    floor: float | None = 0.0
    cap: float | None = 0.25


class MinimumAttainment(_Rule):
    """Each rep's capped attainment E[min(S, q)] is at least this share of the quota."""

    rule: Literal["min_expected_attainment"] = "min_expected_attainment"
    share: Probability = 0.7


class MinimumChance(_Rule):
    """Each rep who is not ramping has at least this chance to make quota."""

    rule: Literal["min_chance"] = "min_chance"
    chance: Probability = 0.35


class Workload(_Rule):
    """Hours that accounts and leads ask for, as a share of selling hours."""

    rule: Literal["workload"] = "workload"
    maximum: NonNegative = 0.95
    minimum: NonNegative = 0.0


class TrainingFloor(_Rule):
    """Each rep gets at least this many training hours."""

    rule: Literal["training_floor"] = "training_floor"
    hours: NonNegative = 8.0


class EqualOdds(_Rule):
    """Everyone's chance to make quota lies within a band of this width."""

    rule: Literal["equal_odds"] = "equal_odds"
    width: Probability = 0.2


class Spread(_Rule):
    """Largest minus smallest quota over potential, both as they are (0.8 and 0.7 lie 0.1 apart)."""

    rule: Literal["spread"] = "spread"
    maximum: NonNegative = 0.5


class WorstOff(_Rule):
    """Capped attainment of the worst-off share of reps (CVaR): what they sell within their quotas over their quotas."""

    rule: Literal["worst_off"] = "worst_off"
    share: Probability = 0.2
    minimum: Probability = 0.7


class GiniBound(_Rule):
    """Gini index of quota over potential."""

    rule: Literal["gini"] = "gini"
    maximum: Probability = 0.1


TENURE_YEARS = (1, 3)
"""Tenure groups: under one year, one to three, more; whoever has no date of hiring is of the last."""


class GroupParity(_Rule):
    """Quota over potential of each group, sum over sum, stays within this share of the company's."""

    rule: Literal["group_parity"] = "group_parity"
    by: Literal["team", "region", "tenure", "level"] = "team"
    tolerance: NonNegative = 0.1


FairnessRule = Annotated[
    PotentialBand
    | GrowthLimits
    | MinimumAttainment
    | MinimumChance
    | Workload
    | TrainingFloor
    | EqualOdds
    | Spread
    | WorstOff
    | GiniBound
    | GroupParity,
    Field(discriminator="rule"),
]

DEFAULT_RULES: tuple[FairnessRule, ...] = (PotentialBand(), GrowthLimits(), MinimumChance(), Workload())


class TrainingBudget(Frozen):
    """What training may cost; zero hours means that training is not a decision."""

    budget_hours: NonNegative = 0.0
    budget_money: Money | None = None
    per_rep_hours: NonNegative = 60.0
    step_hours: float = Field(default=4.0, gt=0)
    skills: tuple[Id, ...] = ()
    """Skills on offer; empty means all but the learning skill."""
    trainer_hours_per_period: NonNegative | None = None

    @model_validator(mode="after")
    def _steps_can_be_counted(self) -> TrainingBudget:
        steps = self.per_rep_hours / self.step_hours
        if steps > MOST_TRAINING_STEPS:
            raise ValueError(
                f"per_rep_hours / step_hours must be at most {MOST_TRAINING_STEPS}, but "
                f"per_rep_hours={self.per_rep_hours:g} and step_hours={self.step_hours:g} make {steps:g} steps"
            )
        return self


class AccountDecisions(Frozen):
    """Which accounts may change owner, and whether care hours are a decision."""

    max_moves: int | None = Field(default=None, ge=0)
    max_moves_share: Probability = 0.10
    """Of all accounts, where max_moves is empty."""
    movable_tiers: tuple[Id, ...] = ()
    """Empty means all."""
    protect_stages: tuple[Id, ...] = ()
    """An account with an open opportunity in one of these stages stays."""
    max_accounts_per_rep: int | None = Field(default=None, ge=0)
    care_hours_budget: NonNegative | None = None
    """Total care hours a year to hand out; empty means care stays as planned."""
    rules: tuple[AccountRule, ...] = ()
    """Who may take which account over, and how many of a tier; within a region unless ``same_region`` is off."""


class Lock(Frozen):
    """A figure fixed by a person; the plan is solved around it."""

    path: str
    """``quota.E1``, ``quota.E1.orders.2026-03-01``, ``owner.A03``, ``training.E1.negotiation``, ``care.A03`` or
    ``share.web.E1``."""
    value: float | str
    author: str = ""
    reason: str = ""
    time: str = ""


class Allocation(Frozen):
    """Everything the allocator is allowed and obliged to do."""

    over_assignment: float = Field(default=0.0, ge=0, le=1)
    """Quotas sum to target x (1 + this)."""
    rounding_step: Money = Minor(1_000_00)
    mode: Literal["joint", "two_stage", "maximin", "alpha", "equal_odds", "even_load"] = "joint"
    """``two_stage``: owners and training for sales, then quotas for the largest sum; ``maximin``: the same, but quotas
    that leave the worst-off as well off as can be, then the next, and so on; ``alpha``: between the two, by ``alpha``.
    ``equal_odds``: everybody has the same chance to make quota; rules that bound quotas otherwise are set aside.
    ``even_load``: as ``two_stage``, but with no more hours of care than the floors of targets need: the busiest person
    is as little busy as can be, then the next."""
    alpha: float = Field(default=1.0, ge=0, le=20)
    """Of the mode ``alpha``: 0 is ``two_stage``, 1 proportional fairness, large values come near ``maximin``."""
    quota_basis: Literal["full", "blend", "opportunity"] = "full"
    """Whether quotas follow the simulated person (full), the territory alone (opportunity), or half of each."""
    rules: tuple[FairnessRule, ...] = DEFAULT_RULES
    training: TrainingBudget = TrainingBudget()
    accounts: AccountDecisions = AccountDecisions()
    leads: LeadDecisions = LeadDecisions()
    locks: tuple[Lock, ...] = ()

    @field_validator("rounding_step")
    @classmethod
    def _step_is_one(cls, step: Minor) -> Minor:
        if step == 0:
            raise ValueError("a step of 0 rounds nothing; the smallest is 0.01")
        return step

    def enabled(self, kind: type[_Kind]) -> _Kind | None:
        """The first rule of a kind that is not switched off, if there is one."""
        return next((rule for rule in self.rules if isinstance(rule, kind) and rule.enabled), None)


class Commitment(Frozen):
    """What a rep or a team says it will carry, in one round of the bottom-up talks."""

    round: int = Field(ge=1)
    rep: Id | None = None
    team: Id | None = None
    metric: Metric = "revenue"
    level: Level = "target"
    value: NonNegative
    """Currency units, a count, or a ratio, as the metric asks."""
    author: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _of_one(self) -> Commitment:
        if (self.rep is None) == (self.team is None):
            raise ValueError("exactly one of rep and team must be given")
        return self


class Goals(Frozen):
    """Company and team targets."""

    targets: tuple[Target, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    """Rounds of bottom-up commitment, shown beside the proposal."""
    history_growth: float = 0.0
    """Growth that today's quotas assume where none are given: last sales x (1 + this)."""
    last_new_customers: int | None = Field(default=None, ge=0)
    """New customers won in the period of the same length before; their growth is measured against it."""

    def company(self, metric: str = "revenue") -> Target | None:
        """The company target of a metric over the horizon, if one is set."""
        for target in self.targets:
            if target.metric == metric and target.team is None and target.first_day is None and target.end is None:
                return target
        return None

    def covering(self, metric: str, start: Day, end: Day) -> tuple[Target, ...]:
        """Company targets of parts of the horizon that follow on each other and together cover it; empty if none do."""
        parts = [target for target in self.targets if target.metric == metric and target.team is None]
        chain: list[Target] = []
        day = start
        while day < end:
            begun = [(target.end or end, target) for target in parts if (target.first_day or start) == day]
            if not begun:
                return ()
            day, longest = max(begun, key=lambda entry: entry[0])
            chain.append(longest)
        return tuple(chain)
