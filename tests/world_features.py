"""What a world has and whether it had an effect: read from its log, for what nobody meets proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from scenarios.scenario import Scenario
from scenarios.ticks import DAY, NEVER
from sim.log import Kind, Log
from sim.model import Model
from sim.rules import share_row

Effect = Callable[["Seen"], bool]
FEATURES: dict[str, Effect] = {}
"""Whether a feature had an effect, by its name."""


def feature(name: str) -> Callable[[Effect], Effect]:
    def register(effect: Effect) -> Effect:
        FEATURES[name] = effect
        return effect

    return register


class Seen:
    """A world and what happened in it."""

    def __init__(self, model: Model, log: Log) -> None:
        self.model = model
        self.scenario: Scenario = model.scenario
        self.log = log
        self.calendar = self.scenario.calendar

    @cached_property
    def start(self) -> Any:
        return self.log.of(Kind.START)

    @cached_property
    def enter(self) -> Any:
        """Entries of leads into queues of stages."""
        rows = self.log.of(Kind.ENTER)
        return rows[rows["stage"] < self.model.stages.count]

    @cached_property
    def arrive(self) -> Any:
        return self.log.of(Kind.ARRIVE)

    @cached_property
    def answers(self) -> Any:
        return self.log.of(Kind.ANSWER_YES, Kind.ANSWER_NO, Kind.WON)

    @cached_property
    def line(self) -> Any:
        return self.log.of(Kind.LINE)

    @cached_property
    def stages_worked(self) -> set[int]:
        return set(self.log.of(Kind.END)["stage"].tolist())

    @cached_property
    def reps_at_work(self) -> set[int]:
        return set(self.start["rep"].tolist())

    @cached_property
    def orders(self) -> list[Any]:
        """What accounts and won customers ordered."""
        return [lead for lead in self.log.leads.values() if lead.origin in (1, 2)]

    @cached_property
    def opened(self) -> list[Any]:
        return [self.log.leads[entity] for entity in self.log.of(Kind.OPEN)["entity"].tolist()]

    @cached_property
    def worked_after_win(self) -> bool:
        after = self.model.stages.after_win
        return any(stage < len(after) and after[stage] for stage in self.stages_worked)

    def has(self, *kinds: Kind) -> bool:
        return bool(np.isin(self.log.rows["kind"], kinds).any())

    def any_rep(self, asked: Callable[[Any], bool]) -> bool:
        """Whether somebody of the kind asked for has worked."""
        return any(asked(self.scenario.reps[rep]) for rep in self.reps_at_work)

    def any_stage(self, asked: Callable[[Any], bool]) -> bool:
        """Whether a stage of the kind asked for has been worked."""
        count = self.model.stages.count
        return any(asked(self.scenario.stages[stage]) for stage in self.stages_worked if stage < count)

    def came_from(self, asked: Callable[[Any], bool]) -> bool:
        """Whether at least two leads came of a source of the kind asked for."""
        numbers = [number for number, source in enumerate(self.scenario.sources) if asked(source)]
        return int(np.isin(self.arrive["item"], numbers).sum()) > 1

    def works_within(self, rep: int, begin: int, end: int) -> bool:
        """Whether a task of a rep waited for, or was in work, within some ticks."""
        mine = self.start[self.start["rep"] == rep]
        return bool(((mine["time"] - mine["value"] < end) & (mine["extra"] > begin)).any())

    @cached_property
    def last_region(self) -> Any:
        return self.scenario.regions[-1]

    @cached_property
    def last_region_works(self) -> bool:
        region = len(self.scenario.regions) - 1
        return any(self.model.reps.region[rep] == region for rep in self.reps_at_work)

    def tick(self, day: Any) -> int:
        return self.model.timetable.midnight(day)

    @cached_property
    def first_entries(self) -> Any:
        """Entries that routing decided, and the policy that did, by the lead's source."""
        rows = self.enter[(self.enter["visit"] == 0)]
        scenario = self.scenario
        names = [*self.model.sources.policy, scenario.routing.policy]
        return rows, [names[self.log.leads[entity].source] for entity in rows["entity"].tolist()]

    @cached_property
    def policies(self) -> set[str]:
        """Policies that have sent leads somewhere: to reps, the pool to the pool, and the owner's to an owner."""
        rows, names = self.first_entries
        owner, leads = self.model.accounts.owner, self.log.leads
        found = set()
        for entity, rep, policy in zip(rows["entity"].tolist(), rows["rep"].tolist(), names, strict=True):
            account = leads[entity].account
            if policy == "owner":
                if account >= 0 and owner[account] == rep >= 0:
                    found.add(policy)
            elif (rep == -1) == (policy == "pool"):
                found.add(policy)
        return found

    @cached_property
    def kept(self) -> tuple[int, int]:
        """How many leads came to a stage of a role that had worked them: to the same rep, to another."""
        role, last, same, other = self.model.stages.role, {}, 0, 0
        rows = self.log.of(Kind.ENTER, Kind.START)
        for kind, entity, stage, rep in zip(*(rows[name].tolist() for name in ("kind", "entity", "stage", "rep")),
                                            strict=True):  # fmt: skip
            if stage >= len(role):
                continue
            place = entity, int(role[stage])
            if kind == Kind.START:
                last[place] = rep
            elif place in last:
                same, other = same + (last[place] == rep), other + (last[place] != rep)
        return same, other

    @cached_property
    def overtaken(self) -> bool:
        """Whether somebody began what had come later before what waited longer, at the same desk."""
        order = np.lexsort((self.start["time"], self.start["rep"]))
        rows = self.start[order]
        entered = rows["time"] - rows["value"]
        later = (rows["rep"][1:] == rows["rep"][:-1]) & (entered[1:] < entered[:-1]) & (entered[:-1] < rows["time"][1:])
        return bool(later.any())

    @cached_property
    def returned(self) -> tuple[int, int]:
        """Leads that went to the pool after their patience, and after waiting long."""
        rows = self.log.of(Kind.RETURN)
        entered = set(zip(self.enter["time"].tolist(), self.enter["entity"].tolist(), self.enter["visit"].tolist(),
                          strict=True))  # fmt: skip
        cold = sum(
            (time, entity, visit + 1) in entered
            for time, entity, visit in zip(rows["time"].tolist(), rows["entity"].tolist(), rows["visit"].tolist(),
                                           strict=True)
        )  # fmt: skip
        return cold, len(rows) - cold

    @cached_property
    def leavings(self) -> list[tuple[int, int]]:
        rows = self.log.of(Kind.LEAVE)
        return list(zip(rows["rep"].tolist(), rows["time"].tolist(), strict=True))

    @cached_property
    def joinings(self) -> list[tuple[int, int]]:
        """Who joined and has worked since."""
        rows = self.log.of(Kind.JOIN)
        last = {rep: int(self.start["time"][self.start["rep"] == rep].max()) for rep in self.reps_at_work}
        pairs = zip(rows["rep"].tolist(), rows["time"].tolist(), strict=True)
        return [(rep, tick) for rep, tick in pairs if last.get(rep, -1) >= tick]

    def lines_of(self, orders: bool) -> int:
        """Lines beside the first of orders, or of deals that are no bundle."""
        wanted = {
            lead.entity
            for lead in self.log.leads.values()
            if (lead.origin in (1, 2)) == orders and (orders or lead.product >= 0)
        }
        return sum(entity in wanted for entity in self.line["entity"][self.line["visit"] > 0].tolist())


# ---- routing and queues ----------------------------------------------------------------------------------------------

for _policy in ("even", "round_robin", "least_loaded", "territory", "skill_based", "owner", "pool"):
    FEATURES[f"routing: {_policy}"] = lambda seen, policy=_policy: policy in seen.policies
FEATURES["queue: fifo"] = lambda seen: seen.scenario.queue == "fifo" and int((seen.start["value"] > 0).sum()) > 4
for _queue in ("late_stage_first", "value_first", "tier_first"):
    FEATURES[f"queue: {_queue}"] = lambda seen, queue=_queue: seen.scenario.queue == queue and seen.overtaken
FEATURES["policies by source"] = lambda seen: len(seen.policies) > 1
FEATURES["same rep keeps a lead"] = lambda seen: seen.scenario.routing.same_rep and seen.kept[0] > 0
FEATURES["each stage routed anew"] = lambda seen: not seen.scenario.routing.same_rep and seen.kept[1] > 0
FEATURES["return to the pool"] = lambda seen: seen.returned[1] > 0
FEATURES["cold to the pool"] = lambda seen: seen.returned[0] > 0
FEATURES["goes cold"] = lambda seen: seen.has(Kind.COLD)


@feature("across regions")
def _(seen: Seen) -> bool:
    if not seen.scenario.routing.across_regions:
        return False
    region, leads = seen.model.reps.region, seen.log.leads
    rows = seen.start[seen.start["stage"] < seen.model.stages.count]
    pairs = zip(rows["entity"].tolist(), rows["rep"].tolist(), strict=True)
    return any(leads[entity].region != region[rep] for entity, rep in pairs if entity in leads)


@feature("shares of leads")
def _(seen: Seen) -> bool:
    """Whether a lead came to somebody by a share that is not the same for all."""
    given, role = seen.model.lead_shares, seen.model.stages.role
    if not given:
        return False
    rows = seen.enter[(seen.enter["visit"] == 0) & (seen.enter["rep"] >= 0)]
    first = seen.model.sources.first_stage
    for time, entity, stage, rep in zip(*(rows[name].tolist() for name in ("time", "entity", "stage", "rep")),
                                        strict=True):  # fmt: skip
        lead = seen.log.leads[entity]
        if lead.source < 0 or lead.account >= 0 or role[stage] != role[first[lead.source]]:
            continue
        row = share_row(given.starts, given.rows, lead.source, time)
        if row >= 0 and given.weights[row][rep] > 0 and len(set(given.weights[row].tolist())) > 2:
            return True
    return False


@feature("recycling")
def _(seen: Seen) -> bool:
    rests = seen.log.of(Kind.REST)
    back = set(zip(rests["entity"].tolist(), (rests["visit"] + 1).tolist(), rests["stage"].tolist(), strict=True))
    rows = seen.enter
    return not back.isdisjoint(
        zip(rows["entity"].tolist(), rows["visit"].tolist(), rows["stage"].tolist(), strict=True)
    )


# ---- the funnel ----------------------------------------------------------------------------------------------------

FEATURES["support"] = lambda seen: seen.any_stage(lambda stage: stage.support is not None)
FEATURES["customers' delay"] = lambda seen: bool((seen.answers["extra"] > 0).any())
FEATURES["work after the win"] = lambda seen: seen.worked_after_win
FEATURES["several roles"] = lambda seen: len({int(seen.model.reps.role[rep]) for rep in seen.reps_at_work}) > 1
FEATURES["activities"] = lambda seen: seen.any_stage(lambda stage: bool(stage.activities))
FEATURES["weights of skills"] = lambda seen: seen.any_stage(lambda stage: bool(stage.skill_weights))


@feature("a no takes its own time")
def _(seen: Seen) -> bool:
    own = [number for number, stage in enumerate(seen.scenario.stages) if stage.loss_delay_days is not None]
    rows = seen.log.of(Kind.ANSWER_NO)
    return bool((np.isin(rows["stage"], own) & (rows["extra"] > 0)).any())


# ---- people --------------------------------------------------------------------------------------------------------

FEATURES["hired later"] = lambda seen: any(seen.scenario.reps[rep].hired is not None for rep, _ in seen.joinings)
FEATURES["leaves"] = lambda seen: any(tick == seen.model.reps.leaves[rep] for rep, tick in seen.leavings)
FEATURES["gives notice"] = lambda seen: any(tick != seen.model.reps.leaves[rep] for rep, tick in seen.leavings)
FEATURES["replacement"] = lambda seen: any(
    any(gone <= tick for who, gone in seen.leavings if who == rep) for rep, tick in seen.joinings
)
FEATURES["part time"] = lambda seen: seen.any_rep(lambda rep: rep.hours_per_week is not None)
FEATURES["skills"] = lambda seen: seen.any_rep(lambda rep: bool(rep.skills))
FEATURES["levels"] = lambda seen: seen.any_rep(lambda rep: rep.level is not None)
FEATURES["measured effects"] = lambda seen: any(
    seen.scenario.reps[int(row["rep"])].conversion_logit for row in seen.start if row["stage"] == 0
)
FEATURES["pace of a rep"] = lambda seen: seen.any_rep(lambda rep: rep.effort_factor != 1)
FEATURES["ramp"] = lambda seen: any(seen.works_within(rep, tick, tick + 30 * DAY) for rep, tick in seen.joinings)


@feature("successor")
def _(seen: Seen) -> bool:
    """Who took over a customer, or works what was queued up at the desk of who left."""
    gone = {int(seen.model.reps.successor[rep]): (rep, tick) for rep, tick in seen.leavings}
    gone.pop(-1, None)
    for row in seen.log.of(Kind.ASSIGN):
        if int(row["rep"]) in gone and gone[int(row["rep"])][1] == row["time"]:
            return True
    desk = {(e, s, v): r for e, s, v, r in zip(*(seen.enter[n].tolist() for n in ("entity", "stage", "visit", "rep")),
                                                strict=True)}  # fmt: skip
    for row in seen.start:
        rep = int(row["rep"])
        if rep in gone and desk.get((int(row["entity"]), int(row["stage"]), int(row["visit"]))) == gone[rep][0]:
            return True
    return False


@feature("absence")
def _(seen: Seen) -> bool:
    ids = [rep.id for rep in seen.scenario.reps]
    return any(
        seen.works_within(ids.index(away.rep), seen.tick(away.first), seen.tick(away.last) + DAY)
        for away in seen.scenario.absences
    )


@feature("nobody of a role")
def _(seen: Seen) -> bool:
    rows, policies = seen.first_entries
    return any(rep == -1 and policy != "pool" for rep, policy in zip(rows["rep"].tolist(), policies, strict=True))


@feature("training")
def _(seen: Seen) -> bool:
    return any(seen.works_within(int(row["rep"]), int(row["time"]), NEVER) for row in seen.log.of(Kind.TRAINED))


@feature("skill decays")
def _(seen: Seen) -> bool:
    turns = [tick for tick in seen.model.timetable.months().bounds.tolist()[1:] if tick < seen.model.end]
    rows = seen.log.of(Kind.TRAINED)
    return seen.scenario.skills.training.decay_per_month > 0 and any(
        row["time"] < turn and seen.works_within(int(row["rep"]), turn, NEVER) for row in rows for turn in turns
    )


@feature("motivation")
def _(seen: Seen) -> bool:
    if seen.scenario.motivation is None:
        return False
    quotas = seen.model.quotas
    return any(
        seen.works_within(rep, int(start + (end - start) // 20), int(end))
        for rep, (first, last) in enumerate(pairwise(quotas.first.tolist()))
        for start, end in zip(quotas.start[first:last], quotas.end[first:last], strict=True)
    )


FEATURES["credit shares"] = lambda seen: bool((seen.log.of(Kind.CREDIT)["visit"] > 0).any())
FEATURES["owning role"] = lambda seen: bool((seen.log.of(Kind.ASSIGN)["item"] == -1).any())
FEATURES["several quotas of a rep"] = lambda seen: (
    bool((np.diff(seen.model.quotas.first) > 1).any()) and seen.has(Kind.BOOK)
)
