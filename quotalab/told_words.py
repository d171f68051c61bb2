"""Names in sentences for a terminal: metrics, levels and plans in English as a scenario writes them, rules by words."""

from __future__ import annotations

from experiments.money import Language
from experiments.words import exceptions, known, listed, phrase, word
from scenarios.scenario import Scenario


def named(section: str, text: str, language: Language) -> str:
    """A name or phrase of the machine: itself in English, so that it can be given back to a command."""
    return known(section, text, language) if language == "zh" else text


def rule_named(rule: str, language: Language) -> str:
    """A rule as people call it."""
    return known("rule", rule, language)


def metric_named(metric: str, language: Language) -> str:
    """A metric; revenue whatever the basis of the scenario's money."""
    return word("told.revenue", language) if metric == "revenue" else named("metric", metric, language)


def who(subject: str, language: Language) -> str:
    """Whom a rule is about."""
    return word("told.company", language) if subject == "company" else subject


def joined(items: list[str], language: Language) -> str:
    """All items, in a row."""
    return ("、" if language == "zh" else ", ").join(items)


def gives_way(text: str, language: Language) -> str:
    """A total that gives way to locks."""
    return _by_words("gives_way", text, language)


def excepted(rule: str, subjects: list[str], why: str, language: Language) -> str:
    """A rule that gives way for one reason on several, the first of them by name."""
    whom = listed([who(subject, language) for subject in subjects], language)
    fields = {"rule": rule_named(rule, language), "who": whom, "why": exceptions(why, language)}
    return word("told.gives_way", language, **fields)


def basis(world: Scenario, language: Language) -> str:
    """What an amount of sales is in this world: signed value or the like, with or without VAT."""
    vat = word("strip.with_vat" if world.vat_included else "strip.without_vat", language)
    return word(f"strip.{world.money_basis}", language) + word("page.comma", language) + vat


def noted(text: str, language: Language) -> str:
    """A note of the allocator."""
    return _by_words("note", text, language)


def _by_words(section: str, text: str, language: Language) -> str:
    """A sentence of the allocator; metrics and rules in it by their words."""
    key, fields = phrase(section, text)
    if key is None:
        return text
    if "metric" in fields:
        fields["metric"] = metric_named(fields["metric"], language)
    if "why" in fields:
        fields["why"] = exceptions(fields["why"], language)
    if "rule" in fields:
        fields["rule"] = rule_named(fields["rule"], language)
    return word(key, language, **fields)
