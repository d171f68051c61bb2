"""The first page as texts, block by block in its fixed order; the template only places them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.error_text import error_text
from experiments.report.charts import axis_around_zero
from experiments.report.decision import decision, verdict
from experiments.report.input import GainColumn, Headline, ReportInput, sureness
from experiments.report.table import who_carries_what
from experiments.report.watch import questions, watch_outs
from experiments.report.wording import Wording, short
from sim.interval import Interval

View = dict[str, Any]
_SHOWN_ASSUMPTIONS = 3


def front(given: ReportInput, say: Wording, *, persons: bool) -> View:
    """Everything on page 1."""
    return {
        "strip": _strip(given, say),
        "verdict": verdict(given),
        "decision": decision(given, say),
        "tiles": _tiles(given, say),
        "sure": _how_sure(given, say),
        "gain": _gain(given, say),
        "who": who_carries_what(given, say, persons=persons),
        "trade": _trade(given, say),
        "watch": watch_outs(given, say, persons=persons),
        "ask": questions(given, say),
        "assumed": _assumed(given, say),
    }


def _strip(given: ReportInput, say: Wording) -> View:
    strip = given.strip
    vat = say.t("strip.with_vat" if strip.vat_included else "strip.without_vat")
    facts = [
        (say.t("strip.period"), say.period(strip.first_day, strip.last_day)),
        (say.t("strip.basis"), f"{say.t(f'strip.{strip.basis}')}{say.t('page.comma')}{vat}"),
        (say.t("strip.unit"), say.table.name),
        (say.t("strip.data_date"), strip.data_date or say.t("strip.no_date")),
        (say.t("strip.version"), f"{short(strip.plan_name)} · {strip.plan_version}"),
    ]
    return {"company": strip.company, "facts": facts, "demo": strip.invented}


def _tiles(given: ReportInput, say: Wording) -> list[View]:
    today, plan, target = given.today, given.plan, given.strip.target
    sides: list[tuple[str, str, str, str]] = [
        ("expected", say.money(today.expected.estimate), say.money(plan.expected.estimate), _years(plan, say)),
        (
            "target_chance",
            say.percent_of(today.target_chance),
            say.percent_of(plan.target_chance),
            say.t("tile.no_target") if target is None else say.t("tile.target", target=say.money(target)),
        ),
        ("hit_rate", say.percent_of(today.hit_rate), say.percent_of(plan.hit_rate), _attainment(today, plan, say)),
        ("gap", say.percent(today.widest_gap), say.percent(plan.widest_gap), say.t("tile.company_gap")),
        (
            "risk",
            _risk(today, say),
            _risk(plan, say),
            say.t("tile.moves", moves=len(given.moves), accounts=given.accounts),
        ),
    ]
    return [
        {"kind": kind, "label": say.t(f"tile.{kind}"), "today": before, "plan": after, "note": note}
        for kind, before, after, note in sides
    ]


def _years(plan: Headline, say: Wording) -> str:
    return say.t("tile.year", low=say.large.number(plan.low), high=say.money(plan.high))


def _attainment(today: Headline, plan: Headline, say: Wording) -> str:
    return say.t("tile.attainment", before=say.percent_of(today.attainment), after=say.percent_of(plan.attainment))


def _risk(side: Headline, say: Wording) -> str:
    at_risk = side.sales_at_risk
    if at_risk is None:
        return say.t("page.not_known")
    return say.small(at_risk) if at_risk else "0"


def _how_sure(given: ReportInput, say: Wording) -> View:
    sure, mean = given.how_sure, given.plan.expected.estimate
    over_rule = given.gain.against_rule.total
    luck = (sure.luck[0] - mean, sure.luck[1] - mean)
    known = None if sure.parameters is None else (sure.parameters[0] - mean, sure.parameters[1] - mean)
    axis = axis_around_zero(*luck, *(known or ()), over_rule.estimate, over_rule.low, over_rule.high)
    bars = [_spread("luck", luck, mean, axis.bar(*luck), say)]
    if known is None:
        bars.append({"kind": "parameters", "label": say.t("sure.parameters"), "missing": say.t("sure.parameters_none")})
    else:
        bars.append(_spread("parameters", known, mean, axis.bar(*known), say))
    bars.append(
        {
            "kind": "difference",
            "label": say.t("sure.difference"),
            "bar": axis.bar(0, over_rule.estimate, whisker=(over_rule.low, over_rule.high)),
            "text": f"{say.small(over_rule.estimate, signed=True)}",
            "note": f"[{say.low(over_rule)}, {say.high(over_rule)}]",
            "strength": sureness(over_rule),
            "word": say.strength(over_rule),
        }
    )
    width = sure.luck[1] - sure.luck[0]
    gain = max(given.gain.against_today.total.estimate, over_rule.estimate)
    lines = [_errors(given, say), _back_cast(given, say)]
    if gain > 0:
        seen = "visible" if gain >= width else "invisible"
        lines.insert(0, say.t(f"sure.{seen}", gain=say.small(gain), width=say.money(width)))
    return {"bars": bars, "zero": axis.at(0), "lines": lines}


def _errors(given: ReportInput, say: Wording) -> str:
    sure = given.how_sure
    if sure.error_cost is None or sure.chance_ahead is None:
        return say.t("sure.errors_none")
    return error_text(
        sure.error_cost,
        sure.gain_left,
        sure.chance_ahead,
        sure.error_sources,
        say.fine,
        say.language,
        outside=given.rule_outside,
    )


def _spread(kind: str, ends: tuple[float, float], mean: float, bar: object, say: Wording) -> View:
    low, high = (say.percent(end / mean, 0, signed=True) if mean else say.t("page.not_known") for end in ends)
    text = f"{say.large.number(mean + ends[0])}–{say.money(mean + ends[1])}"
    return {"kind": kind, "label": say.t(f"sure.{kind}"), "bar": bar, "text": text, "note": f"{low}, {high}"}


def _back_cast(given: ReportInput, say: Wording) -> str:
    back = given.how_sure.back_cast
    if given.strip.invented:
        return say.t("sure.invented")
    if back is None:
        return say.t("sure.no_back_cast")
    return say.t(
        "sure.back_cast",
        replayed=say.money(back.replayed),
        actual=say.money(back.actual),
        inside=back.months_inside,
        months=back.months,
    )


def _gain(given: ReportInput, say: Wording) -> View:
    columns = (given.gain.against_rule, given.gain.against_today)
    parts = ["accounts", "training"]
    if any(column.part("leads") is not None for column in columns):
        parts.append("leads")
    rows = [
        {
            "kind": "quotas",
            "label": say.t("gain.quotas"),
            "note": _fairer(given, say),
            "cells": _cells(columns, "quotas", say),
        }
    ]
    for part in parts:
        rows.append({"kind": part, "label": say.t(f"gain.{part}"), "note": "", "cells": _cells(columns, part, say)})
    totals = [_difference(column.total, say) for column in columns]
    rows.append({"kind": "total", "label": say.t("gain.total"), "note": "", "cells": totals})
    confidence = say.percent(given.gain.against_rule.total.confidence)
    named = "gain.rule_outside" if given.rule_outside else "gain.rule_named"
    note = say.t(named, rule=given.rule_name(say.language), confidence=confidence)
    return {"rows": rows, "note": note}


def _cells(columns: Sequence[GainColumn], part: str, say: Wording) -> list[View]:
    found = [column.part(part) for column in columns]
    return [_zero(say) if difference is None else _difference(difference, say) for difference in found]


def _zero(say: Wording) -> View:
    return {"text": say.t("gain.zero"), "ends": "", "strength": "equal", "word": "", "minor": 0}


def _difference(difference: Interval, say: Wording) -> View:
    sure = sureness(difference)
    if sure == "equal":
        return _zero(say)
    return {
        "text": say.small(difference.estimate, signed=True),
        "ends": f"[{say.low(difference)}, {say.high(difference)}]",
        "strength": sure,
        "word": say.strength(difference),
        "minor": difference.estimate,
    }


def _fairer(given: ReportInput, say: Wording) -> str:
    before, after = given.today.widest_gap, given.plan.widest_gap
    if before is None or after is None:
        return say.t("gain.quotas_note_none")
    key = "gain.quotas_note" if after < before else "gain.quotas_note_not"
    return say.t(key, before=say.percent(before), after=say.percent(after))


def _trade(given: ReportInput, say: Wording) -> View:
    sums = say.table.exact(trade.quota_sum for trade in given.trades)
    rows = [
        {
            "share": say.percent(trade.share),
            "sum": sums.number(trade.quota_sum),
            "hit_rate": say.percent(trade.hit_rate),
            "company": say.percent(trade.target_chance),
            "reached": say.percent(trade.sum_chance),
            "is_plan": trade.is_plan,
        }
        for trade in given.trades
    ]
    constant = len({trade.target_chance for trade in given.trades}) == 1
    notes = [say.t("trade.note")] + ([say.t("trade.constant")] if constant else [])
    return {"rows": rows, "notes": notes}


def _assumed(given: ReportInput, say: Wording) -> str:
    if not given.assumptions:
        return say.t("assumed.none")
    names = [short(item.path, 32) for item in given.assumptions]
    shown = say.list(names, _SHOWN_ASSUMPTIONS)
    return say.t("assumed.line", count=len(names), shown=shown)
