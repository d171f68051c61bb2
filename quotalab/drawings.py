"""The figures that belong to one simulated plan, as far as the scenario has what they need."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.figures.draw import Drawing, attainment_figure, funnel, quota_potential, workload
from experiments.measures import PlanMeasures
from experiments.money import Language
from experiments.runs import plan_of
from scenarios.goals import PotentialBand, Workload
from scenarios.scenario import Scenario
from sim.outcome import Outcome


def drawings(world: Scenario, outcome: Outcome, measures: PlanMeasures, language: Language) -> Iterator[Drawing]:
    """Funnel, attainment, quota against potential, workload; what has no quota, potential or hours is left out."""
    plan, rules = plan_of(world), world.allocation
    yield funnel(world, outcome, language)
    if any(quota > 0 for quota in plan.quotas().values()):
        yield attainment_figure(world, plan, outcome, language)
    if any(rep.quota and rep.potential for rep in measures.reps):
        band = rules.enabled(PotentialBand)
        yield quota_potential(measures, language, tolerance=None if band is None else band.tolerance)
    if any(rep.workload is not None for rep in measures.reps):
        limit = rules.enabled(Workload)
        yield workload(measures, language, limit=None if limit is None else limit.maximum)
