"""The mapping file: how the columns and words of a CRM export translate into ours.

A mapping is a small YAML file. ``kind: opportunities`` reads one row per opportunity with its current stage;
``kind: events`` reads one row per event of a case (an event log). Presets are mapping files shipped with the
package and nothing more: copy one, change a line, and give its path instead of its name.
"""

from __future__ import annotations

import difflib
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from scenarios.errors import InputRefused, Problem

SCHEMA_VERSION = 1
PRESETS = Path(__file__).parent / "presets"


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
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    time_zone: str = "UTC"
    dates: Names = ("iso",)
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
            raise ValueError("; ".join(faults))
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
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            faults.append(f"time_zone {self.time_zone!r} is not a known zone such as Asia/Shanghai")
        try:
            "".encode(self.encoding)
        except LookupError:
            faults.append(f"encoding {self.encoding!r} is not known; try utf-8-sig or gb18030")
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


def preset_names() -> tuple[str, ...]:
    """Names of the mapping files shipped with the package."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def load_mapping(name_or_path: str | Path) -> Mapping:
    """Read a mapping file, or a preset by its name.

    Raises:
        InputRefused: no such file or preset, not YAML, or rules broken (all of them are listed).
    """
    path = _locate(name_or_path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as broken:
        problem = Problem(path.name, f"byte {broken.start}", "a mapping file is UTF-8 text", "save it as UTF-8")
        raise InputRefused(problem) from None
    except yaml.YAMLError as broken:
        raise InputRefused(Problem(path.name, "", f"not valid YAML: {broken}", "correct the syntax")) from None
    if not isinstance(data, dict):
        raise InputRefused(Problem(path.name, str(data)[:60], "a mapping file is a table of settings"))
    return parse_mapping(data, path.name)


def parse_mapping(data: dict[str, Any], where: str = "mapping") -> Mapping:
    """Validate a mapping given as plain data; ``where`` names it in messages.

    Raises:
        InputRefused: with every broken rule.
    """
    version = data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        rule = f"this version reads schema_version up to {SCHEMA_VERSION}"
        raise InputRefused(Problem(f"{where}: schema_version", str(version), rule, "upgrade quotalab"))
    try:
        return Mapping.model_validate(data)
    except ValidationError as refused:
        raise InputRefused([_problem(where, error) for error in refused.errors()]) from None


def _problem(where: str, error: Any) -> Problem:
    place = ".".join(str(part) for part in error["loc"])
    parent = error["input"] if error["type"] != "missing" else ""
    shown = "" if isinstance(parent, dict) else str(parent)[:80]
    remedy = ""
    if error["type"] == "extra_forbidden":
        known = [*Mapping.model_fields, *Columns.model_fields, *Tolerance.model_fields, *Money.model_fields]
        near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "remove it"
    return Problem(f"{where}: {place}" if place else where, shown, error["msg"], remedy)


def _locate(name_or_path: str | Path) -> Path:
    given = Path(name_or_path)
    if given.is_file():
        return given
    if isinstance(name_or_path, str) and given.name == name_or_path and not given.suffix:
        preset = PRESETS / f"{name_or_path}.yaml"
        if preset.is_file():
            return preset
    near = difflib.get_close_matches(str(name_or_path), preset_names(), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise InputRefused(
        Problem(
            "mapping",
            str(name_or_path),
            "must be a mapping file or the name of a preset",
            f"{hint}presets: {', '.join(preset_names())}",
        )
    )
