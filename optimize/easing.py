"""A request with rules that give way as a planner would change their numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimize.pairs import Pairs, as_pairs
from optimize.problem import AllocationProblem
from optimize.rules import rule_name
from scenarios.errors import Said
from scenarios.goals import FairnessRule

Change = Callable[[AllocationProblem], AllocationProblem]
"""What a planner changes in a request."""


@dataclass(frozen=True)
class Way:
    """Something that a planner may change so that a request has a plan.

    Attributes:
        said: in words.
        change: of the request; None where it cannot be made in the request as it is formulated.
    """

    said: Said
    change: Change | None


FIELDS = {
    "potential_band": ("tolerance", 1.0),
    "growth_cap": ("cap", 1.0),
    "growth_floor": ("floor", -1.0),
    "min_expected_attainment": ("share", -1.0),
    "min_chance": ("chance", -1.0),
    "workload_maximum": ("maximum", 1.0),
    "workload_minimum": ("minimum", -1.0),
    "training_floor": ("hours", -1.0),
    "equal_odds": ("width", 1.0),
    "spread": ("maximum", 1.0),
    "worst_off": ("minimum", -1.0),
    "gini": ("maximum", 1.0),
    "group_parity_team": ("tolerance", 1.0),
    "group_parity_region": ("tolerance", 1.0),
    "group_parity_tenure": ("tolerance", 1.0),
    "group_parity_level": ("tolerance", 1.0),
}
"""The number of each rule on quotas, workload and training, and the direction in which it gives way."""
LEAST = {"growth_floor": -1.0}
MOST = {"equal_odds": 1.0, "workload_maximum": 1.0, "gini": 1.0}
"""Beyond these a rule's number says nothing more."""


def tightest(problem: AllocationProblem, name: str) -> FairnessRule:
    """The rule of a name that asks the most, where several do."""
    named = [rule for rule in problem.rules if name in rule_name(rule)]
    field, sign = FIELDS[name]
    return min(named, key=lambda rule: sign * float(getattr(rule, field)))


def farthest(problem: AllocationProblem, name: str) -> float:
    """By how much a rule can give way before it says nothing more, in its own number; infinite where it always does."""
    if name not in FIELDS or not any(name in rule_name(rule) for rule in problem.rules):
        return math.inf
    field, sign = FIELDS[name]
    at = float(getattr(tightest(problem, name), field))
    return at - LEAST.get(name, 0.0) if sign < 0 else MOST.get(name, math.inf) - at


def eased(name: str, amount: float) -> Change | None:
    """The change that lets a rule give way by an amount in its own number; None where it has none in the request."""
    if name in FIELDS:
        return lambda problem: problem.with_rules(tuple(_moved(rule, name, amount) for rule in problem.rules))
    for part, fields in _LIMITS.items():
        if name in fields:
            field, sign, unit = fields[name]
            return lambda problem: replace(
                problem, **{part: _raised(getattr(problem, part), field, sign * unit * amount)}
            )
    if name.partition(" ")[0] in ("tier_most", "tier_least", "moves_in", "moves_out"):
        return lambda problem: _with_limit(problem, name, amount)
    return None


_LIMITS: dict[str, dict[str, tuple[str, float, float]]] = {
    "training": {
        "training_budget": ("budget", 1.0, 1.0),
        "training_cap": ("cap", 1.0, 1.0),
        "training_money": ("money", 1.0, 100.0),
        "trainer_capacity": ("capacity", 1.0, 1.0),
    },
    "accounts": {
        "account_moves": ("max_moves", 1.0, 1.0),
        "accounts_per_rep": ("max_per_rep", 1.0, 1.0),
        "care_budget": ("care_budget", 1.0, 1.0),
    },
    "leads": {
        "lead_share_least": ("least", -1.0, 1.0),
        "lead_share_most": ("most", 1.0, 1.0),
        "lead_share_change": ("change", 1.0, 1.0),
    },
}
"""Limits of what is on offer: field, direction, and how much of the field one of the rule's number is."""


def switched_off(name: str) -> Change | None:
    """The change that leaves a rule out; None where the request does not hold it as one rule."""
    if name.partition(" ")[0] in ("same_region", "keeps_team", "reserved"):
        return lambda problem: _unbarred(problem, name)
    if name not in FIELDS:
        return None

    def change(problem: AllocationProblem) -> AllocationProblem:
        field, _ = FIELDS[name]
        kept: list[FairnessRule] = []
        for rule in problem.rules:
            if name not in rule_name(rule):
                kept.append(rule)
            elif name in ("growth_cap", "growth_floor"):
                kept.append(rule.model_copy(update={field: None}))
        return problem.with_rules(tuple(kept))

    return change


def _unbarred(problem: AllocationProblem, name: str) -> AllocationProblem:
    """The request without a rule on who may take an account over."""
    offer = problem.accounts
    if name not in offer.barred:
        return problem
    now, more = as_pairs(offer.allowed), offer.barred[name]
    barred = {rule: pairs for rule, pairs in offer.barred.items() if rule != name}
    places = [pairs.account * now.shape[1] + pairs.rep for pairs in (more, *barred.values())]
    free = ~np.isin(places[0], np.concatenate([np.zeros(0, dtype=np.int64), *places[1:]]))
    account = np.concatenate([now.account, more.account[free]])
    allowed = Pairs.of(account, np.concatenate([now.rep, more.rep[free]]), now.shape)
    return replace(problem, accounts=replace(offer, allowed=allowed, barred=barred))


def _moved(rule: FairnessRule, name: str, amount: float) -> FairnessRule:
    if name not in rule_name(rule):
        return rule
    field, sign = FIELDS[name]
    least, most = LEAST.get(name, 0.0), MOST.get(name, np.inf)
    return rule.model_copy(update={field: min(max(getattr(rule, field) + sign * amount, least), most)})


def _raised(offer: Any, field: str, by: float) -> Any:
    now = getattr(offer, field)
    raised = max(now + by, 0.0)
    return replace(offer, **{field: round(raised) if isinstance(now, int) else raised})


def _with_limit(problem: AllocationProblem, name: str, amount: float) -> AllocationProblem:
    limits = tuple(
        replace(one, limit=np.maximum(one.limit + (amount if one.upper else -amount), 0.0)) if one.rule == name else one
        for one in problem.accounts.limits
    )
    return replace(problem, accounts=replace(problem.accounts, limits=limits))
