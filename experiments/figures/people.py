"""Figures of the funnel and the people: stages, attainment, quota over potential, workload."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from experiments.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    RED,
    Drawing,
    canvas,
    label,
    marked_line,
    per_cent,
    rows_axis,
    style,
)
from experiments.measures import PlanMeasures, RepMeasures, attainment_by_rep
from experiments.money import Language
from scenarios.errors import InputRefused, Problem
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from sim.outcome import Outcome

Names = Mapping[str, str] | None
LOW_CHANCE, FAIR_CHANCE = 0.35, 0.5


def funnel(scenario: Scenario, outcome: Outcome, language: Language = "en") -> Drawing:
    """Leads that enter each stage in a year, and the share of the decided ones that go on."""
    cube = outcome["stage"]
    entered = cube.total("entered").mean(axis=0)
    advanced, lost, cold = (cube.total(metric).mean(axis=0) for metric in ("advanced", "lost", "cold"))
    decided = advanced + lost + cold
    stage_names = {stage.id: stage.name or stage.id for stage in scenario.stages}
    told = []
    title = label("funnel", language)
    with style("funnel"):
        figure, axes = canvas("funnel", len(cube.keys), title)
        axes.barh(range(len(cube.keys)), entered, color=BLUE, height=0.65)
        for position, count in enumerate(entered):
            share = f" → {100 * advanced[position] / decided[position]:.0f} %" if decided[position] > 0 else ""
            axes.annotate(f" {count:,.0f}{share}", (count, position), va="center")
            told.append(f"{stage_names[cube.keys[position]]} {count:,.0f}{share}")
        rows_axis(axes, [stage_names[key] for key in cube.keys])
        axes.margins(x=0.15)
        axes.set_xlabel(label("entered", language))
    return Drawing("funnel", f"{title}: {'; '.join(told)}", figure)


def attainment_figure(
    scenario: Scenario, plan: Plan, outcome: Outcome, language: Language = "en", *, names: Names = None
) -> Drawing:
    """Each rep's attainment over the simulated years: median, P25 to P75, P10 to P90, and the chance to make quota.

    Args:
        names: what pages call the reps; default their names.

    Raises:
        InputRefused: nobody has a quota above zero.
    """
    samples = attainment_by_rep(plan, outcome)
    if not samples:
        raise InputRefused(Problem("plan.targets", plan.name, "nobody has a quota, so there is no attainment"))
    shown = _names(scenario, names)
    title = label("attainment_by_rep", language)
    told = []
    with style("attainment"):
        figure, axes = canvas("attainment", len(samples), title)
        for position, (rep, values) in enumerate(samples.items()):
            ends = np.quantile(values, (0.1, 0.25, 0.5, 0.75, 0.9))
            chance = float((values >= 1).mean())
            colour = _chance_colour(chance)
            axes.plot(ends[[0, 4]], [position, position], color=colour, linewidth=1.5)
            axes.plot(ends[[1, 3]], [position, position], color=colour, linewidth=6, alpha=0.5, solid_capstyle="butt")
            axes.plot([ends[2]], [position], "o", color=colour, markersize=5)
            text = f"{label('chance', language)} {100 * chance:.0f} %"
            axes.annotate(text, (1.01, position), xycoords=("axes fraction", "data"), va="center", color=colour)
            told.append(f"{shown[rep]}: {text}")
        axes.axvline(1, color=RED, linewidth=1, linestyle="--")
        rows_axis(axes, [shown[rep] for rep in samples])
        per_cent(axes.xaxis)
        axes.set_xlabel(label("attainment", language))
    return Drawing("attainment", f"{title}: {'; '.join(told)}", figure)


def quota_potential(
    measures: PlanMeasures, language: Language = "en", *, tolerance: float | None = None, names: Names = None
) -> Drawing:
    """Each rep's quota / potential against the company's, with the range that the rules allow.

    Args:
        tolerance: of the quota-to-potential range, for example .25.

    Raises:
        InputRefused: no rep has both a quota and a potential.
    """
    rows = [rep for rep in measures.reps if rep.quota is not None and rep.potential]
    total = sum(rep.potential or 0 for rep in rows)
    company = sum(rep.quota or 0 for rep in rows) / total if total else 0.0
    if company <= 0:
        raise InputRefused(Problem("potentials", measures.name, "no rep has both a quota and a potential"))
    ratios = [(rep.quota_over_potential or 0.0) / company for rep in rows]
    shown = _rep_names(rows, names)
    title = label("quota_potential", language)
    with style("quota-potential"):
        figure, axes = canvas("quota-potential", len(rows), title)
        if tolerance is not None:
            axes.axvspan(1 - tolerance, 1 + tolerance, color=PALE, zorder=0)
        for position, ratio in enumerate(ratios):
            outside = tolerance is not None and abs(ratio - 1) > tolerance + 1e-9
            axes.plot([1, ratio], [position, position], color=GREY, linewidth=1)
            axes.plot([ratio], [position], "o", color=RED if outside else BLUE, markersize=7)
        axes.axvline(1, color=GREY, linewidth=1)
        rows_axis(axes, shown)
        per_cent(axes.xaxis)
        axes.set_xlabel(label("times_company", language))
    told = "; ".join(f"{name}: {100 * ratio:.0f} %" for name, ratio in zip(shown, ratios, strict=True))
    return Drawing("quota-potential", f"{title}: {told}", figure)


def workload(
    measures: PlanMeasures, language: Language = "en", *, limit: float | None = 0.95, names: Names = None
) -> Drawing:
    """Hours used over hours available of each rep, with the rule's limit.

    Raises:
        InputRefused: nobody has hours available.
    """
    rows = [rep for rep in measures.reps if rep.workload is not None]
    if not rows:
        raise InputRefused(Problem("workload", measures.name, "nobody has hours available"))
    loads = [rep.workload or 0.0 for rep in rows]
    shown = _rep_names(rows, names)
    title = label("workload", language)
    with style("workload"):
        figure, axes = canvas("workload", len(rows), title)
        colours = [RED if limit is not None and load > limit else BLUE for load in loads]
        axes.barh(range(len(rows)), loads, color=colours, height=0.65)
        for position, load in enumerate(loads):
            axes.annotate(f" {100 * load:.0f} %", (load, position), va="center")
        if limit is not None:
            marked_line(axes, limit, label("limit", language))
        rows_axis(axes, shown)
        axes.margins(x=0.12)
        per_cent(axes.xaxis)
        axes.set_xlabel(label("workload_axis", language))
    told = "; ".join(f"{name}: {100 * load:.0f} %" for name, load in zip(shown, loads, strict=True))
    return Drawing("workload", f"{title}: {told}", figure)


def _chance_colour(chance: float) -> str:
    return RED if chance < LOW_CHANCE else ORANGE if chance < FAIR_CHANCE else GREEN


def _names(scenario: Scenario, names: Names) -> dict[str, str]:
    given = names or {}
    return {rep.id: given.get(rep.id, rep.name or rep.id) for rep in scenario.reps}


def _rep_names(rows: list[RepMeasures], names: Names) -> list[str]:
    given = names or {}
    return [given.get(rep.rep, rep.name) for rep in rows]
