"""The first page of a report in a few lines for a terminal, in the same words and the same order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from experiments.report.front import front
from experiments.report.input import ReportInput
from experiments.report.what_ifs import what_ifs
from experiments.report.wording import Wording, wording
from experiments.words import check_language


def summary(figures: ReportInput, language: str) -> str:
    """Decision, tiles, gain (the best simple rule first), trade table, what-ifs, warnings.

    Raises:
        InputRefused: pages do not exist in this language.
    """
    say = wording(figures, check_language(language))
    page = front(figures, say, persons=True)
    parts = [
        _strip(page["strip"], say),
        [say.t("decision.heading"), *_indented(page["decision"])],
        _indented(_tiles(page["tiles"])),
        [
            say.t("sure.heading"),
            *_indented([say.t("sure.played", years=figures.how_sure.years), *page["sure"]["lines"]]),
        ],
        [say.t("gain.heading"), *_indented(_gain(page["gain"], say))],
        [say.t("trade.heading"), *_indented(_trade(page["trade"], say))],
        [say.t("whatif.heading"), *_indented(_answers(figures, say))] if figures.what_ifs else [],
        [say.t("watch.heading"), *_indented(page["watch"])],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _indented(lines: Iterator[str] | list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _strip(strip: dict[str, Any], say: Wording) -> list[str]:
    flag = f"  [{say.t('page.demo')}]" if strip["demo"] else ""
    facts = "; ".join(f"{label}{say.t('page.colon')}{value}" for label, value in strip["facts"])
    return [f"{strip['company']}{flag}", facts]


def _tiles(tiles: list[dict[str, Any]]) -> Iterator[str]:
    for tile in tiles:
        yield f"{tile['label']}: {tile['today']} → {tile['plan']} ({tile['note']})"


def _gain(gain: dict[str, Any], say: Wording) -> Iterator[str]:
    heads = (say.t("gain.against_rule"), say.t("gain.against_today"))
    for row in gain["rows"]:
        cells = (
            f"{head}: {' '.join(part for part in (cell['text'], cell['ends'], cell['word']) if part)}"
            for head, cell in zip(heads, row["cells"], strict=True)
        )
        yield f"{row['label']}: {'; '.join(cells)}"
    yield gain["note"]


def _trade(trade: dict[str, Any], say: Wording) -> Iterator[str]:
    for row in trade["rows"]:
        mark = f" ← {say.t('plan.plan')}" if row["is_plan"] else ""
        hits = f"{say.t('tile.hit_rate')} {row['hit_rate']}"
        yield f"{row['share']}: {row['sum']}; {hits}; {say.t('tile.target_chance')} {row['company']}{mark}"


def _answers(figures: ReportInput, say: Wording) -> Iterator[str]:
    for case in what_ifs(figures, say)["cases"]:
        facts = "; ".join(f"{label} {value}" for label, value in case["facts"])
        yield f"{case['name']}: {say.t('whatif.sales')} {case['sales']} {case['ends']} {case['word']}"
        yield f"  {facts}"
