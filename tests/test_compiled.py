"""The compiled code that runs is the code that is written."""

from __future__ import annotations

import ast
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from scenarios.errors import Unsupported
from sim import compile as compiled
from sim import streams
from sim.compile import ROOT, assert_no_svml, cache_key, compiled_sources, kernel_folder, scalar

PROBE = """
from sim import worktime
from sim.compile import scalar


@scalar
def wait(opens, closes, t):
    return worktime.next_open(opens, closes, t) - t
"""
NESTED = """
import numpy as np

from sim.compile import kernel, scalar


@kernel
def one(x):
    return x + x


@scalar
def two(x):
    return one(x) * one(1)


@kernel
def three(x):
    return two(x) + two(one(x)) - one(one(np.int32(x)))


@scalar("int64(int64)")
def four(x):
    return three(x) * two(1)


@scalar("uint64(uint64)")
def fixed(x):
    return x
"""
RUN = """
import json
import sys
from sim import worktime
from sim import compile as compiled
from sim.kernel import probe as kernel_probe

opens, closes, _ = worktime.clock(worktime.from_intervals([(9, 17)]))
answer = int(kernel_probe.wait(opens, closes, 4))
hits = sum(kernel_probe.wait.stats.cache_hits.values())
print(json.dumps([compiled.__file__, answer, hits, str(compiled.CACHE_FOLDER)]), file=sys.stdout)
"""


def tree(root: Path) -> Path:
    """A copy of the compiled sources with one kernel that calls a rule of another file."""
    for package in ("scenarios", "sim"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "library"))
    (root / "sim" / "kernel" / "probe.py").write_text(PROBE, encoding="utf-8")
    return root


def run(root: Path, **environment: str) -> tuple[int, int, Path]:
    """Answer of the probe in a new process, how many compiled functions came from the cache, and its folder."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env={**os.environ, "PYTHONPATH": str(root), "QUOTALAB_CACHE_DIR": str(root / "cache"), **environment},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    source, answer, hits, folder = json.loads(done.stdout)
    assert Path(source).is_relative_to(root)
    return answer, hits, Path(folder)


def test_an_edited_rule_is_the_rule_that_runs(tmp_path: Path) -> None:
    root = tree(tmp_path)
    answer, hits, folder = run(root)
    assert (answer, hits) == (5, 0)
    assert run(root) == (5, 1, folder)

    rules = root / "sim" / "worktime.py"
    text = rules.read_text(encoding="utf-8")
    rule = "return int(max(t, opens[i]))"
    assert text.count(rule) == 1
    rules.write_text(text.replace(rule, "return int(max(t, opens[i])) + 100"), encoding="utf-8")
    edited, hits, elsewhere = run(root)
    assert (edited, hits) == (105, 0)
    assert elsewhere != folder
    assert elsewhere.name == f"kernels-{cache_key(root)}"

    rules.write_text(text, encoding="utf-8")
    assert run(root) == (5, 1, folder)


def test_the_key_covers_every_compiled_source(tmp_path: Path) -> None:
    root = tree(tmp_path)
    names = {path.relative_to(root).as_posix() for path in compiled_sources(root)}
    assert {"sim/compile.py", "sim/streams.py", "sim/samplers.py", "sim/counts.py", "sim/worktime.py"} <= names
    assert "sim/kernel/probe.py" in names
    keys = {cache_key(root)}
    for name in sorted(names):
        with (root / name).open("a", encoding="utf-8") as source:
            source.write("\n# edited\n")
        keys.add(cache_key(root))
    assert len(keys) == len(names) + 1
    (root / "sim" / "kernel" / "probe.py").rename(root / "sim" / "kernel" / "renamed.py")
    assert cache_key(root) not in keys


def test_every_file_that_compiles_is_covered() -> None:
    covered = set(compiled_sources())
    compiling = {
        path
        for package in ("scenarios", "sim")
        for path in (ROOT / package).rglob("*.py")
        if "@scalar" in path.read_text(encoding="utf-8")
    }
    assert compiling <= covered


def test_constants_of_compiled_functions_are_covered() -> None:
    """A global constant is frozen into machine code, so the file it is imported from counts as well."""
    covered = set(compiled_sources())
    never_compiled = {ROOT / "scenarios" / "errors.py", ROOT / "scenarios" / "distributions.py"}
    for path in covered:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("sim", "scenarios"):
                module = ROOT / node.module.replace(".", "/")
                files = [module / f"{name.name}.py" for name in node.names] if module.is_dir() else [f"{module}.py"]
                assert {Path(file) for file in files} <= covered | never_compiled, path


def test_a_function_outside_the_covered_files_is_refused() -> None:
    def elsewhere(x: float) -> float:
        return x

    with pytest.raises(ValueError, match=r"elsewhere in .*test_compiled\.py: .* must live in a file that the cache"):
        scalar(elsewhere)
    with pytest.raises(ValueError, match="must live in a file"):
        scalar("float64(float64)")(elsewhere)


def test_compiled_functions_live_in_the_cache_and_leave_numbas_setting_alone() -> None:
    assert str(compiled.CACHE_FOLDER) != numba.config.CACHE_DIR
    assert str(compiled.CACHE_FOLDER) == str(kernel_folder(cache_key()))
    assert streams.draw.stats.cache_path.startswith(str(compiled.CACHE_FOLDER))  # type: ignore[attr-defined]
    assert not streams.draw.targetoptions.get("fastmath")  # type: ignore[attr-defined]


def test_the_cache_follows_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTALAB_CACHE_DIR", str(tmp_path / "销售"))
    assert kernel_folder("0") == tmp_path / "销售" / "quotalab" / "kernels-0"
    assert kernel_folder("0").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_where_nothing_can_be_written_a_private_folder_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("QUOTALAB_CACHE_DIR", str(blocked))
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(temporary))
    folder = kernel_folder("0")
    assert folder == temporary / f"quotalab-{os.getuid()}" / "kernels-0"
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700

    folder.parent.chmod(0o777)  # somebody else might have planted a pickle here
    fresh = kernel_folder("0")
    assert fresh.parent.parent == temporary
    assert fresh != folder
    assert stat.S_IMODE(fresh.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="homes of POSIX")
@pytest.mark.parametrize("home", ["a file", "empty"])
def test_a_read_only_install_without_a_home_keeps_its_code_in_a_folder_of_the_user(tmp_path: Path, home: str) -> None:
    """As an account of a service has it: it may write neither where the packages lie nor in a home."""
    root = tree(tmp_path / "install")
    temporary, blocked = tmp_path / "tmp", tmp_path / "blocked"
    temporary.mkdir()
    blocked.touch()
    gone = {"QUOTALAB_CACHE_DIR": "", "XDG_CACHE_HOME": str(blocked) if home == "empty" else ""}
    gone |= {"TMPDIR": str(temporary), "HOME": "" if home == "empty" else str(blocked), "PYTHONDONTWRITEBYTECODE": "1"}
    before = sorted(root.rglob("*"))
    for path in (*before, root):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        first, again = run(root, **gone), run(root, **gone)
    finally:
        for path in (root, *before):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    folder = temporary / f"quotalab-{os.getuid()}" / f"kernels-{cache_key(root)}"
    assert first == (5, 0, folder)
    assert again == (5, 1, folder)
    assert sorted(root.rglob("*")) == before


def test_a_cached_start_loads_the_engine_alone() -> None:
    """Simulating needs neither tables nor figures; numba itself looks at scipy's version and no further."""
    start = (
        "import json, sys\n"
        "from scenarios.distributions import Exponential\n"
        "from scenarios.theory_worlds import mg1\n"
        "from sim.run import simulate\n"
        "simulate(mg1(0.5, Exponential(mean=1.0), 2), replications=2, workers=2)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    command = [sys.executable, "-c", start]
    subprocess.run(command, capture_output=True, check=True, cwd=ROOT)  # compiles where nobody has yet
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "compiling" not in done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    heavy = {"pandas", "scipy.linalg", "scipy.special", "scipy.stats", "scipy.optimize"}
    heavy |= {"pyarrow", "joblib", "matplotlib", "simpy", "pulp", "highspy", "openpyxl", "jinja2", "rich", "typer"}
    heavy |= {"numba.np.arraymath", "numba.np.arrayobj", "numba.typed.typeddict"}  # what compiling needs
    assert loaded & heavy == set()


def test_parts_take_no_machine_code_and_doors_do(tmp_path: Path) -> None:
    """A door stands in the cache with all that it calls in it; what compiled code alone calls stands nowhere.

    A part is compiled once for constants and whole numbers of any length, and not at all where the cache serves.
    """
    root = tree(tmp_path)
    (root / "sim" / "kernel" / "probe.py").write_text(NESTED, encoding="utf-8")
    ask = (
        "from sim.kernel import probe as k\n"
        "print(k.four(1), k.fixed(2**63), k.two(1), callable(k.one))\n"
        "print(len(k.one.dispatcher.overloads))\n"
    )
    done = [
        subprocess.run(
            [sys.executable, "-c", ask],
            env={**os.environ, "PYTHONPATH": str(root), "QUOTALAB_CACHE_DIR": str(root / "cache")},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    answers = ["32", str(2**63), "4", "False"]
    assert done == [[*answers, "1"], [*answers, "0"]]
    kept = {path.name.split("-")[0] for path in root.rglob("*.nbi")}
    assert kept == {"probe.four", "probe.fixed", "probe.two"}


def test_numba_is_left_as_it_was() -> None:
    """Compiling spares numba's look for linear algebra; another's code that needs it must find the look in place."""
    streams.draw.get_call_template((numba.types.uint64,) * 2 + (numba.types.int64,) * 3, {})  # type: ignore[attr-defined]
    from numba.np import arraymath, linalg

    assert linalg.ensure_blas is arraymath.ensure_blas
    assert linalg.ensure_blas.__module__ == "numba.np.linalg"


def test_vector_mathematics_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_no_svml()
    monkeypatch.setattr(numba.config, "USING_SVML", True)
    with pytest.raises(Unsupported, match="NUMBA_DISABLE_INTEL_SVML=1"):
        assert_no_svml()
