"""How many times as many years a comparison would need without common random numbers.

Three comparisons, each of one thing that a plan can change: quotas (by simulated mean against in proportion to
potential; capped attainment), training (shared evenly against none; sales) and owners (moved one best move at a time
against today's; sales). The ratio is (var a + var b) / var(a - b) over the same years; 1 is no use at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from experiments.compare import PROVEN_MEASURES, compare_outcomes
from experiments.runs import Runs
from optimize.baselines.plans import baselines
from optimize.response.estimate import estimate
from scenarios.acceptance_worlds import AcceptanceWorld, acceptance_world
from scenarios.today import today_plan

COMPARED = {
    "quota": ("mean_clipped", "potential", "capped"),
    "training": ("uniform_training", "mean_clipped", "sales"),
    "accounts": ("greedy_owners", "mean_clipped", "sales"),
}
"""What is compared: plan, reference, measure."""

LEARNING_YEARS = 200
FIRST_LEARNING_YEAR = 1_000_000


def variance_ratios(row: AcceptanceWorld, years: int) -> dict[str, float]:
    """The ratio of each comparison in one world; a comparison whose plans are one simulation is left out."""
    scenario = acceptance_world(row)
    world = scenario.with_plan(today_plan(scenario))
    learned = Runs(min(LEARNING_YEARS, years), scenario.seed, first=FIRST_LEARNING_YEAR).outcome(world)
    plans = baselines(scenario, estimate(world, learned), {name for *pair, _ in COMPARED.values() for name in pair})
    runs = Runs(years, scenario.seed)
    cases = {name: scenario.with_plan(plan) for name, plan in plans.items()}
    found = compare_outcomes(
        cases,
        {name: runs.outcome(case) for name, case in cases.items()},
        pairs=[(case, against) for case, against, _ in COMPARED.values()],
        measures=PROVEN_MEASURES,
    )
    ratios = {}
    for name, (case, against, measure) in COMPARED.items():
        ratio = found.difference(case, measure, against).variance_ratio
        if ratio is not None:
            ratios[name] = ratio
    return ratios


def middle(rows: Sequence[AcceptanceWorld], years: int) -> dict[str, tuple[float, float, float, int]]:
    """Median, smallest, largest and count over worlds, by comparison."""
    found = [variance_ratios(row, years) for row in rows]
    out = {}
    for name in COMPARED:
        ratios = [ratio[name] for ratio in found if name in ratio]
        out[name] = (median(ratios), min(ratios), max(ratios), len(ratios))
    return out
