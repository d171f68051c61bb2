"""The closed loop on the shipped company of 200 reps and 5,000 accounts, which the method by prices solves."""

from __future__ import annotations

import pytest

from optimize.loop.improve import MOST_ROUNDS, MOST_RUNS, improve
from scenarios.files import load


@pytest.mark.slow
def test_a_large_company_keeps_the_limits_on_cost_and_gives_no_rule_for_another():
    """So few years that steps break rules as simulated: floors under quotas leave some people hardly any room."""
    found = improve(load("national"), replications=8, rounds=3)
    assert 1 <= found.rounds <= MOST_ROUNDS
    assert found.cost.runs_in_all <= MOST_RUNS
    best = found.trace[0]
    for row in found.trace[1:]:
        if len(row.broken) > len(best.broken):
            assert not row.accepted
        if row.accepted:
            assert len(row.broken) < len(best.broken) or (set(row.broken) <= set(best.broken) and (row.gain or 0) > 0)
            best = row
    assert any(row.broken and not row.accepted for row in found.trace), "nothing was to be sent back"
    assert found.promises["loop"] > found.promises["today"]
