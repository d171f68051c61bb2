"""The fairness audit of a report as texts and positions: a verdict, a picture, the tests, and feasible plans beside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from experiments.fairness_audit import FairnessAudit
from experiments.fairness_checks import FEWEST_FOR_GROUPS, Check
from experiments.fairness_people import PersonRow
from experiments.report.charts import Axis, axis_around_zero
from experiments.report.wording import Wording
from experiments.words import listed

View = dict[str, Any]

MOST_ENVIOUS = 6
_WIDE = 2.0
"""The picture is twice as wide as it is high."""


def fairness(found: FairnessAudit | None, say: Wording, labels: dict[str, str]) -> View:
    """The audit; empty where there is nobody to audit.

    Args:
        labels: rep -> how the edition calls them; whoever is missing is not named.
    """
    if found is None:
        return {}
    return {
        "verdict": say.t(
            "fair.verdict_unfair" if found.flagged else "fair.verdict_calm", level=say.percent(found.level)
        ),
        "flagged": found.flagged,
        "facts": list(_facts(found, say, labels)),
        "picture": _picture(found.people, labels, say),
        "checks": [_check(check, say) for check in found.checks],
        "quarters": [
            (
                say.t(f"fair.quarter_{row.quarter}"),
                str(row.people),
                say.ratio(row.quota_over_potential),
                say.percent(row.attainment),
                say.percent(row.chance),
            )
            for row in found.quarters
        ],
        "groups": [
            (
                say.t(f"fair.{row.by}"),
                say.known("tenure", row.group) if row.by == "tenure" else row.group,
                str(row.people),
                say.ratio(row.quota_over_potential),
                say.percent(row.attainment),
                say.percent(row.chance),
            )
            for row in found.groups
        ],
        "feasible": [
            {
                "figure": say.t(f"fair.{row.figure}"),
                "value": say.ratio(row.value, 3),
                "range": say.t("page.range", low=say.ratio(row.low, 3), high=say.ratio(row.high, 3)),
                "worse": say.percent(row.worse),
                "bar": (axis := axis_around_zero(row.low, row.high, row.value)).bar(row.low, row.high),
                "at": axis.at(row.value),
                "kind": "grave" if row.outlier else "",
                "word": say.t("fair.outlier" if row.outlier else "fair.usual"),
            }
            for row in found.feasible
        ],
        "notes": [say.known("fair_note", text) for text in found.notes],
    }


def _facts(found: FairnessAudit, say: Wording, labels: dict[str, str]) -> Iterator[str]:
    yield say.t(
        "fair.gini",
        people=len(found.people) or sum(row.people for row in found.quarters),
        quota=say.ratio(found.gini_quota, 3),
        attainment=say.ratio(found.gini_attainment, 3),
    )
    yield say.t("fair.envy", share=say.percent(found.envious))
    envious = [
        say.t("fair.rather", who=labels[row.rep], place=labels[row.rather_be], chance=say.percent(row.chance_there))
        for row in sorted(found.people, key=lambda row: row.chance - row.chance_there)
        if row.rather_be and row.rep in labels
    ]
    if envious:
        yield say.t("fair.envious", shown=listed(envious, say.language, MOST_ENVIOUS))
    people = sum(row.people for row in found.quarters)
    if people < FEWEST_FOR_GROUPS:
        yield say.t("fair.few", people=people)


def _check(check: Check, say: Wording) -> View:
    """A test in words; whatever only one test alone would call unequal is called weak."""
    if check.flagged:
        kind, key = "grave", "fair.unfair"
    elif check.p_value is None:
        kind, key = "", "fair.described"
    elif check.p_value <= 0.05:
        kind, key = "", "fair.weak"
    else:
        kind, key = "", "fair.nothing"
    return {
        "measure": say.t(f"fair.{check.measure}"),
        "against": say.t(f"fair.{check.against}"),
        "correlation": say.t("page.not_known") if check.correlation is None else f"{check.correlation:+.2f}",
        "gap": say.percent(check.gap, signed=check.correlation is not None),
        "p": say.t("page.not_known") if check.p_value is None else f"{check.p_value:.3f}",
        "all": say.t("page.not_known") if check.p_adjusted is None else f"{check.p_adjusted:.3f}",
        "word": say.t(key),
        "note": say.known("fair_note", check.note),
        "kind": kind,
    }


def _picture(people: tuple[PersonRow, ...], labels: dict[str, str], say: Wording) -> View:
    """Attainment against the size of the territory: a dot a person, and the mean of each quarter as a line."""
    if not people:
        return {}
    across = Axis(min(row.potential for row in people), max(row.potential for row in people))
    reached = [row.attainment for row in people]
    up = Axis(min(*reached, 1.0), max(*reached, 1.0))

    def height(value: float) -> float:
        return round(100.0 - up.at(value), 2)

    means = []
    for number in sorted({row.quarter for row in people}):
        mine = [row for row in people if row.quarter == number]
        ends = [_WIDE * across.at(end(row.potential for row in mine)) for end in (min, max)]
        means.append((*ends, height(sum(row.attainment for row in mine) / len(mine))))
    dots = [
        {
            "x": _WIDE * across.at(row.potential),
            "y": height(row.attainment),
            "kind": "rather" if row.rather_be else "",
            "title": f"{labels.get(row.rep, '')} {say.percent(row.attainment)}".strip(),
        }
        for row in people
    ]
    return {
        "dots": dots,
        "means": means,
        "level": height(1.0),
        "low": say.cell(across.low),
        "high": say.cell(across.high),
        "least": say.percent(min(reached)),
        "most": say.percent(max(reached)),
    }
