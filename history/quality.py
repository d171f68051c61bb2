"""What is wrong with an export: faults that refuse it, and repairs that are counted.

A fault either refuses the whole export (the default) or is tolerated, because the mapping file says so.
Whatever is dropped, blanked or replaced is counted here, so that no row vanishes unseen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from scenarios.errors import Problem

SHOWN = 5
"""How many offending rows a message names before it only counts."""


@dataclass(frozen=True)
class Remark:
    """One remark on the quality of the data.

    Attributes:
        kind: stable machine name, e.g. ``duplicate_id``.
        count: rows (or items) concerned.
        rows: rows of the table looked at.
        what: the fact, in a sentence.
        consequence: what was done about it, or what it means for the results.
    """

    kind: str
    count: int
    rows: int
    what: str
    consequence: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what} ({self.count} of {self.rows}); {self.consequence}"


@dataclass(frozen=True)
class Fault:
    """A rule for rows, with the policy of the mapping file that applies when rows break it."""

    kind: str
    rule: str
    remedy: str
    policy: str


_DONE = {
    "drop": "these rows were dropped",
    "first": "the first row of each id was kept, the later ones were dropped",
    "blank": "the value was left empty",
    "keep": "the rows were kept as they are",
}


@dataclass
class Ledger:
    """Collects every problem and finding of one reading, so that all are reported together."""

    problems: list[Problem] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def refuse(self, where: str, value: str, rule: str, remedy: str = "") -> None:
        """Note one problem that refuses the export."""
        self.problems.append(Problem(where, value, rule, remedy))

    def note(self, kind: str, count: int, rows: int, what: str, consequence: str) -> None:
        """Note a fact that does not refuse the export; nothing is noted for a count of 0."""
        if count:
            self.remarks.append(Remark(kind, int(count), int(rows), what, consequence))

    def judge(self, fault: Fault, broken: pd.Series, shown: pd.Series, lines: pd.Series, where: str) -> pd.Series:
        """Apply a fault's policy to the rows that break its rule.

        Args:
            broken: True where the rule is broken.
            shown: the offending values as the user wrote them.
            lines: line (or row) number in the file, same index.
            where: table and column for the message.

        Returns:
            True where a row stays in the table.
        """
        count = int(broken.sum())
        keep = pd.Series(True, index=broken.index)
        if not count:
            return keep
        if fault.policy == "refuse":
            allowed = f"{fault.remedy}, or set tolerate.{fault.kind} in the mapping file"
            self.refuse(
                where,
                f"{examples(shown[broken], lines[broken])} ({count} of {len(broken)} rows)",
                fault.rule,
                allowed,
            )
            return keep
        what = f"{where}: broken rule: {fault.rule}; {examples(shown[broken], lines[broken])}"
        self.note(fault.kind, count, len(broken), what, _DONE[fault.policy])
        if fault.policy in ("drop", "first"):
            keep = ~broken
        return keep


def examples(values: pd.Series, lines: pd.Series) -> str:
    """The first offending values with their line numbers, for a message."""
    named = [f"line {n} {v!r}" for v, n in zip(values.head(SHOWN), lines.head(SHOWN), strict=True)]
    return ", ".join(named) + (", ..." if len(values) > SHOWN else "")


def pile_up(days: np.ndarray, least: int = 20, times: float = 5.0) -> tuple[int, int] | None:
    """Find one day of age on which far more cases end than on its neighbours.

    A pile-up like this is the mark of a system that closes cases by itself after a fixed time.

    Args:
        days: ages in days at which cases ended, shape (n,), at least 0.
        least: cases that must end on that day.
        times: how many times the larger neighbour's level the day must reach. The neighbours are the two to
            four days before and after; the day next to the peak is left out: clocks and weekends smear it.

    Returns:
        ``(day, cases on that day)`` or None. Ages below 5 days are never a pile-up.
    """
    ages = np.asarray(days, dtype=float)
    if ages.size < least:
        return None
    counts = np.bincount(np.floor(ages[ages >= 0]).astype(int))
    padded = np.pad(counts, 4)
    best: tuple[int, int] | None = None
    for day in range(5, len(counts)):
        at = day + 4
        around = max(padded[at - 4 : at - 1].mean(), padded[at + 2 : at + 5].mean())
        if counts[day] < least or counts[day] < times * max(around, 1.0):
            continue
        if best is None or counts[day] > best[1]:
            best = (day, int(counts[day]))
    return best
