"""One finding of a diagnosis: about whom or what, in both languages, with its figures and how strong they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Strength = Literal["strong", "moderate", "weak", "none"]
_ORDER = {"strong": 0, "moderate": 1, "weak": 2, "none": 3}


@dataclass(frozen=True)
class Finding:
    """One thing that a diagnosis says.

    Attributes:
        kind: stable machine name, e.g. ``overloaded``.
        subject: id of the rep, stage or other thing it is about; ``company`` for the whole.
        english, chinese: the same sentences in both languages.
        strength: ``strong``, ``moderate``, ``weak``, or ``none`` where the data show no difference.
        evidence: the figures behind it, by name; money in minor units, shares from 0 to 1.
    """

    kind: str
    subject: str
    english: str
    chinese: str
    strength: Strength
    evidence: dict[str, float] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The sentences in ``zh`` or, for any other value, in English."""
        return self.chinese if language == "zh" else self.english


def strongest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by strength; within one strength in the order given."""
    return sorted(findings, key=lambda finding: _ORDER[finding.strength])
