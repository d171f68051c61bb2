"""The main job: from a scenario to a plan and the evidence for and against it, as one report.

Plans are made from one set of simulated years and judged on another; all plans and what-ifs are judged on the same
years (common random numbers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import get_args

from experiments.report.assemble import assemble
from experiments.report.evidence import PLAN, TODAY, Evidence, gather
from experiments.report.input import People, ReportInput
from experiments.report.loop import LoopEvidence
from experiments.report.render import render
from experiments.runs import Progress, Runs, plan_of
from experiments.uncertainty import FEWEST_DRAWS, YEARS_A_DRAW
from experiments.whatif import what_if
from history.diagnosis.scenario import diagnose_scenario
from optimize.allocate import AllocationResult, allocate
from optimize.baselines.plans import baselines
from optimize.loop.improve import improve
from optimize.loop.run import OnRound
from optimize.loop.trace import LoopResult
from optimize.response.estimate import Responses, estimate
from quotalab.improving import ROBUST_DRAWS, erring, proved, stressed
from quotalab.learning import learning_years
from quotalab.runs import versions
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.plan import Plan
from scenarios.scenario import Scenario, require_world
from scenarios.today import today_plan

__all__ = ["PLAN", "TODAY", "Show", "Sizes", "Study", "silent", "study"]

_REMEDIES = {"draws": "0 leaves parameter uncertainty out"}
Show = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class Sizes:
    """How much is simulated.

    Attributes:
        learn: years from which the plan is made.
        judge: years on which each plan and what-if is judged.
        draws: of the uncertain parameters, at least 10; 0 leaves parameter uncertainty out.
        each: years a draw, at least 2.
        stress: years of each plan in each stressed world, with the closed loop; 0 leaves the stress test out.
    """

    learn: int = 200
    judge: int = 200
    draws: int = 40
    each: int = YEARS_A_DRAW
    stress: int = 0

    def check(self) -> None:
        """Refuse sizes before any work is done with them.

        Raises:
            InputRefused: naming each that is too small.
        """
        least = {"learn": 2, "judge": 2, "draws": FEWEST_DRAWS if self.draws else 0, "each": 2}
        least |= {"stress": 2} if self.stress else {}
        refuse_if(
            Problem(name, str(getattr(self, name)), f"must be at least {low}", _REMEDIES.get(name, ""))
            for name, low in least.items()
            if getattr(self, name) < low
        )


@dataclass(frozen=True)
class Study:
    """A plan and its evidence.

    Attributes:
        world: the scenario under today's plan.
        evidence: everything simulated and solved.
        figures: what the report shows.
    """

    world: Scenario
    evidence: Evidence
    figures: ReportInput

    @property
    def plan(self) -> Plan:
        """The allocated plan."""
        return self.evidence.allocation.plan

    def report(self, language: str | None = None, people: str = "named") -> str:
        """The report as one HTML document that needs nothing beside itself.

        Args:
            language: ``en`` or ``zh``; default the scenario's.
            people: ``named``, ``pseudonym`` or ``aggregate``.

        Raises:
            InputRefused: no such language or edition.
        """
        return render(self.figures, language or self.world.language, people=people)


def check_edition(people: str) -> None:
    """Refuse an edition of the report that does not exist.

    Raises:
        InputRefused: not one of ``named``, ``pseudonym`` and ``aggregate``.
    """
    known = get_args(People)
    if people not in known:
        raise InputRefused(Problem("people", people, "no such edition of the report", f"known: {', '.join(known)}"))


def silent(_: str) -> AbstractContextManager[Progress]:
    """Shows no progress."""
    return nullcontext(lambda *_: None)


def study(
    scenario: Scenario,
    sizes: Sizes | None = None,
    *,
    seed: int | None = None,
    workers: int = 1,
    what_ifs: Mapping[str, Scenario] | None = None,
    loop: bool = False,
    robust: bool = False,
    show: Show = silent,
    on_round: OnRound | None = None,
) -> Study:
    """Make a plan and gather the evidence for and against it.

    Args:
        sizes: how much is simulated.
        seed: of all draws; default the scenario's.
        what_ifs: worlds to be compared with this one under today's plan, by name.
        loop: make the plan by the closed loop instead of in one pass, and prove it against today's and every rule.
        robust: with the loop: the best plan on average over plausible errors of the parameters.
        show: gives a progress callback for a part of the work that it is told the name of.
        on_round: with the loop: called after each round with it and the best plan so far.

    Raises:
        InputRefused: the scenario lacks what an allocation needs.
        InfeasiblePlan: its rules cannot hold together.
        KeyboardInterrupt: stopped by the user, in the loop as anywhere else: without a proof there is no report.
    """
    require_world(scenario)
    size, used = sizes or Sizes(), scenario.seed if seed is None else seed
    size.check()
    world = scenario.with_plan(today_plan(scenario))
    found = _looped(world, size.learn, used, workers, robust, show, on_round) if loop else None
    if found is None:
        result, rules, responses = _made(world, size.learn, used, workers, show)
    else:
        result, rules, responses = found.allocation, dict(found.baselines), found.responses
    after = {name: changed.with_plan(today_plan(changed)) for name, changed in (what_ifs or {}).items()}
    with show("judging plans and what-ifs on other years") as progress:
        work = _Work(progress)
        if size.draws:
            work.part("draws")(0, 4 * size.draws * size.each)
        runs = Runs(size.judge, used, workers=workers, progress=work.part("runs"))
        plans = (world.plan, *rules.values(), result.plan)
        for one in (*(world.with_plan(plan) for plan in plans), *after.values()):
            runs.expect(one, plan_of(one))
        answers = [what_if(name, world, changed, runs) for name, changed in after.items()]
        closed = None if found is None else _closed(world, found, runs, size, robust, workers, work)
        evidence = gather(
            world,
            result,
            responses,
            rules,
            runs,
            draws=size.draws,
            each=size.each,
            workers=workers,
            progress=work.part("draws"),
            what_ifs=answers,
            findings=diagnose_scenario(world, runs.outcome(world)),
            manifest=versions(),
            loop=closed,
        )
    return Study(world, evidence, assemble(evidence))


def _closed(
    world: Scenario, found: LoopResult, runs: Runs, size: Sizes, robust: bool, workers: int, work: _Work
) -> LoopEvidence:
    """The proof of the loop's plan on the years that all plans are judged on, and its stress test."""
    proof = proved(world, found, robust=robust, runs=runs, draws=size.draws, each=size.each, workers=workers)
    tested = None
    if size.stress:
        shown = {"seed": runs.seed, "workers": workers, "progress": work.part("stress")}
        tested = stressed(world, found, proof, draws=size.draws, years=size.stress, **shown)
    return LoopEvidence(found, proof, tested, ROBUST_DRAWS if robust else 0)


def _looped(
    world: Scenario, years: int, seed: int, workers: int, robust: bool, show: Show, on_round: OnRound | None
) -> LoopResult:
    with show("looking for a better plan") as progress:
        worlds = erring(world, seed) if robust else ()
        found = improve(
            world,
            replications=years,
            seed=seed,
            workers=workers,
            worlds=worlds,
            progress=progress,
            on_round=on_round,
        )
    if found.interrupted:
        # The loop keeps its best plan where it is stopped; a report shows a plan with its proof or not at all.
        raise KeyboardInterrupt
    return found


def _made(
    world: Scenario, years: int, seed: int, workers: int, show: Show
) -> tuple[AllocationResult, dict[str, Plan], Responses]:
    """The plan of one pass, the simple rules beside it, and the responses that both were made from."""
    with show("simulating today's plan, to learn from") as progress:
        outcome = learning_years(world, replications=years, seed=seed, workers=workers, progress=progress)
    responses = estimate(world, outcome)
    return allocate(world, responses), baselines(world, responses), responses


class _Work:
    """Several parts of one piece of work, told as one."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._parts: dict[str, tuple[int, int]] = {}

    def part(self, name: str) -> Progress:
        """The callback of one part."""

        def report(done: int, total: int) -> None:
            self._parts[name] = (done, total)
            self._progress(sum(one for one, _ in self._parts.values()), sum(one for _, one in self._parts.values()))

        return report
