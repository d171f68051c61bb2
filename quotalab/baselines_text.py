"""Plans of simple rules in lines for a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.money import Language, Scale, table_scale
from experiments.words import listed, word
from optimize.baselines.plans import Baseline
from quotalab.columns import aligned
from quotalab.tables import Judged
from quotalab.told_words import basis, named, rule_named, who
from scenarios.scenario import Scenario

COLUMNS = ("name", "sales", "capped", "split", "breaks")


def baselines_text(found: Judged, world: Scenario, language: Language) -> str:
    """A row a simple rule: what it is called, what it brings in the model, and the rules of the request it breaks."""
    return "\n".join(_lines(found, world, language))


def _lines(found: Judged, world: Scenario, language: Language) -> Iterator[str]:
    scale = table_scale(int(max(one.model_sales for one in found.values())), language, world.currency)
    yield word("simple.heading", language, unit=scale.name, basis=basis(world, language))
    rows = [[word(f"simple.{column}", language) for column in COLUMNS]]
    rows += [_row(name, one, scale, language) for name, one in found.items()]
    yield from (f"  {line}" for line in aligned(rows, texts=(0, len(COLUMNS) - 1)))


def _row(name: str, one: Baseline, scale: Scale, language: Language) -> list[str]:
    best = one.best_split_value
    split = word("simple.none", language) if best is None or best != best else scale.number(best)
    called = named("plan", name, language)
    label = name if called == name else f"{name} {called}"
    return [label, scale.number(one.model_sales), scale.number(one.model_value), split, _broken(one, language)]


def _broken(one: Baseline, language: Language) -> str:
    """Each rule that is broken, and on whom."""
    told = [
        word(
            "told.about",
            language,
            rule=rule_named(rule, language),
            who=listed([who(subject, language) for subject in subjects], language),
        )
        for rule, subjects in one.breaks.items()
    ]
    return word("page.semicolon", language).join(told)
