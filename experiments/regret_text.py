"""A stress test as lines of text, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.money import Language, headline_scale, plain
from experiments.proof_text import plan_label
from experiments.regret import AS_GIVEN, StressTest
from experiments.words import check_language, word


def regret_text(test: StressTest, language: Language = "en") -> str:
    """The test in lines.

    Raises:
        InputRefused: pages do not exist in this language.
    """
    return "\n".join(_lines(test, check_language(language)))


def world_label(test: StressTest, world: str, language: Language) -> str:
    """How texts call a world; a stress that hits one says whom."""
    told = word(f"stress.{world}", language, draws=test.parameter_draws)
    hit = test.what.get(world, "")
    return word("stress.hits", language, told=told, who=hit) if hit else told


def _lines(test: StressTest, language: Language) -> Iterator[str]:
    scale = headline_scale(int(test.sales.mean()), language, test.currency)
    yield word("stress.heading", language, years=test.sales.shape[2])
    for world in test.worlds:
        yield f"  {world_label(test, world, language)}"
        for plan in test.plans:
            level = test.expected(AS_GIVEN, plan).estimate
            cost = 100 * test.cost(world, plan).estimate / level if level else 0.0
            yield "    " + word(
                "stress.row",
                language,
                plan=plan_label(plan, language),
                sales=scale.text(test.expected(world, plan).estimate),
                cost=f"{plain(cost, 1, signed=True)} %",
                regret=scale.visible(test.regret(world, plan)).text(test.regret(world, plan)),
            )
    for plan in test.plans:
        worst = test.largest_regret(plan)
        unit = scale.visible(worst.estimate)
        yield "  " + word(
            "stress.largest",
            language,
            plan=plan_label(plan, language),
            regret=unit.text(worst.estimate),
            low=unit.text(max(worst.low, 0.0)),
            high=unit.text(worst.high),
        )
    yield word("stress.choice", language, plan=plan_label(test.choice, language))
    fewest = test.moves[test.choice]
    others = [plan for plan in test.as_good if plan != test.choice]
    for key, plans in {
        "stress.as_good": [plan for plan in others if test.moves[plan] <= fewest],
        "stress.as_good_moving": [plan for plan in others if test.moves[plan] > fewest],
    }.items():
        if plans:
            shown = ("、" if language == "zh" else ", ").join(plan_label(plan, language) for plan in plans)
            yield word(key, language, plans=shown)
