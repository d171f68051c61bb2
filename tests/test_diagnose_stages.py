"""Stages of a simulated world: what leaks, also where nothing comes through."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from history.diagnosis.stages import stage_findings, stage_table
from scenarios.files import from_document
from sim.run import simulate


@pytest.mark.parametrize(("conversion", "told"), [(0.0, "nothing comes through it"), (0.1, "one point more")])
def test_a_stage_that_nothing_comes_through_promises_no_figure(
    tiny_document: dict[str, Any], conversion: float, told: str
) -> None:
    tiny_document["stages"][1]["conversion"] = conversion
    with warnings.catch_warnings(action="error"):
        found = list(stage_findings(stage_table(simulate(from_document(tiny_document), replications=2)), {}))
    (leak,) = [finding for finding in found if finding.kind == "leak"]
    assert leak.subject == "close"
    assert told in leak.english
    assert "inf" not in f"{leak.english} {leak.chinese} {leak.evidence}"
