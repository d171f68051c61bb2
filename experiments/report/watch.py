"""What to watch and what to ask, by rule from the figures of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from experiments.report.decision import over_target
from experiments.report.input import ReportInput, RepRow
from experiments.report.wording import Wording, rep_label, short
from history.diagnosis.care import LITTLE_CARE

IMPLAUSIBLE_GAIN = 0.08
"""Over the best simple rule; published gains from reallocation are 2 to 8 % of sales."""
OPTIMISM_WORTH_A_WORD = 0.03
LOADED = 0.90
MOST_WATCH_OUTS = 5
MOST_QUESTIONS = 3
_NAMED = 2
_NAME = 12


@dataclass(frozen=True)
class Question:
    """Something that only the reader can decide, with what the plan took for granted."""

    text: str
    answer: str


def watch_outs(given: ReportInput, say: Wording, *, persons: bool = True) -> list[str]:
    """At most five warnings, the gravest first; without those on single persons where these are withheld."""
    found = _about_the_figures(given, say)
    if persons:
        found += _about_persons(given, say)
    found += _about_the_year(given, say)
    return found[:MOST_WATCH_OUTS] or [say.t("watch.nothing")]


def _about_the_figures(given: ReportInput, say: Wording) -> list[str]:
    found = []
    over_rule = given.gain.against_rule.total
    base = given.plan.expected.estimate - over_rule.estimate
    if base > 0 and over_rule.estimate / base > IMPLAUSIBLE_GAIN:
        found.append(say.t("watch.implausible", gain=say.percent(over_rule.estimate / base, 1)))
    optimism = given.promise.gap
    if optimism > OPTIMISM_WORTH_A_WORD:
        low, high = (say.percent(end, 1) for end in given.promise.gap_ends)
        found.append(say.t("watch.optimism", gap=say.percent(optimism, 1), low=low, high=high))
    broken = sorted({say.known("rule", row.rule) for row in given.audit if not row.kept})
    if broken:
        found.append(say.t("watch.broken", what=say.list(broken)))
    return found


def _about_persons(given: ReportInput, say: Wording) -> list[str]:
    found = []
    over = [rep for rep in given.reps if overloaded(rep, given)]
    near = [rep for rep in given.reps if loaded(rep, given)]
    odds = [rep for rep in given.reps if long_odds(rep, given)]
    if over:
        limit = say.percent(given.workload_limit)
        found.append(say.t("watch.overloaded", who=_with_shares(over, say, "workload"), limit=limit))
    if near:
        found.append(say.t("watch.loaded", who=_with_shares(near, say, "workload")))
    if odds:
        floor = say.percent(given.chance_floor)
        found.append(say.t("watch.odds", who=_with_shares(odds, say, "chance"), floor=floor))
    found += [_ramping(given, say)] if any(rep.ramping for rep in given.reps) else []
    little = sorted((row for row in given.care if row.share < LITTLE_CARE), key=lambda row: row.share)
    if little:
        least, count = little[0], sum(row.accounts for row in little)
        share, limit, who = say.percent(least.share), say.percent(LITTLE_CARE), short(least.owner)
        found.append(say.t("watch.under_served", accounts=count, limit=limit, tier=least.tier, who=who, share=share))
    capped = [rep for rep in given.reps if growth_capped(rep, given)]
    if capped:
        found.append(say.t("watch.cap", who=_names(capped, say)))
    return found


def _about_the_year(given: ReportInput, say: Wording) -> list[str]:
    found = []
    if given.early_share is not None and given.early_share < 2 / 12 * 0.9:
        found.append(say.t("watch.early", share=say.percent(given.early_share)))
    if given.assumptions:
        found.append(say.t("watch.assumed", count=len(given.assumptions)))
    return found


def _ramping(given: ReportInput, say: Wording) -> str:
    return say.t("watch.ramping", who=_names([rep for rep in given.reps if rep.ramping], say))


def _names(reps: list[RepRow], say: Wording) -> str:
    return say.list([short(rep_label(rep), _NAME) for rep in reps], _NAMED)


def _with_shares(reps: list[RepRow], say: Wording, figure: Literal["workload", "chance"]) -> str:
    shares = {
        rep.id: rep.workload if figure == "workload" else rep.chance.estimate if rep.chance else None for rep in reps
    }
    return say.list(
        [
            say.t("watch.with_share", who=short(rep_label(rep), _NAME), share=say.percent(shares[rep.id]))
            for rep in reps
        ],
        _NAMED,
    )


def overloaded(rep: RepRow, given: ReportInput) -> bool:
    """Above the workload limit of the rules."""
    return given.workload_limit is not None and rep.workload is not None and rep.workload > given.workload_limit


def loaded(rep: RepRow, given: ReportInput) -> bool:
    """At 90 % or more, but not above the limit."""
    return rep.workload is not None and rep.workload >= LOADED and not overloaded(rep, given)


def long_odds(rep: RepRow, given: ReportInput) -> bool:
    """Chance to make quota proven below the floor, for a rep who is not ramping."""
    floor, chance = given.chance_floor, rep.chance
    return not rep.ramping and floor is not None and chance is not None and chance.high < floor


def growth_capped(rep: RepRow, given: ReportInput) -> bool:
    """Whether the growth cap holds this rep's quota down."""
    return any(row.rule == "growth_cap" and row.binding and row.subject == rep.id for row in given.audit)


def flags(rep: RepRow, given: ReportInput) -> list[str]:
    """Keys of the flags of a row, the gravest first."""
    found = [
        ("flag.no_quota", rep.quota is None),
        ("flag.overloaded", overloaded(rep, given)),
        ("flag.odds", long_odds(rep, given)),
        ("flag.ramping", rep.ramping),
        ("flag.loaded", loaded(rep, given)),
        ("flag.cap", growth_capped(rep, given)),
    ]
    return [key for key, raised in found if raised]


def questions(given: ReportInput, say: Wording) -> list[Question]:
    """Two or three open questions with the default that the plan assumed."""
    asked = [_question_of_target(given, say)]
    if given.moves:
        risk = (
            say.maybe_money(given.plan.sales_at_risk)
            if given.plan.sales_at_risk is None
            else say.small(given.plan.sales_at_risk)
        )
        asked.append(Question(say.t("ask.moves", moves=len(given.moves)), say.t("ask.moves_answer", risk=risk)))
    asked.append(Question(say.t("ask.basis"), say.t(f"ask.basis_{given.quota_basis}")))
    if given.training_hours:
        hours = say.hours(given.training_hours)
        cost = say.small(given.training_cost)
        asked.append(Question(say.t("ask.training", hours=hours), say.t("ask.training_answer", cost=cost)))
    return asked[:MOST_QUESTIONS]


def _question_of_target(given: ReportInput, say: Wording) -> Question:
    if given.strip.target is None:
        return Question(say.t("ask.target"), say.t("ask.target_answer", quotas=say.money(given.quota_sum)))
    answer = say.t("ask.over_answer", over=over_target(given, say), hit_rate=say.percent_of(given.plan.hit_rate))
    return Question(say.t("ask.over"), answer)
