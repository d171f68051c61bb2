"""Parameter errors: keyed by path, inside their ranges, as wide as stated; ranges and gains with and without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from experiments.parameter_error import ErrorLevels, error_sources, uncertain_parameters, with_parameter_draw
from experiments.runs import Runs
from experiments.uncertainty import YearRange, chance_above_zero, gain_range, year_range
from scenarios.errors import InputRefused
from scenarios.files import from_document
from scenarios.plan import TrainingRow
from scenarios.scenario import Provenance, Scenario
from scenarios.today import today_plan
from sim.outcome import Cube, Outcome

MEAN_ONE = {"family": "exponential", "mean": 1}
SKILLS = ("product_knowledge", "negotiation", "relationship_management", "market_insight", "learning_ability")
WORLD: dict[str, Any] = {
    "name": "uncertain",
    "seed": 7,
    "calendar": {"start": "2026-01-01", "end": "2026-03-01"},
    "regions": [{"id": "east"}],
    "teams": [{"id": "T", "region": "east"}],
    "skills": {"levels": [{"id": "mid", "skills": dict.fromkeys(SKILLS, 99)}]},
    "stages": [
        {"id": "talk", "effort_hours": {"family": "uniform", "low": 1, "high": 3}, "conversion": 1.0},
        {"id": "close", "effort_hours": MEAN_ONE, "conversion": 0.97},
    ],
    "sources": [{"id": "网络", "leads_per_year": 200}, {"id": "fair", "leads_per_year": 0}],
    "products": [{"id": "p.1", "value": {"family": "lognormal", "mean": 1000, "cv": 0.7}}],
    "tiers": [{"id": "A", "orders_per_year": 12, "order_value": {"family": "fixed", "value": 900}}],
    "account_physics": {"order_effort_hours": MEAN_ONE},
    "reps": [{"id": "E1", "team": "T", "level": "mid", "quota": 15_000}],
    "accounts": [{"id": "K1", "tier": "A", "region": "east", "owner": "E1", "orders_per_year": 5}],
}
ONLY_DEMAND = ErrorLevels(0.10, 0, 0, 0, 0, 0, 0)


def world(**sections: Any) -> Scenario:
    return from_document(WORLD | sections)


class FakeSimulate:
    """Sales = 100 currency units a lead plus luck of the replication; each hour of training brings 1 % of it."""

    def __init__(self, luck: float = 1000.0, per_hour: float = 0.01, shared: bool = True) -> None:
        self.luck, self.per_hour, self.shared = luck, per_hour, shared
        self.years: list[int] = []

    def __call__(
        self,
        scenario: Scenario,
        *,
        replications: int,
        first: int = 0,
        seed: int | None = None,
        **_: Any,
    ) -> Outcome:
        assert scenario.plan is not None
        years = range(first, first + replications)
        hours = sum(scenario.plan.training_hours().values())
        leads = sum(source.leads_per_year for source in scenario.sources)
        world = 0 if self.shared else int(leads * 1e6)
        luck = np.array([np.random.default_rng([seed or 0, year, world]).standard_normal() for year in years])
        self.years += years
        sales = (100 * leads * (1 + self.per_hour * hours) + self.luck * luck) * 100
        revenue = np.rint(sales).astype(np.int64)[None, :, None, None]
        cube = Cube("rep", ("revenue",), ("E1",), ("all",), revenue)
        return Outcome(scenario.fingerprint(), "", "", seed or 0, first, "fake", 1, {"rep": cube})


def test_errors_are_keyed_by_path() -> None:
    small = world()
    more = world(sources=[{"id": "new", "leads_per_year": 70}, *WORLD["sources"]])
    first, second = with_parameter_draw(small, 3), with_parameter_draw(more, 3)
    assert first.fingerprint() == with_parameter_draw(small, 3).fingerprint()
    assert first.fingerprint() != with_parameter_draw(small, 4).fingerprint()
    assert first.fingerprint() != with_parameter_draw(small, 3, seed=8).fingerprint()
    assert first.sources[0].leads_per_year == second.sources[1].leads_per_year != 200
    assert second.sources[0].leads_per_year != 70
    assert first.stages == second.stages
    assert first.products == second.products


def test_errors_stay_inside_their_ranges_and_leave_the_rest() -> None:
    scenario = world().with_plan(today_plan(world()))
    wild = ErrorLevels(1, 1, 1, 1, 3, 40, 1)
    for number in range(60):
        drawn = with_parameter_draw(scenario, number, levels=wild)
        assert drawn.stages[0].conversion == 1.0, "certainty is not an estimate"
        assert 0 < (drawn.stages[1].conversion or 0) <= 1
        assert drawn.sources[1].leads_per_year == 0
        effort = drawn.stages[0].effort_hours
        assert effort.family == "uniform"
        assert effort.high == pytest.approx(3 * effort.low), "the shape stays"
        scores = set(drawn.reps[0].skills.values())
        assert len(scores) == 1, "one rep's skills err together"
        assert 0 <= scores.pop() <= 100
        assert drawn.plan == scenario.plan
        assert drawn.reps[0].quota == scenario.reps[0].quota
        assert drawn.calendar == scenario.calendar


def test_stated_values_stay_the_expected_ones() -> None:
    draws = 600
    leads = np.array(
        [with_parameter_draw(world(), n, levels=ONLY_DEMAND).sources[0].leads_per_year for n in range(draws)]
    )
    log = np.log(leads / 200)
    low, high = (chi2.ppf(p, draws - 1) / (draws - 1) for p in (5e-5, 1 - 5e-5))
    assert low < (log.std(ddof=1) / 0.1) ** 2 < high
    assert kstest((log + 0.005) / 0.1, "norm").pvalue > 1e-4
    points, weights = np.polynomial.hermite_e.hermegauss(40)
    found = {row.path: row for row in uncertain_parameters(world(), ErrorLevels(1, 1, 1, 1, 1, 1, 1))}
    mean = sum(w * found["sources[网络].leads_per_year"].drawn(z) for z, w in zip(points, weights, strict=True))
    assert mean / weights.sum() == pytest.approx(200, rel=1e-9)


def test_parameters_err_independently() -> None:
    draws = 400
    worlds = [with_parameter_draw(world(), number) for number in range(draws)]
    columns = np.array(
        [
            [
                drawn.sources[0].leads_per_year,
                drawn.products[0].value.mean_value(),
                drawn.stages[0].effort_hours.mean_value(),
                drawn.stages[1].conversion or 0,
                drawn.tiers[0].orders_per_year,
                drawn.accounts[0].orders_per_year or 0,
                drawn.reps[0].skills["negotiation"],
            ]
            for drawn in worlds
        ]
    )
    related = np.corrcoef(columns, rowvar=False)
    assert np.abs(related - np.eye(7)).max() < 4 / np.sqrt(draws)


def test_no_level_no_error() -> None:
    none = ErrorLevels(0, 0, 0, 0, 0, 0, 0)
    assert uncertain_parameters(world(), none) == ()
    assert with_parameter_draw(world(), 1, levels=none) == world()


def test_every_kind_of_parameter_errs() -> None:
    paths = {parameter.path for parameter in uncertain_parameters(world())}
    assert paths >= {
        "sources[网络].leads_per_year",
        "stages[talk].effort_hours",
        "stages[close].conversion",
        "products[p.1].value",
        "tiers[A].order_value",
        "tiers[A].orders_per_year",
        "accounts[K1].orders_per_year",
        "skills.conversion_logit_per_point",
        "skills.effort_log_per_point",
        "skills.training.max_gain_points",
        "account_physics.handover_loss",
        "account_physics.care_elasticity",
        "account_physics.rate_per_relationship_point",
        "reps[E1].skills[negotiation]",
    }
    before, after = world().document(), with_parameter_draw(world(), 0).document()
    assert before["products"][0]["value"]["mean"] != after["products"][0]["value"]["mean"]
    assert before["account_physics"]["handover_loss"] != after["account_physics"]["handover_loss"]


def test_intervals_from_data_replace_the_default_levels() -> None:
    provenance = [
        {"path": "sources.网络.leads_per_year", "low": 190, "high": 210, "source": "crm", "grade": "measured"},
        {"path": "stages.close.conversion", "low": 0.90, "high": 0.99, "source": "crm", "grade": "fitted"},
        {"path": "stages.talk.effort_hours.mean", "low": 0, "high": 2, "source": "crm", "grade": "assumed"},
    ]
    found = {parameter.path: parameter for parameter in uncertain_parameters(world(provenance=provenance))}
    leads = found["sources[网络].leads_per_year"]
    assert leads.from_data
    assert leads.sd == pytest.approx(np.log(210 / 190) / (2 * 1.959964), rel=1e-6)
    assert found["stages[close].conversion"].from_data
    effort = found["stages[talk].effort_hours"]
    assert (effort.from_data, effort.sd) == (False, 0.10), "an interval down to zero has no place on a log scale"


def known_range(draws: int = 400, each: int = 3, luck: float = 1000.0, levels: ErrorLevels = ONLY_DEMAND) -> YearRange:
    return year_range(world(), draws=draws, each=each, levels=levels, simulate=FakeSimulate(luck))


def test_the_spread_of_the_mean_is_found_without_the_luck() -> None:
    draws = 400
    found = known_range(draws)
    truth = 0.1 * 200 * 100 * 100
    low, high = (chi2.ppf(p, draws - 1) / (draws - 1) for p in (5e-5, 1 - 5e-5))
    assert low < (found.parameter_sd / truth) ** 2 < high
    p10, p90 = found.parameters
    assert (p90 - p10) / 2 == pytest.approx(1.2815515655 * found.parameter_sd)
    assert abs(found.shift.estimate) < 4 * truth / np.sqrt(draws)
    assert found.luck[1].estimate - found.luck[0].estimate < found.both[1] - found.both[0]


def test_luck_within_a_draw_is_taken_out() -> None:
    draws, each, luck = 1000, 3, 4000.0
    simulate = FakeSimulate(luck, shared=False)
    found = year_range(world(), draws=draws, each=each, levels=ONLY_DEMAND, simulate=simulate)
    assert simulate.years == [*range(draws * each)] * 2, "each draw has its own years, the same on both sides"
    truth, error = (0.1 * 200 * 100 * 100) ** 2, 2 * (100 * luck) ** 2
    between = 2 * (each * truth + error) ** 2 / (draws - 1)
    within = 2 * error**2 / (draws * (each - 1))
    assert abs(found.parameter_sd**2 - truth) < 4 * np.sqrt(between + within) / each


def test_without_parameter_error_there_is_only_luck() -> None:
    found = known_range(draws=10, each=2, levels=ErrorLevels(0, 0, 0, 0, 0, 0, 0))
    assert found.parameter_sd == 0
    assert found.shift.estimate == 0
    assert found.both == (found.luck[0].estimate, found.luck[1].estimate)


def test_a_gain_under_parameter_error() -> None:
    scenario = world()
    today = today_plan(scenario)
    start, end = scenario.calendar.start, scenario.calendar.end
    plan = today.with_rows(name="B", training=[TrainingRow("E1", "negotiation", start, end, 5.0)])
    gain, year = gain_range(scenario, plan, today, draws=40, each=2, levels=ONLY_DEMAND, simulate=FakeSimulate())
    # 5 h bring 5 % of sales without luck: 1,000 currency units as promised, 5 % of the drawn demand under errors
    assert gain.promised.estimate == 100_000
    assert gain.chance_ahead > 0.999
    assert abs(gain.under_errors.estimate - 100_000) < 4 * 10_000 / np.sqrt(40)
    assert gain.lost_share is not None
    assert gain.lost_share == pytest.approx(1 - gain.under_errors.estimate / 100_000)
    assert gain.low < gain.under_errors.estimate < gain.high
    assert year.mean.estimate == pytest.approx(
        year_range(
            scenario.with_plan(plan), draws=40, each=2, levels=ONLY_DEMAND, simulate=FakeSimulate()
        ).mean.estimate
    )
    same, _ = gain_range(scenario, today, today, draws=10, each=2, simulate=FakeSimulate())
    assert (same.lost_share, same.chance_ahead) == (None, 0), "no promise, nothing to lose"


def test_the_luck_of_few_years_makes_no_certain_gain_fragile() -> None:
    """Every draw gains 1 on average; the years scatter by 4, so a count of draws ahead shows luck."""
    random = np.random.default_rng(5)
    luck = random.normal(0, 4, (4000, 2))
    assert ((1 + luck).mean(axis=1) > 0).mean() < 0.7
    error = random.normal(0, 1, (4000, 1))
    for spread, low, high in ((0.0, 0.95, 1.0), (2.0, 0.66, 0.73)):
        assert low < chance_above_zero(1 + spread * error + luck) <= high
    assert chance_above_zero(np.ones((10, 2))) == 1
    assert chance_above_zero(np.zeros((10, 2))) == chance_above_zero(-np.ones((10, 2))) == 0


def test_years_at_hand_are_not_simulated_again() -> None:
    scenario = world()
    today = today_plan(scenario)
    start, end = scenario.calendar.start, scenario.calendar.end
    plan = today.with_rows(name="B", training=[TrainingRow("E1", "negotiation", start, end, 5.0)])
    alone = gain_range(scenario, plan, today, draws=10, each=2, simulate=FakeSimulate())
    for years, calls in ((25, 2 * 20), (19, 4 * 20)):
        runs = Runs(years, 7, simulate=FakeSimulate())
        for known in (plan, today):
            runs.outcome(scenario, known)
        fake = FakeSimulate()
        assert gain_range(scenario, plan, today, draws=10, each=2, simulate=fake, runs=runs) == alone
        assert len(fake.years) == calls, "too few years at hand are no years at hand"
    other = Runs(25, 7, first=100, simulate=FakeSimulate())
    later = FakeSimulate()
    gain_range(scenario, plan, today, draws=10, each=2, simulate=later, runs=other)
    assert set(later.years) == set(range(100, 120)), "the same luck on both sides"


def test_too_few_draws_are_refused_together() -> None:
    with pytest.raises(InputRefused) as refused:
        year_range(world(), draws=9, each=1, simulate=FakeSimulate())
    assert [problem.where for problem in refused.value.problems] == ["draws", "each"]


def test_progress_and_workers() -> None:
    """With the simulator itself."""
    seen: list[tuple[int, int]] = []
    one = year_range(world(), draws=10, each=2, progress=lambda *state: seen.append(state))
    assert seen[-1] == (40, 40)
    assert seen == sorted(seen)
    assert one == year_range(world(), draws=10, each=2, workers=2)
    assert one.parameter_sd > 0


def test_what_errs_is_counted_by_where_its_spread_comes_from(tiny: Scenario) -> None:
    bare = tiny.model_copy(update={"provenance": ()})
    none = error_sources(bare)
    assert none.measured == 0
    assert none.stated == len({parameter.entity for parameter in uncertain_parameters(bare)}) > 0
    stage = tiny.stages[0]
    row = Provenance(path=f"stages[{stage.id}].conversion", low=0.3, high=0.4, source="export", grade="measured")
    one = error_sources(tiny.model_copy(update={"provenance": (row,)}))
    assert (one.measured, one.stated) == (1, none.stated - 1)
