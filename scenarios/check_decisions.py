"""Checks of goals and of what the allocator is asked: targets, commitments, rules, locks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import get_args

from scenarios.account_rules import AccountRule, Reserved, TeamMoves, TierCount
from scenarios.base import HOURS_OF_A_YEAR, Minor
from scenarios.errors import Problem
from scenarios.goals import MONEY_METRICS, RATIO_METRICS, CountMetric, Target
from scenarios.lead_shares import policy_of, shareable
from scenarios.lock_paths import FORMS, QUOTAS, locked_quota, locked_share, said
from scenarios.paths import join_path, near
from scenarios.references import World, all_known, unknown
from scenarios.scenario import ids

_SHARES = frozenset(RATIO_METRICS) - {"average_order_value"}
_NAMED = {
    "exempt": "reps",
    "tiers": "tiers",
    "levels": "levels",
    "teams": "teams",
    "reps": "reps",
    "regions": "regions",
    "segments": "segments",
}
"""Fields of account rules, with the section that their values name something in."""
LEAST_WEIGHT, MOST_WEIGHT = 1e-3, 1000
MOST_COUNT = 10**12
MOST_MONEY = 9 * 10**13
"""Currency units: beyond it, floating point does not tell minor units any more."""
_LOCKED = {"training": "reps", "owner": "accounts", "care": "accounts"}


def check_targets(world: World) -> Iterator[Problem]:
    """Targets speak of teams and periods that exist, once each."""
    targets = world.scenario.goals.targets
    for position, target in enumerate(targets):
        where = join_path("goals", "targets", position)
        yield from unknown(f"{where}.team", target.team, "teams", world)
        yield from _value_problems(where, target)
        if world.horizon is None:
            continue
        start, end = world.horizon
        first, last = target.first_day or start, target.end or end
        if not start <= first < last <= end:
            rule = f"must be a period inside the horizon {start} to {end}"
            yield Problem(where, f"{first} to {last}", rule, "correct first_day or end")
    if world.horizon is not None:
        yield from _crossing(targets, *world.horizon)
    for key, count in Counter((t.metric, t.team, t.first_day, t.end) for t in targets).items():
        if count > 1:
            metric, team = key[:2]
            yield Problem(
                "goals.targets", metric, f"{count} targets of {team or 'the company'} for one period", "keep one"
            )


def _value_problems(where: str, target: Target) -> Iterator[Problem]:
    """Figures of a target that its metric cannot have."""
    for level in ("floor", "target", "stretch"):
        value = getattr(target, level)
        if value is not None:
            yield from _figure_problems(f"{where}.{level}", target.metric, value)
    if target.weight and not LEAST_WEIGHT <= target.weight <= MOST_WEIGHT:
        rule = f"a weight must be 0 or lie between {LEAST_WEIGHT:g} and {MOST_WEIGHT:,}"
        yield Problem(f"{where}.weight", f"{target.weight:g}", rule, "only the proportion of weights counts")
    if target.metric in RATIO_METRICS and target.target == 0:
        yield Problem(f"{where}.target", "0", f"a target for {target.metric} must be above zero", "remove it")
    if target.formula is not None and (target.first_day is not None or target.end is not None):
        rule = "a formula starts from figures of a whole period, so it gives a target for the whole horizon"
        yield Problem(f"{where}.formula", "given", rule, "leave first_day and end empty, or give target")


def _figure_problems(where: str, metric: str, value: float) -> Iterator[Problem]:
    if metric in _SHARES and value > 1:
        rule = f"{metric} is a share and must be <= 1"
        yield Problem(where, f"{value:g}", rule, "a share is written 0.45, not 45 or 45 %")
    if metric in get_args(CountMetric) and value != int(value):
        yield Problem(where, f"{value:g}", f"{metric} is a count", "give a whole number")
    elif metric in get_args(CountMetric) and value > MOST_COUNT:
        yield Problem(where, f"{value:g}", f"{metric} must be at most {MOST_COUNT:,}", "check the number of zeros")
    elif metric in MONEY_METRICS or metric == "average_order_value":
        yield from _amount_problems(where, value)


def _amount_problems(where: str, value: float) -> Iterator[Problem]:
    """Amounts are told to the minor unit, and sums of them must be, too."""
    if value > MOST_MONEY:
        rule = f"an amount must be at most {MOST_MONEY:,} currency units"
        yield Problem(where, f"{value:g}", rule, "check the number of zeros")
        return
    try:
        Minor.of(value)
    except ValueError as error:
        yield Problem(where, f"{value!r}", str(error).partition(", got")[0], "round it to two decimals")


def _crossing(targets: tuple[Target, ...], start: date, end: date) -> Iterator[Problem]:
    """Periods of one metric's targets lie apart or inside each other, so that one split can keep them all."""
    for position, target in enumerate(targets):
        for other in targets[:position]:
            if other.metric != target.metric:
                continue
            (a, b), (c, d) = sorted((t.first_day or start, t.end or end) for t in (target, other))
            if a < c < b < d:
                rule = f"overlaps the target from {other.first_day or start} to {other.end or end} in part"
                where = join_path("goals", "targets", position)
                shown = f"{target.metric} from {target.first_day or start} to {target.end or end}"
                yield Problem(where, shown, rule, "let the periods lie apart or one inside the other")


def check_commitments(world: World) -> Iterator[Problem]:
    """Commitments are of reps or teams that exist."""
    for position, commitment in enumerate(world.scenario.goals.commitments):
        where = join_path("goals", "commitments", position)
        yield from unknown(f"{where}.rep", commitment.rep, "reps", world)
        yield from unknown(f"{where}.team", commitment.team, "teams", world)
        yield from _figure_problems(f"{where}.value", commitment.metric, commitment.value)
    said = Counter((c.round, c.rep, c.team, c.metric, c.level) for c in world.scenario.goals.commitments)
    for (number, rep, team, metric, level), count in said.items():
        if count > 1:
            rule = f"{count} commitments of {rep or team} on the {level} in round {number}"
            yield Problem("goals.commitments", metric, rule, "keep one; a later one is a new round")


def check_allocation(world: World) -> Iterator[Problem]:
    """Rules, training and account decisions speak of things that exist."""
    allocation = world.scenario.allocation
    for position, rule in enumerate(allocation.rules):
        yield from all_known(join_path("allocation", "rules", position, "exempt"), rule.exempt, "reps", world)
    yield from all_known("allocation.training.skills", allocation.training.skills, "skills", world)
    decisions = allocation.accounts
    yield from all_known("allocation.accounts.movable_tiers", decisions.movable_tiers, "tiers", world)
    yield from all_known("allocation.accounts.protect_stages", decisions.protect_stages, "stages", world)
    for position, account_rule in enumerate(decisions.rules):
        where = join_path("allocation", "accounts", "rules", position)
        for field, section in _NAMED.items():
            yield from all_known(f"{where}.{field}", getattr(account_rule, field, ()), section, world)
        if isinstance(account_rule, TierCount):
            yield from unknown(f"{where}.tier", account_rule.tier, "tiers", world)
        if isinstance(account_rule, Reserved) and "accounts" not in world.unsure:
            yield from _unknown_industries(f"{where}.industries", account_rule, world)
    yield from _account_rules_once(decisions.rules)


def _unknown_industries(where: str, rule: Reserved, world: World) -> Iterator[Problem]:
    """Industries are what accounts say they are: one that no account is of reserves nothing."""
    found = tuple(dict.fromkeys(account.industry for account in world.scenario.accounts if account.industry))
    for industry in rule.industries:
        if industry not in found:
            yield Problem(where, industry, "no account is of this industry", near(industry, found))


def _account_rules_once(rules: Sequence[AccountRule]) -> Iterator[Problem]:
    """Each account rule says something that no other says."""
    said: Counter[str] = Counter()
    for rule in rules:
        match rule:
            case TierCount():
                said[f"{rule.rule} of {rule.ending}"] += 1
            case Reserved():
                said[f"{rule.rule} {rule.name}"] += 1
            case TeamMoves():
                said.update(f"{rule.rule} of {team}" for team in rule.teams or ("all",))
            case _:
                said[rule.rule] += 1
    everybody = said.pop("team_moves of all", 0)
    single = [name for name in said if name.startswith("team_moves")]
    if everybody + bool(single) > 1:
        rule_text = "one entry holds for all teams, another speaks of a team"
        yield Problem("allocation.accounts.rules", "team_moves", rule_text, "name the teams in each, or keep one entry")
    for name, count in said.items():
        if count > 1:
            yield Problem("allocation.accounts.rules", name, f"is given {count} times", "keep one")


def check_locks(world: World) -> Iterator[Problem]:
    """Locks hold figures that exist, once each."""
    locks = world.scenario.allocation.locks
    for position, lock in enumerate(locks):
        yield from lock_problems(join_path("allocation", "locks", position), lock.path, lock.value, world)
    for path, count in Counter(lock.path for lock in locks).items():
        if count > 1:
            yield Problem("allocation.locks", path, f"is locked {count} times", "keep one")


def lock_problems(where: str, path: str, value: float | str, world: World) -> Iterator[Problem]:
    """What is wrong with one lock; ``where`` is its place, to which the field is added."""
    kind, _, subject = path.partition(".")
    if kind in ("share", "shares"):
        yield from _locked_share_problems(where, path, value, world)
        return
    if (kind not in _LOCKED and kind not in QUOTAS) or not subject:
        yield Problem(f"{where}.path", path, f"a lock's path reads {FORMS}", "for example quota.E1")
        return
    if kind in QUOTAS:
        yield from _locked_quota_problems(f"{where}.path", path, value, world)
    elif kind == "training":
        subject, _, skill = subject.rpartition(".")
        yield from unknown(f"{where}.path", subject, "reps", world)
        yield from unknown(f"{where}.path", skill, "skills", world)
    else:
        yield from unknown(f"{where}.path", subject, _LOCKED[kind], world)
    if kind == "owner":
        yield from unknown(f"{where}.value", str(value), "reps", world)
        yield from _absent_owner(where, path, str(value), world)
    elif isinstance(value, str) or value < 0:
        rule = f"the value of {path} must be a number, not negative"
        yield Problem(
            f"{where}.value", said(value), rule, "write a plain number without quotes, unit or thousands separator"
        )
    elif kind == "care" and value > HOURS_OF_A_YEAR:
        rule = f"{path} must be <= {HOURS_OF_A_YEAR} hours a year"
        yield Problem(f"{where}.value", f"{value:g}", rule, "a year has no more hours")


def _absent_owner(where: str, path: str, name: str, world: World) -> Iterator[Problem]:
    """Owners are allocated from the first day of the horizon on, so whoever is locked has to be there on it."""
    rep = next((rep for rep in world.scenario.reps if rep.id == name), None)
    if rep is None or world.horizon is None:
        return
    start = world.horizon[0]
    late, gone = rep.hired is not None and rep.hired > start, rep.leaves is not None and rep.leaves <= start
    if late or gone:
        when = f"is hired only on {rep.hired}" if late else f"leaves on {rep.leaves}"
        rule = f"{path} is locked to somebody who {when}; owners are allocated from {start} on"
        remedy = "lock somebody who is there on that day, and hand the account over later in the plan's table owners"
        yield Problem(f"{where}.value", name, rule, remedy)


def _locked_share_problems(where: str, path: str, value: float | str, world: World) -> Iterator[Problem]:
    """A share's path names a source whose leads are handed out, and a rep."""
    scenario = world.scenario
    asked = scenario.allocation.leads
    if not asked.decide:
        rule = "who gets which share of a source's leads is given by a plan, not decided by the allocation"
        remedy = "write it into the plan's table shares, which an allocation keeps; or set allocation.leads.decide"
        yield Problem(f"{where}.path", path, rule, remedy)
        return
    found = locked_share(path, world.known["sources"])
    if found is None:
        yield Problem(f"{where}.path", path, "a share's path reads share.SOURCE.REP", "for example share.web.E1")
        return
    source, rep = found
    yield from unknown(f"{where}.path", rep, "reps", world)
    if asked.sources and source not in asked.sources:
        rule = f"leads of {source} are not handed out"
        yield Problem(f"{where}.path", path, rule, f"name {source} in allocation.leads.sources")
    yield from _absent_receiver(f"{where}.path", path, rep, world)
    if isinstance(value, str) or not 0 <= value <= 1:
        yield Problem(f"{where}.value", str(value), "a share must be 0 to 1", "a share is written 0.45, not 45")


def _absent_receiver(where: str, path: str, name: str, world: World) -> Iterator[Problem]:
    """A locked share holds over the whole horizon, so whoever gets it has to be there on all its days."""
    rep = next((rep for rep in world.scenario.reps if rep.id == name), None)
    if rep is None or world.horizon is None:
        return
    start, end = world.horizon
    late, gone = rep.hired is not None and rep.hired > start, rep.leaves is not None and rep.leaves < end
    if late or gone:
        when = f"is hired only on {rep.hired}" if late else f"leaves on {rep.leaves}"
        rule = f"{path} is locked to somebody who {when}; shares are decided from {start} to the end of the horizon"
        remedy = "lock the shares of those who are there all the time, or write hers into the plan's table shares"
        yield Problem(where, path, rule, remedy)


def check_leads(world: World) -> Iterator[Problem]:
    """Shares of leads are decided for sources whose routing can follow them."""
    scenario, asked = world.scenario, world.scenario.allocation.leads
    yield from all_known("allocation.leads.sources", asked.sources, "sources", world)
    if not asked.decide or "sources" in world.unsure:
        return
    named = [source.id for source in scenario.sources if source.id in asked.sources] or ids(scenario.sources)
    apart = [source for source in named if not shareable(scenario, source)]
    if asked.sources or len(apart) == len(named):
        for source in apart:
            rule = f"leads of {source} are routed by {policy_of(scenario, source)}, which leaves no room for shares"
            yield Problem("allocation.leads", source, rule, f"set routing.by_source.{source} to even")
    if not scenario.sources:
        yield Problem("allocation.leads.decide", "true", "there are no sources of leads", "set it to false")


def _locked_quota_problems(where: str, path: str, value: float | str, world: World) -> Iterator[Problem]:
    """A quota's path names a rep, an additive metric and a day of the horizon."""
    try:
        quota = locked_quota(path, world.known["reps"])
    except ValueError as error:
        yield Problem(where, path, str(error), f"a lock's path reads {FORMS}")
        return
    if quota is None:
        return
    yield from unknown(where, quota.rep, "reps", world)
    if isinstance(value, int | float):
        yield from _figure_problems(where.replace(".path", ".value"), quota.metric, value)
    if quota.start is not None and world.horizon is not None and not world.horizon[0] <= quota.start < world.horizon[1]:
        rule = f"must be a day of the horizon {world.horizon[0]} to {world.horizon[1]}"
        yield Problem(where, quota.start.isoformat(), rule, "write the first day of a reporting period")
