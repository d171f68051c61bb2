"""Whether an allocation hands out new leads, and how far shares may go."""

from __future__ import annotations

from pydantic import model_validator

from scenarios.base import Frozen, Id, Probability


class LeadDecisions(Frozen):
    """Shares of new leads that the allocation hands out anew, one share of a source and rep for the whole horizon."""

    decide: bool = False
    """Off: shares stay as the plan has them, or as routing gives them by the weights of reps."""
    sources: tuple[Id, ...] = ()
    """Whose leads; empty means all whose routing can follow shares."""
    least_share: Probability = 0.0
    most_share: Probability = 1.0
    """Of a source's leads, for each rep who can take them."""
    most_change: Probability = 0.1
    """From today's share: 0.1 is ten points of a source's leads."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> LeadDecisions:
        if self.least_share > self.most_share:
            raise ValueError(
                f"least_share <= most_share must hold, but got {self.least_share:g} and {self.most_share:g}"
            )
        return self
