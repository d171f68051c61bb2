"""Whether there is something that rules on ratios can measure quotas against, and whether potentials add up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimize.problem import AllocationProblem, Floats, potentials
from scenarios.errors import Problem
from scenarios.goals import FairnessRule, GiniBound, GroupParity, GrowthLimits, PotentialBand, Spread
from scenarios.scenario import Scenario

_ZERO = "which is zero here: only a zero quota would satisfy it"


def unmeasured(problem: AllocationProblem) -> Iterator[Problem]:
    """Rules that measure quotas against a potential, or last sales, of nothing under today's owners."""
    today = potentials(problem, problem.accounts.today)
    for rule in (*problem.rules, *problem.set_aside):
        match rule:
            case PotentialBand() | Spread() | GiniBound():
                yield from _of_reps(problem, rule, today, "potential", "reps.{}.potential")
            case GrowthLimits():
                last = np.nan_to_num(problem.last_sales, nan=1.0)
                yield from _of_reps(problem, rule, last, "last sales", "reps.{}.last_sales")
            case GroupParity():
                yield from _of_groups(problem, rule, today)
            case _:
                continue


def _of_reps(
    problem: AllocationProblem, rule: FairnessRule, measure: Floats, word: str, path: str
) -> Iterator[Problem]:
    for r in np.flatnonzero(problem.concerned(rule) & (measure <= 0)):
        rep = problem.reps[r]
        text = f"{rule.rule} measures quotas against {word}, {_ZERO}"
        yield Problem(path.format(rep), "0", text, f"correct it, or exempt {rep} from {rule.rule}")


def _of_groups(problem: AllocationProblem, rule: GroupParity, measure: Floats) -> Iterator[Problem]:
    for group, members in problem.members_by(rule.by, problem.concerned(rule)).items():
        if measure[members].sum() <= 0:
            named = f"{rule.by} {group}" if group else f"people without a {rule.by}"
            people = ", ".join(problem.reps[r] for r in members)
            text = f"{rule.rule} measures the quotas of {named} against potential, {_ZERO}"
            remedy = f"give {people} potentials, or exempt them from {rule.rule}"
            yield Problem(f"potential of {named}", "0", text, remedy)


def beyond_potential(scenario: Scenario, problem: AllocationProblem) -> Iterator[Problem]:
    """Reps whose given potential is less than those of the accounts in it: without them it would be negative."""
    given = {rep.id: rep.potential for rep in scenario.reps}
    for r in np.flatnonzero(problem.potential <= -0.5):
        rep = problem.reps[r]
        whole = float(given[rep] or 0)
        accounts = whole - float(problem.potential[r]) / float(problem.ramp[r])
        text = (
            f"is less than the {accounts / 100:,.2f} that the accounts in it come to, own ones and such as are taken "
            "over when others leave: a territory's potential holds those of its accounts"
        )
        remedy = f"raise it to at least {accounts / 100:,.2f}, or lower the potentials of these accounts"
        yield Problem(f"reps.{rep}.potential", f"{whole / 100:,.2f}", text, remedy)
