"""An explanation of quotas in lines for a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiments.bases_text import bases_text
from experiments.money import Language, Scale, adding_up, currency_word, rate, table_scale
from experiments.words import exceptions, word
from optimize.explanation import Explanation
from optimize.levers import Lever
from optimize.loosening_worth import TOTALS
from optimize.prices import Price
from optimize.rule_words import MONEY, UNITS_CHINESE
from quotalab.told_words import basis, joined, named, rule_named, who
from scenarios.scenario import Scenario

STILL = 1e-5
"""Share of a quota below which a lever is said not to move it."""


def explanation_text(
    found: Explanation, reps: Sequence[str], world: Scenario, language: Language, *, levers: bool = True
) -> str:
    """Each rep's bars, bases, binding rules and levers, then what loosening the rules is worth.

    Args:
        reps: whose quotas are told.
        levers: whether what would change each of them is told too.
    """
    return "\n".join(_lines(found, reps, world, language, levers=levers))


def _lines(
    found: Explanation, reps: Sequence[str], world: Scenario, language: Language, *, levers: bool
) -> Iterator[str]:
    scale = table_scale(sum(found.plan.quotas().values()), language, world.currency)
    yield word("explained.unit", language, unit=scale.name, basis=basis(world, language))
    for rep in reps:
        yield word("explained.quota", language, rep=rep, quota=scale.number(found.plan.quotas().get(rep, 0)))
        for line in _of_rep(found, rep, scale, language, levers=levers):
            yield f"  {line}"
    for price in sorted(found.prices.values(), key=lambda one: -one.value):
        yield from _worth(price, world.currency, language)


def _worth(price: Price, currency: str, language: Language) -> Iterator[str]:
    """What a rule's loosening brings; of sums of quotas, what one more of each does."""
    unit = UNITS_CHINESE.get(price.unit, price.unit) if language == "zh" else price.unit
    unit, rule = currency_word(language, currency) if price.unit == MONEY else unit, rule_named(price.rule, language)
    if price.rule in TOTALS:
        for subject, value in price.by_subject.items():
            if not value:
                continue
            about = word("told.about", language, rule=rule, who=who(subject, language))
            worth = rate(value, language, currency, signed=True)
            yield word("explained.total", language, unit=unit, rule=about, worth=worth)
    elif price.value >= 0.5:
        worth = rate(price.value, language, currency)
        said = word("explained.worth", language, rule=rule, unit=unit, worth=worth)
        yield said if price.rule == "equal_odds" else word("explained.rate", language, worth=said)


def _of_rep(found: Explanation, rep: str, scale: Scale, language: Language, *, levers: bool) -> Iterator[str]:
    bars = [(factor, minor) for factor, minor in found.waterfall.get(rep, ()) if minor]
    shown = adding_up([minor for _, minor in bars], scale)
    parts = [
        f"{named('factor', one, language)} {scale.number(minor)}" for (one, _), minor in zip(bars, shown, strict=True)
    ]
    yield "= " + joined(parts, language)
    locked = any(lever.rep == rep and lever.factor == "lock" for lever in found.levers)
    for row in found.bases:
        if row.rep == rep and not locked:
            yield bases_text(row, scale, language)
    biting = [rule_named(row.rule, language) for row in found.rules if row.subject == rep and row.binding]
    if biting:
        yield word("explained.binding", language, rules=joined(biting, language))
    for lever in found.levers:
        if lever.rep == rep and (levers or lever.factor == "lock"):
            yield _lever(lever, scale, language)


def _lever(lever: Lever, scale: Scale, language: Language) -> str:
    if lever.factor == "lock":
        return word("explained.lock", language, told=exceptions(lever.told, language))
    way, moves = f"{100 * lever.share:+.3g} %", f"{100 * lever.moves:+.3g}"
    if lever.factor == "account":
        return word("explained.account", language, way=way, told=named("lever", lever.told, language), moves=moves)
    rule = lever.factor == "rule"
    what = rule_named(lever.subject, language) if rule else named("lever", lever.factor, language)
    if lever.needed is None or lever.now is None:
        if abs(lever.moves) < STILL:
            return word("explained.still", language, way=way, what=what)
        return word("explained.short", language, way=way, what=what, moves=moves)
    needed, now = (_number(value, lever.unit, scale) for value in (lever.needed, lever.now))
    return word("explained.needed", language, way=way, what=what, needed=needed, now=now)


def _number(value: float, unit: str, scale: Scale) -> str:
    if unit == "currency":
        return scale.number(value)
    return f"{100 * value:.4g} %"
