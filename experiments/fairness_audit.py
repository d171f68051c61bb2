"""Whether a plan is fair, whoever made it: what it asks and brings against territory, group and chance.

Two measures are looked at. *Quota over potential*, relative to the company's, says whether the quota fits the
territory; *attainment* (expected sales over quota) says whether the person is likely to make it. In a fair plan neither
knows how large the territory is nor which team it belongs to (:mod:`experiments.fairness_checks`). The plan is also set
beside random plans that keep the same rules (:mod:`optimize.feasible_quotas`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from experiments.fairness_checks import (
    FEWEST_FOR_GROUPS,
    GROUPS,
    LEVEL,
    Check,
    checks_of,
    flagged,
    measures_of,
    rank_correlation,
)
from experiments.fairness_people import PersonRow, Quarter, person_rows, quarters
from history.chance import holm
from optimize.audit import RuleRow, audit
from optimize.fairness_measures import gini
from optimize.feasible_quotas import feasible_quotas
from optimize.formulate import formulate
from optimize.plans import decisions_of, quotas_of, with_owners_judged
from optimize.problem import AllocationProblem, Bools, Decisions, Floats, potentials
from optimize.response.estimate import Responses
from optimize.rules import bounds, box
from scenarios.base import Minor
from scenarios.errors import InputRefused, Problem
from scenarios.goals import Target
from scenarios.locks import lock_rows, with_locks
from scenarios.plan import Plan
from scenarios.scenario import Scenario

FEASIBLE = 400


@dataclass(frozen=True)
class GroupRow:
    """A group: quota over potential and attainment, sums over sums, the former relative to the company's."""

    by: str = field(metadata={"key": True})
    group: str
    people: int
    quota: int
    quota_over_potential: float | None
    attainment: float
    chance: float


@dataclass(frozen=True)
class Among:
    """A figure of the plan among those of random plans that keep the same rules and the same sum.

    Attributes:
        low, middle, high: 2.5 %, 50 % and 97.5 % of the feasible plans.
        worse: share of feasible plans that are at least as unfair, the plan itself counted among them.
        outlier: fewer feasible plans are as unfair than chance would have it, all figures taken together.
    """

    figure: str = field(metadata={"key": True})
    value: float
    low: float
    middle: float
    high: float
    worse: float
    outlier: bool = False


@dataclass(frozen=True)
class FairnessAudit:
    """What is fair and unfair about a plan; money in minor units.

    Attributes:
        people: a row for everybody with a quota and a potential.
        gini_quota, gini_attainment: Gini index of quota over potential, and of attainment.
        envious: share of people who would have a better chance in another's place by at least five points.
        rules: the scenario's fairness rules on this plan.
        notes: what was left out, and why; of a plan from elsewhere its own notes first.
    """

    plan: str
    level: float
    people: tuple[PersonRow, ...]
    checks: tuple[Check, ...]
    groups: tuple[GroupRow, ...]
    quarters: tuple[Quarter, ...]
    feasible: tuple[Among, ...]
    rules: tuple[RuleRow, ...]
    gini_quota: float
    gini_attainment: float
    envious: float
    notes: tuple[str, ...]

    @property
    def flagged(self) -> bool:
        """Whether anything about the plan is unfair beyond chance."""
        return any(check.flagged for check in self.checks) or any(row.outlier for row in self.feasible)

    def check(self, measure: str, against: str) -> Check:
        """One check by its names."""
        return next(row for row in self.checks if (row.measure, row.against) == (measure, against))


def audit_plan(scenario: Scenario, plan: Plan, responses: Responses, *, seed: int | None = None) -> FairnessAudit:
    """The fairness audit of a plan.

    Args:
        responses: estimated on simulated horizons of this very plan, so that attainment needs no model.
        seed: of permutations and random plans; default the scenario's. The audit's draws are its own: no simulated
            year depends on them.

    Raises:
        InputRefused: fewer than two people have a quota and a potential, or a rule has nothing to be measured against.
    """
    problem = _request(scenario, plan, responses)
    decisions, quotas = decisions_of(problem, plan), quotas_of(problem, plan)
    potential = potentials(problem, decisions.owner, decisions.shares)
    keep = (quotas > 0) & (potential > 0)
    if keep.sum() < 2:
        rule = "a fairness audit needs at least two people with a quota and a potential"
        raise InputRefused(Problem(f"plan {plan.name}", str(int(keep.sum())), rule, "give quotas and potentials"))
    random = np.random.Generator(np.random.Philox(key=scenario.seed if seed is None else seed))
    people = person_rows(problem, quotas, potential, keep)
    measures = measures_of(problem, quotas, potential, keep)
    checks = flagged(checks_of(problem, measures, quotas, potential, keep, random))
    feasible, notes = _among(problem, decisions, quotas, potential, keep, random)
    left_out = [rep for rep, kept in zip(problem.reps, keep, strict=True) if not kept]
    if left_out:
        notes = (f"left out, without a quota or a potential: {', '.join(left_out)}", *notes)
    if keep.sum() < FEWEST_FOR_GROUPS:
        notes = (*notes, f"groups are shown, but tested from {FEWEST_FOR_GROUPS} people on only")
    if plan.origin == "given":
        notes = (*plan.notes, *notes)
    return FairnessAudit(
        plan=plan.name,
        level=LEVEL,
        people=people,
        checks=checks,
        groups=_groups(problem, quotas, potential, keep),
        quarters=quarters(people),
        feasible=feasible,
        rules=tuple(audit(with_owners_judged(scenario, problem, decisions), decisions, quotas)),
        gini_quota=gini(measures["quota_over_potential"]),
        gini_attainment=gini(measures["attainment"]),
        envious=float(np.mean([row.rather_be != "" for row in people])),
        notes=notes,
    )


def _request(scenario: Scenario, plan: Plan, responses: Responses) -> AllocationProblem:
    """The scenario's request with the plan's locks beside its own, without what only concerns how a plan is made."""
    own = {row.path for row in lock_rows(scenario)}
    scenario = with_locks(scenario, [row for row in plan.locks if row.path not in own], f"plan {plan.name}")
    plain = {"mode": "joint", "quota_basis": "full"}
    changes: dict[str, object] = {"allocation": scenario.allocation.model_copy(update=plain)}
    if scenario.goals.company("revenue") is None:
        asked = Target(metric="revenue", target=Minor(sum(plan.quotas().values())).major)
        changes["goals"] = scenario.goals.model_copy(update={"targets": (asked, *scenario.goals.targets)})
    return formulate(scenario.model_copy(update=changes), responses, single_pass=False)


def _groups(problem: AllocationProblem, quotas: Floats, potential: Floats, keep: Bools) -> tuple[GroupRow, ...]:
    company = quotas[keep].sum() / potential[keep].sum()
    expected, chance = problem.samples.mean(axis=0), (problem.samples >= quotas - 0.5).mean(axis=0)
    return tuple(
        GroupRow(
            by,
            group,
            len(members),
            round(float(quotas[members].sum())),
            float(quotas[members].sum() / potential[members].sum() / company),
            float(expected[members].sum() / quotas[members].sum()),
            float(chance[members].mean()),
        )
        for by in GROUPS
        for group, members in problem.members_by(by, keep).items()
    )


def _figures(problem: AllocationProblem, quotas: Floats, potential: Floats, keep: Bools) -> dict[str, float]:
    """What makes plans comparable; more is less fair."""
    some = np.maximum(quotas[keep], 1.0)
    ratio = some / potential[keep]
    reached = problem.samples.mean(axis=0)[keep] / some
    capped = np.minimum(problem.samples[:, keep], some).mean(axis=0) / some
    return {
        "gini_of_quota_over_potential": gini(ratio),
        "attainment_against_territory": abs(rank_correlation(reached, potential[keep])),
        "shortfall_of_the_worst_off": 1.0 - float(capped.min()),
        "range_of_chances": float(np.ptp((problem.samples[:, keep] >= some - 0.5).mean(axis=0))),
    }


def _among(
    problem: AllocationProblem,
    decisions: Decisions,
    quotas: Floats,
    potential: Floats,
    keep: Bools,
    random: np.random.Generator,
) -> tuple[tuple[Among, ...], tuple[str, ...]]:
    total = float(quotas.sum())
    teams = {
        team: asked
        for team, asked in problem.team_totals.items()
        if abs(float(quotas[problem.members(team)].sum()) - asked) < 0.5
    }
    same = replace(problem, total=total, team_totals=teams)
    plans = feasible_quotas(same, decisions, FEASIBLE, random)
    if plans is None:
        return (), ("not compared with other feasible plans: the rules leave none with this sum of quotas",)
    mine = _figures(problem, quotas, potential, keep)
    theirs = [_figures(problem, plan, potential, keep) for plan in plans]
    rows = []
    for name, value in mine.items():
        others = np.array([figures[name] for figures in theirs])
        low, middle, high = np.quantile(others, [0.025, 0.5, 0.975]).tolist()
        worse = (1 + int((others >= value - 1e-12).sum())) / (1 + len(others))
        rows.append(Among(name, value, low, middle, high, worse))
    adjusted = holm([row.worse for row in rows])
    low, high = box(same, bounds(same, decisions))
    crossed = [rep for rep, over in zip(problem.reps, low > high + 0.5, strict=True) if over]
    text = "feasible plans take quotas between rules that contradict each other under this plan's owners"
    notes = (f"{text}: {', '.join(crossed)}",) if crossed else ()
    return tuple(replace(row, outlier=p <= LEVEL) for row, p in zip(rows, adjusted, strict=True)), notes
