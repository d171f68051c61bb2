"""What a report shows, as plain numbers: one frozen value a block, nothing left to compute but layout.

Amounts are minor units. Amounts that a page adds up are ints (quotas, last sales, sales at risk); means over simulated
years are floats or :class:`~sim.interval.Interval`. Shares are fractions, 0.44 for 44 %. ``None`` is "not known", which
a page shows as a dash; it is never zero.

Texts written by people or data (names, accounts, reasons) are escaped by the templates. Fields marked ``KEY`` hold keys
of the word table instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from experiments.fairness_audit import FairnessAudit
from experiments.parameter_error import ErrorSources
from experiments.report.details import KEY, Assumption, AuditRow, Handed, Move, PlanRow, Promise, WhatIf
from experiments.report.loop import LoopPage
from experiments.words import table, word
from history.diagnosis.care import Care
from history.diagnosis.finding import Finding
from optimize.bases import BasisRow
from scenarios.errors import InputRefused, Problem
from sim.interval import Interval, Strength, strength

People = Literal["named", "pseudonym", "aggregate"]
# Means are sums of float; what ties in exact arithmetic may differ by this many minor units.
_TIE = 1.0


def sureness(difference: Interval) -> Strength | Literal["equal"]:
    """How surely a difference is not zero; *equal* where it is zero by construction and nothing was inferred."""
    if difference.low == difference.estimate == difference.high == 0:
        return "equal"
    return strength(difference)


@dataclass(frozen=True)
class Strip:
    """Block 0: what the figures are about.

    Attributes:
        last_day: the last day inside the period.
        basis: what counts as sales: ``signed``, ``recognised`` or ``cash``.
        plan_version: first digits of the hash of the plan's decisions.
        target: company target over the period, minor units; None where none is set.
    """

    company: str
    first_day: date
    last_day: date
    currency: str
    vat_included: bool
    data_date: str
    invented: bool
    plan_name: str
    plan_version: str
    target: int | None
    basis: str = field(default="signed", metadata=KEY)


@dataclass(frozen=True)
class Headline:
    """One side of the tiles of block 2: today's plan, or the plan.

    Attributes:
        expected: mean sales of the company over simulated years.
        low, high: P10 and P90 of a single year.
        target_chance: chance that the company makes its target.
        hit_rate: mean share of reps at or above quota.
        attainment: mean over reps of sales / quota, uncapped.
        widest_gap: largest distance of a rep's quota/potential from the company's, as a share of the company's.
        sales_at_risk: expected sales of the first year that the plan's account moves put at risk.
    """

    expected: Interval
    low: float
    high: float
    target_chance: Interval | None
    hit_rate: Interval | None
    attainment: Interval | None
    widest_gap: float | None
    sales_at_risk: float | None


@dataclass(frozen=True)
class BackCast:
    """Last year replayed by the model against what happened."""

    replayed: int
    actual: int
    months_inside: int
    months: int


@dataclass(frozen=True)
class HowSure:
    """Block 3.

    Attributes:
        luck: P10 and P90 of a single year under the plan with all parameters as given.
        parameters: P10 and P90 of the *mean* over plausible parameter values; None where this was not assessed.
        chance_ahead: share of plausible worlds in which the plan expects to beat the best simple rule.
        years: simulated years behind the figures.
        error_cost: what parameter errors change of the plan's expected sales on average, as a share of them; None
            where this was not assessed.
        gain_left: the gain over the best simple rule when parameters err; None where not assessed, or where plan and
            rule are one simulation.
        error_sources: where the spreads of the errors come from.
    """

    luck: tuple[float, float]
    parameters: tuple[float, float] | None
    chance_ahead: float | None
    back_cast: BackCast | None
    years: int
    error_cost: Interval | None = None
    gain_left: Interval | None = None
    error_sources: ErrorSources = field(default_factory=ErrorSources)


@dataclass(frozen=True)
class GainColumn:
    """Where the plan's sales come from, against one reference plan; paired over the same simulated years.

    Quotas are here only where people respond to them: else re-cutting them moves no sales.

    Attributes:
        reference: a kind of :class:`~experiments.report.details.PlanRow`.
        parts: ``quotas``, ``accounts``, ``training``, ``leads``: what each brings; one that does not differ may be
            absent.

    Raises:
        InputRefused: the parts do not sum to the total.
    """

    reference: str = field(metadata=KEY)
    parts: tuple[tuple[str, Interval], ...] = field(metadata=KEY)
    total: Interval

    def __post_init__(self) -> None:
        rest = self.total.estimate - sum(part.estimate for _, part in self.parts)
        if abs(rest) > _TIE:
            where, value = f"gain against {self.reference}", f"{rest:g} minor units left over"
            raise InputRefused(Problem(where, value, "the parts must sum to the total"))

    def part(self, name: str) -> Interval | None:
        """One part; None where it does not differ."""
        return dict(self.parts).get(name)


@dataclass(frozen=True)
class Gain:
    """Block 4: against the best simple rule first, today's plan second.

    Attributes:
        rule_over_today: what the best simple rule itself sells more than today's plan.
    """

    against_rule: GainColumn
    against_today: GainColumn
    rule_over_today: Interval


@dataclass(frozen=True)
class RepRow:
    """One rep: a row of block 5 and, with the rest, a card of page 2.

    Attributes:
        chance: to make the quota under the plan; ``chance_today`` to make today's quota under today's plan.
        expected: mean sales under the plan, ``low`` and ``high`` P10 and P90.
        busy, available: mean selling hours used and there.
        gains, losses: accounts that come and go.
        training: hours by skill.
        waterfall: (factor, minor units) pairs that sum to the quota.
        basis: the quota by the territory alone, half and half, and by the person; None where not all of them exist.
    """

    id: str
    name: str
    team: str
    last_sales: int | None
    quota_today: int | None
    quota: int | None
    potential: int | None
    chance: Interval | None
    chance_today: Interval | None
    expected: float
    low: float
    high: float
    busy: float
    available: float
    gains: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    training: tuple[tuple[str, float], ...] = field(default=(), metadata=KEY)
    waterfall: tuple[tuple[str, int], ...] = field(default=(), metadata=KEY)
    basis: BasisRow | None = None
    ramping: bool = False
    hired: date | None = None

    def __post_init__(self) -> None:
        bars = sum(value for _, value in self.waterfall)
        if self.waterfall and bars != self.quota:
            raise InputRefused(
                Problem(f"waterfall of {self.id}", str(bars), f"bars must sum to the quota, {self.quota}, to the cent")
            )

    @property
    def workload(self) -> float | None:
        """Hours used over hours there."""
        return self.busy / self.available if self.available > 0 else None

    @property
    def training_hours(self) -> float:
        """Hours over all skills."""
        return sum(hours for _, hours in self.training)


@dataclass(frozen=True)
class Trade:
    """A row of block 6: quotas scaled to sum to ``share`` of the company target.

    Attributes:
        target_chance: that the company makes its target.
        sum_chance: that its sales reach the quota sum.
    """

    share: float
    quota_sum: int
    hit_rate: float
    target_chance: float
    sum_chance: float
    is_plan: bool = False


@dataclass(frozen=True)
class ReportInput:
    """Everything that the pages show.

    Attributes:
        over_assignment: quotas sum to target x (1 + this).
        quota_basis: ``full``, ``blend`` or ``opportunity``.
        quotas_move_sales: whether people respond to their quotas.
        handed: shares of new leads that differ from today's, the largest changes of each source first.
        care_changes: accounts that get other care hours than are planned today.
        early_share: share of the year's sales in January and February together; None where months are not kept.
        accounts: how many accounts there are.
        training_cost: of all hours in the plan, minor units.
        workload_limit, chance_floor: of the fairness rules; None where a rule is off.
        fairness: of the plan on its simulated years; None where there are not two people to compare.
        manifest: versions, seed, hashes: (label, value).
        loop: rounds, proof and stress test; None where the plan was made in one pass.
    """

    strip: Strip
    today: Headline
    plan: Headline
    how_sure: HowSure
    gain: Gain
    reps: tuple[RepRow, ...]
    trades: tuple[Trade, ...]
    plans: tuple[PlanRow, ...]
    promise: Promise
    over_assignment: float
    quota_basis: str = field(metadata=KEY)
    accounts: int
    training_cost: int
    moves: tuple[Move, ...] = ()
    handed: tuple[Handed, ...] = ()
    care: tuple[Care, ...] = ()
    care_changes: int = 0
    early_share: float | None = None
    workload_limit: float | None = None
    chance_floor: float | None = None
    findings: tuple[Finding, ...] = ()
    what_ifs: tuple[WhatIf, ...] = ()
    audit: tuple[AuditRow, ...] = ()
    fairness: FairnessAudit | None = None
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()
    manifest: tuple[tuple[str, str], ...] = ()
    loop: LoopPage | None = None
    quotas_move_sales: bool = False

    @property
    def quota_sum(self) -> int:
        """Of the plan, exact."""
        return sum(rep.quota for rep in self.reps if rep.quota is not None)

    @property
    def training_hours(self) -> float:
        """Of the plan, all reps and skills."""
        return sum(rep.training_hours for rep in self.reps)

    @property
    def rule_outside(self) -> bool:
        """Whether no simple rule is within the fairness rules: then the nearest is shown, and decides nothing."""
        shown = self.gain.against_rule.reference
        return any(row.kind == shown and not row.within_rules for row in self.plans)

    def rule_name(self, language: str) -> str:
        """The best simple rule in words."""
        kind = self.gain.against_rule.reference
        return word(f"plan.{kind}", language) if f"plan.{kind}" in table() else kind
