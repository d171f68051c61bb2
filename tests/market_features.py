"""Features of market, money and calendar, with what shows that they had an effect; see :mod:`world_features`."""

from __future__ import annotations

import numpy as np

from scenarios.ticks import DAY
from sim.log import Kind
from world_features import FEATURES, Seen, feature

# ---- accounts ------------------------------------------------------------------------------------------------------

FEATURES["account orders"] = lambda seen: bool((seen.log.of(Kind.ORDER)["item"] >= 0).any())
FEATURES["new customers buy again"] = lambda seen: bool((seen.log.of(Kind.ORDER)["item"] == -1).any())
FEATURES["care"] = lambda seen: seen.model.stages.care in seen.stages_worked
FEATURES["churn"] = lambda seen: seen.has(Kind.CHURN)
FEATURES["cross-sell"] = lambda seen: seen.lines_of(orders=True) > 0
FEATURES["products of orders"] = lambda seen: any(order.product >= 0 for order in seen.orders)
for _form, _name in ((1, "care response: exponential"), (2, "care response: adbudg")):
    FEATURES[_name] = lambda seen, form=_form: any(
        order.account >= 0 and seen.model.accounts.response[order.account][0] == form for order in seen.orders
    )
FEATURES["care unlike owed"] = lambda seen: any(
    order.account >= 0 and seen.model.accounts.care[order.account] != seen.model.accounts.owed[order.account]
    for order in seen.orders
)
FEATURES["season of accounts"] = lambda seen: len(seen.orders) > 0 and len(set(seen.model.season.tolist())) > 1
FEATURES["orders missed after a handover"] = lambda seen: seen.has(Kind.MISSED)
FEATURES["accounts of segments"] = lambda seen: any(order.segment >= 0 for order in seen.orders)


@feature("owner changes by plan")
def _(seen: Seen) -> bool:
    rows = seen.log.of(Kind.ASSIGN)
    moved = set(zip(rows["time"].tolist(), rows["item"].tolist(), strict=True))
    return any((tick, account) in moved for tick, account, _ in seen.model.accounts.changes)


# ---- leads and sales -----------------------------------------------------------------------------------------------

FEATURES["several sources"] = lambda seen: len(set(seen.arrive["item"].tolist())) > 1
FEATURES["source enters late"] = lambda seen: seen.came_from(
    lambda source: source.first_stage not in (None, seen.scenario.stages[0].id)
)
FEATURES["season of a source"] = lambda seen: seen.came_from(
    lambda source: len(set(source.season)) > 1 and source.season_follows == "calendar"
)
FEATURES["lunar season"] = lambda seen: seen.came_from(lambda source: source.season_follows == "lunar_new_year")
FEATURES["days of the week"] = lambda seen: seen.came_from(lambda source: len(set(source.weekday_factors)) > 1)
FEATURES["dispersed leads"] = lambda seen: seen.came_from(lambda source: source.dispersion > 1)
FEATURES["quality of a source"] = lambda seen: seen.came_from(lambda source: source.quality_logit != 0)
FEATURES["regions of a source"] = lambda seen: (
    len(seen.scenario.regions) > 1 and seen.came_from(lambda source: bool(source.regions))
)
FEATURES["products of a source"] = lambda seen: seen.came_from(lambda source: bool(source.products))
FEATURES["segments"] = lambda seen: len({lead.segment for lead in seen.log.leads.values() if lead.segment >= 0}) > 1
FEATURES["bundles"] = lambda seen: any(
    lead.product < 0 and len(lead.lines) > 1 and lead.origin in (0, 3) for lead in seen.log.leads.values()
)
FEATURES["attached products"] = lambda seen: seen.lines_of(orders=False) > 0
FEATURES["key products"] = lambda seen: bool((seen.log.of(Kind.BOOK)["extra"] > 0).any())
FEATURES["tenders"] = lambda seen: seen.has(Kind.TENDER)


@feature("preparing tenders")
def _(seen: Seen) -> bool:
    tenders = {int(tender.entity) for tender in seen.model.tenders}
    return not tenders.isdisjoint(seen.start["entity"].tolist())


FEATURES["VAT on top"] = lambda seen: seen.model.vat[0] > 0 and seen.has(Kind.DUE)
FEATURES["VAT within"] = lambda seen: seen.model.vat[1] > 0 and seen.has(Kind.BOOK)
FEATURES["recognised over months"] = lambda seen: bool((seen.log.of(Kind.RECOGNISE)["visit"] > 0).any())
FEATURES["instalments"] = lambda seen: bool((seen.log.of(Kind.DUE)["visit"] > 0).any())
FEATURES["written off"] = lambda seen: seen.has(Kind.WRITE_OFF)


@feature("late payment")
def _(seen: Seen) -> bool:
    due = {(int(row["entity"]), int(row["visit"])): int(row["time"]) for row in seen.log.of(Kind.DUE)}
    return any(row["time"] > due[int(row["entity"]), int(row["visit"])] for row in seen.log.of(Kind.CASH))


# ---- the opening pipeline ------------------------------------------------------------------------------------------

FEATURES["open: priced"] = lambda seen: any(opening.value >= 0 for opening in seen.model.pipeline)
FEATURES["open: value drawn"] = lambda seen: (
    bool(seen.model.products.ids) and any(opening.value < 0 for opening in seen.model.pipeline)
)
FEATURES["open: of an account"] = lambda seen: any(lead.account >= 0 for lead in seen.opened)
FEATURES["open: of a source"] = lambda seen: any(lead.source >= 0 for lead in seen.opened)
FEATURES["open: owned"] = lambda seen: bool((seen.log.of(Kind.OPEN)["rep"] >= 0).any())
FEATURES["open: of nobody"] = lambda seen: bool((seen.log.of(Kind.OPEN)["rep"] == -1).any())


@feature("open: to be worked")
def _(seen: Seen) -> bool:
    opened = set(seen.log.of(Kind.OPEN)["entity"].tolist())
    return not opened.isdisjoint(seen.start["entity"].tolist())


@feature("open: the customer decides")
def _(seen: Seen) -> bool:
    asked = {(int(row["entity"]), int(row["stage"])) for row in seen.answers}
    begun = {(int(row["entity"]), int(row["stage"])) for row in seen.start}
    rows = seen.log.of(Kind.OPEN)
    opened = set(zip(rows["entity"].tolist(), rows["stage"].tolist(), strict=True))
    return not (opened & asked).issubset(begun)


# ---- the calendar --------------------------------------------------------------------------------------------------

FEATURES["4-4-5"] = lambda seen: (
    seen.calendar.fiscal == "4-4-5"
    and seen.calendar.reporting == "month"
    and len(seen.model.periods.labels) > 1
    and seen.has(Kind.BOOK)
)
FEATURES["weeks"] = lambda seen: seen.calendar.reporting == "week" and seen.has(Kind.BOOK)
FEATURES["selling share"] = lambda seen: seen.calendar.selling_share < 1 and len(seen.start) > 0
FEATURES["zone of the company"] = lambda seen: seen.calendar.timezone != "UTC" and len(seen.start) > 0
FEATURES["zone of a region"] = lambda seen: seen.last_region.timezone is not None and seen.last_region_works
FEATURES["hours of a region"] = lambda seen: seen.last_region.hours is not None and seen.last_region_works
FEATURES["workdays of a region"] = lambda seen: seen.last_region.workdays is not None and seen.last_region_works


@feature("summer time")
def _(seen: Seen) -> bool:
    """Somebody works in a zone in which the horizon has a day of 23 or 25 hours."""
    zones = {seen.scenario.regions[seen.model.reps.region[rep]].timezone for rep in seen.reps_at_work}
    table, days = seen.model.timetable, seen.model.timetable.days()
    return any(len({table.midnight(day, zone) % DAY for day in days}) > 1 for zone in zones)


@feature("holidays")
def _(seen: Seen) -> bool:
    days = seen.calendar.holidays
    return any(
        seen.works_within(rep, seen.tick(day), seen.tick(day) + DAY) for rep in seen.reps_at_work for day in days
    )


@feature("holidays of a region")
def _(seen: Seen) -> bool:
    region, days = len(seen.scenario.regions) - 1, seen.last_region.holidays
    mine = [rep for rep in seen.reps_at_work if seen.model.reps.region[rep] == region]
    return any(seen.works_within(rep, day, day + DAY) for rep in mine for day in map(seen.tick, days))


@feature("working days")
def _(seen: Seen) -> bool:
    days = [seen.tick(day) for day in seen.calendar.working_days]
    return any(bool(((seen.start["time"] >= day) & (seen.start["time"] < day + DAY)).any()) for day in days)


@feature("customers' pauses")
def _(seen: Seen) -> bool:
    """An answer that took longer by the calendar than on the customers' clock."""
    if not seen.calendar.customer_pauses:
        return False
    ends = seen.log.of(Kind.END)
    done = dict(
        zip(
            zip(*(ends[name].tolist() for name in ("entity", "stage", "visit")), strict=True),
            ends["time"].tolist(),
            strict=True,
        )
    )
    rows = seen.answers
    asked = zip(*(rows[name].tolist() for name in ("entity", "stage", "visit")), strict=True)
    pairs = zip(asked, rows["time"].tolist(), rows["extra"].tolist(), strict=True)
    return any(place in done and time - done[place] > delay for place, time, delay in pairs)


# ---- situations ----------------------------------------------------------------------------------------------------


@feature("ties")
def _(seen: Seen) -> bool:
    """Five ticks on which things happen to three leads, orders or visits."""
    rows = seen.log.of(Kind.ARRIVE, Kind.ENTER, Kind.START, Kind.END, *_ANSWERS, Kind.COLD, Kind.REST, Kind.RETURN)
    rows = rows[rows["time"] > 0]
    pairs = np.unique(np.column_stack([rows["time"].astype(np.uint64), rows["entity"]]), axis=0)
    _, counts = np.unique(pairs[:, 0], return_counts=True)
    return int((counts > 2).sum()) > 4


_ANSWERS = (Kind.ANSWER_YES, Kind.ANSWER_NO, Kind.WON)


@feature("overload")
def _(seen: Seen) -> bool:
    """Ten tasks waited for more than two days."""
    return int((seen.start["value"] > 2 * DAY).sum()) > 9


@feature("empty weeks")
def _(seen: Seen) -> bool:
    """Seven days without a lead, in a world with leads."""
    if len(seen.arrive) < 2:
        return False
    times = np.concatenate([[0], seen.arrive["time"], [seen.model.end]])
    return bool((np.diff(times) > 7 * DAY).any())


SITUATIONS = {
    "no lead at all": lambda seen: len(seen.arrive) == 0,
    "one lead": lambda seen: len(seen.arrive) + len(seen.opened) == 1,
    "one rep at work": lambda seen: len(seen.reps_at_work) == 1,
    "nobody buys": lambda seen: not seen.has(Kind.BOOK),
}
"""Worlds too small for most features to have an effect in them: counted on their own, not in pairs."""
