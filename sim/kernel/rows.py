"""What happened: rows of the log, and the tallies that the outcome's tables are made of.

The tallies are the sums of :mod:`sim.reduce` taken as things happen, so that no log need be kept.
"""

from __future__ import annotations

import numpy as np

from sim.compile import kernel
from sim.kernel.names import (
    ACCOUNT_SUMS,
    AVAILABLE,
    COMPANY_SUMS,
    PRODUCT_SUMS,
    REP_SUMS,
    SEGMENT_SUMS,
    SOURCE_SUMS,
    STAGE_BUSY,
    STAGE_SUMS,
)
from sim.kernel.tables import a_row, add, whole
from sim.kernel.world import World, clock_columns
from sim.worktime import interval_at


@kernel
def row(
    w: World,
    time: int,
    kind: int,
    entity: np.uint64,
    visit: int,
    stage: int,
    rep: int,
    item: int,
    value: int,
    extra: int,
) -> None:
    """Write a row of the log, if one is kept; the fields are those of :data:`sim.log.FIELDS`."""
    if w.logging == 0 or time >= w.end:
        return
    r = a_row(w, w.row_count)
    w.row_count += 1
    r.time, r.kind, r.entity, r.visit, r.stage = time, kind, entity, visit, stage
    r.rep, r.item, r.value, r.extra = rep, item, value, extra


@kernel
def period_at(w: World, time: int) -> int:
    """The reporting period of a tick from now on."""
    period = w.period
    while period + 1 < w.period_count and whole(w.bounds, period + 1) <= time:
        period += 1
    return period


@kernel
def rep_sums(w: World, rep: int, period: int) -> int:
    """Where the sums of a rep in a period lie, for whoever adds to several."""
    return w.rep_tally + 8 * REP_SUMS * (rep * w.period_count + period)


@kernel
def stage_sums(w: World, stage: int, period: int) -> int:
    """Where the sums of a stage in a period lie, for whoever adds to several."""
    return w.stage_tally + 8 * STAGE_SUMS * (stage * w.period_count + period)


@kernel
def tally_rep(w: World, what: int, rep: int, period: int, amount: int) -> None:
    """Count for a rep; nobody (-1) is left out."""
    if rep >= 0:
        add(w.rep_tally, (rep * w.period_count + period) * REP_SUMS + what, amount)


@kernel
def tally_stage(w: World, what: int, stage: int, amount: int) -> None:
    """Count for a stage in the present period."""
    add(w.stage_tally, (stage * w.period_count + w.period) * STAGE_SUMS + what, amount)


@kernel
def tally_source(w: World, what: int, source: int, period: int, amount: int) -> None:
    """Count for a source, if there is one."""
    if source >= 0:
        add(w.source_tally, (source * w.period_count + period) * SOURCE_SUMS + what, amount)


@kernel
def tally_product(w: World, what: int, product: int, amount: int) -> None:
    """Count for a product, if it is known, in the present period."""
    if product >= 0:
        add(w.product_tally, (product * w.period_count + w.period) * PRODUCT_SUMS + what, amount)


@kernel
def tally_segment(w: World, what: int, segment: int, period: int, amount: int) -> None:
    """Count for a segment, if there is one."""
    if segment >= 0:
        add(w.segment_tally, (segment * w.period_count + period) * SEGMENT_SUMS + what, amount)


@kernel
def tally_account(w: World, what: int, account: int, amount: int) -> None:
    """Count for an account of the scenario, over the whole horizon."""
    if account >= 0:
        add(w.account_tally, account * ACCOUNT_SUMS + what, amount)


@kernel
def tally_company(w: World, what: int, amount: int) -> None:
    """Count for the company in the present period."""
    add(w.company_tally, w.period * COMPANY_SUMS + what, amount)


@kernel
def work_until(w: World, clock: int, tick: int, hint: int) -> int:
    """Ticks of work of a working time before a tick."""
    opens, closes, cum = clock_columns(w, clock)
    place = interval_at(closes, tick, hint)
    if place < len(closes):
        return cum[place] + max(tick - opens[place], 0)
    last = len(closes) - 1
    return cum[last] + closes[last] - opens[last] if last >= 0 else 0


@kernel
def tally_work(w: World, what: int, other: int, stage: int, rep: int, clock: int, begun: int, end: int) -> None:
    """Count the ticks worked from ``begun`` to ``end`` in each period, for the rep and, of a funnel stage, for that.

    Args:
        what: tally of the rep; ``other``: a second one, -1 for none.
        stage: of the funnel, -1 for none.
    """
    period = w.period
    done = work_until(w, clock, begun, 0)
    while period < w.period_count:
        upto = min(end, whole(w.bounds, period + 1))
        sofar = work_until(w, clock, upto, 0)
        tally_rep(w, what, rep, period, sofar - done)
        if other >= 0:
            tally_rep(w, other, rep, period, sofar - done)
        if stage >= 0:
            add(w.stage_tally, (stage * w.period_count + period) * STAGE_SUMS + STAGE_BUSY, sofar - done)
        if end <= upto:
            return
        done = sofar
        period += 1


@kernel
def tally_presence(w: World, rep: int, clock: int, begin: int, end: int) -> None:
    """Count the working time of somebody who sits on a seat from ``begin`` to ``end``."""
    for period in range(w.period_count):
        first = min(max(whole(w.bounds, period), begin), end)
        last = min(max(whole(w.bounds, period + 1), begin), end)
        if first < last:
            amount = work_until(w, clock, last, 0) - work_until(w, clock, first, 0)
            tally_rep(w, AVAILABLE, rep, period, amount)


@kernel
def tally_activities(w: World, r: int, stage: int) -> None:
    """Count what the work of a stage, just done, is worth in activities."""
    for activity in range(w.activity_count):
        worth = whole(w.activities, stage * w.activity_count + activity)
        add(w.rep_activity, (r * w.period_count + w.period) * w.activity_count + activity, worth)
        add(w.stage_activity, (stage * w.period_count + w.period) * w.activity_count + activity, worth)
