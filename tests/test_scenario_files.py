"""Scenarios on disk: whole or not at all, the same when read back, what-ifs that hold only their changes."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from scenarios.changes import Change, difference
from scenarios.errors import InputRefused
from scenarios.files import changed, from_document, library, library_whatifs, load, save
from scenarios.folders import whole_folder
from scenarios.scenario import Scenario


@pytest.fixture(scope="module")
def starter() -> Scenario:
    return load("starter")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_saved_reads_back_the_same(tmp_path: Path, starter: Scenario) -> None:
    assert load(save(starter, tmp_path / "启航")) == starter


def test_saving_twice_gives_the_same_bytes(tmp_path: Path, starter: Scenario) -> None:
    assert snapshot(save(starter, tmp_path / "a")) == snapshot(save(load(tmp_path / "a"), tmp_path / "b"))


def test_a_scenario_folder_is_replaced_whole(tmp_path: Path, starter: Scenario) -> None:
    save(starter, tmp_path / "a")
    save(changed(starter, ["absences=[]"]), tmp_path / "a")
    assert not (tmp_path / "a" / "absences.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_nothing_else_is_ever_overwritten(tmp_path: Path, starter: Scenario, kind: str) -> None:
    target = tmp_path / "mine"
    if kind == "folder":
        target.mkdir()
    kept = target / "thesis.txt" if kind == "folder" else target
    kept.write_text("precious")
    with pytest.raises(InputRefused, match="exists and is not a scenario folder"):
        save(starter, target)
    assert kept.read_text() == "precious"


def test_an_empty_folder_may_be_filled(tmp_path: Path, starter: Scenario) -> None:
    (tmp_path / "new").mkdir()
    assert load(save(starter, tmp_path / "new")) == starter


def test_a_write_that_breaks_off_leaves_everything_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with whole_folder(target) as draft:
        (draft / "a.txt").write_text("1")

    def breaks_off() -> None:
        with whole_folder(target) as draft:
            (draft / "a.txt").write_text("2")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks_off()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (target / "a.txt").read_text() == "1"


def test_one_file_holds_a_whole_scenario(tmp_path: Path, starter: Scenario) -> None:
    import yaml

    path = tmp_path / "world.yaml"
    path.write_text(yaml.safe_dump(starter.document(), allow_unicode=True), encoding="utf-8")
    assert load(path) == starter
    path.write_text("\ufeff" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert load(str(path)) == starter


def test_tables_take_what_spreadsheets_write(tmp_path: Path, starter: Scenario) -> None:
    """Windows line ends, a trailing empty row, columns in another order."""
    folder = save(starter, tmp_path / "a")
    rows = [line.split(",") for line in (folder / "absences.csv").read_text(encoding="utf-8-sig").splitlines()]
    text = "\r\n".join(",".join(reversed(row)) for row in [*rows, ["", "", ""]])
    (folder / "absences.csv").write_bytes(text.encode("utf-8-sig"))
    assert load(folder) == starter


def test_nested_fields_of_accounts_survive_the_table(tmp_path: Path, starter: Scenario) -> None:
    data = starter.document()
    data["accounts"][0] |= {
        "care_response": {"form": "adbudg", "low": 1000.5, "high": 900000, "shape": 1.5, "half": 2, "hours_now": 60},
        "eligible": ["E1", "E2"],
    }
    world = from_document(data)
    assert load(save(world, tmp_path / "a")) == world


def test_the_library_holds_scenarios_and_their_what_ifs() -> None:
    assert "starter" in library()
    assert "whatifs" not in library()
    assert set(library_whatifs("starter")) == {"hire_one", "better_qualification"}
    with pytest.raises(InputRefused, match="is no shipped scenario"):
        library_whatifs("nothing")


def test_one_hire_more_changes_nothing_else(starter: Scenario) -> None:
    hired = load(library_whatifs("starter")["hire_one"])
    assert hired.reps[:-1] == starter.reps
    rep = hired.reps[-1]
    level = {level.id: level for level in hired.skills.levels}[rep.level or ""]
    assert (rep.team, str(rep.hired), level.cost_per_year.major) == ("East", "2026-03-01", 280_000)
    assert hired.description != starter.description
    same = {"name": starter.name, "description": starter.description, "reps": starter.reps}
    assert hired.model_copy(update=same) == starter


def test_better_qualification_costs_hours_and_passes_fewer(starter: Scenario) -> None:
    better = load(library_whatifs("starter")["better_qualification"])
    paths = {line.path: (line.before, line.after) for line in difference(starter.document(), better.document())}
    before, after = paths.pop("stages.prospecting.effort_hours.mean")
    assert after > before
    before, after = paths.pop("stages.prospecting.conversion")
    assert after < before
    assert paths.keys() - {"name", "description"} == {
        "stages.first_contact.conversion",
        "stages.needs_analysis.conversion",
        "stages.proposal.conversion",
    }
    assert all(after > before for path, (before, after) in paths.items() if path.endswith("conversion"))


def test_what_ifs_stack_and_set_comes_last(tmp_path: Path, starter: Scenario) -> None:
    (tmp_path / "one.yaml").write_text(
        "extends: starter\nname: 一\nchanges:\n  - {scale: sources.online.leads_per_year, by: 2}\n"
    )
    (tmp_path / "two.yaml").write_text(
        "extends: one.yaml\nseed: 9\nchanges:\n  - {scale: sources.online.leads_per_year, by: 2}\n"
    )
    world = load(tmp_path / "two.yaml", ["seed=3", Change("set", "queue", "value_first")])
    assert (world.name, world.seed, world.queue) == ("一", 3, "value_first")
    assert world.sources[0].leads_per_year == 4 * starter.sources[0].leads_per_year


def test_extends_looks_beside_its_file_and_never_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, starter: Scenario
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "starter").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "if.yaml").write_text("extends: starter\nchanges: [{set: seed, to: 1}]\n")
    assert load(tmp_path / "if.yaml").reps == starter.reps


def test_copies_pickles_and_equality(starter: Scenario) -> None:
    for twin in (copy.deepcopy(starter), pickle.loads(pickle.dumps(starter)), starter.model_copy()):
        assert twin == starter
        assert twin.fingerprint() == starter.fingerprint()
        assert twin.plan is None
    assert isinstance(pickle.loads(pickle.dumps(starter)).reps[0].quota, type(starter.reps[0].quota))


def test_a_changed_copy_has_a_fingerprint_of_its_own(starter: Scenario) -> None:
    """The fingerprint is formed once a scenario; a copy with other sections must not inherit it."""
    before = starter.fingerprint()
    changed = starter.model_copy(update={"seed": starter.seed + 1})
    assert changed.fingerprint() == Scenario.model_validate(changed.brief_document()).fingerprint() != before
    assert starter.with_plan(None).fingerprint() == before
    assert changed.model_copy(update={"seed": starter.seed}) == starter
