"""A proof as a few lines of text, the verdict first, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from experiments.bounds import Bounds
from experiments.compare_text import difference_line
from experiments.decompose import part_label
from experiments.money import Language, headline_scale, plain
from experiments.proof import TODAY, Proof
from experiments.words import check_language, table, word
from sim.interval import Interval


def proof_text(proof: Proof, language: Language = "en") -> str:
    """The proof in lines.

    Raises:
        InputRefused: pages do not exist in this language.
    """
    return "\n".join(_lines(proof, check_language(language)))


def plan_label(name: str, language: Language) -> str:
    """How texts call a plan: simple rules have names of their own."""
    return word(f"plan.{name}", language) if f"plan.{name}" in table() else name


def _lines(proof: Proof, language: Language) -> Iterator[str]:
    names = {"plan": plan_label(proof.plan, language), "rule": plan_label(proof.best_rule, language)}
    verdict = {"proven gain": "proof.proven", "no proven gain": "proof.not_proven", "worse": "proof.worse"}
    yield word(verdict[proof.verdict], language, **names)
    chosen = plan_label(proof.recommended, language)
    yield word("proof.recommended" if proof.recommended == proof.plan else "proof.simpler", language, plan=chosen)
    if proof.too_good:
        yield word("proof.too_good", language, gain=f"{plain(100 * proof.relative_gain, 1, signed=True)} %")
    compared = proof.comparison
    confidence = f"{100 * compared.confidence:g} %"
    yield word(
        "proof.heading",
        language,
        years=compared.replications,
        confidence=confidence,
        together=compared.comparisons,
    )
    currency = compared.cases[0].currency
    for rival in dict.fromkeys((*proof.best_rules.values(), TODAY)):
        rows = [row for row in compared.differences if (row.case, row.against) == (proof.plan, rival)]
        if rows:
            best_in = [measure for measure, name in proof.best_rules.items() if name == rival]
            told = "".join(word(f"proof.best_by_{measure}", language) for measure in best_in)
            label = plan_label(rival, language) + told
            yield "  " + word("proof.against", language, plan=names["plan"], rival=label)
            yield from (f"    {difference_line(row, language, currency)}" for row in rows)
    if proof.rule_breakers:
        shown = ("、" if language == "zh" else ", ").join(
            plan_label(name, language) for name in compared_names(proof) if name in proof.rule_breakers
        )
        yield "  " + word("proof.breakers", language, plans=shown)
    yield from (f"  {line}" for line in _details(proof, language, names))


def compared_names(proof: Proof) -> tuple[str, ...]:
    """The plans of a proof in their order."""
    return tuple(case.name for case in proof.comparison.cases)


def _details(proof: Proof, language: Language, names: dict[str, str]) -> Iterator[str]:
    if proof.fairer:
        figures = {
            "spread": _points(proof.fairer["spread_of_chances"]),
            "chance": _points(proof.fairer["lowest_chance"]),
            "capped": _points(proof.fairer["lowest_capped"]),
        }
        yield word("proof.fairness", language, **names, **figures)
    yield word("proof.steps", language)
    currency = proof.comparison.cases[0].currency
    for step in (*proof.steps.steps, proof.steps.total):
        rows = [row for row in (step.sales, step.capped) if row is not None]
        told = "; ".join(difference_line(row, language, currency) for row in rows)
        yield f"  {part_label(step.part, language)}: {told}"
    for name, found in proof.optimism.items():
        line = word("proof.optimism", language, plan=plan_label(name, language), gap=_share(found.gap))
        if found.without_luck is not None:
            line += "; " + word("proof.without_luck", language, gap=_share(found.without_luck))
        yield line
    if proof.uncertainty is not None:
        gain, years = proof.uncertainty
        scale = headline_scale(int(years.mean.estimate), language, currency)
        shift = 100 * years.shift.estimate / years.mean.estimate if years.mean.estimate else 0.0
        yield word(
            "proof.parameters",
            language,
            shift=f"{plain(shift, 1, signed=True)} %",
            promised=scale.text(gain.promised.estimate, signed=True),
            left=scale.text(gain.under_errors.estimate, signed=True),
            wins=round(gain.better_in.estimate * gain.draws),
            draws=gain.draws,
        )
    yield from bound_texts(proof.bounds, language)
    yield word("proof.ceiling", language)


def bound_texts(bounds: Bounds, language: str) -> Iterator[str]:
    """How far the quotas can be from the best, and the plan within the fitted programme, or why it is not said."""
    if (quotas := bounds.quotas) is None:
        yield word("proof.no_bound", language, why=_why(bounds.no_quotas, language))
    else:
        upper = f"{plain(100 * quotas.upper, 2)} %"
        yield word("proof.bound", language, upper=upper, batches=quotas.batches, years=quotas.years)
    if (programme := bounds.programme) is None:
        yield word("proof.no_programme", language, why=_why(bounds.no_programme, language))
    else:
        upper = f"{plain(100 * programme.upper, 2)} %"
        key = "proof.programme_sales" if programme.sales else "proof.programme"
        yield word(key, language, upper=upper, batches=programme.batches, years=programme.years)


def _why(missing: str, language: str) -> str:
    return word(f"proof.{missing}", language) if f"proof.{missing}" in table() else missing


def _share(interval: Interval) -> str:
    """``+0.12 % [-0.30, +0.54]``."""
    low, middle, high = (_hundredths(value) for value in (interval.low, interval.estimate, interval.high))
    return f"{middle} % [{low}, {high}]"


def _points(interval: Interval) -> str:
    """``+1.2 pt [+0.3, +2.1]``."""
    low, middle, high = (
        plain(100 * value, 1, signed=True) if isfinite(value) else "?"
        for value in (interval.low, interval.estimate, interval.high)
    )
    return f"{middle} pt [{low}, {high}]"


def _hundredths(share: float) -> str:
    return plain(100 * share, 2, signed=True) if isfinite(share) else "?"
