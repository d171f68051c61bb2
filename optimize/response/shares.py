"""What shares of new leads bring: the chain formula of a lead at each rep, cleared by the hours that she has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimize.chain import expected, lead_mixes
from optimize.lead_offer import NO_LEADS, LeadOffer
from optimize.response.leads import LeadFigures
from scenarios.errors import Problem, Unsupported
from scenarios.funnel import Source
from scenarios.lead_shares import (
    entry_role,
    hands_over,
    mean_shares,
    region_mix,
    shareable,
    shares_by_weights,
)
from scenarios.people import Rep
from scenarios.plan import Plan
from scenarios.scenario import Scenario

Floats = NDArray[np.float64]

USUAL, BEYOND = 96, 32
"""Points of a curve up to twice the hours that there are, and beyond."""
TWICE = 2.0


def offer(leads: LeadFigures, territory: Floats) -> LeadOffer:
    """New leads to hand out; none where their shares are no decision.

    Args:
        territory: potential of each rep without accounts, minor units, [R].

    Raises:
        Unsupported: nobody who works where the leads come in carries a quota, or somebody else closes them, so that
            what a share brings cannot be seen.
    """
    people = leads.people
    bare = handed_out(people.scenario, people.plan, people.reps)
    if not bare:
        return bare
    figures = _Figures(leads, bare)
    figures.refuse_unseen()
    return figures.offer(territory)


def handed_out(scenario: Scenario, plan: Plan, reps: Sequence[Rep]) -> LeadOffer:
    """Whose leads are handed out among whom, without what they bring; nothing where shares are no decision.

    Args:
        reps: who carry a quota.
    """
    asked = scenario.allocation.leads
    if not asked.decide:
        return NO_LEADS
    named = asked.sources or [source.id for source in scenario.sources if shareable(scenario, source.id)]
    sources = [source for source in scenario.sources if source.id in named]
    roles = [entry_role(scenario, source) for source in sources]
    given = [mean_shares(scenario, plan, source) for source in sources]
    weights = [shares_by_weights(scenario, source) for source in sources]
    known = {rep.id for rep in reps}
    calendar, teams = scenario.calendar, {team.id: team.region for team in scenario.teams}
    names = [region.id for region in scenario.regions]
    regions = [names.index(rep.region or teams[rep.team]) for rep in reps]
    entry = np.array([[rep.role == role for rep in reps] for role in roles], dtype=np.bool_)
    base = np.array([[found.get(rep.id, 0.0) for rep in reps] for found in given])
    none = np.zeros_like(base)
    return replace(
        NO_LEADS,
        sources=tuple(source.id for source in sources),
        entry=entry,
        may=np.asarray(entry & np.array([_takes_leads(scenario, rep) for rep in reps], dtype=np.bool_)),
        base=base,
        today=np.array([[found.get(rep.id, 0.0) for rep in reps] for found in weights]),
        beside=tuple({rep: share for rep, share in found.items() if rep not in known} for found in given),
        region=np.array([0 if scenario.routing.across_regions else region for region in regions], dtype=np.int64),
        hours=none,
        extra=none,
        load=np.zeros(len(reps)),
        potential=none,
        measured=base,
        least=asked.least_share,
        most=asked.most_share,
        change=asked.most_change,
        rows=tuple(row for row in plan.shares if row.source in named),
        days=(calendar.start.toordinal(), calendar.end.toordinal()),
    )


def _takes_leads(scenario: Scenario, rep: Rep) -> bool:
    """Whether somebody is routed leads today, and there from the first day of the horizon to the last."""
    start, end = scenario.calendar.start, scenario.calendar.end
    there = (rep.hired is None or rep.hired <= start) and (rep.leaves is None or rep.leaves >= end)
    return there and rep.lead_weight > 0


@dataclass(frozen=True)
class _Figures:
    """Figures of the sources that are handed out; S sources, R reps."""

    leads: LeadFigures
    bare: LeadOffer

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Whose leads are handed out."""
        return tuple(source for source in self.leads.people.scenario.sources if source.id in self.bare.sources)

    def refuse_unseen(self) -> None:
        """Refuse sources whose leads bring something only through others."""
        found = []
        scenario = self.leads.people.scenario
        for source, entry in zip(self.sources, self.bare.entry, strict=True):
            remedy = "leave it out of allocation.leads.sources, or set allocation.leads.decide to false"
            if not entry.any():
                rule = (
                    f"nobody who works its first stage carries a quota: what a share of {source.id} brings is not seen"
                )
                found.append(Problem("allocation.leads.sources", source.id, rule, remedy))
            elif other := hands_over(scenario, source):
                rule = f"its leads are handed on to the role {other}: what a share brings at the entry is not seen"
                found.append(Problem("allocation.leads.sources", source.id, rule, remedy))
        if found:
            raise Unsupported(found)

    def offer(self, territory: Floats) -> LeadOffer:
        """With what leads bring."""
        knots = self._knots()
        return replace(
            self.bare,
            hours=self.hours,
            extra=self._extra(),
            knots=knots,
            worth=self._worth(knots),
            load=self.leads.load,
            potential=self._potential(territory),
        )

    @cached_property
    def count(self) -> Floats:
        """Leads of each source over the horizon, [S]: as many as the scenario says, scaled to the simulated ones."""
        people = self.leads.people
        expected_leads = np.zeros(people.count)
        for source in people.scenario.sources:
            mean = mean_shares(people.scenario, people.plan, source)
            expected_leads += self._arriving(source) * np.array([mean.get(rep.id, 0.0) for rep in people.reps])
        told = float(expected_leads.sum())
        scale = float(people.mean("leads").sum()) / told if told > 0 else 0.0
        return scale * np.array([self._arriving(source) for source in self.sources])

    def _arriving(self, source: Source) -> float:
        """Leads a year that come to people: not those of regions where nobody works their first stage."""
        scenario = self.leads.people.scenario
        if scenario.routing.across_regions:
            return float(source.leads_per_year)
        weights = {one.id: source.regions.get(one.id, 0.0) if source.regions else 1.0 for one in scenario.regions}
        served = sum(weights[region] for region in region_mix(scenario, source))
        return float(source.leads_per_year * served / sum(weights.values()))

    @cached_property
    def each(self) -> tuple[Floats, Floats]:
        """Sales (minor units) and hours of the calendar of all leads of a source at each rep, uncleared, [S, R]."""
        people, scenario = self.leads.people, self.leads.people.scenario
        sales, hours = np.zeros(self.bare.base.shape), np.zeros(self.bare.base.shape)
        due = self.leads.due
        for s, source in enumerate(self.sources):
            alone = {other.id: float(other.id == source.id) for other in scenario.sources}
            mixes = {region: lead_mixes(scenario, region, alone) for region in set(people.regions)}
            for r in np.flatnonzero(self.bare.entry[s]).tolist():
                person = people.person(r, people.profile(r))
                sold, effort = expected(scenario, person, mixes[people.regions[r]])
                sales[s, r] = sold * self.count[s]
                hours[s, r] = effort * due[r] * self.count[s] / float(people.pace[r] * people.ramp[r])
        return sales, hours

    @property
    def hours(self) -> Floats:
        """As the hours of leads are counted in workloads, [S, R]."""
        return np.asarray(self.leads.clearing.level * self.each[1])

    @cached_property
    def an_hour(self) -> Floats:
        """Sales of an hour of leads in the simulated mix, before clearing; of all leads where a rep has none, [R]."""
        sales, hours = (np.array(column) for column in zip(*self.leads.chain, strict=True))
        every_sale, every_hour = (table.sum(axis=0) for table in self.each)
        of_all = np.divide(every_sale, every_hour, out=np.zeros_like(every_sale), where=every_hour > 0)
        return np.asarray(np.divide(sales, hours, out=of_all, where=hours > 0))

    def _extra(self) -> Floats:
        """What leads of each source sell beyond their hours at the simulated mix, let through as simulated, [S, R]."""
        leads, people = self.leads, self.leads.people
        sales, hours = self.each
        through = np.array(
            [
                leads.cleared(1.0, leads.chain[r][1], float(leads.other[r]), float(people.available[r]))
                for r in range(people.count)
            ]
        )
        return np.asarray(leads.scale * through * (sales - self.an_hour * hours))

    def _knots(self) -> Floats:
        """Hours at which the curves are cut, the simulated ones among them, [R, P]."""
        load, there = self.leads.load, np.maximum(self.leads.people.available, 1.0)
        least = np.minimum(load - (self.hours * self.bare.base).sum(axis=0), 0.0)
        most = load + (self.hours * (1.0 - self.bare.base) * self.bare.entry).sum(axis=0)
        out = np.zeros((len(load), USUAL + BEYOND + 2))
        for r in range(len(load)):
            end = max(float(most[r]), 1.0)
            near = min(TWICE * float(there[r]), end)
            usual = np.linspace(0.0, near, USUAL + 1)
            far = np.geomspace(near, end, BEYOND + 1) if end > near else np.linspace(near, near + 1.0, BEYOND + 1)
            cut = np.concatenate([[float(least[r]) - 1.0], usual, far[1:]])
            inside = 1 + int(np.argmin(np.abs(cut[1:-1] - load[r])))
            cut[inside] = load[r] if inside > 1 else cut[inside]
            out[r] = cut
        return out

    def _worth(self, knots: Floats) -> Floats:
        """Sales of leads of these hours in the simulated mix, cleared, [R, P]; linear on below no hours at all."""
        leads, available = self.leads, self.leads.people.available
        level = max(leads.clearing.level, 1e-9)
        out = np.zeros_like(knots)
        for r in range(len(knots)):
            hours = np.maximum(knots[r], 0.0) / level
            out[r] = self.an_hour[r] * hours * leads.clearing.share(hours, float(leads.other[r]), float(available[r]))
            first = (out[r, 2] - out[r, 1]) / (knots[r, 2] - knots[r, 1])
            out[r, 0] = first * knots[r, 0]
        return np.asarray(leads.scale[:, None] * out)

    def _potential(self, territory: Floats) -> Floats:
        """What all leads of a source are of the potential of whoever works them, [S, R].

        It is the leads' own, the same for everybody in a region: what they are of those who work them in the plan that
        was simulated, weighed by shares. So the potential of the company stays as leads are handed over.
        """
        base, entry, region = self.bare.base, self.bare.entry, self.bare.region
        sales = self.each[0] * base
        held = np.array([whole for whole, _ in self.leads.chain])
        part = np.divide(sales, held, out=np.zeros_like(sales), where=held > 0)
        part /= np.maximum(part.sum(axis=0), 1.0)
        together = region[:, None] == region[None, :]
        potential, share = (territory * part) @ together, base @ together
        return np.asarray(np.divide(potential, share, out=np.zeros_like(share), where=share > 0) * entry)
