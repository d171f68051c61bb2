"""Ruin and recreate: a few reps lose their accounts and are filled anew, on the concave values of what they sell."""

from __future__ import annotations

import numpy as np

from optimize.by_prices.compiled import compiled
from optimize.by_prices.kernels import TINY, by_density, free, knapsack, place
from optimize.by_prices.quota_room import expected, highest_quota, missed, room_of


@compiled
def draw(state):
    """A number below 2^53 by xorshift64*; the state is one unsigned word."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.int64((x * np.uint64(2685821657736338717)) >> np.uint64(11))


@compiled
def below(state, n):
    """A whole number from 0 to n - 1."""
    return draw(state) % n


@compiled
def unit(state):
    """A number in [0, 1)."""
    return draw(state) / 9007199254740992.0


@compiled
def rep_values(ordered, sums, low, high, shift, share, price, counts, least_sales, most_sales, points):
    """Value of each rep by what she sells beside her samples: ``max over q of g + f(q - g) - p q``, on a grid of g.

    Where capped sales do not count, it is what she sells.

    Args:
        ordered, sums: samples of each rep, rising, and their running sums from 0, [R, N] and [R, N + 1].
        low, high: bounds of the quota; shift: most of quota less g; share: of the quota that is attained at least, [R].
        price: p, [R]; counts: whether capped sales count.
        least_sales, most_sales: ends of the grid of g, [R].
    """
    reps, n = ordered.shape
    table = np.empty((reps, points + 1))
    for r in range(reps):
        chance = min(max(price[r], 0.0), 1.0)
        best = ordered[r, min(max(int((1.0 - chance) * n), 0), n - 1)]
        for i in range(points + 1):
            g = least_sales[r] + (most_sales[r] - least_sales[r]) * i / points
            if counts <= 0.0:
                table[r, i] = g
                continue
            q = min(min(best, shift[r]) + g, high[r])
            q = max(highest_quota(ordered, sums, r, g, share[r], max(q, low[r])), low[r])
            table[r, i] = g + expected(ordered, sums, r, q - g) - price[r] * q
    return table


@compiled
def rep_value(table, least_sales, most_sales, r, sales):
    """Value and slope of a rep at these sales, linear between the points of the grid."""
    points = table.shape[1] - 1
    step = (most_sales[r] - least_sales[r]) / points
    at = (sales - least_sales[r]) / step
    k = min(max(int(at), 0), points - 1)
    slope = table[r, k + 1] - table[r, k]
    return table[r, k] + (at - k) * slope, slope / step


@compiled
def step(r, change, steps, step_gain, step_room, step_floor, sales, room, floor, left):
    """Training steps more, or less where the change is negative."""
    for _ in range(change):
        sales[r] += step_gain[r, steps[r]]
        steps[r] += 1
    for _ in range(-change):
        steps[r] -= 1
        sales[r] -= step_gain[r, steps[r]]
    room[r] -= change * step_room
    left[r] -= change * step_room
    floor[r] -= change * step_floor


@compiled
def ruin(
    start,
    account,
    rep,
    value,
    hours,
    extra,
    moves,
    potential,
    history,
    price,
    most,
    floor,
    room,
    held,
    left,
    first,
    of_rep,
    slots,
    count,
    steps,
    fewest,
    most_steps,
    step_gain,
    step_away,
    step_price,
    away_price,
    step_room,
    step_floor,
    spare_steps,
    spare_away,
    spare_moves,
    sales,
    has_potential,
    has_history,
    table,
    least_sales,
    most_sales,
    guarded,
    rooms,
    group_of,
    sums_to,
    rounds,
    size,
    noise,
    nodes,
    state,
):
    """Ruin and recreate (Schrimpf et al. 2000): free a few linked reps, fill them anew by knapsacks at shaken prices.

    Each rep may also take a few training steps more or less; hours and the budget of steps are kept.

    A round is kept where the reps' concave values and the extra worth of their arcs do not fall together, and quotas do
    not miss their bounds and totals by more; or where they miss them by less.

    Args:
        steps, fewest, most_steps: training of each rep, [R]; steps is updated; step_gain: of each, [R, S].
        step_away: how far each is from the simulated plan, [R, S].
        step_price: of one; away_price: of one away; step_room, step_floor: what one takes from the reps' hours.
        spare_*: left in all; of moves by limit, [K].
        sales: of each rep's accounts and training, [R]; has_potential, has_history: of each rep; all updated.
        table, least_sales, most_sales: of :func:`rep_values`.
        extra: worth of each arc beside sales; moves: what it adds to the accounts that move, by limit, [K, P].
        potential, history: that go with each account.
        guarded: whether quotas' bounds move with accounts; rooms: of :func:`room_of`; group_of, sums_to: their totals.

    Returns:
        What the kept rounds gained.
    """
    reps = len(left)
    longest = 0
    for r in range(reps):
        longest = max(longest, first[r + 1] - first[r])
    worth = np.empty(longest)
    load = np.empty(longest)
    arcs = np.empty(longest, np.int64)
    taken = np.empty(longest, np.int8)
    group = np.empty(size, np.int64)
    before = np.empty(size)
    slope = np.empty(size)
    kept = np.empty(size * longest, np.int64)
    marked = np.zeros(reps, np.int8)
    stepped = np.empty(size, np.int64)
    limits = len(spare_moves)
    moving = np.empty(limits)
    bottom = np.zeros(reps)
    top = np.zeros(reps)
    low_sums = np.zeros(len(sums_to))
    high_sums = np.zeros(len(sums_to))
    before_bottom = np.empty(size)
    before_top = np.empty(size)
    before_potential = np.empty(size)
    before_history = np.empty(size)
    off = 0.0
    if guarded:
        for r in range(reps):
            bottom[r], top[r] = room_of(r, has_potential[r], has_history[r], sales[r], *rooms)
        off = missed(group_of, sums_to, bottom, top, low_sums, high_sums)
    total = 0.0
    for _ in range(rounds):
        r = below(state, reps)
        group[0] = r
        marked[r] = 1
        n_group = 1
        for _ in range(6 * size):
            if n_group == size:
                break
            r = group[below(state, n_group)]
            if first[r + 1] == first[r]:
                continue
            j = of_rep[first[r] + below(state, first[r + 1] - first[r])]
            a = account[j]
            if rep_value(table, least_sales, most_sales, r, sales[r])[1] * value[j] + extra[j] < price[a]:
                continue
            other = held[a]
            if other < 0 or rep[other] == r:
                other = start[a] + below(state, start[a + 1] - start[a])
            if marked[rep[other]] == 0:
                marked[rep[other]] = 1
                group[n_group] = rep[other]
                n_group += 1
        for i in range(n_group - 1, 0, -1):
            k = below(state, i + 1)
            group[i], group[k] = group[k], group[i]
        old = 0.0
        moving[:] = 0.0
        used = 0
        further = 0.0
        n_kept = 0
        for i in range(n_group):
            r = group[i]
            marked[r] = 0
            now, slope[i] = rep_value(table, least_sales, most_sales, r, sales[r])
            old += now
            before[i] = sales[r]
            before_potential[i] = has_potential[r]
            before_history[i] = has_history[r]
            while count[r] > 0:
                a = slots[first[r]]
                j = held[a]
                kept[n_kept] = j
                n_kept += 1
                old += extra[j]
                for k in range(limits):
                    moving[k] -= moves[k, j]
                sales[r] -= value[j]
                has_potential[r] -= potential[a]
                has_history[r] -= history[a]
                free(a, rep, hours, held, left, first, slots, count)
            stepped[i] = 0
            if most_steps[r] > fewest[r] and unit(state) < 0.5:
                far = 1 + below(state, 4) * below(state, 2)
                stepped[i] = far if unit(state) < 0.5 else -far
                stepped[i] = min(max(stepped[i], fewest[r] - steps[r]), most_steps[r] - steps[r])
            if stepped[i] > 0 and room[r] < stepped[i] * step_room:
                stepped[i] = 0
            for s in range(stepped[i]):
                further += step_away[r, steps[r] + s]
            for s in range(-stepped[i]):
                further -= step_away[r, steps[r] - 1 - s]
            step(r, stepped[i], steps, step_gain, step_room, step_floor, sales, room, floor, left)
            used += stepped[i]
        for turn in range(2):
            for i in range(n_group):
                r = group[i]
                n = 0
                for q in range(first[r], first[r + 1]):
                    j = of_rep[q]
                    a = account[j]
                    if held[a] < 0 or held[a] == j:
                        gain = slope[i] * value[j] + extra[j]
                        if turn == 0:
                            gain -= price[a] * (1.0 + noise * (unit(state) - 0.5))
                        if gain > 0.0:
                            worth[n] = gain
                            load[n] = hours[j]
                            arcs[n] = j
                            n += 1
                by_density(worth, load, arcs, n)
                knapsack(worth, load, n, room[r] - TINY, most[r], nodes, taken)
                while count[r] > 0:
                    a = slots[first[r]]
                    sales[r] -= value[held[a]]
                    has_potential[r] -= potential[a]
                    has_history[r] -= history[a]
                    free(a, rep, hours, held, left, first, slots, count)
                for q in range(n):
                    if taken[q]:
                        place(arcs[q], account, rep, hours, held, left, first, slots, count)
                        sales[r] += value[arcs[q]]
                        has_potential[r] += potential[account[arcs[q]]]
                        has_history[r] += history[account[arcs[q]]]
        fits = used <= spare_steps and further <= max(spare_away, 0.0) + TINY
        new = -step_price * used - away_price * further
        for i in range(n_group):
            r = group[i]
            new += rep_value(table, least_sales, most_sales, r, sales[r])[0]
            for q in range(first[r], first[r] + count[r]):
                new += extra[held[slots[q]]]
                for k in range(limits):
                    moving[k] += moves[k, held[slots[q]]]
            fits = fits and room[r] - left[r] >= floor[r]
        for k in range(limits):
            fits = fits and moving[k] <= max(spare_moves[k], 0.0)
        misses = off
        if guarded and fits:
            for i in range(n_group):
                r = group[i]
                before_bottom[i] = bottom[r]
                before_top[i] = top[r]
                bottom[r], top[r] = room_of(r, has_potential[r], has_history[r], sales[r], *rooms)
            misses = missed(group_of, sums_to, bottom, top, low_sums, high_sums)
        if fits and ((new >= old and misses <= off) or misses < off - 1e-6):
            total += new - old
            off = misses
            spare_steps -= used
            spare_away -= further
            for k in range(limits):
                spare_moves[k] -= moving[k]
            continue
        for i in range(n_group):
            r = group[i]
            if guarded and fits:
                bottom[r] = before_bottom[i]
                top[r] = before_top[i]
            has_potential[r] = before_potential[i]
            has_history[r] = before_history[i]
            while count[r] > 0:
                free(slots[first[r]], rep, hours, held, left, first, slots, count)
            step(r, -stepped[i], steps, step_gain, step_room, step_floor, sales, room, floor, left)
            sales[r] = before[i]
        for i in range(n_kept):
            place(kept[i], account, rep, hours, held, left, first, slots, count)
    return total
