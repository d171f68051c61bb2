"""Care hours by prices: what every arc would give at a price of hours, and the best hours of settled owners."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.care_curves import ADBUDG, ELASTICITY, EXPONENTIAL, priced, sales_at
from optimize.by_prices.caring import settle
from optimize.problem import AllocationProblem, raised

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FORMS = {"elasticity": ELASTICITY, "exponential": EXPONENTIAL, "adbudg": ADBUDG}
PARAMETERS = 5


@dataclass(frozen=True)
class Care:
    """Care that is decided: an arc sells ``unit * curve(h) - settled - burden * h`` and asks ``order + load * h``.

    Attributes:
        form, parameters: of each account's curve, [F] and [F, 5].
        unit, settled, burden, order, load: of each arc, [P]; money in units of the programme.
        base: hours of the simulated plan; bottom, top: least and most that make sense, equal where locked, [F].
        counted: accounts whose change of care a step counts, 0 or 1, [F].
        budget: hours of all free accounts; change: hours that a step may change, infinite where none is limited.
    """

    form: Ints
    parameters: Floats
    unit: Floats
    settled: Floats
    burden: Floats
    order: Floats
    load: Floats
    base: Floats
    bottom: Floats
    top: Floats
    counted: Floats
    budget: float
    change: float

    def lowest(self, account: Ints) -> Floats:
        """Least value of each arc at any care, [P]."""
        return np.asarray(
            self.unit * self.curves(self.bottom)[account]
            - self.settled
            - np.maximum(self.burden, 0) * self.top[account]
        )

    def highest(self, account: Ints) -> Floats:
        """Most value of each arc at any care, [P]."""
        gift = np.maximum(-self.burden, 0.0) * self.top[account]
        return np.asarray(self.unit * self.curves(self.top)[account] - self.settled + gift)

    @cached_property
    def ends(self) -> Floats:
        """Sales of every free account in a year at the bottom and at the top, [F, 2]."""
        return np.column_stack([self.curves(self.bottom), self.curves(self.top)])

    def curves(self, hours: Floats) -> Floats:
        """Sales in a year of every free account at these hours, [F]."""
        return np.asarray(sales_at(self.form, self.parameters, hours))

    def at(
        self, account: Ints, rep: Ints, lam: Floats, mu: Floats, gamma: float, theta: float
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Best hours of every arc at prices, with the value, the hours of the rep and the price of the care, [P] each.

        Args:
            lam: worth of a unit of sales, [R]; mu: price of a rep's hour, [R].
            gamma: price of an hour of care; theta: of an hour that it changes.
        """
        count = len(account)
        care, value, hours, price = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
        priced(
            account, rep, self.form, self.parameters, self.unit, self.settled, self.burden, self.order, self.load,
            self.base, self.bottom, self.top, self.ends, self.counted, lam, mu, gamma, theta,
            care, value, hours, price,
        )  # fmt: skip
        return care, value, hours, price

    def of_owners(
        self, owned: Ints, arc: Ints, rep: Ints, lam: Floats, room: Floats, floor: Floats, resting: float
    ) -> Floats | None:
        """Best hours of free accounts whose owners are settled; None where hours do not fit. The rest get none, [F].

        Args:
            owned: accounts with an owner; arc: of each; rep: its owner.
            lam: worth of a unit of sales, [R]; room, floor: most and least hours of each rep for care, [R].
            resting: change of care at accounts without an owner.
        """
        hours = np.zeros(len(self.form))
        by_rep = np.argsort(rep, kind="stable")
        owned, arc, rep = owned[by_rep], arc[by_rep], rep[by_rep]
        first = np.searchsorted(rep, np.arange(len(lam) + 1)).astype(np.int64)
        found = np.empty(len(owned))
        fits = settle(
            first, self.form[owned], self.parameters[owned], lam[rep] * self.unit[arc], lam[rep] * self.burden[arc],
            self.load[arc], self.base[owned], self.bottom[owned], self.top[owned], self.ends[owned],
            self.counted[owned],
            room, floor, self.budget, self.change - resting, found,
        )  # fmt: skip
        if not fits:
            return None
        hours[owned] = found
        return hours


def care_of(problem: AllocationProblem, unit: float, free: Ints, account: Ints, rep: Ints) -> Care:
    """Care of the free accounts of a request.

    Args:
        account, rep: of each arc, positions in the request.
    """
    offer, locks = problem.accounts, problem.locks.care
    budget = float(offer.care_budget or 0.0)
    parameters = np.zeros((len(free), PARAMETERS))
    form, top = np.zeros(len(free), dtype=np.int64), np.zeros(len(free))
    for i, a in enumerate(free.tolist()):
        curve = offer.curves[a]
        form[i] = FORMS[curve.form]
        parameters[i, : len(curve.parameters)] = curve.parameters
        top[i] = max(min(budget, curve.useful), 0.0)
    bottom, counted = np.zeros(len(free)), np.ones(len(free))
    for a, hours in locks.items():
        at = int(np.searchsorted(free, a))
        if at < len(free) and free[at] == a:
            bottom[at] = top[at] = hours
            counted[at] = 0.0
    held = float(sum(hours for a, hours in locks.items() if a not in set(free.tolist())))
    displaced = offer.hour_price[rep] * offer.care_load[rep] / unit
    return Care(
        form=form,
        parameters=parameters,
        unit=offer.unit[account, rep] / unit,
        settled=offer.displaced[account, rep] / unit - displaced * offer.care_base[account],
        burden=displaced,
        order=offer.order_hours[account, rep],
        load=offer.care_load[rep],
        base=offer.care_base[free],
        bottom=bottom,
        top=top,
        counted=counted,
        budget=raised(budget, locks) - held,
        change=float("inf") if problem.trust is None else problem.trust.care,
    )
