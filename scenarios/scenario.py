"""The whole world as one frozen value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr

from scenarios.base import Frozen, Id, Positive
from scenarios.calendar import Calendar
from scenarios.errors import InputRefused, Problem
from scenarios.funnel import CreditSplit, QueueDiscipline, Routing, Source, Stage
from scenarios.goals import Allocation, Goals
from scenarios.id_order import BY_ID, ordered, rank
from scenarios.market import (
    Account,
    AccountPhysics,
    Bundle,
    Cash,
    Motivation,
    Opportunity,
    Product,
    Region,
    Segment,
    Tender,
    Tier,
)
from scenarios.people import Absence, Pay, Rep, Role, SkillPhysics, SupportResource, Team, Transfer
from scenarios.plan import Plan

SCHEMA_VERSION = 1


def _day_or_nothing(text: str) -> str:
    try:
        return text and date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("must be a date, written YYYY-MM-DD, or left out") from None


class Provenance(Frozen):
    """Where a parameter comes from."""

    path: str
    value: str = ""
    low: float | None = None
    high: float | None = None
    """Bounds of its interval, where it was estimated."""
    source: str
    date: str = ""
    rows: int | None = Field(default=None, ge=0)
    grade: Literal["measured", "fitted", "prior", "assumed"] = "assumed"
    trust: Literal["high", "medium", "low"] = "low"
    note: str = ""


NOT_SIMULATED = frozenset(
    {"name", "description", "invented", "language", "data_date", "seed", "goals", "allocation", "provenance"}
)
"""Sections that no simulated figure depends on; what is not listed here does count."""


class Scenario(Frozen):
    """A sales organisation, its market and its goals. See the vocabulary page of the documentation."""

    schema_version: Annotated[int, Field(ge=1, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    invented: bool = False
    """Pages carry a DEMO flag."""
    language: Literal["en", "zh"] = "en"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    money_basis: Literal["signed"] = "signed"
    vat_included: bool = False
    planning_rates: dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Positive] = Field(default_factory=dict)
    """Units of the scenario's currency for one unit of another; imports in other currencies need theirs."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    data_date: Annotated[str, AfterValidator(_day_or_nothing)] = ""

    calendar: Calendar
    regions: tuple[Region, ...] = Field(min_length=1)
    teams: tuple[Team, ...] = Field(min_length=1)
    roles: tuple[Role, ...] = (Role(id="rep"),)
    skills: SkillPhysics = SkillPhysics()
    stages: tuple[Stage, ...] = Field(min_length=1)
    sources: tuple[Source, ...] = ()
    segments: tuple[Segment, ...] = ()
    products: tuple[Product, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    tiers: tuple[Tier, ...] = ()
    account_physics: AccountPhysics | None = None
    support: tuple[SupportResource, ...] = ()
    routing: Routing = Routing()
    queue: QueueDiscipline = "fifo"
    credit: CreditSplit | None = None
    cash: Cash = Cash()
    motivation: Motivation | None = None
    pay: Pay | None = None
    goals: Goals = Goals()
    allocation: Allocation = Allocation()

    reps: tuple[Rep, ...] = Field(min_length=1)
    accounts: tuple[Account, ...] = ()
    pipeline: tuple[Opportunity, ...] = ()
    tenders: tuple[Tender, ...] = ()
    absences: tuple[Absence, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    # A plan is no part of the vocabulary: it has its own tables, and no file may spell it here.
    _plan: Plan | None = PrivateAttr(default=None)

    @property
    def plan(self) -> Plan | None:
        """The plan to simulate; ``None`` means today's."""
        return self._plan

    def with_plan(self, plan: Plan | None) -> Scenario:
        """The same world under another plan.

        Raises:
            InputRefused: it is no plan.
        """
        if not isinstance(plan, Plan | None):
            rule = "must be a plan, as ql.allocate or ql.today_plan gives it"
            raise InputRefused(Problem("plan", repr(plan)[:80], rule, "for example ql.allocate(scenario).plan"))
        copied = self.model_copy()
        copied._plan = plan
        return copied

    def simulation_hash(self, plan: Plan) -> str:
        """Hash of those decisions of a plan that move sales in this world: quotas only where motivation is on."""
        return plan.simulation_hash(quotas_matter=self.motivation is not None)

    def document(self) -> dict[str, Any]:
        """Plain JSON-ready data with defaults filled in, without the plan; what changes act on."""
        data: dict[str, Any] = _without_absent(*self._dumps())
        return data

    def brief_document(self) -> dict[str, Any]:
        """The same without defaults: what files hold."""
        data: dict[str, Any] = _with_kinds(*self._dumps())
        return data

    def _dumps(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.model_dump(mode="json"), self.model_dump(mode="json", exclude_defaults=True)

    def in_id_order(self) -> Self:
        """The same world with the rows of its tables, rules and locks in the order of their ids.

        What is chosen among equals then depends on ids and on no file. Targets stay as they are: messages count them.
        """
        rows = {section: tuple(sorted(getattr(self, section), key=rank)) for section in BY_ID}
        accounts = self.allocation.accounts
        own = {"rules": tuple(sorted(accounts.rules, key=rank))}
        inside = {
            "accounts": accounts.model_copy(update=own),
            "rules": tuple(sorted(self.allocation.rules, key=rank)),
            "locks": tuple(sorted(self.allocation.locks, key=rank)),
        }
        found = rows | {"allocation": self.allocation.model_copy(update=inside)}
        if all(getattr(self, section) == value for section, value in found.items()):
            return self
        return self.model_copy(update=found)

    def fingerprint(self) -> str:
        """Hash of the world without the plan, whatever the order of rows; equal scenarios have equal fingerprints."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        text = json.dumps(ordered(self.document()), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def simulated(self) -> Mapping[str, str]:
        """Hash of each section that the simulation reads: years of a world serve all scenarios in which these agree.

        Goals, rules and locks only say what is made of the years; the seed is one of the years' own, which they carry.
        """
        return self._simulated

    @cached_property
    def _simulated(self) -> Mapping[str, str]:
        read = {name: part for name, part in ordered(self.document()).items() if name not in NOT_SIMULATED}
        texts = {name: json.dumps(part, sort_keys=True, ensure_ascii=False) for name, part in read.items()}
        return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with some sections replaced; they are not validated again."""
        copied = super().model_copy(update=update, deep=deep)
        if update:
            copied.__dict__.pop("_fingerprint", None)
            copied.__dict__.pop("_simulated", None)
        return copied


def require_world(given: object) -> None:
    """Refuse anything but a loaded scenario, most likely its name.

    Raises:
        InputRefused: it is no scenario.
    """
    if not isinstance(given, Scenario):
        rule = "must be a scenario, as ql.load gives it"
        raise InputRefused(Problem("scenario", repr(given)[:80], rule, "for example ql.load('starter')"))


_KINDS = ("family", "rule", "form")


def _without_absent(full: Any, brief: Any) -> Any:
    """The full data less the nulls that are defaults; a null that stands for something else than the default stays."""
    if isinstance(full, Mapping):
        inside = brief if isinstance(brief, Mapping) else {}
        return {
            key: _without_absent(value, inside.get(key))
            for key, value in full.items()
            if value is not None or key in inside
        }
    if isinstance(full, list):
        rest = brief if isinstance(brief, list) else [None] * len(full)
        return [_without_absent(value, short) for value, short in zip(full, rest, strict=True)]
    return full


def _with_kinds(full: Any, brief: Any) -> Any:
    """The brief data with the words that tell one kind of value from another, which equal their own defaults."""
    if isinstance(brief, Mapping):
        kinds = {key: full[key] for key in _KINDS if key in full}
        return kinds | {key: _with_kinds(full[key], value) for key, value in brief.items()}
    if isinstance(brief, list):
        return [_with_kinds(whole, value) for whole, value in zip(full, brief, strict=True)]
    return brief


def ids(items: tuple[Any, ...]) -> tuple[Id, ...]:
    """The ids of a section, in file order."""
    return tuple(item.id for item in items)
