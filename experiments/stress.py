"""Named stress scenarios as changes of a scenario: what could go wrong, in the words of the scenario's own file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from scenarios import files
from scenarios.changes import Change
from scenarios.errors import Problem, refuse_if
from scenarios.people import Rep
from scenarios.scenario import Scenario, require_world

DEMAND = 0.8
PRICE = 0.9
DELAY = 1.5
LATE_MONTHS = 3


@dataclass(frozen=True)
class Stress:
    """One thing that goes wrong.

    Attributes:
        name: its key among the words of pages.
        changes: of the scenario, from its first day on unless they say otherwise.
        what: whom or what it hits, where it hits one; empty otherwise.
    """

    name: str
    changes: tuple[Change, ...]
    what: str = ""

    def applied(self, scenario: Scenario) -> Scenario:
        """The scenario in which it goes wrong; its plan is kept.

        Raises:
            InputRefused: the scenario has no such part.
        """
        return files.changed(scenario, self.changes)


def stresses(scenario: Scenario) -> dict[str, Stress]:
    """Every stress that the scenario can undergo, by name.

    =====================  ==========================================================================
    ``demand_down``        20 % fewer leads, and 20 % fewer orders of existing accounts
    ``best_rep_leaves``    whoever sold most last year leaves at the middle of the horizon
    ``season_late``        leads and orders come three months later in the year
    ``slow_customers``     customers take half as long again to answer
    ``prices_down``        deals and orders are worth 10 % less
    ``key_account_lost``   the account that sold most last year orders nothing
    =====================  ==========================================================================

    "Most" is by last sales, else by potential, else the first by id. Stresses that have nothing to hit are left out.
    """
    require_world(scenario)
    return {stress.name: stress for stress in _all(scenario) if stress.changes}


def chosen(scenario: Scenario, names: list[str] | None) -> dict[str, Stress]:
    """The stresses of these names, or all of them.

    Raises:
        InputRefused: naming every one that the scenario does not have.
    """
    found = stresses(scenario)
    if names is None:
        return found
    refuse_if(unknown_stresses(scenario, names))
    return {name: found[name] for name in dict.fromkeys(names)}


def unknown_stresses(scenario: Scenario, names: Iterable[str]) -> list[Problem]:
    """A problem for each name that is no stress of the scenario."""
    known = stresses(scenario)
    listed = ", ".join(known)
    return [Problem("stress", name, "no such stress here", f"known: {listed}") for name in names if name not in known]


def _all(scenario: Scenario) -> Iterator[Stress]:
    yield Stress("demand_down", tuple(_demand(scenario)))
    leaver = _best_rep(scenario)
    if leaver is not None:
        calendar = scenario.calendar
        middle = calendar.start + timedelta(days=(calendar.end - calendar.start).days // 2)
        yield Stress(
            "best_rep_leaves",
            (Change("set", f"reps[{leaver.id}].leaves", middle.isoformat()),),
            leaver.name or leaver.id,
        )
    yield Stress("season_late", tuple(_season(scenario)))
    yield Stress("slow_customers", tuple(_delays(scenario)))
    yield Stress("prices_down", tuple(_prices(scenario)))
    accounts = [account for account in scenario.accounts if account.owner is not None]
    if accounts:
        lost = min(accounts, key=lambda account: (-(account.sales_last or 0), -(account.potential or 0), account.id))
        path = f"accounts[{lost.id}].orders_per_year"
        yield Stress("key_account_lost", (Change("set", path, 0.0),), lost.name or lost.id)


def _demand(scenario: Scenario) -> Iterator[Change]:
    for source in scenario.sources:
        yield Change("scale", f"sources[{source.id}].leads_per_year", DEMAND)
    for tier in scenario.tiers:
        yield Change("scale", f"tiers[{tier.id}].orders_per_year", DEMAND)
    for account in scenario.accounts:
        if account.orders_per_year is not None:
            yield Change("scale", f"accounts[{account.id}].orders_per_year", DEMAND)


def _best_rep(scenario: Scenario) -> Rep | None:
    start, end = scenario.calendar.start, scenario.calendar.end
    steady = [
        rep
        for rep in scenario.reps
        if (rep.hired is None or rep.hired <= start) and (rep.leaves is None or rep.leaves >= end)
    ]
    # Somebody must be left to take over.
    if len(steady) < 2:
        return None
    return min(steady, key=lambda rep: (-(rep.last_sales or 0), -(rep.potential or 0), rep.id))


def _season(scenario: Scenario) -> Iterator[Change]:
    for source in scenario.sources:
        if len(set(source.season)) > 1:
            yield Change("set", f"sources[{source.id}].season", _later(source.season))
    physics = scenario.account_physics
    if physics is not None and len(set(physics.season)) > 1:
        yield Change("set", "account_physics.season", _later(physics.season))


def _later(season: tuple[float, ...]) -> list[float]:
    return [*season[-LATE_MONTHS:], *season[:-LATE_MONTHS]]


def _delays(scenario: Scenario) -> Iterator[Change]:
    for stage in scenario.stages:
        for field in ("delay_days", "loss_delay_days"):
            delay = getattr(stage, field)
            if delay is not None:
                slower = delay.scaled(DELAY).model_dump(mode="json", exclude_none=True)
                yield Change("set", f"stages[{stage.id}].{field}", slower)


def _prices(scenario: Scenario) -> Iterator[Change]:
    for product in scenario.products:
        cheaper = product.value.scaled(PRICE).model_dump(mode="json", exclude_none=True)
        yield Change("set", f"products[{product.id}].value", cheaper)
    for tier in scenario.tiers:
        cheaper = tier.order_value.scaled(PRICE).model_dump(mode="json", exclude_none=True)
        yield Change("set", f"tiers[{tier.id}].order_value", cheaper)
