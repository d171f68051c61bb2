"""A plan by the closed loop, and its proof on years that the loop has not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments import prove as proving
from experiments.money import Language
from experiments.optimism import Objective, Promise
from experiments.parameter_error import with_parameter_draw
from experiments.proof import TODAY, Proof
from experiments.regret import YEARS_A_DRAW, StressTest, stress_test
from experiments.report.loop import over_text
from experiments.uncertainty import FEWEST_DRAWS
from experiments.words import word
from optimize.loop.improve import improve as closed_loop
from optimize.loop.trace import LoopResult, Round
from optimize.loop.trials import FIRST_LEARNING_YEAR
from quotalab.learning import DEFAULT_YEARS
from scenarios.errors import Problem, refuse_if
from scenarios.plan import Plan
from scenarios.scenario import Scenario, require_world

if TYPE_CHECKING:
    from quotalab.job import Show

PROOF_YEARS = proving.DEFAULT_YEARS
DRAWS = 40
"""Of the uncertain parameters on which plan and best rule are judged."""
STRESS_YEARS = 100
ROBUST_DRAWS = 40
FIRST_LEARNING_DRAW = 1_000_000
"""Parameter draws that a robust plan is made from are apart from those on which it is judged."""
STEPS = ("quotas only", "+ training", "+ accounts", "+ leads", "loop")
"""Candidates in the order in which the gain comes about; lead shares only where they are decided."""


@dataclass(frozen=True)
class Improvement:
    """A plan by the closed loop.

    Attributes:
        loop: the loop's own account: trace, candidates, promise, cost.
        proof: of the plan on fresh years; ``None`` where it was not asked for or the user stopped before.
        stress: today's plan, the best rule and the plan in worlds in which something goes wrong; ``None`` likewise.
        interrupted: whether the user stopped the loop or the proof.
        robust: whether the plan is the best on average over plausible errors of the parameters.
        currency: of all amounts.
    """

    loop: LoopResult
    proof: Proof | None
    interrupted: bool = False
    stress: StressTest | None = None
    robust: bool = False
    currency: str = ""

    @property
    def plan(self) -> Plan:
        """The loop's plan."""
        return self.loop.plan

    @property
    def recommended(self) -> Plan:
        """What the proof recommends: the loop's plan, or a simpler one where no gain is proven."""
        return self.loop.plan if self.proof is None else self.loop.candidates[self.proof.recommended]

    def __str__(self) -> str:
        return self.summary()

    def summary(self, language: Language = "en") -> str:
        """The verdict first, then what may go wrong, and how the plan was found.

        Raises:
            InputRefused: pages do not exist in this language.
        """
        from quotalab.loop_text import trace_text

        told = [part.summary(language) for part in (self.proof, self.stress) if part is not None]
        if self.robust:
            told.insert(0, word("proof.robust", language, draws=ROBUST_DRAWS))
        over = over_text(self.loop, language)
        return "\n".join([*told, *([over] if over else []), trace_text(self.loop, self.currency, language)])


def improve(
    scenario: Scenario,
    *,
    replications: int = DEFAULT_YEARS,
    judge: int = PROOF_YEARS,
    draws: int = DRAWS,
    stress: int = STRESS_YEARS,
    robust: bool = False,
    seed: int | None = None,
    workers: int = 1,
    show: Show | None = None,
    on_round: Callable[[Round, Plan], None] | None = None,
) -> Improvement:
    """Find a plan by the closed loop and prove it on fresh years against today's and every simple rule.

    Ctrl-C ends the loop with the best plan so far, and what was begun of the proof is left out.

    Args:
        replications: simulated years of each plan in the loop.
        judge: fresh years of each plan in the proof; 0 leaves the proof out.
        draws: of the uncertain parameters in the proof, at least 10; 0 leaves them out.
        stress: years of each plan in each stressed world; 0 leaves the stress test out, as does ``judge=0``.
        robust: let the loop maximise the mean over plausible errors of the parameters instead of the objective under
            the parameters as given.
        seed: default the scenario's.
        workers: threads; they never change a figure.
        show: gives a progress callback for a part of the work that it is told the name of.
        on_round: called after each round with it and the best plan so far.

    Raises:
        InputRefused: the scenario lacks what an allocation needs, or a bad number.
        InfeasiblePlan: no plan satisfies the rules.
    """
    from quotalab.job import silent

    require_world(scenario)
    refuse_if(_bad_numbers(replications, judge, draws, stress, robust))
    used = scenario.seed if seed is None else seed
    shown = show or silent
    worlds = erring(scenario, used) if robust else ()
    with shown("looking for a better plan") as progress:
        found = closed_loop(
            scenario,
            replications=replications,
            seed=used,
            workers=workers,
            first=FIRST_LEARNING_YEAR,
            worlds=worlds,
            progress=progress,
            on_round=on_round,
        )
    if found.interrupted or judge == 0:
        return Improvement(found, None, found.interrupted, robust=robust, currency=scenario.currency)
    proof = None
    try:
        with shown("proving it on fresh years") as progress:
            proof = proved(
                scenario,
                found,
                robust=robust,
                replications=judge,
                seed=used,
                draws=draws,
                workers=workers,
                progress=progress,
            )
        tested = None
        if stress:
            with shown("simulating what may go wrong") as progress:
                shown_as = {"seed": used, "workers": workers, "progress": progress}
                tested = stressed(scenario, found, proof, draws=draws, years=stress, **shown_as)
    except KeyboardInterrupt:
        return Improvement(found, proof, interrupted=True, robust=robust, currency=scenario.currency)
    return Improvement(found, proof, stress=tested, robust=robust, currency=scenario.currency)


def proved(scenario: Scenario, found: LoopResult, *, robust: bool, **settings: Any) -> Proof:
    """The loop's plan on fresh years.

    Args:
        robust: what a robust plan promises is a mean over other worlds than the one it is proved in, so that promise
            is left out.
        settings: as for :func:`experiments.prove.prove`.
    """
    return proving.prove(
        scenario,
        found.candidates,
        baselines=found.baselines,
        plan="loop",
        steps=[name for name in STEPS if name in found.candidates],
        promise=None if robust else _promise(found),
        # A request of one pass has no place for people who respond to their quotas.
        responses=found.responses if scenario.motivation is None else None,
        fitted=None if found.correction is None else found.correction.applied,
        **settings,
    )


def stressed(
    scenario: Scenario, found: LoopResult, proof: Proof, *, draws: int, years: int, **settings: Any
) -> StressTest:
    """Today's plan, the best rule, what is recommended and the loop's plan in worlds in which something goes wrong.

    Args:
        draws: of the uncertain parameters as one more world, as far as the years allow.
        years: of each plan in each world.
        settings: as for :func:`experiments.regret.stress_test`.
    """
    names = dict.fromkeys((TODAY, proof.best_rule, proof.recommended, "loop"))
    plans = {name: found.candidates[name] for name in names}
    most = years // YEARS_A_DRAW
    return stress_test(scenario, plans, draws=min(draws, most) if most > 1 else 0, replications=years, **settings)


def _promise(found: LoopResult) -> Promise:
    objective: Objective = "sales" if found.objective == "sales" else "capped"
    return Promise(objective, {name: value for name, value in found.promises.items() if value == value}, "today")


def _bad_numbers(replications: int, judge: int, draws: int, stress: int, robust: bool) -> list[Problem]:
    least = {
        "judge": (judge, 2, "0 leaves the proof out"),
        "draws": (draws, FEWEST_DRAWS, "0 leaves errors of the parameters out"),
        "stress": (stress, 2, "0 leaves the stress test out"),
    }
    found = [
        Problem(name, str(value), f"must be 0 or at least {low}", remedy)
        for name, (value, low, remedy) in least.items()
        if value != 0 and value < low
    ]
    if robust and replications < ROBUST_DRAWS:
        rule = f"robust mode needs at least one year in each of {ROBUST_DRAWS} draws of the parameters"
        found.append(Problem("replications", str(replications), rule))
    return found


def erring(scenario: Scenario, seed: int) -> tuple[Scenario, ...]:
    """The scenario under plausible errors of its parameters."""
    return tuple(
        with_parameter_draw(scenario, FIRST_LEARNING_DRAW + number, seed=seed) for number in range(ROBUST_DRAWS)
    )
