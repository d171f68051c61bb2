"""The page of what-ifs as texts: each question with what it brings and what it costs."""

from __future__ import annotations

from typing import Any

from experiments.report.details import WhatIf
from experiments.report.input import ReportInput, sureness
from experiments.report.wording import Wording
from sim.interval import Interval

View = dict[str, Any]
_HOURS_NAMED = 3


def what_ifs(given: ReportInput, say: Wording) -> View:
    """Page 4: each question with its cost."""
    confidence = given.what_ifs[0].sales.confidence if given.what_ifs else 0.95
    return {
        "cases": [_what_if(case, say) for case in given.what_ifs],
        "note": say.t("whatif.note", confidence=say.percent(confidence)),
    }


def _what_if(case: WhatIf, say: Wording) -> View:
    spent = [f"{say.t(f'whatif.{what}')} {_cost(minor, say)}" for what, minor in case.costs]
    settled = case.sales_next_year
    facts = [
        (say.t("whatif.start"), say.day(case.start) if case.start else say.t("whatif.at_once")),
        (say.t("whatif.ramp"), " → ".join(say.percent(pace) for pace in case.ramp) or say.t("whatif.no_ramp")),
        (say.t("whatif.cost"), _with(_cost(case.full_cost, say), say.list(spent) if len(spent) > 1 else "")),
        (say.t("whatif.cost_year"), _cost(case.cost_per_year, say)),
        (say.t("whatif.sales_next"), _settled(settled, say)),
        (say.t("whatif.payback"), _payback(case, say)),
        _hours(case, say),
    ]
    return {
        "name": say.known("question", case.name),
        "facts": facts,
        "sales": say.small(case.sales.estimate, signed=True),
        "ends": f"[{say.low(case.sales)}, {say.high(case.sales)}]",
        "strength": sureness(case.sales),
        "word": say.strength(case.sales),
    }


def _settled(sales: Interval | None, say: Wording) -> str:
    if sales is None:
        return say.t("page.not_known")
    return f"{say.small(sales.estimate, signed=True)} [{say.low(sales)}, {say.high(sales)}]"


def _with(text: str, detail: str) -> str:
    return f"{text} ({detail})" if detail else text


def _cost(minor: int, say: Wording) -> str:
    """An amount to be paid; with more decimals where the page's would round it to nothing."""
    if minor == 0:
        return say.t("whatif.no_cost")
    shown = say.fine.visible(minor).text(abs(minor))
    return shown if minor > 0 else say.t("whatif.saves", amount=shown)


def _payback(case: WhatIf, say: Wording) -> str:
    if case.full_cost <= 0 and case.cost_per_year <= 0:
        return say.t("whatif.nothing_to_pay")
    if not case.margin_known:
        return say.t("whatif.no_margin")
    if case.payback_months is None:
        return say.t("whatif.never")
    return say.t("whatif.months", months=say.hours(round(case.payback_months)))


def _hours(case: WhatIf, say: Wording) -> tuple[str, str]:
    """Label and text: working hours taken or released on balance, and who works more."""
    net = round(case.hours)
    way = "hours_same" if net == 0 else "hours" if net > 0 else "hours_released"
    label = say.t("whatif.hours_released" if net < 0 else "whatif.hours")
    hours = say.hours(abs(net))
    named = [say.t("whatif.who_hours", who=who, hours=say.hours(round(amount))) for who, amount in case.whose]
    if named:
        return label, say.t(f"whatif.{way}_of", hours=hours, whose=say.list(named, _HOURS_NAMED))
    return label, say.t("whatif.hours_same") if net == 0 else say.t("whatif.hours_net", hours=hours)
