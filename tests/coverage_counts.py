"""Counting in how many of thousands of simulated studies an interval covers the truth."""

from __future__ import annotations

from math import sqrt

import numpy as np

STUDIES = 4000
SIGMAS = 4.0


def assert_rate(hits: int, nominal: float, studies: int = STUDIES) -> None:
    """The count of covering intervals lies within a band of 4 binomial standard deviations."""
    band = SIGMAS * sqrt(studies * nominal * (1 - nominal))
    assert abs(hits - studies * nominal) <= band, f"{hits / studies:.4f} against {nominal:.4f}"


def covered(low: np.ndarray, high: np.ndarray, truth: float) -> int:
    return int(np.count_nonzero((low <= truth) & (truth <= high)))
