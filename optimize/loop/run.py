"""One run of the closed loop: its starts, its rounds, and the best plan so far."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import perf_counter

import numpy as np

from optimize.baselines.plans import SIMPLE_RULES, SOLVED, baselines
from optimize.found import NoStepError
from optimize.loop.explained import explained
from optimize.loop.over import search_over
from optimize.loop.responses import MOST_RUNS, LoopResponses
from optimize.loop.steps import Size, first_region, holds_no_step, next_region, propose
from optimize.loop.trace import LoopResult, Round, trace_notes
from optimize.loop.trial import Trial
from optimize.loop.trials import Trials
from optimize.optimum import out_of_reach
from optimize.plans import as_plan
from optimize.problem import TrustRegion, moved
from optimize.programme.solve import OutOfTimeError
from optimize.whole_quotas import whole_quotas
from scenarios.errors import InfeasiblePlan
from scenarios.plan import Plan
from scenarios.today import today_plan

MOST_ROUNDS = 12
TOLERANCE = 1e-3
"""Relative rise of the objective below which a promise is not worth a simulation."""
STAY = TrustRegion(hours=float("inf"), moves=0, care=0.0, leads=0.0)
"""Training alone."""

MORE_RUNS = 4
"""Runs of the final plan, beside its own, to which its quotas are fitted: fitted to N years, the split loses about
.12 / N of the quota total to their luck."""

FEW_STARTS = ("strong", "two_stage")
"""Simple rules to start from where people respond to quotas: there each rule is a run, whatever it moves."""

OnRound = Callable[[Round, Plan], None]


class LoopRun:
    """The state of one loop: the best plan so far, the region around it, and the trace."""

    def __init__(self, trials: Trials, rounds: int, responses: LoopResponses, on_round: OnRound | None) -> None:
        self._trials = trials
        self._responses = responses
        self._scenario = trials.scenario
        self._rounds = rounds
        self._on_round = on_round
        self._began = perf_counter()
        self._trace: list[Round] = []
        self._best: Trial | None = None
        self._before: Trial | None = None
        self._last_t = 0.0
        self._candidates: dict[str, Plan] = {}
        self._baselines: dict[str, Plan] = {}
        self._promises: dict[str, float] = {}
        self._stopped = ""
        self._interrupted = False
        self._left_out: tuple[str, ...] = ()

    def run(self) -> None:
        """Start, step, and stop."""
        try:
            self._start()
            self._steps()
            if self._trials.quotas_move_sales:
                number = max(row.number for row in self._trace)
                search_over(self._trials, self.best, lambda one, step: self._offer(one, step, number), self._room)
            self._keep_the_simpler()
            self._fit_quotas()
        except KeyboardInterrupt:
            if self._best is None:
                raise
            self._interrupted, self._stopped = True, "interrupted; the best plan so far is kept"

    @property
    def best(self) -> Trial:
        """The best plan so far."""
        if self._best is None:
            raise RuntimeError("no plan was simulated")
        return self._best

    def _start(self) -> None:
        """Simulate today's decisions and every simple rule; the best within the rules is where the loop begins."""
        scenario, today = self._scenario, self._trials.today()
        self._candidates["today"] = today_plan(scenario)
        self._promises["today"] = today.value_of(self._candidates["today"])
        rules = tuple(SIMPLE_RULES)
        if out_of_reach(today.problem):
            rules = tuple(name for name in rules if name not in SOLVED)
            self._left_out = (f"too large to be solved in one pass: {', '.join(SOLVED)} and one-shot are left out",)
        ruled = baselines(scenario, today.responses, rules, single_pass=False)
        self._baselines = {name: self._trials.seen(plan) for name, plan in ruled.items()}
        starts = {"today": self._plain(today), **self._baselines}
        if self._trials.quotas_move_sales:
            starts = {name: plan for name, plan in starts.items() if name in ("today", *FEW_STARTS)}
        if scenario.plan is not None:
            starts["plan"] = scenario.plan
        for name, plan in starts.items():
            fresh = not self._trials.known(plan)
            trial = self._trials.trial(plan)
            if name == "today":
                self._candidates["quotas only"] = trial.plan
                self._promises["quotas only"] = trial.value
                self._take(trial)
                self._record(0, "start today", None, None, trial, 0.0, 0.0, True, "where the loop begins")
            elif fresh:
                self._offer(trial, f"start {name}")
        if not self._left_out:
            self._one_pass(self._trials.trial(starts["today"]))

    def _plain(self, today: Trial) -> Plan:
        """Today's decisions, locks kept, with the best quotas."""
        problem = today.problem
        kept = problem.today_decisions()
        quotas = today.quotas
        if self._trials.quotas_move_sales:
            _, quotas = whole_quotas(problem, problem.base_decisions(), nearest=True)
        return as_plan(self._scenario, today.responses, problem, kept, quotas, name="quotas only", origin="loop")

    def _offer(self, trial: Trial, step: str, number: int = 0) -> bool:
        """Simulated on the same years as the best so far, and taken where it is better; tells whether it was."""
        best = self.best
        gain, t = trial.gain_over(best)
        accepted, reason = trial.better_than(best, gain)
        if accepted:
            self._before, self._last_t = best, t
            self._take(trial)
        self._record(number, step, None, None, trial, gain, t, accepted, reason)
        return accepted

    def _one_pass(self, trial: Trial) -> None:
        """Plans of one pass around today's decisions, for the decomposition of the gain."""
        regions: dict[str, TrustRegion | None] = {"+ training": STAY, "one-shot": None}
        last = "+ accounts"
        if trial.problem.leads:
            moves = len(trial.problem.accounts.ids)
            regions = {"+ training": STAY, last: replace(STAY, moves=moves, care=float("inf")), "one-shot": None}
            last = "+ leads"
        for name, region in regions.items():
            # A request that cannot be kept at all was refused by the simple rules before; here it is out of reach.
            with suppress(NoStepError, InfeasiblePlan, OutOfTimeError):
                step = propose(trial, self._scenario, region, name)
                self._candidates[name] = self._trials.seen(step.plan)
                if region is None:
                    self._candidates[last] = replace(self._candidates[name], name=last)
                    self._promises[name] = step.promise

    def _room(self) -> bool:
        """Whether another run may be spent."""
        return self._trials.cost.runs_in_all < MOST_RUNS

    def _steps(self) -> None:
        region: TrustRegion | None = None if self.best.broken else first_region(self.best.problem)
        self._responses.begin(self.best)
        for number in range(1, self._rounds + 1):
            if not self._room():
                self._stopped = f"{MOST_RUNS} runs"
                return
            region = self._round(number, region)
            if self._responses.failing(bool(self._stopped)) and self._responses.ask_more(self.best):
                self._stopped, region = "", first_region(self.best.problem)
            if self._stopped:
                return
        self._stopped = f"{self._rounds} rounds"

    def _round(self, number: int, region: TrustRegion | None) -> TrustRegion | None:
        """Propose, simulate, accept or not; returns the next region."""
        best = self.best
        try:
            step = propose(best, self._scenario, region, "loop", self._responses.correction)
        except (NoStepError, InfeasiblePlan):
            if region is None or not best.broken:
                self._stopped = "no step in reach keeps the rules"
            return None
        except OutOfTimeError as out:
            self._stopped = f"the programme was given up: {out}"
            return None
        size, rise = Size.of(best.problem, step.decisions), step.promise - best.value
        if size.nothing or (rise < TOLERANCE * abs(best.value) and not best.broken):
            self._stopped = f"the programme promises less than {TOLERANCE:.1%} more"
            return region
        trial = self._trials.trial(step.plan)
        gain, t = trial.gain_over(best)
        accepted, reason = trial.better_than(best, gain)
        if accepted:
            self._before, self._last_t = best, t
            self._take(trial)
        self._record(number, str(size), region, step.promise, trial, gain, t, accepted, reason, size)
        kept = gain / rise if rise > 0 else 1.0
        self._responses.judge(kept)
        allowed = first_region(best.problem) if region is None else region
        after = next_region(allowed, size, kept, accepted)
        if holds_no_step(after, best.problem):
            self._stopped = "the region holds no step any more"
        return after

    def _take(self, trial: Trial) -> None:
        self._best = trial

    def _keep_the_simpler(self) -> None:
        """Where the last step is within its noise, the plan that moves fewer accounts is as good."""
        before, after = self._before, self._best
        if before is None or after is None or abs(self._last_t) >= 2 or before.broken:
            return
        moves = [len(moved(one.problem, one.decisions.owner)) for one in (before, after)]
        hours = [float(one.decisions.training.sum()) for one in (before, after)]
        leads = [float(np.abs(one.problem.leads.base - one.problem.leads.today).sum()) for one in (before, after)]
        if (moves[0], hours[0], leads[0]) < (moves[1], hours[1], leads[1]):
            self._take(before)
            self._stopped += "; the last step is within its noise, so the simpler plan before it is kept"

    def _fit_quotas(self) -> None:
        """Fit the final quotas to more years, as many as the limit on runs leaves."""
        runs = min(MORE_RUNS, int(MOST_RUNS - self._trials.cost.runs_in_all))
        fitted = self._trials.on_more_years(self.best, runs)
        if len(fitted.broken) <= len(self.best.broken):
            self._take(fitted)

    def _record(
        self,
        number: int,
        step: str,
        region: TrustRegion | None,
        promise: float | None,
        trial: Trial,
        gain: float,
        t: float,
        accepted: bool,
        reason: str,
        size: Size | None = None,
    ) -> None:
        row = Round(
            number=number,
            step=step,
            region=region,
            responses=self._responses.correction.method if promise is not None else "",
            response_error=self._responses.correction.error if promise is not None else None,
            promise=promise,
            simulated=trial.value,
            gain=gain,
            t=t,
            broken=trial.broken,
            accepted=accepted,
            reason=reason,
            runs=self._trials.cost.runs,
            accounts=0 if size is None else size.moves,
            hours=0.0 if size is None else size.hours,
            leads=0.0 if size is None else size.handed,
            seconds=perf_counter() - self._began,
        )
        self._trace.append(row)
        if self._on_round is not None:
            self._on_round(row, self.best.plan)

    def result(self) -> LoopResult:
        """What it came to."""
        best = self.best
        allocation = explained(self._scenario, best, best.plan.with_rows(name="loop", origin="closed loop"))
        plan = allocation.plan
        candidates = {**self._candidates, **self._baselines, "loop": plan}
        notes = trace_notes(self._trace, best.problem.two_stage, self._trials.cost, len(best.problem.samples))
        return LoopResult(
            plan=plan,
            candidates=candidates,
            baselines=self._baselines,
            trace=tuple(self._trace),
            objective="sales" if best.problem.two_stage else "attained share",
            over_assignment=best.over,
            quota_years=len(best.problem.samples),
            promise=best.value,
            promises={**self._promises, "loop": best.value},
            cost=self._trials.cost,
            stopped=self._stopped,
            interrupted=self._interrupted,
            allocation=replace(allocation, notes=(*allocation.notes, *notes)),
            responses=self._trials.yardsticks,
            correction=self._responses.last,
            notes=(*best.responses.notes, *self._left_out),
        )
