"""The decisions as long tables: who carries which target, is trained in what, owns and cares for which account."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from scenarios.goals import MONEY_METRICS

PLAN_SCHEMA_VERSION = 3
"""1: without floors and stretches; 2: without the list of its tables, so that one could be lost unseen."""


@dataclass(frozen=True, order=True)
class QuotaRow:
    """A quota of one rep for one metric within ``[start, end)``."""

    rep: str
    metric: str
    start: date
    end: date
    value: int
    """Minor units where the metric is money, else a count."""


@dataclass(frozen=True, order=True)
class LevelQuotaRow:
    """A floor or a stretch of one rep for one metric within ``[start, end)``, beside the quota itself."""

    rep: str
    metric: str
    level: str
    """``floor`` or ``stretch``."""
    start: date
    end: date
    value: int
    """Minor units where the metric is money, else a count."""


@dataclass(frozen=True, order=True)
class TrainingRow:
    """Training hours of one rep in one skill within ``[start, end)``."""

    rep: str
    skill: str
    start: date
    end: date
    hours: float


@dataclass(frozen=True, order=True)
class OwnerRow:
    """The rep who owns an account from a day on."""

    account: str
    rep: str
    start: date


@dataclass(frozen=True, order=True)
class CareRow:
    """Care hours a year planned for an account."""

    account: str
    hours: float


@dataclass(frozen=True, order=True)
class ShareRow:
    """A rep's share of a source's new leads within ``[start, end)``."""

    source: str
    rep: str
    start: date
    end: date
    share: float


@dataclass(frozen=True, order=True)
class LockRow:
    """A figure fixed by a person."""

    path: str
    value: str
    author: str = ""
    reason: str = ""
    time: str = ""


TABLES: dict[str, type] = {
    "targets": QuotaRow,
    "training": TrainingRow,
    "owners": OwnerRow,
    "care": CareRow,
    "shares": ShareRow,
    "locks": LockRow,
    "levels": LevelQuotaRow,
}
FIRST_TABLES = ("targets", "training", "owners", "care", "shares", "locks")
"""Tables of version 1: a plan without rows in later ones has the hash that it had then."""
QUOTA_TABLES = ("targets", "levels")
"""Tables of quotas: labels to whoever does not react to them."""


@dataclass(frozen=True)
class Plan:
    """A complete set of decisions; rows are kept sorted, so equal decisions are equal plans.

    Attributes:
        name: how pages call it.
        origin: where it came from ("given", "constructed: last sales x 1.05", "allocated", a baseline's name).
    """

    name: str
    origin: str = "given"
    targets: tuple[QuotaRow, ...] = ()
    training: tuple[TrainingRow, ...] = ()
    owners: tuple[OwnerRow, ...] = ()
    care: tuple[CareRow, ...] = ()
    shares: tuple[ShareRow, ...] = ()
    locks: tuple[LockRow, ...] = ()
    levels: tuple[LevelQuotaRow, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for table in TABLES:
            object.__setattr__(self, table, tuple(sorted(getattr(self, table))))

    def quotas(self, metric: str = "revenue") -> dict[str, int]:
        """Each rep's quota of a metric summed over its periods; reps without a row are absent (null is not zero)."""
        totals: dict[str, int] = {}
        for row in self.targets:
            if row.metric == metric:
                totals[row.rep] = totals.get(row.rep, 0) + row.value
        return totals

    def level_quotas(self, level: str, metric: str = "revenue") -> dict[str, int]:
        """Each rep's floor or stretch of a metric summed over its periods; reps without a row are absent."""
        totals: dict[str, int] = {}
        for row in self.levels:
            if (row.level, row.metric) == (level, metric):
                totals[row.rep] = totals.get(row.rep, 0) + row.value
        return totals

    def owner_of(self) -> dict[str, str]:
        """Owner of each account in force at the latest change."""
        return {row.account: row.rep for row in sorted(self.owners, key=lambda row: row.start)}

    def training_hours(self) -> dict[tuple[str, str], float]:
        """Hours by (rep, skill)."""
        hours: dict[tuple[str, str], float] = {}
        for row in self.training:
            hours[row.rep, row.skill] = hours.get((row.rep, row.skill), 0.0) + row.hours
        return hours

    def care_hours(self) -> dict[str, float]:
        """Care hours a year by account, for the accounts that the plan speaks of."""
        return {row.account: row.hours for row in self.care}

    def with_rows(self, name: str | None = None, origin: str | None = None, **tables: Iterable[Any]) -> Plan:
        """A copy with whole tables replaced."""
        changed: dict[str, Any] = {table: tuple(rows) for table, rows in tables.items()}
        return replace(self, name=name or self.name, origin=origin or self.origin, **changed)

    def decisions_hash(self) -> str:
        """Hash of everything that the simulator may read or a page may show, except names."""
        return self._hash(TABLES)

    def simulation_hash(self, *, quotas_matter: bool = False) -> str:
        """Hash of the decisions that move sales.

        Args:
            quotas_matter: whether reps react to quotas (:meth:`scenarios.scenario.Scenario.simulation_hash` knows);
                else quotas are labels.
        """
        labels = {"locks", "levels"} if quotas_matter else {"locks", *QUOTA_TABLES}
        return self._hash(name for name in TABLES if name not in labels)

    def _hash(self, names: Iterable[str]) -> str:
        known = [name for name in names if name in FIRST_TABLES or getattr(self, name)]
        tables = {name: [vars(row) for row in getattr(self, name)] for name in known}
        text = json.dumps(tables, sort_keys=True, default=str, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def is_money(metric: str) -> bool:
    """Whether values of this metric are money in minor units."""
    return metric in MONEY_METRICS


def row_columns(table: str) -> tuple[str, ...]:
    """Column names of a plan table."""
    return tuple(column.name for column in fields(TABLES[table]))
