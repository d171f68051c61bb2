"""What the public API does in more than one step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from experiments.design import read_sweep
from experiments.frontier import Frontier
from experiments.frontier import frontier as traced
from experiments.money import Language
from experiments.regret import StressTest, stress_test
from experiments.report.render import check_page, write
from experiments.runs import Progress, Runs, plan_of
from experiments.sweep import SweepResult, run_sweep
from experiments.words import check_language
from history.calibration.calibrate import GROWTH
from history.calibration.calibrate import calibrate as calibrated
from history.calibration.evidence import Horizon
from history.crm import History, read_history
from history.mapping import Mapping
from optimize.allocate import AllocationResult
from optimize.allocate import allocate as solved
from optimize.baselines.plans import COMPARED, known_rules
from optimize.baselines.plans import baselines as ruled
from optimize.explanation import Explanation, check_share, explain_plan
from optimize.frontier import traced_values
from optimize.levers import SHARE
from optimize.optimum import Method, check_method
from optimize.programme.solvers import HIGHS, known_solver
from optimize.response.estimate import estimate
from quotalab.diagnosis import Diagnosed, of_export, of_plan
from quotalab.learning import DEFAULT_YEARS, learning_years
from quotalab.worlds import open_world, require_scenario
from scenarios.plan import Plan
from scenarios.scenario import Scenario, require_world
from scenarios.today import today_plan
from sim.outcome import Outcome
from sim.run import simulate


def allocate(
    scenario: Scenario,
    *,
    replications: int = DEFAULT_YEARS,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    outcome: Outcome | None = None,
    gap: float | None = None,
    method: Method = "auto",
    solver: str = HIGHS,
) -> AllocationResult:
    """Who should carry which target, be trained in what and own which account.

    Simulates the scenario under its present plan, reads from it what each rep can sell, and solves one mixed-integer
    programme under the scenario's rules. Its figures are the model's: what the plan brings is for
    :func:`experiments.compare.compare` to say, on simulated years that the plan was not made from.

    Args:
        replications: simulated years behind the responses, at least 2.
        seed: default the scenario's.
        outcome: simulated years of the present plan at hand; then nothing is simulated.
        gap: proven relative gap at which to stop; default 1e-4 by branch and bound, 1e-3 by prices.
        method: "exact" (branch and bound), "prices" (for large companies), or "auto", which chooses by size.
        solver: "highs" takes the programme's arrays; "cbc", or PuLP's name of any solver that is installed, takes it
            through PuLP. For branch and bound.

    Raises:
        Unsupported: asked for prices, which cannot decide all that the scenario asks, or take no solver of choice;
            says what.
        InputRefused: the scenario lacks what an allocation needs, or asks for what is not done in one pass; no such
            method, gap or solver.
        InfeasiblePlan: the rules cannot hold together; says which, and the least loosening that helps.
    """
    require_world(scenario)
    check_method(method, gap)
    used = known_solver(solver)
    years = learning_years(scenario, outcome, replications=replications, seed=seed, workers=workers, progress=progress)
    return solved(scenario, estimate(scenario, years), gap=gap, method=method, solver=used)


def baselines(
    scenario: Scenario, outcome: Outcome | None = None, *, names: Iterable[str] = COMPARED, **years: Any
) -> dict[str, Plan]:
    """Plans by simple rules, by name: what any plan has to beat. Their notes say which rules each breaks.

    Args:
        outcome: simulated years of the present plan at hand; then nothing is simulated.
        names: of :data:`optimize.baselines.plans.SIMPLE_RULES`; default those that plans are compared with.
        years: ``replications``, ``seed``, ``workers``, ``progress`` as for :func:`allocate`.

    Raises:
        InputRefused: the scenario lacks what an allocation needs, or no such simple rule.
    """
    require_world(scenario)
    wanted = known_rules(names)
    return ruled(scenario, estimate(scenario, learning_years(scenario, outcome, **years)), wanted)


def explain(
    scenario: Scenario,
    plan: Plan,
    outcome: Outcome | None = None,
    *,
    reps: Sequence[str] | None = None,
    share: float = SHARE,
    **years: Any,
) -> Explanation:
    """Why the quotas of a plan are what they are, which rules bind, and what would change them.

    Args:
        outcome: simulated years of the present plan at hand, best those that the plan was made from.
        reps: whose quotas are asked what would change them; default all, which takes a while in large companies.
        share: by how much quotas are to change.
        years: ``replications``, ``seed``, ``workers``, ``progress`` as for :func:`allocate`.

    Raises:
        InputRefused: the scenario lacks what an allocation needs, or a rep who carries no quota.
    """
    require_world(scenario)
    check_share(share)
    years_of = learning_years(scenario, outcome, **years)
    return explain_plan(scenario, estimate(scenario, years_of), plan, reps=reps, share=share)


def frontier(
    scenario: Scenario,
    rule: str = "potential_band",
    *,
    values: Iterable[float] | None = None,
    method: str = "quotas",
    alone: bool = False,
    plan: Plan | None = None,
    replications: int = DEFAULT_YEARS,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Frontier:
    """What each value of a fairness rule's number costs, judged on simulated years that the plans were not made from.

    Args:
        rule: name of the number, see :data:`optimize.parameters.PARAMETERS`.
        values: of the number; default twelve from strict to loose.
        method: ``quotas`` holds owners, training and care of one plan and splits only quotas anew; ``plans`` solves
            the whole programme at each value.
        alone: leave out all other rules on quotas.
        plan: whose owners, training and care are held; default the plan that the scenario's rules give.
        replications: simulated years to learn from, and again as many of each plan to judge by.

    Raises:
        InputRefused: no such rule, value or method, or the scenario lacks what an allocation needs.
        InfeasiblePlan: the scenario's own rules cannot hold together, and no plan is given.
    """
    require_world(scenario)
    traced_values(rule, values := None if values is None else list(values), method)
    used = scenario.seed if seed is None else seed
    years = learning_years(scenario, replications=replications, seed=seed, workers=workers, progress=progress)
    responses = estimate(scenario, years)
    held = plan or (solved(scenario, responses).plan if method == "quotas" else plan_of(scenario))
    runs = Runs(replications, used, workers=workers, progress=progress)
    return traced(scenario, responses, runs, rule, plan=held, values=values, method=method, alone=alone)


def sweep(
    source: str | Path | dict[str, Any],
    folder: str | Path | None = None,
    *,
    base: Scenario | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> SweepResult:
    """Simulate a batch of scenarios given by factors or points.

    Args:
        source: a sweep file, or its content as a mapping.
        folder: where finished points and the result are kept; a stopped sweep goes on from there.
        base: the scenario to vary; default the one that the sweep names.

    Raises:
        InputRefused: all problems of the design together.
        RunInterrupted: stopped; says what was kept.
    """
    return run_sweep(read_sweep(source, base), folder, workers=workers, progress=progress)


def stress(
    scenario: Scenario, plans: dict[str, Plan] | None = None, *, stresses: list[str] | None = None, **sizes: Any
) -> StressTest:
    """Plans in worlds in which something goes wrong, and the plan that one would regret least.

    Args:
        plans: by name; default today's plan and the scenario's own, if it has one.
        stresses: names, see :func:`experiments.stress.stresses`; default all.
        sizes: ``draws``, ``replications``, ``seed``, ``workers``, ``progress`` as for
            :func:`experiments.regret.stress_test`.

    Raises:
        InputRefused: a plan that does not fit the scenario, an unknown stress, or a bad size.
    """
    require_world(scenario)
    tested = plans
    if tested is None:
        tested = {"today": today_plan(scenario)} | ({} if scenario.plan is None else {"plan": scenario.plan})
    return stress_test(scenario, tested, stresses=stresses, **sizes)


def report(
    scenario: Scenario, path: str | Path, *, language: str | None = None, people: str = "named", **job: Any
) -> Path:
    """Make a plan, judge it against today's and the simple rules, and write the report as one HTML file.

    Args:
        language: ``en`` or ``zh``; default the scenario's.
        people: ``named``, ``pseudonym`` or ``aggregate``.
        job: as for :func:`quotalab.job.study`, which gives the figures themselves.

    Raises:
        InputRefused: the scenario lacks what an allocation needs, no such language or edition, or no page can be
            written there.
        InfeasiblePlan: its rules cannot hold together.
    """
    from quotalab.job import check_edition, study

    page = Path(path)
    require_world(scenario)
    check_page(page)
    check_edition(people)
    check_language(language or scenario.language)
    return write(study(scenario, **job).report(language, people), page)


def diagnose(
    source: str | Path | History | Scenario,
    mapping: str | Path | Mapping | None = None,
    *,
    data_date: str | None = None,
    replications: int = DEFAULT_YEARS,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Diagnosed:
    """What a CRM export or a scenario under its plan shows: findings with their strength, and tables.

    Args:
        source: an export (a file, a folder with one table a file, or a history that was read already), or a scenario
            (a shipped name, a folder, a YAML file, or a scenario that was loaded already).
        mapping: how to read an export: a shipped mapping's name, a mapping file, or a mapping. Without it a path or
            name means a scenario.
        data_date: of an export: what happened later is not looked at.
        replications, seed, workers, progress: of a scenario's simulated years, see :func:`sim.run.simulate`.

    Raises:
        InputRefused: all problems of the mapping or the export together; or no such scenario.
    """
    if isinstance(source, History):
        return of_export(source)
    if mapping is not None and not isinstance(source, Scenario):
        return of_export(read_history(source, mapping, data_date))
    if isinstance(source, Scenario):
        world = source
    else:
        require_scenario(source)
        world = open_world(source)
    years = simulate(world, replications=replications, seed=seed, workers=workers, progress=progress)
    return of_plan(world, years)


def calibrate(
    export: str | Path | History,
    mapping: str | Path | Mapping = "opportunities",
    *,
    name: str = "calibrated",
    horizon: Horizon | None = None,
    language: Language = "en",
    growth: float = GROWTH,
    seed: int = 0,
    data_date: str | None = None,
) -> Scenario:
    """A scenario that goes on where a CRM export ends, with the origin of every parameter written beside it.

    Args:
        export: a file, a folder with one table a file, or a history that was read already.
        mapping: a shipped mapping's name, a mapping file, or a mapping.
        name: of the scenario.
        horizon: ``month``, ``quarter``, ``half`` or ``year``; empty lets the length of the data decide.
        language: ``en`` or ``zh``: of names that the export does not give, and of the scenario's pages.
        growth: the assumed target is the last period's sales, scaled to the horizon, times 1 + this; above -1.
        seed: of the scenario.
        data_date: what happened later is not looked at.

    Raises:
        InputRefused: all problems of the mapping or the export together, or too little to calibrate from.
    """
    history = export if isinstance(export, History) else read_history(export, mapping, data_date)
    return calibrated(history, horizon=horizon, name=name, language=check_language(language), growth=growth, seed=seed)
