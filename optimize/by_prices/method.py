"""The method by prices: a dual bound, a plan from its prices, a bound by knapsacks, and search while the gap is wide.

Stages: prices by L-BFGS on the smoothed dual; owners greedily by those prices, improved by knapsacks and ejection
chains, and quotas and training refitted by the programme; account prices by a volume-type subgradient (Barahona and
Anbil 2000) with an exact knapsack for each rep, which also bounds what whole accounts can do; ruin and recreate;
branch and bound over what is still open, where that is little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.assignment import NODES, Assignment, RepTables, StepPrices, Worth
from optimize.by_prices.closing import AT_ONCE, MOST_ARCS, Closing
from optimize.by_prices.descent import inner
from optimize.by_prices.kernels import knapsack_bound
from optimize.by_prices.priced import BoundType, Priced, Start
from optimize.by_prices.refit import ALLOWED, Refit, Refitting
from optimize.by_prices.relaxation import IMPOSSIBLE, SMOOTHNESS, Relaxation, Response
from optimize.by_prices.request import Request, request_of
from optimize.by_prices.starts import Offer, first_steps, home
from optimize.by_prices.two_stages import prices_of_sales
from optimize.problem import AllocationProblem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAP = 1e-3
"""Proven gap at which the method stops by default."""

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


def by_prices(
    problem: AllocationProblem,
    gap: float = GAP,
    seed: int = 0,
    start: Start | None = None,
    *,
    closing: bool = True,
    ceiling: float = np.inf,
) -> Priced | None:
    """A plan with a proven gap; None where no owners that the search found leave room for quotas under all rules.

    The bound is that of the request without the rules that prices do not know: it is never too low. The plan keeps
    all rules.

    Args:
        gap: proven relative gap at which to stop.
        start: where the search for a request of the same size ended; it changes how soon this one ends, and no bound
            is taken over.
        closing: whether branch and bound closes what prices and search leave open, where that is little enough.
        ceiling: what no plan is known to exceed, minor units, as :attr:`Priced.bound` counts.
    """
    found = _Search(problem, gap, seed, closing, ceiling).run(start)
    return found if found is not None or start is None else _Search(problem, gap, seed, closing, ceiling).run()


def priced_or_bound(problem: AllocationProblem, gap: float = GAP) -> Priced | float:
    """The plan of :func:`by_prices`; without one, what no plan exceeds, minor units as :attr:`Priced.bound`.

    Minus infinity where prices prove that there is no plan. Beside locks they do not: there rules may give way further
    than prices let them.
    """
    search = _Search(problem, gap, 0, True, np.inf)
    found = search.run()
    return search.bound * search.request.unit if found is None else found


class _Search:
    def __init__(self, problem: AllocationProblem, gap: float, seed: int, closing: bool, ceiling: float) -> None:
        self.problem, self.gap, self.closing = problem, gap, closing
        self.reproducible = True
        self.request: Request = request_of(problem)
        self.refitting = Refitting(problem, self.request)
        self.state = np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 % 2**64], dtype=np.uint64)
        self.chance = np.random.default_rng(seed)
        self.simulated = self.request.sells * float(problem.samples.mean(axis=0).sum())
        self.bound = ceiling / self.request.unit
        self.bound_type: BoundType = "given" if np.isfinite(ceiling) else "linear"
        self.best: Refit | None = None
        self.kept: Assignment | None = None
        self.last: Assignment | None = None
        self.stages: list[tuple[str, float, float]] = []

    def run(self, start: Start | None = None) -> Priced | None:
        joint, plain = self.request.counts > 0.0, self.request.arcs.care is None and self.request.counts > 0.0
        relaxation = Relaxation(self.request)
        size = (relaxation.size, len(self.request.arcs.free))
        if start is not None and (not plain or (len(start.prices), len(start.accounts)) != size):
            start = None
        if not joint:
            prices, response = prices_of_sales(self.request)
        else:
            prices, response = relaxation.solve() if start is None else relaxation.solve(start.prices, SMOOTHNESS[-1:])
        if response.value < IMPOSSIBLE * self.request.row_high[0]:
            # Beside locks, rules may still give way further than prices let them.
            held = np.full(size[1], -1, dtype=np.int64)
            end = Start(prices, np.zeros(size[1]), held, np.zeros(self.request.reps, dtype=np.int64))
            if self.problem.locks:
                return self._found(end) if self._close(response, AT_ONCE) else None
            self.bound = -np.inf
            return None
        self._prove(response.value, "linear")
        if joint:
            self._prove(self.request.counts * float(self.request.row_high[0]), "total")  # no more than the quotas
        offer = self.offer = Offer.of(self.request, response)
        self.refitting.lam = response.lam
        self._as_simulated()
        steps = first_steps(offer, response)
        worth, price = self._worth(response)
        if start is None:
            self._first_owners(response, worth, price, steps)
            if not self._done() and self.request.arcs.care is None:
                price = self._knapsacks(response, worth, price, steps, ROUNDS)
        else:
            price = self._again(start, response, worth, steps)
        tried = self._close(response, AT_ONCE)
        if not self._done():
            self._ruin(response, price)
        if not tried:
            self._close(response, MOST_ARCS)
        kept = Assignment(offer.request, steps) if self.kept is None else self.kept
        return self._found(Start(prices, price, kept.held, kept.steps))

    def _found(self, end: Start) -> Priced | None:
        if self.best is None:
            return None
        bound, stages = self.bound * self.request.unit, tuple(self.stages)
        return Priced(self.best, bound, self.bound_type, stages, end, self.simulated, self.reproducible)

    def _close(self, response: Response, most: int) -> bool:
        """Branch and bound over what may still be better than half the gap; whether that was little enough to try."""
        if self._proven() or not self.closing:
            return False
        closing = Closing(self.problem, self.refitting, response)
        best = self.best
        # Before any plan, the size of one is a guess: half of what there is to attain.
        size = 0.5 * self.problem.total if best is None else abs(best.value + self.simulated)
        half = 0.5 * self.gap * size
        above = None if best is None else best.value + half
        if not closing.within_reach(above, most):
            return False
        found = closing.run(best, above, half)
        self.reproducible &= found.reproducible
        if found.plan is not None and (found.broken or found.plan.better_than(best)):
            self.best = found.plan
            if found.broken:
                self.bound = np.inf  # it bounds plans that break rules for locks further, too
        self._prove(found.bound / self.request.unit, "closed")
        self.stages.append(("closed", self.best.value if self.best is not None else -np.inf, found.bound))
        return True

    def _as_simulated(self) -> None:
        """The simulated plan is one that a step may always stay at."""
        if self.problem.trust is not None:
            fit = self.refitting.of(self.problem.base_decisions())
            if fit is not None and fit.breach <= ALLOWED:
                self.best = fit

    def _prove(self, bound: float, kind: BoundType) -> None:
        if bound < self.bound:
            self.bound, self.bound_type = bound, kind

    def _done(self) -> bool:
        """Whether to search no further: another plan may still leave quotas the whole steps that the best does not."""
        return self.best is not None and self.best.in_steps and self._proven()

    def _proven(self) -> bool:
        if self.best is None:
            return False
        size = abs(self.best.value + self.simulated)
        return self.bound * self.request.unit - self.best.value <= self.gap * size

    def _count(self, assignment: Assignment, stage: str) -> Refit | None:
        """Refit an assignment; a plan counts only where every rule holds."""
        fit = self.refitting.fit(assignment)
        counts = fit is not None and fit.breach <= ALLOWED and assignment.complete()
        if fit is not None and counts and fit.better_than(self.best):
            self.best, self.kept = fit, assignment.copy()
        value = self.best.value if self.best is not None else -np.inf
        self.stages.append((stage, value, self.bound * self.request.unit))
        return fit if counts else None

    def _worth(self, response: Response) -> tuple[Floats, Floats]:
        """Worth of each arc without its limited hours, and the price of each account at the dual."""
        worth, price = self.offer.worth(response.lam), response.rest.copy()
        np.maximum.at(price, self.offer.request.arcs.account, self.offer.reduced(worth))
        return worth, price

    def _first_owners(self, response: Response, worth: Floats, price: Floats, steps: Ints) -> None:
        arcs = self.offer.request.arcs
        near = (self.offer.reduced(worth) >= (price - 0.01 * arcs.largest)[arcs.account]).astype(np.float64)
        self._built(Worth.of(arcs, worth, price), near, steps, "prices")
        if self.kept is None:
            at_home = Assignment(self.offer.request, steps)
            at_home.load(home(self.offer.request, self.problem))
            at_home.improve(Worth.of(arcs, worth, price), sweeps=2)
            self._count(at_home, "as simulated")
        if self._done() or self.request.counts <= 0.0 or np.median(response.lam) >= SATURATED:
            return
        # Marginal worths vanish where everybody has more than enough: then average worths guide better.
        flat = self.offer.worth(np.maximum(response.lam, 2 * SATURATED))
        nothing = np.where(arcs.rests, 0.0, -np.abs(flat).max(initial=0.0))
        self._built(Worth.of(arcs, flat, nothing), np.zeros_like(near), steps, "saturated")

    def _again(self, start: Start, response: Response, worth: Floats, steps: Ints) -> Floats:
        """One bound by the old account prices, and the old owners and steps, improved where they are no plan."""
        assignment = Assignment(self.offer.request, start.steps)
        assignment.load(start.held)
        self._count(assignment, "begun")
        price = self._knapsacks(response, worth, start.accounts, steps, PATIENCE)
        if self.best is None:
            assignment.improve(Worth.of(self.request.arcs, worth, price), sweeps=2)
            self.last = assignment
            self._count(assignment, "begun, improved")
        return price

    def _built(self, worth: Worth, liking: Floats, steps: Ints, stage: str) -> Refit | None:
        assignment = Assignment(self.offer.request, steps)
        assignment.build(worth, liking)
        assignment.improve(worth, sweeps=2)
        self.last = assignment
        return self._count(assignment, stage)

    def _knapsacks(self, response: Response, worth: Floats, price: Floats, steps: Ints, rounds: int) -> Floats:
        """Tighten the bound by account prices; owners by what the knapsacks chose on average. Returns the prices."""
        request, arcs, training = self.request, self.request.arcs, self.offer.request.training
        step_worth = response.lam[:, None] * training.gain - response.apart_price * training.away - response.step_price
        step_worth = -np.sort(-np.where(training.taken(training.able) > 0, step_worth, -np.inf), axis=1)
        step_worth[np.isinf(step_worth)] = 0.0
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
        if not self._done() and mean is not None and rounds > 1:
            self._built(Worth.of(arcs, worth, best_price), mean, steps, "knapsacks")
        return best_price

    def _ruin(self, response: Response, price: Floats) -> None:
        """Free a few reps and fill them anew, on the concave values of reps at the prices of the last refit.

        Where no plan counts yet, the last owners are the start: accounts without an owner are worth most of all.
        """
        request, offer = self.offer.request, self.offer
        arcs, prices = request.arcs, StepPrices(response.step_price, response.apart_price)
        assignment = self.last if self.kept is None else self.kept.copy()
        small = request.reps <= FEW
        gained: list[float] = []
        fit = self.best
        for turn in range(MORE_REFITS if small else REFITS):
            little = len(gained) > 1 and sum(gained[-2:]) < LITTLE * abs(self.best.value if self.best else 1.0)
            if assignment is None or self._done() or (little and not small and self.kept is not None):
                return
            before = self.best.value if self.best is not None else 0.0
            quota_price = response.quota_price if fit is None else fit.quota_price
            worth = offer.worth(request.sells + request.counts * (1.0 - quota_price))
            shaken = Worth.of(arcs, worth, price)
            if small and turn % len(NOISES) == 0 and turn > 0:
                assignment = Assignment(request, assignment.steps if self.kept is None else self.kept.steps)
                assignment.build(shaken, self.chance.random(len(arcs.rep)))
                assignment.improve(shaken)
            sales = assignment.sales()
            low, high = self.refitting.box(self.refitting.everybody(assignment.owners()), sales)
            tables = RepTables.of(request, sales, low, high, quota_price)
            rounds, noise = max(SHAKES * request.reps, LEAST_ROUNDS), NOISES[turn % len(NOISES)]
            assignment.shake(shaken, offer.extra, tables, prices, rounds, noise, self.state)
            fit = self._count(assignment, f"ruin {turn + 1}") or self.best
            gained.append((self.best.value if self.best is not None else 0.0) - before)
