"""What reps and teams say they will carry, round by round, against what the company asks of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimize.asked import figure, ratio_figure
from optimize.levels import LevelRow
from scenarios.errors import Problem, refuse_if
from scenarios.goals import LEVELS, RATIO_METRICS, Commitment, Level
from scenarios.scenario import Scenario

Said = tuple[float | None, int, str]
"""A figure, how many are missing for it, and whose word it is."""


@dataclass(frozen=True)
class GapRow:
    """One subject in one round; minor units, counts or ratios.

    A team's figure is the sum of its reps' latest commitments, or its own where that is later; the company's is the
    sum of the teams'. Of a ratio, sums are weighed with the quotas of its denominator.

    Attributes:
        round: commitments up to this round count.
        top_down: what quotas ask.
        bottom_up: None while somebody has said nothing: nothing said is not zero.
        missing: how many reps have said nothing and have no team that speaks for them.
        said: "reps" or "team": whose word it is; empty where nobody spoke.
        gap: bottom_up - top_down.
    """

    metric: str
    level: Level
    round: int
    scope: str
    subject: str
    top_down: float
    bottom_up: float | None
    missing: int
    said: str

    @property
    def gap(self) -> float | None:
        """Bottom-up less top-down; negative where too little is offered."""
        return None if self.bottom_up is None else self.bottom_up - self.top_down


def gap_rows(scenario: Scenario, rows: Sequence[LevelRow]) -> tuple[GapRow, ...]:
    """The two views side by side for the company, teams and reps, by metric, level and round.

    Raises:
        InputRefused: a rep's or team's latest floor, target and stretch are not in order.
    """
    refuse_if(_out_of_order(scenario.goals.commitments))
    out: list[GapRow] = []
    said = scenario.goals.commitments
    for metric, level in dict.fromkeys((one.metric, one.level) for one in said):
        mine = [one for one in said if (one.metric, one.level) == (metric, level)]
        asked = [row for row in rows if (row.metric, row.level) == (metric, level)]
        for number in sorted({one.round for one in mine}):
            out += _round(scenario, asked, _weights(metric, rows), [one for one in mine if one.round <= number], number)
    return tuple(out)


def _weights(metric: str, rows: Sequence[LevelRow]) -> dict[str, float] | None:
    """Quotas of a ratio's denominator by rep; None for an additive metric."""
    if metric not in RATIO_METRICS:
        return None
    of = RATIO_METRICS[metric][1]
    return {row.subject: row.quota for row in rows if (row.metric, row.level, row.scope) == (of, "target", "rep")}


def _round(
    scenario: Scenario,
    asked: Sequence[LevelRow],
    weights: Mapping[str, float] | None,
    said: Sequence[Commitment],
    number: int,
) -> Iterator[GapRow]:
    by_rep, by_team = _latest(said, "rep"), _latest(said, "team")
    team_of = {rep.id: rep.team for rep in scenario.reps}
    carry = [row.subject for row in asked if row.scope == "rep"]
    found: dict[str, Said] = {}
    for team in (row.subject for row in asked if row.scope == "team"):
        members = [rep for rep in carry if team_of[rep] == team]
        heard = [by_rep[rep] for rep in members if rep in by_rep]
        own = by_team.get(team)
        if own is not None and (len(heard) < len(members) or own.round > max(one.round for one in heard)):
            found[team] = _value(own), 0, "team"
        elif len(heard) == len(members):
            values = {rep: _value(by_rep[rep]) for rep in members}
            found[team] = _together(values, weights), 0, "reps"
        else:
            found[team] = None, len(members) - len(heard), "reps" if heard else ""
    entry: Said
    for row in asked:
        if row.scope == "rep":
            one = by_rep.get(row.subject)
            entry = (None, 1, "") if one is None else (_value(one), 0, "reps")
        elif row.scope == "team":
            entry = found[row.subject]
        else:
            entry = _company(found, weights, carry, team_of)
        yield GapRow(row.metric, row.level, number, row.scope, row.subject, row.quota, *entry)


def _company(
    found: Mapping[str, Said],
    weights: Mapping[str, float] | None,
    carry: Sequence[str],
    team_of: Mapping[str, str],
) -> Said:
    missing = sum(count for _, count, _ in found.values())
    values = {team: value for team, (value, _, _) in found.items() if value is not None}
    if len(values) < len(found):
        return None, missing, ""
    if weights is None:
        return sum(values.values()), 0, "teams"
    of_team = dict.fromkeys(found, 0.0)
    for rep in carry:
        of_team[team_of[rep]] += weights.get(rep, 0.0)
    return _together(values, of_team), 0, "teams"


def _together(values: Mapping[str, float], weights: Mapping[str, float] | None) -> float:
    if weights is None:
        return sum(values.values())
    total = sum(weights.get(name, 0.0) for name in values)
    return sum(value * weights.get(name, 0.0) for name, value in values.items()) / total if total > 0 else 0.0


def _latest(said: Sequence[Commitment], who: str) -> dict[str, Commitment]:
    found: dict[str, Commitment] = {}
    for one in sorted(said, key=lambda one: one.round):
        name = getattr(one, who)
        if name is not None:
            found[name] = one
    return found


def _value(one: Commitment) -> float:
    return ratio_figure(one.metric, one.value) if one.metric in RATIO_METRICS else float(figure(one.metric, one.value))


def _out_of_order(said: Sequence[Commitment]) -> Iterator[Problem]:
    for who in ("rep", "team"):
        for metric in dict.fromkeys(one.metric for one in said):
            latest = {
                level: _latest([one for one in said if (one.metric, one.level) == (metric, level)], who)
                for level in LEVELS
            }
            for name in dict.fromkeys(name for found in latest.values() for name in found):
                values = [latest[level][name].value for level in LEVELS if name in latest[level]]
                if values != sorted(values):
                    rule = f"floor <= target <= stretch must hold for what {name} says, but got {values}"
                    yield Problem("goals.commitments", f"{metric} of {name}", rule, "correct one of them")
