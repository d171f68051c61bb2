"""What targets ask for: by metric, company or team, the horizon or parts of it, and level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from optimize.phasing import Period
from scenarios.errors import Problem, Said, refuse_if
from scenarios.goals import RATIO_METRICS, Level, Target
from scenarios.plan import is_money
from scenarios.scenario import Scenario


def quota_total(scenario: Scenario, target: int) -> int:
    """What quotas sum to: the target times 1 + over-assignment, rounded half to even."""
    return with_over_assignment(target, scenario.allocation.over_assignment)


def with_over_assignment(target: int, over: float) -> int:
    """A target times 1 + over-assignment, rounded half to even."""
    return round(target * (1 + Fraction(str(over))))


def to_enter(total: int, over: float, metric: str = "revenue", *, below: bool) -> Said:
    """What to enter as a target so that quotas sum to no more than a total, or no less; empty where it is the total.

    Args:
        total: minor units or a count.
        below: whether it is a most, else a least.
    """
    if not over:
        return Said("", "")
    target = round(total / (1 + Fraction(str(over))))
    while with_over_assignment(target, over) > total if below else with_over_assignment(target, over) < total:
        target += -1 if below else 1
    figure = f"{target / 100:,.2f}" if is_money(metric) else f"{target:,}"
    side, chinese = ("at most", "不超过") if below else ("at least", "不低于")
    share = f"{over * 100:.6g} %"
    return Said(
        f" (enter {side} {figure} as the target: {share} of over-assignment comes on top)",
        f"（目标填{chinese} {figure}，另加超额分配 {share}）",
    )


def ratio_figure(metric: str, value: float) -> float:
    """A ratio's figure in the units of its pair: minor units where only the numerator is money."""
    above, below = (is_money(part) for part in RATIO_METRICS[metric])
    return value * 100 if above and not below else value


def figure(metric: str, value: float) -> int:
    """A target's figure as whole minor units or a count."""
    return round(Fraction(str(value)) * 100) if is_money(metric) else round(value)


@dataclass
class Asked:
    """Targets of one metric for the company or one team.

    Attributes:
        whole: over the horizon.
        parts: over parts of it, with the positions of their periods.
    """

    whole: Target | None = None
    parts: list[tuple[Target, tuple[int, ...]]] = field(default_factory=list)

    @property
    def outer(self) -> list[tuple[Target, tuple[int, ...]]]:
        """The parts that lie in no other part."""
        return [
            (target, periods)
            for target, periods in self.parts
            if not any(set(periods) < set(other) for _, other in self.parts)
        ]

    @property
    def covered(self) -> frozenset[int]:
        """Periods that the parts speak of."""
        return frozenset(period for _, periods in self.parts for period in periods)

    def level(self, level: Level) -> float | None:
        """The figure of a level: over the horizon, else the sum over the parts where all of them have one."""
        if self.whole is not None:
            value: float | None = getattr(self.whole, level)
            return value
        values = [getattr(target, level) for target, _ in self.outer]
        return None if not values or any(value is None for value in values) else float(sum(values))


def asked(scenario: Scenario, periods: Sequence[Period]) -> dict[tuple[str, str | None], Asked]:
    """All targets by metric and team (None: the company), in their order; parts of the horizon by their periods.

    Raises:
        InputRefused: a target's dates are no boundaries of reporting periods.
    """
    out: dict[tuple[str, str | None], Asked] = {}
    found: list[Problem] = []
    start, end = scenario.calendar.start, scenario.calendar.end
    firsts, ends = [period.first for period in periods], [period.end for period in periods]
    for position, target in enumerate(scenario.goals.targets):
        entry = out.setdefault((target.metric, target.team), Asked())
        first, last = target.first_day or start, target.end or end
        if (first, last) == (start, end):
            entry.whole = target
            continue
        if first not in firsts or last not in ends:
            wrong = first if first not in firsts else last
            near = min([*firsts, end], key=lambda day: abs((day - wrong).days))
            rule = "is no boundary of the reporting periods, over which quotas are split"
            remedy = f"the nearest is {near}; or choose shorter periods with calendar.reporting"
            found.append(Problem(f"goals.targets[{position}]", str(wrong), rule, remedy))
            continue
        entry.parts.append((target, tuple(range(firsts.index(first), ends.index(last) + 1))))
    refuse_if(found)
    for entry in out.values():
        entry.parts.sort(key=lambda part: part[1])
    return dict(sorted(out.items(), key=lambda item: (item[0][0], item[0][1] or "")))


def revenue_team_totals(scenario: Scenario, periods: Sequence[Period]) -> dict[str, int]:
    """Teams whose targets of parts cover the horizon: the sum of these parts, over-assignment in it."""
    out = {}
    for (metric, team), entry in asked(scenario, periods).items():
        if metric == "revenue" and team is not None and entry.whole is None and len(entry.covered) == len(periods):
            out[team] = sum(target_total(scenario, target) for target, _ in entry.outer)
    return out


def target_total(scenario: Scenario, target: Target) -> int:
    """What quotas sum to for a given target: minor units or a count."""
    return quota_total(scenario, figure(target.metric, float(target.target or 0)))
