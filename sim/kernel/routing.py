"""Who gets a lead in the compiled engine: the choices of :class:`sim.routing.Router`, one function each.

Candidates stand in the order of their identities. Who is employed in which role and region is listed anew when
somebody has come or gone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scenarios.ticks import NEVER
from sim.compile import kernel
from sim.kernel.names import (
    LEAST_LOADED,
    OWNER,
    POOL,
    ROUND_ROBIN,
    SKILL_BASED,
    TERRITORY,
)
from sim.kernel.people import epoch_of
from sim.kernel.tables import a_customer, a_desk, a_rep, a_source, a_stage, an_item, identity_at, put, real, whole
from sim.kernel.view import view
from sim.kernel.world import IDENTITY, MANY, REAL, WHOLE, World, key_of
from sim.rules import rendezvous, share_row, skilled_weight
from sim.streams import pair_identity

ANY = -1


@kernel
def pool_of(w: World, role: int, region: int) -> int:
    """The public pool of a role and region."""
    place = 0 if w.across == 1 else region
    return w.rep_count + role * w.region_count + place


@kernel
def list_staff(w: World) -> None:
    """Who is employed, by role and region; one more of each stands for any."""
    places = (w.role_count + 1) * (w.region_count + 1)
    for place in range(places + 1):
        put(w.staff_first, place, 0)
    for turn in (0, 1):
        for rank in range(w.rep_count):
            r = whole(w.in_order, rank)
            rep = a_rep(w, r)
            if rep.employed == 0:
                continue
            for role in (np.int64(rep.role), w.role_count):
                for region in (np.int64(rep.region), w.region_count):
                    place = role * (w.region_count + 1) + region
                    if turn == 0:
                        put(w.staff_first, place + 1, whole(w.staff_first, place + 1) + 1)
                    else:
                        at = whole(w.staff_first, place)
                        put(w.staff, at, r)
                        put(w.staff_first, place, at + 1)
        if turn == 0:
            for place in range(places):
                put(w.staff_first, place + 1, whole(w.staff_first, place + 1) + whole(w.staff_first, place))
    # Filling has moved each start to its end, which is where the next one starts.
    for place in range(places, 0, -1):
        put(w.staff_first, place, whole(w.staff_first, place - 1))
    put(w.staff_first, 0, 0)
    w.staff_known = 1


@kernel
def employed(w: World, role: int, region: int) -> Any:
    """Employed reps of a role who serve a region; ``ANY`` of either."""
    if w.staff_known == 0:
        list_staff(w)
    row = w.role_count if role == ANY else role
    column = w.region_count if region == ANY or w.across == 1 else region
    place = row * (w.region_count + 1) + column
    first = whole(w.staff_first, place)
    return view(w.staff + 8 * first, whole(w.staff_first, place + 1) - first, WHOLE)


@kernel
def pick(w: World, key: np.uint64, entity: np.uint64, candidates: Any) -> int:
    """One of the candidates by rendezvous, weighted by the reps' shares of leads."""
    identities = view(w.rep_identities, w.rep_count, IDENTITY)
    weights, draws = view(w.rep_weights, w.rep_count, REAL), view(w.draws, MANY, REAL)
    return rendezvous(key, entity, candidates, identities, weights, draws)


@kernel
def heir_of(w: World, r: int) -> int:
    """The rep, while employed, else the first employed successor down the line; -1 where there is none."""
    steps = 0
    while r != -1 and a_rep(w, r).departed == 1 and steps <= w.rep_count:
        r = a_rep(w, r).successor
        steps += 1
    return r if r != -1 and a_rep(w, r).employed == 1 else -1


@kernel
def holder_of(w: World, r: int, entity: np.uint64) -> int:
    """Who answers for a rep's lead or customer: the rep, the successor, else a colleague; else the departed rep."""
    rep = a_rep(w, r)
    if rep.departed == 0:
        return r
    heir = heir_of(w, r)
    if heir == -1:
        heir = pick(w, key_of(w), entity, employed(w, rep.role, rep.region))
    return r if heir == -1 else heir


@kernel
def anyone(w: World, entity: np.uint64, role: int, region: int, first_try: bool) -> int:
    """One of those employed in a role and region (where asked), in the region, or at all; else the next to come."""
    found = -1
    if first_try:
        found = pick(w, key_of(w), entity, employed(w, role, region))
    if found == -1:
        found = pick(w, key_of(w), entity, employed(w, ANY, region))
    if found == -1:
        found = pick(w, key_of(w), entity, employed(w, ANY, ANY))
    if found == -1:
        soonest, passed = NEVER, 2
        for rank in range(w.rep_count):
            r = whole(w.in_order, rank)
            hired = a_rep(w, r).hired
            gone = 1 if hired < w.now else 0
            if gone < passed or (gone == passed and hired < soonest):
                found, soonest, passed = r, hired, gone
    return found


@kernel
def responsible(w: World, owner: int, entity: np.uint64, region: int) -> int:
    """Who answers for a deal of an owner, or of nobody: then one of the region, or anyone."""
    if owner != -1:
        return holder_of(w, owner, entity)
    return anyone(w, entity, ANY, region, False)


@kernel
def owner_desk(w: World, owner: int, entity: np.uint64, region: int) -> int:
    """The owner's desk; for a customer whom nobody owns, that of a rep of the region, of the owning role if any."""
    if owner == -1 or a_rep(w, owner).employed == 0:
        owner = -1
        if w.owner_role != -1:
            owner = pick(w, key_of(w), entity, employed(w, w.owner_role, region))
        if owner == -1:
            owner = pick(w, key_of(w), entity, employed(w, ANY, region))
    return owner if owner != -1 else pool_of(w, 0, region)


@kernel
def keeper_in(w: World, slot: int, role: int) -> int:
    """The rep of a role who has worked an item, -1 for nobody."""
    return whole(w.keepers, slot * w.role_count + role)


@kernel
def customer_owner(w: World, slot: int, winner: int) -> int:
    """Who owns a won customer: the rep of the owning role who worked it, else one of that role; else the winner."""
    role = w.owner_role
    if role == -1:
        return winner
    keeper = keeper_in(w, slot, role)
    found = heir_of(w, keeper) if keeper != -1 else -1
    if found == -1:
        item = an_item(w, slot)
        found = pick(w, key_of(w), item.entity, employed(w, role, item.region))
    return winner if found == -1 else found


@kernel
def desk_for(w: World, slot: int, stage: int, role: int) -> int:
    """Where a lead queues at a stage: with the rep who has it or the successor, else by the routing policy."""
    if w.same_rep == 1:
        keeper = keeper_in(w, slot, role)
        heir = heir_of(w, keeper) if keeper != -1 else -1
        if heir != -1:
            return heir
    return routed(w, slot, stage, role)


@kernel
def routed(w: World, slot: int, stage: int, role: int) -> int:
    """The desk that the routing policy gives a lead: a rep's (its position) or the pool's."""
    item = an_item(w, slot)
    policy = a_source(w, item.source).policy if item.source >= 0 else w.policy
    pool = pool_of(w, role, item.region)
    if policy == POOL:
        return pool
    candidates = employed(w, role, item.region)
    if policy == ROUND_ROBIN:
        found = _next_in_turn(w, candidates, pool - w.rep_count)
    elif policy == LEAST_LOADED:
        found = _least_loaded(w, candidates)
    elif policy == SKILL_BASED:
        found = _skilled(w, item.entity, candidates, stage)
    elif policy == TERRITORY:
        segment = identity_at(w.segment_identities, max(item.segment, 0))
        place = pair_identity(identity_at(w.region_identities, item.region), segment)
        # A territory has its rep in every replication alike, so its draw knows no replication.
        found = pick(w, np.uint64(0), place, candidates)
    else:
        found = -1
        if policy == OWNER and item.account != -1:
            owner = a_customer(w, item.account).owner
            for i in range(len(candidates)):
                if candidates[i] == owner:
                    found = owner
        if found == -1:
            row = given_row(w, item.source, role)
            found = pick(w, key_of(w), item.entity, candidates) if row == -1 else _by_share(w, slot, candidates, row)
    return found if found != -1 else pool


@kernel
def given_row(w: World, source: int, role: int) -> int:
    """Which shares of a source's leads the plan gives to reps of the role at its entry; -1 for none."""
    if w.share_count == 0 or source < 0 or a_stage(w, a_source(w, source).first_stage).role != role:
        return -1
    return share_row(view(w.share_starts, w.share_count, WHOLE), view(w.share_rows, MANY, WHOLE), source, w.now)


@kernel
def _by_share(w: World, slot: int, candidates: Any, row: int) -> int:
    """One of the candidates by rendezvous, weighted by given shares."""
    identities = view(w.rep_identities, w.rep_count, IDENTITY)
    shares = view(w.share_weights + 8 * row * w.rep_count, w.rep_count, REAL)
    return rendezvous(key_of(w), an_item(w, slot).entity, candidates, identities, shares, view(w.draws, MANY, REAL))


@kernel
def _next_in_turn(w: World, candidates: Any, place: int) -> int:
    if w.all_willing == 1:
        willing = len(candidates)
    else:
        willing = 0
        for i in range(len(candidates)):
            willing += 1 if a_rep(w, candidates[i]).weight > 0.0 else 0
    if willing == 0:
        return -1
    turn = whole(w.turns, place)
    put(w.turns, place, turn + 1)
    wanted = turn % willing
    if w.all_willing == 1:
        return candidates[wanted]
    for i in range(len(candidates)):
        if a_rep(w, candidates[i]).weight > 0.0:
            if wanted == 0:
                return candidates[i]
            wanted -= 1
    return -1


@kernel
def _least_loaded(w: World, candidates: Any) -> int:
    """The rep with the fewest tasks, waiting or in work; the first in order of several."""
    found, fewest = -1, NEVER
    for i in range(len(candidates)):
        r = candidates[i]
        rep = a_rep(w, r)
        load = a_desk(w, r).count + rep.busy
        if rep.weight > 0.0 and load < fewest:
            found, fewest = r, load
    return found


@kernel
def _skilled(w: World, entity: np.uint64, candidates: Any, stage: int) -> int:
    weights = view(w.skilled, w.rep_count, REAL)
    for i in range(len(candidates)):
        r = candidates[i]
        points = real(w.epoch_skills, epoch_of(w, r) * w.stage_count + stage)
        weights[r] = skilled_weight(a_rep(w, r).weight, points, w.reference)
    identities = view(w.rep_identities, w.rep_count, IDENTITY)
    return rendezvous(key_of(w), entity, candidates, identities, weights, view(w.draws, MANY, REAL))
