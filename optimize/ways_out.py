"""Ways out of a request without a plan: each is made in the request and solved again before it is told.

Questions to the programme with few pieces say by how much a rule must give way; whether that suffices is for the pass
to say that makes plans, whose quotas are exact under rules that tie people together. Where it does not, the amount is
widened until it does, and what only leads to a plan by more than :data:`WIDENINGS` doublings is not told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from optimize.decision_locks import DecisionLock, decision_locks
from optimize.easing import Way, eased, farthest, switched_off
from optimize.floors_told import floor_lowered, floor_removed, floor_step, is_floor
from optimize.giving_way import GivenWay
from optimize.least_loosening import least_loosening
from optimize.loosening import TOTAL, precedence, suffices
from optimize.nearest_sums import nearest_total
from optimize.problem import AllocationProblem, raised
from optimize.programme.blocks import Programme
from optimize.rule_words import amount_said, limit_said, said, size_of, unit_of
from optimize.rules import rule_name
from optimize.sums_told import figure_of, moved, nearest_way, removed, sum_loosened
from scenarios.errors import Said
from scenarios.goals import PotentialBand

Possible = Callable[[AllocationProblem], bool]
"""Whether a request has a plan: the pass that makes plans, run once."""

WIDENINGS, NARROWINGS, SMALL_NARROWINGS = 6, 5, 40
MOST_LEFT_OUT = 12
"""Last resorts up to which it is asked of each whether it is needed."""
DOUBLINGS = 13
"""Up to how many units, as a power of two, a small request is searched for an amount."""
FIRST_WIDENING = 0.1
"""Of an amount that turns out not to be enough: how much more is tried first."""
NO_BAND = 1.0
"""A range around the company's ratio that reaches down to nothing: rather than to be wider it is to be switched off."""
HUNDREDTH = 0.01
OR_LESS = Said(" (with other owners less may be enough)", "（客户归属另行安排时，放宽更少也可能足够）")
NEARER = Said(" (a nearer one may do as well)", "（更接近的合计也可能可行）")


@dataclass(frozen=True)
class WaysOut:
    """Finds ways out of one request.

    Attributes:
        asked: the request as it was given.
        problem: the request as the questions are put: nothing held for sure.
        possible: whether a request that was changed has a plan.
        owners_held: whether questions are about the simulated owners alone, so that amounts may be more than the least.
        small: whether the request is so small that the least is searched by plans instead.
    """

    asked: AllocationProblem
    problem: AllocationProblem
    possible: Possible
    owners_held: bool = False
    small: bool = False

    def alone(self, programme: Programme, name: str) -> Said | None:
        """How one rule, lock or total of a team gives way so that the programme and the whole request have a plan."""
        if precedence(name):
            way = sum_loosened(self.problem, programme, name) if suffices(programme.without([name])) else None
            return None if way is None else self.checked_sum(name, way)
        amount = self._least(programme, name)
        if amount is None and self.owners_held and self.small:
            return self._searched(name)
        return None if amount is None else self.checked(name, amount)

    def _searched(self, name: str) -> Said | None:
        """How a rule gives way alone that cannot with the simulated owners: by as much as plans are found with."""
        size, off = size_of(name), self.off(name)
        if size is None or (off.change is not None and not self._leads(off)):
            return None
        most = min(farthest(self.problem, name) / size, 2.0**DOUBLINGS)
        for told in (2.0**n for n in range(DOUBLINGS + 1)):
            if self._leads(self.way(name, min(told, most))):
                return self.checked(name, min(told, most) * size)
            if told >= most:
                break
        return off.said if off.change is not None else None

    def within(self, programme: Programme, name: str) -> Said | None:
        """The same for a programme without the other conflicts of the request, so that there is nothing to solve."""
        if precedence(name):
            way = sum_loosened(self.problem, programme, name) if suffices(programme.without([name])) else None
            return None if way is None else way.said
        amount = self._least(programme, name)
        return None if amount is None else self.way(name, self.told(name, amount)).said

    def _least(self, programme: Programme, name: str) -> float | None:
        """The least amount in a rule's own number; of a range that would have no lower end left, more than that."""
        if name == "potential_band" and not suffices(programme.loosened(name, self._last_band())):
            return self._last_band() + HUNDREDTH if suffices(programme.without([name])) else None
        return least_loosening(self.problem, programme, name, size_of(name) or 1.0)

    def checked(self, name: str, amount: float) -> Said | None:
        """A rule's loosening by an amount in its own number, or by more where that does not suffice."""
        found = self.enough(lambda told: self.way(name, told), self.told(name, amount), self._step(name))
        if found is not None:
            return self._or_less(found.said)
        off = self.off(name)
        return off.said if off.change is not None and self.possible(off.change(self.asked)) else None

    def _step(self, name: str) -> float:
        """The least difference between amounts of a rule that are told, in its unit."""
        if is_floor(name):
            return floor_step(self.problem, name)
        unit, _ = unit_of(name) or ("", 1.0)
        return 1.0 if unit.startswith(("accounts", "moves")) else HUNDREDTH

    def _or_less(self, way: Said) -> Said:
        """Says of an amount that other owners were not asked about."""
        if not self.owners_held or self.small:
            return way
        return Said(f"{way.english}{OR_LESS.english}", f"{way.chinese}{OR_LESS.chinese}")

    def checked_sum(self, name: str, way: Way) -> Said | None:
        """A sum's nearest value, or its removal where that does not suffice."""
        if way.change is None or self.possible(way.change(self.asked)):
            return way.said
        gone = removed(self.problem, name)
        return gone.said if gone.change is not None and self.possible(gone.change(self.asked)) else None

    def unlocked(self, lock: DecisionLock) -> Said | None:
        """A lock on a decision that is taken off, where that leads to a plan."""
        return lock.removed.said if self._leads(lock.removed) else None

    def total(self) -> Said | None:
        """The nearest total of the company that leads to a plan."""
        nearest = nearest_total(self.problem)
        if nearest is None:
            return None
        total, wanted = nearest.total, figure_of(self.problem, TOTAL)
        away = -1 if total < wanted else 1
        step = float(self.problem.rounding_step)

        def at(by: float) -> Way:
            return moved(self.problem, TOTAL, total + away * round(by))

        found = self.enough(at, 0.0, step)
        if found is None:
            return None
        if self.small and not nearest.nearest:
            # Plans are exact where the questions were not, so that a nearer total may do.
            nearer = self._narrowed(lambda by: self._leads(at(by)), -abs(wanted - total), 0.0, step)
            return at(nearer).said
        return (
            found.said
            if nearest.nearest
            else Said(f"{found.said.english}{NEARER.english}", f"{found.said.chinese}{NEARER.chinese}")
        )

    def enough(self, at: Callable[[float], Way], amount: float, step: float) -> Way | None:
        """The way out at the least amount that is known to lead to a plan; None where none was found.

        Args:
            step: amounts are multiples of it, or the first one.
        """
        way = at(amount)
        if way.change is None or self.possible(way.change(self.asked)):
            if self.small and self.owners_held and way.change is not None and amount > step:
                return at(self._narrowed(lambda by: self._leads(at(by)), 0.0, amount, step))
            return way
        # What floating point or rounding missed is no more than a step; else the questions were too coarse.
        wide = max(FIRST_WIDENING * amount, step)
        short, best = amount, math.inf
        for by in (step, *(wide * 2**n for n in range(WIDENINGS))):
            tried = math.ceil((short + by) / step - 1e-6) * step
            if self._leads(at(tried)):
                best = tried
                break
            short = tried
        return at(self._narrowed(lambda by: self._leads(at(by)), short, best, step)) if math.isfinite(best) else None

    def _narrowed(self, enough: Callable[[float], bool], short: float, best: float, step: float) -> float:
        """The least amount known to lead to a plan between one that does not and one that does."""
        for _ in range(SMALL_NARROWINGS if self.small else NARROWINGS):
            middle = math.ceil((short + best) / 2 / step - 1e-6) * step
            if not short < middle < best:
                break
            short, best = (short, middle) if enough(middle) else (middle, best)
        return best

    def _leads(self, way: Way) -> bool:
        return self._lead([way])

    def _lead(self, ways: Sequence[Way]) -> bool:
        """Whether all of these together lead to a plan."""
        changes = [way.change for way in ways if way.change is not None]
        return bool(changes) and self.possible(reduce(lambda asked, change: change(asked), changes, self.asked))

    def together(self, given: Sequence[GivenWay]) -> list[Said]:
        """What rules have to do that give way together; where the amounts do not suffice, larger ones, or none of them.

        Returns:
            Nothing where not even that is known to lead to a plan.
        """
        for factor in (1.0, *(1.0 + FIRST_WIDENING * 2**n for n in range(WIDENINGS))):
            ways = [self._given(one, factor) for one in given]
            changes = [way.change for way in ways if way.change is not None]
            if len(changes) < len(ways):
                return [way.said for way in ways]
            if self._lead(ways):
                return [way.said for way in self._each_narrowed(given, ways, factor)]
        without = [self._given(replace(one, amount=None), 1.0) for one in given]
        return [way.said for way in without] if self._lead(without) else []

    def _each_narrowed(self, given: Sequence[GivenWay], ways: Sequence[Way], factor: float) -> list[Way]:
        """Of amounts that were widened together, each no more than it has to be beside the others."""
        found = list(ways)
        for i, one in enumerate(given):
            if factor == 1.0 or one.amount is None or precedence(one.rule):
                continue

            def enough(amount: float, i: int = i, name: str = one.rule) -> bool:
                return self._lead([*found[:i], self.way(name, amount), *found[i + 1 :]])

            least, most = self.told(one.rule, one.amount), self.told(one.rule, one.amount * factor)
            amount = least if enough(least) else self._narrowed(enough, least, most, self._step(one.rule))
            found[i] = self.way(one.rule, amount)
        return found

    def _given(self, one: GivenWay, factor: float) -> Way:
        if precedence(one.rule):
            way = nearest_way(self.problem, one.rule, one.amount, alone=False)
            return removed(self.problem, one.rule) if way is None else way
        if one.amount is None:
            return self.off(one.rule)
        return self.way(one.rule, self.told(one.rule, one.amount * factor))

    def told(self, name: str, amount: float) -> float:
        """An amount in the rule's own number as it is told: in its unit, upwards, from the planner's number."""
        if is_floor(name):
            return amount
        unit, size = unit_of(name) or ("", 1.0)
        value = (amount + self._locked_beyond(name)) / size
        told = float(math.ceil(value - 1e-6) if unit.startswith(("accounts", "moves")) else _hundredths(value))
        most = farthest(self.problem, name) / size
        return told if math.isinf(most) else min(told, _hundredths(most))

    def way(self, name: str, told: float) -> Way:
        """A rule that gives way by so many of its units."""
        if is_floor(name):
            return floor_lowered(self.problem, name, told)
        if name == "potential_band" and told * HUNDREDTH > self._last_band() + HUNDREDTH / 2:
            return self.off(name)
        what, amount = said(name), amount_said(told, name)
        text = Said(f"{what.english}: loosen by {amount.english}", f"{what.chinese}：放宽 {amount.chinese}")
        return Way(text, eased(name, told * (size_of(name) or 1.0)))

    def off(self, name: str) -> Way:
        """A rule that is switched off, or a floor that is left out."""
        if is_floor(name):
            return floor_removed(self.problem, name)
        what, limit = said(name), limit_said(self.asked, name)
        english, chinese = f"{what.english}: {limit.english}", f"{what.chinese}：{limit.chinese}"
        return Way(Said(f"{english}: switch it off", f"{chinese}：停用"), switched_off(name))

    def last_resorts(self, conflict: Sequence[str]) -> tuple[list[Said], list[Said]]:
        """What may be left out where no amounts are known: one of the conflict or one lock, else what helps together.

        Returns:
            Single ways out, and those that have to be taken together.
        """
        ways = [
            removed(self.problem, name) if precedence(name) else self.off(name) for name in conflict if name != TOTAL
        ]
        locks = [lock.removed for lock in decision_locks(self.asked)]
        single = [way.said for way in (*ways, *locks) if self._leads(way)]
        if single:
            return single, []
        floors = [name for name in conflict if is_floor(name)]
        every = [*(name for rule in self.asked.rules for name in rule_name(rule)), *floors]
        rules = [way for name in every if (way := self.off(name)).change is not None]
        for several in (ways, locks, rules, [*rules, *locks]):
            possible = [way for way in several if way.change is not None]
            if self._lead(possible):
                return [], [way.said for way in self._needed(possible)]
        nothing = Said(
            "no rule or lock whose removal is proven to help: free accounts or people for others, or lower the target",
            "未能证明取消任何规则或锁定值有效：请放开更多可接手的客户或人员，或降低目标",
        )
        return [], [nothing]

    def _needed(self, ways: Sequence[Way]) -> list[Way]:
        """Of what leads to a plan together, no more than has to be taken: each is left out that can be."""
        found = list(ways)
        for way in ways if len(ways) <= MOST_LEFT_OUT else ():
            rest = [other for other in found if other is not way]
            if self._lead(rest):
                found = rest
        return found

    def _last_band(self) -> float:
        """By how much the range around the company's ratio can be wider."""
        band = next(rule for rule in self.problem.rules if isinstance(rule, PotentialBand))
        return max(NO_BAND - band.tolerance, 0.0)

    def _locked_beyond(self, name: str) -> float:
        """How far locks go beyond a limit: there the programme's row begins, but not the planner's number."""
        offer, locks = self.problem.training, self.problem.locks
        care, money = self.problem.accounts.care_budget or 0.0, float(offer.money or 0)
        beyond = {
            "care_budget": raised(care, locks.care) - care,
            "training_budget": raised(offer.budget, locks.training) - offer.budget,
            "training_money": (raised(money, locks.training, offer.price) - money) / 100,
        }
        return beyond.get(name, 0.0)


def _hundredths(value: float) -> float:
    """Two decimals, upwards, so that the stated amount suffices."""
    return math.ceil(value * 100 - 0.02) / 100
