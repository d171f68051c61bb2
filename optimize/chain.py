"""The funnel in closed form: expected sales and effort of a lead, and what limited hours leave of them.

A lead passes its stages with the converted chances, so its expected sales are the product of the chances times the
mean value, and stage j costs its effort with the chance to come so far. What a rep short of hours closes is cut by
the clearing function ``phi(load) = (1 + load**n) ** (-1/n)`` (Karmarkar 1989 gives the family), fitted to simulated
hours. It is an approximation: queues, patience and the horizon's end act only through the fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import cast

import numpy as np
from numpy.typing import NDArray

from scenarios import physics
from scenarios.people import Rep
from scenarios.scenario import Scenario
from sim.people import weighted_skill

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mix:
    """Leads alike: where they enter, how good they are, their share, their mean value in minor units."""

    first: int
    quality: float
    weight: float
    value: float


@dataclass(frozen=True)
class Person:
    """Whoever works the leads: skill profile, measured effects by stage, and own factor on effort."""

    role: str
    profile: Mapping[str, float]
    effects: Mapping[str, float]
    effort: float

    @classmethod
    def of(cls, scenario: Scenario, rep: Rep, profile: Mapping[str, float]) -> Person:
        """A rep with a given profile."""
        levels = {level.id: level.effort_factor for level in scenario.skills.levels}
        own = rep.effort_factor * (levels[rep.level] if rep.level else 1.0)
        return cls(rep.role, profile, rep.conversion_logit, own)

    @classmethod
    def reference(cls, scenario: Scenario, role: str) -> Person:
        """Somebody at the reference skill throughout."""
        return cls(role, dict.fromkeys(scenario.skills.dimensions, scenario.skills.reference), {}, 1.0)


def lead_mixes(scenario: Scenario, region: str, shares: Mapping[str, float] | None = None) -> list[Mix]:
    """Kinds of new leads of a region; weights sum to 1 (empty where nothing arrives).

    Args:
        shares: how many times its even share of a source somebody gets, by source; 1 where a source is not named.
    """
    segments = {segment.id: segment for segment in scenario.segments}
    stages = {stage.id: position for position, stage in enumerate(scenario.stages)}
    regions = [item.id for item in scenario.regions]
    out: list[Mix] = []
    for source in scenario.sources:
        share = _shares(source.regions, regions).get(region, 0.0) * source.leads_per_year
        share *= (shares or {}).get(source.id, 1.0)
        value = product_value(scenario, source.products) * source.value_factor
        first = stages[source.first_stage] if source.first_stage else 0
        kinds = _shares(source.segments, list(segments)) or {"": 1.0}
        for name, part in kinds.items():
            quality = source.quality_logit + (segments[name].quality_logit if name else 0.0)
            worth = value * (segments[name].value_factor if name else 1.0)
            if share * part > 0:
                out.append(Mix(first, quality, share * part, worth))
    total = sum(mix.weight for mix in out)
    return [Mix(mix.first, mix.quality, mix.weight / total, mix.value) for mix in out]


def pipeline_mixes(scenario: Scenario, owner: str) -> list[Mix]:
    """The open opportunities of a rep at the start, each of weight 1."""
    sources = {source.id: source for source in scenario.sources}
    segments = {segment.id: segment for segment in scenario.segments}
    stages = {stage.id: position for position, stage in enumerate(scenario.stages)}
    out = []
    for item in scenario.pipeline:
        if item.owner != owner:
            continue
        source = sources.get(item.source or "")
        segment = segments.get(item.segment or "")
        quality = (source.quality_logit if source else 0.0) + (segment.quality_logit if segment else 0.0)
        value = float(item.value) if item.value is not None else 0.0
        if item.value is None:
            mix = {item.product: 1.0} if item.product else (source.products if source else {})
            value = product_value(scenario, mix) * (segment.value_factor if segment else 1.0)
            value *= source.value_factor if source else 1.0
        out.append(Mix(stages[item.stage], quality, 1.0, value))
    return out


def product_value(scenario: Scenario, mix: Mapping[str, float]) -> float:
    """Mean value of a deal under a product mix, attached products in it, minor units."""
    products = {product.id: product for product in scenario.products}
    total = 0.0
    for name, share in _shares(mix, list(products)).items():
        product = products[name]
        value = product.value.mean_value()
        value += sum(item.probability * products[item.product].value.mean_value() for item in product.attach)
        total += share * value * 100.0
    return total


def expected(scenario: Scenario, person: Person, mixes: Sequence[Mix]) -> tuple[float, float]:
    """Expected sales (minor units) and own hours of effort of leads with these weights, worked without delay."""
    profile = {name: np.array([value]) for name, value in person.profile.items()}
    sales, hours = expected_by(scenario, person, profile, mixes)
    return float(sales[0]), float(hours[0])


def expected_by(
    scenario: Scenario, person: Person, profiles: Mapping[str, Floats], mixes: Sequence[Mix]
) -> tuple[Floats, Floats]:
    """The same for a person under n profiles, whatever the own one: sales and hours, [n] each.

    Args:
        profiles: level of each skill, [n].
    """
    shift, effort = _by_stage(scenario, person, profiles)
    first = np.array([mix.first for mix in mixes], dtype=np.int64)
    quality, kind = np.unique([mix.quality for mix in mixes], return_inverse=True)
    alive = np.tile(np.array([mix.weight for mix in mixes], dtype=np.float64), (len(shift), 1))
    hours = np.zeros((*alive.shape, len(scenario.stages)))
    for s, stage in enumerate(scenario.stages):
        inside = first <= s
        hours[:, :, s] = np.where(inside, alive * effort[:, s, None], 0.0)
        if not stage.after_win:
            base = physics.logit(1.0 if stage.conversion is None else stage.conversion)
            chance = exactly(physics.conversion, base, shift[:, s, None] + quality)
            alive = np.where(inside, alive * chance[:, kind], alive)
    worth = alive * np.array([mix.value for mix in mixes], dtype=np.float64)
    return _in_turn(worth), _in_turn(hours.reshape(len(alive), -1))


def _by_stage(scenario: Scenario, person: Person, profiles: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """What a person adds to the logit of each conversion, and own hours; none at stages of another role, [n, S]."""
    skills, count = scenario.skills, len(next(iter(profiles.values())))
    shift, effort = np.zeros((count, len(scenario.stages))), np.zeros((count, len(scenario.stages)))
    for s, stage in enumerate(scenario.stages):
        if stage.role != person.role:
            continue
        # The mean of numbers is that of arrays, entry by entry.
        skill = weighted_skill(skills, stage.skill_weights, cast(Mapping[str, float], profiles))
        shift[:, s] = physics.skill_shift(skill, skills.reference, skills.conversion_logit_per_point)
        shift[:, s] += person.effects.get(stage.id, 0.0)
        factor = exactly(physics.effort_factor, skill, skills.reference, skills.effort_log_per_point)
        effort[:, s] = stage.effort_hours.mean_value() * (factor * person.effort)
    return shift, effort


def exactly(rule: Callable[..., float], *values: float | Floats) -> Floats:
    """A scalar rule at every entry of arrays of one shape: vectorised powers would round otherwise by the machine."""
    shape = next(value.shape for value in values if isinstance(value, np.ndarray))
    entries = (value.ravel().tolist() if isinstance(value, np.ndarray) else repeat(value) for value in values)
    return np.array(list(map(rule, *entries)), dtype=np.float64).reshape(shape)


def _in_turn(terms: Floats) -> Floats:
    """Sums of rows, one term after the other, [n]: a sum in pairs would round otherwise."""
    return np.add.accumulate(terms, axis=1)[:, -1] if terms.shape[1] else np.zeros(len(terms))


def clearing(load: float | Floats, sharpness: float) -> Floats:
    """Share of the asked work that limited hours get done, at this load (asked over available hours)."""
    return np.asarray((1.0 + np.maximum(load, 0.0) ** sharpness) ** (-1.0 / sharpness))


@dataclass(frozen=True)
class Clearing:
    """Fitted to simulated hours: how sharply load cuts, and simulated over modelled hours of leads."""

    sharpness: float
    level: float

    def share(self, leads: float | Floats, other: float | Floats, available: float) -> Floats:
        """Share of leads' work done, from hours asked by leads (modelled), by all else, and hours available."""
        if available <= 0:
            return np.zeros(np.shape(other))
        return clearing((self.level * leads + other) / available, self.sharpness)


def fit_clearing(leads: Floats, other: Floats, available: Floats, busy: Floats) -> Clearing:
    """The clearing function that comes nearest to the simulated shares of busy hours, by least squares on a grid.

    Args:
        leads, other: modelled hours asked by leads and by accounts, [R].
        available, busy: simulated hours, [R].
    """
    some = (available > 0) & (leads > 0)
    if not some.any():
        return Clearing(6.0, 1.0)
    leads, other, available, busy = leads[some], other[some], available[some], busy[some]
    best, least = Clearing(6.0, 1.0), np.inf
    for level in np.linspace(0.3, 1.5, 121):
        load = (level * leads + other) / available
        for sharpness in np.linspace(2.0, 30.0, 57):
            error = float(np.square(busy / available - load * clearing(load, float(sharpness))).sum())
            if error < least - 1e-15:
                best, least = Clearing(float(sharpness), float(level)), error
    return best


def _shares(mix: Mapping[str, float], ids: Sequence[str]) -> dict[str, float]:
    """Shares by id; equal where none are given."""
    weights = {name: mix.get(name, 0.0) for name in ids} if mix else dict.fromkeys(ids, 1.0)
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items() if weight > 0} if total > 0 else {}
