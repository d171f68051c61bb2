"""A history's key figures and statements, gathered for one run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import pandas as pd

from experiments.money import Language, amount
from history.compare import DIMENSIONS, by_cohort, by_period, by_unit, overall
from history.crm import History
from history.quality import Finding
from history.statements import Statement, statements
from history.survival import funnel

_WORDS = {
    "head": (
        "{opportunities:,} opportunities: {won:,} won, {lost:,} lost, {open:,} open; signed {revenue}",
        "商机 {opportunities:,}：赢单 {won:,}，丢单 {lost:,}，在手 {open:,}；签约额 {revenue}",
    ),
    "strength": ("[{strength}] {text}", "[{strength}] {text}"),
    "quality": ("on the data:", "数据质量："),
    "none": ("no difference shown", "未见差异"),
    "weak": ("weak", "弱"),
    "moderate": ("moderate", "中"),
    "strong": ("strong", "强"),
}


@dataclass(frozen=True)
class Diagnosis:
    """What a history says.

    Attributes:
        tables: by name: ``overall``, ``by_month``, ``by_cohort``, one ``by_DIMENSION`` for each dimension that the
            export tells, ``funnel`` where stages are known, ``statements``, ``quality``. Money in minor units in
            columns that end in ``_minor``.
        said: the statements, the reps first.
        remarks: on the quality of the data.
        source: the files read, for the manifest.
    """

    tables: dict[str, pd.DataFrame]
    said: tuple[Statement, ...]
    remarks: tuple[Finding, ...]
    source: list[dict[str, Any]]
    currency: str

    def text(self, language: Language) -> str:
        """Key figures, statements and remarks on the data, for a terminal."""
        row = self.tables["overall"].iloc[0]
        counts = {name: int(row[name]) for name in ("opportunities", "won", "lost", "open")}
        revenue = amount(int(row["revenue_minor"]), language, self.currency)
        lines = [_word("head", language).format(**counts, revenue=revenue)]
        for statement in self.said:
            text = statement.chinese if language == "zh" else statement.english
            lines.append(_word("strength", language).format(strength=_word(statement.strength, language), text=text))
        if self.remarks:
            lines.append(_word("quality", language))
            lines += [f"  {one.what} ({one.count} / {one.rows}); {one.consequence}" for one in self.remarks]
        return "\n".join(lines)

    def content_hash(self) -> str:
        """Hash of all tables."""
        digest = hashlib.sha256()
        for name, table in sorted(self.tables.items()):
            digest.update(name.encode() + b"\n" + table.to_csv(index=False, lineterminator="\n").encode())
        return digest.hexdigest()


def diagnosis(history: History) -> Diagnosis:
    """Every comparison that this history allows, and the statements that follow."""
    said = statements(history)
    tables = {"overall": overall(history), "by_month": by_period(history), "by_cohort": by_cohort(history)}
    for dimension in DIMENSIONS:
        if history.opportunities[dimension].notna().any():
            tables[f"by_{dimension}"] = by_unit(history, dimension)
    if len(history.visits):
        tables["funnel"] = funnel(history)
    tables["statements"] = pd.DataFrame(
        [
            {
                "kind": one.kind,
                "strength": one.strength,
                "english": one.english,
                "chinese": one.chinese,
                "evidence": "; ".join(f"{name} {value:g}" for name, value in one.evidence.items()),
            }
            for one in said
        ],
        columns=["kind", "strength", "english", "chinese", "evidence"],
    )
    tables["quality"] = pd.DataFrame(
        [vars(finding) for finding in history.quality], columns=["kind", "count", "rows", "what", "consequence"]
    )
    source = [vars(file) for file in history.source_files]
    return Diagnosis(tables, said, history.quality, source, history.currency)


def _word(key: str, language: Language) -> str:
    return _WORDS[key][language == "zh"]
