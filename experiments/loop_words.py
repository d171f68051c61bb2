"""What the closed loop says of its steps, put into words: for its page, and for a terminal."""

from __future__ import annotations

from experiments.money import Language
from experiments.words import known, word


def loop_phrase(text: str, language: Language) -> str:
    """A phrase of the loop; names of simple rules and fairness rules in it are put into words too."""
    head, _, name = text.partition(" ")
    if head == "start":
        return known("plan", name, language)
    if head == "breaks" and name.endswith(" as simulated"):
        rule = name.removesuffix(" as simulated").split(" (")[0]
        return word("loop.breaks", language, rule=known("rule", rule, language))
    return word("page.semicolon", language).join(known("loop", part, language) for part in text.split("; "))


def loop_step(text: str, language: Language) -> str:
    """What moves in a step."""
    return word("page.comma", language).join(loop_phrase(part, language) for part in text.split(", "))
