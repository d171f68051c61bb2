"""What the first page concludes, by rule from the evidence.

The decision looks at simulated sales, against the best simple rule first and today's plan second:

============================================  =======================================================
evidence                                      verdict
============================================  =======================================================
the rule sells more than the plan, and more   ``rule``: take the simple rule
than today, both proven or likely
gain over today not proven                    ``keep`` today's plan
gain over the rule neither proven nor likely  ``either``: replace today's; the rule does as well
gain over the rule not robust to parameters,  ``either``
or not recommended by the proof of a loop
else                                          ``adopt`` the plan
============================================  =======================================================

Where no simple rule is within the fairness rules, the gain over today's plan decides alone.

Where a loop was proven, attainment counts too, so that page and proof conclude the same. What the proof recommends
takes the place of ``keep`` and ``either``: the plan (``attain``), or a rule where today's would be kept (``simpler``).
"""

from __future__ import annotations

from typing import Literal

from experiments.error_text import of_hundred
from experiments.proof import ROBUST_SHARE, TODAY
from experiments.report.input import ReportInput, sureness
from experiments.report.wording import Wording, short
from sim.interval import Interval

Verdict = Literal["adopt", "either", "rule", "keep", "attain", "simpler"]

PLAN_OF_THE_LOOP = "loop"


def verdict(given: ReportInput) -> Verdict:
    """What the evidence supports; see the table above."""
    found = _by_sales(given)
    if given.loop is None or found not in ("keep", "either"):
        return found
    if backed(given):
        return "attain"
    return "simpler" if found == "keep" and given.loop.recommended != TODAY else found


def _by_sales(given: ReportInput) -> Verdict:
    over_rule, over_today = given.gain.against_rule.total, given.gain.against_today.total
    rule_over_today = given.gain.rule_over_today
    if given.rule_outside:
        return "adopt" if over_today.estimate > 0 and sureness(over_today) == "proven" and backed(given) else "keep"
    if over_rule.estimate < 0 and holds(over_rule) and rule_over_today.estimate > 0 and holds(rule_over_today):
        return "rule"
    if over_today.estimate <= 0 or sureness(over_today) != "proven":
        return "keep"
    if over_rule.estimate <= 0 or not holds(over_rule) or not robust(given) or not backed(given):
        return "either"
    return "adopt"


def holds(difference: Interval) -> bool:
    """Proven or likely."""
    return sureness(difference) in ("proven", "likely")


def robust(given: ReportInput) -> bool:
    """Whether the plan leads the best simple rule over plausible parameters, as far as this was assessed."""
    chance = given.how_sure.chance_ahead
    return given.rule_outside or chance is None or chance >= ROBUST_SHARE


def backed(given: ReportInput) -> bool:
    """Whether the proof on fresh years recommends the plan, as far as there is one."""
    return given.loop is None or given.loop.recommended == PLAN_OF_THE_LOOP


def decision(given: ReportInput, say: Wording) -> list[str]:
    """The decision in at most three sentences, the verdict first."""
    write = {
        "adopt": _adopt,
        "either": _either,
        "rule": _rule,
        "keep": _keep,
        "attain": _attain,
        "simpler": _simpler,
    }
    return write[verdict(given)](given, say)


def _adopt(given: ReportInput, say: Wording) -> list[str]:
    over_rule, over_today = given.gain.against_rule.total, given.gain.against_today.total
    first = say.t(
        "decision.adopt_alone" if given.rule_outside else "decision.adopt",
        plan=short(given.strip.plan_name, 24),
        gain=say.small(over_rule.estimate),
        strength=say.strength(over_rule),
        today=say.small(over_today.estimate),
        strength_today=say.strength(over_today),
    )
    return [first, _terms(given, say), _deeds(given, say)]


def _either(given: ReportInput, say: Wording) -> list[str]:
    """The rule first, today second; the rule is offered in the plan's place only where it beats today itself."""
    over_rule, over_today = given.gain.against_rule.total, given.gain.against_today.total
    rule_over_today = given.gain.rule_over_today
    plan = short(given.strip.plan_name, 24)
    chance = given.how_sure.chance_ahead
    if over_rule.estimate > 0 and holds(over_rule) and chance is not None and not robust(given):
        first = say.t("decision.fragile", plan=plan, ahead=of_hundred(chance))
    else:
        first = say.t(
            "decision.either",
            gain=say.small(over_rule.estimate, signed=True),
            low=say.low(over_rule),
            high=say.high(over_rule),
        )
    both = rule_over_today.estimate > 0 and holds(rule_over_today)
    key = "decision.either_both" if both else "decision.either_plan"
    why = say.t(
        key if given.loop is None else "decision.either_proof",
        recommended=_recommended(given, say),
        plan=plan,
        today=say.small(over_today.estimate, signed=True),
        strength_today=say.strength(over_today),
        rule_today=say.small(rule_over_today.estimate, signed=True),
        strength_rule=say.strength(rule_over_today),
    )
    return [first, why, _terms_and_deeds(given, say)]


def _recommended(given: ReportInput, say: Wording) -> str:
    """The simple rule or today's plan that a proof recommends in the plan's place; nothing without a proof."""
    return "" if given.loop is None else say.known("plan", given.loop.recommended)


def _rule(given: ReportInput, say: Wording) -> list[str]:
    over_rule, over_today = given.gain.against_rule.total, given.gain.rule_over_today
    first = say.t(
        "decision.rule",
        rule=given.rule_name(say.language),
        plan=short(given.strip.plan_name, 24),
        loss=say.small(-over_rule.estimate),
        strength=say.strength(over_rule),
    )
    why = say.t(
        "decision.rule_why",
        today=say.small(over_today.estimate, signed=True),
        strength_today=say.strength(over_today),
    )
    return [first, why]


def _attain(given: ReportInput, say: Wording) -> list[str]:
    key = "decision.attain_alone" if given.rule_outside else "decision.attain"
    first = say.t(key, plan=short(given.strip.plan_name, 24))
    return [first, _in_sales(given, say), _terms_and_deeds(given, say)]


def _simpler(given: ReportInput, say: Wording) -> list[str]:
    return [say.t("decision.simpler", recommended=_recommended(given, say)), _in_sales(given, say)]


def _in_sales(given: ReportInput, say: Wording) -> str:
    """What the plan gains in sales over the best simple rule, and over today's plan."""
    over_rule, over_today = given.gain.against_rule.total, given.gain.against_today.total
    return say.t(
        "decision.keep_why",
        plan=short(given.strip.plan_name, 24),
        gain=say.small(over_rule.estimate, signed=True),
        low=say.low(over_rule),
        high=say.high(over_rule),
        today=say.small(over_today.estimate, signed=True),
        today_low=say.low(over_today),
        today_high=say.high(over_today),
    )


def _keep(given: ReportInput, say: Wording) -> list[str]:
    sentences = [say.t("decision.keep"), _in_sales(given, say)]
    if any(row.kind == "today" and not row.within_rules for row in given.plans):
        return [*sentences, say.t("decision.keep_outside")]
    before, after = given.today.widest_gap, given.plan.widest_gap
    if before is not None and after is not None and after < before:
        sentences.append(say.t("decision.keep_fairer", before=say.percent(before), after=say.percent(after)))
    return sentences


def over_target(given: ReportInput, say: Wording) -> str:
    """How far the quotas exceed the target: ``+5%``, with decimals only where they are needed."""
    over = given.quota_sum / given.strip.target - 1 if given.strip.target else given.over_assignment
    whole = abs(100 * over - round(100 * over)) < 0.05
    return say.percent(over, 0 if whole else 1, signed=True) if abs(over) >= 0.0005 else "±0%"


def _terms(given: ReportInput, say: Wording) -> str:
    quotas = say.tied(given.quota_sum, given)
    if given.strip.target is None:
        return say.t("decision.terms_no_target", quotas=quotas)
    return say.t(
        "decision.terms", target=say.tied(given.strip.target, given), quotas=quotas, over=over_target(given, say)
    )


def _deeds(given: ReportInput, say: Wording) -> str:
    return say.t(
        "decision.deeds",
        moves=len(given.moves),
        accounts=given.accounts,
        hours=say.hours(given.training_hours),
        care=_care(given, say),
    )


def _care(given: ReportInput, say: Wording) -> str:
    """Other care hours, and other shares of new leads."""
    care = say.t("decision.care", count=given.care_changes) if given.care_changes else ""
    people = {one.rep for one in given.handed}
    return care + (say.t("decision.handed", count=len(people)) if people else "")


def _terms_and_deeds(given: ReportInput, say: Wording) -> str:
    fields = {"quotas": say.tied(given.quota_sum, given), "moves": len(given.moves), "accounts": given.accounts}
    texts = {"hours": say.hours(given.training_hours), "care": _care(given, say)}
    if given.strip.target is None:
        return say.t("decision.terms_deeds_no_target", **texts, **fields)
    target, over = say.tied(given.strip.target, given), over_target(given, say)
    return say.t("decision.terms_deeds", target=target, over=over, **texts, **fields)
