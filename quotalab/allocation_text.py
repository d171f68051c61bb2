"""An allocated plan in lines for a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from experiments.money import Language, amount, table_scale
from experiments.words import listed, word
from optimize.allocate import AllocationResult
from optimize.formulate import SALES_FIRST
from quotalab.columns import aligned
from quotalab.told_words import basis, excepted, gives_way, joined, named, noted, rule_named, who
from scenarios.lead_shares import share_changes
from scenarios.scenario import Scenario
from scenarios.today import today_plan

SHOWN_REPS, SHOWN_MOVES, SHOWN_SHARES, SHOWN_LOCKS, SHOWN_EXCEPTIONS = 40, 12, 12, 12, 8
"""In the terminal; all of them stand in the files."""
OF_THE_LOOP = "closed loop"
"""How notes on single rounds begin, which a terminal shows as a table of their own."""


def allocation_text(result: AllocationResult, world: Scenario, language: Language) -> str:
    """Quotas, what moves, what binds and gives way, and how good the plan is known to be."""
    lines = [*_quotas(result, world, language), *_handed(result, world, language)]
    return "\n".join([*lines, *_rules(result, language), *_proof(result, world, language)])


def _quotas(result: AllocationResult, world: Scenario, language: Language) -> Iterator[str]:
    plan, before = result.plan, today_plan(world).quotas()
    quotas = plan.quotas()
    total = sum(quotas.values())
    scale = table_scale(total, language, world.currency)
    yield word("told.quotas", language, unit=scale.name, basis=basis(world, language))
    rows = [[word(f"told.quotas_{column}", language) for column in ("rep", "today", "plan", "potential")]]
    shown = list(quotas.items())[:SHOWN_REPS]
    for rep, quota in shown:
        today = scale.number(before[rep]) if rep in before else "-"
        potential = scale.number(result.potentials[rep]) if rep in result.potentials else "-"
        rows.append([rep, today, scale.number(quota), potential])
    if len(quotas) > len(shown):
        rows.append([word("told.more", language, count=len(quotas) - len(shown), file="quotas.csv")])
    potential_sum = sum(result.potentials.get(rep, 0) for rep in quotas)
    sums = (sum(before.values()), total, potential_sum)
    rows.append([word("told.sum", language), *(scale.number(one) for one in sums)])
    yield from (f"  {line}" for line in aligned(rows, texts=(0,)))
    hours = sum(plan.training_hours().values())
    yield word("told.moves", language, count=len(result.moves), hours=f"{hours:g}")
    for move in result.moves[:SHOWN_MOVES]:
        reason = named("reason", named("lock_reason", move.reason, language), language)
        fields = {"account": move.account, "giver": move.source, "taker": move.taker, "reason": reason}
        yield "  " + word("told.move", language, **fields)
    yield from _more(len(result.moves) - SHOWN_MOVES, "moves.csv", language)


def _handed(result: AllocationResult, world: Scenario, language: Language) -> Iterator[str]:
    """Leads that go to somebody else than today, where that is decided."""
    if not world.allocation.leads.decide:
        return
    changes = share_changes(world, today_plan(world), result.plan)
    points = 50 * sum(abs(row.after - row.before) for row in changes)
    yield word("told.leads", language, points=f"{points:.3g}")
    for row in changes[:SHOWN_SHARES]:
        yield f"  {row.source} {row.rep}: {100 * row.before:.2f} % -> {100 * row.after:.2f} %"
    yield from _more(len(changes) - SHOWN_SHARES, "shares.csv", language)


def _more(count: int, file: str, language: Language) -> Iterator[str]:
    if count > 0:
        yield "  " + word("told.more", language, count=count, file=file)


def _rules(result: AllocationResult, language: Language) -> Iterator[str]:
    biting: dict[str, list[str]] = {}
    for row in result.rule_rows:
        if row.binding:
            biting.setdefault(row.rule, []).append(who(row.subject, language))
    if biting:
        rules = [
            word("told.about", language, rule=rule_named(rule, language), who=listed(subjects, language))
            for rule, subjects in biting.items()
        ]
        yield word("told.binding", language, rules=joined(rules, language))
    for lock in result.plan.locks[:SHOWN_LOCKS]:
        fields = {"path": lock.path, "value": lock.value, "author": lock.author, "reason": lock.reason}
        yield word("told.locked" if lock.reason else "told.locked_bare", language, **fields)
    yield from _more(len(result.plan.locks) - SHOWN_LOCKS, "plan/locks.csv", language)
    exceptions = list(_exceptions(result, language))
    for text in exceptions[:SHOWN_EXCEPTIONS]:
        yield word("told.exception", language, text=text)
    yield from _more(len(exceptions) - SHOWN_EXCEPTIONS, "rules.csv", language)
    for text in result.notes:
        if not text.startswith(OF_THE_LOOP):
            yield word("told.note", language, text=noted(text, language))


def _exceptions(result: AllocationResult, language: Language) -> Iterator[str]:
    """Rules that give way, those for the same reason together, then totals that do."""
    rows: dict[tuple[str, str], list[str]] = {}
    of_rules = set()
    for row in result.rule_rows:
        if row.exception:
            rows.setdefault((row.rule, row.exception), []).append(row.subject)
            of_rules.add(f"{row.rule} of {row.subject}: {row.exception}")
    for (rule, why), subjects in rows.items():
        yield excepted(rule, subjects, why, language)
    yield from (gives_way(text, language) for text in result.exceptions if text not in of_rules)


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
