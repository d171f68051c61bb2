"""What errors of the parameters cost, in one sentence of the first page and of a proof."""

from __future__ import annotations

from math import floor

from experiments.money import Language, Scale, plain
from experiments.parameter_error import ErrorSources
from experiments.words import word
from sim.interval import Interval


def error_text(
    cost: Interval,
    left: Interval | None,
    chance_ahead: float,
    sources: ErrorSources,
    scale: Scale,
    language: Language,
    *,
    outside: bool = False,
) -> str:
    """Where the spreads come from, the change of expected sales, and what is left of the gain over the best rule.

    Args:
        cost: change of expected sales as a share of them.
        left: gain over the rule when the parameters err, minor units; ``None`` where plan and rule are one simulation.
        chance_ahead: share of plausible worlds in which the plan expects to sell more.
        outside: whether no simple rule is within the fairness rules, and this one the nearest.
    """
    told = word(
        "sure.errors_cost",
        language,
        sources=_sources(sources, language),
        cost=f"{plain(100 * cost.estimate, 1, signed=True)}%",
        low=f"{plain(100 * cost.low, 1, signed=True)}%",
        high=f"{plain(100 * cost.high, 1, signed=True)}%",
    )
    if left is None:
        return told + word("sure.errors_same", language, best=rival_word(language, outside=outside))
    return told + word(
        "sure.errors_left",
        language,
        left=scale.text(left.estimate, signed=True),
        low=scale.number(left.low, signed=True),
        high=scale.number(left.high, signed=True),
        ahead=of_hundred(chance_ahead),
        best=rival_word(language, outside=outside),
    )


def rival_word(language: Language, *, outside: bool) -> str:
    """What the simple rule is called that a plan is compared with; ``outside`` where none is within the rules."""
    return word("page.nearest_rule" if outside else "page.best_rule", language)


def of_hundred(chance: float) -> int:
    """In how many of 100 plausible worlds; rounded down, so that what is too rare never looks as if it sufficed."""
    return floor(100 * chance + 1e-9)


def _sources(sources: ErrorSources, language: Language) -> str:
    kind = "stated" if not sources.measured else "both" if sources.stated else "measured"
    return word(f"sure.sources_{kind}", language, measured=sources.measured, stated=sources.stated)
