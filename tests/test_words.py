"""The words of the pages: both languages, the same fields, none missing, none left over; and money for the eye."""

from __future__ import annotations

import ast
import re
import string
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

import experiments
import quotalab
from experiments.money import adding_up, amount, headline_scale, plain, rate, require_minor, table_scale
from experiments.words import LANGUAGES, check_language, listed, phrase, table, word
from optimize.baselines.plans import baselines
from optimize.programme.solve import Status
from optimize.response.estimate import estimate
from optimize.waterfall import FACTORS
from scenarios.errors import InputRefused
from scenarios.goals import FairnessRule
from scenarios.scenario import Scenario
from sim.run import simulate

HOUSE = Path(experiments.__file__).parent
M = 1_000_000_00

# The trade's own words that pages must use, with what a Chinese reader expects.
TRADE = {
    "capped_attainment": "封顶达成率",
    "chance_to_make_quota": "达标概率",
    "over_assignment": "超额下达",
    "locked_values": "锁定值",
    "current_plan": "现行方案",
    "handover_loss": "交接损失",
    "quota": "销售指标",
    "target": "目标",
    "attainment": "达成率",
    "hit_rate": "达标率",
    "potential": "市场潜力",
    "pipeline": "在手商机",
    "signed_value": "签约额",
    "cash_collected": "回款额",
    "growth_cap": "增幅上限",
    "year_range": "年度波动范围",
    "metric": "考核维度",
}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(table()))
def test_every_key_has_both_languages_with_the_same_fields(key: str) -> None:
    texts = table()[key]
    assert set(texts) == set(LANGUAGES)
    assert all(text or key in ("page.space",) for text in texts.values())
    english, chinese = (fields(texts[language]) for language in LANGUAGES)
    # A Chinese date names its month by number, an English one by word.
    assert english == chinese or key == "page.day"


def test_chinese_texts_are_chinese() -> None:
    same_in_both = {"page.not_known", "page.lang", "page.space", "watch.with_share", "trail.entry"}
    same_in_both |= {"told.about", "told.gives_way"}
    for key, texts in table().items():
        assert key in same_in_both or re.search(r"[一-鿿，：；。、]", texts["zh"]), key


@pytest.mark.parametrize(("key", "chinese"), sorted(TRADE.items()))
def test_words_of_the_trade(key: str, chinese: str) -> None:
    assert word(key, "zh") == chinese


def test_a_missing_key_raises() -> None:
    with pytest.raises(KeyError, match=r"no\.such"):
        word("no.such", "en")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputRefused, match="fr"):
        check_language("fr")
    with pytest.raises(InputRefused, match="fr"):
        word("quota", "fr")


def used_keys() -> tuple[set[str], set[str]]:
    """Keys that code and templates name, whole and as beginnings of keys put together at run time."""
    whole: set[str] = set()
    begun: set[str] = set()
    spoken = Path(quotalab.__file__).parent
    for path in [*HOUSE.rglob("*.py"), *HOUSE.glob("templates/*"), *spoken.rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        whole |= set(re.findall(r"""["']([a-z_]+\.[a-z0-9_ ]+)["']""", text))
        begun |= set(re.findall(r"""f["']([a-z_]+\.[a-z_]*)\{""", text))
        begun |= set(re.findall(r"""["']([a-z_]+\.)["'] ~""", text))
        begun |= {f"{section}." for section in re.findall(r"""(?:known|named|phrase|_by_words)\("(\w+)",""", text)}
    return whole, begun


def test_every_key_named_in_a_template_exists() -> None:
    for path in HOUSE.glob("templates/*.html"):
        for key in re.findall(r"""\bt\('([^']+)'[,)]""", path.read_text(encoding="utf-8")):
            assert key in table(), f"{path.name}: {key}"


def test_no_text_of_a_page_is_left_over() -> None:
    whole, begun = used_keys()
    unused = [
        key for key in table() if "." in key and key not in whole and not any(key.startswith(start) for start in begun)
    ]
    assert unused == []


# ---- phrases that the machine makes ---------------------------------------------------------------------------------


def source(name: str) -> ast.Module:
    return ast.parse(Path(import_module(name).__file__ or "").read_text(encoding="utf-8"))


def texts(node: ast.AST) -> set[str]:
    """Whole texts inside a piece of source; a field of an f-string stands as ``X``."""
    inner = {part for text in ast.walk(node) if isinstance(text, ast.JoinedStr) for part in ast.walk(text)}
    found = {
        "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in text.values)
        for text in ast.walk(node)
        if isinstance(text, ast.JoinedStr)
    }
    return found | {
        text.value
        for text in ast.walk(node)
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and text not in inner
    }


def assigned(module: ast.Module, name: str) -> list[ast.expr]:
    return [
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.value is not None
        and any(
            isinstance(target, ast.Name) and target.id == name
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
    ]


def function(module: ast.Module, name: str) -> ast.FunctionDef:
    (found,) = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name == name]
    return found


def phrases() -> list[tuple[str, str]]:
    """Section of the word table and phrase, for everything that the allocator says on a page."""
    allocate = source("optimize.allocate")
    reasons = {text for value in assigned(allocate, "reason") for text in texts(value)}
    notes = {
        text
        for value in assigned(function(source("optimize.response.estimate"), "_notes"), "notes")
        for text in texts(value)
    }
    appended = [
        call
        for call in ast.walk(function(source("optimize.response.estimate"), "_notes"))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "append"
    ]
    notes |= {text for call in appended for text in texts(call)} - {", "}
    statuses = set(get_args(Status)) - {"infeasible"}
    rules = {kind.model_fields["rule"].default for kind in get_args(get_args(FairnessRule)[0])}
    found = {"reason": reasons, "note": notes, "factor": set(FACTORS), "status": statuses, "rule": rules}
    assert all(found.values())
    return sorted((section, text) for section, texts in found.items() for text in texts)


@pytest.mark.parametrize(("section", "text"), phrases())
def test_what_the_allocator_says_has_words(section: str, text: str) -> None:
    key, fields = phrase(section, text)
    assert key is not None
    assert "X" not in text or "X" in word(key, "zh", **fields)


def test_plans_of_simple_rules_have_names(tiny: Scenario) -> None:
    outcome = simulate(tiny, replications=4)
    for name in ("today", "plan", *baselines(tiny, estimate(tiny, outcome))):
        assert phrase("plan", name)[0] is not None, name


def test_evidence_of_findings_has_words() -> None:
    """Names of figures are the keys of the evidence that a diagnosis writes down."""
    names = set()
    for module in ("history.diagnosis.scenario", "history.diagnosis.stages", "history.diagnosis.care"):
        tree = source(module)
        found = [
            call for call in ast.walk(tree) if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Finding"
        ]
        found = [call.args[-1] for call in found]
        shown = [*assigned(tree, "evidence"), *assigned(tree, "parts"), *found]
        for value in shown:
            if isinstance(value, ast.Dict):
                names |= {key.value for key in value.keys if isinstance(key, ast.Constant)}
    assert {"quota_minor", "workload", "ratio", "days"} <= names
    known = {key.partition(".")[2] for key in table() if key.startswith("evidence.")}
    assert names - known == set()
    assert known - names <= {"wait_days", "work_days", "delay_days"}


def test_a_phrase_with_a_field_keeps_what_stands_in_it() -> None:
    key, fields = phrase("note", "no sales are booked by E1, 陈立: they carry no quota")
    assert key is not None
    assert word(key, "zh", **fields) == "E1, 陈立没有登记销售额：不承担指标。"
    assert phrase("note", "something else") == (None, {})


def test_lists_are_cut_with_a_count() -> None:
    assert listed(["a", "b"], "en") == "a, b"
    assert listed(list("abcde"), "en") == "a, b, c and 2 more"
    assert listed(list("abcde"), "zh", 2) == "a、b等（另有3项）"


@pytest.mark.parametrize(
    ("minor", "english", "chinese"),
    [
        (27 * M, "27.0M CNY", "2,700万元"),
        (27_349_999_50, "27.3M CNY", "2,735万元"),
        (412_345_67, "412k CNY", "41.23万元"),
        (1_234_567_890_00, "1.23bn CNY", "123,457万元"),
        (0, "0 CNY", "0.00万元"),
        (-680_000_00, "−680k CNY", "−68.00万元"),
    ],
)
def test_amounts_name_their_unit(minor: int, english: str, chinese: str) -> None:
    assert amount(minor, "en", "CNY") == english
    assert amount(minor, "zh", "CNY") == chinese


def test_chinese_units_of_other_currencies() -> None:
    assert amount(27 * M, "zh", "USD") == "2,700万美元"
    assert amount(27 * M, "zh", "SEK") == "2,700万 SEK"


def test_table_units_follow_the_company() -> None:
    assert table_scale(27 * M, "en", "CNY").text(2_700 * 1_000_00) == "2,700k"
    assert table_scale(27 * M, "zh", "CNY").number(2_700 * 1_000_00) == "270"
    assert table_scale(3_000_000_00, "en", "EUR").text(4_600_00) == "5k"
    assert table_scale(120_000_00, "en", "EUR").text(4_600_40) == "4,600"
    assert table_scale(120_000_00, "zh", "CNY").number(4_600_00) == "0.46"


def test_exact_scale_shows_amounts_without_rounding() -> None:
    scale = table_scale(27 * M, "zh", "CNY").exact([4_600_000_00, 4_290_500_00])
    assert scale.number(4_290_500_00) == "429.05"
    assert scale.number(4_600_000_00) == "460.00"
    assert table_scale(27 * M, "en", "CNY").exact([1]).decimals == 5


def test_rounding_is_half_away_from_zero_and_zero_has_no_sign() -> None:
    assert [plain(value, 0) for value in (0.5, 1.5, 2.5, -2.5)] == ["1", "2", "3", "−3"]
    assert plain(-0.2, 0, signed=True) == "0"
    assert plain(0.2, 1, signed=True) == "+0.2"
    assert plain(1234567.891, 2) == "1,234,567.89"


@pytest.mark.parametrize(
    ("minor", "english", "chinese"),
    [
        (36.7, "+0.367 CNY", "+0.367元"),
        (-4.158, "−0.0416 CNY", "−0.0416元"),
        (444_00, "+444 CNY", "+444元"),
        (1_619_40, "+1.62k CNY", "+1,619元"),
        (13_021_49, "+13.0k CNY", "+1.30万元"),
        (0.0, "0 CNY", "0元"),
    ],
)
def test_a_value_for_one_unit_is_shown_however_small(minor: float, english: str, chinese: str) -> None:
    assert rate(minor, "en", "CNY", signed=True) == english
    assert rate(minor, "zh", "CNY", signed=True) == chinese


def test_rounding_is_for_the_eye_only() -> None:
    """Whatever the unit, the same exact amount comes back from its exact text."""
    for minor, language, total in product((1, 99, 12_345_678_91, -5), LANGUAGES, (10_000_00, 27 * M, 5_000 * M)):
        scale = headline_scale(total, language, "CNY").exact([minor])
        if scale.decimals >= 6 and minor % (scale.units // 10_000 or 1):
            continue
        text = scale.number(minor).replace(",", "").replace("−", "-")
        assert abs(float(text) * scale.units * 100 - minor) < scale.units * 100 * 10**-6 + 1e-6


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        ([100_000_00 // 3] * 3, [34, 33, 33]),
        ([33_400_00, 33_400_00, 33_200_00], [34, 33, 33]),
        ([-400_00, 10_400_00], [0, 10]),
        ([1_500_00, -1_500_00], [2, -2]),
        ([], []),
    ],
)
def test_figures_that_are_shown_add_up_to_the_sum_that_is_shown(amounts: list[int], shown: list[int]) -> None:
    scale = table_scale(27 * M, "en", "CNY")
    rounded = adding_up(amounts, scale)
    assert [int(value) // 1_000_00 for value in rounded] == shown
    assert all(abs(value - amount) < 1_000_00 for value, amount in zip(rounded, amounts, strict=True))
    assert abs(sum(rounded) - sum(amounts)) <= 500_00


@pytest.mark.parametrize("value", [1.0, True, "1", None])
def test_amounts_that_are_summed_must_be_whole(value: object) -> None:
    with pytest.raises(InputRefused, match="whole number of minor units"):
        require_minor(value, "quota")
