"""The report: one HTML file that needs nothing beside itself, its first page a decision on one sheet of A4.

:func:`render` turns a :class:`~experiments.report.input.ReportInput` into the page. Everything is inside the file:
style, drawings, texts; no request leaves it. Every text that comes from data is escaped.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from experiments.money import Language
from experiments.report import pages as report_pages
from experiments.report.assemble import assemble
from experiments.report.fairness import fairness
from experiments.report.front import front
from experiments.report.input import ReportInput
from experiments.report.privacy import edition
from experiments.report.table import MOST_ROWS, teams
from experiments.report.what_ifs import what_ifs
from experiments.report.wording import Wording, rep_label, wording
from experiments.words import check_language
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.folders import check_place

__all__ = ["PAGES", "assemble", "check_page", "page_model", "render", "write"]

PAGES = ("front", "people", "diagnosis", "what_ifs", "fairness", "appendix")


def render(
    given: ReportInput,
    language: str = "en",
    *,
    people: str = "named",
    pages: Sequence[str] = PAGES,
) -> str:
    """The report as one HTML document.

    Args:
        given: all figures.
        language: ``en`` or ``zh``.
        people: ``named``; ``pseudonym`` hides ids and names everywhere; ``aggregate`` shows no single person.
        pages: which of :data:`PAGES`; ``("front",)`` is the one-page edition.

    Raises:
        InputRefused: unknown language, edition or page.
    """
    refuse_if(
        Problem("pages", page, "no such page", f"known: {', '.join(PAGES)}") for page in pages if page not in PAGES
    )
    spoken: Language = check_language(language)
    shown = edition(given, people, spoken)
    say = wording(shown, spoken)
    template = _environment().get_template("report.html")
    return template.render(t=say.t, pages=tuple(pages), **page_model(shown, say, persons=people != "aggregate"))


def page_model(given: ReportInput, say: Wording, *, persons: bool) -> dict[str, Any]:
    """All pages as texts and positions, ready to be placed."""
    crowded = len(given.reps) + len(teams(given.reps)) > MOST_ROWS
    return {
        "front": front(given, say, persons=persons),
        "everyone": report_pages.everyone(given, say) if persons and crowded else [],
        "people": report_pages.people(given, say, persons=persons),
        "findings": report_pages.diagnosis(given, say),
        "what_ifs": what_ifs(given, say),
        "fair": fairness(given.fairness, say, {rep.id: rep_label(rep) for rep in given.reps} if persons else {}),
        "audit": report_pages.audit(given, say),
        "appendix": report_pages.appendix(given, say),
        "unit": say.table.name,
        "persons": persons,
    }


def check_page(path: Path) -> None:
    """Refuse a place where no page can be put.

    Raises:
        InputRefused: it is a folder, or nothing can be written there.
    """
    check_place(path)
    if path.is_dir():
        raise InputRefused(Problem(str(path), "", "is a folder", "name a file, such as report.html"))


def write(html: str, path: Path) -> Path:
    """Put a rendered report in place; a reader never sees a half-written file.

    Raises:
        InputRefused: see :func:`check_page`.
    """
    check_page(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            out.write(html)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("experiments"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
