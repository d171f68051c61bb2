"""The measured parts of the allocator's benchmark; ``python -m benchmarks.allocate_parts JSON`` runs one of them."""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.allocate import ROUNDING_GAP, SEGMENTS
from benchmarks.allocation_instances import FULLEST, SEEDS, Shape, instance, least_workload
from benchmarks.hand_written import handed_over
from benchmarks.timing import cpu_seconds, interleaved, median_ratio
from optimize.audit import audit
from optimize.by_prices.assignment import Assignment
from optimize.by_prices.method import GAP, by_prices
from optimize.by_prices.priced import Priced
from optimize.by_prices.refit import ALLOWED, Refitting
from optimize.by_prices.request import request_of
from optimize.frontier import Traced, trace, traced_values
from optimize.frontier_plans import POINT_GAP
from optimize.model import Model, build
from optimize.optimum import optimise
from optimize.pairs import owners_of
from optimize.parts.accounts import OWNER
from optimize.parts.training import HOURS
from optimize.problem import AllocationProblem, Decisions, gains
from optimize.programme.emit_highs import HighsModel
from optimize.quotas import possible_quotas
from optimize.split import attained
from optimize.workload import workloads
from scenarios.goals import FairnessRule, MinimumAttainment, Workload, WorstOff

KIB_PER_GIB = 1024**2
FULL_ROOM = 0.97
"""Share of the room for accounts that the benchmark's least workload asks everybody to use."""
BINDING = ("min_expected_attainment", "worst_off", "workload_minimum")
AT_LIMIT = 0.005
"""How near to its limit somebody must be for a rule to bind: accounts are whole."""


def emit(shape: Shape, seeds: list[int], rounds: int) -> dict[str, Any]:
    """Building and handing over against the same by hand, in one process, by turns."""
    problem = instance(shape, seeds[0])
    rivals = {
        "ours": lambda: HighsModel(build(_anew(problem), segments=SEGMENTS).programme),
        "hand": lambda: handed_over(problem, SEGMENTS),
    }
    times = interleaved(rivals, rounds)
    return {"ratio": median_ratio(times["ours"], times["hand"])}


def _anew(problem: AllocationProblem) -> AllocationProblem:
    """A copy that has not computed anything yet."""
    return replace(problem, accounts=replace(problem.accounts))


def middle(shape: Shape, seeds: list[int], strict: bool) -> dict[str, Any]:
    """Plans by prices against HiGHS on the relaxation.

    Args:
        strict: whether plain rounding must be as bad as the benchmark says.
    """
    _warm_up()
    gaps, ratios, rounding, bounds = [], [], [], []
    for seed in seeds:
        problem = instance(shape, seed)
        found: list[Priced] = []
        ours = statistics.median(cpu_seconds(partial(_kept, found, _anew(problem))) for _ in range(3))
        solved = [_relaxed(problem, solver) for solver in ("simplex", "ipm")]
        gaps.append(found[-1].gap)
        bounds.append(found[-1].bound_type)
        ratios.append(ours / min(seconds for seconds, _, _ in solved))
        rounding.append(_rounding_gap(problem, solved[0][1], solved[0][2]))
        if strict and rounding[-1] < ROUNDING_GAP:
            raise ValueError(f"plain rounding comes within {rounding[-1]:.2%} on instance {seed}: too easy")
    return {"gaps": gaps, "ratios": ratios, "rounding": rounding, "bounds": sorted(set(bounds))}


def large(shape: Shape, seeds: list[int]) -> dict[str, Any]:
    """Plans of large instances, and the first against HiGHS' interior point."""
    _warm_up()
    found: list[Priced] = []
    problems = [instance(shape, seed) for seed in seeds]
    times = [cpu_seconds(partial(_kept, found, problem)) for problem in problems]
    seconds, _, _ = _relaxed(problems[0], "ipm", run_crossover="off")
    kinds = sorted({one.bound_type for one in found})
    return {"gaps": [one.gap for one in found], "bounds": kinds, "ratio": times[0] / seconds}


def memory(shape: Shape, seeds: list[int]) -> dict[str, Any]:
    """Peak memory of one plan, in a process that does nothing else."""
    _priced(instance(shape, seeds[0]))
    told = Path("/proc/self/status")
    peak = re.search(r"VmHWM:\s*(\d+) kB", told.read_text()) if told.exists() else None
    return {"gib": int(peak[1]) / KIB_PER_GIB if peak else None}


def fair(shape: Shape, seeds: list[int], strict: bool) -> dict[str, Any]:
    """Plans with least attainment, worst-off and least workload active: the plan without them breaks each.

    Args:
        strict: whether each must be broken without it and nearly reached with it.
    """
    _warm_up()
    gaps, words = [], []
    for seed in seeds:
        problem = instance(shape, seed)
        plain = _priced(problem).plan
        gain = gains(problem, plain.decisions)
        share = np.minimum(problem.samples + gain, plain.quotas).mean(axis=0) / plain.quotas
        least, worst = float(np.quantile(share, 0.03)), float(np.sort(share)[: len(share) // 5].mean())
        named = (
            MinimumAttainment(share=round(least, 3)),
            WorstOff(share=0.2, minimum=round(worst + 0.004, 3)),
            Workload(maximum=FULLEST, minimum=least_workload(FULL_ROOM)),
        )
        replaced = MinimumAttainment | Workload
        asked = problem.with_rules((*(rule for rule in problem.rules if not isinstance(rule, replaced)), *named))
        found = _priced(asked)
        if strict:
            _all_bind(asked, plain.decisions, plain.quotas, found)
        gaps.append(found.gap)
        words.append(f"{least:.1%} attained at least, {worst + 0.004:.1%} by the worst-off fifth")
    return {"gaps": gaps, "binding": f"{'; '.join(words)}; {FULL_ROOM:.0%} of room for accounts used by everybody"}


def _all_bind(asked: AllocationProblem, decisions: Decisions, quotas: np.ndarray, found: Priced) -> None:
    """Each rule is broken by the plan made without it, and somebody is at its limit in the plan made with it."""
    without = {row.rule for row in audit(asked, decisions, quotas) if not row.kept}
    rows = [row for row in audit(asked, found.plan.decisions, found.plan.quotas) if row.rule in BINDING]
    near = {rule: min(abs(row.actual / row.limit - 1) for row in rows if row.rule == rule) for rule in BINDING}
    idle = [rule for rule in BINDING if rule not in without or near[rule] > AT_LIMIT]
    if idle:
        raise ValueError(f"rules that do not bind: {', '.join(idle)}; nearest to their limits {near}")


def shapes(shapes: dict[str, dict[str, Any]], seeds: list[int]) -> dict[str, Any]:
    """Plans of instances of unusual shapes, each with a feasibility check and a proven gap.

    Args:
        shapes: fields of :class:`Shape` by name.
    """
    _warm_up()
    return {
        name: max(_priced(instance(Shape(**fields), seed)).gap for seed in seeds) for name, fields in shapes.items()
    }


def tiny(shape: Shape, seeds: list[int]) -> dict[str, Any]:
    """Plans of instances small enough to try every assignment: the best one lies between the plan and its bound."""
    gaps = []
    for seed in seeds:
        problem = instance(shape, seed)
        # Training takes hours, which a least workload would count: without one it has no use here.
        problem = problem.with_rules(tuple(_without_least(rule) for rule in problem.rules))
        found, best = _priced(problem), _best_of_all(problem)
        if not found.plan.value * (1 - 1e-7) <= best <= found.bound * (1 + 1e-7):
            raise ValueError(
                f"instance {seed}: {best:,.0f} is not within {found.plan.value:,.0f} and {found.bound:,.0f}"
            )
        gaps.append(best / found.plan.value - 1)
    return {"gaps": gaps}


def _without_least(rule: FairnessRule) -> FairnessRule:
    return Workload(maximum=rule.maximum) if isinstance(rule, Workload) else rule


def _best_of_all(problem: AllocationProblem) -> float:
    """The best value over every owner of every account or nobody, each with its best quotas, training left out."""
    offer, none = problem.accounts, np.zeros_like(problem.training.base)
    (workload,) = (rule for rule in problem.rules if isinstance(rule, Workload))
    best = -np.inf
    for owner in product(*([-1, *owners_of(offer.allowed, a).tolist()] for a in range(len(offer.ids)))):
        decisions = Decisions(np.array(owner, dtype=np.int64), none, offer.care_base)
        load = workloads(problem, decisions)
        if (load > workload.maximum + 1e-9).any():
            continue
        quotas = possible_quotas(problem, decisions)
        if quotas is not None:
            best = max(best, attained(problem.basis, gains(problem, decisions), quotas))
    return best


def frontier(shape: Shape, seeds: list[int]) -> dict[str, Any]:
    """Twelve points of the potential band from one plan, against the plan alone."""
    _warm_up()
    problem = instance(shape, seeds[0])
    parameter, values = traced_values("potential_band", [0.12 + 0.02 * i for i in range(12)], "quotas")
    plans: list[Priced] = []
    one = cpu_seconds(lambda: plans.append(_priced(_anew(problem))))
    decisions = plans[0].plan.decisions
    points = cpu_seconds(lambda: trace(problem, parameter, values, decisions))
    return {"ratio": (one + points) / one}


def frontier_of_plans(shape: Shape, seeds: list[int]) -> dict[str, Any]:
    """Twelve whole plans along the potential band, each from where the last ended, against one made alone.

    One costs what the strictest, the middle and the loosest cost on average.
    """
    _warm_up()
    problem = instance(shape, seeds[0])
    parameter, values = traced_values("potential_band", [0.12 + 0.02 * i for i in range(12)], "plans")
    alone = [problem.with_rules(parameter.set(problem.rules, values[place])) for place in (0, len(values) // 2, -1)]
    one = statistics.mean(cpu_seconds(partial(optimise, _anew(request), POINT_GAP)) for request in alone)
    traced: list[Traced] = []
    points = cpu_seconds(lambda: traced.extend(trace(_anew(problem), parameter, values, None)))
    gaps = [point.gap for point in traced if point.gap is not None]
    if len(gaps) < len(values):
        raise ValueError("a point without a plan or a proven gap")
    return {"ratio": points / one, "gap": max(gaps), "solved": sum(point.solved for point in traced)}


def _warm_up() -> None:
    """So that no part counts the compiler."""
    by_prices(instance(Shape(12, 60, samples=30), 1))


def _kept(found: list[Priced], problem: AllocationProblem) -> None:
    found.append(_priced(problem))


def _priced(problem: AllocationProblem) -> Priced:
    found = by_prices(problem, GAP)
    if found is None or found.plan.breach > ALLOWED:
        raise ValueError("no plan that keeps all rules")
    return found


def _relaxed(problem: AllocationProblem, solver: str, **options: Any) -> tuple[float, Model, np.ndarray]:
    """CPU seconds of HiGHS on the relaxation alone, its model and values."""
    model = build(_anew(problem), segments=SEGMENTS)
    free = replace(model.programme, integer=np.zeros_like(model.programme.integer))
    held = HighsModel(free, solver=solver, **options)
    seconds = cpu_seconds(held.run)
    values = held.values()
    if values is None:
        raise ValueError(f"HiGHS by {solver} found no solution")
    return seconds, model, values


def _rounding_gap(problem: AllocationProblem, model: Model, values: np.ndarray) -> float:
    """What is lost where each account goes to its largest part that still fits, and steps are rounded down."""
    request = request_of(problem)
    programme = model.programme
    part = values[programme.block(OWNER).index]
    place = {rep: r for r, rep in enumerate(problem.reps)}
    steps = np.zeros(request.reps, dtype=np.int64)
    for block in programme.columns:
        if block.name.startswith(HOURS):
            for label, value in zip(block.labels, values[block.index].tolist(), strict=True):
                steps[place[label[0]]] += int(value + 1e-7)  # type: ignore[index]
    assignment = Assignment(request, steps)
    held, left = np.full(len(request.arcs.free), -1, dtype=np.int64), assignment.left.copy()
    for j in np.argsort(-part, kind="stable"):
        account, rep = request.arcs.account[j], request.arcs.rep[j]
        if part[j] > 1e-6 and held[account] < 0 and request.arcs.hours[j] <= left[rep]:
            held[account] = j
            left[rep] -= request.arcs.hours[j]
    assignment.load(held)
    fit = Refitting(problem, request).fit(assignment)
    relaxed = float(programme.objective @ values) + programme.constant
    if fit is None:
        return float("inf")
    return relaxed * model.unit / fit.value - 1.0


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "emit": emit,
    "middle": middle,
    "large": large,
    "memory": memory,
    "fair": fair,
    "shapes": shapes,
    "tiny": tiny,
    "frontier": frontier,
    "frontier_of_plans": frontier_of_plans,
}


def main(asked: str) -> None:
    """Run one part and print what it found as JSON."""
    settings = json.loads(asked)
    part, seeds = settings.pop("part"), settings.pop("seeds", list(SEEDS.values()))
    if "shape" in settings:
        settings["shape"] = Shape(**settings["shape"])
    print(json.dumps(PARTS[part](seeds=seeds, **settings)))


if __name__ == "__main__":
    main(sys.argv[1])
