"""The numbers of the fairness rules, one name each, so that a rule can be loosened or traced whatever its kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from scenarios.errors import InputRefused, Problem
from scenarios.goals import FairnessRule
from scenarios.paths import near


@dataclass(frozen=True)
class Parameter:
    """One number of one kind of rule.

    Attributes:
        name: of the rule block that it sets the limit of.
        rule, field: where it stands in a scenario.
        looser: 1 where a larger number asks for less, -1 where a smaller one does.
        least, most: between which it means something.
        usual: values from strict to loose that a frontier takes unless told otherwise.
    """

    name: str
    rule: str
    field: str
    looser: int
    least: float
    most: float
    usual: tuple[float, ...]

    def of(self, rule: FairnessRule) -> float | None:
        """Its value in a rule; ``None`` in one of another kind, or where that side is not set."""
        value = getattr(rule, self.field, None) if rule.rule == self.rule else None
        return None if value is None else float(value)

    def set(self, rules: Sequence[FairnessRule], value: float) -> tuple[FairnessRule, ...]:
        """The rules with this number in every rule of the kind, switched on; one is added where there is none."""
        changed = [
            rule.model_copy(update={self.field: value, "enabled": True}) if rule.rule == self.rule else rule
            for rule in rules
        ]
        if not any(rule.rule == self.rule for rule in rules):
            changed.append(_RULE.validate_python(self._alone(value)))
        return tuple(changed)

    def _alone(self, value: float) -> dict[str, Any]:
        """A rule of this kind that asks for nothing else."""
        others: dict[str, float | None] = {one.field: None for one in PARAMETERS if one.rule == self.rule == "growth"}
        if self.rule == "workload":
            others = {"maximum": 1.0, "minimum": 0.0}
        return {"rule": self.rule, **others, self.field: value}

    def check(self, value: float) -> Problem | None:
        """What is wrong with a value, if anything."""
        if math.isfinite(value) and self.least <= value <= self.most:
            return None
        end = f"at most {self.most:g}" if math.isfinite(self.most) else "finite"
        return Problem("values", f"{value:g}", f"{self.name} must be at least {self.least:g} and {end}", "correct it")


_RULE: TypeAdapter[FairnessRule] = TypeAdapter(FairnessRule)
_SHARES = (0.0, 0.02, 0.05, 0.08, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 1.0)
_MINIMA = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4, 0.2, 0.0)
_CHANCES = (0.5, 0.45, 0.42, 0.40, 0.38, 0.35, 0.32, 0.30, 0.25, 0.20, 0.10, 0.0)
_CAPS = (0.0, 0.02, 0.05, 0.08, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.60, 1.0)
_FLOORS = (0.10, 0.08, 0.05, 0.02, 0.0, -0.02, -0.05, -0.10, -0.15, -0.20, -0.30, -1.0)
_LOADS = (0.7, 0.72, 0.75, 0.78, 0.8, 0.82, 0.85, 0.88, 0.9, 0.92, 0.95, 1.0)
_HOURS = (24.0, 22.0, 20.0, 18.0, 16.0, 14.0, 12.0, 10.0, 8.0, 6.0, 4.0, 0.0)
_INF = math.inf
_ROWS: tuple[tuple[Any, ...], ...] = (
    ("potential_band", "potential_band", "tolerance", 1, 0.0, _INF, _SHARES),
    ("growth_cap", "growth", "cap", 1, -1.0, _INF, _CAPS),
    ("growth_floor", "growth", "floor", -1, -1.0, _INF, _FLOORS),
    ("min_expected_attainment", "min_expected_attainment", "share", -1, 0.0, 1.0, _MINIMA),
    ("min_chance", "min_chance", "chance", -1, 0.0, 1.0, _CHANCES),
    ("workload_maximum", "workload", "maximum", 1, 0.0, 1.0, _LOADS),
    ("workload_minimum", "workload", "minimum", -1, 0.0, 1.0, tuple(1 - load for load in _LOADS)),
    ("training_floor", "training_floor", "hours", -1, 0.0, _INF, _HOURS),
    ("equal_odds", "equal_odds", "width", 1, 0.0, 1.0, _SHARES),
    ("spread", "spread", "maximum", 1, 0.0, _INF, _SHARES),
    ("worst_off", "worst_off", "minimum", -1, 0.0, 1.0, _MINIMA),
    ("gini", "gini", "maximum", 1, 0.0, 1.0, tuple(share / 4 for share in _SHARES)),
    ("group_parity", "group_parity", "tolerance", 1, 0.0, _INF, _SHARES),
)
PARAMETERS: tuple[Parameter, ...] = tuple(Parameter(*row) for row in _ROWS)


def parameter(name: str) -> Parameter:
    """The parameter of this name; a rule with one number may be called by its own name.

    Raises:
        InputRefused: no such parameter.
    """
    known = {one.name: one for one in PARAMETERS}
    if name not in known:
        raise InputRefused(Problem("rule", name, "is no rule with a number", near(name, known)))
    return known[name]
