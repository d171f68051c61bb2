"""The reference engine: one simulated horizon in SimPy, each concept a visible process.

It is written to be read. Every draw, rule and sampler is a compiled function shared with any other engine, and the
order within an instant is given by content (:mod:`sim.instant`), so another engine can be held to the same log.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
import simpy

from scenarios.ticks import DAY, NEVER
from sim.accounts import Customer, account, change_owners, customer_life, newcomer
from sim.arrivals import each_lead, new_leads, opening_lead
from sim.components import DISCIPLINES, NO_ONE, Desk, RepState, Support, Task, at
from sim.credit import divided
from sim.instant import Moment, content_key
from sim.ledger import Ledger
from sim.lists import lists
from sim.log import Kind, Lead, Log
from sim.model import Model, Opening
from sim.motivation import Drive
from sim.routing import Router
from sim.rules import (
    NO_DISTRIBUTION,
    chance_given_silence,
    comes_back,
    conversion,
    days_drawn,
    days_left,
    later,
    visit_draws,
)
from sim.rules_people import attrition_time
from sim.streams import replication_key
from sim.tenders import tender_life
from sim.worktime import work_between

Process = Generator[Any, Any, Any]


class World:
    """One replication of a model."""

    def __init__(self, model: Model, seed: int, replication: int) -> None:
        self.model = model
        self.replication = replication
        self.key = replication_key(seed, replication)
        self.env = simpy.Environment(initial_time=0)
        self.ledger = Ledger(model, self.key)
        self.lists = lists(model)
        ranks = np.argsort(np.argsort(model.support_identity)).tolist()
        self.support = [Support(self, position, rank) for position, rank in enumerate(ranks)]
        self.reps = [RepState(self, position) for position in range(len(model.reps.ids))]
        self.router = Router(self)
        self.customers = [account(model, self.key, position) for position in range(len(model.accounts.ids))]
        """Accounts by position, then the customers won."""
        self.drive = Drive(model.quotas, model.scenario.motivation)
        self._key_of = DISCIPLINES[model.scenario.queue]

    def run(self) -> Log:
        """Simulate the horizon [0, end)."""
        model, env = self.model, self.env
        env.process(self._arrivals())
        for opening in model.pipeline:
            env.process(self._opening_life(opening))
        for customer in list(self.customers):
            env.process(customer_life(self, customer))
        for tender in model.tenders:
            env.process(tender_life(self, tender))
        for tick, position, owner in model.accounts.changes:
            env.process(change_owners(self, tick, position, owner))
        for rep in self.reps:
            env.process(self._seat(rep))
        env.run(until=model.end)
        self.ledger.record_training([rep.first_left for rep in self.reps])
        return self.ledger.log(self.replication)

    def now(self) -> int:
        """The present tick."""
        return self.env.now  # type: ignore[return-value]  # whole, since all delays are

    def wait_until(self, tick: int, moment: Moment, entity: int = 0, stage: int = 0, visit: int = 0) -> Any:
        """An event at a tick that takes its turn within the instant by its content."""
        return at(self.env, tick - self.now(), content_key(moment, entity, stage, visit))

    def record_start(self, task: Task, rep: RepState, now: int, end: int) -> None:
        """Work on a task begins."""
        self.ledger.row(now, Kind.START, task.entity, task.visit, task.stage, rep.position, -1, now - task.entered, end)

    def hand_over(self, customer: Customer, rep: int) -> None:
        """A customer gets another owner; one whom nobody owned has nobody to miss."""
        if customer.owner != NO_ONE:
            customer.handed_over = self.now()
        customer.owner = rep
        self.ledger.row(self.now(), Kind.ASSIGN, int(customer.identity), 0, -1, rep, customer.position, 0, 0)

    # ---- the life of a lead -------------------------------------------------------------------------------------

    def _arrivals(self) -> Process:
        first_stage = self.model.sources.first_stage.tolist()
        for tick, lead in each_lead(self.model, self.key, new_leads(self.model, self.key)):
            yield self.wait_until(tick, Moment.ARRIVE, lead.entity)
            self.ledger.lead(lead)
            self.ledger.row(tick, Kind.ARRIVE, lead.entity, 0, -1, NO_ONE, lead.source, lead.value, lead.region)
            self.env.process(self._lead_life(lead, first_stage[lead.source], {}))

    def _opening_life(self, opening: Opening) -> Process:
        """An opportunity that was open at the start: at work's door if it is new in its stage, else the work of the
        stage is done and the customer, silent so far, is deciding."""
        model, known, owner = self.model, self.lists, opening.owner
        lead, stage = opening_lead(model, self.key, opening), opening.stage
        yield self.wait_until(0, Moment.READY, lead.entity, stage)
        self.ledger.lead(lead)
        self.ledger.row(0, Kind.OPEN, lead.entity, 0, stage, owner, lead.source, lead.value, opening.created)
        keepers = {} if owner == NO_ONE else {known.rep_role[owner]: owner}
        yes, no = known.delay[stage], known.loss_delay[stage]
        customers = model.customers
        silent = int(work_between(customers.opens, customers.closes, customers.cum, opening.entered, 0))
        # A customer who answers at once is never found deciding: the work itself must be open.
        if silent == 0 or (yes == NO_DISTRIBUTION and no == NO_DISTRIBUTION):
            yield from self._lead_life(lead, stage, keepers)
            return
        if owner == NO_ONE:
            owner = self.router.keeper(lead, stage)
            keepers = {known.rep_role[owner]: owner}
        shift = known.shift[self.reps[owner].epoch(0)][stage]
        chance = conversion(known.base_logit[stage], shift + lead.quality)
        days = silent / DAY
        chance, below_yes, below_no = chance_given_silence(model.tables, yes, no, chance, days)
        _, _, u_outcome, u_delay = visit_draws(model.tables, -1, -1, self.key, np.uint64(lead.entity), stage, 0)
        agrees = u_outcome < chance
        rest = days_left(model.tables, yes if agrees else no, below_yes if agrees else below_no, days, u_delay)
        if (yield from self._answer(lead, stage, 0, owner, agrees, rest, keepers)):
            yield from self._lead_life(lead, stage + 1, keepers)

    def _lead_life(self, lead: Lead, stage: int, keepers: dict[int, int]) -> Process:
        """From a stage to the end: wait, be worked, await the customer's answer, go on.

        Args:
            keepers: the rep by role who has worked the lead.
        """
        known = self.lists
        while stage < len(known.after_win):
            served = yield from self._stage_visit(lead, stage, keepers)
            if served is None:
                return
            visit, rep, epoch, u_outcome, u_delay = served
            if not known.after_win[stage]:
                agrees = u_outcome < conversion(known.base_logit[stage], known.shift[epoch][stage] + lead.quality)
                clock = known.delay[stage] if agrees else known.loss_delay[stage]
                delay = days_drawn(self.model.tables, clock, u_delay)
                if not (yield from self._answer(lead, stage, visit, rep, agrees, delay, keepers)):
                    return
            stage += 1

    def _stage_visit(self, lead: Lead, stage: int, keepers: dict[int, int]) -> Process:
        """Queue at a stage until worked; cold leads may rest and come back, or go to the pool.

        Returns:
            visit, rep, epoch of the rep's skill, draws of outcome and delay; None where the lead is lost.
        """
        known, entity = self.lists, np.uint64(lead.entity)
        visit, rests, pooled = 0, 0, False
        while True:
            patience, hours, u_outcome, u_delay = visit_draws(
                self.model.tables, known.patience[stage], known.effort[stage], self.key, entity, stage, visit
            )
            task = Task(self.env, lead.entity, stage, visit, hours)
            if known.support[stage] != NO_ONE:
                task.support = known.support[stage]
                task.support_hours = self._support_hours(entity, stage, visit)
            desk = self.router.pool(lead, stage) if pooled else self.router.desk(lead, stage, keepers)
            granted = yield from self.work(task, desk, lead.value, 1 << 20, patience)
            if granted is not None:
                rep, epoch = granted
                keepers[known.rep_role[rep]] = rep
                return visit, rep, epoch, u_outcome, u_delay
            now, holder = self.now(), task.holder
            rest = self._rest(entity, stage, visit) if rests < known.recycle_max[stage] else -1
            if rest >= 0:
                rests += 1
                self.ledger.row(now, Kind.REST, lead.entity, visit, stage, holder, lead.source, lead.value, rest)
                visit += 1
                back = later(*self.model.customers, now, rest)
                yield self.wait_until(back, Moment.READY, lead.entity, stage, visit)
            elif known.to_pool[stage] and not pooled:
                pooled = True
                self.ledger.row(now, Kind.RETURN, lead.entity, visit, stage, holder, -1, 0, now - task.entered)
                visit += 1
            else:
                waited = now - task.entered
                self.ledger.row(now, Kind.COLD, lead.entity, visit, stage, holder, lead.source, lead.value, waited)
                return None

    def _rest(self, entity: np.uint64, stage: int, visit: int) -> int:
        """Ticks of rest of a lead gone cold; -1 if it does not come back."""
        rest, chance = self.lists.recycle_rest[stage], self.lists.recycle_chance[stage]
        return comes_back(self.model.tables, rest, chance, self.key, entity, stage, visit)

    def work(self, task: Task, desk: Desk, value: int, tier: int, patience: int) -> Process:
        """Queue a task and see it worked.

        Args:
            patience: ticks on the customers' clock after which the task goes cold.

        Returns:
            The rep and the epoch of the rep's skill when work began; None where the task went cold.
        """
        now = self.now()
        task.entered = now
        task.sort = (*self._key_of(now, task.stage, value, tier), task.entity, task.stage, task.visit)
        deadline = NEVER if patience >= NEVER else later(*self.model.customers, now, patience)
        self.ledger.row(now, Kind.ENTER, task.entity, task.visit, task.stage, desk.rep, -1, deadline, 0)
        if deadline < self.model.end:
            out = self.wait_until(deadline, Moment.PATIENCE, task.entity, task.stage, task.visit)
            out.callbacks.append(lambda _: self.goes_cold(task))
        self.router.watch_for_return(task, now)
        desk.join(task)
        worked = yield task.done
        if worked is None:
            return None
        rep, begun = worked
        end = self.now()
        spent = work_between(rep.clock.opens, rep.clock.closes, rep.clock.cum, begun, end)
        self.ledger.row(end, Kind.END, task.entity, task.visit, task.stage, rep.position, -1, begun, spent)
        rep.release(end)
        return rep.position, rep.epoch(begun)

    def _answer(
        self, lead: Lead, stage: int, visit: int, rep: int, agrees: bool, delay: int, keepers: dict[int, int]
    ) -> Process:
        """The customer takes time and answers; a yes at the last deciding stage is a win.

        Returns:
            Whether the lead goes on.
        """
        if delay > 0:
            back = later(*self.model.customers, self.now(), delay)
            yield self.wait_until(back, Moment.READY, lead.entity, stage, visit)
        now, rep = self.now(), self.router.holder(rep, lead.entity)
        wins = agrees and self._is_win(stage)
        kind = Kind.WON if wins else Kind.ANSWER_YES if agrees else Kind.ANSWER_NO
        self.ledger.row(now, kind, lead.entity, visit, stage, rep, lead.source, lead.value, delay)
        if wins:
            self.book(lead, rep, keepers)
            self._becomes_customer(lead, rep, keepers, now)
        return agrees

    def book(self, lead: Lead, rep: int, keepers: Mapping[int, int]) -> None:
        """A sale is signed and credited: to the rep, or to those who worked it by their roles' shares."""
        now = self.now()
        parts = divided(self.model.credit, keepers)
        heirs = [(self.router.holder(who, lead.entity), upto) for who, upto in parts]
        for who, amount in self.ledger.book(now, lead, rep, heirs):
            self.drive.sold(who, now, amount)

    def _becomes_customer(self, lead: Lead, rep: int, keepers: Mapping[int, int], now: int) -> None:
        if self.model.new_customer is not None and lead.account == NO_ONE:
            owner = self.router.customer_owner(lead, rep, keepers)
            customer = newcomer(self.model, self.key, lead, owner, now)
            self.customers.append(customer)
            if owner != rep:
                self.ledger.row(now, Kind.ASSIGN, lead.entity, 0, -1, owner, NO_ONE, 0, 0)
            self.env.process(customer_life(self, customer))

    def _is_win(self, stage: int) -> bool:
        after = self.lists.after_win
        return stage + 1 == len(after) or after[stage + 1]

    def _support_hours(self, entity: np.uint64, stage: int, visit: int) -> float:
        # A stage position of its own for the support's effort: 128 + stage is beyond any stage of the funnel.
        effort = self.lists.support_effort[stage]
        _, hours, _, _ = visit_draws(self.model.tables, -1, effort, self.key, entity, 128 + stage, visit)
        return hours

    def goes_cold(self, task: Task) -> None:
        """A task that still waits is given up."""
        if task.desk is not None:
            task.desk.leave(task)
            task.done.succeed(None)

    # ---- people come and go ---------------------------------------------------------------------------------------

    def _seat(self, rep: RepState) -> Process:
        """Who sits on one seat, one person after the other: they join, perhaps leave, perhaps are replaced.

        Nobody knows beforehand that somebody will give notice: the running task is finished first.
        """
        reps, end = self.model.reps, self.model.end
        yearly, delay = float(reps.attrition[rep.position]), int(reps.replaced_after[rep.position])
        if not rep.employed:
            yield from self._joining(rep, rep.joined)
        while True:
            identity = np.uint64(rep.identity)
            leaves = min(rep.leaves, int(attrition_time(self.key, identity, rep.joined, rep.left, yearly)))
            if leaves >= end:
                return
            yield self.wait_until(leaves, Moment.LEAVE, rep.identity)
            if rep.busy:
                rep.notice = simpy.Event(self.env)
                yield rep.notice
            self._leaves(rep)
            if delay < 0 or self.now() + delay >= end:
                return
            yield from self._joining(rep, self.now() + delay)

    def _joining(self, rep: RepState, tick: int) -> Process:
        yield self.wait_until(tick, Moment.JOIN, rep.identity)
        rep.join(tick)
        self.router.staff_changed()
        self.ledger.row(tick, Kind.JOIN, rep.identity, 0, -1, rep.position, -1, 0, 0)
        rep.wake_desks()

    def _leaves(self, rep: RepState) -> None:
        """Waiting work goes to the successor or to colleagues; so do customers, which costs some of their orders."""
        now = self.now()
        rep.leave(now)
        self.router.staff_changed()
        self.ledger.row(now, Kind.LEAVE, rep.identity, 0, -1, rep.position, -1, 0, 0)
        self.router.reassign(rep)
