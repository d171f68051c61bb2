"""What would change a quota: for each single thing that could be otherwise, how far it would have to go.

Every answer is found by splitting the same total again, owners, training and care held (but for the account that
moves), with one number changed, until the quota has moved by the share asked for. So it is exact for quotas before
rounding, and says nothing of a second thing that would change as well.

==================  ===============================================================================================
factor              the number
==================  ===============================================================================================
``company target``  the company's target, currency units; quotas sum to it with over-assignment; team totals stay
``team target``     the team's, where its quotas have a sum of their own
``expected sales``  of the rep: skill, workload, pipeline; the territory stays
``territory``       what a reference rep would sell there, and the potential with it
``potential``       the figure that rules measure quotas against
``last sales``      the figure that growth is measured against
``account``         one account that comes or goes
``rule``            the number of one fairness rule
==================  ===============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from optimize.crossings import Line, nearest
from optimize.locked import excuse
from optimize.pairs import owners_of
from optimize.parameters import PARAMETERS
from optimize.problem import AllocationProblem, Decisions, Floats, potentials
from optimize.quotas import possible_quotas
from scenarios.goals import TrainingFloor, Workload

SHARE = 0.05
_STEPS = (0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0)
_FAR = (3.0, 10.0)
"""Distances at which the number of a rule is tried."""
_FACTORS = (*(1.0 + step for step in _STEPS), 2.5, 3.0, 4.0, 5.0, 10.0, 100.0, 1000.0)
"""What an amount is multiplied with, and divided by, where it is tried."""

Family = Callable[[float], tuple[AllocationProblem, Decisions]]


@dataclass(frozen=True)
class Lever:
    """One thing that, changed alone, would move one rep's quota.

    Attributes:
        subject: which team, account or rule; the rep for figures of the person.
        share: by how much the quota is to move, as a share of itself, with its sign.
        now, needed: the number as it is and as it would have to be, in ``unit``; ``needed`` is ``None`` where no value
            does it; both are ``None`` for an account.
        unit: ``currency``, ``share`` or empty.
        moves: by what share the quota then moves. It falls short where nothing of this kind does as much.
        told: what the change is, in words, where a number does not say it.
    """

    rep: str
    factor: str
    subject: str
    share: float
    now: float | None
    needed: float | None
    unit: str
    moves: float
    told: str = ""

    @property
    def reached(self) -> bool:
        """Whether the quota moves as far as asked for."""
        return abs(self.moves) >= abs(self.share) * (1 - 1e-6) and self.moves * self.share > 0


def levers(
    problem: AllocationProblem,
    decisions: Decisions,
    *,
    reps: Sequence[str] | None = None,
    share: float = SHARE,
    territory_weight: float = 0.0,
    over_assignment: float = 0.0,
) -> list[Lever]:
    """What would move each rep's quota by ``share`` up and down, one thing at a time.

    Args:
        reps: whose quotas; default all.
        territory_weight: how much of the basis of quotas is the territory: 0 full, .5 blend, 1 opportunity.
        over_assignment: by what share sums of quotas lie above targets, in terms of which they are told.

    Returns:
        Rows by rep, direction and factor; a factor that cannot move the quota at all is left out. A locked quota has
        one row, which names the lock.
    """
    base = possible_quotas(problem, decisions)
    if base is None:
        return []
    chosen = range(len(problem.reps)) if reps is None else [problem.reps.index(rep) for rep in reps]
    out: list[Lever] = []
    for r in chosen:
        if r in problem.locks.quota:
            out.append(Lever(problem.reps[r], "lock", problem.reps[r], share, None, None, "", 0.0, excuse(problem, r)))
        elif base[r] > 0:
            search = _Search(problem, decisions, r, float(base[r]), territory_weight, over_assignment)
            for wanted in (share, -share):
                out += search.rows(wanted)
    return out


@dataclass(frozen=True)
class _Number:
    """One number that could be otherwise: as it is, and the values that are tried upwards and downwards."""

    factor: str
    subject: str
    now: float
    unit: str
    ways: tuple[list[float], list[float]]
    line: Line


@dataclass(frozen=True)
class _Search:
    problem: AllocationProblem
    decisions: Decisions
    rep: int
    quota: float
    weight: float
    over: float

    @cached_property
    def numbers(self) -> tuple[list[_Number], list[_Number]]:
        """Figures and numbers of rules that could be otherwise; what one direction asks of them the other knows."""
        name, team = self.problem.reps[self.rep], self.problem.teams[self.rep]
        asked = 1.0 + self.over
        out = [*self._scaled("company target", "company", self.problem.total / asked, self._total)]
        if team in self.problem.team_totals:
            total = self.problem.team_totals[team]
            out += self._scaled("team target", team, total / asked, lambda factor: self._team_total(team, factor))
        out += self._scaled("expected sales", name, float(self.problem.samples[:, self.rep].mean()), self._sales)
        if self.weight > 0:
            out += self._scaled("territory", name, float(self.problem.opportunity[self.rep]), self._territory)
        potential = float(potentials(self.problem, self.decisions.owner, self.decisions.shares)[self.rep])
        out += self._scaled("potential", name, potential, self._potential)
        out += self._scaled("last sales", name, float(self.problem.last_sales[self.rep]), self._history)
        return out, [*self._rules()]

    def rows(self, share: float) -> Iterator[Lever]:
        """What moves the quota by a share, one thing at a time."""
        figures, rules = self.numbers
        yield from self._numbered(share, figures)
        yield from self._accounts(share)
        yield from self._numbered(share, rules)

    def _numbered(self, share: float, numbers: Sequence[_Number]) -> Iterator[Lever]:
        rep = self.problem.reps[self.rep]
        for one in numbers:
            found = nearest(one.line, share, one.now, one.ways)
            if found is not None:
                value, moves, reached = found
                needed = value if reached else None
                yield Lever(rep, one.factor, one.subject, share, one.now, needed, one.unit, moves)

    def _moved(self, problem: AllocationProblem, decisions: Decisions) -> float | None:
        """By what share the quota moves."""
        quotas = possible_quotas(problem, decisions)
        return None if quotas is None else float(quotas[self.rep]) / self.quota - 1.0

    def _line(self, family: Family) -> Line:
        return Line(lambda value: self._moved(*family(value)))

    def _scaled(self, factor: str, subject: str, now: float, family: Family) -> Iterator[_Number]:
        """An amount of money times a factor."""
        if now > 0:
            ways = [now * f for f in _FACTORS], [now / f for f in _FACTORS]
            yield _Number(factor, subject, now, "currency", ways, self._line(lambda value: family(value / now)))

    def _rules(self) -> Iterator[_Number]:
        """The numbers of the rules on quotas; what limits workload or training moves none while these are held."""
        for place, rule in enumerate(self.problem.rules):
            if isinstance(rule, Workload | TrainingFloor):
                continue
            for one in PARAMETERS:
                now = one.of(rule)
                if now is None:
                    continue

                def family(
                    value: float, place: int = place, field: str = one.field
                ) -> tuple[AllocationProblem, Decisions]:
                    rules = list(self.problem.rules)
                    rules[place] = rules[place].model_copy(update={field: value})
                    return self.problem.with_rules(tuple(rules)), self.decisions

                least, most = max(one.least, now - _FAR[-1]), min(one.most, now + _FAR[-1])
                up = [*(now + step for step in (*_STEPS, *_FAR) if now + step < most), most]
                down = [*(now - step for step in (*_STEPS, *_FAR) if now - step > least), least]
                yield _Number("rule", one.name, now, "share", (up, down), self._line(family))

    def _accounts(self, share: float) -> Iterator[Lever]:
        """The account whose coming or going moves the quota just enough; else the one that moves it most."""
        offer, owner, rep = self.problem.accounts, self.decisions.owner, self.rep
        found: list[tuple[float, str, str]] = []
        for a, account in enumerate(offer.ids):
            if a in self.problem.locks.owner:
                continue
            able = owners_of(offer.allowed, a).tolist()
            takers = able if owner[a] == rep else [rep] if rep in able else []
            for taker in takers:
                if taker == owner[a]:
                    continue
                after = owner.copy()
                after[a] = taker
                moves = self._moved(self.problem, replace(self.decisions, owner=after))
                if moves is not None and moves * share > 1e-12:
                    giver = self.problem.reps[owner[a]] if owner[a] >= 0 else "nobody with a quota"
                    found.append((moves, account, f"{account} from {giver} to {self.problem.reps[taker]}"))
        if not found:
            return
        enough = [one for one in found if abs(one[0]) >= abs(share)]
        chosen = min(enough, key=lambda one: abs(one[0])) if enough else max(found, key=lambda one: abs(one[0]))
        yield Lever(self.problem.reps[rep], "account", chosen[1], share, None, None, "", chosen[0], chosen[2])

    def _total(self, factor: float) -> tuple[AllocationProblem, Decisions]:
        return replace(self.problem, total=self.problem.total * factor), self.decisions

    def _team_total(self, team: str, factor: float) -> tuple[AllocationProblem, Decisions]:
        totals = self.problem.team_totals | {team: self.problem.team_totals[team] * factor}
        return replace(self.problem, team_totals=totals), self.decisions

    def _sales(self, factor: float) -> tuple[AllocationProblem, Decisions]:
        """More sales of the person in the same territory: quotas follow as far as their basis is the person."""
        return self._with_column(factor, self._basis_factor(factor, 1.0)), self.decisions

    def _territory(self, factor: float) -> tuple[AllocationProblem, Decisions]:
        """A larger territory: its opportunity and potential, and the basis of quotas as far as it is the territory."""
        changed, _ = self._potential(factor)
        opportunity = _times(self.problem.opportunity, self.rep, factor)
        basis = _times_column(self.problem.basis, self.rep, self._basis_factor(1.0, factor))
        return replace(changed, opportunity=opportunity, basis=basis), self.decisions

    def _basis_factor(self, person: float, territory: float) -> float:
        """By how much the mean of the basis moves when person and territory do."""
        mean = float(self.problem.samples[:, self.rep].mean())
        place = float(self.problem.opportunity[self.rep] * self.problem.ramp[self.rep])
        before = self.weight * place + (1 - self.weight) * mean
        after = self.weight * place * territory + (1 - self.weight) * mean * person
        return after / before if before > 0 else person

    def _with_column(self, samples: float, basis: float) -> AllocationProblem:
        made = _times_column(self.problem.samples, self.rep, samples)
        same = self.problem.basis is self.problem.samples
        return replace(
            self.problem, samples=made, basis=made if same else _times_column(self.problem.basis, self.rep, basis)
        )

    def _potential(self, factor: float) -> tuple[AllocationProblem, Decisions]:
        """The rep's whole potential, accounts in it, times a factor."""
        whole = float(potentials(self.problem, self.decisions.owner, self.decisions.shares)[self.rep])
        potential = self.problem.potential.copy()
        potential[self.rep] += whole * (factor - 1.0)
        return replace(self.problem, potential=potential), self.decisions

    def _history(self, factor: float) -> tuple[AllocationProblem, Decisions]:
        return replace(self.problem, last_sales=_times(self.problem.last_sales, self.rep, factor)), self.decisions


def _times(values: Floats, rep: int, factor: float) -> Floats:
    out = values.copy()
    out[rep] *= factor
    return out


def _times_column(values: Floats, rep: int, factor: float) -> Floats:
    out = values.copy()
    out[:, rep] *= factor
    return out
