"""What a lock's path names: a quota of any metric, level and period, an owner, training or care hours, a share."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import get_args

from scenarios.goals import RATIO_METRICS, Level, Metric

QUOTAS: dict[str, Level] = {"quota": "target", "floor": "floor", "stretch": "stretch"}
"""Kinds of locks on quotas, with the level that each speaks of."""
FORMS = (
    "quota.REP, quota.REP.METRIC, quota.REP.METRIC.FIRST_DAY (the same with floor or stretch), training.REP.SKILL, "
    "owner.ACCOUNT, care.ACCOUNT or share.SOURCE.REP"
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class LockedQuota:
    """A quota of one rep, metric and level, over the horizon or in the period that begins on ``start``."""

    rep: str
    metric: str = "revenue"
    level: Level = "target"
    start: date | None = None

    @property
    def path(self) -> str:
        """How it is written; revenue goes without saying."""
        kind = next(kind for kind, level in QUOTAS.items() if level == self.level)
        parts = [kind, self.rep, *([] if self.metric == "revenue" else [self.metric])]
        return ".".join([*parts, *([] if self.start is None else [self.start.isoformat()])])


def said(value: float | str) -> str:
    """A value as a person writes it: whole numbers without a decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def number(text: str) -> float | str:
    """A number where it is one; else the text, which the check of locks refuses with the rule."""
    try:
        # Python reads 1_000 as a number; who writes it more likely means something else.
        return text if "_" in text else float(text)
    except ValueError:
        return text


def locked_quota(path: str, reps: Collection[str]) -> LockedQuota | None:
    """The quota that a path names; None where it is no lock on a quota.

    Args:
        reps: whose names may hold dots themselves.

    Raises:
        ValueError: in words, where what stands behind the rep is no metric and no day, or is not how it is written.
    """
    kind, _, rest = path.partition(".")
    if kind not in QUOTAS or not rest:
        return None
    level = QUOTAS[kind]
    if rest in reps:
        return LockedQuota(rest, level=level)
    start: date | None = None
    head, _, last = rest.rpartition(".")
    if head and _DAY.fullmatch(last):
        try:
            start = date.fromisoformat(last)
        except ValueError:
            raise ValueError(f"{last} is no date of the calendar") from None
        rest = head
    head, _, last = rest.rpartition(".")
    metric = "revenue"
    if rest not in reps and head in reps:
        if last == "revenue":
            raise ValueError(f"revenue goes without saying: write {LockedQuota(head, 'revenue', level, start).path}")
        if last in RATIO_METRICS:
            raise ValueError(f"{last} is a ratio: lock {' and '.join(RATIO_METRICS[last])} instead")
        if last not in get_args(Metric):
            raise ValueError(f"{last} is no metric and no first day of a period")
        rest, metric = head, last
    return LockedQuota(rest, metric, level, start)


def locked_share(path: str, sources: Collection[str]) -> tuple[str, str] | None:
    """Source and rep of the share that a path names; None where it is no lock on a share of one of these sources.

    Args:
        sources: whose names may hold dots themselves; of several that fit the longest counts.
    """
    kind, _, rest = path.partition(".")
    found = [source for source in sources if rest.startswith(f"{source}.") and len(rest) > len(source) + 1]
    if kind != "share" or not found:
        return None
    source = max(found, key=len)
    return source, rest.removeprefix(f"{source}.")
