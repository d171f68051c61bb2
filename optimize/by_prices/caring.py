"""Inner loops of care: the best hours of one account at prices, of all arcs, and of settled owners under all limits."""

from __future__ import annotations

import numpy as np

from optimize.by_prices.compiled import compiled
from scenarios import physics

ELASTICITY, EXPONENTIAL, ADBUDG = 0, 1, 2
LEAST_RATIO = physics.CARE_RATIO_MIN
FAR = 1e300
NEWTON = 60
HALVINGS = 60
DOUBLINGS = 200
CLOSE = 1e-13
"""Relative width of a bracket of prices at which a search ends."""
NEAR = 1e-6
"""Relative width of a bracket of hours at which it ends, too: what lies between is shared out."""

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


@compiled
def of_rep(
    begin, end, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, gamma, theta, h
):
    """Best hours of the accounts of one rep between least and most hours; whether they fit. ``h`` is written.

    Where the curves are not concave no price of the rep's hours may fit exactly: then between the two nearest.
    """
    price = 0.0
    low = 0.0
    high = 0.0
    sign = 0.0
    for _ in range(DOUBLINGS):
        used = 0.0
        for i in range(begin, end):
            h[i] = best(
                form[i], parameters[i], worth[i], cost[i] + price * load[i] + gamma, theta * counted[i], base[i],
                bottom[i], top[i], ends[i, 0], ends[i, 1],
            )[0]  # fmt: skip
            used += load[i] * h[i]
        if sign == 0.0:
            if floor <= used <= room:
                return True
            sign = 1.0 if used > room else -1.0
            step = 0.0
            for i in range(begin, end):
                if load[i] > 0.0:
                    step = max(step, (abs(worth[i]) * 1e-3 + abs(cost[i]) + abs(gamma)) / load[i])
            if step == 0.0:
                return False
            low = 0.0
            price = sign * step
            continue
        if (sign > 0 and used <= room) or (sign < 0 and used >= floor):
            high = price
            break
        low = price
        price *= 4.0
        if abs(price) > 1e200:
            return False
    else:
        return False
    limit = room if sign > 0 else floor
    for _ in range(HALVINGS):
        if abs(high - low) <= CLOSE * abs(high):
            break
        price = 0.5 * (low + high)
        used = 0.0
        for i in range(begin, end):
            h[i] = best(
                form[i], parameters[i], worth[i], cost[i] + price * load[i] + gamma, theta * counted[i], base[i],
                bottom[i], top[i], ends[i, 0], ends[i, 1],
            )[0]  # fmt: skip
            used += load[i] * h[i]
        if (sign > 0 and used <= limit) or (sign < 0 and used >= limit):
            high = price
        else:
            low = price
    inside = np.empty(end - begin)
    used = beyond = 0.0
    for i in range(begin, end):
        inside[i - begin] = best(
            form[i], parameters[i], worth[i], cost[i] + high * load[i] + gamma, theta * counted[i], base[i],
            bottom[i], top[i], ends[i, 0], ends[i, 1],
        )[0]  # fmt: skip
        h[i] = best(
            form[i], parameters[i], worth[i], cost[i] + low * load[i] + gamma, theta * counted[i], base[i],
            bottom[i], top[i], ends[i, 0], ends[i, 1],
        )[0]  # fmt: skip
        used += load[i] * inside[i - begin]
        beyond += load[i] * h[i]
    part = (limit - used) / (beyond - used) if abs(beyond - used) > 0.0 else 0.0
    part = min(max(part, 0.0), 1.0)
    for i in range(begin, end):
        h[i] = inside[i - begin] + part * (h[i] - inside[i - begin])
    return True


@compiled
def everybody(
    first, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, gamma, theta, h
):  # fmt: skip
    """:func:`of_rep` for all; total hours of care, hours changed, and whether everything fits."""
    fits = True
    for r in range(len(first) - 1):
        if not of_rep(
            first[r], first[r + 1], form, parameters, worth, cost, load, base, bottom, top, ends, counted,
            room[r], floor[r], gamma, theta, h,
        ):  # fmt: skip
            fits = False
    total = changed = 0.0
    for i in range(len(h)):
        total += h[i]
        changed += counted[i] * abs(h[i] - base[i])
    return total, changed, fits


@compiled
def within_budget(
    first, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, budget, theta, h
):  # fmt: skip
    """Best hours of everybody within the budget; hours changed, and whether everything fits."""
    total, changed, fits = everybody(
        first, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, 0.0, theta, h
    )
    if not fits or total <= budget:
        return changed, fits
    low, high = 0.0, 0.0
    for i in range(len(h)):
        high = max(high, 1e-6 * abs(worth[i]), 1e-6 * abs(cost[i]))
    high = max(high, 1e-12)
    more = h.copy()
    less = np.empty(len(h))
    above = below = total
    for _ in range(DOUBLINGS):
        total, changed, fits = everybody(
            first, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, high, theta, less
        )
        below = total
        if total <= budget or high > 1e200:
            break
        above = total
        more[:] = less
        low = high
        high *= 4.0
    if total > budget or not fits:
        return changed, False
    for _ in range(HALVINGS):
        if high - low <= CLOSE * high or above - below <= NEAR * budget:
            break
        middle = 0.5 * (low + high)
        total, changed, fits = everybody(
            first, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, middle, theta, h
        )
        if total <= budget:
            high = middle
            below = total
            less[:] = h
        else:
            low = middle
            above = total
            more[:] = h
    # What is left goes to one rep after the other, the last in part.
    spare = budget - less.sum()
    changed = 0.0
    for r in range(len(first) - 1):
        extra = 0.0
        for i in range(first[r], first[r + 1]):
            extra += more[i] - less[i]
        part = 1.0 if extra <= spare else max(spare / extra, 0.0)
        spare -= part * extra
        for i in range(first[r], first[r + 1]):
            h[i] = less[i] + part * (more[i] - less[i])
            changed += counted[i] * abs(h[i] - base[i])
    return changed, True


@compiled
def settle(
    first, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, budget, change, h
):  # fmt: skip
    """Best hours of care of settled owners under the reps' hours, the budget and the change that a step may make.

    Args:
        first: where the accounts of each rep begin, [R + 1]; all else by account, accounts by rep.
        ends: sales at bottom and top, [A, 2]; worth: of a unit on each curve; cost: of an hour, beside limits; load:
            of an hour, in the rep's.
        h: written.

    Returns:
        Whether everything fits.
    """
    changed, fits = within_budget(
        first, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, budget, 0.0, h
    )
    if not fits or changed <= change:
        return fits
    low, high = 0.0, 0.0
    for i in range(len(h)):
        high = max(high, 1e-6 * abs(worth[i]), 1e-6 * abs(cost[i]))
    high = max(high, 1e-12)
    more = h.copy()
    less = np.empty(len(h))
    far = changed
    near = changed
    for _ in range(DOUBLINGS):
        near, fits = within_budget(
            first,
            form,
            parameters,
            worth,
            cost,
            load,
            base,
            bottom,
            top,
            ends,
            counted,
            room,
            floor,
            budget,
            high,
            less,
        )
        if near <= change or high > 1e200:
            break
        more[:] = less
        far = near
        low = high
        high *= 4.0
    if near > change or not fits:
        return False
    for _ in range(HALVINGS):
        if high - low <= 1e-9 * high or far - near <= NEAR * change:
            break
        middle = 0.5 * (low + high)
        changed, fits = within_budget(
            first, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, budget, middle, h
        )
        if changed <= change:
            high = middle
            near = changed
            less[:] = h
        else:
            low = middle
            far = changed
            more[:] = h
    part = max(change - near, 0.0) / (far - near) if far > near else 0.0
    for i in range(len(h)):
        h[i] = less[i] + part * (more[i] - less[i])
    return True
