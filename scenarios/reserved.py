"""Parts of the vocabulary that no engine runs yet, so that each refuses them in the same words."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.errors import Problem
from scenarios.paths import join_path
from scenarios.scenario import Scenario

_LATER = "leave it out until an engine runs it"


def reserved_parts(scenario: Scenario) -> Iterator[Problem]:
    """One problem for each reserved part that the scenario uses; an engine raises them as ``Unsupported``.

    What only planning pages read (commitments, pay, planning rates) is carried, not reserved.
    """
    for position, transfer in enumerate(scenario.transfers):
        yield Problem(
            join_path("transfers", position), transfer.rep, "transfers between teams are not simulated", _LATER
        )
    for role in scenario.roles:
        if role.overlay:
            yield Problem(join_path("roles", role.id, "overlay"), "true", "overlay roles are not simulated", _LATER)
