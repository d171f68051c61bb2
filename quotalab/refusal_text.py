"""Refusals in the language of whoever asked.

In English a refusal is told as it was raised. In Chinese its frame is (how many problems, place, value, rule, way out),
and with it every text that the table of words has: those on files, tables, plans and fields. Names of fields and
commands stay as they are written; a text without an entry stays in English, whole.
"""

from __future__ import annotations

from experiments.words import known, word
from scenarios.errors import InputRefused, Problem, Unsupported


def refusal_text(error: InputRefused) -> str:
    """All problems, one a line, in the language of the error."""
    if error.language != "zh":
        return str(error)
    heading = "refused.here" if isinstance(error, Unsupported) else "refused.heading"
    lines = [word(heading, "zh", count=len(error.problems))]
    return "\n".join([*lines, *(f"  {_told(problem)}" for problem in error.problems)])


def _told(problem: Problem) -> str:
    value = word("refused.value", "zh", value=problem.value) if problem.value else ""
    way_out = known("fault", problem.remedy, "zh")
    return word(
        "refused.problem",
        "zh",
        place=known("fault_place", problem.where, "zh"),
        value=value,
        rule=known("fault", problem.rule, "zh"),
        way_out=word("refused.way_out", "zh", way_out=way_out) if way_out else "",
    )
