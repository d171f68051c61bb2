"""What would change a quota: for each single thing that could be otherwise, how far it would have to go.

Every answer is found by splitting the same total again, owners, training and care held (but for the account that
moves), with one number changed, until the quota has moved by the share asked for. So it is exact for quotas before
rounding, and says nothing of a second thing that would change as well.

==================  ===============================================================================================
factor              the number
==================  ===============================================================================================
``company target``  the sum of all quotas, currency units; team totals stay
``team total``      the sum of the team's quotas, where it has a total
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
from itertools import pairwise

from optimize.locked import excuse
from optimize.pairs import owners_of
from optimize.parameters import PARAMETERS
from optimize.problem import AllocationProblem, Decisions, Floats, potentials
from optimize.quotas import possible_quotas

SHARE = 0.05
_FACTORS = (1.01, 1.02, 1.05, 1.1, 1.2, 1.35, 1.6, 2.0, 3.0, 5.0)
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
_HALVINGS = 60
_CLOSE = 1e-6
"""Relative width at which a search ends."""

Family = Callable[[float], tuple[AllocationProblem, Decisions]]


@dataclass(frozen=True)
class Lever:
    """One thing that, changed alone, would move one rep's quota.

    Attributes:
        subject: which team, account or rule; the rep for figures of the person.
        share: by how much the quota is to move, as a share of itself, with its sign.
        now, needed: the number as it is and as it would have to be, in ``unit``; ``needed`` is ``None`` where no value
            does it; both are ``None`` for an account.
        unit: ``currency``, ``share``, ``hours`` or empty.
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
) -> list[Lever]:
    """What would move each rep's quota by ``share`` up and down, one thing at a time.

    Args:
        reps: whose quotas; default all.
        territory_weight: how much of the basis of quotas is the territory: 0 full, .5 blend, 1 opportunity.

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
            search = _Search(problem, decisions, r, float(base[r]), territory_weight)
            for wanted in (share, -share):
                out += search.rows(wanted)
    return out


@dataclass(frozen=True)
class _Search:
    problem: AllocationProblem
    decisions: Decisions
    rep: int
    quota: float
    weight: float

    def rows(self, share: float) -> Iterator[Lever]:
        name, team = self.problem.reps[self.rep], self.problem.teams[self.rep]
        money = "currency"
        yield from self._scaled("company target", "company", share, self.problem.total, money, self._total)
        if team in self.problem.team_totals:
            total = self.problem.team_totals[team]
            yield from self._scaled("team total", team, share, total, money, lambda x: self._team_total(team, x))
        sales = float(self.problem.samples[:, self.rep].mean())
        yield from self._scaled("expected sales", name, share, sales, money, self._sales)
        if self.weight > 0:
            opportunity = float(self.problem.opportunity[self.rep])
            yield from self._scaled("territory", name, share, opportunity, money, self._territory)
        potential = float(potentials(self.problem, self.decisions.owner, self.decisions.shares)[self.rep])
        yield from self._scaled("potential", name, share, potential, money, self._potential)
        last = float(self.problem.last_sales[self.rep])
        if last > 0:
            yield from self._scaled("last sales", name, share, last, money, self._history)
        yield from self._accounts(share)
        yield from self._rules(share)

    def _moved(self, problem: AllocationProblem, decisions: Decisions) -> float | None:
        """By what share the quota moves."""
        quotas = possible_quotas(problem, decisions)
        return None if quotas is None else float(quotas[self.rep]) / self.quota - 1.0

    def _scaled(
        self, factor: str, subject: str, share: float, now: float, unit: str, family: Family
    ) -> Iterator[Lever]:
        """A figure times a factor, in whichever direction it takes the smaller change."""
        if now <= 0:
            return
        found = self._nearest(share, family, 1.0, [list(_FACTORS), [1 / f for f in _FACTORS]])
        if found is not None:
            needed, moves, reached = found
            name = self.problem.reps[self.rep]
            yield Lever(name, factor, subject, share, now, now * needed if reached else None, unit, moves)

    def _rules(self, share: float) -> Iterator[Lever]:
        for place, rule in enumerate(self.problem.rules):
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

                unit = "hours" if one.field == "hours" else "share"
                size = max(abs(now), 1.0) if unit == "hours" else 1.0
                ways = [[now + sign * step * size for step in _STEPS] for sign in (1, -1)]
                inside = [[value for value in way if one.least <= value <= one.most] for way in ways]
                found = self._nearest(share, family, now, inside)
                if found is not None:
                    needed, moves, reached = found
                    name = self.problem.reps[self.rep]
                    yield Lever(name, "rule", one.name, share, now, needed if reached else None, unit, moves)

    def _nearest(
        self, share: float, family: Family, now: float, ways: list[list[float]]
    ) -> tuple[float, float, bool] | None:
        """The value nearest to the present one at which the quota has moved by ``share``.

        Returns:
            The value, by what share the quota moves there, and whether that is enough; ``None`` where nothing moves it
            this way at all.
        """
        best: tuple[float, float] | None = None
        crossings: list[tuple[float, float]] = []
        for way in ways:
            for before, after in pairwise([now, *way]):
                moves = self._moved(*family(after))
                if moves is None:
                    break
                if moves * share > 1e-12 and (best is None or abs(moves) > abs(best[1])):
                    best = after, moves
                if (moves - share) * share >= 0:
                    crossings.append(self._halved(share, family, before, after))
                    break
        if crossings:
            value, moves = min(crossings, key=lambda found: abs(found[0] - now))
            return value, moves, True
        return None if best is None else (*best, False)

    def _halved(self, share: float, family: Family, short: float, enough: float) -> tuple[float, float]:
        """The first value that is enough, between one that is not and one that is."""
        for _ in range(_HALVINGS):
            if abs(enough - short) <= _CLOSE * max(abs(enough), 1e-3):
                break
            middle = (short + enough) / 2
            moves = self._moved(*family(middle))
            if moves is not None and (moves - share) * share >= 0:
                enough = middle
            else:
                short = middle
        return enough, self._moved(*family(enough)) or 0.0

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
