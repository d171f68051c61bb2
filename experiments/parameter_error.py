"""Plausible errors of a scenario's parameters, drawn by key: which parameters err, how far, and one world so drawn.

Nobody knows a conversion or a demand exactly, and no test inside the model can see such an error. Each parameter gets
its own normal draw, keyed by (seed, draw number, path) like every other random number of the program: a source added
to the scenario leaves the errors of all others as they were. Positive quantities err by a lognormal factor of mean 1,
probabilities on the logit scale, so no draw leaves its range.

Where provenance gives an interval for a path it is taken as a 95 % interval and replaces the default level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any, Literal

from pydantic import TypeAdapter
from scipy.special import ndtri

from scenarios import files
from scenarios.changes import Change
from scenarios.distributions import Distribution
from scenarios.physics import conversion, logit
from scenarios.scenario import Provenance, Scenario
from sim.streams import Purpose, draw, identity, replication_key

TWO_SIDED_95 = 1.959963984540054
Kind = Literal["positive", "probability", "distribution", "score"]
_DISTRIBUTION: TypeAdapter[Any] = TypeAdapter(Distribution)


@dataclass(frozen=True)
class ErrorLevels:
    """Standard deviations of the errors where provenance gives no interval.

    Judgements, not estimates: they state what a careful planner would not be surprised by. The first four are relative
    (log scale) unless said otherwise.

    Attributes:
        demand: leads a year of a source.
        effort: hours of work of a stage.
        value: deal value of a product and order value of a tier.
        account_rate: orders a year of a tier or account.
        conversion_logit: chance to advance of a stage, on the logit scale.
        skill_points: a rep's skills, all of them together, in points of 100.
        slope: how strongly skill, training, care and handover act, relative.
    """

    demand: float = 0.10
    effort: float = 0.10
    value: float = 0.10
    account_rate: float = 0.10
    conversion_logit: float = 0.10
    skill_points: float = 3.0
    slope: float = 0.30


@dataclass(frozen=True)
class UncertainParameter:
    """One parameter that errs.

    Attributes:
        path: in the scenario's document.
        kind: scale of the error.
        value: as the scenario states it; a distribution as its document.
        sd: standard deviation on the scale of ``kind``.
        from_data: whether ``sd`` comes from a provenance interval.
        entity: what the draw is keyed by; parameters that share it err together.
    """

    path: str
    kind: Kind
    value: Any
    sd: float
    from_data: bool
    entity: str

    def drawn(self, z: float) -> Any:
        """The value with an error of ``z`` standard deviations."""
        shift = self.sd * z
        # A lognormal factor of mean 1: the stated value stays the expected one.
        factor = exp(shift - self.sd**2 / 2)
        match self.kind:
            case "positive":
                return self.value * factor
            case "probability":
                return conversion(logit(self.value), shift)
            case "score":
                return min(max(self.value + shift, 0.0), 100.0)
            case "distribution":
                scaled = _DISTRIBUTION.validate_python(self.value).scaled(factor)
                return scaled.model_dump(mode="json", exclude_none=True)


@dataclass(frozen=True)
class ErrorSources:
    """Where the spreads of what errs come from; all skills of one rep are one thing.

    Attributes:
        measured: how many have an interval from the data.
        stated: how many have a stated level, see :class:`ErrorLevels`.
    """

    measured: int = 0
    stated: int = 0


def error_sources(scenario: Scenario, levels: ErrorLevels | None = None) -> ErrorSources:
    """How many of the things that err have a spread from the data, and how many a stated one."""
    found = uncertain_parameters(scenario, levels)
    measured = {parameter.entity for parameter in found if parameter.from_data}
    return ErrorSources(len(measured), len({parameter.entity for parameter in found} - measured))


def with_parameter_draw(
    scenario: Scenario, number: int, *, levels: ErrorLevels | None = None, seed: int | None = None
) -> Scenario:
    """The scenario with every uncertain parameter in error; plan, quotas, goals and people's dates stay.

    Args:
        number: of the draw; the same number gives the same errors, whatever else was drawn.
        seed: default the scenario's.

    Raises:
        InputRefused: the drawn world breaks a rule of the vocabulary.
    """
    key = replication_key(scenario.seed if seed is None else seed, number)
    changes = [
        Change("set", parameter.path, parameter.drawn(_normal(key, parameter.entity)))
        for parameter in uncertain_parameters(scenario, levels)
    ]
    return files.changed(scenario, changes) if changes else scenario


def uncertain_parameters(scenario: Scenario, levels: ErrorLevels | None = None) -> tuple[UncertainParameter, ...]:
    """Every parameter that errs, in the order of the document; a level of zero holds its parameters fixed."""
    known = {row.path: row for row in scenario.provenance}
    return tuple(
        parameter
        for found in _defaults(scenario, levels or ErrorLevels())
        if (parameter := _measured(found, known)).sd > 0
    )


def _normal(key: Any, entity: str) -> float:
    return float(ndtri(draw(key, identity(entity), 0, 0, Purpose.PARAMETER.value)))


def _defaults(scenario: Scenario, levels: ErrorLevels) -> Iterator[UncertainParameter]:
    document = scenario.document()
    for source in document["sources"]:
        yield _one(f"sources[{source['id']}].leads_per_year", "positive", source["leads_per_year"], levels.demand)
    for stage in document["stages"]:
        path = f"stages[{stage['id']}]"
        yield _one(f"{path}.effort_hours", "distribution", stage["effort_hours"], levels.effort)
        if "conversion" in stage:
            yield _one(f"{path}.conversion", "probability", stage["conversion"], levels.conversion_logit)
    for product in document["products"]:
        yield _one(f"products[{product['id']}].value", "distribution", product["value"], levels.value)
    for tier in document["tiers"]:
        path = f"tiers[{tier['id']}]"
        yield _one(f"{path}.order_value", "distribution", tier["order_value"], levels.value)
        yield _one(f"{path}.orders_per_year", "positive", tier["orders_per_year"], levels.account_rate)
    for account in document["accounts"]:
        if "orders_per_year" in account:
            path = f"accounts[{account['id']}].orders_per_year"
            yield _one(path, "positive", account["orders_per_year"], levels.account_rate)
    yield from _slopes(document, levels)
    yield from _skills(scenario, document, levels)


def _slopes(document: dict[str, Any], levels: ErrorLevels) -> Iterator[UncertainParameter]:
    skills = document["skills"]
    for field in ("conversion_logit_per_point", "effort_log_per_point"):
        yield _one(f"skills.{field}", "positive", skills[field], levels.slope)
    yield _one("skills.training.max_gain_points", "positive", skills["training"]["max_gain_points"], levels.slope)
    physics = document.get("account_physics")
    if physics is not None:
        yield _one(
            "account_physics.rate_per_relationship_point",
            "positive",
            physics["rate_per_relationship_point"],
            levels.slope,
        )
        for field in ("handover_loss", "care_elasticity"):
            yield _one(f"account_physics.{field}", "probability", physics[field], levels.slope)


def _skills(scenario: Scenario, document: dict[str, Any], levels: ErrorLevels) -> Iterator[UncertainParameter]:
    """All skills of one rep err together; a rep who takes them from a level gets own ones."""
    profile = {level.id: level.skills for level in scenario.skills.levels}
    for rep in document["reps"]:
        own = {**profile.get(rep.get("level"), {}), **rep.get("skills", {})}
        for skill, score in own.items():
            path = f"reps[{rep['id']}].skills[{skill}]"
            yield UncertainParameter(path, "score", score, levels.skill_points, False, f"skills of {rep['id']}")


def _one(path: str, kind: Kind, value: Any, sd: float) -> UncertainParameter:
    return UncertainParameter(path, kind, value, sd, False, path)


def _measured(parameter: UncertainParameter, known: dict[str, Provenance]) -> UncertainParameter:
    """The parameter with the spread of its provenance interval, where there is one on its scale."""
    dotted = parameter.path.replace("[", ".").replace("]", "")
    names = (parameter.path, dotted, f"{dotted}.mean", f"{dotted}.value")
    row = next((known[name] for name in names if name in known), None)
    if row is None or row.low is None or row.high is None or not row.low <= row.high:
        return parameter
    low, high = (_on_scale(end, parameter.kind) for end in (row.low, row.high))
    if low is None or high is None:
        return parameter
    sd = (high - low) / (2 * TWO_SIDED_95)
    return UncertainParameter(parameter.path, parameter.kind, parameter.value, sd, True, parameter.entity)


def _on_scale(end: float, kind: Kind) -> float | None:
    """An end of an interval on the scale of the error; ``None`` where it has no place there (a zero, a one)."""
    match kind:
        case "score":
            return end
        case "probability":
            return logit(end) if 0 < end < 1 else None
        case _:
            return log(end) if end > 0 and isfinite(end) else None
