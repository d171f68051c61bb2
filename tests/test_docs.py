"""Every example in README and docs is run and prints what stands below it, commands parse, references are complete."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import quotalab
from quotalab.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
SKIP = "<!-- no-run -->"
MOST_YEARS = 12
"""Examples may ask for as many years as a reader should; the tests run them with fewer."""


def blocks(page: Path) -> Iterator[tuple[str, str, int, bool]]:
    """Language, text, line and whether it is exempt, of each fenced block."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        before = text[: match.start()].rstrip()
        yield match[1], match[2], text[: match.start()].count("\n") + 2, before.endswith(SKIP)


def fewer_years(code: str) -> str:
    return re.sub(r"(replications=)(\d+)", lambda found: f"{found[1]}{min(int(found[2]), MOST_YEARS)}", code)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


WITH_CODE = [page for page in PAGES if any(language == "python" for language, *_ in blocks(page))]


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_examples_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A block ``output`` is what the Python block before it prints, to the letter."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "example"}
    for language, code, line, exempt in blocks(page):
        if language == "output":
            assert capsys.readouterr().out == code, f"{name_of(page)}, line {line}"
        if language == "python" and not exempt:
            capsys.readouterr()
            source = "\n" * (line - 1) + fewer_years(code)
            exec(compile(source, name_of(page), "exec"), names)


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for language, text, _, exempt in blocks(page):
            if language in ("", "console", "sh", "bash") and not exempt:
                for line in re.sub(r"\\\n\s*", " ", text).splitlines():
                    told = line.strip().removeprefix("$ ")
                    if told.startswith("quotalab ") and "VERB" not in told:
                        yield name_of(page), told


@pytest.mark.parametrize(("page", "told"), sorted(set(commands())))
def test_commands_parse(page: str, told: str) -> None:
    arguments = shlex.split(told, comments=True)[1:]
    group = get_command(app)
    with group.make_context("quotalab", list(arguments), resilient_parsing=True) as context:
        verb = group.get_command(context, arguments[0])  # type: ignore[attr-defined]
        assert verb is not None, f"{page}: no verb {arguments[0]}"
        if set(arguments) & {"--help", "-h"}:
            return
        verb.make_context(arguments[0], arguments[1:], parent=context)


def options_of(verb: Any) -> set[str]:
    return {name for parameter in verb.params for name in parameter.opts if name.startswith("--")} - {"--help"}


def test_the_reference_of_the_command_line_is_complete() -> None:
    text = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    verbs = get_command(app).commands  # type: ignore[attr-defined]
    table = text[text.index("## Verbs") : text.index("`SCENARIO` is")]
    assert re.findall(r"^\| `(\w+)", table, re.MULTILINE) == list(verbs)
    there = set().union(*(options_of(verb) for verb in verbs.values()))
    told = set(re.findall(r"^\|[^`\n]*(?:`[\w`, ]+` \| )?`(--[a-z-]+)", text, re.MULTILINE))
    assert told == there


def test_the_reference_of_the_api_is_complete() -> None:
    text = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    for name in quotalab.__all__:
        assert re.search(rf"`(ql\.)?{re.escape(name)}[\s(`.]", text), name


def test_the_changelog_knows_this_version() -> None:
    assert f"## {quotalab.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_fences_are_found_and_years_are_cut() -> None:
    assert fewer_years("f(replications=200, x=3)") == f"f(replications={MOST_YEARS}, x=3)"
    assert fewer_years("replications=4") == "replications=4"
    assert len(WITH_CODE) >= 3
