"""New leads: how many a day, when, and what they are, each a function of keyed draws."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.compile import scalar
from sim.counts import negbin_quantile
from sim.rules import NOT_SCORED, money_drawn
from sim.samplers import SamplerTables
from sim.streams import SIDE_BY_SIDE, Purpose, draw, lead_identity, pair_draws

_COUNT: Final = int(Purpose.ARRIVAL_COUNT)
_TIME: Final = int(Purpose.ARRIVAL_TIME)


@scalar
def daily_counts(key: np.uint64, source: np.uint64, rates: NDArray[np.float64], dispersion: float) -> NDArray[np.int64]:
    """Leads of each day: a monotone quantile of one draw a day, so a higher rate only adds leads.

    Args:
        rates: expected leads by day.
        dispersion: variance over mean of a day's count, at least 1.
    """
    counts = np.zeros(len(rates), dtype=np.int64)
    for day in range(len(rates)):
        if rates[day] > 0.0:
            counts[day] = negbin_quantile(rates[day], dispersion, draw(key, source, 0, day, _COUNT))
    return counts


@scalar
def lead_times(
    key: np.uint64,
    source: np.uint64,
    day: int,
    opens: int,
    length: int,
    entities: NDArray[np.uint64],
    times: NDArray[np.int64],
    draws: NDArray[np.float64],
) -> None:
    """Fill in identity and time of the leads of one day of a source; each has its own draw of the time.

    Args:
        opens: the tick from which leads arrive, evenly for ``length`` ticks.
        entities, times: outputs, one a lead; ``draws``: room for as many numbers.
    """
    for k in range(len(entities)):
        entities[k] = lead_identity(source, day, k)
        draws[k] = draw(key, entities[k], 0, 0, _TIME)
    for k in range(len(entities)):
        times[k] = opens + np.int64(draws[k] * length)


@scalar
def arrivals_of(
    key: np.uint64,
    source: np.uint64,
    counts: NDArray[np.int64],
    opens: NDArray[np.int64],
    closes: NDArray[np.int64],
    times: NDArray[np.int64],
    entities: NDArray[np.uint64],
) -> None:
    """Fill in time and identity of every lead of a source; the k-th lead of a day has its own draw of the time.

    Args:
        opens, closes: by day, the ticks between which leads arrive, evenly.
        times, entities: outputs, as long as the counts sum to.
    """
    at = 0
    draws = np.empty(len(times))
    for day in range(len(counts)):
        upto = at + counts[day]
        length = closes[day] - opens[day]
        lead_times(key, source, day, opens[day], length, entities[at:upto], times[at:upto], draws)
        at = upto


@scalar
def chosen_one(
    key: np.uint64,
    entity: np.uint64,
    kinds: NDArray[np.uint64],
    weights: NDArray[np.float64],
    purpose: int,
    draws: NDArray[np.float64],
) -> int:
    """Which of several kinds an entity is, with chances in proportion to the weights.

    Each pair (entity, kind) has its own draw u and scores -ln(u) / weight, the lowest wins: a kind more moves only
    the entities that it wins, and the order of a table moves none.

    Args:
        kinds: identities of the kinds.
        draws: :func:`sim.streams.room_for` the kinds.
    """
    found = 0
    if len(kinds) == 1:
        return found
    for kind in range(len(kinds)):
        draws[kind] = np.uint64(kinds[kind]).view(np.float64)
    pair_draws(key, entity, len(kinds), purpose, draws)
    best_u, best_weight, best_score = 0.0, 0.0, NOT_SCORED
    for kind in range(len(kinds)):
        u, weight = draws[kind], weights[kind]
        if weight <= 0.0:
            continue
        if weight == best_weight:
            # Of equal weights the higher draw wins, without a logarithm.
            if u <= best_u:
                continue
            score = NOT_SCORED
        elif best_weight == 0.0:
            score = NOT_SCORED
        else:
            if best_score == NOT_SCORED:
                best_score = -math.log(best_u) / best_weight
            # -ln(u) is at least 1 - u: most kinds are out before the logarithm.
            if 1.0 - u > best_score * weight:
                continue
            score = -math.log(u) / weight
            if score >= best_score:
                continue
        found, best_u, best_weight, best_score = kind, u, weight, score
    return found


@scalar
def chosen(
    key: np.uint64,
    entities: NDArray[np.uint64],
    kinds: NDArray[np.uint64],
    weights: NDArray[np.float64],
    purpose: int,
) -> NDArray[np.int64]:
    """:func:`chosen_one` of many entities."""
    out = np.zeros(len(entities), dtype=np.int64)
    draws = np.empty(len(kinds) + SIDE_BY_SIDE)
    for i in range(len(entities)):
        out[i] = chosen_one(key, entities[i], kinds, weights, purpose, draws)
    return out


@scalar
def deal_values(
    tables: SamplerTables,
    key: np.uint64,
    entities: NDArray[np.uint64],
    distributions: NDArray[np.int64],
    factors: NDArray[np.float64],
) -> NDArray[np.int64]:
    """:func:`sim.rules.money_drawn` of the main product of many leads, in minor units."""
    out = np.zeros(len(entities), dtype=np.int64)
    for i in range(len(entities)):
        out[i] = money_drawn(tables, distributions[i], factors[i], key, entities[i], 0)
    return out
