"""A diagnosis for terminals and run folders: of what really happened, or of a plan by its simulated years."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from experiments.money import Language, amount
from experiments.runs import plan_of
from experiments.words import word
from history.crm import History
from history.diagnosis.activities import activity_table
from history.diagnosis.diagnose import diagnose, diagnose_scenario, stage_table
from history.diagnosis.finding import Finding
from history.quality import Remark
from quotalab.tables import findings_table
from scenarios.scenario import Scenario
from sim.outcome import Outcome

_EXPORT = (
    "{opportunities:,} opportunities: {won:,} won, {lost:,} lost, {open:,} open; signed {revenue}",
    "商机 {opportunities:,}：赢单 {won:,}，丢单 {lost:,}，在手 {open:,}；签约额 {revenue}",
)
_PLAN = (
    "{scenario}, plan {plan}: expected sales {expected}, quotas sum to {quotas}; {years:,} simulated years",
    "{scenario}，方案 {plan}：预期销售额 {expected}，指标合计 {quotas}；模拟 {years:,} 个年度",
)
_ON_THE_DATA = ("on the data:", "数据质量：")


@dataclass(frozen=True, eq=False)
class Diagnosed:
    """What a diagnosis says.

    Attributes:
        findings: the strongest first.
        tables: by name; of an export ``overall``, ``periods``, ``cohorts``, one ``by_ATTRIBUTE`` for each that the
            export tells, ``leaks``, ``capability``, ``data``; of a plan ``stages``; of both ``activities`` and
            ``findings``. Money in minor units in columns that end in ``_minor``.
        remarks: on the quality of an export; none for a plan.
        facts: on the source, for the manifest.
        head: the first line, by language.
    """

    findings: tuple[Finding, ...]
    tables: Mapping[str, pd.DataFrame]
    remarks: tuple[Remark, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    head: Mapping[Language, str] = field(default_factory=dict)

    def text(self, language: Language) -> str:
        """Key figures, findings with their strength and remarks on the data, for a terminal."""
        lines = [self.head[language]]
        lines += [f"[{word(f'finding.{one.strength}', language)}] {one.text(language)}" for one in self.findings]
        if not self.findings:
            lines.append(word("finding.empty", language))
        if self.remarks:
            lines.append(_ON_THE_DATA[language == "zh"])
            lines += [f"  {one.what} ({one.count} / {one.rows}); {one.consequence}" for one in self.remarks]
        return "\n".join(lines)

    def content_hash(self) -> str:
        """Hash of all tables."""
        digest = hashlib.sha256()
        for name, table in sorted(self.tables.items()):
            digest.update(name.encode() + b"\n" + table.to_csv(index=False, lineterminator="\n").encode())
        return digest.hexdigest()


def of_export(history: History) -> Diagnosed:
    """What really happened, by the export of a CRM."""
    found = diagnose(history)
    row = found.overall.iloc[0]
    counts = {name: int(row[name]) for name in ("opportunities", "won", "lost", "open")}
    revenue = int(row["revenue_minor"])
    tables = {"overall": found.overall, "periods": found.periods, "cohorts": found.cohorts}
    tables |= {f"by_{attribute}": table for attribute, table in found.units.items()}
    tables |= {"leaks": found.leaks, "activities": found.activities, "capability": found.capability}
    columns = ["kind", "count", "rows", "what", "consequence"]
    tables["data"] = pd.DataFrame([vars(remark) for remark in found.data], columns=columns)
    return Diagnosed(
        findings=found.findings,
        tables=tables | {"findings": findings_table(found.findings)},
        remarks=found.data,
        facts={"source": [vars(file) for file in history.source_files]},
        head=_in_both(_EXPORT, {"revenue": revenue}, history.currency, **counts),
    )


def of_plan(world: Scenario, outcome: Outcome) -> Diagnosed:
    """What the simulated years of a scenario under its plan (else today's) show.

    Raises:
        InputRefused: the outcome is of another scenario or plan.
    """
    found, plan = tuple(diagnose_scenario(world, outcome)), plan_of(world)
    money = {
        "expected": round(float(outcome["rep"].company("revenue").mean())),
        "quotas": sum(plan.quotas("revenue").values()),
    }
    return Diagnosed(
        findings=found,
        tables={
            "stages": stage_table(outcome),
            "activities": activity_table(world, outcome),
            "findings": findings_table(found),
        },
        facts={"simulation": {"seed": outcome.seed, "replications": outcome.replications, "plan": plan.name}},
        head=_in_both(_PLAN, money, world.currency, scenario=world.name, plan=plan.name, years=outcome.replications),
    )


def _in_both(texts: tuple[str, str], money: Mapping[str, int], currency: str, **fields: object) -> dict[Language, str]:
    languages: tuple[Language, Language] = ("en", "zh")
    return {
        language: text.format(**{name: amount(minor, language, currency) for name, minor in money.items()}, **fields)
        for language, text in zip(languages, texts, strict=True)
    }
