"""The rule audit of any plan: each rule and subject with its limit, the actual figure, whether it binds or breaks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from optimize.fairness_measures import KEPT_WITHIN, Standing, Together, Unit, standings
from optimize.locked import excuse, share_locks
from optimize.pairs import Pairs
from optimize.parts import lead_shares
from optimize.problem import (
    AllocationProblem,
    Decisions,
    Floats,
    company_ratio,
    gains,
    histories,
    moved,
    potentials,
)
from optimize.rules import Bound, bounds
from optimize.training_calendar import laid_training
from optimize.workload import workloads
from scenarios.goals import (
    FairnessRule,
    GiniBound,
    GrowthLimits,
    MinimumAttainment,
    MinimumChance,
    PotentialBand,
    Spread,
    TrainingFloor,
    Workload,
)

HOURS_OFF = 1e-6


@dataclass(frozen=True)
class RuleRow:
    """One rule on one subject.

    Attributes:
        limit, actual: in ``unit``.
        binding: the figure is at its limit (quotas: within one rounding step), and the rule did not give way to a lock;
            where values of loosening are known, near by chance is not binding (:mod:`optimize.loosening_worth`).
        kept: the rule holds.
        value_of_loosening: how much the model value grows as the limit begins to give way, for one point, hour, move or
            account, minor units, with owners held; a whole one usually brings less. Of a sum of quotas for one currency
            unit more, below zero for one less. None where it was not asked or has no meaning.
        exception: who locked a figure that makes the rule give way, or that rounding does; empty otherwise.
    """

    rule: str
    subject: str
    limit: float
    actual: float
    unit: Unit
    binding: bool
    kept: bool = True
    value_of_loosening: float | None = None
    exception: str = ""


def audit(problem: AllocationProblem, decisions: Decisions, quotas: Floats) -> list[RuleRow]:
    """Every rule of the request on a plan's decisions and quotas (minor units, [R])."""
    rows = list(_totals(problem, quotas))
    found = bounds(problem, decisions)
    for rule in problem.rules:
        rows += _quota_rows(problem, decisions, quotas, rule, found)
        if isinstance(rule, Together):
            rows += [_standing_row(problem, rule, row) for row in standings(problem, decisions, quotas, rule)]
    rows += _limits(problem, decisions)
    return rows


def broken(rows: list[RuleRow]) -> list[RuleRow]:
    """The rows whose rule does not hold."""
    return [row for row in rows if not row.kept]


def _totals(problem: AllocationProblem, quotas: Floats) -> Iterator[RuleRow]:
    actual = float(quotas.sum())
    kept = abs(actual - problem.total) < 0.5
    yield RuleRow("company_total", "company", problem.total, actual, "minor", kept, kept)
    for team, total in problem.team_totals.items():
        of_team = float(quotas[problem.members(team)].sum())
        kept = abs(of_team - total) < 0.5
        yield RuleRow("team_total", team, total, of_team, "minor", kept, kept)
    for team, total in problem.teams_overruled.items():
        members = problem.members(team)
        said = "; ".join(text for r in members if (text := excuse(problem, int(r))))
        said = said or excuse(problem, None, "team_total")
        yield RuleRow("team_total", team, total, float(quotas[members].sum()), "minor", False, False, None, said)


def _quota_rows(
    problem: AllocationProblem, decisions: Decisions, quotas: Floats, rule: FairnessRule, found: list[Bound]
) -> Iterator[RuleRow]:
    gain, potential = gains(problem, decisions), potentials(problem, decisions.owner, decisions.shares)
    sales = problem.samples + gain
    match rule:
        case PotentialBand():
            ratio = company_ratio(problem)
            measure = np.divide(quotas, ratio * potential, out=np.full(len(quotas), np.nan), where=potential > 0)
            limits = {"upper": 1 + rule.tolerance, "lower": 1 - rule.tolerance}
            yield from _bounded(problem, quotas, found, "potential_band", measure, limits, "x company ratio")
        case GrowthLimits():
            last = histories(problem, decisions.owner)
            measure = quotas / np.where(last > 0, last, np.nan) - 1
            yield from _bounded(problem, quotas, found, "growth_cap", measure, {"upper": rule.cap}, "growth")
            yield from _bounded(problem, quotas, found, "growth_floor", measure, {"lower": rule.floor}, "growth")
        case MinimumAttainment():
            expected = np.minimum(sales, quotas).mean(axis=0)
            # Nothing is attained of no quota: no figure is better than one that reads as if the rule had room.
            measure = np.divide(expected, quotas, out=np.full(len(quotas), np.nan), where=quotas > 0)
            limits = {"upper": rule.share}
            yield from _bounded(problem, quotas, found, "min_expected_attainment", measure, limits, "share of quota")
        case MinimumChance():
            # Money within half a minor unit is equal: quotas are whole minor units, gains are not.
            measure = (sales >= quotas - 0.5).mean(axis=0)
            yield from _bounded(problem, quotas, found, "min_chance", measure, {"upper": rule.chance}, "chance")
        case Spread() | GiniBound():
            yield from _of_emptied(problem, quotas, rule.rule, found)
        case Workload():
            yield from _workload(problem, decisions, rule)
        case TrainingFloor():
            hours = decisions.training.sum(axis=1)
            for r in np.flatnonzero(problem.concerned(rule)):
                yield _row(problem, "training_floor", int(r), rule.hours, float(hours[r]), "hours", "lower", HOURS_OFF)


def _of_emptied(problem: AllocationProblem, quotas: Floats, name: str, found: list[Bound]) -> Iterator[RuleRow]:
    """Quotas of people whom moves leave no potential: a rule that compares ratios leaves them none."""
    for bound in found:
        if bound.rule == name:
            actual = float(quotas[bound.rep])
            kept = actual <= bound.value + 0.5
            said = "" if kept else excuse(problem, bound.rep)
            yield RuleRow(name, problem.reps[bound.rep], bound.value, actual, "minor", kept, kept, exception=said)


def _bounded(
    problem: AllocationProblem,
    quotas: Floats,
    found: list[Bound],
    name: str,
    measure: Floats,
    limits: Mapping[str, float | None],
    unit: Unit,
) -> Iterator[RuleRow]:
    """One row per rep: of two sides the one that is nearer."""
    by_rep: dict[int, list[Bound]] = {}
    for bound in found:
        if bound.rule == name:
            by_rep.setdefault(bound.rep, []).append(bound)
    for r, sides in by_rep.items():
        room = {b.side: (b.value - quotas[r]) if b.side == "upper" else (quotas[r] - b.value) for b in sides}
        nearest = min(room, key=lambda side: room[side])
        kept = bool(room[nearest] >= -0.5)
        gave_way = "" if kept else excuse(problem, r)
        yield RuleRow(
            name,
            problem.reps[r],
            float(limits[nearest] or 0.0),
            float(measure[r]),
            unit,
            binding=not gave_way and bool(abs(room[nearest]) <= max(problem.rounding_step, 1)),
            kept=kept,
            exception="" if kept else gave_way or _rounding(problem, float(room[nearest])),
        )


def _standing_row(problem: AllocationProblem, rule: FairnessRule, found: Standing) -> RuleRow:
    """A rule that ties people together: binding within one rounding step on every quota."""
    exception = ""
    if not found.kept:
        locked = [excuse(problem, int(r)) for r in np.flatnonzero(problem.concerned(rule)) if r in problem.locks.bound]
        small = -found.room <= found.step
        exception = "; ".join(locked) or ("broken by less than one rounding step" if small else "")
    near = abs(found.room) <= max(found.step, KEPT_WITHIN)
    return RuleRow(
        found.rule, found.subject, found.limit, found.actual, found.unit, near, found.kept, exception=exception
    )


def _rounding(problem: AllocationProblem, room: float) -> str:
    """Said where no whole step lies inside a quota's bounds, or the totals left none."""
    return "broken by less than one rounding step" if -room < problem.rounding_step else ""


def _workload(problem: AllocationProblem, decisions: Decisions, rule: Workload) -> Iterator[RuleRow]:
    load = workloads(problem, decisions)
    for r in np.flatnonzero(problem.concerned(rule) & (problem.hours > 0)):
        actual = float(load[r])
        yield _row(problem, "workload_maximum", int(r), rule.maximum, actual, "share of hours", "upper", 1e-6)
        if rule.minimum > 0:
            yield _row(problem, "workload_minimum", int(r), rule.minimum, actual, "share of hours", "lower", 1e-6)


def _limits(problem: AllocationProblem, decisions: Decisions) -> Iterator[RuleRow]:
    training, accounts = problem.training, problem.accounts
    hours = decisions.training.sum(axis=1)
    if training.budget > 0 or hours.sum() > 0:
        yield _row(problem, "training_budget", None, training.budget, float(hours.sum()), "hours", "upper", HOURS_OFF)
        if training.money is not None and training.price > 0:
            money, cost = training.money / 100, float(hours.sum()) * training.price / 100
            yield _row(problem, "training_money", None, money, cost, "currency", "upper", HOURS_OFF)
        if training.capacity is not None:
            yield from _trainers(problem, decisions, training.capacity)
        for r in np.flatnonzero(hours > 0):
            yield _row(problem, "training_cap", int(r), training.cap, float(hours[r]), "hours", "upper", HOURS_OFF)
    if accounts.ids:
        moves = float(len(moved(problem, decisions.owner)))
        yield _row(problem, "account_moves", None, float(accounts.max_moves), moves, "accounts", "upper", HOURS_OFF)
    if accounts.max_per_rep is not None:
        for rep in range(len(problem.reps)):
            held = float((decisions.owner == rep).sum())
            yield _row(
                problem, "accounts_per_rep", rep, float(accounts.max_per_rep), held, "accounts", "upper", HOURS_OFF
            )
    yield from _account_rules(problem, decisions)
    if accounts.care_budget is not None:
        spent = float(decisions.care.sum())
        yield _row(problem, "care_budget", None, accounts.care_budget, spent, "hours a year", "upper", 1e-6)
    for one in lead_shares.standing(problem, decisions):
        source = problem.leads.sources[one.source]
        kept = not len(one.beyond)
        said = "" if kept else share_locks(problem, one.source)
        binding = abs(one.room) <= lead_shares.NEAR
        yield RuleRow(one.rule, source, one.limit, one.actual, "share of leads", binding, kept, None, said)


def _account_rules(problem: AllocationProblem, decisions: Decisions) -> Iterator[RuleRow]:
    """Limits by tier and team, and how many accounts went to whom a rule bars."""
    offer, locks = problem.accounts, problem.locks
    for limit in offer.limits:
        touched, held = limit.touched(locks.owner), limit.held(decisions.owner)
        for s, (subject, beyond) in enumerate(zip(limit.subjects, limit.beyond(decisions.owner).tolist(), strict=True)):
            kept = beyond <= HOURS_OFF
            said = _owner_locks(problem) if touched[s] and not kept else ""
            binding = abs(beyond) <= HOURS_OFF
            figure = float(held[s])
            yield RuleRow(limit.rule, subject, float(limit.limit[s]), figure, "accounts", binding, kept, None, said)
    for rule in dict.fromkeys([*offer.barred, *locks.against]):
        pairs = offer.barred.get(rule)
        known = {a for a in locks.against.get(rule, ()) if decisions.owner[a] == locks.owner.get(a, decisions.owner[a])}
        taken = pairs.account[decisions.owner[pairs.account] == pairs.rep].tolist() if pairs is not None else []
        against = known.union(taken)
        said = _owner_locks(problem, against) if against and against <= locks.owner.keys() else ""
        kept = not against
        binding = kept and pairs is not None and _would_sell_more(problem, decisions, pairs)
        yield RuleRow(rule, "company", 0.0, float(len(against)), "accounts", binding, kept, None, said)


def _would_sell_more(problem: AllocationProblem, decisions: Decisions, pairs: Pairs) -> bool:
    """Whether some account would sell more with one of these reps than with its owner, at the same care."""
    owned = decisions.owner[pairs.account] >= 0
    account, rep = pairs.account[owned], pairs.rep[owned]
    offer, care = problem.accounts, decisions.care
    sales = offer.sales(care)
    there = offer.values(account, rep, care, sales)
    return bool((there > offer.values(account, decisions.owner[account], care, sales) + 0.5).any())


def _owner_locks(problem: AllocationProblem, accounts: Collection[int] | None = None) -> str:
    """Who locked owners, of some accounts or of all, in words."""
    locked = problem.locks.owner if accounts is None else sorted(accounts)
    paths = [f"owner.{problem.accounts.ids[a]}" for a in locked]
    authors = problem.locks.author
    return "; ".join(f"{path} {authors[path]}" for path in paths if path in authors)


def _trainers(problem: AllocationProblem, decisions: Decisions, capacity: float) -> Iterator[RuleRow]:
    """What trainers give in each period in which somebody is trained."""
    given = laid_training(problem.training, decisions.training).sum(axis=(0, 1))
    for p in np.flatnonzero(given > 0).tolist():
        room = capacity - float(given[p])
        kept = bool(room >= -HOURS_OFF)
        said = "" if kept else excuse(problem, None, "trainer_capacity")
        binding = bool(abs(room) <= HOURS_OFF)
        label = problem.training.periods[p]
        yield RuleRow("trainer_capacity", label, capacity, float(given[p]), "hours", binding, kept, None, said)


def _row(
    problem: AllocationProblem,
    rule: str,
    rep: int | None,
    limit: float,
    actual: float,
    unit: Unit,
    side: str,
    tolerance: float,
) -> RuleRow:
    room = limit - actual if side == "upper" else actual - limit
    kept = bool(room >= -tolerance)
    subject = "company" if rep is None else problem.reps[rep]
    exception = "" if kept else excuse(problem, rep, rule)
    return RuleRow(rule, subject, limit, actual, unit, bool(abs(room) <= tolerance), kept, None, exception)
