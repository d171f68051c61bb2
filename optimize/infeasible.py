"""A request that contradicts itself, told in words: which rules conflict, and the least loosening of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from optimize.fairness_measures import tied
from optimize.giving_way import GivenWay, together
from optimize.loosening import TOTAL, conflicting, least_loosening, precedence, question, suffices
from optimize.parts.fairness_together import PRODUCT
from optimize.parts.metrics import FLOOR, floor_loosening, floor_words
from optimize.problem import AllocationProblem, held, raised
from optimize.programme.blocks import Programme
from optimize.programme.solve import feasible
from optimize.rules import rule_name
from optimize.sums_told import sum_loosened, sum_named, sum_words, total_words
from scenarios.errors import InfeasiblePlan
from scenarios.goals import GiniBound, Spread, TrainingFloor, WorstOff

WORDS = {
    "potential_band": "quota-to-potential range",
    "growth_cap": "growth cap",
    "growth_floor": "growth floor",
    "min_expected_attainment": "minimum capped attainment",
    "min_chance": "minimum chance to make quota",
    "spread": "largest difference in quota / potential",
    "gini": "Gini index of quota / potential",
    "worst_off": "capped attainment of the worst-off",
    "equal_odds": "range of the chances to make quota",
    "group_parity_team": "quota / potential of teams against the company's",
    "group_parity_region": "quota / potential of regions against the company's",
    "group_parity_tenure": "quota / potential by tenure against the company's",
    "group_parity_level": "quota / potential of levels against the company's",
    "workload_maximum": "maximum workload",
    "workload_minimum": "minimum workload",
    "training_floor": "training hours each rep gets at least",
    "training_budget": "training budget",
    "training_cap": "most training hours of a rep",
    "training_money": "money for training",
    "trainer_capacity": "hours that trainers can give in a period",
    "account_moves": "most account moves",
    "accounts_per_rep": "most accounts of a rep",
    "care_budget": "care hours to hand out",
    "tier_most": "most accounts of tier {} of a rep",
    "tier_least": "least accounts of tier {} of a rep",
    "moves_in": "most accounts that come to a team",
    "moves_out": "most accounts that leave a team",
    "same_region": "accounts stay within their region",
    "keeps_team": "accounts stay within the team of today's owner",
    "reserved": "accounts reserved by the rule {}",
    "lead_share_least": "least share of a source's new leads",
    "lead_share_most": "most share of a source's new leads",
    "lead_share_change": "most change of a share of new leads",
}
UNITS = {
    "potential_band": ("percentage points", 0.01),
    "growth_cap": ("percentage points", 0.01),
    "growth_floor": ("percentage points", 0.01),
    "min_expected_attainment": ("percentage points", 0.01),
    "min_chance": ("percentage points", 0.01),
    "spread": ("hundredths of quota / potential", 0.01),
    "gini": ("hundredths of the index", 0.01),
    "worst_off": ("percentage points", 0.01),
    "equal_odds": ("percentage points", 0.01),
    "group_parity_team": ("percentage points", 0.01),
    "group_parity_region": ("percentage points", 0.01),
    "group_parity_tenure": ("percentage points", 0.01),
    "group_parity_level": ("percentage points", 0.01),
    "workload_maximum": ("percentage points", 0.01),
    "workload_minimum": ("percentage points", 0.01),
    "training_floor": ("hours", 1.0),
    "training_budget": ("hours", 1.0),
    "training_cap": ("hours", 1.0),
    "training_money": ("of the currency", 1.0),
    "trainer_capacity": ("hours", 1.0),
    "account_moves": ("moves", 1.0),
    "accounts_per_rep": ("accounts", 1.0),
    "care_budget": ("hours a year", 1.0),
    "tier_most": ("accounts", 1.0),
    "tier_least": ("accounts", 1.0),
    "moves_in": ("accounts", 1.0),
    "moves_out": ("accounts", 1.0),
    "same_region": ("accounts against it", 1.0),
    "keeps_team": ("accounts against it", 1.0),
    "reserved": ("accounts against it", 1.0),
    "lead_share_least": ("percentage points", 0.01),
    "lead_share_most": ("percentage points", 0.01),
    "lead_share_change": ("percentage points", 0.01),
}
"""How each rule's loosening is told: unit, and how much of the rule's own number one of it is."""

MOST_FURTHER = 8
"""Conflicts beside the first that are told."""
MOST_BARRED = 20_000
"""Pairs of account and rep up to which rules on who may take an account over are asked whether they stand in the way.
"""


def words(name: str) -> str:
    """A row block's rule in words: what follows its kind names which of several it is."""
    kind, _, ending = name.partition(" ")
    return WORDS[kind].format(ending)


def unit_of(name: str) -> tuple[str, float] | None:
    """How a rule's loosening is told; None for totals, locks and parts, which have no number of their own."""
    return UNITS.get(name.partition(" ")[0])


def explain(problem: AllocationProblem) -> InfeasiblePlan:
    """The error for a request without a plan: a smallest conflict, and the least loosening of each rule in it.

    Where no rule, lock or total of a team can give way alone, those that have to give way together are told, each with
    its amount, and every further conflict among them. The company's total comes first in precedence: beside rules that
    give way, the nearest total that leaves a plan is told wherever there is one.

    Rules on single ratios of quota to potential are told with the simulated plan's owners wherever these conflict as
    well: dozens of questions about owners and ratios at once would take hours. The answer says so.
    """
    as_simulated = []
    if sum(len(pairs.rep) for pairs in problem.accounts.barred.values()) > MOST_BARRED:
        as_simulated.append(f"who may take an account over: {', '.join(map(words, problem.accounts.barred))}")
        problem = replace(problem, accounts=replace(problem.accounts, barred={}))
    problem = replace(problem, firm=False)
    programme = question(problem)
    if programme.has(PRODUCT):
        still = held(problem, problem.base_decisions(), care=False)
        settled = question(still)
        if not feasible(settled):
            problem, programme = still, settled
            as_simulated += ["owners of accounts and training as in the plan that was simulated"]
    if not programme.has(PRODUCT) and suffices(programme):
        # Not the rules but the search for exact quotas ended without a plan.
        together_rules = dict.fromkeys(name for rule in tied(problem) for name in rule_name(rule))
        return InfeasiblePlan([_named(problem, programme, name) for name in together_rules], proven=False)
    conflict = conflicting(programme)
    loosening = [text for name in conflict if name != TOTAL and (text := _least(problem, programme, name))]
    jointly = () if loosening else together(problem, programme, _size)
    if TOTAL in conflict or not loosening:
        loosening = [text for text in [total_words(problem)] if text] + loosening
    return InfeasiblePlan(
        [*(_named(problem, programme, name) for name in conflict), *as_simulated],
        loosening,
        [_given_way_words(problem, programme, one) for one in jointly],
        [
            [_named(problem, programme, name) for name in names]
            for names in _further(programme, conflict, [one.rule for one in jointly])
        ],
    )


def _further(programme: Programme, conflict: Sequence[str], out: Sequence[str]) -> Iterator[list[str]]:
    """Conflicts that are left when those of the first that give way are left out, one after the other.

    Args:
        out: blocks without which a plan is possible.
    """
    gone = [name for name in out if name in conflict]
    for _ in range(MOST_FURTHER):
        if not gone or len(gone) == len(out):
            return
        found = conflicting(programme.without(gone))
        more = [name for name in out if name in found]
        if not more:
            return
        yield found
        gone += more


def _size(name: str) -> float | None:
    unit = unit_of(name)
    return None if unit is None else unit[1]


def _least(problem: AllocationProblem, programme: Programme, name: str) -> str:
    if precedence(name):
        return sum_loosened(problem, programme, name) if suffices(programme.without([name])) else ""
    amount = least_loosening(problem, programme, name, _size(name) or 1.0)
    return "" if amount is None else _loosen_words(problem, name, amount)


def _given_way_words(problem: AllocationProblem, programme: Programme, one: GivenWay) -> str:
    """What one of the rules that give way together has to do."""
    if precedence(one.rule):
        return sum_words(problem, one.rule, one.amount, alone=False)
    if one.amount is None:
        return f"{_named(problem, programme, one.rule)}: switch it off"
    return _loosen_words(problem, one.rule, one.amount)


def _loosen_words(problem: AllocationProblem, name: str, amount: float) -> str:
    if name.startswith(FLOOR):
        return floor_loosening(problem, name, amount)
    unit, size = unit_of(name) or ("", 1.0)
    amount += _locked_beyond(problem, name)
    if unit.startswith(("accounts", "moves")):
        whole = math.ceil(amount / size - 1e-6)
        return f"{words(name)}: loosen by {whole} {unit.replace('s', '', 1) if whole == 1 else unit}"
    return f"{words(name)}: loosen by {_rounded_up(amount / size)} {unit}"


def _locked_beyond(problem: AllocationProblem, name: str) -> float:
    """How far locks go beyond a limit: there the programme's row begins, but not the planner's number."""
    offer, locks = problem.training, problem.locks
    care, money = problem.accounts.care_budget or 0.0, float(offer.money or 0)
    beyond = {
        "care_budget": raised(care, locks.care) - care,
        "training_budget": raised(offer.budget, locks.training) - offer.budget,
        "training_money": (raised(money, locks.training, offer.price) - money) / 100,
    }
    return beyond.get(name, 0.0)


def _named(problem: AllocationProblem, programme: Programme, name: str) -> str:
    if name.startswith(FLOOR):
        return floor_words(problem, name)
    rows = [rows for rows in programme.rows if rows.rule == name]
    subjects = list(dict.fromkeys(subject for block in rows for subject in block.subjects))
    if precedence(name):
        return sum_named(problem, name)
    who = ", ".join(subjects[:6]) + (f" and {len(subjects) - 6} more" if len(subjects) > 6 else "")
    return f"{words(name)}: {limit_words(problem, name)} ({who})"


def _care_words(problem: AllocationProblem) -> str:
    """Hours of care to hand out, with what locks take of them."""
    budget, locks = problem.accounts.care_budget or 0.0, problem.locks
    taken = [(f"care.{problem.accounts.ids[a]}", hours) for a, hours in locks.care.items()]
    said = "; ".join(f"{path} = {hours:g}, {locks.author[path]}" for path, hours in taken if path in locks.author)
    return f"{budget:g} hours a year" + (f", of which locks take {sum(locks.care.values()):g}: {said}" if taken else "")


def limit_words(problem: AllocationProblem, name: str) -> str:
    """A rule's limit as a person says it."""
    offer = problem.accounts
    fixed = {
        "training_budget": f"{problem.training.budget:g} hours",
        "training_cap": f"{problem.training.cap:g} hours",
        "training_money": f"{(problem.training.money or 0) / 100:,.2f}",
        "trainer_capacity": f"{problem.training.capacity or 0:g} hours",
        "account_moves": f"{offer.max_moves}",
        "accounts_per_rep": f"{offer.max_per_rep}",
        "care_budget": _care_words(problem),
        "lead_share_least": f"{problem.leads.least * 100:.4g} %",
        "lead_share_most": f"{problem.leads.most * 100:.4g} %",
        "lead_share_change": f"{problem.leads.change * 100:.4g} points",
    }
    if name in fixed:
        return fixed[name]
    for limit in offer.limits:
        if limit.rule == name:
            each = zip(limit.subjects, limit.limit.tolist(), strict=True)
            same = len(set(limit.limit.tolist())) == 1
            return f"{limit.limit[0]:g}" if same else ", ".join(f"{one} {value:g}" for one, value in each)
    if name in offer.barred:
        return f"{len(offer.barred[name].rep)} pairs of account and rep left out"
    rule = next(rule for rule in problem.rules if name in rule_name(rule))
    values: Sequence[tuple[str, str]] = (
        ("tolerance", "± {:.4g} %"),
        ("share", "{:.4g} %"),
        ("chance", "{:.4g} %"),
        ("width", "{:.4g} %"),
    )
    if isinstance(rule, Spread | GiniBound):
        return f"at most {rule.maximum:g}"
    if isinstance(rule, WorstOff):
        return f"{rule.minimum * 100:.4g} % for {rule.share * 100:.4g} % of people"
    special = {
        "growth_cap": "cap",
        "growth_floor": "floor",
        "workload_maximum": "maximum",
        "workload_minimum": "minimum",
    }
    if name in special:
        return f"{getattr(rule, special[name]) * 100:.4g} %"
    if isinstance(rule, TrainingFloor):
        return f"{rule.hours:g} hours"
    attribute, form = next((a, form) for a, form in values if hasattr(rule, a))
    return form.format(getattr(rule, attribute) * 100)


def _rounded_up(value: float) -> str:
    """Two decimals, upwards, so that the stated amount suffices."""
    return f"{math.ceil(value * 100 - 0.02) / 100:.2f}"
