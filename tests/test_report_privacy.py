"""Reports that name nobody: pseudonyms and figures of groups alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from experiments.report.render import render
from experiments.report.table import LEAST_GROUP, withheld_groups
from history.diagnosis.finding import Finding
from report_example import EXAMPLE, K, Page, words_of


def secrets() -> Iterator[str]:
    for rep in EXAMPLE.reps:
        yield rep.id
        yield rep.name


@pytest.mark.parametrize("people", ["pseudonym", "aggregate"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_pseudonyms_hide_ids_and_names_everywhere(people: str, language: str) -> None:
    # The customer's own id must survive although a rep's id is part of it.
    move = replace(EXAMPLE.moves[0], account="E1-A03", reason="陈立和E2交接, E1's choice (e1)")
    html = render(replace(EXAMPLE, moves=(move, *EXAMPLE.moves[1:])), language, people=people)
    shown = words_of(html)
    for secret in secrets():
        assert not re.search(rf"(?<![A-Za-z0-9]){secret}(?![A-Za-z0-9])", shown), secret
    assert "李经理" not in html


def test_pseudonyms_are_stable_and_do_not_follow_the_old_order() -> None:
    first, second = render(EXAMPLE, people="pseudonym"), render(EXAMPLE, people="pseudonym")
    assert first == second
    shown = [who for who, _, _ in Page(first).column("quota") if who.startswith("Rep")]
    quotas = {f"{text}" for _, text, _ in Page(first).column("quota")}
    assert len(shown) == len(set(shown)) == len(EXAMPLE.reps)
    by_page = [text for who, text, _ in Page(first).column("quota") if who.startswith("Rep")]
    by_file = [f"{(rep.quota or 0) // K:,}" for rep in EXAMPLE.reps]
    assert set(by_file) <= quotas
    assert by_page != by_file


def test_ids_inside_longer_words_and_texts_are_told_apart() -> None:
    finding = Finding("leak", "company", "E1 and E10 differ; E1, 陈立负责, rep-E1 (E1)", "", "weak")
    given = replace(EXAMPLE, findings=(finding,))
    shown = words_of(render(given, people="pseudonym", pages=("diagnosis",)))
    assert "E10" in shown
    assert not re.search(r"E1(?!0)|陈立", shown)


def test_aggregate_edition_shows_no_single_person() -> None:
    html = render(EXAMPLE, people="aggregate")
    page = Page(html)
    assert [who for who, _, _ in page.column("quota")] == [
        "East 5 reps",
        "South 4 reps",
        "North 3 reps",
        "Company 12 reps",
    ]
    assert "Rep 0" not in words_of(html)
    assert "withheld" in page.sections["people"]
    assert "still ramping" not in html


@pytest.mark.parametrize("sizes", [(5, 2, 1), (4, 1), (1, 1, 1), (3, 3), (2, 4, 6)])
def test_groups_too_small_to_hide_a_person_are_joined(sizes: tuple[int, ...]) -> None:
    model = EXAMPLE.reps[0]
    reps = tuple(
        replace(model, id=f"{team}-{at}", team=f"T{team}") for team, size in enumerate(sizes) for at in range(size)
    )
    groups = withheld_groups(reps)
    assert all(len(group) >= LEAST_GROUP for group in groups.values())
    assert sum(len(group) for group in groups.values()) == len(reps)


def test_the_aggregate_audit_shows_no_single_person() -> None:
    html = render(EXAMPLE, "en", people="aggregate")
    assert "<circle" not in html
    assert "under 1 year" not in html
    assert "over 3 years" in html
