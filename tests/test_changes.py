"""Typed changes: what-ifs, ``--set`` and sweeps share one mechanism, and the diff reads like a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.changes import Change, apply, difference, look_up, parse_assignment, parse_changes
from scenarios.errors import InputRefused
from scenarios.files import changed, load
from scenarios.paths import join_path, split_path

DOCUMENT: dict[str, Any] = {
    "calendar": {"selling_share": 0.7, "holidays": ["2026-01-01"]},
    "reps": [{"id": "E1", "hours_per_week": 40}, {"id": "陈立", "hours_per_week": 32}, {"id": "E.3"}],
    "allocation": {"rules": [{"rule": "growth", "cap": 0.25}, {"rule": "workload", "maximum": 0.95}]},
    "goals": {"targets": [{"metric": "revenue"}, {"metric": "orders"}]},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("calendar.selling_share", 0.7),
        ("reps.E1.hours_per_week", 40),
        ("reps.陈立.hours_per_week", 32),
        ("reps[E.3].id", "E.3"),
        ("reps[陈立][hours_per_week]", 32),
        ("allocation.rules.growth.cap", 0.25),
        ("goals.targets.1.metric", "orders"),
        ("goals.targets[0].metric", "revenue"),
    ],
)
def test_paths_name_items_by_id_by_rule_or_by_position(path: str, value: Any) -> None:
    assert look_up(DOCUMENT, path) == value
    if not path.endswith(".id"):
        assert look_up(apply(DOCUMENT, [Change("set", path, "new")]), path) == "new"


def test_setting_leaves_the_original_alone() -> None:
    before = repr(DOCUMENT)
    apply(DOCUMENT, [Change("set", "reps.E1.hours_per_week", 20), Change("remove", "reps.陈立")])
    assert repr(DOCUMENT) == before


def test_the_value_of_a_change_is_not_shared_with_the_document() -> None:
    item = {"id": "E4", "skills": {"negotiation": 50}}
    changed_once = apply(DOCUMENT, [Change("add", "reps", item), Change("set", "reps.E4.skills.negotiation", 60)])
    assert look_up(changed_once, "reps.E4.skills.negotiation") == 60
    assert item == {"id": "E4", "skills": {"negotiation": 50}}


def test_each_operation() -> None:
    after = apply(
        DOCUMENT,
        [
            Change("scale", "calendar.selling_share", 0.5),
            Change("scale", "reps.E1.hours_per_week", 0.5),
            Change("add", "reps", {"id": "E4"}),
            Change("remove", "reps.陈立"),
            Change("remove", "calendar.holidays"),
            Change("set", "skills.training.hours_scale", 90),
            Change("add", "tiers", {"id": "A"}),
        ],
    )
    assert after["calendar"] == {"selling_share": 0.35}
    assert after["reps"] == [{"id": "E1", "hours_per_week": 20}, {"id": "E.3"}, {"id": "E4"}]
    assert isinstance(after["reps"][0]["hours_per_week"], int)
    assert after["skills"] == {"training": {"hours_scale": 90}}
    assert after["tiers"] == [{"id": "A"}]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change("set", "reps.E9.team", 1), "reps.E9.team = E9: no such entry in reps -> known: E1, 陈立, E.3"),
        (
            Change("scale", "calendar.seling_share", 2.0),
            "calendar.seling_share = seling_share: no such entry in calendar -> did you mean selling_share?",
        ),
        (Change("scale", "reps.E1.id", 2.0), "reps.E1.id = E1: only a number can be scaled"),
        (Change("remove", "reps.E9"), "reps.E9 = E9: no such entry in reps -> known: E1, 陈立, E.3"),
        (Change("set", "reps.E1.id.x", 2), "reps.E1.id.x = E1: reps.E1.id is a value and has no fields"),
        (Change("set", "reps.0.team", 2), "reps.0.team = 0: no such entry in reps -> known: E1, 陈立, E.3"),
        (Change("add", "reps", {"id": "E1"}), "reps = E1: an item of this id exists -> set its fields instead"),
        (Change("add", "calendar", {}), "is not a list that something could be added to"),
        (Change("set", "reps..x", 1), "path = reps..x: must read section.id.field"),
        (Change("set", "reps[E1", 1), "path = reps[E1: must read section.id.field"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(change: Change, told: str) -> None:
    with pytest.raises(InputRefused) as refused:
        apply(DOCUMENT, [change])
    assert told in str(refused.value)


def test_all_bad_changes_are_named_together() -> None:
    with pytest.raises(InputRefused) as refused:
        apply(DOCUMENT, [Change("set", "reps.E9.x", 1), Change("remove", "nothing"), Change("scale", "goals", 2.0)])
    assert len(refused.value.problems) == 3


def test_a_name_that_two_entries_bear_changes_neither() -> None:
    rules = {"rules": [{"rule": "growth", "cap": 0.1}, {"rule": "spread"}, {"rule": "growth", "cap": 0.3}]}
    with pytest.raises(InputRefused, match=r"growth: 2 entries are called so -> write the position: 0, 2"):
        apply(rules, [Change("set", "rules.growth.cap", 0.2)])
    assert apply(rules, [Change("set", "rules.2.cap", 0.2)])["rules"][2] == {"rule": "growth", "cap": 0.2}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("calendar.selling_share=0.75", Change("set", "calendar.selling_share", 0.75)),
        ("sources.线上.leads_per_year*=1.2", Change("scale", "sources.线上.leads_per_year", 1.2)),
        ("reps[E.3].team = T 2", Change("set", "reps[E.3].team", "T 2")),
        ("reps.E1.hired=2026-03-01", Change("set", "reps.E1.hired", "2026-03-01")),
        ("reps.E1.skills={negotiation: 70}", Change("set", "reps.E1.skills", {"negotiation": 70})),
        ("reps.E1.leaves=", Change("set", "reps.E1.leaves", None)),
        ("name='a=b'", Change("set", "name", "a=b")),
    ],
)
def test_assignments_on_the_command_line(text: str, change: Change) -> None:
    assert parse_assignment(text) == change


@pytest.mark.parametrize("text", ["no assignment", "=5", "a*=big", "a=[1", "a=1\x07", "a={x: 1, x: 2}", "\udc80"])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        parse_assignment(text)
    str(refused.value).encode()


def test_changes_of_a_file_are_checked_entry_by_entry() -> None:
    good = [{"set": "a.b", "to": 1}, {"scale": "a.c", "by": 2}, {"add": "d", "item": {"id": "x"}}, {"remove": "e"}]
    assert [str(change) for change in parse_changes(good, "f")] == ["a.b = 1", "a.c x 2", "d + x", "e removed"]
    bad: list[Any] = [{"set": "a", "by": 1}, {"remove": "a", "to": 1}, "set", {"scale": "a", "by": True}, {}]
    with pytest.raises(InputRefused) as refused:
        parse_changes([*good, *bad], "f")
    assert [problem.where for problem in refused.value.problems] == [f"f[{at}]" for at in range(4, 9)]


def test_the_difference_reads_like_a_list_of_changes() -> None:
    after = apply(
        DOCUMENT,
        [
            Change("scale", "calendar.selling_share", 2.0),
            Change("remove", "reps[E.3]"),
            Change("add", "reps", {"id": "E4", "team": "T"}),
            Change("set", "allocation.rules.growth.cap", 0.1),
        ],
    )
    assert [str(line) for line in difference(DOCUMENT, after)] == [
        "  calendar.selling_share: 0.7 -> 1.4",
        "- reps[E.3].id (was E.3)",
        "  allocation.rules.growth.cap: 0.25 -> 0.1",
        "+ reps.E4.id = E4",
        "+ reps.E4.team = T",
    ]


def test_order_of_items_is_no_difference() -> None:
    turned = DOCUMENT | {"reps": list(reversed(DOCUMENT["reps"]))}
    assert difference(DOCUMENT, turned) == []


def test_changing_a_scenario_validates_and_keeps_the_rest() -> None:
    today = load("starter")
    leads = today.sources[0].leads_per_year
    more = changed(today, ["sources.online.leads_per_year*=1.1", "reps.E1.hours_per_week=32"])
    assert [str(line) for line in difference(today.document(), more.document())] == [
        f"  sources.online.leads_per_year: {leads} -> {leads * 1.1}",
        "+ reps.E1.hours_per_week = 32.0",
    ]
    with pytest.raises(InputRefused) as refused:
        changed(today, ["reps.E1.team=Nowhere", "calendar.selling_share=1.4", "stages.proposl.conversion=0.5"])
    assert [str(problem) for problem in refused.value.problems] == [
        "--set stages.proposl.conversion=0.5: stages.proposl.conversion = proposl: no such entry in stages "
        "-> did you mean proposal?",
        "--set calendar.selling_share=1.4: calendar.selling_share = 1.4: must be <= 1 "
        "-> a share is written 0.45, not 45 or 45 %",
        "--set reps.E1.team=Nowhere: reps.E1.team = Nowhere: names nothing in teams -> known: East, North, South",
    ]


def test_a_default_that_the_file_leaves_out_can_be_changed() -> None:
    more = load("starter", ["skills.training.hours_scale*=2", "allocation.rules.growth.cap=0.3"])
    assert more.skills.training.hours_scale == 166.0
    assert more.allocation.rules[1].model_dump()["cap"] == 0.3


def test_a_limit_can_be_switched_off_and_stays_off() -> None:
    free = load("starter", ["allocation.rules.growth.floor=null"])
    rule = free.allocation.rules[1]
    assert rule.rule == "growth"
    assert rule.floor is None
    assert changed(free, ["seed=5"]).allocation.rules == free.allocation.rules


Part = st.text(st.characters(exclude_characters="[]", exclude_categories=["C", "Z"]), min_size=1)


@given(st.lists(Part, min_size=1, max_size=5))
def test_paths_split_as_they_were_joined(parts: list[str]) -> None:
    assert split_path(join_path(*parts)) == parts
