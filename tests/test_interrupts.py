"""Ctrl-C in the middle of work on several processes: one sentence, exit code 130, and a sweep that goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SWEEP = """
name: leads
scenario: {scenario}
replications: 30
factors:
  - path: sources.线上.leads_per_year
    scale: [0.8, 0.9, 1.0, 1.1, 1.2, 1.3]
"""


def quotalab(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "quotalab", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
    )


def test_workers_do_not_hear_ctrl_c() -> None:
    # In a process of its own: what lets Ctrl-C through again happens with the first worker only.
    code = (
        "import signal\n"
        "from joblib import Parallel, delayed\n"
        "from sim.run import shielded\n"
        "with shielded():\n"
        "    found = Parallel(n_jobs=2, return_as='generator')(\n"
        "        delayed(signal.pthread_sigmask)(signal.SIG_BLOCK, []) for _ in range(4))\n"
        "assert all(signal.SIGINT in held for held in found)\n"
        "assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sweep_stopped_by_ctrl_c_goes_on_to_the_same_result(tiny_file: Path, tmp_path: Path, workers: int) -> None:
    design = tmp_path / "leads.yaml"
    design.write_text(SWEEP.format(scenario=tiny_file), encoding="utf-8")
    stopped, whole = tmp_path / "停", tmp_path / "whole"
    process = quotalab("sweep", design, "-o", stopped, "-w", workers)
    until = time.monotonic() + 120
    while not list(stopped.glob("points/[0-9a-f]*.json")) and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert out == ""
    assert "the same command goes on from there" in told
    assert "Traceback" not in told
    assert [path.name for path in stopped.iterdir()] == ["points"]
    hashes = []
    for folder in (stopped, whole):
        process = quotalab("sweep", design, "-o", folder, "-w", workers, "--json")
        out, told = process.communicate(timeout=300)
        assert process.returncode == 0, told
        hashes.append(json.loads(out)["result_hash"])
    assert hashes[0] == hashes[1]
