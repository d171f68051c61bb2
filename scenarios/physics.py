"""The rules by which skill, training, ramp, owner and care change a result, each written once.

Plain scalar functions on floats: the simulator compiles and evaluates them, the allocator linearises them, the
documentation prints them. They hold no state and call only :mod:`math`.
"""

from __future__ import annotations

import math

EFFORT_FACTOR_MIN = 0.5
EFFORT_FACTOR_MAX = 2.0
LEARNING_FACTOR_MAX = 1.5
CARE_RATIO_MIN = 0.1


def logit(probability: float) -> float:
    """ln(p / (1 - p)); minus or plus 745 at 0 and 1, where exp leaves the range of a float."""
    if probability <= 0.0:
        return -745.0
    if probability >= 1.0:
        return 745.0
    return math.log(probability / (1.0 - probability))


def skill_shift(weighted_skill: float, reference: float, logit_per_point: float) -> float:
    """Shift of logit(conversion) for a weighted skill (0..100) against the reference."""
    return logit_per_point * (weighted_skill - reference)


def conversion(base_logit: float, shift: float) -> float:
    """Chance to advance: 1 / (1 + exp(-(base logit + all shifts of rep and lead))), without overflow.

    Certainty stays certain: at the logits of 0 and 1 no shift counts.
    """
    if base_logit <= -745.0:
        return 0.0
    if base_logit >= 745.0:
        return 1.0
    x = base_logit + shift
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    grown = math.exp(x)
    return grown / (1.0 + grown)


def expit(x: float) -> float:
    """The inverse of :func:`logit`: 1 / (1 + exp(-x))."""
    return conversion(x, 0.0)


def effort_factor(weighted_skill: float, reference: float, log_per_point: float) -> float:
    """What a task's hours are multiplied by; below 1 above the reference, held inside [0.5, 2]."""
    factor = math.exp(-log_per_point * (weighted_skill - reference))
    return min(max(factor, EFFORT_FACTOR_MIN), EFFORT_FACTOR_MAX)


def learning_factor(learning_skill: float, reference: float) -> float:
    """How fast a rep learns, relative to one at the reference; held inside [0, 1.5]."""
    if reference <= 0.0:
        return 1.0
    return min(max(learning_skill / reference, 0.0), LEARNING_FACTOR_MAX)


def training_gain(hours: float, max_gain: float, hours_scale: float, learning: float) -> float:
    """Skill points gained by ``hours`` of training: learning x max_gain x (1 - exp(-hours / scale)); concave."""
    return learning * max_gain * (1.0 - math.exp(-hours / hours_scale))


def trained_skill(start: float, hours: float, max_gain: float, hours_scale: float, learning: float) -> float:
    """Skill after training, never above 100."""
    return min(100.0, start + training_gain(hours, max_gain, hours_scale, learning))


def care_factor(hours: float, owed: float, elasticity: float, ratio_cap: float) -> float:
    """What care given against care owed makes of an account's orders: (hours / owed)**elasticity.

    The ratio is held inside [0.1, cap]: an account that nobody cares for still orders something. An account that is
    owed nothing is indifferent.
    """
    if owed <= 0.0 or elasticity <= 0.0:
        return 1.0
    return math.pow(min(max(hours / owed, CARE_RATIO_MIN), ratio_cap), elasticity)


def exponential_care(hours: float, ceiling: float, rate: float) -> float:
    """Sales a year = ceiling x (1 - exp(-rate x hours)) (Mantrala, Sinha and Zoltners 1992)."""
    return ceiling * (1.0 - math.exp(-rate * hours))


def adbudg_care(hours: float, low: float, high: float, shape: float, half: float, hours_now: float) -> float:
    """Sales a year = low + (high - low) x**c / (d + x**c), x = hours / hours now (Little 1970; Lodish 1971)."""
    effort = hours / hours_now
    if effort <= 0.0:
        return low
    powered = math.pow(effort, shape)
    return low + (high - low) * powered / (half + powered)


def owner_factor(relationship_skill: float, reference: float, rate_per_point: float) -> float:
    """What the owner's relationship skill makes of an account's orders; never below 0."""
    return max(0.0, 1.0 + rate_per_point * (relationship_skill - reference))


def cross_sell_chance(chance: float, owner: float, care: float) -> float:
    """Chance that an order brings a product along: that of the reference owner with the care owed x both factors.

    Args:
        owner: by :func:`owner_factor`; care: by :func:`care_factor`.
    """
    return min(1.0, chance * owner * care)


def handover_factor(days_since_change: float, loss: float) -> float:
    """What a change of owner leaves of the orders: 1 - loss during the first 365 days, then 1."""
    return 1.0 - loss if 0.0 <= days_since_change < 365.0 else 1.0


def years_until(u: float, yearly: float) -> float:
    """Years until something happens that has this chance within a year at a constant hazard: ln(u) / ln(1 - chance).

    Args:
        u: draw inside (0, 1); the chance that it has not happened by then.
        yearly: chance inside (0, 1).
    """
    return math.log(u) / math.log(1.0 - yearly)


def gain_after(gain: float, hours: float, max_gain: float, hours_scale: float, learning: float) -> float:
    """Skill points gained once ``hours`` more are trained on top of a gain already there.

    The rest of the possible gain, learning x max_gain - gain, shrinks by exp(-hours / scale): from nothing this is
    :func:`training_gain`, and two trainings in a row are one of both hours.
    """
    ceiling = learning * max_gain
    return ceiling - (ceiling - gain) * math.exp(-hours / hours_scale)


def gain_kept(gain: float, decay: float, months: int) -> float:
    """What is left of a gain of which the share ``decay`` is forgotten at the beginning of each month."""
    return gain * math.pow(1.0 - decay, months)


def motivated_pace(
    attainment: float,
    elapsed: float,
    give_up_below: float,
    stretch_above: float,
    coast_above: float,
    pace_change: float,
    push: float,
    push_share: float,
    judged_after: float,
) -> float:
    """Pace of a rep with a quota, as a multiple of the usual one.

    Coasting: attainment has reached ``coast_above``. Else, progress = attainment / elapsed is judged: below
    ``give_up_below`` the rep gives up, from ``stretch_above`` on the rep stretches (Misra and Nair 2011; Chung,
    Steenburgh and Sudhir 2014). Whoever neither coasts nor gave up pushes in the last part of the period (Oyer 1998).

    Args:
        attainment: sales of the period so far over its quota.
        elapsed: share of the period gone by, inside [0, 1].
    """
    if attainment >= coast_above:
        return 1.0 - pace_change
    judged = elapsed > 0.0 and elapsed >= judged_after
    if judged and attainment < give_up_below * elapsed:
        return 1.0 - pace_change
    pace = 1.0 + pace_change if judged and attainment >= stretch_above * elapsed else 1.0
    return pace + push if elapsed >= 1.0 - push_share else pace


def part_of(amount: int, millionths: int) -> int:
    """An amount's part in millionths, rounded down; split into whole and rest, so that no product overflows."""
    whole = amount // 1_000_000
    return whole * millionths + (amount - whole * 1_000_000) * millionths // 1_000_000
