"""Whether a model can be worked lane by lane (:mod:`sim.kernel.lanes`), and in which order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sim.compiled.draft import Table
from sim.kernel.names import EVEN, POLICIES, POOL, QUEUES, ROUND_ROBIN, TERRITORY
from sim.model import Model
from sim.rules import NO_DISTRIBUTION
from sim.samplers import SamplerTables, quantile, ticks

_DAY_TICKS = 86_400_000
_MOST = 2**15 - 1
"""Positions that a lead's row has room for."""

_MOST_CHANCES = 100_000


def lanes_of(model: Model, tables: dict[str, Table]) -> dict[str, float]:
    """Set the order of the lanes in the tables, if there are lanes, and room for chances; the counts that say so.

    What is asked of a model is that no queue depends on another's state, see :func:`_leads_alone`, and
    that each lead's lane is known beforehand: its rep's, or the pool of its role and region.
    """
    count, regions = len(model.reps.ids), len(model.region_identity)
    own, pools = _own_lanes(model), _pool_lanes(model)
    laned = _leads_alone(model) and (own or pools)
    roles = list(dict.fromkeys(model.stages.role.tolist()))
    order = range(count) if own else [count + role * regions + region for role in roles for region in range(regions)]
    tables["lanes"] = np.array(order if laned else [], dtype=np.int64)
    stages = tables["stages"]
    for position, patience in enumerate(model.stages.patience.tolist()):
        stages["at_once"][position] = _drawn_as_nothing(model.tables, patience) if laned else -1.0
    kinds = len(model.sources.ids) * max(len(model.scenario.segments), 1)
    chances = kinds * len(model.reps.epoch_start) * model.stages.count
    tables["chances"] = np.zeros(chances if chances <= _MOST_CHANCES else 0)
    counts: dict[str, float] = {"epoch_count": len(model.reps.epoch_start), "lane_count": len(tables["lanes"])}
    return counts | {"laned": laned, "own_lanes": laned and own}


def _leads_alone(model: Model) -> bool:
    """Only leads are worked, first come first served; who works them stays, and cold ones are lost."""
    reps, stages, scenario = model.reps, model.stages, model.scenario
    kinds = (model.sources.ids, model.region_identity, model.segment_identity, model.products.ids, model.bundles)
    return (
        not (model.accounts.ids or model.tenders or model.pipeline or model.new_customer or scenario.motivation)
        and scenario.queue == QUEUES[0]
        and scenario.routing.return_to_pool_days is None
        and bool((stages.support == -1).all())
        and not stages.to_pool.any()
        and not ((stages.recycle_max > 0) & (stages.recycle_chance > 0)).any()
        and bool((reps.hired == 0).all() and (reps.leaves >= model.end).all() and (reps.attrition == 0).all())
        and max(len(kind) for kind in kinds) <= _MOST
    )


def _own_lanes(model: Model) -> bool:
    """Each lead has one rep from its arrival on, chosen without looking at anybody's work."""
    reps, routing, roles = model.reps, model.scenario.routing, set(model.stages.role.tolist())
    by_lead = {POLICIES[policy] for policy in (EVEN, ROUND_ROBIN, TERRITORY)}
    if len(roles) != 1 or not routing.same_rep or not set(model.sources.policy) <= by_lead:
        return False
    willing = (reps.role == roles.pop()) & (reps.weight > 0)
    # Shares that leave a whole region without a rep send its leads to the pool.
    for shares in model.lead_shares.weights:
        if set(reps.region[willing & (shares > 0)].tolist()) != set(reps.region[willing].tolist()):
            return False
    served = set(range(len(model.region_identity))) if routing.across_regions else set(reps.region[willing].tolist())
    return bool(willing.any()) and served == set(range(len(model.region_identity)))


def _pool_lanes(model: Model) -> bool:
    """Leads queue for pools of reps who keep the same hours, and never come back to a role that they have left."""
    reps, routing, roles = model.reps, model.scenario.routing, model.stages.role.tolist()
    runs = [roles[0], *(later for earlier, later in pairwise(roles) if earlier != later)]
    if set(model.sources.policy) != {POLICIES[POOL]} or routing.same_rep or len(runs) != len(set(runs)) or model.credit:
        return False
    hours: dict[tuple[int, int], bytes] = {}
    for role, region, clock in zip(reps.role.tolist(), reps.region.tolist(), reps.clocks, strict=True):
        place = role, 0 if routing.across_regions else region
        content = clock.opens.tobytes() + b"|" + clock.closes.tobytes()
        if hours.setdefault(place, content) != content:
            return False
    return True


def _drawn_as_nothing(tables: SamplerTables, distribution: int) -> float:
    """The highest 32-bit draw that a distribution in days turns into no tick at all; -1 for none."""
    if distribution == NO_DISTRIBUTION:
        return -1.0
    low, high = -1, 2**32
    while high - low > 1:
        middle = (low + high) // 2
        if ticks(quantile(tables, distribution, (middle + 0.5) * 2.0**-32), _DAY_TICKS) == 0:
            low = middle
        else:
            high = middle
    return (low + 0.5) * 2.0**-32 if low >= 0 else -1.0
