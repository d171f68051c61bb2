"""Inner loops of care: what hours bring on each curve, and the best hours of one account and of all arcs at prices."""

from __future__ import annotations

import numpy as np

from optimize.by_prices.compiled import compiled
from scenarios import physics

ELASTICITY, EXPONENTIAL, ADBUDG = 0, 1, 2
LEAST_RATIO = physics.CARE_RATIO_MIN
FAR = 1e300
NEWTON = 60

care_factor = compiled(physics.care_factor)
exponential_care = compiled(physics.exponential_care)
adbudg_care = compiled(physics.adbudg_care)


@compiled
def curve(form, p, hours):
    """Sales in a year of one account at these hours of care."""
    if form == EXPONENTIAL:
        return exponential_care(hours, p[0], p[1])
    if form == ADBUDG:
        return adbudg_care(hours, p[0], p[1], p[2], p[3], p[4])
    return p[0] * care_factor(hours, p[1], p[2], p[3])


@compiled
def sales_at(form, parameters, hours):
    """:func:`curve` of every account."""
    out = np.empty(len(hours))
    for a in range(len(hours)):
        out[a] = curve(form[a], parameters[a], hours[a])
    return out


@compiled
def still(form, p, worth, cost):
    """Where ``worth * curve(h) - cost * h`` is largest on the part of the curve that is concave, cost positive."""
    if form == EXPONENTIAL:
        steep = worth * p[0] * p[1]
        return np.log(steep / cost) / p[1] if steep > cost else 0.0
    if form == ELASTICITY:
        owed, power = p[1], p[2]
        if owed <= 0.0 or power <= 0.0:
            return 0.0
        if power >= 1.0:
            return p[3] * owed
        ratio = (worth * p[0] * power / (cost * owed)) ** (1.0 / (1.0 - power))
        return min(max(ratio, LEAST_RATIO), p[3]) * owed
    rise, shape, half, now = p[1] - p[0], p[2], p[3], p[4]
    if rise <= 0.0:
        return 0.0
    # In s = ln x the logarithm of the slope is concave and falls right of where the curve turns.
    turn = np.log(half * (shape - 1.0) / (shape + 1.0)) / shape if shape > 1.0 else -FAR
    asked = np.log(cost * now / (worth * rise * shape * half))
    s = max(np.log(half) / shape, turn + 1e-3)
    for _ in range(NEWTON):
        powered = np.exp(shape * s)
        above = (shape - 1.0) * s - 2.0 * np.log(half + powered) - asked
        fall = (shape - 1.0) - 2.0 * shape * powered / (half + powered)
        if s <= turn and above < 0.0:
            return 0.0  # not steep enough anywhere
        step = above / min(fall, -1e-9)
        new = max(s - min(max(step, -5.0), 5.0), turn)
        if abs(new - s) < 1e-14 * max(abs(s), 1.0):
            break
        s = new
    return np.exp(s) * now


@compiled
def best(form, p, worth, cost, change, base, bottom, top, at_bottom, at_top):
    """Hours from bottom to top at which ``worth * curve(h) - cost * h - change * |h - base|`` is largest, and sales.

    Args:
        at_bottom, at_top: sales there.

    Returns:
        Hours, and sales there; where another unit of sales is worth nothing or less, the least sales.
    """
    if top <= bottom:
        return bottom, at_bottom
    anchor = min(max(base, bottom), top)
    if worth <= 0.0:
        # Sales that nobody wants: hours and sales apart, which bounds them together and never falls short of it.
        if cost + change < 0.0:
            return top, at_bottom
        return (anchor if cost - change < 0.0 else bottom), at_bottom
    found = bottom
    sold = at_bottom
    most = worth * at_bottom - cost * bottom - change * abs(bottom - base)
    net = worth * at_top - cost * top - change * abs(top - base)
    if net > most:
        most = net
        found = top
        sold = at_top
    for side in range(-1, 2):
        # Beyond the simulated hours change costs one way, below them the other; without a price both are one.
        price = cost + side * change
        if change <= 0.0 and side != 0:
            continue
        if change > 0.0 and side == 0:
            at = anchor
        elif price <= 0.0:
            continue
        else:
            low = anchor if side == 1 else bottom
            high = anchor if side == -1 else top
            at = min(max(still(form, p, worth, price), low), high)
        if at in (bottom, top):
            continue
        here = curve(form, p, at)
        net = worth * here - cost * at - change * abs(at - base)
        if net > most:
            most = net
            found = at
            sold = here
    return found, sold


@compiled
def priced(
    account, rep, form, parameters, unit, settled, burden, order, load, base, bottom, top, ends, counted,
    lam, mu, gamma, theta, care, value, hours, price,
):  # fmt: skip
    """Best hours of every arc at prices; the last four are written."""
    for j in range(len(account)):
        a = account[j]
        r = rep[j]
        change = theta * counted[a]
        cost = lam[r] * burden[j] + mu[r] * load[j] + gamma
        h, sold = best(
            form[a], parameters[a], lam[r] * unit[j], cost, change, base[a], bottom[a], top[a], ends[a, 0], ends[a, 1]
        )  # fmt: skip
        care[j] = h
        value[j] = unit[j] * sold - settled[j] - burden[j] * h
        hours[j] = order[j] + load[j] * h
        price[j] = gamma * h + change * abs(h - base[a])
