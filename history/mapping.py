"""The mapping file: how the columns and words of a CRM export translate into ours.

A mapping is a small YAML file. ``kind: opportunities`` reads one row per opportunity with its current stage;
``kind: events`` reads one row per event of a case (an event log). Files are read by :mod:`history.mapping_files`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

SEPARATOR = "\n"
"""Between the faults of one mapping that are told together."""


def word(text: str) -> str:
    """The form in which stage and outcome words are compared: no width, case or outer blanks."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _names(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


def _stage(given: Any) -> Any:
    return {"name": given} if isinstance(given, str) else given


def _join_column(given: Any) -> Any:
    return {"column": given} if isinstance(given, str) else given


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""One column name or several alternatives; the first that the file has is used."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a known time zone such as Asia/Shanghai") from None
    return name


def _encoding(name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError("is not a known encoding; try utf-8-sig or gb18030") from None
    return name


def _delimiter(sign: str) -> str:
    if sign in '"\r\n':
        raise ValueError("ends fields or rows of every CSV; a delimiter is often ; or a tab")
    return sign


def _date_format(form: str) -> str:
    moment = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    try:
        reads_back = form == "iso" or dt.datetime.strptime(moment.strftime(form), form).date() == moment.date()  # noqa: DTZ007
    except (ValueError, re.error):
        reads_back = False
    if not reads_back:
        raise ValueError("is neither iso nor a date format with year, month and day such as %d.%m.%Y")
    return form


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(_Strict):
    """Which column of the export holds which of our fields; empty where it has none."""

    id: Names = ()
    rep: Names = ()
    team: Names = ()
    region: Names = ()
    account: Names = ()
    segment: Names = ()
    product: Names = ()
    source: Names = ()
    account_owner: Names = ()
    value: Names = ()
    currency: Names = ()
    stage: Names = ()
    outcome: Names = ()
    created: Names = ()
    closed: Names = ()
    activity: Names = ()
    lifecycle: Names = ()
    time: Names = ()


class StageWords(_Strict):
    """A stage in the order of the funnel, and the words (or activities) that stand for it in the export."""

    name: str = Field(min_length=1)
    words: Names = ()

    def all_words(self) -> tuple[str, ...]:
        """The words, or the name where no word is given."""
        return self.words or (self.name,)


class Outcomes(_Strict):
    """Words that mean won, lost or still open. Open stages need no word here."""

    won: Names = Field(min_length=1)
    lost: Names = Field(min_length=1)
    open: Names = ()


class Money(_Strict):
    """How amounts are written.

    Attributes:
        currency: ISO code used where the export has no currency column, and the currency of the result.
        unit: what 1 in the file is worth in currency units (1 for euro, 0.01 for cents, 10000 for 万元).
        decimal, thousands: the characters used in the file.
        rates: currency -> units of ``currency`` for one of it; needed only where currencies are mixed.
    """

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    unit: Decimal = Field(default=Decimal(1), gt=0)
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'", ""] = ","
    rates: dict[str, Annotated[Decimal, Field(gt=0)]] = {}


class JoinColumn(_Strict):
    """A column of a side table; ``unit`` is given where it is an amount of money."""

    column: str
    unit: Annotated[Decimal, Field(gt=0)] | None = None


class Join(_Strict):
    """A side table: one row per rep, account or product.

    Attributes:
        table: file stem (or sheet name) of the side table.
        to: which field of the main table its key belongs to.
        key: key column of the side table.
        columns: field -> column. Text fields: team, region, segment, account_owner, family, parent.
            Money field: list_price.
        optional: True if the export may lack the table.
    """

    table: str
    to: Literal["rep", "account", "product"]
    key: str
    columns: dict[
        Literal["team", "region", "segment", "account_owner", "family", "parent", "list_price"],
        Annotated[JoinColumn, BeforeValidator(_join_column)],
    ]
    optional: bool = False


class Lifecycle(_Strict):
    """Words in the lifecycle column that begin and end a piece of work; others are not work."""

    started: Names = ("START",)
    ended: Names = ("COMPLETE",)


class Tolerance(_Strict):
    """What to do with rows that break a rule: refuse the export (default), or go on and count them."""

    bad_date: Literal["refuse", "drop"] = "refuse"
    missing_date: Literal["refuse", "drop"] = "refuse"
    bad_value: Literal["refuse", "drop", "blank"] = "refuse"
    negative_value: Literal["refuse", "drop", "blank", "keep"] = "refuse"
    missing_value: Literal["refuse", "drop", "keep"] = "refuse"
    missing_id: Literal["refuse", "drop"] = "refuse"
    duplicate_id: Literal["refuse", "first"] = "refuse"
    closed_before_created: Literal["refuse", "drop"] = "refuse"
    unknown_stage: Literal["refuse", "drop"] = "refuse"


_NEEDED = {
    "opportunities": ("id", "rep", "stage", "created", "closed", "value"),
    "events": ("id", "activity", "time"),
}
_FOREIGN = {
    "opportunities": ("activity", "lifecycle", "time"),
    "events": ("stage", "outcome", "created", "closed"),
}


class Mapping(_Strict):
    """A whole mapping file.

    Attributes:
        kind: ``opportunities`` or ``events``.
        table: file stem (or sheet) of the main table inside a folder; not needed for a single file.
        time_zone: zone of dates and times that name none, and of all times in the result.
        dates: ``iso`` or strptime formats, tried in order.
        stages: in the order of the funnel. In an event log the words are the activities that enter the stage.
        outcomes: words (or activities) that end a case.
        work: activity -> stage in which its hands-on time is counted (events only).
        longest_work_hours: longer pieces of work are not counted as hands-on (left open overnight).
        automatic: reps that are machines; they never count as reps.
        integers: fields whose whole numbers were exported as decimals ("112.0" is "112").
        fixes: field -> {wrong: right}.
    """

    schema_version: Literal[1]
    kind: Literal["opportunities", "events"]
    table: str | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8-sig"
    delimiter: Annotated[str, AfterValidator(_delimiter)] = Field(default=",", min_length=1, max_length=1)
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    dates: Annotated[tuple[Annotated[str, AfterValidator(_date_format)], ...], BeforeValidator(_names)] = ("iso",)
    money: Money
    columns: Columns
    stages: tuple[Annotated[StageWords, BeforeValidator(_stage)], ...] = Field(min_length=1)
    outcomes: Outcomes
    work: dict[str, str] = {}
    lifecycle: Lifecycle = Lifecycle()
    longest_work_hours: float | None = Field(default=None, gt=0)
    automatic: Names = ()
    integers: Names = ()
    fixes: dict[str, dict[str, str]] = {}
    joins: tuple[Join, ...] = ()
    tolerate: Tolerance = Tolerance()

    @model_validator(mode="after")
    def _is_consistent(self) -> Mapping:
        faults = [*self._column_faults(), *self._word_faults(), *self._name_faults()]
        if faults:
            raise ValueError(SEPARATOR.join(faults))
        return self

    def _column_faults(self) -> list[str]:
        given = {name for name in Columns.model_fields if getattr(self.columns, name)}
        missing = [name for name in _NEEDED[self.kind] if name not in given]
        foreign = [name for name in _FOREIGN[self.kind] if name in given]
        faults = [f"columns.{name} is needed for kind {self.kind}" for name in missing]
        faults += [f"columns.{name} does not belong to kind {self.kind}" for name in foreign]
        if self.kind == "opportunities" and (self.work or self.automatic or self.longest_work_hours):
            faults.append("work, automatic and longest_work_hours belong to kind events")
        return faults

    def _word_faults(self) -> list[str]:
        meaning: dict[str, str] = {}
        faults = []
        groups = [(stage.name, stage.all_words()) for stage in self.stages]
        groups += [("won", self.outcomes.won), ("lost", self.outcomes.lost), ("open", self.outcomes.open)]
        for name, words in groups:
            for text in words:
                other = meaning.setdefault(word(text), name)
                if other != name:
                    faults.append(f"word {text!r} stands for {other!r} and for {name!r}")
        return faults

    def _name_faults(self) -> list[str]:
        names = self.stage_names
        faults = [f"stage {name!r} is listed twice" for name in sorted({n for n in names if names.count(n) > 1})]
        faults += [
            f"work: {activity!r} belongs to stage {stage!r}, which is not a stage"
            for activity, stage in self.work.items()
            if stage not in names
        ]
        fields = {*Columns.model_fields, "family", "parent"}
        for what, keys in (("fixes", self.fixes), ("integers", self.integers)):
            faults += [f"{what}: {key!r} is not a field" for key in keys if key not in fields | {"family", "parent"}]
        return faults

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Stage names in the order of the funnel."""
        return tuple(stage.name for stage in self.stages)

    def stage_of(self) -> dict[str, str]:
        """Normalised word -> stage name."""
        return {word(text): stage.name for stage in self.stages for text in stage.all_words()}

    def outcome_of(self) -> dict[str, str]:
        """Normalised word -> won, lost or open."""
        pairs = (("won", self.outcomes.won), ("lost", self.outcomes.lost), ("open", self.outcomes.open))
        return {word(text): name for name, words in pairs for text in words}
