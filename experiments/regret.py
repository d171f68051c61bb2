"""Plans under stress, and the plan that one would regret least.

Each plan is simulated in each stressed world on the same random numbers. The *regret* of a plan in a world is what the
best of the plans sells there more; the plan whose largest regret over all worlds is smallest is the choice (Savage
1951, Journal of the American Statistical Association 46, 55-67). It needs no odds of the worlds, which nobody knows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.measures import Floats, PlanMeasures, moved_accounts, plan_measures
from experiments.money import Language
from experiments.parameter_error import with_parameter_draw
from experiments.runs import Progress, Runs, Simulate
from experiments.stress import chosen, unknown_stresses
from experiments.without_blocks import Years, leave_blocks_out
from scenarios.base import MINOR_PER_MAJOR
from scenarios.errors import Problem, refuse_if
from scenarios.plan import Plan
from scenarios.plan_checks import plan_problems
from scenarios.scenario import Scenario, require_world
from sim.interval import Interval
from sim.statistics import mean_interval, paired_difference

AS_GIVEN, PARAMETERS = "as_given", "parameters"
"""Names of the world without stress, and of the one whose parameters are in error."""

YEARS_A_DRAW = 4


@dataclass(frozen=True)
class StressTest:
    """Plans in stressed worlds.

    Attributes:
        worlds: ``as_given``, then the stresses, then ``parameters`` if it was asked for.
        plans: names.
        sales: of the company, minor units, shape ``[world, plan, year]``; all on the same random numbers.
        measures: by world and plan; ``parameters`` has none, its years are of many worlds.
        what: whom or what a stress hits, by world.
        moves: accounts that a plan moves, by plan: the fewer, the simpler.
        parameter_draws: how many worlds ``parameters`` is the mean of.
    """

    worlds: tuple[str, ...]
    plans: tuple[str, ...]
    sales: NDArray[np.float64] = field(repr=False)
    measures: Mapping[tuple[str, str], PlanMeasures] = field(repr=False)
    what: Mapping[str, str]
    moves: Mapping[str, int]
    currency: str
    parameter_draws: int = 0

    def expected(self, world: str, plan: str) -> Interval:
        """Expected sales, minor units."""
        return mean_interval(self._years(world, plan))

    def cost(self, world: str, plan: str) -> Interval:
        """Sales in this world less those as given, minor units, on the same random numbers."""
        return paired_difference(self._years(world, plan), self._years(AS_GIVEN, plan))

    def gain(self, world: str, plan: str, against: str) -> Interval:
        """Sales of one plan less another's in the same world, minor units."""
        return paired_difference(self._years(world, plan), self._years(world, against))

    def regret(self, world: str, plan: str) -> float:
        """What the best plan of this world sells more, minor units."""
        return float(self._regrets(np.arange(self.sales.shape[2]))[self.worlds.index(world), self.plans.index(plan)])

    def largest_regret(self, plan: str) -> Interval:
        """Over all worlds, minor units."""
        at = self.plans.index(plan)
        return leave_blocks_out(lambda keep: float(self._regrets(keep)[:, at].max()), self.sales.shape[2])

    @property
    def least_regret(self) -> str:
        """The plan whose largest regret is smallest; ties by fewer moves, then in the order given."""
        worst = self._regrets(np.arange(self.sales.shape[2])).max(axis=0)
        return min(self.plans, key=lambda plan: (float(worst[self.plans.index(plan)]), self.moves[plan]))

    @property
    def choice(self) -> str:
        """The plan to take: of those that are not proven worse than the one of least regret, that with fewest moves."""
        least = self.least_regret
        return min(self.as_good, key=lambda plan: (self.moves[plan], plan != least))

    @property
    def as_good(self) -> tuple[str, ...]:
        """The plan of least regret, and all whose largest regret is not proven larger."""
        least = self.plans.index(self.least_regret)
        found = []
        for at, plan in enumerate(self.plans):

            def more(keep: Years, at: int = at) -> float:
                worst = self._regrets(keep).max(axis=0)
                return float(worst[at] - worst[least])

            apart = leave_blocks_out(more, self.sales.shape[2], comparisons=max(len(self.plans) - 1, 1))
            if at == least or apart.low <= 0:
                found.append(plan)
        return tuple(found)

    def table(self) -> pd.DataFrame:
        """One row a world and plan; money in currency units."""
        rows = []
        for world in self.worlds:
            for plan in self.plans:
                expected = self.expected(world, plan)
                known = self.measures.get((world, plan))
                chance = None if known is None else known.chance_of_target
                rows.append(
                    {
                        "world": world,
                        "plan": plan,
                        "expected_sales": expected.estimate / MINOR_PER_MAJOR,
                        "low": expected.low / MINOR_PER_MAJOR,
                        "high": expected.high / MINOR_PER_MAJOR,
                        "against_as_given": self.cost(world, plan).estimate / MINOR_PER_MAJOR,
                        "chance_of_target": None if chance is None else chance.estimate,
                        "regret": self.regret(world, plan) / MINOR_PER_MAJOR,
                    }
                )
        return pd.DataFrame(rows)

    def content_hash(self) -> str:
        """Hash of every figure: equal tests have equal hashes, however many workers computed them."""
        digest = hashlib.sha256(json.dumps([self.worlds, self.plans, dict(self.moves)]).encode())
        digest.update(self.sales.astype("<f8").tobytes())
        return digest.hexdigest()

    def summary(self, language: Language = "en") -> str:
        """The test in lines: a row a world, then the choice."""
        from experiments.regret_text import regret_text

        return regret_text(self, language)

    def __str__(self) -> str:
        return self.summary()

    def _years(self, world: str, plan: str) -> Floats:
        return np.asarray(self.sales[self.worlds.index(world), self.plans.index(plan)])

    def _regrets(self, keep: Years) -> Floats:
        means = self.sales[:, :, keep].mean(axis=2)
        return np.asarray(means.max(axis=1, keepdims=True) - means)


def stress_test(
    scenario: Scenario,
    plans: Mapping[str, Plan],
    *,
    stresses: Sequence[str] | None = None,
    draws: int = 0,
    replications: int = 200,
    first: int = 0,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    simulate: Simulate | None = None,
) -> StressTest:
    """Simulate plans in stressed worlds on the same random numbers.

    Args:
        plans: by name, at least one.
        stresses: names, see :func:`experiments.stress.stresses`; default all that the scenario can undergo.
        draws: of the uncertain parameters; their mean is one more world. 0 leaves them out.
        replications: simulated years of each plan in each world.
        first: number of the first year.
        seed: default the scenario's.
        progress: called with (years done, years needed).

    Raises:
        InputRefused: no plan, one that does not fit the scenario, an unknown stress, or too few years for the draws.
    """
    require_world(scenario)
    _check(scenario, plans, stresses or (), draws, replications)
    hit = chosen(scenario, None if stresses is None else list(stresses))
    worlds = {AS_GIVEN: scenario} | {name: stress.applied(scenario) for name, stress in hit.items()}
    used = scenario.seed if seed is None else seed
    pool = Runs(replications, used, first=first, workers=workers, progress=progress, simulate=simulate)
    for world in worlds.values():
        for plan in plans.values():
            pool.expect(world, plan)
    measures, sales = {}, []
    for name, world in worlds.items():
        outcomes = {plan: pool.outcome(world, decided) for plan, decided in plans.items()}
        sales.append([np.asarray(found["rep"].company("revenue"), dtype=np.float64) for found in outcomes.values()])
        for case, found in outcomes.items():
            measures[name, case] = plan_measures(world, plans[case], found, name=case)
    if draws:
        sales.append(_in_error(scenario, list(plans.values()), draws, replications, first, used, workers, simulate))
    return StressTest(
        worlds=(*worlds, PARAMETERS) if draws else tuple(worlds),
        plans=tuple(plans),
        sales=np.array(sales),
        measures=measures,
        what={name: stress.what for name, stress in hit.items() if stress.what},
        moves={name: len(moved_accounts(scenario, plan)) for name, plan in plans.items()},
        currency=scenario.currency,
        parameter_draws=draws,
    )


def _in_error(
    scenario: Scenario,
    plans: list[Plan],
    draws: int,
    replications: int,
    first: int,
    seed: int,
    workers: int,
    simulate: Simulate | None,
) -> list[Floats]:
    """Sales of each plan over the parameter draws, each year of one draw; the same years as everywhere else."""
    parts: list[list[Floats]] = [[] for _ in plans]
    for number, years in enumerate(np.array_split(np.arange(replications), draws)):
        world = with_parameter_draw(scenario, number, seed=seed)
        runs = Runs(len(years), seed, first=first + int(years[0]), workers=workers, simulate=simulate)
        for part, plan in zip(parts, plans, strict=True):
            part.append(np.asarray(runs.outcome(world, plan)["rep"].company("revenue"), dtype=np.float64))
    return [np.concatenate(part) for part in parts]


def _check(scenario: Scenario, plans: Mapping[str, Plan], names: Sequence[str], draws: int, replications: int) -> None:
    found = unknown_stresses(scenario, names)
    if not plans:
        found.append(Problem("plans", "", "at least one plan is needed", "for example {'today': ql.today_plan(world)}"))
    if replications < 2:
        found.append(Problem("replications", str(replications), "must be at least 2"))
    if draws and not 2 <= draws <= replications // YEARS_A_DRAW:
        rule = f"must be 0, or at least 2 with {YEARS_A_DRAW} simulated years a draw"
        found.append(Problem("draws", str(draws), rule, f"{replications} years allow {replications // YEARS_A_DRAW}"))
    for name, plan in plans.items():
        found += [
            Problem(f"{name}: {fault.where}", fault.value, fault.rule, fault.remedy)
            for fault in plan_problems(plan, scenario)
        ]
    refuse_if(found)
