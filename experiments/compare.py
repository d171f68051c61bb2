"""Plans and worlds side by side: common random numbers, paired differences, intervals that hold together.

Each distinct world is simulated once (plans that differ in quotas alone share it). The family of intervals is every
case against every reference in every measure; differences that are zero by construction infer nothing and do not
count in it, and a difference that several cases share by construction (the sales of plans that differ in quotas alone)
counts once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from experiments.compare_checks import check_cases, check_pairs, check_worlds
from experiments.compare_text import summary_of, table_of
from experiments.measures import Floats, PlanMeasures, moved_accounts, plan_measures
from experiments.money import Language
from experiments.pairs import Difference, Kind, difference, same_simulation
from experiments.runs import Progress, Runs, Simulate, WorldKey, plan_of, world_key
from scenarios.errors import InputRefused, Problem
from scenarios.scenario import Scenario
from sim.outcome import Outcome
from sim.statistics import variance_ratio

MEASURES: dict[str, Kind] = {
    "sales": "amount",
    "attainment": "amount",
    "hit_rate": "share",
    "chance_of_target": "yes_no",
}
"""What is compared, and how its interval is formed."""

PROVEN_MEASURES: dict[str, Kind] = {"sales": "amount", "capped": "share", **MEASURES}
"""The same with capped attainment, the allocator's objective: what a proof compares."""

_OF_SALES_ALONE = frozenset({"sales", "chance_of_target"})
"""Measures that do not look at quotas."""


@dataclass(frozen=True)
class Comparison:
    """Cases with their measures, and the differences to the references.

    Attributes:
        cases: measures of each case, in the order given.
        references: what the cases are compared with; the first is what pages put first.
        differences: for each reference and each other case, one row a measure; two references meet once, the later
            one against the earlier.
        replications: simulated years of each world.
        seed: shared by all of them.
        confidence: at which all intervals hold together.
        comparisons: how many intervals that are.
    """

    cases: tuple[PlanMeasures, ...]
    references: tuple[str, ...]
    differences: tuple[Difference, ...]
    replications: int
    seed: int
    confidence: float
    comparisons: int

    def __getitem__(self, case: str) -> PlanMeasures:
        """The measures of one case.

        Raises:
            InputRefused: no case of this name.
        """
        for measures in self.cases:
            if measures.name == case:
                return measures
        known = ", ".join(measures.name for measures in self.cases)
        raise InputRefused(Problem("comparison", case, "no such case", f"known: {known}"))

    def difference(self, case: str, measure: str, against: str | None = None) -> Difference:
        """One difference, against the first reference unless another is named.

        Raises:
            InputRefused: not compared (the reference itself, or a figure that one of the two lacks).
        """
        reference = self.references[0] if against is None else against
        for row in self.differences:
            if (row.case, row.measure, row.against) == (case, measure, reference):
                return row
        raise InputRefused(
            Problem("comparison", f"{case} against {reference}, {measure}", "was not compared", "see `differences`")
        )

    def table(self) -> pd.DataFrame:
        """One row a case: figures in currency units and shares, with differences to the first reference."""
        return table_of(self.cases, self.differences, self.references[0])

    def differences_table(self) -> pd.DataFrame:
        """One row a difference, sales in currency units: estimate, ends, word, method, variance ratio of pairing."""
        rows = []
        for row in self.differences:
            unit = 100.0 if row.measure == "sales" else 1.0
            rows.append(
                {
                    "case": row.case,
                    "against": row.against,
                    "measure": row.measure,
                    "unit": self.cases[0].currency if row.measure == "sales" else "share",
                    "difference": row.interval.estimate / unit,
                    "low": row.interval.low / unit,
                    "high": row.interval.high / unit,
                    "word": row.word,
                    "method": row.interval.method,
                    "variance_ratio": row.variance_ratio,
                }
            )
        return pd.DataFrame(rows)

    def summary(self, language: Language = "en") -> str:
        """The comparison in a few lines, for a terminal."""
        return summary_of(self.cases, self.references, self.differences, self.confidence, language)

    def __str__(self) -> str:
        return self.summary()

    def content_hash(self) -> str:
        """Hash of every figure: equal comparisons have equal hashes, however many workers computed them."""
        digest = hashlib.sha256()
        for case in self.cases:
            digest.update(f"{case.name} {case.scenario} {case.quota_sum} {case.target}\n".encode())
            for values in vars(case.years).values():
                digest.update(b"-" if values is None else values.astype("<f8").tobytes())
            digest.update(repr([(row.rep, row.quota, row.expected_sales, row.workload) for row in case.reps]).encode())
        rows = [(row.case, row.against, row.measure, row.interval, row.word) for row in self.differences]
        digest.update(json.dumps(rows, default=repr, ensure_ascii=False).encode())
        return digest.hexdigest()


def compare(
    cases: Mapping[str, Scenario],
    *,
    replications: int = 200,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    reference: str | Sequence[str] | None = None,
    potentials: Mapping[str, int] | None = None,
    confidence: float = 0.95,
    simulate: Simulate | None = None,
    runs: Runs | None = None,
) -> Comparison:
    """Simulate the cases on the same random numbers and compare them.

    Args:
        cases: name -> scenario; the scenario's plan (or today's) is what is judged.
        replications: simulated years of each distinct world.
        seed: default the first scenario's.
        workers: how many threads; the result does not depend on them.
        reference: case or cases to compare with; default the first case.
        potentials: rep -> minor units, for the quota/potential gap.
        runs: simulations at hand; then replications, seed and workers are theirs.

    Raises:
        InputRefused: no case, what is no scenario, a plan that does not fit its scenario, an unknown reference, or
            different currencies.
    """
    check_worlds(cases)
    check_cases(cases, _references(cases, reference))
    first = next(iter(cases.values()))
    pool = runs or Runs(
        replications,
        first.seed if seed is None else seed,
        workers=workers,
        progress=progress,
        simulate=simulate,
    )
    for scenario in cases.values():
        pool.expect(scenario, plan_of(scenario))
    outcomes = {name: pool.outcome(scenario) for name, scenario in cases.items()}
    return compare_outcomes(cases, outcomes, reference=reference, potentials=potentials, confidence=confidence)


def compare_outcomes(
    cases: Mapping[str, Scenario],
    outcomes: Mapping[str, Outcome],
    *,
    reference: str | Sequence[str] | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    potentials: Mapping[str, int] | None = None,
    confidence: float = 0.95,
    measures: Mapping[str, Kind] = MEASURES,
    beside: int = 0,
) -> Comparison:
    """Compare cases that were already simulated.

    Args:
        outcomes: one for each case, all with the same seed and replications.
        pairs: (case, against) of the differences wanted; default every case against every reference. Fewer pairs
            make narrower intervals.
        measures: what is compared.
        beside: intervals formed elsewhere that are to hold together with these.

    Raises:
        InputRefused: see :func:`compare`; a case without outcome, or outcomes that do not pair.
    """
    references = _references(cases, reference)
    check_cases(cases, references)
    check_pairs(cases, outcomes)
    before = _today_outcomes(cases, outcomes)
    measured = {
        name: plan_measures(
            scenario,
            plan_of(scenario),
            outcomes[name],
            name=name,
            potentials=potentials,
            before=before.get(scenario.fingerprint()),
        )
        for name, scenario in cases.items()
    }
    keys = {name: world_key(scenario, plan_of(scenario)) for name, scenario in cases.items()}
    wanted = _pairs(cases, references) if pairs is None else list(pairs)
    differences, comparisons = _differences(measured, keys, wanted, confidence, measures, beside)
    any_outcome = next(iter(outcomes.values()))
    return Comparison(
        cases=tuple(measured.values()),
        references=references,
        differences=differences,
        replications=any_outcome.replications,
        seed=any_outcome.seed,
        confidence=confidence,
        comparisons=comparisons,
    )


def figure(measures: PlanMeasures, measure: str) -> Floats | None:
    """One of :data:`PROVEN_MEASURES`, one value a simulated year; ``None`` where the case lacks it."""
    years = measures.years
    samples = {
        "sales": years.sales,
        "capped": years.capped,
        "attainment": years.attainment,
        "hit_rate": years.hit_rate,
        "chance_of_target": years.made_target,
    }
    return samples[measure]


def _differences(
    measured: Mapping[str, PlanMeasures],
    keys: Mapping[str, WorldKey],
    pairs: Sequence[tuple[str, str]],
    confidence: float,
    measures: Mapping[str, Kind],
    beside: int,
) -> tuple[tuple[Difference, ...], int]:
    """All differences, and how many intervals hold together, those formed elsewhere among them."""
    family: list[tuple[str, str, str, Floats, Floats, bool]] = []
    inferred: set[tuple[Any, ...]] = set()
    for case, reference in pairs:
        for measure in measures:
            a, b = figure(measured[case], measure), figure(measured[reference], measure)
            if a is None or b is None:
                continue
            fixed = keys[case] == keys[reference] and not _depends_on_quotas(measure, measured, case, reference)
            family.append((case, reference, measure, a, b, fixed))
            if not fixed:
                of_plans = (case, reference) if measure not in _OF_SALES_ALONE else ()
                inferred.add((measure, keys[case], keys[reference], *of_plans))
    comparisons = len(inferred) + beside
    rows = []
    for case, reference, measure, a, b, fixed in family:
        if fixed:
            rows.append(Difference(case, reference, measure, same_simulation(len(a), confidence), "equal"))
            continue
        interval, word = difference(a, b, measures[measure], confidence, comparisons)
        saved = variance_ratio(a, b) if len(a) > 1 else None
        rows.append(Difference(case, reference, measure, interval, word, saved))
    return tuple(rows), comparisons


def _depends_on_quotas(measure: str, measured: Mapping[str, PlanMeasures], case: str, reference: str) -> bool:
    """Whether the figure can differ although both are one simulation: quotas are compared with the same sales."""
    if measure in _OF_SALES_ALONE:
        return False
    return [row.quota for row in measured[case].reps] != [row.quota for row in measured[reference].reps]


def _today_outcomes(cases: Mapping[str, Scenario], outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """By world: an outcome in which every account is with today's owner."""
    found: dict[str, Outcome] = {}
    for name, scenario in cases.items():
        if not moved_accounts(scenario, plan_of(scenario)):
            found.setdefault(scenario.fingerprint(), outcomes[name])
    return found


def _references(cases: Mapping[str, Scenario], reference: str | Sequence[str] | None) -> tuple[str, ...]:
    if reference is None:
        return tuple(cases)[:1]
    return (reference,) if isinstance(reference, str) else tuple(dict.fromkeys(reference))


def _pairs(cases: Mapping[str, Scenario], references: Sequence[str]) -> list[tuple[str, str]]:
    """Every case against every reference, two references only once: the same difference must not count twice."""
    return [
        (case, against)
        for at, against in enumerate(references)
        for case in cases
        if case != against and case not in references[:at]
    ]
