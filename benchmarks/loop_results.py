"""What the closed loop showed in one of the fixed worlds, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.measures import Floats

POSSIBLE = 0.01
"""Gain of the best plan known from which on a gain counts as possible in a world."""


@dataclass(frozen=True)
class Sizes:
    """How much is simulated.

    Attributes:
        learn: years of a run of the loop.
        many: years of a run of the loop that stands for an unlimited sample.
        pilot: years of the pilot.
        fewest, most: bounds on the fresh years.
        bound: fresh years from which bounds are read.
        width: half-width wanted of the gain over a rule, as a share of the quota total.
    """

    learn: int = 200
    many: int = 1000
    pilot: int = 100
    fewest: int = 400
    most: int = 3000
    bound: int = 600
    width: float = 0.002


QUICK = Sizes(learn=20, many=20, pilot=20, fewest=40, most=40, bound=200)


@dataclass(frozen=True)
class Gain:
    """The loop's plan less the best rival in one objective, as a share of the rival's sales, or of the quota total.

    Attributes:
        rival: the best of them, with hindsight.
        half_width: of the widest interval among the rivals, as a share of the quota total.
    """

    rival: str
    estimate: float
    low: float
    high: float
    half_width: float

    @property
    def not_worse(self) -> bool:
        """Zero or more lies in the interval."""
        return self.high >= 0

    @property
    def better(self) -> bool:
        """The interval lies above zero."""
        return self.low > 0


@dataclass(frozen=True)
class WorldResult:
    """What one world showed.

    Attributes:
        years: fresh ones.
        rivals: rules that the pilot left.
        gains: by rivals (``formulas``, ``all``) and objective.
        keeps_rules: whether the loop's plan is within the fairness rules.
        promised: optimism gap of the loop's plan, the luck of its years taken out; share.
        promised_raw: the same with that luck.
        promised_once: of the one-shot plan, luck taken out.
        over_once, over_today: sales of the loop's plan above the one-shot plan's, and above today's; shares.
        after_two: share of the loop's whole gain over today's plan that was there after two programmes.
        falls: accepted rounds in which the simulated objective fell, though no rule was being mended.
        repeats: accepted rounds that led back to a value that had been left.
        oracle: what the best plan known gains over the best rival, by rivals and objective; where no gain over the
            formulas is large enough to count as possible, the loop on many years is asked too. Shares.
        quota_bound, programme_bound: no other quotas, and no other plan of the fitted programme, is better by more than
            this share; None where nothing can be said.
    """

    name: str
    years: int
    rivals: Sequence[str]
    gains: Mapping[str, Mapping[str, Gain]]
    keeps_rules: bool
    promised: float
    promised_raw: float
    promised_once: float
    over_once: float
    over_today: float
    after_two: float
    falls: int
    repeats: int
    rounds: int
    runs: int
    response_runs: float
    oracle: Mapping[str, Mapping[str, float]]
    quota_bound: float | None
    programme_bound: float | None
    cpu_loop: float
    cpu_proof: float

    @classmethod
    def read(cls, document: dict[str, Any]) -> WorldResult:
        """From plain data."""
        gains = {
            rivals: {measure: Gain(**gain) for measure, gain in rows.items()}
            for rivals, rows in document["gains"].items()
        }
        return cls(**{**document, "gains": gains})

    def possible(self, rivals: str) -> bool:
        """Whether the best plan known gains enough over the best of these rivals, in sales or attainment."""
        return max(self.oracle[rivals].values()) >= POSSIBLE

    def proven(self, rivals: str) -> bool:
        """Whether the loop's plan is proven better than the best of these rivals, in sales or attainment."""
        return any(gain.better for gain in self.gains[rivals].values())


@dataclass(frozen=True)
class Judged:
    """Plans over the same years: sales of the company and capped attainment by plan, [N] each."""

    sales: Mapping[str, Floats]
    capped: Mapping[str, Floats]

    def of(self, objective: str) -> Mapping[str, Floats]:
        """One objective by plan."""
        return self.sales if objective == "sales" else self.capped

    def best(self, objective: str, names: Sequence[str]) -> str:
        """The best of these plans, with hindsight."""
        return max(names, key=lambda name: (float(self.of(objective)[name].mean()), name))


def line(found: WorldResult) -> str:
    """One world in a line; shares in per cent."""
    parts = [found.name.ljust(27)]
    for rivals, rows in found.gains.items():
        for measure, gain in rows.items():
            ends = f"[{100 * gain.low:+.2f}, {100 * gain.high:+.2f}]"
            parts.append(f"{measure} over {rivals} ({gain.rival}) {100 * gain.estimate:+.2f} {ends}")
    parts += [
        f"promise {100 * found.promised:+.2f} (raw {100 * found.promised_raw:+.2f}, one-shot "
        f"{100 * found.promised_once:+.2f})",
        f"over one-shot {100 * found.over_once:+.2f}, over today {100 * found.over_today:+.2f}",
        f"{found.rounds} rounds, {found.runs} + {found.response_runs:.1f} runs, after two {found.after_two:.2f}",
        f"{found.years} years, oracle "
        + ", ".join(f"{rivals} {100 * max(rows.values()):+.2f}" for rivals, rows in found.oracle.items()),
        f"bounds: quotas {_share(found.quota_bound)}, programme {_share(found.programme_bound)}",
        f"cpu {found.cpu_loop:.0f} + {found.cpu_proof:.0f} s",
    ]
    return "; ".join(parts)


def _share(value: float | None) -> str:
    return "none" if value is None else f"{100 * value:.2f}"
