"""A proof as a few lines of text, the verdict first, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from experiments.bounds import Bounds
from experiments.compare_text import LABELS, difference_line
from experiments.decompose import part_label
from experiments.error_text import error_text, of_hundred, rival_word
from experiments.money import Language, headline_scale, plain
from experiments.proof import OBJECTIVES, TODAY, Proof
from experiments.uncertainty import as_share
from experiments.words import check_language, table, word
from sim.interval import Interval


def proof_text(proof: Proof, language: Language = "en") -> str:
    """The proof in lines.

    Raises:
        InputRefused: pages do not exist in this language.
    """
    spoken = check_language(language)
    bounds = [*bound_texts(proof.bounds, spoken), word("proof.ceiling", spoken)]
    return "\n".join([*proof_lines(proof, spoken), *(f"  {line}" for line in bounds)])


def plan_label(name: str, language: Language) -> str:
    """How texts call a plan: simple rules have names of their own."""
    return word(f"plan.{name}", language) if f"plan.{name}" in table() else name


def proof_lines(proof: Proof, language: Language) -> Iterator[str]:
    """The same without the bounds."""
    names = {"plan": plan_label(proof.plan, language), "best": rival_word(language, outside=proof.outside)}
    over = word("proof.alone" if proof.outside else "proof.over", language, rule=plan_label(proof.best_rule, language))
    verdict = {"proven gain": "proof.proven", "no proven gain": "proof.not_proven", "worse": "proof.worse"}
    yield word(verdict[proof.verdict], language, over=over, **names)
    if proof.verdict == "proven gain" and proof.fragile and proof.uncertainty is not None:
        yield word("proof.fragile", language, ahead=of_hundred(proof.uncertainty[0].chance_ahead), **names)
    chosen = plan_label(proof.recommended, language)
    yield word("proof.recommended" if proof.recommended == proof.plan else "proof.simpler", language, plan=chosen)
    if proof.too_good:
        gain = f"{plain(100 * proof.relative_gain, 1, signed=True)} %"
        yield word("proof.too_good", language, gain=gain, best=names["best"])
    yield _errors(proof, language)
    compared = proof.comparison
    confidence = f"{100 * compared.confidence:g} %"
    yield word(
        "proof.heading",
        language,
        years=compared.replications,
        confidence=confidence,
        together=compared.comparisons,
    )
    yield from (f"  {line}" for line in _against(proof, language, names))
    if proof.rule_breakers:
        shown = ("、" if language == "zh" else ", ").join(
            plan_label(name, language) for name in compared_names(proof) if name in proof.rule_breakers
        )
        yield "  " + word("proof.breakers", language, plans=shown)
    yield from (f"  {line}" for line in _details(proof, language))


def _against(proof: Proof, language: Language, names: dict[str, str]) -> Iterator[str]:
    """The plan against the best rule and today's in every measure, against each other rule in those that decide."""
    rows = [row for row in proof.comparison.differences if row.case == proof.plan]
    currency = proof.comparison.cases[0].currency
    main = dict.fromkeys((proof.best_rule, TODAY))
    for rival in main:
        if not (own := [row for row in rows if row.against == rival]):
            continue
        chosen = "proof.nearest" if proof.outside else "proof.best_by_sales"
        told = word(chosen, language) if rival == proof.best_rule else ""
        yield word("proof.against", language, plan=names["plan"], rival=plan_label(rival, language) + told)
        yield from (f"  {difference_line(row, language, currency)}" for row in own)
        if rival in proof.fairer:
            yield "  " + word("proof.fairness", language, **_fairness(proof.fairer[rival]))
    others = [name for name in dict.fromkeys(row.against for row in rows) if name not in main]
    if others:
        yield word("proof.others", language, plan=names["plan"])
    for rival in others:
        own = [row for row in rows if row.against == rival and row.measure in OBJECTIVES]
        shown = word("page.semicolon", language).join(difference_line(row, language, currency) for row in own)
        marked = rival == proof.best_rules["capped"] and not proof.outside
        told = word("proof.best_by_capped", language) if marked else ""
        yield f"  {plan_label(rival, language)}{told}: {shown}"


def _fairness(found: Mapping[str, Interval]) -> dict[str, str]:
    return {
        "spread": _points(found["spread_of_chances"]),
        "chance": _points(found["lowest_chance"]),
        "capped": _points(found["lowest_capped"]),
    }


def _errors(proof: Proof, language: Language) -> str:
    if proof.uncertainty is None:
        return word("sure.errors_none", language)
    gain, years = proof.uncertainty
    cost = as_share(years.shift, years.mean.estimate)
    if cost is None:
        return word("sure.errors_none", language)
    scale = headline_scale(round(abs(gain.under_errors.estimate)), language, proof.comparison.cases[0].currency)
    left = None if proof.gain().word == "equal" else gain.under_errors
    return error_text(cost, left, gain.chance_ahead, years.sources, scale, language, outside=proof.outside)


def compared_names(proof: Proof) -> tuple[str, ...]:
    """The plans of a proof in their order."""
    return tuple(case.name for case in proof.comparison.cases)


def _details(proof: Proof, language: Language) -> Iterator[str]:
    between = word("page.semicolon", language)
    yield word("proof.steps", language)
    currency = proof.comparison.cases[0].currency
    for step in (*proof.steps.steps, proof.steps.total):
        rows = [row for row in (step.sales, step.capped) if row is not None]
        told = between.join(difference_line(row, language, currency) for row in rows)
        yield f"  {part_label(step.part, language)}: {told}"
    for name, found in proof.optimism.items():
        named = {"plan": plan_label(name, language), "measure": LABELS[found.objective][language == "zh"]}
        line = word("proof.optimism", language, **named, gap=_share(found.gap))
        if found.without_luck is not None:
            line += between + word("proof.without_luck", language, gap=_share(found.without_luck))
        yield line


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
