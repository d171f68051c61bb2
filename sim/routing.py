"""Who gets a lead, and what becomes of the work of a rep who leaves.

Candidates always stand in the order of their identities, so no decision depends on the order of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from scenarios.ticks import DAY
from sim.components import NO_ONE, Desk, RepState, Task
from sim.instant import Moment
from sim.log import Kind, Lead
from sim.rules import rendezvous, share_row, skilled_weight
from sim.streams import pair_identity, room_for

if TYPE_CHECKING:
    from sim.reference import World

Positions = NDArray[np.int64]
Floats = NDArray[np.float64]

TERRITORY_KEY: Final = np.uint64(0)
"""A territory has its rep in every replication alike, so its draw knows no replication."""


class Router:
    """Desks of all reps and pools, and the choice among them."""

    def __init__(self, world: World) -> None:
        self.world = world
        model = world.model
        scenario = model.scenario
        self._same_rep = scenario.routing.same_rep
        self._anywhere = scenario.routing.across_regions
        self._weight = model.reps.weight
        self._draws = room_for(len(world.reps))
        self._role, self._region = world.lists.rep_role, world.lists.rep_region
        self._stage_role = world.lists.stage_role
        self._turn: dict[tuple[int, int], int] = {}
        self._staff: dict[tuple[int | None, int | None], Positions] = {}
        days = scenario.routing.return_to_pool_days
        self._return_after = None if days is None else round(days * DAY)
        self._in_order = sorted(world.reps, key=lambda rep: rep.identity)
        self.desks: list[Desk] = [Desk(world, NO_ONE)] * len(world.reps)
        for rank, rep in enumerate(self._in_order):
            self.desks[rep.position] = Desk(world, rank, rep.position)
        self._pools = self._build_pools()
        for rep in self._in_order:
            rep.desks = [
                self.desks[rep.position],
                self._pool(self._role[rep.position], self._region[rep.position]),
            ]
            for desk in rep.desks:
                desk.reps.append(rep)

    def _build_pools(self) -> dict[tuple[int, int], Desk]:
        """One pool for each role and region, in order of their identities, after all own desks."""
        model = self.world.model
        roles, regions = model.role_identity, model.region_identity
        places = sorted(
            product(range(len(roles)), range(len(regions))),
            key=lambda place: int(pair_identity(roles[place[0]], regions[place[1]])),
        )
        return {place: Desk(self.world, len(self.desks) + rank) for rank, place in enumerate(places)}

    # ---- leads ----------------------------------------------------------------------------------------------------

    def desk(self, lead: Lead, stage: int, keepers: dict[int, int]) -> Desk:
        """Where a lead queues at a stage: with the rep who has it or the successor, else by the routing policy."""
        role = self._stage_role[stage]
        keeper = self._heir(keepers.get(role, NO_ONE)) if self._same_rep else NO_ONE
        return self.desks[keeper] if keeper != NO_ONE else self._routed(lead, stage, role)

    def pool(self, lead: Lead, stage: int) -> Desk:
        """The public pool of the stage's role in the lead's region."""
        return self._pool(self._stage_role[stage], lead.region)

    def keeper(self, lead: Lead, stage: int) -> int:
        """Who answers for an opportunity that was found with nobody: one of the role, of the region, or anyone.

        Where nobody is employed, the next who comes.
        """
        role = self._stage_role[stage]
        rep = self._routed(lead, stage, role).rep
        places = ((role, lead.region), (None, lead.region), (None, None))
        return self._anyone(lead.entity, places) if rep == NO_ONE else rep

    def responsible(self, owner: int, entity: int, region: int) -> int:
        """Who answers for a deal of an owner, or of nobody: then one of the region, or anyone."""
        if owner != NO_ONE:
            return self.holder(owner, entity)
        return self._anyone(entity, ((None, region), (None, None)))

    def _anyone(self, entity: int, places: Sequence[tuple[int | None, int | None]]) -> int:
        """One of those employed in the first of some places (role, region) where somebody is; else the next to come."""
        rep = NO_ONE
        for place in places:
            if rep == NO_ONE:
                rep = self._pick(entity, self._employed(*place))
        if rep == NO_ONE:
            hired = self.world.model.reps.hired
            rep = min(
                self._in_order, key=lambda rep: (hired[rep.position] < self.world.now(), hired[rep.position])
            ).position
        return rep

    def holder(self, rep: int, entity: int) -> int:
        """Who answers for a rep's lead or customer: the rep, after leaving the successor, else a colleague.

        Where nobody is left, the departed rep.
        """
        if not self.world.reps[rep].departed:
            return rep
        heir = self._heir(rep)
        if heir == NO_ONE:
            heir = self._pick(entity, self._employed(self._role[rep], self._region[rep]))
        return rep if heir == NO_ONE else heir

    # ---- customers ------------------------------------------------------------------------------------------------

    def owner_desk(self, owner: int, entity: int, region: int) -> Desk:
        """The owner's desk; for a customer whom nobody owns, that of a rep of the region, of the owning role if any."""
        if owner == NO_ONE or not self.world.reps[owner].employed:
            role = self.world.model.owner_role
            owner = self._pick(entity, self._employed(role, region)) if role != NO_ONE else NO_ONE
            owner = self._pick(entity, self._employed(None, region)) if owner == NO_ONE else owner
        return self.desks[owner] if owner != NO_ONE else self._pool(0, region)

    def customer_owner(self, lead: Lead, winner: int, keepers: Mapping[int, int]) -> int:
        """Who owns a won customer: the rep of the owning role who worked it, else one of that role by rendezvous.

        The winner, where no role is named or nobody of it serves the region.
        """
        role = self.world.model.owner_role
        if role == NO_ONE:
            return winner
        rep = self._heir(keepers.get(role, NO_ONE))
        if rep == NO_ONE:
            rep = self._pick(lead.entity, self._employed(role, lead.region))
        return winner if rep == NO_ONE else rep

    # ---- people come and go -----------------------------------------------------------------------------------------

    def staff_changed(self) -> None:
        """Somebody came or left: who is there must be looked up anew."""
        self._staff.clear()

    def reassign(self, rep: RepState) -> None:
        """A rep has left: waiting tasks and customers go to the successor, else to colleagues by rendezvous."""
        world = self.world
        own, now = self.desks[rep.position], world.now()
        for _, task in list(own.items):
            own.leave(task)
            target = self.holder(rep.position, task.entity)
            here = self._pool(self._role[rep.position], self._region[rep.position])
            (self.desks[target] if target != rep.position else here).join(task)
        for customer in world.customers:
            if customer.owner == rep.position and customer.gone > now:
                target = self.holder(rep.position, int(customer.identity))
                world.hand_over(customer, NO_ONE if target == rep.position else target)

    # ---- back to the pool -----------------------------------------------------------------------------------------

    def watch_for_return(self, task: Task, now: int) -> None:
        """A lead that its rep leaves unworked too long goes to the public pool."""
        model = self.world.model
        if self._return_after is None or task.stage >= model.stages.count or now + self._return_after >= model.end:
            return
        pool = self.pool(self.world.ledger.leads[task.entity], task.stage)
        event = self.world.wait_until(
            now + self._return_after, Moment.RETURN_TO_POOL, task.entity, task.stage, task.visit
        )
        event.callbacks.append(lambda _: self._return(task, pool))

    def _return(self, task: Task, pool: Desk) -> None:
        if task.desk is None or task.desk is pool:
            return
        now, rep = self.world.now(), task.holder
        task.desk.leave(task)
        self.world.ledger.row(now, Kind.RETURN, task.entity, task.visit, task.stage, rep, -1, 0, now - task.entered)
        pool.join(task)

    # ---- choices --------------------------------------------------------------------------------------------------

    def _routed(self, lead: Lead, stage: int, role: int) -> Desk:
        model = self.world.model
        policy = model.sources.policy[lead.source] if lead.source >= 0 else model.scenario.routing.policy
        pool = self._pool(role, lead.region)
        if policy == "pool":
            return pool
        candidates = self._employed(role, lead.region)
        match policy:
            case "round_robin":
                rep = self._next_in_turn(candidates, role, lead.region)
            case "least_loaded":
                rep = self._least_loaded(candidates)
            case "skill_based":
                rep = self._pick(lead.entity, candidates, self._skilled(candidates, stage))
            case "territory":
                rep = self._pick(self._territory(lead), candidates, key=TERRITORY_KEY)
            case "owner" if lead.account != NO_ONE and self._owner(lead.account) in candidates:
                rep = self._owner(lead.account)
            case _:  # even, and owner routing of a lead that belongs to no account
                rep = self._pick(lead.entity, candidates, self._given(lead.source, role))
        return self.desks[rep] if rep != NO_ONE else pool

    def _employed(self, role: int | None, region: int | None) -> Positions:
        """Employed reps of a role who serve a region (any, where None), in order of identity."""
        region = None if self._anywhere else region
        place = role, region
        if place not in self._staff:
            self._staff[place] = np.array(
                [
                    rep.position
                    for rep in self._in_order
                    if rep.employed
                    and (role is None or self._role[rep.position] == role)
                    and (region is None or self._region[rep.position] == region)
                ],
                dtype=np.int64,
            )
        return self._staff[place]

    def _pick(
        self,
        entity: int | np.uint64,
        candidates: Positions,
        weights: Floats | None = None,
        key: np.uint64 | None = None,
    ) -> int:
        if weights is None:
            weights = self._weight
        key = self.world.key if key is None else key
        identities = self.world.model.reps.identity
        return int(rendezvous(key, np.uint64(entity), candidates, identities, weights, self._draws))

    def _given(self, source: int, role: int) -> Floats | None:
        """Shares of a source's leads that the plan gives to reps of the role at its entry; else None."""
        model = self.world.model
        given = model.lead_shares
        if not given or source < 0 or self._stage_role[int(model.sources.first_stage[source])] != role:
            return None
        row = int(share_row(given.starts, given.rows, source, self.world.now()))
        return None if row < 0 else given.weights[row]

    def _willing(self, candidates: Positions) -> list[int]:
        return [rep for rep in candidates.tolist() if self._weight[rep] > 0]

    def _next_in_turn(self, candidates: Positions, role: int, region: int) -> int:
        willing = self._willing(candidates)
        if not willing:
            return NO_ONE
        place = (role, 0 if self._anywhere else region)
        turn = self._turn.get(place, 0)
        self._turn[place] = turn + 1
        return willing[turn % len(willing)]

    def _least_loaded(self, candidates: Positions) -> int:
        """The rep with the fewest tasks, waiting or in work; the first in order of several."""
        reps, desks = self.world.reps, self.desks
        return min(self._willing(candidates), key=lambda rep: len(desks[rep].items) + reps[rep].busy, default=NO_ONE)

    def _skilled(self, candidates: Positions, stage: int) -> Floats:
        world = self.world
        reps, now = world.model.reps, world.now()
        reference = world.model.scenario.skills.reference
        weights = np.zeros(len(self._weight))
        for rep in candidates.tolist():
            points = float(reps.skill[world.reps[rep].epoch(now), stage])
            weights[rep] = skilled_weight(self._weight[rep], points, reference)
        return weights

    def _territory(self, lead: Lead) -> np.uint64:
        """Region and segment as one identity: the same rep gets all its leads."""
        model = self.world.model
        segment = model.segment_identity[max(lead.segment, 0)]
        return np.uint64(pair_identity(model.region_identity[lead.region], segment))

    def _owner(self, account: int) -> int:
        return self.world.customers[account].owner

    def _heir(self, rep: int) -> int:
        """The rep, while employed, else the first employed successor down the line; -1 where there is none."""
        passed: set[int] = set()
        while rep != NO_ONE and self.world.reps[rep].departed and rep not in passed:
            passed.add(rep)
            rep = int(self.world.model.reps.successor[rep])
        return rep if rep != NO_ONE and self.world.reps[rep].employed else NO_ONE

    def _pool(self, role: int, region: int) -> Desk:
        return self._pools[role, 0 if self._anywhere else region]
