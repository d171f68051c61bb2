"""Run folders: whole or not at all, never over what is not ours, with a hash of the results alone."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import pytest

from command_line import Run
from quotalab.runs import Draft, check_target, plan_folder, read_manifest, run_folder
from quotalab.stopwatch import Stopwatch
from scenarios.errors import InputRefused
from scenarios.files import load, save
from scenarios.scenario import Scenario


@pytest.mark.parametrize("kind", ["file", "folder", "other verb", "below a file"])
def test_what_is_not_ours_is_not_overwritten(command: Run, tiny_file: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    if kind == "file":
        target.write_text("mine", encoding="utf-8")
    elif kind == "below a file":
        target.write_text("mine", encoding="utf-8")
        target = target / "run"
    else:
        target.mkdir()
        (target / "mine.txt").write_text("mine", encoding="utf-8")
    if kind == "other verb":
        (target / "manifest.json").write_text('{"verb": "calibrate"}', encoding="utf-8")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    code, out, err = command("simulate", tiny_file, "-n", "2", "-o", target)
    assert (code, out) == (1, "")
    assert str(tmp_path / "target") in err
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_an_earlier_run_of_the_same_verb_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with run_folder(target, "simulate", Stopwatch(), {}) as draft:
        draft.text("old.txt", "old")
    with run_folder(target, "simulate", Stopwatch(), {}) as draft:
        draft.text("new.txt", "new")
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "new.txt"]


def test_a_failing_run_leaves_the_earlier_one_untouched(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with run_folder(target, "simulate", Stopwatch(), {}) as draft:
        draft.text("old.txt", "old")
    before = (target / "manifest.json").read_bytes()

    def fill(draft: Draft) -> None:
        draft.text("new.txt", "new")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"), run_folder(target, "simulate", Stopwatch(), {}) as draft:
        fill(draft)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (target / "manifest.json").read_bytes() == before
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "old.txt"]


def test_result_hash_knows_results_and_nothing_else(tmp_path: Path) -> None:
    def hash_of(name: str, result: str, seconds: float) -> str:
        with run_folder(tmp_path / name, "simulate", Stopwatch(), {"output": name}) as draft:
            draft.hashes["years"] = result
            draft.facts["spent"] = seconds
        manifest = read_manifest(tmp_path / name)
        assert manifest is not None
        return str(manifest["result_hash"])

    assert hash_of("a", "1", 1.0) == hash_of("b", "1", 2.0)
    assert hash_of("a", "1", 1.0) != hash_of("c", "2", 1.0)


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    check_target(tmp_path / "empty", "simulate")


def test_a_plan_is_found_in_its_run_folder(tmp_path: Path) -> None:
    (tmp_path / "run" / "plan").mkdir(parents=True)
    with pytest.raises(InputRefused, match="holds no plan"):
        plan_folder(tmp_path / "run")
    with pytest.raises(InputRefused, match="does not exist -> give the folder"):
        plan_folder(tmp_path / "ran")
    (tmp_path / "quotas.csv").write_text("rep,quota\n", encoding="utf-8")
    with pytest.raises(InputRefused, match=r"is a file and holds no plan: .* fixed in the scenario, under allocation"):
        plan_folder(tmp_path / "quotas.csv")
    (tmp_path / "run" / "plan" / "plan.yaml").write_text("name: x\n", encoding="utf-8")
    assert plan_folder(tmp_path / "run") == tmp_path / "run" / "plan"


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, monkeypatch) -> None:
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputRefused, match="a link that leads nowhere"):
        check_target(dangling, "simulate")
    with pytest.raises(InputRefused, match="cannot be written: File name too long"):
        check_target(tmp_path / ("长" * 90), "simulate")

    def refuse(**_: object) -> str:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(InputRefused, match="cannot be written: Read-only file system"):
        check_target(tmp_path / "deep" / "new", "simulate")
    assert [path.name for path in tmp_path.iterdir()] == ["dangling"]


def test_init_and_save_refuse_places_where_nothing_can_be_made(command: Run, tiny: Scenario, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    code, _, err = command("init", tmp_path / "file" / "new")
    assert code == 1
    assert "is a file, no folder can be made in it" in err
    for place in (tmp_path / "file" / "new", tmp_path / ("长" * 90)):
        with pytest.raises(InputRefused):
            save(tiny, place)
    with pytest.raises(InputRefused, match="neither a file, a folder nor a shipped scenario"):
        load("长" * 90)
