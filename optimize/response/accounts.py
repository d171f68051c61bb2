"""What each account sells under each owner and care, and the hours it asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimize.eligibility import owned_accounts
from optimize.programme.curves import CareCurve
from optimize.response.people import People
from optimize.response.succession import succession
from optimize.succession import Succession
from scenarios import physics
from scenarios.lunar import season_month
from scenarios.market import Account, AccountPhysics, AdbudgCare, ExponentialCare, Tier
from scenarios.today import care_planned

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class AccountFigures:
    """Accounts with an owner today; A accounts, R reps. Expected values by the physics, scaled by one fitted factor."""

    people: People

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """Accounts that have an owner."""
        return owned_accounts(self.people.scenario)

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """Tier of each account."""
        by_id = {tier.id: tier for tier in self.people.scenario.tiers}
        return tuple(by_id[account.tier] for account in self.accounts)

    @property
    def physics(self) -> AccountPhysics:
        """Given wherever there are accounts."""
        rule = self.people.scenario.account_physics
        if rule is None:
            raise ValueError("accounts need account_physics")
        return rule

    @cached_property
    def today(self) -> Ints:
        """Position of today's owner, -1 for one who carries no quota, [A]."""
        return np.array([self.people.places.get(a.owner or "", -1) for a in self.accounts], dtype=np.int64)

    @cached_property
    def base(self) -> Ints:
        """Position of the owner under the plan, [A]."""
        owners = self.people.plan.owner_of()
        names = [owners.get(account.id, account.owner or "") for account in self.accounts]
        return np.array([self.people.places.get(name, -1) for name in names], dtype=np.int64)

    @cached_property
    def care(self) -> Floats:
        """Care hours a year under the plan, [A]."""
        planned = care_planned(self.people.scenario) | self.people.plan.care_hours()
        return np.array([planned[account.id] for account in self.accounts])

    @cached_property
    def curves(self) -> tuple[CareCurve, ...]:
        """Sales in a year by hours of care at the reference owner, minor units."""
        return tuple(self._curve(account, tier) for account, tier in zip(self.accounts, self.tiers, strict=True))

    def _curve(self, account: Account, tier: Tier) -> CareCurve:
        response, rule = account.care_response, self.physics
        if isinstance(response, ExponentialCare):
            return CareCurve("exponential", (float(response.ceiling), response.rate_per_hour))
        if isinstance(response, AdbudgCare):
            values = (float(response.low), float(response.high), response.shape, response.half, response.hours_now)
            return CareCurve("adbudg", values)
        yearly = _orders(account, tier) * tier.order_value.mean_value() * 100.0
        owed = tier.care_hours_per_year
        useful = owed * rule.care_ratio_cap if owed > 0 and rule.care_elasticity > 0 else 0.0
        return CareCurve("elasticity", (yearly, owed, rule.care_elasticity, rule.care_ratio_cap), useful)

    @property
    def years(self) -> float:
        """Length of the horizon in years of 365 days."""
        calendar = self.people.scenario.calendar
        return (calendar.end - calendar.start).days / 365.0

    @cached_property
    def by_day(self) -> dict[str, Floats]:
        """A year's orders that fall on each day of the horizon, by tier: the season, less who leaves on the way."""
        if not self.accounts:
            return {}
        calendar = self.people.scenario.calendar
        season = np.array(self.physics.season) / np.mean(self.physics.season)
        days = range(calendar.start.toordinal(), calendar.end.toordinal())
        dates = map(date.fromordinal, days)
        follows = self.physics.season_follows == "lunar_new_year"
        weight = season[[season_month(day) if follows else day.month - 1 for day in dates]] / 365.0
        age = (np.arange(len(weight)) + 0.5) / 365.0
        return {tier.id: weight * np.power(1.0 - tier.churn_per_year, age) for tier in self.tiers}

    @cached_property
    def share_of_year(self) -> Floats:
        """A year's orders that fall into the horizon, [A]."""
        by_tier = {tier: float(days.sum()) for tier, days in self.by_day.items()}
        return np.array([by_tier[tier.id] for tier in self.tiers])

    @cached_property
    def succession(self) -> Succession:
        """Who has the accounts of leavers after them."""
        return succession(self.people, tuple(tier.id for tier in self.tiers), self.by_day)

    @cached_property
    def kept(self) -> Floats:
        """What a change of owner leaves of the horizon's orders, 1 for today's owner, [A, R]."""
        out = np.ones((len(self.accounts), self.people.count))
        if self.accounts:
            loss = 1.0 - physics.handover_factor(0.0, self.physics.handover_loss)
            out[:] = 1.0 - loss * min(self.years, 1.0) / self.years
            known = self.today >= 0
            out[np.flatnonzero(known), self.today[known]] = 1.0
        return out

    @cached_property
    def owner_factors(self) -> Floats:
        """What each rep as owner makes of orders, [R]."""
        return np.array([self.people.owner_factor(float(skill)) for skill in self.people.relationship])

    @cached_property
    def fitted(self) -> float:
        """Simulated over expected sales of all these accounts: one factor for the company, so that noise stays out."""
        cube = self.people.outcome["account"]
        totals = cube.total("revenue").mean(axis=0)
        place = {key: i for i, key in enumerate(cube.keys)}
        simulated = sum(float(totals[place[account.id]]) for account in self.accounts)
        rows = np.arange(len(self.accounts))
        factors = self.kept * self.owner_factors
        factor = np.where(self.base >= 0, factors[rows, np.maximum(self.base, 0)], 1.0)
        expected = float((self.reference * factor).sum())
        for one in self.succession.of(rows, self.base):
            after = factors[one.account, one.taker] if one.taker >= 0 else 1.0
            expected += float((one.part * self.reference[one.account]) @ (after - factor[one.account]))
        return simulated / expected if expected > 0 and simulated > 0 else 1.0

    @cached_property
    def reference(self) -> Floats:
        """Expected sales of each account over the horizon under a reference owner at the plan's care, unscaled, [A]."""
        sales = [curve.sales(float(care)) for curve, care in zip(self.curves, self.care, strict=True)]
        return np.array(sales) * self.share_of_year if sales else np.zeros(0)

    @cached_property
    def unit(self) -> Floats:
        """Turns sales in a year at the reference owner into sales over the horizon under each owner, [A, R]."""
        return self.kept * self.owner_factors * self.share_of_year.reshape(-1, 1) * self.fitted

    @cached_property
    def effort(self) -> Floats:
        """Hours of the calendar per hour of effort on accounts, [R]."""
        skills = self.people.relationship
        return np.array([self.people.account_effort(r, float(skills[r])) for r in range(self.people.count)])

    @cached_property
    def order_hours(self) -> Floats:
        """Hours of the calendar that the orders of an account ask of each owner while there, [A, R]."""
        if not self.accounts:
            return np.zeros((0, self.people.count))
        orders = np.array([_orders(a, tier) for a, tier in zip(self.accounts, self.tiers, strict=True)])
        each = self.physics.order_effort_hours.mean_value()
        over_horizon = self.kept * self.owner_factors * (orders * self.share_of_year).reshape(-1, 1)
        return np.asarray(over_horizon * each * self.effort * self.people.time.share)

    @cached_property
    def care_load(self) -> Floats:
        """Hours of the calendar that each rep gives while there per hour of care a year, [R]."""
        return np.asarray(self.effort * self.years * self.people.time.share)

    def hours(self) -> Floats:
        """Hours of the calendar that each account asks of each owner over the horizon, [A, R]."""
        return np.asarray(self.order_hours + self.care.reshape(-1, 1) * self.care_load)

    def base_hours(self) -> Floats:
        """Hours that accounts ask of their owners under the plan, [R]."""
        out, hours = np.zeros(self.people.count), self.hours()
        known = np.flatnonzero(self.base >= 0)
        np.add.at(out, self.base[known], hours[known, self.base[known]])
        for one in self.succession.of(known, self.base[known]):
            if one.taker >= 0:
                passed = float(one.part @ hours[one.account, one.taker])
                out[one.taker] += passed / float(self.succession.there[one.taker])
        return out

    def potential(self) -> Floats:
        """What each account adds to its owner's potential, [A].

        Where every rep's potential is given, the account's own (or its tier's); else its expected sales under a
        reference owner, the measure in which opportunity is computed.
        """
        if potentials_given(self.people):
            pairs = zip(self.accounts, self.tiers, strict=True)
            return np.array([float(t.potential if a.potential is None else a.potential) for a, t in pairs])
        return self.reference * self.fitted

    def history(self) -> Floats:
        """Sales of each account in the last period: given, else what is expected of it under today's owner, [A]."""
        rows = np.arange(len(self.accounts))
        factor = np.where(self.today >= 0, self.owner_factors[np.maximum(self.today, 0)], 1.0)
        expected = self.reference[rows] * factor * self.fitted
        given = [account.sales_last for account in self.accounts]
        return np.array([e if g is None else float(g) for g, e in zip(given, expected, strict=True)])

    def reference_sales(self) -> Floats:
        """Expected sales of today's accounts of each rep under a reference owner, while they are the rep's, [R]."""
        out = np.zeros(self.people.count)
        known = np.flatnonzero(self.today >= 0)
        np.add.at(out, self.today[known], self.reference[known] * self.fitted)
        return out + self.succession.moved(known, self.today[known], self.reference * self.fitted, len(out))


def potentials_given(people: People) -> bool:
    """Whether the scenario gives the potential of every rep who carries a quota."""
    return all(rep.potential is not None for rep in people.reps)


def _orders(account: Account, tier: Tier) -> float:
    return tier.orders_per_year if account.orders_per_year is None else account.orders_per_year
