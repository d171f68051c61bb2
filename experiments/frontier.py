"""The cost of fairness, simulated: what each value of a rule's number does to attained sales, odds and equality.

All points are judged on the same simulated years, so that differences between them are paired. Two notions of
fairness pull apart, and both are shown beside each other: equal quota / potential (Gini, widest gap) and equal odds
(spread of the chances to make quota, lowest chance).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.fair_measures import STATISTICS, gini, level_interval
from experiments.measures import Floats
from experiments.runs import Runs
from experiments.trade import TradeTable, trade_table
from optimize.formulate import formulate
from optimize.frontier import Traced, knee, only_on_work, trace, traced_values
from optimize.frontier_plans import POINT_GAP
from optimize.measured import unmeasured
from optimize.parameters import Parameter
from optimize.plans import as_plan, decisions_of
from optimize.price_of_fairness import PriceOfFairness, prices_of_fairness
from optimize.problem import AllocationProblem, gains, potentials
from optimize.response.estimate import Responses
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from sim.statistics import Interval, held_within, mean_interval, paired_difference

FLAT = 1e-6
"""Relative difference in capped attainment below which exact splits of quotas are equal."""


@dataclass(frozen=True)
class Judged:
    """One point, simulated; shares of the sum of quotas unless said otherwise, within the ends that shares have.

    Attributes:
        capped: capped attainment of all together.
        cost: what the rule costs in capped attainment against the rule switched off, paired by year.
        hit_rate: average share of the reps who make quota.
        spread_of_chances: standard deviation over reps of the chance to make quota.
        lowest_chance: of the rep who has the smallest.
        lowest_capped: capped attainment of the worst-off rep.
        gini: of quota / potential; ``None`` without potentials.
        sales: expected sales, minor units.
        sales_difference: against the rule switched off, paired, minor units; exactly 0 where only quotas differ.
    """

    capped: Interval
    cost: Interval
    hit_rate: Interval
    spread_of_chances: Interval
    lowest_chance: Interval
    lowest_capped: Interval
    gini: float | None
    sales: Interval
    sales_difference: Interval


@dataclass(frozen=True)
class FrontierPoint:
    """One value of the number; ``model_capped`` and ``judged`` are ``None`` where there is no plan.

    Attributes:
        value: ``None`` for the rule switched off.
        model_capped: capped attainment in the model, the share that the plan was made for.
        gap: proven, of whole plans: how far the best plan at this value may be above, as a share.
        undecided: whether the search ended at its limit with no plan and no proof that there is none.
        at_most: capped attainment in the model that no plan at this value exceeds; ``None`` where none is claimed.
    """

    value: float | None
    model_capped: float | None
    judged: Judged | None
    gap: float | None = None
    undecided: bool = False
    at_most: float | None = None

    @property
    def status(self) -> str | None:
        """optimal (within the tenth of a percent asked of points), stopped, infeasible or undecided.

        ``None`` where nothing is claimed.
        """
        if self.model_capped is None:
            return "undecided" if self.undecided else "infeasible"
        if self.gap is None:
            return None
        return "optimal" if self.gap <= POINT_GAP else "stopped"


@dataclass(frozen=True)
class Frontier:
    """The cost of one rule over values of its number.

    Attributes:
        rule: name of the rule's number.
        method: ``quotas`` (owners, training and care held) or ``plans``.
        points: strict to loose.
        off: the same with the rule switched off; the points' cost is measured against it.
        knee: the value beyond which loosening buys little more; ``None`` where there is no such point.
        present: the number in the scenario; ``None`` where the rule is not in force.
        alone: whether all other rules on quotas were left out.
        solves: how many whole plans took a solve of their own; the rest were settled by bounds and earlier plans.
        trade: what the sum of quotas buys, for the plan whose owners and training are held; ``None`` for ``plans``.
        absolute: what max-min and proportional fairness would cost with no rule in force, beside the worst case.
    """

    rule: str
    method: str
    points: tuple[FrontierPoint, ...]
    off: FrontierPoint
    knee: float | None
    present: float | None
    alone: bool
    solves: int
    trade: TradeTable | None
    absolute: tuple[PriceOfFairness, ...]
    currency: str

    def table(self) -> pd.DataFrame:
        """One row a point, the rule switched off last; empty where no plan keeps the rules.

        ``cost_share`` is a share of the quotas, as capped attainment is; money is in currency units.
        """
        return pd.DataFrame([_row(point, self.knee) for point in (*self.points, self.off)])

    @property
    def no_knee(self) -> str | None:
        """Why there is no knee: ``none``, ``one`` or ``two`` values with a plan, ``flat`` or ``even`` cost."""
        there = [point.model_capped for point in self.points if point.model_capped is not None]
        if self.knee is not None:
            return None
        if len(there) < 3:
            return ("none", "one", "two")[len(there)]
        return "flat" if _flat(self.points) else "even"

    def content_hash(self, name: str = "frontier") -> str:
        """Hash of the table of this name (``frontier`` or ``trade``): equal for equal inputs."""
        table = self.table() if name == "frontier" or self.trade is None else self.trade.table()
        return hashlib.sha256(table.to_csv(index=False, float_format="%.12g").encode()).hexdigest()


def frontier(
    scenario: Scenario,
    responses: Responses,
    runs: Runs,
    rule: str,
    *,
    plan: Plan,
    values: Iterable[float] | None = None,
    method: str = "quotas",
    alone: bool = False,
) -> Frontier:
    """Trace the cost of one rule and judge every point on the same simulated years.

    Args:
        responses: from years that ``runs`` does not simulate.
        rule: name of a rule's number, see :data:`optimize.parameters.PARAMETERS`.
        plan: whose owners, training and care are held, with the method ``quotas``.
        values: of the number; default twelve from strict to loose.
        method: ``quotas`` or ``plans``.
        alone: leave out all other rules on quotas; then a band of 0 is equal quota / potential, and the rule switched
            off is equal odds.

    Raises:
        InputRefused: no such rule, value or method; a rule that measures quotas against nothing; or no plan keeps the
            other rules even with this one switched off.
    """
    one, chosen = traced_values(rule, values, method)
    problem = formulate(scenario, responses)
    if alone:
        problem = problem.with_rules(only_on_work(problem.rules, one))
    refuse_if(unmeasured(problem.with_rules(one.set(problem.rules, chosen[0]))))
    held = decisions_of(problem, plan) if method == "quotas" else None
    traced = trace(problem, one, [*chosen, None], held)
    if traced[-1].quotas is None:
        text = "no plan keeps the other rules even without it, so that it has no price"
        raise InputRefused(Problem("rule", one.name, text, "see `quotalab allocate` for what conflicts"))
    judge = _Judge(scenario, responses, problem, runs, plan if held is not None else None)
    points = judge.points(traced)
    found = _knee(one, points[:-1])
    return Frontier(
        rule=one.name,
        method=method,
        points=tuple(points[:-1]),
        off=points[-1],
        knee=found,
        present=next((value for r in problem.rules if (value := one.of(r)) is not None), None),
        alone=alone,
        solves=sum(point.solved for point in traced),
        trade=None if held is None else trade_table(scenario, plan, runs.outcome(scenario, plan)),
        absolute=prices_of_fairness(problem.samples + gains(problem, traced[-1].decisions), problem.total),
        currency=scenario.currency,
    )


def _flat(points: Sequence[FrontierPoint]) -> bool:
    """Whether points differ by no more than is left open between them and the best plans at their values."""
    there = [point for point in points if point.model_capped is not None]
    reached = [point.model_capped or 0.0 for point in there]
    open_still = max([FLAT, *(point.gap or 0.0 for point in there)])
    return max(reached, default=0.0) - min(reached, default=0.0) <= open_still * max(reached, default=0.0)


def _knee(one: Parameter, points: list[FrontierPoint]) -> float | None:
    """By the model's figures, which carry no noise between points."""
    if _flat(points):
        return None
    there = [point for point in points if point.model_capped is not None]
    place = knee(
        [one.looser * float(point.value or 0.0) for point in there], [float(p.model_capped or 0.0) for p in there]
    )
    return None if place is None else there[place].value


@dataclass(frozen=True)
class _Judge:
    scenario: Scenario
    responses: Responses
    problem: AllocationProblem
    runs: Runs
    plan: Plan | None

    def points(self, traced: list[Traced]) -> list[FrontierPoint]:
        plans = {id(one): self._plan_at(one) for one in traced if one.quotas is not None}
        for plan in plans.values():
            self.runs.expect(self.scenario, plan)
        sold = {place: self._sales(plan) for place, plan in plans.items()}
        last = traced[-1]
        return [self._point(one, sold.get(id(one)), last, sold[id(last)]) for one in traced]

    def _plan_at(self, one: Traced) -> Plan:
        """The plan whose years judge a point: the held one, else that of the point's own decisions."""
        if self.plan is not None:
            return self.plan
        whole = np.round(one.quotas if one.quotas is not None else np.zeros(len(self.problem.reps))).astype(np.int64)
        return as_plan(
            self.scenario, self.responses, self.problem, one.decisions, whole, name="point", origin="allocated"
        )

    def _sales(self, plan: Plan) -> Floats:
        """Simulated sales in the order of the problem's reps, [years, R]."""
        cube = self.runs.outcome(self.scenario, plan)["rep"]
        columns = [cube.keys.index(rep) for rep in self.problem.reps]
        return np.asarray(cube.total("revenue")[:, columns], dtype=np.float64)

    def _point(self, one: Traced, sales: Floats | None, off: Traced, off_sales: Floats) -> FrontierPoint:
        at_most = None if one.at_most is None else min(one.at_most / self.problem.total, 1.0)
        if one.quotas is None or sales is None or off.quotas is None or one.model_value is None:
            return FrontierPoint(one.value, None, None, undecided=one.undecided, at_most=at_most)
        total = float(one.quotas.sum())
        capped, without = _capped(sales, one.quotas), _capped(off_sales, off.quotas)
        some = one.quotas > 0
        sides = [(sales[:, some], one.quotas[some])]
        judged = Judged(
            capped=held_within(mean_interval(capped)),
            cost=paired_difference(without, capped),
            hit_rate=held_within(mean_interval((sides[0][0] >= sides[0][1]).mean(axis=1))),
            **{name: level_interval(name, sides[0]) for name in STATISTICS},
            gini=self._gini(one),
            sales=mean_interval(sales.sum(axis=1)),
            sales_difference=paired_difference(sales.sum(axis=1), off_sales.sum(axis=1)),
        )
        reached = one.model_value / total
        return FrontierPoint(one.value, reached, judged, one.gap, at_most=at_most)

    def _gini(self, one: Traced) -> float | None:
        if one.quotas is None:
            return None
        measure = potentials(self.problem, one.decisions.owner, one.decisions.shares)
        quotas: Mapping[str, int] = dict(zip(self.problem.reps, np.round(one.quotas).astype(int).tolist(), strict=True))
        known = dict(zip(self.problem.reps, np.round(measure).astype(int).tolist(), strict=True))
        return gini(quotas, known)


def _capped(sales: Floats, quotas: Floats) -> Floats:
    """Capped attainment of all together by year, [years]."""
    return np.asarray(np.minimum(sales, quotas).sum(axis=1) / quotas.sum())


def _row(point: FrontierPoint, knee_at: float | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "value": point.value,
        "model_capped_attainment": point.model_capped,
        "model_capped_at_most": point.at_most,
        "proven_gap": point.gap,
        "status": point.status,
    }
    judged = point.judged
    shares = ("capped", "cost", "hit_rate", "spread_of_chances", "lowest_chance", "lowest_capped")
    for name in shares:
        interval = None if judged is None else getattr(judged, name)
        column = "cost_share" if name == "cost" else name  # what is paid elsewhere is money
        row |= {
            column: None if interval is None else interval.estimate,
            f"{column}_low": None if interval is None else interval.low,
            f"{column}_high": None if interval is None else interval.high,
        }
    row["gini_quota_potential"] = None if judged is None else judged.gini
    for name in ("sales", "sales_difference"):
        row[name] = None if judged is None else getattr(judged, name).estimate / 100
    row["knee"] = knee_at is not None and point.value == knee_at
    return row
