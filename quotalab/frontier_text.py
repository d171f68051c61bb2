"""The cost of a fairness rule in lines for a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from experiments.frontier import Frontier, FrontierPoint, Judged
from experiments.money import Language, plain
from experiments.words import word
from quotalab.columns import aligned
from quotalab.told_words import rule_named
from quotalab.trade_text import trade_lines

COLUMNS = ("value", "cost", "hit_rate", "spread", "lowest", "gini", "remark")


def frontier_text(found: Frontier, language: Language) -> str:
    """A row a value of the rule, then what can be told of the whole, and what the sum of quotas buys."""
    return "\n".join([*_points(found, language), *_whole(found, language)])


def _points(found: Frontier, language: Language) -> Iterator[str]:
    yield word("frontier.heading", language, rule=rule_named(found.rule, language), name=found.rule)
    rows = [[word(f"frontier.{column}", language) for column in COLUMNS]]
    rows += [_row(found, point, language) for point in (*found.points, found.off)]
    yield from (f"  {line}" for line in aligned(rows, texts=(len(COLUMNS) - 1,)))


def _row(found: Frontier, point: FrontierPoint, language: Language) -> list[str]:
    name = word("frontier.off", language) if point.value is None else f"{point.value:g}"
    if point.judged is None:
        held = "held" if found.method == "quotas" else "none"
        return [name, _undecided(point, language) or word(f"frontier.{held}", language)]
    return [name, *_figures(point.judged), _remark(found, point, language)]


def _figures(one: Judged) -> list[str]:
    return [
        f"{plain(100 * one.cost.estimate, 2)} ±{_half(one)}",
        f"{plain(100 * one.hit_rate.estimate, 1)} %",
        plain(100 * one.spread_of_chances.estimate, 1),
        f"{plain(100 * one.lowest_chance.estimate, 0)} %",
        "-" if one.gini is None else plain(one.gini, 3),
    ]


def _half(one: Judged) -> str:
    return plain(100 * one.cost.half_width, 2) if isfinite(one.cost.half_width) else "∞"


def _remark(found: Frontier, point: FrontierPoint, language: Language) -> str:
    """What marks a point: the scenario's own value, the knee, and that nothing better is excluded."""
    said = []
    if point.value is not None and point.value == found.present:
        said.append(word("frontier.present", language))
    if found.knee is not None and point.value == found.knee:
        said.append(word("frontier.knee", language))
    if point.status == "stopped":
        least, most = 100 * (point.model_capped or 0.0), 100 * (point.at_most or 1.0)
        said.append(word("frontier.stopped", language, least=plain(least, 2), most=plain(most, 2)))
    return word("page.semicolon", language).join(said)


def _undecided(point: FrontierPoint, language: Language) -> str:
    """What is known where the search ended with no plan; empty where it ended otherwise."""
    if not point.undecided:
        return ""
    told = word("frontier.undecided", language)
    if point.at_most is None:
        return told
    return told + word("frontier.at_most", language, most=plain(100 * point.at_most, 2))


def _whole(found: Frontier, language: Language) -> Iterator[str]:
    costs = [point.judged.cost for point in found.points if point.judged is not None]
    if costs and all(cost.low <= 0 <= cost.high for cost in costs):
        yield word("frontier.noise" if found.knee is None else "frontier.noise_knee", language)
    if found.no_knee is not None:
        yield word(f"frontier.no_knee_{found.no_knee}", language)
    if found.absolute:
        told = {
            f"{one.scheme}{end}": f"{plain(100 * share, 1)} %"
            for one in found.absolute
            for end, share in (("", one.measured), ("_worst", one.worst))
        }
        yield word("frontier.absolute", language, people=found.absolute[0].people, **told)
    if found.trade is not None:
        yield from trade_lines(found.trade, language)
