"""How a year and a plan's gain look when the parameters themselves may be wrong.

Draw d of the parameters is simulated in years d x each to (d + 1) x each - 1, and so is the scenario as it stands: what
differs between the two is the error of the parameters alone. A *year range* is P10 to P90 of single
years. The range of the *mean* over parameter draws is formed after the luck of the few years in each draw has been
taken out, by the components of variance of a one-way layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import ndtr, ndtri

from experiments.measures import HIGH_QUANTILE, LOW_QUANTILE, Floats
from experiments.parameter_error import ErrorLevels, ErrorSources, error_sources, with_parameter_draw
from experiments.runs import Progress, Runs, Simulate, default_simulate, plan_of
from scenarios.errors import Problem, refuse_if
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from sim.outcome import Outcome
from sim.statistics import Interval, mean_interval, quantile_interval

FEWEST_DRAWS = 10
YEARS_A_DRAW = 4
"""Where nothing else is asked."""


@dataclass(frozen=True)
class YearRange:
    """A year's company sales with and without parameter error; minor units.

    Attributes:
        luck: P10 and P90 of a year with all parameters as given.
        both: P10 and P90 of a year whose parameters are in error too (years of one draw share its errors, so the
            intervals of independent years do not apply).
        mean: expected sales with all parameters as given.
        parameter_sd: standard deviation of expected sales over the parameter draws (0 where none can be seen).
        shift: expected sales in error minus as given: what a promise made on the given parameters overstates where it
            is negative.
        draws: of the parameters.
        each: years a draw.
        sources: where the spreads of the errors come from.
    """

    luck: tuple[Interval, Interval]
    both: tuple[float, float]
    mean: Interval
    parameter_sd: float
    shift: Interval
    draws: int
    each: int
    sources: ErrorSources

    @property
    def parameters(self) -> tuple[float, float]:
        """P10 and P90 of *expected* sales over plausible parameters, normal approximation, minor units."""
        centre = self.mean.estimate + self.shift.estimate
        low, high = (float(ndtri(p)) * self.parameter_sd for p in (LOW_QUANTILE, HIGH_QUANTILE))
        return centre + low, centre + high


@dataclass(frozen=True)
class GainRange:
    """One plan's sales minus another's when the parameters may be wrong; minor units.

    Attributes:
        promised: mean difference with all parameters as given.
        under_errors: mean difference over parameter draws, one figure a draw.
        chance_ahead: share of plausible worlds in which the plan *expects* to sell more, see :func:`chance_above_zero`.
        low: P10 of the draws' mean differences (they still hold the luck of ``each`` years).
        high: P90 of them.
        lost_share: share of the promise that parameter errors cost on average; negative where they add; ``None``
            where the promise is not clearly different from zero.
    """

    promised: Interval
    under_errors: Interval
    chance_ahead: float
    low: float
    high: float
    lost_share: float | None
    draws: int
    each: int


def year_range(
    scenario: Scenario,
    *,
    draws: int = 50,
    each: int = YEARS_A_DRAW,
    seed: int | None = None,
    levels: ErrorLevels | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    simulate: Simulate | None = None,
) -> YearRange:
    """A year's range with and without parameter error, under the scenario's plan (else today's).

    Args:
        draws: of the parameters, at least 10.
        each: simulated years a draw, at least 2.
        progress: called with (years done, years in all).

    Raises:
        InputRefused: too few draws or years.
    """
    given, erring = _both_sides(
        scenario,
        (plan_of(scenario),),
        draws,
        each,
        seed=seed,
        levels=levels,
        workers=workers,
        progress=progress,
        simulate=simulate,
    )
    return _range(given[0], erring[0], error_sources(scenario, levels))


def gain_range(
    scenario: Scenario,
    plan: Plan,
    against: Plan,
    *,
    draws: int = 50,
    each: int = YEARS_A_DRAW,
    seed: int | None = None,
    levels: ErrorLevels | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    simulate: Simulate | None = None,
    runs: Runs | None = None,
) -> tuple[GainRange, YearRange]:
    """A plan's gain over another under parameter error, and the plan's year range from the same runs.

    Both plans meet the same parameter draws and the same luck. Each draw gives one figure, so the intervals treat the
    draws, not the years, as the sample.

    Args:
        runs: simulations at hand; where they hold enough years of this seed, these are the years with the parameters as
            given, which halves the work.

    Raises:
        InputRefused: see :func:`year_range`.
    """
    given, erring = _both_sides(
        scenario,
        (plan, against),
        draws,
        each,
        seed=seed,
        levels=levels,
        workers=workers,
        progress=progress,
        simulate=simulate,
        runs=runs,
    )
    promised = mean_interval((given[0] - given[1]).ravel())
    by_draw = (erring[0] - erring[1]).mean(axis=1)
    under = mean_interval(by_draw)
    low, high = np.quantile(by_draw, (LOW_QUANTILE, HIGH_QUANTILE))
    lost = (promised.estimate - under.estimate) / promised.estimate if promised.excludes_zero else None
    gain = GainRange(
        promised=promised,
        under_errors=under,
        chance_ahead=chance_above_zero(erring[0] - erring[1]),
        low=float(low),
        high=float(high),
        lost_share=lost,
        draws=draws,
        each=each,
    )
    return gain, _range(given[0], erring[0], error_sources(scenario, levels))


def chance_above_zero(gains: Floats) -> float:
    """Chance that the expected gain is above zero in a world whose parameters err.

    Normal approximation: the mean gain over the draws, over the standard deviation of expected gains between them. The
    luck of the few years in each draw is taken out of the latter, since it says nothing of the parameters.

    Args:
        gains: of draws and their years, shape ``[draws, each]``.
    """
    mean, spread = float(gains.mean()), _between_sd(gains)
    return float(ndtr(mean / spread)) if spread > 0 else float(mean > 0)


def as_share(change: Interval, level: float) -> Interval | None:
    """A change of expected sales as a share of them; ``None`` where there are none."""
    if not level > 0:
        return None
    middle, low, high = (value / level for value in (change.estimate, change.low, change.high))
    return Interval(middle, low, high, change.confidence, change.n, change.method)


@dataclass(frozen=True)
class _Erring:
    """What a worker needs to simulate one parameter draw."""

    scenario: Scenario
    plans: tuple[Plan, ...]
    each: int
    first: int
    seed: int
    levels: ErrorLevels | None
    simulate: Simulate

    def block(self, number: int) -> Floats:
        """Company sales of one draw's years, shape ``[plan, each]``; a pure function of its arguments."""
        world = with_parameter_draw(self.scenario, number, levels=self.levels, seed=self.seed)
        return np.stack([self._company(world.with_plan(plan), number) for plan in self.plans])

    def _company(self, world: Scenario, number: int) -> Floats:
        first = self.first + number * self.each
        outcome = self.simulate(world, replications=self.each, first=first, seed=self.seed, workers=1)
        return _company_sales(outcome)


def _both_sides(
    scenario: Scenario,
    plans: tuple[Plan, ...],
    draws: int,
    each: int,
    *,
    seed: int | None,
    levels: ErrorLevels | None,
    workers: int,
    progress: Progress | None,
    simulate: Simulate | None,
    runs: Runs | None = None,
) -> tuple[list[Floats], list[Floats]]:
    """Company sales by plan, each of shape ``[draws, each]``: with the parameters as given, and in error."""
    _check(draws, each)
    used, years = scenario.seed if seed is None else seed, draws * each
    at_hand = runs is not None and runs.seed == used and runs.replications >= years
    total = len(plans) * years * (1 if at_hand else 2)

    def report(done: int, _: int = 0) -> None:
        if progress is not None:
            progress(done, total)

    given = runs
    if given is None or not at_hand:
        given = Runs(years, used, workers=workers, progress=report, simulate=simulate)
    for plan in plans:
        given.expect(scenario, plan)
    known = [_company_sales(given.outcome(scenario, plan))[:years].reshape(draws, each) for plan in plans]
    erring = _Erring(scenario, plans, each, given.first, used, levels, simulate or default_simulate())
    rows: list[Floats] = []
    from sim.run import in_order  # late, as the simulator itself

    for row in in_order(erring.block, range(draws), workers):
        rows.append(row)
        report(total - len(plans) * (years - len(rows) * each))
    blocks = np.stack(rows)
    return known, [blocks[:, plan] for plan in range(len(plans))]


def _company_sales(outcome: Outcome) -> Floats:
    return np.asarray(outcome["rep"].company("revenue"), dtype=np.float64)


def _check(draws: int, each: int) -> None:
    found = []
    if draws < FEWEST_DRAWS:
        found.append(Problem("draws", str(draws), f"a range over parameters needs at least {FEWEST_DRAWS} draws"))
    if each < 2:
        found.append(Problem("each", str(each), "at least two years a draw are needed to tell luck from error"))
    refuse_if(found)


def _range(given: Floats, erring: Floats, sources: ErrorSources) -> YearRange:
    draws, each = given.shape
    shift = (erring - given).mean(axis=1)
    low, high = np.quantile(erring, (LOW_QUANTILE, HIGH_QUANTILE))
    years = given.ravel()
    return YearRange(
        luck=(quantile_interval(years, LOW_QUANTILE), quantile_interval(years, HIGH_QUANTILE)),
        both=(float(low), float(high)),
        mean=mean_interval(years),
        parameter_sd=_between_sd(erring - given),
        shift=mean_interval(shift),
        draws=draws,
        each=each,
        sources=sources,
    )


def _between_sd(paired: Floats) -> float:
    """Standard deviation between draws of what parameter error does, freed of the luck within a draw.

    Analysis of variance of a one-way layout (Searle, Casella and McCulloch 1992, section 3.5): between mean square
    minus within mean square, over the years a draw; 0 where that is negative. The pairs with the given parameters
    share their luck, which makes the within mean square small.
    """
    each = paired.shape[1]
    between = each * paired.mean(axis=1).var(ddof=1)
    within = paired.var(axis=1, ddof=1).mean()
    return sqrt(max(float(between - within) / each, 0.0))
