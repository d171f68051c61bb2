"""Plans: long tables, exact round trips, hashes by content, refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.base import HOURS_OF_A_YEAR
from scenarios.errors import InputRefused
from scenarios.files import load, save
from scenarios.plan import CareRow, LevelQuotaRow, LockRow, OwnerRow, Plan, QuotaRow, ShareRow, TrainingRow
from scenarios.plan_checks import plan_problems
from scenarios.plan_files import read_plan, write_plan
from scenarios.scenario import Scenario

START, MARCH, END = date(2026, 1, 1), date(2026, 3, 1), date(2027, 1, 1)


@pytest.fixture(scope="module")
def starter() -> Scenario:
    return load("starter")


PLAN = Plan(
    name="方案 B",
    origin="allocated",
    targets=(
        QuotaRow("E1", "revenue", START, MARCH, 100_000_01),
        QuotaRow("E1", "revenue", MARCH, END, 333),
        QuotaRow("E2", "orders", START, END, 12),
        QuotaRow("S4", "revenue", MARCH, END, 0),
    ),
    training=(TrainingRow("E1", "negotiation", START, END, 0.1), TrainingRow("E2", "negotiation", MARCH, END, 24.0)),
    owners=(OwnerRow("A01", "E2", START), OwnerRow("A01", "E1", MARCH)),
    care=(CareRow("A01", 60.0),),
    shares=tuple(
        ShareRow("online", rep, START, END, share) for rep, share in (("E1", 0.42), ("N1", 0.25), ("S1", 0.33))
    ),
    locks=(LockRow("quota.E1", "100", "王芳", 'said "so",\nin March', "2026-01-05T09:00"),),
    levels=(
        LevelQuotaRow("E1", "revenue", "floor", START, MARCH, 90_000_00),
        LevelQuotaRow("E2", "orders", "stretch", START, END, 14),
    ),
    notes=("first draft",),
)


def test_a_plan_reads_back_as_it_was_written(tmp_path: Path, starter: Scenario) -> None:
    assert read_plan(write_plan(PLAN, tmp_path / "plan", "CNY"), starter) == PLAN


def test_a_plan_of_the_first_version_is_migrated_with_the_hash_that_it_had(tmp_path: Path, starter: Scenario) -> None:
    first = PLAN.with_rows(levels=())
    folder = write_plan(first, tmp_path / "plan", "CNY")
    put(folder, "plan.yaml", "schema_version: 3", "schema_version: 1")
    read = read_plan(folder, starter)
    assert read == first
    # Noted when there was no table of levels: trails of that time still hold.
    assert read.decisions_hash() == "1839ab3a7a2059ef1879505ea8c9fb2d74cd5f4408481a2f60ad03b92da5247c"
    put(folder, "plan.yaml", "schema_version: 1", "schema_version: 2")
    assert read_plan(folder, starter) == first
    assert "schema_version: 3" in (write_plan(read, folder, "CNY") / "plan.yaml").read_text(encoding="utf-8")


def test_floors_and_stretches_are_labels_with_sums_of_their_own() -> None:
    assert PLAN.level_quotas("floor") == {"E1": 90_000_00}
    assert PLAN.level_quotas("stretch", "orders") == {"E2": 14}
    assert PLAN.quotas() == PLAN.with_rows(levels=()).quotas()
    assert PLAN.decisions_hash() != PLAN.with_rows(levels=()).decisions_hash()
    for matter in (False, True):
        bare = PLAN.with_rows(levels=()).simulation_hash(quotas_matter=matter)
        assert PLAN.simulation_hash(quotas_matter=matter) == bare


def test_two_writings_have_the_same_bytes(tmp_path: Path) -> None:
    one, two = write_plan(PLAN, tmp_path / "one", "CNY"), write_plan(PLAN, tmp_path / "two", "CNY")
    assert {p.name: p.read_bytes() for p in one.iterdir()} == {p.name: p.read_bytes() for p in two.iterdir()}


def test_tables_say_their_units_and_spreadsheets_see_utf8(tmp_path: Path) -> None:
    folder = write_plan(PLAN, tmp_path / "plan", "CNY")
    raw = (folder / "targets.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.decode("utf-8-sig").splitlines() == [
        "rep,metric,start,end,value,unit",
        "E1,revenue,2026-01-01,2026-03-01,100000.01,CNY",
        "E1,revenue,2026-03-01,2027-01-01,3.33,CNY",
        "E2,orders,2026-01-01,2027-01-01,12,count",
        "S4,revenue,2026-03-01,2027-01-01,0,CNY",
    ]


def test_an_emptied_table_leaves_no_file_behind(tmp_path: Path, starter: Scenario) -> None:
    folder = write_plan(PLAN, tmp_path / "plan", "CNY")
    write_plan(PLAN.with_rows(care=()), folder, "CNY")
    assert read_plan(folder, starter).care == ()


Hours = st.integers(0, 8784).map(str)
Text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
Rep = st.sampled_from(["E1", "E2", "N3"])


@settings(max_examples=60, deadline=None)
@given(
    amounts=st.lists(st.integers(0, 10**15), max_size=3),
    hours=st.floats(0, HOURS_OF_A_YEAR),
    locks=st.lists(st.builds(LockRow, st.sampled_from(["quota.E1", "care.A01"]), Hours, Text, Text, Text), max_size=3),
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
)
def test_round_trips_are_exact(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[int], hours: float, locks: list[LockRow], name: str
) -> None:
    plan = Plan(
        name=name,
        targets=tuple(
            QuotaRow(rep, "revenue", START, END, v) for rep, v in zip(["E1", "E2", "N3"], amounts, strict=False)
        ),
        care=(CareRow("A02", hours),),
        locks=tuple(locks),
    )
    folder = tmp_path_factory.mktemp("plan")
    assert read_plan(write_plan(plan, folder, "CNY"), load("starter")) == plan


def test_order_of_rows_does_not_matter() -> None:
    turned = PLAN.with_rows(targets=reversed(PLAN.targets), owners=reversed(PLAN.owners))
    assert turned == PLAN
    assert turned.decisions_hash() == PLAN.decisions_hash()


def test_hashes_see_decisions_and_not_names() -> None:
    renamed = replace(PLAN, name="other", origin="given", notes=())
    dearer = PLAN.with_rows(targets=[replace(row, value=row.value + 1) for row in PLAN.targets])
    moved = PLAN.with_rows(owners=[OwnerRow("A01", "E2", START)])
    assert renamed.decisions_hash() == PLAN.decisions_hash()
    assert dearer.decisions_hash() != PLAN.decisions_hash()
    assert dearer.simulation_hash() == PLAN.simulation_hash()
    assert moved.simulation_hash() != PLAN.simulation_hash()


def test_a_missing_quota_is_not_zero() -> None:
    quotas = PLAN.quotas()
    assert quotas == {"E1": 100_000_01 + 333, "S4": 0}
    assert "E2" not in quotas


def test_the_last_owner_counts_and_hours_add_up() -> None:
    assert PLAN.owner_of() == {"A01": "E1"}
    assert PLAN.training_hours() == {("E1", "negotiation"): 0.1, ("E2", "negotiation"): 24.0}
    assert PLAN.care_hours() == {"A01": 60.0}


def test_a_scenario_carries_its_plan_through_copies_and_files(tmp_path: Path, starter: Scenario) -> None:
    planned = starter.with_plan(PLAN)
    assert planned.plan == PLAN
    assert starter.plan is None
    assert planned != starter
    assert planned.with_plan(None) == starter
    assert planned.model_copy(update={"seed": 5}).plan == PLAN
    assert planned.fingerprint() == starter.fingerprint()
    assert load(save(planned, tmp_path / "s")) == planned
    assert (tmp_path / "if.yaml").write_text("extends: s\nchanges: [{set: seed, to: 7}]\n")
    assert load(tmp_path / "if.yaml").plan == PLAN


BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "newer": (
        lambda f: put(f, "plan.yaml", "schema_version: 3", "schema_version: 4"),
        "plan/plan.yaml: schema_version = 4: is newer than this program reads; known: 1, 2, 3 -> update quotalab",
    ),
    **{
        f"version {given}": (
            lambda f, given=given: put(f, "plan.yaml", "schema_version: 3", f"schema_version: {given}"),
            f"plan/plan.yaml: schema_version = {given}: must be the whole number of a schema version; known: 1, 2, 3",
        )
        for given in ("0", "-1", "2.5", "two")
    },
    "no version": (
        lambda f: put(f, "plan.yaml", "schema_version: 3", "notes: []", ("notes:\n- first draft\n", "")),
        "plan/plan.yaml: schema_version: must be the whole number of a schema version",
    ),
    "a table lost": (
        lambda f: (f / "levels.csv").unlink(),
        "plan.yaml line 12 = levels: is listed, but levels.csv is not there: decisions of the plan are missing",
    ),
    "a table without rows": (
        lambda f: (f / "care.csv").write_text("account,hours\n"),
        "care.csv: has no rows: decisions of the plan are missing -> put them back, or take the table off the list",
    ),
    "a date run together": (
        lambda f: put(f, "owners.csv", "2026-03-01", "20260301"),
        "owners.csv line 2, column start = 20260301: is no date -> write YYYY-MM-DD",
    ),
    "a date as a number": (
        lambda f: put(f, "owners.csv", "2026-03-01", "46082"),
        "owners.csv line 2, column start = 46082: is no date -> it reads like a spreadsheet's number of a day",
    ),
    "decimal comma": (
        lambda f: put(f, "targets.csv", "100000.01", '"100.000,01"'),
        "got '100.000,01' -> write a plain number such as 1234.56: no thousands separator",
    ),
    "lock on nobody": (
        lambda f: put(f, "locks.csv", "quota.E1", "quota.E9"),
        "locks.csv line 3 = E9: names nothing in reps -> known: E1",
    ),
    "lock at no number": (
        lambda f: put(f, "locks.csv", "quota.E1,100", "quota.E1,much"),
        "locks.csv line 3 = quota.E1 = much: the value of quota.E1 must be a number, not negative",
    ),
    "a table that is none": (
        lambda f: put(f, "plan.yaml", "- care\n", "- cares\n"),
        "plan.yaml line 9 = cares: is no table of a plan -> did you mean care",
    ),
    "no list of tables": (
        lambda f: put(f, "plan.yaml", "tables:", "tables: all\nnotes:", ("notes:\n- first draft\n", "")),
        "plan.yaml line 5 = all: tables must list the plan's tables -> write tables: [targets, training, owners",
    ),
    "floor above the quota": (
        lambda f: put(f, "levels.csv", "90000,CNY", "100003.35,CNY"),
        "levels.csv line 2 = floor of E1 in revenue: 100003.35 over the horizon is above the quota, 100003.34 -> floor",
    ),
    "stretch below the quota": (
        lambda f: put(f, "levels.csv", ",14,", ",11,"),
        "levels.csv line 3 = stretch of E2 in orders: 11 over the horizon is below the quota, 12 -> floor <= quota",
    ),
    "floor of no quota": (
        lambda f: put(f, "levels.csv", "E1,revenue,floor", "E3,revenue,floor"),
        "levels.csv line 2 = floor of E3 in revenue: there is no quota beside it -> give one in targets",
    ),
    "share that is no number": (
        lambda f: put(f, "shares.csv", "0.42", "nan"),
        "= nan: share must be 0 to 1, this is that of E1 in online -> a share is written 0.45, not 45",
    ),
    "share in percent": (
        lambda f: put(f, "shares.csv", "0.42", "42"),
        "= 42: share must be 0 to 1, this is that of E1 in online -> a share is written 0.45, not 45",
    ),
    "currency": (
        lambda f: put(f, "plan.yaml", "CNY", "EUR"),
        "plan.yaml line 4 = EUR: the scenario is in CNY -> convert the plan",
    ),
    "header": (
        lambda f: put(f, "plan.yaml", "origin:", "orgin:"),
        "plan.yaml line 3 = orgin: no such field -> did you mean origin?",
    ),
    "unit": (
        lambda f: put(f, "targets.csv", "3.33,CNY", "3.33,count"),
        "targets.csv line 3, column unit = count: must be CNY for this metric -> convert the value",
    ),
    "amount": (
        lambda f: put(f, "targets.csv", "100000.01", "100k"),
        "targets.csv line 2, column value = 100k: an amount of money must be a number, got '100k'",
    ),
    "count": (
        lambda f: put(f, "targets.csv", ",12,", ",1.5,"),
        "targets.csv line 4, column value = 1.5: a count must be a whole number, not negative -> write a whole number",
    ),
    "date": (
        lambda f: put(f, "owners.csv", "2026-03-01", "1.3.26"),
        "owners.csv line 2, column start = 1.3.26: is no date -> write YYYY-MM-DD",
    ),
    "NaN": (
        lambda f: put(f, "care.csv", "60.0", "nan"),
        "care.csv line 2 = nan: hours must be a finite number, not negative -> correct it",
    ),
    "more hours than a year has": (
        lambda f: put(f, "care.csv", "60.0", "1e9"),
        "care.csv line 2 = 1000000000.0: hours must be <= 8784 -> a year has no more hours",
    ),
    "negative": (
        lambda f: put(f, "training.csv", "24.0", "-24"),
        "training.csv line 3 = -24.0: hours must be a finite number, not negative -> correct it",
    ),
    "rep": (
        lambda f: put(f, "owners.csv", "A01,E2", "A01,X9"),
        "owners.csv line 3 = X9: no rep of this name in the scenario -> known: E1, E2, E3, E4",
    ),
    "skill": (
        lambda f: put(f, "training.csv", "E1,negotiation", "E1,negotiating"),
        "training.csv line 2 = negotiating: no skill of this name in the scenario -> did you mean negotiation?",
    ),
    "metric": (
        lambda f: put(f, "targets.csv", "E2,orders", "E2,order"),
        "targets.csv line 4 = order: no metric of this name in the scenario -> did you mean orders?",
    ),
    "ratio": (
        lambda f: put(f, "targets.csv", "E2,orders", "E2,collection_rate"),
        "targets.csv line 4 = collection_rate: is a ratio and cannot be summed over periods "
        "-> give cash_collected and cash_due",
    ),
    "horizon": (
        lambda f: put(f, "owners.csv", "2026-03-01", "2027-03-01"),
        "owners.csv line 2 = 2027-03-01 to 2027-01-01: must be a period inside 2026-01-01 to 2027-01-01",
    ),
    "overlap": (
        lambda f: put(f, "targets.csv", "E1,revenue,2026-03-01", "E1,revenue,2026-02-01"),
        "targets.csv line 3 = E1 revenue: two rows for the same thing at the same time -> keep one",
    ),
    "twice": (
        lambda f: put(f, "owners.csv", "A01,E2,2026-01-01", "A01,E1,2026-03-01"),
        "owners.csv line 3 = A01 E1: two rows for the same thing at the same time -> keep one",
    ),
    "column": (
        lambda f: put(f, "care.csv", "hours", "hour"),
        "care.csv line 1: hours is missing; hour is unknown -> columns: account, hours",
    ),
    "semicolons": (
        lambda f: put(f, "care.csv", ",", ";"),
        "care.csv line 1 = semicolons: commas must stand between the columns -> save it as CSV UTF-8 with commas",
    ),
    "of a later version": (
        lambda f: put(f, "plan.yaml", "schema_version: 3", "schema_version: 1"),
        "levels.csv: is a table of schema_version 2 and later, the plan says 1 -> correct schema_version",
    ),
    "level": (
        lambda f: put(f, "levels.csv", "E1,revenue,floor", "E1,revenue,target"),
        "levels.csv line 2 = target: level must be floor or stretch -> quotas themselves stand in targets",
    ),
    "level unit": (
        lambda f: put(f, "levels.csv", "14,count", "14,CNY"),
        "levels.csv line 3, column unit = CNY: must be count for this metric",
    ),
    "level twice": (
        lambda f: put(
            f,
            "levels.csv",
            "E2,orders,stretch,2026-01-01,2027-01-01,14,count",
            "E1,revenue,floor,2026-01-01,2026-02-01,1,CNY",
        ),
        "two rows for the same thing at the same time",
    ),
    "misnamed": (
        lambda f: (f / "care.csv").rename(f / "cares.csv"),
        "cares.csv: is no table that is read -> save it as care.csv, or move it away",
    ),
    "folder": (
        lambda f: ((f / "care.csv").unlink(), (f / "care.csv").mkdir()),
        "care.csv: cannot be read: Is a directory -> check the path",
    ),
    "notes": (
        lambda f: put(f, "plan.yaml", "notes:\n- first draft", "notes: 5"),
        "plan.yaml line 13 = 5: must be a list",
    ),
    "name": (
        lambda f: put(f, "plan.yaml", "name: 方案 B", "name: 5"),
        "plan.yaml line 2 = 5: must be a text -> put it in quotes",
    ),
    "negative amount": (
        lambda f: put(f, "targets.csv", "3.33,CNY", "-3.33,CNY"),
        "targets.csv line 3 = -3.33: value must be a finite number, not negative -> correct it",
    ),
    "ragged": (
        lambda f: put(f, "care.csv", "A01,60.0", "A01,60.0,x"),
        "care.csv line 2: the row has 3 cells, the header has 2 -> quote cells that hold commas",
    ),
    "encoding": (
        lambda f: (f / "locks.csv").write_bytes("path\n王芳".encode("gbk")),
        "locks.csv line 2 = byte 0xcd: the file is not UTF-8, it looks like GBK",
    ),
}


def put(folder: Path, name: str, old: str, new: str, *more: tuple[str, str]) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    for before, after in ((old, new), *more):
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("case", BAD)
def test_a_bad_plan_is_refused_in_words(tmp_path: Path, starter: Scenario, case: str) -> None:
    folder = write_plan(PLAN, tmp_path / "plan", "CNY")
    spoil, told = BAD[case]
    spoil(folder)
    with pytest.raises(InputRefused) as refused:
        read_plan(folder, starter)
    assert [str(problem) for problem in refused.value.problems if told in str(problem)]
    assert len(refused.value.problems) == 1


def test_the_problems_of_all_tables_come_together(tmp_path: Path, starter: Scenario) -> None:
    folder = write_plan(PLAN, tmp_path / "plan", "CNY")
    for case in ("currency", "amount", "date", "column", "encoding", "skill"):
        BAD[case][0](folder)
    with pytest.raises(InputRefused) as refused:
        read_plan(folder, starter)
    assert len(refused.value.problems) == 6


def test_a_sound_plan_has_no_problems(starter: Scenario) -> None:
    assert list(plan_problems(PLAN, starter)) == []


def test_a_folder_without_a_header_is_no_plan(tmp_path: Path, starter: Scenario) -> None:
    with pytest.raises(InputRefused, match=r"holds no plan\.yaml"):
        read_plan(tmp_path, starter)
