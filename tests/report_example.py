"""An invented company as a report shows it, and a reader of its pages, for tests of reports."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

from experiments.bounds import Bounds, ProgrammeBound, QuotaBound
from experiments.fairness_audit import Among, FairnessAudit, GroupRow
from experiments.fairness_checks import Check
from experiments.fairness_people import PersonRow, quarters
from experiments.parameter_error import ErrorSources
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
    Gain,
    GainColumn,
    Headline,
    HowSure,
    ReportInput,
    RepRow,
    Strip,
    Trade,
)
from history.diagnosis.care import Care
from history.diagnosis.finding import Finding
from optimize.bases import BasisRow
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
                basis=BasisRow(code, quota * 0.91 * K, quota * 0.96 * K, quota * 1.01 * K, quota * K),
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


def gains(over_rule: Interval, over_today: Interval, rule_over_today: Interval = NOTHING) -> Gain:
    return Gain(
        GainColumn("strong", (("training", over_rule),), over_rule),
        GainColumn("today", (("training", over_today),), over_today),
        rule_over_today,
    )


STRONG, LIKELY, WEAK = difference(400, 60), difference(400, 180), difference(400, 400)
