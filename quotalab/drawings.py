"""The figures that belong to one simulated plan, as far as the scenario has what they need."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.figures import Drawing, attainment_figure, funnel, quota_potential, workload
from experiments.measures import PlanMeasures
from experiments.money import Language
from experiments.runs import plan_of
from scenarios.goals import PotentialBand, Workload
from scenarios.scenario import Scenario
from sim.outcome import Outcome


def drawings(world: Scenario, outcome: Outcome, measures: PlanMeasures, language: Language) -> Iterator[Drawing]:
    """Funnel, attainment, quota against potential, workload; what has no quota, potential or hours is left out."""
    plan, rules = plan_of(world), world.allocation.rules
    yield funnel(world, outcome, language)
    if any(quota > 0 for quota in plan.quotas().values()):
        yield attainment_figure(world, plan, outcome, language)
    if any(rep.quota and rep.potential for rep in measures.reps):
        band = next((rule.tolerance for rule in rules if isinstance(rule, PotentialBand) and rule.enabled), None)
        yield quota_potential(measures, language, tolerance=band)
    if any(rep.workload is not None for rep in measures.reps):
        limit = next((rule.maximum for rule in rules if isinstance(rule, Workload) and rule.enabled), None)
        yield workload(measures, language, limit=limit)
