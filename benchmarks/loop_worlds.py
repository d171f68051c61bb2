"""The closed loop on the fixed worlds: one result a world, kept as a file, so that a killed run loses one at most.

``python -m benchmarks.loop_worlds`` runs what is missing under ``runs/loop_worlds``; ``python -m benchmarks loop`` sums
it up. A result counts only for the sources and sizes that made it.

In each world the loop makes a plan from its own years. A pilot on other years tells which simple rules can still be the
best and how many fresh years the width asked for needs; the plan is judged once on these, against every rule that is
left, with intervals that hold together. Rules that break a fairness rule do not compete. Two of the rules are
programmes solved in one pass, so gains come twice: over the formulas alone (``formulas``) and over all (``all``).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loop_results import POSSIBLE, Gain, Judged, Sizes, WorldResult, line
from experiments.bounds import bounds_of
from experiments.measures import Floats
from experiments.optimism import Optimism, Promise, optimism
from experiments.pairs import Kind, difference
from experiments.runs import Runs
from optimize.baselines.plans import SOLVED
from optimize.formulate import formulate
from optimize.loop.improve import improve
from optimize.loop.trace import LoopResult
from optimize.plans import breaks_a_rule
from scenarios.acceptance_worlds import WORLDS, AcceptanceWorld, acceptance_world
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.interval import Interval, student_quantile
from sim.statistics import paired_difference

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "runs" / "loop_worlds"
SOURCES = ("scenarios", "sim", "optimize", "experiments")
LOOP, ONCE, TODAY, MANY = "loop", "one-shot", "today", "loop on many years"
OBJECTIVES: dict[str, Kind] = {"sales": "amount", "capped": "share"}
FIRST_PILOT_YEAR = 500_000
CHUNK = 500
MARGIN = 1.4
"""More years than the pilot asks for: from 100 years its spread comes out 15 % too small two times in a hundred, and
years go with its square."""


def simulated(scenario: Scenario, plans: Mapping[str, Plan], first: int, years: int) -> Judged:
    """Plans on the same years, in chunks, so that memory does not grow with them."""
    sales: dict[str, list[Floats]] = {name: [] for name in plans}
    capped: dict[str, list[Floats]] = {name: [] for name in plans}
    for start in range(first, first + years, CHUNK):
        runs = Runs(min(CHUNK, first + years - start), scenario.seed, first=start)
        for name, plan in plans.items():
            cube, given = runs.outcome(scenario, plan)["rep"], plan.quotas()
            quotas = np.array([given.get(rep, 0) for rep in cube.keys])
            own = cube.total("revenue")
            sales[name].append(own.sum(axis=1).astype(np.float64))
            capped[name].append(np.minimum(own, quotas).sum(axis=1) / quotas.sum())
    return Judged(
        {name: np.concatenate(parts) for name, parts in sales.items()},
        {name: np.concatenate(parts) for name, parts in capped.items()},
    )


def judge_world(row: AcceptanceWorld, sizes: Sizes) -> WorldResult:
    """Run the loop in a world and judge its plan."""
    scenario = acceptance_world(row)
    began = time.process_time()
    loop = improve(scenario, replications=sizes.learn)
    cpu_loop, began = time.process_time() - began, time.process_time()
    request = formulate(scenario, loop.responses, single_pass=False)
    within = {name: plan for name, plan in loop.baselines.items() if not breaks_a_rule(request, plan)}
    own = {TODAY: today_plan(scenario), ONCE: loop.candidates[ONCE], LOOP: loop.plan}
    total = float(sum(loop.plan.quotas().values()))
    pilot = simulated(scenario, {**own, **within}, FIRST_PILOT_YEAR, sizes.pilot)
    rivals = _left(pilot, list(within))
    years = _years_needed(pilot, rivals, total, sizes)
    kept = {name: within[name] for name in rivals}
    found = simulated(scenario, {**own, **kept}, 0, years)
    gains = {
        "formulas": _gains(found, [name for name in rivals if name not in SOLVED], len(rivals), total),
        "all": _gains(found, rivals, len(rivals), total),
    }
    cpu_proof = time.process_time() - began
    known = [LOOP, ONCE, *rivals]
    oracle = _oracle(found, gains, known)
    if max(oracle["formulas"].values()) < POSSIBLE:
        more = simulated(scenario, {MANY: improve(scenario, replications=sizes.many).plan}, 0, years)
        found = Judged({**found.sales, **more.sales}, {**found.capped, **more.capped})
        oracle = _oracle(found, gains, [*known, MANY])
    outcome = Runs(sizes.bound, scenario.seed).outcome(scenario, loop.plan)
    fitted = None if loop.correction is None else loop.correction.applied
    bounds = bounds_of(scenario, loop.plan, outcome, carriers=loop.responses.reps, fitted=fitted)
    gaps = optimism(Promise("sales", loop.promises, TODAY), found.sales)
    values = _best_so_far(loop)
    whole = values[-1] - values[0]
    return WorldResult(
        name=row.name,
        years=years,
        rivals=rivals,
        gains=gains,
        keeps_rules=not breaks_a_rule(request, loop.plan),
        promised=_without_luck(gaps[LOOP]),
        promised_raw=gaps[LOOP].gap.estimate,
        promised_once=_without_luck(gaps[ONCE]),
        over_once=float(found.sales[LOOP].mean() / found.sales[ONCE].mean() - 1),
        over_today=float(found.sales[LOOP].mean() / found.sales[TODAY].mean() - 1),
        after_two=1.0 if whole <= 0 else (values[min(2, len(values) - 1)] - values[0]) / whole,
        falls=sum(_fell(loop)),
        repeats=_repeats(loop),
        rounds=loop.rounds,
        runs=loop.cost.runs,
        response_runs=loop.cost.response_runs,
        oracle=oracle,
        quota_bound=bounds.quotas.upper if bounds.quotas else None,
        programme_bound=bounds.programme.upper if bounds.programme else None,
        cpu_loop=cpu_loop,
        cpu_proof=cpu_proof,
    )


def sample_loss(row: AcceptanceWorld, sizes: Sizes, years: int) -> Interval:
    """What the default sample loses: sales of the loop's plan from many years above those of its own plan, a share.

    Args:
        years: fresh ones on which both are judged.
    """
    scenario = acceptance_world(row)
    plans = {str(size): improve(scenario, replications=size).plan for size in (sizes.learn, sizes.many)}
    found = simulated(scenario, plans, 0, years).sales
    few, many = found[str(sizes.learn)], found[str(sizes.many)]
    return paired_difference(many / few.mean(), few / few.mean())


def _left(pilot: Judged, names: list[str]) -> list[str]:
    """The rules that may be the best formula, or the best of all, in an objective: none is proven better."""
    left: set[str] = set()
    for objective, kind in OBJECTIVES.items():
        for pool in ([name for name in names if name not in SOLVED], names):
            best = pilot.best(objective, pool)
            years = pilot.of(objective)
            for name in pool:
                apart, _ = difference(years[name], years[best], kind, 0.95, max(len(pool) - 1, 1))
                if name == best or apart.high >= 0:
                    left.add(name)
    return [name for name in names if name in left]


def _years_needed(pilot: Judged, rivals: Sequence[str], total: float, sizes: Sizes) -> int:
    """So many that every gain comes out as narrow as asked; the spread comes from the pilot."""
    apart = [pilot.sales[LOOP] / total - pilot.sales[name] / total for name in rivals]
    apart += [pilot.capped[LOOP] - pilot.capped[name] for name in rivals]
    widest = max(float(one.std(ddof=1)) for one in apart)
    needed = (student_quantile(0.95, sizes.pilot - 1, len(OBJECTIVES) * len(rivals)) * widest / sizes.width) ** 2
    return int(min(max(math.ceil(MARGIN * needed), sizes.fewest), sizes.most))


def _gains(found: Judged, names: Sequence[str], rivals: int, total: float) -> dict[str, Gain]:
    """The gain over the best of these rivals in each objective; all rivals and objectives are one family."""
    gains = {}
    for objective, kind in OBJECTIVES.items():
        years = found.of(objective)
        unit = total if objective == "sales" else 1.0
        rows = {name: difference(years[LOOP], years[name], kind, 0.95, len(OBJECTIVES) * rivals)[0] for name in names}
        rival = found.best(objective, names)
        row, level = rows[rival], float(years[rival].mean()) if objective == "sales" else 1.0
        widest = max(one.half_width for one in rows.values()) / unit
        gains[objective] = Gain(rival, row.estimate / level, row.low / level, row.high / level, widest)
    return gains


def _oracle(
    found: Judged, gains: Mapping[str, Mapping[str, Gain]], known: Sequence[str]
) -> dict[str, dict[str, float]]:
    """What the best of the known plans gains over the best rival in each objective, with hindsight."""
    out: dict[str, dict[str, float]] = {}
    for rivals, rows in gains.items():
        out[rivals] = {}
        for objective, gain in rows.items():
            years = found.of(objective)
            level = float(years[gain.rival].mean())
            best = max(float(years[name].mean()) for name in known)
            out[rivals][objective] = (best - level) / (level if objective == "sales" else 1.0)
    return out


def _without_luck(gap: Optimism) -> float:
    return (gap.without_luck or gap.gap).estimate


def _best_so_far(loop: LoopResult) -> list[float]:
    """The simulated objective of the best plan: today's, then after each programme solved."""
    first = next(float(row.simulated) for row in loop.trace if row.simulated is not None)
    best, values = first, [first]
    for row in loop.trace:
        if row.accepted and row.simulated is not None:
            best = float(row.simulated)
        if row.number > 0:
            values.append(best)
    return values if len(values) > 1 else [first, best]


def _fell(loop: LoopResult) -> Iterator[bool]:
    """For each accepted round whether the objective fell although the plan before broke no rule."""
    before: tuple[float, bool] | None = None
    for row in loop.trace:
        if row.accepted and row.simulated is not None:
            if before is not None and row.number > 0:
                yield row.simulated < before[0] and not before[1]
            before = (row.simulated, bool(row.broken))


def _repeats(loop: LoopResult) -> int:
    accepted = [row.simulated for row in loop.trace if row.accepted and row.simulated is not None]
    return len(accepted) - len(set(accepted))


def sources(root: Path) -> str:
    """Hash of all that makes a result."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    for name in ("loop_worlds.py", "loop_results.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()


LOADED = sources(ROOT)
"""As they were when this process began: what it makes belongs to these, whatever is written to the files meanwhile."""


def key(sizes: Sizes) -> str:
    """What a result depends on beside its world: the sources and the sizes."""
    return hashlib.sha256((LOADED + json.dumps(asdict(sizes), sort_keys=True)).encode()).hexdigest()[:16]


def run_worlds(
    worlds: Sequence[AcceptanceWorld] = WORLDS,
    sizes: Sizes | None = None,
    folder: Path = FOLDER,
) -> Iterator[WorldResult]:
    """The results of these worlds; those that are not in the folder are made and kept there."""
    used = sizes or Sizes()
    for row in worlds:
        kept = _kept(folder / f"{row.number:02}.json", used, partial(judge_world, row, used))
        yield WorldResult.read(kept)


def run_samples(
    worlds: Sequence[AcceptanceWorld], sizes: Sizes | None = None, folder: Path = FOLDER
) -> Iterator[Interval]:
    """What the default sample loses in these worlds; kept in the same way."""
    used = sizes or Sizes()
    for row in worlds:
        path = folder / f"{row.number:02}.sample.json"
        kept = _kept(path, used, partial(sample_loss, row, used, used.fewest))
        yield Interval(**kept)


def _kept(path: Path, sizes: Sizes, make: Callable[[], Interval | WorldResult]) -> dict[str, Any]:
    """The result in a file, if the same sources and sizes made it; else it is made and kept there, whole or not."""
    made_by = key(sizes)
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if known.get("key") != made_by:
        known = {"key": made_by, "result": asdict(make())}
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(known, indent=1, ensure_ascii=False), encoding="utf-8")
        draft.replace(path)
    found: dict[str, Any] = known["result"]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the worlds that are missing and print a line for each."""
    about = "Run the closed loop on the fixed worlds that are missing; a killed run goes on where it was."
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loop_worlds", description=about)
    parser.add_argument("number", nargs="*", type=int, help="of worlds; default all")
    asked = parser.parse_args(arguments)
    for found in run_worlds([row for row in WORLDS if not asked.number or row.number in asked.number]):
        print(line(found), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
