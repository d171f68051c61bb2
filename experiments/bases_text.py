"""How much of a quota is the territory and how much the person, in the same words wherever it is told."""

from __future__ import annotations

from experiments.money import Language, Scale, adding_up
from experiments.words import word
from optimize.bases import BasisRow


def bases_text(row: BasisRow, scale: Scale, language: Language) -> str:
    """One rep's quota under each basis, and the person's part, which with the territory's makes the full one."""
    territory, person = adding_up([round(row.opportunity), round(row.skill)], scale)
    return word(
        "explained.bases",
        language,
        opportunity=scale.number(territory),
        blend=scale.number(row.blend),
        full=scale.number(territory + person),
        skill=scale.number(person, signed=True),
    )
