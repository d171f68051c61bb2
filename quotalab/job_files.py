"""A study as tables, figures and one document."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.figures.draw import Drawing, plan_differences, trade_figure
from experiments.money import Language
from experiments.report.decision import decision, verdict
from experiments.report.wording import wording
from quotalab.drawings import drawings
from quotalab.job import PLAN, TODAY, Study
from quotalab.loop_text import trace_table
from quotalab.runs import rows
from quotalab.tables import findings_table, move_table, quota_table, rep_table, rule_table, training_table
from scenarios.base import MINOR_PER_MAJOR

if TYPE_CHECKING:
    from quotalab.runs import Draft


def write_study(draft: Draft, found: Study, language: Language) -> None:
    """Everything but the pages: the plan, tables for spreadsheets, figures, hashes."""
    evidence = found.evidence
    draft.about(found.world)
    draft.plan(found.plan, found.world)
    digest = hashlib.sha256()
    for name, table in study_tables(found).items():
        draft.sheet(name, table)
        digest.update(name.encode() + b"\n" + table.to_csv(index=False, lineterminator="\n").encode())
    draft.hashes["tables"] = digest.hexdigest()
    if evidence.loop is not None:
        # Seconds stand in the trace, so that its hash is one of its own.
        draft.sheet("trace", trace_table(evidence.loop.found, found.world.currency))
        draft.hashes["loop"] = evidence.loop.found.content_hash()
    for drawing in _drawings(found, language):
        draft.drawing(drawing)
    draft.hashes["comparison"] = evidence.comparison.content_hash()
    draft.facts["simulation"] = {"seed": evidence.comparison.seed, "replications": evidence.comparison.replications}


def study_tables(found: Study) -> dict[str, pd.DataFrame]:
    """Tables by name; money in currency units."""
    evidence = found.evidence
    result, comparison = evidence.allocation, evidence.comparison
    people = [rep_table(case).assign(case=case.name) for case in comparison.cases]
    tables = {
        "cases": comparison.table().reset_index(),
        "differences": comparison.differences_table(),
        "by_rep": pd.concat(people, ignore_index=True),
        "quotas": quota_table(evidence.plans[TODAY], found.plan, result),
        "training": training_table(found.plan),
        "moves": move_table(result),
        "rules": rule_table(result, found.world.currency),
        "what_ifs": _what_if_table(found),
        "findings": findings_table(found.figures.findings),
    }
    if evidence.trade is not None:
        tables["trade"] = evidence.trade.table()
    if evidence.loop is not None:
        tables["proof"] = evidence.loop.proof.comparison.differences_table()
        if evidence.loop.stress is not None:
            tables["stress"] = evidence.loop.stress.table()
    return tables


def document(found: Study, language: Language) -> dict[str, Any]:
    """The study for machines: verdict, sentences and all tables."""
    say = wording(found.figures, language)
    head = {
        "verdict": verdict(found.figures),
        "decision": decision(found.figures, say),
        "best_rule": found.evidence.best_rule,
        "best_rule_within_rules": not found.figures.rule_outside,
    }
    return head | {name: rows(table) for name, table in study_tables(found).items()}


def _drawings(found: Study, language: Language) -> Iterator[Drawing]:
    evidence = found.evidence
    world = found.world.with_plan(found.plan)
    yield from drawings(world, evidence.outcomes[PLAN], evidence.comparison[PLAN], language)
    yield plan_differences(evidence.comparison, language)
    if evidence.trade is not None:
        yield trade_figure(evidence.trade, language)


def _what_if_table(found: Study) -> pd.DataFrame:
    columns = [
        "name",
        "sales",
        "low",
        "high",
        "word",
        "full_cost",
        "cost_per_year",
        "sales_next_year",
        "payback_months",
    ]
    table = [
        {
            "name": case.name,
            "sales": case.sales.estimate / MINOR_PER_MAJOR,
            "low": case.sales.low / MINOR_PER_MAJOR,
            "high": case.sales.high / MINOR_PER_MAJOR,
            "word": case.word,
            "full_cost": case.full_cost / MINOR_PER_MAJOR,
            "cost_per_year": case.cost_per_year / MINOR_PER_MAJOR,
            "sales_next_year": None
            if case.sales_next_year is None
            else case.sales_next_year.estimate / MINOR_PER_MAJOR,
            "payback_months": case.payback_months,
        }
        for case in found.evidence.what_ifs
    ]
    return pd.DataFrame(table, columns=columns)
