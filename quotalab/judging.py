"""What an allocated plan comes to on simulated years that it was not made from: chances of quotas and of targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from experiments.measures import HIGH_QUANTILE, LOW_QUANTILE
from experiments.model_distance import COMPANY, Distance, distance_table, distances
from experiments.money import Language, table_scale
from experiments.runs import Progress
from experiments.smart import REACHES, Smart, phase_chances, smart_quotas
from experiments.target_chances import TargetChance, target_chances
from experiments.trade import SHARES, TradeTable, trade_table
from experiments.words import word
from optimize.allocate import AllocationResult
from quotalab import tables_targets
from quotalab.learning import DEFAULT_YEARS
from quotalab.told_words import joined, metric_named, named, who
from quotalab.trade_text import trade_lines
from scenarios.base import MINOR_PER_MAJOR
from scenarios.goals import RATIO_METRICS
from scenarios.plan import QuotaRow, is_money
from scenarios.scenario import Scenario
from sim.outcome import Outcome
from sim.run import simulate
from sim.statistics import Interval, quantile_interval


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
            "model_against_simulated": distance_table(self.distances, currency),
        }
        return tables if self.trade is None else tables | {"trade": self.trade.table()}

    def text(self, language: Language = "en") -> str:
        """For a terminal."""
        parts = (self._distance, self._year, self._targets, self._trade, self._gaps)
        return "\n".join(line for part in parts for line in part(language))

    def _distance(self, language: Language) -> list[str]:
        """Capped sales and sales of the company by the model and simulated, and how far the one is from the other."""
        lines = []
        for whole in (one for one in self.distances if one.subject == COMPANY):
            ends = whole.ends
            if whole.beyond is None or ends[0] is None or ends[1] is None:
                continue
            values = {"model": whole.model, "simulated": whole.simulated.estimate}
            fields = {name: self._money(value, language) for name, value in values.items()}
            fields["what"] = word("told.capped" if whole.figure == "capped sales" else "told.sales", language)
            off, low, high = (f"{100 * value:+.1f}" for value in (whole.beyond, ends[0], ends[1]))
            lines.append(word("told.off", language, **fields, off=off, low=low, high=high))
        return lines

    def _year(self, language: Language) -> list[str]:
        """How far a single year's sales range: no more years of simulation make that any narrower."""
        sales = self.years["rep"].company("revenue")
        low, high = (quantile_interval(sales, p).estimate for p in (LOW_QUANTILE, HIGH_QUANTILE))
        ends = {"low": self._money(low, language), "high": self._money(high, language)}
        return [word("told.year", language, **ends)]

    def _floor(self, one: TargetChance, language: Language) -> Iterator[str]:
        """Whether what is expected reaches a floor, and what to do where that is not sure.

        A floor of the company over the horizon limits plans: of other metrics always, of revenue where care is to be no
        more than floors need. All others are levels of quotas alone.
        """
        if one.floor is None or one.mean is None or one.floor_kept is None:
            return
        calendar, even_load = self.world.calendar, self.world.allocation.mode == "even_load"
        whole = one.team is None and (one.first, one.end) == (calendar.start, calendar.end)
        limits = whole and (one.metric != "revenue" or even_load)
        values = {"floor": one.floor, "low": one.mean.low, "high": one.mean.high}
        fields = {name: shown(one.metric, value, self.world.currency, language) for name, value in values.items()}
        told = word(f"told.floor_{one.floor_kept}", language, **fields)
        if one.floor_kept != "kept":
            told = word("told.floor_limits" if limits else "told.floor_of_quotas", language, told=told)
        yield told

    def _money(self, value: float, language: Language) -> str:
        return shown("revenue", value, self.world.currency, language)

    def _targets(self, language: Language) -> list[str]:
        lines = [word("told.targets", language, years=self.years.replications)]
        for one in self.targets:
            what = metric_named(one.metric, language)
            if one.team:
                what = word("told.of_team", language, what=what, team=one.team)
            if (one.first, one.end) != (self.world.calendar.start, self.world.calendar.end):
                what = word("told.between", language, what=what, first=one.first, end=one.end)
            chance = word("told.no_chance", language) if one.chance is None else _percent(one.chance, language)
            value = shown(one.metric, one.value, self.world.currency, language)
            lines.append("  " + word("told.target", language, what=what, value=value, chance=chance))
            lines += [f"    {text}" for text in self._floor(one, language)]
        for metric in dict.fromkeys(one.metric for one in self.smart):
            reach = [one.reach for one in self.smart if one.metric == metric]
            kinds = [kind for kind in REACHES if kind in reach]
            told = joined([word(f"told.reach_{kind}", language, count=reach.count(kind)) for kind in kinds], language)
            lines.append("  " + word("told.quotas_of", language, metric=metric_named(metric, language), told=told))
        return lines

    def _trade(self, language: Language) -> list[str]:
        return [] if self.trade is None else trade_lines(self.trade, language)

    def _gaps(self, language: Language) -> list[str]:
        gaps = [row for row in self.result.gaps if row.scope != "rep"]
        last = {(row.metric, row.level): row.round for row in gaps}
        lines = []
        for row in gaps:
            if last[row.metric, row.level] != row.round:
                continue
            if row.bottom_up is None or row.gap is None:
                told = word("told.silent", language, count=row.missing)
            else:
                committed = shown(row.metric, row.bottom_up, self.world.currency, language)
                told = word("told.committed", language, amount=committed)
            fields = {
                "metric": metric_named(row.metric, language),
                "level": named("level", row.level, language),
                "subject": who(row.subject, language),
                "asked": shown(row.metric, row.top_down, self.world.currency, language),
            }
            lines.append("  " + word("told.gap_row", language, round=row.round, told=told, **fields))
        return [word("told.bottom_up", language), *lines] if lines else []


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


def shown(metric: str, value: float, currency: str, language: Language = "en") -> str:
    """A figure of a metric for a terminal."""
    if is_money(metric):
        scale = table_scale(max(round(value), 1), language, currency)
        return f"{scale.number(value)} {scale.name}"
    if metric in RATIO_METRICS:
        return (
            f"{value / MINOR_PER_MAJOR:,.0f} {currency}" if metric == "average_order_value" else f"{100 * value:.1f} %"
        )
    return f"{value:,.0f}"


def _percent(chance: Interval, language: Language) -> str:
    estimate, low, high = (f"{100 * value:.0f}" for value in (chance.estimate, chance.low, chance.high))
    return word("told.chance", language, estimate=estimate, low=low, high=high)
