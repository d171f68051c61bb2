"""What a plan comes to in every metric by the model: quotas, expected values, attained shares, floors kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from optimize.parts.metrics import objective_factor
from optimize.problem import AllocationProblem, Decisions, Floats, gains
from optimize.quota_tables import Tables
from optimize.split import attained

NEAR = 1e-6


@dataclass(frozen=True)
class MetricValue:
    """One metric under a plan by the model (rule R15); minor units, counts or ratios.

    Attributes:
        weight: of its attained share in the objective.
        quota: sum of quotas; of a ratio, the ratio of sums.
        expected: mean of the company; of a ratio, the ratio of means.
        attained_share: ``sum E[min(S, q)] / sum q``; None for a ratio and where quotas are zero.
        floor: that the expected value must reach, where the scenario gives one.
        floor_kept: None without a floor.
    """

    metric: str
    weight: float
    quota: float
    expected: float
    attained_share: float | None = None
    floor: float | None = None
    floor_kept: bool | None = None


def metric_values(problem: AllocationProblem, decisions: Decisions, tables: Tables) -> tuple[MetricValue, ...]:
    """Every metric that has a target, revenue first."""
    return tuple(_values(problem, decisions, tables))


def objective(problem: AllocationProblem, decisions: Decisions, tables: Tables, revenue: float) -> float:
    """The objective's exact value: attained shares, weighed, in minor units of the company's total.

    Args:
        revenue: exact sample average of capped revenue.
    """
    value = problem.metrics.revenue_weight * revenue
    for metric in problem.metrics.weighted:
        gain = gains(problem, decisions, metric.rates)
        quotas = tables[metric.name].quotas.astype(float)
        value += objective_factor(problem, metric) * attained(metric.samples, gain, quotas)
    return value


def _values(problem: AllocationProblem, decisions: Decisions, tables: Tables) -> Iterator[MetricValue]:
    metrics = problem.metrics
    gain = gains(problem, decisions)
    expected = {"revenue": float((problem.samples + gain).sum(axis=1).mean())}
    quota = {name: float(table.quotas.sum()) for name, table in tables.items()}
    yield MetricValue(
        "revenue",
        metrics.revenue_weight,
        quota["revenue"],
        expected["revenue"],
        _share(problem.samples, gain, tables["revenue"].quotas.astype(float)),
        metrics.revenue_floor,
        None if metrics.revenue_floor is None else expected["revenue"] >= metrics.revenue_floor * (1 - NEAR),
    )
    for metric in metrics.others:
        gain = gains(problem, decisions, metric.rates) * metric.periods.mean(axis=1)
        expected[metric.name] = metric.expected + float(gain.sum())
        floor = metric.floor if metric.firm else None
        yield MetricValue(
            metric.name,
            metric.weight,
            quota[metric.name],
            expected[metric.name],
            _share(metric.samples, gain, tables[metric.name].quotas.astype(float)),
            floor,
            None if floor is None else expected[metric.name] >= floor * (1 - NEAR),
        )
    for ratio in metrics.ratios:
        below, mean = quota[ratio.denominator], expected[ratio.denominator]
        value = expected[ratio.numerator] / mean if mean > 0 else float("nan")
        floor = ratio.floor if ratio.firm else None
        kept = None if floor is None else value >= floor * (1 - NEAR)
        of_quotas = quota[ratio.numerator] / below if below > 0 else float("nan")
        yield MetricValue(ratio.name, 0.0, of_quotas, value, None, floor, kept)


def _share(samples: Floats, gain: Floats, quotas: Floats) -> float | None:
    total = float(quotas.sum())
    return attained(samples, gain, quotas) / total if total > 0 else None


def sacrificed(problem: AllocationProblem, values: tuple[MetricValue, ...]) -> tuple[str, ...]:
    """Metrics without a weight of which no plan within the rules keeps what the present one brings, in words."""
    found = {value.metric: value for value in values}
    told = []
    asked = [(metric.name, metric.floor, metric.firm) for metric in problem.metrics.others]
    asked += [(ratio.name, ratio.floor, ratio.firm) for ratio in problem.metrics.ratios]
    for name, floor, firm in asked:
        if floor is not None and not firm and found[name].expected < floor * (1 - NEAR):
            lost = 1 - found[name].expected / floor
            told.append(
                f"expected {name} falls {100 * lost:.2g} % below what the present plan brings or the target asks"
            )
    return tuple(told)
