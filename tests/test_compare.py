"""Comparisons of plans: one simulation a world, paired intervals that hold together, words, where a gain comes from."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.compare import MEASURES, Comparison, compare, compare_outcomes
from experiments.decompose import decompose, path_of_plans
from experiments.pairs import difference, newcombe
from experiments.runs import Runs
from hand_made_sales import FakeSimulate, halved, trained, world
from scenarios.errors import InputRefused
from scenarios.plan import CareRow, OwnerRow
from scenarios.today import today_plan
from sim.statistics import simultaneous, wilson


def test_each_distinct_world_is_simulated_once_and_progress_adds_up() -> None:
    scenario, fake = world(), FakeSimulate()
    today = today_plan(scenario)
    seen: list[tuple[int, int]] = []
    cases = {
        "today": scenario,
        "halved": scenario.with_plan(halved(today)),
        "trained": scenario.with_plan(trained(today)),
        "trained and halved": scenario.with_plan(halved(trained(today))),
    }
    found = compare(cases, replications=30, simulate=fake, progress=lambda done, of: seen.append((done, of)))
    assert len(fake.calls) == len(set(fake.calls)) == 2
    assert seen == [(30, 60), (60, 60)]
    assert [case.name for case in found.cases] == list(cases)
    assert found.seed == 7


def test_quotas_move_labels_not_sales() -> None:
    scenario = world()
    cases = {"today": scenario, "halved": scenario.with_plan(halved(today_plan(scenario)))}
    found = compare(cases, replications=40, simulate=FakeSimulate())
    sales = found.difference("halved", "sales")
    assert (sales.word, sales.interval.estimate, sales.interval.half_width) == ("equal", 0, 0)
    assert found.difference("halved", "chance_of_target").word == "equal"
    assert found.difference("halved", "attainment").word == "proven"
    assert found.comparisons == 2, "what is equal by construction is not inferred"
    again = compare({"a": scenario, "b": scenario}, replications=40, simulate=FakeSimulate())
    assert {row.word for row in again.differences} == {"equal"}
    assert again.comparisons == 0


def test_with_motivation_quotas_make_their_own_world() -> None:
    scenario, fake = world(motivation={}), FakeSimulate()
    compare(
        {"today": scenario, "halved": scenario.with_plan(halved(today_plan(scenario)))}, replications=9, simulate=fake
    )
    assert len(fake.calls) == 2


def test_intervals_hold_together_over_the_whole_family() -> None:
    scenario = world()
    today = today_plan(scenario)
    cases = {"today": scenario} | {
        f"{hours} h": scenario.with_plan(trained(today, hours)) for hours in (4.0, 8.0, 12.0)
    }
    found = compare(cases, replications=50, simulate=FakeSimulate())
    assert found.comparisons == 3 * len(MEASURES)
    columns = [found[name].years.sales - found["today"].years.sales for name in list(cases)[1:]]
    ours = [found.difference(name, "sales").interval for name in list(cases)[1:]]
    theirs = simultaneous(np.stack(columns * len(MEASURES), axis=1))[:3]
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.low, mine.high, mine.estimate) == pytest.approx((other.low, other.high, other.estimate), rel=1e-12)
    alone = compare({name: cases[name] for name in ("today", "4.0 h")}, replications=50, simulate=FakeSimulate())
    assert alone.difference("4.0 h", "sales").interval.half_width < ours[0].half_width


def test_what_the_shared_luck_saves_is_told() -> None:
    scenario = world()
    today = today_plan(scenario)
    cases = {"today": scenario, "trained": scenario.with_plan(trained(today)), "same": scenario}
    found = compare(cases, replications=60, simulate=FakeSimulate(per_hour=100.0))
    a, b = found["trained"].years.sales, found["today"].years.sales
    ratio = (a.var(ddof=1) + b.var(ddof=1)) / (a - b).var(ddof=1)
    assert ratio > 10
    assert found.difference("trained", "sales").variance_ratio == pytest.approx(ratio, rel=1e-12)
    assert found.difference("same", "sales").variance_ratio is None, "where nothing can differ nothing is saved"
    table = found.differences_table().set_index(["case", "measure"])["variance_ratio"]
    assert table["trained", "sales"] == pytest.approx(ratio, rel=1e-12)
    assert table.isna()["same", "sales"]
    assert found.table().loc["trained", "sales_variance_ratio"] == pytest.approx(ratio, rel=1e-12)
    told = [line for line in str(found).splitlines() if "without the shared luck" in line]
    assert len(told) == 1
    assert f"expected sales {ratio:,.1f}" in told[0]
    assert "不共用随机数所需年度倍数" in found.summary("zh")
    once = compare(cases, replications=1, simulate=FakeSimulate())
    assert {row.variance_ratio for row in once.differences} == {None}


def test_a_known_gain_is_found_and_none_is_not_claimed() -> None:
    scenario = world()
    cases = {"today": scenario, "trained": scenario.with_plan(trained(today_plan(scenario)))}
    found = compare(cases, replications=200, simulate=FakeSimulate(per_hour=10.0))
    gain = found.difference("trained", "sales")
    # 8 h x 10 x 2 reps, in minor units; all luck but the gain's own is common to both plans
    assert gain.interval.standard_error is not None
    assert abs(gain.interval.estimate - 16_000) < 4 * gain.interval.standard_error
    assert gain.word == "proven"
    assert gain.interval.half_width < 1000, "luck that both plans share drops out (apart it would be 100,000)"
    nothing = compare(cases, replications=200, simulate=FakeSimulate(per_hour=0.0))
    assert nothing.difference("trained", "sales").word == "not proven"
    assert nothing.difference("trained", "hit_rate").word == "not proven"
    assert nothing.difference("trained", "hit_rate").interval.half_width > 0, "years not seen may differ"


def test_two_references_meet_once() -> None:
    scenario = world()
    today = today_plan(scenario)
    cases = {
        "today": scenario,
        "rule": scenario.with_plan(trained(today, 4)),
        "plan": scenario.with_plan(trained(today, 8)),
    }
    found = compare(cases, replications=20, simulate=FakeSimulate(), reference=["rule", "today"])
    pairs = list(dict.fromkeys((row.case, row.against) for row in found.differences))
    assert pairs == [("today", "rule"), ("plan", "rule"), ("plan", "today")]
    assert found.references == ("rule", "today")
    assert found.difference("plan", "sales", "today").interval.estimate > 0
    with pytest.raises(InputRefused, match="was not compared"):
        found.difference("rule", "sales", "today")


def test_newcombe_says_something_where_nothing_happened() -> None:
    never = np.zeros(50)
    interval = newcombe(never, never, 0.95)
    assert interval.estimate == 0
    assert interval.high == pytest.approx(wilson(0, 50).high)
    assert interval.low == -interval.high
    assert newcombe(np.ones(50), never, 0.95).low > 0.8
    assert newcombe(never, never, 0.95, 8).high == pytest.approx(wilson(0, 50, 1 - 0.05 / 8).high)


def test_newcombe_covers_paired_shares() -> None:
    """Coverage over 4,000 samples of 60 correlated pairs with shares .7 and .55 (and hardly below when small)."""
    random = np.random.default_rng(3)
    for first, second in ((0.7, 0.55), (0.06, 0.02)):
        covered, samples = 0, 4000
        for _ in range(samples):
            common, own = random.random(60), random.random((2, 60))
            luck = np.where(random.random(60) < 0.6, common, own)
            interval = newcombe((luck[0] < first).astype(float), (luck[1] < second).astype(float), 0.95)
            covered += interval.low <= first - second <= interval.high
        assert covered / samples > 0.94 - 4 * np.sqrt(0.94 * 0.06 / samples)
        assert covered / samples < 0.995


def test_words_follow_the_intervals() -> None:
    random = np.random.default_rng(11)
    base = (random.random(400) < 0.5).astype(float)
    more = np.maximum(base, (random.random(400) < 0.2).astype(float))
    interval, word = difference(more, base, "yes_no", 0.95, 8)
    assert (word, interval.excludes_zero) == ("proven", True)
    assert difference(base, base, "yes_no", 0.95, 8)[1] == "not proven"
    spread = random.standard_normal(100)
    standard = (spread - spread.mean()) / spread.std(ddof=1) / 10
    for t_value, wanted in ((2.5, "proven"), (1.6, "likely"), (1.0, "not proven")):
        sample = np.sqrt(100) * standard + t_value / 10
        assert difference(sample, np.zeros(100), "amount", 0.95, 1)[1] == wanted
    assert difference(sample + 0.15, np.zeros(100), "amount", 0.95, 4)[1] == "likely", "four together need more"


def test_decomposition_sums_exactly_and_quotas_bring_nothing() -> None:
    scenario = world()
    today = today_plan(scenario)
    start = scenario.calendar.start
    plan = halved(trained(today)).with_rows(name="B", owners=[OwnerRow("K1", "E2", start), OwnerRow("K2", "E1", start)])
    fake = FakeSimulate(per_account=50.0)
    found = decompose(scenario, today, plan, Runs(60, 7, simulate=fake))
    assert [step.part for step in found.steps] == ["quotas", "training", "accounts"]
    assert len(fake.calls) == 3, "the step of quotas costs no simulation"
    quotas, training, accounts = found.steps
    assert quotas.sales.word == "equal"
    assert quotas.hit_rate is not None
    assert quotas.hit_rate.word == "proven"
    assert accounts.sales.interval.estimate == 10_000
    assert training.sales.interval.estimate > 0
    steps = sum(step.sales.interval.estimate for step in found.steps)
    assert steps == pytest.approx(found.total.sales.interval.estimate, rel=1e-12)
    assert "quotas: 0" in str(found)
    assert "指标调整" in found.summary("zh")


def test_the_path_of_plans_takes_only_what_differs() -> None:
    today = today_plan(world())
    assert path_of_plans(today, today) == {}
    cared = today.with_rows(care=[CareRow("K1", 30.0)])
    path = path_of_plans(today, cared)
    assert list(path) == ["accounts"]
    assert path["accounts"].care == cared.care
    same = decompose(world(), today, today, Runs(10, 7, simulate=FakeSimulate()))
    assert (same.steps, same.total.sales.word) == ((), "equal")


def test_refusals_name_everything_wrong() -> None:
    scenario = world()
    fake = FakeSimulate()
    with pytest.raises(InputRefused, match="at least one case"):
        compare({}, simulate=fake)
    with pytest.raises(InputRefused) as refused:
        compare({"a": scenario, "b": world(currency="EUR")}, reference="c", simulate=fake)
    assert {problem.where for problem in refused.value.problems} == {"reference", "cases"}
    plan = today_plan(scenario)
    years = {seed: fake(scenario.with_plan(plan), replications=5, seed=seed) for seed in (1, 2)}
    cases = {"a": scenario, "b": scenario}
    with pytest.raises(InputRefused, match="same random numbers"):
        compare_outcomes(cases, {"a": years[1], "b": years[2]})
    with pytest.raises(InputRefused, match="was not simulated"):
        compare_outcomes(cases, {"a": years[1]})
    with pytest.raises(InputRefused, match="of another plan"):
        compare_outcomes({"a": scenario.with_plan(trained(plan))}, {"a": years[1]})
    with pytest.raises(InputRefused, match="of another scenario"):
        compare_outcomes({"a": world(name="other")}, {"a": years[1]})
    with pytest.raises(InputRefused, match=r"no such case.*known: a"):
        _ = compare_outcomes({"a": scenario}, {"a": years[1]})["z"]


def test_tables_and_text() -> None:
    scenario = world()
    cases = {"today": scenario, "方案B": scenario.with_plan(trained(today_plan(scenario)))}
    found = compare(cases, replications=60, simulate=FakeSimulate())
    table = found.table()
    assert list(table.index) == ["today", "方案B"]
    assert table.loc["方案B", "expected_sales"] == pytest.approx(found["方案B"].expected_sales.estimate / 100)
    gain = found.difference("方案B", "sales").interval
    assert table.loc["方案B", "sales_gain"] == pytest.approx(gain.estimate / 100)
    assert len(found.differences_table()) == len(found.differences) == len(MEASURES)
    english, chinese = str(found), found.summary("zh")
    assert "方案B against today" in english
    assert "proven" in english
    assert "CNY" in english
    assert "已证实" in chinese
    assert "万元" in chinese


def real(workers: int) -> Comparison:
    scenario = world()
    cases = {"today": scenario, "trained": scenario.with_plan(trained(today_plan(scenario)))}
    return compare(cases, replications=8, workers=workers)


def test_the_result_does_not_depend_on_workers() -> None:
    """With the simulator itself: a quarter of a year, two reps."""
    first, second = real(1), real(2)
    assert first.content_hash() == second.content_hash()
    assert str(first) == str(second)
    other = compare({"today": world()}, replications=8, seed=8)
    assert other.content_hash() != compare({"today": world()}, replications=8).content_hash()
