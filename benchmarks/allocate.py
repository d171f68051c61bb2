"""The allocator at size: handing a model over, plans by prices against HiGHS on the relaxation alone, a frontier."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.allocation_instances import SEEDS, Shape
from benchmarks.registry import Figure, benchmark

MIDDLE, LARGE = Shape(500, 5_000), Shape(5_000, 50_000)
SMALL, SMALLER, TINY = Shape(30, 300, samples=60), Shape(20, 200, samples=60), Shape(12, 60, samples=30)
EVERY_ONE = Shape(3, 6, samples=20, eligible=3, gain=0.0)
"""Few enough accounts, and training that brings nothing, so that every assignment can be tried."""
UNUSUAL: Final[dict[str, dict[str, Any]]] = {
    "saturated": {"value": 7.0, "gain": 4.0},
    "clustered": {"clustered": True},
    "tight": {"room": 0.5},
    "few big accounts": {"effort": 2.0, "room": 0.6},
}
"""What is unusual about an instance: factors on the plain one's figures, by name."""
SEGMENTS: Final = 32
ROUNDING_GAP: Final = 0.003
"""An instance on which plain rounding comes closer than this would prove nothing."""
FIGURES = {
    "emit_vs_highspy": "ratio",
    "gap_500x5000": "share",
    "plan_vs_lp_500x5000": "ratio",
    "gap_5000x50000": "share",
    "plan_vs_ipm_5000x50000": "ratio",
    "rss_gib_5000x50000": "GiB",
    "gap_fairness_500x5000": "share",
    "gap_shapes": "share",
    "gap_tiny": "share",
    "frontier_12_vs_one": "ratio",
    "frontier_plans_12_vs_one": "ratio",
}
"""All figures with their units, in the order in which they come."""
_ROOT: Final = Path(__file__).resolve().parents[1]
# One thread each: idle threads of a linear algebra library would count as time of whoever calls it.
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class _Sizes:
    middle: Shape
    large: Shape
    rounds: int
    strict: bool
    frontier: Shape = MIDDLE


@benchmark("allocate")
def allocate(quick: bool) -> Iterator[Figure]:
    """Figures of the allocator; each part runs in a process of its own.

    Args:
        quick: tiny instances, one seed: whether the benchmark runs at all.
    """
    sizes = _Sizes(SMALLER, SMALL, 1, False, TINY) if quick else _Sizes(MIDDLE, LARGE, 3, True)
    seeds = list(SEEDS.values())[:1] if quick else list(SEEDS.values())
    emitted = _measured("emit", sizes.large, seeds[:1], rounds=sizes.rounds)
    note = f"building and handing over, {SEGMENTS} segments, against one matrix written by hand"
    yield Figure("allocate", "emit_vs_highspy", emitted["ratio"], "ratio", note)
    middle = _measured("middle", sizes.middle, seeds, strict=sizes.strict)
    bound = f"{', '.join(middle['bounds'])} bound, worst of {len(seeds)} instances"
    rounding = f"plain rounding {min(middle['rounding']):.2%} or more"
    yield Figure("allocate", "gap_500x5000", max(middle["gaps"]), "share", f"{bound}; {rounding}")
    note = "CPU time of the whole plan over HiGHS' faster of simplex and interior point, worst of the instances"
    yield Figure("allocate", "plan_vs_lp_500x5000", max(middle["ratios"]), "ratio", note)
    large = _measured("large", sizes.large, seeds)
    bound = f"{', '.join(large['bounds'])} bound, worst of {len(seeds)} instances"
    yield Figure("allocate", "gap_5000x50000", max(large["gaps"]), "share", bound)
    note = "CPU time of the whole plan over HiGHS' interior point without crossover, first instance"
    yield Figure("allocate", "plan_vs_ipm_5000x50000", large["ratio"], "ratio", note)
    memory = _measured("memory", sizes.large, seeds[:1])
    note = "peak of a process that makes the instance and the plan"
    if memory["gib"] is None:
        note = "this system does not tell the peak of one process"
    yield Figure("allocate", "rss_gib_5000x50000", memory["gib"], "GiB", note)
    fair = _measured("fair", sizes.middle, seeds, strict=sizes.strict)
    note = f"worst of {len(seeds)} instances; binding: {fair['binding']}"
    yield Figure("allocate", "gap_fairness_500x5000", max(fair["gaps"]), "share", note)
    unusual = {name: replace(sizes.middle, **fields).__dict__ for name, fields in UNUSUAL.items()}
    gaps = _measured("shapes", None, seeds, shapes=unusual)
    note = f"worst of {len(seeds)} instances each: {', '.join(f'{name} {gap:.3%}' for name, gap in gaps.items())}"
    yield Figure("allocate", "gap_shapes", max(gaps.values()), "share", note)
    tiny = _measured("tiny", EVERY_ONE, seeds)
    note = "against the best of all assignments, tried one by one, which no bound is below"
    yield Figure("allocate", "gap_tiny", max(tiny["gaps"]), "share", note)
    traced = _measured("frontier", sizes.middle, seeds[:1])
    note = "one plan and twelve splits of its quotas over one plan"
    yield Figure("allocate", "frontier_12_vs_one", traced["ratio"], "ratio", note)
    plans = _measured("frontier_of_plans", sizes.frontier, seeds[:1])
    note = f"twelve whole plans over one alone (mean of three), proven gaps of at most {plans['gap']:.2%}"
    yield Figure("allocate", "frontier_plans_12_vs_one", plans["ratio"], "ratio", note)


def _measured(part: str, shape: Shape | None, seeds: list[int], **settings: Any) -> Any:
    """What a part of :mod:`benchmarks.allocate_parts` found in a fresh process."""
    given = {} if shape is None else {"shape": shape.__dict__}
    asked = json.dumps({"part": part, "seeds": seeds, **given, **settings})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.allocate_parts", asked],
        cwd=_ROOT,
        env=os.environ | _ONE_THREAD,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
