"""Inner loops of the method by prices: choices of owners, knapsacks, and how an assignment is kept.

An *arc* is a pair of a free account and a rep who may own it. Arcs are sorted by account (``start``), and ``of_rep``
lists them by rep (``first``). An assignment is ``held[a]``, the arc of account a or -1, with ``left[r]``, the hours
that rep r has left, and the accounts of r in ``slots[first[r]] ... slots[first[r] + count[r] - 1]``.
"""

from __future__ import annotations

import numpy as np

from optimize.by_prices.compiled import compiled

TINY = 1e-9
NEVER = 1e300


@compiled
def choose(start, rep, value, hours, extra, rest, lam, mu, width, smooth, gains, loads, parts):
    """Every account takes its best owner at these prices, or its soft maximum.

    Args:
        extra: worth of each arc beside sales and hours; rest: worth of having no owner, -NEVER where that may not be.
        width: temperature of each account's soft maximum.
        gains, loads: by rep; what the chosen accounts sell and ask is added.
        parts: of each arc, how far it is chosen; written.

    Returns:
        The soft total (0 where not asked) and the exact one.
    """
    soft = 0.0
    exact = 0.0
    for a in range(len(start) - 1):
        best = rest[a]
        at = -1
        for j in range(start[a], start[a + 1]):
            r = rep[j]
            reduced = lam[r] * value[j] - mu[r] * hours[j] + extra[j]
            parts[j] = reduced
            if reduced > best:
                best = reduced
                at = j
        exact += best
        if not smooth:
            for j in range(start[a], start[a + 1]):
                parts[j] = 0.0
            if at >= 0:
                parts[at] = 1.0
                gains[rep[at]] += value[at]
                loads[rep[at]] += hours[at]
            continue
        scale = width[a]
        mass = 0.0
        if rest[a] - best > -30.0 * scale:
            mass = np.exp((rest[a] - best) / scale)
        for j in range(start[a], start[a + 1]):
            distance = (parts[j] - best) / scale
            parts[j] = np.exp(distance) if distance > -30.0 else 0.0
            mass += parts[j]
        soft += best + scale * np.log(mass)
        for j in range(start[a], start[a + 1]):
            if parts[j] > 0.0:
                parts[j] /= mass
                gains[rep[j]] += parts[j] * value[j]
                loads[rep[j]] += parts[j] * hours[j]
    return soft, exact


@compiled
def fractional(value, hours, n, begin, room):
    """Dantzig's bound: items in order of falling value per hour, the last one in part."""
    total = 0.0
    for i in range(begin, n):
        if hours[i] > room:
            return total + value[i] * room / hours[i]
        total += value[i]
        room -= hours[i]
    return total


@compiled
def knapsack(value, hours, n, room, most, nodes, taken):
    """The most valuable items that fit, by depth-first search with Dantzig's bound (Horowitz and Sahni 1974).

    Args:
        value, hours: items by falling value per hour, all of positive value.
        most: how many items at most.
        nodes: where the search gives up.
        taken: written.

    Returns:
        Value found, and a valid upper bound: the same up to rounding, or the root's where the search gave up.
    """
    bound = fractional(value, hours, n, 0, room)
    chosen = np.zeros(n, np.int8)
    for i in range(n):
        taken[i] = 0
    best = now = 0.0
    count = seen = j = 0
    while True:
        while j < n:
            if hours[j] <= room and count < most:
                chosen[j] = 1
                room -= hours[j]
                now += value[j]
                count += 1
            elif now + fractional(value, hours, n, j + 1, room) <= best + TINY:
                break
            j += 1
        if now > best + TINY:
            best = now
            for i in range(n):
                taken[i] = chosen[i]
        seen += 1
        if seen > nodes:
            return best, bound
        j -= 1
        while True:
            while j >= 0 and chosen[j] == 0:
                j -= 1
            if j < 0:
                return best, best + 2 * TINY
            chosen[j] = 0
            room += hours[j]
            now -= value[j]
            count -= 1
            if now + fractional(value, hours, n, j + 1, room) > best + TINY:
                break
        j += 1


@compiled
def by_density(value, hours, arcs, n):
    """Sort the first n items by falling value per hour, in place."""
    order = np.argsort(-value[:n] / np.maximum(hours[:n], TINY), kind="mergesort")
    value[:n] = value[:n][order]
    hours[:n] = hours[:n][order]
    arcs[:n] = arcs[:n][order]


@compiled
def knapsack_bound(
    first, of_rep, account, worth, hours, price, rooms, steps, least, step_worth, step_hours, nodes, parts
):
    """Sum over reps of the best accounts and training steps that fit, accounts at a price: a bound, and who chose what.

    Args:
        worth: of each arc, hours not priced; price: of each account.
        rooms: hours of each rep before training; steps, least: most and fewest steps of each rep.
        step_worth: of each rep's steps, not rising, [R, steps]; step_hours: that a step takes from the rooms.
        parts: of each arc, 1 where its rep chose it; written.

    Returns:
        The bound, and at how many reps the search gave up.
    """
    total = 0.0
    given_up = 0
    longest = 0
    for r in range(len(rooms)):
        longest = max(longest, first[r + 1] - first[r])
    value = np.empty(longest)
    load = np.empty(longest)
    arcs = np.empty(longest, np.int64)
    taken = np.empty(longest, np.int8)
    kept = np.empty(longest, np.int8)
    reach = np.empty(step_worth.shape[1] + 1)
    for r in range(len(rooms)):
        n = 0
        for i in range(first[r], first[r + 1]):
            j = of_rep[i]
            parts[j] = 0.0
            gain = worth[j] - price[account[j]]
            if gain > 0.0:
                value[n] = gain
                load[n] = hours[j]
                arcs[n] = j
                n += 1
        by_density(value, load, arcs, n)
        trained = 0.0
        for s in range(steps[r] + 1):
            if s > 0:
                trained += step_worth[r, s - 1]
            room = rooms[r] - s * step_hours[r]
            reach[s] = -NEVER if s < least[r] or room < 0 else trained + fractional(value, load, n, 0, room)
        best = bound = -NEVER
        while True:
            s = 0
            for i in range(1, steps[r] + 1):
                if reach[i] > reach[s]:
                    s = i
            if reach[s] <= bound or reach[s] <= -NEVER:
                break
            trained = 0.0
            for i in range(s):
                trained += step_worth[r, i]
            found, most = knapsack(value, load, n, rooms[r] - s * step_hours[r], n, nodes, taken)
            given_up += most > found + 3 * TINY
            bound = max(bound, trained + most)
            if trained + found > best:
                best = trained + found
                kept[:n] = taken[:n]
            reach[s] = -NEVER
        if bound > -NEVER:
            total += bound
            for i in range(n):
                parts[arcs[i]] = kept[i]
    return total, given_up


@compiled
def place(j, account, rep, hours, held, left, first, slots, count):
    """Give an account to the rep of an arc."""
    a = account[j]
    r = rep[j]
    held[a] = j
    left[r] -= hours[j]
    slots[first[r] + count[r]] = a
    count[r] += 1


@compiled
def free(a, rep, hours, held, left, first, slots, count):
    """Take an account from its owner."""
    j = held[a]
    r = rep[j]
    held[a] = -1
    left[r] += hours[j]
    for i in range(first[r], first[r] + count[r]):
        if slots[i] == a:
            count[r] -= 1
            slots[i] = slots[first[r] + count[r]]
            return


@compiled
def greedy(order, account, rep, hours, most, held, left, first, slots, count):
    """Place accounts by a given order of arcs, each where it still fits."""
    for j in order:
        r = rep[j]
        if held[account[j]] < 0 and hours[j] <= left[r] and count[r] < most[r]:
            place(j, account, rep, hours, held, left, first, slots, count)


@compiled
def refill(
    r, account, rep, hours, worth, most, held, left, first, of_rep, slots, count, nodes, value, load, arcs, taken
):
    """The best accounts for one rep among her own and those that nobody has; what it improves."""
    n = 0
    old = 0.0
    for i in range(first[r], first[r + 1]):
        j = of_rep[i]
        a = account[j]
        if held[a] == j:
            old += worth[j]
        if (held[a] < 0 or held[a] == j) and worth[j] > 0.0:
            value[n] = worth[j]
            load[n] = hours[j]
            arcs[n] = j
            n += 1
    by_density(value, load, arcs, n)
    room = left[r]
    for i in range(first[r], first[r] + count[r]):
        room += hours[held[slots[i]]]
    found, _ = knapsack(value, load, n, room - TINY, most[r], nodes, taken)
    if found <= old + 100 * TINY:
        return 0.0
    while count[r] > 0:
        free(slots[first[r]], rep, hours, held, left, first, slots, count)
    for i in range(n):
        if taken[i]:
            place(arcs[i], account, rep, hours, held, left, first, slots, count)
    return found - old


@compiled
def refill_all(account, rep, hours, worth, most, held, left, first, of_rep, slots, count, nodes, sweeps):
    """:func:`refill` for everybody, again while it helps; the improvement."""
    longest = 0
    for r in range(len(left)):
        longest = max(longest, first[r + 1] - first[r])
    value = np.empty(longest)
    load = np.empty(longest)
    arcs = np.empty(longest, np.int64)
    taken = np.empty(longest, np.int8)
    total = 0.0
    for _ in range(sweeps):
        gain = 0.0
        for r in range(len(left)):
            gain += refill(
                r,
                account,
                rep,
                hours,
                worth,
                most,
                held,
                left,
                first,
                of_rep,
                slots,
                count,
                nodes,
                value,
                load,
                arcs,
                taken,
            )
        total += gain
        if gain < 1e-6:
            break
    return total
