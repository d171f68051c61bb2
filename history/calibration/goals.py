"""Targets and rules of allocation, which no export holds: assumed from what sold before, and said to be so."""

from __future__ import annotations

import math
from typing import Any

from history.calibration.evidence import Basis, Evidence
from history.calibration.people import People

BAND = 0.5
"""Wider than the default, because potentials are computed and not known."""
GROWTH_LIMITS = (-0.5, 0.5)
"""Wider than the default, because one period's sales of a rep hold the luck of that period."""
_ENOUGH = 0.5
"""The last period speaks for the horizon where it covers at least this part of it."""


def goals_of(basis: Basis, people: People, expected_minor: float, growth: float, evidence: Evidence) -> dict[str, Any]:
    """The sections ``goals`` and ``allocation`` of the document.

    Args:
        expected_minor: sales of the horizon at the calibrated rates; the target where the last period is too short.
        growth: of the target over the last period's sales.
    """
    long_enough = people.sales_minor is not None and basis.sales_days >= _ENOUGH * basis.days
    if people.sales_minor and long_enough:
        sales = people.sales_minor * (1 + growth) / 100
        source = f"the last period's sales, scaled to the horizon, times {1 + growth:g}"
    else:
        sales = expected_minor / 100
        source = f"expected sales at the calibrated rates; only {basis.sales_days:.0f} days of closings are known"
    step = _round_step(sales / len(people.reps))
    target = max(step, round(sales / step) * step)
    evidence.assumed("goals.targets.revenue", float(target), source, "the export holds no target")
    evidence.assumed("goals.history_growth", growth, "an assumption", "today's quotas are constructed from last sales")
    evidence.assumed("allocation.rounding_step", step, "about a hundredth of an average quota")
    return {
        "goals": {"targets": [{"metric": "revenue", "target": target}], "history_growth": growth},
        "allocation": {"rounding_step": step, "rules": _rules(basis, evidence)},
    }


def _rules(basis: Basis, evidence: Evidence) -> list[dict[str, Any]]:
    """The default rules, as far as the export can carry them."""
    whole_period = basis.sales_days >= basis.days - 1
    rules: list[dict[str, Any]] = [{"rule": "potential_band", "tolerance": BAND}]
    note = "wider than the default, because the export holds no potentials"
    evidence.assumed("allocation.rules.potential_band", BAND, "an assumption", note)
    if whole_period:
        floor, cap = GROWTH_LIMITS
        rules.append({"rule": "growth", "floor": floor, "cap": cap})
        note = "wider than the default, because one period's sales of a rep hold the luck of that period"
        evidence.assumed("allocation.rules.growth", f"{floor:g} to {cap:+g}", "an assumption", note)
    else:
        rules.append({"rule": "growth", "enabled": False})
        note = f"last sales are scaled from {basis.sales_days:.0f} to {basis.days} days: no base for growth limits"
        evidence.assumed("allocation.rules.growth", "off", "an assumption", note)
    rules += [{"rule": "min_chance"}, {"rule": "workload"}]
    evidence.assumed("allocation.rules", "min_chance, workload", "the defaults", "the export holds no company rules")
    return rules


def _round_step(quota: float) -> int:
    """1, 2 or 5 times a power of ten: about a hundredth of a quota in currency units, at least 1."""
    wanted = max(quota / 100, 1.0)
    power = 10 ** math.floor(math.log10(wanted))
    return int(max(step * power for step in (1, 2, 5) if step * power <= wanted))
