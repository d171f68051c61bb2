"""How much of a quota is the territory and how much the person: the quota under each basis, all else alike.

Owners, training, care, rules, locks and totals are those of the plan. This is the one definition of the person's part;
the bar of a waterfall called skill is a step of a split in proportion, before rules, steadiness and decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from optimize.formulate import basis_samples
from optimize.problem import AllocationProblem, Decisions, Floats
from optimize.quotas import possible_quotas
from optimize.response.estimate import Responses

BASES = ("opportunity", "blend", "full")


@dataclass(frozen=True)
class BasisRow:
    """One rep's quota under each basis, everything else alike; minor units before rounding.

    Attributes:
        opportunity: quotas follow the territory alone.
        blend: half the territory, half the person.
        full: quotas follow the simulated person.
        quota: of the plan.
    """

    rep: str
    opportunity: float
    blend: float
    full: float
    quota: int

    @property
    def skill(self) -> float:
        """What person and workload add under the full basis, in a split of the same total; below zero it lowers."""
        return self.full - self.opportunity


def quota_bases(
    problem: AllocationProblem, responses: Responses, decisions: Decisions, quotas: Floats
) -> list[BasisRow]:
    """Each rep's quota under each basis; none where a basis leaves no quotas.

    Args:
        quotas: of the plan, minor units, [R].
    """
    found = {}
    for basis in BASES:
        made = possible_quotas(replace(problem, basis=basis_samples(problem.samples, responses, basis)), decisions)
        if made is None:
            return []
        found[basis] = made
    return [
        BasisRow(
            rep,
            float(found["opportunity"][r]),
            float(found["blend"][r]),
            float(found["full"][r]),
            round(float(quotas[r])),
        )
        for r, rep in enumerate(problem.reps)
    ]
