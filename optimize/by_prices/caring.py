"""Inner loops of care: the best hours of settled owners under the reps' hours, the budget and the change of a step."""

from __future__ import annotations

import numpy as np

from optimize.by_prices.care_curves import best
from optimize.by_prices.compiled import compiled

HALVINGS = 60
DOUBLINGS = 200
CLOSE = 1e-13
"""Relative width of a bracket of prices at which a search ends."""
NEAR = 1e-6
"""Relative width of a bracket of hours at which it ends, too: what lies between is shared out."""


@compiled
def at_price(
    begin, end, form, parameters, worth, cost, load, base, bottom, top, ends, counted, price, gamma, theta, h
):  # fmt: skip
    """Hours that the accounts of one rep ask where an hour of hers has this price. ``h`` is written."""
    used = 0.0
    for i in range(begin, end):
        h[i] = best(
            form[i], parameters[i], worth[i], cost[i] + price * load[i] + gamma, theta * counted[i], base[i],
            bottom[i], top[i], ends[i, 0], ends[i, 1],
        )[0]  # fmt: skip
        used += load[i] * h[i]
    return used


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
        used = at_price(
            begin, end, form, parameters, worth, cost, load, base, bottom, top, ends, counted, price, gamma, theta, h
        )
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
        used = at_price(
            begin, end, form, parameters, worth, cost, load, base, bottom, top, ends, counted, price, gamma, theta, h
        )
        if (sign > 0 and used <= limit) or (sign < 0 and used >= limit):
            high = price
        else:
            low = price
    used = at_price(
        begin, end, form, parameters, worth, cost, load, base, bottom, top, ends, counted, high, gamma, theta, h
    )
    inside = h[begin:end].copy()
    beyond = at_price(
        begin, end, form, parameters, worth, cost, load, base, bottom, top, ends, counted, low, gamma, theta, h
    )
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
            first, form, parameters, worth, cost, load, base, bottom, top, ends, counted, room, floor, budget, high,
            less,
        )  # fmt: skip
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
