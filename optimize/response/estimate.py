"""What the simulation says about each lever: samples of sales, gains of training and of owners, hours, potential.

The only module of the allocator that reads simulated outcomes; all others know numbers only. Samples are exact;
gains are an approximation, labelled so: expected values by the chain formula of the funnel, cut by a clearing
function fitted to simulated hours and scaled to simulated sales.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from optimize.account_limits import account_limits
from optimize.account_offer import AccountOffer
from optimize.eligibility import eligibility, most_moves
from optimize.lead_offer import NO_LEADS, LeadOffer
from optimize.metrics import Rates
from optimize.pairs import as_pairs, as_table
from optimize.phasing import Period
from optimize.response.accounts import AccountFigures, potentials_given
from optimize.response.closing import closing_power
from optimize.response.leads import LeadFigures
from optimize.response.metrics import other_metrics, rates
from optimize.response.people import People, reporting_periods
from optimize.response.shares import offer as lead_offer
from optimize.response.succession import succession_told
from optimize.response.training import offer as training_offer
from optimize.seasons import seasons
from optimize.training_offer import TrainingOffer
from scenarios.check_people import potential_of_some
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.outcome import Counts, Outcome

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Responses:
    """Labelled arrays; R reps who can carry a quota, N simulated horizons, P reporting periods. Money in minor units.

    Reps, accounts and sources stand in the order of their ids, whatever that of the scenario's rows.

    Attributes:
        plan: simulation hash of the plan that was simulated.
        samples: sales of each rep under it, [N, R].
        metrics: samples of the other additive metrics that targets ask for, each [N, R, P].
        rates: how each of them goes with revenue.
        season: expected share of sales by period, [R, P].
        training, accounts, leads: gains and hours of the levers.
        opportunity: expected sales of a reference rep at full pace with the same leads and today's accounts, [R].
        territory: potential of the territory without the accounts, ramped, [R].
        ramp: share of full pace over the time in the horizon, [R].
        hours: working hours before training, [R].
        load: hours that leads ask for, [R].
        sharpness: of the clearing function fitted to simulated hours.
        presence: share of full power from which sales of each period come, [R, P]; see :func:`closing_power`.
        notes: what is approximate or left out, in words.
    """

    scenario: str
    plan: str
    reps: tuple[str, ...]
    periods: tuple[Period, ...]
    samples: Counts
    metrics: Mapping[str, Counts]
    season: Floats
    training: TrainingOffer
    accounts: AccountOffer
    opportunity: Floats
    territory: Floats
    ramp: Floats
    hours: Floats
    load: Floats
    sharpness: float
    notes: tuple[str, ...]
    rates: Mapping[str, Rates] = field(default_factory=dict)
    presence: Floats | None = None
    leads: LeadOffer = NO_LEADS

    @property
    def skill(self) -> Floats:
        """Expected sales of each rep over opportunity at the rep's pace: person and workload, [R]; NaN at none."""
        base = self.opportunity * self.ramp
        out = np.full(len(base), np.nan)
        return np.asarray(np.divide(self.samples.mean(axis=0), base, out=out, where=base > 0))

    def account_sales(self) -> Floats:
        """Expected sales of each account over the horizon under each owner, [A, R]; NaN who may not own it."""
        offer = self.accounts
        worth = np.array([curve.sales(float(care)) for curve, care in zip(offer.curves, offer.care_base, strict=True)])
        out = np.full((len(offer.ids), len(self.reps)), np.nan)
        pairs = as_pairs(offer.allowed)
        out[pairs.account, pairs.rep] = offer.unit[pairs.account, pairs.rep] * worth[pairs.account]
        return out

    def account_hours(self) -> Floats:
        """Hours of the calendar that each account asks of each owner over the horizon, [A, R]."""
        offer = self.accounts
        return np.asarray(as_table(offer.order_hours) + offer.care_base.reshape(-1, 1) * offer.care_load)


def estimate(scenario: Scenario, outcome: Outcome, *, carriers: Sequence[str] | None = None) -> Responses:
    """Responses of a scenario around the plan that was simulated (the scenario's own, else today's).

    Args:
        carriers: reps who carry a quota, in order; default all who can be seen to book sales (:func:`_carriers`).

    Raises:
        InputRefused: the outcome is of another world or plan, nobody sells anything, or potentials are given for
            some who carry a quota only.
    """
    scenario = scenario.in_id_order()
    plan = scenario.plan or today_plan(scenario)
    _same_world(scenario, outcome, scenario.simulation_hash(plan))
    cube = outcome["rep"]
    keep = _carriers(scenario, outcome) if carriers is None else [cube.keys.index(rep) for rep in carriers]
    periods = reporting_periods(scenario)
    people = People(scenario, plan, outcome, tuple(keep), periods)
    _potentials_of_all(people)
    accounts = AccountFigures(people)
    leads = LeadFigures(people, accounts.base_hours())
    offer = _account_offer(scenario, accounts, leads)
    names = tuple(people.places)
    closing = closing_power(scenario, people.reps, periods)
    territory = _territory(people, leads, offer)
    return Responses(
        scenario=scenario.fingerprint(),
        plan=outcome.plan,
        reps=names,
        periods=periods,
        samples=np.ascontiguousarray(cube.total("revenue")[:, keep]),
        metrics=other_metrics(scenario, outcome, keep),
        season=seasons(cube.by_period("revenue")[:, keep], closing),
        training=training_offer(people, leads, accounts),
        accounts=offer,
        opportunity=leads.reference + accounts.reference_sales(),
        territory=territory,
        ramp=people.ramp,
        hours=people.hours,
        load=leads.load,
        sharpness=leads.clearing.sharpness,
        notes=_notes(sorted(set(cube.keys) - set(names)), scenario.allocation.leads.decide) + succession_told(scenario),
        rates=rates(scenario, outcome, keep),
        presence=closing,
        leads=lead_offer(leads, territory),
    )


def with_years(responses: Responses, scenario: Scenario, outcome: Outcome) -> Responses:
    """The same responses with the samples of more horizons of the same plan after their own; gains stay as they are."""
    keys = outcome["rep"].keys
    keep = [keys.index(rep) for rep in responses.reps]
    more = other_metrics(scenario, outcome, keep)
    return replace(
        responses,
        samples=np.concatenate([responses.samples, outcome["rep"].total("revenue")[:, keep]]),
        metrics={name: np.concatenate([known, more[name]]) for name, known in responses.metrics.items()},
    )


def _account_offer(scenario: Scenario, accounts: AccountFigures, leads: LeadFigures) -> AccountOffer:
    decisions = scenario.allocation.accounts
    reps = tuple(accounts.people.places)
    who = eligibility(scenario, reps)
    return AccountOffer(
        ids=tuple(account.id for account in accounts.accounts),
        today=accounts.today,
        base=accounts.base,
        allowed=who.allowed,
        unit=accounts.unit,
        displaced=leads.displaced(accounts.hours(), accounts.base),
        order_hours=accounts.order_hours,
        care_load=accounts.care_load,
        hour_price=leads.hour_prices(),
        kept=accounts.kept,
        potential=accounts.potential(),
        history=accounts.history(),
        care_base=accounts.care,
        curves=accounts.curves,
        care_budget=decisions.care_hours_budget,
        max_moves=most_moves(scenario),
        max_per_rep=decisions.max_accounts_per_rep,
        limits=account_limits(scenario, accounts.accounts, reps),
        barred=who.barred,
        succession=accounts.succession,
    )


def _territory(people: People, leads: LeadFigures, offer: AccountOffer) -> Floats:
    """Potential without accounts, ramped, [R]."""
    if not potentials_given(people):
        return leads.reference * people.ramp
    whole = np.array([float(rep.potential or 0) for rep in people.reps])
    known = offer.today >= 0
    np.add.at(whole, offer.today[known], -offer.potential[known])
    # What is given says what it means of somebody who leaves: today's owners have it as it stands.
    whole -= offer.potentials_handed_on(np.flatnonzero(known), offer.today[known])
    return whole * people.ramp


def _notes(left_out: list[str], handing_out: bool) -> tuple[str, ...]:
    notes = [
        "gains of training and owners are expected values by the chain formula with a fitted clearing function: an "
        "approximation, judged by simulating the plan",
    ]
    if handing_out:
        notes.append(
            "what shares of new leads bring is an expected value by the same formula: the spread of sales stays as "
            "simulated"
        )
    if left_out:
        notes.append(f"no sales are booked by {', '.join(left_out)}: they carry no quota")
    return tuple(notes)


def _same_world(scenario: Scenario, outcome: Outcome, plan: str) -> None:
    """Years serve every scenario whose simulation would read the same: other goals, rules and locks are no matter."""
    problems = []
    mine, theirs = scenario.simulated(), outcome.world
    differing = [name for name in dict.fromkeys([*mine, *theirs]) if mine.get(name) != theirs.get(name)]
    if outcome.scenario != scenario.fingerprint() and differing:
        rule = (
            f"is of another scenario, which differs in {', '.join(differing)}" if theirs else "is of another scenario"
        )
        problems.append(Problem("outcome.scenario", outcome.scenario[:12], rule, "simulate this one"))
    if outcome.plan != plan:
        problems.append(
            Problem("outcome.plan", outcome.plan_name, "is of another plan", "simulate the scenario's plan")
        )
    refuse_if(problems)


def _potentials_of_all(people: People) -> None:
    """Refuse potentials that only some of those who sell in the simulation have, whatever their role."""
    given = [rep.id for rep in people.reps if rep.potential is not None]
    lacking = [rep.id for rep in people.reps if rep.potential is None]
    if given and lacking:
        raise InputRefused(potential_of_some(given, lacking))


def _carriers(scenario: Scenario, outcome: Outcome) -> list[int]:
    """Positions, by id, of reps who can book sales: simulated ones, or they own accounts, or a potential is given."""
    cube = outcome["rep"]
    sold = np.asarray(cube.total("revenue") != 0).any(axis=0)
    selling = set(np.flatnonzero(sold).tolist())
    owners = {account.owner for account in scenario.accounts}
    given = {rep.id for rep in scenario.reps if rep.potential}
    known = sorted(range(len(cube.keys)), key=cube.keys.__getitem__)
    keep = [i for i in known if i in selling or cube.keys[i] in owners or cube.keys[i] in given]
    if not keep:
        rule = "no rep books any sales in the simulation, so there is nothing to split"
        raise InputRefused(Problem("outcome.rep.revenue", "0", rule, "check sources, conversions and accounts"))
    return keep
