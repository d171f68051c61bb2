"""What leads bring each rep under other skills and other hours: the chain formula, cleared and scaled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimize.chain import Clearing, Mix, Person, expected, expected_by, fit_clearing, lead_mixes, pipeline_mixes
from optimize.response.people import People
from optimize.response.succession import heirs
from optimize.workload import load_at
from scenarios.lead_shares import share_factors
from scenarios.ticks import HOUR

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LeadFigures:
    """Leads of each rep under the simulated plan; R reps.

    Attributes:
        other: hours that accounts ask of each rep under the plan, [R].
    """

    people: People
    other: Floats

    @cached_property
    def mixes(self) -> list[list[Mix]]:
        """All leads of each rep: simulated new leads by kind, and the open opportunities at the start."""
        scenario = self.people.scenario
        by_region = {region.id: lead_mixes(scenario, region.id) for region in scenario.regions}
        leads, plan = self.people.mean("leads"), self.people.plan
        factors = share_factors(scenario, plan)
        out = []
        for r, rep in enumerate(self.people.reps):
            region = self.people.regions[r]
            given = factors.get(rep.id)
            new = lead_mixes(scenario, region, given) if given else by_region[region]
            kinds = [Mix(m.first, m.quality, m.weight * float(leads[r]), m.value) for m in new]
            out.append(kinds + pipeline_mixes(scenario, rep.id))
        return out

    def chain_of(self, r: int, person: Person, ramp: float) -> tuple[float, float]:
        """Modelled sales (minor units) and hours of the calendar if this person worked the leads of rep r."""
        sales, effort = expected(self.people.scenario, person, self.mixes[r])
        return sales, effort * float(self.due[r]) / (float(self.people.pace[r]) * ramp)

    def chains_of(self, r: int, profiles: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """The same for rep r under n profiles, each skill [n]: sales and hours, [n] each."""
        people = self.people
        sales, effort = expected_by(people.scenario, people.person(r, {}), profiles, self.mixes[r])
        return sales, effort * float(self.due[r]) / (float(people.pace[r]) * float(people.ramp[r]))

    @cached_property
    def whole_chain(self) -> list[tuple[float, float]]:
        """Modelled sales and hours of each rep under the plan, as if all work on leads came due in time."""
        people, out = self.people, []
        for r in range(people.count):
            sales, effort = expected(people.scenario, people.person(r, people.profile(r)), self.mixes[r])
            out.append((sales, effort / (float(people.pace[r]) * float(people.ramp[r]))))
        return out

    @cached_property
    def chain(self) -> list[tuple[float, float]]:
        """Modelled sales and hours of each rep under the plan."""
        return [(sales, hours * due) for (sales, hours), due in zip(self.whole_chain, self.due.tolist(), strict=True)]

    @cached_property
    def busy(self) -> Floats:
        """Simulated busy hours, [R]."""
        return self.people.mean("busy_ticks") / HOUR

    @cached_property
    def clearing(self) -> Clearing:
        """Fitted to the simulated busy hours of those who do not leave, where there are any."""
        asked = np.array([hours for _, hours in self.whole_chain])
        stay = ~self.people.time.leaving if not self.people.time.leaving.all() else self.people.time.leaving
        return fit_clearing(asked[stay], self.other[stay], self.people.available[stay], self.busy[stay])

    @cached_property
    def due(self) -> Floats:
        """Share of the work on leads that comes due while the rep is there, [R].

        Leads that come shortly before somebody leaves ask for most of their work later. So the hours of who leaves are
        those at which the clearing function gives the simulated busy share; those of all others are the fit's.
        """
        out = np.ones(self.people.count)
        for r in np.flatnonzero(self.people.time.leaving).tolist():
            available, asked = float(self.people.available[r]), self.clearing.level * self.whole_chain[r][1]
            if available > 0 and asked > 0:
                load = load_at(float(self.busy[r]) / available, self.clearing.sharpness) * available
                out[r] = min(max(load - float(self.other[r]), 0.0) / asked, 1.0)
        return out

    @cached_property
    def load(self) -> Floats:
        """Hours that leads ask for, [R]."""
        return np.asarray(self.clearing.level * np.array([hours for _, hours in self.chain]))

    def cleared(self, sales: float, hours: float, other: float, available: float) -> float:
        """Modelled sales that limited hours let through, before scaling."""
        return float(sales * self.clearing.share(hours, other, available))

    def _sales_beside(self, r: int, other: Floats) -> Floats:
        """Sales of rep r from leads at each of these hours that all else asks, minor units."""
        sales, hours = self.chain[r]
        done = self.clearing.share(hours, np.maximum(other, 0.0), float(self.people.available[r]))
        return np.asarray(float(self.scale[r]) * (sales * done))

    @cached_property
    def modelled(self) -> Floats:
        """Modelled sales under the plan, cleared, before scaling, [R]."""
        available = self.people.available
        return np.array(
            [self.cleared(*self.chain[r], float(self.other[r]), float(available[r])) for r in range(self.people.count)]
        )

    @cached_property
    def company_scale(self) -> float:
        """Simulated over modelled sales: what the end of the horizon, patience and waiting leave."""
        total = float(self.modelled.sum())
        return float(self.people.mean("new_revenue").sum()) / total if total > 0 else 1.0

    @cached_property
    def scale(self) -> Floats:
        """The same by rep, [R]."""
        found = np.full(self.people.count, self.company_scale)
        np.divide(self.people.mean("new_revenue"), self.modelled, out=found, where=self.modelled > 0)
        return found

    def sales(self, r: int, other: float) -> float:
        """Sales of rep r from leads if all else asked ``other`` hours, minor units."""
        return float(self.scale[r]) * self.cleared(*self.chain[r], max(other, 0.0), float(self.people.available[r]))

    @cached_property
    def reference(self) -> Floats:
        """Expected sales from the same leads of somebody at the reference skill and full pace, [R].

        Leads that a leaver does not close in time are sales of whom they go on to.
        """
        out = np.zeros(self.people.count)
        for r, rep in enumerate(self.people.reps):
            person = Person.reference(self.people.scenario, rep.role)
            sales, hours = self.chain_of(r, person, 1.0)
            out[r] = self.company_scale * self.cleared(
                sales, hours, float(self.other[r] * self.people.ramp[r]), float(self.people.hours[r])
            )
        open_ = out * (1.0 - self.closed)
        for r in np.flatnonzero(open_ > 0).tolist():
            rep = self.people.reps[r]
            for heir, first, _, weight in heirs(self.people.scenario, rep):
                if first == rep.leaves and heir in self.people.places:
                    out[r] -= weight * open_[r]
                    out[self.people.places[heir]] += weight * open_[r]
        return out

    @cached_property
    def closed(self) -> Floats:
        """Share of the sales from the leads of each rep that are closed while the rep is there, [R].

        Of who leaves it is read off what they sell in the simulation, against the company's scale.
        """
        out = np.ones(self.people.count)
        if self.company_scale > 0:
            leaving = self.people.time.leaving
            out[leaving] = np.minimum(self.scale[leaving] / self.company_scale, 1.0)
        return out

    def displaced(self, hours: Floats, base: NDArray[np.int64]) -> Floats:
        """Lead sales that the hours of each account displace at each rep, [A, R].

        By difference over the whole hours, since a whole account displaces more than its marginal hour.

        Args:
            hours: asked by each account of each rep, [A, R].
            base: owner under the plan, [A].
        """
        out = np.zeros(hours.shape)
        for r in range(self.people.count):
            other, own = float(self.other[r]), base == r
            lead_sales = self._sales_beside(r, other + np.where(own, -hours[:, r], hours[:, r]))
            now = float(self._sales_beside(r, np.array([other]))[0])
            out[:, r] = np.where(own, lead_sales - now, now - lead_sales)
        return out

    def hour_prices(self) -> Floats:
        """Lead sales lost by one hour more of other work, [R]."""
        other = self.other
        prices = [self.sales(r, float(other[r])) - self.sales(r, float(other[r]) + 1) for r in range(self.people.count)]
        return np.asarray(np.maximum(np.array(prices), 0.0))
