"""The long tests come in parts: none is lost, what passed is not run again, and only on the same tree."""

from __future__ import annotations

from pathlib import Path

import pytest

import validate


def test_every_file_with_long_tests_belongs_to_a_part() -> None:
    marked = [path for path in (validate.ROOT / "tests").glob("test_*.py") if validate.MARKED.search(path.read_text())]
    inside = [path for part in validate.PARTS for path in validate.files_of(part)]
    assert sorted(inside) == sorted(marked)
    assert all(validate.files_of(part) for part in validate.PARTS if part != "others")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("loop_a", "loop_b", "loop_quick", "unheard_of"):
        mark = "" if name == "loop_quick" else "@pytest.mark." + "slow\n"
        (tmp_path / f"test_{name}.py").write_text(f"{mark}def test_it(): ...\n", encoding="utf-8")
    return tmp_path


def test_a_stopped_run_goes_on_and_another_tree_begins_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran: list[str] = []
    failing = {"test_loop_b.py"}

    def run(path: Path, jobs: int) -> bool:
        ran.append(path.name)
        return path.name not in failing

    def part(key: str) -> bool:
        return validate.run_part("loop", 2, run, folder / "kept", folder, key)

    assert [path.name for path in validate.files_of("others", folder)] == ["test_unheard_of.py"]
    assert not part("one")
    assert ran == ["test_loop_a.py", "test_loop_b.py"]
    failing.clear()
    assert part("one")
    assert ran[2:] == ["test_loop_b.py"], "only what had failed"
    assert part("one")
    assert len(ran) == 3
    assert part("another")
    assert ran[3:] == ["test_loop_a.py", "test_loop_b.py"]
    told = capsys.readouterr().out
    assert "test_loop_b.py FAILED in" in told
    assert "loop: passed, " in told
    assert "test_loop_a.py passed before on this tree" in told


def test_the_tree_changes_with_any_source(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("", encoding="utf-8")
    for name in validate.FOLDERS:
        (tmp_path / name).mkdir()
    before = validate.tree(tmp_path)
    (tmp_path / "sim" / "a.py").write_text("a = 1", encoding="utf-8")
    after = validate.tree(tmp_path)
    (tmp_path / "sim" / "a.pyc").write_bytes(b"compiled")
    assert before != after == validate.tree(tmp_path)


def test_what_is_no_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        validate.main(["lop"])
    assert "no such part: lop; known: engine, statistics, allocation, loop, data, others" in capsys.readouterr().err
