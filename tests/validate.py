"""The long tests in parts: each runs alone, prints its time, and skips what passed on the same tree.

``python tests/validate.py`` runs all of them, ``python tests/validate.py loop engine`` these. What passed is kept file
by file under ``runs/validate``, so that a stopped run goes on where it was; a change of the tree makes it count for
nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "runs" / "validate"
MARKS = "slow or realdata"
MARKED = re.compile(r"mark\.(slow|realdata)\b")
PARTS = {
    "engine": ("engine", "random_battery", "people_over_time"),
    "statistics": ("coverage", "until", "warmup"),
    "allocation": ("account_rules", "allocation", "benchmarks", "locked", "optimize"),
    "loop": ("loop",),
    "data": ("calibrate", "cli", "generate", "history"),
    "others": (),
}
"""How the names of a part's files go on after ``test_``; the others are all that belong to none."""
FOLDERS = ("benchmarks", "experiments", "history", "optimize", "quotalab", "scenarios", "sim", "tests")
Run = Callable[[Path, int], bool]


def files_of(part: str, folder: Path = ROOT / "tests") -> list[Path]:
    """Files of a part that hold long tests, in order of name."""
    return [path for path in _marked(folder) if _part_of(path) == part]


def tree(root: Path = ROOT) -> str:
    """Hash of all sources and tests, and of what is installed beside them."""
    digest = hashlib.sha256()
    paths = [root / "pyproject.toml", root / "constraints.txt"]
    for folder in FOLDERS:
        paths += sorted(path for path in (root / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def run_part(part: str, jobs: int, run: Run, kept: Path = KEPT, folder: Path = ROOT / "tests", key: str = "") -> bool:
    """Run what has not passed yet on this tree; tells whether all of the part has passed.

    Args:
        run: runs a file's long tests in so many processes, and tells whether they passed.
        key: of the tree; default as it is now.
    """
    made_by, passed, spent = key or tree(), True, 0.0
    for path in files_of(part, folder):
        note = kept / f"{path.stem}.json"
        known = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
        if known.get("tree") == made_by:
            print(f"{part}: {path.name} passed before on this tree, in {known['seconds']:.0f} s", flush=True)
            continue
        began = time.monotonic()
        good, seconds = run(path, jobs), time.monotonic() - began
        spent += seconds
        passed &= good
        print(f"{part}: {path.name} {'passed' if good else 'FAILED'} in {seconds:.0f} s", flush=True)
        if good:
            note.parent.mkdir(parents=True, exist_ok=True)
            draft = note.with_suffix(".part")
            draft.write_text(json.dumps({"tree": made_by, "seconds": seconds}), encoding="utf-8")
            draft.replace(note)
    print(f"{part}: {'passed' if passed else 'FAILED'}, {spent / 60:.1f} minutes", flush=True)
    return passed


def by_pytest(path: Path, jobs: int) -> bool:
    """A file's long tests; data that are absent are a failure."""
    command = [sys.executable, "-m", "pytest", "-n", str(jobs), "-m", MARKS, str(path)]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"QUOTALAB_REQUIRE_DATA": "1"}).returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that are asked for."""
    about = "Run the long tests in parts; what passed on the same tree is skipped."
    parser = argparse.ArgumentParser(prog="python tests/validate.py", description=about)
    parser.add_argument("part", nargs="*", help=f"default all: {', '.join(PARTS)}")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    asked = parser.parse_args(arguments)
    if unknown := [part for part in asked.part if part not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}; known: {', '.join(PARTS)}")
    began = time.monotonic()
    passed = [run_part(part, asked.jobs, by_pytest) for part in asked.part or PARTS]
    print(f"validate: {'passed' if all(passed) else 'FAILED'}, {(time.monotonic() - began) / 60:.1f} minutes")
    return 0 if all(passed) else 1


def _marked(folder: Path) -> list[Path]:
    found = sorted(folder.glob("test_*.py"))
    return [path for path in found if MARKED.search(path.read_text(encoding="utf-8"))]


def _part_of(path: Path) -> str:
    name = path.stem.removeprefix("test_")
    return next((part for part, names in PARTS.items() if name.startswith(names)), "others")


if __name__ == "__main__":
    raise SystemExit(main())
