"""Plans put to the test: each is simulated once, on the same random numbers as all others, and its quotas fitted.

Fairness is measured by one set of yardsticks (potentials, opportunity, history): those read from today's plan. They
would otherwise move with the plan that they are to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from optimize.audit import audit, broken
from optimize.formulate import formulate, sales_alone
from optimize.loop.trace import Cost
from optimize.loop.trial import Trial, objective_years
from optimize.plans import as_plan, quotas_of
from optimize.problem import AllocationProblem, Decisions, Floats, Ints
from optimize.quota_tables import quota_tables
from optimize.response.design import leads_are_shared
from optimize.response.estimate import Responses, estimate, with_years
from optimize.whole_quotas import whole_quotas
from scenarios.plan import Plan, QuotaRow
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.outcome import Outcome, stack
from sim.run import simulate

FIRST_LEARNING_YEAR = 1_000_000
"""Plans are made from simulated years of this number on and judged on years below it, which they have not seen."""

Progress = Callable[[int, int], None]


def sales_of_accounts(outcome: Outcome, problem: AllocationProblem) -> Floats:
    """Sales of the request's accounts in each horizon, minor units, [N, A]."""
    cube = outcome["account"]
    place = {key: i for i, key in enumerate(cube.keys)}
    columns = [place[account] for account in problem.accounts.ids]
    return cube.total("revenue")[:, columns].astype(np.float64)


class Trials:
    """Simulates plans, each distinct one once, and counts what that costs.

    Args:
        worlds: the scenario under other parameters; each gets an even share of the horizons. Empty: as it stands.
        progress: called with horizons done and a bound on those to come.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        replications: int,
        first: int = FIRST_LEARNING_YEAR,
        seed: int | None = None,
        workers: int = 1,
        worlds: Sequence[Scenario] = (),
        most_years: int = 0,
        progress: Progress | None = None,
    ) -> None:
        self.scenario = scenario
        self.replications = replications
        self._first = first
        self._seed = seed
        self._workers = workers
        self._worlds = tuple(worlds)
        self.most_years = most_years
        self._progress = progress
        self._over = scenario.allocation.over_assignment
        self._runs = 0
        self._response_years = 0
        self._trials: dict[str, Trial] = {}
        self._yardsticks: Responses | None = None

    @property
    def cost(self) -> Cost:
        """So far."""
        return Cost(self._runs, self._response_years, self.replications, leads_are_shared(self.scenario))

    @property
    def yardsticks(self) -> Responses:
        """Responses read from the first plan that was simulated; fairness is measured by them."""
        if self._yardsticks is None:
            raise RuntimeError("no plan was simulated")
        return self._yardsticks

    @property
    def quotas_move_sales(self) -> bool:
        """Whether people respond to their quotas, so that quotas are part of what is simulated."""
        return self.scenario.motivation is not None

    @property
    def over_assignment(self) -> float:
        """What quotas sum to above the target; a decision where quotas move sales."""
        return self._over

    def assign(self, over: float) -> None:
        """Let quotas of the plans to come sum to target x (1 + this)."""
        self._over = over

    def seen(self, plan: Plan) -> Plan:
        """The plan as people see it who respond to quotas: to that of the whole horizon, not to its phases.

        Where nobody does, the plan itself.
        """
        if not self.quotas_move_sales:
            return plan
        calendar, sums = self.scenario.calendar, dict[tuple[str, str], int]()
        for row in plan.targets:
            sums[row.rep, row.metric] = sums.get((row.rep, row.metric), 0) + row.value
        rows = [QuotaRow(rep, metric, calendar.start, calendar.end, value) for (rep, metric), value in sums.items()]
        return plan.with_rows(targets=rows)

    def request(self, responses: Responses, over: float) -> AllocationProblem:
        """The request around a simulated plan; where quotas move sales, sales are its objective."""
        allocation = self.scenario.allocation.model_copy(update={"over_assignment": over})
        asked = self.scenario.model_copy(update={"allocation": allocation})
        problem = formulate(asked, responses, single_pass=False)
        return replace(problem, two_stage=sales_alone(self.scenario))

    def known(self, plan: Plan) -> bool:
        """Whether this plan needs no new simulation."""
        return self.scenario.simulation_hash(self.seen(plan)) in self._trials

    def today(self) -> Trial:
        """Today's plan; its responses are the yardsticks of fairness."""
        return self.trial(today_plan(self.scenario))

    def trial(self, plan: Plan) -> Trial:
        """A plan simulated; quotas are fitted to the simulated sales, unless people respond to them."""
        plan = self.seen(plan)
        key = self.scenario.simulation_hash(plan)
        if key not in self._trials:
            outcome = self.outcome(plan)
            self._runs += 1
            self._trials[key] = self._read(plan, outcome)
        return self._trials[key]

    def outcome(self, plan: Plan) -> Outcome:
        """All horizons under a plan."""
        return self._outcome(plan, self._shares(self.replications))

    def on_more_years(self, trial: Trial, runs: int) -> Trial:
        """The same decisions with quotas fitted to more years: quotas fitted to few follow their luck.

        The objective stays that of the years that all trials share. Where people respond to quotas, these are
        decisions of their own and stay as they are.

        Args:
            runs: simulated beside the trial's own.
        """
        if self.quotas_move_sales or runs < 1:
            return trial
        responses = trial.responses
        for block in range(1, runs + 1):
            outcome = self._outcome(trial.plan, self._shares(self.replications), block)
            self._runs += 1
            responses = with_years(responses, self.scenario, outcome)
        problem = self.request(responses, trial.over)
        return self._fitted(trial.plan, problem, responses, trial.account_sales, trial.over)

    def part(self, decisions: Decisions, around: Trial, years: int) -> tuple[Floats, Floats, Ints]:
        """About ``years`` horizons under decisions near a plan, for differences.

        Returns:
            sales of reps [n, R] and of accounts [n, A], minor units, and the places of these horizons in a trial, [n].
        """
        problem = around.problem
        plan = as_plan(self.scenario, around.responses, problem, decisions, around.quotas, name="near", origin="loop")
        plan = self.seen(plan)
        shares = self._shares(years)
        places = np.concatenate(shares)
        outcome = self._outcome(plan, shares)
        self._response_years += len(places)
        keys = outcome["rep"].keys
        columns = [keys.index(rep) for rep in problem.reps]
        sales = outcome["rep"].total("revenue")[:, columns].astype(np.float64)
        return sales, sales_of_accounts(outcome, problem), places

    def _shares(self, years: int) -> list[Ints]:
        """Places of the horizons that each world gets; all of them are spread evenly, so is a part of them."""
        whole = np.array_split(np.arange(self.replications), max(len(self._worlds), 1))
        each = -(-years // len(whole))
        return [places[:each] for places in whole]

    def _outcome(self, plan: Plan, shares: Sequence[Ints], block: int = 0) -> Outcome:
        """Horizons at these places of a block of them; the blocks follow each other."""
        first = self._first + block * self.replications
        if not self._worlds:
            return self._simulated(self.scenario.with_plan(plan), first, len(shares[0]))
        parts = [
            self._simulated(world.with_plan(plan), first + int(places[0]), len(places))
            for world, places in zip(self._worlds, shares, strict=True)
        ]
        return _pooled(self.scenario.with_plan(plan), plan, parts)

    def _simulated(self, world: Scenario, first: int, years: int) -> Outcome:
        done = (self._runs * self.replications) + self._response_years
        report = self._progress

        def shifted(finished: int, _: int) -> None:
            if report is not None:
                report(min(done + finished, self.most_years), self.most_years)

        return simulate(
            world, replications=years, first=first, seed=self._seed, workers=self._workers, progress=shifted
        )

    def _read(self, plan: Plan, outcome: Outcome) -> Trial:
        base = self.scenario.with_plan(plan)
        if self._yardsticks is None:
            responses = self._yardsticks = estimate(base, outcome)
        else:
            responses = _measured(estimate(base, outcome, carriers=self._yardsticks.reps), self._yardsticks)
        problem = self.request(responses, self._over)
        return self._fitted(plan, problem, responses, sales_of_accounts(outcome, problem), self._over)

    def _fitted(
        self, plan: Plan, problem: AllocationProblem, responses: Responses, accounts: Floats, over: float
    ) -> Trial:
        """A simulated plan as a trial, its quotas fitted to the samples of the request."""
        decisions = problem.base_decisions()
        if not self.quotas_move_sales:
            _, quotas = whole_quotas(problem, decisions, nearest=True)
            tables = quota_tables(problem, responses, decisions, quotas)
            plan = as_plan(
                self.scenario, responses, problem, decisions, quotas, name=plan.name, origin=plan.origin, tables=tables
            )
        else:
            quotas = np.round(quotas_of(problem, plan)).astype(np.int64)
            tables = quota_tables(problem, responses, decisions, quotas)
        rows = [row for row in broken(audit(problem, decisions, quotas.astype(np.float64))) if not row.exception]
        years = objective_years(problem, {name: table.quotas.astype(np.float64) for name, table in tables.items()})
        return Trial(
            plan,
            decisions,
            quotas,
            problem,
            responses,
            accounts,
            years[: self.replications],
            over,
            tuple(f"{row.rule} of {row.subject}" for row in rows),
        )


def _measured(responses: Responses, yardsticks: Responses) -> Responses:
    """Responses with fairness measured as under today's plan."""
    fixed, leads = yardsticks.accounts, yardsticks.leads
    return replace(
        responses,
        opportunity=yardsticks.opportunity,
        territory=yardsticks.territory,
        accounts=replace(responses.accounts, potential=fixed.potential, history=fixed.history),
        leads=replace(responses.leads, potential=leads.potential, measured=leads.measured),
    )


def _pooled(scenario: Scenario, plan: Plan, parts: Sequence[Outcome]) -> Outcome:
    """Horizons of several worlds as those of one: their averages are averages over the worlds."""
    head = parts[0]
    cubes = stack([part.cubes for part in parts])
    return Outcome(
        scenario.fingerprint(),
        scenario.simulation_hash(plan),
        plan.name,
        head.seed,
        head.first,
        head.engine,
        head.stream_version,
        cubes,
        scenario.simulated(),
    )
