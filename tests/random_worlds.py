"""Random small worlds of the whole vocabulary, for the tests that must hold in every world.

Each part of a world hangs on switches whose simple side is "off", so a failing world shrinks to the features it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import yaml
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from random_people import care_plan, hire_everyone, plan_of, shares_of
from scenarios.files import from_document
from scenarios.scenario import Scenario
from scenarios.today import today_plan

POLICIES = ["even", "round_robin", "least_loaded", "territory", "skill_based", "owner", "pool"]
QUEUES = ["fifo", "late_stage_first", "value_first", "tier_first"]
CASES = [(policy, QUEUES[place % 4]) for place, policy in enumerate(POLICIES)]
"""Each policy and each queue discipline is sure to be met; all else is left to chance."""

STARTS = [date(2026, 1, 1), date(2026, 3, 16), date(2026, 2, 2), date(2026, 10, 12)]
"""With the lunar new year, with a change to summer time and with one back inside the horizon."""
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
UNEVEN = [1, 3, 2, 2, 0.5, 2, 2, 2, 2, 4, 2, 1]


class Dice:
    """What a world is drawn with.

    Attributes:
        coarse: durations are whole hours and half days, and leads come on the hour, so that much falls on one tick.
        at_midnight: the same around the clock, where days begin, people leave and tenders are prepared.
        crowd: whether there are many leads, one or none.
        start, length: first day and number of days of the horizon.
    """

    def __init__(self, draw: Callable[[Any], Any], at_midnight: bool) -> None:
        self.draw = draw
        self.at_midnight = at_midnight
        self.coarse = at_midnight or self.on()
        self.crowd: str = self.of(["many"] * 10 + ["one", "one", "nobody"])
        self.start: date = self.of(STARTS)
        self.length: int = self.number(25, 75)

    def on(self) -> bool:
        """Half of the time."""
        return self.draw(st.booleans())

    def often(self) -> bool:
        """Three times in four."""
        return self.draw(st.integers(0, 3)) > 0

    def one_in(self, many: int) -> bool:
        """Once in so many times."""
        return self.draw(st.integers(1, many)) == many

    def of(self, choices: list[Any]) -> Any:
        return self.draw(st.sampled_from(choices))

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def day(self, low: int, high: int) -> str:
        """A day of the horizon's."""
        return (self.start + timedelta(days=self.number(low, high))).isoformat()

    def last_day(self) -> int:
        return self.length - 1

    def duration(self, largest: float) -> dict[str, Any]:
        """Of all kinds, zero and coarse ones among them."""
        grid = st.sampled_from(
            [
                {"family": "fixed", "value": 1},
                {"family": "fixed", "value": 0},
                {"family": "empirical", "values": [0.5, 1, 2]},
                {"family": "empirical", "values": [0, 1, float(round(largest))]},
            ]
        )
        if self.coarse:
            return self.draw(grid)
        means = st.floats(0.1, largest).map(lambda mean: round(mean, 3))
        return self.draw(
            st.one_of(
                means.map(lambda mean: {"family": "exponential", "mean": mean}),
                means.map(lambda mean: {"family": "lognormal", "mean": mean, "cv": 1.0}),
                means.map(lambda mean: {"family": "gamma", "mean": mean, "cv": 0.5}),
                grid,
            )
        )


def calendar(dice: Dice) -> dict[str, Any]:
    rows: dict[str, Any] = {
        "start": dice.start.isoformat(),
        "end": (dice.start + timedelta(days=dice.length)).isoformat(),
        "reporting": dice.of(["month", "week"]),
        "hours": dice.of([["09:00-12:00", "13:00-18:00"], ["00:00-24:00"], ["10:00-14:00"]]),
    }
    if dice.at_midnight:
        return rows | {"hours": ["00:00-24:00"], "workdays": DAYS}
    if dice.often():
        rows |= {"fiscal": "4-4-5", "fiscal_year_start_month": dice.of([1, 2])}
    if dice.on():
        rows["timezone"] = dice.of(["Asia/Shanghai", "Europe/Berlin", "Europe/Berlin"])
    if dice.often():
        first = dice.number(4, dice.last_day() - 4)
        dates = [(dice.start + timedelta(days=day)).isoformat() for day in (first, first + dice.number(2, 9))]
        around = {"lunar_new_year": {"days_before": 3, "days_after": 9}}
        rows["customer_pauses"] = [dice.of([{"first": dates[0], "last": dates[1]}, around])]
    if dice.on():
        rows["selling_share"] = 0.7
    if dice.on():
        rows["holidays"] = sorted({dice.day(3, dice.last_day()), dice.day(3, dice.last_day())})
    if dice.often():
        days = [dice.start + timedelta(days=day) for day in range(dice.length)]
        weekend = [day.isoformat() for day in days if day.weekday() > 4]
        rows["working_days"] = [day for day in weekend if day not in rows.get("holidays", [])][: dice.number(1, 4)]
    return rows


def places(dice: Dice) -> list[dict[str, Any]]:
    """One or two regions, of which the last may have hours and a calendar of its own."""
    rows: list[dict[str, Any]] = [{"id": region} for region in ["east", "west"][: 1 + dice.often()]]
    own = rows[-1]
    if dice.at_midnight:
        return rows
    if dice.on():
        own["timezone"] = dice.of(["Asia/Tokyo", "Europe/Berlin", "America/New_York"])
    if dice.on():
        own["hours"] = dice.of([["08:00-16:00"], ["11:00-15:00", "16:00-23:00"]])
    if dice.on():
        own["workdays"] = dice.of([DAYS[1:6], DAYS])
    if dice.on():
        own["holidays"] = [dice.day(3, dice.last_day())]
    return rows


def stages(dice: Dice, roles: list[str], support: list[str]) -> list[dict[str, Any]]:
    """One to three stages that decide, then perhaps work after the win."""
    waits, cold, rests, jointly, logs, slow_no = (dice.often() for _ in range(6))
    rows = []
    for position in range(dice.of([1, 2, 3, 3])):
        row: dict[str, Any] = {
            "id": f"s{position}",
            "role": roles[1] if position == 1 and len(roles) > 1 and dice.often() else dice.of(roles),
            "effort_hours": dice.duration(8),
            "conversion": dice.of([0.7, 0.3, 0.9, 1.0, 0.0] if position == 0 else [0.7, 0.3, 0.9]),
        }
        if waits and dice.often():
            row["delay_days"] = dice.duration(7)
        if slow_no and dice.often():
            row["loss_delay_days"] = dice.duration(9)
        if cold and dice.often():
            row["patience_days"] = dice.duration(5)
            row["when_cold"] = dice.of(["lost", "pool"])
            if rests:
                rest = dice.duration(4)
                row["recycle"] = {"probability": 0.6, "rest_days": rest, "max_times": dice.number(1, 3)}
        if support and jointly and dice.often():
            row["support"] = {"resource": dice.of(support), "effort_hours": dice.duration(5)}
        if logs and dice.on():
            row["activities"] = {"visits": 1, dice.of(["calls", "talk_hours"]): 0.7}
        if dice.on():
            row["skill_weights"] = {"negotiation": 2, "product_knowledge": 1}
        rows.append(row)
    if dice.often():
        rows.append(
            {"id": "after", "role": dice.of(roles), "effort_hours": dice.duration(4), "after_win": True}
        )  # fmt: skip
    return rows


def offers(dice: Dice) -> dict[str, Any]:
    """Products, bundles, how they are paid, and in which shares credit is given."""
    sold: dict[str, Any] = {"cash": {}, "vat_included": dice.on()}
    cash = sold["cash"]
    if dice.often():
        key: dict[str, Any] = {"id": "key", "value": {"family": "exponential", "mean": 500}}
        box: dict[str, Any] = {"id": "box", "value": {"family": "lognormal", "mean": 900, "cv": 1.0}}
        if dice.on():
            key |= {"key": True, "gross_margin": 0.4}
        if dice.often():
            box["attach"] = [{"product": "key", "probability": 0.5}]
        sold["products"] = [box, key]
        if dice.often():
            sold["bundles"] = [{"id": "both", "products": ["key", "box"], "price_factor": 0.83, "share": 0.4}]
    if dice.often():
        cash["vat_rate"] = 0.13
    if dice.often():
        cash["instalments"] = [{"share": 0.37, "due_days": dice.of([0, 3])}, {"share": 0.63, "due_days": 9.5}]
    if dice.often():
        cash["delay_days"] = dice.duration(9)
    if dice.often():
        cash["collection_probability"] = 0.6
    if dice.often():
        cash |= {"recognition": "straight_line", "recognition_months": dice.of([3, 12])}
    return sold


def sources(dice: Dice, regions: list[str], segments: list[str], late: str, products: bool) -> list[dict[str, Any]]:
    """None, or three: one plain, one that enters late and one with a mix of its own; many, one lead or nobody."""
    if dice.crowd == "nobody":
        return []
    if dice.crowd == "one":
        day = dice.day(1, dice.length // 2)
        return [{"id": "web", "leads_per_year": 400, "first_day": day, "last_day": day}]
    web: dict[str, Any] = {"id": "web", "leads_per_year": dice.of([300, 700, 1500])}
    fair: dict[str, Any] = {"id": "fair", "leads_per_year": dice.of([300, 500])}
    ads: dict[str, Any] = {"id": "ads", "leads_per_year": dice.of([300, 500]), "cost_per_lead": 3}
    if dice.often():
        fair["first_stage"] = late
    if dice.on():
        web["season"] = UNEVEN
    if dice.on():
        ads |= {"season": UNEVEN, "season_follows": "lunar_new_year"}
    if dice.on():
        web["weekday_factors"] = [2, 1, 1, 1, 0.5, 0, 0]
    if dice.on():
        web["dispersion"] = 4.0
    if dice.on():
        fair |= {"quality_logit": 0.8, "value_factor": 0.31}
    if dice.on():
        ads["regions"] = {regions[-1]: 1}
    if dice.on() and segments:
        fair["segments"] = {segments[0]: 1}
    if dice.on() and products:
        ads["products"] = {"key": 1}
    rows = [web, fair, ads]
    quiet = dice.of(["nobody waits", "a late start", "an early end", "only one"])
    for row, hour in zip(rows, (0, 12, 0) if dice.at_midnight else (9, 10, 0), strict=True):
        if dice.coarse:
            row["arrival_hours"] = [hour, hour + 0.005]  # so short that all come at one tick
        elif quiet == "only one" and row is not web:
            row["first_day"] = row["last_day"] = dice.day(0, dice.last_day())
        if quiet == "a late start":
            row["first_day"] = dice.day(9, 14)
        elif quiet == "an early end":
            row["last_day"] = dice.day(8, dice.length - 10)
    return rows


def customers(dice: Dice, roles: list[str], products: bool) -> dict[str, Any]:
    """Tiers, and the physics of accounts, won ones among them."""
    mixed = products and dice.often()
    crossed = [{"product": "key", "probability": 0.5}] if products and dice.often() else []
    tiers = [
        {
            "id": name,
            "rank": rank,
            "orders_per_year": 30 + 20 * rank,
            "order_value": {"family": "exponential", "mean": 70},
            "care_hours_per_year": dice.of([0, 60, 120]),
            "churn_per_year": dice.of([0.0, 0.95, 0.99]),
            "cross_sell": crossed,
            "products": {"box": 2, "key": 1} if mixed else {},
        }
        for rank, name in enumerate("AB")
    ]
    physics: dict[str, Any] = {"order_effort_hours": dice.duration(3)}
    if dice.often() and len(roles) > 1:
        physics["owner_role"] = dice.of(roles)
    if dice.on():
        physics["season"] = UNEVEN
        if dice.on():
            physics["season_follows"] = "lunar_new_year"
    if dice.often():
        physics["new_customer"] = {
            "id": "n", "rank": 2, "orders_per_year": 40, "order_value": {"family": "fixed", "value": 9},
            "care_hours_per_year": dice.of([0, 100]), "products": {"key": 1} if mixed else {},
            "cross_sell": crossed, "churn_per_year": dice.of([0.0, 0.9]),
        }  # fmt: skip
    return {"tiers": tiers, "account_physics": physics}


def pipeline(dice: Dice, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Opportunities of all kinds: new in their stage or with the customer, of somebody or nobody, priced or not."""
    if not dice.often() or dice.crowd == "one":
        return []
    known = {name: [None, *(row["id"] for row in document.get(name, []))] for name in ("reps", "sources", "segments")}
    stands = [row["id"] for row in document["stages"] if not row.get("after_win")]
    rows = []
    for number in range(dice.number(1, 6) if dice.crowd == "many" else 1):
        created = dice.number(-30, 0)
        row: dict[str, Any] = {
            "id": f"p{number}",
            "stage": dice.of(stands),
            "region": dice.of(document["regions"])["id"],
            "created": (dice.start + timedelta(days=created)).isoformat(),
            "owner": dice.of(known["reps"]),
            "source": dice.of(known["sources"]),
            "segment": dice.of(known["segments"]),
            "value": dice.of([None, 1234.56]),
        }
        if dice.on():
            row["entered_stage"] = dice.start.isoformat()
        if document.get("accounts") and dice.on():
            row["account"] = dice.of(document["accounts"])["id"]
        if document.get("products") and dice.on():
            row["product"] = dice.of(["box", "key"])
        rows.append(row)
    return rows


def deals_of_accounts(dice: Dice, document: dict[str, Any]) -> None:
    """Where a policy asks for the owner of an account: a new deal of an account of somebody who could work it."""
    routing, first = document["routing"], document["stages"][0]
    asking = [source for source, policy in routing["by_source"].items() if policy == "owner"]
    asking += [None] if routing["policy"] == "owner" else []
    if not asking or not document.get("accounts"):
        return
    able = [rep for rep in document["reps"] if rep.get("role") == first["role"] and "hired" not in rep]
    for number, rep in enumerate(able[:2]):
        account = document["accounts"][0] | {"id": f"own{number}", "region": rep["team"], "owner": rep["id"]}
        document["accounts"].append(account)
        document["pipeline"].append(
            {
                "id": f"of own{number}", "stage": first["id"], "region": rep["team"], "account": account["id"],
                "created": dice.start.isoformat(), "source": dice.of(asking),
            }
        )  # fmt: skip


def tenders(dice: Dice, document: dict[str, Any]) -> list[dict[str, Any]]:
    if not dice.often():
        return []
    rows = []
    for number in range(dice.number(4, 8) if dice.at_midnight else dice.number(1, 2)):
        row: dict[str, Any] = {
            "id": f"t{number}",
            "region": dice.of(document["regions"])["id"],
            "value": 777.77,
            "decided": dice.day(5, dice.last_day()),
            "win_probability": 0.7,
            "owner": dice.of([None, document["reps"][-1]["id"]]),
            "effort_hours": dice.of([96, 48] if dice.at_midnight else [30, 0]),
        }
        if dice.on():
            row["prepared_from"] = dice.day(0, 4)
        if document.get("accounts") and dice.on():
            row["account"] = document["accounts"][0]["id"]
        rows.append(row)
    return rows


def left_alone(dice: Dice, document: dict[str, Any]) -> None:
    """Take away whatever lets one queue look at another: each rep, or each pool, can then be worked by itself."""
    by_rep = dice.on()
    for section in ("pipeline", "tenders", "accounts", "tiers", "support", "absences", "credit"):
        document[section] = []
    document |= {"queue": "fifo", "account_physics": None, "motivation": None, "credit": None}
    for row in document["stages"]:
        for name in ("support", "recycle", "when_cold", *(("role",) if by_rep else ())):
            row.pop(name, None)
        if not by_rep and 0 in (row["effort_hours"].get("value"), *row["effort_hours"].get("values", ())):
            row["effort_hours"] = {"family": "empirical", "values": [1, 2]}  # see the test of work that takes no time
    for row in document["reps"]:
        row["lead_weight"] = 1.0
        dates = ("hired", "leaves", "attrition_per_year", "replacement_delay_days", "hours_per_week")
        for name in (*dates, *(("role",) if by_rep else ())):
            row.pop(name, None)
    policies = ["even", "round_robin", "territory"] if by_rep else ["pool"]
    by_source = {row["id"]: dice.of(policies) for row in document["sources"]}
    document["routing"] |= {"policy": dice.of(policies), "by_source": by_source, "return_to_pool_days": None}
    document["routing"]["same_rep"] = by_rep
    if by_rep:
        document["roles"] = [{"id": "rep"}]
    else:
        document["stages"].sort(key=lambda row: (bool(row.get("after_win")), row["role"]))
        worked: list[str] = []
        for row in document["stages"]:  # nobody comes back to a role
            back = row["role"] in worked[:-1]
            row["role"] = worked[-1] if back else row["role"]
            worked.append(row["role"])


@st.composite
def worlds(draw, policy: str | None = None, queue: str | None = None, at_midnight: bool = False, alone: bool = False):
    """Small worlds of all features, and plans that move accounts and train.

    Args:
        policy, queue: of the routing and the queues; any where none is named.
        at_midnight: as many things at one instant as possible.
        alone: no queue looks at another.
    """
    dice = Dice(draw, at_midnight)
    regions = places(dice)
    names = [region["id"] for region in regions]
    roles = ["opener", "closer"][: 1 + dice.often()]
    support = ["expert", "lawyer"][: dice.number(0, 2)]
    segments = ["big", "small"] if dice.often() else []
    funnel = stages(dice, roles, support)
    deciding = [row["id"] for row in funnel if not row.get("after_win")]
    sold = offers(dice)
    products = "products" in sold
    document: dict[str, Any] = {
        "name": "any",
        "calendar": calendar(dice),
        "regions": regions,
        "teams": [{"id": name, "region": name} for name in names],
        "roles": [{"id": role} for role in roles],
        "stages": funnel,
        "segments": [
            {"id": name, "value_factor": 1.7, "quality_logit": dice.of([0.0, 0.4])} for name in segments
        ],
        "support": [
            {"id": name, "people": dice.number(1, 2), "region": dice.of([None, names[-1]]),
             "selling_share": dice.of([1.0, 0.6])}
            for name in support
        ],
        **sold,
        "sources": sources(dice, names, segments, deciding[-1], products),
        "queue": queue or dice.of(QUEUES),
    }  # fmt: skip
    hire_everyone(dice, document)
    asked = policy or dice.of(["least_loaded", *POLICIES] if at_midnight else POLICIES)
    by_source = {row["id"]: dice.of(POLICIES) for row in document["sources"]} if dice.often() and not policy else {}
    document["routing"] = {
        "policy": asked,
        "by_source": by_source,
        "same_rep": not dice.on(),
        "across_regions": dice.on(),
        "return_to_pool_days": dice.of([None, 2.5, 1.0, 1.0]),
    }
    if dice.of([True] * 7 + [False]) if dice.crowd == "many" else dice.on():
        document |= customers(dice, roles, products)
        document["accounts"] = care_plan(dice, document)
    document["pipeline"] = pipeline(dice, document)
    deals_of_accounts(dice, document)
    document["tenders"] = tenders(dice, document)
    if len(roles) > 1:
        uneven = {roles[0]: 2 / 3, roles[1]: 1 - 2 / 3}  # shares that no binary fraction holds
        document["credit"] = {"shares": dice.of([{roles[0]: 1.0}, *[uneven] * 5])}
    if dice.often():
        document["motivation"] = {"pace_change": 0.5, "period_end_push": 0.3, "push_share": 0.4, "judged_after": 0.05}
    if alone:
        left_alone(dice, document)
        scenario = from_document(document)
        today = today_plan(scenario)
        return scenario.with_plan(today.with_rows(shares=shares_of(dice, scenario))) if dice.often() else scenario
    scenario = from_document(document)
    return scenario.with_plan(plan_of(dice, scenario)) if dice.often() else scenario


SMALL: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
IN_A_ROW = 10
"""After so many examples Hypothesis turns to variations of what it has drawn, which would be no new worlds."""


def in_many_worlds(strategy, examples: int, number: int, what: Callable[[Scenario], object]) -> None:
    """Call ``what`` with generated worlds; each number gives other ones, and always the same."""
    for block in range(-(-examples // IN_A_ROW)):

        @seed(1000 * number + block)
        @given(strategy)
        @settings(max_examples=min(IN_A_ROW, examples - IN_A_ROW * block), **SMALL)
        def each(scenario):
            what(scenario)

        each()


def told(scenario: Scenario) -> str:
    """A world as a short file: what differs from the defaults, and the plan's rows."""
    document = scenario.brief_document()
    if scenario.plan is not None:
        tables = ("targets", "training", "owners", "care", "shares")
        document["plan"] = {name: [str(row) for row in getattr(scenario.plan, name)] for name in tables}
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)
