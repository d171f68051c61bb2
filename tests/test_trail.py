"""Locks put on plans, and the audit trail: it grows with every step, and every way of tampering with it shows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import quotalab as ql
from quotalab.cli.main import run
from scenarios.errors import InputRefused
from scenarios.locks import lock_rows, with_locks
from scenarios.plan import LockRow, Plan
from scenarios.plan_files import read_plan, write_plan
from scenarios.scenario import Scenario
from scenarios.trail import TRAIL, Trail, continued, figures, read_trail, require_whole, write_trail


def grown(plan: Plan, steps: int = 3) -> tuple[Trail, Plan]:
    trail = Trail()
    for step in range(steps):
        plan = plan.with_rows(locks=[LockRow(f"quota.E{step}", str(step), "王", "r", "t")])
        trail = trail.followed_by(
            plan, action="locked", author="王", time=f"2026-01-0{step + 1}", scenario="s", reason="谈妥"
        )
    return trail, plan


@pytest.fixture
def kept(tiny: Scenario, tmp_path: Path) -> tuple[Path, Plan]:
    trail, plan = grown(ql.today_plan(tiny))
    write_trail(trail, tmp_path)
    return tmp_path, plan


def test_a_trail_reads_back_as_it_was_written_and_holds(kept: tuple[Path, Plan]) -> None:
    folder, plan = kept
    trail = read_trail(folder)
    assert [entry.number for entry in trail.entries] == [1, 2, 3]
    assert trail.broken(plan, trail.entries[0].hash) == []
    assert trail.figures() == figures(plan)
    before = (folder / TRAIL).read_bytes()
    longer = trail.followed_by(plan, action="allocated", author="x", time="t", scenario="s")
    write_trail(longer, folder)
    assert (folder / TRAIL).read_bytes().startswith(before)
    assert longer.entries[-1].changes == ()


@pytest.mark.parametrize("field", ["time", "author", "action", "reason", "scenario", "plan", "changes", "number"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_changing_any_field_of_any_entry_shows(kept: tuple[Path, Plan], field: str, at: int) -> None:
    folder, plan = kept
    lines = (folder / TRAIL).read_text(encoding="utf-8").splitlines()
    entry: dict[str, Any] = json.loads(lines[at])
    entry[field] = {"number": 9, "changes": entry["changes"][:-1], "action": "unlocked"}.get(field, "x")
    lines[at] = json.dumps(entry, ensure_ascii=False)
    (folder / TRAIL).write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert any(f"entry {at + 1} " in text and "changed" in text for text in read_trail(folder).broken(plan))


@pytest.mark.parametrize("order", [[1, 2], [0, 2], [0, 1], [1, 0, 2], [0, 1, 1, 2], []])
def test_removing_moving_and_doubling_entries_shows(kept: tuple[Path, Plan], order: list[int]) -> None:
    folder, plan = kept
    lines = (folder / TRAIL).read_text(encoding="utf-8").splitlines()
    head = read_trail(folder).head
    (folder / TRAIL).write_text("".join(f"{lines[i]}\n" for i in order), encoding="utf-8")
    assert read_trail(folder).broken(plan, head)
    if order:
        assert read_trail(folder).broken(plan)


def test_a_changed_entry_that_is_sealed_anew_breaks_the_chain(kept: tuple[Path, Plan]) -> None:
    folder, plan = kept
    trail = read_trail(folder)
    forged = replace(trail.entries[1], author="李").sealed()
    told = replace(trail, entries=(trail.entries[0], forged, trail.entries[2])).broken(plan)
    assert told[:1] == ["entry 3: it does not follow the one before; one was removed, put in or moved"]
    # Whoever seals everything anew is found out by a hash that was noted.
    rest = replace(trail.entries[2], previous=forged.hash).sealed()
    rewritten = replace(trail, entries=(trail.entries[0], forged, rest))
    assert rewritten.broken(plan) == []
    assert "rewritten" in rewritten.broken(plan, trail.head)[0]


def test_a_torn_line_and_a_plan_changed_without_an_entry_show(kept: tuple[Path, Plan]) -> None:
    folder, plan = kept
    other = plan.with_rows(care=())
    assert "without an entry" in read_trail(folder).broken(other)[0]
    text = (folder / TRAIL).read_text(encoding="utf-8")
    (folder / TRAIL).write_text(text[:-20], encoding="utf-8")
    told = read_trail(folder).broken(plan)
    assert told[0].startswith("line 3")
    with pytest.raises(InputRefused, match="line 3"):
        require_whole(read_trail(folder), folder)


def test_trails_that_part_ways_are_not_joined(tiny: Scenario) -> None:
    trail, plan = grown(ql.today_plan(tiny))
    longer = trail.followed_by(plan, action="allocated", author="x", time="t", scenario="s")
    one, other = Path("one"), Path("other")
    assert continued([(one, trail), (other, longer)]) == longer
    assert continued([(one, longer), (other, Trail()), (one, trail)]) == longer
    parted = trail.followed_by(plan, action="allocated", author="y", time="t", scenario="s")
    with pytest.raises(InputRefused, match="history of its own"):
        continued([(one, longer), (other, parted)])


# Locks on scenarios


def test_lock_and_unlock_give_new_scenarios(tiny: Scenario) -> None:
    one = ql.lock(tiny, "quota.E1", "600000", author="王", reason="谈妥")
    two = ql.lock(one, "owner.A0", "E3", author="李")
    again = ql.lock(two, "quota.E1", 610000.5, author="李", reason="new talks")
    assert tiny.allocation.locks == ()
    assert [(row.path, row.value) for row in lock_rows(again)] == [("owner.A0", "E3"), ("quota.E1", "610000.5")]
    assert lock_rows(one)[0].value == "600000"
    assert ql.unlock(again, "quota.E1").allocation.locks == (two.allocation.locks[1],)
    with pytest.raises(InputRefused, match="nothing is locked there"):
        ql.unlock(again, "quota.E2")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("quota.E9", 1),
        ("quota.E1", "viel"),
        ("quota.E1", float("nan")),
        ("quota.E1", -1),
        ("owner.A0", "E9"),
        ("owner.A0", 3),
        ("training.E1.juggling", 3),
        ("care.A9", 3),
        ("target.E1", 3),
        ("", 3),
    ],
)
def test_locks_on_nothing_and_values_that_are_none_are_refused(tiny: Scenario, path: str, value: Any) -> None:
    with pytest.raises(InputRefused):
        ql.lock(tiny, path, value, author="王")


def test_locks_of_a_plan_join_the_scenario_s_unless_they_contradict(tiny: Scenario) -> None:
    own = ql.lock(tiny, "quota.E1", 600000, author="王")
    same, new = LockRow("quota.E1", "600000"), LockRow("care.A0", "12.5", "李", "promised", "t")
    joined = with_locks(own, [same, new], "the plan")
    assert {row.path for row in lock_rows(joined)} == {"quota.E1", "care.A0"}
    assert joined.plan == own.plan
    with pytest.raises(InputRefused, match=r"locked at 600000 in the scenario and at 1 in the plan"):
        with_locks(own, [LockRow("quota.E1", "1")], "the plan")


# From solve to solve


@pytest.fixture(scope="module")
def first(tiny_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first") / "run"
    asked = ["allocate", str(tiny_file), "-n", "12", "-q", "--author", "陈", "--reason", "first", "-o", str(folder)]
    assert run(asked) == 0
    return folder


@pytest.fixture
def company(first: Path, tiny_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs a verb on a copy of an allocated plan; gives exit code and output."""
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(first, folder)

    def call(verb: str, *more: str) -> tuple[int, str]:
        place = ["-o", str(folder), "-n", "12"] if verb == "allocate" else ["--plan", str(folder)]
        code = run([verb, str(tiny_file), *more, *place, "-q"])
        seen = capfd.readouterr()
        return code, seen.out + seen.err

    call.folder = folder / "plan"  # type: ignore[attr-defined]
    call.world = ql.load(tiny_file)  # type: ignore[attr-defined]
    return call


def test_locks_put_on_a_plan_hold_in_the_next_one_and_the_trail_goes_on(company: Any) -> None:
    said = ["--author", "王", "--reason", "agreed"]
    assert company("lock", "quota.E2", "451234.56", *said)[0] == 0
    assert company("lock", "owner.A0", "E3", *said)[0] == 0
    locked = read_plan(company.folder, company.world)
    assert [row.path for row in locked.locks] == ["owner.A0", "quota.E2"]
    code, out = company("allocate", "--author", "陈")
    assert code == 0
    assert "locked: quota.E2 = 451234.56, 王: agreed" in out
    plan = read_plan(company.folder, company.world)
    assert plan.quotas()["E2"] == 451_234_56
    assert plan.owner_of()["A0"] == "E3"
    trail = read_trail(company.folder)
    assert [entry.action for entry in trail.entries] == ["began", "allocated", "locked", "locked", "allocated"]
    assert [entry.author for entry in trail.entries] == ["陈", "陈", "王", "王", "陈"]
    changes = {change.path: change for change in trail.entries[-1].changes}
    assert changes["quota.E2"].after == "451234.56"
    assert changes["owner.A0"].before == "E1"
    assert trail.figures() == figures(plan)
    assert company("trail")[0] == 0
    assert company("unlock", "quota.E2", *said)[0] == 0
    assert company("allocate", "--author", "陈")[0] == 0
    assert [row.path for row in read_plan(company.folder, company.world).locks] == ["owner.A0"]
    assert company("trail")[0] == 0


def test_a_plan_edited_by_hand_is_found_and_not_gone_on_from(company: Any) -> None:
    plan = read_plan(company.folder, company.world)
    write_plan(plan.with_rows(care=plan.care[1:]), company.folder, company.world.currency)
    code, out = company("trail")
    assert code == 1
    assert "changed without an entry" in out
    for verb, more in (("allocate", ()), ("lock", ("quota.E1", "1", "--reason", "x", "--author", "y"))):
        code, out = company(verb, *more)
        assert code == 1
        assert "changed without an entry" in out


def test_refusals_of_locks_say_what_to_do(company: Any, tiny_file: Path) -> None:
    said = ["--reason", "x", "--author", "y"]
    assert "nothing is locked" in company("unlock", "quota.E1", *said)[1]
    assert "--reason" in company("lock", "quota.E1", "1", "--reason", " ", "--author", "y")[1]
    assert "names nothing in reps" in company("lock", "quota.E9", "1", *said)[1]
    assert company("lock", "quota.E1", "1")[0] == 2
    assert len(read_trail(company.folder).entries) == 2
    assert "no entry has the hash" in company("trail", "--noted", "ab12")[1]
    assert run(["trail", str(tiny_file), "--plan", str(tiny_file.parent / "none")]) == 1
