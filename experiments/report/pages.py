"""The pages after the first as texts: people, diagnosis, fairness audit, appendix."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from experiments import words
from experiments.bases_text import bases_text
from experiments.money import adding_up, plain
from experiments.proof_text import bound_texts
from experiments.report.charts import waterfall
from experiments.report.details import AuditRow, PlanRow, Promise
from experiments.report.input import ReportInput, RepRow, sureness
from experiments.report.loop import loop_view
from experiments.report.table import full_table
from experiments.report.wording import Wording, rep_label
from sim.interval import Interval

View = dict[str, Any]
MOST_HANDED = 12
"""Shares of new leads in the table."""


def people(given: ReportInput, say: Wording, *, persons: bool) -> View:
    """Page 2: a card a rep, account moves and shares of new leads."""
    cards = [_card(rep, say) for rep in given.reps] if persons else []
    return {"moves": _moves(given, say), "handed": _handed(given, say), "cards": cards}


def everyone(given: ReportInput, say: Wording) -> list[View]:
    """The full table, for companies whose first page shows teams only."""
    return full_table(given, say)


def _card(rep: RepRow, say: Wording) -> View:
    facts = [
        (say.t("card.expected"), say.cell(rep.expected), f"{say.cell(rep.low)}–{say.cell(rep.high)}"),
        (say.t("card.attainment"), say.percent(rep.expected / rep.quota if rep.quota else None), ""),
        (
            say.t("card.chance"),
            say.percent_of(rep.chance),
            "" if rep.chance_today is None else say.t("card.from_today", share=say.percent_of(rep.chance_today)),
        ),
        (say.t("card.workload"), say.percent(rep.workload), ""),
    ]
    skills = [f"{_skill(skill, say)} {say.t('page.hours', hours=say.hours(hours))}" for skill, hours in rep.training]
    lists = [
        (say.t("card.accounts_in"), say.list(list(rep.gains), 6)),
        (say.t("card.accounts_out"), say.list(list(rep.losses), 6)),
        (say.t("card.training"), say.list(skills, 6)),
    ]
    return {
        "name": rep_label(rep),
        "team": rep.team,
        "quota": say.table.exact([rep.quota]).number(rep.quota) if rep.quota is not None else say.cell(None),
        "flag": say.t("flag.ramping") if rep.ramping else "",
        "facts": facts,
        "bars": _waterfall(rep, say),
        "split": _split(rep, say),
        "lists": [(label, text) for label, text in lists if text],
    }


def _waterfall(rep: RepRow, say: Wording) -> list[View]:
    """Bars with figures that add up as shown; empty steps are left out, the first and the sum are not."""
    if not rep.waterfall or rep.quota is None:
        return []
    scale = say.table.exact([rep.quota])
    amounts = [value for _, value in rep.waterfall]
    shown = [*adding_up(amounts, scale), float(rep.quota)]
    labels = [say.known("factor", factor) for factor, _ in rep.waterfall] + [say.t("card.quota")]
    values, last = [*amounts, rep.quota], len(amounts)
    return [
        {
            "label": label,
            "bar": bar,
            "text": scale.number(rounded, signed=0 < at < last),
            "kind": "sum" if at == last else "down" if value < 0 else "up",
            "minor": value,
        }
        for at, (label, value, rounded, bar) in enumerate(
            zip(labels, values, shown, waterfall(rep.waterfall), strict=True)
        )
        if rounded or at in (0, last)
    ]


def _split(rep: RepRow, say: Wording) -> str:
    """What the quota would be by the territory alone and by the person, and what is the person's part."""
    if rep.basis is None or rep.quota is None:
        return ""
    return bases_text(rep.basis, say.table.exact([rep.quota]), say.language)


def _skill(skill: str, say: Wording) -> str:
    return say.term(skill)


def _moves(given: ReportInput, say: Wording) -> list[View]:
    return [
        {
            "account": move.account if move.name in ("", move.account) else f"{move.account} {move.name}",
            "tier": move.tier,
            "giver": move.giver,
            "taker": move.taker,
            "deals": str(move.open_deals),
            "risk": say.cell(move.sales_at_risk),
            "minor": move.sales_at_risk,
            "protected": say.day(move.protected_until),
            "reason": say.known("reason", move.reason),
        }
        for move in given.moves
    ]


def _handed(given: ReportInput, say: Wording) -> View:
    """The largest changes of shares of new leads, and how many more there are."""
    rows = [
        {
            "source": one.source,
            "rep": one.rep,
            "before": say.percent(one.before, 1),
            "after": say.percent(one.after, 1),
            "change": plain(100 * (one.after - one.before), 1, signed=True),
        }
        for one in sorted(given.handed, key=lambda one: -abs(one.after - one.before))[:MOST_HANDED]
    ]
    more = len(given.handed) - len(rows)
    return {"rows": rows, "more": say.t("handed.more", count=more) if more else ""}


def diagnosis(given: ReportInput, say: Wording) -> list[View]:
    """Page 3: findings with their evidence and how strong it is."""
    return [
        {
            "text": finding.text(say.language),
            "evidence": " · ".join(_figure(name, value, say) for name, value in finding.evidence.items()),
            "strength": finding.strength,
            "word": say.t(f"finding.{finding.strength}"),
        }
        for finding in given.findings
    ]


def _figure(name: str, value: float, say: Wording) -> str:
    """One figure of the evidence with its name; money is told by the ending of the name."""
    label = say.known("evidence", name)
    if name.endswith("_minor"):
        return f"{label} {say.small(value)}"
    return f"{label} {plain(value, 0) if float(value).is_integer() or abs(value) >= 1_000 else f'{value:.3g}'}"


def audit(given: ReportInput, say: Wording) -> View:
    """Page 5: what is broken, then what binds, each on its own; the rest of a rule in one row."""
    labels = {rep.id: rep_label(rep) for rep in given.reps}
    single = [row for row in given.audit if row.binding or not row.kept]
    rows = [_audit_row(row, labels, say) for row in sorted(single, key=lambda row: (row.kept, row.rule))]
    with_room: dict[tuple[str, float], list[AuditRow]] = {}
    for row in given.audit:
        if row.kept and not row.binding:
            with_room.setdefault((row.rule, row.limit), []).append(row)
    for group in with_room.values():
        rows.append(_audit_row(group[0], labels, say) if len(group) == 1 else _audit_group(group, say))
    return {"rows": rows, "note": say.t("audit.loosening_note")}


def _audit_group(group: Sequence[AuditRow], say: Wording) -> View:
    first = group[0]
    low, high = (_in_unit(end(row.actual for row in group), first.unit, say) for end in (min, max))
    return {
        "rule": say.known("rule", first.rule),
        "subject": say.t("audit.with_room", count=len(group)),
        "limit": _in_unit(first.limit, first.unit, say),
        "actual": low if low == high else say.t("page.range", low=low, high=high),
        "binding": "",
        "loosening": "",
        "exception": "",
        "kind": "",
    }


def _audit_row(row: AuditRow, labels: dict[str, str], say: Wording) -> View:
    return {
        "rule": say.known("rule", row.rule),
        "subject": say.t("who.company") if row.subject == "company" else labels.get(row.subject, row.subject),
        "limit": _in_unit(row.limit, row.unit, say),
        "actual": _in_unit(row.actual, row.unit, say),
        "binding": say.t("audit.yes") if row.binding and row.kept else "" if row.kept else say.t("audit.broken"),
        "loosening": "" if not row.loosening else say.rate(row.loosening),
        "exception": words.exceptions(row.exception, say.language),
        "kind": "grave" if not row.kept else "binds" if row.binding else "",
    }


def _in_unit(value: float, unit: str, say: Wording) -> str:
    if unit == "share":
        return say.percent(value, 1)
    if unit == "ratio":
        return say.ratio(value)
    if unit == "money":
        return say.cell(value)
    return say.t("page.hours", hours=say.hours(round(value, 1))) if unit == "hours" else say.hours(round(value, 2))


def appendix(given: ReportInput, say: Wording) -> View:
    """Method, all plans, model against simulation, definitions, assumptions, the run."""
    promise = given.promise
    note = "method.gain_note_outside" if given.rule_outside else "method.gain_note"
    third = "method.how_3_respond" if given.quotas_move_sales else "method.how_3"
    return {
        "method": [say.t("method.how_1", years=given.how_sure.years), say.t("method.how_2"), say.t(third)],
        "plans": [_plan(row, say) for row in given.plans],
        "plans_note": say.t(note, confidence=say.percent(given.gain.against_rule.total.confidence)),
        "promise": [
            say.t(
                "method.promise_line" if given.loop is None else "method.learned_line",
                model=say.money(promise.model),
                simulated=say.money(promise.simulated.estimate),
                gap=say.percent(promise.gap, 1, signed=True),
                low=say.percent(promise.gap_ends[0], 1, signed=True),
                high=say.percent(promise.gap_ends[1], 1, signed=True),
            ),
            _solver(promise, say),
            *bound_texts(promise.bounds, say.language),
            say.t("proof.ceiling"),
        ],
        "definitions": [
            (say.t("attainment"), say.t("method.def_attainment")),
            (say.t("hit_rate"), say.t("method.def_hit")),
            (say.t("capped_attainment"), say.t("method.def_capped")),
            (say.t("year_range"), say.t("method.def_year")),
            (say.t("confidence_interval"), say.t("method.def_interval")),
            (say.t("method.strength"), say.t("method.def_strength")),
        ],
        "assumptions": [
            (item.path, item.value, item.source, say.t(f"method.{item.trust}"), item.note) for item in given.assumptions
        ],
        "loop": loop_view(given.loop, say),
        "notes": [say.known("note", text) for text in given.notes],
        "manifest": given.manifest,
    }


def _solver(promise: Promise, say: Wording) -> str:
    if isnan(promise.solver_gap):
        return say.t("method.confirmed")
    status = say.known("status", promise.solver_status)
    return say.t("method.solver", status=status, gap=say.percent(promise.solver_gap, 3))


def _plan(row: PlanRow, say: Wording) -> View:
    return {
        "name": row.name if row.kind == "plan" else say.known("plan", row.kind),
        "outside": "" if row.within_rules else say.t("method.outside"),
        "is_plan": row.kind == "plan",
        "expected": f"{say.money(row.expected.estimate)}",
        "ends": _ends(row.expected, say),
        "target_chance": say.percent(row.target_chance),
        "hit_rate": say.percent(row.hit_rate),
        "capped": say.percent(row.capped_attainment, 1),
        "gap": say.percent(row.widest_gap),
        "gain": "" if row.gain is None else say.small(row.gain.estimate, signed=True),
        "gain_ends": "" if row.gain is None else f"[{say.low(row.gain)}, {say.high(row.gain)}]",
        "strength": "equal" if row.gain is None else sureness(row.gain),
        "word": "" if row.gain is None else say.strength(row.gain),
    }


def _ends(interval: Interval, say: Wording) -> str:
    return f"±{say.small(interval.half_width)}"
