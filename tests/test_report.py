"""The report: every block in both languages, figures that tie, nothing loaded from outside."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.bounds import Bounds
from experiments.report.charts import waterfall
from experiments.report.input import (
    GainColumn,
    ReportInput,
)
from experiments.report.render import PAGES, render, write
from experiments.report.table import MOST_ROWS
from experiments.report.what_ifs import what_ifs
from experiments.report.wording import wording
from experiments.words import word
from history.diagnosis.finding import Finding
from optimize.bases import BasisRow
from report_example import BLOCKS, EXAMPLE, STAFF, Page, difference, mean
from scenarios.errors import InputRefused


@pytest.mark.parametrize("language", ["en", "zh"])
def test_first_page_has_every_block_in_order(language: str) -> None:
    page = Page(render(EXAMPLE, language))
    assert tuple(page.blocks) == (*BLOCKS, "assumed")
    assert tuple(page.sections) == PAGES


def test_chinese_pages_speak_chinese_and_count_in_wan() -> None:
    page = Page(render(EXAMPLE, "zh"))
    front = page.sections["front"]
    assert "2,835万元" in front
    assert "签约额，不含税" in front
    assert "公式" not in front
    for english in ("Decision", "Quota", "target", "proven", "today"):
        assert english not in front


@pytest.mark.parametrize("people", ["named", "pseudonym", "aggregate"])
def test_report_asks_for_nothing_outside_itself(people: str) -> None:
    html = render(EXAMPLE, people=people)
    assert all(link.startswith("#") for link in Page(html).outside)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link|<img|<iframe", html)


def test_texts_from_data_are_escaped() -> None:
    nasty = '<script>alert("x")</script> & Söhne'
    rep = replace(EXAMPLE.reps[0], name=nasty, gains=(nasty,))
    given = replace(
        EXAMPLE,
        strip=replace(EXAMPLE.strip, company=nasty, plan_name=nasty),
        reps=(rep, *EXAMPLE.reps[1:]),
        moves=(replace(EXAMPLE.moves[0], name=nasty, reason=nasty),),
        findings=(Finding("leak", nasty, nasty, nasty, "weak", {nasty: 1.0}),),
        what_ifs=(replace(EXAMPLE.what_ifs[0], name=nasty),),
        audit=(replace(EXAMPLE.audit[0], exception=nasty),),
        assumptions=(replace(EXAMPLE.assumptions[0], note=nasty),),
        notes=(nasty,),
        manifest=((nasty, nasty),),
    )
    html = render(given)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 10
    assert "&amp; Söhne" in html


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sums_on_the_page_tie_to_the_cent(language: str) -> None:
    odd = tuple(replace(rep, quota=rep.quota + at, waterfall=()) for at, rep in enumerate(EXAMPLE.reps) if rep.quota)
    given = replace(EXAMPLE, reps=odd)
    page = Page(render(given, language, pages=("front",)))
    for column, field in (("quota", "quota"), ("last", "last_sales"), ("potential", "potential")):
        rows = page.column(column)
        company = rows[-1][2]
        team_sum = sum(minor or 0 for who, _, minor in rows if who.startswith(("East", "South", "North")))
        rep_sum = sum(minor or 0 for who, _, minor in rows if re.match(r"[ESN]\d ", who))
        assert rep_sum == team_sum == company == sum(getattr(rep, field) or 0 for rep in odd)
    unit = 1_000 if language == "en" else 10_000
    for _, text, minor in page.column("quota"):
        assert round(float(text.replace(",", "")) * unit * 100) == minor


def test_a_waterfall_that_does_not_sum_to_the_quota_is_refused() -> None:
    with pytest.raises(InputRefused, match="to the cent"):
        replace(EXAMPLE.reps[0], quota=(EXAMPLE.reps[0].quota or 0) + 1)


def test_parts_of_a_gain_that_do_not_sum_are_refused() -> None:
    with pytest.raises(InputRefused, match="sum to the total"):
        GainColumn("today", (("accounts", difference(100, 5)),), difference(101, 5))


def test_bounds_stand_in_the_appendix_alone_and_none_is_claimed_on_the_best_plan() -> None:
    for language, bound, ceiling in (
        ("en", "at most 0.28 % of the quota total below the best split", "Best possible plan: unknown"),
        ("en", "programme fitted around it: at most 0.61 % of the quota total", "Best possible plan: unknown"),
        ("zh", "至多差指标总额的 0.28 %", "可能的最优方案：未知"),
        ("zh", "规划内：距最优至多差指标总额的 0.61 %", "可能的最优方案：未知"),
    ):
        last = render(EXAMPLE, language, pages=("appendix",))
        assert bound in last
        assert ceiling in last
        assert bound not in render(EXAMPLE, language, pages=("front", "people", "fairness"))
    unknown = replace(EXAMPLE, promise=replace(EXAMPLE.promise, bounds=Bounds.none("quotas_move_sales")))
    assert render(unknown, "en", pages=("appendix",)).count("no bound (quotas move sales here") == 2
    assert render(unknown, "zh", pages=("appendix",)).count("指标会影响销售额") == 2


def test_attainment_is_shown_uncapped_and_capped_attainment_only_in_the_appendix() -> None:
    given = replace(EXAMPLE, plan=replace(EXAMPLE.plan, attainment=mean(1.34)))
    page = Page(render(given))
    assert "attainment 98% → 134%" in page.sections["front"]
    assert "capped" not in page.sections["front"]
    assert "91.5%" in page.sections["appendix"]
    assert "91.5%" not in page.sections["front"]
    assert "106%" in page.sections["people"]  # E5: expected 1,261 against a quota of 1,187


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_parts_of_a_quota_add_up_as_they_are_shown(language: str) -> None:
    odd = replace(EXAMPLE.reps[0], basis=BasisRow("E1", 3_904_600_49.0, 4_012_000_00.0, 4_119_200_51.0, 4_290_000_00))
    html = render(replace(EXAMPLE, reps=(odd, *EXAMPLE.reps[1:])), language, pages=("people",))
    pattern = {
        "en": r"By the territory alone (\S+), half and half (\S+), by the person (\S+): the person.*?s part is (\S+),",
        "zh": r"仅按销售区域 (\S+)，各半 (\S+)，按个人 (\S+)：个人部分 (\S+?)（",
    }
    parts = re.search(pattern[language], html)
    assert parts is not None
    territory, half, full, person = (float(part.replace(",", "").replace("−", "-")) for part in parts.groups())
    assert (half, full) == {"en": (4_012, 4_119), "zh": (401, 412)}[language]
    assert round(territory + person, 6) == full


@pytest.mark.parametrize(
    ("hours", "whose", "label", "text"),
    [
        (934.4, (("E1", 40.0),), "Hours taken", "934 h: E1 40 h"),
        (410.0, (), "Hours taken", "410 h"),
        (-616.2, (("S2", 2.0),), "Hours released", "616 h net; more work for S2 2 h"),
        (-616.2, (), "Hours released", "616 h"),
        (0.3, (), "Hours taken", "none, on balance"),
        (-0.4, (("S2", 2.0),), "Hours taken", "none, on balance; more work for S2 2 h"),
    ],
)
def test_hours_are_taken_or_released(hours: float, whose: tuple[tuple[str, float], ...], label: str, text: str) -> None:
    case = replace(EXAMPLE.what_ifs[0], hours=hours, whose=whose)
    facts = what_ifs(replace(EXAMPLE, what_ifs=(case,)), wording(EXAMPLE, "en"))["cases"][0]["facts"]
    assert facts[-1] == (label, text)


@pytest.mark.parametrize(
    ("minor", "english", "chinese"),
    [
        (0, "no cost", "无成本"),
        (233_000_00, "233k", "23.3万元"),
        (-12_000_00, "saves 12k", "节省 1.2万元"),
        (300_00, "0.3k", "0.03万元"),
        (-4_00, "saves 0.004k", "节省 0.0004万元"),
    ],
)
def test_costs_read_as_costs(minor: int, english: str, chinese: str) -> None:
    case = replace(EXAMPLE.what_ifs[0], costs=(("leads", minor),) if minor else (), cost_per_year=minor)
    given = replace(EXAMPLE, what_ifs=(case,))
    for language, text in (("en", english), ("zh", chinese)):
        facts = dict(what_ifs(given, wording(given, language))["cases"][0]["facts"])
        say = wording(given, language)
        assert facts[say.t("whatif.cost")] == facts[say.t("whatif.cost_year")] == text


def large_company(reps: int, teams: int) -> ReportInput:
    model = EXAMPLE.reps[0]
    rows = tuple(
        replace(model, id=f"R{at:03}", name=f"Name {at}", team=f"Team {at % teams}", waterfall=()) for at in range(reps)
    )
    return replace(EXAMPLE, reps=rows, strip=replace(EXAMPLE.strip, target=None), trades=(), audit=())


def test_large_companies_show_teams_first_and_everyone_on_a_page_of_its_own() -> None:
    given = large_company(60, 25)
    page = Page(render(given))
    assert "everyone" in page.sections
    front = Page(render(given, pages=("front",)))
    first = [row for row in front.column("quota") if row[2] is not None]
    quotas = [minor for _, _, minor in first[: first.index(next(row for row in first if row[0].startswith("Company")))]]
    assert len(quotas) <= MOST_ROWS
    assert sum(minor or 0 for minor in quotas) == given.quota_sum


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"language": "fr"}, "fr"), ({"people": "nobody"}, "nobody"), ({"pages": ("front", "back")}, "back")],
)
def test_unknown_language_edition_or_page_is_refused(arguments: dict[str, str], named: str) -> None:
    with pytest.raises(InputRefused, match=named):
        render(EXAMPLE, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_audit_tells_what_is_unequal_and_calls_weak_evidence_weak(language: str) -> None:
    html = render(EXAMPLE, language)
    page = Page(html)
    rows = {tuple(text for _, text, _ in row[:2]): [text for _, text, _ in row] for row in page.rows if len(row) == 7}
    names = {key: word(f"fair.{key}", language) for key in ("quota_over_potential", "attainment", "territory")}
    found = {
        measure: rows[names[measure], names["territory"]][-1] for measure in ("quota_over_potential", "attainment")
    }
    assert found == {
        "quota_over_potential": word("fair.unfair", language),
        "attainment": word("fair.weak", language),
    }
    text = page.sections["fairness"]
    assert word("fair.outlier", language) in text
    assert word("fair.rather", language, who="E1 陈立", place="E5 王磊", chance="68%") in text
    picture = html[html.index('<figure class="scatter">') :]
    picture = picture[: picture.index("</figure>")]
    assert picture.count("<circle") == len(STAFF)
    assert picture.count('class="rather"') == 1
    nobody = render(replace(EXAMPLE, fairness=None), language)
    assert word("fair.nobody", language) in nobody


def test_drawings_stay_inside_their_box() -> None:
    for steps in ((("a", 100), ("b", -30), ("c", 5)), (("a", -5), ("b", 3)), (("a", 0),), (("a", 7),)):
        bars = waterfall(steps)
        assert len(bars) == len(steps) + 1
        assert all(bar.left >= 0 and bar.left + bar.width <= 100.01 for bar in bars)


def test_writing_replaces_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.html"
    write("first", path)
    write("<html>第二</html>", path)
    assert path.read_text(encoding="utf-8") == "<html>第二</html>"
    assert list(path.parent.iterdir()) == [path]
