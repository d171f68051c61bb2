"""Bad input: each fault is named with its place, value, rule and remedy, and all faults come together."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenarios.errors import InputRefused, Problem
from scenarios.files import from_document, load

WORLD: dict[str, Any] = {
    "name": "little world",
    "calendar": {"start": "2026-01-01", "end": "2027-01-01"},
    "regions": [{"id": "north"}],
    "teams": [{"id": "T", "region": "north"}],
    "stages": [
        {"id": "talk", "effort_hours": {"family": "fixed", "value": 1}, "conversion": 0.5},
        {"id": "close", "effort_hours": {"family": "gamma", "mean": 2, "cv": 0.5}, "conversion": 0.4},
    ],
    "sources": [{"id": "web", "leads_per_year": 100}],
    "tiers": [
        {"id": "A", "orders_per_year": 4, "order_value": {"family": "lognormal", "mean": 50000, "cv": 0.6}},
    ],
    "account_physics": {"order_effort_hours": {"family": "fixed", "value": 2}},
    "reps": [{"id": "E1", "team": "T"}, {"id": "E2", "team": "T"}],
    "accounts": [{"id": "K1", "tier": "A", "region": "north", "owner": "E1"}],
}


def world(**parts: Any) -> dict[str, Any]:
    return copy.deepcopy(WORLD) | parts


def problems_of(document: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(InputRefused) as refused:
        from_document(document)
    return refused.value.problems


def edited(edit: Callable[[dict[str, Any]], Any]) -> tuple[Problem, ...]:
    document = world()
    edit(document)
    return problems_of(document)


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


def test_a_faulty_item_causes_no_complaint_about_references_to_it() -> None:
    found = edited(lambda w: w["reps"][0].update(hours_per_week="x"))
    assert [p.where for p in found] == ["reps.E1.hours_per_week"]


def test_faulty_items_leave_positions_of_later_items_as_written() -> None:
    targets = [
        {"metric": "revnue", "target": 1},
        {"metric": "revenue", "target": 1, "team": "nobody"},
        {"metric": "orders", "target": -1, "team": "ghosts"},
    ]
    found = problems_of(world(goals={"targets": targets}))
    assert {p.where for p in found} == {
        "goals.targets.0.metric",
        "goals.targets.1.team",
        "goals.targets.2.target",
        "goals.targets.2.team",
    }


def test_no_list_is_called_short_because_its_items_are_faulty() -> None:
    found = edited(lambda w: [rep.update(team=3) for rep in w["reps"]])
    assert [(p.where, p.rule) for p in found] == [
        ("reps.E1.team", "must be a text"),
        ("reps.E2.team", "must be a text"),
    ]


SPOILS: list[Any] = [
    *(None, True, -1, 0, 1.5, 10**400, float("nan"), float("-inf"), "", "x", "E1", "2026-02-30", "\0", "\ud800"),
    *([], {}, [1], [[]], [None], {"id": "E1"}, {"family": "gamma"}, {"a": {"b": 1}}),
]


def spoiled(rng: random.Random) -> dict[str, Any]:
    """The little world with up to five values replaced, removed or added anywhere."""
    document = world(
        products=[
            {"id": "p", "value": {"family": "fixed", "value": 1}, "attach": [{"product": "p", "probability": 1}]}
        ],
        goals={"targets": [{"metric": "revenue", "target": 5}]},
        allocation={"rules": [{"rule": "growth"}, {"rule": "gini"}], "locks": [{"path": "quota.E1", "value": 1}]},
        absences=[{"rep": "E1", "first": "2026-02-01", "last": "2026-02-02"}],
    )
    for _ in range(rng.randint(1, 5)):
        node: Any = document
        while True:
            key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
            if not isinstance(node[key], dict | list) or not node[key] or rng.random() < 0.3:
                break
            node = node[key]
        match rng.randrange(4):
            case 0:
                node.pop(key)
            case 1 if isinstance(node, list):
                node.append(copy.deepcopy(rng.choice(node)))
            case 1:
                node["zz"] = 1
            case _:
                node[key] = copy.deepcopy(rng.choice(SPOILS))
        if not document:
            break
    return document


def test_nothing_that_a_document_may_hold_gives_anything_but_a_refusal() -> None:
    rng = random.Random(8)
    outcomes = []
    for _ in range(400):
        try:
            from_document(spoiled(rng))
            outcomes.append(0)
        except InputRefused as refused:
            str(refused).encode()
            outcomes.append(len(refused.problems))
    assert outcomes.count(0) < 100
    assert max(outcomes) >= 5


def test_messages_are_readable() -> None:
    with pytest.raises(InputRefused) as refused:
        from_document(world(accounts=[{"id": "K1", "tier": "A", "region": "north", "owner": "E9"}]))
    assert str(refused.value) == (
        "refused: 1 problem\n  accounts.K1.owner = E9: names nothing in reps -> known: E1, E2"
    )


YAML = """name: little world
calendar: {start: 2026-01-01, end: 2027-01-01}
regions: [{id: north}]
teams: [{id: T, region: north}]
stages:
  - id: talk
    effort_hours: {family: fixed, value: 1}
    conversion: 0.5
"""


def folder(path: Path, yaml: str = YAML, **tables: str | bytes) -> Path:
    path.mkdir(exist_ok=True)
    (path / "scenario.yaml").write_text(yaml, encoding="utf-8")
    tables = {"reps": "id,team\nE1,T\n"} | tables
    for name, text in tables.items():
        (path / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused_files(path: Path) -> list[str]:
    with pytest.raises(InputRefused) as refused:
        load(path)
    return [str(problem) for problem in refused.value.problems]


def test_faults_of_several_files_come_together_with_their_lines(tmp_path: Path) -> None:
    yaml = YAML.replace("conversion: 0.5", "conversion: 1.5\n    colour: red")
    reps = "id,team,hours_per_week,nick\nE1,T,forty,a\nE2,X,40,b\nE3,T\n"
    absences = "rep,first,last\nE1,2026-01-05,2026-01-09\nE7,2026-01-05,soon\n"
    assert refused_files(folder(tmp_path / "w", yaml, reps=reps, absences=absences)) == [
        "reps.csv line 1 = nick: no such column -> known: id, name, team, region, role, level, skills, effort_factor, "
        "conversion_logit, hours_per_week, hired, leaves, successor, lead_weight, ...",
        "reps.csv line 4: the row has 2 cells, the header has 4 -> quote cells that hold commas",
        "scenario.yaml line 8: stages.talk.conversion = 1.5: must be <= 1 -> a share is written 0.45, not 45 or 45 %",
        "scenario.yaml line 9: stages.talk.colour = colour: no such field -> known: id, name, role, effort_hours, "
        "delay_days, loss_delay_days, conversion, after_win, skill_weights, patience_days, when_cold, recycle, "
        "activities, support",
        "reps.csv line 2: reps.E1.hours_per_week = 'forty': must be a number -> write a plain number without quotes, "
        "unit or thousands separator; the field's name holds the unit",
        "absences.csv line 3: absences.1.last = 'soon': must be a date of the calendar -> write YYYY-MM-DD",
        "reps.csv line 3: reps.E2.team = X: names nothing in teams -> known: T",
    ]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            "id,team,name\nE1,T,a\nE2,T,陈立\n".encode("gbk"),
            "reps.csv line 3 = byte 0xb3: the file is not UTF-8, it looks like GBK",
        ),
        ("id,team\nE1,T\n".encode("utf-16"), "reps.csv: the file is not UTF-8, it looks like UTF-16"),
        (b"id,team\nE1,T\xff\n", "reps.csv line 2 = byte 0xff: the file is not UTF-8"),
    ],
)
def test_other_encodings_are_refused_in_their_place(tmp_path: Path, raw: bytes, told: str) -> None:
    assert refused_files(folder(tmp_path / "w", reps=raw)) == [f"{told} -> save it as UTF-8 (in Excel: CSV UTF-8)"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("", "reps.csv: the file is empty -> write a header line and at least one row"),
        ("id,team\n", "reps.csv: has a header and no row below it -> write at least one row"),
        ("id,team\nE1,T,x\n", "reps.csv line 2: the row has 3 cells, the header has 2 -> quote cells that hold commas"),
        ('id,team\n"E1,T\n', "reps.csv line 2: not valid CSV: unexpected end of data -> check the quotes"),
        (
            "id;team\nE1;T\nE2;T\n",
            "reps.csv line 1 = semicolons: commas must stand between the columns -> save it as CSV UTF-8 with commas",
        ),
        ("id,teem\nE1,T\nE2,T\n", "reps.csv line 1 = teem: no such column -> did you mean team?"),
        (
            "E1,T\nE2,T\n",
            "reps.csv line 1 = E1, T: the first line names no known column: it has to be the header "
            "-> put a header above the rows: id, team, ...",
        ),
        (
            "id|team\nE1|T\n",
            "reps.csv line 1 = vertical bars: commas must stand between the columns "
            "-> save it as CSV UTF-8 with commas",
        ),
        ("id,,team\nE1,x,T\n", "reps.csv line 1: a column has cells and no name -> name it, or empty its cells"),
        (
            "id,team,hired\nE1,T,45200\n",
            "reps.csv line 2: reps.E1.hired = '45200': must be a date of the calendar -> it reads like a spreadsheet's "
            "number of a day: format the column as YYYY-MM-DD and save it again",
        ),
        (
            'id,team,quota\nE1,T,"1.234,56"\n',
            "reps.csv line 2: reps.E1.quota = '1.234,56': an amount of money must be a number, got '1.234,56' -> write "
            "a plain number such as 1234.56: no thousands separator, no decimal comma, no unit",
        ),
        ("id,name\nE1,x\nE2,y\n", "reps.csv line 1 = team: this column is required but missing -> add it"),
        ("id,team,team\nE1,T,T\n", "reps.csv line 1 = team: column given twice -> keep one"),
        (
            "id,team,skills\nE1,T,3\n",
            "reps.csv line 1 = skills: this field takes one column per key -> for example skills.NAME",
        ),
    ],
)
def test_broken_tables(tmp_path: Path, table: str, told: str) -> None:
    assert refused_files(folder(tmp_path / "w", reps=table)) == [told]


def test_columns_and_rows_that_hold_nothing_are_none(tmp_path: Path) -> None:
    spaced = "id,team,,\nE1,T,,\n,,,\nE2,T,,,,\n\n"
    assert [rep.id for rep in load(folder(tmp_path / "w", reps=spaced)).reps] == ["E1", "E2"]


def test_a_needed_table_that_is_not_there_is_named_as_a_file(tmp_path: Path) -> None:
    place = folder(tmp_path / "w")
    (place / "reps.csv").rename(place / "people.csv")
    with pytest.warns(
        UserWarning, match=r"not read in .*: people\.csv; tables of a scenario are called reps, accounts"
    ):
        told = refused_files(place)
    assert told == [
        "reps.csv: is not there, and scenario.yaml has no reps either -> put the table beside scenario.yaml"
    ]


def test_a_table_is_no_scenario(tmp_path: Path) -> None:
    place = folder(tmp_path / "w")
    with pytest.raises(InputRefused, match=rf"is a table, not a scenario -> give its folder, {place}"):
        load(place / "reps.csv")


def test_a_table_without_rows_may_go_where_nothing_needs_it(tmp_path: Path) -> None:
    assert refused_files(folder(tmp_path / "w", accounts="id,tier,region\n")) == [
        "accounts.csv: has a header and no row below it -> write at least one row, or remove the file if there is "
        "nothing for accounts to list"
    ]


def test_a_folder_in_the_place_of_a_table_is_not_passed_over(tmp_path: Path) -> None:
    path = folder(tmp_path / "w", reps="id,team\nE1,T\n")
    (path / "accounts.csv").mkdir()
    (told,) = refused_files(path)
    assert told.endswith("accounts.csv: cannot be read: Is a directory -> check the path")


def test_sections_of_tables_beside_extends_are_named_by_their_file(tmp_path: Path) -> None:
    folder(tmp_path / "base", reps="id,team\nE1,T\n")
    path = folder(tmp_path / "w", "extends: ../base\n", reps="id,team\nE1,T\n")
    rule = "a file that extends another holds changes, not sections -> write it under changes"
    assert refused_files(path) == [f"reps.csv = reps: {rule}"]


def test_cells_that_are_no_numbers(tmp_path: Path) -> None:
    reps = 'id,team,lead_weight,quota\nE1,T,nan,"1,000"\nE2,T,inf,1_000\nE3,T,1e999,45 %\n'
    found = refused_files(folder(tmp_path / "w", reps=reps))
    assert [line.split(":")[0] for line in found] == [f"reps.csv line {n}" for n in (2, 2, 3, 3, 4, 4)]


@pytest.mark.parametrize(
    ("yaml", "told"),
    [
        (
            YAML + "name: again\n",
            "scenario.yaml line 9 = name: key given twice, first on scenario.yaml line 1 -> keep one",
        ),
        (
            YAML.replace("[{id: north}]", "[{id: north}"),
            "scenario.yaml line 4: not valid YAML: expected ',' or ']', but got '<scalar>' -> check indentation, "
            "colons and quotes",
        ),
        ("- a\n- b\n", "scenario.yaml: must be a table of settings -> write a line for each, such as name: ..."),
        ("", "scenario.yaml: must be a table of settings -> write a line for each, such as name: ..."),
        ("a: " + "[" * 3000 + "]" * 3000, "scenario.yaml: is nested too deeply -> a scenario needs few levels"),
        (
            YAML.replace("{start: 2026-01-01", "&c {start: 2026-02-31"),
            "scenario.yaml line 2 = 2026-02-31: no value: day is out of range for month",
        ),
        (
            YAML + "products: &p [*p]\n",
            "scenario.yaml line 9: an alias (*name) repeats another value -> write the value out",
        ),
    ],
)
def test_broken_yaml(tmp_path: Path, yaml: str, told: str) -> None:
    assert told in refused_files(folder(tmp_path / "w", yaml))


def test_a_broken_main_file_does_not_hide_a_broken_table(tmp_path: Path) -> None:
    found = refused_files(folder(tmp_path / "w", "name: [", reps=b"id,team\n\xff\n"))
    assert [line.split(" ")[0] for line in found] == ["scenario.yaml", "reps.csv"]


def test_a_table_that_cannot_be_read_is_not_called_missing_or_short(tmp_path: Path) -> None:
    accounts = "id,tier,region,owner\nK1,A,north,E1\n"
    found = refused_files(folder(tmp_path / "w", reps=b"\xff", accounts=accounts))
    assert [line.split(":")[0] for line in found] == [
        "reps.csv line 1 = byte 0xff",
        "account_physics",
        "accounts.csv line 2",
    ]


def test_a_table_beside_its_section(tmp_path: Path) -> None:
    found = refused_files(folder(tmp_path / "w", YAML + "reps: [{id: E1, team: T}]\n"))
    assert found == ["reps.csv = reps: reps are given here and in scenario.yaml -> keep one of them"]


def test_extends_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    found = refused_files(tmp_path / "a.yaml")
    assert found == ["b.yaml line 1 = a.yaml: the chain of extends is a circle: a.yaml -> b.yaml -> a.yaml -> break it"]


def test_extends_of_nothing_and_sections_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: nowhere\nreps: []\nchanges: {set: a}\n")
    found = refused_files(tmp_path / "a.yaml")
    assert [line.split(" = ")[0] for line in found] == [
        "a.yaml line 3",
        "a.yaml line 2",
        "nowhere: is neither a file, a folder nor a shipped scenario -> shipped: enterprise, motivation, national, starter",  # noqa: E501
    ]


def test_a_what_if_says_which_of_its_lines_is_wrong(tmp_path: Path) -> None:
    folder(tmp_path / "w", reps="id,team\nE1,T\nE2,T\nE3,T\n")
    (tmp_path / "if.yaml").write_text(
        "extends: w\n"
        "changes:\n"
        "  - {remove: reps.E1}\n"
        "  - {set: reps.E9.team, to: T}\n"
        "  - {scale: stages.talk.conversion, by: ten}\n"
        "  - {set: stages.talk.conversion}\n"
        "  - {set: stages.talk.conversion, to: 2}\n"
        "  - {set: reps.E3.team, to: X}\n"
    )
    assert refused_files(tmp_path / "if.yaml") == [
        "if.yaml line 5 = ten: a factor must be a number",
        "if.yaml line 6 = set: a change of this kind holds the keys set and to, nothing else",
        "if.yaml line 4: reps.E9.team = E9: no such entry in reps -> known: E2, E3",
        "if.yaml line 7: stages.talk.conversion = 2: must be <= 1 -> a share is written 0.45, not 45 or 45 %",
        "if.yaml line 8: reps.E3.team = X: names nothing in teams -> known: T",
    ]


def test_places_follow_the_rows_when_one_is_removed(tmp_path: Path) -> None:
    folder(tmp_path / "w", reps="id,team,successor\nE1,T,\nE2,T,\nE3,T,E1\n")
    (tmp_path / "if.yaml").write_text("extends: w\nchanges:\n  - {remove: reps.E1}\n")
    assert refused_files(tmp_path / "if.yaml") == [
        "reps.csv line 4: reps.E3.successor = E1: names nothing in reps -> known: E2, E3"
    ]


def test_a_missing_file_names_what_is_shipped(tmp_path: Path) -> None:
    assert refused_files(tmp_path / "nothing") == [
        f"{tmp_path / 'nothing'}: is neither a file, a folder nor a shipped scenario -> shipped: enterprise, motivation, national, starter"  # noqa: E501
    ]
    (tmp_path / "empty").mkdir()
    assert refused_files(tmp_path / "empty") == [
        f"{tmp_path / 'empty'}: the folder holds no scenario.yaml -> see `quotalab init`"
    ]


@pytest.mark.parametrize("number", ["010000", "10:30", "0xFF", "1_000", "0b101", "1_0.5"])
def test_numbers_that_yaml_reads_otherwise_than_people_are_refused(tmp_path: Path, number: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(YAML.replace("name: ", f"seed: {number}\nname: ", 1), encoding="utf-8")
    assert any("YAML takes this for the number" in line for line in refused_files(path))


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_deep_nesting_is_refused_at_once(tmp_path: Path, opening: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(f"{YAML}a: {opening * 250}1{('}' if 'a' in opening else ']') * 250}\n", encoding="utf-8")
    assert any("is nested too deeply" in line for line in refused_files(path))


def test_data_that_no_file_could_hold_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(400):
        deep = [deep]
    ring: list[Any] = []
    ring.append(ring)
    for odd in (deep, ring):
        assert "nested too deeply" in str(problems_of(world(sources=odd))[0])
    assert "must be texts" in str(problems_of(world(cash={(1, 2): 3}))[0])


@pytest.mark.parametrize("amount", ["1e999999", "1e400", "-1e999999"])
def test_amounts_beyond_all_bounds_are_refused(amount: str) -> None:
    (found,) = edited(lambda w: w["reps"][0].update(quota=amount))
    assert found.where == "reps.E1.quota"
    assert "below 4.6e16" in found.rule


def test_what_would_run_over_the_clock_or_the_memory_is_refused() -> None:
    def edit(w: dict[str, Any]) -> None:
        w["calendar"]["customer_pauses"] = [{"first": "0001-01-01", "last": "9999-12-31"}]
        w["sources"][0] |= {"leads_per_year": 3_650_001, "dispersion": 1e7}
        w["allocation"] = {"rounding_step": 0, "training": {"per_rep_hours": 1e9}}
        w["tiers"][0] |= {"orders_per_year": 1e8, "care_hours_per_year": 1e7}
        w["accounts"][0] |= {"orders_per_year": 1e8, "care_hours": 1e7}
        w["account_physics"]["care_visit_hours"] = 1e-9
        w["skills"] = {"training": {"session_hours": 1e-9}}

    places = {problem.where for problem in edited(edit)}
    assert places >= {
        "calendar.customer_pauses.0.first",
        "calendar.customer_pauses.0.last",
        "sources.web.leads_per_year",
        "sources.web.dispersion",
        "allocation.rounding_step",
        "allocation.training",
        "tiers.A.orders_per_year",
        "tiers.A.care_hours_per_year",
        "accounts.K1.orders_per_year",
        "accounts.K1.care_hours",
        "account_physics.care_visit_hours",
        "skills.training.session_hours",
    }


@pytest.mark.filterwarnings("ignore:not read in")
@pytest.mark.parametrize("name", ["Account.csv", "accounts.CSV", "accounts.xlsx", "account.tsv"])
def test_a_misnamed_table_is_not_passed_over(tmp_path: Path, name: str) -> None:
    path = folder(tmp_path / "w", reps="id,team\nE1,T\n")
    (path / "notes.csv").write_text("anything", encoding="utf-8")
    with pytest.warns(UserWarning, match="notes.csv"):
        load(path)
    (path / name).write_text("id\nK1\n", encoding="utf-8")
    assert refused_files(path) == [f"{name}: is no table that is read -> save it as accounts.csv, or move it away"]
