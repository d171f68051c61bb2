"""The visible parts of the reference engine: content-ordered events, tasks, reps, desks and support people."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import simpy

from scenarios.ticks import NEVER
from sim.instant import Moment, content_key
from sim.rules import effort_ticks
from sim.worktime import WorkClock, add_work, next_open

if TYPE_CHECKING:
    from sim.reference import World

NO_ONE = -1


def at(env: simpy.Environment, delay: int, key: int) -> simpy.Event:
    """An event ``delay`` ticks from now that takes its turn within the instant by its content key."""
    event = simpy.Event(env)
    fall_due(event, delay, key, None)
    return event


def fall_due(event: simpy.Event, delay: int, key: int, value: object) -> None:
    """Let an event happen ``delay`` ticks from now, in its turn within the instant, and hand on a value.

    SimPy sorts events of one time by priority and keeps 0 and 1 for itself, so keys begin at 2.
    """
    event._ok = True
    event._value = value
    event.env.schedule(event, key + 2, delay)  # type: ignore[arg-type]  # SimPy compares priorities and asks no more


class Task:
    """One piece of work that waits in a queue: a stage visit, an account's order or a care visit."""

    __slots__ = (
        "desk",
        "done",
        "entered",
        "entity",
        "holder",
        "hours",
        "sort",
        "stage",
        "support",
        "support_hours",
        "visit",
    )

    def __init__(self, env: simpy.Environment, entity: int, stage: int, visit: int, hours: float) -> None:
        self.entity = entity
        self.stage = stage
        self.visit = visit
        self.hours = hours
        self.support = NO_ONE
        self.support_hours = 0.0
        self.entered = 0
        self.sort: tuple[int, ...] = ()
        self.desk: Desk | None = None
        self.holder = NO_ONE
        """The rep at whose desk it waits or waited last; the pool is nobody."""
        self.done = simpy.Event(env)
        """Happens when the work ends, with who did it; at once and with ``None`` when the task goes cold."""


class RepState:
    """A seat and who sits on it: one task at a time, inside the own working time.

    Attributes:
        left: how many people have left the seat.
        first_left: tick at which the first of them did, ``NEVER`` so far.
        joined: tick at which whoever sits there joined, 0 from the start.
        notice: happens when the running task of somebody who gave notice ends.
    """

    def __init__(self, world: World, position: int) -> None:
        reps = world.model.reps
        self.world = world
        self.position = position
        self.identity = int(reps.identity[position])
        self.clock: WorkClock = reps.clocks[position]
        self.busy = False
        self.idle_since = 0
        self.employed = bool(reps.hired[position] == 0)
        self.departed = False
        self.leaves = int(reps.leaves[position])
        self.winding_up = False
        self.desks: list[Desk] = []
        self.left = 0
        self.first_left = NEVER
        self.joined = int(reps.hired[position])
        self.notice: simpy.Event | None = None
        self._newcomer = int(reps.newcomer_first[position])
        first, last = int(reps.epoch_first[position]), int(reps.epoch_first[position + 1])
        self._starts: list[int] = reps.epoch_start[first:last].tolist()
        self._first = first

    @property
    def free(self) -> bool:
        """Whether the rep could take a task once at work."""
        return not self.busy and self.employed and not self.winding_up

    def epoch(self, now: int) -> int:
        """The stretch of constant skill and ramp that holds at a tick."""
        if self.left and self.employed:
            return self._newcomer + bisect_right(self.world.lists.tenure, now - self.joined) - 1
        return self._first + bisect_right(self._starts, now) - 1

    def opens(self, now: int) -> int:
        """The first tick from now on at which the rep works."""
        return next_open(self.clock.opens, self.clock.closes, now)

    def finish_time(self, now: int, task: Task) -> int:
        """When the task would be done if begun now; ``NEVER`` where the rep leaves before."""
        factor = self.world.lists.factor[self.epoch(now)][task.stage]
        pace = self.world.drive.pace(self.position, now)
        return add_work(*self.clock, now, effort_ticks(task.hours, factor / pace))

    def release(self, now: int) -> None:
        """The task is done: look for the next."""
        self.busy = False
        self.idle_since = now
        if self.notice is not None:
            self.winding_up = True
            fall_due(self.notice, 0, content_key(Moment.LEAVE, self.identity), None)
            return
        self.wake_desks()

    def wake_desks(self) -> None:
        """There is somebody to work again."""
        for desk in self.desks:
            desk.touch()

    def leave(self, now: int) -> None:
        """Whoever sits on the seat goes."""
        self.employed, self.departed = False, True
        self.left += 1
        self.first_left = min(self.first_left, now)
        self.notice = None

    def join(self, now: int) -> None:
        """A new rep begins, or a new hire takes the seat of one who left, with working time and pace of their own."""
        self.employed, self.departed, self.winding_up = True, False, False
        self.idle_since = self.joined = now
        if self.left:
            self.clock, self.leaves = self.world.model.reps.seat_clocks[self.position], NEVER


class Support:
    """People whom a task needs jointly with its rep: both are taken together or neither."""

    def __init__(self, world: World, position: int, rank: int) -> None:
        self.world = world
        self.position = position
        self.rank = rank
        self.free = int(world.model.support_people[position])
        self.clock = world.model.support_clocks[position]
        self.pace = float(world.model.support_pace[position])
        self.waiting: dict[int, Desk] = {}
        self._woken = NO_ONE
        self._pending = False

    def available(self, now: int) -> bool:
        """Whether somebody is free and at work."""
        return self.free > 0 and next_open(self.clock.opens, self.clock.closes, now) == now

    def take(self, now: int, task: Task) -> None:
        """One person is held for the support work of the task."""
        self.free -= 1
        end = add_work(*self.clock, now, effort_ticks(task.support_hours, 1.0 / self.pace))
        if end < NEVER:
            event = at(self.world.env, end - now, content_key(Moment.END, task.entity, task.stage, task.visit))
            event.callbacks.append(self._give_back)

    def wake_later(self, now: int) -> None:
        """Somebody waits for this support: look again when it opens."""
        if self.free > 0:
            opening = next_open(self.clock.opens, self.clock.closes, now)
            if now < opening < NEVER and self._woken != opening:
                self._woken = opening
                event = at(self.world.env, opening - now, content_key(Moment.WAKE, self.rank))
                event.callbacks.append(lambda _: self._touch_waiting())

    def touch(self) -> None:
        """Something changed: give support, before any desk turns to other work."""
        if not self._pending:
            self._pending = True
            event = at(self.world.env, 0, content_key(Moment.DISPATCH_SUPPORT, self.rank))
            event.callbacks.append(self._dispatch)

    def _give_back(self, _: Any) -> None:
        self.free += 1
        self._touch_waiting()

    def _touch_waiting(self) -> None:
        for desk in self.waiting.values():
            desk.touch()

    def _dispatch(self, _: Any) -> None:
        """Serve the desks whose next task needs this support, the task that is first by the discipline first."""
        self._pending = False
        now = self.world.now()
        while self.available(now):
            best: tuple[Task, Desk, RepState] | None = None
            for desk in self.waiting.values():
                rep = desk.idle_rep(now)
                task = desk.first_workable(now) if rep is not None else None
                if rep is None or task is None or task.support != self.position:
                    continue
                if best is None or task.sort < best[0].sort:
                    best = task, desk, rep
            if best is None:
                return
            task, desk, rep = best
            desk.start(rep, task, now)


class Desk:
    """A queue and the reps who serve it: a rep's own, or the public pool of a role and region.

    Attributes:
        rank: its place in the order of one instant; own desks come before pools.
        rep: whose desk it is, ``NO_ONE`` for a pool.
        reps: who serve it, in order of identity.
    """

    def __init__(self, world: World, rank: int, rep: int = NO_ONE) -> None:
        self.world = world
        self.rank = rank
        self.rep = rep
        self.reps: list[RepState] = []
        self.items: list[tuple[tuple[int, ...], Task]] = []
        self._needs: Counter[int] = Counter()
        self._pending = False
        self._woken = NO_ONE

    def join(self, task: Task) -> None:
        """A task queues up."""
        task.desk = self
        task.holder = self.rep
        insort(self.items, (task.sort, task))
        if task.support != NO_ONE:
            self._needs[task.support] += 1
            self.world.support[task.support].waiting[self.rank] = self
        self.touch()

    def leave(self, task: Task) -> None:
        """A task goes, to be worked or not."""
        del self.items[bisect_left(self.items, (task.sort,))]
        task.desk = None
        if task.support != NO_ONE:
            self._needs[task.support] -= 1
            if not self._needs[task.support]:
                del self._needs[task.support]
                del self.world.support[task.support].waiting[self.rank]

    def touch(self) -> None:
        """Something changed: match tasks and reps at the end of this instant, if there may be a match."""
        if not self.items or not any(rep.free for rep in self.reps):
            return
        for support in self._needs:
            self.world.support[support].touch()
        if not self._pending:
            self._pending = True
            event = at(self.world.env, 0, content_key(Moment.DISPATCH, self.rank))
            event.callbacks.append(self._dispatch)

    def idle_rep(self, now: int) -> RepState | None:
        """The rep who has been idle longest and is at work; the first in order of several."""
        best: RepState | None = None
        for rep in self.reps:
            if rep.free and (best is None or rep.idle_since < best.idle_since) and rep.opens(now) == now:
                best = rep
        return best

    def first_workable(self, now: int) -> Task | None:
        """The first task in order whose support, if it needs any, is there."""
        for _, task in self.items:
            if task.support == NO_ONE or self.world.support[task.support].available(now):
                return task
        return None

    def start(self, rep: RepState, task: Task, now: int) -> None:
        """Begin the task now; a rep who would leave before it is done takes no more work."""
        end = rep.finish_time(now, task)
        if end >= NEVER and rep.leaves < NEVER:
            rep.winding_up = True
            return
        self.leave(task)
        rep.busy = True
        if task.support != NO_ONE:
            self.world.support[task.support].take(now, task)
        self.world.record_start(task, rep, now, end)
        key = content_key(Moment.END, task.entity, task.stage, task.visit)
        fall_due(task.done, end - now, key, (rep, now))

    def _dispatch(self, _: Any) -> None:
        self._pending = False
        now = self.world.now()
        while self.items:
            rep = self.idle_rep(now)
            if rep is None:
                self._wake_later(now)
                return
            task = self.first_workable(now)
            if task is None:
                for needed in self._needs:
                    self.world.support[needed].wake_later(now)
                return
            self.start(rep, task, now)

    def _wake_later(self, now: int) -> None:
        """Nobody is at work: look again when the first idle rep's working time opens."""
        opening = min((rep.opens(now) for rep in self.reps if rep.free), default=NEVER)
        if now < opening < NEVER and self._woken != opening:
            self._woken = opening
            event = at(self.world.env, opening - now, content_key(Moment.WAKE, self.rank))
            event.callbacks.append(lambda _: self.touch())


Discipline = Callable[[int, int, int, int], tuple[int, ...]]
"""(entered, stage, value, tier rank) -> what is compared first; smaller is served first."""

DISCIPLINES: dict[str, Discipline] = {
    "fifo": lambda entered, stage, value, tier: (entered,),  # noqa: ARG005
    "late_stage_first": lambda entered, stage, value, tier: (-stage, entered),  # noqa: ARG005
    "value_first": lambda entered, stage, value, tier: (-value, entered),  # noqa: ARG005
    "tier_first": lambda entered, stage, value, tier: (tier, entered),  # noqa: ARG005
}
