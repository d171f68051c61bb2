"""The scenario's targets as numbers: every metric, company and teams, the horizon and its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from optimize.asked import Asked, asked, figure, quota_total, ratio_figure, target_total
from optimize.metrics import Bools, Metric, Metrics, Ratio, RatioWindow, Window
from optimize.phasing import Period
from optimize.response.estimate import Responses
from optimize.seasons import seasons
from scenarios.errors import Problem, refuse_if
from scenarios.goals import RATIO_METRICS, Level, Target
from scenarios.plan import is_money
from scenarios.scenario import Scenario

KEPT = 0.99
"""Share of what the present plan brings of an unweighted metric that decisions keep where its target lies above."""


def read_metrics(scenario: Scenario, responses: Responses, revenue: int) -> Metrics:
    """What targets ask for beside the company's revenue over the horizon.

    Args:
        revenue: what revenue quotas sum to.

    Raises:
        InputRefused: dates that are no boundaries of periods, weights where none can be, nobody who reaches a metric,
            pairs and teams that contradict each other.
    """
    found = asked(scenario, responses.periods)
    refuse_if(_weight_problems(scenario))
    reader = _Reader(scenario, responses, found, revenue)
    metrics = reader.metrics()
    refuse_if([*reader.problems, *_sum_problems(scenario, responses, metrics)])
    return metrics


def _weight_problems(scenario: Scenario) -> Iterator[Problem]:
    start, end = scenario.calendar.start, scenario.calendar.end
    targets = scenario.goals.targets
    for position, target in enumerate(targets):
        whole = (target.first_day or start, target.end or end) == (start, end)
        if target.weight and (target.team is not None or not whole):
            rule = "a weight belongs to a target of the company over the whole horizon"
            yield Problem(f"goals.targets[{position}].weight", f"{target.weight:g}", rule, "leave it empty here")
    if _weight(targets, "revenue") == 0 and not any(target.weight for target in targets):
        rule = "no metric counts in the objective"
        yield Problem("goals.targets", "weight 0", rule, "give one of the company's targets a weight above zero")


def _weight(targets: Sequence[Target], metric: str) -> float:
    """Weight of an additive metric; a ratio's weight is that of its numerator."""
    given = [
        target.weight
        for target in targets
        if target.team is None
        and target.weight is not None
        and (target.metric == metric or RATIO_METRICS.get(target.metric, ("",))[0] == metric)
    ]
    return sum(given) if given else float(metric == "revenue")


def _sum_problems(scenario: Scenario, responses: Responses, metrics: Metrics) -> Iterator[Problem]:
    """Team totals against the company's."""
    teams = _teams(scenario, responses)
    for metric in metrics.others:
        ratio = metrics.ratio_of(metric.name)
        asked = [*metric.team_totals, *(ratio.teams if ratio is not None else ())]
        for team in dict.fromkeys(asked):
            if team not in {teams[r] for r in np.flatnonzero(metric.carriers)}:
                rule = f"nobody of this team reaches any {metric.name} in the simulated years"
                yield Problem(f"goals.targets {metric.name}", team, rule, "remove the team's target")
        if metric.total is None or not metric.team_totals:
            continue
        of_teams = sum(metric.team_totals.values())
        everybody = all(teams[r] in metric.team_totals for r in np.flatnonzero(metric.carriers))
        if of_teams > metric.total or (everybody and of_teams != metric.total):
            rule = f"the totals of teams sum to {_shown(metric.name, of_teams)}"
            remedy = "correct one of them, or leave one team's open"
            yield Problem(f"goals.targets {metric.name}", _shown(metric.name, metric.total), rule, remedy)


def _shown(metric: str, total: int) -> str:
    return f"{total / 100:,.2f}" if is_money(metric) else f"{total:,}"


def _teams(scenario: Scenario, responses: Responses) -> tuple[str, ...]:
    team = {rep.id: rep.team for rep in scenario.reps}
    return tuple(team[rep] for rep in responses.reps)


def window_of(
    scenario: Scenario,
    periods: Sequence[Period],
    target: Target,
    places: tuple[int, ...],
    total: int,
    level: Level = "target",
) -> Window:
    """What a target for a part of the horizon asks of quotas, or of their floors or stretches."""
    first, end = periods[places[0]].first, periods[places[-1]].end
    over = scenario.allocation.over_assignment
    return Window(target.team, places, total, target.metric, level, first, end, over)


class _Reader:
    """Puts targets, samples and proportions together, metric by metric."""

    def __init__(
        self,
        scenario: Scenario,
        responses: Responses,
        found: dict[tuple[str, str | None], Asked],
        revenue: int,
    ) -> None:
        self.scenario, self.responses, self.found, self.revenue = scenario, responses, found, revenue
        self.problems: list[Problem] = []
        self.teams = _teams(scenario, responses)

    def metrics(self) -> Metrics:
        """All of it, in an order in which it can be split."""
        ratios = tuple(self._ratio(name) for name in RATIO_METRICS if any(metric == name for metric, _ in self.found))
        derived = {ratio.derived: ratio for ratio in ratios}
        names = sorted(self.responses.metrics, key=lambda name: (name in derived, name))
        others: dict[str, Metric] = {}
        for name in names:
            others[name] = self._metric(name, derived.get(name), others)
        weight = _weight(self.scenario.goals.targets, "revenue")
        return Metrics(tuple(others.values()), ratios, weight, self._windows("revenue"))

    def _company(self, name: str) -> Asked:
        return self.found.get((name, None), Asked())

    def _of_teams(self, name: str) -> dict[str, Asked]:
        return {team: entry for (metric, team), entry in self.found.items() if metric == name and team is not None}

    def _direct(self, name: str) -> bool:
        return name == "revenue" or any(metric == name for metric, _ in self.found)

    def _windows(self, name: str) -> tuple[Window, ...]:
        entries: list[tuple[str | None, Asked]] = [(None, self._company(name)), *self._of_teams(name).items()]
        return tuple(
            window_of(self.scenario, self.responses.periods, target, periods, target_total(self.scenario, target))
            for _, entry in entries
            for target, periods in entry.parts
        )

    def _ratio(self, name: str) -> Ratio:
        numerator, denominator = RATIO_METRICS[name]
        # Revenue always has a total of its own.
        follows = numerator == "revenue" or (self._direct(numerator) and not self._direct(denominator))
        derived = denominator if follows else numerator
        company, teams = self._company(name), self._of_teams(name)
        whole = None if company.whole is None else self._value(company.whole)
        mean = {part: self._mean(part) for part in (numerator, denominator)}
        present = mean[numerator] / mean[denominator] if mean[denominator] > 0 else 0.0
        floor = company.level("floor") if company.whole is not None else None
        windows = [
            RatioWindow(team, periods, self._value(target))
            for team, entry in [(None, company), *teams.items()]
            for target, periods in entry.parts
        ]
        return Ratio(
            name,
            numerator,
            denominator,
            derived,
            whole,
            {team: self._value(entry.whole) for team, entry in teams.items() if entry.whole is not None},
            tuple(windows),
            min(whole, KEPT * present) if floor is None and whole is not None else floor and ratio_figure(name, floor),
            floor is not None,
        )

    @staticmethod
    def _value(target: Target) -> float:
        return ratio_figure(target.metric, float(target.target or 0))

    def _mean(self, metric: str) -> float:
        if metric == "revenue":
            return float(self.responses.samples.mean(axis=0).sum())
        return float(self.responses.metrics[metric].sum(axis=(1, 2)).mean())

    def _metric(self, name: str, ratio: Ratio | None, before: dict[str, Metric]) -> Metric:
        company, teams = self._company(name), self._of_teams(name)
        cover = self._cover(name, ratio, before)
        by_period = self.responses.metrics[name]
        samples = np.where(cover, by_period, 0).sum(axis=2).astype(np.float64)
        if not samples.any():
            rule = "nobody reaches any of it in the simulated years, so there is nothing to split"
            self.problems.append(Problem(f"goals.targets {name}", "0", rule, "remove the target, or check the market"))
        total = self._total_of(name, company, ratio, before)
        team_totals = {
            team: sum(target_total(self.scenario, target) for target, _ in entry.outer)
            if entry.whole is None
            else target_total(self.scenario, entry.whole)
            for team, entry in teams.items()
            if entry.whole is not None or self._all_covered(team, entry, cover)
        }
        floor = company.level("floor") if company.whole is not None else None
        expected = float(samples.mean(axis=0).sum())
        guard = None
        if company.whole is not None and not _weight(self.scenario.goals.targets, name):
            guard = min(float(figure(name, float(company.whole.target or 0))), KEPT * expected)
        return Metric(
            name,
            samples,
            cover,
            seasons(by_period, self.responses.presence),
            self.responses.rates[name],
            total,
            team_totals,
            self._windows(name),
            _weight(self.scenario.goals.targets, name),
            guard if floor is None else float(figure(name, floor)),
            floor is not None,
            int(self.scenario.allocation.rounding_step) if is_money(name) else 1,
        )

    def _all_covered(self, team: str, entry: Asked, cover: Bools) -> bool:
        members = [r for r, name in enumerate(self.teams) if name == team]
        return bool(members) and all(frozenset(np.flatnonzero(cover[r])) == entry.covered for r in members)

    def _cover(self, name: str, ratio: Ratio | None, before: dict[str, Metric]) -> Bools:
        """Periods in which each rep has a quota of a metric, [R, P]."""
        shape = len(self.teams), len(self.responses.periods)
        sources = [name] if self._direct(name) else []
        sources += [ratio.name] if ratio is not None else []
        if not sources:
            return np.ones(shape, dtype=np.bool_)
        cover = np.zeros(shape, dtype=np.bool_)
        for source in sources:
            company, teams = self._company(source), self._of_teams(source)
            if company.whole is not None:
                cover[:] = True
            cover[:, list(company.covered)] = True
            for team, entry in teams.items():
                members = np.array([member == team for member in self.teams])
                reach = sorted(range(shape[1]) if entry.whole is not None else entry.covered)
                outside = [p for p in reach if not cover[members][:, p].all()]
                if outside and company.parts and company.whole is None:
                    rule = "a team has a target for a time for which the company has none"
                    remedy = "give the company one for the whole horizon"
                    self.problems.append(Problem(f"goals.targets {source}", team, rule, remedy))
                cover[np.ix_(members, np.array(reach))] = True
        if ratio is not None and ratio.known in before:
            cover &= before[ratio.known].periods
        return cover

    def _total_of(self, name: str, company: Asked, ratio: Ratio | None, before: dict[str, Metric]) -> int | None:
        own: int | None = None
        if company.whole is not None:
            own = target_total(self.scenario, company.whole)
        elif company.parts:
            own = sum(target_total(self.scenario, target) for target, _ in company.outer)
        if ratio is None:
            # The part of a pair for which nothing is asked: as much of it as is expected.
            if self._direct(name):
                return own
            step = int(self.scenario.allocation.rounding_step) if is_money(name) else 1
            return round(quota_total(self.scenario, round(self._mean(name))) / step) * step
        known = self.revenue if ratio.known == "revenue" else before[ratio.known].total
        if ratio.value is None or known is None:
            return own
        derived = ratio.of_known(ratio.value, known)
        step = int(self.scenario.allocation.rounding_step) if is_money(name) else 1
        if own is not None and abs(own - derived) > step:
            said = self._company(ratio.name).whole
            rule = f"with {ratio.name} {said.target if said else 0:g} it would have to be {_shown(name, derived)}"
            self.problems.append(
                Problem(f"goals.targets {name}", _shown(name, own), rule, "leave out one of the three targets")
            )
        return derived if own is None else own
