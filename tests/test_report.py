"""The report: every block in both languages, figures that tie, nothing loaded, nobody named who must not be."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from experiments.bounds import Bounds, ProgrammeBound, QuotaBound
from experiments.fairness_audit import Among, FairnessAudit, GroupRow
from experiments.fairness_checks import Check
from experiments.fairness_people import PersonRow, quarters
from experiments.parameter_error import ErrorSources
from experiments.report.charts import waterfall
from experiments.report.decision import decision, verdict
from experiments.report.details import (
    Assumption,
    AuditRow,
    Handed,
    Move,
    PlanRow,
    Promise,
    WhatIf,
)
from experiments.report.input import (
    BackCast,
    Gain,
    GainColumn,
    Headline,
    HowSure,
    ReportInput,
    RepRow,
    Strip,
    Trade,
)
from experiments.report.loop import LoopPage
from experiments.report.render import PAGES, render, write
from experiments.report.table import LEAST_GROUP, MOST_ROWS, withheld_groups
from experiments.report.watch import MOST_WATCH_OUTS, questions, watch_outs
from experiments.report.what_ifs import what_ifs
from experiments.report.wording import wording
from experiments.words import word
from history.diagnosis.care import Care
from history.diagnosis.finding import Finding
from quotalab.summary import summary
from scenarios.errors import InputRefused
from sim.binomial import wilson
from sim.interval import Interval, student_interval

K = 1_000_00
YEARS = 120
BLOCKS = ("strip", "decision", "tiles", "sure", "gain", "who", "trade", "watch", "ask")
NOTHING = Interval(0.0, 0.0, 0.0, 0.95, YEARS, "one simulation, no difference possible")

# id, name, team, last, quota today, quota, potential, chance of YEARS, expected, busy of 1316 hours
STAFF = (
    ("E1", "陈立", "East", 4250, 4600, 4290, 5150, 61, 4198, 1158),
    ("E2", "周敏", "East", 2700, 2950, 2930, 3610, 58, 2874, 1092),
    ("E3", "吴昊", "East", 2200, 2400, 2250, 2900, 57, 2203, 1066),
    ("E4", "郑爽", "East", 1800, 1950, 1910, 2420, 55, 1866, 1040),
    ("E5", "王磊", "East", 950, 1050, 1187, 1690, 63, 1261, 948),
    ("S1", "冯雪", "South", 3450, 3750, 3720, 4480, 56, 3651, 1105),
    ("S2", "蒋涛", "South", 2350, 2550, 2640, 3300, 58, 2603, 1026),
    ("S3", "沈洁", "South", 1750, 1900, 1760, 2350, 56, 1722, 987),
    ("S4", "韩冰", "South", None, 800, 860, 1180, 54, 846, 790),
    ("N1", "杨帆", "North", 3150, 3400, 3540, 4270, 58, 3472, 1079),
    ("N2", "朱琳", "North", 1750, 1900, 1975, 2560, 57, 1931, 1000),
    ("N3", "秦岭", "North", 1050, 1150, 1288, 1655, 40, 1141, 934),
)


def difference(estimate: float, error: float, comparisons: int = 3) -> Interval:
    """A paired difference in thousands."""
    return student_interval(estimate * K, error * K, YEARS, 0.95, "paired Student", comparisons)


def mean(estimate: float, error: float = 0.01) -> Interval:
    return student_interval(estimate, error, YEARS, 0.95, "Student")


def staff() -> tuple[RepRow, ...]:
    rows = []
    for code, name, team, last, today, quota, potential, hits, expected, busy in STAFF:
        base = round((last or today) * 1.06)
        bars = [("equal share", base), ("potential", 40), ("skill", -25), ("training", 30 if code != "E1" else 0)]
        bars += [("other rules", -12), ("rounding", quota - base - sum(value for _, value in bars[1:]) + 12)]
        rows.append(
            RepRow(
                id=code,
                name=name,
                team=team,
                last_sales=None if last is None else last * K,
                quota_today=today * K,
                quota=quota * K,
                potential=potential * K,
                chance=wilson(hits, YEARS),
                chance_today=wilson(max(hits - 14, 5), YEARS),
                expected=expected * K,
                low=expected * 0.76 * K,
                high=expected * 1.26 * K,
                busy=busy,
                available=1316 if code != "S4" else 1100,
                gains=("C017 远航机械",) if code in ("E5", "N2") else (),
                losses=("C017 远航机械", "C031 蓝海电子") if code == "E1" else (),
                training=(("negotiation", 16.0), ("market_insight", 8.0)),
                waterfall=tuple((factor, value * K) for factor, value in bars),
                opportunity=round(quota * 0.91) * K,
                person=round(quota * 0.05) * K,
                ramping=code == "S4",
                hired=date(2026, 3, 2) if code == "S4" else None,
            )
        )
    return tuple(rows)


def audited(reps: tuple[RepRow, ...]) -> FairnessAudit:
    """An audit in which one thing is unequal beyond chance, one only weakly, and E1 would rather be E5."""
    rows = []
    for at, rep in enumerate(sorted(reps, key=lambda rep: rep.potential or 0)):
        place = "E5" if rep.id == "E1" else ""
        figures = (1.02, round(rep.expected), rep.expected / (rep.quota or 1), 0.9, 0.5, 0.05)
        rows.append(
            PersonRow(rep.id, rep.team, "", "over 3 years", "mid", rep.quota or 0, rep.potential or 0, *figures,
                      1 + 4 * at // len(reps), place, 0.68 if place else 0.5)
        )  # fmt: skip
    return FairnessAudit(
        plan="B",
        level=0.05,
        people=tuple(rows),
        checks=(
            Check("quota_over_potential", "territory", 0.74, 0.33, 0.004, 0.012, flagged=True),
            Check("attainment", "territory", -0.31, -0.04, 0.03, 0.12),
            Check("attainment", "growth", 0.1, 0.0, note="described only: the quota is in both"),
            Check("attainment", "team", None, 0.08, note="fewer than 30 people"),
        ),
        groups=(GroupRow("tenure", "over 3 years", 11, 27_000 * K, 1.0, 0.99, 0.47),
                GroupRow("tenure", "under 1 year", 1, 860 * K, 0.8, 0.95, 0.4)),
        quarters=quarters(tuple(rows)),
        feasible=(Among("range_of_chances", 0.7, 0.3, 0.4, 0.6, 0.004, outlier=True),),
        rules=(),
        gini_quota=0.057,
        gini_attainment=0.024,
        envious=1 / 12,
        notes=("groups are shown, but tested from 30 people on only",),
    )  # fmt: skip


def example() -> ReportInput:
    """An invented company under a plan with a modest proven gain."""
    reps = staff()
    quota_sum = sum(rep.quota or 0 for rep in reps)
    over_rule = GainColumn(
        "strong", (("training", difference(180, 52)), ("accounts", difference(232, 61))), difference(412, 78)
    )
    over_today = GainColumn(
        "today", (("training", difference(391, 66)), ("accounts", difference(292, 70))), difference(683, 92)
    )
    return ReportInput(
        strip=Strip(
            company="启航工业软件",
            first_day=date(2026, 1, 1),
            last_day=date(2026, 12, 31),
            currency="CNY",
            vat_included=False,
            data_date="2025-12-31",
            invented=True,
            plan_name="B",
            plan_version="3f9a1c20",
            target=27_000 * K,
        ),
        today=Headline(
            mean(27_085 * K, 210 * K), 23_900 * K, 30_700 * K, wilson(58, YEARS), mean(0.44), mean(0.98), 0.41, 0.0
        ),
        plan=Headline(
            mean(27_768 * K, 214 * K), 24_400 * K, 31_300 * K, wilson(71, YEARS), mean(0.47), mean(0.99), 0.25, 118 * K
        ),
        how_sure=HowSure(
            (24_400 * K, 31_300 * K),
            (26_300 * K, 29_150 * K),
            0.94,
            None,
            YEARS,
            Interval(-0.012, -0.021, -0.003, 0.95, 50, "Student"),
            Interval(410.0 * K, 120.0 * K, 700.0 * K, 0.95, 50, "Student"),
            ErrorSources(measured=12, stated=30),
        ),
        gain=Gain(over_rule, over_today, rule_over_today=difference(271, 80)),
        reps=reps,
        trades=(
            Trade(1.00, 27_000 * K, 0.51, 0.59, 0.59),
            Trade(1.03, 27_810 * K, 0.48, 0.59, 0.48),
            Trade(1.05, 28_350 * K, 0.47, 0.59, 0.41, is_plan=True),
            Trade(1.10, 29_700 * K, 0.42, 0.59, 0.26),
        ),
        plans=(
            PlanRow("today", "", mean(27_085 * K, 210 * K), 0.44, 0.48, 0.894, 0.41, difference(683, 92)),
            PlanRow(
                "equal", "", mean(27_085 * K, 210 * K), 0.43, 0.48, 0.801, 1.12, difference(683, 92), within_rules=False
            ),
            PlanRow("history", "", mean(27_085 * K, 210 * K), 0.45, 0.48, 0.897, 0.36, difference(683, 92)),
            PlanRow("potential", "", mean(27_085 * K, 210 * K), 0.44, 0.48, 0.888, 0.0, difference(683, 92)),
            PlanRow("strong", "", mean(27_356 * K, 211 * K), 0.46, 0.53, 0.909, 0.25, difference(412, 78)),
            PlanRow("plan", "B", mean(27_768 * K, 214 * K), 0.47, 0.59, 0.915, 0.25, None),
        ),
        promise=Promise(
            26_200 * K,
            mean(25_940 * K, 150 * K),
            0.00004,
            "optimal",
            Bounds(
                QuotaBound(Interval(0.002, 0.001, 0.003, 0.95, 10, "Student"), 0.0028, 10, 20),
                ProgrammeBound(False, 0.0061, 10, 20),
            ),
        ),
        over_assignment=0.05,
        quota_basis="full",
        accounts=60,
        training_cost=115_200_00,
        moves=(
            Move("A03", "华东重工", "A", "E1", "E2", 2, 58_500_00, date(2026, 4, 1), "E1 over the workload limit"),
            Move("B07", "蓝海电子", "B", "E1", "E5", 0, 24_000_00, None, "E5 has room"),
            Move("C017", "远航机械", "C", "E4", "E5", 1, 11_700_00, None, "care owed is not given"),
            Move("B11", "北方仪表", "B", "N1", "N2", 0, 23_800_00, None, "travel"),
        ),
        handed=tuple(
            Handed("web", rep, 0.1, 0.1 + change) for rep, change in (("E1", 0.08), ("E4", -0.05), ("S4", -0.03))
        ),
        care=(Care("E4", "C", 5, 31.0, 50.0),),
        early_share=0.13,
        workload_limit=0.95,
        chance_floor=0.35,
        findings=(
            Finding(
                "slowest_stage",
                "proposal",
                "Proposal is the slowest stage",
                "方案呈现是最慢的阶段",
                "strong",
                {"wait_days": 9.4, "share_of_days": 0.31},
            ),
            Finding("overloaded", "E1", "E1 陈立 has no slack", "E1 陈立超负荷", "moderate", {"workload": 0.97}),
        ),
        what_ifs=(
            WhatIf(
                "One hire more in the East",
                difference(742, 110, 1),
                (("people", 233_000_00),),
                280_000_00,
                start=date(2026, 3, 1),
                ramp=(0.25, 0.5, 0.75),
                sales_next_year=mean(1_310 * K, 40 * K),
                payback_months=14.2,
                hours=934.0,
                whose=(("E1", -40.0),),
            ),
            WhatIf(
                "Better lead qualification",
                difference(310, 120, 1),
                (("leads", -12_000_00),),
                -12_000_00,
                hours=410.0,
                whose=(("E2", 61.0), ("S1", 55.0), ("N1", 40.0), ("N2", 22.0)),
            ),
        ),
        audit=(
            AuditRow("potential_band", "E1", 1.25, 1.04, "ratio", False),
            AuditRow("growth_cap", "E5", 0.25, 0.25, "share", True, 8_400_00),
            AuditRow(
                "min_chance", "N3", 0.35, 0.333, "share", False, kept=False, exception="locked by 李经理: promised"
            ),
            AuditRow("workload", "E1", 0.95, 0.88, "share", False),
        ),
        fairness=audited(reps),
        assumptions=(
            Assumption("reps[*].potential", "tier potentials and leads", "planner's estimate", "low"),
            Assumption("stages[*].effort", "0.7 to 7.0 h", "interviews", "medium"),
        ),
        notes=(),
        manifest=(("quotalab", "0.1.0"), ("seed", "20260101"), ("plan", "3f9a1c20…"), ("quota sum", str(quota_sum))),
    )


EXAMPLE = example()


class Page(HTMLParser):
    """Collects what the tests ask about: blocks, rows of cells, exact amounts, links, the text of page 1."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.blocks: list[str] = []
        self.rows: list[list[tuple[str, str, int | None]]] = []
        self.outside: list[str] = []
        self.sections: dict[str, str] = {}
        self._section = ""
        self._cell: tuple[str, int | None] | None = None
        self._text = ""
        self._skip = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._skip = tag in ("style", "script")
        self.outside += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset", "data")
        ]
        if "data-block" in given:
            self.blocks.append(given["data-block"] or "")
        if tag == "section":
            self._section = given.get("id") or ""
            self.sections[self._section] = ""
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            minor = given.get("data-minor")
            self._cell = (given.get("class") or "", None if minor is None else int(float(minor)))
            self._text = ""

    def handle_endtag(self, tag: str) -> None:
        self._skip = False
        if tag in ("td", "th") and self._cell is not None:
            self.rows[-1].append((self._cell[0], self._text.strip(), self._cell[1]))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        self._text += data
        if self._section:
            self.sections[self._section] += data

    def column(self, name: str) -> list[tuple[str, str, int | None]]:
        """Who, text and exact amount of one column of the table of page 1."""
        found = []
        for row in self.rows:
            for kind, text, minor in row:
                if kind == name and row[0][0] == "name" and row[0][1] not in ("Rep", "销售人员"):
                    found.append((row[0][1], text, minor))
        return found


def words_of(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))


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


def gains(over_rule: Interval, over_today: Interval, rule_over_today: Interval = NOTHING) -> Gain:
    return Gain(
        GainColumn("strong", (("training", over_rule),), over_rule),
        GainColumn("today", (("training", over_today),), over_today),
        rule_over_today,
    )


STRONG, LIKELY, WEAK = difference(400, 60), difference(400, 180), difference(400, 400)


@pytest.mark.parametrize(
    ("gain", "expected", "opening"),
    [
        (gains(STRONG, STRONG), "adopt", "Adopt plan B"),
        (gains(LIKELY, STRONG), "adopt", "Adopt plan B"),
        (gains(WEAK, STRONG), "either", "Replace today’s plan"),
        (gains(NOTHING, STRONG), "either", "Replace today’s plan"),
        (gains(STRONG, WEAK), "keep", "Keep today’s plan: no proven gain"),
        (gains(WEAK, LIKELY), "keep", "Keep today’s plan: no proven gain"),
        (gains(difference(-400, 60), STRONG, STRONG), "rule", "Adopt the simple rule"),
        (gains(difference(-400, 60), WEAK, WEAK), "keep", "Keep today’s plan: no proven gain"),
        (gains(difference(-400, 60), difference(-400, 60), NOTHING), "keep", "Keep today’s plan: no proven gain"),
    ],
)
def test_decision_follows_the_evidence(gain: Gain, expected: str, opening: str) -> None:
    given = replace(EXAMPLE, gain=gain)
    for language in ("en", "zh"):
        said = decision(given, wording(given, language))
        assert 1 <= len(said) <= 3
        assert said[0] in render(given, language, pages=("front",))
    assert verdict(given) == expected
    assert decision(given, wording(given, "en"))[0].startswith(opening)


@pytest.mark.parametrize(("language", "said"), [("en", "re-cut the quotas"), ("zh", "指标须重新划分")])
def test_today_s_plan_is_not_kept_as_it_is_where_it_breaks_the_rules(language: str, said: str) -> None:
    weak = replace(EXAMPLE, gain=gains(STRONG, WEAK))
    rows = tuple(replace(row, within_rules=row.kind != "today") for row in EXAMPLE.plans)
    assert any(row.kind == "today" for row in rows)
    broken = replace(weak, plans=rows)
    within = replace(weak, plans=tuple(replace(row, within_rules=True) for row in rows))
    assert said in decision(broken, wording(broken, language))[-1]
    assert said not in " ".join(decision(within, wording(within, language)))


@pytest.mark.parametrize(
    ("recommended", "over_today", "expected", "opening"),
    [
        ("loop", NOTHING, "attain", "Adopt plan B: proven on fresh years"),
        ("loop", STRONG, "attain", "Adopt plan B: proven on fresh years"),
        ("strong", NOTHING, "simpler", "No proven gain in sales; recommended: "),
        ("today", NOTHING, "keep", "Keep today’s plan"),
        ("strong", STRONG, "either", "Replace today’s plan"),
    ],
)
def test_page_and_proof_conclude_the_same(recommended: str, over_today: Interval, expected: str, opening: str) -> None:
    proven = LoopPage((), True, "as asked", recommended, ((), ()), ((), ()))
    given = replace(EXAMPLE, gain=gains(NOTHING, over_today), loop=proven)
    assert verdict(given) == expected
    for language in ("en", "zh"):
        assert 1 <= len(decision(given, wording(given, language))) <= 3
    assert decision(given, wording(given, "en"))[0].startswith(opening)


def test_a_gain_that_parameter_errors_undo_is_not_headlined() -> None:
    fragile = replace(EXAMPLE, how_sure=replace(EXAMPLE.how_sure, chance_ahead=0.62))
    assert verdict(EXAMPLE) == "adopt"
    assert verdict(fragile) == "either"
    assert "about 62 of 100" in decision(fragile, wording(fragile, "en"))[0]


def test_the_gain_over_today_never_comes_first_and_an_unproven_rule_is_not_offered() -> None:
    for rule_over_today, offered in ((WEAK, False), (STRONG, True)):
        given = replace(EXAMPLE, gain=gains(WEAK, STRONG, rule_over_today))
        first, second, _ = decision(given, wording(given, "en"))
        assert "no proven gain over the best simple rule" in first
        assert "+400k" in second
        assert "than today" not in first
        assert ("take the rule, the simpler of the two" in second) is offered
        chinese = decision(given, wording(given, "zh"))[1]
        assert ("建议采用更简单的该规则" in chinese) is offered


def test_other_care_is_a_deed_and_little_care_is_counted_over_all_accounts() -> None:
    care = (Care("E4", "C", 5, 31.0, 50.0), Care("E5", "C", 4, 20.0, 50.0), Care("E1", "A", 3, 49.0, 50.0))
    given = replace(EXAMPLE, care=care, care_changes=17)
    assert "other care hours for 17" in " ".join(decision(given, wording(given, "en")))
    assert "care" not in " ".join(decision(EXAMPLE, wording(EXAMPLE, "en")))
    assert "9 accounts get under 80% of the care owed; least: C of E5, 40%." in watch_outs(given, wording(given, "en"))


def test_other_shares_of_new_leads_are_a_deed_and_a_table_of_the_largest_changes() -> None:
    page = " ".join(words_of(render(EXAMPLE, "en")).split())
    assert "new leads shared anew for 3 people" in page
    rows = re.search(r"Shares of new leads that change .*? web E1 10.0% 18.0% \+8.0 web E4 10.0% 5.0% −5.0", page)
    assert rows is not None
    assert "新线索分配调整" in render(EXAMPLE, "zh")
    many = replace(EXAMPLE, handed=EXAMPLE.handed * 10)
    assert "And 18 smaller changes" in words_of(render(many, "en"))
    without = replace(EXAMPLE, handed=())
    assert "new leads" not in words_of(render(without, "en"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_parts_of_a_quota_add_up_as_they_are_shown(language: str) -> None:
    odd = replace(EXAMPLE.reps[0], opportunity=3_904_600_00, person=214_600_00)
    html = render(replace(EXAMPLE, reps=(odd, *EXAMPLE.reps[1:])), language, pages=("people",))
    pattern = {
        "en": r"Of the quota, (\S+) .*?territory, (\S+) from the person, (\S+) from",
        "zh": r"区域机会 (\S+)，个人 (\S+)，业绩稳定性、客户、培训与规则 (\S+)。",
    }
    parts = re.search(pattern[language], html)
    assert parts is not None
    assert (
        sum(float(part.replace(",", "").replace("−", "-")) for part in parts.groups())
        == {"en": 4_290, "zh": 429}[language]
    )


def test_sampled_figures_of_the_company_and_of_a_settled_year_carry_their_interval() -> None:
    whole = replace(EXAMPLE, reps=tuple(replace(rep, chance=None) for rep in EXAMPLE.reps))
    assert "Chances on this page come from" in words_of(render(whole, pages=("front",)))
    assert re.search(r"\+1,310k \[\+\d", words_of(render(EXAMPLE, pages=("what_ifs",))))


def test_how_sure_says_what_one_year_can_show() -> None:
    assert "You will not see this in one year’s result" in render(EXAMPLE, pages=("front",))
    narrow = replace(EXAMPLE.how_sure, luck=(27_700 * K, 27_900 * K))
    assert "You will not see" not in render(replace(EXAMPLE, how_sure=narrow), pages=("front",))
    unassessed = replace(EXAMPLE.how_sure, parameters=None, chance_ahead=None)
    assert "not assessed in this run" in render(replace(EXAMPLE, how_sure=unassessed), pages=("front",))


def test_the_first_page_says_what_parameter_errors_cost_and_how_that_is_known() -> None:
    for language, cost, left in (
        (
            "en",
            "(12 spreads from data, 30 stated defaults): sales −1.2% [−2.1%, −0.3%] on average",
            "the gain over the best simple rule +410k [+120, +700]; "
            "in about 94 of 100 plausible worlds the plan sells more.",
        ),
        (
            "zh",
            "12 项离散度取自数据，30 项为默认值",
            "增益为 +41.0万元 [+12.0, +70.0]；100 种合理情形中约 94 种方案领先。",
        ),
    ):
        for text in (render(EXAMPLE, language, pages=("front",)), summary(EXAMPLE, language)):
            assert cost in text
            assert left in text
    for sources, told in (
        (ErrorSources(0, 9), "all stated defaults, none from data"),
        (ErrorSources(9), "all from data"),
    ):
        given = replace(EXAMPLE, how_sure=replace(EXAMPLE.how_sure, error_sources=sources, gain_left=None))
        text = summary(given, "en")
        assert told in text
        assert "sell the same in every draw" in text
    unassessed = replace(EXAMPLE.how_sure, parameters=None, chance_ahead=None, error_cost=None)
    assert "were not assessed" in summary(replace(EXAMPLE, how_sure=unassessed), "en")


def test_back_cast_line_states_the_replay_or_why_there_is_none() -> None:
    assert "Invented company" in render(EXAMPLE, pages=("front",))
    real = replace(EXAMPLE, strip=replace(EXAMPLE.strip, invented=False))
    html = render(real, pages=("front",))
    assert "Last year has not been replayed" in html
    assert "DEMO" not in html
    replayed = replace(real, how_sure=replace(real.how_sure, back_cast=BackCast(25_100 * K, 25_400 * K, 10, 12)))
    assert "25.1M against actual 25.4M; months inside the range: 10 of 12" in render(replayed, pages=("front",))


def test_quota_gain_is_never_merged_with_the_sales_gain() -> None:
    page = Page(render(EXAMPLE, pages=("front",)))
    rows = {row[0][1].split("fairer")[0].strip(): row for row in page.rows if len(row) == 3}
    assert [cell[2] for cell in rows["Re-cutting quotas"][1:]] == [0, 0]
    total = [rows[name][column][2] or 0 for name in ("Accounts: owners and care", "Training") for column in (1, 2)]
    assert [rows["Total"][column][2] for column in (1, 2)] == [total[0] + total[2], total[1] + total[3]]


def test_a_promise_that_was_too_large_is_told_with_its_interval() -> None:
    promise = replace(EXAMPLE.promise, model=EXAMPLE.promise.simulated.estimate * 1.1)
    low, high = promise.gap_ends
    assert low < promise.gap < high
    assert promise.gap == pytest.approx(0.1)
    told = watch_outs(replace(EXAMPLE, promise=promise), wording(EXAMPLE, "en"))
    assert f"10.0% [{100 * low:.1f}%, {100 * high:.1f}%] more capped sales" in " ".join(told)


def test_watch_outs_are_few_and_the_gravest_come_first() -> None:
    huge = gains(difference(4_000, 60), difference(5_000, 60))
    promise = Promise(28_000 * K, mean(25_000 * K), 0.0, "optimal")
    given = replace(EXAMPLE, gain=huge, promise=promise)
    found = watch_outs(given, wording(given, "en"))
    assert len(found) == MOST_WATCH_OUTS
    assert "suspect the inputs" in found[0]
    assert "12.0%" in found[1]
    assert not any("suspect" in text or "promised" in text for text in watch_outs(EXAMPLE, wording(EXAMPLE, "en")))


def test_overload_and_long_odds_are_flagged_from_the_figures() -> None:
    first, second, *rest = EXAMPLE.reps
    given = replace(
        EXAMPLE,
        reps=(replace(first, busy=1316 * 0.97), replace(second, chance=wilson(20, YEARS)), *rest),
        audit=(),
    )
    found = " ".join(watch_outs(given, wording(given, "en")))
    assert "E1 陈立 (97%) would be loaded above the limit of 95%" in found
    assert "E2 周敏 (17%): chance to make quota below 35%" in found
    page = Page(render(given, pages=("front",)))
    flags = {who: text for who, text, _ in page.column("flag")}
    assert flags["E1 陈立"] == "overloaded"
    assert flags["E2 周敏"] == "long odds"
    assert flags["S4 韩冰"] == "ramping"


def test_open_questions_are_two_or_three_and_carry_their_default() -> None:
    bare = replace(
        EXAMPLE, moves=(), reps=tuple(replace(rep, training=()) for rep in EXAMPLE.reps), quota_basis="blend"
    )
    for given, count in ((EXAMPLE, 3), (bare, 2)):
        asked = questions(given, wording(given, "en"))
        assert len(asked) == count
        assert all(question.answer for question in asked)


def test_a_company_without_a_target_gets_a_page_without_one() -> None:
    given = replace(
        EXAMPLE,
        strip=replace(EXAMPLE.strip, target=None),
        today=replace(EXAMPLE.today, target_chance=None, widest_gap=None),
        plan=replace(EXAMPLE.plan, target_chance=None, widest_gap=None, sales_at_risk=None),
        trades=(),
    )
    for language in ("en", "zh"):
        page = Page(render(given, language))
        assert tuple(page.blocks) == (*BLOCKS, "assumed")
        assert "None" not in page.sections["front"]


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


def test_the_aggregate_audit_shows_no_single_person() -> None:
    html = render(EXAMPLE, "en", people="aggregate")
    assert "<circle" not in html
    assert "under 1 year" not in html
    assert "over 3 years" in html


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


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def crowded() -> ReportInput:
    """Everything as long as it comes: names, warnings, a full table."""
    long = "Großhandelsgesellschaft für Industriesoftware 华东华南华北工业软件销售有限公司"
    reps = tuple(
        replace(
            rep, id=f"{long} {rep.id}", name=long, team=f"{long} {rep.team}", busy=1316 * (0.99 if at % 2 else 0.93)
        )
        for at, rep in enumerate((*EXAMPLE.reps, *(replace(rep, id=f"X{rep.id}") for rep in EXAMPLE.reps[:3])))
    )
    reps = tuple(replace(rep, chance=wilson(12, YEARS)) if at % 3 == 0 else rep for at, rep in enumerate(reps))
    return replace(
        EXAMPLE,
        strip=replace(EXAMPLE.strip, company=long * 3, plan_name=long, invented=False, data_date="2025-12-31 23:59"),
        reps=reps,
        gain=gains(WEAK, STRONG),
        how_sure=replace(EXAMPLE.how_sure, back_cast=BackCast(25_100 * K, 25_400 * K, 10, 12)),
        care=(replace(EXAMPLE.care[0], owner=long, tier="strategic accounts"),),
        assumptions=tuple(Assumption(f"reps.{long}.potential{at}", "1", long, "low") for at in range(40)),
    )


def first_pages(language: str) -> list[str]:
    """The first pages of an ordinary and of a crowded company, each as its section alone."""
    found = []
    for given in (EXAMPLE, crowded()):
        html = render(given, language, pages=("front",))
        section = html[html.index("<section") : html.index("</section>") + len("</section>")]
        found.append(section.replace("<section", f'<section lang="{language}"', 1))
    return found


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the print of page 1 was not looked at")
def test_first_page_prints_on_one_sheet(tmp_path: Path) -> None:
    """All first pages in one print: each begins a sheet, so that as many sheets as pages means one sheet each."""
    source, target = tmp_path / "front.html", tmp_path / "front.pdf"
    whole = render(EXAMPLE, "en", pages=("front",))
    pages = [*first_pages("en"), *first_pages("zh")]
    body = whole.index("<section")
    write(whole[:body] + "".join(pages) + whole[whole.index("</section>") + len("</section>") :], source)
    subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--print-to-pdf={target}",
            source.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    printed = target.read_bytes()
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == len(pages)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", printed)
    assert {tuple(round(float(side)) for side in box) for box in boxes} == {(595, 842)}
