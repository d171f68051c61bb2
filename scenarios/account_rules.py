"""Rules on who may own which account, and on how many: named, each switched on or off by itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from scenarios.base import Frozen, Id

Count = Annotated[int, Field(ge=0)]


class _Rule(Frozen):
    enabled: bool = True
    exempt: tuple[Id, ...] = ()
    """Reps whom this rule leaves out."""


class TierCount(_Rule):
    """Each rep owns at least and at most so many accounts of a tier."""

    rule: Literal["tier_count"] = "tier_count"
    tier: Id
    least: Count | None = None
    most: Count | None = None
    levels: tuple[Id, ...] = ()
    """Levels whose reps it holds for; empty means all, also those without a level."""

    @model_validator(mode="after")
    def _limits_in_order(self) -> TierCount:
        if self.least is None and self.most is None:
            raise ValueError("at least one of least and most must be given")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"least <= most must hold, but got {self.least} and {self.most}")
        return self

    @property
    def ending(self) -> str:
        """What tells it from other rules of its kind."""
        return f"{self.tier} ({', '.join(self.levels)})" if self.levels else self.tier


class TeamMoves(Frozen):
    """So many accounts at most come to a team from others, and leave it for others."""

    rule: Literal["team_moves"] = "team_moves"
    enabled: bool = True
    teams: tuple[Id, ...] = ()
    """Teams that it holds for, each by itself; empty means all."""
    most_in: Count | None = None
    most_out: Count | None = None

    @model_validator(mode="after")
    def _says_something(self) -> TeamMoves:
        if self.most_in is None and self.most_out is None:
            raise ValueError("at least one of most_in and most_out must be given")
        return self


class _WhoTakes(_Rule):
    """A rule on who may take an account over; today's owner may keep it."""

    tiers: tuple[Id, ...] = ()
    """Tiers of the accounts that it holds for; empty means all."""


class SameRegion(_WhoTakes):
    """Accounts stay within their region. It holds unless it is listed and switched off.

    Accounts that name their eligible reps are left out.
    """

    rule: Literal["same_region"] = "same_region"


class KeepsTeam(_WhoTakes):
    """Accounts stay within the team of today's owner."""

    rule: Literal["keeps_team"] = "keeps_team"


class Reserved(_WhoTakes):
    """Accounts of a kind go only to reps of a kind: of it is who is in every list that is given."""

    rule: Literal["reserved"] = "reserved"
    name: Id
    """How messages and pages call it."""
    regions: tuple[Id, ...] = ()
    """Of the accounts."""
    segments: tuple[Id, ...] = ()
    """Of the accounts."""
    industries: tuple[str, ...] = ()
    """Of the accounts."""
    teams: tuple[Id, ...] = ()
    """Of the reps."""
    levels: tuple[Id, ...] = ()
    """Of the reps."""
    reps: tuple[Id, ...] = ()
    """The reps themselves."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Reserved:
        if not (self.teams or self.levels or self.reps):
            raise ValueError("at least one of teams, levels and reps must say whom the accounts are reserved for")
        return self


AccountRule = Annotated[TierCount | TeamMoves | SameRegion | KeepsTeam | Reserved, Field(discriminator="rule")]
WhoTakes = SameRegion | KeepsTeam | Reserved
