"""The command line as a user meets it: exit codes, refusals, stdout for results only, progress and notes beside."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from command_line import Run, only_json
from quotalab.cli.progress import lines
from quotalab.cli.terminal import Terminal, json_text
from scenarios.errors import InfeasiblePlan, RunInterrupted

VERBS = (
    "demo",
    "init",
    "schema",
    "validate",
    "diagnose",
    "calibrate",
    "simulate",
    "allocate",
    "explain",
    "audit",
    "lock",
    "unlock",
    "trail",
    "baselines",
    "frontier",
    "compare",
    "stress",
    "sweep",
    "report",
)


# ---- help, usage, refusals -------------------------------------------------------------------------------------------


def test_help_names_every_verb(command: Run) -> None:
    code, out, err = command("--help")
    assert (code, err) == (0, "")
    for verb in VERBS:
        assert f"\n  {verb} " in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-verb",),
        ("simulate",),
        ("simulate", "x", "--replications", "many"),
        ("simulate", "x", "--replications", "1"),
        ("simulate", "x", "--seed", "-1"),
        ("simulate", "x", "--workers", "0"),
        ("simulate", "x", "--no-such-option"),
    ],
)
def test_wrong_usage_is_2_and_says_so_on_stderr(command: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = command(*arguments)
    assert code == 2
    assert out == ""
    assert "Usage:" in err


def test_refused_input_is_1_with_all_problems_and_no_traceback(command: Run, tiny_file: Path, tmp_path: Path) -> None:
    bad = tiny_file.read_text(encoding="utf-8").replace("conversion: 0.5", "conversion: 1.5")
    path = tmp_path / "bad.yaml"
    path.write_text(bad.replace("owner: E3", "owner: 没有"), encoding="utf-8")
    for verb in (("validate",), ("simulate", "-n", "2"), ("allocate", "-n", "2"), ("compare", "-n", "2")):
        code, out, err = command(verb[0], path, *verb[1:])
        assert (code, out) == (1, "")
        assert "conversion" in err
        assert "1.5" in err
        assert "没有" in err
        assert "Traceback" not in err
        assert not (tmp_path / "runs").exists()


def test_a_scenario_that_does_not_exist_is_refused_by_name(command: Run) -> None:
    code, out, err = command("validate", "不存在")
    assert (code, out) == (1, "")
    assert "不存在" in err


@pytest.mark.parametrize("text", ["reps.E1.quota", "reps.E9.quota=1", "reps.E1.quota=much", "=3"])
def test_a_bad_set_is_refused(command: Run, tiny_file: Path, text: str) -> None:
    code, out, err = command("validate", tiny_file, "--set", text)
    assert (code, out) == (1, "")
    assert "Traceback" not in err


def test_set_reaches_the_scenario(command: Run, tiny_file: Path) -> None:
    before = only_json(command("validate", tiny_file, "--json")[1])
    after = only_json(command("validate", tiny_file, "--json", "--set", "reps.E1.quota*=1.1", "--set", "seed=9")[1])
    assert before["fingerprint"] != after["fingerprint"]
    assert (before["seed"], after["seed"]) == (7, 9)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InfeasiblePlan(["growth cap", "company total"], ["growth cap +3 points"]), 3),
        (RunInterrupted("stopped; 3 of 9 design points are kept"), 130),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 1),
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), 1),
    ],
)
def test_errors_become_exit_codes(
    command: Run, tiny_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException, code: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("sim.run.simulate", fails)
    got, out, err = command("simulate", tiny_file, "-n", "2")
    assert (got, out) == (code, "")
    assert err.strip()
    assert "Traceback" not in err
    assert not list(tmp_path.glob("runs/*"))


def test_a_fault_of_ours_is_told_as_such(
    command: Run, tiny_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr("sim.run.simulate", fails)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code, out, err = command("simulate", tiny_file, "-n", "2")
    assert (code, out) == (70, "")
    assert "Traceback" not in err
    written = Path(err.split()[-1])
    assert "ZeroDivisionError: deep inside" in written.read_text(encoding="utf-8")
    monkeypatch.setenv("QUOTALAB_DEBUG", "1")
    assert "Traceback" in command("simulate", tiny_file, "-n", "2")[2]


def test_a_reader_who_leaves_early_is_no_error() -> None:
    code = "import sys; from quotalab.cli.main import run; sys.exit(run(['schema']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    told = process.stderr.read().decode()
    process.wait(timeout=60)
    assert "Traceback" not in told
    assert "Exception ignored" not in told


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["simulate", "-h"], 0), (["--version"], 0), (["simulat"], 141), ([], 141)]
)
def test_help_for_nobody_is_no_error_and_wrong_usage_is_one(arguments: list[str], code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "quotalab", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == code


def test_warnings_come_without_the_place_in_the_code() -> None:
    code = (
        "import importlib, warnings\n"
        "home = importlib.import_module('quotalab.cli.main')\n"
        "home.run = lambda _: warnings.warn('no font has the characters 交付') or 0\n"
        "home.main([])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stderr == "note: no font has the characters 交付\n"


def test_work_is_done_to_its_end_when_nobody_listens(tiny_file: Path, tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "quotalab", "init", str(tmp_path / "mine"), "--from", str(tiny_file)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "mine" / "scenario.yaml").is_file()


def test_ctrl_c_leaves_nothing_half_written(tiny_file: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "quotalab", "simulate", str(tiny_file), "-n", "100000", "-o", str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    time.sleep(4)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == b""
    assert b"nothing was written" in err
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("quiet", [True, False])
def test_quiet_leaves_out_notes(quiet: bool) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with Terminal(quiet=quiet):
            warnings.warn("no font", UserWarning, stacklevel=1)
    assert len(told) == (not quiet)


# ---- the terminal ---------------------------------------------------------------------------------------------------


def test_what_libraries_print_stays_out_of_the_results(capfd: pytest.CaptureFixture[str]) -> None:
    with Terminal(as_json=True) as terminal:
        os.write(1, b"a solver greets\n")
        sys.stdout.write("so does Python\n")
        terminal.show("", {"answer": "四十二"})
    seen = capfd.readouterr()
    assert only_json(seen.out) == {"answer": "四十二"}
    assert "a solver greets" in seen.err
    assert "so does Python" in seen.err
    sys.stdout.write("afterwards\n")
    assert capfd.readouterr().out == "afterwards\n"


def test_json_has_no_nan() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_text({"x": float("nan")})


@pytest.fixture
def ticking() -> Iterator[Callable[[], float]]:
    now = iter([0.0, 60.0, 61.0, 72.0, 73.0, 83.0, 100.0])
    return lambda: next(now)


def test_plain_progress_speaks_now_and_then(capfd: pytest.CaptureFixture[str], ticking: Callable[[], float]) -> None:
    report = lines("simulating", ticking)
    for done in (1, 2, 3, 4, 5, 6):
        report(done, 6)
    told = capfd.readouterr().err.splitlines()
    # The first minute went into compiling: it says nothing of what is left.
    assert told == [
        "simulating: 1 of 6",
        "simulating: 3 of 6, about 18 s left",
        "simulating: 5 of 6, about 6 s left",
    ]


def test_closed_standard_streams_are_no_fault(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m quotalab validate starter'
    assert subprocess.run(["sh", "-c", f"{command} >&- 2>&- <&-"], cwd=tmp_path, check=False).returncode == 0
