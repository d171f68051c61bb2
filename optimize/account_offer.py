"""Accounts and who may own them: what each brings whom, and the limits on owners and care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimize.account_limits import AccountLimit
from optimize.metrics import Rates
from optimize.pairs import Candidates, Pairs, Table
from optimize.programme.curves import CareCurve
from optimize.succession import Succession

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class AccountOffer:
    """Accounts and who may own them; -1 in ``base`` or ``today`` is a rep who carries no quota.

    An account a owned by r and cared for by h hours a year adds ``unit[a, r] * curve_a(h)`` to the sales of r, less
    the lead sales that its hours displace: ``displaced[a, r]`` at the planned care, and ``hour_price[r]`` per hour of
    care beyond it.

    Attributes:
        today: owner at the start of the horizon, before any plan, [A].
        base: owner in the plan that was simulated, [A].
        allowed: who may own it, [A, R].
        order_hours: hours that its orders ask of each owner, [A, R].
        care_load: hours of the calendar that one hour of care a year asks of each rep over the horizon, [R].
        kept: share of orders that a change of owner leaves, 1 for today's owner, [A, R].
        potential: what it adds to the potential of its owner, [A].
        history: what it adds to the last sales of its owner: history follows the account, [A].
        care_base: hours of care a year in the plan that was simulated, [A].
        care_budget: hours of care a year to hand out; None where care is not a decision.
        house: accounts that may also be left to the house, an owner who carries no quota, [A]; None where none may.
        limits: at most and at least how many accounts, by rep or team.
        barred: pairs that rules on who may take an account over leave out of ``allowed``, by rule.
        succession: who has the accounts of leavers after them.

    Figures by account and rep are tables or, in large companies, lists of pairs; see :mod:`optimize.pairs`.
    """

    ids: tuple[str, ...]
    today: Ints
    base: Ints
    allowed: Candidates
    unit: Table
    displaced: Table
    order_hours: Table
    care_load: Floats
    hour_price: Floats
    kept: Table
    potential: Floats
    history: Floats
    care_base: Floats
    curves: tuple[CareCurve, ...]
    care_budget: float | None
    max_moves: int
    max_per_rep: int | None
    house: Bools | None = None
    limits: tuple[AccountLimit, ...] = ()
    barred: Mapping[str, Pairs] = field(default_factory=dict)
    succession: Succession = field(default_factory=Succession)

    @cached_property
    def base_sales(self) -> Floats:
        """Sales in a year at the simulated plan's care and the reference owner, minor units, [A]."""
        return self.sales(self.care_base)

    def sales(self, care: Floats) -> Floats:
        """Sales in a year at these care hours and the reference owner, minor units, [A]."""
        return np.fromiter(map(CareCurve.sales, self.curves, care.tolist()), np.float64, len(self.curves))

    def values(self, account: Ints, rep: Ints, care: Floats, sales: Floats, rates: Rates | None = None) -> Floats:
        """As :meth:`value`, for pairs; care and sales by account, [A].

        Args:
            rates: of another metric, which is then what is added to.
        """
        extra = self.hour_price[rep] * self.care_load[rep] * (care - self.care_base)[account]
        worth, cost = self.unit[account, rep] * sales[account], self.displaced[account, rep]
        if rates is not None:
            return np.asarray(rates.of_accounts(account) * worth - rates.lead[rep] * (cost + extra))
        return np.asarray(worth - cost - extra)

    def potentials_handed_on(self, account: Ints, owner: Ints) -> Floats:
        """What succession adds to each rep's potential where accounts have these owners at the start, [R]."""
        return self.succession.moved(account, owner, self.potential, len(self.care_load))

    def histories_handed_on(self, account: Ints, owner: Ints) -> Floats:
        """What succession adds to each rep's last sales where accounts have these owners at the start, [R]."""
        return self.succession.moved(account, owner, self.history, len(self.care_load))

    def sales_handed_on(self, account: Ints, owner: Ints, rates: Rates | None = None) -> Floats:
        """What succession adds to the sales of each rep over the horizon at the simulated plan's care, [R].

        :meth:`value` gives a leaver what the account sells in the whole horizon, and hours of the leaver's time only.
        """
        out = np.zeros(len(self.care_load))
        for one in self.succession.of(account, owner):
            a, giver, taker = one.account, np.full_like(one.account, one.giver), np.full_like(one.account, one.taker)
            weight = one.part if rates is None else one.part * rates.of_accounts(a)
            out[one.giver] -= float(weight @ (self.unit[a, giver] * self.base_sales[a]))
            if one.taker >= 0:
                price = 1.0 if rates is None else float(rates.lead[one.taker])
                lost = price * float(one.part @ self.displaced[a, taker])
                out[one.taker] += float(weight @ (self.unit[a, taker] * self.base_sales[a])) - lost
        return out

    def hours_handed_on(self, account: Ints, owner: Ints) -> Floats:
        """Hours of the calendar that accounts ask of those who have them after a leaver, [R]."""
        out = np.zeros(len(self.care_load))
        for one in self.succession.of(account, owner):
            if one.taker >= 0:
                taker = np.full_like(one.account, one.taker)
                hours = self.order_hours[one.account, taker]
                hours = hours + self.care_load[one.taker] * self.care_base[one.account]
                # Hours are those of an owner's own days: of an heir who is there for a part of the horizon, too.
                out[one.taker] += float(one.part @ hours) / float(self.succession.there[one.taker])
        return out

    def value(self, account: int, rep: int, care: float) -> float:
        """What the account adds to the sales of this owner at this care, minor units over the horizon."""
        if rep < 0:
            return 0.0
        extra = self.hour_price[rep] * self.care_load[rep] * (care - self.care_base[account])
        worth = self.unit[account, rep] * self.curves[account].sales(care)
        return float(worth - self.displaced[account, rep] - extra)

    def hours(self, account: int, rep: int, care: float) -> float:
        """Hours of the calendar that the account asks of this owner over the horizon."""
        if rep < 0:
            return 0.0
        return float(self.order_hours[account, rep] + self.care_load[rep] * care)
