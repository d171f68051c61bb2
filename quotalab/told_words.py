"""Names in sentences for a terminal: as they are written in a scenario in English, in Chinese by their words."""

from __future__ import annotations

from experiments.money import Language
from experiments.words import exceptions, known, phrase, word
from optimize.audit import RuleRow


def named(section: str, text: str, language: Language) -> str:
    """A name or phrase of the machine: itself in English, so that it can be given back to a command."""
    return known(section, text, language) if language == "zh" else text


def metric_named(metric: str, language: Language) -> str:
    """A metric; revenue whatever the basis of the scenario's money."""
    return word("told.revenue", language) if metric == "revenue" else named("metric", metric, language)


def who(subject: str, language: Language) -> str:
    """Whom a rule is about."""
    return word("who.company", language) if language == "zh" and subject == "company" else subject


def joined(items: list[str], language: Language) -> str:
    """All items, in a row."""
    return ("、" if language == "zh" else ", ").join(items)


def gives_way(text: str, language: Language) -> str:
    """A total that gives way to locks."""
    return _by_words("gives_way", text, language)


def excepted(row: RuleRow, language: Language) -> str:
    """A rule that gives way, or is set aside, on somebody."""
    why = exceptions(row.exception, language) if language == "zh" else row.exception
    rule, whom = named("rule", row.rule, language), who(row.subject, language)
    return word("told.gives_way", language, rule=rule, who=whom, why=why)


def noted(text: str, language: Language) -> str:
    """A note of the allocator."""
    return _by_words("note", text, language)


def _by_words(section: str, text: str, language: Language) -> str:
    """A sentence of the allocator; metrics and rules in it by their words."""
    key, fields = phrase(section, text)
    if language == "en" or key is None:
        return text
    if "metric" in fields:
        fields["metric"] = metric_named(fields["metric"], language)
    if "why" in fields:
        fields["why"] = exceptions(fields["why"], language)
    if "rule" in fields:
        fields["rule"] = named("rule", fields["rule"], language)
    return word(key, language, **fields)
