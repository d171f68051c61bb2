"""Run folders: everything that one command produced, written whole or not at all.

A run folder holds ``manifest.json`` (what was run, on what, with which versions, and a hash of the result), tables as
Parquet and as CSV for spreadsheets, figures, pages, and where one was made the plan or the scenario.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quotalab.stopwatch import Stopwatch
from scenarios.errors import InputRefused, Problem
from scenarios.folders import check_place, whole_folder
from scenarios.plan import Plan
from scenarios.plan_files import HEADER, read_plan, write_plan
from scenarios.quota_sheet import read_quota_sheet
from scenarios.scenario import Scenario
from scenarios.trail import Trail, write_trail

if TYPE_CHECKING:
    import pandas as pd

    from experiments.figures.draw import Drawing
    from sim.outcome import Outcome

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
PACKAGES = ("quotalab", "numpy", "numba", "pandas", "scipy", "simpy", "pulp", "highspy", "pydantic")
_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


@dataclass
class Draft:
    """A run folder while it is being filled.

    Attributes:
        folder: the draft's own folder.
        facts: what the manifest says beside versions and timings.
        hashes: content hash of each result, by name; together they make the result hash.
        world: whose currency the money in sheets is in.
    """

    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    world: Scenario | None = None

    def table(self, name: str, table: pd.DataFrame) -> None:
        """A large table, as Parquet."""
        table.to_parquet(self.folder / f"{name}.parquet", index=False)

    def sheet(self, name: str, table: pd.DataFrame, *, sales: bool = False) -> None:
        """A small table, as Parquet and as CSV that Excel opens with Chinese intact; its money is named.

        Args:
            sales: amounts of sales stand in columns of other names than those known.
        """
        if self.world is not None:
            from quotalab.money_columns import with_money_named

            table = with_money_named(table, self.world, sales=sales)
        self.table(name, table)
        table.to_csv(self.folder / f"{name}.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")

    def text(self, name: str, text: str) -> None:
        """A text file in UTF-8."""
        (self.folder / name).write_text(text, encoding="utf-8", newline="")

    def document(self, name: str, document: Any) -> None:
        """A JSON file."""
        self.text(name, json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n")

    def drawing(self, drawing: Drawing) -> None:
        """A figure, as SVG and PNG in the folder ``figures``."""
        folder = self.folder / "figures"
        folder.mkdir(exist_ok=True)
        for ending in (".svg", ".png"):
            drawing.save(folder / f"{drawing.name}{ending}")

    def plan(self, plan: Plan, scenario: Scenario, place: str = "plan") -> None:
        """The plan, in its own folder ``plan``, or ``place`` where a run makes several."""
        write_plan(plan, self.folder / place, scenario.currency)
        self.hashes[place] = plan.decisions_hash()

    def trail(self, trail: Trail) -> None:
        """The audit trail, beside the plan. Times are in it, so it is no part of the result."""
        write_trail(trail, self.folder / "plan")
        self.facts["trail"] = {"entries": len(trail.entries), "head": trail.head}

    def about(self, scenario: Scenario) -> None:
        """What world this run is about."""
        self.world = scenario
        self.facts["scenario"] = {"name": scenario.name, "fingerprint": scenario.fingerprint()}

    def outcome(self, outcome: Outcome, currency: str, name: str = "years") -> None:
        """All simulated years as tables ``NAME_KIND.parquet``; the manifest tells the units of their columns."""
        from quotalab.tables import metric_unit, outcome_tables

        for kind, table in outcome_tables(outcome).items():
            self.table(f"{name}_{kind}", table)
        self.hashes[name] = outcome.content_hash()
        metrics = {metric for cube in outcome.cubes.values() for metric in cube.metrics}
        self.facts["units"] = {metric: metric_unit(metric, currency) for metric in sorted(metrics)}
        self.facts["simulation"] = {
            "seed": outcome.seed,
            "first": outcome.first,
            "replications": outcome.replications,
            "engine": outcome.engine,
            "stream_version": outcome.stream_version,
            "plan": outcome.plan_name,
        }

    def result_hash(self) -> str:
        """Hash of all results: equal for equal inputs, whatever the machine was called or how long it took."""
        return hashlib.sha256(json.dumps(self.hashes, sort_keys=True).encode()).hexdigest()


@contextmanager
def run_folder(target: Path, verb: str, watch: Stopwatch, settings: Mapping[str, Any]) -> Iterator[Draft]:
    """A draft that becomes ``target`` when the block ends well, and leaves no trace when it does not.

    Args:
        verb: the command; only a run of the same command is replaced.
        watch: started when the command began.
        settings: what was asked for, for the manifest.

    Raises:
        InputRefused: see :func:`check_target`.
    """
    check_target(target, verb)
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_folder(target) as folder:
        draft = Draft(folder)
        yield draft
        manifest = {
            "manifest_version": MANIFEST_VERSION,
            "verb": verb,
            "settings": dict(settings),
            **draft.facts,
            "result_hash": draft.result_hash(),
            "hashes": draft.hashes,
            "versions": versions(),
            "timing": watch.read(),
        }
        draft.document(MANIFEST, manifest)
        # The folder may have been filled by someone else while the work went on.
        check_target(target, verb)


def check_target(target: Path, verb: str) -> None:
    """Refuse to overwrite what is not an earlier run of the same command.

    Raises:
        InputRefused: the target is a file, a folder of something else, or a run of another command.
    """
    check_place(target)
    if target.is_symlink() and not target.exists():
        raise InputRefused(Problem(str(target), "", "is a link that leads nowhere", "name a folder"))
    if not target.exists():
        return
    if not target.is_dir():
        raise InputRefused(Problem(str(target), "", "is a file", "name a folder"))
    if not any(target.iterdir()):
        return
    found = read_manifest(target)
    if found is None:
        raise InputRefused(Problem(str(target), "", "exists and is not a run folder", "name another folder"))
    if found.get("verb") != verb:
        rule = f"holds a run of `quotalab {found.get('verb')}`, which `quotalab {verb}` does not replace"
        raise InputRefused(Problem(str(target), "", rule, "name another folder, or remove it"))


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a run folder; ``None`` where there is none that can be read."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "verb" in found else None


def given_plan(path: Path, scenario: Scenario) -> Plan:
    """The plan that ``path`` means: a plan folder, a run folder that holds one, or a CSV of quotas from elsewhere.

    Raises:
        InputRefused: as :func:`plan_folder`, :func:`scenarios.plan_files.read_plan` and
            :func:`scenarios.quota_sheet.read_quota_sheet`.
    """
    if path.is_file() and path.name != HEADER:
        return read_quota_sheet(path, scenario)
    return read_plan(plan_folder(path), scenario)


def plan_folder(path: Path) -> Path:
    """The folder of plan tables that ``path`` means: itself, or ``plan`` inside a run folder.

    Raises:
        InputRefused: there is no plan in either.
    """
    for folder in (path, path / "plan"):
        if (folder / HEADER).is_file():
            return folder
    remedy = "give the folder that `quotalab allocate` wrote"
    if path.is_file():
        rule = "is a file and holds no plan: one that was allocated is a folder, with its locks and its trail"
        remedy = (
            "give the folder that `quotalab allocate` wrote; figures of a table are fixed in the scenario, under "
            "allocation.locks"
        )
        raise InputRefused(Problem(str(path), "", rule, remedy))
    rule = "holds no plan" if path.exists() else "does not exist"
    raise InputRefused(Problem(str(path), "", rule, remedy))


def default_target(verb: str, scenario: Scenario) -> Path:
    """``runs/VERB-NAME``, the name made fit for a folder."""
    name = _NOT_IN_A_NAME.sub("-", scenario.name).strip("-.") or "scenario"
    return Path("runs") / f"{verb}-{name}"


def run_target(verb: str, scenario: Scenario, output: Path | None) -> Path:
    """Where a command writes: as asked for, else ``runs/VERB-NAME``; found out before any work whether it can.

    Raises:
        InputRefused: as :func:`check_target`.
    """
    target = output or default_target(verb, scenario)
    check_target(target, verb)
    return target


def table_hash(table: pd.DataFrame) -> str:
    """Hash of a table's figures: equal for equal tables."""
    return hashlib.sha256(table.to_csv(index=False, float_format="%.12g", lineterminator="\n").encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of everything that can move a figure."""
    found = {"python": platform.python_version(), "platform": f"{sys.platform}-{platform.machine()}"}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def rows(table: pd.DataFrame) -> list[Mapping[str, Any]]:
    """A table as JSON-ready rows; NaN and missing become null."""
    found: list[Mapping[str, Any]] = json.loads(table.to_json(orient="records", force_ascii=False, date_format="iso"))
    return found
