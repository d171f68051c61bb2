"""The decision on a report's first page: what the evidence allows to be said, and in which order."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from experiments.report.decision import decision, verdict
from experiments.report.input import (
    Gain,
)
from experiments.report.loop import LoopPage
from experiments.report.render import render
from experiments.report.watch import watch_outs
from experiments.report.wording import wording
from history.diagnosis.care import Care
from report_example import EXAMPLE, LIKELY, NOTHING, STRONG, WEAK, Page, difference, gains, words_of
from sim.interval import Interval


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


@pytest.mark.parametrize(
    ("over_today", "expected", "opening"),
    [(STRONG, "adopt", "Adopt plan B: +400k more"), (WEAK, "keep", "Keep today’s plan"), (LIKELY, "keep", "Keep")],
)
def test_a_rule_outside_the_fairness_rules_is_named_as_that_and_decides_nothing(
    over_today: Interval, expected: str, opening: str
) -> None:
    """Whatever it sells more than the plan."""
    shown = EXAMPLE.gain.against_rule.reference
    rows = tuple(replace(row, within_rules=row.within_rules and row.kind != shown) for row in EXAMPLE.plans)
    within = replace(EXAMPLE, gain=gains(difference(-400, 60), over_today, STRONG))
    given = replace(within, plans=rows)
    assert (within.rule_outside, given.rule_outside) == (False, True)
    assert verdict(within) != "adopt"
    assert verdict(given) == expected
    first = decision(given, wording(given, "en"))[0]
    assert first.startswith(opening.replace("+", ""))
    assert ("no simple rule is within the fairness rules" in first) == (expected == "adopt")
    page = words_of(render(given, "en"))
    assert "best simple rule" not in page
    assert "No simple rule is within the fairness rules: " in page
    assert "vs nearest simple rule (outside the rules)" in page
    chinese = render(given, "zh")
    assert "最佳简单规则" not in chinese
    assert "没有简单规则符合公平规则" in chinese


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
