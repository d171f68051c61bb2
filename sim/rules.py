"""The rules of the world as compiled scalar functions: the physics of ``scenarios.physics`` and what engines add.

Every engine calls these and nothing else for a decision, so equal inputs give equal bits whatever engine asks.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios import physics
from scenarios.ticks import HOUR, NEVER
from sim.compile import inlined, scalar
from sim.samplers import SamplerTables, quantile, ticks
from sim.streams import Purpose, draw, pair_draws, stage_uniforms
from sim.worktime import add_work

SKILL_PREFERENCE: Final = 0.05
"""Skill-based routing multiplies a rep's weight by exp(this) for each point of skill above the reference."""

_DAY_TICKS: Final = 86_400_000
_ROUTE: Final = int(Purpose.ROUTE)
_ORDER_GAP: Final = int(Purpose.ORDER_GAP)
_CHURN: Final = int(Purpose.CHURN)
_VALUE: Final = int(Purpose.VALUE)
_CASH: Final = int(Purpose.CASH)
_COLLECTION: Final = int(Purpose.COLLECTION)
_RECYCLE: Final = int(Purpose.RECYCLE)

NO_DISTRIBUTION: Final = -1
"""Index that stands for "no distribution given"."""

NOT_SCORED: Final = -1.0
"""Stands for a score of rendezvous that has not been reckoned; scores are positive."""

conversion = scalar(physics.conversion)
care_factor = scalar(physics.care_factor)
handover_factor = scalar(physics.handover_factor)
cross_sell_chance = scalar(physics.cross_sell_chance)
years_until = scalar(physics.years_until)
exponential_care = scalar(physics.exponential_care)
adbudg_care = scalar(physics.adbudg_care)


@inlined
def visit_draws(
    tables: SamplerTables, patience: int, effort: int, key: np.uint64, entity: np.uint64, stage: int, visit: int
) -> tuple[int, float, float, float]:
    """What one visit of a stage needs: patience (ticks, ``NEVER`` if none), effort (hours), outcome and delay draws.

    Args:
        patience, effort: indices of distributions, in days and hours.
    """
    u_patience, u_effort, u_outcome, u_delay = stage_uniforms(key, entity, stage, visit)
    waits = NEVER if patience < 0 else ticks(quantile(tables, patience, u_patience), _DAY_TICKS)
    hours = 0.0 if effort < 0 else quantile(tables, effort, u_effort)
    return waits, hours, u_outcome, u_delay


@inlined
def effort_ticks(hours: float, factor: float) -> int:
    """Clock ticks of work: hours of effort times the rep's clock hours per hour of effort."""
    return ticks(hours * factor, HOUR)


@inlined
def days_drawn(tables: SamplerTables, distribution: int, u: float) -> int:
    """Ticks of a duration in days; 0 where no distribution is given."""
    return 0 if distribution < 0 else ticks(quantile(tables, distribution, u), _DAY_TICKS)


@scalar
def later(opens: NDArray[np.int64], closes: NDArray[np.int64], cum: NDArray[np.int64], now: int, duration: int) -> int:
    """When a duration ends that runs on a clock which may stand still."""
    if duration == 0:
        return now
    return int(add_work(opens, closes, cum, now, duration)) if duration < NEVER else NEVER


@scalar
def share_row(starts: NDArray[np.int64], rows: NDArray[np.int64], source: int, now: int) -> int:
    """Which row of given shares holds for a source's leads at an instant; -1 for none.

    Args:
        starts: first tick of each stretch of time, rising.
        rows: by source and stretch.
    """
    place = 0
    while place + 1 < len(starts) and starts[place + 1] <= now:
        place += 1
    return int(rows[source * len(starts) + place])


@scalar
def rendezvous(
    key: np.uint64,
    entity: np.uint64,
    reps: NDArray[np.int64],
    identities: NDArray[np.uint64],
    weights: NDArray[np.float64],
    draws: NDArray[np.float64],
) -> int:
    """The rep (position in ``identities``) who gets an entity: highest weighted rendezvous score.

    Each pair (entity, rep) has its own draw u and scores -ln(u) / weight; the lowest wins. A rep more or less
    moves only the entities that this rep wins or held (Thaler and Ravishankar 1998). Equal scores go to the
    lower identity.

    Args:
        reps: candidates, as positions.
        weights: by position; candidates of weight 0 get nothing.
        draws: :func:`sim.streams.room_for` the candidates.

    Returns:
        A position, or -1 where no candidate has weight.
    """
    for i in range(len(reps)):
        draws[i] = np.uint64(identities[np.uint64(reps[i])]).view(np.float64)
    pair_draws(key, entity, len(reps), _ROUTE, draws)
    best, best_u, best_weight, best_score = -1, 0.0, 0.0, NOT_SCORED
    for i in range(len(reps)):
        rep, u = reps[i], draws[i]
        weight = weights[np.uint64(rep)]
        if weight <= 0.0:
            continue
        if weight == best_weight:
            # Of equal weights the higher draw wins, without a logarithm.
            if u < best_u or (u == best_u and identities[np.uint64(rep)] > identities[np.uint64(best)]):
                continue
            score = NOT_SCORED
        elif best == -1:
            score = NOT_SCORED
        else:
            if best_score == NOT_SCORED:
                best_score = -math.log(best_u) / best_weight
            # -ln(u) is at least 1 - u: most candidates are out before the logarithm.
            if 1.0 - u > best_score * weight:
                continue
            score = -math.log(u) / weight
            if score > best_score or (score == best_score and identities[np.uint64(rep)] > identities[np.uint64(best)]):
                continue
        best, best_u, best_weight, best_score = rep, u, weight, score
    return int(best)


@scalar
def skilled_weight(weight: float, points: float, reference: float) -> float:
    """Weight of a rep in skill-based routing, whose weighted skill at the stage is ``points``."""
    return weight * math.exp(SKILL_PREFERENCE * (points - reference))


@scalar
def order_gap(key: np.uint64, account: np.uint64, n: int) -> float:
    """Unit exponential between the cumulated intensities of order n - 1 and order n of an account."""
    return -math.log(draw(key, account, 0, n, _ORDER_GAP))


@scalar
def churn_time(key: np.uint64, account: np.uint64, since: int, yearly: float) -> int:
    """When an account leaves, with this yearly probability at a constant hazard; ``NEVER`` at probability 0."""
    if yearly <= 0.0:
        return NEVER
    if yearly >= 1.0:
        return since
    years = years_until(draw(key, account, 0, 0, _CHURN), yearly)
    return since + min(ticks(years * 365.0, _DAY_TICKS), NEVER - since)


@scalar
def money_drawn(
    tables: SamplerTables, distribution: int, factor: float, key: np.uint64, entity: np.uint64, ordinal: int
) -> int:
    """A value in minor units, rounded half to even; the distribution is in currency units."""
    units = quantile(tables, distribution, draw(key, entity, 0, ordinal, _VALUE))
    return int(np.rint(units * factor * 100.0))


@scalar
def payment(
    tables: SamplerTables, delay: int, chance: float, key: np.uint64, entity: np.uint64, instalment: int
) -> tuple[int, bool]:
    """Delay beyond the due date (ticks) and whether an instalment is paid at all."""
    late = 0
    if delay >= 0:
        late = ticks(quantile(tables, delay, draw(key, entity, 0, instalment, _CASH)), _DAY_TICKS)
    return late, draw(key, entity, 0, instalment, _COLLECTION) < chance


@scalar
def with_vat(value: int, vat: tuple[int, int]) -> int:
    """What the customer pays for a signed value, in minor units, rounded half up.

    Args:
        vat: the rate in millionths, as it stands on top of signed values and as it is held in them; one of them is 0.
    """
    return value + (value * vat[0] + 500_000) // 1_000_000


@scalar
def without_vat(value: int, vat: tuple[int, int]) -> int:
    """What of a signed value is the company's: revenue holds no tax. Arguments as in :func:`with_vat`."""
    whole = 1_000_000 + vat[1]
    return (value * 1_000_000 + whole // 2) // whole


@scalar
def paid_upto(gross: int, share: float) -> int:
    """What of an invoice falls due with the instalments up to one, whose shares together are ``share``."""
    return int(np.rint(gross * share))


@scalar
def recognised_upto(net: int, month: int, months: int) -> int:
    """What of a contract is recognised in its first ``month`` of ``months``, without overflow."""
    return net // months * month + net % months * month // months


@scalar
def margin_of(value: int, share: int, vat_within: int) -> int:
    """Gross margin of a line in minor units, rounded down, without the tax that its value may hold.

    Args:
        share: of the product's margin, in millionths.
        vat_within: the rate held in signed values, in millionths.
    """
    if vat_within > 0:
        held = 1_000_000 + vat_within
        value = (value * 1_000_000 + held // 2) // held
    return value // 1_000_000 * share + value % 1_000_000 * share // 1_000_000


@scalar
def comes_back(
    tables: SamplerTables, rest: int, chance: float, key: np.uint64, entity: np.uint64, stage: int, visit: int
) -> int:
    """Ticks of rest after which a cold lead comes back; -1 if it does not."""
    if draw(key, entity, stage, 2 * visit, _RECYCLE) >= chance:
        return -1
    return ticks(quantile(tables, rest, draw(key, entity, stage, 2 * visit + 1, _RECYCLE)), _DAY_TICKS)


@scalar
def care_sales(
    form: int, hours: float, first: float, second: float, third: float, fourth: float, fifth: float
) -> float:
    """Yearly sales by an explicit care response: form 1 exponential (ceiling, rate), form 2 ADBUDG."""
    if form == 1:
        return exponential_care(hours, first, second)
    return adbudg_care(hours, first, second, third, fourth, fifth)


@scalar
def chance_below(tables: SamplerTables, distribution: int, days: float) -> float:
    """P(X <= days), by bisection of the monotone sampler; exact to 2**-50."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        if quantile(tables, distribution, middle) <= days:
            low = middle
        else:
            high = middle
    return low


@scalar
def chance_given_silence(
    tables: SamplerTables, yes: int, no: int, chance: float, silent_days: float
) -> tuple[float, float, float]:
    """Chance of a yes from a customer who has been silent for some days, and what the delays must exceed.

    By Bayes' rule: each answer counts with the chance that it takes longer than the silence so far.

    Args:
        yes, no: delay distributions in days, -1 for an answer at once.
        chance: of a yes at the beginning.

    Returns:
        The chance, P(delay of a yes <= silence), P(delay of a no <= silence).
    """
    below_yes = chance_below(tables, yes, silent_days) if yes >= 0 else 1.0
    below_no = chance_below(tables, no, silent_days) if no >= 0 else 1.0
    weight_yes = chance * (1.0 - below_yes)
    weight_no = (1.0 - chance) * (1.0 - below_no)
    if weight_yes + weight_no <= 1e-12:
        return chance, below_yes, below_no
    return weight_yes / (weight_yes + weight_no), below_yes, below_no


@scalar
def days_left(tables: SamplerTables, distribution: int, below: float, silent_days: float, u: float) -> int:
    """Ticks until the answer of a customer silent for some days: the rest of a delay that exceeds the silence."""
    if distribution < 0 or below >= 1.0 - 1e-12:
        return 0
    rest = quantile(tables, distribution, below + u * (1.0 - below)) - silent_days
    return ticks(max(rest, 0.0), _DAY_TICKS)
