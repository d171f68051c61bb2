"""Shares of new leads as an engine reads them: weights of reps by source and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.lead_shares import stretches
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from sim.timetable import Timetable

Ticks = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LeadShares:
    """Who gets which share of a source's leads; S sources, B stretches of time, K kinds of shares, R reps.

    Attributes:
        starts: first tick of each stretch, rising from 0, [B]; none where no shares are given.
        rows: which row of ``weights`` holds for each source and stretch, -1 for the reps' own weights, [S * B].
        weights: shares by rep, [K, R].
    """

    starts: Ticks
    rows: Ticks
    weights: Floats

    def __bool__(self) -> bool:
        return len(self.weights) > 0


def build_lead_shares(scenario: Scenario, plan: Plan, timetable: Timetable) -> LeadShares:
    """Compile the shares of a plan."""
    places = {rep.id: position for position, rep in enumerate(scenario.reps)}
    by_source = [list(stretches(plan, source.id)) for source in scenario.sources]
    days = {day for found in by_source for start, end, _ in found for day in (start, end)}
    ticks = {timetable.midnight(day) for day in days if day < scenario.calendar.end}
    starts = sorted({0, *(tick for tick in ticks if tick > 0)}) if days else []
    rows = np.full((len(by_source), len(starts)), -1, dtype=np.int64)
    weights: list[Floats] = []
    for source, found in enumerate(by_source):
        for start, end, shares in found:
            first, last = timetable.midnight(start), timetable.midnight(end)
            rows[source, [first <= tick < last for tick in starts]] = len(weights)
            kind = np.zeros(len(places))
            for rep, share in shares.items():
                kind[places[rep]] = share
            weights.append(kind)
    table = np.array(weights, dtype=np.float64).reshape(len(weights), len(places))
    return LeadShares(np.array(starts, dtype=np.int64), rows.reshape(-1), table)
