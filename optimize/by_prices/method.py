"""The method by prices: a dual bound, a plan from its prices, a bound by knapsacks, and search while the gap is wide.

Stages: prices by L-BFGS on the smoothed dual; owners greedily by those prices, improved by knapsacks and ejection
chains, and quotas and training refitted by the programme; account prices by a volume-type subgradient (Barahona and
Anbil 2000) with an exact knapsack for each rep, which also bounds what whole accounts can do; ruin and recreate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.assignment import NODES, Assignment, RepTables, Worth
from optimize.by_prices.descent import inner
from optimize.by_prices.kernels import knapsack_bound
from optimize.by_prices.refit import ALLOWED, Refit, Refitting
from optimize.by_prices.relaxation import SMOOTHNESS, Relaxation, Response
from optimize.by_prices.request import Request, request_of
from optimize.problem import AllocationProblem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAP = 1e-3
"""Proven gap at which the method stops by default."""
BoundType = Literal["programme", "linear", "knapsack", "total"]

ROUNDS = 60
FIRST_STEP, SHORTER = 0.3, 0.95
"""Length of the first step of account prices, as a share of the way to the aim, and of each next one."""
PATIENCE = 15
WORTHWHILE = 1e-5
"""Relative gain over :data:`PATIENCE` steps below which the knapsack bound stops, once steps have become short."""
SETTLED = 40
REFITS, FEW, MORE_REFITS = 6, 100, 18
"""Refits at most, and with so few reps more of them, from new starts: searching costs next to nothing there."""
NOISES = (0.1, 0.5, 1.0)
"""How far account prices are shaken, in turn."""
LITTLE = 2e-5
"""Relative gain of two refits below which the search stops."""
SATURATED = 0.15
"""Median worth of a unit of sales below which average worths guide the first owners, too."""
SHAKES, LEAST_ROUNDS = 4, 5_000
"""Rounds of ruin and recreate before the next refit, for each rep and at least."""


@dataclass(frozen=True)
class Start:
    """Where a search ended, for a request that differs in little to begin with.

    Attributes:
        prices: of the relaxation; accounts: price of each free account, [F].
        held: arc of each free account, [F]; steps: of training, [R].
    """

    prices: Floats
    accounts: Floats
    held: Ints
    steps: Ints


@dataclass(frozen=True)
class Priced:
    """The best plan found, and a proven upper bound on every plan.

    Attributes:
        bound: minor units; bound_type: what proved it.
        gap: (bound - value) / value.
        history: stage, value and bound after each stage, minor units.
        end: where the next search may begin.
    """

    plan: Refit
    bound: float
    bound_type: BoundType
    history: tuple[tuple[str, float, float], ...]
    end: Start

    @property
    def gap(self) -> float:
        """Proven relative distance to the bound."""
        return max(0.0, self.bound - self.plan.value) / max(abs(self.plan.value), 1e-9)


def unsupported(problem: AllocationProblem) -> tuple[str, ...]:
    """What the method cannot decide, in words; empty where it can do all that is asked."""
    asked = {
        "care hours as a decision": problem.accounts.care_budget is not None,
        "two stages": problem.two_stage,
        "a trust region": problem.trust is not None,
        "alpha fairness": bool(problem.alpha),
        "lexicographic max-min": problem.maximin,
        "other metrics in the objective or with floors": bool(problem.metrics.weighted)
        or any(metric.floor is not None for metric in problem.metrics.others)
        or any(ratio.floor is not None for ratio in problem.metrics.ratios),
        "a weight of revenue other than one": problem.metrics.revenue_weight != 1.0,
        "limits on accounts of a tier or on moves of a team": bool(problem.accounts.limits),
        "trainers' hours where people can be trained at different times": _trained_apart(problem),
    }
    return tuple(words for words, wanted in asked.items() if wanted)


def _trained_apart(problem: AllocationProblem) -> bool:
    """Whether trainers' hours by period ask more than their sum does."""
    return problem.training.capacity is not None and len(set(problem.training.slots)) > 1


def by_prices(problem: AllocationProblem, gap: float = GAP, seed: int = 0, start: Start | None = None) -> Priced | None:
    """A plan with a proven gap; None where no owners that the search found leave room for quotas under all rules.

    The bound is that of the request without the rules that prices do not know: it is never too low. The plan keeps
    all rules.

    Args:
        gap: proven relative gap at which to stop.
        start: where the search for a request of the same size ended; it changes how soon this one ends, and no bound
            is taken over.
    """
    found = _Search(problem, gap, seed).run(start)
    return found if found is not None or start is None else _Search(problem, gap, seed).run()


class _Search:
    def __init__(self, problem: AllocationProblem, gap: float, seed: int) -> None:
        self.problem, self.gap = problem, gap
        self.request: Request = request_of(problem)
        self.refitting = Refitting(problem, self.request)
        self.state = np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 % 2**64], dtype=np.uint64)
        self.chance = np.random.default_rng(seed)
        self.bound = np.inf
        self.bound_type: BoundType = "linear"
        self.best: Refit | None = None
        self.steps: Ints = np.zeros(self.request.reps, dtype=np.int64)
        self.held: Ints = np.full(len(self.request.arcs.free), -1, dtype=np.int64)
        self.last: Assignment | None = None
        self.stages: list[tuple[str, float, float]] = []

    def run(self, start: Start | None = None) -> Priced | None:
        relaxation = Relaxation(self.request)
        size = (relaxation.size, len(self.request.arcs.free))
        if start is not None and (len(start.prices), len(start.accounts)) != size:
            start = None
        prices, response = relaxation.solve() if start is None else relaxation.solve(start.prices, SMOOTHNESS[-2:])
        self._prove(response.value, "linear")
        self._prove(float(self.request.row_high[0]), "total")  # nobody attains more than the quotas
        steps = self._first_steps(response)
        worth, price = self._worth(response)
        liking = response.parts
        if start is None:
            self._first_owners(response, worth, price, liking, steps)
            if not self._done():
                price = self._knapsacks(response, worth, price, steps, ROUNDS)
        else:
            price = self._again(start, response, worth, steps)
        if not self._done():
            self._ruin(response, price)
        if self.best is None:
            return None
        bound = self.bound * self.request.unit
        return Priced(
            self.best, bound, self.bound_type, tuple(self.stages), Start(prices, price, self.held, self.steps)
        )

    def _prove(self, bound: float, kind: BoundType) -> None:
        if bound < self.bound:
            self.bound, self.bound_type = bound, kind

    def _done(self) -> bool:
        return self.best is not None and self.bound * self.request.unit - self.best.value <= self.gap * abs(
            self.best.value
        )

    def _count(self, assignment: Assignment, stage: str) -> Refit | None:
        """Refit an assignment; a plan counts only where every rule holds."""
        fit = self.refitting.fit(assignment.owners(), assignment.steps)
        counts = fit is not None and fit.breach <= ALLOWED and assignment.complete()
        if fit is not None and counts and (self.best is None or fit.value > self.best.value):
            self.best, self.held, self.steps = fit, assignment.held.copy(), assignment.steps.copy()
        value = self.best.value if self.best is not None else -np.inf
        self.stages.append((stage, value, self.bound * self.request.unit))
        return fit if counts else None

    def _first_steps(self, response: Response) -> Ints:
        """Whole training steps of each rep by the dual, within the budget."""
        training = self.request.training
        worth = np.where(response.steps > 0, response.lam[:, None] * training.gain, -np.inf)
        forced = np.arange(worth.shape[1])[None, :] < training.least[:, None]
        worth = np.where(forced, np.inf, worth)
        budget = int(training.budget + 1e-9)
        chosen = np.zeros(worth.size, dtype=np.bool_)
        order = np.argsort(-worth.ravel(), kind="stable")[:budget]
        chosen[order] = worth.ravel()[order] > -np.inf
        return np.asarray(chosen.reshape(worth.shape).sum(axis=1), dtype=np.int64)

    def _worth(self, response: Response) -> tuple[Floats, Floats]:
        """Worth of each arc without its hours, and the price of each account at the dual."""
        arcs = self.request.arcs
        worth = response.lam[arcs.rep] * arcs.value + response.extra
        reduced = worth - response.mu[arcs.rep] * arcs.hours
        price = response.rest.copy()
        np.maximum.at(price, arcs.account, reduced)
        return worth, price

    def _first_owners(self, response: Response, worth: Floats, price: Floats, liking: Floats, steps: Ints) -> None:
        arcs = self.request.arcs
        reduced = worth - response.mu[arcs.rep] * arcs.hours
        near = (reduced >= (price - 0.01 * arcs.largest)[arcs.account]).astype(np.float64)
        self._built(Worth.of(arcs, worth, price), near, steps, "prices")
        if self._done() or np.median(response.lam) >= SATURATED:
            return
        # Marginal worths vanish where everybody has more than enough: then average worths guide better.
        flat = np.maximum(response.lam, 2 * SATURATED)[arcs.rep] * arcs.value + response.extra
        nothing = np.where(arcs.rests, 0.0, -np.abs(flat).max(initial=0.0))
        self._built(Worth.of(arcs, flat, nothing), np.zeros_like(liking), steps, "saturated")

    def _again(self, start: Start, response: Response, worth: Floats, steps: Ints) -> Floats:
        """One bound by the old account prices, and the old owners and steps, as they are and improved."""
        assignment = Assignment(self.request, start.steps)
        assignment.load(start.held)
        self._count(assignment, "begun")
        price = self._knapsacks(response, worth, start.accounts, steps, 1)
        if not self._done():
            assignment.improve(Worth.of(self.request.arcs, worth, price), sweeps=2)
            self.last = assignment
            self._count(assignment, "begun, improved")
        return price

    def _built(self, worth: Worth, liking: Floats, steps: Ints, stage: str) -> Refit | None:
        assignment = Assignment(self.request, steps)
        assignment.build(worth, liking)
        assignment.improve(worth, sweeps=2)
        self.last = assignment
        return self._count(assignment, stage)

    def _knapsacks(self, response: Response, worth: Floats, price: Floats, steps: Ints, rounds: int) -> Floats:
        """Tighten the bound by account prices; owners by what the knapsacks chose on average. Returns the prices."""
        request, arcs, training = self.request, self.request.arcs, self.request.training
        step_worth = np.maximum(response.lam, 0.0)[:, None] * training.gain - response.step_price
        if (response.lam < 0).any():
            step_worth = response.lam[:, None] * training.gain - response.step_price
        able = np.arange(step_worth.shape[1])[None, :] < training.most[:, None]
        step_worth = -np.sort(-np.where(able, step_worth, -np.inf), axis=1)
        step_worth[~able] = 0.0
        step_hours = np.full(request.reps, request.room_rate * training.hours)
        rooms = np.where(np.isfinite(request.room), request.room, 1e15)
        parts = np.zeros(len(arcs.rep))
        mean: Floats | None = None
        owed = np.where(arcs.rests, response.rest, -np.inf)
        best_price, best, marks = price, np.inf, []
        target = self.best.value / request.unit if self.best is not None else -np.inf
        step_size = FIRST_STEP
        for turn in range(rounds):
            total, _ = knapsack_bound(
                arcs.first, arcs.of_rep, arcs.account, worth, arcs.hours, price, rooms,
                training.most, training.least, step_worth, step_hours, NODES, parts,
            )  # fmt: skip
            value = response.separable + float(price.sum()) + total
            if value < best:
                best, best_price = value, price.copy()
                self._prove(value, "knapsack")
            marks.append(best)
            if self._done() or (turn >= SETTLED and marks[-1 - PATIENCE] - best < WORTHWHILE * abs(best)):
                break
            mean = parts.copy() if mean is None else 0.9 * mean + 0.1 * parts
            surplus = 1.0 - np.bincount(arcs.account, 0.5 * (parts + mean), len(arcs.free))
            direction = np.where((price <= owed) & (surplus > 0), 0.0, surplus)
            norm = inner(direction, direction)
            if norm <= 0.0:
                break
            aim = 0.5 * (best + target) if np.isfinite(target) else best * (1 - 1e-3)
            price = np.maximum(price - step_size * max(value - aim, 0.0) / norm * direction, owed)
            step_size *= SHORTER
        if not self._done() and mean is not None:
            self._built(Worth.of(arcs, worth, best_price), mean, steps, "knapsacks")
        return best_price

    def _ruin(self, response: Response, price: Floats) -> None:
        """Free a few reps and fill them anew, on the concave values of reps at the prices of the last refit.

        Where no plan counts yet, the last owners are the start: accounts without an owner are worth most of all.
        """
        request, arcs = self.request, self.request.arcs
        assignment = self.last
        if self.best is not None:
            assignment = Assignment(request, self.steps)
            assignment.load(self.held)
        small = request.reps <= FEW
        gained: list[float] = []
        fit = self.best
        for turn in range(MORE_REFITS if small else REFITS):
            little = len(gained) > 1 and sum(gained[-2:]) < LITTLE * abs(self.best.value if self.best else 1.0)
            if assignment is None or self._done() or (little and not small and self.best is not None):
                return
            before = self.best.value if self.best is not None else 0.0
            quota_price = response.quota_price if fit is None else fit.quota_price
            worth, _ = self._worth(replace(response, lam=1.0 - quota_price))
            shaken = Worth.of(arcs, worth, price)
            if small and turn % len(NOISES) == 0 and turn > 0:
                assignment = Assignment(request, self.steps if self.best is not None else assignment.steps)
                assignment.build(shaken, self.chance.random(len(arcs.rep)))
                assignment.improve(shaken)
            sales = assignment.sales()
            low, high = self.refitting.box(self.refitting.everybody(assignment.owners()), sales)
            tables = RepTables.of(request, sales, low, high, quota_price)
            rounds, noise = max(SHAKES * request.reps, LEAST_ROUNDS), NOISES[turn % len(NOISES)]
            assignment.shake(shaken, response.extra, tables, response.step_price, rounds, noise, self.state)
            fit = self._count(assignment, f"ruin {turn + 1}") or self.best
            gained.append((self.best.value if self.best is not None else 0.0) - before)
