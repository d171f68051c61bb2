"""Local search over owners at given worths of arcs: ejection chains, and repair of least hours."""

from __future__ import annotations

import numpy as np

from optimize.by_prices.compiled import compiled
from optimize.by_prices.kernels import NEVER, TINY, free, place
from optimize.by_prices.quota_room import missed, room_of


@compiled
def chains(start, account, rep, hours, worth, price, most, held, left, first, slots, count, depth, sweeps, nodes):
    """Ejection chains (Glover 1996): an account without owner takes a place, its account looks for another, and so on.

    A chain goes on while its gain so far and the price of the account on the move are worth more than the best chain
    yet (the rule of Lin and Kernighan).

    Args:
        worth: of each arc; price: what an account brings where it finds a place, [A].
        depth: most accounts that are pushed out; nodes: where the search for one chain ends.
    """
    total = 0.0
    mover = np.empty(depth + 2, np.int64)
    arc = np.empty(depth + 2, np.int64)
    victim = np.empty(depth + 2, np.int64)
    so_far = np.empty(depth + 2)
    best_arc = np.empty(depth + 2, np.int64)
    for _ in range(sweeps):
        gain = 0.0
        for a in range(len(start) - 1):
            if held[a] >= 0:
                continue
            best = 10 * TINY
            length = 0
            dropped = -1
            seen = 0
            level = 0
            mover[0] = a
            arc[0] = start[a]
            victim[0] = -1
            so_far[0] = 0.0
            while level >= 0:
                b = mover[level]
                j = arc[level]
                if j >= start[b + 1] or seen > nodes:
                    level -= 1
                    continue
                r = rep[j]
                stale = j == held[b]
                for i in range(level):
                    stale = stale or rep[arc[i]] == r
                if stale:
                    arc[level] += 1
                    victim[level] = -1
                    continue
                now = so_far[level] + worth[j]
                if victim[level] < 0:
                    seen += 1
                    if hours[j] <= left[r] - TINY and count[r] < most[r]:
                        if now > best:
                            best = now
                            length = level + 1
                            dropped = -1
                            for i in range(level + 1):
                                best_arc[i] = arc[i]
                        arc[level] += 1
                        continue
                    victim[level] = 0
                i = victim[level]
                if i >= count[r]:
                    arc[level] += 1
                    victim[level] = -1
                    continue
                victim[level] += 1
                seen += 1
                out = slots[first[r] + i]
                known = False
                for q in range(level + 1):
                    known = known or mover[q] == out
                if known or hours[held[out]] + left[r] - TINY < hours[j] or count[r] > most[r]:
                    continue
                rest = now - worth[held[out]]
                if rest > best:
                    best = rest
                    length = level + 1
                    dropped = out
                    for q in range(level + 1):
                        best_arc[q] = arc[q]
                if level < depth and rest + price[out] > best:
                    level += 1
                    mover[level] = out
                    arc[level] = start[out]
                    victim[level] = -1
                    so_far[level] = rest
            if length > 0:
                if dropped >= 0:
                    free(dropped, rep, hours, held, left, first, slots, count)
                for i in range(length):
                    b = account[best_arc[i]]
                    if held[b] >= 0:
                        free(b, rep, hours, held, left, first, slots, count)
                for i in range(length):
                    place(best_arc[i], account, rep, hours, held, left, first, slots, count)
                gain += best
        total += gain
        if gain < 1e-6:
            break
    return total


@compiled
def raise_floors(account, rep, hours, worth, most, floor, room, held, left, first, of_rep, slots, count):
    """Bring reps below their least hours up: accounts nobody has, then those of reps who can spare them.

    Args:
        floor, room: least and most hours of each rep.

    Returns:
        How many reps stay below.
    """
    short = 0
    for r in range(len(left)):
        while room[r] - left[r] < floor[r]:
            need = floor[r] - (room[r] - left[r])
            best = NEVER
            at = -1
            for i in range(first[r], first[r + 1]):
                j = of_rep[i]
                a = account[j]
                if held[a] == j or hours[j] > left[r] - TINY or count[r] >= most[r] or hours[j] <= 0.0:
                    continue
                loss = -worth[j]
                if held[a] >= 0:
                    giver = rep[held[a]]
                    if room[giver] - left[giver] - hours[held[a]] < floor[giver]:
                        continue
                    loss += worth[held[a]]
                each = loss / min(hours[j], need)
                if each < best:
                    best = each
                    at = j
            if at < 0:
                short += 1
                break
            if held[account[at]] >= 0:
                free(account[at], rep, hours, held, left, first, slots, count)
            place(at, account, rep, hours, held, left, first, slots, count)
    return short


@compiled
def make_room(
    start, account, rep, value, hours, worth, moves, most_moves, moved, potential, history, most, floor, room,
    held, left, first, of_rep, slots, count, sales, has_potential, has_history, rooms, group_of, sums_to,
):  # fmt: skip
    """Accounts of reps whose quotas have no room go to others, or come from them, until quotas meet bounds and totals.

    The account that loses least for what it mends goes first. Limits are kept.

    Args:
        moves, most_moves, moved: which arcs count against each limit on moves, [K, P], the limits and what counts, [K].
        sales, has_potential, has_history: of each rep, [R].
        rooms: of :func:`optimize.by_prices.quota_room.room_of`; group_of, sums_to: totals of quotas.

    Returns:
        By how much bounds and totals are missed in the end.
    """
    reps = len(left)
    bottom = np.zeros(reps)
    top = np.zeros(reps)
    low_sums = np.zeros(len(sums_to))
    high_sums = np.zeros(len(sums_to))
    for r in range(reps):
        bottom[r], top[r] = room_of(r, has_potential[r], has_history[r], sales[r], *rooms)
    off = missed(group_of, sums_to, bottom, top, low_sums, high_sums)
    ends = np.empty(4)
    for _ in range(len(held)):
        if off <= TINY:
            break
        least = NEVER
        found = -1
        sums_off = off
        for r in range(reps):
            sums_off -= max(bottom[r] - top[r], 0.0)
        for r in range(reps):
            if bottom[r] <= top[r] and sums_off <= TINY:
                continue
            for way in range(2):
                # Arcs to this rep, then arcs from her accounts to others.
                size = first[r + 1] - first[r] if way == 0 else count[r]
                for i in range(size):
                    if way == 0:
                        j = of_rep[first[r] + i]
                        begin, end = j, j + 1
                    else:
                        a = slots[first[r] + i]
                        begin, end = start[a], start[a + 1]
                    for j in range(begin, end):
                        a = account[j]
                        now = held[a]
                        if now < 0 or now == j:
                            continue
                        taker = rep[j]
                        giver = rep[now]
                        if hours[j] > left[taker] or count[taker] >= most[taker]:
                            continue
                        if room[giver] - left[giver] - hours[now] < floor[giver]:
                            continue
                        allowed = True
                        for k in range(len(moved)):
                            if moved[k] + moves[k, j] - moves[k, now] > max(most_moves[k], moved[k]):
                                allowed = False
                        if not allowed:
                            continue
                        ends[0], ends[1] = room_of(
                            taker, has_potential[taker] + potential[a], has_history[taker] + history[a],
                            sales[taker] + value[j], *rooms,
                        )  # fmt: skip
                        ends[2], ends[3] = room_of(
                            giver, has_potential[giver] - potential[a], has_history[giver] - history[a],
                            sales[giver] - value[now], *rooms,
                        )  # fmt: skip
                        mended = 0.0
                        for side in range(2):
                            x = taker if side == 0 else giver
                            g = group_of[x]
                            lower = ends[2 * side] - bottom[x]
                            upper = max(ends[2 * side + 1], ends[2 * side]) - max(top[x], bottom[x])
                            mended += max(bottom[x] - top[x], 0.0) - max(ends[2 * side] - ends[2 * side + 1], 0.0)
                            mended += max(low_sums[g] - sums_to[g], 0.0) - max(low_sums[g] + lower - sums_to[g], 0.0)
                            mended += max(sums_to[g] - high_sums[g], 0.0) - max(sums_to[g] - high_sums[g] - upper, 0.0)
                        if mended <= 1e-7:
                            continue
                        loss = (worth[now] - worth[j]) / mended
                        if loss < least:
                            least = loss
                            found = j
        if found < 0:
            break
        a = account[found]
        now = held[a]
        for k in range(len(moved)):
            moved[k] += moves[k, found] - moves[k, now]
        for side in range(2):
            x = rep[now] if side == 0 else rep[found]
            sign = -1.0 if side == 0 else 1.0
            sales[x] += sign * (value[now] if side == 0 else value[found])
            has_potential[x] += sign * potential[a]
            has_history[x] += sign * history[a]
            bottom[x], top[x] = room_of(x, has_potential[x], has_history[x], sales[x], *rooms)
        free(a, rep, hours, held, left, first, slots, count)
        place(found, account, rep, hours, held, left, first, slots, count)
        off = missed(group_of, sums_to, bottom, top, low_sums, high_sums)
    return off
