"""How far the model's figures of a plan are from simulated ones: what taking gains by their mean costs in truth.

The model adds what training, care and accounts bring to every simulated year alike. For an account that orders seldom
and much that is an approximation: its orders make a rep's years differ more than the model knows, so that capped sales
come out lower than it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimize.allocate import AllocationResult
from scenarios.base import MINOR_PER_MAJOR
from sim.outcome import Outcome
from sim.statistics import Interval, mean_interval

COMPANY = "company"


@dataclass(frozen=True)
class Distance:
    """One figure by the model and simulated, minor units.

    Attributes:
        figure: ``capped sales`` (what is sold within the quota) or ``sales``.
        subject: ``company`` or a rep.
        beyond: what the model says too much, as a share of what is simulated; below zero it says too little; ``None``
            where nothing is sold.
        ends: of ``beyond``, by the ends of the simulated figure.
    """

    figure: str
    subject: str
    model: float
    simulated: Interval

    @property
    def beyond(self) -> float | None:
        return _relative(self.model, self.simulated.estimate)

    @property
    def ends(self) -> tuple[float | None, float | None]:
        return _relative(self.model, self.simulated.high), _relative(self.model, self.simulated.low)


def distances(result: AllocationResult, years: Outcome) -> tuple[Distance, ...]:
    """Capped sales and sales of the company, then of every rep who carries a quota.

    Args:
        years: simulated years of the result's plan.
    """
    quotas, cube = result.plan.quotas(), years["rep"]
    reps = [rep for rep in quotas if rep in cube.keys]
    sold = cube.total("revenue")[:, [cube.keys.index(rep) for rep in reps]].astype(np.float64)
    capped = np.minimum(sold, np.array([float(quotas[rep]) for rep in reps]))
    out: list[Distance] = []
    figures: tuple[tuple[str, Mapping[str, int], np.ndarray], ...] = (
        ("capped sales", result.capped_sales, capped),
        ("sales", result.expected_sales, sold),
    )
    for figure, model, found in figures:
        whole = float(sum(model[rep] for rep in reps))
        out.append(Distance(figure, COMPANY, whole, mean_interval(found.sum(axis=1))))
    for r, rep in enumerate(reps):
        for figure, model, found in figures:
            out.append(Distance(figure, rep, float(model[rep]), mean_interval(found[:, r])))
    return tuple(out)


def distance_table(found: tuple[Distance, ...], currency: str) -> pd.DataFrame:
    """One row a figure; money in currency units."""
    rows = [
        {
            "figure": one.figure,
            "subject": one.subject,
            "unit": currency,
            "model": one.model / MINOR_PER_MAJOR,
            "simulated": one.simulated.estimate / MINOR_PER_MAJOR,
            "simulated_low": one.simulated.low / MINOR_PER_MAJOR,
            "simulated_high": one.simulated.high / MINOR_PER_MAJOR,
            "model_beyond": one.beyond,
            "model_beyond_low": one.ends[0],
            "model_beyond_high": one.ends[1],
        }
        for one in found
    ]
    return pd.DataFrame(rows)


def _relative(model: float, simulated: float) -> float | None:
    return model / simulated - 1 if np.isfinite(simulated) and simulated > 0 else None
