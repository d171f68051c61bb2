"""What allocate and explain say in a terminal: no English sentence in Chinese, and the same figures in both."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import quotalab
from conftest import TINY, Run
from experiments.smart import REACHES
from experiments.words import phrase, table, word
from optimize.allocate import Move, allocate
from optimize.audit import RuleRow
from optimize.baselines.plans import SIMPLE_RULES
from optimize.explanation import explain_plan
from optimize.loop.trace import Round
from optimize.prices import Price
from optimize.rule_words import MONEY, UNITS, UNITS_CHINESE
from quotalab.allocation_text import allocation_text
from quotalab.columns import aligned
from quotalab.explanation_text import explanation_text
from quotalab.loop_text import trace_text
from quotalab.told_words import excepted, gives_way, named, noted, rule_named
from target_worlds import responses_of, world
from test_words import function, source, texts

SENTENCE = re.compile(r"[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}|[a-z]{4,}")
"""Two words in a row, or a small word: neither is a name of these worlds, nor a path."""
PATH = re.compile(r"[a-z_]+\.[A-Za-z0-9_.-]+|shares\.csv")
_COMMANDS = r"quotalab \w+.*", r"--json", r"[^\s；，：]*/[^\s；，：]+", r"\w+@", r"lock quota\.E2", "哈希 [0-9a-f]+"
_PLANS = sorted(SIMPLE_RULES, key=len, reverse=True)
NAMES = re.compile(
    "|".join(["potential_band|min_chance", *_COMMANDS, *_PLANS, "tiny|new|root|note: no installed font.*"])
)
"""Commands, paths and hashes, and the names by which commands take rules and plans."""
THREE = {"metric": "orders", "target": 140, "floor": 90, "stretch": 200}


def english_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if SENTENCE.search(PATH.sub("", line))]


@pytest.fixture(scope="module", params=["joint", "two_stage", "equal_odds"])
def told(request):
    """A request with targets, levels, locks, rules that bind and people's words, allocated and explained."""
    targets = [
        {"metric": "revenue", "target": 4000, "floor": 3500, "stretch": 4600},
        {"metric": "revenue", "team": "T1", "target": 1900},
        THREE,
        {"metric": "key_product_share", "target": 0.35},
    ]
    locks = [
        {"path": "quota.R3", "value": 1250, "author": "王", "reason": "已商定"},
        {"path": "quota.R4", "value": 1250, "author": "王"},
        {"path": "owner.A1", "value": "R2", "author": "王", "reason": "已商定"},
    ]
    rules = [{"rule": "potential_band", "tolerance": 0.4}, {"rule": "min_chance", "chance": 0.2}]
    owned = [{"id": f"A{i}", "owner": f"R{i}"} for i in (1, 2, 3, 4)]
    scenario = world(
        [],
        owned=owned,
        goals={"targets": targets},
        allocation={"mode": request.param, "rules": rules, "locks": locks, "accounts": {"max_moves": 3}},
    )
    responses = responses_of(scenario)
    result = allocate(scenario, responses)
    return scenario, result, explain_plan(scenario, responses, result.plan)


def test_nothing_in_an_allocation_is_left_in_english(told):
    scenario, result, _ = told
    chinese = allocation_text(result, scenario, "zh")
    assert english_in(chinese) == []
    english = allocation_text(result, scenario, "en")
    assert len(english.splitlines()) == len(chinese.splitlines())
    assert "锁定值：quota.R3 = " in chinese
    assert "例外：" in chinese
    assert "由 王 锁定" in chinese


def test_nothing_in_an_explanation_is_left_in_english(told):
    scenario, _, found = told
    reps = [rep.id for rep in scenario.reps]
    chinese, english = (explanation_text(found, reps, scenario, one) for one in ("zh", "en"))
    assert english_in(chinese) == []
    assert len(english.splitlines()) == len(chinese.splitlines())
    for said in ("R1：销售指标", "锁定值："):
        assert said in chinese


def test_values_of_loosening_are_told_with_their_unit_however_small(told):
    scenario, _, found = told
    prices = {
        "training_money": Price("training_money", 36.7, MONEY, {"company": 36.7}),
        "growth_floor": Price("growth_floor", 444_00.0, "percentage points", {"R1": 444_00.0}),
        "company_total": Price("company_total", 86.5, MONEY, {"company": 86.5}),
        "team_total": Price("team_total", -4.158, MONEY, {"T1": -4.158, "T2": 0.0}),
    }
    english, chinese = (explanation_text(replace(found, prices=prices), [], scenario, one) for one in ("en", "zh"))
    rate = "of capped sales, as the rate at its limit"
    assert english.splitlines()[1:] == [
        f"loosening the growth floor by 1 (percentage points) is worth 444 CNY {rate}",
        "one CNY more on the sum of the company's quotas (company) changes capped sales by +0.865 CNY",
        f"loosening the money for training by 1 (CNY) is worth 0.367 CNY {rate}",
        "one CNY more on the sum of the team's quotas (T1) changes capped sales by −0.0416 CNY",
    ]
    assert chinese.splitlines()[1:] == [
        "增幅下限每放宽 1 个百分点，封顶销售额增加 444元（限值处的边际值）",
        "公司指标合计（公司）每增加 1 元，封顶销售额变动 +0.865元",
        "培训经费每放宽 1 元，封顶销售额增加 0.367元（限值处的边际值）",
        "团队指标合计（T1）每增加 1 元，封顶销售额变动 −0.0416元",
    ]


def test_long_lists_are_cut_and_say_where_the_rest_is(told):
    scenario, result, _ = told
    rows = [RuleRow("growth_cap", f"R{i}", 0.2, 0.2, "growth", True) for i in range(1, 31)]
    rows += [
        RuleRow("spread", "company", 1.0, 2.0, "x", False, False, exception=f"owner.A{i} locked by 王")
        for i in range(11)
    ]
    moves = tuple(Move(f"A{i}", "R1", "R2", 0.0, 0.0, "work lies where it sells most") for i in range(20))
    exceptions = tuple(f"spread of company: owner.A{i} locked by 王" for i in range(11))
    long = replace(result, rule_rows=tuple(rows), moves=moves, exceptions=exceptions)
    english, chinese = (allocation_text(long, scenario, language) for language in ("en", "zh"))
    assert "binding rules: growth cap (R1, R2, R3 and 27 more)" in english
    assert "起约束作用的规则：增幅上限（R1、R2、R3等（另有27项））" in chinese
    for text, rest in ((english, "and {} more in {}"), (chinese, "另有 {} 项，见 {}")):
        lines = [line.strip() for line in text.splitlines()]
        assert rest.format(8, "moves.csv") in lines
        assert rest.format(3, "rules.csv") in lines
    assert english.count("A5: R1 -> R2") == 1
    assert "A12: R1 -> R2" not in english


def test_columns_stand_below_each_other_whatever_the_script():
    lines = aligned(
        [["规则", "限值", "n"], ["spread", "1.5", ""], ["growth cap", "一句说明"], ["上限", "20", "*"]], texts=(0,)
    )
    assert lines == [
        "规则    限值  n",
        "spread   1.5",
        "growth cap  一句说明",
        "上限      20  *",
    ]


SECTIONS = ("told", "explained", "simple", "frontier", "loop", "trail", "hint", "work")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_sentence_has_its_chinese(section):
    texts = {key: one["zh"] for key, one in table().items() if key.startswith(f"{section}.")}
    assert texts
    for key, text in texts.items():
        assert not SENTENCE.search(re.sub(r"\{\w*\}|levers\.csv|quotalab \w+|plan=|/plans/|--\w+", "", text)), key


def test_units_of_rules_have_chinese_words():
    assert {unit for unit, _ in UNITS.values()} <= set(UNITS_CHINESE)


@pytest.mark.parametrize(
    "key",
    [f"bound_{name}" for name in ("programme", "linear", "knapsack", "total", "closed", "none")]
    + [f"status_{name}" for name in ("optimal", "stopped", "simulated", "levelled")]
    + [f"reach_{name}" for name in REACHES],
)
def test_ends_and_bounds_have_words(key):
    assert f"told.{key}" in table()


@pytest.mark.parametrize(
    "text",
    [
        "total of orders of team T1: gives way to locked quotas: quota.R1.orders locked by 王 (约定)",
        "floor of revenue of team T1: gives way to locked quotas: floor.R1 locked by 王; floor.R2 locked by 李",
        "revenue of team T1 in periods 1 to 3: gives way to locked periods: quota.R1.2026-03-01 locked by 王",
    ],
)
def test_what_gives_way_is_told_in_chinese(text):
    chinese = gives_way(text, "zh")
    assert english_in(chinese) == []
    assert re.search("[一-鿿]", chinese)
    assert gives_way(text, "en") == text.replace(" locked by", ", locked by")


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("tier_most A", "owner.A1 locked by 王 (按合同: 2026 年); quota.R1 locked by 王"),
        ("min_chance", "set aside: everybody gets the same chance to make quota"),
        ("spread", "broken by less than one rounding step"),
    ],
)
def test_rules_that_give_way_are_told_in_chinese(rule, why):
    chinese, english = (excepted(rule, ["company"], why, language) for language in ("zh", "en"))
    assert english_in(chinese) == []
    assert chinese.count("锁定") == english.count("locked") == why.count("locked")
    assert "company" in english
    assert rule_named(rule, "en") in english


@pytest.mark.parametrize("weighed", ["", ", metrics by their weights"])
@pytest.mark.parametrize("sales", ["capped sales", "expected sales", "capped sales on the quota basis blend"])
def test_what_a_bound_is_on_has_chinese_words(sales, weighed):
    assert english_in(named("objective", sales + weighed, "zh")) == []


def test_notes_are_told_with_the_words_of_their_metrics():
    note = "expected new_customers falls 3.2 % below what the present plan brings or the target asks"
    assert noted(note, "zh").startswith("新增客户数的期望值")
    assert noted(note, "en").startswith("Expected new_customers falls 3.2 % below")


def calls(node: ast.AST, *names: str) -> list[ast.Call]:
    return [
        call
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and (getattr(call.func, "id", None) in names or getattr(call.func, "attr", None) in names)
    ]


def house(*parts: str) -> list[Path]:
    return sorted(Path(quotalab.__file__).parents[1].joinpath(*parts).glob("*.py"))


def test_all_work_that_shows_progress_has_words():
    named = set()
    for path in [*house("quotalab"), *house("quotalab", "cli")]:
        for call in calls(ast.parse(path.read_text(encoding="utf-8")), "progress", "show", "shown"):
            if len(call.args) == 1 and isinstance(call.args[0], ast.Constant):
                named.add(call.args[0].value)
    assert {"simulating the plan", "looking for a better plan"} <= named
    assert {text for text in named if phrase("work", text)[0] is None} == set()


def test_what_breaks_a_trail_has_words():
    told = {
        text for found in function(source("scenarios.trail"), "_broken").body for text in texts(found) if " " in text
    }
    assert len(told) == 5
    for text in (*told, "line 3 of trail.jsonl is no entry: it was changed or cut off"):
        key, fields = phrase("trail", text.replace("X", "7"))
        assert key is not None, text
        assert english_in(word(key, "zh", **fields)) == []


@pytest.mark.parametrize("objective", ["sales", "share"])
def test_nothing_in_the_trace_of_a_loop_is_left_in_english(objective):
    unit = 9_000_000_00 if objective == "sales" else 1.0

    def row(number, step, reason, promise=None, accepted=True):
        figures = promise, 0.9 * unit, 0.1 * unit, 1.5
        return Round(number, step, None, "chain", 0.4, *figures, (), accepted, reason, number)

    rows = [
        row(0, "start today", "where the loop begins"),
        row(0, "start strong", "breaks min_chance (E1) as simulated", accepted=False),
        row(1, "2 accounts, 16 h training, 3.5 h care, 4 points of leads", "the simulated objective rises", unit),
        row(2, "1 account", "comes nearer to the rules", unit),
        row(3, "nothing", "the simulated objective does not rise", unit, accepted=False),
    ]
    stopped = "the programme promises less than 0.1% more; the last step is within its noise, so the simpler plan "
    stopped += "before it is kept"
    cost = SimpleNamespace(runs=5, replications=40, response_years=80, response_runs=2.0)
    found = SimpleNamespace(objective=objective, trace=rows, cost=cost, rounds=3, stopped=stopped, quota_years=160)
    chinese = trace_text(found, "CNY", "zh")
    assert english_in(chinese) == []
    assert "公平成本" not in chinese
    assert "最低达标概率" in chinese
    english = trace_text(found, "CNY", "en")
    assert len(english.splitlines()) == len(chinese.splitlines()) == 11
    assert ("thousand CNY" in english) == (objective == "sales")


def test_a_planners_session_speaks_the_language_asked_for(command: Run, tiny_file: Path):
    """Everything but paths, and the names that commands take: of rules, plans and locked figures."""
    asked = "--language", "zh"
    plan = "runs/allocate-小公司"
    session = (
        ("allocate", tiny_file, "-n", "8", "-o", plan),
        ("explain", tiny_file, "-n", "8"),
        ("audit", tiny_file, "-n", "8"),
        ("baselines", tiny_file, "-n", "8"),
        ("frontier", tiny_file, "-n", "8", "--values", "0.1,0.4"),
        ("frontier", tiny_file, "-n", "8", "--values", "0.1,0.4", "--method", "plans", "--rule", "min_chance"),
        ("compare", tiny_file, f"new={tiny_file}@{plan}", "-n", "8"),
        ("lock", tiny_file, "quota.E2", "450000", "--plan", plan, "--reason", "已商定"),
        ("lock", tiny_file, "quota.E2", "460000", "--plan", plan, "--reason", "已商定"),
        ("trail", tiny_file, "--plan", plan),
        ("unlock", tiny_file, "quota.E2", "--plan", plan, "--reason", "有误"),
    )
    for arguments in session:
        code, out, err = command(*arguments, *asked)
        assert code == 0, err
        said = NAMES.sub("", f"{out}\n{err}")
        assert re.search("[一-鿿]", out), arguments
        assert english_in(said) == [], arguments


def test_the_command_line_speaks_the_language_of_the_scenario(command: Run, tmp_path: Path) -> None:
    path = tmp_path / "世界.yaml"
    document = TINY | {"language": "zh"}
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    code, out, _ = command("allocate", path, "-n", "8", "-q")
    assert code == 0
    assert english_in(out) == []
    assert "目标（按方案的 8 个模拟年度）：" in out
    code, out, _ = command("explain", path, "-n", "8", "-q")
    assert code == 0
    assert english_in(out) == []
    code, out, _ = command("explain", path, "-n", "8", "-q", "--language", "en", "--rep", "E1")
    assert "E1: quota" in out
    assert command("explain", path, "-n", "8", "--language", "fr")[0] == 1
