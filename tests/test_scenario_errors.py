"""Bad input: each fault is named with its place, value, rule and remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from faulty_worlds import edited, problems_of, world
from scenarios.errors import InputRefused, Problem
from scenarios.files import from_document


def test_the_little_world_itself_is_sound() -> None:
    assert from_document(world()).name == "little world"


CASES: dict[str, tuple[Callable[[dict[str, Any]], Any], Problem]] = {
    "unknown section": (
        lambda w: w.update(acounts=[]),
        Problem("acounts", "acounts", "no such field", "did you mean accounts, account_physics?"),
    ),
    "unknown key": (
        lambda w: w["reps"][0].update(tem="T"),
        Problem("reps.E1.tem", "tem", "no such field", "did you mean team?"),
    ),
    "no name": (
        lambda w: w.update(name=""),
        Problem("name", "''", "must not be empty"),
    ),
    "no date": (
        lambda w: w.update(data_date="yesterday"),
        Problem("data_date", "'yesterday'", "must be a date, written YYYY-MM-DD, or left out"),
    ),
    "negative rate": (
        lambda w: w["sources"][0].update(leads_per_year=-5),
        Problem("sources.web.leads_per_year", "-5", "must be >= 0"),
    ),
    "probability above 1": (
        lambda w: w["stages"][0].update(conversion=45),
        Problem("stages.talk.conversion", "45", "must be <= 1", "a share is written 0.45, not 45 or 45 %"),
    ),
    "negative effort": (
        lambda w: w["stages"][1]["effort_hours"].update(mean=-2),
        Problem("stages.close.effort_hours.mean", "-2", "must be > 0"),
    ),
    "duplicate id": (
        lambda w: w["reps"].append({"id": "E1", "team": "T"}),
        Problem("reps.E1", "E1", "is the id of 2 items; ids must be unique", "rename or remove one"),
    ),
    "leaves before hired": (
        lambda w: w["reps"][1].update(hired="2026-05-01", leaves="2026-04-01"),
        Problem("reps.E2.leaves", "2026-04-01", "must be after hired=2026-05-01", "correct one of the dates"),
    ),
    "potential of some only": (
        lambda w: w["reps"][0].update(potential=900_000),
        Problem(
            "reps.E2.potential",
            "",
            "a potential is given for E1 but not for E2, who sell too",
            "give one for everybody who sells, or for nobody: then all are computed",
        ),
    ),
    "account owned by nobody known": (
        lambda w: w["accounts"][0].update(owner="E9"),
        Problem("accounts.K1.owner", "E9", "names nothing in reps", "known: E1, E2"),
    ),
    "owner not there yet": (
        lambda w: w["reps"][0].update(hired="2026-03-01"),
        Problem(
            "accounts.K1.owner",
            "E1",
            "is hired only on 2026-03-01, after the start 2026-01-01",
            "name today's owner, or give the rep an earlier hired date",
        ),
    ),
    "empty table": (
        lambda w: w.update(reps=[]),
        Problem("reps", "[]", "must have at least 1 entries, but has 0"),
    ),
    "NaN": (
        lambda w: w["sources"][0].update(leads_per_year=float("nan")),
        Problem(
            "sources.web.leads_per_year",
            "NaN",
            "must be a finite number",
            "NaN and infinity are no values; leave the field out if it is unknown",
        ),
    ),
    "infinite money": (
        lambda w: w["reps"][0].update(quota=float("inf")),
        Problem("reps.E1.quota", "Infinity", "an amount of money must be finite, got inf"),
    ),
    "a tenth of a cent": (
        lambda w: w["reps"][0].update(quota="10.005"),
        Problem("reps.E1.quota", "'10.005'", "an amount of money has at most two decimals, got '10.005'"),
    ),
    "unit in the value": (
        lambda w: w["reps"][0].update(hours_per_week="40h"),
        Problem(
            "reps.E1.hours_per_week",
            "'40h'",
            "must be a number",
            "write a plain number without quotes, unit or thousands separator; the field's name holds the unit",
        ),
    ),
    "hours a month for hours a week": (
        lambda w: w["reps"][0].update(hours_per_week=168),
        Problem("reps.E1.hours_per_week", "168", "must be <= 100", "is it hours a month?"),
    ),
    "unknown family": (
        lambda w: w["stages"][1].update(effort_hours={"family": "lognorm", "mean": 1, "cv": 1}),
        Problem(
            "stages.close.effort_hours",
            '{"family": "lognorm", "mean": 1, "cv": 1}',
            "unknown family 'lognorm'; known: fixed, exponential, lognormal, gamma, weibull, uniform, triangular, "
            "empirical",
            "did you mean lognormal?",
        ),
    ),
    "no family": (
        lambda w: w["stages"][1].update(effort_hours={"mean": 1}),
        Problem("stages.close.effort_hours", '{"mean": 1}', "needs the field 'family'"),
    ),
    "no such day": (
        lambda w: w["calendar"].update(end="2026-02-30"),
        Problem("calendar.end", "'2026-02-30'", "must be a date of the calendar", "write YYYY-MM-DD"),
    ),
    "end before start": (
        lambda w: w["calendar"].update(end="2025-01-01"),
        Problem(
            "calendar",
            '{"start": "2026-01-01", "end": "2025-01-01"}',
            "start < end must hold, but got start=2026-01-01, end=2025-01-01",
        ),
    ),
    "overlapping hours": (
        lambda w: w["calendar"].update(hours=["09:00-12:00", "11:00-18:00"]),
        Problem(
            "calendar.hours",
            '["09:00-12:00", "11:00-18:00"]',
            "spans must be in order and not overlap, got 09:00-12:00, 11:00-18:00",
        ),
    ),
    "a region's bad hours": (
        lambda w: w["regions"][0].update(hours=["9-5"]),
        Problem("regions.north.hours", '["9-5"]', "a span must read HH:MM-HH:MM, got '9-5'"),
    ),
    "no such time zone": (
        lambda w: w["calendar"].update(timezone="Asia/Bejing"),
        Problem(
            "calendar.timezone",
            "Asia/Bejing",
            "is no time zone of the IANA list",
            "for example Asia/Shanghai or Europe/Berlin",
        ),
    ),
    "unknown metric": (
        lambda w: w.update(goals={"targets": [{"metric": "revnue", "target": 1}]}),
        Problem(
            "goals.targets.0.metric",
            "'revnue'",
            "must be one of 'revenue', 'key_product_revenue', 'cash_collected', 'cash_due', 'gross_margin', "
            "'new_customers', 'orders', 'key_product_share', 'average_order_value' or 'collection_rate'",
            "did you mean revenue?",
        ),
    ),
    "unknown rule field": (
        lambda w: w.update(allocation={"rules": [{"rule": "growth", "caps": 0.2}]}),
        Problem("allocation.rules.growth.caps", "caps", "no such field", "did you mean cap?"),
    ),
    "lock of nobody": (
        lambda w: w.update(allocation={"locks": [{"path": "quota.E7", "value": 1}]}),
        Problem("allocation.locks.0.path", "E7", "names nothing in reps", "known: E1, E2"),
    ),
    "neither number nor text": (
        lambda w: w.update(allocation={"locks": [{"path": "quota.E1", "value": True}]}),
        Problem("allocation.locks.0.value", "true", "must be a number or a text"),
    ),
    "a stage that decides without a chance": (
        lambda w: w["stages"][0].pop("conversion"),
        Problem(
            "stages.talk",
            '{"id": "talk", "effort_hours": {"family": "fixed", "value": 1}}',
            "conversion must be given for a stage that decides; set after_win: true if it does not",
        ),
    ),
    "an id with a bracket": (
        lambda w: w["teams"].append({"id": "T[1]", "region": "north"}),
        Problem("teams[T[1]].id", "'T[1]'", "an id must not hold any of [ ] = * ;, got 'T[1]'"),
    ),
    "a number for an id": (
        lambda w: w["teams"].append({"id": 7, "region": "north"}),
        Problem("teams.7.id", "7", "must be a text", "put it in quotes"),
    ),
    "a region that nobody serves": (
        lambda w: (w["regions"].append({"id": "south"}), w["sources"][0].update(regions={"north": 1, "south": 1})),
        Problem(
            "sources.web.regions",
            "south",
            "no rep of role rep serves this region",
            "add a rep there, or set routing.across_regions: true",
        ),
    ),
    "a holiday that is worked": (
        lambda w: w["calendar"].update(holidays=["2026-05-01"], working_days=["2026-05-01"]),
        Problem(
            "calendar",
            '{"start": "2026-01-01", "end": "2027-01-01", "holidays": ["2026-05-01"], "wor...',
            "a day is either a holiday or a working day, but 2026-05-01 is given as both",
        ),
    ),
    "a plan in the scenario": (
        lambda w: w.update(plan={"name": "x"}),
        Problem(
            "plan",
            "plan",
            "no such field",
            "known: schema_version, name, description, invented, language, currency, money_basis, vat_included, "
            "planning_rates, seed, data_date, calendar, regions, teams, ...",
        ),
    ),
    **{
        f"a target of {shown} {metric}": (
            lambda w, metric=metric, value=value: w.update(goals={"targets": [{"metric": metric, "target": value}]}),
            Problem("goals.targets.0.target", shown, rule, remedy),
        )
        for metric, value, shown, rule, remedy in (
            ("orders", 1e300, "1e+300", "orders must be at most 1,000,000,000,000", "check the number of zeros"),
            (
                "revenue",
                1e300,
                "1e+300",
                "an amount must be at most 90,000,000,000,000 currency units",
                "check the number of zeros",
            ),
            ("revenue", 0.005, "0.005", "an amount of money has at most two decimals", "round it to two decimals"),
        )
    },
    "a weight that the solver loses": (
        lambda w: w.update(goals={"targets": [{"metric": "revenue", "target": 5, "weight": 1e300}]}),
        Problem(
            "goals.targets.0.weight",
            "1e+300",
            "a weight must be 0 or lie between 0.001 and 1,000",
            "only the proportion of weights counts",
        ),
    ),
    "an owner locked to somebody who comes later": (
        lambda w: (
            w["reps"][1].update(hired="2026-03-02"),
            w.update(allocation={"locks": [{"path": "owner.K1", "value": "E2"}]}),
        ),
        Problem(
            "allocation.locks.0.value",
            "E2",
            "owner.K1 is locked to somebody who is hired only on 2026-03-02; owners are allocated from 2026-01-01 on",
            "lock somebody who is there on that day, and hand the account over later in the plan's table owners",
        ),
    ),
    **{
        f"schema version {given}": (
            lambda w, given=given: w.update(schema_version=given),
            Problem(
                "schema_version",
                str(given),
                "must be the whole number of a schema version; known: 1",
                "write the one that the file was written in; it is 1 if this program wrote it",
            ),
        )
        for given in (0, -1, 2.5, "two")
    },
    "a newer file": (
        lambda w: w.update(schema_version=99),
        Problem("schema_version", "99", "is newer than this program reads; known: 1", "update quotalab"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_fault_is_one_problem_with_its_way_out(case: str) -> None:
    edit, expected = CASES[case]
    assert edited(edit) == (expected,)


def test_a_wrong_unit_is_met_with_the_right_field() -> None:
    found = edited(lambda w: w["stages"][0].update(effort_days=w["stages"][0].pop("effort_hours")))
    assert [(p.where, p.rule) for p in found] == [
        ("stages.talk.effort_hours", "is required but missing"),
        ("stages.talk.effort_days", "no such field"),
    ]
    assert found[1].remedy.startswith("did you mean effort_hours")


def test_everything_wrong_comes_together() -> None:
    """One document with a fault of each case that can stand beside the others: none hides another."""
    apart = [
        "unknown section",
        "unknown key",
        "negative rate",
        "probability above 1",
        "negative effort",
        "account owned by nobody known",
        "unknown metric",
        "lock of nobody",
        "no such day",
        "a region's bad hours",
    ]
    document = world()
    for case in apart:
        CASES[case][0](document)
    found = problems_of(document)
    assert set(found) == {CASES[case][1] for case in apart}
    assert len(found) == len(apart)


def test_messages_are_readable() -> None:
    with pytest.raises(InputRefused) as refused:
        from_document(world(accounts=[{"id": "K1", "tier": "A", "region": "north", "owner": "E9"}]))
    assert str(refused.value) == (
        "refused: 1 problem\n  accounts.K1.owner = E9: names nothing in reps -> known: E1, E2"
    )
