"""Locks as they are put on a plan: whatever the next allocation would refuse is refused at once, in the same words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import quotalab as ql
from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.lockable import of_plan, of_request
from optimize.locked import require_room
from quotalab import locking
from quotalab.cli.main import run
from quotalab.locking import put_lock
from scenarios.errors import InputRefused
from scenarios.files import from_document, load
from scenarios.folders import whole_folder
from scenarios.locks import lock
from scenarios.plan import QuotaRow
from scenarios.plan_files import write_plan
from scenarios.trail import Trail, read_trail, write_trail
from target_worlds import responses_of, world

ORDERS = {"metric": "orders", "target": 140, "floor": 90, "stretch": 200}
MARCH = "2026-03-01"
ROOT = str(Path(__file__).resolve().parents[1])


@pytest.fixture(scope="module")
def made():
    scenario = world([ORDERS], owned=[{"id": "A1", "owner": "R1"}])
    return scenario, allocate(scenario, responses_of(scenario)).plan


@pytest.fixture
def folder(made, tmp_path):
    scenario, plan = made
    write_plan(plan, tmp_path / "plan", scenario.currency)
    trail = Trail().followed_by(plan, action="allocated", author="a", time="t", scenario=scenario.fingerprint())
    write_trail(trail, tmp_path / "plan")
    return tmp_path / "plan"


REFUSED = [
    ([("floor.R1", "5")], "no target of revenue has a floor"),
    ([("quota.R1.cash_due", "5")], "no target asks for cash_due"),
    ([("quota.R1.2026-03-02", "5")], "no reporting period begins on 2026-03-02; the nearest begins on 2026-03-01"),
    ([("quota.R1.orders", "1.5")], "orders is a count"),
    ([("quota.R1", "1.555")], "two decimals"),
    ([("quota.R1", "1e300")], "at most 90,000,000,000,000 currency units"),
    ([("quota.R1", "4000.01")], "0.01 too much"),
    ([("quota.R1", "3000"), ("quota.R2", "1000.01")], "0.01 too much"),
    ([(f"quota.R{i}", "900") for i in range(1, 5)], "400.00 missing"),
    ([("quota.R1.orders", "141")], "1 too much"),
    ([("quota.R1", "500"), (f"quota.R1.{MARCH}", "501")], "locked periods sum to 501.00"),
    (
        [("floor.R1.orders", "30"), ("quota.R1.orders", "29")],
        "the floor is locked at 30, above the quota",
    ),
    (
        [("stretch.R1.orders", "28"), ("quota.R1.orders", "29")],
        "the quota is locked at 29, above the stretch",
    ),
    ([(f"floor.R1.orders.{MARCH}", "3"), (f"quota.R1.orders.{MARCH}", "1")], "over 2026-03 the floor is locked at 3"),
    ([("training.R1.negotiation", "5000")], "working hours over the horizon"),
    ([("care.A1", "9000")], "a year has no more hours"),
    ([("care.A1", "8000")], "nobody has so many hours"),
]


def test_the_most_hours_of_care_that_are_told_can_be_locked(made):
    scenario, plan = made
    with pytest.raises(InputRefused) as caught:
        require_room(lock(scenario, "care.A1", 8000, author="a"), plan)
    most = int(re.search(r"([\d,]+) hours a year is the most", str(caught.value))[1].replace(",", ""))
    assert most > 0
    require_room(lock(scenario, "care.A1", most, author="a"), plan)
    with pytest.raises(InputRefused, match="nobody has so many hours"):
        require_room(lock(scenario, "care.A1", most + 1, author="a"), plan)


@pytest.mark.parametrize(("locks", "told"), REFUSED)
def test_what_the_next_allocation_refuses_is_refused_when_it_is_put(made, folder, locks, told):
    scenario, _ = made
    *sound, (path, value) = locks
    for before, amount in sound:
        put_lock(scenario, folder, before, amount, author="王", reason="agreed")
    entries = read_trail(folder).entries
    with pytest.raises(InputRefused) as refused:
        put_lock(scenario, folder, path, value, author="李", reason="agreed")
    assert told in str(refused.value)
    assert read_trail(folder).entries == entries
    with pytest.raises(InputRefused) as later:
        planned(scenario, locks)
    assert told in str(later.value)


def planned(scenario, locks):
    for path, amount in locks:
        scenario = lock(scenario, path, amount, author="王")
    return allocate(scenario, responses_of(scenario))


def test_both_of_two_locks_that_cross_are_named():
    scenario = world([ORDERS])
    scenario = lock(lock(scenario, "floor.R1.orders", 30, author="王"), "quota.R1.orders", 29, author="李")
    with pytest.raises(InputRefused, match=r"floor\.R1\.orders locked by 王; quota\.R1\.orders locked by 李"):
        allocate(scenario, responses_of(scenario))


def test_a_plan_and_its_allocation_say_the_same_of_what_can_be_locked(made):
    scenario, plan = made
    found = responses_of(scenario)
    asked, kept = of_request(scenario, formulate(scenario, found), found), of_plan(scenario, plan)
    assert (kept.reps, kept.periods, kept.accounts, kept.levels) == (
        asked.reps,
        asked.periods,
        asked.accounts,
        asked.levels,
    )
    assert list(kept.carried) == list(asked.carried)
    for metric, carried in asked.carried.items():
        np.testing.assert_array_equal(kept.carried[metric], carried)
    require_room(scenario, plan)


def test_nothing_is_locked_before_somebody_is_hired():
    scenario = load("starter", ["allocation.leads={decide: true}"])
    plan = ql.today_plan(scenario)
    with pytest.raises(InputRefused, match=r"share\.online\.S4 is locked to somebody who is hired only on 2026-03-02"):
        ql.lock(scenario, "share.online.S4", 0.33, author="王", reason="agreed")
    with pytest.raises(InputRefused, match=r"S4 is not employed on any day of 2026-01"):
        require_room(ql.lock(scenario, "quota.S4.2026-01-01", 5, author="王", reason="agreed"), quoted(plan, scenario))
    require_room(ql.lock(scenario, "quota.S4.2026-03-01", 5, author="王", reason="agreed"), quoted(plan, scenario))


def quoted(plan, scenario):
    """The plan with a quota for everybody over the horizon."""
    start, end = scenario.calendar.start, scenario.calendar.end
    return plan.with_rows(targets=[QuotaRow(rep.id, "revenue", start, end, 100_000_00) for rep in scenario.reps])


def test_hours_of_the_calendar_are_those_of_the_simulation(tiny_document):
    from optimize.response.estimate import estimate

    tiny_document["skills"]["effort_log_per_point"] = -0.02
    scenario = from_document(tiny_document)
    found = estimate(scenario, ql.simulate(scenario, replications=2))
    today = of_plan(scenario, ql.today_plan(scenario))
    np.testing.assert_allclose(today.hours, found.hours, rtol=1e-9)
    np.testing.assert_allclose(today.care_load, found.accounts.care_load, rtol=1e-9)
    assert len(set(today.care_load)) > 1


def test_the_hint_names_the_world_that_was_locked(made, folder, tmp_path, capfd):
    scenario, _ = made
    ql.save(scenario, tmp_path / "a world")
    words = ["lock", str(tmp_path / "a world"), "quota.R1", "500", "--author", "y", "--reason", "x"]
    assert run([*words, "--plan", str(folder), "--set", "name=two words"]) == 0
    told = capfd.readouterr().err
    assert f"quotalab allocate '{tmp_path / 'a world'}' --set 'name=two words' --plan {folder}" in told
    assert run([*words[:3], "600", *words[4:], "--plan", str(folder)]) == 0
    assert "locked quota.R1 = 600 instead of 500" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("quota.R1", "-5", "lock quota.R1 = -5: the value of quota.R1 must be a number, not negative"),
        ("quota.R9", "5", "lock = quota.R9 (R9): names nothing in reps -> known: R1"),
        ("quoat.R1", "5", "lock = quoat.R1: a lock's path reads quota.REP"),
        ("owner.A1", "R9", "lock owner.A1 = R9: names nothing in reps"),
        ("quota.R1", "nan", "lock quota.R1 = nan: must be a finite number"),
        ("quota.R1", "1_500", "lock quota.R1 = 1_500: the value of quota.R1 must be a number"),
        ("quota.R1", "1,500", "lock quota.R1 = 1,500: the value of quota.R1 must be a number"),
    ],
)
def test_a_bad_lock_is_named_as_it_was_given(made, folder, path, value, told):
    with pytest.raises(InputRefused) as refused:
        put_lock(made[0], folder, path, value, author="y", reason="x")
    assert told in str(refused.value)


def test_a_lock_put_while_another_is_written_is_not_lost(made, folder, monkeypatch):
    scenario, _ = made
    write, meanwhile = locking.write_trail, []

    def slowly(trail, place):
        write(trail, place)
        if not meanwhile:
            meanwhile.append(True)
            put_lock(scenario, folder, "quota.R2", "700", author="李", reason="agreed")

    monkeypatch.setattr(locking, "write_trail", slowly)
    with pytest.raises(InputRefused, match=r"1 more entries meanwhile, which would be lost: 李 locked \(agreed\)"):
        put_lock(scenario, folder, "quota.R1", "500", author="王", reason="agreed")
    assert list(read_trail(folder).own_locks()) == ["quota.R2"]


def test_a_folder_is_there_at_every_moment_of_being_replaced(tmp_path):
    """A process that is killed between two steps of the replacement leaves a whole folder."""
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "text").write_text("old")
    script = (
        "import os\nfrom pathlib import Path\nfrom scenarios.folders import whole_folder\n"
        "known = Path.replace\n"
        "Path.replace = lambda *paths: (known(*paths), os._exit(9))\n"
        "with whole_folder(Path('it')) as draft:\n    (draft / 'text').write_text('new')\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT}, check=False)
    assert (tmp_path / "it" / "text").read_text() in ("old", "new")


def test_what_a_killed_process_left_goes_after_a_day(tmp_path):
    names = (".it-abcdefgh", ".it-old-abcdefgh", ".it-ijklmnop", ".its-abcdefgh", "it-abcdefgh")
    for name in names:
        (tmp_path / name).mkdir()
        if name != ".it-ijklmnop":
            os.utime(tmp_path / name, (0, 0))
    with whole_folder(tmp_path / "it"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".it-ijklmnop", ".its-abcdefgh", "it", "it-abcdefgh"]


def test_a_locked_month_is_told_once(made, folder, tmp_path, capfd):
    scenario, _ = made
    ql.save(scenario, tmp_path / "world")
    put_lock(scenario, folder, f"quota.R1.{MARCH}", "99", author="y", reason="x")
    assert run(["trail", str(tmp_path / "world"), "--plan", str(folder)]) == 0
    told = capfd.readouterr().out
    assert "(1 figure changed)" in told
    assert told.count(f"quota.R1.{MARCH}") == 1


def test_a_figure_that_somebody_else_has_locked_is_told_with_their_name(made, folder, tmp_path, capfd):
    scenario, _ = made
    ql.save(scenario, tmp_path / "world")
    for author, value, told in (
        ("王", "500", "locked quota.R1 = 500 in"),
        ("王", "600", "locked quota.R1 = 600 instead of 500 in"),
        ("李", "550", "locked quota.R1 = 550 instead of 600, locked by 王 before in"),
    ):
        words = ["lock", str(tmp_path / "world"), "quota.R1", value, "--author", author, "--reason", "x"]
        assert run([*words, "--plan", str(folder)]) == 0
        assert told in capfd.readouterr().out
    entries = read_trail(folder).entries
    with pytest.raises(
        InputRefused, match=r"quota\.R1 = 550: is locked so already, by 李 \(x\) -> to take it over, unl"
    ):
        put_lock(scenario, folder, "quota.R1", "550.00", author="王", reason="mine")
    assert read_trail(folder).entries == entries


def test_processes_that_lock_at_once_lose_nothing_silently(made, folder, tmp_path):
    """Both find the plan unchanged, unless the look and the taking of its place are one."""
    scenario, _ = made
    ql.save(scenario, tmp_path / "world")
    # Time between the look and the step that puts the draft in the plan's place is where a change could get lost.
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from quotalab import locking\nfrom quotalab.worlds import open_world\n"
        "from scenarios.errors import InputRefused\n"
        "known = locking.require_unchanged\n"
        "locking.require_unchanged = lambda *where: (known(*where), time.sleep(0.2))\n"
        "world, kept = open_world(sys.argv[1], None), []\n"
        "for month in range(1, 5):\n"
        "    path = f'quota.{sys.argv[3]}.2026-{month:02d}-01'\n"
        "    try:\n"
        "        locking.put_lock(world, Path(sys.argv[2]), path, '9', author=sys.argv[3], reason='x')\n"
        "        kept.append(path)\n"
        "    except InputRefused as refused:\n"
        "        assert 'would be lost' in str(refused), refused\n"
        "print(*kept)\n"
    )
    words = [sys.executable, "-c", script, str(tmp_path / "world"), str(folder)]
    env = {**os.environ, "PYTHONPATH": ROOT}
    both = [subprocess.Popen([*words, rep], env=env, stdout=subprocess.PIPE, text=True) for rep in ("R1", "R2")]
    kept = [path for process in both for path in process.communicate(timeout=120)[0].split()]
    assert all(process.returncode == 0 for process in both)
    assert len(kept) >= 4
    assert sorted(read_trail(folder).own_locks()) == sorted(kept)
