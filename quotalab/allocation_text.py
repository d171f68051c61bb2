"""An allocated plan in lines for a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from experiments.money import Language, amount, table_scale
from experiments.words import word
from optimize.allocate import AllocationResult
from optimize.formulate import SALES_FIRST
from quotalab.told_words import excepted, gives_way, joined, named, noted, who
from scenarios.lead_shares import share_changes
from scenarios.scenario import Scenario
from scenarios.today import today_plan

SHOWN_SHARES = 12
"""Of leads, in the terminal; all of them stand in the files."""


def allocation_text(result: AllocationResult, world: Scenario, language: Language) -> str:
    """Quotas, what moves, what binds and gives way, and how good the plan is known to be."""
    lines = [*_quotas(result, world, language), *_handed(result, world, language)]
    return "\n".join([*lines, *_rules(result, language), *_proof(result, world, language)])


def _quotas(result: AllocationResult, world: Scenario, language: Language) -> Iterator[str]:
    plan, before = result.plan, today_plan(world).quotas()
    quotas = plan.quotas()
    total = sum(quotas.values())
    scale = table_scale(total, language, world.currency)
    yield word("told.quotas", language, unit=scale.name)
    for rep, quota in quotas.items():
        today = scale.number(before[rep]) if rep in before else "-"
        potential = scale.number(result.potentials[rep]) if rep in result.potentials else "-"
        yield f"  {rep:<6} {today:>8} -> {scale.number(quota):>8}  ({potential})"
    head = word("told.sum", language)
    yield f"  {head:<6} {scale.number(sum(before.values())):>8} -> {scale.number(total):>8}"
    hours = sum(plan.training_hours().values())
    yield word("told.moves", language, count=len(result.moves), hours=f"{hours:g}")
    for move in result.moves:
        reason = named("reason", named("lock_reason", move.reason, language), language)
        fields = {"account": move.account, "giver": move.source, "taker": move.taker, "reason": reason}
        yield "  " + word("told.move", language, **fields)


def _handed(result: AllocationResult, world: Scenario, language: Language) -> Iterator[str]:
    """Leads that go to somebody else than today, where that is decided."""
    if not world.allocation.leads.decide:
        return
    changes = share_changes(world, today_plan(world), result.plan)
    points = 50 * sum(abs(row.after - row.before) for row in changes)
    yield word("told.leads", language, points=f"{points:.3g}")
    for row in changes[:SHOWN_SHARES]:
        yield f"  {row.source} {row.rep}: {100 * row.before:.2f} % -> {100 * row.after:.2f} %"
    if len(changes) > SHOWN_SHARES:
        yield "  " + word("told.leads_more", language, count=len(changes) - SHOWN_SHARES)


def _rules(result: AllocationResult, language: Language) -> Iterator[str]:
    biting = [
        word("told.about", language, rule=named("rule", row.rule, language), who=who(row.subject, language))
        for row in result.rule_rows
        if row.binding
    ]
    if biting:
        yield word("told.binding", language, rules=joined(biting, language))
    for row in result.plan.locks:
        fields = {"path": row.path, "value": row.value, "author": row.author, "reason": row.reason}
        yield word("told.locked" if row.reason else "told.locked_bare", language, **fields)
    rows = {excepted(row, "en"): excepted(row, language) for row in result.rule_rows if row.exception}
    for text in result.exceptions:
        yield word("told.exception", language, text=rows.get(text) or gives_way(text, language))
    for text in result.notes:
        yield word("told.note", language, text=noted(text, language))


def _proof(result: AllocationResult, world: Scenario, language: Language) -> Iterator[str]:
    gap = ""
    if not isnan(result.gap):
        bound = word(f"told.bound_{result.bound_type}", language)
        gap = word("told.gap", language, gap=f"{100 * result.gap:.3g} %", bound=bound)
    if gap and world.allocation.mode in SALES_FIRST:
        gap = word("told.gap_of_sales", language, gap=gap)
    elif gap and result.objective_of != "capped sales":
        gap = word("told.gap_of", language, gap=gap, what=named("objective", result.objective_of, language))
    status = word(f"told.status_{result.status}", language, asked=f"{100 * result.asked_gap:.3g} %")
    value = amount(result.model_value, language, world.currency)
    yield word("told.value", language, value=value, gap=gap, status=status)
    if not result.reproducible:
        yield word("told.not_reproducible", language)
