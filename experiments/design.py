"""Which worlds a sweep runs: a small declarative file, resolved into design points that are known by their content.

A grid crosses factors, a list names its points::

    name: leads and proposal effort
    scenario: starter
    replications: 100
    seed: 7
    measures: [expected_sales, hit_rate]
    factors:
      - path: sources.online.leads_per_year
        scale: [0.9, 1.0, 1.1]
      - path: stages.proposal.effort_hours.mean
        values: [6, 7, 8]

    points:                       # instead of factors
      - {sources.online.leads_per_year: 900, "stages.proposal.effort_hours.mean*": 1.1}
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from experiments.runs import plan_of, world_key
from experiments.sweep_measures import DEFAULT_MEASURES, SWEEP_MEASURES
from scenarios import files
from scenarios.changes import Change
from scenarios.documents import Document, read_yaml
from scenarios.errors import InputRefused, Problem, refuse_if
from scenarios.messages import shown, told
from scenarios.scenario import Scenario
from sim.streams import STREAM_VERSION

MOST_POINTS = 100_000
Setting = Any


class Factor(BaseModel):
    """One path of the scenario and the values, or the factors, that it takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    path: str = Field(min_length=1)
    values: tuple[Any, ...] | None = None
    scale: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _one_list(self) -> Factor:
        if (self.values is None) == (self.scale is None):
            raise ValueError("exactly one of values and scale must be given")
        levels = self.values if self.values is not None else self.scale
        if not levels:
            raise ValueError("needs at least one level")
        if len({json.dumps(level, default=str) for level in levels}) < len(levels):
            raise ValueError("a level is given twice")
        return self

    @property
    def column(self) -> str:
        """Name in tables; a star marks factors by which the value is multiplied."""
        return self.path if self.scale is None else f"{self.path}*"

    @property
    def levels(self) -> tuple[Setting, ...]:
        """The values or factors."""
        return self.scale if self.values is None else self.values  # type: ignore[return-value]


def _known_measures(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in SWEEP_MEASURES]
    if unknown or not names:
        raise ValueError(f"measures must be among {', '.join(SWEEP_MEASURES)}; got {', '.join(unknown) or 'none'}")
    return names


class SweepFile(BaseModel):
    """The declarative file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(min_length=1)
    scenario: str = Field(min_length=1)
    """A folder or file, relative to the sweep file, or a shipped scenario."""
    replications: int = Field(default=100, ge=1, le=1_000_000, strict=True)
    seed: int | None = Field(default=None, ge=0, lt=2**63, strict=True)
    measures: Annotated[tuple[str, ...], AfterValidator(_known_measures)] = DEFAULT_MEASURES
    factors: tuple[Factor, ...] = ()
    points: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="after")
    def _grid_or_list(self) -> SweepFile:
        if bool(self.factors) == bool(self.points):
            raise ValueError("exactly one of factors (a grid) and points (a list) must be given")
        columns = [factor.column.rstrip("*") for factor in self.factors]
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise ValueError(f"a path is varied by two factors: {', '.join(twice)}")
        return self


@dataclass(frozen=True)
class Point:
    """One design point.

    Attributes:
        number: from 1, in the order of the design.
        settings: column -> level; a column that a list point does not name keeps the scenario's own value.
        scenario: the resolved world.
        key: hash of everything that decides the rows: world, plan, replications, seed, measures, stream version.
    """

    number: int
    settings: Mapping[str, Setting]
    scenario: Scenario = field(repr=False)
    key: str


@dataclass(frozen=True)
class Sweep:
    """A resolved sweep: every point validated before anything runs.

    Attributes:
        columns: names of the factor columns, a star marks multiplied ones.
    """

    name: str
    columns: tuple[str, ...]
    points: tuple[Point, ...]
    replications: int
    seed: int
    measures: tuple[str, ...]
    currency: str

    @property
    def key(self) -> str:
        """Hash of the whole design."""
        text = json.dumps([self.columns, [point.key for point in self.points]], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def read_sweep(source: str | Path | Mapping[str, Any], base: Scenario | None = None) -> Sweep:
    """Read and resolve a sweep.

    Args:
        source: a YAML file, or its content as a mapping.
        base: the scenario to vary; default the one that the file names.

    Raises:
        InputRefused: all problems of the file together, or of all design points together.
    """
    if isinstance(source, Mapping):
        document, folder = Document(json.loads(json.dumps(source, default=str))), Path()
    else:
        path = Path(source)
        document, folder = read_yaml(path), path.parent
    parsed = _parsed(document)
    scenario = _base(parsed, folder) if base is None else base
    return resolve(parsed, scenario)


def resolve(sweep: SweepFile, scenario: Scenario) -> Sweep:
    """Every design point as a validated scenario.

    Raises:
        InputRefused: the problems of all points, each named once; too many points.
    """
    columns, settings = _settings(sweep)
    seed = scenario.seed if sweep.seed is None else sweep.seed
    faults: list[Problem] = []
    points = []
    for number, chosen in enumerate(settings, start=1):
        try:
            changed = files.changed(scenario, [_change(column, level) for column, level in chosen.items()])
        except InputRefused as refused:
            faults += refused.problems
            continue
        key = _key(changed, sweep.replications, seed, sweep.measures)
        points.append(Point(number, chosen, changed, key))
    refuse_if(dict.fromkeys(faults))
    return Sweep(sweep.name, columns, tuple(points), sweep.replications, seed, sweep.measures, scenario.currency)


def _settings(sweep: SweepFile) -> tuple[tuple[str, ...], Sequence[dict[str, Setting]]]:
    if sweep.points:
        return tuple(dict.fromkeys(column for point in sweep.points for column in point)), sweep.points
    columns = tuple(factor.column for factor in sweep.factors)
    count = 1
    for factor in sweep.factors:
        count *= len(factor.levels)
    if count > MOST_POINTS:
        rule = f"a grid may have at most {MOST_POINTS:,} points"
        raise InputRefused(Problem("factors", f"{count:,} points", rule, "drop levels, or list the points wanted"))
    grid = itertools.product(*(factor.levels for factor in sweep.factors))
    return columns, [dict(zip(columns, levels, strict=True)) for levels in grid]


def _change(column: str, level: Setting) -> Change:
    if not column.endswith("*"):
        return Change("set", column, level)
    if isinstance(level, bool) or not isinstance(level, int | float):
        raise InputRefused(Problem(column, str(level), "a factor must be a number"))
    return Change("scale", column.rstrip("* "), float(level))


def _key(scenario: Scenario, replications: int, seed: int, measures: Sequence[str]) -> str:
    plan = plan_of(scenario)
    content = [*world_key(scenario, plan), plan.decisions_hash(), replications, seed, list(measures), STREAM_VERSION]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _base(sweep: SweepFile, folder: Path) -> Scenario:
    beside = folder / sweep.scenario
    return files.load(beside if beside.exists() else sweep.scenario)


def _parsed(document: Document) -> SweepFile:
    try:
        return SweepFile.model_validate(document.data)
    except ValidationError as error:
        raise InputRefused(list(_problems(error, document))) from None


def _problems(error: ValidationError, document: Document) -> Iterator[Problem]:
    known = f"known fields: {', '.join(SweepFile.model_fields)}"
    for fault in error.errors(include_url=False):
        kind = str(fault["type"])
        path = ".".join(str(part) for part in fault["loc"])
        where = ": ".join(part for part in (document.place(tuple(fault["loc"])), path) if part) or "sweep"
        rule, remedy = ("no such field", known) if kind == "extra_forbidden" else told(fault)
        value = "" if kind in ("missing", "value_error") else shown(fault.get("input"))
        yield Problem(where, value, rule, remedy)
