"""What fresh years say about a plan: the verdict, and the figures that it rests on.

=====================  ============================================================================================
verdict                evidence
=====================  ============================================================================================
``proven gain``        sales or capped attainment above the best rule's and above today's, and neither below
``worse``              sales or capped attainment below the best rule's, and neither above
``no proven gain``     all else: an interval that includes zero proves nothing; the simpler plan is recommended
=====================  ============================================================================================

Where no simple rule is within the fairness rules, today's plan is compared with alone: what breaks the rules neither
takes a gain away nor is recommended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from experiments.bounds import Bounds
from experiments.compare import Comparison
from experiments.decompose import Decomposition
from experiments.fair_measures import FairMeasures
from experiments.measures import PlanMeasures
from experiments.money import Language
from experiments.optimism import Optimism
from experiments.pairs import Difference
from experiments.uncertainty import GainRange, YearRange
from sim.interval import Interval

TODAY = "today"
TOO_GOOD = 0.08
"""Better allocation brings 2 to 8 % of sales (Zoltners and Lorimer 2000, Journal of Personal Selling & Sales Management
20, 139-150): more hints at a bad input."""

ROBUST_SHARE = 0.8
"""Of plausible worlds in which a plan must be expected to lead before its gain in sales is acted on."""

OBJECTIVES = ("sales", "capped")
"""The measures that decide; the others are shown."""

Verdict = Literal["proven gain", "no proven gain", "worse"]


@dataclass(frozen=True)
class Proof:
    """A plan on fresh years; see the module for the verdict.

    Attributes:
        plan: name of the plan that is proved or not.
        comparison: it against today's plan and every rule, and the best rules against all of these; one family of
            intervals.
        rules: names of the simple rules that compete: those within the fairness rules; where none is, those that break
            the fewest, see :attr:`outside`.
        best_rules: by objective, the best of them, with hindsight.
        rule_breakers: plans that break a fairness rule: listed, not competed with.
        fairness: of each plan; plans without quotas are left out.
        fairer: rival -> figure -> the plan's less the rival's; of the same family of intervals.
        optimism: plan -> promised against simulated.
        steps: where the gain over today's plan comes from, step by step.
        bounds: how far the plan can be from the best, its quotas and within the fitted programme.
        uncertainty: gain over the rule that sells most and year range when parameters may be wrong; ``None`` if not
            assessed.
        worlds: distinct worlds simulated, each of ``comparison.replications`` years.
    """

    plan: str
    comparison: Comparison = field(repr=False)
    rules: tuple[str, ...]
    best_rules: Mapping[str, str]
    rule_breakers: frozenset[str]
    fairness: Mapping[str, FairMeasures] = field(repr=False)
    fairer: Mapping[str, Mapping[str, Interval]]
    optimism: Mapping[str, Optimism]
    steps: Decomposition
    bounds: Bounds
    uncertainty: tuple[GainRange, YearRange] | None
    worlds: int

    @property
    def best_rule(self) -> str:
        """The simple rule that sells most."""
        return self.best_rules["sales"]

    @property
    def outside(self) -> bool:
        """Whether no simple rule is within the fairness rules: the best rule is the nearest, and decides nothing."""
        return self.best_rule in self.rule_breakers

    @property
    def ceiling(self) -> str:
        """What is known of the best plan there could be: nothing that would hold for the simulated optimum."""
        return "unknown"

    def gain(self, measure: str = "sales", against: str | None = None) -> Difference:
        """The plan's gain in a measure over another plan; default over the best rule in this measure.

        Raises:
            InputRefused: not compared.
        """
        rival = self.best_rules.get(measure, self.best_rule) if against is None else against
        return self.comparison.difference(self.plan, measure, rival)

    @property
    def verdict(self) -> Verdict:
        """See the table above."""
        rivals = dict.fromkeys(OBJECTIVES, TODAY) if self.outside else self.best_rules
        over_rule = self._signs(self.plan, rivals)
        if _better(over_rule) and _better(self._signs(self.plan, dict.fromkeys(OBJECTIVES, TODAY))):
            return "proven gain"
        return "worse" if -1 in over_rule and 1 not in over_rule else "no proven gain"

    @property
    def recommended(self) -> str:
        """The plan itself where its gain is proven and parameter errors do not undo it, else the simplest as good.

        That is the simplest plan that is proven worse neither than the best rule nor than the plan, looked for among
        today's plan and the rules within the fairness rules; the simplest moves the fewest accounts, then trains the
        fewest hours; of today's quotas and new ones with the same owners, those within the fairness rules are taken,
        then those that sell more, then those of higher capped attainment. Where all are proven worse it is the plan
        itself, or the best rule where the plan's gain is fragile or the plan is worse. A rule outside the fairness
        rules is never recommended.
        """
        if self.verdict == "proven gain" and not self.fragile:
            return self.plan
        equals = [
            case
            for case in self.comparison.cases
            if case.name in {TODAY, *(() if self.outside else self.rules)}
            and (self.outside or 1 not in self._signs_of_the_best(case.name))
            and not _better(self._signs(self.plan, dict.fromkeys(OBJECTIVES, case.name)))
        ]
        if not equals:
            kept = self.outside or (self.verdict == "no proven gain" and not self.fragile)
            return self.plan if kept else self.best_rule

        def simplicity(case: PlanMeasures) -> tuple[int, float, bool, float, float]:
            hours, capped = sum(rep.training_hours for rep in case.reps), case.capped_attainment
            reached = 0.0 if capped is None else capped.estimate
            return case.moves, hours, case.name in self.rule_breakers, -case.expected_sales.estimate, -reached

        return min(equals, key=simplicity).name

    @property
    def fragile(self) -> bool:
        """Whether a gain in sales over the best rule is lost in too many plausible worlds; see the limit above.

        False where nothing was drawn, where no sales are gained that could be lost, or where no rule is within the
        fairness rules.
        """
        if (
            self.uncertainty is None
            or self.outside
            or self.gain().word == "equal"
            or not self.gain().interval.estimate > 0
        ):
            return False
        return self.uncertainty[0].chance_ahead < ROBUST_SHARE

    @property
    def relative_gain(self) -> float:
        """Sales above those of the rule that sells most, as a share of the rule's; 0 where the rule sells nothing."""
        level = self.comparison[self.best_rule].expected_sales.estimate
        return self.gain().interval.estimate / level if level > 0 else 0.0

    @property
    def too_good(self) -> bool:
        """Whether the gain is so large that the inputs should be checked before anything is believed."""
        return self.relative_gain > TOO_GOOD

    def summary(self, language: Language = "en") -> str:
        """The proof in a few lines, the verdict first."""
        from experiments.proof_text import proof_text

        return proof_text(self, language)

    def __str__(self) -> str:
        return self.summary()

    def _signs_of_the_best(self, rival: str) -> list[int]:
        """For each objective, the sign of the best rule in it against another plan."""
        found = {(row.case, row.measure, row.against): row for row in self.comparison.differences}
        return [_sign(found.get((self.best_rules[measure], measure, rival))) for measure in OBJECTIVES]

    def _signs(self, case: str, rivals: Mapping[str, str]) -> list[int]:
        """For each objective: 1 proven above its rival, -1 proven below, 0 neither."""
        found = {(row.case, row.measure, row.against): row for row in self.comparison.differences}
        return [_sign(found.get((case, measure, rivals[measure]))) for measure in OBJECTIVES]


def _sign(row: Difference | None) -> int:
    """1 proven above zero, -1 proven below, 0 neither or not compared."""
    if row is None or row.word != "proven":
        return 0
    return 1 if row.interval.estimate > 0 else -1


def _better(signs: list[int]) -> bool:
    return 1 in signs and -1 not in signs
