"""What an allocated plan comes to on simulated years that it was not made from: chances of quotas and of targets."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from experiments.model_distance import Distance, distance_table, distances
from experiments.money import table_scale
from experiments.runs import Progress
from experiments.smart import REACHES, Smart, phase_chances, smart_quotas
from experiments.target_chances import TargetChance, target_chances
from experiments.trade import SHARES, TradeTable, trade_table
from optimize.allocate import AllocationResult
from quotalab import tables_targets
from quotalab.learning import DEFAULT_YEARS
from scenarios.base import MINOR_PER_MAJOR
from scenarios.goals import RATIO_METRICS
from scenarios.plan import QuotaRow, is_money
from scenarios.scenario import Scenario
from sim.outcome import Outcome
from sim.run import simulate
from sim.statistics import Interval


@dataclass(frozen=True)
class Judged:
    """A plan and its simulated years.

    Attributes:
        chances: to reach each quota within its own period.
        smart: the checks of every quota over all its periods.
        targets: how likely each target of the company and of teams is.
        trade: quota sum against hit rate and the company's chance; None where people respond to quotas, so that
            other sums would need years of their own.
        distances: the model's figures against those of the simulated years.
    """

    world: Scenario
    result: AllocationResult
    years: Outcome
    chances: dict[QuotaRow, Interval]
    smart: tuple[Smart, ...]
    targets: tuple[TargetChance, ...]
    trade: TradeTable | None
    distances: tuple[Distance, ...]

    def tables(self) -> dict[str, pd.DataFrame]:
        """By name; money in currency units."""
        currency = self.world.currency
        tables = {
            "quotas_by_period": tables_targets.period_table(self.result, currency, self.chances),
            "metrics": tables_targets.metric_table(self.result, currency),
            "levels": tables_targets.level_table(self.result, currency),
            "gaps": tables_targets.gap_table(self.result, currency),
            "smart": tables_targets.smart_table(self.smart),
            "training_by_period": tables_targets.training_period_table(
                self.result.plan, float(self.world.skills.training.cost_per_hour)
            ),
            "training_value": tables_targets.training_value_table(self.result),
            "targets": tables_targets.target_table(self.targets, currency),
            "model_against_simulated": distance_table(self.distances),
        }
        return tables if self.trade is None else tables | {"trade": self.trade.table()}

    def text(self) -> str:
        """For a terminal."""
        return "\n".join([*self._distance(), *self._targets(), *self._trade(), *self._gaps()])

    def _distance(self) -> list[str]:
        """Capped sales of the company by the model and simulated, and how far the one is from the other."""
        whole, currency = self.distances[0], self.world.currency
        ends = whole.ends
        if whole.beyond is None or ends[0] is None or ends[1] is None:
            return []
        model, simulated = (shown("revenue", value, currency) for value in (whole.model, whole.simulated.estimate))
        told = f"the model is off by {100 * whole.beyond:+.1f} % ({100 * ends[0]:+.1f} to {100 * ends[1]:+.1f} %)"
        return [f"capped sales: {model} by the model, {simulated} simulated on other years: {told}"]

    def _targets(self) -> list[str]:
        lines = [f"targets, on {self.years.replications} simulated years of the plan:"]
        for one in self.targets:
            where = f" of {one.team}" if one.team else ""
            whole = (one.first, one.end) == (self.world.calendar.start, self.world.calendar.end)
            when = "" if whole else f" from {one.first} to {one.end}"
            chance = "cannot be told" if one.chance is None else _percent(one.chance)
            value = shown(one.metric, one.value, self.world.currency)
            lines.append(f"  {one.metric}{where}{when}: {value}, chance {chance}")
        for metric in dict.fromkeys(one.metric for one in self.smart):
            reach = [one.reach for one in self.smart if one.metric == metric]
            told = [f"{reach.count(kind)} {kind.replace('_', ' ')}" for kind in REACHES if kind in reach]
            lines.append(f"  quotas of {metric}: {', '.join(told)}")
        return lines

    def _trade(self) -> list[str]:
        if self.trade is None:
            return []
        lines = ["quota sum / target -> hit rate, chance of the target, chance that sales reach the quota sum:"]
        for row in self.trade.rows:
            chances = f"{row.chance_of_target.estimate:.0%}, {row.chance_of_quota_sum.estimate:.0%}"
            lines.append(f"  {row.share:.0%} -> {row.hit_rate.estimate:.0%}, {chances}")
        return lines

    def _gaps(self) -> list[str]:
        gaps = [row for row in self.result.gaps if row.scope != "rep"]
        last = {(row.metric, row.level): row.round for row in gaps}
        lines = []
        for row in gaps:
            if last[row.metric, row.level] != row.round:
                continue
            asked = shown(row.metric, row.top_down, self.world.currency)
            if row.bottom_up is None or row.gap is None:
                told = f"{row.missing} have said nothing"
            else:
                told = f"{shown(row.metric, row.bottom_up, self.world.currency)} committed"
            lines.append(f"  {row.metric}, {row.level}, round {row.round}, {row.subject}: {asked} asked, {told}")
        return ["from the bottom up:", *lines] if lines else []


def judged_plan(
    world: Scenario,
    result: AllocationResult,
    *,
    replications: int = DEFAULT_YEARS,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Judged:
    """Simulate the plan on years that no plan is made from, and count.

    Args:
        replications: simulated years.

    Raises:
        InputRefused: the simulator cannot honour the plan.
    """
    planned = world.with_plan(result.plan)
    years = simulate(planned, replications=replications, seed=seed, workers=workers, progress=progress)
    own = round(1 + world.allocation.over_assignment, 6)
    return Judged(
        world,
        result,
        years,
        phase_chances(planned, result.plan, years),
        smart_quotas(planned, result.plan, years),
        target_chances(planned, years),
        None if world.motivation is not None else trade_table(planned, result.plan, years, sorted({*SHARES, own})),
        distances(result, years),
    )


def shown(metric: str, value: float, currency: str) -> str:
    """A figure of a metric for a terminal."""
    if is_money(metric):
        scale = table_scale(max(round(value), 1), "en", currency)
        return f"{scale.number(value)} {scale.name}"
    if metric in RATIO_METRICS:
        return (
            f"{value / MINOR_PER_MAJOR:,.0f} {currency}" if metric == "average_order_value" else f"{100 * value:.1f} %"
        )
    return f"{value:,.0f}"


def _percent(chance: Interval) -> str:
    return f"{100 * chance.estimate:.0f} % ({100 * chance.low:.0f} to {100 * chance.high:.0f} %)"
