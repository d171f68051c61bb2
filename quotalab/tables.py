"""Results as flat tables for files; money in currency units, except in cubes, which stay as they were counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import pandas as pd

from experiments.measures import PlanMeasures
from history.diagnosis.finding import Finding
from optimize.allocate import AllocationResult, Move
from optimize.audit import RuleRow
from optimize.baselines.plans import Baseline
from optimize.rule_words import MONEY, loosened_by
from scenarios.base import MINOR_PER_MAJOR
from scenarios.lead_shares import share_changes
from scenarios.plan import Plan, is_money
from scenarios.scenario import Scenario
from sim.kpis import Level, kpis
from sim.outcome import Cube, Outcome

Judged = Mapping[str, Baseline]
MINOR = "_minor"
"""How names of evidence end that are counted in minor units."""


def cube_table(cube: Cube, first: int = 0) -> pd.DataFrame:
    """A cube in long form: ``replication``, the kind, ``period`` and one int64 column a metric, as it was counted.

    Args:
        first: number of the first replication.
    """
    _, replications, keys, periods = cube.values.shape
    columns: dict[str, Any] = {
        "replication": np.repeat(np.arange(first, first + replications), keys * periods),
        cube.kind: np.tile(np.repeat(np.array(cube.keys, dtype=object), periods), replications),
        "period": np.tile(np.array(cube.periods, dtype=object), replications * keys),
    }
    columns |= {metric: cube.values[position].ravel() for position, metric in enumerate(cube.metrics)}
    return pd.DataFrame(columns)


def outcome_tables(outcome: Outcome) -> dict[str, pd.DataFrame]:
    """All cubes of an outcome in long form, by kind."""
    return {kind: cube_table(cube, outcome.first) for kind, cube in outcome.cubes.items()}


def metric_unit(metric: str, currency: str) -> str:
    """The unit in which a cube counts a metric."""
    if metric.endswith("_ticks"):
        return "ms"
    if metric.startswith("activity:"):
        return "thousandths"
    amounts = {"cost", "recognised", "written_off", "lost_value", "handover_loss"}
    money = is_money(metric) or metric in amounts or metric.endswith("_revenue")
    return f"minor units of {currency}" if money else "count"


def rep_table(measures: PlanMeasures) -> pd.DataFrame:
    """One row a rep: what the planner's table shows; money in currency units, empty where unknown."""
    rows = []
    for rep in measures.reps:
        chance = rep.chance
        rows.append(
            {
                "rep": rep.rep,
                "name": rep.name,
                "team": rep.team,
                "last_sales": _major(rep.last_sales),
                "growth": rep.growth,
                "quota": _major(rep.quota),
                "potential": _major(rep.potential),
                "quota_over_potential": rep.quota_over_potential,
                "expected_sales": _major(rep.expected_sales),
                "sales_p10": _major(rep.low),
                "sales_p90": _major(rep.high),
                "attainment": rep.attainment,
                "capped_attainment": rep.capped,
                "chance": None if chance is None else chance.estimate,
                "chance_low": None if chance is None else chance.low,
                "chance_high": None if chance is None else chance.high,
                "workload": rep.workload,
                "accounts": rep.accounts,
                "accounts_gained": rep.gained,
                "accounts_lost": rep.lost,
                "training_hours": rep.training_hours,
            }
        )
    return pd.DataFrame(rows)


def kpi_table(outcome: Outcome, scenario: Scenario, *, by_period: bool = False) -> pd.DataFrame:
    """The figures of the company and of its regions, teams, reps, stages, sources, products and segments.

    One row a ``level``, ``key`` and ``kpi`` with its interval, and of each ``period`` where asked for, without reps:
    theirs would be most of the table. Money in currency units.
    """
    levels: list[Level] = ["company", "region", "team", "rep", "stage", "source", "product", "segment"]
    if by_period:
        levels.remove("rep")
    parts = [kpis(outcome, scenario, level, by_period=by_period).assign(level=level) for level in levels]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    money = table["unit"].str.startswith("minor")
    for column in ("estimate", "low", "high"):
        table[column] = table[column].where(~money, table[column] / MINOR_PER_MAJOR)
    table["unit"] = table["unit"].str.replace("minor", scenario.currency)
    period = ["period"] if by_period else []
    return table[["level", "key", *period, "kpi", "estimate", "low", "high", "unit", "replications"]]


def quota_table(today: Plan, plan: Plan, result: AllocationResult) -> pd.DataFrame:
    """One row a rep who carries a quota: today's, the plan's, the potential, and every bar of the waterfall."""
    before, after = today.quotas(), plan.quotas()
    rows = []
    for rep, quota in after.items():
        row: dict[str, Any] = {
            "rep": rep,
            "quota_today": _major(before.get(rep)),
            "quota": _major(quota),
            "potential": _major(result.potentials.get(rep)),
            "opportunity": _major(result.opportunity.get(rep)),
        }
        row |= {f"because_of_{factor}": _major(minor) for factor, minor in result.waterfall.get(rep, ())}
        rows.append(row)
    return pd.DataFrame(rows)


def rule_table(result: AllocationResult, currency: str) -> pd.DataFrame:
    """One row a fairness rule and subject: limit, actual, whether it binds, what loosening it would bring.

    All of it is the model's, chances to make quota included; ``smart_table`` has the simulated ones.
    """
    return rule_rows_table(result.rule_rows, currency).assign(basis="model")


def rule_rows_table(found: Sequence[RuleRow], currency: str) -> pd.DataFrame:
    """One row a rule and subject; totals and values of loosening in currency units.

    A value of loosening is of capped sales, for one ``loosened_by`` (a percentage point, an hour, an account).
    """
    rows = []
    for row in found:
        money, told = row.unit == "minor", currency if row.unit in ("minor", "currency") else row.unit
        shown: dict[str, Any] = asdict(row) | {
            "limit": _major(row.limit) if money else row.limit,
            "actual": _major(row.actual) if money else row.actual,
            "unit": told,
            "value_of_loosening": _major(row.value_of_loosening),
        }
        by = loosened_by(row.rule) if row.value_of_loosening is not None else None
        rows.append(shown | {"loosened_by": currency if by == MONEY else by})
    return pd.DataFrame(rows, columns=[*_columns(RuleRow), "loosened_by"])


def move_table(result: AllocationResult) -> pd.DataFrame:
    """One row an account that changes owner; money in currency units."""
    table = pd.DataFrame([asdict(move) for move in result.moves], columns=_columns(Move))
    for column in ("sales_at_risk", "gain"):
        table[column] = table[column] / MINOR_PER_MAJOR
    return table


def baseline_table(found: Judged) -> pd.DataFrame:
    """One row a simple rule: the model's values in currency units, moves and hours, and the rules that it breaks."""
    rows = []
    for name, one in found.items():
        best = one.best_split_value
        rows.append(
            {
                "name": name,
                "rule": one.plan.origin,
                "model_value": one.model_value / MINOR_PER_MAJOR,
                "best_split_value": None if best is None else best / MINOR_PER_MAJOR,
                "model_sales": one.model_sales / MINOR_PER_MAJOR,
                "training_hours": sum(one.plan.training_hours().values()),
                "breaks": "; ".join(f"{rule} ({', '.join(who)})" for rule, who in one.breaks.items()),
            }
        )
    return pd.DataFrame(rows)


def baseline_quota_table(found: Judged) -> pd.DataFrame:
    """One row a rep, one column a simple rule: quotas in currency units, empty where a plan has none."""
    quotas = {name: one.plan.quotas() for name, one in found.items()}
    reps = sorted({rep for given in quotas.values() for rep in given})
    columns = {name: [_major(given.get(rep)) for rep in reps] for name, given in quotas.items()}
    return pd.DataFrame({"rep": reps, **columns})


def training_table(plan: Plan) -> pd.DataFrame:
    """Hours by rep and skill."""
    rows = [{"rep": rep, "skill": skill, "hours": hours} for (rep, skill), hours in plan.training_hours().items()]
    return pd.DataFrame(rows, columns=["rep", "skill", "hours"])


def share_table(scenario: Scenario, today: Plan, plan: Plan) -> pd.DataFrame:
    """Shares of new leads that the plan gives otherwise than today's, by source and rep."""
    rows = [asdict(change) for change in share_changes(scenario, today, plan)]
    return pd.DataFrame(rows, columns=["source", "rep", "before", "after"])


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """One row a finding, in the order given; money in its evidence in currency units."""
    rows = [
        asdict(one) | {"evidence": "; ".join(_evidence(name, value) for name, value in one.evidence.items())}
        for one in findings
    ]
    return pd.DataFrame(rows, columns=_columns(Finding))


def _evidence(name: str, value: float) -> str:
    money = name.endswith(MINOR)
    return f"{name.removesuffix(MINOR)} {value / MINOR_PER_MAJOR if money else value:.10g}"


def _columns(kind: type[RuleRow | Move | Finding]) -> list[str]:
    return [column.name for column in fields(kind)]


def _major(minor: float | None) -> float | None:
    return None if minor is None else float(minor) / MINOR_PER_MAJOR
