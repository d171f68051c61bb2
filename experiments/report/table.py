"""Who carries what: a row a rep under its team, team rows, the company's row, all tied to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from experiments.money import Scale
from experiments.report.input import ReportInput, RepRow
from experiments.report.watch import flags, long_odds, overloaded
from experiments.report.wording import Wording, rep_label
from sim.interval import Interval

View = dict[str, Any]

MOST_ROWS = 18
"""Rows of reps and teams that the first page has room for; above it shows teams only."""
_ROOMY = 16
LEAST_GROUP = 3
"""People in a row where figures of single persons are withheld."""


def who_carries_what(given: ReportInput, say: Wording, *, persons: bool) -> View:
    """The table of the first page: reps where they fit and may be shown, else teams."""
    fits = len(given.reps) + len(teams(given.reps)) <= MOST_ROWS
    if persons and fits:
        rows = full_table(given, say)
        return {"rows": rows, "dense": _dense(rows), "unit": _unit(say), "note": _note(given, say)}
    groups = teams(given.reps) if persons else withheld_groups(given.reps)
    groups = _joined(groups, MOST_ROWS)
    rows = [_group_row("team", _group_name(name, say), group, given, say) for name, group in groups.items()]
    note = say.t("who.full_table") if persons else say.t("who.aggregate", least=LEAST_GROUP)
    note = f"{note} {_note(given, say)}"
    return {"rows": [*rows, _company_row(given, say)], "dense": _dense(rows), "unit": _unit(say), "note": note}


def _dense(rows: Sequence[View]) -> bool:
    return len(rows) > _ROOMY


def full_table(given: ReportInput, say: Wording) -> list[View]:
    """A row a rep by team, a row a team, the company."""
    rows = []
    for name, group in teams(given.reps).items():
        rows.append(_group_row("team", name, group, given, say))
        rows += [_rep_row(rep, given, say) for rep in group]
    return [*rows, _company_row(given, say)]


def teams(reps: Sequence[RepRow]) -> dict[str, list[RepRow]]:
    """Reps by team, both in the order given."""
    found: dict[str, list[RepRow]] = {}
    for rep in reps:
        found.setdefault(rep.team, []).append(rep)
    return found


def withheld_groups(reps: Sequence[RepRow]) -> dict[str, list[RepRow]]:
    """Teams large enough to hide a person; the small ones joined under an empty name, with a larger one if needed."""
    groups = teams(reps)
    by_size = sorted(groups, key=lambda name: len(groups[name]))
    small = [name for name in by_size if len(groups[name]) < LEAST_GROUP]
    large = [name for name in by_size if len(groups[name]) >= LEAST_GROUP]
    while small and large and sum(len(groups[name]) for name in small) < LEAST_GROUP:
        small.append(large.pop(0))
    rest = [rep for rep in reps if rep.team in small]
    kept = {name: group for name, group in groups.items() if name not in small}
    return kept | ({"": rest} if len(rest) >= LEAST_GROUP else {})


def _joined(groups: dict[str, list[RepRow]], most: int) -> dict[str, list[RepRow]]:
    if len(groups) <= most:
        return groups
    by_quota = sorted(groups, key=lambda name: -sum(rep.quota or 0 for rep in groups[name]))
    kept = {name: groups[name] for name in groups if name in by_quota[: most - 1] and name}
    return kept | {"": [rep for name in groups if name not in kept for rep in groups[name]]}


def _group_name(name: str, say: Wording) -> str:
    return name or say.t("who.other_teams")


def _rep_row(rep: RepRow, given: ReportInput, say: Wording) -> View:
    raised = flags(rep, given)
    return {
        "kind": "rep",
        "name": rep_label(rep),
        "last": _amount(rep.last_sales, say.table, say),
        "growth": say.percent(growth(rep.quota, rep.last_sales), signed=True),
        "quota": _amount(rep.quota, _quota_scale(given, say), say),
        "potential": _amount(rep.potential, say.table, say),
        "ratio": say.ratio(_over(rep.quota, rep.potential)),
        "chance": say.percent_of(rep.chance),
        "chance_width": _width(rep.chance),
        "chance_low": long_odds(rep, given),
        "workload": say.percent(rep.workload),
        "workload_high": overloaded(rep, given),
        "accounts": _exchange(len(rep.gains), len(rep.losses)),
        "training": say.hours(rep.training_hours) if rep.training_hours else "",
        "flags": [say.t(key) for key in raised[:1]],
        "all_flags": say.list([say.t(key) for key in raised], len(raised)),
    }


def _company_row(given: ReportInput, say: Wording) -> View:
    return _group_row("company", say.t("who.company"), given.reps, given, say)


def _group_row(kind: str, name: str, group: Sequence[RepRow], given: ReportInput, say: Wording) -> View:
    last, quota, potential = (_sum(group, field) for field in ("last_sales", "quota", "potential"))
    with_last = [rep for rep in group if rep.last_sales is not None and rep.quota is not None]
    with_potential = [rep for rep in group if rep.potential is not None and rep.quota is not None]
    chances = [rep.chance.estimate for rep in group if rep.chance is not None]
    hours = sum(rep.training_hours for rep in group)
    available = sum(rep.available for rep in group)
    hit_rate = sum(chances) / len(chances) if chances else None
    return {
        "kind": kind,
        "name": name,
        "people": say.t("who.people", count=len(group)),
        "last": _amount(last, say.table, say),
        "growth": say.percent(growth(_sum(with_last, "quota"), _sum(with_last, "last_sales")), signed=True),
        "quota": _amount(quota, _quota_scale(given, say), say),
        "potential": _amount(potential, say.table, say),
        "ratio": say.ratio(_over(_sum(with_potential, "quota"), _sum(with_potential, "potential"))),
        "chance": say.percent(hit_rate),
        "chance_width": None,
        "chance_low": False,
        "workload": say.percent(sum(rep.busy for rep in group) / available if available > 0 else None),
        "workload_high": False,
        "accounts": _exchange(sum(len(rep.gains) for rep in group), sum(len(rep.losses) for rep in group)),
        "training": say.hours(hours) if hours else "",
        "flags": [],
        "all_flags": "",
    }


def growth(quota: int | None, last: int | None) -> float | None:
    """Quota against last sales; None where either is unknown or last sales are zero."""
    return quota / last - 1 if quota is not None and last else None


def _sum(group: Sequence[RepRow], field: str) -> int | None:
    known = [int(value) for rep in group if (value := getattr(rep, field)) is not None]
    return sum(known) if known else None


def _over(above: int | None, below: int | None) -> float | None:
    return above / below if above is not None and below else None


def _quota_scale(given: ReportInput, say: Wording) -> Scale:
    return say.table.exact(rep.quota for rep in given.reps if rep.quota is not None)


def _amount(minor: int | None, scale: Scale, say: Wording) -> View:
    text = say.t("page.not_known") if minor is None else scale.number(minor)
    return {"text": text, "minor": minor}


def _width(chance: Interval | None) -> float | None:
    return None if chance is None else round(100 * chance.estimate, 1)


def _exchange(gains: int, losses: int) -> str:
    return " ".join([f"+{gains}"] * bool(gains) + [f"−{losses}"] * bool(losses))


def _unit(say: Wording) -> str:
    return say.t("who.unit", unit=say.table.name)


def _note(given: ReportInput, say: Wording) -> str:
    chances = [*(rep.chance for rep in given.reps), given.today.target_chance, given.plan.target_chance]
    widths = [chance.half_width for chance in chances if chance is not None]
    told = []
    if widths:
        told.append(say.t("who.chance_note", years=given.how_sure.years, points=ceil(100 * max(widths))))
    if given.moves:
        told.append(say.t("who.last_note"))
    if any(rep.last_sales is None and rep.quota is not None for rep in given.reps):
        told.append(say.t("who.growth_note"))
    return say.t("page.space").join(told)
